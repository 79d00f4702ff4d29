//! From a file to rows: each with the shape its schema asks for, nothing wrong by itself, and a key that
//! no other row bears.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};
use chrono::NaiveDate;
use serde_json::{Value, json};

use super::cells::{MOST_ROWS, Record, malformed, too_many_rows};
use super::columns::Columns;
use super::report::{ImportReport, TableFormat, TextEncoding};
use super::{Counts, Given, ImportRow, Line, Refusals, delimited, encoding, lines, workbook};
use crate::audit::hex;
use crate::errors::{AppError, Code, Place, Result, text};
use crate::web::{Sent, Shapes};

/// A table that has been read.
#[derive(Debug)]
pub(super) struct Table<R> {
    pub rows: Vec<Line<R>>,
    pub refusals: Refusals,
    pub about: About,
}

/// What is known of the file itself.
#[derive(Debug, Clone)]
pub(super) struct About {
    pub format: TableFormat,
    pub encoding: Option<TextEncoding>,
    pub sha256: String,
    pub rows_read: usize,
}

impl About {
    /// The figures of a refusal.
    pub(super) fn facts(&self) -> Value {
        json!({
            "format": self.format, "encoding": self.encoding, "sha256": self.sha256, "rows_read": self.rows_read,
        })
    }

    /// The report of a success.
    pub(super) fn report(self, dry_run: bool, counts: Counts) -> ImportReport {
        ImportReport {
            dry_run,
            format: self.format,
            encoding: self.encoding,
            sha256: self.sha256,
            rows_read: self.rows_read,
            rows_new: counts.new,
            rows_changed: counts.changed,
            rows_unchanged: counts.unchanged,
            rows_refused: 0,
        }
    }
}

/// Reads a file.
///
/// # Errors
/// `malformed_file`, `body_too_large`; what is wrong with single rows is in the table's refusals.
pub(super) fn read<R: ImportRow>(
    shapes: &Shapes,
    sent: Sent,
    format: TableFormat,
    today: NaiveDate,
) -> Result<Table<R>> {
    let Sent { bytes, charset, .. } = sent;
    if bytes.is_empty() {
        return Err(malformed(text!("文件是空的", "The file is empty")));
    }
    let sha256 = hex(digest(&SHA256, &bytes).as_ref());
    let mut rows = Rows::<R>::new(shapes, today);
    let encoding = match format {
        TableFormat::Xlsx => {
            workbook::records(&bytes, &R::SHEET, &mut |record| rows.take(record))?;
            None
        }
        TableFormat::Csv => {
            let (whole, encoding) = encoding::decode(bytes, charset.as_deref())?;
            delimited::records(&whole, &mut |record| rows.take(record))?;
            Some(encoding)
        }
        TableFormat::Ndjson => {
            let (whole, encoding) = encoding::decode(bytes, Some("utf-8"))?;
            lines::objects(&whole, &mut |line, object| match object {
                Ok(value) => {
                    let given = Given::of::<R>(|column| value.get(column).is_some());
                    rows.take_object(line, value, given, &[])
                }
                Err((code, detail)) => {
                    rows.refusals.tell(line, "", code, detail);
                    rows.count()
                }
            })?;
            Some(encoding)
        }
    };
    if rows.columns.is_none() && format != TableFormat::Ndjson {
        return Err(malformed(text!("文件没有标题行", "The file has no heading")));
    }
    let about = About { format, encoding, sha256, rows_read: rows.read };
    Ok(Table { rows: rows.good, refusals: rows.refusals, about })
}

/// Rows as they are read.
struct Rows<'s, R> {
    shapes: &'s Shapes,
    today: NaiveDate,
    columns: Option<Columns>,
    read: usize,
    good: Vec<Line<R>>,
    keys: HashMap<String, u32>,
    refusals: Refusals,
}

impl<'s, R: ImportRow> Rows<'s, R> {
    fn new(shapes: &'s Shapes, today: NaiveDate) -> Self {
        Self {
            shapes,
            today,
            columns: None,
            read: 0,
            good: Vec::new(),
            keys: HashMap::new(),
            refusals: Refusals::new(),
        }
    }

    /// Takes the heading first, then rows of cells.
    fn take(&mut self, record: Record) -> Result<()> {
        let Some(columns) = &self.columns else {
            self.columns = Some(Columns::of::<R>(self.shapes, &record, &mut self.refusals)?);
            if !self.refusals.is_empty() {
                // Under headings that are not understood every row would be wrong.
                return Err(std::mem::take(&mut self.refusals).refuse(&json!({ "rows_read": 0 })));
            }
            return Ok(());
        };
        let line = record.line;
        let (value, broken) = columns.object(record, &mut self.refusals);
        let broken: Vec<String> = broken.into_iter().map(ToOwned::to_owned).collect();
        let given = columns.given::<R>();
        self.take_object(line, value, given, &broken)
    }

    fn count(&mut self) -> Result<()> {
        self.read += 1;
        if self.read > MOST_ROWS { Err(too_many_rows()) } else { Ok(()) }
    }

    /// Takes a row; `broken` are columns of which it has been told already what is wrong.
    fn take_object(&mut self, number: u32, value: Value, given: Given, broken: &[String]) -> Result<()> {
        self.count()?;
        self.refuse_repeated(number, &value);
        let key = value.get(R::KEY).cloned();
        match self.shapes.read::<R>(value) {
            Ok(row) => {
                let line = Line { number, row, given };
                R::check(&line, self.today, &mut self.refusals);
                if self.refusals.has_line(number) {
                    self.refusals.note_key(line.row.key());
                } else {
                    self.good.push(line);
                }
            }
            Err(error) if error.code() == Code::InvalidBody => {
                self.tell(number, &error, broken);
                if let Some(key) = key.as_ref().and_then(Value::as_str) {
                    self.refusals.note_key(key);
                }
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// What a body would be told by a pointer, a row is told by its column.
    fn tell(&mut self, number: u32, error: &AppError, broken: &[String]) {
        // A schema may say twice what is wrong for one reason: a day has a format and a pattern.
        let mut said: Vec<(String, Code)> = Vec::new();
        for error in error.errors() {
            let column = match &error.place {
                Place::Body(pointer) => pointer.trim_start_matches('/').split('/').next().unwrap_or_default(),
                Place::Query(_) | Place::Header(_) | Place::Row(..) => "",
            };
            let column: String = column.chars().take(100).collect();
            let told = (column, error.code);
            if !broken.contains(&told.0) && !said.contains(&told) {
                self.refusals.tell(number, &told.0, error.code, error.detail.clone());
                said.push(told);
            }
        }
    }

    fn refuse_repeated(&mut self, number: u32, value: &Value) {
        let Some(key) = value.get(R::KEY).and_then(Value::as_str) else { return };
        match self.keys.get(key) {
            Some(first) => {
                let shown: String = key.chars().take(50).collect();
                let detail = text!("{shown} 与第 {first} 行重复", "{shown} stands in row {first} already");
                self.refusals.tell(number, R::KEY, Code::NotUnique, detail);
            }
            None => {
                self.keys.insert(key.to_owned(), number);
            }
        }
    }
}
