//! Many at once at the same thing, on both databases: no edit is lost, nothing is counted twice.

use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::support::client::Reply;
use crate::support::{World, both, story};
use crate::tasks::{complete, id, launched};

/// So many people.
const CROWD: usize = 32;

/// Each does its part at the same moment; what comes of it.
fn all_at_once<R: Send>(people: usize, part: impl Fn(usize) -> R + Sync) -> Vec<R> {
    let barrier = Barrier::new(people);
    std::thread::scope(|scope| {
        let (barrier, part) = (&barrier, &part);
        let one = |who: usize| {
            scope.spawn(move || {
                barrier.wait();
                part(who)
            })
        };
        let threads: Vec<_> = (0..people).map(one).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// The tasks of a plan as a body has them, with another title for one of them.
fn edited(view: &Value, at: usize, title: &str) -> Value {
    let keep = ["id", "category", "title", "content", "due_on", "frequency"];
    let mut tasks: Vec<Value> = view["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| {
            keep.iter()
                .map(|key| ((*key).to_owned(), task[key].clone()))
                .collect::<serde_json::Map<_, _>>()
                .into()
        })
        .collect();
    tasks[at]["title"] = json!(title);
    json!({ "tasks": tasks })
}

/// Reads, changes the own task, writes what was read; when somebody was faster, reads again.
fn edit_until_done(world: &World, path: &str, at: usize, tries: &AtomicUsize) {
    let office = world.as_("53-group-office");
    for _ in 0..CROWD * 2 {
        let read = office.get(path).expect(200, "");
        tries.fetch_add(1, Ordering::Relaxed);
        let reply = office.patch(path, &read.etag(), &edited(&read.json(), at, &format!("任务{at} 已改")));
        if reply.status == 200 {
            return;
        }
        reply.expect(412, "precondition_failed");
    }
    panic!("{at} was never first");
}

fn county(code: usize) -> String {
    format!("53{:04}", 2000 + code)
}

/// Qujing with so many counties, one liaison of them all, and a task that each of them has.
fn counties(world: &World) -> (String, String, Vec<String>) {
    let liaison = format!("/users/{}/role-bindings", world.user("53-nobody"));
    let units: Vec<String> = (0..CROWD)
        .map(|at| {
            let body = json!({
                "code": county(at), "name": format!("第{at}分局"), "kind": "county", "parent_id": world.unit("5303"),
            });
            let unit = world.as_("53-system-admin").post("/units", &body).expect(201, "").id();
            let binding = json!({ "role": "liaison", "unit_id": unit });
            world.as_("53-security-admin").post(&liaison, &binding).expect(201, "");
            unit
        })
        .collect();
    let each: Vec<Value> = units.iter().map(|unit| json!({ "unit_id": unit, "extent": "self" })).collect();
    let (campaign, plan) = launched(world, &[story::task(world, "落实", &json!(each), 30)]);
    (campaign, id(&plan, 0), units)
}

/// Total and done of a unit and all below it.
fn figures(world: &World, campaign: &str, unit: &str) -> (Value, Value) {
    let path = format!("/campaigns/{campaign}/progress?unit_id={}", world.unit(unit));
    let view = world.as_("53-group-office").get(&path).expect(200, "").json();
    (view["unit"]["total"].clone(), view["unit"]["done"].clone())
}

both! {
    fn of_thirty_two_who_edit_one_plan_each_edit_is_there_in_the_end(world) {
        let campaign = story::campaign(world, "53");
        let mut body = story::plan_body(world, &campaign, "53");
        let task = |at: usize| json!({
            "category": "服务窗口", "title": format!("任务{at}"), "content": "一次告知全部材料。",
            "due_on": world.day(30), "frequency": "weekly",
        });
        body["tasks"] = (0..CROWD).map(task).collect();
        let office = world.as_("53-group-office");
        let path = format!("/plans/{}", office.post("/plans", &body).expect(201, "").id());
        let tries = AtomicUsize::new(0);
        all_at_once(CROWD, |at| edit_until_done(world, &path, at, &tries));
        let end = office.get(&path).expect(200, "").json();
        let titles: Vec<String> = end["tasks"].as_array().unwrap().iter().map(|task| task["title"].as_str().unwrap().to_owned()).collect();
        let wanted: Vec<String> = (0..CROWD).map(|at| format!("任务{at} 已改")).collect();
        assert_eq!((titles, &end["version"]), (wanted, &json!(CROWD + 1)), "each won once, and none over another");
        let tries = tries.into_inner();
        assert!(tries > CROWD, "nobody met anybody");
    }

    fn of_thirty_two_units_that_complete_at_once_each_is_counted_once(world) {
        let (campaign, task, units) = counties(world);
        let liaison = world.as_("53-nobody");
        let path = format!("/tasks/{task}/complete");
        let replies = all_at_once(CROWD, |at| {
            liaison.post(&path, &json!({ "unit_id": units[at], "evidence": format!("第{at}分局台账。") }))
        });
        for reply in replies {
            assert_eq!(reply.expect(200, "").json()["state"], "done");
        }
        let all = (json!(CROWD), json!(CROWD));
        assert_eq!((figures(world, &campaign, "53"), figures(world, &campaign, "5303")), (all.clone(), all));
        crate::tasks_history::holds(world);
    }

    fn of_eight_who_complete_the_same_one_does(world) {
        let each = crate::tasks::units(world, &[("5301", "self", None), ("5303", "self", None)]);
        let (campaign, plan) = launched(world, &[story::task(world, "落实", &each, 30)]);
        let task = id(&plan, 0);
        world.as_("5301-liaison");
        let replies: Vec<Reply> = all_at_once(8, |_| complete(world, "5301-liaison", &task, "5301"));
        let (done, late): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.status == 200);
        assert_eq!(done.len(), 1);
        for reply in late {
            reply.expect(409, "assignment_done");
        }
        assert_eq!(figures(world, &campaign, "53"), (json!(2), json!(1)));
        crate::tasks_history::holds(world);
    }
}
