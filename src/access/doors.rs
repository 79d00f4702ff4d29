//! What every request needs: the database, the clock, the keys; and who has been written for.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use moka::sync::Cache;
use tokio::sync::Notify;

use super::identity;
use super::keys::KeyRing;
use super::password::Passwords;
use super::token::Tokens;
use super::tx::UserId;
use crate::db::{Clock, Db, Instant, TenantId};
use crate::errors::Result;

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
    draining: AtomicBool,
    written: Written,
}

/// Which tenants have been written to in this process since somebody asked.
#[derive(Default)]
struct Written {
    tenants: Mutex<BTreeSet<TenantId>>,
    bell: Notify,
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
            draining: AtomicBool::new(false),
            written: Written::default(),
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

    /// Says that something was written for a tenant: whoever follows what is written looks at once.
    pub(super) fn wrote(&self, tenant: TenantId) {
        // Nothing is held while something can panic.
        self.written.tenants.lock().unwrap_or_else(PoisonError::into_inner).insert(tenant);
        self.written.bell.notify_one();
    }

    /// Waits until something has been written in this process.
    pub async fn written(&self) {
        self.written.bell.notified().await;
    }

    /// The tenants that were written to since this was asked last.
    #[must_use]
    pub fn take_written(&self) -> BTreeSet<TenantId> {
        std::mem::take(&mut *self.written.tenants.lock().unwrap_or_else(PoisonError::into_inner))
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
