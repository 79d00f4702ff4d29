//! Campaigns and their leading groups.

pub mod http;
pub mod rules;
pub mod service;
mod store;
