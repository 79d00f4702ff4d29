//! Migrations of both databases, and the rights of the application role on PostgreSQL.

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::migration::{Migration, MigrationSource};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_types};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::start::{Result, StartError};
use super::{Location, postgres, sqlite};

/// The migrations of the embedded database.
pub const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
/// The migrations of PostgreSQL: the same versions, the same logical schema.
pub const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// Brings the database to the newest version. On PostgreSQL `admin_url` is the owner's address, and
/// the role of `location` gets the rights it needs and no more.
///
/// # Errors
/// A sentence when the database cannot be reached or a migration fails.
pub fn up(location: &Location, admin_url: Option<&str>) -> Result<()> {
    match location {
        Location::Sqlite(file) => {
            if let Some(dir) = file.parent() {
                create_private_dir(dir)?;
            }
            run_sqlite(&mut sqlite::connect(file)?)
        }
        Location::Postgres(url) => {
            let admin = admin_url.ok_or_else(|| {
                StartError::new("migrating PostgreSQL needs the owner's address in --admin-database-url")
            })?;
            let app_role = current_role(&mut postgres::connect(url)?)?;
            let mut owner = postgres::connect(admin)?;
            run_postgres(&mut owner)?;
            grant(&mut owner, &app_role)
        }
    }
}

/// Refuses to go on with a database of another version than this program's.
///
/// # Errors
/// A sentence that names the version found, the one wanted, and the cure.
pub fn ensure_current(location: &Location) -> Result<()> {
    let (found, wanted) = match location {
        Location::Sqlite(file) => (
            diesel::sql_query(NEWEST).get_result::<Applied>(&mut sqlite::connect(file)?),
            newest_embedded::<diesel::sqlite::Sqlite>(&SQLITE),
        ),
        Location::Postgres(url) => (
            diesel::sql_query(NEWEST).get_result::<Applied>(&mut postgres::connect(url)?),
            newest_embedded::<diesel::pg::Pg>(&POSTGRES),
        ),
    };
    let found = found.ok().and_then(|applied| applied.version);
    if found == wanted {
        return Ok(());
    }
    Err(StartError::new(format!(
        "the database is at version {}, this program needs {}: run `pingyi migrate` with this program (a newer \
         database needs a newer program)",
        found.unwrap_or_else(|| "none".into()),
        wanted.unwrap_or_default()
    )))
}

/// Runs the pending migrations of an embedded database.
///
/// # Errors
/// A sentence naming the migration that failed.
pub fn run_sqlite(conn: &mut SqliteConnection) -> Result<()> {
    conn.run_pending_migrations(SQLITE)
        .map_err(|error| StartError::new(format!("migration failed: {error}")))?;
    Ok(())
}

/// Runs the pending migrations of PostgreSQL as the owner; two programs at once wait for each other.
///
/// # Errors
/// A sentence naming the migration that failed.
pub fn run_postgres(owner: &mut PgConnection) -> Result<()> {
    let trouble = |error: String| StartError::new(format!("migration failed: {error}"));
    owner.batch_execute("SELECT pg_advisory_lock(7305001)").map_err(|error| trouble(error.to_string()))?;
    let outcome =
        owner.run_pending_migrations(POSTGRES).map(|_| ()).map_err(|error| trouble(error.to_string()));
    owner.batch_execute("SELECT pg_advisory_unlock(7305001)").map_err(|error| trouble(error.to_string()))?;
    outcome
}

/// What the application role may do: all of a row's life, but the audit log's rows only be born.
///
/// # Errors
/// A sentence when the owner may not grant.
pub fn grant(owner: &mut PgConnection, app_role: &str) -> Result<()> {
    let role = app_role.replace('"', "\"\"");
    owner
        .batch_execute(&format!(
            "GRANT USAGE ON SCHEMA public TO \"{role}\"; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO \"{role}\"; \
             REVOKE UPDATE, DELETE ON audit_log, audit_chain, audit_checkpoints, audit_held FROM \"{role}\"; \
             REVOKE INSERT, UPDATE, DELETE ON __diesel_schema_migrations FROM \"{role}\"; \
             DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'pingyi_backup') THEN \
             GRANT USAGE ON SCHEMA public TO pingyi_backup; \
             GRANT SELECT ON ALL TABLES IN SCHEMA public TO pingyi_backup; END IF; END $$"
        ))
        .map_err(|error| StartError::new(format!("cannot grant rights to {app_role}: {error}")))
}

fn current_role(conn: &mut PgConnection) -> Result<String> {
    #[derive(QueryableByName)]
    struct Role {
        #[diesel(sql_type = sql_types::Text)]
        name: String,
    }
    diesel::sql_query("SELECT current_user::text AS name")
        .get_result::<Role>(conn)
        .map(|role| role.name)
        .map_err(|error| StartError::new(format!("cannot ask PostgreSQL for the role: {error}")))
}

/// diesel's own function would try to create its table, which the application role may not.
const NEWEST: &str = "SELECT max(version) AS version FROM __diesel_schema_migrations";

fn newest_embedded<DB: diesel::backend::Backend>(source: &EmbeddedMigrations) -> Option<String>
where
    EmbeddedMigrations: MigrationSource<DB>,
{
    let migrations: Vec<Box<dyn Migration<DB>>> = source.migrations().ok()?;
    migrations.iter().map(|migration| migration.name().version().to_string()).max()
}

#[derive(QueryableByName)]
struct Applied {
    #[diesel(sql_type = sql_types::Nullable<sql_types::Text>)]
    version: Option<String>,
}

/// Makes the data directory for its owner alone: keys and personal data lie in it.
///
/// # Errors
/// A sentence when it cannot be made.
pub fn create_private_dir(dir: &Path) -> Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(dir).map_err(|error| StartError::new(format!("cannot make {}: {error}", dir.display())))
}
