//! What an office prints of a campaign: a plan, its task list, the clearing sheet of a day.
//!
//! `service.rs` finds what stands on a paper, each paper's own file says where it stands, and how that
//! looks is [`crate::papers`]'s.

mod clearing;
pub mod http;
mod plan;
pub mod service;
mod task_list;
mod wording;
