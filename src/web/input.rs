//! What an endpoint takes: ids in the path, parameters of the query, a JSON body.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use validator::Validate;

use super::openapi::{Example, reference};
use super::receive::{Allowance, Sent};
use super::schemas::{Collector, Patch};
use super::sent_headers::SentHeader;
use super::shape::{Shapes, check_text, parse_error, query_errors};
use crate::db::Id;
use crate::errors::{AppError, Code, FieldError, Result, text};

/// The ids in a path.
pub trait PathIds: Sized + Send + 'static {
    /// How many there are.
    const COUNT: usize;
    /// Reads them in order; `None` when one is malformed, which is a 404.
    fn parse(values: &[&str]) -> Option<Self>;
    /// The schema of each.
    #[must_use]
    fn schema() -> Value {
        serde_json::json!({ "$ref": "#/components/schemas/Id" })
    }
    /// An example of each.
    #[must_use]
    fn example() -> Value {
        serde_json::json!("01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77")
    }
}

impl PathIds for () {
    const COUNT: usize = 0;
    fn parse(_: &[&str]) -> Option<Self> {
        Some(())
    }
}

impl<E: 'static> PathIds for Id<E> {
    const COUNT: usize = 1;
    fn parse(values: &[&str]) -> Option<Self> {
        Self::parse(values.first()?)
    }
}

impl<E: 'static, F: 'static> PathIds for (Id<E>, Id<F>) {
    const COUNT: usize = 2;
    fn parse(values: &[&str]) -> Option<Self> {
        Some((Id::parse(values.first()?)?, Id::parse(values.get(1)?)?))
    }
}

/// The parameters of a query: the properties of one schema.
pub trait QueryParams: DeserializeOwned + ToSchema + Send + 'static {}
impl<T: DeserializeOwned + ToSchema + Send + 'static> QueryParams for T {}

/// No parameters.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NoQuery {}

/// Reads a query: names and types from the schema, all errors at once.
///
/// # Errors
/// `invalid_query`, naming the parameters there are.
pub(super) fn parse_query<Q: QueryParams>(
    shapes: &Shapes,
    operation: &'static str,
    query: &str,
) -> Result<Q> {
    let known = shapes.query(operation);
    let mut errors = Vec::new();
    let mut object = Map::new();
    for (name, value) in url_pairs(query)? {
        let Some(schema) = known.properties.get(&name) else {
            let allowed: Vec<&str> = known.properties.keys().map(String::as_str).collect();
            let allowed = if allowed.is_empty() { "-".to_owned() } else { allowed.join(", ") };
            // Told as it was sent, but for what no text of ours holds, and not at any length.
            let name: String =
                name.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).take(200).collect();
            let detail = text!(
                "没有参数 {name}, 可用: {allowed}",
                "There is no parameter {name}; there are: {allowed}"
            );
            errors.push(FieldError::query(name, Code::UnknownParameter, detail));
            continue;
        };
        let kind = shapes.parameter_kind(schema);
        let value = kind.read(value);
        match object.get_mut(&name) {
            Some(Value::Array(items)) => items.push(value),
            Some(_) => {
                let detail = text!("参数 {name} 只能出现一次", "The parameter {name} may be given only once");
                errors.push(FieldError::query(name, Code::RepeatedParameter, detail));
            }
            None if kind.repeats => {
                object.insert(name, Value::Array(vec![value]));
            }
            None => {
                object.insert(name, value);
            }
        }
    }
    let object = Value::Object(object);
    if !known.properties.is_empty() {
        errors.extend(query_errors(known.validator(), &object));
    }
    if errors.is_empty() {
        let read = serde_json::from_value(object);
        return read.map_err(|error| {
            let detail = text!("查询参数无法识别: {error}", "The query cannot be read: {error}");
            AppError::because(Code::InvalidQuery, detail)
        });
    }
    errors.dedup();
    Err(AppError::fields(Code::InvalidQuery, errors))
}

fn url_pairs(query: &str) -> Result<Vec<(String, String)>> {
    let pairs = serde_urlencoded_pairs(query);
    if pairs.len() > 100 {
        let detail = text!("查询参数过多", "There are too many query parameters");
        return Err(AppError::because(Code::InvalidQuery, detail));
    }
    Ok(pairs)
}

fn serde_urlencoded_pairs(query: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect()
}

/// A request's body.
pub trait Body: Sized + 'static {
    /// Whether there is a body at all, and whether it may be left out.
    const PRESENT: bool;
    /// The media types read.
    const MEDIA: &'static [&'static str] = &["application/json"];
    /// The encodings that may be named with them.
    const CHARSETS: &'static [&'static str] = &["utf-8"];
    /// How much there may be of it.
    const ALLOWANCE: Allowance = Allowance::JSON;
    /// Whether it is kept in pieces for a job instead of being held in memory.
    const SPOOLED: bool = false;
    /// Whether it is a form with a file, which goes to the disk.
    const FORM: bool = false;
    /// Whether its handler receives it bit by bit.
    const STREAMED: bool = false;
    /// Whether what it changes has versions, of which `If-Match` names one.
    const VERSIONED: bool = true;
    /// The headers that are read with it.
    const HEADERS: &'static [SentHeader] = &[];
    /// Headers that every answer to it bears, refusals too, and what they say.
    const TELLS: &'static [(&'static str, &'static str)] = &[];
    /// The codes that reading it may answer with, besides those every body has.
    const CODES: &'static [Code] = &[];
    /// What two requests that say the same have in common.
    #[must_use]
    fn gist(sent: &Sent) -> Cow<'_, [u8]> {
        sent.gist()
    }
    /// Bytes of it at most, of this media type.
    #[must_use]
    fn most(media: &str) -> usize {
        let _ = media;
        Self::ALLOWANCE.bytes
    }
    /// Adds the schema and gives its name.
    fn schema(schemas: &mut Collector) -> Option<String>;
    /// An example.
    fn example() -> Option<Value>;
    /// What the document says of it, by media type; nothing without a body.
    fn content(schemas: &mut Collector) -> Option<Map<String, Value>> {
        let name = Self::schema(schemas)?;
        let content = serde_json::json!({ "schema": reference(&name), "example": Self::example() });
        Some(Self::MEDIA.iter().map(|media| ((*media).to_owned(), content.clone())).collect())
    }
    /// Reads it, all errors at once.
    ///
    /// # Errors
    /// `malformed_json`, `invalid_body`.
    fn parse(shapes: &Shapes, sent: Sent) -> Result<Self>;
}

/// No body; one that is sent is not read.
#[derive(Debug, Clone, Copy)]
pub struct NoBody;

impl Body for NoBody {
    const PRESENT: bool = false;
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

/// A transition that needs nothing: an empty body or `{}`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(description = "不需要内容的操作: 空对象。")]
pub struct Empty {}

impl Example for Empty {
    fn example() -> Value {
        serde_json::json!({})
    }
}

/// A JSON body of type `T`.
#[derive(Debug, Clone)]
pub struct Json<T>(pub T);

fn parse_value(bytes: &[u8]) -> Result<Value> {
    let bytes = if bytes.is_empty() { b"{}" } else { bytes };
    serde_json::from_slice(bytes).map_err(|error| parse_error(&error))
}

impl<T> Body for Json<T>
where
    T: DeserializeOwned + ToSchema + Example + Validate + Send + 'static,
{
    const PRESENT: bool = true;
    fn schema(schemas: &mut Collector) -> Option<String> {
        Some(schemas.request::<T>())
    }
    fn example() -> Option<Value> {
        Some(T::example())
    }
    fn parse(shapes: &Shapes, sent: Sent) -> Result<Self> {
        let value = parse_value(&sent.bytes)?;
        shapes.read::<T>(value).map(Json)
    }
}

/// A JSON body of type `T` that was gathered while there was no line, and may be slow to come. What it says in `sent_at` is new each time it is sent, and no other request for that.
#[derive(Debug, Clone)]
pub struct Batch<T>(pub T);

impl<T> Body for Batch<T>
where
    T: DeserializeOwned + ToSchema + Example + Validate + Send + 'static,
{
    const PRESENT: bool = true;
    const ALLOWANCE: Allowance = Allowance::BATCH;
    fn schema(schemas: &mut Collector) -> Option<String> {
        Json::<T>::schema(schemas)
    }
    fn example() -> Option<Value> {
        Json::<T>::example()
    }
    fn gist(sent: &Sent) -> Cow<'_, [u8]> {
        let Ok(Value::Object(mut said)) = serde_json::from_slice(&sent.bytes) else { return sent.gist() };
        said.remove("sent_at");
        Cow::Owned(Value::Object(said).to_string().into_bytes())
    }
    fn parse(shapes: &Shapes, sent: Sent) -> Result<Self> {
        Json::<T>::parse(shapes, sent).map(|json| Self(json.0))
    }
}

/// A JSON merge patch of `T`: checked by itself first, and merged and checked whole in the
/// transaction, where what is there now is known.
#[derive(Debug, Clone)]
pub struct Merge<T> {
    patch: Value,
    shapes: Shapes,
    of: std::marker::PhantomData<fn() -> T>,
}

impl<T> Body for Merge<T>
where
    T: DeserializeOwned + Serialize + Patch + Validate + 'static,
{
    const PRESENT: bool = true;
    const MEDIA: &'static [&'static str] = &["application/merge-patch+json", "application/json"];
    fn schema(schemas: &mut Collector) -> Option<String> {
        Some(schemas.patch::<T>())
    }
    fn example() -> Option<Value> {
        Some(T::patch_example())
    }
    fn parse(shapes: &Shapes, sent: Sent) -> Result<Self> {
        let patch = parse_value(&sent.bytes)?;
        shapes.check(&format!("{}Patch", T::name()), &patch)?;
        check_text(&patch)?;
        Ok(Self { patch, shapes: shapes.clone(), of: std::marker::PhantomData })
    }
}

impl<T> Merge<T>
where
    T: DeserializeOwned + Serialize + Patch + Validate + 'static,
{
    /// What `current` becomes.
    ///
    /// # Errors
    /// `invalid_body` with every error of the merged whole.
    pub fn apply(&self, current: &T) -> Result<T> {
        let mut merged = serde_json::to_value(current).map_err(AppError::internal)?;
        json_patch::merge(&mut merged, &self.patch);
        self.shapes.read::<T>(merged)
    }
}
