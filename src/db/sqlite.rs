//! The embedded database: one writer thread with group commit, a pool of readers.
//!
//! The writer opens one transaction for all jobs that wait, gives each a savepoint, and syncs once.
//! A job's answer leaves only after the commit, so what was acknowledged is on disk. A job that
//! fails or panics is rolled back alone; when the commit itself fails, every job of the group
//! is told so and the connection is opened anew.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool};
use diesel::{Connection, SqliteConnection};
use tokio::sync::{Semaphore, oneshot};

use super::start::StartError;
use super::{Conn, Limits, start};
use crate::errors::{AppError, Code, Result};

/// At most so many jobs share one commit, and a group is closed after so long, so that the first
/// of them does not wait for ever.
const GROUP_JOBS: usize = 128;
const GROUP_TIME: Duration = Duration::from_millis(20);
/// How long a reader waits for its turn before it is told to come again.
const READ_WAIT: Duration = Duration::from_secs(5);

const PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
    PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000;";

pub(super) struct Sqlite {
    readers: Pool<ConnectionManager<SqliteConnection>>,
    turns: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
    writer: SyncSender<Box<dyn Job>>,
}

#[derive(Debug)]
struct ReadOnly;

impl CustomizeConnection<SqliteConnection, diesel::r2d2::Error> for ReadOnly {
    fn on_acquire(&self, conn: &mut SqliteConnection) -> std::result::Result<(), diesel::r2d2::Error> {
        conn.batch_execute(PRAGMAS)
            // Of many readers each keeps little: the operating system keeps the file's pages for all.
            .and_then(|()| conn.batch_execute("PRAGMA query_only = ON; PRAGMA cache_size = -4000"))
            .map_err(diesel::r2d2::Error::QueryError)
    }
}

/// Opens a connection that may write.
pub(super) fn connect(file: &Path) -> std::result::Result<SqliteConnection, StartError> {
    let name = file.to_str().ok_or_else(|| StartError::new("the data directory's path is not UTF-8"))?;
    let trouble = |error: String| StartError::new(format!("cannot open the database {name}: {error}"));
    let mut conn = SqliteConnection::establish(name).map_err(|error| trouble(error.to_string()))?;
    conn.batch_execute(PRAGMAS).map_err(|error| trouble(error.to_string()))?;
    Ok(conn)
}

/// Opens a file that nobody may change, not even by opening it.
pub(super) fn read_only(file: &Path) -> std::result::Result<SqliteConnection, StartError> {
    let name = file.to_str().ok_or_else(|| StartError::new("the file's path is not UTF-8"))?;
    let path: String = name
        .chars()
        .flat_map(|c| match c {
            '%' => vec!['%', '2', '5'],
            '?' => vec!['%', '3', 'f'],
            '#' => vec!['%', '2', '3'],
            c => vec![c],
        })
        .collect();
    SqliteConnection::establish(&format!("file:{path}?mode=ro&immutable=1"))
        .map_err(|error| StartError::new(format!("cannot open {name}: {error}")))
}

impl Sqlite {
    pub(super) fn open(file: &Path, limits: Limits) -> start::Result<Self> {
        let conn = connect(file)?;
        let name = file.to_str().unwrap_or_default();
        let readers = Pool::builder()
            .max_size(limits.connections)
            .min_idle(Some(1))
            .test_on_check_out(false)
            .connection_timeout(READ_WAIT)
            .connection_customizer(Box::new(ReadOnly))
            .build(ConnectionManager::new(name))
            .map_err(|error| StartError::new(format!("cannot open the database {name}: {error}")))?;
        let (sender, receiver) = sync_channel(limits.queue);
        let file = file.to_path_buf();
        std::thread::Builder::new()
            .name("sqlite-writer".into())
            .spawn(move || Writer { file, conn: Some(conn) }.serve(&receiver))
            .map_err(|error| StartError::new(format!("cannot start the writer thread: {error}")))?;
        Ok(Self {
            readers,
            turns: Arc::new(Semaphore::new(limits.connections as usize)),
            waiting: Arc::new(Semaphore::new(limits.queue)),
            writer: sender,
        })
    }

    pub(super) async fn read<R, F>(&self, work: F) -> Result<R>
    where
        R: Send + 'static,
        F: FnOnce(Conn<'_>) -> Result<R> + Send + 'static,
    {
        let _place = self.waiting.clone().try_acquire_owned().map_err(|_| busy())?;
        let turn = tokio::time::timeout(READ_WAIT, self.turns.clone().acquire_owned())
            .await
            .map_err(|_| busy())?
            .map_err(AppError::internal)?;
        let readers = self.readers.clone();
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let mut conn = readers.get().map_err(|error| AppError::unavailable(2, error))?;
            let conn = &mut *conn;
            AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN")?;
            let result = catch_unwind(AssertUnwindSafe(|| work(Conn::Sqlite(conn))));
            AnsiTransactionManager::rollback_transaction(conn)?;
            result.unwrap_or_else(|panic| Err(panicked(&*panic)))
        });
        done.await.map_err(AppError::internal)?
    }

    pub(super) async fn write<R, F>(&self, work: F) -> Result<R>
    where
        R: Send + 'static,
        F: FnOnce(Conn<'_>) -> Result<R> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = WriteJob { work: Some(work), result: None, reply };
        match self.writer.try_send(Box::new(job)) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(busy()),
            Err(TrySendError::Disconnected(_)) => {
                return Err(AppError::unavailable(5, "the writer thread has ended"));
            }
        }
        answer.await.map_err(AppError::internal)?
    }
}

fn busy() -> AppError {
    AppError::new(Code::Unavailable).retry_after(1)
}

/// Tells a panic's message, which its payload hides.
pub(super) fn panicked(payload: &(dyn Any + Send)) -> AppError {
    let message = payload
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "unknown".into());
    AppError::internal(format!("panicked: {message}"))
}

/// A piece of work for the writer, its types forgotten.
trait Job: Send {
    /// Does the work inside a savepoint. `Ok(true)`: keep it; `Ok(false)`: undo it; `Err`: the
    /// connection cannot go on.
    fn run(&mut self, conn: &mut SqliteConnection) -> bool;
    /// Answers whoever waits: `lost` says why the group was not committed.
    fn finish(self: Box<Self>, lost: Option<&str>);
    /// Whether somebody still waits for it.
    fn is_wanted(&self) -> bool;
}

struct WriteJob<F, R> {
    work: Option<F>,
    result: Option<Result<R>>,
    reply: oneshot::Sender<Result<R>>,
}

impl<F, R> Job for WriteJob<F, R>
where
    F: FnOnce(Conn<'_>) -> Result<R> + Send,
    R: Send,
{
    fn run(&mut self, conn: &mut SqliteConnection) -> bool {
        let Some(work) = self.work.take() else { return false };
        let result = catch_unwind(AssertUnwindSafe(|| work(Conn::Sqlite(conn))))
            .unwrap_or_else(|panic| Err(panicked(&*panic)));
        let keep = result.is_ok();
        self.result = Some(result);
        keep
    }

    fn finish(self: Box<Self>, lost: Option<&str>) {
        let answer = match (self.result, lost) {
            // A refusal needs no commit: it stays what it was.
            (Some(Err(error)), _) => Err(error),
            (Some(result), None) => result,
            (_, Some(why)) => Err(AppError::unavailable(2, why.to_owned())),
            (None, None) => Err(AppError::unavailable(2, "the job was not run")),
        };
        // Nobody waits any more when the request ran out of time: the answer is dropped.
        drop(self.reply.send(answer));
    }

    fn is_wanted(&self) -> bool {
        !self.reply.is_closed()
    }
}

struct Writer {
    file: PathBuf,
    conn: Option<SqliteConnection>,
}

impl Writer {
    fn serve(mut self, jobs: &Receiver<Box<dyn Job>>) {
        while let Ok(first) = jobs.recv() {
            let mut done = Vec::new();
            let lost = self.group(first, jobs, &mut done).err();
            if let Some(why) = &lost {
                tracing::error!(error = %why, jobs = done.len(), "a group of writes was not committed");
                // Whatever state it is in, a new connection is in a known one.
                self.conn = None;
            }
            for job in done {
                job.finish(lost.as_deref());
            }
        }
    }

    fn group(
        &mut self,
        first: Box<dyn Job>,
        jobs: &Receiver<Box<dyn Job>>,
        done: &mut Vec<Box<dyn Job>>,
    ) -> std::result::Result<(), String> {
        let conn = match &mut self.conn {
            Some(conn) => conn,
            none => match connect(&self.file) {
                Ok(conn) => none.insert(conn),
                Err(error) => {
                    done.push(first);
                    return Err(error.to_string());
                }
            },
        };
        if let Err(error) = AnsiTransactionManager::begin_transaction_sql(conn, "BEGIN IMMEDIATE") {
            done.push(first);
            return Err(error.to_string());
        }
        let started = Instant::now();
        let mut next = Some(first);
        while let Some(mut job) = next.take() {
            let outcome = if job.is_wanted() { in_savepoint(conn, &mut *job) } else { Ok(()) };
            done.push(job);
            outcome.map_err(|error| error.to_string())?;
            if done.len() < GROUP_JOBS && started.elapsed() < GROUP_TIME {
                next = jobs.try_recv().ok();
            }
        }
        AnsiTransactionManager::commit_transaction(conn).map_err(|error| error.to_string())
    }
}

/// Gives the job a savepoint; leaves the connection at depth 1 whatever the job did.
fn in_savepoint(conn: &mut SqliteConnection, job: &mut dyn Job) -> diesel::QueryResult<()> {
    AnsiTransactionManager::begin_transaction(conn)?;
    if job.run(conn) && depth(conn)? == 2 {
        return AnsiTransactionManager::commit_transaction(conn);
    }
    while depth(conn)? > 1 {
        AnsiTransactionManager::rollback_transaction(conn)?;
    }
    // SQLite itself rolls the whole transaction back on some errors (a full disk is one); the next
    // statement then tells, for there is no transaction left to be in.
    conn.batch_execute("SAVEPOINT alive; RELEASE alive")
}

fn depth(conn: &mut SqliteConnection) -> diesel::QueryResult<u32> {
    let status = AnsiTransactionManager::transaction_manager_status_mut(conn);
    Ok(status.transaction_depth()?.map_or(0, Into::into))
}
