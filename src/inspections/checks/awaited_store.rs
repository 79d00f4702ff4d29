//! Rows of photos that a check names before they have come.

use std::collections::HashMap;

use diesel::prelude::*;

use super::rules::{AddendumId, CheckId, Lost};
use crate::access::policy::Action;
use crate::access::{Tx, UserId};
use crate::db::schema::inspections::awaited_attachments;
use crate::db::{Instant, insert_rows, with_conn};
use crate::errors::{AppError, Result};
use crate::inspections::attachments::rules::{AttachmentId, AttachmentPlace, ShownIn};

use awaited_attachments as t;

/// One that is awaited: by which check, to be shown in which part of it, named by whom.
pub(super) struct Awaited {
    pub check: CheckId,
    pub shown_in: ShownIn,
    pub named_by: UserId,
}

/// Enters what is awaited.
pub(super) fn enter<A: Action>(
    tx: &mut Tx<'_, A>,
    check: CheckId,
    ids: &[AttachmentId],
    shown_in: ShownIn,
) -> Result<()> {
    let (tenant, user, now, (word, addendum)) = (tx.tenant(), tx.user()?, tx.now(), shown_in.kept());
    let row = |id: &AttachmentId| {
        (
            t::tenant_id.eq(tenant),
            t::check_id.eq(check),
            t::attachment_id.eq(*id),
            t::shown_in.eq(word),
            t::addendum_id.eq(addendum),
            t::named_by.eq(user),
            t::created_at.eq(now),
        )
    };
    let rows: Vec<_> = ids.iter().map(row).collect();
    insert_rows!(tx.conn(), t::table, &rows);
    Ok(())
}

/// Who awaits an attachment and has not given it up, the earliest first.
pub(super) fn by_whom<A: Action>(tx: &mut Tx<'_, A>, id: AttachmentId) -> Result<Vec<Awaited>> {
    let tenant = tx.tenant();
    let rows: Vec<(CheckId, AttachmentPlace, Option<AddendumId>, UserId)> = with_conn!(tx.conn(), c => t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::attachment_id.eq(id))
        .filter(t::given_up_at.is_null())
        .order((t::created_at, t::check_id))
        .select((t::check_id, t::shown_in, t::addendum_id, t::named_by))
        .load(c))?;
    let one = |(check, place, addendum, named_by)| {
        let shown_in = ShownIn::read(place, addendum)
            .ok_or_else(|| AppError::internal("what is awaited is shown somewhere"))?;
        Ok(Awaited { check, shown_in, named_by })
    };
    rows.into_iter().map(one).collect()
}

/// What each of these checks awaits.
pub(super) fn of_checks<A: Action>(
    tx: &mut Tx<'_, A>,
    checks: &[CheckId],
) -> Result<HashMap<CheckId, Vec<AttachmentId>>> {
    let (tenant, checks) = (tx.tenant(), checks.to_vec());
    let rows: Vec<(CheckId, AttachmentId)> = with_conn!(tx.conn(), c => t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::check_id.eq_any(checks))
        .filter(t::given_up_at.is_null())
        .order((t::check_id, t::attachment_id))
        .select((t::check_id, t::attachment_id))
        .load(c))?;
    let mut found: HashMap<CheckId, Vec<AttachmentId>> = HashMap::new();
    for (check, attachment) in rows {
        found.entry(check).or_default().push(attachment);
    }
    Ok(found)
}

/// What an addendum awaits.
pub(super) fn of_addendum<A: Action>(tx: &mut Tx<'_, A>, id: AddendumId) -> Result<Vec<AttachmentId>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::addendum_id.eq(id))
        .select(t::attachment_id)
        .load(c))?)
}

/// One has come.
pub(super) fn came<A: Action>(tx: &mut Tx<'_, A>, check: CheckId, id: AttachmentId) -> Result<()> {
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::delete(t::table.find((tenant, check, id))).execute(c))?;
    Ok(())
}

/// Gives up these of what a check awaits.
pub(super) fn give_up<A: Action>(
    tx: &mut Tx<'_, A>,
    check: CheckId,
    ids: &[AttachmentId],
    reason: &str,
) -> Result<()> {
    let (tenant, user, now, ids) = (tx.tenant(), tx.user()?, tx.now(), ids.to_vec());
    with_conn!(tx.conn(), c => diesel::update(t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::check_id.eq(check))
        .filter(t::attachment_id.eq_any(ids)))
        .set((t::given_up_by.eq(user), t::given_up_at.eq(now), t::reason.eq(reason)))
        .execute(c))?;
    Ok(())
}

/// A photo, why it was given up, by whom, when.
type GivenUp = (AttachmentId, Option<String>, Option<UserId>, Option<Instant>);

/// What of a check was given up, in the order in which it was.
pub(super) fn lost<A: Action>(tx: &mut Tx<'_, A>, check: CheckId) -> Result<Vec<Lost>> {
    let tenant = tx.tenant();
    let rows: Vec<GivenUp> = with_conn!(tx.conn(), c => t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::check_id.eq(check))
        .filter(t::given_up_at.is_not_null())
        .order((t::given_up_at, t::attachment_id))
        .select((t::attachment_id, t::reason, t::given_up_by, t::given_up_at))
        .load(c))?;
    let one = |(id, reason, by, at): GivenUp| {
        let lost = |(reason, given_up_by), given_up_at| Lost { id, reason, given_up_by, given_up_at };
        let whole = reason.zip(by).zip(at).map(|(said, at)| lost(said, at));
        whole.ok_or_else(|| AppError::internal("what was given up was so by somebody"))
    };
    rows.into_iter().map(one).collect()
}

/// A check awaits nothing any more.
pub(super) fn forget<A: Action>(tx: &mut Tx<'_, A>, check: CheckId) -> Result<()> {
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::delete(t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::check_id.eq(check)))
        .execute(c))?;
    Ok(())
}
