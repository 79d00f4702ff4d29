//! Plans and their tasks.

mod content_store;
pub mod http;
pub mod rules;
pub mod service;
mod store;
pub mod views;
