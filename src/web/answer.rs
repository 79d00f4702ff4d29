//! Answers: made inside the transaction, so that what is remembered for a retry is what was said.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use serde::Serialize;
use utoipa::ToSchema;

use super::content::Content;
use super::live::Stream;
use super::openapi::Example;
use crate::audit::hex;
use crate::errors::{AppError, Result};
use crate::papers::Paper;

/// A successful answer, ready for the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// 200, 201, 202 or 204.
    pub status: u16,
    /// `"v<version>.<hash of the body>"`.
    pub etag: Option<String>,
    /// Where the new resource is.
    pub location: Option<String>,
    /// The query of the next page, for the `Link` header.
    pub next_link: Option<String>,
    /// JSON; empty for 204 and for a paper.
    pub body: String,
    /// What is to be printed instead.
    pub paper: Option<Box<Paper>>,
    /// What is sent bit by bit instead.
    pub stream: Option<Stream>,
    /// The file that is given instead.
    pub content: Option<Box<Content>>,
}

impl Answer {
    /// An answer with this body, and nothing else but a status.
    #[must_use]
    pub fn of(status: u16, body: String) -> Self {
        Self {
            status,
            etag: None,
            location: None,
            next_link: None,
            body,
            paper: None,
            stream: None,
            content: None,
        }
    }
}

/// Something with a version that counts up with each change.
pub trait Versioned {
    /// The version, from 1.
    fn version(&self) -> i64;
}

/// What an answer can be given as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Given {
    /// JSON alone.
    Json,
    /// One page of a list as JSON, or the whole list as a file.
    Pages,
    /// A paper, printed, and no JSON.
    Paper,
    /// Events, for as long as the client listens, and no JSON.
    Events,
    /// A file as it is kept, and no JSON.
    Content,
}

/// What an endpoint may answer with.
pub trait IntoAnswer {
    /// The status of success.
    const STATUS: u16;
    /// Whether the answer bears an `ETag`.
    const ETAG: bool;
    /// Whether the answer bears a `Location`.
    const LOCATION: bool;
    /// What the answer can be given as.
    const GIVEN: Given = Given::Json;
    /// How long making it may take, where that is longer than what the request's body allows.
    const PATIENCE: Duration = Duration::ZERO;
    /// Whether the answer may be kept for a retry with the same `Idempotency-Key`.
    const KEPT: bool = true;
    /// Whether it may be given in a coding (gzip). Not where it holds a secret, of which the length of what is
    /// packed would tell; not where parts of it are asked for, which are parts of its bytes.
    const CODED: bool = true;
    /// The headers in which it tells what only such an answer has to tell.
    const HEADERS: &'static [&'static str] = &[];
    /// Adds the body's schema, with all it refers to, and gives its name; `None` without a body.
    fn schema(schemas: &mut super::schemas::Collector) -> Option<String>;
    /// An example of the body.
    fn example() -> Option<serde_json::Value>;
    /// The media types of the files that are given.
    #[must_use]
    fn media() -> &'static [&'static str] {
        &[]
    }
    /// What [`IntoAnswer::HEADERS`] say, made of the answer's body.
    #[must_use]
    fn headers(body: &str) -> Vec<(&'static str, String)> {
        let _ = body;
        Vec::new()
    }
    /// Makes the answer.
    ///
    /// # Errors
    /// Never for plain data.
    fn into_answer(self) -> Result<Answer>;
}

pub(super) fn json(value: &impl Serialize) -> Result<String> {
    serde_json::to_string(value).map_err(AppError::internal)
}

fn etag(version: i64, body: &str) -> String {
    let hash = digest(&SHA256, body.as_bytes());
    format!("\"v{version}.{}\"", hex(hash.as_ref().get(..8).unwrap_or_default()))
}

/// An answer that shows a resource in its version, and says where it is.
fn shown<V: Serialize + Versioned>(status: u16, view: &V, location: Option<String>) -> Result<Answer> {
    let body = json(view)?;
    Ok(Answer { etag: Some(etag(view.version(), &body)), location, ..Answer::of(status, body) })
}

/// One resource, 200 with an `ETag`.
#[derive(Debug)]
pub struct Resource<V>(pub V);

impl<V: Serialize + ToSchema + Versioned + Example> IntoAnswer for Resource<V> {
    const STATUS: u16 = 200;
    const ETAG: bool = true;
    const LOCATION: bool = false;

    fn schema(schemas: &mut super::schemas::Collector) -> Option<String> {
        Some(schemas.answer::<V>())
    }
    fn example() -> Option<serde_json::Value> {
        Some(V::example())
    }
    fn into_answer(self) -> Result<Answer> {
        shown(200, &self.0, None)
    }
}

/// A new resource: 201 with `Location` and `ETag`; 200 when the client's own id was here already
/// with the same content.
#[derive(Debug)]
pub struct Created<V> {
    /// The resource.
    pub view: V,
    /// Its address below the server's base path.
    pub location: String,
    /// Whether it was here before.
    pub existed: bool,
}

impl<V: Serialize + ToSchema + Versioned + Example> IntoAnswer for Created<V> {
    const STATUS: u16 = 201;
    const ETAG: bool = true;
    const LOCATION: bool = true;

    fn schema(schemas: &mut super::schemas::Collector) -> Option<String> {
        Some(schemas.answer::<V>())
    }
    fn example() -> Option<serde_json::Value> {
        Some(V::example())
    }
    fn into_answer(self) -> Result<Answer> {
        shown(if self.existed { 200 } else { 201 }, &self.view, Some(self.location))
    }
}

/// Work that has been taken on and goes on after the answer: 202 with `Location` and `ETag` of its job.
#[derive(Debug)]
pub struct Accepted<V> {
    /// The job.
    pub view: V,
    /// Its address below the server's base path.
    pub location: String,
}

impl<V: Serialize + ToSchema + Versioned + Example> IntoAnswer for Accepted<V> {
    const STATUS: u16 = 202;
    const ETAG: bool = true;
    const LOCATION: bool = true;

    fn schema(schemas: &mut super::schemas::Collector) -> Option<String> {
        Some(schemas.answer::<V>())
    }
    fn example() -> Option<serde_json::Value> {
        Some(V::example())
    }
    fn into_answer(self) -> Result<Answer> {
        shown(202, &self.view, Some(self.location))
    }
}

/// A plain answer without a version: dictionaries, figures.
#[derive(Debug)]
pub struct Plain<V>(pub V);

impl<V: Serialize + ToSchema + Example> IntoAnswer for Plain<V> {
    const STATUS: u16 = 200;
    const ETAG: bool = false;
    const LOCATION: bool = false;

    fn schema(schemas: &mut super::schemas::Collector) -> Option<String> {
        Some(schemas.answer::<V>())
    }
    fn example() -> Option<serde_json::Value> {
        Some(V::example())
    }
    fn into_answer(self) -> Result<Answer> {
        Ok(Answer::of(200, json(&self.0)?))
    }
}

/// A plain answer about so much that going through it takes minutes, in short looks one after the other.
#[derive(Debug)]
pub struct Thorough<V>(pub V);

impl<V: Serialize + ToSchema + Example> IntoAnswer for Thorough<V> {
    const STATUS: u16 = Plain::<V>::STATUS;
    const ETAG: bool = Plain::<V>::ETAG;
    const LOCATION: bool = Plain::<V>::LOCATION;
    /// For some tens of millions of rows.
    const PATIENCE: Duration = Duration::from_mins(15);

    fn schema(schemas: &mut super::schemas::Collector) -> Option<String> {
        Plain::<V>::schema(schemas)
    }
    fn example() -> Option<serde_json::Value> {
        Plain::<V>::example()
    }
    fn into_answer(self) -> Result<Answer> {
        Plain(self.0).into_answer()
    }
}

/// A plain answer that may have been made for an earlier request ([`crate::access::About`]).
#[derive(Debug)]
pub struct Remembered<V> {
    body: std::sync::Arc<str>,
    view: std::marker::PhantomData<fn() -> V>,
}

impl<V> Remembered<V> {
    /// The answer as JSON.
    #[must_use]
    pub fn of(body: std::sync::Arc<str>) -> Self {
        Self { body, view: std::marker::PhantomData }
    }
}

impl<V: Serialize + ToSchema + Example> IntoAnswer for Remembered<V> {
    const STATUS: u16 = 200;
    const ETAG: bool = false;
    const LOCATION: bool = false;
    const KEPT: bool = false;

    fn schema(schemas: &mut super::schemas::Collector) -> Option<String> {
        Plain::<V>::schema(schemas)
    }
    fn example() -> Option<serde_json::Value> {
        Plain::<V>::example()
    }
    fn into_answer(self) -> Result<Answer> {
        let body = self.body.as_ref().to_owned();
        Ok(Answer::of(200, body))
    }
}

/// An answer that holds what nobody else may keep, tokens among it: it is made anew for each request, retries
/// too, and given as it is.
#[derive(Debug)]
pub struct Unkept<V>(pub V);

impl<V: Serialize + ToSchema + Example> IntoAnswer for Unkept<V> {
    const STATUS: u16 = 200;
    const ETAG: bool = false;
    const LOCATION: bool = false;
    const KEPT: bool = false;
    const CODED: bool = false;

    fn schema(schemas: &mut super::schemas::Collector) -> Option<String> {
        Some(schemas.answer::<V>())
    }
    fn example() -> Option<serde_json::Value> {
        Some(V::example())
    }
    fn into_answer(self) -> Result<Answer> {
        Ok(Answer::of(200, json(&self.0)?))
    }
}

/// Done, and nothing to say: 204.
#[derive(Debug)]
pub struct NoContent;

impl IntoAnswer for NoContent {
    const STATUS: u16 = 204;
    const ETAG: bool = false;
    const LOCATION: bool = false;

    fn schema(_: &mut super::schemas::Collector) -> Option<String> {
        None
    }
    fn example() -> Option<serde_json::Value> {
        None
    }
    fn into_answer(self) -> Result<Answer> {
        Ok(Answer::of(204, String::new()))
    }
}

/// One page of a list.
#[derive(Debug, Serialize)]
pub struct Page<V> {
    /// The rows of this page.
    pub items: Vec<V>,
    /// Where the next page begins; null on the last.
    pub next_cursor: Option<String>,
    /// How many rows there are in all; only with `count=exact`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
}

impl<V> Page<V> {
    /// The same page with each row converted.
    pub fn map<W>(self, convert: impl FnMut(V) -> W) -> Page<W> {
        Page {
            items: self.items.into_iter().map(convert).collect(),
            next_cursor: self.next_cursor,
            total: self.total,
        }
    }
}

impl<V: Serialize + ToSchema + Example> IntoAnswer for Page<V> {
    const STATUS: u16 = 200;
    const ETAG: bool = false;
    const LOCATION: bool = false;
    const GIVEN: Given = Given::Pages;

    fn schema(schemas: &mut super::schemas::Collector) -> Option<String> {
        Some(schemas.page::<V>())
    }
    fn example() -> Option<serde_json::Value> {
        Some(serde_json::json!({ "items": [V::example()], "next_cursor": null }))
    }
    fn into_answer(self) -> Result<Answer> {
        let next_link = self.next_cursor.clone();
        Ok(Answer { next_link, ..Answer::of(200, json(&self)?) })
    }
}
