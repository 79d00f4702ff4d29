//! Tables of units: the trees of all provinces, and every way in which a file can be wrong.

use std::collections::BTreeMap;

use encoding_rs::GB18030;
use pingyi::access::accounts::bindings::service::bind;
use pingyi::access::accounts::service::{NewAccount, enter_user};
use pingyi::access::{Role, command_line, password};
use pingyi::db::TenantId;
use pingyi::org::rules::UnitKind;
use pingyi::org::service::{Entered, found_province};
use serde_json::{Value, json};

use crate::support::client::Reply;
use crate::support::raw::Raw;
use crate::support::{World, both, people};
use crate::trees;
use crate::workbooks::{Cell, sheet, workbook};

const ADMIN: &str = "53-system-admin";
const CSV: &str = "text/csv";
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const NDJSON: &str = "application/x-ndjson";
const HEADING: &str = "code,name,kind,parent_code,effective_on,reason\n";

fn send(world: &World, who: &str, query: &str, media: &str, bytes: impl Into<Vec<u8>>) -> Reply {
    world.as_(who).call("POST", &format!("/units/imports{query}")).bytes(media, bytes).import()
}

fn import(world: &World, rows: &str) -> Reply {
    send(world, ADMIN, "", CSV, format!("{HEADING}{rows}"))
}

/// Rows read, new, changed, unchanged.
fn counts(reply: &Reply) -> [u64; 4] {
    let report = reply.json();
    assert_eq!(report["rows_refused"], 0, "{}", reply.story());
    ["rows_read", "rows_new", "rows_changed", "rows_unchanged"].map(|name| report[name].as_u64().unwrap())
}

/// The errors of a refused table, as `line field code`.
fn told(reply: &Reply) -> Vec<String> {
    let body = reply.json();
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let errors = body["errors"].as_array().cloned().unwrap_or_default();
    errors
        .iter()
        .map(|error| format!("{} {} {}", error["line"], text(&error["field"]), text(&error["code"])))
        .collect()
}

fn refused(reply: Reply) -> Vec<String> {
    told(&reply.expect(422, "import_refused"))
}

/// Everything an import might leave: units, periods, audit rows of changes.
fn traces(world: &World, tenant: &str) -> Vec<String> {
    let table =
        |name: &str| format!("SELECT '{name} ' || count(*) AS text FROM {name} WHERE tenant_id = '{tenant}'");
    // That somebody has tried is no change.
    let log = "audit_log WHERE entity <> 'job' AND";
    let sql = ["units", "unit_periods", "idempotency_keys"].map(table).join(" UNION ALL ");
    let sql =
        format!("{sql} UNION ALL SELECT 'audit_log ' || count(*) AS text FROM {log} tenant_id = '{tenant}'");
    let mut found = Raw::owner(world, tenant).texts(&sql);
    found.sort_unstable();
    found
}

/// A province with nothing but its root and a system administrator.
fn found(world: &World, code: &str) {
    let tenant = TenantId::parse(code).unwrap();
    let (login, name) = (format!("{code}-system-admin"), trees::root_name(code));
    let hash = password::hash_now(people::PASSWORD).unwrap();
    let code = code.to_owned();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let doors = world.doors().clone();
    let founded = command_line(&doors, tenant, "tests", move |tx| {
        let root = Entered { code, name: name.clone(), kind: UnitKind::Province, parent: None };
        let units = found_province(tx, &name, &[root])?;
        let account = NewAccount {
            officer: None,
            login: &login,
            display_name: "管理员",
            unit: units.first(),
            password_hash: &hash,
            must_change_password: false,
        };
        let user = enter_user(tx, account)?;
        bind(tx, user, Role::SystemAdmin, units.first())
    });
    runtime.block_on(founded).unwrap();
}

/// How many units of each kind stand at each depth.
fn standing(world: &World, tenant: &str) -> BTreeMap<(String, usize), usize> {
    let sql = format!(
        "SELECT kind || ' ' || (length(path) - length(replace(path, '/', '')) - 1) || ' ' || count(*) AS text FROM units \
         WHERE tenant_id = '{tenant}' AND kind IN ('province', 'city', 'county', 'station') \
         GROUP BY kind, length(path) - length(replace(path, '/', ''))"
    );
    let rows = Raw::owner(world, tenant).texts(&sql);
    rows.iter()
        .map(|row| {
            let [kind, depth, count] = row.split(' ').collect::<Vec<_>>().try_into().unwrap();
            ((kind.to_owned(), depth.parse().unwrap()), count.parse().unwrap())
        })
        .collect()
}

/// The same rows in one form or another.
fn form(turn: usize, rows: &[trees::Row]) -> (&'static str, Vec<u8>, &'static str) {
    let english = ["code", "name", "kind", "parent_code"];
    let chinese = ["代码", "名称", "种类", "上级代码"];
    match turn % 5 {
        0 => (CSV, trees::csv(english, ",", rows).into(), "utf-8"),
        1 => (CSV, GB18030.encode(&trees::csv(chinese, ",", rows)).0.into_owned(), "gb18030"),
        2 => (NDJSON, trees::ndjson(rows).into(), "utf-8"),
        3 => (CSV, format!("\u{feff}{}", trees::csv(chinese, "\t", rows)).into(), "utf-8"),
        _ => {
            let mut cells = vec![chinese.map(Cell::Text).to_vec()];
            for [code, name, kind, parent] in rows {
                let above = if parent.is_empty() { Cell::Blank } else { Cell::Number(parent) };
                cells.push(vec![Cell::Number(code), Cell::Text(name), Cell::Text(kind), above]);
            }
            (XLSX, workbook(&[("Sheet1", sheet(&cells))], &[]), "")
        }
    }
}

both! {
    fn the_trees_of_all_provinces_are_imported(world) {
        let mut whole: BTreeMap<String, usize> = BTreeMap::new();
        for (turn, province) in trees::provinces().into_iter().enumerate() {
            let there = ["50", "53"].contains(&province);
            let admin = format!("{province}-system-admin");
            if !there {
                found(world, province);
            }
            let rows = trees::shuffled(trees::tree(province, &trees::root_name(province)));
            let (media, bytes, encoding) = form(turn, &rows);
            let reply = send(world, &admin, "", media, bytes.clone()).expect(200, "");
            let [read, new, changed, unchanged] = counts(&reply);
            let known = rows.iter().filter(|row| if there { world.cast.units.contains_key(&row[0]) } else { row[2] == "province" });
            assert_eq!([read, new + changed + unchanged], [rows.len() as u64; 2]);
            assert_eq!(changed + unchanged, known.count() as u64, "{province}");
            assert_eq!(reply.json()["encoding"].as_str().unwrap_or_default(), encoding);
            let standing = standing(world, province);
            assert_eq!(standing, trees::expected(province), "{province}");
            for ((kind, _), count) in standing {
                *whole.entry(kind).or_default() += count;
            }
            // Again the same: nothing new, no row of the audit log.
            if turn < 5 {
                let before = traces(world, province);
                let again = send(world, &admin, "", media, bytes).expect(200, "");
                assert_eq!(counts(&again), [read, 0, 0, read]);
                assert_eq!(traces(world, province), before);
            }
        }
        let told = |kind: &str| whole[kind];
        assert_eq!([told("province"), told("city"), told("county"), told("station")], [31, 342 - PSEUDO_CITIES, 2978 - 4, 41_352]);
        // Stations under a city without counties, under a county of the province itself.
        for (province, code, path) in [
            ("44", "441900003", "44/4419/441900003/"),
            ("42", "429021100", "42/429021/429021100/"),
            ("50", "500103001", "50/500103/500103001/"),
            ("53", "530102001", "53/5301/530102/530102001/"),
        ] {
            let sql = format!("SELECT path AS text FROM units WHERE tenant_id = '{province}' AND code = '{code}'");
            assert_eq!(Raw::owner(world, province).texts(&sql), [path]);
        }
    }

    fn a_table_says_what_it_did(world) {
        let day = world.day(-3);
        let rows = format!(
            "530102,昆明市公安局五华分局,county,5301,,\n530102098,滇池派出所,派出所,5301021,,\n\
             5301021,昆明市公安局滇池分局,分局,5301,{day},省厅批复。\n530102001,华山西路派出所,station,530102,{day},规范名称。\n"
        );
        let admin = world.as_(ADMIN);
        let before = traces(world, "53");
        let trial = send(world, ADMIN, "?dry_run=true", CSV, format!("{HEADING}{rows}")).expect(200, "");
        assert_eq!((counts(&trial), &trial.json()["dry_run"]), ([4, 2, 1, 1], &json!(true)));
        assert_eq!(traces(world, "53"), before, "a trial leaves nothing");
        let reply = import(world, &rows).expect(200, "");
        let (mut one, mut other) = (trial.json(), reply.json());
        for name in ["id", "dry_run", "version", "created_at", "started_at", "ended_at"] {
            one[name].take();
            other[name].take();
        }
        assert_eq!(one, other, "a trial answers as the real thing");
        assert_eq!((&other["format"], &other["encoding"]), (&json!("csv"), &json!("utf-8")));
        assert_eq!(other["sha256"].as_str().unwrap().len(), 64);

        // One audit row a unit touched, and one when the job is taken on and when it ends.
        let id = reply.header("x-request-id").unwrap();
        let sql = format!("SELECT entity || ' ' || coalesce(reason, '-') AS text FROM audit_log WHERE request_id = '{id}'");
        let mut rows = Raw::owner(world, "53").texts(&sql);
        rows.sort_unstable();
        assert_eq!(rows, ["job -", "job -", "unit -", "unit 省厅批复。", "unit 规范名称。"]);

        // The new one is there from its day on, the renamed one was called otherwise before.
        let find = |code: &str, query: &str| admin.get(&format!("/units?code={code}{query}")).expect(200, "").json()["items"].clone();
        assert_eq!(find("5301021", &format!("&as_of={}", world.day(-4))), json!([]));
        let made = find("5301021", &format!("&as_of={day}"));
        assert_eq!((&made[0]["kind"], &made[0]["depth"]), (&json!("county"), &json!(2)));
        assert_eq!(find("530102098", "")[0]["depth"], 3);
        assert_eq!(find("530102001", "")[0]["name"], "华山西路派出所");
        assert_eq!(find("530102001", &format!("&as_of={}", world.day(-4)))[0]["name"], "华山派出所");
        assert_eq!(find("530102001", "")[0]["version"], 2);
    }

    fn every_error_of_every_row_is_told_at_once_and_nothing_is_written(world) {
        let admin = world.as_(ADMIN);
        let window = admin.get("/units?code=5303-W01").json()["items"][0]["id"].as_str().unwrap().to_owned();
        admin.post(&format!("/units/{window}/deactivate"), &json!({ "reason": "撤并。" })).expect(200, "");
        let (day, future) = (world.day(-2), world.day(1));
        admin.patch(&format!("/units/{}", world.unit("530302001")), "*", &json!({ "name": "南宁一所" })).expect(200, "");
        let before = traces(world, "53");
        let rows = format!(
            "530102098,好派出所,station,530102,,\n\
             530 102,,车站,530102,昨天,\n\
             530102097,未来派出所,station,530102,{future},\n\
             530102098,又一个,station,530102,,\n\
             530102096,某派出所,station,5399,,\n\
             530102095,某派出所,station,500103,,\n\
             5397,某市公安局,city,5301,,\n\
             530102,改属分局,county,5303,,\n\
             5303,某支队,department,53,,\n\
             5303-W01,曲靖市公安局服务窗口,service_window,5303,,\n\
             530301,甲局,county,530303,,\n\
             530303,乙局,county,530301,,\n\
             530302001,南宁二所,station,530302,{day},\n\
             530102094,某派出所,station,,,\n\
             54,某省公安厅,province,,,\n\
             530102093,某派出所,station,530102097,,\n\
             53-D09,某处,department,5303-W01,,\n\
             \n\
             53-D08,某处,department,53,,,,多出的格\n"
        );
        let reply = import(world, &rows);
        let mut wanted = vec![
            "3 code wrong_format", "3 effective_on wrong_format", "3 kind not_allowed_value", "3 name required",
            "4 effective_on in_the_future",
            "5 code not_unique",
            "6 parent_code unknown_reference",
            "7 parent_code unknown_reference",
            "8 kind wrong_kind",
            "9 parent_code not_by_import",
            "10 kind not_by_import",
            "11 code unit_deactivated",
            "12 kind wrong_kind", "12 parent_code circular_reference", "13 kind wrong_kind", "13 parent_code circular_reference",
            "14 effective_on out_of_order",
            "15 parent_code required",
            "16 parent_code required",
            "18 parent_code unit_deactivated",
            "20 - too_many",
        ];
        wanted.sort_unstable();
        let mut found = told(&reply);
        let lines: Vec<u64> = reply.json()["errors"].as_array().unwrap().iter().map(|error| error["line"].as_u64().unwrap()).collect();
        assert!(lines.is_sorted(), "in the order of the file: {}", reply.story());
        found.sort_unstable();
        assert_eq!(found, wanted, "{}", reply.story());
        let facts = reply.json()["facts"].clone();
        assert_eq!((&facts["rows_read"], &facts["rows_refused"]), (&json!(18), &json!(16)), "{facts}");
        assert_eq!(traces(world, "53"), before, "nothing of it is written");
        // A trial says the same, in English where asked.
        let trial = send(world, ADMIN, "?dry_run=true", CSV, format!("{HEADING}{rows}"));
        assert_eq!(refused(trial), told(&reply));
        let english = world.as_(ADMIN).call("POST", "/units/imports").bytes(CSV, format!("{HEADING}{rows}")).header("Accept-Language", "en").import();
        assert!(english.json()["errors"].as_array().unwrap().iter().all(|error| !error["detail"].as_str().unwrap().is_empty()));
        assert!(english.json()["detail"].as_str().unwrap().contains("nothing was imported"));
        // More errors than anybody reads are counted.
        let many: Vec<String> = (0..1500).map(|at| format!("x{at},甲,station,530102,,")).collect();
        let reply = import(world, &many.join("\n"));
        assert_eq!(told(&reply).len(), 1000);
        assert_eq!((&reply.json()["facts"]["errors_found"], &reply.json()["facts"]["errors_listed"]), (&json!(1500), &json!(1000)));
    }

    fn nobody_imports_beyond_their_reach(world) {
        let kunming = "5301-system-admin";
        let rows = "530102098,滇池派出所,station,530102,,\n530302098,麒麟派出所,station,530302,,\n530302001,南宁派出所,station,530302,,\n5301,昆明市公安局,city,53,,\n";
        let found = refused(send(world, kunming, "", CSV, format!("{HEADING}{rows}")));
        assert_eq!(found, ["3 parent_code unknown_reference", "4 code unit_code_taken"]);
        let rows = "530102098,滇池派出所,station,530102,,\n5301,昆明市公安局,city,53,,\n";
        let reply = send(world, kunming, "", CSV, format!("{HEADING}{rows}")).expect(200, "");
        assert_eq!(counts(&reply), [2, 1, 0, 1]);
        for login in ["53-group-office", "53-security-admin", "53-auditor", "platform-platform-operator"] {
            send(world, login, "", CSV, format!("{HEADING}{rows}")).expect(403, "forbidden");
        }
        send(world, "50-system-admin", "", CSV, format!("{HEADING}{rows}")).expect(422, "import_refused");
    }

    fn encodings_are_decided_and_what_is_cut_is_told_with_its_line(world) {
        let table = format!("{HEADING}530102098,滇池派出所,station,530102,,\n530102097,翠湖派出所,station,530102,,批复\n");
        let trial = |media: &str, bytes: Vec<u8>| send(world, ADMIN, "?dry_run=true", media, bytes);
        let gb = GB18030.encode(&table).0.into_owned();
        for (media, bytes, encoding) in [
            (CSV, table.clone().into_bytes(), "utf-8"),
            (CSV, format!("\u{feff}{table}").into_bytes(), "utf-8"),
            (CSV, gb.clone(), "gb18030"),
            ("text/csv; charset=gbk", gb.clone(), "gb18030"),
            ("text/csv; charset=\"UTF-8\"", table.clone().into_bytes(), "utf-8"),
        ] {
            let reply = trial(media, bytes).expect(200, "");
            assert_eq!((counts(&reply), &reply.json()["encoding"]), ([2, 2, 0, 0], &json!(encoding)));
        }
        let unreadable = |media: &str, bytes: Vec<u8>, words: &str| {
            let reply = trial(media, bytes).expect(400, "malformed_file");
            assert!(reply.json()["detail"].as_str().unwrap().contains(words), "{}", reply.story());
        };
        let utf16: Vec<u8> = "\u{feff}".encode_utf16().chain(table.encode_utf16()).flat_map(u16::to_le_bytes).collect();
        unreadable(CSV, utf16, "UTF-16");
        unreadable(CSV, table.as_bytes()[..=table.find("翠湖").unwrap()].to_vec(), "第 3 行含有无效的 UTF-8");
        unreadable(CSV, gb[..gb.len() - 2].to_vec(), "第 3 行含有无效的 GB18030");
        unreadable("text/csv; charset=utf-8", gb.clone(), "第 2 行含有无效的 UTF-8");
        unreadable(NDJSON, gb, "UTF-8");
        unreadable(CSV, format!("{HEADING}1,\"被截断的名").into(), "第 2 行的引号没有闭合");
        unreadable(CSV, Vec::new(), "空");
        unreadable(CSV, b" \n\n".to_vec(), "标题");
        trial("application/x-ndjson; charset=gbk", b"{}".to_vec()).expect(415, "unsupported_media_type");
        // A heading alone is a table of no rows.
        assert_eq!(counts(&trial(CSV, HEADING.into()).expect(200, "")), [0; 4]);
        // Cut between rows it says so where cells are missing.
        let cut = &table[..table.find("翠湖").unwrap() + "翠湖派出所".len()];
        assert_eq!(refused(trial(CSV, cut.to_owned().into())), ["3 kind required"]);
        // Quoted cells hold separators and line breaks, and lines keep their numbers.
        let quoted = format!("{HEADING}530102098,滇池派出所,station,530102,,\"一、\n二\"\nx,\"甲,乙\",station,530102,,\n");
        assert_eq!(refused(trial(CSV, quoted.into())), ["4 code wrong_format"]);
    }

    fn headings_are_names_or_titles_and_all_wrong_ones_are_told(world) {
        let trial = |text: &str| send(world, ADMIN, "?dry_run=true", CSV, text.to_owned());
        let titled = "依据;上级代码;种类;名称;代码;生效日期\n;530102;派出所;滇池派出所;530102098;2020/3/1\n";
        assert_eq!(counts(&trial(titled).expect(200, "")), [1, 1, 0, 0]);
        let wrong = trial("code,colour,代码,tenant_id,name\n1,2,3,4,5\n");
        let mut found = told(&wrong);
        found.sort_unstable();
        assert_eq!(found, ["1 colour unknown_field", "1 kind required", "1 tenant_id unknown_field", "1 代码 not_unique"]);
        assert!(wrong.text().contains("上级代码"), "the columns there are: {}", wrong.story());
        let body = "{\"code\":\"530102098\",\"name\":\"滇池派出所\",\"kind\":\"station\",\"parent_code\":\"530102\",\"colour\":1}\n\n[]\n{\"code\":\n";
        let found = refused(send(world, ADMIN, "", NDJSON, body));
        assert_eq!(found, ["1 colour unknown_field", "3 - wrong_type", "4 - malformed_json"]);
    }

    fn workbooks_are_read_as_they_look(world) {
        let heading = ["代码", "名称", "种类", "上级代码", "生效日期", "依据"].map(Cell::Text).to_vec();
        let day = 43_891; // 2020-03-01
        let formula = Cell::Formula("HYPERLINK(\"http://example.invalid/\",\"滇池派出所\")", "滇池派出所");
        let rows = vec![
            heading.clone(),
            vec![Cell::Number("530102098.0"), formula, Cell::Text("派出所"), Cell::Number("530102"), Cell::Day(day), Cell::Text("=1+1")],
            vec![],
            vec![Cell::Text(" 530102097 "), Cell::Text("翠湖派出所"), Cell::Text("station"), Cell::Text("530102"), Cell::Text("2020/3/1")],
        ];
        let notes = ("说明", sheet(&[vec![Cell::Text("请按格式填写")]]));
        let links = ("xl/externalLinks/externalLink1.xml", b"<externalLink>http://127.0.0.1:1/</externalLink>".to_vec());
        let book = workbook(&[notes, ("单位", sheet(&rows))], &[links]);
        let reply = send(world, ADMIN, "", XLSX, book.clone()).expect(200, "");
        assert_eq!((counts(&reply), &reply.json()["format"], &reply.json()["encoding"]), ([2, 2, 0, 0], &json!("xlsx"), &Value::Null));
        let made = world.as_(ADMIN).get("/units?code=530102098").json()["items"][0].clone();
        assert_eq!(made["name"], "滇池派出所", "a formula is what it showed");
        let history = world.as_(ADMIN).get(&format!("/units/{}/history", made["id"].as_str().unwrap())).json();
        assert_eq!((&history["items"][0]["valid_from_on"], &history["items"][0]["reason"]), (&json!("2020-03-01"), &json!("=1+1")));
        assert_eq!(counts(&send(world, ADMIN, "", XLSX, book.clone()).expect(200, "")), [2, 0, 0, 2]);

        // Errors bear the numbers of the sheet.
        let wrong = vec![
            heading.clone(),
            vec![],
            vec![Cell::Number("5.3010209600000012e+17"), Cell::Error("#REF!"), Cell::Text("station"), Cell::Number("530102")],
        ];
        let found = refused(send(world, ADMIN, "", XLSX, workbook(&[("x", sheet(&wrong))], &[])));
        assert_eq!(found, ["3 code wrong_type", "3 name wrong_type"]);
        let unreadable = |bytes: Vec<u8>| { send(world, ADMIN, "", XLSX, bytes).expect(400, "malformed_file"); };
        for share in [3, 10, 50, 90, 99] {
            unreadable(book[..book.len() * share / 100].to_vec());
        }
        let mut damaged = book.clone();
        for byte in damaged.iter_mut().skip(60).take(400) {
            *byte ^= 0x5a;
        }
        unreadable(damaged);
        unreadable(HEADING.into());
        unreadable(workbook(&[], &[]));
        send(world, ADMIN, "", CSV, book).expect(400, "malformed_file");
    }

    fn bombs_are_defused(world) {
        let heading = sheet(&[["code", "name", "kind", "parent_code"].map(Cell::Text).to_vec()]);
        let large = |book: Vec<u8>| {
            let reply = send(world, ADMIN, "", XLSX, book).expect(413, "body_too_large");
            assert!(reply.json()["detail"].as_str().unwrap().contains("解压"), "{}", reply.story());
        };
        // A part that inflates a thousandfold.
        let spaces = vec![b' '; 120 * 1024 * 1024];
        let book = workbook(&[("x", heading.clone())], &[("xl/sharedStrings.xml", spaces)]);
        assert!(book.len() < 1024 * 1024, "it is small to send");
        large(book);
        // Memory set aside on a file's word alone.
        let word = br#"<sst xmlns="x" count="1" uniqueCount="99999999999999"><si><t>a</t></si></sst>"#.to_vec();
        large(workbook(&[("x", heading.clone())], &[("xl/sharedStrings.xml", word)]));
        // A long name that is copied for every style.
        let fonts = format!("<styleSheet><fonts><font><name val=\"{}\"/></font></fonts></styleSheet>", "x".repeat(500_000));
        large(workbook(&[("x", heading.clone())], &[("xl/styles.xml", fonts.into_bytes())]));
        // Entities are not expanded, files outside not read.
        let entities = "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\"><!ENTITY b \"&a;&a;\">]>".to_owned()
            + &heading.replace("code", "&b;");
        let reply = send(world, ADMIN, "", XLSX, workbook(&[("x", entities)], &[]));
        assert!([400, 422].contains(&reply.status) && !reply.text().contains("root:"), "{}", reply.story());
    }

    fn tables_that_are_too_large_are_refused(world) {
        let row = "530102098,甲,station,530102,,\n";
        let reply = import(world, &row.repeat(50_001)).expect(413, "body_too_large");
        assert!(reply.json()["detail"].as_str().unwrap().contains("50000"), "{}", reply.story());
        let wide = format!("{}\n", vec!["code"; 201].join(","));
        send(world, ADMIN, "", CSV, wide).expect(413, "body_too_large");
        let announced = world.as_(ADMIN).call("POST", "/units/imports").bytes(CSV, "x").header("Content-Length", "536870913").send();
        announced.expect(413, "body_too_large");
        let long = format!("{HEADING}530102098,{},station,530102,,\n", "长".repeat(40_000));
        assert_eq!(refused(send(world, ADMIN, "", CSV, long)), ["2 name too_long"]);
    }

    fn a_retry_of_an_import_has_one_effect(world) {
        let table = format!("{HEADING}530102098,滇池派出所,station,530102,,\n");
        let call = |query: &str| {
            let path = format!("/units/imports{query}");
            world.as_(ADMIN).call("POST", &path).bytes(CSV, table.clone()).header("Idempotency-Key", "units-1").import()
        };
        let first = call("").expect(200, "");
        assert_eq!(counts(&first), [1, 1, 0, 0]);
        assert_eq!(call("").expect(200, "").json(), first.json(), "the first answer again");
        call("?dry_run=false").expect(422, "idempotency_key_reused");
    }
}

/// Of 342 cities those that only group counties are no units.
const PSEUDO_CITIES: usize = 9;
