//! Papers as an office prints them: plans, task lists and clearing sheets, as pages and as workbooks.

use std::io::Cursor;

use calamine::{Data, Reader, Xlsx};
use pingyi::web::{ExportLimits, Exports, Form};
use serde_json::{Value, json};

use crate::clearing::{DAY, calendar, enter, name};
use crate::support::client::Reply;
use crate::support::raw::Raw;
use crate::support::{Backend, World, both, story};
use crate::tasks::{complete, id, launched, units};

const NASTY: &str = "<script>alert('一')</script> & \"二\"";
const ESCAPED: &str = "&lt;script&gt;alert(&#39;一&#39;)&lt;/script&gt; &amp; &quot;二&quot;";

fn print(world: &World, by: &str, path: &str, form: Form) -> Reply {
    world.as_(by).call("GET", path).header("Accept", form.media()).send()
}

#[track_caller]
fn page(world: &World, by: &str, path: &str) -> String {
    let reply = print(world, by, path, Form::Html).expect(200, "");
    assert_eq!(reply.header("content-type"), Some("text/html; charset=utf-8"));
    reply.text()
}

fn shown(cell: &Data) -> String {
    match cell {
        Data::Empty => String::new(),
        Data::String(text) => text.clone(),
        Data::Float(number) => number.to_string(),
        Data::DateTime(at) => {
            let (year, month, day, ..) = at.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02}")
        }
        other => panic!("no cell of ours is {other:?}"),
    }
}

/// The sheets of a workbook by name, their cells as a reader sees them; none of them is a formula.
#[track_caller]
fn book(world: &World, by: &str, path: &str) -> Vec<(String, Vec<Vec<String>>)> {
    let reply = print(world, by, path, Form::Xlsx).expect(200, "");
    let mut book: Xlsx<_> = calamine::open_workbook_from_rs(Cursor::new(reply.body)).expect("a workbook");
    let names = book.sheet_names();
    let read = names.into_iter().map(|name| {
        let formulas = book.worksheet_formula(&name).expect("formulas");
        assert!(formulas.used_cells().next().is_none(), "a cell of {name} is a formula");
        let range = book.worksheet_range(&name).expect("the sheet");
        let rows = range.rows().map(|row| row.iter().map(shown).collect()).collect();
        (name, rows)
    });
    read.collect()
}

fn task(world: &World, category: &str, title: &str, code: &str, kind: Option<&str>) -> Value {
    let extent = if kind.is_some() { "subtree" } else { "self" };
    let mut task = story::task(world, title, &units(world, &[(code, extent, kind)]), 30);
    task["category"] = json!(category);
    task
}

/// 2026年3月2日, of a day so far from today.
fn spoken(world: &World, days: i64) -> String {
    let day = world.day(days);
    let mut pieces = day.split('-').map(|piece| piece.parse::<u32>().unwrap());
    let mut next = || pieces.next().unwrap();
    format!("{}年{}月{}日", next(), next(), next())
}

/// A draft of the province with three tasks of two categories, none of them harmless.
fn nasty_draft(world: &World, title: &str) -> String {
    let campaign = story::campaign(world, "53");
    let mut body = story::plan_body(world, &campaign, "53");
    body["title"] = json!(title);
    let mut first = task(world, "服务窗口", NASTY, "53", Some("county"));
    first["content"] = json!("一次告知。\n=1+1 <b>");
    first["target"] = json!({ "name": "告知率", "direction": "at_least", "value": "98.00", "unit": "%" });
    let mut third = task(world, "服务窗口", "延时服务", "53", None);
    third["lead_leader"] = json!("=cmd|'/c calc'!A0");
    body["tasks"] = json!([first, task(world, "接处警", "当日回访", "5301", Some("station")), third]);
    world.as_("53-group-office").post("/plans", &body).expect(201, "").id()
}

fn logged(world: &World, path: &str) -> String {
    let sql = format!(
        "SELECT CAST(count(*) AS text) AS text FROM audit_log WHERE entity = 'export' AND action = 'plan.read' \
         AND entity_id = '/api/v1{path}'"
    );
    Raw::owner(world, "53").texts(&sql)[0].clone()
}

both! {
    fn a_page_holds_the_whole_plan_and_nothing_of_it_is_markup(world) {
        let office = "53-group-office";
        let plan = nasty_draft(world, NASTY);
        let path = format!("/plans/{plan}/print");
        let shown = page(world, office, &path);
        assert!(!shown.contains("<script") && !shown.contains("<b>"), "{shown}");
        // In the file's title, as the title, in the list of tasks and in the annex.
        assert_eq!(shown.matches(ESCAPED).count(), 4, "{shown}");
        let held = spoken(world, -21);
        for piece in [
            "【草稿】", "一、阶段安排", "二、任务分工", "共2类3项", "（一）服务窗口（2项）", "（二）接处警（1项）", "延时服务", "当日回访",
            "各区县公安局（分局）", "昆明市公安局所属各派出所", "告知率不低于98.00%", "每周，逐日填报", "一次告知。<br>=1+1 &lt;b&gt;",
            &format!("根据{held}党委会议（云公党纪〔2026〕4号）的决定，制定本方案。"), &format!("（一）动员部署（{}至", spoken(world, -20)),
            &spoken(world, 30), "<p>云南省公安厅</p>", "<thead>",
        ] {
            assert!(shown.contains(piece), "no {piece} in {shown}");
        }
        assert!(!shown.contains("批准人"));
        assert_eq!(logged(world, &path), "1");

        // Approved and published it bears no mark, but who approved it and when.
        story::step(world, office, &plan, "submit");
        assert!(page(world, office, &path).contains("【待批】"));
        let comment = json!({ "comment": format!("同意。{NASTY}") });
        world.as_("53-group-head").post(&format!("/plans/{plan}/approve"), &comment).expect(200, "");
        let shown = page(world, office, &path);
        assert!(shown.contains("【已批准 未发布】") && shown.contains(&format!("批准意见：同意。{ESCAPED}")), "{shown}");
        story::step(world, office, &plan, "publish");
        let shown = page(world, office, &path);
        let today = spoken(world, 0);
        assert!(!shown.contains('【') && !shown.contains("class=\"mark\""), "{shown}");
        assert!(shown.contains(&format!("（批准人：领导小组组长；批准日期：{today}；")), "{shown}");
        assert!(shown.contains(&format!("<p>{today}</p>")), "{shown}");
        assert_eq!(logged(world, &path), "4");
    }

    fn a_workbook_of_a_plan_is_two_sheets_of_text(world) {
        let title = "=HYPERLINK(\"http://x.invalid\",\"点我\")";
        let plan = nasty_draft(world, title);
        let sheets = book(world, "53-group-office", &format!("/plans/{plan}/print"));
        let names: Vec<&str> = sheets.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["封面与阶段", "任务清单"]);
        let (cover, list) = (&sheets[0].1, &sheets[1].1);
        assert_eq!(cover[0][0], title);
        assert_eq!((cover[1][0].as_str(), &cover[2][..2]), ("【草稿】", &["编制单位".to_owned(), "云南省公安厅".to_owned()][..]));
        let phases = cover.iter().position(|row| row[0] == "阶段序号").unwrap();
        assert_eq!(cover[phases + 1], ["1", "动员部署", &world.day(-20), &world.day(-1)]);
        assert_eq!(cover.len(), phases + 3);
        assert_eq!(list[2], ["序号", "类别", "事项", "要求", "牵头领导", "责任单位", "完成时限", "频次", "目标"]);
        let first = ["1", "服务窗口", NASTY, "一次告知。\n=1+1 <b>", "分管副厅长", "各区县公安局（分局）", &world.day(30), "每周，逐日填报", "告知率不低于98.00%"];
        assert_eq!(list[3], first);
        // Category by category, whatever the order of the plan.
        let order: Vec<&str> = list[3..].iter().map(|row| row[2].as_str()).collect();
        assert_eq!(order, [NASTY, "延时服务", "当日回访"]);
        assert_eq!(list[4][4], "=cmd|'/c calc'!A0");

        // The sheets are set up to be printed: A4, one page wide, headings on each, its number below.
        let reply = print(world, "53-group-office", &format!("/plans/{plan}/print"), Form::Xlsx);
        let mut archive = zip::ZipArchive::new(Cursor::new(reply.body)).unwrap();
        let mut part = |name: &str| std::io::read_to_string(archive.by_name(name).unwrap()).unwrap();
        let sheet = part("xl/worksheets/sheet2.xml");
        for piece in ["fitToPage=\"1\"", "paperSize=\"9\"", "fitToHeight=\"0\"", "orientation=\"landscape\"", "&amp;C第 &amp;P 页 共 &amp;N 页", "<mergeCell ref=\"A1:I1\"/>"] {
            assert!(sheet.contains(piece), "no {piece} in {sheet}");
        }
        assert!(part("xl/workbook.xml").contains("_xlnm.Print_Titles"));
        assert!(part("xl/styles.xml").contains("quotePrefix=\"1\""));
    }

    fn what_cannot_be_read_cannot_be_printed(world) {
        let here = story::launched(world, "53");
        let draft = story::draft(world, &here.campaign, "5303", "5303-group-office");
        let there = story::launched(world, "50");
        for path in ["print", "task-list/print"] {
            let ask = |by: &str, plan: &str, form| print(world, by, &format!("/plans/{plan}/{path}"), form);
            for form in [Form::Html, Form::Xlsx] {
                // A neighbour's draft, a draft above, another province's plan and none at all.
                for plan in [&draft, &there.plan, "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77"] {
                    ask("5301-liaison", plan, form).expect(404, "not_found");
                }
                ask("5303-liaison", &draft, form).expect(200, "");
                ask("53-group-head", &draft, form).expect(200, "");
                // What a superior has published is read from below.
                ask("530102-liaison", &here.plan, form).expect(200, "");
                ask("53-nobody", &here.plan, form).expect(403, "forbidden");
            }
            let refuse = |accept: &str| {
                let path = format!("/plans/{}/{path}", here.plan);
                world.as_("53-group-head").call("GET", &path).header("Accept", accept).send().expect(406, "not_acceptable");
            };
            for accept in ["application/json", "text/csv", "application/pdf"] {
                refuse(accept);
            }
        }
    }

    fn a_task_list_tells_how_far_one_s_own_units_are(world) {
        let all = units(world, &[("5301", "self", None), ("530102", "self", None), ("5303", "self", None)]);
        let (_, plan) = launched(world, &[story::task(world, "接处警当日回访", &all, 30), story::task(world, "延时服务", &all, 30)]);
        complete(world, "5303-liaison", &id(&plan, 0), "5303").expect(200, "");
        complete(world, "530102-liaison", &id(&plan, 0), "530102").expect(200, "");
        let path = format!("/plans/{}/task-list/print", plan["id"].as_str().unwrap());
        let told = |by: &str| -> Vec<String> {
            let sheets = book(world, by, &path);
            assert_eq!(sheets.len(), 1);
            let rows = &sheets[0].1;
            assert_eq!((rows[0][0].as_str(), rows[2][9].as_str()), ("主题活动实施方案任务清单", "完成/应完成"));
            rows[3..].iter().map(|row| row[9].clone()).collect()
        };
        assert_eq!(told("53-group-head"), ["2/3", "0/3"]);
        assert_eq!(told("5301-liaison"), ["1/2", "0/2"]);
        assert_eq!(told("5303-liaison"), ["1/1", "0/1"]);
        assert_eq!(told("5304-unit-head"), ["0/0", "0/0"]);
        let shown = page(world, "53-group-head", &path);
        assert!(shown.contains("<td class=\"c\">2/3</td>") && shown.contains("限本人辖区"), "{shown}");
        assert_eq!(logged(world, &path), "5");
        // Nothing is done of what is not in force.
        let draft = nasty_draft(world, "草案");
        let sheets = book(world, "53-group-office", &format!("/plans/{draft}/task-list/print"));
        assert_eq!(sheets[0].1[2].len(), 9);
    }

    fn a_clearing_sheet_adds_up(world) {
        calendar(world, &[true, true, false]);
        let all = units(world, &[("5301", "self", None), ("530102", "self", None)]);
        let (_, plan) = launched(world, &[story::task(world, "接处警当日回访", &all, 30), story::task(world, "延时服务", &all, 30)]);
        let (first, second) = (id(&plan, 0), id(&plan, 1));
        for task in [&first, &second] {
            name(world, task, "5301", &["5301-unit-head"]);
        }
        name(world, &first, "530102", &["530102-unit-head"]);
        world.advance(DAY);
        enter(world, "5301-unit-head", &first, 0, None).expect(201, "");
        world.advance(DAY);
        enter(world, "5301-unit-head", &second, -1, None).expect(201, "");
        let day = world.day(-1);
        let sheet = |by: &str, query: &str| -> Vec<Vec<String>> {
            let mut sheets = book(world, by, &format!("/daily-clearing/print?on={day}{query}"));
            assert_eq!(sheets.len(), 1);
            sheets.remove(0).1
        };
        let rows = sheet("53-group-head", "");
        assert_eq!(rows[0][0], "云南省公安厅逐日清账表");
        assert!(rows[1][0].starts_with(&spoken(world, -1)), "{rows:?}");
        assert_eq!(rows[2], ["序号", "单位", "警号", "姓名", "应填", "已清", "补填", "未清"]);
        let told: Vec<String> = rows[3..].iter().map(|row| row.join("|")).collect();
        let (city, county) = (told[1].split('|').nth(3).unwrap(), told[3].split('|').nth(3).unwrap());
        let wanted = [
            "1|昆明市公安局||小计|2|1|1|0".to_owned(),
            format!("|昆明市公安局|T5301000|{city}|2|1|1|0"),
            "2|昆明市公安局五华分局||小计|1|0|0|1".to_owned(),
            format!("|昆明市公安局五华分局|T530102000|{county}|1|0|0|1"),
            "|合计|||3|1|1|1".to_owned(),
        ];
        assert_eq!(told, wanted);
        // As the summary tells it, and as the list does.
        let summary = world.as_("53-group-head").get(&format!("/daily-clearing/summary?on={day}")).expect(200, "").json();
        assert_eq!([&summary["unit"]["owed"], &summary["unit"]["closed"], &summary["unit"]["late"]], [&json!(3), &json!(1), &json!(1)]);

        let last = |rows: Vec<Vec<String>>| rows.last().unwrap().join("|");
        assert_eq!(last(sheet("53-group-head", &format!("&unit_id={}&depth=self", world.unit("5301")))), "|合计|||2|1|1|0");
        assert_eq!(last(sheet("530102-liaison", "")), "|合计|||1|0|0|1");
        assert_eq!(last(sheet("5303-liaison", "")), "|合计|||0|0|0|0");
        let path = format!("/daily-clearing/print?unit_id={}", world.unit("5303"));
        print(world, "5301-liaison", &path, Form::Html).expect(404, "not_found");
        // A rest day owes nothing, and says so.
        let shown = page(world, "53-group-head", &format!("/daily-clearing/print?on={}", world.day(1)));
        assert!(shown.contains("休息日（试），无人应填"), "{shown}");
        let refused = print(world, "53-group-head", "/daily-clearing/print?day=2026-03-02", Form::Html).expect(400, "invalid_query");
        assert_eq!(refused.errors(), [("day".to_owned(), "unknown_parameter".to_owned())]);
    }
}

#[test]
fn a_paper_takes_its_place_among_the_exports() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let world = World::with(backend, |context| {
            let limits = ExportLimits { rows: 1000, at_once: 0 };
            context.exports = Exports::of(&context.document, limits);
        });
        let path = format!("/plans/{}/print", nasty_draft(&world, "草案"));
        let call = world.as_("53-group-office").call("GET", &path).that_may_fail();
        assert!(call.send().expect(503, "exports_busy").header("retry-after").is_some());
        assert_eq!(logged(&world, &path), "0");
    }
}
