//! What a province may set for itself: thresholds and limits, within bounds nobody can leave.

pub mod http;
pub mod rules;
pub mod service;
mod store;
