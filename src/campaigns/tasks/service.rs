//! Use cases on assignments: completed, taken back, given to persons.

use std::collections::HashMap;

use serde_json::json;

use super::awaited_store;
pub use super::awaited_store::AwaitedTask;
use super::carrying::follow;
use super::rules::{
    Assignment, AssignmentAction, AssignmentDraft, AssignmentId, AssignmentState, Done, TaskFacts,
    may_reopen, next,
};
pub use super::store::{AssignmentFilter, AssignmentSort};
use super::{person_store, store, tally_store};
use crate::access::policy::{Action, ProgressFollow, TaskComplete, TaskNamePersons, TaskRead, TaskReopen};
use crate::access::{Reach, Rights, Tx};
use crate::audit::Change;
use crate::campaigns::clearing::duties;
use crate::campaigns::plan::rules::PlanState;
use crate::campaigns::rules::{PlanId, TaskId};
use crate::errors::{AppError, Code, FieldError, Result, text, unknown};
use crate::org::officers::rules::{OfficerId, OfficerStatus};
use crate::org::officers::service as officers;
use crate::org::rules::{UnitId, UnitKind};
use crate::org::service as org;
use crate::web::{Page, Paging};

/// How far the caller reaches for a task: whoever reaches an assignment of it reads it, though its plan be
/// another's by now, as after the move of a county.
///
/// # Errors
/// `not_found` when the caller reads no tasks at all.
pub fn reach_to<A: Action>(tx: &mut Tx<'_, A>, id: TaskId) -> Result<Reach> {
    let reach = tx.reach_of::<TaskRead>().ok_or_else(|| AppError::new(Code::NotFound))?;
    Ok(if store::is_assigned_within(tx, &reach, id)? { Reach::whole_tenant() } else { reach })
}

/// A task that the caller may read: its own plans', a superior's that was published, or one assigned within
/// reach.
///
/// # Errors
/// `not_found`.
pub fn task<A: Action>(tx: &mut Tx<'_, A>, id: TaskId) -> Result<TaskFacts> {
    let reach = reach_to(tx, id)?;
    let mut task = store::task(tx, &reach, id)?.ok_or_else(|| AppError::new(Code::NotFound))?;
    if task.plan_state == PlanState::Closed {
        task.is_asked_from_above = is_asked_from_above(tx, task.parent_task_id)?;
    }
    Ok(task)
}

/// Whether a task stands in a plan in force, or in a closed one and answers one that does.
fn is_asked_from_above<A: Action>(tx: &mut Tx<'_, A>, mut task: Option<TaskId>) -> Result<bool> {
    // As many steps as there are levels of units; plans answer upwards only.
    for _ in UnitKind::ALL {
        let Some(id) = task else { return Ok(false) };
        match store::standing(tx, id)? {
            Some((state, _)) if state.is_in_force() => return Ok(true),
            Some((PlanState::Closed, above)) => task = above,
            _ => return Ok(false),
        }
    }
    Ok(false)
}

/// How many assignments of each of these plans are open that answer tasks of a plan above.
///
/// # Errors
/// When the database fails.
pub fn open_answers<A: Action>(tx: &mut Tx<'_, A>, plans: &[PlanId]) -> Result<HashMap<PlanId, i64>> {
    if plans.is_empty() { Ok(HashMap::new()) } else { store::open_answers(tx, plans) }
}

/// The same, to be worked on: its plan stays as it is until the transaction ends, so that whoever closes it
/// comes before or after.
///
/// # Errors
/// `not_found`.
pub fn task_to_work_on<A: Action>(tx: &mut Tx<'_, A>, id: TaskId) -> Result<TaskFacts> {
    store::share_plan(tx, id)?;
    task(tx, id)
}

/// The assignments of a task within reach.
///
/// # Errors
/// `not_found`, `invalid_cursor`.
pub fn list(
    tx: &mut Tx<'_, TaskRead>,
    id: TaskId,
    filter: &AssignmentFilter,
    sort: AssignmentSort,
    paging: &Paging,
) -> Result<(TaskFacts, Page<Assignment>)> {
    let task = task(tx, id)?;
    let page = store::list(tx, id, filter, sort, paging)?;
    Ok((task, page))
}

/// The assignments that wait for the caller: those their units can complete directly, the first due before
/// the others.
///
/// # Errors
/// When the database fails.
pub fn awaited<A: Action>(tx: &mut Tx<'_, A>, most: usize) -> Result<Vec<AwaitedTask>> {
    let Some(reach) = tx.reach_of::<TaskComplete>() else { return Ok(Vec::new()) };
    awaited_store::worked_on(tx, &reach, i64::try_from(most).unwrap_or(i64::MAX))
}

/// One assignment within reach.
///
/// # Errors
/// `not_found`.
pub fn find(tx: &mut Tx<'_, TaskRead>, task_id: TaskId, id: AssignmentId) -> Result<(TaskFacts, Assignment)> {
    let task = task(tx, task_id)?;
    let reach = tx.reach().clone();
    let found = store::find(tx, &reach, task_id, id)?.ok_or_else(|| AppError::new(Code::NotFound))?;
    Ok((task, found))
}

/// Who carries each of the assignments.
///
/// # Errors
/// When the database fails.
pub fn persons<A: Action>(
    tx: &mut Tx<'_, A>,
    ids: &[AssignmentId],
) -> Result<HashMap<AssignmentId, Vec<OfficerId>>> {
    person_store::persons(tx, ids)
}

/// What tasks are called, of which something visible speaks.
///
/// # Errors
/// When the database fails.
pub fn titles<A: Action>(tx: &mut Tx<'_, A>, ids: &[TaskId]) -> Result<HashMap<TaskId, String>> {
    store::titles(tx, ids)
}

/// How far each task of a plan is where the caller reads tasks: a superior's published plan is read by all
/// below, how far the others are with it is not.
///
/// # Errors
/// When the database fails.
pub fn progress_of<A: Action>(tx: &mut Tx<'_, A>, plan: PlanId) -> Result<HashMap<TaskId, Done>> {
    match tx.reach_of::<TaskRead>() {
        Some(reach) => tally_store::of_plan(tx, &reach, plan),
        None => Ok(HashMap::new()),
    }
}

/// What the caller may do with assignments: asked once a request, not once a row.
#[must_use]
pub fn rights<A: Action>(tx: &Tx<'_, A>) -> Rights<AssignmentAction> {
    Rights::new([
        (AssignmentAction::Complete, tx.reach_of::<TaskComplete>()),
        (AssignmentAction::Reopen, tx.reach_of::<TaskReopen>()),
        (AssignmentAction::NamePersons, tx.reach_of::<TaskNamePersons>()),
    ])
}

fn reopens<A: Action>(tx: &Tx<'_, A>, one: &Assignment) -> bool {
    may_reopen(&one.unit_path, tx.held().iter().map(|held| (held.role, held.unit_path.as_str())))
}

/// What they allow with this assignment now.
#[must_use]
pub fn allowed<A: Action>(
    tx: &Tx<'_, A>,
    rights: &Rights<AssignmentAction>,
    task: &TaskFacts,
    one: &Assignment,
) -> Vec<AssignmentAction> {
    if task.in_force().is_err() {
        return Vec::new();
    }
    let fits = |action: &AssignmentAction| {
        next(one.state, one.carried, *action).is_ok()
            && (*action != AssignmentAction::Reopen || reopens(tx, one))
    };
    rights.at(&one.unit_path).filter(fits).collect()
}

/// The task to act on for a unit: `If-Match` speaks of the task.
fn for_change<A: Action>(tx: &mut Tx<'_, A>, id: TaskId, unit: UnitId) -> Result<(TaskFacts, Assignment)> {
    let task = task_to_work_on(tx, id)?;
    tx.check_version(task.version)?;
    task.in_force()?;
    if org::reached(tx, unit)?.is_none() {
        return Err(AppError::fields(Code::InvalidBody, vec![unknown("/unit_id")]));
    }
    let found = store::hold(tx, id, unit)?.ok_or_else(|| AppError::new(Code::UnitNotAssigned))?;
    Ok((task, found))
}

/// The assignment of a task to a unit that this action reaches.
///
/// # Errors
/// `not_found`.
pub fn of_unit(tx: &mut Tx<'_, TaskNamePersons>, id: TaskId, unit: UnitId) -> Result<Assignment> {
    task(tx, id)?;
    let found = store::hold(tx, id, unit)?.filter(|one| tx.reach().contains(&one.unit_path));
    found.ok_or_else(|| AppError::new(Code::NotFound))
}

fn record<A: Action>(
    tx: &mut Tx<'_, A>,
    before: &Assignment,
    after: &Assignment,
    reason: Option<&str>,
) -> Result<()> {
    let (entity_id, before, after) = (after.id.to_string(), before.facts(), after.facts());
    tx.record(&Change {
        entity: "task_assignment",
        entity_id: &entity_id,
        before: Some(&before),
        after: Some(&after),
        reason,
    })
}

/// Says that a unit has done a task, and by what that is seen.
///
/// # Errors
/// `not_found`, `precondition_failed`, `plan_not_in_force`, `assignment_done`, `assignment_carried`,
/// `assignment_retired`, `invalid_body` at `/unit_id`, `unit_not_assigned`.
pub fn complete(
    tx: &mut Tx<'_, TaskComplete>,
    id: TaskId,
    unit: UnitId,
    evidence: &str,
) -> Result<(TaskFacts, Assignment)> {
    let (task, before) = for_change(tx, id, unit)?;
    let state = next(before.state, before.carried, AssignmentAction::Complete).map_err(AppError::new)?;
    let mut after = Assignment {
        state,
        evidence: Some(evidence.to_owned()),
        completed_at: Some(tx.now()),
        completed_by: Some(tx.user()?),
        reopen_reason: None,
        ..before.clone()
    };
    store::save(tx, &mut after)?;
    record(tx, &before, &after, None)?;
    tx.effect::<ProgressFollow, _>(|tx| follow(tx, &before, &after))?;
    Ok((task, after))
}

/// Takes a completion back from above, saying why: it is open again. What was put forward as evidence
/// stays to be read.
///
/// # Errors
/// As [`complete`], with `assignment_open` and `reopen_from_above`.
pub fn reopen(
    tx: &mut Tx<'_, TaskReopen>,
    id: TaskId,
    unit: UnitId,
    reason: &str,
) -> Result<(TaskFacts, Assignment)> {
    let (task, before) = for_change(tx, id, unit)?;
    let state = next(before.state, before.carried, AssignmentAction::Reopen).map_err(AppError::new)?;
    if !reopens(tx, &before) {
        return Err(AppError::new(Code::ReopenFromAbove));
    }
    let mut after = Assignment {
        state,
        completed_at: None,
        completed_by: None,
        reopen_reason: Some(reason.to_owned()),
        ..before.clone()
    };
    store::save(tx, &mut after)?;
    record(tx, &before, &after, Some(reason))?;
    tx.effect::<ProgressFollow, _>(|tx| follow(tx, &before, &after))?;
    Ok((task, after))
}

/// Names the officers who carry an assignment.
///
/// # Errors
/// `not_found`, `precondition_failed`, `plan_not_in_force`, `assignment_done`, `assignment_carried`,
/// `assignment_retired`, `invalid_body` at `/officer_ids`.
pub fn name_persons(
    tx: &mut Tx<'_, TaskNamePersons>,
    task_id: TaskId,
    id: AssignmentId,
    merge: impl Fn(&AssignmentDraft) -> Result<AssignmentDraft>,
) -> Result<(TaskFacts, Assignment)> {
    let task = task_to_work_on(tx, task_id)?;
    // Everybody holds officers before what they carry. So it is seen first who is asked for, then they are
    // held, and then it is judged once more.
    let (_, there) = to_be_named(tx, &task, id)?;
    let asked = merge(&AssignmentDraft { officer_ids: there })?.officer_ids;
    officers::lock_many(tx, &asked)?;
    store::lock(tx, id)?;
    let (before, there) = to_be_named(tx, &task, id)?;
    let mut wanted = merge(&AssignmentDraft { officer_ids: there.clone() })?.officer_ids;
    let new: Vec<(usize, OfficerId)> =
        wanted.iter().copied().enumerate().filter(|(_, officer)| !there.contains(officer)).collect();
    may_carry(tx, &before, &new)?;
    let added: Vec<OfficerId> = new.iter().map(|(_, officer)| *officer).collect();
    let gone: Vec<OfficerId> = there.iter().copied().filter(|officer| !wanted.contains(officer)).collect();
    if added.is_empty() && gone.is_empty() {
        tx.nothing_changed();
        return Ok((task, before));
    }
    person_store::set_persons(tx, &before, &added, &gone)?;
    let mut after = before.clone();
    store::save(tx, &mut after)?;
    if task.daily_entries {
        tx.effect::<ProgressFollow, _>(|tx| {
            duties::end(tx, id, &gone)?;
            duties::begin(tx, &after, &added)
        })?;
    }
    wanted.sort_unstable();
    let (entity_id, old, now) = (id.to_string(), json!(there), json!(wanted));
    tx.record(&Change {
        entity: "assignment_persons",
        entity_id: &entity_id,
        before: Some(&old),
        after: Some(&now),
        reason: None,
    })?;
    Ok((task, after))
}

/// The assignment of a task within reach whose persons can be named now, and who they are.
fn to_be_named(
    tx: &mut Tx<'_, TaskNamePersons>,
    task: &TaskFacts,
    id: AssignmentId,
) -> Result<(Assignment, Vec<OfficerId>)> {
    let reach = tx.reach().clone();
    let found = store::find(tx, &reach, task.id, id)?.ok_or_else(|| AppError::new(Code::NotFound))?;
    tx.check_version(found.version)?;
    task.in_force()?;
    next(found.state, found.carried, AssignmentAction::NamePersons).map_err(AppError::new)?;
    let persons = person_store::persons(tx, &[id])?.remove(&id).unwrap_or_default();
    Ok((found, persons))
}

/// Who carries a unit's assignment serves there or below, and carries the task for no other unit.
fn may_carry<A: Action>(tx: &mut Tx<'_, A>, one: &Assignment, new: &[(usize, OfficerId)]) -> Result<()> {
    let ids: Vec<OfficerId> = new.iter().map(|(_, officer)| *officer).collect();
    let elsewhere = if ids.is_empty() { Vec::new() } else { person_store::named_elsewhere(tx, one, &ids)? };
    let known = officers::readable_many(tx, &ids)?;
    let mut errors = Vec::new();
    for (at, id) in new {
        let pointer = format!("/officer_ids/{at}");
        let error = match known.get(id) {
            None => unknown(pointer),
            Some(officer) if officer.status == OfficerStatus::Left => {
                FieldError::body(pointer, Code::OfficerLeft, text!("已离队", "The officer has left"))
            }
            Some(officer) if !officer.unit_path.starts_with(&one.unit_path) => {
                FieldError::body(pointer, Code::OfficerElsewhere, Code::OfficerElsewhere.title())
            }
            Some(_) if elsewhere.contains(id) => {
                FieldError::body(pointer, Code::AlreadyNamed, Code::AlreadyNamed.title())
            }
            Some(_) => continue,
        };
        errors.push(error);
    }
    if errors.is_empty() { Ok(()) } else { Err(AppError::fields(Code::InvalidBody, errors)) }
}

/// The live assignment of a task that an officer is a person of, and since when.
///
/// # Errors
/// When the database fails.
pub fn carried_by_officer<A: Action>(
    tx: &mut Tx<'_, A>,
    task: TaskId,
    officer: OfficerId,
) -> Result<Option<(Assignment, chrono::NaiveDate)>> {
    let found = person_store::of_person(tx, task, officer)?;
    Ok(found.filter(|(one, _)| one.state != AssignmentState::Retired))
}
