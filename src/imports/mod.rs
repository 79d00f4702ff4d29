//! Tables that arrive as files: CSV, XLSX or NDJSON, as jobs.
//!
//! What is imported says what its rows are by [`ImportRow`]; everything else (media types, encodings, headings, limits,
//! the list of errors, the trial, how far it is) is the same for all and stands here. An endpoint takes an [`Upload`] of
//! the row and takes it on; an [`Importer`] of the row does it.
//!
//! A file is kept piece by piece as it arrives. `encoding`, `delimited`, `workbook` make cells of bytes, `columns` and
//! `feed` make rows of cells, each checked against the row's schema in the document and by itself, and `work` compares
//! them with what is there, a few hundred at a time:
//!
//! - rows that stand for themselves ([`Way::InBatches`]) are entered as they are read, unseen, in transactions of a few
//!   milliseconds. At the end they are put in force all at once; what changes something that is there already follows in
//!   that same step, or in the steps before it when there is much of it. A trial does the same and takes it back.
//! - rows that stand for themselves too but are not easily taken back ([`Way::AtTheEnd`]), for much refers to what they
//!   make, are checked as they are read; once all of them are good they are entered, unseen, in such transactions, and put in
//!   force all at once.
//! - rows that refer to each other ([`Way::Altogether`]) are kept until all of them are there and compared as a whole, for
//!   which their number is bounded; then they are entered, unseen, in such transactions, each after what it refers to, and
//!   put in force all at once.

mod archive;
mod arrange;
mod cells;
mod columns;
mod delimited;
mod encoding;
mod feed;
mod pace;
mod refusals;
mod report;
mod steps;
mod upload;
mod work;
mod workbook;

use chrono::NaiveDate;
use serde::Serialize;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use validator::Validate;

use crate::access::policy::{Action, Background};
use crate::access::{JobId, Tx};
use crate::db::Entry;
use crate::errors::{AppError, Result};
use crate::jobs::rules::JobKind;
use crate::web::Example;

pub use refusals::Refusals;
pub use report::{BatchQuery, ImportQuery, Manner, TableFormat, TextEncoding};
pub use upload::Upload;
pub use work::Importer;

/// How the rows of a table are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// They refer to each other: compared all at once, then entered a few at a time in an order of their own, unseen until
    /// all of them are there.
    Altogether,
    /// Each stands for itself: a few at a time, unseen until all of them are there.
    InBatches,
    /// Each stands for itself and is not easily taken back: checked a few at a time, and when all of them are good entered
    /// a few at a time, unseen until all of them are there.
    AtTheEnd,
}

/// The lines of rows that are to be written, by what they do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines {
    /// They enter something.
    pub new: Vec<u32>,
    /// They change something that is there.
    pub changed: Vec<u32>,
}

/// A row of a table that can be imported. Its columns are the properties of its schema, their Chinese
/// titles what the properties' descriptions begin with, as the headings of exports are.
pub trait ImportRow:
    DeserializeOwned + Serialize + ToSchema + Example + Validate + Clone + Send + Sync + 'static
{
    /// The right to import it.
    type Action: Action;
    /// What has been found to be done, ready to be written.
    type Changes: Send + 'static;
    /// What its jobs are called.
    const KIND: JobKind;
    /// How its rows are taken.
    const WAY: Way;
    /// Rows of data at most, the heading apart.
    const MOST: i64;
    /// What the sheet is called in a workbook of several: in English, as in the path, and in Chinese.
    const SHEET: [&'static str; 2];
    /// The column that tells rows apart.
    const KEY: &'static str;
    /// Other columns of which no two rows may have the same.
    const UNIQUE: &'static [&'static str] = &[];

    /// Columns that a file may leave out, and what they say of what is there already then stays; a blank
    /// cell takes it away. Other optional columns say nothing of what is there already.
    const OPTIONAL: &'static [&'static str] = &[];

    /// The labels that may stand in a column instead of the words of its enum.
    #[must_use]
    fn labels(column: &str) -> &'static [Entry] {
        let _ = column;
        &[]
    }

    /// Tells what is wrong with the row by itself, beyond its schema.
    fn check(line: &Line<Self>, today: NaiveDate, refusals: &mut Refusals);

    /// Compares the rows with each other and with what is there, and tells everything that is wrong.
    /// Changes nothing. Each key stands in one row; rows with errors of their own are not among them,
    /// but [`Refusals::has_key`] knows theirs where all rows are compared at once. What the job itself, `batch`, has
    /// entered so far is there.
    ///
    /// # Errors
    /// When the database fails: what is wrong with rows goes to `refusals`.
    fn plan(
        tx: &mut Tx<'_, Self::Action>,
        rows: &[Line<Self>],
        batch: JobId,
        refusals: &mut Refusals,
    ) -> Result<(Counts, Self::Changes)>;

    /// Writes it, with one audit row for each thing touched.
    ///
    /// # Errors
    /// When the database fails.
    fn write(tx: &mut Tx<'_, Self::Action>, changes: Self::Changes) -> Result<()>;

    /// The lines that have something to be written, in their order; where rows refer to each other, the new ones each
    /// after those it refers to.
    #[must_use]
    fn lines(changes: &Self::Changes) -> Lines;

    /// Enters what is new, unseen and without a row in the log; what changes something that is there is written at the end.
    /// Of rows entered at the end: with its rows in the log, which are held back.
    ///
    /// # Errors
    /// When the database fails.
    fn enter(tx: &mut Tx<'_, Self::Action>, changes: Self::Changes, batch: JobId) -> Result<()>;

    /// Of rows not entered at the end: leaves the rows of the log about what the batch has entered under these keys.
    ///
    /// # Errors
    /// When the database fails.
    fn account(tx: &mut Tx<'_, Self::Action>, batch: JobId, keys: &[&str]) -> Result<()> {
        let _ = (tx, batch, keys);
        Err(not_so_entered())
    }

    /// Of rows taken in batches: takes back what the batch has entered under these keys, as if it had never been.
    ///
    /// # Errors
    /// When the database fails.
    fn withdraw(tx: &mut Tx<'_, Background>, batch: JobId, keys: &[&str]) -> Result<()> {
        let _ = (tx, batch, keys);
        Err(not_so_entered())
    }

    /// Of rows that refer to each other: takes back some of what the batch has entered, what was entered last first; how
    /// many, so many at most.
    ///
    /// # Errors
    /// When the database fails.
    fn withdraw_last(tx: &mut Tx<'_, Background>, batch: JobId, most: i64) -> Result<usize> {
        let _ = (tx, batch, most);
        Err(not_so_entered())
    }
}

fn not_so_entered() -> AppError {
    AppError::internal("these rows are not entered that way")
}

/// A row with the number it bears in its file.
#[derive(Debug, Clone)]
pub struct Line<R> {
    /// The number: of the row in a sheet, of the line in a text.
    pub number: u32,
    /// The row.
    pub row: R,
    /// Which of [`ImportRow::OPTIONAL`] it has a cell for, though it be blank.
    pub given: Given,
}

impl<R: ImportRow> Line<R> {
    /// Whether the row has a cell, though it be blank, for one of [`ImportRow::OPTIONAL`].
    #[must_use]
    pub fn gives(&self, column: &str) -> bool {
        self.given.has::<R>(column)
    }
}

/// Which of the columns of [`ImportRow::OPTIONAL`] are there: a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given(u32);

impl Given {
    /// All of them.
    #[cfg(test)]
    pub(crate) const ALL: Self = Self(u32::MAX);

    fn of<R: ImportRow>(has: impl Fn(&str) -> bool) -> Self {
        let bits = R::OPTIONAL.iter().enumerate().filter(|(_, column)| has(column));
        Self(bits.fold(0, |bits, (at, _)| bits | 1 << at))
    }

    /// As a number, to be kept.
    fn bits(self) -> i64 {
        i64::from(self.0)
    }

    /// Of the number that was kept.
    fn kept(bits: i64) -> Self {
        Self(u32::try_from(bits).unwrap_or_default())
    }

    fn has<R: ImportRow>(self, column: &str) -> bool {
        R::OPTIONAL.iter().position(|one| *one == column).is_none_or(|at| self.0 & (1 << at) != 0)
    }
}

/// What an import does to how many rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Entered.
    pub new: usize,
    /// There already, with other content.
    pub changed: usize,
    /// There already, just so.
    pub unchanged: usize,
}
