//! The audit log: every write leaves its row, nobody changes one, and the databases hold each tenant
//! to itself.

use std::collections::{BTreeMap, BTreeSet};

use pingyi::access::policy::Audience;
use pingyi::db::{Db, Limits, Location};
use serde_json::json;

use crate::operations::operations;
use crate::support::checks::{Kit, upload};
use crate::support::client::Reply;
use crate::support::raw::Raw;
use crate::support::sealing::sign;
use crate::support::{Backend, Place, World, both, people, postgres, story};

/// Rows that a request left, as `action actor entity`.
pub fn rows(world: &World, tenant: &str, reply: &Reply) -> Vec<String> {
    let id = reply.header("x-request-id").unwrap();
    let sql = format!(
        "SELECT action || ' ' || actor || ' ' || entity AS text FROM audit_log WHERE request_id = '{id}' ORDER BY id"
    );
    Raw::owner(world, tenant).texts(&sql)
}

/// Checks requests against the log, and notes which actions were seen.
struct Ledger<'w> {
    world: &'w World,
    seen: BTreeSet<String>,
}

impl Ledger<'_> {
    /// A write that succeeded: exactly these rows, by this person.
    #[track_caller]
    fn wrote(&mut self, by: &str, reply: Reply, wanted: &[&str]) -> Reply {
        assert!(reply.status < 300, "{}", reply.story());
        let tenant = if by.starts_with("platform") { "00" } else { &by[..2] };
        let actor = if by.ends_with("public") {
            "public".to_owned()
        } else {
            format!("user:{}", self.world.user(by))
        };
        let mut expected: Vec<String> = wanted
            .iter()
            .map(|row| {
                let (action, entity) = row.split_once(' ').unwrap();
                format!("{action} {actor} {entity}")
            })
            .collect();
        let mut found = rows(self.world, tenant, &reply);
        self.seen.extend(wanted.iter().map(|row| row.split(' ').next().unwrap().to_owned()));
        expected.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, expected, "rows of the audit log for\n{}", reply.story());
        reply
    }

    /// A refusal, or a write that changed nothing: no row.
    #[track_caller]
    fn left_nothing(&self, by: &str, reply: &Reply) {
        let found = rows(self.world, &by[..2], reply);
        assert!(found.is_empty(), "{found:?}\n{}", reply.story());
    }
}

/// Signing in, refreshing, signing out.
fn signing_in(log: &mut Ledger<'_>) {
    let world = log.world;
    let signed_in = log.wrote("53-public", world.sign_in("53-liaison"), &["auth.login session"]).json();
    let body = json!({ "refresh_token": signed_in["refresh_token"] });
    let refreshed =
        log.wrote("53-public", world.anonymous().post("/auth/refresh", &body), &["auth.refresh session"]);
    log.left_nothing("53", &world.anonymous().post("/auth/refresh", &body).expect(409, ""));
    let who = world.bearing(refreshed.json()["access_token"].as_str().unwrap());
    let wrong = json!({ "login": "53-liaison", "password": "wrong-password-1" });
    log.left_nothing("53", &world.anonymous().post("/auth/login", &wrong).expect(401, ""));
    let other = world.bearing(world.sign_in("53-liaison").json()["access_token"].as_str().unwrap());
    let change = json!({ "current_password": people::PASSWORD, "new_password": "滇池东岸的海鸥二月才飞走" });
    log.wrote(
        "53-liaison",
        who.post("/auth/password", &change),
        &["account.password user", "sessions.end session"],
    );
    other.get("/plans").expect(401, "");
    let list = who.get("/auth/sessions").json();
    let current =
        list["items"].as_array().unwrap().iter().find(|one| one["current"] == true).unwrap()["id"].clone();
    let body = json!({ "login": "53-liaison", "password": "滇池东岸的海鸥二月才飞走" });
    let third = world.anonymous().post("/auth/login", &body).expect(200, "").json();
    let third = world.bearing(third["access_token"].as_str().unwrap());
    let ended = third.delete(&format!("/auth/sessions/{}", current.as_str().unwrap()));
    log.wrote("53-liaison", ended, &["session.end session"]);
    log.wrote("53-liaison", third.post("/auth/logout", &json!({})), &["account.logout session"]);
}

/// Accounts and roles.
fn accounts_and_roles(log: &mut Ledger<'_>) {
    let world = log.world;
    let system = "53-system-admin";
    let security = "53-security-admin";
    let at = |login: &str| world.as_(login);
    let body = json!({ "login": "new-person", "display_name": "新人", "unit_id": world.unit("53"), "password": people::PASSWORD });
    let user = log.wrote(system, at(system).post("/users", &body), &["user.create user"]).id();
    log.left_nothing(system, &at(system).post("/users", &body).expect(409, "login_taken"));
    let path = format!("/users/{user}");
    log.wrote(
        system,
        at(system).patch(&path, "*", &json!({ "display_name": "改名" })),
        &["user.update user"],
    );
    log.left_nothing(
        system,
        &at(system).patch(&path, "*", &json!({ "display_name": "改名" })).expect(200, ""),
    );
    let role = json!({ "role": "officer", "unit_id": world.unit("53") });
    let granted = at(security).post(&format!("{path}/role-bindings"), &role);
    let binding = log.wrote(security, granted, &["role_binding.grant role_binding"]).id();
    log.wrote(
        security,
        at(security).delete(&format!("{path}/role-bindings/{binding}")),
        &["role_binding.revoke role_binding"],
    );
    world
        .anonymous()
        .post("/auth/login", &json!({ "login": "new-person", "password": people::PASSWORD }))
        .expect(200, "");
    log.wrote(security, at(security).delete(&format!("{path}/sessions")), &["user_session.end session"]);
    log.left_nothing(security, &at(security).delete(&format!("{path}/sessions")).expect(204, ""));
    world
        .anonymous()
        .post("/auth/login", &json!({ "login": "new-person", "password": people::PASSWORD }))
        .expect(200, "");
    let reset = json!({ "password": "滇池东岸的海鸥二月才飞走" });
    log.wrote(
        system,
        at(system).post(&format!("{path}/reset-password"), &reset),
        &["user.reset_password user", "sessions.end session"],
    );
    log.wrote(system, at(system).post(&format!("{path}/disable"), &json!({})), &["user.disable user"]);
    log.left_nothing(system, &at(system).post(&format!("{path}/disable"), &json!({})).expect(409, ""));
    log.wrote(system, at(system).post(&format!("{path}/enable"), &json!({})), &["user.enable user"]);
}

/// Units: a station that is set up, renamed, moved with nothing below it, merged; a window that ends.
fn units(log: &mut Ledger<'_>) {
    let world = log.world;
    let system = "53-system-admin";
    let at = |login: &str| world.as_(login);
    let body = json!({ "code": "530102099", "name": "翠湖派出所", "kind": "station", "parent_id": world.unit("530102") });
    let unit = log.wrote(system, at(system).post("/units", &body), &["unit.create unit"]).id();
    let path = format!("/units/{unit}");
    log.left_nothing(system, &at(system).post("/units", &body).expect(409, "unit_code_taken"));
    log.wrote(
        system,
        at(system).patch(&path, "*", &json!({ "name": "翠湖西路派出所" })),
        &["unit.update unit"],
    );
    let table = "code,name,kind,parent_code\n530102098,滇池派出所,派出所,530102\n";
    let import = |query: &str| {
        at(system).call("POST", &format!("/units/imports{query}")).bytes("text/csv", table).import()
    };
    // A job has a row when it is taken on and one when it ends.
    let import = |query: &str| import(query).expect(200, "");
    log.wrote(system, import("?dry_run=true"), &["unit.import job"]);
    log.wrote(system, import(""), &["unit.import job", "unit.import unit", "unit.import job"]);
    log.wrote(system, import(""), &["unit.import job", "unit.import job"]);
    let to = json!({ "parent_id": world.unit("530302"), "reason": "区划调整。" });
    log.wrote(system, at(system).post(&format!("{path}/move"), &to), &["unit.move unit"]);
    log.left_nothing(system, &at(system).post(&format!("{path}/move"), &to).expect(200, ""));
    let into = json!({ "into_id": world.unit("530302001"), "reason": "两所合并。" });
    log.wrote(system, at(system).post(&format!("{path}/merge"), &into), &["unit.merge unit"]);
    let window = format!("/units/{}/deactivate", world.unit("5303-W01"));
    log.wrote(
        system,
        at(system).post(&window, &json!({ "reason": "窗口撤并。" })),
        &["unit.deactivate unit"],
    );
}

/// Officers: registered, changed, given a post that is corrected; somebody stands in; revealed, gone, erased.
fn officers(log: &mut Ledger<'_>) {
    let world = log.world;
    let head = "53-group-head";
    let system = "53-system-admin";
    let at = |login: &str| world.as_(login);
    let body = json!({
        "number": "053017", "name": "王建国", "kind": "police", "rank": "supervisor_2", "unit_id": world.unit("530302"),
        "id_card": "11010519491231002X", "phone": "13812345678",
    });
    let officer = log.wrote(system, at(system).post("/officers", &body), &["officer.create officer"]).id();
    let path = format!("/officers/{officer}");
    log.left_nothing(system, &at(system).post("/officers", &body).expect(409, "officer_number_taken"));
    log.wrote(
        system,
        at(system).patch(&path, "*", &json!({ "rank": "supervisor_1" })),
        &["officer.update officer"],
    );
    log.left_nothing(
        system,
        &at(system).patch(&path, "*", &json!({ "rank": "supervisor_1" })).expect(200, ""),
    );
    let account = json!({ "login": "wangjianguo", "display_name": "王建国", "unit_id": world.unit("530302"),
        "officer_id": officer, "password": people::PASSWORD });
    log.wrote(system, at(system).post("/users", &account), &["user.create user"]);
    world
        .anonymous()
        .post("/auth/login", &json!({ "login": "wangjianguo", "password": people::PASSWORD }))
        .expect(200, "");
    let post = json!({ "unit_id": world.unit("530302"), "kind": "head", "title": "局长", "valid_from_on": world.day(-30) });
    let post =
        log.wrote(system, at(system).post(&format!("{path}/posts"), &post), &["post.appoint post"]).id();
    let correction = json!({ "valid_until_on": world.day(0), "reason": "免职。" });
    log.wrote(
        system,
        at(system).patch(&format!("{path}/posts/{post}"), "*", &correction),
        &["post.correct post"],
    );
    let naming = json!({ "officer_id": officer, "valid_from_on": world.day(0), "valid_until_on": world.day(9), "reason": "学习。" });
    let stand_ins = format!("/units/{}/stand-ins", world.unit("5303"));
    let named = log.wrote(head, at(head).post(&stand_ins, &naming), &["stand_in.name stand_in"]).id();
    log.left_nothing(head, &at(head).post(&stand_ins, &naming).expect(422, "stand_in_not_possible"));
    log.wrote(head, at(head).delete(&format!("{stand_ins}/{named}")), &["stand_in.end stand_in"]);
    let reason = json!({ "reason": "核对任职公示材料。" });
    let reveal = || {
        at(system)
            .call("POST", &format!("{path}/reveal"))
            .header("Idempotency-Key", "look")
            .json(&reason)
            .send()
    };
    log.wrote(system, reveal(), &["officer.reveal officer_person"]);
    log.wrote(system, reveal(), &["officer.reveal officer_person"]);
    log.left_nothing(
        system,
        &at(system).post(&format!("{path}/erase"), &reason).expect(409, "officer_serving"),
    );
    let gone =
        at(system).post(&format!("{path}/leave"), &json!({ "reason": "退休。", "left_on": world.day(-1) }));
    log.wrote(
        system,
        gone,
        &["officer.leave officer", "officer.leave post", "user.follow_officer user", "sessions.end session"],
    );
    log.wrote(
        system,
        at(system).post(&format!("{path}/erase"), &reason),
        &["officer.erase officer", "user.follow_officer user"],
    );
    log.left_nothing(
        system,
        &at(system).post(&format!("{path}/reveal"), &reason).expect(409, "person_erased"),
    );
}

/// The same as tables.
fn tables_of_people(log: &mut Ledger<'_>) {
    let world = log.world;
    let system = "53-system-admin";
    let at = |login: &str| world.as_(login);
    let table = "number,name,kind,unit_code\n053099,王建国,police,530302\n";
    let import = |path: &str, table: &str| at(system).call("POST", path).bytes("text/csv", table).import();
    log.wrote(
        system,
        import("/officers/imports", table).expect(200, ""),
        &["officer.import job", "officer.import officer", "officer.import job"],
    );
    let again = import("/officers/imports", table).expect(200, "");
    log.wrote(system, again, &["officer.import job", "officer.import job"]);
    let table = "login,display_name,unit_code,officer_number\nwang-two,王建国,530302,053099\n";
    let imported = import("/users/imports", table).expect(200, "");
    log.wrote(system, imported, &["user.import job", "user.import user", "user.import job"]);
    let again = import("/users/imports", table).expect(200, "");
    log.wrote(system, again, &["user.import job", "user.import job"]);
    let taken = at(system).call("POST", "/users/imports").bytes("text/csv", table).send().expect(202, "");
    let path = format!("/jobs/{}/cancel", taken.id());
    log.wrote(system, at(system).post(&path, &json!({})), &["job.cancel job"]);
    log.left_nothing(system, &at(system).post(&path, &json!({})).expect(409, "job_not_cancellable"));
}

/// The calendar and the settings.
fn calendar_and_settings(log: &mut Ledger<'_>) {
    let world = log.world;
    let system = "53-system-admin";
    let at = |login: &str| world.as_(login);
    let path = format!("/calendar/{}", world.day(3));
    let rest = json!({ "kind": "holiday", "name": "泼水节" });
    log.left_nothing(system, &at(system).delete(&path).expect(204, ""));
    log.wrote(system, at(system).put(&path, "*", &rest), &["calendar.set calendar_day"]);
    log.left_nothing(system, &at(system).put(&path, "*", &rest).expect(200, ""));
    log.wrote(system, at(system).delete(&path), &["calendar.reset calendar_day"]);
    let past = format!("/calendar/{}", world.day(-1));
    log.left_nothing(system, &at(system).put(&past, "*", &rest).expect(422, ""));
    let change = json!({ "reason": "会议决定", "values": { "recheck_percent": 6 } });
    log.wrote(system, at(system).patch("/settings", "*", &change), &["settings.update settings"]);
    log.left_nothing(system, &at(system).patch("/settings", "*", &change).expect(200, ""));
}

/// A later version of a plan, on which members vote.
fn amended_by_vote(log: &mut Ledger<'_>, campaign: &str, path: &str) {
    let world = log.world;
    let (office, head, member) = ("53-group-office", "53-group-head", "53-group-member");
    let act = |by: &str, action: &str, body: serde_json::Value| {
        world.as_(by).post(&format!("{path}/{action}"), &body)
    };
    let mut group = story::group_body(world, "53");
    group["votes_on_plans"] = json!(true);
    let set = world.as_(office).put(&format!("/campaigns/{campaign}/leading-group"), "*", &group);
    log.wrote(office, set, &["leading_group.set leading_group"]);
    let why = json!({ "reason": "汛期顺延时限。" });
    log.wrote(office, act(office, "amend", why.clone()), &["plan.amend plan"]);
    log.left_nothing(office, &act(office, "amend", why).expect(409, "amendment_in_hand"));
    let title = json!({ "title": "实施方案 (修订)" });
    log.wrote(office, world.as_(office).patch(path, "*", &title), &["plan.update plan"]);
    log.wrote(office, act(office, "submit", json!({})), &["plan.submit plan"]);
    let vote = || act(member, "votes", json!({ "choice": "for" }));
    log.wrote(member, vote(), &["plan.vote plan_vote"]);
    log.left_nothing(member, &vote().expect(200, ""));
    log.wrote(head, act(head, "approve", json!({})), &["plan.approve plan"]);
    log.wrote(office, act(office, "publish", json!({})), &["plan.publish plan"]);
}

/// A campaign and its plan.
fn campaign_and_plan(log: &mut Ledger<'_>) {
    let world = log.world;
    let office = "53-group-office";
    let head = "53-group-head";
    let at = |login: &str| world.as_(login);
    let made = at(office).post("/campaigns", &story::campaign_body(world, "53"));
    let campaign = log.wrote(office, made, &["campaign.create campaign"]).id();
    let path = format!("/campaigns/{campaign}");
    log.wrote(
        office,
        at(office).patch(&path, "*", &json!({ "theme": "整治慵懒散拖。" })),
        &["campaign.update campaign"],
    );
    let group = at(office).put(&format!("{path}/leading-group"), "*", &story::group_body(world, "53"));
    log.wrote(office, group, &["leading_group.set leading_group"]);
    let made = at(office).post("/plans", &story::plan_body(world, &campaign, "53"));
    let plan = log.wrote(office, made, &["plan.create plan"]).id();
    let path = format!("/plans/{plan}");
    log.wrote(office, at(office).patch(&path, "*", &json!({ "title": "实施方案" })), &["plan.update plan"]);
    let act =
        |by: &str, action: &str, body: serde_json::Value| at(by).post(&format!("{path}/{action}"), &body);
    log.left_nothing(office, &act(office, "publish", json!({})).expect(409, ""));
    let said = act(head, "comments", json!({ "content": "留存率如何统计, 请写明。" }));
    let comment = log.wrote(head, said, &["plan.comment plan_comment"]).id();
    let resolve = || act(office, &format!("comments/{comment}/resolve"), json!({}));
    log.wrote(office, resolve(), &["plan.resolve_comment plan_comment"]);
    log.left_nothing(office, &resolve().expect(409, "comment_resolved"));
    log.wrote(office, act(office, "submit", json!({})), &["plan.submit plan"]);
    log.left_nothing(head, &act(head, "return", json!({})).expect(422, ""));
    log.wrote(head, act(head, "return", json!({ "comment": "请补充。" })), &["plan.return plan"]);
    log.wrote(office, act(office, "submit", json!({})), &["plan.submit plan"]);
    log.wrote(head, act(head, "approve", json!({})), &["plan.approve plan"]);
    log.wrote(
        office,
        act(office, "publish", json!({})),
        &["plan.publish plan", "tasks.assign task_assignments", "campaign.launch campaign"],
    );
    let shown = at(office).get(&path).expect(200, "").json();
    tasks(log, shown["tasks"][0]["id"].as_str().unwrap());
    world.advance(24 * 3600);
    amended_by_vote(log, &campaign, &path);
    log.wrote(office, act(office, "conclude", json!({})), &["plan.conclude plan"]);
    log.left_nothing(office, &act(office, "children", json!({})).expect(422, "parent_plan_not_published"));
    log.wrote(head, act(head, "close", json!({})), &["plan.close plan"]);
    let tale = story::launched(world, "53");
    let path = format!("/plans/{}", tale.plan);
    let act =
        |by: &str, action: &str, body: serde_json::Value| at(by).post(&format!("{path}/{action}"), &body);
    let city = json!({ "unit_ids": [world.unit("5304")] });
    log.wrote(office, act(office, "children", city.clone()), &["plan.create_children plan"]);
    log.left_nothing(office, &act(office, "children", city).expect(200, ""));
    let made = at(office).post("/plans", &story::plan_body(world, &story::campaign(world, "53"), "53"));
    let path = format!("/plans/{}", made.expect(201, "").id());
    let why = json!({ "reason": "另行编制。" });
    log.wrote(office, at(office).post(&format!("{path}/withdraw"), &why), &["plan.withdraw plan"]);
    log.left_nothing(office, &at(office).post(&format!("{path}/withdraw"), &why).expect(409, ""));
}

/// What inspections are made with.
fn inspections(log: &mut Ledger<'_>) {
    let world = log.world;
    let (office, discipline) = ("53-group-office", "53-discipline");
    let at = |login: &str| world.as_(login);
    let begin = json!({ "unit_id": world.unit("53"), "template": "service_window" });
    let path = format!(
        "/checklists/{}",
        log.wrote(office, at(office).post("/checklists", &begin), &["checklist.create checklist"]).id()
    );
    let rename = || at(office).patch(&path, "*", &json!({ "title": "窗口检查" }));
    log.wrote(office, rename(), &["checklist.update checklist"]);
    log.left_nothing(office, &rename().expect(200, ""));
    let act = |action: &str| at(office).post(&format!("{path}/{action}"), &json!({}));
    log.wrote(office, act("publish"), &["checklist.publish checklist"]);
    log.left_nothing(office, &act("publish").expect(409, "checklist_unchanged"));
    log.wrote(office, act("retire"), &["checklist.retire checklist"]);

    let mut propose = || {
        let made = at(office).post("/authorisations", &story::authorisation_body(world, "53"));
        format!("/authorisations/{}", log.wrote(office, made, &["authorisation.propose authorisation"]).id())
    };
    let (path, other) = (propose(), propose());
    let rename = || at(office).patch(&path, "*", &json!({ "title": "窗口暗访 (二)" }));
    log.wrote(office, rename(), &["authorisation.update authorisation"]);
    log.left_nothing(office, &rename().expect(200, ""));
    let reason = json!({ "reason": "任务调整。" });
    let act = |by: &str, path: &str, action: &str, body: &serde_json::Value| {
        at(by).post(&format!("{path}/{action}"), body)
    };
    log.left_nothing(office, &act(office, &path, "approve", &json!({})).expect(422, "approver_is_author"));
    log.wrote(
        discipline,
        act(discipline, &path, "approve", &json!({})),
        &["authorisation.approve authorisation"],
    );
    log.wrote(office, act(office, &path, "revoke", &reason), &["authorisation.revoke authorisation"]);
    let replaced = replaced(log);
    log.left_nothing(office, &replaced.expect(409, "commander_present"));
    log.wrote(
        discipline,
        act(discipline, &other, "reject", &reason),
        &["authorisation.reject authorisation"],
    );
}

/// A commander who is gone is replaced, and a check goes with it, of which the row is there though nobody reads it; then once more.
fn replaced(log: &mut Ledger<'_>) -> Reply {
    let (world, office) = (log.world, "53-group-office");
    let kit = Kit { authorisation: story::deserted(world, "5301"), ..Kit::of(world, "5301") };
    kit.begin("covert");
    let body = json!({ "commander_id": world.user("53-group-head"), "reason": "账号停用。" });
    let path = format!("/authorisations/{}/replace-commander", kit.authorisation);
    let replace = || world.as_(office).post(&path, &body);
    let rows =
        ["authorisation", "unannounced_check"].map(|what| format!("authorisation.replace_commander {what}"));
    log.wrote(office, replace(), &rows.each_ref().map(String::as_str));
    replace()
}

/// Rights to ask for several things at once, each of which leaves the row of its own right.
const BY_ITEM: &[&str] = &["unannounced_check.sync"];

/// Who keeps away from where.
fn conflicts(log: &mut Ledger<'_>) {
    let world = log.world;
    let (inspector, discipline) = ("53-inspector", "53-discipline");
    let declare = || world.as_(inspector).post("/conflicts", &story::conflict_body(world, "5303", "kinship"));
    let id = log.wrote(inspector, declare(), &["conflict.declare conflict"]).id();
    log.left_nothing(inspector, &declare().expect(409, "already_declared"));
    let end =
        || world.as_(discipline).post(&format!("/conflicts/{id}/end"), &json!({ "reason": "已经调离。" }));
    log.wrote(discipline, end(), &["conflict.end conflict"]);
    log.left_nothing(discipline, &end().expect(409, "conflict_ended"));
}

/// A covert check: nobody else reads its rows before it is released, but they are there.
fn checks(log: &mut Ledger<'_>) {
    let world = log.world;
    let kit = Kit::of(world, "5301");
    let (inspector, discipline) = ("53-inspector", "53-discipline");
    let at = |login: &str| world.as_(login);
    let made = at(inspector).post("/unannounced-checks", &kit.body("covert"));
    let id = log.wrote(inspector, made, &["unannounced_check.create unannounced_check"]).id();
    log.left_nothing(discipline, &kit.act(&id, "confirm").expect(409, "check_not_recorded"));
    let photo = log.wrote(inspector, upload(world, inspector, "大厅.jpg"), &["attachment.upload attachment"]);
    let photo = format!("/attachments/{}", photo.id());
    log.left_nothing(discipline, &at(discipline).delete(&photo).expect(404, "not_found"));
    log.wrote(inspector, at(inspector).delete(&photo), &["attachment.withdraw attachment"]);
    log.left_nothing(inspector, &at(inspector).delete(&photo).expect(404, "not_found"));
    for (by, action, row) in [
        (inspector, "record", "record"),
        (inspector, "addenda", "add_addendum"),
        (discipline, "confirm", "confirm"),
        (discipline, "release", "release"),
        ("5301-unit-head", "contest", "contest"),
        ("53-group-office", "decide", "decide"),
    ] {
        let reply = match action {
            "contest" => {
                at(by).post(&format!("/unannounced-checks/{id}/contest"), &json!({ "content": "异议。" }))
            }
            _ => kit.act(&id, action),
        };
        let own = format!("unannounced_check.{row} unannounced_check");
        // What a record shows is bound to it, three photos.
        let bound = if action == "record" { 3 } else { 0 };
        let mut rows = vec!["unannounced_check.record attachment"; bound];
        rows.push(&own);
        // What it found, one item, is a candidate from the release on.
        if action == "release" {
            rows.push("unannounced_check.release finding_candidate");
        }
        log.wrote(by, reply, &rows);
    }
    // What is told by and by leaves the rows that each thing by itself leaves.
    let late = json!({ "sent_at": world.clock.now(), "items": [{ "check": kit.body("covert") }] });
    let told = at(inspector).post("/sync", &late).expect(200, "");
    log.wrote(inspector, told, &["unannounced_check.create unannounced_check"]);
    log.left_nothing(inspector, &at(inspector).post("/sync", &late).expect(200, ""));
    let lost = [(); 3].map(|()| uuid::Uuid::now_v7().to_string());
    let check = &late["items"][0]["check"]["id"];
    let seen = json!({ "record": { "check_id": check, "record": kit.record_showing(&lost) } });
    let told = at(inspector)
        .post("/sync", &json!({ "sent_at": world.clock.now(), "items": [seen] }))
        .expect(200, "");
    log.wrote(inspector, told, &["unannounced_check.record unannounced_check"]);
    let path = format!("/unannounced-checks/{}/give-up-attachments", check.as_str().unwrap());
    let give_up = || at(inspector).post(&path, &json!({ "attachment_ids": lost, "reason": "手机遗失。" }));
    log.wrote(inspector, give_up(), &["unannounced_check.give_up_attachments unannounced_check"]);
    log.left_nothing(inspector, &give_up().expect(409, "nothing_awaited"));
    let other = kit.begin("covert");
    log.wrote(inspector, kit.act(&other, "void"), &["unannounced_check.void unannounced_check"]);
}

/// What a unit does with a task: persons, a day, done, and taken back.
fn tasks(log: &mut Ledger<'_>, task: &str) {
    let world = log.world;
    // The liaison has another password by now.
    let (head, unit_head) = ("53-group-head", "53-unit-head");
    let liaison = unit_head;
    let at = |login: &str| world.as_(login);
    let list = format!("/tasks/{task}/assignments");
    let row = at(liaison).get(&list).expect(200, "").json()["items"][0]["id"].as_str().unwrap().to_owned();
    let persons = json!({ "officer_ids": [world.officer(unit_head)] });
    let name = || at(liaison).patch(&format!("{list}/{row}"), "*", &persons);
    log.wrote(liaison, name(), &["task.name_persons assignment_persons"]);
    log.left_nothing(liaison, &name().expect(200, ""));
    let entries = format!("/tasks/{task}/entries");
    let body = json!({ "day": world.day(0), "done": "回访 34 件。" });
    let entry = log.wrote(unit_head, at(unit_head).post(&entries, &body), &["entry.create day_entry"]).id();
    log.left_nothing(unit_head, &at(unit_head).post(&entries, &body).expect(409, "entry_exists"));
    let correct = || at(liaison).patch(&format!("{entries}/{entry}"), "*", &json!({ "amount": 34 }));
    log.wrote(liaison, correct(), &["entry.update day_entry"]);
    log.left_nothing(liaison, &correct().expect(200, ""));
    let unit = world.unit("53");
    let act = |by: &str, action: &str, body: serde_json::Value| {
        at(by).post(&format!("/tasks/{task}/{action}"), &body)
    };
    let evidence = json!({ "unit_id": unit, "evidence": "台账存办公室。" });
    log.wrote(liaison, act(liaison, "complete", evidence.clone()), &["task.complete task_assignment"]);
    log.left_nothing(liaison, &act(liaison, "complete", evidence).expect(409, "assignment_done"));
    let reason = json!({ "unit_id": unit, "reason": "抽查不实。" });
    log.wrote(head, act(head, "reopen", reason), &["task.reopen task_assignment"]);
}

both! {
    fn every_write_leaves_its_row(world) {
        let mut log = Ledger { world, seen: BTreeSet::new() };
        signing_in(&mut log);
        accounts_and_roles(&mut log);
        units(&mut log);
        officers(&mut log);
        tables_of_people(&mut log);
        calendar_and_settings(&mut log);
        campaign_and_plan(&mut log);
        inspections(&mut log);
        conflicts(&mut log);
        checks(&mut log);

        let writes: BTreeSet<String> = operations()
            .iter()
            .filter(|operation| operation.row.writes)
            .map(|operation| operation.row.name.to_owned())
            .collect();
        let missing: Vec<&String> =
            writes.difference(&log.seen).filter(|name| !BY_ITEM.contains(&name.as_str())).collect();
        assert!(missing.is_empty(), "add a step for {missing:?} to this test in tests/security/audit.rs");
    }

    fn a_retry_with_its_key_leaves_one_row(world) {
        let office = world.as_("53-group-office");
        let send = || {
            let call = office.call("POST", "/campaigns").json(&story::campaign_body(world, "53"));
            call.header("Idempotency-Key", "one-effect").send().expect(201, "")
        };
        let (first, again) = (send(), send());
        assert_eq!(first.text(), again.text());
        assert_eq!(rows(world, "53", &first).len(), 1);
        assert!(rows(world, "53", &again).is_empty());
    }

    fn the_roles_held_and_the_reason_given_are_in_the_row(world) {
        let campaign = story::campaign(world, "53");
        let plan = story::draft(world, &campaign, "53", "53-group-office");
        story::step(world, "53-group-office", &plan, "submit");
        story::step(world, "53-group-head", &plan, "return");
        let text = "SELECT roles || '|' || coalesce(reason, '') || '|' || (before_digest <> after_digest) AS text \
                    FROM audit_log WHERE action = 'plan.return'";
        let found = Raw::owner(world, "53").texts(text);
        let yes = if world.backend == Backend::Sqlite { "1" } else { "true" };
        assert_eq!(found, [format!("group_head|第三项任务没有量化目标, 请补充后再报。|{yes}")]);
    }

    fn nobody_changes_or_removes_a_row(world) {
        world.sign_in("53-liaison");
        // Something is held back, so that there is a list of it.
        Kit::of(world, "5301").begin("covert");
        let count = |raw: &mut Raw| raw.texts("SELECT CAST(count(*) AS text) AS text FROM audit_log").pop();
        let mut raw = Raw::owner(world, "53");
        let before = count(&mut raw);
        let copy = "INSERT INTO audit_log SELECT * FROM audit_log";
        let mut statements = vec![
            "UPDATE audit_log SET action = 'nothing'".to_owned(),
            "UPDATE audit_log SET tenant_id = '50'".to_owned(),
            "DELETE FROM audit_log".to_owned(),
            "DELETE FROM audit_log WHERE tenant_id = '53'".to_owned(),
            copy.to_owned(),
        ];
        match world.backend {
            // REPLACE removes the old row without asking a trigger on DELETE.
            Backend::Sqlite => statements.extend([
                copy.replace("INSERT", "INSERT OR REPLACE"),
                copy.replace("INSERT", "REPLACE"),
                // The same by the row's hidden number, under a new id.
                "REPLACE INTO audit_log (rowid, tenant_id, id, at, actor, roles, action, entity, entity_id, request_id) \
                 SELECT rowid, tenant_id, randomblob(16), at, actor, roles, 'nothing', entity, entity_id, request_id \
                 FROM audit_log"
                    .to_owned(),
                format!("{copy} WHERE true ON CONFLICT DO UPDATE SET action = 'nothing'"),
            ]),
            Backend::Postgres => statements.extend([
                "TRUNCATE audit_log".to_owned(),
                "TRUNCATE audit_log CASCADE".to_owned(),
                format!("{copy} ON CONFLICT (tenant_id, id) DO UPDATE SET action = 'nothing'"),
            ]),
        }
        // Nor a place in the chain, nor a checkpoint, nor a row of the list that it commits to.
        sign(world, "53");
        for table in ["audit_chain", "audit_checkpoints", "audit_held"] {
            assert!(!raw.texts(&format!("SELECT CAST(tenant_id AS text) AS text FROM {table}")).is_empty(), "{table}");
            statements.extend([
                format!("UPDATE {table} SET tenant_id = '50'"),
                format!("DELETE FROM {table}"),
                match world.backend {
                    Backend::Sqlite => format!("REPLACE INTO {table} SELECT * FROM {table}"),
                    Backend::Postgres => format!("TRUNCATE {table}"),
                },
            ]);
        }
        let digest = "SELECT action || actor || request_id AS text FROM audit_log ORDER BY id";
        let content = raw.texts(digest);
        for statement in &statements {
            assert!(raw.run(statement).is_err(), "the owner may: {statement}");
        }
        assert_eq!(count(&mut raw), before);
        assert_eq!(raw.texts(digest), content);
        if let Place::Postgres(database) = world.place() {
            for statement in statements {
                let mut app = postgres::connect(&database.app_url());
                postgres::run(&mut app, "SET app.tenant = '53'");
                assert!(Raw::Postgres(app).run(&statement).is_err(), "the application's role may: {statement}");
            }
        }
    }

    fn an_audit_row_holds_no_personal_value(world) {
        let body = json!({ "login": "wang-jianguo", "display_name": "王建国", "unit_id": world.unit("53"), "password": people::PASSWORD });
        let user = world.as_("53-system-admin").post("/users", &body).expect(201, "").id();
        world.as_("53-system-admin").patch(&format!("/users/{user}"), "*", &json!({ "display_name": "王建军" })).expect(200, "");
        let text = "SELECT actor || roles || entity_id || coalesce(before_digest, '') || coalesce(after_digest, '') || \
                    coalesce(reason, '') AS text FROM audit_log";
        for row in Raw::owner(world, "53").texts(text) {
            for word in ["wang-jianguo", "王建国", "王建军", people::PASSWORD, "$argon2"] {
                assert!(!row.contains(word), "{row}");
            }
        }
    }
}

/// What the application's role finds in each table that has tenants.
fn counts(url: &str, tenant: Option<&str>) -> BTreeMap<String, i64> {
    let mut app = postgres::connect(url);
    if let Some(tenant) = tenant {
        postgres::run(&mut app, &format!("SET app.tenant = '{tenant}'"));
    }
    let mut raw = Raw::Postgres(app);
    let tables = raw.texts(
        "SELECT table_name::text AS text FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'tenant_id'",
    );
    let own = tenant.map_or_else(String::new, |tenant| format!(" WHERE tenant_id <> '{tenant}'"));
    tables
        .into_iter()
        .map(|table| {
            let count = raw.texts(&format!("SELECT count(*)::text AS text FROM {table}{own}"));
            (table, count[0].parse().unwrap())
        })
        .collect()
}

/// Tables outside row-level security, and why.
const OPEN: &[(&str, &str)] = &[
    ("provinces", "the list of tenants itself"),
    ("login_directory", "where to look for a login, before the tenant is known"),
];

#[test]
fn postgres_shows_no_row_without_its_tenant() {
    let world = World::on(Backend::Postgres);
    let Place::Postgres(database) = world.place() else { panic!("a world on PostgreSQL") };
    story::launched(&world, "53");
    story::launched(&world, "50");
    let is_open = |table: &str| OPEN.iter().any(|(open, _)| *open == table);
    for tenant in [None, Some("53"), Some("99"), Some("")] {
        let counted = counts(&database.app_url(), tenant);
        assert!(counted.len() > 10, "tables with tenants: {counted:?}");
        for (table, count) in counted {
            assert!(
                count == 0 || is_open(&table),
                "{table} shows {count} foreign rows to tenant {tenant:?}: FORCE ROW LEVEL SECURITY in its migration"
            );
        }
    }
    // The owner is held to it too.
    for (table, count) in counts(&database.owner_url(), None) {
        assert!(count == 0 || is_open(&table), "{table} shows {count} rows to the owner");
    }
    let mut app = postgres::connect(&database.app_url());
    postgres::run(&mut app, "SET app.tenant = '53'");
    let foreign = "INSERT INTO idempotency_keys SELECT '50', id, 'x', 'x', 'x', 200, NULL, NULL, '', now() FROM users LIMIT 1";
    assert!(Raw::Postgres(app).run(foreign).is_err(), "a row of another tenant can be written");
}

#[test]
fn postgres_is_not_opened_by_a_role_that_could_step_round_it() {
    let world = World::on(Backend::Postgres);
    let Place::Postgres(database) = world.place() else { panic!("a world on PostgreSQL") };
    let backup = std::env::var("PINGYI_TEST_PG_BACKUP_URL")
        .expect("PINGYI_TEST_PG_BACKUP_URL is not set: run scripts/test");
    let (server, _) = backup.rsplit_once('/').unwrap();
    let name = database.app_url().rsplit_once('/').unwrap().1.to_owned();
    for url in [database.owner_url(), format!("{server}/{name}")] {
        let opened = Db::open(&Location::Postgres(url), Limits::default());
        let error = opened.err().expect("a powerful role is refused").to_string();
        assert!(error.contains("row-level security"), "{error}");
    }
    assert!(Db::open(&Location::Postgres(database.app_url()), Limits::default()).is_ok());
}

#[test]
fn writes_are_never_open_to_everybody_but_signing_in() {
    let open: Vec<&str> = operations()
        .iter()
        .filter(|operation| operation.row.writes && operation.row.audience == Audience::Public)
        .map(|operation| operation.row.name)
        .collect();
    assert_eq!(open, ["auth.login", "auth.refresh"], "a write without an account needs a reason of its own");
}
