//! Standing authorisations (常态授权): a team may check the units of an area unannounced, for a period, under a commander.
//!
//! Proposed by an office or by discipline, approved by somebody else. What is checked under one is nobody's business but
//! the team's and the commander's until it is released; the authorisation itself says only who may check where.

pub mod command;
mod command_store;
pub mod http;
pub mod rules;
pub mod service;
mod store;
mod views;
pub mod waiting;
