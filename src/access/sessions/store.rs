//! Rows of sessions, and of accounts as far as signing in needs them.

use diesel::prelude::*;

use super::refresh::Family;
use crate::access::policy::Action;
use crate::access::{SessionId, Tx, UserId};
use crate::db::schema::{login_directory, provinces, sessions, users};
use crate::db::{Conn, Instant, TenantId, lock_row, with_conn};
use crate::errors::Result;

/// What signing in needs to know of an account.
#[derive(Debug, Clone, Queryable)]
pub(super) struct Credentials {
    pub id: UserId,
    pub password_hash: String,
    pub must_change_password: bool,
    status: String,
    province_status: String,
}

impl Credentials {
    pub(super) fn is_active(&self) -> bool {
        self.status == "active" && self.province_status == "active"
    }
}

/// Where a login is; the one look-up across tenants.
pub(super) fn locate(conn: Conn<'_>, login: &str) -> Result<Option<(TenantId, UserId)>> {
    Ok(with_conn!(conn, c => login_directory::table
        .find(login)
        .select((login_directory::tenant_id, login_directory::user_id))
        .first(c)
        .optional())?)
}

pub(super) fn credentials(conn: Conn<'_>, tenant: TenantId, user: UserId) -> Result<Option<Credentials>> {
    Ok(with_conn!(conn, c => users::table
        .inner_join(provinces::table.on(provinces::tenant_id.eq(users::tenant_id)))
        .filter(users::tenant_id.eq(tenant))
        .filter(users::id.eq(user))
        .select((users::id, users::password_hash, users::must_change_password, users::status, provinces::status))
        .first(c)
        .optional())?)
}

#[derive(Insertable)]
#[diesel(table_name = sessions)]
pub(super) struct NewSession {
    pub tenant_id: TenantId,
    pub id: SessionId,
    pub user_id: UserId,
    pub generation: i64,
    pub nonce: String,
    pub token_hash: String,
    pub rotated_at: Instant,
    pub user_agent: String,
    pub created_at: Instant,
    pub idle_until: Instant,
    pub expires_at: Instant,
}

pub(super) fn insert<A: Action>(tx: &mut Tx<'_, A>, session: &NewSession) -> Result<()> {
    with_conn!(tx.conn(), c => diesel::insert_into(sessions::table).values(session).execute(c))?;
    Ok(())
}

#[derive(Debug, Queryable)]
struct FamilyRow {
    user_id: UserId,
    generation: i64,
    nonce: String,
    token_hash: String,
    rotated_at: Instant,
    rotation_key_hash: Option<String>,
    idle_until: Instant,
    expires_at: Instant,
    ended_at: Option<Instant>,
}

/// A session as a refresh finds it.
pub(super) struct Found {
    pub user: UserId,
    pub nonce: String,
    pub token_hash: String,
    pub family: Family,
}

/// The session, its row locked until the transaction ends.
pub(super) fn lock<A: Action>(tx: &mut Tx<'_, A>, id: SessionId) -> Result<Option<Found>> {
    let tenant = tx.tenant();
    lock_row!(tx.conn(), sessions::table.find((tenant, id)).select(sessions::id));
    let row: Option<FamilyRow> = with_conn!(tx.conn(), c => sessions::table
        .find((tenant, id))
        .select((
            sessions::user_id,
            sessions::generation,
            sessions::nonce,
            sessions::token_hash,
            sessions::rotated_at,
            sessions::rotation_key_hash,
            sessions::idle_until,
            sessions::expires_at,
            sessions::ended_at,
        ))
        .first(c)
        .optional())?;
    Ok(row.map(|row| Found {
        user: row.user_id,
        nonce: row.nonce,
        token_hash: row.token_hash,
        family: Family {
            generation: row.generation,
            rotated_at: row.rotated_at,
            rotation_key_hash: row.rotation_key_hash,
            idle_until: row.idle_until,
            expires_at: row.expires_at,
            ended: row.ended_at.is_some(),
        },
    }))
}

/// The next generation of a session.
pub(super) fn rotate<A: Action>(
    tx: &mut Tx<'_, A>,
    id: SessionId,
    generation: i64,
    token_hash: &str,
    key_hash: Option<&str>,
    idle_until: Instant,
) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    with_conn!(tx.conn(), c => diesel::update(sessions::table.find((tenant, id)))
        .set((
            sessions::generation.eq(generation),
            sessions::token_hash.eq(token_hash),
            sessions::rotation_key_hash.eq(key_hash),
            sessions::rotated_at.eq(now),
            sessions::idle_until.eq(idle_until),
        ))
        .execute(c))?;
    Ok(())
}

/// Ends one session; whether it was alive.
pub(super) fn end<A: Action>(tx: &mut Tx<'_, A>, id: SessionId, reason: &str) -> Result<bool> {
    let (tenant, now) = (tx.tenant(), tx.now());
    let ended = with_conn!(tx.conn(), c => diesel::update(sessions::table.find((tenant, id)))
        .filter(sessions::ended_at.is_null())
        .set((sessions::ended_at.eq(now), sessions::end_reason.eq(reason)))
        .execute(c))?;
    Ok(ended > 0)
}

/// The credentials as they are now, the account's row locked until the transaction ends.
pub(super) fn lock_credentials<A: Action>(tx: &mut Tx<'_, A>, user: UserId) -> Result<Option<Credentials>> {
    let tenant = tx.tenant();
    lock_row!(tx.conn(), users::table.find((tenant, user)).select(users::id));
    credentials(tx.conn(), tenant, user)
}

/// Replaces the password hash if it is still `old`; whether it was.
pub(super) fn replace_hash<A: Action>(
    tx: &mut Tx<'_, A>,
    user: UserId,
    old: &str,
    new: &str,
    chosen: bool,
) -> Result<bool> {
    let (tenant, now) = (tx.tenant(), tx.now());
    let target = users::table.find((tenant, user)).filter(users::password_hash.eq(old));
    let changed = if chosen {
        with_conn!(tx.conn(), c => diesel::update(target)
            .set((
                users::password_hash.eq(new),
                users::must_change_password.eq(false),
                users::version.eq(users::version + 1_i64),
                users::updated_at.eq(now),
            ))
            .execute(c))?
    } else {
        with_conn!(tx.conn(), c => diesel::update(target).set(users::password_hash.eq(new)).execute(c))?
    };
    Ok(changed > 0)
}

/// What an account may know of itself.
#[derive(Debug, Queryable)]
pub(super) struct OwnAccount {
    pub login: String,
    pub display_name: String,
    pub must_change_password: bool,
    pub version: i64,
}

pub(super) fn own_account(conn: Conn<'_>, tenant: TenantId, user: UserId) -> Result<OwnAccount> {
    Ok(with_conn!(conn, c => users::table
        .find((tenant, user))
        .select((users::login, users::display_name, users::must_change_password, users::version))
        .first(c))?)
}

/// The login of an account.
pub(super) fn login_of(conn: Conn<'_>, tenant: TenantId, user: UserId) -> Result<String> {
    Ok(with_conn!(conn, c => users::table.find((tenant, user)).select(users::login).first(c))?)
}

/// Whether there is such a tenant.
pub(super) fn tenant_exists(conn: Conn<'_>, tenant: TenantId) -> Result<bool> {
    let found: i64 = with_conn!(conn, c => provinces::table
        .filter(provinces::tenant_id.eq(tenant))
        .count()
        .get_result(c))?;
    Ok(found > 0)
}
