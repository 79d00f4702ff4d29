//! A demo that was loaded once for each build of the program, and is copied for each test: loading it takes the program of a
//! debug build a quarter of a minute.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::postgres::{clone_of, execute, maintenance, query, rename};
use super::{Backend, Store};

/// What a loaded demo is good for: this very program, on the day whose plans it tells of.
fn key(binary: &str) -> String {
    let facts = fs::metadata(binary).unwrap();
    let today = pingyi::db::Clock::system().now().shanghai_day();
    let mut hasher = DefaultHasher::new();
    (binary, facts.len(), facts.modified().unwrap(), today).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Files of templates, which outlive a run.
fn home() -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("demo");
    fs::create_dir_all(&home).unwrap();
    home
}

/// A store that holds a loaded demo.
pub(super) fn loaded(binary: &str, backend: Backend) -> Store {
    match backend {
        Backend::Sqlite => {
            let store = Store::new(binary, backend);
            copy(&embedded(binary), store.root());
            store
        }
        Backend::Postgres => {
            let (database, files) = on_server(binary);
            let store = Store::of(binary, clone_of(&database));
            copy(&files, store.root());
            store
        }
    }
}

/// Loads a demo and ends its server; what it leaves is a template.
fn load(store: &Store) {
    let program = store.start(&["demo"]);
    store.until_sealed();
    program.terminate();
    assert!(program.wait(Duration::from_mins(1)).success());
}

/// The directory of a store with a demo in the embedded database.
fn embedded(binary: &str) -> PathBuf {
    let home = home();
    // The first process makes it, the others wait.
    let lock = File::create(home.join("lock")).unwrap();
    lock.lock().unwrap();
    let ready = home.join(format!("sqlite-{}", key(binary)));
    if !ready.exists() {
        forget("sqlite-");
        let store = Store::new(binary, Backend::Sqlite);
        load(&store);
        let begun = home.join("begun");
        drop(fs::remove_dir_all(&begun));
        copy(store.root(), &begun);
        fs::rename(begun, &ready).unwrap();
    }
    ready
}

/// A database with a demo in it on the server of `scripts/postgres`, and the directory that belongs to it: the server is
/// thrown away and the directory is not, so the database says which one it is.
fn on_server(binary: &str) -> (String, PathBuf) {
    let name = format!("pingyi_demo_{}", key(binary));
    let told = format!(
        "SELECT coalesce(shobj_description(oid, 'pg_database'), '') AS line FROM pg_database WHERE datname = '{name}'"
    );
    let lock = File::create(home().join("lock-postgres")).unwrap();
    lock.lock().unwrap();
    if let Some(files) = query(&maintenance(), "", &told).pop() {
        return (name, files.into());
    }
    forget("postgres-");
    let store = Store::new(binary, Backend::Postgres);
    load(&store);
    let files = home().join(format!("postgres-{}", uuid::Uuid::new_v4().simple()));
    copy(store.root(), &files);
    rename(store.into_database(), &name);
    execute(&maintenance(), &format!("COMMENT ON DATABASE {name} IS '{}'", files.display()));
    (name, files)
}

/// Removes templates of other builds, but for those that another run may be using.
fn forget(prefix: &str) {
    for entry in fs::read_dir(home()).unwrap().filter_map(Result::ok) {
        let age = entry.metadata().and_then(|facts| facts.modified()).ok().and_then(|at| at.elapsed().ok());
        let is_old = age.is_none_or(|age| age > Duration::from_hours(24));
        if is_old && entry.file_name().to_string_lossy().starts_with(prefix) {
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

/// Copies a directory with all in it and who may read it.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let there = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &there);
        } else {
            fs::copy(entry.path(), there).unwrap();
        }
    }
}
