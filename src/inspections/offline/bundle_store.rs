//! Rows of what accounts were given to take along.

use diesel::prelude::*;

use crate::access::Tx;
use crate::access::policy::Action;
use crate::db::schema::inspections::offline_bundles;
use crate::db::with_conn;
use crate::errors::Result;

use offline_bundles as t;

/// Manifests of one account that are remembered: of the phones it has, and of a few turns back.
const REMEMBERED: i64 = 8;

/// What the caller was given under a name.
pub(super) fn find<A: Action>(tx: &mut Tx<'_, A>, name: &str) -> Result<Option<Vec<u8>>> {
    let (tenant, user) = (tx.tenant(), tx.user()?);
    Ok(with_conn!(tx.conn(), c => t::table
        .find((tenant, user, name))
        .select(t::bytes)
        .first(c)
        .optional())?)
}

/// Remembers what the caller is given, and forgets what they were given long before.
pub(super) fn keep<A: Action>(tx: &mut Tx<'_, A>, name: &str, manifest: &[u8]) -> Result<()> {
    let (tenant, user, now) = (tx.tenant(), tx.user()?, tx.now());
    with_conn!(tx.conn(), c => diesel::insert_into(t::table)
        .values((
            t::tenant_id.eq(tenant),
            t::user_id.eq(user),
            t::since.eq(name),
            t::bytes.eq(manifest),
            t::created_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(c))?;
    let old: Vec<String> = with_conn!(tx.conn(), c => t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::user_id.eq(user))
        .order((t::created_at.desc(), t::since))
        .offset(REMEMBERED)
        .limit(100)
        .select(t::since)
        .load(c))?;
    with_conn!(tx.conn(), c => diesel::delete(t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::user_id.eq(user))
        .filter(t::since.eq_any(old)))
        .execute(c))?;
    Ok(())
}
