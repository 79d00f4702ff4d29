//! What the wire shows of declared conflicts.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::rules::{Conflict, ConflictAction, ConflictId, ConflictKind, ConflictState};
use super::service;
use crate::access::Tx;
use crate::access::names::{UserNames, UserRef};
use crate::access::policy::Action;
use crate::db::Instant;
use crate::errors::{AppError, Result};
use crate::org::views::{UnitNames, UnitRef};
use crate::web::{Example, Versioned, with};

/// 列表中的一项申报; 情况说明属个人信息, 单独查看时才给出。
#[derive(Debug, Serialize, ToSchema)]
pub struct ConflictSummaryView {
    /// 标识。
    id: ConflictId,
    /// 有利害关系的人。
    user: UserRef,
    /// 须回避的单位, 含其下级; 合并的为承接的单位。
    unit: UnitRef,
    /// 利害关系的种类。
    kind: ConflictKind,
    /// 状态。
    state: ConflictState,
    /// 自何时起须回避该单位: 申报之时; 由合并而来的为合并之时。
    since_at: Instant,
    /// 终止的时刻; 仍须回避的为 null。
    ended_at: Option<Instant>,
    /// 本人此刻可做的操作。
    #[schema(max_items = 1)]
    allowed_actions: Vec<ConflictAction>,
    /// 版本。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    /// 申报时刻。
    created_at: Instant,
    /// 最近修改时刻。
    updated_at: Instant,
}

/// 一项利害关系申报。
#[derive(Debug, Serialize, ToSchema)]
pub struct ConflictView {
    /// 标识。
    id: ConflictId,
    /// 有利害关系的人。
    user: UserRef,
    /// 须回避的单位, 含其下级; 合并的为承接的单位。
    unit: UnitRef,
    /// 利害关系的种类。
    kind: ConflictKind,
    /// 情况说明; 本人的个人信息清除后为 null。
    #[schema(max_length = 500)]
    statement: Option<String>,
    /// 状态。
    state: ConflictState,
    /// 自何时起须回避该单位: 申报之时; 由合并而来的为合并之时。
    since_at: Instant,
    /// 由谁申报: 本人, 或督察纪检部门、办公室代为申报的人。
    declared_by: UserRef,
    /// 由谁终止。
    ended_by: Option<UserRef>,
    /// 终止的时刻; 仍须回避的为 null。
    ended_at: Option<Instant>,
    /// 终止的理由; 本人的个人信息清除后为 null。
    #[schema(max_length = 500)]
    end_reason: Option<String>,
    /// 本人此刻可做的操作。
    #[schema(max_items = 1)]
    allowed_actions: Vec<ConflictAction>,
    /// 版本。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    /// 申报时刻。
    created_at: Instant,
    /// 最近修改时刻。
    updated_at: Instant,
}

impl Versioned for ConflictView {
    fn version(&self) -> i64 {
        self.version
    }
}

fn example_head() -> Value {
    json!({
        "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b7e01",
        "user": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d12", "display_name": "赵敏" },
        "unit": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d02", "code": "530102", "name": "昆明市公安局五华分局", "kind": "county" },
        "kind": "kinship", "state": "standing", "since_at": "2026-03-02T01:20:00.000000Z", "ended_at": null,
        "allowed_actions": ["end"], "version": 1,
        "created_at": "2026-03-02T01:20:00.000000Z", "updated_at": "2026-03-02T01:20:00.000000Z",
    })
}

impl Example for ConflictSummaryView {
    fn example() -> Value {
        example_head()
    }
}

impl Example for ConflictView {
    fn example() -> Value {
        let more = json!({
            "statement": "配偶现任该分局户籍大队副大队长。",
            "declared_by": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d12", "display_name": "赵敏" },
            "ended_by": null, "end_reason": null,
        });
        with(example_head(), more)
    }
}

pub(super) fn summaries<A: Action>(
    tx: &mut Tx<'_, A>,
    found: Vec<Conflict>,
) -> Result<Vec<ConflictSummaryView>> {
    let units = UnitNames::load(tx, found.iter().map(|one| one.unit_id))?;
    let people = UserNames::load(tx, found.iter().map(|one| one.user_id))?;
    let rights = service::rights(tx);
    let view = |one: Conflict| {
        Ok(ConflictSummaryView {
            allowed_actions: service::allowed(tx, &rights, &one)?,
            id: one.id,
            user: people.get(one.user_id)?,
            unit: units.get(one.unit_id)?,
            kind: one.kind,
            state: one.state,
            since_at: one.term.since_at,
            ended_at: one.term.ended_at,
            version: one.version,
            created_at: one.created_at,
            updated_at: one.updated_at,
        })
    };
    found.into_iter().map(view).collect::<Result<_, AppError>>()
}

pub(super) fn whole<A: Action>(tx: &mut Tx<'_, A>, one: Conflict) -> Result<ConflictView> {
    let units = UnitNames::load(tx, [one.unit_id])?;
    let people = UserNames::load(tx, [one.user_id, one.declared_by].into_iter().chain(one.ended_by))?;
    let rights = service::rights(tx);
    Ok(ConflictView {
        allowed_actions: service::allowed(tx, &rights, &one)?,
        id: one.id,
        user: people.get(one.user_id)?,
        unit: units.get(one.unit_id)?,
        kind: one.kind,
        statement: one.statement,
        state: one.state,
        since_at: one.term.since_at,
        declared_by: people.get(one.declared_by)?,
        ended_by: one.ended_by.map(|id| people.get(id)).transpose()?,
        ended_at: one.term.ended_at,
        end_reason: one.end_reason,
        version: one.version,
        created_at: one.created_at,
        updated_at: one.updated_at,
    })
}
