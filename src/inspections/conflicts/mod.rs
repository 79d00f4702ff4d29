//! Declared conflicts of interest (利害关系申报): who keeps away from which unit, and why.
//!
//! Whoever inspects or commands declares that they have kin at a unit, served there, quarrel or do business with it; from then on
//! they neither inspect it nor anything below it, nor command such a check (回避). Nobody ends their own declaration. The
//! inspected side is not to learn of it: it is seen from where the person stands, never from where the unit does.

pub mod http;
pub mod rules;
pub mod service;
mod store;
mod views;
