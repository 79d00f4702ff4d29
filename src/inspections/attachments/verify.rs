//! Whether the bytes of attachments are where they are kept, and are those that were uploaded: a copy of the database holds none
//! of them, and a folder may be lost, or be put back from another day.

use std::fmt;

use aws_lc_rs::digest::{Context, SHA256};
use futures_util::TryStreamExt;

use super::rules::{Attachment, AttachmentId, Variant};
use super::store;
use crate::access::{Doors, command_line_looks};
use crate::audit::hex;
use crate::db::TenantId;
use crate::errors::{AppError, Code, Result, text};
use crate::org::service as org;

/// Attachments looked at in one transaction.
const AT_ONCE: i64 = 200;

/// What is wrong with the bytes of one of an attachment's forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// There are none.
    Missing,
    /// There are so many of them.
    Length(u64),
    /// They are others.
    Hash,
}

/// A form of an attachment, and what is wrong with it. It names neither file nor person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// Whose tenant.
    pub tenant: TenantId,
    /// The attachment.
    pub id: AttachmentId,
    /// The form.
    pub variant: Variant,
    /// What is wrong.
    pub wrong: Wrong,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tenant, id, variant, wrong } = self;
        match wrong {
            Wrong::Missing => write!(f, "{tenant} {id} {variant} missing"),
            Wrong::Length(bytes) => write!(f, "{tenant} {id} {variant} differs: it has {bytes} bytes"),
            Wrong::Hash => write!(f, "{tenant} {id} {variant} differs: it is not what was uploaded"),
        }
    }
}

/// How many attachments there are, and of how many something is wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// All of them.
    pub attachments: u64,
    /// Those of which bytes are missing.
    pub missing: u64,
    /// Those of which bytes are there that differ.
    pub differing: u64,
}

/// Goes through the attachments of a province, or of all, and tells what is wrong with which as it is found.
///
/// # Errors
/// `not_found` for a province that is not there; when the database or the store of files fails; what `tell` answers.
pub async fn verify(
    doors: &Doors,
    province: Option<TenantId>,
    mut tell: impl FnMut(&Fault) -> Result<()>,
) -> Result<Tally> {
    let tenants = match province {
        None => command_line_looks(doors, TenantId::PLATFORM, org::all_tenants).await?,
        Some(tenant) if command_line_looks(doors, tenant, org::exists).await? => vec![tenant],
        Some(tenant) => {
            let detail = text!("没有省份 {tenant}", "There is no province {tenant}");
            return Err(AppError::because(Code::NotFound, detail));
        }
    };
    let mut tally = Tally::default();
    for tenant in tenants {
        let mut behind = None;
        loop {
            let page =
                command_line_looks(doors, tenant, move |tx| store::behind(tx, behind, AT_ONCE)).await?;
            let Some(last) = page.last() else { break };
            behind = Some(last.id);
            for one in page {
                tally.attachments += 1;
                let faults = found(doors, tenant, &one).await?;
                let is_missing = faults.iter().any(|fault| fault.wrong == Wrong::Missing);
                tally.missing += u64::from(is_missing);
                tally.differing += u64::from(faults.iter().any(|fault| fault.wrong != Wrong::Missing));
                faults.iter().try_for_each(&mut tell)?;
            }
        }
    }
    Ok(tally)
}

/// What is wrong with an attachment; nothing where it has gone meanwhile, and its bytes with it.
async fn found(doors: &Doors, tenant: TenantId, one: &Attachment) -> Result<Vec<Fault>> {
    let mut faults = Vec::new();
    for variant in Variant::ALL {
        if let Some(wrong) = wrong_with(doors, tenant, one, *variant).await? {
            faults.push(Fault { tenant, id: one.id, variant: *variant, wrong });
        }
    }
    if !faults.is_empty() {
        let (id, kept_as) = (one.id, one.kept_as);
        let now = command_line_looks(doors, tenant, move |tx| store::any(tx, id)).await?;
        if now.is_none_or(|now| now.kept_as != kept_as) {
            faults.clear();
        }
    }
    Ok(faults)
}

/// What is wrong with the bytes of a form. Of the original the hash is known, of the others how many there are.
async fn wrong_with(
    doors: &Doors,
    tenant: TenantId,
    one: &Attachment,
    variant: Variant,
) -> Result<Option<Wrong>> {
    let name = one.name_of(tenant, variant);
    let noted = match variant {
        Variant::Original => one.bytes,
        Variant::Copy => one.copy_bytes,
        Variant::Thumbnail => one.thumbnail_bytes,
    };
    let Some(length) = doors.files().length(&name).await? else { return Ok(Some(Wrong::Missing)) };
    if i64::try_from(length) != Ok(noted) {
        return Ok(Some(Wrong::Length(length)));
    }
    if variant != Variant::Original {
        return Ok(None);
    }
    match hashed(doors, &name, length).await {
        Ok(hash) => Ok((hash != one.sha256).then_some(Wrong::Hash)),
        // Taken away since it was measured.
        Err(_) if doors.files().length(&name).await?.is_none() => Ok(Some(Wrong::Missing)),
        Err(error) => Err(error),
    }
}

async fn hashed(doors: &Doors, name: &str, length: u64) -> Result<String> {
    let mut hash = Context::new(&SHA256);
    let mut pieces = doors.files().read(name, 0..length).await?;
    while let Some(piece) = pieces.try_next().await? {
        hash.update(&piece);
    }
    Ok(hex(hash.finish().as_ref()))
}
