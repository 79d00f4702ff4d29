//! An object of another province, one out of reach, one that does not exist and one whose id is none
//! get the same answer, byte for byte, but for the request's id, the id asked for and the date.

use pingyi::access::Role;
use pingyi::access::policy::{Audience, Cell};

use crate::objects::{Objects, STRANGERS, Stand, body};
use crate::operations::{Failures, Operation, operations};
use crate::support::client::{As, Reply};
use crate::support::people::{CANARY, login, root_login};
use crate::support::tus::PART;
use crate::support::{World, both};

/// Roles somebody holds at Kunming.
const AT_KUNMING: &[Role] = &[
    Role::GroupHead,
    Role::GroupMember,
    Role::GroupOffice,
    Role::UnitHead,
    Role::Liaison,
    Role::SystemAdmin,
    Role::SecurityAdmin,
    Role::Discipline,
];

/// Whoever may do it at Kunming, and not at Qujing; at the province's root, or the platform, where only they may.
fn at_kunming<'w>(world: &'w World, operation: &Operation) -> As<'w> {
    let may = |role: &&Role| operation.row.cell(**role) != Cell::Never;
    if let Some(role) = AT_KUNMING.iter().find(may) {
        return world.as_(&login("5301", *role));
    }
    // What is an inspector's own is so wherever it is: the supervisor is of the team at Kunming, and of none at Qujing.
    if operation.row.cell(Role::SpecialSupervisor) != Cell::Never {
        return world.as_(&login("53", Role::SpecialSupervisor));
    }
    // What is the whole province's is reached from its root alone.
    let at_root =
        Role::ALL.iter().find(|role| !role.is_of_platform() && operation.row.cell(**role) == Cell::Tenant);
    if let Some(role) = at_root {
        return world.as_(&login("53", *role));
    }
    let role = Role::ALL.iter().find(|role| role.is_of_platform() && may(role));
    let role = role.unwrap_or_else(|| {
        panic!(
            "{}: nobody at Kunming may {}; enter somebody in tests/support/people.rs and AT_KUNMING",
            operation.name(),
            operation.row.name
        )
    });
    world.as_(&root_login(*role))
}

/// A request with an id in its body.
type Attempt<'a> = Box<dyn Fn(&str) -> Reply + 'a>;

/// What must be the same: status, headers, bytes, without what may differ.
fn comparable(reply: &Reply, path: &str) -> String {
    let request_id = reply.header("x-request-id").unwrap_or_default().to_owned();
    let mut headers: Vec<String> = reply
        .headers
        .iter()
        .filter(|(name, _)| !["date", "x-request-id", "content-length"].contains(&name.as_str()))
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    headers.sort_unstable();
    // What has no body says nothing else.
    if reply.bodiless {
        return format!("{}\n{}\n{}", reply.status, headers.join("\n"), reply.text());
    }
    let mut body = reply.json();
    assert_eq!(body["instance"].as_str(), Some(path), "{}", reply.story());
    body["instance"] = "PATH".into();
    let text = body.to_string().replace(&request_id, "ID");
    format!("{}\n{}\n{text}", reply.status, headers.join("\n"))
}

fn send(operation: &Operation, who: &As<'_>, path: &str, if_match: Option<&str>) -> Reply {
    let call = operation.with_headers(who.call(operation.method, path));
    let call = match body(operation) {
        Some(_) if operation.takes_part() => call.bytes(PART, "nonsense"),
        Some(body) => call.json(&body),
        None => call,
    };
    match if_match {
        Some(tag) => call.header("If-Match", tag).send(),
        None => call.send(),
    }
}

both! {
    fn what_is_not_yours_does_not_exist(world) {
        let objects = Objects::of(world);
        let mut failures = Failures::default();
        for operation in operations().into_iter().filter(|operation| !operation.ids().is_empty()) {
            let (who, ids) = (at_kunming(world, &operation), operation.ids());
            let path = |stands: &[Stand]| {
                let ids = ids.iter().zip(stands).map(|(name, stand)| objects.id(&operation, name, *stand));
                operation.at(&ids.collect::<Vec<_>>())
            };
            let nowhere = path(&vec![Stand::Absent; ids.len()]);
            for if_match in [None, Some("\"v1.0000\"")] {
                let model = send(&operation, &who, &nowhere, if_match);
                failures.check(model.status == 404 && model.says("not_found"), || {
                    format!("an absent object is a 404: {}", model.story())
                });
                let model = comparable(&model, &nowhere);
                // Each id on its own beside one's own objects, and all of them together.
                let mut stands: Vec<Vec<Stand>> = Vec::new();
                for stranger in STRANGERS.iter().chain([&Stand::Absent]) {
                    stands.push(vec![*stranger; ids.len()]);
                    for at in 0..ids.len() {
                        let mut one = vec![Stand::Own; ids.len()];
                        one[at] = *stranger;
                        stands.push(one);
                    }
                }
                for stands in stands {
                    let path = path(&stands);
                    let reply = send(&operation, &who, &path, if_match);
                    failures.check(reply.status == 404 && comparable(&reply, &path) == model, || {
                        format!("{stands:?} is told apart from nothing at all:\n{}\n  nothing: {model}", reply.story())
                    });
                }
            }
        }
        failures.settle("find the object by store::find within tx.reach(), and answer not_found");
    }

    fn one_s_own_objects_are_found(world) {
        // Else the test above would prove nothing.
        let objects = Objects::of(world);
        let mut failures = Failures::default();
        for operation in operations().into_iter().filter(|operation| operation.method == "GET") {
            if operation.ids().is_empty() || operation.row.audience != Audience::Roles {
                continue;
            }
            let reply = at_kunming(world, &operation).get(&objects.own(&operation));
            failures.check(reply.status == 200, || reply.story());
        }
        failures.settle("Stand::Own in tests/security/objects.rs must be within Kunming's reach");
    }

    fn no_answer_of_one_province_holds_a_word_of_another(world) {
        let objects = Objects::of(world);
        let foreign: Vec<&str> = world
            .cast
            .units
            .iter()
            .chain(&world.cast.users)
            .filter(|(name, _)| name.starts_with("50"))
            .map(|(_, id)| id.as_str())
            .chain([objects.there.campaign.as_str(), &objects.there.plan, &objects.there.task])
            .collect();
        let mut failures = Failures::default();
        let mut logins: Vec<String> = Role::ALL.iter().map(|role| root_login(*role)).collect();
        logins.retain(|login| login.starts_with("53"));
        logins.extend(["5301-unit-head", "5303-group-office", "53-nobody"].map(ToOwned::to_owned));
        for operation in operations().into_iter().filter(|operation| operation.method == "GET") {
            let query = operation.query();
            let mut suffixes = vec![String::new()];
            if operation.is_list() {
                suffixes.push("?limit=200&count=exact".into());
            }
            let filters = [
                ("unit_id", world.unit("50")),
                ("parent_id", world.unit("50")),
                ("user_id", world.user("50-group-head")),
                ("campaign_id", &objects.there.campaign),
                ("plan_id", &objects.there.plan),
                ("parent_plan_id", &objects.there.plan),
                ("q", "%E6%B8%9D%E5%B7%9E"),
                ("code", "50"),
            ];
            let whole = if operation.is_list() { "&limit=200&count=exact" } else { "" };
            for (name, value) in filters.iter().filter(|(name, _)| query.contains_key(*name)) {
                suffixes.push(format!("?{name}={value}{whole}"));
            }
            for login in &logins {
                for suffix in &suffixes {
                    let reply = world.as_(login).get(&format!("{}{suffix}", objects.own(&operation)));
                    let text = reply.text();
                    let seen = foreign.iter().find(|id| text.contains(*id));
                    failures.check(seen.is_none() && !text.contains(CANARY), || reply.story());
                    // A filter by something foreign finds as much as one by something that is not there.
                    let filtered = suffix.contains("count=exact") && !suffix.starts_with("?limit");
                    let empty = !filtered || reply.status != 200 || reply.json()["total"] == 0;
                    failures.check(empty, || reply.story());
                }
            }
        }
        failures.settle("every query of a store begins with visible!");
    }

    fn a_foreign_id_in_a_body_is_as_unknown_as_one_that_does_not_exist(world) {
        let objects = Objects::of(world);
        let campaign = crate::support::story::campaign(world, "53");
        let office = world.as_("53-group-office");
        let security = world.as_("53-security-admin");
        let system = world.as_("53-system-admin");
        let group = format!("/campaigns/{campaign}/leading-group");
        let etag = office.get(&group).etag();
        let absent = crate::operations::fresh_id();
        let told = |reply: Reply, id: &str| {
            let request_id = reply.header("x-request-id").unwrap_or_default().to_owned();
            assert_eq!(reply.status, 422, "{}", reply.story());
            reply.text().replace(&request_id, "ID").replace(id, "X")
        };
        let unit_in = |id: &str| {
            let mut body = crate::support::story::plan_body(world, &campaign, "53");
            body["tasks"][0]["responsible"][0]["unit_id"] = id.into();
            body
        };
        let scope_in = |id: &str| {
            let mut body = crate::support::story::campaign_body(world, "53");
            body["scope"]["unit_ids"] = serde_json::json!([id]);
            body
        };
        let liaison = format!("/users/{}/role-bindings", world.user("53-liaison"));
        let new_user = |unit: &str| {
            serde_json::json!({ "login": "somebody-new", "display_name": "新人", "unit_id": unit, "password": crate::support::people::PASSWORD })
        };
        let authorisation = |field: &str, value: serde_json::Value| {
            let mut body = crate::support::story::authorisation_body(world, "53");
            body[field] = value;
            body
        };
        let deserted = crate::support::story::deserted(world, "5301");
        let kit = crate::support::checks::Kit::of(world, "5301");
        let open_check = kit.begin("open");
        let recorded = kit.taken("open", &["record"]);
        let of_50 = crate::support::checks::Kit::of(world, "500103").photo();
        let inspector = world.as_("53-inspector");
        let shown = |place: &str, id: &str| {
            let mut record = kit.record();
            if place.is_empty() {
                record["attachment_ids"] = serde_json::json!([id]);
            } else {
                record["answers"][0]["attachment_ids"] = serde_json::json!([id]);
            }
            record
        };
        let discipline = world.as_("53-discipline");
        let declared = |field: &str, id: &str| {
            let mut body = crate::support::story::conflict_body(world, "5301", "kinship");
            body[field] = id.into();
            body
        };
        let attempts: Vec<(&str, Attempt<'_>)> = vec![
            (&of_50, Box::new(|id| inspector.post(&format!("/unannounced-checks/{open_check}/record"), &shown("", id)))),
            (&of_50, Box::new(|id| inspector.post(&format!("/unannounced-checks/{open_check}/record"), &shown("answers", id)))),
            (&of_50, Box::new(|id| inspector.post(&format!("/unannounced-checks/{recorded}/addenda"), &serde_json::json!({ "content": "补拍。", "attachment_ids": [id] })))),
            (world.unit("50"), Box::new(|id| office.post("/campaigns", &{
                let mut body = crate::support::story::campaign_body(world, "53");
                body["unit_id"] = id.into();
                body
            }))),
            (world.unit("500103"), Box::new(|id| office.post("/campaigns", &scope_in(id)))),
            (&objects.there.campaign, Box::new(|id| office.post("/plans", &crate::support::story::plan_body(world, id, "53")))),
            (world.unit("50"), Box::new(|id| office.post("/plans", &unit_in(id)))),
            (world.user("50-group-head"), Box::new(|id| office.put(&group, &etag, &serde_json::json!({ "head_user_id": id })))),
            (world.unit("50-D01"), Box::new(|id| office.put(&group, &etag, &serde_json::json!({ "office_unit_id": id })))),
            (world.user("50-liaison"), Box::new(|id| office.put(&group, &etag, &serde_json::json!({ "members": [{ "user_id": id, "duty": "成员" }] })))),
            (world.unit("50"), Box::new(|id| security.post(&liaison, &serde_json::json!({ "role": "officer", "unit_id": id })))),
            (world.unit("50"), Box::new(|id| system.post("/users", &new_user(id)))),
            (world.unit("50"), Box::new(|id| office.post("/authorisations", &authorisation("area_unit_ids", serde_json::json!([id]))))),
            (world.user("50-inspector"), Box::new(|id| office.post("/authorisations", &authorisation("team_user_ids", serde_json::json!([id]))))),
            (world.user("50-discipline"), Box::new(|id| office.post("/authorisations", &authorisation("commander_user_id", id.into())))),
            (world.user("50-discipline"), Box::new(|id| {
                let body = serde_json::json!({ "commander_id": id, "reason": "账号停用。" });
                office.post(&format!("/authorisations/{deserted}/replace-commander"), &body)
            })),
            (world.unit("50"), Box::new(|id| office.post("/authorisations", &authorisation("unit_id", id.into())))),
            (world.unit("50"), Box::new(|id| inspector.post("/conflicts", &declared("unit_id", id)))),
            (world.user("50-inspector"), Box::new(|id| discipline.post("/conflicts", &declared("user_id", id)))),
            (world.unit("50"), Box::new(|id| office.post("/checklists", &serde_json::json!({ "unit_id": id, "template": "service_window" })))),
            (world.unit("50-D01"), Box::new(|id| office.post("/checklists", &serde_json::json!({ "unit_id": world.unit("53"), "department_id": id, "template": "service_window" })))),
        ];
        for (foreign, attempt) in attempts {
            assert_eq!(told(attempt(foreign), foreign), told(attempt(&absent), &absent), "the same answer to both");
        }
    }
}
