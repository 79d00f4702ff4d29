//! The sweep at the end of each day: it runs beside the server, catches up what it missed, and has one
//! effect however often and by however many it is run.

use std::sync::Arc;
use std::time::Duration;

use chrono::NaiveDate;
use tokio::time::MissedTickBehavior;

use super::service;
use crate::access::{Doors, background};
use crate::db::TenantId;
use crate::errors::Result;
use crate::org::service as org;

/// The name of the job, as the audit log has it.
const JOB: &str = "daily_clearing";
/// How often it looks at the clock.
const PAUSE: Duration = Duration::from_mins(1);
/// Days frozen for one tenant at one go at most: a clock that is years off is looked at again meanwhile.
const AT_ONCE: usize = 1000;

/// Freezes every day that is over and is not frozen, in every province; how many those were.
///
/// # Errors
/// When the database fails; what was frozen before stays.
pub async fn catch_up(doors: &Doors) -> Result<usize> {
    let Some(yesterday) = doors.now().shanghai_day().pred_opt() else { return Ok(0) };
    let tenants = background(doors, TenantId::PLATFORM, JOB, |tx| {
        tx.nothing_changed();
        org::working_tenants(tx)
    })
    .await?;
    let (mut frozen, mut failed) = (0, Ok(()));
    for tenant in tenants {
        // What is wrong in one province holds up none of the others.
        match catch_up_one(doors, tenant, yesterday).await {
            Ok(days) => frozen += days,
            Err(error) => {
                tracing::warn!(%tenant, %error, "the days of a province could not be closed");
                failed = Err(error);
            }
        }
    }
    failed.map(|()| frozen)
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
    let mut clock = tokio::time::interval(PAUSE);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        let today = doors.now().shanghai_day();
        if done_on != Some(today) {
            match catch_up(&doors).await {
                Ok(0) => done_on = Some(today),
                Ok(days) => tracing::info!(days, "days were closed"),
                Err(error) => tracing::warn!(%error, "the day could not be closed; trying again"),
            }
        }
    }
}
