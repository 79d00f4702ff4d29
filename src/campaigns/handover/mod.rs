//! Where campaigns, plans and tasks go when their unit moves, or when another takes over from it.

mod parent_store;
pub mod parents;
pub mod service;
mod store;
