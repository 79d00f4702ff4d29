//! Use cases on versions: amend, read, compare, put in force.

use serde_json::json;

use super::diff::{Comparison, compare};
use super::rules::{Hand, Version, VersionId, VersionState};
use super::store;
use crate::access::Tx;
use crate::access::policy::{Action, ParentAmended, PlanAmend, PlanPublish, PlanRead, PlanUpdate};
use crate::audit::Told;
use crate::campaigns::plan::rules::{Plan, PlanAction, PlanContent, next};
use crate::campaigns::plan::service::{find as find_plan, for_change, record, whole};
use crate::campaigns::plan::{author_store, content_store as contents, facts, store as plan_store};
use crate::campaigns::rules::{PlanId, TaskId};
use crate::campaigns::tasks;
use crate::errors::{AppError, Code, Result};
use crate::web::{Page, Paging};

/// Begins the next version of a plan in force, with what the present one says; that stays in force until the
/// next one is published.
///
/// # Errors
/// `not_found`, `precondition_failed`, `plan_not_in_force`, `amendment_in_hand`.
pub fn amend(tx: &mut Tx<'_, PlanAmend>, id: PlanId, reason: &str) -> Result<(Plan, PlanContent)> {
    let plan = for_change(tx, id)?;
    let state = next(plan.standing(), PlanAction::Amend).map_err(AppError::new)?;
    let content = contents::content(tx, &plan)?;
    let number = store::begin(tx, &plan, &content, reason)?;
    let author = tx.user()?;
    author_store::add_author(tx, id, number, author)?;
    let hand = Hand { number, state, ..Hand::of(&plan) };
    let before = facts::of(&plan, &Hand::of(&plan), None);
    record(tx, id, Some(&before), &facts::of(&plan, &hand, Some(&content)), Some(reason))?;
    whole(tx, id)
}

/// Writes what the amendment in hand says; new tasks get their identifier now and keep it.
pub(in crate::campaigns::plan) fn write(
    tx: &mut Tx<'_, PlanUpdate>,
    plan: &Plan,
    hand: &Hand,
    content: &PlanContent,
) -> Result<()> {
    let mut content = content.clone();
    for task in &mut content.tasks {
        task.id.get_or_insert_with(TaskId::generate);
    }
    store::save_content(tx, plan.id, hand.number, &content)
}

/// Puts an approved amendment in force in place of the version before: tasks keep what was done for them,
/// what is assigned follows, and the plans below are told.
pub(in crate::campaigns::plan) fn put_in_force(
    tx: &mut Tx<'_, PlanPublish>,
    plan: &Plan,
    hand: &Hand,
    content: &PlanContent,
) -> Result<(Plan, PlanContent)> {
    let id = plan.id;
    // Held in the order in which whoever decides on many holds them, and before any assignment.
    store::lock_children(tx, id)?;
    let content = &owned(tx, plan, hand, content)?;
    let said = contents::content(tx, plan)?;
    let today = tx.now().shanghai_day();
    let first = content.phases.iter().map(|phase| phase.starts_on).min();
    // What runs already goes on running.
    let starts_on = if plan.starts_on.is_some_and(|day| day <= today) {
        plan.starts_on
    } else {
        first.max(today.succ_opt())
    };
    let after = Plan {
        number: hand.number,
        published_at: Some(tx.now()),
        starts_on,
        approval_comment: hand.approval_comment.clone(),
        return_comment: None,
        submitted_at: hand.submitted_at,
        submitted_as: hand.submitted_as,
        decided_at: hand.decided_at,
        decided_by: hand.decided_by,
        parent_amended: hand.parent_amended,
        amendment: None,
        amendment_number: None,
        ..plan.clone()
    };
    store::supersede(tx, &after, (plan, &said), content)?;
    plan_store::save_in_force(tx, &after)?;
    contents::supersede(tx, id, &plan.unit_path, hand.number, content)?;
    tasks::entries_switched(tx, id, &switched(&said, content))?;
    tasks::expand(tx, id)?;
    let before = facts::of(plan, hand, Some(&said));
    record(tx, id, Some(&before), &facts::of(&after, &Hand::of(&after), Some(content)), None)?;
    tell_children(tx, id, hand.number)?;
    whole(tx, id)
}

/// What the amendment says, with another identifier for each new task whose own has been given to a task of
/// another plan meanwhile: whoever could read it might have taken it, and would keep the version from coming
/// into force for ever.
fn owned(
    tx: &mut Tx<'_, PlanPublish>,
    plan: &Plan,
    hand: &Hand,
    content: &PlanContent,
) -> Result<PlanContent> {
    let ids: Vec<TaskId> = content.tasks.iter().filter_map(|task| task.id).collect();
    let taken = contents::taken_elsewhere(tx, plan.id, &ids)?;
    let mut content = content.clone();
    if taken.is_empty() {
        return Ok(content);
    }
    for task in &mut content.tasks {
        if task.id.is_some_and(|id| taken.contains(&id)) {
            task.id = Some(TaskId::generate());
        }
    }
    store::save_content(tx, plan.id, hand.number, &content)?;
    Ok(content)
}

/// The tasks that ask for daily entries from now on, and those that do no more.
fn switched(before: &PlanContent, after: &PlanContent) -> Vec<(TaskId, bool)> {
    let was =
        |id: TaskId| before.tasks.iter().find(|task| task.id == Some(id)).map(|task| task.daily_entries);
    let now = after.tasks.iter().filter_map(|task| Some((task.id?, task.daily_entries)));
    now.filter(|(id, daily)| was(*id).is_some_and(|was| was != *daily)).collect()
}

/// Says of the plans below that they are to be compared with the new version.
fn tell_children(tx: &mut Tx<'_, PlanPublish>, id: PlanId, number: i32) -> Result<()> {
    tx.effect::<ParentAmended, _>(|tx| {
        let told = store::tell_children(tx, id)?;
        let told = told.into_iter().map(|child| Told {
            id: child.to_string(),
            before: None,
            after: Some(json!({ "parent_plan_id": id, "parent_number": number, "parent_amended": true })),
            reason: None,
        });
        tx.record_many("plan", told.collect::<Vec<_>>())
    })
}

/// The versions of a plan, the newest first: who reads the plan from below sees those that are or were in
/// force.
///
/// # Errors
/// `not_found`.
pub fn list(tx: &mut Tx<'_, PlanRead>, id: PlanId) -> Result<(Plan, Vec<Version>)> {
    let (plan, content) = find_plan(tx, id)?;
    let mut versions = store::of_plan(tx, &plan)?;
    if versions.is_empty() {
        versions.push(first(&plan, content));
    } else {
        // Units may have been joined since the version in force was kept: what counts is what is there now.
        for version in &mut versions {
            if version.state == VersionState::InForce {
                version.content = content.clone();
                version.hand = Hand::of(&plan);
            }
        }
    }
    if !sees_all(tx, &plan) {
        versions.retain(|version| version.state.is_public());
    }
    Ok((plan, versions))
}

fn sees_all<A: Action>(tx: &Tx<'_, A>, plan: &Plan) -> bool {
    tx.may::<PlanRead>(&plan.unit_path)
}

/// The only version of a plan that was never amended.
fn first(plan: &Plan, content: PlanContent) -> Version {
    Version {
        id: store::first_id(plan.id),
        plan_id: plan.id,
        state: VersionState::of_plan(plan.state),
        reason: None,
        hand: Hand::of(plan),
        published_at: plan.published_at,
        created_by: None,
        created_at: plan.created_at,
        content,
    }
}

/// A page of the versions of a plan: there are never many.
///
/// # Errors
/// `not_found`, `invalid_cursor`.
pub fn page(tx: &mut Tx<'_, PlanRead>, id: PlanId, paging: &Paging) -> Result<Page<Version>> {
    let after = paging.after(1)?.and_then(|place| place.first()?.parse::<i32>().ok());
    let (_, mut versions) = list(tx, id)?;
    let total = paging.counts().then(|| i64::try_from(versions.len()).unwrap_or(i64::MAX));
    versions.retain(|version| after.is_none_or(|number| version.hand.number < number));
    versions.truncate(usize::try_from(paging.fetch()).unwrap_or(usize::MAX));
    Ok(paging.page(versions, total, |version| vec![version.hand.number.to_string()]))
}

/// One version of a plan.
///
/// # Errors
/// `not_found`.
pub fn find(tx: &mut Tx<'_, PlanRead>, id: PlanId, version: VersionId) -> Result<(Plan, Version)> {
    let (plan, versions) = list(tx, id)?;
    let found = versions.into_iter().find(|one| one.id == version);
    Ok((plan, found.ok_or_else(|| AppError::new(Code::NotFound))?))
}

/// The amendment in hand of a plan, for who sees it.
///
/// # Errors
/// When the database fails.
pub fn amendment<A: Action>(tx: &mut Tx<'_, A>, plan: &Plan) -> Result<Option<Version>> {
    match plan.amendment_number {
        Some(number) if sees_all(tx, plan) => store::in_hand(tx, plan, number),
        _ => Ok(None),
    }
}

/// What differs between two versions: unless said otherwise, the newest that the caller sees and the one
/// before it.
///
/// # Errors
/// `not_found`, for a number that no version has too.
pub fn diff(
    tx: &mut Tx<'_, PlanRead>,
    id: PlanId,
    from: Option<i32>,
    to: Option<i32>,
) -> Result<(Plan, Comparison)> {
    let (plan, versions) = list(tx, id)?;
    // What is in hand is to be told from what was never there by nobody who does not see it.
    let of = |number: i32| {
        let found = versions.iter().find(|version| version.hand.number == number);
        found.ok_or_else(|| AppError::new(Code::NotFound))
    };
    let newest =
        versions.iter().find(|version| version.state != VersionState::Withdrawn).or(versions.first());
    let to = match (to, newest) {
        (Some(number), _) => of(number)?,
        (None, Some(newest)) => newest,
        (None, None) => return Err(AppError::new(Code::NotFound)),
    };
    let before = versions
        .iter()
        .find(|version| version.hand.number < to.hand.number && version.state != VersionState::Withdrawn);
    let from = match from {
        Some(number) => of(number)?,
        None => before.unwrap_or(to),
    };
    Ok((plan, compare(from, to)))
}
