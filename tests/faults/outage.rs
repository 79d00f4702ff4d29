//! The database goes away and comes back under the server: 503 meanwhile, nothing corrupt, no restart.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::process::{Backend, Cluster, Connection, Reply, Store, nap, until};
use super::work::{BINARY, Crew, Demo, Kind, create, mark_of, new_body, read};

/// The server's own deadline of a request, and some.
const DEADLINE: Duration = Duration::from_secs(38);

fn post(demo: &Demo, crew: &Crew, id: uuid::Uuid) -> Reply {
    let body = new_body(Kind::Campaign, id, crew, None, 1);
    let key = id.to_string();
    crew.office.once(demo.at(), "POST", "/campaigns", &[("Idempotency-Key", &key)], Some(&body))
}

#[track_caller]
fn assert_unavailable(reply: &Reply) {
    assert_eq!((reply.status, reply.code().as_str()), (503, "unavailable"), "{}", reply.text());
    let wait: u64 = reply.header("retry-after").expect("Retry-After").parse().unwrap();
    assert!((1..=60).contains(&wait));
}

fn health(demo: &Demo, which: &str) -> u16 {
    let mut connection = Connection::open(demo.at()).unwrap();
    connection.request("GET", &format!("/health/{which}"), &[], None).unwrap().status
}

/// Reads and writes until told to stop: each answer is 2xx or a proper 503, in time. Answers the
/// writes that were acknowledged, and those that were not.
fn clients(
    demo: &Demo,
    crew: &Crew,
    path: &str,
    meanwhile: impl FnOnce(),
) -> (Vec<uuid::Uuid>, Vec<uuid::Uuid>) {
    let stop = AtomicBool::new(false);
    let mut done = (Vec::new(), Vec::new());
    let mut slowest = Duration::ZERO;
    std::thread::scope(|scope| {
        let stop = &stop;
        let one = move |writes: bool| {
            let (mut made, mut refused, mut slowest) = (Vec::new(), Vec::new(), Duration::ZERO);
            while !stop.load(Ordering::Relaxed) {
                let (asked, id) = (Instant::now(), uuid::Uuid::now_v7());
                let reply =
                    if writes { post(demo, crew, id) } else { read(demo, &crew.office, path).unwrap() };
                slowest = slowest.max(asked.elapsed());
                assert!(asked.elapsed() < DEADLINE, "hung for {:?}", asked.elapsed());
                if !matches!(reply.status, 200 | 201) {
                    assert_unavailable(&reply);
                    refused.push(id);
                } else if writes {
                    made.push(id);
                }
                nap(Duration::from_millis(2));
            }
            (made, refused, slowest)
        };
        let threads: Vec<_> = (0..12).map(|n| scope.spawn(move || one(n % 2 == 0))).collect();
        meanwhile();
        stop.store(true, Ordering::Relaxed);
        for thread in threads {
            let (made, refused, slow) = thread.join().unwrap();
            done.0.extend(made);
            done.1.extend(refused);
            slowest = slowest.max(slow);
        }
    });
    println!("{} writes, {} refused, slowest answer {slowest:?}", done.0.len(), done.1.len());
    done
}

/// Every acknowledged write is there once.
fn check(demo: &Demo, crew: &Crew, made: &[uuid::Uuid]) {
    let rows = demo.audit_rows();
    let mut connection = Connection::open(demo.at()).unwrap();
    for id in made {
        let view = crew
            .office
            .ask(&mut connection, "GET", &format!("/campaigns/{id}"), &[], None)
            .unwrap()
            .expect(200);
        assert_eq!(mark_of(Kind::Campaign, &view.json()), 1);
        assert_eq!(rows[&format!("campaign {id}")], 1);
    }
}

#[test]
fn postgresql_is_stopped_and_started_again_under_the_server() {
    let cluster = Cluster::start();
    let store = Store::on(BINARY, cluster.url("pingyi_app"), cluster.url("pingyi_owner"));
    let mut demo = Demo::start_in(store, Backend::Postgres);
    let crew = demo.crew();
    let (before, _) = create(&demo, &crew, Kind::Campaign, 7);
    let path = format!("/campaigns/{before}");
    let rounds = if std::env::var_os("PINGYI_TEST_LONG").is_some() { 3 } else { 1 };
    for _ in 0..rounds {
        let (made, refused) = clients(&demo, &crew, &path, || {
            nap(Duration::from_millis(700));
            cluster.stop();
            assert_eq!(health(&demo, "live"), 200);
            assert_eq!(health(&demo, "ready"), 503);
            let asked = Instant::now();
            assert_unavailable(&read(&demo, &crew.office, &path).unwrap());
            println!("with the database gone: answered after {:?}", asked.elapsed());
            nap(Duration::from_millis(500));
            cluster.start_again();
            let back = Instant::now();
            until(Duration::from_secs(30), "readiness after the database is back", || {
                (health(&demo, "ready") == 200).then_some(())
            });
            until(Duration::from_secs(30), "ten good answers in a row", || {
                (0..10).all(|_| read(&demo, &crew.office, &path).unwrap().status == 200).then_some(())
            });
            println!("recovered {:?} after the database was back", back.elapsed());
            nap(Duration::from_millis(300));
        });
        assert!(!refused.is_empty());
        check(&demo, &crew, &made);
        // What was refused can be sent again with its key, whether or not it had been done.
        for id in refused.iter().take(10) {
            let reply = post(&demo, &crew, *id);
            assert_eq!(reply.status, 201, "{}", reply.text());
        }
        check(&demo, &crew, &refused[..refused.len().min(10)]);
    }
    assert!(demo.program.is_alive());
    chain_is_whole(&demo);
}

#[test]
fn connections_are_cut_one_and_all_while_the_server_of_the_database_lives() {
    let demo = Demo::start(Backend::Postgres);
    let crew = demo.crew();
    let (before, _) = create(&demo, &crew, Kind::Campaign, 7);
    let path = format!("/campaigns/{before}");
    let (made, _) = clients(&demo, &crew, &path, || {
        for _ in 0..8 {
            nap(Duration::from_millis(150));
            let sql = "SELECT CAST(count(pg_terminate_backend(pid)) AS TEXT) AS line FROM pg_stat_activity \
                       WHERE datname = current_database() AND pid <> pg_backend_pid()";
            demo.ask(sql);
        }
        until(Duration::from_secs(30), "ten good answers in a row", || {
            (0..10).all(|_| read(&demo, &crew.office, &path).unwrap().status == 200).then_some(())
        });
    });
    check(&demo, &crew, &made);
}

/// A small disk, mounted for one test.
struct SmallDisk(PathBuf);

impl SmallDisk {
    /// `None` where this process may not mount.
    fn mount(megabytes: u32) -> Option<Self> {
        let dir = tempfile::Builder::new().prefix("pingyi-disk.").tempdir_in("/tmp").unwrap().keep();
        let size = format!("size={megabytes}m");
        let status = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(&dir).output();
        if status.is_ok_and(|output| output.status.success()) {
            return Some(Self(dir));
        }
        let _ = std::fs::remove_dir(&dir);
        None
    }

    /// Leaves no byte free; answers the file to delete.
    fn fill(&self) -> PathBuf {
        let ballast = self.0.join("ballast");
        let mut file = std::fs::File::create(&ballast).unwrap();
        for size in [1 << 20, 4096, 1] {
            let block = vec![0_u8; size];
            while std::io::Write::write_all(&mut file, &block).is_ok() {}
        }
        ballast
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
        let _ = std::fs::remove_dir(&self.0);
    }
}

#[test]
fn the_disk_is_full_and_then_it_is_not_sqlite() {
    let Some(disk) = small_disk(160) else { return };
    let store = Store::inside(BINARY, Path::new(&disk.0));
    fills_up_and_is_emptied(&disk, Demo::start_in(store, Backend::Sqlite));
}

#[test]
fn the_disk_is_full_and_then_it_is_not_postgres() {
    let Some(disk) = small_disk(160) else { return };
    let cluster = Cluster::start_on(Path::new(&disk.0));
    let store = Store::on(BINARY, cluster.url("pingyi_app"), cluster.url("pingyi_owner"));
    fills_up_and_is_emptied(&disk, Demo::start_in(store, Backend::Postgres));
}

fn small_disk(megabytes: u32) -> Option<SmallDisk> {
    let disk = SmallDisk::mount(megabytes);
    if disk.is_none() {
        // Only root may mount: CI runs as root, and the test of a lock below runs everywhere.
        assert!(std::env::var_os("CI").is_none(), "CI may mount a small disk");
        println!("NOT RUN: this process may not mount a small disk; run as root");
    }
    disk
}

fn fills_up_and_is_emptied(disk: &SmallDisk, mut demo: Demo) {
    let crew = demo.crew();
    let (before, _) = create(&demo, &crew, Kind::Campaign, 7);
    let path = format!("/campaigns/{before}");
    for _ in 0..3 {
        let (mut made, refused) = clients(&demo, &crew, &path, || {
            nap(Duration::from_millis(200));
            let ballast = disk.fill();
            // What lies allocated may still take some.
            until(Duration::from_secs(30), "a write to be refused", || {
                let reply = post(&demo, &crew, uuid::Uuid::now_v7());
                (reply.status == 503).then(|| assert_unavailable(&reply))
            });
            for _ in 0..20 {
                read(&demo, &crew.office, &path).unwrap().expect(200);
            }
            std::fs::remove_file(ballast).unwrap();
            until(Duration::from_secs(30), "a write to succeed", || {
                (post(&demo, &crew, uuid::Uuid::now_v7()).status == 201).then_some(())
            });
            nap(Duration::from_millis(200));
        });
        assert!(!refused.is_empty());
        for id in refused.iter().take(20) {
            assert_eq!(post(&demo, &crew, *id).status, 201);
            made.push(*id);
        }
        check(&demo, &crew, &made);
        demo.check_integrity();
    }
    // And the next process finds it whole.
    demo.program.kill();
    demo.check_integrity();
    demo.program = demo.store.start(&["serve"]);
    read(&demo, &crew.office, &path).unwrap().expect(200);
    chain_is_whole(&demo);
}

/// What was written meanwhile has come into the chain, all of it once.
fn chain_is_whole(demo: &Demo) {
    demo.store.until_sealed();
    let verified = demo.store.run(&["audit", "verify", "--province", "53"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
}

#[test]
fn another_program_holds_the_embedded_database_locked() {
    use diesel::Connection as _;
    use diesel::connection::SimpleConnection;
    let demo = Demo::start(Backend::Sqlite);
    let crew = demo.crew();
    let (before, _) = create(&demo, &crew, Kind::Campaign, 7);
    let path = format!("/campaigns/{before}");
    let mut other = diesel::SqliteConnection::establish(demo.store.file().to_str().unwrap()).unwrap();
    other.batch_execute("PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE").unwrap();
    let asked = Instant::now();
    let id = uuid::Uuid::now_v7();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| post(&demo, &crew, id));
        // Readers do not wait for the writer, who waits five seconds for the lock.
        for _ in 0..20 {
            let asked = Instant::now();
            read(&demo, &crew.office, &path).unwrap().expect(200);
            assert!(asked.elapsed() < Duration::from_secs(4));
        }
        assert_unavailable(&writer.join().unwrap());
    });
    // The writer waits so long for each write that stands before this one as well: the request's own deadline ends it.
    assert!(asked.elapsed() < DEADLINE, "{:?}", asked.elapsed());
    other.batch_execute("ROLLBACK").unwrap();
    post(&demo, &crew, id).expect(201);
    check(&demo, &crew, &[id]);
}
