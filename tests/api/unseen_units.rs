//! A table of units is entered in short steps, each unit after the one it stands under; nobody sees any of them before all of
//! them are there, nobody pulls the tree from under them, and what is given up is gone.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::support::imports::{work_off, work_steps, work_until};
use crate::support::raw::Raw;
use crate::support::{World, both, story};
use crate::tasks::{launched, units};

const ADMIN: &str = "53-system-admin";
const STATIONS: usize = 1200;

/// A city with its counties, each with stations, the deepest first; and a unit that is there by another name.
fn table() -> String {
    let mut rows = String::from("code,name,kind,parent_code,effective_on,reason\n");
    for at in (0..STATIONS).rev() {
        let county = 539_901 + at % 9;
        writeln!(rows, "{county}{at:04},第{at}派出所,station,{county},2026-02-01,批复").unwrap();
    }
    for county in 539_901..539_910 {
        writeln!(rows, "{county},第{county}分局,county,5399,2026-01-10,").unwrap();
    }
    rows + "5399,新设市公安局,city,53,2026-01-05,省厅批复\n530302,麒麟公安分局,county,5303,,更名\n53,云南省公安厅,province,,,\n"
}

fn take_on(world: &World, rows: impl Into<Vec<u8>>) -> String {
    let reply =
        world.as_(ADMIN).call("POST", "/units/imports").bytes("text/csv", rows).send().expect(202, "");
    reply.header("location").unwrap().to_owned()
}

fn job(world: &World, path: &str) -> Value {
    world.as_(ADMIN).get(path).expect(200, "").json()
}

fn count(world: &World, from: &str) -> usize {
    let sql = format!("SELECT CAST(count(*) AS TEXT) AS text FROM {from}");
    Raw::owner(world, "53").texts(&sql)[0].parse().unwrap()
}

fn entered(world: &World) -> usize {
    count(world, "units WHERE batch_id IS NOT NULL")
}

/// Leaves a job where some of its units have been entered, and not all.
fn half_done(world: &World, rows: impl Into<Vec<u8>>) -> String {
    let path = take_on(world, rows);
    let mut raw = Raw::owner(world, "53");
    let sql = "SELECT code AS text FROM units WHERE batch_id IS NOT NULL LIMIT 1";
    // Killed once on the way to the first of them.
    work_steps(world, 3);
    work_until(world, || !raw.texts(sql).is_empty());
    assert_eq!(job(world, &path)["problem"], Value::Null);
    assert!((1..STATIONS).contains(&entered(world)), "it was over before anybody could look");
    path
}

/// The units that anybody sees, by whatever way.
fn seen(world: &World) -> Vec<Value> {
    let admin = world.as_(ADMIN);
    let total = |path: &str| admin.get(path).expect(200, "").json()["total"].clone();
    let root = world.unit("53");
    vec![
        total("/units?count=exact&limit=1"),
        total("/units?count=exact&limit=1&code=5399"),
        total("/units?count=exact&limit=1&q=%E6%96%B0%E8%AE%BE%E5%B8%82"),
        total(&format!("/units?count=exact&limit=1&unit_id={root}&kind=city")),
        total(&format!("/units/{root}/subtree?count=exact&limit=1")),
        total(&format!("/units?count=exact&limit=1&as_of={}", world.day(0))),
    ]
}

both! {
    fn a_tree_grows_unseen_and_is_there_all_at_once(world) {
        let task = story::task(world, "接处警回访", &units(world, &[("53", "subtree", Some("city"))]), 10);
        let (campaign, _) = launched(world, &[task]);
        let matrix = || {
            let view = world.as_("53-group-office").get(&format!("/campaigns/{campaign}/plans")).expect(200, "").json();
            view["branches"].as_array().unwrap().len()
        };
        let (before, cities) = (seen(world), matrix());
        let log = count(world, "audit_log WHERE entity = 'unit'");
        let path = half_done(world, table());
        assert_eq!((seen(world), matrix()), (before.clone(), cities));
        // The first was the city: nothing stands where nothing is.
        assert_eq!(count(world, "units WHERE batch_id IS NOT NULL AND code = '5399'"), 1);
        let orphans = "units AS u LEFT JOIN units AS p ON p.tenant_id = u.tenant_id AND p.id = u.parent_id WHERE p.id IS NULL AND u.code <> '53' AND u.tenant_id = '53'";
        assert_eq!(count(world, orphans), 0);
        assert_eq!(count(world, "audit_log WHERE entity = 'unit'"), log);
        // Who goes on is somebody else each time, and is killed each time.
        let mut rounds = 0;
        while job(world, &path)["state"] != "done" {
            rounds += 1;
            assert!(rounds < 50, "{}", job(world, &path));
            if rounds < 40 {
                work_steps(world, 1 + rounds % 3);
                if job(world, &path)["state"] != "done" {
                    assert_eq!((seen(world), matrix()), (before.clone(), cities));
                }
            } else {
                work_off(world);
            }
        }
        work_off(world);
        let view = job(world, &path);
        let told = ["rows_read", "rows_new", "rows_changed", "rows_unchanged", "rows_refused"].map(|name| view[name].as_u64().unwrap());
        assert_eq!(told, [STATIONS as u64 + 12, STATIONS as u64 + 10, 1, 1, 0], "{view}");
        assert_eq!(entered(world), STATIONS + 10);
        let more = |at: usize, by: usize| json!(before[at].as_u64().unwrap() + by as u64);
        let all = STATIONS + 10;
        assert_eq!(seen(world), [more(0, all), json!(1), json!(1), more(3, 1), more(4, all), more(5, all)]);
        assert_eq!(matrix(), cities + 1, "what was remembered of the matrix holds no more");
        assert_eq!(count(world, "audit_log WHERE entity = 'unit'"), log + all + 1, "a row each, no more");
        assert_eq!(count(world, "unit_periods WHERE change = 'created' AND valid_from_on = '2026-02-01' AND reason = '批复'"), STATIONS);
        assert_eq!(["job_pieces", "job_claims", "job_rows", "open_batches"].map(|table| count(world, table)), [0; 4]);
        assert_eq!(count(world, "audit_unsealed WHERE held_by IS NOT NULL"), 0);
        // The same again changes nothing.
        let again = world.as_(ADMIN).call("POST", "/units/imports").bytes("text/csv", table()).import().expect(200, "").json();
        assert_eq!((&again["rows_new"], &again["rows_changed"], &again["rows_unchanged"]), (&json!(0), &json!(0), &json!(STATIONS + 12)));
    }

    fn a_tree_that_is_given_up_is_gone(world) {
        let admin = || world.as_(ADMIN);
        let (before, log) = (seen(world), count(world, "audit_log WHERE entity = 'unit'"));
        let path = half_done(world, table());
        admin().post(&format!("{path}/cancel"), &json!({})).expect(200, "");
        // Killed while it is taken back as well.
        for _ in 0..3 {
            work_steps(world, 1);
        }
        work_off(world);
        assert_eq!(job(world, &path)["state"], "cancelled");
        assert_eq!((entered(world), seen(world)), (0, before.clone()));
        assert_eq!(count(world, "audit_log WHERE entity = 'unit'"), log);
        assert_eq!(count(world, "unit_periods WHERE reason = '批复'"), 0);
        // Nor does anything stay of one whose right has ended.
        let path = half_done(world, table());
        Raw::owner(world, "53").run("UPDATE role_bindings SET revoked_at = created_at WHERE role = 'system_admin' AND unit_path = '53/'").unwrap();
        work_off(world);
        let sql = format!("SELECT state AS text FROM jobs WHERE state <> 'cancelled' AND problem LIKE '%forbidden%' AND kind = 'unit_import' AND tenant_id = '{}'", &"53");
        assert_eq!(Raw::owner(world, "53").texts(&sql), ["failed"], "{path}");
        assert_eq!(entered(world), 0);
    }

    fn nobody_pulls_the_tree_from_under_it_and_what_it_brings_is_taken(world) {
        let admin = || world.as_(ADMIN);
        // Below a county that is there, so that it may be moved.
        let mut rows = String::from("code,name,kind,parent_code\n");
        for at in 0..STATIONS {
            writeln!(rows, "5303029{at:04},第{at}派出所,station,530302").unwrap();
        }
        let path = half_done(world, rows.clone());
        let (county, city, other) = (world.unit("530302"), world.unit("5303"), world.unit("5301"));
        let reason = |name: &str, to: &str| json!({ name: world.unit(to), "reason": "区划调整。" });
        for (path, body) in [
            (format!("/units/{county}/move"), reason("parent_id", "5301")),
            (format!("/units/{county}/merge"), reason("into_id", "530102")),
            (format!("/units/{city}/merge"), reason("into_id", "5301")),
            (format!("/units/{county}/deactivate"), json!({ "reason": "撤销。" })),
        ] {
            admin().post(&path, &body).expect(409, "import_under_way");
        }
        // What is elsewhere is free to go, the county to get another name.
        let version = admin().get(&format!("/units/{county}")).expect(200, "");
        admin().patch(&format!("/units/{county}"), &version.etag(), &json!({ "name": "麒麟分局" })).expect(200, "");
        let station = |code: &str| json!({ "code": code, "name": "某派出所", "kind": "station", "parent_id": county });
        let taken = Raw::owner(world, "53").texts("SELECT code AS text FROM units WHERE batch_id IS NOT NULL ORDER BY code LIMIT 1");
        admin().post("/units", &station(&taken[0])).expect(409, "unit_code_taken");
        // A second table of the same waits its turn or is refused, and the first is none the worse.
        let second = take_on(world, rows);
        let ahead = admin().post("/units", &station("53030299999")).expect(201, "");
        work_off(world);
        assert_eq!(job(world, &path)["state"], "done");
        assert!(["done", "refused"].contains(&job(world, &second)["state"].as_str().unwrap()));
        assert_eq!(entered(world), STATIONS);
        assert_eq!(admin().get(&format!("/units/{}", ahead.id())).expect(200, "").json()["parent_id"], json!(county));
        admin().post(&format!("/units/{county}/move"), &json!({ "parent_id": other, "reason": "区划调整。" })).expect(200, "");
        assert_eq!(count(world, "units WHERE path LIKE '53/5301/530302/%' AND batch_id IS NOT NULL"), STATIONS);
    }

    fn what_is_entered_by_others_meanwhile_turns_it_back(world) {
        let admin = || world.as_(ADMIN);
        let mut rows = String::from("code,name,kind,parent_code\n");
        for at in 0..STATIONS {
            writeln!(rows, "5303029{at:04},第{at}派出所,station,530302").unwrap();
        }
        let path = half_done(world, rows);
        // The last of them is a station of another county by now.
        let code = format!("5303029{:04}", STATIONS - 1);
        let body = json!({ "code": code, "name": "某派出所", "kind": "station", "parent_id": world.unit("530102") });
        admin().post("/units", &body).expect(201, "");
        work_off(world);
        let view = job(world, &path);
        assert_eq!((&view["state"], &view["problem"]["code"], &view["rows_new"]), (&json!("refused"), &json!("import_refused"), &json!(0)));
        let why = admin().get(&format!("{path}/refusals")).expect(200, "").json();
        assert_eq!((&why["items"][0]["line"], &why["items"][0]["code"]), (&json!(STATIONS + 1), &json!("not_by_import")));
        assert_eq!(entered(world), 0);
    }
}
