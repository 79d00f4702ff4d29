//! The bytes of a request's body: of which kind, how many, how long they may take to arrive.

use std::time::Duration;

use actix_web::http::header;
use actix_web::{HttpRequest, web};
use futures_util::StreamExt;

use super::input::Body;
use super::serve::text_header;
use crate::errors::{AppError, Code, Result, text};

/// Memory that is set aside on the mere word of `Content-Length`.
const SET_ASIDE: usize = 1024 * 1024;

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
    /// What they have in files.
    pub const FILE: Self =
        Self { bytes: 20 * 1024 * 1024, arrival: Duration::from_mins(1), whole: Duration::from_mins(2) };
}

/// A body as it came.
#[derive(Debug, Clone, Default)]
pub struct Sent {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Which of the media types that are read it is; nothing when nothing was sent.
    pub media: &'static str,
    /// The encoding that was named with it, in lower case.
    pub charset: Option<String>,
}

pub(super) async fn read_body<B: Body>(request: &HttpRequest, mut payload: web::Payload) -> Result<Sent> {
    let Allowance { bytes: most, arrival, .. } = B::ALLOWANCE;
    let announced =
        text_header(request.headers(), header::CONTENT_LENGTH.as_str()).and_then(|text| text.parse().ok());
    if announced.is_some_and(|length: usize| length > most) {
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
    let given = text_header(request.headers(), header::CONTENT_TYPE.as_str()).unwrap_or_default();
    let mut pieces = given.split(';').map(str::trim);
    let kind = pieces.next().unwrap_or_default().to_ascii_lowercase();
    let charset = pieces.find_map(|piece| {
        piece.to_ascii_lowercase().strip_prefix("charset=").map(|set| set.trim_matches('"').to_owned())
    });
    let known = charset.as_deref().is_none_or(|set| B::CHARSETS.contains(&set));
    let plain = !request.headers().contains_key(header::CONTENT_ENCODING);
    match B::MEDIA.iter().find(|media| **media == kind) {
        Some(media) if known && plain => Ok(Sent { bytes, media, charset }),
        _ => Err(wrong_media::<B>()),
    }
}

/// 415, naming what is read.
pub(super) fn wrong_media<B: Body>() -> AppError {
    let (wanted, charsets) = (B::MEDIA.join(", "), B::CHARSETS.join(", ").to_uppercase());
    let detail =
        text!("请以 {wanted} ({charsets}, 不压缩) 发送", "Send {wanted} in {charsets}, not compressed");
    AppError::because(Code::UnsupportedMediaType, detail)
}

fn too_large(most: usize) -> AppError {
    let most = most / 1024;
    let detail = text!("请求体至多 {most} KiB", "The body may have at most {most} KiB");
    AppError::because(Code::BodyTooLarge, detail)
}
