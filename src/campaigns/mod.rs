//! Campaigns and their leading groups; plans and their tasks, from draft to published; what the tasks
//! in force come to: who has them, how far they are, what is entered day by day.

pub mod campaign;
pub mod clearing;
pub mod handover;
pub mod papers;
pub mod plan;
pub mod progress;
pub mod rules;
pub mod tasks;
