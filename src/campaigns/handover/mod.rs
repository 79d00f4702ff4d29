//! Where campaigns, plans and tasks go when their unit moves, or when another takes over from it.

pub mod service;
mod store;
