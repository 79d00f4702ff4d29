//! One code path for two databases: SQLite in the data directory, PostgreSQL by its address.
//!
//! Nothing outside this module opens a connection. [`Db::read`] and [`Db::write`] run a closure in a
//! transaction whose tenant is already set; `access::Gate` is the way there for everybody else.

pub mod backup;
mod clock;
mod enums;
pub mod migrate;
mod postgres;
pub mod schema;
mod sqlite;
mod turns;
mod types;

pub use clock::Clock;
pub(crate) use enums::text_enum;
pub use enums::{Dictionary, Entry};
pub use turns::{turn_key, wait_for_turns};
pub(crate) use types::ID_PATTERN;
pub use types::{Id, Instant, InstantSql, TenantId, UuidSql, contains_pattern, fold};

use std::path::{Path, PathBuf};
use std::sync::Arc;

use diesel::{PgConnection, SqliteConnection};

use crate::errors::Result;

/// Where the data is.
#[derive(Debug, Clone)]
pub enum Location {
    /// An embedded database: this file.
    Sqlite(PathBuf),
    /// A PostgreSQL server: the address the application role signs in with.
    Postgres(String),
}

impl Location {
    /// The embedded database of a data directory.
    #[must_use]
    pub fn embedded(data_dir: &Path) -> Self {
        Self::Sqlite(data_dir.join("pingyi.sqlite3"))
    }

    /// Whether it is one: no other process works on it.
    #[must_use]
    pub const fn is_embedded(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }
}

/// A connection inside an open transaction.
pub enum Conn<'c> {
    /// The embedded database.
    Sqlite(&'c mut SqliteConnection),
    /// PostgreSQL.
    Postgres(&'c mut PgConnection),
}

/// The same connection for a shorter while.
pub fn again<'a>(conn: &'a mut Conn<'_>) -> Conn<'a> {
    match conn {
        Conn::Sqlite(conn) => Conn::Sqlite(conn),
        Conn::Postgres(conn) => Conn::Postgres(conn),
    }
}

/// Runs one query on whichever database a `Conn` (or anything with `.conn()`) is connected to. The
/// body is compiled twice, once a backend.
macro_rules! with_conn {
    ($conn:expr, $c:ident => $body:expr) => {
        match $conn {
            $crate::db::Conn::Sqlite($c) => $body,
            $crate::db::Conn::Postgres($c) => $body,
        }
    };
}
pub(crate) use with_conn;

/// Holds a row, told by a query of its key, until the transaction ends; SQLite has one writer and needs
/// nothing. Rows that refer to it are not held up.
macro_rules! lock_row {
    ($conn:expr, $row:expr) => {
        if let $crate::db::Conn::Postgres(c) = $conn {
            $row.for_no_key_update().execute(c)?;
        }
    };
}
pub(crate) use lock_row;

/// Keeps a row, told by a query of its key, as it is until the transaction ends; others may keep it too.
macro_rules! share_row {
    ($conn:expr, $row:expr) => {
        if let $crate::db::Conn::Postgres(c) = $conn {
            $row.for_share().execute(c)?;
        }
    };
}
pub(crate) use share_row;

/// Inserts a slice of rows. SQLite gets one prepared statement again and again, for diesel does not
/// keep the statement of a batch and preparing costs more than the rows; PostgreSQL gets batches,
/// where each statement is a round trip.
macro_rules! insert_rows {
    ($conn:expr, $table:expr, $rows:expr) => {
        match $conn {
            $crate::db::Conn::Sqlite(c) => {
                for row in $rows {
                    diesel::insert_into($table).values(row).execute(c)?;
                }
            }
            $crate::db::Conn::Postgres(c) => {
                for some in $rows.chunks($crate::db::BATCH) {
                    diesel::insert_into($table).values(some).execute(c)?;
                    $crate::db::plan_anew(c, some.len())?;
                }
            }
        }
    };
}
pub(crate) use insert_rows;

/// After a full batch, lets PostgreSQL plan again what it has planned in this session. It plans the check
/// of a foreign key once; one planned while the table was empty may walk an index on the tenant alone,
/// and then reads every row of the tenant for each row that comes (20,000 officers took a minute).
/// Statistics would tell it too, but gathering them is the owner's right and comes after the commit.
pub(crate) fn plan_anew(conn: &mut PgConnection, inserted: usize) -> diesel::QueryResult<()> {
    use diesel::connection::SimpleConnection;
    if inserted < BATCH { Ok(()) } else { conn.batch_execute("DISCARD PLANS") }
}

/// Lets PostgreSQL plan anew what comes next: for work that fills a table in many small transactions.
pub(crate) fn forget_plans(conn: Conn<'_>) -> Result<()> {
    if let Conn::Postgres(c) = conn {
        plan_anew(c, BATCH)?;
    }
    Ok(())
}

/// Rows in one statement: with 64 columns still below PostgreSQL's 65,535 values.
pub(crate) const BATCH: usize = 500;

/// The database, open. Cheap to clone.
#[derive(Clone)]
pub struct Db(Arc<Backend>);

enum Backend {
    Sqlite(sqlite::Sqlite),
    Postgres(postgres::Postgres),
}

/// How many requests may be at the database at once, and how long one may wait for its turn.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections for reading (SQLite) or for everything (PostgreSQL), at least 1.
    pub connections: u32,
    /// Requests waiting for a connection or for the writer, beyond which the answer is 503.
    pub queue: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 8, queue: 1024 }
    }
}

impl Db {
    /// Opens the database. It must be migrated: [`migrate::ensure_current`] tells.
    ///
    /// # Errors
    /// A sentence when it cannot be reached, or when the PostgreSQL role could step round
    /// row-level security (a superuser, an owner, BYPASSRLS).
    pub fn open(location: &Location, limits: Limits) -> start::Result<Self> {
        Ok(Self(Arc::new(match location {
            Location::Sqlite(file) => Backend::Sqlite(sqlite::Sqlite::open(file, limits)?),
            Location::Postgres(url) => Backend::Postgres(postgres::Postgres::open(url, limits)?),
        })))
    }

    /// Whether it is the embedded one, which has one writer.
    #[must_use]
    pub fn is_embedded(&self) -> bool {
        matches!(&*self.0, Backend::Sqlite(_))
    }

    /// Runs `work` in a read-only transaction of `tenant` (none: only the tables without tenant show).
    pub async fn read<R, F>(&self, tenant: Option<TenantId>, work: F) -> Result<R>
    where
        R: Send + 'static,
        F: FnOnce(Conn<'_>) -> Result<R> + Send + 'static,
    {
        match &*self.0 {
            Backend::Sqlite(db) => db.read(work).await,
            Backend::Postgres(db) => db.run(tenant, postgres::Access::Read, work).await,
        }
    }

    /// Runs `work` in a writing transaction of `tenant`. When it answers an error nothing of it
    /// stays; when this returns `Ok`, it is on disk.
    pub async fn write<R, F>(&self, tenant: Option<TenantId>, work: F) -> Result<R>
    where
        R: Send + 'static,
        F: FnOnce(Conn<'_>) -> Result<R> + Send + 'static,
    {
        match &*self.0 {
            Backend::Sqlite(db) => db.write(work).await,
            Backend::Postgres(db) => db.run(tenant, postgres::Access::Write, work).await,
        }
    }

    /// Like [`Db::write`], with no other writing transaction of the tenant beside it: SQLite has one
    /// writer anyway, on PostgreSQL every writer of a tenant holds a lock that this one wants alone.
    pub async fn write_alone<R, F>(&self, tenant: TenantId, work: F) -> Result<R>
    where
        R: Send + 'static,
        F: FnOnce(Conn<'_>) -> Result<R> + Send + 'static,
    {
        match &*self.0 {
            Backend::Sqlite(db) => db.write(work).await,
            Backend::Postgres(db) => db.run(Some(tenant), postgres::Access::WriteAlone, work).await,
        }
    }

    /// Whether the database answers just now.
    pub async fn ping(&self) -> Result<()> {
        use diesel::RunQueryDsl;
        self.read(None, |conn| {
            with_conn!(conn, c => diesel::sql_query("SELECT 1").execute(c))?;
            Ok(())
        })
        .await
    }
}

/// Errors at start, told to whoever typed the command: a sentence with its cure.
pub mod start {
    /// A failure to start, as a sentence.
    pub type Result<T> = std::result::Result<T, StartError>;

    /// Why the program does not start.
    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    pub struct StartError(pub String);

    impl StartError {
        /// A sentence that names what is wrong and its cure.
        pub fn new(sentence: impl Into<String>) -> Self {
            Self(sentence.into())
        }
    }

    impl From<crate::errors::AppError> for StartError {
        fn from(error: crate::errors::AppError) -> Self {
            Self(error.to_string())
        }
    }
}
