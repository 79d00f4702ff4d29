//! Rows of uploads in parts, and the pieces of them that have arrived.

use diesel::prelude::*;

use super::super::rules::AttachmentId;
use super::rules::{Resumable, ResumableId};
use crate::access::policy::{Action, Background};
use crate::access::{Tx, UserId};
use crate::db::schema::inspections::{resumable_uploads, upload_pieces};
use crate::db::{Instant, lock_row, with_conn};
use crate::errors::Result;

use resumable_uploads as t;

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = resumable_uploads)]
struct Row {
    id: ResumableId,
    user_id: UserId,
    attachment_id: AttachmentId,
    file_name: String,
    sha256: Option<String>,
    bytes: i64,
    arrived: i64,
    finished: bool,
    refusal: Option<String>,
    created_at: Instant,
    expires_at: Instant,
}

fn upload(row: Row) -> Resumable {
    Resumable {
        id: row.id,
        user_id: row.user_id,
        attachment_id: row.attachment_id,
        file_name: row.file_name,
        sha256: row.sha256,
        bytes: row.bytes,
        arrived: row.arrived,
        finished: row.finished,
        refusal: row.refusal,
        created_at: row.created_at,
        expires_at: row.expires_at,
    }
}

/// Somebody's upload of this id, for as long as it can be gone on with.
pub(super) fn find<A: Action>(
    tx: &mut Tx<'_, A>,
    user: UserId,
    id: ResumableId,
) -> Result<Option<Resumable>> {
    let (tenant, now) = (tx.tenant(), tx.now());
    let row: Option<Row> = with_conn!(tx.conn(), c => t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::id.eq(id))
        .filter(t::user_id.eq(user))
        .filter(t::expires_at.gt(now))
        .select(Row::as_select())
        .first(c)
        .optional())?;
    Ok(row.map(upload))
}

/// Somebody's upload that becomes or has become this attachment, though its time be over.
pub(super) fn of_attachment<A: Action>(
    tx: &mut Tx<'_, A>,
    user: UserId,
    attachment: AttachmentId,
) -> Result<Option<Resumable>> {
    let tenant = tx.tenant();
    let row: Option<Row> = with_conn!(tx.conn(), c => t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::user_id.eq(user))
        .filter(t::attachment_id.eq(attachment))
        .filter(t::refusal.is_null())
        .select(Row::as_select())
        .first(c)
        .optional())?;
    Ok(row.map(upload))
}

/// Bytes of each upload of somebody that has come to no end, as they were announced.
pub(super) fn unfinished_of<A: Action>(tx: &mut Tx<'_, A>, user: UserId) -> Result<Vec<i64>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::user_id.eq(user))
        .filter(t::finished.eq(false))
        .filter(t::refusal.is_null())
        .select(t::bytes)
        .load(c))?)
}

pub(super) fn insert<A: Action>(tx: &mut Tx<'_, A>, new: &Resumable) -> Result<()> {
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::insert_into(t::table)
        .values((
            t::tenant_id.eq(tenant),
            t::id.eq(new.id),
            t::user_id.eq(new.user_id),
            t::attachment_id.eq(new.attachment_id),
            t::file_name.eq(&new.file_name),
            t::sha256.eq(&new.sha256),
            t::bytes.eq(new.bytes),
            t::arrived.eq(new.arrived),
            t::finished.eq(new.finished),
            t::refusal.eq(&new.refusal),
            t::created_at.eq(new.created_at),
            t::expires_at.eq(new.expires_at),
        ))
        .execute(c))?;
    Ok(())
}

/// Moves an upload on by a piece that begins at this byte; whether it stood there. Of two who ask at once one moves it.
pub(super) fn advance<A: Action>(
    tx: &mut Tx<'_, A>,
    (user, id): (UserId, ResumableId),
    place: i64,
    to: i64,
) -> Result<bool> {
    let tenant = tx.tenant();
    let moved = with_conn!(tx.conn(), c => diesel::update(t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::id.eq(id))
        .filter(t::user_id.eq(user))
        .filter(t::arrived.eq(place))
        .filter(t::finished.eq(false))
        .filter(t::refusal.is_null()))
        .set(t::arrived.eq(to))
        .execute(c))?;
    Ok(moved > 0)
}

pub(super) fn add_piece<A: Action>(
    tx: &mut Tx<'_, A>,
    id: ResumableId,
    place: i64,
    bytes: &[u8],
) -> Result<()> {
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::insert_into(upload_pieces::table)
        .values((
            upload_pieces::tenant_id.eq(tenant),
            upload_pieces::upload_id.eq(id),
            upload_pieces::place.eq(place),
            upload_pieces::bytes.eq(bytes),
        ))
        .execute(c))?;
    Ok(())
}

/// Every piece that has arrived, in order, by one statement: either all of them or, once they are taken away, none.
pub(super) fn pieces<A: Action>(tx: &mut Tx<'_, A>, id: ResumableId) -> Result<Vec<Vec<u8>>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => upload_pieces::table
        .filter(upload_pieces::tenant_id.eq(tenant))
        .filter(upload_pieces::upload_id.eq(id))
        .order(upload_pieces::place)
        .select(upload_pieces::bytes)
        .load(c))?)
}

/// Brings an upload that is whole to its end: it has become the attachment, or never will. Whether it had not come to one.
pub(super) fn settle<A: Action>(tx: &mut Tx<'_, A>, id: ResumableId, refusal: Option<&str>) -> Result<bool> {
    let tenant = tx.tenant();
    let settled = with_conn!(tx.conn(), c => diesel::update(t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::id.eq(id))
        .filter(t::finished.eq(false))
        .filter(t::refusal.is_null()))
        .set((t::finished.eq(refusal.is_none()), t::refusal.eq(refusal)))
        .execute(c))?;
    Ok(settled > 0)
}

pub(super) fn remove_pieces<A: Action>(tx: &mut Tx<'_, A>, id: ResumableId) -> Result<()> {
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::delete(upload_pieces::table
        .filter(upload_pieces::tenant_id.eq(tenant))
        .filter(upload_pieces::upload_id.eq(id)))
        .execute(c))?;
    Ok(())
}

/// Takes an upload away, and first its pieces, to which none is added meanwhile.
pub(super) fn remove<A: Action>(tx: &mut Tx<'_, A>, id: ResumableId) -> Result<()> {
    let tenant = tx.tenant();
    lock_row!(tx.conn(), t::table.find((tenant, id)).select(t::id));
    remove_pieces(tx, id)?;
    with_conn!(tx.conn(), c => diesel::delete(t::table.find((tenant, id))).execute(c))?;
    Ok(())
}

/// Uploads whose time is over, some of them.
pub(super) fn expired(tx: &mut Tx<'_, Background>) -> Result<Vec<ResumableId>> {
    let (tenant, now) = (tx.tenant(), tx.now());
    Ok(with_conn!(tx.conn(), c => t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::expires_at.le(now))
        .order(t::expires_at)
        .select(t::id)
        .limit(5)
        .load(c))?)
}
