//! What stands in one cell, and what keeps it from being a formula.

use std::fmt;

use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime};
use serde_json::{Map, Number, Value};

/// How a value is shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// As it is.
    Text,
    /// A number to reckon with.
    Number,
    /// 是 or 否.
    YesNo,
    /// A day.
    Day,
    /// A moment, shown in the time of Asia/Shanghai.
    Moment,
    /// An identifier.
    Id,
    /// A word of an enum, shown with its Chinese label.
    Label(Map<String, Value>),
    /// Several, in one cell.
    Many(Box<Kind>),
    /// An object: a column each in a row, one text in an array.
    Parts(Vec<Part>),
}

/// A member of an object.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Part {
    pub name: String,
    pub title: String,
    pub kind: Kind,
}

/// The content of a cell.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    /// Nothing.
    Empty,
    /// Text, whatever it looks like.
    Text(String),
    /// A number.
    Number(Number),
    /// A day.
    Day(NaiveDate),
    /// A moment of Asia/Shanghai.
    Moment(NaiveDateTime),
}

/// China has one zone and no summer time.
const SHANGHAI_SECONDS: i32 = 8 * 3600;

fn moment(text: &str) -> Option<NaiveDateTime> {
    let at = DateTime::parse_from_rfc3339(text).ok()?;
    Some(at.with_timezone(&FixedOffset::east_opt(SHANGHAI_SECONDS)?).naive_local())
}

impl Cell {
    /// A value, shown as its kind is shown.
    pub(super) fn of(kind: &Kind, value: Option<&Value>) -> Self {
        match (kind, value) {
            (_, None | Some(Value::Null)) => Self::Empty,
            (Kind::YesNo, Some(Value::Bool(yes))) => Self::Text(if *yes { "是" } else { "否" }.to_owned()),
            (Kind::Label(labels), Some(Value::String(word))) => {
                let label = labels.get(word).and_then(Value::as_str);
                Self::Text(label.unwrap_or(word).to_owned())
            }
            (Kind::Day, Some(Value::String(text))) => {
                text.parse().map_or_else(|_| Self::Text(text.clone()), Self::Day)
            }
            (Kind::Moment, Some(Value::String(text))) => {
                moment(text).map_or_else(|| Self::Text(text.clone()), Self::Moment)
            }
            (Kind::Many(kind), Some(Value::Array(items))) => {
                let told: Vec<String> =
                    items.iter().map(|item| Self::of(kind, Some(item)).to_string()).collect();
                Self::Text(told.join("、"))
            }
            (Kind::Parts(parts), Some(Value::Object(object))) => Self::Text(spoken(parts, object)),
            (_, Some(Value::Number(number))) => Self::Number(number.clone()),
            (_, Some(Value::String(text))) => Self::Text(text.clone()),
            (_, Some(other)) => Self::Text(other.to_string()),
        }
    }
}

/// An object in one text: its members one after the other, two days as a span.
fn spoken(parts: &[Part], object: &Map<String, Value>) -> String {
    let mut text = String::new();
    let mut after_day = false;
    for part in parts {
        let cell = Cell::of(&part.kind, object.get(&part.name));
        if cell == Cell::Empty {
            continue;
        }
        let is_day = matches!(cell, Cell::Day(_));
        if !text.is_empty() {
            text.push_str(if after_day && is_day { "至" } else { " " });
        }
        text.push_str(&cell.to_string());
        after_day = is_day;
    }
    text
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => Ok(()),
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => number.fmt(f),
            Self::Day(day) => day.format("%Y-%m-%d").fmt(f),
            Self::Moment(at) => at.format("%Y-%m-%d %H:%M:%S").fmt(f),
        }
    }
}

/// Whether a spreadsheet could take a text for a formula: by its first sign, in either width, spaces
/// in front of it or not.
pub(crate) fn is_like_a_formula(text: &str) -> bool {
    let signs = ['=', '+', '-', '@', '＝', '＋', '－', '＠'];
    text.starts_with(['\t', '\r', '\n']) || text.trim_start().starts_with(signs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_shown_as_a_clerk_reads_them() {
        let shown = |kind: &Kind, value: Value| Cell::of(kind, Some(&value)).to_string();
        assert_eq!(shown(&Kind::YesNo, json!(true)), "是");
        assert_eq!(shown(&Kind::Number, json!(-5)), "-5");
        assert_eq!(shown(&Kind::Moment, json!("2026-03-02T16:30:00.999999Z")), "2026-03-03 00:30:00");
        assert_eq!(shown(&Kind::Text, Value::Null), "");
        let labels = Map::from_iter([("city".to_owned(), json!("地市公安局"))]);
        let many = Kind::Many(Box::new(Kind::Label(labels)));
        assert_eq!(shown(&many, json!(["city", "unheard_of"])), "地市公安局、unheard_of");
        let part = |name: &str, kind| Part { name: name.into(), title: name.into(), kind };
        let phase = vec![part("name", Kind::Text), part("starts_on", Kind::Day), part("ends_on", Kind::Day)];
        let phases = Kind::Many(Box::new(Kind::Parts(phase)));
        let value = json!([{ "ends_on": "2026-03-29", "starts_on": "2026-03-02", "name": "动员部署" }, { "name": "总结" }]);
        assert_eq!(shown(&phases, value), "动员部署 2026-03-02至2026-03-29、总结");
    }

    #[test]
    fn what_could_be_a_formula_is_known_by_its_first_sign() {
        for text in
            ["=1+1", "+86", "-1", "@SUM(A1)", "\t=1", "\rx", "\nx", " =1", "\u{3000}＝1", "＋1", "－1", "＠x"]
        {
            assert!(is_like_a_formula(text), "{text:?}");
        }
        for text in ["", "昆明", "1-1", "'=1", "a=b", "530102001"] {
            assert!(!is_like_a_formula(text), "{text:?}");
        }
    }
}
