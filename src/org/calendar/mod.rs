//! The working calendar: the State Council's holidays and make-up workdays, and what a province has
//! changed on top of them.

pub mod base;
pub mod http;
pub mod rules;
pub mod service;
mod store;
