//! `/units/{unit_id}/stand-ins`.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

use super::rules::{StandIn, StandInAction, StandInId};
use super::service::{self, Naming};
use crate::access::Tx;
use crate::access::policy::{Action, OfficerRead, StandInEnd, StandInName};
use crate::db::Instant;
use crate::errors::{AppError, Result};
use crate::org::http::PageQuery;
use crate::org::officers::http::{OfficerNames, OfficerRef};
use crate::org::officers::rules::OfficerId;
use crate::org::rules::{Unit, UnitId};
use crate::web::{Created, Example, Json, NoBody, NoContent, NoQuery, Page, Resource, Versioned, endpoint};

const OFFICER: &str = "01936f2a-7c1e-7b6d-9a54-2f0e8c3b4a01";

/// 一次代理。
#[derive(Debug, Serialize, ToSchema)]
pub struct StandInView {
    /// 标识。
    id: StandInId,
    /// 代理人。
    officer: OfficerRef,
    /// 首日。
    valid_from_on: NaiveDate,
    /// 末日, 含当日。
    valid_until_on: NaiveDate,
    /// 事由。
    #[schema(max_length = 500)]
    reason: String,
    /// 指定时刻。
    created_at: Instant,
    /// 提前终止的时刻。
    ended_at: Option<Instant>,
    /// 版本。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    /// 本人此刻可做的操作。
    #[schema(max_items = 1)]
    allowed_actions: Vec<StandInAction>,
}

impl Versioned for StandInView {
    fn version(&self) -> i64 {
        self.version
    }
}

impl Example for StandInView {
    fn example() -> Value {
        json!({
            "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b6c01", "officer": { "id": OFFICER, "number": "053018", "name": "李志强" },
            "valid_from_on": "2026-03-02", "valid_until_on": "2026-03-31", "reason": "局长赴省委党校学习。",
            "created_at": "2026-03-01T01:00:00.000000Z", "ended_at": null, "version": 1, "allowed_actions": ["end"],
        })
    }
}

fn views<A: Action>(tx: &mut Tx<'_, A>, unit: &Unit, found: Vec<StandIn>) -> Result<Vec<StandInView>> {
    let officers = OfficerNames::load(tx, found.iter().map(|one| one.officer_id))?;
    let allowed = service::allowed(tx, unit);
    found
        .into_iter()
        .map(|one| {
            Ok(StandInView {
                allowed_actions: allowed(&one),
                officer: officers.get(one.officer_id)?,
                version: one.version(),
                id: one.id,
                valid_from_on: one.valid_from_on,
                valid_until_on: one.valid_until_on,
                reason: one.reason,
                created_at: one.created_at,
                ended_at: one.ended_at,
            })
        })
        .collect()
}

fn view<A: Action>(tx: &mut Tx<'_, A>, unit: &Unit, one: StandIn) -> Result<StandInView> {
    views(tx, unit, vec![one])?.pop().ok_or_else(|| AppError::internal("a stand-in without a view"))
}

endpoint! {
    /// 代理列表
    ///
    /// 一个单位的历次代理, 新的在前。
    ListStandIns: OfficerRead, Get "/units/{unit_id}/stand-ins", tag "officers", codes []
    async fn list_stand_ins(gate, id: UnitId, query: PageQuery, _body: NoBody) -> Page<StandInView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        gate.run(move |tx| {
            let (unit, page) = service::list(tx, id, &paging)?;
            let Page { items, next_cursor, total } = page;
            Ok(Page { items: views(tx, &unit, items)?, next_cursor, total })
        })
        .await
    }
}

endpoint! {
    /// 查看代理
    GetStandIn: OfficerRead, Get "/units/{unit_id}/stand-ins/{stand_in_id}", tag "officers", codes []
    async fn get_stand_in(gate, ids: (UnitId, StandInId), _query: NoQuery, _body: NoBody) -> Resource<StandInView> {
        gate.run(move |tx| {
            let (unit, found) = service::find(tx, ids.0, ids.1)?;
            Ok(Resource(view(tx, &unit, found)?))
        })
        .await
    }
}

/// 指定代理。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewStandIn {
    /// 由客户端选定的标识; 不写则由服务器生成。
    #[serde(default)]
    id: Option<StandInId>,
    /// 代理人, 在职民警。
    officer_id: OfficerId,
    /// 首日。
    valid_from_on: NaiveDate,
    /// 末日, 含当日; 连同首日不超过 183 天。
    valid_until_on: NaiveDate,
    /// 事由。
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

impl Example for NewStandIn {
    fn example() -> Value {
        json!({
            "officer_id": OFFICER, "valid_from_on": "2026-03-02", "valid_until_on": "2026-03-31",
            "reason": "局长赴省委党校学习。",
        })
    }
}

endpoint! {
    /// 指定代理
    ///
    /// 由一把手或领导小组组长指定, 期间代理人办理的事项注明代理, 第一责任不变。代理人另须有 `unit_head` 授权。
    NameStandIn: StandInName, Post "/units/{unit_id}/stand-ins", tag "officers",
        codes [IdTaken, UnitDeactivated, StandInNotPossible]
    async fn name_stand_in(gate, id: UnitId, _query: NoQuery, body: Json<NewStandIn>) -> Created<StandInView> {
        let NewStandIn { id: chosen, officer_id, valid_from_on, valid_until_on, reason } = body.0;
        let naming = Naming { id: chosen, officer_id, valid_from_on, valid_until_on, reason };
        gate.run(move |tx| {
            let (unit, made, existed) = service::name(tx, id, &naming)?;
            let location = format!("/units/{id}/stand-ins/{}", made.id);
            Ok(Created { view: view(tx, &unit, made)?, location, existed })
        })
        .await
    }
}

endpoint! {
    /// 终止代理
    ///
    /// 立即生效; 记录保留。
    EndStandIn: StandInEnd, Delete "/units/{unit_id}/stand-ins/{stand_in_id}", tag "officers", codes [StandInEnded]
    async fn end_stand_in(gate, ids: (UnitId, StandInId), _query: NoQuery, _body: NoBody) -> NoContent {
        gate.run(move |tx| service::end(tx, ids.0, ids.1).map(|()| NoContent)).await
    }
}
