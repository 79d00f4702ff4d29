//! Rows of work that stands at a unit.

use chrono::NaiveDate;
use diesel::prelude::*;

use crate::access::policy::WorkFollow;
use crate::access::{EffectTx, follow_path};
use crate::campaigns::plan::rules::PlanState;
use crate::campaigns::rules::{CampaignId, PlanId, ResponsibleExtent, TaskId};
use crate::db::schema::{campaign_scope_units, campaigns, leading_groups, plans, task_responsibles, tasks};
use crate::db::with_conn;
use crate::errors::Result;
use crate::org::rules::{Unit, UnitId, UnitKind};

/// A plan that was not withdrawn, as a refusal or an audit row names it.
#[derive(Debug)]
pub(super) struct StandingPlan {
    pub id: PlanId,
    pub campaign_id: CampaignId,
    pub title: String,
    pub state: PlanState,
}

/// Moves every path below `from`.
pub(super) fn follow(tx: &mut EffectTx<'_, WorkFollow>, from: &str, to: &str) -> Result<()> {
    let tenant = tx.tenant();
    follow_path!(tx.conn(), campaigns, unit_path, tenant, from, to);
    follow_path!(tx.conn(), campaign_scope_units, unit_path, tenant, from, to);
    follow_path!(tx.conn(), plans, unit_path, tenant, from, to);
    follow_path!(tx.conn(), tasks, unit_path, tenant, from, to);
    Ok(())
}

type PlanColumns = (PlanId, CampaignId, String, PlanState, Option<PlanState>, Option<NaiveDate>);

/// The plans of a unit that were not withdrawn, closed ones too.
pub(super) fn plans_of(tx: &mut EffectTx<'_, WorkFollow>, unit: UnitId) -> Result<Vec<StandingPlan>> {
    let (tenant, today) = (tx.tenant(), tx.now().shanghai_day());
    let rows: Vec<PlanColumns> = with_conn!(tx.conn(), c => plans::table
        .filter(plans::tenant_id.eq(tenant))
        .filter(plans::unit_id.eq(unit))
        .filter(plans::stage.is_null().or(plans::stage.ne(PlanState::Withdrawn)))
        .order(plans::id)
        .select((plans::id, plans::campaign_id, plans::title, plans::state, plans::stage, plans::starts_on))
        .load(c))?;
    Ok(rows
        .into_iter()
        .map(|(id, campaign_id, title, kept, stage, starts_on)| {
            let state = PlanState::of(kept, stage, starts_on, today);
            StandingPlan { id, campaign_id, title, state }
        })
        .collect())
}

/// The campaigns a unit runs.
pub(super) fn campaigns_of(
    tx: &mut EffectTx<'_, WorkFollow>,
    unit: UnitId,
) -> Result<Vec<(CampaignId, String)>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => campaigns::table
        .filter(campaigns::tenant_id.eq(tenant))
        .filter(campaigns::unit_id.eq(unit))
        .order(campaigns::id)
        .select((campaigns::id, campaigns::name))
        .load(c))?)
}

/// Plans with something still to be done: what is closed or withdrawn stays as it was.
macro_rules! is_open {
    () => {
        plans::stage.is_null().or(plans::stage.eq(PlanState::Concluding))
    };
}

/// The tasks of open plans that name a unit as responsible.
pub(super) fn tasks_naming(
    tx: &mut EffectTx<'_, WorkFollow>,
    unit: UnitId,
) -> Result<Vec<(TaskId, PlanId, String)>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => tasks::table
        .inner_join(task_responsibles::table.on(
            task_responsibles::tenant_id.eq(tasks::tenant_id).and(task_responsibles::task_id.eq(tasks::id))))
        .inner_join(plans::table.on(plans::tenant_id.eq(tasks::tenant_id).and(plans::id.eq(tasks::plan_id))))
        .filter(tasks::tenant_id.eq(tenant))
        .filter(task_responsibles::unit_id.eq(unit))
        .filter(tasks::retired_in.is_null())
        .filter(is_open!())
        .order(tasks::id)
        .select((tasks::id, tasks::plan_id, tasks::title))
        .distinct()
        .load(c))?)
}

/// Makes a plan the successor's.
pub(super) fn give_plan(tx: &mut EffectTx<'_, WorkFollow>, plan: PlanId, to: &Unit) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    with_conn!(tx.conn(), c => diesel::update(plans::table.find((tenant, plan)))
        .set((
            plans::unit_id.eq(to.id),
            plans::unit_path.eq(&to.path),
            plans::version.eq(plans::version + 1_i64),
            plans::updated_at.eq(now),
        ))
        .execute(c))?;
    with_conn!(tx.conn(), c => diesel::update(tasks::table
        .filter(tasks::tenant_id.eq(tenant))
        .filter(tasks::plan_id.eq(plan)))
        .set(tasks::unit_path.eq(&to.path))
        .execute(c))?;
    Ok(())
}

/// Makes a campaign the successor's.
pub(super) fn give_campaign(tx: &mut EffectTx<'_, WorkFollow>, id: CampaignId, to: &Unit) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    with_conn!(tx.conn(), c => diesel::update(campaigns::table.find((tenant, id)))
        .set((
            campaigns::unit_id.eq(to.id),
            campaigns::unit_path.eq(&to.path),
            campaigns::version.eq(campaigns::version + 1_i64),
            campaigns::updated_at.eq(now),
        ))
        .execute(c))?;
    Ok(())
}

type Named = (TaskId, i32, PlanId, ResponsibleExtent, Option<UnitKind>);

/// Names the successor where the unit was responsible in an open plan, once a task; the plans concerned.
pub(super) fn replace_responsible(
    tx: &mut EffectTx<'_, WorkFollow>,
    from: UnitId,
    to: UnitId,
) -> Result<Vec<PlanId>> {
    let tenant = tx.tenant();
    let mut naming = |unit: UnitId| -> Result<Vec<Named>> {
        Ok(with_conn!(tx.conn(), c => task_responsibles::table
            .inner_join(tasks::table.on(
                tasks::tenant_id.eq(task_responsibles::tenant_id).and(tasks::id.eq(task_responsibles::task_id))))
            .inner_join(plans::table.on(plans::tenant_id.eq(tasks::tenant_id).and(plans::id.eq(tasks::plan_id))))
            .filter(task_responsibles::tenant_id.eq(tenant))
            .filter(task_responsibles::unit_id.eq(unit))
            .filter(tasks::retired_in.is_null())
            .filter(is_open!())
            .order((task_responsibles::task_id, task_responsibles::position))
            .select((
                task_responsibles::task_id,
                task_responsibles::position,
                tasks::plan_id,
                task_responsibles::extent,
                task_responsibles::kind,
            ))
            .load(c))?)
    };
    let (old, there) = (naming(from)?, naming(to)?);
    let mut concerned = Vec::new();
    for (task, position, plan, extent, kind) in old {
        let row = task_responsibles::table.find((tenant, task, position));
        let named_already = there.iter().any(|other| (other.0, other.3, other.4) == (task, extent, kind));
        if named_already {
            with_conn!(tx.conn(), c => diesel::delete(row).execute(c))?;
        } else {
            with_conn!(tx.conn(), c => diesel::update(row).set(task_responsibles::unit_id.eq(to)).execute(c))?;
        }
        if !concerned.contains(&plan) {
            concerned.push(plan);
        }
    }
    let now = tx.now();
    for &plan in &concerned {
        with_conn!(tx.conn(), c => diesel::update(plans::table.find((tenant, plan)))
            .set((plans::version.eq(plans::version + 1_i64), plans::updated_at.eq(now)))
            .execute(c))?;
    }
    Ok(concerned)
}

/// Names the successor where the unit stood in a campaign's scope, once; the campaigns concerned.
pub(super) fn replace_in_scopes(
    tx: &mut EffectTx<'_, WorkFollow>,
    from: UnitId,
    to: &Unit,
) -> Result<Vec<CampaignId>> {
    let (tenant, now) = (tx.tenant(), tx.now());
    let mut naming = |unit: UnitId| -> Result<Vec<(CampaignId, i32)>> {
        Ok(with_conn!(tx.conn(), c => campaign_scope_units::table
            .filter(campaign_scope_units::tenant_id.eq(tenant))
            .filter(campaign_scope_units::unit_id.eq(unit))
            .order((campaign_scope_units::campaign_id, campaign_scope_units::position))
            .select((campaign_scope_units::campaign_id, campaign_scope_units::position))
            .load(c))?)
    };
    let (old, there) = (naming(from)?, naming(to.id)?);
    let mut concerned = Vec::with_capacity(old.len());
    for (campaign, position) in old {
        let row = campaign_scope_units::table.find((tenant, campaign, position));
        if there.iter().any(|(other, _)| *other == campaign) {
            with_conn!(tx.conn(), c => diesel::delete(row).execute(c))?;
        } else {
            with_conn!(tx.conn(), c => diesel::update(row)
                .set((
                    campaign_scope_units::unit_id.eq(to.id),
                    campaign_scope_units::unit_path.eq(&to.path),
                ))
                .execute(c))?;
        }
        with_conn!(tx.conn(), c => diesel::update(campaigns::table.find((tenant, campaign)))
            .set((campaigns::version.eq(campaigns::version + 1_i64), campaigns::updated_at.eq(now)))
            .execute(c))?;
        concerned.push(campaign);
    }
    Ok(concerned)
}

/// Puts the successor in the place of a leading group's office; the campaigns concerned.
pub(super) fn replace_office(
    tx: &mut EffectTx<'_, WorkFollow>,
    from: UnitId,
    to: UnitId,
) -> Result<Vec<CampaignId>> {
    let (tenant, now) = (tx.tenant(), tx.now());
    let concerned: Vec<CampaignId> = with_conn!(tx.conn(), c => leading_groups::table
        .filter(leading_groups::tenant_id.eq(tenant))
        .filter(leading_groups::office_unit_id.eq(from))
        .select(leading_groups::campaign_id)
        .load(c))?;
    with_conn!(tx.conn(), c => diesel::update(leading_groups::table
        .filter(leading_groups::tenant_id.eq(tenant))
        .filter(leading_groups::office_unit_id.eq(from)))
        .set((
            leading_groups::office_unit_id.eq(to),
            leading_groups::version.eq(leading_groups::version + 1_i64),
            leading_groups::updated_at.eq(now),
        ))
        .execute(c))?;
    Ok(concerned)
}
