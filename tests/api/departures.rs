//! What ends with a person or a unit: posts, standing in, accounts, what is kept of them; and who may
//! end it.

use serde_json::{Value, json};

use crate::support::raw::Raw;
use crate::support::{Backend, World, both, people};

const ADMIN: &str = "53-system-admin";

fn officer(world: &World, number: &str, unit: &str) -> String {
    let body = json!({ "number": number, "name": "和志远", "kind": "police", "unit_id": world.unit(unit) });
    world.as_(ADMIN).post("/officers", &body).expect(201, "").id()
}

fn account(world: &World, login: &str, unit: &str, officer: Option<&str>) -> String {
    let body = json!({
        "login": login, "display_name": "和志远", "unit_id": world.unit(unit), "officer_id": officer,
        "password": people::PASSWORD,
    });
    world.as_(ADMIN).post("/users", &body).expect(201, "").id()
}

fn appoint(world: &World, officer: &str, unit: &str, kind: &str, from: i64) -> String {
    let body = json!({
        "unit_id": world.unit(unit), "kind": kind, "title": "职务", "valid_from_on": world.day(from),
    });
    world.as_(ADMIN).post(&format!("/officers/{officer}/posts"), &body).expect(201, "").id()
}

fn leave(world: &World, who: &str, officer: &str) -> crate::support::client::Reply {
    world.as_(who).post(&format!("/officers/{officer}/leave"), &json!({ "reason": "调离。" }))
}

both! {
    fn nobody_shuts_out_who_is_not_theirs_by_way_of_an_officer(world) {
        let one = officer(world, "053017", "530102");
        let link = |login: &str| {
            let path = format!("/users/{}", world.user(login));
            world.as_(ADMIN).patch(&path, "*", &json!({ "officer_id": one }))
        };
        link(ADMIN).expect(422, "change_own_account");
        link("53-security-admin").expect(422, "account_out_of_hands");
        let table = |login: &str| {
            let rows = format!("登录名,姓名,单位代码,警号\n{login},改名,53,053017\n");
            world.as_(ADMIN).call("POST", "/users/imports").bytes("text/csv", rows).import()
        };
        for (login, code) in [(ADMIN, "change_own_account"), ("53-security-admin", "account_out_of_hands")] {
            let refused = table(login).expect(422, "import_refused").json();
            assert_eq!(refused["errors"][0]["code"], code);
        }
        // An account with a role beyond Kunming's reach is not Kunming's to shut out.
        let two = officer(world, "053018", "530102");
        let user = account(world, "hezhiyuan", "530102", Some(&two));
        let grant = json!({ "role": "liaison", "unit_id": world.unit("5303") });
        world.as_("53-security-admin").post(&format!("/users/{user}/role-bindings"), &grant).expect(201, "");
        leave(world, "5301-system-admin", &two).expect(422, "account_out_of_hands");
        leave(world, ADMIN, &two).expect(200, "");
        // Disabled it stays: whoever has left signs in no more.
        let shown = world.as_(ADMIN).get(&format!("/users/{user}")).expect(200, "");
        assert!(!shown.allowed().contains(&"enable".to_owned()), "{}", shown.story());
        world.as_(ADMIN).post(&format!("/users/{user}/enable"), &json!({})).expect(409, "officer_left");
    }

    fn with_an_officer_end_posts_and_standing_in(world) {
        let one = officer(world, "053017", "5304");
        let post = appoint(world, &one, "5304", "deputy_head", -90);
        let naming = json!({
            "officer_id": one, "valid_from_on": world.day(0), "valid_until_on": world.day(30), "reason": "住院治疗。",
        });
        let path = format!("/units/{}/stand-ins", world.unit("5304"));
        world.as_("53-group-head").post(&path, &naming).expect(201, "");
        // Why somebody is absent is for those who look after officers, not for everybody who reads units.
        assert_eq!(world.as_("53-group-office").get(&path).expect(200, "").json()["items"][0]["reason"], "住院治疗。");
        world.as_("53-rater").get(&path).expect(403, "forbidden");
        let head = world.as_("53-special-supervisor").get(&format!("/units/{}/head", world.unit("5304"))).expect(200, "");
        assert!(!head.text().contains("reason") && !head.text().contains("住院"), "{}", head.story());
        assert_eq!(head.json()["stand_in"]["id"], json!(one));
        leave(world, ADMIN, &one).expect(200, "");
        let shown = world.as_("53-group-office").get(&path).expect(200, "").json();
        assert!(shown["items"][0]["ended_at"].is_string(), "{shown}");
        let head = world.as_("53-group-office").get(&format!("/units/{}/head", world.unit("5304"))).expect(200, "").json();
        assert_eq!(head["stand_in"], Value::Null);
        // What was may be put right, not made to last beyond the last day.
        let path = format!("/officers/{one}/posts/{post}");
        let correct = |body: &Value| world.as_(ADMIN).patch(&path, "*", body);
        assert_eq!(correct(&json!({ "valid_until_on": world.day(-3) })).expect(200, "").json()["valid_until_on"], world.day(-3));
        for wrong in [json!(world.day(1)), Value::Null] {
            let refused = correct(&json!({ "valid_until_on": wrong })).expect(422, "invalid_body");
            assert_eq!(refused.errors(), [("/valid_until_on".to_owned(), "out_of_order".to_owned())]);
        }
    }

    fn with_a_unit_end_the_posts_at_it(world) {
        let unit = world.unit("5303-D01").to_owned();
        // Somebody of the city heads its office.
        let one = officer(world, "053017", "5303");
        let post = appoint(world, &one, "5303-D01", "division_head", -90);
        let end = json!({ "effective_on": world.day(-2), "reason": "机构撤销。" });
        world.as_(ADMIN).post(&format!("/units/{unit}/deactivate"), &end).expect(200, "");
        let path = format!("/officers/{one}/posts/{post}");
        let shown = world.as_(ADMIN).get(&path).expect(200, "").json();
        assert_eq!((&shown["valid_until_on"], &shown["version"]), (&json!(world.day(-3)), &json!(2)));
        let correct = |until: Value| world.as_(ADMIN).patch(&path, "*", &json!({ "valid_until_on": until }));
        for wrong in [json!(world.day(-2)), Value::Null] {
            let refused = correct(wrong).expect(422, "invalid_body");
            assert_eq!(refused.errors(), [("/unit_id".to_owned(), "unit_deactivated".to_owned())]);
        }
        correct(json!(world.day(-4))).expect(200, "");
        // What it was is shown without what could be done with it.
        let then = world.as_(ADMIN).get(&format!("/units/{unit}?as_of={}", world.day(-5))).expect(200, "");
        assert_eq!((&then.json()["status"], then.allowed()), (&json!("active"), Vec::new()));
        let list = world.as_(ADMIN).get(&format!("/units?as_of={}&limit=200", world.day(-5))).expect(200, "").json();
        assert!(list["items"].as_array().unwrap().iter().all(|unit| unit["allowed_actions"] == json!([])));
    }

    fn nothing_stands_before_what_it_stands_under(world) {
        let admin = world.as_(ADMIN);
        let county = json!({
            "code": "530402", "name": "红塔分局", "kind": "county", "parent_id": world.unit("5304"), "effective_on": world.day(-10),
        });
        let county = admin.post("/units", &county).expect(201, "").id();
        let station = |code: &str, day: i64| {
            let body = json!({
                "code": code, "name": "派出所", "kind": "station", "parent_id": county, "effective_on": world.day(day),
            });
            admin.post("/units", &body)
        };
        let early = [("/effective_on".to_owned(), "out_of_order".to_owned())];
        assert_eq!(station("530402001", -11).expect(422, "invalid_body").errors(), early);
        let moved = station("530402001", -10).expect(201, "").id();
        let to = json!({ "parent_id": world.unit("5303"), "effective_on": world.day(-5), "reason": "划转。" });
        admin.post(&format!("/units/{county}/move"), &to).expect(200, "");
        // Where it stands now it has stood since the move, though it bears another name since.
        admin.patch(&format!("/units/{county}"), "*", &json!({ "name": "红塔区分局", "effective_on": world.day(-1) })).expect(200, "");
        assert_eq!(station("530402002", -6).expect(422, "invalid_body").errors(), early);
        station("530402002", -5).expect(201, "");
        let back = |day: i64| {
            let body = json!({ "into_id": county, "effective_on": world.day(day), "reason": "并入。" });
            admin.post(&format!("/units/{}/merge", world.unit("5303-D01")), &body)
        };
        assert_eq!(back(-6).expect(422, "invalid_body").errors(), early);
        back(-5).expect(200, "");
        let table = format!("代码,名称,种类,上级代码,生效日期\n530402003,某所,派出所,530402,{}\n", world.day(-6));
        let refused = admin.call("POST", "/units/imports").bytes("text/csv", table).import().expect(422, "import_refused").json();
        assert_eq!((&refused["errors"][0]["field"], &refused["errors"][0]["code"]), (&json!("effective_on"), &json!("out_of_order")));
        admin.get(&format!("/units/{moved}?as_of={}", world.day(-5))).expect(200, "");
    }

    fn of_who_is_erased_no_answer_is_kept(world) {
        let admin = world.as_(ADMIN);
        let body = json!({ "number": "053017", "name": "和志远", "kind": "police", "unit_id": world.unit("530102") });
        let keyed = |path: &str, body: &Value| admin.call("POST", path).header("Idempotency-Key", "clerk-7").json(body).send();
        let one = keyed("/officers", &body).expect(201, "").id();
        let user = json!({
            "login": "hezhiyuan", "display_name": "和志远", "unit_id": world.unit("530102"), "officer_id": one,
            "password": people::PASSWORD,
        });
        keyed("/users", &user).expect(201, "");
        let mut raw = Raw::owner(world, "53");
        let mut kept = || raw.texts("SELECT body AS text FROM idempotency_keys WHERE body LIKE '%和志远%'").len();
        assert_eq!(kept(), 2);
        leave(world, ADMIN, &one).expect(200, "");
        admin.post(&format!("/officers/{one}/erase"), &json!({ "reason": "保存期满。" })).expect(200, "");
        assert_eq!(kept(), 0);
        keyed("/officers", &body).expect(409, "officer_number_taken");
    }

    fn a_unit_moved_away_takes_its_kept_answers_along(world) {
        let body = json!({ "number": "053017", "name": "和志远", "kind": "police", "unit_id": world.unit("530102") });
        let again = || {
            world.as_("5301-system-admin").call("POST", "/officers").header("Idempotency-Key", "clerk-8").json(&body).send()
        };
        let first = again().expect(201, "");
        assert_eq!(again().expect(201, "").text(), first.text());
        let to = json!({ "parent_id": world.unit("5303"), "reason": "划转。" });
        world.as_(ADMIN).post(&format!("/units/{}/move", world.unit("530102")), &to).expect(200, "");
        again().expect(404, "not_found");
    }

    fn a_merged_bureau_brings_no_role_that_is_held_already(world) {
        let (security, user) = (world.as_("53-security-admin"), world.user("53-nobody"));
        let path = format!("/users/{user}/role-bindings");
        let terms = |unit: &str, until: Option<i64>| {
            json!({ "role": "liaison", "unit_id": world.unit(unit), "valid_until_on": until.map(|day| world.day(day)) })
        };
        security.post(&path, &terms("530302", None)).expect(201, "");
        security.post(&path, &terms("530102", Some(30))).expect(201, "");
        let merge = json!({ "into_id": world.unit("530302"), "reason": "两分局合并。" });
        world.as_(ADMIN).post(&format!("/units/{}/merge", world.unit("530102")), &merge).expect(200, "");
        let held = security.get(&format!("{path}?limit=50")).expect(200, "").json();
        let standing: Vec<&Value> = held["items"].as_array().unwrap().iter().filter(|one| one["revoked_at"].is_null()).collect();
        assert_eq!(standing.len(), 1, "without end it covers the other: {held}");
        assert_eq!((&standing[0]["unit"]["code"], &standing[0]["valid_until_on"]), (&json!("530302"), &Value::Null));
    }

    fn what_a_table_has_no_column_for_stays(world) {
        let admin = world.as_(ADMIN);
        let send = |path: &str, media: &str, table: &str| admin.call("POST", path).bytes(media, table).import();
        let shown = |number: &str| admin.get(&format!("/officers?number={number}")).expect(200, "").json()["items"][0].clone();
        send("/officers/imports", "text/csv", "警号,姓名,身份,警衔,单位代码,身份证号,电话\n053017,和志远,民警,二级警督,530102,11010519491231002X,13812345678\n")
            .expect(200, "");
        // Three columns change what they name.
        let short = "警号,姓名,身份,单位代码\n053017,和志远,民警,5303\n";
        assert_eq!(send("/officers/imports", "text/csv", short).expect(200, "").json()["rows_changed"], 1);
        let one = shown("053017");
        assert_eq!(
            (&one["unit"]["code"], &one["rank"], &one["phone_masked"], &one["id_card_masked"]),
            (&json!("5303"), &json!("supervisor_2"), &json!("138****5678"), &json!("110***********002X")),
        );
        // A blank cell takes away; so does null on a line of JSON, whose other names stay.
        send("/officers/imports", "text/csv", "警号,姓名,身份,单位代码,电话\n053017,和志远,民警,5303,\n").expect(200, "");
        assert_eq!((&shown("053017")["phone_masked"], &shown("053017")["rank"]), (&Value::Null, &json!("supervisor_2")));
        let line = r#"{"number":"053017","name":"和志远","kind":"police","unit_code":"5303","id_card":null}"#;
        send("/officers/imports", "application/x-ndjson", line).expect(200, "");
        assert_eq!((&shown("053017")["id_card_masked"], &shown("053017")["rank"]), (&Value::Null, &json!("supervisor_2")));
        // What stays must still fit what changes.
        let demoted = "警号,姓名,身份,单位代码\n053017,和志远,辅警,5303\n";
        let refused = send("/officers/imports", "text/csv", demoted).expect(422, "import_refused").json();
        assert_eq!((&refused["errors"][0]["field"], &refused["errors"][0]["code"]), (&json!("rank"), &json!("not_allowed_value")));
        let accounts = "登录名,姓名,单位代码,警号\nhezhiyuan,和志远,5303,053017\n";
        send("/users/imports", "text/csv", accounts).expect(200, "");
        assert_eq!(send("/users/imports", "text/csv", "登录名,姓名,单位代码\nhezhiyuan,和志远,5303\n").expect(200, "").json()["rows_unchanged"], 1);
        send("/users/imports", "text/csv", "登录名,姓名,单位代码,警号\nhezhiyuan,和志远,5303,\n").expect(200, "");
        assert_eq!(admin.get("/users?q=hezhiyuan").expect(200, "").json()["items"][0]["officer"], Value::Null);
    }

    fn who_tries_a_table_is_in_the_log(world) {
        let send = |path: &str, table: &str| world.as_(ADMIN).call("POST", path).bytes("text/csv", table).import();
        let heading = "警号,姓名,身份,单位代码\n";
        send("/officers/imports?dry_run=true", &format!("{heading}053017,和志远,民警,5303\n")).expect(200, "");
        send("/officers/imports?dry_run=true", &format!("{heading}053017,和志远,民警,9\n")).expect(422, "import_refused");
        send("/officers/imports", &format!("{heading}053017,和志远,民警,9\n")).expect(422, "import_refused");
        let told = Raw::owner(world, "53").texts("SELECT entity AS text FROM audit_log WHERE action = 'officer.import' ORDER BY id");
        assert_eq!(told, ["job", "job", "job"]);
    }
}

#[test]
fn who_waits_in_vain_for_the_tree_spoils_nothing_for_others() {
    let world = World::on(Backend::Postgres);
    let (mut raw, admin) = (Raw::owner(&world, "53"), world.as_(ADMIN));
    // What moves units holds this; here somebody never lets go.
    raw.run("SELECT pg_advisory_lock(7305002, 53)").unwrap();
    let body =
        json!({ "number": "053017", "name": "和志远", "kind": "police", "unit_id": world.unit("530102") });
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let one = || admin.call("POST", "/officers").json(&body).that_may_fail().send().status;
        let tries: Vec<_> = (0..10).map(|_| scope.spawn(one)).collect();
        tries.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert!(statuses.iter().all(|status| *status == 503), "{statuses:?}");
    raw.run("SELECT pg_advisory_unlock(7305002, 53)").unwrap();
    admin.post("/officers", &body).expect(201, "");
    for _ in 0..20 {
        admin.get("/officers").expect(200, "");
    }
}
