//! What a change of the tree does to the inspections that stand at a unit, and the end of a person to what was said of them.

use chrono::NaiveDate;

use crate::access::policy::{ConflictsOfOfficer, WorkFollow};
use crate::access::{EffectTx, UserId};
use crate::errors::{FieldError, Result};
use crate::inspections::authorisations::service as authorisations;
use crate::inspections::checklists::service as checklists;
use crate::inspections::checks::service as checks;
use crate::inspections::conflicts::service as conflicts;
use crate::org::rules::{Unit, UnitId};

/// Rewrites the paths of whatever stands at the units of a moved subtree.
///
/// # Errors
/// When the database fails.
pub fn follow(tx: &mut EffectTx<'_, WorkFollow>, from: &str, to: &str) -> Result<()> {
    checklists::follow(tx, from, to)?;
    authorisations::follow(tx, from, to)?;
    checks::follow(tx, from, to)
}

/// What keeps a unit from ending without a successor.
///
/// # Errors
/// When the database fails.
pub fn standing_at(tx: &mut EffectTx<'_, WorkFollow>, unit: UnitId) -> Result<Vec<FieldError>> {
    let mut found = checklists::standing_at(tx, unit)?;
    found.extend(authorisations::standing_at(tx, unit)?);
    Ok(found)
}

/// Gives what stands at a unit that ends with a day to its successor.
///
/// # Errors
/// When the database fails.
pub fn hand_over(tx: &mut EffectTx<'_, WorkFollow>, from: &Unit, to: &Unit, day: NaiveDate) -> Result<()> {
    checklists::hand_over(tx, from, to)?;
    authorisations::hand_over(tx, from, to)?;
    conflicts::hand_over(tx, from, to, day)?;
    checks::hand_over(tx, from, to)
}

/// Takes away what was said of somebody whose personal data are erased.
///
/// # Errors
/// When the database fails.
pub fn person_erased(tx: &mut EffectTx<'_, ConflictsOfOfficer>, person: UserId) -> Result<()> {
    conflicts::person_erased(tx, person)
}
