//! The two sets of migrations are one schema: the same versions, tables, columns, keys, indices and
//! checks; what only PostgreSQL has (row-level security, collations, rights) is as it must be; up, down
//! and up again works, with data in every table.

#[path = "../process/mod.rs"]
mod process;

mod model;
mod rights;
mod round_trip;
mod schema;
