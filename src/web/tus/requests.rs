//! What is read of requests.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::errors::{AppError, Code, FieldError, Place, Result, text};
use crate::web::input::Body;
use crate::web::receive::{Allowance, Incoming, Sent};
use crate::web::schemas::Collector;
use crate::web::sent_headers::{Says, SentHeader};
use crate::web::shape::Shapes;

/// The media type of a part of a file.
const PART: &str = "application/offset+octet-stream";
/// Bytes of a file at most.
const MOST: i64 = 20 * 1024 * 1024;
/// The same, as it is told.
const MOST_TOLD: &str = "20971520";
/// Characters of `Upload-Metadata` at most.
const LONGEST_METADATA: usize = 4096;

const RESUMABLE: SentHeader = SentHeader {
    name: "Tus-Resumable",
    required: true,
    says: Says::Only("1.0.0", Code::TusVersionUnsupported),
    description: "tus 协议的版本; 缺少或不是 1.0.0 则 412。",
    example: "1.0.0",
};
const LENGTH: SentHeader = SentHeader {
    name: "Upload-Length",
    required: true,
    says: Says::Number(1, MOST, Some(Code::BodyTooLarge)),
    description: "整个文件的字节数; 过大则 413。",
    example: "2418304",
};
const OFFSET: SentHeader = SentHeader {
    name: "Upload-Offset",
    required: true,
    says: Says::Number(0, MOST, None),
    description: "这一段从文件的第几个字节开始, 须与已收的字节数相同, 否则 409。",
    example: "0",
};
const DEFERRED: SentHeader = SentHeader {
    name: "Upload-Defer-Length",
    required: false,
    says: Says::Nothing,
    description: "",
    example: "",
};

/// Headers that every answer about an upload bears, refusals too.
const TELLS: &[(&str, &str)] = &[
    ("Tus-Resumable", "1.0.0"),
    ("Tus-Version", "1.0.0"),
    ("Tus-Extension", "creation,expiration,termination"),
    ("Tus-Max-Size", MOST_TOLD),
    ("Cache-Control", "no-store"),
];

const CODES: &[Code] = &[Code::TusVersionUnsupported];

fn said<'s>(sent: &'s Sent, name: &str) -> Option<&'s str> {
    sent.headers.iter().find(|(known, _)| *known == name).map(|(_, said)| said.as_str())
}

fn number(sent: &Sent, header: &SentHeader) -> Result<i64> {
    let number = said(sent, header.name).and_then(|said| said.parse().ok());
    number.ok_or_else(|| AppError::internal(format!("{} was not read", header.name)))
}

/// What is said of a file in `Upload-Metadata`.
pub trait Metadata: Sized + Send + 'static {
    /// The keys there are.
    const KEYS: &'static [&'static str];
    /// What the header looks like.
    const PATTERN: &'static str;
    /// What the keys are for. Chinese.
    const DOC: &'static str;
    /// An example of the header.
    const EXAMPLE: &'static str;

    /// Reads what stands under the keys, each there once at most; what is wrong is put to the errors by [`wrong_metadata`].
    fn read(value: &dyn Fn(&str) -> Option<String>, errors: &mut Vec<FieldError>) -> Self;
}

/// What is wrong with the value of a key.
#[must_use]
pub fn wrong_metadata(key: &str, code: Code) -> FieldError {
    let (zh, en) = (code.title_zh(), code.title_en());
    let detail = text!("Upload-Metadata 中 {key}: {zh}", "{key} in Upload-Metadata: {en}");
    FieldError { place: Place::Header("Upload-Metadata"), code, detail, facts: None }
}

/// The pairs of `Upload-Metadata`: keys, and values in base64, which may be missing.
fn pairs(said: &str, known: &[&str], errors: &mut Vec<FieldError>) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for pair in said.split(',').map(str::trim).filter(|_| !said.is_empty()) {
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        // Told as it was sent, but for what no text of ours holds, and not at any length.
        let shown: String = key.chars().filter(char::is_ascii_graphic).take(40).collect();
        if !known.contains(&key) {
            let allowed = known.join(", ");
            let detail = text!(
                "Upload-Metadata 没有键 {shown}, 可用: {allowed}",
                "Upload-Metadata has no key {shown}; there are: {allowed}"
            );
            errors.push(FieldError {
                place: Place::Header("Upload-Metadata"),
                code: Code::UnknownField,
                detail,
                facts: None,
            });
        } else if found.iter().any(|(there, _)| there == key) {
            errors.push(wrong_metadata(&shown, Code::NotUnique));
        } else {
            let text = STANDARD.decode(value.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            match text.filter(|text| !text.contains('\0')) {
                Some(text) => found.push((key.to_owned(), text)),
                None => errors.push(wrong_metadata(&shown, Code::WrongFormat)),
            }
        }
    }
    found
}

/// A file that is announced: how long it is, and what `M` says of it.
#[derive(Debug)]
pub struct Announced<M> {
    /// Bytes.
    pub length: i64,
    /// What is said of it.
    pub said: M,
}

impl<M: Metadata> Body for Announced<M> {
    const PRESENT: bool = false;
    const VERSIONED: bool = false;
    const HEADERS: &'static [SentHeader] = &[
        RESUMABLE,
        LENGTH,
        DEFERRED,
        SentHeader {
            name: "Upload-Metadata",
            required: false,
            says: Says::Text(LONGEST_METADATA, M::PATTERN),
            description: M::DOC,
            example: M::EXAMPLE,
        },
    ];
    const TELLS: &'static [(&'static str, &'static str)] = TELLS;
    const CODES: &'static [Code] = &[Code::TusVersionUnsupported, Code::BodyTooLarge];

    fn schema(_: &mut Collector) -> Option<String> {
        None
    }
    fn example() -> Option<Value> {
        None
    }
    fn parse(_: &Shapes, sent: Sent) -> Result<Self> {
        let length = number(&sent, &LENGTH)?;
        let mut errors = Vec::new();
        let pairs = pairs(said(&sent, "Upload-Metadata").unwrap_or_default(), M::KEYS, &mut errors);
        let value = |key: &str| pairs.iter().find(|(known, _)| known == key).map(|(_, value)| value.clone());
        let said = M::read(&value, &mut errors);
        if errors.is_empty() {
            Ok(Self { length, said })
        } else {
            Err(AppError::fields(Code::InvalidHeader, errors))
        }
    }
}

/// A request about an upload that says nothing but the protocol's version.
#[derive(Debug, Clone, Copy)]
pub struct Asked;

impl Body for Asked {
    const PRESENT: bool = false;
    const VERSIONED: bool = false;
    const HEADERS: &'static [SentHeader] = &[RESUMABLE];
    const TELLS: &'static [(&'static str, &'static str)] = TELLS;
    const CODES: &'static [Code] = CODES;

    fn schema(_: &mut Collector) -> Option<String> {
        None
    }
    fn example() -> Option<Value> {
        None
    }
    fn parse(_: &Shapes, _: Sent) -> Result<Self> {
        Ok(Self)
    }
}

/// A part of a file, which its handler receives as it arrives.
#[derive(Debug)]
pub struct Part {
    /// Where in the file it begins.
    pub offset: i64,
    /// Its bytes.
    pub bytes: Incoming,
}

impl Body for Part {
    const PRESENT: bool = true;
    const VERSIONED: bool = false;
    const STREAMED: bool = true;
    const MEDIA: &'static [&'static str] = &[PART];
    const ALLOWANCE: Allowance = Allowance::FORM;
    const HEADERS: &'static [SentHeader] = &[RESUMABLE, OFFSET];
    const TELLS: &'static [(&'static str, &'static str)] = TELLS;
    const CODES: &'static [Code] = CODES;

    fn schema(_: &mut Collector) -> Option<String> {
        None
    }
    fn example() -> Option<Value> {
        Some(json!("(文件的一段)"))
    }
    fn content(_: &mut Collector) -> Option<Map<String, Value>> {
        let schema = json!({
            "type": "string", "format": "binary", "minLength": 0, "maxLength": MOST,
            "description": "文件的一段, 字节原样; 可以为空。",
        });
        Some(
            [(PART.to_owned(), json!({ "schema": schema, "example": Self::example() }))]
                .into_iter()
                .collect(),
        )
    }
    fn parse(_: &Shapes, sent: Sent) -> Result<Self> {
        let offset = number(&sent, &OFFSET)?;
        let bytes = sent.incoming.ok_or_else(|| AppError::internal("a part is received by its handler"))?;
        Ok(Self { offset, bytes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_keys_and_values_in_base64() {
        let read = |said: &str| {
            let mut errors = Vec::new();
            let found = pairs(said, &["filename", "id"], &mut errors);
            (found, errors.iter().map(|error| error.code).collect::<Vec<_>>())
        };
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(read(""), (vec![], vec![]));
        assert_eq!(read("filename YS5qcGc=,id"), (vec![pair("filename", "a.jpg"), pair("id", "")], vec![]));
        assert_eq!(
            read("filename YS5qcGc=, id eA=="),
            (vec![pair("filename", "a.jpg"), pair("id", "x")], vec![])
        );
        for (said, code) in [
            (",", Code::UnknownField),
            ("filetype aW1hZ2U=", Code::UnknownField),
            ("Filename YQ==", Code::UnknownField),
            ("filename YQ", Code::WrongFormat),
            ("filename !", Code::WrongFormat),
            ("filename /w==", Code::WrongFormat),
            ("filename AA==", Code::WrongFormat),
            ("filename YQ==,filename YQ==", Code::NotUnique),
        ] {
            assert_eq!(read(said).1.first(), Some(&code), "{said}");
        }
    }
}
