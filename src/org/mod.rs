//! Provinces and their tree of units.

pub mod changes;
pub mod http;
pub mod officers;
pub mod posts;
pub mod rules;
pub mod service;
pub mod stand_ins;
mod store;
pub mod views;
