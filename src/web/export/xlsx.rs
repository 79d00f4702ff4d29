//! XLSX in constant memory: rows go to a temporary file as they come, and the workbook is put
//! together from it. Neither file has a name, so nothing stays behind however the program ends.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};

use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike};
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet, XlsxError};
use serde_json::Value;
use tokio::sync::mpsc::Receiver;

use super::cell::{Cell, is_like_a_formula};
use super::outlet::Piece;
use super::sheet::Sheet;
use crate::errors::{AppError, Result};

/// Characters a cell holds at most.
const LONGEST: usize = 32_000;
/// What says that a cell held more.
const CUT: &str = "……(已截断)";
/// Widths of columns, in digits; longer text is read in the cell.
const NARROWEST: usize = 6;
const WIDEST: usize = 60;
/// Room for the arrow of the filter beside a heading.
const ARROW: usize = 3;
/// The name of a worksheet has so many characters at most.
const LONGEST_NAME: usize = 31;

/// Writes the pages as they come; answers the file, at its beginning, and its length.
///
/// # Errors
/// `unavailable` when the file cannot be written, or when whoever wanted it has left.
pub(super) fn write(sheet: &Sheet, mut pages: Receiver<Piece<Vec<Value>>>) -> Result<(File, u64)> {
    let mut workbook = Workbook::new();
    let page = workbook.add_worksheet_with_constant_memory().map_err(trouble)?;
    let mut table = Table::begin(page, sheet).map_err(trouble)?;
    loop {
        match pages.blocking_recv() {
            Some(Piece::Next(rows)) => {
                rows.iter().try_for_each(|row| table.row(sheet, row)).map_err(trouble)?;
            }
            Some(Piece::End) => break,
            None => return Err(AppError::unavailable(1, "nobody waits for the workbook any more")),
        }
    }
    table.end().map_err(trouble)?;
    finish(&mut workbook)
}

fn finish(workbook: &mut Workbook) -> Result<(File, u64)> {
    let full = |error: std::io::Error| AppError::unavailable(5, error);
    let mut file = BufWriter::new(tempfile::tempfile().map_err(full)?);
    workbook.save_to_writer(&mut file).map_err(trouble)?;
    file.flush().map_err(full)?;
    let length = file.stream_position().map_err(full)?;
    let mut file = file.into_inner().map_err(|error| full(error.into_error()))?;
    file.seek(SeekFrom::Start(0)).map_err(full)?;
    Ok((file, length))
}

/// A disk that is full is no fault of ours, and passes.
fn trouble(error: XlsxError) -> AppError {
    match error {
        XlsxError::IoError(_) | XlsxError::ZipError(_) | XlsxError::TempFileError(..) => {
            AppError::unavailable(5, error)
        }
        error => AppError::internal(error),
    }
}

struct Formats {
    heading: Format,
    /// A text that a formula could be made of by whoever edits the cell: it stays text then too.
    inert: Format,
    day: Format,
    moment: Format,
}

/// A table in the making: the row to come, and how wide its columns are.
struct Table<'b> {
    page: &'b mut Worksheet,
    formats: Formats,
    row: u32,
    widths: Vec<usize>,
}

impl<'b> Table<'b> {
    fn begin(page: &'b mut Worksheet, sheet: &Sheet) -> Result<Self, XlsxError> {
        let formats = Formats {
            heading: Format::new().set_bold(),
            inert: Format::new().set_quote_prefix(),
            day: Format::new().set_num_format("yyyy-mm-dd"),
            moment: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
        };
        page.set_name(sheet_name(&sheet.title))?;
        page.set_freeze_panes(1, 0)?;
        let mut widths = Vec::new();
        for (at, column) in (0_u16..).zip(&sheet.columns) {
            page.write_string_with_format(0, at, &column.heading, &formats.heading)?;
            widths.push(width(&column.heading) + ARROW);
        }
        Ok(Self { page, formats, row: 1, widths })
    }

    fn row(&mut self, sheet: &Sheet, row: &Value) -> Result<(), XlsxError> {
        let columns = (0_u16..).zip(&sheet.columns).zip(&mut self.widths);
        for ((at, column), widest) in columns {
            let cell = column.cell(row);
            let shown = put(self.page, &self.formats, (self.row, at), cell)?;
            *widest = (*widest).max(shown);
        }
        self.row += 1;
        Ok(())
    }

    fn end(self) -> Result<(), XlsxError> {
        for (at, widest) in (0_u16..).zip(&self.widths) {
            // At most WIDEST, so no digit is lost.
            let wide = u16::try_from((*widest).clamp(NARROWEST, WIDEST)).unwrap_or_default();
            self.page.set_column_width(at, wide)?;
        }
        let last = u16::try_from(self.widths.len().saturating_sub(1)).unwrap_or_default();
        self.page.autofilter(0, 0, self.row - 1, last)?;
        Ok(())
    }
}

/// Writes a cell, and tells how wide it shows.
fn put(page: &mut Worksheet, formats: &Formats, at: (u32, u16), cell: Cell) -> Result<usize, XlsxError> {
    let (row, column) = at;
    match cell {
        Cell::Empty => Ok(0),
        Cell::Number(number) => {
            // Whole numbers of the interface stay below 2^53, so none is rounded.
            page.write_number(row, column, number.as_f64().unwrap_or_default())?;
            Ok(number.to_string().len())
        }
        Cell::Day(day) => match date(day) {
            Some(date) => page.write_datetime_with_format(row, column, &date, &formats.day).map(|_| 11),
            None => page.write_string(row, column, day.to_string()).map(|_| 11),
        },
        Cell::Moment(moment) => match date(moment.date()).and_then(|date| time(date, moment)) {
            Some(date) => page.write_datetime_with_format(row, column, &date, &formats.moment).map(|_| 20),
            None => page.write_string(row, column, moment.to_string()).map(|_| 20),
        },
        Cell::Text(text) => {
            let text = cut(text);
            let shown = width(&text);
            if is_like_a_formula(&text) {
                page.write_string_with_format(row, column, text, &formats.inert)?;
            } else {
                page.write_string(row, column, text)?;
            }
            Ok(shown)
        }
    }
}

/// A day as Excel counts them, which is from 1900 on.
fn date(day: NaiveDate) -> Option<ExcelDateTime> {
    let (year, month, day) = (day.year().try_into(), day.month().try_into(), day.day().try_into());
    ExcelDateTime::from_ymd(year.ok()?, month.ok()?, day.ok()?).ok()
}

fn time(date: ExcelDateTime, at: NaiveDateTime) -> Option<ExcelDateTime> {
    let (hour, minute) = (at.hour().try_into(), at.minute().try_into());
    date.and_hms(hour.ok()?, minute.ok()?, u8::try_from(at.second()).ok()?).ok()
}

fn cut(text: String) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}{CUT}", text.get(..at).unwrap_or_default()),
        None => text,
    }
}

/// How wide a text shows, in digits: the longest of its lines, a Chinese character being two.
fn width(text: &str) -> usize {
    let wide = |c: char| if c.is_ascii() { 1 } else { 2 };
    // Beyond the widest column nobody counts.
    let lines = text.lines().take(50).map(|line| line.chars().take(WIDEST).map(wide).sum::<usize>() + 1);
    lines.max().unwrap_or(0)
}

/// What a worksheet may be called.
fn sheet_name(title: &str) -> String {
    let name = title.chars().filter(|c| !r"*?:[]\/'".contains(*c)).take(LONGEST_NAME);
    let name: String = name.collect();
    if name.is_empty() { "Sheet1".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_measured_and_cut() {
        assert_eq!([width("530102"), width("昆明"), width("一\n二三")], [7, 5, 5]);
        assert_eq!(cut("短".to_owned()), "短");
        let long = cut("长".repeat(40_000));
        assert!(long.ends_with(CUT) && long.chars().count() < 32_767);
        assert_eq!(sheet_name("甲/乙[列表]"), "甲乙列表");
    }

    #[test]
    fn days_before_excel_s_first_are_no_dates() {
        assert!(date("2026-03-02".parse().unwrap()).is_some());
        assert!(date("1899-12-01".parse().unwrap()).is_none());
    }
}
