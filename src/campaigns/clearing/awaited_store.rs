//! Rows of what an officer has not entered yet, and of how many of a unit's people have not closed a day.

use chrono::NaiveDate;
use diesel::dsl::count;
use diesel::prelude::*;

use crate::access::policy::Action;
use crate::access::{Reach, Tx, within_reach};
use crate::campaigns::plan::rules::PlanState;
use crate::campaigns::rules::{CampaignId, PlanId, TaskId};
use crate::db::schema::{day_entries, entry_duties, officers, owed_entries, plans, tasks};
use crate::db::with_conn;
use crate::errors::Result;
use crate::org::officers::rules::OfficerId;
use crate::org::rules::UnitId;

/// What is owed belongs to: the task and its title, the plan and the campaign, the unit it is owed for.
pub(super) type Owed = (TaskId, String, PlanId, CampaignId, UnitId);

/// With the task and its plan, which must be in force: for a closed one nothing can be entered.
macro_rules! in_force {
    ($query:expr, $table:ident) => {
        $query
            .inner_join(
                tasks::table.on(tasks::tenant_id.eq($table::tenant_id).and(tasks::id.eq($table::task_id))),
            )
            .inner_join(
                plans::table.on(plans::tenant_id.eq(tasks::tenant_id).and(plans::id.eq(tasks::plan_id))),
            )
    };
}

macro_rules! is_in_force {
    () => {
        plans::state
            .eq(PlanState::Published)
            .and(plans::stage.is_null().or(plans::stage.eq(PlanState::Concluding)))
    };
}

macro_rules! owed {
    ($table:ident) => {
        (tasks::id, tasks::title, plans::id, plans::campaign_id, $table::unit_id)
    };
}

/// What an officer owed on frozen days and has not entered, the oldest day first.
pub(super) fn frozen<A: Action>(
    tx: &mut Tx<'_, A>,
    officer: OfficerId,
    most: i64,
) -> Result<Vec<(NaiveDate, Owed)>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => in_force!(
            owed_entries::table.left_join(day_entries::table.on(day_entries::tenant_id
                .eq(owed_entries::tenant_id)
                .and(day_entries::task_id.eq(owed_entries::task_id))
                .and(day_entries::officer_id.eq(owed_entries::officer_id))
                .and(day_entries::day.eq(owed_entries::day)))),
            owed_entries
        )
        .filter(owed_entries::tenant_id.eq(tenant))
        .filter(owed_entries::officer_id.eq(officer))
        .filter(day_entries::id.is_null())
        .filter(is_in_force!())
        .order((owed_entries::day, owed_entries::task_id))
        .select((owed_entries::day, owed!(owed_entries)))
        .limit(most)
        .load(c))?)
}

/// The duties of an officer that reach beyond a day (all of them, when there is none) and have begun,
/// each with its first and last day.
pub(super) fn duties<A: Action>(
    tx: &mut Tx<'_, A>,
    officer: OfficerId,
    after: Option<NaiveDate>,
    most: i64,
) -> Result<Vec<(NaiveDate, NaiveDate, Owed)>> {
    let (tenant, today) = (tx.tenant(), tx.now().shanghai_day());
    // Nothing was owed before 1970.
    let after = after.unwrap_or_default();
    Ok(with_conn!(tx.conn(), c => in_force!(entry_duties::table, entry_duties)
        .filter(entry_duties::tenant_id.eq(tenant))
        .filter(entry_duties::officer_id.eq(officer))
        .filter(entry_duties::until_on.gt(after))
        .filter(entry_duties::from_on.le(today))
        .filter(is_in_force!())
        .order((entry_duties::from_on, entry_duties::id))
        .select((entry_duties::from_on, entry_duties::until_on, owed!(entry_duties)))
        .limit(most)
        .load(c))?)
}

/// The days from one on that an officer has entered for these tasks.
pub(super) fn entered<A: Action>(
    tx: &mut Tx<'_, A>,
    officer: OfficerId,
    of: Vec<TaskId>,
    from: NaiveDate,
) -> Result<Vec<(TaskId, NaiveDate)>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => day_entries::table
        .filter(day_entries::tenant_id.eq(tenant))
        .filter(day_entries::officer_id.eq(officer))
        .filter(day_entries::task_id.eq_any(of))
        .filter(day_entries::day.ge(from))
        .select((day_entries::task_id, day_entries::day))
        .load(c))?)
}

/// How many officers of each unit within `reach` owe an entry for a day and have not made it. Who has left
/// owes nothing afterwards.
pub(super) fn open_people<A: Action>(
    tx: &mut Tx<'_, A>,
    reach: &Reach,
    day: NaiveDate,
    most: i64,
) -> Result<Vec<(UnitId, i64)>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => within_reach!(
            in_force!(
                entry_duties::table
                    .inner_join(officers::table.on(officers::tenant_id
                        .eq(entry_duties::tenant_id)
                        .and(officers::id.eq(entry_duties::officer_id))))
                    .left_join(day_entries::table.on(day_entries::tenant_id
                        .eq(entry_duties::tenant_id)
                        .and(day_entries::task_id.eq(entry_duties::task_id))
                        .and(day_entries::officer_id.eq(entry_duties::officer_id))
                        .and(day_entries::day.eq(day)))),
                entry_duties
            )
            .group_by(entry_duties::unit_id)
            .select((entry_duties::unit_id, count(entry_duties::officer_id).aggregate_distinct())),
            reach,
            entry_duties::unit_path
        )
        .filter(entry_duties::tenant_id.eq(tenant))
        .filter(entry_duties::from_on.le(day))
        .filter(entry_duties::until_on.ge(day))
        .filter(officers::left_on.is_null().or(officers::left_on.ge(day)))
        .filter(day_entries::id.is_null())
        .filter(is_in_force!())
        .order(entry_duties::unit_id)
        .limit(most)
        .load(c))?)
}
