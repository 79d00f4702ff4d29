//! What waits for a person, of all capabilities: plans to write, to decide on, to publish; tasks to complete; days to enter,
//! and to see entered; authorisations to decide on; checks to record, to confirm, to release, to object to, to answer for.
//!
//! Each capability says itself what waits of it, by the same rules as its `allowed_actions`; here it is put together.

pub mod http;
pub mod service;
