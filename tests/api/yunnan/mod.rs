//! The whole life of the Yunnan plan, by its people: an author writes its 59 tasks, the office files it, the
//! members vote, the head decides; 16 cities and 129 counties make theirs under it; a station's officer closes
//! the day; a version later the head closes the plan. The tree is the real one, the task list the demo's.

mod province;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use self::province::{STATION, Units};
use crate::cascade::{as_sent, complete, plan_of};
use crate::clearing::{DAY, calendar, sweep_up};
use crate::support::{Backend, World, story};
use crate::tasks_history::holds;
use crate::votes::{MEMBERS, grant, vote};

const AUTHOR: &str = "53-liaison";
const OFFICE: &str = "53-group-office";
const HEAD: &str = "53-group-head";

#[test]
fn on_sqlite() {
    live(&World::on(Backend::Sqlite));
}

#[test]
fn on_postgres() {
    live(&World::on(Backend::Postgres));
}

/// One life: the stages in their order.
fn live(world: &World) {
    calendar(world, &[true; 6]);
    let (units, departments) = province::settle(world);
    province::people(world);
    let all = province::assignments(&units);
    let life = adopted(world, units, &departments);
    assert_eq!(life.progress("53"), [all, 0]);
    life.cities();
    life.counties();
    life.at_a_glance("published");
    assert_eq!(
        life.progress("53"),
        [all, 0],
        "made down the tree, nothing is counted twice and nothing vanishes"
    );
    holds(world);

    let (daily, once) = (life.station_task(true), life.station_task(false));
    life.named(&daily);
    world.advance(DAY);
    life.at_a_glance("running");
    life.closes_the_day(&daily);
    life.completes(&once, all);
    world.advance(DAY);
    life.day_is_frozen();

    let postponed = life.amended();
    life.follows("5301", &postponed);
    assert_eq!(life.progress("53"), [all, 1]);
    holds(world);
    life.ends();
}

struct Life<'w> {
    world: &'w World,
    units: Units,
    campaign: String,
    plan: String,
}

fn show(world: &World, by: &str, plan: &str) -> Value {
    world.as_(by).get(&format!("/plans/{plan}")).expect(200, "").json()
}

/// Three members vote, two of them for it.
fn voted(world: &World, plan: &str) {
    world.as_(HEAD).post(&format!("/plans/{plan}/approve"), &json!({})).expect(422, "quorum_not_reached");
    for (member, choice) in MEMBERS.iter().zip(["for", "against", "for"]) {
        vote(world, member, plan, choice).expect(201, "");
    }
}

/// From an empty province to the published plan of its department.
fn adopted<'w>(world: &'w World, units: Units, departments: &BTreeMap<String, String>) -> Life<'w> {
    assert_eq!([units.of_kind("city").len(), units.of_kind("county").len()], [16, 129]);
    for member in &MEMBERS[1..] {
        grant(world, member, "group_member");
    }
    let office = world.as_(OFFICE);
    let campaign = office.post("/campaigns", &province::campaign_body(world)).expect(201, "").id();
    let mut group = story::group_body(world, "53");
    group["votes_on_plans"] = json!(true);
    office.put(&format!("/campaigns/{campaign}/leading-group"), "*", &group).expect(200, "");

    // The author writes, and does not file it; the office cannot file what names no meeting.
    let body = province::plan_body(world, &campaign, departments, &units);
    let draft = world.as_(AUTHOR).post("/plans", &body).expect(201, "");
    let (plan, tasks) = (draft.id(), draft.json()["tasks"].clone());
    assert_eq!(tasks.as_array().unwrap().len(), 59);
    let path = format!("/plans/{plan}");
    world.as_(AUTHOR).post(&format!("{path}/submit"), &json!({})).expect(403, "forbidden");
    office.post(&format!("{path}/submit"), &json!({})).expect(422, "plan_incomplete");
    let doubt = json!({ "task_id": tasks[2]["id"], "content": "当日办结的口径, 请写明起算时间。" });
    let comment = world.as_(MEMBERS[0]).post(&format!("{path}/comments"), &doubt).expect(201, "").id();
    let meeting =
        json!({ "title": "领导小组第一次会议", "number": "云公评〔2026〕1号", "held_on": world.day(-3) });
    office.patch(&path, &draft.etag(), &json!({ "meeting": meeting })).expect(200, "");
    story::step(world, OFFICE, &plan, "submit");
    story::step(world, HEAD, &plan, "return");
    let mut tasks: Vec<Value> = tasks.as_array().unwrap().iter().map(as_sent).collect();
    let content = format!("{}自受理时起算。", tasks[2]["content"].as_str().unwrap());
    tasks[2]["content"] = json!(content);
    world.as_(AUTHOR).patch(&path, "*", &json!({ "tasks": tasks })).expect(200, "");
    office.post(&format!("{path}/comments/{comment}/resolve"), &json!({})).expect(200, "");
    story::step(world, OFFICE, &plan, "submit");
    voted(world, &plan);
    story::step(world, HEAD, &plan, "approve");
    // Until it is published nobody below sees it, nor ever anybody of another province.
    world.as_("5301-liaison").get(&path).expect(404, "not_found");
    story::step(world, OFFICE, &plan, "publish");
    let seen = show(world, "5301-liaison", &plan);
    assert_eq!((&seen["state"], &seen["tasks"][2]["content"]), (&json!("published"), &json!(content)));
    world.as_("50-group-office").get(&path).expect(404, "not_found");
    Life { world, units, campaign, plan }
}

impl Life<'_> {
    fn plan_at(&self, code: &str) -> String {
        let path = format!("/plans?campaign_id={}&unit_id={}&depth=self", self.campaign, self.units.id(code));
        let list = self.world.as_(OFFICE).get(&path).expect(200, "").json();
        list["items"][0]["id"].as_str().unwrap().to_owned()
    }

    /// All and done, at a unit with everything below it.
    fn progress(&self, code: &str) -> [usize; 2] {
        let path = format!("/campaigns/{}/progress?unit_id={}", self.campaign, self.units.id(code));
        let unit = self.world.as_(OFFICE).get(&path).expect(200, "").json()["unit"].clone();
        ["total", "done"].map(|name| usize::try_from(unit[name].as_u64().unwrap()).unwrap())
    }

    /// The office begins for the 16 cities; the liaison of each writes, its head files, its leading group's
    /// head decides.
    fn cities(&self) {
        let world = self.world;
        let body = json!({ "kinds": ["city"] });
        let told = world.as_(OFFICE).post(&format!("/plans/{}/children", self.plan), &body).expect(200, "");
        assert_eq!((&told.json()["created"], &told.json()["existing"]), (&json!(16), &json!(0)));
        for code in self.units.of_kind("city") {
            let (plan, head) = (plan_of(&told, &code), format!("{code}-unit-head"));
            complete(world, &format!("{code}-liaison"), &plan);
            story::step(world, &head, &plan, "submit");
            story::step(world, &format!("{code}-group-head"), &plan, "approve");
            story::step(world, &head, &plan, "publish");
        }
    }

    /// Each city begins for its counties, their heads write and file, and the city's head decides on all of
    /// them at once.
    fn counties(&self) {
        let world = self.world;
        let mut made = 0;
        for city in self.units.of_kind("city") {
            let path = format!("/plans/{}/children", self.plan_at(&city));
            let told = world.as_(&format!("{city}-unit-head")).post(&path, &json!({})).expect(200, "");
            let counties = self.units.below("county", &city);
            assert_eq!(told.json()["created"], counties.len(), "{city}");
            made += counties.len();
            for county in &counties {
                let (plan, head) = (plan_of(&told, county), format!("{county}-unit-head"));
                complete(world, &head, &plan);
                if county == "530103" {
                    self.burdens(&head, &plan);
                }
                story::step(world, &head, &plan, "submit");
            }
            // Wuhua has a leading group of its own, whose head is nearer.
            let own = |county: &String| county == "530102";
            let plans: Vec<Value> =
                counties.iter().map(|one| json!({ "plan_id": plan_of(&told, one) })).collect();
            let done =
                world.as_(&format!("{city}-group-head")).post("/plans/approve", &json!({ "plans": plans }));
            for (county, one) in counties.iter().zip(done.expect(200, "").json()["items"].as_array().unwrap())
            {
                let wanted = if own(county) { json!("not_the_right_head") } else { Value::Null };
                assert_eq!(one["code"], wanted, "{county}");
            }
            for county in &counties {
                let plan = plan_of(&told, county);
                if own(county) {
                    story::step(world, "530102-group-head", &plan, "approve");
                }
                story::step(world, &format!("{county}-unit-head"), &plan, "publish");
            }
        }
        assert_eq!(made, 129);
    }

    /// A county that asks more of its stations than the city does is told what, and puts it right.
    fn burdens(&self, head: &str, plan: &str) {
        let world = self.world;
        let path = format!("/plans/{plan}");
        let right: Vec<Value> =
            show(world, head, plan)["tasks"].as_array().unwrap().iter().map(as_sent).collect();
        let mut more = right.clone();
        more[0]["due_on"] = json!(world.day(1));
        world.as_(head).patch(&path, "*", &json!({ "tasks": more })).expect(200, "");
        let refused =
            world.as_(head).post(&format!("{path}/submit"), &json!({})).expect(422, "downstream_inflation");
        assert_eq!(refused.errors(), [("/tasks/0/due_on".to_owned(), "deadline_shortened".to_owned())]);
        world.as_(head).patch(&path, "*", &json!({ "tasks": right })).expect(200, "");
    }

    /// The matrix: every city and county in this state, nobody overdue.
    fn at_a_glance(&self, state: &str) {
        let path = format!("/campaigns/{}/plans", self.campaign);
        let view = self.world.as_(OFFICE).get(&path).expect(200, "").json();
        let level = |kind: &str, units: usize| json!({ "kind": kind, "tally": { "units": units, "overdue": 0, "states": [{ "state": state, "units": units }] } });
        assert_eq!(view["levels"], json!([level("city", 16), level("county", 129)]));
        let branches = view["branches"].as_array().unwrap();
        assert_eq!(branches.len(), 16);
        for branch in branches {
            let code = branch["unit"]["code"].as_str().unwrap();
            assert_eq!(branch["below"]["units"], self.units.below("county", code).len(), "{code}");
        }
    }

    /// A task of the station: one that is entered day by day, or one that is not.
    fn station_task(&self, daily: bool) -> String {
        let world = self.world;
        let query = format!("/tasks?plan_id={}&limit=200", self.plan_at("530102"));
        let list = world.as_("530102-liaison").get(&query).expect(200, "").json();
        let binds = |task: &&Value| {
            let stations = task["responsible"].as_array().unwrap().iter().any(|one| one["kind"] == "station");
            stations && task["daily_entries"] == daily
        };
        let task = list["items"].as_array().unwrap().iter().find(binds).unwrap();
        task["id"].as_str().unwrap().to_owned()
    }

    /// The station's head answers for a daily task beside its officer.
    fn named(&self, task: &str) {
        let world = self.world;
        let head = world.as_(&format!("{STATION}-unit-head"));
        let unit = self.units.id(STATION);
        let list =
            head.get(&format!("/tasks/{task}/assignments?unit_id={unit}&depth=self")).expect(200, "").json();
        let assignment = list["items"][0]["id"].as_str().unwrap();
        let people = head.get(&format!("/officers?unit_id={unit}&depth=self")).expect(200, "").json();
        let ids: Vec<&Value> = people["items"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
        assert_eq!(ids.len(), 2);
        let path = format!("/tasks/{task}/assignments/{assignment}");
        head.patch(&path, "*", &json!({ "officer_ids": ids })).expect(200, "");
    }

    /// The officer closes the day, the head does not; the office sees who has not.
    fn closes_the_day(&self, task: &str) {
        let world = self.world;
        let officer = world.as_(&format!("{STATION}-officer"));
        let waits = officer.get("/auth/me/waiting").expect(200, "").json();
        assert_eq!(waits["counts"][0]["kind"], "day_to_enter", "{waits}");
        let body =
            json!({ "day": world.day(0), "done": "接警 12 起, 逐件回访, 群众均无异议。", "amount": 12 });
        let entry = officer.post(&format!("/tasks/{task}/entries"), &body).expect(201, "").json();
        assert_eq!((&entry["late"], &entry["for_other"]), (&json!(false), &json!(false)));
        self.day_is(0, false);
    }

    /// Owed, closed and open of that day, at the office.
    fn day_is(&self, day: i64, frozen: bool) {
        let world = self.world;
        let office = world.as_(OFFICE);
        let shown =
            office.get(&format!("/daily-clearing/summary?on={}", world.day(day))).expect(200, "").json();
        let figures = ["owed", "closed", "late", "open"].map(|name| shown["unit"][name].as_i64().unwrap());
        assert_eq!((figures, &shown["frozen"]), ([2, 1, 0, 1], &json!(frozen)));
        let open =
            office.get(&format!("/daily-clearing?state=open&on={}", world.day(day))).expect(200, "").json();
        let who: Vec<&Value> =
            open["items"].as_array().unwrap().iter().map(|row| &row["officer"]["number"]).collect();
        assert_eq!(who, [&json!(format!("Y{STATION}"))]);
    }

    fn day_is_frozen(&self) {
        assert_eq!(sweep_up(self.world), 1);
        self.day_is(-1, true);
    }

    /// What the station completes counts at every level; what the office takes back does not.
    fn completes(&self, task: &str, all: usize) {
        let world = self.world;
        let unit = self.units.id(STATION);
        let evidence = json!({ "unit_id": unit, "evidence": "逐起倒查 318 起, 补录 2 起, 台账存所。" });
        let head = format!("{STATION}-unit-head");
        let done = || ["53", "5301", "530102", STATION].map(|code| self.progress(code)[1]);
        let complete =
            || world.as_(&head).post(&format!("/tasks/{task}/complete"), &evidence).expect(200, "");
        complete();
        assert_eq!((done(), self.progress("5303")[1]), ([1; 4], 0));
        let back = json!({ "unit_id": unit, "reason": "抽查 3 起未回访。" });
        world.as_(OFFICE).post(&format!("/tasks/{task}/reopen"), &back).expect(200, "");
        assert_eq!(done(), [0; 4]);
        complete();
        assert_eq!((done(), self.progress("53")[0]), ([1; 4], all));
    }

    /// The office postpones a deadline; version 1 is in force until version 2 is voted on, approved and
    /// published, and then every city is told. The task that was postponed.
    fn amended(&self) -> Value {
        let world = self.world;
        let path = format!("/plans/{}", self.plan);
        let reason = json!({ "reason": "汛期警力紧张, 顺延一项任务的时限。" });
        let begun = world.as_(OFFICE).post(&format!("{path}/amend"), &reason).expect(200, "").json();
        let mut tasks: Vec<Value> =
            begun["amendment"]["tasks"].as_array().unwrap().iter().map(as_sent).collect();
        let later = tasks[5]["due_on"].as_str().unwrap().parse::<chrono::NaiveDate>().unwrap();
        tasks[5]["due_on"] = json!((later + chrono::Duration::days(10)).to_string());
        world.as_(OFFICE).patch(&path, "*", &json!({ "tasks": tasks })).expect(200, "");
        story::step(world, OFFICE, &self.plan, "submit");
        assert_eq!(show(world, "5301-liaison", &self.plan)["tasks"][5]["due_on"], json!(later.to_string()));
        voted(world, &self.plan);
        story::step(world, HEAD, &self.plan, "approve");
        assert_eq!(self.told(), 0);
        story::step(world, OFFICE, &self.plan, "publish");
        let now = show(world, "5301-liaison", &self.plan);
        assert_eq!((&now["number"], &now["tasks"][5]["due_on"]), (&json!(2), &tasks[5]["due_on"]));
        assert_eq!(self.told(), 16);
        now["tasks"][5].clone()
    }

    /// How many plans stand under one that was amended after them.
    fn told(&self) -> i64 {
        let path = "/plans?parent_amended=true&count=exact&limit=1";
        self.world.as_(OFFICE).get(path).expect(200, "").json()["total"].as_i64().unwrap()
    }

    /// A city takes the new deadline over, and its counties are told in their turn.
    fn follows(&self, code: &str, postponed: &Value) {
        let world = self.world;
        let (plan, head) = (self.plan_at(code), format!("{code}-unit-head"));
        let waits = world.as_(&head).get("/auth/me/waiting").expect(200, "").json();
        let kinds: Vec<&Value> = waits["counts"].as_array().unwrap().iter().map(|one| &one["kind"]).collect();
        assert!(kinds.contains(&&json!("plan_to_amend")), "{waits}");
        let path = format!("/plans/{plan}");
        let reason = json!({ "reason": "按省厅修订后的方案调整时限。" });
        let begun = world.as_(&head).post(&format!("{path}/amend"), &reason).expect(200, "").json();
        let mut tasks: Vec<Value> =
            begun["amendment"]["tasks"].as_array().unwrap().iter().map(as_sent).collect();
        let answer = tasks.iter_mut().find(|task| task["parent_task_id"] == postponed["id"]).unwrap();
        answer["due_on"] = postponed["due_on"].clone();
        world.as_(&head).patch(&path, "*", &json!({ "tasks": tasks })).expect(200, "");
        let diff = world.as_(&head).get(&format!("{path}/diff")).expect(200, "").json();
        assert_eq!(
            (diff["tasks"].as_array().unwrap().len(), &diff["tasks"][0]["fields"]),
            (1, &json!(["due_on"]))
        );
        story::step(world, &head, &plan, "submit");
        story::step(world, &format!("{code}-group-head"), &plan, "approve");
        story::step(world, &head, &plan, "publish");
        let counties = i64::try_from(self.units.below("county", code).len()).unwrap();
        assert_eq!(self.told(), 15 + counties);
    }

    /// Summed up by the office, closed by the head; what was published stays to be read.
    fn ends(&self) {
        let world = self.world;
        story::step(world, OFFICE, &self.plan, "conclude");
        story::step(world, HEAD, &self.plan, "close");
        assert_eq!(show(world, &format!("{STATION}-officer"), &self.plan)["state"], "closed");
        let late = json!({ "reason": "已经结束。" });
        world.as_(OFFICE).post(&format!("/plans/{}/amend", self.plan), &late).expect(409, "");
        let versions = world.as_(HEAD).get(&format!("/plans/{}/versions", self.plan)).expect(200, "").json();
        let told: Vec<(&Value, &Value)> =
            versions["items"].as_array().unwrap().iter().map(|one| (&one["number"], &one["state"])).collect();
        assert_eq!(told, [(&json!(2), &json!("in_force")), (&json!(1), &json!("superseded"))]);
    }
}
