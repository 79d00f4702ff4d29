//! What is owed for a day: as the duties say while it lasts, as the sweep has frozen it afterwards.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use diesel::IntoSql;
use diesel::dsl::{count, count_star};
use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::rules::{ClearingState, EntryId, Tally};
use crate::access::policy::Action;
use crate::access::{PathRange, Tx};
use crate::campaigns::rules::TaskId;
use crate::db::schema::{cleared_days, day_entries, entry_duties, officers, owed_entries};
use crate::db::{Instant, insert_rows, text_enum, with_conn};
use crate::errors::Result;
use crate::org::officers::rules::OfficerId;
use crate::org::rules::UnitId;
use crate::web::{Page, Paging};

text_enum! {
    /// By what the rows of a day are sorted; ties by officer and task.
    ClearingSort as "clearing_sort" {
        Unit = "unit", "按单位, 上级在前", "By unit, superiors first", grey;
        UnitDown = "-unit", "按单位, 上级在后", "By unit, superiors last", grey;
    }
}

/// What one officer owes for a task and a day, and the entry if there is one.
#[derive(Debug, Queryable)]
pub struct Owed {
    /// The task.
    pub task_id: TaskId,
    /// The officer.
    pub officer_id: OfficerId,
    /// The unit.
    pub unit_id: UnitId,
    /// The unit's path.
    pub unit_path: String,
    /// The entry.
    pub entry_id: Option<EntryId>,
    /// Whether it was late.
    pub late: Option<bool>,
    /// When it was entered.
    pub entered_at: Option<Instant>,
}

/// What one officer owes for a day in all, at one unit.
#[derive(Debug)]
pub struct OwedByPerson {
    /// The unit.
    pub unit_id: UnitId,
    /// The unit's path.
    pub unit_path: String,
    /// The officer.
    pub officer_id: OfficerId,
    /// How many.
    pub tally: Tally,
}

/// Where and what is looked for.
#[derive(Debug, Clone)]
pub struct ClearingFilter {
    /// The day.
    pub day: NaiveDate,
    /// The units.
    pub below: PathRange,
    /// In these states; empty for all.
    pub states: Vec<ClearingState>,
}

/// What is owed for a frozen day, beside the entries.
macro_rules! frozen {
    ($tenant:expr, $day:expr, $range:expr) => {
        owed_entries::table
            .left_join(
                day_entries::table.on(day_entries::tenant_id
                    .eq(owed_entries::tenant_id)
                    .and(day_entries::task_id.eq(owed_entries::task_id))
                    .and(day_entries::officer_id.eq(owed_entries::officer_id))
                    .and(day_entries::day.eq(owed_entries::day))),
            )
            .filter(owed_entries::tenant_id.eq($tenant))
            .filter(owed_entries::day.eq($day))
            .filter(owed_entries::unit_path.ge($range.low.clone()))
            .filter(owed_entries::unit_path.lt($range.high.clone()))
    };
}

/// The same while it lasts. Who has left owes nothing afterwards.
macro_rules! live {
    ($tenant:expr, $day:expr, $range:expr) => {
        entry_duties::table
            .inner_join(
                officers::table.on(officers::tenant_id
                    .eq(entry_duties::tenant_id)
                    .and(officers::id.eq(entry_duties::officer_id))),
            )
            .left_join(
                day_entries::table.on(day_entries::tenant_id
                    .eq(entry_duties::tenant_id)
                    .and(day_entries::task_id.eq(entry_duties::task_id))
                    .and(day_entries::officer_id.eq(entry_duties::officer_id))
                    .and(day_entries::day.eq($day))),
            )
            .filter(entry_duties::tenant_id.eq($tenant))
            .filter(entry_duties::from_on.le($day))
            .filter(entry_duties::until_on.ge($day))
            .filter(entry_duties::unit_path.ge($range.low.clone()))
            .filter(entry_duties::unit_path.lt($range.high.clone()))
            .filter(officers::left_on.is_null().or(officers::left_on.ge($day)))
    };
}

/// Narrowed to states, sorted, after a place: the same for both.
macro_rules! rows {
    ($query:expr, $table:ident, $c:expr, $states:expr, $sort:expr, $after:expr, $limit:expr) => {{
        use $table::{officer_id as officer, task_id as task, unit_path as path};
        let wants = |state| $states.is_empty() || $states.contains(&state);
        let (open, closed, late) =
            (wants(ClearingState::Open), wants(ClearingState::Closed), wants(ClearingState::Late));
        let query = $query
            .filter(
                day_entries::id
                    .is_null()
                    .and(open.into_sql::<Bool>())
                    .or(day_entries::id
                        .is_not_null()
                        .and(day_entries::late.eq(false))
                        .and(closed.into_sql::<Bool>()))
                    .or(day_entries::id
                        .is_not_null()
                        .and(day_entries::late.eq(true))
                        .and(late.into_sql::<Bool>())),
            )
            .select((
                $table::task_id,
                $table::officer_id,
                $table::unit_id,
                $table::unit_path,
                day_entries::id.nullable(),
                day_entries::late.nullable(),
                day_entries::created_at.nullable(),
            ))
            .limit($limit)
            .into_boxed();
        match ($sort, $after.clone()) {
            (ClearingSort::Unit, None) => {
                query.order((path.asc(), officer.asc(), task.asc())).load::<Owed>($c)
            }
            (ClearingSort::Unit, Some((at, who, what))) => query
                .filter(
                    path.gt(at.clone())
                        .or(path.eq(at).and(officer.gt(who).or(officer.eq(who).and(task.gt(what))))),
                )
                .order((path.asc(), officer.asc(), task.asc()))
                .load::<Owed>($c),
            (ClearingSort::UnitDown, None) => {
                query.order((path.desc(), officer.desc(), task.desc())).load::<Owed>($c)
            }
            (ClearingSort::UnitDown, Some((at, who, what))) => query
                .filter(
                    path.lt(at.clone())
                        .or(path.eq(at).and(officer.lt(who).or(officer.eq(who).and(task.lt(what))))),
                )
                .order((path.desc(), officer.desc(), task.desc()))
                .load::<Owed>($c),
        }
    }};
}

/// Who owes what for a day.
pub(super) fn list<A: Action>(
    tx: &mut Tx<'_, A>,
    filter: &ClearingFilter,
    is_frozen: bool,
    sort: ClearingSort,
    paging: &Paging,
) -> Result<Page<Owed>> {
    let (tenant, day, range) = (tx.tenant(), filter.day, &filter.below);
    let after = paging.after(3)?.and_then(|place| {
        Some((place.first()?.clone(), OfficerId::parse(place.get(1)?)?, TaskId::parse(place.get(2)?)?))
    });
    let total = if paging.counts() {
        let all = tallies(tx, day, range, is_frozen)?;
        let sum = Tally::below(&range.low, &all);
        let of = |state| match state {
            ClearingState::Open => sum.open(),
            ClearingState::Closed => sum.closed,
            ClearingState::Late => sum.late,
        };
        let states = ClearingState::ALL.iter().copied();
        let wanted = states.filter(|state| filter.states.is_empty() || filter.states.contains(state));
        Some(wanted.map(of).sum())
    } else {
        None
    };
    let (states, limit) = (&filter.states, paging.fetch());
    let rows: Vec<Owed> = if is_frozen {
        with_conn!(tx.conn(), c => rows!(frozen!(tenant, day, range), owed_entries, c, states, sort, after, limit))?
    } else {
        with_conn!(tx.conn(), c => rows!(live!(tenant, day, range), entry_duties, c, states, sort, after, limit))?
    };
    let place = |one: &Owed| vec![one.unit_path.clone(), one.officer_id.to_string(), one.task_id.to_string()];
    Ok(paging.page(rows, total, place))
}

/// By unit: how many are owed and entered; how many of those were late.
type Counted = (Vec<(String, i64, i64)>, Vec<(String, i64)>);

/// How many are owed, closed and late, by unit.
pub(super) fn tallies<A: Action>(
    tx: &mut Tx<'_, A>,
    day: NaiveDate,
    range: &PathRange,
    is_frozen: bool,
) -> Result<Vec<(String, Tally)>> {
    let tenant = tx.tenant();
    macro_rules! counted {
        ($query:expr, $table:ident, $c:expr) => {{
            let all = $query
                .group_by($table::unit_path)
                .select(($table::unit_path, count_star(), count(day_entries::id.nullable())))
                .load::<(String, i64, i64)>($c)?;
            let late = $query
                .filter(day_entries::late.eq(true))
                .group_by($table::unit_path)
                .select(($table::unit_path, count_star()))
                .load::<(String, i64)>($c)?;
            (all, late)
        }};
    }
    let (all, late): Counted = if is_frozen {
        with_conn!(tx.conn(), c => counted!(frozen!(tenant, day, range), owed_entries, c))
    } else {
        with_conn!(tx.conn(), c => counted!(live!(tenant, day, range), entry_duties, c))
    };
    let late: HashMap<String, i64> = late.into_iter().collect();
    Ok(all
        .into_iter()
        .map(|(path, owed, entered)| {
            let late = late.get(&path).copied().unwrap_or_default();
            (path, Tally { owed, closed: entered - late, late })
        })
        .collect())
}

/// By unit and officer: how many are owed and entered; how many of those were late.
type CountedPersons = (Vec<(String, UnitId, OfficerId, i64, i64)>, Vec<(UnitId, OfficerId, i64)>);

/// How many are owed, closed and late, by unit and officer; so many rows at most.
pub(super) fn persons<A: Action>(
    tx: &mut Tx<'_, A>,
    day: NaiveDate,
    range: &PathRange,
    is_frozen: bool,
    most: i64,
) -> Result<Vec<OwedByPerson>> {
    let tenant = tx.tenant();
    macro_rules! counted {
        ($query:expr, $table:ident, $c:expr) => {{
            let all = $query
                .group_by(($table::unit_path, $table::unit_id, $table::officer_id))
                .select((
                    $table::unit_path,
                    $table::unit_id,
                    $table::officer_id,
                    count_star(),
                    count(day_entries::id.nullable()),
                ))
                .limit(most)
                .load::<(String, UnitId, OfficerId, i64, i64)>($c)?;
            let late = $query
                .filter(day_entries::late.eq(true))
                .group_by(($table::unit_id, $table::officer_id))
                .select(($table::unit_id, $table::officer_id, count_star()))
                .load::<(UnitId, OfficerId, i64)>($c)?;
            (all, late)
        }};
    }
    let (all, late): CountedPersons = if is_frozen {
        with_conn!(tx.conn(), c => counted!(frozen!(tenant, day, range), owed_entries, c))
    } else {
        with_conn!(tx.conn(), c => counted!(live!(tenant, day, range), entry_duties, c))
    };
    let late: HashMap<(UnitId, OfficerId), i64> =
        late.into_iter().map(|(unit, officer, late)| ((unit, officer), late)).collect();
    let person = |(unit_path, unit_id, officer_id, owed, entered)| {
        let late = late.get(&(unit_id, officer_id)).copied().unwrap_or_default();
        OwedByPerson { unit_id, unit_path, officer_id, tally: Tally { owed, closed: entered - late, late } }
    };
    Ok(all.into_iter().map(person).collect())
}

/// Whether a day is frozen.
pub(super) fn is_frozen<A: Action>(tx: &mut Tx<'_, A>, day: NaiveDate) -> Result<bool> {
    let tenant = tx.tenant();
    let found: i64 =
        with_conn!(tx.conn(), c => cleared_days::table.find((tenant, day)).count().get_result(c))?;
    Ok(found > 0)
}

/// The last day that is frozen, and the first for which anything was ever owed.
pub(super) fn bounds<A: Action>(tx: &mut Tx<'_, A>) -> Result<(Option<NaiveDate>, Option<NaiveDate>)> {
    let tenant = tx.tenant();
    let last: Option<NaiveDate> = with_conn!(tx.conn(), c => cleared_days::table
        .filter(cleared_days::tenant_id.eq(tenant))
        .order(cleared_days::day.desc())
        .select(cleared_days::day)
        .first(c)
        .optional())?;
    if last.is_some() {
        return Ok((last, None));
    }
    let first: Option<NaiveDate> = with_conn!(tx.conn(), c => entry_duties::table
        .filter(entry_duties::tenant_id.eq(tenant))
        .select(diesel::dsl::min(entry_duties::from_on))
        .first(c))?;
    Ok((None, first))
}

/// Freezes a day, once: how many entries are owed for it, or none when it was frozen before.
pub(super) fn freeze<A: Action>(tx: &mut Tx<'_, A>, day: NaiveDate, works: bool) -> Result<Option<usize>> {
    let (tenant, now) = (tx.tenant(), tx.now());
    let everywhere = PathRange { low: String::new(), high: "~".to_owned() };
    let mut owed: Vec<(TaskId, OfficerId, UnitId, String)> = if works {
        with_conn!(tx.conn(), c => live!(tenant, day, everywhere)
            .order((entry_duties::task_id, entry_duties::officer_id, entry_duties::id))
            .select((
                entry_duties::task_id,
                entry_duties::officer_id,
                entry_duties::unit_id,
                entry_duties::unit_path,
            ))
            .load(c))?
    } else {
        Vec::new()
    };
    let mut seen = HashSet::new();
    owed.retain(|(task, officer, _, _)| seen.insert((*task, *officer)));
    let total = i64::try_from(owed.len()).unwrap_or(i64::MAX);
    let begun = with_conn!(tx.conn(), c => diesel::insert_into(cleared_days::table)
        .values((
            cleared_days::tenant_id.eq(tenant),
            cleared_days::day.eq(day),
            cleared_days::working.eq(works),
            cleared_days::owed.eq(total),
            cleared_days::swept_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(c))?;
    if begun == 0 {
        return Ok(None);
    }
    let rows: Vec<_> = owed
        .iter()
        .map(|(task, officer, unit, path)| {
            (
                owed_entries::tenant_id.eq(tenant),
                owed_entries::day.eq(day),
                owed_entries::task_id.eq(*task),
                owed_entries::officer_id.eq(*officer),
                owed_entries::unit_id.eq(*unit),
                owed_entries::unit_path.eq(path),
            )
        })
        .collect();
    insert_rows!(tx.conn(), owed_entries::table, &rows);
    Ok(Some(rows.len()))
}
