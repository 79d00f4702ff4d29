//! Rows of who carries what, asked by the officer.

use diesel::prelude::*;

use super::rules::AssignmentId;
use crate::access::policy::Effect;
use crate::access::{EffectTx, PathRange};
use crate::campaigns::plan::rules::PlanState;
use crate::db::schema::{assignment_persons, officers, plans, task_assignments, tasks};
use crate::db::{lock_row, with_conn};
use crate::errors::Result;
use crate::org::officers::rules::{OfficerId, OfficerStatus};

/// An officer who carries an assignment, and where both stand now.
#[derive(Debug, Queryable)]
pub(super) struct Carried {
    pub assignment: AssignmentId,
    pub officer: OfficerId,
    officer_path: String,
    officer_status: OfficerStatus,
    unit_path: String,
    plan_path: String,
}

impl Carried {
    /// Whether the officer has left, or is not of the assignment's unit or below it.
    pub(super) fn is_astray(&self) -> bool {
        self.officer_status == OfficerStatus::Left || !self.officer_path.starts_with(&self.unit_path)
    }

    /// By what assignments are put in order.
    pub(super) fn place(&self) -> (&str, &str, AssignmentId) {
        (&self.plan_path, &self.unit_path, self.assignment)
    }
}

/// Under plans that are not closed.
macro_rules! carried {
    ($tenant:expr) => {
        assignment_persons::table
            .inner_join(
                officers::table.on(officers::tenant_id
                    .eq(assignment_persons::tenant_id)
                    .and(officers::id.eq(assignment_persons::officer_id))),
            )
            .inner_join(
                task_assignments::table.on(task_assignments::tenant_id
                    .eq(assignment_persons::tenant_id)
                    .and(task_assignments::id.eq(assignment_persons::assignment_id))),
            )
            .inner_join(
                tasks::table.on(tasks::tenant_id
                    .eq(assignment_persons::tenant_id)
                    .and(tasks::id.eq(assignment_persons::task_id))),
            )
            .inner_join(
                plans::table.on(plans::tenant_id.eq(tasks::tenant_id).and(plans::id.eq(tasks::plan_id))),
            )
            .filter(assignment_persons::tenant_id.eq($tenant))
            .filter(plans::stage.is_null().or(plans::stage.eq(PlanState::Concluding)))
            .select((
                assignment_persons::assignment_id,
                assignment_persons::officer_id,
                officers::unit_path,
                officers::status,
                task_assignments::unit_path,
                tasks::unit_path,
            ))
    };
}

/// What these officers carry.
pub(super) fn of_officers<E: Effect>(tx: &mut EffectTx<'_, E>, ids: &[OfficerId]) -> Result<Vec<Carried>> {
    let tenant = tx.tenant();
    let mut found = Vec::new();
    for some in ids.chunks(500) {
        let rows: Vec<Carried> = with_conn!(tx.conn(), c => carried!(tenant)
            .filter(assignment_persons::officer_id.eq_any(some.to_vec()))
            .load(c))?;
        found.extend(rows);
    }
    Ok(found)
}

/// What the officers of a unit and below it carry.
pub(super) fn within<E: Effect>(tx: &mut EffectTx<'_, E>, path: &str) -> Result<Vec<Carried>> {
    let (tenant, range) = (tx.tenant(), PathRange::subtree(path));
    Ok(with_conn!(tx.conn(), c => carried!(tenant)
        .filter(officers::unit_path.ge(range.low))
        .filter(officers::unit_path.lt(range.high))
        .load(c))?)
}

/// Holds an assignment until the transaction ends.
pub(super) fn lock<E: Effect>(tx: &mut EffectTx<'_, E>, id: AssignmentId) -> Result<()> {
    let tenant = tx.tenant();
    lock_row!(tx.conn(), task_assignments::table.find((tenant, id)).select(task_assignments::id));
    Ok(())
}

/// Who carries an assignment.
pub(super) fn persons<E: Effect>(tx: &mut EffectTx<'_, E>, id: AssignmentId) -> Result<Vec<OfficerId>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => assignment_persons::table
        .filter(assignment_persons::tenant_id.eq(tenant))
        .filter(assignment_persons::assignment_id.eq(id))
        .order(assignment_persons::officer_id)
        .select(assignment_persons::officer_id)
        .load(c))?)
}

/// Takes officers off an assignment, whose version goes one up: it shows who carries it.
pub(super) fn take_off<E: Effect>(
    tx: &mut EffectTx<'_, E>,
    id: AssignmentId,
    gone: &[OfficerId],
) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    with_conn!(tx.conn(), c => diesel::delete(assignment_persons::table
        .filter(assignment_persons::tenant_id.eq(tenant))
        .filter(assignment_persons::assignment_id.eq(id))
        .filter(assignment_persons::officer_id.eq_any(gone.to_vec())))
        .execute(c))?;
    with_conn!(tx.conn(), c => diesel::update(task_assignments::table.find((tenant, id)))
        .set((
            task_assignments::version.eq(task_assignments::version + 1_i64),
            task_assignments::updated_at.eq(now),
        ))
        .execute(c))?;
    Ok(())
}
