//! Where the bytes of a large body wait, piece by piece, for the job that will read them: in the database, so that
//! whichever instance works on it has them. They are written before there is a job, in transactions of their own.

use diesel::prelude::*;

use crate::db::schema::jobs::job_pieces;
use crate::db::{Conn, Id, Instant, TenantId, with_conn};
use crate::errors::Result;

/// Marks the identifier of a job.
#[derive(Debug)]
pub struct JobEntity;
/// The identifier of a job, and of the body it is to read.
pub type JobId = Id<JobEntity>;

/// Bytes of a piece; the last one may have fewer.
pub const PIECE: usize = 256 * 1024;

/// Adds a piece; `place` counts from 0.
pub(super) fn keep(
    conn: Conn<'_>,
    tenant: TenantId,
    job: JobId,
    place: i64,
    bytes: &[u8],
    now: Instant,
) -> Result<()> {
    with_conn!(conn, c => diesel::insert_into(job_pieces::table)
        .values((
            job_pieces::tenant_id.eq(tenant),
            job_pieces::job_id.eq(job),
            job_pieces::place.eq(place),
            job_pieces::bytes.eq(bytes),
            job_pieces::created_at.eq(now),
        ))
        .execute(c))?;
    Ok(())
}
