//! Going through a chain where the database is: what is asked for, a piece at a time, and what comes of it.

use std::collections::HashSet;

use super::chain::{Tree, digest_from};
use super::checkpoint::{Signer, Verifier};
use super::holding::List;
use super::notes::Notes;
use super::service::{AT_ONCE, EntryId, HeldRow, Kept, Logged, Place};
use super::verify::{Fault, FaultKind, Row, Sealed, Verdict, Walk};
use super::{hold_store, queue_store, store};
use crate::access::Tx;
use crate::access::policy::Action;
use crate::db::TenantId;
use crate::errors::{AppError, Result};

/// What is asked of the database next: a piece each, in a transaction of its own, so that a chain of any length is
/// gone through in little memory and nobody waits.
#[derive(Debug, Clone, Copy)]
pub enum Step {
    /// Checkpoints of more rows than so many.
    Checkpoints(i64),
    /// Places behind a position.
    Places(i64),
    /// Where the list of rows that are held back goes on.
    HeldHead,
    /// Rows of that list behind a position.
    Held(i64),
    /// Rows behind one of them that are held back and in no list.
    Unlisted(Option<EntryId>),
    /// Rows behind one of them that are nowhere in the chain.
    Strays(Option<EntryId>),
    /// How many rows wait, and which of those are not in the log.
    Waiting,
}

/// What was found.
#[derive(Debug)]
pub enum Found {
    /// Checkpoints.
    Checkpoints(Vec<Kept>),
    /// Places and their rows.
    Places(Vec<(Place, Option<Logged>)>),
    /// The list of rows that are held back, as its head says; nothing when what that says is damaged.
    HeldHead(Option<Tree>),
    /// Rows of that list, and where they are.
    Held(Vec<HeldRow>),
    /// Rows that are held back and in no list, and the last that was looked at.
    Unlisted(Vec<EntryId>, Option<EntryId>),
    /// Rows that are nowhere, and the last that was looked at.
    Strays(Vec<EntryId>, Option<EntryId>),
    /// How many rows wait, and those of them that are gone from the log.
    Waiting(i64, Vec<EntryId>),
}

/// Takes a step.
///
/// # Errors
/// When the database fails.
pub fn take<A: Action>(tx: &mut Tx<'_, A>, step: Step) -> Result<Found> {
    Ok(match step {
        Step::Checkpoints(above) => Found::Checkpoints(store::checkpoints_above(tx, above, AT_ONCE)?),
        Step::Places(behind) => Found::Places(store::walk(tx, behind, AT_ONCE)?),
        Step::HeldHead => Found::HeldHead(store::held_head(tx)?),
        Step::Held(behind) => Found::Held(hold_store::walk(tx, behind, AT_ONCE)?),
        Step::Unlisted(behind) => {
            let (unlisted, last) = hold_store::unlisted(tx, behind, AT_ONCE)?;
            Found::Unlisted(unlisted, last)
        }
        Step::Strays(behind) => {
            let (strays, last) = store::strays(tx, behind, AT_ONCE)?;
            Found::Strays(strays, last)
        }
        Step::Waiting => Found::Waiting(queue_store::waiting(tx)?, queue_store::lost(tx)?),
    })
}

/// A chain gone through.
#[derive(Debug, Clone)]
pub struct Verification {
    /// What came of it.
    pub verdict: Verdict,
    /// Rows under the last checkpoint; none where the chain was never signed.
    pub signed: Option<u64>,
    /// Rows that wait to be sealed: whether they are touched is not told by the chain yet.
    pub unsealed: u64,
}

pub(super) fn unexpected() -> AppError {
    AppError::internal("a step that found something else")
}

fn of_row(kind: FaultKind, id: EntryId, detail: &str) -> Fault {
    Fault { kind, position: None, entry_id: Some(id.to_string()), detail: detail.to_owned() }
}

/// Goes through the chain of a tenant from its first place to its last, and through the list of rows held back beside it. `kept`
/// are checkpoints that somebody has kept elsewhere, as notes: those in the database may have been cut off with the chain. What
/// they say of rows held back is opened if the key that signs here is the one that they are checked by.
///
/// # Errors
/// When the database fails: what is wrong with the chain is the answer.
pub async fn verify(
    (tenant, verifier, signer, kept): (TenantId, &Verifier, &Signer, Vec<String>),
    look: impl AsyncFn(Step) -> Result<Found>,
) -> Result<Verification> {
    let mut walk = Walk::new([]);
    let mut notes = Notes::new(verifier, &kept);
    let mut list = List::beside(tenant, signer.opener(verifier), &look).await?;
    let mut behind = 0;
    loop {
        // Before the places: what one that is there by now is of stands in the chain, unless that was cut off.
        notes.fill(&look).await?;
        tell_forged(&mut notes, &mut walk);
        let Found::Places(some) = look(Step::Places(behind)).await? else { return Err(unexpected()) };
        let Some((newest, _)) = some.last() else { break };
        behind = newest.position;
        // Places and checkpoints that have come since are there together.
        notes.fill(&look).await?;
        let size = u64::try_from(behind).unwrap_or_default();
        while let Some(one) = notes.next(size, &look).await? {
            list.compare(&one, notes.page(), &look).await?;
            notes.counts(one.size);
            walk.awaits(one);
        }
        for (at, (place, row)) in some.into_iter().enumerate() {
            walk.step(sealed(tenant, &place, row));
            // Whoever else has this thread goes on in between.
            if at % 200 == 0 {
                tokio::task::yield_now().await;
            }
        }
    }
    cut_off(behind, &mut notes, &mut walk, &look).await?;
    tell_forged(&mut notes, &mut walk);
    let mut told = HashSet::new();
    for fault in list.end(&look).await? {
        told.extend(fault.entry_id.clone());
        walk.found(fault);
    }
    let mut behind = None;
    loop {
        let step = Step::Unlisted(behind);
        let Found::Unlisted(unlisted, last) = look(step).await? else { return Err(unexpected()) };
        for id in unlisted {
            walk.found(of_row(FaultKind::HeldUnlisted, id, ""));
        }
        if last.is_none() {
            break;
        }
        behind = last;
    }
    let mut behind = None;
    loop {
        let Found::Strays(strays, last) = look(Step::Strays(behind)).await? else { return Err(unexpected()) };
        for id in strays.into_iter().filter(|id| !told.contains(&id.to_string())) {
            let detail = "不在链中 / it stands nowhere in the chain";
            walk.found(of_row(FaultKind::EntryInserted, id, detail));
        }
        if last.is_none() {
            break;
        }
        behind = last;
    }
    let Found::Waiting(unsealed, lost) = look(Step::Waiting).await? else { return Err(unexpected()) };
    for id in lost.into_iter().filter(|id| !told.contains(&id.to_string())) {
        walk.found(of_row(FaultKind::EntryDeleted, id, "入链之前 / before it was sealed"));
    }
    let unsealed = u64::try_from(unsealed).unwrap_or_default();
    Ok(Verification { verdict: walk.end(), signed: notes.signed(), unsealed })
}

/// Has the walk await the checkpoints that are left once the chain is at its end. It was cut off before those of more rows: that
/// is all there is to say of them. Only where there is one was it cut off: who asked for more could be told of rows that have come
/// after the end.
async fn cut_off(
    behind: i64,
    notes: &mut Notes<'_>,
    walk: &mut Walk,
    look: &impl AsyncFn(Step) -> Result<Found>,
) -> Result<()> {
    let size = u64::try_from(behind).unwrap_or_default();
    let mut is_cut_off = false;
    loop {
        while let Some(one) = notes.next_here(u64::MAX) {
            // What came when the walk was past its place is compared the next time.
            if one.size > size {
                is_cut_off = true;
                notes.counts(one.size);
                walk.awaits(one);
            }
        }
        if !is_cut_off || notes.is_dry() {
            return Ok(());
        }
        notes.fill(look).await?;
    }
}

fn tell_forged(notes: &mut Notes<'_>, walk: &mut Walk) {
    for size in notes.forged() {
        walk.found(Fault {
            kind: FaultKind::CheckpointForged,
            position: (size > 0).then_some(size),
            entry_id: None,
            detail: String::new(),
        });
    }
}

/// A place of the database as the walk goes through it. What is no digest there fits nothing.
fn sealed(tenant: TenantId, place: &Place, row: Option<Logged>) -> Sealed {
    Sealed {
        position: u64::try_from(place.position).unwrap_or_default(),
        entry_id: place.entry_id.to_string(),
        commitment: digest_from(&place.commitment).unwrap_or_default(),
        link: digest_from(&place.link).unwrap_or_default(),
        row: row.map_or(Row::Gone, |row| Row::Open(Box::new(row.content(tenant)), row.salt_bytes())),
    }
}

#[cfg(test)]
mod tests;
