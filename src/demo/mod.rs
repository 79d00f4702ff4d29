//! The demo province.
pub mod calendar_shift;
pub mod campaign;
pub mod divisions;
