//! What the server does by itself in every province, now and then.

use std::time::Duration;

use tokio::time::MissedTickBehavior;

use super::service;
use crate::access::{Doors, look_beside};
use crate::db::TenantId;
use crate::errors::Result;

/// Does a job in every province that works; how much was done. What is wrong in one holds up none of the others.
///
/// # Errors
/// When it failed anywhere; what was done elsewhere stays.
pub async fn in_every_province<W, F>(doors: &Doors, job: &'static str, work: W) -> Result<usize>
where
    W: Fn(TenantId) -> F,
    F: Future<Output = Result<usize>>,
{
    let tenants = look_beside(doors, TenantId::PLATFORM, job, service::working_tenants).await?;
    let (mut done, mut failed) = (0, Ok(()));
    for tenant in tenants {
        match work(tenant).await {
            Ok(some) => done += some,
            Err(error) => {
                tracing::warn!(%tenant, job, %error, "a province's turn failed");
                failed = Err(error);
            }
        }
    }
    failed.map(|()| done)
}

/// Has the clock say each so often that it is time, for as long as the program runs.
pub async fn each(pause: Duration, mut look: impl AsyncFnMut()) {
    let mut clock = tokio::time::interval(pause);
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        look().await;
    }
}
