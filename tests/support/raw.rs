//! Past the server, straight into the database of a test.

use diesel::connection::SimpleConnection;
use diesel::{
    Connection, PgConnection, QueryResult, QueryableByName, RunQueryDsl, SqliteConnection, sql_types,
};

use super::{Place, World, postgres};

/// A connection of one's own.
pub enum Raw {
    /// The file.
    Sqlite(SqliteConnection),
    /// As the owner or the application role.
    Postgres(PgConnection),
}

#[derive(QueryableByName)]
struct Text {
    #[diesel(sql_type = sql_types::Text)]
    text: String,
}

impl Raw {
    /// As the owner of the tables, with everything set that row-level security asks for.
    pub fn owner(world: &World, tenant: &str) -> Self {
        match world.place() {
            Place::Sqlite(file) => {
                let mut conn = SqliteConnection::establish(file.to_str().expect("UTF-8")).expect("the file");
                conn.batch_execute("PRAGMA busy_timeout = 5000").expect("a pragma");
                Self::Sqlite(conn)
            }
            Place::Postgres(database) => {
                let mut conn = postgres::connect(&database.owner_url());
                postgres::run(&mut conn, &format!("SET app.tenant = '{tenant}'"));
                Self::Postgres(conn)
            }
        }
    }

    /// Runs statements.
    pub fn run(&mut self, sql: &str) -> QueryResult<()> {
        match self {
            Self::Sqlite(conn) => conn.batch_execute(sql),
            Self::Postgres(conn) => conn.batch_execute(sql),
        }
    }

    /// The texts a query answers in its column `text`.
    pub fn texts(&mut self, sql: &str) -> Vec<String> {
        let rows: QueryResult<Vec<Text>> = match self {
            Self::Sqlite(conn) => diesel::sql_query(sql).load(conn),
            Self::Postgres(conn) => diesel::sql_query(sql).load(conn),
        };
        rows.unwrap_or_else(|error| panic!("{sql}: {error}")).into_iter().map(|row| row.text).collect()
    }
}
