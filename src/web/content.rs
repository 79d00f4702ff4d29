//! Answers that are files, as they were kept: whole, or the part that was asked for (RFC 9110 §14).

use std::marker::PhantomData;

use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    self, ContentDisposition, DispositionParam, DispositionType, ExtendedValue, Header, Range,
};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::StreamExt;
use serde_json::{Map, Value, json};

use super::answer::{Answer, Given, IntoAnswer};
use super::headers::text_header;
use super::serve::{held, refuse};
use crate::errors::{AppError, Code, Result};
use crate::files::Files;

/// A file to be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// The name under which it is kept.
    pub kept_as: String,
    /// What it is.
    pub media_type: &'static str,
    /// What it is to be called where it goes.
    pub file_name: String,
    /// Bytes.
    pub length: u64,
    /// What its bytes are known by: 16 hexadecimal digits of a hash.
    pub hash: String,
}

/// What kinds of files an endpoint gives.
pub trait Kinds: 'static {
    /// Their media types.
    const MEDIA: &'static [&'static str];
    /// Bytes at most.
    const MOST: usize;
}

/// A file of one of the kinds `K`.
#[derive(Debug)]
pub struct FileContent<K> {
    content: Content,
    kinds: PhantomData<fn() -> K>,
}

impl<K: Kinds> FileContent<K> {
    /// Gives it.
    #[must_use]
    pub fn of(content: Content) -> Self {
        Self { content, kinds: PhantomData }
    }
}

impl<K: Kinds> IntoAnswer for FileContent<K> {
    const STATUS: u16 = 200;
    const ETAG: bool = true;
    const LOCATION: bool = false;
    const GIVEN: Given = Given::Content;
    const CODED: bool = false;

    fn schema(_: &mut super::schemas::Collector) -> Option<String> {
        None
    }
    fn example() -> Option<Value> {
        None
    }
    fn media() -> &'static [&'static str] {
        K::MEDIA
    }
    fn into_answer(self) -> Result<Answer> {
        // What is kept never changes: each has one version.
        let etag = Some(format!("\"v1.{}\"", self.content.hash));
        Ok(Answer { etag, content: Some(Box::new(self.content)), ..Answer::of(200, String::new()) })
    }
}

/// What is asked of a file.
enum Part {
    Whole,
    /// From, to, both counted.
    Some(u64, u64),
    /// Nothing that there is.
    None,
}

fn part(request: &HttpRequest, etag: &str, length: u64) -> Part {
    // A part of what is another file by now is no use.
    let holds = text_header(request.headers(), header::IF_RANGE.as_str()).is_none_or(|known| known == etag);
    match Range::parse(request) {
        Ok(Range::Bytes(asked)) if holds && request.headers().contains_key(header::RANGE) => match asked
            .as_slice()
        {
            [one] => one.to_satisfiable_range(length).map_or(Part::None, |(from, to)| Part::Some(from, to)),
            // Several parts in one answer are nobody's need.
            _ => Part::Whole,
        },
        _ => Part::Whole,
    }
}

/// Gives the file.
pub(super) async fn give(request: &HttpRequest, answer: Answer, files: &Files) -> Result<HttpResponse> {
    let content = answer.content.ok_or_else(|| AppError::internal("no content to give"))?;
    let etag = answer.etag.unwrap_or_default();
    let known = text_header(request.headers(), header::IF_NONE_MATCH.as_str());
    if let Some(held) = known.and_then(|known| held(known, &etag)) {
        return Ok(HttpResponse::NotModified().insert_header((header::ETAG, held)).finish());
    }
    let length = content.length;
    let (status, from, to) = match part(request, &etag, length) {
        Part::Whole => (StatusCode::OK, 0, length.saturating_sub(1)),
        Part::Some(from, to) => (StatusCode::PARTIAL_CONTENT, from, to),
        Part::None => {
            let mut refusal = refuse(request, &AppError::new(Code::RangeNotSatisfiable));
            if let Ok(there) = header::HeaderValue::from_str(&format!("bytes */{length}")) {
                refusal.headers_mut().insert(header::CONTENT_RANGE, there);
            }
            return Ok(refusal);
        }
    };
    let stream = files.read(&content.kept_as, from..to + 1).await?;
    let mut builder = HttpResponse::build(status);
    builder.insert_header((header::ETAG, etag));
    builder.insert_header((header::ACCEPT_RANGES, "bytes"));
    if status == StatusCode::PARTIAL_CONTENT {
        builder.insert_header((header::CONTENT_RANGE, format!("bytes {from}-{to}/{length}")));
    }
    builder.insert_header(named(&content.file_name));
    // Whoever opens it in a browser all the same gets a picture that may do nothing.
    builder.insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"));
    builder.content_type(content.media_type);
    let pieces =
        stream.map(|piece| piece.inspect_err(|error| tracing::warn!(%error, "a file was broken off")));
    Ok(builder.body(SizedStream::new(to + 1 - from, pieces)))
}

fn named(name: &str) -> ContentDisposition {
    let value = ExtendedValue {
        charset: header::Charset::Ext("UTF-8".into()),
        language_tag: None,
        value: name.as_bytes().to_vec(),
    };
    ContentDisposition {
        disposition: DispositionType::Attachment,
        parameters: vec![DispositionParam::FilenameExt(value)],
    }
}

/// What the document says of an operation that gives files of these kinds.
pub(super) fn describe(operation: &mut Map<String, Value>, media: &[&str]) {
    let schema = json!({ "type": "string", "format": "binary", "maxLength": 2_147_483_647 });
    let content: Map<String, Value> = media
        .iter()
        .map(|media| ((*media).to_owned(), json!({ "schema": schema, "example": "(图片)" })))
        .collect();
    let header = |name: &str| json!({ "$ref": format!("#/components/headers/{name}") });
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    let Some(whole) = responses.get_mut("200").and_then(Value::as_object_mut) else { return };
    whole.insert("content".into(), Value::Object(content));
    let tell = |response: &mut Map<String, Value>, names: &[&str]| {
        if let Some(headers) = response.get_mut("headers").and_then(Value::as_object_mut) {
            headers.extend(names.iter().map(|name| ((*name).to_owned(), header(&name.replace('-', "")))));
        }
    };
    tell(whole, &["Content-Disposition", "Accept-Ranges"]);
    let mut partial = whole.clone();
    partial.insert("description".into(), json!("成功: 所要的一段。"));
    tell(&mut partial, &["Content-Range"]);
    responses.insert("206".into(), Value::Object(partial));
    if let Some(parameters) = operation.get_mut("parameters").and_then(Value::as_array_mut) {
        for name in ["Range", "IfRange"] {
            parameters.push(json!({ "$ref": format!("#/components/parameters/{name}") }));
        }
    }
}
