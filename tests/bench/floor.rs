//! The floors: the same rows on prepared statements of the same database, without the program round
//! them. Reads are one statement each; a create writes the rows that the program writes, durably, in
//! groups (SQLite) or in as many transactions at once as the program has connections (PostgreSQL).

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use chrono::NaiveDate;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use pingyi::access::UserId;
use pingyi::campaigns::rules::CampaignId;
use pingyi::db::Id;
use pingyi::db::Instant as Moment;
use pingyi::db::schema::audit::{audit_log, audit_unsealed};
use pingyi::db::schema::{campaign_phases, campaigns, idempotency_keys, leading_groups, units, users};
use pingyi::org::rules::UnitId;

use super::load::{Cost, thread_nanos};
use super::process::Store;

/// As many as the program has.
const CONNECTIONS: usize = 8;
const TENANT: &str = "53";
const PRAGMAS: &str = "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
    PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -16000;";

#[derive(Queryable)]
#[allow(dead_code, reason = "read from the database, as the program does")]
struct Unit {
    id: UnitId,
    parent_id: Option<UnitId>,
    code: String,
    name: String,
    kind: String,
    status: String,
    path: String,
    version: i64,
    created_at: Moment,
    updated_at: Moment,
}

/// Who makes what.
#[derive(Clone)]
struct Facts {
    unit: UnitId,
    user: UserId,
    root: UnitId,
}

enum Place {
    Sqlite(String),
    Postgres(String),
}

pub struct Floor {
    place: Place,
    facts: Facts,
}

fn sqlite(file: &str) -> SqliteConnection {
    let mut conn = SqliteConnection::establish(file).unwrap();
    conn.batch_execute(PRAGMAS).unwrap();
    conn
}

fn postgres(url: &str) -> PgConnection {
    let mut conn = PgConnection::establish(url).unwrap();
    conn.batch_execute("SET TIME ZONE 'UTC'; SET app.tenant = '53'").unwrap();
    conn
}

/// The statements, once for each kind of connection.
macro_rules! statements {
    ($module:ident, $conn:ty) => {
        mod $module {
            use super::*;

            pub fn facts(conn: &mut $conn, unit: UnitId, login: &str) -> Facts {
                let user = users::table
                    .filter(users::tenant_id.eq(TENANT).and(users::login.eq(login)))
                    .select((users::id, users::unit_id.assume_not_null()))
                    .first::<(UserId, UnitId)>(conn)
                    .unwrap();
                Facts { unit, user: user.0, root: user.1 }
            }

            pub fn get(conn: &mut $conn, id: UnitId) -> Unit {
                units::table
                    .filter(units::tenant_id.eq(TENANT).and(units::id.eq(id)))
                    .select((
                        units::id,
                        units::parent_id,
                        units::code,
                        units::name,
                        units::kind,
                        units::status,
                        units::path,
                        units::version,
                        units::created_at,
                        units::updated_at,
                    ))
                    .first(conn)
                    .unwrap()
            }

            pub fn list(conn: &mut $conn, low: &str, high: &str) -> Vec<Unit> {
                units::table
                    .filter(units::tenant_id.eq(TENANT))
                    .filter(units::path.ge(low).and(units::path.lt(high)))
                    .order(units::path.asc())
                    .limit(51)
                    .select((
                        units::id,
                        units::parent_id,
                        units::code,
                        units::name,
                        units::kind,
                        units::status,
                        units::path,
                        units::version,
                        units::created_at,
                        units::updated_at,
                    ))
                    .load(conn)
                    .unwrap()
            }

            pub fn create(conn: &mut $conn, facts: &Facts, now: Moment) {
                let id = CampaignId::generate();
                let name = "治庸懒、强担当、树新风";
                let day = NaiveDate::from_ymd_opt(2026, 3, 2).unwrap();
                diesel::insert_into(campaigns::table)
                    .values((
                        campaigns::tenant_id.eq(TENANT),
                        campaigns::id.eq(id),
                        campaigns::unit_id.eq(facts.root),
                        campaigns::unit_path.eq("53/"),
                        campaigns::name.eq(name),
                        campaigns::search_text.eq(name),
                        campaigns::theme.eq("整治冷硬横推、慵懒散拖, 让群众办事少跑路、有回音。"),
                        campaigns::year.eq(2026),
                        campaigns::state.eq("preparing"),
                        campaigns::scope_kinds.eq("city county"),
                        campaigns::version.eq(1_i64),
                        campaigns::created_by.eq(facts.user),
                        campaigns::created_at.eq(now),
                        campaigns::updated_at.eq(now),
                    ))
                    .execute(conn)
                    .unwrap();
                diesel::insert_into(leading_groups::table)
                    .values((
                        leading_groups::tenant_id.eq(TENANT),
                        leading_groups::campaign_id.eq(id),
                        leading_groups::version.eq(1_i64),
                        leading_groups::updated_at.eq(now),
                    ))
                    .execute(conn)
                    .unwrap();
                for (position, phase) in [(0, "动员部署"), (1, "自查自纠")] {
                    diesel::insert_into(campaign_phases::table)
                        .values((
                            campaign_phases::tenant_id.eq(TENANT),
                            campaign_phases::campaign_id.eq(id),
                            campaign_phases::position.eq(position),
                            campaign_phases::name.eq(phase),
                            campaign_phases::starts_on.eq(day),
                            campaign_phases::ends_on.eq(day),
                        ))
                        .execute(conn)
                        .unwrap();
                }
                let digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
                let text = id.to_string();
                let entry = Id::<Moment>::generate();
                diesel::insert_into(audit_log::table)
                    .values((
                        audit_log::tenant_id.eq(TENANT),
                        audit_log::id.eq(entry),
                        audit_log::at.eq(now),
                        audit_log::actor.eq("user:01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77"),
                        audit_log::user_id.eq(facts.user),
                        audit_log::roles.eq("group_office"),
                        audit_log::action.eq("campaign.create"),
                        audit_log::entity.eq("campaign"),
                        audit_log::entity_id.eq(&text),
                        audit_log::after_digest.eq(digest),
                        audit_log::request_id.eq("01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77"),
                        audit_log::salt.eq("00112233445566778899aabbccddeeff"),
                    ))
                    .execute(conn)
                    .unwrap();
                diesel::insert_into(audit_unsealed::table)
                    .values((audit_unsealed::tenant_id.eq(TENANT), audit_unsealed::entry_id.eq(entry)))
                    .execute(conn)
                    .unwrap();
                let body = "x".repeat(900);
                diesel::insert_into(idempotency_keys::table)
                    .values((
                        idempotency_keys::tenant_id.eq(TENANT),
                        idempotency_keys::user_id.eq(facts.user),
                        idempotency_keys::operation.eq("create_campaign"),
                        idempotency_keys::key.eq(&text),
                        idempotency_keys::request_hash.eq(digest),
                        idempotency_keys::status.eq(201_i64),
                        idempotency_keys::etag.eq("\"v1.0123456789abcdef\""),
                        idempotency_keys::location.eq("/campaigns/01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77"),
                        idempotency_keys::body.eq(body),
                        idempotency_keys::authz_version.eq(1_i64),
                        idempotency_keys::created_at.eq(now),
                    ))
                    .execute(conn)
                    .unwrap();
            }
        }
    };
}

statements!(on_sqlite, SqliteConnection);
statements!(on_postgres, PgConnection);

/// Times a loop of one thread.
fn time(count: usize, mut work: impl FnMut()) -> Cost {
    let (cpu, begun) = (thread_nanos(), Instant::now());
    for _ in 0..count {
        work();
    }
    let wall = begun.elapsed().as_secs_f64();
    let cpu = (thread_nanos() - cpu) as f64 / 1000.0;
    Cost { cpu_micros: cpu / count as f64, rate: count as f64 / wall }
}

impl Floor {
    pub fn new(store: &Store, unit: &str, login: &str) -> Self {
        let unit = UnitId::parse(unit).unwrap();
        let place = match store.app_url() {
            Some(url) => Place::Postgres(url.to_owned()),
            None => Place::Sqlite(store.file().to_str().unwrap().to_owned()),
        };
        let facts = match &place {
            Place::Sqlite(file) => on_sqlite::facts(&mut sqlite(file), unit, login),
            Place::Postgres(url) => on_postgres::facts(&mut postgres(url), unit, login),
        };
        Self { place, facts }
    }

    /// One unit by its id.
    pub fn get(&self, count: usize) -> Cost {
        let id = self.facts.unit;
        match &self.place {
            Place::Sqlite(file) => {
                let mut conn = sqlite(file);
                time(count, || drop(on_sqlite::get(&mut conn, id)))
            }
            Place::Postgres(url) => {
                let mut conn = postgres(url);
                time(count / 4, || drop(on_postgres::get(&mut conn, id)))
            }
        }
    }

    /// A page of 50 of a subtree, and the row that tells of a next page.
    pub fn list(&self, count: usize) -> Cost {
        let (low, high) = ("53/5301/", "53/53010");
        match &self.place {
            Place::Sqlite(file) => {
                let mut conn = sqlite(file);
                assert_eq!(on_sqlite::list(&mut conn, low, high).len(), 51);
                time(count, || drop(on_sqlite::list(&mut conn, low, high)))
            }
            Place::Postgres(url) => {
                let mut conn = postgres(url);
                assert_eq!(on_postgres::list(&mut conn, low, high).len(), 51);
                time(count / 4, || drop(on_postgres::list(&mut conn, low, high)))
            }
        }
    }

    /// Creates, asked for by so many clients at once, each when its last is on disk.
    pub fn create(&self, clients: usize, count: usize) -> Cost {
        let each = (count / clients).max(1);
        // `Clock` is the program's; here any moment does.
        let now = Moment::from_micros(1_780_000_000_000_000);
        let (ask, asked) = channel::<Sender<()>>();
        let asked = Arc::new(Mutex::new(asked));
        let begun = Instant::now();
        let nanos: u64 = std::thread::scope(|scope| {
            let facts = &self.facts;
            for _ in 0..clients {
                let ask = ask.clone();
                scope.spawn(move || {
                    let (done, is_done) = channel();
                    for _ in 0..each {
                        ask.send(done.clone()).unwrap();
                        is_done.recv().unwrap();
                    }
                });
            }
            drop(ask);
            match &self.place {
                Place::Sqlite(file) => {
                    let writer = scope.spawn(move || {
                        let jobs = asked.lock().unwrap();
                        let mut conn = sqlite(file);
                        let cpu = thread_nanos();
                        while let Ok(first) = jobs.recv() {
                            conn.batch_execute("BEGIN IMMEDIATE").unwrap();
                            let mut group = Vec::new();
                            let mut next = Some(first);
                            while let Some(job) = next.take() {
                                // Each can fail alone.
                                conn.batch_execute("SAVEPOINT one").unwrap();
                                on_sqlite::create(&mut conn, facts, now);
                                conn.batch_execute("RELEASE one").unwrap();
                                group.push(job);
                                next = jobs.try_recv().ok().filter(|_| group.len() < 128);
                            }
                            conn.batch_execute("COMMIT").unwrap();
                            for job in group {
                                let _ = job.send(());
                            }
                        }
                        thread_nanos() - cpu
                    });
                    writer.join().unwrap()
                }
                Place::Postgres(url) => {
                    let writers: Vec<_> = (0..CONNECTIONS)
                        .map(|_| {
                            let asked = Arc::clone(&asked);
                            scope.spawn(move || {
                                let mut conn = postgres(url);
                                let cpu = thread_nanos();
                                loop {
                                    let Ok(job) = asked.lock().unwrap().recv() else { break };
                                    conn.batch_execute("BEGIN").unwrap();
                                    on_postgres::create(&mut conn, facts, now);
                                    conn.batch_execute("COMMIT").unwrap();
                                    let _ = job.send(());
                                }
                                thread_nanos() - cpu
                            })
                        })
                        .collect();
                    writers.into_iter().map(|writer| writer.join().unwrap()).sum()
                }
            }
        });
        let count = (each * clients) as f64;
        Cost { cpu_micros: nanos as f64 / 1000.0 / count, rate: count / begun.elapsed().as_secs_f64() }
    }
}
