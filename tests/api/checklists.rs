//! Checklists: written as drafts, published as versions that never change, read by all below.

use serde_json::{Value, json};

use crate::support::client::{Reply, strings};
use crate::support::raw::Raw;
use crate::support::{World, both};

const OFFICE: &str = "53-group-office";

fn new(world: &World, code: &str, template: &str) -> Value {
    json!({ "unit_id": world.unit(code), "template": template })
}

fn begun(world: &World, by: &str, code: &str) -> Reply {
    world.as_(by).post("/checklists", &new(world, code, "incident_handling")).expect(201, "")
}

fn published(world: &World, by: &str, code: &str) -> String {
    let id = begun(world, by, code).id();
    world.as_(by).post(&format!("/checklists/{id}/publish"), &json!({})).expect(200, "");
    id
}

fn item(code: &str) -> Value {
    json!({
        "code": code, "category": "接处警", "question": "是否携带执法记录仪?", "standard": "出警全程携带并开启。",
        "answer_type": "yes_no", "deduction": "2.50", "mandatory": true, "evidence": "if_deducted", "focus_weight": 5,
    })
}

both! {
    fn a_published_version_stays_while_the_next_is_written(world) {
        let office = world.as_(OFFICE);
        let made = begun(world, OFFICE, "53");
        let (path, view) = (format!("/checklists/{}", made.id()), made.json());
        assert_eq!((&view["state"], &view["number"], &view["draft"]), (&json!("draft"), &json!(0), &Value::Null));
        assert_eq!(strings(&view["allowed_actions"]), ["update", "publish", "retire"]);
        assert_eq!(view["items"].as_array().unwrap().len(), 9);
        // Before it is published, nobody below knows of it.
        let below = world.as_("5301-liaison");
        below.get(&path).expect(404, "not_found");
        assert_eq!(below.get("/checklists?count=exact").expect(200, "").json()["total"], 0);
        let titled = office.patch(&path, &made.etag(), &json!({ "title": "警情检查" })).expect(200, "").json();
        assert_eq!((&titled["title"], &titled["draft"]), (&json!("警情检查"), &Value::Null));
        let first = office.post(&format!("{path}/publish"), &json!({})).expect(200, "").json();
        assert_eq!((&first["state"], &first["number"]), (&json!("published"), &json!(1)));
        assert_eq!(strings(&first["allowed_actions"]), ["update", "retire"]);
        office.post(&format!("{path}/publish"), &json!({})).expect(409, "checklist_unchanged");
        let seen = below.get(&path).expect(200, "").json();
        assert_eq!((&seen["title"], &seen["allowed_actions"]), (&json!("警情检查"), &json!([])));

        // The next version is written beside it; below nothing of that is seen.
        let etag = office.get(&path).etag();
        let next = office.patch(&path, &etag, &json!({ "items": [item("A1"), item("A2")] })).expect(200, "").json();
        assert_eq!((next["items"].as_array().unwrap().len(), next["draft"]["items"].as_array().unwrap().len()), (9, 2));
        office.patch(&path, &etag, &json!({ "title": "晚到的" })).expect(412, "precondition_failed");
        let same = below.get(&path).expect(200, "").json();
        assert_eq!((&same["items"], &same["draft"]), (&seen["items"], &Value::Null));
        let row = |who: &str| world.as_(who).get("/checklists").expect(200, "").json()["items"][0].clone();
        assert_eq!((&row("5301-liaison")["has_draft"], &row(OFFICE)["has_draft"]), (&json!(false), &json!(true)));
        // Written back to what is published, nothing is left to publish.
        let back = office.patch(&path, "*", &json!({ "items": seen["items"] })).expect(200, "").json();
        assert_eq!(back["draft"], Value::Null);
        office.patch(&path, "*", &json!({ "items": [item("A1")] })).expect(200, "");
        let second = office.post(&format!("{path}/publish"), &json!({})).expect(200, "").json();
        assert_eq!((&second["number"], second["items"].as_array().unwrap().len()), (&json!(2), 1));

        // Both versions are there for whoever made an inspection with one of them.
        let versions = below.get(&format!("{path}/versions")).expect(200, "").json();
        let listed: Vec<(i64, i64)> = versions["items"].as_array().unwrap().iter()
            .map(|one| (one["number"].as_i64().unwrap(), one["items_count"].as_i64().unwrap())).collect();
        assert_eq!(listed, [(2, 1), (1, 9)]);
        let one = versions["items"][1]["id"].as_str().unwrap();
        let old = below.get(&format!("{path}/versions/{one}")).expect(200, "").json();
        assert_eq!((&old["items"], &old["number"]), (&seen["items"], &json!(1)));
        // The database itself refuses to change one.
        let mut raw = Raw::owner(world, "53");
        for sql in ["UPDATE checklist_versions SET content = '{}'", "DELETE FROM checklist_versions"] {
            let refused = raw.run(sql).expect_err("it stays as it is");
            assert!(refused.to_string().contains("stay as they are"), "{refused}");
        }

        office.post(&format!("{path}/retire"), &json!({})).expect(200, "");
        for action in ["publish", "retire"] {
            office.post(&format!("{path}/{action}"), &json!({})).expect(409, "checklist_retired");
        }
        office.patch(&path, "*", &json!({ "title": "又改" })).expect(409, "checklist_retired");
        assert_eq!(below.get(&path).expect(200, "").json()["state"], "retired");
    }

    fn everything_that_is_wrong_with_a_checklist_is_told_at_once(world) {
        let office = world.as_(OFFICE);
        let unit = world.unit("53");
        let refused = |body: &Value| office.post("/checklists", body).expect(422, "invalid_body").wrong();
        assert_eq!(refused(&json!({ "unit_id": unit })), ["/title required", "/items required"]);
        let mut items = vec![item("A1"), item("A1"), item("A2")];
        items[0]["choices"] = json!([{ "value": "a", "label": "甲", "deduction": "1" }]);
        items[2]["answer_type"] = json!("number");
        let body = json!({ "unit_id": unit, "title": "检查", "kinds": ["city", "city"], "items": items });
        assert_eq!(
            refused(&body),
            [
                "/kinds/1 not_unique",
                "/items/0/choices not_allowed_value",
                "/items/1/code not_unique",
                "/items/2/deduction not_allowed_value",
            ]
        );
        let mut odd = item("A1");
        odd["deduction"] = json!("100.01");
        odd["focus_weight"] = json!(11);
        odd["score"] = json!(5);
        assert_eq!(
            refused(&json!({ "unit_id": unit, "title": "检查", "items": [odd] })),
            ["/items/0/deduction wrong_format", "/items/0/focus_weight too_big", "/items/0/score unknown_field"]
        );
        // Where it belongs.
        let at = |unit: &str, department: Value| json!({ "unit_id": unit, "department_id": department, "template": "service_window" });
        assert_eq!(refused(&at(world.unit("53-D01"), Value::Null)), ["/unit_id wrong_kind"]);
        assert_eq!(refused(&at(world.unit("530102001"), Value::Null)), ["/unit_id wrong_kind"]);
        assert_eq!(refused(&at(unit, json!(world.unit("5301-D01")))), ["/department_id wrong_kind"]);
        assert_eq!(refused(&at(unit, json!(world.unit("5301")))), ["/department_id wrong_kind"]);
        assert_eq!(refused(&at(unit, json!(world.unit("50-D01")))), ["/department_id unknown_reference"]);
        assert_eq!(refused(&at(world.unit("50"), Value::Null)), ["/unit_id unknown_reference"]);
        let kept = office.post("/checklists", &at(unit, json!(world.unit("53-D01")))).expect(201, "").json();
        assert_eq!(kept["department"]["code"], "53-D01");
        // A city's office writes for the city, not for the province.
        let city = world.as_("5301-group-office");
        city.post("/checklists", &new(world, "53", "service_window")).expect(422, "invalid_body");
        city.post("/checklists", &new(world, "5301", "service_window")).expect(201, "");
        world.as_("53-unit-head").post("/checklists", &new(world, "53", "service_window")).expect(403, "forbidden");
    }

    fn a_retried_create_makes_one(world) {
        let office = world.as_(OFFICE);
        let id = uuid::Uuid::now_v7();
        let body = json!({ "id": id, "unit_id": world.unit("53"), "template": "dress_discipline" });
        office.post("/checklists", &body).expect(201, "");
        office.post("/checklists", &body).expect(200, "");
        let mut other = body.clone();
        other["title"] = json!("另一份");
        office.post("/checklists", &other).expect(409, "id_taken");
        assert_eq!(office.get("/checklists?count=exact").expect(200, "").json()["total"], 1);
    }

    fn every_template_can_be_taken_as_it_is(world) {
        let office = world.as_(OFFICE);
        let shown = world.as_("5301-liaison").get("/checklist-templates").expect(200, "").json();
        let templates = shown["templates"].as_array().unwrap();
        assert_eq!(templates.len(), 4);
        for one in templates {
            let taken = office.post("/checklists", &json!({ "unit_id": world.unit("53"), "template": one["template"] })).expect(201, "").json();
            assert_eq!((&taken["items"], &taken["title"]), (&one["items"], &one["title"]));
            // What is shown can be sent back.
            let own = json!({ "unit_id": world.unit("53"), "title": one["title"], "kinds": one["kinds"], "items": one["items"] });
            office.post("/checklists", &own).expect(201, "");
        }
        assert_eq!(office.get("/checklists?q=%E8%AD%A6%E6%83%85&count=exact").expect(200, "").json()["total"], 2);
    }

    fn checklists_go_with_their_unit(world) {
        let system = world.as_("53-system-admin");
        let reason = |to: &str, name: &str| json!({ name: world.unit(to), "reason": "区划调整。" });
        let id = published(world, "53-group-office", "530102");
        let path = format!("/checklists/{id}");
        let county = world.unit("530102");
        let refused = system.post(&format!("/units/{county}/deactivate"), &json!({ "reason": "撤销。" })).expect(422, "unit_in_use");
        assert!(refused.json()["errors"].as_array().unwrap().iter().any(|one| one["code"] == "checklist_at_unit"), "{}", refused.story());
        system.post(&format!("/units/{county}/move"), &reason("5303", "parent_id")).expect(200, "");
        world.as_("5303-group-office").get(&path).expect(200, "");
        world.as_("5301-group-office").get(&path).expect(404, "not_found");
        system.post(&format!("/units/{county}/merge"), &reason("530302", "into_id")).expect(200, "");
        let kept = world.as_("5303-group-office").get(&path).expect(200, "").json();
        assert_eq!((&kept["unit"]["code"], &kept["version"]), (&json!("530302"), &json!(3)));
        // A branch that goes into another hands over what it keeps.
        let body = json!({ "unit_id": world.unit("53"), "department_id": world.unit("53-D01"), "template": "service_window" });
        let branch = world.as_(OFFICE).post("/checklists", &body).expect(201, "").id();
        let made = json!({ "code": "53-D77", "name": "督察总队", "kind": "department", "parent_id": world.unit("53") });
        let other = system.post("/units", &made).expect(201, "").id();
        system.post(&format!("/units/{}/merge", world.unit("53-D01")), &json!({ "into_id": other, "reason": "机构改革。" })).expect(200, "");
        assert_eq!(world.as_(OFFICE).get(&format!("/checklists/{branch}")).expect(200, "").json()["department"]["code"], "53-D77");
    }
}
