//! The program in a process of its own.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::{Connection, RunQueryDsl, SqliteConnection};
use tempfile::TempDir;

use super::postgres::{Database, Line, execute, own_database, query};
use super::{Backend, until};

/// A data directory, and on PostgreSQL a database: what outlives a process.
#[derive(Debug)]
pub struct Store {
    dir: TempDir,
    database: Option<Database>,
    urls: Option<(String, String)>,
    binary: PathBuf,
}

impl Store {
    /// A fresh one for this binary.
    pub fn new(binary: &str, backend: Backend) -> Self {
        let database = (backend == Backend::Postgres).then(own_database);
        let urls = database.as_ref().map(|one| (one.app_url.clone(), one.admin_url.clone()));
        Self { dir: tempfile::tempdir().unwrap(), database, urls, binary: binary.into() }
    }

    /// One with a loaded demo in it.
    pub fn with_demo(binary: &str, backend: Backend) -> Self {
        super::template::loaded(binary, backend)
    }

    /// On this database.
    pub(super) fn of(binary: &str, database: Database) -> Self {
        let urls = Some((database.app_url.clone(), database.admin_url.clone()));
        Self { dir: tempfile::tempdir().unwrap(), database: Some(database), urls, binary: binary.into() }
    }

    /// Its database alone.
    pub(super) fn into_database(self) -> Database {
        self.database.unwrap()
    }

    /// Where all of its files are.
    pub(super) fn root(&self) -> &Path {
        self.dir.path()
    }

    /// A fresh one on a server of the test's own: the application role's address, the owner's.
    pub fn on(binary: &str, app_url: String, admin_url: String) -> Self {
        let urls = Some((app_url, admin_url));
        Self { dir: tempfile::tempdir().unwrap(), database: None, urls, binary: binary.into() }
    }

    /// A fresh one in this directory.
    pub fn inside(binary: &str, dir: &Path) -> Self {
        Self { dir: tempfile::tempdir_in(dir).unwrap(), database: None, urls: None, binary: binary.into() }
    }

    /// The data directory.
    pub fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// The embedded database.
    pub fn file(&self) -> PathBuf {
        self.data_dir().join("pingyi.sqlite3")
    }

    /// The accounts file of the demo.
    pub fn accounts_file(&self) -> PathBuf {
        self.data_dir().join("accounts.json")
    }

    /// The key file.
    pub fn key_file(&self) -> PathBuf {
        if self.urls.is_some() {
            self.dir.path().join("keys.json")
        } else {
            self.data_dir().join("keys.json")
        }
    }

    /// PostgreSQL as the backup role, of a database of this store's own.
    pub fn backup_url(&self) -> Option<&str> {
        self.database.as_ref().map(|database| database.backup_url.as_str())
    }

    /// The texts of a query as a tenant's application has them, beside the program.
    pub fn ask(&self, tenant: &str, sql: &str) -> Vec<String> {
        let Some(url) = self.app_url() else {
            let rows: Vec<Line> = diesel::sql_query(sql).load(&mut self.sqlite()).unwrap();
            return rows.into_iter().map(Line::into_text).collect();
        };
        query(url, tenant, sql)
    }

    /// The embedded database, beside the program.
    pub fn sqlite(&self) -> SqliteConnection {
        let mut conn = SqliteConnection::establish(self.file().to_str().unwrap()).unwrap();
        conn.batch_execute("PRAGMA busy_timeout = 60000").unwrap();
        conn
    }

    /// Waits until everything that was written for province 53 is in its chain, but for what is held back.
    pub fn until_sealed(&self) {
        let sql = "SELECT CAST(count(*) AS TEXT) AS line FROM audit_unsealed WHERE tenant_id = '53' AND held_by IS NULL";
        until(Duration::from_mins(2), "everything to be sealed", || {
            (self.ask("53", sql) == ["0"]).then_some(())
        });
    }

    /// Statements of whoever owns the whole database.
    pub fn as_owner(&self, sql: &str) {
        match &self.urls {
            None => self.sqlite().batch_execute(sql).unwrap(),
            Some((_, admin)) => execute(admin, sql),
        }
    }

    /// PostgreSQL as the application role.
    pub fn app_url(&self) -> Option<&str> {
        self.urls.as_ref().map(|(app, _)| app.as_str())
    }

    /// A command of the program on this store, without the environment's own settings.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PINGYI_") {
                command.env_remove(name);
            }
        }
        command.args(arguments).arg("--data-dir").arg(self.data_dir());
        if let Some((app, admin)) = &self.urls {
            command.args(["--database-url", app, "--admin-database-url", admin]);
            command.arg("--key-file").arg(self.key_file());
        }
        command.env("RUST_BACKTRACE", "0").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// Starts to serve and waits until it does.
    #[track_caller]
    pub fn start(&self, arguments: &[&str]) -> Program {
        Program::spawn(self.command(arguments).args(["--listen", "127.0.0.1:0", "--workers", "2"]), true)
    }

    /// The same, but nobody reads what it says once it serves, as when a collector of logs has died.
    #[track_caller]
    pub fn start_unheard(&self, arguments: &[&str]) -> Program {
        Program::spawn(self.command(arguments).args(["--listen", "127.0.0.1:0", "--workers", "2"]), false)
    }
}

/// A running program; killed when dropped.
#[derive(Debug)]
pub struct Program {
    child: Child,
    /// Where it serves.
    pub address: SocketAddr,
    /// How long from its start until it served.
    pub started_in: Duration,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Program {
    #[track_caller]
    fn spawn(command: &mut Command, heard: bool) -> Self {
        let begun = Instant::now();
        let mut child = command.spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (tell, told): (_, Receiver<SocketAddr>) = channel();
        let kept = lines.clone();
        std::thread::spawn(move || {
            let mut lines_of = stderr.lines();
            while let Some(Ok(line)) = lines_of.next() {
                if let Some(rest) = line.strip_prefix("serving http://") {
                    let address = rest.split(' ').next().and_then(|text| text.parse().ok());
                    if !heard {
                        // The pipe closes with its reader, and only then is the address told.
                        kept.lock().unwrap().push(line.clone());
                        drop(lines_of);
                        let _ = address.map(|address| tell.send(address));
                        return;
                    }
                    let _ = address.map(|address| tell.send(address));
                }
                kept.lock().unwrap().push(line);
            }
        });
        let told = told.recv_timeout(Duration::from_mins(4));
        let Ok(address) = told else {
            let _ = child.kill();
            let _ = child.wait();
            panic!("the program did not serve:\n{}", lines.lock().unwrap().join("\n"));
        };
        Self { child, address, started_in: begun.elapsed(), lines }
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has said so far.
    pub fn said(&self) -> String {
        self.lines.lock().unwrap().join("\n")
    }

    /// SIGKILL.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM; it goes on for a while.
    pub fn terminate(&self) {
        let status = Command::new("kill").args(["-TERM", &self.pid().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// Waits for its end.
    #[track_caller]
    pub fn wait(mut self, within: Duration) -> ExitStatus {
        let child = &mut self.child;
        until(within, "the program's end", || child.try_wait().unwrap())
    }

    /// Whether it has not ended.
    pub fn is_alive(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
