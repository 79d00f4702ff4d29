//! The use case: what waits for the caller, by kind and date.

use std::collections::{BTreeSet, HashMap};

use chrono::NaiveDate;

use crate::access::Tx;
use crate::access::policy::AccountRead;
use crate::campaigns::campaign::service as campaigns;
use crate::campaigns::clearing::awaited as clearing;
use crate::campaigns::plan::rules::{Plan, PlanAction, PlanState};
use crate::campaigns::plan::service as plans;
use crate::campaigns::rules::{CampaignId, PlanId, TaskId};
use crate::campaigns::tasks::service as tasks;
use crate::db::{Instant, text_enum};
use crate::errors::Result;
use crate::inspections::authorisations::rules::AuthorisationId;
use crate::inspections::authorisations::waiting as authorisations;
use crate::inspections::checks::rules::{CheckAction, CheckId};
use crate::inspections::checks::waiting as checks;
use crate::org::rules::UnitId;

text_enum! {
    /// What waits.
    WaitingKind as "waiting_kind" {
        PlanToApprove = "plan_to_approve", "待批方案", "A plan to decide on", red;
        PlanToReturn = "plan_to_return", "不能批准、待退回的方案", "A plan that cannot be approved, to send back", red;
        PlanToVote = "plan_to_vote", "待表决方案", "A plan to vote on", red;
        PlanToMend = "plan_to_mend", "被退回的方案", "A returned plan to mend", orange;
        PlanToFinish = "plan_to_finish", "待提交的方案", "A draft to finish and submit", blue;
        PlanToPublish = "plan_to_publish", "待发布的方案", "An approved plan to publish", green;
        PlanToAmend = "plan_to_amend", "上级已修订, 待修订的方案", "A plan to compare with the amended one above", orange;
        TaskToComplete = "task_to_complete", "待完成的任务", "A task to complete", blue;
        DayToEnter = "day_to_enter", "待填报的日子", "A day to enter", orange;
        PeopleToClose = "people_to_close", "当日未清的人员", "People who have not closed the day", red;
        AuthorisationToDecide = "authorisation_to_decide", "待批检查授权", "An authorisation to decide on", red;
        CheckToRecord = "check_to_record", "待记录的检查", "A check to record", blue;
        CheckToComplete = "check_to_complete", "照片未到齐的检查", "A check whose photos have not all come", orange;
        CheckToConfirm = "check_to_confirm", "待确认的检查", "A check to confirm", orange;
        CheckToRelease = "check_to_release", "待公布的检查", "A confirmed check to release", green;
        CheckToContest = "check_to_contest", "可提出异议的检查", "A check that is open to objection", orange;
        CheckToDecide = "check_to_decide", "待答复的检查异议", "An objection to a check to answer", red;
    }
}

/// Found of one kind at most: nobody reads more, and the answer stays small.
const MOST_OF_A_KIND: usize = 500;

/// Something that waits.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// What for.
    pub kind: WaitingKind,
    /// The campaign and the plan; none for what is of none.
    pub plan: Option<(CampaignId, PlanId)>,
    /// The task, where it is about one.
    pub task: Option<TaskId>,
    /// The authorisation, where it is about one.
    pub authorisation: Option<AuthorisationId>,
    /// The check, where it is about one.
    pub check: Option<CheckId>,
    /// The number of a check that has been released.
    pub number: Option<String>,
    /// Whose plan or authorisation it is, who has the task, for whom the day is owed, whom the check inspects.
    pub unit_id: UnitId,
    /// What the plan, the task or the authorisation is called.
    pub title: Option<String>,
    /// How many people have not closed the day.
    pub people: Option<i64>,
    /// Since when.
    pub since: Instant,
    /// By when, the day included.
    pub due_on: Option<NaiveDate>,
    /// Whether that day is over.
    pub is_overdue: bool,
}

impl Waiting {
    /// Something of a unit, by no day.
    const fn of(kind: WaitingKind, unit_id: UnitId, since: Instant) -> Self {
        Self {
            kind,
            plan: None,
            task: None,
            authorisation: None,
            check: None,
            number: None,
            unit_id,
            title: None,
            people: None,
            since,
            due_on: None,
            is_overdue: false,
        }
    }

    /// The same, by this day.
    fn by(self, due_on: Option<NaiveDate>, today: NaiveDate) -> Self {
        Self { due_on, is_overdue: due_on.is_some_and(|due_on| due_on < today), ..self }
    }
}

/// Everything that waits for the caller: what is overdue first, then by the day it is due, what is due by no day behind that,
/// the longest waiting first. Nothing is asked for row by row: what may wait is looked through in portions.
///
/// # Errors
/// When the database fails.
pub fn waiting(tx: &mut Tx<'_, AccountRead>) -> Result<Vec<Waiting>> {
    let mut found = plans_waiting(tx)?;
    found.extend(work_waiting(tx)?);
    found.extend(inspections_waiting(tx)?);
    found.sort_by_key(|one| {
        let of = (one.plan, one.task, one.authorisation, one.check, one.unit_id);
        (!one.is_overdue, one.due_on.is_none(), one.due_on, one.since, one.kind, of)
    });
    Ok(found)
}

fn work_waiting(tx: &mut Tx<'_, AccountRead>) -> Result<Vec<Waiting>> {
    let today = tx.now().shanghai_day();
    let mut found = Vec::new();
    found.extend(tasks::awaited(tx, MOST_OF_A_KIND)?.into_iter().map(|one| {
        let of = Waiting {
            plan: Some((one.campaign_id, one.plan_id)),
            task: Some(one.task_id),
            title: Some(one.title),
            ..Waiting::of(WaitingKind::TaskToComplete, one.unit_id, one.since)
        };
        of.by(Some(one.due_on), today)
    }));
    found.extend(clearing::days_of_caller(tx, MOST_OF_A_KIND)?.into_iter().map(|one| {
        let since = Instant::start_of_shanghai_day(one.day);
        let of = Waiting {
            plan: Some((one.campaign_id, one.plan_id)),
            task: Some(one.task_id),
            title: Some(one.title),
            ..Waiting::of(WaitingKind::DayToEnter, one.unit_id, since)
        };
        of.by(Some(one.day), today)
    }));
    found.extend(clearing::people_of_units(tx, MOST_OF_A_KIND)?.into_iter().map(|(unit_id, people)| {
        let since = Instant::start_of_shanghai_day(today);
        let of = Waiting { people: Some(people), ..Waiting::of(WaitingKind::PeopleToClose, unit_id, since) };
        of.by(Some(today), today)
    }));
    Ok(found)
}

fn inspections_waiting(tx: &mut Tx<'_, AccountRead>) -> Result<Vec<Waiting>> {
    let today = tx.now().shanghai_day();
    let mut found = Vec::new();
    found.extend(authorisations::awaited(tx, MOST_OF_A_KIND)?.into_iter().map(|one| {
        let of = Waiting {
            authorisation: Some(one.id),
            title: Some(one.content.title),
            ..Waiting::of(WaitingKind::AuthorisationToDecide, one.unit_id, one.created_at)
        };
        // From that day on the team is to check.
        of.by(Some(one.content.valid_from_on), today)
    }));
    found.extend(checks::awaited(tx, MOST_OF_A_KIND)?.into_iter().filter_map(|one| {
        let kind = match one.action {
            CheckAction::Record => WaitingKind::CheckToRecord,
            CheckAction::GiveUpAttachments => WaitingKind::CheckToComplete,
            CheckAction::Confirm => WaitingKind::CheckToConfirm,
            CheckAction::Release => WaitingKind::CheckToRelease,
            CheckAction::Contest => WaitingKind::CheckToContest,
            CheckAction::Decide => WaitingKind::CheckToDecide,
            CheckAction::Void | CheckAction::AddAddendum => return None,
        };
        let of =
            Waiting { check: Some(one.id), number: one.number, ..Waiting::of(kind, one.unit_id, one.since) };
        Some(of.by(one.until_on, today))
    }));
    Ok(found)
}

fn plans_waiting(tx: &mut Tx<'_, AccountRead>) -> Result<Vec<Waiting>> {
    let today = tx.now().shanghai_day();
    let awaited = plans::awaited(tx)?;
    let of: BTreeSet<CampaignId> = awaited.iter().map(|(_, plan)| plan.campaign_id).collect();
    let due: HashMap<CampaignId, NaiveDate> =
        campaigns::plans_due_on(tx, &of.into_iter().collect::<Vec<_>>())?;
    Ok(awaited
        .into_iter()
        .map(|(action, plan)| {
            // Units are to have their plans by a day; no day is set for amending them.
            let due_on = due.get(&plan.campaign_id).copied().filter(|_| plan.amendment.is_none());
            let kind = match (action, plan.standing().in_hand()) {
                (PlanAction::Vote, _) => WaitingKind::PlanToVote,
                (PlanAction::Amend, _) => WaitingKind::PlanToAmend,
                (PlanAction::Approve, _) => WaitingKind::PlanToApprove,
                (PlanAction::Return, _) => WaitingKind::PlanToReturn,
                (PlanAction::Publish, _) => WaitingKind::PlanToPublish,
                (_, PlanState::Returned) => WaitingKind::PlanToMend,
                _ => WaitingKind::PlanToFinish,
            };
            let of = Waiting {
                plan: Some((plan.campaign_id, plan.id)),
                ..Waiting::of(kind, plan.unit_id, since(&plan))
            };
            Waiting { title: Some(plan.title), ..of }.by(due_on, today)
        })
        .collect())
}

fn since(plan: &Plan) -> Instant {
    // An amendment's own days stand with it; the plan was last changed with it.
    if plan.amendment.is_some() {
        return plan.updated_at;
    }
    let moved = match plan.state {
        PlanState::Submitted => plan.submitted_at,
        PlanState::Returned | PlanState::Approved => plan.decided_at,
        _ => None,
    };
    moved.unwrap_or(plan.created_at)
}
