//! Files that come in parts, over days and lines that break (tus 1.0.0): what has arrived is kept piece by piece in the database,
//! so that any instance goes on with it, and what is acknowledged is never lost. When the last byte is there the file is looked
//! at as any other and becomes an attachment.
//!
//! Nobody but the account that began it knows of an upload. It leaves no row in the log before it is an attachment: that
//! somebody uploads may tell that a covert check goes on.

mod arrival;
mod finish;
pub mod http;
pub mod rules;
pub(super) mod service;
mod store;
mod views;
