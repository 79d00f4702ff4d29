//! What the audit log notes of a plan.

use serde_json::{Value, json};

use super::rules::{Plan, PlanContent};
use super::versions::rules::Hand;

/// A plan with what is in hand of it, and what that says where it matters.
pub(super) fn of(plan: &Plan, hand: &Hand, content: Option<&PlanContent>) -> Value {
    json!({
        "state": plan.state, "campaign_id": plan.campaign_id, "unit_id": plan.unit_id,
        "parent_plan_id": plan.parent_plan_id, "number": hand.number, "in_hand": hand.state,
        "return_comment": hand.return_comment, "approval_comment": hand.approval_comment,
        "decided_by": hand.decided_by, "content": content,
    })
}
