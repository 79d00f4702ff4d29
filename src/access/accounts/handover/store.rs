//! Rows of accounts and role bindings that stand at a unit.

use chrono::NaiveDate;
use diesel::prelude::*;

use crate::access::accounts::bindings::rules::BindingId;
use crate::access::accounts::rules::UserStatus;
use crate::access::policy::{AccountOfOfficer, AccountsFollow};
use crate::access::{EffectTx, PathRange, Role, UserId, ancestors, follow_path};
use crate::db::schema::{role_bindings, user_officers, users};
use crate::db::{Id, with_conn};
use crate::errors::Result;
use crate::org::officers::rules::OfficerId;
use crate::org::rules::{Unit, UnitId};

/// A binding that counts or will count.
#[derive(Debug, Clone, Queryable)]
pub(super) struct Standing {
    pub id: BindingId,
    pub user_id: UserId,
    pub role: Role,
    pub valid_from_on: Option<NaiveDate>,
    pub valid_until_on: Option<NaiveDate>,
    pub granted_by: Option<UserId>,
}

impl Standing {
    /// Whether it gives the same account the same role for all the days of the other.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let begins = match (self.valid_from_on, other.valid_from_on) {
            (None, _) => true,
            (Some(mine), theirs) => theirs.is_some_and(|theirs| mine <= theirs),
        };
        let lasts = match (self.valid_until_on, other.valid_until_on) {
            (None, _) => true,
            (Some(mine), theirs) => theirs.is_some_and(|theirs| theirs <= mine),
        };
        (self.user_id, self.role) == (other.user_id, other.role) && begins && lasts
    }
}

/// Moves every path below `from`; whoever holds a role there has other rights from now on.
pub(super) fn follow(tx: &mut EffectTx<'_, AccountsFollow>, from: &str, to: &str) -> Result<()> {
    let tenant = tx.tenant();
    follow_path!(tx.conn(), users, unit_path, tenant, from, to);
    follow_path!(tx.conn(), role_bindings, unit_path, tenant, from, to);
    let range = PathRange::subtree(to);
    with_conn!(tx.conn(), c => diesel::update(users::table
        .filter(users::tenant_id.eq(tenant))
        .filter(users::id.eq_any(role_bindings::table
            .filter(role_bindings::tenant_id.eq(tenant))
            .filter(role_bindings::unit_path.ge(range.low))
            .filter(role_bindings::unit_path.lt(range.high))
            .select(role_bindings::user_id))))
        .set(users::authz_version.eq(users::authz_version + 1_i64))
        .execute(c))?;
    Ok(())
}

/// The bindings at a unit that count today or will count.
pub(super) fn bindings_at(tx: &mut EffectTx<'_, AccountsFollow>, unit: UnitId) -> Result<Vec<Standing>> {
    let (tenant, today) = (tx.tenant(), tx.now().shanghai_day());
    Ok(with_conn!(tx.conn(), c => role_bindings::table
        .filter(role_bindings::tenant_id.eq(tenant))
        .filter(role_bindings::unit_id.eq(unit))
        .filter(role_bindings::revoked_at.is_null())
        .filter(role_bindings::valid_until_on.is_null().or(role_bindings::valid_until_on.ge(today)))
        .order(role_bindings::id)
        .select((
            role_bindings::id,
            role_bindings::user_id,
            role_bindings::role,
            role_bindings::valid_from_on,
            role_bindings::valid_until_on,
            role_bindings::granted_by,
        ))
        .load(c))?)
}

/// The accounts of a unit.
pub(super) fn users_at(tx: &mut EffectTx<'_, AccountsFollow>, unit: UnitId) -> Result<Vec<(UserId, String)>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => users::table
        .filter(users::tenant_id.eq(tenant))
        .filter(users::unit_id.eq(unit))
        .order(users::id)
        .select((users::id, users::login))
        .load(c))?)
}

/// Ends a binding.
pub(super) fn revoke(tx: &mut EffectTx<'_, AccountsFollow>, id: BindingId) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    with_conn!(tx.conn(), c => diesel::update(role_bindings::table.find((tenant, id)))
        .set(role_bindings::revoked_at.eq(now))
        .execute(c))?;
    Ok(())
}

/// Grants the same at another unit.
pub(super) fn grant_at(
    tx: &mut EffectTx<'_, AccountsFollow>,
    binding: &Standing,
    to: &Unit,
) -> Result<BindingId> {
    let (tenant, now, id) = (tx.tenant(), tx.now(), Id::generate());
    with_conn!(tx.conn(), c => diesel::insert_into(role_bindings::table)
        .values((
            role_bindings::tenant_id.eq(tenant),
            role_bindings::id.eq(id),
            role_bindings::user_id.eq(binding.user_id),
            role_bindings::role.eq(binding.role),
            role_bindings::unit_id.eq(to.id),
            role_bindings::unit_path.eq(&to.path),
            role_bindings::valid_from_on.eq(binding.valid_from_on),
            role_bindings::valid_until_on.eq(binding.valid_until_on),
            role_bindings::granted_by.eq(binding.granted_by),
            role_bindings::created_at.eq(now),
        ))
        .execute(c))?;
    Ok(id)
}

/// Makes the account's rights be read anew with its next request.
pub(super) fn forget_rights(tx: &mut EffectTx<'_, AccountsFollow>, user: UserId) -> Result<()> {
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::update(users::table.find((tenant, user)))
        .set(users::authz_version.eq(users::authz_version + 1_i64))
        .execute(c))?;
    Ok(())
}

/// Makes the rights of whoever holds a role above `path` be read anew: what stood there may be out of
/// their reach now, and with it an answer kept for a retry.
pub(super) fn forget_rights_above(tx: &mut EffectTx<'_, AccountsFollow>, path: &str) -> Result<()> {
    let (tenant, above) = (tx.tenant(), ancestors(path));
    with_conn!(tx.conn(), c => diesel::update(users::table
        .filter(users::tenant_id.eq(tenant))
        .filter(users::id.eq_any(role_bindings::table
            .filter(role_bindings::tenant_id.eq(tenant))
            .filter(role_bindings::unit_path.eq_any(above))
            .select(role_bindings::user_id))))
        .set(users::authz_version.eq(users::authz_version + 1_i64))
        .execute(c))?;
    Ok(())
}

/// Puts an account at another unit.
pub(super) fn put_at(tx: &mut EffectTx<'_, AccountsFollow>, user: UserId, to: &Unit) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    with_conn!(tx.conn(), c => diesel::update(users::table.find((tenant, user)))
        .set((
            users::unit_id.eq(to.id),
            users::unit_path.eq(&to.path),
            users::version.eq(users::version + 1_i64),
            users::updated_at.eq(now),
        ))
        .execute(c))?;
    Ok(())
}

/// The account of an officer.
pub(super) fn user_of(tx: &mut EffectTx<'_, AccountOfOfficer>, officer: OfficerId) -> Result<Option<UserId>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => user_officers::table
        .filter(user_officers::tenant_id.eq(tenant))
        .filter(user_officers::officer_id.eq(officer))
        .select(user_officers::user_id)
        .first(c)
        .optional())?)
}

/// Disables an account; `false` when it is disabled already.
pub(super) fn disable(tx: &mut EffectTx<'_, AccountOfOfficer>, user: UserId) -> Result<bool> {
    let (tenant, now) = (tx.tenant(), tx.now());
    let changed = with_conn!(tx.conn(), c => diesel::update(users::table.find((tenant, user)))
        .filter(users::status.eq(UserStatus::Active))
        .set((
            users::status.eq(UserStatus::Disabled),
            users::authz_version.eq(users::authz_version + 1_i64),
            users::version.eq(users::version + 1_i64),
            users::updated_at.eq(now),
        ))
        .execute(c))?;
    Ok(changed > 0)
}

/// The name of an account whose owner's personal data are erased.
const NO_NAME: &str = "(已清除)";

/// Takes the name from an account; the login stays, for the audit log names it.
pub(super) fn take_name(tx: &mut EffectTx<'_, AccountOfOfficer>, user: UserId) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    with_conn!(tx.conn(), c => diesel::update(users::table.find((tenant, user)))
        .set((
            users::display_name.eq(NO_NAME),
            users::search_text.eq(""),
            users::version.eq(users::version + 1_i64),
            users::updated_at.eq(now),
        ))
        .execute(c))?;
    Ok(())
}
