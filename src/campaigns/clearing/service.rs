//! Use cases on day entries and on the clearing of days.

use chrono::NaiveDate;
use serde_json::json;

use super::day_store as days;
pub use super::day_store::{ClearingFilter, ClearingSort, Owed, OwedByPerson};
use super::duty_store;
use super::rules::{Asked, DayEntry, EntryAction, EntryDraft, EntryId, Tally, closes};
use super::store;
pub use super::store::{EntryFilter, EntrySort};
use crate::access::policy::{Action, Background, ClearingRead, EntryCreate, EntryRead, EntryUpdate};
use crate::access::{PathRange, Tx};
use crate::audit::Change;
use crate::campaigns::progress::service::unit_asked;
use crate::campaigns::rules::TaskId;
use crate::campaigns::tasks::service as tasks;
use crate::errors::{AppError, Code, FieldError, Result, unknown};
use crate::org::calendar::service as calendar;
use crate::org::officers::rules::OfficerId;
use crate::org::officers::service as officers;
use crate::org::rules::{Unit, UnitId, UnitStatus};
use crate::org::service as org;
use crate::web::{Page, Paging};

/// The entries of a task within reach, and one's own.
///
/// # Errors
/// `not_found`, `invalid_cursor`.
pub fn entries(
    tx: &mut Tx<'_, EntryRead>,
    task: TaskId,
    filter: &EntryFilter,
    sort: EntrySort,
    paging: &Paging,
) -> Result<Page<DayEntry>> {
    tasks::task(tx, task)?;
    let own = officers::of_caller(tx)?;
    store::list(tx, own, task, filter, (sort, paging))
}

/// One entry within reach, or one's own.
///
/// # Errors
/// `not_found`.
pub fn entry<A: Action>(tx: &mut Tx<'_, A>, task: TaskId, id: EntryId) -> Result<DayEntry> {
    tasks::task(tx, task)?;
    let own = officers::of_caller(tx)?;
    let reach = tx.reach().clone();
    store::find(tx, (&reach, own), task, id)?.ok_or_else(|| AppError::new(Code::NotFound))
}

/// What the caller may do with entries now: asked once a request, not once a row.
///
/// # Errors
/// When the database fails.
pub fn allowed<A: Action>(tx: &mut Tx<'_, A>) -> Result<impl Fn(&DayEntry) -> Vec<EntryAction> + use<A>> {
    let (reach, today) = (tx.reach_of::<EntryUpdate>(), tx.now().shanghai_day());
    let own = officers::of_caller(tx)?;
    Ok(move |entry: &DayEntry| {
        let may = reach
            .as_ref()
            .is_some_and(|reach| reach.contains(&entry.unit_path) || own == Some(entry.officer_id));
        if may && entry.is_correctable(today) { vec![EntryAction::Update] } else { Vec::new() }
    })
}

/// An entry as a request has it.
#[derive(Debug, Clone)]
pub struct NewEntry {
    /// The id the client chose.
    pub id: Option<EntryId>,
    /// Whose day it is; the caller's own when not said.
    pub officer: Option<OfficerId>,
    /// The day.
    pub day: NaiveDate,
    /// What was done.
    pub content: EntryDraft,
}

/// Whose day it is, and whether somebody else enters it.
fn whose<A: Action>(tx: &mut Tx<'_, A>, named: Option<OfficerId>) -> Result<(OfficerId, bool)> {
    let refused = |error| Err(AppError::fields(Code::InvalidBody, vec![error]));
    match (named, officers::of_caller(tx)?) {
        (None, Some(own)) => Ok((own, false)),
        (Some(named), Some(own)) if named == own => Ok((own, false)),
        (None, None) => refused(FieldError::body("/officer_id", Code::Required, Code::Required.title())),
        (Some(named), _) if officers::readable(tx, named)?.is_none() => refused(unknown("/officer_id")),
        (Some(named), _) => Ok((named, true)),
    }
}

/// Closes a day for a task: by whoever it is, or by the unit for them; whether it was here already. For a
/// day gone by it is late, for ever. `If-Match` speaks of the task.
///
/// # Errors
/// `not_found`, `precondition_failed`, `plan_not_in_force`, `task_without_entries`, `entry_exists`,
/// `id_taken`, `invalid_body` at `/officer_id` or `/day`, `not_a_person`.
pub fn create(tx: &mut Tx<'_, EntryCreate>, task_id: TaskId, new: &NewEntry) -> Result<(DayEntry, bool)> {
    let task = tasks::task_to_work_on(tx, task_id)?;
    tx.check_version(task.version)?;
    if !task.plan_state.is_in_force() {
        return Err(AppError::new(Code::PlanNotInForce));
    }
    let (officer, for_other) = whose(tx, new.officer)?;
    // What was owed for a day can be entered, whoever carries the task by now and whatever it asks for by now.
    let owed = duty_store::covering(tx, task_id, officer, new.day)?;
    if owed.is_none() && !task.daily_entries {
        return Err(AppError::new(Code::TaskWithoutEntries));
    }
    let (place, since) = match owed {
        Some(place) => (place, new.day),
        None => match tasks::carried_by_officer(tx, task_id, officer)? {
            Some((one, named_on)) => ((one.unit_id, one.unit_path), named_on),
            None => return Err(AppError::new(Code::NotAPerson)),
        },
    };
    let (unit_id, unit_path) = place;
    if for_other && !tx.reach().contains(&unit_path) {
        return Err(AppError::fields(Code::InvalidBody, vec![unknown("/officer_id")]));
    }
    if let Some(id) = new.id
        && let Some(there) = store::with_id(tx, id)?
    {
        tx.nothing_changed();
        let same = (there.task_id, there.officer_id, there.day) == (task_id, officer, new.day);
        return if same && there.content == new.content {
            Ok((there, true))
        } else {
            Err(AppError::new(Code::IdTaken))
        };
    }
    let late = closes(new.day, tx.now().shanghai_day(), since)?;
    if store::is_there(tx, task_id, officer, new.day)? {
        return Err(AppError::new(Code::EntryExists));
    }
    let entry = DayEntry {
        id: new.id.unwrap_or_else(EntryId::generate),
        task_id,
        officer_id: officer,
        unit_id,
        unit_path,
        day: new.day,
        content: new.content.clone(),
        late,
        entered_by: tx.user()?,
        for_other,
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    store::insert(tx, &entry)?;
    record(tx, None, &entry)?;
    Ok((entry, false))
}

fn record<A: Action>(tx: &mut Tx<'_, A>, before: Option<&DayEntry>, after: &DayEntry) -> Result<()> {
    let (entity_id, before, after) = (after.id.to_string(), before.map(DayEntry::facts), after.facts());
    tx.record(&Change {
        entity: "day_entry",
        entity_id: &entity_id,
        before: before.as_ref(),
        after: Some(&after),
        reason: None,
    })
}

/// Corrects an entry on the day it was made.
///
/// # Errors
/// `not_found`, `precondition_failed`, `entry_closed`, `invalid_body`.
pub fn correct(
    tx: &mut Tx<'_, EntryUpdate>,
    task: TaskId,
    id: EntryId,
    merge: impl FnOnce(&EntryDraft) -> Result<EntryDraft>,
) -> Result<DayEntry> {
    store::lock(tx, id)?;
    let before = entry(tx, task, id)?;
    tx.check_version(before.version)?;
    if !before.is_correctable(tx.now().shanghai_day()) {
        return Err(AppError::new(Code::EntryClosed));
    }
    let content = merge(&before.content)?;
    if content == before.content {
        tx.nothing_changed();
        return Ok(before);
    }
    let own = officers::of_caller(tx)?;
    let mut after = DayEntry {
        content,
        entered_by: tx.user()?,
        for_other: before.for_other || own != Some(before.officer_id),
        ..before.clone()
    };
    store::save(tx, &mut after)?;
    record(tx, Some(&before), &after)?;
    Ok(after)
}

/// Whether a day is over and frozen.
///
/// # Errors
/// When the database fails.
pub fn is_frozen<A: Action>(tx: &mut Tx<'_, A>, day: NaiveDate) -> Result<bool> {
    days::is_frozen(tx, day)
}

fn asked<A: Action>(tx: &mut Tx<'_, A>, on: Option<NaiveDate>) -> Result<Asked> {
    let on = on.unwrap_or_else(|| tx.now().shanghai_day());
    let day = calendar::calendar(tx, on)?.day(on);
    let frozen = days::is_frozen(tx, on)?;
    Ok(Asked { day, frozen })
}

/// Who owes an entry for a day, and who has made it; a rest day owes nothing.
///
/// # Errors
/// `not_found` for the unit, `invalid_cursor`.
pub fn clearing(
    tx: &mut Tx<'_, ClearingRead>,
    on: Option<NaiveDate>,
    unit: (Option<UnitId>, bool),
    states: Vec<super::rules::ClearingState>,
    (sort, paging): (ClearingSort, &Paging),
) -> Result<(Asked, Page<Owed>)> {
    let asked = asked(tx, on)?;
    let below = match unit {
        // What is not asked for is out of reach, and one that does not exist hold the same: nothing.
        _ if !asked.frozen && !asked.works() => PathRange::nothing(),
        (Some(id), alone) => org::reached(tx, id)?.map_or_else(PathRange::nothing, |unit| {
            if alone { PathRange::alone(&unit.path) } else { PathRange::subtree(&unit.path) }
        }),
        (None, _) => PathRange::subtree(&unit_asked(tx, None)?.path),
    };
    let filter = ClearingFilter { day: asked.day.on, below, states };
    let page = days::list(tx, &filter, asked.frozen, sort, paging)?;
    Ok((asked, page))
}

/// How a day stands at a unit and directly below it.
#[derive(Debug)]
pub struct Summary {
    /// The day.
    pub asked: Asked,
    /// The unit, with all below it.
    pub unit: (Unit, Tally),
    /// Those directly below it, each with all below it.
    pub below: Vec<(Unit, Tally)>,
}

/// Counts what is owed for a day, closed and late.
///
/// # Errors
/// `not_found` for the unit.
pub fn summary(
    tx: &mut Tx<'_, ClearingRead>,
    on: Option<NaiveDate>,
    unit: Option<UnitId>,
) -> Result<Summary> {
    let asked = asked(tx, on)?;
    let unit = unit_asked(tx, unit)?;
    let all = if asked.frozen || asked.works() {
        days::tallies(tx, asked.day.on, &PathRange::subtree(&unit.path), asked.frozen)?
    } else {
        Vec::new()
    };
    let under = org::directly_under(tx, unit.id)?;
    let below = under.into_iter().map(|unit| (Tally::below(&unit.path, &all), unit));
    let below = below.filter(|(tally, unit)| unit.status == UnitStatus::Active || tally.owed > 0);
    let below = below.map(|(tally, unit)| (unit, tally)).collect();
    let own = Tally::below(&unit.path, &all);
    Ok(Summary { asked, unit: (unit, own), below })
}

/// What each person owes for a day at a unit, and below it unless it is asked for alone: so many persons at
/// most.
///
/// # Errors
/// `not_found` for the unit.
pub fn persons(
    tx: &mut Tx<'_, ClearingRead>,
    on: Option<NaiveDate>,
    (unit, alone): (Option<UnitId>, bool),
    most: i64,
) -> Result<(Asked, Unit, Vec<OwedByPerson>)> {
    let asked = asked(tx, on)?;
    let unit = unit_asked(tx, unit)?;
    let range = if alone { PathRange::alone(&unit.path) } else { PathRange::subtree(&unit.path) };
    let owed = if asked.frozen || asked.works() {
        days::persons(tx, asked.day.on, &range, asked.frozen, most)?
    } else {
        Vec::new()
    };
    Ok((asked, unit, owed))
}

/// Freezes what is owed for a day that is over; `false` when that was done before. The same whenever it
/// is done: duties and the calendar of a day gone by do not change.
///
/// # Errors
/// When the database fails.
pub fn sweep(tx: &mut Tx<'_, Background>, day: NaiveDate) -> Result<bool> {
    let works = calendar::calendar(tx, day)?.is_working_day(day).value;
    let Some(owed) = days::freeze(tx, day, works)? else {
        tx.nothing_changed();
        return Ok(false);
    };
    let (entity_id, after) = (day.to_string(), json!({ "working": works, "owed": owed }));
    tx.record(&Change {
        entity: "cleared_day",
        entity_id: &entity_id,
        before: None,
        after: Some(&after),
        reason: None,
    })?;
    Ok(true)
}

/// Freezes the day after the last frozen one, if it is not after `until`; which it was.
///
/// # Errors
/// When the database fails.
pub fn sweep_next(tx: &mut Tx<'_, Background>, until: NaiveDate) -> Result<Option<NaiveDate>> {
    let (last, first) = days::bounds(tx)?;
    let next = last.map_or(first, |last| last.succ_opt());
    let Some(day) = next.filter(|day| *day <= until) else {
        tx.nothing_changed();
        return Ok(None);
    };
    sweep(tx, day).map(|_| Some(day))
}
