//! Lists as CSV and XLSX, as a clerk opens them.

use calamine::Data;
use pingyi::web::{ExportLimits, Exports, Format};
use serde_json::json;

use crate::support::raw::Raw;
use crate::support::sheets::{FORMATS, cells, export, table};
use crate::support::{Backend, World, both, story};

const BOTH: [Backend; 2] = [Backend::Sqlite, Backend::Postgres];

fn limited(backend: Backend, rows: u64, at_once: usize) -> World {
    World::with(backend, move |context| {
        context.exports = Exports::of(&context.document, ExportLimits { rows, at_once });
    })
}

fn count(world: &World, rest: &str) -> String {
    let sql = format!("SELECT CAST(count(*) AS text) AS text FROM audit_log WHERE entity = 'export'{rest}");
    Raw::owner(world, "53").texts(&sql)[0].clone()
}

both! {
    fn a_clerk_opens_the_stations_of_kunming(world) {
        let head = world.as_("53-group-head");
        let path = format!("/stations?unit_id={}", world.unit("5301"));
        for format in FORMATS {
            let reply = export(&head, &path, format);
            let table = table(format, &reply);
            assert_eq!(table[0], ["官方代码", "现用名称", "种类", "状态", "层次", "录入时刻", "最近修改时刻", "标识", "上级单位标识", "停用后接续的单位标识"]);
            assert_eq!(table.len(), 2);
            assert_eq!(table[1][..5], ["530102001", "华山派出所", "派出所", "正常", "3"]);
            assert_eq!(table[1][7..9], [world.unit("530102001"), world.unit("530102")]);
            // 12:34:56.7Z of the list is 20:34:56 of the clerk's day.
            let listed = head.get(&path).expect(200, "").json()["items"][0]["created_at"].as_str().unwrap().to_owned();
            let here = chrono::DateTime::parse_from_rfc3339(&listed).unwrap().naive_utc() + chrono::Duration::hours(8);
            assert_eq!(table[1][5], here.format("%Y-%m-%d %H:%M:%S").to_string());
            let today = world.day(0);
            let ending = format.ending();
            let named = format!("attachment; filename=\"stations-{today}.{ending}\"; filename*=UTF-8''%E6%B4%BE%E5%87%BA%E6%89%80%E5%88%97%E8%A1%A8-{today}.{ending}");
            assert_eq!(reply.header("content-disposition"), Some(named.as_str()));
        }
        // In a workbook codes are text, numbers are numbers, moments are moments.
        let row = &cells(&export(&head, &path, Format::Xlsx))[1];
        assert!(matches!((&row[0], &row[4], &row[5]), (Data::String(_), Data::Float(_), Data::DateTime(_))), "{row:?}");
    }

    fn what_a_row_refers_to_is_named_and_several_stand_in_one_cell(world) {
        story::launched(world, "53");
        let head = world.as_("53-group-head");
        for format in FORMATS {
            let plans = table(format, &export(&head, "/plans", format));
            assert_eq!(plans[0][..5], ["所属单位代码", "所属单位名称", "标题", "状态", "任务项数"]);
            assert_eq!(plans[1][..5], ["53", "云南省公安厅", "主题活动实施方案", "已发布", "1"]);
            let campaigns = table(format, &export(&head, "/campaigns", format));
            let cell = |heading: &str| {
                let at = campaigns[0].iter().position(|one| one == heading);
                campaigns[1][at.unwrap_or_else(|| panic!("{heading} in {:?}", campaigns[0]))].clone()
            };
            assert_eq!(cell("主办单位名称"), "云南省公安厅");
            assert_eq!(cell("范围单位种类"), "地市公安局、区县公安局/分局");
            let phases = format!("动员部署 {}至{}、自查自纠 {}至{}", world.day(-20), world.day(-1), world.day(0), world.day(60));
            assert_eq!(cell("阶段"), phases);
            let tasks = table(format, &export(&head, "/tasks", format));
            let at = |heading: &str| tasks[0].iter().position(|one| one == heading).unwrap_or_else(|| panic!("{heading} in {:?}", tasks[0]));
            assert_eq!(tasks[1][at("完成时限")], world.day(30));
            assert_eq!(tasks[1][at("逐日填报")], "是");
            assert_eq!(tasks[1][at("责任单位")], "53 云南省公安厅 仅本单位");
            assert!(!tasks[0].iter().any(|heading| heading.contains("版本")));
        }
    }

    fn no_cell_is_a_formula(world) {
        let office = world.as_("53-group-office");
        let names = ["=HYPERLINK(\"http://x.invalid\",\"点我\")", "+1", "-1+2", "@SUM(A1)", "＝1+1", "平常, 无事"];
        for name in names {
            let mut body = story::campaign_body(world, "53");
            body["name"] = json!(name);
            body["theme"] = json!("\t=1\n\"二\"");
            office.post("/campaigns", &body).expect(201, "");
        }
        let csv = table(Format::Csv, &export(&office, "/campaigns?sort=created_at", Format::Csv));
        let at = csv[0].iter().position(|heading| heading == "名称").unwrap();
        let found: Vec<&str> = csv[1..].iter().map(|row| row[at].as_str()).collect();
        let wanted: Vec<String> = names[..5].iter().map(|name| format!("'{name}")).chain([names[5].to_owned()]).collect();
        assert_eq!(found, wanted);
        assert!(csv[1..].iter().all(|row| row.contains(&"'\t=1\n\"二\"".to_owned())));
        // Text is text in a workbook: what was typed stands there, and `cells` finds no formula.
        let sheet = cells(&export(&office, "/campaigns?sort=created_at", Format::Xlsx));
        let found: Vec<&Data> = sheet[1..].iter().map(|row| &row[at]).collect();
        let wanted: Vec<Data> = names.iter().map(|name| Data::String((*name).to_owned())).collect();
        assert_eq!(found, wanted.iter().collect::<Vec<_>>());
    }

    fn a_file_has_all_pages_in_the_list_s_order_and_filter(world) {
        let office = world.as_("53-group-office");
        let mut body = story::campaign_body(world, "53");
        for n in 0..205 {
            body["name"] = json!(format!("第{n:03}次"));
            body["year"] = json!(2000 + n % 2);
            office.post("/campaigns", &body).expect(201, "");
        }
        let walk = |query: &str| {
            let (mut names, mut cursor) = (Vec::new(), String::new());
            loop {
                let page = office.get(&format!("/campaigns?limit=50{query}{cursor}")).expect(200, "").json();
                names.extend(page["items"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap().to_owned()));
                let Some(next) = page["next_cursor"].as_str() else { return names };
                cursor = format!("&cursor={next}");
            }
        };
        for query in ["", "&sort=created_at", "&year=2001", "&q=%E7%AC%AC10", "&year=2099"] {
            let wanted = walk(query);
            for format in FORMATS {
                let table = table(format, &export(&office, &format!("/campaigns?{}", query.trim_start_matches('&')), format));
                let at = table[0].iter().position(|heading| heading == "名称").unwrap();
                let found: Vec<String> = table[1..].iter().map(|row| row[at].clone()).collect();
                assert_eq!(found, wanted, "{query} as {}", format.ending());
            }
        }
    }

    fn what_picks_a_page_has_no_place_in_an_export(world) {
        let head = world.as_("53-group-head");
        for format in FORMATS {
            let refused = export(&head, "/units?limit=5&count=exact&cursor=AAAA&kind=city", format).expect(400, "invalid_query");
            let place = |name: &str| (name.to_owned(), "not_in_export".to_owned());
            assert_eq!(refused.errors(), [place("limit"), place("count"), place("cursor")]);
            let refused = export(&head, "/units?colour=red", format).expect(400, "invalid_query");
            assert_eq!(refused.errors(), [("colour".to_owned(), "unknown_parameter".to_owned())]);
            export(&world.as_("53-identity-custodian"), "/campaigns?limit=5", format).expect(403, "forbidden");
        }
        let either = head.call("GET", "/cities").header("Accept", "text/csv, application/problem+json, */*;q=0.1").send();
        assert!(either.expect(200, "").header("content-type").unwrap().starts_with("text/csv"));
        let json = head.call("GET", "/cities").header("Accept", "text/html, */*").send().expect(200, "");
        assert_eq!(json.header("content-type"), Some("application/json"));
    }

    fn the_log_tells_of_the_export_and_not_what_was_looked_for(world) {
        let head = world.as_("53-group-head");
        head.get("/units").expect(200, "");
        assert_eq!(count(world, ""), "0", "reading on the screen is no export");
        export(&head, "/units?q=%E5%8D%8E%E5%B1%B1", Format::Csv).expect(200, "");
        assert_eq!(count(world, " AND action = 'unit.read' AND entity_id = '/api/v1/units' AND roles = 'group_head' AND reason IS NULL"), "1");
        let sql = "SELECT entity_id || coalesce(before_digest, '-') || after_digest AS text FROM audit_log WHERE entity = 'export'";
        assert!(!Raw::owner(world, "53").texts(sql)[0].contains("华山"));
    }

    fn an_export_that_cannot_be_accounted_for_is_not_given(world) {
        let mut raw = Raw::owner(world, "53");
        raw.run(match world.backend {
            Backend::Sqlite => "CREATE TRIGGER no_exports BEFORE INSERT ON audit_log WHEN NEW.entity = 'export' \
                BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END",
            Backend::Postgres => "CREATE FUNCTION no_exports() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                IF NEW.entity = 'export' THEN RAISE EXCEPTION 'No space left on device'; END IF; RETURN NEW; END $$; \
                CREATE TRIGGER no_exports BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION no_exports()",
        }).expect("the owner may");
        let head = world.as_("53-group-head");
        for format in FORMATS {
            let call = head.call("GET", "/units").header("Accept", format.media()).that_may_fail();
            call.send().expect(503, "unavailable");
        }
        head.get("/units").expect(200, "");
    }
}

#[test]
fn too_many_rows_and_too_many_exports_are_refused_before_a_byte_is_sent() {
    for backend in BOTH {
        let world = limited(backend, 3, 4);
        let head = world.as_("53-group-head");
        for format in FORMATS {
            let refused = export(&head, "/units", format).expect(422, "export_too_large");
            assert!(refused.json()["detail"].as_str().unwrap().contains("14"), "{}", refused.story());
            export(&head, "/cities", format).expect(200, "");
        }
        assert_eq!(count(&world, ""), "2", "what is refused is not in the log");

        let world = limited(backend, 1000, 0);
        let head = world.as_("53-group-head");
        for format in FORMATS {
            let call = head.call("GET", "/units").header("Accept", format.media()).that_may_fail();
            assert!(call.send().expect(503, "exports_busy").header("retry-after").is_some());
            export(&world.as_("53-identity-custodian"), "/campaigns", format).expect(403, "forbidden");
        }
        head.get("/units").expect(200, "");
        assert_eq!(count(&world, ""), "0");
    }
}
