//! Use cases on role bindings.

use std::collections::HashMap;

use super::rules::{Binding, BindingAction, BindingId, BindingStatus, Terms, may_grant};
use super::store;
use crate::access::accounts::rules::UserStatus;
use crate::access::accounts::service as accounts;
use crate::access::policy::{Action, CommandLine, RoleBindingGrant, RoleBindingRead, RoleBindingRevoke};
use crate::access::{Reach, Role, Tx, UserId};
use crate::audit::Change;
use crate::db::{Id, TenantId};
use crate::errors::{AppError, Code, FieldError, Result, text};
use crate::org::rules::{Unit, UnitId};
use crate::web::{Page, Paging};

/// A binding with what belongs to its picture.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The binding.
    pub binding: Binding,
    /// Its unit.
    pub unit: Option<Unit>,
    /// Whether it counts today.
    pub status: BindingStatus,
    /// What the caller may do with it now.
    pub allowed: Vec<BindingAction>,
}

/// The bindings of an account, both within reach.
///
/// # Errors
/// `not_found`, `invalid_cursor`.
pub fn bindings(tx: &mut Tx<'_, RoleBindingRead>, user: UserId, paging: &Paging) -> Result<Page<Shown>> {
    accounts::within(tx, user)?;
    let Page { items, next_cursor, total } = store::list(tx, user, paging)?;
    Ok(Page { items: show_all(tx, items)?, next_cursor, total })
}

/// One binding of an account, both within reach.
///
/// # Errors
/// `not_found`.
pub fn binding(tx: &mut Tx<'_, RoleBindingRead>, user: UserId, id: BindingId) -> Result<Shown> {
    accounts::within(tx, user)?;
    let binding = within(tx, user, id)?;
    show(tx, binding)
}

fn within<A: Action>(tx: &mut Tx<'_, A>, user: UserId, id: BindingId) -> Result<Binding> {
    let reach = tx.reach().clone();
    store::find(tx, &reach, id)?
        .filter(|binding| binding.user_id == user)
        .ok_or_else(|| AppError::new(Code::NotFound))
}

/// Grants a role; whether the binding was here already. `If-Match` speaks of the account.
///
/// # Errors
/// `not_found`, `precondition_failed`, `id_taken`, `user_disabled`, `invalid_body` at `/unit_id`,
/// `grant_to_self`, `grant_not_allowed`, `roles_exclusive`, `role_held`.
pub fn grant(
    tx: &mut Tx<'_, RoleBindingGrant>,
    user: UserId,
    id: Option<BindingId>,
    terms: Terms,
) -> Result<(Shown, bool)> {
    let holder = accounts::locked(tx, user)?;
    tx.check_version(holder.version)?;
    if let Some(there) = repeated(tx, user, id, terms)? {
        return Ok((there, true));
    }
    if holder.status == UserStatus::Disabled {
        return Err(AppError::new(Code::UserDisabled));
    }
    let unit = accounts::placed(tx, terms.unit_id)?;
    let unit_path = unit.map(|unit| unit.path).unwrap_or_default();
    if tx.user()? == user {
        return Err(AppError::new(Code::GrantToSelf));
    }
    if !may_grant(tx.held(), terms.role, &unit_path) {
        return Err(not_grantable());
    }
    refuse_exclusive(tx, user, terms.role)?;
    if store::same(tx, user, &terms)?.iter().any(|there| there.terms.overlaps(&terms)) {
        return Err(AppError::new(Code::RoleHeld));
    }
    let binding = enter(tx, user, id, terms, unit_path)?;
    Ok((show(tx, binding)?, false))
}

/// The binding this request has made before.
fn repeated(
    tx: &mut Tx<'_, RoleBindingGrant>,
    user: UserId,
    id: Option<BindingId>,
    terms: Terms,
) -> Result<Option<Shown>> {
    let Some(id) = id else { return Ok(None) };
    let Some(there) = store::find(tx, &Reach::whole_tenant(), id)? else { return Ok(None) };
    let same = there.user_id == user && there.terms == terms;
    if !same || !tx.reach().contains(&there.unit_path) {
        return Err(AppError::new(Code::IdTaken));
    }
    tx.nothing_changed();
    show(tx, there).map(Some)
}

fn not_grantable() -> AppError {
    let detail = text!(
        "您在该单位的角色不能授予此角色",
        "The roles you hold at this unit or above it may not grant this role"
    );
    AppError::fields(Code::GrantNotAllowed, vec![FieldError::body("/role", Code::GrantNotAllowed, detail)])
}

fn refuse_exclusive<A: Action>(tx: &mut Tx<'_, A>, user: UserId, role: Role) -> Result<()> {
    if store::roles_of(tx, user)?.into_iter().all(|held| role.goes_with(held)) {
        return Ok(());
    }
    let detail = text!(
        "该账号已有与此角色互斥的角色",
        "The account holds a role that this one cannot be held together with"
    );
    let error = FieldError::body("/role", Code::RolesExclusive, detail);
    Err(AppError::fields(Code::RolesExclusive, vec![error]))
}

fn enter<A: Action>(
    tx: &mut Tx<'_, A>,
    user: UserId,
    id: Option<BindingId>,
    terms: Terms,
    unit_path: String,
) -> Result<Binding> {
    let id = id.unwrap_or_else(Id::generate);
    let binding = Binding { id, user_id: user, terms, unit_path, created_at: tx.now(), revoked_at: None };
    if !store::insert(tx, &binding)? {
        return Err(AppError::new(Code::IdTaken));
    }
    accounts::forget_rights(tx, user)?;
    record(tx, None, &binding)?;
    Ok(binding)
}

/// Revokes a binding. Whoever may not grant a role may not take it away either: else the security
/// administrator could rid the tenant of its auditor.
///
/// # Errors
/// `not_found`, `precondition_failed`, `binding_revoked`, `grant_not_allowed`.
pub fn revoke(tx: &mut Tx<'_, RoleBindingRevoke>, user: UserId, id: BindingId) -> Result<()> {
    accounts::locked(tx, user)?;
    let before = within(tx, user, id)?;
    tx.check_version(before.version())?;
    if before.revoked_at.is_some() {
        return Err(AppError::new(Code::BindingRevoked));
    }
    if !may_grant(tx.held(), before.terms.role, &before.unit_path) {
        let detail = text!(
            "您的角色不能授予此角色, 也不能撤销",
            "None of your roles may grant this role, nor revoke it"
        );
        return Err(AppError::because(Code::GrantNotAllowed, detail));
    }
    let mut binding = before.clone();
    store::revoke(tx, &mut binding)?;
    accounts::forget_rights(tx, user)?;
    record(tx, Some(&before), &binding)
}

fn record<A: Action>(tx: &mut Tx<'_, A>, before: Option<&Binding>, after: &Binding) -> Result<()> {
    tx.record(&Change {
        entity: "role_binding",
        entity_id: &after.id.to_string(),
        before: before.map(Binding::facts).as_ref(),
        after: Some(&after.facts()),
        reason: None,
    })
}

fn show<A: Action>(tx: &mut Tx<'_, A>, binding: Binding) -> Result<Shown> {
    let shown = show_all(tx, vec![binding])?;
    shown.into_iter().next().ok_or_else(|| AppError::internal("a binding that is not shown"))
}

fn show_all<A: Action>(tx: &mut Tx<'_, A>, bindings: Vec<Binding>) -> Result<Vec<Shown>> {
    let mut ids: Vec<UnitId> = bindings.iter().filter_map(|binding| binding.terms.unit_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let units = crate::org::service::referred(tx, &ids)?;
    let units: HashMap<UnitId, Unit> = units.into_iter().map(|unit| (unit.id, unit)).collect();
    let today = tx.now().shanghai_day();
    let show = |binding: Binding| {
        let may = binding.revoked_at.is_none()
            && tx.may::<RoleBindingRevoke>(&binding.unit_path)
            && may_grant(tx.held(), binding.terms.role, &binding.unit_path);
        Shown {
            unit: binding.terms.unit_id.and_then(|id| units.get(&id).cloned()),
            status: binding.status_on(today),
            allowed: may.then_some(BindingAction::Revoke).into_iter().collect(),
            binding,
        }
    };
    Ok(bindings.into_iter().map(show).collect())
}

/// Those of the accounts that hold one of the three separated roles, beside which no other can be
/// granted.
///
/// # Errors
/// When the database fails.
pub(in crate::access) fn with_separated_role<A: Action>(
    tx: &mut Tx<'_, A>,
    users: &[UserId],
) -> Result<Vec<UserId>> {
    let separated: Vec<Role> = Role::ALL.iter().copied().filter(|role| role.is_separated()).collect();
    store::holders(tx, users, &separated)
}

/// Those of the accounts that hold more than whoever resets their password may lay hands on: a role
/// above or beside `reach`, or one of the three separated roles. Who sets an account's password can
/// sign in as its owner, so a reset must not lead past the separation of the three (三员分立).
///
/// # Errors
/// When the database fails.
pub(in crate::access) fn out_of_hands<A: Action>(
    tx: &mut Tx<'_, A>,
    users: &[UserId],
    reach: &Reach,
) -> Result<Vec<UserId>> {
    let held = store::held_by(tx, users)?;
    let beyond = held.into_iter().filter(|(_, role, path)| role.is_separated() || !reach.contains(path));
    Ok(beyond.map(|(user, _, _)| user).collect())
}

/// Binds a role without end, for the command line and the demo.
///
/// # Errors
/// `grant_not_allowed` for a role that does not live in this tenant, `invalid_body` for a wrong
/// place, `roles_exclusive`.
pub fn bind(tx: &mut Tx<'_, CommandLine>, user: UserId, role: Role, unit: Option<&Unit>) -> Result<()> {
    accounts::check_place(tx.tenant(), unit)?;
    if role.is_of_platform() != (tx.tenant() == TenantId::PLATFORM) {
        return Err(AppError::because(
            Code::GrantNotAllowed,
            text!("角色 {role} 不属于此租户", "The role {role} does not live in this tenant"),
        ));
    }
    accounts::locked(tx, user)?;
    refuse_exclusive(tx, user, role)?;
    let terms = Terms { role, unit_id: unit.map(|unit| unit.id), valid_from_on: None, valid_until_on: None };
    enter(tx, user, None, terms, unit.map(|unit| unit.path.clone()).unwrap_or_default())?;
    Ok(())
}
