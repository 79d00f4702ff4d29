//! Rows of a plan's content: phases, tasks, responsible units.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::rules::{Plan, PlanContent, PlanState, Responsible, Target, TaskDraft};
use crate::access::policy::Action;
use crate::access::{Reach, Tx, within_reach};
use crate::campaigns::rules::{Frequency, Phase, PlanId, ResponsibleExtent, TargetDirection, TaskId};
use crate::db::schema::{plan_phases, plans, task_responsibles, tasks};
use crate::db::{TenantId, insert_rows, text_enum, with_conn};
use crate::errors::Result;
use crate::org::rules::{UnitId, UnitKind};
use crate::web::{Page, Paging};

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = tasks)]
struct TaskRow {
    id: TaskId,
    plan_id: PlanId,
    position: i32,
    category: String,
    title: String,
    content: String,
    lead_leader: Option<String>,
    due_on: NaiveDate,
    frequency: Frequency,
    daily_entries: bool,
    target_name: Option<String>,
    target_direction: Option<TargetDirection>,
    target_value: Option<String>,
    target_unit: Option<String>,
    parent_task_id: Option<TaskId>,
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

/// A task with the plan and the version it stands in.
#[derive(Debug, Clone)]
pub struct Task {
    /// The plan.
    pub plan_id: PlanId,
    /// Whose plan it is.
    pub unit_id: UnitId,
    /// The plan's version.
    pub plan_version: i64,
    /// Its place in the task list, from 0.
    pub position: i32,
    /// What it says; the id is there.
    pub draft: TaskDraft,
}

fn draft(row: TaskRow, responsible: Vec<Responsible>) -> TaskDraft {
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

fn responsibles<A: Action>(tx: &mut Tx<'_, A>, ids: &[TaskId]) -> Result<HashMap<TaskId, Vec<Responsible>>> {
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
    let mut rows = Vec::with_capacity(content.tasks.len());
    let mut who = Vec::new();
    for (position, task) in (0_i32..).zip(&content.tasks) {
        let task_id = task.id.unwrap_or_else(TaskId::generate);
        let target = task.target.as_ref();
        rows.push(NewTask {
            tenant_id: tenant,
            id: task_id,
            plan_id: id,
            unit_path,
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
        });
        who.extend((0_i32..).zip(&task.responsible).map(|(position, one)| NewResponsible {
            tenant_id: tenant,
            task_id,
            position,
            unit_id: one.unit_id,
            extent: one.extent,
            kind: one.kind,
        }));
    }
    insert_rows!(tx.conn(), tasks::table, &rows);
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

/// Which of these task ids stand in this plan.
pub(super) fn standing_in<A: Action>(
    tx: &mut Tx<'_, A>,
    plan: PlanId,
    ids: &[TaskId],
) -> Result<Vec<TaskId>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => tasks::table
        .filter(tasks::tenant_id.eq(tenant))
        .filter(tasks::plan_id.eq(plan))
        .filter(tasks::id.eq_any(ids.to_vec()))
        .select(tasks::id)
        .load(c))?)
}

pub(super) fn task_counts<A: Action>(tx: &mut Tx<'_, A>, ids: &[PlanId]) -> Result<HashMap<PlanId, i64>> {
    let tenant = tx.tenant();
    let rows: Vec<(PlanId, i64)> = with_conn!(tx.conn(), c => tasks::table
        .filter(tasks::tenant_id.eq(tenant))
        .filter(tasks::plan_id.eq_any(ids.to_vec()))
        .group_by(tasks::plan_id)
        .select((tasks::plan_id, diesel::dsl::count_star()))
        .load(c))?;
    Ok(rows.into_iter().collect())
}

text_enum! {
    /// By what tasks are sorted; ties by id.
    TaskSort as "task_sort" {
        Due = "due_on", "先到期在前", "Due first", grey;
        DueDown = "-due_on", "后到期在前", "Due last", grey;
    }
}

/// What a list of tasks is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct TaskFilter {
    /// Of this plan.
    pub plan: Option<PlanId>,
    /// Of this category.
    pub category: Option<String>,
    /// Due on this day or later.
    pub due_from: Option<NaiveDate>,
    /// Due on this day or earlier.
    pub due_to: Option<NaiveDate>,
    /// Done so often; empty for all.
    pub frequencies: Vec<Frequency>,
    /// Whether daily entries are due.
    pub daily_entries: Option<bool>,
}

/// Tasks are seen by who sees their plan.
macro_rules! visible {
    ($tenant:expr, $reach:expr) => {{
        let join = tasks::table.inner_join(
            plans::table.on(plans::tenant_id.eq(tasks::tenant_id).and(plans::id.eq(tasks::plan_id))),
        );
        let mut query = within_reach!(join, $reach, tasks::unit_path);
        if !$reach.tenant && !$reach.ancestors.is_empty() {
            query = query.or_filter(
                plans::state.eq(PlanState::Published).and(plans::unit_path.eq_any($reach.ancestors.clone())),
            );
        }
        query.filter(tasks::tenant_id.eq($tenant))
    }};
}

macro_rules! filtered {
    ($tenant:expr, $reach:expr, $filter:expr) => {{
        let mut query = visible!($tenant, $reach);
        if let Some(plan) = $filter.plan {
            query = query.filter(tasks::plan_id.eq(plan));
        }
        if let Some(category) = $filter.category.clone() {
            query = query.filter(tasks::category.eq(category));
        }
        if let Some(day) = $filter.due_from {
            query = query.filter(tasks::due_on.ge(day));
        }
        if let Some(day) = $filter.due_to {
            query = query.filter(tasks::due_on.le(day));
        }
        if !$filter.frequencies.is_empty() {
            query = query.filter(tasks::frequency.eq_any($filter.frequencies.clone()));
        }
        if let Some(daily) = $filter.daily_entries {
            query = query.filter(tasks::daily_entries.eq(daily));
        }
        query
    }};
}

type Joined = (TaskRow, UnitId, i64);

fn complete<A: Action>(tx: &mut Tx<'_, A>, rows: Vec<Joined>) -> Result<Vec<Task>> {
    let ids: Vec<TaskId> = rows.iter().map(|(row, _, _)| row.id).collect();
    let mut who = responsibles(tx, &ids)?;
    Ok(rows
        .into_iter()
        .map(|(row, unit_id, plan_version)| {
            let responsible = who.remove(&row.id).unwrap_or_default();
            Task {
                plan_id: row.plan_id,
                unit_id,
                plan_version,
                position: row.position,
                draft: draft(row, responsible),
            }
        })
        .collect())
}

pub(super) fn tasks_page<A: Action>(
    tx: &mut Tx<'_, A>,
    filter: &TaskFilter,
    sort: TaskSort,
    paging: &Paging,
) -> Result<Page<Task>> {
    let (tenant, reach) = (tx.tenant(), tx.reach().clone());
    let after = paging
        .after(2)?
        .and_then(|place| Some((place.first()?.parse::<NaiveDate>().ok()?, TaskId::parse(place.get(1)?)?)));
    let total: Option<i64> = if paging.counts() {
        Some(with_conn!(tx.conn(), c => filtered!(tenant, reach, filter).count().get_result(c))?)
    } else {
        None
    };
    let rows: Vec<Joined> = with_conn!(tx.conn(), c => {
        let query = filtered!(tenant, reach, filter)
            .select((TaskRow::as_select(), plans::unit_id, plans::version))
            .limit(paging.fetch());
        match (sort, after) {
            (TaskSort::Due, None) => query.order((tasks::due_on.asc(), tasks::id.asc())).load(c),
            (TaskSort::Due, Some((day, id))) => query
                .filter(tasks::due_on.gt(day).or(tasks::due_on.eq(day).and(tasks::id.gt(id))))
                .order((tasks::due_on.asc(), tasks::id.asc()))
                .load(c),
            (TaskSort::DueDown, None) => query.order((tasks::due_on.desc(), tasks::id.desc())).load(c),
            (TaskSort::DueDown, Some((day, id))) => query
                .filter(tasks::due_on.lt(day).or(tasks::due_on.eq(day).and(tasks::id.lt(id))))
                .order((tasks::due_on.desc(), tasks::id.desc()))
                .load(c),
        }
    })?;
    let page = paging.page(rows, total, |(row, _, _)| vec![row.due_on.to_string(), row.id.to_string()]);
    let Page { items, next_cursor, total } = page;
    Ok(Page { items: complete(tx, items)?, next_cursor, total })
}

pub(super) fn task<A: Action>(tx: &mut Tx<'_, A>, reach: &Reach, id: TaskId) -> Result<Option<Task>> {
    let tenant = tx.tenant();
    let row: Option<Joined> = with_conn!(tx.conn(), c => visible!(tenant, reach)
        .filter(tasks::id.eq(id))
        .select((TaskRow::as_select(), plans::unit_id, plans::version))
        .first(c)
        .optional())?;
    Ok(complete(tx, row.into_iter().collect())?.pop())
}
