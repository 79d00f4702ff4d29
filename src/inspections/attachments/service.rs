//! Use cases on attachments.

use serde_json::{Value, json};

use super::resumable::service as resumable;
use super::rules::{Attachment, AttachmentId, ShownIn};
use super::store;
use crate::access::policy::{Action, AttachmentRead, AttachmentUpload, Background, CheckRead};
use crate::access::{Tx, UserId};
use crate::audit::{self, Change, Told};
use crate::errors::{AppError, Code, FieldError, Result, text, unknown};
use crate::inspections::checks::awaited;
use crate::inspections::checks::rules::{AddendumId, Check, CheckId};
use crate::inspections::checks::service as checks;
use crate::web::{MadeSort, Page, Paging};

/// Attachments that are bound to nothing which an account may have at most.
const MOST_UNBOUND: i64 = 500;

pub(super) fn facts(one: &Attachment) -> Value {
    json!({
        "file_name": one.file_name, "media_type": one.media_type, "bytes": one.bytes, "sha256": one.sha256,
        "capture": one.capture, "uploaded_by": one.uploaded_by, "check_id": one.check_id,
    })
}

/// One attachment.
///
/// # Errors
/// `not_found`.
pub fn find<A: Action>(tx: &mut Tx<'_, A>, id: AttachmentId) -> Result<Attachment> {
    let absent = || AppError::new(Code::NotFound);
    let found = store::any(tx, id)?.ok_or_else(absent)?;
    let is_seen = match found.check_id {
        Some(check) => checks::may_be_known(tx, check)?,
        None => found.uploaded_by == tx.user()?,
    };
    if is_seen { Ok(found) } else { Err(absent()) }
}

/// The caller's own attachments, bound or not as is asked for: of those that are bound, whose checks they may still know of.
///
/// # Errors
/// `invalid_cursor`.
pub fn list(
    tx: &mut Tx<'_, AttachmentRead>,
    bound: Option<bool>,
    sort: MadeSort,
    paging: &Paging,
) -> Result<Page<Attachment>> {
    let reach = tx.reach_of::<CheckRead>().unwrap_or_default();
    store::list(tx, &reach, bound, sort, paging)
}

/// The check whose look is to be noted when this is shown, if any.
///
/// # Errors
/// When the database fails.
pub fn noted(tx: &mut Tx<'_, AttachmentRead>, found: &Attachment) -> Result<Option<CheckId>> {
    found.check_id.map_or(Ok(None), |check| checks::noted(tx, check))
}

/// What is bound to a check that the caller sees.
///
/// # Errors
/// When the database fails.
pub fn of_check<A: Action>(tx: &mut Tx<'_, A>, check: CheckId) -> Result<Vec<Attachment>> {
    store::of_check(tx, check)
}

/// What an addendum shows.
///
/// # Errors
/// When the database fails.
pub fn of_addendum<A: Action>(
    tx: &mut Tx<'_, A>,
    check: CheckId,
    addendum: AddendumId,
) -> Result<Vec<AttachmentId>> {
    let bound = store::of_check(tx, check)?;
    Ok(shown(&bound, ShownIn::Addendum(addendum)))
}

/// Those of a check's attachments that this shows.
#[must_use]
pub fn shown(bound: &[Attachment], shown_in: ShownIn) -> Vec<AttachmentId> {
    bound.iter().filter(|one| one.shown_in == Some(shown_in)).map(|one| one.id).collect()
}

/// Notes that bytes are about to be kept under an upload's id.
///
/// # Errors
/// When the database fails.
pub(super) fn begin(tx: &mut Tx<'_, Background>, upload: &store::Upload) -> Result<()> {
    tx.nothing_changed();
    store::begin(tx, upload)
}

/// Whether the caller may upload one more: what a check of theirs waits for, always.
///
/// # Errors
/// `too_many_unbound`.
pub(super) fn has_room(tx: &mut Tx<'_, AttachmentUpload>, id: AttachmentId) -> Result<()> {
    let user = tx.user()?;
    let begun = store::begun_by(tx, user)? + resumable::unfinished_of(tx, user)?;
    if store::unbound_of(tx, user)? + begun >= MOST_UNBOUND && !awaited::is_asked_for(tx, id)? {
        return Err(AppError::new(Code::TooManyUnbound));
    }
    Ok(())
}

/// The attachment of this id, if it is the caller's own with this content.
///
/// # Errors
/// `id_taken` when it is not.
pub(super) fn same(
    tx: &mut Tx<'_, AttachmentUpload>,
    id: AttachmentId,
    sha256: &str,
) -> Result<Option<Attachment>> {
    let Some(there) = store::any(tx, id)? else { return Ok(None) };
    if there.uploaded_by == tx.user()? && there.sha256 == sha256 {
        return Ok(Some(there));
    }
    Err(AppError::new(Code::IdTaken))
}

/// Enters an attachment whose bytes are kept; whether it was here before.
///
/// # Errors
/// `id_taken`, `too_many_unbound`.
pub(crate) fn create(tx: &mut Tx<'_, AttachmentUpload>, new: &Attachment) -> Result<(Attachment, bool)> {
    if let Some(there) = same(tx, new.id, &new.sha256)? {
        tx.nothing_changed();
        return Ok((there, true));
    }
    tx.check_version(0)?;
    if store::unbound_of(tx, new.uploaded_by)? >= MOST_UNBOUND && !awaited::is_asked_for(tx, new.id)? {
        return Err(AppError::new(Code::TooManyUnbound));
    }
    if !store::finish(tx, new.kept_as)? {
        return Err(AppError::unavailable(1, "the upload was given up while it came to its end"));
    }
    // Whoever names it before it is here has a turn of their own.
    store::wait_for_turns(tx, &[new.id])?;
    store::insert(tx, new)?;
    // Under a name of ours: the id may be anybody's choice.
    tx.hold_back(new.kept_as);
    let (id, after) = (new.id.to_string(), facts(new));
    let change =
        Change { entity: "attachment", entity_id: &id, before: None, after: Some(&after), reason: None };
    tx.record(&change)?;
    awaited::arrived(tx, new)?;
    // As it is now: bound, if a check has waited for it.
    let made = store::any(tx, new.id)?.ok_or_else(|| AppError::internal("what was entered is there"))?;
    Ok((made, false))
}

/// Attachments that a body names, each with where it does.
pub type Named = Vec<(String, AttachmentId)>;

/// Tells which of the attachments that a body names are not there to be bound by these people: absent, of others,
/// bound already, all the same. What a voided check showed may be shown by the one that is entered in its place.
///
/// # Errors
/// When the database fails.
pub fn judge<A: Action>(
    tx: &mut Tx<'_, A>,
    named: &Named,
    by: &[UserId],
    errors: &mut Vec<FieldError>,
) -> Result<()> {
    if named.is_empty() {
        return Ok(());
    }
    let ids: Vec<AttachmentId> = named.iter().map(|(_, id)| *id).collect();
    let user = tx.user()?;
    let found = store::of_ids(tx, &ids)?;
    let voided = voided_of(tx, &found)?;
    for (pointer, id) in named {
        let one = found.iter().find(|one| one.id == *id);
        let is_there = one.is_some_and(|one| {
            let is_theirs = one.uploaded_by == user || by.contains(&one.uploaded_by);
            is_theirs && one.check_id.is_none_or(|check| voided.contains(&check))
        });
        if !is_there {
            errors.push(unknown(pointer.clone()));
        }
    }
    Ok(())
}

/// Those of these attachments that have not come from any of these people or the caller: nobody's, or others' (which is the same to
/// whoever names them). None of them comes before the transaction ends.
///
/// # Errors
/// When the database fails.
pub fn still_to_come<A: Action>(
    tx: &mut Tx<'_, A>,
    ids: &[AttachmentId],
    by: &[UserId],
) -> Result<Vec<AttachmentId>> {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    store::wait_for_turns(tx, &ids)?;
    let user = tx.user()?;
    let found = store::of_ids(tx, &ids)?;
    let is_theirs = |one: &Attachment| one.uploaded_by == user || by.contains(&one.uploaded_by);
    ids.retain(|id| !found.iter().any(|one| one.id == *id && is_theirs(one)));
    Ok(ids)
}

/// The checks among those that these are bound to which have been voided.
fn voided_of<A: Action>(tx: &mut Tx<'_, A>, found: &[Attachment]) -> Result<Vec<CheckId>> {
    let bound: Vec<CheckId> = found.iter().filter_map(|one| one.check_id).collect();
    if bound.is_empty() { Ok(bound) } else { checks::voided(tx, &bound) }
}

/// Tells of more attachments than one thing may have.
pub fn refuse_too_many(named: &Named, most: usize, pointer: &str, errors: &mut Vec<FieldError>) {
    let mut ids: Vec<AttachmentId> = named.iter().map(|(_, id)| *id).collect();
    ids.sort_unstable();
    ids.dedup();
    if ids.len() > most {
        let detail = text!("附件至多 {most} 个", "There may be {most} attachments");
        errors.push(FieldError::body(pointer, Code::TooMany, detail));
    }
}

/// Binds attachments to a check. What the log has held back of them is told when others may know of the check, and
/// is held back with the check's own rows until then.
///
/// # Errors
/// `concurrent_change` when another has bound one meanwhile, or whoever uploaded it has taken it back.
pub fn bind<A: Action>(tx: &mut Tx<'_, A>, named: &Named, check: &Check, shown_in: ShownIn) -> Result<()> {
    let mut ids: Vec<AttachmentId> = named.iter().map(|(_, id)| *id).collect();
    ids.sort_unstable();
    ids.dedup();
    let found = store::of_ids(tx, &ids)?;
    if found.len() != ids.len() {
        // Whoever uploaded one has taken it back since it was looked at.
        return Err(AppError::new(Code::ConcurrentChange).retry_after(1));
    }
    let new: Vec<Attachment> = found.into_iter().filter(|one| one.check_id != Some(check.id)).collect();
    let voided = voided_of(tx, &new)?;
    if new.is_empty() {
        return Ok(());
    }
    let ids: Vec<AttachmentId> = new.iter().map(|one| one.id).collect();
    if store::bind(tx, &ids, &voided, (check.id, shown_in))? != new.len() {
        return Err(AppError::new(Code::ConcurrentChange).retry_after(1));
    }
    let told = new.iter().map(|one| {
        let after = facts(&Attachment { check_id: Some(check.id), ..one.clone() });
        Told { id: one.id.to_string(), before: Some(facts(one)), after: Some(after), reason: None }
    });
    tx.record_many("attachment", told.collect::<Vec<_>>())?;
    for one in &new {
        if check.is_told() {
            audit::service::tell_held(tx, one.kept_as)?;
        } else {
            audit::service::hand_held(tx, one.kept_as, check.id)?;
        }
    }
    Ok(())
}
