//! Which checks wait for the caller, and what for.
//!
//! A covert check that has not been released waits for its team and commander alone: whatever is looked through here is what
//! `visible!` of the store holds, and told is what [`Caller::allowed`] allows.

use chrono::NaiveDate;

use super::rules::{Check, CheckAction, CheckId, CheckState, number_text};
use super::service::{Caller, reaches};
use super::{embargo_store, store};
use crate::access::policy::{Action, CheckRead};
use crate::access::{Reach, Tx};
use crate::db::Instant;
use crate::errors::Result;
use crate::inspections::waiting::{PORTION, behind, gathered};
use crate::org::rules::UnitId;

/// What a check waits for, and the state in which it does: where photos are to come, that they do or are given up. Voiding and adding to it are nobody's duty.
const STEPS: &[(CheckAction, CheckState)] = &[
    (CheckAction::Record, CheckState::InProgress),
    (CheckAction::GiveUpAttachments, CheckState::Recorded),
    (CheckAction::Confirm, CheckState::Recorded),
    (CheckAction::Release, CheckState::Confirmed),
    (CheckAction::Contest, CheckState::Released),
    (CheckAction::Decide, CheckState::Contested),
];

/// A check that somebody may now take a step further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AwaitedCheck {
    /// What it waits for.
    pub action: CheckAction,
    /// The check.
    pub id: CheckId,
    /// Whom it inspects.
    pub unit_id: UnitId,
    /// Its number, as it is told; none before it is released.
    pub number: Option<String>,
    /// Since when it waits.
    pub since: Instant,
    /// The last day on which it can be done; none where there is none.
    pub until_on: Option<NaiveDate>,
}

impl AwaitedCheck {
    fn of(action: CheckAction, check: &Check) -> Self {
        let since = match action {
            CheckAction::Confirm | CheckAction::GiveUpAttachments => check.recorded_at,
            CheckAction::Release => check.confirmed_at,
            CheckAction::Contest => check.released_at,
            CheckAction::Decide => check.objection.as_ref().map(|(_, _, at)| *at),
            CheckAction::Record | CheckAction::Void | CheckAction::AddAddendum => None,
        };
        Self {
            action,
            id: check.id,
            unit_id: check.unit_id,
            number: check.number.map(number_text),
            // A device's clock may say anything: a check that goes on waits since we heard of it.
            since: since.unwrap_or(check.received_at),
            until_on: check.objection_until_on.filter(|_| action == CheckAction::Contest),
        }
    }
}

/// What of the checks that the caller reads lies where an action reaches; their own are theirs besides.
fn within(read: &Reach, action: &Reach) -> Reach {
    if action.tenant {
        return read.clone();
    }
    let ranges = action.ranges.iter().flat_map(|range| read.narrowed(range)).collect();
    Reach { ranges, ..Reach::default() }
}

/// The checks that wait for the caller, so many of each sort at most: to be recorded by the team, to be completed by team or commander, to be confirmed and released
/// by the commander unless the clock releases them, to be objected to by the inspected unit's head, and objections to be
/// answered.
///
/// # Errors
/// When the database fails.
pub fn awaited<A: Action>(tx: &mut Tx<'_, A>, most: usize) -> Result<Vec<AwaitedCheck>> {
    let may = reaches(tx);
    let theirs = |action: CheckAction| may.iter().find(|(one, _)| *one == action).map(|(_, reach)| reach);
    if STEPS.iter().all(|(action, _)| theirs(*action).is_none()) {
        return Ok(Vec::new());
    }
    let read = tx.reach_of::<CheckRead>().unwrap_or_default();
    let caller = Caller::of(tx)?;
    let mut found = Vec::new();
    for (action, state) in STEPS {
        if let Some(reach) = theirs(*action) {
            found.extend(waiting_in(tx, &caller, &within(&read, reach), (*action, *state), most)?);
        }
    }
    Ok(found)
}

fn waiting_in<A: Action>(
    tx: &mut Tx<'_, A>,
    caller: &Caller,
    reach: &Reach,
    (action, state): (CheckAction, CheckState),
    most: usize,
) -> Result<Vec<AwaitedCheck>> {
    let today = tx.now().shanghai_day();
    gathered(most, |after| {
        let mut checks = store::in_state(tx, reach, state, (after, PORTION))?;
        let next = behind(&checks, |check| (check.created_at, check.id));
        checks.retain(|check| caller.allowed(check, today).contains(&action));
        if action == CheckAction::Release {
            // The commander may still be faster, but it is the clock that is waited for.
            let ids: Vec<CheckId> = checks.iter().map(|check| check.id).collect();
            let scheduled = embargo_store::scheduled_of(tx, &ids)?;
            checks.retain(|check| !scheduled.contains(&check.id));
        }
        Ok((checks.iter().map(|check| AwaitedCheck::of(action, check)).collect(), next))
    })
}
