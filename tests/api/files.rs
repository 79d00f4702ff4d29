//! The store of files in a bucket: a small server on this machine that speaks as much of S3 as is needed, and wants every request
//! signed.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use actix_web::web::Bytes;
use futures_util::StreamExt;
use pingyi::errors::Code;
use pingyi::files::{Bucket, Files};

type Kept = Arc<Mutex<HashMap<String, Vec<u8>>>>;

/// A bucket that forgets everything with the test.
fn bucket() -> (SocketAddr, Kept) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, kept) = (listener.local_addr().unwrap(), Kept::default());
    let shared = Arc::clone(&kept);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            answer(stream, &shared);
        }
    });
    (address, kept)
}

fn answer(mut stream: TcpStream, kept: &Kept) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or_default() == 0 {
            return;
        }
        if line == "\r\n" {
            break;
        }
        lines.push(line.trim().to_owned());
    }
    let header = |name: &str| {
        lines.iter().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        })
    };
    let mut body = vec![0; header("content-length").map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).unwrap();
    let mut first = lines[0].split(' ');
    let (method, path) = (first.next().unwrap(), first.next().unwrap().to_owned());
    let is_signed =
        header("authorization").is_some_and(|value| value.starts_with("AWS4-HMAC-SHA256 Credential=key-id/"));
    let mut kept = kept.lock().unwrap();
    let (status, more, body) = match (method, is_signed) {
        (_, false) => ("403 Forbidden", String::new(), Vec::new()),
        ("PUT", _) => {
            kept.insert(path, body);
            ("200 OK", String::new(), Vec::new())
        }
        ("DELETE", _) => {
            kept.remove(&path);
            ("204 No Content", String::new(), Vec::new())
        }
        ("HEAD", _) => {
            let status = if kept.contains_key(&path) { "200 OK" } else { "404 Not Found" };
            (status, String::new(), kept.get(&path).cloned().unwrap_or_default())
        }
        _ => match kept.get(&path) {
            None => ("404 Not Found", String::new(), Vec::new()),
            Some(bytes) => {
                let range = header("range").unwrap();
                let (from, to) = range.strip_prefix("bytes=").unwrap().split_once('-').unwrap();
                let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
                (
                    "206 Partial Content",
                    format!("Content-Range: bytes {from}-{to}/{}\r\n", bytes.len()),
                    bytes[from..=to].to_vec(),
                )
            }
        },
    };
    let head = format!(
        "HTTP/1.1 {status}\r\nETag: \"1\"\r\nLast-Modified: Mon, 02 Mar 2026 00:00:00 GMT\r\n{more}Content-Length: {}\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    let body: &[u8] = if method == "HEAD" { &[] } else { &body };
    // A client that has gone is told nothing.
    let _ = stream.write_all(&[head.as_bytes(), body].concat());
}

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn files(address: SocketAddr) -> Files {
    Files::bucket(Bucket {
        name: "photos".into(),
        prefix: "pingyi".into(),
        endpoint: Some(format!("http://{address}")),
        region: "us-east-1".into(),
        access_key_id: "key-id".into(),
        secret_access_key: "secret".into(),
    })
    .unwrap()
}

#[test]
fn a_bucket_keeps_gives_and_forgets() {
    let (address, kept) = bucket();
    let files = files(address);
    block_on(async {
        files.keep("53/one/original", Bytes::from_static(b"0123456789")).await.unwrap();
        assert_eq!(kept.lock().unwrap().keys().collect::<Vec<_>>(), ["/photos/pingyi/53/one/original"]);
        let mut pieces = files.read("53/one/original", 2..6).await.unwrap();
        let mut read = Vec::new();
        while let Some(piece) = pieces.next().await {
            read.extend_from_slice(&piece.unwrap());
        }
        assert_eq!(read, b"2345");
        assert_eq!(files.length("53/one/original").await.unwrap(), Some(10));
        files.remove("53/one/original").await.unwrap();
        files.remove("53/one/original").await.unwrap();
        assert_eq!(files.length("53/one/original").await.unwrap(), None);
        assert!(kept.lock().unwrap().is_empty());
        assert_eq!(
            files.read("53/one/original", 0..1).await.err().map(|error| error.code()),
            Some(Code::Unavailable)
        );
    });
}

#[test]
fn a_bucket_that_is_away_is_told_as_that() {
    // A port that nobody listens on any more.
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let outcome = block_on(files(address).keep("53/one/original", Bytes::from_static(b"0")));
    assert_eq!(outcome.err().map(|error| error.code()), Some(Code::Unavailable));
    // Which is not that there is nothing.
    let outcome = block_on(files(address).length("53/one/original"));
    assert_eq!(outcome.err().map(|error| error.code()), Some(Code::Unavailable));
}
