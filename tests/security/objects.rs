//! What the ids in paths stand for: of each an object of one's own, one out of reach, one of another
//! province. A parameter that is not here fails every test that needs it, and says so.

use serde_json::{Value, json};

use crate::operations::{Operation, fresh_id};
use crate::support::checks::{Kit, upload};
use crate::support::people::CANARY;
use crate::support::raw::Raw;
use crate::support::sealing;
use crate::support::story::{self, Story};
use crate::support::tus::Phone;
use crate::support::{Backend, World, imports};

/// Objects of the two provinces, as seen from Kunming (5301).
pub struct Objects<'w> {
    world: &'w World,
    /// The campaign of 53.
    pub here: Story,
    /// The campaign of 50.
    pub there: Story,
    /// Kunming's plan, in force, and a task of it.
    own_plan: (String, String),
    /// Qujing's plan, in force, and a task of it.
    far_plan: (String, String),
    /// Campaigns begun by Kunming and by Qujing themselves.
    own_campaign: String,
    far_campaign: String,
    bindings: [String; 3],
    sessions: [String; 3],
    /// Of the heads of Kunming, of Qujing and of a county in 50.
    posts: [String; 3],
    /// Of the published plans' tasks, at Kunming, at Qujing and at the root of 50.
    assignments: [String; 3],
    /// By the heads there.
    entries: [String; 3],
    /// Amendments in hand of Kunming's plan, of Qujing's, of that of 50; a vote on each, and a comment.
    versions: [String; 3],
    votes: [String; 3],
    /// The plans of Kunming and of Qujing on which there is a vote.
    voted: [String; 2],
    comments: [String; 3],
    /// Of the audit logs of 53 and of 50.
    logged: [String; 2],
    checkpoints: [String; 2],
    /// Of Kunming's head, of a colleague, of somebody in 50.
    jobs: [String; 3],
    /// Of Kunming, of Qujing, of 50, each published; their versions.
    checklists: [(String, String); 3],
    /// Approved, to check Kunming, Qujing and 50.
    authorisations: [String; 3],
    /// Declared by the heads of the leading groups of Kunming, of Qujing and of 50.
    conflicts: [String; 3],
    /// Of Kunming and of 50, open; of Qujing, covert, by the inspector alone.
    checks: [String; 3],
    /// Found by released checks of Kunming, of Qujing and of 50.
    candidates: [String; 3],
    /// Bound to a check of Kunming's that its supervisor takes part in, to Qujing's covert one, to that of 50.
    attachments: [String; 3],
    /// In parts, begun by the head of Kunming's leading group, of Qujing's, of that of 50.
    uploads: [String; 3],
    /// For the heads of a county of Kunming's, of one of Qujing's and of one in 50.
    stand_ins: [String; 3],
}

/// Where an object stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// Within Kunming's reach.
    Own,
    /// In the same province, out of Kunming's reach.
    OutOfReach,
    /// In another province.
    Foreign,
    /// Nowhere.
    Absent,
    /// One's own, in capital letters: an id has one spelling.
    Respelt,
    /// Its id is none.
    Malformed(&'static str),
}

/// What is asked for instead of one's own.
pub const STRANGERS: &[Stand] = &[
    Stand::OutOfReach,
    Stand::Foreign,
    Stand::Respelt,
    Stand::Malformed("x"),
    Stand::Malformed("0"),
    Stand::Malformed("00000000-0000-0000-0000-00000000000g"),
    Stand::Malformed("01936F2A-7C1E-7B6D-9A54-2F0E8C3B1D77"),
    Stand::Malformed("01936f2a7c1e7b6d9a542f0e8c3b1d77"),
    Stand::Malformed("..%2f..%2fpolicy"),
    Stand::Malformed("%00"),
    Stand::Malformed("%FF%FE"),
];

impl<'w> Objects<'w> {
    /// Makes them.
    pub fn of(world: &'w World) -> Self {
        let (here, there) = (story::launched(world, "53"), story::launched(world, "50"));
        let child = |code: &str| {
            let shown = story::published(world, &story::plan_body(world, &here.campaign, code), code);
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (text(&shown["id"]), text(&shown["tasks"][0]["id"]))
        };
        let (own_plan, far_plan) = (child("5301"), child("5303"));
        let places = [("5301", &own_plan.1), ("5303", &far_plan.1), ("50", &there.task)];
        let assignments = places.map(|(code, task)| {
            let liaison = world.as_(&format!("{code}-liaison"));
            let list = format!("/tasks/{task}/assignments");
            let id = liaison.get(&list).expect(200, "").json()["items"][0]["id"].as_str().unwrap().to_owned();
            let officer = world.officer(&format!("{code}-unit-head"));
            liaison.patch(&format!("{list}/{id}"), "*", &json!({ "officer_ids": [officer] })).expect(200, "");
            id
        });
        let entries = places.map(|(code, task)| {
            let mark = if code == "50" { CANARY } else { "" };
            let body = json!({ "day": world.day(0), "done": format!("回访 34 件{mark}。") });
            let head = world.as_(&format!("{code}-unit-head"));
            head.post(&format!("/tasks/{task}/entries"), &body).expect(201, "").id()
        });
        let own_campaign = |code: &str| {
            let by = world.as_(&format!("{code}-group-office"));
            by.post("/campaigns", &story::campaign_body(world, code)).expect(201, "").id()
        };
        let binding = |login: &str| {
            let auditor = world.as_(&format!("{}-auditor", &login[..2]));
            let list =
                auditor.get(&format!("/users/{}/role-bindings", world.user(login))).expect(200, "").json();
            list["items"][0]["id"].as_str().unwrap().to_owned()
        };
        let session = |login: &str| {
            let list = world.as_(login).get("/auth/sessions").expect(200, "").json();
            let items = list["items"].as_array().unwrap();
            items.iter().find(|one| one["current"] == true).unwrap()["id"].as_str().unwrap().to_owned()
        };
        changed_settings(world);
        let post = |login: &str| {
            let admin = world.as_(&format!("{}-system-admin", &login[..2]));
            let list = admin.get(&format!("/officers/{}/posts", world.officer(login))).expect(200, "").json();
            list["items"][0]["id"].as_str().unwrap().to_owned()
        };
        let stand_in = |unit: &str, officer: &str| {
            let head = world.as_(&format!("{}-group-head", &unit[..2]));
            let body = json!({
                "officer_id": world.officer(officer), "valid_from_on": world.day(0), "valid_until_on": world.day(30),
                "reason": "局长赴省委党校学习。",
            });
            head.post(&format!("/units/{}/stand-ins", world.unit(unit)), &body).expect(201, "").id()
        };
        let [versions, comments] = amended(
            world,
            [&here.campaign, &there.campaign],
            [("5301", &own_plan.0), ("5303", &far_plan.0), ("50", &there.plan)],
        );
        let campaigns = ["5301", "5303"].map(own_campaign);
        let (own_vote, far_vote) = (voted(world, "5301", &campaigns[0]), voted(world, "5303", &campaigns[1]));
        let foreign_vote = first(world, "50-group-office", &format!("/plans/{}/votes", there.plan));
        let [own_campaign, far_campaign] = campaigns;
        let [checks, candidates] = checked(world);
        for province in ["53", "50"] {
            sealing::sign(world, province);
        }
        let listed =
            |list: &str| ["53", "50"].map(|province| first(world, &format!("{province}-auditor"), list));
        Self {
            logged: listed("/audit-log?limit=1"),
            checkpoints: listed("/audit-log/checkpoints"),
            versions,
            votes: [own_vote.1, far_vote.1, foreign_vote],
            voted: [own_vote.0, far_vote.0],
            comments,
            posts: [post("5301-unit-head"), post("5303-unit-head"), post("500103-unit-head")],
            stand_ins: [
                stand_in("530102", "5301-unit-head"),
                stand_in("530302", "5303-unit-head"),
                stand_in("500103", "50-unit-head"),
            ],
            checklists: ["5301", "5303", "50"].map(|code| checklist(world, code)),
            authorisations: ["5301", "5303", "50"].map(|code| story::authorised(world, code)),
            conflicts: declared(world),
            attachments: [("53", &checks[0]), ("53", &checks[1]), ("50", &checks[2])]
                .map(|(province, check)| evidence(world, province, check)),
            checks,
            candidates,
            uploads: ["5301-group-head", "5303-group-head", "50-group-head"].map(|login| begun(world, login)),
            jobs: ["5301-group-head", "5301-liaison", "50-liaison"].map(|login| job(world, login)),
            sessions: [session("5301-group-head"), session("5301-liaison"), session("50-liaison")],
            own_plan,
            far_plan,
            assignments,
            entries,
            own_campaign,
            far_campaign,
            bindings: [binding("5301-liaison"), binding("5303-liaison"), binding("50-liaison")],
            here,
            there,
            world,
        }
    }

    /// The id of the object that the parameter `name` of the operation names.
    pub fn id(&self, operation: &Operation, name: &str, stand: Stand) -> String {
        let pick = |own: &str, far: &str, foreign: &str| {
            match stand {
                Stand::Own => own,
                Stand::OutOfReach => far,
                Stand::Foreign => foreign,
                Stand::Absent | Stand::Respelt | Stand::Malformed(_) => "",
            }
            .to_owned()
        };
        let unit = |own: &str, far: &str, foreign: &str| {
            pick(self.world.unit(own), self.world.unit(far), self.world.unit(foreign))
        };
        let changes = operation.method != "GET";
        match (name, stand) {
            ("province_code", Stand::Absent | Stand::Respelt) => "99".to_owned(),
            // Every province has the same days, each its own: there is no foreign one, only none.
            ("day", Stand::Own) => self.world.day(3),
            ("day", Stand::Respelt) => self.world.day(3).replace('-', ""),
            ("day", Stand::Absent | Stand::Foreign | Stand::OutOfReach) => "1999-12-31".to_owned(),
            (_, Stand::Respelt) => self.id(operation, name, Stand::Own).to_uppercase(),
            // The audit log is the whole province's: nothing of it is out of an auditor's reach.
            (_, Stand::Absent) | ("audit_entry_id" | "checkpoint_id", Stand::OutOfReach) => fresh_id(),
            (_, Stand::Malformed(text)) => text.to_owned(),
            ("unit_id", _) => match operation.path.split('/').nth(1).unwrap_or_default() {
                "cities" => unit("5301", "5303", "50"),
                "stations" => unit("530102001", "530302001", "500103001"),
                "departments" => unit("5301-D01", "5303-D01", "50-D01"),
                "service-windows" => unit("5301-W01", "5303-W01", "50-W01"),
                _ => unit("530102", "530302", "500103"),
            },
            ("user_id", _) => {
                let user = |login: &str| self.world.user(login);
                pick(user("5301-liaison"), user("5303-liaison"), user("50-liaison"))
            }
            ("officer_id", _) => {
                let officer = |login: &str| self.world.officer(login);
                pick(officer("5301-unit-head"), officer("5303-unit-head"), officer("500103-unit-head"))
            }
            ("post_id", _) => pick(&self.posts[0], &self.posts[1], &self.posts[2]),
            ("stand_in_id", _) => pick(&self.stand_ins[0], &self.stand_ins[1], &self.stand_ins[2]),
            ("binding_id", _) => pick(&self.bindings[0], &self.bindings[1], &self.bindings[2]),
            // A colleague's session is as far as one of another province.
            ("session_id", _) => pick(&self.sessions[0], &self.sessions[1], &self.sessions[2]),
            // What the province has launched can be read from below, but not changed.
            ("campaign_id", Stand::OutOfReach) if changes => self.here.campaign.clone(),
            ("campaign_id", _) => pick(&self.own_campaign, &self.far_campaign, &self.there.campaign),
            ("plan_id", _) if operation.path.contains("/votes") => {
                pick(&self.voted[0], &self.voted[1], &self.there.plan)
            }
            ("plan_id", _) => pick(&self.own_plan.0, &self.far_plan.0, &self.there.plan),
            ("task_id", _) => pick(&self.own_plan.1, &self.far_plan.1, &self.there.task),
            ("assignment_id", _) => pick(&self.assignments[0], &self.assignments[1], &self.assignments[2]),
            ("authorisation_id", _) => {
                let [own, far, foreign] = &self.authorisations;
                pick(own, far, foreign)
            }
            ("conflict_id", _) => {
                let [own, far, foreign] = &self.conflicts;
                pick(own, far, foreign)
            }
            ("check_id", _) => {
                let [own, far, foreign] = &self.checks;
                pick(own, far, foreign)
            }
            ("candidate_id", _) => {
                let [own, far, foreign] = &self.candidates;
                pick(own, far, foreign)
            }
            ("attachment_id", _) => {
                let [own, far, foreign] = &self.attachments;
                pick(own, far, foreign)
            }
            // A colleague's upload is as far as one of another province.
            ("upload_id", _) => pick(&self.uploads[0], &self.uploads[1], &self.uploads[2]),
            ("checklist_id", _) => {
                let [own, far, foreign] = &self.checklists;
                pick(&own.0, &far.0, &foreign.0)
            }
            ("version_id", _) if operation.path.starts_with("/checklists") => {
                let [own, far, foreign] = &self.checklists;
                pick(&own.1, &far.1, &foreign.1)
            }
            ("version_id", _) => pick(&self.versions[0], &self.versions[1], &self.versions[2]),
            ("vote_id", _) => pick(&self.votes[0], &self.votes[1], &self.votes[2]),
            ("comment_id", _) => pick(&self.comments[0], &self.comments[1], &self.comments[2]),
            ("audit_entry_id", _) => pick(&self.logged[0], "", &self.logged[1]),
            ("checkpoint_id", _) => pick(&self.checkpoints[0], "", &self.checkpoints[1]),
            // A colleague's job is as far as one of another province.
            ("job_id", _) => pick(&self.jobs[0], &self.jobs[1], &self.jobs[2]),
            ("entry_id", _) => pick(&self.entries[0], &self.entries[1], &self.entries[2]),
            // The platform sees every province; the reserved tenant is none.
            ("province_code", Stand::Own) => "53".to_owned(),
            ("province_code", _) => "00".to_owned(),
            _ => panic!(
                "{}: the tests do not know what {name} stands for; give Objects::id in tests/security/objects.rs \
                 one of Kunming's, one of Qujing's and one of province 50",
                operation.name()
            ),
        }
    }

    /// The address of the operation with one's own objects.
    pub fn own(&self, operation: &Operation) -> String {
        let ids = operation.ids();
        operation.at(&ids.iter().map(|name| self.id(operation, name, Stand::Own)).collect::<Vec<_>>())
    }
}

/// Checks that are recorded: of Kunming and of 50, open; of Qujing, covert, by the inspector alone. Candidates that others there
/// have found. Beside them lie photos that nothing shows.
fn checked(world: &World) -> [[String; 3]; 2] {
    lying_about(world);
    let kits = [("5301", "open"), ("5303", "covert"), ("500103", "open")]
        .map(|(code, kind)| (Kit::of(world, code), kind));
    let recorded = kits.each_ref().map(|(kit, kind)| kit.taken(kind, &["record", "addenda"]));
    let found = kits.each_ref().map(|(kit, kind)| {
        let check = kit.taken(kind, &["record", "confirm", "release"]);
        first(world, &kit.login("discipline"), &format!("/finding-candidates?check_id={check}"))
    });
    [recorded, found]
}

/// Amends the plans and submits the amendments; where the province's leading group decides its members vote.
/// Versions and comments.
fn amended(world: &World, campaigns: [&str; 2], plans: [(&str, &str); 3]) -> [[String; 3]; 2] {
    for (province, campaign) in ["53", "50"].into_iter().zip(campaigns) {
        let mut group = story::group_body(world, province);
        group["votes_on_plans"] = json!(true);
        let path = format!("/campaigns/{campaign}/leading-group");
        world.as_(&format!("{province}-group-office")).put(&path, "*", &group).expect(200, "");
    }
    let mut made: [Vec<String>; 2] = Default::default();
    for (code, plan) in plans {
        let mark = if code == "50" { CANARY } else { "" };
        let (office, head) = (format!("{code}-group-office"), format!("{code}-group-head"));
        if code != "50" {
            let binding = json!({ "role": "group_member", "unit_id": world.unit(code) });
            let path = format!("/users/{}/role-bindings", world.user(&head));
            world.as_("53-security-admin").post(&path, &binding).expect(201, "");
        }
        let path = format!("/plans/{plan}");
        let reason = json!({ "reason": format!("汛期顺延时限{mark}。") });
        world.as_(&office).post(&format!("{path}/amend"), &reason).expect(200, "");
        let said = json!({ "content": format!("留存率如何统计, 请写明{mark}。") });
        let comment = world.as_(&head).post(&format!("{path}/comments"), &said).expect(201, "").id();
        story::step(world, &office, plan, "submit");
        for (place, id) in
            [first(world, &office, &format!("{path}/versions")), comment].into_iter().enumerate()
        {
            made[place].push(id);
        }
    }
    made.map(|ids| ids.try_into().expect("three of each"))
}

/// The calendar and the settings of both provinces are not as they began.
fn changed_settings(world: &World) {
    for (province, mark) in [("53", ""), ("50", CANARY)] {
        let system = world.as_(&format!("{province}-system-admin"));
        let rest = json!({ "kind": "holiday", "name": format!("泼水节{mark}") });
        system.put(&format!("/calendar/{}", world.day(3)), "*", &rest).expect(200, "");
        for percent in [6, 7] {
            let change =
                json!({ "reason": format!("会议决定{mark}"), "values": { "recheck_percent": percent } });
            system.patch("/settings", "*", &change).expect(200, "");
        }
    }
}

/// The first of what a check's record shows.
fn evidence(world: &World, province: &str, check: &str) -> String {
    let inspector = world.as_(&format!("{province}-inspector"));
    let shown = inspector.get(&format!("/unannounced-checks/{check}")).expect(200, "").json();
    shown["attachments"][0]["id"].as_str().expect("evidence").to_owned()
}

/// Photos that are bound to nothing: of the head of the province's leading group, and of that of 50.
fn lying_about(world: &World) {
    for (login, name) in [
        ("53-group-head", "大厅.jpg".to_owned()),
        ("53-group-head", "窗口.jpg".to_owned()),
        ("50-group-head", format!("大厅{CANARY}.jpg")),
    ] {
        upload(world, login, &name).expect(201, "");
    }
}

/// What the heads of three leading groups have declared; that of the province more than once, and one of it is over.
fn declared(world: &World) -> [String; 3] {
    story::conflict(world, "53-group-head", "5301", "business");
    story::conflict(world, "53-group-head", "5303", "kinship");
    let over = story::conflict(world, "53-group-head", "5303", "dispute");
    let reason = json!({ "reason": "纠纷已经调解。" });
    world.as_("53-discipline").post(&format!("/conflicts/{over}/end"), &reason).expect(200, "");
    [("5301-group-head", "530102"), ("5303-group-head", "530302"), ("50-group-head", "500103")]
        .map(|(who, code)| story::conflict(world, who, code, "kinship"))
}

/// An upload in parts that somebody has begun.
fn begun(world: &World, login: &str) -> String {
    let path = Phone::of(world, login).begin(1000, &[("filename", "大厅.jpg")]);
    path.trim_start_matches("/uploads/").to_owned()
}

/// A published checklist and its version, with a next one being written.
fn checklist(world: &World, code: &str) -> (String, String) {
    let mark = if code == "50" { CANARY } else { "" };
    let office = world.as_(&format!("{code}-group-office"));
    let body = json!({
        "unit_id": world.unit(code), "template": "service_window", "title": format!("窗口检查{mark}"),
    });
    let id = office.post("/checklists", &body).expect(201, "").id();
    let path = format!("/checklists/{id}");
    office.post(&format!("{path}/publish"), &json!({})).expect(200, "");
    office.patch(&path, "*", &json!({ "title": format!("窗口检查 (二){mark}") })).expect(200, "");
    (id, first(world, &format!("{code}-group-office"), &format!("{path}/versions")))
}

/// A job of somebody who, as it is here, could not have begun one: what jobs are about is not whose they are.
fn job(world: &World, login: &str) -> String {
    let province = &login[..2];
    let mark = if province == "50" { CANARY } else { "" };
    let system = world.as_(&format!("{province}-system-admin"));
    let table = format!("number,甲{mark}\n");
    let taken = system.call("POST", "/officers/imports").bytes("text/csv", table).send().expect(202, "");
    imports::work_off(world);
    let sql = if world.backend == Backend::Postgres {
        "UPDATE jobs SET user_id = '{user}' WHERE id = '{job}'"
    } else {
        "UPDATE jobs SET user_id = x'{user}' WHERE id = x'{job}'"
    };
    let plain =
        |id: &str| if world.backend == Backend::Postgres { id.to_owned() } else { id.replace('-', "") };
    let sql = sql.replace("{user}", &plain(world.user(login))).replace("{job}", &plain(&taken.id()));
    Raw::owner(world, province).run(&sql).expect("the job is somebody else's");
    taken.id()
}

/// The id of the first of a list.
fn first(world: &World, by: &str, list: &str) -> String {
    let list = world.as_(by).get(list).expect(200, "").json();
    list["items"][0]["id"].as_str().unwrap().to_owned()
}

/// A plan on which the members of a city's own leading group vote, in a campaign of its own, and a vote.
fn voted(world: &World, code: &str, campaign: &str) -> (String, String) {
    let (office, head) = (format!("{code}-group-office"), world.user(&format!("{code}-group-head")));
    let group = json!({
        "head_user_id": head, "office_unit_id": world.unit(&format!("{code}-D01")),
        "members": [{ "user_id": head, "duty": "组长" }], "votes_on_plans": true,
    });
    world.as_(&office).put(&format!("/campaigns/{campaign}/leading-group"), "*", &group).expect(200, "");
    let plan = story::draft(world, campaign, code, &office);
    story::step(world, &office, &plan, "submit");
    let vote = first(world, &office, &format!("/plans/{plan}/votes"));
    (plan, vote)
}

/// A body for an operation, well-formed and refused by no schema.
pub fn body(operation: &Operation) -> Option<Value> {
    operation.body().map(|body| if body.example.is_null() { json!({}) } else { body.example })
}
