//! Who has what to do: the tasks of plans in force, expanded to single units.
//!
//! An **assignment** is a task and a unit. When a plan comes into force each responsible unit of each
//! task is expanded: `self` is the unit alone, `subtree` the unit and every working unit below it, of
//! one kind if one is said. When an amended version comes into force what is missing is added, what is
//! no longer assigned is retired unless it is done, and a changed deadline goes along.
//!
//! # What counts
//!
//! A child plan's task may answer one of the parent's (`parent_task_id`). So that nothing is counted
//! twice and nothing vanishes:
//!
//! 1. An assignment (P, U) is **carried** as long as tasks that answer P, in the plan of U or of a unit
//!    above it, have live assignments at U or below it. It is then done when all of those are done, and nobody completes it directly.
//! 2. What counts, at every level, are the live assignments that nobody carries: the work itself. They
//!    count at their unit and at every unit above it, whoever's plan they stem from.
//! 3. A unit that no child plan has reached yet completes its assignment of the parent's task directly.
//!    When its child task comes later, that unit's assignment of it is born done, with the same evidence.
//!
//! The province's head thus sees what its own task has come to wherever it was cascaded, station by
//! station, and each city sees the same figures of itself. Progress on a day is done ÷ (due or done).
//! The figures are kept by counters at write time ([`crate::campaigns::progress`]).

mod awaited_store;
mod carrying;
mod count_store;
mod departure_store;
pub mod departures;
mod expansion;
pub mod handover;
pub mod http;
mod person_store;
pub mod rules;
pub mod service;
mod store;
mod tally_store;
mod views;

pub use expansion::{close, entries_switched, expand};
