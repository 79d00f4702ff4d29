//! Units that come as a table: a whole tree at once, in any order.

pub mod http;
pub mod rules;
mod service;
