//! What a new commander of an authorisation takes over from one who is gone.

use std::collections::BTreeMap;

use super::rules::Check;
use super::service::record;
use super::{command_store, store};
use crate::access::policy::Action;
use crate::access::{Tx, UserId, holders};
use crate::errors::Result;
use crate::inspections::authorisations::rules::AuthorisationId;
use crate::inspections::conflicts::service as conflicts;
use crate::org::rules::UnitId;

/// Gives the checks under an authorisation that have not been released from one commander to another, who sees them from now on as
/// the former does no more. What was released goes on to say who commanded it.
///
/// A check of the new commander's own unit, or of one in which they have declared an interest, stays where it is: they are not to
/// hear of it. Nobody is told that there is one, not even whoever replaces the commander, who may know of none of them.
///
/// # Errors
/// When the database fails.
pub fn take_over<A: Action>(
    tx: &mut Tx<'_, A>,
    of: AuthorisationId,
    (from, to): (UserId, UserId),
    reason: &str,
) -> Result<()> {
    let mut found = Vec::new();
    for id in command_store::unreleased(tx, of, from)? {
        store::lock(tx, id)?;
        let check = store::unseen(tx, id)?;
        found.extend(check.filter(|one| one.commander_id == from && one.released_at.is_none()));
    }
    // What everybody may read in the log first: rows are held back from the first on that is.
    found.sort_by_key(|check| !check.is_told());
    let units: BTreeMap<UnitId, String> =
        found.iter().map(|one| (one.unit_id, one.unit_path.clone())).collect();
    let own_path = holders::paths_of(tx, &[to])?.pop().map(|(_, path)| path);
    let mut apart = Vec::new();
    for (unit, path) in units {
        let is_own = own_path.as_ref().is_some_and(|own| own.starts_with(&path));
        if is_own || !conflicts::parted(tx, &[to], unit, tx.now())?.is_empty() {
            apart.push(unit);
        }
    }
    for before in found.into_iter().filter(|one| !apart.contains(&one.unit_id)) {
        let mut after = Check { commander_id: to, ..before.clone() };
        command_store::give(tx, &mut after)?;
        record(tx, Some(&before), &after, Some(reason))?;
    }
    Ok(())
}
