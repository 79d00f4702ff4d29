//! Who listens for what happens: admitted once like any request, and asked again before each thing they are told.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::web::Bytes;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::doors::Doors;
use super::gate::{Facts, Gate, admit, state_of};
use super::policy::{Action, EventRead};
use super::reach::{Held, Reach};
use super::token::Claims;
use super::tx::{SessionId, Tx, UserId, Who};
use crate::audit::service::Spot;
use crate::db::{Instant, TenantId};
use crate::errors::{AppError, Code, Result};

/// An account that listens, in one session.
#[derive(Debug, Clone, Copy)]
pub struct Listener(Claims);

/// Somebody who has just come to listen.
pub struct Newcomer {
    /// Who.
    pub listener: Listener,
    /// The last place that they know.
    pub after: Spot,
    /// Whether what they knew last is too long ago, or unknown here, so that they have to load anew.
    pub lost: bool,
    /// Where they are told.
    pub out: Sender<Bytes>,
}

impl Listener {
    /// Whoever is at this gate.
    ///
    /// # Errors
    /// `unauthenticated`.
    pub fn at(gate: &Gate<EventRead>) -> Result<Self> {
        gate.claims().map(Self).ok_or_else(|| AppError::new(Code::Unauthenticated))
    }

    /// The tenant.
    #[must_use]
    pub fn tenant(self) -> TenantId {
        self.0.tenant
    }

    /// The account.
    #[must_use]
    pub fn user(self) -> UserId {
        self.0.user
    }

    /// The session.
    #[must_use]
    pub fn session(self) -> SessionId {
        self.0.session
    }

    /// Whether the time of the token is over.
    #[must_use]
    pub fn has_expired(self, now: Instant) -> bool {
        self.0.has_expired(now)
    }

    /// The roles held now; none when the session or the account has ended. The same for all lines of a session.
    ///
    /// # Errors
    /// When the database fails.
    pub fn held(self, doors: &Doors, tx: &mut Tx<'_, EventRead>) -> Result<Option<Arc<[Held]>>> {
        let now = tx.now();
        match admit(doors, tx.conn(), self.0, now, EventRead::ROW, true) {
            Ok((Who::User { held, .. }, ..)) => Ok(Some(held)),
            Ok(_) => Ok(None),
            Err(error) => match error.code() {
                Code::TokenInvalid | Code::Forbidden | Code::PasswordChangeRequired => Ok(None),
                _ => Err(error),
            },
        }
    }
}

/// Who may listen at once, all together and with one account: lines cost memory, and no account may use up the lines of
/// others.
const LINES: usize = 5_000;
const LINES_OF_ONE: usize = 128;

/// What waits at most for one who listens to read it: pieces of some 32 kB.
const WAITING: usize = 2;

/// How many lines each account has.
type Counts = HashMap<(TenantId, UserId), usize>;

/// Those who listen at this instance.
pub struct Listeners {
    /// Those who came since somebody asked; none once nobody tells them anything any more.
    newcomers: Mutex<Option<Vec<Newcomer>>>,
    lines: Arc<Mutex<Counts>>,
}

/// A line, free again when this is dropped: it goes with the answer that is sent, not with what is still told.
pub struct Line {
    lines: Arc<Mutex<Counts>>,
    whose: (TenantId, UserId),
}

/// What somebody panicked beside is still what it was.
fn held<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for Listeners {
    fn default() -> Self {
        Self { newcomers: Mutex::new(Some(Vec::new())), lines: Arc::default() }
    }
}

impl Listeners {
    /// Lets somebody listen behind a place; what they are told comes through here, for as long as they hold the line.
    ///
    /// # Errors
    /// `unavailable` when as many listen as may, or when the server is on its way out; `too_many_listeners`.
    pub fn arrive(&self, listener: Listener, after: Spot, lost: bool) -> Result<(Receiver<Bytes>, Line)> {
        let line = self.take_line(listener)?;
        let (out, receiver) = channel(WAITING);
        match &mut *held(&self.newcomers) {
            Some(newcomers) => newcomers.push(Newcomer { listener, after, lost, out }),
            None => return Err(AppError::new(Code::Unavailable).retry_after(1)),
        }
        Ok((receiver, line))
    }

    fn take_line(&self, listener: Listener) -> Result<Line> {
        let whose = (listener.tenant(), listener.user());
        let mut all = held(&self.lines);
        if all.values().sum::<usize>() >= LINES {
            return Err(AppError::new(Code::Unavailable).retry_after(5));
        }
        let mine = all.entry(whose).or_default();
        if *mine >= LINES_OF_ONE {
            return Err(AppError::new(Code::TooManyListeners).retry_after(5));
        }
        *mine += 1;
        Ok(Line { lines: Arc::clone(&self.lines), whose })
    }

    /// Those who came since this was asked last.
    #[must_use]
    pub fn take_newcomers(&self) -> Vec<Newcomer> {
        held(&self.newcomers).as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Says that nobody is told anything from now on: whoever comes is sent to another instance.
    pub fn fall_silent(&self) {
        *held(&self.newcomers) = None;
    }

    /// How many listen.
    #[must_use]
    pub fn count(&self) -> usize {
        held(&self.lines).values().sum()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let mut all = held(&self.lines);
        if let Some(count) = all.get_mut(&self.whose) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                all.remove(&self.whose);
            }
        }
    }
}

/// Looks at a tenant for those who listen there: at all of it, since what each of them may know is asked of them.
///
/// # Errors
/// What `work` answers.
pub async fn listening<R, F>(doors: &Arc<Doors>, tenant: TenantId, work: F) -> Result<R>
where
    R: Send + 'static,
    F: FnOnce(&mut Tx<'_, EventRead>) -> Result<R> + Send + 'static,
{
    let facts = Facts { request_id: "events".to_owned(), ..Facts::plain(doors.now()) };
    let mut state = state_of(tenant, Who::Job("events"), &facts);
    doors.db.read(Some(tenant), move |conn| work(&mut Tx::new(conn, &mut state, Reach::whole_tenant()))).await
}
