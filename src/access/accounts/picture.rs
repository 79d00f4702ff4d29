//! An account as its caller sees it: with its unit and what may be done with it.

use std::collections::HashMap;

use super::bindings;
use super::rules::{User, UserAction, allowed_actions};
use crate::access::policy::{
    Action, RoleBindingGrant, UserDisable, UserEnable, UserResetPassword, UserSessionEnd, UserUpdate,
};
use crate::access::{Reach, Tx, UserId};
use crate::errors::{AppError, Result};
use crate::org::officers::rules::{Officer, OfficerId, OfficerStatus};
use crate::org::rules::{Unit, UnitId};

/// An account with what belongs to its picture.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The account.
    pub user: User,
    /// Its unit.
    pub unit: Option<Unit>,
    /// The officer it belongs to.
    pub officer: Option<Officer>,
    /// What the caller may do with it now.
    pub allowed: Vec<UserAction>,
}

/// The picture of one account.
///
/// # Errors
/// When the database fails.
pub(super) fn show<A: Action>(tx: &mut Tx<'_, A>, user: User) -> Result<Shown> {
    let shown = show_all(tx, vec![user])?;
    shown.into_iter().next().ok_or_else(|| AppError::internal("an account that is not shown"))
}

/// The pictures of accounts.
///
/// # Errors
/// When the database fails.
pub(super) fn show_all<A: Action>(tx: &mut Tx<'_, A>, users: Vec<User>) -> Result<Vec<Shown>> {
    let mut ids: Vec<UnitId> = users.iter().filter_map(|user| user.unit_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let units = crate::org::service::referred(tx, &ids)?;
    let units: HashMap<UnitId, Unit> = units.into_iter().map(|unit| (unit.id, unit)).collect();
    let officers: Vec<OfficerId> = users.iter().filter_map(|user| user.officer_id).collect();
    let officers = crate::org::officers::service::referred(tx, &officers)?;
    let reaches: HashMap<UserAction, Reach> =
        UserAction::ALL.iter().filter_map(|&action| Some((action, reach_of(tx, action)?))).collect();
    let fixed = if reaches.contains_key(&UserAction::GrantRole) {
        let ids: Vec<UserId> = users.iter().map(|user| user.id).collect();
        bindings::service::with_separated_role(tx, &ids)?
    } else {
        Vec::new()
    };
    let hands = reaches.get(&UserAction::ResetPassword).or(reaches.get(&UserAction::Disable));
    let strong = match hands {
        Some(reach) => {
            let ids: Vec<UserId> = users.iter().map(|user| user.id).collect();
            bindings::service::out_of_hands(tx, &ids, reach)?
        }
        None => Vec::new(),
    };
    let me = tx.user().ok();
    let show = |user: User| {
        let (own, fixed) = (me == Some(user.id), fixed.contains(&user.id));
        let officer = officers.iter().find(|officer| Some(officer.id) == user.officer_id).cloned();
        let gone = officer.as_ref().is_some_and(|officer| officer.status == OfficerStatus::Left);
        let may = |action| {
            let reached = reaches.get(&action).is_some_and(|reach| reach.contains(&user.unit_path));
            reached && !(gone && action == UserAction::Enable)
        };
        let allowed = allowed_actions(user.status, own, fixed, strong.contains(&user.id), may);
        Shown { unit: user.unit_id.and_then(|id| units.get(&id).cloned()), officer, allowed, user }
    };
    Ok(users.into_iter().map(show).collect())
}

fn reach_of<A: Action>(tx: &Tx<'_, A>, action: UserAction) -> Option<Reach> {
    match action {
        UserAction::Update => tx.reach_of::<UserUpdate>(),
        UserAction::Disable => tx.reach_of::<UserDisable>(),
        UserAction::Enable => tx.reach_of::<UserEnable>(),
        UserAction::ResetPassword => tx.reach_of::<UserResetPassword>(),
        UserAction::GrantRole => tx.reach_of::<RoleBindingGrant>(),
        UserAction::EndSessions => tx.reach_of::<UserSessionEnd>(),
    }
}
