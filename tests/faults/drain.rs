//! SIGTERM: readiness fails first, requests under way finish, then the door is shut.

use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use diesel::Connection as _;
use diesel::connection::SimpleConnection;

use super::process::{Backend, Connection, Store, accounts_of, nap, sign_in, until};
use super::work::{BINARY, BOTH, Demo, Kind, new_body};

/// How long a balancer is given here: long enough for a slow machine to be asked and to answer, and shorter than the quarter
/// of a minute in which a request that was begun has to come.
const LOOK_AWAY: Duration = Duration::from_secs(5);

fn is_ready(connection: &mut Connection) -> std::io::Result<u16> {
    connection.request("GET", "/health/ready", &[], None).map(|reply| reply.status)
}

#[test]
fn on_sigterm_readiness_fails_first_and_requests_under_way_finish() {
    for backend in BOTH {
        let demo = Demo::start_with(backend, &["--look-away-ms", &LOOK_AWAY.as_millis().to_string()]);
        let crew = demo.crew();
        let at = demo.at();
        // One is known to the server but idle, one is half sent, others are at work.
        let mut idle = Connection::open(at).unwrap();
        assert_eq!(is_ready(&mut idle).unwrap(), 200);
        let id = uuid::Uuid::now_v7();
        let body = new_body(Kind::Campaign, id, &crew, None, 1);
        let request = crew.office.compose("POST", "/campaigns", &[], Some(&body));
        let (first, rest) = request.split_at(request.len() - 100);
        let mut slow = Connection::open(at).unwrap();
        slow.send(first).unwrap();
        nap(Duration::from_millis(100));
        let account =
            demo.accounts.iter().find(|one| one.role == "group_office" && one.unit_code == "53").unwrap();
        let body = serde_json::json!({ "login": account.login, "password": account.password }).to_string();
        let mut logins: Vec<Connection> = (0..6).map(|_| Connection::open(at).unwrap()).collect();
        for login in &mut logins {
            let request = format!(
                "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
                 Content-Length: {}\r\n\r\n{body}",
                body.len()
            );
            login.send(request.as_bytes()).unwrap();
        }

        let told = Instant::now();
        demo.program.terminate();
        // Balancers see it on a connection of their own while new connections are still let in.
        until(LOOK_AWAY, "readiness to fail", || {
            let mut fresh = Connection::open(at).expect("new connections are let in while readiness fails");
            (is_ready(&mut fresh).unwrap() == 503).then_some(())
        });
        assert_eq!(
            Connection::open(at).unwrap().request("GET", "/health/live", &[], None).unwrap().status,
            200
        );
        until(LOOK_AWAY + Duration::from_secs(20), "the listener to close", || {
            match TcpStream::connect_timeout(&at, Duration::from_secs(1)) {
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => Some(()),
                _ => None,
            }
        });
        assert!(told.elapsed() >= LOOK_AWAY, "the door was shut before anybody could look away");
        for login in &mut logins {
            login.receive().unwrap().expect(200);
        }
        slow.send(rest).unwrap();
        slow.receive().unwrap().expect(201);
        drop((slow, logins));
        let answered = Instant::now();
        let said = demo.program.said();
        let status = demo.program.wait(Duration::from_secs(40));
        println!(
            "{backend:?}: ended {:?} after the last answer, with an idle connection open",
            answered.elapsed()
        );
        assert_eq!(status.code(), Some(0), "{said}");
        assert!(answered.elapsed() < Duration::from_secs(20), "an idle connection held the end up");
    }
}

#[test]
fn on_sigterm_without_anything_under_way_it_ends_at_once() {
    let demo = Demo::start(Backend::Sqlite);
    let store = demo.store;
    demo.program.terminate();
    let told = Instant::now();
    assert_eq!(demo.program.wait(Duration::from_secs(40)).code(), Some(0));
    // Half a minute is what requests under way are waited for.
    assert!(told.elapsed() < Duration::from_secs(15), "{:?}", told.elapsed());
    // Closed in order: nothing is left for the next start to repair.
    assert!(store.file().exists());
}

/// The log's reader has died and its pipe is closed: that is no reason to stop serving, or to live on.
#[test]
fn with_nobody_reading_its_log_it_serves_and_ends_on_sigterm() {
    let store = Store::new(BINARY, Backend::Sqlite);
    let mut program = store.start_unheard(&["demo"]);
    let mut connection = Connection::open(program.address).unwrap();
    assert_eq!(is_ready(&mut connection).unwrap(), 200);
    // Something worth logging: another program holds the database locked beyond the writer's patience.
    let accounts = accounts_of(&store.accounts_file());
    let office = sign_in(program.address, &accounts, "group_office", "53");
    let mut other = diesel::SqliteConnection::establish(store.file().to_str().unwrap()).unwrap();
    other.batch_execute("PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE").unwrap();
    let body = serde_json::json!({}).to_string();
    let reply = office.once(program.address, "POST", "/auth/logout", &[], Some(&body));
    assert_eq!((reply.status, reply.code().as_str()), (503, "unavailable"), "{}", reply.text());
    other.batch_execute("ROLLBACK").unwrap();
    office.once(program.address, "POST", "/auth/logout", &[], Some(&body)).expect(204);
    assert!(program.is_alive());
    program.terminate();
    assert_eq!(program.wait(Duration::from_secs(40)).code(), Some(0));
}
