//! What other capabilities may ask about people: who holds a role where, and what they are called.

use diesel::prelude::*;

use super::policy::{Action, UserRead};
use super::roles::Role;
use super::tx::{Tx, UserId};
use crate::db::schema::{role_bindings, users};
use crate::db::{lock_row, with_conn};
use crate::errors::Result;

/// The roles that active accounts hold today.
macro_rules! held_today {
    ($tenant:expr, $today:expr) => {
        role_bindings::table
            .inner_join(
                users::table.on(users::tenant_id
                    .eq(role_bindings::tenant_id)
                    .and(users::id.eq(role_bindings::user_id))),
            )
            .filter(role_bindings::tenant_id.eq($tenant))
            .filter(role_bindings::revoked_at.is_null())
            .filter(role_bindings::valid_from_on.is_null().or(role_bindings::valid_from_on.le($today)))
            .filter(role_bindings::valid_until_on.is_null().or(role_bindings::valid_until_on.ge($today)))
            .filter(users::status.eq("active"))
    };
}

/// Those of `paths` at which somebody with an active account holds `role` today.
///
/// # Errors
/// When the database fails.
pub fn held_at<A: Action>(tx: &mut Tx<'_, A>, role: Role, paths: &[String]) -> Result<Vec<String>> {
    let (tenant, today) = (tx.tenant(), tx.now().shanghai_day());
    let mut found = Vec::new();
    for some in paths.chunks(500) {
        let rows: Vec<String> = with_conn!(tx.conn(), c => held_today!(tenant, today)
            .filter(role_bindings::role.eq(role))
            .filter(role_bindings::unit_path.eq_any(some.to_vec()))
            .select(role_bindings::unit_path)
            .distinct()
            .load(c))?;
        found.extend(rows);
    }
    Ok(found)
}

/// Who holds `role` at exactly this unit today, with an active account.
///
/// # Errors
/// When the database fails.
pub fn holding_at<A: Action>(tx: &mut Tx<'_, A>, role: Role, path: &str) -> Result<Vec<UserId>> {
    let (tenant, today) = (tx.tenant(), tx.now().shanghai_day());
    Ok(with_conn!(tx.conn(), c => held_today!(tenant, today)
        .filter(role_bindings::role.eq(role))
        .filter(role_bindings::unit_path.eq(path))
        .order(role_bindings::user_id)
        .select(role_bindings::user_id)
        .distinct()
        .load(c))?)
}

/// Those of the accounts that hold one of the roles today, wherever, and are active.
///
/// # Errors
/// When the database fails.
pub fn holding_any<A: Action>(tx: &mut Tx<'_, A>, roles: &[Role], ids: &[UserId]) -> Result<Vec<UserId>> {
    let (tenant, today) = (tx.tenant(), tx.now().shanghai_day());
    Ok(with_conn!(tx.conn(), c => held_today!(tenant, today)
        .filter(role_bindings::user_id.eq_any(ids.to_vec()))
        .filter(role_bindings::role.eq_any(roles.to_vec()))
        .select(role_bindings::user_id)
        .distinct()
        .load(c))?)
}

/// Those of the accounts that are active and within reach of what is being done: whom it may name.
///
/// # Errors
/// When the database fails.
pub fn working_within<A: Action>(tx: &mut Tx<'_, A>, ids: &[UserId]) -> Result<Vec<UserId>> {
    let tenant = tx.tenant();
    let rows: Vec<(UserId, String)> = with_conn!(tx.conn(), c => users::table
        .filter(users::tenant_id.eq(tenant))
        .filter(users::id.eq_any(ids.to_vec()))
        .filter(users::status.eq("active"))
        .select((users::id, users::unit_path))
        .load(c))?;
    Ok(rows.into_iter().filter(|(_, path)| tx.reach().contains(path)).map(|(id, _)| id).collect())
}

/// Holds an account's row until the transaction ends: what a person may have one of is entered by one at a time.
///
/// # Errors
/// When the database fails.
pub fn lock<A: Action>(tx: &mut Tx<'_, A>, id: UserId) -> Result<()> {
    let tenant = tx.tenant();
    lock_row!(tx.conn(), users::table.find((tenant, id)).select(users::id));
    Ok(())
}

/// The paths of the units to which the accounts belong.
///
/// # Errors
/// When the database fails.
pub fn paths_of<A: Action>(tx: &mut Tx<'_, A>, ids: &[UserId]) -> Result<Vec<(UserId, String)>> {
    Ok(named(tx, ids)?.into_iter().map(|one| (one.id, one.unit_path)).collect())
}

/// A person as others may see them.
#[derive(Debug, Clone, Queryable)]
pub struct Named {
    /// The account.
    pub id: UserId,
    /// The name shown.
    pub display_name: String,
    unit_path: String,
}

/// The accounts something visible refers to.
///
/// # Errors
/// When the database fails.
pub fn named<A: Action>(tx: &mut Tx<'_, A>, ids: &[UserId]) -> Result<Vec<Named>> {
    let tenant = tx.tenant();
    let mut found = Vec::new();
    for some in ids.chunks(500) {
        let rows: Vec<Named> = with_conn!(tx.conn(), c => users::table
            .filter(users::tenant_id.eq(tenant))
            .filter(users::id.eq_any(some.to_vec()))
            .select((users::id, users::display_name, users::unit_path))
            .load(c))?;
        found.extend(rows);
    }
    Ok(found)
}

/// Those of the accounts that the caller may read and so may refer to.
///
/// # Errors
/// When the database fails.
pub fn readable<A: Action>(tx: &mut Tx<'_, A>, ids: &[UserId]) -> Result<Vec<Named>> {
    let Some(reach) = tx.reach_of::<UserRead>() else { return Ok(Vec::new()) };
    let all = named(tx, ids)?;
    Ok(all.into_iter().filter(|named| reach.contains(&named.unit_path)).collect())
}

/// The account with this login, if the caller may read it.
///
/// # Errors
/// When the database fails.
pub fn by_login(tx: &mut Tx<'_, UserRead>, login: &str) -> Result<Option<UserId>> {
    let tenant = tx.tenant();
    let row: Option<(UserId, String)> = with_conn!(tx.conn(), c => users::table
        .filter(users::tenant_id.eq(tenant))
        .filter(users::login.eq(login))
        .select((users::id, users::unit_path))
        .first(c)
        .optional())?;
    Ok(row.filter(|(_, path)| tx.reach().contains(path)).map(|(id, _)| id))
}
