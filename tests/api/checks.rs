//! Unannounced checks: what was seen comes to points, whoever recorded it does not confirm it, whoever made it does not
//! answer for it, and nothing is lost or doubled when a device sends twice.

use std::sync::Arc;

use pingyi::inspections::checks::embargo;
use serde_json::{Value, json};

use crate::support::checks::Kit;
use crate::support::client::strings;
use crate::support::{World, both, sealing, story};

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn released_by_the_clock(world: &World) -> usize {
    block_on(embargo::release_by_the_clock(world.doors())).expect("the clock is looked at")
}

fn shown(world: &World, who: &str, id: &str) -> Value {
    world.as_(who).get(&format!("/unannounced-checks/{id}")).expect(200, "").json()
}

both! {
    fn a_check_from_the_door_to_the_last_word(world) {
        let kit = Kit::of(world, "5301");
        let inspector = world.as_("53-inspector");
        let body = kit.body("covert");
        let begun = inspector.post("/unannounced-checks", &body).expect(201, "");
        let (id, path) = (begun.id(), format!("/unannounced-checks/{}", begun.id()));
        assert_eq!((&begun.json()["state"], &begun.json()["number"], &begun.json()["record"]), (&json!("in_progress"), &Value::Null, &Value::Null));
        assert_eq!(strings(&begun.json()["allowed_actions"]), ["record", "void"]);
        // Sent again, not having heard: the same.
        assert_eq!(inspector.post("/unannounced-checks", &body).expect(200, "").id(), id);
        let mut other = body.clone();
        other["place"]["text"] = json!("二楼");
        inspector.post("/unannounced-checks", &other).expect(409, "id_taken");

        let record = kit.record();
        let recorded = inspector.post(&format!("{path}/record"), &record).expect(200, "").json();
        // GZ-1 is not as it should be: three points; everything else is.
        assert_eq!((&recorded["state"], &recorded["deducted"]), (&json!("recorded"), &json!("3.00")));
        let points: Vec<&str> = recorded["record"]["answers"].as_array().unwrap().iter().map(|one| one["deducted"].as_str().unwrap()).collect();
        assert_eq!(points, ["3.00", "0.00", "0.00", "0.00", "0.00", "0.00", "0.00", "0.00"]);
        let again = inspector.post(&format!("{path}/record"), &record).expect(200, "").json();
        assert_eq!(again["version"], recorded["version"]);
        let mut changed = record.clone();
        changed["summary"] = json!("又想了想。");
        inspector.post(&format!("{path}/record"), &changed).expect(409, "check_recorded");
        let added = json!({ "id": uuid::Uuid::now_v7(), "content": "等候实为 42 分钟。" });
        inspector.post(&format!("{path}/addenda"), &added).expect(201, "");
        let twice = inspector.post(&format!("{path}/addenda"), &added).expect(200, "").json();
        assert_eq!((twice["addenda"].as_array().unwrap().len(), &twice["deducted"]), (1, &json!("3.00")));

        kit.act(&id, "release").expect(409, "check_not_confirmed");
        kit.act(&id, "confirm").expect(200, "");
        kit.act(&id, "void").expect(409, "check_not_voidable");
        world.as_("5301-unit-head").get(&path).expect(404, "not_found");
        let released = kit.act(&id, "release").expect(200, "").json();
        let year = &world.day(0)[..4];
        assert_eq!((&released["state"], &released["number"]), (&json!("released"), &json!(format!("{year}-0001"))));
        assert!(released["objection_until_on"].as_str().unwrap() >= world.day(3).as_str());

        // The inspected unit's head objects, and nobody else's.
        let objection = json!({ "content": "当时已出具清单。" });
        let contest = |who: &str| world.as_(who).post(&format!("{path}/contest"), &objection);
        contest("5303-unit-head").expect(404, "not_found");
        contest("5301-liaison").expect(403, "forbidden");
        contest("5301-unit-head").expect(200, "");
        contest("5301-unit-head").expect(409, "objection_closed");
        let decide = |who: &str, body: Value| world.as_(who).post(&format!("{path}/decide"), &body);
        let upheld = json!({ "outcome": "upheld", "reasons": "存根日期为次日。" });
        decide("53-discipline", upheld.clone()).expect(422, "decider_is_checker");
        decide("5301-group-office", upheld).expect(422, "decider_of_the_unit");
        let mut answers = record["answers"].clone();
        answers[0]["yes"] = json!(true);
        answers[5]["yes"] = json!(false);
        let none = decide("53-group-office", json!({ "outcome": "amended", "reasons": "部分采纳。" })).expect(422, "invalid_body").wrong();
        assert_eq!(none, ["/answers required"]);
        let amended = decide("53-group-office", json!({ "outcome": "amended", "reasons": "部分采纳。", "answers": answers })).expect(200, "").json();
        assert_eq!((&amended["state"], &amended["deducted"], &amended["decision"]["outcome"]), (&json!("amended"), &json!("1.00"), &json!("amended")));
        assert_eq!(amended["record"]["answers"][0]["yes"], false, "what was recorded stays");
        kit.act(&id, "addenda").expect(409, "check_ended");
        // Numbers run on within the year.
        let second = kit.taken("open", &["record", "confirm", "release"]);
        assert_eq!(shown(world, "53-discipline", &second)["number"], format!("{year}-0002"));
    }

    fn what_nobody_objects_to_in_time_is_final(world) {
        let kit = Kit::of(world, "5301");
        let id = kit.taken("open", &["record", "confirm", "release"]);
        let until = shown(world, "53-discipline", &id)["objection_until_on"].as_str().unwrap().to_owned();
        let listed = |state: &str| {
            world.as_("53-discipline").get(&format!("/unannounced-checks?state={state}&count=exact")).expect(200, "").json()["total"].clone()
        };
        assert_eq!((listed("released"), listed("final")), (json!(1), json!(0)));
        // The last day counts, the next is late.
        while world.day(0) < until {
            world.advance(24 * 3600);
        }
        assert!(strings(&shown(world, "5301-unit-head", &id)["allowed_actions"]).contains(&"contest".to_owned()));
        world.advance(24 * 3600);
        let seen = shown(world, "5301-unit-head", &id);
        assert_eq!((&seen["state"], &seen["allowed_actions"]), (&json!("final"), &json!([])));
        assert_eq!((listed("released"), listed("final"), listed("released&state=final")), (json!(0), json!(1), json!(1)));
        world.as_("5301-unit-head").post(&format!("/unannounced-checks/{id}/contest"), &json!({ "content": "迟了。" })).expect(409, "objection_closed");
    }

    fn the_clock_releases_what_its_commander_has_confirmed(world) {
        let kit = Kit::of(world, "5301");
        let id = kit.taken("covert", &["record"]);
        let (path, commander) = (format!("/unannounced-checks/{id}"), world.as_("53-discipline"));
        let confirm = |seconds: i64| {
            let body = json!({ "release_at": world.clock.now().plus_seconds(seconds) });
            commander.post(&format!("{path}/confirm"), &body)
        };
        assert_eq!(confirm(0).expect(422, "invalid_body").wrong(), ["/release_at in_the_past"]);
        assert_eq!(confirm(367 * 86_400).expect(422, "invalid_body").wrong(), ["/release_at too_big"]);
        let at = world.clock.now().plus_seconds(600);
        let confirmed = confirm(600).expect(200, "").json();
        assert_eq!((&confirmed["state"], &confirmed["release_at"]), (&json!("confirmed"), &json!(at)));
        assert_eq!(released_by_the_clock(world), 0);
        world.advance(599);
        assert_eq!(released_by_the_clock(world), 0);
        world.as_("5301-unit-head").get(&path).expect(404, "not_found");
        world.advance(1);
        // Another instance looks at the same time.
        let second = world.second();
        let both = [world.doors(), &second.doors].map(|doors| {
            let doors = Arc::clone(doors);
            std::thread::spawn(move || block_on(embargo::release_by_the_clock(&doors)).expect("the clock is looked at"))
        });
        assert!(both.into_iter().map(|one| one.join().unwrap()).sum::<usize>() >= 1);
        assert_eq!(released_by_the_clock(world), 0);
        let seen = shown(world, "5301-unit-head", &id);
        let year = &world.day(0)[..4];
        assert_eq!((&seen["state"], &seen["number"], &seen["release_at"]), (&json!("released"), &json!(format!("{year}-0001")), &Value::Null));
        kit.act(&id, "contest").expect(200, "");
        sealing::sign(world, "53");
        let log = world.as_("53-auditor").get(&format!("/audit-log?entity_id={id}&limit=200")).expect(200, "").json();
        let by_clock = log["items"].as_array().unwrap().iter().filter(|row| row["actor"] == "job:check_release").count();
        assert_eq!(by_clock, 1, "{log}");
        // Whoever is before the clock leaves it nothing to do.
        let other = kit.taken("covert", &["record"]);
        let body = json!({ "release_at": world.clock.now().plus_seconds(600) });
        world.as_("53-discipline").post(&format!("/unannounced-checks/{other}/confirm"), &body).expect(200, "");
        assert_eq!(kit.act(&other, "release").expect(200, "").json()["number"], format!("{year}-0002"));
        world.advance(601);
        assert_eq!(released_by_the_clock(world), 0);
    }

    fn discipline_is_told_at_the_release_who_has_read_it(world) {
        let kit = Kit::of(world, "5301");
        let id = kit.taken("covert", &["record"]);
        let path = format!("/unannounced-checks/{id}");
        let readers = |who: &str| world.as_(who).get(&format!("{path}/readers"));
        let photo = shown(world, "53-inspector", &id)["attachments"][0]["id"].as_str().unwrap().to_owned();
        let (first, inspector) = (world.clock.now(), world.user("53-inspector"));
        // Within the hour it is one look, whatever is looked at.
        world.advance(60);
        world.as_("53-inspector").get(&format!("/attachments/{photo}/content?variant=thumbnail")).expect(200, "");
        world.advance(3600);
        world.as_("53-inspector").get(&format!("/attachments/{photo}/content")).expect(200, "");
        let last = world.clock.now();
        world.advance(7200);
        shown(world, "53-discipline", &id);
        readers("53-discipline").expect(404, "not_found");
        for action in ["confirm", "release"] {
            kit.act(&id, action).expect(200, "");
        }
        world.advance(7200);
        shown(world, "5301-unit-head", &id);
        let told = readers("53-discipline").expect(200, "").json();
        let items = told["items"].as_array().unwrap();
        assert_eq!(items.len(), 2, "{told}");
        assert_eq!(items[0]["user"]["id"], inspector);
        assert_eq!((&items[0]["first_at"], &items[0]["last_at"], &items[0]["looks"]), (&json!(first), &json!(last), &json!(2)));
        assert_eq!((&items[1]["user"]["id"], &items[1]["looks"]), (&json!(world.user("53-discipline")), &json!(1)));
        readers("53-inspector").expect(403, "forbidden");
        readers("50-discipline").expect(404, "not_found");
        // The log has each look, told since the release.
        sealing::sign(world, "53");
        let log = world.as_("53-auditor").get(&format!("/audit-log?entity=unannounced_check_look&entity_id={id}")).expect(200, "").json();
        let actions: Vec<&str> = log["items"].as_array().unwrap().iter().map(|row| row["action"].as_str().unwrap()).collect();
        assert_eq!(actions, ["unannounced_check.read", "attachment.read", "unannounced_check.read"], "the newest first");
        // Of what everybody in reach may know nobody is noted.
        let open = kit.taken("open", &["record"]);
        shown(world, "53-inspector", &open);
        let none = world.as_("53-discipline").get(&format!("/unannounced-checks/{open}/readers")).expect(200, "").json();
        assert_eq!(none["items"], json!([]));
    }

    fn a_whole_check_may_arrive_at_once_and_late(world) {
        let kit = Kit::of(world, "5301");
        // The check was begun after the authorisation was approved.
        world.advance(2 * 3600);
        let inspector = world.as_("53-inspector");
        let mut body = kit.body("covert");
        // The device's clock is ten minutes fast; it says so.
        let fast = |seconds: i64| json!(world.clock.now().plus_seconds(600 + seconds));
        body["begun_at"] = fast(-3600);
        body["sent_at"] = fast(0);
        let mut record = kit.record();
        record["ended_at"] = fast(-1800);
        body["record"] = record;
        let made = inspector.post("/unannounced-checks", &body).expect(201, "").json();
        assert_eq!((&made["state"], &made["skew_ms"], &made["deducted"]), (&json!("recorded"), &json!(600_000), &json!("3.00")));
        assert_eq!(made["begun_at"], body["begun_at"]);
        inspector.post("/unannounced-checks", &body).expect(200, "");
        // A clock that is ahead without saying so is told.
        let mut ahead = kit.body("covert");
        ahead["begun_at"] = fast(0);
        assert_eq!(inspector.post("/unannounced-checks", &ahead).expect(422, "invalid_body").wrong(), ["/begun_at in_the_future"]);
        // What was begun while the authorisation was in force may arrive when it is not.
        let late = kit.body("covert");
        world.advance(31 * 24 * 3600);
        world.as_("53-inspector").post("/unannounced-checks", &late).expect(201, "");
        let mut after = kit.body("covert");
        after["begun_at"] = json!(world.clock.now());
        world.as_("53-inspector").post("/unannounced-checks", &after).expect(422, "authorisation_not_in_force");
    }

    fn an_authorisation_counts_as_it_stood_when_the_check_was_begun(world) {
        let kit = Kit::of(world, "5301");
        let send = |begun: i64| {
            let mut body = kit.body("covert");
            body["begun_at"] = json!(world.clock.now().plus_seconds(begun));
            world.as_("53-inspector").post("/unannounced-checks", &body)
        };
        // Approved a moment ago: what was begun before that was begun under none.
        send(0).expect(201, "");
        send(-60).expect(422, "authorisation_not_in_force");
        world.advance(3600);
        let revoke = json!({ "reason": "任务调整。" });
        world.as_("53-discipline").post(&format!("/authorisations/{}/revoke", kit.authorisation), &revoke).expect(200, "");
        // A phone comes out of the basement: begun before the revocation, and after it.
        world.advance(3600);
        send(-3601).expect(201, "");
        send(-3600).expect(422, "authorisation_not_in_force");
    }

    fn whoever_takes_over_from_a_unit_answers_for_its_checks(world) {
        let kit = Kit::of(world, "530302");
        let id = kit.taken("covert", &["record", "confirm"]);
        let path = format!("/unannounced-checks/{id}");
        let merge = json!({ "into_id": world.unit("530102"), "reason": "区划调整。" });
        world.as_("53-system-admin").post(&format!("/units/{}/merge", kit.unit), &merge).expect(200, "");
        world.as_("530102-unit-head").get(&path).expect(404, "not_found");
        kit.act(&id, "release").expect(200, "");
        let seen = shown(world, "530102-unit-head", &id);
        assert_eq!((&seen["unit"]["code"], &seen["allowed_actions"]), (&json!("530302"), &json!(["contest"])));
        world.as_("530102-unit-head").post(&format!("{path}/contest"), &json!({ "content": "合并前已整改。" })).expect(200, "");
        let decide = json!({ "outcome": "upheld", "reasons": "维持。" });
        world.as_("530102-group-office").post(&format!("{path}/decide"), &decide).expect(422, "decider_of_the_unit");
        world.as_("53-group-office").post(&format!("{path}/decide"), &decide).expect(200, "");
    }

    fn everything_that_is_wrong_with_a_check_is_told_at_once(world) {
        let kit = Kit::of(world, "5301");
        let inspector = world.as_("53-inspector");
        let refused = |changes: Value| {
            let mut body = kit.body("covert");
            body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            inspector.post("/unannounced-checks", &body).expect(422, "invalid_body").wrong()
        };
        let place = json!({ "text": "大厅", "latitude": "25.04" });
        let early = json!(world.clock.now().plus_seconds(-60));
        assert_eq!(
            refused(json!({ "place": place, "sent_at": early })),
            ["/place/longitude required", "/place/datum required", "/sent_at out_of_order"]
        );
        assert_eq!(refused(json!({ "place": { "text": "大厅", "latitude": "91", "longitude": "x", "datum": "wgs84" } })), ["/place/latitude wrong_format", "/place/longitude wrong_format"]);
        let other = story::authorised(world, "5303");
        assert_eq!(refused(json!({ "authorisation_id": other })), ["/unit_id not_allowed_value"]);
        assert_eq!(refused(json!({ "kind": "open" })), ["/team_user_ids too_few"]);
        let supervisor = world.user("53-special-supervisor");
        assert_eq!(refused(json!({ "team_user_ids": [supervisor] })), ["/team_user_ids required"]);
        assert_eq!(
            refused(json!({ "team_user_ids": [world.user("53-inspector"), world.user("53-liaison"), world.user("50-inspector")] })),
            ["/team_user_ids/1 not_allowed_value", "/team_user_ids/2 not_allowed_value"]
        );
        // A checklist for stations is none for a city; one of another city's is none for this.
        let office = world.as_("53-group-office");
        let stations = json!({ "unit_id": world.unit("53"), "template": "case_acceptance" });
        let list = office.post("/checklists", &stations).expect(201, "").id();
        office.post(&format!("/checklists/{list}/publish"), &json!({})).expect(200, "");
        let version = office.get(&format!("/checklists/{list}/versions")).json()["items"][0]["id"].clone();
        assert_eq!(refused(json!({ "checklist_version_id": version })), ["/checklist_version_id unknown_reference"]);
        let mut record = kit.record();
        record["answers"].as_array_mut().unwrap().pop();
        record["answers"][0] = json!({ "item": "GZ-1", "number": "3" });
        record["ended_at"] = json!(world.clock.now().plus_seconds(-3600));
        assert_eq!(
            refused(json!({ "record": record })),
            ["/record/answers/0/yes required", "/record/answers required", "/record/ended_at out_of_order"]
        );
        // The people of the province's own branch do not inspect the province itself.
        let own = Kit::of(world, "53");
        inspector.post("/unannounced-checks", &own.body("covert")).expect(422, "inspects_own_unit");
        world.as_("53-liaison").post("/unannounced-checks", &kit.body("covert")).expect(403, "forbidden");
    }

    fn an_open_check_is_seen_from_the_start(world) {
        let kit = Kit::of(world, "5301");
        let id = kit.begin("open");
        let path = format!("/unannounced-checks/{id}");
        for who in ["5301-unit-head", "5301-liaison", "53-group-member", "53-special-supervisor"] {
            world.as_(who).get(&path).expect(200, "");
        }
        for who in ["5303-unit-head", "50-discipline"] {
            world.as_(who).get(&path).expect(404, "not_found");
        }
        world.as_("53-auditor").get(&path).expect(403, "forbidden");
        // Seeing is not being of the team.
        world.as_("53-group-office").post(&format!("{path}/confirm"), &json!({})).expect(409, "check_not_recorded");
        kit.act(&id, "record").expect(200, "");
        world.as_("53-group-office").post(&format!("{path}/confirm"), &json!({})).expect(422, "not_the_commander");
        world.as_("53-group-office").post(&format!("{path}/void"), &json!({ "reason": "不妥。" })).expect(422, "not_in_team");
    }

    fn whoever_commands_and_records_does_not_confirm(world) {
        let kit = Kit::of(world, "5301");
        let mut body = story::authorisation_body(world, "5301");
        body["commander_user_id"] = json!(world.user("53-inspector"));
        let id = world.as_("53-discipline").post("/authorisations", &body).expect(201, "").id();
        world.as_("53-group-office").post(&format!("/authorisations/{id}/approve"), &json!({})).expect(200, "");
        let mut check = kit.body("covert");
        check["authorisation_id"] = json!(id);
        check["record"] = kit.record();
        let made = world.as_("53-inspector").post("/unannounced-checks", &check).expect(201, "");
        assert_eq!(strings(&made.json()["allowed_actions"]), ["void", "add_addendum"]);
        world.as_("53-inspector").post(&format!("/unannounced-checks/{}/confirm", made.id()), &json!({})).expect(422, "confirmer_is_recorder");
    }
}
