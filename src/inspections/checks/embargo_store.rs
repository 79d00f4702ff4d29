//! Rows about what nobody else may know of yet: when the clock lets it out, and who has read it meanwhile.

use diesel::prelude::*;

use super::rules::{CheckId, Reader};
use crate::access::Tx;
use crate::access::policy::{Action, Background};
use crate::db::schema::inspections::{check_reads, check_releases};
use crate::db::{Instant, with_conn};
use crate::errors::Result;

/// Has the clock release a check at a moment.
pub(super) fn schedule<A: Action>(tx: &mut Tx<'_, A>, check: CheckId, at: Instant) -> Result<()> {
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::insert_into(check_releases::table)
        .values((
            check_releases::tenant_id.eq(tenant),
            check_releases::check_id.eq(check),
            check_releases::release_at.eq(at),
        ))
        .execute(c))?;
    Ok(())
}

/// The clock has nothing to do with a check any more.
pub(super) fn unschedule<A: Action>(tx: &mut Tx<'_, A>, check: CheckId) -> Result<()> {
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::delete(check_releases::table.find((tenant, check))).execute(c))?;
    Ok(())
}

/// When the clock releases a check.
pub(super) fn scheduled<A: Action>(tx: &mut Tx<'_, A>, check: CheckId) -> Result<Option<Instant>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => check_releases::table
        .find((tenant, check))
        .select(check_releases::release_at)
        .first(c)
        .optional())?)
}

/// Those of these checks that the clock releases.
pub(super) fn scheduled_of<A: Action>(tx: &mut Tx<'_, A>, checks: &[CheckId]) -> Result<Vec<CheckId>> {
    let (tenant, checks) = (tx.tenant(), checks.to_vec());
    Ok(with_conn!(tx.conn(), c => check_releases::table
        .filter(check_releases::tenant_id.eq(tenant))
        .filter(check_releases::check_id.eq_any(checks))
        .select(check_releases::check_id)
        .load(c))?)
}

/// Checks whose time has come, so many at most, the earliest first.
pub(super) fn due(tx: &mut Tx<'_, Background>, most: i64) -> Result<Vec<CheckId>> {
    let (tenant, now) = (tx.tenant(), tx.now());
    Ok(with_conn!(tx.conn(), c => check_releases::table
        .filter(check_releases::tenant_id.eq(tenant))
        .filter(check_releases::release_at.le(now))
        .order((check_releases::release_at, check_releases::check_id))
        .select(check_releases::check_id)
        .limit(most)
        .load(c))?)
}

/// When the caller has looked at a check last, as far as that was noted.
pub(super) fn last_look<A: Action>(tx: &mut Tx<'_, A>, check: CheckId) -> Result<Option<Instant>> {
    let (tenant, user) = (tx.tenant(), tx.user()?);
    Ok(with_conn!(tx.conn(), c => check_reads::table
        .find((tenant, check, user))
        .select(check_reads::last_at)
        .first(c)
        .optional())?)
}

/// Notes that the caller looks at a check now.
pub(super) fn note_look<A: Action>(tx: &mut Tx<'_, A>, check: CheckId) -> Result<()> {
    let (tenant, user, now) = (tx.tenant(), tx.user()?, tx.now());
    with_conn!(tx.conn(), c => diesel::insert_into(check_reads::table)
        .values((
            check_reads::tenant_id.eq(tenant),
            check_reads::check_id.eq(check),
            check_reads::user_id.eq(user),
            check_reads::first_at.eq(now),
            check_reads::last_at.eq(now),
            check_reads::looks.eq(1),
        ))
        .on_conflict((check_reads::tenant_id, check_reads::check_id, check_reads::user_id))
        .do_update()
        .set((check_reads::last_at.eq(now), check_reads::looks.eq(check_reads::looks + 1)))
        .execute(c))?;
    Ok(())
}

/// Who has read a check before its release, the first first.
pub(super) fn readers<A: Action>(tx: &mut Tx<'_, A>, check: CheckId) -> Result<Vec<Reader>> {
    let tenant = tx.tenant();
    let rows = with_conn!(tx.conn(), c => check_reads::table
        .filter(check_reads::tenant_id.eq(tenant))
        .filter(check_reads::check_id.eq(check))
        .order((check_reads::first_at, check_reads::user_id))
        .select((check_reads::user_id, check_reads::first_at, check_reads::last_at, check_reads::looks))
        .load(c))?;
    let reader = |(user_id, first_at, last_at, looks)| Reader { user_id, first_at, last_at, looks };
    Ok(rows.into_iter().map(reader).collect())
}
