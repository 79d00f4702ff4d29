//! Rows of the list of what is held back, and rows that are in no list.

use std::collections::HashSet;

use diesel::prelude::*;

use super::store::{EntryId, Logged};
use crate::access::policy::Action;
use crate::access::{JobId, Tx};
use crate::db::schema::audit::{audit_chain, audit_checkpoints, audit_held, audit_log, audit_unsealed};
use crate::db::schema::jobs::jobs;
use crate::db::{Conn, Instant, TenantId, insert_rows, with_conn};
use crate::errors::Result;

/// Whether a row is held back that is not in the list.
pub(super) fn any_uncommitted<A: Action>(tx: &mut Tx<'_, A>) -> Result<bool> {
    let tenant = tx.tenant();
    let found: Option<EntryId> = with_conn!(tx.conn(), c => audit_unsealed::table
        .filter(audit_unsealed::tenant_id.eq(tenant))
        .filter(audit_unsealed::uncommitted)
        .filter(audit_unsealed::held_by.is_not_null())
        .select(audit_unsealed::entry_id)
        .first(c)
        .optional())?;
    Ok(found.is_some())
}

/// Rows that are held back and not in the list, so many at most, held until the transaction ends. Those that somebody is just
/// telling are left out: nobody waits for them.
pub(super) fn uncommitted<A: Action>(tx: &mut Tx<'_, A>, most: i64) -> Result<Vec<EntryId>> {
    let tenant = tx.tenant();
    macro_rules! these {
        () => {
            audit_unsealed::table
                .filter(audit_unsealed::tenant_id.eq(tenant))
                .filter(audit_unsealed::uncommitted)
                .filter(audit_unsealed::held_by.is_not_null())
                .order(audit_unsealed::entry_id)
                .limit(most)
                .select(audit_unsealed::entry_id)
        };
    }
    Ok(match tx.conn() {
        Conn::Sqlite(c) => these!().load(c)?,
        Conn::Postgres(c) => these!().for_update().skip_locked().load(c)?,
    })
}

/// Those of these rows that are in the list.
pub(super) fn entered<A: Action>(tx: &mut Tx<'_, A>, ids: &[EntryId]) -> Result<HashSet<EntryId>> {
    let tenant = tx.tenant();
    let found: Vec<EntryId> = with_conn!(tx.conn(), c => audit_held::table
        .filter(audit_held::tenant_id.eq(tenant))
        .filter(audit_held::entry_id.eq_any(ids.to_vec()))
        .select(audit_held::entry_id)
        .load(c))?;
    Ok(found.into_iter().collect())
}

/// A row of the list.
#[derive(Insertable)]
#[diesel(table_name = audit_held)]
pub(super) struct NewHeld {
    pub tenant_id: TenantId,
    pub position: i64,
    pub entry_id: EntryId,
    pub commitment: String,
}

/// Enters rows in the list, and notes of these that they were seen to.
pub(super) fn enter<A: Action>(tx: &mut Tx<'_, A>, rows: &[NewHeld], seen: Vec<EntryId>) -> Result<()> {
    insert_rows!(tx.conn(), audit_held::table, rows);
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::update(audit_unsealed::table
        .filter(audit_unsealed::tenant_id.eq(tenant))
        .filter(audit_unsealed::entry_id.eq_any(seen)))
        .set(audit_unsealed::uncommitted.eq(false))
        .execute(c))?;
    Ok(())
}

/// A row of the list, and where it is found.
#[derive(Debug, Clone, Queryable)]
pub struct HeldRow {
    /// The position in the list, from 1 on.
    pub position: i64,
    /// The row's identifier.
    pub entry_id: EntryId,
    /// Its commitment, as the list has it.
    pub commitment: String,
    /// The row in the log.
    pub row: Option<Logged>,
    /// Its commitment, as the chain has it.
    pub sealed: Option<String>,
    /// It, if it waits.
    pub waits: Option<EntryId>,
}

/// Rows of the list behind a position, so many at most, in their order.
pub(super) fn walk<A: Action>(tx: &mut Tx<'_, A>, behind: i64, most: i64) -> Result<Vec<HeldRow>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => audit_held::table
        .left_join(audit_log::table.on(
            audit_log::tenant_id.eq(audit_held::tenant_id).and(audit_log::id.eq(audit_held::entry_id))))
        .left_join(audit_chain::table.on(
            audit_chain::tenant_id.eq(audit_held::tenant_id).and(audit_chain::entry_id.eq(audit_held::entry_id))))
        .left_join(audit_unsealed::table.on(
            audit_unsealed::tenant_id.eq(audit_held::tenant_id).and(audit_unsealed::entry_id.eq(audit_held::entry_id))))
        .filter(audit_held::tenant_id.eq(tenant))
        .filter(audit_held::position.gt(behind))
        .order(audit_held::position)
        .limit(most)
        .select((
            audit_held::position,
            audit_held::entry_id,
            audit_held::commitment,
            Option::<Logged>::as_select(),
            audit_chain::commitment.nullable(),
            audit_unsealed::entry_id.nullable(),
        ))
        .load(c))?)
}

/// A row that is held back, when it was written, whether it waits to be entered in the list, itself if it is in there, and the job
/// that holds it back.
type Waiting = (EntryId, Instant, bool, Option<EntryId>, Option<JobId>);

/// Seconds within which a row that waits to be entered in the list is entered: the relay does it before it signs, each minute.
const ENTERED_WITHIN: i64 = 600;
/// Seconds within which a job has ended and told its rows.
const TOLD_WITHIN: i64 = 30 * 86_400;

/// Rows behind one of them that are held back and not in the list, though they should be, in the order of their identifiers,
/// among the next so many that are held back; and the last that was looked at. Those of a job that is under way it tells when
/// it ends, and those that have just been written wait to be entered; neither for long, which is told by when was signed last.
pub(super) fn unlisted<A: Action>(
    tx: &mut Tx<'_, A>,
    behind: Option<EntryId>,
    most: i64,
) -> Result<(Vec<EntryId>, Option<EntryId>)> {
    let tenant = tx.tenant();
    let behind = behind.unwrap_or_else(|| EntryId::from_uuid(uuid::Uuid::nil()));
    let newest: Option<(Instant, String)> = with_conn!(tx.conn(), c => audit_checkpoints::table
        .filter(audit_checkpoints::tenant_id.eq(tenant))
        .order(audit_checkpoints::size.desc())
        .select((audit_checkpoints::created_at, audit_checkpoints::note))
        .first(c)
        .optional())?;
    // One of before there was a list says nothing of what should be in it by now.
    // Nor does a clock that was set back since.
    let now = tx.now();
    let signed_at = newest.filter(|(_, note)| note.contains("\nholds ")).map(|(at, _)| at.min(now));
    // What is not in the log is told of as lost.
    let rows: Vec<Waiting> = with_conn!(tx.conn(), c => audit_unsealed::table
        .inner_join(audit_log::table.on(
            audit_log::tenant_id.eq(audit_unsealed::tenant_id).and(audit_log::id.eq(audit_unsealed::entry_id))))
        .left_join(audit_held::table.on(
            audit_held::tenant_id.eq(audit_unsealed::tenant_id).and(audit_held::entry_id.eq(audit_unsealed::entry_id))))
        .left_join(jobs::table.on(
            jobs::tenant_id.eq(audit_unsealed::tenant_id)
                .and(jobs::cleared.eq(false))
                .and(jobs::id.nullable().eq(audit_unsealed::held_by))))
        .filter(audit_unsealed::tenant_id.eq(tenant))
        .filter(audit_unsealed::held_by.is_not_null())
        .filter(audit_unsealed::entry_id.gt(behind))
        .order(audit_unsealed::entry_id)
        .limit(most)
        .select((
            audit_unsealed::entry_id,
            audit_log::at,
            audit_unsealed::uncommitted,
            audit_held::entry_id.nullable(),
            jobs::id.nullable(),
        ))
        .load(c))?;
    let last = rows.last().map(|row| row.0);
    let is_late = |at: Instant, within: i64| signed_at.is_some_and(|signed| at.plus_seconds(within) < signed);
    let unlisted = rows.into_iter().filter(|(_, at, is_uncommitted, listed, job)| {
        listed.is_none()
            && match (is_uncommitted, job) {
                (true, _) => is_late(*at, ENTERED_WITHIN),
                (false, Some(_)) => is_late(*at, TOLD_WITHIN),
                (false, None) => true,
            }
    });
    Ok((unlisted.map(|(id, ..)| id).collect(), last))
}
