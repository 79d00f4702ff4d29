//! Role bindings: which role an account holds, at which unit, from when to when.

pub mod http;
pub mod rules;
pub mod service;
mod store;
