//! Provinces and their tree of units.

pub mod changes;
pub mod http;
pub mod imports;
pub mod rules;
pub mod service;
mod store;
pub mod views;
