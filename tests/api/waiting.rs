//! What waits for a person of tasks: assignments to complete, days to enter, people who have not closed today.

use serde_json::{Value, json};

use crate::clearing::{DAY, begun, calendar, enter, name, sweep_up};
use crate::support::{World, both, story};
use crate::tasks::{child, complete, id, launched, reopen, units};

/// Kind, unit, day and, where there are any, people of each item; the counts agree with the items.
fn waits(world: &World, who: &str) -> Vec<String> {
    let view = world.as_(who).get("/auth/me/waiting").expect(200, "").json();
    let items = view["items"].as_array().unwrap();
    for one in view["counts"].as_array().unwrap() {
        let these = || items.iter().filter(|item| item["kind"] == one["kind"]);
        let overdue = these().filter(|item| item["overdue"] == true).count();
        assert_eq!((&one["count"], &one["overdue"]), (&json!(these().count()), &json!(overdue)), "{view}");
    }
    items.iter().map(|one| told(world, one)).collect()
}

fn told(world: &World, item: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let due: chrono::NaiveDate = text(&item["due_on"]).parse().unwrap();
    let days = (due - world.clock.now().shanghai_day()).num_days();
    assert_eq!(item["overdue"], json!(days < 0), "{item}");
    let people = item["people"].as_i64().map(|people| format!(" {people}")).unwrap_or_default();
    format!("{} {} {days}{people}", text(&item["kind"]), text(&item["unit"]["code"]))
}

both! {
    fn what_the_own_unit_has_to_complete_waits_for_its_head_and_liaison(world) {
        let all = units(world, &[("53", "self", None), ("5301", "self", None), ("530102", "self", None)]);
        let cities = units(world, &[("5301", "self", None)]);
        let (campaign, plan) = launched(world, &[story::task(world, "后办", &all, 20), story::task(world, "先办", &cities, 5)]);
        let (later, sooner) = (id(&plan, 0), id(&plan, 1));
        let both = ["task_to_complete 5301 5", "task_to_complete 5301 20"];
        assert_eq!((waits(world, "5301-liaison"), waits(world, "5301-unit-head")), (both.map(String::from).into(), both.map(String::from).into()));
        assert_eq!(waits(world, "530102-liaison"), ["task_to_complete 530102 20"]);
        let item = world.as_("5301-liaison").get("/auth/me/waiting").expect(200, "").json()["items"][0].clone();
        assert_eq!((&item["task_id"], &item["plan_id"], &item["campaign_id"]), (&json!(sooner), &plan["id"], &json!(campaign)));
        assert_eq!((&item["title"], &item["people"]), (&json!("先办"), &json!(null)));
        // Nothing of other units, nothing for those who complete nothing, nothing of another province.
        for nobody in ["5303-liaison", "53-group-office", "53-group-head", "5301-group-office", "53-officer", "53-nobody", "50-liaison"] {
            assert_eq!(waits(world, nobody), Vec::<String>::new(), "{nobody}");
        }
        // Done it waits no more, taken back it does.
        complete(world, "5301-liaison", &sooner, "5301").expect(200, "");
        assert_eq!(waits(world, "5301-liaison"), ["task_to_complete 5301 20"]);
        reopen(world, "53-group-office", &sooner, "5301").expect(200, "");
        assert_eq!(waits(world, "5301-liaison").len(), 2);
        // What a child plan carries is done there, and only there.
        let mut first = story::task(world, "先办", &units(world, &[("5301", "self", None), ("5301-D01", "self", None)]), 5);
        first["parent_task_id"] = json!(sooner);
        let mut second = story::task(world, "后办", &units(world, &[("5301", "self", None)]), 20);
        second["parent_task_id"] = json!(later);
        let kunming = child(world, &campaign, "5301", &[first, second]);
        let which = |who: &str| {
            let view = world.as_(who).get("/auth/me/waiting").expect(200, "").json();
            view["items"].as_array().unwrap().iter().map(|one| one["task_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!((waits(world, "5301-liaison"), which("5301-liaison")), (both.map(String::from).into(), vec![id(&kunming, 0), id(&kunming, 1)]));
        assert_eq!(waits(world, "530102-liaison"), ["task_to_complete 530102 20"]);
        // Overdue comes first.
        world.advance(6 * DAY);
        let overdue = ["task_to_complete 5301 -1", "task_to_complete 5301 14"];
        assert_eq!(waits(world, "5301-liaison"), overdue);
        // What is summed up is still in force, and not closed before the plan above while that asks for something.
        let path = format!("/plans/{}", kunming["id"].as_str().unwrap());
        world.as_("5301-group-office").post(&format!("{path}/conclude"), &json!({})).expect(200, "");
        assert_eq!(which("5301-liaison"), [id(&kunming, 0), id(&kunming, 1)]);
        world.as_("5301-group-head").post(&format!("{path}/close"), &json!({})).expect(422, "plan_unfinished");
        let above = format!("/plans/{}", plan["id"].as_str().unwrap());
        world.as_("53-group-office").post(&format!("{above}/conclude"), &json!({})).expect(200, "");
        world.as_("53-group-head").post(&format!("{above}/close"), &json!({})).expect(200, "");
        assert_eq!(which("5301-liaison"), [id(&kunming, 0), id(&kunming, 1)], "of a closed plan nothing waits but what others took over");
        world.as_("5301-group-head").post(&format!("{path}/close"), &json!({})).expect(200, "");
        assert_eq!(waits(world, "5301-liaison"), Vec::<String>::new());
        complete(world, "5301-liaison", &later, "5301").expect(409, "plan_not_in_force");
    }

    fn the_days_somebody_owes_wait_until_they_are_entered(world) {
        calendar(world, &[true, true, false, true, true]);
        let task = begun(world);
        name(world, &task, "530102", &["530102-unit-head"]);
        let days = |who: &str| {
            let mut found = waits(world, who);
            found.retain(|one| !one.starts_with("task_to_complete"));
            found
        };
        assert_eq!(days("5301-unit-head"), Vec::<String>::new(), "from tomorrow on");
        world.advance(DAY);
        assert_eq!(days("5301-unit-head"), ["day_to_enter 5301 0", "people_to_close 5301 0 1"]);
        // The liaison is no officer and owes nothing; the county's people are the county's.
        assert_eq!((days("5301-liaison"), days("53-liaison")), (vec!["people_to_close 5301 0 1".to_owned()], vec![]));
        assert_eq!((days("5301-group-office"), days("5303-liaison"), days("53-officer")), (vec![], vec![], vec![]));
        enter(world, "5301-unit-head", &task, 0, None).expect(201, "");
        assert_eq!((days("5301-unit-head"), days("5301-liaison")), (vec![], vec![]));
        assert_eq!(days("530102-unit-head"), ["day_to_enter 530102 0", "people_to_close 530102 0 1"]);
        // Two days without a sweep, one of them a rest day: the same before it and after.
        world.advance(2 * DAY);
        let owed = ["day_to_enter 530102 -2", "day_to_enter 530102 -1"];
        assert_eq!(days("530102-unit-head"), owed, "today is a rest day");
        assert_eq!(sweep_up(world), 2);
        assert_eq!(days("530102-unit-head"), owed);
        assert_eq!(days("5301-unit-head"), ["day_to_enter 5301 -1"]);
        world.advance(DAY);
        let owed = ["day_to_enter 530102 -3", "day_to_enter 530102 -2", "day_to_enter 530102 0", "people_to_close 530102 0 1"];
        assert_eq!(days("530102-unit-head"), owed, "half frozen, half not");
        // Named no more: what was owed is, today too; from tomorrow nothing.
        name(world, &task, "530102", &[]);
        assert_eq!(days("530102-unit-head"), owed);
        enter(world, "530102-unit-head", &task, -3, None).expect(201, "");
        enter(world, "530102-liaison", &task, 0, Some("530102-unit-head")).expect(201, "");
        assert_eq!(days("530102-unit-head"), ["day_to_enter 530102 -2"]);
        world.advance(DAY);
        assert_eq!(days("530102-unit-head"), ["day_to_enter 530102 -3"]);
        assert_eq!(days("5301-unit-head"), ["day_to_enter 5301 -3", "day_to_enter 5301 -1", "day_to_enter 5301 0", "people_to_close 5301 0 1"]);
        // What is owed under a plan that is closed can be entered no more.
        let plan = world.as_("53-group-office").get(&format!("/tasks/{task}")).expect(200, "").json()["plan_id"].clone();
        for (who, step) in [("53-group-office", "conclude"), ("53-group-head", "close")] {
            story::step(world, who, plan.as_str().unwrap(), step);
        }
        assert_eq!((days("5301-unit-head"), days("530102-unit-head"), days("5301-liaison")), (vec![], vec![], vec![]));
        enter(world, "5301-unit-head", &task, 0, None).expect(409, "plan_not_in_force");
    }
}
