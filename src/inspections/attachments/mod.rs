//! Attachments: pictures taken on the spot. What a file is, its bytes say; when and where it was taken, the picture says, and
//! when it came, we do. It is seen by whoever uploaded it until it is bound, and then by whoever sees what it is bound to.
//!
//! Its bytes go to the store of files first ([`crate::files`]), under a name that is noted before, then what is known of it goes
//! to the database: what was begun and never finished is found by that note and taken away ([`leftovers`]).
//!
//! Phones send it in parts, over days ([`resumable`]).
//!
//! That somebody has uploaded a picture may tell that a covert check goes on: the log's rows of an attachment are held back
//! until it is bound to what everybody in reach may know of.

mod camera;
mod extent;
pub mod http;
pub mod leftovers;
mod picture;
mod removal;
mod removal_store;
pub mod resumable;
pub mod rules;
pub mod service;
mod store;
pub mod upload;
pub mod verify;
pub mod views;
