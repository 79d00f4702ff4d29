//! Rows of campaigns and leading groups.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::rules::{Campaign, CampaignDraft, LeadingGroup, LeadingGroupDraft, MemberDraft, Scope};
use crate::access::policy::{Action, CampaignLaunch};
use crate::access::{EffectTx, PathRange, Reach, Tx, UserId, within_reach};
use crate::campaigns::rules::{CampaignId, CampaignState, Phase};
use crate::db::schema::{
    campaign_phases, campaign_scope_units, campaigns, leading_group_members, leading_groups,
};
use crate::db::{Instant, TenantId, contains_pattern, fold, insert_rows, lock_row, text_enum, with_conn};
use crate::errors::{AppError, Result};
use crate::org::rules::{Unit, UnitId, UnitKind};
use crate::web::{Page, Paging, load_as_made, made_place};

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = campaigns)]
struct CampaignRow {
    id: CampaignId,
    unit_id: UnitId,
    unit_path: String,
    name: String,
    theme: String,
    year: i32,
    state: CampaignState,
    scope_kinds: String,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

text_enum! {
    /// By what campaigns are sorted; ties by id.
    CampaignSort as "campaign_sort" {
        Newest = "-created_at", "新建在前", "Newest first", grey;
        Oldest = "created_at", "先建在前", "Oldest first", grey;
    }
}

/// What a list of campaigns is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct CampaignFilter {
    /// In these states; empty for all.
    pub states: Vec<CampaignState>,
    /// Of this year.
    pub year: Option<i32>,
    /// Run by these units.
    pub below: Option<PathRange>,
    /// Whose name holds this, case folded.
    pub search: Option<String>,
}

/// The one place where the table is named for reading: tenant, reach, and what superiors launched.
macro_rules! visible {
    ($tenant:expr, $reach:expr) => {{
        let mut query = within_reach!(campaigns::table, $reach, campaigns::unit_path);
        if !$reach.tenant && !$reach.ancestors.is_empty() {
            query = query.or_filter(
                campaigns::state
                    .eq(CampaignState::Launched)
                    .and(campaigns::unit_path.eq_any($reach.ancestors.clone())),
            );
        }
        query.filter(campaigns::tenant_id.eq($tenant))
    }};
}

macro_rules! filtered {
    ($tenant:expr, $reach:expr, $filter:expr) => {{
        let mut query = visible!($tenant, $reach);
        if !$filter.states.is_empty() {
            query = query.filter(campaigns::state.eq_any($filter.states.clone()));
        }
        if let Some(year) = $filter.year {
            query = query.filter(campaigns::year.eq(year));
        }
        if let Some(range) = $filter.below.clone() {
            query =
                query.filter(campaigns::unit_path.ge(range.low)).filter(campaigns::unit_path.lt(range.high));
        }
        if let Some(search) = &$filter.search {
            query = query.filter(campaigns::search_text.like(contains_pattern(search)).escape('\\'));
        }
        query
    }};
}

pub(super) fn list<A: Action>(
    tx: &mut Tx<'_, A>,
    filter: &CampaignFilter,
    sort: CampaignSort,
    paging: &Paging,
) -> Result<Page<Campaign>> {
    let (tenant, reach) = (tx.tenant(), tx.reach().clone());
    let after: Option<(Instant, CampaignId)> = paging.after_made()?;
    let total: Option<i64> = if paging.counts() {
        Some(with_conn!(tx.conn(), c => filtered!(tenant, reach, filter).count().get_result(c))?)
    } else {
        None
    };
    let rows: Vec<CampaignRow> = with_conn!(tx.conn(), c => {
        let query = filtered!(tenant, reach, filter).select(CampaignRow::as_select()).limit(paging.fetch());
        load_as_made!(query, c, sort == CampaignSort::Newest, after, campaigns::created_at, campaigns::id)
    })?;
    let page = paging.page(rows, total, |row| made_place(row.created_at, row.id));
    let ids: Vec<CampaignId> = page.items.iter().map(|row| row.id).collect();
    let mut contents = Contents::load(tx, &ids)?;
    Ok(page.map(|row| contents.complete(row)))
}

type PhaseRow = (CampaignId, String, NaiveDate, NaiveDate);
type GroupRow = (Option<UserId>, Option<UnitId>, bool, i64, Instant);

/// Phases and scopes of several campaigns, fetched together.
struct Contents {
    phases: Vec<(CampaignId, Phase)>,
    scopes: Vec<(CampaignId, UnitId, String)>,
}

impl Contents {
    fn load<A: Action>(tx: &mut Tx<'_, A>, ids: &[CampaignId]) -> Result<Self> {
        let tenant = tx.tenant();
        macro_rules! of_these {
            ($query:expr, $column:expr, $c:expr) => {
                match ids {
                    // The statement for one is kept prepared, that for a list is not.
                    [id] => $query.filter($column.eq(*id)).load($c),
                    ids => $query.filter($column.eq_any(ids.to_vec())).load($c),
                }
            };
        }
        let phases: Vec<PhaseRow> = with_conn!(tx.conn(), c => of_these!(
            campaign_phases::table
                .filter(campaign_phases::tenant_id.eq(tenant))
                .order((campaign_phases::campaign_id, campaign_phases::position))
                .select((
                    campaign_phases::campaign_id,
                    campaign_phases::name,
                    campaign_phases::starts_on,
                    campaign_phases::ends_on,
                )),
            campaign_phases::campaign_id,
            c
        ))?;
        let scopes = with_conn!(tx.conn(), c => of_these!(
            campaign_scope_units::table
                .filter(campaign_scope_units::tenant_id.eq(tenant))
                .order((campaign_scope_units::campaign_id, campaign_scope_units::position))
                .select((
                    campaign_scope_units::campaign_id,
                    campaign_scope_units::unit_id,
                    campaign_scope_units::unit_path,
                )),
            campaign_scope_units::campaign_id,
            c
        ))?;
        let phases = phases
            .into_iter()
            .map(|(id, name, starts_on, ends_on)| (id, Phase { name, starts_on, ends_on }))
            .collect();
        Ok(Self { phases, scopes })
    }

    fn complete(&mut self, row: CampaignRow) -> Campaign {
        let phases =
            self.phases.iter().filter(|(id, _)| *id == row.id).map(|(_, phase)| phase.clone()).collect();
        let scope: Vec<_> = self.scopes.iter().filter(|(id, _, _)| *id == row.id).collect();
        let kinds = row.scope_kinds.split(' ').filter_map(UnitKind::parse).collect();
        Campaign {
            id: row.id,
            unit_id: row.unit_id,
            unit_path: row.unit_path,
            content: CampaignDraft {
                name: row.name,
                theme: row.theme,
                year: row.year,
                phases,
                scope: Scope { kinds, unit_ids: scope.iter().map(|(_, unit, _)| *unit).collect() },
            },
            scope_paths: scope.iter().map(|(_, _, path)| path.clone()).collect(),
            state: row.state,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// The campaign, if `reach` holds it or a superior launched it.
pub(super) fn find<A: Action>(tx: &mut Tx<'_, A>, reach: &Reach, id: CampaignId) -> Result<Option<Campaign>> {
    let tenant = tx.tenant();
    let row: Option<CampaignRow> = with_conn!(tx.conn(), c => visible!(tenant, reach)
        .filter(campaigns::id.eq(id))
        .select(CampaignRow::as_select())
        .first(c)
        .optional())?;
    match row {
        Some(row) => Ok(Some(Contents::load(tx, &[id])?.complete(row))),
        None => Ok(None),
    }
}

/// The unit that runs the campaign and its version, if `reach` holds it or a superior launched it.
pub(super) fn standing<A: Action>(
    tx: &mut Tx<'_, A>,
    reach: &Reach,
    id: CampaignId,
) -> Result<Option<(UnitId, i64)>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => visible!(tenant, reach)
        .filter(campaigns::id.eq(id))
        .select((campaigns::unit_id, campaigns::version))
        .first(c)
        .optional())?)
}

/// The last day of the first phase of each of the campaigns.
pub(super) fn first_phases_end_on<A: Action>(
    tx: &mut Tx<'_, A>,
    ids: &[CampaignId],
) -> Result<HashMap<CampaignId, NaiveDate>> {
    let tenant = tx.tenant();
    let mut found = HashMap::new();
    for some in ids.chunks(500) {
        let rows: Vec<(CampaignId, NaiveDate)> = with_conn!(tx.conn(), c => campaign_phases::table
            .filter(campaign_phases::tenant_id.eq(tenant))
            .filter(campaign_phases::campaign_id.eq_any(some.to_vec()))
            .filter(campaign_phases::position.eq(0))
            .select((campaign_phases::campaign_id, campaign_phases::ends_on))
            .load(c))?;
        found.extend(rows);
    }
    Ok(found)
}

/// Locks the campaign's row until the transaction ends; SQLite has one writer anyway.
pub(super) fn lock<A: Action>(tx: &mut Tx<'_, A>, id: CampaignId) -> Result<()> {
    let tenant = tx.tenant();
    lock_row!(tx.conn(), campaigns::table.find((tenant, id)).select(campaigns::id));
    Ok(())
}

/// Whether the id is in use, wherever.
pub(super) fn is_taken<A: Action>(tx: &mut Tx<'_, A>, id: CampaignId) -> Result<bool> {
    let tenant = tx.tenant();
    let found: i64 = with_conn!(tx.conn(), c => campaigns::table.find((tenant, id)).count().get_result(c))?;
    Ok(found > 0)
}

fn kinds_text(kinds: &[UnitKind]) -> String {
    kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(" ")
}

/// Enters a campaign with an empty leading group.
pub(super) fn insert<A: Action>(
    tx: &mut Tx<'_, A>,
    id: CampaignId,
    unit: &Unit,
    content: &CampaignDraft,
    scope: &[Unit],
) -> Result<Campaign> {
    let (tenant, now, user) = (tx.tenant(), tx.now(), tx.user()?);
    with_conn!(tx.conn(), c => diesel::insert_into(campaigns::table)
        .values((
            campaigns::tenant_id.eq(tenant),
            campaigns::id.eq(id),
            campaigns::unit_id.eq(unit.id),
            campaigns::unit_path.eq(&unit.path),
            campaigns::name.eq(&content.name),
            campaigns::search_text.eq(fold(&content.name)),
            campaigns::theme.eq(&content.theme),
            campaigns::year.eq(content.year),
            campaigns::state.eq(CampaignState::Preparing),
            campaigns::scope_kinds.eq(kinds_text(&content.scope.kinds)),
            campaigns::version.eq(1_i64),
            campaigns::created_by.eq(user),
            campaigns::created_at.eq(now),
            campaigns::updated_at.eq(now),
        ))
        .execute(c))?;
    with_conn!(tx.conn(), c => diesel::insert_into(leading_groups::table)
        .values((
            leading_groups::tenant_id.eq(tenant),
            leading_groups::campaign_id.eq(id),
            leading_groups::version.eq(1_i64),
            leading_groups::updated_at.eq(now),
        ))
        .execute(c))?;
    insert_parts(tx, id, content, scope)?;
    let path_of = |id: &UnitId| scope.iter().find(|unit| unit.id == *id).map(|unit| unit.path.clone());
    Ok(Campaign {
        id,
        unit_id: unit.id,
        unit_path: unit.path.clone(),
        scope_paths: content.scope.unit_ids.iter().filter_map(path_of).collect(),
        content: content.clone(),
        state: CampaignState::Preparing,
        version: 1,
        created_at: now,
        updated_at: now,
    })
}

fn insert_parts<A: Action>(
    tx: &mut Tx<'_, A>,
    id: CampaignId,
    content: &CampaignDraft,
    scope: &[Unit],
) -> Result<()> {
    let tenant = tx.tenant();
    let phases: Vec<_> = (0_i32..)
        .zip(&content.phases)
        .map(|(position, phase)| {
            (
                campaign_phases::tenant_id.eq(tenant),
                campaign_phases::campaign_id.eq(id),
                campaign_phases::position.eq(position),
                campaign_phases::name.eq(&phase.name),
                campaign_phases::starts_on.eq(phase.starts_on),
                campaign_phases::ends_on.eq(phase.ends_on),
            )
        })
        .collect();
    insert_rows!(tx.conn(), campaign_phases::table, &phases);
    let units: Vec<_> = (0_i32..)
        .zip(&content.scope.unit_ids)
        .filter_map(|(position, id)| Some((position, scope.iter().find(|unit| unit.id == *id)?)))
        .map(|(position, unit)| {
            (
                campaign_scope_units::tenant_id.eq(tenant),
                campaign_scope_units::campaign_id.eq(id),
                campaign_scope_units::position.eq(position),
                campaign_scope_units::unit_id.eq(unit.id),
                campaign_scope_units::unit_path.eq(&unit.path),
            )
        })
        .collect();
    insert_rows!(tx.conn(), campaign_scope_units::table, &units);
    Ok(())
}

pub(super) fn update<A: Action>(
    tx: &mut Tx<'_, A>,
    id: CampaignId,
    content: &CampaignDraft,
    scope: &[Unit],
) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    with_conn!(tx.conn(), c => diesel::update(campaigns::table.find((tenant, id)))
        .set((
            campaigns::name.eq(&content.name),
            campaigns::search_text.eq(fold(&content.name)),
            campaigns::theme.eq(&content.theme),
            campaigns::year.eq(content.year),
            campaigns::scope_kinds.eq(kinds_text(&content.scope.kinds)),
            campaigns::version.eq(campaigns::version + 1_i64),
            campaigns::updated_at.eq(now),
        ))
        .execute(c))?;
    with_conn!(tx.conn(), c => diesel::delete(campaign_phases::table
        .filter(campaign_phases::tenant_id.eq(tenant))
        .filter(campaign_phases::campaign_id.eq(id)))
        .execute(c))?;
    with_conn!(tx.conn(), c => diesel::delete(campaign_scope_units::table
        .filter(campaign_scope_units::tenant_id.eq(tenant))
        .filter(campaign_scope_units::campaign_id.eq(id)))
        .execute(c))?;
    insert_parts(tx, id, content, scope)
}

/// Makes the campaign visible to its scope; whether it was not before.
pub(super) fn launch(tx: &mut EffectTx<'_, CampaignLaunch>, id: CampaignId) -> Result<bool> {
    let (tenant, now) = (tx.tenant(), tx.now());
    let changed = with_conn!(tx.conn(), c => diesel::update(campaigns::table.find((tenant, id)))
        .filter(campaigns::state.eq(CampaignState::Preparing))
        .set((
            campaigns::state.eq(CampaignState::Launched),
            campaigns::version.eq(campaigns::version + 1_i64),
            campaigns::updated_at.eq(now),
        ))
        .execute(c))?;
    Ok(changed > 0)
}

pub(super) fn group<A: Action>(tx: &mut Tx<'_, A>, id: CampaignId) -> Result<LeadingGroup> {
    let tenant = tx.tenant();
    let (head_user_id, office_unit_id, votes_on_plans, version, updated_at): GroupRow =
        with_conn!(tx.conn(), c => leading_groups::table
        .find((tenant, id))
        .select((
            leading_groups::head_user_id,
            leading_groups::office_unit_id,
            leading_groups::votes_on_plans,
            leading_groups::version,
            leading_groups::updated_at,
        ))
        .first(c)
        .optional())?
        .ok_or_else(|| AppError::internal("a campaign without a leading group"))?;
    let members: Vec<(UserId, String)> = with_conn!(tx.conn(), c => leading_group_members::table
        .filter(leading_group_members::tenant_id.eq(tenant))
        .filter(leading_group_members::campaign_id.eq(id))
        .order(leading_group_members::position)
        .select((leading_group_members::user_id, leading_group_members::duty))
        .load(c))?;
    let members = members.into_iter().map(|(user_id, duty)| MemberDraft { user_id, duty }).collect();
    Ok(LeadingGroup {
        content: LeadingGroupDraft { head_user_id, office_unit_id, members, votes_on_plans },
        version,
        updated_at,
    })
}

pub(super) fn set_group<A: Action>(
    tx: &mut Tx<'_, A>,
    id: CampaignId,
    content: &LeadingGroupDraft,
) -> Result<()> {
    let (tenant, now): (TenantId, Instant) = (tx.tenant(), tx.now());
    with_conn!(tx.conn(), c => diesel::update(leading_groups::table.find((tenant, id)))
        .set((
            leading_groups::head_user_id.eq(content.head_user_id),
            leading_groups::office_unit_id.eq(content.office_unit_id),
            leading_groups::votes_on_plans.eq(content.votes_on_plans),
            leading_groups::version.eq(leading_groups::version + 1_i64),
            leading_groups::updated_at.eq(now),
        ))
        .execute(c))?;
    with_conn!(tx.conn(), c => diesel::delete(leading_group_members::table
        .filter(leading_group_members::tenant_id.eq(tenant))
        .filter(leading_group_members::campaign_id.eq(id)))
        .execute(c))?;
    let rows: Vec<_> = (0_i32..)
        .zip(&content.members)
        .map(|(position, member)| {
            (
                leading_group_members::tenant_id.eq(tenant),
                leading_group_members::campaign_id.eq(id),
                leading_group_members::position.eq(position),
                leading_group_members::user_id.eq(member.user_id),
                leading_group_members::duty.eq(&member.duty),
            )
        })
        .collect();
    insert_rows!(tx.conn(), leading_group_members::table, &rows);
    Ok(())
}
