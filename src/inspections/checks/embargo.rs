//! What is nobody else's to know of: it is let out by its commander or by the clock, and who has read it meanwhile is discipline's to
//! know from then on. What nobody lets out, or was voided, is disclosed in the end: a commander makes nothing vanish.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::json;

use super::rules::{Check, CheckId, CheckState, Reader};
use super::{embargo_store, service, store, transitions};
use crate::access::policy::{Action, Background, CheckReadersRead};
use crate::access::{Done, Doors, Gate, Tx, background, look_beside};
use crate::audit::Change;
use crate::audit::service::tell_held;
use crate::db::{Instant, TenantId};
use crate::errors::{AppError, Code, Result};
use crate::org::everywhere::{each, in_every_province};
use crate::org::service as org;
use crate::web::IntoAnswer;

/// The name of the job, as the audit log has it.
const JOB: &str = "check_release";
/// How often it looks at the clock.
const PAUSE: Duration = Duration::from_secs(20);
/// Looks of one account within so many seconds are one.
const ONE_LOOK: i64 = 3600;

/// When the clock releases a check that the caller sees.
///
/// # Errors
/// When the database fails.
pub fn release_at<A: Action>(tx: &mut Tx<'_, A>, check: &Check) -> Result<Option<Instant>> {
    embargo_store::scheduled(tx, check.id)
}

/// The check, when it is to be noted that the caller looks at it: nobody else may know of it, and the last look was a while ago.
///
/// # Errors
/// When the database fails.
pub fn noted<A: Action>(tx: &mut Tx<'_, A>, check: &Check) -> Result<Option<CheckId>> {
    if check.is_public() {
        return Ok(None);
    }
    let recent = tx.now().plus_seconds(-ONE_LOOK);
    let is_due = embargo_store::last_look(tx, check.id)?.is_none_or(|last| last < recent);
    Ok(is_due.then_some(check.id))
}

/// Shows what `work` finds, having noted before anything is given at which check it is a look, if at one.
///
/// # Errors
/// Those of [`Gate::run`] and [`Gate::note`].
pub async fn shown<A, R, F>(gate: &Gate<A>, work: F) -> Result<Done<R>>
where
    A: Action,
    R: IntoAnswer,
    F: FnOnce(&mut Tx<'_, A>) -> Result<(R, Option<CheckId>)> + Send + 'static,
{
    let look = Arc::new(OnceLock::new());
    let told = Arc::clone(&look);
    let done = gate
        .run(move |tx| {
            let (reply, noted) = work(tx)?;
            if let Some(check) = noted {
                told.get_or_init(|| check);
            }
            Ok(reply)
        })
        .await?;
    if let Some(check) = look.get().copied() {
        gate.note(move |tx| note_look(tx, check)).await?;
    }
    Ok(done)
}

/// Notes that the caller looks at a check. The row of the log waits for the release, as the check's own do.
///
/// # Errors
/// When it cannot be noted: then nothing is shown.
fn note_look<A: Action>(tx: &mut Tx<'_, A>, id: CheckId) -> Result<()> {
    store::share(tx, id)?;
    let Some(check) = store::unseen(tx, id)? else { return Err(AppError::new(Code::NotFound)) };
    embargo_store::note_look(tx, id)?;
    if !check.is_told() {
        tx.hold_back(id);
    }
    let (entity_id, facts) = (id.to_string(), json!({ "state": check.kept }));
    let (entity, reason) = ("unannounced_check_look", None);
    tx.record(&Change { entity, entity_id: &entity_id, before: None, after: Some(&facts), reason })
}

/// Who read a covert check before its release; nobody before that, or before it was disclosed.
///
/// # Errors
/// `not_found`.
pub fn readers(tx: &mut Tx<'_, CheckReadersRead>, id: CheckId) -> Result<Vec<Reader>> {
    let check = service::visible(tx, id)?;
    if !check.is_told() || !tx.reach().contains(&check.unit_path) {
        return Err(AppError::new(Code::NotFound));
    }
    embargo_store::readers(tx, id)
}

/// Lets discipline and office know of a covert check that was not released in time, or was voided, and the log tell of it. It stands
/// as it stood: what was found is neither made public nor taken away by the clock.
fn disclose(tx: &mut Tx<'_, Background>, id: CheckId) -> Result<()> {
    store::lock(tx, id)?;
    let Some(before) = store::unseen(tx, id)?.filter(|one| !one.is_told()) else { return Ok(()) };
    // While its turn was waited for it may have been confirmed, to be released at a moment of its own.
    if embargo_store::scheduled(tx, id)?.is_some() {
        return Ok(());
    }
    tell_held(tx, id)?;
    embargo_store::disclose(tx, id)?;
    let after = Check { disclosed_at: Some(tx.now()), ..before.clone() };
    let reason = if before.kept == CheckState::Voided { "voided" } else { "not released in time" };
    transitions::settle(tx, &before, after, Some(reason)).map(drop)
}

/// Releases the check whose time has come first, or else discloses the one whose time has passed first; how many were looked at.
/// One in a transaction: whoever takes over from a commander holds many at once, in an order of their own.
///
/// # Errors
/// When the database fails.
fn release_one(tx: &mut Tx<'_, Background>) -> Result<usize> {
    tx.nothing_changed();
    org::lock_province(tx)?;
    if let Some(id) = embargo_store::due(tx)? {
        transitions::release_by_the_clock(tx, id)?;
    } else if let Some(id) = embargo_store::overdue(tx)? {
        disclose(tx, id)?;
    } else {
        return Ok(0);
    }
    Ok(1)
}

fn is_any_due(tx: &mut Tx<'_, Background>) -> Result<bool> {
    Ok(embargo_store::due(tx)?.is_some() || embargo_store::overdue(tx)?.is_some())
}

/// Releases every check whose time has come, in every province, and discloses those whose time has passed; how many those were.
///
/// # Errors
/// When the database fails; the rest is left for the next time.
pub async fn release_by_the_clock(doors: &Arc<Doors>) -> Result<usize> {
    in_every_province(doors, JOB, |tenant| release_in(doors, tenant)).await
}

async fn release_in(doors: &Arc<Doors>, tenant: TenantId) -> Result<usize> {
    let mut released = 0;
    while look_beside(doors, tenant, JOB, is_any_due).await? {
        released += background(doors, tenant, JOB, release_one).await?;
    }
    Ok(released)
}

/// Looks for as long as the program runs.
pub async fn run(doors: Arc<Doors>) {
    each(PAUSE, async || {
        if let Err(error) = release_by_the_clock(&doors).await {
            tracing::warn!(%error, "checks could not be released by the clock; trying again");
        }
    })
    .await;
}
