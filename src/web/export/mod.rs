//! Lists as files: every list is also given whole, as CSV or as XLSX, when `Accept` asks for it.
//!
//! Made once, for whatever answers in pages: the pages of an export are read one after the other
//! through the endpoint's own handler, so that filters, order and reach are those of the list; the
//! columns come from the schema of its rows. Before the first byte leaves, the audit log has its row.

mod cell;
mod csv;
mod describe;
mod outlet;
mod pages;
mod sheet;
mod titles;
mod xlsx;

use std::collections::HashMap;
use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::body::SizedStream;
use actix_web::http::header;
use chrono::NaiveDate;
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use self::pages::{Pages, ReadPage};
use self::sheet::Sheet;
use super::serve::{Context, in_time};
use crate::audit::hex;
use crate::errors::{AppError, Code, FieldError, Result, text};

pub(crate) use self::cell::is_like_a_formula;
pub(super) use self::describe::describe;
pub(super) use self::titles::entitle;
pub use self::titles::title;

/// What a list can be given as besides JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values (RFC 4180).
    Csv,
    /// A workbook for Excel and WPS (ISO/IEC 29500).
    Xlsx,
}

impl Format {
    /// Its media type.
    #[must_use]
    pub const fn media(self) -> &'static str {
        match self {
            Self::Csv => "text/csv",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        }
    }

    /// How names of such files end.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
        }
    }
}

/// How much may be exported.
#[derive(Debug, Clone, Copy)]
pub struct ExportLimits {
    /// Rows of one file. A worksheet holds 1,048,576 with its heading; of a longer CSV file a
    /// spreadsheet would show the beginning as if it were the whole.
    pub rows: u64,
    /// Exports under way at once.
    pub at_once: usize,
}

impl Default for ExportLimits {
    fn default() -> Self {
        Self { rows: 1_048_575, at_once: 4 }
    }
}

/// Seconds after which somebody who found all places taken may come again.
const BUSY_SECONDS: u32 = 10;

/// What exports share: the sheets, and how many may be under way.
pub struct Exports {
    sheets: HashMap<String, Arc<Sheet>>,
    places: Arc<Semaphore>,
    rows: u64,
}

impl Exports {
    /// From the document, which tells of every list what its rows hold.
    #[must_use]
    pub fn of(document: &Value, limits: ExportLimits) -> Self {
        let nothing = serde_json::Map::new();
        let schemas = document.pointer("/components/schemas").and_then(Value::as_object).unwrap_or(&nothing);
        let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
        let operations = paths.filter_map(|(_, item)| item.get("get"));
        let sheets = operations.filter_map(|operation| {
            let id = operation.get("operationId")?.as_str()?.to_owned();
            Some((id, Arc::new(Sheet::of(operation, schemas)?)))
        });
        Self { sheets: sheets.collect(), places: Arc::new(Semaphore::new(limits.at_once)), rows: limits.rows }
    }

    fn sheet(&self, operation: &str) -> Result<Arc<Sheet>> {
        let missing = || AppError::internal(format!("{operation} is no list of the document"));
        self.sheets.get(operation).cloned().ok_or_else(missing)
    }

    /// One of the places of those that may be under way at once.
    ///
    /// # Errors
    /// `exports_busy`.
    pub(super) fn place(&self) -> Result<OwnedSemaphorePermit> {
        let busy = |_| AppError::new(Code::ExportsBusy).retry_after(BUSY_SECONDS);
        self.places.clone().try_acquire_owned().map_err(busy)
    }
}

/// Accounts for the export in the audit log, as the caller: which list, and its facts.
pub(super) type Account = Box<dyn FnOnce(String, Value) -> LocalBoxFuture<'static, Result<()>>>;

/// A list asked for as a file.
pub(super) struct Asked {
    pub format: Format,
    /// The operation's id.
    pub operation: &'static str,
    pub path: String,
    pub query: String,
    pub request_id: String,
    pub read: ReadPage,
    pub account: Account,
}

/// Parameters that pick one page of a list.
const OF_PAGES: &[&str] = &["limit", "cursor", "count"];

/// Refuses what picks a page: a file of one page would look like the whole list, and the whole list
/// is not what `limit=50` asked for.
///
/// # Errors
/// `invalid_query` naming each.
pub(super) fn check_query(query: &str) -> Result<()> {
    let mut errors = Vec::new();
    for (name, _) in form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| OF_PAGES.contains(&&**name))
    {
        let detail =
            text!("导出含符合条件的全部行, 请去掉 {name}", "An export holds every row: leave {name} out");
        errors.push(FieldError::query(name, Code::NotInExport, detail));
    }
    errors.dedup();
    if errors.is_empty() { Ok(()) } else { Err(AppError::fields(Code::InvalidQuery, errors)) }
}

/// Gives the file. What can be refused is refused before the first byte; whatever fails after it
/// ends the connection, so that no piece looks like a whole.
///
/// # Errors
/// What the list itself answers; `export_too_large`, `exports_busy`; what keeps the audit log from
/// taking its row.
pub(super) async fn give(asked: Asked, context: &Context) -> Result<HttpResponse> {
    let Asked { format, operation, path, query, request_id, read, account } = asked;
    let sheet = context.exports.sheet(operation)?;
    // Told here, for the filter may name a person: the log keeps a keyed digest of it.
    let sealed = hex(&context.doors.keys().seal("export", &[query.as_bytes()]));
    let mut pages = Pages::new(read, query, sheet.counts, context.exports.rows);
    let first = pages.next().await?.unwrap_or_default();
    let place = context.exports.place()?;
    let facts = json!({ "path": path, "query": sealed, "format": format.ending(), "rows": pages.total() });
    in_time(account(path, facts)).await?;

    let day = context.doors.now().shanghai_day();
    let named = file_name("attachment", &sheet.title, &sheet.stem, day, format.ending());
    let mut builder = HttpResponse::Ok();
    builder.insert_header((header::CONTENT_DISPOSITION, named));
    // A file with people in it stays in no cache.
    builder.insert_header((header::CACHE_CONTROL, "private, no-store"));
    Ok(match format {
        Format::Csv => {
            builder.content_type("text/csv; charset=utf-8");
            builder.streaming(outlet::csv(sheet, first, pages, place, request_id))
        }
        Format::Xlsx => {
            let built = outlet::build(sheet, first, &mut pages, place).await?;
            builder.content_type(format.media());
            let length = built.length;
            builder.body(SizedStream::new(length, outlet::file(built, request_id)))
        }
    })
}

/// The file's name: Chinese for those who can read the extended form (RFC 6266, RFC 8187), and one
/// of letters for the others.
pub(super) fn file_name(how: &str, title: &str, plain: &str, day: NaiveDate, ending: &str) -> String {
    use std::fmt::Write;
    let mut name = String::new();
    for byte in title.bytes() {
        if byte.is_ascii_alphanumeric() {
            name.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(name, "%{byte:02X}");
        }
    }
    format!("{how}; filename=\"{plain}-{day}.{ending}\"; filename*=UTF-8''{name}-{day}.{ending}")
}
