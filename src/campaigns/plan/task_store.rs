//! Rows of tasks as lists of them are read, whichever plan they stand in.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::content_store::{RETIRED_FROM, TaskRow, draft, responsibles};
use super::rules::{PlanState, TaskDraft};
use crate::access::policy::Action;
use crate::access::{Reach, Tx, within_reach};
use crate::campaigns::rules::{Frequency, PlanId, TaskId};
use crate::db::schema::{plans, tasks};
use crate::db::{text_enum, with_conn};
use crate::errors::Result;
use crate::org::rules::UnitId;
use crate::web::{Page, Paging};

/// A task with the plan and the version it stands in.
#[derive(Debug, Clone)]
pub struct Task {
    /// The plan.
    pub plan_id: PlanId,
    /// Whose plan it is.
    pub unit_id: UnitId,
    /// The plan's version.
    pub plan_version: i64,
    /// Its place in the task list, from 0; of a retired one the last that it had.
    pub position: i32,
    /// What it says; the id is there.
    pub draft: TaskDraft,
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
        let mut query = visible!($tenant, $reach).filter(tasks::retired_in.is_null());
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
                position: row.position % RETIRED_FROM,
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
