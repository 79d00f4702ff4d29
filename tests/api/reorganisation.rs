//! A reorganisation played through by its people: two bureaus become one, a station goes elsewhere, the
//! head is replaced, and a plan is under way; every figure before and after is accounted for.

use serde_json::{Value, json};

use crate::support::{World, both, story};

const ADMIN: &str = "53-system-admin";
const OFFICE: &str = "53-group-office";

/// How many a list holds, as the province's office counts them.
fn count(world: &World, list: &str) -> i64 {
    let mark = if list.contains('?') { '&' } else { '?' };
    let reply = world.as_(OFFICE).get(&format!("{list}{mark}count=exact")).expect(200, "").json();
    reply["total"].as_i64().unwrap()
}

/// Counties and stations below a city on a day.
fn below(world: &World, city: &str, day: i64) -> (i64, i64) {
    let of = |list: &str| {
        let path = format!("/{list}?unit_id={}&status=active&as_of={}", world.unit(city), world.day(day));
        count(world, &path)
    };
    (of("counties"), of("stations"))
}

fn officers(world: &World, unit: &str) -> i64 {
    count(world, &format!("/officers?unit_id={}&depth=self&status=serving", world.unit(unit)))
}

fn enlist(world: &World, number: &str, unit: &str, kind: &str, title: &str) -> String {
    let admin = world.as_(ADMIN);
    let body = json!({ "number": number, "name": "和志远", "kind": "police", "unit_id": world.unit(unit) });
    let officer = admin.post("/officers", &body).expect(201, "").id();
    let post = json!({ "unit_id": world.unit(unit), "kind": kind, "title": title, "valid_from_on": world.day(-200) });
    admin.post(&format!("/officers/{officer}/posts"), &post).expect(201, "");
    officer
}

both! {
    fn a_reorganisation_is_played_through(world) {
        let admin = world.as_(ADMIN);
        // Before: one county with a station under Kunming, one under Qujing; a plan of Wuhua is waiting for approval.
        let tale = story::launched(world, "53");
        let plan = story::draft(world, &tale.campaign, "530102", "530102-group-office");
        story::step(world, "530102-group-office", &plan, "submit");
        for number in 1..=3 {
            enlist(world, &format!("06{number:04}"), "530102", "case_officer", "办案民警");
        }
        let deputy = enlist(world, "060009", "530102", "deputy_head", "副局长");
        assert_eq!((below(world, "5301", 0), below(world, "5303", 0)), ((1, 1), (1, 1)));
        // The head who signs in is an officer too.
        assert_eq!((officers(world, "530102"), officers(world, "530302")), (5, 0));
        let plans = count(world, "/plans");
        let people = count(world, "/officers");

        // Three days ago the bureaus became one, under Qujing; two days ago its first station went to the city.
        let merge = json!({ "into_id": world.unit("530302"), "effective_on": world.day(-3), "reason": "区划调整, 两分局合并。" });
        admin.post(&format!("/units/{}/merge", world.unit("530102")), &merge).expect(200, "");
        let to_city = json!({ "parent_id": world.unit("5303"), "effective_on": world.day(-2), "reason": "南宁所改为市局直属。" });
        admin.post(&format!("/units/{}/move", world.unit("530302001")), &to_city).expect(200, "");
        // Its deputy of before is the new bureau's head since yesterday.
        let post = json!({
            "unit_id": world.unit("530302"), "kind": "head", "title": "局长", "valid_from_on": world.day(-1), "reason": "曲公任〔2026〕1号",
        });
        admin.post(&format!("/officers/{deputy}/posts"), &post).expect(201, "");

        // After: what Kunming has lost Qujing has gained, by the day on which it happened.
        let days = |city: &str| [-4, -3, -2, 0].map(|day| below(world, city, day));
        assert_eq!(days("5301"), [(1, 1), (0, 0), (0, 0), (0, 0)]);
        assert_eq!(days("5303"), [(1, 1), (1, 2), (1, 2), (1, 2)], "one county took the other's place; its station came along");
        let stations_of = |unit: &str, day: i64| {
            count(world, &format!("/stations?parent_id={}&as_of={}", world.unit(unit), world.day(day)))
        };
        assert_eq!([-4, -3, -2].map(|day| stations_of("530302", day)), [1, 2, 1]);
        assert_eq!([-4, -3, -2].map(|day| stations_of("5303", day)), [0, 0, 1]);
        // Nobody is lost or counted twice, and no plan is.
        assert_eq!((officers(world, "530102"), officers(world, "530302")), (0, 5));
        assert_eq!((count(world, "/plans"), count(world, "/officers")), (plans, people));
        // Who was responsible then, and is now.
        let head = |unit: &str, day: i64| {
            let path = format!("/units/{}/head?on={}", world.unit(unit), world.day(day));
            world.as_(OFFICE).get(&path).expect(200, "").json()["officer"]["number"].clone()
        };
        assert_eq!([head("530102", -4), head("530102", -3)], [json!("T530102000"), Value::Null]);
        assert_eq!([head("530302", -2), head("530302", -1)], [Value::Null, json!("060009")]);
        // The plan under way goes on as the successor's: Kunming's head decides no more, Qujing's does.
        let path = format!("/plans/{plan}");
        world.as_("5301-group-head").get(&path).expect(404, "not_found");
        let shown = world.as_("5303-group-head").get(&path).expect(200, "").json();
        assert_eq!((&shown["unit"]["code"], &shown["state"]), (&json!("530302"), &json!("submitted")));
        // Wuhua's own head of group went along with its binding, to where the plan is: the nearest decides.
        world.as_("5303-group-head").post(&format!("{path}/approve"), &json!({})).expect(422, "not_the_right_head");
        world.as_("530102-group-head").post(&format!("{path}/approve"), &json!({ "comment": "同意。" })).expect(200, "");
        world.as_("530102-group-office").post(&format!("{path}/publish"), &json!({})).expect(200, "");
        // The past of the merged bureau is still told, by its name.
        let history = admin.get(&format!("/units/{}/history", world.unit("530102"))).expect(200, "").json();
        let story: Vec<_> = history["items"].as_array().unwrap().iter().map(|one| one["change"].as_str().unwrap()).collect();
        assert_eq!(story, ["merged", "created"]);
    }

    fn a_role_is_granted_once(world) {
        let security = world.as_("53-security-admin");
        let path = format!("/users/{}/role-bindings", world.user("53-nobody"));
        let terms = |from: Option<i64>, until: Option<i64>| {
            json!({
                "role": "liaison", "unit_id": world.unit("5301"), "valid_from_on": from.map(|day| world.day(day)),
                "valid_until_on": until.map(|day| world.day(day)),
            })
        };
        security.post(&path, &terms(None, Some(30))).expect(201, "");
        security.post(&path, &terms(None, None)).expect(409, "role_held");
        security.post(&path, &terms(Some(30), Some(60))).expect(409, "role_held");
        security.post(&path, &terms(Some(31), Some(60))).expect(201, "");
    }
}
