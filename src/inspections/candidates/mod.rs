//! Finding candidates (问题线索): what a released check has found, one for each item that deducts points. They count once the
//! objection window has closed, or the objection is answered; the ledger takes over what counts.
//!
//! A candidate keeps what it was drawn from (check, item, points) and nothing that changes with its check: where it stands, who
//! may know of it and whether it counts are read off the check each time. There is none before the release, so that nothing
//! of a covert check can be told by it.

pub mod http;
pub mod missing;
pub mod rules;
pub mod service;
mod store;
mod views;
