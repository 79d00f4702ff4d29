//! Rows of role bindings.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::rules::{Binding, BindingId, Terms};
use crate::access::policy::Action;
use crate::access::{Reach, Role, Tx, UserId, within_reach};
use crate::db::schema::role_bindings;
use crate::db::{Instant, TenantId, with_conn};
use crate::errors::{AppError, Code, Result};
use crate::org::rules::UnitId;
use crate::web::{Page, Paging};

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = role_bindings)]
struct BindingRow {
    id: BindingId,
    user_id: UserId,
    role: Role,
    unit_id: Option<UnitId>,
    unit_path: String,
    valid_from_on: Option<NaiveDate>,
    valid_until_on: Option<NaiveDate>,
    created_at: Instant,
    revoked_at: Option<Instant>,
}

impl From<BindingRow> for Binding {
    fn from(row: BindingRow) -> Self {
        let BindingRow { id, user_id, role, unit_id, valid_from_on, valid_until_on, .. } = row;
        let terms = Terms { role, unit_id, valid_from_on, valid_until_on };
        let BindingRow { unit_path, created_at, revoked_at, .. } = row;
        Self { id, user_id, terms, unit_path, created_at, revoked_at }
    }
}

#[derive(Insertable)]
#[diesel(table_name = role_bindings)]
struct NewBinding<'a> {
    tenant_id: TenantId,
    id: BindingId,
    user_id: UserId,
    role: Role,
    unit_id: Option<UnitId>,
    unit_path: &'a str,
    valid_from_on: Option<NaiveDate>,
    valid_until_on: Option<NaiveDate>,
    granted_by: Option<UserId>,
    created_at: Instant,
}

/// The one place where the table is named for reading: tenant and reach.
macro_rules! visible {
    ($tenant:expr, $reach:expr) => {
        within_reach!(role_bindings::table, $reach, role_bindings::unit_path)
            .filter(role_bindings::tenant_id.eq($tenant))
    };
}

/// The bindings of an account within reach, the first granted first.
pub(super) fn list<A: Action>(tx: &mut Tx<'_, A>, user: UserId, paging: &Paging) -> Result<Page<Binding>> {
    let (tenant, reach) = (tx.tenant(), tx.reach().clone());
    let after = match paging.after(1)?.as_deref().and_then(<[String]>::first) {
        Some(id) => Some(BindingId::parse(id).ok_or_else(|| AppError::new(Code::InvalidCursor))?),
        None => None,
    };
    let total: Option<i64> = if paging.counts() {
        Some(with_conn!(tx.conn(), c => visible!(tenant, reach)
            .filter(role_bindings::user_id.eq(user))
            .count()
            .get_result(c))?)
    } else {
        None
    };
    let rows: Vec<BindingRow> = with_conn!(tx.conn(), c => {
        let mut query = visible!(tenant, reach).filter(role_bindings::user_id.eq(user));
        if let Some(id) = after {
            query = query.filter(role_bindings::id.gt(id));
        }
        query.order(role_bindings::id.asc()).limit(paging.fetch()).select(BindingRow::as_select()).load(c)
    })?;
    Ok(paging
        .page(rows.into_iter().map(Binding::from).collect(), total, |binding| vec![binding.id.to_string()]))
}

/// The binding, if it lies within `reach`.
pub(super) fn find<A: Action>(tx: &mut Tx<'_, A>, reach: &Reach, id: BindingId) -> Result<Option<Binding>> {
    let tenant = tx.tenant();
    let row: Option<BindingRow> = with_conn!(tx.conn(), c => visible!(tenant, reach)
        .filter(role_bindings::id.eq(id))
        .select(BindingRow::as_select())
        .first(c)
        .optional())?;
    Ok(row.map(Binding::from))
}

/// The bindings of an account, not revoked, of the same role at the same unit, whenever they count.
pub(super) fn same<A: Action>(tx: &mut Tx<'_, A>, user: UserId, terms: &Terms) -> Result<Vec<Binding>> {
    let (tenant, reach) = (tx.tenant(), Reach::whole_tenant());
    let rows: Vec<BindingRow> = with_conn!(tx.conn(), c => {
        let query = visible!(tenant, reach)
            .filter(role_bindings::user_id.eq(user))
            .filter(role_bindings::role.eq(terms.role))
            .filter(role_bindings::revoked_at.is_null())
            .select(BindingRow::as_select());
        match terms.unit_id {
            Some(unit) => query.filter(role_bindings::unit_id.eq(unit)).load(c),
            None => query.filter(role_bindings::unit_id.is_null()).load(c),
        }
    })?;
    Ok(rows.into_iter().map(Binding::from).collect())
}

/// The roles an account holds today or will hold, wherever.
pub(super) fn roles_of<A: Action>(tx: &mut Tx<'_, A>, user: UserId) -> Result<Vec<Role>> {
    let (tenant, reach, today) = (tx.tenant(), Reach::whole_tenant(), tx.now().shanghai_day());
    let roles = with_conn!(tx.conn(), c => visible!(tenant, reach)
        .filter(role_bindings::user_id.eq(user))
        .filter(role_bindings::revoked_at.is_null())
        .filter(role_bindings::valid_until_on.is_null().or(role_bindings::valid_until_on.ge(today)))
        .select(role_bindings::role)
        .load(c))?;
    Ok(roles)
}

/// Those of the accounts that hold one of `roles` today or will hold it, wherever.
pub(super) fn holders<A: Action>(
    tx: &mut Tx<'_, A>,
    users: &[UserId],
    roles: &[Role],
) -> Result<Vec<UserId>> {
    let (tenant, reach, today) = (tx.tenant(), Reach::whole_tenant(), tx.now().shanghai_day());
    let holders = with_conn!(tx.conn(), c => visible!(tenant, reach)
        .filter(role_bindings::user_id.eq_any(users.to_vec()))
        .filter(role_bindings::role.eq_any(roles.to_vec()))
        .filter(role_bindings::revoked_at.is_null())
        .filter(role_bindings::valid_until_on.is_null().or(role_bindings::valid_until_on.ge(today)))
        .select(role_bindings::user_id)
        .load(c))?;
    Ok(holders)
}

/// What the accounts hold today or will hold, wherever: account, role, path of the unit.
pub(super) fn held_by<A: Action>(
    tx: &mut Tx<'_, A>,
    users: &[UserId],
) -> Result<Vec<(UserId, Role, String)>> {
    let (tenant, reach, today) = (tx.tenant(), Reach::whole_tenant(), tx.now().shanghai_day());
    let held = with_conn!(tx.conn(), c => visible!(tenant, reach)
        .filter(role_bindings::user_id.eq_any(users.to_vec()))
        .filter(role_bindings::revoked_at.is_null())
        .filter(role_bindings::valid_until_on.is_null().or(role_bindings::valid_until_on.ge(today)))
        .select((role_bindings::user_id, role_bindings::role, role_bindings::unit_path))
        .load(c))?;
    Ok(held)
}

/// Enters a binding; `false` when one of this tenant has the id.
pub(super) fn insert<A: Action>(tx: &mut Tx<'_, A>, binding: &Binding) -> Result<bool> {
    let row = NewBinding {
        tenant_id: tx.tenant(),
        id: binding.id,
        user_id: binding.user_id,
        role: binding.terms.role,
        unit_id: binding.terms.unit_id,
        unit_path: &binding.unit_path,
        valid_from_on: binding.terms.valid_from_on,
        valid_until_on: binding.terms.valid_until_on,
        granted_by: tx.user().ok(),
        created_at: binding.created_at,
    };
    let entered = with_conn!(tx.conn(), c => diesel::insert_into(role_bindings::table)
        .values(&row)
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(entered == 1)
}

/// Revokes a binding.
pub(super) fn revoke<A: Action>(tx: &mut Tx<'_, A>, binding: &mut Binding) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    binding.revoked_at = Some(now);
    with_conn!(tx.conn(), c => diesel::update(role_bindings::table.find((tenant, binding.id)))
        .set(role_bindings::revoked_at.eq(now))
        .execute(c))?;
    Ok(())
}
