//! `/plans/{plan_id}/amend`, `/versions` and `/diff`.

use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

use super::rules::VersionId;
use super::service;
use super::views::{self, DiffView, PlanVersionView, VersionSummaryView};
use crate::access::policy::{PlanAmend, PlanRead};
use crate::campaigns::plan::views::{self as plan_views, PlanView};
use crate::campaigns::rules::PlanId;
use crate::web::{Count, Example, Json, NoBody, NoQuery, Page, Plain, Resource, endpoint};

/// 修订方案。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct AmendBody {
    /// 为何修订。
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

impl Example for AmendBody {
    fn example() -> Value {
        json!({ "reason": "汛期顺延两项任务的时限。" })
    }
}

endpoint! {
    /// 修订方案
    ///
    /// 由生效的版本开始编制下一版, 见方案的 `amendment`: 修改、提交、表决、批准、发布都在同一方案上进行, 发布之前原版本继续生效。
    /// 发布之后, 任务按标识延续, 已完成的保留, 下级方案标明 `parent_amended`。
    AmendPlan: PlanAmend, Post "/plans/{plan_id}/amend", tag "plans", codes [PlanNotInForce, AmendmentInHand]
    async fn amend_plan(gate, id: PlanId, _query: NoQuery, body: Json<AmendBody>) -> Resource<PlanView> {
        gate.run(move |tx| {
            let done = service::amend(tx, id, &body.0.reason)?;
            plan_views::plan(tx, done).map(Resource)
        })
        .await
    }
}

/// 版本列表的条件。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VersionQuery {
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
    /// 方案的版本
    ///
    /// 新的在前; 下级只见生效的与曾经生效的。
    ListVersions: PlanRead, Get "/plans/{plan_id}/versions", tag "plans", codes []
    async fn list_versions(gate, id: PlanId, query: VersionQuery, _body: NoBody) -> Page<VersionSummaryView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        gate.run(move |tx| {
            let page = service::page(tx, id, &paging)?;
            let Page { items, next_cursor, total } = page;
            Ok(Page { items: views::summaries(tx, items)?, next_cursor, total })
        })
        .await
    }
}

endpoint! {
    /// 查看版本
    ///
    /// 一个版本的全部内容, 不论是否仍然生效。
    GetVersion: PlanRead, Get "/plans/{plan_id}/versions/{version_id}", tag "plans", codes []
    async fn get_version(gate, ids: (PlanId, VersionId), _query: NoQuery, _body: NoBody) -> Resource<PlanVersionView> {
        gate.run(move |tx| {
            let (plan, version) = service::find(tx, ids.0, ids.1)?;
            views::whole(tx, &plan, version).map(Resource)
        })
        .await
    }
}

/// 比较哪两版。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DiffQuery {
    /// 与第几版相比; 缺省为 `to` 的前一版。
    #[schema(minimum = 1, maximum = 100_000)]
    from: Option<i32>,
    /// 第几版; 缺省为本人可见的最新一版, 修订中的也算。
    #[schema(minimum = 1, maximum = 100_000)]
    to: Option<i32>,
}

endpoint! {
    /// 两版的差异
    ///
    /// 任务按标识对应; 每项给出原来的与现在的, 以及改了哪些。没有的版本与看不到的版本都是 404。
    GetDiff: PlanRead, Get "/plans/{plan_id}/diff", tag "plans", codes []
    async fn get_diff(gate, id: PlanId, query: DiffQuery, _body: NoBody) -> Plain<DiffView> {
        gate.run(move |tx| {
            let (plan, comparison) = service::diff(tx, id, query.from, query.to)?;
            views::diff(tx, &plan, comparison).map(Plain)
        })
        .await
    }
}
