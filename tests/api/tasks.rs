//! Tasks in force: who has them, done and taken back, and what that comes to at every level.

use serde_json::{Value, json};

use crate::support::client::Reply;
use crate::support::{World, both, story};

/// A launched campaign of the province with these tasks; the plan as it is shown.
pub fn launched(world: &World, tasks: &[Value]) -> (String, Value) {
    let campaign = story::campaign(world, "53");
    let mut body = story::plan_body(world, &campaign, "53");
    body["tasks"] = json!(tasks);
    let plan = story::published(world, &body, "53");
    (campaign, plan)
}

/// Publishes a plan of a unit under its parent's with these tasks.
pub fn child(world: &World, campaign: &str, code: &str, tasks: &[Value]) -> Value {
    let mut body = story::plan_body(world, campaign, code);
    body["tasks"] = json!(tasks);
    story::published(world, &body, code)
}

pub fn units(world: &World, named: &[(&str, &str, Option<&str>)]) -> Value {
    let one = |(code, extent, kind): &(&str, &str, Option<&str>)| json!({ "unit_id": world.unit(code), "extent": extent, "kind": kind });
    Value::Array(named.iter().map(one).collect())
}

pub fn id(plan: &Value, at: usize) -> String {
    plan["tasks"][at]["id"].as_str().unwrap().to_owned()
}

pub fn complete(world: &World, by: &str, task: &str, unit: &str) -> Reply {
    let body = json!({ "unit_id": world.unit(unit), "evidence": "台账存办公室, 抽查 200 件。" });
    world.as_(by).post(&format!("/tasks/{task}/complete"), &body)
}

pub fn reopen(world: &World, by: &str, task: &str, unit: &str) -> Reply {
    let body = json!({ "unit_id": world.unit(unit), "reason": "抽查不实。" });
    world.as_(by).post(&format!("/tasks/{task}/reopen"), &body)
}

/// Unit and state of each assignment somebody sees, in the list's order.
fn seen(world: &World, by: &str, task: &str, query: &str) -> Vec<(String, String)> {
    let list = world.as_(by).get(&format!("/tasks/{task}/assignments{query}")).expect(200, "").json();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (text(&one["unit"]["code"]), text(&one["state"])))
        .collect()
}

/// Total, done, overdue, due or done, of a unit on a day.
fn figures(world: &World, by: &str, campaign: &str, query: &str) -> [i64; 4] {
    let shown = world.as_(by).get(&format!("/campaigns/{campaign}/progress{query}")).expect(200, "").json();
    of(&shown["unit"])
}

fn of(row: &Value) -> [i64; 4] {
    let number = |value: &Value| value.as_i64().unwrap();
    assert_eq!(row["done"], row["rate"]["numerator"]);
    [
        number(&row["total"]),
        number(&row["done"]),
        number(&row["overdue"]),
        number(&row["rate"]["denominator"]),
    ]
}

both! {
    fn a_published_plan_gives_its_tasks_to_units(world) {
        let counties = units(world, &[("53", "subtree", Some("county"))]);
        let kunming = units(world, &[("5301", "subtree", None), ("530102", "self", None)]);
        let (campaign, plan) = launched(world, &[story::task(world, "各区县", &counties, 10), story::task(world, "昆明全市", &kunming, 20)]);
        let (office, first, second) = ("53-group-office", id(&plan, 0), id(&plan, 1));
        let open = |codes: &[&str]| codes.iter().map(|code| ((*code).to_owned(), "open".to_owned())).collect::<Vec<_>>();
        assert_eq!(seen(world, office, &first, ""), open(&["530102", "530302"]));
        let all = ["5301", "5301-D01", "5301-K01", "5301-W01", "530102", "530102001"];
        let mut found = seen(world, office, &second, "");
        found.sort();
        assert_eq!(found, open(&all), "a subtree is the unit and all below it, each once");
        // Everybody sees those within reach; who reaches none of them sees none.
        assert_eq!(seen(world, "5301-liaison", &first, ""), open(&["530102"]));
        assert_eq!(seen(world, "5303-liaison", &second, ""), open(&[]));
        let narrow = format!("?unit_id={}&depth=self", world.unit("5301"));
        assert_eq!(seen(world, office, &second, &narrow), open(&["5301"]));
        assert_eq!(seen(world, office, &second, "?state=done"), open(&[]));
        assert_eq!(seen(world, office, &second, "?overdue=true"), open(&[]));
        assert_eq!(figures(world, office, &campaign, ""), [8, 0, 0, 0]);
        assert_eq!(figures(world, office, &campaign, &format!("?on={}", world.day(10))), [8, 0, 0, 2]);
        assert_eq!(figures(world, office, &campaign, &format!("?on={}", world.day(11))), [8, 0, 2, 2]);
        world.advance(11 * 86_400);
        assert_eq!(seen(world, office, &first, "?overdue=true").len(), 2);
        assert_eq!(seen(world, office, &second, "?overdue=true").len(), 0);
    }

    fn a_unit_completes_and_is_sent_back_from_above(world) {
        let all = units(world, &[("53", "self", None), ("5301", "self", None), ("5303", "self", None)]);
        let (campaign, plan) = launched(world, &[story::task(world, "落实一次性告知", &all, 10)]);
        let task = id(&plan, 0);
        // Not for another unit, not by another role, not for a unit without the task.
        complete(world, "5301-liaison", &task, "5303").expect(422, "invalid_body");
        complete(world, "5301-liaison", &task, "500103").expect(422, "invalid_body");
        complete(world, "5301-group-office", &task, "5301").expect(403, "forbidden");
        complete(world, "50-liaison", &task, "50").expect(404, "not_found");
        complete(world, "530102-liaison", &task, "530102").expect(422, "unit_not_assigned");
        let call = |key: &str| {
            let body = json!({ "unit_id": world.unit("5301"), "evidence": "台账存办公室。" });
            world.as_("5301-liaison").call("POST", &format!("/tasks/{task}/complete")).header("Idempotency-Key", key).json(&body).send()
        };
        let done = call("one").expect(200, "");
        assert_eq!((&done.json()["state"], &done.json()["evidence"]), (&json!("done"), &json!("台账存办公室。")));
        assert_eq!(done.json()["completed_by"]["id"], json!(world.user("5301-liaison")));
        assert_eq!(call("one").expect(200, "").body, done.body, "a retry has one effect");
        call("two").expect(409, "assignment_done");
        assert_eq!(figures(world, "53-group-office", &campaign, ""), [3, 1, 0, 1]);
        assert_eq!(figures(world, "5301-unit-head", &campaign, ""), [1, 1, 0, 1]);
        let other = format!("?unit_id={}", world.unit("5303"));
        world.as_("5301-unit-head").get(&format!("/campaigns/{campaign}/progress{other}")).expect(404, "not_found");
        assert_eq!(figures(world, "53-group-member", &campaign, &other), [1, 0, 0, 0]);
        let shown = world.as_("53-group-head").get(&format!("/campaigns/{campaign}/progress")).expect(200, "").json();
        let below: Vec<(String, [i64; 4])> = shown["below"].as_array().unwrap().iter()
            .map(|row| (row["unit"]["code"].as_str().unwrap().to_owned(), of(row))).collect();
        let row = |code: &str, total, done| (code.to_owned(), [total, done, 0, done]);
        assert_eq!(below, [row("53-D01", 0, 0), row("5301", 1, 1), row("5303", 1, 0), row("5304", 0, 0)]);
        assert_eq!(shown["unit"]["rate"]["percent"], "100.00");

        // The unit itself, or its own office, does not take it back; from above it is, with a reason.
        reopen(world, "5301-liaison", &task, "5301").expect(403, "forbidden");
        reopen(world, "5301-group-office", &task, "5301").expect(422, "reopen_from_above");
        reopen(world, "5301-group-head", &task, "5303").expect(422, "invalid_body");
        reopen(world, "53-group-office", &task, "5303").expect(409, "assignment_open");
        let back = reopen(world, "53-group-office", &task, "5301").expect(200, "").json();
        assert_eq!((&back["state"], &back["reopen_reason"], &back["completed_at"]), (&json!("open"), &json!("抽查不实。"), &Value::Null));
        assert_eq!(back["evidence"], "台账存办公室。", "what was put forward stays to be read");
        assert_eq!(figures(world, "53-group-office", &campaign, ""), [3, 0, 0, 0]);
        // Above the province there is nobody: its group's head does it, the office does not.
        complete(world, "53-unit-head", &task, "53").expect(200, "");
        reopen(world, "53-group-office", &task, "53").expect(422, "reopen_from_above");
        reopen(world, "53-group-head", &task, "53").expect(200, "");
        // If-Match speaks of the task.
        let stale = world.as_("5303-liaison").call("POST", &format!("/tasks/{task}/complete")).header("If-Match", "\"v1.00\"")
            .json(&json!({ "unit_id": world.unit("5303"), "evidence": "台账。" })).send();
        stale.expect(412, "precondition_failed");
    }

    fn a_draft_s_tasks_are_nobody_s_yet(world) {
        let tale = story::launched(world, "53");
        let plan = story::draft(world, &tale.campaign, "5301", "5301-liaison");
        let task = id(&world.as_("5301-liaison").get(&format!("/plans/{plan}")).expect(200, "").json(), 0);
        complete(world, "5301-liaison", &task, "5301").expect(409, "plan_not_in_force");
        assert_eq!(seen(world, "5301-liaison", &task, ""), Vec::new());
    }

    fn what_a_child_plan_carries_counts_once(world) {
        let cities = units(world, &[("53", "subtree", Some("city")), ("53", "subtree", Some("county"))]);
        let (campaign, above) = launched(world, &[story::task(world, "市县共办", &cities, 10)]);
        let parent = id(&above, 0);
        let office = "53-group-office";
        // 5301, 5303, 5304 and their two counties.
        assert_eq!(figures(world, office, &campaign, ""), [5, 0, 0, 0]);
        complete(world, "530102-liaison", &parent, "530102").expect(200, "");

        // Kunming has its counties and stations do it.
        let mine = units(world, &[("5301", "subtree", Some("county")), ("5301", "subtree", Some("station"))]);
        let mut task = story::task(world, "市县共办", &mine, 10);
        task["parent_task_id"] = json!(parent);
        let plan = child(world, &campaign, "5301", &[task]);
        let own = id(&plan, 0);
        // 5301 and 530102 are carried by two: the county's, born done by what it had done, and the station's.
        assert_eq!(seen(world, office, &own, ""), [("530102".to_owned(), "done".to_owned()), ("530102001".to_owned(), "open".to_owned())]);
        assert_eq!(figures(world, office, &campaign, ""), [5, 1, 0, 1]);
        assert_eq!(figures(world, "5301-group-office", &campaign, ""), [2, 1, 0, 1]);
        let states: Vec<_> = seen(world, office, &parent, "");
        let state = |code: &str| states.iter().find(|(unit, _)| unit == code).unwrap().1.clone();
        assert_eq!([state("5301"), state("530102"), state("5303")], ["open", "open", "open"]);
        complete(world, "5301-liaison", &parent, "5301").expect(409, "assignment_carried");
        reopen(world, office, &parent, "5301").expect(409, "assignment_carried");

        // The county hands it to its station once more, two levels down.
        let station = units(world, &[("530102001", "self", None)]);
        let mut task = story::task(world, "市县共办", &station, 10);
        task["parent_task_id"] = json!(own);
        let lowest = id(&child(world, &campaign, "530102", &[task]), 0);
        assert_eq!(figures(world, office, &campaign, ""), [4, 0, 0, 0], "the county's own is carried now as well");
        // Nobody at the station signs in here: give somebody the role.
        let binding = json!({ "role": "liaison", "unit_id": world.unit("530102001") });
        world.as_("53-security-admin").post(&format!("/users/{}/role-bindings", world.user("53-nobody")), &binding).expect(201, "");
        complete(world, "53-nobody", &lowest, "530102001").expect(200, "");
        let all = |task: &str| seen(world, office, task, &format!("?unit_id={}", world.unit("5301"))).into_iter().map(|(_, state)| state).collect::<Vec<_>>();
        assert_eq!((all(&own), all(&parent)), (vec!["done".to_owned(); 2], vec!["done".to_owned(); 2]), "done all the way up");
        assert_eq!(figures(world, office, &campaign, ""), [4, 1, 0, 1]);
        reopen(world, "530102-group-office", &lowest, "530102001").expect(200, "");
        assert_eq!((all(&own), all(&parent)), (vec!["open".to_owned(); 2], vec!["open".to_owned(); 2]), "and open again");
        assert_eq!(figures(world, office, &campaign, ""), [4, 0, 0, 0]);
    }

    fn persons_carry_an_assignment(world) {
        let all = units(world, &[("5301", "self", None), ("530102", "self", None)]);
        let (_, plan) = launched(world, &[story::task(world, "落实一次性告知", &all, 10)]);
        let list = format!("/tasks/{}/assignments", id(&plan, 0));
        let liaison = world.as_("5301-liaison");
        let rows = liaison.get(&list).expect(200, "").json();
        let path = |at: usize| format!("{list}/{}", rows["items"][at]["id"].as_str().unwrap());
        let (city, county) = (path(0), path(1));
        let shown = liaison.get(&city).expect(200, "");
        assert_eq!(shown.allowed(), ["complete", "name_persons"]);
        let name = |who: &str, path: &str, tag: &str, officers: &[&str]| {
            let ids: Vec<&str> = officers.iter().map(|login| world.officer(login)).collect();
            world.as_(who).patch(path, tag, &json!({ "officer_ids": ids }))
        };
        let named = name("5301-liaison", &city, &shown.etag(), &["5301-unit-head"]).expect(200, "");
        assert_eq!(named.json()["persons"][0]["id"], json!(world.officer("5301-unit-head")));
        name("5301-liaison", &city, &shown.etag(), &[]).expect(412, "precondition_failed");
        world.as_("5301-liaison").call("PATCH", &city).json(&json!({ "officer_ids": [] })).send().expect(428, "");
        // The county's is the county's to give; its own people, once a task.
        name("5301-liaison", &county, "*", &["530102-unit-head"]).expect(404, "not_found");
        name("53-group-office", &city, "*", &[]).expect(403, "forbidden");
        let refused = name("530102-liaison", &county, "*", &["5301-unit-head", "530102-unit-head"]).expect(422, "invalid_body");
        assert_eq!(refused.errors(), [("/officer_ids/0".to_owned(), "unknown_reference".to_owned())]);
        let refused = name("5301-liaison", &city, "*", &["530102-unit-head", "500103-unit-head", "5303-unit-head"]).expect(422, "invalid_body");
        let unknown = |at: usize| (format!("/officer_ids/{at}"), "unknown_reference".to_owned());
        assert_eq!(refused.errors(), [unknown(1), unknown(2)]);
        name("530102-liaison", &county, "*", &["530102-unit-head"]).expect(200, "");
        let twice = name("5301-liaison", &city, "*", &["530102-unit-head"]).expect(422, "invalid_body");
        assert_eq!(twice.errors(), [("/officer_ids/0".to_owned(), "already_named".to_owned())]);
        let leave = json!({ "reason": "退休。" });
        world.as_("53-system-admin").post(&format!("/officers/{}/leave", world.officer("53-unit-head")), &leave).expect(200, "");
        let done = complete(world, "5301-liaison", &id(&plan, 0), "5301").expect(200, "");
        assert_eq!(done.json()["persons"][0]["number"], "T5301000");
        name("5301-liaison", &city, "*", &[]).expect(409, "assignment_done");
        let file = world.as_("53-group-office").call("GET", &list).header("Accept", "text/csv").send().expect(200, "");
        assert!(file.text().contains("责任人") && file.text().contains("T5301000"), "{}", file.story());
    }

    fn a_lower_plan_is_no_answer_for_a_higher_unit(world) {
        let named = units(world, &[("53", "self", None), ("5301", "self", None), ("5303", "self", None)]);
        let (campaign, above) = launched(world, &[story::task(world, "厅市同办", &named, 10)]);
        let mut answer = story::task(world, "厅市同办", &units(world, &[("5301", "self", None)]), 10);
        answer["parent_task_id"] = json!(id(&above, 0));
        let kunming = child(world, &campaign, "5301", &[answer]);
        let office = "53-group-office";
        assert_eq!(figures(world, office, &campaign, ""), [3, 0, 0, 0]);
        complete(world, "5301-liaison", &id(&kunming, 0), "5301").expect(200, "");
        assert_eq!(figures(world, office, &campaign, ""), [3, 1, 0, 1]);
        complete(world, "53-liaison", &id(&above, 0), "53").expect(200, "");
        assert_eq!(figures(world, office, &campaign, ""), [3, 2, 0, 2]);
        crate::tasks_history::holds(world);
    }

    fn what_was_assigned_is_done_wherever_the_unit_stands_by_now(world) {
        let counties = units(world, &[("53", "subtree", Some("county"))]);
        let (campaign, above) = launched(world, &[story::task(world, "县局办", &counties, 10)]);
        let mut answer = story::task(world, "县局办", &units(world, &[("5301", "subtree", Some("county"))]), 10);
        answer["parent_task_id"] = json!(id(&above, 0));
        let kunming = child(world, &campaign, "5301", &[answer]);
        let to = json!({ "parent_id": world.unit("5303"), "reason": "区划调整。" });
        world.as_("53-system-admin").post(&format!("/units/{}/move", world.unit("530102")), &to).expect(200, "");
        // The plan is Kunming's, the county Qujing's: the task is still the county's to read and to do.
        let task = id(&kunming, 0);
        world.as_("530102-liaison").get(&format!("/tasks/{task}")).expect(200, "");
        world.as_("530102-liaison").get(&format!("/tasks/{}", id(&above, 0))).expect(200, "");
        complete(world, "530102-liaison", &task, "530102").expect(200, "");
        world.as_("5304-unit-head").get(&format!("/tasks/{task}")).expect(404, "not_found");
        assert_eq!(figures(world, "53-group-office", &campaign, ""), [2, 1, 0, 1]);
        crate::tasks_history::holds(world);
    }
}
