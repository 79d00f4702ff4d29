//! The one place that asks what time it is. Everything else gets the time as an argument.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::Instant;

/// A clock; tests hold one that they move by hand.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands still at `at` until it is moved.
    #[must_use]
    pub fn manual(at: Instant) -> Self {
        Self(Source::Manual(Arc::new(AtomicI64::new(at.micros()))))
    }

    /// What time it is.
    #[must_use]
    #[allow(clippy::disallowed_methods, reason = "this is the clock")]
    pub fn now(&self) -> Instant {
        match &self.0 {
            Source::System => Instant::from_micros(chrono::Utc::now().timestamp_micros()),
            Source::Manual(micros) => Instant::from_micros(micros.load(Ordering::SeqCst)),
        }
    }

    /// Moves a manual clock forward by `seconds`; the machine's clock is not ours to move.
    pub fn advance(&self, seconds: i64) {
        if let Source::Manual(micros) = &self.0 {
            micros.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
        }
    }
}
