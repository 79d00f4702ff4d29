//! What a change of the tree does to the work that stands at a unit.

use serde_json::json;

use super::store::{self, StandingPlan};
use crate::access::EffectTx;
use crate::access::policy::{PersonsFollow, WorkFollow};
use crate::audit::Change;
use crate::campaigns::plan::versions;
use crate::campaigns::tasks::{departures, handover as assignments};
use crate::errors::{Code, FieldError, Result, text};
use crate::org::officers::rules::OfficerId;
use crate::org::rules::{Unit, UnitId};

/// Rewrites the paths of whatever stands at the units of a moved subtree.
///
/// # Errors
/// When the database fails.
pub fn follow(tx: &mut EffectTx<'_, WorkFollow>, from: &str, to: &str) -> Result<()> {
    store::follow(tx, from, to)?;
    assignments::moved(tx, from, to)
}

/// What officers carry who are at another unit now or have left: they carry it no more where their unit is
/// not at or below the assignment's.
///
/// # Errors
/// When the database fails.
pub fn officers_gone(tx: &mut EffectTx<'_, PersonsFollow>, officers: &[OfficerId]) -> Result<()> {
    departures::of_officers(tx, officers)
}

/// The same for all officers of a unit that stands elsewhere now, and below it.
///
/// # Errors
/// When the database fails.
pub fn officers_gone_within(tx: &mut EffectTx<'_, PersonsFollow>, path: &str) -> Result<()> {
    departures::within(tx, path)
}

/// What keeps a unit from ending without a successor: its open plans, the tasks that name it or
/// that it has open, the campaigns it runs.
///
/// # Errors
/// When the database fails.
pub fn standing_at(tx: &mut EffectTx<'_, WorkFollow>, unit: UnitId) -> Result<Vec<FieldError>> {
    let mut found: Vec<FieldError> = open_plans(tx, unit)?.iter().map(open_plan).collect();
    for (campaign_id, name) in store::campaigns_of(tx, unit)? {
        let detail = text!("主办的活动“{name}”尚在", "It runs the campaign “{name}”");
        let facts = json!({ "campaign_id": campaign_id, "name": name });
        found.push(FieldError { facts: Some(facts), ..FieldError::body("", Code::RunsCampaign, detail) });
    }
    let mut naming = store::tasks_naming(tx, unit)?;
    let in_hand = versions::tasks_naming(tx, unit)?;
    naming.extend(in_hand.into_iter().filter(|one| !naming.contains(one)).collect::<Vec<_>>());
    for (task_id, plan_id, title) in naming {
        let detail = text!("任务“{title}”以其为责任单位", "The task “{title}” names it as responsible");
        let facts = json!({ "task_id": task_id, "plan_id": plan_id, "title": title });
        found.push(FieldError { facts: Some(facts), ..FieldError::body("", Code::NamedInTask, detail) });
    }
    found.extend(assignments::standing_at(tx, unit)?);
    Ok(found)
}

/// What is closed stays with the unit whose it was.
fn open_plans(tx: &mut EffectTx<'_, WorkFollow>, unit: UnitId) -> Result<Vec<StandingPlan>> {
    let mut plans = store::plans_of(tx, unit)?;
    plans.retain(|plan| plan.state.is_open());
    Ok(plans)
}

fn open_plan(plan: &StandingPlan) -> FieldError {
    let title = &plan.title;
    let detail = text!("方案“{title}”尚未了结", "The plan “{title}” is still open");
    let facts = json!({ "plan_id": plan.id, "campaign_id": plan.campaign_id, "state": plan.state });
    FieldError { facts: Some(facts), ..FieldError::body("", Code::OpenPlan, detail) }
}

/// What keeps one unit's work from going to another: plans of both in the same campaign, for a unit
/// has one plan a campaign.
///
/// # Errors
/// When the database fails.
pub fn not_to_be_joined(
    tx: &mut EffectTx<'_, WorkFollow>,
    unit: UnitId,
    successor: UnitId,
) -> Result<Vec<FieldError>> {
    let theirs = store::plans_of(tx, successor)?;
    let plans = open_plans(tx, unit)?;
    let both = plans.iter().filter(|plan| theirs.iter().any(|other| other.campaign_id == plan.campaign_id));
    Ok(both.map(open_plan).collect())
}

/// Gives a unit's plans, its tasks, its places in tasks and scopes, and the campaigns it runs to its successor.
///
/// # Errors
/// When the database fails.
pub fn hand_over(tx: &mut EffectTx<'_, WorkFollow>, from: &Unit, to: &Unit) -> Result<()> {
    for plan in open_plans(tx, from.id)? {
        store::give_plan(tx, plan.id, to)?;
        moved(tx, "plan", &plan.id.to_string(), from, to)?;
    }
    for (campaign_id, _) in store::campaigns_of(tx, from.id)? {
        store::give_campaign(tx, campaign_id, to)?;
        moved(tx, "campaign", &campaign_id.to_string(), from, to)?;
    }
    for plan in store::replace_responsible(tx, from.id, to.id)? {
        moved(tx, "plan_responsibles", &plan.to_string(), from, to)?;
    }
    for plan in versions::naming_unit(tx, from.id, to.id)? {
        moved(tx, "plan_amendment", &plan.to_string(), from, to)?;
    }
    for campaign in store::replace_in_scopes(tx, from.id, to)? {
        moved(tx, "campaign_scope", &campaign.to_string(), from, to)?;
    }
    for campaign in store::replace_office(tx, from.id, to.id)? {
        moved(tx, "leading_group", &campaign.to_string(), from, to)?;
    }
    assignments::hand_over(tx, from, to)
}

/// Leaves the audit row of something that stood at one unit and stands at another now.
///
/// # Errors
/// When the database fails.
pub fn moved(
    tx: &mut EffectTx<'_, WorkFollow>,
    entity: &'static str,
    entity_id: &str,
    from: &Unit,
    to: &Unit,
) -> Result<()> {
    let (before, after) = (json!({ "unit_id": from.id }), json!({ "unit_id": to.id }));
    tx.record(&Change { entity, entity_id, before: Some(&before), after: Some(&after), reason: None })
}
