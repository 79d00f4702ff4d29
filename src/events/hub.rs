//! The hub: brings everybody who listens at this instance up to date a few times a second.
//!
//! It keeps nothing but where each of them is. A tenant whose log has not grown costs one small query a turn; what has
//! happened is looked up once for all who stand at the same place. Whoever reads too slowly is told nothing more until
//! they have read what waits for them, and misses nothing by that; whoever reads nothing for long is let go, and comes
//! back with the last id they know.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::web::Bytes;
use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::MissedTickBehavior;

use super::progress::{self, Known};
use super::service::{self, Ear, Start, Word};
use crate::access::{Doors, Listener, Newcomer, listening};
use crate::audit::service::Spot;
use crate::db::TenantId;
use crate::errors::Result;

/// How often it looks.
const PAUSE: Duration = Duration::from_millis(200);
/// How long nobody is left without a word.
const BEAT: Duration = Duration::from_secs(10);
/// How often somebody is told how far their jobs are.
const PROGRESS: Duration = Duration::from_secs(1);
/// How long somebody may read nothing.
const PATIENCE: Duration = Duration::from_mins(1);

struct Seat {
    listener: Listener,
    after: Spot,
    out: Sender<Bytes>,
    heard: Instant,
    /// What they know of their jobs, and when they were to be told of them last.
    jobs: Known,
    asked: Option<Instant>,
}

struct Silence(Arc<Doors>);

impl Drop for Silence {
    fn drop(&mut self) {
        self.0.listeners().fall_silent();
    }
}

/// Those who listen at this instance.
pub struct Hub {
    doors: Arc<Doors>,
    seats: HashMap<TenantId, Vec<Seat>>,
}

impl Hub {
    /// An empty one.
    #[must_use]
    pub fn new(doors: Arc<Doors>) -> Self {
        Self { doors, seats: HashMap::new() }
    }

    /// Runs beside the server for as long as that does; ends when the server is on its way out, and everybody's line
    /// with it, so that they come back to another instance.
    pub async fn run(mut self) {
        let mut clock = tokio::time::interval(PAUSE);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // However this ends: nobody is let in whom nobody tells anything.
        let _silence = Silence(Arc::clone(&self.doors));
        while !self.doors.is_draining() {
            clock.tick().await;
            self.turn().await;
        }
    }

    /// Brings everybody up to date once.
    pub async fn turn(&mut self) {
        for newcomer in self.doors.listeners().take_newcomers() {
            self.seat(newcomer);
        }
        for (tenant, seats) in &mut self.seats {
            if let Err(error) = tell(&self.doors, *tenant, seats).await {
                tracing::warn!(%tenant, %error, "those who listen could not be told; trying again");
            }
        }
        self.seats.retain(|_, seats| !seats.is_empty());
    }

    fn seat(&mut self, newcomer: Newcomer) {
        let Newcomer { listener, after, lost, out } = newcomer;
        let start = Start { after, lost };
        match service::welcome(&self.doors, listener, start) {
            Ok(text) => {
                // Whoever has left already is found out at the first turn.
                drop(out.try_send(text.into()));
                let seat =
                    Seat { listener, after, out, heard: Instant::now(), jobs: Known::new(), asked: None };
                self.seats.entry(listener.tenant()).or_default().push(seat);
            }
            Err(error) => tracing::warn!(%error, "somebody who came to listen could not be welcomed"),
        }
    }
}

/// Tells those who listen in a tenant what has happened there since.
async fn tell(doors: &Arc<Doors>, tenant: TenantId, seats: &mut Vec<Seat>) -> Result<()> {
    // Who has nothing left to read is patient with us; who reads nothing of what is there is not waited for.
    seats
        .retain(|seat| !seat.out.is_closed() && (seat.out.capacity() > 0 || seat.heard.elapsed() < PATIENCE));
    // Nobody is asked about whose line is full: they would be told it again.
    let (ready, ears): (Vec<usize>, Vec<Ear>) = seats
        .iter_mut()
        .enumerate()
        .filter(|(_, seat)| seat.out.capacity() > 0)
        .map(|(at, seat)| {
            let beat = seat.heard.elapsed() >= BEAT;
            let is_due = seat.asked.is_none_or(|asked| asked.elapsed() >= PROGRESS);
            let jobs = is_due.then(|| seat.jobs.clone());
            if is_due {
                seat.asked = Some(Instant::now());
            }
            (at, Ear { listener: seat.listener, after: seat.after, beat, jobs })
        })
        .unzip();
    if ears.is_empty() {
        return Ok(());
    }
    let shared = Arc::clone(doors);
    let (words, passing) = listening(doors, tenant, move |tx| {
        let words = service::words(tx, &shared, &ears)?;
        // What is told in passing counts for nothing: it does not keep anybody from what counts.
        let passing = progress::passing(tx, &shared, &ears).unwrap_or_else(|error| {
            tracing::warn!(%tenant, %error, "how far jobs are could not be told");
            vec![None; ears.len()]
        });
        Ok((words, passing))
    })
    .await?;
    let mut ended = Vec::new();
    for ((at, word), passing) in ready.into_iter().zip(words).zip(passing) {
        let Some(seat) = seats.get_mut(at) else { continue };
        let (mut text, upto) = match word {
            Word::Nothing(upto) => (String::new(), upto),
            Word::Said(text, upto) => (text, upto),
            Word::Ended => {
                ended.push(at);
                continue;
            }
        };
        // Only what bears an id tells them where they are.
        let is_placed = !text.is_empty();
        if let Some(passing) = &passing {
            text.push_str(&passing.text);
        }
        if !text.is_empty() {
            match seat.out.try_send(text.into()) {
                Ok(()) if is_placed => seat.heard = Instant::now(),
                Ok(()) => {}
                Err(TrySendError::Closed(_)) => {
                    ended.push(at);
                    continue;
                }
                // They have not been told: next time.
                Err(TrySendError::Full(_)) => continue,
            }
        }
        seat.after = upto;
        if let Some(passing) = passing {
            seat.jobs = passing.known;
        }
    }
    for at in ended.into_iter().rev() {
        seats.swap_remove(at);
    }
    Ok(())
}
