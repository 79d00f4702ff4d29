//! Votes on plans: where the leading group votes, the members of the day on which a plan was submitted cast
//! theirs before its head approves it (domain.md §5.1).

pub mod http;
pub mod rules;
pub mod service;
mod store;
