//! The operations as the document and the list of routes give them: what every generated test reads.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use jsonschema::Validator;
use pingyi::access::Role;
use pingyi::access::policy::{Audience, Cell, Row};
use pingyi::web::{Given, address};
use serde_json::{Value, json};

use crate::support::client::As;
use crate::support::people::root_login;
use crate::support::{World, client, tus};

/// The document, made from the code.
pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| pingyi::web::document(&pingyi::app::api()).0)
}

/// One operation.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Its id.
    pub id: String,
    /// The method.
    pub method: &'static str,
    /// The path below the base path, ids in braces.
    pub path: &'static str,
    /// The row of the policy table.
    pub row: &'static Row,
    /// What the document says.
    pub said: &'static Value,
}

/// Every operation.
pub fn operations() -> Vec<Operation> {
    let api = pingyi::app::api();
    let routes = api.routes().iter();
    routes
        .map(|route| Operation {
            id: route.id.to_owned(),
            method: route.verb.name(),
            path: route.path,
            row: route.row,
            said: &document()["paths"][route.path][route.verb.name().to_lowercase()],
        })
        .collect()
}

impl Operation {
    /// `METHOD /path`, for messages.
    pub fn name(&self) -> String {
        format!("{} {} ({})", self.method, self.path, self.id)
    }

    /// The names of the ids in the path.
    pub fn ids(&self) -> Vec<&'static str> {
        self.path.split('/').filter_map(|piece| piece.strip_prefix('{')?.strip_suffix('}')).collect()
    }

    /// The address with these ids in it.
    pub fn at(&self, ids: &[String]) -> String {
        let mut ids = ids.iter();
        let pieces = self.path.split('/').map(|piece| {
            if piece.starts_with('{') {
                ids.next().expect("an id for each place").clone()
            } else {
                piece.to_owned()
            }
        });
        address(&pieces.collect::<Vec<_>>().join("/"))
    }

    /// The address with ids that exist nowhere.
    pub fn at_nothing(&self) -> String {
        let absent = |name: &&str| if *name == "province_code" { "99".to_owned() } else { fresh_id() };
        self.at(&self.ids().iter().map(absent).collect::<Vec<_>>())
    }

    /// Schema and media types of the body, if there is one.
    pub fn body(&self) -> Option<Body> {
        let content = self.said["requestBody"]["content"].as_object()?;
        let (_, first) = content.iter().next()?;
        Some(Body {
            media: content.keys().cloned().collect(),
            schema: resolve(&first["schema"]).clone(),
            example: first["example"].clone(),
        })
    }

    /// Whether its body is a file of rows rather than JSON.
    pub fn takes_file(&self) -> bool {
        self.body().is_some_and(|body| body.example.is_string()) && !self.takes_part()
    }

    /// Whether its body is a part of a file that comes in parts.
    pub fn takes_part(&self) -> bool {
        self.body().is_some_and(|body| body.media == [tus::PART])
    }

    /// The same call with the headers that the document asks for, each as in its example; not `If-Match`, which has an answer of
    /// its own where it is missing.
    pub fn with_headers<'w>(&self, call: client::Call<'w>) -> client::Call<'w> {
        let parameters = self.said["parameters"].as_array().into_iter().flatten();
        let needed = parameters.filter(|one| one["in"] == "header" && one["required"] == true);
        needed.fold(call, |call, one| {
            let example = &one["example"];
            let value = example.as_str().map_or_else(|| example.to_string(), ToOwned::to_owned);
            call.header(one["name"].as_str().expect("a name"), &value)
        })
    }

    /// Whether its body is a form with a file.
    pub fn takes_form(&self) -> bool {
        self.body().is_some_and(|body| body.media == ["multipart/form-data"])
    }

    /// The schemas of its body, whichever media type.
    pub fn schemas(&self) -> Vec<Value> {
        let content = self.said["requestBody"]["content"].as_object().into_iter().flatten();
        content.map(|(_, said)| resolve(&said["schema"]).clone()).collect()
    }

    /// The parameters of the query, by name.
    pub fn query(&self) -> BTreeMap<String, Value> {
        let parameters = self.said["parameters"].as_array().into_iter().flatten();
        parameters
            .filter(|parameter| parameter["in"] == "query")
            .map(|parameter| {
                let name = parameter["name"].as_str().expect("a name").to_owned();
                (name, resolve(&parameter["schema"]).clone())
            })
            .collect()
    }

    /// Parameters of the query that must be there, each with a good value, as `&name=value`.
    pub fn needed(&self) -> Vec<(String, String)> {
        let parameters = self.said["parameters"].as_array().into_iter().flatten();
        let needed = parameters.filter(|one| one["in"] == "query" && one["required"] == true);
        needed
            .map(|one| {
                let (name, schema) = (one["name"].as_str().expect("a name"), resolve(&one["schema"]));
                let value = schema["minimum"].as_i64().unwrap_or_else(|| {
                    panic!("{}: tell Operation::needed a good value of {name}", self.name())
                });
                (name.to_owned(), format!("&{name}={value}"))
            })
            .collect()
    }

    /// Whether it answers pages.
    pub fn is_list(&self) -> bool {
        self.method == "GET" && self.query().contains_key("cursor")
    }

    /// Whether it answers with a paper, and so with no JSON.
    pub fn is_paper(&self) -> bool {
        let routes = pingyi::app::api();
        routes.routes().iter().any(|route| route.id == self.id && route.given == Given::Paper)
    }

    /// Who may do it: somebody at the root, or nobody in particular where no account is needed.
    pub fn caller<'w>(&self, world: &'w World) -> As<'w> {
        match self.row.audience {
            Audience::Public => world.anonymous(),
            // Whose job it is in Objects.
            Audience::Account if self.ids().contains(&"job_id") => world.as_("5301-group-head"),
            Audience::Account => world.as_("53-liaison"),
            Audience::Roles => {
                // The platform's people come last: they have objects of their own in no province.
                let may = |role: &&Role| self.row.cell(**role) != Cell::Never;
                let provincial = Role::ALL.iter().filter(|role| !role.is_of_platform()).find(may);
                let role = provincial.or_else(|| Role::ALL.iter().find(may));
                let role = role.unwrap_or_else(|| panic!("no role may {}: mend the table", self.row.name));
                world.as_(&root_login(*role))
            }
        }
    }

    /// A call that is well-formed, of an object that does not exist.
    pub fn call<'w>(&self, who: &As<'w>, path: &str) -> client::Call<'w> {
        let call = self.with_headers(who.call(self.method, path));
        if self.takes_form() {
            return call.form(&[], Some(("a.jpg", b"nonsense")));
        }
        match self.body() {
            Some(Body { example: Value::String(file), media, .. }) => call.bytes(&media[0], file),
            Some(body) => call.json(&body.example),
            None => call,
        }
    }
}

/// What an operation takes.
#[derive(Debug, Clone)]
pub struct Body {
    /// The media types read.
    pub media: Vec<String>,
    /// The schema.
    pub schema: Value,
    /// The example.
    pub example: Value,
}

impl Body {
    /// The names of the required properties.
    pub fn required(&self) -> Vec<String> {
        client::strings(&self.schema["required"])
    }
}

/// A schema, or the one it refers to.
pub fn resolve(schema: &'static Value) -> &'static Value {
    match schema["$ref"].as_str().and_then(|path| path.strip_prefix('#')) {
        Some(pointer) => {
            document().pointer(pointer).unwrap_or_else(|| panic!("the document lacks {pointer}"))
        }
        None => schema,
    }
}

/// The document's schemas that a schema refers to, directly or through others.
fn referenced(schema: &Value) -> serde_json::Map<String, Value> {
    let all = &document()["components"]["schemas"];
    let (mut kept, mut todo) = (serde_json::Map::new(), vec![schema]);
    while let Some(value) = todo.pop() {
        match value {
            Value::Object(map) => {
                todo.extend(map.values());
                let name = map.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next());
                if let Some(name) = name.filter(|name| !kept.contains_key(*name)) {
                    kept.insert(name.to_owned(), all[name].clone());
                    todo.push(&all[name]);
                }
            }
            Value::Array(items) => todo.extend(items),
            _ => {}
        }
    }
    kept
}

/// A validator of a schema of the document.
fn validator(schema: &Value) -> Validator {
    let mut whole = schema.clone();
    whole["components"] = json!({ "schemas": referenced(schema) });
    jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&whole)
        .unwrap_or_else(|error| panic!("the schema {schema} does not compile: {error}"))
}

/// Every error of a value against a schema; compiling one takes its time, so each is compiled once.
pub fn mismatches(schema: &Value, value: &Value) -> Vec<String> {
    static KNOWN: Mutex<BTreeMap<String, Arc<Validator>>> = Mutex::new(BTreeMap::new());
    let known = KNOWN.lock().expect("schemas").get(&schema.to_string()).cloned();
    let validator = known.unwrap_or_else(|| {
        let made = Arc::new(validator(schema));
        KNOWN.lock().expect("schemas").insert(schema.to_string(), made.clone());
        made
    });
    validator.iter_errors(value).map(|error| format!("{} at {}", error, error.instance_path())).collect()
}

/// An id that nobody has.
pub fn fresh_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// Collects what fails, so that one run tells all of it.
#[derive(Default)]
pub struct Failures(Vec<String>);

impl Failures {
    /// Notes a failure unless `good`.
    pub fn check(&mut self, good: bool, what: impl FnOnce() -> String) {
        if !good {
            self.0.push(what());
        }
    }

    /// Fails with all of them, and the cure.
    #[track_caller]
    pub fn settle(self, cure: &str) {
        let shown: Vec<&str> = self.0.iter().take(12).map(String::as_str).collect();
        assert!(self.0.is_empty(), "{} failures; {cure}\n  {}", self.0.len(), shown.join("\n  "));
    }
}
