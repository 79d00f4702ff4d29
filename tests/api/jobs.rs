//! Jobs: taken on, seen by whoever began them, done by whichever process is there, seen by nobody before they end.

use std::time::{Duration, Instant};

use pingyi::app;
use serde_json::{Value, json};

use crate::support::client::{As, Reply};
use crate::support::imports::{work_off, work_steps, work_until};
use crate::support::live::{Ear, Event, Running};
use crate::support::raw::Raw;
use crate::support::{World, both, sealing};

const ADMIN: &str = "53-system-admin";
const HEADING: &str = "number,name,kind,rank,unit_code,id_card,post_kind,post_title,post_from_on\n";

/// A table of so many officers, from a number on; each fifth with a post.
fn table(from: usize, rows: usize) -> String {
    let row = |at: usize| {
        let post = if at.is_multiple_of(5) { "case_officer,办案民警,2025-06-01" } else { ",," };
        format!("8{at:06},王建国,police,constable_1,530102,,{post}\n")
    };
    (from..from + rows).map(row).fold(HEADING.to_owned(), |table, row| table + &row)
}

fn take_on(world: &World, query: &str, table: impl Into<Vec<u8>>) -> String {
    let path = format!("/officers/imports{query}");
    let reply = world.as_(ADMIN).call("POST", &path).bytes("text/csv", table).send().expect(202, "");
    reply.header("location").unwrap().to_owned()
}

fn job(world: &World, path: &str) -> Value {
    world.as_(ADMIN).get(path).expect(200, "").json()
}

/// Leaves a job where some of its rows have been read.
fn work_until_read(world: &World) {
    let mut raw = Raw::owner(world, "53");
    let sql = "SELECT mark AS text FROM jobs WHERE state = 'reading' AND rows_read > 0";
    work_until(world, || !raw.texts(sql).is_empty());
}

/// The officers that a table has brought, as anybody sees them.
fn seen(admin: &As<'_>) -> i64 {
    let page = admin.get("/officers?q=8000&count=exact&limit=1").expect(200, "").json();
    page["total"].as_i64().unwrap()
}

/// What is left of jobs in the tables that they need on their way, and of what they have entered.
fn left(world: &World) -> Vec<String> {
    let count = |from: &str| format!("SELECT '{from} ' || count(*) AS text FROM {from}");
    let tables = ["job_pieces", "job_claims", "job_rows", "open_batches"].map(count);
    let batches = [
        "SELECT 'officers ' || count(*) AS text FROM officers WHERE batch_id IS NOT NULL",
        "SELECT 'posts ' || count(*) AS text FROM posts WHERE batch_id IS NOT NULL",
        "SELECT 'log ' || count(*) AS text FROM audit_log WHERE entity IN ('officer', 'post')",
        "SELECT 'held ' || count(*) AS text FROM audit_unsealed WHERE held_by IS NOT NULL",
    ];
    let mut raw = Raw::owner(world, "53");
    tables.iter().map(String::as_str).chain(batches).flat_map(|sql| raw.texts(sql)).collect()
}

const NOTHING: [&str; 8] = [
    "job_pieces 0",
    "job_claims 0",
    "job_rows 0",
    "open_batches 0",
    "officers 0",
    "posts 0",
    "log 0",
    "held 0",
];

const FIELDS: [&str; 6] =
    ["state", "percent", "rows_read", "rows_accepted", "rows_refused", "expected_end_at"];

/// What somebody was told in passing.
fn passed(ear: &Ear) -> Vec<Value> {
    ear.passing.lock().unwrap().clone()
}

fn errors(reply: &Reply) -> Vec<String> {
    let items = reply.json()["items"].as_array().cloned().unwrap();
    items
        .iter()
        .map(|one| {
            format!("{} {} {}", one["line"], one["field"].as_str().unwrap(), one["code"].as_str().unwrap())
        })
        .collect()
}

both! {
    fn a_job_is_answered_at_once_and_seen_by_its_owner_alone(world) {
        let admin = world.as_(ADMIN);
        let reply = admin.call("POST", "/officers/imports").bytes("text/csv", table(0, 30)).send().expect(202, "");
        let (path, taken) = (reply.header("location").unwrap().to_owned(), reply.json());
        assert_eq!(path, format!("/api/v1/jobs/{}", taken["id"].as_str().unwrap()));
        assert_eq!((&taken["state"], &taken["kind"], &taken["percent"]), (&json!("queued"), &json!("officer_import"), &json!(0)));
        assert_eq!((&taken["allowed_actions"], &taken["version"]), (&json!(["cancel"]), &json!(1)));
        assert_eq!(job(world, &path), taken);
        for stranger in ["5301-system-admin", "53-auditor", "50-system-admin", "53-group-head"] {
            let who = world.as_(stranger);
            who.get(&path).expect(404, "not_found");
            who.get(&format!("{path}/refusals")).expect(404, "not_found");
            who.post(&format!("{path}/cancel"), &json!({})).expect(404, "not_found");
            assert_eq!(who.get("/jobs").expect(200, "").json()["items"], json!([]), "{stranger}");
        }
        assert_eq!(work_off(world), 1);
        let done = admin.get(&path).expect(200, "");
        let view = done.json();
        let rows = ["rows_read", "rows_accepted", "rows_new", "rows_changed", "rows_unchanged", "rows_refused"].map(|name| view[name].as_i64().unwrap());
        assert_eq!((rows, &view["state"], &view["percent"]), ([30, 30, 30, 0, 0, 0], &json!("done"), &json!(100)), "{view}");
        assert_eq!((&view["bytes_read"], &view["allowed_actions"], &view["problem"]), (&view["bytes"], &json!([]), &Value::Null));
        assert_eq!(admin.call("GET", &path).header("If-None-Match", &done.etag()).send().status, 304);
        admin.post(&format!("{path}/cancel"), &json!({})).expect(409, "job_not_cancellable");
        let list = admin.get("/jobs?state=done&kind=officer_import&count=exact").expect(200, "").json();
        assert_eq!((&list["items"][0], &list["total"]), (&view, &json!(1)));
        assert_eq!(admin.get("/jobs?state=queued").expect(200, "").json()["items"], json!([]));
        assert_eq!(seen(&admin), 30);
        // What was needed on the way is gone; what came is told by the log.
        assert_eq!(left(world)[..4], NOTHING[..4]);
        assert_eq!(left(world)[4..], ["officers 30", "posts 6", "log 36", "held 0"]);
    }

    fn whoever_began_a_job_is_told_of_it_and_nobody_else(world) {
        // Whatever the people here came with has been told.
        sealing::seal_all(world, "53");
        let running = Running::beside(world.doors());
        let admin = world.as_(ADMIN);
        let ear = Ear::open(world.address(), admin.token(), None);
        let other = Ear::open(world.address(), world.as_("5301-system-admin").token(), None);
        let path = take_on(world, "", table(0, 3));
        work_off(world);
        let take = |ear: &Ear, count: usize| -> Vec<Event> {
            (0..count).map(|_| ear.next(Duration::from_secs(30)).expect("an event")).collect()
        };
        let told = take(&ear, 6);
        let short: Vec<String> = told.iter().map(Event::short).collect();
        assert_eq!(short.iter().filter(|one| *one == "job officer.import").count(), 2, "{short:?}");
        assert!(path.ends_with(told[0].about()), "{told:?}");
        // Kunming's administrator is told of Kunming's officers, and of no job.
        let told: Vec<String> = take(&other, 4).iter().map(Event::short).collect();
        assert_eq!(told, ["officer officer.import"; 4]);
        drop(running);
    }

    fn how_far_a_job_is_is_told_to_whoever_began_it(world) {
        let _running = Running::beside(world.doors());
        let listen = |who: &str| Ear::open(world.address(), world.as_(who).token(), None);
        let (ear, other) = (listen(ADMIN), listen("5301-system-admin"));
        let path = take_on(world, "", table(0, 900));
        // Each time a process is gone the job stays where it is, and whoever listens is told where.
        for steps in 1..=3 {
            work_steps(world, steps);
            let view = job(world, &path);
            let state = view["state"].as_str().unwrap();
            assert!(["reading", "finishing"].contains(&state), "{view}");
            let stands = FIELDS.map(|name| view[name].clone());
            let is_told = || passed(&ear).iter().any(|one| FIELDS.map(|name| one["progress"][name].clone()) == stands);
            let begun = Instant::now();
            while !is_told() {
                assert!(begun.elapsed() < Duration::from_mins(1), "{view} was not told: {:?}", passed(&ear));
                ear.next(Duration::from_millis(100));
            }
        }
        work_off(world);
        assert_eq!(job(world, &path)["state"], "done");
        let told = passed(&ear);
        assert!(told.iter().all(|one| one["kind"] == "job" && one["action"] == "job.progress" && path.ends_with(one["id"].as_str().unwrap())), "{told:?}");
        assert!(told.len() >= 3 && told.windows(2).all(|two| two[0] != two[1]), "what is known is not told again: {told:?}");
        assert_eq!(passed(&other), Vec::<Value>::new());
    }

    fn a_job_goes_on_where_a_process_left_it_and_nobody_sees_it_before_its_end(world) {
        const ROWS: usize = 900;
        let admin = world.as_(ADMIN);
        // One officer is there and is changed: that too is seen at the end only.
        admin.call("POST", "/officers/imports").bytes("text/csv", table(899, 1).replace("王建国", "李建国")).import().expect(200, "");
        let logged = "SELECT entity_id AS text FROM audit_log WHERE entity <> 'session'";
        let before = Raw::owner(world, "53").texts(logged).len();
        let path = take_on(world, "", table(0, ROWS));
        let (mut seen_rows, mut states, mut percents) = (0, Vec::new(), vec![0]);
        // A step takes twice as many rows as the one before it at most: three of them are never all of it.
        for turn in 0..200 {
            work_steps(world, 1 + turn % 3);
            let admin = world.as_(ADMIN);
            let view = job(world, &path);
            let (state, rows) = (view["state"].as_str().unwrap().to_owned(), view["rows_read"].as_i64().unwrap());
            assert!(rows >= seen_rows, "never back: {view}");
            seen_rows = rows;
            states.push(state.clone());
            if state == "done" {
                break;
            }
            assert_eq!(seen(&admin), 1, "nothing is seen while it is {state}");
            assert_eq!(admin.get("/officers?number=8000899").json()["items"][0]["name"], "李建国");
            assert_eq!(admin.get("/officers?post_kind=case_officer&q=8000&count=exact").json()["total"], 0);
            let logged = world.as_("53-auditor").get("/audit-log?entity=officer&count=exact&limit=1").expect(200, "").json();
            assert_eq!(logged["total"], 1, "nor is it in the log while it is {state}");
            let percent = view["percent"].as_i64().unwrap();
            assert!((percents[percents.len() - 1]..100).contains(&percent), "never back, never there: {view}");
            percents.push(percent);
            // As soon as something can be told of its end it is: later than what was last done for it.
            let end = view["expected_end_at"].as_str();
            assert_eq!(end.is_some(), percent > 0, "{view}");
            assert!(end.is_none_or(|end| end > view["started_at"].as_str().unwrap()), "{view}");
        }
        assert!(percents.iter().any(|percent| (1..100).contains(percent)), "{percents:?}");
        assert!(states.iter().filter(|state| *state == "reading").count() > 1, "it was interrupted: {states:?}");
        let admin = world.as_(ADMIN);
        let view = job(world, &path);
        assert_eq!((&view["state"], &view["rows_new"], &view["rows_changed"]), (&json!("done"), &json!(899), &json!(1)), "{states:?}");
        assert_eq!((&view["percent"], &view["expected_end_at"]), (&json!(100), &Value::Null));
        assert_eq!(seen(&admin), 900);
        assert_eq!(admin.get("/officers?number=8000899").json()["items"][0]["name"], "王建国");
        work_off(world);
        assert_eq!(left(world)[..4], NOTHING[..4]);
        // Each is in the log once: 900 officers and their posts, the job when it was taken on and when it ended.
        let after = Raw::owner(world, "53").texts(logged).len();
        let twice = Raw::owner(world, "53").texts(
            "SELECT entity_id AS text FROM audit_log WHERE action = 'officer.import' AND entity <> 'job' GROUP BY entity, entity_id HAVING count(*) > 1",
        );
        assert_eq!(twice.len(), 1, "only the one that was changed: {twice:?}");
        assert_eq!(after - before, 899 + 180 + 1 + 2);
    }

    fn accounts_too_are_seen_all_at_once_and_a_late_conflict_is_told(world) {
        const ROWS: usize = 400;
        let admin = world.as_(ADMIN);
        let row = |at: usize| format!("bulk-{at:04},王建国,530102\n");
        let table = (0..ROWS).map(row).fold("login,display_name,unit_code\n".to_owned(), |table, row| table + &row);
        let path = admin.call("POST", "/users/imports?skip_refused=true").bytes("text/csv", table).send().expect(202, "").header("location").unwrap().to_owned();
        let there = |admin: &As<'_>| admin.get("/users?q=bulk-&count=exact&limit=1").expect(200, "").json()["total"].as_i64().unwrap();
        let logged = |world: &World| world.as_("53-auditor").get("/audit-log?entity=user&count=exact&limit=1").expect(200, "").json()["total"].as_i64().unwrap();
        let (mut states, mut taken, before) = (Vec::new(), false, logged(world));
        for turn in 0..200 {
            work_steps(world, 1 + turn % 3);
            let admin = world.as_(ADMIN);
            let state = job(world, &path)["state"].as_str().unwrap().to_owned();
            if state == "done" {
                break;
            }
            if state == "finishing" && !taken {
                // Somebody is faster with the last of the logins, while the others are being entered.
                let same = json!({ "login": "bulk-0399", "display_name": "李春阳", "unit_id": world.unit("5301"), "password": "滇池东岸的海鸥二月才飞走" });
                taken = admin.post("/users", &same).status == 201;
            }
            assert_eq!(there(&admin), i64::from(taken), "nothing is seen while it is {state}");
            assert_eq!(logged(world), before + i64::from(taken), "nor is it in the log");
            let listed = "SELECT 'listed' AS text FROM audit_unsealed WHERE uncommitted";
            assert!(Raw::owner(world, "53").texts(listed).is_empty(), "no checkpoint goes through rows of an import");
            states.push(state);
        }
        assert!(states.iter().any(|state| state == "finishing"), "{states:?}");
        let (admin, view) = (world.as_(ADMIN), job(world, &path));
        assert_eq!((&view["state"], there(&admin)), (&json!("done"), 400), "{view}");
        let late = i64::from(taken);
        // What was somebody else's by then is changed, as it would have been a moment before.
        assert_eq!((&view["rows_new"], &view["rows_changed"], &view["rows_refused"]), (&json!(400 - late), &json!(late), &json!(0)), "{view}");
        work_off(world);
        assert_eq!(left(world)[..4], NOTHING[..4]);
        assert_eq!(logged(world), before + 400 + late);
    }

    fn an_account_has_so_many_jobs_at_a_time(world) {
        let send = |who: &str| world.as_(who).call("POST", "/officers/imports").bytes("text/csv", table(0, 1)).send();
        for _ in 0..20 {
            send(ADMIN).expect(202, "");
        }
        send(ADMIN).expect(409, "too_many_jobs");
        // Nor is its body kept; another account has its own, and what has ended does not count.
        let bodies = Raw::owner(world, "53").texts("SELECT CAST(count(DISTINCT job_id) AS text) AS text FROM job_pieces");
        assert_eq!(bodies, ["20"]);
        send("50-system-admin").expect(202, "");
        work_off(world);
        send(ADMIN).expect(202, "");
    }

    fn a_cancelled_job_leaves_nothing(world) {
        let admin = world.as_(ADMIN);
        // One that has not begun, one in the middle.
        let waiting = take_on(world, "", table(0, 10));
        let cancelled = admin.post(&format!("{waiting}/cancel"), &json!({})).expect(200, "").json();
        assert_eq!((&cancelled["state"], &cancelled["allowed_actions"]), (&json!("dropping"), &json!([])));
        work_off(world);
        assert_eq!(job(world, &waiting)["state"], "cancelled");
        let path = take_on(world, "", table(0, 900));
        work_until_read(world);
        let stale = admin.call("POST", &format!("{path}/cancel")).json(&json!({})).header("If-Match", "\"v1.0\"").send();
        stale.expect(412, "precondition_failed");
        admin.post(&format!("{path}/cancel"), &json!({})).expect(200, "");
        admin.post(&format!("{path}/cancel"), &json!({})).expect(409, "job_not_cancellable");
        for _ in 0..3 {
            work_steps(world, 1);
        }
        work_off(world);
        let view = job(world, &path);
        assert_eq!((&view["state"], &view["rows_accepted"], &view["problem"]), (&json!("cancelled"), &json!(0), &Value::Null));
        assert_eq!(left(world), NOTHING);
        assert_eq!(seen(&admin), 0);
        // The same numbers can come again.
        admin.call("POST", "/officers/imports").bytes("text/csv", table(0, 20)).import().expect(200, "");
        assert_eq!(seen(&admin), 20);
    }

    fn the_last_row_is_read_though_its_line_has_no_end(world) {
        // A step begins with 50 rows: here the last row is a step of its own.
        for (from, rows) in [(0, 51), (100, 1), (200, 53)] {
            let table = table(from, rows);
            let reply = world.as_(ADMIN).call("POST", "/officers/imports").bytes("text/csv", table.trim_end()).import().expect(200, "");
            assert_eq!((&reply.json()["rows_read"], &reply.json()["rows_new"]), (&json!(rows), &json!(rows)));
        }
    }

    fn a_retry_is_answered_with_the_same_job_and_keeps_no_second_body(world) {
        let call = |table: String| {
            world.as_(ADMIN).call("POST", "/officers/imports").bytes("text/csv", table).header("Idempotency-Key", "2026").send()
        };
        let first = call(table(0, 3)).expect(202, "");
        let again = call(table(0, 3)).expect(202, "");
        assert_eq!((again.json(), again.header("location")), (first.json(), first.header("location")));
        call(table(0, 4)).expect(422, "idempotency_key_reused");
        assert_eq!(left(world)[0], "job_pieces 1", "the one of the job");
        assert_eq!(work_off(world), 1);
        assert_eq!(call(table(0, 3)).expect(202, "").json(), first.json());
        assert_eq!(left(world)[0], "job_pieces 0");
    }

    fn a_trial_tells_what_the_real_thing_does_and_leaves_nothing(world) {
        let admin = world.as_(ADMIN);
        let rows = |name: &str, view: &Value| view[name].as_i64().unwrap();
        let tried = take_on(world, "?dry_run=true", table(0, 120));
        work_off(world);
        let tried = job(world, &tried);
        assert_eq!((&tried["state"], rows("rows_new", &tried)), (&json!("done"), 120));
        assert_eq!(left(world), NOTHING);
        let real = take_on(world, "", table(0, 120));
        work_off(world);
        let real = job(world, &real);
        for name in ["rows_read", "rows_new", "rows_changed", "rows_unchanged", "rows_refused", "sha256", "encoding"] {
            assert_eq!(tried[name], real[name], "{name}");
        }
        assert_eq!(seen(&admin), 120);
    }

    fn rows_with_errors_keep_all_out_or_are_left_out_as_asked(world) {
        let admin = world.as_(ADMIN);
        let wrong = "8000300,王建国,police,,999999,,,,\n8000301,王建国,nobody,,530102,,,,\n8000000,王建国,police,,530102,,,,\n";
        let table = table(0, 300) + wrong;
        let refused = take_on(world, "", table.clone());
        work_off(world);
        let view = job(world, &refused);
        assert_eq!((&view["state"], &view["problem"]["code"]), (&json!("refused"), &json!("import_refused")));
        assert_eq!((&view["rows_read"], &view["rows_accepted"], &view["rows_refused"]), (&json!(303), &json!(0), &json!(3)));
        assert!(view["problem"]["detail_zh"].as_str().unwrap().contains("3 行共 3 处有误"), "{view}");
        assert_eq!((left(world), seen(&admin)), (NOTHING.map(ToOwned::to_owned).to_vec(), 0));
        let wanted = ["302 unit_code unknown_reference", "303 kind not_allowed_value", "304 number not_unique"];
        assert_eq!(errors(&admin.get(&format!("{refused}/refusals")).expect(200, "")), wanted);
        // To be mended in a sheet.
        let sheet = admin.call("GET", &format!("{refused}/refusals")).header("Accept", "text/csv").send().expect(200, "").text();
        assert!(sheet.contains("行号,列,代码,中文说明,英文说明") && sheet.contains("302,unit_code,unknown_reference,"), "{sheet}");
        // A page at a time.
        let page = admin.get(&format!("{refused}/refusals?limit=2&count=exact")).expect(200, "");
        let cursor = page.json()["next_cursor"].as_str().unwrap().to_owned();
        assert_eq!((errors(&page), &page.json()["total"]), (wanted[..2].iter().map(ToString::to_string).collect(), &json!(3)));
        assert_eq!(errors(&admin.get(&format!("{refused}/refusals?limit=2&cursor={cursor}")).expect(200, "")), wanted[2..]);

        let skipping = take_on(world, "?skip_refused=true", table);
        work_off(world);
        let view = job(world, &skipping);
        assert_eq!((&view["state"], &view["rows_accepted"], &view["rows_refused"]), (&json!("done"), &json!(300), &json!(3)), "{view}");
        assert_eq!(errors(&admin.get(&format!("{skipping}/refusals")).expect(200, "")), wanted);
        assert_eq!(seen(&admin), 300);
        // Under headings that are not understood nothing is left out: nothing is understood.
        let heading = take_on(world, "?skip_refused=true", "colour\nred\n");
        work_off(world);
        assert_eq!(job(world, &heading)["state"], "refused");
        // What no database holds, and what no index does, is wrong like anything else.
        let line = |number: &str| format!("{{\"number\":\"{number}\",\"name\":\"王建国\",\"kind\":\"police\",\"unit_code\":\"530102\"}}\n");
        let lines = line("80\\u00009") + &line(&"8".repeat(200_000)) + &line("8000999");
        let path = "/officers/imports?skip_refused=true";
        let odd = admin.call("POST", path).bytes("application/x-ndjson", lines).import().expect(200, "").json();
        assert_eq!((&odd["rows_refused"], &odd["rows_new"]), (&json!(2), &json!(1)), "{odd}");
        // A tree is taken as a whole.
        admin.call("POST", "/units/imports?skip_refused=true").bytes("text/csv", "code\n").send().expect(400, "invalid_query");
    }

    fn a_right_that_ends_ends_the_job(world) {
        let path = take_on(world, "", table(0, 900));
        work_until_read(world);
        // None of the people here may take this role away.
        let sql = "UPDATE role_bindings SET revoked_at = created_at WHERE role = 'system_admin' AND unit_path = '53/'";
        Raw::owner(world, "53").run(sql).unwrap();
        work_off(world);
        let view = job(world, &path);
        assert_eq!((&view["state"], &view["problem"]["code"]), (&json!("failed"), &json!("forbidden")), "{view}");
        assert_eq!(left(world), NOTHING);
    }

    fn instances_share_the_jobs_and_each_is_done_once(world) {
        let second = world.second();
        let admin = world.as_(ADMIN);
        let paths: Vec<String> = (0..6).map(|at| take_on(world, "", table(at * 100, 60))).collect();
        // Begun by one, told of by the other.
        assert_eq!(admin.call("GET", &paths[0]).send().json(), world.as_(ADMIN).at(&second).get(&paths[0]).json());
        let contexts = [world.doors().clone(), second.doors.clone()];
        std::thread::scope(|scope| {
            for doors in contexts {
                scope.spawn(move || drop(sealing::run(app::runner(&app::context(doors, Vec::new())).work_off())));
            }
        });
        // What one of them has given up is free again.
        world.advance(31);
        work_off(world);
        for path in &paths {
            let view = job(world, path);
            assert_eq!((&view["state"], &view["rows_new"]), (&json!("done"), &json!(60)), "{view}");
        }
        assert_eq!(left(world)[4..7], ["officers 360", "posts 72", "log 432"]);
        let sql = "SELECT entity_id AS text FROM audit_log WHERE entity = 'job' GROUP BY entity_id HAVING count(*) <> 2";
        assert_eq!(Raw::owner(world, "53").texts(sql), Vec::<String>::new(), "taken on once, ended once");
    }

    fn what_an_import_is_about_to_bring_is_taken(world) {
        let admin = world.as_(ADMIN);
        let head = format!("{HEADING}8000000,王建国,police,,530302,11010519491231002X,head,局长,2026-01-01\n") + &table(1, 900)[HEADING.len()..];
        let path = take_on(world, "", head);
        work_until_read(world);
        let unit = world.unit("530302");
        let one = |number: &str, card: Value| json!({ "number": number, "name": "李建国", "kind": "police", "unit_id": unit, "id_card": card });
        admin.post("/officers", &one("8000000", Value::Null)).expect(409, "officer_number_taken");
        admin.post("/officers", &one("9000000", json!("11010519491231002X"))).expect(409, "id_card_taken");
        assert_eq!(admin.get(&format!("/units/{unit}/head")).expect(200, "").json()["officer"], Value::Null);
        // The unit stays while somebody is on the way there whom nobody sees.
        let reason = json!({ "into_id": world.unit("530102"), "reason": "两局合并。" });
        admin.post(&format!("/units/{unit}/merge"), &reason).expect(409, "import_under_way");
        // Another import of the same numbers comes to nothing, and the first is none the worse.
        let other = take_on(world, "", table(0, 2));
        work_off(world);
        let states = [job(world, &path)["state"].clone(), job(world, &other)["state"].clone()];
        assert_eq!(states[0], "done");
        // The first was done before the second was begun: then its officer is there, and is changed.
        assert!(["done", "refused"].contains(&states[1].as_str().unwrap()));
        assert_eq!(admin.get(&format!("/units/{unit}/head")).expect(200, "").json()["officer"]["number"], "8000000");
    }

    fn bodies_without_a_job_are_cleared_away(world) {
        let admin = world.as_(ADMIN);
        // What is wrong beside a file is told before it is kept.
        let large = vec![b'\n'; 3 * 1024 * 1024];
        admin.call("POST", "/officers/imports?colour=red").bytes("text/csv", large.clone()).send().expect(400, "invalid_query");
        assert_eq!(left(world), NOTHING);
        // Kept, and then refused for what it is.
        admin.call("POST", "/officers/imports").bytes("application/x-ndjson; charset=gbk", large).send().expect(415, "unsupported_media_type");
        assert_eq!(left(world)[0], "job_pieces 12");
        let sweep = || {
            let tenant = pingyi::db::TenantId::parse("53").unwrap();
            sealing::run(pingyi::access::beside(world.doors(), tenant, "jobs", pingyi::jobs::service::sweep)).unwrap()
        };
        assert!(!sweep(), "one may still be arriving");
        world.advance(3601);
        assert!(sweep() && sweep() && !sweep(), "eight pieces, four, none");
        assert_eq!(left(world), NOTHING);
        // What was wrong with rows is kept for thirty days.
        let path = take_on(world, "", format!("{HEADING}8000000,王建国,police,,999999,,,,\n"));
        work_off(world);
        let rows = |world: &World| world.as_(ADMIN).get(&format!("{path}/refusals")).expect(200, "").json()["items"].as_array().unwrap().len();
        world.advance(29 * 24 * 3600);
        assert_eq!((sweep(), rows(world)), (false, 1));
        world.advance(2 * 24 * 3600);
        assert_eq!((sweep(), rows(world)), (true, 0));
    }
}
