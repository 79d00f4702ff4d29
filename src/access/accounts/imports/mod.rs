//! Accounts that come as a table.

pub mod http;
pub mod rules;
mod service;
