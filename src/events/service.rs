//! What has happened behind a position, and what of it each of those who listen may know.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use uuid::Uuid;

use super::kinds::{self, EventKind, Lead, TOLD_BELOW};
use super::place::Places;
use super::progress::Known;
use super::store::{self, Thing};
use super::wire::{self, EventView};
use crate::access::policy::{Audience, EventRead};
use crate::access::{Doors, Held, Listener, Reach, SessionId, Tx, UserId};
use crate::audit::service::{self as audit, Spot};
use crate::db::Id;
use crate::errors::Result;
use crate::inspections::checks::insight::Insight;
use crate::org::officers::rules::OfficerId;

/// Rows of the log that are gone through at once.
const AT_ONCE: i64 = 500;
/// Such stretches of the log that are gone through in one turn at most: who is farther behind has the next.
const STRETCHES: usize = 8;
/// How far somebody may be behind: whoever has missed more loads anew, which costs less.
const FARTHEST: i64 = 20_000;
/// Bytes that somebody is told at once, more or less.
const MOUTHFUL: usize = 32 * 1024;

/// An event, ready to be told, and to whom it may be.
pub(super) struct Told {
    pub(super) spot: Spot,
    kind: EventKind,
    pub(super) event: EventView,
    text: String,
    thing: Option<Thing>,
    /// Whether it may be told below where the thing stands.
    is_open: bool,
}

/// What happened behind a position, up to a place.
pub(super) struct Stretch {
    behind: i64,
    pub(super) told: Vec<Told>,
    pub(super) upto: Spot,
}

/// Where somebody begins to listen.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    /// Behind this place.
    pub after: Spot,
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
    let known = Places::of(doors.keys(), tx.tenant())?.spot(last);
    Ok(match known {
        Some(after) if is_near(tx, after, end)? => Start { after, lost: false },
        _ => Start { after: end, lost: true },
    })
}

/// Whether somebody who knows everything up to a place can be told the rest.
pub(super) fn is_near(tx: &mut Tx<'_, EventRead>, known: Spot, end: Spot) -> Result<bool> {
    let is_near = known.position <= end.position && end.position - known.position <= FARTHEST;
    Ok(is_near && audit::is_ours(tx, known)?)
}

/// Somebody who listens, and what they were told last.
#[derive(Debug, Clone)]
pub struct Ear {
    /// Who.
    pub listener: Listener,
    /// The last place told.
    pub after: Spot,
    /// Whether they are to hear from us even when nothing has happened.
    pub beat: bool,
    /// What they know of their jobs; none when they are not to be told of them now.
    pub jobs: Option<Known>,
}

/// What one of those who listen is told now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Word {
    /// Nothing; they are at this place.
    Nothing(Spot),
    /// This; then they are at this place.
    Said(String, Spot),
    /// No more: their session or the time of their token has ended.
    Ended,
}

/// What each of them is told now, in their order. All of it is looked up in one snapshot: what somebody may know is
/// what they may know at that moment. What is looked up is shared by all who stand near each other, and bounded.
///
/// # Errors
/// When the database fails: nobody has been told anything.
pub fn words(tx: &mut Tx<'_, EventRead>, doors: &Doors, ears: &[Ear]) -> Result<Vec<Word>> {
    let end = audit::sealed_up_to(tx)?;
    let places = Places::of(doors.keys(), tx.tenant())?;
    let mut order: Vec<usize> = (0..ears.len()).collect();
    // Those farthest on first, who are nearly all; then from the hindmost on, so that one stretch serves the next.
    let foremost = ears.iter().map(|ear| ear.after.position).max().unwrap_or_default();
    order.sort_by_key(|at| ears.get(*at).map(|ear| (ear.after.position != foremost, ear.after.position)));
    let mut stretches: Vec<Stretch> = Vec::new();
    let mut known: HashMap<SessionId, Option<Rights>> = HashMap::new();
    let mut words: Vec<Word> = ears.iter().map(|ear| Word::Nothing(ear.after)).collect();
    for at in order {
        let (Some(ear), Some(word)) = (ears.get(at), words.get_mut(at)) else { continue };
        if ear.after.position >= end.position && !ear.beat {
            continue;
        }
        let rights = match known.entry(ear.listener.session()) {
            Entry::Occupied(there) => there.into_mut(),
            Entry::Vacant(free) => free.insert(Rights::of(ear.listener, doors, tx)?),
        };
        let Some(rights) = rights.as_mut().filter(|_| !ear.listener.has_expired(tx.now())) else {
            *word = Word::Ended;
            continue;
        };
        let serves =
            |one: &Stretch| one.behind <= ear.after.position && ear.after.position <= one.upto.position;
        let stretch = match stretches.iter().position(serves) {
            Some(at) => stretches.get(at),
            None if stretches.len() < STRETCHES => {
                stretches.push(stretch(tx, &places, ear.after)?);
                stretches.last()
            }
            None => None,
        };
        let Some(stretch) = stretch else { continue };
        *word = told(stretch, ear, rights, &places)?;
    }
    Ok(words)
}

/// What one of them is told of a stretch.
fn told(stretch: &Stretch, ear: &Ear, rights: &mut Rights, places: &Places<'_>) -> Result<Word> {
    let (mut text, mut upto) = (String::new(), stretch.upto);
    let mut last = ear.after;
    for one in stretch.told.iter().filter(|one| one.spot.position > ear.after.position) {
        if text.len() >= MOUTHFUL {
            upto = last;
            break;
        }
        if rights.may_know(one) {
            text.push_str(&one.text);
        }
        last = one.spot;
    }
    if ear.beat {
        text.push_str(&wire::beat(&places.id(upto)?));
    }
    Ok(if text.is_empty() { Word::Nothing(upto) } else { Word::Said(text, upto) })
}

/// The first words to somebody.
///
/// # Errors
/// When the random source fails.
pub fn welcome(doors: &Doors, listener: Listener, start: Start) -> Result<String> {
    let id = Places::of(doors.keys(), listener.tenant())?.id(start.after)?;
    Ok(wire::welcome(&id, start.lost))
}

/// The next stretch behind a place.
pub(super) fn stretch(tx: &mut Tx<'_, EventRead>, places: &Places<'_>, after: Spot) -> Result<Stretch> {
    let rows = audit::sealed_behind(tx, after.position, AT_ONCE)?;
    let upto = rows.last().map_or(after, |(spot, _)| *spot);
    let mut found = Vec::new();
    let mut wanted: BTreeMap<Lead, Vec<Id<()>>> = BTreeMap::new();
    for (spot, row) in rows {
        let Some(row) = row else { continue };
        let Some((kind, lead)) = kinds::told(&row.entity) else { continue };
        let by = Id::<()>::parse(&row.entity_id);
        if let Some(by) = by.filter(|_| lead != Lead::Everywhere) {
            wanted.entry(lead).or_default().push(by);
        }
        found.push((spot, kind, lead, by, row));
    }
    let mut things: HashMap<(Lead, Uuid), Thing> = HashMap::new();
    for (lead, mut ids) in wanted {
        ids.sort_unstable();
        ids.dedup();
        things.extend(store::things(tx, lead, &ids)?.into_iter().map(|(by, thing)| ((lead, by), thing)));
    }
    let mut told = Vec::with_capacity(found.len());
    for (spot, kind, lead, by, row) in found {
        let thing = by.and_then(|by| things.get(&(lead, by.uuid()))).cloned();
        // What is not there any more is nobody's.
        if thing.is_none() && lead != Lead::Everywhere {
            continue;
        }
        let below = TOLD_BELOW.contains(&(row.entity.as_str(), row.action.as_str()));
        let is_open = below && thing.as_ref().is_some_and(|thing| thing.is_open);
        let event = EventView {
            kind,
            id: thing.as_ref().map(|thing| thing.id),
            of: thing.as_ref().and_then(|thing| thing.of),
            action: row.action,
            at: row.at,
            progress: None,
        };
        let text = wire::event(&places.id(spot)?, &event)?;
        told.push(Told { spot, kind, event, text, thing, is_open });
    }
    Ok(Stretch { behind: after.position, told, upto })
}

/// How far somebody who holds these roles may know of things of a kind; none when not at all. What is an account's own is so
/// without a role.
pub(super) fn reach(kind: EventKind, held: &[Held]) -> Option<Reach> {
    let row = kind.row();
    let own = (row.audience == Audience::Account).then(Reach::default);
    Reach::of(row, held).or(own)
}

/// How far the rights of a session reach, found once a kind.
pub(super) struct Rights {
    user: UserId,
    held: Arc<[Held]>,
    officer: Option<OfficerId>,
    insight: Insight,
    reaches: HashMap<EventKind, Option<Reach>>,
}

impl Rights {
    /// Those of whoever listens, now; none when the session has ended.
    fn of(listener: Listener, doors: &Doors, tx: &mut Tx<'_, EventRead>) -> Result<Option<Self>> {
        let Some(held) = listener.held(doors, tx)? else { return Ok(None) };
        Self::of_account(tx, listener.user(), held).map(Some)
    }

    /// Those of whoever asks.
    pub(super) fn of_caller(tx: &mut Tx<'_, EventRead>) -> Result<Self> {
        let (user, held) = (tx.user()?, tx.held().into());
        Self::of_account(tx, user, held)
    }

    fn of_account(tx: &mut Tx<'_, EventRead>, user: UserId, held: Arc<[Held]>) -> Result<Self> {
        let (officer, insight) = (store::officer_of(tx, user)?, Insight::of_holder(tx, user, &held)?);
        Ok(Self { user, held, officer, insight, reaches: HashMap::new() })
    }

    pub(super) fn may_know(&mut self, told: &Told) -> bool {
        let held = &self.held;
        let reach = self.reaches.entry(told.kind).or_insert_with(|| reach(told.kind, held));
        let Some(reach) = reach else { return false };
        let Some(thing) = &told.thing else { return true };
        if thing.account.is_some() {
            return thing.account == Some(self.user);
        }
        let is_own = reach.assigned && thing.owner.is_some() && thing.owner == self.officer;
        // Whoever is named in it knows of it, however far their role reaches otherwise.
        let is_named = thing.members.contains(&self.user);
        let is_reached = if thing.is_covert {
            self.insight.reaches(&thing.path)
        } else {
            reach.contains(&thing.path) && thing.also.as_ref().is_none_or(|path| reach.contains(path))
        };
        is_own || is_named || is_reached || (told.is_open && reach.ancestors.contains(&thing.path))
    }
}
