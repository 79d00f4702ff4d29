//! A commander who can act no more is replaced, and what has not been released goes to the new one: unseen by whoever replaces them,
//! and by whoever is to keep away from it.

use serde_json::{Value, json};

use crate::support::checks::Kit;
use crate::support::client::{Reply, strings};
use crate::support::{World, both, sealing, story};

const OFFICE: &str = "53-group-office";
const DISCIPLINE: &str = "53-discipline";
const HEAD: &str = "53-group-head";

fn disable(world: &World, login: &str) {
    let path = format!("/users/{}/disable", world.user(login));
    world.as_("53-system-admin").post(&path, &json!({})).expect(200, "");
}

fn body(world: &World, to: &str) -> Value {
    json!({ "commander_id": world.user(to), "reason": "已调离, 账号停用。" })
}

fn replace(world: &World, by: &str, authorisation: &str, to: &str) -> Reply {
    world.as_(by).post(&format!("/authorisations/{authorisation}/replace-commander"), &body(world, to))
}

fn look(world: &World, who: &str, check: &str) -> Reply {
    world.as_(who).get(&format!("/unannounced-checks/{check}"))
}

/// What the log tells of a thing, the newest first.
fn told(world: &World, entity: &str, id: &str) -> Vec<String> {
    sealing::sign(world, "53");
    let path = format!("/audit-log?limit=200&entity={entity}&entity_id={id}");
    let log = world.as_("53-auditor").get(&path).expect(200, "").json();
    log["items"].as_array().unwrap().iter().map(|row| row["action"].as_str().unwrap().to_owned()).collect()
}

both! {
    fn what_was_to_be_confirmed_by_somebody_gone_is_confirmed_by_another(world) {
        let kit = Kit::of(world, "5301");
        let id = &kit.authorisation;
        let path = format!("/authorisations/{id}");
        let [covert, open] = ["covert", "open"].map(|kind| kit.taken(kind, &["record"]));
        let confirmed = kit.taken("covert", &["record", "confirm"]);
        let released = kit.taken("covert", &["record", "confirm", "release"]);
        let voided = kit.taken("covert", &["void"]);
        let mine = [&covert, &open, &confirmed];
        // Nobody is replaced who can act.
        replace(world, OFFICE, id, HEAD).expect(409, "commander_present");
        assert_eq!(world.as_(OFFICE).get(&path).allowed(), ["revoke"]);
        look(world, HEAD, &covert).expect(404, "not_found");

        disable(world, DISCIPLINE);
        let before = world.as_(OFFICE).get(&path).expect(200, "");
        assert_eq!(before.allowed(), ["revoke", "replace_commander"]);
        let listed = world.as_(OFFICE).get("/authorisations").expect(200, "").json();
        assert_eq!(strings(&listed["items"][0]["allowed_actions"]), ["revoke", "replace_commander"]);
        let send = |key: &str, tag: &str| {
            let call = world.as_(OFFICE).call("POST", &format!("{path}/replace-commander"));
            call.header("Idempotency-Key", key).header("If-Match", tag).json(&body(world, HEAD)).send()
        };
        send("replace-1", "\"v7.0000\"").expect(412, "precondition_failed");
        let replaced = send("replace-2", &before.etag()).expect(200, "").json();
        assert_eq!((&replaced["state"], &replaced["commander"]["id"]), (&json!("approved"), &json!(world.user(HEAD))));
        assert_eq!(replaced["version"].as_i64(), before.json()["version"].as_i64().map(|version| version + 1));
        assert_eq!((&replaced["comment"], strings(&replaced["allowed_actions"])), (&before.json()["comment"], vec!["revoke".to_owned()]));
        assert_eq!(send("replace-2", &before.etag()).expect(200, "").json(), replaced, "the same answer again");
        replace(world, OFFICE, id, HEAD).expect(409, "commander_present");
        // Whoever did so knows of none of it.
        look(world, OFFICE, &covert).expect(404, "not_found");
        assert_eq!(told(world, "authorisation", id)[0], "authorisation.replace_commander");
        let row = world.as_("53-auditor").get(&format!("/audit-log?entity_id={id}&action=authorisation.replace_commander")).json();
        assert_eq!((row["items"].as_array().unwrap().len(), &row["items"][0]["reason"]), (1, &json!("已调离, 账号停用。")));
        assert_eq!(told(world, "unannounced_check", &covert), [""; 0], "of a covert check nothing is told");
        assert_eq!(told(world, "unannounced_check", &open)[0], "authorisation.replace_commander");

        for check in mine {
            let seen = look(world, HEAD, check).expect(200, "").json();
            assert_eq!(seen["commander"]["id"], world.user(HEAD), "{seen}");
        }
        assert_eq!(look(world, HEAD, &released).expect(200, "").json()["commander"]["id"], world.user(DISCIPLINE));
        // Of what was voided there is nothing to confirm.
        look(world, HEAD, &voided).expect(404, "not_found");
        let waiting = world.as_(HEAD).get("/auth/me/waiting").expect(200, "").json();
        let mut kinds: Vec<&str> = waiting["items"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
        kinds.sort_unstable();
        assert_eq!(kinds, ["check_to_confirm", "check_to_confirm", "check_to_release"]);
        // The former one is back, and it is theirs no more.
        world.as_("53-system-admin").post(&format!("/users/{}/enable", world.user(DISCIPLINE)), &json!({})).expect(200, "");
        world.forget();
        look(world, DISCIPLINE, &covert).expect(404, "not_found");
        assert_eq!(look(world, DISCIPLINE, &voided).expect(200, "").json()["commander"]["id"], world.user(DISCIPLINE));
        world.as_(DISCIPLINE).post(&format!("/unannounced-checks/{open}/confirm"), &json!({})).expect(422, "not_the_commander");
        for action in ["confirm", "release"] {
            world.as_(HEAD).post(&format!("/unannounced-checks/{covert}/{action}"), &json!({})).expect(200, "");
        }
        look(world, OFFICE, &covert).expect(200, "");
        assert!(told(world, "unannounced_check", &covert).contains(&"authorisation.replace_commander".to_owned()));
        // What is begun from now on is the new one's from the first.
        let next = kit.begin("covert");
        look(world, HEAD, &next).expect(200, "");
    }

    fn whoever_holds_no_role_that_commands_is_gone_as_well(world) {
        let kit = Kit::of(world, "5301");
        let check = kit.taken("covert", &["record"]);
        let bindings = format!("/users/{}/role-bindings", world.user(DISCIPLINE));
        let security = world.as_("53-security-admin");
        let binding = security.get(&bindings).expect(200, "").json()["items"][0]["id"].as_str().unwrap().to_owned();
        security.delete(&format!("{bindings}/{binding}")).expect(204, "");
        // The time of the authorisation has passed: what was begun within it is to be confirmed all the same.
        world.advance(40 * 24 * 3600);
        assert_eq!(world.as_(OFFICE).get(&format!("/authorisations/{}", kit.authorisation)).allowed(), ["replace_commander"]);
        replace(world, OFFICE, &kit.authorisation, HEAD).expect(200, "");
        world.as_(HEAD).post(&format!("/unannounced-checks/{check}/confirm"), &json!({})).expect(200, "");
    }

    fn what_was_recorded_before_it_was_revoked_is_confirmed_by_another(world) {
        let kit = Kit::of(world, "5301");
        let (check, path) = (kit.taken("covert", &["record"]), format!("/authorisations/{}", kit.authorisation));
        let why = json!({ "reason": "任务调整。" });
        world.as_(OFFICE).post(&format!("{path}/revoke"), &why).expect(200, "");
        assert_eq!(world.as_(OFFICE).get(&path).allowed(), [""; 0]);
        replace(world, OFFICE, &kit.authorisation, HEAD).expect(409, "commander_present");
        // Withdrawn before anybody approved it, there is nothing under it.
        let withdrawn = world.as_(DISCIPLINE).post("/authorisations", &story::authorisation_body(world, "5301")).expect(201, "").id();
        world.as_(OFFICE).post(&format!("/authorisations/{withdrawn}/revoke"), &why).expect(200, "");
        disable(world, DISCIPLINE);
        let before = world.as_(OFFICE).get(&path).expect(200, "");
        assert_eq!(before.allowed(), ["replace_commander"]);
        assert_eq!(world.as_(OFFICE).get(&format!("/authorisations/{withdrawn}")).allowed(), [""; 0]);
        replace(world, OFFICE, &withdrawn, HEAD).expect(409, "authorisation_not_approved");
        let after = replace(world, OFFICE, &kit.authorisation, HEAD).expect(200, "").json();
        // It stays revoked, by whom and when it was.
        for field in ["state", "decided_by", "decided_at", "comment"] {
            assert_eq!(after[field], before.json()[field], "{field}");
        }
        world.as_(HEAD).post(&format!("/unannounced-checks/{check}/confirm"), &json!({})).expect(200, "");
        world.as_("53-inspector").post("/unannounced-checks", &kit.body("covert")).expect(422, "authorisation_not_in_force");
    }

    fn who_replaces_and_who_may_be_named(world) {
        let id = story::deserted(world, "5301");
        let refused = |to: &str| replace(world, OFFICE, &id, to).expect(422, "invalid_body").wrong();
        assert_eq!(refused("53-liaison"), ["/commander_id wrong_kind"]);
        assert_eq!(refused("53-inspector"), ["/commander_id not_allowed_value"], "who checks under it does not command");
        assert_eq!(refused("50-discipline"), ["/commander_id unknown_reference"]);
        assert_eq!(refused("5303-group-head"), ["/commander_id unknown_reference"], "who is gone is nobody to name");
        let path = format!("/authorisations/{id}/replace-commander");
        let none = world.as_(OFFICE).post(&path, &json!({})).expect(422, "invalid_body").wrong();
        assert_eq!(none, ["/commander_id required", "/reason required"]);
        // Nobody names themselves; whoever wrote it does not say alone who commands; who only reads or checks, not at all.
        replace(world, OFFICE, &id, OFFICE).expect(422, "replacer_is_concerned");
        replace(world, DISCIPLINE, &id, HEAD).expect(422, "approver_is_author");
        replace(world, HEAD, &id, OFFICE).expect(403, "forbidden");
        replace(world, "53-inspector", &id, HEAD).expect(403, "forbidden");
        replace(world, "5303-group-office", &id, HEAD).expect(404, "not_found");
        replace(world, "50-group-office", &id, HEAD).expect(404, "not_found");
        // A city's office names whom it may.
        assert_eq!(replace(world, "5301-group-office", &id, HEAD).expect(422, "invalid_body").wrong(), ["/commander_id unknown_reference"]);
        replace(world, "5301-group-office", &id, "5301-group-head").expect(200, "");
        // Before it is approved it is written anew, and what is over stays as it was.
        let proposed = world.as_(DISCIPLINE).post("/authorisations", &story::authorisation_body(world, "5301")).expect(201, "").id();
        replace(world, OFFICE, &proposed, HEAD).expect(409, "authorisation_not_approved");
        world.as_(OFFICE).post(&format!("/authorisations/{proposed}/reject"), &json!({ "reason": "重复。" })).expect(200, "");
        replace(world, OFFICE, &proposed, HEAD).expect(409, "authorisation_not_approved");
    }

    fn whoever_checks_under_it_does_not_say_who_commands(world) {
        let role = json!({ "role": "inspector", "unit_id": world.unit("53") });
        let bindings = format!("/users/{}/role-bindings", world.user(DISCIPLINE));
        world.as_("53-security-admin").post(&bindings, &role).expect(201, "");
        world.forget();
        let mut body = story::authorisation_body(world, "5301");
        body["team_user_ids"] = json!([world.user(DISCIPLINE)]);
        body["commander_user_id"] = json!(world.user("5303-group-head"));
        let id = world.as_(OFFICE).post("/authorisations", &body).expect(201, "").id();
        world.as_("5301-group-office").post(&format!("/authorisations/{id}/approve"), &json!({})).expect(200, "");
        disable(world, "5303-group-head");
        replace(world, DISCIPLINE, &id, HEAD).expect(422, "replacer_is_concerned");
        replace(world, "5301-group-office", &id, "5301-group-head").expect(200, "");
    }

    fn nobody_takes_over_a_check_of_their_own_unit_or_where_they_have_an_interest(world) {
        let kit = Kit { authorisation: story::deserted(world, "5301"), ..Kit::of(world, "5301") };
        let city = kit.taken("covert", &["record"]);
        let mut body = kit.body("covert");
        body["unit_id"] = json!(world.unit("530102"));
        let county = world.as_("53-inspector").post("/unannounced-checks", &body).expect(201, "").id();
        let replaced = replace(world, "5301-group-office", &kit.authorisation, "5301-group-head").expect(200, "");
        // Their own bureau's they are not to hear of, the county's below it they command.
        look(world, "5301-group-head", &city).expect(404, "not_found");
        look(world, "5301-group-head", &county).expect(200, "");
        assert_eq!(look(world, "53-inspector", &city).expect(200, "").json()["commander"]["id"], world.user("5303-group-head"));
        // Nor does the answer say how many there were: it is that of an authorisation under which nothing was done.
        let idle = story::deserted(world, "5301");
        let alike = replace(world, "5301-group-office", &idle, "5301-group-head").expect(200, "");
        let said = |reply: &Reply, id: &str| {
            let mut view = reply.json();
            for field in ["id", "created_at", "updated_at", "decided_at"] {
                view[field] = Value::Null;
            }
            assert!(!view.to_string().contains(id), "{view}");
            view
        };
        assert_eq!(said(&replaced, &city), said(&alike, &city));
        // A declared interest parts as well.
        story::conflict(world, HEAD, "5301", "kinship");
        let kit = Kit { authorisation: story::deserted(world, "5301"), ..kit };
        let parted = kit.taken("covert", &["record"]);
        let replaced = replace(world, OFFICE, &kit.authorisation, HEAD).expect(200, "").json();
        assert_eq!(replaced["commander"]["id"], world.user(HEAD));
        look(world, HEAD, &parted).expect(404, "not_found");
    }

    fn what_one_may_not_hear_of_goes_to_the_next_who_may(world) {
        let kits = [(); 2].map(|()| Kit { authorisation: story::deserted(world, "5301"), ..Kit::of(world, "5301") });
        let [one, other] = kits.each_ref().map(|kit| kit.taken("covert", &["record"]));
        for kit in &kits {
            replace(world, "5301-group-office", &kit.authorisation, "5301-group-head").expect(200, "");
        }
        for check in [&one, &other] {
            look(world, "5301-group-head", check).expect(404, "not_found");
        }
        disable(world, "5301-group-head");
        replace(world, OFFICE, &kits[0].authorisation, HEAD).expect(200, "");
        assert_eq!(look(world, HEAD, &one).expect(200, "").json()["commander"]["id"], world.user(HEAD));
        world.as_(HEAD).post(&format!("/unannounced-checks/{one}/confirm"), &json!({})).expect(200, "");
        // With whom it stayed may be back: then it is theirs to confirm.
        let stays = "5303-group-head";
        world.as_("53-system-admin").post(&format!("/users/{}/enable", world.user(stays)), &json!({})).expect(200, "");
        world.forget();
        replace(world, OFFICE, &kits[1].authorisation, HEAD).expect(200, "");
        look(world, HEAD, &other).expect(404, "not_found");
        look(world, stays, &one).expect(404, "not_found");
        assert_eq!(look(world, stays, &other).expect(200, "").json()["commander"]["id"], world.user(stays));
        world.as_(stays).post(&format!("/unannounced-checks/{other}/confirm"), &json!({})).expect(200, "");
    }

    fn what_arrives_late_is_judged_by_who_commanded_when_it_was_begun(world) {
        let kit = Kit { authorisation: story::deserted(world, "5301"), ..Kit::of(world, "5301") };
        let (first, second) = ("5303-group-head", "5301-group-head");
        // A check of the unit with this code that is over, begun now and sent later.
        let late = |code: &str| {
            let mut body = kit.body("covert");
            (body["unit_id"], body["record"]) = (json!(world.unit(code)), kit.record());
            world.advance(10);
            body
        };
        let send = |body: &Value| world.as_("53-inspector").post("/unannounced-checks", body);
        let whose = |reply: Reply| {
            let made = reply.expect(201, "").json();
            made["commander"]["id"].as_str().unwrap().to_owned()
        };
        let [city, other_city, county, other_county] = ["5301", "5301", "530102", "530102"].map(&late);
        replace(world, "5301-group-office", &kit.authorisation, second).expect(200, "");
        // From this moment on it is the new one who counts.
        send(&kit.body("covert")).expect(422, "inspects_own_unit");
        let [own, below, other_below] = ["5301", "530102", "530102"].map(&late);
        // Their own bureau's stays with the former one, as if it had been here then; the county's is theirs.
        let id = city["id"].as_str().unwrap();
        assert_eq!(whose(send(&city)), world.user(first));
        look(world, second, id).expect(404, "not_found");
        assert_eq!(whose(send(&county)), world.user(second));
        assert_eq!(whose(send(&below)), world.user(second));
        send(&city).expect(200, "");

        story::conflict(world, HEAD, "530102", "kinship");
        disable(world, second);
        replace(world, OFFICE, &kit.authorisation, HEAD).expect(200, "");
        assert_eq!(look(world, HEAD, id).expect(200, "").json()["commander"]["id"], world.user(HEAD));
        // Begun under the first: the third's, where they need not keep away, else the second's.
        assert_eq!(whose(send(&other_city)), world.user(HEAD));
        assert_eq!(whose(send(&other_county)), world.user(second));
        // Begun under the second, whose own unit it was, though the third commands; where it was not, it stays with the second.
        send(&own).expect(422, "inspects_own_unit");
        assert_eq!(whose(send(&other_below)), world.user(second));
        let mut now = kit.body("covert");
        now["unit_id"] = json!(world.unit("530102"));
        send(&now).expect(422, "commander_has_conflict");
    }
}
