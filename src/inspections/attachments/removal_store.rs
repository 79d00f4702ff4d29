//! Rows that go: attachments that are bound to nothing, and what was begun to be kept and nobody bears.

use diesel::prelude::*;

use super::rules::{AttachmentId, UploadId};
use crate::access::Tx;
use crate::access::policy::{Action, Background};
use crate::db::schema::inspections::{attachments, uploads, withdrawn_attachments};
use crate::db::{Instant, with_conn};
use crate::errors::Result;

/// Takes an attachment away that is bound to nothing; whether it still was.
pub(super) fn remove<A: Action>(tx: &mut Tx<'_, A>, id: AttachmentId) -> Result<bool> {
    let tenant = tx.tenant();
    let gone = with_conn!(tx.conn(), c => diesel::delete(attachments::table
        .filter(attachments::tenant_id.eq(tenant))
        .filter(attachments::id.eq(id))
        .filter(attachments::check_id.is_null()))
        .execute(c))?;
    Ok(gone > 0)
}

/// Notes that what was kept under this name has been taken back.
pub(super) fn note_withdrawn<A: Action>(tx: &mut Tx<'_, A>, kept_as: UploadId) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    with_conn!(tx.conn(), c => diesel::insert_into(withdrawn_attachments::table)
        .values((
            withdrawn_attachments::tenant_id.eq(tenant),
            withdrawn_attachments::kept_as.eq(kept_as),
            withdrawn_attachments::withdrawn_at.eq(now),
        ))
        .execute(c))?;
    Ok(())
}

/// What was taken back before a moment, some of it.
pub(super) fn withdrawn(tx: &mut Tx<'_, Background>, before: Instant) -> Result<Vec<UploadId>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => withdrawn_attachments::table
        .filter(withdrawn_attachments::tenant_id.eq(tenant))
        .filter(withdrawn_attachments::withdrawn_at.lt(before))
        .order(withdrawn_attachments::withdrawn_at)
        .select(withdrawn_attachments::kept_as)
        .limit(20)
        .load(c))?)
}

/// Forgets that something was taken back.
pub(super) fn forget_withdrawn(tx: &mut Tx<'_, Background>, kept_as: UploadId) -> Result<()> {
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::delete(withdrawn_attachments::table.find((tenant, kept_as))).execute(c))?;
    Ok(())
}

/// Uploads that were begun before a moment and never finished, and those that are given up, some of them.
pub(super) fn left(tx: &mut Tx<'_, Background>, before: Instant) -> Result<Vec<UploadId>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => uploads::table
        .filter(uploads::tenant_id.eq(tenant))
        .filter(uploads::created_at.lt(before).or(uploads::given_up.eq(true)))
        .select(uploads::id)
        .limit(20)
        .load(c))?)
}

/// Lets nobody finish an upload; whether it was there to be finished, or given up already.
pub(super) fn give_up(tx: &mut Tx<'_, Background>, id: UploadId) -> Result<bool> {
    let tenant = tx.tenant();
    let found = with_conn!(tx.conn(), c => diesel::update(uploads::table.find((tenant, id)))
        .set(uploads::given_up.eq(true))
        .execute(c))?;
    Ok(found > 0)
}

/// Forgets an upload that was given up, and whose bytes are gone.
pub(super) fn forget(tx: &mut Tx<'_, Background>, id: UploadId) -> Result<()> {
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::delete(uploads::table.find((tenant, id))).execute(c))?;
    Ok(())
}
