//! Databases of a test's own: on the server of `scripts/postgres`, or on a server of its own where a
//! test must stop it or needs its superuser.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_types};

use super::until;

const CURE: &str = "start the tests through `scripts/test` (or `scripts/postgres cargo nextest run`): PostgreSQL is \
                    needed, and its address is not in the environment";

fn environment(name: &str) -> String {
    std::env::var(name).unwrap_or_else(|_| panic!("{CURE} ({name})"))
}

/// The address of the application role on the shared server's own database.
pub fn app_url() -> String {
    environment("PINGYI_TEST_PG_APP_URL")
}

/// A database for one test; dropped with this.
#[derive(Debug)]
pub struct Database {
    maintenance: String,
    name: String,
    /// The owner's address.
    pub admin_url: String,
    /// The application role's address.
    pub app_url: String,
    /// The backup role's address, which has BYPASSRLS.
    pub backup_url: String,
}

fn in_database(url: &str, name: &str) -> String {
    let (server, _) = url.rsplit_once('/').unwrap();
    format!("{server}/{name}")
}

/// The owner's address on the shared server's own database.
pub fn maintenance() -> String {
    environment("PINGYI_TEST_PG_ADMIN_URL")
}

/// Makes a database on the server of `scripts/postgres`.
pub fn own_database() -> Database {
    made("")
}

/// Makes one with everything that is in another, to which nobody may be connected.
pub fn clone_of(template: &str) -> Database {
    made(&format!(" TEMPLATE {template}"))
}

/// Gives a database another name, and keeps it.
pub fn rename(mut database: Database, name: &str) {
    execute(&database.maintenance, &format!("ALTER DATABASE {} RENAME TO {name}", database.name));
    // Whoever drops it now drops what is not there.
    database.name = format!("{name}_gone");
}

fn made(like: &str) -> Database {
    let maintenance = maintenance();
    let name = format!("t_{}", uuid::Uuid::new_v4().simple());
    execute(&maintenance, &format!("CREATE DATABASE {name}{like}"));
    Database {
        admin_url: in_database(&maintenance, &name),
        app_url: in_database(&app_url(), &name),
        backup_url: in_database(&environment("PINGYI_TEST_PG_BACKUP_URL"), &name),
        maintenance,
        name,
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let sentence = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        if let Ok(mut conn) = PgConnection::establish(&self.maintenance) {
            // The whole server is thrown away in the end: one that stays does no harm.
            let _ = conn.batch_execute(&sentence);
        }
    }
}

/// Runs statements on a connection of their own.
#[track_caller]
pub fn execute(url: &str, sql: &str) {
    let mut conn = PgConnection::establish(url).unwrap_or_else(|error| panic!("{error}"));
    conn.batch_execute(sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
}

/// One row with one text.
#[derive(QueryableByName, Debug)]
pub struct Line {
    #[diesel(sql_type = sql_types::Text)]
    line: String,
}

impl Line {
    /// The text.
    pub fn into_text(self) -> String {
        self.line
    }
}

/// The texts of a query whose one column is called `line`; `tenant` is set for row-level security.
#[track_caller]
pub fn query(url: &str, tenant: &str, sql: &str) -> Vec<String> {
    let mut conn = PgConnection::establish(url).unwrap_or_else(|error| panic!("{error}"));
    conn.batch_execute(&format!("SET app.tenant = '{tenant}'")).unwrap();
    let rows: Vec<Line> =
        diesel::sql_query(sql).load(&mut conn).unwrap_or_else(|error| panic!("{error}: {sql}"));
    rows.into_iter().map(|row| row.line).collect()
}

/// The one text of a query.
#[track_caller]
pub fn scalar(url: &str, sql: &str) -> String {
    query(url, "", sql).pop().unwrap()
}

/// A server of the test's own: it may be stopped and started again.
#[derive(Debug)]
pub struct Cluster {
    dir: tempfile::TempDir,
    data: String,
    programs: PathBuf,
    port: u16,
}

impl Cluster {
    /// Makes and starts one with the roles of `scripts/postgres`; nobody needs a password on it.
    pub fn start() -> Self {
        Self::make(None)
    }

    /// One whose tables lie on a disk of their own; what it writes ahead lies elsewhere, as operators are advised.
    pub fn start_on(disk: &Path) -> Self {
        Self::make(Some(disk))
    }

    fn make(disk: Option<&Path>) -> Self {
        let programs = PathBuf::from(environment("PINGYI_TEST_PG_BIN"));
        let dir = tempfile::Builder::new().prefix("pingyi-pg.").tempdir_in("/tmp").unwrap();
        let data = disk.unwrap_or(dir.path()).join("data");
        for dir in [Some(dir.path()), disk].into_iter().flatten().filter(|_| is_root()) {
            assert!(Command::new("chown").arg("postgres").arg(dir).status().unwrap().success());
        }
        let ahead = dir.path().join("ahead").display().to_string();
        let mut cluster = Self { data: data.display().to_string(), dir, programs, port: 0 };
        let data = cluster.data();
        cluster.program(
            "initdb",
            &[
                "-D",
                &data,
                "-U",
                "postgres",
                "--waldir",
                &ahead,
                "--auth=trust",
                "--no-sync",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=icu",
                "--icu-locale=zh-CN",
            ],
        );
        for _ in 0..20 {
            cluster.port = free_port();
            if cluster.run("pg_ctl", &cluster.arguments_of_start()) {
                break;
            }
        }
        execute(
            &cluster.url("postgres"),
            "CREATE ROLE pingyi_owner LOGIN CREATEDB; CREATE ROLE pingyi_app LOGIN; \
             CREATE ROLE pingyi_backup LOGIN BYPASSRLS",
        );
        execute(&cluster.url("postgres"), "CREATE DATABASE pingyi OWNER pingyi_owner");
        cluster
    }

    fn data(&self) -> String {
        self.data.clone()
    }

    fn arguments_of_start(&self) -> Vec<String> {
        let dir = self.dir.path().display();
        let options =
            format!("-p {} -c listen_addresses=127.0.0.1 -c unix_socket_directories={dir}", self.port);
        let log = self.dir.path().join("server.log").display().to_string();
        ["-D", &self.data(), "-l", &log, "-o", &options, "-t", "120", "-w", "start"]
            .map(ToOwned::to_owned)
            .to_vec()
    }

    /// The address of a role on the database `pingyi` (the superuser's own database for `postgres`).
    pub fn url(&self, role: &str) -> String {
        let database = if role == "postgres" { "postgres" } else { "pingyi" };
        format!("postgres://{role}@127.0.0.1:{}/{database}", self.port)
    }

    /// Stops it as a power cut would: no shutdown checkpoint, connections cut.
    pub fn stop(&self) {
        self.program("pg_ctl", &["-D", &self.data(), "-m", "immediate", "-t", "120", "-w", "stop"]);
    }

    /// Starts it again at the same address.
    pub fn start_again(&self) {
        // Somebody else's connection may have been given the port meanwhile.
        until(Duration::from_mins(1), "the server's own port", || {
            self.run("pg_ctl", &self.arguments_of_start()).then_some(())
        });
    }

    fn program(&self, name: &str, arguments: &[&str]) {
        let owned: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        assert!(self.run(name, &owned), "{name} {arguments:?} failed");
    }

    fn run(&self, name: &str, arguments: &[String]) -> bool {
        let program = self.programs.join(name);
        let mut command = if is_root() {
            // PostgreSQL refuses to run as root.
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        let status = command
            .args(arguments)
            .current_dir(Path::new("/"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        status.unwrap().success()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let arguments = ["-D", &self.data(), "-m", "immediate", "-t", "30", "-w", "stop"];
        self.run("pg_ctl", &arguments.map(ToOwned::to_owned));
    }
}

pub(super) fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|meta| std::os::unix::fs::MetadataExt::uid(&meta) == 0)
}

/// A port that was free a moment ago.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
