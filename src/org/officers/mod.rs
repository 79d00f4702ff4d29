//! Officers: police and auxiliary, where they belong, and what is personal of them.

mod batch_store;
pub mod http;
pub mod imports;
pub mod person;
pub mod rules;
pub mod service;
mod store;
