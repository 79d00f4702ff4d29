//! Rows about what nobody else may know of yet: when the clock lets it out, who has read it meanwhile, and what was disclosed since
//! nobody did.

use std::collections::HashMap;

use diesel::prelude::*;

use super::rules::{CheckId, LATEST_RELEASE, Reader};
use crate::access::Tx;
use crate::access::policy::{Action, Background};
use crate::db::schema::inspections::{check_disclosures, check_reads, check_releases, unannounced_checks};
use crate::db::{Instant, with_conn};
use crate::errors::Result;
use crate::inspections::authorisations::rules::CheckKind;

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

/// The check whose time has come first.
pub(super) fn due(tx: &mut Tx<'_, Background>) -> Result<Option<CheckId>> {
    let (tenant, now) = (tx.tenant(), tx.now());
    Ok(with_conn!(tx.conn(), c => check_releases::table
        .filter(check_releases::tenant_id.eq(tenant))
        .filter(check_releases::release_at.le(now))
        .order((check_releases::release_at, check_releases::check_id))
        .select(check_releases::check_id)
        .first(c)
        .optional())?)
}

/// The covert check of which we heard first, so long ago that it might have been released since, and was not. What the clock releases
/// later is kept until then.
pub(super) fn overdue(tx: &mut Tx<'_, Background>) -> Result<Option<CheckId>> {
    use unannounced_checks as t;
    let (tenant, since) = (tx.tenant(), tx.now().plus_seconds(-LATEST_RELEASE));
    let scheduled = check_releases::table
        .filter(check_releases::tenant_id.eq(t::tenant_id))
        .filter(check_releases::check_id.eq(t::id));
    let disclosed = check_disclosures::table
        .filter(check_disclosures::tenant_id.eq(t::tenant_id))
        .filter(check_disclosures::check_id.eq(t::id));
    let query = t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::kind.eq(CheckKind::Covert))
        .filter(t::received_at.le(since))
        .filter(t::released_at.is_null())
        .filter(diesel::dsl::not(diesel::dsl::exists(scheduled)))
        .filter(diesel::dsl::not(diesel::dsl::exists(disclosed)))
        .order((t::received_at, t::id))
        .select(t::id);
    Ok(with_conn!(tx.conn(), c => query.first(c).optional())?)
}

/// Since when those of these checks are disclosed that are.
pub(super) fn disclosed<A: Action>(
    tx: &mut Tx<'_, A>,
    checks: Vec<CheckId>,
) -> Result<HashMap<CheckId, Instant>> {
    if checks.is_empty() {
        return Ok(HashMap::new());
    }
    let tenant = tx.tenant();
    let rows: Vec<(CheckId, Instant)> = with_conn!(tx.conn(), c => check_disclosures::table
        .filter(check_disclosures::tenant_id.eq(tenant))
        .filter(check_disclosures::check_id.eq_any(checks))
        .select((check_disclosures::check_id, check_disclosures::disclosed_at))
        .load(c))?;
    Ok(rows.into_iter().collect())
}

/// Notes that a check is disclosed from now on.
pub(super) fn disclose(tx: &mut Tx<'_, Background>, check: CheckId) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    with_conn!(tx.conn(), c => diesel::insert_into(check_disclosures::table)
        .values((
            check_disclosures::tenant_id.eq(tenant),
            check_disclosures::check_id.eq(check),
            check_disclosures::disclosed_at.eq(now),
        ))
        .execute(c))?;
    Ok(())
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
