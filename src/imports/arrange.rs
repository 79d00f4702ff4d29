//! Rows that refer to each other: compared as a whole once all of them are there, then entered a few at a time, each
//! after what it refers to.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::refusals::Refusals;
use super::steps::{Which, count, kept, line_of, plan_good, refused};
use super::work::{Import, SIGN_OF_LIFE};
use super::{Counts, ImportRow, Line, Lines};
use crate::access::{look_beside, look_on_behalf, on_behalf};
use crate::errors::{FieldError, Result};
use crate::jobs::rules::{Job, JobState};
use crate::jobs::runner::JOB;
use crate::jobs::service as jobs;

/// What comparing all rows has found.
struct Compared {
    counts: Counts,
    errors: Vec<FieldError>,
    lines: Lines,
    unchanged: Vec<u32>,
}

impl<R: ImportRow> Import<'_, R> {
    /// Compares all rows and enters those that are new, unseen; what changes something that is there is left to the end.
    /// Whoever goes on where another process has ended compares what is left with what has been entered.
    pub(super) async fn arrange(&self, job: &Job) -> Result<()> {
        let Some(Compared { counts, errors, lines, unchanged }) = self.compare(job).await? else {
            return Ok(());
        };
        let job = self.beside(jobs::hold).await?;
        if job.dry_run || job.tally.errors > 0 || !errors.is_empty() {
            return self.turn(counts, errors, false).await;
        }
        let mut pace = self.pace(50);
        let mut left = lines.new.as_slice();
        while !left.is_empty() {
            let (some, rest) = left.split_at(pace.rows.min(left.len()));
            let some = Arc::new(some.to_vec());
            let Some(took) = self.step(|| self.enter_these(&job, Arc::clone(&some))).await? else {
                return Ok(());
            };
            pace.adapt(some.len(), took);
            left = rest;
        }
        for some in unchanged.chunks(500) {
            let some = some.to_vec();
            self.beside(move |tx, held| {
                let mut job = jobs::hold(tx, held)?;
                let dropped = jobs::drop_kept(tx, job.id, &some)?;
                count(&mut job, Counts { unchanged: dropped, ..Counts::default() });
                jobs::go_on(tx, held, &job)
            })
            .await?;
        }
        // What was found changed at first, and what somebody has entered since: all that is still kept.
        let id = self.held.id;
        let left = look_beside(self.doors, self.held.tenant, JOB, move |tx| jobs::count_kept(tx, id)).await?;
        let changed = usize::try_from(left).unwrap_or_default();
        self.turn(Counts { changed, ..Counts::default() }, Vec::new(), false).await
    }

    /// Compares all rows with each other and with what is there, beside everybody else; nothing when the job is to go back.
    async fn compare(&self, job: &Job) -> Result<Option<Compared>> {
        let id = self.held.id;
        let compared =
            look_on_behalf::<R::Action, _, _>(self.doors, self.held.behalf(job, false), move |tx| {
                let keys = jobs::refused_values(tx, id, R::KEY)?;
                let rows = kept::<R>(tx, id, (0, R::MOST), Which::All)?.lines;
                let mut refusals = Refusals::beside(keys);
                let (counts, changes) = R::plan(tx, &rows, id, &mut refusals)?;
                let lines = R::lines(&changes);
                let moves: HashSet<u32> = lines.new.iter().chain(&lines.changed).copied().collect();
                let unchanged =
                    rows.iter().map(|line| line.number).filter(|number| !moves.contains(number)).collect();
                Ok(Compared { counts, errors: refusals.into_errors(), lines, unchanged })
            });
        tokio::pin!(compared);
        loop {
            match tokio::time::timeout(SIGN_OF_LIFE, &mut compared).await {
                Ok(compared) => return compared.map(Some),
                Err(_) if self.sign_of_life().await? => {}
                // Cancelled meanwhile.
                Err(_) => return Ok(None),
            }
        }
    }

    /// Enters the rows of these lines, which wait no more then; how long the database was busy with them, or nothing when
    /// the job is to go back. What was right when all were compared and is not by now turns it.
    async fn enter_these(&self, job: &Job, lines: Arc<Vec<u32>>) -> Result<Option<Duration>> {
        let held = self.held.clone();
        on_behalf::<R::Action, _, _>(self.doors, self.held.behalf(job, true), move |tx| {
            let begun = Instant::now();
            let mut job = jobs::hold(tx, &held)?;
            if job.state != JobState::Reading {
                return Ok(None);
            }
            let rows = jobs::kept_at(tx, job.id, &lines)?;
            let mut rows: Vec<Line<R>> = rows.iter().map(line_of).collect::<Result<_>>()?;
            let (counts, changes, errors) = plan_good::<R>(tx, &mut rows, job.id)?;
            if !errors.is_empty() {
                jobs::refuse(tx, &mut job, errors)?;
                let problem = refused(&job);
                jobs::turn_back(tx, &held, &job, JobState::Refused, Some(problem))?;
                return Ok(None);
            }
            // Somebody has entered it meanwhile, under another name: that is changed at the end.
            let changed = R::lines(&changes).changed;
            let entered: Vec<u32> = lines.iter().filter(|line| !changed.contains(line)).copied().collect();
            R::enter(tx, changes, job.id)?;
            jobs::drop_kept(tx, job.id, &entered)?;
            // What is changed at the end is counted when all of it is known.
            count(&mut job, Counts { changed: 0, ..counts });
            jobs::go_on(tx, &held, &job)?;
            Ok(Some(begun.elapsed()))
        })
        .await
    }
}
