//! Under which plan a plan stands once its unit stands elsewhere.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::parent_store as store;
use crate::access::EffectTx;
use crate::access::policy::WorkFollow;
use crate::audit::Told;
use crate::campaigns::plan::versions;
use crate::campaigns::rules::{CampaignId, PlanId};
use crate::errors::Result;

/// Puts each open plan of a subtree, whose parent plan stands outside of it, under the published plan of the
/// nearest unit above that has one now, as a plan begun today would be. It is marked as one whose parent was
/// amended: it answers tasks of the plan that was above it until it is brought in line with the new one.
/// Where no plan above is published it keeps the one it has.
///
/// # Errors
/// When the database fails.
pub fn settle(tx: &mut EffectTx<'_, WorkFollow>, path: &str) -> Result<()> {
    let mut nearest: HashMap<(CampaignId, String), Option<PlanId>> = HashMap::new();
    let (mut told, mut moved) = (Vec::new(), Vec::new());
    for plan in store::with_parent_outside(tx, path)? {
        let key = (plan.campaign_id, plan.unit_path.clone());
        let above = match nearest.get(&key) {
            Some(known) => *known,
            None => {
                *nearest.entry(key).or_insert(store::nearest_above(tx, plan.campaign_id, &plan.unit_path)?)
            }
        };
        let Some(above) = above.filter(|above| *above != plan.parent_plan_id) else { continue };
        store::put_under(tx, plan.id, above)?;
        moved.push(plan.id);
        let facts = |parent: PlanId| -> Value { json!({ "parent_plan_id": parent }) };
        told.push(Told {
            id: plan.id.to_string(),
            before: Some(facts(plan.parent_plan_id)),
            after: Some(facts(above)),
            reason: None,
        });
    }
    versions::compare_anew(tx, &moved)?;
    tx.record_many("plan_parent", told)
}
