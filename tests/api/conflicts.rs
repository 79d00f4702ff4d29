//! Declared conflicts of interest: who has one in a unit neither inspects it nor what is below it, nor commands that; what was
//! begun before stands; nobody ends their own; the inspected side does not learn of it.

use std::time::Duration;

use pingyi::db::Instant;
use pingyi::web::Format;
use serde_json::{Value, json};

use crate::support::checks::Kit;
use crate::support::client::{Reply, strings};
use crate::support::live::{Ear, Running};
use crate::support::raw::Raw;
use crate::support::sealing::{seal, sign};
use crate::support::sheets::export;
use crate::support::story::{conflict, conflict_body};
use crate::support::{World, both, people};

const INSPECTOR: &str = "53-inspector";
const SUPERVISOR: &str = "53-special-supervisor";
const DISCIPLINE: &str = "53-discipline";
const OFFICE: &str = "53-group-office";
const SYSTEM: &str = "53-system-admin";
/// Seconds.
const DAY: i64 = 86_400;
/// The refusal of the inspector, and of the supervisor beside them.
const FIRST: &str = "/team_user_ids/0 conflict_declared";
const SECOND: &str = "/team_user_ids/1 conflict_declared";

fn end(world: &World, who: &str, id: &str) -> Reply {
    world.as_(who).post(&format!("/conflicts/{id}/end"), &json!({ "reason": "经核实, 其配偶已调离。" }))
}

/// Begins a check of the unit with this code, so many seconds ago.
fn begin(kit: &Kit<'_>, kind: &str, code: &str, seconds_ago: i64) -> Reply {
    let mut body = kit.body(kind);
    body["unit_id"] = json!(kit.world.unit(code));
    body["begun_at"] = json!(kit.world.clock.now().plus_seconds(-seconds_ago));
    kit.world.as_(INSPECTOR).post("/unannounced-checks", &body)
}

#[track_caller]
fn refused(reply: Reply, wrong: &[&str]) {
    assert_eq!(reply.expect(422, "invalid_body").wrong(), wrong);
}

/// Puts a unit under another, or ends it in favour of that one; by when it counts.
fn reorganise(world: &World, unit: &str, to: &str, by: &str, day: Option<&str>) {
    let target = if by == "move" { "parent_id" } else { "into_id" };
    let mut body = json!({ "reason": "区划调整。" });
    body[target] = json!(to);
    if let Some(day) = day {
        body["effective_on"] = json!(day);
    }
    world.as_(SYSTEM).post(&format!("/units/{unit}/{by}"), &body).expect(200, "");
}

/// What a reply says, but for what belongs to the request.
fn said(reply: &Reply, id: &str) -> String {
    let request = reply.header("x-request-id").unwrap_or_default();
    format!("{} {}", reply.status, reply.text().replace(request, "REQUEST").replace(id, "ID"))
}

fn total(world: &World, who: &str, filter: &str) -> Value {
    world.as_(who).get(&format!("/conflicts?count=exact{filter}")).expect(200, "").json()["total"].clone()
}

both! {
    fn whoever_has_an_interest_neither_inspects_the_unit_nor_what_is_below_it(world) {
        let kit = Kit::of(world, "5301");
        // The bureau covers its branches and stations.
        let own = conflict(world, SUPERVISOR, "5301", "kinship");
        for code in ["5301", "530102", "530102001", "5301-W01"] {
            refused(begin(&kit, "open", code, 0), &["/team_user_ids/1 conflict_declared"]);
        }
        // Without the supervisor it can be made.
        begin(&kit, "covert", "5301", 0).expect(201, "");
        end(world, DISCIPLINE, &own).expect(200, "");
        begin(&kit, "open", "5301", 0).expect(201, "");
        // A branch covers neither the bureau above it nor what is beside it.
        conflict(world, SUPERVISOR, "530102", "served_there");
        conflict(world, INSPECTOR, "530102001", "dispute");
        refused(begin(&kit, "open", "530102001", 0), &["/team_user_ids/0 conflict_declared", "/team_user_ids/1 conflict_declared"]);
        refused(begin(&kit, "open", "530102", 0), &["/team_user_ids/1 conflict_declared"]);
        for code in ["5301", "5301-W01"] {
            begin(&kit, "open", code, 0).expect(201, "");
        }
        // What lies outside the authorisation says nothing of who keeps away from it.
        conflict(world, SUPERVISOR, "5303", "other");
        refused(begin(&kit, "open", "5303", 0), &["/unit_id not_allowed_value"]);
    }

    fn whoever_has_an_interest_does_not_command(world) {
        let kit = Kit::of(world, "5301");
        let own = conflict(world, DISCIPLINE, "5301", "business");
        begin(&kit, "covert", "530102", 0).expect(422, "commander_has_conflict");
        end(world, OFFICE, &own).expect(200, "");
        begin(&kit, "covert", "530102", 0).expect(201, "");
        // The commander's branch is no reason not to inspect the bureau.
        conflict(world, DISCIPLINE, "530102", "business");
        begin(&kit, "covert", "5301", 0).expect(201, "");
    }

    fn what_was_begun_before_it_was_declared_stands(world) {
        let kit = Kit::of(world, "5301");
        world.advance(3600);
        let before = begin(&kit, "open", "5301", 0).expect(201, "").id();
        let declared = conflict(world, INSPECTOR, "5301", "kinship");
        // Sent late: by when it was begun it is judged.
        begin(&kit, "covert", "5301", 1).expect(201, "");
        refused(begin(&kit, "covert", "5301", 0), &["/team_user_ids/0 conflict_declared"]);
        // What is under way goes on.
        world.as_(INSPECTOR).post(&format!("/unannounced-checks/{before}/record"), &kit.record()).expect(200, "");
        world.advance(1800);
        // The device's clock is twenty minutes slow and says so: by it the check was begun before the declaration, by ours after.
        let by_device = |begun: i64, now: i64| {
            let mut body = kit.body("covert");
            body["begun_at"] = json!(world.clock.now().plus_seconds(begun));
            body["sent_at"] = json!(world.clock.now().plus_seconds(now));
            world.as_(INSPECTOR).post("/unannounced-checks", &body)
        };
        refused(by_device(-1200 - 900, -1200), &["/team_user_ids/0 conflict_declared"]);
        by_device(1200 - 1801, 1200).expect(201, "");
        // Ended: what was begun while it stood stays refused, what is begun from now on is not.
        end(world, DISCIPLINE, &declared).expect(200, "");
        refused(begin(&kit, "covert", "5301", 1), &["/team_user_ids/0 conflict_declared"]);
        begin(&kit, "covert", "5301", 0).expect(201, "");
    }

    fn nobody_ends_their_own(world) {
        let (own, other) = (conflict(world, DISCIPLINE, "5301", "kinship"), conflict(world, INSPECTOR, "5301", "kinship"));
        let path = format!("/conflicts/{other}");
        let shown = world.as_(DISCIPLINE).get(&path).expect(200, "").json();
        assert_eq!((&shown["state"], &shown["since_at"], &shown["ended_at"]), (&json!("standing"), &shown["created_at"], &Value::Null));
        assert_eq!((&shown["user"]["id"], &shown["declared_by"]), (&json!(world.user(INSPECTOR)), &shown["user"]));
        assert_eq!(strings(&shown["allowed_actions"]), ["end"]);
        end(world, DISCIPLINE, &own).expect(422, "own_conflict");
        end(world, INSPECTOR, &other).expect(403, "forbidden");
        world.as_(DISCIPLINE).post(&format!("{path}/end"), &json!({ "reason": "" })).expect(422, "invalid_body");
        // The version is compared when it is sent.
        let stale = world.as_(DISCIPLINE).call("POST", &format!("{path}/end")).json(&json!({ "reason": "已经调离。" }));
        stale.header("If-Match", "\"v7.0000\"").send().expect(412, "precondition_failed");
        let ended = end(world, DISCIPLINE, &other).expect(200, "").json();
        assert_eq!((&ended["state"], &ended["version"], &ended["allowed_actions"]), (&json!("ended"), &json!(2), &json!([])));
        assert_eq!((&ended["ended_by"]["id"], &ended["end_reason"]), (&json!(world.user(DISCIPLINE)), &json!("经核实, 其配偶已调离。")));
        end(world, OFFICE, &other).expect(409, "conflict_ended");
        // What has ended is ended for whoever's own it is, too.
        end(world, OFFICE, &own).expect(200, "");
        end(world, DISCIPLINE, &own).expect(409, "conflict_ended");
    }

    fn the_inspected_side_does_not_learn_of_it(world) {
        let id = conflict(world, INSPECTOR, "5301", "kinship");
        let path = format!("/conflicts/{id}");
        for who in [INSPECTOR, DISCIPLINE, OFFICE] {
            world.as_(who).get(&path).expect(200, "");
            assert_eq!(total(world, who, ""), 1, "{who}");
        }
        let absent = uuid::Uuid::now_v7().to_string();
        for who in ["5301-discipline", "5301-group-office", "5301-group-head", "53-group-head", SUPERVISOR, "50-discipline"] {
            let (here, nowhere) = (world.as_(who).get(&path), world.as_(who).get(&format!("/conflicts/{absent}")));
            assert_eq!(said(&here, &id), said(&nowhere, &absent), "{who}");
            assert_eq!((here.status, total(world, who, "")), (404, json!(0)), "{who}");
        }
        for who in ["5301-group-office", "50-discipline"] {
            end(world, who, &id).expect(404, "not_found");
        }
        for who in ["53-auditor", "53-unit-head", "53-group-member", "53-liaison", "53-system-admin"] {
            world.as_(who).get(&path).expect(403, "forbidden");
            world.as_(who).get("/conflicts").expect(403, "forbidden");
        }
        // What was said of it stands in no list, in no file, and not in the log.
        let statement = conflict_body(world, "5301", "kinship")["statement"].as_str().unwrap().to_owned();
        assert!(world.as_(DISCIPLINE).get(&path).text().contains(&statement));
        end(world, DISCIPLINE, &id).expect(200, "");
        sign(world, "53");
        let told = [
            world.as_(DISCIPLINE).get("/conflicts").expect(200, ""),
            export(&world.as_(DISCIPLINE), "/conflicts", Format::Csv).expect(200, ""),
            world.as_("53-auditor").get(&format!("/audit-log?entity_id={id}")).expect(200, ""),
        ];
        for reply in told {
            let text = reply.text();
            assert!(text.contains(&id), "{text}");
            assert!(!text.contains(&statement) && !text.contains("调离"), "{text}");
        }
    }

    fn it_is_told_to_its_person_and_to_those_above_them(world) {
        let _running = Running::beside(world.doors());
        seal(world, "53");
        let listen = |who| Ear::open(world.address(), world.as_(who).token(), None);
        let [own, above, inspected, other] = [INSPECTOR, DISCIPLINE, "5301-discipline", SUPERVISOR].map(listen);
        let id = conflict(world, INSPECTOR, "5301", "kinship");
        for ear in [&own, &above] {
            assert_eq!(ear.until("conflict conflict.declare").last().unwrap().about(), id);
        }
        for ear in [&inspected, &other] {
            if let Some(event) = ear.next(Duration::from_millis(2500)) {
                panic!("{event:?}");
            }
        }
    }

    fn who_declares_what_of_whom(world) {
        let declare = |who: &str, changes: Value| {
            let mut body = conflict_body(world, "5301", "kinship");
            body.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            world.as_(who).post("/conflicts", &body)
        };
        let made = declare(DISCIPLINE, json!({ "user_id": world.user(SUPERVISOR) })).expect(201, "");
        let shown = world.as_(SUPERVISOR).get(&format!("/conflicts/{}", made.id())).expect(200, "").json();
        assert_eq!((&shown["user"]["id"], &shown["declared_by"]["id"]), (&json!(world.user(SUPERVISOR)), &json!(world.user(DISCIPLINE))));
        // Of oneself by name as well.
        declare(INSPECTOR, json!({ "user_id": world.user(INSPECTOR) })).expect(201, "");
        // Nobody else's business; nobody who inspects or commands; another province's, or nobody.
        let person = |who: &str, of: &str| declare(who, json!({ "user_id": of, "kind": "other" }));
        refused(person(INSPECTOR, world.user(SUPERVISOR)), &["/user_id unknown_reference"]);
        refused(person("5301-discipline", world.user(INSPECTOR)), &["/user_id unknown_reference"]);
        refused(person(DISCIPLINE, world.user("50-inspector")), &["/user_id unknown_reference"]);
        refused(person(DISCIPLINE, world.user("53-liaison")), &["/user_id wrong_kind"]);
        person("5301-discipline", world.user("5301-group-head")).expect(201, "");
        let both = json!({ "user_id": uuid::Uuid::now_v7(), "unit_id": world.unit("50") });
        refused(declare(DISCIPLINE, both), &["/user_id unknown_reference", "/unit_id unknown_reference"]);
        // A unit that one cannot see; one that is there no more.
        refused(declare("5301-group-head", json!({ "unit_id": world.unit("5303") })), &["/unit_id unknown_reference"]);
        let gone = json!({ "code": "530199", "name": "新区分局", "kind": "county", "parent_id": world.unit("5301") });
        let system = world.as_("53-system-admin");
        let gone = system.post("/units", &gone).expect(201, "").id();
        system.post(&format!("/units/{gone}/deactivate"), &json!({ "reason": "撤销。" })).expect(200, "");
        refused(declare(INSPECTOR, json!({ "unit_id": gone })), &["/unit_id unit_deactivated"]);
        refused(declare(INSPECTOR, json!({ "statement": "", "kind": "friendship" })), &["/kind not_allowed_value", "/statement too_short"]);
        for who in ["53-liaison", "53-unit-head", "53-group-member"] {
            declare(who, json!({})).expect(403, "forbidden");
        }
    }

    fn the_same_is_declared_once(world) {
        let inspector = world.as_(INSPECTOR);
        let id = uuid::Uuid::now_v7();
        let mut body = conflict_body(world, "5301", "kinship");
        body["id"] = json!(id);
        let made = inspector.post("/conflicts", &body).expect(201, "");
        assert_eq!((made.header("location"), made.id()), (Some(format!("/api/v1/conflicts/{id}").as_str()), id.to_string()));
        assert_eq!(inspector.post("/conflicts", &body).expect(200, "").id(), id.to_string());
        let mut other = body.clone();
        other["statement"] = json!("兄长现任该单位副职。");
        inspector.post("/conflicts", &other).expect(409, "id_taken");
        world.as_(SUPERVISOR).post("/conflicts", &body).expect(409, "id_taken");
        world.as_("50-inspector").post("/conflicts", &{
            let mut body = conflict_body(world, "500103", "kinship");
            body["id"] = json!(id);
            body
        }).expect(201, "");
        // Another id, and the same interest: it stands already. Of another kind, in another unit, of another person it is another.
        inspector.post("/conflicts", &conflict_body(world, "5301", "kinship")).expect(409, "already_declared");
        conflict(world, INSPECTOR, "5301", "dispute");
        conflict(world, INSPECTOR, "530102", "kinship");
        conflict(world, SUPERVISOR, "5301", "kinship");
        // Ended, it may come to be again.
        end(world, DISCIPLINE, &id.to_string()).expect(200, "");
        conflict(world, INSPECTOR, "5301", "kinship");
        assert_eq!(inspector.post("/conflicts", &body).expect(200, "").json()["state"], "ended");
    }

    fn the_list_is_narrowed(world) {
        let (city, branch) = (conflict(world, INSPECTOR, "5301", "kinship"), conflict(world, SUPERVISOR, "530102", "dispute"));
        world.advance(1);
        let far = conflict(world, INSPECTOR, "5303", "business");
        end(world, DISCIPLINE, &branch).expect(200, "");
        let listed = |who: &str, filter: &str| -> Vec<String> {
            let list = world.as_(who).get(&format!("/conflicts?{filter}")).expect(200, "").json();
            let mut ids: Vec<String> = list["items"].as_array().unwrap().iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
            if !filter.starts_with("sort") {
                ids.sort();
            }
            ids
        };
        let some = |ids: &[&String]| -> Vec<String> {
            let mut ids: Vec<String> = ids.iter().map(|id| (*id).clone()).collect();
            ids.sort();
            ids
        };
        let (kunming, inspector) = (world.unit("5301"), world.user(INSPECTOR));
        assert_eq!(listed(DISCIPLINE, "limit=9"), some(&[&city, &branch, &far]));
        assert_eq!(listed(INSPECTOR, "limit=9"), some(&[&city, &far]));
        assert_eq!(listed(DISCIPLINE, "state=standing"), some(&[&city, &far]));
        assert_eq!(listed(DISCIPLINE, "kind=dispute&kind=business"), some(&[&branch, &far]));
        assert_eq!(listed(DISCIPLINE, &format!("user_id={inspector}")), some(&[&city, &far]));
        assert_eq!(listed(DISCIPLINE, &format!("unit_id={kunming}")), some(&[&city, &branch]));
        assert_eq!(listed(DISCIPLINE, &format!("unit_id={kunming}&depth=self")), some(&[&city]));
        assert_eq!(listed(DISCIPLINE, &format!("unit_id={kunming}&user_id={inspector}&state=ended")), some(&[]));
        assert_eq!(listed(SUPERVISOR, &format!("user_id={inspector}")), some(&[]));
        assert_eq!(listed(DISCIPLINE, "sort=-created_at").first(), Some(&far));
        assert_eq!(listed(DISCIPLINE, "sort=created_at").last(), Some(&far));
        world.as_(DISCIPLINE).get("/conflicts?statement=x").expect(400, "invalid_query");
    }

    fn it_is_seen_from_where_its_person_stands_now(world) {
        let id = conflict(world, "530102-group-head", "530102001", "kinship");
        let path = format!("/conflicts/{id}");
        world.as_("5301-group-office").get(&path).expect(200, "");
        world.as_("5303-group-office").get(&path).expect(404, "not_found");
        let to = json!({ "parent_id": world.unit("5303"), "reason": "区划调整。" });
        world.as_("53-system-admin").post(&format!("/units/{}/move", world.unit("530102")), &to).expect(200, "");
        world.as_("5301-group-office").get(&path).expect(404, "not_found");
        end(world, "5301-group-office", &id).expect(404, "not_found");
        assert_eq!(total(world, "5303-group-office", ""), 1);
        end(world, "5303-group-office", &id).expect(200, "");
    }

    fn it_goes_with_a_unit_that_is_moved_and_on_with_its_successor(world) {
        let kit = Kit::of(world, "53");
        let begin = |code: &str, ago: i64| begin(&kit, "covert", code, ago);
        world.advance(600);
        let id = conflict(world, INSPECTOR, "530302", "kinship");
        let over = conflict(world, INSPECTOR, "530302", "dispute");
        end(world, DISCIPLINE, &over).expect(200, "");
        refused(begin("530302001", 0), &["/team_user_ids/0 conflict_declared"]);
        begin("530102", 0).expect(201, "");
        let system = world.as_("53-system-admin");
        let county = world.unit("530302");
        system.post(&format!("/units/{county}/move"), &json!({ "parent_id": world.unit("5304"), "reason": "区划调整。" })).expect(200, "");
        refused(begin("530302", 0), &["/team_user_ids/0 conflict_declared"]);
        world.advance(120);
        system.post(&format!("/units/{county}/merge"), &json!({ "into_id": world.unit("530102"), "reason": "区划调整。" })).expect(200, "");
        let shown = world.as_(INSPECTOR).get(&format!("/conflicts/{id}")).expect(200, "").json();
        assert_eq!((&shown["unit"]["code"], &shown["state"], &shown["version"]), (&json!("530102"), &json!("standing"), &json!(2)));
        assert_eq!(shown["since_at"], json!(world.clock.now()));
        // What had ended stays with the unit that it was about.
        let ended = world.as_(INSPECTOR).get(&format!("/conflicts/{over}")).expect(200, "").json();
        assert_eq!((&ended["unit"]["code"], &ended["version"]), (&json!("530302"), &json!(2)));
        world.advance(60);
        for code in ["530102", "530102001", "530302001"] {
            refused(begin(code, 0), &["/team_user_ids/0 conflict_declared"]);
        }
        // Begun before the merger it was begun at a unit in which nobody had an interest.
        begin("530102", 61).expect(201, "");
        begin("5301", 0).expect(201, "");
    }

    fn a_late_check_is_judged_by_the_tree_of_the_moment_it_was_begun(world) {
        let kit = Kit::of(world, "53");
        conflict(world, INSPECTOR, "5303", "kinship");
        conflict(world, SUPERVISOR, "5304", "dispute");
        world.advance(2 * DAY);
        reorganise(world, world.unit("530302"), world.unit("5304"), "move", None);
        world.advance(2 * DAY);
        // The bureau and what is below it stood under the one city until then, and stand under the other from then on.
        for code in ["530302", "530302001"] {
            for (ago, who) in [(3 * DAY, FIRST), (2 * DAY + 1, FIRST), (2 * DAY, SECOND), (DAY, SECOND), (0, SECOND)] {
                refused(begin(&kit, "open", code, ago), &[who]);
            }
        }
        // What did not move.
        refused(begin(&kit, "open", "5303-W01", DAY), &[FIRST]);
        begin(&kit, "covert", "530302001", DAY).expect(201, "");
        begin(&kit, "open", "530102", 3 * DAY).expect(201, "");
        // By our clock it is asked when that was: the device's is three days slow, or fast.
        for (off, begun, who) in [(-3 * DAY, 4 * DAY, SECOND), (3 * DAY, 0, FIRST)] {
            let mut body = kit.body("open");
            body["unit_id"] = json!(world.unit("530302001"));
            body["begun_at"] = json!(world.clock.now().plus_seconds(-begun));
            body["sent_at"] = json!(world.clock.now().plus_seconds(off));
            refused(world.as_(INSPECTOR).post("/unannounced-checks", &body), &[who]);
        }
    }

    fn what_is_changed_later_on_the_day_of_a_move_does_not_move_it(world) {
        let kit = Kit::of(world, "53");
        conflict(world, INSPECTOR, "5303", "kinship");
        conflict(world, SUPERVISOR, "5304", "dispute");
        let hour = 3600;
        let morning = Instant::start_of_shanghai_day(world.clock.now().shanghai_day()).plus_seconds(DAY + 9 * hour);
        world.advance(i64::try_from(morning.since(world.clock.now()).as_secs()).unwrap());
        // At nine the bureau goes to another city, and a window to another bureau.
        let (county, window, above) = (world.unit("530302"), world.unit("5303-W01"), world.unit("530102"));
        reorganise(world, county, world.unit("5304"), "move", None);
        reorganise(world, window, above, "move", None);
        let moved_at = world.clock.now();
        world.advance(8 * hour);
        // At five the bureau is renamed, and the window's new one moves on with it.
        world.as_(SYSTEM).patch(&format!("/units/{county}"), "*", &json!({ "name": "新区分局" })).expect(200, "");
        reorganise(world, above, world.unit("5304"), "move", None);
        let renamed_at = world.clock.now();
        world.advance(hour);
        for code in ["530302", "530302001"] {
            for (ago, who) in [(9 * hour + 1, FIRST), (9 * hour, SECOND), (5 * hour, SECOND), (hour, SECOND)] {
                refused(begin(&kit, "open", code, ago), &[who]);
            }
        }
        refused(begin(&kit, "open", "5303-W01", 9 * hour + 1), &[FIRST]);
        for ago in [9 * hour, 5 * hour, hour + 1] {
            begin(&kit, "open", "5303-W01", ago).expect(201, "");
        }
        refused(begin(&kit, "open", "5303-W01", hour), &[SECOND]);
        // The history tells of the day as it ended, and when that was entered.
        let history = world.as_(SYSTEM).get(&format!("/units/{county}/history")).expect(200, "").json();
        let day = &history["items"][0];
        assert_eq!((&day["change"], &day["recorded_at"]), (&json!("renamed"), &json!(renamed_at)));
        assert_ne!(day["recorded_at"], json!(moved_at));
    }

    fn what_was_declared_of_a_unit_counts_for_it_before_it_is_merged_and_for_its_successor_after(world) {
        let kit = Kit::of(world, "53");
        let mut body = conflict_body(world, "530302", "kinship");
        body["id"] = json!(uuid::Uuid::now_v7());
        let id = world.as_(INSPECTOR).post("/conflicts", &body).expect(201, "").id();
        let over = conflict(world, SUPERVISOR, "530302", "dispute");
        world.advance(DAY);
        end(world, DISCIPLINE, &over).expect(200, "");
        world.advance(DAY);
        let merged_at = world.clock.now();
        reorganise(world, world.unit("530302"), world.unit("530102"), "merge", None);
        // What was sent before is sent again: it is here.
        let again = world.as_(INSPECTOR).post("/conflicts", &body).expect(200, "").json();
        assert_eq!((&again["id"], &again["unit"]["code"], &again["since_at"]), (&json!(id), &json!("530102"), &json!(merged_at)));
        world.advance(2 * DAY);
        let judged = || {
            // Before: of what was below it then, whoever it belongs to now; of itself, though it has ended; not of its successor.
            for ago in [3 * DAY, 2 * DAY + 1] {
                refused(begin(&kit, "covert", "530302001", ago), &[FIRST]);
                refused(begin(&kit, "covert", "530302", ago), &["/unit_id unit_deactivated", FIRST]);
                for code in ["530102", "530102001"] {
                    begin(&kit, "covert", code, ago).expect(201, "");
                }
            }
            // After: of the successor and all below it.
            for ago in [2 * DAY, DAY, 1] {
                for code in ["530102", "530102001", "530302001"] {
                    refused(begin(&kit, "covert", code, ago), &[FIRST]);
                }
            }
            // While the other's stood, and no longer.
            refused(begin(&kit, "open", "530302001", 3 * DAY + 1), &[FIRST, SECOND]);
            refused(begin(&kit, "open", "530302001", 3 * DAY), &[FIRST]);
            refused(begin(&kit, "open", "530102", DAY), &[FIRST]);
        };
        judged();
        // It is listed by what it concerns now; the other by what it concerned.
        for (code, one) in [("530102", &id), ("530302", &over)] {
            let list = world.as_(DISCIPLINE).get(&format!("/conflicts?unit_id={}", world.unit(code))).expect(200, "").json();
            assert_eq!((list["items"].as_array().unwrap().len(), &list["items"][0]["id"]), (1, &json!(one)), "{code}");
        }
        // Ended, it goes on counting for what was begun while it stood, wherever; for nothing else.
        end(world, DISCIPLINE, &id).expect(200, "");
        judged();
        for code in ["530102", "530302001"] {
            begin(&kit, "covert", code, 0).expect(201, "");
        }
    }

    fn it_follows_from_successor_to_successor_as_far_as_they_went_by_then(world) {
        let kit = Kit::of(world, "53");
        let body = json!({ "code": "530199", "name": "新区分局", "kind": "county", "parent_id": world.unit("5301") });
        let small = world.as_(SYSTEM).post("/units", &body).expect(201, "").id();
        let mut body = conflict_body(world, "5301", "kinship");
        body["unit_id"] = json!(small);
        let id = world.as_(INSPECTOR).post("/conflicts", &body).expect(201, "").id();
        // After two days it ends in the one, after four that one in the other; a day later.
        world.advance(2 * DAY);
        reorganise(world, &small, world.unit("530302"), "merge", None);
        world.advance(2 * DAY);
        reorganise(world, world.unit("530302"), world.unit("530102"), "merge", None);
        world.advance(DAY);
        for (code, free, parted) in [("530302001", 3 * DAY + 1, 3 * DAY), ("530102", DAY + 1, DAY), ("530102001", 2 * DAY, 0)] {
            begin(&kit, "covert", code, free).expect(201, "");
            refused(begin(&kit, "covert", code, parted), &[FIRST]);
        }
        let shown = world.as_(INSPECTOR).get(&format!("/conflicts/{id}")).expect(200, "").json();
        assert_eq!((&shown["unit"]["code"], &shown["version"]), (&json!("530102"), &json!(3)));
    }

    fn a_merger_is_not_forgotten_when_what_ended_is_moved_along(world) {
        let kit = Kit::of(world, "53");
        conflict(world, INSPECTOR, "530302001", "kinship");
        world.advance(DAY);
        let (station, successor) = (world.unit("530302001"), world.unit("530102001"));
        reorganise(world, station, successor, "merge", None);
        // On the very day, the bureau above it goes to another city.
        reorganise(world, world.unit("530302"), world.unit("5304"), "move", None);
        let shown = world.as_(SYSTEM).get(&format!("/units/{station}")).expect(200, "").json();
        assert_eq!((&shown["status"], &shown["successor_id"]), (&json!("deactivated"), &json!(successor)));
        world.advance(DAY);
        refused(begin(&kit, "covert", "530102001", 0), &[FIRST]);
        begin(&kit, "covert", "530102001", DAY + 1).expect(201, "");
    }

    fn a_merger_that_is_entered_late_counts_from_its_day(world) {
        let kit = Kit::of(world, "53");
        let early = conflict(world, INSPECTOR, "530302", "kinship");
        world.advance(3 * DAY);
        let late = conflict(world, SUPERVISOR, "530302", "dispute");
        world.advance(DAY);
        // Two days ago by the calendar: before the second was declared, after the first.
        let day = world.clock.now().shanghai_day() - chrono::Duration::days(2);
        let first_moment = Instant::start_of_shanghai_day(day);
        reorganise(world, world.unit("530302"), world.unit("530102"), "merge", Some(&day.to_string()));
        let since = |id: &str| {
            let shown = world.as_(DISCIPLINE).get(&format!("/conflicts/{id}")).expect(200, "").json();
            assert_eq!(shown["unit"]["code"], "530102");
            (shown["since_at"].clone(), shown["created_at"].clone())
        };
        assert_eq!(since(&early).0, json!(first_moment));
        let (since_at, created_at) = since(&late);
        assert_eq!(since_at, created_at);
        let ago = |moment: Instant| i64::try_from(world.clock.now().since(moment).as_secs()).unwrap();
        refused(begin(&kit, "open", "530102", ago(first_moment) - 1), &[FIRST]);
        refused(begin(&kit, "open", "530102", 1), &[FIRST, SECOND]);
        begin(&kit, "open", "530102", ago(first_moment) + 1).expect(201, "");
    }

    fn of_somebody_who_is_erased_nothing_that_was_said_is_left(world) {
        let system = world.as_(SYSTEM);
        let officer = json!({ "number": "053017", "name": "和志远", "kind": "police", "unit_id": world.unit("530102") });
        let officer = format!("/officers/{}", system.post("/officers", &officer).expect(201, "").id());
        let account = json!({
            "login": "hezhiyuan", "display_name": "和志远", "unit_id": world.unit("530102"),
            "officer_id": officer.trim_start_matches("/officers/"), "password": people::PASSWORD,
        });
        let user = system.post("/users", &account).expect(201, "").id();
        let role = json!({ "role": "inspector", "unit_id": world.unit("53") });
        world.as_("53-security-admin").post(&format!("/users/{user}/role-bindings"), &role).expect(201, "");
        let declare = |kind: &str| {
            let mut body = conflict_body(world, "5303", kind);
            body["user_id"] = json!(user);
            world.as_(DISCIPLINE).post("/conflicts", &body).expect(201, "").id()
        };
        let (standing, over) = (declare("kinship"), declare("dispute"));
        // Who declared of themselves stays whole, and so does what the same official said of somebody else.
        let other = conflict(world, INSPECTOR, "5303", "kinship");
        let keyed = world.as_(OFFICE).call("POST", &format!("/conflicts/{over}/end")).header("Idempotency-Key", "clerk-9");
        keyed.json(&json!({ "reason": "经核实, 其配偶已调离。" })).send().expect(200, "");
        let mut raw = Raw::owner(world, "53");
        let mut kept = || raw.texts("SELECT body AS text FROM idempotency_keys WHERE body LIKE '%配偶%'").len();
        assert_eq!(kept(), 1);
        let mut log = Raw::owner(world, "53");
        let mut logged = |action: &str| {
            log.texts(&format!(
                "SELECT coalesce(after_digest, '-') AS text FROM audit_log WHERE action = '{action}' ORDER BY id"
            ))
        };
        let declared = logged("conflict.declare");
        let why = json!({ "reason": "保存期满。" });
        system.post(&format!("{officer}/leave"), &why).expect(200, "");
        system.post(&format!("{officer}/erase"), &why).expect(200, "");
        let shown = |id: &str| world.as_(DISCIPLINE).get(&format!("/conflicts/{id}")).expect(200, "").json();
        for (id, state, version) in [(&standing, "standing", 2), (&over, "ended", 3)] {
            let one = shown(id);
            assert_eq!((&one["statement"], &one["end_reason"]), (&Value::Null, &Value::Null));
            // Who, of which unit, and when is what late checks are judged by.
            assert_eq!((&one["state"], &one["version"], &one["unit"]["code"]), (&json!(state), &json!(version), &json!("5303")));
            assert_eq!((&one["user"]["id"], &one["allowed_actions"]), (&json!(user), &json!([])));
        }
        end(world, DISCIPLINE, &standing).expect(409, "person_erased");
        end(world, DISCIPLINE, &over).expect(409, "conflict_ended");
        assert_eq!(shown(&other)["statement"], conflict_body(world, "5303", "kinship")["statement"]);
        // Nor in the tables, nor in what is kept for retries; what the log has committed to stays as it was.
        let left = "SELECT coalesce(statement, '') || coalesce(end_reason, '') || salt AS text FROM conflicts ORDER BY text";
        let left = Raw::owner(world, "53").texts(left);
        assert_eq!((left.len(), &left[..2]), (3, &[String::new(), String::new()][..]));
        assert!(left[2].contains("配偶"), "{left:?}");
        assert_eq!(kept(), 0);
        assert_eq!(logged("conflict.declare"), declared);
        assert_eq!(logged("conflict.follow_officer").len(), 2);
    }
}
