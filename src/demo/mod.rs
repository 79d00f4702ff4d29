//! The demo provinces: real divisions, people who hold each role, a campaign under way.
//!
//! Everything after the tree and the accounts is done by those people through the same gates and
//! services as requests, so that the demo cannot hold what the rules forbid.

mod calendar_shift;
mod campaign;
mod checks;
mod conflicts;
mod discussion;
mod divisions;
mod load;
pub mod photos;
mod roster;
mod story;
mod strength;
mod visits;
mod work;

pub use load::{Loaded, Progress, load};
pub use roster::Account;

/// A random password, for whoever is entered by the command line.
///
/// # Errors
/// When the random source fails.
pub fn random_password() -> crate::errors::Result<String> {
    roster::password()
}

/// The name of a province's department, from the built-in divisions.
///
/// # Errors
/// A sentence for a code that is no province.
pub fn province_name(code: &str) -> crate::db::start::Result<String> {
    let tree = divisions::province_tree(code)
        .map_err(|error| crate::db::start::StartError::new(error.to_string()))?;
    tree.units
        .first()
        .map(|unit| unit.name.clone())
        .ok_or_else(|| crate::db::start::StartError::new("a province without a root"))
}
