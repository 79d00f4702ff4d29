//! From the pieces of a file to its rows, one after the other: each with the shape its schema asks for, and with
//! nothing wrong by itself. However long the file is, a piece and a few hundred rows of it are in memory; a workbook,
//! which cannot be read in pieces, is.

use chrono::NaiveDate;
use serde_json::Value;

use super::cells::{Record, malformed, too_much};
use super::columns::Columns;
use super::delimited::{self, Cut};
use super::encoding::{self, Look};
use super::report::{TableFormat, TextEncoding};
use super::{Given, ImportRow, Line, Refusals, workbook};
use crate::access::PIECE;
use crate::errors::{AppError, Code, FieldError, Place, Result, text};
use crate::jobs::service::Own;
use crate::web::Shapes;

/// Bytes of a record at most.
const LONGEST: usize = 1024 * 1024;
/// Bytes of what a row may have for itself; what is longer is wrong anyway.
const LONGEST_OWN: usize = 200;
/// Rows that are given on at once.
const AT_ONCE: usize = 200;

/// Where reading goes on: behind so many bytes and lines. Of a text the bytes tell which mark is farther on, for its last
/// line may have no end; of a workbook, which has no place in its bytes, the lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mark {
    pub offset: u64,
    pub line: u32,
}

impl Mark {
    pub(super) fn parse(text: &str) -> Self {
        let mut numbers = text.split(' ');
        let offset = numbers.next().and_then(|number| number.parse().ok()).unwrap_or_default();
        let line = numbers.next().and_then(|number| number.parse().ok()).unwrap_or_default();
        Self { offset, line }
    }
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.offset, self.line)
    }
}

/// What is known of a file before it is read.
#[derive(Debug, Clone)]
pub(super) struct File {
    pub format: TableFormat,
    pub charset: Option<String>,
    pub encoding: Option<TextEncoding>,
    /// Where reading goes on; at the beginning when it is there.
    pub mark: Mark,
    pub today: NaiveDate,
}

/// A row as it was found.
#[derive(Debug)]
pub(super) struct Item<R> {
    /// Its line.
    pub number: u32,
    /// What it alone may have, wrong though it be: its key and more.
    pub own: Vec<Own>,
    /// The row, or what is wrong with it.
    pub row: std::result::Result<Line<R>, Vec<FieldError>>,
    /// Where reading goes on behind it.
    pub mark: Mark,
}

/// What reading comes to, bit by bit.
#[derive(Debug)]
pub(super) enum Portion<R> {
    /// The file turned out to be in this encoding.
    Encoding(TextEncoding),
    /// The heading cannot be understood.
    Heading(Vec<FieldError>),
    /// Rows.
    Items(Vec<Item<R>>),
}

/// Gives the piece of a file at a place; none behind its end.
pub(super) type Fetch<'f> = &'f mut dyn FnMut(i64) -> Result<Option<Vec<u8>>>;
/// Takes what is found.
pub(super) type Give<'f, R> = &'f mut dyn FnMut(Portion<R>) -> Result<()>;

/// Reads a file from its mark on.
///
/// # Errors
/// `malformed_file`, `body_too_large`; what `fetch` and `give` answer. What is wrong with single rows is with the rows.
pub(super) fn feed<R: ImportRow>(
    shapes: &Shapes,
    file: &File,
    fetch: Fetch<'_>,
    give: Give<'_, R>,
) -> Result<()> {
    let mut rows = Rows { shapes, today: file.today, columns: None, found: Vec::new(), give };
    match file.format {
        TableFormat::Xlsx => {
            let (mut whole, mut place) = (Vec::new(), 0);
            while let Some(piece) = fetch(place)? {
                whole.extend_from_slice(&piece);
                place += 1;
            }
            workbook::records(&whole, &R::SHEET, &mut |record| {
                let mark = Mark { offset: 0, line: record.line };
                rows.take(record, mark, file.mark.line)
            })?;
        }
        TableFormat::Csv | TableFormat::Ndjson => text(file, fetch, &mut rows)?,
    }
    if rows.columns.is_none() && file.format != TableFormat::Ndjson {
        return Err(malformed(text!("文件没有标题行", "The file has no heading")));
    }
    rows.flush()
}

fn text<R: ImportRow>(file: &File, fetch: Fetch<'_>, rows: &mut Rows<'_, R>) -> Result<()> {
    let is_lines = file.format == TableFormat::Ndjson;
    let (encoding, begin) = if let Some(encoding) = file.encoding {
        // How it begins was seen before.
        let head = fetch(0)?.unwrap_or_default();
        (encoding, if encoding == TextEncoding::Utf8 { encoding::mark_of(&head) } else { 0 })
    } else {
        let named = if is_lines { Some("utf-8".to_owned()) } else { file.charset.clone() };
        let (mut look, mut place) = (Look::new(named), 0);
        while let Some(piece) = fetch(place)? {
            look.at(&piece)?;
            place += 1;
        }
        let (encoding, begin) = look.decide()?;
        (rows.give)(Portion::Encoding(encoding))?;
        (encoding, begin)
    };
    let mut reader = Reader::new(fetch, begin);
    if is_lines {
        if file.mark.offset > 0 {
            reader.go_to(file.mark);
        }
        while let Some((bytes, line)) = reader.next(Cut::Lines)? {
            let text = encoding::decode(&bytes, encoding, line)?;
            reader.line += 1;
            if !text.trim().is_empty() {
                rows.take_line(&text, line, reader.mark())?;
            }
        }
        return Ok(());
    }
    let heading = loop {
        let Some((bytes, line)) = reader.next(Cut::Heading)? else { return Ok(()) };
        let text = encoding::decode(&bytes, encoding, line)?;
        if !text.trim().is_empty() {
            break text.into_owned();
        }
        reader.line += 1;
    };
    let separator = delimited::separator(&heading);
    // With a mark the heading was understood before; blank lines may come before it.
    reader.go_to(Mark { offset: begin as u64, line: 0 });
    while let Some((bytes, line)) = reader.next(Cut::Records(separator))? {
        let text = encoding::decode(&bytes, encoding, line)?;
        let (record, next) = delimited::record(&text, separator, line)?;
        reader.line = next - 1;
        if record.is_blank() {
            continue;
        }
        let is_heading = rows.columns.is_none();
        rows.take(record, reader.mark(), 0)?;
        if is_heading && file.mark.offset > reader.offset() {
            reader.go_to(file.mark);
        }
    }
    Ok(())
}

/// Cuts records out of pieces.
struct Reader<'f> {
    fetch: Fetch<'f>,
    held: Vec<u8>,
    /// Bytes of `held` that are done with.
    done: usize,
    /// Where `held` begins.
    base: u64,
    next_piece: i64,
    ended: bool,
    /// Lines that are done with.
    line: u32,
}

impl<'f> Reader<'f> {
    fn new(fetch: Fetch<'f>, begin: usize) -> Self {
        let mut reader =
            Self { fetch, held: Vec::new(), done: 0, base: 0, next_piece: 0, ended: false, line: 0 };
        reader.go_to(Mark { offset: begin as u64, line: 0 });
        reader
    }

    fn go_to(&mut self, mark: Mark) {
        let piece = mark.offset / PIECE as u64;
        self.held.clear();
        self.base = piece * PIECE as u64;
        // Within a piece: it fits.
        self.done = usize::try_from(mark.offset - self.base).unwrap_or_default();
        self.next_piece = i64::try_from(piece).unwrap_or(i64::MAX);
        self.ended = false;
        self.line = mark.line;
    }

    fn offset(&self) -> u64 {
        self.base + self.done as u64
    }

    fn mark(&self) -> Mark {
        Mark { offset: self.offset(), line: self.line }
    }

    /// The bytes of the next record, and the number of its first line.
    fn next(&mut self, cut: Cut) -> Result<Option<(Vec<u8>, u32)>> {
        let line = self.line + 1;
        loop {
            let rest = self.held.get(self.done..).unwrap_or_default();
            if let Some(length) = cut.length(rest, self.ended) {
                let bytes = rest.get(..length).unwrap_or_default().to_vec();
                self.done += length;
                return Ok(Some((bytes, line)));
            }
            if self.ended {
                return Ok(None);
            }
            if rest.len() > LONGEST {
                let longest = LONGEST / 1024;
                return Err(malformed(text!(
                    "第 {line} 行超过 {longest} KiB, 或其中的引号没有闭合",
                    "Line {line} has more than {longest} KiB, or a quote in it is never closed"
                )));
            }
            match (self.fetch)(self.next_piece)? {
                Some(piece) => {
                    if !self.held.is_empty() {
                        self.held.drain(..self.done);
                        self.base += self.done as u64;
                        self.done = 0;
                    }
                    self.held.extend_from_slice(&piece);
                    self.next_piece += 1;
                }
                None => self.ended = true,
            }
        }
    }
}

/// Rows as they are read.
struct Rows<'s, R> {
    shapes: &'s Shapes,
    today: NaiveDate,
    columns: Option<Columns>,
    found: Vec<Item<R>>,
    give: Give<'s, R>,
}

impl<R: ImportRow> Rows<'_, R> {
    /// Takes the heading first, then rows of cells; those up to line `known` were taken before.
    fn take(&mut self, record: Record, mark: Mark, known: u32) -> Result<()> {
        let Some(columns) = &self.columns else {
            let mut refusals = Refusals::default();
            self.columns = Some(Columns::of::<R>(self.shapes, &record, &mut refusals)?);
            if !refusals.is_empty() {
                // Under headings that are not understood every row would be wrong.
                (self.give)(Portion::Heading(refusals.into_errors()))?;
                return Err(AppError::new(Code::ConcurrentChange));
            }
            return Ok(());
        };
        let line = record.line;
        if line <= known {
            return Ok(());
        }
        let mut refusals = Refusals::default();
        let (value, broken) = columns.object(record, &mut refusals);
        let broken: Vec<String> = broken.into_iter().map(ToOwned::to_owned).collect();
        let given = columns.given::<R>();
        self.take_object(line, value, given, &broken, refusals, mark)
    }

    /// Takes a line that holds an object.
    fn take_line(&mut self, text: &str, line: u32, mark: Mark) -> Result<()> {
        let mut refusals = Refusals::default();
        match serde_json::from_str::<Value>(text.trim_end()) {
            Ok(value) if value.is_object() => {
                let given = Given::of::<R>(|column| value.get(column).is_some());
                return self.take_object(line, value, given, &[], refusals, mark);
            }
            Ok(_) => {
                refusals.tell(
                    line,
                    "",
                    Code::WrongType,
                    text!("应为一个 JSON 对象", "It must be a JSON object"),
                );
            }
            Err(error) => {
                let column = error.column();
                let detail =
                    text!("不是有效的 JSON: 第 {column} 列", "It is not valid JSON at column {column}");
                refusals.tell(line, "", Code::MalformedJson, detail);
            }
        }
        self.add(Item { number: line, own: Vec::new(), row: Err(refusals.into_errors()), mark })
    }

    fn add(&mut self, item: Item<R>) -> Result<()> {
        self.found.push(item);
        if self.found.len() < AT_ONCE { Ok(()) } else { self.flush() }
    }

    fn flush(&mut self) -> Result<()> {
        if self.found.is_empty() {
            return Ok(());
        }
        (self.give)(Portion::Items(std::mem::take(&mut self.found)))
    }

    /// Takes a row; `broken` are columns of which it has been told already what is wrong.
    fn take_object(
        &mut self,
        number: u32,
        value: Value,
        given: Given,
        broken: &[String],
        mut refusals: Refusals,
        mark: Mark,
    ) -> Result<()> {
        let own = own::<R>(&value);
        let row = match self.shapes.read::<R>(value) {
            Ok(row) => {
                let line = Line { number, row, given };
                R::check(&line, self.today, &mut refusals);
                if refusals.is_empty() { Ok(line) } else { Err(refusals.into_errors()) }
            }
            Err(error) if error.code() == Code::InvalidBody => {
                tell(number, &error, broken, &mut refusals);
                Err(refusals.into_errors())
            }
            Err(error) => return Err(error),
        };
        self.add(Item { number, own, row, mark })
    }
}

/// What of a row no other may have.
fn own<R: ImportRow>(value: &Value) -> Vec<Own> {
    let names = std::iter::once(R::KEY).chain(R::UNIQUE.iter().copied());
    let value_of =
        |name| value.get(name)?.as_str().filter(|text| text.len() <= LONGEST_OWN && !text.contains('\0'));
    names.filter_map(|name| Some((name, value_of(name)?.to_owned()))).collect()
}

/// What a body would be told by a pointer, a row is told by its column.
fn tell(number: u32, error: &AppError, broken: &[String], refusals: &mut Refusals) {
    // A schema may say twice what is wrong for one reason: a day has a format and a pattern.
    let mut said: Vec<(String, Code)> = Vec::new();
    for error in error.errors() {
        let column = match &error.place {
            Place::Body(pointer) => pointer.trim_start_matches('/').split('/').next().unwrap_or_default(),
            Place::Query(_) | Place::Header(_) | Place::Row(..) => "",
        };
        let column: String = column.chars().filter(|c| !c.is_control()).take(100).collect();
        let told = (column, error.code);
        if !broken.contains(&told.0) && !said.contains(&told) {
            refusals.tell(number, &told.0, error.code, error.detail.clone());
            said.push(told);
        }
    }
}

/// A file with more rows than its kind may have.
pub(super) fn too_many_rows(most: i64) -> AppError {
    too_much(text!("至多 {most} 行, 请分成几个文件", "There may be at most {most} rows; split the file"))
}

#[cfg(test)]
mod tests {
    use encoding_rs::GB18030;

    use super::*;
    use crate::org::imports::rules::UnitRow;

    /// What is read of a file from a mark on: each row's line, its key, and where reading goes on behind it.
    fn read(
        shapes: &Shapes,
        format: TableFormat,
        bytes: &[u8],
        from: Mark,
        known: Option<TextEncoding>,
    ) -> Vec<(u32, String, Mark)> {
        let today = "2026-06-01".parse().unwrap();
        let file = File { format, charset: None, encoding: known, mark: from, today };
        let pieces: Vec<&[u8]> = bytes.chunks(PIECE).collect();
        let mut fetch =
            |place: i64| Ok(pieces.get(usize::try_from(place).unwrap()).map(|piece| piece.to_vec()));
        let mut found = Vec::new();
        let mut give = |portion: Portion<UnitRow>| {
            match portion {
                Portion::Items(items) => found.extend(items.into_iter().map(|item| {
                    let key = item.own.first().map(|(_, key)| key.clone()).unwrap();
                    (item.number, key, item.mark)
                })),
                Portion::Encoding(_) => {}
                Portion::Heading(errors) => panic!("{errors:?}"),
            }
            Ok(())
        };
        feed::<UnitRow>(shapes, &file, &mut fetch, &mut give).unwrap();
        found
    }

    #[test]
    fn whoever_goes_on_at_a_mark_reads_the_rest() {
        let (_, shapes) = crate::web::document(&crate::app::api());
        // More than two pieces; blank lines, quoted breaks, and no end of the last line.
        let reason = "省厅批复: 增设派出所。".repeat(20);
        let row = |at: usize, end: &str| {
            let blank = if at.is_multiple_of(97) { end } else { "" };
            format!("{blank}53{at:06},滇池派出所,station,530102,,\"{reason}{end}\"\"另行\"\"通知\"{end}")
        };
        let csv = |end: &str| {
            let rows: String = (0..1300).map(|at| row(at, end)).collect();
            format!("{end}code,name,kind,parent_code,effective_on,reason{end}{}", rows.trim_end())
        };
        let line = |at: usize| {
            format!(
                "{{\"code\":\"53{at:06}\",\"name\":\"滇池派出所\",\"kind\":\"station\",\"parent_code\":\"530102\",\"reason\":\"{reason}\"}}"
            )
        };
        let ndjson = (0..1300).map(line).collect::<Vec<_>>().join("\n");
        let marked = [&b"\xEF\xBB\xBF"[..], csv("\n").as_bytes()].concat();
        let (csv_form, utf8) = (TableFormat::Csv, Some(TextEncoding::Utf8));
        for (format, bytes, encoding) in [
            (csv_form, marked, utf8),
            (csv_form, GB18030.encode(&csv("\r\n")).0.into_owned(), Some(TextEncoding::Gb18030)),
            (csv_form, csv("\r").into_bytes(), utf8),
            (TableFormat::Ndjson, ndjson.into_bytes(), utf8),
        ] {
            assert!(bytes.len() > 2 * PIECE, "{}", bytes.len());
            let whole = read(&shapes, format, &bytes, Mark::default(), None);
            assert_eq!(whole.len(), 1300);
            assert!(whole.is_sorted_by(|one, next| one.0 < next.0 && one.2 < next.2), "farther on each time");
            // Round each end of a piece, and at both ends of the file.
            let near = |border: usize| whole.iter().position(|one| one.2.offset >= border as u64).unwrap();
            let borders = [near(PIECE), near(2 * PIECE)];
            let marks = borders.iter().flat_map(|at| [at - 1, *at, at + 1]).chain([0, 1298, 1299]);
            for at in marks {
                let rest = read(&shapes, format, &bytes, whole[at].2, encoding);
                assert_eq!(rest, whole[at + 1..], "{format:?} behind row {at}");
            }
        }
    }
}
