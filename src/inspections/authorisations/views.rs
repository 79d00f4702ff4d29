//! What the wire shows of authorisations.

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::rules::{Authorisation, AuthorisationAction, AuthorisationId, AuthorisationState, CheckKind};
use super::service;
use crate::access::Tx;
use crate::access::names::{UserNames, UserRef};
use crate::access::policy::Action;
use crate::db::Instant;
use crate::errors::{AppError, Result};
use crate::org::views::{UnitNames, UnitRef};
use crate::web::{Example, Versioned};

/// 一项常态授权。
#[derive(Debug, Serialize, ToSchema)]
pub struct AuthorisationView {
    /// 标识。
    id: AuthorisationId,
    /// 名称。
    #[schema(max_length = 60)]
    title: String,
    /// 所属单位。
    unit: UnitRef,
    /// 依据。
    #[schema(max_length = 500)]
    basis: String,
    /// 可用的方式。
    #[schema(max_items = 2)]
    kinds: Vec<CheckKind>,
    /// 可检查的单位, 含其下级。
    #[schema(max_items = 50)]
    area: Vec<UnitRef>,
    /// 检查人员。
    #[schema(max_items = 50)]
    team: Vec<UserRef>,
    /// 指挥员。
    commander: UserRef,
    /// 首日。
    valid_from_on: NaiveDate,
    /// 末日, 含当日。
    valid_until_on: NaiveDate,
    /// 状态。
    state: AuthorisationState,
    /// 今日是否可据此检查。
    in_force: bool,
    /// 由谁批准、不批准或撤销。
    decided_by: Option<UserRef>,
    /// 何时。
    decided_at: Option<Instant>,
    /// 批语或理由。
    #[schema(max_length = 500)]
    comment: Option<String>,
    /// 本人此刻可做的操作。
    #[schema(max_items = 5)]
    allowed_actions: Vec<AuthorisationAction>,
    /// 版本。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    /// 新建时刻。
    created_at: Instant,
    /// 最近修改时刻。
    updated_at: Instant,
}

impl Versioned for AuthorisationView {
    fn version(&self) -> i64 {
        self.version
    }
}

impl Example for AuthorisationView {
    fn example() -> Value {
        json!({
            "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b7b01", "title": "第一季度城区窗口暗访",
            "unit": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77", "code": "53", "name": "云南省公安厅", "kind": "province" },
            "basis": "领导小组第二次会议: 对城区服务窗口常态暗访。", "kinds": ["covert"],
            "area": [{ "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d01", "code": "5301", "name": "昆明市公安局", "kind": "city" }],
            "team": [{ "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d12", "display_name": "赵敏" }],
            "commander": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d11", "display_name": "王建国" },
            "valid_from_on": "2026-03-01", "valid_until_on": "2026-03-31", "state": "approved", "in_force": true,
            "decided_by": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d10", "display_name": "李春阳" },
            "decided_at": "2026-02-27T08:00:00.000000Z", "comment": "同意。", "allowed_actions": ["revoke"], "version": 2,
            "created_at": "2026-02-26T02:00:00.000000Z", "updated_at": "2026-02-27T08:00:00.000000Z",
        })
    }
}

pub(super) fn views<A: Action>(
    tx: &mut Tx<'_, A>,
    found: Vec<Authorisation>,
) -> Result<Vec<AuthorisationView>> {
    let units = found.iter().flat_map(|one| one.content.area_unit_ids.iter().copied().chain([one.unit_id]));
    let units = UnitNames::load(tx, units)?;
    let people = found.iter().flat_map(|one| {
        one.content.team_user_ids.iter().copied().chain([one.content.commander_user_id]).chain(one.decided_by)
    });
    let people = UserNames::load(tx, people)?;
    let (rights, gone, now) = (service::rights(tx), service::gone(tx, &found)?, tx.now());
    let view = |one: Authorisation| {
        let allowed_actions = service::allowed(tx, (&rights, &gone), &one)?;
        let in_force = one.is_in_force_at(now);
        let content = one.content;
        Ok(AuthorisationView {
            allowed_actions,
            in_force,
            id: one.id,
            title: content.title,
            unit: units.get(one.unit_id)?,
            basis: content.basis,
            kinds: content.kinds,
            area: content.area_unit_ids.into_iter().map(|id| units.get(id)).collect::<Result<_>>()?,
            team: content.team_user_ids.into_iter().map(|id| people.get(id)).collect::<Result<_>>()?,
            commander: people.get(content.commander_user_id)?,
            valid_from_on: content.valid_from_on,
            valid_until_on: content.valid_until_on,
            state: one.state,
            decided_by: one.decided_by.map(|id| people.get(id)).transpose()?,
            decided_at: one.decided_at,
            comment: one.comment,
            version: one.version,
            created_at: one.created_at,
            updated_at: one.updated_at,
        })
    };
    found.into_iter().map(view).collect()
}

pub(super) fn view<A: Action>(tx: &mut Tx<'_, A>, one: Authorisation) -> Result<AuthorisationView> {
    views(tx, vec![one])?.pop().ok_or_else(|| AppError::internal("an authorisation without a view"))
}
