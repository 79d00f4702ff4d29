//! A migrated database with everybody in it, made once for each build of a suite and cloned for
//! each test: a file copied on SQLite, `CREATE DATABASE … TEMPLATE` on PostgreSQL.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use chrono::NaiveDate;
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use pingyi::access::{Doors, KeyRing, password};
use pingyi::db::{Clock, Db, Instant, Limits, Location, migrate};
use pingyi::files::Files;

use super::Place;
use super::people::{self, Cast};
use super::postgres::{self, Database, Server};

/// People, and the day on which they were entered: a template may be older than the run that uses it.
type Made = (NaiveDate, Cast);

/// When the people of a template were entered: early on its day, while it is still the day before in UTC.
fn entered_at(day: NaiveDate) -> Instant {
    Instant::start_of_shanghai_day(day).plus_seconds(5 * 3600)
}

/// When a world on a template begins: later that day, at a moment that is no whole second. No run begins near midnight, and
/// none a day after its people were entered.
fn begins_at(day: NaiveDate) -> Instant {
    Instant::from_micros(entered_at(day).plus_seconds(3607).micros() + 123_456)
}

/// What a template is good for: this very build, and so its migrations and its people.
fn key() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(|| {
        let program = std::env::current_exe().expect("this program's path");
        let facts = std::fs::metadata(&program).expect("this program's file");
        let mut hasher = DefaultHasher::new();
        (&program, facts.len(), facts.modified().expect("its age")).hash(&mut hasher);
        format!("{:016x}", hasher.finish())
    })
}

fn fill(location: &Location, dir: &Path) -> Made {
    let day = Clock::system().now().shanghai_day();
    let keys = KeyRing::load_or_create(&dir.join("keys.json")).expect("keys");
    let db = Db::open(location, Limits { connections: 2, ..Limits::default() }).expect("the template opens");
    let files = Files::folder(&dir.join("files")).expect("a folder");
    let doors = Doors::new(db, Clock::manual(entered_at(day)), keys, files).expect("doors");
    let hash = password::hash_now(people::PASSWORD).expect("the password's hash");
    (day, people::populate(&doors, &hash))
}

/// A database file of its own in `dir`, who is in it, and when its world begins.
pub fn sqlite(dir: &Path) -> (Place, Cast, Instant) {
    let (template, (day, cast)) = sqlite_template();
    let file = dir.join("pingyi.sqlite3");
    std::fs::copy(template, &file).expect("the template is copied");
    (Place::Sqlite(file), cast, begins_at(day))
}

fn sqlite_template() -> (PathBuf, Made) {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR"));
    std::fs::create_dir_all(home).expect("target/tmp");
    let name = std::env::current_exe().expect("this program's path");
    let name = name.file_stem().and_then(|name| name.to_str()).expect("this program's name").to_owned();
    // nextest runs a process a test: the first of them makes the template, the others wait.
    let lock = std::fs::File::create(home.join(format!("{name}.lock"))).expect("the lock's file");
    lock.lock().expect("the lock");
    let ready = home.join(format!("{name}-{}", key()));
    let (file, list) = (ready.join("template.sqlite3"), ready.join("cast.json"));
    if !list.exists() {
        let older = std::fs::read_dir(home).expect("target/tmp").filter_map(Result::ok).filter(|entry| {
            entry.path().is_dir() && entry.file_name().to_string_lossy().starts_with(&format!("{name}-"))
        });
        for entry in older {
            drop(std::fs::remove_dir_all(entry.path()));
        }
        std::fs::create_dir_all(&ready).expect("the template's directory");
        let begun = tempfile::tempdir().expect("a directory");
        let database = begun.path().join("pingyi.sqlite3");
        migrate::up(&Location::Sqlite(database.clone()), None).expect("the migrations run");
        let made = fill(&Location::Sqlite(database.clone()), begun.path());
        let mut conn = SqliteConnection::establish(database.to_str().expect("UTF-8")).expect("the template");
        // One file without a journal beside it, whoever is still connected.
        let sql = format!("PRAGMA busy_timeout = 20000; VACUUM INTO '{}'", file.display());
        conn.batch_execute(&sql).expect("the template is written");
        std::fs::write(&list, serde_json::to_vec(&made).expect("JSON")).expect("the list is written");
    }
    let made = serde_json::from_slice(&std::fs::read(&list).expect("the list")).expect("the list is JSON");
    (file, made)
}

/// A database of its own on the server, who is in it, and when its world begins.
pub fn postgres() -> (Place, Cast, Instant) {
    let server = Server::of_environment();
    let template = format!("pingyi_template_{}", key());
    let (day, cast) = postgres_template(&server, &template);
    (Place::Postgres(Database::clone_of(&server, &template)), cast, begins_at(day))
}

fn postgres_template(server: &Server, name: &str) -> Made {
    let mut owner = server.owner();
    // Held until this connection ends: the first process makes the template, the others wait.
    postgres::run(&mut owner, "SELECT pg_advisory_lock(7305002)");
    if let Some(list) = postgres::comment(&mut owner, name) {
        return serde_json::from_str(&list).expect("the template's list");
    }
    let begun = format!("{name}_begun");
    postgres::run(&mut owner, &format!("DROP DATABASE IF EXISTS {begun}"));
    postgres::run(&mut owner, &format!("CREATE DATABASE {begun}"));
    let location = Location::Postgres(server.app_url_of(&begun));
    migrate::up(&location, Some(&server.owner_url_of(&begun))).expect("the migrations run");
    let dir = tempfile::tempdir().expect("a directory");
    let made = fill(&location, dir.path());
    let list = serde_json::to_string(&made).expect("JSON").replace('\'', "''");
    postgres::run(&mut owner, &format!("ALTER DATABASE {begun} RENAME TO {name}"));
    postgres::run(&mut owner, &format!("COMMENT ON DATABASE {name} IS '{list}'"));
    made
}
