//! Whatever is sent, the answer is a problem with the right code, in the caller's language, and
//! never a failure (the client refuses every 5xx).

use std::collections::{BTreeMap, BTreeSet};

use pingyi::errors::Code;
use serde_json::{Value, json};

use crate::operations::{Failures, Operation, document, mismatches, operations};
use crate::support::both;
use crate::support::client::Reply;

/// Checks everything that holds for every problem.
fn problem(failures: &mut Failures, reply: &Reply, status: u16, code: &str) {
    let wrong = wrong_with(reply, status, code);
    failures.check(wrong.is_none(), || format!("{}: {}", wrong.unwrap_or_default(), reply.story()));
}

fn wrong_with(reply: &Reply, status: u16, code: &str) -> Option<String> {
    if reply.status != status || (!code.is_empty() && !reply.says(code)) {
        return Some(format!("wanted {status} {code}"));
    }
    if reply.header("content-type") != Some("application/problem+json") {
        return Some("not application/problem+json".into());
    }
    if reply.bodiless {
        return (!reply.body.is_empty()).then(|| "a body that answers HEAD".into());
    }
    let body = reply.json();
    let schema = json!({ "$ref": "#/components/schemas/Problem" });
    if let Some(wrong) = mismatches(&schema, &body).first() {
        return Some(format!("not as the document says: {wrong}"));
    }
    let known = Code::ALL.iter().find(|known| Some(known.name()) == body["code"].as_str());
    let as_said = known.is_some_and(|known| pingyi::web::status_of(known.kind()) == status);
    if !as_said || body["status"] != status {
        return Some("its code is of another status".into());
    }
    if body["request_id"].as_str() != reply.header("x-request-id") {
        return Some("request_id is not X-Request-Id".into());
    }
    let page = body["code"].as_str().unwrap_or_default().replace('_', "-");
    if body["type"] != format!("/problems/{page}") {
        return Some("its type names another page".into());
    }
    if body["detail"].as_str().is_none_or(str::is_empty) || reply.header("content-language").is_none() {
        return Some("no detail or no Content-Language".into());
    }
    None
}

fn with_body() -> Vec<Operation> {
    operations()
        .into_iter()
        .filter(|operation| operation.body().is_some())
        .filter(|operation| !operation.takes_file() && !operation.takes_form() && !operation.takes_part())
        .collect()
}

fn with_file() -> Vec<Operation> {
    operations().into_iter().filter(Operation::takes_file).collect()
}

/// One value for each property of a body, by the example or by its type.
fn sample(operation: &Operation) -> Value {
    operation.body().map(|body| body.example).unwrap_or_default()
}

both! {
    fn a_wrong_method_is_a_405_with_allow(world) {
        let mut failures = Failures::default();
        let mut paths: BTreeMap<&str, (BTreeSet<&str>, String)> = BTreeMap::new();
        for operation in operations() {
            let entry = paths.entry(operation.path).or_insert_with(|| (BTreeSet::new(), operation.at_nothing()));
            entry.0.insert(operation.method);
        }
        for (methods, address) in paths.values() {
            for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"] {
                if methods.contains(method) {
                    continue;
                }
                let reply = world.anonymous().call(method, address).send();
                problem(&mut failures, &reply, 405, "method_not_allowed");
                let allow: BTreeSet<&str> =
                    reply.header("allow").unwrap_or_default().split(',').map(str::trim).collect();
                failures.check(allow == *methods, || format!("Allow is not {methods:?}: {}", reply.story()));
            }
        }
        for path in ["/api/v1/openapi.json", "/docs", "/problems/not-found"] {
            let reply = world.anonymous().call("POST", path).send();
            problem(&mut failures, &reply, 405, "method_not_allowed");
        }
        failures.settle("Api::register in web/routes.rs makes these answers");
    }

    fn an_unknown_path_is_a_404(world) {
        let mut failures = Failures::default();
        let odd = [
            "/", "/api", "/api/v1", "/api/v1/", "/api/v2/plans", "/api/v1/planz", "/api/v1/plans/", "/api/v1//plans",
            "/plans", "/api/v1/plans/x/y/z", "/problems/no-such-code", "/.well-known/jwks.json/", "/health", "/metrics",
            "/.env", "/api/v1/%2e%2e/health/live", "/api/v1/plans%00", "/API/V1/PLANS",
        ];
        for path in odd {
            let reply = world.anonymous().at_root("GET", path).send();
            problem(&mut failures, &reply, 404, "not_found");
        }
        let long = format!("/api/v1/plans?q={}", "a".repeat(9000));
        problem(&mut failures, &world.anonymous().get(&long), 414, "uri_too_long");
        let long = format!("/api/v1/{}", "a".repeat(9000));
        problem(&mut failures, &world.anonymous().get(&long), 414, "uri_too_long");
        failures.settle("see unknown_path in web/serve.rs");
    }

    fn every_code_has_a_page(world) {
        for code in Code::ALL {
            let page = world.anonymous().get(&pingyi::web::type_of(*code)).expect(200, "");
            let text = page.text();
            assert!(text.contains(code.title_zh()) && text.contains(code.title_en()), "{}", page.story());
            // What to do about it, in both languages.
            let advice: Vec<&str> = text.split("<p").skip(3).take(2).collect();
            let [zh, en] = advice[..] else { panic!("{}", page.story()) };
            assert!(zh.contains('。') && en.starts_with(" lang=\"en\">") && en.contains(".</p>"), "{}", page.story());
        }
        world.anonymous().get("/problems/no-such-code").expect(404, "not_found");
    }

    fn a_body_that_cannot_be_read_says_why(world) {
        let mut failures = Failures::default();
        for operation in with_body() {
            let (who, path) = (operation.caller(world), operation.at_nothing());
            let body = operation.body().unwrap();
            let send = |media: &str, bytes: &[u8]| who.call(operation.method, &path).bytes(media, bytes).send();
            let json = |text: &str| send("application/json", text.as_bytes());
            for media in ["text/plain", "application/xml", "application/x-www-form-urlencoded", "application/json; charset=gbk", ""] {
                problem(&mut failures, &send(media, b"{}"), 415, "unsupported_media_type");
            }
            let packed = who.call(operation.method, &path).json(&json!({})).header("Content-Encoding", "gzip").send();
            problem(&mut failures, &packed, 415, "unsupported_media_type");
            for media in &body.media {
                let reply = send(media, b"{");
                problem(&mut failures, &reply, 400, "malformed_json");
            }
            let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
            let broken = ["{\"a\":", "{\"a\":\"\\ud800\"}", "{\"a\":1e999}", "{} {}", "{'a':1}", "\u{feff}{}", &deep];
            for text in broken {
                problem(&mut failures, &json(text), 400, "malformed_json");
            }
            problem(&mut failures, &send("application/json", b"{\"a\":\"\xff\xfe\"}"), 400, "malformed_json");
            for text in ["[]", "\"x\"", "3", "null", "true"] {
                problem(&mut failures, &json(text), 422, "invalid_body");
            }
            let large = format!("{{\"a\":\"{}\"}}", "a".repeat(1024 * 1024));
            problem(&mut failures, &json(&large), 413, "body_too_large");
            let nested = format!("{{\"a\":{}{}}}", "[".repeat(100), "]".repeat(100));
            problem(&mut failures, &json(&nested), 422, "invalid_body");
        }
        failures.settle("see read_input in web/serve.rs");
    }

    fn a_file_that_cannot_be_read_says_why(world) {
        let mut failures = Failures::default();
        for operation in with_file() {
            let (who, path) = (operation.caller(world), operation.at_nothing());
            let body = operation.body().unwrap();
            let send = |media: &str, bytes: &[u8]| who.call(operation.method, &path).bytes(media, bytes).import();
            for media in ["application/json", "text/plain", "multipart/form-data; boundary=x", "text/csv; charset=utf-16", ""] {
                problem(&mut failures, &send(media, b"code\n"), 415, "unsupported_media_type");
            }
            let packed = who.call(operation.method, &path).bytes("text/csv", "code\n").header("Content-Encoding", "gzip").send();
            problem(&mut failures, &packed, 415, "unsupported_media_type");
            for media in &body.media {
                problem(&mut failures, &send(media, b""), 400, "malformed_file");
                for bytes in [&b"\0\x01\x02"[..], b"\xff\xfec\0o\0", b"\xff\xff\xff", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"] {
                    // Its job tells: the file is kept before it is read.
                    let reply = send(media, bytes);
                    failures.check(reply.status == 400 && reply.code() == "malformed_file", || reply.story());
                }
                let announced = who.call(operation.method, &path).bytes(media, "x").header("Content-Length", "536870913").send();
                problem(&mut failures, &announced, 413, "body_too_large");
            }
            // Nobody makes the server take a large file who may not have it read.
            let reply = world.as_("53-nobody").call(operation.method, &path)
                .bytes(&body.media[0], "x").header("Content-Length", "20000000").send();
            problem(&mut failures, &reply, 403, "forbidden");
            // Every place that is wrong is told, in rows and columns.
            let wrong = "不存在,tenant_id\n1,2\n";
            let reply = send("text/csv", wrong.as_bytes());
            failures.check(reply.status == 422 && reply.code() == "import_refused", || reply.story());
            let errors = reply.json()["errors"].as_array().cloned().unwrap_or_default();
            let has = |field: &str, code: &str| errors.iter().any(|error| error["line"] == 1 && error["field"] == field && error["code"] == code);
            failures.check(has("不存在", "unknown_field") && has("tenant_id", "unknown_field"), || reply.story());
            let row = operation.schemas().into_iter().find(|schema| schema["properties"].is_object()).expect("the schema of a row");
            for name in crate::support::client::strings(&row["required"]) {
                failures.check(has(&name, "required"), || format!("no {name}: {}", reply.story()));
            }
        }
        failures.settle("see Upload in imports/upload.rs and receive in web/receive.rs");
    }

    fn a_body_of_the_wrong_shape_names_every_place(world) {
        let mut failures = Failures::default();
        for operation in with_body() {
            let (who, path) = (operation.caller(world), operation.at_nothing());
            let body = operation.body().unwrap();
            let send = |value: &Value| who.call(operation.method, &path).json(value).send();
            let has = |reply: &Reply, pointer: &str, code: &str| {
                reply.errors().iter().any(|(at, what)| at == pointer && what == code)
            };

            // A field that is not there, and those that are never writable.
            for name in ["不存在", "a/b~c", "tenant_id", "version", "state", "score", "owner", "password_hash"] {
                let mut unknown = sample(&operation);
                unknown[name] = json!(1);
                let reply = send(&unknown);
                problem(&mut failures, &reply, 422, "invalid_body");
                let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
                failures.check(has(&reply, &pointer, "unknown_field"), || format!("no {pointer}: {}", reply.story()));
            }

            // Nothing at all.
            let required = body.required();
            if !required.is_empty() || body.schema["minProperties"].is_u64() {
                let reply = send(&json!({}));
                problem(&mut failures, &reply, 422, "invalid_body");
                for name in &required {
                    let pointer = format!("/{name}");
                    failures.check(has(&reply, &pointer, "required"), || format!("no {pointer}: {}", reply.story()));
                }
            }

            // Each property of the wrong type, too long, or with what nobody sees.
            for (name, value) in sample(&operation).as_object().unwrap() {
                let pointer = format!("/{name}");
                let mut wrong = sample(&operation);
                wrong[name] = json!({ "a": [] });
                let reply = send(&wrong);
                problem(&mut failures, &reply, 422, "invalid_body");
                let named = reply.errors().iter().any(|(at, _)| at.starts_with(&pointer));
                failures.check(named, || format!("no {pointer}: {}", reply.story()));
                if value.is_string() {
                    for text in ["a\u{0}bbbbbbbbbbbbbbb", "王\u{1b}建国aaaaaaaaaaaaa", "\u{7f}aaaaaaaaaaaaaaaaaa"] {
                        wrong[name] = json!(text);
                        problem(&mut failures, &send(&wrong), 422, "invalid_body");
                    }
                    wrong[name] = json!("长".repeat(5000));
                    let reply = send(&wrong);
                    problem(&mut failures, &reply, 422, "invalid_body");
                    failures.check(reply.errors().iter().any(|(at, _)| *at == pointer), || reply.story());
                }
            }
        }
        failures.settle("the schema of the body says all of it; see web/shape.rs");
    }

    fn headers_that_make_no_sense_are_refused(world) {
        let mut failures = Failures::default();
        for operation in operations() {
            let path = operation.at_nothing();
            let call = || {
                if operation.row.name == "account.logout" {
                    world.forget();
                }
                operation.call(&operation.caller(world), &path)
            };
            let refused = call().header("Accept", "video/mp4").send();
            problem(&mut failures, &refused, 406, "not_acceptable");
            let refused = call().header("Accept", "application/json;q=0").send();
            problem(&mut failures, &refused, 406, "not_acceptable");
            for tag in ["*", "\"v1.aa\"", "W/\"v1.aa\"", "nonsense", "\"v99999999999999999999.x\"", ""] {
                let reply = call().header("If-Match", tag).header("If-None-Match", tag).send();
                let known = [200, 201, 202, 204, 304, 400, 404, 401, 409, 412, 422].contains(&reply.status);
                failures.check(known, || reply.story());
            }
            if operation.method == "POST" {
                let reply = call().header("Idempotency-Key", &"k".repeat(129)).send();
                problem(&mut failures, &reply, 400, "invalid_header");
                let odd = call().header("Idempotency-Key", "键 ' \" \\ %00").send();
                failures.check(odd.status < 500, || odd.story());
            }
            if operation.row.name == "account.logout" {
                world.forget();
            }
        }
        failures.settle("see read_input in web/serve.rs");
    }

    fn refusals_speak_the_language_asked_for(world) {
        let mut failures = Failures::default();
        for operation in operations() {
            let (who, path) = (world.anonymous(), operation.at_nothing());
            // 406 where no account is asked for, 401 elsewhere: every operation refuses one of the two.
            let ask = |language: Option<&str>| {
                let call = operation.call(&who, &path).header("Accept", "image/png");
                match language {
                    Some(language) => call.header("Accept-Language", language).send(),
                    None => call.send(),
                }
            };
            let (plain, english) = (ask(None), ask(Some("en")));
            let title = |reply: &Reply| reply.json()["title"].as_str().unwrap_or_default().to_owned();
            failures.check(plain.header("content-language") == Some("zh-CN"), || plain.story());
            failures.check(english.header("content-language") == Some("en"), || english.story());
            if plain.bodiless {
                continue;
            }
            failures.check(title(&plain).chars().any(|c| c > '\u{4e00}'), || plain.story());
            failures.check(title(&english).is_ascii(), || english.story());
        }
        failures.settle("see Language in web/problem.rs");
    }

    fn a_query_that_makes_no_sense_is_a_400_that_helps(world) {
        let mut failures = Failures::default();
        for operation in operations().into_iter().filter(|operation| operation.method == "GET") {
            let (who, path) = (operation.caller(world), operation.at_nothing());
            let get = |query: &str| who.get(&format!("{path}?{query}"));
            let reply = get("nonsense=1");
            problem(&mut failures, &reply, 400, "invalid_query");
            let detail = reply.json()["errors"][0]["detail"].as_str().unwrap_or_default().to_owned();
            let named = reply.errors().contains(&("nonsense".to_owned(), "unknown_parameter".to_owned()));
            failures.check(named, || reply.story());
            for (name, schema) in operation.query() {
                // What else must be there is there, and good.
                let others: String = operation
                    .needed()
                    .into_iter()
                    .filter(|(other, _)| *other != name)
                    .map(|(_, pair)| pair)
                    .collect();
                failures.check(detail.contains(&name), || format!("{name} is not named as allowed: {}", reply.story()));
                let nonsense = ["%00", "%0a", "%FF%FE", "-1", "99999999999999999999999", "%F0%9F%92%A9", "'%22%25_%5C", "%E2%80%AE"];
                for value in nonsense.iter().map(ToString::to_string).chain(["a".repeat(5000), String::new()]) {
                    let reply = get(&format!("{name}={value}{others}"));
                    if ![200, 404].contains(&reply.status) {
                        problem(&mut failures, &reply, 400, "");
                        let placed = reply.errors().iter().all(|(at, _)| *at == name);
                        failures.check(placed, || reply.story());
                    }
                }
                if schema["type"] != "array" {
                    let reply = get(&format!("{name}=a&{name}=b"));
                    problem(&mut failures, &reply, 400, "invalid_query");
                    let repeated = reply.errors().contains(&(name.clone(), "repeated_parameter".to_owned()));
                    failures.check(repeated, || reply.story());
                }
            }
            if operation.is_list() {
                for query in ["limit=0", "limit=201", "limit=x", "limit=1.5", "count=maybe"] {
                    problem(&mut failures, &get(query), 400, "");
                }
            }
            let many = (0..200).map(|at| format!("p{at}=1")).collect::<Vec<_>>().join("&");
            problem(&mut failures, &get(&many), 400, "invalid_query");
        }
        failures.settle("see parse_query in web/input.rs");
    }
}

#[test]
fn no_schema_of_a_request_lets_unknown_fields_through() {
    let mut failures = Failures::default();
    for operation in operations() {
        let mut seen = BTreeSet::new();
        let mut todo = operation.schemas();
        while let Some(schema) = todo.pop() {
            match &schema {
                Value::Object(map) => {
                    if map.get("properties").is_some() {
                        failures.check(map.get("additionalProperties") == Some(&Value::Bool(false)), || {
                            format!("{}: {schema} lets unknown fields through", operation.name())
                        });
                    }
                    if let Some(name) = map.get("$ref").and_then(Value::as_str)
                        && seen.insert(name.to_owned())
                    {
                        todo.push(document().pointer(name.trim_start_matches('#')).unwrap().clone());
                    }
                    todo.extend(
                        map.iter().filter(|(key, _)| *key != "example").map(|(_, value)| value.clone()),
                    );
                }
                Value::Array(items) => todo.extend(items.clone()),
                _ => {}
            }
        }
    }
    failures.settle("#[serde(deny_unknown_fields)] on the type");
}
