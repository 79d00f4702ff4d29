//! A province's settings: defaults on record, bounds nobody leaves, a history that stays.

use serde_json::{Value, json};

use crate::support::both;
use crate::support::raw::Raw;

const SYSTEM: &str = "53-system-admin";

fn patch(values: &Value) -> Value {
    json!({ "reason": "厅领导小组第三次会议决定。", "values": values })
}

both! {
    fn a_province_that_has_set_nothing_has_the_defaults(world) {
        let told = world.as_("53-rater").get("/settings").expect(200, "");
        let wanted = json!({
            "values": {
                "suppression_k": 10, "recheck_percent": 5, "cooling_off_months": 36, "extensions_max": 2,
                "objection_working_days": 3, "transfers_max": 1, "trimmed_mean": false, "quorum_above_percent": 50,
                "station_budget_minutes": 12000, "receipt_bits": 80,
            },
            "reason": null, "updated_by": null, "updated_at": null, "version": 1,
        });
        assert_eq!(told.json(), wanted);
        assert!(told.etag().starts_with("\"v1."), "{}", told.etag());
        world.as_("53-rater").call("GET", "/settings").header("If-None-Match", &told.etag()).send().expect(304, "");
        let none = world.as_(SYSTEM).get("/settings/history?count=exact").expect(200, "").json();
        assert_eq!((&none["items"], &none["total"]), (&json!([]), &json!(0)));
    }

    fn a_change_says_why_and_is_kept_for_ever(world) {
        let system = world.as_(SYSTEM);
        let first = system.get("/settings").expect(200, "");
        let changed = system.patch("/settings", &first.etag(), &patch(&json!({ "recheck_percent": 10 }))).expect(200, "");
        let body = changed.json();
        assert_eq!((&body["values"]["recheck_percent"], &body["values"]["receipt_bits"]), (&json!(10), &json!(80)));
        assert_eq!((&body["version"], &body["reason"]), (&json!(2), &json!("厅领导小组第三次会议决定。")));
        assert_eq!(body["updated_by"]["id"], json!(world.user(SYSTEM)));
        assert_eq!(changed.text(), world.as_("53-rater").get("/settings").text());

        let second = json!({ "reason": "试行去掉最高分与最低分。", "values": { "trimmed_mean": true, "recheck_percent": 8 } });
        system.patch("/settings", &changed.etag(), &second).expect(200, "");
        let history = world.as_("53-auditor").get("/settings/history?count=exact").expect(200, "").json();
        assert_eq!(history["total"], 2);
        let told: Vec<(Value, Value, Value)> = history["items"].as_array().unwrap().iter()
            .map(|row| (row["version"].clone(), row["changes"].clone(), row["changed_by"]["display_name"].clone()))
            .collect();
        let one = |setting: &str, before: &str, after: &str| json!({ "setting": setting, "before": before, "after": after });
        assert_eq!(told, [
            (json!(3), json!([one("recheck_percent", "10", "8"), one("trimmed_mean", "false", "true")]), json!("系统管理员")),
            (json!(2), json!([one("recheck_percent", "5", "10")]), json!("系统管理员")),
        ]);
        // A page of one still knows what came before it.
        let page = world.as_("53-auditor").get("/settings/history?limit=1").expect(200, "").json();
        assert_eq!(page["items"][0], history["items"][0]);
        let next = page["next_cursor"].as_str().unwrap();
        let page = world.as_("53-auditor").get(&format!("/settings/history?limit=1&cursor={next}")).expect(200, "").json();
        assert_eq!((&page["items"][0], &page["next_cursor"]), (&history["items"][1], &Value::Null));
        let reasons = "SELECT reason AS text FROM audit_log WHERE action = 'settings.update' ORDER BY id";
        assert_eq!(Raw::owner(world, "53").texts(reasons), ["厅领导小组第三次会议决定。", "试行去掉最高分与最低分。"]);

        // Another province goes by its own.
        assert_eq!(world.as_("50-rater").get("/settings").expect(200, "").json()["version"], 1);
        assert_eq!(world.as_("50-auditor").get("/settings/history").expect(200, "").json()["items"], json!([]));
    }

    fn bounds_hold(world) {
        let system = world.as_(SYSTEM);
        let bounds = [
            ("suppression_k", 10, 1000), ("recheck_percent", 5, 100), ("cooling_off_months", 12, 120),
            ("extensions_max", 0, 5), ("objection_working_days", 1, 30), ("transfers_max", 0, 3),
            ("quorum_above_percent", 50, 99), ("station_budget_minutes", 0, 120_000), ("receipt_bits", 80, 256),
        ];
        for (name, low, high) in bounds {
            for (value, code) in [(low - 1, "too_small"), (high + 1, "too_big")] {
                let refused = system.patch("/settings", "*", &patch(&json!({ name: value }))).expect(422, "invalid_body");
                assert_eq!(refused.errors(), [(format!("/values/{name}"), code.to_owned())]);
            }
            for value in [low, high] {
                let told = system.patch("/settings", "*", &patch(&json!({ name: value }))).expect(200, "").json();
                assert_eq!(told["values"][name], value);
            }
        }
        let refused = |body: &Value| {
            let mut errors = system.patch("/settings", "*", body).expect(422, "invalid_body").errors();
            errors.sort();
            errors
        };
        let at = |place: &str, code: &str| [(place.to_owned(), code.to_owned())];
        assert_eq!(refused(&json!({ "values": { "recheck_percent": 6 } })), at("/reason", "required"));
        assert_eq!(refused(&json!({ "reason": null, "values": {} })), at("/reason", "wrong_type"));
        assert_eq!(refused(&json!({ "reason": " ", "values": {} })), at("/reason", "blank"));
        assert_eq!(refused(&patch(&json!({ "recheck_percent": null }))), at("/values/recheck_percent", "required"));
        assert_eq!(refused(&patch(&json!({ "recheck": 6 }))), at("/values/recheck", "unknown_field"));
        assert_eq!(refused(&patch(&json!({ "trimmed_mean": 1 }))), at("/values/trimmed_mean", "wrong_type"));
        assert_eq!(refused(&patch(&json!({ "receipt_bits": 80.5 }))), at("/values/receipt_bits", "wrong_type"));
    }

    fn the_version_known_is_asked_for(world) {
        let system = world.as_(SYSTEM);
        let first = system.get("/settings").expect(200, "").etag();
        let body = patch(&json!({ "transfers_max": 2 }));
        system.call("PATCH", "/settings").json(&body).send().expect(428, "precondition_required");
        let second = system.patch("/settings", &first, &body).expect(200, "").etag();
        let stale = system.patch("/settings", &first, &patch(&json!({ "transfers_max": 0 }))).expect(412, "precondition_failed");
        assert_eq!(stale.header("etag"), Some(second.as_str()));
        // What changes nothing is no version, whatever the reason.
        let same = system.patch("/settings", &second, &json!({ "reason": "再次确认。", "values": { "transfers_max": 2 } })).expect(200, "");
        assert_eq!(same.etag(), second);
        assert_eq!(system.get("/settings/history?count=exact").json()["total"], 1);
    }

    fn of_eight_changes_at_once_one_wins(world) {
        let system = world.as_(SYSTEM);
        for version in [1, 2] {
            let etag = system.get("/settings").expect(200, "").etag();
            let mut found: Vec<u16> = std::thread::scope(|scope| {
                let one = |mark: i32| {
                    let body = patch(&json!({ "station_budget_minutes": 1000 * version + mark }));
                    world.bearing(system.token()).patch("/settings", &etag, &body).status
                };
                let all: Vec<_> = (0..8).map(|mark| scope.spawn(move || one(mark))).collect();
                all.into_iter().map(|thread| thread.join().unwrap()).collect()
            });
            found.sort_unstable();
            assert_eq!(found, [200, 412, 412, 412, 412, 412, 412, 412]);
        }
        assert_eq!(system.get("/settings").json()["version"], 3);
    }

    fn changing_is_for_the_system_administrator_and_the_history_for_those_who_answer_for_it(world) {
        for who in ["53-group-head", "53-group-office", "53-auditor", "53-security-admin", "53-liaison"] {
            world.as_(who).get("/settings").expect(200, "");
            world.as_(who).patch("/settings", "*", &patch(&json!({ "recheck_percent": 6 }))).expect(403, "forbidden");
        }
        world.as_("53-group-head").get("/settings/history").expect(200, "");
        world.as_("53-liaison").get("/settings/history").expect(403, "forbidden");
        world.as_("platform-platform-operator").get("/settings").expect(403, "forbidden");
    }
}
