//! Rows of stand-ins.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::rules::{StandIn, StandInEntity, StandInId};
use crate::access::policy::Action;
use crate::access::{Tx, UserId};
use crate::db::schema::stand_ins;
use crate::db::{Instant, with_conn};
use crate::errors::Result;
use crate::org::officers::rules::OfficerId;
use crate::org::rules::UnitId;
use crate::web::{Page, Paging};

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = stand_ins)]
struct Row {
    id: StandInId,
    unit_id: UnitId,
    officer_id: OfficerId,
    valid_from_on: NaiveDate,
    valid_until_on: NaiveDate,
    reason: String,
    named_by: UserId,
    created_at: Instant,
    ended_at: Option<Instant>,
}

impl From<Row> for StandIn {
    fn from(row: Row) -> Self {
        let Row {
            id,
            unit_id,
            officer_id,
            valid_from_on,
            valid_until_on,
            reason,
            named_by,
            created_at,
            ended_at,
        } = row;
        Self {
            id,
            unit_id,
            officer_id,
            valid_from_on,
            valid_until_on,
            reason,
            named_by,
            created_at,
            ended_at,
        }
    }
}

pub(super) fn list<A: Action>(tx: &mut Tx<'_, A>, unit: UnitId, paging: &Paging) -> Result<Page<StandIn>> {
    let tenant = tx.tenant();
    let after = paging.after_day::<StandInEntity>()?;
    let total: Option<i64> = if paging.counts() {
        Some(with_conn!(tx.conn(), c => stand_ins::table
            .filter(stand_ins::tenant_id.eq(tenant))
            .filter(stand_ins::unit_id.eq(unit))
            .count()
            .get_result(c))?)
    } else {
        None
    };
    let rows: Vec<Row> = with_conn!(tx.conn(), c => {
        let mut query = stand_ins::table
            .filter(stand_ins::tenant_id.eq(tenant))
            .filter(stand_ins::unit_id.eq(unit))
            .into_boxed();
        if let Some((day, id)) = after {
            query = query.filter(
                stand_ins::valid_from_on.lt(day).or(stand_ins::valid_from_on.eq(day).and(stand_ins::id.lt(id))));
        }
        query
            .order((stand_ins::valid_from_on.desc(), stand_ins::id.desc()))
            .limit(paging.fetch())
            .select(Row::as_select())
            .load(c)
    })?;
    Ok(paging.page(rows.into_iter().map(StandIn::from).collect(), total, |one| {
        vec![one.valid_from_on.to_string(), one.id.to_string()]
    }))
}

/// The stand-in, whichever unit's it is.
pub(super) fn find<A: Action>(tx: &mut Tx<'_, A>, id: StandInId) -> Result<Option<StandIn>> {
    let tenant = tx.tenant();
    let row: Option<Row> = with_conn!(tx.conn(), c => stand_ins::table
        .find((tenant, id))
        .select(Row::as_select())
        .first(c)
        .optional())?;
    Ok(row.map(StandIn::from))
}

/// Those of a unit that were not ended and share a day with the period.
pub(super) fn within<A: Action>(
    tx: &mut Tx<'_, A>,
    unit: UnitId,
    from: NaiveDate,
    until: NaiveDate,
) -> Result<Vec<StandIn>> {
    let tenant = tx.tenant();
    let rows: Vec<Row> = with_conn!(tx.conn(), c => stand_ins::table
        .filter(stand_ins::tenant_id.eq(tenant))
        .filter(stand_ins::unit_id.eq(unit))
        .filter(stand_ins::ended_at.is_null())
        .filter(stand_ins::valid_from_on.le(until))
        .filter(stand_ins::valid_until_on.ge(from))
        .select(Row::as_select())
        .load(c))?;
    Ok(rows.into_iter().map(StandIn::from).collect())
}

/// Whose standing in is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of {
    Unit(UnitId),
    Officer(OfficerId),
}

/// What of a unit or an officer was not ended and lasts until `day` or longer.
pub(super) fn lasting<A: Action>(tx: &mut Tx<'_, A>, of: Of, day: NaiveDate) -> Result<Vec<StandIn>> {
    let tenant = tx.tenant();
    let rows: Vec<Row> = with_conn!(tx.conn(), c => {
        let query = stand_ins::table
            .filter(stand_ins::tenant_id.eq(tenant))
            .filter(stand_ins::ended_at.is_null())
            .filter(stand_ins::valid_until_on.ge(day))
            .into_boxed();
        let query = match of {
            Of::Unit(unit) => query.filter(stand_ins::unit_id.eq(unit)),
            Of::Officer(officer) => query.filter(stand_ins::officer_id.eq(officer)),
        };
        query.order(stand_ins::id).select(Row::as_select()).load(c)
    })?;
    Ok(rows.into_iter().map(StandIn::from).collect())
}

/// The units for whose heads an officer stands in on a day.
pub(super) fn units_of<A: Action>(
    tx: &mut Tx<'_, A>,
    officer: OfficerId,
    day: NaiveDate,
) -> Result<Vec<UnitId>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => stand_ins::table
        .filter(stand_ins::tenant_id.eq(tenant))
        .filter(stand_ins::officer_id.eq(officer))
        .filter(stand_ins::ended_at.is_null())
        .filter(stand_ins::valid_from_on.le(day))
        .filter(stand_ins::valid_until_on.ge(day))
        .select(stand_ins::unit_id)
        .load(c))?)
}

pub(super) fn insert<A: Action>(tx: &mut Tx<'_, A>, new: &StandIn) -> Result<()> {
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::insert_into(stand_ins::table)
        .values((
            stand_ins::tenant_id.eq(tenant),
            stand_ins::id.eq(new.id),
            stand_ins::unit_id.eq(new.unit_id),
            stand_ins::officer_id.eq(new.officer_id),
            stand_ins::valid_from_on.eq(new.valid_from_on),
            stand_ins::valid_until_on.eq(new.valid_until_on),
            stand_ins::reason.eq(&new.reason),
            stand_ins::named_by.eq(new.named_by),
            stand_ins::created_at.eq(new.created_at),
        ))
        .execute(c))?;
    Ok(())
}

pub(super) fn end<A: Action>(tx: &mut Tx<'_, A>, id: StandInId) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    with_conn!(tx.conn(), c => diesel::update(stand_ins::table.find((tenant, id)))
        .set(stand_ins::ended_at.eq(now))
        .execute(c))?;
    Ok(())
}
