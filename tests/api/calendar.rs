//! The working calendar: the notices, a province's own changes, limits counted over both.

use serde_json::{Value, json};

use crate::support::client::Reply;
use crate::support::{World, both};

const SYSTEM: &str = "53-system-admin";

/// A working weekday to come, and the day before it.
fn workday(world: &World) -> (String, String) {
    let month = world.as_("53-liaison").get("/calendar").expect(200, "").json();
    let days = month["days"].as_array().unwrap();
    let at = days.iter().skip(2).position(|day| day["kind"] == "weekday_work").expect("a month has one") + 2;
    (days[at]["day"].as_str().unwrap().to_owned(), days[at - 1]["day"].as_str().unwrap().to_owned())
}

fn due(world: &World, who: &str, from: &str, n: u32) -> Value {
    let path = format!("/calendar/deadline?from_on={from}&working_days={n}");
    world.as_(who).get(&path).expect(200, "").json()
}

fn rest() -> Value {
    json!({ "kind": "holiday", "name": "泼水节" })
}

both! {
    fn days_are_those_of_the_notices(world) {
        let liaison = world.as_("530102-liaison");
        let spring = liaison.get("/calendar?from_on=2026-02-13&to_on=2026-02-28").expect(200, "").json();
        let days = spring["days"].as_array().unwrap();
        assert_eq!((days.len(), &spring["working_days"], &spring["calendar_provisional"]), (16, &json!(7), &json!(false)));
        let kinds: Vec<&str> = days.iter().map(|day| day["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds[..3], ["weekday_work", "make_up_workday", "holiday"]);
        assert_eq!((kinds[10], kinds[11], kinds[15]), ("holiday", "weekday_work", "make_up_workday"));
        let wanted = json!({
            "day": "2026-02-14", "working": true, "kind": "make_up_workday", "name": "春节", "changed": false,
            "provisional": false, "version": 1, "updated_at": null,
        });
        assert_eq!(days[1], wanted);
        let one = liaison.get("/calendar/2026-02-14").expect(200, "");
        assert_eq!(one.json(), wanted);
        assert!(one.etag().starts_with("\"v1."), "{}", one.etag());
        liaison.call("GET", "/calendar/2026-02-14").header("If-None-Match", &one.etag()).send().expect(304, "");
        // A year whose notice is not out: Monday to Friday, and it says so.
        let far = liaison.get("/calendar?from_on=2098-05-01&to_on=2098-05-04").expect(200, "").json();
        assert_eq!((&far["working_days"], &far["calendar_provisional"]), (&json!(2), &json!(true)));
        assert_eq!(far["days"][2]["kind"], "weekend");
    }

    fn limits_are_counted_in_working_days(world) {
        let spring = due(world, "53-liaison", "2026-02-13", 3);
        assert_eq!((&spring["due_on"], &spring["calendar_provisional"]), (&json!("2026-02-25"), &json!(false)));
        let skipped = spring["skipped"].as_array().unwrap();
        assert_eq!((skipped.len(), &skipped[0]["day"], &skipped[8]["day"]), (9, &json!("2026-02-15"), &json!("2026-02-23")));
        assert_eq!(due(world, "53-liaison", "2026-02-13", 0)["due_on"], "2026-02-13");
        assert_eq!(due(world, "53-liaison", "2026-02-15", 0)["due_on"], "2026-02-24");
        assert_eq!(due(world, "53-liaison", "2026-12-31", 1)["calendar_provisional"], true);
        assert_eq!(due(world, "53-liaison", "2100-12-31", 400)["calendar_provisional"], true);
        // From today when nothing is said.
        let today = world.as_("53-liaison").get("/calendar/deadline?working_days=5").expect(200, "").json();
        assert_eq!(today["from_on"], json!(world.day(0)));
        let wrong = |query: &str| {
            let refused = world.as_("53-liaison").get(&format!("/calendar/deadline{query}")).expect(400, "invalid_query");
            refused.errors()
        };
        assert_eq!(wrong("?from_on=2026-02-13"), [("working_days".to_owned(), "required".to_owned())]);
        assert_eq!(wrong("?working_days=401"), [("working_days".to_owned(), "too_big".to_owned())]);
        assert_eq!(wrong("?working_days=-1"), [("working_days".to_owned(), "too_small".to_owned())]);
    }

    fn a_province_says_what_a_day_is_and_takes_it_back(world) {
        let system = world.as_(SYSTEM);
        let (day, before) = workday(world);
        let path = format!("/calendar/{day}");
        let told = |reply: &Reply| {
            let body = reply.json();
            (body["kind"].clone(), body["name"].clone(), body["changed"].clone(), body["version"].clone())
        };
        let first = system.get(&path).expect(200, "");
        assert_eq!(told(&first), (json!("weekday_work"), Value::Null, json!(false), json!(1)));
        assert_eq!(due(world, "53-liaison", &before, 1)["due_on"], json!(day));

        system.call("PUT", &path).json(&rest()).send().expect(428, "precondition_required");
        let set = system.put(&path, &first.etag(), &rest()).expect(200, "");
        assert_eq!(told(&set), (json!("holiday"), json!("泼水节"), json!(true), json!(2)));
        assert_eq!((&set.json()["working"], &set.json()["provisional"]), (&json!(false), &json!(false)));
        let later = due(world, "53-liaison", &before, 1);
        assert!(later["due_on"].as_str().unwrap() > day.as_str(), "{later}");
        assert!(later["skipped"].as_array().unwrap().iter().any(|one| one["name"] == "泼水节"));

        // Another province goes by its own calendar.
        assert_eq!(due(world, "50-liaison", &before, 1)["due_on"], json!(day));
        assert_eq!(told(&world.as_("50-liaison").get(&path).expect(200, "")), told(&first));
        world.as_("50-system-admin").put(&path, &first.etag(), &json!({ "kind": "workday", "name": "值班" })).expect(200, "");
        assert_eq!(told(&system.get(&path)), told(&set));

        // What is stale is refused, what changes nothing changes nothing.
        let stale = system.put(&path, &first.etag(), &json!({ "kind": "workday", "name": "值班" })).expect(412, "precondition_failed");
        assert_eq!(stale.header("etag"), Some(set.etag().as_str()));
        assert_eq!(told(&system.put(&path, &set.etag(), &rest()).expect(200, "")), told(&set));
        system.call("DELETE", &path).header("If-Match", &first.etag()).send().expect(412, "precondition_failed");

        // Back to the notice; the version goes on counting.
        system.call("DELETE", &path).header("If-Match", &set.etag()).send().expect(204, "");
        let back = system.get(&path).expect(200, "");
        assert_eq!(told(&back), (json!("weekday_work"), Value::Null, json!(false), json!(3)));
        assert_eq!(due(world, "53-liaison", &before, 1)["due_on"], json!(day));
        system.put(&path, &first.etag(), &rest()).expect(412, "precondition_failed");
        system.delete(&path).expect(204, "");
        assert_eq!(told(&system.get(&path)), told(&back));
        let again = system.put(&path, &back.etag(), &json!({ "kind": "workday", "name": "值班" })).expect(200, "");
        assert_eq!(told(&again), (json!("weekday_work"), json!("值班"), json!(true), json!(4)));
    }

    fn days_gone_by_stay_as_they_were(world) {
        let system = world.as_(SYSTEM);
        let yesterday = format!("/calendar/{}", world.day(-1));
        system.put(&yesterday, "*", &rest()).expect(422, "calendar_day_past");
        system.delete(&yesterday).expect(422, "calendar_day_past");
        let refused = system.put("/calendar/2026-01-05", "\"v7.00\"", &rest());
        refused.expect(412, "precondition_failed");
        let today = format!("/calendar/{}", world.day(0));
        system.put(&today, "*", &rest()).expect(200, "");
        // A day ends in Shanghai.
        world.advance(24 * 3600);
        world.as_(SYSTEM).delete(&today).expect(422, "calendar_day_past");
        assert_eq!(world.as_("53-liaison").get(&today).expect(200, "").json()["changed"], true);
    }

    fn a_day_has_one_spelling_and_the_calendar_ends(world) {
        let system = world.as_(SYSTEM);
        for none in ["1999-12-31", "2101-01-01", "2026-1-5", "2026-02-30", "20260105", "+2026-01-05", "tomorrow", "12026-01-05"] {
            system.get(&format!("/calendar/{none}")).expect(404, "not_found");
            system.put(&format!("/calendar/{none}"), "*", &rest()).expect(404, "not_found");
            system.delete(&format!("/calendar/{none}")).expect(404, "not_found");
        }
        system.get("/calendar/2000-01-01").expect(200, "");
        system.get("/calendar/2100-12-31").expect(200, "");
        let wrong = |query: &str| system.get(&format!("/calendar{query}")).expect(422, "calendar_range").errors();
        let at = |place: &str, code: &str| [(place.to_owned(), code.to_owned())];
        assert_eq!(wrong("?from_on=2026-02-02&to_on=2026-02-01"), at("to_on", "out_of_order"));
        assert_eq!(wrong("?from_on=2026-01-01&to_on=2027-02-05"), at("to_on", "too_big"));
        assert_eq!(wrong("?from_on=1999-12-31"), at("from_on", "too_small"));
        assert_eq!(wrong("/deadline?working_days=1&from_on=2101-01-01"), at("from_on", "too_big"));
        let year = system.get("/calendar?from_on=2026-01-01&to_on=2027-02-04").expect(200, "").json();
        assert_eq!(year["days"].as_array().unwrap().len(), 400);
        system.get("/calendar?from_on=2026-02-30").expect(400, "invalid_query");
    }

    fn reading_is_for_everybody_who_reads_units_and_changing_for_one(world) {
        let path = format!("/calendar/{}", world.day(5));
        for who in ["53-rater", "53-intake-clerk", "53-auditor", "530102-unit-head", "53-identity-custodian"] {
            world.as_(who).get("/calendar").expect(200, "");
            world.as_(who).get(&path).expect(200, "");
            world.as_(who).put(&path, "*", &rest()).expect(403, "forbidden");
            world.as_(who).delete(&path).expect(403, "forbidden");
        }
        world.as_("platform-platform-operator").get("/calendar").expect(403, "forbidden");
        let wrong = world.as_(SYSTEM).put(&path, "*", &json!({ "kind": "weekend", "name": " " })).expect(422, "invalid_body");
        let mut errors = wrong.errors();
        errors.sort();
        assert_eq!(errors, [("/kind".to_owned(), "not_allowed_value".to_owned()), ("/name".to_owned(), "blank".to_owned())]);
    }

    fn of_eight_who_set_a_day_at_once_one_wins(world) {
        let path = format!("/calendar/{}", world.day(9));
        let system = world.as_(SYSTEM);
        for version in [1, 2] {
            let etag = system.get(&path).expect(200, "").etag();
            let mut found: Vec<u16> = std::thread::scope(|scope| {
                let one = |mark: usize| {
                    let body = json!({ "kind": "holiday", "name": format!("第{version}次第{mark}人") });
                    world.bearing(system.token()).put(&path, &etag, &body).status
                };
                let all: Vec<_> = (0..8).map(|mark| scope.spawn(move || one(mark))).collect();
                all.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            found.sort_unstable();
            assert_eq!(found, [200, 412, 412, 412, 412, 412, 412, 412]);
            assert_eq!(system.get(&path).json()["version"], version + 1);
        }
    }
}
