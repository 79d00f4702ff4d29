//! `POST /units` and what happens to units afterwards.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

use super::rules::{Period, UnitChange, UnitDraft};
use super::service::{self, NewUnit, Reorganisation};
use crate::access::policy::{UnitCreate, UnitDeactivate, UnitMerge, UnitMove, UnitRead, UnitUpdate};
use crate::db::Instant;
use crate::errors::Result;
use crate::org::http::PageQuery;
use crate::org::rules::{UnitId, UnitKind, UnitStatus};
use crate::org::views::{UnitNames, UnitRef, UnitView, view};
use crate::web::{Created, Example, Json, Merge, NoBody, NoQuery, Page, Patch, Resource, endpoint};

/// 新建单位。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateUnitBody {
    /// 由客户端选定的标识; 不写则由服务器生成。
    #[serde(default)]
    id: Option<UnitId>,
    /// 官方代码, 省内唯一, 不可再改。
    #[schema(min_length = 1, max_length = 32, pattern = "^[0-9A-Z]+(-[0-9A-Z]+)*$")]
    code: String,
    /// 名称。
    #[schema(min_length = 1, max_length = 100, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    name: String,
    /// 种类。
    kind: UnitKind,
    /// 上级单位。
    parent_id: UnitId,
    /// 自何日起, 不晚于今日; 不写则为今日。
    #[serde(default)]
    effective_on: Option<NaiveDate>,
    /// 依据, 如批文。
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    reason: Option<String>,
}

impl Example for CreateUnitBody {
    fn example() -> Value {
        json!({
            "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1e01", "code": "530102099", "name": "翠湖派出所", "kind": "station",
            "parent_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77", "effective_on": "2026-03-01",
            "reason": "省厅批复: 增设翠湖派出所。",
        })
    }
}

impl CreateUnitBody {
    fn into_new(self) -> NewUnit {
        let Self { id, code, name, kind, parent_id, effective_on, reason } = self;
        NewUnit { id, code, kind, parent_id, draft: UnitDraft { name, effective_on, reason } }
    }
}

/// 新建单位, 种类由路径定。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateUnitOfKind {
    /// 由客户端选定的标识; 不写则由服务器生成。
    #[serde(default)]
    id: Option<UnitId>,
    /// 官方代码, 省内唯一, 不可再改。
    #[schema(min_length = 1, max_length = 32, pattern = "^[0-9A-Z]+(-[0-9A-Z]+)*$")]
    code: String,
    /// 名称。
    #[schema(min_length = 1, max_length = 100, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    name: String,
    /// 上级单位。
    parent_id: UnitId,
    /// 自何日起, 不晚于今日; 不写则为今日。
    #[serde(default)]
    effective_on: Option<NaiveDate>,
    /// 依据, 如批文。
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    reason: Option<String>,
}

impl Example for CreateUnitOfKind {
    fn example() -> Value {
        json!({
            "code": "530102-098", "name": "昆明市公安局五华分局滇池路", "parent_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77",
            "effective_on": "2026-03-01", "reason": "省厅批复。",
        })
    }
}

impl CreateUnitOfKind {
    pub(in crate::org) fn of_kind(self, kind: UnitKind) -> NewUnit {
        let Self { id, code, name, parent_id, effective_on, reason } = self;
        NewUnit { id, code, kind, parent_id, draft: UnitDraft { name, effective_on, reason } }
    }
}

impl Example for UnitDraft {
    fn example() -> Value {
        json!({ "name": "昆明市公安局五华区分局", "effective_on": "2026-03-01", "reason": "规范分局名称。" })
    }
}

impl Patch for UnitDraft {
    fn patch_example() -> Value {
        Self::example()
    }
}

endpoint! {
    /// 新建单位
    ///
    /// 代码一经录入不可再改: 换代码就是另一个单位。
    CreateUnitEndpoint: UnitCreate, Post "/units", tag "units", codes [IdTaken, UnitCodeTaken]
    async fn create_unit(gate, _path: (), _query: NoQuery, body: Json<CreateUnitBody>) -> Created<UnitView> {
        gate.run(move |tx| {
            let (unit, existed) = service::create(tx, &body.0.into_new())?;
            let location = format!("/units/{}", unit.id);
            Ok(Created { view: view(tx, unit)?, location, existed })
        })
        .await
    }
}

endpoint! {
    /// 单位更名
    ///
    /// 以往各日的名称照旧可查。
    UpdateUnit: UnitUpdate, Patch "/units/{unit_id}", tag "units", codes [UnitDeactivated]
    async fn update_unit(gate, id: UnitId, _query: NoQuery, body: Merge<UnitDraft>) -> Resource<UnitView> {
        gate.run(move |tx| {
            let unit = service::rename(tx, id, None, |draft| body.apply(draft))?;
            Ok(Resource(view(tx, unit)?))
        })
        .await
    }
}

/// 单位划转。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct MoveUnit {
    /// 新的上级单位。
    parent_id: UnitId,
    /// 自何日起, 不晚于今日, 不早于有关单位上次变更之日; 不写则为今日。
    #[serde(default)]
    effective_on: Option<NaiveDate>,
    /// 依据, 如批文。
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

impl Example for MoveUnit {
    fn example() -> Value {
        json!({
            "parent_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d02", "effective_on": "2026-03-01",
            "reason": "区划调整, 嵩明县公安局划归曲靖市公安局。",
        })
    }
}

endpoint! {
    /// 单位划转
    ///
    /// 连同其全部下级改隶新的上级; 方案、任务、账号、授权随之。每个有关单位记一条审计。权限自下一请求起按新的隶属。
    MoveUnitEndpoint: UnitMove, Post "/units/{unit_id}/move", tag "units",
        codes [UnitDeactivated, UnitIsRoot, MoveIntoItself, ImportUnderWay]
    async fn move_unit(gate, id: UnitId, _query: NoQuery, body: Json<MoveUnit>) -> Resource<UnitView> {
        let MoveUnit { parent_id, effective_on, reason } = body.0;
        let command = Reorganisation { to: parent_id, effective_on, reason };
        gate.run(move |tx| {
            let unit = service::relocate(tx, id, &command)?;
            Ok(Resource(view(tx, unit)?))
        })
        .await
    }
}

/// 单位合并。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct MergeUnit {
    /// 接续的单位。
    into_id: UnitId,
    /// 自何日起, 不晚于今日, 不早于有关单位上次变更之日; 不写则为今日。
    #[serde(default)]
    effective_on: Option<NaiveDate>,
    /// 依据, 如批文。
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

impl Example for MergeUnit {
    fn example() -> Value {
        json!({
            "into_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d03", "effective_on": "2026-03-01",
            "reason": "区划调整, 两分局合并。",
        })
    }
}

endpoint! {
    /// 合并单位
    ///
    /// 本单位停用, 其下级、未了结的方案与任务、账号与授权由接续的单位承接。两单位在同一活动中各有方案的, 拒绝并列出。
    MergeUnitEndpoint: UnitMerge, Post "/units/{unit_id}/merge", tag "units",
        codes [UnitDeactivated, UnitIsRoot, MoveIntoItself, UnitInUse, ImportUnderWay]
    async fn merge_unit(gate, id: UnitId, _query: NoQuery, body: Json<MergeUnit>) -> Resource<UnitView> {
        let MergeUnit { into_id, effective_on, reason } = body.0;
        let command = Reorganisation { to: into_id, effective_on, reason };
        gate.run(move |tx| {
            let unit = service::merge(tx, id, &command)?;
            Ok(Resource(view(tx, unit)?))
        })
        .await
    }
}

/// 停用单位。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct DeactivateUnit {
    /// 自何日起, 不晚于今日, 不早于其上次变更之日; 不写则为今日。
    #[serde(default)]
    effective_on: Option<NaiveDate>,
    /// 依据, 如批文。
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

impl Example for DeactivateUnit {
    fn example() -> Value {
        json!({ "effective_on": "2026-03-01", "reason": "服务窗口撤并至政务服务中心。" })
    }
}

endpoint! {
    /// 停用单位
    ///
    /// 其下仍有单位、方案、任务、账号或授权的, 拒绝并列出; 由他单位承接的, 请用合并。
    DeactivateUnitEndpoint: UnitDeactivate, Post "/units/{unit_id}/deactivate", tag "units",
        codes [UnitDeactivated, UnitIsRoot, UnitInUse, ImportUnderWay]
    async fn deactivate_unit(gate, id: UnitId, _query: NoQuery, body: Json<DeactivateUnit>) -> Resource<UnitView> {
        let DeactivateUnit { effective_on, reason } = body.0;
        gate.run(move |tx| {
            let unit = service::deactivate(tx, id, effective_on, &reason)?;
            Ok(Resource(view(tx, unit)?))
        })
        .await
    }
}

/// 单位在一段时间里的样子。
#[derive(Debug, Serialize, ToSchema)]
pub struct UnitPeriodView {
    /// 首日。
    valid_from_on: NaiveDate,
    /// 末日; 延续至今为 null。
    valid_until_on: Option<NaiveDate>,
    /// 当时的名称。
    #[schema(max_length = 100)]
    name: String,
    /// 当时的上级单位, 以其现用名称列出; 省厅为 null。
    parent: Option<UnitRef>,
    /// 当时的状态。
    status: UnitStatus,
    /// 由何变更开始。
    change: UnitChange,
    /// 接续的单位。
    successor: Option<UnitRef>,
    /// 依据。
    #[schema(max_length = 500)]
    reason: Option<String>,
    /// 录入时刻。
    recorded_at: Instant,
}

impl Example for UnitPeriodView {
    fn example() -> Value {
        json!({
            "valid_from_on": "2026-03-01", "valid_until_on": null, "name": "昆明市公安局五华区分局",
            "parent": {
                "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d01", "code": "5301", "name": "昆明市公安局", "kind": "city",
            },
            "status": "active", "change": "renamed", "successor": null, "reason": "规范分局名称。",
            "recorded_at": "2026-03-02T01:00:00.000000Z",
        })
    }
}

endpoint! {
    /// 单位的沿革
    ///
    /// 各段时间的名称、隶属与状态, 新的在前。
    ListUnitHistory: UnitRead, Get "/units/{unit_id}/history", tag "units", codes []
    async fn list_unit_history(gate, id: UnitId, query: PageQuery, _body: NoBody) -> Page<UnitPeriodView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        gate.run(move |tx| {
            let Page { items, next_cursor, total } = service::history(tx, id, &paging)?;
            let named = items.iter().flat_map(|period| period.parent_id.into_iter().chain(period.successor_id));
            let named = UnitNames::load(tx, named)?;
            let items = items.into_iter().map(|period| shown(period, &named)).collect::<Result<_>>()?;
            Ok(Page { items, next_cursor, total })
        })
        .await
    }
}

fn shown(period: Period, named: &UnitNames) -> Result<UnitPeriodView> {
    let find = |id: Option<UnitId>| id.map(|id| named.get(id)).transpose();
    Ok(UnitPeriodView {
        valid_from_on: period.valid_from_on,
        valid_until_on: period.valid_until_on,
        name: period.name,
        parent: find(period.parent_id)?,
        status: period.status,
        change: period.change,
        successor: find(period.successor_id)?,
        reason: period.reason,
        recorded_at: period.recorded_at,
    })
}
