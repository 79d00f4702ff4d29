//! Use cases on the working calendar.

use chrono::NaiveDate;
use serde_json::json;

use super::base::Base;
use super::rules::{Calendar, Day, DayMark, Told, check_day, may_change, range};
use super::store::{self, DayChange};
use crate::access::Tx;
use crate::access::policy::{Action, CalendarRead, CalendarReset, CalendarSet};
use crate::audit::Change;
use crate::campaigns::clearing::service as clearing;
use crate::db::Instant;
use crate::errors::{AppError, Code, Result};
use crate::org::store as provinces;

/// The calendar by which the province counts from `day` on: for every capability with limits in
/// working days. Of days before, it knows the base alone.
///
/// # Errors
/// When the database fails.
pub fn calendar<A: Action>(tx: &mut Tx<'_, A>, day: NaiveDate) -> Result<Calendar<'static>> {
    Ok(lay(store::since(tx, day)?))
}

fn lay(changes: impl IntoIterator<Item = DayChange>) -> Calendar<'static> {
    let marks = changes.into_iter().filter_map(|change| Some((change.day, change.mark?)));
    Calendar::new(Base::state_council(), marks.collect())
}

/// A day, with how often it has been changed.
#[derive(Debug, Clone)]
pub struct DayRecord {
    /// The day.
    pub day: Day,
    /// 1 for a day nobody has changed.
    pub version: i64,
    /// When it was last changed.
    pub updated_at: Option<Instant>,
}

fn records(from: NaiveDate, to: NaiveDate, changes: &[DayChange]) -> Vec<DayRecord> {
    let calendar = lay(changes.iter().cloned());
    let of = |on: NaiveDate| changes.iter().find(|change| change.day == on);
    from.iter_days()
        .take_while(|on| *on <= to)
        .map(|on| DayRecord {
            day: calendar.day(on),
            version: of(on).map_or(1, |change| change.version),
            updated_at: of(on).map(|change| change.updated_at),
        })
        .collect()
}

/// Every day from one to another, both inside; from today and for a month when it is not said.
///
/// # Errors
/// `calendar_range`.
pub fn days(
    tx: &mut Tx<'_, CalendarRead>,
    from_on: Option<NaiveDate>,
    to_on: Option<NaiveDate>,
) -> Result<Vec<DayRecord>> {
    let (from, to) = range(from_on.unwrap_or_else(|| tx.now().shanghai_day()), to_on)?;
    let changes = store::between(tx, from, to)?;
    Ok(records(from, to, &changes))
}

/// One day.
///
/// # Errors
/// When the database fails.
pub fn day<A: Action>(tx: &mut Tx<'_, A>, on: NaiveDate) -> Result<DayRecord> {
    let changes = store::between(tx, on, on)?;
    let record = records(on, on, &changes).pop();
    record.ok_or_else(|| AppError::internal("a day that is none"))
}

/// When a limit in working days is over.
#[derive(Debug, Clone)]
pub struct Deadline {
    /// The day it is counted from, itself not counted.
    pub from_on: NaiveDate,
    /// The day at whose end it is over, and whether that is provisional.
    pub due: Told<NaiveDate>,
    /// The rest days stepped over.
    pub skipped: Vec<Day>,
}

/// Counts a limit from a day, today when it is not said.
///
/// # Errors
/// `calendar_range`.
pub fn deadline(
    tx: &mut Tx<'_, CalendarRead>,
    from_on: Option<NaiveDate>,
    working_days: u32,
) -> Result<Deadline> {
    let from_on = from_on.unwrap_or_else(|| tx.now().shanghai_day());
    check_day(from_on)?;
    let calendar = calendar(tx, from_on)?;
    let due = calendar.add_working_days(from_on, working_days);
    Ok(Deadline { from_on, due, skipped: calendar.skipped(from_on, working_days) })
}

/// The day to change: nobody else changes the calendar meanwhile, its version is the caller's, and
/// it is not over.
fn for_change<A: Action>(tx: &mut Tx<'_, A>, on: NaiveDate) -> Result<(Option<DayMark>, i64)> {
    provinces::lock_province(tx)?;
    let known = store::between(tx, on, on)?.pop();
    let (mark, version) = known.map_or((None, 1), |change| (change.mark, change.version));
    tx.check_version(version)?;
    let today = tx.now().shanghai_day();
    may_change(on, today)?;
    // A request taken up before midnight may get its turn when the day is closed.
    if on == today && clearing::is_frozen(tx, on)? {
        return Err(AppError::new(Code::CalendarDayPast));
    }
    Ok((mark, version))
}

fn save<A: Action>(
    tx: &mut Tx<'_, A>,
    on: NaiveDate,
    (before, version): (Option<DayMark>, i64),
    after: Option<&DayMark>,
) -> Result<()> {
    if before.as_ref() == after {
        tx.nothing_changed();
        return Ok(());
    }
    store::save(tx, on, after, version + 1)?;
    let entity_id = on.to_string();
    let (before, after) = (before.map(|mark| json!(mark)), after.map(|mark| json!(mark)));
    tx.record(&Change {
        entity: "calendar_day",
        entity_id: &entity_id,
        before: before.as_ref(),
        after: after.as_ref(),
        reason: None,
    })
}

/// Says what a day is in this province.
///
/// # Errors
/// `precondition_failed`, `calendar_day_past`.
pub fn set(tx: &mut Tx<'_, CalendarSet>, on: NaiveDate, mark: &DayMark) -> Result<DayRecord> {
    let known = for_change(tx, on)?;
    save(tx, on, known, Some(mark))?;
    day(tx, on)
}

/// Puts a day back to what the base says; one that nobody has changed stays as it is.
///
/// # Errors
/// `precondition_failed`, `calendar_day_past`.
pub fn reset(tx: &mut Tx<'_, CalendarReset>, on: NaiveDate) -> Result<()> {
    let known = for_change(tx, on)?;
    save(tx, on, known, None)
}
