//! Columns of a table: the properties of its row's schema, by their names or their Chinese titles.

use chrono::NaiveDate;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::cells::{Cell, Record};
use super::{Given, ImportRow, Refusals};
use crate::db::Entry;
use crate::errors::{AppError, Code, Result, text};
use crate::web::{Shapes, title};

/// One column.
#[derive(Debug)]
struct Column {
    name: String,
    title: String,
    required: bool,
    holds: Holds,
    labels: &'static [Entry],
}

/// What its cells hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holds {
    Text,
    Day,
    Integer,
    Truth,
}

/// The columns there are, and which of them stands where in this file.
#[derive(Debug)]
pub(super) struct Columns {
    known: Vec<Column>,
    places: Vec<Option<usize>>,
}

impl Columns {
    /// Reads the heading. What is wrong with it is told, all at once.
    ///
    /// # Errors
    /// When the document has no such schema.
    pub(super) fn of<R: ImportRow>(
        shapes: &Shapes,
        heading: &Record,
        refusals: &mut Refusals,
    ) -> Result<Self> {
        let known = columns::<R>(shapes)?;
        let mut places: Vec<Option<usize>> = Vec::with_capacity(heading.cells.len());
        for cell in &heading.cells {
            let text = match cell {
                Cell::Text(text) => text.as_str(),
                Cell::Broken(code, detail) => {
                    refusals.tell(heading.line, "", *code, detail.clone());
                    continue;
                }
            };
            let place = known.iter().position(|column| column.name == text || column.title == text);
            if let (None, false) = (place, text.is_empty()) {
                let shown: String = text.chars().take(50).collect();
                let all: Vec<String> =
                    known.iter().map(|column| format!("{} {}", column.name, column.title)).collect();
                let all = all.join(", ");
                let detail = text!(
                    "没有列 “{shown}”, 可用: {all}",
                    "There is no column \"{shown}\"; there are: {all}"
                );
                refusals.tell(heading.line, &shown, Code::UnknownField, detail);
            }
            if place.is_some() && places.contains(&place) {
                let detail = text!("列 “{text}” 重复", "The column \"{text}\" stands there twice");
                refusals.tell(heading.line, text, Code::NotUnique, detail);
            }
            places.push(place);
        }
        for (at, column) in known.iter().enumerate().filter(|(_, column)| column.required) {
            if !places.contains(&Some(at)) {
                let (name, title) = (&column.name, &column.title);
                let detail = text!("缺少列 {name} ({title})", "The column {name} ({title}) is missing");
                refusals.tell(heading.line, name, Code::Required, detail);
            }
        }
        Ok(Self { known, places })
    }

    /// Which of the columns that may be left out stand in the heading.
    pub(super) fn given<R: ImportRow>(&self) -> Given {
        let names = || self.places.iter().flatten().filter_map(|place| self.known.get(*place));
        Given::of::<R>(|column| names().any(|known| known.name == column))
    }

    /// The object that a row of cells stands for, without the blank ones, and the columns whose cells
    /// cannot be read, which are told.
    pub(super) fn object(&self, record: Record, refusals: &mut Refusals) -> (Value, Vec<&str>) {
        let Record { line, cells } = record;
        let (mut object, mut broken) = (Map::new(), Vec::new());
        for (at, cell) in cells.into_iter().enumerate().filter(|(_, cell)| !cell.is_blank()) {
            let place = self.places.get(at).copied().flatten().and_then(|place| self.known.get(place));
            match (place, cell) {
                (Some(column), Cell::Text(text)) => {
                    object.insert(column.name.clone(), column.read(text));
                }
                (Some(column), Cell::Broken(code, detail)) => {
                    refusals.tell(line, &column.name, code, detail);
                    broken.push(column.name.as_str());
                }
                (None, _) => {
                    let number = at + 1;
                    let detail = text!(
                        "第 {number} 格有内容, 而该列没有标题",
                        "Cell {number} holds something, and its column has no heading"
                    );
                    refusals.tell(line, "", Code::TooMany, detail);
                }
            }
        }
        (Value::Object(object), broken)
    }
}

impl Column {
    /// What is none of these stays text, so that the schema says what is wrong with it.
    fn read(&self, text: String) -> Value {
        match self.holds {
            Holds::Text => Value::String(word_of(self.labels, &text).unwrap_or(text)),
            Holds::Day => Value::String(day_of(&text).unwrap_or(text)),
            Holds::Integer => text.parse::<i64>().map_or(Value::String(text), Value::from),
            Holds::Truth => match text.to_lowercase().as_str() {
                "true" | "是" | "1" => Value::Bool(true),
                "false" | "否" | "0" => Value::Bool(false),
                _ => Value::String(text),
            },
        }
    }
}

/// The word of a label, or of one of the pieces of a label such as 区县公安局/分局.
fn word_of(labels: &[Entry], text: &str) -> Option<String> {
    let is_meant = |entry: &&Entry| entry.zh == text || entry.zh.split('/').any(|piece| piece == text);
    labels.iter().find(is_meant).map(|entry| entry.value.to_owned())
}

/// An ISO day of one as people and Excel write it: 2026-3-1, 2026/3/1, 2026.3.1, 2026年3月1日.
fn day_of(text: &str) -> Option<String> {
    let pieces: Vec<&str> = text.trim_end_matches('日').split(['-', '/', '.', '年', '月']).collect();
    let [year, month, day] = pieces.as_slice() else { return None };
    let short = |piece: &str| (1..=2).contains(&piece.len());
    let digits = pieces.iter().all(|piece| piece.bytes().all(|byte| byte.is_ascii_digit()));
    if !digits || year.len() != 4 || !short(month) || !short(day) {
        return None;
    }
    let day = NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
    Some(day.to_string())
}

fn columns<R: ImportRow>(shapes: &Shapes) -> Result<Vec<Column>> {
    let name = <R as ToSchema>::name();
    let schema = shapes
        .schema(&name)
        .ok_or_else(|| AppError::internal(format!("no schema {name} in the document")))?;
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let properties = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
    Ok(properties
        .map(|(name, property)| Column {
            name: name.clone(),
            title: title(property).unwrap_or_default(),
            required: required.contains(&name.as_str()),
            holds: holds(shapes, property),
            labels: R::labels(name),
        })
        .collect())
}

fn holds(shapes: &Shapes, property: &Value) -> Holds {
    let either = property.get("oneOf").and_then(Value::as_array).into_iter().flatten();
    let inner = either.chain([property]).find(|one| one.get("$ref").is_some()).unwrap_or(property);
    let schema = shapes.resolve(inner);
    let is = |name: &str| match schema.get("type") {
        Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == name),
        Some(kind) => kind == name,
        None => false,
    };
    if is("integer") {
        Holds::Integer
    } else if is("boolean") {
        Holds::Truth
    } else if schema.get("format").is_some_and(|format| format == "date") {
        Holds::Day
    } else {
        Holds::Text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Dictionary;
    use crate::org::rules::UnitKind;

    #[test]
    fn days_are_read_as_people_write_them() {
        for text in ["2026-03-01", "2026-3-1", "2026/3/1", "2026.03.01", "2026年3月1日"] {
            assert_eq!(day_of(text).as_deref(), Some("2026-03-01"), "{text}");
        }
        for text in ["2026-02-30", "26-3-1", "3/1/2026", "2026-3", "2026-3-1-1", "46082", "+026-3-1", "今天"]
        {
            assert_eq!(day_of(text), None, "{text}");
        }
    }

    #[test]
    fn labels_stand_for_their_words_whole_or_in_pieces() {
        let word = |text: &str| word_of(UnitKind::ENTRIES, text);
        assert_eq!(word("派出所").as_deref(), Some("station"));
        assert_eq!(word("区县公安局/分局").as_deref(), Some("county"));
        assert_eq!(word("分局").as_deref(), Some("county"));
        assert_eq!(word("station"), None, "what is a word already stays one");
    }
}
