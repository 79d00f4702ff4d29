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

use super::service::{self, Ear, Start, Word};
use crate::access::{Doors, Listener, Newcomer, listening};
use crate::audit::service::Spot;
use crate::db::TenantId;
use crate::errors::Result;

/// How often it looks.
const PAUSE: Duration = Duration::from_millis(200);
/// How long nobody is left without a word.
const BEAT: Duration = Duration::from_secs(10);
/// How long somebody may read nothing.
const PATIENCE: Duration = Duration::from_mins(1);

struct Seat {
    listener: Listener,
    after: Spot,
    out: Sender<Bytes>,
    heard: Instant,
}

struct Silence(Arc<Doors>);

impl Drop for Silence {
    fn drop(&mut self) {
        self.0.fall_silent();
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
        for newcomer in self.doors.take_newcomers() {
            self.seat(newcomer);
        }
        let tenants: Vec<TenantId> = self.seats.keys().copied().collect();
        for tenant in tenants {
            let Some(seats) = self.seats.remove(&tenant) else { continue };
            let seats = match self.tell(tenant, seats).await {
                Ok(seats) => seats,
                Err((error, seats)) => {
                    tracing::warn!(%tenant, %error, "those who listen could not be told; trying again");
                    seats
                }
            };
            if !seats.is_empty() {
                self.seats.insert(tenant, seats);
            }
        }
    }

    fn seat(&mut self, newcomer: Newcomer) {
        let Newcomer { listener, after, lost, out } = newcomer;
        let start = Start { after, lost };
        match service::welcome(&self.doors, listener, start) {
            Ok(text) => {
                // Whoever has left already is found out at the first turn.
                drop(out.try_send(text.into()));
                let seat = Seat { listener, after, out, heard: Instant::now() };
                self.seats.entry(listener.tenant()).or_default().push(seat);
            }
            Err(error) => tracing::warn!(%error, "somebody who came to listen could not be welcomed"),
        }
    }

    async fn tell(
        &self,
        tenant: TenantId,
        mut seats: Vec<Seat>,
    ) -> Result<Vec<Seat>, (crate::errors::AppError, Vec<Seat>)> {
        // Who has nothing left to read is patient with us; who reads nothing of what is there is not waited for.
        seats.retain(|seat| {
            !seat.out.is_closed() && (seat.out.capacity() > 0 || seat.heard.elapsed() < PATIENCE)
        });
        if seats.is_empty() {
            return Ok(seats);
        }
        // Nobody is asked about whose line is full: they would be told it again.
        let ear = |seat: &Seat| Ear {
            listener: seat.listener,
            after: seat.after,
            beat: seat.heard.elapsed() >= BEAT,
        };
        let ready: Vec<usize> =
            seats.iter().enumerate().filter(|(_, seat)| seat.out.capacity() > 0).map(|(at, _)| at).collect();
        let ears: Vec<Ear> = ready.iter().filter_map(|at| seats.get(*at)).map(ear).collect();
        let doors = Arc::clone(&self.doors);
        let words = listening(&self.doors, tenant, move |tx| service::words(tx, &doors, &ears)).await;
        let words = match words {
            Ok(words) => words,
            Err(error) => return Err((error, seats)),
        };
        let mut ended = Vec::new();
        for (at, word) in ready.into_iter().zip(words) {
            let Some(seat) = seats.get_mut(at) else { continue };
            match word {
                Word::Nothing(upto) => seat.after = upto,
                Word::Ended => ended.push(at),
                Word::Said(text, upto) => match seat.out.try_send(text.into()) {
                    Ok(()) => (seat.after, seat.heard) = (upto, Instant::now()),
                    Err(TrySendError::Closed(_)) => ended.push(at),
                    Err(TrySendError::Full(_)) => {}
                },
            }
        }
        for at in ended.into_iter().rev() {
            seats.swap_remove(at);
        }
        Ok(seats)
    }
}
