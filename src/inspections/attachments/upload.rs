//! From the bytes of a file to an attachment.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use actix_web::web::Bytes;
use aws_lc_rs::digest::{SHA256, digest};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::picture::{self, Picture};
use super::rules::{Attachment, AttachmentId, UploadId, Variant, file_name, name_of, path_of};
use super::views::{AttachmentView, one};
use super::{leftovers, service, store};
use crate::access::policy::AttachmentUpload;
use crate::access::{Done, Doors, Gate, UserId, beside};
use crate::audit::hex;
use crate::db::TenantId;
use crate::errors::{AppError, Code, FieldError, Result};
use crate::web::{Arrived, Created};

/// Pictures that are unpacked at a time: each may take some hundreds of megabytes.
static TURNS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(2)));
/// How long one waits for its turn.
const PATIENCE: Duration = Duration::from_mins(1);

/// What a client says of the file beside its bytes.
#[derive(Debug, Clone)]
pub(super) struct Said {
    pub id: Option<AttachmentId>,
    pub sha256: Option<String>,
}

/// Takes a file on.
///
/// # Errors
/// `invalid_body` with what is wrong with the file; `id_taken`, `too_many_unbound`; `unavailable` when it cannot be kept.
pub(super) async fn take(
    gate: Gate<AttachmentUpload>,
    said: Said,
    file: Arrived,
) -> Result<Done<Created<AttachmentView>>> {
    if let Some(done) = gate.replayed().await? {
        return Ok(done);
    }
    let (name, sha256) = (file_name(&file.name), file.sha256.clone());
    if said.sha256.as_ref().is_some_and(|told| *told != sha256) {
        return Err(hash_mismatch());
    }
    let (id, hash) = (said.id.unwrap_or_else(AttachmentId::generate), sha256.clone());
    let there = gate
        .look(move |tx| {
            let there = service::same(tx, id, &hash)?;
            if there.is_none() {
                service::has_room(tx, id)?;
            }
            Ok(there)
        })
        .await?;
    let Some((tenant, user)) = gate.account() else { return Err(AppError::new(Code::Unauthenticated)) };
    let new = if let Some(there) = there {
        // Sent again: nothing of it is kept twice.
        there
    } else {
        let read = async move {
            let bytes = spawn_blocking(move || file.read()).await.map_err(AppError::internal)??;
            Ok((bytes, sha256))
        };
        keep(gate.doors(), (tenant, user), Taken { id, name }, read).await?
    };
    let upload = new.kept_as;
    let outcome = gate
        .run(move |tx| {
            let (made, existed) = service::create(tx, &new)?;
            let location = path_of(made.id);
            Ok(Created { view: one(tx, made)?, location, existed })
        })
        .await;
    if outcome.is_err() {
        // Nobody waits for that: what cannot be taken away now is later.
        drop(leftovers::take_away(gate.doors(), tenant, upload).await);
    }
    outcome
}

/// What came is not what was announced.
pub(super) fn hash_mismatch() -> AppError {
    let error = FieldError::body("/sha256", Code::HashMismatch, Code::HashMismatch.title());
    AppError::fields(Code::InvalidBody, vec![error])
}

/// What is known of a file before it is looked at.
#[derive(Debug, Clone)]
pub(super) struct Taken {
    pub id: AttachmentId,
    pub name: String,
}

/// Looks at bytes and keeps them, for somebody of the demo.
///
/// # Errors
/// As [`take`].
pub(crate) async fn keep_bytes(
    doors: &Arc<Doors>,
    owner: (TenantId, UserId),
    name: &str,
    bytes: Vec<u8>,
) -> Result<Attachment> {
    let sha256 = hex(digest(&SHA256, &bytes).as_ref());
    let taken = Taken { id: AttachmentId::generate(), name: file_name(name) };
    keep(doors, owner, taken, async { Ok((bytes, sha256)) }).await
}

/// Looks at a file and keeps it, under a name that is noted before. Its bytes, and the SHA-256 of them, are read when it is its
/// turn: nobody who waits holds them in memory.
///
/// # Errors
/// `invalid_body` with what is wrong with it; `unavailable` when it cannot be kept.
pub(super) async fn keep(
    doors: &Arc<Doors>,
    (tenant, user): (TenantId, UserId),
    Taken { id, name }: Taken,
    read: impl Future<Output = Result<(Vec<u8>, String)>>,
) -> Result<Attachment> {
    let turn = tokio::time::timeout(PATIENCE, Arc::clone(&TURNS).acquire_owned());
    let turn = turn
        .await
        .map_err(|_| AppError::new(Code::Unavailable).retry_after(5))?
        .map_err(AppError::internal)?;
    let (bytes, sha256) = read.await?;
    let looking = spawn_blocking(move || {
        // Held by the work itself: whoever hangs up does not end it.
        let _turn = turn;
        let seen = picture::look(&bytes)?;
        Ok::<_, AppError>((bytes, seen))
    });
    let looked = looking.await.map_err(AppError::internal)?;
    let (bytes, seen) = looked?;
    let (upload, now) = (UploadId::generate(), doors.now());
    let length = |bytes: &[u8]| i64::try_from(bytes.len()).unwrap_or(i64::MAX);
    let Picture { media_type, width, height, capture, copy, thumbnail } = seen;
    let side = |pixels: u32| i32::try_from(pixels).unwrap_or(i32::MAX);
    let new = Attachment {
        id,
        file_name: name,
        media_type,
        bytes: length(&bytes),
        copy_bytes: length(&copy),
        thumbnail_bytes: length(&thumbnail),
        sha256,
        width: side(width),
        height: side(height),
        capture,
        kept_as: upload,
        uploaded_by: user,
        check_id: None,
        shown_in: None,
        version: 1,
        created_at: now,
    };
    let note = store::Upload { id: upload, user_id: user, given_up: false, created_at: now };
    beside(doors, tenant, leftovers::JOB, move |tx| service::begin(tx, &note)).await?;
    for (variant, bytes) in
        [(Variant::Original, bytes), (Variant::Copy, copy), (Variant::Thumbnail, thumbnail)]
    {
        doors.files().keep(&name_of(tenant, upload, variant), Bytes::from(bytes)).await?;
    }
    Ok(new)
}
