//! Use cases on finding candidates: drawing them from checks, looking at them.

use serde_json::{Value, json};

use super::rules::{Candidate, CandidateId, Source, found};
use super::store;
pub use super::store::CandidateFilter;
use crate::access::Tx;
use crate::access::policy::{Action, Background, CandidateRead};
use crate::audit::Told;
use crate::errors::{AppError, Code, Result};
use crate::inspections::checks::rules::{Check, CheckId};
use crate::inspections::checks::service as checks;
use crate::web::{MadeSort, Page, Paging};

/// What the log calls one.
const ENTITY: &str = "finding_candidate";

/// What released checks have found, of those checks that the caller may know of.
///
/// # Errors
/// `invalid_cursor`.
pub fn list(
    tx: &mut Tx<'_, CandidateRead>,
    filter: &CandidateFilter,
    sort: MadeSort,
    paging: &Paging,
) -> Result<Page<(Candidate, Source)>> {
    store::list(tx, filter, sort, paging)
}

/// One candidate.
///
/// # Errors
/// `not_found`.
pub fn find(tx: &mut Tx<'_, CandidateRead>, id: CandidateId) -> Result<(Candidate, Source)> {
    store::find(tx, id)?.ok_or_else(|| AppError::new(Code::NotFound))
}

/// How many were drawn from a check that the caller knows of.
///
/// # Errors
/// When the database fails.
pub fn count<A: Action>(tx: &mut Tx<'_, A>, check: CheckId) -> Result<i64> {
    store::count(tx, check)
}

/// Draws the candidates from a released check: what its answers deduct, and what the decision on an objection has made of it.
/// Of what has been drawn before only that changes, and again it draws nothing; from a check that is not released neither. How
/// many candidates are new or changed.
///
/// # Errors
/// When the database fails.
pub fn draw_from<A: Action>(tx: &mut Tx<'_, A>, check: &Check) -> Result<usize> {
    let Some(record) = check.record.as_ref().filter(|_| check.released_at.is_some()) else { return Ok(0) };
    let items = checks::checklist_of(tx, check)?.content.items;
    let amended = check.decision.as_ref().and_then(|(decision, ..)| decision.answers.as_deref());
    let there = store::of_check(tx, check.id)?;
    let (mut new, mut told) = (Vec::new(), Vec::new());
    for one in found(&items, &record.answers, amended) {
        let after = Some(facts(check.id, one.item.code.as_str(), one.recorded, one.amended));
        match there.iter().find(|there| there.item == one.item.code) {
            Some(there) if there.amended == one.amended => {}
            Some(there) => {
                store::amend(tx, there.id, one.amended)?;
                let before = Some(facts(check.id, &there.item, there.recorded, there.amended));
                told.push(Told { id: there.id.to_string(), before, after, reason: None });
            }
            None => {
                let id = CandidateId::generate();
                new.push((id, one));
                told.push(Told { id: id.to_string(), before: None, after, reason: None });
            }
        }
    }
    let drawn = told.len();
    store::insert(tx, check.id, &new)?;
    tx.record_many(ENTITY, told)?;
    Ok(drawn)
}

/// Points are in hundredths, as they are kept.
fn facts(check: CheckId, item: &str, recorded: i64, amended: Option<i64>) -> Value {
    json!({ "check_id": check, "item": item, "recorded": recorded, "amended": amended })
}

/// Released checks behind an id, so many at most, from which something seems not to have been drawn.
///
/// # Errors
/// When the database fails.
pub(super) fn wanting(
    tx: &mut Tx<'_, Background>,
    after: Option<CheckId>,
    most: i64,
) -> Result<Vec<CheckId>> {
    store::wanting(tx, after, most)
}

/// Draws what is missing from these checks; how many candidates that were.
///
/// # Errors
/// When the database fails.
pub(super) fn draw_missing(tx: &mut Tx<'_, Background>, checks_of: &[CheckId]) -> Result<usize> {
    tx.nothing_changed();
    let mut drawn = 0;
    for id in checks_of {
        if let Some(check) = checks::unseen(tx, *id)? {
            drawn += draw_from(tx, &check)?;
        }
    }
    Ok(drawn)
}
