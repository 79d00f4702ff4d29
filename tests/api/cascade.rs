//! Plans that go down the tree: drafts for all units at once, and what departs from the plan above.

use serde_json::{Value, json};

use crate::support::client::Reply;
use crate::support::{World, both, story};

const OFFICE: &str = "53-group-office";

/// A launched campaign whose plan binds every city and county.
fn launched(world: &World) -> (String, String) {
    let campaign = story::campaign(world, "53");
    let office = world.as_(OFFICE);
    let mut body = story::plan_body(world, &campaign, "53");
    let root = world.unit("53");
    body["title"] = json!("云南省公安厅“治庸懒”主题活动实施方案");
    body["tasks"][0]["responsible"] = json!([{ "unit_id": root, "extent": "subtree", "kind": "city" }]);
    body["tasks"][0]["target"] =
        json!({ "name": "一次性告知率", "direction": "at_least", "value": "98", "unit": "%" });
    let mut second = body["tasks"][0].clone();
    second["title"] = json!("派出所窗口整治");
    second["responsible"] = json!([{ "unit_id": root, "extent": "subtree", "kind": "station" }]);
    let mut own = body["tasks"][0].clone();
    own["title"] = json!("省厅自办");
    own["responsible"] = json!([{ "unit_id": root, "extent": "self" }]);
    body["tasks"] = json!([body["tasks"][0], second, own]);
    let plan = office.post("/plans", &body).expect(201, "").id();
    story::step(world, OFFICE, &plan, "submit");
    story::step(world, "53-group-head", &plan, "approve");
    story::step(world, OFFICE, &plan, "publish");
    (campaign, plan)
}

fn spread(world: &World, who: &str, plan: &str, body: &Value) -> Reply {
    world.as_(who).post(&format!("/plans/{plan}/children"), body)
}

/// The plan of a unit among those that a spreading told of.
pub fn plan_of(reply: &Reply, code: &str) -> String {
    let items = reply.json()["items"].as_array().unwrap().clone();
    let one =
        items.iter().find(|one| one["unit"]["code"] == code).unwrap_or_else(|| panic!("{}", reply.story()));
    one["plan_id"].as_str().unwrap().to_owned()
}

fn departures(world: &World, who: &str, plan: &str) -> Vec<String> {
    let view = world.as_(who).get(&format!("/plans/{plan}/inflation")).expect(200, "").json();
    let offences = view["offences"].as_array().unwrap();
    offences
        .iter()
        .map(|one| format!("{} {}", one["pointer"].as_str().unwrap(), one["kind"].as_str().unwrap()))
        .collect()
}

both! {
    fn every_unit_gets_a_draft_with_what_binds_it(world) {
        let (_, plan) = launched(world);
        spread(world, "5301-group-office", &plan, &json!({})).expect(404, "not_found");
        spread(world, "53-group-head", &plan, &json!({})).expect(403, "forbidden");
        let foreign = json!({ "unit_ids": [world.unit("530102001"), world.unit("500103"), world.unit("5301")] });
        let told = spread(world, OFFICE, &plan, &foreign).expect(422, "invalid_body").errors();
        let unknown = |at: usize| (format!("/unit_ids/{at}"), "unknown_reference".to_owned());
        assert_eq!(told, [unknown(0), unknown(1)], "a station makes no plan, and what is foreign is not there");
        let some = spread(world, OFFICE, &plan, &json!({ "kinds": ["city"] })).expect(200, "");
        assert_eq!((&some.json()["created"], &some.json()["existing"]), (&json!(3), &json!(0)));
        let done = spread(world, OFFICE, &plan, &json!({})).expect(200, "");
        assert_eq!((&done.json()["created"], &done.json()["existing"]), (&json!(2), &json!(3)), "{}", done.story());
        assert_eq!(spread(world, OFFICE, &plan, &json!({})).expect(200, "").json()["created"], 0);
        let city = plan_of(&done, "5301");
        assert_eq!(city, plan_of(&some, "5301"));
        let draft = world.as_("5301-liaison").get(&format!("/plans/{city}")).expect(200, "").json();
        assert_eq!(draft["title"], "昆明市公安局“治庸懒”主题活动实施方案");
        let bound = |task: &Value| {
            let one = &task["responsible"][0];
            (one["unit"]["code"].clone(), one["extent"].clone(), one["kind"].clone(), task["lead_leader"].clone())
        };
        assert_eq!(draft["tasks"].as_array().unwrap().len(), 2, "what the province does itself is not there");
        assert_eq!(bound(&draft["tasks"][0]), (json!("5301"), json!("self"), Value::Null, Value::Null));
        assert_eq!(bound(&draft["tasks"][1]), (json!("5301"), json!("subtree"), json!("station"), Value::Null));
        assert_eq!(departures(world, "5301-liaison", &city), Vec::<String>::new());
        // Yuxi has no station, and Qujing's county none of the cities' tasks.
        let yuxi = world.as_("53-group-office").get(&format!("/plans/{}", plan_of(&done, "5304"))).expect(200, "").json();
        assert_eq!(yuxi["tasks"].as_array().unwrap().len(), 1);
        // Once a city has published its own, its counties are its own to begin for.
        let body = json!({ "code": "530103", "name": "盘龙分局", "kind": "county", "parent_id": world.unit("5301") });
        world.as_("53-system-admin").post("/units", &body).expect(201, "");
        complete(world, "5301-liaison", &city);
        story::step(world, "5301-unit-head", &city, "submit");
        story::step(world, "5301-group-head", &city, "approve");
        story::step(world, "5301-group-office", &city, "publish");
        let again = spread(world, OFFICE, &plan, &json!({})).expect(200, "").json();
        assert_eq!((&again["created"], &again["existing"]), (&json!(0), &json!(4)), "{again}");
        let below = spread(world, "5301-group-office", &city, &json!({})).expect(200, "").json();
        assert_eq!((&below["created"], &below["existing"]), (&json!(1), &json!(1)), "{below}");
        // The draft of a unit is its unit's to publish: nothing stands under a draft.
        spread(world, "5303-group-office", &plan_of(&done, "5303"), &json!({})).expect(422, "parent_plan_not_published");
    }

    fn what_departs_from_the_plan_above_is_shown_before_and_refused_at_submit(world) {
        let (_, plan) = launched(world);
        let city = plan_of(&spread(world, OFFICE, &plan, &json!({ "kinds": ["city"] })).expect(200, ""), "5301");
        complete(world, "5301-liaison", &city);
        let path = format!("/plans/{city}");
        let liaison = world.as_("5301-liaison");
        let tasks = liaison.get(&path).expect(200, "").json()["tasks"].clone();
        let edit = |change: &dyn Fn(&mut Vec<Value>)| {
            let mut tasks: Vec<Value> = tasks.as_array().unwrap().iter().map(as_sent).collect();
            change(&mut tasks);
            liaison.patch(&path, "*", &json!({ "tasks": tasks })).expect(200, "");
        };
        edit(&|tasks| {
            tasks[0]["due_on"] = json!(world.day(20));
            tasks[0]["frequency"] = json!("daily");
            tasks[0]["target"]["value"] = json!("99.5");
            tasks.remove(1);
            let station = json!([{ "unit_id": world.unit("530102001"), "extent": "self" }]);
            tasks.push(json!({
                "category": "自办", "title": "加报台账", "content": "每所每日上报。", "lead_leader": "副局长", "responsible": station,
                "due_on": world.day(20), "frequency": "daily",
            }));
        });
        let wanted = [
            "/tasks/0/due_on deadline_shortened", "/tasks/0/frequency frequency_raised", "/tasks/0/target/value target_raised",
            "/tasks/1/responsible/0 task_added_downstream", "/tasks task_dropped",
        ];
        assert_eq!(departures(world, "5301-liaison", &city), wanted);
        let head = world.as_("5301-unit-head");
        assert_eq!(head.get(&path).expect(200, "").allowed(), ["update", "comment", "withdraw"]);
        let refused = head.post(&format!("{path}/submit"), &json!({})).expect(422, "downstream_inflation");
        let told: Vec<String> = refused.errors().iter().map(|(place, code)| format!("{place} {code}")).collect();
        assert_eq!(told, wanted);
        let facts = &refused.json()["errors"][0]["facts"];
        assert_eq!((&facts["parent"], &facts["child"]), (&json!(world.day(30)), &json!(world.day(20))));
        // Put right, with a task of its own for its own departments, it passes.
        edit(&|tasks| {
            tasks.push(json!({
                "category": "自办", "title": "本局学习", "content": "每周一次。", "lead_leader": "副局长",
                "responsible": [{ "unit_id": world.unit("5301-D01"), "extent": "self" }],
                "due_on": world.day(20), "frequency": "weekly",
            }));
        });
        assert_eq!(departures(world, "53-group-head", &city), Vec::<String>::new());
        assert_eq!(head.get(&path).expect(200, "").allowed(), ["update", "submit", "comment", "withdraw"]);
        head.post(&format!("{path}/submit"), &json!({})).expect(200, "");
        // The plan at the top departs from nothing; what is out of reach is not there.
        assert_eq!(departures(world, OFFICE, &plan), Vec::<String>::new());
        world.as_("5303-liaison").get(&format!("{path}/inflation")).expect(404, "not_found");
    }
}

/// A task as a body has it, of how it is shown.
pub fn as_sent(shown: &Value) -> Value {
    let mut task = shown.clone();
    let map = task.as_object_mut().unwrap();
    for name in ["plan_id", "unit", "position", "version"] {
        map.remove(name);
    }
    for one in map["responsible"].as_array_mut().unwrap() {
        let unit = one["unit"]["id"].clone();
        let one = one.as_object_mut().unwrap();
        one.remove("unit");
        one.insert("unit_id".into(), unit);
    }
    task
}

/// Enters what each unit says itself: the meeting, and who leads.
pub fn complete(world: &World, who: &str, plan: &str) {
    let path = format!("/plans/{plan}");
    let shown = world.as_(who).get(&path).expect(200, "").json();
    let tasks: Vec<Value> = shown["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| {
            let mut task = as_sent(task);
            task["lead_leader"] = json!("分管副局长");
            task
        })
        .collect();
    let meeting = json!({ "title": "局党委会议", "held_on": world.day(-10) });
    world.as_(who).patch(&path, "*", &json!({ "meeting": meeting, "tasks": tasks })).expect(200, "");
}
