//! How many requests somebody may make in a minute, so that no account (signed out: no address) takes the server from
//! all others. Every answer says what is left, as the IETF's draft on `RateLimit` header fields has it. Each
//! instance counts for itself.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::access::UserId;
use crate::db::TenantId;
use crate::errors::{AppError, Code, Result};

/// Over so many seconds.
const WINDOW: u32 = 60;
/// Callers remembered before those are forgotten that have all of their requests left.
const REMEMBERED: usize = 10_000;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Caller {
    /// Somebody who is signed in.
    Account(TenantId, UserId),
    /// Nobody yet, from this address.
    Address(String),
}

/// How many requests each caller may make.
pub struct Rates {
    most: NonZeroU32,
    limiter: RateLimiter<Caller, DashMapStateStore<Caller>, DefaultClock, StateInformationMiddleware>,
    clock: DefaultClock,
    counted: AtomicU32,
}

/// What a caller has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Left {
    most: u32,
    left: u32,
}

impl Rates {
    /// So many a minute; none when that is 0.
    #[must_use]
    pub fn of(most: u32) -> Option<Self> {
        let most = NonZeroU32::new(most)?;
        let each = Duration::from_secs(WINDOW.into()) / most.get();
        let quota = Quota::with_period(each)?.allow_burst(most);
        let limiter = RateLimiter::keyed(quota).with_middleware::<StateInformationMiddleware>();
        Some(Self { most, limiter, clock: DefaultClock::default(), counted: AtomicU32::new(0) })
    }

    /// Counts a request; what is left after it, and whether it is one too many.
    pub(super) fn count(&self, caller: &Caller) -> (Left, Result<()>) {
        let most = self.most.get();
        // Not at each request: it goes through all of them.
        if self.counted.fetch_add(1, Ordering::Relaxed).is_multiple_of(1000)
            && self.limiter.len() > REMEMBERED
        {
            self.limiter.retain_recent();
        }
        match self.limiter.check_key(caller) {
            Ok(state) => (Left { most, left: state.remaining_burst_capacity() }, Ok(())),
            Err(until) => {
                let wait = until.wait_time_from(self.clock.now()).as_secs().saturating_add(1);
                let wait = u32::try_from(wait).unwrap_or(WINDOW);
                (Left { most, left: 0 }, Err(AppError::new(Code::TooManyRequests).retry_after(wait)))
            }
        }
    }
}

impl Left {
    /// Tells it with an answer.
    pub(super) fn tell(self, headers: &mut HeaderMap) {
        let Self { most, left } = self;
        // After so many seconds without a request there is nothing to be missed.
        let reset = u64::from(most - left.min(most)) * u64::from(WINDOW) / u64::from(most.max(1));
        for (name, value) in [
            ("ratelimit-policy", format!("\"requests\";q={most};w={WINDOW}")),
            ("ratelimit", format!("\"requests\";r={left};t={reset}")),
        ] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_caller_has_its_own_requests_and_is_told_what_is_left() {
        let rates = Rates::of(3).unwrap();
        let (one, other) = (Caller::Address("10.0.0.1".into()), Caller::Address("10.0.0.2".into()));
        let told = |caller: &Caller| {
            let (left, outcome) = rates.count(caller);
            let mut headers = HeaderMap::new();
            left.tell(&mut headers);
            let text = headers.get("ratelimit").unwrap().to_str().unwrap().to_owned();
            (text, outcome.err().map(|error| (error.code(), error.retry_after_seconds())))
        };
        assert_eq!(told(&one), ("\"requests\";r=2;t=20".into(), None));
        assert_eq!(told(&one), ("\"requests\";r=1;t=40".into(), None));
        assert_eq!(told(&one), ("\"requests\";r=0;t=60".into(), None));
        let (text, refused) = told(&one);
        let (code, wait) = refused.unwrap();
        assert_eq!((text.as_str(), code), ("\"requests\";r=0;t=60", Code::TooManyRequests));
        assert!((1..=21).contains(&wait.unwrap()), "{wait:?}");
        assert_eq!(told(&other).1, None);
        assert!(Rates::of(0).is_none());
    }
}
