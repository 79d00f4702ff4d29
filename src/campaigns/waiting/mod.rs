//! What waits for a person: plans to write, to decide on, to publish; tasks to complete; days to enter, and
//! to see entered.

pub mod http;
pub mod service;
