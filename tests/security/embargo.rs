//! A covert check that has not been released does not exist: whatever anybody but its team and its commander asks for, by
//! whichever GET of the document, is answered by the same bytes before it is begun and after each thing done with it.

use std::collections::BTreeMap;

use pingyi::access::Role;
use pingyi::access::policy::Audience;
use serde_json::json;

use crate::objects::{Objects, Stand};
use crate::operations::{Failures, Operation, operations};
use crate::support::checks::Kit;
use crate::support::client::Reply;
use crate::support::people::root_login;
use crate::support::sheets::{FORMATS, export};
use crate::support::tus::Phone;
use crate::support::{World, both, sealing};

/// Everybody who is neither of the team nor its commander.
fn others() -> Vec<String> {
    let mut logins: Vec<String> = Role::ALL
        .iter()
        .map(|role| root_login(*role))
        .filter(|login| login != "53-inspector" && login != "53-discipline")
        .collect();
    let more = [
        "5301-unit-head",
        "5301-group-head",
        "5301-group-office",
        "5301-liaison",
        "5301-discipline",
        "53-nobody",
        "50-discipline",
        "50-auditor",
    ];
    logins.extend(more.map(ToOwned::to_owned));
    logins
}

/// What a reply says, but for what belongs to the request.
fn said(reply: &Reply) -> String {
    let id = reply.header("x-request-id").unwrap_or_default().to_owned();
    let mut headers: Vec<String> = reply
        .headers
        .iter()
        .filter(|(name, _)| !["date", "x-request-id", "ratelimit"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    headers.sort_unstable();
    format!("{}\n{}\n{}", reply.status, headers.join("\n"), reply.text().replace(&id, "ID"))
}

/// The addresses that are asked: of each GET, with one's own objects and with the check itself where it has a place. What
/// leaves a row in the log by being asked, papers and the verifier, is asked apart.
fn addresses(objects: &Objects<'_>, check: &str, papers: bool) -> Vec<String> {
    let mut found = Vec::new();
    for operation in operations() {
        // A line of events has no end: what it tells is sealed, and what is held back is not.
        let leaves_a_row = operation.is_paper() || operation.path == "/audit-log/verify";
        if operation.method != "GET" || operation.path == "/events" || leaves_a_row != papers {
            continue;
        }
        let mut paths = vec![objects.own(&operation)];
        let ids = operation.ids();
        if !ids.is_empty() {
            // The check's id in each place, and in that of its own alone.
            paths.push(operation.at(&vec![check.to_owned(); ids.len()]));
            let own: Vec<String> = ids
                .iter()
                .map(|name| {
                    if *name == "check_id" {
                        check.to_owned()
                    } else {
                        objects.id(&operation, name, Stand::Own)
                    }
                })
                .collect();
            paths.push(operation.at(&own));
        }
        for path in paths {
            let needed: String = operation.needed().into_iter().map(|(_, value)| value).collect();
            found.push(format!("{path}?{}", needed.trim_start_matches('&')).trim_end_matches('?').to_owned());
            if operation.is_list() {
                found.push(format!("{path}?limit=200&count=exact{needed}"));
                found.extend(
                    filters(&operation, check)
                        .into_iter()
                        .map(|filter| format!("{path}?limit=200&count=exact{filter}{needed}")),
                );
            }
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// Filters that might reach it.
fn filters(operation: &Operation, check: &str) -> Vec<String> {
    let query = operation.query();
    let tried = [
        ("entity_id", check.to_owned()),
        ("check_id", check.to_owned()),
        ("entity", "unannounced_check".to_owned()),
        ("action", "unannounced_check.create".to_owned()),
        ("kind", "covert".to_owned()),
        ("state", "in_progress".to_owned()),
    ];
    let fits = |name: &str, value: &str| {
        // A value of another enum would be refused as such, which says nothing.
        query.get(name).is_some_and(|schema| {
            let text = schema.to_string();
            !(text.contains("enum") || text.contains("$ref"))
                || text.contains(value)
                || operation.path == "/unannounced-checks"
        })
    };
    tried
        .iter()
        .filter(|(name, value)| fits(name, value))
        .map(|(name, value)| format!("&{name}={value}"))
        .collect()
}

/// Who asks for what.
type Questions = Vec<(String, String)>;

fn questions(logins: &[String], addresses: &[String]) -> Questions {
    let of =
        |login: &String| addresses.iter().map(|address| (login.clone(), address.clone())).collect::<Vec<_>>();
    logins.iter().flat_map(of).collect()
}

fn asked(world: &World, questions: &Questions) -> BTreeMap<(String, String), String> {
    // What waits is sealed, and the chain signed when it has grown: an auditor looks at that too.
    for province in ["53", "50", "00"] {
        sealing::sign(world, province);
    }
    let ask = |(login, address): &(String, String)| {
        ((login.clone(), address.clone()), said(&world.as_(login).get(address)))
    };
    questions.iter().map(ask).collect()
}

both! {
    fn a_covert_check_does_not_exist_before_it_is_released(world) {
        let kit = Kit::of(world, "5301");
        let objects = Objects::of(world);
        let mut body = kit.body("covert");
        let check = body["id"].as_str().unwrap().to_owned();
        let logins = others();
        assert!(operations().iter().filter(|one| one.method == "GET" && one.row.audience == Audience::Roles).count() > 30);
        let papers = questions(&logins, &addresses(&objects, &check, true));
        let printed = asked(world, &papers);
        let mut all = questions(&logins, &addresses(&objects, &check, false));
        // The first questions sign everybody in, which the log tells of.
        let first = asked(world, &all);
        for login in ["53-inspector", "53-discipline"] {
            world.as_(login).get("/auth/me");
        }
        // Whose roles hold nothing of an action is told so before anything is looked at: asked once, but of checks.
        all.retain(|key| !first[key].starts_with("403") || key.1.contains("/unannounced-checks"));
        let before = asked(world, &all);
        let mut failures = Failures::default();
        let mut compare = |what: &str| {
            let now = asked(world, &all);
            for (key, text) in &now {
                failures.check(before.get(key) == Some(text), || {
                    format!("{what}: {} asking for {} is answered otherwise:\n{}\n  before:\n{}", key.0, key.1, text, before[key])
                });
            }
        };
        compare("nothing was done");
        let inspector = world.as_("53-inspector");
        body["record"] = serde_json::Value::Null;
        inspector.post("/unannounced-checks", &body).expect(201, "");
        compare("begun");
        // A photo on its way, in parts, and one that was given up.
        let phone = Phone::of(world, "53-inspector");
        let (path, given_up) = (phone.begin(1000, &[("filename", "大厅.jpg")]), phone.begin(1000, &[]));
        for path in [&path, &given_up] {
            phone.part(path, 0, b"what has come so far").expect(204, "");
        }
        phone.call("DELETE", &given_up).send().expect(204, "");
        compare("a photo is on its way");
        for action in ["record", "addenda", "confirm"] {
            assert!(kit.act(&check, action).status < 300, "{action}");
        }
        // Looked at by those who may, with its photo.
        let own = inspector.get(&format!("/unannounced-checks/{check}")).expect(200, "").json();
        let photo = own["attachments"][0]["id"].as_str().unwrap();
        inspector.get(&format!("/attachments/{photo}/content")).expect(200, "");
        for login in ["5301-unit-head", "53-group-office", "53-special-supervisor", "50-discipline"] {
            world.as_(login).get(&format!("/attachments/{photo}")).expect(404, "not_found");
        }
        // One is left lying, and one is taken back.
        kit.photo();
        inspector.delete(&format!("/attachments/{}", kit.photo())).expect(204, "");
        // Another that comes to nothing.
        let voided = kit.taken("covert", &["record", "void"]);
        // The very id is nobody's to find by what is refused.
        for (login, action) in [("5301-unit-head", "contest"), ("53-group-office", "decide"), ("53-group-office", "confirm")] {
            let (who, absent) = (world.as_(login), crate::operations::fresh_id());
            let body = match action {
                "contest" => json!({ "content": "异议。" }),
                "decide" => json!({ "outcome": "upheld", "reasons": "维持。" }),
                _ => json!({}),
            };
            let told = |id: &str| said(&who.post(&format!("/unannounced-checks/{id}/{action}"), &body)).replace(id, "THE-ID");
            assert_eq!(told(&check), told(&absent), "{login} {action}");
        }
        compare("recorded, confirmed, another voided, others tried");
        for (key, text) in asked(world, &papers) {
            // What the verifier counts has grown by what our own asking has left; what it counts is what is listed.
            let is_same = if key.1.ends_with("/verify") && text.starts_with("200") {
                let auditor = world.as_(&key.0);
                let listed = auditor.get("/audit-log?count=exact&limit=1").expect(200, "").json()["total"].clone();
                let verified = auditor.get("/audit-log/verify").expect(200, "").json();
                verified["size"].as_i64().unwrap() + verified["unsealed"].as_i64().unwrap() == listed
            } else {
                printed.get(&key) == Some(&text)
            };
            failures.check(is_same, || format!("{} asking for {}:\n{text}", key.0, key.1));
        }
        failures.settle("the embargo stands in visible! of inspections/checks/store.rs, and in what is held back of the log");

        // Released, it is there for whoever reaches it, with its number and all its rows of the log; the other stays unknown.
        kit.act(&check, "release").expect(200, "");
        world.as_("5301-unit-head").get(&format!("/unannounced-checks/{check}")).expect(200, "");
        let found = |who: &str| world.as_(who).get(&format!("/finding-candidates?check_id={check}&count=exact")).expect(200, "").json()["total"].clone();
        assert_eq!((found("5301-unit-head"), found("53-special-supervisor")), (json!(1), json!(0)));
        world.as_("5301-unit-head").get(&format!("/unannounced-checks/{voided}")).expect(404, "not_found");
        sealing::sign(world, "53");
        let log = world.as_("53-auditor").get(&format!("/audit-log?limit=200&entity_id={check}")).expect(200, "").json();
        let mut actions: Vec<&str> = log["items"].as_array().unwrap().iter().map(|one| one["action"].as_str().unwrap()).collect();
        actions.sort_unstable();
        assert_eq!(
            actions,
            ["create", "add_addendum", "confirm", "read", "record", "release"].map(|verb| format!("unannounced_check.{verb}")).into_iter().collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>()
        );
        let verified = world.as_("53-auditor").get("/audit-log/verify").expect(200, "").json();
        assert_eq!(verified["whole"], true, "{verified}");
    }

    fn no_file_of_a_list_tells_of_it(world) {
        let kit = Kit::of(world, "5301");
        let check = kit.taken("covert", &["record", "confirm"]);
        for operation in operations().into_iter().filter(|operation| operation.path == "/unannounced-checks" && operation.is_list()) {
            for login in ["53-group-office", "5301-unit-head", "53-special-supervisor", "53-discipline"] {
                for format in FORMATS {
                    let file = export(&world.as_(login), operation.path, format);
                    assert_eq!(file.status, 200, "{}", file.story());
                    if format.media().starts_with("text/csv") {
                        assert_eq!(file.text().contains(&check), login == "53-discipline", "{login}");
                    }
                }
            }
        }
    }
}
