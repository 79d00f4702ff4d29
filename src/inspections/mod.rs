//! Inspections: what is looked at, by whom, what was seen.

pub mod attachments;
pub mod authorisations;
mod awaited;
pub mod checklists;
pub mod checks;
pub mod handover;
