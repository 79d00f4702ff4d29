//! Refusals on the wire: `application/problem+json` (RFC 9457) in the caller's language. The one
//! place where a kind becomes a status.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER};
use serde::Serialize;
use serde_json::Value;

use crate::errors::{AppError, Code, FieldError, Kind, Place, Text};

/// The language of titles and details.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// `zh-CN`, when nothing else is asked for.
    #[default]
    Chinese,
    /// `en`.
    English,
}

impl Language {
    /// From `Accept-Language`: the one of the two with the greater weight, Chinese when equal.
    #[must_use]
    pub fn from_header(header: Option<&str>) -> Self {
        let (mut zh, mut en) = (0.0_f32, 0.0_f32);
        for part in header.unwrap_or_default().split(',') {
            let mut pieces = part.trim().split(';');
            let tag = pieces.next().unwrap_or_default().trim().to_ascii_lowercase();
            let weight =
                pieces.find_map(|piece| piece.trim().strip_prefix("q=")?.parse().ok()).unwrap_or(1.0);
            match tag.split('-').next() {
                Some("zh") => zh = zh.max(weight),
                Some("en") => en = en.max(weight),
                Some("*") => zh = zh.max(weight * 0.001),
                _ => {}
            }
        }
        if en > zh { Self::English } else { Self::Chinese }
    }

    /// The tag for `Content-Language`.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::Chinese => "zh-CN",
            Self::English => "en",
        }
    }

    fn pick(self, text: &Text) -> &str {
        match self {
            Self::Chinese => &text.zh,
            Self::English => &text.en,
        }
    }
}

/// The status of a kind.
#[must_use]
pub const fn status_of(kind: Kind) -> u16 {
    match kind {
        Kind::BadRequest => 400,
        Kind::Unauthenticated => 401,
        Kind::Forbidden => 403,
        Kind::NotFound => 404,
        Kind::MethodNotAllowed => 405,
        Kind::NotAcceptable => 406,
        Kind::Conflict => 409,
        Kind::Gone => 410,
        Kind::PreconditionFailed => 412,
        Kind::TooLarge => 413,
        Kind::UriTooLong => 414,
        Kind::UnsupportedMedia => 415,
        Kind::RangeNotSatisfiable => 416,
        Kind::Unprocessable | Kind::Field => 422,
        Kind::PreconditionRequired => 428,
        Kind::TooMany => 429,
        Kind::Internal => 500,
        Kind::Unavailable => 503,
    }
}

/// The body of a refusal.
#[derive(Debug, Serialize)]
pub struct Problem<'a> {
    r#type: String,
    title: &'a str,
    status: u16,
    detail: &'a str,
    instance: &'a str,
    code: &'static str,
    request_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    facts: Option<&'a Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Item<'a>>,
}

#[derive(Debug, Default, Serialize)]
struct Item<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pointer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    header: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'a str>,
    code: &'static str,
    detail: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    facts: Option<&'a Value>,
}

impl<'a> Item<'a> {
    fn of(error: &'a FieldError, language: Language) -> Self {
        let mut item = Self {
            code: error.code.name(),
            detail: language.pick(&error.detail),
            facts: error.facts.as_ref(),
            ..Self::default()
        };
        match &error.place {
            Place::Body(pointer) => item.pointer = Some(pointer),
            Place::Query(name) => item.parameter = Some(name),
            Place::Header(name) => item.header = Some(name),
            Place::Row(line, column) => {
                item.line = Some(*line);
                item.field = Some(column.as_str()).filter(|column| !column.is_empty());
            }
        }
        item
    }
}

/// The address of a code's page, relative to the server's root.
#[must_use]
pub fn type_of(code: Code) -> String {
    format!("/problems/{}", code.name().replace('_', "-"))
}

/// Bytes of a path that are repeated at most, as the document says.
const LONGEST_INSTANCE: usize = 8192;

/// Answers a refusal.
#[must_use]
pub fn problem_response(
    error: &AppError,
    language: Language,
    instance: &str,
    request_id: &str,
) -> HttpResponse {
    let code = error.code();
    let status = status_of(code.kind());
    let title = Text::new(code.title_zh(), code.title_en());
    let problem = Problem {
        r#type: type_of(code),
        title: language.pick(&title),
        status,
        detail: language.pick(error.detail()),
        instance: instance.get(..LONGEST_INSTANCE).unwrap_or(instance),
        code: code.name(),
        request_id,
        facts: error.facts(),
        errors: error.errors().iter().map(|error| Item::of(error, language)).collect(),
    };
    let body = serde_json::to_string(&problem).unwrap_or_default();
    let mut builder =
        HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR));
    builder.content_type("application/problem+json");
    builder.insert_header(("Content-Language", language.tag()));
    if let Some(seconds) = error.retry_after_seconds() {
        builder.insert_header((RETRY_AFTER, HeaderValue::from(seconds)));
    }
    if status == 401 {
        builder.insert_header(("WWW-Authenticate", "Bearer"));
    }
    builder.body(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_follows_the_weights_and_falls_back_to_chinese() {
        let of = |header| Language::from_header(Some(header));
        assert_eq!(Language::from_header(None), Language::Chinese);
        assert_eq!(of("en-GB,en;q=0.9"), Language::English);
        assert_eq!(of("zh-CN,zh;q=0.9,en;q=0.8"), Language::Chinese);
        assert_eq!(of("en;q=0.4, zh;q=0.5"), Language::Chinese);
        assert_eq!(of("fr, de"), Language::Chinese);
        assert_eq!(of(";;;,q=x"), Language::Chinese);
    }
}
