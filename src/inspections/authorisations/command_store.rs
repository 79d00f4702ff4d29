//! Rows of who commanded under authorisations before whoever does today.

use diesel::prelude::*;

use super::rules::{Authorisation, AuthorisationId};
use crate::access::policy::Action;
use crate::access::{Tx, UserId};
use crate::db::schema::inspections::authorisation_commanders as t;
use crate::db::{Instant, with_conn};
use crate::errors::Result;

/// Notes who commanded until now, under an authorisation that names another from this version of it on.
pub(super) fn note_former<A: Action>(
    tx: &mut Tx<'_, A>,
    after: &Authorisation,
    former: UserId,
) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    with_conn!(tx.conn(), c => diesel::insert_into(t::table)
        .values((
            t::tenant_id.eq(tenant),
            t::authorisation_id.eq(after.id),
            t::version.eq(after.version),
            t::user_id.eq(former),
            t::until_at.eq(now),
        ))
        .execute(c))?;
    Ok(())
}

/// Who has commanded under an authorisation since a moment, one after the other, and does no more.
pub(super) fn former_since<A: Action>(
    tx: &mut Tx<'_, A>,
    of: AuthorisationId,
    at: Instant,
) -> Result<Vec<UserId>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::authorisation_id.eq(of))
        .filter(t::until_at.gt(at))
        .order(t::version)
        .select(t::user_id)
        .load(c))?)
}
