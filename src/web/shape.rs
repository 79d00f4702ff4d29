//! The shape of input, checked against the document's own compiled JSON schemas: all errors at once,
//! each with its place. serde alone stops at the first.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use jsonschema::error::{TypeKind, ValidationErrorKind};
use jsonschema::{ValidationError, Validator};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors, ValidationErrorsKind};

use super::schemas::referenced;
use crate::errors::{AppError, Code, FieldError, Result, Text, text};

/// Errors told at most: nobody reads more, and a small body must not make a large answer.
const MOST_ERRORS: usize = 200;

/// The document's schemas, each compiled when it is first needed.
#[derive(Clone)]
pub struct Shapes(Arc<Compiled>);

impl std::fmt::Debug for Shapes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Shapes").field(&self.0.bodies.len()).finish()
    }
}

struct Compiled {
    schemas: Arc<Map<String, Value>>,
    bodies: HashMap<String, OnceLock<Validator>>,
    queries: HashMap<String, Query>,
}

/// The parameters of one operation.
pub(super) struct Query {
    pub properties: Map<String, Value>,
    required: Vec<String>,
    schemas: Arc<Map<String, Value>>,
    compiled: OnceLock<Validator>,
}

/// How a parameter's text becomes JSON.
pub(super) struct Kind {
    pub repeats: bool,
    scalar: Scalar,
}

#[derive(Clone, Copy)]
enum Scalar {
    Text,
    Integer,
    Boolean,
}

impl Kind {
    /// What cannot be read stays text, so that the schema says what is wrong with it.
    pub(super) fn read(&self, text: String) -> Value {
        match self.scalar {
            Scalar::Integer => text.parse::<i64>().map_or(Value::String(text), Value::from),
            Scalar::Boolean => match text.as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                _ => Value::String(text),
            },
            Scalar::Text => Value::String(text),
        }
    }
}

/// Compiles a schema with those that it refers to, and no others: all of them together take some twenty milliseconds.
fn compile(mut schema: Value, schemas: &Map<String, Value>) -> Validator {
    let components = json!({ "schemas": referenced(schemas, &schema) });
    if let Some(whole) = schema.as_object_mut() {
        whole.insert("components".to_owned(), components);
    }
    // The schemas are our own; one that does not compile refuses everything, and every test tells.
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&schema)
        .or_else(|error| {
            tracing::error!(%error, "a schema of the document does not compile");
            jsonschema::draft202012::new(&json!(false))
        })
        .unwrap_or_else(|_| jsonschema::draft202012::new(&json!(false)).unwrap_or_else(|_| never()))
}

/// `false` is a schema: compiling it cannot fail.
fn never() -> Validator {
    std::process::abort()
}

impl Query {
    pub(super) fn validator(&self) -> &Validator {
        self.compiled.get_or_init(|| {
            let schema =
                json!({ "type": "object", "properties": self.properties, "required": self.required });
            compile(schema, &self.schemas)
        })
    }
}

impl Shapes {
    /// From the document's schemas and the parameters of each operation.
    #[must_use]
    pub fn new(
        schemas: &Map<String, Value>,
        queries: HashMap<String, (Map<String, Value>, Vec<String>)>,
    ) -> Self {
        let all = Arc::new(schemas.clone());
        let queries = queries
            .into_iter()
            .map(|(operation, (properties, required))| {
                (operation, Query { properties, required, schemas: all.clone(), compiled: OnceLock::new() })
            })
            .collect();
        let bodies = schemas.keys().map(|name| (name.clone(), OnceLock::new())).collect();
        Self(Arc::new(Compiled { schemas: all, bodies, queries }))
    }

    pub(super) fn query(&self, operation: &str) -> &Query {
        static NONE: OnceLock<Query> = OnceLock::new();
        self.0.queries.get(operation).unwrap_or_else(|| {
            NONE.get_or_init(|| Query {
                properties: Map::new(),
                required: Vec::new(),
                schemas: Arc::default(),
                compiled: OnceLock::new(),
            })
        })
    }

    pub(super) fn parameter_kind(&self, schema: &Value) -> Kind {
        let schema = self.resolve(schema);
        let (repeats, inner) = match schema.get("items") {
            Some(items) => (true, self.resolve(items)),
            None => (false, schema),
        };
        let is = |name: &str| match inner.get("type") {
            Some(Value::String(kind)) => kind == name,
            Some(Value::Array(kinds)) => kinds.iter().any(|kind| kind == name),
            _ => false,
        };
        let scalar = if is("integer") {
            Scalar::Integer
        } else if is("boolean") {
            Scalar::Boolean
        } else {
            Scalar::Text
        };
        Kind { repeats, scalar }
    }

    /// A schema of the document, by its name.
    #[must_use]
    pub fn schema(&self, name: &str) -> Option<&Value> {
        self.0.schemas.get(name)
    }

    /// A schema, or the one it refers to.
    #[must_use]
    pub fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let name = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
        name.and_then(|name| self.0.schemas.get(name)).unwrap_or(schema)
    }

    /// Checks a value against a schema of the document.
    ///
    /// # Errors
    /// `invalid_body` with every error.
    pub fn check(&self, schema: &str, value: &Value) -> Result<()> {
        let compiled =
            self.0.bodies.get(schema).ok_or_else(|| AppError::internal(format!("no schema {schema}")))?;
        let validator = compiled.get_or_init(|| {
            compile(json!({ "$ref": format!("#/components/schemas/{schema}") }), &self.0.schemas)
        });
        let errors: Vec<FieldError> = validator
            .iter_errors(value)
            .flat_map(|error| body_errors(&error, value))
            .take(MOST_ERRORS)
            .collect();
        if errors.is_empty() { Ok(()) } else { Err(AppError::fields(Code::InvalidBody, errors)) }
    }

    /// Checks a value against the schema of `T`, reads it, and checks what spans fields.
    ///
    /// # Errors
    /// `invalid_body` with every error.
    pub fn read<T: DeserializeOwned + ToSchema + Validate>(&self, mut value: Value) -> Result<T> {
        self.check(&T::name(), &value)?;
        check_text(&value)?;
        whole_numbers(&mut value);
        let read: T = serde_json::from_value(value).map_err(|error| {
            let detail = text!("请求内容无法识别: {error}", "The body cannot be read: {error}");
            AppError::fields(Code::InvalidBody, vec![FieldError::body("", Code::WrongType, detail)])
        })?;
        match read.validate() {
            Ok(()) => Ok(read),
            Err(errors) => {
                let mut found = Vec::new();
                spanning_errors("", &errors, &mut found);
                Err(AppError::fields(Code::InvalidBody, found))
            }
        }
    }
}

/// To a schema `2026.0` is an integer, to serde it is none.
fn whole_numbers(value: &mut Value) {
    match value {
        Value::Object(map) => map.values_mut().for_each(whole_numbers),
        Value::Array(items) => items.iter_mut().for_each(whole_numbers),
        Value::Number(number) if number.is_f64() => {
            let text = number.to_string();
            let whole = text.strip_suffix(".0").and_then(|digits| digits.parse::<i64>().ok());
            if let Some(whole) = whole {
                *value = whole.into();
            }
        }
        _ => {}
    }
}

/// Refuses control characters other than tab and line breaks in any string: they are invisible to
/// whoever reads the page, and PostgreSQL cannot keep NUL.
///
/// # Errors
/// `invalid_body` with every place.
pub fn check_text(value: &Value) -> Result<()> {
    let mut errors = Vec::new();
    walk_text(value, &mut String::new(), &mut errors);
    if errors.is_empty() { Ok(()) } else { Err(AppError::fields(Code::InvalidBody, errors)) }
}

/// Control characters but tab and line breaks, and what shows as nothing or turns the reading
/// direction round: names that look alike must be alike.
fn is_invisible(c: char) -> bool {
    match c {
        '\n' | '\r' | '\t' => false,
        '\u{AD}'
        | '\u{61C}'
        | '\u{115F}'..='\u{1160}'
        | '\u{180E}'
        | '\u{200B}'..='\u{200F}'
        | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}'
        | '\u{3164}'
        | '\u{FEFF}'
        | '\u{FFA0}' => true,
        _ => c.is_control(),
    }
}

fn walk_text(value: &Value, pointer: &mut String, errors: &mut Vec<FieldError>) {
    let length = pointer.len();
    if errors.len() >= MOST_ERRORS {
        return;
    }
    match value {
        Value::String(text) if text.chars().any(is_invisible) => {
            let detail = text!("含有不可见的控制字符", "It holds a control character");
            errors.push(FieldError::body(pointer.clone(), Code::ControlCharacter, detail));
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                pointer.push('/');
                pointer.push_str(&at.to_string());
                walk_text(item, pointer, errors);
                pointer.truncate(length);
            }
        }
        Value::Object(map) => {
            for (name, item) in map {
                pointer.push('/');
                pointer.push_str(&escape(name));
                walk_text(item, pointer, errors);
                pointer.truncate(length);
            }
        }
        _ => {}
    }
}

fn escape(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// What `serde_json` says of text that is no JSON.
pub(super) fn parse_error(error: &serde_json::Error) -> AppError {
    let (line, column) = (error.line(), error.column());
    let detail = text!(
        "请求体不是有效的 JSON: 第 {line} 行第 {column} 列",
        "The body is not valid JSON at line {line}, column {column}"
    );
    AppError::because(Code::MalformedJson, detail)
}

/// The errors of a query's parameters: the place is the parameter's name.
pub(super) fn query_errors(validator: &Validator, object: &Value) -> Vec<FieldError> {
    let found = validator.iter_errors(object).flat_map(|error| body_errors(&error, object)).take(MOST_ERRORS);
    found
        .map(|error| {
            let pointer = match &error.place {
                crate::errors::Place::Body(pointer) => pointer.as_str(),
                _ => "",
            };
            let name = pointer.trim_start_matches('/').split('/').next().unwrap_or_default();
            FieldError::query(name, error.code, error.detail)
        })
        .collect()
}

fn body_errors(error: &ValidationError<'_>, whole: &Value) -> Vec<FieldError> {
    let pointer = error.instance_path().to_string();
    let at = |pointer: String, code: Code, detail: Text| vec![FieldError::body(pointer, code, detail)];
    match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            at(
                format!("{pointer}/{}", escape(name)),
                Code::Required,
                text!("缺少 {name}", "{name} is missing"),
            )
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            unexpected.iter().take(MOST_ERRORS).map(|name| unknown_field(&pointer, name)).collect()
        }
        // An object that may have no property at all: the library does not name those it has.
        ValidationErrorKind::FalseSchema if whole.pointer(&pointer).is_some_and(Value::is_object) => {
            let object = whole.pointer(&pointer).and_then(Value::as_object);
            object
                .into_iter()
                .flat_map(Map::keys)
                .take(MOST_ERRORS)
                .map(|name| unknown_field(&pointer, name))
                .collect()
        }
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            alternatives(context, &pointer, whole)
        }
        kind => {
            let (code, detail) = describe(kind);
            at(pointer, code, detail)
        }
    }
}

fn unknown_field(pointer: &str, name: &str) -> FieldError {
    let detail = text!("没有字段 {name}", "There is no field {name}");
    FieldError::body(format!("{pointer}/{}", escape(name)), Code::UnknownField, detail)
}

/// Of alternatives (a nullable object, mostly) the errors of the one that came furthest are told.
fn alternatives(context: &[Vec<ValidationError<'static>>], pointer: &str, whole: &Value) -> Vec<FieldError> {
    let nearest = context
        .iter()
        .filter(|errors| !errors.iter().all(|error| matches!(error.kind(), ValidationErrorKind::Type { .. })))
        .min_by_key(|errors| errors.len());
    match nearest {
        Some(errors) => errors.iter().flat_map(|error| body_errors(error, whole)).collect(),
        None => vec![FieldError::body(pointer, Code::WrongType, text!("类型不符", "It has the wrong type"))],
    }
}

fn describe(kind: &ValidationErrorKind) -> (Code, Text) {
    match kind {
        ValidationErrorKind::Type { kind } => {
            let wanted = match kind {
                TypeKind::Single(one) => one.to_string(),
                TypeKind::Multiple(many) => {
                    many.iter().map(|one| one.to_string()).collect::<Vec<_>>().join(" | ")
                }
            };
            (Code::WrongType, text!("类型应为 {wanted}", "It must be of type {wanted}"))
        }
        ValidationErrorKind::Enum { options } => {
            let options: Vec<String> = options
                .as_array()
                .into_iter()
                .flatten()
                .map(|value| value.to_string().replace('"', ""))
                .collect();
            let options = options.join(", ");
            (Code::NotAllowedValue, text!("应为其中之一: {options}", "It must be one of: {options}"))
        }
        ValidationErrorKind::MinLength { limit } => {
            (Code::TooShort, text!("至少 {limit} 个字符", "It needs at least {limit} characters"))
        }
        ValidationErrorKind::MaxLength { limit } => {
            (Code::TooLong, text!("至多 {limit} 个字符", "It may have at most {limit} characters"))
        }
        ValidationErrorKind::Minimum { limit } => {
            (Code::TooSmall, text!("不得小于 {limit}", "It may not be below {limit}"))
        }
        ValidationErrorKind::Maximum { limit } => {
            (Code::TooBig, text!("不得大于 {limit}", "It may not be above {limit}"))
        }
        ValidationErrorKind::MinItems { limit } => {
            (Code::TooFew, text!("至少 {limit} 项", "It needs at least {limit} items"))
        }
        ValidationErrorKind::MaxItems { limit } => {
            (Code::TooMany, text!("至多 {limit} 项", "It may have at most {limit} items"))
        }
        ValidationErrorKind::MinProperties { .. } => {
            (Code::Required, text!("至少要写一个字段", "At least one field is needed"))
        }
        ValidationErrorKind::Pattern { pattern } => pattern_text(pattern),
        ValidationErrorKind::Format { format } => {
            (Code::WrongFormat, text!("格式应为 {format}", "It must be a {format}"))
        }
        ValidationErrorKind::UniqueItems => {
            (Code::NotUnique, text!("有重复的项", "Its items must be unique"))
        }
        _ => (Code::WrongType, text!("不符合要求", "It does not match the schema")),
    }
}

/// A person is told what a pattern means, not the pattern.
fn pattern_text(pattern: &str) -> (Code, Text) {
    match pattern {
        r"^\S(?:[^\r\n]*\S)?$" => (
            Code::Blank,
            text!(
                "不能为空白, 首尾不能有空格, 只能一行",
                "It may not be blank, nor begin or end with a space, nor have several lines"
            ),
        ),
        r"^[^\u0000]*$" => {
            (Code::ControlCharacter, text!("含有不可见的控制字符", "It holds a control character"))
        }
        r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?$" => (
            Code::WrongFormat,
            text!(
                "应为十进制数, 如 98.00, 至多 12 位整数与 6 位小数",
                "It must be a decimal such as 98.00, with at most 12 digits before and 6 after the point"
            ),
        ),
        _ => (Code::WrongFormat, text!("格式应符合 {pattern}", "It must match {pattern}")),
    }
}

/// What `validator` found: its code is one of ours by name, its message `中文|English`.
fn spanning_errors(pointer: &str, errors: &ValidationErrors, found: &mut Vec<FieldError>) {
    let mut fields: Vec<_> = errors.errors().iter().collect();
    fields.sort_by(|one, other| one.0.cmp(other.0));
    for (field, kind) in fields {
        let place = if field == "__all__" { pointer.to_owned() } else { format!("{pointer}/{field}") };
        match kind {
            ValidationErrorsKind::Struct(inner) => spanning_errors(&place, inner, found),
            ValidationErrorsKind::List(items) => {
                for (at, inner) in items {
                    spanning_errors(&format!("{place}/{at}"), inner, found);
                }
            }
            ValidationErrorsKind::Field(list) => {
                for error in list {
                    let code = Code::ALL
                        .iter()
                        .copied()
                        .find(|code| code.name() == error.code)
                        .unwrap_or(Code::WrongFormat);
                    let message = error.message.as_deref().unwrap_or_default();
                    let (zh, en) = message.split_once('|').unwrap_or((code.title_zh(), code.title_en()));
                    let suffix = error.params.get("at").and_then(Value::as_str).unwrap_or_default();
                    let detail = text!("{zh}", "{en}");
                    found.push(FieldError::body(format!("{place}{suffix}"), code, detail));
                }
            }
        }
    }
}
