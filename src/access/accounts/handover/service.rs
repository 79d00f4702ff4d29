//! What a change of the tree does to the accounts and role bindings that stand at a unit.

use serde_json::json;

use super::store;
use crate::access::accounts::rules::SessionEndReason;
use crate::access::accounts::session_store;
use crate::access::policy::{AccountOfOfficer, AccountsFollow, SessionsEnd};
use crate::access::{EffectTx, UserId};
use crate::audit::{Change, Told};
use crate::errors::{Code, FieldError, Result, text};
use crate::org::officers::rules::OfficerId;
use crate::org::rules::{Unit, UnitId};

/// Rewrites the paths of accounts and bindings in a moved subtree. Who holds a role there has it where
/// the unit now stands, from the next request on; nobody is signed out.
///
/// # Errors
/// When the database fails.
pub fn follow(tx: &mut EffectTx<'_, AccountsFollow>, from: &str, to: &str) -> Result<()> {
    store::follow(tx, from, to)?;
    store::forget_rights_above(tx, from)
}

/// What keeps a unit from ending without a successor: its accounts, and the roles held at it.
///
/// # Errors
/// When the database fails.
pub fn standing_at(tx: &mut EffectTx<'_, AccountsFollow>, unit: UnitId) -> Result<Vec<FieldError>> {
    let mut found = Vec::new();
    for (user_id, login) in store::users_at(tx, unit)? {
        let detail = text!("账号 {login} 属于该单位", "The account {login} belongs to it");
        let facts = json!({ "user_id": user_id, "login": login });
        found.push(FieldError { facts: Some(facts), ..FieldError::body("", Code::AccountAtUnit, detail) });
    }
    for binding in store::bindings_at(tx, unit)? {
        let role = binding.role.as_str();
        let detail = text!("有人在该单位持有角色 {role}", "Somebody holds the role {role} there");
        let facts = json!({ "role_binding_id": binding.id, "user_id": binding.user_id, "role": role });
        found.push(FieldError { facts: Some(facts), ..FieldError::body("", Code::RoleHeldAtUnit, detail) });
    }
    Ok(found)
}

/// Puts a unit's accounts at its successor, and grants there what was granted here: the old binding
/// ends, a new one with the same terms begins, once a person and role.
///
/// # Errors
/// When the database fails.
pub fn hand_over(tx: &mut EffectTx<'_, AccountsFollow>, from: &Unit, to: &Unit) -> Result<()> {
    let (here, there) = (json!({ "unit_id": from.id }), json!({ "unit_id": to.id }));
    let users = store::users_at(tx, from.id)?;
    for (user, _) in &users {
        store::put_at(tx, *user, to)?;
    }
    let moved =
        |id: String| Told { id, before: Some(here.clone()), after: Some(there.clone()), reason: None };
    tx.record_many("user", users.iter().map(|(user, _)| moved(user.to_string())))?;
    let held = store::bindings_at(tx, to.id)?;
    for binding in store::bindings_at(tx, from.id)? {
        store::revoke(tx, binding.id)?;
        let entity_id = binding.id.to_string();
        let ended = json!({ "unit_id": from.id, "role": binding.role, "revoked": true });
        tx.record(&Change {
            entity: "role_binding",
            entity_id: &entity_id,
            before: Some(&here),
            after: Some(&ended),
            reason: None,
        })?;
        if !held.iter().any(|other| other.covers(&binding)) {
            let id = store::grant_at(tx, &binding, to)?.to_string();
            let begun = json!({ "unit_id": to.id, "user_id": binding.user_id, "role": binding.role });
            tx.record(&Change {
                entity: "role_binding",
                entity_id: &id,
                before: None,
                after: Some(&begun),
                reason: None,
            })?;
        }
        store::forget_rights(tx, binding.user_id)?;
    }
    store::forget_rights_above(tx, &from.path)
}

/// Disables the account of an officer who has left; the account, when it was not disabled already.
///
/// # Errors
/// When the database fails.
pub fn officer_left(tx: &mut EffectTx<'_, AccountOfOfficer>, officer: OfficerId) -> Result<Option<UserId>> {
    let Some(user) = store::user_of(tx, officer)? else { return Ok(None) };
    if !store::disable(tx, user)? {
        return Ok(None);
    }
    let entity_id = user.to_string();
    let (before, after) = (json!({ "status": "active" }), json!({ "status": "disabled" }));
    tx.record(&Change {
        entity: "user",
        entity_id: &entity_id,
        before: Some(&before),
        after: Some(&after),
        reason: None,
    })?;
    Ok(Some(user))
}

/// Ends the sessions of an account that has just been disabled.
///
/// # Errors
/// When the database fails.
pub fn end_sessions(tx: &mut EffectTx<'_, SessionsEnd>, user: UserId) -> Result<()> {
    session_store::end_all(tx, user, SessionEndReason::AccountDisabled, None).map(|_| ())
}

/// Takes the name from the account of an officer whose personal data are erased.
///
/// # Errors
/// When the database fails.
pub fn person_erased(tx: &mut EffectTx<'_, AccountOfOfficer>, officer: OfficerId) -> Result<()> {
    let Some(user) = store::user_of(tx, officer)? else { return Ok(()) };
    store::take_name(tx, user)?;
    let entity_id = user.to_string();
    let after = json!({ "display_name": "erased" });
    tx.record(&Change {
        entity: "user",
        entity_id: &entity_id,
        before: None,
        after: Some(&after),
        reason: None,
    })
}
