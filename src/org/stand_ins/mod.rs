//! Who stands in for a unit's head, for a period: what they sign says so, first responsibility stays.

pub mod http;
pub mod rules;
pub mod service;
mod store;
