//! Which encoding a text is in: decided, not guessed.
//!
//! What is valid UTF-8 is UTF-8. What is not, but holds more characters of UTF-8 than faults, is UTF-8
//! that was cut or damaged, and is refused at the line of the first fault: read as GB18030 it would
//! often pass, as nonsense. Everything else is GB18030 if it decodes without a single replacement.

use encoding_rs::GB18030;

use super::cells::malformed;
use super::report::TextEncoding;
use crate::errors::{AppError, Result, text};

const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Decodes a text; `named` is the encoding that was named with it.
///
/// # Errors
/// `malformed_file`, naming the line of the first fault.
pub(super) fn decode(bytes: Vec<u8>, named: Option<&str>) -> Result<(String, TextEncoding)> {
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") || bytes.contains(&0) {
        return Err(malformed(text!(
            "文件是 UTF-16 或二进制内容; 请另存为 “CSV UTF-8” 或 GB18030 编码的 CSV",
            "The file is UTF-16 or binary; save it as CSV in UTF-8 or GB18030"
        )));
    }
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(malformed(text!(
            "文件是 Excel 工作簿, 请以其内容类型 (.xlsx) 发送",
            "The file is a workbook; send it with the content type of .xlsx"
        )));
    }
    let marked = bytes.starts_with(UTF8_MARK);
    match String::from_utf8(bytes) {
        Ok(mut whole) if named.is_none_or(|named| named == "utf-8") || marked => {
            if marked {
                whole.drain(..UTF8_MARK.len());
            }
            Ok((whole, TextEncoding::Utf8))
        }
        Ok(whole) => gb18030(whole.as_bytes()),
        Err(error) => {
            let fault = error.utf8_error().valid_up_to();
            let bytes = error.into_bytes();
            if marked || named == Some("utf-8") || (named.is_none() && is_damaged_utf8(&bytes)) {
                return Err(not_valid("UTF-8", &bytes, fault));
            }
            gb18030(&bytes)
        }
    }
}

fn gb18030(bytes: &[u8]) -> Result<(String, TextEncoding)> {
    match GB18030.decode_without_bom_handling_and_without_replacement(bytes) {
        Some(whole) => Ok((whole.into_owned(), TextEncoding::Gb18030)),
        None => Err(not_valid("GB18030", bytes, first_fault(bytes))),
    }
}

/// Text in another encoding forms characters of UTF-8 by accident only.
fn is_damaged_utf8(bytes: &[u8]) -> bool {
    let (mut good, mut faults) = (0_usize, 0_usize);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        faults += usize::from(!chunk.invalid().is_empty());
    }
    good > faults
}

/// Where GB18030 ends to be valid: the first line that does not decode by itself, for no character
/// of it holds a line break.
fn first_fault(bytes: &[u8]) -> usize {
    let mut at = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        if GB18030.decode_without_bom_handling_and_without_replacement(line).is_none() {
            break;
        }
        at += line.len();
    }
    at
}

fn not_valid(encoding: &str, bytes: &[u8], fault: usize) -> AppError {
    let before = bytes.get(..fault).unwrap_or_default();
    let line = before.split(|byte| *byte == b'\n').count();
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

    fn refused(bytes: &[u8], named: Option<&str>) -> String {
        decode(bytes.to_vec(), named).unwrap_err().detail().zh.clone().into_owned()
    }

    #[test]
    fn utf8_with_and_without_mark_and_gb18030_are_read() {
        let marked = [UTF8_MARK, TEXT.as_bytes()].concat();
        assert_eq!(decode(TEXT.into(), None).unwrap(), (TEXT.to_owned(), TextEncoding::Utf8));
        assert_eq!(decode(marked.clone(), None).unwrap(), (TEXT.to_owned(), TextEncoding::Utf8));
        assert_eq!(
            decode(marked, Some("gb18030")).unwrap().1,
            TextEncoding::Utf8,
            "the mark says what it is"
        );
        // Four bytes: a character that GBK has not.
        let rare = format!("{TEXT}530199,㑇𠮷派出所\n");
        let bytes = GB18030.encode(&rare).0.into_owned();
        assert_eq!(decode(bytes.clone(), None).unwrap(), (rare.clone(), TextEncoding::Gb18030));
        assert_eq!(decode(bytes, Some("gbk")).unwrap().0, rare);
        assert_eq!(decode(b"code,name\n".to_vec(), None).unwrap().1, TextEncoding::Utf8);
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
