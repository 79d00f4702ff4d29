//! Provinces and their tree of units, their working calendar, their settings.

pub mod calendar;
pub mod http;
pub mod rules;
pub mod service;
pub mod settings;
mod store;
