//! SIGKILL under concurrent writes: what was acknowledged is there, what was not is there whole or not
//! at all, and a retry makes it be there once.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use uuid::Uuid;

use super::process::{Backend, Connection, Random, Reply, nap};
use super::work::{Crew, Demo, Kind, content, mark_of, new_body};

const WRITERS: usize = 24;

/// A thing one writer made, and what is known of it.
struct Entity {
    kind: Kind,
    id: Uuid,
    key: String,
    body: String,
    /// The answer to its creation.
    created: Option<Reply>,
    /// As last acknowledged.
    version: i64,
    mark: u64,
    etag: String,
    /// A request without an answer.
    pending: Option<Pending>,
    has_plan: bool,
}

#[derive(Clone, Copy)]
enum Pending {
    Create,
    Change { mark: u64 },
}

impl Entity {
    fn path(&self) -> String {
        format!("{}/{}", self.kind.path(), self.id)
    }

    fn acknowledge(&mut self, mark: u64, reply: &Reply) {
        self.version = reply.json()["version"].as_i64().unwrap();
        self.etag = reply.etag();
        self.mark = mark;
        self.pending = None;
    }
}

fn kind_of(random: &mut Random) -> Kind {
    if random.below(8) == 0 { Kind::User } else { Kind::Campaign }
}

/// Writes until told to stop or the server is gone.
fn write(at: SocketAddr, crew: &Crew, mine: &mut Vec<Entity>, mut random: Random, stop: &AtomicBool) {
    let Ok(mut connection) = Connection::open_with(at, Duration::from_secs(20)) else { return };
    let mut mark = random.below(1 << 30) * 1000;
    while !stop.load(Ordering::Relaxed) {
        mark += 1;
        let standing: Vec<usize> = (0..mine.len()).filter(|at| mine[*at].pending.is_none()).collect();
        let change = !standing.is_empty() && random.below(3) > 0;
        let place = if change {
            let place = standing[usize::try_from(random.below(standing.len() as u64)).unwrap()];
            mine[place].pending = Some(Pending::Change { mark });
            place
        } else {
            let parent = mine
                .iter()
                .position(|one| one.kind == Kind::Campaign && one.pending.is_none() && !one.has_plan);
            let (kind, campaign) = match parent {
                Some(parent) => {
                    mine[parent].has_plan = true;
                    (Kind::Plan, Some(mine[parent].id))
                }
                None => (kind_of(&mut random), None),
            };
            let id = Uuid::now_v7();
            mine.push(Entity {
                kind,
                id,
                key: Uuid::new_v4().to_string(),
                body: new_body(kind, id, crew, campaign, mark),
                created: None,
                version: 0,
                mark,
                etag: String::new(),
                pending: Some(Pending::Create),
                has_plan: false,
            });
            mine.len() - 1
        };
        let one = &mut mine[place];
        match attempt(crew, &mut connection, one) {
            Ok(reply) if matches!(reply.status, 200 | 201) => {
                if !change {
                    one.created = Some(reply.clone());
                }
                one.acknowledge(mark, &reply);
            }
            // Not acknowledged: found out and retried after the restart.
            Ok(reply) if reply.status == 503 => {}
            Ok(reply) => panic!("{} {}: {}", one.path(), reply.status, reply.text()),
            Err(_) => return,
        }
    }
}

/// Sends what is pending, the same each time.
fn attempt(crew: &Crew, connection: &mut Connection, one: &Entity) -> std::io::Result<Reply> {
    let session = crew.session(one.kind);
    match one.pending.unwrap() {
        Pending::Create => session.ask(
            connection,
            "POST",
            one.kind.path(),
            &[("Idempotency-Key", &one.key)],
            Some(&one.body),
        ),
        Pending::Change { mark } => {
            let body = content(one.kind, mark).to_string();
            session.ask(connection, "PATCH", &one.path(), &[("If-Match", &one.etag)], Some(&body))
        }
    }
}

/// Compares the ledger with what the server has, retries what was not acknowledged, compares again.
fn settle(demo: &Demo, crew: &Crew, ledger: &mut [Entity]) {
    let mut connection = Connection::open(demo.at()).unwrap();
    let mut replays = 0;
    for one in ledger.iter_mut() {
        let session = crew.session(one.kind).clone();
        let found = session.ask(&mut connection, "GET", &one.path(), &[], None).unwrap();
        let seen = (found.status == 200).then(|| {
            let view = found.json();
            (view["version"].as_i64().unwrap(), mark_of(one.kind, &view))
        });
        let acknowledged = Some((one.version, one.mark));
        match one.pending {
            None => assert_eq!(seen, acknowledged, "acknowledged and not there: {}", one.path()),
            Some(Pending::Create) => {
                assert!(found.status == 404 || seen == Some((1, one.mark)), "half there: {}", found.text());
            }
            Some(Pending::Change { mark }) => {
                let whole = seen == acknowledged || seen == Some((one.version + 1, mark));
                assert!(
                    whole,
                    "{seen:?}, acknowledged {acknowledged:?}, then asked for {mark}: {}",
                    one.path()
                );
            }
        }
        if let Some(pending) = one.pending {
            let reply = attempt(crew, &mut connection, one).unwrap();
            match pending {
                Pending::Create => {
                    let again = attempt(crew, &mut connection, one).unwrap();
                    assert_eq!((reply.status, again.status), (201, 201), "{}", reply.text());
                    assert_eq!((&reply.body, reply.etag()), (&again.body, again.etag()));
                    one.created = Some(reply.clone());
                    one.acknowledge(one.mark, &reply);
                }
                Pending::Change { mark } => {
                    // 412: it had been done before the kill.
                    assert!(matches!(reply.status, 200 | 412), "{}: {}", reply.status, reply.text());
                    let now =
                        session.ask(&mut connection, "GET", &one.path(), &[], None).unwrap().expect(200);
                    assert_eq!(mark_of(one.kind, &now.json()), mark);
                    let before = one.version;
                    one.acknowledge(mark, &now);
                    assert_eq!(one.version, before + 1);
                }
            }
        } else if replays < 40
            && let Some(first) = &one.created
        {
            replays += 1;
            let headers = [("Idempotency-Key", one.key.as_str())];
            let again =
                session.ask(&mut connection, "POST", one.kind.path(), &headers, Some(&one.body)).unwrap();
            assert_eq!(again.status, first.status, "{}", again.text());
            assert_eq!(again.body, first.body);
            assert_eq!(
                (again.header("etag"), again.header("location")),
                (first.header("etag"), first.header("location"))
            );
        }
    }
    let rows = demo.audit_rows();
    for one in ledger.iter() {
        let found = rows.get(&format!("{} {}", one.kind.entity(), one.id)).copied().unwrap_or_default();
        assert_eq!(found, one.version, "one audit row an effect: {}", one.path());
    }
}

/// What one transaction writes is there together, whoever wrote it.
fn check_wholeness(demo: &Demo) {
    for (what, sql) in [
        (
            "campaigns without a leading group",
            "SELECT CAST(c.id AS TEXT) AS line FROM campaigns c LEFT JOIN leading_groups g \
             ON g.tenant_id = c.tenant_id AND g.campaign_id = c.id WHERE g.campaign_id IS NULL",
        ),
        (
            "plans without an author",
            "SELECT CAST(p.id AS TEXT) AS line FROM plans p LEFT JOIN plan_authors a \
             ON a.tenant_id = p.tenant_id AND a.plan_id = p.id WHERE a.plan_id IS NULL",
        ),
        (
            "accounts that cannot sign in",
            "SELECT u.login AS line FROM users u LEFT JOIN login_directory d ON d.login = u.login \
             WHERE d.user_id IS NULL OR d.user_id <> u.id",
        ),
    ] {
        assert_eq!(demo.ask(sql), Vec::<String>::new(), "{what}");
    }
}

fn killed_under_load(backend: Backend) {
    let rounds = if std::env::var_os("PINGYI_TEST_LONG").is_some() { 20 } else { 3 };
    let mut demo = Demo::start(backend);
    let mut random = Random::new();
    let seed = random.seed();
    let mut crew = demo.crew();
    let mut ledger: Vec<Entity> = Vec::new();
    for round in 1..=rounds {
        let stop = Arc::new(AtomicBool::new(false));
        let made = Mutex::new(Vec::new());
        // Each writer goes on with what it has made before, so that nobody else changes it.
        let mut shares: Vec<Vec<Entity>> = (0..WRITERS).map(|_| Vec::new()).collect();
        for (place, one) in ledger.drain(..).enumerate() {
            shares[place % WRITERS].push(one);
        }
        let moment = Duration::from_millis(300 + random.below(1200));
        let at = demo.at();
        let seeds: Vec<u64> = (0..WRITERS).map(|_| random.below(1 << 31)).collect();
        std::thread::scope(|scope| {
            let (crew, made, stop) = (&crew, &made, &stop);
            let writers = shares.into_iter().zip(seeds).map(|(mut mine, seed)| {
                scope.spawn(move || {
                    write(at, crew, &mut mine, Random::seeded(seed), stop);
                    made.lock().unwrap().append(&mut mine);
                })
            });
            let writers: Vec<_> = writers.collect();
            nap(moment);
            // Nothing is told to stop: the server dies with requests in every stage.
            demo.program.kill();
            stop.store(true, Ordering::Relaxed);
            for writer in writers {
                writer.join().unwrap_or_else(|_| panic!("a writer failed in round {round}, seed {seed}"));
            }
        });
        ledger = made.into_inner().unwrap();
        demo.start_again();
        // The sessions outlive the process.
        let pending = ledger.iter().filter(|one| one.pending.is_some()).count();
        settle(&demo, &crew, &mut ledger);
        check_wholeness(&demo);
        demo.check_chain();
        let (made, seen): (usize, i64) = (ledger.len(), ledger.iter().map(|one| one.version).sum());
        println!(
            "round {round}: killed after {moment:?}; {made} things, {seen} effects, {pending} without an answer"
        );
        assert!(ledger.iter().any(|one| one.created.is_some()), "nothing was acknowledged in {moment:?}");
        crew = demo.crew();
    }
    demo.check_integrity();
}

#[test]
fn killed_under_load_sqlite() {
    killed_under_load(Backend::Sqlite);
}

#[test]
fn killed_under_load_postgres() {
    killed_under_load(Backend::Postgres);
}
