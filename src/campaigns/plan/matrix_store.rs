//! Units with the plans they have in a campaign.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::matrix::Standing;
use super::rules::PlanState;
use crate::access::policy::PlanRead;
use crate::access::{PathRange, Tx};
use crate::campaigns::campaign::rules::Campaign;
use crate::campaigns::rules::PlanId;
use crate::db::schema::{plans, units};
use crate::db::with_conn;
use crate::errors::Result;
use crate::jobs::in_force;
use crate::org::rules::{UnitId, UnitKind, UnitStatus};

/// A unit and its plan.
#[derive(Debug)]
pub(super) struct Row {
    pub unit_id: UnitId,
    pub code: String,
    pub name: String,
    pub kind: UnitKind,
    pub path: String,
    pub plan: Option<Standing>,
}

type UnitColumns = (UnitId, String, String, UnitKind, String);
type PlanColumns = (UnitId, PlanId, PlanState, i64, Option<PlanState>, Option<NaiveDate>);

/// The working units below a path of the kinds that the campaign concerns, within reach, in the order of
/// the tree. Units and plans are asked for by themselves, each by the index that holds what is wanted, and
/// put in order here: joined and ordered, SQLite reads every unit of the province.
pub(super) fn rows(tx: &mut Tx<'_, PlanRead>, campaign: &Campaign, below: &str) -> Result<Vec<Row>> {
    let mut plans = standings(tx, campaign)?;
    let (tenant, reach) = (tx.tenant(), tx.reach().clone());
    let ranges = reach.narrowed(&PathRange::subtree(below));
    let kinds = &campaign.content.scope.kinds;
    let mut found: Vec<UnitColumns> = Vec::new();
    // A kind at a time: the statement for one is kept prepared, that for a list is not.
    for (range, kind) in ranges.iter().flat_map(|range| kinds.iter().map(move |kind| (range, *kind))) {
        let rows: Vec<UnitColumns> = with_conn!(tx.conn(), c => in_force!(
                units::table.filter(units::tenant_id.eq(tenant)), tenant, units::batch_id
            )
            .filter(units::path.ge(range.low.clone()))
            .filter(units::path.lt(range.high.clone()))
            .filter(units::kind.eq(kind))
            .filter(units::status.eq(UnitStatus::Active))
            .select((units::id, units::code, units::name, units::kind, units::path))
            .load(c))?;
        found.extend(rows);
    }
    found.sort_unstable_by(|one, other| one.4.cmp(&other.4));
    let row = |(unit_id, code, name, kind, path)| {
        let plan = plans.remove(&unit_id);
        Row { unit_id, code, name, kind, path, plan }
    };
    Ok(found.into_iter().map(row).collect())
}

/// The plans of a campaign that were not withdrawn, by their units.
fn standings(tx: &mut Tx<'_, PlanRead>, campaign: &Campaign) -> Result<HashMap<UnitId, Standing>> {
    let (tenant, today) = (tx.tenant(), tx.now().shanghai_day());
    let found: Vec<PlanColumns> = with_conn!(tx.conn(), c => plans::table
        .filter(plans::tenant_id.eq(tenant))
        .filter(plans::campaign_id.eq(campaign.id))
        .filter(plans::stage.is_null().or(plans::stage.ne(PlanState::Withdrawn)))
        .select((plans::unit_id, plans::id, plans::state, plans::version, plans::stage, plans::starts_on))
        .load(c))?;
    let standing = |(unit, id, kept, version, stage, starts_on)| {
        (unit, Standing { id, state: PlanState::of(kept, stage, starts_on, today), version })
    };
    Ok(found.into_iter().map(standing).collect())
}
