//! Who is there, and where: two provinces with a small tree each, and the platform.
//!
//! Logins say role and place: `53-group-head`, `5301-liaison`, `platform-ministry-viewer`. Besides:
//! * `53-nobody` holds no role, `53-first-password` must change its password;
//! * `5301-office-and-head` is office and head at Kunming at once (four eyes);
//! * Yuxi (5304) has a unit head and no leading group of its own, so the province's head decides.

use std::collections::BTreeMap;

use pingyi::access::accounts::bindings::service::bind;
use pingyi::access::accounts::service::{NewAccount, enter_user};
use pingyi::access::policy::CommandLine;
use pingyi::access::{Doors, Role, Tx, command_line};
use pingyi::db::TenantId;
use pingyi::errors::Result;
use pingyi::org::officers::rules::{OfficerId, OfficerKind};
use pingyi::org::officers::service::{Enlisted, enlist};
use pingyi::org::posts::rules::PostKind;
use pingyi::org::rules::{Unit, UnitKind};
use pingyi::org::service::{Entered, found_province};
use serde::{Deserialize, Serialize};

/// Everybody's password.
pub const PASSWORD: &str = "翠湖边第三棵柳树下面见面";
/// In every name of province 50: it may never show in an answer to anybody of 53.
pub const CANARY: &str = "渝州雾都";

/// Ids by name, as the template holds them.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Cast {
    /// Units by official code.
    pub units: BTreeMap<String, String>,
    /// Accounts by login.
    pub users: BTreeMap<String, String>,
    /// Officers by the login of their account: every unit head is one.
    pub officers: BTreeMap<String, String>,
}

/// Code, name, kind, place of the parent in the list.
type Place = (&'static str, &'static str, UnitKind, Option<usize>);

const YUNNAN: &[Place] = &[
    ("53", "云南省公安厅", UnitKind::Province, None),
    ("53-D01", "办公室", UnitKind::Department, Some(0)),
    ("5301", "昆明市公安局", UnitKind::City, Some(0)),
    ("530102", "昆明市公安局五华分局", UnitKind::County, Some(2)),
    ("530102001", "华山派出所", UnitKind::Station, Some(3)),
    ("5301-W01", "昆明市公安局出入境服务窗口", UnitKind::ServiceWindow, Some(2)),
    ("5301-K01", "昆明市看守所", UnitKind::DetentionHouse, Some(2)),
    ("5303", "曲靖市公安局", UnitKind::City, Some(0)),
    ("5304", "玉溪市公安局", UnitKind::City, Some(0)),
    ("530302", "曲靖市公安局麒麟分局", UnitKind::County, Some(7)),
    ("530302001", "南宁派出所", UnitKind::Station, Some(9)),
    ("5303-W01", "曲靖市公安局服务窗口", UnitKind::ServiceWindow, Some(7)),
    ("5303-D01", "曲靖市公安局办公室", UnitKind::Department, Some(7)),
    ("5301-D01", "昆明市公安局办公室", UnitKind::Department, Some(2)),
];

const CHONGQING: &[Place] = &[
    ("50", "重庆市公安局(渝州雾都)", UnitKind::Province, None),
    ("50-D01", "办公室(渝州雾都)", UnitKind::Department, Some(0)),
    ("500103", "渝中区分局(渝州雾都)", UnitKind::County, Some(0)),
    ("500103001", "解放碑派出所(渝州雾都)", UnitKind::Station, Some(2)),
    ("50-W01", "服务窗口(渝州雾都)", UnitKind::ServiceWindow, Some(0)),
];

const BELOW: &[Role] = &[Role::UnitHead, Role::GroupHead, Role::GroupOffice, Role::Liaison];

struct Person {
    login: String,
    name: String,
    unit: &'static str,
    roles: Vec<Role>,
    first_password: bool,
}

/// The login of whoever holds a role at a place.
pub fn login(code: &str, role: Role) -> String {
    format!("{}-{}", code.to_lowercase(), role.as_str().replace('_', "-"))
}

/// The login of the holder of a role at its root: of 53, or of the platform.
pub fn root_login(role: Role) -> String {
    login(if role.is_of_platform() { "platform" } else { "53" }, role)
}

fn holder(code: &'static str, role: Role, mark: &str) -> Person {
    let name = format!("{}{mark}", role.zh());
    Person { login: login(code, role), name, unit: code, roles: vec![role], first_password: false }
}

fn at_root(code: &'static str, mark: &str) -> Vec<Person> {
    Role::ALL.iter().filter(|role| !role.is_of_platform()).map(|&role| holder(code, role, mark)).collect()
}

fn yunnan() -> Vec<Person> {
    let mut people = at_root("53", "");
    for code in ["5301", "530102", "5303"] {
        people.extend(BELOW.iter().map(|&role| holder(code, role, "")));
    }
    people.push(holder("5304", Role::UnitHead, ""));
    people.push(holder("5301", Role::GroupMember, ""));
    people.push(holder("5301", Role::Discipline, ""));
    people.push(holder("5301", Role::SystemAdmin, ""));
    people.push(holder("5301", Role::SecurityAdmin, ""));
    let other = |login: &str, unit, roles: &[Role], first_password| Person {
        login: login.into(),
        name: "和志远".into(),
        unit,
        roles: roles.to_vec(),
        first_password,
    };
    people.push(other("53-nobody", "53", &[], false));
    people.push(other("53-first-password", "53", &[Role::GroupOffice], true));
    people.push(other("5301-office-and-head", "5301", &[Role::GroupOffice, Role::GroupHead], false));
    people
}

fn chongqing() -> Vec<Person> {
    let mut people = at_root("50", CANARY);
    people.push(holder("500103", Role::UnitHead, CANARY));
    people
}

/// Enters everything; `hash` is the hash of [`PASSWORD`].
pub fn populate(doors: &Doors, hash: &str) -> Cast {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut cast = Cast::default();
    let platform = [Role::PlatformOperator, Role::MinistryViewer];
    let platform = platform.iter().map(|&role| Person {
        login: login("platform", role),
        name: role.zh().to_owned(),
        unit: "",
        roles: vec![role],
        first_password: false,
    });
    let provinces: [(&str, &str, &'static [Place], Vec<Person>); 3] = [
        ("00", "平台与部级", &[], platform.collect()),
        ("53", "云南省公安厅", YUNNAN, yunnan()),
        ("50", "重庆市公安局(渝州雾都)", CHONGQING, chongqing()),
    ];
    for (code, name, places, people) in provinces {
        let tenant = TenantId::parse(code).expect("two digits");
        let hash = hash.to_owned();
        let entered = command_line(doors, tenant, "tests", move |tx| {
            let tree: Vec<Entered> = places
                .iter()
                .map(|&(code, name, kind, parent)| Entered {
                    code: code.into(),
                    name: name.into(),
                    kind,
                    parent,
                })
                .collect();
            let units: Vec<Unit> = found_province(tx, name, &tree)?;
            let (mut users, mut officers) = (Vec::new(), Vec::new());
            for person in people {
                let unit = units.iter().find(|unit| unit.code == person.unit);
                // Whoever is bound as head holds the post as well.
                let officer = match unit.filter(|_| person.roles.contains(&Role::UnitHead)) {
                    Some(unit) => Some(enlist_head(tx, unit, &person.name)?),
                    None => None,
                };
                let account = NewAccount {
                    officer,
                    login: &person.login,
                    display_name: &person.name,
                    unit,
                    password_hash: &hash,
                    must_change_password: person.first_password,
                };
                let user = enter_user(tx, account)?;
                for role in person.roles {
                    bind(tx, user, role, unit)?;
                }
                if let Some(officer) = officer {
                    officers.push((person.login.clone(), officer.to_string()));
                }
                users.push((person.login, user.to_string()));
            }
            Ok((units, users, officers))
        });
        let (units, users, officers) = runtime.block_on(entered).expect("the people are entered");
        cast.units.extend(units.into_iter().map(|unit| (unit.code, unit.id.to_string())));
        cast.users.extend(users);
        cast.officers.extend(officers);
    }
    cast
}

/// Enters an officer who has headed the unit for a year.
fn enlist_head(tx: &mut Tx<'_, CommandLine>, unit: &Unit, name: &str) -> Result<OfficerId> {
    let since = tx.now().shanghai_day() - chrono::Duration::days(365);
    let head = Enlisted {
        number: format!("T{}", unit.code.replace('-', "")).chars().chain("000".chars()).take(20).collect(),
        name: name.to_owned(),
        kind: OfficerKind::Police,
        rank: None,
        phone: None,
        unit: unit.clone(),
        post: (PostKind::Head, "党委书记、局长".to_owned(), since),
    };
    let ids = enlist(tx, std::slice::from_ref(&head))?;
    Ok(ids[0])
}
