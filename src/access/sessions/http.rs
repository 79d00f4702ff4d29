//! `/auth/…`: signing in and out, the own password.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

use super::own::{self, Me};
use super::service::{self, Issued};
use crate::access::accounts::sessions::http::{SessionQuery, SessionView};
use crate::access::policy::{
    AccountLogout, AccountPassword, AccountRead, Login, Refresh, SessionEnd, SessionRead,
};
use crate::access::{ACCESS_SECONDS, Done, Role, SessionId, UserId};
use crate::org::views::UnitRef;
use crate::web::{
    Empty, Example, Json, NoBody, NoContent, NoQuery, Page, Resource, Unkept, Versioned, endpoint,
};

/// 登录名与密码。
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct LoginRequest {
    /// 登录名, 不分大小写。
    #[schema(min_length = 1, max_length = 64, pattern = r"^\S+$")]
    login: String,
    /// 密码。
    #[schema(min_length = 1, max_length = 128, format = Password)]
    password: String,
}

impl Example for LoginRequest {
    fn example() -> Value {
        json!({ "login": "lichunyang", "password": "翠湖边第三棵柳树下面见面" })
    }
}

/// 一对令牌。
#[derive(Serialize, ToSchema)]
pub struct TokenView {
    /// 访问令牌 (JWT), 放入 `Authorization: Bearer`。
    #[schema(max_length = 2000)]
    access_token: String,
    /// 刷新令牌, 只能用一次; 不透明。
    #[schema(max_length = 200)]
    refresh_token: String,
    /// 固定为 Bearer。
    #[schema(max_length = 6, pattern = "^Bearer$")]
    token_type: &'static str,
    /// 访问令牌的有效秒数。
    #[schema(minimum = 1, maximum = 900)]
    expires_in: i64,
    /// 是否须先修改首次密码, 之前其他操作一律 403。
    password_change_required: bool,
}

impl From<Issued> for TokenView {
    fn from(issued: Issued) -> Self {
        Self {
            access_token: issued.access,
            refresh_token: issued.refresh,
            token_type: "Bearer",
            expires_in: ACCESS_SECONDS,
            password_change_required: issued.must_change_password,
        }
    }
}

impl Example for TokenView {
    fn example() -> Value {
        json!({
            "access_token": "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJFZERTQSJ9.eyJpc3MiOiJwaW5neWkifQ.c2lnbmF0dXJl",
            "refresh_token": "NTMBk28qfB57bZpULw6MOx13AAAAAAAAAAE", "token_type": "Bearer", "expires_in": 900,
            "password_change_required": false,
        })
    }
}

endpoint! {
    /// 登录
    ///
    /// 每次登录开启一个会话。失败时不区分登录名不存在、账号停用与密码错误。同一账号 15 分钟内失败 10 次、
    /// 同一地址失败 100 次后须等待 (429)。
    LoginEndpoint: Login, Post "/auth/login", tag "auth", codes [LoginFailed, TooManyAttempts]
    async fn login(gate, _path: (), _query: NoQuery, body: Json<LoginRequest>) -> Unkept<TokenView> {
        let issued = service::login(&gate, body.0.login, body.0.password).await?;
        Done::with(Unkept(issued.into()))
    }
}

/// 刷新令牌。
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct RefreshRequest {
    /// 上次得到的刷新令牌。
    #[schema(min_length = 1, max_length = 200, pattern = "^[A-Za-z0-9_-]+$")]
    refresh_token: String,
}

impl Example for RefreshRequest {
    fn example() -> Value {
        json!({ "refresh_token": "NTMBk28qfB57bZpULw6MOx13AAAAAAAAAAE" })
    }
}

endpoint! {
    /// 刷新令牌
    ///
    /// 每用一次即换新。10 秒内同一令牌的第二次刷新得到 409 `refresh_superseded` (带相同 Idempotency-Key 则得到同一后继);
    /// 更晚再用旧令牌, 视为被盗, 会话立即结束。
    RefreshEndpoint: Refresh, Post "/auth/refresh", tag "auth", codes [RefreshInvalid, RefreshSuperseded]
    async fn refresh_token(gate, _path: (), _query: NoQuery, body: Json<RefreshRequest>) -> Unkept<TokenView> {
        let issued = service::refresh(&gate, &body.0.refresh_token).await?;
        Done::with(Unkept(issued.into()))
    }
}

endpoint! {
    /// 退出登录
    ///
    /// 结束本会话; 其访问令牌与刷新令牌立即失效。
    LogoutEndpoint: AccountLogout, Post "/auth/logout", tag "auth", codes []
    async fn logout(gate, _path: (), _query: NoQuery, _body: Json<Empty>) -> NoContent {
        gate.run(move |tx| service::logout(tx).map(|()| NoContent)).await
    }
}

/// 修改密码。
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PasswordChange {
    /// 现用密码。
    #[schema(min_length = 1, max_length = 128, format = Password)]
    current_password: String,
    /// 新密码, 12 到 128 个字符; 常见的、含登录名的、容易猜到的会被拒绝。
    #[schema(min_length = 12, max_length = 128, format = Password)]
    new_password: String,
}

impl Example for PasswordChange {
    fn example() -> Value {
        json!({ "current_password": "翠湖边第三棵柳树下面见面", "new_password": "滇池东岸的海鸥二月才飞走" })
    }
}

endpoint! {
    /// 修改本人密码
    ///
    /// 本会话继续有效, 本人的其他会话全部结束。
    ChangePassword: AccountPassword, Post "/auth/password", tag "auth", codes [PasswordWrong, PasswordWeak, TooManyAttempts]
    async fn change_password(gate, _path: (), _query: NoQuery, body: Json<PasswordChange>) -> NoContent {
        service::change_password(&gate, body.0.current_password, body.0.new_password).await
    }
}

/// 本人持有的一个角色。
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnRoleView {
    /// 角色。
    role: Role,
    /// 在哪个单位; 平台账号为 null。
    unit: Option<UnitRef>,
}

/// 本人的账号、角色与权限。
#[derive(Debug, Serialize, ToSchema)]
pub struct MeView {
    /// 标识。
    id: UserId,
    /// 登录名。
    #[schema(max_length = 40)]
    login: String,
    /// 姓名。
    #[schema(max_length = 50)]
    display_name: String,
    /// 所属租户: 省份代码, 平台与部级为 00。
    #[schema(max_length = 2, pattern = "^[0-9]{2}$")]
    province_code: String,
    /// 是否须先修改首次密码。
    password_change_required: bool,
    /// 此刻有效的角色。
    #[schema(max_items = 200)]
    roles: Vec<OwnRoleView>,
    /// 可做的操作, 同文档中的 x-action。
    #[schema(max_items = 500)]
    actions: Vec<&'static str>,
    /// 版本。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
}

impl Versioned for MeView {
    fn version(&self) -> i64 {
        self.version
    }
}

impl Example for MeView {
    fn example() -> Value {
        json!({
            "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d10", "login": "lichunyang", "display_name": "李春阳",
            "province_code": "53", "password_change_required": false,
            "roles": [{
                "role": "group_head",
                "unit": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77", "code": "53", "name": "云南省公安厅", "kind": "province" },
            }],
            "actions": ["plan.read", "plan.approve", "plan.return", "account.read"], "version": 1,
        })
    }
}

endpoint! {
    /// 我是谁
    ///
    /// 本人的账号、此刻有效的角色, 以及这些角色可做的操作。
    GetMe: AccountRead, Get "/auth/me", tag "auth", codes []
    async fn get_me(gate, _path: (), _query: NoQuery, _body: NoBody) -> Resource<MeView> {
        gate.run(move |tx| {
            let province_code = tx.tenant().to_string();
            let Me { id, login, display_name, must_change_password, version, bindings, actions } = own::me(tx)?;
            let roles = bindings
                .into_iter()
                .map(|(held, unit)| OwnRoleView { role: held.role, unit: unit.as_ref().map(UnitRef::from) })
                .collect();
            let password_change_required = must_change_password;
            Ok(Resource(MeView { id, login, display_name, province_code, password_change_required, roles, actions, version }))
        })
        .await
    }
}

endpoint! {
    /// 本人的会话列表
    ///
    /// 含已结束的, 新的在前。
    ListOwnSessions: SessionRead, Get "/auth/sessions", tag "auth", codes []
    async fn list_own_sessions(gate, _path: (), query: SessionQuery, _body: NoBody) -> Page<SessionView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        gate.run(move |tx| {
            let current = tx.session().ok();
            Ok(own::sessions(tx, &paging)?.map(|session| SessionView::of(session, current)))
        })
        .await
    }
}

endpoint! {
    /// 结束本人的一个会话
    ///
    /// 立即生效; 也可以结束发出本请求的会话。
    EndOwnSession: SessionEnd, Delete "/auth/sessions/{session_id}", tag "auth", codes [SessionEnded]
    async fn end_own_session(gate, id: SessionId, _query: NoQuery, _body: NoBody) -> NoContent {
        gate.run(move |tx| own::end(tx, id).map(|()| NoContent)).await
    }
}
