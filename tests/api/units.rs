//! Units as they live: entered, renamed, moved, merged, deactivated; and what they were.

use serde_json::{Value, json};

use crate::support::client::Reply;
use crate::support::raw::Raw;
use crate::support::{World, both, story};

const ADMIN: &str = "53-system-admin";

fn station(world: &World, code: &str, name: &str, parent: &str) -> Value {
    json!({ "code": code, "name": name, "kind": "station", "parent_id": world.unit(parent) })
}

fn reorganise(world: &World, unit: &str, what: &str, body: &Value) -> Reply {
    world.as_(ADMIN).post(&format!("/units/{}/{what}", world.unit(unit)), body)
}

/// Codes of a list, in its order.
fn codes(reply: &Reply) -> Vec<String> {
    let items = reply.json()["items"].as_array().cloned().unwrap_or_default();
    items.iter().map(|unit| unit["code"].as_str().unwrap_or_default().to_owned()).collect()
}

/// Every path in every table is the path its unit has now; every unit has one open period, which says
/// what its row says.
fn whole(world: &World) {
    let mut raw = Raw::owner(world, "53");
    let tables = [
        "users",
        "role_bindings",
        "officers",
        "campaigns",
        "authorisation_areas",
        "authorisations",
        "campaign_scope_units",
        "checklists",
        "unannounced_checks",
        "plans",
        "task_assignments",
        "entry_duties",
        "day_entries",
        "owed_entries",
    ];
    for table in tables {
        let astray = raw.texts(&format!(
            "SELECT '{table} ' || t.unit_path || ' is not ' || u.path AS text FROM {table} t \
             JOIN units u ON u.tenant_id = t.tenant_id AND u.id = t.unit_id WHERE t.unit_path <> u.path"
        ));
        assert_eq!(astray, Vec::<String>::new());
    }
    let astray = raw.texts(
        "SELECT 'task ' || t.unit_path || ' is not ' || p.unit_path AS text FROM tasks t \
         JOIN plans p ON p.tenant_id = t.tenant_id AND p.id = t.plan_id WHERE t.unit_path <> p.unit_path \
         UNION ALL SELECT 'path ' || u.path || ' under ' || above.path FROM units u \
         JOIN units above ON above.tenant_id = u.tenant_id AND above.id = u.parent_id \
         WHERE u.path <> above.path || u.code || '/' \
         UNION ALL SELECT 'period of ' || u.code FROM units u LEFT JOIN unit_periods n \
         ON n.tenant_id = u.tenant_id AND n.unit_id = u.id AND n.valid_until_on IS NULL \
         WHERE n.unit_id IS NULL OR n.name <> u.name OR n.path <> u.path OR n.status <> u.status \
         OR (n.parent_id <> u.parent_id)",
    );
    assert_eq!(astray, Vec::<String>::new());
}

/// The audit rows a request left, as `action entity`, sorted.
fn audited(world: &World, reply: &Reply) -> Vec<String> {
    let id = reply.header("x-request-id").unwrap();
    let sql = format!(
        "SELECT action || ' ' || entity AS text FROM audit_log WHERE request_id = '{id}' ORDER BY action, entity"
    );
    Raw::owner(world, "53").texts(&sql)
}

#[test]
fn every_column_of_paths_is_looked_after() {
    // Whoever adds a table with a unit's path says here that a move rewrites it, and in `whole` that it did.
    let schema = include_str!("../../src/db/schema.rs");
    let mut table = "";
    let mut found = Vec::new();
    for line in schema.lines().map(str::trim) {
        if let Some((name, _)) = line.split_once(" (tenant_id") {
            table = name;
        } else if line.starts_with("unit_path ->") {
            found.push(table);
        }
    }
    found.sort_unstable();
    let rewritten = [
        "campaign_scope_units",
        "campaigns",
        "day_entries",
        "entry_duties",
        "officers",
        "owed_entries",
        "plans",
        "progress_counters",
        "role_bindings",
        "task_assignments",
        "tasks",
        "users",
    ];
    assert_eq!(found, rewritten, "see follow_path! in the handover stores and `whole` in tests/api/units.rs");
}

both! {
    fn a_unit_is_entered_with_its_day(world) {
        let admin = world.as_(ADMIN);
        let mut body = station(world, "530102099", "翠湖派出所", "530102");
        body["effective_on"] = json!(world.day(-3));
        body["id"] = json!("01936f2a-7c1e-7b6d-9a54-2f0e8c3b1e01");
        let made = admin.post("/units", &body).expect(201, "");
        assert_eq!(made.header("location"), Some("/api/v1/units/01936f2a-7c1e-7b6d-9a54-2f0e8c3b1e01"));
        assert_eq!((&made.json()["depth"], &made.json()["kind"]), (&json!(3), &json!("station")));
        assert_eq!(made.allowed(), ["update", "move", "merge", "deactivate"]);
        // Again the same: it is here; with another name: the id is taken; with another id: the code is.
        admin.post("/units", &body).expect(200, "");
        body["name"] = json!("翠湖二所");
        admin.post("/units", &body).expect(409, "id_taken");
        body["id"] = json!("01936f2a-7c1e-7b6d-9a54-2f0e8c3b1e02");
        admin.post("/units", &body).expect(409, "unit_code_taken");
        // It was not there the day before.
        let path = format!("/units/{}", made.id());
        admin.get(&format!("{path}?as_of={}", world.day(-3))).expect(200, "");
        admin.get(&format!("{path}?as_of={}", world.day(-4))).expect(404, "not_found");
        let list = |day: i64| admin.get(&format!("/stations?q=%E7%BF%A0%E6%B9%96&as_of={}", world.day(day))).expect(200, "");
        assert_eq!((codes(&list(-3)), codes(&list(-4))), (vec!["530102099".to_owned()], Vec::new()));
        whole(world);

        // Everything that can be wrong with it.
        let refused = |body: &Value, place: &str, code: &str| {
            let reply = admin.post("/units", body).expect(422, "invalid_body");
            assert_eq!(reply.errors(), [(place.to_owned(), code.to_owned())]);
        };
        let mut body = station(world, "530102098", "新设派出所", "530102");
        body["effective_on"] = json!(world.day(1));
        refused(&body, "/effective_on", "in_the_future");
        refused(&station(world, "530102098", "新设派出所", "5301-W01"), "/parent_id", "wrong_kind");
        refused(&station(world, "530102098", "新设派出所", "500103"), "/parent_id", "unknown_reference");
        refused(&station(world, "530 102", "新设派出所", "530102"), "/code", "wrong_format");
        // Kunming's own administrator reaches Kunming only; the address may fix the kind.
        let kunming = world.as_("5301-system-admin");
        kunming.post("/units", &station(world, "530302099", "新设派出所", "530302")).expect(422, "invalid_body");
        let body = json!({ "code": "5301-D09", "name": "法制支队", "parent_id": world.unit("5301") });
        assert_eq!(kunming.post("/departments", &body).expect(201, "").json()["kind"], "department");
        kunming.post("/cities", &json!({ "code": "5399", "name": "某市", "parent_id": world.unit("5301") })).expect(422, "");
    }

    fn a_name_is_remembered_by_its_days(world) {
        let admin = world.as_(ADMIN);
        let path = format!("/units/{}", world.unit("530102"));
        let first = admin.get(&path).expect(200, "");
        let rename = |etag: &str, name: &str, day: i64| {
            admin.patch(&path, etag, &json!({ "name": name, "effective_on": world.day(day), "reason": "规范名称。" }))
        };
        let renamed = rename(&first.etag(), "五华区公安局", -10).expect(200, "");
        assert_eq!((&renamed.json()["name"], &renamed.json()["version"]), (&json!("五华区公安局"), &json!(2)));
        rename(&first.etag(), "五华公安局", -5).expect(412, "precondition_failed");
        // History is added to, not rewritten.
        let early = rename("*", "五华公安局", -11).expect(422, "invalid_body");
        assert_eq!(early.errors(), [("/effective_on".to_owned(), "out_of_order".to_owned())]);
        rename("*", "五华公安局", 1).expect(422, "invalid_body");
        // Twice on one day: the day ends under the last name.
        rename("*", "五华分局", -5).expect(200, "");
        rename("*", "五华公安分局", -5).expect(200, "");
        let name = |day: i64| admin.get(&format!("{path}?as_of={}", world.day(day))).expect(200, "").json()["name"].clone();
        assert_eq!([name(-11), name(-10), name(-6), name(-5), name(0)],
            [first.json()["name"].clone(), json!("五华区公安局"), json!("五华区公安局"), json!("五华公安分局"), json!("五华公安分局")]);
        let history = admin.get(&format!("{path}/history?count=exact")).expect(200, "").json();
        assert_eq!(history["total"], 3);
        let story: Vec<_> = history["items"].as_array().unwrap().iter()
            .map(|one| (one["change"].as_str().unwrap(), one["valid_until_on"].clone())).collect();
        assert_eq!(story, [("renamed", Value::Null), ("renamed", json!(world.day(-6))), ("created", json!(world.day(-11)))]);
        // The search of a day finds the name of that day; the old name is found no more today.
        let found = |day: &str| codes(&admin.get(&format!("/counties?q=%E4%BA%94%E5%8D%8E%E5%8C%BA%E5%85%AC%E5%AE%89%E5%B1%80{day}")).expect(200, ""));
        assert_eq!(found(&format!("&as_of={}", world.day(-7))), ["530102"]);
        assert_eq!(found(""), Vec::<String>::new());
        // By its page the history is the same.
        let page = admin.get(&format!("{path}/history?limit=1")).expect(200, "").json();
        let cursor = page["next_cursor"].as_str().unwrap();
        let next = admin.get(&format!("{path}/history?limit=2&cursor={cursor}")).expect(200, "").json();
        assert_eq!((&next["items"][0], &next["items"][1], &next["next_cursor"]), (&history["items"][1], &history["items"][2], &Value::Null));
        whole(world);
    }

    fn a_county_moves_with_everything_that_stands_there(world) {
        let tale = story::launched(world, "53");
        let plan = story::draft(world, &tale.campaign, "530102", "530102-liaison");
        let plan = format!("/plans/{plan}");
        let (liaison, kunming, qujing) =
            (world.as_("530102-liaison"), world.as_("5301-group-office"), world.as_("5303-group-office"));
        kunming.get(&plan).expect(200, "");
        qujing.get(&plan).expect(404, "not_found");
        let stations = |who: &str, of: &str, day: i64| {
            let path = format!("/stations?unit_id={}&as_of={}", world.unit(of), world.day(day));
            codes(&world.as_(who).get(&path).expect(200, ""))
        };
        assert_eq!(stations("53-group-office", "5301", 0), ["530102001"]);

        let body = json!({ "parent_id": world.unit("5303"), "effective_on": world.day(-2), "reason": "区划调整。" });
        let moved = reorganise(world, "530102", "move", &body).expect(200, "");
        assert_eq!((&moved.json()["parent_id"], &moved.json()["version"]), (&json!(world.unit("5303")), &json!(2)));
        assert_eq!(audited(world, &moved), ["unit.move unit", "unit.move unit"], "one a unit touched");
        whole(world);
        // Reach follows today's tree, for the tokens people hold already.
        kunming.get(&plan).expect(404, "not_found");
        qujing.get(&plan).expect(200, "");
        liaison.patch(&plan, "*", &json!({ "title": "五华分局实施方案" })).expect(200, "");
        // Statistics and names follow the tree of the day.
        let office = "53-group-office";
        assert_eq!([stations(office, "5301", -3), stations(office, "5301", -2)], [vec!["530102001".to_owned()], Vec::new()]);
        assert_eq!([stations(office, "5303", -3), stations(office, "5303", -2)],
            [vec!["530302001".to_owned()], vec!["530102001".to_owned(), "530302001".to_owned()]]);
        // Moving to where it is changes nothing, and leaves nothing.
        let again = reorganise(world, "530102", "move", &body).expect(200, "");
        assert_eq!((audited(world, &again), &again.json()["version"]), (Vec::new(), &json!(2)));
    }

    fn what_cannot_be_moved(world) {
        let to = |parent: &str| json!({ "parent_id": world.unit(parent), "reason": "区划调整。" });
        reorganise(world, "5301", "move", &to("5301")).expect(422, "move_into_itself");
        reorganise(world, "5301", "move", &to("530102")).expect(422, "move_into_itself");
        reorganise(world, "53", "move", &to("5301")).expect(422, "unit_is_root");
        let kind = reorganise(world, "5301", "move", &to("5303")).expect(422, "invalid_body");
        assert_eq!(kind.errors(), [("/parent_id".to_owned(), "wrong_kind".to_owned())]);
        let foreign = reorganise(world, "530102", "move", &to("50")).expect(422, "invalid_body");
        assert_eq!(foreign.errors(), [("/parent_id".to_owned(), "unknown_reference".to_owned())]);
        // Not beyond one's own reach, neither from nor to.
        let kunming = world.as_("5301-system-admin");
        kunming.post(&format!("/units/{}/move", world.unit("530302")), &to("5301")).expect(404, "not_found");
        kunming.post(&format!("/units/{}/move", world.unit("530102")), &to("5303")).expect(422, "invalid_body");
        world.as_("53-group-head").post(&format!("/units/{}/move", world.unit("530102")), &to("5303")).expect(403, "forbidden");
        let stale = world.as_(ADMIN).call("POST", &format!("/units/{}/move", world.unit("530102")))
            .header("If-Match", "\"v7.00\"").json(&to("5303")).send();
        stale.expect(412, "precondition_failed");
        let future = json!({ "parent_id": world.unit("5303"), "effective_on": world.day(1), "reason": "区划调整。" });
        reorganise(world, "530102", "move", &future).expect(422, "invalid_body");
        // A station below was renamed yesterday: the county cannot have moved the day before.
        let station = format!("/units/{}", world.unit("530102001"));
        world.as_(ADMIN).patch(&station, "*", &json!({ "name": "华山西路派出所", "effective_on": world.day(-1) })).expect(200, "");
        let early = json!({ "parent_id": world.unit("5303"), "effective_on": world.day(-2), "reason": "区划调整。" });
        let refused = reorganise(world, "530102", "move", &early).expect(422, "invalid_body");
        assert!(refused.text().contains("华山西路派出所"), "{}", refused.story());
        whole(world);
    }

    fn the_unit_that_takes_over_gets_everything(world) {
        let tale = story::launched(world, "53");
        let county = story::draft(world, &tale.campaign, "530102", "530102-liaison");
        // The province's plan names the county too.
        let before = world.as_("530102-liaison").get("/plans?count=exact").expect(200, "").json()["total"].clone();
        let body = json!({ "into_id": world.unit("530302"), "effective_on": world.day(-1), "reason": "两分局合并。" });
        let merged = reorganise(world, "530102", "merge", &body).expect(200, "");
        let view = merged.json();
        assert_eq!((&view["status"], &view["successor_id"], &view["allowed_actions"]),
            (&json!("deactivated"), &json!(world.unit("530302")), &json!([])));
        whole(world);
        let rows = audited(world, &merged);
        let count = |row: &str| rows.iter().filter(|one| *one == row).count();
        assert_eq!((count("unit.merge unit"), count("work.follow_unit plan"), count("work.follow_unit plan_responsibles")), (2, 1, 1), "{rows:?}");
        assert_eq!((count("accounts.follow_unit user"), count("accounts.follow_unit role_binding")), (4, 8), "{rows:?}");
        // The plan is the successor's; who wrote it goes on with it, by the same token.
        let plan = format!("/plans/{county}");
        let liaison = world.as_("530102-liaison");
        let shown = liaison.get(&plan).expect(200, "").json();
        assert_eq!((&shown["unit"]["code"], &shown["tasks"][0]["responsible"][0]["unit"]["code"]), (&json!("530302"), &json!("530302")));
        liaison.patch(&plan, "*", &json!({ "title": "合并后的实施方案" })).expect(200, "");
        assert_eq!(liaison.get("/plans?count=exact").expect(200, "").json()["total"], before);
        world.as_("5303-group-office").get(&plan).expect(200, "");
        world.as_("5301-group-office").get(&plan).expect(404, "not_found");
        // The station stands under the successor, and the past is what it was.
        let admin = world.as_(ADMIN);
        let below = |day: i64| codes(&admin.get(&format!("/stations?unit_id={}&as_of={}", world.unit("530302"), world.day(day))).expect(200, ""));
        assert_eq!((below(-2), below(-1)), (vec!["530302001".to_owned()], vec!["530102001".to_owned(), "530302001".to_owned()]));
        let history = admin.get(&format!("/units/{}/history", world.unit("530102"))).expect(200, "").json();
        assert_eq!((&history["items"][0]["change"], &history["items"][0]["successor"]["code"]), (&json!("merged"), &json!("530302")));
        // What has ended is not changed again, and nothing is put under it.
        reorganise(world, "530102", "merge", &body).expect(409, "unit_deactivated");
        reorganise(world, "530102", "move", &json!({ "parent_id": world.unit("5303"), "reason": "x" })).expect(409, "unit_deactivated");
        admin.patch(&format!("/units/{}", world.unit("530102")), "*", &json!({ "name": "旧局" })).expect(409, "unit_deactivated");
        let under = admin.post("/units", &station(world, "530102077", "某所", "530102")).expect(422, "invalid_body");
        assert_eq!(under.errors(), [("/parent_id".to_owned(), "unit_deactivated".to_owned())]);
        assert_eq!(codes(&admin.get("/counties?status=active").expect(200, "")), ["530302"]);
    }

    fn two_plans_of_one_campaign_are_not_joined(world) {
        let tale = story::launched(world, "53");
        let one = story::draft(world, &tale.campaign, "530102", "530102-liaison");
        story::draft(world, &tale.campaign, "5303", "5303-liaison");
        let admin = world.as_(ADMIN);
        let body = json!({ "into_id": world.unit("5303"), "reason": "撤销分局。" });
        let refused = reorganise(world, "530102", "merge", &body).expect(422, "unit_in_use");
        assert_eq!(refused.errors(), [(String::new(), "open_plan".to_owned())]);
        assert_eq!(refused.json()["errors"][0]["facts"]["plan_id"], json!(one));
        assert_eq!(admin.get(&format!("/units/{}", world.unit("530102"))).expect(200, "").json()["status"], "active");
        whole(world);
    }

    fn only_an_empty_unit_is_deactivated(world) {
        let body = json!({ "reason": "窗口撤并。" });
        let full = reorganise(world, "530102", "deactivate", &body).expect(422, "unit_in_use");
        let codes: Vec<String> = full.errors().into_iter().map(|(_, code)| code).collect();
        let count = |code: &str| codes.iter().filter(|one| *one == code).count();
        let found = ["unit_below", "account_at_unit", "role_held_at_unit", "officer_at_unit"].map(count);
        assert_eq!((found, codes.len()), ([1, 4, 4, 1], 10));
        reorganise(world, "53", "deactivate", &body).expect(422, "unit_is_root");
        let ended = reorganise(world, "5303-W01", "deactivate", &body).expect(200, "");
        assert_eq!((&ended.json()["status"], audited(world, &ended)), (&json!("deactivated"), vec!["unit.deactivate unit".to_owned()]));
        reorganise(world, "5303-W01", "deactivate", &body).expect(409, "unit_deactivated");
        // Nothing new is put there.
        let gone = |reply: Reply| {
            let reply = reply.expect(422, "invalid_body");
            assert!(reply.errors().contains(&("/unit_id".to_owned(), "unit_deactivated".to_owned())), "{}", reply.story());
        };
        let unit = world.unit("5303-W01");
        let admin = world.as_(ADMIN);
        gone(admin.post("/users", &json!({ "login": "newcomer", "display_name": "和志远", "unit_id": unit, "password": "翠湖边第三棵柳树下面见面" })));
        gone(admin.post("/officers", &json!({ "number": "053017", "name": "和志远", "kind": "police", "unit_id": unit })));
        let binding = json!({ "role": "liaison", "unit_id": unit });
        gone(world.as_("53-security-admin").post(&format!("/users/{}/role-bindings", world.user("53-nobody")), &binding));
        // It is still there for whoever asks, and was active until yesterday.
        let path = format!("/units/{unit}");
        assert_eq!(admin.get(&format!("{path}?as_of={}", world.day(-1))).expect(200, "").json()["status"], "active");
        whole(world);
    }

    fn nothing_is_lost_between_a_move_and_what_is_written_meanwhile(world) {
        let tale = story::launched(world, "53");
        let (admin, office) = (world.as_(ADMIN), world.as_("53-system-admin"));
        let plan = story::draft(world, &tale.campaign, "530102", "530102-liaison");
        let (county, cities) = (world.unit("530102"), [world.unit("5303"), world.unit("5301")]);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for round in 0..10 {
                    let body = json!({ "parent_id": cities[round % 2], "reason": "演练。" });
                    admin.post(&format!("/units/{county}/move"), &body).expect(200, "");
                }
            });
            scope.spawn(|| {
                for round in 0..20 {
                    let body = json!({
                        "login": format!("newcomer-{round}"), "display_name": "和志远", "unit_id": county,
                        "password": "翠湖边第三棵柳树下面见面",
                    });
                    office.post("/users", &body).expect(201, "");
                }
            });
            scope.spawn(|| {
                for round in 0..20 {
                    let body = json!({ "title": format!("五华分局实施方案 {round}") });
                    world.as_("530102-liaison").patch(&format!("/plans/{plan}"), "*", &body).expect(200, "");
                }
            });
        });
        whole(world);
    }
}
