//! Slow and hostile clients: others do not wait for them, and the server lives.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::process::{Backend, Connection, Random, nap, until};
use super::work::{Crew, Demo, Kind, create, new_body, read};

fn raw(at: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
    stream.set_write_timeout(Some(Duration::from_secs(10))).unwrap();
    stream
}

/// The status of whatever the server says before it closes or keeps the connection; none when it
/// closes without a word.
fn answer(stream: &mut TcpStream) -> Option<u16> {
    let mut bytes = [0_u8; 4096];
    match stream.read(&mut bytes) {
        Ok(0) | Err(_) => None,
        Ok(length) => {
            let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
            text.split(' ').nth(1).and_then(|status| status.parse().ok())
        }
    }
}

/// What is at once: a slow client is told off after ten seconds, for which nobody else waits.
const AT_ONCE: Duration = Duration::from_secs(5);

/// Others are served at once, and can write.
#[track_caller]
fn is_well(demo: &mut Demo, crew: &Crew, path: &str) {
    for _ in 0..10 {
        let asked = Instant::now();
        read(demo, &crew.office, path).unwrap().expect(200);
        assert!(asked.elapsed() < AT_ONCE, "others waited {:?}", asked.elapsed());
    }
    create(demo, crew, Kind::Campaign, 3);
    assert!(demo.program.is_alive());
}

fn slow_clients_do_not_hold_others_up(backend: Backend) {
    let mut demo = Demo::start(backend);
    let crew = demo.crew();
    let (id, _) = create(&demo, &crew, Kind::Campaign, 1);
    let path = format!("/campaigns/{id}");
    let at = demo.at();
    let body = new_body(Kind::Campaign, uuid::Uuid::now_v7(), &crew, None, 1);
    let request = crew.office.compose("POST", "/campaigns", &[], Some(&body));
    let head = request.len() - body.len();
    std::thread::scope(|scope| {
        // A byte a second: half of them in the body, half in the headers.
        let slow: Vec<_> = (0..40)
            .map(|n| {
                let (request, from) = (&request, if n % 2 == 0 { head + 10 } else { 30 });
                scope.spawn(move || {
                    let mut stream = raw(at);
                    let begun = Instant::now();
                    stream.write_all(&request[..from]).unwrap();
                    stream.set_read_timeout(Some(Duration::from_secs(1))).unwrap();
                    let mut bytes = [0_u8; 4096];
                    for byte in &request[from..] {
                        if stream.write_all(&[*byte]).is_err() {
                            return (None, begun.elapsed());
                        }
                        match stream.read(&mut bytes) {
                            Ok(0) => return (None, begun.elapsed()),
                            Ok(length) => {
                                let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
                                let status: Option<u16> =
                                    text.split(' ').nth(1).and_then(|one| one.parse().ok());
                                return (status, begun.elapsed());
                            }
                            Err(_) => assert!(begun.elapsed() < Duration::from_secs(40), "never told off"),
                        }
                    }
                    panic!("a slow client got through");
                })
            })
            .collect();
        nap(Duration::from_secs(1));
        is_well(&mut demo, &crew, &path);
        for one in slow {
            let (status, after) = one.join().unwrap();
            assert!(matches!(status, None | Some(400 | 408)), "{status:?} after {after:?}");
            assert!(after < Duration::from_secs(25), "held for {after:?}");
        }
    });
    is_well(&mut demo, &crew, &path);
}

#[test]
fn slow_clients_do_not_hold_others_up_sqlite() {
    slow_clients_do_not_hold_others_up(Backend::Sqlite);
}

#[test]
fn slow_clients_do_not_hold_others_up_postgres() {
    slow_clients_do_not_hold_others_up(Backend::Postgres);
}

fn malformed_and_oversized_requests_are_refused_and_the_server_lives(backend: Backend) {
    let mut demo = Demo::start(backend);
    let crew = demo.crew();
    let (id, _) = create(&demo, &crew, Kind::Campaign, 1);
    let path = format!("/campaigns/{id}");
    let at = demo.at();
    let long = "x".repeat(200_000);
    let requests = [
        ("a header of 200 kB", format!("GET /health/live HTTP/1.1\r\nHost: x\r\nX-Long: {long}\r\n\r\n")),
        ("an address of 200 kB", format!("GET /{long} HTTP/1.1\r\nHost: x\r\n\r\n")),
        ("ten thousand headers", {
            let headers = (0..10_000).map(|n| format!("X-{n}: 1\r\n")).collect::<Vec<_>>().concat();
            format!("GET /health/live HTTP/1.1\r\nHost: x\r\n{headers}\r\n")
        }),
        ("two lengths", "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nabcdef".into()),
        ("length and chunks", "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".into()),
        ("a negative length", "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n".into()),
        ("a bad chunk", "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".into()),
        ("no HTTP", "\u{16}\u{3}\u{1}\r\n\r\n".into()),
        ("a NUL", "GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n".into()),
        ("HTTP/2 at once", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into()),
    ];
    for (what, request) in requests {
        let mut stream = raw(at);
        // The server may hang up before it has read everything.
        let _ = stream.write_all(request.as_bytes());
        let status = answer(&mut stream);
        assert!(
            status.is_none_or(|status| (400..500).contains(&status) || status == 505),
            "{what}: {status:?}"
        );
    }
    is_well(&mut demo, &crew, &path);

    // Noise, of which some begins like a request.
    let mut random = Random::new();
    println!("seed {}", random.seed());
    for n in 0..200 {
        let mut stream = raw(at);
        stream.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        let mut bytes = if n % 2 == 0 { b"GET /health/live HTTP/1.1\r\n".to_vec() } else { Vec::new() };
        bytes.extend((0..random.below(2000)).map(|_| random.below(256).to_le_bytes()[0]));
        let _ = stream.write_all(&bytes);
        let _ = answer(&mut stream);
    }
    is_well(&mut demo, &crew, &path);
}

#[test]
fn malformed_and_oversized_requests_are_refused_and_the_server_lives_sqlite() {
    malformed_and_oversized_requests_are_refused_and_the_server_lives(Backend::Sqlite);
}

#[test]
fn malformed_and_oversized_requests_are_refused_and_the_server_lives_postgres() {
    malformed_and_oversized_requests_are_refused_and_the_server_lives(Backend::Postgres);
}

fn many_connections_that_say_nothing_or_hang_up(backend: Backend) {
    let mut demo = Demo::start(backend);
    let crew = demo.crew();
    let (id, _) = create(&demo, &crew, Kind::Campaign, 1);
    let path = format!("/campaigns/{id}");
    let at = demo.at();
    let silent: Vec<TcpStream> = (0..800).map(|_| raw(at)).collect();
    is_well(&mut demo, &crew, &path);
    drop(silent);
    // Requests whose sender does not wait for the answer, reads and writes.
    for n in 0..300 {
        let mut stream = raw(at);
        let request = if n % 3 == 0 {
            let body = new_body(Kind::Campaign, uuid::Uuid::now_v7(), &crew, None, 1);
            crew.office.compose("POST", "/campaigns", &[], Some(&body))
        } else {
            crew.office.compose("GET", &path, &[], None)
        };
        stream.write_all(&request).unwrap();
        if n % 2 == 0 {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
    // Those are done first, for somebody who asks next.
    until(Duration::from_secs(40), "a good answer", || {
        let asked = Instant::now();
        read(&demo, &crew.office, &path).unwrap().expect(200);
        (asked.elapsed() < AT_ONCE).then_some(())
    });
    is_well(&mut demo, &crew, &path);
    // Many requests at once on one connection, as a pipeline.
    let mut pipeline = Connection::open(at).unwrap();
    let one = crew.office.compose("GET", &path, &[], None);
    pipeline.send(&one.repeat(64)).unwrap();
    for _ in 0..64 {
        pipeline.receive().unwrap().expect(200);
    }
    demo.check_integrity();
}

#[test]
fn many_connections_that_say_nothing_or_hang_up_sqlite() {
    many_connections_that_say_nothing_or_hang_up(Backend::Sqlite);
}

#[test]
fn many_connections_that_say_nothing_or_hang_up_postgres() {
    many_connections_that_say_nothing_or_hang_up(Backend::Postgres);
}
