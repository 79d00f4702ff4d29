//! Rows of sessions, as far as accounts and their administrators deal with them.

use diesel::prelude::*;
use serde_json::{Value, json};

use super::rules::SessionEndReason;
use crate::access::policy::{Action, SessionsEnd, UserSessionEnd};
use crate::access::{EffectTx, SessionId, Tx, UserId};
use crate::audit::Change;
use crate::db::schema::sessions;
use crate::db::{Conn, Instant, TenantId, with_conn};
use crate::errors::{AppError, Code, Result};
use crate::web::{Page, Paging};

/// A session, without its tokens.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = sessions)]
pub struct Session {
    /// Its identifier.
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// The program that signed in.
    pub user_agent: String,
    /// When it began.
    pub created_at: Instant,
    /// When its token was last exchanged.
    pub rotated_at: Instant,
    /// When it ends at the latest.
    pub expires_at: Instant,
    /// When it was ended.
    pub ended_at: Option<Instant>,
    /// Why it was ended.
    pub end_reason: Option<SessionEndReason>,
}

/// The one place where the table is named for reading: tenant and account; whoever asks has made
/// sure that the account is within reach.
macro_rules! visible {
    ($tenant:expr, $user:expr) => {
        sessions::table.filter(sessions::tenant_id.eq($tenant)).filter(sessions::user_id.eq($user))
    };
}

/// The sessions of an account, live and ended, the newest first.
///
/// # Errors
/// `invalid_cursor`.
pub(in crate::access) fn list<A: Action>(
    tx: &mut Tx<'_, A>,
    user: UserId,
    paging: &Paging,
) -> Result<Page<Session>> {
    let tenant = tx.tenant();
    let after = match paging.after(1)?.as_deref().and_then(<[String]>::first) {
        Some(id) => Some(SessionId::parse(id).ok_or_else(|| AppError::new(Code::InvalidCursor))?),
        None => None,
    };
    let total: Option<i64> = if paging.counts() {
        Some(with_conn!(tx.conn(), c => visible!(tenant, user).count().get_result(c))?)
    } else {
        None
    };
    let rows: Vec<Session> = with_conn!(tx.conn(), c => {
        let mut query = visible!(tenant, user).into_boxed();
        if let Some(id) = after {
            query = query.filter(sessions::id.lt(id));
        }
        query.order(sessions::id.desc()).limit(paging.fetch()).select(Session::as_select()).load(c)
    })?;
    Ok(paging.page(rows, total, |session| vec![session.id.to_string()]))
}

/// Ends every live session of an account but `kept`, each with its audit row, and tells how many.
///
/// # Errors
/// When the database fails.
pub(in crate::access) fn end_all(
    tx: &mut EffectTx<'_, SessionsEnd>,
    user: UserId,
    reason: SessionEndReason,
    kept: Option<SessionId>,
) -> Result<usize> {
    let (tenant, now) = (tx.tenant(), tx.now());
    let ended = end_live(tx.conn(), tenant, now, user, reason, kept)?;
    let facts = Facts::of(user, reason);
    for id in &ended {
        tx.record(&facts.change(&id.to_string()))?;
    }
    Ok(ended.len())
}

/// The same as an administrator's own action.
///
/// # Errors
/// When the database fails.
pub(in crate::access) fn end_by_administrator(
    tx: &mut Tx<'_, UserSessionEnd>,
    user: UserId,
) -> Result<usize> {
    let (tenant, now, reason) = (tx.tenant(), tx.now(), SessionEndReason::EndedByAdministrator);
    let ended = end_live(tx.conn(), tenant, now, user, reason, None)?;
    let facts = Facts::of(user, reason);
    for id in &ended {
        tx.record(&facts.change(&id.to_string()))?;
    }
    Ok(ended.len())
}

fn end_live(
    conn: Conn<'_>,
    tenant: TenantId,
    now: Instant,
    user: UserId,
    reason: SessionEndReason,
    kept: Option<SessionId>,
) -> Result<Vec<SessionId>> {
    let live =
        visible!(tenant, user).filter(sessions::ended_at.is_null()).filter(sessions::expires_at.gt(now));
    let change = (sessions::ended_at.eq(now), sessions::end_reason.eq(reason));
    let ended: Vec<SessionId> = match kept {
        Some(kept) => with_conn!(conn, c => diesel::update(live.filter(sessions::id.ne(kept)))
            .set(change)
            .returning(sessions::id)
            .get_results(c))?,
        None => with_conn!(conn, c => diesel::update(live)
            .set(change)
            .returning(sessions::id)
            .get_results(c))?,
    };
    Ok(ended)
}

/// What the audit log keeps of a session that ends.
struct Facts {
    before: Value,
    after: Value,
}

impl Facts {
    fn of(user: UserId, reason: SessionEndReason) -> Self {
        Self {
            before: json!({ "user_id": user, "ended": false }),
            after: json!({ "user_id": user, "ended": true, "end_reason": reason }),
        }
    }

    fn change<'a>(&'a self, id: &'a str) -> Change<'a> {
        Change {
            entity: "session",
            entity_id: id,
            before: Some(&self.before),
            after: Some(&self.after),
            reason: None,
        }
    }
}
