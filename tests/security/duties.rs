//! Separation of duties, and that a change of rights counts from the very next request.

use serde_json::json;

use crate::support::story::{self, draft, step};
use crate::support::{World, both, people};

fn decide(world: &World, by: &str, plan: &str, status: u16, code: &str) {
    let who = world.as_(by);
    for (action, body) in [("approve", json!({})), ("return", json!({ "comment": "请补充。" }))] {
        who.post(&format!("/plans/{plan}/{action}"), &body).expect(status, code);
    }
}

fn bindings(world: &World, login: &str) -> String {
    format!("/users/{}/role-bindings", world.user(login))
}

both! {
    fn no_author_decides_whatever_made_it_one(world) {
        let told = story::launched(world, "53");
        let (both_roles, other) = ("5301-office-and-head", "5301-group-office");
        // Created, and submitted by somebody else.
        let plan = draft(world, &told.campaign, "5301", both_roles);
        step(world, other, &plan, "submit");
        decide(world, both_roles, &plan, 422, "approver_is_author");
        step(world, "5301-group-head", &plan, "return");
        // Edited: somebody else's plan, one word of it.
        let told = story::launched(world, "53");
        let plan = draft(world, &told.campaign, "5301", other);
        world.as_(both_roles).patch(&format!("/plans/{plan}"), "*", &json!({ "title": "改一个字" })).expect(200, "");
        step(world, other, &plan, "submit");
        decide(world, both_roles, &plan, 422, "approver_is_author");
        step(world, "5301-group-head", &plan, "approve");
        // Submitted: somebody else's plan, as it was.
        let told = story::launched(world, "53");
        let plan = draft(world, &told.campaign, "5301", other);
        step(world, both_roles, &plan, "submit");
        decide(world, both_roles, &plan, 422, "approver_is_author");
        // An author once is an author ever, through a return.
        step(world, "5301-group-head", &plan, "return");
        step(world, other, &plan, "submit");
        decide(world, both_roles, &plan, 422, "approver_is_author");
        // A change that changes nothing makes nobody an author.
        let told = story::launched(world, "53");
        let plan = draft(world, &told.campaign, "5301", other);
        world.as_(both_roles).patch(&format!("/plans/{plan}"), "*", &json!({ "title": "主题活动实施方案" })).expect(200, "");
        step(world, other, &plan, "submit");
        step(world, both_roles, &plan, "approve");
    }

    fn the_head_of_the_level_decides(world) {
        let told = story::launched(world, "53");
        let kunming = draft(world, &told.campaign, "5301", "5301-group-office");
        step(world, "5301-group-office", &kunming, "submit");
        decide(world, "53-group-head", &kunming, 422, "not_the_right_head");
        decide(world, "5303-group-head", &kunming, 404, "not_found");
        decide(world, "530102-group-head", &kunming, 404, "not_found");
        decide(world, "5301-unit-head", &kunming, 403, "forbidden");
        decide(world, "50-group-head", &kunming, 404, "not_found");
        step(world, "5301-group-head", &kunming, "approve");
        step(world, "5301-group-office", &kunming, "publish");
        // Yuxi has no head of its own: the nearest above decides.
        let yuxi = draft(world, &told.campaign, "5304", "5304-unit-head");
        step(world, "5304-unit-head", &yuxi, "submit");
        decide(world, "5301-group-head", &yuxi, 404, "not_found");
        step(world, "53-group-head", &yuxi, "approve");
        // Once Wuhua's only head is gone, Kunming's decides on Wuhua's plan.
        let wuhua = draft(world, &told.campaign, "530102", "530102-group-office");
        step(world, "530102-group-office", &wuhua, "submit");
        decide(world, "5301-group-head", &wuhua, 422, "not_the_right_head");
        world.as_("53-system-admin").post(&format!("/users/{}/disable", world.user("530102-group-head")), &json!({})).expect(200, "");
        step(world, "5301-group-head", &wuhua, "approve");
    }

    fn nobody_grants_to_itself_nor_beyond_its_reach(world) {
        let security = world.as_("53-security-admin");
        let role = |role: &str, unit: &str| json!({ "role": role, "unit_id": world.unit(unit) });
        for name in ["group_head", "officer", "auditor", "security_admin"] {
            let own = bindings(world, "53-security-admin");
            let reply = security.post(&own, &role(name, "53"));
            assert!([("grant_to_self".to_owned(), 422)].contains(&(reply.code(), reply.status)), "{}", reply.story());
        }
        let liaison = bindings(world, "5301-liaison");
        for name in ["system_admin", "security_admin", "auditor", "platform_operator", "ministry_viewer"] {
            let reply = security.post(&liaison, &role(name, "5301"));
            assert_eq!(reply.status, 422, "{}", reply.story());
            assert!(["grant_not_allowed", "roles_exclusive"].contains(&reply.code().as_str()), "{}", reply.story());
        }
        // Kunming's security administrator reaches Kunming.
        let kunming = world.as_("5301-security-admin");
        let reply = kunming.post(&liaison, &role("officer", "53")).expect(422, "invalid_body");
        assert_eq!(reply.errors()[0].0, "/unit_id", "{}", reply.story());
        kunming.post(&liaison, &role("officer", "5303")).expect(422, "invalid_body");
        kunming.post(&bindings(world, "5303-liaison"), &role("officer", "5301")).expect(404, "not_found");
        kunming.post(&liaison, &role("officer", "530102")).expect(201, "");
    }

    fn the_three_exclude_each_other_and_every_business_role(world) {
        let security = world.as_("53-security-admin");
        for login in ["53-system-admin", "53-auditor", "5301-security-admin"] {
            let body = json!({ "role": "officer", "unit_id": world.unit("53") });
            security.post(&bindings(world, login), &body).expect(422, "roles_exclusive");
        }
        // Nor may whoever could not grant them take them away, or sign in as their holder.
        let auditor = bindings(world, "53-auditor");
        let binding = world.as_("53-auditor").get(&auditor).json()["items"][0]["id"].as_str().unwrap().to_owned();
        security.delete(&format!("{auditor}/{binding}")).expect(422, "grant_not_allowed");
        let reset = json!({ "password": "滇池东岸的海鸥二月才飞走" });
        for login in ["53-auditor", "53-security-admin"] {
            let path = format!("/users/{}/reset-password", world.user(login));
            world.as_("53-system-admin").post(&path, &reset).expect(422, "account_out_of_hands");
            // Nor rid the province of them.
            let path = format!("/users/{}/disable", world.user(login));
            world.as_("53-system-admin").post(&path, &json!({})).expect(422, "account_out_of_hands");
        }
    }

    fn a_role_counts_and_ceases_to_count_with_the_next_request(world) {
        let security = world.as_("53-security-admin");
        let (list, who) = (bindings(world, "53-nobody"), world.as_("53-nobody"));
        who.get("/plans").expect(403, "forbidden");
        let body = json!({ "role": "group_member", "unit_id": world.unit("53") });
        let binding = security.post(&list, &body).expect(201, "").id();
        who.get("/plans").expect(200, "");
        security.delete(&format!("{list}/{binding}")).expect(204, "");
        who.get("/plans").expect(403, "forbidden");
    }

    fn a_term_begins_and_ends_at_midnight_in_shanghai(world) {
        let body = json!({
            "role": "special_supervisor", "unit_id": world.unit("53"), "valid_from_on": world.day(1), "valid_until_on": world.day(2),
        });
        let list = bindings(world, "53-nobody");
        let binding = world.as_("53-security-admin").post(&list, &body).expect(201, "").id();
        let seen = |status: u16, state: &str| {
            world.forget();
            let shown = world.as_("53-auditor").get(&format!("{list}/{binding}")).expect(200, "");
            assert_eq!(shown.json()["status"], state, "{}", shown.story());
            world.as_("53-nobody").get("/campaigns").expect(status, if status == 403 { "forbidden" } else { "" });
        };
        let to_midnight = || {
            let local = world.clock.now().seconds() + 8 * 3600;
            86_400 - local.rem_euclid(86_400)
        };
        seen(403, "pending");
        world.advance(to_midnight() - 1);
        seen(403, "pending");
        world.advance(1);
        seen(200, "active");
        world.advance(2 * 86_400 - 1);
        seen(200, "active");
        world.advance(1);
        seen(403, "expired");
    }

    fn a_running_session_notices_that_a_term_ends(world) {
        // Remembered bindings are judged by the day of each request, not by that of the first.
        let body = json!({ "role": "group_member", "unit_id": world.unit("53"), "valid_until_on": world.day(0) });
        world.as_("53-security-admin").post(&bindings(world, "53-nobody"), &body).expect(201, "");
        let local = (world.clock.now().seconds() + 8 * 3600).rem_euclid(86_400);
        world.advance(86_400 - local - 60);
        world.forget();
        let who = world.as_("53-nobody");
        who.get("/plans").expect(200, "");
        world.clock.advance(61);
        who.get("/plans").expect(403, "forbidden");
    }

    fn a_disabled_account_is_out_at_once_and_for_good(world) {
        let system = world.as_("53-system-admin");
        let path = format!("/users/{}", world.user("5301-liaison"));
        let signed_in = world.sign_in("5301-liaison").json();
        let who = world.bearing(signed_in["access_token"].as_str().unwrap());
        let refresh = json!({ "refresh_token": signed_in["refresh_token"] });
        who.get("/plans").expect(200, "");
        system.post(&format!("{path}/disable"), &json!({})).expect(200, "");
        who.get("/plans").expect(401, "token_invalid");
        world.anonymous().post("/auth/refresh", &refresh).expect(401, "refresh_invalid");
        let login = json!({ "login": "5301-liaison", "password": people::PASSWORD });
        world.anonymous().post("/auth/login", &login).expect(401, "login_failed");
        // Enabled again it may sign in; what it was signed in with stays ended.
        system.post(&format!("{path}/enable"), &json!({})).expect(200, "");
        who.get("/plans").expect(401, "token_invalid");
        world.anonymous().post("/auth/refresh", &refresh).expect(401, "refresh_invalid");
        world.sign_in("5301-liaison");
    }

    fn an_ended_session_is_over_with_the_next_request(world) {
        let path = format!("/users/{}/sessions", world.user("5301-liaison"));
        let enter = || {
            let pair = world.sign_in("5301-liaison").json();
            (world.bearing(pair["access_token"].as_str().unwrap()), json!({ "refresh_token": pair["refresh_token"] }))
        };
        let over = |(who, refresh): &(crate::support::client::As<'_>, serde_json::Value)| {
            who.get("/plans").expect(401, "token_invalid");
            world.anonymous().post("/auth/refresh", refresh).expect(401, "refresh_invalid");
        };
        // By an administrator.
        let one = enter();
        one.0.get("/plans").expect(200, "");
        world.as_("53-security-admin").delete(&path).expect(204, "");
        over(&one);
        // By signing out; the other session goes on.
        let (one, other) = (enter(), enter());
        one.0.post("/auth/logout", &json!({})).expect(204, "");
        over(&one);
        other.0.get("/plans").expect(200, "");
        // By its owner from elsewhere.
        let third = enter();
        let list = other.0.get("/auth/sessions").expect(200, "").json();
        let ended = list["items"].as_array().unwrap().iter().find(|one| one["current"] == false && one["ended_at"].is_null());
        let id = ended.unwrap()["id"].as_str().unwrap().to_owned();
        other.0.delete(&format!("/auth/sessions/{id}")).expect(204, "");
        over(&third);
        other.0.delete(&format!("/auth/sessions/{id}")).expect(409, "session_ended");
        // By a reset of the password.
        let reset = json!({ "password": "滇池东岸的海鸥二月才飞走" });
        let user = format!("/users/{}/reset-password", world.user("5301-liaison"));
        world.as_("53-system-admin").post(&user, &reset).expect(200, "");
        over(&other);
        let body = json!({ "login": "5301-liaison", "password": "滇池东岸的海鸥二月才飞走" });
        let first = world.anonymous().post("/auth/login", &body).expect(200, "").json();
        assert_eq!(first["password_change_required"], true);
        world.bearing(first["access_token"].as_str().unwrap()).get("/plans").expect(403, "password_change_required");
    }

    fn a_suspended_province_is_shut(world) {
        let who = world.as_("53-liaison");
        let mut raw = crate::support::raw::Raw::owner(world, "53");
        raw.run("UPDATE provinces SET status = 'suspended' WHERE tenant_id = '53'").unwrap();
        who.get("/plans").expect(401, "token_invalid");
        let login = json!({ "login": "5301-liaison", "password": people::PASSWORD });
        world.anonymous().post("/auth/login", &login).expect(401, "login_failed");
        world.sign_in("50-liaison");
    }
}
