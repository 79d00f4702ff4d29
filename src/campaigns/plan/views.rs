//! What the wire shows of plans and tasks.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::ballots::{self, http::BallotView};
use super::rules::{
    Meeting, Plan, PlanAction, PlanContent, PlanState, Responsible, SubmittedAs, Target, TaskDraft,
};
use super::service::{self, Task};
use super::versions::{self, AmendmentView};
use crate::access::Tx;
use crate::access::names::{UserNames, UserRef};
use crate::access::policy::{Action, PlanRead};
use crate::campaigns::rules::{CampaignId, Frequency, Phase, PlanId, ResponsibleExtent, TaskId};
use crate::db::Instant;
use crate::errors::{AppError, Result};
use crate::org::rules::UnitKind;
use crate::org::views::{UnitNames, UnitRef};
use crate::web::{Example, Versioned};
use chrono::NaiveDate;

/// 责任单位。
#[derive(Debug, Serialize, ToSchema)]
pub struct ResponsibleView {
    /// 单位。
    unit: UnitRef,
    /// 仅本单位, 或含下级。
    extent: ResponsibleExtent,
    /// 含下级时, 只指这一种类; null 为全部。
    kind: Option<UnitKind>,
}

/// 任务清单中的一项。
#[derive(Debug, Serialize, ToSchema)]
pub struct TaskView {
    /// 标识。
    id: TaskId,
    /// 所属方案。
    plan_id: PlanId,
    /// 单位, 方案所属的。
    unit: UnitRef,
    /// 次序, 在清单中的, 从 0 起。
    #[schema(minimum = 0, maximum = 1000)]
    position: i32,
    /// 类别。
    #[schema(max_length = 40)]
    category: String,
    /// 事项名称。
    #[schema(max_length = 60)]
    title: String,
    /// 要求。
    #[schema(max_length = 1000)]
    content: String,
    /// 牵头领导; 草稿中可为 null。
    #[schema(max_length = 60)]
    lead_leader: Option<String>,
    /// 责任单位。
    #[schema(max_items = 50)]
    responsible: Vec<ResponsibleView>,
    /// 完成时限, 含当日。
    due_on: NaiveDate,
    /// 频次。
    frequency: Frequency,
    /// 逐日填报: 是否须每人每日填报。
    daily_entries: bool,
    /// 目标值。
    target: Option<Target>,
    /// 上级任务: 上级方案中对应的任务。
    parent_task_id: Option<TaskId>,
    /// 所属方案的版本。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
}

impl Versioned for TaskView {
    fn version(&self) -> i64 {
        self.version
    }
}

const PLAN: &str = "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d80";
const UNIT: &str = "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77";

impl Example for TaskView {
    fn example() -> Value {
        json!({
            "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d90", "plan_id": PLAN,
            "unit": { "id": UNIT, "code": "53", "name": "云南省公安厅", "kind": "province" },
            "position": 0, "category": "服务窗口", "title": "落实一次性告知",
            "content": "窗口受理事项一次告知全部材料, 告知单当场交群众, 留存率百分之百。",
            "lead_leader": "分管治安工作副厅长",
            "responsible": [{ "unit": { "id": UNIT, "code": "53", "name": "云南省公安厅", "kind": "province" }, "extent": "subtree", "kind": "county" }],
            "due_on": "2026-06-12", "frequency": "weekly", "daily_entries": false,
            "target": { "name": "一次性告知率", "direction": "at_least", "value": "98.00", "unit": "%" },
            "parent_task_id": null, "version": 4,
        })
    }
}

/// 方案, 不含任务清单。
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanSummaryView {
    /// 标识。
    id: PlanId,
    /// 所属活动。
    campaign_id: CampaignId,
    /// 所属单位。
    unit: UnitRef,
    /// 上级方案; 主办单位的方案为 null。
    parent_plan_id: Option<PlanId>,
    /// 标题。
    #[schema(max_length = 100)]
    title: String,
    /// 状态。
    state: PlanState,
    /// 任务项数。
    #[schema(minimum = 0, maximum = 1000)]
    task_count: i64,
    /// 第几版: 生效的版次; 首次发布之前为 1。
    #[schema(minimum = 1, maximum = 100_000)]
    number: i32,
    /// 修订状态: 修订中的版本的; 没有修订的为 null, 下级看不到修订。
    amendment_state: Option<PlanState>,
    /// 上级已修订: 在此版核对之后。
    parent_amended: bool,
    /// 最近提交时刻。
    submitted_at: Option<Instant>,
    /// 以何身份提交: 办公室、主要负责人或其代理。
    submitted_as: Option<SubmittedAs>,
    /// 最近批准或退回时刻。
    decided_at: Option<Instant>,
    /// 发布时刻。
    published_at: Option<Instant>,
    /// 转入总结、结束或撤回的时刻, 以最近的为准。
    stage_at: Option<Instant>,
    /// 本人此刻可做的操作。
    #[schema(max_items = 12)]
    allowed_actions: Vec<PlanAction>,
    /// 版本。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    /// 新建时刻。
    created_at: Instant,
    /// 最近修改时刻。
    updated_at: Instant,
}

fn example_head() -> Value {
    json!({
        "id": PLAN, "campaign_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d78",
        "unit": { "id": UNIT, "code": "53", "name": "云南省公安厅", "kind": "province" },
        "parent_plan_id": null, "title": "云南省公安厅“治庸懒、强担当、树新风”主题活动实施方案", "state": "submitted",
        "number": 1, "parent_amended": false,
        "submitted_at": "2026-03-03T02:00:00.000000Z", "submitted_as": "office", "decided_at": null, "published_at": null, "stage_at": null,
        "allowed_actions": ["approve", "return"], "version": 4,
        "created_at": "2026-03-02T01:00:00.000000Z", "updated_at": "2026-03-03T02:00:00.000000Z",
    })
}

impl Example for PlanSummaryView {
    fn example() -> Value {
        let mut example = example_head();
        if let Some(map) = example.as_object_mut() {
            map.insert("task_count".into(), json!(59));
            map.insert("amendment_state".into(), Value::Null);
        }
        example
    }
}

/// 实施方案。
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanView {
    /// 标识。
    id: PlanId,
    /// 所属活动。
    campaign_id: CampaignId,
    /// 所属单位。
    unit: UnitRef,
    /// 上级方案; 主办单位的方案为 null。
    parent_plan_id: Option<PlanId>,
    /// 标题。
    #[schema(max_length = 100)]
    title: String,
    /// 状态。
    state: PlanState,
    /// 决定此方案的会议。
    meeting: Option<Meeting>,
    /// 阶段, 按先后。
    #[schema(max_items = 20)]
    phases: Vec<Phase>,
    /// 任务清单。
    #[schema(max_items = 300)]
    tasks: Vec<TaskView>,
    /// 生效的是第几版; 首次发布之前为 1。
    #[schema(minimum = 1, maximum = 100_000)]
    number: i32,
    /// 修订中的版本; 没有修订的为 null, 下级看不到修订。
    amendment: Option<AmendmentView>,
    /// 上级方案在此版核对之后是否又有修订。
    parent_amended: bool,
    /// 进行中的表决; 不须表决的为 null。
    ballot: Option<BallotView>,
    /// 最近一次退回的理由; 重新提交后清空。
    #[schema(max_length = 2000)]
    return_comment: Option<String>,
    /// 批准时的意见。
    #[schema(max_length = 2000)]
    approval_comment: Option<String>,
    /// 最近提交时刻。
    submitted_at: Option<Instant>,
    /// 以何身份提交: 办公室、主要负责人或其代理。
    submitted_as: Option<SubmittedAs>,
    /// 最近批准或退回的时刻。
    decided_at: Option<Instant>,
    /// 由谁批准或退回。
    decided_by: Option<UserRef>,
    /// 发布时刻。
    published_at: Option<Instant>,
    /// 转入总结、结束或撤回的时刻, 以最近的为准。
    stage_at: Option<Instant>,
    /// 本人此刻可做的操作。
    #[schema(max_items = 12)]
    allowed_actions: Vec<PlanAction>,
    /// 版本。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    /// 新建时刻。
    created_at: Instant,
    /// 最近修改时刻。
    updated_at: Instant,
}

impl Versioned for PlanView {
    fn version(&self) -> i64 {
        self.version
    }
}

impl Example for PlanView {
    fn example() -> Value {
        let mut example = example_head();
        if let Some(map) = example.as_object_mut() {
            map.insert(
                "meeting".into(),
                json!({ "title": "厅党委会议", "number": "云公党纪〔2026〕4号", "held_on": "2026-02-25" }),
            );
            map.insert(
                "phases".into(),
                json!([{ "name": "动员部署", "starts_on": "2026-03-02", "ends_on": "2026-03-29" }]),
            );
            map.insert("tasks".into(), json!([TaskView::example()]));
            for name in ["return_comment", "approval_comment", "decided_by", "amendment", "ballot"] {
                map.insert(name.into(), Value::Null);
            }
        }
        example
    }
}

/// Where a task stands: in which plan, at which place, in which of its versions.
#[derive(Debug, Clone, Copy)]
struct TaskPlace {
    plan_id: PlanId,
    position: i32,
    version: i64,
}

fn task_view(task: TaskDraft, place: TaskPlace, unit: UnitRef, names: &UnitNames) -> Result<TaskView> {
    let TaskPlace { plan_id, position, version } = place;
    let responsible = task.responsible.into_iter();
    let responsible = responsible
        .map(|Responsible { unit_id, extent, kind }| {
            Ok(ResponsibleView { unit: names.get(unit_id)?, extent, kind })
        })
        .collect::<Result<_>>()?;
    Ok(TaskView {
        id: task.id.ok_or_else(|| AppError::internal("a task without an id"))?,
        plan_id,
        unit,
        position,
        category: task.category,
        title: task.title,
        content: task.content,
        lead_leader: task.lead_leader,
        responsible,
        due_on: task.due_on,
        frequency: task.frequency,
        daily_entries: task.daily_entries,
        target: task.target,
        parent_task_id: task.parent_task_id,
        version,
    })
}

/// Shows tasks of several plans.
///
/// # Errors
/// When the database fails.
pub fn tasks<A: Action>(tx: &mut Tx<'_, A>, tasks: Vec<Task>) -> Result<Vec<TaskView>> {
    let named = tasks
        .iter()
        .flat_map(|task| task.draft.responsible.iter().map(|one| one.unit_id).chain([task.unit_id]));
    let names = UnitNames::load(tx, named)?;
    tasks
        .into_iter()
        .map(|task| {
            let place =
                TaskPlace { plan_id: task.plan_id, position: task.position, version: task.plan_version };
            task_view(task.draft, place, names.get(task.unit_id)?, &names)
        })
        .collect()
}

/// Shows tasks of one plan, in their order, as a version of it says them.
///
/// # Errors
/// When the database fails.
pub fn task_views<A: Action>(
    tx: &mut Tx<'_, A>,
    plan: &Plan,
    tasks: impl IntoIterator<Item = (i32, TaskDraft)>,
) -> Result<Vec<TaskView>> {
    let tasks: Vec<(i32, TaskDraft)> = tasks.into_iter().collect();
    let named = tasks.iter().flat_map(|(_, task)| task.responsible.iter().map(|one| one.unit_id));
    let names = UnitNames::load(tx, named.chain([plan.unit_id]))?;
    let unit = names.get(plan.unit_id)?;
    tasks
        .into_iter()
        .map(|(position, task)| {
            let place = TaskPlace { plan_id: plan.id, position, version: plan.version };
            task_view(task, place, unit.clone(), &names)
        })
        .collect()
}

/// Shows plans without their content.
///
/// # Errors
/// When the database fails.
pub fn summaries<A: Action>(tx: &mut Tx<'_, A>, plans: Vec<Plan>) -> Result<Vec<PlanSummaryView>> {
    let names = UnitNames::load(tx, plans.iter().map(|plan| plan.unit_id))?;
    let counts = service::task_counts(tx, &plans)?;
    let mut allowed = service::allowed(tx, &plans)?;
    plans
        .into_iter()
        .map(|plan| {
            Ok(PlanSummaryView {
                unit: names.get(plan.unit_id)?,
                task_count: counts.get(&plan.id).copied().unwrap_or(0),
                allowed_actions: allowed.remove(&plan.id).unwrap_or_default(),
                id: plan.id,
                campaign_id: plan.campaign_id,
                amendment_state: plan.amendment.filter(|_| tx.may::<PlanRead>(&plan.unit_path)),
                number: plan.number,
                parent_amended: plan.parent_amended,
                parent_plan_id: plan.parent_plan_id,
                title: plan.title,
                state: plan.state,
                submitted_at: plan.submitted_at,
                submitted_as: plan.submitted_as,
                decided_at: plan.decided_at,
                published_at: plan.published_at,
                stage_at: plan.stage_at,
                version: plan.version,
                created_at: plan.created_at,
                updated_at: plan.updated_at,
            })
        })
        .collect()
}

/// Shows a plan with its content.
///
/// # Errors
/// When the database fails.
pub fn plan<A: Action>(tx: &mut Tx<'_, A>, (plan, content): (Plan, PlanContent)) -> Result<PlanView> {
    let users = UserNames::load(tx, plan.decided_by)?;
    let mut allowed = service::allowed(tx, std::slice::from_ref(&plan))?;
    let amendment = versions::amendment(tx, &plan)?;
    // How members vote is for those who see what is submitted.
    let ballot = if tx.may::<PlanRead>(&plan.unit_path) {
        ballots::service::under_way(tx, &[plan.id])?.remove(&plan.id)
    } else {
        None
    };
    let tasks = task_views(tx, &plan, (0..).zip(content.tasks))?;
    let unit = UnitNames::load(tx, [plan.unit_id])?.get(plan.unit_id)?;
    Ok(PlanView {
        id: plan.id,
        campaign_id: plan.campaign_id,
        unit,
        parent_plan_id: plan.parent_plan_id,
        title: content.title,
        state: plan.state,
        meeting: content.meeting,
        phases: content.phases,
        tasks,
        number: plan.number,
        amendment,
        parent_amended: plan.parent_amended,
        ballot: ballot.map(BallotView::from),
        return_comment: plan.return_comment,
        approval_comment: plan.approval_comment,
        submitted_at: plan.submitted_at,
        submitted_as: plan.submitted_as,
        decided_at: plan.decided_at,
        decided_by: plan.decided_by.map(|id| users.get(id)).transpose()?,
        published_at: plan.published_at,
        stage_at: plan.stage_at,
        allowed_actions: allowed.remove(&plan.id).unwrap_or_default(),
        version: plan.version,
        created_at: plan.created_at,
        updated_at: plan.updated_at,
    })
}
