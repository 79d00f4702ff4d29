//! How an upload stands, and the answers that tell of it.

use std::time::{Duration, UNIX_EPOCH};

use actix_web::http::header::HttpDate;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;

use crate::db::Instant;
use crate::errors::Result;
use crate::web::answer::{Answer, IntoAnswer, json};
use crate::web::openapi::Example;
use crate::web::schemas::Collector;

/// How an upload stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Bytes that are kept.
    pub offset: i64,
    /// Bytes of the whole.
    pub length: i64,
    /// Until when it can be gone on with.
    pub expires_at: Instant,
    /// The id of what it has become.
    pub became: Option<String>,
}

/// What is shown of an upload.
pub trait Stands: Serialize + DeserializeOwned + ToSchema + Example {
    /// How it stands.
    fn standing(&self) -> Standing;
}

/// Headers that tell how an upload stands.
const STANDING: &[&str] = &["Upload-Offset", "Upload-Length", "Upload-Expires", "Attachment-Id"];

/// How the upload stands that a body shows: the headers are made of the body, so that an answer that is kept for a retry has them.
fn standing<V: Stands>(body: &str) -> Vec<(&'static str, String)> {
    let Ok(view) = serde_json::from_str::<V>(body) else { return Vec::new() };
    let Standing { offset, length, expires_at, became } = view.standing();
    let expires = UNIX_EPOCH + Duration::from_secs(u64::try_from(expires_at.seconds()).unwrap_or_default());
    let mut headers = vec![
        ("Upload-Offset", offset.to_string()),
        ("Upload-Length", length.to_string()),
        ("Upload-Expires", HttpDate::from(expires).to_string()),
    ];
    headers.extend(became.map(|id| ("Attachment-Id", id)));
    headers
}

/// An upload that is begun: 201 with its `Location`; 200 when it had been begun before.
#[derive(Debug)]
pub struct Begun<V> {
    /// The upload.
    pub view: V,
    /// Its address below the server's base path.
    pub location: String,
    /// Whether it had been begun before.
    pub existed: bool,
}

impl<V: Stands> IntoAnswer for Begun<V> {
    const STATUS: u16 = 201;
    const ETAG: bool = false;
    const LOCATION: bool = true;
    const HEADERS: &'static [&'static str] = STANDING;

    fn schema(schemas: &mut Collector) -> Option<String> {
        Some(schemas.answer::<V>())
    }
    fn example() -> Option<Value> {
        Some(V::example())
    }
    fn headers(body: &str) -> Vec<(&'static str, String)> {
        standing::<V>(body)
    }
    fn into_answer(self) -> Result<Answer> {
        let status = if self.existed { 200 } else { 201 };
        Ok(Answer { location: Some(self.location), ..Answer::of(status, json(&self.view)?) })
    }
}

/// How an upload stands, in headers alone: 200 to `HEAD`.
#[derive(Debug)]
pub struct Told<V>(pub V);

impl<V: Stands> IntoAnswer for Told<V> {
    const STATUS: u16 = 200;
    const ETAG: bool = false;
    const LOCATION: bool = false;
    /// A file that was not looked at before is looked at now.
    const PATIENCE: Duration = Duration::from_mins(3);
    const KEPT: bool = false;
    const HEADERS: &'static [&'static str] = STANDING;

    fn schema(_: &mut Collector) -> Option<String> {
        None
    }
    fn example() -> Option<Value> {
        None
    }
    fn headers(body: &str) -> Vec<(&'static str, String)> {
        standing::<V>(body)
    }
    fn into_answer(self) -> Result<Answer> {
        Ok(Answer::of(200, json(&self.0)?))
    }
}

/// How an upload stands after a part of it was taken: 204.
#[derive(Debug)]
pub struct Moved<V>(pub V);

impl<V: Stands> IntoAnswer for Moved<V> {
    const STATUS: u16 = 204;
    const ETAG: bool = false;
    const LOCATION: bool = false;
    const KEPT: bool = false;
    const HEADERS: &'static [&'static str] = STANDING;

    fn schema(_: &mut Collector) -> Option<String> {
        None
    }
    fn example() -> Option<Value> {
        None
    }
    fn headers(body: &str) -> Vec<(&'static str, String)> {
        standing::<V>(body)
    }
    fn into_answer(self) -> Result<Answer> {
        Ok(Answer::of(204, json(&self.0)?))
    }
}
