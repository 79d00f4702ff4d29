//! Use cases on officers.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde_json::json;

use super::person::Person;
use super::rules::{Officer, OfficerAction, OfficerDraft, OfficerId, OfficerKind, OfficerStatus, PoliceRank};
pub use super::store::{OfficerFilter, OfficerSort};
use super::{batch_store, store};
use crate::access::accounts::handover::service as handover;
use crate::access::accounts::service as accounts;
use crate::access::policy::{
    AccountOfOfficer, Action, CommandLine, ConflictsOfOfficer, OfficerCreate, OfficerErase, OfficerLeave,
    OfficerRead, OfficerReveal, OfficerUpdate, PersonsFollow, PostAppoint, SessionsEnd,
};
use crate::access::{Reach, Rights, Tx};
use crate::audit::{Change, Told};
use crate::campaigns::handover::service as work;
use crate::errors::{AppError, Code, FieldError, Result, text};
use crate::inspections::handover as inspections;
use crate::org::posts::rules::{PostDraft, PostKind};
use crate::org::posts::service as posts;
use crate::org::rules::{Unit, UnitId};
use crate::org::service as units;
use crate::org::stand_ins::service as stand_ins;
use crate::web::{Page, Paging};

/// Officers within reach.
///
/// # Errors
/// `invalid_cursor`.
pub fn officers(
    tx: &mut Tx<'_, OfficerRead>,
    filter: &OfficerFilter,
    sort: OfficerSort,
    paging: &Paging,
) -> Result<Page<Officer>> {
    store::list(tx, filter, sort, paging)
}

/// An officer within the reach of this action.
///
/// # Errors
/// `not_found`.
pub fn within<A: Action>(tx: &mut Tx<'_, A>, id: OfficerId) -> Result<Officer> {
    let reach = tx.reach().clone();
    store::find(tx, &reach, id)?.ok_or_else(|| AppError::new(Code::NotFound))
}

/// An officer that a body refers to: one the caller may read.
///
/// # Errors
/// When the database fails; a foreign or unknown one is `None`.
pub fn readable<A: Action>(tx: &mut Tx<'_, A>, id: OfficerId) -> Result<Option<Officer>> {
    match tx.reach_of::<OfficerRead>() {
        Some(reach) => store::find(tx, &reach, id),
        None => Ok(None),
    }
}

/// Those of the officers that the caller may read.
///
/// # Errors
/// When the database fails.
pub fn readable_many<A: Action>(
    tx: &mut Tx<'_, A>,
    ids: &[OfficerId],
) -> Result<HashMap<OfficerId, Officer>> {
    let found = match tx.reach_of::<OfficerRead>() {
        Some(reach) if !ids.is_empty() => store::find_many(tx, &reach, ids)?,
        _ => Vec::new(),
    };
    Ok(found.into_iter().map(|officer| (officer.id, officer)).collect())
}

/// Officers that something visible refers to: their names may be shown with it.
///
/// # Errors
/// When the database fails.
pub fn referred<A: Action>(tx: &mut Tx<'_, A>, ids: &[OfficerId]) -> Result<Vec<Officer>> {
    if ids.is_empty() { Ok(Vec::new()) } else { store::find_many(tx, &Reach::whole_tenant(), ids) }
}

/// The officers with these numbers, whatever the reach, which whoever asks must look at.
///
/// # Errors
/// When the database fails.
pub fn numbered<A: Action>(tx: &mut Tx<'_, A>, numbers: &[&str]) -> Result<HashMap<String, Officer>> {
    store::by_numbers(tx, numbers)
}

/// Holds an officer's row until the transaction ends.
///
/// # Errors
/// When the database fails.
pub fn lock<A: Action>(tx: &mut Tx<'_, A>, id: OfficerId) -> Result<()> {
    store::lock(tx, id)
}

/// Holds the rows of officers until the transaction ends: before whatever they carry.
///
/// # Errors
/// When the database fails.
pub fn lock_many<A: Action>(tx: &mut Tx<'_, A>, ids: &[OfficerId]) -> Result<()> {
    if ids.is_empty() { Ok(()) } else { store::lock_many(tx, ids) }
}

/// The officer whose account it is that acts.
///
/// # Errors
/// When the database fails.
pub fn of_caller<A: Action>(tx: &mut Tx<'_, A>) -> Result<Option<OfficerId>> {
    let user = tx.user()?;
    store::of_user(tx, user)
}

/// What the caller may do with officers: asked once a request, not once a row.
#[must_use]
pub fn rights<A: Action>(tx: &Tx<'_, A>) -> Rights<OfficerAction> {
    Rights::new([
        (OfficerAction::Update, tx.reach_of::<OfficerUpdate>()),
        (OfficerAction::Appoint, tx.reach_of::<PostAppoint>()),
        (OfficerAction::Leave, tx.reach_of::<OfficerLeave>()),
        (OfficerAction::Reveal, tx.reach_of::<OfficerReveal>()),
        (OfficerAction::Erase, tx.reach_of::<OfficerErase>()),
    ])
}

/// What they allow with this officer now.
#[must_use]
pub fn allowed(rights: &Rights<OfficerAction>, officer: &Officer) -> Vec<OfficerAction> {
    rights.at(&officer.unit_path).filter(|&action| officer.allows(action)).collect()
}

pub(super) fn record<A: Action>(
    tx: &mut Tx<'_, A>,
    before: Option<&Officer>,
    after: &Officer,
    reason: Option<&str>,
) -> Result<()> {
    tx.record(&Officer::told(before, after, reason).change("officer"))
}

/// Enters an officer; whether it was here already.
///
/// # Errors
/// `id_taken`, `officer_number_taken`, `id_card_taken`, `invalid_body` at `/unit_id`.
pub fn create(
    tx: &mut Tx<'_, OfficerCreate>,
    id: Option<OfficerId>,
    draft: &OfficerDraft,
) -> Result<(Officer, bool)> {
    if let Some(id) = id
        && let Some(there) = store::find(tx, &Reach::whole_tenant(), id)?
    {
        if there.draft() != *draft || !tx.reach().contains(&there.unit_path) {
            return Err(AppError::new(Code::IdTaken));
        }
        tx.check_version(there.version)?;
        tx.nothing_changed();
        return Ok((there, true));
    }
    // Nothing is here yet: an If-Match that names a version of it is stale.
    tx.check_version(0)?;
    let unit = units::placed(tx, draft.unit_id)?;
    let id = id.unwrap_or_else(OfficerId::generate);
    refuse_taken(tx, id, draft)?;
    let officer = Officer::new(id, draft, &unit, tx.now())?;
    store::insert(tx, std::slice::from_ref(&officer), None)?;
    record(tx, None, &officer, None)?;
    Ok((officer, false))
}

fn refuse_taken<A: Action>(tx: &mut Tx<'_, A>, id: OfficerId, draft: &OfficerDraft) -> Result<()> {
    let taken = store::taken(tx, id, &draft.number, draft.id_card.as_deref())?;
    if taken.number {
        return Err(AppError::new(Code::OfficerNumberTaken));
    }
    if taken.id_card {
        return Err(AppError::new(Code::IdCardTaken));
    }
    Ok(())
}

/// Changes an officer as `merge` says.
///
/// # Errors
/// `not_found`, `precondition_failed`, `officer_left`, `officer_number_taken`, `id_card_taken`,
/// `auxiliary_cannot_lead`, `invalid_body`.
pub fn update(
    tx: &mut Tx<'_, OfficerUpdate>,
    id: OfficerId,
    merge: impl FnOnce(&OfficerDraft) -> Result<OfficerDraft>,
) -> Result<Officer> {
    store::lock(tx, id)?;
    let before = within(tx, id)?;
    tx.check_version(before.version)?;
    if !before.allows(OfficerAction::Update) {
        return Err(AppError::new(Code::OfficerLeft));
    }
    let draft = merge(&before.draft())?;
    if draft == before.draft() {
        tx.nothing_changed();
        return Ok(before);
    }
    let unit = units::placed(tx, draft.unit_id)?;
    refuse_taken(tx, id, &draft)?;
    if draft.kind == OfficerKind::Auxiliary && posts::leads(tx, id)? {
        return Err(AppError::new(Code::AuxiliaryCannotLead));
    }
    let mut officer = before.with(draft, &unit);
    store::save(tx, &mut officer)?;
    if officer.unit_id != before.unit_id {
        tx.effect::<PersonsFollow, _>(|tx| work::officers_gone(tx, &[id]))?;
    }
    record(tx, Some(&before), &officer, None)?;
    Ok(officer)
}

/// Ends an officer's service with a day: the posts end, the account is disabled at once, what was carried
/// is carried no more.
///
/// # Errors
/// `not_found`, `precondition_failed`, `officer_left`, `change_own_account`, `account_out_of_hands`,
/// `invalid_body` at `/left_on`.
pub fn leave(
    tx: &mut Tx<'_, OfficerLeave>,
    id: OfficerId,
    left_on: Option<NaiveDate>,
    reason: &str,
) -> Result<Officer> {
    store::lock(tx, id)?;
    let before = within(tx, id)?;
    tx.check_version(before.version)?;
    if !before.allows(OfficerAction::Leave) {
        return Err(AppError::new(Code::OfficerLeft));
    }
    let today = tx.now().shanghai_day();
    let day = left_on.unwrap_or(today);
    if day > today {
        let detail = text!("不得晚于今日 ({today})", "It may not be after today ({today})");
        let error = FieldError::body("/left_on", Code::InTheFuture, detail);
        return Err(AppError::fields(Code::InvalidBody, vec![error]));
    }
    // Leaving shuts the account out: it must be one that is theirs to shut out.
    if let Some(user) = accounts::of_officer(tx, id)? {
        accounts::refuse_own(tx, user)?;
        accounts::refuse_stronger(tx, &[user])?;
    }
    posts::end_all(tx, id, day, reason)?;
    stand_ins::end_of_officer(tx, id, reason)?;
    if let Some(user) = tx.effect::<AccountOfOfficer, _>(|tx| handover::officer_left(tx, id))? {
        tx.effect::<SessionsEnd, _>(|tx| handover::end_sessions(tx, user))?;
    }
    let mut officer = before.clone();
    officer.status = OfficerStatus::Left;
    officer.left_on = Some(day);
    store::save(tx, &mut officer)?;
    tx.effect::<PersonsFollow, _>(|tx| work::officers_gone(tx, &[id]))?;
    record(tx, Some(&before), &officer, Some(reason))?;
    Ok(officer)
}

/// The numbers of an officer as they are, for somebody who says why: every such reading is in the
/// audit log.
///
/// # Errors
/// `not_found`, `person_erased`.
pub fn reveal(tx: &mut Tx<'_, OfficerReveal>, id: OfficerId, reason: &str) -> Result<Officer> {
    let officer = within(tx, id)?;
    tx.check_version(officer.version)?;
    if !officer.allows(OfficerAction::Reveal) {
        return Err(AppError::new(Code::PersonErased));
    }
    let entity_id = id.to_string();
    let facts = json!({ "revealed": ["id_card", "phone"] });
    tx.record(&Change {
        entity: "officer_person",
        entity_id: &entity_id,
        before: None,
        after: Some(&facts),
        reason: Some(reason),
    })?;
    Ok(officer)
}

/// Takes away for ever what is personal of somebody who has left; what they did stays under the
/// number.
///
/// # Errors
/// `not_found`, `precondition_failed`, `officer_serving`, `person_erased`.
pub fn erase(tx: &mut Tx<'_, OfficerErase>, id: OfficerId, reason: &str) -> Result<Officer> {
    store::lock(tx, id)?;
    let before = within(tx, id)?;
    tx.check_version(before.version)?;
    if before.status == OfficerStatus::Serving {
        return Err(AppError::new(Code::OfficerServing));
    }
    if !before.allows(OfficerAction::Erase) {
        return Err(AppError::new(Code::PersonErased));
    }
    let mut officer = before.clone();
    officer.person = Person::erased();
    store::save(tx, &mut officer)?;
    tx.effect::<AccountOfOfficer, _>(|tx| handover::person_erased(tx, id))?;
    tx.forget_answers(id)?;
    if let Some(user) = accounts::of_officer(tx, id)? {
        tx.effect::<ConflictsOfOfficer, _>(|tx| inspections::person_erased(tx, user))?;
        tx.forget_answers(user)?;
    }
    record(tx, Some(&before), &officer, Some(reason))?;
    Ok(officer)
}

/// A unit does not end while an import enters officers there: what nobody sees yet cannot be told of.
fn refuse_beside_import<A: Action>(tx: &mut Tx<'_, A>, unit: UnitId) -> Result<()> {
    if batch_store::any_unseen_at(tx, unit)? { Err(AppError::new(Code::ImportUnderWay)) } else { Ok(()) }
}

/// What keeps a unit from ending without a successor: its officers.
///
/// # Errors
/// When the database fails.
pub(in crate::org) fn standing_at<A: Action>(tx: &mut Tx<'_, A>, unit: UnitId) -> Result<Vec<FieldError>> {
    refuse_beside_import(tx, unit)?;
    let serving = store::serving_at(tx, unit)?;
    Ok(serving
        .into_iter()
        .map(|(id, number)| {
            let detail = text!("警号 {number} 在该单位", "The officer {number} belongs to it");
            let facts = json!({ "officer_id": id, "number": number });
            FieldError { facts: Some(facts), ..FieldError::body("", Code::OfficerAtUnit, detail) }
        })
        .collect())
}

/// Rewrites the paths of officers in a moved subtree.
///
/// # Errors
/// When the database fails.
pub(in crate::org) fn follow<A: Action>(tx: &mut Tx<'_, A>, from: &str, to: &str) -> Result<()> {
    store::follow(tx, from, to)
}

/// Puts a unit's officers at its successor; their posts go on there, but those of its leaders end.
///
/// # Errors
/// When the database fails.
pub(in crate::org) fn hand_over<A: Action>(
    tx: &mut Tx<'_, A>,
    from: &Unit,
    to: &Unit,
    day: NaiveDate,
    reason: &str,
) -> Result<()> {
    let moved = |id: OfficerId| Told {
        id: id.to_string(),
        before: Some(json!({ "unit_id": from.id })),
        after: Some(json!({ "unit_id": to.id })),
        reason: Some(reason),
    };
    refuse_beside_import(tx, from.id)?;
    let all = store::all_at(tx, from.id)?;
    tx.record_many("officer", all.into_iter().map(moved))?;
    store::put_at(tx, from.id, to)?;
    stand_ins::end_at_unit(tx, from.id, reason)?;
    posts::hand_over(tx, from, to, day, reason)
}

/// Ends the posts and the standing in at a unit that ends with a day and has no successor.
///
/// # Errors
/// When the database fails.
pub(in crate::org) fn end_at<A: Action>(
    tx: &mut Tx<'_, A>,
    unit: UnitId,
    day: NaiveDate,
    reason: &str,
) -> Result<()> {
    stand_ins::end_at_unit(tx, unit, reason)?;
    posts::end_at(tx, unit, day, reason)
}

/// An officer to enter with the post held, as the demo and the tests know them.
#[derive(Debug, Clone)]
pub struct Enlisted {
    /// The police or auxiliary number.
    pub number: String,
    /// The name.
    pub name: String,
    /// What the officer is by law.
    pub kind: OfficerKind,
    /// The police rank.
    pub rank: Option<PoliceRank>,
    /// The telephone number.
    pub phone: Option<String>,
    /// The unit.
    pub unit: Unit,
    /// What post, under which name, since when.
    pub post: (PostKind, String, NaiveDate),
}

impl Enlisted {
    fn draft(&self) -> OfficerDraft {
        OfficerDraft {
            number: self.number.clone(),
            name: self.name.clone(),
            kind: self.kind,
            rank: self.rank,
            unit_id: self.unit.id,
            id_card: None,
            phone: self.phone.clone(),
        }
    }
}

/// Enters officers with their posts, in one go.
///
/// # Errors
/// When a number is there already.
pub fn enlist(tx: &mut Tx<'_, CommandLine>, new: &[Enlisted]) -> Result<Vec<OfficerId>> {
    let mut officers = Vec::with_capacity(new.len());
    let mut held = Vec::with_capacity(new.len());
    for one in new {
        let officer = Officer::new(OfficerId::generate(), &one.draft(), &one.unit, tx.now())?;
        let (kind, title, valid_from_on) = one.post.clone();
        let post = PostDraft {
            unit_id: one.unit.id,
            kind,
            title,
            valid_from_on,
            valid_until_on: None,
            voided: false,
            reason: None,
        };
        held.push((officer.id, post));
        officers.push(officer);
    }
    store::insert(tx, &officers, None)?;
    posts::enter(tx, held)?;
    let facts = json!({ "officers": officers.len() });
    let tenant = tx.tenant().to_string();
    tx.record(&Change {
        entity: "officers",
        entity_id: &tenant,
        before: None,
        after: Some(&facts),
        reason: None,
    })?;
    Ok(officers.into_iter().map(|officer| officer.id).collect())
}
