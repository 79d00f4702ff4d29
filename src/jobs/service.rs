//! The use cases: taking a job on, looking at it, cancelling it; and for whoever does it, holding it, going on,
//! ending it.

use std::sync::Arc;

use serde_json::{Value, json};

pub use super::row_store::{Kept, Refusal};
use super::rules::{Job, JobKind, JobState, Problem, Tally};
pub use super::store::JobFilter;
use super::{row_store, spool_store, store};
use crate::access::policy::{Action, Background, EventRead, JobCancel, JobRead};
use crate::access::{Behalf, JobId, Tx, UserId};
use crate::audit::Change;
use crate::db::TenantId;
use crate::errors::{AppError, Code, FieldError, Place, Result};
use crate::imports::TableFormat;
use crate::web::{Page, Paging};

/// How long a process that has gone silent keeps a job, seconds.
const HELD: i64 = 30;
/// How long what is wrong with rows is kept after the end of their job, seconds: thirty days.
const KEPT: i64 = 30 * 24 * 3600;
/// How old a body without a job is when it is cleared away, seconds: longer than one may take to arrive.
const ORPHANED: i64 = 3600;
/// Jobs of one account that are still to be done at most: each may keep half a gigabyte until it is.
const MOST_OPEN: i64 = 20;
/// Errors of one job that are kept at most; all of them are counted.
pub const MOST_KEPT: i64 = 100_000;

/// A job to be taken on.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// Its identifier: the body is kept under it.
    pub id: JobId,
    /// What it does.
    pub kind: JobKind,
    /// Whether it only tries.
    pub dry_run: bool,
    /// Whether rows with errors are left out, instead of keeping all others out as well.
    pub skip_refused: bool,
    /// The form of its file.
    pub format: TableFormat,
    /// The encoding that was named with it.
    pub charset: Option<String>,
    /// Of the file, hexadecimal.
    pub sha256: String,
    /// Of the file.
    pub bytes: usize,
}

/// Takes a job on for the account that acts.
///
/// # Errors
/// `too_many_jobs`.
pub fn take_on<A: Action>(tx: &mut Tx<'_, A>, new: NewJob) -> Result<Job> {
    let (tenant, user, now) = (tx.tenant(), tx.user()?, tx.now());
    if store::open_jobs(tx.conn(), tenant, user)? >= MOST_OPEN {
        return Err(AppError::new(Code::TooManyJobs));
    }
    let job = Job {
        id: new.id,
        user_id: user,
        kind: new.kind,
        state: JobState::Queued,
        verdict: None,
        dry_run: new.dry_run,
        skip_refused: new.skip_refused,
        format: new.format,
        charset: new.charset,
        encoding: None,
        sha256: new.sha256,
        bytes: i64::try_from(new.bytes).map_err(AppError::internal)?,
        bytes_read: 0,
        mark: String::new(),
        tally: Tally::default(),
        settled: 0,
        problem: None,
        cleared: false,
        request_id: tx.request_id().to_owned(),
        version: 1,
        created_at: now,
        started_at: None,
        ended_at: None,
        updated_at: now,
    };
    store::insert(tx.conn(), tenant, &job)?;
    record(tx, None, &job)?;
    Ok(job)
}

fn facts(job: &Job) -> Value {
    let Tally { read, new, changed, unchanged, refused, errors } = job.tally;
    json!({
        "kind": job.kind, "state": job.state, "dry_run": job.dry_run, "skip_refused": job.skip_refused,
        "format": job.format, "encoding": job.encoding, "sha256": job.sha256, "bytes": job.bytes, "rows_read": read,
        "rows_new": new, "rows_changed": changed, "rows_unchanged": unchanged, "rows_refused": refused,
        "errors_found": errors, "problem": job.problem.as_ref().map(|problem| problem.code.name()),
    })
}

fn record<A: Action>(tx: &mut Tx<'_, A>, before: Option<&Job>, after: &Job) -> Result<()> {
    let (before, facts) = (before.map(facts), facts(after));
    tx.record(&Change {
        entity: "job",
        entity_id: &after.id.to_string(),
        before: before.as_ref(),
        after: Some(&facts),
        reason: None,
    })
}

/// The jobs of these accounts that are being worked on: for those who tell how far they are.
///
/// # Errors
/// When the database fails.
pub fn under_way(tx: &mut Tx<'_, EventRead>, users: &[UserId]) -> Result<Vec<Job>> {
    let tenant = tx.tenant();
    store::under_way(tx.conn(), tenant, users)
}

/// A page of the own jobs, the newest first.
///
/// # Errors
/// When the database fails.
pub fn list(tx: &mut Tx<'_, JobRead>, filter: &JobFilter, paging: &Paging) -> Result<Page<Job>> {
    let (tenant, user) = (tx.tenant(), tx.user()?);
    store::list(tx.conn(), tenant, user, filter, paging)
}

/// An own job.
///
/// # Errors
/// `not_found`.
pub fn get<A: Action>(tx: &mut Tx<'_, A>, id: JobId) -> Result<Job> {
    let (tenant, user) = (tx.tenant(), tx.user()?);
    store::own(tx.conn(), tenant, user, id)?.ok_or_else(|| AppError::new(Code::NotFound))
}

/// A page of what is wrong with the rows of an own job, in the order of the lines.
///
/// # Errors
/// `not_found`.
pub fn refusals(tx: &mut Tx<'_, JobRead>, id: JobId, paging: &Paging) -> Result<Page<Refusal>> {
    get(tx, id)?;
    let tenant = tx.tenant();
    row_store::refusals(tx.conn(), tenant, id, paging)
}

/// Cancels an own job, until what it brings is put in force: then everything it has entered is taken back.
///
/// # Errors
/// `not_found`, `precondition_failed`, `job_not_cancellable`.
pub fn cancel(tx: &mut Tx<'_, JobCancel>, id: JobId) -> Result<Job> {
    let tenant = tx.tenant();
    store::lock(tx.conn(), tenant, id)?;
    let before = get(tx, id)?;
    tx.check_version(before.version)?;
    if !before.state.may_be_cancelled() {
        return Err(AppError::new(Code::JobNotCancellable));
    }
    let job = Job { updated_at: tx.now(), ..going_back(&before, JobState::Cancelled, None)? };
    // Whoever works on it finds out at the next step; nobody else has to wait for them.
    store::go_back(tx.conn(), tenant, &job)?;
    record(tx, Some(&before), &job)?;
    Ok(job)
}

fn going_back(job: &Job, verdict: JobState, problem: Option<Problem>) -> Result<Job> {
    Ok(Job { verdict: Some(verdict), problem, ..job.to(JobState::Dropping)? })
}

/// A job that this process works on.
#[derive(Debug, Clone)]
pub struct Held {
    /// Whose tenant.
    pub tenant: TenantId,
    /// The job.
    pub id: JobId,
    /// The name under which this process holds it.
    pub holder: Arc<str>,
}

impl Held {
    /// For a step under the rights of whoever began the job; `holds` when what is logged is not told yet.
    #[must_use]
    pub fn behalf(&self, job: &Job, holds: bool) -> Behalf {
        let (holds, decided) = (holds.then_some(self.id), job.state == JobState::Finishing);
        Behalf { tenant: self.tenant, user: job.user_id, request_id: job.request_id.clone(), decided, holds }
    }
}

/// The next job of the tenant that nobody works on.
///
/// # Errors
/// When the database fails.
pub fn claim(tx: &mut Tx<'_, Background>, holder: &str) -> Result<Option<Job>> {
    tx.nothing_changed();
    let (tenant, now) = (tx.tenant(), tx.now());
    store::claim(tx.conn(), tenant, holder, now, now.plus_seconds(HELD))
}

/// Lets go of the jobs that this holder holds, or of all that are held.
///
/// # Errors
/// When the database fails.
pub fn let_go(tx: &mut Tx<'_, Background>, holder: Option<&str>) -> Result<()> {
    tx.nothing_changed();
    let (tenant, now) = (tx.tenant(), tx.now());
    store::let_go(tx.conn(), tenant, holder, now)
}

/// Holds the job for a step: nobody else changes it until the transaction ends.
///
/// # Errors
/// `concurrent_change` when another process holds it by now.
pub fn hold<A: Action>(tx: &mut Tx<'_, A>, held: &Held) -> Result<Job> {
    let tenant = tx.tenant();
    tx.accounted_by_the_job();
    store::lock(tx.conn(), tenant, held.id)?;
    store::held(tx.conn(), tenant, held.id, &held.holder)?.ok_or_else(store::gone)
}

/// Keeps how far the job is, and holds it for a while longer.
///
/// # Errors
/// When the database fails.
pub fn go_on<A: Action>(tx: &mut Tx<'_, A>, held: &Held, job: &Job) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    let job = Job { updated_at: now, ..job.clone() };
    let hold = (!job.cleared).then(|| (&*held.holder, now.plus_seconds(HELD)));
    store::save(tx.conn(), tenant, &job, hold)
}

/// Begins a job: what it enters is not seen until it is done.
///
/// # Errors
/// When the database fails.
pub fn begin(tx: &mut Tx<'_, Background>, held: &Held) -> Result<()> {
    let job = hold(tx, held)?;
    if job.state != JobState::Queued {
        return Ok(());
    }
    let tenant = tx.tenant();
    store::open_batch(tx.conn(), tenant, job.id)?;
    let started_at = Some(tx.now());
    go_on(tx, held, &Job { started_at, ..job.to(JobState::Reading)? })
}

/// Turns a job, so that everything it has entered is taken back and it ends like this.
///
/// # Errors
/// When the database fails.
pub fn turn_back<A: Action>(
    tx: &mut Tx<'_, A>,
    held: &Held,
    job: &Job,
    verdict: JobState,
    problem: Option<Problem>,
) -> Result<()> {
    go_on(tx, held, &going_back(job, verdict, problem)?)
}

/// Puts what a job has entered in force, and ends it.
///
/// # Errors
/// When the database fails.
pub fn complete<A: Action>(tx: &mut Tx<'_, A>, held: &Held, job: &Job) -> Result<()> {
    let tenant = tx.tenant();
    store::close_batch(tx.conn(), tenant, job.id)?;
    end(tx, held, job, JobState::Done)
}

/// Ends a job of which everything has been taken back.
///
/// # Errors
/// When the database fails.
pub fn conclude(tx: &mut Tx<'_, Background>, held: &Held, job: &Job) -> Result<()> {
    let tenant = tx.tenant();
    store::close_batch(tx.conn(), tenant, job.id)?;
    let verdict = job.verdict.unwrap_or(JobState::Failed);
    let tally = match verdict {
        JobState::Done => job.tally,
        _ => Tally { new: 0, changed: 0, unchanged: 0, ..job.tally },
    };
    end(tx, held, &Job { tally, ..job.clone() }, verdict)
}

fn end<A: Action>(tx: &mut Tx<'_, A>, held: &Held, before: &Job, state: JobState) -> Result<()> {
    let job = Job { ended_at: Some(tx.now()), ..before.to(state)? };
    go_on(tx, held, &job)?;
    record(tx, Some(before), &job)
}

/// Takes away some of what an ended job needed on its way; whether it is the job's last.
///
/// # Errors
/// When the database fails.
pub fn clear(tx: &mut Tx<'_, Background>, held: &Held, most: i64) -> Result<bool> {
    let job = hold(tx, held)?;
    let tenant = tx.tenant();
    let freed = crate::audit::service::release(tx, job.id, most)?;
    if freed > 0 || spool_store::clear(tx.conn(), tenant, job.id, most)? {
        go_on(tx, held, &job)?;
        return Ok(false);
    }
    go_on(tx, held, &Job { cleared: true, ..job })?;
    Ok(true)
}

/// Clears away bodies that no job was taken on for, and what was wrong with rows long ago.
///
/// # Errors
/// When the database fails.
pub fn sweep(tx: &mut Tx<'_, Background>) -> Result<bool> {
    tx.nothing_changed();
    let (tenant, now) = (tx.tenant(), tx.now());
    let mut some = spool_store::forget_refusals(tx.conn(), tenant, now.plus_seconds(-KEPT))?;
    for job in spool_store::orphans(tx.conn(), tenant, now.plus_seconds(-ORPHANED))? {
        some |= spool_store::clear(tx.conn(), tenant, job, 1)?;
    }
    Ok(some)
}

/// Clears away some of a body that no job was taken on for; whether there may be more. What a job reads stays.
///
/// # Errors
/// When the database fails.
pub fn discard(tx: &mut Tx<'_, Background>, body: JobId) -> Result<bool> {
    tx.nothing_changed();
    let tenant = tx.tenant();
    Ok(!store::is_there(tx.conn(), tenant, body)? && spool_store::clear(tx.conn(), tenant, body, 1)?)
}

/// A piece of a job's file; none behind its end.
///
/// # Errors
/// When the database fails.
pub fn piece(tx: &mut Tx<'_, Background>, job: JobId, place: i64) -> Result<Option<Vec<u8>>> {
    let tenant = tx.tenant();
    spool_store::piece(tx.conn(), tenant, job, place)
}

/// What a line has for itself: a column and its value.
pub type Own = (&'static str, String);

/// Enters what lines have for themselves. What an earlier line has already is answered: which line, which column,
/// whose.
///
/// # Errors
/// When the database fails.
pub fn claim_values<A: Action>(
    tx: &mut Tx<'_, A>,
    job: JobId,
    lines: &[(u32, &[Own])],
) -> Result<Vec<(u32, &'static str, i64)>> {
    let tenant_id = tx.tenant();
    let mut names: Vec<&'static str> =
        lines.iter().flat_map(|(_, own)| own.iter().map(|one| one.0)).collect();
    names.sort_unstable();
    names.dedup();
    let (mut taken, mut new) = (Vec::new(), Vec::new());
    for name in names {
        let values = || lines.iter().flat_map(|(line, own)| own.iter().map(move |one| (*line, one)));
        let wanted: Vec<&str> =
            values().filter(|(_, one)| one.0 == name).map(|(_, one)| one.1.as_str()).collect();
        let mut there = row_store::claimed(tx.conn(), tenant_id, job, name, &wanted)?;
        for (number, (_, value)) in values().filter(|(_, one)| one.0 == name) {
            let line = i64::from(number);
            if let Some(first) = there.get(value) {
                taken.push((number, name, *first));
                continue;
            }
            there.insert(value.clone(), line);
            new.push(row_store::Claim { tenant_id, job_id: job, name, value: value.clone(), line });
        }
    }
    row_store::add_claims(tx.conn(), &new)?;
    Ok(taken)
}

/// What lines behind one have in a column, in the order of the lines, so many at most.
///
/// # Errors
/// When the database fails.
pub fn values_behind<A: Action>(
    tx: &mut Tx<'_, A>,
    job: JobId,
    name: &str,
    line: i64,
    most: i64,
) -> Result<Vec<(i64, String)>> {
    let tenant = tx.tenant();
    row_store::claims_behind(tx.conn(), tenant, job, name, line, most)
}

/// What lines with errors have in a column.
///
/// # Errors
/// When the database fails.
pub fn refused_values<A: Action>(tx: &mut Tx<'_, A>, job: JobId, name: &str) -> Result<Vec<String>> {
    let tenant = tx.tenant();
    row_store::refused_claims(tx.conn(), tenant, job, name)
}

/// Keeps rows for the end of their job: line, which optional columns, the row as JSON.
///
/// # Errors
/// When the database fails.
pub fn keep<A: Action>(tx: &mut Tx<'_, A>, job: JobId, rows: Vec<(u32, i64, String)>) -> Result<()> {
    let tenant_id = tx.tenant();
    let kept =
        |(line, given, content)| Kept { tenant_id, job_id: job, line: i64::from(line), given, content };
    let rows: Vec<Kept> = rows.into_iter().map(kept).collect();
    row_store::keep_rows(tx.conn(), &rows)
}

/// Rows that wait behind a line, in the order of the lines, so many at most.
///
/// # Errors
/// When the database fails.
pub fn kept_behind<A: Action>(tx: &mut Tx<'_, A>, job: JobId, line: i64, most: i64) -> Result<Vec<Kept>> {
    let tenant = tx.tenant();
    row_store::kept_behind(tx.conn(), tenant, job, line, most)
}

/// Rows that wait, by their lines, in no order; those that wait no more are not among them.
///
/// # Errors
/// When the database fails.
pub fn kept_at<A: Action>(tx: &mut Tx<'_, A>, job: JobId, lines: &[u32]) -> Result<Vec<Kept>> {
    let tenant = tx.tenant();
    row_store::kept_at(tx.conn(), tenant, job, lines.iter().map(|line| i64::from(*line)).collect())
}

/// How many rows wait.
///
/// # Errors
/// When the database fails.
pub fn count_kept(tx: &mut Tx<'_, Background>, job: JobId) -> Result<i64> {
    let tenant = tx.tenant();
    row_store::count_kept(tx.conn(), tenant, job)
}

/// Lets rows go that wait no more; how many of these did.
///
/// # Errors
/// When the database fails.
pub fn drop_kept<A: Action>(tx: &mut Tx<'_, A>, job: JobId, lines: &[u32]) -> Result<usize> {
    let tenant = tx.tenant();
    row_store::drop_kept(tx.conn(), tenant, job, lines.iter().map(|line| i64::from(*line)).collect())
}

/// Counts errors of rows in the tally and keeps them, unless there are too many already.
///
/// # Errors
/// When the database fails.
pub fn refuse<A: Action>(tx: &mut Tx<'_, A>, job: &mut Job, mut errors: Vec<FieldError>) -> Result<()> {
    let tenant_id = tx.tenant();
    let line_of = |error: &FieldError| match &error.place {
        Place::Row(line, _) => *line,
        Place::Body(_) | Place::Query(_) | Place::Header(_) => 0,
    };
    errors.sort_by_key(line_of);
    let room = usize::try_from(MOST_KEPT - job.tally.errors).unwrap_or_default();
    let (mut rows, mut last, mut place, mut lines) = (Vec::new(), None, 0, 0);
    for error in &errors {
        let line = line_of(error);
        if last != Some(line) {
            (last, place) = (Some(line), 0);
            lines += 1;
        }
        let field = match &error.place {
            Place::Row(_, column) => column.clone(),
            Place::Body(_) | Place::Query(_) | Place::Header(_) => String::new(),
        };
        rows.push(Refusal {
            tenant_id,
            job_id: job.id,
            line: i64::from(line),
            place,
            field,
            code: error.code.name().to_owned(),
            detail_zh: error.detail.zh.to_string(),
            detail_en: error.detail.en.to_string(),
        });
        place += 1;
    }
    rows.truncate(room);
    row_store::add_refusals(tx.conn(), &rows)?;
    job.tally.refused += lines;
    job.tally.errors += i64::try_from(errors.len()).map_err(AppError::internal)?;
    Ok(())
}
