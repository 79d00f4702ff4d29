//! PostgreSQL: a pool of connections of the application role, each transaction with its tenant set
//! for row-level security in the same round trip that begins it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use diesel::connection::{AnsiTransactionManager, SimpleConnection, TransactionManager};
use diesel::r2d2::{ConnectionManager, CustomizeConnection, Pool};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_types};
use tokio::sync::Semaphore;

use super::start::StartError;
use super::{Conn, Limits, TenantId, start};
use crate::errors::{AppError, Code, Result};

/// How long a request waits for a connection before it is told to come again.
const WAIT: Duration = Duration::from_secs(5);

/// What a transaction is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
    /// Writing with no other writer of the tenant beside it.
    WriteAlone,
}

/// The first half of the keys of advisory locks that tell writers from those who move units; the
/// second is the tenant.
const TREE_LOCKS: i32 = 7_305_002;

pub(super) struct Postgres {
    pool: Pool<ConnectionManager<PgConnection>>,
    turns: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

#[derive(Debug)]
struct SessionSettings;

impl CustomizeConnection<PgConnection, diesel::r2d2::Error> for SessionSettings {
    fn on_acquire(&self, conn: &mut PgConnection) -> std::result::Result<(), diesel::r2d2::Error> {
        conn.batch_execute(
            "SET statement_timeout = '20s'; SET idle_in_transaction_session_timeout = '60s'; SET lock_timeout = '10s'; \
             SET TIME ZONE 'UTC'",
        )
        .map_err(diesel::r2d2::Error::QueryError)
    }
}

#[derive(QueryableByName)]
struct RoleFacts {
    #[diesel(sql_type = sql_types::Bool)]
    superuser: bool,
    #[diesel(sql_type = sql_types::Bool)]
    bypass: bool,
    #[diesel(sql_type = sql_types::Bool)]
    owner: bool,
}

/// Opens one connection outside the pool, for the command line.
pub(super) fn connect(url: &str) -> start::Result<PgConnection> {
    // The message of libpq names host and role, never the password.
    PgConnection::establish(url).map_err(|error| StartError::new(format!("cannot reach PostgreSQL: {error}")))
}

impl Postgres {
    pub(super) fn open(url: &str, limits: Limits) -> start::Result<Self> {
        refuse_powerful_role(&mut connect(url)?)?;
        let pool = Pool::builder()
            .max_size(limits.connections)
            .min_idle(Some(1))
            .test_on_check_out(false)
            .connection_timeout(WAIT)
            .connection_customizer(Box::new(SessionSettings))
            .build(ConnectionManager::new(url))
            .map_err(|error| StartError::new(format!("cannot reach PostgreSQL: {error}")))?;
        Ok(Self {
            pool,
            turns: Arc::new(Semaphore::new(limits.connections as usize)),
            waiting: Arc::new(Semaphore::new(limits.queue)),
        })
    }

    pub(super) async fn run<R, F>(&self, tenant: Option<TenantId>, access: Access, work: F) -> Result<R>
    where
        R: Send + 'static,
        F: FnOnce(Conn<'_>) -> Result<R> + Send + 'static,
    {
        let busy = || AppError::new(Code::Unavailable).retry_after(1);
        let _place = self.waiting.clone().try_acquire_owned().map_err(|_| busy())?;
        let turn = tokio::time::timeout(WAIT, self.turns.clone().acquire_owned())
            .await
            .map_err(|_| busy())?
            .map_err(AppError::internal)?;
        let pool = self.pool.clone();
        let done = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            let begin = begin_statement(tenant, access);
            let mut conn = pool.get().map_err(|error| AppError::unavailable(2, error))?;
            // Pooled connections may have died with their server, all of them at once: as many are
            // tried as there can be, which is safe, for nothing has been sent on them yet.
            let mut left = pool.max_size();
            while let Err(error) = AnsiTransactionManager::begin_transaction_sql(&mut *conn, &begin) {
                // One that still answers has only waited in vain for a lock: it is put back in order, and
                // the next would wait as long.
                if conn.batch_execute("ROLLBACK").is_ok() {
                    return Err(AppError::from(error));
                }
                if left == 0 {
                    return Err(AppError::unavailable(2, error));
                }
                left -= 1;
                // The pool throws it away, now that it is known to be broken.
                drop(conn);
                conn = pool.get().map_err(|error| AppError::unavailable(2, error))?;
            }
            let conn = &mut *conn;
            let result = catch_unwind(AssertUnwindSafe(|| work(Conn::Postgres(conn))))
                .unwrap_or_else(|panic| Err(super::sqlite::panicked(&*panic)));
            if result.is_ok() {
                AnsiTransactionManager::commit_transaction(conn)?;
            } else if let Err(error) = AnsiTransactionManager::rollback_transaction(conn) {
                tracing::warn!(%error, "a connection could not be rolled back and is thrown away");
            }
            result
        });
        done.await.map_err(AppError::internal)?
    }
}

/// One round trip: begin, and say whose rows may be seen. A tenant is two digits by its type.
fn begin_statement(tenant: Option<TenantId>, access: Access) -> String {
    let begin = match access {
        // One snapshot for all that a reading request asks for.
        Access::Read => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
        Access::Write | Access::WriteAlone => "BEGIN",
    };
    let Some(tenant) = tenant else { return begin.to_owned() };
    let lock = match access {
        Access::Read => String::new(),
        Access::Write => format!("; SELECT pg_advisory_xact_lock_shared({TREE_LOCKS}, {tenant})"),
        Access::WriteAlone => format!("; SELECT pg_advisory_xact_lock({TREE_LOCKS}, {tenant})"),
    };
    format!("{begin}; SET LOCAL app.tenant = '{tenant}'{lock}")
}

fn refuse_powerful_role(conn: &mut PgConnection) -> start::Result<()> {
    let facts: RoleFacts = diesel::sql_query(
        "SELECT r.rolsuper AS superuser, r.rolbypassrls AS bypass, EXISTS (SELECT 1 FROM pg_class c \
         WHERE c.relname = 'users' AND c.relkind = 'r' AND pg_has_role(current_user, c.relowner, 'USAGE')) AS owner \
         FROM pg_roles r WHERE r.rolname = current_user",
    )
    .get_result(conn)
    .map_err(|error| StartError::new(format!("cannot ask PostgreSQL about the role: {error}")))?;
    if facts.superuser || facts.bypass || facts.owner {
        return Err(StartError::new(
            "the role of --database-url could step round row-level security (it is a superuser, has BYPASSRLS or owns \
             the tables); give a plain role there and the owner's to --admin-database-url",
        ));
    }
    Ok(())
}
