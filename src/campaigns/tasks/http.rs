//! `/tasks/{task_id}/assignments`, and what units do with their tasks.

use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

use super::rules::{AssignmentDraft, AssignmentId, AssignmentState};
use super::service::{self, AssignmentFilter, AssignmentSort};
use super::views::{AssignmentView, view, views};
use crate::access::policy::{TaskComplete, TaskNamePersons, TaskRead, TaskReopen};
use crate::campaigns::rules::TaskId;
use crate::org::http::{Depth, narrowed};
use crate::org::rules::UnitId;
use crate::web::{Count, Example, Json, Merge, NoBody, NoQuery, Page, Patch, Resource, endpoint};

/// 落实列表的条件。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AssignmentQuery {
    /// 此单位及其下级承担的。
    unit_id: Option<UnitId>,
    /// `unit_id` 的范围, 缺省含下级。
    depth: Option<Depth>,
    /// 状态; 可重复, 任一即可。
    #[serde(default)]
    #[schema(max_items = 3)]
    state: Vec<AssignmentState>,
    /// 是否逾期。
    overdue: Option<bool>,
    /// 排序; 缺省为 unit (按单位, 上级在前)。
    sort: Option<AssignmentSort>,
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
    /// 任务落实列表
    ///
    /// 任务落实到了哪些单位, 各自完成与否; 只列本人辖区内的单位。
    ListAssignments: TaskRead, Get "/tasks/{task_id}/assignments", tag "tasks", codes []
    async fn list_assignments(gate, id: TaskId, query: AssignmentQuery, _body: NoBody) -> Page<AssignmentView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        gate.run(move |tx| {
            let below = narrowed(tx, query.unit_id, query.depth)?;
            let filter = AssignmentFilter { below, states: query.state, overdue: query.overdue };
            let sort = query.sort.unwrap_or(AssignmentSort::Unit);
            let (task, page) = service::list(tx, id, &filter, sort, &paging)?;
            let Page { items, next_cursor, total } = page;
            Ok(Page { items: views(tx, &task, items)?, next_cursor, total })
        })
        .await
    }
}

endpoint! {
    /// 查看任务落实
    GetAssignment: TaskRead, Get "/tasks/{task_id}/assignments/{assignment_id}", tag "tasks", codes []
    async fn get_assignment(gate, ids: (TaskId, AssignmentId), _query: NoQuery, _body: NoBody) -> Resource<AssignmentView> {
        gate.run(move |tx| {
            let found = service::find(tx, ids.0, ids.1)?;
            view(tx, found).map(Resource)
        })
        .await
    }
}

impl Example for AssignmentDraft {
    fn example() -> Value {
        json!({ "officer_ids": ["01936f2a-7c1e-7b6d-9a54-2f0e8c3b4a01"] })
    }
}

impl Patch for AssignmentDraft {
    fn patch_example() -> Value {
        Self::example()
    }
}

endpoint! {
    /// 落实责任人
    ///
    /// 由承担单位指定本单位及下级的民警辅警; 任务须逐日填报的, 责任人自次日起每个工作日填报。
    UpdateAssignment: TaskNamePersons, Patch "/tasks/{task_id}/assignments/{assignment_id}", tag "tasks",
        codes [PlanNotInForce, AssignmentDone, AssignmentRetired, AssignmentCarried]
    async fn update_assignment(gate, ids: (TaskId, AssignmentId), _query: NoQuery, body: Merge<AssignmentDraft>)
        -> Resource<AssignmentView> {
        gate.run(move |tx| {
            let done = service::name_persons(tx, ids.0, ids.1, |current| body.apply(current))?;
            view(tx, done).map(Resource)
        })
        .await
    }
}

/// 完成任务。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CompleteTask {
    /// 哪个承担单位完成的, 须为本人获授权的单位。
    unit_id: UnitId,
    /// 凭据: 做了什么, 结果如何, 材料在何处。
    #[schema(min_length = 1, max_length = 2000)]
    evidence: String,
}

impl Example for CompleteTask {
    fn example() -> Value {
        json!({
            "unit_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77",
            "evidence": "一次性告知单已全部启用, 抽查 200 件留存率 100%, 台账存办公室。",
        })
    }
}

endpoint! {
    /// 完成任务
    ///
    /// 由承担单位的主要负责人或联络员填报, 须写明凭据。由下级方案承接的, 在下级的任务上填报, 全部完成即为完成。
    CompleteTaskEndpoint: TaskComplete, Post "/tasks/{task_id}/complete", tag "tasks",
        codes [PlanNotInForce, AssignmentDone, AssignmentRetired, AssignmentCarried, UnitNotAssigned]
    async fn complete_task(gate, id: TaskId, _query: NoQuery, body: Json<CompleteTask>) -> Resource<AssignmentView> {
        gate.run(move |tx| {
            let done = service::complete(tx, id, body.0.unit_id, &body.0.evidence)?;
            view(tx, done).map(Resource)
        })
        .await
    }
}

/// 退回重做。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ReopenTask {
    /// 哪个承担单位的完成不实。
    unit_id: UnitId,
    /// 理由: 何处不实或未达要求。
    #[schema(min_length = 1, max_length = 2000)]
    reason: String,
}

impl Example for ReopenTask {
    fn example() -> Value {
        json!({
            "unit_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77",
            "reason": "现场抽查 20 件, 有 3 件没有告知单, 请补齐后再报。",
        })
    }
}

endpoint! {
    /// 退回重做
    ///
    /// 完成不实的, 由上级的办公室或领导小组组长退回, 写明理由; 本单位不得自行退回。省厅自身的由省领导小组组长退回。
    ReopenTaskEndpoint: TaskReopen, Post "/tasks/{task_id}/reopen", tag "tasks",
        codes [PlanNotInForce, AssignmentOpen, AssignmentRetired, AssignmentCarried, UnitNotAssigned, ReopenFromAbove]
    async fn reopen_task(gate, id: TaskId, _query: NoQuery, body: Json<ReopenTask>) -> Resource<AssignmentView> {
        gate.run(move |tx| {
            let done = service::reopen(tx, id, body.0.unit_id, &body.0.reason)?;
            view(tx, done).map(Resource)
        })
        .await
    }
}
