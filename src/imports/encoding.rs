//! Which encoding a text is in: decided, not guessed.
//!
//! What is valid UTF-8 is UTF-8. What is not, but holds more characters of UTF-8 than faults, is UTF-8
//! that was cut or damaged, and is refused at the line of the first fault: read as GB18030 it would
//! often pass, as nonsense. Everything else is GB18030 if it decodes without a single replacement.

use std::borrow::Cow;

use encoding_rs::GB18030;

use super::cells::malformed;
use super::report::TextEncoding;
use crate::errors::{AppError, Result, text};

const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The length of the mark that a text in UTF-8 may begin with.
pub(super) fn mark_of(head: &[u8]) -> usize {
    if head.starts_with(UTF8_MARK) { UTF8_MARK.len() } else { 0 }
}

/// Looks through a text, piece by piece, for what it is encoded in.
#[derive(Debug)]
pub(super) struct Look {
    named: Option<String>,
    marked: bool,
    begun: bool,
    /// The bytes of a character that a piece has cut.
    rest: Vec<u8>,
    good: usize,
    faults: usize,
    breaks: usize,
    /// The line of the first fault.
    fault: Option<usize>,
}

impl Look {
    /// At a text with which this encoding was named.
    pub(super) fn new(named: Option<String>) -> Self {
        let (marked, begun) = (false, false);
        Self { named, marked, begun, rest: Vec::new(), good: 0, faults: 0, breaks: 0, fault: None }
    }

    /// Looks at the next piece.
    ///
    /// # Errors
    /// `malformed_file` for what is no text.
    pub(super) fn at(&mut self, piece: &[u8]) -> Result<()> {
        if (!self.begun && (piece.starts_with(b"\xFF\xFE") || piece.starts_with(b"\xFE\xFF")))
            || piece.contains(&0)
        {
            return Err(malformed(text!(
                "文件是 UTF-16 或二进制内容; 请另存为 “CSV UTF-8” 或 GB18030 编码的 CSV",
                "The file is UTF-16 or binary; save it as CSV in UTF-8 or GB18030"
            )));
        }
        if !self.begun && piece.starts_with(b"PK\x03\x04") {
            return Err(malformed(text!(
                "文件是 Excel 工作簿, 请以其内容类型 (.xlsx) 发送",
                "The file is a workbook; send it with the content type of .xlsx"
            )));
        }
        if !self.begun {
            self.marked = piece.starts_with(UTF8_MARK);
            self.begun = true;
        }
        let mut whole = std::mem::take(&mut self.rest);
        whole.extend_from_slice(piece);
        let mut bytes = whole.as_slice();
        loop {
            let (valid, error) = match std::str::from_utf8(bytes) {
                Ok(valid) => (valid, None),
                Err(error) => {
                    let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
                    (std::str::from_utf8(valid).unwrap_or_default(), Some(error))
                }
            };
            self.good += valid.chars().filter(|c| !c.is_ascii()).count();
            self.breaks += valid.bytes().filter(|byte| *byte == b'\n').count();
            let Some(error) = error else { return Ok(()) };
            bytes = bytes.get(error.valid_up_to()..).unwrap_or_default();
            match error.error_len() {
                None => {
                    self.rest = bytes.to_vec();
                    return Ok(());
                }
                Some(length) => {
                    self.find_fault();
                    bytes = bytes.get(length..).unwrap_or_default();
                }
            }
        }
    }

    fn find_fault(&mut self) {
        self.faults += 1;
        self.fault.get_or_insert(self.breaks + 1);
    }

    /// What the text is encoded in, now that all of it was looked at, and where it begins.
    ///
    /// # Errors
    /// `malformed_file`, naming the line of the first fault of what is or was said to be UTF-8.
    pub(super) fn decide(mut self) -> Result<(TextEncoding, usize)> {
        if !self.rest.is_empty() {
            self.find_fault();
        }
        let named = self.named.as_deref();
        let (is_utf8, is_free) = (named == Some("utf-8"), named.is_none());
        let begin = if self.marked { UTF8_MARK.len() } else { 0 };
        match self.fault {
            None if is_free || is_utf8 || self.marked => Ok((TextEncoding::Utf8, begin)),
            // Text in another encoding forms characters of UTF-8 by accident only.
            Some(line) if self.marked || is_utf8 || (is_free && self.good > self.faults) => {
                Err(not_valid("UTF-8", line))
            }
            _ => Ok((TextEncoding::Gb18030, 0)),
        }
    }
}

/// Decodes a record that begins at this line.
///
/// # Errors
/// `malformed_file`, naming the line of the first fault.
pub(super) fn decode(bytes: &[u8], encoding: TextEncoding, line: u32) -> Result<Cow<'_, str>> {
    let line = line as usize;
    match encoding {
        TextEncoding::Utf8 => match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Cow::Borrowed(text)),
            Err(error) => {
                let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
                Err(not_valid("UTF-8", line + before.split(|byte| *byte == b'\n').count() - 1))
            }
        },
        TextEncoding::Gb18030 => GB18030
            .decode_without_bom_handling_and_without_replacement(bytes)
            .ok_or_else(|| not_valid("GB18030", line + sound_lines(bytes))),
    }
}

/// How many lines of GB18030 are valid before the first that is not: no character of it holds a line break.
fn sound_lines(bytes: &[u8]) -> usize {
    let is_sound = |line: &&[u8]| GB18030.decode_without_bom_handling_and_without_replacement(line).is_some();
    bytes.split_inclusive(|byte| *byte == b'\n').take_while(is_sound).count()
}

fn not_valid(encoding: &str, line: usize) -> AppError {
    malformed(text!(
        "第 {line} 行含有无效的 {encoding} 字节: 文件被截断, 或是别的编码; 请另存为 UTF-8 或 GB18030",
        "Line {line} holds bytes that are no {encoding}: the file was cut off or is in another encoding; \
         save it as UTF-8 or GB18030"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "代码,名称\n530102,昆明市公安局五华分局\n530124,富民县公安局\n";

    /// Looked at in pieces of each length, which makes no difference.
    fn read(bytes: &[u8], named: Option<&str>) -> Result<(String, TextEncoding)> {
        let mut found: Option<std::result::Result<(String, TextEncoding), String>> = None;
        let mut last = None;
        for length in 1..=bytes.len() {
            let mut look = Look::new(named.map(ToOwned::to_owned));
            let looked =
                bytes.chunks(length).try_for_each(|piece| look.at(piece)).and_then(|()| look.decide());
            let outcome = looked.and_then(|(encoding, begin)| {
                Ok((decode(&bytes[begin..], encoding, 1)?.into_owned(), encoding))
            });
            let shown = outcome.as_ref().map(Clone::clone).map_err(ToString::to_string);
            // What a file begins with is told by its first piece, which has four bytes or more.
            if length > 3 {
                assert_eq!(found.get_or_insert_with(|| shown.clone()), &shown, "in pieces of {length}");
            }
            last = Some(outcome);
        }
        last.unwrap()
    }

    fn refused(bytes: &[u8], named: Option<&str>) -> String {
        read(bytes, named).unwrap_err().detail().zh.clone().into_owned()
    }

    #[test]
    fn utf8_with_and_without_mark_and_gb18030_are_read() {
        let marked = [UTF8_MARK, TEXT.as_bytes()].concat();
        assert_eq!(read(TEXT.as_bytes(), None).unwrap(), (TEXT.to_owned(), TextEncoding::Utf8));
        assert_eq!(read(&marked, None).unwrap(), (TEXT.to_owned(), TextEncoding::Utf8));
        assert_eq!(read(&marked, Some("gb18030")).unwrap().1, TextEncoding::Utf8, "the mark says what it is");
        // Four bytes: a character that GBK has not.
        let rare = format!("{TEXT}530199,㑇𠮷派出所\n");
        let bytes = GB18030.encode(&rare).0.into_owned();
        assert_eq!(read(&bytes, None).unwrap(), (rare.clone(), TextEncoding::Gb18030));
        assert_eq!(read(&bytes, Some("gbk")).unwrap().0, rare);
        assert_eq!(read(b"code,name\n", None).unwrap().1, TextEncoding::Utf8);
    }

    #[test]
    fn what_is_cut_is_refused_at_its_line_and_not_read_as_something_else() {
        let cut = TEXT.find("富民").unwrap() + 1;
        assert!(refused(&TEXT.as_bytes()[..cut], None).contains("第 3 行含有无效的 UTF-8"), "cut");
        let mut damaged = TEXT.as_bytes().to_vec();
        damaged[TEXT.find("昆明").unwrap() + 2] = b'?';
        assert!(refused(&damaged, None).contains("第 2 行"), "damaged in the middle");
        let bytes = GB18030.encode(TEXT).0.into_owned();
        assert!(
            refused(&bytes[..bytes.len() - 2], None).contains("第 3 行含有无效的 GB18030"),
            "cut GB18030"
        );
        assert!(refused(&bytes, Some("utf-8")).contains("第 1 行"), "not what it was said to be");
    }

    #[test]
    fn utf16_is_refused_with_a_sentence() {
        let little: Vec<u8> = TEXT.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(refused(&little, None).contains("UTF-16"), "without a mark its separators are zeros");
        let marked: Vec<u8> = [b"\xFF\xFE", little.as_slice()].concat();
        assert!(refused(&marked, None).contains("UTF-16"));
    }
}
