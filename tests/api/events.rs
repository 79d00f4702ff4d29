//! What happens is told as it happens: to those who may know it, once, in one order, at whichever instance.

use std::time::Duration;

use serde_json::json;

use crate::clearing::{DAY, assignment, begun, calendar, enter, sweep_up};
use crate::support::live::{Ear, Event, Running};
use crate::support::sealing::seal_all;
use crate::support::{Second, World, both, story};
use crate::tasks::{complete, id, launched, units};
use crate::tasks_history::Dice;

const OFFICE: &str = "53-group-office";
const QUIET: Duration = Duration::from_millis(1200);

fn listen(world: &World, who: &str) -> Ear {
    Ear::open(world.address(), world.as_(who).token(), None)
}

/// Something that everybody with a campaign's rights in the province hears of; what came before it has come.
fn mark(world: &World) -> String {
    story::campaign(world, "53")
}

fn shorts(events: &[Event]) -> Vec<String> {
    events.iter().map(Event::short).collect()
}

/// What somebody has heard up to a new campaign of the province, which the province's people hear of.
fn heard(world: &World, ear: &Ear) -> Vec<String> {
    let made = mark(world);
    let mut all = ear.until("campaign campaign.create");
    while all.last().is_some_and(|event| event.about() != made) {
        all.extend(ear.until("campaign campaign.create"));
    }
    all.pop();
    shorts(&all)
}

both! {
    fn whoever_may_read_a_thing_is_told_of_it_and_nobody_else(world) {
        let _running = Running::beside(world.doors());
        let tale = story::launched(world, "53");
        // What has been is told to whoever comes before it is sealed: here nobody is to hear of it.
        seal_all(world, "53");
        let (office, head, other) = (listen(world, OFFICE), listen(world, "5303-group-head"), listen(world, "5301-liaison"));
        let (county, foreign) = (listen(world, "530102-liaison"), listen(world, "50-group-office"));
        let admin = listen(world, "53-system-admin");

        // A city begins its plan: the city and the province hear of it.
        let draft = story::draft(world, &tale.campaign, "5303", "5303-group-office");
        let first = head.until("plan plan.create");
        assert_eq!(first.last().unwrap().about(), draft);
        assert_eq!(first.last().unwrap().data["of"], json!(null));
        story::step(world, "5303-group-office", &draft, "submit");
        // A comment and a vote tell of the plan that they are on.
        let comment = json!({ "content": "请写明牵头领导。" });
        world.as_(OFFICE).post(&format!("/plans/{draft}/comments"), &comment).expect(201, "");
        let told = head.until("plan plan.comment");
        assert_eq!(shorts(&told), ["plan plan.submit", "plan plan.comment"]);
        assert_eq!(told[1].about(), draft);

        // What a superior has put into force is told below, and nothing else of it.
        let etag = world.as_(OFFICE).get(&format!("/plans/{}", tale.plan)).expect(200, "").etag();
        let amended = world.as_(OFFICE).call("POST", &format!("/plans/{}/amend", tale.plan)).header("If-Match", &etag)
            .json(&json!({ "reason": "省厅要求。" })).send();
        amended.expect(200, "");
        assert_eq!(heard(world, &office), [
            "plan plan.create", "plan plan.submit", "plan plan.comment", "plan plan.amend",
        ]);
        let quiet = |ear: &Ear, who: &str| {
            if let Some(event) = ear.next(QUIET) { panic!("{who} heard {event:?}") }
        };
        quiet(&other, "a city beside");
        quiet(&county, "a county");
        quiet(&head, "the city, of the province's amendment");
        quiet(&foreign, "another province");
        quiet(&admin, "whoever administers accounts");
    }

    fn publishing_is_heard_below(world) {
        let _running = Running::beside(world.doors());
        let campaign = story::campaign(world, "53");
        let county = listen(world, "530102-liaison");
        let plan = story::published(world, &story::plan_body(world, &campaign, "53"), "53");
        let told = county.until("plan plan.publish");
        assert!(told.iter().all(|event| event.short() != "plan plan.create" && event.short() != "plan plan.submit"), "{told:?}");
        assert_eq!(told.last().unwrap().about(), plan["id"].as_str().unwrap());
        // The campaign that it makes visible below is told there too.
        let rest = if told.iter().any(|event| event.short() == "campaign campaign.launch") { Vec::new() } else { county.until("campaign campaign.launch") };
        assert!(told.iter().chain(&rest).any(|event| event.about() == campaign));
    }

    fn what_stands_for_the_whole_province_or_for_accounts_is_heard_where_it_may_be_read(world) {
        let _running = Running::beside(world.doors());
        calendar(world, &[true, true, true]);
        let task = begun(world);
        seal_all(world, "53");
        seal_all(world, "50");
        let system = world.as_("53-system-admin");
        let listeners = ["53-system-admin", OFFICE, "53-rater", "50-system-admin", "50-group-office"];
        let ears = listeners.map(|who| (who, listen(world, who)));
        // A group is set, a unit, an account and a right made, a setting and a day of the calendar changed, a task done.
        let campaign = mark(world);
        let unit = json!({ "code": "530177", "name": "试验区分局", "kind": "county", "parent_id": world.unit("5301") });
        system.post("/units", &unit).expect(201, "");
        let user = json!({ "login": "yang-shi", "display_name": "杨试", "unit_id": world.unit("5301"), "password": "滇池东岸的海鸥二月才飞走" });
        let user = system.post("/users", &user).expect(201, "").id();
        let role = json!({ "role": "rater", "unit_id": world.unit("5301") });
        world.as_("53-security-admin").post(&format!("/users/{user}/role-bindings"), &role).expect(201, "");
        system.patch("/settings", "*", &json!({ "reason": "加大抽查。", "values": { "recheck_percent": 10 } })).expect(200, "");
        complete(world, "530102-liaison", &task, "530102").expect(200, "");
        system.put(&format!("/calendar/{}", world.day(9)), "*", &json!({ "kind": "holiday", "name": "泼水节" })).expect(200, "");
        let told = ears.map(|(who, ear)| -> Vec<String> {
            // Everybody of the province hears of the day, which is the last; what else they hear was before it.
            let mut kinds: Vec<String> = Vec::new();
            while who.starts_with("53") && kinds.last().is_none_or(|kind| kind != "calendar") {
                kinds.push(ear.next(Duration::from_secs(20)).unwrap_or_else(|| panic!("heard {kinds:?}")).kind);
            }
            kinds.extend(std::iter::from_fn(|| ear.next(QUIET)).map(|event| event.kind));
            kinds.sort_unstable();
            kinds.dedup();
            kinds
        });
        let [by_system, by_office, by_rater, foreign_system, foreign_office] = told;
        assert_eq!(by_system, ["calendar", "role_binding", "settings", "unit", "user"]);
        assert_eq!(by_office, ["assignment", "calendar", "campaign", "leading_group", "settings", "unit", "user"]);
        assert_eq!(by_rater, ["calendar", "campaign", "leading_group", "settings"]);
        assert_eq!((foreign_system, foreign_office), (Vec::new(), Vec::new()), "another province hears nothing of {campaign}");
        // A day is frozen, which is nobody's doing.
        world.advance(2 * DAY);
        let (office, foreign) = (listen(world, OFFICE), listen(world, "50-group-office"));
        assert!(sweep_up(world) > 0);
        assert_eq!(office.next(Duration::from_secs(20)).map(|event| event.kind).as_deref(), Some("daily_clearing"));
        assert_eq!(foreign.next(QUIET), None);
    }

    fn whoever_comes_back_hears_what_they_missed_once_at_either_instance(world) {
        // What was there before anybody listened is in the chain already: only what comes now is heard.
        seal_all(world, "53");
        let second = world.second();
        let _running = (Running::beside(world.doors()), Running::beside(&second.doors));
        let places = [world.address(), second.address];
        let mut dice = Dice(20_261_122);
        let token = world.as_(OFFICE).token().to_owned();
        let mut made = Vec::new();
        let mut heard: Vec<String> = Vec::new();
        let mut last: Option<String> = None;
        let begin = Ear::open(places[0], &token, None).hang_up();
        last.get_or_insert(begin);
        for _ in 0..24 {
            // Some happen while nobody listens, some while somebody does; through either instance.
            for _ in 0..dice.roll(3) {
                made.push(made_at(world, &second, dice.roll(2)));
            }
            let ear = Ear::open(places[dice.roll(2)], &token, last.as_deref());
            for _ in 0..dice.roll(3) {
                made.push(made_at(world, &second, dice.roll(2)));
            }
            // Hang up in the middle of it, or wait for some of it.
            for _ in 0..dice.roll(4) {
                if let Some(event) = ear.next(Duration::from_millis(500)) {
                    heard.push(event.about().to_owned());
                    last = Some(event.id);
                }
            }
            drop(ear);
        }
        made.push(made_at(world, &second, 0));
        let ear = Ear::open(places[1], &token, last.as_deref());
        while heard.last() != made.last() {
            heard.push(ear.next(Duration::from_secs(20)).unwrap_or_else(|| panic!("heard {heard:?} of {made:?}")).about().to_owned());
        }
        // Everything once; the order is the chain's, the same for everybody.
        let mut sorted = (heard.clone(), made.clone());
        sorted.0.sort();
        sorted.1.sort();
        assert_eq!(sorted.0, sorted.1, "nothing skipped, nothing twice");
    }

    fn what_ends_the_right_ends_the_line(world) {
        let _running = Running::beside(world.doors());
        // A role that is taken away counts at once, on a line that is open.
        let (liaison, office) = (listen(world, "5303-liaison"), listen(world, OFFICE));
        let tale = story::launched(world, "53");
        liaison.until("plan plan.publish");
        let admin = world.as_("53-security-admin");
        let user = world.user("5303-liaison");
        let bindings = admin.get(&format!("/users/{user}/role-bindings")).expect(200, "").json();
        for binding in bindings["items"].as_array().unwrap() {
            let path = format!("/users/{user}/role-bindings/{}", binding["id"].as_str().unwrap());
            admin.delete(&path).expect(204, "");
        }
        // What came before has come.
        heard(world, &office);
        while liaison.next(QUIET).is_some() {}
        story::draft(world, &tale.campaign, "5303", "5303-group-office");
        if let Some(event) = liaison.next(QUIET) {
            panic!("without a role: {event:?}");
        }
        // Whoever signs out, is disabled, or whose token has run out, hears nothing more.
        let out = listen(world, "5301-liaison");
        world.as_("5301-liaison").post("/auth/logout", &json!({})).expect(204, "");
        mark(world);
        assert!(out.ends());
        let late = listen(world, OFFICE);
        world.advance(16 * 60);
        mark(world);
        assert!(late.ends());
    }

    fn who_looks_at_what_is_personal_is_nobody_s_news(world) {
        let _running = Running::beside(world.doors());
        seal_all(world, "53");
        let (admin, head) = (listen(world, "53-system-admin"), listen(world, "5303-unit-head"));
        let officer = world.officer("5303-unit-head");
        let reason = json!({ "reason": "核对身份。" });
        world.as_("53-system-admin").post(&format!("/officers/{officer}/reveal"), &reason).expect(200, "");
        if let Some(event) = head.next(QUIET) {
            panic!("{event:?}");
        }
        if let Some(event) = admin.next(QUIET) {
            panic!("{event:?}");
        }
    }

    fn an_officer_is_told_of_the_own_entries_and_of_no_others(world) {
        let admin = world.as_("53-system-admin");
        let officer = json!({ "number": "530099", "name": "白云霞", "kind": "police", "rank": "constable_1", "unit_id": world.unit("53") });
        let officer = admin.post("/officers", &officer).expect(201, "").id();
        let user = format!("/users/{}", world.user("53-officer"));
        admin.patch(&user, "*", &json!({ "officer_id": officer })).expect(200, "");
        let all = units(world, &[("53", "self", None)]);
        let (_, plan) = launched(world, &[story::task(world, "接处警当日回访", &all, 30)]);
        let task = id(&plan, 0);
        let row = assignment(world, &task, "53")["id"].as_str().unwrap().to_owned();
        let persons = json!({ "officer_ids": [officer, world.officer("53-unit-head")] });
        world.as_("53-liaison").patch(&format!("/tasks/{task}/assignments/{row}"), "*", &persons).expect(200, "");
        let _running = Running::beside(world.doors());
        seal_all(world, "53");
        let own = listen(world, "53-officer");
        enter(world, "53-liaison", &task, 0, Some("53-unit-head")).expect(201, "");
        let entry = enter(world, "53-officer", &task, 0, None).expect(201, "").id();
        let told = own.until("day_entry entry.create");
        assert_eq!((told.last().unwrap().about(), &told.last().unwrap().data["of"]), (entry.as_str(), &json!(task)));
        assert_eq!(told.iter().filter(|event| event.kind == "day_entry").count(), 1, "{told:?}");
    }

    fn a_role_is_told_to_whoever_reads_the_account_too(world) {
        let _running = Running::beside(world.doors());
        seal_all(world, "53");
        let (city, province) = (listen(world, "5301-security-admin"), listen(world, "53-security-admin"));
        // An account of the province is given a role in the city: the city's administrator does not read the account.
        let grant = |login: &str| {
            let body = json!({ "role": "discipline", "unit_id": world.unit("5301") });
            let path = format!("/users/{}/role-bindings", world.user(login));
            world.as_("53-security-admin").post(&path, &body).expect(201, "").id()
        };
        let foreign = grant("53-liaison");
        assert_eq!(province.until("role_binding role_binding.grant").last().unwrap().about(), foreign);
        let own = grant("5301-liaison");
        assert_eq!(city.until("role_binding role_binding.grant").last().unwrap().about(), own);
    }

    fn an_account_has_its_share_of_lines(world) {
        let _running = Running::beside(world.doors());
        let token = world.as_(OFFICE).token().to_owned();
        let mut lines: Vec<Ear> = (0..128).map(|_| Ear::open(world.address(), &token, None)).collect();
        world.as_(OFFICE).get("/events").expect(429, "too_many_listeners");
        // Others have theirs, and one that is closed is free again.
        Ear::open(world.address(), world.as_("53-group-head").token(), None);
        drop(lines.pop());
        let begun = std::time::Instant::now();
        while world.as_(OFFICE).get("/events").status != 200 {
            assert!(begun.elapsed() < Duration::from_secs(20), "a closed line is free again");
            mark(world);
        }
    }

    fn an_id_that_is_not_ours_or_another_provinces_begins_anew(world) {
        let _running = Running::beside(world.doors());
        let token = world.as_(OFFICE).token().to_owned();
        let theirs = Ear::open(world.address(), world.as_("50-group-office").token(), None).hang_up();
        for id in ["", "1", "not-an-id", "A".repeat(101).as_str(), "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", theirs.as_str()] {
            let ear = Ear::open(world.address(), &token, Some(id));
            let event = ear.next(Duration::from_secs(20)).unwrap();
            assert_eq!((event.kind.as_str(), event.data), ("reset", json!({})), "{id}");
            let made = mark(world);
            assert_eq!(ear.until("campaign campaign.create").last().unwrap().about(), made);
        }
        // Two ids of the same place do not look alike: how much happens is nobody's to count.
        let one = Ear::open(world.address(), &token, None).hang_up();
        let other = Ear::open(world.address(), &token, None).hang_up();
        assert_ne!(one, other);
    }

    fn who_may_listen_and_how_is_told_like_everywhere(world) {
        world.anonymous().get("/events").expect(401, "unauthenticated");
        world.as_("53-first-password").get("/events").expect(403, "password_change_required");
        let reply = world.as_(OFFICE).call("GET", "/events").header("Accept", "application/json").send();
        reply.expect(406, "not_acceptable");
        world.as_(OFFICE).get("/events?kind=plan").expect(400, "invalid_query");
        let reply = world.as_("53-nobody").get("/events").expect(200, "");
        assert_eq!(reply.header("content-type"), Some("text/event-stream"));
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
}

fn made_at(world: &World, second: &Second, at: usize) -> String {
    let (who, body) = (world.as_(OFFICE), story::campaign_body(world, "53"));
    let who = if at == 0 { who } else { who.at(second) };
    who.post("/campaigns", &body).expect(201, "").id()
}
