//! Units with the plans they have in a campaign, in one query.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::matrix::Standing;
use super::rules::PlanState;
use crate::access::policy::PlanRead;
use crate::access::{PathRange, Tx, within_reach};
use crate::campaigns::campaign::rules::Campaign;
use crate::campaigns::rules::PlanId;
use crate::db::schema::{plans, units};
use crate::db::with_conn;
use crate::errors::Result;
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

type Columns = (
    UnitId,
    String,
    String,
    UnitKind,
    String,
    Option<PlanId>,
    Option<PlanState>,
    Option<i64>,
    Option<(Option<PlanState>, Option<NaiveDate>)>,
);

/// The working units below a path of the kinds that the campaign concerns, within reach, in the order of
/// the tree.
pub(super) fn rows(tx: &mut Tx<'_, PlanRead>, campaign: &Campaign, below: &str) -> Result<Vec<Row>> {
    let (tenant, reach, today) = (tx.tenant(), tx.reach().clone(), tx.now().shanghai_day());
    let (range, kinds) = (PathRange::subtree(below), campaign.content.scope.kinds.clone());
    let found: Vec<Columns> = with_conn!(tx.conn(), c => within_reach!(
            units::table.left_join(plans::table.on(plans::tenant_id
                .eq(units::tenant_id)
                .and(plans::unit_id.eq(units::id))
                .and(plans::campaign_id.eq(campaign.id))
                .and(plans::stage.is_null().or(plans::stage.ne(PlanState::Withdrawn))))),
            reach,
            units::path
        )
        .filter(units::tenant_id.eq(tenant))
        .filter(units::path.ge(range.low))
        .filter(units::path.lt(range.high))
        .filter(units::kind.eq_any(kinds))
        .filter(units::status.eq(UnitStatus::Active))
        .order(units::path)
        .select((
            units::id,
            units::code,
            units::name,
            units::kind,
            units::path,
            plans::id.nullable(),
            plans::state.nullable(),
            plans::version.nullable(),
            (plans::stage, plans::starts_on).nullable(),
        ))
        .load(c))?;
    Ok(found
        .into_iter()
        .map(|(unit_id, code, name, kind, path, id, kept, version, stage)| {
            let plan = match (id, kept, version, stage) {
                (Some(id), Some(kept), Some(version), Some((stage, starts_on))) => {
                    let state = PlanState::of(kept, stage, starts_on, today);
                    Some(Standing { id, state, version })
                }
                _ => None,
            };
            Row { unit_id, code, name, kind, path, plan }
        })
        .collect())
}
