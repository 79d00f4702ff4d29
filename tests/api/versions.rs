//! Versions of a plan: what is in force stays until the next is published; what was done for tasks goes along;
//! what stands below is told.

use serde_json::{Value, json};

use crate::support::raw::Raw;
use crate::support::{World, both, story};
use crate::tasks::{complete, id, launched, reopen, units};
use crate::tasks_history::holds;

const OFFICE: &str = "53-group-office";
const HEAD: &str = "53-group-head";

fn amend(world: &World, by: &str, plan: &str) -> Value {
    let body = json!({ "reason": "汛期顺延两项任务的时限。" });
    world.as_(by).post(&format!("/plans/{plan}/amend"), &body).expect(200, "").json()
}

fn show(world: &World, by: &str, plan: &str) -> Value {
    world.as_(by).get(&format!("/plans/{plan}")).expect(200, "").json()
}

/// A task list as `PATCH` takes it, from a task list as it is shown.
fn drafts(tasks: &Value) -> Vec<Value> {
    let one = |task: &Value| {
        let mut draft = task.clone();
        let map = draft.as_object_mut().unwrap();
        for name in ["plan_id", "unit", "position", "version"] {
            map.remove(name);
        }
        let responsible = task["responsible"].as_array().unwrap().iter();
        let named = responsible
            .map(|one| json!({ "unit_id": one["unit"]["id"], "extent": one["extent"], "kind": one["kind"] }));
        draft["responsible"] = named.collect();
        draft
    };
    tasks.as_array().unwrap().iter().map(one).collect()
}

fn write(world: &World, by: &str, plan: &str, patch: &Value) {
    world.as_(by).patch(&format!("/plans/{plan}"), "*", patch).expect(200, "");
}

fn publish(world: &World, plan: &str) -> Value {
    story::step(world, OFFICE, plan, "submit");
    story::step(world, HEAD, plan, "approve");
    story::step(world, OFFICE, plan, "publish");
    show(world, OFFICE, plan)
}

fn titles(tasks: &Value) -> Vec<String> {
    tasks.as_array().unwrap().iter().map(|task| task["title"].as_str().unwrap().to_owned()).collect()
}

both! {
    fn the_version_in_force_stays_until_the_next_is_published(world) {
        let own = units(world, &[("53", "self", None), ("5301", "self", None)]);
        let (_, plan) = launched(world, &[story::task(world, "甲", &own, 10), story::task(world, "乙", &own, 20)]);
        let plan_id = plan["id"].as_str().unwrap().to_owned();
        world.advance(2 * 86_400);
        assert_eq!(show(world, OFFICE, &plan_id)["state"], "running");
        let amended = amend(world, OFFICE, &plan_id);
        assert_eq!((&amended["state"], &amended["number"]), (&json!("running"), &json!(1)));
        let amendment = &amended["amendment"];
        assert_eq!((&amendment["number"], &amendment["state"]), (&json!(2), &json!("draft")));
        assert_eq!(titles(&amendment["tasks"]), ["甲", "乙"]);
        // One at a time, and nothing is summed up meanwhile.
        let who = world.as_(OFFICE);
        who.post(&format!("/plans/{plan_id}/amend"), &json!({ "reason": "再改。" })).expect(409, "amendment_in_hand");
        who.post(&format!("/plans/{plan_id}/conclude"), &json!({})).expect(409, "amendment_in_hand");
        let mut tasks = drafts(&amendment["tasks"]);
        tasks[0]["due_on"] = json!(world.day(40));
        let dropped = tasks.remove(1);
        let mut new = dropped.clone();
        (new["title"], new["id"]) = (json!("丙"), Value::Null);
        tasks.push(new);
        write(world, OFFICE, &plan_id, &json!({ "tasks": tasks, "meeting": { "title": "厅党委会议", "held_on": world.day(-1) } }));
        let shown = show(world, OFFICE, &plan_id);
        assert_eq!(titles(&shown["tasks"]), ["甲", "乙"], "what is in force is not touched");
        assert_eq!(shown["tasks"][0]["due_on"], plan["tasks"][0]["due_on"]);
        assert_eq!(titles(&shown["amendment"]["tasks"]), ["甲", "丙"]);
        // From below nothing of it is to be seen, in no list and by no filter.
        let below = show(world, "5301-liaison", &plan_id);
        assert_eq!(below["amendment"], Value::Null);
        let listed = world.as_("5301-liaison").get("/plans").expect(200, "").json();
        assert_eq!(listed["items"][0]["amendment_state"], Value::Null);
        let amending = |by: &str| world.as_(by).get("/plans?amending=true&count=exact").expect(200, "").json()["total"].clone();
        assert_eq!((amending("5301-liaison"), amending(OFFICE)), (json!(0), json!(1)));
        let diff = |by: &str| world.as_(by).get(&format!("/plans/{plan_id}/diff")).expect(200, "").json();
        let told = diff(OFFICE);
        let changes: Vec<(&Value, &Value)> =
            told["tasks"].as_array().unwrap().iter().map(|one| (&one["change"], &one["fields"])).collect();
        assert_eq!(
            changes,
            [(&json!("changed"), &json!(["due_on"])), (&json!("added"), &json!([])), (&json!("dropped"), &json!([]))]
        );
        assert_eq!(told["fields"], json!(["meeting"]));
        assert_eq!(told["tasks"][0]["before"]["due_on"], plan["tasks"][0]["due_on"]);
        assert_eq!(told["tasks"][0]["after"]["due_on"], world.day(40));
        assert_eq!(diff("5301-liaison")["tasks"], json!([]));
        let versions = |by: &str| world.as_(by).get(&format!("/plans/{plan_id}/versions")).expect(200, "").json()["items"].clone();
        let states = |list: &Value| list.as_array().unwrap().iter().map(|one| one["state"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!(states(&versions(OFFICE)), ["draft", "in_force"]);
        assert_eq!(states(&versions("5301-liaison")), ["in_force"]);
        world.as_("5301-liaison").get(&format!("/plans/{plan_id}/diff?to=2")).expect(404, "not_found");
        let second = versions(OFFICE)[0]["id"].as_str().unwrap().to_owned();
        world.as_("5301-liaison").get(&format!("/plans/{plan_id}/versions/{second}")).expect(404, "not_found");
        // Four eyes: who wrote the amendment does not approve it, and a returned one goes round again.
        story::step(world, OFFICE, &plan_id, "submit");
        story::step(world, HEAD, &plan_id, "return");
        assert_eq!(show(world, OFFICE, &plan_id)["amendment"]["state"], "returned");
        let after = publish(world, &plan_id);
        assert_eq!((&after["state"], &after["number"], &after["amendment"]), (&json!("running"), &json!(2), &Value::Null));
        assert_eq!(titles(&after["tasks"]), ["甲", "丙"]);
        assert_eq!(after["tasks"][0]["id"], plan["tasks"][0]["id"], "a task that stays is the same task");
        assert_eq!(states(&versions("5301-liaison")), ["in_force", "superseded"]);
        let first = world.as_("5301-liaison").get(&format!("/plans/{plan_id}/versions/{plan_id}")).expect(200, "").json();
        assert_eq!(titles(&first["tasks"]), ["甲", "乙"], "the old version says what it said");
        // The task that was left out is no list's any more, and can still be read.
        let listed = world.as_(OFFICE).get(&format!("/tasks?plan_id={plan_id}")).expect(200, "").json();
        assert_eq!(listed["items"].as_array().unwrap().len(), 2);
        let gone = world.as_("5301-liaison").get(&format!("/tasks/{}", id(&plan, 1))).expect(200, "").json();
        assert_eq!((&gone["title"], &gone["position"]), (&json!("乙"), &json!(1)));
        holds(world);
    }

    fn what_was_done_goes_along_and_what_is_asked_no_more_is_retired(world) {
        let both = units(world, &[("5301", "self", None), ("5303", "self", None)]);
        let (campaign, plan) = launched(world, &[story::task(world, "甲", &both, 10), story::task(world, "乙", &both, 20)]);
        let plan_id = plan["id"].as_str().unwrap().to_owned();
        let (first, second) = (id(&plan, 0), id(&plan, 1));
        complete(world, "5301-liaison", &first, "5301").expect(200, "");
        complete(world, "5301-liaison", &second, "5301").expect(200, "");
        let amended = amend(world, OFFICE, &plan_id);
        // Another deadline and another unit for the first; the second goes.
        let mut tasks = drafts(&amended["amendment"]["tasks"]);
        tasks.remove(1);
        tasks[0]["due_on"] = json!(world.day(30));
        tasks[0]["responsible"] = units(world, &[("5301", "self", None), ("5304", "self", None)]);
        write(world, OFFICE, &plan_id, &json!({ "tasks": tasks }));
        holds(world);
        publish(world, &plan_id);
        holds(world);
        let seen = |task: &str| -> Vec<(String, String, String)> {
            let list = world.as_(OFFICE).get(&format!("/tasks/{task}/assignments?limit=200")).expect(200, "").json();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            list["items"].as_array().unwrap().iter().map(|one| (text(&one["unit"]["code"]), text(&one["state"]), text(&one["due_on"]))).collect()
        };
        let row = |code: &str, state: &str, day: i64| (code.to_owned(), state.to_owned(), world.day(day));
        assert_eq!(seen(&first), [row("5301", "done", 30), row("5303", "retired", 10), row("5304", "open", 30)]);
        assert_eq!(seen(&second), [row("5301", "done", 20), row("5303", "retired", 20)]);
        // Nobody does or takes back what is asked no more.
        complete(world, "5303-liaison", &second, "5303").expect(409, "assignment_retired");
        reopen(world, OFFICE, &second, "5301").expect(409, "assignment_retired");
        let shown = world.as_(OFFICE).get(&format!("/campaigns/{campaign}/progress?on={}", world.day(30))).expect(200, "").json();
        let rate = &shown["unit"]["rate"];
        assert_eq!((&rate["numerator"], &rate["denominator"]), (&json!(2), &json!(3)), "{shown}");
        // Asked again by the third version, it goes on where it stood.
        amend(world, OFFICE, &plan_id);
        let mut tasks = drafts(&show(world, OFFICE, &plan_id)["amendment"]["tasks"]);
        tasks.push(drafts(&plan["tasks"]).remove(1));
        write(world, OFFICE, &plan_id, &json!({ "tasks": tasks }));
        let third = publish(world, &plan_id);
        assert_eq!((&third["number"], titles(&third["tasks"])), (&json!(3), vec!["甲".to_owned(), "乙".to_owned()]));
        assert_eq!(seen(&second), [row("5301", "done", 20), row("5303", "open", 20)]);
        holds(world);
    }

    fn an_amendment_given_up_leaves_no_trace_in_what_is_in_force(world) {
        let own = units(world, &[("53", "self", None)]);
        let (_, plan) = launched(world, &[story::task(world, "甲", &own, 10)]);
        let plan_id = plan["id"].as_str().unwrap().to_owned();
        amend(world, OFFICE, &plan_id);
        write(world, OFFICE, &plan_id, &json!({ "title": "改了标题的方案" }));
        story::step(world, OFFICE, &plan_id, "withdraw");
        let after = show(world, OFFICE, &plan_id);
        assert_eq!((&after["title"], &after["state"], &after["amendment"]), (&plan["title"], &plan["state"], &Value::Null));
        // The next has a number of its own; its author is who writes it, so the first's author may decide.
        assert_eq!(amend(world, "53-unit-head", &plan_id)["amendment"]["number"], 3);
        write(world, "53-unit-head", &plan_id, &json!({ "title": "另一标题的方案" }));
        let after = publish_by(world, &plan_id);
        assert_eq!((&after["title"], &after["number"]), (&json!("另一标题的方案"), &json!(3)));
        let versions = world.as_(OFFICE).get(&format!("/plans/{plan_id}/versions?limit=2")).expect(200, "").json();
        let cursor = versions["next_cursor"].as_str().unwrap();
        let rest = world.as_(OFFICE).get(&format!("/plans/{plan_id}/versions?limit=2&cursor={cursor}")).expect(200, "").json();
        let numbers = |list: &Value| list["items"].as_array().unwrap().iter().map(|one| (one["number"].clone(), one["state"].clone())).collect::<Vec<_>>();
        assert_eq!(numbers(&versions), [(json!(3), json!("in_force")), (json!(2), json!("withdrawn"))]);
        assert_eq!(numbers(&rest), [(json!(1), json!("superseded"))]);
        let between = world.as_(OFFICE).get(&format!("/plans/{plan_id}/diff")).expect(200, "").json();
        assert_eq!((&between["from"], &between["to"], &between["fields"]), (&json!(1), &json!(3), &json!(["title"])));
    }

    fn when_the_plan_above_is_amended_those_below_are_told_and_checked_anew(world) {
        let cities = units(world, &[("53", "subtree", Some("city"))]);
        let (campaign, plan) = launched(world, &[story::task(world, "甲", &cities, 10)]);
        let plan_id = plan["id"].as_str().unwrap().to_owned();
        let answer = |code: &str| {
            let mut task = story::task(world, "承接甲", &units(world, &[(code, "self", None)]), 10);
            task["parent_task_id"] = json!(id(&plan, 0));
            task
        };
        let body = |code: &str| {
            let mut body = story::plan_body(world, &campaign, code);
            body["tasks"] = json!([answer(code)]);
            body
        };
        let in_force = story::published(world, &body("5303"), "5303")["id"].as_str().unwrap().to_owned();
        let submitted = world.as_("5301-group-office").post("/plans", &body("5301")).expect(201, "").id();
        story::step(world, "5301-group-office", &submitted, "submit");
        amend(world, OFFICE, &plan_id);
        let mut tasks = drafts(&show(world, OFFICE, &plan_id)["amendment"]["tasks"]);
        tasks[0]["due_on"] = json!(world.day(25));
        write(world, OFFICE, &plan_id, &json!({ "tasks": tasks }));
        let told = |by: &str| {
            let list = world.as_(by).get(&format!("/plans?parent_plan_id={plan_id}&parent_amended=true&count=exact")).expect(200, "").json();
            list["total"].as_i64().unwrap()
        };
        assert_eq!(told(OFFICE), 0, "as long as the new version is not in force, nobody is told");
        publish(world, &plan_id);
        assert_eq!((told(OFFICE), told("5303-group-office")), (2, 1));
        let waiting = world.as_("5303-unit-head").get("/auth/me/waiting").expect(200, "").json();
        let kinds: Vec<&Value> = waiting["counts"].as_array().unwrap().iter().map(|one| &one["kind"]).collect();
        assert!(kinds.contains(&&json!("plan_to_amend")), "{waiting}");
        // What was submitted under the old version is not approved under the new one.
        // Each of them has its own row, so that whoever listens is told of each.
        let rows = Raw::owner(world, "53").texts("SELECT entity_id AS text FROM audit_log WHERE action = 'plan.parent_amended' AND entity = 'plan'");
        assert!(rows.contains(&submitted) && rows.contains(&in_force), "{rows:?}");
        let refused = world.as_("5301-group-head").post(&format!("/plans/{submitted}/approve"), &json!({})).expect(422, "parent_amended");
        assert!(!world.as_("5301-group-head").get(&format!("/plans/{submitted}")).allowed().contains(&"approve".to_owned()), "{}", refused.story());
        let many = world.as_("5301-group-head").post("/plans/approve", &json!({ "plans": [{ "plan_id": submitted }] })).expect(200, "").json();
        assert_eq!(many["items"][0]["code"], "parent_amended", "{many}");
        // It can only be sent back, and waits for that.
        let waiting = world.as_("5301-group-head").get("/auth/me/waiting").expect(200, "").json();
        assert_eq!((&waiting["counts"][0]["kind"], &waiting["items"][0]["plan_id"]), (&json!("plan_to_return"), &json!(submitted)), "{waiting}");
        story::step(world, "5301-group-head", &submitted, "return");
        let refused = world.as_("5301-group-office").post(&format!("/plans/{submitted}/submit"), &json!({})).expect(422, "downstream_inflation");
        assert_eq!(refused.errors()[0].0, "/tasks/0/due_on");
        let mut task = answer("5301");
        task["due_on"] = json!(world.day(25));
        write(world, "5301-group-office", &submitted, &json!({ "tasks": [task] }));
        let done = story::finished(world, &submitted, "5301");
        assert_eq!(done["parent_amended"], false);
        // What is in force is amended in its turn; told until its own new version is in force.
        amend(world, "5303-group-office", &in_force);
        let offences = world.as_("5303-group-office").get(&format!("/plans/{in_force}/inflation")).expect(200, "").json();
        assert_eq!(offences["offences"][0]["kind"], "deadline_shortened", "{offences}");
        let mut tasks = drafts(&show(world, "5303-group-office", &in_force)["amendment"]["tasks"]);
        tasks[0]["due_on"] = json!(world.day(25));
        write(world, "5303-group-office", &in_force, &json!({ "tasks": tasks }));
        assert_eq!(show(world, "5303-group-office", &in_force)["parent_amended"], true);
        let after = story::finished(world, &in_force, "5303");
        assert_eq!((&after["parent_amended"], &after["number"], &after["tasks"][0]["due_on"]), (&json!(false), &json!(2), &json!(world.day(25))));
        assert_eq!(told(OFFICE), 0);
        holds(world);
    }

    fn what_is_owed_by_the_day_follows_a_later_version(world) {
        let own = units(world, &[("5301", "self", None)]);
        let mut weekly = story::task(world, "乙", &own, 20);
        weekly["daily_entries"] = json!(false);
        let (_, plan) = launched(world, &[story::task(world, "甲", &own, 20), weekly]);
        let plan_id = plan["id"].as_str().unwrap().to_owned();
        for (at, who) in [(0, "5301-unit-head"), (1, "5301-unit-head")] {
            let task = id(&plan, at);
            let list = world.as_("5301-liaison").get(&format!("/tasks/{task}/assignments")).expect(200, "").json();
            let row = list["items"][0]["id"].as_str().unwrap().to_owned();
            let body = json!({ "officer_ids": [world.officer(who)] });
            world.as_("5301-liaison").patch(&format!("/tasks/{task}/assignments/{row}"), "*", &body).expect(200, "");
        }
        for day in 0..4 {
            let mark = json!({ "kind": "workday", "name": "试" });
            world.as_("53-system-admin").put(&format!("/calendar/{}", world.day(day)), "*", &mark).expect(200, "");
        }
        let owed = |day: i64| -> Vec<String> {
            let list = world.as_(OFFICE).get(&format!("/daily-clearing?on={}", world.day(day))).expect(200, "").json();
            let rows = list["items"].as_array().unwrap().clone();
            rows.iter().map(|row| row["task_id"].as_str().unwrap().to_owned()).collect()
        };
        world.advance(86_400);
        assert_eq!(owed(0), [id(&plan, 0)]);
        amend(world, OFFICE, &plan_id);
        let mut tasks = drafts(&show(world, OFFICE, &plan_id)["amendment"]["tasks"]);
        (tasks[0]["daily_entries"], tasks[1]["daily_entries"]) = (json!(false), json!(true));
        (tasks[0]["due_on"], tasks[1]["due_on"]) = (json!(world.day(15)), json!(world.day(15)));
        write(world, OFFICE, &plan_id, &json!({ "tasks": tasks }));
        publish(world, &plan_id);
        assert_eq!(owed(0), [id(&plan, 0)], "today is owed as it was");
        world.advance(86_400);
        assert_eq!(owed(0), [id(&plan, 1)]);
        // What was owed before can still be entered, late.
        let entry = json!({ "day": world.day(-1), "done": "回访 34 件。" });
        let late = world.as_("5301-unit-head").post(&format!("/tasks/{}/entries", id(&plan, 0)), &entry).expect(201, "");
        assert_eq!(late.json()["late"], true);
        let today = json!({ "day": world.day(0), "done": "回访 34 件。" });
        world.as_("5301-unit-head").post(&format!("/tasks/{}/entries", id(&plan, 0)), &today).expect(409, "task_without_entries");
    }

    fn an_amendment_names_the_successor_of_a_merged_unit(world) {
        let county = units(world, &[("530102", "self", None)]);
        let (_, plan) = launched(world, &[story::task(world, "甲", &county, 10)]);
        let plan_id = plan["id"].as_str().unwrap().to_owned();
        amend(world, OFFICE, &plan_id);
        let merge = json!({ "into_id": world.unit("530302"), "reason": "两分局合并。" });
        world.as_("53-system-admin").post(&format!("/units/{}/merge", world.unit("530102")), &merge).expect(200, "");
        let shown = show(world, OFFICE, &plan_id);
        assert_eq!(shown["amendment"]["tasks"][0]["responsible"][0]["unit"]["code"], "530302");
        let after = publish(world, &plan_id);
        assert_eq!(after["tasks"][0]["responsible"][0]["unit"]["code"], "530302");
        holds(world);
    }
}

/// As [`publish`], by the unit's head and not the office.
fn publish_by(world: &World, plan: &str) -> Value {
    story::step(world, "53-unit-head", plan, "submit");
    story::step(world, HEAD, plan, "approve");
    story::step(world, "53-unit-head", plan, "publish");
    show(world, OFFICE, plan)
}
