//! The document says what is served, completely, with examples that are true.

use std::collections::BTreeSet;

use pingyi::access::policy::ROWS;
use pingyi::web::Format;
use serde_json::Value;

use crate::operations::{Failures, document, mismatches, operations, resolve};
use crate::support::both;

/// Rows whose operation is still to be built. A row that has one must leave this list.
const ROWS_TO_COME: &[(&str, &str)] = &[];

/// Operations whose examples hold no sentence, and why.
const WITHOUT_PROSE: &[(&str, &str)] = &[
    ("listen_to_events", "an event names a thing and an action, and says nothing else"),
    ("list_changes", "an event names a thing and an action, and says nothing else"),
    ("get_live", "a fixed word"),
    ("get_ready", "a fixed word"),
    ("get_keys", "public keys"),
    ("list_audit_checkpoints", "signed digests"),
    ("get_audit_checkpoint", "signed digests"),
    ("refresh_token", "tokens"),
    ("list_user_sessions", "sessions hold no text of people"),
    ("list_own_sessions", "sessions hold no text of people"),
];

fn holds_chinese(value: &Value) -> bool {
    match value {
        Value::String(text) => text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)),
        Value::Array(items) => items.iter().any(holds_chinese),
        Value::Object(map) => map.values().any(holds_chinese),
        _ => false,
    }
}

#[test]
fn the_document_lists_exactly_the_routes() {
    let routes: BTreeSet<(String, String)> = pingyi::app::api()
        .routes()
        .iter()
        .map(|route| (route.path.to_owned(), route.verb.name().to_lowercase()))
        .collect();
    assert_eq!(routes.len(), pingyi::app::api().routes().len(), "a route is mounted twice in src/app.rs");
    let mut documented = BTreeSet::new();
    for (path, item) in document()["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys().filter(|key| *key != "servers") {
            documented.insert((path.clone(), method.clone()));
        }
    }
    assert_eq!(routes, documented, "mount every endpoint in app::api()");
}

#[test]
fn the_document_checked_in_is_the_one_the_code_makes() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi/openapi.json");
    let there = std::fs::read_to_string(file).unwrap_or_default();
    let made = serde_json::to_string_pretty(document()).unwrap() + "\n";
    let line = there.lines().zip(made.lines()).position(|(one, other)| one != other);
    assert!(
        there == made,
        "openapi/openapi.json differs from line {:?} on: run scripts/openapi",
        line.map(|at| at + 1)
    );
}

#[test]
fn every_row_of_the_table_is_used_by_an_operation() {
    let used: BTreeSet<&str> = operations().iter().map(|operation| operation.row.name).collect();
    let unused: BTreeSet<&str> =
        ROWS.iter().map(|row| row.name).filter(|name| !used.contains(name)).collect();
    let to_come: BTreeSet<&str> = ROWS_TO_COME.iter().map(|(name, _)| *name).collect();
    assert_eq!(unused, to_come, "mount an endpoint for the row, or keep ROWS_TO_COME true");
}

#[test]
fn every_operation_is_described_completely() {
    let mut failures = Failures::default();
    let tags: BTreeSet<&str> =
        document()["tags"].as_array().unwrap().iter().filter_map(|tag| tag["name"].as_str()).collect();
    let rows: BTreeSet<&str> = ROWS.iter().map(|row| row.name).collect();
    let mut ids = BTreeSet::new();
    for operation in operations() {
        let (name, said) = (operation.name(), operation.said);
        for key in ["operationId", "summary", "description", "x-action"] {
            failures.check(said[key].as_str().is_some_and(|text| !text.is_empty()), || {
                format!("{name} lacks {key}")
            });
        }
        failures.check(ids.insert(operation.id.clone()), || format!("{name}: its id is not its own"));
        failures.check(said["summary"].as_str().is_some_and(|text| holds_chinese(&text.into())), || {
            format!("{name}: the summary is Chinese, the first line of its doc comment")
        });
        let action = said["x-action"].as_str().unwrap_or_default();
        failures.check(rows.contains(action), || format!("{name}: {action} is no row of policy.rs"));
        let tag = said["tags"][0].as_str().unwrap_or_default();
        failures.check(tags.contains(tag), || format!("{name}: enter the tag {tag} in web/openapi.rs TAGS"));
        for parameter in said["parameters"].as_array().into_iter().flatten() {
            let parameter = resolve(parameter);
            let described = parameter["description"].as_str().is_some_and(|text| !text.is_empty());
            failures.check(described, || format!("{name}: describe the parameter {}", parameter["name"]));
        }
    }
    failures.settle("the endpoint! of the operation says all of it");
}

#[test]
fn every_example_is_true_to_its_schema_and_chinese() {
    let mut failures = Failures::default();
    for operation in operations() {
        let name = operation.name();
        let mut examples = Vec::new();
        let request = operation.said["requestBody"]["content"].as_object().into_iter().flatten();
        let mut contents: Vec<(String, &Value)> =
            request.map(|(media, content)| (format!("request {media}"), content)).collect();
        for (status, response) in operation.said["responses"].as_object().unwrap() {
            let response = resolve(response);
            let status: u16 = status.parse().expect("a status");
            let content = response["content"].as_object();
            if status >= 400 {
                let problem = content.and_then(|content| content.get("application/problem+json"));
                failures.check(problem.is_some(), || format!("{name}: {status} is no problem+json"));
            } else if status != 204 && status != 304 && operation.method != "HEAD" {
                failures.check(content.is_some(), || format!("{name}: {status} has no body"));
            }
            let content = content.into_iter().flatten();
            contents.extend(content.map(|(media, content)| (format!("{status} {media}"), content)));
        }
        for (place, content) in contents {
            let example = &content["example"];
            // Of a workbook no text is a true example; of a page the style is left out.
            if place.ends_with(Format::Xlsx.media()) {
                continue;
            }
            failures.check(!example.is_null(), || format!("{name}: {place} has no example"));
            for wrong in mismatches(&content["schema"], example) {
                failures.check(false, || format!("{name}: the example of {place}: {wrong}"));
            }
            if !place.contains("problem") && example.as_object().is_some_and(|map| !map.is_empty()) {
                examples.push(example);
            }
        }
        let silent = WITHOUT_PROSE.iter().any(|(id, _)| *id == operation.id);
        let chinese = examples.is_empty() || examples.iter().any(|example| holds_chinese(example));
        failures.check(chinese || silent, || format!("{name}: no example holds Chinese text"));
        let statuses = operation.said["responses"].as_object().unwrap();
        for status in ["400", "500", "503"] {
            failures.check(statuses.contains_key(status), || format!("{name} does not tell of {status}"));
        }
    }
    failures.settle("mend the type's Example");
}

both! {
    fn every_enum_of_the_document_is_a_dictionary(world) {
        let told = world.as_("53-liaison").get("/dictionaries").expect(200, "").json();
        let values = |items: &Value, key: &str| -> Vec<String> {
            let items = items.as_array().into_iter().flatten();
            items.filter_map(|item| if key.is_empty() { item.as_str() } else { item[key].as_str() }).map(Into::into).collect()
        };
        let known: BTreeSet<Vec<String>> =
            told["dictionaries"].as_array().unwrap().iter().map(|one| values(&one["entries"], "value")).collect();
        let mut failures = Failures::default();
        for (name, schema) in document()["components"]["schemas"].as_object().unwrap() {
            let listed = values(&schema["enum"], "");
            // Orders of lists and switches of queries are no data.
            if !listed.is_empty() && !name.ends_with("Sort") && !["Count", "Depth"].contains(&name.as_str()) {
                failures.check(known.contains(&listed), || format!("{name} is in no dictionary"));
            }
        }
        for entry in told["dictionaries"].as_array().unwrap().iter().flat_map(|one| one["entries"].as_array().unwrap()) {
            let labelled = entry["zh"].as_str().is_some_and(|zh| !zh.is_empty()) && entry["en"].as_str().is_some_and(|en| !en.is_empty());
            failures.check(labelled, || format!("{entry} lacks a label"));
        }
        failures.settle("enter it in reference/dictionaries.rs");
    }

    fn every_documented_operation_answers(world) {
        let mut failures = Failures::default();
        for operation in operations() {
            let reply = operation.call(&world.anonymous(), &operation.at_nothing()).send();
            failures.check(![404, 405].contains(&reply.status), || format!("{}: {}", operation.name(), reply.story()));
        }
        failures.settle("mount it in app::api()");
    }

    fn the_document_is_served_as_it_is_checked_in(world) {
        assert_eq!(world.anonymous().get("/api/v1/openapi.json").expect(200, "").json(), *document());
        world.anonymous().get("/docs/").expect(200, "");
    }
}
