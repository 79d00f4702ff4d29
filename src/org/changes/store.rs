//! Rows of units as they change, and of what they were.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::rules::{Period, UnitChange};
use crate::access::policy::Action;
use crate::access::{PathRange, Reach, Tx, follow_path, within_reach};
use crate::db::schema::{unit_periods, units};
use crate::db::{Instant, TenantId, fold, insert_rows, lock_row, with_conn};
use crate::errors::{AppError, Code, Result};
use crate::jobs::in_force;
use crate::org::rules::{Unit, UnitId, UnitStatus};
use crate::web::{Page, Paging};

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = unit_periods)]
struct PeriodRow {
    unit_id: UnitId,
    valid_from_on: NaiveDate,
    valid_until_on: Option<NaiveDate>,
    name: String,
    parent_id: Option<UnitId>,
    path: String,
    status: UnitStatus,
    change: UnitChange,
    successor_id: Option<UnitId>,
    reason: Option<String>,
    recorded_at: Instant,
}

impl From<PeriodRow> for Period {
    fn from(row: PeriodRow) -> Self {
        Self {
            unit_id: row.unit_id,
            valid_from_on: row.valid_from_on,
            valid_until_on: row.valid_until_on,
            name: row.name,
            parent_id: row.parent_id,
            path: row.path,
            status: row.status,
            change: row.change,
            successor_id: row.successor_id,
            reason: row.reason,
            recorded_at: row.recorded_at,
        }
    }
}

#[derive(Insertable)]
#[diesel(table_name = unit_periods)]
struct NewPeriod<'a> {
    tenant_id: TenantId,
    unit_id: UnitId,
    valid_from_on: NaiveDate,
    valid_until_on: Option<NaiveDate>,
    name: &'a str,
    search_text: String,
    parent_id: Option<UnitId>,
    path: &'a str,
    status: UnitStatus,
    change: UnitChange,
    successor_id: Option<UnitId>,
    reason: Option<&'a str>,
    recorded_at: Instant,
    placed_at: Option<Instant>,
}

/// Holds the unit's row until the transaction ends; SQLite has one writer and needs nothing.
pub(super) fn lock<A: Action>(tx: &mut Tx<'_, A>, id: UnitId) -> Result<()> {
    let tenant = tx.tenant();
    lock_row!(tx.conn(), units::table.find((tenant, id)).select(units::id));
    Ok(())
}

/// Whether any unit of the tenant has this id, or this code, though nobody sees it yet.
pub(super) fn is_taken<A: Action>(
    tx: &mut Tx<'_, A>,
    id: Option<UnitId>,
    code: &str,
) -> Result<(bool, bool)> {
    let tenant = tx.tenant();
    let by_code: i64 = with_conn!(tx.conn(), c => units::table
        .filter(units::tenant_id.eq(tenant))
        .filter(units::code.eq(code))
        .count()
        .get_result(c))?;
    let Some(id) = id else { return Ok((false, by_code > 0)) };
    let by_id: i64 = with_conn!(tx.conn(), c => units::table.find((tenant, id)).count().get_result(c))?;
    Ok((by_id > 0, by_code > 0))
}

/// A unit and everything below it, in the order of the tree. An import enters nothing there meanwhile.
pub(super) fn subtree<A: Action>(tx: &mut Tx<'_, A>, path: &str) -> Result<Vec<UnitId>> {
    let (tenant, range) = (tx.tenant(), PathRange::subtree(path));
    Ok(with_conn!(tx.conn(), c => units::table
        .filter(units::tenant_id.eq(tenant))
        .filter(units::path.ge(range.low))
        .filter(units::path.lt(range.high))
        .order(units::path)
        .select(units::id)
        .load(c))?)
}

/// Moves the paths of a subtree, versions one up.
pub(super) fn follow<A: Action>(tx: &mut Tx<'_, A>, from: &str, to: &str) -> Result<()> {
    let (tenant, now, range) = (tx.tenant(), tx.now(), PathRange::subtree(from));
    with_conn!(tx.conn(), c => diesel::update(units::table
        .filter(units::tenant_id.eq(tenant))
        .filter(units::path.ge(range.low))
        .filter(units::path.lt(range.high)))
        .set((units::version.eq(units::version + 1_i64), units::updated_at.eq(now)))
        .execute(c))?;
    follow_path!(tx.conn(), units, path, tenant, from, to);
    Ok(())
}

/// Puts a unit under another parent; its path and version are [`follow`]'s.
pub(super) fn set_parent<A: Action>(tx: &mut Tx<'_, A>, id: UnitId, parent: UnitId) -> Result<()> {
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::update(units::table.find((tenant, id)))
        .set(units::parent_id.eq(parent))
        .execute(c))?;
    Ok(())
}

/// Saves a unit's name and status, version one up.
pub(super) fn save<A: Action>(tx: &mut Tx<'_, A>, unit: &mut Unit) -> Result<()> {
    let tenant = tx.tenant();
    unit.version += 1;
    unit.updated_at = tx.now();
    with_conn!(tx.conn(), c => diesel::update(units::table.find((tenant, unit.id)))
        .set((
            units::name.eq(&unit.name),
            units::search_text.eq(search_text(unit)),
            units::status.eq(unit.status),
            units::version.eq(unit.version),
            units::updated_at.eq(unit.updated_at),
        ))
        .execute(c))?;
    Ok(())
}

fn search_text(unit: &Unit) -> String {
    fold(&format!("{} {}", unit.name, unit.code))
}

/// Since when each of the units has stood as it does, and what began that.
pub(super) fn since<A: Action>(
    tx: &mut Tx<'_, A>,
    ids: &[UnitId],
) -> Result<HashMap<UnitId, (NaiveDate, UnitChange)>> {
    let tenant = tx.tenant();
    let mut found = HashMap::with_capacity(ids.len());
    for some in ids.chunks(500) {
        let rows: Vec<(UnitId, NaiveDate, UnitChange)> = with_conn!(tx.conn(), c => unit_periods::table
            .filter(unit_periods::tenant_id.eq(tenant))
            .filter(unit_periods::unit_id.eq_any(some.to_vec()))
            .filter(unit_periods::valid_until_on.is_null())
            .select((unit_periods::unit_id, unit_periods::valid_from_on, unit_periods::change))
            .load(c))?;
        found.extend(rows.into_iter().map(|(id, since, change)| (id, (since, change))));
    }
    Ok(found)
}

/// Since when each of the units has stood as it does, and why.
pub(super) fn begun<A: Action>(
    tx: &mut Tx<'_, A>,
    ids: &[UnitId],
) -> Result<HashMap<UnitId, (NaiveDate, Option<String>)>> {
    let tenant = tx.tenant();
    let mut found = HashMap::with_capacity(ids.len());
    for some in ids.chunks(500) {
        let rows: Vec<(UnitId, NaiveDate, Option<String>)> = with_conn!(tx.conn(), c => unit_periods::table
            .filter(unit_periods::tenant_id.eq(tenant))
            .filter(unit_periods::unit_id.eq_any(some.to_vec()))
            .filter(unit_periods::valid_until_on.is_null())
            .select((unit_periods::unit_id, unit_periods::valid_from_on, unit_periods::reason))
            .load(c))?;
        found.extend(rows.into_iter().map(|(id, day, reason)| (id, (day, reason))));
    }
    Ok(found)
}

/// Since when each of the units has stood where it does and been what it is, whatever its name.
pub(super) fn placed_since<A: Action>(
    tx: &mut Tx<'_, A>,
    ids: &[UnitId],
) -> Result<HashMap<UnitId, NaiveDate>> {
    let tenant = tx.tenant();
    let mut found: HashMap<UnitId, (String, UnitStatus, NaiveDate)> = HashMap::with_capacity(ids.len());
    for some in ids.chunks(500) {
        let rows: Vec<(UnitId, NaiveDate, String, UnitStatus)> = with_conn!(tx.conn(), c => unit_periods::table
            .filter(unit_periods::tenant_id.eq(tenant))
            .filter(unit_periods::unit_id.eq_any(some.to_vec()))
            .order(unit_periods::valid_from_on)
            .select((
                unit_periods::unit_id,
                unit_periods::valid_from_on,
                unit_periods::path,
                unit_periods::status,
            ))
            .load(c))?;
        for (id, from_on, path, status) in rows {
            match found.get(&id) {
                Some((same, still, _)) if *same == path && *still == status => {}
                _ => {
                    found.insert(id, (path, status, from_on));
                }
            }
        }
    }
    Ok(found.into_iter().map(|(id, (_, _, since))| (id, since)).collect())
}

/// Ends the current periods of the units and begins these, all on one day. What began on that very
/// day is replaced: a day has one state, that of its end. When a unit was put where it still stands is kept.
pub(super) fn begin<A: Action>(tx: &mut Tx<'_, A>, day: NaiveDate, periods: &[(Period, &str)]) -> Result<()> {
    let tenant = tx.tenant();
    let ids: Vec<UnitId> = periods.iter().map(|(period, _)| period.unit_id).collect();
    let day_before = day.pred_opt().unwrap_or(day);
    let mut replaced = HashMap::new();
    for some in ids.chunks(500) {
        let rows: Vec<(UnitId, Replaced)> = with_conn!(tx.conn(), c => unit_periods::table
            .filter(unit_periods::tenant_id.eq(tenant))
            .filter(unit_periods::unit_id.eq_any(some.to_vec()))
            .filter(unit_periods::valid_from_on.eq(day))
            .select((unit_periods::unit_id, Replaced::as_select()))
            .load(c))?;
        replaced.extend(rows);
        with_conn!(tx.conn(), c => diesel::delete(unit_periods::table
            .filter(unit_periods::tenant_id.eq(tenant))
            .filter(unit_periods::unit_id.eq_any(some.to_vec()))
            .filter(unit_periods::valid_from_on.eq(day)))
            .execute(c))?;
        with_conn!(tx.conn(), c => diesel::update(unit_periods::table
            .filter(unit_periods::tenant_id.eq(tenant))
            .filter(unit_periods::unit_id.eq_any(some.to_vec()))
            .filter(unit_periods::valid_until_on.is_null()))
            .set(unit_periods::valid_until_on.eq(day_before))
            .execute(c))?;
    }
    insert_placed(tx, periods, &replaced)
}

/// Begins the first periods of new units, each with the unit's code.
pub(super) fn insert<A: Action>(tx: &mut Tx<'_, A>, periods: &[(Period, &str)]) -> Result<()> {
    insert_placed(tx, periods, &HashMap::new())
}

/// What a period that is replaced on its first day said of a unit's place, and since when.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = unit_periods)]
struct Replaced {
    parent_id: Option<UnitId>,
    successor_id: Option<UnitId>,
    recorded_at: Instant,
    placed_at: Option<Instant>,
}

impl Replaced {
    /// Since when, where the unit stands under the same one still, and nobody else has taken over from it.
    fn still(&self, period: &Period) -> Option<Instant> {
        let stays = self.parent_id == period.parent_id && self.successor_id == period.successor_id;
        stays.then(|| self.placed_at.unwrap_or(self.recorded_at))
    }
}

fn insert_placed<A: Action>(
    tx: &mut Tx<'_, A>,
    periods: &[(Period, &str)],
    replaced: &HashMap<UnitId, Replaced>,
) -> Result<()> {
    let tenant = tx.tenant();
    let rows: Vec<NewPeriod<'_>> = periods
        .iter()
        .map(|(period, code)| NewPeriod {
            tenant_id: tenant,
            unit_id: period.unit_id,
            valid_from_on: period.valid_from_on,
            valid_until_on: period.valid_until_on,
            name: &period.name,
            search_text: fold(&format!("{} {code}", period.name)),
            parent_id: period.parent_id,
            path: &period.path,
            status: period.status,
            change: period.change,
            successor_id: period.successor_id,
            reason: period.reason.as_deref(),
            recorded_at: period.recorded_at,
            placed_at: replaced.get(&period.unit_id).and_then(|before| before.still(period)),
        })
        .collect();
    insert_rows!(tx.conn(), unit_periods::table, &rows);
    Ok(())
}

/// The periods of a unit, the newest first.
pub(super) fn history<A: Action>(tx: &mut Tx<'_, A>, unit: UnitId, paging: &Paging) -> Result<Page<Period>> {
    let tenant = tx.tenant();
    let before: Option<NaiveDate> = match paging.after(1)?.as_deref().and_then(<[String]>::first) {
        Some(day) => Some(day.parse().map_err(|_| AppError::new(Code::InvalidCursor))?),
        None => None,
    };
    let total: Option<i64> = if paging.counts() {
        Some(with_conn!(tx.conn(), c => unit_periods::table
            .filter(unit_periods::tenant_id.eq(tenant))
            .filter(unit_periods::unit_id.eq(unit))
            .count()
            .get_result(c))?)
    } else {
        None
    };
    let rows: Vec<PeriodRow> = with_conn!(tx.conn(), c => {
        let mut query = unit_periods::table
            .filter(unit_periods::tenant_id.eq(tenant))
            .filter(unit_periods::unit_id.eq(unit))
            .into_boxed();
        if let Some(day) = before {
            query = query.filter(unit_periods::valid_from_on.lt(day));
        }
        query
            .order(unit_periods::valid_from_on.desc())
            .limit(paging.fetch())
            .select(PeriodRow::as_select())
            .load(c)
    })?;
    Ok(paging.page(rows.into_iter().map(Period::from).collect(), total, |period| {
        vec![period.valid_from_on.to_string()]
    }))
}

/// What a unit within today's reach was on a day; none when it was not there yet.
pub(super) fn on_day<A: Action>(
    tx: &mut Tx<'_, A>,
    reach: &Reach,
    id: UnitId,
    day: NaiveDate,
) -> Result<Option<Period>> {
    let tenant = tx.tenant();
    let row: Option<PeriodRow> = with_conn!(tx.conn(), c => in_force!(within_reach!(
            units::table.inner_join(unit_periods::table.on(
                unit_periods::tenant_id.eq(units::tenant_id).and(unit_periods::unit_id.eq(units::id)))),
            reach,
            units::path
        ), tenant, units::batch_id)
        .filter(units::tenant_id.eq(tenant))
        .filter(units::id.eq(id))
        .filter(unit_periods::valid_from_on.le(day))
        .filter(unit_periods::valid_until_on.is_null().or(unit_periods::valid_until_on.ge(day)))
        .select(PeriodRow::as_select())
        .first(c)
        .optional())?;
    Ok(row.map(Period::from))
}

/// Since when a unit works no more.
pub(super) fn ended_on<A: Action>(tx: &mut Tx<'_, A>, id: UnitId) -> Result<Option<NaiveDate>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => unit_periods::table
        .filter(unit_periods::tenant_id.eq(tenant))
        .filter(unit_periods::unit_id.eq(id))
        .filter(unit_periods::status.eq(UnitStatus::Deactivated))
        .select(diesel::dsl::min(unit_periods::valid_from_on))
        .get_result(c))?)
}

/// Units directly under one, that still work.
pub(super) fn working_children<A: Action>(tx: &mut Tx<'_, A>, parent: UnitId) -> Result<Vec<UnitId>> {
    let tenant = tx.tenant();
    Ok(
        with_conn!(tx.conn(), c => in_force!(units::table.filter(units::tenant_id.eq(tenant)), tenant, units::batch_id)
        .filter(units::parent_id.eq(parent))
        .filter(units::status.eq(UnitStatus::Active))
        .order(units::path)
        .select(units::id)
        .load(c))?,
    )
}

/// Who took over from each of the units.
pub(super) fn successors<A: Action>(tx: &mut Tx<'_, A>, ids: &[UnitId]) -> Result<HashMap<UnitId, UnitId>> {
    let tenant = tx.tenant();
    let mut found = HashMap::new();
    for some in ids.chunks(500) {
        let rows: Vec<(UnitId, Option<UnitId>)> = with_conn!(tx.conn(), c => unit_periods::table
            .filter(unit_periods::tenant_id.eq(tenant))
            .filter(unit_periods::unit_id.eq_any(some.to_vec()))
            .filter(unit_periods::valid_until_on.is_null())
            .select((unit_periods::unit_id, unit_periods::successor_id))
            .load(c))?;
        found.extend(rows.into_iter().filter_map(|(id, successor)| Some((id, successor?))));
    }
    Ok(found)
}
