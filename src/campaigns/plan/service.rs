//! Use cases on plans: draft, submit, approve or return, publish; a child under a published parent.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::content_store as contents;
pub use super::content_store::{Task, TaskFilter, TaskSort};
use super::machine::{Unfinished, keeps_open};
pub use super::permitted::{allowed, awaited};
use super::permitted::{authored_by_caller, heads_above, my_headships, submits_as, what_keeps};
use super::rules::{Decider, Plan, PlanAction, PlanContent, PlanState, may_decide, next};
use super::store;
pub use super::store::{PlanFilter, PlanSort};
use crate::access::policy::{
    Action, PlanApprove, PlanClose, PlanConclude, PlanCreate, PlanPublish, PlanRead, PlanReturn, PlanSubmit,
    PlanUpdate, PlanWithdraw, TaskRead,
};
use crate::access::{Reach, Tx, ancestors};
use crate::audit::Change;
use crate::campaigns::campaign::service as campaign_service;
use crate::campaigns::rules::{CampaignId, PlanId, TaskId};
use crate::campaigns::tasks;
use crate::errors::{AppError, Code, FieldError, Result, deactivated, text, unknown};
use crate::org::rules::{Unit, UnitId, UnitStatus};
use crate::org::service as org;
use crate::org::stand_ins::service as stand_ins;
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

pub(super) fn facts(plan: &Plan, content: Option<&PlanContent>) -> Value {
    json!({
        "state": plan.state, "campaign_id": plan.campaign_id, "unit_id": plan.unit_id,
        "parent_plan_id": plan.parent_plan_id, "return_comment": plan.return_comment,
        "approval_comment": plan.approval_comment, "decided_by": plan.decided_by, "content": content,
    })
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
    store::add_author(tx, id, author)?;
    let (plan, content) = whole(tx, id)?;
    record(tx, id, None, &facts(&plan, Some(&content)), None)?;
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

/// Edits a draft or a returned plan; whoever edits it becomes one of its authors.
///
/// # Errors
/// `not_found`, `precondition_failed`, `plan_not_editable`, `invalid_body`.
pub fn update(
    tx: &mut Tx<'_, PlanUpdate>,
    id: PlanId,
    change: impl FnOnce(&PlanContent) -> Result<PlanContent>,
) -> Result<(Plan, PlanContent)> {
    let plan = for_change(tx, id)?;
    next(plan.state, PlanAction::Update).map_err(AppError::new)?;
    let old = contents::content(tx, &plan)?;
    let new = change(&old)?;
    if new == old {
        tx.nothing_changed();
        return Ok((plan, old));
    }
    check_references(tx, id, plan.parent_plan_id, &new)?;
    store::update_content(tx, id, &new)?;
    if new.phases != old.phases || new.tasks != old.tasks {
        contents::replace(tx, id, &plan.unit_path, &new)?;
    }
    let author = tx.user()?;
    store::add_author(tx, id, author)?;
    let (after_plan, after) = whole(tx, id)?;
    record(tx, id, Some(&facts(&plan, Some(&old))), &facts(&after_plan, Some(&after)), None)?;
    Ok((after_plan, after))
}

/// Puts a complete plan before the leading group.
///
/// # Errors
/// `not_found`, `precondition_failed`, `plan_not_submittable`, `plan_incomplete` with all that is
/// missing, `downstream_inflation` with all that departs from the plan above; `not_the_head` for a
/// holder of `unit_head` whose post is another's by now.
pub fn submit(tx: &mut Tx<'_, PlanSubmit>, id: PlanId) -> Result<(Plan, PlanContent)> {
    let plan = for_change(tx, id)?;
    let state = next(plan.state, PlanAction::Submit).map_err(AppError::new)?;
    let content = contents::content(tx, &plan)?;
    // Nobody empties the leading group while its completeness is being judged.
    campaign_service::lock(tx, plan.campaign_id)?;
    if let Some(refusal) = what_keeps(tx, &plan, &content)? {
        return Err(refusal);
    }
    let signs = stand_ins::signs_for(tx)?;
    let submitted_as = submits_as(tx, &plan, &signs).ok_or_else(|| AppError::new(Code::NotTheHead))?;
    let user = tx.user()?;
    let after = Plan {
        state,
        submitted_at: Some(tx.now()),
        submitted_as: Some(submitted_as),
        return_comment: None,
        ..plan.clone()
    };
    store::save_state(tx, &after, Some(user))?;
    store::add_author(tx, id, user)?;
    record(tx, id, Some(&facts(&plan, None)), &facts(&after, Some(&content)), None)?;
    whole(tx, id)
}

fn decide<A: Action>(
    tx: &mut Tx<'_, A>,
    id: PlanId,
    action: PlanAction,
    comment: Option<&str>,
) -> Result<(Plan, PlanContent)> {
    let plan = for_change(tx, id)?;
    let is_author = !authored_by_caller(tx, &[id])?.is_empty();
    let heads = heads_above(tx, [plan.unit_path.as_str()])?;
    let state = judged(&plan, action, Decider { heads: &heads, mine: &my_headships(tx), is_author })?;
    let after = verdict(tx, &plan, state, action, comment)?;
    store::save_state(tx, &after, None)?;
    record(tx, id, Some(&facts(&plan, None)), &facts(&after, None), comment)?;
    whole(tx, id)
}

/// Where a decision leads, if it is the decider's to take.
pub(super) fn judged(plan: &Plan, action: PlanAction, decider: Decider<'_>) -> Result<PlanState> {
    let state = next(plan.state, action).map_err(AppError::new)?;
    may_decide(&plan.unit_path, decider)?;
    Ok(state)
}

/// The plan as a decision leaves it.
pub(super) fn verdict<A: Action>(
    tx: &Tx<'_, A>,
    plan: &Plan,
    state: PlanState,
    action: PlanAction,
    comment: Option<&str>,
) -> Result<Plan> {
    let (decided_at, decided_by) = (Some(tx.now()), Some(tx.user()?));
    let mut after = Plan { state, decided_at, decided_by, ..plan.clone() };
    if action == PlanAction::Return {
        after.return_comment = comment.map(ToOwned::to_owned);
    } else {
        after.approval_comment = comment.map(ToOwned::to_owned);
    }
    Ok(after)
}

/// Approves a submitted plan, as the right head and no author of it.
///
/// # Errors
/// `not_found`, `precondition_failed`, `plan_not_submitted`, `not_the_right_head`,
/// `approver_is_author`.
pub fn approve(
    tx: &mut Tx<'_, PlanApprove>,
    id: PlanId,
    comment: Option<&str>,
) -> Result<(Plan, PlanContent)> {
    decide(tx, id, PlanAction::Approve, comment)
}

/// Sends a submitted plan back, saying why.
///
/// # Errors
/// As [`approve`].
pub fn send_back(tx: &mut Tx<'_, PlanReturn>, id: PlanId, comment: &str) -> Result<(Plan, PlanContent)> {
    decide(tx, id, PlanAction::Return, Some(comment))
}

/// Publishes an approved plan: units below see it and make theirs under it. The plan of the unit
/// that runs the campaign launches the campaign.
///
/// # Errors
/// `not_found`, `precondition_failed`, `plan_not_approved`.
pub fn publish(tx: &mut Tx<'_, PlanPublish>, id: PlanId) -> Result<(Plan, PlanContent)> {
    let plan = for_change(tx, id)?;
    let state = next(plan.state, PlanAction::Publish).map_err(AppError::new)?;
    // It runs from its first day on, and from the day after its publication at the earliest.
    let tomorrow = tx.now().shanghai_day().succ_opt();
    let starts_on = plan.starts_on.max(tomorrow);
    let after = Plan { state, published_at: Some(tx.now()), starts_on, ..plan.clone() };
    store::save_state(tx, &after, None)?;
    record(tx, id, Some(&facts(&plan, None)), &facts(&after, None), None)?;
    tasks::expand(tx, id)?;
    if plan.parent_plan_id.is_none() {
        campaign_service::launch(tx, plan.campaign_id)?;
    }
    whole(tx, id)
}

/// Takes back a plan that is not decided on yet: it stays to be read, and the unit may begin another.
///
/// # Errors
/// `not_found`, `precondition_failed`, `plan_not_withdrawable`.
pub fn withdraw(tx: &mut Tx<'_, PlanWithdraw>, id: PlanId, reason: &str) -> Result<(Plan, PlanContent)> {
    let plan = for_change(tx, id)?;
    enter_stage(tx, &plan, PlanAction::Withdraw, Some(reason))
}

/// Begins the summing up of a running plan.
///
/// # Errors
/// `not_found`, `precondition_failed`, `plan_not_running`.
pub fn conclude(tx: &mut Tx<'_, PlanConclude>, id: PlanId) -> Result<(Plan, PlanContent)> {
    let plan = for_change(tx, id)?;
    enter_stage(tx, &plan, PlanAction::Conclude, None)
}

/// Closes a plan that has been summed up.
///
/// # Errors
/// `not_found`, `precondition_failed`, `plan_not_concluding`, `plan_unfinished` with what is open.
pub fn close(tx: &mut Tx<'_, PlanClose>, id: PlanId) -> Result<(Plan, PlanContent)> {
    let plan = for_change(tx, id)?;
    next(plan.state, PlanAction::Close).map_err(AppError::new)?;
    // There is no ledger of findings yet: none is open.
    let open = keeps_open(Unfinished::default());
    if !open.is_empty() {
        return Err(AppError::fields(Code::PlanUnfinished, open));
    }
    tasks::close(tx, id)?;
    enter_stage(tx, &plan, PlanAction::Close, None)
}

fn enter_stage<A: Action>(
    tx: &mut Tx<'_, A>,
    plan: &Plan,
    action: PlanAction,
    reason: Option<&str>,
) -> Result<(Plan, PlanContent)> {
    let state = next(plan.state, action).map_err(AppError::new)?;
    let after = Plan { state, stage_at: Some(tx.now()), ..plan.clone() };
    store::save_stage(tx, &after)?;
    record(tx, plan.id, Some(&facts(plan, None)), &facts(&after, None), reason)?;
    whole(tx, plan.id)
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
    contents::tasks_page(tx, filter, sort, paging)
}

/// One task.
///
/// # Errors
/// `not_found`.
pub fn task(tx: &mut Tx<'_, TaskRead>, id: TaskId) -> Result<Task> {
    let reach = tasks::service::reach_to(tx, id)?;
    contents::task(tx, &reach, id)?.ok_or_else(|| AppError::new(Code::NotFound))
}
