//! From rows to the client: a task makes the pieces, the connection takes them as fast as the client
//! reads. Between the two there are never more than a few, and only a whole file ends well.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Bytes;
use futures_util::stream::{Stream, try_unfold};
use serde_json::Value;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::spawn_blocking;

use super::pages::Pages;
use super::sheet::Sheet;
use super::{csv, xlsx};
use crate::errors::{AppError, Result};

/// Pieces that wait for the client at most.
const AHEAD: usize = 1;
/// How long a client may take no piece before its export is ended.
const STALL: Duration = Duration::from_mins(1);
/// Bytes of a finished file read at a time.
const CHUNK: usize = 128 * 1024;

/// What goes through between two tasks: when it stops without its end, something has failed.
pub(super) enum Piece<T> {
    /// The next one.
    Next(T),
    /// There is no more.
    End,
}

/// Ends the connection before the file is whole.
#[derive(Debug, thiserror::Error)]
#[error("the export was not finished")]
pub(super) struct Unfinished;

/// Why no more is sent.
enum Stop {
    Gone,
    Stalled,
    Failed(AppError),
}

impl From<AppError> for Stop {
    fn from(error: AppError) -> Self {
        Self::Failed(error)
    }
}

struct Outlet(Sender<Piece<Bytes>>);

impl Outlet {
    async fn send(&self, bytes: Vec<u8>) -> Result<(), Stop> {
        match tokio::time::timeout(STALL, self.0.send(Piece::Next(bytes.into()))).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Stop::Gone),
            Err(_) => Err(Stop::Stalled),
        }
    }

    /// Ends the file, or breaks it off: then the connection ends with it.
    async fn close(self, sent: Result<(), Stop>, request_id: &str) {
        match sent {
            // Nobody is left to be told when this fails.
            Ok(()) => drop(self.0.send(Piece::End).await),
            Err(Stop::Gone) => tracing::debug!(%request_id, "the client left before its export ended"),
            Err(Stop::Stalled) => tracing::info!(%request_id, "the client took no more of its export"),
            Err(Stop::Failed(error)) => {
                tracing::warn!(%request_id, %error, "an export was broken off");
            }
        }
    }
}

fn pieces(receiver: Receiver<Piece<Bytes>>) -> impl Stream<Item = Result<Bytes, Unfinished>> {
    try_unfold(receiver, |mut receiver| async move {
        match receiver.recv().await {
            Some(Piece::Next(bytes)) => Ok(Some((bytes, receiver))),
            Some(Piece::End) => Ok(None),
            None => Err(Unfinished),
        }
    })
}

/// A CSV file, a page a piece. Its place is taken until the last is out.
pub(super) fn csv(
    sheet: Arc<Sheet>,
    first: Vec<Value>,
    mut pages: Pages,
    place: OwnedSemaphorePermit,
    request_id: String,
) -> impl Stream<Item = Result<Bytes, Unfinished>> {
    let (sender, receiver) = channel(AHEAD);
    actix_web::rt::spawn(async move {
        let outlet = Outlet(sender);
        let sent = send_csv(&sheet, &first, &mut pages, &outlet).await;
        drop(place);
        outlet.close(sent, &request_id).await;
    });
    pieces(receiver)
}

async fn send_csv(sheet: &Sheet, first: &[Value], pages: &mut Pages, outlet: &Outlet) -> Result<(), Stop> {
    let mut head = csv::head(sheet)?;
    head.append(&mut csv::rows(sheet, first)?);
    outlet.send(head).await?;
    while let Some(rows) = pages.next().await? {
        outlet.send(csv::rows(sheet, &rows)?).await?;
    }
    Ok(())
}

/// A finished workbook, in a file without a name that is gone when it is closed.
pub(super) struct Built {
    pub length: u64,
    file: File,
    place: OwnedSemaphorePermit,
}

/// Builds a workbook: pages are read here and written on a thread that may block. A request that is
/// given up drops the sender, and the thread stops at the next page.
///
/// # Errors
/// What the pages answer; `unavailable` when the file cannot be written.
pub(super) async fn build(
    sheet: Arc<Sheet>,
    first: Vec<Value>,
    pages: &mut Pages,
    place: OwnedSemaphorePermit,
) -> Result<Built> {
    let (sender, receiver) = channel(AHEAD);
    let writing = spawn_blocking(move || Ok((xlsx::write(&sheet, receiver)?, place)));
    let mut next = Some(first);
    while let Some(rows) = next {
        if sender.send(Piece::Next(rows)).await.is_err() {
            break;
        }
        next = pages.next().await?;
    }
    // It has stopped by itself when nobody listens: its own error is told below.
    drop(sender.send(Piece::End).await);
    // The library does not hand every failed write on: some are panics.
    let written: Result<_> = writing.await.map_err(|error| AppError::unavailable(5, error))?;
    let ((file, length), place) = written?;
    Ok(Built { length, file, place })
}

/// The pieces of a finished file.
pub(super) fn file(built: Built, request_id: String) -> impl Stream<Item = Result<Bytes, Unfinished>> {
    let (sender, receiver) = channel(AHEAD);
    actix_web::rt::spawn(async move {
        let outlet = Outlet(sender);
        let sent = send_file(built.file, &outlet).await;
        drop(built.place);
        outlet.close(sent, &request_id).await;
    });
    pieces(receiver)
}

async fn send_file(mut file: File, outlet: &Outlet) -> Result<(), Stop> {
    loop {
        let reading = spawn_blocking(move || {
            let mut bytes = Vec::with_capacity(CHUNK);
            let read = file.by_ref().take(CHUNK as u64).read_to_end(&mut bytes);
            read.map(|_| (file, bytes))
        });
        let read = reading.await.map_err(AppError::internal)?;
        let (rest, bytes) = read.map_err(AppError::internal)?;
        if bytes.is_empty() {
            return Ok(());
        }
        file = rest;
        outlet.send(bytes).await?;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use futures_util::StreamExt;
    use serde_json::json;
    use tokio::sync::Semaphore;

    use super::super::sheet::Sheet;
    use super::*;
    use crate::errors::Code;
    use crate::web::answer::Answer;

    fn sheet() -> Arc<Sheet> {
        let page = json!({ "properties": {
            "items": { "items": { "properties": { "n": { "type": "integer", "x-title": "序号" } } } }, "next_cursor": {},
        } });
        let operation = json!({
            "operationId": "list_numbers", "summary": "数列", "parameters": [],
            "responses": { "200": { "content": { "application/json": { "schema": page } } } },
        });
        Arc::new(Sheet::of(&operation, &serde_json::Map::new()).unwrap())
    }

    /// A list of so many pages of 200 rows; one of them may not be had.
    fn pages(count: u64, broken: Option<u64>) -> (Pages, Rc<Cell<u64>>) {
        let read = Rc::new(Cell::new(0));
        let asked = read.clone();
        let reader = move |_: String| {
            let page = asked.get() + 1;
            asked.set(page);
            let more = (page < count).then(|| page.to_string());
            let items: Vec<Value> = (0..200).map(|n| json!({ "n": (page - 1) * 200 + n })).collect();
            let body = json!({ "items": items, "next_cursor": more }).to_string();
            let answer = Answer::of(200, body);
            let answer =
                if broken == Some(page) { Err(AppError::new(Code::TokenInvalid)) } else { Ok(answer) };
            Box::pin(async move { answer }) as futures_util::future::LocalBoxFuture<'static, _>
        };
        (Pages::new(Box::new(reader), String::new(), false, 1_000_000), read)
    }

    fn places() -> Arc<Semaphore> {
        Arc::new(Semaphore::new(1))
    }

    async fn settled() {
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }

    #[actix_web::test]
    async fn pages_are_read_as_the_client_takes_them() {
        let (mut pages, read) = pages(1000, None);
        let places = places();
        let place = places.clone().try_acquire_owned().unwrap();
        let first = pages.next().await.unwrap().unwrap();
        let mut stream = Box::pin(csv(sheet(), first, pages, place, String::new()));
        let mut lines = 0;
        for taken in 0..1000_u64 {
            settled().await;
            // One waits in the channel, one for its place there.
            assert!(read.get() <= taken + 1 + AHEAD as u64 + 1, "{} pages read, {taken} taken", read.get());
            let piece = stream.next().await.unwrap().unwrap();
            lines += std::str::from_utf8(&piece).unwrap().lines().count();
        }
        assert!(stream.next().await.is_none());
        assert_eq!((lines, places.available_permits()), (1 + 200_000, 1));
    }

    #[actix_web::test]
    async fn what_fails_on_the_way_does_not_end_like_a_whole_file() {
        let (mut pages, _) = pages(10, Some(4));
        let first = pages.next().await.unwrap().unwrap();
        let place = places().try_acquire_owned().unwrap();
        let pieces: Vec<_> = csv(sheet(), first, pages, place, String::new()).collect().await;
        let good: Vec<bool> = pieces.iter().map(Result::is_ok).collect();
        assert_eq!(good, [true, true, true, false]);
    }

    #[actix_web::test]
    async fn a_client_that_goes_away_frees_its_place() {
        let (mut pages, read) = pages(1000, None);
        let places = places();
        let place = places.clone().try_acquire_owned().unwrap();
        let first = pages.next().await.unwrap().unwrap();
        let mut stream = Box::pin(csv(sheet(), first, pages, place, String::new()));
        stream.next().await.unwrap().unwrap();
        drop(stream);
        settled().await;
        assert_eq!(places.available_permits(), 1);
        assert!(read.get() < 10, "{} pages read for nobody", read.get());
    }

    #[actix_web::test]
    async fn a_workbook_is_whole_before_any_of_it_is_sent() {
        let (mut good, _) = pages(20, None);
        let places = places();
        let place = places.clone().try_acquire_owned().unwrap();
        let first = good.next().await.unwrap().unwrap();
        let built = build(sheet(), first, &mut good, place).await.unwrap();
        let length = built.length;
        let pieces: Vec<_> = file(built, String::new()).collect().await;
        let sent: usize = pieces.iter().map(|piece| piece.as_ref().unwrap().len()).sum();
        assert_eq!(sent as u64, length);
        settled().await;
        assert_eq!(places.available_permits(), 1);

        let (mut bad, _) = pages(20, Some(7));
        let place = places.clone().try_acquire_owned().unwrap();
        let first = bad.next().await.unwrap().unwrap();
        let refused = build(sheet(), first, &mut bad, place).await.err().unwrap();
        assert_eq!(refused.code(), Code::TokenInvalid);
    }
}
