//! Rows of plans and of the plans above them.

use std::collections::HashMap;

use diesel::prelude::*;

use crate::access::policy::WorkFollow;
use crate::access::{EffectTx, PathRange, ancestors};
use crate::campaigns::plan::rules::PlanState;
use crate::campaigns::rules::{CampaignId, PlanId};
use crate::db::schema::plans;
use crate::db::with_conn;
use crate::errors::Result;

/// A plan that stands under another.
#[derive(Debug)]
pub(super) struct Standing {
    pub id: PlanId,
    pub campaign_id: CampaignId,
    pub unit_path: String,
    pub parent_plan_id: PlanId,
}

/// The open plans of units in a subtree whose parent plan is that of a unit outside of it.
pub(super) fn with_parent_outside(tx: &mut EffectTx<'_, WorkFollow>, path: &str) -> Result<Vec<Standing>> {
    let (tenant, range) = (tx.tenant(), PathRange::subtree(path));
    let rows: Vec<(PlanId, CampaignId, String, Option<PlanId>)> = with_conn!(tx.conn(), c => plans::table
        .filter(plans::tenant_id.eq(tenant))
        .filter(plans::unit_path.ge(range.low.clone()))
        .filter(plans::unit_path.lt(range.high.clone()))
        .filter(plans::parent_plan_id.is_not_null())
        .filter(plans::stage.is_null().or(plans::stage.eq(PlanState::Concluding)))
        .order(plans::id)
        .select((plans::id, plans::campaign_id, plans::unit_path, plans::parent_plan_id))
        .load(c))?;
    let mut parents: Vec<PlanId> = rows.iter().filter_map(|row| row.3).collect();
    parents.sort_unstable();
    parents.dedup();
    let mut stand: HashMap<PlanId, String> = HashMap::new();
    for some in parents.chunks(500) {
        let found: Vec<(PlanId, String)> = with_conn!(tx.conn(), c => plans::table
            .filter(plans::tenant_id.eq(tenant))
            .filter(plans::id.eq_any(some.to_vec()))
            .select((plans::id, plans::unit_path))
            .load(c))?;
        stand.extend(found);
    }
    let outside = |parent: PlanId| stand.get(&parent).is_none_or(|at| !range.contains(at));
    Ok(rows
        .into_iter()
        .filter_map(|(id, campaign_id, unit_path, parent)| {
            let parent_plan_id = parent.filter(|parent| outside(*parent))?;
            Some(Standing { id, campaign_id, unit_path, parent_plan_id })
        })
        .collect())
}

/// The plan of a campaign, published and not concluding, of the nearest unit above a path.
pub(super) fn nearest_above(
    tx: &mut EffectTx<'_, WorkFollow>,
    campaign: CampaignId,
    path: &str,
) -> Result<Option<PlanId>> {
    let (tenant, above) = (tx.tenant(), ancestors(path));
    let rows: Vec<(String, PlanId)> = with_conn!(tx.conn(), c => plans::table
        .filter(plans::tenant_id.eq(tenant))
        .filter(plans::campaign_id.eq(campaign))
        .filter(plans::unit_path.eq_any(above))
        .filter(plans::state.eq(PlanState::Published))
        .filter(plans::stage.is_null())
        .select((plans::unit_path, plans::id))
        .load(c))?;
    Ok(rows.into_iter().max_by_key(|(at, _)| at.len()).map(|(_, id)| id))
}

/// Puts a plan under another.
pub(super) fn put_under(tx: &mut EffectTx<'_, WorkFollow>, plan: PlanId, parent: PlanId) -> Result<()> {
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::update(plans::table.find((tenant, plan)))
        .set(plans::parent_plan_id.eq(parent))
        .execute(c))?;
    Ok(())
}
