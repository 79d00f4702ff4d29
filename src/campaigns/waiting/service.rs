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
    }
}

/// Found of one kind of tasks and days at most: nobody reads more, and the answer stays small.
const MOST_OF_A_KIND: usize = 500;

/// Something that waits.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// What for.
    pub kind: WaitingKind,
    /// The campaign and the plan; none for what is a unit's day.
    pub plan: Option<(CampaignId, PlanId)>,
    /// The task, where it is about one.
    pub task: Option<TaskId>,
    /// Whose plan it is, who has the task, for whom the day is owed.
    pub unit_id: UnitId,
    /// What the plan or the task is called.
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

/// Everything that waits for the caller: what is overdue first, then by the day it is due, the longest
/// waiting first. The number of queries does not grow with what is found.
///
/// # Errors
/// When the database fails.
pub fn waiting(tx: &mut Tx<'_, AccountRead>) -> Result<Vec<Waiting>> {
    let today = tx.now().shanghai_day();
    let mut found = plans_waiting(tx)?;
    found.extend(tasks::awaited(tx, MOST_OF_A_KIND)?.into_iter().map(|one| Waiting {
        kind: WaitingKind::TaskToComplete,
        plan: Some((one.campaign_id, one.plan_id)),
        task: Some(one.task_id),
        unit_id: one.unit_id,
        title: Some(one.title),
        people: None,
        since: one.since,
        due_on: Some(one.due_on),
        is_overdue: one.due_on < today,
    }));
    found.extend(clearing::days_of_caller(tx, MOST_OF_A_KIND)?.into_iter().map(|one| Waiting {
        kind: WaitingKind::DayToEnter,
        plan: Some((one.campaign_id, one.plan_id)),
        task: Some(one.task_id),
        unit_id: one.unit_id,
        title: Some(one.title),
        people: None,
        since: Instant::start_of_shanghai_day(one.day),
        due_on: Some(one.day),
        is_overdue: one.day < today,
    }));
    found.extend(clearing::people_of_units(tx, MOST_OF_A_KIND)?.into_iter().map(|(unit_id, people)| {
        Waiting {
            kind: WaitingKind::PeopleToClose,
            plan: None,
            task: None,
            unit_id,
            title: None,
            people: Some(people),
            since: Instant::start_of_shanghai_day(today),
            due_on: Some(today),
            is_overdue: false,
        }
    }));
    found.sort_by_key(|one| {
        (!one.is_overdue, one.due_on, one.since, one.kind, one.plan, one.task, one.unit_id)
    });
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
            Waiting {
                kind,
                plan: Some((plan.campaign_id, plan.id)),
                task: None,
                unit_id: plan.unit_id,
                since: since(&plan),
                title: Some(plan.title),
                people: None,
                due_on,
                is_overdue: due_on.is_some_and(|due_on| due_on < today),
            }
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
