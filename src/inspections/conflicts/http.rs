//! `/conflicts`.

use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

use super::rules::{ConflictId, ConflictKind, ConflictState};
use super::service::{self, ConflictFilter};
use super::views::{self, ConflictSummaryView, ConflictView};
use crate::access::UserId;
use crate::access::policy::{ConflictDeclare, ConflictEnd, ConflictRead};
use crate::org::http::{Depth, narrowed};
use crate::org::rules::UnitId;
use crate::web::{Count, Created, Example, Json, MadeSort, NoBody, NoQuery, Page, Resource, endpoint};

/// 利害关系申报列表的条件。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConflictQuery {
    /// 状态; 可重复, 任一即可。
    #[serde(default)]
    #[schema(max_items = 2)]
    state: Vec<ConflictState>,
    /// 利害关系的种类; 可重复, 任一即可。
    #[serde(default)]
    #[schema(max_items = 5)]
    kind: Vec<ConflictKind>,
    /// 有利害关系的人。
    user_id: Option<UserId>,
    /// 须回避的是此单位及其下级。
    unit_id: Option<UnitId>,
    /// `unit_id` 的范围, 缺省含下级。
    depth: Option<Depth>,
    /// 排序; 缺省为 `-created_at` (新申报在前)。
    sort: Option<MadeSort>,
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
    /// 利害关系申报列表
    ///
    /// 本人的; 督察纪检部门与领导小组办公室另见其辖区内人员的。以人员所属单位为准, 不以受检单位为准: 受检单位无从得知。
    ListConflicts: ConflictRead, Get "/conflicts", tag "conflicts", codes []
    async fn list_conflicts(gate, _path: (), query: ConflictQuery, _body: NoBody) -> Page<ConflictSummaryView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        gate.run(move |tx| {
            let below = narrowed(tx, query.unit_id, query.depth)?;
            let filter = ConflictFilter { states: query.state, kinds: query.kind, user_id: query.user_id, below };
            let page = service::list(tx, &filter, query.sort.unwrap_or(MadeSort::Newest), &paging)?;
            let Page { items, next_cursor, total } = page;
            Ok(Page { items: views::summaries(tx, items)?, next_cursor, total })
        })
        .await
    }
}

/// 申报一项利害关系。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewConflict {
    /// 由客户端选定的标识; 不写则由服务器生成。
    #[serde(default)]
    id: Option<ConflictId>,
    /// 有利害关系的人; 不写即本人。他人的由其辖区的督察纪检部门或办公室代为申报。
    #[serde(default)]
    user_id: Option<UserId>,
    /// 与之有利害关系的单位; 须回避它及其下级。
    unit_id: UnitId,
    /// 种类。亲属关系: 夫妻关系、直系血亲、三代以内旁系血亲、近姻亲。
    kind: ConflictKind,
    /// 情况说明。
    #[schema(min_length = 1, max_length = 500)]
    statement: String,
}

impl Example for NewConflict {
    fn example() -> Value {
        json!({
            "unit_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d02", "kind": "kinship",
            "statement": "配偶现任该分局户籍大队副大队长。",
        })
    }
}

endpoint! {
    /// 申报利害关系
    ///
    /// 可检查或指挥检查的人申报与某单位的利害关系。自申报之时起, 不得检查该单位及其下级, 也不得指挥这样的检查; 申报之前开始的检查有效。
    /// 检查按其开始之时的隶属关系判断, 此后的划转、合并不溯及。该单位并入他单位的, 自合并之时起须回避承接的单位。
    /// 本人看不到的单位, 由看得到的督察纪检部门或办公室代为申报。
    DeclareConflict: ConflictDeclare, Post "/conflicts", tag "conflicts", codes [IdTaken, AlreadyDeclared]
    async fn declare_conflict(gate, _path: (), _query: NoQuery, body: Json<NewConflict>) -> Created<ConflictView> {
        gate.run(move |tx| {
            let NewConflict { id, user_id, unit_id, kind, statement } = body.0;
            let new = service::NewConflict { id, user_id, unit_id, kind, statement };
            let (made, existed) = service::declare(tx, &new)?;
            let location = format!("/conflicts/{}", made.id);
            Ok(Created { view: views::whole(tx, made)?, location, existed })
        })
        .await
    }
}

endpoint! {
    /// 查看利害关系申报
    GetConflict: ConflictRead, Get "/conflicts/{conflict_id}", tag "conflicts", codes []
    async fn get_conflict(gate, id: ConflictId, _query: NoQuery, _body: NoBody) -> Resource<ConflictView> {
        gate.run(move |tx| {
            let found = service::find(tx, id)?;
            views::whole(tx, found).map(Resource)
        })
        .await
    }
}

/// 终止利害关系申报的理由。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ConflictEndReason {
    /// 理由。
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

impl Example for ConflictEndReason {
    fn example() -> Value {
        json!({ "reason": "经核实, 其配偶已调离该分局。" })
    }
}

endpoint! {
    /// 终止利害关系申报
    ///
    /// 由人员辖区的督察纪检部门或办公室终止, 本人不得终止自己的。此后开始的检查不再回避; 之前须回避的, 不因终止而有效。
    /// 本人的个人信息已清除的, 不再终止。
    EndConflict: ConflictEnd, Post "/conflicts/{conflict_id}/end", tag "conflicts", codes [ConflictEnded, OwnConflict, PersonErased]
    async fn end_conflict(gate, id: ConflictId, _query: NoQuery, body: Json<ConflictEndReason>) -> Resource<ConflictView> {
        gate.run(move |tx| {
            let ended = service::end(tx, id, &body.0.reason)?;
            views::whole(tx, ended).map(Resource)
        })
        .await
    }
}
