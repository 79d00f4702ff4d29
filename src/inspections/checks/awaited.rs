//! Photos that a check names: bound when they are here; awaited, where they may follow, when they are not. What is sent from where
//! there is no signal comes in any order, a record of two hundred answers before a photo of twenty megabytes.

use serde_json::json;

use super::awaited_store as rows;
use super::rules::{Check, CheckState};
use super::store;
use crate::access::policy::Action;
use crate::access::{Tx, UserId};
use crate::audit::Change;
use crate::errors::{FieldError, Result, unknown};
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

/// Sorts the photos that a body names, and tells which can neither be bound by these people nor awaited.
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
        let taken = rows::awaited_by_any(tx, &sorted.awaited)?;
        let missing = sorted.here.iter().filter(|(_, id)| taken.contains(id));
        errors.extend(missing.map(|(pointer, _)| unknown(pointer.clone())));
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

/// Binds an attachment that has just come to the check that awaits it from whoever sent it, if any does. The check is another
/// version then: its commander decides on what it shows now.
///
/// # Errors
/// When the database fails.
pub fn arrived<A: Action>(tx: &mut Tx<'_, A>, one: &Attachment) -> Result<()> {
    for awaited in rows::by_whom(tx, one.id)? {
        store::lock(tx, awaited.check)?;
        let Some(mut check) = store::unseen(tx, awaited.check)? else { continue };
        let is_theirs = awaited.named_by == one.uploaded_by || check.team.contains(&one.uploaded_by);
        if check.kept == CheckState::Voided || !is_theirs {
            continue;
        }
        rows::came(tx, check.id, one.id)?;
        check.awaited.retain(|id| *id != one.id);
        store::save(tx, &mut check)?;
        if !check.is_public() {
            tx.hold_back(check.id);
        }
        let (entity_id, facts) = (check.id.to_string(), json!({ "attachment_id": one.id }));
        let (entity, reason) = ("unannounced_check", None);
        tx.record(&Change { entity, entity_id: &entity_id, before: None, after: Some(&facts), reason })?;
        return attachments::bind(tx, &vec![(String::new(), one.id)], &check, awaited.shown_in);
    }
    Ok(())
}
