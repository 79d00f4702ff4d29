//! Which representation the caller asked for (RFC 9110 §12.5.1): JSON, a list as a file, a paper printed.

use actix_web::http::header::{ACCEPT, HeaderMap};

use super::answer::Given;
use super::export::Format;
use super::printed::Form;
use crate::errors::{AppError, Code, Result};

/// What an answer is given as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Representation {
    /// JSON, which everything but a paper can be given as.
    Json,
    /// A file of all rows, which only a list can be given as.
    File(Format),
    /// A paper, which is given in no other way.
    Print(Form),
    /// Events, which are given in no other way.
    Live,
    /// A file as it is kept, whatever it is.
    Kept,
}

use Representation::{File, Json, Kept, Live, Print};

/// What there is to choose from; of two that are wanted alike the first is given.
type Offers = &'static [(&'static str, Representation)];

const ONE: Offers = &[("application/json", Json)];
const LIST: Offers = &[
    ("application/json", Json),
    (Format::Csv.media(), File(Format::Csv)),
    (Format::Xlsx.media(), File(Format::Xlsx)),
];
const PAPER: Offers = &[(Form::Html.media(), Print(Form::Html)), (Form::Xlsx.media(), Print(Form::Xlsx))];

const KEPT: Offers = &[("image/jpeg", Kept), ("image/png", Kept), ("image/webp", Kept)];
const EVENTS: Offers = &[(super::live::MEDIA, Live)];

/// The media types of what is given so.
pub(super) const fn offers(given: Given) -> Offers {
    match given {
        Given::Json => ONE,
        Given::Pages => LIST,
        Given::Paper => PAPER,
        Given::Events => EVENTS,
        Given::Content => KEPT,
    }
}

/// One range of the header: what it matches, and how much it is wanted.
struct Range {
    kind: String,
    weight: f32,
}

impl Range {
    fn read(text: &str) -> Option<Self> {
        let mut pieces = text.split(';').map(str::trim);
        let kind = pieces.next().filter(|kind| !kind.is_empty())?.to_ascii_lowercase();
        let weight = pieces.find_map(|piece| piece.strip_prefix("q=").or_else(|| piece.strip_prefix("Q=")));
        let weight = weight.and_then(|text| text.parse().ok()).filter(|weight| (0.0..=1.0).contains(weight));
        Some(Self { kind, weight: weight.unwrap_or(1.0) })
    }

    /// How precisely the range names a media type; `None` when it does not.
    fn names(&self, media: &str) -> Option<u8> {
        let family = media.split('/').next().unwrap_or_default();
        match self.kind.as_str() {
            kind if kind == media => Some(2),
            "*/*" => Some(0),
            kind => (kind.strip_suffix("/*") == Some(family)).then_some(1),
        }
    }
}

/// How precisely a media type is named, and how much it is wanted: the most precise range speaks.
fn wanted(ranges: &[Range], media: &str) -> Option<(f32, u8)> {
    let named = ranges.iter().filter_map(|range| Some((range.names(media)?, range.weight)));
    let (precision, weight) =
        named.max_by(|one, other| one.0.cmp(&other.0).then(one.1.total_cmp(&other.1)))?;
    (weight > 0.0).then_some((weight, precision))
}

/// What to answer with. Without the header it is the first there is; whoever wants problems alone gets
/// that too, for a caller that names what it wants names them beside it.
///
/// # Errors
/// `not_acceptable`.
pub(super) fn choose(headers: &HeaderMap, offers: Offers) -> Result<Representation> {
    let first = offers.first().map_or(Json, |(_, offer)| *offer);
    let said = headers.get_all(ACCEPT).filter_map(|value| value.to_str().ok());
    let ranges: Vec<Range> = said.flat_map(|value| value.split(',')).filter_map(Range::read).collect();
    if ranges.is_empty() {
        return Ok(first);
    }
    let mut best: Option<((f32, u8), Representation)> = None;
    for (media, offer) in offers {
        if let Some(found) = wanted(&ranges, media)
            && best.is_none_or(|(so_far, _)| found > so_far)
        {
            best = Some((found, *offer));
        }
    }
    let problems =
        || ranges.iter().any(|range| range.kind == "application/problem+json" && range.weight > 0.0);
    match best {
        Some((_, offer)) => Ok(offer),
        None if problems() => Ok(first),
        None => Err(AppError::new(Code::NotAcceptable)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn chosen(accept: &[&str], offers: Offers) -> Option<Representation> {
        let mut headers = HeaderMap::new();
        for value in accept {
            headers.append(ACCEPT, HeaderValue::from_str(value).unwrap());
        }
        choose(&headers, offers).ok()
    }

    #[test]
    fn the_most_wanted_representation_is_given() {
        let csv = Some(File(Format::Csv));
        let xlsx = Some(File(Format::Xlsx));
        let sheet = Format::Xlsx.media();
        for (accept, wanted) in [
            ("", Some(Json)),
            ("*/*", Some(Json)),
            ("application/*", Some(Json)),
            ("text/html,application/xhtml+xml,*/*;q=0.8", Some(Json)),
            ("application/problem+json", Some(Json)),
            ("text/csv", csv),
            ("TEXT/CSV; charset=utf-8", csv),
            ("text/*", csv),
            ("text/csv, application/problem+json", csv),
            ("text/csv, */*;q=0.1", csv),
            ("text/csv, */*", csv),
            ("text/csv, application/json", Some(Json)),
            ("text/csv;q=0.5, application/json;q=0.9", Some(Json)),
            ("application/json;q=0, */*", csv),
            ("text/csv;q=NaN", csv),
            (sheet, xlsx),
            ("text/csv;q=0, image/png", None),
            ("image/png", None),
        ] {
            assert_eq!(chosen(&[accept], LIST), wanted, "{accept}");
        }
        assert_eq!(chosen(&["image/png", "text/csv"], LIST), csv, "two headers are one list");
    }

    #[test]
    fn what_is_no_list_is_json_alone() {
        assert_eq!(chosen(&["text/csv"], ONE), None);
        assert_eq!(chosen(&[Format::Xlsx.media()], ONE), None);
        assert_eq!(chosen(&["text/csv, */*;q=0.1"], ONE), Some(Json));
        assert_eq!(chosen(&[], ONE), Some(Json));
    }

    #[test]
    fn a_paper_is_a_page_or_a_workbook() {
        let (page, book) = (Some(Print(Form::Html)), Some(Print(Form::Xlsx)));
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        for accept in ["*/*", "text/*", "text/html", browser, "application/problem+json", ""] {
            assert_eq!(chosen(&[accept], PAPER), page, "{accept}");
        }
        assert_eq!(chosen(&[], PAPER), page);
        for accept in [Format::Xlsx.media(), "application/*", "text/html;q=0, */*"] {
            assert_eq!(chosen(&[accept], PAPER), book, "{accept}");
        }
        for accept in ["application/json", "application/json;q=0", "text/csv", "image/png"] {
            assert_eq!(chosen(&[accept], PAPER), None, "{accept}");
        }
    }
}
