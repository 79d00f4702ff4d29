//! Versions, keys, merge patch, client-chosen ids, languages, the pages beside the API.

use pingyi::web::Rates;
use serde_json::{Value, json};

use crate::support::{Backend, World, both, story};

both! {
    fn versions_guard_changes_and_spare_reading(world) {
        let office = world.as_("53-group-office");
        let campaign = story::campaign(world, "53");
        let path = format!("/campaigns/{campaign}");
        let read = office.get(&path).expect(200, "");
        let etag = read.etag();
        assert!(etag.starts_with("\"v1."), "{etag}");
        office.call("GET", &path).header("If-None-Match", &etag).send().expect(304, "");
        office.call("GET", &path).header("If-None-Match", "\"v1.0000\"").send().expect(200, "");
        office.call("PATCH", &path).json(&json!({ "year": 2027 })).send().expect(428, "precondition_required");
        let changed = office.patch(&path, &etag, &json!({ "year": 2027 })).expect(200, "");
        assert_eq!(changed.json()["version"], 2);
        let stale = office.patch(&path, &etag, &json!({ "year": 2028 })).expect(412, "precondition_failed");
        assert_eq!(stale.header("etag"), Some(changed.etag().as_str()), "412 tells the current tag");
        // The hash is the reader's: the version alone is compared.
        office.patch(&path, "\"v2.ffff\"", &json!({ "year": 2028 })).expect(200, "");
        office.patch(&path, "*", &json!({ "year": 2028 })).expect(200, "");
        office.patch(&path, "W/\"v3.ffff\"", &json!({ "year": 2029 })).expect(412, "precondition_failed");
    }

    fn a_merge_patch_changes_what_it_names_and_null_removes(world) {
        let office = world.as_("53-group-office");
        let campaign = story::campaign(world, "53");
        let plan = office.post("/plans", &story::plan_body(world, &campaign, "53")).expect(201, "");
        let path = format!("/plans/{}", plan.id());
        let nested = json!({ "meeting": { "number": null } });
        let media = office.call("PATCH", &path).header("If-Match", &plan.etag()).bytes("application/merge-patch+json", nested.to_string());
        let changed = media.send().expect(200, "").json();
        assert_eq!((&changed["meeting"]["number"], &changed["meeting"]["title"]), (&Value::Null, &json!("党委会议")));
        assert_eq!(changed["tasks"], {
            let mut tasks = plan.json()["tasks"].clone();
            tasks[0]["version"] = json!(2);
            tasks
        });
        let removed = office.patch(&path, "*", &json!({ "meeting": null })).expect(200, "").json();
        assert_eq!(removed["meeting"], Value::Null);
        let refused = office.patch(&path, "*", &json!({ "title": null, "colour": "red" })).expect(422, "invalid_body");
        assert_eq!(refused.errors(), [("/colour".to_owned(), "unknown_field".to_owned())]);
        let refused = office.patch(&path, "*", &json!({ "title": null })).expect(422, "invalid_body");
        assert_eq!(refused.errors(), [("/title".to_owned(), "required".to_owned())]);
        office.patch(&path, "*", &json!({ "state": "approved" })).expect(422, "invalid_body");
    }

    fn a_key_makes_a_retry_safe(world) {
        let office = world.as_("53-group-office");
        let body = story::campaign_body(world, "53");
        let send = |key: &str, body: &Value| office.call("POST", "/campaigns").header("Idempotency-Key", key).json(body).send();
        let first = send("morning", &body).expect(201, "");
        let again = send("morning", &body).expect(201, "");
        assert_eq!((first.text(), first.etag(), first.header("location")), (again.text(), again.etag(), again.header("location")));
        let mut other = body.clone();
        other["year"] = json!(2027);
        send("morning", &other).expect(422, "idempotency_key_reused");
        assert_eq!(office.get("/campaigns?count=exact").expect(200, "").json()["total"], 1);
        // Another's key is another key; a refusal is not remembered; after a day the key is free.
        world.as_("5301-group-office").call("POST", "/campaigns").header("Idempotency-Key", "morning")
            .json(&story::campaign_body(world, "5301")).send().expect(201, "");
        send("later", &json!({})).expect(422, "invalid_body");
        send("later", &body).expect(201, "");
        world.advance(24 * 3600);
        let office = world.as_("53-group-office");
        office.call("POST", "/campaigns").header("Idempotency-Key", "morning").json(&other).send().expect(201, "");
    }

    fn a_cursor_of_ours_is_asked_for_before_the_list_is_looked_for(world) {
        let admin = world.as_("53-security-admin");
        let absent = "/users/01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d42/role-bindings";
        admin.get(absent).expect(404, "not_found");
        admin.get(&format!("{absent}?cursor=AAAA")).expect(400, "invalid_cursor");
        world.as_("53-liaison").get(&format!("{absent}?cursor=AAAA")).expect(403, "forbidden");
    }

    fn a_whole_number_may_be_written_with_a_fraction_of_nothing(world) {
        let office = world.as_("53-group-office");
        let text = story::campaign_body(world, "53").to_string().replace("\"year\":2026", "\"year\":2026.0");
        let send = |text: String| office.call("POST", "/campaigns").bytes("application/json", text).send();
        assert_eq!(send(text.clone()).expect(201, "").json()["year"], 2026);
        let refused = send(text.replace("2026.0", "2026.5")).expect(422, "invalid_body");
        assert_eq!(refused.errors(), [("/year".to_owned(), "wrong_type".to_owned())]);
    }

    fn a_client_may_choose_the_id(world) {
        let office = world.as_("53-group-office");
        let mut body = story::campaign_body(world, "53");
        body["id"] = json!("01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d42");
        office.post("/campaigns", &body).expect(201, "");
        office.post("/campaigns", &body).expect(200, "");
        body["year"] = json!(2027);
        office.post("/campaigns", &body).expect(409, "id_taken");
        // The same id in another province is another object.
        let mut other = story::campaign_body(world, "50");
        other["id"] = body["id"].clone();
        world.as_("50-group-office").post("/campaigns", &other).expect(201, "");
    }

    fn problems_speak_the_callers_language(world) {
        let office = world.as_("53-group-office");
        let path = "/plans/01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d42";
        let zh = office.get(path).expect(404, "not_found");
        assert_eq!((zh.json()["title"].as_str(), zh.header("content-language")), (Some("没有找到"), Some("zh-CN")));
        let en = office.call("GET", path).header("Accept-Language", "en-GB, zh;q=0.5").send().expect(404, "not_found");
        assert_eq!((en.json()["title"].as_str(), en.header("content-language")), (Some("Not found"), Some("en")));
        assert_eq!(zh.header("content-type"), Some("application/problem+json"));
    }

    fn the_documentation_needs_no_other_host(world) {
        let stranger = world.anonymous();
        let served = stranger.get("/api/v1/openapi.json").expect(200, "").json();
        assert_eq!(served, pingyi::web::document(&pingyi::app::api()).0);
        let page = stranger.get("/docs/").expect(200, "").text();
        for piece in page.split(['"', '\'']).filter(|piece| [Some("js"), Some("css")].contains(&piece.rsplit_once('.').map(|(_, kind)| kind))) {
            assert!(!piece.contains("//"), "{piece} is fetched from elsewhere");
            stranger.get(&format!("/docs/{}", piece.trim_start_matches("./"))).expect(200, "");
        }
        stranger.get("/health/live").expect(200, "");
        stranger.get("/health/ready").expect(200, "");
        let keys = stranger.get("/.well-known/jwks.json").expect(200, "").json();
        assert_eq!((&keys["keys"][0]["crv"], keys["keys"][0].get("d")), (&json!("Ed25519"), None));
    }

    fn a_first_password_opens_nothing_but_its_own_change(world) {
        let newcomer = world.as_("53-first-password");
        newcomer.get("/plans").expect(403, "password_change_required");
        assert_eq!(newcomer.get("/auth/me").expect(200, "").json()["password_change_required"], true);
        let change = |current: &str, new: &str| {
            newcomer.post("/auth/password", &json!({ "current_password": current, "new_password": new }))
        };
        let current = crate::support::people::PASSWORD;
        change("不是这个密码", "滇池东岸的海鸥二月才飞走").expect(422, "password_wrong");
        change(current, "woaini1314520").expect(422, "password_weak");
        change(current, "太短").expect(422, "invalid_body");
        // A retry under the same key knows a password that is no longer the current one.
        let body = json!({ "current_password": current, "new_password": "滇池东岸的海鸥二月才飞走" });
        let keyed = || newcomer.call("POST", "/auth/password").header("Idempotency-Key", "change-1").json(&body).send();
        keyed().expect(204, "");
        keyed().expect(204, "");
        change(current, "滇池东岸的海鸥二月才飞走").expect(422, "password_wrong");
        newcomer.get("/plans").expect(200, "");
    }
}

/// A server that lets each caller make three requests a minute: one comes back every twenty seconds, within which all of this
/// is asked.
fn whoever_asks_too_often_is_told_when_to_come_again(backend: Backend) {
    let world = World::with(backend, |context| context.rates = Rates::of(3));
    let head = world.as_("53-group-head");
    for left in (0..3).rev() {
        let reply = head.get("/auth/me").expect(200, "");
        assert_eq!(reply.header("ratelimit-policy"), Some("\"requests\";q=3;w=60"));
        assert!(
            reply.header("ratelimit").unwrap().starts_with(&format!("\"requests\";r={left};t=")),
            "{}",
            reply.story()
        );
    }
    let refused = head.get("/auth/me").expect(429, "too_many_requests");
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!(
        (1..=21).contains(&wait) && refused.header("ratelimit").unwrap().contains("r=0"),
        "{}",
        refused.story()
    );
    // Writing, and what is not there, count as well; another account has its own.
    head.post("/campaigns", &json!({})).expect(429, "too_many_requests");
    world.as_("53-group-office").get("/auth/me").expect(200, "");
    // Signed out, the address counts.
    let nobody = world.anonymous();
    let stale = json!({ "refresh_token": "x".repeat(43) });
    let answers: Vec<u16> = (0..6).map(|_| nobody.post("/auth/refresh", &stale).status).collect();
    assert!(answers.contains(&429), "{answers:?}");
    // Whoever looks whether the server is well asks as often as they like.
    assert!((0..20).all(|_| nobody.get("/health/live").status == 200));
}

#[test]
fn whoever_asks_too_often_is_told_when_to_come_again_sqlite() {
    whoever_asks_too_often_is_told_when_to_come_again(Backend::Sqlite);
}

#[test]
fn whoever_asks_too_often_is_told_when_to_come_again_postgres() {
    whoever_asks_too_often_is_told_when_to_come_again(Backend::Postgres);
}
