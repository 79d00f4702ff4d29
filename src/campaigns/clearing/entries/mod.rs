//! Day entries on the wire.

pub mod http;
