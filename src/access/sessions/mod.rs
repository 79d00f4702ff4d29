//! Signing in and out: sessions, refresh tokens and their rotation, failed logins.

pub mod http;
mod own;
mod refresh;
mod service;
mod store;
mod throttle;

pub use service::login as sign_in;
