//! Draws the candidates that are missing: from checks that were released before there were candidates, or by an instance of
//! that version while another was already replaced.

use std::sync::Arc;
use std::time::Duration;

use super::service;
use crate::access::{Doors, background, look_beside};
use crate::db::TenantId;
use crate::errors::Result;
use crate::inspections::checks::rules::CheckId;
use crate::org::everywhere::{each, in_every_province};

/// The name of the job, as the audit log has it.
const JOB: &str = "finding_candidates";
/// How often it looks, from the start on: once there is nothing left it costs one query.
const PAUSE: Duration = Duration::from_hours(1);
/// Checks gone through in one transaction at most.
const AT_ONCE: i64 = 20;

/// Looks for as long as the program runs.
pub async fn run(doors: Arc<Doors>) {
    each(PAUSE, async || match draw(&doors).await {
        Ok(0) => {}
        Ok(drawn) => tracing::info!(drawn, "finding candidates were drawn from checks released before"),
        Err(error) => tracing::warn!(%error, "finding candidates could not be drawn; trying again"),
    })
    .await;
}

/// Draws what is missing in every province; how many candidates that were.
///
/// # Errors
/// When the database fails; what was drawn before stays, and the rest is left for the next time.
pub async fn draw(doors: &Arc<Doors>) -> Result<usize> {
    in_every_province(doors, JOB, |tenant| draw_in(doors, tenant)).await
}

async fn draw_in(doors: &Arc<Doors>, tenant: TenantId) -> Result<usize> {
    let (mut after, mut drawn): (Option<CheckId>, usize) = (None, 0);
    loop {
        let some = look_beside(doors, tenant, JOB, move |tx| service::wanting(tx, after, AT_ONCE)).await?;
        let Some(last) = some.last().copied() else { return Ok(drawn) };
        // Behind the last: what is amended to nothing is looked at each time, and never has any.
        after = Some(last);
        drawn += background(doors, tenant, JOB, move |tx| service::draw_missing(tx, &some)).await?;
    }
}
