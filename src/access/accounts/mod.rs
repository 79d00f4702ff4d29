//! Accounts: who can sign in, with which roles, and where they are signed in.

pub mod bindings;
pub mod handover;
pub mod http;
pub mod imports;
mod new_password;
mod picture;
pub mod rules;
pub mod service;
pub(in crate::access) mod session_store;
pub mod sessions;
mod store;

pub use new_password::NewPassword;
