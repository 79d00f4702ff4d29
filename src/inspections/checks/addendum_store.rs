//! Rows of what was added to the records of checks.

use diesel::prelude::*;

use super::rules::{Addendum, AddendumId, CheckId};
use crate::access::policy::Action;
use crate::access::{Tx, UserId};
use crate::db::schema::inspections::check_addenda;
use crate::db::{Instant, with_conn};
use crate::errors::Result;

pub(super) fn add<A: Action>(tx: &mut Tx<'_, A>, check: CheckId, new: &Addendum) -> Result<()> {
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::insert_into(check_addenda::table)
        .values((
            check_addenda::tenant_id.eq(tenant),
            check_addenda::id.eq(new.id),
            check_addenda::check_id.eq(check),
            check_addenda::content.eq(&new.content),
            check_addenda::author_id.eq(new.author_id),
            check_addenda::created_at.eq(new.created_at),
        ))
        .execute(c))?;
    Ok(())
}

/// How much was added to a check's record.
pub(super) fn count_addenda<A: Action>(tx: &mut Tx<'_, A>, check: CheckId) -> Result<i64> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => check_addenda::table
        .filter(check_addenda::tenant_id.eq(tenant))
        .filter(check_addenda::check_id.eq(check))
        .count()
        .get_result(c))?)
}

/// What was added to a check's record, in order.
pub(super) fn addenda<A: Action>(tx: &mut Tx<'_, A>, check: CheckId) -> Result<Vec<Addendum>> {
    let tenant = tx.tenant();
    let rows: Vec<(AddendumId, String, UserId, Instant)> = with_conn!(tx.conn(), c => check_addenda::table
        .filter(check_addenda::tenant_id.eq(tenant))
        .filter(check_addenda::check_id.eq(check))
        .order((check_addenda::created_at, check_addenda::id))
        .select((
            check_addenda::id,
            check_addenda::content,
            check_addenda::author_id,
            check_addenda::created_at,
        ))
        .load(c))?;
    let addendum = |(id, content, author_id, created_at)| Addendum { id, content, author_id, created_at };
    Ok(rows.into_iter().map(addendum).collect())
}

/// Whether an addendum of this id is there, and to which check, saying what.
pub(super) fn addendum<A: Action>(tx: &mut Tx<'_, A>, id: AddendumId) -> Result<Option<(CheckId, String)>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => check_addenda::table
        .find((tenant, id))
        .select((check_addenda::check_id, check_addenda::content))
        .first(c)
        .optional())?)
}
