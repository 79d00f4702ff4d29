//! What a workbook's archive holds before anybody reads it: bombs are defused here.
//!
//! A workbook is a zip archive of XML parts. What its directory says of their sizes may be a lie, so
//! each part that will be read is inflated once, counted and thrown away; the reader of workbooks then
//! gets an archive of those parts alone. Pictures, charts, links to other files and macros are left
//! out: they are not read, and nothing is ever followed.
//!
//! Not only large parts hurt. The reader sets memory aside on the word of an attribute, and copies names of
//! fonts and formats once for each style that uses them: hence the bounds on those.

use std::io::{Cursor, Read};

use zip::{ZipArchive, ZipWriter};

use super::cells::{malformed, too_much};
use crate::errors::{AppError, Result, text};

/// Bytes of all parts together, inflated.
const MOST_INFLATED: u64 = 100 * 1024 * 1024;
/// Bytes of a part that is neither a sheet nor the table of texts.
const MOST_ASIDE: u64 = 2 * 1024 * 1024;
/// Parts.
const MOST_PARTS: usize = 2000;
/// Tags of all parts together: four or five a cell, and what a text costs is counted by its tag.
const MOST_TAGS: u64 = 12_000_000;
/// Bytes from one tag to the next where names are copied again and again.
const LONGEST_NAME: usize = 2 * 1024;
/// Texts a table of texts may announce.
const MOST_ANNOUNCED: u64 = 2_000_000;

/// Folders of a workbook that hold nothing of its cells, in lower case.
const LEFT_OUT: &[&str] = &[
    "charts/",
    "comments",
    "ctrlprops/",
    "customxml/",
    "docprops/",
    "drawings/",
    "embeddings/",
    "externallinks/",
    "media/",
    "persons/",
    "pivot",
    "printersettings/",
    "querytables/",
    "slicer",
    "theme/",
    "threadedcomments/",
    "worksheets/_rels/",
];

/// The parts that are read, once they are known to be harmless.
///
/// # Errors
/// `malformed_file` for what is no archive, is cut or broken; `body_too_large` for what inflates to
/// too much.
pub(super) fn defused(bytes: &[u8]) -> Result<Vec<u8>> {
    if bytes.starts_with(b"\xD0\xCF\x11\xE0") {
        return Err(malformed(text!(
            "文件有密码, 或是旧的 .xls 格式; 请另存为不加密的 .xlsx",
            "The file has a password or is an old .xls; save it as .xlsx without one"
        )));
    }
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(|_| broken())?;
    if archive.len() > MOST_PARTS {
        return Err(inflates());
    }
    let mut kept = ZipWriter::new(Cursor::new(Vec::with_capacity(bytes.len())));
    let mut left = Left { bytes: MOST_INFLATED, tags: MOST_TAGS };
    for at in 0..archive.len() {
        {
            let mut part = archive.by_index(at).map_err(|_| broken())?;
            let name = part.name().map_err(|_| broken())?.to_lowercase();
            if name.contains("..") || name.contains('\\') {
                return Err(broken());
            }
            if !is_read(&name) {
                continue;
            }
            left.inflate(&name, &mut part)?;
        }
        let part = archive.by_index_raw(at).map_err(|_| broken())?;
        kept.raw_copy_file(part).map_err(|_| broken())?;
    }
    Ok(kept.finish().map_err(|_| broken())?.into_inner())
}

fn is_read(name: &str) -> bool {
    (has_ending(name, "xml") || has_ending(name, "rels"))
        && !LEFT_OUT.iter().any(|folder| name.contains(folder))
}

fn has_ending(name: &str, ending: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, found)| found == ending)
}

/// What may still be inflated.
struct Left {
    bytes: u64,
    tags: u64,
}

impl Left {
    fn inflate(&mut self, name: &str, part: &mut impl Read) -> Result<()> {
        let copied = has_ending(name, "rels") || name.ends_with("styles.xml");
        let is_sheet = name.contains("worksheets/") && !copied;
        let is_texts = name.ends_with("sharedstrings.xml");
        let is_root = name == "_rels/.rels";
        let mut root = Vec::new();
        let mut aside = if is_sheet || is_texts { self.bytes } else { MOST_ASIDE };
        let (mut stretch, mut announced) = (0_usize, Announced::default());
        let mut piece = vec![0_u8; 64 * 1024];
        loop {
            let read = part.read(&mut piece).map_err(|_| broken())?;
            if read == 0 {
                return if is_root { root_is_plain(&root) } else { Ok(()) };
            }
            let piece = piece.get(..read).unwrap_or_default();
            self.bytes = self.bytes.checked_sub(read as u64).ok_or_else(inflates)?;
            aside = aside.checked_sub(read as u64).ok_or_else(inflates)?;
            // No XML holds control characters; an encoding that needs them would get past what is looked for here.
            if piece.iter().any(|byte| *byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')) {
                return Err(broken());
            }
            for byte in piece {
                self.tags = self.tags.checked_sub(u64::from(*byte == b'<')).ok_or_else(inflates)?;
            }
            for byte in piece.iter().filter(|_| copied) {
                stretch = if *byte == b'<' { 0 } else { stretch + 1 };
                if stretch > LONGEST_NAME {
                    return Err(inflates());
                }
            }
            announced.look(piece)?;
            if is_root {
                root.extend_from_slice(piece);
            }
        }
    }
}

/// The book itself may not lie among its sheets, whose size is bounded by nothing but the whole.
fn root_is_plain(root: &[u8]) -> Result<()> {
    let text = String::from_utf8_lossy(root).to_lowercase();
    if text.contains("worksheets") || text.contains('&') { Err(broken()) } else { Ok(()) }
}

/// Looks for `uniqueCount="…"`, across pieces.
#[derive(Default)]
struct Announced {
    tail: Vec<u8>,
}

impl Announced {
    fn look(&mut self, piece: &[u8]) -> Result<()> {
        const WORD: &[u8] = b"uniqueCount";
        // Long enough for the word, spaces round the sign and the digits of the largest number.
        const TAIL: usize = 64;
        self.tail.extend_from_slice(piece);
        let mut rest = self.tail.as_slice();
        while let Some(at) = rest.windows(WORD.len()).position(|window| window == WORD) {
            rest = rest.get(at + WORD.len()..).unwrap_or_default();
            let mut digits = rest
                .iter()
                .copied()
                .skip_while(|byte| byte.is_ascii_whitespace() || matches!(byte, b'=' | b'"' | b'\''));
            let number = digits
                .by_ref()
                .take_while(u8::is_ascii_digit)
                .fold(0_u64, |sum, digit| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
            if number > MOST_ANNOUNCED {
                return Err(inflates());
            }
        }
        let from = self.tail.len().saturating_sub(TAIL);
        self.tail.drain(..from);
        Ok(())
    }
}

fn broken() -> AppError {
    malformed(text!(
        "不是完整的 .xlsx 工作簿: 文件被截断或已损坏",
        "It is no whole .xlsx workbook: the file was cut off or is damaged"
    ))
}

fn inflates() -> AppError {
    let most = MOST_INFLATED / 1024 / 1024;
    too_much(text!(
        "工作簿解压后过大 (至多 {most} MiB, 样式与关系至多 2 MiB); 请只留数据, 或另存为 CSV",
        "The workbook inflates to too much (at most {most} MiB, styles and relations 2 MiB); keep the data only, \
         or save it as CSV"
    ))
}
