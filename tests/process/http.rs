//! A client that knows when an answer has been received in full, and nothing else.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// An answer, received in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Names in lower case, in the order received.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Reply {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(have, _)| have == name).map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error} in the body of {}: {}", self.status, self.text()))
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The `code` of a refusal; empty for anything else.
    pub fn code(&self) -> String {
        let value: Option<Value> = serde_json::from_slice(&self.body).ok();
        value.and_then(|value| Some(value.get("code")?.as_str()?.to_owned())).unwrap_or_default()
    }

    /// Fails unless it has this status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// The entity tag.
    #[track_caller]
    pub fn etag(&self) -> String {
        self.header("etag").unwrap_or_else(|| panic!("no ETag: {}", self.text())).to_owned()
    }
}

/// A connection that is kept alive.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Connects; every wait on it is bounded.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        Self::open_with(address, Duration::from_secs(45))
    }

    /// Connects with this bound on every wait.
    pub fn open_with(address: SocketAddr, wait: Duration) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(5))?;
        stream.set_read_timeout(Some(wait))?;
        stream.set_write_timeout(Some(wait))?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::with_capacity(16 * 1024, stream) })
    }

    /// Sends a request and receives its answer in full.
    pub fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&str>,
    ) -> io::Result<Reply> {
        self.send(&compose(method, path, headers, body))?;
        self.receive()
    }

    /// Sends these bytes.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Receives one answer in full.
    pub fn receive(&mut self) -> io::Result<Reply> {
        let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let status =
            line.split(' ').nth(1).and_then(|text| text.parse().ok()).ok_or_else(|| bad("status line"))?;
        let mut headers = Vec::new();
        let mut length = 0;
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let text = line.trim_end_matches(['\r', '\n']);
            if text.is_empty() {
                break;
            }
            let (name, value) = text.split_once(':').ok_or_else(|| bad("header"))?;
            let (name, value) = (name.to_ascii_lowercase(), value.trim().to_owned());
            if name == "content-length" {
                length = value.parse().map_err(|_| bad("content-length"))?;
            }
            if name == "transfer-encoding" {
                return Err(bad("an answer in chunks, which this client does not read"));
            }
            headers.push((name, value));
        }
        let mut body = vec![0; length];
        if !matches!(status, 204 | 304) {
            self.stream.read_exact(&mut body)?;
        }
        Ok(Reply { status, headers, body })
    }

    /// Receives one answer in full and keeps nothing of it but its status: for those who ask often.
    pub fn skim(&mut self) -> io::Result<u16> {
        let (status, head, length) = loop {
            let have = self.stream.buffer();
            if let Some(end) = have.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = &have[..end];
                let status =
                    head.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
                let length = head
                    .windows(16)
                    .position(|name| name.eq_ignore_ascii_case(b"content-length: "))
                    .map(|at| &head[at + 16..])
                    .and_then(|rest| {
                        std::str::from_utf8(rest.split(|byte| *byte == b'\r').next()?).ok()?.parse().ok()
                    });
                break (status.unwrap_or(0), end + 4, length.unwrap_or(0_usize));
            }
            // The head is small and comes at once; the buffer is empty only before it.
            assert!(have.is_empty(), "an answer's head came in pieces");
            if self.stream.fill_buf()?.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        };
        let mut left = head + length;
        while left > 0 {
            let have = self.stream.fill_buf()?.len().min(left);
            if have == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.stream.consume(have);
            left -= have;
        }
        Ok(status)
    }

    /// The socket.
    pub fn socket(&self) -> &TcpStream {
        self.stream.get_ref()
    }
}

/// The bytes of a request.
pub(super) fn compose(method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: pingyi.test\r\n");
    for (name, value) in headers {
        text.extend([*name, ": ", *value, "\r\n"]);
    }
    if let Some(body) = body {
        let length = body.len().to_string();
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            text.push_str("Content-Type: application/json\r\n");
        }
        text.extend(["Content-Length: ", &length, "\r\n"]);
    }
    text.push_str("\r\n");
    text.push_str(body.unwrap_or_default());
    text.into_bytes()
}
