//! Use cases on what happens to units. Whoever moves or ends a unit sees to it that everything which
//! stands at it goes along, in one transaction, with one audit row a unit touched.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::rules::{
    self, BEFORE_RECORDS, Period, UnitAction, UnitChange, UnitDraft, effective, follows, may_stand_under,
    may_take_over, still_works,
};
use super::{batch_store, store};
use crate::access::accounts::handover::service as accounts;
use crate::access::policy::{
    AccountsFollow, Action, CommandLine, MayCause, PersonsFollow, UnitCreate, UnitDeactivate, UnitMerge,
    UnitMove, UnitRead, UnitUpdate, WorkFollow,
};
use crate::access::{Reach, Rights, Tx};
use crate::audit::{Change, Told};
use crate::campaigns::handover::{parents, service as work};
use crate::errors::{AppError, Code, FieldError, Result, text, unknown};
use crate::inspections::handover as inspections;
use crate::org::officers::service as officers;
use crate::org::rules::{Unit, UnitId, UnitKind, UnitStatus, path_under};
use crate::org::store as units;
use crate::web::{Page, Paging};

/// A unit to enter, as a request describes it.
#[derive(Debug, Clone)]
pub struct NewUnit {
    /// The id the client chose.
    pub id: Option<UnitId>,
    /// The official code.
    pub code: String,
    /// What it is.
    pub kind: UnitKind,
    /// The unit above.
    pub parent_id: UnitId,
    /// Its name, the day it counts from, and why.
    pub draft: UnitDraft,
}

/// Where a unit goes, or who takes over from it.
#[derive(Debug, Clone)]
pub struct Reorganisation {
    /// The other unit.
    pub to: UnitId,
    /// The day it counts from; today when not said.
    pub effective_on: Option<NaiveDate>,
    /// Why.
    pub reason: String,
}

/// Holds a unit's row until the transaction ends.
///
/// # Errors
/// When the database fails.
pub fn lock<A: Action>(tx: &mut Tx<'_, A>, id: UnitId) -> Result<()> {
    store::lock(tx, id)
}

/// What the caller may do with units: asked once a request, not once a row.
#[must_use]
pub fn rights<A: Action>(tx: &Tx<'_, A>) -> Rights<UnitAction> {
    Rights::new([
        (UnitAction::Update, tx.reach_of::<UnitUpdate>()),
        (UnitAction::Move, tx.reach_of::<UnitMove>()),
        (UnitAction::Merge, tx.reach_of::<UnitMerge>()),
        (UnitAction::Deactivate, tx.reach_of::<UnitDeactivate>()),
    ])
}

/// What they allow with this unit. Whether something still stands at it is told when it is tried.
#[must_use]
pub fn allowed(rights: &Rights<UnitAction>, unit: &Unit) -> Vec<UnitAction> {
    if unit.status == UnitStatus::Deactivated {
        return Vec::new();
    }
    let fits = |action: &UnitAction| *action == UnitAction::Update || unit.parent_id.is_some();
    rights.at(&unit.path).filter(fits).collect()
}

/// Who took over from those of the units that are deactivated.
///
/// # Errors
/// When the database fails.
pub fn successors<A: Action>(tx: &mut Tx<'_, A>, units: &[Unit]) -> Result<HashMap<UnitId, UnitId>> {
    let gone: Vec<UnitId> =
        units.iter().filter(|unit| unit.status == UnitStatus::Deactivated).map(|unit| unit.id).collect();
    if gone.is_empty() { Ok(HashMap::new()) } else { store::successors(tx, &gone) }
}

/// The periods of a unit within reach, the newest first.
///
/// # Errors
/// `not_found`, `invalid_cursor`.
pub fn history(tx: &mut Tx<'_, UnitRead>, id: UnitId, paging: &Paging) -> Result<Page<Period>> {
    within(tx, id)?;
    store::history(tx, id, paging)
}

/// A unit within today's reach as it was on a day.
///
/// # Errors
/// `not_found`, also when it was not there yet.
pub fn on_day<A: Action>(tx: &mut Tx<'_, A>, id: UnitId, day: NaiveDate) -> Result<Unit> {
    let unit = within(tx, id)?;
    let reach = tx.reach().clone();
    let period = store::on_day(tx, &reach, id, day)?.ok_or_else(|| AppError::new(Code::NotFound))?;
    Ok(as_then(unit, period))
}

/// Since when a unit works no more; none when it still does.
///
/// # Errors
/// When the database fails.
pub fn ended_on<A: Action>(tx: &mut Tx<'_, A>, id: UnitId) -> Result<Option<NaiveDate>> {
    store::ended_on(tx, id)
}

/// The unit with what a period says of it.
#[must_use]
pub fn as_then(unit: Unit, period: Period) -> Unit {
    let Period { name, parent_id, path, status, .. } = period;
    Unit { parent_id, name, status, path, ..unit }
}

fn within<A: Action>(tx: &mut Tx<'_, A>, id: UnitId) -> Result<Unit> {
    let reach = tx.reach().clone();
    units::find(tx, &reach, id)?.ok_or_else(|| AppError::new(Code::NotFound))
}

/// A unit that the body names: one this action reaches.
fn named<A: Action>(tx: &mut Tx<'_, A>, id: UnitId, pointer: &'static str) -> Result<Unit> {
    let reach = tx.reach().clone();
    let found = units::find(tx, &reach, id)?;
    found.ok_or_else(|| AppError::fields(Code::InvalidBody, vec![unknown(pointer)]))
}

/// What the audit log keeps a digest of.
pub(super) fn facts(unit: &Unit, from_on: NaiveDate, successor: Option<UnitId>) -> Value {
    json!({
        "code": unit.code, "name": unit.name, "kind": unit.kind, "parent_id": unit.parent_id, "path": unit.path,
        "status": unit.status, "from_on": from_on, "successor_id": successor,
    })
}

/// Enters a unit; whether it was here already.
///
/// # Errors
/// `id_taken`, `unit_code_taken`, `invalid_body` at `/parent_id`, `/effective_on`.
pub fn create(tx: &mut Tx<'_, UnitCreate>, new: &NewUnit) -> Result<(Unit, bool)> {
    let (id_taken, code_taken) = store::is_taken(tx, new.id, &new.code)?;
    if let (Some(id), true) = (new.id, id_taken) {
        let mine = tx.reach().clone();
        let there = units::find(tx, &mine, id)?;
        tx.nothing_changed();
        return match there {
            Some(there) if same(&there, new) => Ok((there, true)),
            _ => Err(AppError::new(Code::IdTaken)),
        };
    }
    // Nothing is here yet: an If-Match that names a version of it is stale.
    tx.check_version(0)?;
    let parent = named(tx, new.parent_id, "/parent_id")?;
    rules::holds(&parent, new.kind, "/parent_id")?;
    let day = effective(new.draft.effective_on, tx.now().shanghai_day())?;
    finds(tx, &parent, day)?;
    if code_taken {
        return Err(AppError::new(Code::UnitCodeTaken));
    }
    let unit = Unit {
        id: new.id.unwrap_or_else(UnitId::generate),
        parent_id: Some(parent.id),
        path: path_under(Some(&parent.path), &new.code),
        code: new.code.clone(),
        name: new.draft.name.clone(),
        kind: new.kind,
        status: UnitStatus::Active,
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    units::insert(tx, vec![unit.clone()], None)?;
    let reason = new.draft.reason.as_deref();
    let period = Period::of(&unit, UnitChange::Created, day, reason, tx.now());
    store::begin(tx, day, &[(period, &unit.code)])?;
    record(tx, None, &facts(&unit, day, None), unit.id, reason)?;
    Ok((unit, false))
}

fn same(there: &Unit, new: &NewUnit) -> bool {
    there.code == new.code
        && there.name == new.draft.name
        && there.kind == new.kind
        && there.parent_id == Some(new.parent_id)
}

/// What goes to another unit must find it there on its day, where it stands now: else the tree of that
/// day would have a branch without a stem.
fn finds<A: Action>(tx: &mut Tx<'_, A>, other: &Unit, day: NaiveDate) -> Result<()> {
    match store::placed_since(tx, &[other.id])?.get(&other.id) {
        Some(since) => rules::stands_there(&other.name, *since, day),
        None => Err(AppError::internal("a unit without a period")),
    }
}

fn record<A: Action>(
    tx: &mut Tx<'_, A>,
    before: Option<&Value>,
    after: &Value,
    id: UnitId,
    reason: Option<&str>,
) -> Result<()> {
    let entity_id = id.to_string();
    tx.record(&Change { entity: "unit", entity_id: &entity_id, before, after: Some(after), reason })
}

/// The periods with which a tenant's units begin when it is set up.
///
/// # Errors
/// When the database fails.
pub fn found(tx: &mut Tx<'_, CommandLine>, founded: &[Unit]) -> Result<()> {
    let now = tx.now();
    let periods: Vec<(Period, &str)> = founded
        .iter()
        .map(|unit| (Period::of(unit, UnitChange::Created, BEFORE_RECORDS, None, now), unit.code.as_str()))
        .collect();
    store::begin(tx, BEFORE_RECORDS, &periods)
}

/// Gives a unit another name as `merge` says.
///
/// # Errors
/// `not_found`, `precondition_failed`, `unit_deactivated`, `invalid_body`.
pub fn rename(
    tx: &mut Tx<'_, UnitUpdate>,
    id: UnitId,
    kind: Option<UnitKind>,
    merge: impl FnOnce(&UnitDraft) -> Result<UnitDraft>,
) -> Result<Unit> {
    store::lock(tx, id)?;
    let before = of_kind(within(tx, id)?, kind)?;
    tx.check_version(before.version)?;
    still_works(&before)?;
    let draft = merge(&UnitDraft { name: before.name.clone(), effective_on: None, reason: None })?;
    if draft.name == before.name {
        tx.nothing_changed();
        return Ok(before);
    }
    let day = effective(draft.effective_on, tx.now().shanghai_day())?;
    let mut unit = before.clone();
    unit.name = draft.name;
    store::save(tx, &mut unit)?;
    begin(tx, &[(before, unit.clone())], UnitChange::Renamed, day, draft.reason.as_deref())?;
    Ok(unit)
}

fn of_kind(unit: Unit, kind: Option<UnitKind>) -> Result<Unit> {
    if kind.is_none_or(|kind| unit.kind == kind) { Ok(unit) } else { Err(AppError::new(Code::NotFound)) }
}

/// Begins the periods of units that have changed, and leaves their audit rows.
pub(super) fn begin<A: Action>(
    tx: &mut Tx<'_, A>,
    changed: &[(Unit, Unit)],
    change: UnitChange,
    day: NaiveDate,
    reason: Option<&str>,
) -> Result<()> {
    let ids: Vec<UnitId> = changed.iter().map(|(unit, _)| unit.id).collect();
    let current = store::since(tx, &ids)?;
    // What has ended below a unit that moves goes along, and whoever took over from it did so still.
    let ended: Vec<UnitId> = changed
        .iter()
        .filter(|(unit, _)| unit.status == UnitStatus::Deactivated)
        .map(|(unit, _)| unit.id)
        .collect();
    let successors = store::successors(tx, &ended)?;
    let now = tx.now();
    let mut periods = Vec::with_capacity(changed.len());
    let mut told = Vec::with_capacity(changed.len());
    for (before, after) in changed {
        let &(since, began) =
            current.get(&before.id).ok_or_else(|| AppError::internal("a unit without a period"))?;
        follows(before, since, day)?;
        // What is set up and renamed on one day was set up under its new name.
        let change = if since == day && began == UnitChange::Created { began } else { change };
        let successor_id = successors.get(&after.id).copied();
        let period = Period { successor_id, ..Period::of(after, change, day, reason, now) };
        periods.push((period, after.code.as_str()));
        told.push(Told {
            id: after.id.to_string(),
            before: Some(facts(before, since, successor_id)),
            after: Some(facts(after, day, successor_id)),
            reason,
        });
    }
    tx.record_many("unit", told)?;
    store::begin(tx, day, &periods)
}

/// Puts a unit, with everything below it, under another one.
///
/// # Errors
/// `not_found`, `precondition_failed`, `unit_deactivated`, `unit_is_root`, `move_into_itself`,
/// `import_under_way`, `invalid_body` at `/parent_id`, `/effective_on`.
pub fn relocate(tx: &mut Tx<'_, UnitMove>, id: UnitId, command: &Reorganisation) -> Result<Unit> {
    let unit = within(tx, id)?;
    tx.check_version(unit.version)?;
    let parent = named(tx, command.to, "/parent_id")?;
    may_stand_under(&unit, &parent, "/parent_id")?;
    let day = effective(command.effective_on, tx.now().shanghai_day())?;
    if unit.parent_id == Some(parent.id) {
        tx.nothing_changed();
        return Ok(unit);
    }
    finds(tx, &parent, day)?;
    refuse_beside_import(tx, &unit)?;
    shift(tx, &unit, &parent, day, &command.reason)?;
    let now_at = path_under(Some(&parent.path), &unit.code);
    tx.effect::<WorkFollow, _>(|tx| parents::settle(tx, &now_at))?;
    within(tx, id)
}

/// A unit neither moves nor ends while an import enters units below it: what nobody sees yet cannot go along.
fn refuse_beside_import<A: Action>(tx: &mut Tx<'_, A>, unit: &Unit) -> Result<()> {
    if batch_store::any_unseen_below(tx, &unit.path)? {
        return Err(AppError::new(Code::ImportUnderWay));
    }
    Ok(())
}

/// Moves a subtree: its paths, and those of whatever stands at its units.
fn shift<A>(tx: &mut Tx<'_, A>, unit: &Unit, parent: &Unit, day: NaiveDate, reason: &str) -> Result<()>
where
    A: MayCause<WorkFollow> + MayCause<AccountsFollow> + MayCause<PersonsFollow>,
{
    let ids = store::subtree(tx, &unit.path)?;
    let before = units::find_many(tx, &Reach::whole_tenant(), &ids)?;
    let (from, to) = (unit.path.as_str(), path_under(Some(&parent.path), &unit.code));
    store::set_parent(tx, unit.id, parent.id)?;
    store::follow(tx, from, &to)?;
    tx.effect::<WorkFollow, _>(|tx| {
        work::follow(tx, from, &to)?;
        inspections::follow(tx, from, &to)
    })?;
    tx.effect::<AccountsFollow, _>(|tx| accounts::follow(tx, from, &to))?;
    officers::follow(tx, from, &to)?;
    tx.effect::<PersonsFollow, _>(|tx| work::officers_gone_within(tx, &to))?;
    let changed: Vec<(Unit, Unit)> = before
        .into_iter()
        .map(|before| {
            let below = before.path.strip_prefix(from).unwrap_or_default();
            let mut after =
                Unit { path: format!("{to}{below}"), version: before.version + 1, ..before.clone() };
            if after.id == unit.id {
                after.parent_id = Some(parent.id);
            }
            (before, after)
        })
        .collect();
    begin(tx, &changed, UnitChange::Moved, day, Some(reason))
}

/// Ends a unit in favour of another, which takes over the units below it, its open plans and tasks,
/// its accounts and role bindings.
///
/// # Errors
/// `not_found`, `precondition_failed`, `unit_deactivated`, `unit_is_root`, `move_into_itself`,
/// `unit_in_use` with what cannot be taken over, `import_under_way`, `invalid_body` at `/into_id`, `/effective_on`.
pub fn merge(tx: &mut Tx<'_, UnitMerge>, id: UnitId, command: &Reorganisation) -> Result<Unit> {
    let unit = within(tx, id)?;
    tx.check_version(unit.version)?;
    let successor = named(tx, command.to, "/into_id")?;
    may_take_over(&unit, &successor, "/into_id")?;
    let day = effective(command.effective_on, tx.now().shanghai_day())?;
    finds(tx, &successor, day)?;
    refuse_beside_import(tx, &unit)?;
    let children = store::working_children(tx, id)?;
    let children = units::find_many(tx, &Reach::whole_tenant(), &children)?;
    for child in &children {
        rules::holds(&successor, child.kind, "/into_id")?;
    }
    let in_the_way = tx.effect::<WorkFollow, _>(|tx| work::not_to_be_joined(tx, unit.id, successor.id))?;
    refuse_if_used(in_the_way)?;
    for child in &children {
        shift(tx, child, &successor, day, &command.reason)?;
    }
    tx.effect::<WorkFollow, _>(|tx| {
        work::hand_over(tx, &unit, &successor)?;
        inspections::hand_over(tx, &unit, &successor, day)?;
        // Not before: what is below stands under a plan that goes along.
        parents::settle(tx, &successor.path)
    })?;
    tx.effect::<AccountsFollow, _>(|tx| accounts::hand_over(tx, &unit, &successor))?;
    officers::hand_over(tx, &unit, &successor, day, &command.reason)?;
    tx.effect::<PersonsFollow, _>(|tx| work::officers_gone_within(tx, &successor.path))?;
    retire(tx, &unit, Some(successor.id), UnitChange::Merged, day, &command.reason)
}

/// Ends a unit at which nothing stands any more.
///
/// # Errors
/// `not_found`, `precondition_failed`, `unit_deactivated`, `unit_is_root`, `unit_in_use` with what
/// still stands there, `import_under_way`, `invalid_body` at `/effective_on`.
pub fn deactivate(
    tx: &mut Tx<'_, UnitDeactivate>,
    id: UnitId,
    effective_on: Option<NaiveDate>,
    reason: &str,
) -> Result<Unit> {
    let unit = within(tx, id)?;
    tx.check_version(unit.version)?;
    still_works(&unit)?;
    if unit.parent_id.is_none() {
        return Err(AppError::new(Code::UnitIsRoot));
    }
    let day = effective(effective_on, tx.now().shanghai_day())?;
    refuse_beside_import(tx, &unit)?;
    let children = store::working_children(tx, id)?;
    let children = units::find_many(tx, &Reach::whole_tenant(), &children)?;
    let mut in_the_way: Vec<FieldError> = children.iter().map(still_below).collect();
    in_the_way.extend(tx.effect::<WorkFollow, _>(|tx| work::standing_at(tx, unit.id))?);
    in_the_way.extend(tx.effect::<WorkFollow, _>(|tx| inspections::standing_at(tx, unit.id))?);
    in_the_way.extend(tx.effect::<AccountsFollow, _>(|tx| accounts::standing_at(tx, unit.id))?);
    in_the_way.extend(officers::standing_at(tx, unit.id)?);
    refuse_if_used(in_the_way)?;
    officers::end_at(tx, unit.id, day, reason)?;
    retire(tx, &unit, None, UnitChange::Deactivated, day, reason)
}

fn still_below(child: &Unit) -> FieldError {
    let (code, name) = (&child.code, &child.name);
    let detail = text!("下级单位 {name} ({code}) 仍在", "The unit {name} ({code}) still stands below it");
    let facts = json!({ "unit_id": child.id, "code": code, "name": name });
    FieldError { facts: Some(facts), ..FieldError::body("", Code::UnitBelow, detail) }
}

fn refuse_if_used(in_the_way: Vec<FieldError>) -> Result<()> {
    if in_the_way.is_empty() { Ok(()) } else { Err(AppError::fields(Code::UnitInUse, in_the_way)) }
}

fn retire<A: Action>(
    tx: &mut Tx<'_, A>,
    before: &Unit,
    successor: Option<UnitId>,
    change: UnitChange,
    day: NaiveDate,
    reason: &str,
) -> Result<Unit> {
    let since = store::since(tx, &[before.id])?;
    let &(since, _) = since.get(&before.id).ok_or_else(|| AppError::internal("a unit without a period"))?;
    follows(before, since, day)?;
    let mut unit = before.clone();
    unit.status = UnitStatus::Deactivated;
    store::save(tx, &mut unit)?;
    let period = Period { successor_id: successor, ..Period::of(&unit, change, day, Some(reason), tx.now()) };
    store::begin(tx, day, &[(period, &unit.code)])?;
    record(tx, Some(&facts(before, since, None)), &facts(&unit, day, successor), unit.id, Some(reason))?;
    Ok(unit)
}
