//! Copies of the database, taken while it is written to, and put back.
//!
//! A copy of the embedded database is a database file: SQLite writes one transaction's view of it (`VACUUM INTO`), with
//! writers going on beside. Of PostgreSQL it is an archive of `pg_dump`, taken by the backup role, which sees the rows
//! of every tenant and can change none; `pg_restore` puts it into an empty database of the owner's. The keys are in no
//! copy: whoever has both could sign as us, so they are kept elsewhere.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use diesel::connection::SimpleConnection;
use diesel::{QueryableByName, RunQueryDsl, sql_types};
use percent_encoding::percent_decode_str;

use super::migrate::create_private_dir;
use super::start::{Result, StartError};
use super::{postgres, sqlite};

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = sql_types::Text)]
    line: String,
}

fn trouble(what: &str, path: &Path, why: impl std::fmt::Display) -> StartError {
    StartError::new(format!("cannot {what} {}: {why}", path.display()))
}

/// A file beside the one that is wanted: it gets its name when it is whole and on disk.
struct Begun {
    begun: PathBuf,
    wanted: PathBuf,
}

impl Begun {
    fn at(wanted: &Path) -> Result<Self> {
        if wanted.exists() {
            return Err(trouble("write", wanted, "there is a file already"));
        }
        let name = wanted.file_name().ok_or_else(|| trouble("write", wanted, "it names no file"))?;
        let dir = wanted.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        if !dir.is_dir() {
            return Err(trouble("write", wanted, "its directory is not there"));
        }
        let begun = dir.join(format!(".{}.{}", name.to_string_lossy(), std::process::id()));
        // For its owner alone before anything is in it: personal data will be.
        let file = std::fs::File::create_new(&begun).map_err(|error| trouble("write", wanted, error))?;
        let begun = Self { begun, wanted: wanted.to_path_buf() };
        private(&file).map_err(|error| trouble("write", wanted, error))?;
        Ok(begun)
    }

    fn finish(self) -> Result<u64> {
        let failed = |error: std::io::Error| trouble("write", &self.wanted, error);
        let file = std::fs::File::open(&self.begun).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        let length = file.metadata().map_err(failed)?.len();
        // Unlike a rename, a link never takes the place of what somebody has put there meanwhile.
        std::fs::hard_link(&self.begun, &self.wanted).map_err(failed)?;
        if let Some(dir) = self.wanted.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            std::fs::File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed)?;
        }
        Ok(length)
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        // What is not there needs no taking away.
        let _ = std::fs::remove_file(&self.begun);
    }
}

fn private(file: &std::fs::File) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// Writes a copy of an embedded database; its length in bytes.
///
/// # Errors
/// A sentence when there is no database, when the file is there already or cannot be written, or when the copy is not
/// whole.
pub fn copy_sqlite(database: &Path, to: &Path) -> Result<u64> {
    if !database.is_file() {
        return Err(trouble("copy", database, "there is no database"));
    }
    let begun = Begun::at(to)?;
    let mut conn = sqlite::connect(database)?;
    let name = begun.begun.to_str().ok_or_else(|| trouble("write", to, "its path is not UTF-8"))?;
    diesel::sql_query("VACUUM INTO ?")
        .bind::<sql_types::Text, _>(name)
        .execute(&mut conn)
        .map_err(|error| trouble("write", to, error))?;
    check_sqlite(&begun.begun)?;
    begun.finish()
}

/// Whether a file is a whole database of ours.
///
/// # Errors
/// A sentence that says what is wrong with it.
pub fn check_sqlite(file: &Path) -> Result<()> {
    let wrong = |why: String| trouble("use", file, why);
    let length = std::fs::metadata(file).map_err(|error| wrong(error.to_string()))?.len();
    if length == 0 {
        return Err(wrong("it is empty".to_owned()));
    }
    let mut conn = sqlite::read_only(file)?;
    let ask = |conn: &mut diesel::SqliteConnection, sql: &str| -> Result<Vec<String>> {
        let rows: Vec<Line> =
            diesel::sql_query(sql).load(conn).map_err(|error| trouble("use", file, error))?;
        Ok(rows.into_iter().map(|row| row.line).collect())
    };
    let whole = ask(&mut conn, "SELECT integrity_check AS line FROM pragma_integrity_check")?;
    if whole != ["ok"] {
        return Err(wrong(whole.join("; ")));
    }
    if let Some(table) =
        ask(&mut conn, "SELECT \"table\" AS line FROM pragma_foreign_key_check LIMIT 1")?.pop()
    {
        return Err(wrong(format!("rows of {table} refer to what is not there")));
    }
    ask(&mut conn, "SELECT max(version) AS line FROM __diesel_schema_migrations").map(|_| ())
}

/// Puts a copy in the place of an embedded database that is not there.
///
/// # Errors
/// A sentence when there is a database already, or when the copy is not whole.
pub fn restore_sqlite(from: &Path, database: &Path) -> Result<()> {
    check_sqlite(from)?;
    if let Some(dir) = database.parent() {
        create_private_dir(dir)?;
    }
    let begun = Begun::at(database)?;
    let put = || -> std::io::Result<u64> {
        let mut file = std::fs::OpenOptions::new().write(true).open(&begun.begun)?;
        std::io::copy(&mut std::fs::File::open(from)?, &mut file)
    };
    put().map_err(|error| trouble("write", database, error))?;
    check_sqlite(&begun.begun)?;
    begun.finish().map(|_| ())
}

/// Writes a copy of a PostgreSQL database as the backup role; its length in bytes.
///
/// # Errors
/// A sentence when `pg_dump` is missing or fails, or when the file is there already.
pub fn copy_postgres(backup_url: &str, to: &Path) -> Result<u64> {
    let begun = Begun::at(to)?;
    run(tool("pg_dump", backup_url)?
        .args(["--format=custom", "--no-owner", "--no-privileges", "--file"])
        .arg(&begun.begun))?;
    begun.finish()
}

/// Puts a copy into an empty database of the owner's, in one transaction; migrating it then gives the application role
/// its rights.
///
/// # Errors
/// A sentence when the database is not empty, when `pg_restore` is missing or fails.
pub fn restore_postgres(from: &Path, admin_url: &str) -> Result<()> {
    if !from.is_file() {
        return Err(trouble("read", from, "there is no such file"));
    }
    let mut owner = postgres::connect(admin_url)?;
    let asked = |error: diesel::result::Error| StartError::new(format!("cannot ask PostgreSQL: {error}"));
    let there: Vec<Line> = diesel::sql_query(
        "SELECT relname::text AS line FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace LIMIT 1",
    )
    .load(&mut owner)
    .map_err(asked)?;
    if let Some(table) = there.first() {
        return Err(StartError::new(format!(
            "the database is not empty (there is a table {}); restore into a new one",
            table.line
        )));
    }
    run(tool("pg_restore", admin_url)?
        .args(["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"])
        .arg(from))?;
    // What was planned for an empty database is of no use for a full one.
    owner.batch_execute("ANALYZE").map_err(asked)
}

/// A program of PostgreSQL with an address, whose password no list of processes shows.
fn tool(name: &str, url: &str) -> Result<Command> {
    let (address, password) = without_password(url);
    let mut command = Command::new(name);
    command
        .arg("--dbname")
        .arg(address)
        .arg("--no-password")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    if let Some(password) = password {
        let plain = percent_decode_str(&password).decode_utf8();
        let plain = plain.map_err(|_| StartError::new("the password in the address is not UTF-8"))?;
        command.env("PGPASSWORD", plain.as_ref());
    }
    Ok(command)
}

fn without_password(url: &str) -> (String, Option<String>) {
    let found = || {
        let (scheme, rest) = url.split_once("://")?;
        let end = rest.find('/').unwrap_or(rest.len());
        let (place, path) = rest.split_at_checked(end)?;
        let (who, host) = place.rsplit_once('@')?;
        let (user, password) = who.split_once(':')?;
        Some((format!("{scheme}://{user}@{host}{path}"), password.to_owned()))
    };
    match found() {
        Some((address, password)) => (address, Some(password)),
        None => (url.to_owned(), None),
    }
}

fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let done = command.output().map_err(|error| {
        StartError::new(format!(
            "cannot run {name}: {error}; it belongs to PostgreSQL's client programs and must be in PATH"
        ))
    })?;
    if done.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&done.stderr);
    Err(StartError::new(format!("{name} failed: {}", said.trim().chars().take(2000).collect::<String>())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_taken_out_of_an_address() {
        for (url, address, password) in [
            ("postgres://a:b@h:5432/d", "postgres://a@h:5432/d", Some("b")),
            (
                "postgres://a:p%40ss:w@h/d?sslmode=require",
                "postgres://a@h/d?sslmode=require",
                Some("p%40ss:w"),
            ),
            ("postgresql://a@h/d", "postgresql://a@h/d", None),
            ("postgres://h/d", "postgres://h/d", None),
            ("postgres:///d?host=/run", "postgres:///d?host=/run", None),
        ] {
            assert_eq!(without_password(url), (address.to_owned(), password.map(ToOwned::to_owned)), "{url}");
        }
    }
}
