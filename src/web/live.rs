//! Answers that go on for as long as the client listens: Server-Sent Events.

use std::fmt;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Bytes;
use futures_util::stream::unfold;
use serde::Serialize;
use tokio::sync::mpsc::Receiver;
use utoipa::ToSchema;

use super::answer::{Answer, Given, IntoAnswer};
use super::openapi::Example;
use crate::errors::{AppError, Result};

/// The media type.
pub(super) const MEDIA: &str = "text/event-stream";

/// Pieces of text that come from elsewhere; whoever sends the answer takes them, once.
#[derive(Clone)]
pub struct Stream(Arc<Mutex<Option<Taken>>>);

/// Where the pieces come from, and what is held for as long as they are sent.
type Taken = (Receiver<Bytes>, Box<dyn Send>);

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream")
    }
}

impl PartialEq for Stream {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Stream {}

/// Events of which each holds a `V`.
#[derive(Debug)]
pub struct Listening<V> {
    stream: Stream,
    view: PhantomData<fn() -> V>,
}

impl<V> Listening<V> {
    /// What comes through here; `line` is dropped when the last of it is sent or the client has gone.
    #[must_use]
    pub fn begin(receiver: Receiver<Bytes>, line: impl Send + 'static) -> Self {
        Self { stream: Stream(Arc::new(Mutex::new(Some((receiver, Box::new(line)))))), view: PhantomData }
    }
}

impl<V: Serialize + ToSchema + Example> IntoAnswer for Listening<V> {
    const STATUS: u16 = 200;
    const ETAG: bool = false;
    const LOCATION: bool = false;
    const GIVEN: Given = Given::Events;
    const KEPT: bool = false;

    fn schema(schemas: &mut super::schemas::Collector) -> Option<String> {
        Some(schemas.answer::<V>())
    }
    fn example() -> Option<serde_json::Value> {
        Some(V::example())
    }
    fn into_answer(self) -> Result<Answer> {
        Ok(Answer { stream: Some(self.stream), ..Answer::of(200, String::new()) })
    }
}

/// Sends what comes until it ends.
///
/// # Errors
/// When somebody else has taken it.
pub(super) fn give(answer: Answer) -> Result<HttpResponse> {
    let taken =
        answer.stream.and_then(|stream| stream.0.lock().unwrap_or_else(PoisonError::into_inner).take());
    let taken = taken.ok_or_else(|| AppError::internal("an answer of events without a stream"))?;
    let pieces = unfold(taken, |(mut receiver, line)| async move {
        let bytes = receiver.recv().await?;
        Some((Ok::<Bytes, AppError>(bytes), (receiver, line)))
    });
    Ok(HttpResponse::Ok()
        .content_type(MEDIA)
        // nginx, else, gathers what should go out at once.
        .insert_header(("X-Accel-Buffering", "no"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .streaming(pieces))
}
