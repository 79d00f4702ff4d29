//! Use cases that take a plan, or the version of it in hand, a step further.

use super::machine::keeps_open;
use super::permitted::{authored_by_caller, heads_above, my_headships, submits_as, unfinished, what_keeps};
use super::rules::{Decider, Plan, PlanAction, PlanContent, PlanState, may_decide, next};
use super::service::{for_change, record, whole};
use super::versions::rules::Hand;
use super::{author_store, ballots, facts, store, versions};
use crate::access::Tx;
use crate::access::policy::{
    Action, PlanApprove, PlanClose, PlanConclude, PlanPublish, PlanReturn, PlanSubmit, PlanWithdraw,
};
use crate::campaigns::campaign::service as campaign_service;
use crate::campaigns::rules::PlanId;
use crate::campaigns::tasks;
use crate::errors::{AppError, Code, Result};
use crate::org::stand_ins::service as stand_ins;

/// Puts a complete plan before the leading group; where that votes, its members of today are asked.
///
/// # Errors
/// `not_found`, `precondition_failed`, `plan_not_submittable`, `plan_incomplete` with all that is
/// missing, `downstream_inflation` with all that departs from the plan above; `not_the_head` for a
/// holder of `unit_head` whose post is another's by now.
pub fn submit(tx: &mut Tx<'_, PlanSubmit>, id: PlanId) -> Result<(Plan, PlanContent)> {
    let plan = for_change(tx, id)?;
    let state = next(plan.standing(), PlanAction::Submit).map_err(AppError::new)?;
    let (hand, content) = versions::in_hand(tx, &plan)?;
    // Nobody empties the leading group while its completeness is being judged.
    campaign_service::lock(tx, plan.campaign_id)?;
    if let Some(refusal) = what_keeps(tx, &plan, &content)? {
        return Err(refusal);
    }
    let signs = stand_ins::signs_for(tx)?;
    let submitted_as = submits_as(tx, &plan, &signs).ok_or_else(|| AppError::new(Code::NotTheHead))?;
    let user = tx.user()?;
    let after = Hand {
        state,
        submitted_at: Some(tx.now()),
        submitted_as: Some(submitted_as),
        return_comment: None,
        parent_amended: false,
        ..hand.clone()
    };
    versions::save(tx, &plan, &after, Some(user))?;
    author_store::add_author(tx, id, hand.number, user)?;
    ballots::service::open(tx, &plan, hand.number)?;
    record(tx, id, Some(&facts::of(&plan, &hand, None)), &facts::of(&plan, &after, Some(&content)), None)?;
    whole(tx, id)
}

fn decide<A: Action>(
    tx: &mut Tx<'_, A>,
    id: PlanId,
    action: PlanAction,
    comment: Option<&str>,
) -> Result<(Plan, PlanContent)> {
    let plan = for_change(tx, id)?;
    let is_author = authored_by_caller(tx, [&plan])?.contains(&id);
    let heads = heads_above(tx, [plan.unit_path.as_str()])?;
    let hand = versions::hand(tx, &plan)?;
    let ballot = ballots::service::under_way(tx, &[id])?.remove(&id);
    let decider = Decider { heads: &heads, mine: &my_headships(tx), is_author };
    let state = judged(&plan, &hand, action, decider, ballot.as_ref())?;
    let after = verdict(tx, &hand, state, action, comment)?;
    versions::save(tx, &plan, &after, None)?;
    ballots::service::end(tx, &[id])?;
    record(tx, id, Some(&facts::of(&plan, &hand, None)), &facts::of(&plan, &after, None), comment)?;
    whole(tx, id)
}

/// Where a decision leads, if it is the decider's to take.
pub(super) fn judged(
    plan: &Plan,
    hand: &Hand,
    action: PlanAction,
    decider: Decider<'_>,
    ballot: Option<&ballots::rules::Ballot>,
) -> Result<PlanState> {
    let state = next(plan.standing(), action).map_err(AppError::new)?;
    may_decide(&plan.unit_path, decider)?;
    if action == PlanAction::Approve {
        // What is approved is what the plan above asks now, not what it asked once.
        if hand.parent_amended {
            return Err(AppError::new(Code::ParentAmended));
        }
        ballot.map_or(Ok(()), ballots::rules::Ballot::carried)?;
    }
    Ok(state)
}

/// What is in hand as a decision leaves it.
pub(super) fn verdict<A: Action>(
    tx: &Tx<'_, A>,
    hand: &Hand,
    state: PlanState,
    action: PlanAction,
    comment: Option<&str>,
) -> Result<Hand> {
    let (decided_at, decided_by) = (Some(tx.now()), Some(tx.user()?));
    let mut after = Hand { state, decided_at, decided_by, ..hand.clone() };
    if action == PlanAction::Return {
        after.return_comment = comment.map(ToOwned::to_owned);
    } else {
        after.approval_comment = comment.map(ToOwned::to_owned);
    }
    Ok(after)
}

/// Approves what is submitted, as the right head and no author of it.
///
/// # Errors
/// `not_found`, `precondition_failed`, `plan_not_submitted`, `not_the_right_head`,
/// `approver_is_author`, `parent_amended`, `quorum_not_reached`, `vote_not_carried`.
pub fn approve(
    tx: &mut Tx<'_, PlanApprove>,
    id: PlanId,
    comment: Option<&str>,
) -> Result<(Plan, PlanContent)> {
    decide(tx, id, PlanAction::Approve, comment)
}

/// Sends back what is submitted, saying why.
///
/// # Errors
/// `not_found`, `precondition_failed`, `plan_not_submitted`, `not_the_right_head`, `approver_is_author`.
pub fn send_back(tx: &mut Tx<'_, PlanReturn>, id: PlanId, comment: &str) -> Result<(Plan, PlanContent)> {
    decide(tx, id, PlanAction::Return, Some(comment))
}

/// Publishes what is approved: units below see it and make theirs under it. The plan of the unit
/// that runs the campaign launches the campaign; a later version takes the place of the one before.
///
/// # Errors
/// `not_found`, `precondition_failed`, `plan_not_approved`.
pub fn publish(tx: &mut Tx<'_, PlanPublish>, id: PlanId) -> Result<(Plan, PlanContent)> {
    let plan = for_change(tx, id)?;
    let state = next(plan.standing(), PlanAction::Publish).map_err(AppError::new)?;
    let (hand, content) = versions::in_hand(tx, &plan)?;
    // It runs from its first day on, and from the day after its publication at the earliest.
    let tomorrow = tx.now().shanghai_day().succ_opt();
    let published_at = Some(tx.now());
    if plan.amendment.is_some() {
        return versions::service::put_in_force(tx, &plan, &hand, &content);
    }
    let starts_on = plan.starts_on.max(tomorrow);
    let after = Plan { state, published_at, starts_on, ..plan.clone() };
    store::save_state(tx, &after, None)?;
    let now = Hand { state, ..hand.clone() };
    record(tx, id, Some(&facts::of(&plan, &hand, None)), &facts::of(&after, &now, None), None)?;
    tasks::expand(tx, id)?;
    if plan.parent_plan_id.is_none() {
        campaign_service::launch(tx, plan.campaign_id)?;
    }
    whole(tx, id)
}

/// Takes back a plan, or an amendment of it, that is not decided on yet. A plan stays to be read, and the
/// unit may begin another; without its amendment a plan stays in force as it was.
///
/// # Errors
/// `not_found`, `precondition_failed`, `plan_not_withdrawable`.
pub fn withdraw(tx: &mut Tx<'_, PlanWithdraw>, id: PlanId, reason: &str) -> Result<(Plan, PlanContent)> {
    let plan = for_change(tx, id)?;
    let state = next(plan.standing(), PlanAction::Withdraw).map_err(AppError::new)?;
    ballots::service::end(tx, &[id])?;
    if plan.amendment.is_none() {
        return enter_stage(tx, &plan, PlanAction::Withdraw, Some(reason));
    }
    let hand = versions::hand(tx, &plan)?;
    let after = Hand { state, ..hand.clone() };
    versions::save(tx, &plan, &after, None)?;
    record(tx, id, Some(&facts::of(&plan, &hand, None)), &facts::of(&plan, &after, None), Some(reason))?;
    whole(tx, id)
}

/// Begins the summing up of a running plan.
///
/// # Errors
/// `not_found`, `precondition_failed`, `plan_not_running`, `amendment_in_hand`.
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
    next(plan.standing(), PlanAction::Close).map_err(AppError::new)?;
    let found = unfinished(tx, &[&plan])?.remove(&id).unwrap_or_default();
    let open = keeps_open(found);
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
    let state = next(plan.standing(), action).map_err(AppError::new)?;
    let after = Plan { state, stage_at: Some(tx.now()), ..plan.clone() };
    store::save_stage(tx, &after)?;
    let (before, now) = (facts::of(plan, &Hand::of(plan), None), facts::of(&after, &Hand::of(&after), None));
    record(tx, plan.id, Some(&before), &now, reason)?;
    whole(tx, plan.id)
}
