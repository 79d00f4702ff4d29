//! What happens to units: entered, renamed, moved, merged, deactivated, each with its day; and what
//! they were on any day since.

pub(in crate::org) mod batch_store;
pub mod http;
pub mod many;
mod moment_store;
pub mod moments;
pub mod rules;
pub mod service;
mod store;
