//! Plans and their tasks.

mod cascade;
pub mod cascade_http;
mod content_store;
pub mod http;
pub mod inflation;
pub mod machine;
mod many;
pub mod many_http;
mod matrix;
pub mod matrix_http;
mod matrix_store;
mod permitted;
pub mod rules;
pub mod service;
mod store;
pub mod views;
