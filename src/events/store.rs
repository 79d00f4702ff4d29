//! Where the things are that events are about.

use std::collections::HashMap;

use diesel::prelude::*;
use uuid::Uuid;

use super::kinds::Lead;
use crate::access::policy::EventRead;
use crate::access::{Tx, UserId};
use crate::campaigns::plan::rules::PlanState;
use crate::campaigns::rules::CampaignState;
use crate::db::schema::inspections::{
    authorisation_members, authorisations, check_members, checklists, conflicts, finding_candidates,
    unannounced_checks,
};
use crate::db::schema::jobs::jobs;
use crate::db::schema::{
    campaigns, day_entries, officers, plan_comments, plan_votes, plans, posts, role_bindings, stand_ins,
    task_assignments, units, user_officers, users,
};
use crate::db::{Id, with_conn};
use crate::errors::Result;
use crate::inspections::authorisations::rules::CheckKind;
use crate::org::officers::rules::OfficerId;

/// A thing and where it stands now.
#[derive(Debug, Clone)]
pub(super) struct Thing {
    /// Its id.
    pub id: Uuid,
    /// What it belongs to or is found under: the task of an assignment or an entry, the account of a role binding, the check of a
    /// finding candidate.
    pub of: Option<Uuid>,
    /// The path of its unit.
    pub path: String,
    /// The path of another unit that has to be in reach as well.
    pub also: Option<String>,
    /// The officer whose own it is.
    pub owner: Option<OfficerId>,
    /// The account whose own it is, and nobody else's.
    pub account: Option<UserId>,
    /// The accounts that are named in it.
    pub members: Vec<UserId>,
    /// Whether it can be read from below.
    pub is_open: bool,
    /// Whether it is a covert check that has not been released: those in reach know nothing of it but by insight.
    pub is_covert: bool,
}

type Raw = Id<()>;

fn thing(id: Raw, of: Option<Raw>, path: String, is_open: bool) -> Thing {
    let members = Vec::new();
    Thing {
        id: id.uuid(),
        of: of.map(Id::uuid),
        path,
        also: None,
        owner: None,
        account: None,
        members,
        is_open,
        is_covert: false,
    }
}

/// The officer whose account it is.
pub(super) fn officer_of(tx: &mut Tx<'_, EventRead>, user: UserId) -> Result<Option<OfficerId>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => user_officers::table
        .find((tenant, user))
        .select(user_officers::officer_id)
        .first(c)
        .optional())?)
}

/// The things that these ids lead to, by the ids.
pub(super) fn things(tx: &mut Tx<'_, EventRead>, lead: Lead, ids: &[Raw]) -> Result<HashMap<Uuid, Thing>> {
    let (tenant, these) = (tx.tenant(), ids.to_vec());
    macro_rules! of_plans {
        ($from:expr, $by:expr) => {{
            let rows: Vec<(Raw, Raw, String, PlanState)> = with_conn!(tx.conn(), c => $from
                .filter(plans::tenant_id.eq(tenant))
                .filter($by.eq_any(these))
                .select(($by, plans::id, plans::unit_path, plans::state))
                .load(c))?;
            let row = |(by, id, path, state): (Raw, Raw, String, PlanState)| {
                (by.uuid(), thing(id, None, path, state == PlanState::Published))
            };
            Ok(rows.into_iter().map(row).collect())
        }};
    }
    match lead {
        Lead::Campaign => {
            let rows: Vec<(Raw, String, CampaignState)> = with_conn!(tx.conn(), c => campaigns::table
                .filter(campaigns::tenant_id.eq(tenant))
                .filter(campaigns::id.eq_any(these))
                .select((campaigns::id, campaigns::unit_path, campaigns::state))
                .load(c))?;
            let row = |(id, path, state): (Raw, String, CampaignState)| {
                (id.uuid(), thing(id, None, path, state == CampaignState::Launched))
            };
            Ok(rows.into_iter().map(row).collect())
        }
        Lead::Authorisation | Lead::Check => with_teams(tx, lead, ids),
        Lead::Candidate => candidates(tx, ids),
        Lead::Checklist => {
            let rows: Vec<(Raw, String, i32)> = with_conn!(tx.conn(), c => checklists::table
                .filter(checklists::tenant_id.eq(tenant))
                .filter(checklists::id.eq_any(these))
                .select((checklists::id, checklists::unit_path, checklists::number))
                .load(c))?;
            let row = |(id, path, number): (Raw, String, i32)| (id.uuid(), thing(id, None, path, number > 0));
            Ok(rows.into_iter().map(row).collect())
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
        Lead::Job => owned_jobs(tx, ids),
        Lead::Conflict => declared(tx, ids),
        Lead::Entry => entries(tx, ids),
        Lead::RoleBinding => bindings(tx, ids),
        Lead::Assignment
        | Lead::Unit
        | Lead::StandIn
        | Lead::Officer
        | Lead::Post
        | Lead::User
        | Lead::Everywhere => standing(tx, lead, ids),
    }
}

/// Things that say nothing more than where they stand.
fn standing(tx: &mut Tx<'_, EventRead>, lead: Lead, ids: &[Raw]) -> Result<HashMap<Uuid, Thing>> {
    let (tenant, ids) = (tx.tenant(), ids.to_vec());
    // What is asked by, the thing, what it is found under, where it stands.
    macro_rules! rows {
        ($from:expr, $of_tenant:expr, $by:expr, $id:expr, $of:expr, $path:expr) => {{
            let rows: Vec<(Raw, Raw, Option<Raw>, String)> = with_conn!(tx.conn(), c => $from
                .filter($of_tenant.eq(tenant))
                .filter($by.eq_any(ids))
                .select(($by, $id, $of.nullable(), $path))
                .load(c))?;
            rows
        }};
    }
    let is_unit = matches!(lead, Lead::Unit | Lead::StandIn);
    let rows = match lead {
        Lead::Assignment => {
            use task_assignments as t;
            rows!(t::table, t::tenant_id, t::id, t::id, t::task_id, t::unit_path)
        }
        Lead::Officer => {
            use officers as t;
            rows!(t::table, t::tenant_id, t::id, t::id, t::unit_id, t::unit_path)
        }
        Lead::User => {
            use users as t;
            rows!(t::table, t::tenant_id, t::id, t::id, t::unit_id, t::unit_path)
        }
        Lead::Unit => {
            use units as t;
            rows!(t::table, t::tenant_id, t::id, t::id, t::parent_id, t::path)
        }
        Lead::StandIn => rows!(
            stand_ins::table.inner_join(
                units::table
                    .on(units::tenant_id.eq(stand_ins::tenant_id).and(units::id.eq(stand_ins::unit_id)))
            ),
            stand_ins::tenant_id,
            stand_ins::id,
            units::id,
            units::parent_id,
            units::path
        ),
        Lead::Post => rows!(
            posts::table.inner_join(
                officers::table
                    .on(officers::tenant_id.eq(posts::tenant_id).and(officers::id.eq(posts::officer_id)))
            ),
            posts::tenant_id,
            posts::id,
            officers::id,
            officers::unit_id,
            officers::unit_path
        ),
        _ => Vec::new(),
    };
    // What is above a unit is no address of it.
    let of = |of: Option<Raw>| of.filter(|_| !is_unit);
    Ok(rows.into_iter().map(|(by, id, under, path)| (by.uuid(), thing(id, of(under), path, false))).collect())
}

/// Day entries, which an officer reads who made them.
fn entries(tx: &mut Tx<'_, EventRead>, ids: &[Raw]) -> Result<HashMap<Uuid, Thing>> {
    let (tenant, ids) = (tx.tenant(), ids.to_vec());
    let rows: Vec<(Raw, Raw, String, OfficerId)> = with_conn!(tx.conn(), c => day_entries::table
        .filter(day_entries::tenant_id.eq(tenant))
        .filter(day_entries::id.eq_any(ids))
        .select((day_entries::id, day_entries::task_id, day_entries::unit_path, day_entries::officer_id))
        .load(c))?;
    let row = |(id, of, path, owner): (Raw, Raw, String, OfficerId)| {
        (id.uuid(), Thing { owner: Some(owner), ..thing(id, Some(of), path, false) })
    };
    Ok(rows.into_iter().map(row).collect())
}

/// Things that have a team and a commander, who know of them too: authorisations; unannounced checks, of which nothing is in
/// the chain that nobody else may know of yet, but that of some not everybody in reach may.
fn with_teams(tx: &mut Tx<'_, EventRead>, lead: Lead, ids: &[Raw]) -> Result<HashMap<Uuid, Thing>> {
    let (tenant, ids, of_checks) = (tx.tenant(), ids.to_vec(), ids.to_vec());
    macro_rules! both {
        ($things:ident, $members:ident, $of:ident) => {{
            let rows: Vec<(Raw, String, UserId)> = with_conn!(tx.conn(), c => $things::table
                .filter($things::tenant_id.eq(tenant))
                .filter($things::id.eq_any(ids.clone()))
                .select(($things::id, $things::unit_path, $things::commander_id))
                .load(c))?;
            let teams: Vec<(Raw, UserId)> = with_conn!(tx.conn(), c => $members::table
                .filter($members::tenant_id.eq(tenant))
                .filter($members::$of.eq_any(ids))
                .select(($members::$of, $members::user_id))
                .load(c))?;
            (rows, teams)
        }};
    }
    let (rows, teams) = if lead == Lead::Check {
        both!(unannounced_checks, check_members, check_id)
    } else {
        both!(authorisations, authorisation_members, authorisation_id)
    };
    let row = |(id, path, commander): (Raw, String, UserId)| {
        (id.uuid(), Thing { members: vec![commander], ..thing(id, None, path, false) })
    };
    let mut found: HashMap<Uuid, Thing> = rows.into_iter().map(row).collect();
    for (id, member) in teams {
        if let Some(thing) = found.get_mut(&id.uuid()) {
            thing.members.push(member);
        }
    }
    if lead == Lead::Check {
        let covert: Vec<Raw> = with_conn!(tx.conn(), c => unannounced_checks::table
            .filter(unannounced_checks::tenant_id.eq(tenant))
            .filter(unannounced_checks::id.eq_any(of_checks))
            .filter(unannounced_checks::kind.eq(CheckKind::Covert))
            .filter(unannounced_checks::released_at.is_null())
            .select(unannounced_checks::id)
            .load(c))?;
        for id in covert {
            if let Some(thing) = found.get_mut(&id.uuid()) {
                thing.is_covert = true;
            }
        }
    }
    Ok(found)
}

/// Declared conflicts, which stand where the account of the person stands, who knows of them too; not where the unit stands.
fn declared(tx: &mut Tx<'_, EventRead>, ids: &[Raw]) -> Result<HashMap<Uuid, Thing>> {
    let (tenant, ids) = (tx.tenant(), ids.to_vec());
    let rows: Vec<(Raw, UserId, String)> = with_conn!(tx.conn(), c => conflicts::table
        .inner_join(users::table.on(
            users::tenant_id.eq(conflicts::tenant_id).and(users::id.eq(conflicts::user_id))))
        .filter(conflicts::tenant_id.eq(tenant))
        .filter(conflicts::id.eq_any(ids))
        .select((conflicts::id, conflicts::user_id, users::unit_path))
        .load(c))?;
    let row = |(id, person, path): (Raw, UserId, String)| {
        (id.uuid(), Thing { members: vec![person], ..thing(id, None, path, false) })
    };
    Ok(rows.into_iter().map(row).collect())
}

/// Finding candidates: whoever may know of their check knows of them, and there are none before it is released.
fn candidates(tx: &mut Tx<'_, EventRead>, ids: &[Raw]) -> Result<HashMap<Uuid, Thing>> {
    let (tenant, ids) = (tx.tenant(), ids.to_vec());
    let rows: Vec<(Raw, Raw)> = with_conn!(tx.conn(), c => finding_candidates::table
        .filter(finding_candidates::tenant_id.eq(tenant))
        .filter(finding_candidates::id.eq_any(ids))
        .select((finding_candidates::id, finding_candidates::check_id))
        .load(c))?;
    let mut of: Vec<Raw> = rows.iter().map(|(_, check)| *check).collect();
    of.sort_unstable();
    of.dedup();
    let checks = with_teams(tx, Lead::Check, &of)?;
    let row = |(id, check): (Raw, Raw)| {
        let of = checks.get(&check.uuid())?;
        Some((id.uuid(), Thing { id: id.uuid(), of: Some(check.uuid()), ..of.clone() }))
    };
    Ok(rows.into_iter().filter_map(row).collect())
}

/// Jobs, which stand nowhere and are told to whoever began them.
fn owned_jobs(tx: &mut Tx<'_, EventRead>, ids: &[Raw]) -> Result<HashMap<Uuid, Thing>> {
    let (tenant, ids) = (tx.tenant(), ids.to_vec());
    let rows: Vec<(Raw, UserId)> = with_conn!(tx.conn(), c => jobs::table
        .filter(jobs::tenant_id.eq(tenant))
        .filter(jobs::id.eq_any(ids))
        .select((jobs::id, jobs::user_id))
        .load(c))?;
    let row = |(id, account): (Raw, UserId)| {
        (id.uuid(), Thing { account: Some(account), ..thing(id, None, String::new(), false) })
    };
    Ok(rows.into_iter().map(row).collect())
}

/// Role bindings: who reads one reads the account too.
fn bindings(tx: &mut Tx<'_, EventRead>, ids: &[Raw]) -> Result<HashMap<Uuid, Thing>> {
    let (tenant, ids) = (tx.tenant(), ids.to_vec());
    let rows: Vec<(Raw, Raw, String, String)> = with_conn!(tx.conn(), c => role_bindings::table
        .inner_join(users::table.on(
            users::tenant_id.eq(role_bindings::tenant_id).and(users::id.eq(role_bindings::user_id))))
        .filter(role_bindings::tenant_id.eq(tenant))
        .filter(role_bindings::id.eq_any(ids))
        .select((role_bindings::id, users::id, role_bindings::unit_path, users::unit_path))
        .load(c))?;
    let row = |(id, of, path, also): (Raw, Raw, String, String)| {
        (id.uuid(), Thing { also: Some(also), ..thing(id, Some(of), path, false) })
    };
    Ok(rows.into_iter().map(row).collect())
}
