//! `/users/{user_id}/sessions`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::service;
use crate::access::accounts::rules::SessionEndReason;
use crate::access::accounts::session_store::Session;
use crate::access::policy::{UserSessionEnd, UserSessionRead};
use crate::access::{SessionId, UserId};
use crate::db::Instant;
use crate::web::{Count, Example, NoBody, NoContent, NoQuery, Page, endpoint};

/// 一次登录的会话; 不含令牌。
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionView {
    /// 标识。
    id: SessionId,
    /// 登录程序 (User-Agent)。
    #[schema(max_length = 200)]
    user_agent: String,
    /// 登录时刻。
    created_at: Instant,
    /// 最近使用时刻: 最近一次刷新令牌。
    last_used_at: Instant,
    /// 最迟结束时刻。
    expires_at: Instant,
    /// 结束时刻; 未被结束为 null。
    ended_at: Option<Instant>,
    /// 结束原因; 未被结束为 null。
    end_reason: Option<SessionEndReason>,
    /// 当前会话: 是否就是发出本请求的会话。
    current: bool,
}

impl SessionView {
    /// As seen from the session `current`.
    #[must_use]
    pub fn of(session: Session, current: Option<SessionId>) -> Self {
        Self {
            current: current == Some(session.id),
            id: session.id,
            user_agent: session.user_agent,
            created_at: session.created_at,
            last_used_at: session.rotated_at,
            expires_at: session.expires_at,
            ended_at: session.ended_at,
            end_reason: session.end_reason,
        }
    }
}

impl Example for SessionView {
    fn example() -> Value {
        json!({
            "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b2c31",
            "user_agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/131.0",
            "created_at": "2026-03-02T01:00:00.000000Z", "last_used_at": "2026-03-02T03:15:00.000000Z",
            "expires_at": "2026-05-31T01:00:00.000000Z", "ended_at": null, "end_reason": null, "current": false,
        })
    }
}

/// 会话列表的分页。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionQuery {
    /// 每页行数, 缺省 50。
    #[schema(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
    /// 上一页给出的游标。
    #[schema(min_length = 1, max_length = 2048, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
    /// 为 exact 时给出总行数。
    pub count: Option<Count>,
}

endpoint! {
    /// 账号的会话列表
    ///
    /// 含已结束的, 新的在前。
    ListUserSessions: UserSessionRead, Get "/users/{user_id}/sessions", tag "users", codes []
    async fn list_user_sessions(gate, user: UserId, query: SessionQuery, _body: NoBody) -> Page<SessionView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        gate.run(move |tx| {
            let current = tx.session().ok();
            Ok(service::sessions(tx, user, &paging)?.map(|session| SessionView::of(session, current)))
        })
        .await
    }
}

endpoint! {
    /// 结束账号的全部会话
    ///
    /// 立即生效, 须重新登录。没有未结束的会话时也算成功。带 `If-Match` 则核对账号的版本。
    EndUserSessions: UserSessionEnd, Delete "/users/{user_id}/sessions", tag "users", codes [PreconditionFailed]
    async fn end_user_sessions(gate, user: UserId, _query: NoQuery, _body: NoBody) -> NoContent {
        gate.run(move |tx| service::end_all(tx, user).map(|()| NoContent)).await
    }
}
