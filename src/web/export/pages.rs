//! The pages of a list, one after the other, through the list's own handler.

use futures_util::future::LocalBoxFuture;
use serde::Deserialize;
use serde_json::Value;

use crate::errors::{AppError, Code, Result, text};
use crate::web::answer::Answer;
use crate::web::serve::in_time;

/// Rows read at a time: the largest page there is.
const ROWS: u32 = 200;

/// Reads the page that a query asks for, as the caller: the same handler behind the same gate.
pub(in crate::web) type ReadPage = Box<dyn Fn(String) -> LocalBoxFuture<'static, Result<Answer>>>;

enum Next {
    First,
    After(String),
    Nothing,
}

/// What of a page's body counts here.
#[derive(Deserialize)]
struct Page {
    items: Vec<Value>,
    next_cursor: Option<String>,
    total: Option<u64>,
}

/// The pages still to be read.
pub(super) struct Pages {
    read: ReadPage,
    query: String,
    counts: bool,
    next: Next,
    total: Option<u64>,
    read_so_far: u64,
    most: u64,
}

impl Pages {
    /// Of the list with these filters; `counts` says whether it can tell how many rows there are.
    pub(super) fn new(read: ReadPage, query: String, counts: bool, most: u64) -> Self {
        Self { read, query, counts, next: Next::First, total: None, read_so_far: 0, most }
    }

    /// How many rows the list had when its first page was read.
    pub(super) fn total(&self) -> Option<u64> {
        self.total
    }

    /// The rows of the next page; `None` after the last. The deadline of a request is that of each
    /// page, and whoever lost a right, the session or the account meanwhile is refused the next.
    ///
    /// # Errors
    /// What the list answers; `export_too_large`.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<Value>>> {
        let more = match &self.next {
            Next::Nothing => return Ok(None),
            Next::First if self.counts => format!("limit={ROWS}&count=exact"),
            Next::First => format!("limit={ROWS}"),
            Next::After(cursor) => format!("limit={ROWS}&cursor={cursor}"),
        };
        let query = if self.query.is_empty() { more } else { format!("{}&{more}", self.query) };
        let answer = in_time((self.read)(query)).await?;
        let page: Page = serde_json::from_str(&answer.body).map_err(AppError::internal)?;
        self.total = self.total.or(page.total);
        self.read_so_far += page.items.len() as u64;
        let rows = self.total.unwrap_or(0).max(self.read_so_far);
        if rows > self.most {
            return Err(too_large(rows, self.most));
        }
        self.next = match page.next_cursor {
            Some(cursor) if !page.items.is_empty() => Next::After(cursor),
            _ => Next::Nothing,
        };
        Ok(Some(page.items))
    }
}

fn too_large(rows: u64, most: u64) -> AppError {
    let detail = text!(
        "符合条件的有 {rows} 行, 一次至多导出 {most} 行; 请用筛选条件分批导出",
        "{rows} rows match and at most {most} are exported at once: narrow the filter"
    );
    AppError::because(Code::ExportTooLarge, detail)
}
