//! `/plans/{plan_id}/comments`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

use super::rules::{Comment, CommentAction, CommentId};
use super::service::{self, CommentFilter};
use crate::access::Tx;
use crate::access::names::{UserNames, UserRef};
use crate::access::policy::{Action, PlanComment, PlanRead, PlanResolve};
use crate::campaigns::plan::rules::Plan;
use crate::campaigns::rules::{PlanId, TaskId};
use crate::db::Instant;
use crate::errors::{AppError, Result};
use crate::web::{
    Count, Created, Empty, Example, Json, NoBody, NoQuery, Page, Resource, Versioned, endpoint,
};

/// 一条批注。
#[derive(Debug, Serialize, ToSchema)]
pub struct CommentView {
    /// 标识。
    id: CommentId,
    /// 方案。
    plan_id: PlanId,
    /// 针对第几版。
    #[schema(minimum = 1, maximum = 100_000)]
    number: i32,
    /// 针对的任务; null 为针对整个方案。
    task_id: Option<TaskId>,
    /// 任务当时的名称。
    #[schema(max_length = 60)]
    task_title: Option<String>,
    /// 内容。
    #[schema(max_length = 1000)]
    content: String,
    /// 批注人。
    author: UserRef,
    /// 标为已处理的时刻; 未处理为 null。
    resolved_at: Option<Instant>,
    /// 由谁标为已处理。
    resolved_by: Option<UserRef>,
    /// 本人此刻可做的操作。
    #[schema(max_items = 1)]
    allowed_actions: Vec<CommentAction>,
    /// 版本。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    /// 批注时刻。
    created_at: Instant,
    /// 最近修改时刻。
    updated_at: Instant,
}

impl Versioned for CommentView {
    fn version(&self) -> i64 {
        self.version
    }
}

impl Example for CommentView {
    fn example() -> Value {
        json!({
            "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b6b01", "plan_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d80", "number": 1,
            "task_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d90", "task_title": "落实一次性告知",
            "content": "留存率如何统计, 请写明。",
            "author": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d11", "display_name": "王建国" },
            "resolved_at": null, "resolved_by": null, "allowed_actions": ["resolve"], "version": 1,
            "created_at": "2026-03-03T03:00:00.000000Z", "updated_at": "2026-03-03T03:00:00.000000Z",
        })
    }
}

fn views<A: Action>(tx: &mut Tx<'_, A>, plan: &Plan, comments: Vec<Comment>) -> Result<Vec<CommentView>> {
    let people = comments.iter().flat_map(|one| [Some(one.author_id), one.resolved_by]).flatten();
    let names = UserNames::load(tx, people)?;
    let view = |one: Comment| {
        Ok(CommentView {
            allowed_actions: service::allowed(tx, plan, &one),
            id: one.id,
            plan_id: one.plan_id,
            number: one.number,
            task_id: one.task_id,
            task_title: one.task_title,
            content: one.content,
            author: names.get(one.author_id)?,
            resolved_at: one.resolved_at,
            resolved_by: one.resolved_by.map(|id| names.get(id)).transpose()?,
            version: one.version,
            created_at: one.created_at,
            updated_at: one.updated_at,
        })
    };
    comments.into_iter().map(view).collect()
}

fn view<A: Action>(tx: &mut Tx<'_, A>, plan: &Plan, comment: Comment) -> Result<CommentView> {
    views(tx, plan, vec![comment])?.pop().ok_or_else(|| AppError::internal("a comment without a view"))
}

/// 批注列表的条件。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CommentQuery {
    /// 只列针对此任务的。
    task_id: Option<TaskId>,
    /// 是否已处理。
    resolved: Option<bool>,
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
    /// 批注列表
    ///
    /// 按先后; 只给辖区内的人看, 下级只见已发布的方案, 不见批注。
    ListComments: PlanRead, Get "/plans/{plan_id}/comments", tag "plans", codes []
    async fn list_comments(gate, id: PlanId, query: CommentQuery, _body: NoBody) -> Page<CommentView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        gate.run(move |tx| {
            let filter = CommentFilter { task: query.task_id, resolved: query.resolved };
            let (plan, page) = service::list(tx, id, filter, &paging)?;
            let Page { items, next_cursor, total } = page;
            Ok(Page { items: views(tx, &plan, items)?, next_cursor, total })
        })
        .await
    }
}

endpoint! {
    /// 查看批注
    GetComment: PlanRead, Get "/plans/{plan_id}/comments/{comment_id}", tag "plans", codes []
    async fn get_comment(gate, ids: (PlanId, CommentId), _query: NoQuery, _body: NoBody) -> Resource<CommentView> {
        gate.run(move |tx| {
            let (plan, comment) = service::find(tx, ids.0, ids.1)?;
            view(tx, &plan, comment).map(Resource)
        })
        .await
    }
}

/// 新批注。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewComment {
    /// 由客户端选定的标识; 不写则由服务器生成。
    #[serde(default)]
    id: Option<CommentId>,
    /// 针对的任务, 须在拟制中的版本之内; 不写为针对整个方案。
    #[serde(default)]
    task_id: Option<TaskId>,
    /// 内容。
    #[schema(min_length = 1, max_length = 1000)]
    content: String,
}

impl Example for NewComment {
    fn example() -> Value {
        json!({ "task_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d90", "content": "留存率如何统计, 请写明。" })
    }
}

endpoint! {
    /// 批注方案
    ///
    /// 针对整个方案或其中一项任务; 已结束或撤回的方案不再批注。批注不改动方案, 批注的人不因此成为编制人。
    AddComment: PlanComment, Post "/plans/{plan_id}/comments", tag "plans", codes [PlanEnded, IdTaken]
    async fn add_comment(gate, id: PlanId, _query: NoQuery, body: Json<NewComment>) -> Created<CommentView> {
        gate.run(move |tx| {
            let NewComment { id: comment_id, task_id, content } = body.0;
            let (plan, comment, existed) = service::add(tx, id, comment_id, task_id, &content)?;
            let location = format!("/plans/{}/comments/{}", plan.id, comment.id);
            Ok(Created { view: view(tx, &plan, comment)?, location, existed })
        })
        .await
    }
}

endpoint! {
    /// 批注标为已处理
    ///
    /// 由批注人或编制方案的单位。
    ResolveComment: PlanResolve, Post "/plans/{plan_id}/comments/{comment_id}/resolve", tag "plans",
        codes [PlanEnded, CommentResolved, CommentOfAnother]
    async fn resolve_comment(gate, ids: (PlanId, CommentId), _query: NoQuery, _body: Json<Empty>) -> Resource<CommentView> {
        gate.run(move |tx| {
            let (plan, comment) = service::resolve(tx, ids.0, ids.1)?;
            view(tx, &plan, comment).map(Resource)
        })
        .await
    }
}
