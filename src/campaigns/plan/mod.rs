//! Plans and their tasks.

mod cascade;
pub mod cascade_http;
mod content_store;
pub mod http;
pub mod inflation;
pub mod rules;
pub mod service;
mod store;
pub mod views;
