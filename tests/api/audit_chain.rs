//! The chain of the audit log, by an auditor: read, verified, and what is told when somebody was at the database.

use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::support::raw::Raw;
use crate::support::sealing::{seal, sign};
use crate::support::{Backend, Place, World, both, postgres, story};

const AUDITOR: &str = "53-auditor";

fn verdict(world: &World) -> Value {
    world.as_(AUDITOR).get("/audit-log/verify").expect(200, "").json()
}

/// Kind and position of each fault.
type Told = Vec<(String, Option<u64>)>;

fn faults(world: &World) -> Told {
    let told = verdict(world);
    let faults = told["faults"].as_array().unwrap();
    assert_eq!(told["whole"], json!(faults.is_empty()), "{told}");
    faults.iter().map(|one| (one["kind"].as_str().unwrap().to_owned(), one["position"].as_u64())).collect()
}

/// A province in which something has happened, sealed and signed; past the triggers that guard its log.
fn touched(world: &World) -> Raw {
    story::launched(world, "53");
    sign(world, "53");
    assert_eq!(faults(world), []);
    let mut raw = Raw::owner(world, "53");
    let guards = match world.backend {
        Backend::Sqlite => ["log", "chain", "checkpoints"]
            .iter()
            .flat_map(|table| {
                ["update", "delete", "replace"].map(|what| format!("DROP TRIGGER audit_{table}_no_{what};"))
            })
            .collect::<String>(),
        Backend::Postgres => ["log", "chain", "checkpoints"]
            .map(|table| format!("ALTER TABLE audit_{table} DISABLE TRIGGER USER;"))
            .concat(),
    };
    raw.run(&guards).unwrap();
    raw
}

fn at(position: u64) -> String {
    format!("(SELECT entry_id FROM audit_chain WHERE tenant_id = '53' AND position = {position})")
}

fn told(kind: &str, position: u64) -> Told {
    vec![(kind.to_owned(), Some(position))]
}

both! {
    fn an_auditor_reads_the_log_and_verifies_its_chain(world) {
        let tale = story::launched(world, "53");
        let unsealed = verdict(world);
        assert_eq!((&unsealed["size"], &unsealed["whole"], &unsealed["signed"]), (&json!(0), &json!(true), &Value::Null));
        let rows = world.as_(AUDITOR).get("/audit-log?count=exact&limit=1").expect(200, "").json()["total"].as_u64().unwrap();
        let sealed = seal(world, "53");
        assert_eq!(u64::try_from(sealed).unwrap(), rows);
        assert_eq!(seal(world, "53"), 0, "once");
        sign(world, "53");
        let done = verdict(world);
        assert_eq!((&done["size"], &done["signed"], &done["checkpoints"], &done["unsealed"]), (&json!(rows), &json!(rows), &json!(1), &json!(0)));
        // That somebody has verified is a row itself.
        let looks = world.as_(AUDITOR).get("/audit-log?entity=audit_chain&count=exact").expect(200, "").json();
        assert_eq!((&looks["total"], &looks["items"][0]["position"]), (&json!(2), &Value::Null));
        sign(world, "53");
        // What happened to the plan, in its order, each row with its place.
        let list = world.as_(AUDITOR).get(&format!("/audit-log?entity=plan&entity_id={}&sort=at", tale.plan)).expect(200, "").json();
        let actions: Vec<&Value> = list["items"].as_array().unwrap().iter().map(|row| &row["action"]).collect();
        assert_eq!(actions, [&json!("plan.create"), &json!("plan.submit"), &json!("plan.approve"), &json!("plan.publish")]);
        let first = &list["items"][0];
        let one = world.as_(AUDITOR).get(&format!("/audit-log/{}", first["id"].as_str().unwrap())).expect(200, "").json();
        assert_eq!(&one, first);
        assert_eq!((first["commitment"].as_str().unwrap().len(), first["salt"].as_str().unwrap().len()), (64, 32));
        let by = format!("/audit-log?user_id={}&action=plan.approve&from_on={}&until_on={}", world.user("53-group-head"), world.day(0), world.day(0));
        assert_eq!(world.as_(AUDITOR).get(&by).expect(200, "").json()["items"].as_array().unwrap().len(), 1);
        let yesterday = format!("/audit-log?until_on={}", world.day(-1));
        assert_eq!(world.as_(AUDITOR).get(&yesterday).expect(200, "").json()["items"], json!([]));
        let checkpoints = world.as_(AUDITOR).get("/audit-log/checkpoints?count=exact").expect(200, "").json();
        assert_eq!(checkpoints["total"], 2);
        let newest = &checkpoints["items"][0];
        let note = newest["note"].as_str().unwrap();
        assert!(note.starts_with(&format!("pingyi/53\n{}\n", rows + 1)), "{note}");
        let verifier = pingyi::audit::checkpoint::Verifier::parse(newest["verifier"].as_str().unwrap()).unwrap();
        assert_eq!(verifier.open(note).unwrap().size, rows + 1);
        assert_eq!(&world.as_(AUDITOR).get(&format!("/audit-log/checkpoints/{}", newest["id"].as_str().unwrap())).expect(200, "").json(), newest);
        // Nobody of another province, nobody who does business.
        world.as_("53-group-head").get("/audit-log").expect(403, "forbidden");
        world.as_("platform-platform-operator").get("/audit-log").expect(403, "forbidden");
        world.as_("50-auditor").get(&format!("/audit-log/{}", first["id"].as_str().unwrap())).expect(404, "not_found");
    }

    fn what_was_touched_is_told_by_name(world) {
        let mut raw = touched(world);
        let size = verdict(world)["size"].as_u64().unwrap();
        raw.run("CREATE TABLE kept_log AS SELECT * FROM audit_log WHERE tenant_id = '53'; \
                 CREATE TABLE kept_chain AS SELECT * FROM audit_chain WHERE tenant_id = '53'").unwrap();
        let again = |selected: &str| {
            format!("DELETE FROM audit_chain WHERE tenant_id = '53' AND position IN (5, 6); INSERT INTO audit_chain SELECT {selected}")
        };
        // The rows of two places, their links where they were; and the places whole, their links with them.
        let rows_swapped = again(
            "a.tenant_id, a.position, b.entry_id, b.commitment, a.link, a.sealed_at \
             FROM kept_chain a JOIN kept_chain b ON b.position = 11 - a.position WHERE a.position IN (5, 6)",
        );
        let places_swapped = again(
            "tenant_id, 11 - position, entry_id, commitment, link, sealed_at FROM kept_chain WHERE position IN (5, 6)",
        );
        // A row that nobody has written, as like the others as can be.
        let is_embedded = matches!(world.place(), Place::Sqlite(_));
        let new_id = if is_embedded { "randomblob(16)" } else { "gen_random_uuid()" };
        let put_in = format!(
            "INSERT INTO audit_log (tenant_id, id, at, actor, user_id, roles, action, entity, entity_id, before_digest, after_digest, reason, request_id, salt) \
             SELECT tenant_id, {new_id}, at, actor, user_id, roles, action, entity, entity_id, before_digest, after_digest, reason, 'put in', salt \
             FROM kept_log WHERE id = {}", at(3),
        );
        let cases: Vec<(&str, String, Told)> = vec![
            ("edited", format!("UPDATE audit_log SET reason = '改' WHERE tenant_id = '53' AND id = {}", at(3)), told("entry_edited", 3)),
            ("its salt", format!("UPDATE audit_log SET salt = 'ff' WHERE tenant_id = '53' AND id = {}", at(3)), told("entry_edited", 3)),
            ("deleted", format!("DELETE FROM audit_log WHERE tenant_id = '53' AND id = {}", at(4)), told("entry_deleted", 4)),
            (
                "deleted with its place",
                format!("DELETE FROM audit_log WHERE tenant_id = '53' AND id = {}; DELETE FROM audit_chain WHERE tenant_id = '53' AND position = 4", at(4)),
                told("entry_deleted", 4),
            ),
            ("its place", "DELETE FROM audit_chain WHERE tenant_id = '53' AND position = 4".to_owned(),
                vec![("entry_deleted".to_owned(), Some(4)), ("entry_inserted".to_owned(), None)]),
            ("put beside the chain", put_in.clone(), vec![("entry_inserted".to_owned(), None)]),
            (
                "put between two places",
                format!(
                    "{put_in}; DELETE FROM audit_chain WHERE tenant_id = '53' AND position > 5; \
                     INSERT INTO audit_chain SELECT tenant_id, position + 1, entry_id, commitment, link, sealed_at FROM kept_chain WHERE position > 5; \
                     INSERT INTO audit_chain SELECT a.tenant_id, 6, l.id, a.commitment, a.commitment, a.sealed_at \
                     FROM kept_chain a JOIN audit_log l ON l.tenant_id = '53' AND l.request_id = 'put in' WHERE a.position = 5"
                ),
                // Nor is its commitment its own.
                vec![("entry_edited".to_owned(), Some(6)), ("entry_inserted".to_owned(), Some(6))],
            ),
            ("rows changed places", rows_swapped, told("entries_reordered", 5)),
            ("places changed", places_swapped, told("entries_reordered", 5)),
            ("a link", "UPDATE audit_chain SET link = commitment WHERE tenant_id = '53' AND position = 7".to_owned(),
                vec![("link_broken".to_owned(), Some(7)), ("link_broken".to_owned(), Some(8))]),
            ("cut off", format!("DELETE FROM audit_log WHERE tenant_id = '53' AND id = {}; DELETE FROM audit_chain WHERE tenant_id = '53' AND position = {size}", at(size)),
                told("truncated", size - 1)),
        ];
        for (what, sql, wanted) in cases {
            raw.run(&sql).unwrap();
            // The looks of before are rows that wait: they are no fault.
            assert_eq!(faults(world), wanted, "{what}");
            let restore = "DELETE FROM audit_log WHERE tenant_id = '53' AND (id IN (SELECT id FROM kept_log) OR request_id = 'put in'); INSERT INTO audit_log SELECT * FROM kept_log; \
                           DELETE FROM audit_chain WHERE tenant_id = '53'; INSERT INTO audit_chain SELECT * FROM kept_chain";
            raw.run(restore).unwrap();
            assert_eq!(faults(world), [], "after {what}");
        }
        // A row that is gone before the relay has come to it: that one waits for ever, and is told.
        let last = "(SELECT id FROM audit_log WHERE tenant_id = '53' AND entity = 'audit_chain' ORDER BY id DESC LIMIT 1)";
        raw.run(&format!("DELETE FROM audit_log WHERE tenant_id = '53' AND id = {last}")).unwrap();
        assert_eq!(faults(world), [("entry_deleted".to_owned(), None)]);
        seal(world, "53");
        let unsealed = verdict(world);
        assert_eq!((&unsealed["faults"][0]["kind"], &unsealed["faults"].as_array().unwrap().len()), (&json!("entry_deleted"), &1));
        raw.run("DELETE FROM audit_unsealed WHERE entry_id NOT IN (SELECT id FROM audit_log)").unwrap();
        // A checkpoint that nobody has signed.
        raw.run("UPDATE audit_checkpoints SET note = replace(note, 'pingyi/53', 'pingyi/50') WHERE tenant_id = '53'").unwrap();
        assert_eq!(faults(world), told("checkpoint_forged", size));
    }

    fn nobody_who_writes_waits_for_the_chain(world) {
        story::campaign(world, "53");
        sign(world, "53");
        let Place::Postgres(database) = world.place() else { return };
        // Somebody holds the end of the chain, as a relay that hangs would.
        let mut held = postgres::connect(&database.owner_url());
        postgres::run(&mut held, "SET app.tenant = '53'; BEGIN; SELECT size FROM audit_heads WHERE tenant_id = '53' FOR UPDATE");
        let office = world.as_("53-group-office");
        for _ in 0..5 {
            office.post("/campaigns", &story::campaign_body(world, "53")).expect(201, "");
        }
        drop(held);
        assert!(seal(world, "53") >= 5);
        assert_eq!(faults(world), []);
    }

    fn what_is_personal_is_committed_to_with_a_salt(world) {
        // The same in two places: only what is salted differs, so whoever knows a name cannot find it in a digest.
        let digests = |world: &World| {
            let admin = world.as_("53-system-admin");
            let officer = json!({
                "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d42", "number": "530177", "name": "王建国", "kind": "police",
                "rank": "constable_1", "unit_id": world.unit("5301"), "phone": "13812345678",
            });
            admin.post("/officers", &officer).expect(201, "");
            let day = json!({ "kind": "holiday", "name": "泼水节" });
            admin.put(&format!("/calendar/{}", world.day(30)), "*", &day).expect(200, "");
            let mut raw = Raw::owner(world, "53");
            ["officer", "calendar_day"].map(|entity| {
                raw.texts(&format!("SELECT after_digest AS text FROM audit_log WHERE entity = '{entity}' AND tenant_id = '53'")).pop().unwrap()
            })
        };
        let other = World::on(world.backend);
        let ([officer, day], [same_officer, same_day]) = (digests(world), digests(&other));
        assert_eq!(day, same_day, "what is not personal is the same");
        assert_ne!(officer, same_officer, "what is personal is not");
    }

    fn relays_that_run_at_once_seal_each_row_once(world) {
        story::campaign(world, "53");
        let stop = AtomicBool::new(false);
        let sealed: usize = std::thread::scope(|scope| {
            let relays: Vec<_> = (0..3).map(|_| scope.spawn(|| {
                let mut sealed = 0;
                while !stop.load(Ordering::Relaxed) {
                    sealed += seal(world, "53");
                }
                sealed
            })).collect();
            let office = world.as_("53-group-office");
            for _ in 0..40 {
                office.post("/campaigns", &story::campaign_body(world, "53")).expect(201, "");
            }
            stop.store(true, Ordering::Relaxed);
            relays.into_iter().map(|relay| relay.join().unwrap()).sum()
        });
        let rest = seal(world, "53");
        assert_eq!(verdict(world)["size"], json!(sealed + rest));
        assert_eq!(faults(world), []);
    }
}

/// The program, on the data of a test.
fn program(world: &World, dir: &std::path::Path, arguments: &[&str]) -> (bool, String) {
    let Place::Sqlite(file) = world.place() else { panic!("the embedded database") };
    let mut command = Command::new(env!("CARGO_BIN_EXE_pingyi"));
    command.env_clear().args(arguments).arg("--data-dir").arg(file.parent().unwrap()).current_dir(dir);
    let done = command.output().unwrap();
    (
        done.status.success(),
        String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr),
    )
}

#[test]
fn an_export_is_verified_with_nothing_but_a_key_and_a_checkpoint() {
    let world = &World::on(Backend::Sqlite);
    story::launched(world, "53");
    sign(world, "53");
    let (dir, run) = (tempfile::tempdir().unwrap(), |arguments: &[&str]| {
        program(world, tempfile::tempdir().unwrap().path(), arguments)
    });
    let (_, key) = run(&["audit", "key", "--province", "53"]);
    let (whole, text) = run(&["audit", "verify", "--province", "53"]);
    assert!(whole && text.contains("1 checkpoints agree"), "{text}");
    let (whole, text) = run(&["audit", "verify", "--province", "44"]);
    assert!(!whole && text.contains("no row in this log"), "what is not there is not whole: {text}");
    let (_, export) = run(&["audit", "export", "--province", "53"]);
    let newest = world.as_(AUDITOR).get("/audit-log/checkpoints").expect(200, "").json()["items"][0].clone();
    assert_eq!(newest["verifier"], key.trim());
    let path = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    // The file holds the checkpoints of other chains as well.
    sign(world, "50");
    let other =
        world.as_("50-auditor").get("/audit-log/checkpoints").expect(200, "").json()["items"][0].clone();
    let both = format!("{}\n{}", other["note"].as_str().unwrap(), newest["note"].as_str().unwrap());
    let note = path("checkpoints.txt", &both);
    let verify = |lines: &str| {
        let file = path("export.ndjson", lines);
        run(&["audit", "verify", "--export", &file, "--checkpoint", &note, "--key", key.trim()])
    };
    let (whole, text) = verify(&export);
    assert!(whole && text.contains("1 checkpoints agree"), "{text}");
    let lines: Vec<&str> = export.lines().collect();
    // Somebody writes a row anew, and all links behind it: only the checkpoint tells.
    let mut before = [0; 32];
    let anew: Vec<String> = lines
        .iter()
        .map(|line| {
            let mut line: pingyi::audit::export::Line = serde_json::from_str(line).unwrap();
            let row = line.row.as_mut().unwrap();
            if line.position == 3 {
                row.reason = Some("从未退回。".to_owned());
            }
            let salt = pingyi::audit::chain::unhex(line.salt.as_deref().unwrap()).unwrap();
            let commitment = row.commitment(&salt);
            before = pingyi::audit::chain::link(&before, line.position, &commitment);
            (line.commitment, line.link) = (pingyi::audit::hex(&commitment), pingyi::audit::hex(&before));
            serde_json::to_string(&line).unwrap()
        })
        .collect();
    for (what, lines, wanted) in [
        ("written anew", anew.join("\n"), "rewritten"),
        ("cut off", lines[..lines.len() - 1].join("\n"), "truncated"),
        (
            "a row edited",
            lines.join("\n").replacen("\"reason\":null", "\"reason\":\"改\"", 1),
            "entry_edited at 1",
        ),
    ] {
        let (whole, text) = verify(&lines);
        assert!(!whole && text.contains(wanted), "{what}: {text}");
    }
    // Withheld content proves nothing and hides nothing: the chain stays whole.
    let mut first: Value = serde_json::from_str(lines[0]).unwrap();
    (first["row"], first["salt"]) = (Value::Null, Value::Null);
    let withheld = std::iter::once(first.to_string()).chain(lines[1..].iter().map(|line| (*line).to_owned()));
    let (whole, text) = verify(&withheld.collect::<Vec<_>>().join("\n"));
    assert!(whole, "{text}");
    // Another key has signed nothing of it.
    let other =
        pingyi::audit::checkpoint::Signer::of_seed(&[9; 32]).unwrap().verifier("pingyi/53").to_string();
    let file = path("export.ndjson", &export);
    let (whole, text) = run(&["audit", "verify", "--export", &file, "--checkpoint", &note, "--key", &other]);
    assert!(!whole && text.contains("checkpoint_forged"), "{text}");
}
