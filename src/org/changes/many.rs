//! Many units entered or renamed at once, as a table has them.

use std::collections::HashMap;

use chrono::NaiveDate;

use super::rules::{Period, UnitChange};
use super::service::{begin, facts};
use super::{batch_store, store};
use crate::access::policy::{Action, UnitImport};
use crate::access::{JobId, Tx};
use crate::audit::Told;
use crate::errors::{AppError, Result};
use crate::org::rules::{Unit, UnitId};
use crate::org::store as units;

/// A unit and the day it counts from, as a file has it.
#[derive(Debug, Clone)]
pub struct Dated {
    /// The unit as it is to be.
    pub unit: Unit,
    /// The day.
    pub day: NaiveDate,
    /// Why.
    pub reason: Option<String>,
}

/// Units whose rows are made at once.
const AT_ONCE: usize = 1000;

/// Enters many units, parents before children, for a job whose units nobody sees yet. [`account`] leaves their rows in
/// the log.
///
/// # Errors
/// When the database fails.
pub fn enter_unseen(tx: &mut Tx<'_, UnitImport>, new: &[Dated], batch: JobId) -> Result<()> {
    let now = tx.now();
    for some in new.chunks(AT_ONCE) {
        units::insert(tx, some.iter().map(|one| one.unit.clone()).collect(), Some(batch))?;
        let period =
            |one: &Dated| Period::of(&one.unit, UnitChange::Created, one.day, one.reason.as_deref(), now);
        let periods: Vec<_> = some.iter().map(|one| (period(one), one.unit.code.as_str())).collect();
        store::insert(tx, &periods)?;
    }
    Ok(())
}

/// Leaves one audit row for each unit that a job has entered under these codes.
///
/// # Errors
/// When the database fails.
pub fn account(tx: &mut Tx<'_, UnitImport>, batch: JobId, codes: &[&str]) -> Result<()> {
    let new = batch_store::of_batch(tx, batch, codes)?;
    let ids: Vec<UnitId> = new.iter().map(|unit| unit.id).collect();
    let begun = store::begun(tx, &ids)?;
    let told: Vec<Told<'_>> = new
        .iter()
        .map(|unit| {
            let (day, reason) =
                begun.get(&unit.id).ok_or_else(|| AppError::internal("a unit without a period"))?;
            Ok(Told {
                id: unit.id.to_string(),
                before: None,
                after: Some(facts(unit, *day, None)),
                reason: reason.as_deref(),
            })
        })
        .collect::<Result<_>>()?;
    tx.record_many("unit", told)
}

/// Gives many units the names they bear in `renamed`, with one audit row each.
///
/// # Errors
/// `invalid_body` at `/effective_on` for a day before the unit's last change.
pub fn rename_all<A: Action>(tx: &mut Tx<'_, A>, mut renamed: Vec<(Unit, Dated)>) -> Result<()> {
    renamed.sort_by(|(_, one), (_, other)| (one.day, &one.reason).cmp(&(other.day, &other.reason)));
    for (_, Dated { unit, .. }) in &mut renamed {
        store::save(tx, unit)?;
    }
    // What counts from one day for one reason goes together.
    let alike = renamed.chunk_by(|(_, one), (_, other)| one.day == other.day && one.reason == other.reason);
    for some in alike.flat_map(|alike| alike.chunks(AT_ONCE)) {
        let Some((_, Dated { day, reason, .. })) = some.first() else { continue };
        let changed: Vec<(Unit, Unit)> =
            some.iter().map(|(before, after)| (before.clone(), after.unit.clone())).collect();
        begin(tx, &changed, UnitChange::Renamed, *day, reason.as_deref())?;
    }
    Ok(())
}

/// Since when each of the units has stood where it does and been what it is, whatever its name.
///
/// # Errors
/// When the database fails.
pub fn placed_since<A: Action>(tx: &mut Tx<'_, A>, ids: &[UnitId]) -> Result<HashMap<UnitId, NaiveDate>> {
    store::placed_since(tx, ids)
}

/// Since when each of the units has stood as it does.
///
/// # Errors
/// When the database fails.
pub fn standing_since<A: Action>(tx: &mut Tx<'_, A>, ids: &[UnitId]) -> Result<HashMap<UnitId, NaiveDate>> {
    Ok(store::since(tx, ids)?.into_iter().map(|(id, (since, _))| (id, since)).collect())
}
