//! Cells of a table, whatever it came in, and how many there may be.

use crate::errors::{AppError, Code, Result, Text, text};

/// Columns at most.
pub(super) const MOST_COLUMNS: usize = 200;
/// Bytes of a cell's text at most: as many characters as Excel lets into one.
const LONGEST_CELL: usize = 32_767 * 4;

/// What stands in a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    /// A text, empty for a blank cell.
    Text(String),
    /// Something that says nothing certain: an error, a number that has lost digits.
    Broken(Code, Text),
}

impl Cell {
    /// A text, without the space round it.
    pub(super) fn of(text: &str) -> Self {
        let text = text.trim();
        if text.len() > LONGEST_CELL {
            return Self::Broken(Code::TooLong, text!("单元格的内容过长", "The cell holds too much text"));
        }
        Self::Text(text.to_owned())
    }

    pub(super) fn is_blank(&self) -> bool {
        matches!(self, Self::Text(text) if text.is_empty())
    }
}

/// A row of a table as it stands there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// Its number in the file.
    pub line: u32,
    /// Its cells, from the first column on.
    pub cells: Vec<Cell>,
}

impl Record {
    pub(super) fn is_blank(&self) -> bool {
        self.cells.iter().all(Cell::is_blank)
    }
}

/// Takes the records of a table, one after the other.
pub(super) type Take<'t> = &'t mut dyn FnMut(Record) -> Result<()>;

/// A file that cannot be read.
pub(super) fn malformed(detail: Text) -> AppError {
    AppError::because(Code::MalformedFile, detail)
}

/// A file with too much in it.
pub(super) fn too_much(detail: Text) -> AppError {
    AppError::because(Code::BodyTooLarge, detail)
}

pub(super) fn too_many_columns(line: u32) -> AppError {
    too_much(text!(
        "第 {line} 行的列数超过 {MOST_COLUMNS}",
        "Row {line} has more than {MOST_COLUMNS} columns"
    ))
}
