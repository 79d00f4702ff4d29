//! Papers as an office prints them: what stands on one, as a page to print and as a workbook.
//!
//! Everything here is pure and knows no capability. Whoever has something to print says what stands on
//! it, as a [`Paper`]; how it looks is settled here, once for all: the page as an official document
//! (GB/T 9704), the workbook ruled and fitted to its sheet. Text gets into a page through `markup`
//! alone, which escapes it, and into a workbook as text alone, so that none is a formula.

mod html;
mod markup;
mod measure;
pub mod words;
mod workbook;

use chrono::NaiveDate;

pub use html::{Html, html};
pub use workbook::workbook;

/// Something printed, in both forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paper {
    /// What the file is called.
    pub title: String,
    /// The same in letters.
    pub stem: &'static str,
    /// What is stamped on it when it is not to be acted on: 草稿, 待批.
    pub mark: Option<&'static str>,
    /// The page, part after part; each begins on a sheet of its own.
    pub parts: Vec<Part>,
    /// The workbook, sheet after sheet.
    pub sheets: Vec<Sheet>,
}

impl Paper {
    /// How many rows its tables have, as the workbook tells them.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.sheets.iter().filter_map(|sheet| sheet.table.as_ref()).map(|table| table.rows.len()).sum()
    }
}

/// Which way round the paper lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// 纵向.
    Upright,
    /// 横向: for wide tables.
    Wide,
}

/// Part of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Which way round it lies.
    pub layout: Layout,
    /// What stands in it.
    pub blocks: Vec<Block>,
}

/// A piece of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Block {
    /// The title of the document.
    Title(String),
    /// Whose it is, of which day: in the middle, below a title.
    Byline(String),
    /// 附件: to the left, above a title.
    Label(String),
    /// 一、
    Heading(String),
    /// (一)
    Subheading(String),
    /// Running text.
    Text(String),
    /// What is numbered below a subheading: 1. 2. 3.
    Numbered(Vec<String>),
    /// The unit and the day, to the right.
    Signature(Vec<String>),
    /// A remark below the signature.
    Remark(String),
    /// A table.
    Table(Table),
}

/// A sheet of a workbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sheet {
    /// What its tab says.
    pub name: &'static str,
    /// Which way round it lies.
    pub layout: Layout,
    /// The title above everything.
    pub title: String,
    /// Whose it is, of which day: below the title.
    pub byline: Option<String>,
    /// What is told line by line, each with its name.
    pub facts: Vec<(&'static str, String)>,
    /// The table.
    pub table: Option<Table>,
}

/// A table, the same in both forms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows: each has a cell a column.
    pub rows: Vec<Row>,
}

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// What stands above it.
    pub heading: &'static str,
    /// How wide it is beside the others, in digits.
    pub width: u16,
    /// Whether its text stands in the middle: what is short and alike.
    pub centred: bool,
}

impl Column {
    /// A column of text.
    #[must_use]
    pub const fn text(heading: &'static str, width: u16) -> Self {
        Self { heading, width, centred: false }
    }

    /// A column of what is short and alike.
    #[must_use]
    pub const fn short(heading: &'static str, width: u16) -> Self {
        Self { heading, width, centred: true }
    }
}

/// What a row is among the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// One of many.
    Plain,
    /// 小计.
    Subtotal,
    /// 合计.
    Total,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it is among the others.
    pub weight: Weight,
    /// Its cells.
    pub cells: Vec<Cell>,
}

impl Row {
    /// One of many.
    #[must_use]
    pub const fn plain(cells: Vec<Cell>) -> Self {
        Self { weight: Weight::Plain, cells }
    }
}

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// Text, whatever it looks like.
    Text(String),
    /// A number.
    Number(i64),
    /// A day.
    Day(NaiveDate),
}

impl Cell {
    /// Text, or nothing.
    #[must_use]
    pub fn maybe(text: Option<String>) -> Self {
        text.map_or(Self::Empty, Self::Text)
    }

    /// What is read in it.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::Empty => String::new(),
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Day(day) => words::day(*day),
        }
    }
}
