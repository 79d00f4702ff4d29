//! Unannounced checks (明察暗访): made under a standing authorisation, recorded on the spot, confirmed by the commander,
//! released, and then open to objection.
//!
//! A covert check is nobody's to know of before it is released but its team's and its commander's, a relation to the check
//! and not a role: nothing that anybody else can ask for says otherwise. Its rows of the audit log are held back until
//! then, so that neither the log nor the events nor what is sealed tells of it; it has no number before.
//!
//! No embargo lasts for ever: what was voided, or is not released 366 days after we heard of it, is told in the log from then on, and
//! known to office and discipline above the inspected unit ([`insight`]), as it stands. The inspected unit learns of it by a release
//! alone.

mod addendum_store;
pub(super) mod answers;
pub mod awaited;
mod awaited_store;
pub mod command;
mod command_store;
pub mod embargo;
mod embargo_store;
pub mod http;
pub mod insight;
mod place;
pub mod rules;
pub mod service;
mod store;
pub mod transitions;
pub mod transitions_http;
pub(super) mod views;
pub mod waiting;

pub(super) use store::visible as visible_checks;
