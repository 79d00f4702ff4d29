//! What the steps of an import do inside their transactions.

use super::feed::{Item, Mark, too_many_rows};
use super::refusals::Refusals;
use super::{Counts, Given, ImportRow, Line, Way};
use crate::access::policy::{Action, Background};
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
        "Rows with errors: {lines}, errors: {errors}; nothing was imported"
    );
    Problem { code: Code::ImportRefused, detail }
}

pub(super) fn count(job: &mut Job, counts: Counts) {
    let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    job.tally.new += number(counts.new);
    job.tally.changed += number(counts.changed);
    job.tally.unchanged += number(counts.unchanged);
}

/// Marks a row that was new when it was read, beside which columns it has.
const NEW: i64 = 1 << 32;

/// Which of the rows that were kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// All of them.
    All,
    /// Those that were new when they were read.
    New,
    /// The others.
    Others,
}

/// Rows that wait for the end of their job.
pub(super) struct Stretch<R> {
    /// Those that were asked for.
    pub lines: Vec<Line<R>>,
    /// How many were gone through for them.
    pub passed: usize,
    /// The last line among all of these.
    pub last: Option<i64>,
}

/// The row that was kept.
pub(super) fn line_of<R: ImportRow>(row: &jobs::Kept) -> Result<Line<R>> {
    Ok(Line {
        number: u32::try_from(row.line).map_err(AppError::internal)?,
        row: serde_json::from_str(&row.content).map_err(AppError::internal)?,
        given: Given::kept(row.given & !NEW),
    })
}

/// Some of the rows that wait for the end of their job.
pub(super) fn kept<R: ImportRow>(
    tx: &mut Tx<'_, R::Action>,
    job: JobId,
    (behind, most): (i64, i64),
    which: Which,
) -> Result<Stretch<R>> {
    let rows = jobs::kept_behind(tx, job, behind, most)?;
    let (passed, last) = (rows.len(), rows.last().map(|row| row.line));
    let wanted = |row: &jobs::Kept| match which {
        Which::All => true,
        Which::New => row.given & NEW != 0,
        Which::Others => row.given & NEW == 0,
    };
    let lines = rows.iter().filter(|row| wanted(row)).map(line_of).collect::<Result<_>>()?;
    Ok(Stretch { lines, passed, last })
}

/// Tells of rows that were good when they were read and are not by now: they are left out of what is done, since what was done
/// before them is done.
pub(super) fn tell_late<A: Action>(tx: &mut Tx<'_, A>, job: &mut Job, errors: Vec<FieldError>) -> Result<()> {
    if errors.is_empty() {
        return Ok(());
    }
    jobs::refuse(tx, job, errors)?;
    let lines = job.tally.refused;
    if !job.skip_refused {
        let detail = text!(
            "{lines} 行在生效前已与他人的改动冲突, 未导入; 其余已导入",
            "{lines} rows were overtaken by what others did before they came into force and are left out; the others are in"
        );
        job.problem = Some(Problem { code: Code::ConcurrentChange, detail });
    }
    Ok(())
}

/// Compares rows with what is there, and leaves out those with which something is wrong.
pub(super) fn plan_good<R: ImportRow>(
    tx: &mut Tx<'_, R::Action>,
    rows: &mut Vec<Line<R>>,
    job: JobId,
) -> Result<(Counts, R::Changes, Vec<FieldError>)> {
    let mut errors = Vec::new();
    loop {
        let mut refusals = Refusals::default();
        let (counts, changes) = R::plan(tx, rows, job, &mut refusals)?;
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
    let mut good: Vec<Line<R>> = items
        .iter()
        .filter(|item| !repeated.has_line(item.number))
        .filter_map(|item| item.row.as_ref().ok().cloned())
        .collect();
    errors.extend(repeated.into_errors());
    job.tally.read += i64::try_from(items.len()).map_err(AppError::internal)?;
    if job.tally.read > R::MOST {
        return Err(too_many_rows(R::MOST));
    }
    let mut new = Vec::new();
    if R::WAY != Way::Altogether {
        let (counts, changes, more) = plan_good::<R>(tx, &mut good, job.id)?;
        errors.extend(more);
        count(&mut job, counts);
        let lines = R::lines(&changes);
        if R::WAY == Way::InBatches {
            R::enter(tx, changes, job.id)?;
        } else {
            new = lines.new;
        }
        // Both are in the order of the file.
        let has = |lines: &[u32], line: &Line<R>| lines.binary_search(&line.number).is_ok();
        good.retain(|line| has(&new, line) || has(&lines.changed, line));
    }
    let mut content = Vec::with_capacity(good.len());
    for line in &good {
        let text = serde_json::to_string(&line.row).map_err(AppError::internal)?;
        let mark = if new.binary_search(&line.number).is_ok() { NEW } else { 0 };
        content.push((line.number, line.given.bits() | mark, text));
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

/// Takes back some of what a job has entered: how much, and the last line of it.
pub(super) fn withdraw_some<R: ImportRow>(
    tx: &mut Tx<'_, Background>,
    job: &Job,
    most: i64,
) -> Result<(usize, i64)> {
    match R::WAY {
        Way::InBatches if job.tally.new > 0 => {
            let some = jobs::values_behind(tx, job.id, R::KEY, job.settled, most)?;
            let keys: Vec<&str> = some.iter().map(|(_, key)| key.as_str()).collect();
            R::withdraw(tx, job.id, &keys)?;
            Ok((some.len(), some.last().map_or(job.settled, |(line, _)| *line)))
        }
        Way::Altogether => {
            let rows = R::withdraw_last(tx, job.id, most)?;
            Ok((rows, job.settled + i64::try_from(rows).unwrap_or_default()))
        }
        // Nothing was entered that would have to be taken back.
        Way::InBatches | Way::AtTheEnd => Ok((0, job.settled)),
    }
}
