//! Attachments that go: those that whoever uploaded them takes back, those that nobody has come back for. What is known of one
//! goes in one transaction with a note of the bytes that it leaves; these go after it, now or later ([`super::leftovers`]).

use super::resumable::service as resumable;
use super::rules::{Attachment, AttachmentId, UploadId, path_of};
use super::service::{facts, find};
use super::{leftovers, removal_store as rows, store};
use crate::access::policy::{Action, AttachmentWithdraw, Background};
use crate::access::{Done, Gate, Tx};
use crate::audit::{self, Change};
use crate::db::Instant;
use crate::errors::{AppError, Code, Result};
use crate::web::NoContent;

/// Takes back an attachment with all that was kept of it.
///
/// # Errors
/// `not_found`, `precondition_failed`, `attachment_bound`.
pub(super) async fn take_back(gate: Gate<AttachmentWithdraw>, id: AttachmentId) -> Result<Done<NoContent>> {
    let tenant = gate.tenant()?;
    let upload = gate.step(move |tx| withdraw(tx, id)).await?;
    // It is noted: what cannot be taken away now is later.
    drop(leftovers::take_away(gate.doors(), tenant, upload).await);
    Done::with(NoContent)
}

/// Takes back an attachment of the caller's that is bound to nothing: a picture that came out wrong, somebody's face. Under which
/// name bytes are left of it. That there was one may tell that a covert check goes on: the rows that the log has of it wait as
/// long as those of one that is left lying.
fn withdraw(tx: &mut Tx<'_, AttachmentWithdraw>, id: AttachmentId) -> Result<UploadId> {
    // First the uploads that bear it, then its turn: as whoever finishes one does.
    resumable::forget(tx, id)?;
    store::wait_for_turns(tx, &[id])?;
    let found = find(tx, id)?;
    tx.check_version(found.version)?;
    tx.hold_back(found.kept_as);
    if found.check_id.is_some() || !drop_one(tx, &found, None)? {
        // Bound, or gone altogether, since it was looked at.
        find(tx, id)?;
        return Err(AppError::new(Code::AttachmentBound));
    }
    rows::note_withdrawn(tx, found.kept_as)?;
    tx.forget_made(&path_of(id))?;
    Ok(found.kept_as)
}

/// Takes an attachment away that is bound to nothing: what it was is logged, and its bytes are left to be taken away. Whether it
/// still was there and unbound.
fn drop_one<A: Action>(tx: &mut Tx<'_, A>, one: &Attachment, reason: Option<&str>) -> Result<bool> {
    if !rows::remove(tx, one.id)? {
        return Ok(false);
    }
    let upload = store::Upload {
        id: one.kept_as,
        user_id: one.uploaded_by,
        given_up: true,
        created_at: one.created_at,
    };
    store::begin(tx, &upload)?;
    let (entity, id, before) = ("attachment", one.id.to_string(), facts(one));
    tx.record(&Change { entity, entity_id: &id, before: Some(&before), after: None, reason })?;
    Ok(true)
}

/// Takes away attachments older than a moment that were never bound, some of them. How many those were.
///
/// # Errors
/// When the database fails.
pub(super) fn drop_forgotten(tx: &mut Tx<'_, Background>, before: Instant) -> Result<usize> {
    // Nothing, where all of them have been bound meanwhile.
    tx.nothing_changed();
    let old = store::forgotten(tx, before)?;
    for one in &old {
        if drop_one(tx, one, Some("never bound to anything"))? {
            audit::service::tell_held(tx, one.kept_as)?;
        }
    }
    Ok(old.len())
}

/// Tells what the log has of attachments that were taken back before a moment, of some of them. Of how many.
///
/// # Errors
/// When the database fails.
pub(super) fn tell_withdrawn(tx: &mut Tx<'_, Background>, before: Instant) -> Result<usize> {
    tx.nothing_changed();
    let some = rows::withdrawn(tx, before)?;
    for kept_as in &some {
        audit::service::tell_held(tx, *kept_as)?;
        rows::forget_withdrawn(tx, *kept_as)?;
    }
    Ok(some.len())
}

/// Uploads that were begun before a moment and never finished, and those that are given up, some of them.
///
/// # Errors
/// When the database fails.
pub(super) fn left(tx: &mut Tx<'_, Background>, before: Instant) -> Result<Vec<UploadId>> {
    rows::left(tx, before)
}

/// Gives up an upload; whether there was one, which no attachment bears.
///
/// # Errors
/// When the database fails.
pub(super) fn give_up(tx: &mut Tx<'_, Background>, upload: UploadId) -> Result<bool> {
    tx.nothing_changed();
    rows::give_up(tx, upload)
}

/// Forgets an upload whose bytes are gone.
///
/// # Errors
/// When the database fails.
pub(super) fn forget(tx: &mut Tx<'_, Background>, upload: UploadId) -> Result<()> {
    tx.nothing_changed();
    rows::forget(tx, upload)
}
