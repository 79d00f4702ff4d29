//! Use cases on declared conflicts of interest.

use aws_lc_rs::digest::{SHA256, digest};
use chrono::NaiveDate;
use serde_json::{Value, json};

use super::rules::{Conflict, ConflictAction, ConflictId, ConflictKind, ConflictState, Term};
use super::store;
pub use super::store::ConflictFilter;
use crate::access::policy::{
    Action, ConflictDeclare, ConflictEnd, ConflictRead, ConflictsOfOfficer, WorkFollow,
};
use crate::access::{EffectTx, Rights, Tx, UserId, holders};
use crate::audit::{Change, Told, fresh_salt, hex};
use crate::db::Instant;
use crate::errors::{AppError, Code, FieldError, Result, deactivated, text, unknown};
use crate::inspections::authorisations::service as authorisations;
use crate::org::changes::moments;
use crate::org::changes::rules::takes_effect;
use crate::org::rules::{Unit, UnitId, UnitStatus};
use crate::org::service as units;
use crate::web::{MadeSort, Page, Paging};

/// One's own declarations, and those of the people within reach.
///
/// # Errors
/// `invalid_cursor`.
pub fn list(
    tx: &mut Tx<'_, ConflictRead>,
    filter: &ConflictFilter,
    sort: MadeSort,
    paging: &Paging,
) -> Result<Page<Conflict>> {
    store::list(tx, filter, sort, paging)
}

/// One declaration.
///
/// # Errors
/// `not_found`.
pub fn find(tx: &mut Tx<'_, ConflictRead>, id: ConflictId) -> Result<Conflict> {
    visible(tx, id)
}

fn visible<A: Action>(tx: &mut Tx<'_, A>, id: ConflictId) -> Result<Conflict> {
    let reach = tx.reach().clone();
    store::find(tx, &reach, id)?.ok_or_else(|| AppError::new(Code::NotFound))
}

/// What the caller may do with declarations: asked once a request, not once a row.
#[must_use]
pub fn rights<A: Action>(tx: &Tx<'_, A>) -> Rights<ConflictAction> {
    Rights::new([(ConflictAction::End, tx.reach_of::<ConflictEnd>())])
}

/// What they allow with this one now.
///
/// # Errors
/// For whoever has no account, which nobody who asks is.
pub fn allowed<A: Action>(
    tx: &Tx<'_, A>,
    rights: &Rights<ConflictAction>,
    one: &Conflict,
) -> Result<Vec<ConflictAction>> {
    let user = tx.user()?;
    Ok(rights.at(&one.user_path).filter(|action| one.allows(*action, user)).collect())
}

/// A conflict of interest to declare.
#[derive(Debug, Clone)]
pub struct NewConflict {
    /// The id the client chose.
    pub id: Option<ConflictId>,
    /// Whose interest it is; the caller's own when not said.
    pub user_id: Option<UserId>,
    /// In which unit.
    pub unit_id: UnitId,
    /// What it rests on.
    pub kind: ConflictKind,
    /// What there is to say of it.
    pub statement: String,
}

/// Declares an interest; whether it was here already.
///
/// # Errors
/// `id_taken`, `already_declared`; `invalid_body` for a unit or a person that is not the caller's to name, or inspects nothing.
pub fn declare(tx: &mut Tx<'_, ConflictDeclare>, new: &NewConflict) -> Result<(Conflict, bool)> {
    let caller = tx.user()?;
    let person = new.user_id.unwrap_or(caller);
    if let Some(id) = new.id
        && store::is_taken(tx, id)?
    {
        let mine = tx.reach().clone();
        let there = store::find(tx, &mine, id)?;
        tx.nothing_changed();
        return match there {
            Some(there) if is_same(new, person, &there) => Ok((there, true)),
            _ => Err(AppError::new(Code::IdTaken)),
        };
    }
    // Nothing is here yet: an If-Match that names a version of it is stale.
    tx.check_version(0)?;
    judge(tx, new, person)?;
    // Sent twice at the same time, it is still declared once.
    holders::lock(tx, person)?;
    if store::stands(tx, (person, new.unit_id), new.kind)? {
        return Err(AppError::new(Code::AlreadyDeclared));
    }
    let user_path = holders::paths_of(tx, &[person])?.pop().map(|(_, path)| path).unwrap_or_default();
    let now = tx.now();
    let made = Conflict {
        id: new.id.unwrap_or_else(ConflictId::generate),
        user_id: person,
        user_path,
        declared_unit_id: new.unit_id,
        unit_id: new.unit_id,
        kind: new.kind,
        statement: Some(new.statement.clone()),
        salt: fresh_salt()?,
        state: ConflictState::Standing,
        term: Term { since_at: now, ended_at: None },
        declared_by: caller,
        ended_by: None,
        end_reason: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    store::insert(tx, &made)?;
    record(tx, None, &made)?;
    Ok((made, false))
}

fn is_same(new: &NewConflict, person: UserId, there: &Conflict) -> bool {
    there.user_id == person
        && there.declared_unit_id == new.unit_id
        && there.kind == new.kind
        && there.statement.as_ref() == Some(&new.statement)
}

/// Whether the caller may say this of this person and this unit.
fn judge(tx: &mut Tx<'_, ConflictDeclare>, new: &NewConflict, person: UserId) -> Result<()> {
    let mut errors = Vec::new();
    // Of oneself everybody may, however far they reach.
    if person != tx.user()? {
        if holders::working_within(tx, &[person])?.is_empty() {
            errors.push(unknown("/user_id"));
        } else if authorisations::nameable(tx, &[person])?.is_empty() {
            let detail = text!("须为可检查或指挥检查的人", "It must be somebody who may inspect or command");
            errors.push(FieldError::body("/user_id", Code::WrongKind, detail));
        }
    }
    match units::readable(tx, new.unit_id)? {
        None => errors.push(unknown("/unit_id")),
        Some(unit) if unit.status == UnitStatus::Deactivated => errors.push(deactivated("/unit_id")),
        Some(_) => {}
    }
    if errors.is_empty() { Ok(()) } else { Err(AppError::fields(Code::InvalidBody, errors)) }
}

/// Ends a declaration: its person may inspect the unit again. Somebody else does that.
///
/// # Errors
/// `not_found`, `precondition_failed`, `conflict_ended`, `own_conflict`, `person_erased`.
pub fn end(tx: &mut Tx<'_, ConflictEnd>, id: ConflictId, reason: &str) -> Result<Conflict> {
    store::lock(tx, id)?;
    let before = visible(tx, id)?;
    tx.check_version(before.version)?;
    let (by, now) = (tx.user()?, tx.now());
    before.judge(ConflictAction::End, by)?;
    let mut after = Conflict {
        state: ConflictState::Ended,
        term: Term { ended_at: Some(now), ..before.term },
        ended_by: Some(by),
        end_reason: Some(reason.to_owned()),
        ..before.clone()
    };
    store::save_end(tx, &mut after)?;
    record(tx, Some(&before), &after)?;
    Ok(after)
}

/// Those of the people who, at that moment, had declared an interest in the unit, in one above it, or in one from which either had
/// taken over: by the tree of that moment, whatever has become of it since.
///
/// # Errors
/// When the database fails.
pub fn parted<A: Action>(
    tx: &mut Tx<'_, A>,
    people: &[UserId],
    unit: UnitId,
    at: Instant,
) -> Result<Vec<UserId>> {
    let mut told = store::terms(tx, people)?;
    told.retain(|(_, _, term)| term.covers(at));
    if told.is_empty() {
        return Ok(Vec::new());
    }
    let declared: Vec<UnitId> = told.iter().map(|(_, declared, _)| *declared).collect();
    let carried_on = moments::carried_on(tx, &declared, at)?;
    let upwards = moments::upwards(tx, unit, at)?;
    let concerns = |declared: &UnitId| carried_on.get(declared).is_some_and(|unit| upwards.contains(unit));
    Ok(told.into_iter().filter(|(_, declared, _)| concerns(declared)).map(|(user, ..)| user).collect())
}

/// What the log keeps of it: a commitment to what was declared, which nobody can guess at, and neither that nor why it ended, which
/// are nobody's but theirs who may read it. Once that is erased there is nothing to commit to, and what was committed to before
/// opens to nobody.
fn facts(one: &Conflict) -> Value {
    let content = one.statement.as_ref().map(|statement| {
        let said = format!("{}\n{}\n{}\n{statement}", one.salt, one.declared_unit_id, one.kind);
        hex(digest(&SHA256, said.as_bytes()).as_ref())
    });
    json!({ "user_id": one.user_id, "state": one.state, "content": content })
}

fn record<A: Action>(tx: &mut Tx<'_, A>, before: Option<&Conflict>, after: &Conflict) -> Result<()> {
    let (before, facts) = (before.map(facts), facts(after));
    tx.record(&Change {
        entity: "conflict",
        entity_id: &after.id.to_string(),
        before: before.as_ref(),
        after: Some(&facts),
        reason: None,
    })
}

/// Has what was declared of a unit that ends with a day concern its successor, where its people are from then on. What had ended
/// stays with the unit that it was about; what was declared stays as it was, for checks that were begun before. Two that come to
/// say the same both stand: each is ended by itself. No row of the log tells of it beside that of the merge: it would say of whom
/// the unit is.
///
/// # Errors
/// When the database fails.
pub fn hand_over(tx: &mut EffectTx<'_, WorkFollow>, from: &Unit, to: &Unit, day: NaiveDate) -> Result<()> {
    let since_at = takes_effect(day, tx.now());
    store::give(tx, from.id, to.id, since_at)
}

/// Takes away what was said of the interests of somebody whose personal data are erased. That they had them, in which units and
/// from when until when, stays: what was begun meanwhile is judged by it.
///
/// # Errors
/// When the database fails.
pub fn person_erased(tx: &mut EffectTx<'_, ConflictsOfOfficer>, person: UserId) -> Result<()> {
    let all = store::all_of(tx, person)?;
    store::erase(tx, person)?;
    let told = |one: &Conflict| Told {
        id: one.id.to_string(),
        before: Some(facts(one)),
        after: Some(facts(&one.erased())),
        reason: None,
    };
    tx.record_many("conflict", all.iter().map(told))
}
