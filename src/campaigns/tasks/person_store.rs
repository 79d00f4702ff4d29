//! Rows of the officers who carry assignments.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::rules::{Assignment, AssignmentId, AssignmentState};
use super::store::AssignmentRow;
use crate::access::Tx;
use crate::access::policy::Action;
use crate::campaigns::rules::TaskId;
use crate::db::schema::{assignment_persons, task_assignments};
use crate::db::{insert_rows, with_conn};
use crate::errors::Result;
use crate::org::officers::rules::OfficerId;

/// Who carries each of the assignments.
pub(super) fn persons<A: Action>(
    tx: &mut Tx<'_, A>,
    ids: &[AssignmentId],
) -> Result<HashMap<AssignmentId, Vec<OfficerId>>> {
    let tenant = tx.tenant();
    let mut found: HashMap<AssignmentId, Vec<OfficerId>> = HashMap::new();
    for some in ids.chunks(500) {
        let rows: Vec<(AssignmentId, OfficerId)> = with_conn!(tx.conn(), c => assignment_persons::table
            .filter(assignment_persons::tenant_id.eq(tenant))
            .filter(assignment_persons::assignment_id.eq_any(some.to_vec()))
            .order((assignment_persons::assignment_id, assignment_persons::officer_id))
            .select((assignment_persons::assignment_id, assignment_persons::officer_id))
            .load(c))?;
        for (assignment, officer) in rows {
            found.entry(assignment).or_default().push(officer);
        }
    }
    Ok(found)
}

/// Those of the officers who are persons of other assignments of a task.
pub(super) fn named_elsewhere<A: Action>(
    tx: &mut Tx<'_, A>,
    one: &Assignment,
    officers: &[OfficerId],
) -> Result<Vec<OfficerId>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => assignment_persons::table
        .inner_join(task_assignments::table.on(task_assignments::tenant_id
            .eq(assignment_persons::tenant_id)
            .and(task_assignments::id.eq(assignment_persons::assignment_id))))
        .filter(assignment_persons::tenant_id.eq(tenant))
        .filter(assignment_persons::task_id.eq(one.task_id))
        .filter(assignment_persons::assignment_id.ne(one.id))
        .filter(assignment_persons::officer_id.eq_any(officers.to_vec()))
        .filter(task_assignments::state.ne(AssignmentState::Retired))
        .select(assignment_persons::officer_id)
        .load(c))?)
}

/// Names persons, and others no more.
pub(super) fn set_persons<A: Action>(
    tx: &mut Tx<'_, A>,
    one: &Assignment,
    added: &[OfficerId],
    gone: &[OfficerId],
) -> Result<()> {
    let (tenant, today) = (tx.tenant(), tx.now().shanghai_day());
    with_conn!(tx.conn(), c => diesel::delete(assignment_persons::table
        .filter(assignment_persons::tenant_id.eq(tenant))
        .filter(assignment_persons::assignment_id.eq(one.id))
        .filter(assignment_persons::officer_id.eq_any(gone.to_vec())))
        .execute(c))?;
    let rows: Vec<_> = added
        .iter()
        .map(|officer| {
            (
                assignment_persons::tenant_id.eq(tenant),
                assignment_persons::assignment_id.eq(one.id),
                assignment_persons::officer_id.eq(*officer),
                assignment_persons::task_id.eq(one.task_id),
                assignment_persons::named_on.eq(today),
            )
        })
        .collect();
    insert_rows!(tx.conn(), assignment_persons::table, &rows);
    Ok(())
}

/// The newest assignment of a task that an officer is a person of, and since when.
pub(super) fn of_person<A: Action>(
    tx: &mut Tx<'_, A>,
    task: TaskId,
    officer: OfficerId,
) -> Result<Option<(Assignment, NaiveDate)>> {
    let tenant = tx.tenant();
    let rows: Vec<(AssignmentRow, NaiveDate)> = with_conn!(tx.conn(), c => assignment_persons::table
        .inner_join(task_assignments::table.on(task_assignments::tenant_id
            .eq(assignment_persons::tenant_id)
            .and(task_assignments::id.eq(assignment_persons::assignment_id))))
        .filter(assignment_persons::tenant_id.eq(tenant))
        .filter(assignment_persons::task_id.eq(task))
        .filter(assignment_persons::officer_id.eq(officer))
        .select((AssignmentRow::as_select(), assignment_persons::named_on))
        .load(c))?;
    let mut found: Vec<_> = rows.into_iter().map(|(row, since)| (Assignment::from(row), since)).collect();
    found.sort_by_key(|(one, since)| (one.state != AssignmentState::Retired, *since));
    Ok(found.pop())
}
