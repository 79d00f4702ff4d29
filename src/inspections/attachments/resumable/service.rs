//! Use cases on uploads in parts. Each piece is kept in a transaction of its own, in which the upload moves on by as much: what
//! is acknowledged is there, and of two who send the same part at once one is told where the other has come to.

use super::super::rules::{Attachment, AttachmentId};
use super::super::service as attachments;
use super::rules::{Announcement, LIFETIME, Resumable, ResumableId, has_room};
use super::store;
use crate::access::policy::{Action, AttachmentUpload, Background};
use crate::access::{Tx, UserId, holders};
use crate::errors::{AppError, Code, Result};

/// How many uploads somebody has begun in parts that have come to no end.
///
/// # Errors
/// When the database fails.
pub(in crate::inspections::attachments) fn unfinished_of<A: Action>(
    tx: &mut Tx<'_, A>,
    user: UserId,
) -> Result<i64> {
    let unfinished = store::unfinished_of(tx, user)?;
    Ok(i64::try_from(unfinished.len()).unwrap_or(i64::MAX))
}

/// The caller's own upload of this id.
///
/// # Errors
/// `not_found`; `upload_refused` when it has come to nothing.
pub(super) fn find(tx: &mut Tx<'_, AttachmentUpload>, id: ResumableId) -> Result<Resumable> {
    let user = tx.user()?;
    let found = store::find(tx, user, id)?.ok_or_else(|| AppError::new(Code::NotFound))?;
    match &found.refusal {
        None => Ok(found),
        Some(code) => {
            let facts = serde_json::json!({ "code": code });
            Err(AppError::new(Code::UploadRefused).with_facts(facts))
        }
    }
}

/// Begins an upload, or finds the one that was begun with the same announcement; whether there was one.
///
/// # Errors
/// `id_taken` when the id stands for something else; `too_many_unbound`, `too_many_unfinished`.
pub(super) fn begin(tx: &mut Tx<'_, AttachmentUpload>, said: Announcement) -> Result<(Resumable, bool)> {
    // Nobody is to know of it before it is an attachment, whose row of the log then tells.
    tx.nothing_changed();
    let user = tx.user()?;
    let mut there = None;
    if let Some(id) = said.attachment_id {
        if let Some(found) = store::of_attachment(tx, user, id)? {
            if found.expires_at > tx.now() {
                return if found.is_of(&said) {
                    Ok((found, true))
                } else {
                    Err(AppError::new(Code::IdTaken))
                };
            }
            store::remove(tx, found.id)?;
        }
        there = made_before(tx, id, &said)?;
    }
    let is_there = there.is_some();
    if !is_there {
        // Of several begun at once each counts what the others have begun.
        holders::lock(tx, user)?;
        let id = said.attachment_id.unwrap_or_else(AttachmentId::generate);
        attachments::has_room(tx, id)?;
        let unfinished = store::unfinished_of(tx, user)?.into_iter().fold(0_i64, i64::saturating_add);
        has_room(unfinished, said.bytes)?;
    }
    let now = tx.now();
    let new = Resumable {
        id: ResumableId::generate(),
        user_id: user,
        attachment_id: said.attachment_id.unwrap_or_else(AttachmentId::generate),
        file_name: said.file_name,
        sha256: said.sha256,
        bytes: said.bytes,
        // Of what has come in another way before nothing is missing.
        arrived: if is_there { said.bytes } else { 0 },
        finished: is_there,
        refusal: None,
        created_at: now,
        expires_at: now.plus_seconds(LIFETIME),
    };
    store::insert(tx, &new)?;
    Ok((new, false))
}

/// The attachment of this id, if it is the caller's own and what is announced is what it was made of.
fn made_before(
    tx: &mut Tx<'_, AttachmentUpload>,
    id: AttachmentId,
    said: &Announcement,
) -> Result<Option<Attachment>> {
    let there = attachments::same(tx, id, said.sha256.as_deref().unwrap_or_default())?;
    match there {
        Some(there) if there.bytes != said.bytes => Err(AppError::new(Code::IdTaken)),
        there => Ok(there),
    }
}

/// Keeps a piece that begins at this byte.
///
/// # Errors
/// `upload_offset_mismatch` when the upload stands elsewhere by now; `not_found`, `upload_refused`; `body_too_large`.
pub(super) fn keep(
    tx: &mut Tx<'_, AttachmentUpload>,
    id: ResumableId,
    place: i64,
    bytes: &[u8],
) -> Result<()> {
    tx.nothing_changed();
    let found = find(tx, id)?;
    found.holds(place, bytes.len())?;
    let to = place.saturating_add(i64::try_from(bytes.len()).unwrap_or(i64::MAX));
    if !store::advance(tx, (found.user_id, id), place, to)? {
        let now = find(tx, id)?;
        now.goes_on_at(place)?;
        return Err(AppError::new(Code::ConcurrentChange).retry_after(1));
    }
    store::add_piece(tx, id, place, bytes)
}

/// All bytes of an upload that is whole.
///
/// # Errors
/// `concurrent_change` when somebody else has brought it to its end meanwhile.
pub(super) fn bytes(tx: &mut Tx<'_, AttachmentUpload>, upload: &Resumable) -> Result<Vec<u8>> {
    let mut whole = Vec::with_capacity(usize::try_from(upload.bytes).unwrap_or_default());
    for piece in store::pieces(tx, upload.id)? {
        whole.extend_from_slice(&piece);
    }
    if i64::try_from(whole.len()).is_ok_and(|bytes| bytes == upload.bytes) {
        Ok(whole)
    } else {
        Err(AppError::new(Code::ConcurrentChange).retry_after(1))
    }
}

/// Makes the attachment of an upload, once, and takes its pieces away. Who comes second finds it made.
///
/// # Errors
/// `not_found`, `upload_refused` when it has come to another end; those of [`attachments::create`].
pub(super) fn finish(tx: &mut Tx<'_, AttachmentUpload>, id: ResumableId, new: &Attachment) -> Result<()> {
    if !store::settle(tx, id, None)? {
        tx.nothing_changed();
        return find(tx, id).map(drop);
    }
    store::remove_pieces(tx, id)?;
    attachments::create(tx, new).map(drop)
}

/// Notes why an upload that is whole becomes no attachment, and takes its pieces away.
///
/// # Errors
/// When the database fails.
pub(super) fn refuse(tx: &mut Tx<'_, AttachmentUpload>, id: ResumableId, code: Code) -> Result<()> {
    tx.nothing_changed();
    if store::settle(tx, id, Some(code.name()))? {
        store::remove_pieces(tx, id)?;
    }
    Ok(())
}

/// Ends an upload, however it stands; the attachment that it has become stays. Whoever begins it again by the same key begins
/// another: the answer that was kept says where nothing is any more.
///
/// # Errors
/// `not_found`.
pub(super) fn end(tx: &mut Tx<'_, AttachmentUpload>, id: ResumableId) -> Result<()> {
    tx.nothing_changed();
    let user = tx.user()?;
    let found = store::find(tx, user, id)?.ok_or_else(|| AppError::new(Code::NotFound))?;
    store::remove(tx, found.id)?;
    tx.forget_made(&address(found.id))
}

/// Where an upload is, below the base path.
pub(super) fn address(id: ResumableId) -> String {
    format!("/uploads/{id}")
}

/// Takes away the caller's uploads that were to become this attachment, or have: what they say of it is so no more.
///
/// # Errors
/// When the database fails.
pub(in crate::inspections::attachments) fn forget<A: Action>(
    tx: &mut Tx<'_, A>,
    attachment: AttachmentId,
) -> Result<()> {
    let user = tx.user()?;
    while let Some(found) = store::of_attachment(tx, user, attachment)? {
        store::remove(tx, found.id)?;
        tx.forget_made(&address(found.id))?;
    }
    Ok(())
}

/// Takes away uploads whose time is over, some of them; how many those were.
///
/// # Errors
/// When the database fails.
pub(in crate::inspections::attachments) fn drop_expired(tx: &mut Tx<'_, Background>) -> Result<usize> {
    tx.nothing_changed();
    let expired = store::expired(tx)?;
    for id in &expired {
        store::remove(tx, *id)?;
    }
    Ok(expired.len())
}
