//! # pingyi (评议)
//!
//! `ls src/` reads as the list of what the system does; each capability is a room of its own.
//!
//! | room | holds |
//! |---|---|
//! | [`app`] | every route on one page, middleware |
//! | [`access`] | who may do what: `policy.rs` is THE TABLE; the gate, tokens, sessions, accounts |
//! | [`org`] | provinces, units, the working calendar, settings |
//! | [`campaigns`] | campaigns, leading groups, plans, tasks |
//! | [`inspections`] | checklists, standing authorisations, declared conflicts, unannounced checks and what they find, attachments |
//! | [`waiting`] | what waits for a person, of all capabilities |
//! | [`papers`] | how a paper looks that an office prints: page and workbook |
//! | [`imports`] | tables that arrive as files: read, checked, put in force as a whole or not at all |
//! | [`jobs`] | what takes longer than a request may: how far it is, who does it, how it ends |
//! | [`rates`] | both numbers of every rate, what was left out, Wilson's interval |
//! | [`reference`](mod@reference) | dictionaries, the policy table, health, public keys |
//! | [`audit`] | the log of every change, its chain, its signed checkpoints, its verifier |
//! | [`events`] | what happens, told as it happens to those who may know it |
//! | [`files`] | where the bytes of attachments are kept: a folder, or a bucket |
//! | [`metrics`] | what an operator watches |
//! | [`web`] | what every endpoint shares: problems, shapes, pages, the document |
//! | [`db`] | SQLite and PostgreSQL behind one door, migrations, ids, time |
//! | [`errors`] | the table of error codes |
//! | [`demo`] | the demo province |
//!
//! Inside a capability: `http.rs` extracts, calls once, converts; `service.rs` holds the use cases,
//! one function each, on a `Tx`; `rules.rs` is pure; `store.rs` holds the queries and is private to
//! the capability. Another capability is reached through its `service`. `tests/architecture.rs`
//! reads the `use` lines and holds everybody to it.

pub mod access;
pub mod app;
pub mod audit;
pub mod campaigns;
pub mod config;
pub mod db;
pub mod demo;
pub mod errors;
pub mod events;
pub mod files;
pub mod imports;
pub mod inspections;
pub mod jobs;
pub mod metrics;
pub mod org;
pub mod papers;
pub mod rates;
pub mod reference;
pub mod waiting;
pub mod web;
