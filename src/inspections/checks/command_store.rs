//! Rows of checks as they go from one commander to another.

use diesel::prelude::*;

use super::rules::{Check, CheckId, CheckState};
use crate::access::policy::Action;
use crate::access::{Tx, UserId};
use crate::db::schema::inspections::unannounced_checks as t;
use crate::db::with_conn;
use crate::errors::Result;
use crate::inspections::authorisations::rules::AuthorisationId;

/// The checks under an authorisation that have neither been released nor voided, each with who commands it.
pub(super) fn open<A: Action>(tx: &mut Tx<'_, A>, of: AuthorisationId) -> Result<Vec<(CheckId, UserId)>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::authorisation_id.eq(of))
        .filter(t::released_at.is_null())
        .filter(t::state.ne(CheckState::Voided))
        .order(t::id)
        .select((t::id, t::commander_id))
        .load(c))?)
}

/// Saves who commands a check, version one up.
pub(super) fn give<A: Action>(tx: &mut Tx<'_, A>, after: &mut Check) -> Result<()> {
    let tenant = tx.tenant();
    after.version += 1;
    after.updated_at = tx.now();
    with_conn!(tx.conn(), c => diesel::update(t::table.find((tenant, after.id)))
        .set((
            t::commander_id.eq(after.commander_id),
            t::version.eq(after.version),
            t::updated_at.eq(after.updated_at),
        ))
        .execute(c))?;
    Ok(())
}
