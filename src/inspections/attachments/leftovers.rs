//! Takes away what nobody has come back for: uploads that were never finished, those in parts when their time is over,
//! attachments that were never bound; bytes of what was taken back, where they could not be taken away at once.

use std::sync::Arc;
use std::time::Duration;

use super::removal;
use super::resumable::service as resumable;
use super::rules::{UploadId, Variant, name_of};
use crate::access::{Doors, beside, look_beside};
use crate::db::TenantId;
use crate::errors::Result;
use crate::inspections::checks::rules::LATEST_RELEASE;
use crate::org::everywhere::{each, in_every_province};

/// The name of the job, as the audit log has it.
pub(super) const JOB: &str = "attachments";
/// How often it looks.
const PAUSE: Duration = Duration::from_mins(10);
/// How long after it was begun nobody can be at work on an upload any more, seconds.
const UNFINISHED: i64 = 86_400;
/// How long what a phone has been out of reach for may arrive after its photos, seconds.
const LATE: i64 = 34 * 86_400;
/// How long an attachment may be bound to nothing, seconds, since the log tells of it then; as long it says nothing of one that was taken
/// back. Longer than a check that it might tell of can be kept: confirmed on the last day before it were disclosed, and released by the
/// clock as late as that may be told to.
const UNBOUND: i64 = LATEST_RELEASE + LATEST_RELEASE + LATE;

/// Looks for as long as the program runs.
pub async fn run(doors: Arc<Doors>) {
    each(PAUSE, async || {
        if let Err(error) = clear(&doors).await {
            tracing::warn!(%error, "what was left of uploads could not be taken away");
        }
    })
    .await;
}

/// Takes away what is left in every province; how many things those were.
///
/// # Errors
/// When the database or the store of files fails; the rest is left for the next time.
pub async fn clear(doors: &Arc<Doors>) -> Result<usize> {
    in_every_province(doors, JOB, |tenant| clear_one(doors, tenant)).await
}

async fn clear_one(doors: &Arc<Doors>, tenant: TenantId) -> Result<usize> {
    let (now, mut cleared) = (doors.now(), 0);
    loop {
        let before = now.plus_seconds(-UNBOUND);
        let dropped = beside(doors, tenant, JOB, move |tx| removal::drop_forgotten(tx, before)).await?;
        if dropped == 0 {
            break;
        }
        cleared += dropped;
    }
    loop {
        let before = now.plus_seconds(-UNBOUND);
        let told = beside(doors, tenant, JOB, move |tx| removal::tell_withdrawn(tx, before)).await?;
        if told == 0 {
            break;
        }
        cleared += told;
    }
    loop {
        let expired = beside(doors, tenant, JOB, resumable::drop_expired).await?;
        if expired == 0 {
            break;
        }
        cleared += expired;
    }
    loop {
        let before = now.plus_seconds(-UNFINISHED);
        let left = look_beside(doors, tenant, JOB, move |tx| removal::left(tx, before)).await?;
        if left.is_empty() {
            return Ok(cleared);
        }
        for upload in left {
            take_away(doors, tenant, upload).await?;
            cleared += 1;
        }
    }
}

/// Takes away the bytes that an upload brought, and then the note of it; nothing of what an attachment bears by now, though
/// whoever finished it may not have heard so.
pub(super) async fn take_away(doors: &Arc<Doors>, tenant: TenantId, upload: UploadId) -> Result<()> {
    if !beside(doors, tenant, JOB, move |tx| removal::give_up(tx, upload)).await? {
        return Ok(());
    }
    for variant in Variant::ALL {
        doors.files().remove(&name_of(tenant, upload, *variant)).await?;
    }
    beside(doors, tenant, JOB, move |tx| removal::forget(tx, upload)).await
}
