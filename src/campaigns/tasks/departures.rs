//! What happens to the assignments that an officer carries who is of another unit now, or has left: they
//! are carried by that officer no more, and from tomorrow nothing is owed for them. Assignments of closed
//! plans stay as they were; evidence and the audit log tell who had carried the others.

use std::collections::BTreeMap;

use serde_json::json;

use super::departure_store::{self as store, Carried};
use super::rules::AssignmentId;
use crate::access::EffectTx;
use crate::access::policy::Effect;
use crate::audit::Told;
use crate::campaigns::clearing::duties;
use crate::errors::Result;
use crate::org::officers::rules::OfficerId;

/// Takes officers, as they are by now, off what is no longer theirs to carry.
///
/// # Errors
/// When the database fails.
pub fn of_officers<E: Effect>(tx: &mut EffectTx<'_, E>, officers: &[OfficerId]) -> Result<()> {
    let carried = store::of_officers(tx, officers)?;
    take_off(tx, carried)
}

/// The same for every officer of a unit and below it.
///
/// # Errors
/// When the database fails.
pub fn within<E: Effect>(tx: &mut EffectTx<'_, E>, path: &str) -> Result<()> {
    let carried = store::within(tx, path)?;
    take_off(tx, carried)
}

fn take_off<E: Effect>(tx: &mut EffectTx<'_, E>, carried: Vec<Carried>) -> Result<()> {
    let mut astray: Vec<Carried> = carried.into_iter().filter(Carried::is_astray).collect();
    // Assignments are held as everybody holds them: those of the lower plans first, the lower units first.
    astray.sort_by(|one, other| other.place().cmp(&one.place()));
    let mut gone: BTreeMap<AssignmentId, Vec<OfficerId>> = BTreeMap::new();
    for one in astray {
        let officers = gone.entry(one.assignment).or_default();
        if officers.is_empty() {
            store::lock(tx, one.assignment)?;
        }
        officers.push(one.officer);
    }
    let mut told = Vec::with_capacity(gone.len());
    for (id, officers) in gone {
        let before = store::persons(tx, id)?;
        let after: Vec<OfficerId> = before.iter().copied().filter(|one| !officers.contains(one)).collect();
        if after.len() == before.len() {
            continue;
        }
        store::take_off(tx, id, &officers)?;
        duties::end(tx, id, &officers)?;
        told.push(Told {
            id: id.to_string(),
            before: Some(json!(before)),
            after: Some(json!(after)),
            reason: None,
        });
    }
    tx.record_many("assignment_persons", told)
}
