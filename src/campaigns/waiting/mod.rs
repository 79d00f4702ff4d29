//! What waits for a person: the plans that are theirs to write, to decide on, to publish.

pub mod http;
pub mod service;
