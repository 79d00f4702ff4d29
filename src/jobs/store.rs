//! Rows of jobs, and of what they need on their way.

use diesel::prelude::*;

use super::rules::{Job, JobKind, JobState, Problem, Tally};
use crate::access::{JobId, UserId};
use crate::db::schema::jobs::jobs;
use crate::db::schema::open_batches;
use crate::db::{Conn, Instant, TenantId, lock_row, with_conn};
use crate::errors::{AppError, Code, Result, Text};
use crate::imports::{TableFormat, TextEncoding};
use crate::web::{Page, Paging};

/// Jobs whose progress is told at once in a tenant, at most: a process works on a few at a time.
const UNDER_WAY: i64 = 200;

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = jobs)]
struct Row {
    id: JobId,
    user_id: UserId,
    kind: JobKind,
    state: JobState,
    verdict: Option<JobState>,
    dry_run: bool,
    skip_refused: bool,
    format: TableFormat,
    charset: Option<String>,
    encoding: Option<TextEncoding>,
    sha256: String,
    bytes: i64,
    bytes_read: i64,
    mark: String,
    rows_read: i64,
    rows_new: i64,
    rows_changed: i64,
    rows_unchanged: i64,
    rows_refused: i64,
    errors_found: i64,
    settled: i64,
    problem: Option<String>,
    cleared: bool,
    request_id: String,
    version: i64,
    created_at: Instant,
    started_at: Option<Instant>,
    ended_at: Option<Instant>,
    updated_at: Instant,
}

/// As `code`, the Chinese and the English sentence, separated by a line break that none of them has.
fn problem_text(problem: &Problem) -> String {
    let line = |text: &str| text.replace('\n', " ");
    format!("{}\n{}\n{}", problem.code.name(), line(&problem.detail.zh), line(&problem.detail.en))
}

fn problem(text: &str) -> Option<Problem> {
    let mut lines = text.split('\n').map(ToOwned::to_owned);
    let code = lines.next().and_then(|name| Code::ALL.iter().find(|code| code.name() == name).copied())?;
    Some(Problem { code, detail: Text::new(lines.next()?, lines.next()?) })
}

impl From<Row> for Job {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            user_id: row.user_id,
            kind: row.kind,
            state: row.state,
            verdict: row.verdict,
            dry_run: row.dry_run,
            skip_refused: row.skip_refused,
            format: row.format,
            charset: row.charset,
            encoding: row.encoding,
            sha256: row.sha256,
            bytes: row.bytes,
            bytes_read: row.bytes_read,
            mark: row.mark,
            tally: Tally {
                read: row.rows_read,
                new: row.rows_new,
                changed: row.rows_changed,
                unchanged: row.rows_unchanged,
                refused: row.rows_refused,
                errors: row.errors_found,
            },
            settled: row.settled,
            problem: row.problem.as_deref().and_then(problem),
            cleared: row.cleared,
            request_id: row.request_id,
            version: row.version,
            created_at: row.created_at,
            started_at: row.started_at,
            ended_at: row.ended_at,
            updated_at: row.updated_at,
        }
    }
}

/// The one place where the table is named for reading: tenant, and whose it is.
macro_rules! visible {
    ($tenant:expr, $user:expr) => {
        jobs::table.filter(jobs::tenant_id.eq($tenant)).filter(jobs::user_id.eq($user)).into_boxed()
    };
}

/// Enters a job.
pub(super) fn insert(conn: Conn<'_>, tenant: TenantId, job: &Job) -> Result<()> {
    with_conn!(conn, c => diesel::insert_into(jobs::table)
        .values((
            (
                jobs::tenant_id.eq(tenant),
                jobs::id.eq(job.id),
                jobs::user_id.eq(job.user_id),
                jobs::kind.eq(job.kind),
                jobs::state.eq(job.state),
                jobs::dry_run.eq(job.dry_run),
                jobs::skip_refused.eq(job.skip_refused),
                jobs::format.eq(job.format),
                jobs::charset.eq(job.charset.as_deref()),
                jobs::sha256.eq(&job.sha256),
                jobs::bytes.eq(job.bytes),
                jobs::bytes_read.eq(job.bytes_read),
                jobs::mark.eq(&job.mark),
            ),
            (
                jobs::rows_read.eq(0_i64),
                jobs::rows_new.eq(0_i64),
                jobs::rows_changed.eq(0_i64),
                jobs::rows_unchanged.eq(0_i64),
                jobs::rows_refused.eq(0_i64),
                jobs::errors_found.eq(0_i64),
                jobs::settled.eq(0_i64),
                jobs::cleared.eq(false),
                jobs::free_at.eq(job.created_at),
                jobs::request_id.eq(&job.request_id),
                jobs::version.eq(job.version),
                jobs::created_at.eq(job.created_at),
                jobs::updated_at.eq(job.updated_at),
            ),
        ))
        .execute(c))?;
    Ok(())
}

/// What a list of jobs is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct JobFilter {
    /// In these states; empty for all.
    pub states: Vec<JobState>,
    /// Of these kinds; empty for all.
    pub kinds: Vec<JobKind>,
}

/// A page of somebody's jobs, the newest first.
pub(super) fn list(
    mut conn: Conn<'_>,
    tenant: TenantId,
    user: UserId,
    filter: &JobFilter,
    paging: &Paging,
) -> Result<Page<Job>> {
    macro_rules! filtered {
        () => {{
            let mut query = visible!(tenant, user);
            if !filter.states.is_empty() {
                query = query.filter(jobs::state.eq_any(filter.states.clone()));
            }
            if !filter.kinds.is_empty() {
                query = query.filter(jobs::kind.eq_any(filter.kinds.clone()));
            }
            query
        }};
    }
    let before = paging.after(1)?.and_then(|place| JobId::parse(place.first()?));
    let total: Option<i64> = if paging.counts() {
        Some(with_conn!(&mut conn, c => filtered!().count().get_result(*c))?)
    } else {
        None
    };
    let rows: Vec<Row> = with_conn!(conn, c => {
        let mut query = filtered!();
        if let Some(before) = before {
            query = query.filter(jobs::id.lt(before));
        }
        query.order(jobs::id.desc()).limit(paging.fetch()).select(Row::as_select()).load(c)
    })?;
    Ok(paging.page(rows.into_iter().map(Job::from).collect(), total, |job| vec![job.id.to_string()]))
}

/// Somebody's job.
pub(super) fn own(conn: Conn<'_>, tenant: TenantId, user: UserId, id: JobId) -> Result<Option<Job>> {
    let row: Option<Row> = with_conn!(conn, c => visible!(tenant, user)
        .filter(jobs::id.eq(id))
        .select(Row::as_select())
        .first(c)
        .optional())?;
    Ok(row.map(Job::from))
}

/// The jobs of these accounts that are being worked on.
pub(super) fn under_way(conn: Conn<'_>, tenant: TenantId, users: &[UserId]) -> Result<Vec<Job>> {
    let states = [JobState::Reading, JobState::Finishing, JobState::Dropping];
    let rows: Vec<Row> = with_conn!(conn, c => jobs::table
        .filter(jobs::tenant_id.eq(tenant))
        .filter(jobs::cleared.eq(false))
        .filter(jobs::state.eq_any(states))
        .filter(jobs::user_id.eq_any(users.to_vec()))
        .order(jobs::id)
        .limit(UNDER_WAY)
        .select(Row::as_select())
        .load(c))?;
    Ok(rows.into_iter().map(Job::from).collect())
}

/// How many jobs of an account are still to be done.
pub(super) fn open_jobs(conn: Conn<'_>, tenant: TenantId, user: UserId) -> Result<i64> {
    let ended: Vec<JobState> = JobState::ALL.iter().copied().filter(|state| state.has_ended()).collect();
    Ok(with_conn!(conn, c => jobs::table
        .filter(jobs::tenant_id.eq(tenant))
        .filter(jobs::cleared.eq(false))
        .filter(jobs::user_id.eq(user))
        .filter(jobs::state.ne_all(ended))
        .count()
        .get_result(c))?)
}

/// Whether there is such a job.
pub(super) fn is_there(conn: Conn<'_>, tenant: TenantId, id: JobId) -> Result<bool> {
    let found: Option<JobId> =
        with_conn!(conn, c => jobs::table.find((tenant, id)).select(jobs::id).first(c).optional())?;
    Ok(found.is_some())
}

/// Holds the row of a job until the transaction ends.
pub(super) fn lock(conn: Conn<'_>, tenant: TenantId, id: JobId) -> Result<()> {
    lock_row!(conn, jobs::table.find((tenant, id)).select(jobs::id));
    Ok(())
}

/// The next job of the tenant that nobody works on, for this holder until then; none when there is none.
pub(super) fn claim(
    mut conn: Conn<'_>,
    tenant: TenantId,
    holder: &str,
    now: Instant,
    until: Instant,
) -> Result<Option<Job>> {
    let free: Option<JobId> = with_conn!(&mut conn, c => jobs::table
        .filter(jobs::tenant_id.eq(tenant))
        .filter(jobs::cleared.eq(false))
        .filter(jobs::free_at.le(now))
        .order(jobs::id)
        .select(jobs::id)
        .first(*c)
        .optional())?;
    let Some(id) = free else { return Ok(None) };
    let taken = with_conn!(&mut conn, c => diesel::update(jobs::table
        .filter(jobs::tenant_id.eq(tenant))
        .filter(jobs::id.eq(id))
        .filter(jobs::cleared.eq(false))
        .filter(jobs::free_at.le(now)))
        .set((jobs::holder.eq(holder), jobs::free_at.eq(until)))
        .execute(*c))?;
    // Somebody was faster: the next look finds another.
    if taken == 0 { Ok(None) } else { held(conn, tenant, id, holder) }
}

/// A job that this holder holds; none when another one does by now.
pub(super) fn held(conn: Conn<'_>, tenant: TenantId, id: JobId, holder: &str) -> Result<Option<Job>> {
    let row: Option<Row> = with_conn!(conn, c => jobs::table
        .filter(jobs::tenant_id.eq(tenant))
        .filter(jobs::id.eq(id))
        .filter(jobs::holder.eq(holder))
        .select(Row::as_select())
        .first(c)
        .optional())?;
    Ok(row.map(Job::from))
}

/// Keeps how far a job is; who holds it holds it until then.
pub(super) fn save(conn: Conn<'_>, tenant: TenantId, job: &Job, hold: Option<(&str, Instant)>) -> Result<()> {
    let problem = job.problem.as_ref().map(problem_text);
    let (holder, until) = hold.map_or((None, job.updated_at), |(holder, until)| (Some(holder), until));
    with_conn!(conn, c => diesel::update(jobs::table.find((tenant, job.id)))
        .set((
            (
                jobs::state.eq(job.state),
                jobs::verdict.eq(job.verdict),
                jobs::encoding.eq(job.encoding),
                jobs::bytes_read.eq(job.bytes_read),
                jobs::mark.eq(&job.mark),
                jobs::rows_read.eq(job.tally.read),
                jobs::rows_new.eq(job.tally.new),
                jobs::rows_changed.eq(job.tally.changed),
                jobs::rows_unchanged.eq(job.tally.unchanged),
                jobs::rows_refused.eq(job.tally.refused),
                jobs::errors_found.eq(job.tally.errors),
                jobs::settled.eq(job.settled),
            ),
            (
                jobs::problem.eq(problem),
                jobs::cleared.eq(job.cleared),
                jobs::holder.eq(holder),
                jobs::free_at.eq(until),
                jobs::version.eq(job.version),
                jobs::started_at.eq(job.started_at),
                jobs::ended_at.eq(job.ended_at),
                jobs::updated_at.eq(job.updated_at),
            ),
        ))
        .execute(c))?;
    Ok(())
}

/// Turns a job back, whoever holds it.
pub(super) fn go_back(conn: Conn<'_>, tenant: TenantId, job: &Job) -> Result<()> {
    with_conn!(conn, c => diesel::update(jobs::table.find((tenant, job.id)))
        .set((
            jobs::state.eq(job.state),
            jobs::verdict.eq(job.verdict),
            jobs::settled.eq(job.settled),
            jobs::version.eq(job.version),
            jobs::updated_at.eq(job.updated_at),
        ))
        .execute(c))?;
    Ok(())
}

/// Lets go of every job that this holder holds.
pub(super) fn let_go(conn: Conn<'_>, tenant: TenantId, holder: Option<&str>, now: Instant) -> Result<()> {
    with_conn!(conn, c => {
        let held = jobs::table
            .filter(jobs::tenant_id.eq(tenant))
            .filter(jobs::cleared.eq(false))
            .filter(jobs::holder.is_not_null());
        let freed = (jobs::holder.eq(None::<String>), jobs::free_at.eq(now));
        match holder {
            Some(holder) => diesel::update(held.filter(jobs::holder.like(format!("{holder}/%")))).set(freed).execute(c),
            None => diesel::update(held).set(freed).execute(c),
        }
    })?;
    Ok(())
}

/// Makes the rows of a job's batch unseen until it is closed.
pub(super) fn open_batch(conn: Conn<'_>, tenant: TenantId, job: JobId) -> Result<()> {
    with_conn!(conn, c => diesel::insert_into(open_batches::table)
        .values((open_batches::tenant_id.eq(tenant), open_batches::job_id.eq(job)))
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(())
}

/// Puts the rows of a job's batch in force, all at once.
pub(super) fn close_batch(conn: Conn<'_>, tenant: TenantId, job: JobId) -> Result<()> {
    with_conn!(conn, c => diesel::delete(open_batches::table.find((tenant, job))).execute(c))?;
    Ok(())
}

/// A job that is not where it was: it goes on elsewhere.
pub(super) fn gone() -> AppError {
    AppError::new(Code::ConcurrentChange)
}

/// Narrows a query to rows that are in force: entered by no job, or by one that is done.
macro_rules! in_force {
    ($query:expr, $tenant:expr, $batch:expr) => {
        $query.filter(
            $batch.is_null().or(diesel::dsl::not(diesel::dsl::exists(
                $crate::db::schema::open_batches::table
                    .filter($crate::db::schema::open_batches::tenant_id.eq($tenant))
                    .filter($crate::db::schema::open_batches::job_id.nullable().eq($batch)),
            ))),
        )
    };
}
pub(crate) use in_force;

/// Rows of a table that a job has entered and that nobody sees yet, beside the batch they are of.
macro_rules! unseen {
    ($table:ident, $tenant:expr) => {
        $table::table
            .inner_join(
                $crate::db::schema::open_batches::table.on($crate::db::schema::open_batches::tenant_id
                    .eq($table::tenant_id)
                    .and($crate::db::schema::open_batches::job_id.nullable().eq($table::batch_id))),
            )
            .filter($table::tenant_id.eq($tenant))
    };
}
pub(crate) use unseen;
