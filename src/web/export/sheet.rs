//! The columns of a list's sheet, read off the document: the properties of its rows in their order,
//! under their Chinese headings.
//!
//! A clerk reads from the left, so what a row says of itself comes first and identifiers come last:
//! nobody reads them, but two sheets are joined by them and a row is found again. What is referred
//! to (an object with an `id`) shows what names it, and only that: the rest stands in its own list.

use serde_json::{Map, Value};

use super::cell::{Cell, Kind, Part};

/// Properties that say something about this caller or this answer, not about the row.
const NOT_FOR_A_SHEET: &[&str] = &["allowed_actions", "version"];
/// Objects within objects are followed so far; what lies deeper is shown as it is.
const DEEPEST: usize = 6;

/// A list as a sheet.
#[derive(Debug)]
pub(super) struct Sheet {
    /// What the list is called.
    pub title: String,
    /// The same in letters.
    pub stem: String,
    /// Whether the list can count its rows.
    pub counts: bool,
    /// The columns.
    pub columns: Vec<Column>,
}

/// One column.
#[derive(Debug)]
pub(super) struct Column {
    /// What stands above it.
    pub heading: String,
    path: Vec<String>,
    kind: Kind,
}

impl Column {
    /// What the row has in this column.
    pub(super) fn cell(&self, row: &Value) -> Cell {
        Cell::of(&self.kind, self.path.iter().try_fold(row, |value, name| value.get(name)))
    }
}

impl Sheet {
    /// Of an operation of the document; `None` when it answers no pages.
    pub(super) fn of(operation: &Value, schemas: &Map<String, Value>) -> Option<Self> {
        let reader = Reader { schemas };
        let page = reader.resolve(operation.pointer("/responses/200/content/application~1json/schema")?);
        page.pointer("/properties/next_cursor")?;
        let row = reader.resolve(page.pointer("/properties/items/items")?);
        let mut columns = Vec::new();
        let mut ids = Vec::new();
        for (name, property) in row.get("properties")?.as_object()? {
            if NOT_FOR_A_SHEET.contains(&name.as_str()) {
                continue;
            }
            let (title, kind) = (title(name, property), reader.kind(property, 0));
            if is_id(&kind) {
                let heading = if name == "id" { title } else { format!("{title}标识") };
                ids.push(Column { heading, path: vec![name.clone()], kind });
            } else {
                spread(title, vec![name.clone()], kind, &mut columns);
            }
        }
        columns.append(&mut ids);
        let id = operation.get("operationId")?.as_str()?;
        let parameters = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
        Some(Self {
            title: operation.get("summary")?.as_str()?.to_owned(),
            stem: id.trim_start_matches("list_").replace('_', "-"),
            counts: parameters.filter_map(|one| one.get("name")).any(|name| name == "count"),
            columns,
        })
    }
}

/// An object's members become columns of their own.
fn spread(heading: String, path: Vec<String>, kind: Kind, columns: &mut Vec<Column>) {
    let Kind::Parts(parts) = kind else {
        columns.push(Column { heading, path, kind });
        return;
    };
    for Part { name, title, kind } in parts {
        let mut path = path.clone();
        path.push(name);
        spread(format!("{heading}{title}"), path, kind, columns);
    }
}

fn title(name: &str, property: &Value) -> String {
    property.get("x-title").and_then(Value::as_str).unwrap_or(name).to_owned()
}

fn is_id(kind: &Kind) -> bool {
    match kind {
        Kind::Id => true,
        Kind::Many(inner) => is_id(inner),
        _ => false,
    }
}

struct Reader<'d> {
    schemas: &'d Map<String, Value>,
}

impl<'d> Reader<'d> {
    /// The schema itself: behind references, and without its null.
    fn resolve(&self, schema: &'d Value) -> &'d Value {
        let named = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
        if let Some(named) = named.and_then(|name| self.schemas.get(name)) {
            return self.resolve(named);
        }
        let either = ["oneOf", "anyOf", "allOf"].iter().find_map(|key| schema.get(*key)?.as_array());
        let mut others = either.into_iter().flatten().filter(|one| one.get("type") != Some(&"null".into()));
        match (others.next(), others.next()) {
            (Some(only), None) => self.resolve(only),
            _ => schema,
        }
    }

    fn kind(&self, schema: &'d Value, depth: usize) -> Kind {
        let schema = self.resolve(schema);
        if let Some(labels) = schema.get("x-labels").and_then(Value::as_object) {
            return Kind::Label(labels.clone());
        }
        match schema.get("format").and_then(Value::as_str) {
            Some("uuid") => return Kind::Id,
            Some("date-time") => return Kind::Moment,
            Some("date") => return Kind::Day,
            _ => {}
        }
        if depth < DEEPEST {
            if let Some(items) = schema.get("items") {
                return Kind::Many(Box::new(self.kind(items, depth + 1)));
            }
            if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
                return Kind::Parts(self.parts(properties, depth + 1));
            }
        }
        let is = |wanted: &str| match schema.get("type") {
            Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == wanted),
            kind => kind.is_some_and(|kind| kind == wanted),
        };
        if is("boolean") {
            Kind::YesNo
        } else if is("integer") || is("number") {
            Kind::Number
        } else {
            Kind::Text
        }
    }

    fn parts(&self, properties: &'d Map<String, Value>, depth: usize) -> Vec<Part> {
        let is_reference = properties.contains_key("id");
        let parts = properties.iter().map(|(name, property)| Part {
            name: name.clone(),
            title: title(name, property),
            kind: self.kind(property, depth),
        });
        let shown = |part: &Part| {
            let names = if is_reference { part.kind == Kind::Text } else { !is_id(&part.kind) };
            names && !NOT_FOR_A_SHEET.contains(&part.name.as_str())
        };
        parts.filter(shown).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn sheet() -> Sheet {
        let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
        let id = json!({ "type": "string", "format": "uuid", "x-title": "标识" });
        let unit = json!({ "type": "object", "properties": {
            "id": id, "code": { "type": "string", "x-title": "代码" }, "name": { "type": "string", "x-title": "名称" },
            "kind": reference("Kind"),
        } });
        let schemas = json!({
            "Page": { "properties": {
                "items": { "type": "array", "items": reference("Row") }, "next_cursor": { "type": "string" },
            } },
            "Row": { "properties": {
                "id": id,
                "plan_id": { "type": "string", "format": "uuid", "x-title": "所属方案" },
                "unit": { "x-title": "单位", "oneOf": [reference("Unit"), { "type": "null" }] },
                "count": { "type": ["integer", "null"], "x-title": "项数" },
                "kinds": { "type": "array", "x-title": "种类", "items": reference("Kind") },
                "version": { "type": "integer", "x-title": "版本" },
            } },
            "Unit": unit,
            "Kind": { "type": "string", "enum": ["city"], "x-labels": { "city": "地市公安局" } },
        });
        let operation = json!({
            "operationId": "list_own_plans", "summary": "方案列表", "parameters": [{ "name": "count" }],
            "responses": { "200": { "content": { "application/json": { "schema": reference("Page") } } } },
        });
        Sheet::of(&operation, schemas.as_object().unwrap()).unwrap()
    }

    #[test]
    fn columns_follow_the_row_s_properties_and_ids_come_last() {
        let sheet = sheet();
        let headings: Vec<&str> = sheet.columns.iter().map(|column| column.heading.as_str()).collect();
        assert_eq!(headings, ["单位代码", "单位名称", "项数", "种类", "标识", "所属方案标识"]);
        assert_eq!((sheet.stem.as_str(), sheet.counts), ("own-plans", true));
        let row = json!({
            "id": "x", "plan_id": "y", "unit": { "id": "z", "code": "53", "name": "云南省公安厅", "kind": "city" },
            "count": 3, "kinds": ["city"], "version": 9,
        });
        let cells: Vec<String> = sheet.columns.iter().map(|column| column.cell(&row).to_string()).collect();
        assert_eq!(cells, ["53", "云南省公安厅", "3", "地市公安局", "x", "y"]);
        assert_eq!(sheet.columns[0].cell(&json!({ "unit": null })), Cell::Empty);
    }
}
