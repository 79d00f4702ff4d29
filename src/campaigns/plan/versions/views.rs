//! What the wire shows of versions and of what differs between them.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::diff::{Comparison, PlanField, TaskChange, TaskDifference, TaskField};
use super::rules::{Version, VersionId, VersionState};
use super::service;
use crate::access::Tx;
use crate::access::names::{UserNames, UserRef};
use crate::access::policy::Action;
use crate::campaigns::plan::rules::{Meeting, Plan, PlanContent, SubmittedAs, TaskDraft};
use crate::campaigns::plan::views::{TaskView, task_views};
use crate::campaigns::rules::{Phase, PlanId};
use crate::db::Instant;
use crate::errors::Result;
use crate::web::{Example, Versioned};

const PLAN: &str = "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d80";

/// 修订中的版本: 发布之前, 原版本继续生效。
#[derive(Debug, Serialize, ToSchema)]
pub struct AmendmentView {
    /// 第几版。
    #[schema(minimum = 2, maximum = 100_000)]
    number: i32,
    /// 状态。
    state: VersionState,
    /// 为何修订。
    #[schema(max_length = 500)]
    reason: Option<String>,
    /// 标题。
    #[schema(max_length = 100)]
    title: String,
    /// 决定此次修订的会议。
    meeting: Option<Meeting>,
    /// 阶段, 按先后。
    #[schema(max_items = 20)]
    phases: Vec<Phase>,
    /// 任务清单。
    #[schema(max_items = 300)]
    tasks: Vec<TaskView>,
    /// 最近一次退回的理由; 重新提交后清空。
    #[schema(max_length = 2000)]
    return_comment: Option<String>,
    /// 批准时的意见。
    #[schema(max_length = 2000)]
    approval_comment: Option<String>,
    /// 最近提交时刻。
    submitted_at: Option<Instant>,
    /// 以何身份提交。
    submitted_as: Option<SubmittedAs>,
    /// 最近批准或退回的时刻。
    decided_at: Option<Instant>,
    /// 由谁批准或退回。
    decided_by: Option<UserRef>,
    /// 核对之后上级方案是否又有修订; 有则须退回重核。
    parent_amended: bool,
    /// 由谁开始修订。
    created_by: Option<UserRef>,
    /// 开始修订的时刻。
    created_at: Instant,
}

fn people(version: &Version) -> impl Iterator<Item = crate::access::UserId> {
    version.hand.decided_by.into_iter().chain(version.created_by)
}

/// Shows the amendment in hand of a plan, to who may see it.
///
/// # Errors
/// When the database fails.
pub fn amendment<A: Action>(tx: &mut Tx<'_, A>, plan: &Plan) -> Result<Option<AmendmentView>> {
    let Some(version) = service::amendment(tx, plan)? else { return Ok(None) };
    let users = UserNames::load(tx, people(&version))?;
    let Version { state, reason, hand, created_by, created_at, content, .. } = version;
    Ok(Some(AmendmentView {
        number: hand.number,
        state,
        reason,
        title: content.title,
        meeting: content.meeting,
        phases: content.phases,
        tasks: task_views(tx, plan, (0..).zip(content.tasks))?,
        return_comment: hand.return_comment,
        approval_comment: hand.approval_comment,
        submitted_at: hand.submitted_at,
        submitted_as: hand.submitted_as,
        decided_at: hand.decided_at,
        decided_by: hand.decided_by.map(|id| users.get(id)).transpose()?,
        parent_amended: hand.parent_amended,
        created_by: created_by.map(|id| users.get(id)).transpose()?,
        created_at,
    }))
}

/// 方案的一个版本, 不含内容。
#[derive(Debug, Serialize, ToSchema)]
pub struct VersionSummaryView {
    /// 标识; 第一版的标识即方案的标识。
    id: VersionId,
    /// 方案。
    plan_id: PlanId,
    /// 第几版。
    #[schema(minimum = 1, maximum = 100_000)]
    number: i32,
    /// 状态。
    state: VersionState,
    /// 为何修订; 第一版为 null。
    #[schema(max_length = 500)]
    reason: Option<String>,
    /// 标题。
    #[schema(max_length = 100)]
    title: String,
    /// 任务项数。
    #[schema(minimum = 0, maximum = 1000)]
    task_count: usize,
    /// 最近提交时刻。
    submitted_at: Option<Instant>,
    /// 最近批准或退回的时刻。
    decided_at: Option<Instant>,
    /// 由谁批准或退回。
    decided_by: Option<UserRef>,
    /// 生效时刻。
    published_at: Option<Instant>,
    /// 开始编制的时刻。
    created_at: Instant,
}

fn example_head() -> Value {
    json!({
        "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b6c02", "plan_id": PLAN, "number": 2, "state": "in_force",
        "reason": "汛期顺延两项任务的时限。", "title": "云南省公安厅“治庸懒、强担当、树新风”主题活动实施方案",
        "submitted_at": "2026-05-06T02:00:00.000000Z", "decided_at": "2026-05-07T02:00:00.000000Z",
        "decided_by": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d10", "display_name": "李春阳" },
        "published_at": "2026-05-07T03:00:00.000000Z", "created_at": "2026-05-05T01:00:00.000000Z",
    })
}

impl Example for VersionSummaryView {
    fn example() -> Value {
        let mut example = example_head();
        if let Some(map) = example.as_object_mut() {
            map.insert("task_count".into(), json!(59));
        }
        example
    }
}

/// Shows versions without their content.
///
/// # Errors
/// When the database fails.
pub fn summaries<A: Action>(tx: &mut Tx<'_, A>, versions: Vec<Version>) -> Result<Vec<VersionSummaryView>> {
    let users = UserNames::load(tx, versions.iter().flat_map(people).collect::<Vec<_>>())?;
    let view = |version: Version| {
        let Version { id, plan_id, state, reason, hand, published_at, created_at, content, .. } = version;
        Ok(VersionSummaryView {
            id,
            plan_id,
            number: hand.number,
            state,
            reason,
            title: content.title,
            task_count: content.tasks.len(),
            submitted_at: hand.submitted_at,
            decided_at: hand.decided_at,
            decided_by: hand.decided_by.map(|id| users.get(id)).transpose()?,
            published_at,
            created_at,
        })
    };
    versions.into_iter().map(view).collect()
}

/// 方案的一个版本。
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanVersionView {
    /// 标识; 第一版的标识即方案的标识。
    id: VersionId,
    /// 方案。
    plan_id: PlanId,
    /// 第几版。
    #[schema(minimum = 1, maximum = 100_000)]
    number: i32,
    /// 状态。
    state: VersionState,
    /// 为何修订; 第一版为 null。
    #[schema(max_length = 500)]
    reason: Option<String>,
    /// 标题。
    #[schema(max_length = 100)]
    title: String,
    /// 决定此版的会议。
    meeting: Option<Meeting>,
    /// 阶段, 按先后。
    #[schema(max_items = 20)]
    phases: Vec<Phase>,
    /// 任务清单。
    #[schema(max_items = 300)]
    tasks: Vec<TaskView>,
    /// 批准时的意见。
    #[schema(max_length = 2000)]
    approval_comment: Option<String>,
    /// 最近提交时刻。
    submitted_at: Option<Instant>,
    /// 最近批准或退回的时刻。
    decided_at: Option<Instant>,
    /// 由谁批准或退回。
    decided_by: Option<UserRef>,
    /// 生效时刻。
    published_at: Option<Instant>,
    /// 开始编制的时刻。
    created_at: Instant,
    /// 方案的版本戳, 每次改动加一。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
}

impl Versioned for PlanVersionView {
    fn version(&self) -> i64 {
        self.version
    }
}

impl Example for PlanVersionView {
    fn example() -> Value {
        let mut example = example_head();
        if let (Some(map), PlanContentParts { meeting, phases }) = (example.as_object_mut(), parts()) {
            map.insert("meeting".into(), meeting);
            map.insert("phases".into(), phases);
            map.insert("tasks".into(), json!([TaskView::example()]));
            map.insert("approval_comment".into(), json!("同意。"));
            map.insert("version".into(), json!(12));
        }
        example
    }
}

struct PlanContentParts {
    meeting: Value,
    phases: Value,
}

fn parts() -> PlanContentParts {
    PlanContentParts {
        meeting: json!({ "title": "厅党委会议", "number": "云公党纪〔2026〕9号", "held_on": "2026-05-04" }),
        phases: json!([{ "name": "动员部署", "starts_on": "2026-03-02", "ends_on": "2026-03-29" }]),
    }
}

/// Shows a version with its content.
///
/// # Errors
/// When the database fails.
pub fn whole<A: Action>(tx: &mut Tx<'_, A>, plan: &Plan, version: Version) -> Result<PlanVersionView> {
    let users = UserNames::load(tx, people(&version))?;
    let Version { id, plan_id, state, reason, hand, published_at, created_at, content, .. } = version;
    Ok(PlanVersionView {
        id,
        plan_id,
        number: hand.number,
        state,
        reason,
        title: content.title,
        meeting: content.meeting,
        phases: content.phases,
        tasks: task_views(tx, plan, (0..).zip(content.tasks))?,
        approval_comment: hand.approval_comment,
        submitted_at: hand.submitted_at,
        decided_at: hand.decided_at,
        decided_by: hand.decided_by.map(|id| users.get(id)).transpose()?,
        published_at,
        created_at,
        version: plan.version,
    })
}

/// 方案本身在一个版本中的内容, 不含任务清单。
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanHeadView {
    /// 标题。
    #[schema(max_length = 100)]
    title: String,
    /// 决定此版的会议。
    meeting: Option<Meeting>,
    /// 阶段, 按先后。
    #[schema(max_items = 20)]
    phases: Vec<Phase>,
}

impl From<PlanContent> for PlanHeadView {
    fn from(content: PlanContent) -> Self {
        Self { title: content.title, meeting: content.meeting, phases: content.phases }
    }
}

/// 两版之间有差异的一项任务。
#[derive(Debug, Serialize, ToSchema)]
pub struct TaskDifferenceView {
    /// 新增、删去或修改。
    change: TaskChange,
    /// 修改了哪些; 新增与删去的为空。
    #[schema(max_items = 11)]
    fields: Vec<TaskField>,
    /// 原来的; 新增的为 null。
    before: Option<TaskView>,
    /// 现在的; 删去的为 null。
    after: Option<TaskView>,
}

/// 两个版本的差异。
#[derive(Debug, Serialize, ToSchema)]
pub struct DiffView {
    /// 方案。
    plan_id: PlanId,
    /// 与第几版相比。
    #[schema(minimum = 1, maximum = 100_000)]
    from: i32,
    /// 第几版。
    #[schema(minimum = 1, maximum = 100_000)]
    to: i32,
    /// 方案本身修改了哪些。
    #[schema(max_items = 3)]
    fields: Vec<PlanField>,
    /// 方案本身原来的。
    before: PlanHeadView,
    /// 方案本身现在的。
    after: PlanHeadView,
    /// 有差异的任务, 按现在的次序, 删去的在后。
    #[schema(max_items = 600)]
    tasks: Vec<TaskDifferenceView>,
}

impl Example for DiffView {
    fn example() -> Value {
        let PlanContentParts { meeting, phases } = parts();
        let title = "云南省公安厅“治庸懒、强担当、树新风”主题活动实施方案";
        let (old, mut new) = (TaskView::example(), TaskView::example());
        if let Some(map) = new.as_object_mut() {
            map.insert("due_on".into(), json!("2026-06-30"));
        }
        json!({
            "plan_id": PLAN, "from": 1, "to": 2, "fields": ["meeting"],
            "before": { "title": title, "meeting": null, "phases": phases },
            "after": { "title": title, "meeting": meeting, "phases": phases },
            "tasks": [{ "change": "changed", "fields": ["due_on"], "before": old, "after": new }],
        })
    }
}

/// Shows what differs.
///
/// # Errors
/// When the database fails.
pub fn diff<A: Action>(tx: &mut Tx<'_, A>, plan: &Plan, comparison: Comparison) -> Result<DiffView> {
    let Comparison { from, to, fields, before, after, tasks } = comparison;
    let drafts = |pick: fn(&TaskDifference) -> Option<&(i32, TaskDraft)>| -> Vec<(i32, TaskDraft)> {
        tasks.iter().filter_map(pick).cloned().collect()
    };
    let mut old = task_views(tx, plan, drafts(|one| one.before.as_ref()))?.into_iter();
    let mut new = task_views(tx, plan, drafts(|one| one.after.as_ref()))?.into_iter();
    let tasks = tasks
        .iter()
        .map(|one| TaskDifferenceView {
            change: one.change,
            fields: one.fields.clone(),
            before: one.before.as_ref().and_then(|_| old.next()),
            after: one.after.as_ref().and_then(|_| new.next()),
        })
        .collect();
    Ok(DiffView { plan_id: plan.id, from, to, fields, before: before.into(), after: after.into(), tasks })
}
