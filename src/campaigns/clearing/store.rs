//! Rows of day entries.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::rules::{DayEntry, EntryDraft, EntryId};
use crate::access::policy::Action;
use crate::access::{PathRange, Reach, Tx, UserId, within_reach};
use crate::campaigns::rules::TaskId;
use crate::db::schema::day_entries;
use crate::db::{Instant, lock_row, text_enum, with_conn};
use crate::errors::Result;
use crate::org::officers::rules::OfficerId;
use crate::org::rules::UnitId;
use crate::web::{Page, Paging};

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = day_entries)]
struct EntryRow {
    id: EntryId,
    task_id: TaskId,
    officer_id: OfficerId,
    unit_id: UnitId,
    unit_path: String,
    day: NaiveDate,
    done: String,
    amount: Option<i64>,
    late: bool,
    entered_by: UserId,
    for_other: bool,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

impl From<EntryRow> for DayEntry {
    fn from(row: EntryRow) -> Self {
        let EntryRow { id, task_id, officer_id, unit_id, unit_path, day, done, amount, late, .. } = row;
        Self {
            id,
            task_id,
            officer_id,
            unit_id,
            unit_path,
            day,
            content: EntryDraft { done, amount },
            late,
            entered_by: row.entered_by,
            for_other: row.for_other,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

text_enum! {
    /// By what entries are sorted; ties by id.
    EntrySort as "entry_sort" {
        DayDown = "-day", "近日在前", "Latest day first", grey;
        Day = "day", "远日在前", "Earliest day first", grey;
    }
}

/// What a list of entries is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct EntryFilter {
    /// Of these units.
    pub below: Option<PathRange>,
    /// Of this officer.
    pub officer: Option<OfficerId>,
    /// Of this day or later.
    pub from: Option<NaiveDate>,
    /// Of this day or earlier.
    pub to: Option<NaiveDate>,
    /// Whether late.
    pub late: Option<bool>,
}

/// The one place where the table is named for reading: tenant, reach, and what is one's own.
macro_rules! visible {
    ($tenant:expr, $reach:expr, $own:expr) => {{
        let mut query = within_reach!(day_entries::table, $reach, day_entries::unit_path);
        if let (false, Some(own)) = ($reach.tenant, $own) {
            query = query.or_filter(day_entries::officer_id.eq(own));
        }
        query.filter(day_entries::tenant_id.eq($tenant))
    }};
}

macro_rules! filtered {
    ($tenant:expr, $reach:expr, $own:expr, $task:expr, $filter:expr) => {{
        let mut query = visible!($tenant, $reach, $own).filter(day_entries::task_id.eq($task));
        if let Some(range) = $filter.below.clone() {
            query = query
                .filter(day_entries::unit_path.ge(range.low))
                .filter(day_entries::unit_path.lt(range.high));
        }
        if let Some(officer) = $filter.officer {
            query = query.filter(day_entries::officer_id.eq(officer));
        }
        if let Some(day) = $filter.from {
            query = query.filter(day_entries::day.ge(day));
        }
        if let Some(day) = $filter.to {
            query = query.filter(day_entries::day.le(day));
        }
        if let Some(late) = $filter.late {
            query = query.filter(day_entries::late.eq(late));
        }
        query
    }};
}

pub(super) fn list<A: Action>(
    tx: &mut Tx<'_, A>,
    own: Option<OfficerId>,
    task: TaskId,
    filter: &EntryFilter,
    (sort, paging): (EntrySort, &Paging),
) -> Result<Page<DayEntry>> {
    let (tenant, reach) = (tx.tenant(), tx.reach().clone());
    let after: Option<(NaiveDate, EntryId)> = paging.after_day()?;
    let total: Option<i64> = if paging.counts() {
        Some(with_conn!(tx.conn(), c => filtered!(tenant, reach, own, task, filter).count().get_result(c))?)
    } else {
        None
    };
    let rows: Vec<EntryRow> = with_conn!(tx.conn(), c => {
        let query = filtered!(tenant, reach, own, task, filter).select(EntryRow::as_select()).limit(paging.fetch());
        match (sort, after) {
            (EntrySort::DayDown, None) => query.order((day_entries::day.desc(), day_entries::id.desc())).load(c),
            (EntrySort::DayDown, Some((day, id))) => query
                .filter(day_entries::day.lt(day).or(day_entries::day.eq(day).and(day_entries::id.lt(id))))
                .order((day_entries::day.desc(), day_entries::id.desc()))
                .load(c),
            (EntrySort::Day, None) => query.order((day_entries::day.asc(), day_entries::id.asc())).load(c),
            (EntrySort::Day, Some((day, id))) => query
                .filter(day_entries::day.gt(day).or(day_entries::day.eq(day).and(day_entries::id.gt(id))))
                .order((day_entries::day.asc(), day_entries::id.asc()))
                .load(c),
        }
    })?;
    let place = |one: &DayEntry| vec![one.day.to_string(), one.id.to_string()];
    Ok(paging.page(rows.into_iter().map(DayEntry::from).collect(), total, place))
}

/// The entry, if it lies within `reach` or is one's own.
pub(super) fn find<A: Action>(
    tx: &mut Tx<'_, A>,
    (reach, own): (&Reach, Option<OfficerId>),
    task: TaskId,
    id: EntryId,
) -> Result<Option<DayEntry>> {
    let tenant = tx.tenant();
    let row: Option<EntryRow> = with_conn!(tx.conn(), c => visible!(tenant, reach, own)
        .filter(day_entries::id.eq(id))
        .filter(day_entries::task_id.eq(task))
        .select(EntryRow::as_select())
        .first(c)
        .optional())?;
    Ok(row.map(DayEntry::from))
}

/// The entry with this id, wherever.
pub(super) fn with_id<A: Action>(tx: &mut Tx<'_, A>, id: EntryId) -> Result<Option<DayEntry>> {
    let tenant = tx.tenant();
    let row: Option<EntryRow> = with_conn!(tx.conn(), c => day_entries::table
        .find((tenant, id))
        .select(EntryRow::as_select())
        .first(c)
        .optional())?;
    Ok(row.map(DayEntry::from))
}

/// Holds the row until the transaction ends.
pub(super) fn lock<A: Action>(tx: &mut Tx<'_, A>, id: EntryId) -> Result<()> {
    let tenant = tx.tenant();
    lock_row!(tx.conn(), day_entries::table.find((tenant, id)).select(day_entries::id));
    Ok(())
}

/// Whether there is an entry of an officer for a task and a day.
pub(super) fn is_there<A: Action>(
    tx: &mut Tx<'_, A>,
    task: TaskId,
    officer: OfficerId,
    day: NaiveDate,
) -> Result<bool> {
    let tenant = tx.tenant();
    let found: i64 = with_conn!(tx.conn(), c => day_entries::table
        .filter(day_entries::tenant_id.eq(tenant))
        .filter(day_entries::task_id.eq(task))
        .filter(day_entries::officer_id.eq(officer))
        .filter(day_entries::day.eq(day))
        .count()
        .get_result(c))?;
    Ok(found > 0)
}

pub(super) fn insert<A: Action>(tx: &mut Tx<'_, A>, one: &DayEntry) -> Result<()> {
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::insert_into(day_entries::table)
        .values((
            day_entries::tenant_id.eq(tenant),
            day_entries::id.eq(one.id),
            day_entries::task_id.eq(one.task_id),
            day_entries::officer_id.eq(one.officer_id),
            day_entries::unit_id.eq(one.unit_id),
            day_entries::unit_path.eq(&one.unit_path),
            day_entries::day.eq(one.day),
            day_entries::done.eq(&one.content.done),
            day_entries::amount.eq(one.content.amount),
            day_entries::late.eq(one.late),
            day_entries::entered_by.eq(one.entered_by),
            day_entries::for_other.eq(one.for_other),
            day_entries::version.eq(one.version),
            day_entries::created_at.eq(one.created_at),
            day_entries::updated_at.eq(one.updated_at),
        ))
        .execute(c))?;
    Ok(())
}

/// Saves a correction, the version one up.
pub(super) fn save<A: Action>(tx: &mut Tx<'_, A>, one: &mut DayEntry) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    one.version += 1;
    one.updated_at = now;
    with_conn!(tx.conn(), c => diesel::update(day_entries::table.find((tenant, one.id)))
        .set((
            day_entries::done.eq(&one.content.done),
            day_entries::amount.eq(one.content.amount),
            day_entries::entered_by.eq(one.entered_by),
            day_entries::for_other.eq(one.for_other),
            day_entries::version.eq(one.version),
            day_entries::updated_at.eq(now),
        ))
        .execute(c))?;
    Ok(())
}
