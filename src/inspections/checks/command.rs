//! What a new commander of an authorisation takes over from one who is gone.

use super::rules::{Check, CheckState};
use super::service::record;
use super::{command_store, store};
use crate::access::policy::Action;
use crate::access::{Tx, UserId, holders};
use crate::errors::Result;
use crate::inspections::authorisations::rules::AuthorisationId;
use crate::inspections::authorisations::service as authorisations;
use crate::inspections::conflicts::service as conflicts;
use crate::org::rules::UnitId;

/// Gives the checks under an authorisation that have neither been released nor voided, and whose commander can act no more, to another,
/// who sees them from now on as the former does no more: those of whoever commanded last, and those that stayed with somebody before.
/// What was released or voided goes on to say who commanded it.
///
/// A check of the new commander's own unit, or of one in which they have declared an interest, stays where it is: they are not to
/// hear of it. Nobody is told that there is one, not even whoever replaces the commander, who may know of none of them.
///
/// # Errors
/// When the database fails.
pub fn take_over<A: Action>(tx: &mut Tx<'_, A>, of: AuthorisationId, to: UserId, reason: &str) -> Result<()> {
    let open = command_store::open(tx, of)?;
    let gone = authorisations::absent(tx, open.iter().map(|(_, commander)| *commander).collect())?;
    let mut found = Vec::new();
    for (id, _) in open.into_iter().filter(|(_, commander)| gone.contains(commander)) {
        store::lock(tx, id)?;
        let check = store::unseen(tx, id)?;
        found.extend(check.filter(|one| one.released_at.is_none() && one.kept != CheckState::Voided));
    }
    // What everybody may read in the log first: rows are held back from the first on that is.
    found.sort_by_key(|check| !check.is_told());
    let mut units: Vec<(UnitId, String)> =
        found.iter().map(|one| (one.unit_id, one.unit_path.clone())).collect();
    units.sort_unstable();
    units.dedup();
    let mut apart = Vec::new();
    for (unit, path) in units {
        if keeps_away(tx, to, (unit, &path))? {
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

/// Whose a check is that was begun under one commander and arrives when others have taken over, one after the other: as if it had
/// been here all the time, the last one's of those who need not keep away from it.
///
/// # Errors
/// When the database fails.
pub(super) fn given<A: Action>(
    tx: &mut Tx<'_, A>,
    (then, since): (UserId, &[UserId]),
    (unit, path): (UnitId, &str),
) -> Result<UserId> {
    for one in since.iter().rev() {
        if !keeps_away(tx, *one, (unit, path))? {
            return Ok(*one);
        }
    }
    Ok(then)
}

/// Whether somebody is not to hear of checks of a unit: it is their own or one above that, or they have declared an interest in it.
fn keeps_away<A: Action>(tx: &mut Tx<'_, A>, who: UserId, (unit, path): (UnitId, &str)) -> Result<bool> {
    let own = holders::paths_of(tx, &[who])?;
    Ok(own.iter().any(|(_, own)| own.starts_with(path))
        || !conflicts::parted(tx, &[who], unit, tx.now())?.is_empty())
}
