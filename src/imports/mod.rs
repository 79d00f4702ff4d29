//! Tables that arrive as files: CSV, XLSX or NDJSON, read, checked and written as a whole or not at
//! all.
//!
//! What is imported says what its rows are by [`ImportRow`]; everything else (media types, encodings,
//! headings, limits, the list of errors, the trial run, the report) is the same for all and stands
//! here. An endpoint takes an [`Upload`] of the row and runs it.
//!
//! A file goes through three rooms: `encoding`, `delimited`, `workbook` and `lines` make cells of bytes,
//! `columns` and `reading` make rows of cells, each checked against the row's schema in the document
//! and by itself; [`ImportRow::plan`] compares all of them with what is there, [`ImportRow::write`]
//! writes. Nothing is written while there is an error anywhere, and a trial ends before it.

mod archive;
mod cells;
mod columns;
mod delimited;
mod encoding;
mod lines;
mod reading;
mod refusals;
mod report;
mod upload;
mod workbook;

use chrono::NaiveDate;
use serde::de::DeserializeOwned;
use utoipa::ToSchema;
use validator::Validate;

use crate::access::Tx;
use crate::access::policy::Action;
use crate::db::Entry;
use crate::errors::Result;
use crate::web::Example;

pub use refusals::Refusals;
pub use report::{ImportQuery, ImportReport, TableFormat, TextEncoding};
pub use upload::Upload;

/// A row of a table that can be imported. Its columns are the properties of its schema, their Chinese
/// titles what the properties' descriptions begin with, as the headings of exports are.
pub trait ImportRow: DeserializeOwned + ToSchema + Example + Validate + Send + Sync + 'static {
    /// The right to import it.
    type Action: Action;
    /// What has been found to be done, ready to be written.
    type Changes: Send + 'static;
    /// What the sheet is called in a workbook of several: in English, as in the path, and in Chinese.
    const SHEET: [&'static str; 2];
    /// The column that tells rows apart.
    const KEY: &'static str;

    /// Columns that a file may leave out, and what they say of what is there already then stays; a blank
    /// cell takes it away. Other optional columns say nothing of what is there already.
    const OPTIONAL: &'static [&'static str] = &[];

    /// What stands in the column [`ImportRow::KEY`].
    fn key(&self) -> &str;

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
    /// but [`Refusals::has_key`] knows theirs.
    ///
    /// # Errors
    /// When the database fails: what is wrong with rows goes to `refusals`.
    fn plan(
        tx: &mut Tx<'_, Self::Action>,
        rows: &[Line<Self>],
        refusals: &mut Refusals,
    ) -> Result<(Counts, Self::Changes)>;

    /// Writes it, with one audit row for each thing touched.
    ///
    /// # Errors
    /// When the database fails.
    fn write(tx: &mut Tx<'_, Self::Action>, changes: Self::Changes) -> Result<()>;
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
