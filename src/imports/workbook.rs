//! Workbooks (XLSX): the cells of one sheet, as text.
//!
//! Codes that Excel has made numbers of come back as they were, days as ISO days, formulas as the value they
//! had when the file was saved. No formula is computed and no link followed.

use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{Cell as Found, DataRef, Reader, Xlsx, XlsxError};

use super::archive::defused;
use super::cells::{Cell, MOST_COLUMNS, Record, Take, malformed, too_many_columns, too_much};
use crate::errors::{AppError, Code, Result, text};

/// Whole numbers up to here have all their digits in a sheet; Excel keeps fifteen.
const CERTAIN: f64 = 1e15;
/// Bytes of text in all cells together: one text may stand in many cells.
const MOST_TEXT: usize = 100 * 1024 * 1024;

/// Reads the records of the sheet with one of these names, else of the first.
///
/// # Errors
/// `malformed_file`, `body_too_large`; what `take` answers.
pub(super) fn records(bytes: &[u8], names: &[&str], take: Take<'_>) -> Result<()> {
    let bytes = defused(bytes)?;
    // The reader is somebody else's: should a file make it panic, the file is to blame.
    catch_unwind(AssertUnwindSafe(|| read(&bytes, names, take))).unwrap_or_else(|_| Err(unreadable("panic")))
}

fn read(bytes: &[u8], names: &[&str], take: Take<'_>) -> Result<()> {
    let trouble = |error: XlsxError| unreadable(&error.to_string());
    let mut book = Xlsx::new(Cursor::new(bytes)).map_err(trouble)?;
    let sheets = book.sheet_names();
    let named = sheets.iter().find(|sheet| names.iter().any(|name| name.eq_ignore_ascii_case(sheet.trim())));
    let Some(sheet) = named.or_else(|| sheets.first()).cloned() else {
        return Err(unreadable("no sheet"));
    };
    let mut cells = book.worksheet_cells_reader(&sheet).map_err(trouble)?;
    let mut row = Record { line: 0, cells: Vec::new() };
    let mut length = 0_usize;
    while let Some(cell) = cells.next_cell().map_err(trouble)? {
        let (at, column) = cell.get_position();
        let (line, column) = (at.saturating_add(1), column as usize);
        let cell = read_cell(&cell);
        if cell.is_blank() {
            continue;
        }
        if let Cell::Text(text) = &cell {
            length += text.len();
        }
        if length > MOST_TEXT {
            return Err(too_much(text!("单元格的文字共计过多", "The cells hold too much text in all")));
        }
        if line != row.line {
            if line < row.line {
                return Err(unreadable("rows out of order"));
            }
            let whole = std::mem::replace(&mut row, Record { line, cells: Vec::new() });
            if !whole.is_blank() {
                take(whole)?;
            }
        }
        if column >= MOST_COLUMNS {
            return Err(too_many_columns(line));
        }
        if row.cells.len() <= column {
            row.cells.resize(column + 1, Cell::Text(String::new()));
        }
        if let Some(place) = row.cells.get_mut(column) {
            *place = cell;
        }
    }
    if row.is_blank() { Ok(()) } else { take(row) }
}

fn read_cell(cell: &Found<DataRef<'_>>) -> Cell {
    match cell.get_value() {
        DataRef::Empty => Cell::Text(String::new()),
        // A duration is no day, and the column will say so.
        DataRef::String(text) | DataRef::DurationIso(text) => Cell::of(text),
        DataRef::SharedString(text) => Cell::of(text),
        DataRef::Int(number) => Cell::Text(number.to_string()),
        DataRef::Float(number) => number_text(*number),
        DataRef::Bool(truth) => Cell::Text(truth.to_string()),
        DataRef::DateTime(moment) if moment.is_datetime() => {
            let (year, month, day, ..) = moment.to_ymd_hms_milli();
            Cell::Text(format!("{year:04}-{month:02}-{day:02}"))
        }
        DataRef::DateTime(length) => number_text(length.as_f64()),
        // The day of a moment.
        DataRef::DateTimeIso(text) => Cell::of(text.split('T').next().unwrap_or_default()),
        DataRef::Error(error) => {
            Cell::Broken(Code::WrongType, text!("单元格是错误值 {error}", "The cell holds the error {error}"))
        }
    }
}

fn number_text(number: f64) -> Cell {
    if number.abs() >= CERTAIN {
        return Cell::Broken(
            Code::WrongType,
            text!(
                "超过 15 位的数字已被 Excel 改动; 请把该列设为文本后重新录入",
                "Excel keeps 15 digits of a number: make the column text and enter it again"
            ),
        );
    }
    // What is whole is written without decimals.
    Cell::Text(number.to_string())
}

fn unreadable(why: &str) -> AppError {
    tracing::debug!(why, "a workbook cannot be read");
    malformed(text!(
        "工作簿无法读取: 内容已损坏, 或没有工作表; 请用 Excel 重新保存",
        "The workbook cannot be read: it is damaged or has no sheet; save it again"
    ))
}
