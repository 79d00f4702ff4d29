//! Day entries and daily clearing: what is owed from which day on, in time or late for ever, and frozen
//! at the end of each day.

use pingyi::campaigns::clearing::sweep;
use serde_json::{Value, json};

use crate::support::client::Reply;
use crate::support::raw::Raw;
use crate::support::{World, both, story};
use crate::tasks::{complete, id, launched, reopen, units};

pub const DAY: i64 = 86_400;

/// Freezes what is over; how many days those were.
pub fn sweep_up(world: &World) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(sweep::catch_up(world.doors())).unwrap()
}

/// Says of the days from tomorrow on which of them work.
pub fn calendar(world: &World, days: &[bool]) {
    for (on, works) in (1..).zip(days) {
        let mark = json!({ "kind": if *works { "workday" } else { "holiday" }, "name": "试" });
        world.as_("53-system-admin").put(&format!("/calendar/{}", world.day(on)), "*", &mark).expect(200, "");
    }
}

/// The task of a campaign that Kunming enters day by day, by its head.
pub fn begun(world: &World) -> String {
    let all = units(world, &[("5301", "self", None), ("530102", "self", None)]);
    let (_, plan) = launched(world, &[story::task(world, "接处警当日回访", &all, 30)]);
    let task = id(&plan, 0);
    name(world, &task, "5301", &["5301-unit-head"]);
    task
}

/// The assignment of a task to the unit with this code, as its liaison sees it.
pub fn assignment(world: &World, task: &str, code: &str) -> Value {
    let list = format!("/tasks/{task}/assignments?unit_id={}&depth=self", world.unit(code));
    world.as_(&format!("{code}-liaison")).get(&list).expect(200, "").json()["items"][0].clone()
}

pub fn try_name(world: &World, task: &str, code: &str, officers: &[&str]) -> Reply {
    let row = assignment(world, task, code)["id"].as_str().unwrap().to_owned();
    let ids: Vec<&str> = officers.iter().map(|login| world.officer(login)).collect();
    let body = json!({ "officer_ids": ids });
    world.as_(&format!("{code}-liaison")).patch(&format!("/tasks/{task}/assignments/{row}"), "*", &body)
}

pub fn name(world: &World, task: &str, code: &str, officers: &[&str]) {
    try_name(world, task, code, officers).expect(200, "");
}

pub fn enter(world: &World, by: &str, task: &str, day: i64, officer: Option<&str>) -> Reply {
    let mut body = json!({ "day": world.day(day), "done": "回访 34 件, 均无异议。", "amount": 34 });
    if let Some(login) = officer {
        body["officer_id"] = json!(world.officer(login));
    }
    world.as_(by).post(&format!("/tasks/{task}/entries"), &body)
}

/// Owed, closed, late, open of a day, whether it works and whether it is frozen.
pub fn summary(world: &World, by: &str, day: i64) -> ([i64; 4], bool, bool) {
    let shown =
        world.as_(by).get(&format!("/daily-clearing/summary?on={}", world.day(day))).expect(200, "").json();
    let row = &shown["unit"];
    let number = |name: &str| row[name].as_i64().unwrap();
    let flag = |name: &str| shown[name].as_bool().unwrap();
    (["owed", "closed", "late", "open"].map(number), flag("working"), flag("frozen"))
}

fn open(world: &World, by: &str, day: i64) -> Vec<String> {
    let path = format!("/daily-clearing?state=open&count=exact&on={}", world.day(day));
    let list = world.as_(by).get(&path).expect(200, "").json();
    let items = list["items"].as_array().unwrap();
    assert_eq!(list["total"], items.len());
    items.iter().map(|row| row["officer"]["number"].as_str().unwrap().to_owned()).collect()
}

both! {
    fn a_day_is_closed_in_time_or_late_for_ever(world) {
        let office = "53-group-office";
        calendar(world, &[true, true, false, true, true, true, true]);
        let task = begun(world);
        // From the day after being named.
        assert_eq!(summary(world, office, 0).0, [0, 0, 0, 0]);
        let first = enter(world, "5301-unit-head", &task, 0, None).expect(201, "");
        assert_eq!((&first.json()["late"], &first.json()["for_other"]), (&json!(false), &json!(false)));
        enter(world, "5301-unit-head", &task, 0, None).expect(409, "entry_exists");
        let refused = enter(world, "5301-unit-head", &task, 1, None).expect(422, "invalid_body");
        assert_eq!(refused.errors(), [("/day".to_owned(), "in_the_future".to_owned())]);
        let refused = enter(world, "5301-unit-head", &task, -1, None).expect(422, "invalid_body");
        assert_eq!(refused.errors(), [("/day".to_owned(), "out_of_order".to_owned())]);
        let path = format!("/tasks/{task}/entries/{}", first.id());
        let corrected = world.as_("5301-unit-head").patch(&path, &first.etag(), &json!({ "amount": 35 })).expect(200, "");
        assert_eq!((&corrected.json()["amount"], &corrected.json()["version"]), (&json!(35), &json!(2)));
        world.as_("5301-liaison").patch(&path, &first.etag(), &json!({ "amount": 36 })).expect(412, "precondition_failed");

        world.advance(DAY);
        world.as_("5301-unit-head").patch(&path, "*", &json!({ "amount": 36 })).expect(409, "entry_closed");
        assert_eq!(summary(world, office, 0), ([1, 0, 0, 1], true, false));
        assert_eq!(open(world, office, 0), ["T5301000"]);
        assert_eq!((open(world, "5303-liaison", 0), open(world, "530102-liaison", 0)), (Vec::new(), Vec::new()));
        // The unit's liaison enters it for the head, and that is told.
        let told = enter(world, "5301-liaison", &task, 0, Some("5301-unit-head")).expect(201, "").json();
        assert_eq!((&told["for_other"], &told["late"]), (&json!(true), &json!(false)));
        assert_eq!(summary(world, office, 0).0, [1, 1, 0, 0]);
        assert_eq!(sweep_up(world), 0, "nothing is owed for a day before");

        world.advance(DAY);
        assert_eq!(sweep_up(world), 1);
        assert_eq!(sweep_up(world), 0, "once");
        assert_eq!(summary(world, office, -1), ([1, 1, 0, 0], true, true));
        // A day that nobody has closed is frozen open.
        world.advance(DAY);
        assert_eq!(sweep_up(world), 1);
        assert_eq!((summary(world, office, -1), open(world, office, -1)), (([1, 0, 0, 1], true, true), vec!["T5301000".to_owned()]));
        assert_eq!(summary(world, office, 0), ([0, 0, 0, 0], false, false), "a rest day owes nothing");
        let late = enter(world, "5301-unit-head", &task, -1, None).expect(201, "");
        assert_eq!(late.json()["late"], true);
        assert_eq!(summary(world, office, -1).0, [1, 0, 1, 0]);
        let path = format!("/tasks/{task}/entries/{}", late.id());
        let still = world.as_("5301-unit-head").patch(&path, "*", &json!({ "done": "补记回访 12 件。" })).expect(200, "");
        assert_eq!(still.json()["late"], true);

        // Three days without a sweep; done on the last of them, which is owed no more.
        world.advance(3 * DAY);
        complete(world, "5301-liaison", &task, "5301").expect(200, "");
        assert_eq!(summary(world, office, -1).0, [1, 0, 0, 1], "told from the duties while it is not frozen");
        assert_eq!(summary(world, office, 0).0, [0, 0, 0, 0]);
        reopen(world, office, &task, "5301").expect(200, "");
        assert_eq!(sweep_up(world), 3);
        let days: Vec<_> = (-3..=-1).map(|day| summary(world, office, day)).collect();
        assert_eq!(days, [([0, 0, 0, 0], false, true), ([1, 0, 0, 1], true, true), ([1, 0, 0, 1], true, true)]);
        assert_eq!(summary(world, office, 0).0, [0, 0, 0, 0]);
        world.advance(DAY);
        assert_eq!(summary(world, office, 0), ([1, 0, 0, 1], true, false), "taken back: from the next day again");
        sweep_up(world);
        let rows = Raw::owner(world, "53").texts("SELECT actor || ' ' || action AS text FROM audit_log WHERE entity = 'cleared_day'");
        assert_eq!((rows.len(), rows[0].as_str()), (6, "job:daily_clearing background"));
        let list = world.as_("53-group-member").get(&format!("/tasks/{task}/entries?sort=day")).expect(200, "").json();
        let lates: Vec<&Value> = list["items"].as_array().unwrap().iter().map(|one| &one["late"]).collect();
        assert_eq!(lates, [&json!(false), &json!(false), &json!(true)]);
        // A clock that goes back freezes nothing anew.
        world.clock.advance(-3 * DAY);
        assert_eq!(sweep_up(world), 0);
    }

    fn who_enters_for_whom(world) {
        let task = begun(world);
        // Somebody without an officer's record says for whom; nobody enters for another unit's people.
        let refused = enter(world, "53-officer", &task, 0, None).expect(422, "invalid_body");
        assert_eq!(refused.errors(), [("/officer_id".to_owned(), "required".to_owned())]);
        for officer in ["5301-unit-head", "500103-unit-head"] {
            let refused = enter(world, "53-officer", &task, 0, Some(officer)).expect(422, "invalid_body");
            assert_eq!(refused.errors(), [("/officer_id".to_owned(), "unknown_reference".to_owned())]);
        }
        enter(world, "53-liaison", &task, 0, Some("5301-unit-head")).expect(422, "invalid_body");
        enter(world, "530102-unit-head", &task, 0, None).expect(422, "not_a_person");
        enter(world, "5303-liaison", &task, 0, Some("5301-unit-head")).expect(422, "invalid_body");
        enter(world, "53-group-office", &task, 0, Some("5301-unit-head")).expect(403, "forbidden");
        enter(world, "50-unit-head", &task, 0, None).expect(404, "not_found");
        // The same id with the same content is the same entry.
        let body = json!({ "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b7a01", "day": world.day(0), "done": "回访 34 件。" });
        let path = format!("/tasks/{task}/entries");
        let who = world.as_("5301-unit-head");
        who.post(&path, &body).expect(201, "");
        who.post(&path, &body).expect(200, "");
        let mut other = body.clone();
        other["done"] = json!("回访 35 件。");
        who.post(&path, &other).expect(409, "id_taken");
        // An officer reads the own entries only; the county's people none of the city's.
        let seen = |login: &str| world.as_(login).get(&path).expect(200, "").json()["items"].as_array().unwrap().len();
        assert_eq!([seen("5301-unit-head"), seen("53-group-head"), seen("53-officer"), seen("530102-liaison")], [1, 1, 0, 0]);
    }

    fn who_leaves_owes_nothing_afterwards(world) {
        calendar(world, &[true, true, true]);
        let task = begun(world);
        name(world, &task, "530102", &["530102-unit-head"]);
        world.advance(DAY);
        assert_eq!(summary(world, "53-group-office", 0).0, [2, 0, 0, 2]);
        assert_eq!(open(world, "5301-liaison", 0), ["T5301000", "T530102000"]);
        let shown = world.as_("53-group-office").get("/daily-clearing/summary").expect(200, "").json();
        let kunming = shown["below"].as_array().unwrap().iter().find(|row| row["unit"]["code"] == "5301").unwrap();
        assert_eq!(kunming["owed"], 2);
        let leave = json!({ "reason": "退休。", "left_on": world.day(0) });
        world.as_("53-system-admin").post(&format!("/officers/{}/leave", world.officer("530102-unit-head")), &leave).expect(200, "");
        world.advance(DAY);
        assert_eq!(summary(world, "53-group-office", 0).0, [1, 0, 0, 1]);
        assert_eq!(sweep_up(world), 1);
        assert_eq!(summary(world, "53-group-office", -1).0, [2, 0, 0, 2]);
        // A county that moves takes what it owes along.
        let body = json!({ "parent_id": world.unit("5303"), "reason": "区划调整。" });
        world.as_("53-system-admin").post(&format!("/units/{}/move", world.unit("530102")), &body).expect(200, "");
        assert_eq!((summary(world, "5301-liaison", -1).0, summary(world, "5303-liaison", -1).0), ([1, 0, 0, 1], [1, 0, 0, 1]));
        crate::tasks_history::holds(world);
    }

    fn who_is_named_no_more_still_owes_today_and_may_enter_what_was_owed(world) {
        calendar(world, &[true, true, true, true]);
        let task = begun(world);
        let office = "53-group-office";
        world.advance(2 * DAY);
        assert_eq!(summary(world, office, 0).0, [1, 0, 0, 1]);
        // Named no more and named again: neither today nor yesterday goes away.
        name(world, &task, "5301", &[]);
        assert_eq!((summary(world, office, 0).0, summary(world, office, -1).0), ([1, 0, 0, 1], [1, 0, 0, 1]));
        let late = enter(world, "5301-unit-head", &task, -1, None).expect(201, "");
        assert_eq!(late.json()["late"], true);
        name(world, &task, "5301", &["5301-unit-head"]);
        let today = enter(world, "5301-unit-head", &task, 0, None).expect(201, "");
        assert_eq!((summary(world, office, 0).0, summary(world, office, -1).0), ([1, 1, 0, 0], [1, 0, 1, 0]));
        // What the liaison corrects is told to be the liaison's.
        let path = format!("/tasks/{task}/entries/{}", today.id());
        let corrected = world.as_("5301-liaison").patch(&path, "*", &json!({ "done": "更正。" })).expect(200, "").json();
        assert_eq!((&corrected["for_other"], &corrected["entered_by"]["id"]), (&json!(true), &json!(world.user("5301-liaison"))));
        enter(world, "530102-unit-head", &task, 0, None).expect(422, "not_a_person");
    }
}
