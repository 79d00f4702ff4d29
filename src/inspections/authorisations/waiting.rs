//! Which authorisations wait for the caller.

use super::rules::{Authorisation, AuthorisationAction};
use super::service::{allowed, rights};
use super::store;
use crate::access::Tx;
use crate::access::policy::{Action, AuthorisationApprove};
use crate::errors::Result;
use crate::inspections::waiting::{PORTION, behind, gathered};

/// Those that were proposed and are the caller's to approve or reject now, the first proposed first.
///
/// # Errors
/// When the database fails.
pub fn awaited<A: Action>(tx: &mut Tx<'_, A>, most: usize) -> Result<Vec<Authorisation>> {
    let Some(reach) = tx.reach_of::<AuthorisationApprove>() else { return Ok(Vec::new()) };
    let rights = rights(tx);
    gathered(most, |after| {
        let proposed = store::proposed(tx, &reach, (after, PORTION))?;
        let next = behind(&proposed, |one| (one.created_at, one.id));
        let mut found = Vec::new();
        for one in proposed {
            // Who commands is nothing to what is decided on here.
            let may = allowed(tx, (&rights, &[]), &one)?;
            let decides = [AuthorisationAction::Approve, AuthorisationAction::Reject];
            if decides.iter().any(|action| may.contains(action)) {
                found.push(one);
            }
        }
        Ok((found, next))
    })
}
