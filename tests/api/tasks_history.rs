//! Random histories: whatever is published, completed, taken back, moved and merged, the counters are
//! what counting gives, and what is carried is what its carriers make of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::raw::Raw;
use crate::support::{World, both, story};
use crate::tasks::{child, complete, id, launched, reopen, units};

/// A generator of its own, so that a failing seed can be run again.
pub struct Dice(pub u64);

impl Dice {
    /// A number below this one.
    pub fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % below
    }
}

struct Row {
    task: String,
    parent: String,
    path: String,
    state: String,
    carried: bool,
    direct: bool,
    plan: String,
    due: String,
    campaign: String,
}

/// Looks at what is remembered, from above and from below, twice: the server itself compares what it remembers with
/// what it would say now, in a build for development, and answers 500 when they differ.
fn glance(world: &World, campaign: &str) {
    let (plans, progress) =
        (format!("/campaigns/{campaign}/plans"), format!("/campaigns/{campaign}/progress"));
    for who in ["53-group-office", "5301-group-head", "5303-unit-head"] {
        for path in [&plans, &progress, &plans, &progress] {
            world.as_(who).get(path).expect(200, "");
        }
    }
}

/// What is counted, told by the assignments alone, against the counters and the flags.
pub fn holds(world: &World) {
    let mut raw = Raw::owner(world, "53");
    let id = |column: &str| {
        if matches!(world.backend, crate::support::Backend::Sqlite) {
            format!("hex({column})")
        } else {
            format!("{column}::text")
        }
    };
    let flag = |column: &str| format!("CASE WHEN {column} THEN 'yes' ELSE 'no' END");
    let sql = format!(
        "SELECT {} || '|' || coalesce({}, '') || '|' || a.unit_path || '|' || a.state || '|' || {} || '|' || {} || '|' || \
         CAST(a.due_on AS TEXT) || '|' || {} || '|' || t.unit_path AS text FROM task_assignments a \
         JOIN tasks t ON t.tenant_id = a.tenant_id AND t.id = a.task_id",
        id("a.task_id"),
        id("a.parent_task_id"),
        flag("a.carried"),
        flag("a.completed_at IS NOT NULL"),
        id("a.campaign_id"),
    );
    let rows: Vec<Row> = raw
        .texts(&sql)
        .iter()
        .map(|line| {
            let mut parts = line.split('|').map(ToOwned::to_owned);
            let mut next = || parts.next().unwrap();
            Row {
                task: next(),
                parent: next(),
                path: next(),
                state: next(),
                carried: next() == "yes",
                direct: next() == "yes",
                due: next(),
                campaign: next(),
                plan: next(),
            }
        })
        .filter(|row| row.state != "retired")
        .collect();
    let mut wanted: BTreeMap<(String, String, String), (i64, i64)> = BTreeMap::new();
    let mut answers: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in &rows {
        answers.entry(&row.parent).or_default().push(row);
    }
    for row in &rows {
        let carriers: Vec<&&Row> = answers
            .get(row.task.as_str())
            .into_iter()
            .flatten()
            .filter(|other| other.path.starts_with(&row.path))
            // A lower unit's plan is no answer for a higher unit.
            .filter(|other| row.path.starts_with(&other.plan) || other.path == row.path)
            .collect();
        assert_eq!(row.carried, !carriers.is_empty(), "{} at {} carried", row.task, row.path);
        let done =
            if carriers.is_empty() { row.direct } else { carriers.iter().all(|one| one.state == "done") };
        assert_eq!(row.state == "done", done, "{} at {} is {}", row.task, row.path, row.state);
        if carriers.is_empty() {
            for (end, _) in row.path.match_indices('/') {
                let sum = wanted
                    .entry((row.campaign.clone(), row.path[..=end].to_owned(), row.due.clone()))
                    .or_default();
                *sum = (sum.0 + 1, sum.1 + i64::from(done));
            }
        }
    }
    let sql = format!(
        "SELECT {} || '|' || unit_path || '|' || CAST(due_on AS TEXT) || '|' || CAST(total AS TEXT) || '|' || CAST(done AS TEXT) AS text \
         FROM progress_counters WHERE total <> 0 OR done <> 0",
        id("campaign_id"),
    );
    let found: BTreeMap<(String, String, String), (i64, i64)> = raw
        .texts(&sql)
        .iter()
        .map(|line| {
            let parts: Vec<&str> = line.split('|').collect();
            let number = |at: usize| parts[at].parse::<i64>().unwrap();
            ((parts[0].to_owned(), parts[1].to_owned(), parts[2].to_owned()), (number(3), number(4)))
        })
        .collect();
    assert_eq!(found, wanted, "counters (left) and what counting gives (right)");
    let astray = raw.texts(
        "SELECT a.unit_path AS text FROM task_assignments a JOIN units u ON u.tenant_id = a.tenant_id AND u.id = a.unit_id \
         WHERE a.unit_path <> u.path",
    );
    assert_eq!(astray, Vec::<String>::new());
}

/// Publishes a plan of a unit that answers what is above it: the province's tasks, or those of the city
/// that has published meanwhile.
fn cascade(world: &World, dice: &mut Dice, campaign: &str, top: &Value, code: &str) -> Value {
    let answer = |dice: &mut Dice, parent: &Value| {
        // On the parent's terms, by the unit alone or with what is below it.
        let extent = if dice.roll(2) == 0 { "self" } else { "subtree" };
        let title = format!("承接{}", parent["title"].as_str().unwrap());
        let mut task = story::task(world, &title, &units(world, &[(code, extent, None)]), 10);
        (task["due_on"], task["parent_task_id"]) = (parent["due_on"].clone(), parent["id"].clone());
        task
    };
    let answers = |dice: &mut Dice, parent: &Value| -> Vec<Value> {
        parent["tasks"].as_array().unwrap().iter().map(|task| answer(dice, task)).collect()
    };
    let mut body = story::plan_body(world, campaign, code);
    body["tasks"] = json!(answers(dice, top));
    let office = format!("{code}-group-office");
    let draft = world.as_(&office).post("/plans", &body);
    if draft.status == 201 {
        return story::finished(world, &draft.id(), code);
    }
    // Under a city that has published, the parent is the city's plan: its tasks are answered instead.
    draft.expect(422, "invalid_body");
    let list = world.as_(&office).get("/plans?state=running&state=published").expect(200, "").json();
    let above = list["items"].as_array().unwrap().iter().rev().find(|one| one["unit"]["kind"] == "city");
    let above = above.unwrap()["id"].as_str().unwrap().to_owned();
    let above = world.as_(&office).get(&format!("/plans/{above}")).expect(200, "").json();
    child(world, campaign, code, &answers(dice, &above))
}

fn play(world: &World, seed: u64) {
    let mut dice = Dice(seed);
    let kinds = [
        ("53", "subtree", Some("city")),
        ("53", "subtree", Some("county")),
        ("53", "subtree", Some("station")),
        ("5301", "subtree", None),
    ];
    let pick = |dice: &mut Dice| units(world, &[kinds[dice.roll(4)]]);
    let (campaign, top) = launched(
        world,
        &[
            story::task(world, "甲", &units(world, &kinds[..3]), 10),
            story::task(world, "乙", &pick(&mut dice), 20),
            story::task(world, "丙", &units(world, &[("53", "self", None), ("5303", "subtree", None)]), 10),
        ],
    );
    holds(world);
    let mut tasks: Vec<String> = (0..3).map(|at| id(&top, at)).collect();
    let mut waiting = vec!["5303", "530102", "5301"];
    let (mut merged, mut done, mut moved) = (false, 0, 0);
    let people = ["53", "5301", "530102", "5303"];
    for round in 0..24 {
        match dice.roll(8) {
            0 if !waiting.is_empty() => {
                let code = waiting.remove(dice.roll(waiting.len()));
                if code == "530102" && merged {
                    continue;
                }
                let plan = cascade(world, &mut dice, &campaign, &top, code);
                tasks.extend((0..plan["tasks"].as_array().unwrap().len()).map(|at| id(&plan, at)));
            }
            1 => {
                let to = ["5301", "5303", "5304"][dice.roll(3)];
                let what = ["530102", "530302"][dice.roll(2)];
                let body = json!({ "parent_id": world.unit(to), "reason": "区划调整。" });
                let reply =
                    world.as_("53-system-admin").post(&format!("/units/{}/move", world.unit(what)), &body);
                assert!(reply.status == 200 || reply.status == 409, "{}", reply.story());
                moved += u32::from(reply.status == 200);
            }
            2 if !merged && round > 8 => {
                let body = json!({ "into_id": world.unit("530302"), "reason": "两分局合并。" });
                let reply = world
                    .as_("53-system-admin")
                    .post(&format!("/units/{}/merge", world.unit("530102")), &body);
                assert!([200, 422].contains(&reply.status), "{}", reply.story());
                merged = reply.status == 200;
            }
            3 | 4 => {
                let (task, code) = (&tasks[dice.roll(tasks.len())], people[dice.roll(4)]);
                let reply = reopen(
                    world,
                    if dice.roll(2) == 0 { "53-group-office" } else { "53-group-head" },
                    task,
                    code,
                );
                assert!([200, 409, 422].contains(&reply.status), "{}", reply.story());
            }
            _ => {
                let (task, code) = (&tasks[dice.roll(tasks.len())], people[dice.roll(4)]);
                let unit = if merged && code == "530102" { "530302" } else { code };
                let reply = complete(world, &format!("{code}-liaison"), task, unit);
                assert!([200, 404, 409, 422].contains(&reply.status), "{}", reply.story());
                done += u32::from(reply.status == 200);
            }
        }
        holds(world);
        glance(world, &campaign);
    }
    assert!(done > 0 && moved > 0, "a history in which something happens: {done} done, {moved} moved");
}

both! {
    fn counters_are_what_counting_gives_after_any_history(world) {
        play(world, 1);
    }

    fn and_after_another(world) {
        play(world, 20_261_122);
    }

    fn and_after_a_third(world) {
        play(world, 77);
    }

    fn and_after_a_merge_with_everything_published(world) {
        let all = units(world, &[("53", "subtree", Some("city")), ("53", "subtree", Some("county")), ("53", "subtree", Some("station"))]);
        let (campaign, top) = launched(world, &[story::task(world, "甲", &all, 10), story::task(world, "乙", &all, 20)]);
        let answer = |code: &str, parent: String, due: i64| {
            let mut task = story::task(world, "承接", &units(world, &[(code, "subtree", None)]), due);
            task["parent_task_id"] = json!(parent);
            task
        };
        let alone = |code: &str, parent: String, due: i64| {
            let mut task = story::task(world, "自办", &units(world, &[(code, "self", None)]), due);
            task["parent_task_id"] = json!(parent);
            task
        };
        let kunming = child(world, &campaign, "5301", &[answer("5301", id(&top, 0), 10), alone("5301", id(&top, 1), 20)]);
        child(world, &campaign, "5303", &[answer("5303", id(&top, 0), 10), answer("5303", id(&top, 1), 20)]);
        complete(world, "530102-liaison", &id(&kunming, 0), "530102").expect(200, "");
        complete(world, "530102-liaison", &id(&top, 1), "530102").expect(200, "");
        holds(world);
        let admin = world.as_("53-system-admin");
        let move_to = |what: &str, to: &str| {
            let body = json!({ "parent_id": world.unit(to), "reason": "区划调整。" });
            admin.post(&format!("/units/{}/move", world.unit(what)), &body).expect(200, "");
            holds(world);
        };
        move_to("530102", "5303");
        move_to("530302", "5304");
        move_to("530102", "5301");
        let body = json!({ "into_id": world.unit("530302"), "reason": "两分局合并。" });
        admin.post(&format!("/units/{}/merge", world.unit("530102")), &body).expect(200, "");
        holds(world);
        // A unit merged away has nothing.
        let gone = admin.get(&format!("/units/{}", world.unit("530102"))).expect(200, "").json();
        assert_eq!(gone["status"], "deactivated");
        reopen(world, "53-group-office", &id(&top, 1), "530302").expect(409, "assignment_carried");
    }
}
