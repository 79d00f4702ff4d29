//! Officers, their posts as they were known, stand-ins, and what is personal.

use serde_json::{Value, json};

use crate::support::client::Reply;
use crate::support::raw::Raw;
use crate::support::{World, both, story};

const ADMIN: &str = "53-system-admin";
const CARD: &str = "11010519491231002X";

fn police(world: &World, number: &str, unit: &str) -> Value {
    json!({
        "number": number, "name": "和志远", "kind": "police", "rank": "superintendent_1", "unit_id": world.unit(unit),
        "id_card": CARD, "phone": "13812345678",
    })
}

fn appoint(world: &World, officer: &str, body: &Value) -> Reply {
    world.as_(ADMIN).post(&format!("/officers/{officer}/posts"), body)
}

/// The number of whoever headed the unit on a day, as known by the end of another.
fn head(world: &World, unit: &str, on: i64, known: i64) -> Option<String> {
    let path = format!("/units/{}/head?on={}&known_on={}", world.unit(unit), world.day(on), world.day(known));
    let reply = world.as_("53-group-office").get(&path).expect(200, "").json();
    reply["officer"]["number"].as_str().map(ToOwned::to_owned)
}

both! {
    fn an_officer_is_registered_and_found(world) {
        let admin = world.as_(ADMIN);
        let made = admin.post("/officers", &police(world, "053017", "530102")).expect(201, "");
        let view = made.json();
        assert_eq!((&view["id_card_masked"], &view["phone_masked"]), (&json!("110***********002X"), &json!("138****5678")));
        assert!(!made.text().contains(CARD) && !made.text().contains("13812345678"), "{}", made.story());
        assert_eq!(made.allowed(), ["update", "appoint", "leave", "reveal"]);
        let found = |who: &str, query: &str| {
            let reply = world.as_(who).get(&format!("/officers?{query}")).expect(200, "").json();
            reply["items"].as_array().unwrap().iter().map(|one| one["number"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(found(ADMIN, "q=%E5%92%8C%E5%BF%97"), ["053017"], "by name");
        assert_eq!(found("5301-group-office", "q=05301"), ["053017"], "by number");
        assert!(found("5303-group-office", "q=05301").is_empty(), "out of reach");
        assert_eq!(found(ADMIN, &format!("unit_id={}&kind=police&q=0530", world.unit("5301"))), ["053017"]);
        assert!(found(ADMIN, &format!("unit_id={}&depth=self&q=0530", world.unit("5301"))).is_empty());
        // Each wrong field is told.
        let mut wrong = police(world, "05", "500103");
        wrong["rank"] = json!("general");
        wrong["phone"] = json!("hello");
        let mut places: Vec<String> = admin.post("/officers", &wrong).expect(422, "invalid_body").errors().into_iter().map(|(place, _)| place).collect();
        places.dedup();
        assert_eq!(places, ["/number", "/rank", "/phone"]);
        let mut wrong = police(world, "053018", "500103");
        wrong["id_card"] = json!("110105194912310021");
        wrong["kind"] = json!("auxiliary");
        let errors = admin.post("/officers", &wrong).expect(422, "invalid_body").errors();
        assert_eq!(errors, [("/rank".to_owned(), "not_allowed_value".to_owned()), ("/id_card".to_owned(), "wrong_format".to_owned())]);
        let foreign = json!({ "number": "053018", "name": "和志远", "kind": "auxiliary", "unit_id": world.unit("500103") });
        assert_eq!(admin.post("/officers", &foreign).expect(422, "invalid_body").errors(), [("/unit_id".to_owned(), "unknown_reference".to_owned())]);
        admin.post("/officers", &police(world, "053017", "530102")).expect(409, "officer_number_taken");
        admin.post("/officers", &police(world, "053018", "530102")).expect(409, "id_card_taken");
        // A merge patch changes what it names, and keeps what is masked.
        let path = format!("/officers/{}", made.id());
        let moved = admin.patch(&path, &made.etag(), &json!({ "unit_id": world.unit("5303"), "phone": null })).expect(200, "").json();
        assert_eq!((&moved["unit"]["code"], &moved["phone_masked"], &moved["id_card_masked"]), (&json!("5303"), &Value::Null, &view["id_card_masked"]));
    }

    fn who_was_head_when_and_who_knew(world) {
        let admin = world.as_(ADMIN);
        let old = format!("T{}", "530102000");
        let new = admin.post("/officers", &police(world, "053017", "530102")).expect(201, "").id();
        let post = |from: i64| json!({ "unit_id": world.unit("530102"), "kind": "head", "title": "局长", "valid_from_on": world.day(from) });
        // Two heads at once there are not.
        let clash = appoint(world, &new, &post(-20)).expect(422, "head_overlaps");
        assert_eq!(clash.json()["errors"][0]["facts"]["officer_id"], json!(world.officer("530102-unit-head")));
        // A deputy is not first responsible.
        let mut deputy = post(-20);
        deputy["kind"] = json!("deputy_head");
        appoint(world, &new, &deputy).expect(201, "");
        assert_eq!(head(world, "530102", 0, 0), Some(old.clone()));
        // The head is replaced ten days ago; that is entered today.
        let old_officer = world.officer("530102-unit-head");
        let posts = admin.get(&format!("/officers/{old_officer}/posts")).expect(200, "").json();
        let old_post = format!("/officers/{old_officer}/posts/{}", posts["items"][0]["id"].as_str().unwrap());
        let etag = admin.get(&old_post).expect(200, "").etag();
        let end = json!({ "valid_until_on": world.day(-11), "reason": "昆公任〔2026〕3号免职" });
        admin.patch(&old_post, &etag, &end).expect(200, "");
        admin.patch(&old_post, &etag, &end).expect(412, "precondition_failed");
        appoint(world, &new, &post(-10)).expect(201, "");
        assert_eq!([head(world, "530102", -11, 0), head(world, "530102", -10, 0)], [Some(old.clone()), Some("053017".to_owned())]);
        // Yesterday nobody knew.
        assert_eq!(head(world, "530102", -10, -1), None, "the world itself was entered today");
        // Tomorrow it turns out to have been five days ago: both views stay.
        world.advance(24 * 3600);
        let admin = world.as_(ADMIN);
        let posts = admin.get(&format!("/officers/{new}/posts")).expect(200, "").json();
        let wrong = posts["items"].as_array().unwrap().iter().find(|one| one["kind"] == "head").unwrap().clone();
        let path = format!("/officers/{new}/posts/{}", wrong["id"].as_str().unwrap());
        let corrected = admin.patch(&path, "*", &json!({ "valid_from_on": world.day(-6), "reason": "到任日期录入有误" })).expect(200, "").json();
        assert_eq!((&corrected["version"], &corrected["reason"]), (&json!(2), &json!("到任日期录入有误")));
        // Eleven days before today's day is what was ten before yesterday's.
        assert_eq!([head(world, "530102", -11, -1), head(world, "530102", -11, 0), head(world, "530102", -6, 0)],
            [Some("053017".to_owned()), None, Some("053017".to_owned())]);
        let known = |day: i64| admin.get(&format!("/officers/{new}/posts?known_on={}", world.day(day))).expect(200, "").json()["items"].clone();
        let since = |items: &Value| items.as_array().unwrap().iter().find(|one| one["kind"] == "head").unwrap()["valid_from_on"].clone();
        assert_eq!((since(&known(-1)), since(&known(0))), (json!(world.day(-11)), json!(world.day(-6))));
        assert_eq!(known(-1)[0]["allowed_actions"], json!([]), "what is believed no more is not corrected");
        // What never was is voided, and stays visible.
        admin.patch(&path, "*", &json!({ "voided": true, "reason": "误录" })).expect(200, "");
        assert_eq!(head(world, "530102", 0, 0), None);
        // Auxiliaries lead nobody.
        let helper = json!({ "number": "F000001", "name": "和志远", "kind": "auxiliary", "unit_id": world.unit("530102") });
        let helper = admin.post("/officers", &helper).expect(201, "").id();
        appoint(world, &helper, &post(-1)).expect(422, "auxiliary_cannot_lead");
        let mut backwards = post(-1);
        backwards["valid_until_on"] = json!(world.day(-2));
        let errors = appoint(world, &new, &backwards).expect(422, "invalid_body").errors();
        assert_eq!(errors, [("/valid_until_on".to_owned(), "out_of_order".to_owned())]);
    }

    fn what_the_head_signs_wants_the_post_and_the_binding(world) {
        let tale = story::launched(world, "53");
        let plan = story::draft(world, &tale.campaign, "5304", "5304-unit-head");
        let path = format!("/plans/{plan}");
        let (admin, signer) = (world.as_(ADMIN), world.as_("5304-unit-head"));
        assert_eq!(signer.get(&path).expect(200, "").allowed(), ["update", "submit", "comment", "withdraw"]);
        // The post ended yesterday, the binding was forgotten: nothing is signed.
        let officer = world.officer("5304-unit-head");
        let posts = admin.get(&format!("/officers/{officer}/posts")).expect(200, "").json();
        let post = format!("/officers/{officer}/posts/{}", posts["items"][0]["id"].as_str().unwrap());
        admin.patch(&post, "*", &json!({ "valid_until_on": world.day(-1), "reason": "免职。" })).expect(200, "");
        assert_eq!(signer.get(&path).expect(200, "").allowed(), ["update", "comment", "withdraw"]);
        signer.post(&format!("{path}/submit"), &json!({})).expect(422, "not_the_head");
        // Named to stand in, the same person signs, and the plan says so.
        let naming = json!({ "officer_id": officer, "valid_from_on": world.day(0), "valid_until_on": world.day(7), "reason": "新任未到职。" });
        let stand_ins = format!("/units/{}/stand-ins", world.unit("5304"));
        let named = world.as_("53-group-head").post(&stand_ins, &naming).expect(201, "");
        let told = signer.get(&format!("/units/{}/head", world.unit("5304"))).expect(200, "").json();
        assert_eq!((&told["officer"], &told["stand_in"]["id"]), (&Value::Null, &json!(officer)));
        assert_eq!(signer.get(&path).expect(200, "").allowed(), ["update", "submit", "comment", "withdraw"]);
        assert_eq!(signer.post(&format!("{path}/submit"), &json!({})).expect(200, "").json()["submitted_as"], "stand_in");
        assert_eq!(world.as_("53-group-office").get(&format!("/plans/{}", tale.plan)).expect(200, "").json()["submitted_as"], "office");
        // Nobody stands in twice, for half a year at most, and only for others.
        let refused = world.as_("53-group-head").post(&stand_ins, &naming).expect(422, "stand_in_not_possible");
        assert_eq!(refused.errors(), [("/valid_from_on".to_owned(), "not_unique".to_owned())]);
        let mut long = naming.clone();
        (long["valid_from_on"], long["valid_until_on"]) = (json!(world.day(8)), json!(world.day(200)));
        world.as_("53-group-head").post(&stand_ins, &long).expect(422, "stand_in_not_possible");
        let own = json!({ "officer_id": world.officer("5303-unit-head"), "valid_from_on": world.day(0), "valid_until_on": world.day(7), "reason": "学习。" });
        let refused = world.as_("5303-unit-head").post(&format!("/units/{}/stand-ins", world.unit("5303")), &own).expect(422, "stand_in_not_possible");
        assert_eq!(refused.errors(), [("/officer_id".to_owned(), "not_allowed_value".to_owned())]);
        world.as_("5303-unit-head").post(&stand_ins, &own).expect(404, "not_found");
        world.as_("53-group-head").delete(&format!("{stand_ins}/{}", named.id())).expect(204, "");
        world.as_("53-group-head").delete(&format!("{stand_ins}/{}", named.id())).expect(409, "stand_in_ended");
    }

    fn what_is_personal_is_shown_to_who_says_why_and_can_be_erased(world) {
        let admin = world.as_(ADMIN);
        let officer = admin.post("/officers", &police(world, "053017", "530102")).expect(201, "").id();
        let path = format!("/officers/{officer}");
        let account = json!({
            "login": "hezhiyuan", "display_name": "和志远", "unit_id": world.unit("530102"), "officer_id": officer,
            "password": crate::support::people::PASSWORD,
        });
        let user = admin.post("/users", &account).expect(201, "");
        assert_eq!(user.json()["officer"]["number"], "053017");
        let mut second = account.clone();
        second["login"] = json!("hezhiyuan2");
        admin.post("/users", &second).expect(409, "officer_has_account");
        // Why, or nothing; and who has no need hears 403.
        let reveal = |who: &str, body: &Value| world.as_(who).post(&format!("{path}/reveal"), body);
        reveal(ADMIN, &json!({})).expect(422, "invalid_body");
        let why = json!({ "reason": "核对任职公示材料。" });
        assert_eq!(reveal(ADMIN, &why).expect(200, "").json()["id_card"], CARD);
        assert_eq!(reveal("53-discipline", &why).expect(200, "").json()["phone"], "13812345678");
        reveal("53-group-head", &why).expect(403, "forbidden");
        reveal("5301-system-admin", &why).expect(200, "");
        // Nothing personal stands in the log, nor in what is kept for retries.
        let mut raw = Raw::owner(world, "53");
        let kept = raw.texts("SELECT body AS text FROM idempotency_keys UNION ALL SELECT coalesce(after_digest, '') || coalesce(reason, '') FROM audit_log");
        assert!(kept.iter().all(|text| !text.contains(CARD) && !text.contains("13812345678")));
        // Whoever leaves signs in no more.
        let token = world.sign_in("hezhiyuan").json()["access_token"].as_str().unwrap().to_owned();
        admin.post(&format!("{path}/erase"), &why).expect(409, "officer_serving");
        admin.post(&format!("{path}/leave"), &json!({ "reason": "退休。", "left_on": world.day(1) })).expect(422, "invalid_body");
        assert_eq!(admin.post(&format!("{path}/leave"), &json!({ "reason": "退休。" })).expect(200, "").json()["status"], "left");
        world.bearing(&token).get("/auth/me").expect(401, "token_invalid");
        admin.patch(&path, "*", &json!({ "name": "改名" })).expect(409, "officer_left");
        appoint(world, &officer, &json!({ "unit_id": world.unit("530102"), "kind": "other", "title": "返聘", "valid_from_on": world.day(0) }))
            .expect(409, "officer_left");
        // Erased: the number stays, the person is gone from every table and every search.
        let erased = admin.post(&format!("{path}/erase"), &why).expect(200, "").json();
        assert_eq!((&erased["name"], &erased["id_card_masked"], &erased["number"]), (&Value::Null, &Value::Null, &json!("053017")));
        admin.post(&format!("{path}/reveal"), &why).expect(409, "person_erased");
        assert_eq!(admin.get("/officers?q=%E5%92%8C%E5%BF%97%E8%BF%9C&count=exact").expect(200, "").json()["total"], 0);
        let shown = admin.get(&format!("/users/{}", user.id())).expect(200, "").json();
        assert_eq!((&shown["display_name"], &shown["status"]), (&json!("(已清除)"), &json!("disabled")));
        let left = raw.texts("SELECT coalesce(name, '') || coalesce(id_card, '') || coalesce(phone, '') || salt AS text FROM officer_persons \
            WHERE erased_at IS NOT NULL");
        assert_eq!(left, [""]);
    }

    fn officers_follow_a_unit_that_is_merged(world) {
        let admin = world.as_(ADMIN);
        let member = admin.post("/officers", &police(world, "053017", "530102")).expect(201, "").id();
        let post = |kind: &str, from: i64| json!({ "unit_id": world.unit("530102"), "kind": kind, "title": "职务", "valid_from_on": world.day(from) });
        appoint(world, &member, &post("case_officer", -90)).expect(201, "");
        appoint(world, &member, &post("deputy_head", -90)).expect(201, "");
        let body = json!({ "into_id": world.unit("530302"), "effective_on": world.day(-3), "reason": "两分局合并。" });
        admin.post(&format!("/units/{}/merge", world.unit("530102")), &body).expect(200, "");
        let shown = admin.get(&format!("/officers/{member}")).expect(200, "").json();
        assert_eq!((&shown["unit"]["code"], &shown["version"]), (&json!("530302"), &json!(2)));
        // The work goes on at the successor from that day; who led there leads there no more.
        let posts = admin.get(&format!("/officers/{member}/posts")).expect(200, "").json();
        let held: Vec<_> = posts["items"].as_array().unwrap().iter()
            .map(|one| (one["unit"]["code"].as_str().unwrap(), one["kind"].as_str().unwrap(), one["valid_from_on"].clone(), one["valid_until_on"].clone()))
            .collect();
        let (begun, ended, moved) = (json!(world.day(-90)), json!(world.day(-4)), json!(world.day(-3)));
        assert_eq!(held.len(), 3);
        assert_eq!(held[0], ("530302", "case_officer", moved, Value::Null));
        assert!(held.contains(&("530102", "case_officer", begun.clone(), ended.clone())) && held.contains(&("530102", "deputy_head", begun, ended)));
        assert_eq!([head(world, "530102", -4, 0), head(world, "530102", -3, 0)], [Some("T530102000".to_owned()), None]);
    }

    fn of_two_heads_at_once_one_is_appointed(world) {
        let admin = world.as_(ADMIN);
        let officers: Vec<String> = (0..6)
            .map(|number| {
                let body = json!({ "number": format!("06{number:04}"), "name": "和志远", "kind": "police", "unit_id": world.unit("5301-D01") });
                admin.post("/officers", &body).expect(201, "").id()
            })
            .collect();
        let body = json!({ "unit_id": world.unit("5301-D01"), "kind": "head", "title": "支队长", "valid_from_on": world.day(-1) });
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let tries: Vec<_> = officers.iter().map(|officer| scope.spawn(|| appoint(world, officer, &body).status)).collect();
            tries.into_iter().map(|one| one.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| [201, 422].contains(status)), "{statuses:?}");
    }
}
