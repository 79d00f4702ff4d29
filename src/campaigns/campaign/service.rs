//! Use cases on campaigns and leading groups.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde_json::json;

use super::rules::{Campaign, CampaignDraft, LeadingGroup, LeadingGroupDraft};
use super::store;
pub use super::store::{CampaignFilter, CampaignSort};
use crate::access::policy::{
    Action, CampaignCreate, CampaignLaunch, CampaignRead, CampaignUpdate, LeadingGroupSet, PlanPublish,
};
use crate::access::{EffectTx, Reach, Tx, UserId, holders};
use crate::audit::Change;
use crate::campaigns::rules::{CampaignAction, CampaignId, CampaignState};
use crate::errors::{AppError, Code, FieldError, Result, unknown};
use crate::org::rules::{Unit, UnitId};
use crate::org::service as org;
use crate::web::{Page, Paging};

/// Campaigns within reach, and those a superior has launched.
///
/// # Errors
/// `invalid_cursor`.
pub fn list(
    tx: &mut Tx<'_, CampaignRead>,
    filter: &CampaignFilter,
    sort: CampaignSort,
    paging: &Paging,
) -> Result<Page<Campaign>> {
    store::list(tx, filter, sort, paging)
}

/// One campaign.
///
/// # Errors
/// `not_found`.
pub fn find(tx: &mut Tx<'_, CampaignRead>, id: CampaignId) -> Result<Campaign> {
    let reach = tx.reach().clone();
    store::find(tx, &reach, id)?.ok_or_else(|| AppError::new(Code::NotFound))
}

/// A campaign that the caller may read, for another action that only looks.
///
/// # Errors
/// `not_found`.
pub fn readable<A: Action>(tx: &mut Tx<'_, A>, id: CampaignId) -> Result<Campaign> {
    let found = match tx.reach_of::<CampaignRead>() {
        Some(reach) => store::find(tx, &reach, id)?,
        None => None,
    };
    found.ok_or_else(|| AppError::new(Code::NotFound))
}

/// The unit that runs a campaign which the caller may read, and the campaign's version: enough to know whether an answer
/// about it still holds.
///
/// # Errors
/// `not_found`.
pub fn standing<A: Action>(tx: &mut Tx<'_, A>, id: CampaignId) -> Result<(UnitId, i64)> {
    let found = match tx.reach_of::<CampaignRead>() {
        Some(reach) => store::standing(tx, &reach, id)?,
        None => None,
    };
    found.ok_or_else(|| AppError::new(Code::NotFound))
}

/// The campaign that a body refers to: one the caller may read. Its row stays locked, so that two
/// plans for one unit cannot be made at once.
///
/// # Errors
/// When the database fails; a foreign or unknown one is `None`.
pub fn referred<A: Action>(tx: &mut Tx<'_, A>, id: CampaignId) -> Result<Option<Campaign>> {
    let Some(reach) = tx.reach_of::<CampaignRead>() else { return Ok(None) };
    store::lock(tx, id)?;
    store::find(tx, &reach, id)
}

/// Keeps the campaign and its leading group as they are until the transaction ends.
///
/// # Errors
/// When the database fails.
pub fn lock<A: Action>(tx: &mut Tx<'_, A>, id: CampaignId) -> Result<()> {
    store::lock(tx, id)
}

/// By which day the plans of each of the campaigns are due: the last of its first phase.
///
/// # Errors
/// When the database fails.
pub fn plans_due_on<A: Action>(
    tx: &mut Tx<'_, A>,
    ids: &[CampaignId],
) -> Result<HashMap<CampaignId, NaiveDate>> {
    store::first_phases_end_on(tx, ids)
}

/// The campaign of something visible, whatever the reach.
///
/// # Errors
/// When the database fails.
pub fn of<A: Action>(tx: &mut Tx<'_, A>, id: CampaignId) -> Result<Campaign> {
    store::find(tx, &Reach::whole_tenant(), id)?
        .ok_or_else(|| AppError::internal("a plan without a campaign"))
}

/// Begins a campaign; the client may have chosen its id.
///
/// # Errors
/// `id_taken`; `invalid_body` for units that are not the caller's to name.
pub fn create(
    tx: &mut Tx<'_, CampaignCreate>,
    id: Option<CampaignId>,
    unit_id: UnitId,
    content: &CampaignDraft,
) -> Result<(Campaign, bool)> {
    let unit = org::placed(tx, unit_id)?;
    let scope = scope_units(tx, &unit, content)?;
    if let Some(id) = id
        && store::is_taken(tx, id)?
    {
        let mine = tx.reach().clone();
        let there = store::find(tx, &mine, id)?;
        tx.nothing_changed();
        return match there {
            Some(there) if there.content == *content && there.unit_id == unit_id => Ok((there, true)),
            _ => Err(AppError::new(Code::IdTaken)),
        };
    }
    let id = id.unwrap_or_else(CampaignId::generate);
    let made = store::insert(tx, id, &unit, content, &scope)?;
    let after = json!({ "unit_id": unit_id, "content": content, "state": CampaignState::Preparing });
    tx.record(&Change {
        entity: "campaign",
        entity_id: &id.to_string(),
        before: None,
        after: Some(&after),
        reason: None,
    })?;
    Ok((made, false))
}

/// The units a scope names: readable, and below the unit that runs the campaign.
fn scope_units<A: Action>(tx: &mut Tx<'_, A>, unit: &Unit, content: &CampaignDraft) -> Result<Vec<Unit>> {
    let named = &content.scope.unit_ids;
    let mut found = org::readable_many(tx, named)?;
    found.retain(|one| one.path.starts_with(&unit.path));
    let missing: Vec<FieldError> = named
        .iter()
        .enumerate()
        .filter(|(_, id)| !found.iter().any(|unit| unit.id == **id))
        .map(|(at, _)| unknown(format!("/scope/unit_ids/{at}")))
        .collect();
    if missing.is_empty() { Ok(found) } else { Err(AppError::fields(Code::InvalidBody, missing)) }
}

fn for_change<A: Action>(tx: &mut Tx<'_, A>, id: CampaignId) -> Result<Campaign> {
    store::lock(tx, id)?;
    // What superiors launched can be read, not changed: only the reach itself counts here.
    let reach = Reach { ancestors: Vec::new(), ..tx.reach().clone() };
    store::find(tx, &reach, id)?.ok_or_else(|| AppError::new(Code::NotFound))
}

/// Changes a campaign that has not been launched.
///
/// # Errors
/// `not_found`, `precondition_failed`, `campaign_launched`, `invalid_body`.
pub fn update(
    tx: &mut Tx<'_, CampaignUpdate>,
    id: CampaignId,
    change: impl FnOnce(&CampaignDraft) -> Result<CampaignDraft>,
) -> Result<Campaign> {
    let campaign = for_change(tx, id)?;
    tx.check_version(campaign.version)?;
    if campaign.state != CampaignState::Preparing {
        return Err(AppError::new(Code::CampaignLaunched));
    }
    let content = change(&campaign.content)?;
    if content == campaign.content {
        tx.nothing_changed();
        return Ok(campaign);
    }
    let unit = org::placed(tx, campaign.unit_id)?;
    let scope = scope_units(tx, &unit, &content)?;
    store::update(tx, id, &content, &scope)?;
    let (before, after) = (json!(campaign.content), json!(content));
    let entity_id = id.to_string();
    tx.record(&Change {
        entity: "campaign",
        entity_id: &entity_id,
        before: Some(&before),
        after: Some(&after),
        reason: None,
    })?;
    of(tx, id)
}

/// What the caller may do with a campaign now.
#[must_use]
pub fn allowed<A: Action>(tx: &Tx<'_, A>, campaign: &Campaign) -> Vec<CampaignAction> {
    let mut actions = Vec::new();
    if campaign.state == CampaignState::Preparing && tx.may::<CampaignUpdate>(&campaign.unit_path) {
        actions.push(CampaignAction::Update);
    }
    if tx.may::<LeadingGroupSet>(&campaign.unit_path) {
        actions.push(CampaignAction::SetLeadingGroup);
    }
    actions
}

/// The leading group of a campaign that the caller may read.
///
/// # Errors
/// `not_found`.
pub fn leading_group(tx: &mut Tx<'_, CampaignRead>, id: CampaignId) -> Result<LeadingGroup> {
    find(tx, id)?;
    store::group(tx, id)
}

/// The leading group of something visible.
///
/// # Errors
/// When the database fails.
pub fn group_of<A: Action>(tx: &mut Tx<'_, A>, id: CampaignId) -> Result<LeadingGroup> {
    store::group(tx, id)
}

/// Sets head, office and members. People come and go while a campaign runs: its state does not
/// matter.
///
/// # Errors
/// `not_found`, `precondition_failed`, `invalid_body` for accounts and units that are not the
/// caller's to name.
pub fn set_leading_group(
    tx: &mut Tx<'_, LeadingGroupSet>,
    id: CampaignId,
    content: &LeadingGroupDraft,
) -> Result<LeadingGroup> {
    for_change(tx, id)?;
    let group = store::group(tx, id)?;
    tx.check_version(group.version)?;
    let people: Vec<UserId> =
        content.members.iter().map(|member| member.user_id).chain(content.head_user_id).collect();
    let known = holders::readable(tx, &people)?;
    let is_known = |id: UserId| known.iter().any(|named| named.id == id);
    let mut errors = Vec::new();
    if content.head_user_id.is_some_and(|id| !is_known(id)) {
        errors.push(unknown("/head_user_id"));
    }
    if let Some(office) = content.office_unit_id
        && org::readable(tx, office)?.is_none()
    {
        errors.push(unknown("/office_unit_id"));
    }
    for (at, member) in content.members.iter().enumerate() {
        if !is_known(member.user_id) {
            errors.push(unknown(format!("/members/{at}/user_id")));
        }
    }
    if !errors.is_empty() {
        return Err(AppError::fields(Code::InvalidBody, errors));
    }
    if group.content == *content {
        tx.nothing_changed();
        return Ok(group);
    }
    store::set_group(tx, id, content)?;
    let (before, after) = (json!(group.content), json!(content));
    let entity_id = id.to_string();
    tx.record(&Change {
        entity: "leading_group",
        entity_id: &entity_id,
        before: Some(&before),
        after: Some(&after),
        reason: None,
    })?;
    store::group(tx, id)
}

/// What publishing the plan of the campaign's own unit does to the campaign.
///
/// # Errors
/// When the database fails.
pub fn launch(tx: &mut Tx<'_, PlanPublish>, id: CampaignId) -> Result<()> {
    tx.effect::<CampaignLaunch, ()>(|tx: &mut EffectTx<'_, CampaignLaunch>| {
        if store::launch(tx, id)? {
            let (before, after) = (json!({ "state": "preparing" }), json!({ "state": "launched" }));
            let entity_id = id.to_string();
            tx.record(&Change {
                entity: "campaign",
                entity_id: &entity_id,
                before: Some(&before),
                after: Some(&after),
                reason: None,
            })?;
        }
        Ok(())
    })
}
