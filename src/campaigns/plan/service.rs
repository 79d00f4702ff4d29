//! Use cases on plans: begun, under a published parent or at the top, written, read. What takes them further is
//! in `transitions`.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::content_store as contents;
pub use super::permitted::{allowed, awaited};
use super::rules::{Plan, PlanAction, PlanContent, PlanState, next};
pub use super::store::{PlanFilter, PlanSort};
use super::task_store;
pub use super::task_store::{Task, TaskFilter, TaskSort};
pub use super::transitions::{approve, close, conclude, publish, send_back, submit, withdraw};
use super::versions::rules::Hand;
use super::{author_store, facts, store, versions};
use crate::access::policy::{Action, PlanCreate, PlanRead, PlanUpdate, TaskRead};
use crate::access::{Reach, Tx, ancestors};
use crate::audit::Change;
use crate::campaigns::campaign::service as campaign_service;
use crate::campaigns::rules::{CampaignId, PlanId, TaskId};
use crate::campaigns::tasks;
use crate::errors::{AppError, Code, FieldError, Result, deactivated, text, unknown};
use crate::org::rules::{Unit, UnitId, UnitStatus};
use crate::org::service as org;
use crate::web::{Page, Paging};

/// Plans within reach, and those a superior has published.
///
/// # Errors
/// `invalid_cursor`.
pub fn list(
    tx: &mut Tx<'_, PlanRead>,
    filter: &PlanFilter,
    sort: PlanSort,
    paging: &Paging,
) -> Result<Page<Plan>> {
    store::list(tx, filter, sort, paging)
}

/// How many tasks each of the plans has.
///
/// # Errors
/// When the database fails.
pub fn task_counts<A: Action>(tx: &mut Tx<'_, A>, plans: &[Plan]) -> Result<HashMap<PlanId, i64>> {
    let ids: Vec<PlanId> = plans.iter().map(|plan| plan.id).collect();
    contents::task_counts(tx, &ids)
}

/// One plan with its content.
///
/// # Errors
/// `not_found`.
pub fn find(tx: &mut Tx<'_, PlanRead>, id: PlanId) -> Result<(Plan, PlanContent)> {
    let reach = tx.reach().clone();
    let plan = store::find(tx, &reach, id)?.ok_or_else(|| AppError::new(Code::NotFound))?;
    let content = contents::content(tx, &plan)?;
    Ok((plan, content))
}

/// The plan to change: within this action's own reach, its row locked, its version compared.
pub(super) fn for_change<A: Action>(tx: &mut Tx<'_, A>, id: PlanId) -> Result<Plan> {
    store::lock(tx, id)?;
    let reach = Reach { ancestors: Vec::new(), ..tx.reach().clone() };
    let plan = store::find(tx, &reach, id)?.ok_or_else(|| AppError::new(Code::NotFound))?;
    tx.check_version(plan.version)?;
    Ok(plan)
}

pub(super) fn whole<A: Action>(tx: &mut Tx<'_, A>, id: PlanId) -> Result<(Plan, PlanContent)> {
    let plan = store::find(tx, &Reach::whole_tenant(), id)?;
    let plan = plan.ok_or_else(|| AppError::internal("the plan just written is not there"))?;
    let content = contents::content(tx, &plan)?;
    Ok((plan, content))
}

pub(super) fn record<A: Action>(
    tx: &mut Tx<'_, A>,
    id: PlanId,
    before: Option<&Value>,
    after: &Value,
    reason: Option<&str>,
) -> Result<()> {
    let entity_id = id.to_string();
    tx.record(&Change { entity: "plan", entity_id: &entity_id, before, after: Some(after), reason })
}

/// Begins a plan. Its parent is the published plan of the nearest unit above that has one; only the
/// plan of the unit that runs the campaign has none.
///
/// # Errors
/// `invalid_body` for a campaign or unit that is not the caller's to name; `unit_out_of_scope`,
/// `plan_exists`, `id_taken`, `parent_plan_not_published`.
pub fn create(
    tx: &mut Tx<'_, PlanCreate>,
    id: Option<PlanId>,
    campaign_id: CampaignId,
    unit_id: UnitId,
    content: &PlanContent,
) -> Result<(Plan, PlanContent, bool)> {
    let campaign = campaign_service::referred(tx, campaign_id)?;
    let unit = org::reached(tx, unit_id)?;
    let mut errors = Vec::new();
    if campaign.is_none() {
        errors.push(unknown("/campaign_id"));
    }
    match &unit {
        None => errors.push(unknown("/unit_id")),
        Some(unit) if unit.status == UnitStatus::Deactivated => errors.push(deactivated("/unit_id")),
        Some(_) => {}
    }
    let (Some(campaign), Some(unit), true) = (campaign, unit, errors.is_empty()) else {
        return Err(AppError::fields(Code::InvalidBody, errors));
    };
    if let Some(id) = id
        && store::is_taken(tx, id)?
    {
        return existing(tx, id, campaign_id, unit_id, content);
    }
    let mut paths = ancestors(&unit.path);
    paths.push(unit.path.clone());
    let there = store::at_paths(tx, campaign_id, &paths)?;
    if there.iter().any(|plan| plan.unit_id == unit_id && plan.state != PlanState::Withdrawn) {
        return Err(AppError::new(Code::PlanExists));
    }
    if !campaign.concerns(unit.id, unit.kind, &unit.path) {
        return Err(AppError::new(Code::UnitOutOfScope));
    }
    let parent = if unit.id == campaign.unit_id {
        None
    } else {
        let published = there.iter().filter(|plan| plan.state.takes_children());
        let nearest = published.max_by_key(|plan| plan.unit_path.len());
        Some(nearest.ok_or_else(|| AppError::new(Code::ParentPlanNotPublished))?.id)
    };
    let id = id.unwrap_or_else(PlanId::generate);
    check_references(tx, id, parent, content)?;
    store::insert(tx, id, campaign_id, &unit, parent, content)?;
    contents::replace(tx, id, &unit.path, content)?;
    let author = tx.user()?;
    let (plan, content) = whole(tx, id)?;
    author_store::add_author(tx, id, plan.number, author)?;
    record(tx, id, None, &facts::of(&plan, &Hand::of(&plan), Some(&content)), None)?;
    Ok((plan, content, false))
}

/// The same id with equal content again is the same plan; with other content it is taken.
fn existing(
    tx: &mut Tx<'_, PlanCreate>,
    id: PlanId,
    campaign_id: CampaignId,
    unit_id: UnitId,
    content: &PlanContent,
) -> Result<(Plan, PlanContent, bool)> {
    tx.nothing_changed();
    let reach = Reach { ancestors: Vec::new(), ..tx.reach().clone() };
    let Some(plan) = store::find(tx, &reach, id)? else { return Err(AppError::new(Code::IdTaken)) };
    let there = contents::content(tx, &plan)?;
    let mut same = there.clone();
    for (mine, given) in same.tasks.iter_mut().zip(&content.tasks) {
        if given.id.is_none() {
            mine.id = None;
        }
    }
    if plan.campaign_id == campaign_id && plan.unit_id == unit_id && same == *content {
        Ok((plan, there, true))
    } else {
        Err(AppError::new(Code::IdTaken))
    }
}

/// Units must be readable, parent tasks must stand in the parent plan, task ids in no other plan.
fn check_references<A: Action>(
    tx: &mut Tx<'_, A>,
    id: PlanId,
    parent: Option<PlanId>,
    content: &PlanContent,
) -> Result<()> {
    let units: HashSet<UnitId> =
        content.tasks.iter().flat_map(|task| task.responsible.iter().map(|one| one.unit_id)).collect();
    let units: Vec<UnitId> = units.into_iter().collect();
    let known: HashMap<UnitId, Unit> =
        org::readable_many(tx, &units)?.into_iter().map(|unit| (unit.id, unit)).collect();
    let above: Vec<TaskId> = content.tasks.iter().filter_map(|task| task.parent_task_id).collect();
    let above: HashSet<TaskId> = match parent {
        Some(parent) if !above.is_empty() => contents::standing_in(tx, parent, &above)?.into_iter().collect(),
        _ => HashSet::new(),
    };
    let ids: Vec<TaskId> = content.tasks.iter().filter_map(|task| task.id).collect();
    let taken: HashSet<TaskId> = contents::taken_elsewhere(tx, id, &ids)?.into_iter().collect();
    let mut errors = Vec::new();
    for (at, task) in content.tasks.iter().enumerate() {
        if task.id.is_some_and(|id| taken.contains(&id)) {
            let detail = text!("该标识已用于另一任务", "The id belongs to another task");
            errors.push(FieldError::body(format!("/tasks/{at}/id"), Code::NotUnique, detail));
        }
        if task.parent_task_id.is_some_and(|parent| !above.contains(&parent)) {
            errors.push(unknown(format!("/tasks/{at}/parent_task_id")));
        }
        for (place, one) in task.responsible.iter().enumerate() {
            let pointer = || format!("/tasks/{at}/responsible/{place}/unit_id");
            match known.get(&one.unit_id) {
                None => errors.push(unknown(pointer())),
                Some(unit) if unit.status == UnitStatus::Deactivated => errors.push(deactivated(pointer())),
                Some(_) => {}
            }
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(AppError::fields(Code::InvalidBody, errors)) }
}

/// Edits what is in hand, a draft or returned; whoever edits it becomes one of its authors.
///
/// # Errors
/// `not_found`, `precondition_failed`, `plan_not_editable`, `invalid_body`.
pub fn update(
    tx: &mut Tx<'_, PlanUpdate>,
    id: PlanId,
    change: impl FnOnce(&PlanContent) -> Result<PlanContent>,
) -> Result<(Plan, PlanContent)> {
    let plan = for_change(tx, id)?;
    next(plan.standing(), PlanAction::Update).map_err(AppError::new)?;
    let (hand, old) = versions::in_hand(tx, &plan)?;
    let new = change(&old)?;
    if new == old {
        tx.nothing_changed();
        return whole(tx, id);
    }
    if new.tasks != old.tasks {
        check_references(tx, id, plan.parent_plan_id, &new)?;
    }
    if plan.amendment.is_some() {
        versions::service::write(tx, &plan, &hand, &new)?;
    } else {
        store::update_content(tx, id, &new)?;
        if new.phases != old.phases || new.tasks != old.tasks {
            contents::replace(tx, id, &plan.unit_path, &new)?;
        }
    }
    let author = tx.user()?;
    author_store::add_author(tx, id, hand.number, author)?;
    let (after_plan, content) = whole(tx, id)?;
    let (_, after) = versions::in_hand(tx, &after_plan)?;
    let before = facts::of(&plan, &hand, Some(&old));
    record(tx, id, Some(&before), &facts::of(&after_plan, &hand, Some(&after)), None)?;
    Ok((after_plan, content))
}

/// Tasks of the plans the caller may read.
///
/// # Errors
/// `invalid_cursor`.
pub fn tasks(
    tx: &mut Tx<'_, TaskRead>,
    filter: &TaskFilter,
    sort: TaskSort,
    paging: &Paging,
) -> Result<Page<Task>> {
    task_store::tasks_page(tx, filter, sort, paging)
}

/// One task.
///
/// # Errors
/// `not_found`.
pub fn task(tx: &mut Tx<'_, TaskRead>, id: TaskId) -> Result<Task> {
    let reach = tasks::service::reach_to(tx, id)?;
    task_store::task(tx, &reach, id)?.ok_or_else(|| AppError::new(Code::NotFound))
}
