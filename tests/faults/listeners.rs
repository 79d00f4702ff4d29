//! Those who listen: a thousand at once, through kill -9, and when the server is told to end.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::process::{Connection, Session, login, many_files, memory, nap, until};
use super::work::{BOTH, Crew, Demo, Kind, new_body};

/// How long the door stays open here once the server is told to end: a machine that is busy with a thousand lines has to be
/// asked meanwhile, and to answer.
const LOOK_AWAY: Duration = Duration::from_secs(15);

/// Who listens without a thread of their own: what has come is read when somebody asks.
pub struct Line {
    stream: TcpStream,
    text: Vec<u8>,
    ended: bool,
}

impl Line {
    pub fn open(at: SocketAddr, session: &Session, last: Option<&str>) -> Self {
        let mut headers = vec![("Accept", "text/event-stream")];
        headers.extend(last.map(|last| ("Last-Event-ID", last)));
        let mut stream = TcpStream::connect(at).unwrap();
        stream.write_all(&session.compose("GET", "/events", &headers, None)).unwrap();
        stream.set_nonblocking(true).unwrap();
        Self { stream, text: Vec::new(), ended: false }
    }

    /// All that has come so far.
    pub fn read(&mut self) -> String {
        let mut piece = [0; 16 * 1024];
        while !self.ended {
            match self.stream.read(&mut piece) {
                Ok(0) => self.ended = true,
                Ok(read) => self.text.extend_from_slice(&piece[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => self.ended = true,
            }
        }
        let text = String::from_utf8_lossy(&self.text).into_owned();
        // The last chunk of an answer that ends well; the connection itself may be kept.
        self.ended |= text.ends_with("\r\n0\r\n\r\n");
        text
    }

    /// The ids of events of this kind, with the id of the thing, in their order.
    fn heard(&mut self, kind: &str) -> Vec<(String, String)> {
        let (mut found, mut id, mut is_kind) = (Vec::new(), String::new(), false);
        let text = self.read();
        // The last line may be on its way.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        for line in whole.lines() {
            match line.split_once(": ") {
                Some(("id", text)) => text.clone_into(&mut id),
                Some(("event", text)) => is_kind = text == kind,
                Some(("data", text)) if is_kind => {
                    let data: serde_json::Value = serde_json::from_str(text).unwrap();
                    found.push((id.clone(), data["id"].as_str().unwrap_or_default().to_owned()));
                }
                _ => {}
            }
        }
        found
    }
}

fn create(crew: &Crew, at: SocketAddr, mark: u64) -> String {
    let id = uuid::Uuid::now_v7();
    let body = new_body(Kind::Campaign, id, crew, None, mark);
    crew.office.once(at, "POST", "/campaigns", &[], Some(&body)).expect(201);
    id.to_string()
}

/// Waits until all of them have heard something of this kind about this thing.
fn all_heard(lines: &mut [Line], about: &str, within: Duration) -> Duration {
    let begun = Instant::now();
    let mut waiting: Vec<&mut Line> = lines.iter_mut().collect();
    while !waiting.is_empty() {
        assert!(begun.elapsed() < within, "{} of those who listen have not heard of {about}", waiting.len());
        waiting.retain_mut(|line| !line.heard("campaign").iter().any(|(_, thing)| thing == about));
        nap(Duration::from_millis(20));
    }
    begun.elapsed()
}

#[test]
fn a_thousand_listen_at_once() {
    many_files();
    for backend in BOTH {
        let demo = Demo::start_with(backend, &["--look-away-ms", &LOOK_AWAY.as_millis().to_string()]);
        let crew = demo.crew();
        // What the demo brought is sealed before anybody listens.
        demo.store.until_sealed();
        let before = memory(demo.program.pid()).unwrap().0 / 1024;
        // An account has 128 lines at most: whoever reads the province's campaigns listens with his share.
        let crowd: Vec<Session> = demo
            .accounts
            .iter()
            .filter(|one| one.unit_code == "53")
            .map(|one| Session::with(&login(demo.at(), &one.login, &one.password)))
            .filter(|one| one.get(demo.at(), "/campaigns?limit=1").status == 200)
            .collect();
        assert!(crowd.len() >= 8, "{} accounts read the province's campaigns", crowd.len());
        let listeners = crowd.iter().cycle().take(1000);
        let mut lines: Vec<Line> = listeners.map(|one| Line::open(demo.at(), one, None)).collect();
        let begun = Instant::now();
        while !lines.iter_mut().all(|line| line.read().contains("retry: 2000")) {
            assert!(begun.elapsed() < Duration::from_mins(2), "a thousand are let in");
            nap(Duration::from_millis(50));
        }
        let mut slowest = Duration::ZERO;
        for mark in 1..=3 {
            let about = create(&crew, demo.at(), mark);
            slowest = slowest.max(all_heard(&mut lines, &about, Duration::from_mins(1)));
        }
        let grown = (memory(demo.program.pid()).unwrap().0 / 1024).saturating_sub(before);
        println!("{backend:?}: the last of 1000 heard after {slowest:?}; {grown} MB more");
        // Others are answered meanwhile, and everybody has heard each thing once.
        crew.office.get(demo.at(), "/auth/me").expect(200);
        for line in &mut lines {
            assert_eq!(line.heard("campaign").len(), 3);
        }
        assert!(grown < 200, "{grown} MB for a thousand who listen");

        // Nobody is left without a word for long: a beat comes every fifteen seconds, and is read here in some more.
        let words = |line: &mut Line| line.read().lines().filter(|text| *text == ":").count();
        let was: Vec<usize> = lines.iter_mut().map(words).collect();
        until(Duration::from_secs(25), "a beat for everybody", || {
            nap(Duration::from_millis(500));
            lines.iter_mut().zip(&was).all(|(line, was)| words(line) > *was).then_some(())
        });

        // When the server is told to end, the lines end with it: their owners go to another instance.
        let told = Instant::now();
        demo.program.terminate();
        // Whoever comes to listen now is sent to another instance at once: none is let in whom nobody tells anything.
        let mut late = Connection::open(demo.at()).unwrap();
        until(LOOK_AWAY, "whoever comes late to be refused", || {
            let request = crew.office.compose("GET", "/events", &[("Accept", "text/event-stream")], None);
            late.send(&request).unwrap();
            match late.receive() {
                Ok(reply) if reply.status == 503 => Some(()),
                _ => {
                    late = Connection::open(demo.at()).unwrap();
                    None
                }
            }
        });
        while !lines.iter_mut().all(|line| {
            line.read();
            line.ended
        }) {
            assert!(told.elapsed() < LOOK_AWAY + Duration::from_secs(20), "the lines end");
            nap(Duration::from_millis(50));
        }
        let Demo { program, .. } = demo;
        assert!(program.wait(Duration::from_mins(1)).success());
    }
}

#[test]
fn what_was_acknowledged_before_a_kill_is_told_after_it() {
    for backend in BOTH {
        let mut demo = Demo::start(backend);
        let crew = demo.crew();
        let mut line = Line::open(demo.at(), &crew.office, None);
        until(Duration::from_secs(20), "the first words", || line.read().contains("retry:").then_some(()));
        let mut made = vec![create(&crew, demo.at(), 0)];
        all_heard(std::slice::from_mut(&mut line), &made[0], Duration::from_secs(20));
        let mut heard = line.heard("campaign");
        // Acknowledged, and the program is killed before anybody can have been told.
        for mark in 1..=20 {
            made.push(create(&crew, demo.at(), mark));
        }
        demo.program.kill();
        until(Duration::from_secs(20), "the line to end", || {
            line.read();
            line.ended.then_some(())
        });
        heard.extend(line.heard("campaign").split_off(heard.len()));
        demo.program = demo.store.start(&["serve"]);
        let crew = demo.crew();
        let last = heard.last().unwrap().0.clone();
        let mut line = Line::open(demo.at(), &crew.office, Some(&last));
        let end = made.last().unwrap().clone();
        if heard.last().unwrap().1 != end {
            all_heard(std::slice::from_mut(&mut line), &end, Duration::from_secs(30));
        }
        heard.extend(line.heard("campaign"));
        let things: Vec<&String> = heard.iter().map(|(_, thing)| thing).collect();
        assert_eq!(things, made.iter().collect::<Vec<_>>(), "each once, in the order they were made");
    }
}
