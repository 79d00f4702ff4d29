//! Checklists: what an inspection looks at, item by item, with the standard each item is held to.
//!
//! A checklist belongs to a bureau, or to one of its branches (警种), and is used by that bureau and all below it. It is
//! written as a draft and published as version 1, 2, …: a published version never changes (triggers of both databases
//! refuse it), for an inspection keeps the version it was made with. [`templates`] are the ones every province has at hand.

pub mod http;
pub mod items;
pub mod rules;
pub mod service;
mod store;
pub mod templates;
pub mod versions_http;
pub mod views;
