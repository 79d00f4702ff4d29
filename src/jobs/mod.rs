//! Jobs: what takes longer than a request may.
//!
//! A request takes a job on and is answered at once; a [`runner`] beside the server does it, step by step, each step a
//! transaction of a few milliseconds that also says how far the job is. Whoever began it sees it, may cancel it until
//! what it brings is put in force, and is told by events. A process holds a job for a while only: should it end, another
//! one (or the next) goes on where the last step has left it. What a kind of job does is a [`runner::Work`].
//!
//! What a job enters bears its id and is seen by nobody while that stands in `open_batches`; taking it out of there is
//! one small transaction, however many rows there are (`in_force!`).

pub mod http;
mod row_store;
pub mod rules;
pub mod runner;
pub mod service;
mod spool_store;
mod store;
pub(crate) use store::{in_force, unseen};
