//! Those who listen, and what tells them: the relay and the hub, which run beside a server.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use pingyi::access::Doors;
use pingyi::audit::relay::Relay;
use pingyi::events::hub::Hub;
use serde_json::Value;
use tokio::sync::oneshot;

/// Relay and hub of one server, running until this is dropped.
pub struct Running {
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Beside the server that was put together from these doors.
    pub fn beside(doors: &Arc<Doors>) -> Self {
        let (end, ended) = oneshot::channel::<()>();
        let doors = Arc::clone(doors);
        let thread = std::thread::spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let relay = Relay::new(doors.clone(), None).expect("a relay");
                actix_web::rt::spawn(relay.run());
                actix_web::rt::spawn(Hub::new(doors).run());
                drop(ended.await);
            });
        });
        Self { end: Some(end), thread: Some(thread) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.end.take());
        drop(self.thread.take().map(JoinHandle::join));
    }
}

/// An event as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: String,
    /// Its data.
    pub data: Value,
}

impl Event {
    /// Kind and action, for short.
    pub fn short(&self) -> String {
        format!("{} {}", self.kind, self.data["action"].as_str().unwrap_or("-"))
    }

    /// The thing's id.
    pub fn about(&self) -> &str {
        self.data["id"].as_str().unwrap_or_default()
    }
}

/// Somebody who listens.
pub struct Ear {
    events: Receiver<Event>,
    stream: TcpStream,
    /// The last id received, that of a silent line too.
    pub last: Arc<std::sync::Mutex<String>>,
    /// What was told in passing, without an id.
    pub passing: Arc<std::sync::Mutex<Vec<Value>>>,
}

impl Ear {
    /// Listens with a token at a server, from behind an id if there is one.
    pub fn open(address: SocketAddr, token: &str, last: Option<&str>) -> Self {
        let mut stream = TcpStream::connect(address).expect("the server listens");
        let mut head = format!(
            "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAccept: text/event-stream\r\nAuthorization: Bearer {token}\r\n"
        );
        if let Some(last) = last {
            head.push_str("Last-Event-ID: ");
            head.push_str(last);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes()).expect("it is sent");
        let mut lines = BufReader::new(stream.try_clone().expect("the line")).lines();
        let status = lines.next().expect("a status line").expect("text");
        assert!(status.contains(" 200 "), "{status}");
        let media = lines.by_ref().map(|line| line.expect("a header")).take_while(|line| !line.is_empty());
        let heads: Vec<String> = media.collect();
        assert!(
            heads.iter().any(|line| line.eq_ignore_ascii_case("content-type: text/event-stream")),
            "{heads:?}"
        );
        let (sender, events) = channel();
        let known = Arc::new(std::sync::Mutex::new(last.unwrap_or_default().to_owned()));
        let (ready, welcomed) = channel();
        let shared = known.clone();
        let passing = Arc::new(std::sync::Mutex::new(Vec::new()));
        let passed = passing.clone();
        std::thread::spawn(move || {
            let (mut id, mut kind, mut data) = (String::new(), String::new(), String::new());
            // Sizes of chunks stand between the lines; none of them looks like a field.
            for line in lines.map_while(Result::ok) {
                match line.split_once(": ") {
                    Some(("id", text)) => text.clone_into(&mut id),
                    Some(("event", text)) => text.clone_into(&mut kind),
                    Some(("data", text)) => text.clone_into(&mut data),
                    _ if line.is_empty() && !id.is_empty() => {
                        shared.lock().expect("the id").clone_from(&id);
                        if !data.is_empty() {
                            let data = serde_json::from_str(&std::mem::take(&mut data)).expect("JSON");
                            let event =
                                Event { id: std::mem::take(&mut id), kind: std::mem::take(&mut kind), data };
                            if sender.send(event).is_err() {
                                return;
                            }
                        }
                        ready.send(()).ok();
                    }
                    _ if line.is_empty() && !data.is_empty() => {
                        let data = serde_json::from_str(&std::mem::take(&mut data)).expect("JSON");
                        passed.lock().expect("what was told in passing").push(data);
                    }
                    _ => {}
                }
            }
        });
        welcomed.recv_timeout(Duration::from_secs(20)).expect("the first line");
        Self { events, stream, last: known, passing }
    }

    /// The next event; none when it is quiet for so long or the line has ended.
    pub fn next(&self, within: Duration) -> Option<Event> {
        self.events.recv_timeout(within).ok()
    }

    /// The events until one of this kind and action.
    pub fn until(&self, short: &str) -> Vec<Event> {
        let mut heard = Vec::new();
        loop {
            match self.events.recv_timeout(Duration::from_secs(20)) {
                Ok(event) => {
                    let done = event.short() == short;
                    heard.push(event);
                    if done {
                        return heard;
                    }
                }
                Err(error) => panic!("no {short:?} ({error}); heard {heard:?}"),
            }
        }
    }

    /// Whether the line ends by itself.
    pub fn ends(&self) -> bool {
        loop {
            match self.events.recv_timeout(Duration::from_secs(20)) {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return true,
                Err(RecvTimeoutError::Timeout) => return false,
            }
        }
    }

    /// Hangs up; the last id received.
    pub fn hang_up(self) -> String {
        drop(self.stream.shutdown(std::net::Shutdown::Both));
        self.last.lock().expect("the id").clone()
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        drop(self.stream.shutdown(std::net::Shutdown::Both));
    }
}
