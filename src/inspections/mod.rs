//! Inspections: what is looked at, by whom, what was seen.

pub mod attachments;
pub mod authorisations;
pub mod candidates;
pub mod checklists;
pub mod checks;
pub mod conflicts;
pub mod handover;
pub mod offline;
mod waiting;
