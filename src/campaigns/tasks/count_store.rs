//! Rows of assignments as what happens elsewhere changes them: whatever the actor's reach.

use std::collections::{BTreeSet, HashMap};

use diesel::dsl::count_star;
use diesel::prelude::*;

use super::rules::{Assignment, AssignmentId, AssignmentState, chain};
use super::store::{AssignmentRow, NewAssignment};
use crate::access::policy::Effect;
use crate::access::{EffectTx, PathRange};
use crate::campaigns::plan::rules::PlanState;
use crate::campaigns::rules::{PlanId, TaskId};
use crate::db::schema::{assignment_persons, plans, task_assignments, tasks};
use crate::db::{Conn, insert_rows, lock_row, with_conn};
use crate::errors::Result;
use crate::org::officers::rules::OfficerId;
use crate::org::rules::UnitId;

/// Every assignment of a plan's tasks, held until the transaction ends, those further down first: what is
/// written back is what was read.
pub(super) fn of_plan<E: Effect>(tx: &mut EffectTx<'_, E>, plan: PlanId) -> Result<Vec<Assignment>> {
    let tenant = tx.tenant();
    macro_rules! these {
        () => {
            task_assignments::table
                .filter(task_assignments::tenant_id.eq(tenant))
                .filter(
                    task_assignments::task_id.eq_any(
                        tasks::table
                            .filter(tasks::tenant_id.eq(tenant))
                            .filter(tasks::plan_id.eq(plan))
                            .select(tasks::id),
                    ),
                )
                .order((task_assignments::unit_path.desc(), task_assignments::id))
        };
    }
    lock_row!(tx.conn(), these!().select(task_assignments::id));
    let rows: Vec<AssignmentRow> =
        with_conn!(tx.conn(), c => these!().select(AssignmentRow::as_select()).load(c))?;
    Ok(rows.into_iter().map(Assignment::from).collect())
}

/// What units have completed directly of these tasks. All that these units have of them is held until the
/// transaction ends: what is completed from now on is known to be carried.
pub(super) fn completed_directly<E: Effect>(
    tx: &mut EffectTx<'_, E>,
    of: &BTreeSet<TaskId>,
    at: &BTreeSet<String>,
) -> Result<HashMap<(TaskId, UnitId), Assignment>> {
    let held = if of.is_empty() { Vec::new() } else { hold(tx, of, at)? };
    let done =
        held.into_iter().filter(|one| one.state == AssignmentState::Done && one.completed_at.is_some());
    Ok(done.map(|one| ((one.task_id, one.unit_id), one)).collect())
}

/// Those of the tasks that assignments of child plans answer.
pub(super) fn answered<E: Effect>(tx: &mut EffectTx<'_, E>, ids: &[TaskId]) -> Result<BTreeSet<TaskId>> {
    let tenant = tx.tenant();
    let mut found = BTreeSet::new();
    for some in ids.chunks(500) {
        let rows: Vec<Option<TaskId>> = with_conn!(tx.conn(), c => task_assignments::table
            .filter(task_assignments::tenant_id.eq(tenant))
            .filter(task_assignments::parent_task_id.eq_any(some.to_vec()))
            .select(task_assignments::parent_task_id)
            .distinct()
            .load(c))?;
        found.extend(rows.into_iter().flatten());
    }
    Ok(found)
}

/// The live assignments of these tasks at exactly these units, held until the transaction ends, those
/// further down first: two that carry the same wait here for each other.
pub(super) fn hold<E: Effect>(
    tx: &mut EffectTx<'_, E>,
    of: &BTreeSet<TaskId>,
    at: &BTreeSet<String>,
) -> Result<Vec<Assignment>> {
    let tenant = tx.tenant();
    let (of, at): (Vec<TaskId>, Vec<String>) =
        (of.iter().copied().collect(), at.iter().rev().cloned().collect());
    let mut found = Vec::new();
    for some in at.chunks(400) {
        macro_rules! these {
            () => {
                task_assignments::table
                    .filter(task_assignments::tenant_id.eq(tenant))
                    .filter(task_assignments::task_id.eq_any(of.clone()))
                    .filter(task_assignments::unit_path.eq_any(some.to_vec()))
                    .filter(task_assignments::state.ne(AssignmentState::Retired))
                    .order((task_assignments::unit_path.desc(), task_assignments::id))
            };
        }
        if let Conn::Postgres(c) = tx.conn() {
            these!().select(task_assignments::id).for_no_key_update().execute(c)?;
        }
        let rows: Vec<AssignmentRow> =
            with_conn!(tx.conn(), c => these!().select(AssignmentRow::as_select()).load(c))?;
        found.extend(rows.into_iter().map(Assignment::from));
    }
    Ok(found)
}

/// By how many live assignments at a unit and below it each of the tasks is answered, and how many of
/// those are done. Only plans of the unit and of units above it answer for the unit: what a lower unit
/// plans for itself is not the higher one's work. What has moved away from its plan's unit answers where it
/// stands.
pub(super) fn carriers<E: Effect>(
    tx: &mut EffectTx<'_, E>,
    of: &BTreeSet<TaskId>,
    at: &str,
) -> Result<HashMap<TaskId, (i64, i64)>> {
    let (tenant, range) = (tx.tenant(), PathRange::subtree(at));
    let of: Vec<TaskId> = of.iter().copied().collect();
    let rows: Vec<(Option<TaskId>, AssignmentState, i64)> = with_conn!(tx.conn(), c => task_assignments::table
        .inner_join(tasks::table.on(
            tasks::tenant_id.eq(task_assignments::tenant_id).and(tasks::id.eq(task_assignments::task_id))))
        .filter(tasks::unit_path.eq_any(chain(at)).or(task_assignments::unit_path.eq(at)))
        .filter(task_assignments::tenant_id.eq(tenant))
        .filter(task_assignments::parent_task_id.eq_any(of))
        .filter(task_assignments::unit_path.ge(range.low))
        .filter(task_assignments::unit_path.lt(range.high))
        .filter(task_assignments::state.ne(AssignmentState::Retired))
        .group_by((task_assignments::parent_task_id, task_assignments::state))
        .select((task_assignments::parent_task_id, task_assignments::state, count_star()))
        .load(c))?;
    let mut found: HashMap<TaskId, (i64, i64)> = HashMap::new();
    for (task, state, count) in rows {
        let Some(task) = task else { continue };
        let sum = found.entry(task).or_default();
        let done = if state == AssignmentState::Done { count } else { 0 };
        *sum = (sum.0 + count, sum.1 + done);
    }
    Ok(found)
}

/// The live assignments of a unit under plans that are not closed: those stay as they were.
pub(super) fn at_unit<E: Effect>(tx: &mut EffectTx<'_, E>, unit: UnitId) -> Result<Vec<Assignment>> {
    let tenant = tx.tenant();
    let rows: Vec<AssignmentRow> = with_conn!(tx.conn(), c => task_assignments::table
        .inner_join(tasks::table.on(
            tasks::tenant_id.eq(task_assignments::tenant_id).and(tasks::id.eq(task_assignments::task_id))))
        .inner_join(plans::table.on(plans::tenant_id.eq(tasks::tenant_id).and(plans::id.eq(tasks::plan_id))))
        .filter(plans::stage.is_null().or(plans::stage.eq(PlanState::Concluding)))
        .filter(task_assignments::tenant_id.eq(tenant))
        .filter(task_assignments::unit_id.eq(unit))
        .filter(task_assignments::state.ne(AssignmentState::Retired))
        .order(task_assignments::id)
        .select(AssignmentRow::as_select())
        .load(c))?;
    Ok(rows.into_iter().map(Assignment::from).collect())
}

/// The tasks that a unit had once and has no more.
pub(super) fn retired_at<E: Effect>(tx: &mut EffectTx<'_, E>, unit: UnitId) -> Result<BTreeSet<TaskId>> {
    let tenant = tx.tenant();
    let rows: Vec<TaskId> = with_conn!(tx.conn(), c => task_assignments::table
        .filter(task_assignments::tenant_id.eq(tenant))
        .filter(task_assignments::unit_id.eq(unit))
        .filter(task_assignments::state.eq(AssignmentState::Retired))
        .select(task_assignments::task_id)
        .load(c))?;
    Ok(rows.into_iter().collect())
}

/// The assignment of a task that a unit had once.
pub(super) fn retired<E: Effect>(
    tx: &mut EffectTx<'_, E>,
    unit: UnitId,
    task: TaskId,
) -> Result<Option<Assignment>> {
    let tenant = tx.tenant();
    let row: Option<AssignmentRow> = with_conn!(tx.conn(), c => task_assignments::table
        .filter(task_assignments::tenant_id.eq(tenant))
        .filter(task_assignments::unit_id.eq(unit))
        .filter(task_assignments::task_id.eq(task))
        .select(AssignmentRow::as_select())
        .first(c)
        .optional())?;
    Ok(row.map(Assignment::from))
}

/// Makes the persons of one assignment persons of another.
pub(super) fn move_persons<E: Effect>(
    tx: &mut EffectTx<'_, E>,
    from: AssignmentId,
    to: AssignmentId,
) -> Result<()> {
    let tenant = tx.tenant();
    let there = with_conn!(tx.conn(), c => assignment_persons::table
        .filter(assignment_persons::tenant_id.eq(tenant))
        .filter(assignment_persons::assignment_id.eq(to))
        .select(assignment_persons::officer_id)
        .load::<OfficerId>(c))?;
    with_conn!(tx.conn(), c => diesel::update(assignment_persons::table
        .filter(assignment_persons::tenant_id.eq(tenant))
        .filter(assignment_persons::assignment_id.eq(from))
        .filter(assignment_persons::officer_id.ne_all(there)))
        .set(assignment_persons::assignment_id.eq(to))
        .execute(c))?;
    Ok(())
}

/// The parents' tasks that assignments in a subtree answer.
pub(super) fn answered_within<E: Effect>(tx: &mut EffectTx<'_, E>, path: &str) -> Result<BTreeSet<TaskId>> {
    let (tenant, range) = (tx.tenant(), PathRange::subtree(path));
    let rows: Vec<Option<TaskId>> = with_conn!(tx.conn(), c => task_assignments::table
        .filter(task_assignments::tenant_id.eq(tenant))
        .filter(task_assignments::unit_path.ge(range.low))
        .filter(task_assignments::unit_path.lt(range.high))
        .select(task_assignments::parent_task_id)
        .distinct()
        .load(c))?;
    Ok(rows.into_iter().flatten().collect())
}

/// Where in a subtree live assignments are.
pub(super) fn places_within<E: Effect>(tx: &mut EffectTx<'_, E>, path: &str) -> Result<BTreeSet<String>> {
    let (tenant, range) = (tx.tenant(), PathRange::subtree(path));
    let rows: Vec<String> = with_conn!(tx.conn(), c => task_assignments::table
        .filter(task_assignments::tenant_id.eq(tenant))
        .filter(task_assignments::unit_path.ge(range.low))
        .filter(task_assignments::unit_path.lt(range.high))
        .filter(task_assignments::state.ne(AssignmentState::Retired))
        .select(task_assignments::unit_path)
        .distinct()
        .load(c))?;
    Ok(rows.into_iter().collect())
}

/// Enters assignments.
pub(super) fn insert<E: Effect>(tx: &mut EffectTx<'_, E>, new: &[Assignment]) -> Result<()> {
    let tenant = tx.tenant();
    let rows: Vec<NewAssignment<'_>> = new.iter().map(|one| NewAssignment::of(tenant, one)).collect();
    insert_rows!(tx.conn(), task_assignments::table, &rows);
    Ok(())
}

/// Saves an assignment as it is now, its version one up.
pub(super) fn save<E: Effect>(tx: &mut EffectTx<'_, E>, one: &Assignment) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    with_conn!(tx.conn(), c => diesel::update(task_assignments::table.find((tenant, one.id)))
        .set((
            task_assignments::parent_task_id.eq(one.parent_task_id),
            task_assignments::unit_id.eq(one.unit_id),
            task_assignments::unit_path.eq(&one.unit_path),
            task_assignments::due_on.eq(one.due_on),
            task_assignments::state.eq(one.state),
            task_assignments::carried.eq(one.carried),
            task_assignments::evidence.eq(&one.evidence),
            task_assignments::completed_at.eq(one.completed_at),
            task_assignments::completed_by.eq(one.completed_by),
            task_assignments::reopen_reason.eq(&one.reopen_reason),
            task_assignments::version.eq(task_assignments::version + 1_i64),
            task_assignments::updated_at.eq(now),
        ))
        .execute(c))?;
    Ok(())
}

/// Moves every path below `from`.
pub(super) fn follow<E: Effect>(tx: &mut EffectTx<'_, E>, from: &str, to: &str) -> Result<()> {
    use crate::access::follow_path;
    let tenant = tx.tenant();
    follow_path!(tx.conn(), task_assignments, unit_path, tenant, from, to);
    Ok(())
}
