//! What has happened behind a position, and what of it each of those who listen may know.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::kinds::{EventKind, Lead, TOLD_BELOW, told};
use super::place::Places;
use super::store::{self, Thing};
use crate::access::policy::EventRead;
use crate::access::{Doors, Held, Listener, Reach, Tx};
use crate::audit::service as audit;
use crate::db::{Id, Instant};
use crate::errors::{AppError, Result};

/// Rows of the log looked at for one answer.
pub const AT_ONCE: i64 = 500;
/// How far somebody may be behind: whoever has missed more loads anew, which costs less.
pub const FARTHEST: i64 = 20_000;

/// What is said of a thing.
#[derive(Debug, Clone, Serialize)]
pub struct Event {
    /// What it is about.
    pub kind: EventKind,
    /// The thing's id; none of what is the whole province's.
    pub id: Option<Uuid>,
    /// What the thing is found under, if it is not found by its id alone.
    pub of: Option<Uuid>,
    /// The action, or the effect of one.
    pub action: String,
    /// When.
    pub at: Instant,
}

/// An event with its position, and where the thing stands.
struct Located {
    position: i64,
    event: Event,
    thing: Option<Thing>,
}

/// Where somebody begins to listen.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    /// Behind this position.
    pub after: i64,
    /// Whether something was missed on the way there.
    pub lost: bool,
}

/// Where somebody begins who knew the event with this id last; with everything from now on without one.
///
/// # Errors
/// When the database fails.
pub fn start(tx: &mut Tx<'_, EventRead>, doors: &Doors, last: Option<&str>) -> Result<Start> {
    let end = audit::sealed_up_to(tx)?;
    let Some(last) = last else { return Ok(Start { after: end, lost: false }) };
    let known = Places::of(doors.keys(), tx.tenant())?.position(last);
    Ok(match known.filter(|known| *known <= end && end - *known <= FARTHEST) {
        Some(after) => Start { after, lost: false },
        None => Start { after: end, lost: true },
    })
}

/// Somebody who listens, and what they were told last.
#[derive(Debug, Clone, Copy)]
pub struct Ear {
    /// Who.
    pub listener: Listener,
    /// The last position told.
    pub after: i64,
    /// Whether they are to hear from us even when nothing has happened.
    pub beat: bool,
}

/// What one of those who listen is told now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// Nothing; they are at this position.
    Nothing(i64),
    /// This; then they are at this position.
    Said(String, i64),
    /// No more: their session or the time of their token has ended.
    Ended,
}

/// What each of them is told now, in their order. All of it is looked up in one snapshot: what somebody may know is
/// what they may know at that moment.
///
/// # Errors
/// When the database fails: nobody has been told anything.
pub fn words(tx: &mut Tx<'_, EventRead>, doors: &Doors, ears: &[Ear]) -> Result<Vec<Word>> {
    let end = audit::sealed_up_to(tx)?;
    let places = Places::of(doors.keys(), tx.tenant())?;
    let mut known: BTreeMap<i64, (Vec<Located>, i64)> = BTreeMap::new();
    let mut words = Vec::with_capacity(ears.len());
    for ear in ears {
        if ear.after >= end && !ear.beat {
            words.push(Word::Nothing(ear.after));
            continue;
        }
        let Some(held) = ear.listener.held(doors, tx)? else {
            words.push(Word::Ended);
            continue;
        };
        let (events, upto) = match known.entry(ear.after) {
            Entry::Occupied(there) => there.into_mut(),
            Entry::Vacant(free) => free.insert(located(tx, ear.after)?),
        };
        let mut rights = Rights::of(&held);
        let mut text = String::new();
        for located in events.iter() {
            if rights.may_know(located) {
                say(&mut text, &places, located)?;
            }
        }
        if ear.beat {
            // So that a line that is cut is noticed, and a long silence need not be gone through again.
            writeln!(text, ":\nid: {}\n", places.id(*upto)?).map_err(AppError::internal)?;
        }
        words.push(if text.is_empty() { Word::Nothing(*upto) } else { Word::Said(text, *upto) });
    }
    Ok(words)
}

/// The first words to somebody: how long to wait before coming again, where to go on, and whether to load anew.
///
/// # Errors
/// When the random source fails.
pub fn welcome(doors: &Doors, listener: Listener, start: Start) -> Result<String> {
    let id = Places::of(doors.keys(), listener.tenant())?.id(start.after)?;
    let reset = if start.lost { "event: reset\ndata: {}\n" } else { ":\n" };
    Ok(format!("retry: 2000\nid: {id}\n{reset}\n"))
}

fn say(text: &mut String, places: &Places, located: &Located) -> Result<()> {
    let data = serde_json::to_string(&located.event).map_err(AppError::internal)?;
    let (id, kind) = (places.id(located.position)?, located.event.kind);
    write!(text, "id: {id}\nevent: {kind}\ndata: {data}\n\n").map_err(AppError::internal)
}

/// The next events behind a position, and up to where that looks.
fn located(tx: &mut Tx<'_, EventRead>, after: i64) -> Result<(Vec<Located>, i64)> {
    let rows = audit::sealed_behind(tx, after, AT_ONCE)?;
    let upto = rows.last().map_or(after, |(position, _)| *position);
    let mut found = Vec::new();
    let mut wanted: BTreeMap<Lead, Vec<Id<()>>> = BTreeMap::new();
    for (position, row) in rows {
        let Some(row) = row else { continue };
        let Some((kind, lead)) = told(&row.entity) else { continue };
        let by = Id::<()>::parse(&row.entity_id);
        if let Some(by) = by.filter(|_| lead != Lead::Everywhere) {
            wanted.entry(lead).or_default().push(by);
        }
        found.push((position, kind, lead, by, row));
    }
    let mut things: HashMap<(Lead, Uuid), Thing> = HashMap::new();
    for (lead, mut ids) in wanted {
        ids.sort_unstable();
        ids.dedup();
        things.extend(store::things(tx, lead, &ids)?.into_iter().map(|(by, thing)| ((lead, by), thing)));
    }
    let located = found.into_iter().filter_map(|(position, kind, lead, by, row)| {
        let thing = by.and_then(|by| things.get(&(lead, by.uuid()))).cloned();
        // What is not there any more is nobody's.
        (thing.is_some() || lead == Lead::Everywhere).then(|| Located {
            position,
            event: Event {
                kind,
                id: thing.as_ref().map(|thing| thing.id),
                of: thing.as_ref().and_then(|thing| thing.of),
                action: row.action,
                at: row.at,
            },
            thing,
        })
    });
    Ok((located.collect(), upto))
}

/// How far somebody's rights reach, found once a kind.
struct Rights<'h> {
    held: &'h [Held],
    reaches: HashMap<EventKind, Option<Reach>>,
}

impl<'h> Rights<'h> {
    fn of(held: &'h [Held]) -> Self {
        Self { held, reaches: HashMap::new() }
    }

    fn may_know(&mut self, located: &Located) -> bool {
        let (kind, held) = (located.event.kind, self.held);
        let reach = self.reaches.entry(kind).or_insert_with(|| Reach::of(kind.row(), held));
        let Some(reach) = reach else { return false };
        match &located.thing {
            None => true,
            Some(thing) if reach.contains(&thing.path) => true,
            Some(thing) => {
                thing.is_open
                    && TOLD_BELOW.contains(&located.event.action.as_str())
                    && reach.ancestors.contains(&thing.path)
            }
        }
    }
}

/// An event as it is shown in the document.
#[must_use]
pub fn example() -> Value {
    serde_json::json!({
        "kind": "plan", "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d80", "of": null,
        "action": "plan.approve", "at": "2026-03-20T02:11:09.000000Z",
    })
}
