//! Through HTTP, on both databases: the main job from campaign to child plan, and the conventions of
//! the wire (versions, keys, merge patch, search, languages); tables that are imported.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    dead_code,
    reason = "a test that fails says why; the support serves other suites too"
)]

mod attachments;
mod audit_chain;
mod authorisations;
mod calendar;
mod candidates;
mod cascade;
mod changes;
mod checklists;
mod checks;
mod clearing;
mod commanders;
mod compression;
mod conflicts;
mod crowds;
mod cuts;
mod departures;
mod disclosures;
mod endings;
mod events;
mod export;
mod files;
mod imports;
mod instances;
mod jobs;
mod morning;
mod officers;
mod offline;
mod own_attachments;
mod path;
mod people_imports;
mod plan_rules;
mod print;
mod races;
mod remembered;
mod reorganisation;
mod search;
mod settings;
mod stages;
#[path = "../support/mod.rs"]
mod support;
mod sync;
mod tasks;
mod tasks_history;
mod transfers;
mod trees;
mod units;
mod unseen_units;
mod uploads;
mod versions;
mod votes;
mod waiting;
mod waiting_inspections;
mod wire;
mod withdrawals;
mod workbooks;
mod yunnan;
