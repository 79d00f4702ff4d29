//! What the demo's people have done so far: the campaign, the province's plan, and below it plans in
//! every state. All dates are moved by whole weeks so that today lies in the second phase.

use std::sync::Arc;

use chrono::NaiveDate;

use super::calendar_shift::{shift_date, week_shift};
use super::campaign::{CampaignText, ResponsibleHint, ResponsibleScope, TaskFrequency, TaskText, campaign};
use super::divisions::ProvinceTree;
use super::roster::Account;
use super::{discussion, work};
use crate::access::policy::{
    Action, AttachmentUpload, CampaignCreate, LeadingGroupSet, Login, PlanApprove, PlanCreate, PlanPublish,
    PlanReturn, UserRead,
};
use crate::access::sessions::sign_in;
use crate::access::{Doors, Facts, Gate, Role, Tx};
use crate::campaigns::campaign::rules::{CampaignDraft, LeadingGroupDraft, MemberDraft, Scope};
use crate::campaigns::campaign::service as campaigns;
use crate::campaigns::plan::inflation::{Ground, Place, drawn_down, drawn_title};
use crate::campaigns::plan::rules::{Meeting, PlanContent, Responsible, Target, TaskDraft};
use crate::campaigns::plan::service as plans;
use crate::campaigns::rules::{CampaignId, Frequency, Phase, PlanId, ResponsibleExtent, TargetDirection};
use crate::db::start::{Result, StartError};
use crate::inspections::attachments;
use crate::inspections::attachments::rules::AttachmentId;
use crate::org::rules::{Unit, UnitKind};
use crate::web::NoContent;

/// Somebody of the demo.
#[derive(Debug, Clone)]
pub(super) struct Person {
    pub account: Account,
}

/// Which units act below the province.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cast<'a> {
    /// Codes of units whose head writes a plan, in the order of [`FATES`].
    pub writers: &'a [String],
    /// Codes of the first city, county and station, which have a leading group of their own.
    pub first: &'a [String],
    /// Whether the members of the leading group vote on plans.
    pub votes: bool,
}

/// How far the plan of a writing unit has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Published,
    Approved,
    Submitted,
    /// Submitted, and commented on.
    Commented,
    Returned,
    Draft,
}

const FATES: &[Fate] = &[
    Fate::Published,
    Fate::Approved,
    Fate::Commented,
    Fate::Submitted,
    Fate::Submitted,
    Fate::Returned,
    Fate::Draft,
    Fate::Draft,
];

/// The units that write plans: cities after the first, or counties where the province has none.
pub(super) fn writing_units(tree: &ProvinceTree, first: &[String]) -> Vec<String> {
    let kind = if tree.count("city") > 1 { "city" } else { "county" };
    let others = tree
        .units
        .iter()
        .filter(|unit| unit.kind == kind && unit.parent == Some(0) && !first.contains(&unit.code));
    others.take(FATES.len()).map(|unit| unit.code.clone()).collect()
}

pub(super) fn trouble(error: &dyn std::fmt::Display) -> StartError {
    StartError::new(format!("the demo could not be loaded: {error}"))
}

/// Somebody signed in.
pub(super) struct Desk {
    doors: Arc<Doors>,
    token: String,
}

impl Desk {
    pub(super) async fn of(doors: &Arc<Doors>, person: &Person) -> Result<Self> {
        let gate = Gate::<Login>::open(doors, None, Facts::plain(doors.now()))?;
        let issued = sign_in(&gate, person.account.login.clone(), person.account.password.clone()).await?;
        Ok(Self { doors: doors.clone(), token: issued.access })
    }

    pub(super) async fn act<A: Action, R: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tx<'_, A>) -> crate::errors::Result<R> + Send + 'static,
    ) -> Result<R> {
        let gate = Gate::<A>::open(&self.doors, Some(&self.token), Facts::plain(self.doors.now()))?;
        let (sender, receiver) = std::sync::mpsc::channel();
        gate.run(move |tx| {
            let done = work(tx)?;
            // The receiver waits below; it cannot be gone.
            let _ = sender.send(done);
            Ok(NoContent)
        })
        .await?;
        receiver.recv().map_err(|error| trouble(&error))
    }

    /// Uploads a picture.
    pub(super) async fn upload(&self, name: &str, bytes: Vec<u8>) -> Result<AttachmentId> {
        let gate =
            Gate::<AttachmentUpload>::open(&self.doors, Some(&self.token), Facts::plain(self.doors.now()))?;
        let owner = gate.account().ok_or_else(|| StartError::new("nobody has signed in"))?;
        let new = attachments::upload::keep_bytes(&self.doors, owner, name, bytes).await?;
        let id = new.id;
        self.act::<AttachmentUpload, _>(move |tx| attachments::service::create(tx, &new).map(|_| ())).await?;
        Ok(id)
    }
}

/// Finds the person who holds `role` at the unit with this code.
pub(super) fn holder<'a>(people: &'a [Person], role: Role, code: &str) -> Result<&'a Person> {
    people
        .iter()
        .find(|person| person.account.kind == role && person.account.unit_code == code)
        .ok_or_else(|| StartError::new(format!("the demo has no {role} at {code}")))
}

/// Lets the people of one province act.
pub(super) async fn tell(
    doors: &Arc<Doors>,
    units: &[Unit],
    people: &[Person],
    cast: Cast<'_>,
    today: NaiveDate,
) -> Result<()> {
    let text = campaign().map_err(|error| trouble(&error))?;
    let root = units.first().ok_or_else(|| StartError::new("a province without a root"))?.clone();
    let dates = Dates::of(&text, today)?;
    let office = Desk::of(doors, holder(people, Role::GroupOffice, &root.code)?).await?;
    let head = Desk::of(doors, holder(people, Role::GroupHead, &root.code)?).await?;
    let member = Desk::of(doors, holder(people, Role::GroupMember, &root.code)?).await?;

    let content = campaign_draft(&text, &dates);
    let (unit, draft) = (root.id, content);
    let campaign = office
        .act::<CampaignCreate, _>(move |tx| Ok(campaigns::create(tx, None, unit, &draft)?.0.id))
        .await?;
    let members = [(Role::UnitHead, "第一责任人"), (Role::GroupMember, "成员"), (Role::Discipline, "成员")];
    let mut group = leading_group(&office, people, units, &root, &members).await?;
    group.votes_on_plans = cast.votes;
    office
        .act::<LeadingGroupSet, _>(move |tx| campaigns::set_leading_group(tx, campaign, &group).map(|_| ()))
        .await?;

    let whole = plan_content(&text, &dates, units, &root)?;
    let plan = write(&office, campaign, &root, whole.clone()).await?;
    discussion::submit(&office, plan).await?;
    if cast.votes {
        discussion::vote_for(&member, plan).await?;
    }
    approve(&head, plan).await?;
    let above = office.act::<PlanPublish, _>(move |tx| plans::publish(tx, plan)).await?.1;
    if cast.votes {
        // The next version waits for the members.
        discussion::postpone(&office, plan, today).await?;
        discussion::submit(&office, plan).await?;
    }

    if let [first, rest @ ..] = cast.first {
        let desk = Desk::of(doors, holder(people, Role::GroupOffice, first)?).await?;
        let own_head = Desk::of(doors, holder(people, Role::GroupHead, first)?).await?;
        let unit = unit_of(units, first)?;
        let child = write(&desk, campaign, unit, child_content(&above, units, unit)).await?;
        discussion::submit(&desk, child).await?;
        approve(&own_head, child).await?;
        let city = desk.act::<PlanPublish, _>(move |tx| plans::publish(tx, child)).await?.1;
        for code in cast.first {
            work::tell(doors, people, unit_of(units, code)?, &city).await?;
        }
        // The county's liaison has begun its plan under the city's.
        if let Some(county) = rest.first().filter(|code| code.len() == 6) {
            let desk = Desk::of(doors, holder(people, Role::Liaison, county)?).await?;
            let county = unit_of(units, county)?;
            write(&desk, campaign, county, child_content(&city, units, county)).await?;
        }
        discussion::amend(&desk, child).await?;
    }
    for (code, fate) in cast.writers.iter().zip(FATES) {
        let unit = unit_of(units, code)?;
        let desk = Desk::of(doors, holder(people, Role::UnitHead, code)?).await?;
        let plan = write(&desk, campaign, unit, child_content(&above, units, unit)).await?;
        if *fate == Fate::Draft {
            continue;
        }
        let filed = discussion::submit(&desk, plan).await?;
        match fate {
            Fate::Published | Fate::Approved => approve(&head, plan).await?,
            Fate::Returned => {
                let comment = "第三项任务没有写明本级的牵头领导, 请补充后再报。".to_owned();
                head.act::<PlanReturn, _>(move |tx| plans::send_back(tx, plan, &comment).map(|_| ())).await?;
            }
            Fate::Commented => discussion::commented(&member, &office, &desk, (plan, &filed)).await?,
            Fate::Submitted | Fate::Draft => {}
        }
        if *fate == Fate::Published {
            desk.act::<PlanPublish, _>(move |tx| plans::publish(tx, plan).map(|_| ())).await?;
            discussion::amended(&desk, &head, plan).await?;
        }
    }
    Ok(())
}

fn unit_of<'a>(units: &'a [Unit], code: &str) -> Result<&'a Unit> {
    units
        .iter()
        .find(|unit| unit.code == code)
        .ok_or_else(|| StartError::new(format!("the demo has no unit {code}")))
}

async fn write(desk: &Desk, campaign: CampaignId, unit: &Unit, content: PlanContent) -> Result<PlanId> {
    let unit = unit.id;
    desk.act::<PlanCreate, _>(move |tx| Ok(plans::create(tx, None, campaign, unit, &content)?.0.id)).await
}

async fn approve(head: &Desk, plan: PlanId) -> Result<()> {
    let comment = Some("同意。请结合实际抓好落实, 不得层层加码。".to_owned());
    head.act::<PlanApprove, _>(move |tx| plans::approve(tx, plan, comment.as_deref()).map(|_| ())).await
}

async fn leading_group(
    office: &Desk,
    people: &[Person],
    units: &[Unit],
    root: &Unit,
    members: &[(Role, &str)],
) -> Result<LeadingGroupDraft> {
    let find = |role: Role| {
        let login = holder(people, role, &root.code).map(|person| person.account.login.clone());
        async move {
            let login = login?;
            office
                .act::<UserRead, _>(move |tx| crate::access::holders::by_login(tx, &login))
                .await?
                .ok_or_else(|| StartError::new("an account of the demo is not there"))
        }
    };
    let mut draft = LeadingGroupDraft {
        head_user_id: Some(find(Role::GroupHead).await?),
        office_unit_id: units
            .iter()
            .find(|unit| unit.parent_id == Some(root.id) && unit.name == "办公室")
            .map(|unit| unit.id),
        members: Vec::new(),
        votes_on_plans: false,
    };
    for (role, duty) in members {
        draft.members.push(MemberDraft { user_id: find(*role).await?, duty: (*duty).to_owned() });
    }
    Ok(draft)
}

/// The text's dates, moved.
struct Dates {
    weeks: i64,
    year: i32,
}

impl Dates {
    fn of(text: &CampaignText, today: NaiveDate) -> Result<Self> {
        let second =
            text.phases.get(1).ok_or_else(|| StartError::new("the demo's campaign has no second phase"))?;
        let weeks = week_shift(today, second.starts_on, second.ends_on);
        let mut dates = Self { weeks, year: 0 };
        let begins = text.phases.first().map_or(second.starts_on, |phase| phase.starts_on);
        dates.year = chrono::Datelike::year(&dates.at(begins));
        Ok(dates)
    }

    /// A date near the ends of the calendar stays where it is; no demo lies there.
    fn at(&self, date: NaiveDate) -> NaiveDate {
        shift_date(date, self.weeks).unwrap_or(date)
    }

    fn phases(&self, text: &CampaignText) -> Vec<Phase> {
        let phases = text.phases.iter();
        phases
            .map(|phase| Phase {
                name: phase.name.clone(),
                starts_on: self.at(phase.starts_on),
                ends_on: self.at(phase.ends_on),
            })
            .collect()
    }
}

fn campaign_draft(text: &CampaignText, dates: &Dates) -> CampaignDraft {
    CampaignDraft {
        name: text.name.clone(),
        theme: text.theme.clone(),
        year: dates.year,
        phases: dates.phases(text),
        scope: Scope { kinds: vec![UnitKind::City, UnitKind::County], unit_ids: Vec::new() },
    }
}

fn plan_content(text: &CampaignText, dates: &Dates, units: &[Unit], root: &Unit) -> Result<PlanContent> {
    let categories: std::collections::HashMap<&str, &str> =
        text.categories.iter().map(|category| (category.key.as_str(), category.name.as_str())).collect();
    let meeting = &text.leading_group.meeting;
    let tasks = text.tasks.iter().map(|task| {
        let category = categories.get(task.category.as_str()).copied().unwrap_or_default();
        let responsible = responsible(task, units, root)?;
        Ok(TaskDraft {
            id: None,
            category: category.to_owned(),
            title: task.title.clone(),
            content: task.content.clone(),
            lead_leader: Some(task.lead_leader.clone()),
            responsible,
            due_on: dates.at(task.deadline),
            frequency: frequency(task.frequency),
            daily_entries: task.daily_entries,
            target: task.target.as_ref().map(|target| Target {
                name: target.name.clone(),
                direction: match target.direction {
                    super::campaign::TargetDirection::AtLeast => TargetDirection::AtLeast,
                    super::campaign::TargetDirection::AtMost => TargetDirection::AtMost,
                },
                value: target.value.clone(),
                unit: target.unit.clone(),
            }),
            parent_task_id: None,
        })
    });
    Ok(PlanContent {
        title: format!("{}“{}”主题活动实施方案", root.name, text.name),
        meeting: Some(Meeting {
            title: meeting.name.clone(),
            number: Some(meeting.document_number_in(dates.year)),
            held_on: dates.at(meeting.held_on),
        }),
        phases: dates.phases(text),
        tasks: tasks.collect::<Result<_>>()?,
    })
}

const fn frequency(of: TaskFrequency) -> Frequency {
    match of {
        TaskFrequency::Once => Frequency::Once,
        TaskFrequency::Daily => Frequency::Daily,
        TaskFrequency::Weekly => Frequency::Weekly,
        TaskFrequency::HalfMonthly => Frequency::HalfMonthly,
        TaskFrequency::Monthly => Frequency::Monthly,
        TaskFrequency::Quarterly => Frequency::Quarterly,
    }
}

fn responsible(task: &TaskText, units: &[Unit], root: &Unit) -> Result<Vec<Responsible>> {
    let below = |kind| Responsible { unit_id: root.id, extent: ResponsibleExtent::Subtree, kind: Some(kind) };
    task.responsible
        .iter()
        .map(|hint| {
            Ok(match hint {
                ResponsibleHint::Scope(scope) => below(match scope {
                    ResponsibleScope::AllCities => UnitKind::City,
                    ResponsibleScope::AllCounties => UnitKind::County,
                    ResponsibleScope::AllStations => UnitKind::Station,
                    ResponsibleScope::AllWindows => UnitKind::ServiceWindow,
                    ResponsibleScope::AllDetentionHouses => UnitKind::DetentionHouse,
                    ResponsibleScope::AllDepartments => UnitKind::Department,
                }),
                ResponsibleHint::Department(name) => {
                    let department =
                        units.iter().find(|unit| unit.parent_id == Some(root.id) && unit.name == *name);
                    let department =
                        department.ok_or_else(|| StartError::new(format!("the demo has no {name}")))?;
                    Responsible { unit_id: department.id, extent: ResponsibleExtent::OnlySelf, kind: None }
                }
            })
        })
        .collect()
}

/// A child plan: the parent's tasks that bind the unit or what lies below it, on the same terms.
fn child_content(parent: &PlanContent, units: &[Unit], unit: &Unit) -> PlanContent {
    let places = units.iter().map(|unit| (unit.id, Place::from(unit.clone()))).collect();
    let ground = Ground { unit: unit.id, above: &parent.tasks, places: &places };
    let led = |task| TaskDraft { lead_leader: Some("局长".to_owned()), ..task };
    PlanContent {
        title: drawn_title(&unit.name, &parent.title),
        meeting: parent.phases.first().map(|phase| Meeting {
            title: "局党委会议".to_owned(),
            number: None,
            held_on: phase.starts_on,
        }),
        phases: parent.phases.clone(),
        tasks: drawn_down(&ground).into_iter().map(led).collect(),
    }
}
