//! Campaigns and their leading groups; plans and their tasks, from draft to published.

pub mod campaign;
pub mod handover;
pub mod plan;
pub mod rules;
pub mod waiting;
