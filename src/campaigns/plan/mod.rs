//! Plans and their tasks.

mod author_store;
pub mod ballots;
mod cascade;
pub mod cascade_http;
pub mod comments;
mod content_store;
mod facts;
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
mod task_store;
mod transitions;
pub mod versions;
pub mod views;
