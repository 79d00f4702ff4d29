//! Rows of what accounts were given to take along.

use diesel::prelude::*;

use crate::access::Tx;
use crate::access::policy::Action;
use crate::db::schema::inspections::offline_bundles;
use crate::db::with_conn;
use crate::errors::Result;

use offline_bundles as t;

/// Manifests of one account that are remembered of each part of the tree: of the phones it has, and of a few turns back.
const REMEMBERED: i64 = 8;
/// Manifests of one account that are remembered in all.
const REMEMBERED_IN_ALL: i64 = 200;

/// What the caller was given under a name.
pub(super) fn find<A: Action>(tx: &mut Tx<'_, A>, name: &str) -> Result<Option<Vec<u8>>> {
    let (tenant, user) = (tx.tenant(), tx.user()?);
    Ok(with_conn!(tx.conn(), c => t::table
        .find((tenant, user, name))
        .select(t::bytes)
        .first(c)
        .optional())?)
}

/// The name of what the caller was given last of a part of the tree.
pub(super) fn last<A: Action>(tx: &mut Tx<'_, A>, part: &str) -> Result<Option<String>> {
    let (tenant, user) = (tx.tenant(), tx.user()?);
    Ok(with_conn!(tx.conn(), c => t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::user_id.eq(user))
        .filter(t::since.like(format!("{part}%")))
        .order((t::created_at.desc(), t::since))
        .select(t::since)
        .first(c)
        .optional())?)
}

/// Remembers what the caller is given, and forgets what they were given long before.
pub(super) fn keep<A: Action>(tx: &mut Tx<'_, A>, (part, name): (&str, &str), manifest: &[u8]) -> Result<()> {
    let (tenant, user, now) = (tx.tenant(), tx.user()?, tx.now());
    with_conn!(tx.conn(), c => diesel::insert_into(t::table)
        .values((
            t::tenant_id.eq(tenant),
            t::user_id.eq(user),
            t::since.eq(name),
            t::bytes.eq(manifest),
            t::created_at.eq(now),
        ))
        .on_conflict((t::tenant_id, t::user_id, t::since))
        .do_update()
        .set(t::created_at.eq(now))
        .execute(c))?;
    let mut old: Vec<String> = with_conn!(tx.conn(), c => t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::user_id.eq(user))
        .filter(t::since.like(format!("{part}%")))
        .order((t::created_at.desc(), t::since))
        .offset(REMEMBERED)
        .limit(100)
        .select(t::since)
        .load(c))?;
    let older: Vec<String> = with_conn!(tx.conn(), c => t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::user_id.eq(user))
        .order((t::created_at.desc(), t::since))
        .offset(REMEMBERED_IN_ALL)
        .limit(100)
        .select(t::since)
        .load(c))?;
    old.extend(older);
    with_conn!(tx.conn(), c => diesel::delete(t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::user_id.eq(user))
        .filter(t::since.eq_any(old)))
        .execute(c))?;
    Ok(())
}
