//! `/auth/…`: signing in and out, the own password.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

use super::service::{self, Issued};
use crate::access::policy::{AccountLogout, AccountPassword, Login, Refresh};
use crate::access::{ACCESS_SECONDS, Done};
use crate::web::{Empty, Example, Json, NoContent, NoQuery, Plain, endpoint};

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
    async fn login(gate, _path: (), _query: NoQuery, body: Json<LoginRequest>) -> Plain<TokenView> {
        let issued = service::login(&gate, body.0.login, body.0.password).await?;
        Done::with(Plain(issued.into()))
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
    /// 每用一次即换新。10 秒内同一令牌的第二次刷新得到 409 refresh_superseded (带相同 Idempotency-Key 则得到同一后继);
    /// 更晚再用旧令牌, 视为被盗, 会话立即结束。
    RefreshEndpoint: Refresh, Post "/auth/refresh", tag "auth", codes [RefreshInvalid, RefreshSuperseded]
    async fn refresh_token(gate, _path: (), _query: NoQuery, body: Json<RefreshRequest>) -> Plain<TokenView> {
        let issued = service::refresh(&gate, &body.0.refresh_token).await?;
        Done::with(Plain(issued.into()))
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
