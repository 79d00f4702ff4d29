//! The pieces of a job's file, and how what a job needed on its way is cleared away.

use diesel::prelude::*;

use crate::access::JobId;
use crate::db::schema::jobs::{job_claims, job_pieces, job_refusals, job_rows, jobs};
use crate::db::{Conn, Instant, TenantId, with_conn};
use crate::errors::Result;

/// A piece of a job's file; none behind its end.
pub(super) fn piece(conn: Conn<'_>, tenant: TenantId, job: JobId, place: i64) -> Result<Option<Vec<u8>>> {
    Ok(with_conn!(conn, c => job_pieces::table
        .find((tenant, job, place))
        .select(job_pieces::bytes)
        .first(c)
        .optional())?)
}

/// Takes away some of what a job needed on its way; whether anything was left.
pub(super) fn clear(mut conn: Conn<'_>, tenant: TenantId, job: JobId, most: i64) -> Result<bool> {
    // By the keys: neither database deletes with a limit.
    let pieces: Vec<i64> = with_conn!(&mut conn, c => job_pieces::table
        .filter(job_pieces::tenant_id.eq(tenant))
        .filter(job_pieces::job_id.eq(job))
        // The first one last: by it what is left is found again.
        .order(job_pieces::place.desc())
        .select(job_pieces::place)
        .limit(8)
        .load(*c))?;
    if !pieces.is_empty() {
        with_conn!(conn, c => diesel::delete(job_pieces::table
            .filter(job_pieces::tenant_id.eq(tenant))
            .filter(job_pieces::job_id.eq(job))
            .filter(job_pieces::place.eq_any(pieces)))
            .execute(c))?;
        return Ok(true);
    }
    let lines: Vec<i64> = with_conn!(&mut conn, c => job_rows::table
        .filter(job_rows::tenant_id.eq(tenant))
        .filter(job_rows::job_id.eq(job))
        .order(job_rows::line)
        .select(job_rows::line)
        .limit(most)
        .load(*c))?;
    if let Some(last) = lines.last() {
        with_conn!(conn, c => diesel::delete(job_rows::table
            .filter(job_rows::tenant_id.eq(tenant))
            .filter(job_rows::job_id.eq(job))
            .filter(job_rows::line.le(last)))
            .execute(c))?;
        return Ok(true);
    }
    let claims: Vec<(String, String)> = with_conn!(&mut conn, c => job_claims::table
        .filter(job_claims::tenant_id.eq(tenant))
        .filter(job_claims::job_id.eq(job))
        .order((job_claims::name, job_claims::value))
        .select((job_claims::name, job_claims::value))
        .limit(most)
        .load(*c))?;
    let Some((name, value)) = claims.last() else { return Ok(false) };
    with_conn!(conn, c => diesel::delete(job_claims::table
        .filter(job_claims::tenant_id.eq(tenant))
        .filter(job_claims::job_id.eq(job))
        .filter(job_claims::name.lt(name).or(job_claims::name.eq(name).and(job_claims::value.le(value)))))
        .execute(c))?;
    Ok(true)
}

/// Bodies that were kept before a moment and that no job was taken on for; some of them.
pub(super) fn orphans(conn: Conn<'_>, tenant: TenantId, before: Instant) -> Result<Vec<JobId>> {
    Ok(with_conn!(conn, c => job_pieces::table
        .left_join(jobs::table.on(jobs::tenant_id.eq(job_pieces::tenant_id).and(jobs::id.eq(job_pieces::job_id))))
        .filter(job_pieces::tenant_id.eq(tenant))
        .filter(job_pieces::place.eq(0_i64))
        .filter(job_pieces::created_at.lt(before))
        .filter(jobs::id.is_null())
        .select(job_pieces::job_id)
        .limit(20)
        .load(c))?)
}

/// What is wrong with rows of jobs that ended before a moment is not kept for ever; whether any of it was there.
pub(super) fn forget_refusals(mut conn: Conn<'_>, tenant: TenantId, before: Instant) -> Result<bool> {
    let old: Option<JobId> = with_conn!(&mut conn, c => jobs::table
        .filter(jobs::tenant_id.eq(tenant))
        .filter(jobs::cleared.eq(true))
        .filter(jobs::ended_at.lt(before))
        .filter(diesel::dsl::exists(
            job_refusals::table
                .filter(job_refusals::tenant_id.eq(tenant))
                .filter(job_refusals::job_id.eq(jobs::id)),
        ))
        .select(jobs::id)
        .first(*c)
        .optional())?;
    let Some(job) = old else { return Ok(false) };
    let lines: Vec<i64> = with_conn!(&mut conn, c => job_refusals::table
        .filter(job_refusals::tenant_id.eq(tenant))
        .filter(job_refusals::job_id.eq(job))
        .order((job_refusals::line, job_refusals::place))
        .select(job_refusals::line)
        .limit(500)
        .load(*c))?;
    if let Some(last) = lines.last() {
        with_conn!(conn, c => diesel::delete(job_refusals::table
            .filter(job_refusals::tenant_id.eq(tenant))
            .filter(job_refusals::job_id.eq(job))
            .filter(job_refusals::line.le(last)))
            .execute(c))?;
    }
    Ok(true)
}
