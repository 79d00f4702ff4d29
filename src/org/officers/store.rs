//! Rows of officers and of what is personal of them.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::person::Person;
use super::rules::{Officer, OfficerId, OfficerKind, OfficerStatus, PoliceRank};
use crate::access::policy::Action;
use crate::access::{JobId, PathRange, Reach, Tx, UserId, follow_path, within_reach};
use crate::db::schema::{officer_persons, officers, posts, user_officers};
use crate::db::{Instant, TenantId, contains_pattern, fold, insert_rows, lock_row, text_enum, with_conn};
use crate::errors::Result;
use crate::jobs::in_force;
use crate::org::posts::rules::PostKind;
use crate::org::rules::{Unit, UnitId};
use crate::web::{Cursor, Page, Paging};

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = officers)]
pub(super) struct OfficerRow {
    id: OfficerId,
    number: String,
    kind: OfficerKind,
    rank: Option<PoliceRank>,
    unit_id: UnitId,
    unit_path: String,
    status: OfficerStatus,
    left_on: Option<NaiveDate>,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = officer_persons)]
pub(super) struct PersonRow {
    name: Option<String>,
    id_card: Option<String>,
    phone: Option<String>,
    salt: String,
}

pub(super) fn officer((row, person): (OfficerRow, PersonRow)) -> Officer {
    let PersonRow { name, id_card, phone, salt } = person;
    let OfficerRow { id, number, kind, rank, unit_id, unit_path, status, left_on, version, .. } = row;
    Officer {
        id,
        number,
        kind,
        rank,
        unit_id,
        unit_path,
        status,
        left_on,
        person: Person { name, id_card, phone, salt },
        version,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

#[derive(Insertable)]
#[diesel(table_name = officers)]
struct NewOfficer<'a> {
    tenant_id: TenantId,
    id: OfficerId,
    number: &'a str,
    kind: OfficerKind,
    rank: Option<PoliceRank>,
    unit_id: UnitId,
    unit_path: &'a str,
    status: OfficerStatus,
    left_on: Option<NaiveDate>,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
    batch_id: Option<JobId>,
}

#[derive(Insertable)]
#[diesel(table_name = officer_persons)]
struct NewPerson<'a> {
    tenant_id: TenantId,
    officer_id: OfficerId,
    name: Option<&'a str>,
    search_text: String,
    id_card: Option<&'a str>,
    phone: Option<&'a str>,
    salt: &'a str,
}

text_enum! {
    /// By what officers are sorted; ties by number.
    OfficerSort as "officer_sort" {
        Number = "number", "警号", "Number", grey;
        NumberDown = "-number", "警号逆序", "Number, descending", grey;
        Unit = "unit", "按单位, 上级在前", "By unit, superiors first", grey;
    }
}

/// What a list of officers is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct OfficerFilter {
    /// Of these kinds; empty for all.
    pub kinds: Vec<OfficerKind>,
    /// With these statuses; empty for all.
    pub statuses: Vec<OfficerStatus>,
    /// Holding a post of one of these kinds today; empty for all.
    pub posts: Vec<PostKind>,
    /// Only those of these units.
    pub below: Option<PathRange>,
    /// With this number.
    pub number: Option<String>,
    /// Whose name or number holds this, case folded.
    pub search: Option<String>,
}

/// Officers with what is personal of them, in force or not.
macro_rules! whole {
    () => {
        officers::table.inner_join(
            officer_persons::table.on(officer_persons::tenant_id
                .eq(officers::tenant_id)
                .and(officer_persons::officer_id.eq(officers::id))),
        )
    };
}
pub(super) use whole;

/// The one place where the table is named for reading: tenant and reach, and in force.
macro_rules! visible {
    ($tenant:expr, $reach:expr) => {
        in_force!(
            within_reach!(whole!(), $reach, officers::unit_path).filter(officers::tenant_id.eq($tenant)),
            $tenant,
            officers::batch_id
        )
    };
}

macro_rules! filtered {
    ($tenant:expr, $reach:expr, $filter:expr, $today:expr) => {{
        let mut query = visible!($tenant, $reach);
        if !$filter.kinds.is_empty() {
            query = query.filter(officers::kind.eq_any($filter.kinds.clone()));
        }
        if !$filter.statuses.is_empty() {
            query = query.filter(officers::status.eq_any($filter.statuses.clone()));
        }
        if !$filter.posts.is_empty() {
            query = query.filter(
                officers::id.eq_any(
                    posts::table
                        .filter(posts::tenant_id.eq($tenant))
                        .filter(posts::kind.eq_any($filter.posts.clone()))
                        .filter(posts::superseded_at.is_null())
                        .filter(posts::voided.eq(false))
                        .filter(posts::valid_from_on.le($today))
                        .filter(posts::valid_until_on.is_null().or(posts::valid_until_on.ge($today)))
                        .select(posts::officer_id),
                ),
            );
        }
        if let Some(range) = $filter.below.clone() {
            query =
                query.filter(officers::unit_path.ge(range.low)).filter(officers::unit_path.lt(range.high));
        }
        if let Some(number) = $filter.number.clone() {
            query = query.filter(officers::number.eq(number));
        }
        if let Some(search) = &$filter.search {
            query = query.filter(officer_persons::search_text.like(contains_pattern(search)).escape('\\'));
        }
        query
    }};
}

pub(super) fn list<A: Action>(
    tx: &mut Tx<'_, A>,
    filter: &OfficerFilter,
    sort: OfficerSort,
    paging: &Paging,
) -> Result<Page<Officer>> {
    let (tenant, reach, today) = (tx.tenant(), tx.reach().clone(), tx.now().shanghai_day());
    let by_unit = sort == OfficerSort::Unit;
    let place: fn(&Officer) -> Cursor = if by_unit {
        |officer| vec![officer.unit_path.clone(), officer.number.clone()]
    } else {
        |officer| vec![officer.number.clone()]
    };
    let mut after = paging.after(if by_unit { 2 } else { 1 })?.unwrap_or_default().into_iter();
    let (first, second) = (after.next(), after.next().unwrap_or_default());
    let total: Option<i64> = if paging.counts() {
        Some(with_conn!(tx.conn(), c => filtered!(tenant, reach, filter, today).count().get_result(c))?)
    } else {
        None
    };
    let rows: Vec<(OfficerRow, PersonRow)> = with_conn!(tx.conn(), c => {
        let query = filtered!(tenant, reach, filter, today)
            .select((OfficerRow::as_select(), PersonRow::as_select()))
            .limit(paging.fetch());
        match (sort, first) {
            (OfficerSort::Number, None) => query.order(officers::number.asc()).load(c),
            (OfficerSort::Number, Some(at)) => {
                query.filter(officers::number.gt(at)).order(officers::number.asc()).load(c)
            }
            (OfficerSort::NumberDown, None) => query.order(officers::number.desc()).load(c),
            (OfficerSort::NumberDown, Some(at)) => {
                query.filter(officers::number.lt(at)).order(officers::number.desc()).load(c)
            }
            (OfficerSort::Unit, None) => query.order((officers::unit_path.asc(), officers::number.asc())).load(c),
            (OfficerSort::Unit, Some(at)) => query
                .filter(officers::unit_path.gt(at.clone()).or(officers::unit_path.eq(at).and(officers::number.gt(second))))
                .order((officers::unit_path.asc(), officers::number.asc()))
                .load(c),
        }
    })?;
    Ok(paging.page(rows.into_iter().map(officer).collect(), total, place))
}

/// The officer, if it lies within `reach`.
pub(super) fn find<A: Action>(tx: &mut Tx<'_, A>, reach: &Reach, id: OfficerId) -> Result<Option<Officer>> {
    let tenant = tx.tenant();
    let row: Option<(OfficerRow, PersonRow)> = with_conn!(tx.conn(), c => visible!(tenant, reach)
        .filter(officers::id.eq(id))
        .select((OfficerRow::as_select(), PersonRow::as_select()))
        .first(c)
        .optional())?;
    Ok(row.map(officer))
}

/// Those of the officers that lie within `reach`.
pub(super) fn find_many<A: Action>(
    tx: &mut Tx<'_, A>,
    reach: &Reach,
    ids: &[OfficerId],
) -> Result<Vec<Officer>> {
    let tenant = tx.tenant();
    let mut found = Vec::with_capacity(ids.len());
    for some in ids.chunks(500) {
        let rows: Vec<(OfficerRow, PersonRow)> = with_conn!(tx.conn(), c => visible!(tenant, reach)
            .filter(officers::id.eq_any(some.to_vec()))
            .select((OfficerRow::as_select(), PersonRow::as_select()))
            .load(c))?;
        found.extend(rows.into_iter().map(officer));
    }
    Ok(found)
}

/// Holds the row until the transaction ends; SQLite has one writer and needs nothing.
pub(super) fn lock<A: Action>(tx: &mut Tx<'_, A>, id: OfficerId) -> Result<()> {
    let tenant = tx.tenant();
    lock_row!(tx.conn(), officers::table.find((tenant, id)).select(officers::id));
    Ok(())
}

/// Holds the rows until the transaction ends, in the order in which everybody holds them.
pub(super) fn lock_many<A: Action>(tx: &mut Tx<'_, A>, ids: &[OfficerId]) -> Result<()> {
    let tenant = tx.tenant();
    lock_row!(
        tx.conn(),
        officers::table
            .filter(officers::tenant_id.eq(tenant))
            .filter(officers::id.eq_any(ids.to_vec()))
            .order(officers::id)
            .select(officers::id)
    );
    Ok(())
}

/// What of a new or changed officer another one has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    pub number: bool,
    pub id_card: bool,
}

/// Whether another officer than `id` has the number, or the identity card.
pub(super) fn taken<A: Action>(
    tx: &mut Tx<'_, A>,
    id: OfficerId,
    number: &str,
    id_card: Option<&str>,
) -> Result<Taken> {
    let tenant = tx.tenant();
    let numbers: i64 = with_conn!(tx.conn(), c => officers::table
        .filter(officers::tenant_id.eq(tenant))
        .filter(officers::number.eq(number))
        .filter(officers::id.ne(id))
        .count()
        .get_result(c))?;
    let cards: i64 = match id_card {
        None => 0,
        Some(card) => with_conn!(tx.conn(), c => officer_persons::table
            .filter(officer_persons::tenant_id.eq(tenant))
            .filter(officer_persons::id_card.eq(card))
            .filter(officer_persons::officer_id.ne(id))
            .count()
            .get_result(c))?,
    };
    Ok(Taken { number: numbers > 0, id_card: cards > 0 })
}

fn search_text(officer: &Officer) -> String {
    fold(&format!("{} {}", officer.person.name.as_deref().unwrap_or_default(), officer.number))
}

/// Enters officers; those of a batch are not seen before it is closed.
pub(super) fn insert<A: Action>(tx: &mut Tx<'_, A>, new: &[Officer], batch: Option<JobId>) -> Result<()> {
    let tenant_id = tx.tenant();
    let rows: Vec<NewOfficer<'_>> = new
        .iter()
        .map(|officer| NewOfficer {
            tenant_id,
            id: officer.id,
            number: &officer.number,
            kind: officer.kind,
            rank: officer.rank,
            unit_id: officer.unit_id,
            unit_path: &officer.unit_path,
            status: officer.status,
            left_on: officer.left_on,
            version: officer.version,
            created_at: officer.created_at,
            updated_at: officer.updated_at,
            batch_id: batch,
        })
        .collect();
    insert_rows!(tx.conn(), officers::table, &rows);
    let persons: Vec<NewPerson<'_>> = new
        .iter()
        .map(|officer| NewPerson {
            tenant_id,
            officer_id: officer.id,
            name: officer.person.name.as_deref(),
            search_text: search_text(officer),
            id_card: officer.person.id_card.as_deref(),
            phone: officer.person.phone.as_deref(),
            salt: &officer.person.salt,
        })
        .collect();
    insert_rows!(tx.conn(), officer_persons::table, &persons);
    Ok(())
}

/// Saves an officer as it is now, its version one up.
pub(super) fn save<A: Action>(tx: &mut Tx<'_, A>, officer: &mut Officer) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    officer.version += 1;
    officer.updated_at = now;
    with_conn!(tx.conn(), c => diesel::update(officers::table.find((tenant, officer.id)))
        .set((
            officers::number.eq(&officer.number),
            officers::kind.eq(officer.kind),
            officers::rank.eq(officer.rank),
            officers::unit_id.eq(officer.unit_id),
            officers::unit_path.eq(&officer.unit_path),
            officers::status.eq(officer.status),
            officers::left_on.eq(officer.left_on),
            officers::version.eq(officer.version),
            officers::updated_at.eq(now),
        ))
        .execute(c))?;
    let erased_at = officer.person.name.is_none().then_some(now);
    with_conn!(tx.conn(), c => diesel::update(officer_persons::table.find((tenant, officer.id)))
        .set((
            officer_persons::name.eq(officer.person.name.as_deref()),
            officer_persons::search_text.eq(search_text(officer)),
            officer_persons::id_card.eq(officer.person.id_card.as_deref()),
            officer_persons::phone.eq(officer.person.phone.as_deref()),
            officer_persons::salt.eq(&officer.person.salt),
            officer_persons::erased_at.eq(erased_at),
        ))
        .execute(c))?;
    Ok(())
}

/// Moves the paths of officers in a moved subtree.
pub(super) fn follow<A: Action>(tx: &mut Tx<'_, A>, from: &str, to: &str) -> Result<()> {
    let tenant = tx.tenant();
    follow_path!(tx.conn(), officers, unit_path, tenant, from, to);
    Ok(())
}

/// The officers who belong to a unit and serve.
pub(super) fn serving_at<A: Action>(tx: &mut Tx<'_, A>, unit: UnitId) -> Result<Vec<(OfficerId, String)>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => officers::table
        .filter(officers::tenant_id.eq(tenant))
        .filter(officers::unit_id.eq(unit))
        .filter(officers::status.eq(OfficerStatus::Serving))
        .order(officers::number)
        .select((officers::id, officers::number))
        .load(c))?)
}

/// The officers who belong to a unit, serving or not.
pub(super) fn all_at<A: Action>(tx: &mut Tx<'_, A>, unit: UnitId) -> Result<Vec<OfficerId>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => officers::table
        .filter(officers::tenant_id.eq(tenant))
        .filter(officers::unit_id.eq(unit))
        .order(officers::number)
        .select(officers::id)
        .load(c))?)
}

/// Puts every officer of a unit at another.
pub(super) fn put_at<A: Action>(tx: &mut Tx<'_, A>, from: UnitId, to: &Unit) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    with_conn!(tx.conn(), c => diesel::update(officers::table
        .filter(officers::tenant_id.eq(tenant))
        .filter(officers::unit_id.eq(from)))
        .set((
            officers::unit_id.eq(to.id),
            officers::unit_path.eq(&to.path),
            officers::version.eq(officers::version + 1_i64),
            officers::updated_at.eq(now),
        ))
        .execute(c))?;
    Ok(())
}

/// The officer that an account belongs to.
pub(super) fn of_user<A: Action>(tx: &mut Tx<'_, A>, user: UserId) -> Result<Option<OfficerId>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => user_officers::table
        .find((tenant, user))
        .select(user_officers::officer_id)
        .first(c)
        .optional())?)
}

/// Those of the officers that have these numbers, whatever the reach.
pub(super) fn by_numbers<A: Action>(
    tx: &mut Tx<'_, A>,
    numbers: &[&str],
) -> Result<HashMap<String, Officer>> {
    let (tenant, reach) = (tx.tenant(), Reach::whole_tenant());
    let mut found = HashMap::with_capacity(numbers.len());
    for some in numbers.chunks(500) {
        let some: Vec<String> = some.iter().map(ToString::to_string).collect();
        let rows: Vec<(OfficerRow, PersonRow)> = with_conn!(tx.conn(), c => visible!(tenant, reach)
            .filter(officers::number.eq_any(some))
            .select((OfficerRow::as_select(), PersonRow::as_select()))
            .load(c))?;
        found.extend(rows.into_iter().map(officer).map(|officer| (officer.number.clone(), officer)));
    }
    Ok(found)
}

/// Who has which of these identity cards, whatever the reach.
pub(super) fn by_id_cards<A: Action>(
    tx: &mut Tx<'_, A>,
    cards: &[&str],
) -> Result<HashMap<String, OfficerId>> {
    let tenant = tx.tenant();
    let mut found = HashMap::new();
    for some in cards.chunks(500) {
        let some: Vec<String> = some.iter().map(ToString::to_string).collect();
        let rows: Vec<(Option<String>, OfficerId)> = with_conn!(tx.conn(), c => officer_persons::table
            .filter(officer_persons::tenant_id.eq(tenant))
            .filter(officer_persons::id_card.eq_any(some))
            .select((officer_persons::id_card, officer_persons::officer_id))
            .load(c))?;
        found.extend(rows.into_iter().filter_map(|(card, id)| Some((card?, id))));
    }
    Ok(found)
}
