//! A plan's content, and what makes it complete.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

pub use super::machine::{PlanAction, PlanState, Standing, next};
use crate::access::UserId;
use crate::campaigns::rules::{
    CampaignId, Frequency, Phase, PlanId, ResponsibleExtent, TargetDirection, TaskId, phase_errors,
};
use crate::db::{Instant, text_enum};
use crate::errors::{AppError, Code, FieldError, Result, into_validation, text};
use crate::org::rules::{UnitId, UnitKind};

text_enum! {
    /// In which quality somebody submitted a plan.
    SubmittedAs as "submitted_as" {
        Office = "office", "领导小组办公室", "The group's office", grey;
        Head = "head", "主要负责人", "The head", blue;
        StandIn = "stand_in", "代理", "A stand-in for the head", orange;
    }
}

/// 决定此方案的会议。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Meeting {
    /// 会议名称。
    #[schema(min_length = 1, max_length = 100, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    pub title: String,
    /// 会议纪要文号。
    #[serde(default)]
    #[schema(min_length = 1, max_length = 60, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    pub number: Option<String>,
    /// 召开日期。
    pub held_on: NaiveDate,
}

/// 目标值。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// 指标名称。
    #[schema(min_length = 1, max_length = 60, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    pub name: String,
    /// 方向: 不低于或不高于。
    pub direction: TargetDirection,
    /// 数值, 十进制字符串。
    #[schema(min_length = 1, max_length = 19, pattern = r"^(0|[1-9][0-9]{0,11})(\.[0-9]{1,6})?$")]
    pub value: String,
    /// 单位, 如 %、件、日。
    #[schema(min_length = 1, max_length = 10, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    pub unit: String,
}

/// 责任单位: 一个单位本身, 或连同其下级; 写了种类的, 其中只指这一种类。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Responsible {
    /// 单位。
    pub unit_id: UnitId,
    /// 仅本单位, 或含下级。
    pub extent: ResponsibleExtent,
    /// 含下级时, 只指这一种类。
    #[serde(default)]
    pub kind: Option<UnitKind>,
}

/// 任务清单中的一项。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskDraft {
    /// 标识; 新增时可不写, 修改方案时写上以保持同一任务。
    #[serde(default)]
    pub id: Option<TaskId>,
    /// 类别, 如 服务窗口。
    #[schema(min_length = 1, max_length = 40, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    pub category: String,
    /// 事项名称。
    #[schema(min_length = 1, max_length = 60, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    pub title: String,
    /// 要求: 做什么, 做到什么程度。
    #[schema(min_length = 1, max_length = 1000)]
    pub content: String,
    /// 牵头领导, 有且只有一位; 提交前必填。
    #[serde(default)]
    #[schema(min_length = 1, max_length = 60, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    pub lead_leader: Option<String>,
    /// 责任单位, 提交前至少一个。
    #[serde(default)]
    #[schema(max_items = 50)]
    pub responsible: Vec<Responsible>,
    /// 完成时限, 具体到日, 含当日。
    pub due_on: NaiveDate,
    /// 频次。
    pub frequency: Frequency,
    /// 是否须每人逐日填报。
    #[serde(default)]
    pub daily_entries: bool,
    /// 目标值。
    #[serde(default)]
    pub target: Option<Target>,
    /// 上级方案中对应的任务。
    #[serde(default)]
    pub parent_task_id: Option<TaskId>,
}

/// 方案的内容。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanContent {
    /// 标题。
    #[schema(min_length = 1, max_length = 100, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    pub title: String,
    /// 决定此方案的会议; 提交前必填。
    #[serde(default)]
    pub meeting: Option<Meeting>,
    /// 阶段, 按先后; 提交前至少一个。
    #[serde(default)]
    #[schema(max_items = 20)]
    pub phases: Vec<Phase>,
    /// 任务清单; 提交前至少一项。
    #[serde(default)]
    #[schema(max_items = 300)]
    pub tasks: Vec<TaskDraft>,
}

impl Validate for PlanContent {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut errors = phase_errors(&self.phases);
        let mut ids = std::collections::HashSet::new();
        for (at, task) in self.tasks.iter().enumerate() {
            if task.id.is_some_and(|id| !ids.insert(id)) {
                let detail = text!("任务标识重复", "The task's id is there twice");
                errors.push(FieldError::body(format!("/tasks/{at}/id"), Code::NotUnique, detail));
            }
            for (place, one) in task.responsible.iter().enumerate() {
                let pointer = format!("/tasks/{at}/responsible/{place}");
                if task.responsible.iter().take(place).any(|other| other == one) {
                    let detail = text!("责任单位重复", "The unit is there twice");
                    errors.push(FieldError::body(pointer, Code::NotUnique, detail));
                } else if one.extent == ResponsibleExtent::OnlySelf && one.kind.is_some() {
                    let detail = text!("仅本单位时不写种类", "A kind goes with the subtree only");
                    errors.push(FieldError::body(format!("{pointer}/kind"), Code::WrongKind, detail));
                }
            }
        }
        into_validation(errors)
    }
}

/// Who of the leading group is known.
#[derive(Debug, Clone, Copy)]
pub struct GroupFacts {
    /// Whether there is a head.
    pub head: bool,
    /// Whether there is an office.
    pub office: bool,
    /// How many members.
    pub members: usize,
}

/// What is missing before a plan can be submitted (domain.md §6: meeting cited, group complete, each
/// task owned), each with its place.
#[must_use]
pub fn missing(content: &PlanContent, group: GroupFacts) -> Vec<FieldError> {
    let first = content.phases.iter().map(|phase| phase.starts_on).min();
    let last = content.phases.iter().map(|phase| phase.ends_on).max();
    let mut errors = Vec::new();
    let mut miss = |pointer: String, code: Code, zh: &'static str, en: &'static str| {
        errors.push(FieldError::body(pointer, code, text!("{zh}", "{en}")));
    };
    if content.meeting.is_none() {
        miss("/meeting".into(), Code::Required, "须引用决定此方案的会议", "Cite the meeting that decided it");
    }
    if content.phases.is_empty() {
        miss("/phases".into(), Code::TooFew, "至少一个阶段", "It needs at least one phase");
    }
    if content.tasks.is_empty() {
        miss("/tasks".into(), Code::TooFew, "至少一项任务", "It needs at least one task");
    }
    for (at, task) in content.tasks.iter().enumerate() {
        if task.lead_leader.is_none() {
            miss(
                format!("/tasks/{at}/lead_leader"),
                Code::Required,
                "须有一位牵头领导",
                "It needs a lead leader",
            );
        }
        if task.responsible.is_empty() {
            miss(
                format!("/tasks/{at}/responsible"),
                Code::TooFew,
                "至少一个责任单位",
                "It needs a responsible unit",
            );
        }
        if first.is_some_and(|first| task.due_on < first) || last.is_some_and(|last| task.due_on > last) {
            let (zh, en) = ("时限不在各阶段之内", "The deadline lies outside the phases");
            miss(format!("/tasks/{at}/due_on"), Code::OutsidePhases, zh, en);
        }
    }
    if !group.head {
        miss(
            "/leading_group/head".into(),
            Code::Required,
            "领导小组没有组长",
            "The leading group has no head",
        );
    }
    if !group.office {
        miss(
            "/leading_group/office".into(),
            Code::Required,
            "领导小组没有办公室",
            "The leading group has no office",
        );
    }
    if group.members == 0 {
        miss(
            "/leading_group/members".into(),
            Code::TooFew,
            "领导小组没有成员",
            "The leading group has no members",
        );
    }
    errors
}

/// A plan without its content.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Its identifier.
    pub id: PlanId,
    /// The campaign it belongs to.
    pub campaign_id: CampaignId,
    /// Whose plan it is.
    pub unit_id: UnitId,
    /// The unit's path today.
    pub unit_path: String,
    /// The published plan above it.
    pub parent_plan_id: Option<PlanId>,
    /// Its title.
    pub title: String,
    /// Its state.
    pub state: PlanState,
    /// The meeting cited.
    pub meeting: Option<Meeting>,
    /// Why it was returned last.
    pub return_comment: Option<String>,
    /// What was said when it was approved.
    pub approval_comment: Option<String>,
    /// When it was submitted last.
    pub submitted_at: Option<Instant>,
    /// In which quality.
    pub submitted_as: Option<SubmittedAs>,
    /// When it was approved or returned last.
    pub decided_at: Option<Instant>,
    /// By whom.
    pub decided_by: Option<UserId>,
    /// When it was published.
    pub published_at: Option<Instant>,
    /// The day from which it runs: the first of its phases, and the day after its publication at the
    /// earliest.
    pub starts_on: Option<NaiveDate>,
    /// When it was concluded, closed or withdrawn.
    pub stage_at: Option<Instant>,
    /// The number of the version in force, or of the first while that is being prepared.
    pub number: i32,
    /// Whether the plan above was amended since this version was compared with it.
    pub parent_amended: bool,
    /// How far its amendment is, if one is in hand.
    pub amendment: Option<PlanState>,
    /// The amendment's number.
    pub amendment_number: Option<i32>,
    /// Counts up with each change.
    pub version: i64,
    /// When it was begun.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

impl Plan {
    /// Where it stands.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        Standing { state: self.state, amendment: self.amendment }
    }

    /// The number of what is in hand: its authors do not decide on it.
    #[must_use]
    pub fn number_in_hand(&self) -> i32 {
        self.amendment_number.unwrap_or(self.number)
    }
}

/// Who decides on a plan, and who may not.
#[derive(Debug, Clone, Copy)]
pub struct Decider<'a> {
    /// Paths of units at which a `group_head` is bound now.
    pub heads: &'a [String],
    /// Paths at which the caller is bound as `group_head`.
    pub mine: &'a [String],
    /// Whether the caller created, edited or submitted the version that is decided on.
    pub is_author: bool,
}

/// The unit whose head decides on a plan: of `heads` the one at the plan's unit, else the nearest above.
#[must_use]
pub fn deciding<'h>(plan_path: &str, heads: &'h [String]) -> Option<&'h String> {
    heads.iter().filter(|path| plan_path.starts_with(path.as_str())).max_by_key(|path| path.len())
}

/// The `group_head` bound at the plan's unit decides, else the nearest above; never an author.
///
/// # Errors
/// `not_the_right_head`, `approver_is_author`.
pub fn may_decide(plan_path: &str, decider: Decider<'_>) -> Result<()> {
    let nearest = deciding(plan_path, decider.heads);
    if !nearest.is_some_and(|path| decider.mine.contains(path)) {
        return Err(AppError::new(Code::NotTheRightHead));
    }
    if decider.is_author {
        return Err(AppError::new(Code::ApproverIsAuthor));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_head_decides_and_never_an_author() {
        let heads = ["53/".to_owned(), "53/5301/".to_owned()];
        let code = |path: &str, mine: &[String], is_author| {
            may_decide(path, Decider { heads: &heads, mine, is_author }).err().map(|error| error.code())
        };
        assert_eq!(code("53/5301/", &heads[1..], false), None);
        assert_eq!(code("53/5301/530102/", &heads[1..], false), None);
        assert_eq!(code("53/5301/530102/", &heads[..1], false), Some(Code::NotTheRightHead));
        assert_eq!(code("53/5302/", &heads[..1], false), None);
        assert_eq!(code("53/5302/", &heads[..1], true), Some(Code::ApproverIsAuthor));
        assert_eq!(code("53/5302/", &[], false), Some(Code::NotTheRightHead));
    }

    #[test]
    fn what_is_missing_is_told_all_at_once() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let group = GroupFacts { head: true, office: true, members: 3 };
        let task = TaskDraft {
            id: None,
            category: "服务窗口".into(),
            title: "落实一次性告知".into(),
            content: "一次告知全部材料。".into(),
            lead_leader: Some("分管副局长".into()),
            responsible: vec![Responsible {
                unit_id: crate::db::Id::generate(),
                extent: ResponsibleExtent::OnlySelf,
                kind: None,
            }],
            due_on: day("2026-06-30"),
            frequency: Frequency::Weekly,
            daily_entries: false,
            target: None,
            parent_task_id: None,
        };
        let meeting = Meeting { title: "党委会议".into(), number: None, held_on: day("2026-02-25") };
        let phase = Phase { name: "实施".into(), starts_on: day("2026-03-01"), ends_on: day("2026-12-31") };
        let whole = PlanContent {
            title: "实施方案".into(),
            meeting: Some(meeting),
            phases: vec![phase],
            tasks: vec![task.clone()],
        };
        assert!(missing(&whole, group).is_empty());
        let empty =
            PlanContent {
                title: "实施方案".into(), meeting: None, phases: Vec::new(), tasks: Vec::new()
            };
        assert_eq!(missing(&empty, GroupFacts { head: false, office: false, members: 0 }).len(), 6);
        let wrong =
            TaskDraft { lead_leader: None, responsible: Vec::new(), due_on: day("2027-01-01"), ..task };
        let late = PlanContent { tasks: vec![wrong], ..whole };
        assert_eq!(missing(&late, group).len(), 3);
    }
}
