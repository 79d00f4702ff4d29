//! Use cases on posts. What was once believed is never overwritten: a correction adds a revision.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::rules::{Post, PostAction, PostDraft, PostId, PostKind, may_hold_post};
use super::store::{self, Of};
use crate::access::policy::{
    Action, Background, CommandLine, OfficerRead, PostAppoint, PostCorrect, UnitRead,
};
use crate::access::{JobId, Tx};
use crate::audit::Told;
use crate::db::Instant;
use crate::errors::{AppError, Code, FieldError, Result, deactivated, text, unknown};
use crate::org::changes::service as changes;
use crate::org::officers::rules::{Officer, OfficerAction, OfficerId};
use crate::org::officers::service as officers;
use crate::org::rules::{Unit, UnitId};
use crate::org::service as units;
use crate::web::{Page, Paging};

/// The moment up to which something was known by the end of a day.
fn known_before(day: Option<NaiveDate>) -> Option<Instant> {
    day.and_then(|day| day.succ_opt()).map(Instant::start_of_shanghai_day)
}

/// The posts of an officer within reach: as they are believed now, or were known by the end of a day.
///
/// # Errors
/// `not_found`, `invalid_cursor`.
pub fn posts(
    tx: &mut Tx<'_, OfficerRead>,
    officer: OfficerId,
    known_on: Option<NaiveDate>,
    paging: &Paging,
) -> Result<(Officer, Page<Post>)> {
    let officer = officers::within(tx, officer)?;
    let page = store::of_officer(tx, officer.id, known_before(known_on), paging)?;
    Ok((officer, page))
}

/// One post of an officer within reach, as it is believed now.
///
/// # Errors
/// `not_found`.
pub fn post(tx: &mut Tx<'_, OfficerRead>, officer: OfficerId, id: PostId) -> Result<(Officer, Post)> {
    let officer = officers::within(tx, officer)?;
    let post = of(tx, &officer, id)?;
    Ok((officer, post))
}

fn of<A: Action>(tx: &mut Tx<'_, A>, officer: &Officer, id: PostId) -> Result<Post> {
    let post = store::current(tx, id)?.filter(|post| post.officer_id == officer.id);
    post.ok_or_else(|| AppError::new(Code::NotFound))
}

/// What the caller may do with a post: asked once a request.
#[must_use]
pub fn allowed<A: Action>(tx: &Tx<'_, A>, officer: &Officer) -> Vec<PostAction> {
    if tx.may::<PostCorrect>(&officer.unit_path) { vec![PostAction::Correct] } else { Vec::new() }
}

/// Who heads a unit within reach on a day, as it was known by the end of another.
///
/// # Errors
/// `not_found` for the unit.
pub fn head(
    tx: &mut Tx<'_, UnitRead>,
    unit: UnitId,
    on: Option<NaiveDate>,
    known_on: Option<NaiveDate>,
) -> Result<(Unit, NaiveDate, Option<Post>)> {
    let unit = units::unit(tx, unit, None)?;
    let day = on.unwrap_or_else(|| tx.now().shanghai_day());
    let post = store::head_on(tx, unit.id, day, known_before(known_on))?;
    Ok((unit, day, post))
}

/// Whether an officer holds a post that leads, today or later.
///
/// # Errors
/// When the database fails.
pub(in crate::org) fn leads<A: Action>(tx: &mut Tx<'_, A>, officer: OfficerId) -> Result<bool> {
    let today = tx.now().shanghai_day();
    let lasting = store::lasting(tx, Of::Officer(officer), today)?;
    Ok(lasting.iter().any(|post| post.draft.kind.leads()))
}

/// The units that an officer heads today.
///
/// # Errors
/// When the database fails.
pub fn headed_by<A: Action>(tx: &mut Tx<'_, A>, officer: OfficerId) -> Result<Vec<UnitId>> {
    let today = tx.now().shanghai_day();
    store::headed_by(tx, officer, today)
}

fn facts(post: &Post) -> Value {
    json!({ "officer_id": post.officer_id, "post": post.draft, "revision": post.revision })
}

fn told<'a>(before: Option<&Post>, after: &'a Post) -> Told<'a> {
    let reason = after.draft.reason.as_deref();
    Told { id: after.id.to_string(), before: before.map(facts), after: Some(facts(after)), reason }
}

fn record<A: Action>(tx: &mut Tx<'_, A>, before: Option<&Post>, after: &Post) -> Result<()> {
    tx.record(&told(before, after).change("post"))
}

/// Gives an officer a post; whether it was here already. `If-Match` speaks of the officer.
///
/// # Errors
/// `not_found`, `precondition_failed`, `id_taken`, `officer_left`, `auxiliary_cannot_lead`,
/// `head_overlaps`, `invalid_body` at `/unit_id`.
pub fn appoint(
    tx: &mut Tx<'_, PostAppoint>,
    officer: OfficerId,
    id: Option<PostId>,
    draft: &PostDraft,
) -> Result<(Officer, Post, bool)> {
    officers::lock(tx, officer)?;
    let officer = officers::within(tx, officer)?;
    tx.check_version(officer.version)?;
    if let Some(id) = id
        && let Some(there) = store::current(tx, id)?
    {
        if there.officer_id != officer.id || there.draft != *draft {
            return Err(AppError::new(Code::IdTaken));
        }
        tx.nothing_changed();
        return Ok((officer, there, true));
    }
    if !officer.allows(OfficerAction::Appoint) {
        return Err(AppError::new(Code::OfficerLeft));
    }
    fits(tx, &officer, draft, None)?;
    let id = id.unwrap_or_else(PostId::generate);
    let post = Post::begun(id, officer.id, draft.clone(), tx.now(), tx.user().ok());
    store::insert(tx, std::slice::from_ref(&post), None)?;
    record(tx, None, &post)?;
    Ok((officer, post, false))
}

/// Whether the officer may hold such a post there then; `before` is what it corrects.
fn fits<A: Action>(
    tx: &mut Tx<'_, A>,
    officer: &Officer,
    draft: &PostDraft,
    before: Option<&Post>,
) -> Result<()> {
    let refused = |error: FieldError| Err(AppError::fields(Code::InvalidBody, vec![error]));
    // Where a post was is known already: only another unit must be one the caller may name.
    if before.is_none_or(|before| before.draft.unit_id != draft.unit_id)
        && units::readable(tx, draft.unit_id)?.is_none()
    {
        return refused(unknown("/unit_id"));
    }
    // Two heads entered at once: the second waits here for the first.
    units::lock(tx, draft.unit_id)?;
    let lasts_on = |day: NaiveDate| !draft.voided && draft.valid_until_on.is_none_or(|until| day <= until);
    if changes::ended_on(tx, draft.unit_id)?.is_some_and(lasts_on) {
        return refused(deactivated("/unit_id"));
    }
    if let Some(left_on) = officer.left_on
        && left_on.succ_opt().is_some_and(lasts_on)
    {
        let detail = text!("已于 {left_on} 离队", "The officer left on {left_on}");
        return refused(FieldError::body("/valid_until_on", Code::OutOfOrder, detail));
    }
    if !may_hold_post(officer.kind, draft.kind) {
        return Err(AppError::new(Code::AuxiliaryCannotLead));
    }
    if draft.kind == PostKind::Head {
        let except = before.map(|before| before.id);
        let others = store::heads_from(tx, draft.unit_id, draft.valid_from_on, except)?;
        if let Some(other) = others.iter().find(|other| other.draft.overlaps(draft)) {
            let (from, until) = (other.draft.valid_from_on, other.draft.valid_until_on);
            let detail = text!("该单位自 {from} 起已有主要负责人", "The unit has had a head since {from}");
            let facts = json!({
                "post_id": other.id, "officer_id": other.officer_id, "valid_from_on": from, "valid_until_on": until,
            });
            let error = FieldError::body("/valid_from_on", Code::HeadOverlaps, detail);
            return Err(AppError::fields(
                Code::HeadOverlaps,
                vec![FieldError { facts: Some(facts), ..error }],
            ));
        }
    }
    Ok(())
}

/// Corrects what is believed of a post: its days, its kind, its unit, or that there was one at all.
/// What was believed before stays to be asked for.
///
/// # Errors
/// `not_found`, `precondition_failed`, `auxiliary_cannot_lead`, `head_overlaps`, `invalid_body`.
pub fn correct(
    tx: &mut Tx<'_, PostCorrect>,
    officer: OfficerId,
    id: PostId,
    merge: impl FnOnce(&PostDraft) -> Result<PostDraft>,
) -> Result<(Officer, Post)> {
    officers::lock(tx, officer)?;
    let officer = officers::within(tx, officer)?;
    let before = of(tx, &officer, id)?;
    tx.check_version(before.revision)?;
    let draft = merge(&before.draft)?;
    if draft == before.draft {
        tx.nothing_changed();
        return Ok((officer, before));
    }
    fits(tx, &officer, &draft, Some(&before))?;
    let post = revise(tx, &before, draft)?;
    Ok((officer, post))
}

fn revise<A: Action>(tx: &mut Tx<'_, A>, before: &Post, draft: PostDraft) -> Result<Post> {
    let post = Post {
        revision: before.revision + 1,
        draft,
        recorded_at: tx.now(),
        recorded_by: tx.user().ok(),
        superseded_at: None,
        ..before.clone()
    };
    store::supersede(tx, before.id, before.revision)?;
    store::insert(tx, std::slice::from_ref(&post), None)?;
    record(tx, Some(before), &post)?;
    Ok(post)
}

/// Ends every post of an officer with a day; those that begin later have never been.
///
/// # Errors
/// When the database fails.
pub(in crate::org) fn end_all<A: Action>(
    tx: &mut Tx<'_, A>,
    officer: OfficerId,
    day: NaiveDate,
    reason: &str,
) -> Result<()> {
    let after = day.succ_opt().unwrap_or(day);
    for post in store::lasting(tx, Of::Officer(officer), after)? {
        end(tx, &post, day, reason)?;
    }
    Ok(())
}

fn end<A: Action>(tx: &mut Tx<'_, A>, post: &Post, day: NaiveDate, reason: &str) -> Result<()> {
    let voided = post.draft.valid_from_on > day;
    let valid_until_on = if voided { post.draft.valid_until_on } else { Some(day) };
    let reason = Some(reason.to_owned());
    revise(tx, post, PostDraft { valid_until_on, voided, reason, ..post.draft.clone() })?;
    Ok(())
}

/// Ends every post at a unit that works no more from a day on.
///
/// # Errors
/// When the database fails.
pub(in crate::org) fn end_at<A: Action>(
    tx: &mut Tx<'_, A>,
    unit: UnitId,
    day: NaiveDate,
    reason: &str,
) -> Result<()> {
    let last = day.pred_opt().unwrap_or(day);
    store::lasting(tx, Of::Unit(unit), day)?.iter().try_for_each(|post| end(tx, post, last, reason))
}

/// What becomes of the posts at a unit that another takes over from on a day: those of its leaders
/// end the day before, all others go on at the successor.
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
    let last = day.pred_opt().unwrap_or(day);
    let mut going_on = Vec::new();
    for post in store::lasting(tx, Of::Unit(from.id), day)? {
        end(tx, &post, last, reason)?;
        if !matches!(post.draft.kind, PostKind::Head | PostKind::DeputyHead) {
            let valid_from_on = post.draft.valid_from_on.max(day);
            let reason = Some(reason.to_owned());
            going_on
                .push((post.officer_id, PostDraft { unit_id: to.id, valid_from_on, reason, ..post.draft }));
        }
    }
    enter_new(tx, going_on)
}

/// Enters the first posts of a province's officers, without an audit row each: for the demo.
///
/// # Errors
/// When the database fails.
pub(in crate::org) fn enter(tx: &mut Tx<'_, CommandLine>, new: Vec<(OfficerId, PostDraft)>) -> Result<()> {
    begin(tx, new, None).map(|_| ())
}

/// The posts of head at these units, past ones too, by unit.
///
/// # Errors
/// When the database fails.
pub(in crate::org) fn heads_of<A: Action>(
    tx: &mut Tx<'_, A>,
    units: &[UnitId],
) -> Result<HashMap<UnitId, Vec<PostDraft>>> {
    let mut found: HashMap<UnitId, Vec<PostDraft>> = HashMap::new();
    for post in store::heads_of(tx, units)? {
        found.entry(post.draft.unit_id).or_default().push(post.draft);
    }
    Ok(found)
}

/// Enters the posts of new officers.
///
/// # Errors
/// When the database fails.
pub(in crate::org) fn enter_new<A: Action>(
    tx: &mut Tx<'_, A>,
    new: Vec<(OfficerId, PostDraft)>,
) -> Result<()> {
    let posts = begin(tx, new, None)?;
    tx.record_many("post", posts.iter().map(|post| told(None, post)))
}

/// Enters the posts of new officers whom nobody sees yet, without a row in the log.
///
/// # Errors
/// When the database fails.
pub(in crate::org) fn enter_unseen<A: Action>(
    tx: &mut Tx<'_, A>,
    new: Vec<(OfficerId, PostDraft)>,
    batch: JobId,
) -> Result<()> {
    begin(tx, new, Some(batch)).map(|_| ())
}

/// Leaves the rows of the log about the posts that a batch has entered for these officers.
///
/// # Errors
/// When the database fails.
pub(in crate::org) fn account<A: Action>(
    tx: &mut Tx<'_, A>,
    batch: JobId,
    officers: &[OfficerId],
) -> Result<()> {
    let posts = store::of_batch(tx, batch, officers)?;
    tx.record_many("post", posts.iter().map(|post| told(None, post)))
}

/// Takes back the posts that a batch has entered for these officers.
///
/// # Errors
/// When the database fails.
pub(in crate::org) fn withdraw(
    tx: &mut Tx<'_, Background>,
    batch: JobId,
    officers: &[OfficerId],
) -> Result<()> {
    store::withdraw(tx, batch, officers)
}

/// Begins posts, all recorded now.
fn begin<A: Action>(
    tx: &mut Tx<'_, A>,
    new: Vec<(OfficerId, PostDraft)>,
    batch: Option<JobId>,
) -> Result<Vec<Post>> {
    let (now, by) = (tx.now(), tx.user().ok());
    let begun = |(officer_id, draft)| Post::begun(PostId::generate(), officer_id, draft, now, by);
    let posts: Vec<Post> = new.into_iter().map(begun).collect();
    store::insert(tx, &posts, batch)?;
    Ok(posts)
}
