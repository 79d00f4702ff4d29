//! Units as they are shown, by themselves and where others refer to them.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::changes::rules::UnitAction;
use super::changes::service as changes;
use super::rules::{Unit, UnitId, UnitKind, UnitStatus};
use super::service;
use crate::access::Tx;
use crate::access::policy::Action;
use crate::db::Instant;
use crate::errors::{AppError, Result};
use crate::web::{Example, Versioned};

/// 一个组织单位。
#[derive(Debug, Serialize, ToSchema)]
pub struct UnitView {
    /// 标识。
    id: UnitId,
    /// 官方代码, 省内唯一。
    #[schema(max_length = 32, pattern = "^[0-9A-Z-]+$")]
    code: String,
    /// 现用名称。
    #[schema(max_length = 100)]
    name: String,
    /// 种类。
    kind: UnitKind,
    /// 状态。
    status: UnitStatus,
    /// 上级单位; 省厅为 null。
    parent_id: Option<UnitId>,
    /// 停用后接续的单位。
    successor_id: Option<UnitId>,
    /// 层次, 在树中的; 省厅为 0。
    #[schema(minimum = 0, maximum = 20)]
    depth: i32,
    /// 版本。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    /// 录入时刻。
    created_at: Instant,
    /// 最近修改时刻。
    updated_at: Instant,
    /// 本人此刻可做的操作。
    #[schema(max_items = 4)]
    allowed_actions: Vec<UnitAction>,
}

impl UnitView {
    fn of(unit: Unit, allowed_actions: Vec<UnitAction>, successor_id: Option<UnitId>) -> Self {
        let depth = unit.depth();
        let Unit { id, parent_id, code, name, kind, status, version, created_at, updated_at, .. } = unit;
        Self {
            id,
            code,
            name,
            kind,
            status,
            parent_id,
            successor_id,
            depth,
            version,
            created_at,
            updated_at,
            allowed_actions,
        }
    }
}

/// Of when units are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// As they are.
    Now,
    /// As they were: nothing can be done with what has been.
    Then,
}

/// The views of several units.
///
/// # Errors
/// When the database fails.
pub fn views<A: Action>(tx: &mut Tx<'_, A>, units: Vec<Unit>, when: When) -> Result<Vec<UnitView>> {
    let rights = changes::rights(tx);
    let successors = changes::successors(tx, &units)?;
    let view = |unit: Unit| {
        let allowed = if when == When::Now { changes::allowed(&rights, &unit) } else { Vec::new() };
        let successor = successors.get(&unit.id).copied();
        UnitView::of(unit, allowed, successor)
    };
    Ok(units.into_iter().map(view).collect())
}

/// The view of one unit.
///
/// # Errors
/// When the database fails.
pub fn view<A: Action>(tx: &mut Tx<'_, A>, unit: Unit) -> Result<UnitView> {
    views(tx, vec![unit], When::Now)?.pop().ok_or_else(|| AppError::internal("a unit without a view"))
}

impl Versioned for UnitView {
    fn version(&self) -> i64 {
        self.version
    }
}

impl Example for UnitView {
    fn example() -> Value {
        json!({
            "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77", "code": "530102", "name": "昆明市公安局五华分局",
            "kind": "county", "status": "active", "parent_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d01",
            "successor_id": null, "depth": 2, "version": 1, "created_at": "2026-03-02T01:00:00.000000Z",
            "updated_at": "2026-03-02T01:00:00.000000Z", "allowed_actions": ["update", "move", "merge", "deactivate"],
        })
    }
}

/// 所引用的单位。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct UnitRef {
    /// 标识。
    id: UnitId,
    /// 代码, 省内唯一。
    #[schema(max_length = 32, pattern = "^[0-9A-Z-]+$")]
    code: String,
    /// 名称, 现用。
    #[schema(max_length = 100)]
    name: String,
    /// 种类。
    kind: UnitKind,
}

impl UnitRef {
    /// Of what a query has brought along.
    #[must_use]
    pub const fn new(id: UnitId, code: String, name: String, kind: UnitKind) -> Self {
        Self { id, code, name, kind }
    }
}

impl From<&Unit> for UnitRef {
    fn from(unit: &Unit) -> Self {
        Self { id: unit.id, code: unit.code.clone(), name: unit.name.clone(), kind: unit.kind }
    }
}

/// Names of units that views refer to, fetched together.
pub struct UnitNames(HashMap<UnitId, UnitRef>);

impl UnitNames {
    /// Fetches them.
    ///
    /// # Errors
    /// When the database fails.
    pub fn load<A: Action>(tx: &mut Tx<'_, A>, ids: impl IntoIterator<Item = UnitId>) -> Result<Self> {
        let mut ids: Vec<UnitId> = ids.into_iter().collect();
        ids.sort_unstable();
        ids.dedup();
        let units = service::referred(tx, &ids)?;
        Ok(Self(units.iter().map(|unit| (unit.id, UnitRef::from(unit))).collect()))
    }

    /// The unit.
    ///
    /// # Errors
    /// For an id that was not loaded, a mistake of ours: foreign keys see to the rest.
    pub fn get(&self, id: UnitId) -> Result<UnitRef> {
        self.0.get(&id).cloned().ok_or_else(|| AppError::internal("a unit that was not loaded"))
    }
}
