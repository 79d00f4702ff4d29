//! What becomes of a plan beside its approval: it runs from its first day, is concluded, closed, withdrawn.

use serde_json::json;

use crate::support::{World, both, story};

const OFFICE: &str = "53-group-office";

/// How many plans a list of these states holds.
fn count(world: &World, query: &str) -> i64 {
    let reply = world.as_(OFFICE).get(&format!("/plans?count=exact&{query}")).expect(200, "").json();
    reply["total"].as_i64().unwrap()
}

both! {
    fn a_plan_runs_from_its_first_day_and_is_closed_by_the_head(world) {
        let campaign = story::campaign(world, "53");
        let mut body = story::plan_body(world, &campaign, "53");
        body["phases"] = json!([{ "name": "实施", "starts_on": world.day(1), "ends_on": world.day(60) }]);
        let plan = world.as_(OFFICE).post("/plans", &body).expect(201, "").id();
        let path = format!("/plans/{plan}");
        for (by, action) in [(OFFICE, "submit"), ("53-group-head", "approve"), (OFFICE, "publish")] {
            story::step(world, by, &plan, action);
        }
        let state = || world.as_(OFFICE).get(&path).expect(200, "").json()["state"].clone();
        assert_eq!(state(), "published");
        assert_eq!([count(world, "state=published"), count(world, "state=running"), count(world, "state=published&state=running")], [1, 0, 1]);
        // From below it is seen, and plans are begun under it, before it runs.
        world.as_("5301-liaison").get(&path).expect(200, "");
        story::draft(world, &campaign, "5304", "5304-unit-head");
        world.as_(OFFICE).post(&format!("{path}/conclude"), &json!({})).expect(409, "plan_not_running");
        world.advance(24 * 3600);
        assert_eq!(state(), "running");
        assert_eq!([count(world, "state=published"), count(world, "state=running"), count(world, "state=published&state=running")], [0, 1, 1]);
        assert_eq!(count(world, "state=running&state=draft"), 2);
        world.as_("53-group-head").post(&format!("{path}/conclude"), &json!({})).expect(403, "forbidden");
        let concluded = world.as_(OFFICE).post(&format!("{path}/conclude"), &json!({})).expect(200, "").json();
        assert_eq!((&concluded["state"], concluded["stage_at"].is_string()), (&json!("concluding"), true));
        world.as_(OFFICE).post(&format!("{path}/close"), &json!({})).expect(403, "forbidden");
        world.as_("53-group-head").post(&format!("{path}/close"), &json!({})).expect(200, "");
        assert_eq!((state(), count(world, "state=closed"), count(world, "state=running")), (json!("closed"), 1, 0));
        // What was published stays to be read from below, and nothing begins under it any more.
        assert_eq!(world.as_("5301-liaison").get(&path).expect(200, "").json()["state"], "closed");
        let late = story::plan_body(world, &campaign, "5303");
        world.as_("5303-group-office").post("/plans", &late).expect(422, "parent_plan_not_published");
    }

    fn a_plan_that_is_withdrawn_makes_room(world) {
        let tale = story::launched(world, "53");
        let (city, path) = ("5301-group-office", |plan: &str| format!("/plans/{plan}"));
        let first = story::draft(world, &tale.campaign, "5301", city);
        let body = story::plan_body(world, &tale.campaign, "5301");
        world.as_(city).post("/plans", &body).expect(409, "plan_exists");
        world.as_(city).post(&format!("{}/withdraw", path(&first)), &json!({})).expect(422, "invalid_body");
        story::step(world, city, &first, "submit");
        story::step(world, city, &first, "withdraw");
        let shown = world.as_(city).get(&path(&first)).expect(200, "");
        assert_eq!((&shown.json()["state"], shown.allowed()), (&json!("withdrawn"), Vec::new()));
        world.as_("5301-group-head").post(&format!("{}/approve", path(&first)), &json!({})).expect(409, "plan_not_submitted");
        let second = world.as_(city).post("/plans", &body).expect(201, "").id();
        assert_ne!(first, second);
        // The matrix shows the one that counts; who waits, waits for that.
        let matrix = format!("/campaigns/{}/plans?unit_id={}", tale.campaign, world.unit("53"));
        let view = world.as_(OFFICE).get(&matrix).expect(200, "").json();
        let row = view["branches"].as_array().unwrap().iter().find(|one| one["unit"]["code"] == "5301").unwrap().clone();
        assert_eq!((&row["plan"]["id"], &row["plan"]["state"]), (&json!(second), &json!("draft")));
        assert_eq!([count(world, "state=withdrawn"), count(world, "state=draft")], [1, 1]);
        assert_eq!(world.as_("5301-group-head").get("/auth/me/waiting").expect(200, "").json()["items"], json!([]));
    }

    fn a_merge_takes_open_plans_along_and_leaves_what_is_closed(world) {
        let tale = story::launched(world, "53");
        let plan = |code: &str, by: &str| story::draft(world, &tale.campaign, code, by);
        let (closed, theirs) = (plan("530102", "530102-group-office"), plan("5303", "5303-group-office"));
        for (by, action) in [
            ("530102-group-office", "submit"), ("530102-group-head", "approve"), ("530102-group-office", "publish"),
            ("530102-group-office", "conclude"), ("530102-group-head", "close"),
        ] {
            if action == "conclude" {
                world.advance(24 * 3600);
            }
            story::step(world, by, &closed, action);
        }
        let merge = |from: &str, into: &str| {
            let body = json!({ "into_id": world.unit(into), "reason": "合并。" });
            world.as_("53-system-admin").post(&format!("/units/{}/merge", world.unit(from)), &body)
        };
        merge("530102", "5303").expect(200, "");
        let unit = |plan: &str| world.as_(OFFICE).get(&format!("/plans/{plan}")).expect(200, "").json()["unit"]["code"].clone();
        assert_eq!([unit(&closed), unit(&theirs)], ["530102", "5303"]);
        // Two open plans are in the way; one that is withdrawn is not.
        let yuxi = plan("5304", "5304-unit-head");
        merge("5304", "5303").expect(422, "unit_in_use");
        story::step(world, "5304-unit-head", &yuxi, "withdraw");
        merge("5304", "5303").expect(200, "");
        assert_eq!(unit(&yuxi), "5304");
    }
}
