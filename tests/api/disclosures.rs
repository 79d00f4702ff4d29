//! No embargo lasts for ever: what was voided or never released is told in the log a year later, and known to those above the
//! inspected unit who may ask why; to that unit's own people never, but by a release.

use pingyi::inspections::checks::embargo;
use serde_json::{Value, json};

use crate::races::until_waiting;
use crate::support::checks::Kit;
use crate::support::client::{Reply, strings};
use crate::support::raw::Raw;
use crate::support::sealing::{run, sign};
use crate::support::{Backend, World, both, story};

const DAY: i64 = 86_400;
/// How long a check is kept that nobody releases.
const LATEST: i64 = 366 * DAY;
const OFFICE: &str = "53-group-office";
const DISCIPLINE: &str = "53-discipline";
const INSPECTOR: &str = "53-inspector";
const COMMANDER: &str = "53-group-head";
/// Who reads checks, and of these nothing: of the inspected unit, beside it, above it in another office.
const OTHERS: &[&str] = &[
    "5301-unit-head",
    "5301-discipline",
    "5301-group-office",
    "5301-group-head",
    "5301-liaison",
    "530102-group-office",
    "5303-group-office",
    "53-unit-head",
    "53-liaison",
    "53-group-member",
    "53-special-supervisor",
    "50-discipline",
    "50-group-office",
];

/// How many checks the clock had something to do with.
fn clock(world: &World) -> usize {
    run(embargo::release_by_the_clock(world.doors())).expect("the clock is looked at")
}

fn look(world: &World, who: &str, check: &str) -> Reply {
    world.as_(who).get(&format!("/unannounced-checks/{check}"))
}

fn act(world: &World, who: &str, check: &str, action: &str, body: &Value) -> Reply {
    world.as_(who).post(&format!("/unannounced-checks/{check}/{action}"), body)
}

/// Under a commander who is neither of discipline nor of the office.
fn kit(world: &World) -> Kit<'_> {
    let mut body = story::authorisation_body(world, "5301");
    body["commander_user_id"] = json!(world.user(COMMANDER));
    let authorisation = world.as_(OFFICE).post("/authorisations", &body).expect(201, "").id();
    world
        .as_(DISCIPLINE)
        .post(&format!("/authorisations/{authorisation}/approve"), &json!({}))
        .expect(200, "");
    Kit { authorisation, ..Kit::of(world, "5301") }
}

/// What the log tells of a check, in the order of the words.
fn told(world: &World, check: &str) -> Vec<String> {
    sign(world, "53");
    let log = world
        .as_("53-auditor")
        .get(&format!("/audit-log?limit=200&entity=unannounced_check&entity_id={check}"));
    let log = log.expect(200, "").json();
    let action = |row: &Value| row["action"].as_str().unwrap().replace("unannounced_check.", "");
    let mut found: Vec<String> = log["items"].as_array().unwrap().iter().map(action).collect();
    found.sort_unstable();
    found
}

/// How many covert checks somebody lists in this state.
fn listed(world: &World, who: &str, state: &str) -> Value {
    let path = format!("/unannounced-checks?kind=covert&state={state}&count=exact");
    world.as_(who).get(&path).expect(200, "").json()["total"].clone()
}

/// Where somebody is in what changes, and what of a check they are told behind that.
fn place(world: &World, who: &str) -> String {
    sign(world, "53");
    let first = world.as_(who).get("/changes?kind=unannounced_check").expect(200, "").json();
    first["next_since"].as_str().unwrap().to_owned()
}

fn heard(world: &World, who: &str, since: &str, check: &str) -> bool {
    sign(world, "53");
    let path = format!("/changes?kind=unannounced_check&since={since}");
    let answer = world.as_(who).get(&path).expect(200, "").json();
    assert_eq!(answer["reset"], false, "{answer}");
    answer["items"].as_array().unwrap().iter().any(|item| item["id"] == check)
}

both! {
    fn what_was_voided_does_not_vanish(world) {
        let kit = kit(world);
        let check = kit.taken("covert", &["record", "void"]);
        let photo = look(world, INSPECTOR, &check).expect(200, "").json()["attachments"][0]["id"].as_str().unwrap().to_owned();
        world.advance(LATEST - 1);
        assert_eq!(clock(world), 0);
        for who in OTHERS.iter().chain(&[OFFICE, DISCIPLINE]) {
            look(world, who, &check).expect(404, "not_found");
        }
        assert_eq!(told(world, &check), [""; 0]);
        let knowing = [OFFICE, DISCIPLINE, INSPECTOR, COMMANDER].map(|who| (who, place(world, who)));
        let silent: Vec<(&str, String)> =
            OTHERS.iter().filter(|who| who.starts_with("53")).map(|who| (*who, place(world, who))).collect();
        let held = look(world, INSPECTOR, &check).expect(200, "");
        assert_eq!(held.json()["disclosed_at"], Value::Null);

        world.advance(1);
        assert_eq!((clock(world), clock(world)), (1, 0));
        for who in [OFFICE, DISCIPLINE, INSPECTOR, COMMANDER] {
            let seen = look(world, who, &check).expect(200, "").json();
            assert_eq!((&seen["state"], &seen["void_reason"]), (&json!("voided"), &json!("选错单位。")), "{who}");
            assert_eq!((&seen["disclosed_at"], &seen["released_at"], &seen["number"]), (&json!(world.clock.now()), &Value::Null, &Value::Null));
            assert_eq!((&seen["record"]["answers"][0]["yes"], &seen["allowed_actions"]), (&json!(false), &json!([])));
            assert_eq!(listed(world, who, "voided"), 1, "{who}");
            world.as_(who).get(&format!("/attachments/{photo}")).expect(200, "");
        }
        for who in OTHERS {
            look(world, who, &check).expect(404, "not_found");
            assert_eq!(listed(world, who, "voided"), 0, "{who}");
            let answer = world.as_(who).get(&format!("/attachments/{photo}"));
            assert_eq!(answer.status, 404, "{who}: {}", answer.story());
        }
        for (who, since) in &knowing {
            assert!(heard(world, who, since, &check), "{who}");
        }
        for (who, since) in &silent {
            assert!(!heard(world, who, since, &check), "{who}");
        }
        // All of it is in the log, with who looked meanwhile, and the log is whole.
        assert_eq!(told(world, &check), ["background", "create", "record", "void"]);
        let readers = world.as_(DISCIPLINE).get(&format!("/unannounced-checks/{check}/readers")).expect(200, "").json();
        assert_eq!(readers["items"][0]["user"]["id"], world.user(INSPECTOR), "{readers}");
        let verified = world.as_("53-auditor").get("/audit-log/verify").expect(200, "").json();
        assert_eq!(verified["whole"], true, "{verified}");
    }

    fn what_is_never_confirmed_is_known_above_and_goes_on(world) {
        let kit = kit(world);
        let [recorded, begun] = [&["record"][..], &[]].map(|actions| kit.taken("covert", actions));
        world.advance(LATEST);
        assert_eq!(listed(world, DISCIPLINE, "recorded"), 0, "not before the clock has looked");
        assert_eq!(clock(world), 2);
        for (check, state) in [(&recorded, "recorded"), (&begun, "in_progress")] {
            let seen = look(world, DISCIPLINE, check).expect(200, "").json();
            assert_eq!((&seen["state"], &seen["allowed_actions"]), (&json!(state), &json!([])));
            assert_eq!(listed(world, OFFICE, state), 1);
        }
        // Seeing is not commanding, nor is the unit asked.
        act(world, DISCIPLINE, &recorded, "confirm", &json!({})).expect(422, "not_the_commander");
        act(world, OFFICE, &recorded, "void", &json!({ "reason": "太久。" })).expect(422, "not_in_team");
        act(world, "5301-unit-head", &recorded, "contest", &json!({ "content": "异议。" })).expect(404, "not_found");
        let absent = uuid::Uuid::now_v7().to_string();
        let refused = |id: &str| act(world, "5301-group-office", id, "decide", &json!({ "outcome": "upheld", "reasons": "维持。" }));
        assert_eq!(refused(&recorded).expect(404, "not_found").status, refused(&absent).expect(404, "not_found").status);
        // What happens to it from now on is told at once, what is looked at as well.
        act(world, INSPECTOR, &recorded, "addenda", &json!({ "content": "等候实为 42 分钟。" })).expect(201, "");
        assert_eq!(told(world, &recorded), ["add_addendum", "background", "create", "record"]);
        act(world, INSPECTOR, &begun, "void", &json!({ "reason": "未能进行。" })).expect(200, "");
        assert_eq!(told(world, &begun), ["background", "create", "void"]);
        look(world, "5301-unit-head", &begun).expect(404, "not_found");
        // Confirmed and released in the end, it is everybody's in reach, as any other.
        assert_eq!(strings(&look(world, COMMANDER, &recorded).json()["allowed_actions"]), ["confirm", "void", "add_addendum"]);
        act(world, COMMANDER, &recorded, "confirm", &json!({})).expect(200, "");
        look(world, "5301-unit-head", &recorded).expect(404, "not_found");
        act(world, COMMANDER, &recorded, "release", &json!({})).expect(200, "");
        let seen = look(world, "5301-unit-head", &recorded).expect(200, "").json();
        assert_eq!((&seen["state"], &seen["allowed_actions"]), (&json!("released"), &json!(["contest"])));
        assert_eq!(clock(world), 0);
    }

    fn the_commander_s_own_moment_counts_and_a_release_comes_first(world) {
        let kit = kit(world);
        let [late, left, soon] = ["late", "left", "soon"].map(|_| kit.taken("covert", &["record"]));
        let open = kit.taken("open", &["void"]);
        world.advance(300 * DAY);
        let at = world.clock.now().plus_seconds(100 * DAY);
        act(world, COMMANDER, &late, "confirm", &json!({ "release_at": at })).expect(200, "");
        act(world, COMMANDER, &left, "confirm", &json!({})).expect(200, "");
        for action in ["confirm", "release"] {
            act(world, COMMANDER, &soon, action, &json!({})).expect(200, "");
        }
        world.advance(66 * DAY);
        assert_eq!(clock(world), 1, "what is confirmed and left lying, alone");
        assert_eq!(look(world, DISCIPLINE, &left).expect(200, "").json()["state"], "confirmed");
        for who in [DISCIPLINE, OFFICE, "5301-unit-head"] {
            look(world, who, &late).expect(404, "not_found");
        }
        assert_eq!(look(world, DISCIPLINE, &soon).expect(200, "").json()["disclosed_at"], Value::Null);
        assert_eq!(look(world, "5301-unit-head", &open).expect(200, "").json()["disclosed_at"], Value::Null);
        world.advance(34 * DAY);
        assert_eq!(clock(world), 1);
        let seen = look(world, "5301-unit-head", &late).expect(200, "").json();
        assert_eq!((&seen["state"], &seen["disclosed_at"]), (&json!("released"), &Value::Null));
    }

    fn it_is_known_above_the_unit_and_never_within(world) {
        let kit = kit(world);
        let mut body = kit.body("covert");
        body["unit_id"] = json!(world.unit("530102"));
        let county = world.as_(INSPECTOR).post("/unannounced-checks", &body).expect(201, "").id();
        // Somebody of the county who is of the province's discipline besides, and one of the province who writes for the county.
        for (login, role, unit) in [("530102-liaison", "discipline", "53"), ("53-nobody", "liaison", "530102"), ("53-nobody", "discipline", "53")] {
            let binding = json!({ "role": role, "unit_id": world.unit(unit) });
            let path = format!("/users/{}/role-bindings", world.user(login));
            world.as_("53-security-admin").post(&path, &binding).expect(201, "");
        }
        world.advance(LATEST);
        assert_eq!(clock(world), 1);
        for who in [OFFICE, DISCIPLINE, "5301-group-office", "5301-discipline"] {
            look(world, who, &county).expect(200, "");
        }
        for who in ["530102-group-office", "530102-unit-head", "530102-liaison", "53-nobody", "5301-unit-head", "5301-group-head", "5303-group-office"] {
            look(world, who, &county).expect(404, "not_found");
            assert_eq!(listed(world, who, "in_progress"), 0, "{who}");
        }
    }
}

#[test]
fn what_gets_a_moment_of_its_own_while_the_clock_waits_for_it_is_kept() {
    let world = &World::on(Backend::Postgres);
    let check = kit(world).taken("covert", &["record"]);
    world.advance(LATEST);
    // The commander was first, and tells the clock of another moment.
    let mut raw = Raw::owner(world, "53");
    raw.run(&format!(
        "BEGIN; SELECT id FROM unannounced_checks WHERE id = '{check}' FOR NO KEY UPDATE; \
         INSERT INTO check_releases (tenant_id, check_id, release_at) VALUES ('53', '{check}', now() + interval '9000 days')"
    ))
    .unwrap();
    std::thread::scope(|scope| {
        let looking = scope.spawn(|| clock(world));
        until_waiting(&mut raw, 1);
        raw.run("COMMIT").unwrap();
        assert_eq!(looking.join().unwrap(), 1);
    });
    look(world, DISCIPLINE, &check).expect(404, "not_found");
    assert_eq!(look(world, INSPECTOR, &check).expect(200, "").json()["disclosed_at"], Value::Null);
    assert_eq!((told(world, &check), clock(world)), (vec![], 0));
}
