//! Provinces and their tree of units, their working calendar, their settings.

pub mod calendar;
pub mod changes;
pub mod everywhere;
pub mod http;
pub mod imports;
pub mod officers;
pub mod posts;
pub mod rules;
pub mod service;
pub mod settings;
pub mod stand_ins;
mod store;
pub mod views;
