//! Use cases on provinces and units.

use std::collections::HashMap;

use chrono::NaiveDate;

use super::changes::service as changes;
use super::rules::{Province, Unit, UnitId, UnitKind, UnitStatus, path_under};
use super::store;
pub use super::store::{UnitFilter, UnitSort};
use crate::access::policy::{Action, Background, CommandLine, ProvinceRead, UnitRead};
use crate::access::{PathRange, Reach, Tx};
use crate::audit::Change;
use crate::db::{Id, TenantId};
use crate::errors::{AppError, Code, Result, deactivated, unknown};
use crate::web::{Page, Paging};

/// Units within reach.
///
/// # Errors
/// `invalid_cursor`.
pub fn units(
    tx: &mut Tx<'_, UnitRead>,
    filter: &UnitFilter,
    sort: UnitSort,
    paging: &Paging,
) -> Result<Page<Unit>> {
    match filter.as_of {
        Some(day) => store::list_on(tx, day, filter, sort, paging),
        None => store::list(tx, filter, sort, paging),
    }
}

/// One unit within reach, of `kind` where the address fixes it.
///
/// # Errors
/// `not_found`.
pub fn unit(tx: &mut Tx<'_, UnitRead>, id: UnitId, kind: Option<UnitKind>) -> Result<Unit> {
    let reach = tx.reach().clone();
    store::find(tx, &reach, id)?
        .filter(|unit| kind.is_none_or(|kind| unit.kind == kind))
        .ok_or_else(|| AppError::new(Code::NotFound))
}

/// The subtree of a unit within reach.
///
/// # Errors
/// `not_found`, `invalid_cursor`.
pub fn subtree(
    tx: &mut Tx<'_, UnitRead>,
    id: UnitId,
    mut filter: UnitFilter,
    sort: UnitSort,
    paging: &Paging,
) -> Result<Page<Unit>> {
    let root = unit(tx, id, None)?;
    filter.below = Some(PathRange::subtree(&root.path));
    store::list(tx, &filter, sort, paging)
}

/// A unit that a body or a filter refers to: one the caller may read.
///
/// # Errors
/// When the database fails; a foreign or unknown one is `None`.
pub fn readable<A: Action>(tx: &mut Tx<'_, A>, id: UnitId) -> Result<Option<Unit>> {
    match tx.reach_of::<UnitRead>() {
        Some(reach) => store::find(tx, &reach, id),
        None => Ok(None),
    }
}

/// Those of the units that the caller may read.
///
/// # Errors
/// When the database fails.
pub fn readable_many<A: Action>(tx: &mut Tx<'_, A>, ids: &[UnitId]) -> Result<Vec<Unit>> {
    match tx.reach_of::<UnitRead>() {
        Some(reach) => store::find_many(tx, &reach, ids),
        None => Ok(Vec::new()),
    }
}

/// A unit that this very action reaches: where its object may be put.
///
/// # Errors
/// When the database fails; one that is unknown or out of reach is `None`.
pub fn reached<A: Action>(tx: &mut Tx<'_, A>, id: UnitId) -> Result<Option<Unit>> {
    let reach = tx.reach().clone();
    store::find(tx, &reach, id)
}

/// Those of the units that this very action reaches.
///
/// # Errors
/// When the database fails.
pub fn reached_many<A: Action>(tx: &mut Tx<'_, A>, ids: &[UnitId]) -> Result<Vec<Unit>> {
    let reach = tx.reach().clone();
    store::find_many(tx, &reach, ids)
}

/// The unit that an officer, an account or a campaign is put at: one that this action reaches, and that
/// works.
///
/// # Errors
/// `invalid_body` at `/unit_id`.
pub fn placed<A: Action>(tx: &mut Tx<'_, A>, id: UnitId) -> Result<Unit> {
    const POINTER: &str = "/unit_id";
    let error = match reached(tx, id)? {
        None => unknown(POINTER),
        Some(unit) if unit.status == UnitStatus::Deactivated => deactivated(POINTER),
        Some(unit) => return Ok(unit),
    };
    Err(AppError::fields(Code::InvalidBody, vec![error]))
}

/// The units directly under one, working or not.
///
/// # Errors
/// When the database fails.
pub fn directly_under<A: Action>(tx: &mut Tx<'_, A>, unit: UnitId) -> Result<Vec<Unit>> {
    store::directly_under(tx, unit)
}

/// Units that something visible refers to: their names may be shown with it.
///
/// # Errors
/// When the database fails.
pub fn referred<A: Action>(tx: &mut Tx<'_, A>, ids: &[UnitId]) -> Result<Vec<Unit>> {
    store::find_many(tx, &Reach::whole_tenant(), ids)
}

/// The units of a subtree that work, of one kind if one is said, for what goes down the tree: in its order.
///
/// # Errors
/// When the database fails.
pub fn working_below<A: Action>(
    tx: &mut Tx<'_, A>,
    range: PathRange,
    kind: Option<UnitKind>,
) -> Result<Vec<Unit>> {
    store::working_below(tx, range, kind, None)
}

/// The units of a subtree that work, so many at most, for what refers to the whole of it: in its order.
///
/// # Errors
/// When the database fails.
pub fn some_working_below<A: Action>(tx: &mut Tx<'_, A>, range: PathRange, most: i64) -> Result<Vec<Unit>> {
    store::working_below(tx, range, None, Some(most))
}

/// The units at these paths: those where somebody holds a role, for their own eyes.
///
/// # Errors
/// When the database fails.
pub fn at_paths<A: Action>(tx: &mut Tx<'_, A>, paths: &[String]) -> Result<Vec<Unit>> {
    store::at_paths(tx, paths)
}

/// The range of paths that `unit_id=` in a query reaches: the subtree, or the unit alone. A unit that is out
/// of reach and one that does not exist hold the same: nothing.
///
/// # Errors
/// When the database fails.
pub fn range_of<A: Action>(tx: &mut Tx<'_, A>, id: UnitId, alone: bool) -> Result<PathRange> {
    Ok(readable(tx, id)?.map_or_else(PathRange::nothing, |unit| range(&unit, alone)))
}

/// The same on a day: the subtree of the tree as it was then. A unit that was not there yet holds nothing.
///
/// # Errors
/// When the database fails.
pub fn range_on(
    tx: &mut Tx<'_, UnitRead>,
    id: UnitId,
    alone: bool,
    day: Option<NaiveDate>,
) -> Result<PathRange> {
    let Some(day) = day else { return range_of(tx, id, alone) };
    match changes::on_day(tx, id, day) {
        Ok(unit) => Ok(range(&unit, alone)),
        Err(error) if error.code() == Code::NotFound => Ok(PathRange::nothing()),
        Err(error) => Err(error),
    }
}

fn range(unit: &Unit, alone: bool) -> PathRange {
    if alone { PathRange::alone(&unit.path) } else { PathRange::subtree(&unit.path) }
}

/// The units with these official codes, whatever the reach, which whoever asks must look at.
///
/// # Errors
/// When the database fails.
pub fn coded<A: Action>(tx: &mut Tx<'_, A>, codes: &[&str]) -> Result<HashMap<String, Unit>> {
    Ok(store::by_codes(tx, codes)?.into_iter().map(|unit| (unit.code.clone(), unit)).collect())
}

/// Holds a unit's row until the transaction ends: whoever wants to be its head waits.
///
/// # Errors
/// When the database fails.
pub fn lock<A: Action>(tx: &mut Tx<'_, A>, id: UnitId) -> Result<()> {
    changes::lock(tx, id)
}

/// Every province.
///
/// # Errors
/// `invalid_cursor`.
pub fn provinces(tx: &mut Tx<'_, ProvinceRead>, paging: &Paging) -> Result<Page<Province>> {
    store::provinces(tx, paging)
}

/// One province.
///
/// # Errors
/// `not_found`.
pub fn province(tx: &mut Tx<'_, ProvinceRead>, code: TenantId) -> Result<Province> {
    if code == TenantId::PLATFORM {
        return Err(AppError::new(Code::NotFound));
    }
    store::province(tx, code)?.ok_or_else(|| AppError::new(Code::NotFound))
}

/// A unit to enter, as a file or the command line names it.
#[derive(Debug, Clone)]
pub struct Entered {
    /// The official code.
    pub code: String,
    /// The name.
    pub name: String,
    /// What it is.
    pub kind: UnitKind,
    /// The place of its parent in the same list.
    pub parent: Option<usize>,
}

/// Sets a tenant up: the province itself and its tree, parents before children.
///
/// # Errors
/// When it is there already.
pub fn found_province(tx: &mut Tx<'_, CommandLine>, name: &str, tree: &[Entered]) -> Result<Vec<Unit>> {
    store::insert_province(tx, name)?;
    let now = tx.now();
    let mut units: Vec<Unit> = Vec::with_capacity(tree.len());
    for entered in tree {
        let parent = entered.parent.and_then(|at| units.get(at));
        units.push(Unit {
            id: Id::generate(),
            parent_id: parent.map(|parent| parent.id),
            path: path_under(parent.map(|parent| parent.path.as_str()), &entered.code),
            code: entered.code.clone(),
            name: entered.name.clone(),
            kind: entered.kind,
            status: UnitStatus::Active,
            version: 1,
            created_at: now,
            updated_at: now,
        });
    }
    store::insert(tx, units.clone(), None)?;
    changes::found(tx, &units)?;
    let facts = serde_json::json!({ "name": name, "units": units.len() });
    let tenant = tx.tenant().to_string();
    tx.record(&Change {
        entity: "province",
        entity_id: &tenant,
        before: None,
        after: Some(&facts),
        reason: None,
    })?;
    Ok(units)
}

/// The provinces at work, for what the server does by itself in each.
///
/// # Errors
/// When the database fails.
pub fn working_tenants(tx: &mut Tx<'_, Background>) -> Result<Vec<TenantId>> {
    store::working_tenants(tx)
}

/// Every province that has been set up, at work or not.
///
/// # Errors
/// When the database fails.
pub fn all_tenants<A: Action>(tx: &mut Tx<'_, A>) -> Result<Vec<TenantId>> {
    store::all_tenants(tx)
}

/// Holds the province's row until the transaction ends: what it has one of is changed, what it counts is counted, by one at
/// a time.
///
/// # Errors
/// When the database fails.
pub fn lock_province<A: Action>(tx: &mut Tx<'_, A>) -> Result<()> {
    store::lock_province(tx)
}

/// Whether the tenant has been set up.
///
/// # Errors
/// When the database fails.
pub fn exists<A: Action>(tx: &mut Tx<'_, A>) -> Result<bool> {
    let tenant = tx.tenant();
    Ok(store::province(tx, tenant)?.is_some())
}

/// The unit with this official code, for the command line.
///
/// # Errors
/// When the database fails.
pub fn by_code(tx: &mut Tx<'_, CommandLine>, code: &str) -> Result<Option<Unit>> {
    store::find_by_code(tx, code)
}
