//! The sweep at the end of each day: it runs beside the server, catches up what it missed, and has one
//! effect however often and by however many it is run.
//!
//! # What comes late
//!
//! A request belongs to the day on which it was taken up, and may be written after that day is over. Why
//! none is lost from a frozen day, and none contradicts it:
//!
//! 1. The sweep waits: a day is frozen `GRACE` after its end, longer than any request may take
//!    (`web::receive::Allowance`). All that was taken up on the day has been written, or never will be.
//! 2. It freezes with no other writer of the tenant beside it: what was begun before it is committed, and
//!    seen; what begins after it sees the day frozen. Nothing is half seen.
//! 3. Should a write of the day come after all (a clock put back, a machine that slept), then an entry of the
//!    day counts as it was made, in time: entries are not frozen, only what is owed. Naming and taking off
//!    persons, closing a plan, a new deadline begin with tomorrow and leave the day as owed as it is. What
//!    would take the day away, completing a task, is refused with 503 and comes again as one of the new
//!    day; a frozen day of the calendar can be changed no more. Who leaves with a day gone by owes what is
//!    frozen: days that are frozen before the leaving is known always stay.

use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;

use super::service;
use crate::access::{Doors, background};
use crate::db::{Instant, TenantId};
use crate::errors::Result;
use crate::org::everywhere::{each, in_every_province};

/// The name of the job, as the audit log has it.
const JOB: &str = "daily_clearing";
/// How often it looks at the clock.
const PAUSE: Duration = Duration::from_mins(1);
/// Days frozen for one tenant at one go at most: a clock that is years off is looked at again meanwhile.
const AT_ONCE: usize = 1000;

/// How long after its end a day is left open for what was taken up on it.
const GRACE: Duration = Duration::from_mins(5);

/// The moment whose yesterday has nothing outstanding any more.
fn settled(now: Instant) -> Instant {
    now.plus_seconds(-i64::try_from(GRACE.as_secs()).unwrap_or_default())
}

/// Freezes every day that is over and is not frozen, in every province; how many those were.
///
/// # Errors
/// When the database fails; what was frozen before stays.
pub async fn catch_up(doors: &Doors) -> Result<usize> {
    catch_up_at(doors, doors.now()).await
}

async fn catch_up_at(doors: &Doors, now: Instant) -> Result<usize> {
    let Some(yesterday) = now.shanghai_day().pred_opt() else { return Ok(0) };
    in_every_province(doors, JOB, |tenant| catch_up_one(doors, tenant, yesterday)).await
}

async fn catch_up_one(doors: &Doors, tenant: TenantId, until: NaiveDate) -> Result<usize> {
    for frozen in 0..AT_ONCE {
        // A day a transaction, so that nobody waits long.
        if background(doors, tenant, JOB, move |tx| service::sweep_next(tx, until)).await?.is_none() {
            return Ok(frozen);
        }
    }
    Ok(AT_ONCE)
}

/// Runs beside the server for as long as that does.
pub async fn run(doors: Arc<Doors>) {
    let mut done_on = None;
    each(PAUSE, async || {
        let now = settled(doors.now());
        let today = now.shanghai_day();
        if done_on != Some(today) {
            match catch_up_at(&doors, now).await {
                Ok(0) => done_on = Some(today),
                Ok(days) => tracing::info!(days, "days were closed"),
                Err(error) => tracing::warn!(%error, "the day could not be closed; trying again"),
            }
        }
    })
    .await;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::Allowance;

    #[test]
    fn a_day_is_left_open_longer_than_any_request_may_take() {
        // Of a file it is the job, begun when all of it is there, that counts.
        assert!(GRACE > Allowance::JSON.whole * 2);
        let midnight = Instant::start_of_shanghai_day("2026-06-02".parse().unwrap());
        let day = |seconds| settled(midnight.plus_seconds(seconds)).shanghai_day().to_string();
        assert_eq!((day(299), day(300)), ("2026-06-01".to_owned(), "2026-06-02".to_owned()));
    }
}
