//! Tables of officers and of accounts.

use serde_json::{Value, json};

use crate::support::client::Reply;
use crate::support::raw::Raw;
use crate::support::{World, both, people};

const ADMIN: &str = "53-system-admin";
const HEADING: &str = "警号,姓名,身份,警衔,单位代码,身份证号,电话,职位,职务,任职日期\n";

fn send(world: &World, who: &str, path: &str, table: impl Into<Vec<u8>>) -> Reply {
    world.as_(who).call("POST", path).bytes("text/csv", table).import()
}

fn officers(world: &World, rows: &str) -> Reply {
    send(world, ADMIN, "/officers/imports", format!("{HEADING}{rows}"))
}

/// Rows read, new, changed, unchanged.
fn counts(reply: &Reply) -> [u64; 4] {
    let report = reply.json();
    ["rows_read", "rows_new", "rows_changed", "rows_unchanged"]
        .map(|name| report[name].as_u64().unwrap_or_else(|| panic!("{}", reply.story())))
}

/// The errors of a refused table, as `line field code`.
fn refused(reply: Reply) -> Vec<String> {
    let body = reply.expect(422, "import_refused").json();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let errors = body["errors"].as_array().cloned().unwrap_or_default();
    let mut told: Vec<String> = errors
        .iter()
        .map(|error| format!("{} {} {}", error["line"], text(&error["field"]), text(&error["code"])))
        .collect();
    told.sort_unstable();
    told
}

fn count(world: &World, from: &str) -> String {
    Raw::owner(world, "53")
        .texts(&format!("SELECT CAST(count(*) AS TEXT) AS text FROM {from} tenant_id = '53'"))
        .remove(0)
}

both! {
    fn officers_come_as_a_table(world) {
        let rows = "053017,王建国,民警,二级警督,530102,11010519491231002X,13812345678,办案民警,办案民警,2025-06-01\n\
                    F000017,和志远,辅警,,530102001,,,,,\n";
        let before = count(world, "officers WHERE");
        let tried = send(world, ADMIN, "/officers/imports?dry_run=true", format!("{HEADING}{rows}")).expect(200, "");
        assert_eq!((counts(&tried), count(world, "officers WHERE")), ([2, 2, 0, 0], before));
        assert_eq!(counts(&officers(world, rows).expect(200, "")), [2, 2, 0, 0]);
        assert_eq!(counts(&officers(world, rows).expect(200, "")), [2, 0, 0, 2], "twice adds nothing");
        let admin = world.as_(ADMIN);
        let found = admin.get("/officers?number=053017").expect(200, "").json();
        let officer = &found["items"][0];
        assert_eq!((&officer["rank"], &officer["unit"]["code"], &officer["phone_masked"]), (&json!("supervisor_2"), &json!("530102"), &json!("138****5678")));
        let id = officer["id"].as_str().unwrap();
        let posts = admin.get(&format!("/officers/{id}/posts")).expect(200, "").json();
        assert_eq!((&posts["items"][0]["kind"], &posts["items"][0]["valid_from_on"]), (&json!("case_officer"), &json!("2025-06-01")));
        // Excel on a Chinese Windows writes GB18030; what is different changes, what is the same stays.
        let (moved, _, _) = encoding_rs::GB18030.encode("警号,姓名,身份,警衔,单位代码,身份证号,电话\n053017,王建国,民警,一级警督,5303,11010519491231002X,13812345678\n");
        let changed = send(world, ADMIN, "/officers/imports", moved.into_owned()).expect(200, "");
        assert_eq!((counts(&changed), &changed.json()["encoding"]), ([1, 0, 1, 0], &json!("gb18030")));
        let shown = admin.get(&format!("/officers/{id}")).expect(200, "").json();
        assert_eq!((&shown["unit"]["code"], &shown["rank"], &shown["version"]), (&json!("5303"), &json!("supervisor_1"), &json!(2)));
        // One audit row each, and one of the file; nothing personal in them.
        let rows = Raw::owner(world, "53").texts("SELECT entity || ' ' || CAST(count(*) AS TEXT) AS text FROM audit_log \
            WHERE action = 'officer.import' GROUP BY entity ORDER BY entity");
        assert_eq!(rows, ["job 7", "officer 3", "post 1"]);
    }

    fn every_wrong_row_is_told_and_nothing_is_written(world) {
        officers(world, "053017,王建国,民警,,530102,11010519491231002X,,,,\n").expect(200, "");
        // That somebody has tried is no change.
        let log = "audit_log WHERE entity <> 'job' AND";
        let before = (count(world, "officers WHERE"), count(world, "posts WHERE"), count(world, log));
        let rows = "053018,王建国,民警,,530102,,,,,\n\
                    053018,王建国,民警,,530102,,,,,\n\
                    053019,王建国,辅警,二级警督,530102,,,,,\n\
                    053020,王建国,民警,,500103,,,,,\n\
                    053021,王建国,民警,,999999,,,,,\n\
                    053022,王建国,民警,,530102,11010519491231002X,,,,\n\
                    053023,王建国,民警,,530102,110105194912310021,,,,\n\
                    053024,王建国,民警,,530102,,,主要负责人 (一把手),局长,2026-01-01\n\
                    053025,王建国,民警,,530302,,,head,局长,2026-01-01\n\
                    053026,王建国,民警,,530302,,,head,局长,2026-02-01\n\
                    053027,王建国,民警,,530302,,,head,,\n\
                    F00028,王建国,辅警,,530302,,,副职领导,副局长,2026-02-01\n\
                    05,王建国,民警,,530302,,,,,\n";
        let told = refused(officers(world, rows));
        let wanted = [
            "10 post_kind head_overlaps", "11 post_kind head_overlaps", "12 post_from_on required", "12 post_title required",
            "13 post_kind auxiliary_cannot_lead", "14 number too_short", "3 number not_unique", "4 rank not_allowed_value",
            "5 unit_code unknown_reference", "6 unit_code unknown_reference", "7 id_card id_card_taken", "8 id_card wrong_format",
            "9 post_kind head_overlaps",
        ];
        let missing: Vec<_> = wanted.iter().filter(|one| !told.iter().any(|told| told == *one)).collect();
        // Row 10 is right by itself: the first of two heads in the file.
        assert!(missing == [&"10 post_kind head_overlaps"], "not told: {missing:?}; told: {told:?}");
        assert_eq!((count(world, "officers WHERE"), count(world, "posts WHERE"), count(world, log)), before);
        // Kunming's administrator reaches Kunming's, and cannot tell what else there is.
        let far = format!("{HEADING}053030,王建国,民警,,530302,,,,,\n");
        assert_eq!(refused(send(world, "5301-system-admin", "/officers/imports", far)), ["2 unit_code unknown_reference"]);
        send(world, "53-group-office", "/officers/imports", HEADING).expect(403, "forbidden");
    }

    fn accounts_come_as_a_table_and_open_nothing_until_their_password_is_set(world) {
        officers(world, "053017,王建国,民警,,530102,,,,,\n").expect(200, "");
        let heading = "登录名,姓名,单位代码,警号\n";
        let rows = "wangjianguo,王建国,530102,053017\nsupervisor-1,特邀监督员,5301,\n";
        let import = |rows: &str| send(world, ADMIN, "/users/imports", format!("{heading}{rows}"));
        assert_eq!(counts(&import(rows).expect(200, "")), [2, 2, 0, 0]);
        assert_eq!(counts(&import(rows).expect(200, "")), [2, 0, 0, 2]);
        assert_eq!(counts(&import("wangjianguo,王建国同志,530102,053017\n").expect(200, "")), [1, 0, 1, 0]);
        let admin = world.as_(ADMIN);
        let user = admin.get("/users?q=wangjianguo").expect(200, "").json()["items"][0].clone();
        assert_eq!((&user["officer"]["number"], &user["must_change_password"]), (&json!("053017"), &json!(true)));
        let log_in = || world.anonymous().post("/auth/login", &json!({ "login": "wangjianguo", "password": people::PASSWORD }));
        log_in().expect(401, "login_failed");
        let path = format!("/users/{}/reset-password", user["id"].as_str().unwrap());
        admin.post(&path, &json!({ "password": people::PASSWORD })).expect(200, "");
        log_in().expect(200, "");
        let told = refused(import(
            "53-liaison,联络员,500103,\n50-liaison,联络员,5301,\nnewcomer,新人,5301,999999\nsecond,新人,530102,053017\nUPPER,新人,5301,\n",
        ));
        assert_eq!(told[..2], ["2 unit_code unknown_reference", "3 login login_taken"]);
        assert_eq!(told[2..4], ["4 officer_number unknown_reference", "5 officer_number officer_has_account"]);
        assert!(told[4].starts_with("6 login "), "{told:?}");
    }
}
