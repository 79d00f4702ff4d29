//! The use case: what waits for the caller, by kind and date.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use chrono::NaiveDate;

use crate::access::Tx;
use crate::access::policy::AccountRead;
use crate::campaigns::campaign::service as campaigns;
use crate::campaigns::plan::rules::{Plan, PlanAction, PlanState};
use crate::campaigns::plan::service as plans;
use crate::campaigns::rules::CampaignId;
use crate::db::{Instant, text_enum};
use crate::errors::Result;

text_enum! {
    /// What waits.
    WaitingKind as "waiting_kind" {
        PlanToApprove = "plan_to_approve", "待批方案", "A plan to decide on", red;
        PlanToVote = "plan_to_vote", "待表决方案", "A plan to vote on", red;
        PlanToMend = "plan_to_mend", "被退回的方案", "A returned plan to mend", orange;
        PlanToFinish = "plan_to_finish", "待提交的方案", "A draft to finish and submit", blue;
        PlanToPublish = "plan_to_publish", "待发布的方案", "An approved plan to publish", green;
    }
}

/// Something that waits.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// What for.
    pub kind: WaitingKind,
    /// The plan.
    pub plan: Plan,
    /// Since when.
    pub since: Instant,
    /// By when, the day included.
    pub due_on: Option<NaiveDate>,
    /// Whether that day is over.
    pub is_overdue: bool,
}

/// Everything that waits for the caller: what is overdue first, then by the day it is due, the longest
/// waiting first.
///
/// # Errors
/// When the database fails.
pub fn waiting(tx: &mut Tx<'_, AccountRead>) -> Result<Vec<Waiting>> {
    let today = tx.now().shanghai_day();
    let mut due: HashMap<CampaignId, Option<NaiveDate>> = HashMap::new();
    let mut found = Vec::new();
    for (action, plan) in plans::awaited(tx)? {
        let due_on = match due.entry(plan.campaign_id) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => *place.insert(campaigns::of(tx, plan.campaign_id)?.plans_due_on()),
        };
        let kind = match (action, plan.standing().in_hand()) {
            (PlanAction::Vote, _) => WaitingKind::PlanToVote,
            (PlanAction::Approve, _) => WaitingKind::PlanToApprove,
            (PlanAction::Publish, _) => WaitingKind::PlanToPublish,
            (_, PlanState::Returned) => WaitingKind::PlanToMend,
            _ => WaitingKind::PlanToFinish,
        };
        let is_overdue = due_on.is_some_and(|due_on| due_on < today);
        found.push(Waiting { kind, since: since(&plan), plan, due_on, is_overdue });
    }
    found.sort_by_key(|one| (!one.is_overdue, one.due_on, one.since, one.plan.id));
    Ok(found)
}

fn since(plan: &Plan) -> Instant {
    let moved = match plan.state {
        PlanState::Submitted => plan.submitted_at,
        PlanState::Returned | PlanState::Approved => plan.decided_at,
        _ => None,
    };
    moved.unwrap_or(plan.created_at)
}
