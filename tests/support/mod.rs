//! What the suites share: a fresh database with named people, the real server in this process, and
//! a client that tells what went wrong.
//!
//! ```ignore
//! both! {
//!     fn a_stranger_sees_nothing(world) {
//!         world.as_("53-nobody").get("/plans").expect(403, "forbidden");
//!     }
//! }
//! ```
//! makes `a_stranger_sees_nothing::sqlite` and `a_stranger_sees_nothing::postgres`.

pub mod checks;
pub mod client;
pub mod imports;
pub mod live;
pub mod people;
pub mod postgres;
pub mod raw;
pub mod sealing;
pub mod sheets;
pub mod story;
pub mod template;
pub mod tus;

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use pingyi::access::{Doors, KeyRing};
use pingyi::app::{self, Serving};
use pingyi::db::{Clock, Db, Instant, Limits, Location};
use pingyi::files::Files;
use pingyi::web::Context;
use serde_json::{Value, json};

use client::{As, Reply};
use people::Cast;

/// Writes each test once and runs it on both databases.
macro_rules! both {
    ($( $(#[$meta:meta])* fn $name:ident($world:ident) $body:block )+) => { $(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, reason = "a test may need none of them")]
            use super::*;

            fn run($world: &$crate::support::World) $body

            #[test]
            fn sqlite() {
                run(&$crate::support::World::on($crate::support::Backend::Sqlite));
            }

            #[test]
            fn postgres() {
                run(&$crate::support::World::on($crate::support::Backend::Postgres));
            }
        }
    )+ };
}
pub(crate) use both;

/// The databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// The embedded one.
    Sqlite,
    /// The server that `scripts/postgres` started.
    Postgres,
}

/// Where the data of one test is, and what removes it.
pub enum Place {
    /// A file in the test's directory.
    Sqlite(PathBuf),
    /// A database of its own on the server.
    Postgres(postgres::Database),
}

/// How many seconds somebody bears a token before they sign in again; it lives 900.
const FRESH: i64 = 600;

/// A database of its own, a server on it, the people in it, and the clock.
pub struct World {
    /// Which database it is.
    pub backend: Backend,
    /// The server's clock: it stands still until a test moves it.
    pub clock: Clock,
    /// Everybody and every unit, by name.
    pub cast: Cast,
    address: SocketAddr,
    doors: Arc<Doors>,
    tokens: Mutex<HashMap<String, (String, Instant)>>,
    server: Option<Running>,
    context: Arc<Context>,
    // Dropped last, in this order: the database once nobody is connected, then the directory.
    place: Place,
    dir: tempfile::TempDir,
}

impl World {
    /// A world of its own.
    pub fn on(backend: Backend) -> Self {
        Self::with(backend, |_| {})
    }

    /// A world whose server shares something else than usual.
    pub fn with(backend: Backend, change: impl FnOnce(&mut Context) + Send + 'static) -> Self {
        let dir =
            tempfile::Builder::new().prefix("pingyi-test-").tempdir().expect("a directory for the test");
        let (place, cast, begins_at) = match backend {
            Backend::Sqlite => template::sqlite(dir.path()),
            Backend::Postgres => template::postgres(),
        };
        let clock = Clock::manual(begins_at);
        let doors = open(&place, dir.path(), &clock);
        let (address, server, context) = serve(doors.clone(), change);
        let tokens = Mutex::default();
        Self { backend, clock, cast, address, doors, tokens, server: Some(server), context, place, dir }
    }

    /// A second server on the same data, as another instance behind a balancer: it shares the database and the keys,
    /// and remembers nothing of what the first does.
    pub fn second(&self) -> Second {
        let doors = open(&self.place, self.dir.path(), &self.clock);
        let (address, server, _) = serve(doors.clone(), |_| {});
        Second { address, doors, server: Some(server) }
    }

    /// Somebody of [`people`], signed in: once a test, and again before a token runs out, however the clock came there.
    pub fn as_(&self, login: &str) -> As<'_> {
        let now = self.clock.now();
        let known = self.tokens.lock().expect("tokens").get(login).cloned();
        let known = known.filter(|(_, since)| now < since.plus_seconds(FRESH)).map(|(token, _)| token);
        let token = known.unwrap_or_else(|| {
            let token = self.sign_in(login).json()["access_token"].as_str().expect("a token").to_owned();
            self.tokens.lock().expect("tokens").insert(login.to_owned(), (token.clone(), now));
            token
        });
        As::new(self, login, Some(token))
    }

    /// Nobody: no token.
    pub fn anonymous(&self) -> As<'_> {
        As::new(self, "nobody", None)
    }

    /// Whoever bears this token.
    pub fn bearing(&self, token: &str) -> As<'_> {
        As::new(self, "bearer", Some(token.to_owned()))
    }

    /// Signs in anew, as each call of `as_` after [`World::forget`] does.
    pub fn sign_in(&self, login: &str) -> Reply {
        let body = json!({ "login": login, "password": people::PASSWORD });
        self.anonymous().post("/auth/login", &body).expect(200, "")
    }

    /// Forgets who is signed in: for when the clock has left the tokens behind.
    pub fn forget(&self) {
        self.tokens.lock().expect("tokens").clear();
    }

    /// Moves the clock; tokens live 15 minutes, so [`World::as_`] signs people in again after longer.
    pub fn advance(&self, seconds: i64) {
        self.clock.advance(seconds);
        if seconds >= FRESH {
            self.forget();
        }
    }

    /// The id of the unit with this official code.
    pub fn unit(&self, code: &str) -> &str {
        self.cast
            .units
            .get(code)
            .unwrap_or_else(|| panic!("no unit {code}: enter it in tests/support/people.rs"))
    }

    /// The id of the account with this login.
    pub fn user(&self, login: &str) -> &str {
        self.cast
            .users
            .get(login)
            .unwrap_or_else(|| panic!("no account {login}: enter it in tests/support/people.rs"))
    }

    /// The id of the officer whose account has this login.
    pub fn officer(&self, login: &str) -> &str {
        self.cast
            .officers
            .get(login)
            .unwrap_or_else(|| panic!("{login} is no officer: see tests/support/people.rs"))
    }

    /// Today as the server sees it, plus `days`, as `YYYY-MM-DD`.
    pub fn day(&self, days: i64) -> String {
        (self.clock.now().shanghai_day() + chrono::Duration::days(days)).to_string()
    }

    /// Where the server listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where the data is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What the server was put together from.
    pub fn doors(&self) -> &Arc<Doors> {
        &self.doors
    }

    /// What its requests share.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The folder in which it keeps the bytes of attachments.
    pub fn files(&self) -> PathBuf {
        self.dir.path().join("files")
    }

    /// The key file of this server.
    pub fn key_file(&self) -> Value {
        let text = std::fs::read_to_string(self.dir.path().join("keys.json")).expect("the key file");
        serde_json::from_str(&text).expect("the key file is JSON")
    }
}

impl Drop for World {
    fn drop(&mut self) {
        end(self.server.take());
    }
}

/// Another instance on a world's data.
pub struct Second {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it was put together from.
    pub doors: Arc<Doors>,
    server: Option<Running>,
}

impl Drop for Second {
    fn drop(&mut self) {
        end(self.server.take());
    }
}

/// The data as a server has it, with the keys of this directory.
fn open(place: &Place, dir: &Path, clock: &Clock) -> Arc<Doors> {
    let location = match place {
        Place::Sqlite(file) => Location::Sqlite(file.clone()),
        Place::Postgres(database) => Location::Postgres(database.app_url()),
    };
    let keys = KeyRing::load_or_create(&dir.join("keys.json")).expect("keys");
    let limits = Limits { connections: 4, ..Limits::default() };
    let db = Db::open(&location, limits).expect("the cloned database opens");
    let files = Files::folder(&dir.join("files")).expect("a folder for files");
    Arc::new(Doors::new(db, clock.clone(), keys, files).expect("doors"))
}

type Running = (actix_web::dev::ServerHandle, JoinHandle<()>);

fn end(server: Option<Running>) {
    if let Some((handle, thread)) = server {
        // The command is sent at once; the thread ends when the server has.
        drop(handle.stop(false));
        drop(thread.join());
    }
}

fn serve(
    doors: Arc<Doors>,
    change: impl FnOnce(&mut Context) + Send + 'static,
) -> (SocketAddr, Running, Arc<Context>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    let (sender, receiver) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let serving = Serving { workers: 1, origins: Vec::new() };
            let mut context = app::context(doors, Vec::new());
            change(Arc::get_mut(&mut context).expect("nobody shares it yet"));
            let server = app::start(Arc::clone(&context), listener, &serving).expect("the server starts");
            sender.send((server.handle(), context)).expect("the test waits");
            server.await.expect("the server serves");
        });
    });
    let (handle, context) = receiver.recv().expect("the server starts");
    (address, (handle, thread), context)
}
