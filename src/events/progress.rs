//! How far jobs are, told in passing to whoever began them: no row of the log says so, and whoever misses it misses
//! nothing that counts, for the end of a job is an event like others.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::kinds::EventKind;
use super::service::{Ear, reach};
use super::wire::{self, EventView};
use crate::access::policy::EventRead;
use crate::access::{Doors, JobId, SessionId, Tx, UserId};
use crate::errors::Result;
use crate::jobs::rules::Job;
use crate::jobs::service as jobs;

/// The jobs that somebody was told of last, each with a digest of what they were told.
pub type Known = Vec<(JobId, u64)>;

fn digest(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// What somebody is told in passing, and what they know then.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Passing {
    /// Events without an id; empty when nothing is new.
    pub text: String,
    /// What they know then.
    pub known: Known,
}

/// What each of those who listen is told of their jobs, in their order. Who is not due, or may not know, is told nothing
/// and knows what they knew.
///
/// # Errors
/// When the database fails: nobody has been told anything.
pub fn passing(tx: &mut Tx<'_, EventRead>, doors: &Doors, ears: &[Ear]) -> Result<Vec<Option<Passing>>> {
    let mut users: Vec<UserId> =
        ears.iter().filter(|ear| ear.jobs.is_some()).map(|ear| ear.listener.user()).collect();
    users.sort_unstable();
    users.dedup();
    let mut under_way: HashMap<UserId, Vec<Job>> = HashMap::new();
    if !users.is_empty() {
        for job in jobs::under_way(tx, &users)? {
            under_way.entry(job.user_id).or_default().push(job);
        }
    }
    let mut may: HashMap<SessionId, bool> = HashMap::new();
    let mut told = Vec::with_capacity(ears.len());
    for ear in ears {
        let Some(known) = &ear.jobs else {
            told.push(None);
            continue;
        };
        let mut passing = Passing::default();
        for job in under_way.get(&ear.listener.user()).into_iter().flatten() {
            let text = wire::in_passing(&EventView::progress(job))?;
            let now = (job.id, digest(&text));
            passing.known.push(now);
            if !known.contains(&now) && may_know(tx, doors, ear, &mut may)? {
                passing.text.push_str(&text);
            }
        }
        told.push(Some(passing));
    }
    Ok(told)
}

/// Whether the session still has the right to look at its jobs, asked once a turn.
fn may_know(
    tx: &mut Tx<'_, EventRead>,
    doors: &Doors,
    ear: &Ear,
    may: &mut HashMap<SessionId, bool>,
) -> Result<bool> {
    let session = ear.listener.session();
    let known = match may.entry(session) {
        Entry::Occupied(known) => *known.get(),
        Entry::Vacant(free) => {
            let held = ear.listener.held(doors, tx)?;
            *free.insert(held.is_some_and(|held| reach(EventKind::Job, &held).is_some()))
        }
    };
    Ok(known && !ear.listener.has_expired(tx.now()))
}
