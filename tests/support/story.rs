//! What tests begin from: a campaign, its leading group, plans in any state, all made by the people
//! whose business it is.

use serde_json::{Value, json};

use super::World;

/// A campaign of a province under way.
pub struct Story {
    /// The campaign.
    pub campaign: String,
    /// The plan of the campaign's own unit.
    pub plan: String,
    /// A task of that plan.
    pub task: String,
}

/// A body for `POST /campaigns` at the unit with this code.
pub fn campaign_body(world: &World, code: &str) -> Value {
    json!({
        "unit_id": world.unit(code), "name": "治庸懒、强担当、树新风", "theme": "整治冷硬横推、慵懒散拖。", "year": 2026,
        "phases": phases(world), "scope": { "kinds": ["city", "county"], "unit_ids": [] },
    })
}

fn phases(world: &World) -> Value {
    json!([
        { "name": "动员部署", "starts_on": world.day(-20), "ends_on": world.day(-1) },
        { "name": "自查自纠", "starts_on": world.day(0), "ends_on": world.day(60) },
    ])
}

/// A body for `POST /plans` that is complete enough to submit.
pub fn plan_body(world: &World, campaign: &str, code: &str) -> Value {
    json!({
        "campaign_id": campaign, "unit_id": world.unit(code), "title": "主题活动实施方案",
        "meeting": { "title": "党委会议", "number": "云公党纪〔2026〕4号", "held_on": world.day(-21) },
        "phases": phases(world),
        "tasks": [{
            "category": "服务窗口", "title": "落实一次性告知", "content": "一次告知全部材料。",
            "lead_leader": "分管副厅长", "due_on": world.day(30), "frequency": "weekly", "daily_entries": true,
            "responsible": [{ "unit_id": world.unit(code), "extent": "self" }],
        }],
    })
}

/// A leading group of people of the root with this code.
pub fn group_body(world: &World, code: &str) -> Value {
    json!({
        "head_user_id": world.user(&format!("{code}-group-head")),
        "office_unit_id": world.unit(&format!("{code}-D01")),
        "members": [{ "user_id": world.user(&format!("{code}-group-member")), "duty": "副组长" }],
    })
}

/// A campaign with a complete leading group, not launched.
pub fn campaign(world: &World, code: &str) -> String {
    let office = world.as_(&format!("{code}-group-office"));
    let campaign = office.post("/campaigns", &campaign_body(world, code)).expect(201, "").id();
    let group = format!("/campaigns/{campaign}/leading-group");
    let etag = office.get(&group).expect(200, "").etag();
    office.put(&group, &etag, &group_body(world, code)).expect(200, "");
    campaign
}

/// A draft of the unit with this code, by whoever holds `by` there.
pub fn draft(world: &World, campaign: &str, code: &str, by: &str) -> String {
    world.as_(by).post("/plans", &plan_body(world, campaign, code)).expect(201, "").id()
}

/// Takes a plan a step further.
pub fn step(world: &World, by: &str, plan: &str, action: &str) {
    let body = match action {
        "return" => json!({ "comment": "第三项任务没有量化目标, 请补充后再报。" }),
        "withdraw" | "amend" => json!({ "reason": "另行编制。" }),
        _ => json!({}),
    };
    world.as_(by).post(&format!("/plans/{plan}/{action}"), &body).expect(200, "");
}

/// A launched campaign of the root with this code: its plan is published.
pub fn launched(world: &World, code: &str) -> Story {
    let campaign = campaign(world, code);
    let (office, head) = (format!("{code}-group-office"), format!("{code}-group-head"));
    let plan = draft(world, &campaign, code, &office);
    step(world, &office, &plan, "submit");
    step(world, &head, &plan, "approve");
    step(world, &office, &plan, "publish");
    let shown = world.as_(&office).get(&format!("/plans/{plan}")).expect(200, "").json();
    let task = shown["tasks"][0]["id"].as_str().expect("a task").to_owned();
    Story { campaign, plan, task }
}

/// A plan of the unit with this code under its parent's, published by its office and its head.
pub fn published(world: &World, body: &Value, code: &str) -> Value {
    let office = format!("{code}-group-office");
    let plan = world.as_(&office).post("/plans", body).expect(201, "").id();
    finished(world, &plan, code)
}

/// Takes a draft of the unit with this code through to its publication; the plan as it is then.
pub fn finished(world: &World, plan: &str, code: &str) -> Value {
    let (office, head) = (format!("{code}-group-office"), format!("{code}-group-head"));
    step(world, &office, plan, "submit");
    step(world, &head, plan, "approve");
    step(world, &office, plan, "publish");
    world.as_(&office).get(&format!("/plans/{plan}")).expect(200, "").json()
}

/// A task of a plan: what it is called, who has it, when it is due.
pub fn task(world: &World, title: &str, responsible: &Value, due: i64) -> Value {
    json!({
        "category": "服务窗口", "title": title, "content": "一次告知全部材料。", "lead_leader": "分管副厅长",
        "responsible": responsible, "due_on": world.day(due), "frequency": "weekly", "daily_entries": true,
    })
}

/// An authorisation to check the unit with this code and all below it, from today on for thirty days, by the province's
/// inspector and special supervisor under its discipline.
pub fn authorisation_body(world: &World, code: &str) -> Value {
    let province = &code[..2];
    let mark = if province == "50" { super::people::CANARY } else { "" };
    let user = |role: &str| world.user(&format!("{province}-{role}"));
    json!({
        "unit_id": world.unit(code), "title": format!("窗口暗访{mark}"), "basis": "领导小组会议: 常态暗访。",
        "kinds": ["open", "covert"], "area_unit_ids": [world.unit(code)],
        "team_user_ids": [user("inspector"), user("special-supervisor")], "commander_user_id": user("discipline"),
        "valid_from_on": world.day(0), "valid_until_on": world.day(30),
    })
}

/// Such an authorisation, proposed by the province's discipline and approved by its office.
pub fn authorised(world: &World, code: &str) -> String {
    let province = &code[..2];
    let discipline = world.as_(&format!("{province}-discipline"));
    let id = discipline.post("/authorisations", &authorisation_body(world, code)).expect(201, "").id();
    let office = world.as_(&format!("{province}-group-office"));
    office.post(&format!("/authorisations/{id}/approve"), &json!({})).expect(200, "");
    id
}

/// An approved authorisation to check the unit with this code of 53, whose commander's account has been disabled since.
pub fn deserted(world: &World, code: &str) -> String {
    let (login, system) = ("5303-group-head", world.as_("53-system-admin"));
    let account = format!("/users/{}", world.user(login));
    // Gone from another one already, they were not to be named.
    system.post(&format!("{account}/enable"), &json!({}));
    let mut body = authorisation_body(world, code);
    body["commander_user_id"] = json!(world.user(login));
    let id = world.as_("53-discipline").post("/authorisations", &body).expect(201, "").id();
    let office = world.as_("53-group-office");
    office.post(&format!("/authorisations/{id}/approve"), &json!({})).expect(200, "");
    system.post(&format!("{account}/disable"), &json!({})).expect(200, "");
    id
}

/// A body for `POST /conflicts`: one's own interest in the unit with this code.
pub fn conflict_body(world: &World, code: &str, kind: &str) -> Value {
    let mark = if code.starts_with("50") { super::people::CANARY } else { "" };
    json!({ "unit_id": world.unit(code), "kind": kind, "statement": format!("配偶现任该单位副职{mark}。") })
}

/// A declaration of one's own interest.
pub fn conflict(world: &World, who: &str, code: &str, kind: &str) -> String {
    world.as_(who).post("/conflicts", &conflict_body(world, code, kind)).expect(201, "").id()
}
