//! How far the tasks of a campaign are, at every unit: by counters that are kept as assignments change,
//! one a campaign, unit and deadline. What is counted is told in [`crate::campaigns::tasks`].

pub mod http;
pub mod rules;
pub mod service;
mod store;
