//! What becomes of plans and of what they ask for when others end, move, or are amended.

use serde_json::{Value, json};

use crate::cascade::as_sent;
use crate::support::{World, both, story};
use crate::tasks::{child, complete, id, launched, reopen, units};
use crate::tasks_history::holds;

const OFFICE: &str = "53-group-office";
const DAY: i64 = 86_400;

/// All, done and due of a campaign, at the province.
fn figures(world: &World, campaign: &str) -> [i64; 2] {
    let shown = world.as_(OFFICE).get(&format!("/campaigns/{campaign}/progress")).expect(200, "").json();
    ["total", "done"].map(|name| shown["unit"][name].as_i64().unwrap())
}

fn plan_id(plan: &Value) -> &str {
    plan["id"].as_str().unwrap()
}

/// A task that answers one of the plan above.
fn answer(world: &World, above: &Value, at: usize, named: &[(&str, &str, Option<&str>)]) -> Value {
    let mut task = story::task(world, "承接", &units(world, named), 10);
    task["parent_task_id"] = json!(id(above, at));
    task
}

fn conclude(world: &World, code: &str, plan: &Value) {
    story::step(world, &format!("{code}-group-office"), plan_id(plan), "conclude");
}

fn tasks_of(world: &World, plan: &str) -> Vec<Value> {
    let shown = world.as_(OFFICE).get(&format!("/plans/{plan}")).expect(200, "").json();
    shown["amendment"]["tasks"].as_array().unwrap().iter().map(as_sent).collect()
}

both! {
    fn a_plan_is_not_closed_while_the_plan_above_asks_for_what_is_not_done(world) {
        let cities = units(world, &[("53", "subtree", Some("city"))]);
        let (campaign, above) = launched(world, &[story::task(world, "市局办", &cities, 10)]);
        // One task of the province, answered by Kunming itself and by its county: done when both are.
        let kunming = child(world, &campaign, "5301", &[answer(world, &above, 0, &[("5301", "self", None), ("530102", "self", None)])]);
        let task = id(&kunming, 0);
        complete(world, "5301-liaison", &task, "5301").expect(200, "");
        world.advance(DAY);
        conclude(world, "5301", &kunming);
        let path = format!("/plans/{}", plan_id(&kunming));
        let head = || world.as_("5301-group-head");
        assert!(!head().get(&path).expect(200, "").allowed().contains(&"close".to_owned()));
        let refused = head().post(&format!("{path}/close"), &json!({})).expect(422, "plan_unfinished");
        let error = &refused.json()["errors"][0];
        assert_eq!((&error["code"], &error["facts"]["assignments"]), (&json!("tasks_from_above_open"), &json!(1)));
        assert_eq!(figures(world, &campaign), [4, 1]);
        complete(world, "530102-liaison", &task, "530102").expect(200, "");
        assert!(head().get(&path).expect(200, "").allowed().contains(&"close".to_owned()));
        head().post(&format!("{path}/close"), &json!({})).expect(200, "");
        assert_eq!(figures(world, &campaign), [4, 2]);
        // What turns out to be false is taken back after that, waits for the unit, and is done again.
        reopen(world, OFFICE, &task, "530102").expect(200, "");
        assert_eq!(figures(world, &campaign), [4, 1]);
        let waiting = world.as_("530102-liaison").get("/auth/me/waiting").expect(200, "").json();
        assert_eq!(waiting["items"][0]["task_id"], task, "{waiting}");
        complete(world, "530102-liaison", &task, "530102").expect(200, "");
        assert_eq!(figures(world, &campaign), [4, 2]);
        holds(world);
        // Once the plan above has ended nobody asks any more.
        conclude(world, "53", &above);
        story::step(world, "53-group-head", plan_id(&above), "close");
        reopen(world, OFFICE, &task, "530102").expect(409, "plan_not_in_force");
        // What is closed keeps nobody from ending the unit by a merge.
        let merge = json!({ "into_id": world.unit("5303"), "reason": "两局合并。" });
        world.as_("53-system-admin").post(&format!("/units/{}/merge", world.unit("5301")), &merge).expect(200, "");
        holds(world);
    }

    fn a_plan_between_two_others_ends_after_what_is_below_or_what_is_above(world) {
        let counties = units(world, &[("53", "subtree", Some("county"))]);
        let (campaign, above) = launched(world, &[story::task(world, "县局办", &counties, 10)]);
        let city = child(world, &campaign, "5301", &[answer(world, &above, 0, &[("530102", "self", None)])]);
        let county = child(world, &campaign, "530102", &[answer(world, &city, 0, &[("530102001", "self", None)])]);
        assert_eq!(figures(world, &campaign), [2, 0]);
        world.advance(DAY);
        conclude(world, "5301", &city);
        let close = || world.as_("5301-group-head").post(&format!("/plans/{}/close", plan_id(&city)), &json!({}));
        close().expect(422, "plan_unfinished");
        conclude(world, "53", &above);
        story::step(world, "53-group-head", plan_id(&above), "close");
        close().expect(200, "");
        // What was not done was not done, and is counted once; what is below goes on.
        assert_eq!(figures(world, &campaign), [2, 0]);
        assert_eq!(world.as_("530102-liaison").get(&format!("/plans/{}", plan_id(&county))).expect(200, "").json()["state"], "running");
        holds(world);
        // Nothing begins or is filed under a plan that has ended.
        let late = story::plan_body(world, &campaign, "5303");
        world.as_("5303-group-office").post("/plans", &late).expect(422, "parent_plan_not_published");
    }

    fn a_draft_is_not_filed_under_a_plan_that_has_ended(world) {
        let tale = story::launched(world, "53");
        let draft = story::draft(world, &tale.campaign, "5301", "5301-group-office");
        world.advance(DAY);
        story::step(world, OFFICE, &tale.plan, "conclude");
        story::step(world, "53-group-head", &tale.plan, "close");
        let office = world.as_("5301-group-office");
        assert!(!office.get(&format!("/plans/{draft}")).expect(200, "").allowed().contains(&"submit".to_owned()));
        office.post(&format!("/plans/{draft}/submit"), &json!({})).expect(422, "parent_plan_not_published");
    }

    fn nobody_keeps_an_amendment_from_coming_into_force_by_taking_its_ids(world) {
        let own = units(world, &[("53", "self", None)]);
        let (_, plan) = launched(world, &[story::task(world, "甲", &own, 10)]);
        story::step(world, OFFICE, plan_id(&plan), "amend");
        let path = format!("/plans/{}", plan_id(&plan));
        let mut tasks = tasks_of(world, plan_id(&plan));
        tasks.push(story::task(world, "乙", &own, 20));
        world.as_(OFFICE).patch(&path, "*", &json!({ "tasks": tasks })).expect(200, "");
        let wanted = tasks_of(world, plan_id(&plan))[1]["id"].clone();
        let other = story::campaign(world, "53");
        let mut body = story::plan_body(world, &other, "53");
        body["tasks"][0]["id"] = wanted.clone();
        world.as_("53-liaison").post("/plans", &body).expect(201, "");
        let after = story::finished(world, plan_id(&plan), "53");
        assert_eq!((&after["number"], &after["tasks"][1]["title"]), (&json!(2), &json!("乙")));
        assert_ne!(after["tasks"][1]["id"], wanted);
        let kept = world.as_(OFFICE).get(&format!("{path}/diff")).expect(200, "").json();
        assert_eq!(kept["tasks"][0]["after"]["id"], after["tasks"][1]["id"]);
        holds(world);
    }

    fn a_plan_goes_with_its_unit_under_the_plan_that_is_above_it_there(world) {
        let counties = units(world, &[("53", "subtree", Some("county"))]);
        let (campaign, above) = launched(world, &[story::task(world, "县局办", &counties, 10)]);
        let city = |code: &str, county: &str| child(world, &campaign, code, &[answer(world, &above, 0, &[(county, "self", None)])]);
        let (kunming, qujing) = (city("5301", "530102"), city("5303", "530302"));
        let county = child(world, &campaign, "530102", &[answer(world, &kunming, 0, &[("530102", "self", None)])]);
        let path = format!("/plans/{}", plan_id(&county));
        let shown = || world.as_("530102-group-office").get(&path).expect(200, "").json();
        assert_eq!(shown()["parent_plan_id"], kunming["id"]);
        let to = json!({ "parent_id": world.unit("5303"), "reason": "区划调整。" });
        world.as_("53-system-admin").post(&format!("/units/{}/move", world.unit("530102")), &to).expect(200, "");
        assert_eq!((&shown()["parent_plan_id"], &shown()["parent_amended"]), (&qujing["id"], &json!(true)));
        holds(world);
        // It is brought in line with Qujing's, that is to say it answers what Qujing's plan asks of it: nothing.
        story::step(world, "530102-group-office", plan_id(&county), "amend");
        let told = world.as_("530102-group-office").get(&format!("{path}/inflation")).expect(200, "").json();
        assert_eq!((&told["parent_plan_id"], &told["offences"]), (&qujing["id"], &json!([])), "what is the own unit's burdens nobody");
        let own = units(world, &[("530102", "self", None)]);
        world.as_("530102-group-office").patch(&path, "*", &json!({ "tasks": [story::task(world, "自办", &own, 10)] })).expect(200, "");
        let after = story::finished(world, plan_id(&county), "530102");
        assert_eq!((&after["number"], &after["parent_amended"]), (&json!(2), &json!(false)));
        holds(world);
    }

    fn a_unit_that_an_amendment_names_does_not_end(world) {
        let own = units(world, &[("53", "self", None)]);
        let (_, plan) = launched(world, &[story::task(world, "甲", &own, 10)]);
        story::step(world, OFFICE, plan_id(&plan), "amend");
        let mut tasks = tasks_of(world, plan_id(&plan));
        tasks[0]["responsible"] = units(world, &[("5301-D01", "self", None)]);
        world.as_(OFFICE).patch(&format!("/plans/{}", plan_id(&plan)), "*", &json!({ "tasks": tasks })).expect(200, "");
        let end = || world.as_("53-system-admin").post(&format!("/units/{}/deactivate", world.unit("5301-D01")), &json!({ "reason": "撤销。" }));
        let told = end().expect(422, "unit_in_use").json();
        assert_eq!(told["errors"][0]["code"], "named_in_task", "{told}");
        story::step(world, OFFICE, plan_id(&plan), "withdraw");
        end().expect(200, "");
    }

    fn a_difference_says_where_a_task_stood_and_stands(world) {
        let own = units(world, &[("53", "self", None)]);
        let named = ["甲", "乙", "丙"].map(|title| story::task(world, title, &own, 10));
        let (_, plan) = launched(world, &named);
        story::step(world, OFFICE, plan_id(&plan), "amend");
        let mut tasks = tasks_of(world, plan_id(&plan));
        tasks.swap(1, 2);
        world.as_(OFFICE).patch(&format!("/plans/{}", plan_id(&plan)), "*", &json!({ "tasks": tasks })).expect(200, "");
        let told = world.as_(OFFICE).get(&format!("/plans/{}/diff", plan_id(&plan))).expect(200, "").json();
        let moved: Vec<_> = told["tasks"].as_array().unwrap().iter()
            .map(|one| (one["fields"].clone(), one["before"]["position"].clone(), one["after"]["position"].clone())).collect();
        let position = json!(["position"]);
        assert_eq!(moved, [(position.clone(), json!(2), json!(1)), (position, json!(1), json!(2))]);
    }
}
