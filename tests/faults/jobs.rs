//! SIGKILL in the middle of an import: whoever is there goes on behind the last step, nothing is lost or doubled.

use std::fmt::Write;
use std::time::Duration;

use serde_json::Value;

use super::process::{Backend, Connection, Program, Random, Session, memory, memory_from_here, nap, until};
use super::work::Demo;

const ROWS: usize = 6_000;

fn table() -> String {
    let mut table = String::from("number,name,kind,rank,unit_code,post_kind,post_title,post_from_on\n");
    for row in 0..ROWS {
        writeln!(table, "Z{row:07},王建国,police,constable_1,5301,case_officer,办案民警,2025-06-01").unwrap();
    }
    table
}

fn take_on(program: &Program, admin: &Session, key: &str) -> String {
    let mut connection = Connection::open_with(program.address, Duration::from_mins(1)).unwrap();
    let kind = [("Content-Type", "text/csv"), ("Idempotency-Key", key)];
    let ask = |connection: &mut Connection| {
        admin.ask(connection, "POST", "/officers/imports", &kind, Some(&table())).unwrap().expect(202).json()
    };
    let taken = ask(&mut connection);
    assert_eq!(ask(&mut connection), taken, "a retry is answered with the same job");
    format!("/jobs/{}", taken["id"].as_str().unwrap())
}

fn job(program: &Program, admin: &Session, path: &str) -> Value {
    admin.get(program.address, path).expect(200).json()
}

/// Waits until it has read some more rows, or has ended.
fn until_further(program: &Program, admin: &Session, path: &str, rows: i64) -> i64 {
    until(Duration::from_mins(2), "the job to go on", || {
        let view = job(program, admin, path);
        let read = view["rows_read"].as_i64().unwrap();
        (read > rows || view["state"] == "done").then_some(read)
    })
}

fn is_whole(demo: &Demo, program: &Program, admin: &Session, path: &str) {
    let view = until(Duration::from_mins(3), "the job to end", || {
        let view = job(program, admin, path);
        view["ended_at"].is_string().then_some(view)
    });
    assert_eq!((&view["state"], &view["rows_new"]), (&"done".into(), &ROWS.into()), "{view}");
    let count = |sql: &str| demo.ask(sql).remove(0).parse::<usize>().unwrap();
    let officers = "FROM officers WHERE batch_id IS NOT NULL";
    assert_eq!(count(&format!("SELECT CAST(count(*) AS TEXT) AS line {officers}")), ROWS);
    let listed = admin.get(program.address, "/officers?q=Z00&count=exact&limit=1").expect(200).json();
    assert_eq!(listed["total"], ROWS);
    let posts = "SELECT CAST(count(*) AS TEXT) AS line FROM posts WHERE batch_id IS NOT NULL";
    assert_eq!(count(posts), ROWS);
    let twice = "SELECT entity_id AS line FROM audit_log WHERE tenant_id = '53' AND action = 'officer.import' AND \
                 entity <> 'job' GROUP BY entity, entity_id HAVING count(*) <> 1";
    assert_eq!(demo.ask(twice), Vec::<String>::new(), "each is in the log once");
    let logged = "SELECT CAST(count(*) AS TEXT) AS line FROM audit_log WHERE tenant_id = '53' AND \
                  action = 'officer.import' AND entity IN ('officer', 'post')";
    assert_eq!(count(logged), 2 * ROWS);
    until(Duration::from_mins(2), "what it needed to be cleared away", || {
        let tables = ["job_pieces", "job_claims", "job_rows", "open_batches"];
        let left = |name: &&str| count(&format!("SELECT CAST(count(*) AS TEXT) AS line FROM {name}"));
        (tables.iter().map(left).sum::<usize>() == 0).then_some(())
    });
    demo.store.until_sealed();
    let verified = demo.store.run(&["audit", "verify", "--province", "53"]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stdout));
    demo.check_integrity();
}

#[test]
fn an_import_goes_on_after_each_start_however_often_its_server_is_killed() {
    let mut demo = Demo::start(Backend::Sqlite);
    let mut random = Random::new();
    println!("seed {}", random.seed());
    let admin = demo.sign_in("system_admin");
    let path = take_on(&demo.program, &admin, "strength-2026");
    let mut read = 0;
    for _ in 0..4 {
        read = until_further(&demo.program, &admin, &path, read);
        nap(Duration::from_millis(random.below(400)));
        demo.program.kill();
        demo.program = demo.store.start(&["serve"]);
        let view = job(&demo.program, &admin, &path);
        assert!(view["rows_read"].as_i64().unwrap() >= read, "what was read stays read: {view}");
        let seen = admin.get(demo.program.address, "/officers?q=Z00&count=exact&limit=1").expect(200).json();
        let seen = seen["total"].as_u64().unwrap();
        assert!(seen == 0 || seen == ROWS as u64, "none or all: {seen}");
    }
    is_whole(&demo, &demo.program, &admin, &path);
}

#[test]
fn another_instance_goes_on_with_what_a_killed_one_has_begun() {
    let mut demo = Demo::start(Backend::Postgres);
    let admin = demo.sign_in("system_admin");
    // Whoever is alone has it, and keeps it.
    let path = take_on(&demo.program, &admin, "given up");
    until_further(&demo.program, &admin, &path, 0);
    let other = demo.store.start(&["serve"]);
    let mut connection = Connection::open_with(other.address, Duration::from_mins(1)).unwrap();
    let json = [("Content-Type", "application/json")];
    admin.ask(&mut connection, "POST", &format!("{path}/cancel"), &json, Some("{}")).unwrap().expect(200);
    let view = until(Duration::from_mins(2), "what was cancelled elsewhere to end", || {
        let view = job(&other, &admin, &path);
        view["ended_at"].is_string().then_some(view)
    });
    assert_eq!(view["state"], "cancelled", "{view}");
    let entered = "SELECT CAST(count(*) AS TEXT) AS line FROM officers WHERE batch_id IS NOT NULL";
    assert_eq!(demo.ask(entered), ["0"], "nothing of it is left");

    drop(other);
    let path = take_on(&demo.program, &admin, "strength-2026");
    let read = until_further(&demo.program, &admin, &path, 0);
    let other = demo.store.start(&["serve"]);
    let seen = until_further(&other, &admin, &path, read - 1);
    assert!(seen >= read, "both tell the same");
    demo.program.kill();
    is_whole(&demo, &other, &admin, &path);
}

#[test]
fn a_long_file_takes_little_memory() {
    /// Megabytes of the file, in rows of which each is wrong: what is looked at is how the file is read.
    const LONG: usize = 72;
    /// Megabytes more that an import may take.
    const MORE: u64 = 64;
    let row = "滇".repeat(80_000);
    let rows = LONG * 1024 * 1024 / row.len();
    for (backend, media) in [(Backend::Sqlite, "text/csv"), (Backend::Postgres, "application/x-ndjson")] {
        let demo = Demo::start(backend);
        let (admin, pid) = (demo.sign_in("system_admin"), demo.program.pid());
        let mut table =
            if media == "text/csv" { "number,name,kind,unit_code\n".to_owned() } else { String::new() };
        for at in 0..rows {
            if media == "text/csv" {
                writeln!(table, "Z{at:07},{row},police,5301").unwrap();
            } else {
                let line = "\"kind\":\"police\",\"unit_code\":\"5301\"";
                writeln!(table, "{{\"number\":\"Z{at:07}\",\"name\":\"{row}\",{line}}}").unwrap();
            }
        }
        let before = memory_from_here(pid);
        let mut connection = Connection::open_with(demo.at(), Duration::from_mins(2)).unwrap();
        let kind = [("Content-Type", media), ("Idempotency-Key", "long-file")];
        let taken = admin.ask(&mut connection, "POST", "/officers/imports", &kind, Some(&table)).unwrap();
        let path = format!("/jobs/{}", taken.expect(202).json()["id"].as_str().unwrap());
        let view = until(Duration::from_mins(5), "the job to end", || {
            let view = job(&demo.program, &admin, &path);
            view["ended_at"].is_string().then_some(view)
        });
        assert_eq!((&view["state"], &view["rows_refused"]), (&"refused".into(), &rows.into()), "{view}");
        let grown = memory(pid).unwrap().1.saturating_sub(before) / 1024;
        println!("{backend:?}: {LONG} MB of {media} took {grown} MB");
        assert!(grown <= MORE, "{grown} MB for {LONG} MB of {media}");
    }
}
