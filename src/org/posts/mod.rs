//! Posts: who held which one when, and since when that is known.

pub mod http;
pub mod rules;
pub mod service;
mod store;
