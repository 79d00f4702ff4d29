//! Use cases of signing in and out.

use serde_json::json;
use zeroize::Zeroizing;

use super::refresh::{self, Verdict};
use super::store::{self, NewSession};
use super::throttle::{self, Counter};
use crate::access::accounts::rules::SessionEndReason;
use crate::access::accounts::session_store;
use crate::access::policy::{AccountLogout, AccountPassword, Action, Login, Refresh, SessionsEnd};
use crate::access::{Done, Gate, SessionId, Tokens, Tx, UserId, password};
use crate::audit::{Change, hex};
use crate::errors::{AppError, Code, Result};
use crate::web::NoContent;

/// A pair of tokens for a session.
#[derive(Debug)]
pub struct Issued {
    /// For `Authorization: Bearer`, 15 minutes.
    pub access: String,
    /// For one refresh.
    pub refresh: String,
    /// Whether the first password must be changed before anything else.
    pub must_change_password: bool,
}

/// Signs in.
///
/// # Errors
/// `login_failed`, the same in bytes and time whether the login exists, is disabled, or the password
/// is wrong; `too_many_attempts`.
pub async fn login(gate: &Gate<Login>, login: String, password: String) -> Result<Issued> {
    let doors = gate.doors().clone();
    let now = gate.facts().now;
    let login = login.to_lowercase();
    let account = Counter::account(&login);
    let counters = [account.clone(), Counter::address(&gate.facts().address)];
    let checked = counters.clone();
    let place = doors
        .db
        .read(None, move |mut conn| {
            throttle::check(crate::db::again(&mut conn), &checked, now)?;
            store::locate(conn, &login)
        })
        .await?;
    let credentials = match place {
        Some((tenant, user)) => {
            let found =
                doors.db.read(Some(tenant), move |conn| store::credentials(conn, tenant, user)).await?;
            found.map(|credentials| (tenant, credentials))
        }
        None => None,
    };
    let secret = Zeroizing::new(password);
    let hash = credentials.as_ref().map(|(_, credentials)| credentials.password_hash.clone());
    let turn = doors.passwords.turn().await?;
    // Asked again now that the turn has come: those before have been counted meanwhile.
    let checked = counters.clone();
    doors.db.read(None, move |conn| throttle::check(conn, &checked, now)).await?;
    let good = doors.passwords.verify(&turn, secret.clone(), hash).await?;
    let (tenant, credentials) = match credentials {
        Some((tenant, credentials)) if good && credentials.is_active() => (tenant, credentials),
        _ => {
            doors.db.write(None, move |conn| throttle::fail(conn, &counters, now)).await?;
            return Err(AppError::new(Code::LoginFailed));
        }
    };
    let stronger = if password::is_outdated(&credentials.password_hash) {
        Some(doors.passwords.hash(secret).await?)
    } else {
        None
    };
    let session = SessionId::generate();
    let mut nonce = [0_u8; 16];
    aws_lc_rs::rand::fill(&mut nonce).map_err(AppError::internal)?;
    let nonce = hex(&nonce);
    let refresh = refresh::token(&doors.keys, tenant, session, 1, &nonce);
    let row = NewSession {
        tenant_id: tenant,
        id: session,
        user_id: credentials.id,
        generation: 1,
        nonce,
        token_hash: refresh::hash(&refresh),
        rotated_at: now,
        user_agent: gate.facts().user_agent.clone(),
        created_at: now,
        idle_until: now.plus_seconds(refresh::IDLE_SECONDS),
        expires_at: now.plus_seconds(refresh::ABSOLUTE_SECONDS),
    };
    let user = credentials.id;
    let old = credentials.password_hash;
    gate.enter(tenant, move |tx| {
        // Disabled or given another password while this one was being verified: no session then.
        let still = store::lock_credentials(tx, user)?;
        if !still.is_some_and(|now| now.is_active() && now.password_hash == old) {
            return Err(AppError::new(Code::LoginFailed));
        }
        store::insert(tx, &row)?;
        if let Some(stronger) = stronger {
            store::replace_hash(tx, user, &old, &stronger, false)?;
        }
        throttle::clear(tx.conn(), &account)?;
        let facts = json!({ "user": user });
        record(tx, session, None, Some(&facts))
    })
    .await?;
    let access = Tokens::issue(&doors.keys, now, tenant, user, session)?;
    Ok(Issued { access, refresh, must_change_password: credentials.must_change_password })
}

fn record<A: Action>(
    tx: &mut Tx<'_, A>,
    session: SessionId,
    before: Option<&serde_json::Value>,
    after: Option<&serde_json::Value>,
) -> Result<()> {
    tx.record(&Change { entity: "session", entity_id: &session.to_string(), before, after, reason: None })
}

enum Refreshed {
    Pair { user: UserId, refresh: String, must_change_password: bool },
    Refused(Code),
}

/// Exchanges a refresh token for the next pair.
///
/// # Errors
/// `refresh_invalid`; `refresh_superseded` within 10 seconds of another refresh with it. An older
/// token that turns up again ends the session.
pub async fn refresh(gate: &Gate<Refresh>, token: &str) -> Result<Issued> {
    let invalid = || AppError::new(Code::RefreshInvalid);
    let presented = refresh::parse(token).ok_or_else(invalid)?;
    let doors = gate.doors().clone();
    let now = gate.facts().now;
    let key_hash = gate.facts().idempotency.as_ref().map(|claim| refresh::hash(&claim.key));
    let given = refresh::hash(token);
    let keys = doors.clone();
    let known = doors.db.read(None, move |conn| store::tenant_exists(conn, presented.tenant)).await?;
    if !known {
        return Err(invalid());
    }
    let (tenant, session) = (presented.tenant, presented.session);
    let outcome = gate
        .enter(tenant, move |tx| {
            let refuse = |tx: &mut Tx<'_, Refresh>, code| {
                tx.nothing_changed();
                Ok(Refreshed::Refused(code))
            };
            let Some(found) = store::lock(tx, session)? else { return refuse(tx, Code::RefreshInvalid) };
            if !refresh::is_ours(&keys.keys, &presented, &found.nonce) {
                return refuse(tx, Code::RefreshInvalid);
            }
            let credentials = store::credentials(tx.conn(), tenant, found.user)?;
            let Some(credentials) = credentials.filter(store::Credentials::is_active) else {
                return refuse(tx, Code::RefreshInvalid);
            };
            let make = |generation| refresh::token(&keys.keys, tenant, session, generation, &found.nonce);
            let pair = |refresh| Refreshed::Pair {
                user: found.user,
                refresh,
                must_change_password: credentials.must_change_password,
            };
            match refresh::judge(&found.family, presented.generation, key_hash.as_deref(), now) {
                Verdict::Rotate if given != found.token_hash => refuse(tx, Code::RefreshInvalid),
                Verdict::Rotate => {
                    let next = found.family.generation + 1;
                    let token = make(next);
                    let idle = now.plus_seconds(refresh::IDLE_SECONDS);
                    store::rotate(tx, session, next, &refresh::hash(&token), key_hash.as_deref(), idle)?;
                    let before = json!({ "generation": found.family.generation });
                    record(tx, session, Some(&before), Some(&json!({ "generation": next })))?;
                    Ok(pair(token))
                }
                Verdict::Repeat => {
                    tx.nothing_changed();
                    Ok(pair(make(found.family.generation)))
                }
                Verdict::Superseded => refuse(tx, Code::RefreshSuperseded),
                Verdict::Invalid => refuse(tx, Code::RefreshInvalid),
                Verdict::Reused => {
                    store::end(tx, session, "refresh_reused")?;
                    let facts = json!({ "ended": "refresh_reused", "generation": presented.generation });
                    record(tx, session, None, Some(&facts))?;
                    Ok(Refreshed::Refused(Code::RefreshInvalid))
                }
            }
        })
        .await?;
    match outcome {
        Refreshed::Refused(code) => Err(AppError::new(code)),
        Refreshed::Pair { user, refresh, must_change_password } => {
            let access = Tokens::issue(&doors.keys, now, tenant, user, session)?;
            Ok(Issued { access, refresh, must_change_password })
        }
    }
}

/// Ends the session of this token.
///
/// # Errors
/// When the database fails.
pub fn logout(tx: &mut Tx<'_, AccountLogout>) -> Result<()> {
    let session = tx.session()?;
    store::end(tx, session, "logout")?;
    record(tx, session, None, Some(&json!({ "ended": "logout" })))
}

/// Changes the own password; every other session of the account ends.
///
/// # Errors
/// `password_wrong`, `password_weak`, `too_many_attempts`.
pub async fn change_password(
    gate: &Gate<AccountPassword>,
    current: String,
    new: String,
) -> Result<Done<NoContent>> {
    // The password that the first try knew is no longer the current one.
    if let Some(done) = gate.replayed().await? {
        return Ok(done);
    }
    let doors = gate.doors().clone();
    let now = gate.facts().now;
    let (user, login, old) = gate
        .look(move |tx| {
            let (user, tenant) = (tx.user()?, tx.tenant());
            let counter = [Counter::own_password(user)];
            throttle::check(tx.conn(), &counter, now)?;
            let credentials = store::credentials(tx.conn(), tenant, user)?;
            let credentials = credentials.ok_or_else(|| AppError::new(Code::TokenInvalid))?;
            Ok((user, store::login_of(tx.conn(), tenant, user)?, credentials.password_hash))
        })
        .await?;
    let counter = Counter::own_password(user);
    let turn = doors.passwords.turn().await?;
    let checked = [counter.clone()];
    doors.db.read(None, move |conn| throttle::check(conn, &checked, now)).await?;
    if !doors.passwords.verify(&turn, Zeroizing::new(current), Some(old.clone())).await? {
        let counters = [counter];
        doors.db.write(None, move |conn| throttle::fail(conn, &counters, now)).await?;
        return Err(AppError::new(Code::PasswordWrong));
    }
    drop(turn);
    let new = Zeroizing::new(new);
    password::check_strength(&new, &login, "/new_password")?;
    let hash = doors.passwords.hash(new).await?;
    gate.run(move |tx| {
        if !store::replace_hash(tx, user, &old, &hash, true)? {
            return Err(AppError::new(Code::PasswordWrong));
        }
        throttle::clear(tx.conn(), &counter)?;
        let keep = tx.session()?;
        let ended = tx.effect::<SessionsEnd, _>(|tx| {
            session_store::end_all(tx, user, SessionEndReason::PasswordChanged, Some(keep))
        })?;
        let facts = json!({ "password": "changed", "sessions_ended": ended });
        tx.record(&Change {
            entity: "user",
            entity_id: &user.to_string(),
            before: None,
            after: Some(&facts),
            reason: None,
        })?;
        Ok(NoContent)
    })
    .await
}
