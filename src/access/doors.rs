//! What every request needs: the database, the clock, the keys; and who has been written for.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use moka::sync::Cache;

use super::identity;
use super::keys::KeyRing;
use super::listeners::Listeners;
use super::password::Passwords;
use super::remembered::Answers;
use super::token::Tokens;
use super::tx::UserId;
use crate::db::{Clock, Db, Instant, TenantId};
use crate::errors::Result;
use crate::files::Files;
use crate::metrics::Metrics;

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
    files: Files,
    metrics: Metrics,
    draining: AtomicBool,
    listeners: Listeners,
    jobs: TakenOn,
    /// The tenants written for in this process since somebody asked.
    written: Mutex<BTreeSet<TenantId>>,
}

/// The tenants for which this process has taken a job on, for whoever does them.
#[derive(Debug, Default)]
pub struct TakenOn {
    tenants: Mutex<BTreeSet<TenantId>>,
    bell: tokio::sync::Notify,
}

impl TakenOn {
    /// Says that there is a job to do.
    pub fn add(&self, tenant: TenantId) {
        self.tenants.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant);
        self.bell.notify_one();
    }

    /// The tenants since this was asked last.
    #[must_use]
    pub fn take(&self) -> BTreeSet<TenantId> {
        std::mem::take(&mut *self.tenants.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until there is one.
    pub async fn wait(&self) {
        self.bell.notified().await;
    }
}

impl Doors {
    /// Puts them together.
    ///
    /// # Errors
    /// When the random source fails.
    pub fn new(db: Db, clock: Clock, keys: KeyRing, files: Files) -> Result<Self> {
        Ok(Self {
            db,
            clock,
            keys,
            tokens: Tokens::default(),
            passwords: Passwords::new()?,
            bindings: Cache::new(REMEMBERED),
            answers: Answers::default(),
            files,
            metrics: Metrics::default(),
            draining: AtomicBool::new(false),
            listeners: Listeners::default(),
            jobs: TakenOn::default(),
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

    /// Whether everybody who writes waits for the same writer.
    #[must_use]
    pub fn has_one_writer(&self) -> bool {
        self.db.is_embedded()
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

    /// Who listens for what happens.
    #[must_use]
    pub fn listeners(&self) -> &Listeners {
        &self.listeners
    }

    /// The tenants for which this process has taken a job on.
    #[must_use]
    pub fn jobs(&self) -> &TakenOn {
        &self.jobs
    }

    /// Where the bytes of files are.
    #[must_use]
    pub fn files(&self) -> &Files {
        &self.files
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
