//! What happens, told to those who may know it, as it happens (`GET /events`, Server-Sent Events).
//!
//! An event is a row of the audit log once it is sealed: the log is written in the transaction of the change, and its
//! chain gives every row a place in one order that all instances agree on. So nothing is told that was not committed,
//! nothing is skipped or told twice, and whoever comes back with the last id they know goes on behind it, at whichever
//! instance. An event names the thing and the action and says nothing else: what the thing is now is asked for where
//! it is, under the rights of whoever asks.
//!
//! [`kinds`] says which things are told of, and under which right; where a thing stands is looked up when it is told,
//! so that a moved unit, a revoked role or a plan that has just been published count at once. A [`hub`] beside the
//! server brings everybody up to date a few times a second.

pub mod changes;
pub mod changes_http;
pub mod http;
pub mod hub;
pub mod kinds;
mod place;
pub mod progress;
pub mod service;
mod store;
pub mod wire;
