//! Use cases on many plans at once: what a person decides one by one, decided in one request, each plan
//! with its own outcome.

use std::collections::{BTreeSet, HashMap};

use super::permitted::{authored_by_caller, heads_above, my_headships};
use super::rules::{Decider, Plan, PlanAction, PlanState};
use super::transitions::{judged, verdict};
use super::{ballots, facts, store, versions};
use crate::access::policy::{Action, PlanApprove, PlanReturn};
use crate::access::{Reach, Tx};
use crate::audit::Told;
use crate::campaigns::rules::PlanId;
use crate::errors::{Code, Result};

/// A plan to decide on.
#[derive(Debug, Clone, Copy)]
pub struct Item {
    /// Which.
    pub plan: PlanId,
    /// The version that was read, if the caller says so.
    pub version: Option<i64>,
}

/// What became of it.
#[derive(Debug, Clone, Copy)]
pub struct Outcome {
    /// The plan.
    pub plan: PlanId,
    /// Its state and version now, or why nothing was done.
    pub result: std::result::Result<(PlanState, i64), Code>,
}

/// Approves each of the plans that can be approved by the caller.
///
/// # Errors
/// When the database fails; what is wrong with a plan is its outcome.
pub fn approve(tx: &mut Tx<'_, PlanApprove>, items: &[Item], comment: Option<&str>) -> Result<Vec<Outcome>> {
    decide(tx, PlanAction::Approve, items, comment)
}

/// Sends each of the plans back that can be sent back by the caller.
///
/// # Errors
/// As [`approve`].
pub fn send_back(tx: &mut Tx<'_, PlanReturn>, items: &[Item], comment: &str) -> Result<Vec<Outcome>> {
    decide(tx, PlanAction::Return, items, Some(comment))
}

fn decide<A: Action>(
    tx: &mut Tx<'_, A>,
    action: PlanAction,
    items: &[Item],
    comment: Option<&str>,
) -> Result<Vec<Outcome>> {
    // Each item names its own version; an If-Match would speak of no plan.
    tx.check_any_version();
    // In one order whoever asks, so that two who decide on the same plans do not wait for each other.
    let ids: BTreeSet<PlanId> = items.iter().map(|item| item.plan).collect();
    let ids: Vec<PlanId> = ids.into_iter().collect();
    store::lock_many(tx, &ids)?;
    let reach = Reach { ancestors: Vec::new(), ..tx.reach().clone() };
    let plans: HashMap<PlanId, Plan> =
        store::find_many(tx, &reach, &ids)?.into_iter().map(|plan| (plan.id, plan)).collect();
    let heads = heads_above(tx, plans.values().map(|plan| plan.unit_path.as_str()))?;
    let (mine, authored) = (my_headships(tx), authored_by_caller(tx, plans.values())?);
    let hands = versions::in_hands(tx, plans.values())?;
    let under_vote = ballots::service::under_way(tx, &ids)?;
    let (mut outcomes, mut told) = (Vec::with_capacity(items.len()), Vec::new());
    let mut decided: Vec<PlanId> = Vec::new();
    for item in items {
        let found = plans.get(&item.plan).zip(hands.get(&item.plan));
        let judged = found.ok_or(Code::NotFound).and_then(|(plan, hand)| {
            if item.version.is_some_and(|version| version != plan.version) {
                return Err(Code::PreconditionFailed);
            }
            let is_author = authored.contains(&plan.id);
            let decider = Decider { heads: &heads, mine: &mine, is_author };
            let state = judged(plan, hand, action, decider, under_vote.get(&plan.id));
            state.map(|state| (plan, hand, state)).map_err(|error| error.code())
        });
        let result = match judged {
            Err(code) => Err(code),
            Ok((plan, hand, state)) => {
                let after = verdict(tx, hand, state, action, comment)?;
                versions::save(tx, plan, &after, None)?;
                told.push(Told {
                    id: plan.id.to_string(),
                    before: Some(facts::of(plan, hand, None)),
                    after: Some(facts::of(plan, &after, None)),
                    reason: comment,
                });
                decided.push(plan.id);
                Ok((after.state, plan.version + 1))
            }
        };
        outcomes.push(Outcome { plan: item.plan, result });
    }
    if told.is_empty() {
        tx.nothing_changed();
    }
    ballots::service::end(tx, &decided)?;
    tx.record_many("plan", told)?;
    Ok(outcomes)
}
