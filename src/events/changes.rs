//! What has changed since somebody asked last: the same that those who listen are told, for a phone that is seldom there.
//!
//! Where to go on is told by an id that moves with what its reader may know of, and is the same each time: whoever asks again
//! while nothing of theirs has happened gets the same bytes, whatever else has, but for a step each thousand rows of the log.

use super::kinds::EventKind;
use super::place::Places;
use super::service::{Rights, is_near, stretch};
use super::wire::EventView;
use crate::access::policy::EventRead;
use crate::access::{Doors, Tx};
use crate::audit::service::{self as audit, Spot};
use crate::errors::Result;

/// Stretches of the log that one answer goes through at most.
const STRETCHES: usize = 8;
/// How far behind somebody may stay of whom nothing was to be told: farther on they begin from there, and need not go through
/// it again.
const BEHIND: i64 = 1000;

/// What has changed.
#[derive(Debug)]
pub struct Changes {
    /// Oldest first.
    pub items: Vec<EventView>,
    /// Where to go on.
    pub next_since: String,
    /// Whether there is more already.
    pub has_more: bool,
    /// Whether something was missed: what is known is to be loaded anew.
    pub reset: bool,
}

/// What has changed behind a place, of these kinds or of all, so much at most.
///
/// # Errors
/// When the database fails.
pub fn changes(
    tx: &mut Tx<'_, EventRead>,
    doors: &Doors,
    since: Option<&str>,
    kinds: &[EventKind],
    most: usize,
) -> Result<Changes> {
    let (user, end) = (tx.user()?, audit::sealed_up_to(tx)?);
    let places = Places::of(doors.keys(), tx.tenant())?.of_kinds(kinds);
    let known = match since.and_then(|since| places.spot(since)) {
        Some(spot) if is_near(tx, spot, end)? => spot,
        _ => {
            // The last milestone: some of what is loaded now is told once more, and nothing is missed.
            let next_since = places.steady_id(user, audit::milestone(tx, BEHIND)?)?;
            return Ok(Changes { items: Vec::new(), next_since, has_more: false, reset: true });
        }
    };
    let mut rights = Rights::of_caller(tx)?;
    let (mut items, mut last, mut reached) = (Vec::new(), known, known);
    for _ in 0..STRETCHES {
        if reached.position >= end.position {
            break;
        }
        let found = stretch(tx, &places, reached)?;
        for one in found.told {
            if !(kinds.is_empty() || kinds.contains(&one.event.kind)) || !rights.may_know(&one) {
                continue;
            }
            if items.len() == most {
                let next_since = places.steady_id(user, last)?;
                return Ok(Changes { items, next_since, has_more: true, reset: false });
            }
            last = one.spot;
            items.push(one.event);
        }
        reached = found.upto;
    }
    let has_more = reached.position < end.position;
    let next = next(tx, (known, last, reached), has_more)?;
    Ok(Changes { items, next_since: places.steady_id(user, next)?, has_more, reset: false })
}

/// Where they go on: behind the last they were told, unless so much is behind that which is none of theirs that going through it
/// again would cost too much.
fn next(
    tx: &mut Tx<'_, EventRead>,
    (known, last, reached): (Spot, Spot, Spot),
    has_more: bool,
) -> Result<Spot> {
    if has_more {
        return Ok(reached);
    }
    let far = audit::milestone(tx, BEHIND)?;
    let behind = last.position.max(known.position);
    Ok(if far.position > behind { far } else { last })
}
