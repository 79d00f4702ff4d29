//! What stands on the papers of a campaign, as the caller may see it.

use std::collections::HashMap;

use chrono::NaiveDate;

use super::clearing::{self, MOST_PERSONS, Names, Person};
use super::{plan, task_list};
use crate::access::policy::{Action, ClearingRead, PlanRead};
use crate::access::{Tx, holders};
use crate::campaigns::clearing::service as days;
use crate::campaigns::plan::rules::{Plan, PlanContent};
use crate::campaigns::plan::service as plans;
use crate::campaigns::rules::PlanId;
use crate::campaigns::tasks::service as tasks;
use crate::errors::{AppError, Code, Result, text};
use crate::org::officers::service as officers;
use crate::org::rules::{Unit, UnitId};
use crate::org::service as org;
use crate::papers::Paper;

/// A plan with all that its paper names.
#[derive(Debug)]
pub struct Printable {
    /// The plan.
    pub plan: Plan,
    /// What it says.
    pub content: PlanContent,
    /// Whose it is.
    pub unit: Unit,
    /// Who approved or returned it last.
    pub decided_by: Option<String>,
    units: HashMap<UnitId, Unit>,
}

impl Printable {
    /// A unit that the plan names.
    ///
    /// # Errors
    /// For one that was not loaded, a mistake of ours: foreign keys see to the rest.
    pub fn unit(&self, id: UnitId) -> Result<&Unit> {
        self.units.get(&id).ok_or_else(|| AppError::internal("a unit that was not loaded"))
    }
}

fn units<A: Action>(
    tx: &mut Tx<'_, A>,
    ids: impl IntoIterator<Item = UnitId>,
) -> Result<HashMap<UnitId, Unit>> {
    let mut ids: Vec<UnitId> = ids.into_iter().collect();
    ids.sort_unstable();
    ids.dedup();
    Ok(org::referred(tx, &ids)?.into_iter().map(|unit| (unit.id, unit)).collect())
}

fn printable(tx: &mut Tx<'_, PlanRead>, id: PlanId) -> Result<Printable> {
    let (plan, content) = plans::find(tx, id)?;
    let named = content.tasks.iter().flat_map(|task| task.responsible.iter().map(|one| one.unit_id));
    let units = units(tx, named.chain([plan.unit_id]))?;
    let decided_by: Vec<_> = plan.decided_by.into_iter().collect();
    let decided_by = holders::named(tx, &decided_by)?.pop().map(|one| one.display_name);
    let unit = units.get(&plan.unit_id).cloned();
    let unit = unit.ok_or_else(|| AppError::internal("a plan of no unit"))?;
    Ok(Printable { plan, content, unit, decided_by, units })
}

/// The plan as a document.
///
/// # Errors
/// `not_found`.
pub fn plan(tx: &mut Tx<'_, PlanRead>, id: PlanId) -> Result<Paper> {
    plan::paper(&printable(tx, id)?)
}

/// Its task list alone; of what was ever in force with how far it is where the caller reaches.
///
/// # Errors
/// `not_found`.
pub fn task_list(tx: &mut Tx<'_, PlanRead>, id: PlanId) -> Result<Paper> {
    let shown = printable(tx, id)?;
    let progress =
        task_list::has_progress(shown.plan.state).then(|| tasks::progress_of(tx, id)).transpose()?;
    let today = tx.now().shanghai_day();
    task_list::paper(&shown, progress.map(|progress| (progress, today)).as_ref())
}

/// The clearing sheet of a day, today's when none is said: by person, and by the units below where persons
/// are too many for a sheet.
///
/// # Errors
/// `not_found` for the unit; `export_too_large` when a single unit has too many persons.
pub fn clearing(
    tx: &mut Tx<'_, ClearingRead>,
    on: Option<NaiveDate>,
    unit: Option<UnitId>,
    alone: bool,
) -> Result<Paper> {
    // One more than may be, by which it is seen that there are more.
    let most = i64::try_from(MOST_PERSONS + 1).unwrap_or(i64::MAX);
    let (asked, unit, rows) = days::persons(tx, on, (unit, alone), most)?;
    if rows.len() > MOST_PERSONS {
        if alone {
            let detail = text!(
                "应填的超过 {MOST_PERSONS} 人, 一张清账表放不下; 请用清账列表导出",
                "More than {MOST_PERSONS} persons owe an entry, too many for a sheet: export the list instead"
            );
            return Err(AppError::because(Code::ExportTooLarge, detail));
        }
        return days::summary(tx, Some(asked.day.on), Some(unit.id))
            .map(|summary| clearing::by_unit(&summary));
    }
    let mut names = Names::default();
    let named = units(tx, rows.iter().map(|one| one.unit_id))?;
    names.units.extend(named.into_values().map(|unit| (unit.id, unit.name)));
    let mut ids: Vec<_> = rows.iter().map(|one| one.officer_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let named = officers::referred(tx, &ids)?.into_iter();
    names.officers.extend(named.map(|one| (one.id, Person { number: one.number, name: one.person.name })));
    Ok(clearing::by_person(&asked, &unit, rows, &names))
}
