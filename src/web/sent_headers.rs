//! Headers that an operation reads besides its body: declared once, for the document and for whoever reads them.

use actix_web::http::header::HeaderMap;
use serde_json::{Value, json};

use super::input::Body;
use crate::errors::{AppError, Code, FieldError, Place, Result, Text, text};

/// What a header may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// This and nothing else; whatever else is said is refused as a whole.
    Only(&'static str, Code),
    /// A whole number from the first to the second. What is greater is refused as a whole where there is a code for it.
    Number(i64, i64, Option<Code>),
    /// Characters of ASCII, so many at most, of this pattern.
    Text(usize, &'static str),
    /// Nothing: it stands for something that is not done here, and is not in the document.
    Nothing,
}

/// A header of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SentHeader {
    /// Its name.
    pub name: &'static str,
    /// Whether it must be there.
    pub required: bool,
    /// What it may say.
    pub says: Says,
    /// What it is for. Chinese.
    pub description: &'static str,
    /// An example.
    pub example: &'static str,
}

impl SentHeader {
    /// As a parameter in the document, if it stands there.
    pub(super) fn parameter(&self) -> Option<Value> {
        let schema = match self.says {
            Says::Only(value, _) => json!({ "type": "string", "enum": [value] }),
            Says::Number(least, most, _) => {
                json!({ "type": "integer", "format": "int64", "minimum": least, "maximum": most })
            }
            Says::Text(longest, pattern) => {
                json!({ "type": "string", "maxLength": longest, "pattern": pattern })
            }
            Says::Nothing => return None,
        };
        let example = match self.says {
            Says::Number(..) => self.example.parse::<i64>().map_or(Value::Null, Value::from),
            _ => json!(self.example),
        };
        Some(json!({
            "name": self.name, "in": "header", "required": self.required, "description": self.description,
            "schema": schema, "example": example,
        }))
    }

    /// What it says; nothing where it may be left out and is.
    fn read(&self, headers: &HeaderMap, errors: &mut Vec<FieldError>) -> Result<Option<String>> {
        let name = self.name;
        let mut wrong = |code: Code, detail: Text| {
            errors.push(FieldError { place: Place::Header(name), code, detail, facts: None });
        };
        let mut said = headers.get_all(name);
        let (first, more) = (said.next(), said.next().is_some());
        let Some(value) = first else {
            if let Says::Only(_, code) = self.says
                && self.required
            {
                return Err(AppError::new(code));
            }
            if self.required {
                wrong(Code::Required, text!("须有请求头 {name}", "The header {name} is missing"));
            }
            return Ok(None);
        };
        if more {
            wrong(
                Code::NotUnique,
                text!("请求头 {name} 只能出现一次", "The header {name} may be given only once"),
            );
            return Ok(None);
        }
        let said = value.to_str().unwrap_or("\u{FFFD}").trim();
        match self.says {
            Says::Only(value, code) if said != value => return Err(AppError::new(code)),
            Says::Number(least, most, too_much) => {
                let digits = !said.is_empty() && said.bytes().all(|byte| byte.is_ascii_digit());
                // A number that no type holds is greater than the greatest there may be.
                let number = digits.then(|| said.parse::<i64>().unwrap_or(i64::MAX));
                match (number, too_much) {
                    (Some(number), Some(code)) if number > most => return Err(AppError::new(code)),
                    (Some(number), _) if (least..=most).contains(&number) => {}
                    _ => {
                        let detail = text!(
                            "{name} 须为 {least} 到 {most} 的整数",
                            "{name} must be a whole number from {least} to {most}"
                        );
                        wrong(Code::WrongFormat, detail);
                    }
                }
            }
            Says::Text(longest, _) if said.len() > longest => {
                wrong(
                    Code::TooLong,
                    text!("{name} 至多 {longest} 个字符", "{name} may have at most {longest} characters"),
                );
            }
            Says::Nothing => {
                wrong(
                    Code::NotAllowedValue,
                    text!("不支持请求头 {name}", "The header {name} is not supported"),
                );
            }
            Says::Only(..) | Says::Text(..) => {}
        }
        Ok(Some(said.to_owned()))
    }
}

/// What the headers say that a body declares, all errors at once.
pub(super) fn read_headers<B: Body>(headers: &HeaderMap) -> Result<Vec<(&'static str, String)>> {
    let (mut errors, mut read) = (Vec::new(), Vec::new());
    for header in B::HEADERS {
        if let Some(said) = header.read(headers, &mut errors)? {
            read.push((header.name, said));
        }
    }
    if errors.is_empty() { Ok(read) } else { Err(AppError::fields(Code::InvalidHeader, errors)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::{HeaderName, HeaderValue};

    const LENGTH: SentHeader = SentHeader {
        name: "upload-length",
        required: true,
        says: Says::Number(1, 10, Some(Code::BodyTooLarge)),
        description: "",
        example: "1",
    };

    fn read(header: SentHeader, said: &[&str]) -> Result<Option<String>, Vec<Code>> {
        let mut headers = HeaderMap::new();
        for value in said {
            headers.append(HeaderName::from_static(header.name), HeaderValue::from_str(value).unwrap());
        }
        let mut errors = Vec::new();
        let said = header.read(&headers, &mut errors).map_err(|error| vec![error.code()])?;
        if errors.is_empty() { Ok(said) } else { Err(errors.iter().map(|error| error.code).collect()) }
    }

    #[test]
    fn a_number_is_digits_within_its_bounds() {
        assert_eq!(read(LENGTH, &["7"]), Ok(Some("7".to_owned())));
        for said in ["", "0", "-1", "+1", "1.0", "0x1", "七"] {
            assert_eq!(read(LENGTH, &[said]), Err(vec![Code::WrongFormat]), "{said}");
        }
        for said in ["11", "99999999999999999999999999"] {
            assert_eq!(read(LENGTH, &[said]), Err(vec![Code::BodyTooLarge]), "{said}");
        }
        assert_eq!(read(LENGTH, &[]), Err(vec![Code::Required]));
        assert_eq!(read(LENGTH, &["7", "7"]), Err(vec![Code::NotUnique]));
    }

    #[test]
    fn a_version_is_that_version_and_what_is_not_done_is_refused() {
        let version =
            SentHeader { says: Says::Only("1.0.0", Code::TusVersionUnsupported), required: true, ..LENGTH };
        assert_eq!(read(version, &["1.0.0"]), Ok(Some("1.0.0".to_owned())));
        for said in [&["0.2.2"][..], &[]] {
            assert_eq!(read(version, said), Err(vec![Code::TusVersionUnsupported]));
        }
        let never = SentHeader { says: Says::Nothing, required: false, ..LENGTH };
        assert_eq!(read(never, &["1"]), Err(vec![Code::NotAllowedValue]));
        assert_eq!(read(never, &[]), Ok(None));
    }
}
