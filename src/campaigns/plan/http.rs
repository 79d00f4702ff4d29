//! `/plans` and `/tasks`.

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

use super::rules::{Meeting, PlanContent, PlanState, TaskDraft};
use super::service::{self, PlanFilter, PlanSort, TaskFilter, TaskSort};
use super::views::{self, PlanSummaryView, PlanView, TaskView};
use crate::access::policy::{
    PlanApprove, PlanClose, PlanConclude, PlanCreate, PlanPublish, PlanRead, PlanReturn, PlanSubmit,
    PlanUpdate, PlanWithdraw, TaskRead,
};
use crate::campaigns::rules::{CampaignId, Frequency, Phase, PlanId, TaskId};
use crate::org::http::{Depth, narrowed};
use crate::org::rules::UnitId;
use crate::web::{
    Count, Created, Empty, Example, Json, Merge, NoBody, NoQuery, Page, Patch, Resource, endpoint,
};

/// 方案列表的条件。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanQuery {
    /// 所属活动。
    campaign_id: Option<CampaignId>,
    /// 状态; 可重复, 任一即可。
    #[serde(default)]
    #[schema(max_items = 9)]
    state: Vec<PlanState>,
    /// 此单位及其下级的方案。
    unit_id: Option<UnitId>,
    /// `unit_id` 的范围, 缺省含下级。
    depth: Option<Depth>,
    /// 此方案的下级方案。
    parent_plan_id: Option<PlanId>,
    /// 上级方案在其核对之后是否又有修订。
    parent_amended: Option<bool>,
    /// 是否正在修订; 只列辖区内的。
    amending: Option<bool>,
    /// 标题中含有的文字, 不分大小写与全角半角。
    #[schema(min_length = 1, max_length = 50)]
    q: Option<String>,
    /// 排序; 缺省为 path (按单位, 上级在前)。
    sort: Option<PlanSort>,
    /// 每页行数, 缺省 50。
    #[schema(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// 上一页给出的游标。
    #[schema(min_length = 1, max_length = 2048, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
    /// 为 exact 时给出总行数。
    count: Option<Count>,
}

endpoint! {
    /// 方案列表
    ///
    /// 本人辖区内各单位的方案, 以及上级已发布的方案; 不含任务清单。
    ListPlans: PlanRead, Get "/plans", tag "plans", codes []
    async fn list_plans(gate, _path: (), query: PlanQuery, _body: NoBody) -> Page<PlanSummaryView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        gate.run(move |tx| {
            let below = narrowed(tx, query.unit_id, query.depth)?;
            let filter = PlanFilter {
                campaign: query.campaign_id,
                states: query.state,
                below,
                parent: query.parent_plan_id,
                parent_amended: query.parent_amended,
                amending: query.amending,
                search: query.q,
            };
            let page = service::list(tx, &filter, query.sort.unwrap_or(PlanSort::Path), &paging)?;
            let Page { items, next_cursor, total } = page;
            Ok(Page { items: views::summaries(tx, items)?, next_cursor, total })
        })
        .await
    }
}

/// 新建方案。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPlan {
    /// 由客户端选定的标识; 不写则由服务器生成。
    #[serde(default)]
    id: Option<PlanId>,
    /// 所属活动。
    campaign_id: CampaignId,
    /// 为哪个单位编制; 须为本人任职的单位。
    unit_id: UnitId,
    /// 标题。
    #[schema(min_length = 1, max_length = 100, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    title: String,
    /// 决定此方案的会议; 提交前必填。
    #[serde(default)]
    meeting: Option<Meeting>,
    /// 阶段, 按先后, 互不重叠; 提交前至少一个。
    #[serde(default)]
    #[schema(max_items = 20)]
    phases: Vec<Phase>,
    /// 任务清单; 提交前至少一项。
    #[serde(default)]
    #[schema(max_items = 300)]
    tasks: Vec<TaskDraft>,
}

impl NewPlan {
    fn content(&self) -> PlanContent {
        let Self { title, meeting, phases, tasks, .. } = self.clone();
        PlanContent { title, meeting, phases, tasks }
    }
}

impl Validate for NewPlan {
    fn validate(&self) -> Result<(), ValidationErrors> {
        self.content().validate()
    }
}

const UNIT: &str = "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77";

impl Example for PlanContent {
    fn example() -> Value {
        json!({
            "title": "云南省公安厅“治庸懒、强担当、树新风”主题活动实施方案",
            "meeting": { "title": "厅党委会议", "number": "云公党纪〔2026〕4号", "held_on": "2026-02-25" },
            "phases": [
                { "name": "动员部署", "starts_on": "2026-03-02", "ends_on": "2026-03-29" },
                { "name": "自查自纠", "starts_on": "2026-03-30", "ends_on": "2026-06-14" },
            ],
            "tasks": [{
                "category": "服务窗口", "title": "落实一次性告知",
                "content": "窗口受理事项一次告知全部材料, 告知单当场交群众, 留存率百分之百。",
                "lead_leader": "分管治安工作副厅长",
                "responsible": [{ "unit_id": UNIT, "extent": "subtree", "kind": "county" }],
                "due_on": "2026-06-12", "frequency": "weekly", "daily_entries": false,
                "target": { "name": "一次性告知率", "direction": "at_least", "value": "98.00", "unit": "%" },
            }],
        })
    }
}

impl Patch for PlanContent {
    fn patch_example() -> Value {
        json!({ "meeting": { "title": "厅党委扩大会议", "held_on": "2026-02-27" } })
    }
}

impl Example for NewPlan {
    fn example() -> Value {
        let mut example = PlanContent::example();
        if let Some(map) = example.as_object_mut() {
            map.insert("campaign_id".into(), json!("01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d78"));
            map.insert("unit_id".into(), json!(UNIT));
        }
        example
    }
}

endpoint! {
    /// 新建方案
    ///
    /// 每个活动中每个单位一份。下级单位的方案自动挂在最近的、已发布的上级方案之下; 上级尚未发布则 422。
    CreatePlan: PlanCreate, Post "/plans", tag "plans",
        codes [PlanExists, IdTaken, UnitOutOfScope, ParentPlanNotPublished]
    async fn create_plan(gate, _path: (), _query: NoQuery, body: Json<NewPlan>) -> Created<PlanView> {
        gate.run(move |tx| {
            let body = body.0;
            let (plan, content, existed) = service::create(tx, body.id, body.campaign_id, body.unit_id, &body.content())?;
            let location = format!("/plans/{}", plan.id);
            Ok(Created { view: views::plan(tx, (plan, content))?, location, existed })
        })
        .await
    }
}

endpoint! {
    /// 查看方案
    GetPlan: PlanRead, Get "/plans/{plan_id}", tag "plans", codes []
    async fn get_plan(gate, id: PlanId, _query: NoQuery, _body: NoBody) -> Resource<PlanView> {
        gate.run(move |tx| {
            let found = service::find(tx, id)?;
            views::plan(tx, found).map(Resource)
        })
        .await
    }
}

endpoint! {
    /// 修改方案
    ///
    /// 草稿或被退回时可改; 修订中的方案改的是修订中的版本 (`amendment`)。修改者即成为编制人, 不得批准所改的版本。任务清单整体替换, 写上原有 id 以保持同一任务。
    UpdatePlan: PlanUpdate, Patch "/plans/{plan_id}", tag "plans", codes [PlanNotEditable]
    async fn update_plan(gate, id: PlanId, _query: NoQuery, body: Merge<PlanContent>) -> Resource<PlanView> {
        gate.run(move |tx| {
            let changed = service::update(tx, id, |current| body.apply(current))?;
            views::plan(tx, changed).map(Resource)
        })
        .await
    }
}

endpoint! {
    /// 提交方案
    ///
    /// 由办公室提交, 或由现任主要负责人 (或其代理) 本人提交。须已引用会议, 领导小组齐备, 每项任务有牵头领导与责任单位, 时限在各阶段之内, 与上级方案没有不一致之处
    /// (见 `/plans/{plan_id}/inflation`); 缺什么、不符什么一次列全。
    SubmitPlan: PlanSubmit, Post "/plans/{plan_id}/submit", tag "plans", codes [PlanNotSubmittable, PlanIncomplete, DownstreamInflation, NotTheHead, ParentPlanNotPublished]
    async fn submit_plan(gate, id: PlanId, _query: NoQuery, _body: Json<Empty>) -> Resource<PlanView> {
        gate.run(move |tx| {
            let done = service::submit(tx, id)?;
            views::plan(tx, done).map(Resource)
        })
        .await
    }
}

/// 批准方案。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ApproveBody {
    /// 批准意见。
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000)]
    comment: Option<String>,
}

impl Example for ApproveBody {
    fn example() -> Value {
        json!({ "comment": "同意。请各地结合实际抓好落实。" })
    }
}

endpoint! {
    /// 批准方案
    ///
    /// 由方案所属单位的领导小组组长批准, 本级没有则由最近上级的组长; 编制或提交的人不得批准。须表决的, 达到法定人数且赞成多于反对方可批准;
    /// 提交之后上级方案又有修订的, 须退回重核。
    ApprovePlan: PlanApprove, Post "/plans/{plan_id}/approve", tag "plans",
        codes [PlanNotSubmitted, NotTheRightHead, ApproverIsAuthor, ParentAmended, QuorumNotReached, VoteNotCarried]
    async fn approve_plan(gate, id: PlanId, _query: NoQuery, body: Json<ApproveBody>) -> Resource<PlanView> {
        gate.run(move |tx| {
            let done = service::approve(tx, id, body.0.comment.as_deref())?;
            views::plan(tx, done).map(Resource)
        })
        .await
    }
}

/// 退回方案。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ReturnBody {
    /// 退回的理由: 须改什么。
    #[schema(min_length = 1, max_length = 2000)]
    comment: String,
}

impl Example for ReturnBody {
    fn example() -> Value {
        json!({ "comment": "第三项任务没有量化目标, 请补充后再报。" })
    }
}

endpoint! {
    /// 退回方案
    ///
    /// 与批准由同一人决定, 须说明理由; 修改后可重新提交。
    ReturnPlan: PlanReturn, Post "/plans/{plan_id}/return", tag "plans",
        codes [PlanNotSubmitted, NotTheRightHead, ApproverIsAuthor]
    async fn return_plan(gate, id: PlanId, _query: NoQuery, body: Json<ReturnBody>) -> Resource<PlanView> {
        gate.run(move |tx| {
            let done = service::send_back(tx, id, &body.0.comment)?;
            views::plan(tx, done).map(Resource)
        })
        .await
    }
}

endpoint! {
    /// 发布方案
    ///
    /// 从此对所属单位可见, 下级可据此编制方案; 主办单位的方案发布时活动随之启动。发布的是修订的版本时, 它取代原版本。
    PublishPlan: PlanPublish, Post "/plans/{plan_id}/publish", tag "plans", codes [PlanNotApproved]
    async fn publish_plan(gate, id: PlanId, _query: NoQuery, _body: Json<Empty>) -> Resource<PlanView> {
        gate.run(move |tx| {
            let done = service::publish(tx, id)?;
            views::plan(tx, done).map(Resource)
        })
        .await
    }
}

/// 撤回方案。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct WithdrawBody {
    /// 撤回的理由。
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

impl Example for WithdrawBody {
    fn example() -> Value {
        json!({ "reason": "活动范围调整, 另行编制。" })
    }
}

endpoint! {
    /// 撤回方案
    ///
    /// 草稿或待批的方案可以撤回; 记录保留, 本单位可另行编制。修订中的方案撤回的是修订, 原版本继续生效。
    WithdrawPlan: PlanWithdraw, Post "/plans/{plan_id}/withdraw", tag "plans", codes [PlanNotWithdrawable]
    async fn withdraw_plan(gate, id: PlanId, _query: NoQuery, body: Json<WithdrawBody>) -> Resource<PlanView> {
        gate.run(move |tx| {
            let done = service::withdraw(tx, id, &body.0.reason)?;
            views::plan(tx, done).map(Resource)
        })
        .await
    }
}

endpoint! {
    /// 方案转入总结
    ///
    /// 实施中的方案转入总结评议; 已发布的方案自第一阶段首日起、最早自发布次日起为实施中。
    ConcludePlan: PlanConclude, Post "/plans/{plan_id}/conclude", tag "plans", codes [PlanNotRunning, AmendmentInHand]
    async fn conclude_plan(gate, id: PlanId, _query: NoQuery, _body: Json<Empty>) -> Resource<PlanView> {
        gate.run(move |tx| {
            let done = service::conclude(tx, id)?;
            views::plan(tx, done).map(Resource)
        })
        .await
    }
}

endpoint! {
    /// 结束方案
    ///
    /// 由本级 (或上级) 领导小组组长结束; 尚有严重问题未销号的不能结束。
    ClosePlan: PlanClose, Post "/plans/{plan_id}/close", tag "plans", codes [PlanNotConcluding, PlanUnfinished]
    async fn close_plan(gate, id: PlanId, _query: NoQuery, _body: Json<Empty>) -> Resource<PlanView> {
        gate.run(move |tx| {
            let done = service::close(tx, id)?;
            views::plan(tx, done).map(Resource)
        })
        .await
    }
}

/// 任务列表的条件。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskQuery {
    /// 所属方案。
    plan_id: Option<PlanId>,
    /// 类别。
    #[schema(min_length = 1, max_length = 40)]
    category: Option<String>,
    /// 时限不早于此日。
    due_on_from: Option<NaiveDate>,
    /// 时限不晚于此日。
    due_on_to: Option<NaiveDate>,
    /// 频次; 可重复, 任一即可。
    #[serde(default)]
    #[schema(max_items = 6)]
    frequency: Vec<Frequency>,
    /// 是否须每人逐日填报。
    daily_entries: Option<bool>,
    /// 排序; 缺省为 `due_on` (先到期在前)。
    sort: Option<TaskSort>,
    /// 每页行数, 缺省 50。
    #[schema(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// 上一页给出的游标。
    #[schema(min_length = 1, max_length = 2048, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
    /// 为 exact 时给出总行数。
    count: Option<Count>,
}

endpoint! {
    /// 任务列表
    ///
    /// 本人可见的各方案中的任务。
    ListTasks: TaskRead, Get "/tasks", tag "tasks", codes []
    async fn list_tasks(gate, _path: (), query: TaskQuery, _body: NoBody) -> Page<TaskView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        gate.run(move |tx| {
            let filter = TaskFilter {
                plan: query.plan_id,
                category: query.category,
                due_from: query.due_on_from,
                due_to: query.due_on_to,
                frequencies: query.frequency,
                daily_entries: query.daily_entries,
            };
            let page = service::tasks(tx, &filter, query.sort.unwrap_or(TaskSort::Due), &paging)?;
            let Page { items, next_cursor, total } = page;
            Ok(Page { items: views::tasks(tx, items)?, next_cursor, total })
        })
        .await
    }
}

endpoint! {
    /// 查看任务
    GetTask: TaskRead, Get "/tasks/{task_id}", tag "tasks", codes []
    async fn get_task(gate, id: TaskId, _query: NoQuery, _body: NoBody) -> Resource<TaskView> {
        gate.run(move |tx| {
            let task = service::task(tx, id)?;
            let made = views::tasks(tx, vec![task])?.pop();
            made.map(Resource).ok_or_else(|| crate::errors::AppError::internal("a task without a view"))
        })
        .await
    }
}
