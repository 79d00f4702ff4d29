//! What is held back of the log, and the checkpoints that commit to it: what is taken away or changed there is told by its id, and
//! nobody else can tell whether there is anything.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, SqliteConnection};
use diesel_migrations::MigrationHarness;
use pingyi::access::{KeyRing, command_line_looks};
use pingyi::audit::chain::{Tree, digest_from};
use pingyi::audit::checkpoint::{Checkpoint, Verifier};
use pingyi::audit::service;
use pingyi::db::{Location, TenantId, migrate};
use serde_json::{Value, json};

use crate::support::checks::Kit;
use crate::support::raw::Raw;
use crate::support::sealing::{run, sign};
use crate::support::{Backend, Place, World, both, story};

const AUDITOR: &str = "53-auditor";
/// The first row of the list: that the check was begun.
const FIRST: &str = "(SELECT entry_id FROM audit_held WHERE tenant_id = '53' AND position = 1)";

fn verdict(world: &World) -> Value {
    world.as_(AUDITOR).get("/audit-log/verify").expect(200, "").json()
}

/// Kind and position of each fault, and the row it names.
type Told = Vec<(String, Option<u64>, Option<String>)>;

fn faults(world: &World) -> Told {
    let told = verdict(world);
    let faults = told["faults"].as_array().unwrap();
    assert_eq!(told["whole"], json!(faults.is_empty()), "{told}");
    let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
    faults
        .iter()
        .map(|one| (text(&one["kind"]).unwrap(), one["position"].as_u64(), text(&one["entry_id"])))
        .collect()
}

/// The identifier that an expression of SQL tells, as it is written on the wire.
fn id_of(world: &World, raw: &mut Raw, sql: &str) -> String {
    let digits = match world.backend {
        Backend::Sqlite => format!("SELECT lower(hex({sql})) AS text"),
        Backend::Postgres => format!("SELECT replace({sql}::text, '-', '') AS text"),
    };
    uuid::Uuid::parse_str(&raw.texts(&digits)[0]).unwrap().to_string()
}

/// That the list is not what its head says, where no checkpoint tells of it.
fn off() -> (String, Option<u64>, Option<String>) {
    ("holds_rewritten".to_owned(), None, None)
}

fn count(raw: &mut Raw, from: &str) -> i64 {
    raw.texts(&format!("SELECT CAST(count(*) AS text) AS text FROM {from}"))[0].parse().unwrap()
}

/// The database by its owner, past the triggers that guard the log.
fn unguarded(world: &World) -> Raw {
    let mut raw = Raw::owner(world, "53");
    let tables = ["audit_log", "audit_checkpoints", "audit_held"];
    let guards: Vec<String> = match world.backend {
        Backend::Sqlite => tables
            .iter()
            .flat_map(|table| {
                ["update", "delete", "replace"].map(|what| format!("DROP TRIGGER {table}_no_{what}"))
            })
            .collect(),
        Backend::Postgres => {
            tables.iter().map(|table| format!("ALTER TABLE {table} DISABLE TRIGGER USER")).collect()
        }
    };
    raw.run(&guards.join(";")).unwrap();
    raw
}

/// The newest checkpoint's text, signature and all.
fn newest(world: &World) -> String {
    let list = world.as_(AUDITOR).get("/audit-log/checkpoints").expect(200, "").json();
    list["items"][0]["note"].as_str().unwrap().to_owned()
}

/// What a checkpoint commits to of rows held back.
fn line(note: &str) -> &str {
    note.lines().find(|line| line.starts_with("holds ")).unwrap_or_else(|| panic!("no such line: {note}"))
}

fn tenant() -> TenantId {
    TenantId::parse("53").unwrap()
}

/// What the verifier who has these keys says to whoever brings a key of checkpoints, and checkpoints kept elsewhere.
fn verified_by(world: &World, keys: &KeyRing, verifier: &Verifier, notes: &[&str]) -> Vec<String> {
    let (tenant, doors) = (tenant(), world.doors());
    let signer = service::signer(keys).unwrap();
    let kept = notes.iter().map(|note| (*note).to_owned()).collect();
    let look = async |step| command_line_looks(doors, tenant, move |tx| service::take(tx, step)).await;
    let done = run(service::verify((tenant, verifier, &signer, kept), look)).unwrap();
    done.verdict.faults.iter().map(|fault| fault.kind.as_str().to_owned()).collect()
}

/// What the verifier says to whoever brings checkpoints that were kept elsewhere.
fn verified_with(world: &World, notes: &[&str]) -> Vec<String> {
    let keys = world.doors().keys();
    verified_by(world, keys, &service::verifier(keys, tenant()).unwrap(), notes)
}

/// A key ring of a file with this in it.
fn keys(file: &Value) -> KeyRing {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys.json");
    // The file is made as it has to be, and written over.
    KeyRing::create(&path).unwrap();
    std::fs::write(&path, file.to_string()).unwrap();
    KeyRing::load(&path).unwrap()
}

/// The keys of another installation.
fn other_keys() -> Value {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys.json");
    KeyRing::create(&path).unwrap();
    serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap()
}

/// Takes the migration with the list back, and all behind it; brings the database up to date again.
fn down_and_up(world: &World) {
    let is_reached = |version: String| version.ends_with("000030");
    match world.place() {
        Place::Sqlite(file) => {
            let mut conn = SqliteConnection::establish(file.to_str().unwrap()).unwrap();
            conn.batch_execute("PRAGMA busy_timeout = 5000").unwrap();
            while !is_reached(conn.revert_last_migration(migrate::SQLITE).unwrap().to_string()) {}
            drop(conn);
            migrate::up(&Location::Sqlite(file.clone()), None).unwrap();
        }
        Place::Postgres(database) => {
            let mut conn = PgConnection::establish(&database.owner_url()).unwrap();
            while !is_reached(conn.revert_last_migration(migrate::POSTGRES).unwrap().to_string()) {}
            drop(conn);
            let location = Location::Postgres(database.app_url());
            migrate::up(&location, Some(&database.owner_url())).unwrap();
        }
    }
}

both! {
    fn what_was_touched_while_it_was_held_back_is_told(world) {
        Kit::of(world, "5301").taken("covert", &["record"]);
        sign(world, "53");
        assert_eq!(faults(world), []);
        let signed = verdict(world)["signed"].as_u64();
        let mut raw = unguarded(world);
        let held = count(&mut raw, "audit_held");
        assert!(held > 5, "the check, its record, its photos");
        let first = id_of(world, &mut raw, FIRST);
        let all: Vec<String> =
            (1..=held).map(|at| id_of(world, &mut raw, &FIRST.replace("= 1)", &format!("= {at})")))).collect();
        let log = "audit_log WHERE tenant_id = '53' AND id IN (SELECT entry_id FROM kept_held)";
        let waiting = "audit_unsealed WHERE tenant_id = '53' AND entry_id IN (SELECT entry_id FROM kept_held)";
        raw.run(&format!(
            "CREATE TABLE kept_held AS SELECT * FROM audit_held WHERE tenant_id = '53'; \
             CREATE TABLE kept_log AS SELECT * FROM {log}; CREATE TABLE kept_unsealed AS SELECT * FROM {waiting}"
        )).unwrap();
        let of_log = format!("DELETE FROM audit_log WHERE tenant_id = '53' AND id = {FIRST}");
        let of_queue = format!("DELETE FROM audit_unsealed WHERE tenant_id = '53' AND entry_id = {FIRST}");
        let of_list = "DELETE FROM audit_held WHERE tenant_id = '53' AND position = 1";
        let set = |what: &str| format!("UPDATE audit_log SET {what} WHERE tenant_id = '53' AND id = {FIRST}");
        let row = |kind: &str| (kind.to_owned(), None, Some(first.clone()));
        let said = || ("holds_rewritten".to_owned(), signed, None);
        let unlisted = |id: &String| ("held_unlisted".to_owned(), None, Some(id.clone()));
        let cases: Vec<(&str, String, Told)> = vec![
            // Before the commitment nothing told of this one.
            ("deleted from log and queue", format!("{of_log}; {of_queue}"), vec![row("held_deleted")]),
            ("deleted from the log", of_log.clone(), vec![row("held_deleted")]),
            ("taken from the queue", of_queue.clone(), vec![row("held_deleted")]),
            ("edited", set("reason = '改'"), vec![row("held_edited")]),
            ("its facts", set("after_digest = before_digest"), vec![row("held_edited")]),
            ("its salt", set("salt = 'ff'"), vec![row("held_edited")]),
            ("deleted with its place in the list", format!("{of_log}; {of_queue}; {of_list}"), vec![said()]),
            ("its place in the list", of_list.to_owned(), vec![said(), unlisted(&first)]),
            (
                "the list",
                "DELETE FROM audit_held WHERE tenant_id = '53'".to_owned(),
                [vec![said()], all.iter().map(unlisted).collect()].concat(),
            ),
            (
                "a commitment in the list",
                "UPDATE audit_held SET commitment = (SELECT commitment FROM kept_held WHERE position = 2) \
                 WHERE tenant_id = '53' AND position = 1".to_owned(),
                vec![said(), row("held_edited")],
            ),
        ];
        for (what, sql, wanted) in cases {
            raw.run(&sql).unwrap();
            assert_eq!(faults(world), wanted, "{what}");
            raw.run(&format!(
                "DELETE FROM {log}; INSERT INTO audit_log SELECT * FROM kept_log; \
                 DELETE FROM {waiting}; INSERT INTO audit_unsealed SELECT * FROM kept_unsealed; \
                 DELETE FROM audit_held WHERE tenant_id = '53'; INSERT INTO audit_held SELECT * FROM kept_held"
            )).unwrap();
            assert_eq!(faults(world), [], "after {what}");
        }
    }

    fn what_is_told_later_or_never_stays_whole(world) {
        let kit = Kit::of(world, "5301");
        let mut raw = Raw::owner(world, "53");
        let untold = "audit_held h WHERE NOT EXISTS (SELECT 1 FROM audit_chain c WHERE c.tenant_id = h.tenant_id AND c.entry_id = h.entry_id)";
        // Photos hold back their rows by themselves, until the check does whose record names them.
        let (released, record) = (kit.begin("covert"), kit.record());
        sign(world, "53");
        assert_eq!((faults(world), count(&mut raw, "audit_held")), (vec![], 4));
        // Nor does an auditor who knows its id read a row that is held back.
        let begun = format!("/audit-log/{}", id_of(world, &mut raw, FIRST));
        world.as_(AUDITOR).get(&begun).expect(404, "not_found");
        let recorded = world.as_("53-inspector").post(&format!("/unannounced-checks/{released}/record"), &record);
        assert!(recorded.status < 300, "{}", recorded.story());
        sign(world, "53");
        assert_eq!(faults(world), []);
        let voided = kit.taken("covert", &["record", "void"]);
        sign(world, "53");
        assert_eq!(faults(world), []);
        let before = count(&mut raw, untold);
        assert_eq!(before, count(&mut raw, "audit_held"), "nothing is told yet");
        for action in ["confirm", "release"] {
            assert!(kit.act(&released, action).status < 300, "{action}");
        }
        sign(world, "53");
        let told = verdict(world);
        assert_eq!((&told["whole"], &told["checkpoints"]), (&json!(true), &json!(4)), "{told}");
        let row = world.as_(AUDITOR).get(&begun).expect(200, "").json();
        assert_eq!((&row["entity_id"], &row["action"]), (&json!(released), &json!("unannounced_check.create")));
        // What is told stays in the list; what never is waits on.
        let left = count(&mut raw, untold);
        assert!(left > 0 && left < before, "{left} of {before}");
        world.as_("5301-unit-head").get(&format!("/unannounced-checks/{voided}")).expect(404, "not_found");
    }

    fn what_was_changed_before_it_was_told_is_told_for_ever(world) {
        let kit = Kit::of(world, "5301");
        let check = kit.taken("covert", &["record", "confirm"]);
        sign(world, "53");
        let mut raw = unguarded(world);
        let first = id_of(world, &mut raw, FIRST);
        raw.run(&format!("UPDATE audit_log SET reason = '改' WHERE tenant_id = '53' AND id = {FIRST}")).unwrap();
        kit.act(&check, "release").expect(200, "");
        sign(world, "53");
        // The chain has the row as it was written anew, and is whole.
        assert_eq!(faults(world), [("held_edited".to_owned(), None, Some(first))]);
    }

    fn a_checkpoint_looks_the_same_whether_anything_is_held_back_or_not(world) {
        let kit = Kit::of(world, "5301");
        let office = world.as_("53-group-office");
        world.as_("53-inspector").get("/auth/me").expect(200, "");
        world.as_(AUDITOR).get("/auth/me").expect(200, "");
        let mut raw = Raw::owner(world, "53");
        sign(world, "53");
        let without = newest(world);
        assert_eq!(count(&mut raw, "audit_held"), 0);
        kit.begin("covert");
        kit.photo();
        sign(world, "53");
        assert_eq!(newest(world), without, "nothing is signed for it");
        assert_eq!(count(&mut raw, "audit_held"), 2);
        let grown = || {
            office.post("/campaigns", &story::campaign_body(world, "53")).expect(201, "");
            sign(world, "53");
            newest(world)
        };
        let (with, again) = (grown(), grown());
        // How many rows the chain has is told; of the rest, only what is written in a given length.
        let shape = |note: &str| -> Vec<(String, usize)> {
            let word = |line: &str| line.split_once(' ').map(|(word, _)| word.to_owned()).unwrap_or_default();
            let lines = note.lines().enumerate().filter(|(at, _)| *at != 1);
            lines.map(|(_, line)| (word(line), line.len())).collect()
        };
        assert_eq!(shape(&with), shape(&without));
        assert_eq!(line(&with).len(), "holds ".len() + 64 + " ".len() + 16);
        // The same rows are never committed to in the same words: that nothing has changed is not told either.
        assert_ne!(line(&with), line(&again));
    }

    fn a_checkpoint_of_before_the_commitment_is_as_good_as_ever(world) {
        Kit::of(world, "5301").begin("covert");
        world.advance(700);
        story::campaign(world, "53");
        sign(world, "53");
        let note = newest(world);
        let signer = service::signer(world.doors().keys()).unwrap();
        let verifier: Verifier = signer.verifier("pingyi/53");
        let old = signer.sign(&Checkpoint { holds: None, ..verifier.open(&note).unwrap() });
        // As a database is that has just learnt of the list: what was held back long before waits to be entered.
        unguarded(world)
            .run(&format!(
                "UPDATE audit_checkpoints SET note = '{old}' WHERE tenant_id = '53'; \
                 DELETE FROM audit_held; UPDATE audit_heads SET held = 0, held_roots = '' WHERE tenant_id = '53'; \
                 UPDATE audit_unsealed SET uncommitted = TRUE WHERE held_by IS NOT NULL"
            ))
            .unwrap();
        let told = verdict(world);
        assert_eq!((&told["whole"], &told["checkpoints"]), (&json!(true), &json!(1)), "{told}");
        // The next has it.
        sign(world, "53");
        line(&newest(world));
        assert_eq!(faults(world), []);
    }

    fn a_checkpoint_kept_elsewhere_tells_when_the_database_says_nothing(world) {
        Kit::of(world, "5301").taken("covert", &["record"]);
        sign(world, "53");
        let kept = {
            world.as_(AUDITOR).get("/auth/me").expect(200, "");
            newest(world)
        };
        assert_eq!(verified_with(world, &[&kept]), [""; 0]);
        // It needs nothing of the database to be opened.
        let mut raw = unguarded(world);
        raw.run("DELETE FROM audit_checkpoints WHERE tenant_id = '53'").unwrap();
        assert_eq!(verified_with(world, &[&kept]), [""; 0]);
        // The row, and all that says that it was there.
        raw.run(&format!(
            "DELETE FROM audit_log WHERE tenant_id = '53' AND id = {FIRST}; \
             DELETE FROM audit_unsealed WHERE tenant_id = '53' AND entry_id = {FIRST}; \
             DELETE FROM audit_held WHERE tenant_id = '53' AND position = 1"
        )).unwrap();
        assert_eq!(faults(world), [off()], "the head of the list tells");
        let mut list = Tree::default();
        for one in raw.texts("SELECT commitment AS text FROM audit_held WHERE tenant_id = '53' ORDER BY position") {
            list.push(&digest_from(&one).unwrap());
        }
        raw.run(&format!(
            "UPDATE audit_heads SET held = {}, held_roots = '{}' WHERE tenant_id = '53'",
            list.size(), list.roots()
        )).unwrap();
        assert_eq!(faults(world), [], "nothing in the database tells");
        assert_eq!(verified_with(world, &[&kept]), ["holds_rewritten"]);
    }

    fn a_list_that_is_kept_from_growing_is_told(world) {
        let kit = Kit::of(world, "5301");
        kit.begin("covert");
        sign(world, "53");
        let mut raw = Raw::owner(world, "53");
        let head = "SELECT held || ' ' || held_roots AS text FROM audit_heads WHERE tenant_id = '53'";
        let kept = raw.texts(head).remove(0);
        let (size, roots) = kept.split_once(' ').unwrap();
        let mut set = |size: &str, roots: &str| {
            raw.run(&format!("UPDATE audit_heads SET held = {size}, held_roots = '{roots}' WHERE tenant_id = '53'")).unwrap();
        };
        // Another list, one of more rows, one that cannot be.
        for (size, roots) in [("0", String::new()), (size, "00".repeat(32)), ("2", "00".repeat(32)), ("3", String::new())] {
            set(size, &roots);
            assert_eq!(faults(world), [off()], "{size} {roots}");
        }
        // It begins anew, where there are rows: no other is entered, and what is signed commits to none.
        set("0", "");
        kit.begin("covert");
        world.advance(601);
        story::campaign(world, "53");
        sign(world, "53");
        set(size, roots);
        let kinds: Vec<String> = faults(world).into_iter().map(|one| one.0).collect();
        assert_eq!(kinds, ["held_unlisted"], "it should have been entered long ago");
        sign(world, "53");
        assert_eq!(faults(world), []);
    }

    fn what_is_held_back_and_in_no_list_is_told(world) {
        let kit = Kit::of(world, "5301");
        sign(world, "53");
        kit.begin("covert");
        let mut raw = Raw::owner(world, "53");
        let mark = |raw: &mut Raw, as_what: &str| {
            raw.run(&format!("UPDATE audit_unsealed SET uncommitted = {as_what} WHERE held_by IS NOT NULL")).unwrap();
        };
        let only = id_of(world, &mut raw, "(SELECT entry_id FROM audit_unsealed WHERE held_by IS NOT NULL)");
        assert_eq!(faults(world), [], "it waits to be entered");
        // Somebody says that it was, before it is.
        mark(&mut raw, "FALSE");
        sign(world, "53");
        assert_eq!(count(&mut raw, "audit_held"), 0);
        assert_eq!(faults(world), [("held_unlisted".to_owned(), None, Some(only))]);
        mark(&mut raw, "TRUE");
        sign(world, "53");
        assert_eq!((faults(world), count(&mut raw, "audit_held")), (vec![], 1));
        // Nor does anybody keep others out of the list by saying that one of it is not there.
        mark(&mut raw, "TRUE");
        kit.photo();
        sign(world, "53");
        assert_eq!((faults(world), count(&mut raw, "audit_held")), (vec![], 2));
        let left = count(&mut raw, "audit_unsealed WHERE uncommitted");
        assert_eq!(left, 0, "each was seen to");
    }

    fn what_is_held_back_for_nothing_is_told_and_what_a_job_under_way_holds_back_is_not(world) {
        let admin = world.as_("53-system-admin");
        let table = "login,display_name,unit_code\nbulk-0001,王建国,530102\n";
        admin.call("POST", "/users/imports").bytes("text/csv", table).send().expect(202, "");
        sign(world, "53");
        story::campaign(world, "53");
        let mut raw = Raw::owner(world, "53");
        // Somebody keeps rows out of the chain that are everybody's to know.
        raw.run("UPDATE audit_unsealed SET held_by = entry_id WHERE tenant_id = '53'").unwrap();
        let held = "audit_unsealed WHERE tenant_id = '53' AND held_by IS NOT NULL";
        let kept_out = usize::try_from(count(&mut raw, held)).unwrap();
        sign(world, "53");
        let told = faults(world);
        assert!(kept_out > 0 && told.iter().all(|one| one.0 == "held_unlisted"), "{told:?}");
        assert_eq!(told.len(), kept_out);
        let job = "(SELECT id FROM jobs WHERE tenant_id = '53')";
        raw.run(&format!("UPDATE audit_unsealed SET held_by = {job} WHERE tenant_id = '53' AND held_by IS NOT NULL")).unwrap();
        assert_eq!(faults(world), [], "the job tells them when it ends");
        world.advance(31 * 86_400);
        story::campaign(world, "53");
        sign(world, "53");
        assert_eq!(faults(world).len(), kept_out, "none takes a month");
        // One that has ended holds nothing back.
        raw.run("UPDATE jobs SET cleared = TRUE WHERE tenant_id = '53'").unwrap();
        assert_eq!(faults(world).len(), kept_out);
    }

    fn what_opens_a_checkpoint_comes_with_the_key_that_signed_it(world) {
        Kit::of(world, "5301").taken("covert", &["record"]);
        sign(world, "53");
        let note = newest(world);
        let (mine, theirs) = (world.key_file(), other_keys());
        let told = service::verifier(world.doors().keys(), tenant()).unwrap();
        // The keys of tokens rotate; checkpoints are signed with one that does not.
        let mut rotated = mine.clone();
        rotated["signing_keys"] = json!([theirs["signing_keys"][0], mine["signing_keys"][0]]);
        let rotated = keys(&rotated);
        assert_eq!(service::verifier(&rotated, tenant()).unwrap(), told);
        assert_eq!(verified_by(world, &rotated, &told, &[&note]), [""; 0]);
        // The secret is another: what was signed before is as good as ever to whoever kept the key, and nobody opens it.
        let other = keys(&theirs);
        let own = service::verifier(&other, tenant()).unwrap();
        assert_ne!(own, told);
        assert_eq!(verified_by(world, &other, &told, &[&note]), ["holds_unopened"]);
        assert_eq!(verified_by(world, &other, &own, &[]), ["checkpoint_forged"]);
        // The key file is put back, from where it was kept.
        assert_eq!(verified_by(world, &keys(&mine), &told, &[&note]), [""; 0]);
    }

    fn a_list_begun_anew_has_what_still_waits_and_what_was_told_since_is_missed(world) {
        let kit = Kit::of(world, "5301");
        let check = kit.taken("covert", &["record", "confirm"]);
        sign(world, "53");
        let mut raw = Raw::owner(world, "53");
        let (held, note) = (count(&mut raw, "audit_held"), newest(world));
        let said = ("holds_rewritten".to_owned(), verdict(world)["signed"].as_u64(), None);
        down_and_up(world);
        assert_eq!(count(&mut raw, "audit_held"), 0);
        assert_eq!(faults(world), std::slice::from_ref(&said));
        // Nothing was told meanwhile: the list is what it was, and so is what was said of it.
        sign(world, "53");
        assert_eq!(count(&mut raw, "audit_held"), held);
        assert_eq!(faults(world), []);
        assert_eq!(verified_with(world, &[&note]), [""; 0]);
        kit.act(&check, "release").expect(200, "");
        sign(world, "53");
        assert_eq!(faults(world), []);
        down_and_up(world);
        // What is held back from here on is as well kept as ever, whatever was said before.
        for _ in 0..2 {
            kit.begin("covert");
            sign(world, "53");
        }
        assert_eq!(count(&mut raw, "audit_held"), 2);
        let told = verdict(world);
        assert_eq!(faults(world), [said]);
        let detail = told["faults"][0]["detail"].as_str().unwrap();
        assert!(detail.contains("3 checkpoints"), "the other two are found: {detail}");
    }
}
