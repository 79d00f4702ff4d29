//! How an import is done: step by step, each a short transaction that also says how far it is, so that whoever goes
//! on with it begins where the last step ended.

use std::collections::VecDeque;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::feed::{File, Item, Mark, Portion, feed};
use super::pace::Pace;
use super::steps::{Which, count, kept, plan_good, refused, take, tell_late, withdraw_some, written};
use super::{Counts, ImportRow, Way};
use crate::access::policy::Background;
use crate::access::{Doors, Tx, beside, look_beside, on_behalf};
use crate::errors::{AppError, Code, FieldError, Kind, Result};
use crate::jobs::rules::{Job, JobKind, JobState, Problem};
use crate::jobs::runner::{JOB, Work};
use crate::jobs::service::{self as jobs, Held};
use crate::web::Shapes;

/// How often a step that came too late to what others did is tried again.
const TRIES: u32 = 8;
/// How often a job that waits for its file's reader says that it is still there.
pub(super) const SIGN_OF_LIFE: Duration = Duration::from_secs(5);

/// Does the imports of one kind of row.
pub struct Importer<R> {
    shapes: Shapes,
    of: PhantomData<fn() -> R>,
}

impl<R: ImportRow> Importer<R> {
    /// One that knows the document's schemas.
    #[must_use]
    pub fn new(shapes: Shapes) -> Self {
        Self { shapes, of: PhantomData }
    }
}

impl<R: ImportRow> Work for Importer<R> {
    fn kind(&self) -> JobKind {
        R::KIND
    }

    fn work<'w>(
        &'w self,
        doors: &'w Arc<Doors>,
        held: Held,
    ) -> Pin<Box<dyn Future<Output = Result<()>> + 'w>> {
        let import = Import { doors, held, shapes: &self.shapes, of: PhantomData::<fn() -> R> };
        Box::pin(async move {
            match import.go().await {
                // Another process goes on with it, or somebody is in the way; then it is taken up again.
                Err(error) if error.code() == Code::ConcurrentChange => {
                    tracing::info!(job = %import.held.id, %error, "a job is left where it is");
                    Ok(())
                }
                outcome => outcome,
            }
        })
    }
}

/// An import that this process works on.
pub(super) struct Import<'w, R> {
    pub(super) doors: &'w Arc<Doors>,
    pub(super) held: Held,
    shapes: &'w Shapes,
    of: PhantomData<fn() -> R>,
}

/// A failure that lies in the file or in the rights of whoever sent it: the job ends with it. Others pass.
fn is_final(error: &AppError) -> bool {
    !matches!(error.code().kind(), Kind::Unavailable | Kind::Conflict)
}

impl<R: ImportRow> Import<'_, R> {
    async fn go(&self) -> Result<()> {
        loop {
            let job = self.beside(jobs::hold).await?;
            let outcome = match job.state {
                JobState::Queued => self.beside(jobs::begin).await,
                JobState::Reading => self.read(&job).await,
                JobState::Finishing => self.finish(&job).await,
                JobState::Dropping => self.drop_all().await,
                _ if job.cleared => return Ok(()),
                _ => {
                    while !self.beside(|tx, held| jobs::clear(tx, held, 500)).await? {}
                    return Ok(());
                }
            };
            if let Err(error) = outcome {
                if !(Self::may_fail(job.state) && is_final(&error)) {
                    return Err(error);
                }
                self.fail(error).await?;
            }
        }
    }

    pub(super) fn pace(&self, rows: usize) -> Pace {
        Pace::beginning(rows, self.doors.has_one_writer())
    }

    pub(super) async fn beside<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tx<'_, Background>, &Held) -> Result<T> + Send + 'static,
    {
        let held = self.held.clone();
        beside(self.doors, self.held.tenant, JOB, move |tx| work(tx, &held)).await
    }

    /// Ends the job with what has gone wrong, once what it has entered is taken back.
    async fn fail(&self, error: AppError) -> Result<()> {
        if let Some(source) = error.source_for_log() {
            tracing::error!(job = %self.held.id, code = error.code().name(), %source, "a job failed");
        }
        let problem = Problem { code: error.code(), detail: error.detail().clone() };
        self.beside(move |tx, held| {
            let job = jobs::hold(tx, held)?;
            if Self::may_fail(job.state) {
                jobs::turn_back(tx, held, &job, JobState::Failed, Some(problem))
            } else {
                Ok(())
            }
        })
        .await
    }

    /// Whether a job may end with an error there: as long as nothing of it has been put in force.
    fn may_fail(state: JobState) -> bool {
        matches!(state, JobState::Queued | JobState::Reading)
    }

    /// Tries a step again that came too late to what others did meanwhile.
    pub(super) async fn step<T, F>(&self, mut work: impl FnMut() -> F) -> Result<T>
    where
        F: Future<Output = Result<T>>,
    {
        let mut tries = 0;
        loop {
            match work().await {
                Err(error) if tries < TRIES && !is_final(&error) => {
                    tries += 1;
                    // Whether it is ours still is told apart from what failed.
                    tokio::time::sleep(Duration::from_millis(20) * 2_u32.pow(tries)).await;
                    self.beside(jobs::hold).await?;
                }
                outcome => return outcome,
            }
        }
    }

    /// Reads the file to its end, and turns to what follows.
    async fn read(&self, job: &Job) -> Result<()> {
        let (sender, mut receiver) = mpsc::channel::<Portion<R>>(2);
        let reader = self.reader(job, sender);
        let mut waiting: VecDeque<Item<R>> = VecDeque::new();
        let mut pace = self.pace(50);
        let mut ended = false;
        while !ended || !waiting.is_empty() {
            while !ended && waiting.len() < pace.rows {
                match tokio::time::timeout(SIGN_OF_LIFE, receiver.recv()).await {
                    Err(_) if self.sign_of_life().await? => {}
                    // Cancelled: the reader ends when nobody listens.
                    Err(_) => return Ok(()),
                    Ok(None) => ended = true,
                    Ok(Some(Portion::Items(items))) => waiting.extend(items),
                    Ok(Some(Portion::Encoding(encoding))) => {
                        self.beside(move |tx, held| {
                            let job = jobs::hold(tx, held)?;
                            jobs::go_on(tx, held, &Job { encoding: Some(encoding), ..job })
                        })
                        .await?;
                    }
                    Ok(Some(Portion::Heading(errors))) => {
                        return self.turn(Counts::default(), errors, true).await;
                    }
                }
            }
            let some: Vec<Item<R>> = waiting.drain(..pace.rows.min(waiting.len())).collect();
            if some.is_empty() {
                continue;
            }
            let (rows, some) = (some.len(), Arc::new(some));
            let taken = self.step(|| self.take(job, Arc::clone(&some))).await?;
            let Some(took) = taken else {
                // Cancelled meanwhile: the reader ends when nobody listens.
                return Ok(());
            };
            pace.adapt(rows, took);
        }
        match reader.await.map_err(AppError::internal)? {
            Err(error) => Err(error),
            Ok(()) if R::WAY == Way::Altogether => self.arrange(job).await,
            Ok(()) => self.turn(Counts::default(), Vec::new(), false).await,
        }
    }

    /// Reads the file beside the steps.
    fn reader(&self, job: &Job, sender: mpsc::Sender<Portion<R>>) -> tokio::task::JoinHandle<Result<()>> {
        let file = File {
            format: job.format,
            charset: job.charset.clone(),
            encoding: job.encoding,
            mark: Mark::parse(&job.mark),
            today: self.doors.now().shanghai_day(),
        };
        let (doors, shapes, tenant, id) =
            (Arc::clone(self.doors), self.shapes.clone(), self.held.tenant, self.held.id);
        let handle = Handle::current();
        tokio::task::spawn_blocking(move || {
            let mut fetch = |place| {
                handle.block_on(look_beside(&doors, tenant, JOB, move |tx| jobs::piece(tx, id, place)))
            };
            let mut give = |portion| {
                // Nobody listens any more: the job has been cancelled, or the program ends.
                sender.blocking_send(portion).map_err(|_| AppError::new(Code::ConcurrentChange))
            };
            feed::<R>(&shapes, &file, &mut fetch, &mut give)
        })
    }

    /// Says that the job is worked on; whether it is still to be read.
    pub(super) async fn sign_of_life(&self) -> Result<bool> {
        self.beside(|tx, held| {
            let job = jobs::hold(tx, held)?;
            jobs::go_on(tx, held, &job)?;
            Ok(job.state == JobState::Reading)
        })
        .await
    }

    /// Takes some rows; how long the database was busy with them, or nothing when the job is to go back.
    async fn take(&self, job: &Job, items: Arc<Vec<Item<R>>>) -> Result<Option<Duration>> {
        let held = self.held.clone();
        on_behalf::<R::Action, _, _>(self.doors, self.held.behalf(job, true), move |tx| {
            let begun = Instant::now();
            let job = jobs::hold(tx, &held)?;
            if job.state != JobState::Reading {
                return Ok(None);
            }
            let job = take(tx, job, &items)?;
            jobs::go_on(tx, &held, &job)?;
            Ok(Some(begun.elapsed()))
        })
        .await
    }

    /// After the last row: on to the end, or back. What has been found at last is added.
    pub(super) async fn turn(
        &self,
        counts: Counts,
        errors: Vec<FieldError>,
        must_go_back: bool,
    ) -> Result<()> {
        self.beside(move |tx, held| {
            let mut job = jobs::hold(tx, held)?;
            if job.state != JobState::Reading {
                return Ok(());
            }
            jobs::refuse(tx, &mut job, errors)?;
            count(&mut job, counts);
            job.bytes_read = job.bytes;
            if must_go_back || (job.tally.errors > 0 && !job.skip_refused) {
                let problem = refused(&job);
                return jobs::turn_back(tx, held, &job, JobState::Refused, Some(problem));
            }
            if job.dry_run {
                return jobs::turn_back(tx, held, &job, JobState::Done, None);
            }
            jobs::go_on(tx, held, &job.to(JobState::Finishing)?)
        })
        .await
    }

    /// Puts in force what was read.
    async fn finish(&self, job: &Job) -> Result<()> {
        let mut pace = self.pace(50);
        loop {
            let most = pace.most();
            let done = match R::WAY {
                Way::InBatches | Way::Altogether => self.step(|| self.account(job, most)).await?,
                Way::AtTheEnd => self.step(|| self.enter_some(job, most)).await?,
            };
            match done {
                None => break,
                Some((rows, took)) => pace.adapt(rows, took),
            }
        }
        let mut pace = self.pace(20);
        loop {
            let most = pace.most();
            match self.step(|| self.write_some(job, most)).await? {
                None => return Ok(()),
                Some((rows, took)) => pace.adapt(rows, took),
            }
        }
    }

    /// Leaves rows of the log about some of what was entered; none when all of it has them.
    async fn account(&self, job: &Job, most: i64) -> Result<Option<(usize, Duration)>> {
        let held = self.held.clone();
        on_behalf::<R::Action, _, _>(self.doors, self.held.behalf(job, true), move |tx| {
            let begun = Instant::now();
            let job = jobs::hold(tx, &held)?;
            if job.tally.new == 0 {
                return Ok(None);
            }
            let some = jobs::values_behind(tx, job.id, R::KEY, job.settled, most)?;
            let Some((last, _)) = some.last() else { return Ok(None) };
            let keys: Vec<&str> = some.iter().map(|(_, key)| key.as_str()).collect();
            R::account(tx, job.id, &keys)?;
            jobs::go_on(tx, &held, &Job { settled: *last, ..job })?;
            Ok(Some((some.len(), begun.elapsed())))
        })
        .await
    }

    /// Enters some of what was kept for the end and is new, unseen, its rows in the log held back; none when all of it is.
    async fn enter_some(&self, job: &Job, most: i64) -> Result<Option<(usize, Duration)>> {
        let held = self.held.clone();
        on_behalf::<R::Action, _, _>(self.doors, self.held.behalf(job, true), move |tx| {
            let begun = Instant::now();
            let mut job = jobs::hold(tx, &held)?;
            if job.tally.new == 0 {
                return Ok(None);
            }
            let mut some = kept::<R>(tx, job.id, (job.settled, most), Which::New)?;
            let Some(last) = some.last else { return Ok(None) };
            job.tally.new -= i64::try_from(some.lines.len()).unwrap_or_default();
            let (counts, changes, errors) = plan_good::<R>(tx, &mut some.lines, job.id)?;
            count(&mut job, counts);
            tell_late(tx, &mut job, errors)?;
            R::enter(tx, changes, job.id)?;
            jobs::go_on(tx, &held, &Job { settled: last, ..job })?;
            Ok(Some((some.passed, begun.elapsed())))
        })
        .await
    }

    /// Writes some of the changes that were kept for the end, and with the last of them ends the job.
    async fn write_some(&self, job: &Job, most: i64) -> Result<Option<(usize, Duration)>> {
        let held = self.held.clone();
        on_behalf::<R::Action, _, _>(self.doors, self.held.behalf(job, false), move |tx| {
            let begun = Instant::now();
            let mut job = jobs::hold(tx, &held)?;
            if job.state != JobState::Finishing {
                return Ok(None);
            }
            if job.tally.changed == 0 {
                jobs::complete(tx, &held, &job)?;
                return Ok(None);
            }
            let mut some = kept::<R>(tx, job.id, (written(&job), most), Which::Others)?;
            let is_full = some.passed >= usize::try_from(most).unwrap_or_default();
            job.tally.changed -= i64::try_from(some.lines.len()).unwrap_or_default();
            let (counts, changes, errors) = plan_good::<R>(tx, &mut some.lines, job.id)?;
            count(&mut job, counts);
            tell_late(tx, &mut job, errors)?;
            R::write(tx, changes)?;
            let Some(last) = some.last.filter(|_| is_full) else {
                jobs::complete(tx, &held, &job)?;
                return Ok(None);
            };
            job.mark = format!("written {last}");
            jobs::go_on(tx, &held, &job)?;
            Ok(Some((some.passed, begun.elapsed())))
        })
        .await
    }

    /// Takes back what was entered, and ends the job.
    async fn drop_all(&self) -> Result<()> {
        let mut pace = self.pace(50);
        loop {
            let most = pace.most();
            let drop_some = || {
                self.beside(move |tx, held| {
                    let begun = Instant::now();
                    let job = jobs::hold(tx, held)?;
                    let (rows, settled) = withdraw_some::<R>(tx, &job, most)?;
                    if rows == 0 {
                        jobs::conclude(tx, held, &job)?;
                        return Ok(None);
                    }
                    jobs::go_on(tx, held, &Job { settled, ..job })?;
                    Ok(Some((rows, begun.elapsed())))
                })
            };
            match self.step(drop_some).await? {
                None => return Ok(()),
                Some((rows, took)) => pace.adapt(rows, took),
            }
        }
    }
}
