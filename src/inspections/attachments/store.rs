//! Rows of attachments, and of what has been begun to be uploaded.

use diesel::prelude::*;

use super::rules::{Attachment, AttachmentId, AttachmentPlace, Capture, MediaType, ShownIn, UploadId};
use crate::access::policy::{Action, Background};
use crate::access::{Reach, Tx, UserId};
use crate::db::schema::inspections::{attachments, unannounced_checks, uploads};
use crate::db::{self, Instant, with_conn};
use crate::errors::{AppError, Result};
use crate::inspections::checks::insight::Insight;
use crate::inspections::checks::rules::{AddendumId, CheckId};
use crate::inspections::checks::visible_checks;
use crate::web::{MadeSort, Page, Paging, load_as_made, made_place};

use attachments as t;
use unannounced_checks as checks;

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = attachments)]
struct Row {
    id: AttachmentId,
    file_name: String,
    media_type: MediaType,
    bytes: i64,
    copy_bytes: i64,
    thumbnail_bytes: i64,
    sha256: String,
    width: i32,
    height: i32,
    capture: Option<String>,
    kept_as: UploadId,
    uploaded_by: UserId,
    check_id: Option<CheckId>,
    shown_in: Option<AttachmentPlace>,
    addendum_id: Option<AddendumId>,
    version: i64,
    created_at: Instant,
}

fn attachment(row: Row) -> Result<Attachment> {
    let read = |text: String| serde_json::from_str::<Capture>(&text).map_err(AppError::internal);
    Ok(Attachment {
        id: row.id,
        file_name: row.file_name,
        media_type: row.media_type,
        bytes: row.bytes,
        copy_bytes: row.copy_bytes,
        thumbnail_bytes: row.thumbnail_bytes,
        sha256: row.sha256,
        width: row.width,
        height: row.height,
        capture: row.capture.map(read).transpose()?,
        kept_as: row.kept_as,
        uploaded_by: row.uploaded_by,
        check_id: row.check_id,
        shown_in: row.shown_in.and_then(|place| ShownIn::read(place, row.addendum_id)),
        version: row.version,
        created_at: row.created_at,
    })
}

/// The attachments of these ids, whoever may see them.
pub(super) fn of_ids<A: Action>(tx: &mut Tx<'_, A>, ids: &[AttachmentId]) -> Result<Vec<Attachment>> {
    let (tenant, ids) = (tx.tenant(), ids.to_vec());
    let rows: Vec<Row> = with_conn!(tx.conn(), c => t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::id.eq_any(ids))
        .select(Row::as_select())
        .load(c))?;
    rows.into_iter().map(attachment).collect()
}

/// Waits until nobody else enters these, or says that they are to come.
pub(super) fn wait_for_turns<A: Action>(tx: &mut Tx<'_, A>, ids: &[AttachmentId]) -> Result<()> {
    let tenant = tx.tenant();
    db::wait_for_turns(tx.conn(), ids.iter().map(|id| format!("attachment/{tenant}/{id}")))
}

/// The attachment of this id, whoever may see it.
pub(super) fn any<A: Action>(tx: &mut Tx<'_, A>, id: AttachmentId) -> Result<Option<Attachment>> {
    Ok(of_ids(tx, &[id])?.pop())
}

/// Attachments behind an id, so many at most, in the order of their ids.
pub(super) fn behind<A: Action>(
    tx: &mut Tx<'_, A>,
    behind: Option<AttachmentId>,
    most: i64,
) -> Result<Vec<Attachment>> {
    let tenant = tx.tenant();
    let rows: Vec<Row> = with_conn!(tx.conn(), c => {
        let query = t::table.filter(t::tenant_id.eq(tenant)).order(t::id).select(Row::as_select()).limit(most);
        match behind {
            None => query.load(c),
            Some(behind) => query.filter(t::id.gt(behind)).load(c),
        }
    })?;
    rows.into_iter().map(attachment).collect()
}

/// What is bound to a check, in the order of its making.
pub(super) fn of_check<A: Action>(tx: &mut Tx<'_, A>, check: CheckId) -> Result<Vec<Attachment>> {
    let tenant = tx.tenant();
    let rows: Vec<Row> = with_conn!(tx.conn(), c => t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::check_id.eq(check))
        .order((t::created_at, t::id))
        .select(Row::as_select())
        .load(c))?;
    rows.into_iter().map(attachment).collect()
}

/// Somebody's own attachments, as narrowed: those that are bound to nothing, and those bound to checks that they may know of.
macro_rules! own {
    ($tenant:expr, ($reach:expr, $insight:expr), $user:expr, $bound:expr) => {{
        let known =
            visible_checks!(checks::table, $tenant, $reach, $user, $insight).select(checks::id.nullable());
        let query = t::table.filter(t::tenant_id.eq($tenant)).filter(t::uploaded_by.eq($user)).into_boxed();
        match $bound {
            Some(false) => query.filter(t::check_id.is_null()),
            Some(true) => query.filter(t::check_id.eq_any(known)),
            None => query.filter(t::check_id.is_null().or(t::check_id.eq_any(known))),
        }
    }};
}

/// The caller's own attachments, of which `reach` says which checks they may know of.
pub(super) fn list<A: Action>(
    tx: &mut Tx<'_, A>,
    reach: &Reach,
    bound: Option<bool>,
    sort: MadeSort,
    paging: &Paging,
) -> Result<Page<Attachment>> {
    let (tenant, user, insight) = (tx.tenant(), tx.user()?, Insight::of(tx)?);
    let after: Option<(Instant, AttachmentId)> = paging.after_made()?;
    let total: Option<i64> = if paging.counts() {
        Some(with_conn!(tx.conn(), c => own!(tenant, (reach, insight), user, bound).count().get_result(c))?)
    } else {
        None
    };
    let rows: Vec<Row> = with_conn!(tx.conn(), c => {
        let query = own!(tenant, (reach, insight), user, bound).select(Row::as_select()).limit(paging.fetch());
        load_as_made!(query, c, sort == MadeSort::Newest, after, t::created_at, t::id)
    })?;
    let Page { items, next_cursor, total } =
        paging.page(rows, total, |row| made_place(row.created_at, row.id));
    let items = items.into_iter().map(attachment).collect::<Result<_>>()?;
    Ok(Page { items, next_cursor, total })
}

/// How many of somebody's attachments are bound to nothing.
pub(super) fn unbound_of<A: Action>(tx: &mut Tx<'_, A>, user: UserId) -> Result<i64> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::uploaded_by.eq(user))
        .filter(t::check_id.is_null())
        .count()
        .get_result(c))?)
}

pub(super) fn insert<A: Action>(tx: &mut Tx<'_, A>, new: &Attachment) -> Result<()> {
    let tenant = tx.tenant();
    let capture = new.capture.as_ref().map(serde_json::to_string).transpose().map_err(AppError::internal)?;
    with_conn!(tx.conn(), c => diesel::insert_into(t::table)
        .values((
            t::tenant_id.eq(tenant),
            t::id.eq(new.id),
            t::file_name.eq(&new.file_name),
            t::media_type.eq(new.media_type),
            (t::bytes.eq(new.bytes), t::copy_bytes.eq(new.copy_bytes), t::thumbnail_bytes.eq(new.thumbnail_bytes)),
            t::sha256.eq(&new.sha256),
            t::width.eq(new.width),
            t::height.eq(new.height),
            t::capture.eq(capture),
            t::kept_as.eq(new.kept_as),
            t::uploaded_by.eq(new.uploaded_by),
            t::version.eq(new.version),
            t::created_at.eq(new.created_at),
        ))
        .execute(c))?;
    Ok(())
}

/// Binds attachments that are bound to nothing, or to one of these checks, which were voided; how many those were.
pub(super) fn bind<A: Action>(
    tx: &mut Tx<'_, A>,
    ids: &[AttachmentId],
    voided: &[CheckId],
    (check, shown_in): (CheckId, ShownIn),
) -> Result<usize> {
    let (tenant, ids, (word, addendum)) = (tx.tenant(), ids.to_vec(), shown_in.kept());
    let voided = voided.to_vec();
    Ok(with_conn!(tx.conn(), c => diesel::update(t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::id.eq_any(ids))
        .filter(t::check_id.is_null().or(t::check_id.assume_not_null().eq_any(voided))))
        .set((t::check_id.eq(check), t::shown_in.eq(word), t::addendum_id.eq(addendum), t::version.eq(t::version + 1)))
        .execute(c))?)
}

/// Attachments older than a moment that are bound to nothing; some of them.
pub(super) fn forgotten(tx: &mut Tx<'_, Background>, before: Instant) -> Result<Vec<Attachment>> {
    let tenant = tx.tenant();
    let rows: Vec<Row> = with_conn!(tx.conn(), c => t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::check_id.is_null())
        .filter(t::created_at.lt(before))
        .select(Row::as_select())
        .limit(20)
        .load(c))?;
    rows.into_iter().map(attachment).collect()
}

/// What has been begun to be kept.
#[derive(Debug, Clone)]
pub(super) struct Upload {
    pub id: UploadId,
    pub user_id: UserId,
    pub given_up: bool,
    pub created_at: Instant,
}

pub(super) fn begin<A: Action>(tx: &mut Tx<'_, A>, new: &Upload) -> Result<()> {
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::insert_into(uploads::table)
        .values((
            uploads::tenant_id.eq(tenant),
            uploads::id.eq(new.id),
            uploads::user_id.eq(new.user_id),
            uploads::given_up.eq(new.given_up),
            uploads::created_at.eq(new.created_at),
        ))
        .execute(c))?;
    Ok(())
}

/// How many uploads somebody has begun that are not finished.
pub(super) fn begun_by<A: Action>(tx: &mut Tx<'_, A>, user: UserId) -> Result<i64> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => uploads::table
        .filter(uploads::tenant_id.eq(tenant))
        .filter(uploads::user_id.eq(user))
        .count()
        .get_result(c))?)
}

/// Forgets an upload whose bytes are an attachment's now; whether it was still there to go on with.
pub(super) fn finish<A: Action>(tx: &mut Tx<'_, A>, id: UploadId) -> Result<bool> {
    let tenant = tx.tenant();
    let gone = with_conn!(tx.conn(), c => diesel::delete(uploads::table
        .filter(uploads::tenant_id.eq(tenant))
        .filter(uploads::id.eq(id))
        .filter(uploads::given_up.eq(false)))
        .execute(c))?;
    Ok(gone > 0)
}
