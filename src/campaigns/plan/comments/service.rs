//! Use cases on comments.

use serde_json::{Value, json};

use super::rules::{Comment, CommentAction, CommentId};
use super::store;
pub use super::store::CommentFilter;
use crate::access::policy::{Action, PlanComment, PlanRead, PlanResolve, PlanUpdate};
use crate::access::{Reach, Tx};
use crate::audit::Change;
use crate::campaigns::plan::rules::{Plan, PlanAction, next};
use crate::campaigns::plan::{store as plans, versions};
use crate::campaigns::rules::{PlanId, TaskId};
use crate::errors::{AppError, Code, Result, unknown};
use crate::web::{Page, Paging};

/// The plan that is commented on: within the caller's own reach, not only published from above.
fn reached<A: Action>(tx: &mut Tx<'_, A>, id: PlanId) -> Result<Plan> {
    let reach = Reach { ancestors: Vec::new(), ..tx.reach().clone() };
    plans::find(tx, &reach, id)?.ok_or_else(|| AppError::new(Code::NotFound))
}

/// The comments on a plan, in the order in which they were made.
///
/// # Errors
/// `not_found`, `invalid_cursor`.
pub fn list(
    tx: &mut Tx<'_, PlanRead>,
    id: PlanId,
    filter: CommentFilter,
    paging: &Paging,
) -> Result<(Plan, Page<Comment>)> {
    let plan = reached(tx, id)?;
    let page = store::list(tx, id, filter, paging)?;
    Ok((plan, page))
}

/// One comment.
///
/// # Errors
/// `not_found`.
pub fn find(tx: &mut Tx<'_, PlanRead>, plan: PlanId, id: CommentId) -> Result<(Plan, Comment)> {
    let plan = reached(tx, plan)?;
    let found = store::find(tx, plan.id, id)?.ok_or_else(|| AppError::new(Code::NotFound))?;
    Ok((plan, found))
}

/// What the caller may do with a comment on a plan now: who made it, and whoever writes the plan, says that it
/// is dealt with.
#[must_use]
pub fn allowed<A: Action>(tx: &Tx<'_, A>, plan: &Plan, one: &Comment) -> Vec<CommentAction> {
    let is_open = one.resolved_at.is_none() && next(plan.standing(), PlanAction::Comment).is_ok();
    let theirs = tx.user().is_ok_and(|user| user == one.author_id) || tx.may::<PlanUpdate>(&plan.unit_path);
    if is_open && theirs && tx.may::<PlanResolve>(&plan.unit_path) {
        vec![CommentAction::Resolve]
    } else {
        Vec::new()
    }
}

fn facts(one: &Comment) -> Value {
    json!({
        "plan_id": one.plan_id, "number": one.number, "task_id": one.task_id, "content": one.content,
        "author_id": one.author_id, "resolved_by": one.resolved_by,
    })
}

/// Says something of a plan, or of one of its tasks, as it is in hand. The client may have chosen the id.
///
/// # Errors
/// `not_found`, `plan_ended`, `id_taken`, `invalid_body` at `/task_id` for a task that the plan does not have.
pub fn add(
    tx: &mut Tx<'_, PlanComment>,
    plan: PlanId,
    id: Option<CommentId>,
    task: Option<TaskId>,
    content: &str,
) -> Result<(Plan, Comment, bool)> {
    // Held, so that what is in hand is not published or taken back while it is looked at.
    plans::lock(tx, plan)?;
    let plan = reached(tx, plan)?;
    tx.check_version(plan.version)?;
    if let Some(id) = id
        && let Some(there) = store::anywhere(tx, id)?
    {
        tx.nothing_changed();
        let is_again = there.says(plan.id, task, content, tx.user()?);
        return if is_again { Ok((plan, there, true)) } else { Err(AppError::new(Code::IdTaken)) };
    }
    next(plan.standing(), PlanAction::Comment).map_err(AppError::new)?;
    let (hand, said) = versions::in_hand(tx, &plan)?;
    let named = said.tasks.into_iter().find(|one| task.is_some() && one.id == task);
    if task.is_some() && named.is_none() {
        return Err(AppError::fields(Code::InvalidBody, vec![unknown("/task_id")]));
    }
    let new = Comment {
        id: id.unwrap_or_else(CommentId::generate),
        plan_id: plan.id,
        number: hand.number,
        task_id: task,
        task_title: named.map(|task| task.title),
        content: content.to_owned(),
        author_id: tx.user()?,
        resolved_at: None,
        resolved_by: None,
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    store::insert(tx, &new)?;
    let (entity_id, after) = (new.id.to_string(), facts(&new));
    tx.record(&Change {
        entity: "plan_comment",
        entity_id: &entity_id,
        before: None,
        after: Some(&after),
        reason: None,
    })?;
    Ok((plan, new, false))
}

/// Says that a comment is dealt with.
///
/// # Errors
/// `not_found`, `precondition_failed`, `comment_resolved`, `plan_ended`, `comment_of_another`.
pub fn resolve(tx: &mut Tx<'_, PlanResolve>, plan: PlanId, id: CommentId) -> Result<(Plan, Comment)> {
    let plan = reached(tx, plan)?;
    store::lock(tx, id)?;
    let before = store::find(tx, plan.id, id)?.ok_or_else(|| AppError::new(Code::NotFound))?;
    tx.check_version(before.version)?;
    next(plan.standing(), PlanAction::Comment).map_err(AppError::new)?;
    if before.resolved_at.is_some() {
        return Err(AppError::new(Code::CommentResolved));
    }
    if allowed(tx, &plan, &before).is_empty() {
        return Err(AppError::new(Code::CommentOfAnother));
    }
    let after = Comment {
        resolved_at: Some(tx.now()),
        resolved_by: Some(tx.user()?),
        version: before.version + 1,
        updated_at: tx.now(),
        ..before.clone()
    };
    store::save(tx, &after)?;
    let (entity_id, old, new) = (id.to_string(), facts(&before), facts(&after));
    tx.record(&Change {
        entity: "plan_comment",
        entity_id: &entity_id,
        before: Some(&old),
        after: Some(&new),
        reason: None,
    })?;
    Ok((plan, after))
}
