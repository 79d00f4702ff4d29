//! Versions of a plan. Version 1 is the plan as it was first published; an amendment is a version in hand,
//! kept whole beside the plan until it is published: until then the one before stays in force (domain.md §5.1).

mod diff;
mod hand_store;
pub mod http;
pub mod rules;
pub mod service;
mod store;
mod views;

pub use diff::{PlanField, TaskChange, TaskField};
pub(super) use hand_store::{hand, in_hand, in_hands, save};
pub use store::{compare_anew, naming_unit, tasks_naming};
pub use views::{AmendmentView, amendment};
