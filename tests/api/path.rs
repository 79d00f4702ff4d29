//! The path of the first slice: the office drafts, the head approves, the office publishes, a city
//! makes its plan under it.

use serde_json::{Value, json};

use crate::support::{both, story};

both! {
    fn from_a_campaign_to_a_child_plan(world) {
        let office = world.as_("53-group-office");
        let head = world.as_("53-group-head");
        let liaison = world.as_("5301-liaison");

        // The campaign begins unseen by those it will concern.
        let made = office.post("/campaigns", &story::campaign_body(world, "53")).expect(201, "");
        let campaign = made.id();
        assert_eq!(made.header("location"), Some(format!("/api/v1/campaigns/{campaign}").as_str()));
        assert_eq!(made.json()["state"], "preparing");
        liaison.get(&format!("/campaigns/{campaign}")).expect(404, "not_found");

        // A plan needs a leading group before it can be submitted, and says all that is missing.
        let mut body = story::plan_body(world, &campaign, "53");
        body["meeting"] = Value::Null;
        body["tasks"][0]["lead_leader"] = Value::Null;
        body["tasks"][0]["responsible"] = json!([]);
        body["tasks"][0]["due_on"] = json!(world.day(400));
        let plan = office.post("/plans", &body).expect(201, "").id();
        let missing = office.post(&format!("/plans/{plan}/submit"), &json!({})).expect(422, "plan_incomplete");
        let mut places: Vec<String> = missing.errors().into_iter().map(|(place, _)| place).collect();
        places.sort();
        assert_eq!(places, [
            "/leading_group/head", "/leading_group/members", "/leading_group/office", "/meeting",
            "/tasks/0/due_on", "/tasks/0/lead_leader", "/tasks/0/responsible",
        ]);
        let shown = office.get(&format!("/plans/{plan}")).expect(200, "");
        assert_eq!(shown.allowed(), ["update", "comment", "withdraw"], "what would fail is not offered");

        // The group is set, the plan completed.
        let group = format!("/campaigns/{campaign}/leading-group");
        let etag = office.get(&group).expect(200, "").etag();
        let set = office.put(&group, &etag, &story::group_body(world, "53")).expect(200, "");
        assert_eq!(set.json()["complete"], true);
        let whole = story::plan_body(world, &campaign, "53");
        let patch = json!({ "meeting": whole["meeting"], "tasks": whole["tasks"] });
        let edited = office.patch(&format!("/plans/{plan}"), &shown.etag(), &patch).expect(200, "");
        assert_eq!(edited.allowed(), ["update", "submit", "comment", "withdraw"]);

        let submitted = office.post(&format!("/plans/{plan}/submit"), &json!({})).expect(200, "");
        assert_eq!(submitted.json()["state"], "submitted");
        assert_eq!(submitted.allowed(), ["comment", "withdraw"], "its author cannot decide");
        head.post(&format!("/plans/{plan}/publish"), &json!({})).expect(403, "forbidden");

        // The head sends it back once, saying why, then approves what comes again.
        let why = json!({ "comment": "第三项任务没有量化目标。" });
        let returned = head.post(&format!("/plans/{plan}/return"), &why).expect(200, "");
        assert_eq!(returned.json()["return_comment"], why["comment"]);
        office.post(&format!("/plans/{plan}/submit"), &json!({})).expect(200, "");
        let waiting = head.get("/plans?state=submitted").expect(200, "").json();
        assert_eq!(waiting["items"][0]["id"], json!(plan));
        assert_eq!(waiting["items"][0]["allowed_actions"], json!(["approve", "return", "comment"]));
        let approved = head.post(&format!("/plans/{plan}/approve"), &json!({ "comment": "同意。" })).expect(200, "");
        assert_eq!(approved.json()["decided_by"]["id"], json!(world.user("53-group-head")));
        assert_eq!(approved.json()["return_comment"], Value::Null);
        office.patch(&format!("/plans/{plan}"), &approved.etag(), &json!({ "title": "另一标题" })).expect(409, "plan_not_editable");

        // Until it is published nobody below knows of it, nor can make one under it.
        liaison.get(&format!("/plans/{plan}")).expect(404, "not_found");
        let published = office.post(&format!("/plans/{plan}/publish"), &json!({})).expect(200, "").json();
                assert_eq!(published["state"], "published");
        let launched = liaison.get(&format!("/campaigns/{campaign}")).expect(200, "").json();
        assert_eq!(launched["state"], "launched");
        liaison.get(&format!("/plans/{plan}")).expect(200, "");

        // Kunming makes its own under it, naming the parent's task.
        let mut child = story::plan_body(world, &campaign, "5301");
        child["tasks"][0]["parent_task_id"] = published["tasks"][0]["id"].clone();
        let child = liaison.post("/plans", &child).expect(201, "").json();
        assert_eq!(child["parent_plan_id"], json!(plan));
        let under = head.get(&format!("/plans?parent_plan_id={plan}&count=exact")).expect(200, "").json();
        assert_eq!(under["total"], 1);
        let tasks = head.get(&format!("/tasks?plan_id={plan}")).expect(200, "").json();
        assert_eq!(tasks["items"][0]["title"], "落实一次性告知");
    }

    fn a_county_cannot_step_over_a_city_that_has_not_published(world) {
        let story = story::launched(world, "53");
        let county = world.as_("530102-liaison");
        // The nearest published plan above is the province's, since Kunming has none yet.
        let plan = county.post("/plans", &story::plan_body(world, &story.campaign, "530102")).expect(201, "").json();
        assert_eq!(plan["parent_plan_id"], json!(story.plan));
        county.post("/plans", &story::plan_body(world, &story.campaign, "530102")).expect(409, "plan_exists");
    }
}
