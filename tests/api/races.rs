//! Requests that meet: each pair is brought to the point at which it once went wrong, by a lock that a
//! third connection holds. On PostgreSQL; SQLite has one writer, and what matters there is told as well.

use std::time::{Duration, Instant};

use pingyi::campaigns::clearing::sweep;
use serde_json::{Value, json};

use crate::clearing::{DAY, assignment, begun, calendar, enter, name, summary, sweep_up, try_name};
use crate::support::client::Reply;
use crate::support::raw::Raw;
use crate::support::{Backend, World, both, story};
use crate::tasks::{child, complete, id, launched, units};

/// Waits until so many of the server's connections wait for a lock.
pub fn until_waiting(raw: &mut Raw, connections: usize) {
    let sql = "SELECT CAST(count(DISTINCT l.pid) AS TEXT) AS text FROM pg_locks l \
               JOIN pg_stat_activity a ON a.pid = l.pid WHERE NOT l.granted AND a.datname = current_database()";
    // Whoever waits for a lock gives up after ten seconds; they may take their time to come there.
    let late = Instant::now() + Duration::from_secs(30);
    while raw.texts(sql) != [connections.to_string()] {
        assert!(Instant::now() < late, "{connections} never waited");
        // Within a transaction PostgreSQL goes on telling of the connections that it told of first.
        raw.run("SELECT pg_stat_clear_snapshot(); SELECT pg_sleep(0.01)").unwrap();
    }
}

/// Runs both while this table takes no writes, the first ahead of the second, and then lets them go.
pub fn meet(
    world: &World,
    closed: &str,
    first: impl Fn() -> Reply + Sync,
    second: impl Fn() -> Reply + Sync,
) -> (Reply, Reply) {
    let mut raw = Raw::owner(world, "53");
    raw.run(&format!("BEGIN; LOCK TABLE {closed} IN SHARE MODE")).unwrap();
    std::thread::scope(|scope| {
        let first = scope.spawn(&first);
        until_waiting(&mut raw, 1);
        let second = scope.spawn(&second);
        until_waiting(&mut raw, 2);
        raw.run("ROLLBACK").unwrap();
        (first.join().unwrap(), second.join().unwrap())
    })
}

fn signed_in(world: &World, logins: &[&str]) {
    for login in logins {
        world.as_(login);
    }
}

#[test]
fn an_officer_is_named_for_one_assignment_of_a_task_however_many_ask_at_once() {
    let world = &World::on(Backend::Postgres);
    let task = begun(world);
    signed_in(world, &["5301-liaison", "530102-liaison"]);
    let county = || try_name(world, &task, "530102", &["530102-unit-head"]);
    let city = || try_name(world, &task, "5301", &["5301-unit-head", "530102-unit-head"]);
    let (first, second) = meet(world, "assignment_persons", county, city);
    first.expect(200, "");
    let refused = second.expect(422, "invalid_body");
    assert_eq!(refused.errors(), [("/officer_ids/1".to_owned(), "already_named".to_owned())]);
}

#[test]
fn who_is_transferred_while_being_named_is_named_no_more() {
    let world = &World::on(Backend::Postgres);
    let task = begun(world);
    signed_in(world, &["5301-liaison", "53-system-admin"]);
    let officer = format!("/officers/{}", world.officer("530102-unit-head"));
    let transfer =
        || world.as_("53-system-admin").patch(&officer, "*", &json!({ "unit_id": world.unit("5303") }));
    let naming = || try_name(world, &task, "5301", &["5301-unit-head", "530102-unit-head"]);
    let (named, moved) = meet(world, "assignment_persons", naming, transfer);
    named.expect(200, "");
    moved.expect(200, "");
    assert_eq!(assignment(world, &task, "5301")["persons"].as_array().unwrap().len(), 1);
}

/// A running plan of the province with one assignment of Kunming, about to be closed.
fn concluding(world: &World) -> (String, String) {
    let (_, plan) =
        launched(world, &[story::task(world, "落实", &units(world, &[("5301", "self", None)]), 30)]);
    world.advance(DAY);
    let path = plan["id"].as_str().unwrap().to_owned();
    story::step(world, "53-group-office", &path, "conclude");
    signed_in(world, &["5301-liaison", "53-group-head", "53-group-office"]);
    (path, id(&plan, 0))
}

#[test]
fn nothing_is_completed_taken_back_or_named_in_a_plan_that_is_just_being_closed() {
    for what in ["complete", "name", "enter"] {
        let world = &World::on(Backend::Postgres);
        let (plan, task) = concluding(world);
        if what == "enter" {
            name(world, &task, "5301", &["5301-unit-head"]);
        }
        signed_in(world, &["5301-unit-head"]);
        let close = || world.as_("53-group-head").post(&format!("/plans/{plan}/close"), &json!({}));
        let work = || match what {
            "complete" => complete(world, "5301-liaison", &task, "5301"),
            "name" => try_name(world, &task, "5301", &["5301-unit-head"]),
            _ => enter(world, "5301-unit-head", &task, 0, None),
        };
        let (closed, late) = meet(world, "audit_log", close, work);
        closed.expect(200, "");
        late.expect(409, "plan_not_in_force");
        crate::tasks_history::holds(world);
    }
    // The other way round, the plan is closed over what has been done.
    let world = &World::on(Backend::Postgres);
    let (plan, task) = concluding(world);
    let close = || world.as_("53-group-head").post(&format!("/plans/{plan}/close"), &json!({}));
    let (done, closed) = meet(world, "audit_log", || complete(world, "5301-liaison", &task, "5301"), close);
    done.expect(200, "");
    closed.expect(200, "");
    crate::tasks_history::holds(world);
}

#[test]
fn what_is_completed_while_the_child_plan_is_published_is_neither_lost_nor_done_twice() {
    let world = &World::on(Backend::Postgres);
    let all = units(world, &[("5301", "self", None)]);
    let (campaign, plan) = launched(world, &[story::task(world, "落实", &all, 30)]);
    let above = id(&plan, 0);
    let mut answer = story::task(world, "落实", &all, 30);
    answer["parent_task_id"] = json!(above);
    let mut body = story::plan_body(world, &campaign, "5301");
    body["tasks"] = json!([answer]);
    let draft = world.as_("5301-group-office").post("/plans", &body).expect(201, "").id();
    story::step(world, "5301-group-office", &draft, "submit");
    story::step(world, "5301-group-head", &draft, "approve");
    signed_in(world, &["5301-liaison"]);
    let publish = || world.as_("5301-group-office").post(&format!("/plans/{draft}/publish"), &json!({}));
    let (published, done) =
        meet(world, "task_assignments", publish, || complete(world, "5301-liaison", &above, "5301"));
    let own = id(&published.expect(200, "").json(), 0);
    // Published first, the city's own task is what is to be done.
    done.expect(409, "assignment_carried");
    assert_eq!(assignment(world, &own, "5301")["state"], "open");
    assert_eq!(assignment(world, &above, "5301")["state"], "open");
    crate::tasks_history::holds(world);
    complete(world, "5301-liaison", &own, "5301").expect(200, "");
    assert_eq!(assignment(world, &above, "5301")["state"], "done");
}

#[test]
fn what_is_completed_before_the_child_plan_is_published_is_inherited() {
    let world = &World::on(Backend::Postgres);
    let all = units(world, &[("5301", "self", None)]);
    let (campaign, plan) = launched(world, &[story::task(world, "落实", &all, 30)]);
    complete(world, "5301-liaison", &id(&plan, 0), "5301").expect(200, "");
    let mut answer = story::task(world, "落实", &all, 30);
    answer["parent_task_id"] = json!(id(&plan, 0));
    let own = child(world, &campaign, "5301", &[answer]);
    assert_eq!(assignment(world, &id(&own, 0), "5301")["state"], "done");
    crate::tasks_history::holds(world);
}

#[test]
fn the_sweep_waits_for_whoever_is_writing() {
    let world = &World::on(Backend::Postgres);
    calendar(world, &[true]);
    let task = begun(world);
    world.advance(2 * DAY);
    assert_eq!(summary(world, "53-group-office", -1).0, [1, 0, 0, 1]);
    // What every writer of the tenant holds: see src/db/postgres.rs.
    let mut raw = Raw::owner(world, "53");
    raw.run("BEGIN; SELECT pg_advisory_xact_lock_shared(7305002, 53)").unwrap();
    std::thread::scope(|scope| {
        let sweeping = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(sweep::catch_up(world.doors())).unwrap()
        });
        until_waiting(&mut raw, 1);
        assert!(!sweeping.is_finished() && frozen(world).is_empty());
        raw.run("ROLLBACK").unwrap();
        assert_eq!(sweeping.join().unwrap(), 1);
    });
    assert_eq!(frozen(world).len(), 1, "{task}");
}

fn frozen(world: &World) -> Vec<String> {
    Raw::owner(world, "53").texts("SELECT CAST(day AS TEXT) AS text FROM cleared_days WHERE tenant_id = '53'")
}

both! {
    fn what_was_taken_up_before_midnight_contradicts_no_frozen_day(world) {
        calendar(world, &[true, true, true]);
        let task = begun(world);
        name(world, &task, "530102", &["530102-unit-head"]);
        world.advance(2 * DAY);
        assert_eq!(sweep_up(world), 1);
        let office = "53-group-office";
        assert_eq!(summary(world, office, -1), ([2, 0, 0, 2], true, true));
        // The clock of these requests still shows yesterday.
        world.clock.advance(-DAY);
        let late = |reply: Reply| (reply.status, reply.code());
        let body = json!({ "unit_id": world.unit("530102"), "evidence": "台账存办公室。" });
        let finish = || world.as_("530102-liaison").call("POST", &format!("/tasks/{task}/complete")).json(&body).that_may_fail().send();
        let refused = finish();
        assert_eq!(refused.header("retry-after"), Some("1"));
        assert_eq!(late(refused), (503, "unavailable".to_owned()), "it comes again as one of the new day");
        let mark = json!({ "kind": "holiday", "name": "试" });
        let day = world.as_("53-system-admin").call("PUT", &format!("/calendar/{}", world.day(0))).header("If-Match", "*").json(&mark).send();
        assert_eq!(late(day).1, "calendar_day_past");
        // An entry of the day counts in time; who is named no more owed the day; who leaves as well.
        enter(world, "5301-unit-head", &task, 0, None).expect(201, "");
        name(world, &task, "5301", &[]);
        let leave = json!({ "reason": "退休。" });
        world.as_("53-system-admin").post(&format!("/officers/{}/leave", world.officer("530102-unit-head")), &leave).expect(200, "");
        world.advance(DAY);
        assert_eq!(summary(world, office, -1), ([2, 1, 0, 1], true, true));
        assert_eq!(summary(world, office, 0).0, [0, 0, 0, 0]);
        finish().expect(200, "");
        assert_eq!(summary(world, office, -1), ([2, 1, 0, 1], true, true), "as it was frozen");
        let view: Value = world.as_(office).get(&format!("/daily-clearing?on={}&state=closed", world.day(-1))).expect(200, "").json();
        assert_eq!(view["items"][0]["officer"]["number"], "T5301000");
        crate::tasks_history::holds(world);
    }
}
