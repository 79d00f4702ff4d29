//! Rows of duties to enter.

use std::collections::HashMap;

use chrono::{Days, NaiveDate};
use diesel::prelude::*;

use crate::access::policy::{Action, Effect};
use crate::access::{EffectTx, Tx, follow_path};
use crate::campaigns::plan::rules::PlanState;
use crate::campaigns::rules::TaskId;
use crate::campaigns::tasks::rules::{Assignment, AssignmentId};
use crate::db::schema::{
    assignment_persons, cleared_days, day_entries, entry_duties, owed_entries, plans, tasks,
};
use crate::db::{Id, insert_rows, with_conn};
use crate::errors::Result;
use crate::org::officers::rules::OfficerId;
use crate::org::rules::UnitId;

/// Marks the identifier of a duty.
#[derive(Debug)]
pub(super) struct DutyEntity;

/// The persons of those of the assignments whose tasks ask for daily entries and whose plans are not closed.
pub(super) fn persons<E: Effect>(
    tx: &mut EffectTx<'_, E>,
    ids: &[AssignmentId],
) -> Result<HashMap<AssignmentId, Vec<OfficerId>>> {
    let tenant = tx.tenant();
    let mut found: HashMap<AssignmentId, Vec<OfficerId>> = HashMap::new();
    for some in ids.chunks(500) {
        let rows: Vec<(AssignmentId, OfficerId)> = with_conn!(tx.conn(), c => assignment_persons::table
            .inner_join(tasks::table.on(
                tasks::tenant_id.eq(assignment_persons::tenant_id).and(tasks::id.eq(assignment_persons::task_id))))
            .filter(assignment_persons::tenant_id.eq(tenant))
            .filter(assignment_persons::assignment_id.eq_any(some.to_vec()))
            .inner_join(
                plans::table.on(plans::tenant_id.eq(tasks::tenant_id).and(plans::id.eq(tasks::plan_id))))
            .filter(tasks::daily_entries.eq(true))
            .filter(plans::stage.is_null().or(plans::stage.eq(PlanState::Concluding)))
            .select((assignment_persons::assignment_id, assignment_persons::officer_id))
            .load(c))?;
        for (assignment, officer) in rows {
            found.entry(assignment).or_default().push(officer);
        }
    }
    Ok(found)
}

/// Shortens the duties that last: of these officers or of all, with or without today.
pub(super) fn end<E: Effect>(
    tx: &mut EffectTx<'_, E>,
    id: AssignmentId,
    officers: Option<&[OfficerId]>,
    with_today: bool,
) -> Result<()> {
    let (tenant, today) = (tx.tenant(), tx.now().shanghai_day());
    let last = if with_today { today } else { today.pred_opt().unwrap_or(today) };
    macro_rules! lasting {
        () => {
            entry_duties::table
                .filter(entry_duties::tenant_id.eq(tenant))
                .filter(entry_duties::assignment_id.eq(id))
                .filter(entry_duties::until_on.gt(last))
        };
    }
    let shortened = entry_duties::until_on.eq(last);
    match officers {
        None => with_conn!(tx.conn(), c => diesel::update(lasting!()).set(shortened).execute(c))?,
        Some(officers) => with_conn!(tx.conn(), c => diesel::update(
            lasting!().filter(entry_duties::officer_id.eq_any(officers.to_vec())))
            .set(shortened)
            .execute(c))?,
    };
    Ok(())
}

/// Whether a day is over and frozen.
pub(super) fn is_frozen<E: Effect>(tx: &mut EffectTx<'_, E>, day: NaiveDate) -> Result<bool> {
    let tenant = tx.tenant();
    let found: i64 =
        with_conn!(tx.conn(), c => cleared_days::table.find((tenant, day)).count().get_result(c))?;
    Ok(found > 0)
}

/// The unit of the duty by which an officer owed an entry for a task and a day.
pub(super) fn covering<A: Action>(
    tx: &mut Tx<'_, A>,
    task: TaskId,
    officer: OfficerId,
    day: NaiveDate,
) -> Result<Option<(UnitId, String)>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => entry_duties::table
        .filter(entry_duties::tenant_id.eq(tenant))
        .filter(entry_duties::task_id.eq(task))
        .filter(entry_duties::officer_id.eq(officer))
        .filter(entry_duties::from_on.le(day))
        .filter(entry_duties::until_on.ge(day))
        .order(entry_duties::id)
        .select((entry_duties::unit_id, entry_duties::unit_path))
        .first(c)
        .optional())?)
}

/// Begins duties with tomorrow, until the deadline.
pub(super) fn begin<E: Effect>(
    tx: &mut EffectTx<'_, E>,
    one: &Assignment,
    officers: &[OfficerId],
) -> Result<()> {
    let (tenant, today) = (tx.tenant(), tx.now().shanghai_day());
    let from_on = today.checked_add_days(Days::new(1)).unwrap_or(today);
    if from_on > one.due_on {
        return Ok(());
    }
    let rows: Vec<_> = officers
        .iter()
        .map(|officer| {
            (
                entry_duties::tenant_id.eq(tenant),
                entry_duties::id.eq(Id::<DutyEntity>::generate()),
                entry_duties::assignment_id.eq(one.id),
                entry_duties::task_id.eq(one.task_id),
                entry_duties::officer_id.eq(*officer),
                entry_duties::unit_id.eq(one.unit_id),
                entry_duties::unit_path.eq(&one.unit_path),
                entry_duties::from_on.eq(from_on),
                entry_duties::until_on.eq(one.due_on),
            )
        })
        .collect();
    insert_rows!(tx.conn(), entry_duties::table, &rows);
    Ok(())
}

/// Moves every path below `from`.
pub(super) fn follow<E: Effect>(tx: &mut EffectTx<'_, E>, from: &str, to: &str) -> Result<()> {
    let tenant = tx.tenant();
    follow_path!(tx.conn(), entry_duties, unit_path, tenant, from, to);
    follow_path!(tx.conn(), day_entries, unit_path, tenant, from, to);
    follow_path!(tx.conn(), owed_entries, unit_path, tenant, from, to);
    Ok(())
}
