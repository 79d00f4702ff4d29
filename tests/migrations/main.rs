//! The two sets of migrations are one schema: the same versions, tables, columns, keys, indices and
//! checks; what only PostgreSQL has (row-level security, collations, rights) is as it must be; up, down
//! and up again works, with data in every table.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests stand outside #[test] functions, where clippy.toml's allowances do not reach"
)]

#[path = "../process/mod.rs"]
mod process;

mod model;
mod rights;
mod round_trip;
mod schema;
