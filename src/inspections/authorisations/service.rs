//! Use cases on standing authorisations.

use serde_json::{Value, json};

use super::rules::{
    Asking, Authorisation, AuthorisationAction, AuthorisationContent, AuthorisationId, AuthorisationState,
};
use super::store;
pub use super::store::AuthorisationFilter;
use crate::access::policy::{
    Action, AuthorisationApprove, AuthorisationPropose, AuthorisationRead, AuthorisationReject,
    AuthorisationReplaceCommander, AuthorisationRevoke, AuthorisationUpdate, WorkFollow,
};
use crate::access::{EffectTx, Reach, Rights, Role, Tx, UserId, holders};
use crate::audit::Change;
use crate::campaigns::handover::service::moved;
use crate::errors::{AppError, Code, FieldError, Result, deactivated, text, unknown};
use crate::org::rules::{Unit, UnitId, UnitStatus};
use crate::org::service as units;
use crate::web::{MadeSort, Page, Paging};

/// Who may be in a team: holders of one of these roles.
const CHECKERS: &[Role] = &[Role::Inspector, Role::SpecialSupervisor];

/// Who may command: those whose roles let them confirm what is recorded.
const COMMANDERS: &[Role] = &[Role::GroupHead, Role::GroupOffice, Role::Inspector, Role::Discipline];

/// Authorisations within reach, and those the caller checks or commands under.
///
/// # Errors
/// `invalid_cursor`.
pub fn list(
    tx: &mut Tx<'_, AuthorisationRead>,
    filter: &AuthorisationFilter,
    sort: MadeSort,
    paging: &Paging,
) -> Result<Page<Authorisation>> {
    store::list(tx, filter, sort, paging)
}

/// One authorisation.
///
/// # Errors
/// `not_found`.
pub fn find(tx: &mut Tx<'_, AuthorisationRead>, id: AuthorisationId) -> Result<Authorisation> {
    let reach = tx.reach().clone();
    store::find(tx, &reach, id)?.ok_or_else(|| AppError::new(Code::NotFound))
}

/// The authorisation, if the caller is in its team.
///
/// # Errors
/// When the database fails.
pub fn of_team<A: Action>(tx: &mut Tx<'_, A>, id: AuthorisationId) -> Result<Option<Authorisation>> {
    let user = tx.user()?;
    // Nobody revokes it while something is entered under it.
    store::share(tx, id)?;
    let own = Reach { assigned: true, ..Reach::default() };
    let found = store::find(tx, &own, id)?;
    Ok(found.filter(|one| one.content.team_user_ids.contains(&user)))
}

/// Those of the accounts that may still check: active, inspectors or special supervisors.
///
/// # Errors
/// When the database fails.
pub fn able<A: Action>(tx: &mut Tx<'_, A>, team: &[UserId]) -> Result<Vec<UserId>> {
    holders::holding_any(tx, CHECKERS, team)
}

/// Those under which the caller may inspect today or later.
///
/// # Errors
/// When the database fails.
pub fn of_inspector<A: Action>(tx: &mut Tx<'_, A>) -> Result<Vec<Authorisation>> {
    let (user, today) = (tx.user()?, tx.now().shanghai_day());
    store::of_inspector(tx, user, today)
}

/// Those of the accounts that may be named in an authorisation now, to check under it or to command.
///
/// # Errors
/// When the database fails.
pub fn nameable<A: Action>(tx: &mut Tx<'_, A>, people: &[UserId]) -> Result<Vec<UserId>> {
    let roles: Vec<Role> = CHECKERS.iter().chain(COMMANDERS).copied().collect();
    holders::holding_any(tx, &roles, people)
}

/// What the caller may do with authorisations: asked once a request, not once a row.
#[must_use]
pub fn rights<A: Action>(tx: &Tx<'_, A>) -> Rights<AuthorisationAction> {
    Rights::new([
        (AuthorisationAction::Update, tx.reach_of::<AuthorisationUpdate>()),
        (AuthorisationAction::Approve, tx.reach_of::<AuthorisationApprove>()),
        (AuthorisationAction::Reject, tx.reach_of::<AuthorisationReject>()),
        (AuthorisationAction::Revoke, tx.reach_of::<AuthorisationRevoke>()),
        (AuthorisationAction::ReplaceCommander, tx.reach_of::<AuthorisationReplaceCommander>()),
    ])
}

/// Commanders of those among these that were approved who can act no more: what they are to confirm, they cannot.
///
/// # Errors
/// When the database fails.
pub fn gone<A: Action>(tx: &mut Tx<'_, A>, found: &[Authorisation]) -> Result<Vec<UserId>> {
    let approved = found.iter().filter(|one| one.was_approved());
    absent(tx, approved.map(|one| one.content.commander_user_id).collect())
}

/// Those of these commanders who can act no more: their account is not active, or they hold none of the roles that command.
///
/// # Errors
/// When the database fails.
pub fn absent<A: Action>(tx: &mut Tx<'_, A>, mut commanders: Vec<UserId>) -> Result<Vec<UserId>> {
    if commanders.is_empty() {
        return Ok(commanders);
    }
    commanders.sort_unstable();
    commanders.dedup();
    let present = holders::holding_any(tx, COMMANDERS, &commanders)?;
    commanders.retain(|one| !present.contains(one));
    Ok(commanders)
}

/// What they allow with this one now, where these commanders are gone.
///
/// # Errors
/// For whoever has no account, which nobody who asks is.
pub fn allowed<A: Action>(
    tx: &Tx<'_, A>,
    (rights, gone): (&Rights<AuthorisationAction>, &[UserId]),
    one: &Authorisation,
) -> Result<Vec<AuthorisationAction>> {
    let asking = asking(tx, one, gone)?;
    Ok(rights.at(&one.unit_path).filter(|action| one.allows(*action, asking)).collect())
}

fn asking<A: Action>(tx: &Tx<'_, A>, one: &Authorisation, gone: &[UserId]) -> Result<Asking> {
    let commander_is_gone = gone.contains(&one.content.commander_user_id);
    Ok(Asking { by: tx.user()?, today: tx.now().shanghai_day(), commander_is_gone })
}

/// An authorisation to propose.
#[derive(Debug, Clone)]
pub struct NewAuthorisation {
    /// The id the client chose.
    pub id: Option<AuthorisationId>,
    /// Under whose name.
    pub unit_id: UnitId,
    /// What it says.
    pub content: AuthorisationContent,
}

/// Proposes an authorisation; whether it was here already.
///
/// # Errors
/// `id_taken`; `invalid_body` for units and accounts that are not the caller's to name, or cannot be what they are named.
pub fn propose(
    tx: &mut Tx<'_, AuthorisationPropose>,
    new: &NewAuthorisation,
) -> Result<(Authorisation, bool)> {
    if let Some(id) = new.id
        && store::is_taken(tx, id)?
    {
        let mine = tx.reach().clone();
        let there = store::find(tx, &mine, id)?;
        tx.nothing_changed();
        return match there {
            Some(there) if there.unit_id == new.unit_id && there.content == new.content => Ok((there, true)),
            _ => Err(AppError::new(Code::IdTaken)),
        };
    }
    // Nothing is here yet: an If-Match that names a version of it is stale.
    tx.check_version(0)?;
    let unit = units::placed(tx, new.unit_id)?;
    let area_paths = judge(tx, &unit.path, &new.content, None)?;
    let made = Authorisation {
        id: new.id.unwrap_or_else(AuthorisationId::generate),
        unit_id: unit.id,
        unit_path: unit.path,
        content: new.content.clone(),
        area_paths,
        state: AuthorisationState::Proposed,
        authors: vec![tx.user()?],
        approved_at: None,
        decided_by: None,
        decided_at: None,
        comment: None,
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    store::insert(tx, &made)?;
    record(tx, None, &made, None)?;
    Ok((made, false))
}

/// What is wrong with what it says, but for whom and what it named before; the paths of its area.
fn judge<A: Action>(
    tx: &mut Tx<'_, A>,
    unit_path: &str,
    content: &AuthorisationContent,
    before: Option<&Authorisation>,
) -> Result<Vec<String>> {
    let mut errors = Vec::new();
    if content.valid_until_on < tx.now().shanghai_day() {
        let detail = text!("末日已过", "The last day is past");
        errors.push(FieldError::body("/valid_until_on", Code::InThePast, detail));
    }
    let mut paths = Vec::with_capacity(content.area_unit_ids.len());
    let reached = units::reached_many(tx, &content.area_unit_ids)?;
    for (at, id) in content.area_unit_ids.iter().enumerate() {
        let pointer = format!("/area_unit_ids/{at}");
        let named = before.and_then(|one| {
            let at = one.content.area_unit_ids.iter().position(|named| named == id)?;
            one.area_paths.get(at)
        });
        if let Some(path) = named {
            paths.push(path.clone());
            continue;
        }
        match reached.iter().find(|unit| unit.id == *id && unit.path.starts_with(unit_path)) {
            None => errors.push(unknown(pointer)),
            Some(unit) if unit.status == UnitStatus::Deactivated => errors.push(deactivated(pointer)),
            Some(unit) => paths.push(unit.path.clone()),
        }
    }
    judge_people(tx, content, before.map(|one| &one.content), &mut errors)?;
    if errors.is_empty() { Ok(paths) } else { Err(AppError::fields(Code::InvalidBody, errors)) }
}

fn judge_people<A: Action>(
    tx: &mut Tx<'_, A>,
    content: &AuthorisationContent,
    before: Option<&AuthorisationContent>,
    errors: &mut Vec<FieldError>,
) -> Result<()> {
    let (team, commander) = (&content.team_user_ids, content.commander_user_id);
    let mut people = team.clone();
    people.push(commander);
    let known: Vec<UserId> = holders::working_within(tx, &people)?;
    let checkers = holders::holding_any(tx, CHECKERS, team)?;
    for (at, id) in team.iter().enumerate() {
        if before.is_some_and(|one| one.team_user_ids.contains(id)) {
            continue;
        }
        let pointer = format!("/team_user_ids/{at}");
        if !known.contains(id) {
            errors.push(unknown(pointer));
        } else if !checkers.contains(id) {
            let detail = text!("须为督察或特邀监督员", "It must be an inspector or a special supervisor");
            errors.push(FieldError::body(pointer, Code::WrongKind, detail));
        }
    }
    if before.is_some_and(|one| one.commander_user_id == commander) {
        return Ok(());
    }
    judge_commander(tx, (commander, known.contains(&commander)), "/commander_user_id", errors)
}

/// What is wrong with somebody who is to command, and may be named or not.
pub(super) fn judge_commander<A: Action>(
    tx: &mut Tx<'_, A>,
    (commander, is_known): (UserId, bool),
    pointer: &str,
    errors: &mut Vec<FieldError>,
) -> Result<()> {
    if !is_known {
        errors.push(unknown(pointer));
    } else if holders::holding_any(tx, COMMANDERS, &[commander])?.is_empty() {
        let detail = text!(
            "须为组长、办公室、督察或纪检部门的人",
            "It must be somebody of the leading group's head or office, of the inspectors or of discipline"
        );
        errors.push(FieldError::body(pointer, Code::WrongKind, detail));
    }
    Ok(())
}

pub(super) fn for_change<A: Action>(tx: &mut Tx<'_, A>, id: AuthorisationId) -> Result<Authorisation> {
    store::lock(tx, id)?;
    // Whoever is only in the team changes nothing.
    let reach = Reach { assigned: false, ..tx.reach().clone() };
    let found = store::find(tx, &reach, id)?.ok_or_else(|| AppError::new(Code::NotFound))?;
    tx.check_version(found.version)?;
    Ok(found)
}

pub(super) fn may<A: Action>(
    tx: &mut Tx<'_, A>,
    one: &Authorisation,
    action: AuthorisationAction,
) -> Result<()> {
    let gone = gone(tx, std::slice::from_ref(one))?;
    one.judge(action, asking(tx, one, &gone)?)
}

/// Writes at an authorisation that has not been decided on: whoever does is one of its authors.
///
/// # Errors
/// `not_found`, `precondition_failed`, `authorisation_decided`, `invalid_body`.
pub fn update(
    tx: &mut Tx<'_, AuthorisationUpdate>,
    id: AuthorisationId,
    change: impl FnOnce(&AuthorisationContent) -> Result<AuthorisationContent>,
) -> Result<Authorisation> {
    let before = for_change(tx, id)?;
    may(tx, &before, AuthorisationAction::Update)?;
    let content = change(&before.content)?;
    if content == before.content {
        tx.nothing_changed();
        return Ok(before);
    }
    let area_paths = judge(tx, &before.unit_path, &content, Some(&before))?;
    let (mut authors, user) = (before.authors.clone(), tx.user()?);
    if !authors.contains(&user) {
        authors.push(user);
    }
    settle(tx, &before, Authorisation { content, area_paths, authors, ..before.clone() }, None)
}

fn decided<A: Action>(
    tx: &mut Tx<'_, A>,
    (before, after): (&Authorisation, Authorisation),
    state: AuthorisationState,
    comment: Option<&str>,
) -> Result<Authorisation> {
    let (by, at) = (tx.user()?, tx.now());
    let after = Authorisation {
        state,
        decided_by: Some(by),
        decided_at: Some(at),
        comment: comment.map(ToOwned::to_owned),
        ..after
    };
    settle(tx, before, after, comment)
}

/// Approves: from its first day to its last, the team may check.
///
/// # Errors
/// `not_found`, `precondition_failed`, `authorisation_decided`, `authorisation_ended`, `approver_is_author`.
pub fn approve(
    tx: &mut Tx<'_, AuthorisationApprove>,
    id: AuthorisationId,
    comment: Option<&str>,
) -> Result<Authorisation> {
    let before = for_change(tx, id)?;
    may(tx, &before, AuthorisationAction::Approve)?;
    let approved = Authorisation { approved_at: Some(tx.now()), ..before.clone() };
    decided(tx, (&before, approved), AuthorisationState::Approved, comment)
}

/// Rejects what was proposed.
///
/// # Errors
/// `not_found`, `precondition_failed`, `authorisation_decided`, `approver_is_author`.
pub fn reject(
    tx: &mut Tx<'_, AuthorisationReject>,
    id: AuthorisationId,
    reason: &str,
) -> Result<Authorisation> {
    let before = for_change(tx, id)?;
    may(tx, &before, AuthorisationAction::Reject)?;
    decided(tx, (&before, before.clone()), AuthorisationState::Rejected, Some(reason))
}

/// Revokes what was proposed or approved: no check is begun under it any more.
///
/// # Errors
/// `not_found`, `precondition_failed`, `authorisation_ended`.
pub fn revoke(
    tx: &mut Tx<'_, AuthorisationRevoke>,
    id: AuthorisationId,
    reason: &str,
) -> Result<Authorisation> {
    let before = for_change(tx, id)?;
    may(tx, &before, AuthorisationAction::Revoke)?;
    decided(tx, (&before, before.clone()), AuthorisationState::Revoked, Some(reason))
}

pub(super) fn settle<A: Action>(
    tx: &mut Tx<'_, A>,
    before: &Authorisation,
    mut after: Authorisation,
    reason: Option<&str>,
) -> Result<Authorisation> {
    store::save(tx, before, &mut after)?;
    record(tx, Some(before), &after, reason)?;
    Ok(after)
}

fn facts(one: &Authorisation) -> Value {
    json!({
        "unit_id": one.unit_id, "content": one.content, "state": one.state, "authors": one.authors,
        "comment": one.comment,
    })
}

fn record<A: Action>(
    tx: &mut Tx<'_, A>,
    before: Option<&Authorisation>,
    after: &Authorisation,
    reason: Option<&str>,
) -> Result<()> {
    let (before, facts) = (before.map(facts), facts(after));
    tx.record(&Change {
        entity: "authorisation",
        entity_id: &after.id.to_string(),
        before: before.as_ref(),
        after: Some(&facts),
        reason,
    })
}

/// Rewrites the paths of the authorisations and areas of a moved subtree.
///
/// # Errors
/// When the database fails.
pub fn follow(tx: &mut EffectTx<'_, WorkFollow>, from: &str, to: &str) -> Result<()> {
    store::follow(tx, from, to)
}

/// What keeps a unit from ending without a successor: its authorisations that last.
///
/// # Errors
/// When the database fails.
pub fn standing_at(tx: &mut EffectTx<'_, WorkFollow>, unit: UnitId) -> Result<Vec<FieldError>> {
    let told = |(id, title): (AuthorisationId, String)| {
        let detail = text!("检查授权“{title}”尚未终止", "Its authorisation “{title}” has not ended");
        let facts = json!({ "authorisation_id": id, "title": title });
        FieldError { facts: Some(facts), ..FieldError::body("", Code::AuthorisationAtUnit, detail) }
    };
    Ok(store::lasting_at(tx, unit)?.into_iter().map(told).collect())
}

/// Gives the authorisations of a unit that ends to its successor, and its place in areas.
///
/// # Errors
/// When the database fails.
pub fn hand_over(tx: &mut EffectTx<'_, WorkFollow>, from: &Unit, to: &Unit) -> Result<()> {
    for (id, _) in store::lasting_at(tx, from.id)? {
        store::give(tx, id, to)?;
        moved(tx, "authorisation", &id.to_string(), from, to)?;
    }
    for (id, stands) in store::replace_in_areas(tx, from.id, to)? {
        let before = json!({ "area_unit_id": from.id });
        let after = json!({ "area_unit_id": stands.then_some(to.id) });
        let entity_id = id.to_string();
        tx.record(&Change {
            entity: "authorisation",
            entity_id: &entity_id,
            before: Some(&before),
            after: Some(&after),
            reason: None,
        })?;
    }
    Ok(())
}
