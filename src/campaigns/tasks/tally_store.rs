//! How far the tasks of a plan are, in one query.

use std::collections::HashMap;

use diesel::dsl::count_star;
use diesel::prelude::*;

use super::rules::{AssignmentState, Done};
use crate::access::policy::Action;
use crate::access::{Reach, Tx, within_reach};
use crate::campaigns::rules::{PlanId, TaskId};
use crate::db::schema::{task_assignments, tasks};
use crate::db::with_conn;
use crate::errors::Result;

/// By task: how many units within reach have it, and how many of those have done it.
pub(super) fn of_plan<A: Action>(
    tx: &mut Tx<'_, A>,
    reach: &Reach,
    plan: PlanId,
) -> Result<HashMap<TaskId, Done>> {
    let tenant = tx.tenant();
    let rows: Vec<(TaskId, AssignmentState, i64)> = with_conn!(tx.conn(), c => {
        let counted = task_assignments::table
            .inner_join(tasks::table.on(
                tasks::tenant_id.eq(task_assignments::tenant_id).and(tasks::id.eq(task_assignments::task_id))))
            .group_by((task_assignments::task_id, task_assignments::state))
            .select((task_assignments::task_id, task_assignments::state, count_star()));
        within_reach!(counted, reach, task_assignments::unit_path)
            .filter(task_assignments::tenant_id.eq(tenant))
            .filter(tasks::plan_id.eq(plan))
            .filter(task_assignments::state.ne(AssignmentState::Retired))
            .load(c)
    })?;
    let mut found: HashMap<TaskId, Done> = HashMap::new();
    for (task, state, count) in rows {
        let sum = found.entry(task).or_default();
        sum.total += count;
        if state == AssignmentState::Done {
            sum.done += count;
        }
    }
    Ok(found)
}
