//! Comments on plans, item by item.

pub mod http;
pub mod rules;
pub mod service;
mod store;
