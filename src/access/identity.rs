//! Who a token's bearer is now: account, session and roles, read in the transaction they count for.

use std::sync::Arc;

use chrono::NaiveDate;
use diesel::prelude::*;
use moka::sync::Cache;

use super::reach::Held;
use super::roles::Role;
use super::token::Claims;
use super::tx::UserId;
use crate::db::schema::{provinces, role_bindings, sessions, users};
use crate::db::{Conn, Instant, TenantId, with_conn};
use crate::errors::{AppError, Code, Result};

/// A role binding as the gate needs it.
#[derive(Debug, Clone, Queryable)]
pub struct Binding {
    role: Role,
    unit_path: String,
    valid_from_on: Option<NaiveDate>,
    valid_until_on: Option<NaiveDate>,
}

impl Binding {
    /// Whether it counts on that day; both ends are inside.
    #[must_use]
    pub fn is_valid_on(&self, day: NaiveDate) -> bool {
        self.valid_from_on.is_none_or(|from| from <= day)
            && self.valid_until_on.is_none_or(|until| day <= until)
    }

    /// The role and where it is held.
    #[must_use]
    pub fn held(&self) -> Held {
        Held { role: self.role, unit_path: self.unit_path.clone() }
    }
}

/// What of the account decides about every request.
#[derive(Debug, Queryable)]
pub(super) struct Account {
    pub authz_version: i64,
    status: String,
    pub must_change_password: bool,
    province_status: String,
}

/// The roles that an account holds on a day, without a session: for work that goes on after its request. None of a
/// disabled account or in a suspended province.
pub(super) fn held_by(
    mut conn: Conn<'_>,
    tenant: TenantId,
    user: UserId,
    today: NaiveDate,
) -> Result<Arc<[Held]>> {
    let standing: Option<(String, String)> = with_conn!(&mut conn, c => users::table
        .inner_join(provinces::table.on(provinces::tenant_id.eq(users::tenant_id)))
        .filter(users::tenant_id.eq(tenant))
        .filter(users::id.eq(user))
        .select((users::status, provinces::status))
        .first(*c)
        .optional())?;
    if standing.is_none_or(|(account, province)| account != "active" || province != "active") {
        return Ok([].into());
    }
    let bindings = bindings(conn, tenant, user)?;
    Ok(bindings.iter().filter(|binding| binding.is_valid_on(today)).map(Binding::held).collect())
}

fn bindings(mut conn: Conn<'_>, tenant: TenantId, user: UserId) -> Result<Vec<Binding>> {
    Ok(with_conn!(&mut conn, c => role_bindings::table
        .filter(role_bindings::tenant_id.eq(tenant))
        .filter(role_bindings::user_id.eq(user))
        .filter(role_bindings::revoked_at.is_null())
        .order(role_bindings::id)
        .select((
            role_bindings::role,
            role_bindings::unit_path,
            role_bindings::valid_from_on,
            role_bindings::valid_until_on,
        ))
        .load(*c))?)
}

type Remembered = Cache<(TenantId, UserId, i64), Arc<[Binding]>>;

/// Reads the account, refuses an ended session, a disabled account or a suspended province, and
/// finds the bindings, from memory when nothing changed since.
pub(super) fn load(
    mut conn: Conn<'_>,
    remembered: &Remembered,
    claims: Claims,
    now: Instant,
    may_remember: bool,
) -> Result<(Account, Arc<[Binding]>)> {
    let account: Option<Account> = with_conn!(&mut conn, c => users::table
        .inner_join(sessions::table.on(sessions::tenant_id.eq(users::tenant_id).and(sessions::user_id.eq(users::id))))
        .inner_join(provinces::table.on(provinces::tenant_id.eq(users::tenant_id)))
        .filter(users::tenant_id.eq(claims.tenant))
        .filter(users::id.eq(claims.user))
        .filter(sessions::id.eq(claims.session))
        .filter(sessions::ended_at.is_null())
        .filter(sessions::expires_at.gt(now))
        .select((users::authz_version, users::status, users::must_change_password, provinces::status))
        .first(*c)
        .optional())?;
    let account = account
        .filter(|account| account.status == "active" && account.province_status == "active")
        .ok_or_else(|| AppError::new(Code::TokenInvalid))?;
    let key = (claims.tenant, claims.user, account.authz_version);
    if let Some(bindings) = remembered.get(&key) {
        return Ok((account, bindings));
    }
    let bindings: Arc<[Binding]> = bindings(conn, claims.tenant, claims.user)?.into();
    // A writing transaction may be lost with its group after this: what it saw is not to be kept.
    if may_remember {
        remembered.insert(key, bindings.clone());
    }
    Ok((account, bindings))
}
