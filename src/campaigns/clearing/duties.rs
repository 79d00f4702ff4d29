//! When duties to enter begin and end.

use super::duty_store as store;
use crate::access::EffectTx;
use crate::access::policy::Effect;
use crate::campaigns::tasks::rules::{Assignment, AssignmentId, AssignmentState};
use crate::errors::{AppError, Result};
use crate::org::officers::rules::OfficerId;

/// What the change of assignments does to the duties of their persons: who need not work on one any
/// more owes nothing from today on, who must again owes from tomorrow, and a new deadline goes along.
///
/// # Errors
/// When the database fails.
pub fn changed<E: Effect>(tx: &mut EffectTx<'_, E>, changed: &[(Assignment, Assignment)]) -> Result<()> {
    let moved: Vec<&(Assignment, Assignment)> = changed
        .iter()
        .filter(|(before, after)| {
            before.is_worked_on() != after.is_worked_on()
                || after.is_worked_on() && before.due_on != after.due_on
        })
        .collect();
    let ids: Vec<AssignmentId> = moved.iter().map(|(_, after)| after.id).collect();
    let persons = store::persons(tx, &ids)?;
    for (before, after) in moved {
        let Some(officers) = persons.get(&after.id) else { continue };
        if before.is_worked_on() && !after.is_worked_on() {
            let still_today = after.state == AssignmentState::Open;
            if !still_today {
                today_is_not_frozen(tx)?;
            }
            store::end(tx, after.id, None, still_today)?;
        } else if before.is_worked_on() {
            // Today is still owed under the old deadline; from tomorrow the new one counts.
            store::end(tx, after.id, None, true)?;
            store::begin(tx, after, officers)?;
        } else {
            store::begin(tx, after, officers)?;
        }
    }
    Ok(())
}

/// A request that was taken up before midnight and gets its turn after the sweep would take away what is
/// frozen as owed: it comes again, and is then one of the new day. See [`super::sweep`].
fn today_is_not_frozen<E: Effect>(tx: &mut EffectTx<'_, E>) -> Result<()> {
    let today = tx.now().shanghai_day();
    if store::is_frozen(tx, today)? {
        return Err(AppError::unavailable(1, format!("{today} was frozen while the request waited")));
    }
    Ok(())
}

/// Ends the duties of officers who carry an assignment no more: today is still owed.
///
/// # Errors
/// When the database fails.
pub fn end<E: Effect>(tx: &mut EffectTx<'_, E>, id: AssignmentId, officers: &[OfficerId]) -> Result<()> {
    if officers.is_empty() { Ok(()) } else { store::end(tx, id, Some(officers), true) }
}

/// Ends the duties of assignments that nobody works on any more, for their plan is closed: today is still
/// owed.
///
/// # Errors
/// When the database fails.
pub fn closed<E: Effect>(tx: &mut EffectTx<'_, E>, assignments: &[Assignment]) -> Result<()> {
    let ids: Vec<AssignmentId> =
        assignments.iter().filter(|one| one.is_worked_on()).map(|one| one.id).collect();
    for id in store::persons(tx, &ids)?.into_keys() {
        store::end(tx, id, None, true)?;
    }
    Ok(())
}

/// Ends the duties of assignments whose tasks ask for daily entries no more: today is still owed.
///
/// # Errors
/// When the database fails.
pub fn asked_no_more<E: Effect>(tx: &mut EffectTx<'_, E>, assignments: &[Assignment]) -> Result<()> {
    for one in assignments.iter().filter(|one| one.is_worked_on()) {
        store::end(tx, one.id, None, true)?;
    }
    Ok(())
}

/// Begins the duties, with tomorrow, of the persons of assignments whose tasks ask for daily entries from now
/// on.
///
/// # Errors
/// When the database fails.
pub fn asked<E: Effect>(tx: &mut EffectTx<'_, E>, assignments: &[Assignment]) -> Result<()> {
    let worked_on: Vec<&Assignment> = assignments.iter().filter(|one| one.is_worked_on()).collect();
    let ids: Vec<AssignmentId> = worked_on.iter().map(|one| one.id).collect();
    let persons = store::persons(tx, &ids)?;
    for one in worked_on {
        if let Some(officers) = persons.get(&one.id) {
            store::begin(tx, one, officers)?;
        }
    }
    Ok(())
}

/// Begins duties with tomorrow, of a task that asks for daily entries.
///
/// # Errors
/// When the database fails.
pub fn begin<E: Effect>(tx: &mut EffectTx<'_, E>, one: &Assignment, officers: &[OfficerId]) -> Result<()> {
    if officers.is_empty() { Ok(()) } else { store::begin(tx, one, officers) }
}

/// Rewrites the paths of a moved subtree.
///
/// # Errors
/// When the database fails.
pub fn moved<E: Effect>(tx: &mut EffectTx<'_, E>, from: &str, to: &str) -> Result<()> {
    store::follow(tx, from, to)
}

/// Gives the duties that last to the unit that takes over: what was owed before stays the old unit's.
///
/// # Errors
/// When the database fails.
pub fn handed_over<E: Effect>(tx: &mut EffectTx<'_, E>, changed: &[(Assignment, Assignment)]) -> Result<()> {
    for (before, _) in changed {
        store::end(tx, before.id, None, true)?;
    }
    let ids: Vec<AssignmentId> = changed.iter().map(|(_, after)| after.id).collect();
    let persons = store::persons(tx, &ids)?;
    for (_, after) in changed.iter().filter(|(_, after)| after.is_worked_on()) {
        if let Some(officers) = persons.get(&after.id) {
            store::begin(tx, after, officers)?;
        }
    }
    Ok(())
}
