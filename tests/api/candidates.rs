//! Finding candidates: what a check has found is nobody's to know of before its release; then each item that deducts points is
//! one, which counts when nobody has objected in time, or as the objection is answered.

use pingyi::inspections::candidates::missing;
use pingyi::inspections::checks::embargo;
use serde_json::{Value, json};

use crate::support::checks::Kit;
use crate::support::client::Reply;
use crate::support::live::{Ear, Running};
use crate::support::raw::Raw;
use crate::support::sheets::{FORMATS, export, table};
use crate::support::{World, both, sealing};

const LIST: &str = "/finding-candidates";
const DAY: i64 = 24 * 3600;

/// What was seen: of eight items three are not as they should be, and one does not apply.
fn record(kit: &Kit<'_>) -> Value {
    let mut record = kit.record();
    let photo = record["answers"][0]["attachment_ids"].clone();
    // GZ-1, as in every record of the kit: three points. LC-1: what is outdated deducts one.
    record["answers"][2]["choice"] = json!("outdated");
    // DR-2: half a minute more than the thirty that are allowed, one point.
    record["answers"][4] =
        json!({ "item": "DR-2", "number": "30.5", "note": "取号 9:02。", "attachment_ids": photo });
    record["answers"][6] = json!({ "item": "BM-2", "not_applicable": true, "note": "未公示午间开窗。" });
    record
}

/// A check of this kind with that record, released; its id and the release.
fn released(kit: &Kit<'_>, kind: &str) -> (String, Reply) {
    let id = kit.begin(kind);
    let inspector = kit.world.as_(&kit.login("inspector"));
    inspector.post(&format!("/unannounced-checks/{id}/record"), &record(kit)).expect(200, "");
    kit.act(&id, "confirm").expect(200, "");
    let reply = kit.act(&id, "release").expect(200, "");
    (id, reply)
}

fn shown(world: &World, who: &str, path: &str) -> Value {
    world.as_(who).get(path).expect(200, "").json()
}

fn total(world: &World, who: &str, query: &str) -> Value {
    shown(world, who, &format!("{LIST}?count=exact&limit=1&{query}"))["total"].clone()
}

/// What somebody sees of a check's candidates, the first first.
fn of_check(world: &World, who: &str, check: &str) -> Vec<Value> {
    let list = shown(world, who, &format!("{LIST}?check_id={check}&sort=created_at"));
    list["items"].as_array().unwrap().clone()
}

/// Item, state, points recorded, points counted, from which day on.
type Told = (String, String, String, Option<String>, Option<String>);

fn told(candidates: &[Value]) -> Vec<Told> {
    let some = |value: &Value| value.as_str().map(ToOwned::to_owned);
    let text = |value: &Value| some(value).unwrap();
    let row = |one: &Value| {
        let [item, state, recorded] = ["item", "state", "points_recorded"].map(|name| text(&one[name]));
        (item, state, recorded, some(&one["points_counted"]), some(&one["counts_from_on"]))
    };
    candidates.iter().map(row).collect()
}

fn row(item: &str, state: &str, recorded: &str, counted: Option<&str>, from: Option<&str>) -> Told {
    let own = |text: &str| text.to_owned();
    (own(item), own(state), own(recorded), counted.map(own), from.map(own))
}

/// The last day of a check's objection, and the day after.
fn window(world: &World, check: &str) -> (String, String) {
    let until =
        shown(world, "53-discipline", &format!("/unannounced-checks/{check}"))["objection_until_on"].clone();
    let until: chrono::NaiveDate = until.as_str().unwrap().parse().unwrap();
    (until.to_string(), until.succ_opt().unwrap().to_string())
}

fn advance_to(world: &World, day: &str) {
    while world.day(0).as_str() < day {
        world.advance(DAY);
    }
}

/// The rows of the log that a request left, as `action entity`, sorted.
fn audited(world: &World, reply: &Reply) -> Vec<String> {
    let id = reply.header("x-request-id").unwrap();
    let sql = format!(
        "SELECT action || ' ' || entity AS text FROM audit_log WHERE request_id = '{id}' ORDER BY action, entity"
    );
    Raw::owner(world, "53").texts(&sql)
}

/// Decides on an objection otherwise than was recorded: GZ-1 is as it should be after all, LC-1 is worse, GZ-2 is not as it
/// should be, DR-2 stays.
fn amend(kit: &Kit<'_>, check: &str) -> Reply {
    let path = format!("/unannounced-checks/{check}");
    let mut answers = shown(kit.world, "53-discipline", &path)["record"]["answers"].clone();
    for answer in answers.as_array_mut().unwrap() {
        answer.as_object_mut().unwrap().remove("deducted");
    }
    answers[0]["yes"] = json!(true);
    answers[1]["yes"] = json!(false);
    answers[1]["note"] = json!("未出具书面理由。");
    answers[2]["choice"] = json!("missing");
    let body = json!({ "outcome": "amended", "reasons": "部分采纳。", "answers": answers });
    kit.world.as_("53-group-office").post(&format!("{path}/decide"), &body).expect(200, "")
}

both! {
    fn nothing_is_found_before_the_release(world) {
        let kit = Kit::of(world, "5301");
        let everybody = ["53-inspector", "53-discipline", "53-group-office", "5301-unit-head", "53-special-supervisor"];
        for kind in ["covert", "open"] {
            let id = kit.begin(kind);
            let path = format!("/unannounced-checks/{id}");
            let nothing = |when: &str| {
                for who in everybody {
                    assert_eq!((total(world, who, ""), total(world, who, &format!("check_id={id}"))), (json!(0), json!(0)), "{who} {when}");
                }
                assert_eq!(shown(world, "53-inspector", &path)["candidates"], Value::Null, "{when}");
                assert_eq!(Raw::owner(world, "53").texts("SELECT item AS text FROM finding_candidates"), Vec::<String>::new());
            };
            nothing("begun");
            world.as_("53-inspector").post(&format!("{path}/record"), &record(&kit)).expect(200, "");
            nothing("recorded");
            kit.act(&id, "confirm").expect(200, "");
            nothing("confirmed");
        }
        let voided = kit.taken("covert", &["record", "void"]);
        assert_eq!(shown(world, "53-inspector", &format!("/unannounced-checks/{voided}"))["candidates"], Value::Null);
        assert_eq!(total(world, "53-discipline", ""), 0);
    }

    fn each_item_that_deducts_is_one_from_the_release_on(world) {
        let kit = Kit::of(world, "5301");
        let (id, reply) = released(&kit, "covert");
        assert_eq!((&reply.json()["candidates"], &reply.json()["deducted"]), (&json!(3), &json!("5.00")));
        let new = "unannounced_check.release finding_candidate";
        assert_eq!(audited(world, &reply), [new, new, new, "unannounced_check.release unannounced_check"]);
        let (_, from) = window(world, &id);
        let list = of_check(world, "5301-unit-head", &id);
        // In the order of the checklist, three points, one and one: what the check deducts altogether.
        assert_eq!(told(&list), [
            row("GZ-1", "pending", "3.00", None, Some(&from)),
            row("LC-1", "pending", "1.00", None, Some(&from)),
            row("DR-2", "pending", "1.00", None, Some(&from)),
        ]);
        let check = shown(world, "5301-unit-head", &format!("/unannounced-checks/{id}"));
        for one in &list {
            assert_eq!(one["check"], json!({ "id": id, "number": check["number"], "kind": "covert" }));
            assert_eq!((&one["unit"]["code"], &one["version"]), (&json!("5301"), &json!(1)));
        }
        let path = format!("{LIST}/{}", list[2]["id"].as_str().unwrap());
        let whole = shown(world, "5301-unit-head", &path);
        for (name, value) in list[2].as_object().unwrap() {
            assert_eq!(&whole[name], value, "{name}");
        }
        assert_eq!((&whole["category"], &whole["question"]), (&json!("当日办结"), &json!("自取号至叫到号等了几分钟?")));
        assert_eq!(whole["standard"], "不超过 30 分钟; 超过的须已增开窗口。");
        assert_eq!((&whole["answer"], &whole["amended_answer"]), (&check["record"]["answers"][4], &Value::Null));
        assert_eq!((&whole["answer"]["note"], &whole["answer"]["deducted"]), (&json!("取号 9:02。"), &json!("1.00")));
        assert_eq!(whole["answer"]["attachment_ids"], check["record"]["answers"][0]["attachment_ids"], "its evidence");

        // What deducts nothing has found nothing.
        let clean = kit.begin("open");
        let mut all_well = kit.record();
        all_well["answers"][0]["yes"] = json!(true);
        world.as_("53-inspector").post(&format!("/unannounced-checks/{clean}/record"), &all_well).expect(200, "");
        kit.act(&clean, "confirm").expect(200, "");
        let reply = kit.act(&clean, "release").expect(200, "");
        assert_eq!((&reply.json()["candidates"], &reply.json()["deducted"]), (&json!(0), &json!("0.00")));
        assert_eq!((total(world, "53-discipline", ""), of_check(world, "53-discipline", &clean)), (json!(3), vec![]));
    }

    fn whoever_may_know_of_the_check_knows_what_it_found(world) {
        let kit = Kit::of(world, "5301");
        // Covert: by the inspector alone, so that the supervisor is not of the team.
        let (id, _) = released(&kit, "covert");
        let path = format!("{LIST}/{}", of_check(world, "53-discipline", &id)[0]["id"].as_str().unwrap());
        for who in ["53-inspector", "53-group-member", "53-group-head", "5301-unit-head", "5301-liaison", "5301-discipline"] {
            world.as_(who).get(&path).expect(200, "");
            assert_eq!(total(world, who, ""), 3, "{who}");
        }
        for who in ["53-special-supervisor", "5303-unit-head", "530102-liaison", "50-discipline"] {
            world.as_(who).get(&path).expect(404, "not_found");
            assert_eq!(total(world, who, ""), 0, "{who}");
        }
        for who in ["53-auditor", "53-officer", "53-nobody"] {
            world.as_(who).get(&path).expect(403, "forbidden");
            world.as_(who).get(LIST).expect(403, "forbidden");
        }
        // Whose own the check is sees it wherever their role reaches: the supervisor of an open one.
        let (open, _) = released(&kit, "open");
        let seen = of_check(world, "53-special-supervisor", &open);
        assert_eq!((seen.len(), total(world, "53-special-supervisor", "")), (3, json!(3)));
        world.as_("53-special-supervisor").get(&format!("{LIST}/{}", seen[0]["id"].as_str().unwrap())).expect(200, "");
    }

    fn they_count_from_the_day_after_the_last_of_the_objection(world) {
        let kit = Kit::of(world, "5301");
        let (id, _) = released(&kit, "open");
        let (until, from) = window(world, &id);
        let path = format!("{LIST}/{}", of_check(world, "53-discipline", &id)[0]["id"].as_str().unwrap());
        let states = || ["pending", "counted", "dropped"].map(|state| total(world, "53-discipline", &format!("state={state}")));
        assert_eq!(states(), [json!(3), json!(0), json!(0)]);
        let tag = world.as_("53-discipline").get(&path).expect(200, "").etag();
        advance_to(world, &until);
        let kept = |tag: &str| world.as_("53-discipline").call("GET", &path).header("If-None-Match", tag).send();
        kept(&tag).expect(304, "");
        assert_eq!(states(), [json!(3), json!(0), json!(0)], "the last day is the unit's");
        world.advance(DAY);
        assert_eq!(world.day(0), from);
        assert_eq!(states(), [json!(0), json!(3), json!(0)]);
        assert_eq!(total(world, "53-discipline", "state=pending&state=counted"), 3);
        // Nothing was written, and yet it is another answer.
        assert_ne!(kept(&tag).expect(200, "").etag(), tag);
        assert_eq!(told(&of_check(world, "5301-unit-head", &id)), [
            row("GZ-1", "counted", "3.00", Some("3.00"), Some(&from)),
            row("LC-1", "counted", "1.00", Some("1.00"), Some(&from)),
            row("DR-2", "counted", "1.00", Some("1.00"), Some(&from)),
        ]);
    }

    fn what_is_objected_to_waits_for_the_answer_and_counts_when_upheld(world) {
        let kit = Kit::of(world, "5301");
        let (id, _) = released(&kit, "covert");
        let (_, from) = window(world, &id);
        kit.act(&id, "contest").expect(200, "");
        let waits = ["GZ-1", "LC-1", "DR-2"].map(|item| (item, if item == "GZ-1" { "3.00" } else { "1.00" }));
        let pending = waits.map(|(item, points)| row(item, "pending", points, None, None));
        assert_eq!(told(&of_check(world, "5301-unit-head", &id)), pending);
        // However long the answer takes.
        advance_to(world, &from);
        world.advance(DAY);
        assert_eq!(told(&of_check(world, "5301-unit-head", &id)), pending);
        assert_eq!((total(world, "53-discipline", "state=pending"), total(world, "53-discipline", "state=counted")), (json!(3), json!(0)));
        let decided = kit.act(&id, "decide").expect(200, "");
        assert_eq!(audited(world, &decided), ["unannounced_check.decide unannounced_check"]);
        let today = world.day(0);
        let counted = waits.map(|(item, points)| row(item, "counted", points, Some(points), Some(&today)));
        assert_eq!(told(&of_check(world, "5301-unit-head", &id)), counted);
        world.advance(DAY);
        assert_eq!(told(&of_check(world, "5301-unit-head", &id)), counted);
        assert_eq!((total(world, "53-discipline", "state=pending"), total(world, "53-discipline", "state=counted")), (json!(0), json!(3)));
    }

    fn what_is_amended_counts_as_amended(world) {
        let kit = Kit::of(world, "5301");
        let (id, _) = released(&kit, "covert");
        let before = of_check(world, "53-discipline", &id);
        kit.act(&id, "contest").expect(200, "");
        world.advance(3600);
        let decided = amend(&kit, &id);
        // Nothing, three, two and one point.
        assert_eq!((&decided.json()["deducted"], &decided.json()["candidates"]), (&json!("6.00"), &json!(4)));
        let changed = "unannounced_check.decide finding_candidate";
        assert_eq!(audited(world, &decided), [changed, changed, changed, changed, "unannounced_check.decide unannounced_check"]);
        let (today, after) = (world.day(0), of_check(world, "5301-unit-head", &id));
        assert_eq!(told(&after), [
            row("GZ-1", "dropped", "3.00", Some("0.00"), None),
            row("LC-1", "counted", "1.00", Some("2.00"), Some(&today)),
            row("DR-2", "counted", "1.00", Some("1.00"), Some(&today)),
            row("GZ-2", "counted", "0.00", Some("3.00"), Some(&today)),
        ]);
        let ids = |list: &[Value]| list.iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
        assert_eq!(ids(&after)[..3], ids(&before)[..], "those that were there stay");
        let versions: Vec<&Value> = after.iter().map(|one| &one["version"]).collect();
        assert_eq!(versions, [2, 2, 2, 1]);
        let counts = ["pending", "counted", "dropped"].map(|state| total(world, "53-discipline", &format!("state={state}")));
        assert_eq!(counts, [json!(0), json!(3), json!(1)]);
        // Both answers are shown, and of what is new the one that did not deduct.
        let whole = |at: usize| shown(world, "53-discipline", &format!("{LIST}/{}", after[at]["id"].as_str().unwrap()));
        let (dropped, new) = (whole(0), whole(3));
        assert_eq!((&dropped["answer"]["yes"], &dropped["answer"]["deducted"]), (&json!(false), &json!("3.00")));
        assert_eq!((&dropped["amended_answer"]["yes"], &dropped["amended_answer"]["deducted"]), (&json!(true), &json!("0.00")));
        assert_eq!((&new["answer"]["yes"], &new["answer"]["deducted"]), (&json!(true), &json!("0.00")));
        assert_eq!((&new["amended_answer"]["note"], &new["amended_answer"]["deducted"]), (&json!("未出具书面理由。"), &json!("3.00")));
        // No day changes it any more.
        world.advance(30 * DAY);
        assert_eq!(told(&of_check(world, "5301-unit-head", &id)), told(&after));
    }

    fn what_the_clock_releases_is_found_too(world) {
        let kit = Kit::of(world, "5301");
        let id = kit.taken("covert", &["record"]);
        let body = json!({ "release_at": world.clock.now().plus_seconds(600) });
        world.as_("53-discipline").post(&format!("/unannounced-checks/{id}/confirm"), &body).expect(200, "");
        let look = || sealing::run(embargo::release_by_the_clock(world.doors())).expect("the clock is looked at");
        world.advance(599);
        assert_eq!((look(), total(world, "53-discipline", "")), (0, json!(0)));
        world.advance(1);
        assert_eq!(look(), 1);
        let (_, from) = window(world, &id);
        assert_eq!(told(&of_check(world, "5301-unit-head", &id)), [row("GZ-1", "pending", "3.00", None, Some(&from))]);
        let actors = Raw::owner(world, "53").texts("SELECT actor AS text FROM audit_log WHERE entity = 'finding_candidate'");
        assert_eq!(actors, ["job:check_release"]);
        assert_eq!(look(), 0);
        assert_eq!(total(world, "53-discipline", ""), 1);
    }

    fn they_are_found_where_their_check_is_answered_for(world) {
        let kit = Kit::of(world, "530102");
        let (id, _) = released(&kit, "covert");
        let path = format!("{LIST}/{}", of_check(world, "53-discipline", &id)[0]["id"].as_str().unwrap());
        let within = |code: &str, more: &str| total(world, "53-discipline", &format!("unit_id={}{more}", world.unit(code)));
        let system = world.as_("53-system-admin");
        let to = |unit: &str, name: &str| json!({ name: world.unit(unit), "reason": "区划调整。" });
        assert_eq!((within("5301", ""), within("5301", "&depth=self"), within("5303", "")), (json!(3), json!(0), json!(0)));
        assert_eq!((total(world, "5301-group-office", ""), total(world, "5303-group-office", "")), (json!(3), json!(0)));
        // The county goes to another city,
        system.post(&format!("/units/{}/move", kit.unit), &to("5303", "parent_id")).expect(200, "");
        assert_eq!((within("5301", ""), within("5303", ""), within("530102", "&depth=self")), (json!(0), json!(3), json!(3)));
        world.as_("5303-group-office").get(&path).expect(200, "");
        world.as_("5301-group-office").get(&path).expect(404, "not_found");
        // and into another county: that one answers for it, and the unit is named that was inspected.
        system.post(&format!("/units/{}/merge", kit.unit), &to("530302", "into_id")).expect(200, "");
        assert_eq!((within("5303", ""), within("530302", "&depth=self")), (json!(3), json!(3)));
        assert_eq!((total(world, "5301-group-office", ""), total(world, "5303-group-office", "")), (json!(0), json!(3)));
        assert_eq!(shown(world, "5303-group-office", &path)["unit"]["code"], "530102");
    }

    fn a_list_is_narrowed_and_given_as_a_file(world) {
        let kit = Kit::of(world, "5301");
        let (covert, _) = released(&kit, "covert");
        let other = Kit::of(world, "5303").taken("open", &["record", "confirm", "release"]);
        let count = |query: &str| total(world, "53-discipline", query);
        assert_eq!((count(""), count("item=GZ-1"), count("item=GZ-2"), count("item=LC-1")), (json!(4), json!(2), json!(0), json!(1)));
        assert_eq!((count("kind=covert"), count("kind=open"), count("kind=open&kind=covert")), (json!(3), json!(1), json!(4)));
        assert_eq!((count(&format!("check_id={other}")), count(&format!("check_id={other}&item=LC-1"))), (json!(1), json!(0)));
        assert_eq!(count(&format!("check_id={}", uuid::Uuid::now_v7())), 0);
        for wrong in ["item=gz-1", "state=final", "check_id=x", "colour=red"] {
            world.as_("53-discipline").get(&format!("{LIST}?{wrong}")).expect(400, "");
        }
        for format in FORMATS {
            let file = export(&world.as_("5301-liaison"), LIST, format);
            let rows = table(format, &file);
            let head = rows[0].iter().map(String::as_str).collect::<Vec<_>>();
            assert_eq!(rows.len(), 4, "{head:?}");
            let column = |name: &str| {
                let at = head.iter().position(|one| *one == name).unwrap_or_else(|| panic!("no {name} in {head:?}"));
                rows[1..].iter().map(|row| row[at].clone()).collect::<Vec<_>>()
            };
            assert_eq!(column("项号"), ["DR-2", "LC-1", "GZ-1"], "the newest first");
            assert_eq!(column("状态"), ["待定", "待定", "待定"]);
            assert_eq!(column("受检单位代码"), ["5301", "5301", "5301"]);
            let number = shown(world, "53-discipline", &format!("/unannounced-checks/{covert}"))["number"].clone();
            assert_eq!(json!(column("检查编号")[0]), number);
        }
    }

    fn what_was_released_before_there_were_candidates_is_drawn_once(world) {
        let kit = Kit::of(world, "5301");
        let (plain, _) = released(&kit, "open");
        let (amended, _) = released(&kit, "covert");
        kit.act(&amended, "contest").expect(200, "");
        amend(&kit, &amended);
        // Not released, and released without anything to deduct.
        kit.taken("covert", &["record", "confirm"]);
        let clean = kit.begin("open");
        let mut all_well = kit.record();
        all_well["answers"][0]["yes"] = json!(true);
        world.as_("53-inspector").post(&format!("/unannounced-checks/{clean}/record"), &all_well).expect(200, "");
        kit.act(&clean, "confirm").expect(200, "");
        kit.act(&clean, "release").expect(200, "");

        let draw = || sealing::run(missing::draw(world.doors())).expect("it is drawn");
        let all = || [&plain, &amended].map(|check| {
            let mut rows = told(&of_check(world, "53-discipline", check));
            rows.sort_unstable();
            rows
        });
        let before = all();
        assert_eq!(before.iter().map(Vec::len).collect::<Vec<_>>(), [3, 4]);
        assert_eq!(draw(), 0, "nothing is missing");
        let mut raw = Raw::owner(world, "53");
        raw.run("DELETE FROM finding_candidates").unwrap();
        assert_eq!(draw(), 7);
        assert_eq!(all(), before);
        assert_eq!((draw(), total(world, "53-discipline", "")), (0, json!(7)));
        // Released after the change, and decided on by an instance from before it.
        raw.run("DELETE FROM finding_candidates WHERE recorded = 0").unwrap();
        raw.run("UPDATE finding_candidates SET amended = NULL").unwrap();
        // Until it is drawn it is open: neither dropped nor counted with nothing.
        let open = all();
        assert!(open[1].len() == 3 && open[1].iter().all(|row| (row.1.as_str(), &row.3, &row.4) == ("pending", &None, &None)), "{open:?}");
        let by_state = ["pending", "counted", "dropped"].map(|state| total(world, "53-discipline", &format!("state={state}")));
        assert_eq!(by_state, [json!(6), json!(0), json!(0)]);
        assert_eq!(draw(), 4);
        assert_eq!((all(), draw()), (before, 0));
        let actors = raw.texts("SELECT DISTINCT actor AS text FROM audit_log WHERE entity = 'finding_candidate' AND action = 'background'");
        assert_eq!(actors, ["job:finding_candidates"]);
    }

    fn it_is_told_to_whoever_may_know_at_the_release(world) {
        let kit = Kit::of(world, "5301");
        sealing::seal(world, "53");
        let _running = Running::beside(world.doors());
        let listen = |who: &str| Ear::open(world.address(), world.as_(who).token(), None);
        let (head, beside) = (listen("5301-unit-head"), listen("5303-unit-head"));
        let id = kit.taken("covert", &["record", "confirm"]);
        let quiet = std::time::Duration::from_millis(1200);
        assert_eq!(head.next(quiet), None, "nothing before the release");
        kit.act(&id, "release").expect(200, "");
        let heard = head.until("finding_candidate unannounced_check.release");
        let last = heard.last().unwrap();
        let candidate = of_check(world, "53-discipline", &id)[0]["id"].clone();
        assert_eq!((json!(last.about()), &last.data["of"]), (candidate, &json!(id)));
        assert_eq!(heard.iter().filter(|event| event.kind == "finding_candidate").count(), 1);
        assert_eq!(beside.next(quiet), None, "nor beside it after");
    }
}
