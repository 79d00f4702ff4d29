//! A leading group's morning: what waits, how far everybody is, many plans decided at once.

use serde_json::{Value, json};

use crate::support::{World, both, story};

const HEAD: &str = "53-group-head";

/// A launched campaign, and drafts of Kunming and Qujing that are submitted, Yuxi's that is not.
fn submitted(world: &World) -> (story::Story, [String; 3]) {
    let tale = story::launched(world, "53");
    let plans = ["5301", "5303", "5304"].map(|code| {
        let by = if code == "5304" { "5304-unit-head".to_owned() } else { format!("{code}-group-office") };
        let plan = story::draft(world, &tale.campaign, code, &by);
        if code != "5304" {
            story::step(world, &by, &plan, "submit");
        }
        plan
    });
    (tale, plans)
}

fn states(tally: &Value) -> Vec<(String, u64)> {
    let states = tally["states"].as_array().unwrap();
    states
        .iter()
        .map(|one| (one["state"].as_str().unwrap_or("-").to_owned(), one["units"].as_u64().unwrap()))
        .collect()
}

fn waits(world: &World, who: &str) -> Vec<String> {
    let view = world.as_(who).get("/auth/me/waiting").expect(200, "").json();
    let items = view["items"].as_array().unwrap();
    let counted: u64 =
        view["counts"].as_array().unwrap().iter().map(|one| one["count"].as_u64().unwrap()).sum();
    assert_eq!(usize::try_from(counted).unwrap(), items.len(), "{view}");
    items
        .iter()
        .map(|one| format!("{} {}", one["kind"].as_str().unwrap(), one["unit"]["code"].as_str().unwrap()))
        .collect()
}

both! {
    fn many_plans_are_decided_on_each_with_its_own_outcome(world) {
        let (tale, [kunming, qujing, yuxi]) = submitted(world);
        let head = world.as_("5301-group-head");
        let body = json!({ "plans": [{ "plan_id": kunming }, { "plan_id": kunming }] });
        let told = head.post("/plans/approve", &body).expect(422, "invalid_body").errors();
        assert_eq!(told, [("/plans/1/plan_id".to_owned(), "not_unique".to_owned())]);
        head.post("/plans/return", &json!({ "plans": [{ "plan_id": kunming }] })).expect(422, "invalid_body");
        head.post("/plans/approve", &json!({ "plans": [] })).expect(422, "invalid_body");
        world.as_("5301-liaison").post("/plans/approve", &body).expect(403, "forbidden");
        // Kunming's head decides for Kunming; what is not theirs is not there.
        let version = world.as_("5301-group-head").get(&format!("/plans/{kunming}")).expect(200, "").json()["version"].clone();
        let outcomes = |who: &str, what: &str, body: &Value| {
            let view = world.as_(who).post(&format!("/plans/{what}"), body).expect(200, "").json();
            let told: Vec<_> = view["items"].as_array().unwrap().iter()
                .map(|one| (one["status"].as_u64().unwrap(), one["code"].as_str().unwrap_or("-").to_owned())).collect();
            assert_eq!(view["done"].as_u64().unwrap(), told.iter().filter(|one| one.0 == 200).count() as u64);
            told
        };
        let some = |plans: &[&String]| json!({ "plans": plans.iter().map(|id| json!({ "plan_id": id })).collect::<Vec<_>>(), "comment": "同意。" });
        let stale = json!({ "plans": [{ "plan_id": kunming, "version": version.as_i64().unwrap() - 1 }] });
        assert_eq!(outcomes("5301-group-head", "approve", &stale), [(412, "precondition_failed".to_owned())]);
        let all = some(&[&qujing, &kunming]);
        assert_eq!(outcomes("5301-group-head", "approve", &all), [(404, "not_found".to_owned()), (200, "-".to_owned())]);
        assert_eq!(outcomes("5301-group-head", "approve", &all), [(404, "not_found".to_owned()), (409, "plan_not_submitted".to_owned())]);
        // The province's head is not the nearest for Qujing, and Yuxi's is a draft yet.
        let rest = some(&[&qujing, &yuxi, &tale.plan]);
        let refused = |code: &str, status: u64| (status, code.to_owned());
        assert_eq!(outcomes(HEAD, "approve", &rest),
            [refused("not_the_right_head", 422), refused("plan_not_submitted", 409), refused("plan_not_submitted", 409)]);
        story::step(world, "5304-unit-head", &yuxi, "submit");
        assert_eq!(outcomes(HEAD, "return", &rest)[1], (200, "-".to_owned()));
        let shown = world.as_("5304-unit-head").get(&format!("/plans/{yuxi}")).expect(200, "").json();
        assert_eq!((&shown["state"], &shown["return_comment"]), (&json!("returned"), &json!("同意。")));
        // A retry under its key changes nothing more, and an author decides on nothing of theirs.
        let keyed = || {
            let call = world.as_("5303-group-head").call("POST", "/plans/approve").header("Idempotency-Key", "morning-2");
            call.json(&some(&[&qujing])).send().expect(200, "").text()
        };
        assert_eq!(keyed(), keyed());
        let own = story::draft(world, &tale.campaign, "530102", "530102-group-office");
        story::step(world, "530102-group-office", &own, "submit");
        assert_eq!(outcomes("530102-group-head", "approve", &some(&[&own])), [(200, "-".to_owned())]);
    }

    fn what_waits_is_what_one_can_do(world) {
        let (_, [kunming, qujing, yuxi]) = submitted(world);
        assert_eq!(waits(world, "5301-group-head"), ["plan_to_approve 5301"]);
        assert_eq!(waits(world, "5304-unit-head"), ["plan_to_finish 5304"]);
        assert_eq!(waits(world, HEAD), Vec::<String>::new(), "Kunming's and Qujing's heads are nearer");
        story::step(world, "5304-unit-head", &yuxi, "submit");
        assert_eq!(waits(world, HEAD), ["plan_to_approve 5304"]);
        assert_eq!(waits(world, "5304-unit-head"), Vec::<String>::new());
        story::step(world, HEAD, &yuxi, "return");
        assert_eq!(waits(world, "5304-unit-head"), ["plan_to_mend 5304"]);
        story::step(world, "5301-group-head", &kunming, "approve");
        assert_eq!(waits(world, "5301-unit-head"), ["plan_to_publish 5301"]);
        assert_eq!(waits(world, "5301-liaison"), Vec::<String>::new());
        assert_eq!(waits(world, "53-nobody"), Vec::<String>::new());
        // The first phase ended yesterday: what is not published is overdue.
        let view = world.as_("5303-group-head").get("/auth/me/waiting").expect(200, "").json();
        let one = &view["items"][0];
        assert_eq!((&one["plan_id"], &one["overdue"], &one["due_on"]), (&json!(qujing), &json!(true), &json!(world.day(-1))));
        assert_eq!(view["counts"], json!([{ "kind": "plan_to_approve", "count": 1, "overdue": 1 }]));
    }

    fn how_far_everybody_is_at_a_glance(world) {
        let (tale, [kunming, ..]) = submitted(world);
        let path = format!("/campaigns/{}/plans", tale.campaign);
        let office = world.as_("53-group-office");
        let view = office.get(&path).expect(200, "").json();
        assert_eq!((&view["unit"]["code"], &view["due_on"]), (&json!("53"), &json!(world.day(-1))));
        let [cities, counties] = view["levels"].as_array().unwrap().as_slice() else { panic!("{view}") };
        assert_eq!((&cities["kind"], states(&cities["tally"])), (&json!("city"), vec![("draft".into(), 1), ("submitted".into(), 2)]));
        assert_eq!((&counties["kind"], states(&counties["tally"])), (&json!("county"), vec![("-".into(), 2)]));
        assert_eq!((&cities["tally"]["overdue"], &counties["tally"]["overdue"]), (&json!(3), &json!(2)));
        let branches = view["branches"].as_array().unwrap();
        let codes: Vec<&str> = branches.iter().map(|one| one["unit"]["code"].as_str().unwrap()).collect();
        assert_eq!(codes, ["5301", "5303", "5304"]);
        assert_eq!((&branches[0]["plan"]["id"], &branches[0]["overdue"], &branches[0]["below"]["units"]), (&json!(kunming), &json!(true), &json!(1)));
        assert_eq!((&branches[2]["plan"]["state"], &branches[2]["below"]["units"]), (&json!("draft"), &json!(0)));
        // In force it is overdue no more.
        story::step(world, "5301-group-head", &kunming, "approve");
        story::step(world, "5301-group-office", &kunming, "publish");
        let view = office.get(&path).expect(200, "").json();
        assert_eq!((&view["levels"][0]["tally"]["overdue"], &view["branches"][0]["overdue"]), (&json!(2), &json!(false)));
        // A city sees its own, from whichever side it looks.
        let own = world.as_("5303-group-head").get(&path).expect(200, "").json();
        assert_eq!(own["branches"].as_array().unwrap().len(), 1);
        assert_eq!((&own["levels"][0]["tally"]["units"], &own["levels"][1]["tally"]["units"]), (&json!(1), &json!(1)));
        let below = office.get(&format!("{path}?unit_id={}", world.unit("5303"))).expect(200, "").json();
        assert_eq!((below["levels"].as_array().unwrap().len(), &below["branches"][0]["unit"]["code"]), (1, &json!("530302")));
        world.as_("5303-group-head").get(&format!("{path}?unit_id={}", world.unit("5301"))).expect(404, "not_found");
        world.as_("50-group-head").get(&path).expect(404, "not_found");
        world.as_("53-system-admin").get(&path).expect(403, "forbidden");
    }
}
