//! Rows of provinces and units.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::rules::{Province, ProvinceStatus, Unit, UnitId, UnitKind, UnitStatus};
use crate::access::policy::Action;
use crate::access::{JobId, PathRange, Reach, Tx, within_reach};
use crate::db::schema::{provinces, unit_periods, units};
use crate::db::{Instant, TenantId, contains_pattern, fold, insert_rows, lock_row, text_enum, with_conn};
use crate::errors::Result;
use crate::jobs::in_force;
use crate::web::{Cursor, Page, Paging};

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = units)]
pub(super) struct UnitRow {
    id: UnitId,
    parent_id: Option<UnitId>,
    code: String,
    name: String,
    kind: UnitKind,
    status: UnitStatus,
    path: String,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

impl From<UnitRow> for Unit {
    fn from(row: UnitRow) -> Self {
        let UnitRow { id, parent_id, code, name, kind, status, path, version, created_at, updated_at } = row;
        Self { id, parent_id, code, name, kind, status, path, version, created_at, updated_at }
    }
}

#[derive(Insertable)]
#[diesel(table_name = units)]
struct NewUnit {
    tenant_id: TenantId,
    id: UnitId,
    parent_id: Option<UnitId>,
    code: String,
    name: String,
    search_text: String,
    kind: UnitKind,
    status: UnitStatus,
    path: String,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
    batch_id: Option<JobId>,
}

text_enum! {
    /// By what units are sorted; ties by id.
    UnitSort as "unit_sort" {
        Path = "path", "树的次序", "Order of the tree", grey;
        PathDown = "-path", "树的逆序", "Reverse order of the tree", grey;
        Code = "code", "代码", "Code", grey;
        CodeDown = "-code", "代码逆序", "Code, descending", grey;
        Name = "name", "名称", "Name", grey;
        NameDown = "-name", "名称逆序", "Name, descending", grey;
    }
}

/// What a list of units is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct UnitFilter {
    /// Of these kinds; empty for all.
    pub kinds: Vec<UnitKind>,
    /// With these statuses; empty for all.
    pub statuses: Vec<UnitStatus>,
    /// Only these units.
    pub below: Option<PathRange>,
    /// Directly under this unit.
    pub parent: Option<UnitId>,
    /// With this official code.
    pub code: Option<String>,
    /// As they were on this day.
    pub as_of: Option<NaiveDate>,
    /// Whose name or code holds this, case folded.
    pub search: Option<String>,
}

/// The one place where the table is named for reading: tenant and reach, and in force.
macro_rules! visible {
    ($tenant:expr, $reach:expr) => {
        in_force!(
            within_reach!(units::table, $reach, units::path).filter(units::tenant_id.eq($tenant)),
            $tenant,
            units::batch_id
        )
    };
}

/// A query narrowed by a filter: by what units are, or were on a day.
macro_rules! narrowed {
    ($query:expr, $filter:expr, ($status:expr, $path:expr, $parent:expr, $search:expr)) => {{
        let mut query = $query;
        if !$filter.kinds.is_empty() {
            query = query.filter(units::kind.eq_any($filter.kinds.clone()));
        }
        if !$filter.statuses.is_empty() {
            query = query.filter($status.eq_any($filter.statuses.clone()));
        }
        if let Some(range) = $filter.below.clone() {
            query = query.filter($path.ge(range.low)).filter($path.lt(range.high));
        }
        if let Some(parent) = $filter.parent {
            query = query.filter($parent.eq(parent));
        }
        if let Some(code) = $filter.code.clone() {
            query = query.filter(units::code.eq(code));
        }
        if let Some(search) = &$filter.search {
            query = query.filter($search.like(contains_pattern(search)).escape('\\'));
        }
        query
    }};
}

macro_rules! filtered {
    ($tenant:expr, $reach:expr, $filter:expr) => {
        narrowed!(
            visible!($tenant, $reach),
            $filter,
            (units::status, units::path, units::parent_id, units::search_text)
        )
    };
}

/// In the order asked for, after the place of the cursor.
macro_rules! sorted {
    ($query:expr, $c:expr, $sort:expr, $first:expr, $second:expr, ($path:expr, $code:expr, $name:expr)) => {
        match ($sort, $first) {
            (UnitSort::Path, None) => $query.order($path.asc()).load($c),
            (UnitSort::Path, Some(at)) => $query.filter($path.gt(at)).order($path.asc()).load($c),
            (UnitSort::PathDown, None) => $query.order($path.desc()).load($c),
            (UnitSort::PathDown, Some(at)) => $query.filter($path.lt(at)).order($path.desc()).load($c),
            (UnitSort::Code, None) => $query.order($code.asc()).load($c),
            (UnitSort::Code, Some(at)) => $query.filter($code.gt(at)).order($code.asc()).load($c),
            (UnitSort::CodeDown, None) => $query.order($code.desc()).load($c),
            (UnitSort::CodeDown, Some(at)) => $query.filter($code.lt(at)).order($code.desc()).load($c),
            (UnitSort::Name, None) => $query.order(($name.asc(), $path.asc())).load($c),
            (UnitSort::Name, Some(at)) => $query
                .filter($name.gt(at.clone()).or($name.eq(at).and($path.gt($second))))
                .order(($name.asc(), $path.asc()))
                .load($c),
            (UnitSort::NameDown, None) => $query.order(($name.desc(), $path.desc())).load($c),
            (UnitSort::NameDown, Some(at)) => $query
                .filter($name.lt(at.clone()).or($name.eq(at).and($path.lt($second))))
                .order(($name.desc(), $path.desc()))
                .load($c),
        }
    };
}

/// Names need not be unique: the path decides between equals.
fn place(sort: UnitSort) -> fn(&Unit) -> Cursor {
    match sort {
        UnitSort::Path | UnitSort::PathDown => |unit| vec![unit.path.clone()],
        UnitSort::Code | UnitSort::CodeDown => |unit| vec![unit.code.clone()],
        UnitSort::Name | UnitSort::NameDown => |unit| vec![unit.name.clone(), unit.path.clone()],
    }
}

/// The keys after which the page begins.
fn after(sort: UnitSort, paging: &Paging) -> Result<(Option<String>, String)> {
    let keys = if matches!(sort, UnitSort::Name | UnitSort::NameDown) { 2 } else { 1 };
    let mut place = paging.after(keys)?.unwrap_or_default().into_iter();
    Ok((place.next(), place.next().unwrap_or_default()))
}

pub(super) fn list<A: Action>(
    tx: &mut Tx<'_, A>,
    filter: &UnitFilter,
    sort: UnitSort,
    paging: &Paging,
) -> Result<Page<Unit>> {
    let (tenant, reach) = (tx.tenant(), tx.reach().clone());
    let (first, second) = after(sort, paging)?;
    let total: Option<i64> = if paging.counts() {
        Some(with_conn!(tx.conn(), c => filtered!(tenant, reach, filter).count().get_result(c))?)
    } else {
        None
    };
    let rows: Vec<UnitRow> = with_conn!(tx.conn(), c => {
        let query = filtered!(tenant, reach, filter).select(UnitRow::as_select()).limit(paging.fetch());
        sorted!(query, c, sort, first, second, (units::path, units::code, units::name))
    })?;
    Ok(paging.page(rows.into_iter().map(Unit::from).collect(), total, place(sort)))
}

/// What a period says in place of the unit's row.
#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = unit_periods)]
struct ThenRow {
    parent_id: Option<UnitId>,
    name: String,
    status: UnitStatus,
    path: String,
}

macro_rules! filtered_on {
    ($tenant:expr, $reach:expr, $filter:expr, $day:expr) => {{
        let join = units::table.inner_join(
            unit_periods::table
                .on(unit_periods::tenant_id.eq(units::tenant_id).and(unit_periods::unit_id.eq(units::id))),
        );
        // Reach follows today's tree; everything else that of the day.
        let query = in_force!(within_reach!(join, $reach, units::path), $tenant, units::batch_id)
            .filter(units::tenant_id.eq($tenant))
            .filter(unit_periods::valid_from_on.le($day))
            .filter(unit_periods::valid_until_on.is_null().or(unit_periods::valid_until_on.ge($day)));
        narrowed!(
            query,
            $filter,
            (unit_periods::status, unit_periods::path, unit_periods::parent_id, unit_periods::search_text)
        )
    }};
}

/// Units within today's reach as they were on a day.
pub(super) fn list_on<A: Action>(
    tx: &mut Tx<'_, A>,
    day: NaiveDate,
    filter: &UnitFilter,
    sort: UnitSort,
    paging: &Paging,
) -> Result<Page<Unit>> {
    let (tenant, reach) = (tx.tenant(), tx.reach().clone());
    let (first, second) = after(sort, paging)?;
    let total: Option<i64> = if paging.counts() {
        Some(with_conn!(tx.conn(), c => filtered_on!(tenant, reach, filter, day).count().get_result(c))?)
    } else {
        None
    };
    let rows: Vec<(UnitRow, ThenRow)> = with_conn!(tx.conn(), c => {
        let query = filtered_on!(tenant, reach, filter, day)
            .select((UnitRow::as_select(), ThenRow::as_select()))
            .limit(paging.fetch());
        sorted!(query, c, sort, first, second, (unit_periods::path, units::code, unit_periods::name))
    })?;
    let units = rows.into_iter().map(|(now, then)| {
        let ThenRow { parent_id, name, status, path } = then;
        Unit { parent_id, name, status, path, ..Unit::from(now) }
    });
    Ok(paging.page(units.collect(), total, place(sort)))
}

/// The unit, if it lies within `reach`.
pub(super) fn find<A: Action>(tx: &mut Tx<'_, A>, reach: &Reach, id: UnitId) -> Result<Option<Unit>> {
    let tenant = tx.tenant();
    let row: Option<UnitRow> = with_conn!(tx.conn(), c => visible!(tenant, reach)
        .filter(units::id.eq(id))
        .select(UnitRow::as_select())
        .first(c)
        .optional())?;
    Ok(row.map(Unit::from))
}

/// Those of the units that lie within `reach`.
pub(super) fn find_many<A: Action>(tx: &mut Tx<'_, A>, reach: &Reach, ids: &[UnitId]) -> Result<Vec<Unit>> {
    // One is asked for most often, and its statement is kept prepared, which a list's is not.
    if let [id] = ids {
        return Ok(find(tx, reach, *id)?.into_iter().collect());
    }
    let tenant = tx.tenant();
    let mut found = Vec::with_capacity(ids.len());
    // SQLite takes a bounded number of values in one statement.
    for some in ids.chunks(500) {
        let rows: Vec<UnitRow> = with_conn!(tx.conn(), c => visible!(tenant, reach)
            .filter(units::id.eq_any(some.to_vec()))
            .select(UnitRow::as_select())
            .load(c))?;
        found.extend(rows.into_iter().map(Unit::from));
    }
    Ok(found)
}

/// The units of a subtree that work, of one kind if one is said, whatever the reach; in the order of the tree.
pub(super) fn working_below<A: Action>(
    tx: &mut Tx<'_, A>,
    range: PathRange,
    kind: Option<UnitKind>,
    most: Option<i64>,
) -> Result<Vec<Unit>> {
    let (tenant, reach) = (tx.tenant(), Reach::whole_tenant());
    let rows: Vec<UnitRow> = with_conn!(tx.conn(), c => {
        let mut query = visible!(tenant, reach)
            .filter(units::path.ge(range.low))
            .filter(units::path.lt(range.high))
            .filter(units::status.eq(UnitStatus::Active));
        if let Some(kind) = kind {
            query = query.filter(units::kind.eq(kind));
        }
        if let Some(most) = most {
            query = query.limit(most);
        }
        query.order(units::path).select(UnitRow::as_select()).load(c)
    })?;
    Ok(rows.into_iter().map(Unit::from).collect())
}

/// The units at these paths, whatever the reach.
pub(super) fn at_paths<A: Action>(tx: &mut Tx<'_, A>, paths: &[String]) -> Result<Vec<Unit>> {
    let (tenant, reach) = (tx.tenant(), Reach::whole_tenant());
    let rows: Vec<UnitRow> = with_conn!(tx.conn(), c => visible!(tenant, reach)
        .filter(units::path.eq_any(paths.to_vec()))
        .select(UnitRow::as_select())
        .load(c))?;
    Ok(rows.into_iter().map(Unit::from).collect())
}

/// The units directly under one, whatever the reach.
pub(super) fn directly_under<A: Action>(tx: &mut Tx<'_, A>, unit: UnitId) -> Result<Vec<Unit>> {
    let (tenant, reach) = (tx.tenant(), Reach::whole_tenant());
    let rows: Vec<UnitRow> = with_conn!(tx.conn(), c => visible!(tenant, reach)
        .filter(units::parent_id.eq(unit))
        .order(units::path)
        .select(UnitRow::as_select())
        .load(c))?;
    Ok(rows.into_iter().map(Unit::from).collect())
}

/// The unit with this official code.
pub(super) fn find_by_code<A: Action>(tx: &mut Tx<'_, A>, code: &str) -> Result<Option<Unit>> {
    let (tenant, reach) = (tx.tenant(), Reach::whole_tenant());
    let row: Option<UnitRow> = with_conn!(tx.conn(), c => visible!(tenant, reach)
        .filter(units::code.eq(code.to_owned()))
        .select(UnitRow::as_select())
        .first(c)
        .optional())?;
    Ok(row.map(Unit::from))
}

/// Those units of the tenant that have one of these official codes, whatever the reach.
pub(super) fn by_codes<A: Action>(tx: &mut Tx<'_, A>, codes: &[&str]) -> Result<Vec<Unit>> {
    let (tenant, reach) = (tx.tenant(), Reach::whole_tenant());
    let mut found = Vec::new();
    for some in codes.chunks(500) {
        let rows: Vec<UnitRow> = with_conn!(tx.conn(), c => visible!(tenant, reach)
            .filter(units::code.eq_any(some.to_vec()))
            .select(UnitRow::as_select())
            .load(c))?;
        found.extend(rows.into_iter().map(Unit::from));
    }
    Ok(found)
}

/// Enters units, parents before children; those of a batch are not seen before it is closed.
pub(super) fn insert<A: Action>(tx: &mut Tx<'_, A>, new: Vec<Unit>, batch_id: Option<JobId>) -> Result<()> {
    let tenant_id = tx.tenant();
    let rows: Vec<NewUnit> = new
        .into_iter()
        .map(|unit| NewUnit {
            tenant_id,
            search_text: fold(&format!("{} {}", unit.name, unit.code)),
            id: unit.id,
            parent_id: unit.parent_id,
            code: unit.code,
            name: unit.name,
            kind: unit.kind,
            status: unit.status,
            path: unit.path,
            version: unit.version,
            created_at: unit.created_at,
            updated_at: unit.updated_at,
            batch_id,
        })
        .collect();
    insert_rows!(tx.conn(), units::table, &rows);
    Ok(())
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = provinces)]
struct ProvinceRow {
    tenant_id: TenantId,
    name: String,
    status: ProvinceStatus,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

impl From<ProvinceRow> for Province {
    fn from(row: ProvinceRow) -> Self {
        let ProvinceRow { tenant_id, name, status, version, created_at, updated_at } = row;
        Self { code: tenant_id, name, status, version, created_at, updated_at }
    }
}

/// Every province; the reserved tenant is none.
pub(super) fn provinces<A: Action>(tx: &mut Tx<'_, A>, paging: &Paging) -> Result<Page<Province>> {
    let after = paging
        .after(1)?
        .and_then(|place| place.into_iter().next())
        .unwrap_or_else(|| TenantId::PLATFORM.to_string());
    let total: Option<i64> = if paging.counts() {
        Some(with_conn!(tx.conn(), c => provinces::table
            .filter(provinces::tenant_id.ne(TenantId::PLATFORM))
            .count()
            .get_result(c))?)
    } else {
        None
    };
    let rows: Vec<ProvinceRow> = with_conn!(tx.conn(), c => provinces::table
        .filter(provinces::tenant_id.gt(after))
        .order(provinces::tenant_id.asc())
        .limit(paging.fetch())
        .select(ProvinceRow::as_select())
        .load(c))?;
    Ok(paging.page(rows.into_iter().map(Province::from).collect(), total, |province| {
        vec![province.code.to_string()]
    }))
}

/// The provinces at work.
pub(super) fn working_tenants<A: Action>(tx: &mut Tx<'_, A>) -> Result<Vec<TenantId>> {
    Ok(with_conn!(tx.conn(), c => provinces::table
        .filter(provinces::status.eq(ProvinceStatus::Active))
        .filter(provinces::tenant_id.ne(TenantId::PLATFORM))
        .order(provinces::tenant_id)
        .select(provinces::tenant_id)
        .load(c))?)
}

pub(super) fn all_tenants<A: Action>(tx: &mut Tx<'_, A>) -> Result<Vec<TenantId>> {
    Ok(with_conn!(tx.conn(), c => provinces::table
        .filter(provinces::tenant_id.ne(TenantId::PLATFORM))
        .order(provinces::tenant_id)
        .select(provinces::tenant_id)
        .load(c))?)
}

pub(super) fn province<A: Action>(tx: &mut Tx<'_, A>, code: TenantId) -> Result<Option<Province>> {
    let row: Option<ProvinceRow> = with_conn!(tx.conn(), c => provinces::table
        .find(code)
        .select(ProvinceRow::as_select())
        .first(c)
        .optional())?;
    Ok(row.map(Province::from))
}

/// Locks the province's row until the transaction ends, so that what it has one of (its calendar, its
/// settings) is changed by one at a time; SQLite has one writer anyway. Rows that refer to the
/// province are not held up.
pub(super) fn lock_province<A: Action>(tx: &mut Tx<'_, A>) -> Result<()> {
    let tenant = tx.tenant();
    lock_row!(tx.conn(), provinces::table.find(tenant).select(provinces::tenant_id));
    Ok(())
}

pub(super) fn insert_province<A: Action>(tx: &mut Tx<'_, A>, name: &str) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    with_conn!(tx.conn(), c => diesel::insert_into(provinces::table)
        .values((
            provinces::tenant_id.eq(tenant),
            provinces::name.eq(name),
            provinces::status.eq(ProvinceStatus::Active),
            provinces::version.eq(1_i64),
            provinces::created_at.eq(now),
            provinces::updated_at.eq(now),
        ))
        .execute(c))?;
    Ok(())
}
