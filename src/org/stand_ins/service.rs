//! Use cases on stand-ins.

use chrono::NaiveDate;
use serde_json::{Value, json};

use super::rules::{LONGEST_DAYS, StandIn, StandInAction, StandInId, is_period};
use super::store::{self, Of};
use crate::access::policy::{Action, OfficerRead, StandInEnd, StandInName};
use crate::access::{Role, Tx};
use crate::audit::Change;
use crate::errors::{AppError, Code, FieldError, Result, Text, text, unknown};
use crate::org::officers::rules::{OfficerId, OfficerKind, OfficerStatus};
use crate::org::officers::service as officers;
use crate::org::posts::service as posts;
use crate::org::rules::{Unit, UnitId, UnitStatus};
use crate::org::service as units;
use crate::web::{Page, Paging};

/// The stand-ins of a unit within reach, the latest first.
///
/// # Errors
/// `not_found`, `invalid_cursor`.
pub fn list(tx: &mut Tx<'_, OfficerRead>, unit: UnitId, paging: &Paging) -> Result<(Unit, Page<StandIn>)> {
    let unit = within(tx, unit)?;
    let page = store::list(tx, unit.id, paging)?;
    Ok((unit, page))
}

/// One stand-in of a unit within reach.
///
/// # Errors
/// `not_found`.
pub fn find(tx: &mut Tx<'_, OfficerRead>, unit: UnitId, id: StandInId) -> Result<(Unit, StandIn)> {
    let unit = within(tx, unit)?;
    let found = of(tx, &unit, id)?;
    Ok((unit, found))
}

fn of<A: Action>(tx: &mut Tx<'_, A>, unit: &Unit, id: StandInId) -> Result<StandIn> {
    let found = store::find(tx, id)?.filter(|one| one.unit_id == unit.id);
    found.ok_or_else(|| AppError::new(Code::NotFound))
}

/// Who stands in for the head of a unit on a day.
///
/// # Errors
/// When the database fails.
pub fn on_day<A: Action>(tx: &mut Tx<'_, A>, unit: UnitId, day: NaiveDate) -> Result<Option<OfficerId>> {
    Ok(store::within(tx, unit, day, day)?.first().map(|one| one.officer_id))
}

/// In which quality somebody signs for a unit's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// As the head.
    Head,
    /// In the head's stead.
    StandIn,
}

/// The units for which the caller may sign as head or in the head's stead today: the post (or the
/// naming) is asked for here, the binding `unit_head` by the action.
///
/// # Errors
/// When the database fails.
pub fn signs_for<A: Action>(tx: &mut Tx<'_, A>) -> Result<Vec<(UnitId, Signing)>> {
    // Only who holds the role can sign with it: for all others there is nothing to look up.
    if !tx.held().iter().any(|held| held.role == Role::UnitHead) {
        return Ok(Vec::new());
    }
    let Some(officer) = officers::of_caller(tx)? else { return Ok(Vec::new()) };
    let today = tx.now().shanghai_day();
    let headed = posts::headed_by(tx, officer)?.into_iter().map(|unit| (unit, Signing::Head));
    let standing = store::units_of(tx, officer, today)?.into_iter().map(|unit| (unit, Signing::StandIn));
    Ok(headed.chain(standing).collect())
}

/// What the caller may do with the stand-ins of a unit now: asked once a request, not once a row.
pub fn allowed<A: Action>(tx: &Tx<'_, A>, unit: &Unit) -> impl Fn(&StandIn) -> Vec<StandInAction> + use<A> {
    let (may, today) = (tx.may::<StandInEnd>(&unit.path), tx.now().shanghai_day());
    move |one| if may && one.lasts_on(today) { vec![StandInAction::End] } else { Vec::new() }
}

fn within<A: Action>(tx: &mut Tx<'_, A>, unit: UnitId) -> Result<Unit> {
    units::reached(tx, unit)?.ok_or_else(|| AppError::new(Code::NotFound))
}

fn facts(stand_in: &StandIn) -> Value {
    json!({
        "unit_id": stand_in.unit_id, "officer_id": stand_in.officer_id, "valid_from_on": stand_in.valid_from_on,
        "valid_until_on": stand_in.valid_until_on, "ended": stand_in.ended_at.is_some(),
    })
}

/// A stand-in to name.
#[derive(Debug, Clone)]
pub struct Naming {
    /// The id the client chose.
    pub id: Option<StandInId>,
    /// Who is to stand in.
    pub officer_id: OfficerId,
    /// The first day.
    pub valid_from_on: NaiveDate,
    /// The last day.
    pub valid_until_on: NaiveDate,
    /// Why.
    pub reason: String,
}

/// Names a stand-in for a period; whether it was here already.
///
/// # Errors
/// `not_found`, `id_taken`, `unit_deactivated`, `stand_in_not_possible`, `invalid_body` at
/// `/officer_id`.
pub fn name(tx: &mut Tx<'_, StandInName>, unit: UnitId, naming: &Naming) -> Result<(Unit, StandIn, bool)> {
    units::lock(tx, unit)?;
    let unit = within(tx, unit)?;
    tx.check_version(unit.version)?;
    if let Some(id) = naming.id
        && let Some(there) = store::find(tx, id)?
    {
        let terms = (there.unit_id, there.officer_id, there.valid_from_on, there.valid_until_on);
        if terms != (unit.id, naming.officer_id, naming.valid_from_on, naming.valid_until_on)
            || there.reason != naming.reason
        {
            return Err(AppError::new(Code::IdTaken));
        }
        tx.nothing_changed();
        return Ok((unit, there, true));
    }
    if unit.status == UnitStatus::Deactivated {
        return Err(AppError::new(Code::UnitDeactivated));
    }
    let Some(officer) = officers::readable(tx, naming.officer_id)? else {
        return Err(AppError::fields(Code::InvalidBody, vec![unknown("/officer_id")]));
    };
    let mut errors = Vec::new();
    let mut refuse =
        |pointer: &str, code: Code, detail: Text| errors.push(FieldError::body(pointer, code, detail));
    let (from, until) = (naming.valid_from_on, naming.valid_until_on);
    if !is_period(from, until, tx.now().shanghai_day()) {
        let detail = text!(
            "须为未过期、首日不晚于末日、不超过 {LONGEST_DAYS} 天的期间",
            "It must be a period in order, not over, and of at most {LONGEST_DAYS} days"
        );
        refuse("/valid_until_on", Code::OutOfOrder, detail);
    }
    if officer.status == OfficerStatus::Left || officer.kind == OfficerKind::Auxiliary {
        let detail = text!("须为在职民警", "It must be a police officer who serves");
        refuse("/officer_id", Code::WrongKind, detail);
    }
    if posts::headed_by(tx, officer.id)?.contains(&unit.id) {
        let detail = text!("主要负责人不能代理自己", "The head does not stand in for the head");
        refuse("/officer_id", Code::NotAllowedValue, detail);
    }
    if !store::within(tx, unit.id, from, until)?.is_empty() {
        let detail = text!("该期间已有代理", "Somebody stands in during that period already");
        refuse("/valid_from_on", Code::NotUnique, detail);
    }
    if !errors.is_empty() {
        return Err(AppError::fields(Code::StandInNotPossible, errors));
    }
    let stand_in = StandIn {
        id: naming.id.unwrap_or_else(StandInId::generate),
        unit_id: unit.id,
        officer_id: officer.id,
        valid_from_on: from,
        valid_until_on: until,
        reason: naming.reason.clone(),
        named_by: tx.user()?,
        created_at: tx.now(),
        ended_at: None,
    };
    store::insert(tx, &stand_in)?;
    record(tx, None, &stand_in, Some(&naming.reason))?;
    Ok((unit, stand_in, false))
}

fn record<A: Action>(
    tx: &mut Tx<'_, A>,
    before: Option<&StandIn>,
    after: &StandIn,
    reason: Option<&str>,
) -> Result<()> {
    let entity_id = after.id.to_string();
    let before = before.map(facts);
    tx.record(&Change {
        entity: "stand_in",
        entity_id: &entity_id,
        before: before.as_ref(),
        after: Some(&facts(after)),
        reason,
    })
}

/// Ends a stand-in before its time.
///
/// # Errors
/// `not_found`, `precondition_failed`, `stand_in_ended`.
pub fn end(tx: &mut Tx<'_, StandInEnd>, unit: UnitId, id: StandInId) -> Result<()> {
    units::lock(tx, unit)?;
    let unit = within(tx, unit)?;
    let before = of(tx, &unit, id)?;
    tx.check_version(before.version())?;
    if !before.lasts_on(tx.now().shanghai_day()) {
        return Err(AppError::new(Code::StandInEnded));
    }
    close(tx, &before, None)
}

fn close<A: Action>(tx: &mut Tx<'_, A>, before: &StandIn, reason: Option<&str>) -> Result<()> {
    store::end(tx, before.id)?;
    let after = StandIn { ended_at: Some(tx.now()), ..before.clone() };
    record(tx, Some(before), &after, reason)
}

/// Ends every standing in of an officer who leaves.
///
/// # Errors
/// When the database fails.
pub(in crate::org) fn end_of_officer<A: Action>(
    tx: &mut Tx<'_, A>,
    officer: OfficerId,
    reason: &str,
) -> Result<()> {
    end_all(tx, Of::Officer(officer), reason)
}

/// Ends every standing in for the head of a unit that ends.
///
/// # Errors
/// When the database fails.
pub(in crate::org) fn end_at_unit<A: Action>(tx: &mut Tx<'_, A>, unit: UnitId, reason: &str) -> Result<()> {
    end_all(tx, Of::Unit(unit), reason)
}

fn end_all<A: Action>(tx: &mut Tx<'_, A>, of: Of, reason: &str) -> Result<()> {
    let today = tx.now().shanghai_day();
    store::lasting(tx, of, today)?.iter().try_for_each(|one| close(tx, one, Some(reason)))
}
