//! The sessions of an account as its administrators see them.

pub mod http;
pub mod service;
