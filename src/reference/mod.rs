//! What front ends read once: dictionaries, the policy table; and what machines ask: health, keys.

pub mod dictionaries;
pub mod http;
