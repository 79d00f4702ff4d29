//! The matrix and the progress are remembered while nothing has changed: what somebody else changes, through whichever
//! instance, is there with the next question; and nobody is told what was remembered for somebody who sees more.

use serde_json::{Value, json};

use crate::support::{Second, World, both, story};
use crate::tasks::{complete, id, launched, units};

const OFFICE: &str = "53-group-office";

/// What both instances say, twice each: the second time it is remembered.
fn told(world: &World, second: &Second, who: &str, path: &str) -> Value {
    let ask = || world.as_(who).get(path).expect(200, "").text();
    let there = || world.as_(who).at(second).get(path).expect(200, "").text();
    let first = ask();
    for again in [ask(), there(), there()] {
        assert_eq!(first, again, "{path} for {who}");
    }
    serde_json::from_str(&first).unwrap()
}

fn named(view: &Value, list: &str, code: &str) -> Value {
    let rows = view[list].as_array().unwrap();
    rows.iter().find(|one| one["unit"]["code"] == code).cloned().unwrap_or(Value::Null)
}

both! {
    fn what_one_instance_changes_the_other_tells_at_once(world) {
        let second = world.second();
        let task = story::task(world, "接处警回访", &units(world, &[("53", "subtree", Some("city"))]), 10);
        let (campaign, top) = launched(world, &[task]);
        let (plans, progress) = (format!("/campaigns/{campaign}/plans"), format!("/campaigns/{campaign}/progress"));
        let matrix = || told(world, &second, OFFICE, &plans);
        let figures = || told(world, &second, OFFICE, &progress);
        assert_eq!(named(&matrix(), "branches", "5303")["plan"], Value::Null);
        assert_eq!(figures()["unit"]["done"], 0);

        // A plan is begun, through the second instance.
        let mut body = story::plan_body(world, &campaign, "5303");
        body["tasks"][0]["parent_task_id"] = json!(id(&top, 0));
        let draft = world.as_("5303-group-office").at(&second).post("/plans", &body).expect(201, "");
        assert_eq!(named(&matrix(), "branches", "5303")["plan"]["state"], "draft");
        // It is changed: its version shows, for who approves many.
        let version = draft.json()["version"].as_i64().unwrap();
        world.as_("5303-group-office")
            .patch(&format!("/plans/{}", draft.id()), &draft.etag(), &json!({ "title": "曲靖市方案" }))
            .expect(200, "");
        assert_eq!(named(&matrix(), "branches", "5303")["plan"]["version"], version + 1);

        // A task is done, through the second instance.
        let unit = world.unit("5301");
        let done = json!({ "unit_id": unit, "evidence": "抽查回访录音二十条。" });
        world.as_("5301-liaison").at(&second).post(&format!("/tasks/{}/complete", id(&top, 0)), &done).expect(200, "");
        assert_eq!(figures()["unit"]["done"], 1);
        assert_eq!(named(&figures(), "below", "5301")["done"], 1);
        complete(world, "5304-unit-head", &id(&top, 0), "5304").expect(200, "");
        assert_eq!(figures()["unit"]["done"], 2);

        // A unit gets another name, and another place.
        let admin = world.as_("53-system-admin");
        let path = format!("/units/{}", world.unit("5304"));
        let etag = admin.get(&path).expect(200, "").etag();
        admin.patch(&path, &etag, &json!({ "name": "玉溪市公安局红塔分局" })).expect(200, "");
        assert_eq!(named(&matrix(), "branches", "5304")["unit"]["name"], "玉溪市公安局红塔分局");
        assert_eq!(named(&figures(), "below", "5304")["unit"]["name"], "玉溪市公安局红塔分局");
        let before = named(&matrix(), "branches", "5303")["below"]["units"].as_i64().unwrap();
        let to = json!({ "parent_id": world.unit("5303"), "reason": "区划调整。" });
        admin.at(&second).post(&format!("/units/{}/move", world.unit("530102")), &to).expect(200, "");
        assert_eq!(named(&matrix(), "branches", "5303")["below"]["units"], before + 1);

        // What the clock alone changes is told too: after the first phase what is not in force is overdue.
        let due = matrix()["due_on"].as_str().unwrap().to_owned();
        while world.day(0) <= due {
            world.advance(86_400);
        }
        let cities = matrix()["levels"][0]["tally"].clone();
        assert_eq!(cities["overdue"], cities["units"], "no city has published: {cities}");
        assert_eq!(figures()["on"], world.day(0));
    }

    fn nobody_is_told_what_was_remembered_for_somebody_who_sees_more(world) {
        let task = story::task(world, "接处警回访", &units(world, &[("53", "subtree", Some("city"))]), 10);
        let (campaign, _) = launched(world, &[task]);
        let root = world.unit("53");
        let all = format!("/campaigns/{campaign}/plans");
        let office = world.as_(OFFICE).get(&all).expect(200, "").json();
        assert!(office["branches"].as_array().unwrap().len() > 1);
        // The head of a city asks the same of the same unit, and is told of the city.
        let own = world.as_("5303-group-head").get(&all).expect(200, "").json();
        let codes: Vec<&Value> = own["branches"].as_array().unwrap().iter().map(|one| &one["unit"]["code"]).collect();
        assert_eq!(codes, [&json!("5303")]);
        assert_eq!(world.as_(OFFICE).get(&all).expect(200, "").json(), office);
        // Progress of what is out of reach is not found, however often it was told to others.
        let progress = format!("/campaigns/{campaign}/progress?unit_id={root}");
        world.as_(OFFICE).get(&progress).expect(200, "");
        world.as_("5303-group-head").get(&progress).expect(404, "not_found");
        // Another province knows neither.
        world.as_("50-group-office").get(&all).expect(404, "not_found");
        world.as_("50-group-office").get(&format!("/campaigns/{campaign}/progress")).expect(404, "not_found");
    }

    fn thirty_two_at_once_count_every_change(world) {
        let kinds = [("53", "subtree", Some("city")), ("53", "subtree", Some("county")), ("53", "subtree", Some("station"))];
        let tasks: Vec<Value> = (0..8).map(|at| story::task(world, &format!("任务{at}"), &units(world, &kinds), 10)).collect();
        let (campaign, top) = launched(world, &tasks);
        let progress = format!("/campaigns/{campaign}/progress");
        let before = world.as_(OFFICE).get(&progress).expect(200, "").json();
        let people = [("5301-liaison", "5301"), ("5303-liaison", "5303"), ("5304-unit-head", "5304"), ("530102-liaison", "530102")];
        for (who, _) in people {
            world.as_(who);
        }
        // Each completes while others do; whoever asks meanwhile is told a number that never falls.
        std::thread::scope(|scope| {
            let (top, progress) = (&top, &progress);
            for (who, code) in people {
                scope.spawn(move || {
                    for at in 0..8 {
                        complete(world, who, &id(top, at), code).expect(200, "");
                    }
                });
            }
            scope.spawn(move || {
                let mut last = 0;
                for _ in 0..40 {
                    let told = world.as_(OFFICE).get(progress).expect(200, "").json();
                    let done = told["unit"]["done"].as_i64().unwrap();
                    assert!(done >= last, "{done} after {last}");
                    last = done;
                }
            });
        });
        let after = world.as_(OFFICE).get(&progress).expect(200, "").json();
        assert_eq!(after["unit"]["done"], 32);
        assert_eq!(after["unit"]["total"], before["unit"]["total"]);
    }
}
