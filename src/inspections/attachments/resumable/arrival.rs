//! A part of a file as it arrives: kept piece by piece, so that what has come before a line breaks stays.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use super::finish::finished;
use super::rules::{Resumable, ResumableId};
use super::service;
use super::views::UploadView;
use crate::access::policy::AttachmentUpload;
use crate::access::{Done, Gate, PIECE, UserId};
use crate::db::TenantId;
use crate::errors::{AppError, Code, Result, text};
use crate::web::tus::{Moved, Part};

/// Takes a part of an upload; with the last one it becomes the attachment.
///
/// # Errors
/// `not_found`, `upload_refused`, `upload_offset_mismatch`, `body_too_large`; `incomplete_body` when not all of the part came,
/// of which what came is kept; those of [`finished`].
pub(super) async fn receive(
    gate: Gate<AttachmentUpload>,
    id: ResumableId,
    part: Part,
) -> Result<Done<Moved<UploadView>>> {
    let turn = Turn::take(&gate)?;
    // Whoever hangs up ends the request, and not the keeping of what has come until then.
    let work = actix_web::rt::spawn(async move {
        let _turn = turn;
        let found = gate.look(move |tx| service::find(tx, id)).await?;
        found.goes_on_at(part.offset)?;
        found.holds(part.offset, part.bytes.announced.unwrap_or_default())?;
        take(&gate, &found, part).await?;
        let found = gate.look(move |tx| service::find(tx, id)).await?;
        finished(&gate, found).await
    });
    let stands = work.await.map_err(AppError::internal)??;
    Done::with(Moved(UploadView::from(stands)))
}

/// Parts that an account sends at a time to this instance at most: each holds a piece in memory.
const AT_ONCE: usize = 8;

/// How many parts each account is sending.
static SENDING: LazyLock<Mutex<HashMap<(TenantId, UserId), usize>>> = LazyLock::new(Mutex::default);

/// One of the parts that an account may send at a time.
struct Turn((TenantId, UserId));

impl Turn {
    fn take(gate: &Gate<AttachmentUpload>) -> Result<Self> {
        let account = gate.account().ok_or_else(|| AppError::new(Code::Unauthenticated))?;
        let mut sending = SENDING.lock().unwrap_or_else(PoisonError::into_inner);
        let here = sending.entry(account).or_default();
        if *here == AT_ONCE {
            let detail = text!("同时续传的至多 {AT_ONCE} 段", "At most {AT_ONCE} parts may come at a time");
            return Err(AppError::because(Code::TooManyUnfinished, detail).retry_after(1));
        }
        *here += 1;
        Ok(Self(account))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut sending = SENDING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(here) = sending.get_mut(&self.0) {
            *here -= 1;
            if *here == 0 {
                sending.remove(&self.0);
            }
        }
    }
}

/// Keeps a part. The last piece waits for the end of the body: of a part that is too long it is not kept.
async fn take(gate: &Gate<AttachmentUpload>, upload: &Resumable, part: Part) -> Result<()> {
    let Part { offset, mut bytes } = part;
    let (mut waiting, mut place, mut arrived) = (Vec::new(), offset, 0_usize);
    let outcome = loop {
        let chunk = match bytes.next().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        };
        arrived = arrived.saturating_add(chunk.len());
        upload.holds(offset, arrived)?;
        let mut rest: &[u8] = &chunk;
        while !rest.is_empty() {
            if waiting.len() == PIECE {
                place = keep(gate, upload.id, place, std::mem::take(&mut waiting)).await?;
            }
            let (now, later) = rest.split_at(rest.len().min(PIECE - waiting.len()));
            waiting.extend_from_slice(now);
            rest = later;
        }
    };
    if !waiting.is_empty() {
        keep(gate, upload.id, place, waiting).await?;
    }
    outcome
}

/// Keeps a piece; where the next one begins.
async fn keep(gate: &Gate<AttachmentUpload>, id: ResumableId, place: i64, bytes: Vec<u8>) -> Result<i64> {
    let next = place.saturating_add(i64::try_from(bytes.len()).unwrap_or(i64::MAX));
    gate.step(move |tx| service::keep(tx, id, place, &bytes)).await?;
    Ok(next)
}
