//! The rows of the log that wait to be put in the chain.

use diesel::prelude::*;

use super::store::{EntryId, Logged};
use crate::access::policy::Action;
use crate::access::{JobId, Tx};
use crate::db::schema::audit::{audit_log, audit_unsealed};
use crate::db::with_conn;
use crate::errors::Result;

/// Rows that wait to be sealed, in the order of their moments; so many at most.
pub(super) fn unsealed<A: Action>(tx: &mut Tx<'_, A>, most: i64) -> Result<Vec<Logged>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => audit_unsealed::table
        .inner_join(audit_log::table.on(
            audit_log::tenant_id.eq(audit_unsealed::tenant_id).and(audit_log::id.eq(audit_unsealed::entry_id))))
        .filter(audit_unsealed::tenant_id.eq(tenant))
        .filter(audit_unsealed::held_by.is_null())
        .order(audit_unsealed::entry_id)
        .limit(most)
        .select(Logged::as_select())
        .load(c))?)
}

/// Whether any row waits.
pub(super) fn any_waits<A: Action>(tx: &mut Tx<'_, A>) -> Result<bool> {
    let tenant = tx.tenant();
    let found: Option<EntryId> = with_conn!(tx.conn(), c => audit_unsealed::table
        .filter(audit_unsealed::tenant_id.eq(tenant))
        .filter(audit_unsealed::held_by.is_null())
        .select(audit_unsealed::entry_id)
        .first(c)
        .optional())?;
    Ok(found.is_some())
}

/// Gives free rows that a job has held back, so many at most; how many those were.
pub(super) fn release<A: Action>(tx: &mut Tx<'_, A>, job: JobId, most: i64) -> Result<usize> {
    let tenant = tx.tenant();
    let some: Vec<EntryId> = with_conn!(tx.conn(), c => audit_unsealed::table
        .filter(audit_unsealed::tenant_id.eq(tenant))
        .filter(audit_unsealed::held_by.eq(job))
        .order(audit_unsealed::entry_id)
        .limit(most)
        .select(audit_unsealed::entry_id)
        .load(c))?;
    let (first, last) = (some.first().copied(), some.last().copied());
    if let (Some(first), Some(last)) = (first, last) {
        with_conn!(tx.conn(), c => diesel::update(audit_unsealed::table
            .filter(audit_unsealed::tenant_id.eq(tenant))
            .filter(audit_unsealed::held_by.eq(job))
            .filter(audit_unsealed::entry_id.ge(first))
            .filter(audit_unsealed::entry_id.le(last)))
            .set(audit_unsealed::held_by.eq(None::<JobId>))
            .execute(c))?;
    }
    Ok(some.len())
}

/// Has another thing hold back the rows that this one holds back.
pub(super) fn hand_over<A: Action>(tx: &mut Tx<'_, A>, from: JobId, to: JobId) -> Result<()> {
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::update(audit_unsealed::table
        .filter(audit_unsealed::tenant_id.eq(tenant))
        .filter(audit_unsealed::held_by.eq(from)))
        .set(audit_unsealed::held_by.eq(to))
        .execute(c))?;
    Ok(())
}

/// How many rows wait. Those that are held back are nobody's to count.
pub(super) fn waiting<A: Action>(tx: &mut Tx<'_, A>) -> Result<i64> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => audit_unsealed::table
        .filter(audit_unsealed::tenant_id.eq(tenant))
        .filter(audit_unsealed::held_by.is_null())
        .count()
        .get_result(c))?)
}

/// Rows that wait and are not in the log: somebody was faster than the relay.
pub(super) fn lost<A: Action>(tx: &mut Tx<'_, A>) -> Result<Vec<EntryId>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => audit_unsealed::table
        .left_join(audit_log::table.on(
            audit_log::tenant_id.eq(audit_unsealed::tenant_id).and(audit_log::id.eq(audit_unsealed::entry_id))))
        .filter(audit_unsealed::tenant_id.eq(tenant))
        .filter(audit_log::id.is_null())
        .order(audit_unsealed::entry_id)
        .limit(200)
        .select(audit_unsealed::entry_id)
        .load(c))?)
}
