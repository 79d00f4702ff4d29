//! What is in hand of plans: columns of the plan itself, or of the row of its amendment.

use std::collections::HashMap;

use diesel::prelude::*;

use super::rules::{Hand, VersionState};
use crate::access::policy::Action;
use crate::access::{Tx, UserId};
use crate::campaigns::plan::rules::{Plan, PlanContent, PlanState, SubmittedAs};
use crate::campaigns::plan::{content_store as contents, store as plan_store};
use crate::campaigns::rules::PlanId;
use crate::db::schema::{plan_versions, plans};
use crate::db::{Instant, with_conn};
use crate::errors::{AppError, Result};

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = plan_versions)]
struct HandRow {
    plan_id: PlanId,
    number: i32,
    state: VersionState,
    return_comment: Option<String>,
    approval_comment: Option<String>,
    submitted_at: Option<Instant>,
    submitted_as: Option<SubmittedAs>,
    decided_at: Option<Instant>,
    decided_by: Option<UserId>,
    parent_amended: bool,
}

/// The states of what is in hand.
pub(super) const OPEN: [VersionState; 4] =
    [VersionState::Draft, VersionState::Submitted, VersionState::Returned, VersionState::Approved];

/// What is in hand of each of the plans, amended or not, in one query at most.
pub(in crate::campaigns::plan) fn in_hands<'p, A: Action>(
    tx: &mut Tx<'_, A>,
    plans: impl IntoIterator<Item = &'p Plan>,
) -> Result<HashMap<PlanId, Hand>> {
    let mut found = HashMap::new();
    let mut amended = Vec::new();
    for plan in plans {
        if plan.amendment.is_some() {
            amended.push(plan.id);
        } else {
            found.insert(plan.id, Hand::of(plan));
        }
    }
    found.extend(in_hands_of(tx, &amended)?);
    Ok(found)
}

/// The amendments in hand of these plans; those without one are left out.
fn in_hands_of<A: Action>(tx: &mut Tx<'_, A>, ids: &[PlanId]) -> Result<HashMap<PlanId, Hand>> {
    let tenant = tx.tenant();
    let mut found = HashMap::new();
    for some in ids.chunks(500) {
        let rows: Vec<HandRow> = with_conn!(tx.conn(), c => plan_versions::table
            .filter(plan_versions::tenant_id.eq(tenant))
            .filter(plan_versions::plan_id.eq_any(some.to_vec()))
            .filter(plan_versions::state.eq_any(OPEN))
            .select(HandRow::as_select())
            .load(c))?;
        for row in rows {
            let Some(state) = row.state.in_hand() else { continue };
            let hand = Hand {
                number: row.number,
                state,
                return_comment: row.return_comment,
                approval_comment: row.approval_comment,
                submitted_at: row.submitted_at,
                submitted_as: row.submitted_as,
                decided_at: row.decided_at,
                decided_by: row.decided_by,
                parent_amended: row.parent_amended,
            };
            found.insert(row.plan_id, hand);
        }
    }
    Ok(found)
}

/// What is in hand of a plan.
pub(in crate::campaigns::plan) fn hand<A: Action>(tx: &mut Tx<'_, A>, plan: &Plan) -> Result<Hand> {
    let found = in_hands(tx, [plan])?.remove(&plan.id);
    found.ok_or_else(|| AppError::internal("an amendment in hand that is not there"))
}

/// What is in hand of a plan, and what it says.
pub(in crate::campaigns::plan) fn in_hand<A: Action>(
    tx: &mut Tx<'_, A>,
    plan: &Plan,
) -> Result<(Hand, PlanContent)> {
    let hand = hand(tx, plan)?;
    if plan.amendment.is_none() {
        return Ok((hand, contents::content(tx, plan)?));
    }
    let tenant = tx.tenant();
    let text: String = with_conn!(tx.conn(), c => plan_versions::table
        .filter(plan_versions::tenant_id.eq(tenant))
        .filter(plan_versions::plan_id.eq(plan.id))
        .filter(plan_versions::number.eq(hand.number))
        .select(plan_versions::content)
        .first(c))?;
    Ok((hand, serde_json::from_str(&text).map_err(AppError::internal)?))
}

fn kept(state: PlanState) -> VersionState {
    VersionState::of_plan(state)
}

/// Writes what a transition changed of what is in hand, the plan's version one up.
pub(in crate::campaigns::plan) fn save<A: Action>(
    tx: &mut Tx<'_, A>,
    plan: &Plan,
    hand: &Hand,
    submitted_by: Option<UserId>,
) -> Result<()> {
    if plan.amendment.is_none() {
        let after = Plan {
            state: hand.state,
            return_comment: hand.return_comment.clone(),
            approval_comment: hand.approval_comment.clone(),
            submitted_at: hand.submitted_at,
            submitted_as: hand.submitted_as,
            decided_at: hand.decided_at,
            decided_by: hand.decided_by,
            parent_amended: hand.parent_amended,
            ..plan.clone()
        };
        return plan_store::save_state(tx, &after, submitted_by);
    }
    let (tenant, now) = (tx.tenant(), tx.now());
    with_conn!(tx.conn(), c => diesel::update(plan_versions::table
        .filter(plan_versions::tenant_id.eq(tenant))
        .filter(plan_versions::plan_id.eq(plan.id))
        .filter(plan_versions::number.eq(hand.number)))
        .set((
            plan_versions::state.eq(kept(hand.state)),
            plan_versions::return_comment.eq(&hand.return_comment),
            plan_versions::approval_comment.eq(&hand.approval_comment),
            plan_versions::submitted_at.eq(hand.submitted_at),
            plan_versions::submitted_as.eq(hand.submitted_as),
            submitted_by.map(|user| plan_versions::submitted_by.eq(user)),
            plan_versions::decided_at.eq(hand.decided_at),
            plan_versions::decided_by.eq(hand.decided_by),
            plan_versions::parent_amended.eq(hand.parent_amended),
            plan_versions::updated_at.eq(now),
        ))
        .execute(c))?;
    let amendment = kept(hand.state).in_hand();
    with_conn!(tx.conn(), c => diesel::update(plans::table.find((tenant, plan.id)))
        .set((
            plans::amendment.eq(amendment),
            plans::amendment_number.eq(amendment.map(|_| hand.number)),
            plans::version.eq(plans::version + 1_i64),
            plans::updated_at.eq(now),
        ))
        .execute(c))?;
    Ok(())
}
