//! Where the things are that events are about.

use std::collections::HashMap;

use diesel::prelude::*;
use uuid::Uuid;

use super::kinds::Lead;
use crate::access::Tx;
use crate::access::policy::EventRead;
use crate::campaigns::plan::rules::PlanState;
use crate::campaigns::rules::CampaignState;
use crate::db::schema::{
    campaigns, day_entries, officers, plan_comments, plan_votes, plans, posts, role_bindings, stand_ins,
    task_assignments, units, users,
};
use crate::db::{Id, with_conn};
use crate::errors::Result;

/// A thing and where it stands now.
#[derive(Debug, Clone)]
pub(super) struct Thing {
    /// Its id.
    pub id: Uuid,
    /// What it belongs to and is found under: the task of an assignment or an entry, the account of a role binding.
    pub of: Option<Uuid>,
    /// The path of its unit.
    pub path: String,
    /// Whether it can be read from below.
    pub is_open: bool,
}

type Raw = Id<()>;

fn thing(id: Raw, of: Option<Raw>, path: String, is_open: bool) -> Thing {
    Thing { id: id.uuid(), of: of.map(Id::uuid), path, is_open }
}

/// The things that these ids lead to, by the ids.
pub(super) fn things(tx: &mut Tx<'_, EventRead>, lead: Lead, ids: &[Raw]) -> Result<HashMap<Uuid, Thing>> {
    let (tenant, ids) = (tx.tenant(), ids.to_vec());
    // What is asked by, the thing, what it is of, where it stands.
    macro_rules! plain {
        ($table:ident, $of:expr) => {{
            let rows: Vec<(Raw, Option<Raw>, String)> = with_conn!(tx.conn(), c => $table::table
                .filter($table::tenant_id.eq(tenant))
                .filter($table::id.eq_any(ids))
                .select(($table::id, $of.nullable(), $table::unit_path))
                .load(c))?;
            rows.into_iter().map(|(id, of, path)| (id.uuid(), thing(id, of, path, false))).collect()
        }};
    }
    macro_rules! of_plans {
        ($from:expr, $by:expr) => {{
            let rows: Vec<(Raw, Raw, String, PlanState)> = with_conn!(tx.conn(), c => $from
                .filter(plans::tenant_id.eq(tenant))
                .filter($by.eq_any(ids))
                .select(($by, plans::id, plans::unit_path, plans::state))
                .load(c))?;
            let row = |(by, id, path, state): (Raw, Raw, String, PlanState)| {
                (by.uuid(), thing(id, None, path, state == PlanState::Published))
            };
            rows.into_iter().map(row).collect()
        }};
    }
    let found = match lead {
        Lead::Campaign => {
            let rows: Vec<(Raw, String, CampaignState)> = with_conn!(tx.conn(), c => campaigns::table
                .filter(campaigns::tenant_id.eq(tenant))
                .filter(campaigns::id.eq_any(ids))
                .select((campaigns::id, campaigns::unit_path, campaigns::state))
                .load(c))?;
            let row = |(id, path, state): (Raw, String, CampaignState)| {
                (id.uuid(), thing(id, None, path, state == CampaignState::Launched))
            };
            rows.into_iter().map(row).collect()
        }
        Lead::Plan => of_plans!(plans::table, plans::id),
        Lead::Comment => {
            of_plans!(
                plans::table.inner_join(plan_comments::table.on(
                    plan_comments::tenant_id.eq(plans::tenant_id).and(plan_comments::plan_id.eq(plans::id))
                )),
                plan_comments::id
            )
        }
        Lead::Vote => of_plans!(
            plans::table.inner_join(
                plan_votes::table
                    .on(plan_votes::tenant_id.eq(plans::tenant_id).and(plan_votes::plan_id.eq(plans::id)))
            ),
            plan_votes::id
        ),
        Lead::Assignment => plain!(task_assignments, task_assignments::task_id),
        Lead::Entry => plain!(day_entries, day_entries::task_id),
        Lead::Officer => plain!(officers, officers::unit_id),
        Lead::User => plain!(users, users::unit_id),
        Lead::RoleBinding => plain!(role_bindings, role_bindings::user_id),
        Lead::Unit => {
            let rows: Vec<(Raw, String)> = with_conn!(tx.conn(), c => units::table
                .filter(units::tenant_id.eq(tenant))
                .filter(units::id.eq_any(ids))
                .select((units::id, units::path))
                .load(c))?;
            rows.into_iter().map(|(id, path)| (id.uuid(), thing(id, None, path, false))).collect()
        }
        Lead::StandIn => {
            let rows: Vec<(Raw, Raw, String)> = with_conn!(tx.conn(), c => stand_ins::table
                .inner_join(units::table.on(
                    units::tenant_id.eq(stand_ins::tenant_id).and(units::id.eq(stand_ins::unit_id))))
                .filter(stand_ins::tenant_id.eq(tenant))
                .filter(stand_ins::id.eq_any(ids))
                .select((stand_ins::id, units::id, units::path))
                .load(c))?;
            rows.into_iter().map(|(by, id, path)| (by.uuid(), thing(id, None, path, false))).collect()
        }
        Lead::Post => {
            let rows: Vec<(Raw, Raw, String)> = with_conn!(tx.conn(), c => posts::table
                .inner_join(officers::table.on(
                    officers::tenant_id.eq(posts::tenant_id).and(officers::id.eq(posts::officer_id))))
                .filter(posts::tenant_id.eq(tenant))
                .filter(posts::id.eq_any(ids))
                .select((posts::id, officers::id, officers::unit_path))
                .load(c))?;
            rows.into_iter().map(|(by, id, path)| (by.uuid(), thing(id, None, path, false))).collect()
        }
        Lead::Everywhere => HashMap::new(),
    };
    Ok(found)
}
