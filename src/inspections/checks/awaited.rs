//! Photos that a check names: bound when they are here; awaited, where they may follow, when they are not. What is sent from where
//! there is no signal comes in any order, a record of two hundred answers before a photo of twenty megabytes.

use serde_json::json;

use super::awaited_store as rows;
use super::rules::{Check, CheckAction, CheckId, CheckState, Lost};
use super::{store, transitions};
use crate::access::policy::{Action, CheckGiveUp};
use crate::access::{Tx, UserId};
use crate::audit::Change;
use crate::errors::{AppError, Code, FieldError, Result, unknown};
use crate::inspections::attachments::rules::{Attachment, AttachmentId, ShownIn};
use crate::inspections::attachments::service::{self as attachments, Named};

/// Whether the photos that a body names have to be here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Photos {
    /// All of them.
    AreHere,
    /// Those that are not here are awaited.
    MayFollow,
}

/// Photos that a body names, as they are to be dealt with.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    here: Named,
    awaited: Vec<AttachmentId>,
}

/// Sorts the photos that a body names, and tells which cannot be bound by these people. Another check may await the same: it goes
/// to the one that has waited longest, and the other gives it up.
pub(super) fn sort<A: Action>(
    tx: &mut Tx<'_, A>,
    named: Named,
    by: &[UserId],
    photos: Photos,
    errors: &mut Vec<FieldError>,
) -> Result<Sorted> {
    let mut sorted = Sorted { here: named, awaited: Vec::new() };
    if photos == Photos::MayFollow {
        let ids: Vec<AttachmentId> = sorted.here.iter().map(|(_, id)| *id).collect();
        sorted.awaited = attachments::still_to_come(tx, &ids, by)?;
        sorted.here.retain(|(_, id)| !sorted.awaited.contains(id));
    }
    attachments::judge(tx, &sorted.here, by, errors)?;
    Ok(sorted)
}

/// Binds what is here to a check that has been entered or saved, and has it await the rest.
pub(super) fn settle<A: Action>(
    tx: &mut Tx<'_, A>,
    sorted: &Sorted,
    check: &mut Check,
    shown_in: ShownIn,
) -> Result<()> {
    if !sorted.awaited.is_empty() {
        rows::enter(tx, check.id, &sorted.awaited, shown_in)?;
        check.awaited.extend_from_slice(&sorted.awaited);
        check.awaited.sort_unstable();
    }
    attachments::bind(tx, &sorted.here, check, shown_in)
}

/// Whether a photo that a check awaits is theirs to bring.
fn is_due_from(user: UserId, awaited: &rows::Awaited, check: &Check) -> bool {
    check.kept != CheckState::Voided && (awaited.named_by == user || check.team.contains(&user))
}

/// Whether a check awaits this attachment from the caller: what is asked for is let in, however much else lies about.
///
/// # Errors
/// When the database fails.
pub fn is_asked_for<A: Action>(tx: &mut Tx<'_, A>, id: AttachmentId) -> Result<bool> {
    let user = tx.user()?;
    for awaited in rows::by_whom(tx, id)? {
        let check = store::unseen(tx, awaited.check)?;
        if check.is_some_and(|check| is_due_from(user, &awaited, &check)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Gives up photos that do not come: a phone was lost, a file was refused. The record goes on naming them; that they were given
/// up, by whom and why, is shown beside it.
///
/// # Errors
/// `not_found`, `precondition_failed`, `nothing_awaited`, `check_not_recorded`, `check_ended`, `not_in_team`; `invalid_body` for what
/// is not awaited.
pub fn give_up(
    tx: &mut Tx<'_, CheckGiveUp>,
    id: CheckId,
    given_up: &[AttachmentId],
    reason: &str,
) -> Result<Check> {
    let mut check = transitions::for_change(tx, id, CheckAction::GiveUpAttachments)?;
    let missing = given_up.iter().enumerate().filter(|(_, one)| !check.awaited.contains(one));
    let errors: Vec<FieldError> = missing.map(|(at, _)| unknown(format!("/attachment_ids/{at}"))).collect();
    if !errors.is_empty() {
        return Err(AppError::fields(Code::InvalidBody, errors));
    }
    rows::give_up(tx, id, given_up, reason)?;
    check.awaited.retain(|one| !given_up.contains(one));
    store::save(tx, &mut check)?;
    if !check.is_told() {
        tx.hold_back(id);
    }
    let (entity_id, facts) = (id.to_string(), json!({ "given_up": given_up }));
    let (entity, reason) = ("unannounced_check", Some(reason));
    tx.record(&Change { entity, entity_id: &entity_id, before: None, after: Some(&facts), reason })?;
    Ok(check)
}

/// What of a check that the caller sees was given up.
///
/// # Errors
/// When the database fails.
pub fn lost<A: Action>(tx: &mut Tx<'_, A>, check: &Check) -> Result<Vec<Lost>> {
    rows::lost(tx, check.id)
}

/// Binds an attachment that has just come to the check that awaits it from whoever sent it, if any does, however far that has
/// gone meanwhile: it was named in time. The check is another version then: its commander decides on what it shows now.
///
/// # Errors
/// When the database fails.
pub fn arrived<A: Action>(tx: &mut Tx<'_, A>, one: &Attachment) -> Result<()> {
    for awaited in rows::by_whom(tx, one.id)? {
        store::lock(tx, awaited.check)?;
        let Some(mut check) = store::unseen(tx, awaited.check)? else { continue };
        if !is_due_from(one.uploaded_by, &awaited, &check) {
            continue;
        }
        rows::came(tx, check.id, one.id)?;
        check.awaited.retain(|id| *id != one.id);
        store::save(tx, &mut check)?;
        if !check.is_told() {
            tx.hold_back(check.id);
        }
        let (entity_id, facts) = (check.id.to_string(), json!({ "attachment_id": one.id }));
        let (entity, reason) = ("unannounced_check", None);
        tx.record(&Change { entity, entity_id: &entity_id, before: None, after: Some(&facts), reason })?;
        return attachments::bind(tx, &vec![(String::new(), one.id)], &check, awaited.shown_in);
    }
    Ok(())
}
