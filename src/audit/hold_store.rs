//! Rows of the list of what is held back, and what opens that which checkpoints say of it.

use diesel::prelude::*;

use super::chain::Digest;
use super::hex;
use super::holds::Opening;
use super::store::{EntryId, Logged, position};
use crate::access::Tx;
use crate::access::policy::Action;
use crate::db::schema::audit::{audit_chain, audit_held, audit_log, audit_unsealed, checkpoint_holds};
use crate::db::{Conn, TenantId, insert_rows, with_conn};
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

/// Keeps what opens that which a checkpoint says.
pub(super) fn keep<A: Action>(tx: &mut Tx<'_, A>, commitment: &Digest, opening: &Opening) -> Result<()> {
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::insert_into(checkpoint_holds::table)
        .values((
            checkpoint_holds::tenant_id.eq(tenant),
            checkpoint_holds::commitment.eq(hex(commitment)),
            checkpoint_holds::salt.eq(hex(&opening.salt)),
            checkpoint_holds::held.eq(position(opening.held)?),
        ))
        .execute(c))?;
    Ok(())
}

/// What opens that which a checkpoint says, as it is kept.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = checkpoint_holds)]
pub struct KeptOpening {
    /// What the checkpoint says, hexadecimal.
    pub commitment: String,
    /// The salt, hexadecimal.
    pub salt: String,
    /// Rows in the list.
    pub held: i64,
}

/// Those behind one of them, so many at most, in the order of what they open.
pub(super) fn openings<A: Action>(tx: &mut Tx<'_, A>, behind: &str, most: i64) -> Result<Vec<KeptOpening>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => checkpoint_holds::table
        .filter(checkpoint_holds::tenant_id.eq(tenant))
        .filter(checkpoint_holds::commitment.gt(behind))
        .order(checkpoint_holds::commitment)
        .limit(most)
        .select(KeptOpening::as_select())
        .load(c))?)
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
