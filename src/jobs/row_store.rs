//! What is known of the rows of a job's file: what each has for itself, which wait for the end, what is wrong.

use std::collections::HashMap;

use diesel::prelude::*;

use crate::access::JobId;
use crate::db::schema::jobs::{job_claims, job_refusals, job_rows};
use crate::db::{Conn, TenantId, insert_rows, with_conn};
use crate::errors::Result;
use crate::web::{Page, Paging};

/// What a line of a file has for itself.
#[derive(Debug, Clone, Insertable, PartialEq, Eq)]
#[diesel(table_name = job_claims)]
pub struct Claim {
    pub(super) tenant_id: TenantId,
    pub(super) job_id: JobId,
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) line: i64,
}

/// The lines that have these values for themselves already.
pub(super) fn claimed(
    conn: Conn<'_>,
    tenant: TenantId,
    job: JobId,
    name: &str,
    values: &[&str],
) -> Result<HashMap<String, i64>> {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    let found: Vec<(String, i64)> = with_conn!(conn, c => job_claims::table
        .filter(job_claims::tenant_id.eq(tenant))
        .filter(job_claims::job_id.eq(job))
        .filter(job_claims::name.eq(name))
        .filter(job_claims::value.eq_any(values))
        .select((job_claims::value, job_claims::line))
        .load(c))?;
    Ok(found.into_iter().collect())
}

pub(super) fn add_claims(conn: Conn<'_>, new: &[Claim]) -> Result<()> {
    insert_rows!(conn, job_claims::table, new);
    Ok(())
}

/// Values of one column behind a line, with their lines, in the order of these.
pub(super) fn claims_behind(
    conn: Conn<'_>,
    tenant: TenantId,
    job: JobId,
    name: &str,
    line: i64,
    most: i64,
) -> Result<Vec<(i64, String)>> {
    Ok(with_conn!(conn, c => job_claims::table
        .filter(job_claims::tenant_id.eq(tenant))
        .filter(job_claims::job_id.eq(job))
        .filter(job_claims::name.eq(name))
        .filter(job_claims::line.gt(line))
        .order(job_claims::line)
        .limit(most)
        .select((job_claims::line, job_claims::value))
        .load(c))?)
}

/// The values that lines with errors have in one column.
pub(super) fn refused_claims(
    conn: Conn<'_>,
    tenant: TenantId,
    job: JobId,
    name: &str,
) -> Result<Vec<String>> {
    Ok(with_conn!(conn, c => job_claims::table
        .filter(job_claims::tenant_id.eq(tenant))
        .filter(job_claims::job_id.eq(job))
        .filter(job_claims::name.eq(name))
        .filter(job_claims::line.eq_any(
            job_refusals::table
                .filter(job_refusals::tenant_id.eq(tenant))
                .filter(job_refusals::job_id.eq(job))
                .select(job_refusals::line),
        ))
        .select(job_claims::value)
        .load(c))?)
}

/// A row that waits for the end of its job.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = job_rows)]
pub struct Kept {
    pub(super) tenant_id: TenantId,
    pub(super) job_id: JobId,
    /// Its line.
    pub line: i64,
    /// Which optional columns it has a cell for.
    pub given: i64,
    /// The row, as JSON.
    pub content: String,
}

pub(super) fn keep_rows(conn: Conn<'_>, rows: &[Kept]) -> Result<()> {
    insert_rows!(conn, job_rows::table, rows);
    Ok(())
}

/// Rows that wait behind a line, in the order of the file.
pub(super) fn kept_behind(
    conn: Conn<'_>,
    tenant: TenantId,
    job: JobId,
    line: i64,
    most: i64,
) -> Result<Vec<Kept>> {
    Ok(with_conn!(conn, c => job_rows::table
        .filter(job_rows::tenant_id.eq(tenant))
        .filter(job_rows::job_id.eq(job))
        .filter(job_rows::line.gt(line))
        .order(job_rows::line)
        .limit(most)
        .select(Kept::as_select())
        .load(c))?)
}

/// Rows that wait, by their lines; in no order.
pub(super) fn kept_at(conn: Conn<'_>, tenant: TenantId, job: JobId, lines: Vec<i64>) -> Result<Vec<Kept>> {
    Ok(with_conn!(conn, c => job_rows::table
        .filter(job_rows::tenant_id.eq(tenant))
        .filter(job_rows::job_id.eq(job))
        .filter(job_rows::line.eq_any(lines))
        .select(Kept::as_select())
        .load(c))?)
}

/// How many rows wait.
pub(super) fn count_kept(conn: Conn<'_>, tenant: TenantId, job: JobId) -> Result<i64> {
    Ok(with_conn!(conn, c => job_rows::table
        .filter(job_rows::tenant_id.eq(tenant))
        .filter(job_rows::job_id.eq(job))
        .count()
        .get_result(c))?)
}

/// Lets rows go that wait no more.
pub(super) fn drop_kept(conn: Conn<'_>, tenant: TenantId, job: JobId, lines: Vec<i64>) -> Result<usize> {
    Ok(with_conn!(conn, c => diesel::delete(job_rows::table
        .filter(job_rows::tenant_id.eq(tenant))
        .filter(job_rows::job_id.eq(job))
        .filter(job_rows::line.eq_any(lines)))
        .execute(c))?)
}

/// Something wrong with a row.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, PartialEq, Eq)]
#[diesel(table_name = job_refusals)]
pub struct Refusal {
    pub(super) tenant_id: TenantId,
    pub(super) job_id: JobId,
    /// The line.
    pub line: i64,
    /// Counts the errors of a line, from 0.
    pub place: i64,
    /// The column; empty for the row as a whole.
    pub field: String,
    /// What.
    pub code: String,
    /// A sentence in Chinese.
    pub detail_zh: String,
    /// A sentence in English.
    pub detail_en: String,
}

pub(super) fn add_refusals(conn: Conn<'_>, rows: &[Refusal]) -> Result<()> {
    insert_rows!(conn, job_refusals::table, rows);
    Ok(())
}

/// A page of what is wrong, in the order of the lines.
pub(super) fn refusals(
    mut conn: Conn<'_>,
    tenant: TenantId,
    job: JobId,
    paging: &Paging,
) -> Result<Page<Refusal>> {
    macro_rules! all {
        () => {
            job_refusals::table
                .filter(job_refusals::tenant_id.eq(tenant))
                .filter(job_refusals::job_id.eq(job))
        };
    }
    let number = |text: Option<&String>| text.and_then(|text| text.parse::<i64>().ok()).unwrap_or(-1);
    let after = paging.after(2)?.unwrap_or_default();
    let (line, place) = (number(after.first()), number(after.get(1)));
    let total: Option<i64> =
        if paging.counts() { Some(with_conn!(&mut conn, c => all!().count().get_result(*c))?) } else { None };
    let rows: Vec<Refusal> = with_conn!(conn, c => all!()
        .filter(job_refusals::line.gt(line).or(job_refusals::line.eq(line).and(job_refusals::place.gt(place))))
        .order((job_refusals::line, job_refusals::place))
        .limit(paging.fetch())
        .select(Refusal::as_select())
        .load(c))?;
    Ok(paging.page(rows, total, |one| vec![one.line.to_string(), one.place.to_string()]))
}
