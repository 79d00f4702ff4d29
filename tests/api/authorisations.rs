//! Standing authorisations: proposed by one, approved by another, for an area, a period, a team.

use serde_json::{Value, json};

use crate::support::client::strings;
use crate::support::{World, both, story};

const OFFICE: &str = "53-group-office";
const DISCIPLINE: &str = "53-discipline";
const INSPECTOR: &str = "53-inspector";

fn total(world: &World, who: &str) -> Value {
    world.as_(who).get("/authorisations?count=exact").expect(200, "").json()["total"].clone()
}

both! {
    fn whoever_proposes_or_writes_at_it_does_not_approve_it(world) {
        let (office, discipline) = (world.as_(OFFICE), world.as_(DISCIPLINE));
        let made = office.post("/authorisations", &story::authorisation_body(world, "5301")).expect(201, "");
        let (path, view) = (format!("/authorisations/{}", made.id()), made.json());
        assert_eq!((&view["state"], &view["in_force"]), (&json!("proposed"), &json!(false)));
        assert_eq!(strings(&view["allowed_actions"]), ["update", "revoke"]);
        let act = |who: &str, action: &str, body: Value| world.as_(who).post(&format!("{path}/{action}"), &body);
        for (action, body) in [("approve", json!({})), ("reject", json!({ "reason": "不妥。" }))] {
            act(OFFICE, action, body).expect(422, "approver_is_author");
        }
        // One word of it by somebody else, and there are two authors.
        discipline.patch(&path, &made.etag(), &json!({ "title": "窗口明察暗访" })).expect(200, "");
        act(DISCIPLINE, "approve", json!({})).expect(422, "approver_is_author");
        act(OFFICE, "approve", json!({})).expect(422, "approver_is_author");
        // A change that changes nothing makes nobody an author; the city's office may approve what is the city's.
        let city = world.as_("5301-group-office");
        city.patch(&path, "*", &json!({ "title": "窗口明察暗访" })).expect(200, "");
        let approved = city.post(&format!("{path}/approve"), &json!({ "comment": "同意。" })).expect(200, "").json();
        assert_eq!((&approved["state"], &approved["in_force"], &approved["comment"]), (&json!("approved"), &json!(true), &json!("同意。")));
        for (action, body) in [("approve", json!({})), ("reject", json!({ "reason": "不妥。" }))] {
            act(DISCIPLINE, action, body).expect(409, "authorisation_decided");
        }
        office.patch(&path, "*", &json!({ "title": "又改" })).expect(409, "authorisation_decided");
        let revoked = act(OFFICE, "revoke", json!({ "reason": "任务调整。" })).expect(200, "").json();
        assert_eq!((&revoked["state"], &revoked["in_force"], &revoked["allowed_actions"]), (&json!("revoked"), &json!(false), &json!([])));
        act(OFFICE, "revoke", json!({ "reason": "任务调整。" })).expect(409, "authorisation_ended");
        // Rejected, with the reason.
        let other = office.post("/authorisations", &story::authorisation_body(world, "5301")).expect(201, "").id();
        let rejected = discipline.post(&format!("/authorisations/{other}/reject"), &json!({ "reason": "与省厅重复。" })).expect(200, "").json();
        assert_eq!((&rejected["state"], &rejected["comment"]), (&json!("rejected"), &json!("与省厅重复。")));
    }

    fn the_team_and_the_commander_see_theirs_and_no_other(world) {
        let id = story::authorised(world, "5301");
        let path = format!("/authorisations/{id}");
        let mut alone = story::authorisation_body(world, "5303");
        alone["team_user_ids"] = json!([world.user("53-special-supervisor")]);
        let other = world.as_(DISCIPLINE).post("/authorisations", &alone).expect(201, "").id();
        world.as_(INSPECTOR).get(&path).expect(200, "");
        assert_eq!(world.as_(INSPECTOR).get(&path).json()["allowed_actions"], json!([]));
        world.as_(INSPECTOR).get(&format!("/authorisations/{other}")).expect(404, "not_found");
        assert_eq!((total(world, INSPECTOR), total(world, "53-special-supervisor")), (json!(1), json!(2)));
        assert_eq!((total(world, "5301-group-office"), total(world, "5303-group-head")), (json!(1), json!(1)));
        assert_eq!(total(world, "50-discipline"), 0);
        world.as_("53-liaison").get("/authorisations").expect(403, "forbidden");
        world.as_("53-unit-head").get(&path).expect(403, "forbidden");
        world.as_(INSPECTOR).post(&format!("{path}/revoke"), &json!({ "reason": "不去。" })).expect(403, "forbidden");
    }

    fn everything_that_is_wrong_is_told_at_once(world) {
        let office = world.as_(OFFICE);
        let body = |changes: Value| {
            let mut body = story::authorisation_body(world, "5301");
            body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            body
        };
        let refused = |changes: Value| office.post("/authorisations", &body(changes)).expect(422, "invalid_body").wrong();
        assert_eq!(
            refused(json!({ "kinds": ["open", "open"], "valid_until_on": world.day(366), "team_user_ids": [], "basis": "" })),
            ["/basis too_short", "/team_user_ids too_few"],
        );
        assert_eq!(
            refused(json!({ "kinds": ["open", "open"], "valid_until_on": world.day(366) })),
            ["/kinds/1 not_unique", "/valid_until_on out_of_order"],
        );
        // Another bureau's unit, another province's, nobody; a liaison is no inspector.
        assert_eq!(
            refused(json!({
                "area_unit_ids": [world.unit("5303"), world.unit("50"), world.unit("530102")],
                "team_user_ids": [world.user("53-liaison"), world.user("50-inspector"), world.user(INSPECTOR)],
                "commander_user_id": world.user("50-discipline"), "valid_from_on": world.day(-9), "valid_until_on": world.day(-1),
            })),
            [
                "/valid_until_on in_the_past",
                "/area_unit_ids/0 unknown_reference",
                "/area_unit_ids/1 unknown_reference",
                "/team_user_ids/0 wrong_kind",
                "/team_user_ids/1 unknown_reference",
                "/commander_user_id unknown_reference",
            ],
        );
        // A city's office names whom it may: the province's people are not its own.
        let city = world.as_("5301-group-office");
        let told = city.post("/authorisations", &body(json!({}))).expect(422, "invalid_body").wrong();
        assert_eq!(told, ["/team_user_ids/0 unknown_reference", "/team_user_ids/1 unknown_reference", "/commander_user_id unknown_reference"]);
        city.post("/authorisations", &body(json!({ "unit_id": world.unit("53") }))).expect(422, "invalid_body");
        let id = uuid::Uuid::now_v7();
        office.post("/authorisations", &body(json!({ "id": id }))).expect(201, "");
        office.post("/authorisations", &body(json!({ "id": id }))).expect(200, "");
        office.post("/authorisations", &body(json!({ "id": id, "title": "另一项" }))).expect(409, "id_taken");
    }

    fn it_ends_with_its_last_day(world) {
        let id = story::authorised(world, "5301");
        let office = world.as_(OFFICE);
        let waiting = office.post("/authorisations", &story::authorisation_body(world, "5301")).expect(201, "").id();
        world.advance(31 * 24 * 3600);
        let shown = world.as_(DISCIPLINE).get(&format!("/authorisations/{id}")).expect(200, "").json();
        assert_eq!((&shown["state"], &shown["in_force"], &shown["allowed_actions"]), (&json!("approved"), &json!(false), &json!([])));
        world.as_(DISCIPLINE).post(&format!("/authorisations/{id}/revoke"), &json!({ "reason": "迟了。" })).expect(409, "authorisation_ended");
        world.as_(DISCIPLINE).post(&format!("/authorisations/{waiting}/approve"), &json!({})).expect(409, "authorisation_ended");
    }

    fn authorisations_go_with_their_unit(world) {
        let system = world.as_("53-system-admin");
        let discipline = world.as_(DISCIPLINE);
        let own = discipline.post("/authorisations", &story::authorisation_body(world, "530102")).expect(201, "").id();
        let mut wide = story::authorisation_body(world, "53");
        wide["area_unit_ids"] = json!([world.unit("530102"), world.unit("530302")]);
        let wide = discipline.post("/authorisations", &wide).expect(201, "").id();
        let county = world.unit("530102");
        let refused = system.post(&format!("/units/{county}/deactivate"), &json!({ "reason": "撤销。" })).expect(422, "unit_in_use");
        assert!(refused.json()["errors"].as_array().unwrap().iter().any(|one| one["code"] == "authorisation_at_unit"), "{}", refused.story());
        let to = |unit: &str, name: &str| json!({ name: world.unit(unit), "reason": "区划调整。" });
        system.post(&format!("/units/{county}/move"), &to("5303", "parent_id")).expect(200, "");
        world.as_("5303-group-office").get(&format!("/authorisations/{own}")).expect(200, "");
        world.as_("5301-group-office").get(&format!("/authorisations/{own}")).expect(404, "not_found");
        system.post(&format!("/units/{county}/merge"), &to("530302", "into_id")).expect(200, "");
        let kept = discipline.get(&format!("/authorisations/{own}")).expect(200, "").json();
        assert_eq!((&kept["unit"]["code"], &kept["area"][0]["code"]), (&json!("530302"), &json!("530302")));
        // Named twice it would be, it is named once.
        let wide = discipline.get(&format!("/authorisations/{wide}")).expect(200, "").json();
        assert_eq!((wide["area"].as_array().unwrap().len(), &wide["version"]), (1, &json!(2)), "{wide}");
        // What goes to a unit that the authorisation's own may not have checked is no longer to be checked.
        let mut narrow = story::authorisation_body(world, "5303");
        narrow["area_unit_ids"] = json!([world.unit("530302")]);
        let narrow = discipline.post("/authorisations", &narrow).expect(201, "").id();
        let made = json!({ "code": "530199", "name": "新区分局", "kind": "county", "parent_id": world.unit("5301") });
        let other = system.post("/units", &made).expect(201, "").id();
        system.post(&format!("/units/{}/merge", world.unit("530302")), &json!({ "into_id": other, "reason": "区划调整。" })).expect(200, "");
        assert_eq!(discipline.get(&format!("/authorisations/{narrow}")).expect(200, "").json()["area"], json!([]));
    }
}
