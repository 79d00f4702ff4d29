//! State × event for everything that has `allowed_actions`: what they name succeeds, what they do not
//! name is refused, by the state (409), by a rule (422), by the right (403) or by the reach (404).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::operations::{Failures, document};
use crate::support::checks::Kit;
use crate::support::client::{Reply, strings};
use crate::support::raw::Raw;
use crate::support::story::{draft, plan_body, step};
use crate::support::{World, both, story};

/// The views that carry `allowed_actions`, each tested below.
const TESTED: &[&str] = &[
    "AssignmentView",
    "AuthorisationView",
    "BindingView",
    "CampaignView",
    "CheckSummaryView",
    "CheckView",
    "ChecklistSummaryView",
    "ChecklistView",
    "CommentView",
    "ConflictSummaryView",
    "ConflictView",
    "DayEntryView",
    "JobView",
    "OfficerView",
    "PlanSummaryView",
    "PlanView",
    "PostView",
    "StandInView",
    "UnitView",
    "UserView",
];

#[test]
fn everything_with_allowed_actions_is_tested_here() {
    let schemas = document()["components"]["schemas"].as_object().unwrap();
    let have: BTreeSet<&str> = schemas
        .iter()
        .filter(|(_, schema)| schema["properties"].get("allowed_actions").is_some())
        .map(|(name, _)| name.as_str())
        .collect();
    let tested: BTreeSet<&str> = TESTED.iter().copied().collect();
    assert_eq!(have, tested, "add the new one to tests/security/states.rs");
}

fn actions_of(name: &str) -> Vec<String> {
    let found = strings(&document()["components"]["schemas"][name]["enum"]);
    assert!(!found.is_empty(), "the document has no enum {name}");
    found
}

/// How a plan stands: its state, and that of its amendment behind a plus; `voting` is submitted where members vote.
const STANDINGS: &[&str] = &[
    "draft",
    "submitted",
    "returned",
    "approved",
    "published",
    "running",
    "concluding",
    "closed",
    "withdrawn",
    "running+draft",
    "running+submitted",
    "running+returned",
    "running+approved",
    "voting",
];

/// Where an action leads from there (domain.md §6), or the code of its refusal.
fn plan_event(at: &str, action: &str) -> Result<String, &'static str> {
    if let Some((life, hand)) = at.split_once('+') {
        return match action {
            "amend" | "conclude" => Err("amendment_in_hand"),
            "close" => Err("plan_not_concluding"),
            // Whatever has become of it, without it the plan goes on.
            "withdraw" => Ok(life.to_owned()),
            "publish" => plan_event(hand, action).map(|_| life.to_owned()),
            _ => plan_event(hand, action).map(|next| format!("{life}+{next}")),
        };
    }
    let next = match (action, at) {
        ("update", "draft") => "draft",
        ("update", "returned") | ("return", "submitted") => "returned",
        ("update", _) => return Err("plan_not_editable"),
        ("submit", "draft" | "returned") => "submitted",
        ("submit", _) => return Err("plan_not_submittable"),
        ("approve", "submitted") => "approved",
        // Here no members vote: nobody is asked to.
        ("vote", "submitted") => return Err("not_a_voter"),
        ("approve" | "return" | "vote", _) => return Err("plan_not_submitted"),
        ("publish", "approved") => "published",
        ("publish", _) => return Err("plan_not_approved"),
        ("withdraw", "draft" | "submitted") => "withdrawn",
        ("withdraw", _) => return Err("plan_not_withdrawable"),
        ("conclude", "running") => "concluding",
        ("conclude", _) => return Err("plan_not_running"),
        ("close", "concluding") => "closed",
        ("close", _) => return Err("plan_not_concluding"),
        ("amend", "published") => "published+draft",
        ("amend", "running") => "running+draft",
        ("amend", _) => return Err("plan_not_in_force"),
        ("comment", "closed" | "withdrawn") => return Err("plan_ended"),
        ("comment", at) => at,
        _ => panic!("tell plan_event in tests/security/states.rs what {action} does"),
    };
    Ok(next.to_owned())
}

/// How a plan stands, by what is shown of it.
fn standing(plan: &Value) -> String {
    let state = plan["state"].as_str().unwrap();
    match plan["amendment"]["state"].as_str() {
        Some(hand) => format!("{state}+{hand}"),
        None => state.to_owned(),
    }
}

/// Takes a draft to a state, by its writer and its decider.
fn drive(world: &World, plan: &str, state: &str, writer: &str, head: &str) {
    let published = [(writer, "submit"), (head, "approve"), (writer, "publish")];
    // It runs from the day after.
    let running = [published[0], published[1], published[2], ("", "a day")];
    let concluding = [running[0], running[1], running[2], running[3], (writer, "conclude")];
    let closed = [running[0], running[1], running[2], running[3], concluding[4], (head, "close")];
    if let Some((life, hand)) = state.split_once('+') {
        drive(world, plan, life, writer, head);
        step(world, writer, plan, "amend");
        return drive(world, plan, hand, writer, head);
    }
    let steps: &[(&str, &str)] = match state {
        "draft" => &[],
        "submitted" | "voting" => &[(writer, "submit")],
        "returned" => &[(writer, "submit"), (head, "return")],
        "approved" => &[(writer, "submit"), (head, "approve")],
        "published" => &published,
        "running" => &running,
        "concluding" => &concluding,
        "closed" => &closed,
        "withdrawn" => &[(writer, "withdraw")],
        _ => panic!("tell drive in tests/security/states.rs how a plan becomes {state}"),
    };
    for (by, action) in steps {
        match *action {
            "a day" => world.advance(24 * 3600),
            action => step(world, by, plan, action),
        }
    }
}

fn attempt_plan(world: &World, by: &str, plan: &str, action: &str) -> Reply {
    let who = world.as_(by);
    let path = format!("/plans/{plan}");
    match action {
        "update" => who.patch(
            &path,
            "*",
            &json!({ "title": format!("主题活动实施方案 (改) {}", uuid::Uuid::new_v4()) }),
        ),
        "return" => who.post(&format!("{path}/return"), &json!({ "comment": "请补充量化目标。" })),
        "withdraw" | "amend" => who.post(&format!("{path}/{action}"), &json!({ "reason": "另行编制。" })),
        "vote" => who.post(&format!("{path}/votes"), &json!({ "choice": "for" })),
        "comment" => who.post(&format!("{path}/comments"), &json!({ "content": "留存率如何统计, 请写明。" })),
        "submit" | "approve" | "publish" | "conclude" | "close" => {
            who.post(&format!("{path}/{action}"), &json!({}))
        }
        _ => panic!("tell attempt_plan in tests/security/states.rs how to {action}"),
    }
}

/// A plan of the unit in a state, in a campaign of its own.
fn plan_in(world: &World, code: &str, state: &str, writer: &str, head: &str) -> String {
    let campaign =
        if code == "53" { story::campaign(world, "53") } else { story::launched(world, "53").campaign };
    if state == "voting" {
        let mut group = story::group_body(world, "53");
        group["votes_on_plans"] = json!(true);
        let path = format!("/campaigns/{campaign}/leading-group");
        world.as_("53-group-office").put(&path, "*", &group).expect(200, "");
    }
    let plan = draft(world, &campaign, code, writer);
    drive(world, &plan, state, writer, head);
    plan
}

both! {
    fn every_state_of_a_plan_and_every_event(world) {
        let mut failures = Failures::default();
        let (office, head) = ("53-group-office", "53-group-head");
        let documented: BTreeSet<String> = actions_of("PlanState").into_iter().collect();
        let alone = STANDINGS.iter().filter(|at| !at.contains('+') && **at != "voting");
        let driven: BTreeSet<String> = alone.map(ToString::to_string).collect();
        assert_eq!(documented, driven, "tell tests/security/states.rs of the new state");
        for state in STANDINGS.iter().filter(|at| **at != "voting") {
            for action in actions_of("PlanAction") {
                let plan = plan_in(world, "53", state, office, head);
                let by = match action.as_str() {
                    "approve" | "return" | "close" => head,
                    "vote" => "53-group-member",
                    _ => office,
                };
                let before = world.as_(office).get(&format!("/plans/{plan}")).expect(200, "");
                let reply = attempt_plan(world, by, &plan, &action);
                let after = world.as_(office).get(&format!("/plans/{plan}")).expect(200, "");
                match plan_event(state, &action) {
                    Ok(next) => {
                        let told = action == "comment" || standing(&reply.json()) == next;
                        let good = [200, 201].contains(&reply.status) && told && standing(&after.json()) == next;
                        failures.check(good, || format!("{action} of {state} should give {next}: {}", reply.story()));
                    }
                    Err(code) => {
                        let status = if code == "not_a_voter" { 422 } else { 409 };
                        failures.check(reply.status == status && reply.code() == code, || {
                            format!("{action} of {state} should be {status} {code}: {}", reply.story())
                        });
                        failures.check(before.body == after.body, || format!("a refused {action} of {state} changed it"));
                    }
                }
            }
        }
        failures.settle("the state machine is in campaigns/plan/machine.rs");
    }

    fn what_a_plan_allows_is_what_succeeds(world) {
        let mut failures = Failures::default();
        // Unit, who writes, who decides, and who tries.
        let at_the_root: &[&str] = &[
            "53-group-office", "53-group-head", "53-group-member", "53-unit-head", "53-liaison", "53-inspector",
            "5301-group-head", "5301-group-office",
        ];
        let below: &[&str] = &[
            "5301-group-office", "5301-group-head", "53-group-head", "5301-unit-head", "5301-liaison",
            "5301-office-and-head", "53-group-office", "530102-liaison", "5303-unit-head",
        ];
        // Yuxi has no head of its own: the province's decides.
        let without_head: &[&str] = &["5304-unit-head", "53-group-head", "5301-group-head", "53-group-office"];
        let cases: &[(&str, &str, &str, &[&str])] = &[
            ("53", "53-group-office", "53-group-head", at_the_root),
            ("5301", "5301-office-and-head", "5301-group-head", below),
            ("5304", "5304-unit-head", "53-group-head", without_head),
        ];
        for (code, writer, head, people) in cases {
            // The vote is the same at every level: it is played at the root.
            for state in STANDINGS.iter().filter(|at| **at != "voting" || *code == "53") {
                let shared = plan_in(world, code, state, writer, head);
                let campaign = world.as_(writer).get(&format!("/plans/{shared}")).expect(200, "").json()["campaign_id"].clone();
                let beside = format!("/plans?limit=200&sort=-created_at&campaign_id={}", campaign.as_str().unwrap());
                for person in *people {
                    let shown = world.as_(person).get(&format!("/plans/{shared}"));
                    let listed = world.as_(person).get(&beside).expect(200, "").json();
                    let listed = listed["items"].as_array().unwrap().iter().find(|row| row["id"] == shared.as_str());
                    let allowed = if shown.status == 200 { shown.allowed() } else { Vec::new() };
                    let in_list = listed.map(|row| strings(&row["allowed_actions"])).unwrap_or_default();
                    failures.check(allowed == in_list && listed.is_some() == (shown.status == 200), || {
                        format!("{person}, {code} {state}: alone {allowed:?}, in the list {in_list:?}")
                    });
                    for action in actions_of("PlanAction") {
                        let says = allowed.contains(&action);
                        // What should be refused changes nothing, so one plan serves for all of it.
                        let plan = if says { plan_in(world, code, state, writer, head) } else { shared.clone() };
                        let reply = attempt_plan(world, person, &plan, &action);
                        failures.check([200, 201].contains(&reply.status) == says, || {
                            format!("{person}, {code} {state}: {action} allowed: {says}, but {}", reply.story())
                        });
                        failures.check(says || [403, 404, 409, 422].contains(&reply.status), || reply.story());
                    }
                }
            }
        }
        failures.settle("allowed() in campaigns/plan/permitted.rs and the guards of the transitions must agree");
    }

    fn an_incomplete_plan_does_not_offer_submit(world) {
        let campaign = story::campaign(world, "53");
        let office = world.as_("53-group-office");
        let body = json!({ "campaign_id": campaign, "unit_id": world.unit("53"), "title": "只有标题" });
        let plan = office.post("/plans", &body).expect(201, "");
        assert_eq!(plan.allowed(), ["update", "comment", "withdraw"], "{}", plan.story());
        let reply = office.post(&format!("/plans/{}/submit", plan.id()), &json!({})).expect(422, "plan_incomplete");
        let places: Vec<String> = reply.errors().into_iter().map(|(place, _)| place).collect();
        for wanted in ["/meeting", "/phases", "/tasks"] {
            assert!(places.iter().any(|place| place == wanted), "{wanted}: {}", reply.story());
        }
        let after = office.patch(&format!("/plans/{}", plan.id()), &plan.etag(), &{
            let mut whole = plan_body(world, &campaign, "53");
            let map = whole.as_object_mut().unwrap();
            map.remove("campaign_id");
            map.remove("unit_id");
            whole
        });
        assert_eq!(after.expect(200, "").allowed(), ["update", "submit", "comment", "withdraw"]);
    }

    fn what_a_campaign_allows_is_what_succeeds(world) {
        let mut failures = Failures::default();
        for state in actions_of("CampaignState") {
            let campaign = match state.as_str() {
                "preparing" => story::campaign(world, "53"),
                "launched" => story::launched(world, "53").campaign,
                _ => panic!("tell tests/security/states.rs how a campaign becomes {state}"),
            };
            let path = format!("/campaigns/{campaign}");
            for person in ["53-group-office", "53-unit-head", "53-group-head", "5301-group-office", "5301-liaison", "53-inspector"] {
                let who = world.as_(person);
                let shown = who.get(&path);
                let allowed = if shown.status == 200 { shown.allowed() } else { Vec::new() };
                let listed = who.get("/campaigns?limit=200").expect(200, "").json();
                let listed = listed["items"].as_array().unwrap().iter().find(|row| row["id"] == campaign.as_str());
                let in_list = listed.map(|row| strings(&row["allowed_actions"])).unwrap_or_default();
                failures.check(allowed == in_list && listed.is_some() == (shown.status == 200), || {
                    format!("{person}, {state}: alone {allowed:?}, in the list {in_list:?}")
                });
                for action in actions_of("CampaignAction") {
                    let reply = match action.as_str() {
                        "update" => who.patch(&path, "*", &json!({ "theme": format!("整治慵懒散拖 {person}") })),
                        "set_leading_group" => {
                            who.put(&format!("{path}/leading-group"), "*", &story::group_body(world, "53"))
                        }
                        _ => panic!("tell tests/security/states.rs how to {action} a campaign"),
                    };
                    let says = allowed.contains(&action);
                    failures.check((reply.status == 200) == says, || {
                        format!("{person}, {state}: {action} allowed: {says}, but {}", reply.story())
                    });
                    if action == "update" && state == "launched" && person == "53-group-office" {
                        failures.check(reply.status == 409 && reply.code() == "campaign_launched", || reply.story());
                    }
                }
            }
        }
        failures.settle("allowed() in campaigns/campaign/service.rs and the guards must agree");
    }

    fn what_an_assignment_allows_is_what_succeeds(world) {
        let mut failures = Failures::default();
        let people = [
            "5301-liaison", "5301-unit-head", "5301-group-office", "53-group-office", "53-group-head", "53-inspector",
            "5303-liaison", "530102-liaison", "53-officer",
        ];
        let (actions, states) = (actions_of("AssignmentAction"), ["open", "done"]);
        // No longer assigned: that comes of another version or of a merger; see the rules' own table.
        assert_eq!(actions_of("AssignmentState"), ["open", "done", "retired"], "tell tests/security/states.rs of the new state");
        let campaign = story::campaign(world, "53");
        let mut body = plan_body(world, &campaign, "53");
        let own = json!([{ "unit_id": world.unit("5301"), "extent": "self" }]);
        let wanted = people.len() * actions.len() * states.len();
        body["tasks"] = (0..wanted).map(|at| story::task(world, &format!("任务{at}"), &own, 10)).collect();
        let plan = story::published(world, &body, "53");
        let mut tasks = plan["tasks"].as_array().unwrap().iter().map(|task| task["id"].as_str().unwrap().to_owned());
        for state in states {
            for person in people {
                for action in &actions {
                    let task = tasks.next().unwrap();
                    let path = format!("/tasks/{task}");
                    let evidence = json!({ "unit_id": world.unit("5301"), "evidence": "台账存办公室。" });
                    if state == "done" {
                        world.as_("5301-liaison").post(&format!("{path}/complete"), &evidence).expect(200, "");
                    }
                    let all = world.as_("53-group-head").get(&format!("{path}/assignments")).expect(200, "").json();
                    let id = all["items"][0]["id"].as_str().unwrap().to_owned();
                    let who = world.as_(person);
                    let shown = who.get(&format!("{path}/assignments/{id}"));
                    let allowed = if shown.status == 200 { shown.allowed() } else { Vec::new() };
                    let listed = who.get(&format!("{path}/assignments")).expect(200, "").json();
                    let in_list = strings(&listed["items"][0]["allowed_actions"]);
                    failures.check(allowed == in_list, || format!("{person}, {state}: alone {allowed:?}, in the list {in_list:?}"));
                    let reply = match action.as_str() {
                        "complete" => who.post(&format!("{path}/complete"), &evidence),
                        "reopen" => who.post(&format!("{path}/reopen"), &json!({ "unit_id": world.unit("5301"), "reason": "抽查不实。" })),
                        "name_persons" => who.patch(
                            &format!("{path}/assignments/{id}"), "*", &json!({ "officer_ids": [world.officer("5301-unit-head")] }),
                        ),
                        _ => panic!("tell tests/security/states.rs how to {action} an assignment"),
                    };
                    let says = allowed.contains(action);
                    failures.check((reply.status == 200) == says, || {
                        format!("{person}, {state}: {action} allowed: {says}, but {}", reply.story())
                    });
                    failures.check(says || [403, 404, 409, 422].contains(&reply.status), || reply.story());
                }
            }
        }
        failures.settle("allowed() in campaigns/tasks/service.rs and the guards must agree");
    }

    fn what_an_entry_allows_is_what_succeeds(world) {
        let mut failures = Failures::default();
        assert_eq!(actions_of("EntryAction"), ["update"], "tell tests/security/states.rs of the new action");
        let campaign = story::campaign(world, "53");
        let mut body = plan_body(world, &campaign, "53");
        body["tasks"] = json!([story::task(world, "逐日填报", &json!([{ "unit_id": world.unit("5301"), "extent": "self" }]), 10)]);
        let task = story::published(world, &body, "53")["tasks"][0]["id"].as_str().unwrap().to_owned();
        let list = format!("/tasks/{task}/assignments");
        let row = world.as_("5301-liaison").get(&list).expect(200, "").json()["items"][0]["id"].as_str().unwrap().to_owned();
        let persons = json!({ "officer_ids": [world.officer("5301-unit-head")] });
        world.as_("5301-liaison").patch(&format!("{list}/{row}"), "*", &persons).expect(200, "");
        let entries = format!("/tasks/{task}/entries");
        let entry = json!({ "day": world.day(0), "done": "回访 34 件。" });
        let id = world.as_("5301-unit-head").post(&entries, &entry).expect(201, "").id();
        for day in 0..2 {
            for person in ["5301-unit-head", "5301-liaison", "5301-group-office", "53-liaison", "530102-unit-head", "53-officer"] {
                let who = world.as_(person);
                let shown = who.get(&format!("{entries}/{id}"));
                let allowed = if shown.status == 200 { shown.allowed() } else { Vec::new() };
                let says = allowed == ["update"];
                let reply = who.patch(&format!("{entries}/{id}"), "*", &json!({ "done": format!("回访 {day} 件, {person}。") }));
                failures.check((reply.status == 200) == says, || format!("{person}: update allowed: {says}, but {}", reply.story()));
                failures.check(says == (day == 0 && ["5301-unit-head", "5301-liaison"].contains(&person)), || shown.story());
            }
            world.advance(86_400);
        }
        failures.settle("allowed() in campaigns/clearing/service.rs and the guards must agree");
    }

    fn what_a_unit_allows_is_what_succeeds(world) {
        let mut failures = Failures::default();
        let system = world.as_("53-system-admin");
        let mut made = 0;
        let mut fresh = |state: &str| {
            made += 1;
            let body = json!({
                "code": format!("5301-W{made:03}"), "name": format!("服务窗口 {made}"), "kind": "service_window",
                "parent_id": world.unit("5301"),
            });
            let id = system.post("/units", &body).expect(201, "").id();
            if state == "deactivated" {
                system.post(&format!("/units/{id}/deactivate"), &json!({ "reason": "窗口撤并。" })).expect(200, "");
            }
            id
        };
        for state in actions_of("UnitStatus") {
            for person in ["53-system-admin", "5301-system-admin", "53-group-office", "53-security-admin", "5301-unit-head", "53-auditor"] {
                let who = world.as_(person);
                for action in actions_of("UnitAction") {
                    let id = fresh(&state);
                    let path = format!("/units/{id}");
                    let shown = who.get(&path);
                    let allowed = if shown.status == 200 { shown.allowed() } else { Vec::new() };
                    if shown.status == 200 {
                        let code = shown.json()["code"].as_str().unwrap().to_owned();
                        let listed = who.get(&format!("/service-windows?code={code}")).expect(200, "").json();
                        let in_list = strings(&listed["items"][0]["allowed_actions"]);
                        failures.check(in_list == allowed, || format!("{person}, {state}: alone {allowed:?}, in the list {in_list:?}"));
                    }
                    let reply = match action.as_str() {
                        "update" => who.patch(&path, "*", &json!({ "name": format!("窗口 {person}") })),
                        "move" => who.post(&format!("{path}/move"), &json!({ "parent_id": world.unit("530102"), "reason": "归属调整。" })),
                        "merge" => who.post(&format!("{path}/merge"), &json!({ "into_id": world.unit("5301-W01"), "reason": "窗口合并。" })),
                        "deactivate" => who.post(&format!("{path}/deactivate"), &json!({ "reason": "窗口撤并。" })),
                        _ => panic!("tell tests/security/states.rs how to {action} a unit"),
                    };
                    let says = allowed.contains(&action);
                    failures.check((reply.status == 200) == says, || {
                        format!("{person}, {state}: {action} allowed: {says}, but {}", reply.story())
                    });
                    failures.check(says || [403, 404, 409, 422].contains(&reply.status), || reply.story());
                    if state == "deactivated" && person == "53-system-admin" {
                        failures.check(reply.status == 409 && reply.code() == "unit_deactivated", || reply.story());
                    }
                }
            }
        }
        failures.settle("Rights::allowed in org/changes/service.rs and the guards must agree");
    }

    fn what_an_officer_allows_is_what_succeeds(world) {
        let mut failures = Failures::default();
        let system = world.as_("53-system-admin");
        let mut made = 0;
        let mut fresh = |state: &str| {
            made += 1;
            let body = json!({ "number": format!("07{made:04}"), "name": "王建国", "kind": "police", "unit_id": world.unit("530102") });
            let id = system.post("/officers", &body).expect(201, "").id();
            if state == "left" {
                system.post(&format!("/officers/{id}/leave"), &json!({ "reason": "退休。" })).expect(200, "");
            }
            id
        };
        for state in actions_of("OfficerStatus") {
            for person in ["53-system-admin", "5301-system-admin", "53-discipline", "53-group-office", "530102-unit-head", "5303-liaison", "53-auditor"] {
                let who = world.as_(person);
                for action in actions_of("OfficerAction") {
                    let id = fresh(&state);
                    let path = format!("/officers/{id}");
                    let shown = who.get(&path);
                    let allowed = if shown.status == 200 { shown.allowed() } else { Vec::new() };
                    if shown.status == 200 {
                        let number = shown.json()["number"].as_str().unwrap().to_owned();
                        let listed = who.get(&format!("/officers?number={number}")).expect(200, "").json();
                        let in_list = strings(&listed["items"][0]["allowed_actions"]);
                        failures.check(in_list == allowed, || format!("{person}, {state}: alone {allowed:?}, in the list {in_list:?}"));
                    }
                    let reason = json!({ "reason": "核对材料。" });
                    let reply = match action.as_str() {
                        "update" => who.patch(&path, "*", &json!({ "name": format!("改名{person}") })),
                        "appoint" => who.post(&format!("{path}/posts"), &json!({
                            "unit_id": world.unit("530102"), "kind": "support", "title": "内勤", "valid_from_on": world.day(0),
                        })),
                        "leave" | "reveal" | "erase" => who.post(&format!("{path}/{action}"), &reason),
                        _ => panic!("tell tests/security/states.rs how to {action} an officer"),
                    };
                    let says = allowed.contains(&action);
                    failures.check((reply.status < 300) == says, || {
                        format!("{person}, {state}: {action} allowed: {says}, but {}", reply.story())
                    });
                    failures.check(says || [403, 404, 409, 422].contains(&reply.status), || reply.story());
                }
            }
        }
        failures.settle("Officer::allows in org/officers/rules.rs and the guards must agree");
    }

    fn what_a_post_and_a_stand_in_allow_is_what_succeeds(world) {
        let mut failures = Failures::default();
        let (system, head) = (world.as_("53-system-admin"), world.as_("53-group-head"));
        let officer = world.officer("530102-unit-head").to_owned();
        let people = ["53-system-admin", "5301-system-admin", "53-group-head", "5303-unit-head", "5301-unit-head", "530102-liaison"];
        for person in people {
            let who = world.as_(person);
            let body = json!({ "unit_id": world.unit("530102"), "kind": "support", "title": "内勤", "valid_from_on": world.day(-9) });
            let post = system.post(&format!("/officers/{officer}/posts"), &body).expect(201, "").id();
            let path = format!("/officers/{officer}/posts/{post}");
            let shown = who.get(&path);
            let allowed = if shown.status == 200 { shown.allowed() } else { Vec::new() };
            assert_eq!(actions_of("PostAction"), ["correct"], "tell tests/security/states.rs of the new action");
            let reply = who.patch(&path, "*", &json!({ "valid_until_on": world.day(-1), "reason": "调整。" }));
            let says = allowed == ["correct"];
            failures.check((reply.status == 200) == says, || format!("{person}: correct allowed: {says}, but {}", reply.story()));

            let body = json!({
                "officer_id": world.officer("5303-unit-head"), "valid_from_on": world.day(0), "valid_until_on": world.day(3), "reason": "学习。",
            });
            let stand_ins = format!("/units/{}/stand-ins", world.unit("5301"));
            let named = head.post(&stand_ins, &body).expect(201, "").id();
            let shown = who.get(&format!("{stand_ins}/{named}"));
            let allowed = if shown.status == 200 { shown.allowed() } else { Vec::new() };
            assert_eq!(actions_of("StandInAction"), ["end"], "tell tests/security/states.rs of the new action");
            let reply = who.delete(&format!("{stand_ins}/{named}"));
            let says = allowed == ["end"];
            failures.check((reply.status == 204) == says, || format!("{person}: end allowed: {says}, but {}", reply.story()));
            if says {
                let again = head.delete(&format!("{stand_ins}/{named}"));
                failures.check(again.status == 409 && again.code() == "stand_in_ended", || again.story());
                assert_eq!(head.get(&format!("{stand_ins}/{named}")).expect(200, "").allowed(), Vec::<String>::new());
            } else {
                head.delete(&format!("{stand_ins}/{named}")).expect(204, "");
            }
        }
        failures.settle("allowed in org/posts and org/stand_ins, and the guards, must agree");
    }

    fn what_an_account_allows_is_what_succeeds(world) {
        let mut failures = Failures::default();
        let system = world.as_("53-system-admin");
        let mut made = 0;
        // Accounts to be tried on: what roles they hold, and in which state they are.
        let kinds: &[(&str, &[(&str, &str)])] = &[
            ("5301", &[]),
            ("5301", &[("liaison", "5301")]),
            ("5301", &[("group_head", "53")]),
            ("5303", &[("officer", "5303")]),
        ];
        let people = ["53-system-admin", "53-security-admin", "53-auditor", "53-group-office", "5301-system-admin", "5301-security-admin"];
        let mut new_account = |unit: &str, roles: &[(&str, &str)], state: &str| {
            made += 1;
            let body = json!({
                "login": format!("tried-{made}"), "display_name": "受试者", "unit_id": world.unit(unit),
                "password": crate::support::people::PASSWORD,
            });
            let id = system.post("/users", &body).expect(201, "").id();
            for (role, unit) in roles {
                let binding = json!({ "role": role, "unit_id": world.unit(unit) });
                world.as_("53-security-admin").post(&format!("/users/{id}/role-bindings"), &binding).expect(201, "");
            }
            if state == "disabled" {
                system.post(&format!("/users/{id}/disable"), &json!({})).expect(200, "");
            }
            id
        };
        let existing: Vec<String> =
            ["53-auditor", "53-system-admin", "53-security-admin", "5301-security-admin"].map(|login| world.user(login).to_owned()).to_vec();
        let mut try_all = |id: &str, what: &str, mut fresh: Option<&mut dyn FnMut() -> String>| {
            for person in people {
                let who = world.as_(person);
                let shown = who.get(&format!("/users/{id}"));
                let allowed = if shown.status == 200 { shown.allowed() } else { Vec::new() };
                if shown.status == 200 {
                    let login = shown.json()["login"].as_str().unwrap().to_owned();
                    let listed = who.get(&format!("/users?limit=200&q={login}")).expect(200, "").json();
                    let listed = listed["items"].as_array().unwrap().iter().find(|row| row["id"] == *id);
                    let in_list = listed.map(|row| strings(&row["allowed_actions"]));
                    failures.check(in_list.as_ref() == Some(&allowed), || {
                        format!("{person}, {what}: alone {allowed:?}, in the list {in_list:?}")
                    });
                }
                for action in actions_of("UserAction") {
                    let says = allowed.contains(&action);
                    let target = match (&mut fresh, says) {
                        (Some(fresh), true) => fresh(),
                        // Who is there already is only asked what should be refused.
                        (None, true) => continue,
                        _ => id.to_owned(),
                    };
                    let path = format!("/users/{target}");
                    let reply = match action.as_str() {
                        "update" => who.patch(&path, "*", &json!({ "display_name": format!("改名{person}") })),
                        "disable" | "enable" => who.post(&format!("{path}/{action}"), &json!({})),
                        "reset_password" => {
                            who.post(&format!("{path}/reset-password"), &json!({ "password": "滇池东岸的海鸥二月才飞走" }))
                        }
                        "grant_role" => {
                            let unit = if person.starts_with("5301") { "5301" } else { "53" };
                            let binding = json!({ "role": "rater", "unit_id": world.unit(unit) });
                            who.post(&format!("{path}/role-bindings"), &binding)
                        }
                        "end_sessions" => who.delete(&format!("{path}/sessions")),
                        _ => panic!("tell tests/security/states.rs how to {action} an account"),
                    };
                    failures.check((reply.status < 300) == says, || {
                        format!("{person}, {what}: {action} allowed: {says}, but {}", reply.story())
                    });
                    failures.check(says || [403, 404, 409, 422].contains(&reply.status), || reply.story());
                }
            }
        };
        for (unit, roles) in kinds {
            for state in actions_of("UserStatus") {
                let id = new_account(unit, roles, &state);
                let what = format!("an account at {unit} with {roles:?}, {state}");
                try_all(&id, &what, Some(&mut || new_account(unit, roles, &state)));
            }
        }
        for id in &existing {
            try_all(id, "one of the three", None);
        }
        failures.settle("allowed_actions() in access/accounts/rules.rs and the guards must agree");
    }

    fn what_a_binding_allows_is_what_succeeds(world) {
        let mut failures = Failures::default();
        let security = world.as_("53-security-admin");
        for state in actions_of("BindingStatus") {
            for unit in ["5301", "53"] {
                // A role is held once at a unit: each binding is another person's.
                let mut made = 0;
                let mut make = || {
                    made += 1;
                    let body = json!({
                        "login": format!("bound-{unit}-{state}-{made}"), "display_name": "受试者", "unit_id": world.unit(unit),
                        "password": crate::support::people::PASSWORD,
                    });
                    let user = world.as_("53-system-admin").post("/users", &body).expect(201, "").id();
                    let list = format!("/users/{user}/role-bindings");
                    let (from, until) = match state.as_str() {
                        "pending" => (json!(world.day(2)), Value::Null),
                        "expired" => (Value::Null, json!(world.day(-2))),
                        _ => (Value::Null, Value::Null),
                    };
                    let body = json!({ "role": "inspector", "unit_id": world.unit(unit), "valid_from_on": from, "valid_until_on": until });
                    let id = security.post(&list, &body).expect(201, "").id();
                    if state == "revoked" {
                        security.delete(&format!("{list}/{id}")).expect(204, "");
                    }
                    format!("{list}/{id}")
                };
                let shared = make();
                for person in ["53-security-admin", "5301-security-admin", "53-auditor", "53-system-admin", "53-group-head"] {
                    let who = world.as_(person);
                    let shown = who.get(&shared);
                    let (allowed, status) = if shown.status == 200 {
                        (shown.allowed(), shown.json()["status"].clone())
                    } else {
                        (Vec::new(), json!(state))
                    };
                    failures.check(status == json!(state), || shown.story());
                    for action in actions_of("BindingAction") {
                        assert_eq!(action, "revoke", "tell tests/security/states.rs how to {action} a binding");
                        let says = allowed.contains(&action);
                        let id = if says { make() } else { shared.clone() };
                        let reply = who.delete(&id);
                        failures.check((reply.status == 204) == says, || {
                            format!("{person}, {state} at {unit}: {action} allowed: {says}, but {}", reply.story())
                        });
                    }
                }
            }
        }
        failures.settle("show_all() in access/accounts/bindings/service.rs and the guards must agree");
    }
}

both! {
    fn what_a_job_allows_is_what_succeeds(world) {
        let admin = world.as_("53-system-admin");
        for state in actions_of("JobState") {
            let table = "number,name,kind,unit_code\n";
            let taken = admin.call("POST", "/officers/imports").bytes("text/csv", table).send().expect(202, "");
            let path = format!("/jobs/{}", taken.id());
            let ended = ["done", "refused", "failed", "cancelled"].contains(&state.as_str());
            let sql = format!("UPDATE jobs SET state = '{state}', cleared = {ended} WHERE state = 'queued'");
            Raw::owner(world, "53").run(&sql).unwrap();
            let allowed = strings(&admin.get(&path).expect(200, "").json()["allowed_actions"]);
            for action in actions_of("JobAction") {
                let reply = admin.post(&format!("{path}/{action}"), &json!({}));
                assert_eq!(reply.status == 200, allowed.contains(&action), "{action} at {state}: {}", reply.story());
                if reply.status == 200 {
                    assert_eq!(reply.json()["state"], "dropping");
                } else {
                    reply.expect(409, "job_not_cancellable");
                }
            }
            // Out of the way of the next.
            Raw::owner(world, "53").run("UPDATE jobs SET state = 'done', cleared = true").unwrap();
        }
    }
}

both! {
    fn what_a_checklist_allows_is_what_succeeds(world) {
        let mut failures = Failures::default();
        let office = world.as_("5301-group-office");
        // Its state, and whether a next version is being written.
        let standings = ["draft", "published", "published+draft", "retired"];
        let states: BTreeSet<String> = actions_of("ChecklistState").into_iter().collect();
        let covered: BTreeSet<String> = standings.iter().map(|one| one.split('+').next().unwrap().to_owned()).collect();
        assert_eq!(states, covered, "tell tests/security/states.rs of the new state");
        let make = |standing: &str| {
            let body = json!({ "unit_id": world.unit("5301"), "template": "case_acceptance" });
            let path = format!("/checklists/{}", office.post("/checklists", &body).expect(201, "").id());
            if standing != "draft" {
                office.post(&format!("{path}/publish"), &json!({})).expect(200, "");
            }
            if standing.ends_with("+draft") {
                office.patch(&path, "*", &json!({ "title": "下一版" })).expect(200, "");
            }
            if standing == "retired" {
                office.post(&format!("{path}/retire"), &json!({})).expect(200, "");
            }
            path
        };
        for standing in standings {
            let shared = make(standing);
            for person in ["5301-group-office", "53-group-office", "53-discipline", "530102-group-office", "5301-group-head", "5303-group-office"] {
                let who = world.as_(person);
                let shown = who.get(&shared);
                let allowed = if shown.status == 200 { shown.allowed() } else { Vec::new() };
                let list = who.get("/checklists?limit=200").expect(200, "").json();
                let listed = list["items"].as_array().unwrap().iter().find(|row| shared.ends_with(row["id"].as_str().unwrap()));
                let in_list = listed.map(|row| strings(&row["allowed_actions"])).unwrap_or_default();
                failures.check(in_list == allowed, || format!("{person}, {standing}: alone {allowed:?}, in the list {in_list:?}"));
                for action in actions_of("ChecklistAction") {
                    let says = allowed.contains(&action);
                    let path = if says { make(standing) } else { shared.clone() };
                    let reply = match action.as_str() {
                        "update" => who.patch(&path, "*", &json!({ "title": format!("改名{person}") })),
                        "publish" | "retire" => who.post(&format!("{path}/{action}"), &json!({})),
                        _ => panic!("tell tests/security/states.rs how to {action} a checklist"),
                    };
                    failures.check((reply.status == 200) == says, || {
                        format!("{person}, {standing}: {action} allowed: {says}, but {}", reply.story())
                    });
                    failures.check(says || [403, 404, 409].contains(&reply.status), || reply.story());
                }
            }
        }
        failures.settle("Checklist::allows in inspections/checklists/rules.rs and the guards must agree");
    }

    fn what_an_authorisation_allows_is_what_succeeds(world) {
        let mut failures = Failures::default();
        let people = ["53-group-office", "53-discipline", "5301-group-office", "5303-group-office", "53-inspector", "53-group-head"];
        // Whose commander is there, and whose is gone.
        let states = actions_of("AuthorisationState").into_iter().chain(["withdrawn".to_owned()]);
        let standings = states.flat_map(|state| [(state.clone(), false), (state, true)]);
        for (state, is_gone) in standings {
            let commander = format!("/users/{}", world.user("5303-group-head"));
            let make = || {
                let discipline = world.as_("53-discipline");
                let mut body = story::authorisation_body(world, "5301");
                if is_gone {
                    body["commander_user_id"] = json!(world.user("5303-group-head"));
                    world.as_("53-system-admin").post(&format!("{commander}/enable"), &json!({}));
                }
                let path = format!("/authorisations/{}", discipline.post("/authorisations", &body).expect(201, "").id());
                let act = |action: &str, body: Value| {
                    world.as_("53-group-office").post(&format!("{path}/{action}"), &body).expect(200, "");
                };
                match state.as_str() {
                    "proposed" => {}
                    "approved" => act("approve", json!({})),
                    "rejected" => act("reject", json!({ "reason": "不妥。" })),
                    "revoked" => {
                        act("approve", json!({}));
                        act("revoke", json!({ "reason": "收回。" }));
                    }
                    // Revoked before anybody approved it.
                    "withdrawn" => act("revoke", json!({ "reason": "收回。" })),
                    _ => panic!("tell tests/security/states.rs how an authorisation becomes {state}"),
                }
                if is_gone {
                    world.as_("53-system-admin").post(&format!("{commander}/disable"), &json!({})).expect(200, "");
                }
                path
            };
            let shared = make();
            for person in people {
                let who = world.as_(person);
                let shown = who.get(&shared);
                let allowed = if shown.status == 200 { shown.allowed() } else { Vec::new() };
                for action in actions_of("AuthorisationAction") {
                    let says = allowed.contains(&action);
                    let path = if says { make() } else { shared.clone() };
                    let reply = match action.as_str() {
                        "update" => who.patch(&path, "*", &json!({ "title": format!("改名{person}") })),
                        "approve" => who.post(&format!("{path}/approve"), &json!({})),
                        "reject" | "revoke" => who.post(&format!("{path}/{action}"), &json!({ "reason": "不妥。" })),
                        "replace_commander" => {
                            // Whom each of these may name who may at all.
                            let to = if person.starts_with("53-") { "53-group-head" } else { "5301-group-head" };
                            let body = json!({ "commander_id": world.user(to), "reason": "账号停用。" });
                            let reply = who.post(&format!("{path}/replace-commander"), &body);
                            // Not its author, and not who only commands or checks.
                            let may = is_gone && ["approved", "revoked"].contains(&state.as_str()) && ["53-group-office", "5301-group-office"].contains(&person);
                            failures.check(says == may, || format!("{person}, {state}, gone {is_gone}: {action} allowed: {says}"));
                            reply
                        }
                        _ => panic!("tell tests/security/states.rs how to {action} an authorisation"),
                    };
                    failures.check((reply.status == 200) == says, || {
                        format!("{person}, {state}, gone {is_gone}: {action} allowed: {says}, but {}", reply.story())
                    });
                    failures.check(says || [403, 404, 409, 422].contains(&reply.status), || reply.story());
                }
            }
        }
        failures.settle("Authorisation::judge in inspections/authorisations/rules.rs and the guards must agree");
    }

    fn what_a_declared_conflict_allows_is_what_succeeds(world) {
        let mut failures = Failures::default();
        let people = ["53-inspector", "53-discipline", "53-group-office", "53-group-head", "53-unit-head", "5301-discipline", "5301-group-office"];
        // Nobody declares the same twice while it stands: each is about another unit or of another kind.
        let (kinds, units) = (actions_of("ConflictKind"), ["5301", "5303", "5304", "530102", "530302"]);
        let mut subjects = kinds.iter().flat_map(|kind| units.map(|unit| (kind.clone(), unit)));
        let mut make = |whose: &str, state: &str| {
            let (kind, unit) = subjects.next().expect("something else to declare");
            let path = format!("/conflicts/{}", story::conflict(world, whose, unit, &kind));
            match state {
                "standing" => {}
                "ended" => {
                    let by = if whose == "53-discipline" { "53-group-office" } else { "53-discipline" };
                    world.as_(by).post(&format!("{path}/end"), &json!({ "reason": "已经调离。" })).expect(200, "");
                }
                _ => panic!("tell tests/security/states.rs how a declared conflict becomes {state}"),
            }
            path
        };
        for whose in ["53-inspector", "53-discipline"] {
            for state in actions_of("ConflictState") {
                let shared = make(whose, &state);
                for person in people {
                    let who = world.as_(person);
                    let shown = who.get(&shared);
                    let allowed = if shown.status == 200 { shown.allowed() } else { Vec::new() };
                    let list = who.get("/conflicts?limit=200").json();
                    let listed = list["items"].as_array().into_iter().flatten().find(|row| shared.ends_with(row["id"].as_str().unwrap()));
                    let in_list = listed.map(|row| strings(&row["allowed_actions"]));
                    failures.check(in_list.is_some() == (shown.status == 200) && in_list.unwrap_or_default() == allowed, || {
                        format!("{person}, {whose}'s, {state}: alone {}, in the list otherwise", shown.story())
                    });
                    for action in actions_of("ConflictAction") {
                        let says = allowed.contains(&action);
                        let path = if says { make(whose, &state) } else { shared.clone() };
                        let reply = match action.as_str() {
                            "end" => who.post(&format!("{path}/end"), &json!({ "reason": "已经调离。" })),
                            _ => panic!("tell tests/security/states.rs how to {action} a declared conflict"),
                        };
                        failures.check((reply.status == 200) == says, || {
                            format!("{person}, {whose}'s, {state}: {action} allowed: {says}, but {}", reply.story())
                        });
                        failures.check(says || [403, 404, 409, 422].contains(&reply.status), || reply.story());
                        // One's own in vain; others' who may end at all, by discipline or the office above them.
                        let may = state == "standing" && person != whose && ["53-discipline", "53-group-office"].contains(&person);
                        failures.check(says == may, || format!("{person}, {whose}'s, {state}: {action} allowed: {says}"));
                    }
                }
            }
        }
        failures.settle("Conflict::judge in inspections/conflicts/rules.rs and the guards must agree");
    }

    fn what_an_unannounced_check_allows_is_what_succeeds(world) {
        let mut failures = Failures::default();
        let kit = Kit::of(world, "5301");
        let people = ["53-inspector", "53-discipline", "53-group-office", "5301-unit-head", "5301-group-office", "53-special-supervisor"];
        let way = |state: &str| match state {
            "in_progress" => vec![],
            "recorded" => vec!["record"],
            "confirmed" => vec!["record", "confirm"],
            "released" | "final" => vec!["record", "confirm", "release"],
            "contested" | "amended" => vec!["record", "confirm", "release", "contest"],
            "upheld" => vec!["record", "confirm", "release", "contest", "decide"],
            "voided" => vec!["void"],
            _ => panic!("tell tests/security/states.rs how a check becomes {state}"),
        };
        for kind in ["open", "covert"] {
            for state in actions_of("CheckState") {
                // What is final becomes so by the days; there is no way to it here (tests/api/checks.rs goes it).
                if state == "final" {
                    continue;
                }
                let make = || {
                    let id = kit.taken(kind, &way(&state));
                    if state == "amended" {
                        let mut answers = kit.record()["answers"].clone();
                        for answer in answers.as_array_mut().unwrap() {
                            answer.as_object_mut().unwrap().remove("attachment_ids");
                        }
                        let body = json!({ "outcome": "amended", "reasons": "采纳。", "answers": answers });
                        world.as_("53-group-office").post(&format!("/unannounced-checks/{id}/decide"), &body).expect(200, "");
                    }
                    id
                };
                let shared = make();
                for person in people {
                    let who = world.as_(person);
                    let shown = who.get(&format!("/unannounced-checks/{shared}"));
                    let allowed = if shown.status == 200 { shown.allowed() } else { Vec::new() };
                    if shown.status == 200 {
                        failures.check(shown.json()["state"] == *state, || shown.story());
                        let list = who.get("/unannounced-checks?limit=200").expect(200, "").json();
                        let listed = list["items"].as_array().unwrap().iter().find(|row| row["id"] == *shared);
                        let in_list = listed.map(|row| strings(&row["allowed_actions"]));
                        failures.check(in_list.as_ref() == Some(&allowed), || format!("{person}, {state}: alone {allowed:?}, in the list {in_list:?}"));
                    }
                    for action in actions_of("CheckAction") {
                        let says = allowed.contains(&action);
                        let id = if says { make() } else { shared.clone() };
                        let path = format!("/unannounced-checks/{id}");
                        let reply = match action.as_str() {
                            "record" => {
                                let mut record = kit.record();
                                record["summary"] = json!(format!("{person}所见。"));
                                who.post(&format!("{path}/record"), &record)
                            }
                            "confirm" | "release" => who.post(&format!("{path}/{action}"), &json!({})),
                            "contest" => who.post(&format!("{path}/contest"), &json!({ "content": "异议。" })),
                            "decide" => who.post(&format!("{path}/decide"), &json!({ "outcome": "upheld", "reasons": "维持。" })),
                            "void" => who.post(&format!("{path}/void"), &json!({ "reason": "选错单位。" })),
                            "give_up_attachments" => {
                                let body = json!({ "attachment_ids": [uuid::Uuid::now_v7()], "reason": "手机遗失。" });
                                who.post(&format!("{path}/give-up-attachments"), &body)
                            }
                            "add_addendum" => who.post(&format!("{path}/addenda"), &json!({ "content": "补记。" })),
                            _ => panic!("tell tests/security/states.rs how to {action} a check"),
                        };
                        failures.check((reply.status < 300) == says, || {
                            format!("{person}, {kind} {state}: {action} allowed: {says}, but {}", reply.story())
                        });
                        failures.check(says || [403, 404, 409, 422].contains(&reply.status), || reply.story());
                    }
                }
            }
        }
        failures.settle("Check::judge in inspections/checks/rules.rs and the guards must agree");
    }
}
