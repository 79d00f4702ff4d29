//! What a plan may refer to, and what keeps it apart from other plans.

use serde_json::json;

use crate::support::{both, story};

const NOBODY: &str = "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d00";

both! {
    fn references_are_checked_all_at_once_and_foreign_ones_look_like_none(world) {
        let story = story::launched(world, "53");
        let foreign = world.unit("500103");
        let liaison = world.as_("5301-liaison");
        let places = |unit: &str| {
            let mut body = story::plan_body(world, &story.campaign, "5301");
            body["tasks"][0]["responsible"] = json!([
                { "unit_id": world.unit("530102"), "extent": "self" },
                { "unit_id": unit, "extent": "self" },
            ]);
            body["tasks"][0]["parent_task_id"] = json!(NOBODY);
            liaison.post("/plans", &body).expect(422, "invalid_body").errors()
        };
        let unknown = |place: &str| (place.to_owned(), "unknown_reference".to_owned());
        let wanted = [unknown("/tasks/0/parent_task_id"), unknown("/tasks/0/responsible/1/unit_id")];
        for unit in [foreign, NOBODY, world.unit("5303")] {
            assert_eq!(places(unit), wanted, "a foreign, an unknown and an unreachable unit look the same");
        }
        let elsewhere = story::plan_body(world, &story.campaign, "5303");
        let refused = liaison.post("/plans", &elsewhere).expect(422, "invalid_body");
        assert_eq!(refused.errors(), [unknown("/unit_id")]);
    }

    fn a_task_keeps_its_id_through_edits_and_no_other_plan_can_take_it(world) {
        let story = story::launched(world, "53");
        let liaison = world.as_("5301-liaison");
        let plan = liaison.post("/plans", &story::plan_body(world, &story.campaign, "5301")).expect(201, "");
        let (id, mut tasks) = (plan.id(), plan.json()["tasks"].clone());
        let task = tasks[0]["id"].clone();
        let sent = json!([{
            "id": task, "category": "服务窗口", "title": "当日办结", "content": "当日办结率不低于九成。",
            "lead_leader": "分管副局长", "responsible": [{ "unit_id": world.unit("5301"), "extent": "subtree", "kind": "county" }],
            "due_on": world.day(20), "frequency": "daily", "daily_entries": true,
            "target": { "name": "当日办结率", "direction": "at_least", "value": "90.00", "unit": "%" },
        }]);
        let changed = liaison.patch(&format!("/plans/{id}"), &plan.etag(), &json!({ "tasks": sent })).expect(200, "");
        tasks = changed.json()["tasks"].clone();
        assert_eq!((&tasks[0]["id"], &tasks[0]["title"], &tasks[0]["target"]["value"]), (&task, &json!("当日办结"), &json!("90.00")));
        assert_eq!(tasks[0]["responsible"][0]["kind"], "county");

        let mut other = story::plan_body(world, &story.campaign, "5303");
        other["tasks"][0]["id"] = task;
        let refused = world.as_("5303-liaison").post("/plans", &other).expect(422, "invalid_body");
        assert_eq!(refused.errors(), [("/tasks/0/id".to_owned(), "not_unique".to_owned())]);
    }

    fn a_unit_outside_the_scope_makes_no_plan(world) {
        let office = world.as_("53-group-office");
        let mut body = story::campaign_body(world, "53");
        body["scope"] = json!({ "kinds": ["city"], "unit_ids": [world.unit("5303")] });
        let campaign = office.post("/campaigns", &body).expect(201, "").id();
        let group = format!("/campaigns/{campaign}/leading-group");
        let etag = office.get(&group).expect(200, "").etag();
        office.put(&group, &etag, &story::group_body(world, "53")).expect(200, "");
        let plan = story::draft(world, &campaign, "53", "53-group-office");
        let child = story::plan_body(world, &campaign, "5303");
        for (who, step) in [("53-group-office", "submit"), ("53-group-head", "approve"), ("53-group-office", "publish")] {
            story::step(world, who, &plan, step);
        }
        let outside = story::plan_body(world, &campaign, "5301");
        world.as_("5301-liaison").post("/plans", &outside).expect(422, "unit_out_of_scope");
        world.as_("5303-liaison").post("/plans", &child).expect(201, "");
        office.patch(&format!("/campaigns/{campaign}"), "*", &json!({ "year": 2027 })).expect(409, "campaign_launched");
    }

    fn phases_and_lists_that_contradict_themselves_are_named(world) {
        let office = world.as_("53-group-office");
        let campaign = story::campaign(world, "53");
        let mut body = story::plan_body(world, &campaign, "53");
        body["phases"] = json!([
            { "name": "动员部署", "starts_on": "2026-05-01", "ends_on": "2026-04-01" },
            { "name": "自查自纠", "starts_on": "2026-04-15", "ends_on": "2026-06-01" },
        ]);
        let same = body["tasks"][0]["responsible"][0].clone();
        body["tasks"][0]["responsible"] = json!([same, same]);
        let errors = office.post("/plans", &body).expect(422, "invalid_body").errors();
        let places: Vec<&str> = errors.iter().map(|(place, _)| place.as_str()).collect();
        assert_eq!(places, ["/phases/0/ends_on", "/tasks/0/responsible/1"]);
    }
}
