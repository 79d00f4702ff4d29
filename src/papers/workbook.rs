//! A paper as a workbook: ruled, its heading on every sheet, as wide as the paper. Text is text in it.

use chrono::{Datelike, NaiveDate};
use rust_xlsxwriter::{ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError};

use super::measure::{height, lines, roomy};
use super::{Cell, Layout, Paper, Row, Sheet, Table, Weight};
use crate::web::is_like_a_formula;

/// A4, in Excel's numbering.
const A4: u8 = 9;
/// Columns of a sheet that has no table.
const BARE: [u16; 2] = [18, 80];
/// Points of the title's row.
const TITLE_HEIGHT: f64 = 40.0;

/// Prints a paper as a workbook.
///
/// # Errors
/// When the workbook cannot be made: a mistake of ours, for nothing is written to a disk.
pub fn workbook(paper: &Paper) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    for sheet in &paper.sheets {
        let page = book.add_worksheet();
        set_up(page, paper, sheet)?;
        Writer { page, widths: widths(sheet), next: 0 }.sheet(paper, sheet)?;
    }
    book.save_to_buffer()
}

fn set_up(page: &mut Worksheet, paper: &Paper, sheet: &Sheet) -> Result<(), XlsxError> {
    page.set_name(sheet.name)?;
    page.set_paper_size(A4);
    match sheet.layout {
        Layout::Upright => page.set_portrait(),
        Layout::Wide => page.set_landscape(),
    };
    page.set_print_fit_to_pages(1, 0).set_print_center_horizontally(true);
    page.set_margins(0.6, 0.6, 0.7, 0.8, 0.3, 0.4);
    page.set_footer("&C第 &P 页 共 &N 页");
    if let Some(mark) = paper.mark {
        // Marks are words of ours; `&` would be a command.
        page.set_header(format!("&R{}", mark.replace('&', "&&")));
    }
    page.set_screen_gridlines(false);
    Ok(())
}

/// How wide the columns are: as wanted, and wider where a text would not fit the highest row.
fn widths(sheet: &Sheet) -> Vec<u16> {
    let Some(table) = &sheet.table else { return BARE.to_vec() };
    let columns = table.columns.iter().enumerate();
    columns
        .map(|(at, column)| {
            let texts = table.rows.iter().filter_map(|row| match row.cells.get(at) {
                Some(Cell::Text(text)) => Some(text.as_str()),
                _ => None,
            });
            roomy(column.width, texts)
        })
        .collect()
}

fn font() -> Format {
    Format::new().set_font_name("宋体").set_font_size(11).set_align(FormatAlign::VerticalCenter)
}

fn ruled() -> Format {
    font().set_border(FormatBorder::Thin).set_text_wrap()
}

/// Text that somebody who edits the cell could make a formula of stays text then too.
fn inert(format: Format, text: &str) -> Format {
    if is_like_a_formula(text) { format.set_quote_prefix() } else { format }
}

struct Writer<'b> {
    page: &'b mut Worksheet,
    widths: Vec<u16>,
    /// The row to come.
    next: u32,
}

impl Writer<'_> {
    fn sheet(mut self, paper: &Paper, sheet: &Sheet) -> Result<(), XlsxError> {
        for (at, width) in (0_u16..).zip(self.widths.clone()) {
            self.page.set_column_width(at, width)?;
        }
        let title = font().set_bold().set_font_size(18).set_align(FormatAlign::Center).set_text_wrap();
        self.across(0, &sheet.title, title, TITLE_HEIGHT)?;
        let mark = paper.mark.map(|mark| format!("【{mark}】"));
        let line: Vec<String> = mark.into_iter().chain(sheet.byline.clone()).collect();
        if !line.is_empty() {
            self.across(0, &line.join("　"), font().set_align(FormatAlign::Center), 24.0)?;
        }
        for (name, value) in &sheet.facts {
            self.fact(name, value)?;
        }
        if let Some(table) = &sheet.table {
            self.table(table)?;
        }
        Ok(())
    }

    fn last(&self) -> u16 {
        u16::try_from(self.widths.len().saturating_sub(1)).unwrap_or_default()
    }

    /// A line from a column to the last one.
    fn across(&mut self, from: u16, text: &str, format: Format, least: f64) -> Result<(), XlsxError> {
        let (row, last) = (self.next, self.last());
        let room: u16 = self.widths.iter().skip(usize::from(from)).sum();
        let format = inert(format, text);
        if from < last {
            self.page.merge_range(row, from, row, last, text, &format)?;
        } else {
            self.page.write_string_with_format(row, from, text, &format)?;
        }
        self.page.set_row_height(row, height(lines(text, room)).max(least))?;
        self.next += 1;
        Ok(())
    }

    fn fact(&mut self, name: &str, value: &str) -> Result<(), XlsxError> {
        let heading = ruled().set_bold().set_align(FormatAlign::Center);
        self.page.write_string_with_format(self.next, 0, name, &heading)?;
        self.across(1, value, ruled().set_align(FormatAlign::Left).set_indent(1), 24.0)
    }

    fn table(&mut self, table: &Table) -> Result<(), XlsxError> {
        let heading = ruled().set_bold().set_align(FormatAlign::Center);
        for (at, column) in (0_u16..).zip(&table.columns) {
            self.page.write_string_with_format(self.next, at, column.heading, &heading)?;
        }
        self.page.set_row_height(self.next, 24.0)?;
        self.page.set_repeat_rows(self.next, self.next)?;
        self.page.set_freeze_panes(self.next + 1, 0)?;
        self.next += 1;
        table.rows.iter().try_for_each(|row| self.row(table, row))
    }

    fn row(&mut self, table: &Table, row: &Row) -> Result<(), XlsxError> {
        let mut most = 1;
        for ((at, column), cell) in (0_u16..).zip(&table.columns).zip(&row.cells) {
            let align = match cell {
                _ if column.centred => FormatAlign::Center,
                Cell::Number(_) => FormatAlign::Right,
                _ => FormatAlign::Left,
            };
            let format = ruled().set_align(align);
            let format = if align == FormatAlign::Left { format.set_indent(1) } else { format };
            let format = if row.weight == Weight::Plain { format } else { format.set_bold() };
            self.cell(at, cell, format)?;
            let width = self.widths.get(usize::from(at)).copied().unwrap_or(column.width);
            most = most.max(lines(&cell.shown(), width));
        }
        self.page.set_row_height(self.next, height(most))?;
        self.next += 1;
        Ok(())
    }

    fn cell(&mut self, at: u16, cell: &Cell, format: Format) -> Result<(), XlsxError> {
        let row = self.next;
        match cell {
            Cell::Empty => self.page.write_blank(row, at, &format)?,
            Cell::Text(text) => {
                let format = inert(format, text);
                self.page.write_string_with_format(row, at, text, &format)?
            }
            Cell::Number(number) => {
                // Counts of ours stay far below 2^53; what does not fit stays readable.
                match i32::try_from(*number) {
                    Ok(number) => self.page.write_number_with_format(row, at, number, &format)?,
                    Err(_) => self.page.write_string_with_format(row, at, number.to_string(), &format)?,
                }
            }
            Cell::Day(day) => match date(*day) {
                Some(date) => {
                    let format = format.set_num_format("yyyy\"年\"m\"月\"d\"日\"");
                    self.page.write_datetime_with_format(row, at, &date, &format)?
                }
                None => self.page.write_string_with_format(row, at, cell.shown(), &format)?,
            },
        };
        Ok(())
    }
}

/// A day as Excel counts them, which is from 1900 on.
fn date(day: NaiveDate) -> Option<ExcelDateTime> {
    let (year, month, day) = (day.year().try_into(), day.month().try_into(), day.day().try_into());
    ExcelDateTime::from_ymd(year.ok()?, month.ok()?, day.ok()?).ok()
}
