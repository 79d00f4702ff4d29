//! Use cases on votes.

use std::collections::{HashMap, HashSet};

use serde_json::json;

use super::rules::{Ballot, Vote, VoteChoice, VoteId};
use super::store;
use crate::access::policy::{Action, PlanRead, PlanSubmit, PlanVote};
use crate::access::{Role, Tx, UserId, holders};
use crate::audit::Change;
use crate::campaigns::campaign::service as campaigns;
use crate::campaigns::plan::author_store;
use crate::campaigns::plan::permitted::{authored_by_caller, heads_above};
use crate::campaigns::plan::rules::{Plan, PlanAction, deciding, next};
use crate::campaigns::plan::service::for_change;
use crate::campaigns::plan::store as plans;
use crate::campaigns::rules::PlanId;
use crate::errors::{AppError, Code, Result};
use crate::org::settings::service as settings;
use crate::web::{Page, Paging};

/// Who would vote on a plan that the caller submits now; none where nobody votes: the leading group that runs the
/// campaign may vote on the plans that it decides on, those of units whose own head decides are that head's alone,
/// so that no bureau is burdened with votes it has not asked for. Its voters hold `group_member` at its unit, and
/// have not written the plan.
///
/// # Errors
/// When the database fails.
pub fn voters<A: Action>(tx: &mut Tx<'_, A>, plan: &Plan) -> Result<Option<Vec<UserId>>> {
    if !campaigns::group_of(tx, plan.campaign_id)?.content.votes_on_plans {
        return Ok(None);
    }
    let runs_it = campaigns::of(tx, plan.campaign_id)?.unit_path;
    let heads = heads_above(tx, [plan.unit_path.as_str()])?;
    if deciding(&plan.unit_path, &heads) != Some(&runs_it) {
        return Ok(None);
    }
    let mut members = holders::holding_at(tx, Role::GroupMember, &runs_it)?;
    let authors = author_store::authors(tx, plan.id, plan.number_in_hand())?;
    let submits = tx.user()?;
    members.retain(|member| *member != submits && !authors.contains(member));
    Ok(Some(members))
}

/// Asks the members of today, where they vote.
///
/// # Errors
/// When the database fails.
pub fn open(tx: &mut Tx<'_, PlanSubmit>, plan: &Plan, number: i32) -> Result<()> {
    let Some(members) = voters(tx, plan)? else { return Ok(()) };
    let above_percent = settings::current(tx)?.quorum_above_percent;
    store::ask(tx, plan.id, number, above_percent, &members)
}

/// The rounds under way of these plans; nothing of those that are not voted on.
///
/// # Errors
/// When the database fails.
pub fn under_way<A: Action>(tx: &mut Tx<'_, A>, ids: &[PlanId]) -> Result<HashMap<PlanId, Ballot>> {
    store::under_way(tx, ids)
}

/// On which of these plans the caller is asked to vote and has not.
///
/// # Errors
/// When the database fails.
pub fn asked<A: Action>(tx: &mut Tx<'_, A>, ids: &[PlanId]) -> Result<HashSet<PlanId>> {
    let user = tx.user()?;
    Ok(store::asked(tx, ids, user)?.into_iter().collect())
}

/// Ends the rounds under way of these plans.
///
/// # Errors
/// When the database fails.
pub fn end<A: Action>(tx: &mut Tx<'_, A>, ids: &[PlanId]) -> Result<()> {
    store::end(tx, ids)
}

/// Casts the caller's vote on what is submitted; once cast it stays. The same vote again is the same vote.
///
/// # Errors
/// `not_found`, `precondition_failed`, `plan_not_submitted`, `not_a_voter`, `approver_is_author`, `vote_cast`.
pub fn cast(
    tx: &mut Tx<'_, PlanVote>,
    id: PlanId,
    choice: VoteChoice,
    comment: Option<&str>,
) -> Result<(Vote, bool)> {
    let plan = for_change(tx, id)?;
    next(plan.standing(), PlanAction::Vote).map_err(AppError::new)?;
    let user = tx.user()?;
    let vote = store::hold(tx, id, user)?.ok_or_else(|| AppError::new(Code::NotAVoter))?;
    if authored_by_caller(tx, [&plan])?.contains(&id) {
        return Err(AppError::new(Code::ApproverIsAuthor));
    }
    if vote.choice.is_some() {
        tx.nothing_changed();
        let same = vote.choice == Some(choice) && vote.comment.as_deref() == comment;
        return if same { Ok((vote, true)) } else { Err(AppError::new(Code::VoteCast)) };
    }
    let cast = Vote {
        choice: Some(choice),
        comment: comment.map(ToOwned::to_owned),
        cast_at: Some(tx.now()),
        version: vote.version + 1,
        ..vote
    };
    store::cast(tx, &cast)?;
    // What the plan's answer shows of the votes has changed with it.
    plans::touch(tx, id)?;
    let (entity_id, after) =
        (cast.id.to_string(), json!({ "plan_id": id, "choice": choice, "comment": comment }));
    tx.record(&Change {
        entity: "plan_vote",
        entity_id: &entity_id,
        before: None,
        after: Some(&after),
        reason: None,
    })?;
    Ok((cast, false))
}

/// The plan whose votes are asked for: within reach itself, for what is voted on is not published.
fn reached(tx: &mut Tx<'_, PlanRead>, id: PlanId) -> Result<Plan> {
    let (plan, _) = crate::campaigns::plan::service::find(tx, id)?;
    if tx.may::<PlanRead>(&plan.unit_path) { Ok(plan) } else { Err(AppError::new(Code::NotFound)) }
}

/// The votes on a plan, those not cast among them, the newest round first.
///
/// # Errors
/// `not_found`, `invalid_cursor`.
pub fn list(
    tx: &mut Tx<'_, PlanRead>,
    id: PlanId,
    round: Option<i32>,
    paging: &Paging,
) -> Result<Page<Vote>> {
    reached(tx, id)?;
    store::list(tx, id, round, paging)
}

/// One vote.
///
/// # Errors
/// `not_found`.
pub fn find(tx: &mut Tx<'_, PlanRead>, plan: PlanId, id: VoteId) -> Result<Vote> {
    reached(tx, plan)?;
    store::find(tx, plan, id)?.ok_or_else(|| AppError::new(Code::NotFound))
}
