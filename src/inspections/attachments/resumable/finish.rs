//! From an upload that is whole to the attachment, looked at as any other file. It may be tried as often as somebody asks, and
//! by several at once: whatever fails on the way, the pieces stay until the attachment is there.

use aws_lc_rs::digest::{SHA256, digest};
use tokio::task::spawn_blocking;

use super::super::leftovers;
use super::super::upload::{Taken, hash_mismatch, keep};
use super::rules::Resumable;
use super::service;
use crate::access::Gate;
use crate::access::policy::AttachmentUpload;
use crate::audit::hex;
use crate::errors::{AppError, Code, Result};

/// The upload as it stands; where all of it has come, as the attachment it has become.
///
/// # Errors
/// `invalid_body` with what is wrong with the file, `id_taken`: the upload has come to nothing then. `too_many_unbound`,
/// `unavailable`: it is tried again when it is asked for again.
pub(super) async fn finished(gate: &Gate<AttachmentUpload>, upload: Resumable) -> Result<Resumable> {
    if !upload.is_due() {
        return Ok(upload);
    }
    let id = upload.id;
    match become_attachment(gate, upload).await {
        Err(error) if error.code() == Code::ConcurrentChange => {
            // Somebody else has brought it to its end meanwhile, whichever that is.
            let now = gate.look(move |tx| service::find(tx, id)).await?;
            if now.finished { Ok(now) } else { Err(error) }
        }
        Err(error) if matches!(error.code(), Code::InvalidBody | Code::IdTaken) => {
            let code = error.errors().first().map_or(error.code(), |first| first.code);
            gate.step(move |tx| service::refuse(tx, id, code)).await?;
            Err(error)
        }
        Err(error) => Err(error),
        Ok(()) => gate.look(move |tx| service::find(tx, id)).await,
    }
}

async fn become_attachment(gate: &Gate<AttachmentUpload>, upload: Resumable) -> Result<()> {
    let Some((tenant, user)) = gate.account() else { return Err(AppError::new(Code::Unauthenticated)) };
    let taken = Taken { id: upload.attachment_id, name: upload.file_name.clone() };
    let (id, reader) = (upload.id, gate.clone());
    let read = async move {
        let told = upload.sha256.clone();
        let bytes = reader.look(move |tx| service::bytes(tx, &upload)).await?;
        let compared = spawn_blocking(move || {
            let sha256 = hex(digest(&SHA256, &bytes).as_ref());
            match told {
                Some(told) if told != sha256 => Err(hash_mismatch()),
                _ => Ok((bytes, sha256)),
            }
        });
        compared.await.map_err(AppError::internal)?
    };
    let new = keep(gate.doors(), (tenant, user), taken, read).await?;
    let kept_as = new.kept_as;
    let outcome = gate.step(move |tx| service::finish(tx, id, &new)).await;
    // What came second, or to nothing, is kept twice; of what the attachment bears nothing is taken. What cannot be taken away
    // now is later.
    drop(leftovers::take_away(gate.doors(), tenant, kept_as).await);
    outcome
}
