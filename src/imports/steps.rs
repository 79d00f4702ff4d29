//! What the steps of an import do inside their transactions.

use super::feed::{Item, Mark, too_many_rows};
use super::refusals::Refusals;
use super::{Counts, Given, ImportRow, Line, Way};
use crate::access::{JobId, Tx};
use crate::db::forget_plans;
use crate::errors::{AppError, Code, FieldError, Result, text};
use crate::jobs::rules::{Job, Problem};
use crate::jobs::service as jobs;

/// The last line whose change has been written.
pub(super) fn written(job: &Job) -> i64 {
    job.mark.strip_prefix("written ").and_then(|line| line.parse().ok()).unwrap_or_default()
}

/// Why a job was refused.
pub(super) fn refused(job: &Job) -> Problem {
    let (lines, errors) = (job.tally.refused, job.tally.errors);
    let detail = text!(
        "{lines} 行共 {errors} 处有误, 一行也未导入",
        "{lines} rows have {errors} errors; nothing was imported"
    );
    Problem { code: Code::ImportRefused, detail }
}

pub(super) fn count(job: &mut Job, counts: Counts) {
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    job.tally.new += number(counts.new);
    job.tally.changed += number(counts.changed);
    job.tally.unchanged += number(counts.unchanged);
}

/// Rows that wait for the end of their job.
pub(super) fn kept<R: ImportRow>(
    tx: &mut Tx<'_, R::Action>,
    job: JobId,
    behind: i64,
    most: i64,
) -> Result<Vec<Line<R>>> {
    let rows = jobs::kept_behind(tx, job, behind, most)?;
    let line = |row: jobs::Kept| {
        Ok(Line {
            number: u32::try_from(row.line).map_err(AppError::internal)?,
            row: serde_json::from_str(&row.content).map_err(AppError::internal)?,
            given: Given::kept(row.given),
        })
    };
    rows.into_iter().map(line).collect()
}

/// Compares rows with what is there, without those with which something is wrong.
pub(super) fn plan_good<R: ImportRow>(
    tx: &mut Tx<'_, R::Action>,
    mut rows: Vec<Line<R>>,
) -> Result<(Counts, R::Changes, Vec<FieldError>)> {
    let mut errors = Vec::new();
    loop {
        let mut refusals = Refusals::default();
        let (counts, changes) = R::plan(tx, &rows, &mut refusals)?;
        if refusals.is_empty() {
            return Ok((counts, changes, errors));
        }
        rows.retain(|line| !refusals.has_line(line.number));
        errors.extend(refusals.into_errors());
    }
}

/// Takes some rows: refuses what is wrong, enters what is new, keeps what waits for the end.
pub(super) fn take<R: ImportRow>(tx: &mut Tx<'_, R::Action>, mut job: Job, items: &[Item<R>]) -> Result<Job> {
    forget_plans(tx.conn())?;
    // What a step has taken whose answer was lost is not taken again.
    let known = Mark::parse(&job.mark);
    let items: Vec<&Item<R>> = items.iter().filter(|item| item.mark > known).collect();
    let own: Vec<(u32, &[jobs::Own])> = items.iter().map(|item| (item.number, item.own.as_slice())).collect();
    let mut repeated = Refusals::default();
    for (number, name, first) in jobs::claim_values(tx, job.id, &own)? {
        let detail = text!("与第 {first} 行重复", "Row {first} has the same");
        repeated.tell(number, name, Code::NotUnique, detail);
    }
    let mut errors: Vec<FieldError> =
        items.iter().filter_map(|item| item.row.as_ref().err()).flatten().cloned().collect();
    let good: Vec<Line<R>> = items
        .iter()
        .filter(|item| !repeated.has_line(item.number))
        .filter_map(|item| item.row.as_ref().ok().cloned())
        .collect();
    errors.extend(repeated.into_errors());
    job.tally.read += i64::try_from(items.len()).map_err(AppError::internal)?;
    if job.tally.read > R::MOST {
        return Err(too_many_rows(R::MOST));
    }
    let mut content = Vec::with_capacity(good.len());
    for line in &good {
        let text = serde_json::to_string(&line.row).map_err(AppError::internal)?;
        content.push((line.number, line.given.bits(), text));
    }
    if R::WAY == Way::InBatches {
        let (counts, changes, more) = plan_good::<R>(tx, good)?;
        errors.extend(more);
        count(&mut job, counts);
        let later = R::enter(tx, changes, job.id)?;
        content.retain(|(number, ..)| later.contains(number));
    }
    jobs::keep(tx, job.id, content)?;
    jobs::refuse(tx, &mut job, errors)?;
    if let Some(last) = items.last() {
        job.mark = last.mark.to_string();
        // A workbook has no place in its bytes.
        job.bytes_read = i64::try_from(last.mark.offset).unwrap_or_default().min(job.bytes);
    }
    Ok(job)
}
