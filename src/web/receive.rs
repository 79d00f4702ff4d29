//! The bytes of a request's body: of which kind, how many, how long they may take to arrive.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, web};
use aws_lc_rs::digest::{Context as Digest, SHA256};
use futures_util::StreamExt;
use tokio::time::Instant;

use super::form::Filled;
use super::headers::text_header;
use super::input::Body;
use crate::access::policy::Action;
use crate::access::{Gate, JobId, PIECE};
use crate::audit::hex;
use crate::errors::{AppError, Code, Result, text};

/// Memory that is set aside on the mere word of `Content-Length`.
const SET_ASIDE: usize = 1024 * 1024;

/// How long a body that is kept in pieces may stand still.
const SILENCE: Duration = Duration::from_secs(30);

/// How much of a body is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Bytes at most.
    pub bytes: usize,
    /// How long it may take to arrive.
    pub arrival: Duration,
    /// How long the request may take in all.
    pub whole: Duration,
}

impl Allowance {
    /// What people type.
    pub const JSON: Self =
        Self { bytes: 1024 * 1024, arrival: Duration::from_secs(15), whole: Duration::from_secs(30) };
    /// What a phone has gathered, over a line that is hardly there.
    pub const BATCH: Self =
        Self { bytes: 1024 * 1024, arrival: Duration::from_mins(5), whole: Duration::from_mins(6) };
    /// What they have in files, which are kept piece by piece as they arrive: what follows is soon done.
    pub const FILE: Self =
        Self { bytes: 512 * 1024 * 1024, arrival: Duration::from_mins(30), whole: Duration::from_mins(31) };
    /// A picture of 20 MiB, and what is said of it.
    pub const FORM: Self = Self {
        bytes: 20 * 1024 * 1024 + 512 * 1024,
        arrival: Duration::from_mins(10),
        whole: Duration::from_mins(12),
    };
}

/// A body as it came.
#[derive(Debug, Default)]
pub struct Sent {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Which of the media types that are read it is; nothing when nothing was sent.
    pub media: &'static str,
    /// The encoding that was named with it, in lower case.
    pub charset: Option<String>,
    /// Where its bytes are, when they are not here.
    pub spooled: Option<Spooled>,
    /// What it says, when it is a form.
    pub form: Option<Filled>,
    /// What is still to come of it, when its handler receives it.
    pub incoming: Option<Incoming>,
    /// What the headers say that are read with it.
    pub headers: Vec<(&'static str, String)>,
}

impl Sent {
    /// What two requests that say the same have in common.
    pub(super) fn gist(&self) -> Cow<'_, [u8]> {
        if let Some(form) = &self.form {
            return Cow::Owned(form.gist());
        }
        if let Some(spooled) = &self.spooled {
            return Cow::Borrowed(spooled.sha256.as_bytes());
        }
        if self.headers.is_empty() {
            return Cow::Borrowed(&self.bytes);
        }
        let mut gist = serde_json::json!(self.headers).to_string().into_bytes();
        gist.extend_from_slice(&self.bytes);
        Cow::Owned(gist)
    }
}

/// A body that is still to be received.
pub struct Incoming {
    payload: web::Payload,
    until: Instant,
    /// Bytes that it has, as far as it was announced.
    pub announced: Option<usize>,
}

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Incoming").field("announced", &self.announced).finish_non_exhaustive()
    }
}

impl Incoming {
    /// What comes next of it; nothing behind its end.
    ///
    /// # Errors
    /// `incomplete_body` when it is broken off, stands still or takes too long.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        let broken = || AppError::new(Code::IncompleteBody);
        let patience = self.until.min(Instant::now() + SILENCE);
        match tokio::time::timeout_at(patience, self.payload.next()).await {
            Ok(Some(Ok(bytes))) => Ok(Some(bytes)),
            Ok(None) => Ok(None),
            Ok(Some(Err(_))) | Err(_) => Err(broken()),
        }
    }
}

/// A body that is kept in pieces for the job that will read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spooled {
    /// The job.
    pub job: JobId,
    /// How many bytes it has.
    pub bytes: usize,
    /// The SHA-256 of all of it, hexadecimal.
    pub sha256: String,
}

/// What the headers say the body is: which of the media types that are read, and in which encoding.
pub(super) fn named<B: Body>(request: &HttpRequest) -> Option<(&'static str, Option<String>)> {
    let given = text_header(request.headers(), header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let mut pieces = given.split(';').map(str::trim);
    let kind = pieces.next().unwrap_or_default().to_ascii_lowercase();
    let charset = pieces.find_map(|piece| {
        piece.to_ascii_lowercase().strip_prefix("charset=").map(|set| set.trim_matches('"').to_owned())
    });
    let known = charset.as_deref().is_none_or(|set| B::CHARSETS.contains(&set));
    let plain = !request.headers().contains_key(header::CONTENT_ENCODING);
    let media = B::MEDIA.iter().find(|media| **media == kind)?;
    (known && plain).then_some((*media, charset))
}

pub(super) fn announced(request: &HttpRequest) -> Option<usize> {
    text_header(request.headers(), header::CONTENT_LENGTH.as_str()).and_then(|text| text.parse().ok())
}

/// Keeps a body piece by piece as it arrives, so that however large it is, little of it is in memory. What of it was
/// kept when something goes wrong is cleared away by and by.
pub(super) async fn spool_body<B: Body, A: Action>(
    request: &HttpRequest,
    mut payload: web::Payload,
    gate: &Gate<A>,
) -> Result<Sent> {
    let Some((media, charset)) = named::<B>(request) else { return Err(wrong_media::<B>()) };
    let most = B::most(media);
    if announced(request).is_some_and(|length| length > most) {
        return Err(too_large(most));
    }
    let (job, mut place, mut bytes) = (JobId::generate(), 0, 0);
    let mut hash = Digest::new(&SHA256);
    let mut piece: Vec<u8> = Vec::with_capacity(PIECE);
    let whole = async {
        loop {
            let next = tokio::time::timeout(SILENCE, payload.next());
            let Some(chunk) = next.await.map_err(|_| AppError::new(Code::IncompleteBody))? else { break };
            let chunk = chunk.map_err(|_| AppError::new(Code::IncompleteBody))?;
            bytes += chunk.len();
            if bytes > most {
                return Err(too_large(most));
            }
            hash.update(&chunk);
            let mut rest: &[u8] = &chunk;
            while !rest.is_empty() {
                let (now, later) = rest.split_at(rest.len().min(PIECE - piece.len()));
                piece.extend_from_slice(now);
                rest = later;
                if piece.len() == PIECE {
                    gate.spool(job, place, std::mem::replace(&mut piece, Vec::with_capacity(PIECE))).await?;
                    place += 1;
                }
            }
        }
        if piece.is_empty() { Ok(()) } else { gate.spool(job, place, piece).await }
    };
    tokio::time::timeout(B::ALLOWANCE.arrival, whole)
        .await
        .map_err(|_| AppError::new(Code::IncompleteBody))??;
    let sha256 = hex(hash.finish().as_ref());
    Ok(Sent { media, charset, spooled: Some(Spooled { job, bytes, sha256 }), ..Sent::default() })
}

pub(super) async fn read_body<B: Body>(request: &HttpRequest, mut payload: web::Payload) -> Result<Sent> {
    let Allowance { bytes: most, arrival, .. } = B::ALLOWANCE;
    let announced = announced(request);
    if announced.is_some_and(|length| length > most) {
        return Err(too_large(most));
    }
    let mut bytes = Vec::with_capacity(announced.unwrap_or(0).min(SET_ASIDE));
    let whole = async {
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| AppError::new(Code::IncompleteBody))?;
            if bytes.len() + chunk.len() > most {
                return Err(too_large(most));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(())
    };
    tokio::time::timeout(arrival, whole).await.map_err(|_| AppError::new(Code::IncompleteBody))??;
    if bytes.is_empty() {
        return Ok(Sent::default());
    }
    match named::<B>(request) {
        Some((media, charset)) => Ok(Sent { bytes, media, charset, ..Sent::default() }),
        None => Err(wrong_media::<B>()),
    }
}

/// Leaves a body to its handler, once its kind and its size are known to be right.
pub(super) fn leave_body<B: Body>(request: &HttpRequest, payload: web::Payload) -> Result<Sent> {
    let Some((media, charset)) = named::<B>(request) else { return Err(wrong_media::<B>()) };
    let (most, announced) = (B::most(media), announced(request));
    if announced.is_some_and(|length| length > most) {
        return Err(too_large(most));
    }
    let incoming = Incoming { payload, until: Instant::now() + B::ALLOWANCE.arrival, announced };
    Ok(Sent { media, charset, incoming: Some(incoming), ..Sent::default() })
}

/// 415, naming what is read.
pub(super) fn wrong_media<B: Body>() -> AppError {
    let (wanted, charsets) = (B::MEDIA.join(", "), B::CHARSETS.join(", ").to_uppercase());
    let detail =
        text!("请以 {wanted} ({charsets}, 不压缩) 发送", "Send {wanted} in {charsets}, not compressed");
    AppError::because(Code::UnsupportedMediaType, detail)
}

pub(super) fn too_large(most: usize) -> AppError {
    let most = most / 1024;
    let detail = text!("请求体至多 {most} KiB", "The body may have at most {most} KiB");
    AppError::because(Code::BodyTooLarge, detail)
}
