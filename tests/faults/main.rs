//! What happens when things break: killed processes, retried requests, many writers, databases that
//! go away, disks that are full, clients that are slow or hostile. The real program, both databases.

#[path = "../process/mod.rs"]
mod process;

mod demo;
mod drain;
mod first_run;
mod hostile;
mod kill;
mod outage;
mod retry;
mod work;
mod writers;
