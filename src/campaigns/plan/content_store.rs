//! Rows of a plan's content: phases, tasks, responsible units.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::rules::{Plan, PlanContent, Responsible, Target, TaskDraft};
use crate::access::Tx;
use crate::access::policy::Action;
use crate::campaigns::rules::{Frequency, Phase, PlanId, ResponsibleExtent, TargetDirection, TaskId};
use crate::db::schema::{plan_phases, task_responsibles, tasks};
use crate::db::{TenantId, insert_rows, with_conn};
use crate::errors::Result;
use crate::org::rules::{UnitId, UnitKind};

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = tasks)]
pub(super) struct TaskRow {
    pub id: TaskId,
    pub plan_id: PlanId,
    pub position: i32,
    pub category: String,
    pub title: String,
    pub content: String,
    pub lead_leader: Option<String>,
    pub due_on: NaiveDate,
    pub frequency: Frequency,
    pub daily_entries: bool,
    pub target_name: Option<String>,
    pub target_direction: Option<TargetDirection>,
    pub target_value: Option<String>,
    pub target_unit: Option<String>,
    pub parent_task_id: Option<TaskId>,
}

#[derive(Insertable)]
#[diesel(table_name = tasks)]
struct NewTask<'a> {
    tenant_id: TenantId,
    id: TaskId,
    plan_id: PlanId,
    unit_path: &'a str,
    position: i32,
    category: &'a str,
    title: &'a str,
    content: &'a str,
    lead_leader: Option<&'a str>,
    due_on: NaiveDate,
    frequency: Frequency,
    daily_entries: bool,
    target_name: Option<&'a str>,
    target_direction: Option<TargetDirection>,
    target_value: Option<&'a str>,
    target_unit: Option<&'a str>,
    parent_task_id: Option<TaskId>,
}

impl<'a> NewTask<'a> {
    fn of(
        tenant_id: TenantId,
        plan: (PlanId, &'a str),
        position: i32,
        id: TaskId,
        task: &'a TaskDraft,
    ) -> Self {
        let target = task.target.as_ref();
        Self {
            tenant_id,
            id,
            plan_id: plan.0,
            unit_path: plan.1,
            position,
            category: &task.category,
            title: &task.title,
            content: &task.content,
            lead_leader: task.lead_leader.as_deref(),
            due_on: task.due_on,
            frequency: task.frequency,
            daily_entries: task.daily_entries,
            target_name: target.map(|target| target.name.as_str()),
            target_direction: target.map(|target| target.direction),
            target_value: target.map(|target| target.value.as_str()),
            target_unit: target.map(|target| target.unit.as_str()),
            parent_task_id: task.parent_task_id,
        }
    }
}

#[derive(Insertable)]
#[diesel(table_name = task_responsibles)]
struct NewResponsible {
    tenant_id: TenantId,
    task_id: TaskId,
    position: i32,
    unit_id: UnitId,
    extent: ResponsibleExtent,
    kind: Option<UnitKind>,
}

/// Who answers for a task, as rows.
fn answering(
    tenant_id: TenantId,
    task_id: TaskId,
    responsible: &[Responsible],
) -> impl Iterator<Item = NewResponsible> {
    (0_i32..).zip(responsible).map(move |(position, one)| NewResponsible {
        tenant_id,
        task_id,
        position,
        unit_id: one.unit_id,
        extent: one.extent,
        kind: one.kind,
    })
}

pub(super) fn draft(row: TaskRow, responsible: Vec<Responsible>) -> TaskDraft {
    let target = match (row.target_name, row.target_direction, row.target_value, row.target_unit) {
        (Some(name), Some(direction), Some(value), Some(unit)) => {
            Some(Target { name, direction, value, unit })
        }
        _ => None,
    };
    TaskDraft {
        id: Some(row.id),
        category: row.category,
        title: row.title,
        content: row.content,
        lead_leader: row.lead_leader,
        responsible,
        due_on: row.due_on,
        frequency: row.frequency,
        daily_entries: row.daily_entries,
        target,
        parent_task_id: row.parent_task_id,
    }
}

type ResponsibleRow = (TaskId, UnitId, ResponsibleExtent, Option<UnitKind>);

pub(super) fn responsibles<A: Action>(
    tx: &mut Tx<'_, A>,
    ids: &[TaskId],
) -> Result<HashMap<TaskId, Vec<Responsible>>> {
    let tenant = tx.tenant();
    let mut found: HashMap<TaskId, Vec<Responsible>> = HashMap::new();
    for some in ids.chunks(500) {
        let rows: Vec<ResponsibleRow> = with_conn!(tx.conn(), c => task_responsibles::table
            .filter(task_responsibles::tenant_id.eq(tenant))
            .filter(task_responsibles::task_id.eq_any(some.to_vec()))
            .order((task_responsibles::task_id, task_responsibles::position))
            .select((
                task_responsibles::task_id,
                task_responsibles::unit_id,
                task_responsibles::extent,
                task_responsibles::kind,
            ))
            .load(c))?;
        for (task, unit_id, extent, kind) in rows {
            found.entry(task).or_default().push(Responsible { unit_id, extent, kind });
        }
    }
    Ok(found)
}

/// The whole content of a plan.
pub(super) fn content<A: Action>(tx: &mut Tx<'_, A>, plan: &Plan) -> Result<PlanContent> {
    let (tenant, id) = (tx.tenant(), plan.id);
    let phases: Vec<(String, NaiveDate, NaiveDate)> = with_conn!(tx.conn(), c => plan_phases::table
        .filter(plan_phases::tenant_id.eq(tenant))
        .filter(plan_phases::plan_id.eq(id))
        .order(plan_phases::position)
        .select((plan_phases::name, plan_phases::starts_on, plan_phases::ends_on))
        .load(c))?;
    let rows: Vec<TaskRow> = with_conn!(tx.conn(), c => tasks::table
        .filter(tasks::tenant_id.eq(tenant))
        .filter(tasks::plan_id.eq(id))
        .filter(tasks::retired_in.is_null())
        .order(tasks::position)
        .select(TaskRow::as_select())
        .load(c))?;
    let ids: Vec<TaskId> = rows.iter().map(|row| row.id).collect();
    let mut who = responsibles(tx, &ids)?;
    Ok(PlanContent {
        title: plan.title.clone(),
        meeting: plan.meeting.clone(),
        phases: phases
            .into_iter()
            .map(|(name, starts_on, ends_on)| Phase { name, starts_on, ends_on })
            .collect(),
        tasks: rows
            .into_iter()
            .map(|row| {
                let responsible = who.remove(&row.id).unwrap_or_default();
                draft(row, responsible)
            })
            .collect(),
    })
}

/// Writes a plan's phases and tasks in place of what was there. Tasks without an id get one.
pub(super) fn replace<A: Action>(
    tx: &mut Tx<'_, A>,
    id: PlanId,
    unit_path: &str,
    content: &PlanContent,
) -> Result<()> {
    let tenant = tx.tenant();
    let old: Vec<TaskId> = with_conn!(tx.conn(), c => tasks::table
        .filter(tasks::tenant_id.eq(tenant))
        .filter(tasks::plan_id.eq(id))
        .select(tasks::id)
        .load(c))?;
    for some in old.chunks(500) {
        with_conn!(tx.conn(), c => diesel::delete(task_responsibles::table
            .filter(task_responsibles::tenant_id.eq(tenant))
            .filter(task_responsibles::task_id.eq_any(some.to_vec())))
            .execute(c))?;
    }
    with_conn!(tx.conn(), c => diesel::delete(tasks::table
        .filter(tasks::tenant_id.eq(tenant))
        .filter(tasks::plan_id.eq(id)))
        .execute(c))?;
    replace_phases(tx, id, content)?;
    let mut rows = Vec::with_capacity(content.tasks.len());
    let mut who = Vec::new();
    for (position, task) in (0_i32..).zip(&content.tasks) {
        let task_id = task.id.unwrap_or_else(TaskId::generate);
        rows.push(NewTask::of(tenant, (id, unit_path), position, task_id, task));
        who.extend(answering(tenant, task_id, &task.responsible));
    }
    insert_rows!(tx.conn(), tasks::table, &rows);
    insert_rows!(tx.conn(), task_responsibles::table, &who);
    Ok(())
}

fn replace_phases<A: Action>(tx: &mut Tx<'_, A>, id: PlanId, content: &PlanContent) -> Result<()> {
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::delete(plan_phases::table
        .filter(plan_phases::tenant_id.eq(tenant))
        .filter(plan_phases::plan_id.eq(id)))
        .execute(c))?;
    let phases: Vec<_> = (0_i32..)
        .zip(&content.phases)
        .map(|(position, phase)| {
            (
                plan_phases::tenant_id.eq(tenant),
                plan_phases::plan_id.eq(id),
                plan_phases::position.eq(position),
                plan_phases::name.eq(&phase.name),
                plan_phases::starts_on.eq(phase.starts_on),
                plan_phases::ends_on.eq(phase.ends_on),
            )
        })
        .collect();
    insert_rows!(tx.conn(), plan_phases::table, &phases);
    Ok(())
}

/// Retired tasks stand behind all others, those of later versions further behind.
pub(super) const RETIRED_FROM: i32 = 1000;

/// Puts what a later version says in force: tasks that stay keep their identifier and what was done for them,
/// those left out are retired with it.
pub(super) fn supersede<A: Action>(
    tx: &mut Tx<'_, A>,
    id: PlanId,
    unit_path: &str,
    number: i32,
    content: &PlanContent,
) -> Result<()> {
    let tenant = tx.tenant();
    replace_phases(tx, id, content)?;
    let known: Vec<TaskId> = with_conn!(tx.conn(), c => tasks::table
        .filter(tasks::tenant_id.eq(tenant))
        .filter(tasks::plan_id.eq(id))
        .select(tasks::id)
        .load(c))?;
    with_conn!(tx.conn(), c => diesel::update(tasks::table
        .filter(tasks::tenant_id.eq(tenant))
        .filter(tasks::plan_id.eq(id))
        .filter(tasks::retired_in.is_null()))
        .set((
            tasks::retired_in.eq(number),
            tasks::position.eq(tasks::position + RETIRED_FROM.saturating_mul(number)),
        ))
        .execute(c))?;
    let (mut new, mut who) = (Vec::new(), Vec::new());
    for (position, task) in (0_i32..).zip(&content.tasks) {
        let task_id = task.id.unwrap_or_else(TaskId::generate);
        let row = NewTask::of(tenant, (id, unit_path), position, task_id, task);
        who.extend(answering(tenant, task_id, &task.responsible));
        if !known.contains(&task_id) {
            new.push(row);
            continue;
        }
        with_conn!(tx.conn(), c => diesel::update(tasks::table.find((tenant, task_id)))
            .set((
                tasks::position.eq(row.position),
                tasks::category.eq(row.category),
                tasks::title.eq(row.title),
                tasks::content.eq(row.content),
                tasks::lead_leader.eq(row.lead_leader),
                tasks::due_on.eq(row.due_on),
                tasks::frequency.eq(row.frequency),
                tasks::daily_entries.eq(row.daily_entries),
                tasks::target_name.eq(row.target_name),
                tasks::target_direction.eq(row.target_direction),
                tasks::target_value.eq(row.target_value),
                tasks::target_unit.eq(row.target_unit),
                tasks::parent_task_id.eq(row.parent_task_id),
                tasks::retired_in.eq(None::<i32>),
            ))
            .execute(c))?;
        with_conn!(tx.conn(), c => diesel::delete(task_responsibles::table
            .filter(task_responsibles::tenant_id.eq(tenant))
            .filter(task_responsibles::task_id.eq(task_id)))
            .execute(c))?;
    }
    insert_rows!(tx.conn(), tasks::table, &new);
    insert_rows!(tx.conn(), task_responsibles::table, &who);
    Ok(())
}

/// Which of these task ids stand in another plan already.
pub(super) fn taken_elsewhere<A: Action>(
    tx: &mut Tx<'_, A>,
    plan: PlanId,
    ids: &[TaskId],
) -> Result<Vec<TaskId>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => tasks::table
        .filter(tasks::tenant_id.eq(tenant))
        .filter(tasks::plan_id.ne(plan))
        .filter(tasks::id.eq_any(ids.to_vec()))
        .select(tasks::id)
        .load(c))?)
}

/// Which of these task ids stand in this plan as it is in force.
pub(super) fn standing_in<A: Action>(
    tx: &mut Tx<'_, A>,
    plan: PlanId,
    ids: &[TaskId],
) -> Result<Vec<TaskId>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => tasks::table
        .filter(tasks::tenant_id.eq(tenant))
        .filter(tasks::plan_id.eq(plan))
        .filter(tasks::retired_in.is_null())
        .filter(tasks::id.eq_any(ids.to_vec()))
        .select(tasks::id)
        .load(c))?)
}

pub(super) fn task_counts<A: Action>(tx: &mut Tx<'_, A>, ids: &[PlanId]) -> Result<HashMap<PlanId, i64>> {
    let tenant = tx.tenant();
    let rows: Vec<(PlanId, i64)> = with_conn!(tx.conn(), c => tasks::table
        .filter(tasks::tenant_id.eq(tenant))
        .filter(tasks::plan_id.eq_any(ids.to_vec()))
        .filter(tasks::retired_in.is_null())
        .group_by(tasks::plan_id)
        .select((tasks::plan_id, diesel::dsl::count_star()))
        .load(c))?;
    Ok(rows.into_iter().collect())
}
