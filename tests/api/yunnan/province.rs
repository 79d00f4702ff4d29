//! The real Yunnan: its tree by the divisions, its people, and the task list that the department adopted.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use pingyi::access::accounts::bindings::service::bind;
use pingyi::access::accounts::service::{NewAccount, enter_user};
use pingyi::access::policy::CommandLine;
use pingyi::access::{PathRange, Role, Tx, command_line, password};
use pingyi::db::TenantId;
use pingyi::errors::Result;
use pingyi::org::officers::rules::OfficerKind;
use pingyi::org::officers::service::{Enlisted, enlist};
use pingyi::org::posts::rules::PostKind;
use pingyi::org::rules::{Unit, UnitKind};
use pingyi::org::service::working_below;
use serde_json::{Value, json};

use crate::support::{World, people};
use crate::trees;

const TEXT: &str = include_str!("../../../src/demo/data/campaign_53.json");
/// The station whose people are followed.
pub const STATION: &str = "530102001";

/// The campaign's text, as the demo has it.
pub fn text() -> Value {
    serde_json::from_str(TEXT).unwrap()
}

/// A date of the text, moved so that the campaign begins today.
fn moved(world: &World, date: &Value) -> String {
    let day = |text: &str| text.parse::<NaiveDate>().unwrap();
    let first = text()["phases"][0]["starts_on"].as_str().map(day).unwrap();
    world.day((day(date.as_str().unwrap()) - first).num_days())
}

/// The departments of the province that the task list names, `办公室` among them.
fn departments() -> BTreeSet<String> {
    let text = text();
    let tasks = text["tasks"].as_array().unwrap().iter();
    let hints = tasks.flat_map(|task| task["responsible"].as_array().unwrap());
    let named = hints.map(|hint| hint.as_str().unwrap()).filter(|hint| !hint.starts_with("all_"));
    named.map(ToOwned::to_owned).collect()
}

/// Every unit by its code: id and kind.
pub struct Units(BTreeMap<String, (String, String)>);

impl Units {
    /// The id of the unit with this code.
    pub fn id(&self, code: &str) -> &str {
        &self.0[code].0
    }

    /// The codes of the units of a kind.
    pub fn of_kind(&self, kind: &str) -> BTreeSet<String> {
        self.0.iter().filter(|(_, (_, have))| have == kind).map(|(code, _)| code.clone()).collect()
    }

    /// Those among them whose code begins so.
    pub fn below(&self, kind: &str, code: &str) -> BTreeSet<String> {
        self.of_kind(kind).into_iter().filter(|one| one.starts_with(code)).collect()
    }
}

/// Brings the tree in as its system administrator does, from the table of the divisions: 16 cities, 129
/// counties, 1,461 stations, and the departments that the task list names.
pub fn settle(world: &World) -> (Units, BTreeMap<String, String>) {
    let mut rows = trees::tree("53", "云南省公安厅");
    let mut named: BTreeMap<String, String> = BTreeMap::from([("办公室".into(), "53-D01".into())]);
    for (at, name) in departments().into_iter().filter(|name| name != "办公室").enumerate() {
        let code = format!("53-D{:02}", at + 2);
        rows.push([code.clone(), name.clone(), "department".into(), "53".into()]);
        named.insert(name, code);
    }
    let table = trees::csv(["code", "name", "kind", "parent_code"], ",", &rows);
    let admin = world.as_("53-system-admin");
    let told = admin.call("POST", "/units/imports").bytes("text/csv", table).import().expect(200, "").json();
    assert_eq!((&told["rows_refused"], &told["rows_read"]), (&json!(0), &json!(rows.len())));
    let mut units = BTreeMap::new();
    let mut next = String::from("/units?limit=200");
    loop {
        let page = admin.get(&next).expect(200, "").json();
        for unit in page["items"].as_array().unwrap() {
            let text = |name: &str| unit[name].as_str().unwrap().to_owned();
            units.insert(text("code"), (text("id"), text("kind")));
        }
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        next = format!("/units?limit=200&cursor={cursor}");
    }
    (Units(units), named)
}

/// Gives each city a head of the unit, a head of its leading group and a liaison, each county a head and a
/// liaison, and the station a head and an officer, where the small tree of every test has none.
pub fn people(world: &World) {
    let hash = password::hash_now(people::PASSWORD).unwrap();
    let there: BTreeSet<String> = world.cast.users.keys().cloned().collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let entered = command_line(world.doors(), TenantId::parse("53").unwrap(), "tests", move |tx| {
        let below =
            |tx: &mut Tx<'_, CommandLine>, kind| working_below(tx, PathRange::subtree("53/"), Some(kind));
        let mut wanted: Vec<(Unit, Role)> = Vec::new();
        for unit in below(tx, UnitKind::City)? {
            wanted.extend([Role::UnitHead, Role::GroupHead, Role::Liaison].map(|role| (unit.clone(), role)));
        }
        for unit in below(tx, UnitKind::County)? {
            wanted.extend([Role::UnitHead, Role::Liaison].map(|role| (unit.clone(), role)));
        }
        let station = below(tx, UnitKind::Station)?.into_iter().find(|unit| unit.code == STATION);
        if let Some(unit) = station {
            wanted.extend([Role::UnitHead, Role::Officer].map(|role| (unit.clone(), role)));
        }
        for (unit, role) in wanted {
            let login = people::login(&unit.code, role);
            if !there.contains(&login) {
                enter(tx, &unit, role, &login, &hash)?;
            }
        }
        Ok(())
    });
    runtime.block_on(entered).unwrap();
}

fn enter(tx: &mut Tx<'_, CommandLine>, unit: &Unit, role: Role, login: &str, hash: &str) -> Result<()> {
    let post = match role {
        Role::UnitHead => Some((PostKind::Head, "党委书记、局长")),
        Role::Officer => Some((PostKind::CaseOfficer, "社区民警")),
        _ => None,
    };
    let since = tx.now().shanghai_day() - chrono::Duration::days(365);
    let officer = match post {
        Some((kind, title)) => {
            let one = Enlisted {
                number: format!("{}{}", if role == Role::UnitHead { "Y" } else { "Z" }, unit.code),
                name: "和志远".into(),
                kind: OfficerKind::Police,
                rank: None,
                phone: None,
                unit: unit.clone(),
                post: (kind, title.to_owned(), since),
            };
            enlist(tx, std::slice::from_ref(&one))?.pop()
        }
        None => None,
    };
    let account = NewAccount {
        officer,
        login,
        display_name: role.zh(),
        unit: Some(unit),
        password_hash: hash,
        must_change_password: false,
    };
    let user = enter_user(tx, account)?;
    bind(tx, user, role, Some(unit))?;
    Ok(())
}

/// The campaign, for `POST /campaigns`.
pub fn campaign_body(world: &World) -> Value {
    let text = text();
    json!({
        "unit_id": world.unit("53"), "name": text["name"], "theme": text["theme"], "year": 2026,
        "phases": phases(world), "scope": { "kinds": ["city", "county"] },
    })
}

fn phases(world: &World) -> Value {
    let text = text();
    let phase = |phase: &Value| {
        json!({
            "name": phase["name"],
            "starts_on": moved(world, &phase["starts_on"]), "ends_on": moved(world, &phase["ends_on"]),
        })
    };
    text["phases"].as_array().unwrap().iter().map(phase).collect()
}

/// What a unit is called in the task list, as the kind of all that are meant.
fn kind_of(hint: &str) -> Option<&'static str> {
    Some(match hint {
        "all_cities" => "city",
        "all_counties" => "county",
        "all_stations" => "station",
        "all_windows" => "service_window",
        "all_detention_houses" => "detention_house",
        "all_departments" => "department",
        _ => return None,
    })
}

/// The plan with its 59 tasks, for `POST /plans`.
pub fn plan_body(
    world: &World,
    campaign: &str,
    departments: &BTreeMap<String, String>,
    units: &Units,
) -> Value {
    let text = text();
    let categories: BTreeMap<&str, &Value> = text["categories"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["key"].as_str().unwrap(), &one["name"]))
        .collect();
    let task = |task: &Value| {
        let responsible = task["responsible"].as_array().unwrap().iter().map(|hint| {
            let hint = hint.as_str().unwrap();
            match kind_of(hint) {
                Some(kind) => json!({ "unit_id": world.unit("53"), "extent": "subtree", "kind": kind }),
                None => json!({ "unit_id": units.id(&departments[hint]), "extent": "self" }),
            }
        });
        json!({
            "category": categories[task["category"].as_str().unwrap()], "title": task["title"],
            "content": task["content"], "lead_leader": task["lead_leader"],
            "responsible": responsible.collect::<Value>(), "due_on": moved(world, &task["deadline"]),
            "frequency": task["frequency"], "daily_entries": task["daily_entries"], "target": task["target"],
        })
    };
    json!({
        "campaign_id": campaign, "unit_id": world.unit("53"),
        "title": "云南省公安厅“治庸懒、强担当、树新风”主题活动实施方案",
        "phases": phases(world), "tasks": text["tasks"].as_array().unwrap().iter().map(task).collect::<Value>(),
    })
}

/// How many assignments the task list comes to: of each task every unit meant, once.
pub fn assignments(units: &Units) -> usize {
    let of_task = |task: &Value| {
        let mut meant = BTreeSet::new();
        for hint in task["responsible"].as_array().unwrap() {
            let hint = hint.as_str().unwrap();
            match kind_of(hint) {
                Some(kind) => meant.extend(units.of_kind(kind)),
                None => drop(meant.insert(format!("部门 {hint}"))),
            }
        }
        // A department that is named and meant by `all_departments` too is one unit.
        let all = task["responsible"].as_array().unwrap().iter().any(|hint| hint == "all_departments");
        if all {
            meant.retain(|one| !one.starts_with("部门 "));
        }
        meant.len()
    };
    text()["tasks"].as_array().unwrap().iter().map(of_task).sum()
}
