//! A small blocking HTTP client over a plain socket: a test may send what no library would.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

use super::{Second, World};

/// Somebody at the door.
pub struct As<'w> {
    world: &'w World,
    address: SocketAddr,
    name: String,
    token: Option<String>,
}

impl<'w> As<'w> {
    pub(super) fn new(world: &'w World, name: &str, token: Option<String>) -> Self {
        Self { world, address: world.address(), name: name.to_owned(), token }
    }

    /// The same person at another server.
    pub fn at(mut self, server: &Second) -> Self {
        self.address = server.address;
        self
    }

    /// The access token.
    pub fn token(&self) -> &str {
        self.token.as_deref().expect("somebody signed in")
    }

    /// A request to be filled in. Paths stand below the base path, but for those at the root.
    pub fn call(&self, method: &str, path: &str) -> Call<'w> {
        let mut call = Call {
            world: self.world,
            address: self.address,
            who: self.name.clone(),
            method: method.to_owned(),
            path: address(path),
            headers: Vec::new(),
            body: None,
            may_fail: false,
        };
        if let Some(token) = &self.token {
            call = call.header("Authorization", &format!("Bearer {token}"));
        }
        call
    }

    /// A request for exactly this path.
    pub fn at_root(&self, method: &str, path: &str) -> Call<'w> {
        let mut call = self.call(method, "/");
        path.clone_into(&mut call.path);
        call
    }

    /// GET.
    pub fn get(&self, path: &str) -> Reply {
        self.call("GET", path).send()
    }

    /// POST of JSON.
    pub fn post(&self, path: &str, body: &Value) -> Reply {
        self.call("POST", path).json(body).send()
    }

    /// PATCH of a merge patch, for the version in `etag`.
    pub fn patch(&self, path: &str, etag: &str, body: &Value) -> Reply {
        self.call("PATCH", path).json(body).header("If-Match", etag).send()
    }

    /// PUT of JSON, for the version in `etag`.
    pub fn put(&self, path: &str, etag: &str, body: &Value) -> Reply {
        self.call("PUT", path).json(body).header("If-Match", etag).send()
    }

    /// DELETE.
    pub fn delete(&self, path: &str) -> Reply {
        self.call("DELETE", path).send()
    }
}

fn address(path: &str) -> String {
    let bare = path.split('?').next().unwrap_or_default();
    let at_root = pingyi::web::stands_at_root(bare)
        || ["/api/", "/docs", "/problems/"].iter().any(|root| bare.starts_with(root));
    if at_root { path.to_owned() } else { format!("{}{path}", pingyi::web::BASE) }
}

/// A request.
#[derive(Clone)]
pub struct Call<'w> {
    world: &'w World,
    address: SocketAddr,
    who: String,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Option<Vec<u8>>,
    may_fail: bool,
}

impl Call<'_> {
    /// Lets the server answer 5xx: where a test takes something away from it.
    pub fn that_may_fail(mut self) -> Self {
        self.may_fail = true;
        self
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// A JSON body.
    pub fn json(self, body: &Value) -> Self {
        self.bytes("application/json", body.to_string().into_bytes())
    }

    /// Any body.
    pub fn bytes(self, media: &str, body: impl Into<Vec<u8>>) -> Self {
        let mut call = self.header("Content-Type", media);
        call.body = Some(body.into());
        call
    }

    /// A form of these fields, and of a file of this name; nothing of a file without one.
    pub fn form(self, fields: &[(&str, &str)], file: Option<(&str, &[u8])>) -> Self {
        const EDGE: &str = "----pingyi-edge-7f3a";
        let mut body = Vec::new();
        for (name, value) in fields {
            let part =
                format!("--{EDGE}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(part.as_bytes());
        }
        if let Some((name, bytes)) = file {
            let head = format!(
                "--{EDGE}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\n"
            );
            body.extend_from_slice(head.as_bytes());
            body.extend_from_slice(bytes);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(format!("--{EDGE}--\r\n").as_bytes());
        self.bytes(&format!("multipart/form-data; boundary={EDGE}"), body)
    }

    /// The world it is sent in.
    pub fn world(&self) -> &World {
        self.world
    }

    /// A header that it bears.
    pub fn sent_header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(have, _)| have.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// Another request of the same caller.
    pub fn again(&self, method: &str, path: &str) -> Self {
        let headers = self.headers.iter().filter(|(name, _)| name == "Authorization").cloned().collect();
        Self { method: method.to_owned(), path: address(path), headers, body: None, ..self.clone() }
    }

    /// The bytes of it.
    fn raw(&self) -> Vec<u8> {
        let body = self.body.as_deref().unwrap_or_default();
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        let mut header = |name: &str, value: &str| {
            for piece in [name, ": ", value, "\r\n"] {
                head.push_str(piece);
            }
        };
        header("Host", "localhost");
        header("Connection", "close");
        for (name, value) in &self.headers {
            header(name, value);
        }
        let tells = |wanted: &str| self.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
        let measured = tells("content-length") || tells("transfer-encoding");
        if !measured && (self.body.is_some() || self.method != "GET") {
            header("Content-Length", &body.len().to_string());
        }
        head.push_str("\r\n");
        [head.as_bytes(), body].concat()
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).expect("the server listens");
        stream.set_read_timeout(Some(Duration::from_mins(1))).expect("a time limit");
        stream
    }

    /// Sends it over a line that is cut after so many bytes, counted both ways; the answer, when it was whole by then.
    pub fn cut(&self, after: usize) -> Option<Reply> {
        let (mut stream, sent) = (self.connect(), self.raw());
        let upto = after.min(sent.len());
        let told = stream.write_all(&sent[..upto]);
        let mut bytes = vec![0; after - upto];
        let mut heard = 0;
        while told.is_ok() && heard < bytes.len() {
            match stream.read(&mut bytes[heard..]) {
                Ok(read) if read > 0 => heard += read,
                _ => break,
            }
        }
        drop(stream.shutdown(std::net::Shutdown::Both));
        let story = (format!("{} {} as {}", self.method, self.path, self.who), String::new());
        let reply = parse(&bytes[..heard], self.method == "HEAD", story)?;
        assert!(reply.status < 500 || self.may_fail, "the server failed\n{}", reply.story());
        Some(reply)
    }

    /// How many bytes it has.
    pub fn length(&self) -> usize {
        self.raw().len()
    }

    /// Sends it and reads the whole answer.
    pub fn send(&self) -> Reply {
        let told = format!("{} {} as {}", self.method, self.path, self.who);
        let mut stream = self.connect();
        let body = self.body.as_deref().unwrap_or_default();
        // A server that refuses a large body early may close while we still write.
        let sent = stream.write_all(&self.raw());
        let mut bytes = Vec::new();
        let read = read_whole(&mut stream, &mut bytes, self.method == "HEAD");
        let shown = String::from_utf8_lossy(&body[..body.len().min(2000)]).into_owned();
        let reply = parse(&bytes, self.method == "HEAD", (told.clone(), shown))
            .unwrap_or_else(|| panic!("{told}: no whole answer (sent: {sent:?}, read: {read:?})"));
        // What holds for every answer, whatever is asked: no test may make the server fail.
        assert!(reply.status < 500 || self.may_fail, "the server failed\n{}", reply.story());
        assert!(reply.header("x-request-id").is_some(), "no X-Request-Id\n{}", reply.story());
        reply
    }
}

/// Reads an answer to its end, which the server may not wait for us to see: it lingers for a second over a body that it has
/// not read. Of a line of events, which has none, reads the head alone.
fn read_whole(stream: &mut TcpStream, bytes: &mut Vec<u8>, bodiless: bool) -> std::io::Result<usize> {
    let mut piece = vec![0; 64 * 1024];
    loop {
        let read = stream.read(&mut piece)?;
        bytes.extend_from_slice(&piece[..read]);
        let Some(head) = bytes.windows(4).position(|four| four == b"\r\n\r\n") else {
            if read == 0 {
                return Ok(bytes.len());
            }
            continue;
        };
        let told = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
        if told.contains("text/event-stream") {
            bytes.truncate(head + 4);
            bytes.extend_from_slice(b"0\r\n\r\n");
            return Ok(bytes.len());
        }
        if read == 0 || ends(&told, &bytes[head + 4..], bodiless) {
            // What comes behind the end is too much, and told so by `parse`.
            stream.set_nonblocking(true)?;
            if let Ok(more) = stream.read(&mut piece) {
                bytes.extend_from_slice(&piece[..more]);
            }
            return Ok(bytes.len());
        }
    }
}

/// Whether the body is whole, as its head tells.
fn ends(head: &str, body: &[u8], bodiless: bool) -> bool {
    let status = head.split(' ').nth(1).unwrap_or_default();
    if bodiless || ["204", "304"].contains(&status) {
        return true;
    }
    if head.contains("transfer-encoding: chunked") {
        return body.ends_with(b"0\r\n\r\n") && unchunk(body).is_some();
    }
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    length.and_then(|length| length.trim().parse().ok()).is_some_and(|length: usize| body.len() >= length)
}

fn parse(bytes: &[u8], bodiless: bool, (told, sent): (String, String)) -> Option<Reply> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let find =
        |wanted: &str| headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let mut body = bytes[end + 4..].to_vec();
    if find("transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
        body = unchunk(&body)?;
    } else if let Some(length) = find("content-length")
        && !bodiless
        && body.len() != length.parse::<usize>().ok()?
    {
        return None;
    }
    Some(Reply { status, headers, body, bodiless, told, sent })
}

fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let line = rest.windows(2).position(|two| two == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..line]).ok()?.trim(), 16).ok()?;
        rest = rest.get(line + 2..)?;
        if size == 0 {
            return Some(whole);
        }
        whole.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}

/// An answer.
#[derive(Clone)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The bytes.
    pub body: Vec<u8>,
    /// Whether it answers what is never answered with a body (`HEAD`).
    pub bodiless: bool,
    told: String,
    sent: String,
}

impl Reply {
    /// What is wrong with the body that was sent, as `pointer code`.
    pub fn wrong(&self) -> Vec<String> {
        let errors = self.json()["errors"].as_array().cloned().unwrap_or_default();
        let text = |one: &Value, name: &str| one[name].as_str().unwrap_or_default().to_owned();
        errors.iter().map(|one| format!("{} {}", text(one, "pointer"), text(one, "code"))).collect()
    }

    /// The same answer with another status and body.
    pub fn turned(&self, status: u16, body: &Value) -> Self {
        Self { status, body: body.to_string().into_bytes(), ..self.clone() }
    }

    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        let name = name.to_ascii_lowercase();
        self.headers.iter().find(|(have, _)| *have == name).map(|(_, value)| value.as_str())
    }

    /// The entity tag.
    pub fn etag(&self) -> String {
        self.header("etag").unwrap_or_else(|| panic!("no ETag: {}", self.story())).to_owned()
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.story()))
    }

    /// The problem's code; empty when the answer is none.
    pub fn code(&self) -> String {
        let body: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        body["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Whether the problem has this code, as far as such an answer can tell.
    pub fn says(&self, code: &str) -> bool {
        self.bodiless || self.code() == code
    }

    /// The id of the resource answered.
    pub fn id(&self) -> String {
        self.json()["id"].as_str().unwrap_or_else(|| panic!("no id: {}", self.story())).to_owned()
    }

    /// What is allowed now, as the answer says.
    pub fn allowed(&self) -> Vec<String> {
        strings(&self.json()["allowed_actions"])
    }

    /// Pointers (or parameters) of `errors`, each with its code.
    pub fn errors(&self) -> Vec<(String, String)> {
        let body = self.json();
        let errors = body["errors"].as_array().cloned().unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        errors
            .iter()
            .map(|error| {
                let place = ["pointer", "parameter", "header"].iter().find_map(|key| error.get(key));
                (place.map(text).unwrap_or_default(), text(&error["code"]))
            })
            .collect()
    }

    /// Asks for this status and, unless empty, this code.
    #[track_caller]
    pub fn expect(self, status: u16, code: &str) -> Self {
        let as_wanted = self.status == status && (code.is_empty() || self.code() == code);
        assert!(as_wanted, "wanted {status} {code}\n{}", self.story());
        self
    }

    /// Request and answer, for a failure's message.
    pub fn story(&self) -> String {
        let text: String = self.text().chars().take(3000).collect();
        format!("    {}\n    sent {}\n    got {} {text}", self.told, self.sent, self.status)
    }
}

/// The strings of a JSON array.
pub fn strings(value: &Value) -> Vec<String> {
    let items = value.as_array().into_iter().flatten();
    items.filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}
