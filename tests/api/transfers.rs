//! Officers who go to another unit, or leave: they carry the old unit's assignments no more, and owe for
//! them today still, from tomorrow nothing.

use serde_json::json;

use crate::clearing::{DAY, assignment, begun, calendar, enter, name, summary};
use crate::support::raw::Raw;
use crate::support::{World, both};

const ADMIN: &str = "53-system-admin";

/// The numbers of those who carry a unit's assignment, and its version.
fn carried(world: &World, task: &str, code: &str) -> (Vec<String>, i64) {
    let one = assignment(world, task, code);
    let persons = one["persons"].as_array().unwrap();
    let numbers = persons.iter().map(|person| person["number"].as_str().unwrap().to_owned()).collect();
    (numbers, one["version"].as_i64().unwrap())
}

fn transfer(world: &World, login: &str, code: &str) {
    let body = json!({ "unit_id": world.unit(code) });
    world.as_(ADMIN).patch(&format!("/officers/{}", world.officer(login)), "*", &body).expect(200, "");
}

/// How often the log tells that persons followed their officers.
fn followed(world: &World) -> usize {
    let sql = "SELECT action AS text FROM audit_log WHERE action = 'assignment_persons.follow_officer'";
    Raw::owner(world, "53").texts(sql).len()
}

/// Of a day: owed, and open.
fn owed(world: &World, day: i64) -> [i64; 2] {
    let [owed, _, _, open] = summary(world, "53-group-office", day).0;
    [owed, open]
}

both! {
    fn who_goes_to_another_unit_carries_nothing_for_the_old_one(world) {
        calendar(world, &[true, true, true, true]);
        let task = begun(world);
        // The city's is carried by its head and by the county's.
        name(world, &task, "5301", &["5301-unit-head", "530102-unit-head"]);
        world.advance(DAY);
        let version = carried(world, &task, "5301").1;
        assert_eq!(owed(world, 0), [2, 2]);
        // Within the city it is carried on; another name changes nothing.
        transfer(world, "530102-unit-head", "530102001");
        let path = format!("/officers/{}", world.officer("5301-unit-head"));
        world.as_(ADMIN).patch(&path, "*", &json!({ "phone": "13812345678" })).expect(200, "");
        assert_eq!((carried(world, &task, "5301"), followed(world)), ((vec!["T5301000".into(), "T530102000".into()], version), 0));
        // Away from it, not: what shows who carries it is another version.
        transfer(world, "530102-unit-head", "530302");
        assert_eq!((carried(world, &task, "5301"), followed(world)), ((vec!["T5301000".into()], version + 1), 1));
        assert_eq!(owed(world, 0), [2, 2], "today is still owed");
        enter(world, "530102-unit-head", &task, 0, None).expect(201, "");
        world.advance(DAY);
        assert_eq!((owed(world, -1), owed(world, 0)), ([2, 1], [1, 1]));
        // The other county carries the officer's name to nothing of the old city any more.
        let refused = crate::clearing::try_name(world, &task, "5301", &["5301-unit-head", "530102-unit-head"]).expect(422, "invalid_body");
        assert_eq!(refused.errors(), [("/officer_ids/1".to_owned(), "unknown_reference".to_owned())]);
        // Done and taken back, it is owed by those who carry it now.
        crate::tasks::complete(world, "5301-liaison", &task, "5301").expect(200, "");
        crate::tasks::reopen(world, "53-group-office", &task, "5301").expect(200, "");
        world.advance(DAY);
        assert_eq!(owed(world, 0), [1, 1]);
        crate::tasks_history::holds(world);
    }

    fn an_import_and_a_departure_take_off_as_well(world) {
        calendar(world, &[true, true, true]);
        let task = begun(world);
        name(world, &task, "530102", &["530102-unit-head"]);
        name(world, &task, "5301", &["5301-unit-head"]);
        world.advance(DAY);
        assert_eq!(owed(world, 0), [2, 2]);
        let shown = world.as_(ADMIN).get(&format!("/officers/{}", world.officer("530102-unit-head"))).expect(200, "").json();
        let table = format!("警号,姓名,身份,单位代码,职位,职务,任职日期\n{},{},民警,5303,,,\n", shown["number"].as_str().unwrap(), shown["name"].as_str().unwrap());
        let import = |dry: bool| world.as_(ADMIN).call("POST", &format!("/officers/imports?dry_run={dry}")).bytes("text/csv", table.clone()).import();
        import(true).expect(200, "");
        assert_eq!((carried(world, &task, "530102").0.len(), followed(world)), (1, 0));
        assert_eq!(import(false).expect(200, "").json()["rows_changed"], 1);
        assert_eq!((carried(world, &task, "530102").0.len(), followed(world)), (0, 1));
        let leave = json!({ "reason": "退休。" });
        world.as_(ADMIN).post(&format!("/officers/{}/leave", world.officer("5301-unit-head")), &leave).expect(200, "");
        assert_eq!((carried(world, &task, "5301").0.len(), followed(world)), (0, 2));
        assert_eq!(owed(world, 0), [2, 2]);
        world.advance(DAY);
        assert_eq!((owed(world, -1), owed(world, 0)), ([2, 2], [0, 0]));
        // What is taken back later is owed by nobody who has gone.
        crate::tasks::complete(world, "5301-liaison", &task, "5301").expect(200, "");
        crate::tasks::reopen(world, "53-group-office", &task, "5301").expect(200, "");
        world.advance(DAY);
        assert_eq!(owed(world, 0), [0, 0]);
    }

    fn who_moves_with_a_unit_leaves_the_assignments_above_it_behind(world) {
        calendar(world, &[true, true]);
        let task = begun(world);
        name(world, &task, "5301", &["5301-unit-head", "530102-unit-head"]);
        // The county goes to Qujing, with its own assignment; its head carries Kunming's no more.
        let body = json!({ "parent_id": world.unit("5303"), "reason": "区划调整。" });
        world.as_(ADMIN).post(&format!("/units/{}/move", world.unit("530102")), &body).expect(200, "");
        assert_eq!((carried(world, &task, "5301").0, followed(world)), (vec!["T5301000".to_owned()], 1));
        // Kunming ends in favour of Qujing: its assignment goes there with those who carry it.
        let merge = json!({ "into_id": world.unit("5303"), "reason": "两局合并。" });
        world.as_(ADMIN).post(&format!("/units/{}/merge", world.unit("5301")), &merge).expect(200, "");
        assert_eq!((carried(world, &task, "5303").0, followed(world)), (vec!["T5301000".to_owned()], 1));
        crate::tasks_history::holds(world);
    }
}
