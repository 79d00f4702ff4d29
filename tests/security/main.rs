//! Security: everything here is generated from the list of routes, the document and the policy
//! table, so that a new route is covered the day it is born. A failing check names its cure.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests stand outside #[test] functions, where clippy.toml's allowances do not reach"
)]

#[path = "../support/mod.rs"]
#[allow(dead_code, reason = "each suite uses a part of it")]
mod support;

mod audit;
mod document;
mod duties;
mod embargo;
mod exports;
mod foreign;
mod grid;
mod held;
mod input;
mod lists;
mod objects;
mod operations;
mod roles;
mod sessions;
mod states;
mod tokens;
mod world;
