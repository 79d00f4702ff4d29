//! What waits for a person of inspections: exactly what they may do now, and of a covert check nothing for anybody but its
//! team and commander before it is released.

use std::collections::BTreeSet;

use pingyi::access::Role;
use serde_json::{Value, json};

use crate::support::checks::Kit;
use crate::support::client::{Reply, strings};
use crate::support::people::root_login;
use crate::support::{World, both, story};

const DAY: i64 = 24 * 3600;
const OFFICE: &str = "53-group-office";
const DISCIPLINE: &str = "53-discipline";
const INSPECTOR: &str = "53-inspector";
const SUPERVISOR: &str = "53-special-supervisor";

/// Whoever holds a role at a root, and those below who might be told of something at Kunming, Wuhua, Qujing or Yuxi.
fn everybody() -> Vec<String> {
    let mut logins: Vec<String> = Role::ALL.iter().map(|role| root_login(*role)).collect();
    let below = ["unit-head", "group-head", "group-office", "liaison"];
    for code in ["5301", "5303", "530102"] {
        logins.extend(below.map(|role| format!("{code}-{role}")));
    }
    let more = [
        "5301-discipline",
        "5301-office-and-head",
        "5304-unit-head",
        "53-nobody",
        "50-discipline",
        "50-group-office",
    ];
    logins.extend(more.map(ToOwned::to_owned));
    logins
}

fn view(world: &World, who: &str) -> Value {
    let view = world.as_(who).get("/auth/me/waiting").expect(200, "").json();
    let items = view["items"].as_array().unwrap();
    for one in view["counts"].as_array().unwrap() {
        let these = || items.iter().filter(|item| item["kind"] == one["kind"]);
        let overdue = these().filter(|item| item["overdue"] == true).count();
        assert_eq!((&one["count"], &one["overdue"]), (&json!(these().count()), &json!(overdue)), "{view}");
    }
    assert!(
        items.iter().all(|item| view["counts"].to_string().contains(item["kind"].as_str().unwrap())),
        "{view}"
    );
    view
}

/// Kind, unit and days that are left of each item.
fn waits(world: &World, who: &str) -> Vec<String> {
    let told = |item: &Value| {
        let days = item["due_on"].as_str().map(|due| {
            let due: chrono::NaiveDate = due.parse().unwrap();
            (due - world.clock.now().shanghai_day()).num_days()
        });
        assert_eq!(item["overdue"], json!(days.is_some_and(|days| days < 0)), "{item}");
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let days = days.map_or_else(String::new, |days| format!(" {days}"));
        format!("{} {}{days}", text(&item["kind"]), text(&item["unit"]["code"]))
    };
    view(world, who)["items"].as_array().unwrap().iter().map(told).collect()
}

/// For whom something waits, and what for.
fn whom(world: &World, id: &str) -> Vec<String> {
    let mut found = Vec::new();
    for who in everybody() {
        let view = view(world, &who);
        let these = view["items"].as_array().unwrap().iter();
        let these = these.filter(|item| item["check_id"] == id || item["authorisation_id"] == id);
        found.extend(these.map(|item| format!("{who} {}", item["kind"].as_str().unwrap())));
    }
    found
}

/// That nothing at all is told to anybody but these.
#[track_caller]
fn told_to_none_but(world: &World, these: &[&str]) {
    for who in everybody().iter().filter(|who| !these.contains(&who.as_str())) {
        let view = world.as_(who).get("/auth/me/waiting").expect(200, "").json();
        assert_eq!(view, json!({ "counts": [], "items": [] }), "{who}");
    }
}

fn propose(world: &World, who: &str, code: &str) -> String {
    world.as_(who).post("/authorisations", &story::authorisation_body(world, code)).expect(201, "").id()
}

fn decide(world: &World, who: &str, id: &str, action: &str) -> Reply {
    let body = if action == "reject" { json!({ "reason": "与省厅重复。" }) } else { json!({}) };
    world.as_(who).post(&format!("/authorisations/{id}/{action}"), &body)
}

fn answer(world: &World, who: &str, id: &str) -> Reply {
    let upheld = json!({ "outcome": "upheld", "reasons": "存根日期为次日。" });
    world.as_(who).post(&format!("/unannounced-checks/{id}/decide"), &upheld)
}

/// What a list says the caller may do: kind and id of whatever waits by that.
fn by_the_lists(world: &World, who: &str) -> BTreeSet<(String, String)> {
    let listed = |path: &str| {
        let reply = world.as_(who).get(&format!("{path}?limit=200"));
        let items =
            if reply.status == 200 { reply.json()["items"].as_array().unwrap().clone() } else { Vec::new() };
        items
            .into_iter()
            .map(|item| (item["id"].as_str().unwrap().to_owned(), strings(&item["allowed_actions"])))
    };
    let mut found = BTreeSet::new();
    for (id, allowed) in listed("/authorisations") {
        if allowed.iter().any(|action| ["approve", "reject"].contains(&action.as_str())) {
            found.insert(("authorisation_to_decide".to_owned(), id));
        }
    }
    for (id, allowed) in listed("/unannounced-checks") {
        let waiting = allowed.iter().filter(|action| !["void", "add_addendum"].contains(&action.as_str()));
        found.extend(waiting.map(|action| (format!("check_to_{action}"), id.clone())));
    }
    found
}

both! {
    fn an_authorisation_waits_for_whoever_may_decide_on_it(world) {
        let id = propose(world, OFFICE, "5301");
        let deciders = [DISCIPLINE, "5301-group-office", "5301-discipline", "5301-office-and-head"];
        let mut wanted = deciders.map(|who| format!("{who} authorisation_to_decide"));
        let mut found = whom(world, &id);
        wanted.sort();
        found.sort();
        assert_eq!(found, wanted, "not for its author, its team, those who only read it, other bureaux");
        decide(world, OFFICE, &id, "approve").expect(422, "approver_is_author");
        decide(world, "53-group-head", &id, "approve").expect(403, "forbidden");
        told_to_none_but(world, &deciders);
        let item = view(world, DISCIPLINE)["items"][0].clone();
        assert_eq!((&item["authorisation_id"], &item["title"], &item["unit"]["code"]), (&json!(id), &json!("窗口暗访"), &json!("5301")));
        assert_eq!((&item["due_on"], &item["since_at"]), (&json!(world.day(0)), &json!(world.clock.now())));
        for field in ["plan_id", "campaign_id", "task_id", "check_id", "check_number", "people"] {
            assert_eq!(item.get(field), Some(&Value::Null), "{field}");
        }
        // Whoever writes at it decides on it no more.
        world.as_("5301-group-office").patch(&format!("/authorisations/{id}"), "*", &json!({ "title": "窗口明察暗访" })).expect(200, "");
        decide(world, "5301-group-office", &id, "reject").expect(422, "approver_is_author");
        assert_eq!(waits(world, "5301-group-office"), Vec::<String>::new());
        // From its first day on it is wanted.
        assert_eq!(waits(world, "5301-discipline"), ["authorisation_to_decide 5301 0"]);
        world.advance(DAY);
        assert_eq!(waits(world, "5301-discipline"), ["authorisation_to_decide 5301 -1"]);
        decide(world, "5301-discipline", &id, "approve").expect(200, "");
        assert_eq!(whom(world, &id), Vec::<String>::new());
        // What can no longer be approved still waits to be rejected; what is withdrawn waits no more.
        let (late, revoked) = (propose(world, OFFICE, "5303"), propose(world, OFFICE, "5303"));
        assert_eq!(waits(world, DISCIPLINE).len(), 2);
        world.as_(OFFICE).post(&format!("/authorisations/{revoked}/revoke"), &json!({ "reason": "任务调整。" })).expect(200, "");
        assert_eq!(whom(world, &revoked), Vec::<String>::new());
        world.advance(31 * DAY);
        assert_eq!(waits(world, DISCIPLINE), ["authorisation_to_decide 5303 -31"]);
        decide(world, DISCIPLINE, &late, "approve").expect(409, "authorisation_ended");
        decide(world, DISCIPLINE, &late, "reject").expect(200, "");
        told_to_none_but(world, &[]);
    }

    fn what_is_anothers_to_decide_is_passed_over_however_much_it_is(world) {
        // More than is looked through at a time, all made at the same moment.
        for _ in 0..205 {
            propose(world, DISCIPLINE, "5301");
        }
        world.advance(1);
        let id = propose(world, OFFICE, "5303");
        for who in [DISCIPLINE, "5303-group-office"] {
            assert_eq!(waits(world, who), ["authorisation_to_decide 5303 0"], "{who}");
            assert_eq!(view(world, who)["items"][0]["authorisation_id"], json!(id), "{who}");
        }
        // Counted are all, told the first two hundred.
        let office = world.as_(OFFICE).get("/auth/me/waiting").expect(200, "").json();
        assert_eq!(office["counts"], json!([{ "kind": "authorisation_to_decide", "count": 205, "overdue": 0 }]));
        assert_eq!(office["items"].as_array().unwrap().len(), 200);
    }

    fn a_covert_check_waits_for_its_own_until_it_is_released(world) {
        let kit = Kit::of(world, "5301");
        told_to_none_but(world, &[]);
        let id = kit.begin("covert");
        let begun = world.clock.now();
        assert_eq!(whom(world, &id), [format!("{INSPECTOR} check_to_record")]);
        told_to_none_but(world, &[INSPECTOR]);
        let item = view(world, INSPECTOR)["items"][0].clone();
        assert_eq!((&item["check_id"], &item["check_number"], &item["title"], &item["due_on"]), (&json!(id), &Value::Null, &Value::Null, &Value::Null));
        assert_eq!((&item["since_at"], &item["unit"]["code"]), (&json!(begun), &json!("5301")));
        world.advance(60);
        for (action, then) in [("record", "check_to_confirm"), ("confirm", "check_to_release")] {
            kit.act(&id, action).expect(200, "");
            assert_eq!(whom(world, &id), [format!("{DISCIPLINE} {then}")], "{action}");
            told_to_none_but(world, &[DISCIPLINE]);
            assert_eq!(view(world, DISCIPLINE)["items"][0]["since_at"], json!(world.clock.now()), "{action}");
            world.advance(60);
        }
        // Released it is the inspected unit's.
        let released = kit.act(&id, "release").expect(200, "").json();
        assert_eq!(whom(world, &id), ["5301-unit-head check_to_contest"]);
        let item = view(world, "5301-unit-head")["items"][0].clone();
        assert_eq!((&item["check_number"], &item["due_on"]), (&released["number"], &released["objection_until_on"]));
        assert_eq!((&item["since_at"], &item["overdue"]), (&released["released_at"], &json!(false)));
        // What it says is answered by somebody who neither made the check nor is of the unit.
        let contested = kit.act(&id, "contest").expect(200, "").json();
        assert_eq!(whom(world, &id), [format!("{OFFICE} check_to_decide")]);
        let item = view(world, OFFICE)["items"][0].clone();
        assert_eq!((&item["since_at"], &item["due_on"]), (&contested["objection"]["at"], &Value::Null));
        answer(world, DISCIPLINE, &id).expect(422, "decider_is_checker");
        answer(world, "5301-group-office", &id).expect(422, "decider_of_the_unit");
        answer(world, "5301-discipline", &id).expect(422, "decider_of_the_unit");
        answer(world, "5303-group-office", &id).expect(404, "not_found");
        answer(world, OFFICE, &id).expect(200, "");
        told_to_none_but(world, &[]);
    }

    fn an_open_check_waits_for_its_team_and_not_for_who_sees_it(world) {
        let kit = Kit::of(world, "5301");
        let id = kit.begin("open");
        world.as_("5301-unit-head").get(&format!("/unannounced-checks/{id}")).expect(200, "");
        let mut found = whom(world, &id);
        found.sort();
        assert_eq!(found, [format!("{INSPECTOR} check_to_record"), format!("{SUPERVISOR} check_to_record")]);
        kit.act(&id, "void").expect(200, "");
        told_to_none_but(world, &[]);
        // A commander who has recorded does not confirm: it waits for nobody.
        let mut body = story::authorisation_body(world, "5301");
        body["commander_user_id"] = json!(world.user(INSPECTOR));
        let authorisation = world.as_(DISCIPLINE).post("/authorisations", &body).expect(201, "").id();
        decide(world, OFFICE, &authorisation, "approve").expect(200, "");
        let mut check = kit.body("covert");
        check["authorisation_id"] = json!(authorisation);
        check["record"] = kit.record();
        let id = world.as_(INSPECTOR).post("/unannounced-checks", &check).expect(201, "").id();
        world.as_(INSPECTOR).post(&format!("/unannounced-checks/{id}/confirm"), &json!({})).expect(422, "confirmer_is_recorder");
        told_to_none_but(world, &[]);
    }

    fn what_the_clock_releases_waits_for_nobody(world) {
        let kit = Kit::of(world, "5301");
        let (by_clock, by_hand) = (kit.taken("covert", &["record"]), kit.taken("covert", &["record", "confirm"]));
        let body = json!({ "release_at": world.clock.now().plus_seconds(600) });
        let confirmed = world.as_(DISCIPLINE).post(&format!("/unannounced-checks/{by_clock}/confirm"), &body).expect(200, "").json();
        // The commander may be faster, and need not.
        assert!(strings(&confirmed["allowed_actions"]).contains(&"release".to_owned()));
        assert_eq!(whom(world, &by_clock), Vec::<String>::new());
        assert_eq!(whom(world, &by_hand), [format!("{DISCIPLINE} check_to_release")]);
        assert_eq!(waits(world, DISCIPLINE), ["check_to_release 5301"]);
        kit.act(&by_clock, "release").expect(200, "");
        assert_eq!(whom(world, &by_clock), ["5301-unit-head check_to_contest"]);
    }

    fn an_objection_can_be_raised_until_its_last_day(world) {
        let kit = Kit::of(world, "5301");
        let id = kit.taken("covert", &["record", "confirm"]);
        let released = kit.act(&id, "release").expect(200, "").json();
        let until = released["objection_until_on"].as_str().unwrap();
        while world.day(0).as_str() < until {
            assert_eq!(waits(world, "5301-unit-head").len(), 1);
            world.advance(DAY);
        }
        assert_eq!(waits(world, "5301-unit-head"), ["check_to_contest 5301 0"]);
        world.advance(DAY);
        told_to_none_but(world, &[]);
        kit.act(&id, "contest").expect(409, "objection_closed");
    }

    fn whoever_signs_for_the_unit_today_is_told(world) {
        let kit = Kit::of(world, "5304");
        let id = kit.taken("open", &["record", "confirm", "release"]);
        let told = ["5304-unit-head check_to_contest"];
        assert_eq!(whom(world, &id), told);
        // The post has ended and the binding was forgotten: nothing waits. Named to stand in, it does again.
        let (admin, officer) = (world.as_("53-system-admin"), world.officer("5304-unit-head"));
        let posts = admin.get(&format!("/officers/{officer}/posts")).expect(200, "").json();
        let post = format!("/officers/{officer}/posts/{}", posts["items"][0]["id"].as_str().unwrap());
        admin.patch(&post, "*", &json!({ "valid_until_on": world.day(-1), "reason": "免职。" })).expect(200, "");
        assert_eq!(whom(world, &id), Vec::<String>::new());
        kit.act(&id, "contest").expect(422, "not_the_head");
        let naming = json!({ "officer_id": officer, "valid_from_on": world.day(0), "valid_until_on": world.day(7), "reason": "新任未到职。" });
        world.as_("53-group-head").post(&format!("/units/{}/stand-ins", world.unit("5304")), &naming).expect(201, "");
        assert_eq!(whom(world, &id), told);
        kit.act(&id, "contest").expect(200, "");
        assert_eq!(whom(world, &id), [format!("{OFFICE} check_to_decide")]);
    }

    fn whoever_takes_over_from_a_unit_is_told_of_its_checks(world) {
        let kit = Kit::of(world, "530302");
        let id = kit.taken("covert", &["record", "confirm"]);
        let merge = json!({ "into_id": world.unit("530102"), "reason": "区划调整。" });
        world.as_("53-system-admin").post(&format!("/units/{}/merge", kit.unit), &merge).expect(200, "");
        told_to_none_but(world, &[DISCIPLINE]);
        kit.act(&id, "release").expect(200, "");
        assert_eq!(whom(world, &id), ["530102-unit-head check_to_contest"]);
        assert_eq!(view(world, "530102-unit-head")["items"][0]["unit"]["code"], "530302");
        world.as_("530102-unit-head").post(&format!("/unannounced-checks/{id}/contest"), &json!({ "content": "合并前已整改。" })).expect(200, "");
        // Kunming's office stands above Wuhua and is not of it.
        let mut found = whom(world, &id);
        found.sort();
        let deciders = [OFFICE, "5301-discipline", "5301-group-office", "5301-office-and-head"];
        assert_eq!(found, deciders.map(|who| format!("{who} check_to_decide")));
        answer(world, "530102-group-office", &id).expect(422, "decider_of_the_unit");
        answer(world, "5301-discipline", &id).expect(200, "");
        told_to_none_but(world, &[]);
    }

    fn what_waits_is_what_can_be_done(world) {
        let steps = ["record", "confirm", "release", "contest", "decide"];
        for (code, kind) in [("5301", "covert"), ("5303", "open")] {
            let kit = Kit::of(world, code);
            for taken in 0..=steps.len() {
                kit.taken(kind, &steps[..taken]);
            }
            kit.taken(kind, &["void"]);
        }
        propose(world, OFFICE, "5301");
        propose(world, DISCIPLINE, "53");
        let mut kinds = BTreeSet::new();
        for who in everybody() {
            let told: BTreeSet<(String, String)> = view(world, &who)["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| {
                    let id = item["check_id"].as_str().or(item["authorisation_id"].as_str()).unwrap();
                    (item["kind"].as_str().unwrap().to_owned(), id.to_owned())
                })
                .collect();
            assert_eq!(told, by_the_lists(world, &who), "{who}");
            kinds.extend(told.into_iter().map(|(kind, _)| kind));
        }
        let wanted = ["authorisation_to_decide", "check_to_confirm", "check_to_contest", "check_to_decide", "check_to_record", "check_to_release"];
        assert_eq!(kinds.into_iter().collect::<Vec<_>>(), wanted);
    }
}
