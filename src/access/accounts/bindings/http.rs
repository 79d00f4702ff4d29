//! `/users/{user_id}/role-bindings`.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::rules::{BindingAction, BindingEntity, BindingId, BindingStatus, Terms};
use super::service::{self, Shown};
use crate::access::policy::{RoleBindingGrant, RoleBindingRead, RoleBindingRevoke};
use crate::access::{Role, UserEntity, UserId};
use crate::db::{Id, Instant};
use crate::errors::Code;
use crate::org::rules::UnitId;
use crate::org::views::UnitRef;
use crate::web::{
    Count, Created, Example, Json, NoBody, NoContent, NoQuery, Page, Resource, Versioned, endpoint,
};

/// 一项角色授权: 某账号在某单位 (含其下级) 的某个角色。
#[derive(Debug, Serialize, ToSchema)]
pub struct BindingView {
    /// 标识。
    id: BindingId,
    /// 账号。
    user_id: UserId,
    /// 角色。
    role: Role,
    /// 单位, 及于其全部下级; 平台账号为 null。
    unit: Option<UnitRef>,
    /// 首日 (含); null 为自授予起。
    #[schema(min_length = 10, max_length = 10)]
    valid_from_on: Option<NaiveDate>,
    /// 末日 (含); null 为至撤销止。
    #[schema(min_length = 10, max_length = 10)]
    valid_until_on: Option<NaiveDate>,
    /// 状态: 今日 (北京时间) 是否有效。
    status: BindingStatus,
    /// 授予时刻。
    created_at: Instant,
    /// 撤销时刻; 未撤销为 null。
    revoked_at: Option<Instant>,
    /// 版本: 1, 撤销后为 2。
    #[schema(minimum = 1, maximum = 2)]
    version: i64,
    /// 本人此刻可做的操作。
    #[schema(max_items = 1)]
    allowed_actions: Vec<BindingAction>,
}

impl From<Shown> for BindingView {
    fn from(shown: Shown) -> Self {
        let Shown { binding, unit, status, allowed } = shown;
        Self {
            id: binding.id,
            user_id: binding.user_id,
            role: binding.terms.role,
            unit: unit.as_ref().map(UnitRef::from),
            valid_from_on: binding.terms.valid_from_on,
            valid_until_on: binding.terms.valid_until_on,
            status,
            created_at: binding.created_at,
            revoked_at: binding.revoked_at,
            version: binding.version(),
            allowed_actions: allowed,
        }
    }
}

impl Versioned for BindingView {
    fn version(&self) -> i64 {
        self.version
    }
}

impl Example for BindingView {
    fn example() -> Value {
        json!({
            "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b2b21", "user_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b2a10",
            "role": "unit_head",
            "unit": {
                "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77", "code": "530102",
                "name": "昆明市公安局五华分局", "kind": "county",
            },
            "valid_from_on": "2026-03-02", "valid_until_on": null, "status": "active",
            "created_at": "2026-03-02T01:00:00.000000Z", "revoked_at": null, "version": 1,
            "allowed_actions": ["revoke"],
        })
    }
}

/// 授权列表的分页。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BindingQuery {
    /// 每页行数, 缺省 50。
    #[schema(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// 上一页给出的游标。
    #[schema(min_length = 1, max_length = 2048, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
    /// 为 exact 时给出总行数。
    count: Option<Count>,
}

/// 新授权。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = check_days))]
pub struct NewBinding {
    /// 客户端自选的标识 (UUID v7); 同一标识、同一内容再次提交, 返回已有授权。
    #[serde(default)]
    id: Option<BindingId>,
    /// 角色, 须在本人可授予之列, 且不与该账号已有的角色互斥。
    role: Role,
    /// 单位, 及于其全部下级, 须在本人可授权的范围内; 平台账号为 null, 其余必填。
    #[serde(default)]
    unit_id: Option<UnitId>,
    /// 首日 (含); 缺省为自授予起。
    #[serde(default)]
    #[schema(min_length = 10, max_length = 10)]
    valid_from_on: Option<NaiveDate>,
    /// 末日 (含), 不得早于首日; 缺省为至撤销止。
    #[serde(default)]
    #[schema(min_length = 10, max_length = 10)]
    valid_until_on: Option<NaiveDate>,
}

fn check_days(new: &NewBinding) -> Result<(), ValidationError> {
    let backwards =
        matches!((new.valid_from_on, new.valid_until_on), (Some(from), Some(until)) if until < from);
    if !backwards {
        return Ok(());
    }
    let mut error = ValidationError::new(Code::OutOfOrder.name())
        .with_message("末日不得早于首日|The last day may not be before the first".into());
    error.add_param("at".into(), &"/valid_until_on");
    Err(error)
}

impl Example for NewBinding {
    fn example() -> Value {
        json!({
            "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b2b21", "role": "unit_head",
            "unit_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77", "valid_from_on": "2026-03-02",
        })
    }
}

endpoint! {
    /// 账号的授权列表
    ///
    /// 含未到期限的、已过期限的与已撤销的, 先授予的在前; 辖区外单位的授权不列出。
    ListRoleBindings: RoleBindingRead, Get "/users/{user_id}/role-bindings", tag "users", codes []
    async fn list_role_bindings(gate, user: UserId, query: BindingQuery, _body: NoBody) -> Page<BindingView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        gate.run(move |tx| Ok(service::bindings(tx, user, &paging)?.map(BindingView::from))).await
    }
}

endpoint! {
    /// 授予角色
    ///
    /// 下一次请求即生效。不得给自己授权; 三员与业务角色互斥; 只可授予授权表中本人角色可授予的角色。
    /// `If-Match` 核对的是账号的版本。
    GrantRole: RoleBindingGrant, Post "/users/{user_id}/role-bindings", tag "users",
        codes [IdTaken, UserDisabled, RoleHeld, GrantToSelf, GrantNotAllowed, RolesExclusive]
    async fn grant_role(gate, user: UserId, _query: NoQuery, body: Json<NewBinding>) -> Created<BindingView> {
        let NewBinding { id, role, unit_id, valid_from_on, valid_until_on } = body.0;
        let terms = Terms { role, unit_id, valid_from_on, valid_until_on };
        gate.run(move |tx| {
            let (shown, existed) = service::grant(tx, user, id, terms)?;
            let location = format!("/users/{user}/role-bindings/{}", shown.binding.id);
            Ok(Created { view: shown.into(), location, existed })
        })
        .await
    }
}

endpoint! {
    /// 查看授权
    GetRoleBinding: RoleBindingRead, Get "/users/{user_id}/role-bindings/{binding_id}", tag "users", codes []
    async fn get_role_binding(
        gate, path: (Id<UserEntity>, Id<BindingEntity>), _query: NoQuery, _body: NoBody
    ) -> Resource<BindingView> {
        gate.run(move |tx| Ok(Resource(service::binding(tx, path.0, path.1)?.into()))).await
    }
}

endpoint! {
    /// 撤销授权
    ///
    /// 下一次请求即生效; 记录保留。不能授予的角色也不能撤销。带 `If-Match` 则核对授权的版本。
    RevokeRole: RoleBindingRevoke, Delete "/users/{user_id}/role-bindings/{binding_id}", tag "users",
        codes [BindingRevoked, GrantNotAllowed, PreconditionFailed]
    async fn revoke_role(
        gate, path: (Id<UserEntity>, Id<BindingEntity>), _query: NoQuery, _body: NoBody
    ) -> NoContent {
        gate.run(move |tx| service::revoke(tx, path.0, path.1).map(|()| NoContent)).await
    }
}
