//! Rows of assignments.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::rules::{Assignment, AssignmentId, AssignmentState, TaskFacts};
use crate::access::policy::Action;
use crate::access::{PathRange, Reach, Tx, UserId, within_reach};
use crate::campaigns::plan::rules::{PlanState, Responsible};
use crate::campaigns::rules::{CampaignId, PlanId, ResponsibleExtent, TaskId};
use crate::db::schema::{plans, task_assignments, task_responsibles, tasks};
use crate::db::{Instant, TenantId, lock_row, share_row, text_enum, with_conn};
use crate::errors::Result;
use crate::org::rules::{UnitId, UnitKind};
use crate::web::{Page, Paging};

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = task_assignments)]
pub(super) struct AssignmentRow {
    id: AssignmentId,
    task_id: TaskId,
    parent_task_id: Option<TaskId>,
    campaign_id: CampaignId,
    unit_id: UnitId,
    unit_path: String,
    due_on: NaiveDate,
    state: AssignmentState,
    carried: bool,
    evidence: Option<String>,
    completed_at: Option<Instant>,
    completed_by: Option<UserId>,
    reopen_reason: Option<String>,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

impl From<AssignmentRow> for Assignment {
    fn from(row: AssignmentRow) -> Self {
        let AssignmentRow { id, task_id, parent_task_id, campaign_id, unit_id, unit_path, .. } = row;
        let AssignmentRow { due_on, state, carried, evidence, completed_at, completed_by, .. } = row;
        let AssignmentRow { reopen_reason, version, created_at, updated_at, .. } = row;
        Self {
            id,
            task_id,
            parent_task_id,
            campaign_id,
            unit_id,
            unit_path,
            due_on,
            state,
            carried,
            evidence,
            completed_at,
            completed_by,
            reopen_reason,
            version,
            created_at,
            updated_at,
        }
    }
}

#[derive(Insertable)]
#[diesel(table_name = task_assignments)]
pub(super) struct NewAssignment<'a> {
    tenant_id: TenantId,
    id: AssignmentId,
    task_id: TaskId,
    parent_task_id: Option<TaskId>,
    campaign_id: CampaignId,
    unit_id: UnitId,
    unit_path: &'a str,
    due_on: NaiveDate,
    state: AssignmentState,
    carried: bool,
    evidence: Option<&'a str>,
    completed_at: Option<Instant>,
    completed_by: Option<UserId>,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

impl<'a> NewAssignment<'a> {
    pub(super) fn of(tenant_id: TenantId, one: &'a Assignment) -> Self {
        Self {
            tenant_id,
            id: one.id,
            task_id: one.task_id,
            parent_task_id: one.parent_task_id,
            campaign_id: one.campaign_id,
            unit_id: one.unit_id,
            unit_path: &one.unit_path,
            due_on: one.due_on,
            state: one.state,
            carried: one.carried,
            evidence: one.evidence.as_deref(),
            completed_at: one.completed_at,
            completed_by: one.completed_by,
            version: one.version,
            created_at: one.created_at,
            updated_at: one.updated_at,
        }
    }
}

/// A task of a plan as its expansion needs it.
#[derive(Debug)]
pub(super) struct ListedTask {
    pub id: TaskId,
    pub campaign_id: CampaignId,
    pub parent_task_id: Option<TaskId>,
    pub due_on: NaiveDate,
    pub responsible: Vec<Responsible>,
}

/// The task list of a plan as it is in force.
pub(super) fn task_list<A: Action>(tx: &mut Tx<'_, A>, plan: PlanId) -> Result<Vec<ListedTask>> {
    let tenant = tx.tenant();
    let rows: Vec<(TaskId, CampaignId, Option<TaskId>, NaiveDate)> = with_conn!(tx.conn(), c => tasks::table
        .inner_join(plans::table.on(plans::tenant_id.eq(tasks::tenant_id).and(plans::id.eq(tasks::plan_id))))
        .filter(tasks::tenant_id.eq(tenant))
        .filter(tasks::plan_id.eq(plan))
        .filter(tasks::retired_in.is_null())
        .order(tasks::position)
        .select((tasks::id, plans::campaign_id, tasks::parent_task_id, tasks::due_on))
        .load(c))?;
    let named: Vec<(TaskId, UnitId, ResponsibleExtent, Option<UnitKind>)> = with_conn!(tx.conn(), c => task_responsibles::table
            .inner_join(tasks::table.on(
                tasks::tenant_id.eq(task_responsibles::tenant_id).and(tasks::id.eq(task_responsibles::task_id))))
            .filter(task_responsibles::tenant_id.eq(tenant))
            .filter(tasks::plan_id.eq(plan))
            .order((task_responsibles::task_id, task_responsibles::position))
            .select((
                task_responsibles::task_id,
                task_responsibles::unit_id,
                task_responsibles::extent,
                task_responsibles::kind,
            ))
            .load(c))?;
    let mut who: HashMap<TaskId, Vec<Responsible>> = HashMap::new();
    for (task, unit_id, extent, kind) in named {
        who.entry(task).or_default().push(Responsible { unit_id, extent, kind });
    }
    Ok(rows
        .into_iter()
        .map(|(id, campaign_id, parent_task_id, due_on)| ListedTask {
            id,
            campaign_id,
            parent_task_id,
            due_on,
            responsible: who.remove(&id).unwrap_or_default(),
        })
        .collect())
}

/// Keeps the plan of a task as it is until the transaction ends: before its state is judged, and before any
/// assignment is held.
pub(super) fn share_plan<A: Action>(tx: &mut Tx<'_, A>, task: TaskId) -> Result<()> {
    let tenant = tx.tenant();
    share_row!(
        tx.conn(),
        plans::table
            .filter(plans::tenant_id.eq(tenant))
            .filter(
                plans::id.eq_any(
                    tasks::table
                        .filter(tasks::tenant_id.eq(tenant))
                        .filter(tasks::id.eq(task))
                        .select(tasks::plan_id),
                ),
            )
            .select(plans::id)
    );
    Ok(())
}

type Stage = (PlanState, Option<PlanState>, Option<NaiveDate>);
type TaskRow = (TaskId, PlanId, Stage, i64, CampaignId, Option<TaskId>, NaiveDate, bool, Option<i32>);

/// The task, if `reach` holds its plan or a superior has published it.
pub(super) fn task<A: Action>(tx: &mut Tx<'_, A>, reach: &Reach, id: TaskId) -> Result<Option<TaskFacts>> {
    let tenant = tx.tenant();
    let row: Option<TaskRow> = with_conn!(tx.conn(), c => {
        let join = tasks::table.inner_join(
            plans::table.on(plans::tenant_id.eq(tasks::tenant_id).and(plans::id.eq(tasks::plan_id))),
        );
        let mut query = within_reach!(join, reach, tasks::unit_path);
        if !reach.tenant && !reach.ancestors.is_empty() {
            query = query.or_filter(
                plans::state
                    .eq(PlanState::Published)
                    .and(plans::unit_path.eq_any(reach.ancestors.clone())),
            );
        }
        query
            .filter(tasks::tenant_id.eq(tenant))
            .filter(tasks::id.eq(id))
            .select((
                tasks::id,
                tasks::plan_id,
                (plans::state, plans::stage, plans::starts_on),
                plans::version,
                plans::campaign_id,
                tasks::parent_task_id,
                tasks::due_on,
                tasks::daily_entries,
                tasks::retired_in,
            ))
            .first(c)
            .optional()
    })?;
    let today = tx.now().shanghai_day();
    Ok(row.map(|row| {
        let (id, plan_id, stage, version, campaign_id, parent_task_id, due_on, daily_entries, retired_in) =
            row;
        let (kept, stage, starts_on) = stage;
        TaskFacts {
            id,
            plan_id,
            plan_state: PlanState::of(kept, stage, starts_on, today),
            is_asked_from_above: false,
            version,
            campaign_id,
            parent_task_id,
            due_on,
            daily_entries,
            is_retired: retired_in.is_some(),
        }
    }))
}

/// How the plan of a task stands, and which task of the plan above it answers; whatever the reach.
pub(super) fn standing<A: Action>(
    tx: &mut Tx<'_, A>,
    id: TaskId,
) -> Result<Option<(PlanState, Option<TaskId>)>> {
    let (tenant, today) = (tx.tenant(), tx.now().shanghai_day());
    let row: Option<(Stage, Option<TaskId>)> = with_conn!(tx.conn(), c => tasks::table
        .inner_join(plans::table.on(plans::tenant_id.eq(tasks::tenant_id).and(plans::id.eq(tasks::plan_id))))
        .filter(tasks::tenant_id.eq(tenant))
        .filter(tasks::id.eq(id))
        .select(((plans::state, plans::stage, plans::starts_on), tasks::parent_task_id))
        .first(c)
        .optional())?;
    Ok(row.map(|((kept, stage, starts_on), parent)| (PlanState::of(kept, stage, starts_on, today), parent)))
}

/// How many assignments of tasks that answer those of a plan above are open, of each of these plans.
pub(super) fn open_answers<A: Action>(tx: &mut Tx<'_, A>, plans: &[PlanId]) -> Result<HashMap<PlanId, i64>> {
    let tenant = tx.tenant();
    let rows: Vec<(PlanId, i64)> = with_conn!(tx.conn(), c => tasks::table
        .inner_join(task_assignments::table.on(
            task_assignments::tenant_id.eq(tasks::tenant_id).and(task_assignments::task_id.eq(tasks::id))))
        .filter(tasks::tenant_id.eq(tenant))
        .filter(tasks::plan_id.eq_any(plans.to_vec()))
        .filter(task_assignments::parent_task_id.is_not_null())
        .filter(task_assignments::state.eq(AssignmentState::Open))
        .group_by(tasks::plan_id)
        .select((tasks::plan_id, diesel::dsl::count_star()))
        .load(c))?;
    Ok(rows.into_iter().collect())
}

text_enum! {
    /// By what assignments are sorted; ties by id.
    AssignmentSort as "assignment_sort" {
        Unit = "unit", "按单位, 上级在前", "By unit, superiors first", grey;
        UnitDown = "-unit", "按单位, 上级在后", "By unit, superiors last", grey;
    }
}

/// What a list of assignments is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct AssignmentFilter {
    /// Of these units.
    pub below: Option<PathRange>,
    /// In these states; empty for all.
    pub states: Vec<AssignmentState>,
    /// Whether the last day is over and it is not done.
    pub overdue: Option<bool>,
}

/// The one place where the table is named for reading: tenant and reach.
macro_rules! visible {
    ($tenant:expr, $reach:expr) => {
        within_reach!(task_assignments::table, $reach, task_assignments::unit_path)
            .filter(task_assignments::tenant_id.eq($tenant))
    };
}

macro_rules! filtered {
    ($tenant:expr, $reach:expr, $task:expr, $filter:expr, $today:expr) => {{
        let mut query = visible!($tenant, $reach).filter(task_assignments::task_id.eq($task));
        if let Some(range) = $filter.below.clone() {
            query = query
                .filter(task_assignments::unit_path.ge(range.low))
                .filter(task_assignments::unit_path.lt(range.high));
        }
        if !$filter.states.is_empty() {
            query = query.filter(task_assignments::state.eq_any($filter.states.clone()));
        }
        let open = AssignmentState::Open;
        match $filter.overdue {
            Some(true) => {
                query = query
                    .filter(task_assignments::state.eq(open))
                    .filter(task_assignments::due_on.lt($today));
            }
            Some(false) => {
                query =
                    query.filter(task_assignments::state.ne(open).or(task_assignments::due_on.ge($today)));
            }
            None => {}
        }
        query
    }};
}

pub(super) fn list<A: Action>(
    tx: &mut Tx<'_, A>,
    task: TaskId,
    filter: &AssignmentFilter,
    sort: AssignmentSort,
    paging: &Paging,
) -> Result<Page<Assignment>> {
    use task_assignments::{id as by_id, unit_path as by_path};
    let (tenant, reach, today) = (tx.tenant(), tx.reach().clone(), tx.now().shanghai_day());
    let after = paging
        .after(2)?
        .and_then(|place| Some((place.first()?.clone(), AssignmentId::parse(place.get(1)?)?)));
    let total: Option<i64> = if paging.counts() {
        Some(with_conn!(tx.conn(), c => filtered!(tenant, reach, task, filter, today).count().get_result(c))?)
    } else {
        None
    };
    let rows: Vec<AssignmentRow> = with_conn!(tx.conn(), c => {
        let query = filtered!(tenant, reach, task, filter, today)
            .select(AssignmentRow::as_select())
            .limit(paging.fetch());
        match (sort, after) {
            (AssignmentSort::Unit, None) => query.order((by_path.asc(), by_id.asc())).load(c),
            (AssignmentSort::Unit, Some((path, id))) => query
                .filter(by_path.gt(path.clone()).or(by_path.eq(path).and(by_id.gt(id))))
                .order((by_path.asc(), by_id.asc()))
                .load(c),
            (AssignmentSort::UnitDown, None) => query.order((by_path.desc(), by_id.desc())).load(c),
            (AssignmentSort::UnitDown, Some((path, id))) => query
                .filter(by_path.lt(path.clone()).or(by_path.eq(path).and(by_id.lt(id))))
                .order((by_path.desc(), by_id.desc()))
                .load(c),
        }
    })?;
    let place = |one: &Assignment| vec![one.unit_path.clone(), one.id.to_string()];
    Ok(paging.page(rows.into_iter().map(Assignment::from).collect(), total, place))
}

/// Whether a live assignment of a task lies within `reach`.
pub(super) fn is_assigned_within<A: Action>(tx: &mut Tx<'_, A>, reach: &Reach, task: TaskId) -> Result<bool> {
    let tenant = tx.tenant();
    let found: Option<AssignmentId> = with_conn!(tx.conn(), c => visible!(tenant, reach)
        .filter(task_assignments::task_id.eq(task))
        .filter(task_assignments::state.ne(AssignmentState::Retired))
        .select(task_assignments::id)
        .first(c)
        .optional())?;
    Ok(found.is_some())
}

/// The assignment of a task, if it lies within `reach`.
pub(super) fn find<A: Action>(
    tx: &mut Tx<'_, A>,
    reach: &Reach,
    task: TaskId,
    id: AssignmentId,
) -> Result<Option<Assignment>> {
    let tenant = tx.tenant();
    let row: Option<AssignmentRow> = with_conn!(tx.conn(), c => visible!(tenant, reach)
        .filter(task_assignments::id.eq(id))
        .filter(task_assignments::task_id.eq(task))
        .select(AssignmentRow::as_select())
        .first(c)
        .optional())?;
    Ok(row.map(Assignment::from))
}

/// The assignment of a task to a unit, held until the transaction ends.
pub(super) fn hold<A: Action>(tx: &mut Tx<'_, A>, task: TaskId, unit: UnitId) -> Result<Option<Assignment>> {
    let (tenant, reach) = (tx.tenant(), Reach::whole_tenant());
    lock_row!(
        tx.conn(),
        task_assignments::table
            .filter(task_assignments::tenant_id.eq(tenant))
            .filter(task_assignments::task_id.eq(task))
            .filter(task_assignments::unit_id.eq(unit))
            .select(task_assignments::id)
    );
    let row: Option<AssignmentRow> = with_conn!(tx.conn(), c => visible!(tenant, reach)
        .filter(task_assignments::task_id.eq(task))
        .filter(task_assignments::unit_id.eq(unit))
        .select(AssignmentRow::as_select())
        .first(c)
        .optional())?;
    Ok(row.map(Assignment::from))
}

/// Holds an assignment until the transaction ends.
pub(super) fn lock<A: Action>(tx: &mut Tx<'_, A>, id: AssignmentId) -> Result<()> {
    let tenant = tx.tenant();
    lock_row!(tx.conn(), task_assignments::table.find((tenant, id)).select(task_assignments::id));
    Ok(())
}

/// Saves what a transition changed, the version one up.
pub(super) fn save<A: Action>(tx: &mut Tx<'_, A>, one: &mut Assignment) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    one.version += 1;
    one.updated_at = now;
    with_conn!(tx.conn(), c => diesel::update(task_assignments::table.find((tenant, one.id)))
        .set((
            task_assignments::state.eq(one.state),
            task_assignments::evidence.eq(&one.evidence),
            task_assignments::completed_at.eq(one.completed_at),
            task_assignments::completed_by.eq(one.completed_by),
            task_assignments::reopen_reason.eq(&one.reopen_reason),
            task_assignments::version.eq(one.version),
            task_assignments::updated_at.eq(now),
        ))
        .execute(c))?;
    Ok(())
}

/// What tasks are called.
pub(super) fn titles<A: Action>(tx: &mut Tx<'_, A>, ids: &[TaskId]) -> Result<HashMap<TaskId, String>> {
    let tenant = tx.tenant();
    let mut found = HashMap::new();
    for some in ids.chunks(500) {
        let rows: Vec<(TaskId, String)> = with_conn!(tx.conn(), c => tasks::table
            .filter(tasks::tenant_id.eq(tenant))
            .filter(tasks::id.eq_any(some.to_vec()))
            .select((tasks::id, tasks::title))
            .load(c))?;
        found.extend(rows);
    }
    Ok(found)
}
