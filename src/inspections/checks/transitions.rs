//! What happens to an unannounced check after it is begun.

use serde_json::json;

use super::rules::{
    Addendum, AddendumId, Answer, Check, CheckAction, CheckId, CheckRecord, CheckState, Decision,
    ObjectionOutcome, numbers_of,
};
use super::service::{Caller, checklist_of, judge_record, record, total, visible};
use super::{answers, store};
use crate::access::Tx;
use crate::access::policy::{
    Action, CheckAddendum, CheckConfirm, CheckContest, CheckDecide, CheckRecordSet, CheckRelease, CheckVoid,
};
use crate::audit::{self, Change};
use crate::errors::{AppError, Code, FieldError, Result, text};
use crate::org::calendar::service as calendar;
use crate::org::service as provinces;
use crate::org::settings::service as settings;

/// Addenda of one check at most: more would be another check.
const MOST_ADDENDA: usize = 200;

/// The check, held until the transaction ends, if the caller may do this with it now.
fn for_change<A: Action>(tx: &mut Tx<'_, A>, id: CheckId, action: CheckAction) -> Result<Check> {
    let found = known(tx, id)?;
    tx.check_version(found.version)?;
    may(tx, &found, action)?;
    Ok(found)
}

fn known<A: Action>(tx: &mut Tx<'_, A>, id: CheckId) -> Result<Check> {
    // Nobody waits for a check of which they may not know.
    visible(tx, id)?;
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
    check.judge(action, stand, tx.now().shanghai_day())
}

fn settle<A: Action>(
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
pub fn set_record(tx: &mut Tx<'_, CheckRecordSet>, id: CheckId, new: &CheckRecord) -> Result<Check> {
    let before = known(tx, id)?;
    let user = tx.user()?;
    if before.record.as_ref() == Some(new) && before.recorded_by == Some(user) {
        tx.nothing_changed();
        return Ok(before);
    }
    tx.check_version(before.version)?;
    may(tx, &before, CheckAction::Record)?;
    let items = checklist_of(tx, &before)?.content.items;
    let mut errors = Vec::new();
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
    settle(tx, &before, after, None)
}

/// Confirms what somebody else has recorded.
///
/// # Errors
/// `not_found`, `precondition_failed`, `check_not_recorded`, `not_the_commander`, `confirmer_is_recorder`.
pub fn confirm(tx: &mut Tx<'_, CheckConfirm>, id: CheckId) -> Result<Check> {
    let before = for_change(tx, id, CheckAction::Confirm)?;
    let after = Check { kept: CheckState::Confirmed, confirmed_at: Some(tx.now()), ..before.clone() };
    settle(tx, &before, after, None)
}

/// Releases a check: it gets its number, the inspected unit may object from today on, and the rows of the log that were held
/// back are told.
///
/// # Errors
/// `not_found`, `precondition_failed`, `check_not_confirmed`, `not_the_commander`.
pub fn release(tx: &mut Tx<'_, CheckRelease>, id: CheckId) -> Result<Check> {
    // Numbers are given one after the other.
    provinces::lock_province(tx)?;
    let before = for_change(tx, id, CheckAction::Release)?;
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
    audit::service::tell_held(tx, id)?;
    settle(tx, &before, after, None)
}

/// Objects to a check, as the head of the inspected unit.
///
/// # Errors
/// `not_found`, `precondition_failed`, `check_not_released`, `objection_closed`, `not_the_head`.
pub fn contest(tx: &mut Tx<'_, CheckContest>, id: CheckId, content: &str) -> Result<Check> {
    let before = for_change(tx, id, CheckAction::Contest)?;
    let said = (content.to_owned(), tx.user()?, tx.now());
    let after = Check { kept: CheckState::Contested, objection: Some(said), ..before.clone() };
    settle(tx, &before, after, Some(content))
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
    settle(tx, &before, after, Some(reasons))
}

/// Voids a check that has not been confirmed.
///
/// # Errors
/// `not_found`, `precondition_failed`, `check_not_voidable`, `not_in_team`.
pub fn void(tx: &mut Tx<'_, CheckVoid>, id: CheckId, reason: &str) -> Result<Check> {
    let before = for_change(tx, id, CheckAction::Void)?;
    let after = Check { kept: CheckState::Voided, void_reason: Some(reason.to_owned()), ..before.clone() };
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
    content: &str,
) -> Result<(Check, bool)> {
    let found = known(tx, check)?;
    if let Some(id) = id
        && let Some((of, said)) = store::addendum(tx, id)?
    {
        if of != check || said != content {
            return Err(AppError::new(Code::IdTaken));
        }
        tx.nothing_changed();
        return Ok((found, true));
    }
    tx.check_version(found.version)?;
    may(tx, &found, CheckAction::AddAddendum)?;
    if store::addenda(tx, check)?.len() >= MOST_ADDENDA {
        return Err(AppError::new(Code::TooManyAddenda));
    }
    let addendum = Addendum {
        id: id.unwrap_or_else(AddendumId::generate),
        content: content.to_owned(),
        author_id: tx.user()?,
        created_at: tx.now(),
    };
    store::add(tx, check, &addendum)?;
    let mut after = found;
    store::save(tx, &mut after)?;
    if !after.is_public() {
        tx.hold_back(check);
    }
    let (entity_id, facts) = (check.to_string(), json!({ "addendum_id": addendum.id, "content": content }));
    tx.record(&Change {
        entity: "unannounced_check",
        entity_id: &entity_id,
        before: None,
        after: Some(&facts),
        reason: None,
    })?;
    Ok((after, false))
}
