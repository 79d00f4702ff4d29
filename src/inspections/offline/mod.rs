//! For a phone that is out of reach for hours: what it takes along, and what it has to tell when it is back.

pub mod bundle;
pub mod bundle_http;
mod bundle_store;
mod bundle_views;
pub mod sync;
pub mod sync_http;
