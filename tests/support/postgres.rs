//! The throw-away server that `scripts/postgres` starts, and databases on it.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_types};

const CURE: &str = "is not set, so there is no PostgreSQL to test on: run scripts/test, or \
    `scripts/postgres cargo nextest run --test SUITE`";

/// The server, as the environment names it.
#[derive(Debug, Clone)]
pub struct Server {
    admin: String,
    app: String,
}

impl Server {
    /// From `PINGYI_TEST_PG_ADMIN_URL` and `PINGYI_TEST_PG_APP_URL`.
    pub fn of_environment() -> Self {
        let read = |name: &str| std::env::var(name).unwrap_or_else(|_| panic!("{name} {CURE}"));
        Self { admin: read("PINGYI_TEST_PG_ADMIN_URL"), app: read("PINGYI_TEST_PG_APP_URL") }
    }

    /// The owner, connected to the server's own database.
    pub fn owner(&self) -> PgConnection {
        connect(&self.admin)
    }

    /// The owner's address of a database.
    pub fn owner_url_of(&self, database: &str) -> String {
        with_database(&self.admin, database)
    }

    /// The application role's address of a database.
    pub fn app_url_of(&self, database: &str) -> String {
        with_database(&self.app, database)
    }
}

fn with_database(url: &str, database: &str) -> String {
    let (server, _) = url.rsplit_once('/').expect("an address with a database");
    format!("{server}/{database}")
}

/// Opens a connection.
pub fn connect(url: &str) -> PgConnection {
    PgConnection::establish(url)
        .unwrap_or_else(|error| panic!("PostgreSQL does not answer ({error}): run scripts/test"))
}

/// Runs statements that must succeed.
pub fn run(conn: &mut PgConnection, sql: &str) {
    conn.batch_execute(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
}

#[derive(QueryableByName)]
struct Text {
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    text: Option<String>,
}

/// The comment on a database: what its template holds, once it is whole.
pub fn comment(conn: &mut PgConnection, database: &str) -> Option<String> {
    let sql = format!(
        "SELECT shobj_description(oid, 'pg_database') AS text FROM pg_database WHERE datname = '{database}'"
    );
    diesel::sql_query(sql).load::<Text>(conn).expect("pg_database").pop().and_then(|row| row.text)
}

/// A database of one test; dropped with it.
#[derive(Debug)]
pub struct Database {
    server: Server,
    name: String,
}

impl Database {
    /// A copy of a template.
    pub fn clone_of(server: &Server, template: &str) -> Self {
        let name = format!("pingyi_test_{}", uuid::Uuid::new_v4().simple());
        run(&mut server.owner(), &format!("CREATE DATABASE {name} TEMPLATE {template}"));
        Self { server: server.clone(), name }
    }

    /// The application role's address.
    pub fn app_url(&self) -> String {
        self.server.app_url_of(&self.name)
    }

    /// The owner's address.
    pub fn owner_url(&self) -> String {
        self.server.owner_url_of(&self.name)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Whoever is left is on their way out, and the server waits for them a while. Should that not do, the
        // whole server is thrown away after the run.
        drop(self.server.owner().batch_execute(&format!("DROP DATABASE IF EXISTS {}", self.name)));
    }
}
