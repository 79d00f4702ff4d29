//! Rows of assignments that wait for somebody.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::rules::AssignmentState;
use crate::access::policy::Action;
use crate::access::{Reach, Tx, within_reach};
use crate::campaigns::plan::rules::PlanState;
use crate::campaigns::rules::{CampaignId, PlanId, TaskId};
use crate::db::schema::{plans, task_assignments, tasks};
use crate::db::{Instant, with_conn};
use crate::errors::Result;
use crate::org::rules::UnitId;

/// An assignment that somebody still has to work on, with what its task is called.
#[derive(Debug, Clone, Queryable)]
pub struct AwaitedTask {
    /// The task.
    pub task_id: TaskId,
    /// What it is called.
    pub title: String,
    /// Its plan.
    pub plan_id: PlanId,
    /// The campaign.
    pub campaign_id: CampaignId,
    /// The unit that has it.
    pub unit_id: UnitId,
    /// The last day for it.
    pub due_on: NaiveDate,
    /// Since when the unit has it.
    pub since: Instant,
}

/// Assignments within `reach` that are worked on under plans in force, those due first before the others.
pub(super) fn worked_on<A: Action>(tx: &mut Tx<'_, A>, reach: &Reach, most: i64) -> Result<Vec<AwaitedTask>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => within_reach!(
            task_assignments::table
                .inner_join(tasks::table.on(
                    tasks::tenant_id.eq(task_assignments::tenant_id).and(tasks::id.eq(task_assignments::task_id))))
                .inner_join(
                    plans::table.on(plans::tenant_id.eq(tasks::tenant_id).and(plans::id.eq(tasks::plan_id)))),
            reach,
            task_assignments::unit_path
        )
        .filter(task_assignments::tenant_id.eq(tenant))
        .filter(task_assignments::state.eq(AssignmentState::Open))
        .filter(task_assignments::carried.eq(false))
        .filter(plans::state.eq(PlanState::Published))
        // Of a closed plan what was taken back since: nothing else was open when it was closed below a plan in force.
        .filter(plans::stage.is_null().or(plans::stage.eq(PlanState::Concluding)).or(plans::stage
            .eq(PlanState::Closed)
            .and(task_assignments::parent_task_id.is_not_null())
            .and(task_assignments::reopen_reason.is_not_null())))
        .order((task_assignments::due_on, task_assignments::id))
        .select((
            tasks::id,
            tasks::title,
            plans::id,
            plans::campaign_id,
            task_assignments::unit_id,
            task_assignments::due_on,
            task_assignments::created_at,
        ))
        .limit(most)
        .load(c))?)
}
