//! Retries that have one effect: the answer to a POST is kept with its `Idempotency-Key` in the
//! transaction that did the work, for 24 hours, per account and operation, 2xx only.

use diesel::prelude::*;
use diesel::upsert::excluded;

use super::keys::KeyRing;
use super::tx::UserId;
use crate::audit::hex;
use crate::db::schema::idempotency_keys;
use crate::db::{Conn, Instant, TenantId, turn_key, with_conn};
use crate::errors::{AppError, Code, Result};
use crate::web::Answer;

/// How long an answer is kept, seconds.
const KEPT_SECONDS: i64 = 24 * 3600;

/// Expired answers that a write clears at most.
const CLEARED: i64 = 20;

/// What the caller claims: this key for this request.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The key.
    pub key: String,
    /// The operation's id.
    pub operation: &'static str,
    /// What identifies the request: digest of its path and body.
    pub request_hash: String,
}

impl Claim {
    /// Binds the key to the path asked for (with its query, if any) and the body sent. The digest is keyed: a body may hold a
    /// password, which a bare hash would let a thief of the table guess at.
    #[must_use]
    pub fn new(keys: &KeyRing, key: String, operation: &'static str, path: &str, body: &[u8]) -> Self {
        Self { key, operation, request_hash: hex(&keys.seal("idempotency", &[path.as_bytes(), body])) }
    }
}

/// Whose key it is, and when it is used.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner {
    pub tenant: TenantId,
    pub user: UserId,
    pub now: Instant,
    pub authz_version: i64,
}

#[derive(Queryable)]
struct Kept {
    request_hash: String,
    status: i64,
    etag: Option<String>,
    location: Option<String>,
    body: String,
    authz_version: i64,
}

#[derive(Insertable)]
#[diesel(table_name = idempotency_keys)]
struct NewKept<'a> {
    tenant_id: TenantId,
    user_id: UserId,
    operation: &'a str,
    key: &'a str,
    request_hash: &'a str,
    status: i64,
    etag: Option<&'a str>,
    location: Option<&'a str>,
    body: &'a str,
    authz_version: i64,
    created_at: Instant,
}

diesel::define_sql_function! {
    /// Takes a lock that ends with the transaction, if nobody holds it.
    fn pg_try_advisory_xact_lock(key: diesel::sql_types::BigInt) -> diesel::sql_types::Bool;
}

/// The first answer, if the same request was done before.
///
/// # Errors
/// `idempotency_in_progress` while the first is still running, `idempotency_key_reused` for another
/// request, `not_found` when the account's rights have changed since.
pub(super) fn replay(mut conn: Conn<'_>, owner: Owner, claim: &Claim) -> Result<Option<Answer>> {
    // SQLite has one writer: whoever is here has waited for the first to end.
    if let Conn::Postgres(conn) = &mut conn {
        let name = format!("{}/{}/{}/{}", owner.tenant, owner.user, claim.operation, claim.key);
        let free: bool = diesel::select(pg_try_advisory_xact_lock(turn_key(&name))).get_result(*conn)?;
        if !free {
            return Err(AppError::new(Code::IdempotencyInProgress).retry_after(1));
        }
    }
    kept(&mut conn, owner, claim)
}

/// The answer kept under this key, unless it has expired.
///
/// # Errors
/// `idempotency_key_reused`, `not_found`, as [`replay`].
pub(super) fn kept(conn: &mut Conn<'_>, owner: Owner, claim: &Claim) -> Result<Option<Answer>> {
    let kept: Option<Kept> = with_conn!(conn, c => idempotency_keys::table
        .find((owner.tenant, owner.user, claim.operation, &claim.key))
        .filter(idempotency_keys::created_at.gt(owner.now.plus_seconds(-KEPT_SECONDS)))
        .select((
            idempotency_keys::request_hash,
            idempotency_keys::status,
            idempotency_keys::etag,
            idempotency_keys::location,
            idempotency_keys::body,
            idempotency_keys::authz_version,
        ))
        .first(*c)
        .optional())?;
    let Some(kept) = kept else { return Ok(None) };
    if kept.request_hash != claim.request_hash {
        return Err(AppError::new(Code::IdempotencyKeyReused));
    }
    // The answer may show what the account no longer reaches: with other rights than then, the
    // caller asks for the object itself.
    if kept.authz_version != owner.authz_version {
        return Err(AppError::new(Code::NotFound));
    }
    let status = u16::try_from(kept.status).unwrap_or(200);
    Ok(Some(Answer { etag: kept.etag, location: kept.location, ..Answer::of(status, kept.body) }))
}

/// Forgets the answers that name something, whoever they were given to.
pub(super) fn forget(conn: Conn<'_>, tenant: TenantId, name: &str) -> Result<()> {
    with_conn!(conn, c => diesel::delete(idempotency_keys::table
        .filter(idempotency_keys::tenant_id.eq(tenant))
        .filter(idempotency_keys::body.like(format!("%{name}%"))))
        .execute(c))?;
    Ok(())
}

/// Forgets the answers given to somebody that told of making what is at this place.
pub(super) fn forget_made(conn: Conn<'_>, (tenant, user): (TenantId, UserId), location: &str) -> Result<()> {
    with_conn!(conn, c => diesel::delete(idempotency_keys::table
        .filter(idempotency_keys::tenant_id.eq(tenant))
        .filter(idempotency_keys::user_id.eq(user))
        .filter(idempotency_keys::location.eq(location)))
        .execute(c))?;
    Ok(())
}

/// Keeps the answer.
pub(super) fn remember(conn: Conn<'_>, owner: Owner, claim: &Claim, answer: &Answer) -> Result<()> {
    let row = NewKept {
        tenant_id: owner.tenant,
        user_id: owner.user,
        operation: claim.operation,
        key: &claim.key,
        request_hash: &claim.request_hash,
        status: i64::from(answer.status),
        etag: answer.etag.as_deref(),
        location: answer.location.as_deref(),
        body: &answer.body,
        authz_version: owner.authz_version,
        created_at: owner.now,
    };
    let mut conn = conn;
    // What is there under the key has expired: else it would have been given. It is taken first, so that of two who
    // clear neither waits for what the other holds.
    with_conn!(&mut conn, c => diesel::insert_into(idempotency_keys::table)
        .values(&row)
        .on_conflict((
            idempotency_keys::tenant_id,
            idempotency_keys::user_id,
            idempotency_keys::operation,
            idempotency_keys::key,
        ))
        .do_update()
        .set((
            idempotency_keys::request_hash.eq(excluded(idempotency_keys::request_hash)),
            idempotency_keys::status.eq(excluded(idempotency_keys::status)),
            idempotency_keys::etag.eq(excluded(idempotency_keys::etag)),
            idempotency_keys::location.eq(excluded(idempotency_keys::location)),
            idempotency_keys::body.eq(excluded(idempotency_keys::body)),
            idempotency_keys::authz_version.eq(excluded(idempotency_keys::authz_version)),
            idempotency_keys::created_at.eq(excluded(idempotency_keys::created_at)),
        ))
        .execute(*c))?;
    clear(&mut conn, owner)
}

/// Each write clears some of the tenant's expired answers, so that none needs a sweep. They are looked for in the order
/// of their age, a few at a time: asked for all of them, PostgreSQL takes a table that it has no statistics of yet for
/// one of which a third has expired, and reads the whole of it for each write.
fn clear(conn: &mut Conn<'_>, owner: Owner) -> Result<()> {
    let expired = owner.now.plus_seconds(-KEPT_SECONDS);
    macro_rules! oldest {
        () => {
            idempotency_keys::table
                .filter(idempotency_keys::tenant_id.eq(owner.tenant))
                .filter(idempotency_keys::created_at.le(expired))
                .order(idempotency_keys::created_at)
                .limit(CLEARED)
                .select((idempotency_keys::user_id, idempotency_keys::operation, idempotency_keys::key))
        };
    }
    let gone: Vec<(UserId, String, String)> = match conn {
        Conn::Sqlite(c) => oldest!().load(*c)?,
        Conn::Postgres(c) => oldest!().for_update().skip_locked().load(*c)?,
    };
    for (user, operation, key) in gone {
        let one = idempotency_keys::table.find((owner.tenant, user, operation, key));
        with_conn!(conn, c => diesel::delete(one).execute(*c))?;
    }
    Ok(())
}
