//! What every request needs: the database, the clock, the keys; and who has been written for.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::web::Bytes;
use moka::sync::Cache;
use tokio::sync::mpsc::{Receiver, channel};

use super::identity;
use super::keys::KeyRing;
use super::listeners::{Line, Lines, Listener, Newcomer};
use super::password::Passwords;
use super::remembered::Answers;
use super::token::Tokens;
use super::tx::UserId;
use crate::audit::service::Spot;
use crate::db::{Clock, Db, Instant, TenantId};
use crate::errors::{AppError, Code, Result};
use crate::metrics::Metrics;

/// What waits at most for one who listens to read it: pieces of some 32 kB.
const WAITING: usize = 2;
/// Sets of role bindings remembered at most.
const REMEMBERED: u64 = 20_000;

/// What every request needs: the database, the clock, the keys.
pub struct Doors {
    pub(super) db: Db,
    pub(super) clock: Clock,
    pub(super) keys: KeyRing,
    pub(super) tokens: Tokens,
    pub(super) passwords: Passwords,
    pub(super) bindings: Cache<(TenantId, UserId, i64), Arc<[identity::Binding]>>,
    pub(super) answers: Answers,
    metrics: Metrics,
    draining: AtomicBool,
    /// Those who came to listen since somebody asked, and the lines there are.
    /// None once nobody tells them anything any more.
    newcomers: Mutex<Option<Vec<Newcomer>>>,
    lines: Lines,
    /// The tenants written for in this process since somebody asked.
    written: Mutex<BTreeSet<TenantId>>,
}

impl Doors {
    /// Puts them together.
    ///
    /// # Errors
    /// When the random source fails.
    pub fn new(db: Db, clock: Clock, keys: KeyRing) -> Result<Self> {
        Ok(Self {
            db,
            clock,
            keys,
            tokens: Tokens::default(),
            passwords: Passwords::new()?,
            bindings: Cache::new(REMEMBERED),
            answers: Answers::default(),
            metrics: Metrics::default(),
            draining: AtomicBool::new(false),
            newcomers: Mutex::new(Some(Vec::new())),
            lines: Lines::default(),
            written: Mutex::default(),
        })
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<()> {
        self.db.ping().await
    }

    /// Says that the server is on its way out: readiness fails first.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the server is on its way out.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    fn written(&self) -> MutexGuard<'_, BTreeSet<TenantId>> {
        // A set that somebody panicked beside is still a set.
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that something was written for a tenant, to whoever follows what is written.
    pub(super) fn wrote(&self, tenant: TenantId) {
        self.written().insert(tenant);
    }

    /// The tenants that were written for since this was asked last.
    #[must_use]
    pub fn take_written(&self) -> BTreeSet<TenantId> {
        std::mem::take(&mut *self.written())
    }

    /// Lets somebody listen behind a place; what they are told comes through here, for as long as they hold the line.
    ///
    /// # Errors
    /// `unavailable` when as many listen as may, or when the server is on its way out; `too_many_listeners`.
    pub fn listen(&self, listener: Listener, after: Spot, lost: bool) -> Result<(Receiver<Bytes>, Line)> {
        let line = self.lines.take(listener)?;
        let (out, receiver) = channel(WAITING);
        match &mut *self.newcomers() {
            Some(newcomers) => newcomers.push(Newcomer { listener, after, lost, out }),
            None => return Err(AppError::new(Code::Unavailable).retry_after(1)),
        }
        Ok((receiver, line))
    }

    fn newcomers(&self) -> MutexGuard<'_, Option<Vec<Newcomer>>> {
        self.newcomers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Those who came to listen since this was asked last.
    #[must_use]
    pub fn take_newcomers(&self) -> Vec<Newcomer> {
        self.newcomers().as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Says that nobody is told anything from now on: whoever comes is sent to another instance.
    pub fn fall_silent(&self) {
        *self.newcomers() = None;
    }

    /// How many listen.
    #[must_use]
    pub fn listeners(&self) -> usize {
        self.lines.count()
    }

    /// What an operator watches.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// What time it is.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The public signing keys.
    #[must_use]
    pub fn keys(&self) -> &KeyRing {
        &self.keys
    }

    /// What hashes and verifies passwords.
    #[must_use]
    pub fn passwords(&self) -> &Passwords {
        &self.passwords
    }
}
