//! Schemas as the document holds them, collected from the types of requests and answers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::openapi::Example;
use crate::errors::AppError;

/// Collects the schemas that the operations use.
#[derive(Default)]
pub struct Collector {
    schemas: BTreeMap<String, Value>,
    answers: BTreeSet<String>,
    requests: BTreeSet<String>,
    rows: BTreeSet<String>,
}

/// A type of the document a JSON merge patch is made for: the same properties, none required, each
/// of them nullable (RFC 7396: null removes).
pub trait Patch: ToSchema + Example {
    /// The properties that every patch must name, for they belong to the change and not to what is
    /// there: its reason.
    const NAMED: &'static [&'static str] = &[];
    /// An example of a patch.
    fn patch_example() -> Value;
}

impl Collector {
    fn add<T: ToSchema>(&mut self) -> String {
        let name = T::name().into_owned();
        if self.schemas.contains_key(&name) {
            return name;
        }
        self.put(name.clone(), &T::schema());
        let mut nested = Vec::new();
        T::schemas(&mut nested);
        for (name, schema) in nested {
            if !self.schemas.contains_key(&name) {
                self.put(name, &schema);
            }
        }
        name
    }

    fn put(&mut self, name: String, schema: &impl serde::Serialize) {
        let value = serde_json::to_value(schema).map_err(AppError::internal).unwrap_or_default();
        self.schemas.insert(name, value);
    }

    /// A schema that answers use: every property is always there, so all are required.
    pub fn answer<T: ToSchema + Example>(&mut self) -> String {
        let name = self.add::<T>();
        self.answers.insert(name.clone());
        self.example(&name, T::example());
        name
    }

    /// The schema of a page of `T`.
    pub fn page<T: ToSchema + Example>(&mut self) -> String {
        let item = self.answer::<T>();
        self.rows.insert(item.clone());
        let name = format!("{}Page", item.trim_end_matches("View"));
        self.schemas.insert(
            name.clone(),
            json!({
                "type": "object",
                "description": "列表的一页。",
                "required": ["items", "next_cursor"],
                "additionalProperties": false,
                "properties": {
                    "items": {
                        "type": "array", "maxItems": 200, "description": "本页各行。",
                        "items": { "$ref": format!("#/components/schemas/{item}") },
                    },
                    "next_cursor": {
                        "type": ["string", "null"], "maxLength": 2048, "pattern": "^[A-Za-z0-9_-]+$",
                        "description": "下一页的游标; 最后一页为 null。",
                    },
                    "total": {
                        "type": "integer", "format": "int64", "minimum": 0, "maximum": 9_007_199_254_740_991_i64,
                        "description": "总行数, 仅在 count=exact 时给出。",
                    },
                },
                "example": { "items": [T::example()], "next_cursor": null },
            }),
        );
        name
    }

    /// A schema that requests use.
    pub fn request<T: ToSchema + Example>(&mut self) -> String {
        let name = self.add::<T>();
        self.requests.insert(name.clone());
        self.example(&name, T::example());
        name
    }

    /// The merge patch of a request's schema.
    pub fn patch<T: Patch>(&mut self) -> String {
        let of = self.request::<T>();
        let name = format!("{of}Patch");
        let whole = self.schemas.get(&of).cloned().unwrap_or_default();
        let mut schema = whole.clone();
        if let Some(object) = schema.as_object_mut() {
            object.insert("minProperties".into(), json!(1));
            object.insert(
                "description".into(),
                json!("合并补丁 (RFC 7396): 只写要改的字段, null 表示清空, 数组整体替换。"),
            );
            object.insert("example".into(), T::patch_example());
            self.loosen(object);
            if !T::NAMED.is_empty() {
                object.insert("required".into(), json!(T::NAMED));
            }
            for named in T::NAMED {
                let properties = object.get_mut("properties").and_then(Value::as_object_mut);
                if let (Some(properties), Some(property)) =
                    (properties, whole.pointer(&format!("/properties/{named}")))
                {
                    properties.insert((*named).to_owned(), property.clone());
                }
            }
        }
        self.schemas.insert(name.clone(), schema);
        name
    }

    /// Makes no property of an object required and each nullable, in the objects inside it too: a
    /// merge patch merges them property by property. Arrays are replaced whole and stay as they are.
    fn loosen(&self, object: &mut Map<String, Value>) {
        object.remove("required");
        let properties = object.get_mut("properties").and_then(Value::as_object_mut);
        for (_, property) in properties.into_iter().flatten() {
            let either = property.get("oneOf").and_then(Value::as_array);
            let named =
                either.into_iter().flatten().chain([&*property]).find_map(|one| one.get("$ref")?.as_str());
            let inner =
                named.and_then(|path| self.schemas.get(path.rsplit('/').next()?)).and_then(Value::as_object);
            if let Some(inner) = inner.filter(|inner| inner.contains_key("properties")) {
                let mut inner = inner.clone();
                inner.remove("example");
                self.loosen(&mut inner);
                *property = Value::Object(inner);
            }
            *property = nullable(property.take());
        }
    }

    fn example(&mut self, name: &str, example: Value) {
        if let Some(object) = self.schemas.get_mut(name).and_then(Value::as_object_mut) {
            object.insert("example".into(), example);
        }
    }

    /// The properties of a query's schema, with which of them are required.
    pub fn query<T: ToSchema>(&mut self) -> (Map<String, Value>, Vec<String>) {
        let mut nested = Vec::new();
        T::schemas(&mut nested);
        for (name, schema) in nested {
            if !self.schemas.contains_key(&name) {
                self.put(name, &schema);
            }
        }
        let schema = serde_json::to_value(T::schema()).unwrap_or_default();
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        let required = required.filter_map(Value::as_str).map(ToOwned::to_owned).collect();
        let mut properties = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        for (_, property) in &mut properties {
            unnullable(property);
            finish(property);
        }
        (properties, required)
    }

    /// The schemas that these refer to, directly or through others, and they themselves.
    fn reached(&self, mut todo: Vec<String>) -> BTreeSet<String> {
        let mut reached = BTreeSet::new();
        while let Some(name) = todo.pop() {
            if reached.insert(name.clone())
                && let Some(schema) = self.schemas.get(&name)
            {
                references(schema, &mut todo);
            }
        }
        reached
    }

    /// Everything collected, finished: in answers every property required, in objects nothing
    /// unknown.
    pub fn finish(mut self) -> Map<String, Value> {
        let mut reached = BTreeSet::new();
        let mut todo: Vec<String> = self.answers.iter().cloned().collect();
        while let Some(name) = todo.pop() {
            if self.requests.contains(&name) || !reached.insert(name.clone()) {
                continue;
            }
            if let Some(schema) = self.schemas.get(&name) {
                references(schema, &mut todo);
            }
        }
        let asked = self.reached(self.requests.iter().cloned().collect());
        for name in reached.difference(&asked) {
            if let Some(schema) = self.schemas.get_mut(name) {
                require_all(schema);
            }
        }
        for name in self.reached(self.rows.iter().cloned().collect()) {
            self.schemas.get_mut(&name).into_iter().for_each(super::export::entitle);
        }
        self.schemas.values_mut().for_each(finish);
        self.schemas.into_iter().collect()
    }
}

/// Leaves the schemas that `roots` refer to, directly or through others.
pub(super) fn keep_referenced(schemas: &mut Map<String, Value>, roots: &[&Value]) {
    let kept = names_referenced(schemas, roots);
    schemas.retain(|name, _| kept.contains(name));
}

/// The schemas that `root` refers to, directly or through others.
pub(super) fn referenced(schemas: &Map<String, Value>, root: &Value) -> Map<String, Value> {
    let names = names_referenced(schemas, &[root]);
    names.into_iter().filter_map(|name| schemas.get(&name).cloned().map(|schema| (name, schema))).collect()
}

fn names_referenced(schemas: &Map<String, Value>, roots: &[&Value]) -> BTreeSet<String> {
    let mut todo = Vec::new();
    for root in roots {
        references(root, &mut todo);
    }
    let mut kept = BTreeSet::new();
    while let Some(name) = todo.pop() {
        if kept.insert(name.clone())
            && let Some(schema) = schemas.get(&name)
        {
            references(schema, &mut todo);
        }
    }
    kept
}

fn references(schema: &Value, found: &mut Vec<String>) {
    match schema {
        Value::Object(map) => {
            if let Some(name) =
                map.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next())
            {
                found.push(name.to_owned());
            }
            map.values().for_each(|value| references(value, found));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, found)),
        _ => {}
    }
}

fn require_all(schema: &mut Value) {
    if let Some(object) = schema.as_object_mut()
        && let Some(names) = object
            .get("properties")
            .and_then(Value::as_object)
            .map(|map| map.keys().cloned().collect::<Vec<_>>())
    {
        object.insert("required".into(), json!(names));
    }
}

/// Objects with named properties take no others; strings say what they may hold: anything but NUL,
/// which PostgreSQL cannot keep.
pub(super) fn finish(schema: &mut Value) {
    match schema {
        Value::Object(map) => {
            let kind = map.get("type").cloned().unwrap_or_default();
            let is = |name: &str| {
                kind == name || kind.as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == name))
            };
            // `format` alone lets signed years pass.
            if map.get("format").is_some_and(|format| format == "date") {
                map.insert("pattern".into(), json!("^[0-9]{4}-[0-9]{2}-[0-9]{2}$"));
                map.insert("maxLength".into(), json!(10));
            }
            if is("string") && !map.contains_key("enum") && !map.contains_key("const") {
                if !map.contains_key("pattern") && !map.contains_key("format") {
                    map.insert("pattern".into(), json!("^[^\\u0000]*$"));
                }
                if !map.contains_key("maxLength") {
                    map.insert("maxLength".into(), json!(if map.contains_key("format") { 40 } else { 4000 }));
                }
            }
            if is("integer") && !map.contains_key("format") {
                map.insert("format".into(), json!("int64"));
            }
            // The values of a map have no place of their own for bounds; what is mapped to a number is a count.
            if let Some(Value::Object(values)) = map.get_mut("additionalProperties")
                && values.get("type").is_some_and(|kind| kind == "integer")
            {
                values.entry("minimum").or_insert(json!(0));
                values.entry("maximum").or_insert(json!(9_007_199_254_740_991_i64));
            }
            if map.contains_key("properties") && !map.contains_key("additionalProperties") {
                map.insert("additionalProperties".into(), json!(false));
            }
            for (name, value) in map.iter_mut() {
                if name != "example" {
                    finish(value);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(finish),
        _ => {}
    }
}

/// A parameter that is left out is absent, never null.
fn unnullable(schema: &mut Value) {
    let Some(map) = schema.as_object_mut() else { return };
    if let Some(Value::Array(kinds)) = map.get_mut("type") {
        kinds.retain(|kind| kind != "null");
        if let [only] = kinds.as_slice() {
            let only = only.clone();
            map.insert("type".into(), only);
        }
    }
    let alternatives = map.get("oneOf").and_then(Value::as_array).cloned().unwrap_or_default();
    let mut others = alternatives.into_iter().filter(|one| one.get("type") != Some(&json!("null")));
    if let (Some(Value::Object(only)), None) = (others.next(), others.next()) {
        map.remove("oneOf");
        map.extend(only);
    }
}

fn nullable(schema: Value) -> Value {
    let Value::Object(mut map) = schema else { return schema };
    match map.get("type").cloned() {
        Some(Value::String(kind)) => {
            map.insert("type".into(), json!([kind, "null"]));
            if let Some(Value::Array(values)) = map.get_mut("enum") {
                values.push(Value::Null);
            }
            Value::Object(map)
        }
        Some(Value::Array(_)) => Value::Object(map),
        _ if map.contains_key("oneOf") => Value::Object(map),
        _ => {
            let description = map.remove("description");
            let mut either = json!({ "oneOf": [{ "type": "null" }, Value::Object(map)] });
            if let (Some(description), Some(object)) = (description, either.as_object_mut()) {
                object.insert("description".into(), description);
            }
            either
        }
    }
}
