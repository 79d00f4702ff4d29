//! What happens when things break: killed processes, retried requests, many writers, databases that
//! go away, disks that are full, clients that are slow or hostile. The real program, both databases.

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

mod attachments;
mod backup;
mod demo;
mod drain;
mod first_run;
mod hostile;
mod jobs;
mod kill;
mod listeners;
mod logins;
mod outage;
mod phones;
mod retry;
mod watch;
mod work;
mod writers;
