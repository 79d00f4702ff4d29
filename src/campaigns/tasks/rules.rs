//! What an assignment is, and what can be done with it.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

use crate::access::{Role, UserId, ancestors};
use crate::campaigns::plan::rules::PlanState;
use crate::campaigns::rules::{CampaignId, PlanId, TaskId};
use crate::db::{Id, Instant, text_enum};
use crate::errors::{AppError, Code, FieldError, Result, into_validation, text};
use crate::org::officers::rules::OfficerId;
use crate::org::rules::UnitId;

/// Marks the identifier of an assignment.
#[derive(Debug)]
pub struct AssignmentEntity;
/// The identifier of an assignment.
pub type AssignmentId = Id<AssignmentEntity>;

text_enum! {
    /// How far an assignment is.
    AssignmentState as "assignment_state" {
        Open = "open", "未完成", "Open", orange;
        Done = "done", "已完成", "Done", green;
        Retired = "retired", "不再承担", "No longer assigned", grey;
    }
}

text_enum! {
    /// What can be done with an assignment.
    AssignmentAction as "assignment_action" {
        Complete = "complete", "完成", "Complete", green;
        Reopen = "reopen", "退回重做", "Reopen", orange;
        NamePersons = "name_persons", "落实责任人", "Name persons", blue;
    }
}

/// A task as its assignments know it.
#[derive(Debug, Clone)]
pub struct TaskFacts {
    /// Its identifier.
    pub id: TaskId,
    /// The plan it stands in.
    pub plan_id: PlanId,
    /// The state of that plan.
    pub plan_state: PlanState,
    /// Whether the plan is closed and the task answers one of a plan in force: what is found to be false
    /// after all is taken back and done again, for those above still ask for it.
    pub is_asked_from_above: bool,
    /// The version of that plan.
    pub version: i64,
    /// The campaign.
    pub campaign_id: CampaignId,
    /// The parent's task that it answers.
    pub parent_task_id: Option<TaskId>,
    /// The last day for it.
    pub due_on: NaiveDate,
    /// Whether each person enters it day by day.
    pub daily_entries: bool,
    /// Whether a later version of the plan has left it out.
    pub is_retired: bool,
}

impl TaskFacts {
    /// Whether anything can be done for it now.
    ///
    /// # Errors
    /// `plan_not_in_force`, `assignment_retired`.
    pub fn in_force(&self) -> Result<()> {
        match (self.plan_state.is_in_force() || self.is_asked_from_above, self.is_retired) {
            (false, _) => Err(AppError::new(Code::PlanNotInForce)),
            (true, true) => Err(AppError::new(Code::AssignmentRetired)),
            (true, false) => Ok(()),
        }
    }
}

/// A task and a unit that has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// Its identifier.
    pub id: AssignmentId,
    /// The task.
    pub task_id: TaskId,
    /// The parent's task that the task answers.
    pub parent_task_id: Option<TaskId>,
    /// The campaign.
    pub campaign_id: CampaignId,
    /// The unit.
    pub unit_id: UnitId,
    /// The unit's path today.
    pub unit_path: String,
    /// The last day for it.
    pub due_on: NaiveDate,
    /// How far it is.
    pub state: AssignmentState,
    /// Whether assignments of a child plan's task stand for it.
    pub carried: bool,
    /// What proves that it is, or was said to be, done.
    pub evidence: Option<String>,
    /// When it was completed directly.
    pub completed_at: Option<Instant>,
    /// By whom.
    pub completed_by: Option<UserId>,
    /// Why it was taken back last.
    pub reopen_reason: Option<String>,
    /// Counts up with each change.
    pub version: i64,
    /// When it was assigned.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

impl Assignment {
    /// Whether it is what progress counts: live, and carried by nobody.
    #[must_use]
    pub fn counts(&self) -> bool {
        self.state != AssignmentState::Retired && !self.carried
    }

    /// Whether somebody still has to work on this very assignment.
    #[must_use]
    pub fn is_worked_on(&self) -> bool {
        self.state == AssignmentState::Open && !self.carried
    }

    /// Whether its last day is over and it is not done.
    #[must_use]
    pub fn is_overdue(&self, today: NaiveDate) -> bool {
        self.state == AssignmentState::Open && self.due_on < today
    }

    /// The same, carried by so many assignments of which so many are done.
    #[must_use]
    pub fn carried_by(&self, carriers: i64, done: i64) -> Self {
        let is_done = if carriers > 0 { carriers == done } else { self.completed_at.is_some() };
        let state = if is_done { AssignmentState::Done } else { AssignmentState::Open };
        // Where what carries it is not done, what was once said of it directly holds no more, and does not
        // come back when nobody carries it.
        let holds = carriers == 0 || is_done;
        Self {
            carried: carriers > 0,
            state,
            completed_at: self.completed_at.filter(|_| holds),
            completed_by: self.completed_by.filter(|_| holds),
            ..self.clone()
        }
    }

    /// The paths at which it counts: those above its unit, and its unit's.
    #[must_use]
    pub fn chain(&self) -> Vec<String> {
        chain(&self.unit_path)
    }

    /// What the audit log keeps a digest of.
    #[must_use]
    pub fn facts(&self) -> serde_json::Value {
        serde_json::json!({
            "task_id": self.task_id, "unit_id": self.unit_id, "state": self.state, "due_on": self.due_on,
            "evidence": self.evidence, "reopen_reason": self.reopen_reason, "completed_by": self.completed_by,
        })
    }
}

/// How many units have a task, and how many of those have done it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Done {
    /// Those that have it.
    pub total: i64,
    /// Those that have done it.
    pub done: i64,
}

/// A unit's path, and those above it.
#[must_use]
pub fn chain(path: &str) -> Vec<String> {
    let mut paths = ancestors(path);
    paths.push(path.to_owned());
    paths
}

/// Where an action leads from a state.
///
/// # Errors
/// The code of the refusal when the state does not allow it (409).
pub fn next(
    state: AssignmentState,
    carried: bool,
    action: AssignmentAction,
) -> Result<AssignmentState, Code> {
    use AssignmentAction::{Complete, NamePersons, Reopen};
    use AssignmentState::{Done, Open, Retired};
    match (action, state) {
        (_, Retired) => Err(Code::AssignmentRetired),
        (_, Open | Done) if carried => Err(Code::AssignmentCarried),
        (Complete, Open) => Ok(Done),
        (NamePersons, Open) | (Reopen, Done) => Ok(Open),
        (Complete | NamePersons, Done) => Err(Code::AssignmentDone),
        (Reopen, Open) => Err(Code::AssignmentOpen),
    }
}

/// A completion is taken back from above: by an office or a head bound above the unit. Above the
/// province there is nobody, so its own group's head does it there.
#[must_use]
pub fn may_reopen<'a>(unit_path: &str, bindings: impl IntoIterator<Item = (Role, &'a str)>) -> bool {
    let is_root = ancestors(unit_path).is_empty();
    bindings.into_iter().any(|(role, path)| match role {
        Role::GroupHead if is_root => path == unit_path,
        Role::GroupHead | Role::GroupOffice => unit_path.starts_with(path) && path != unit_path,
        _ => false,
    })
}

/// 任务在一个单位的落实。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignmentDraft {
    /// 责任人: 本单位及下级在职的民警辅警, 整体替换。
    #[schema(max_items = 50)]
    pub officer_ids: Vec<OfficerId>,
}

impl Validate for AssignmentDraft {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut seen = std::collections::HashSet::new();
        let twice = self.officer_ids.iter().enumerate().filter(|(_, id)| !seen.insert(**id));
        let errors = twice.map(|(at, _)| {
            let detail = text!("责任人重复", "The officer is there twice");
            FieldError::body(format!("/officer_ids/{at}"), Code::NotUnique, detail)
        });
        into_validation(errors.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_state_and_every_action() {
        use AssignmentState::{Done, Open};
        // In the order open, done, retired.
        let table = [
            (AssignmentAction::Complete, [Ok(Done), Err(Code::AssignmentDone), Err(Code::AssignmentRetired)]),
            (AssignmentAction::Reopen, [Err(Code::AssignmentOpen), Ok(Open), Err(Code::AssignmentRetired)]),
            (
                AssignmentAction::NamePersons,
                [Ok(Open), Err(Code::AssignmentDone), Err(Code::AssignmentRetired)],
            ),
        ];
        assert_eq!(table.len(), AssignmentAction::ALL.len());
        for (action, outcomes) in table {
            for (state, outcome) in AssignmentState::ALL.iter().zip(outcomes) {
                assert_eq!(next(*state, false, action), outcome, "{action} in {state}");
                let carried = if *state == AssignmentState::Retired {
                    Code::AssignmentRetired
                } else {
                    Code::AssignmentCarried
                };
                assert_eq!(next(*state, true, action), Err(carried), "{action} in {state}, carried");
            }
        }
    }

    #[test]
    fn it_is_taken_back_from_above() {
        let may = |unit: &str, role, path| may_reopen(unit, [(role, path)]);
        assert!(may("53/5301/", Role::GroupOffice, "53/") && may("53/5301/", Role::GroupHead, "53/"));
        assert!(
            !may("53/5301/", Role::GroupOffice, "53/5301/") && !may("53/5301/", Role::GroupHead, "53/5301/")
        );
        assert!(!may("53/5301/", Role::UnitHead, "53/") && !may("53/5301/", Role::GroupHead, "53/5303/"));
        assert!(may("53/", Role::GroupHead, "53/") && !may("53/", Role::GroupOffice, "53/"));
    }
}
