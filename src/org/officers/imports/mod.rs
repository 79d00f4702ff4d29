//! Officers that come as a table: a province's whole strength at once.

pub mod http;
pub mod rules;
mod service;
