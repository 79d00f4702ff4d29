//! Where accounts and role bindings go when their unit moves, or when another takes over from it.

pub mod service;
mod store;
