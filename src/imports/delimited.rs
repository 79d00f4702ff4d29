//! Text with separators (RFC 4180), strictly: a quote that nobody closes is a file that was cut.

use super::cells::{Cell, MOST_COLUMNS, Record, malformed, too_many_columns};
use crate::errors::{Result, text};

/// The separator of a table: the one of `,` `;` and TAB that stands most often in its heading, outside quotes; the
/// comma when equal.
pub(super) fn separator(text: &str) -> u8 {
    let mut quoted = false;
    let mut counts = [(b',', 0_usize), (b';', 0), (b'\t', 0)];
    for byte in text.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            _ if quoted => {}
            _ => {
                for (known, count) in &mut counts {
                    *count += usize::from(*known == byte);
                }
            }
        }
    }
    let [comma, others @ ..] = counts;
    let most = others.iter().fold(comma, |most, one| if one.1 > most.1 { *one } else { most });
    most.0
}

/// Reads the one record of a text that [`Cut`] has cut out, whose first line bears this number; and the number of the
/// line behind it.
///
/// # Errors
/// `malformed_file` with the line of an open quote or of what follows a closed one.
pub(super) fn record(text: &str, separator: u8, line: u32) -> Result<(Record, u32)> {
    let mut reader = Reader { text, at: 0, line, separator };
    let record = reader.record()?.unwrap_or(Record { line, cells: Vec::new() });
    Ok((record, reader.line))
}

/// Where records end, told by bytes: no byte of a longer character looks like a quote, a separator or a line break,
/// neither in UTF-8 nor in GB18030.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// At each line break: lines of JSON.
    Lines,
    /// At the first line break outside quotes, whatever separates: the heading.
    Heading,
    /// At a line break outside cells that begin with a quote.
    Records(u8),
}

/// Where in a record a byte stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Begin,
    Plain,
    Quoted,
    Closed,
}

impl Cut {
    /// The length of the first record with its line break; none when it may go on behind these bytes.
    pub(super) fn length(self, bytes: &[u8], is_last: bool) -> Option<usize> {
        let mut within = Within::Begin;
        for (at, byte) in bytes.iter().enumerate() {
            let is_quoted = within == Within::Quoted;
            let is_free = self == Self::Lines || !is_quoted;
            within = match (self, byte) {
                (_, b'\n') if is_free => return Some(at + 1),
                (Self::Heading | Self::Records(_), b'\r') if is_free => {
                    return match bytes.get(at + 1) {
                        Some(b'\n') => Some(at + 2),
                        Some(_) => Some(at + 1),
                        None => is_last.then_some(at + 1),
                    };
                }
                (_, b'"') if is_quoted => Within::Closed,
                // Whatever separates, a quote in a heading opens; in a record one that begins a cell does, and one
                // that follows a closed one, for within quotes it is written twice.
                (Self::Heading, b'"') => Within::Quoted,
                (Self::Records(_), b'"') if within != Within::Plain => Within::Quoted,
                (Self::Records(separator), byte) if !is_quoted && *byte == separator => Within::Begin,
                _ if is_quoted => within,
                _ => Within::Plain,
            };
        }
        (is_last && !bytes.is_empty()).then_some(bytes.len())
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    line: u32,
    separator: u8,
}

impl Reader<'_> {
    fn here(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn record(&mut self) -> Result<Option<Record>> {
        if self.here().is_none() {
            return Ok(None);
        }
        let line = self.line;
        let mut cells = Vec::new();
        loop {
            if cells.len() >= MOST_COLUMNS {
                return Err(too_many_columns(line));
            }
            cells.push(if self.here() == Some(b'"') { self.quoted()? } else { self.plain() });
            match self.here() {
                Some(byte) if byte == self.separator => self.at += 1,
                _ => break,
            }
        }
        self.line_break();
        Ok(Some(Record { line, cells }))
    }

    /// Steps over a line break of any kind.
    fn line_break(&mut self) {
        match self.here() {
            Some(b'\r') => {
                self.at += 1;
                if self.here() == Some(b'\n') {
                    self.at += 1;
                }
            }
            Some(b'\n') => self.at += 1,
            _ => return,
        }
        self.line += 1;
    }

    fn plain(&mut self) -> Cell {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let ends = |byte: u8| byte == self.separator || byte == b'\n' || byte == b'\r';
        let length = rest.bytes().position(ends).unwrap_or(rest.len());
        self.at += length;
        Cell::of(rest.get(..length).unwrap_or_default())
    }

    fn quoted(&mut self) -> Result<Cell> {
        let opened = self.line;
        let mut held = String::new();
        self.at += 1;
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let Some(length) = rest.bytes().position(|byte| byte == b'"') else {
                return Err(malformed(text!(
                    "第 {opened} 行的引号没有闭合: 文件可能被截断",
                    "The quote in line {opened} is never closed: the file may have been cut off"
                )));
            };
            let piece = rest.get(..length).unwrap_or_default();
            self.line = self.line.saturating_add(breaks(piece));
            held.push_str(piece);
            self.at += length + 1;
            if self.here() != Some(b'"') {
                break;
            }
            held.push('"');
            self.at += 1;
        }
        // Spaces after the quote are nobody's.
        while self.here() == Some(b' ') {
            self.at += 1;
        }
        match self.here() {
            None | Some(b'\n' | b'\r') => Ok(Cell::of(&held)),
            Some(byte) if byte == self.separator => Ok(Cell::of(&held)),
            Some(_) => {
                let line = self.line;
                Err(malformed(text!(
                    "第 {line} 行的引号之后另有文字: 引号内的引号要写两个",
                    "Something follows a closed quote in line {line}: a quote within quotes is written twice"
                )))
            }
        }
    }
}

/// Line breaks in a quoted piece, of whichever kind.
fn breaks(piece: &str) -> u32 {
    let pairs = piece.matches("\r\n").count();
    let single = piece.bytes().filter(|byte| matches!(byte, b'\r' | b'\n')).count();
    u32::try_from(single - pairs).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Vec<(u32, Vec<String>)>> {
        let mut found = Vec::new();
        let bytes = text.as_bytes();
        let heading = Cut::Heading.length(bytes, true).unwrap_or_default();
        let separator = separator(&text[..heading]);
        let (mut at, mut line) = (0, 1);
        while let Some(length) = Cut::Records(separator).length(&bytes[at..], true) {
            let (record, next) = record(&text[at..at + length], separator, line)?;
            (at, line) = (at + length, next);
            if record.is_blank() {
                continue;
            }
            let cells = record.cells.into_iter().map(|cell| match cell {
                Cell::Text(text) => text,
                Cell::Broken(code, _) => code.name().to_owned(),
            });
            found.push((record.line, cells.collect()));
        }
        Ok(found)
    }

    fn cells(text: &str) -> Vec<Vec<String>> {
        read(text).unwrap().into_iter().map(|(_, cells)| cells).collect()
    }

    #[test]
    fn separators_are_told_by_the_heading() {
        for text in ["a,b\n1,2;x\n", "a;b\r\n1;2;x\r\n", "a\tb\r1\t2;x"] {
            assert_eq!(cells(text)[0], ["a", "b"], "{text:?}");
        }
        assert_eq!(cells("\"a;;;\",b\n")[0], ["a;;;", "b"], "what is quoted does not count");
        assert_eq!(cells("a\nb;c\n"), [["a"], ["b;c"]], "of one column there is no separator but the comma");
    }

    #[test]
    fn quotes_hold_separators_quotes_and_line_breaks_and_lines_are_counted_as_they_stand() {
        let text = "code,name\n1,\"a,\"\"b\"\"\r\nc\"\n\n  \n,\n2,= 1 + 1 \n";
        assert_eq!(
            read(text).unwrap(),
            [
                (1, vec!["code".to_owned(), "name".into()]),
                (2, vec!["1".into(), "a,\"b\"\r\nc".into()]),
                (7, vec!["2".into(), "= 1 + 1".into()]),
            ]
        );
        let long = "x".repeat(200_000);
        assert_eq!(cells(&format!("a,b\n{long},1"))[1], ["too_long", "1"]);
    }

    #[test]
    fn a_quote_left_open_or_followed_by_text_is_refused_at_its_line() {
        let refused = |text: &str| read(text).unwrap_err().detail().en.clone().into_owned();
        assert!(refused("a,b\n1,\"cut in\nthe middle").contains("line 2 is never closed"));
        assert!(refused("a,b\n1,\"x\ny\"z\n").contains("in line 3"));
        assert_eq!(read(&",".repeat(300)).unwrap_err().code().name(), "body_too_large");
    }

    proptest! {
        #[test]
        fn a_record_ends_where_its_reader_says_and_is_not_cut_before_it_is_there(text in "[a\",;\r\n 省]{0,40}") {
            let bytes = text.as_bytes();
            let whole = Cut::Records(b',').length(bytes, true);
            if let Some(length) = whole {
                // Of fewer bytes it says nothing, or the same.
                for short in 0..bytes.len() {
                    let early = Cut::Records(b',').length(&bytes[..short], false);
                    prop_assert!(early.is_none() || early == whole, "{short}: {early:?} {whole:?}");
                }
                let mut reader = Reader { text: &text, at: 0, line: 1, separator: b',' };
                if reader.record().is_ok() {
                    prop_assert_eq!(reader.at, length);
                }
            }
        }

        #[test]
        fn what_is_written_with_quotes_is_read_back(
            table in proptest::collection::vec(proptest::collection::vec("[a\",;\t\n省 ]{0,6}", 2..4), 1..6)
        ) {
            let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
            let text: String =
                table.iter().map(|row| row.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n").collect();
            let wanted: Vec<Vec<String>> = table
                .iter()
                .map(|row| row.iter().map(|cell| cell.trim().to_owned()).collect::<Vec<_>>())
                .filter(|row: &Vec<String>| row.iter().any(|cell| !cell.is_empty()))
                .collect();
            // What is quoted in the first line does not decide the separator.
            prop_assert_eq!(cells(&text), wanted);
        }
    }
}
