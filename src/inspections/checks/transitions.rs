//! What happens to an unannounced check after it is begun.

use serde_json::json;

use super::awaited::{self, Photos, Sorted};
use super::rules::{
    Addendum, AddendumId, Answer, Check, CheckAction, CheckId, CheckRecord, CheckState, Decision,
    LATEST_RELEASE, ObjectionOutcome, numbers_of,
};
use super::service::{Caller, checklist_of, judge_record, record, total, visible};
use super::{addendum_store, answers, awaited_store, embargo_store, store};
use crate::access::policy::{
    Action, Background, CheckAddendum, CheckConfirm, CheckContest, CheckDecide, CheckRead, CheckRecordSet,
    CheckRelease, CheckVoid,
};
use crate::access::{Tx, UserId};
use crate::audit::{self, Change};
use crate::db::Instant;
use crate::errors::{AppError, Code, FieldError, Result, refuse_repeated, text, unknown};
use crate::inspections::attachments::rules::{AttachmentId, MOST_ATTACHED, ShownIn};
use crate::inspections::attachments::service::{self as attachments, Named};
use crate::inspections::candidates::service as candidates;
use crate::org::calendar::service as calendar;
use crate::org::service as provinces;
use crate::org::settings::service as settings;

/// Addenda of one check at most: more would be another check.
const MOST_ADDENDA: i64 = 200;

/// The check, held until the transaction ends, if the caller may do this with it now.
pub(super) fn for_change<A: Action>(tx: &mut Tx<'_, A>, id: CheckId, action: CheckAction) -> Result<Check> {
    let found = known(tx, id)?;
    tx.check_version(found.version)?;
    may(tx, &found, action)?;
    Ok(found)
}

fn known<A: Action>(tx: &mut Tx<'_, A>, id: CheckId) -> Result<Check> {
    // Nobody waits for a check of which they may not know.
    let reach = tx.reach_of::<CheckRead>().unwrap_or_default();
    if !store::knows(tx, &reach, id)? {
        return Err(AppError::new(Code::NotFound));
    }
    store::lock(tx, id)?;
    let found = visible(tx, id)?;
    // The unit's side reaches as far as the action does; the checkers' own follows from the check.
    if !tx.reach().assigned && !tx.reach().contains(&found.unit_path) {
        return Err(AppError::new(Code::NotFound));
    }
    Ok(found)
}

fn may<A: Action>(tx: &mut Tx<'_, A>, check: &Check, action: CheckAction) -> Result<()> {
    let stand = Caller::of(tx)?.stand(check);
    check.judge(action, &stand, tx.now().shanghai_day())
}

pub(super) fn settle<A: Action>(
    tx: &mut Tx<'_, A>,
    before: &Check,
    mut after: Check,
    reason: Option<&str>,
) -> Result<Check> {
    store::save(tx, &mut after)?;
    record(tx, Some(before), &after, reason)?;
    Ok(after)
}

/// Records what was seen. Whoever sends the same record again, not having heard that it arrived, is told so.
///
/// # Errors
/// `not_found`, `precondition_failed`, `check_recorded`, `not_in_team`, `invalid_body` with everything that is wrong.
pub fn set_record(
    tx: &mut Tx<'_, CheckRecordSet>,
    id: CheckId,
    new: &CheckRecord,
    photos: Photos,
) -> Result<Check> {
    let before = known(tx, id)?;
    let user = tx.user()?;
    if before.record.as_ref() == Some(new) && before.recorded_by == Some(user) {
        tx.nothing_changed();
        return Ok(before);
    }
    tx.check_version(before.version)?;
    may(tx, &before, CheckAction::Record)?;
    let items = checklist_of(tx, &before)?.content.items;
    let (mut errors, named) = (Vec::new(), new.named(""));
    attachments::refuse_too_many(&named, MOST_ATTACHED, "/attachment_ids", &mut errors);
    let shown = awaited::sort(tx, named, &before.team, photos, &mut errors)?;
    // How far the device's clock is off was learned when the check was begun.
    judge_record(&items, new, (before.begun_at, before.skew_ms, tx.now()), "", &mut errors);
    if !errors.is_empty() {
        return Err(AppError::fields(Code::InvalidBody, errors));
    }
    let after = Check {
        kept: CheckState::Recorded,
        deducted: Some(total(&items, &new.answers)),
        record: Some(new.clone()),
        recorded_by: Some(user),
        recorded_at: Some(tx.now()),
        ..before.clone()
    };
    let mut after = settle(tx, &before, after, None)?;
    awaited::settle(tx, &shown, &mut after, ShownIn::Record)?;
    Ok(after)
}

/// Confirms what somebody else has recorded, and says when the clock is to release it, if nobody does before.
///
/// # Errors
/// `not_found`, `precondition_failed`, `check_not_recorded`, `not_the_commander`, `confirmer_is_recorder`; `invalid_body` for a
/// moment that is past or more than a year ahead.
pub fn confirm(tx: &mut Tx<'_, CheckConfirm>, id: CheckId, release_at: Option<Instant>) -> Result<Check> {
    let before = for_change(tx, id, CheckAction::Confirm)?;
    if let Some(at) = release_at {
        let error = if at <= tx.now() {
            Some((Code::InThePast, text!("不得早于此刻", "It lies in the past")))
        } else if at > tx.now().plus_seconds(LATEST_RELEASE) {
            Some((Code::TooBig, text!("至多在 366 日之后", "It is 366 days ahead at most")))
        } else {
            None
        };
        if let Some((code, detail)) = error {
            let error = FieldError::body("/release_at", code, detail);
            return Err(AppError::fields(Code::InvalidBody, vec![error]));
        }
        embargo_store::schedule(tx, id, at)?;
    }
    let after = Check { kept: CheckState::Confirmed, confirmed_at: Some(tx.now()), ..before.clone() };
    let reason = release_at.map(|at| format!("release_at {at}"));
    settle(tx, &before, after, reason.as_deref())
}

/// Releases a check: it gets its number, the inspected unit may object from today on, the rows of the log that were held
/// back are told, and what it has found becomes finding candidates.
///
/// # Errors
/// `not_found`, `precondition_failed`, `check_not_confirmed`, `not_the_commander`.
pub fn release(tx: &mut Tx<'_, CheckRelease>, id: CheckId) -> Result<Check> {
    // Numbers are given one after the other.
    provinces::lock_province(tx)?;
    let before = for_change(tx, id, CheckAction::Release)?;
    let_out(tx, &before)
}

/// Releases a check whose time has come, if it is confirmed and not released yet. Whoever asks holds the province's row.
///
/// # Errors
/// When the database fails.
pub(super) fn release_by_the_clock(tx: &mut Tx<'_, Background>, id: CheckId) -> Result<()> {
    store::lock(tx, id)?;
    match store::unseen(tx, id)? {
        Some(before) if before.kept == CheckState::Confirmed => let_out(tx, &before).map(|_| ()),
        _ => embargo_store::unschedule(tx, id),
    }
}

fn let_out<A: Action>(tx: &mut Tx<'_, A>, before: &Check) -> Result<Check> {
    let today = tx.now().shanghai_day();
    let (first, end) = numbers_of(chrono::Datelike::year(&today));
    let days = u32::try_from(settings::current(tx)?.objection_working_days).unwrap_or_default();
    let until = calendar::calendar(tx, today)?.add_working_days(today, days).value;
    let after = Check {
        kept: CheckState::Released,
        released_at: Some(tx.now()),
        number: Some(store::last_number(tx, first, end)?.map_or(first, |last| last + 1)),
        objection_until_on: Some(until),
        ..before.clone()
    };
    embargo_store::unschedule(tx, before.id)?;
    audit::service::tell_held(tx, before.id)?;
    let after = settle(tx, before, after, None)?;
    candidates::draw_from(tx, &after)?;
    Ok(after)
}

/// Objects to a check, as the head of the inspected unit.
///
/// # Errors
/// `not_found`, `precondition_failed`, `check_not_released`, `objection_closed`, `not_the_head`, `invalid_body` for attachments that
/// are not there.
pub fn contest(
    tx: &mut Tx<'_, CheckContest>,
    id: CheckId,
    content: &str,
    shown: &[AttachmentId],
) -> Result<Check> {
    let before = for_change(tx, id, CheckAction::Contest)?;
    let shown = shown_by(tx, shown, &[], Photos::AreHere)?;
    let said = (content.to_owned(), tx.user()?, tx.now());
    let after = Check { kept: CheckState::Contested, objection: Some(said), ..before.clone() };
    let mut after = settle(tx, &before, after, Some(content))?;
    awaited::settle(tx, &shown, &mut after, ShownIn::Objection)?;
    Ok(after)
}

/// The attachments that an objection or an addendum shows.
fn shown_by<A: Action>(
    tx: &mut Tx<'_, A>,
    shown: &[AttachmentId],
    by: &[UserId],
    photos: Photos,
) -> Result<Sorted> {
    let place = |(at, id): (usize, &AttachmentId)| (format!("/attachment_ids/{at}"), *id);
    let (named, mut errors): (Named, _) = (shown.iter().enumerate().map(place).collect(), Vec::new());
    let sorted = awaited::sort(tx, named, by, photos, &mut errors)?;
    refuse_repeated(shown, "/attachment_ids", &mut errors);
    if errors.is_empty() { Ok(sorted) } else { Err(AppError::fields(Code::InvalidBody, errors)) }
}

/// Answers an objection, once and for all, as somebody who neither made the check nor is of the unit.
///
/// # Errors
/// `not_found`, `precondition_failed`, `check_not_contested`, `decider_is_checker`, `decider_of_the_unit`, `invalid_body` for
/// answers that are missing, or not asked for, or wrong.
pub fn decide(
    tx: &mut Tx<'_, CheckDecide>,
    id: CheckId,
    (outcome, reasons): (ObjectionOutcome, &str),
    corrected: Option<Vec<Answer>>,
) -> Result<Check> {
    let before = for_change(tx, id, CheckAction::Decide)?;
    let items = checklist_of(tx, &before)?.content.items;
    let mut errors = Vec::new();
    match (&corrected, outcome) {
        (None, ObjectionOutcome::Amended) => {
            let detail = text!("更正须给出更正后的全部答案", "What is amended says all answers anew");
            errors.push(FieldError::body("/answers", Code::Required, detail));
        }
        (Some(_), ObjectionOutcome::Upheld) => {
            let detail = text!("维持的不改答案", "What is upheld changes no answer");
            errors.push(FieldError::body("/answers", Code::NotAllowedValue, detail));
        }
        (Some(given), ObjectionOutcome::Amended) => {
            answers::judge(&items, given, "/answers", &mut errors);
            judge_shown(&before, given, &mut errors);
        }
        (None, ObjectionOutcome::Upheld) => {}
    }
    if !errors.is_empty() {
        return Err(AppError::fields(Code::InvalidBody, errors));
    }
    let kept = match outcome {
        ObjectionOutcome::Upheld => CheckState::Upheld,
        ObjectionOutcome::Amended => CheckState::Amended,
    };
    let deducted = corrected.as_ref().map_or(before.deducted, |given| Some(total(&items, given)));
    let decision = Decision { reasons: reasons.to_owned(), answers: corrected };
    let after = Check { kept, deducted, decision: Some((decision, tx.user()?, tx.now())), ..before.clone() };
    let after = settle(tx, &before, after, Some(reasons))?;
    // What was upheld counts as it was recorded.
    if outcome == ObjectionOutcome::Amended {
        candidates::draw_from(tx, &after)?;
    }
    Ok(after)
}

/// What corrected answers show is what was recorded: evidence is not made by whoever decides.
fn judge_shown(before: &Check, given: &[Answer], errors: &mut Vec<FieldError>) {
    let recorded = before.record.as_ref().map(|record| record.named("")).unwrap_or_default();
    for (at, answer) in given.iter().enumerate() {
        for (place, id) in answer.attachment_ids.iter().enumerate() {
            if !recorded.iter().any(|(_, one)| one == id) {
                errors.push(unknown(format!("/answers/{at}/attachment_ids/{place}")));
            }
        }
    }
}

/// Voids a check that has not been confirmed.
///
/// # Errors
/// `not_found`, `precondition_failed`, `check_not_voidable`, `not_in_team`.
pub fn void(tx: &mut Tx<'_, CheckVoid>, id: CheckId, reason: &str) -> Result<Check> {
    let before = for_change(tx, id, CheckAction::Void)?;
    awaited_store::forget(tx, id)?;
    let after = Check {
        kept: CheckState::Voided,
        void_reason: Some(reason.to_owned()),
        awaited: Vec::new(),
        ..before.clone()
    };
    settle(tx, &before, after, Some(reason))
}

/// Adds to a record, which itself stays as it is; whether it was here already.
///
/// # Errors
/// `not_found`, `precondition_failed`, `check_not_recorded`, `check_ended`, `not_in_team`, `id_taken`, `too_many_addenda`.
pub fn add_addendum(
    tx: &mut Tx<'_, CheckAddendum>,
    check: CheckId,
    id: Option<AddendumId>,
    (content, shown): (&str, &[AttachmentId]),
    photos: Photos,
) -> Result<(Check, bool)> {
    let found = known(tx, check)?;
    if let Some(id) = id
        && let Some((of, said)) = addendum_store::addendum(tx, id)?
    {
        let (mut showed, mut shown) = (attachments::of_addendum(tx, check, id)?, shown.to_vec());
        showed.extend(awaited_store::of_addendum(tx, id)?);
        showed.sort_unstable();
        shown.sort_unstable();
        if of != check || said != content || showed != shown {
            return Err(AppError::new(Code::IdTaken));
        }
        tx.nothing_changed();
        return Ok((found, true));
    }
    tx.check_version(found.version)?;
    may(tx, &found, CheckAction::AddAddendum)?;
    if addendum_store::count_addenda(tx, check)? >= MOST_ADDENDA {
        return Err(AppError::new(Code::TooManyAddenda));
    }
    let sorted = shown_by(tx, shown, &found.team, photos)?;
    let addendum = Addendum {
        id: id.unwrap_or_else(AddendumId::generate),
        content: content.to_owned(),
        author_id: tx.user()?,
        created_at: tx.now(),
    };
    addendum_store::add(tx, check, &addendum)?;
    let mut after = found;
    store::save(tx, &mut after)?;
    if !after.is_told() {
        tx.hold_back(check);
    }
    let (entity_id, facts) = (
        check.to_string(),
        json!({
            "addendum_id": addendum.id, "content": content, "attachment_ids": shown,
        }),
    );
    tx.record(&Change {
        entity: "unannounced_check",
        entity_id: &entity_id,
        before: None,
        after: Some(&facts),
        reason: None,
    })?;
    awaited::settle(tx, &sorted, &mut after, ShownIn::Addendum(addendum.id))?;
    Ok((after, false))
}
