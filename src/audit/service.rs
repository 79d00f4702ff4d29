//! Use cases on the log: seal, sign, read; how it is verified stands in `verification`.

use std::collections::HashMap;

use serde_json::json;

use super::chain::link;
use super::checkpoint::{Checkpoint, Signer, Verifier, origin};
use super::export::Line;
pub use super::hold_store::HeldRow;
pub use super::store::{AuditFilter, AuditSort, CheckpointId, EntryId, Kept, Logged, Place};
pub use super::verification::{Found, Step, Verification, take, verify};
use super::{Change, hex, queue_store, store};
use crate::access::policy::{Action, AuditRead, Background, CommandLine};
use crate::access::{JobId, KeyRing, Tx};
use crate::db::{Id, Instant, TenantId};
use crate::errors::{AppError, Code, Result, text};
use crate::web::{Page, Paging};

/// Rows looked at in one transaction.
pub(super) const AT_ONCE: i64 = 5000;

/// What signs checkpoints: a key that comes from the installation's secret, and signs nothing else.
///
/// # Errors
/// Never.
pub fn signer(keys: &KeyRing) -> Result<Signer> {
    Signer::of_seed(&keys.seal("audit checkpoint key", &[]))
}

/// What checks the checkpoints of a tenant.
///
/// # Errors
/// Never.
pub fn verifier(keys: &KeyRing, tenant: TenantId) -> Result<Verifier> {
    Ok(signer(keys)?.verifier(&origin(tenant)))
}

/// Gives free rows that a job has held back, so many at most; how many those were.
///
/// # Errors
/// When the database fails.
pub fn release(tx: &mut Tx<'_, Background>, job: JobId, most: i64) -> Result<usize> {
    tx.nothing_changed();
    queue_store::release(tx, job, most)
}

/// Tells the rows that were held back for a thing: it is everybody's to know now.
///
/// # Errors
/// When the database fails.
pub fn tell_held<A: Action, T>(tx: &mut Tx<'_, A>, thing: Id<T>) -> Result<()> {
    while queue_store::release(tx, JobId::from_uuid(thing.uuid()), 1000)? > 0 {}
    Ok(())
}

/// Has the rows that were held back for one thing wait for another: whoever may know of that may know of them.
///
/// # Errors
/// When the database fails.
pub fn hand_held<A: Action, T, U>(tx: &mut Tx<'_, A>, from: Id<T>, to: Id<U>) -> Result<()> {
    queue_store::hand_over(tx, JobId::from_uuid(from.uuid()), JobId::from_uuid(to.uuid()))
}

/// Puts rows that wait into the chain, so many at most; how many those were, and when the first was written.
///
/// # Errors
/// When the database fails.
pub fn seal_some(tx: &mut Tx<'_, Background>, most: i64) -> Result<(usize, Option<Instant>)> {
    tx.nothing_changed();
    if !queue_store::any_waits(tx)? {
        return Ok((0, None));
    }
    let mut head = store::hold_head(tx)?;
    let (tenant, sealed_at) = (tx.tenant(), tx.now());
    let mut places = Vec::new();
    let rows = queue_store::unsealed(tx, most)?;
    let oldest = rows.iter().map(|row| row.at).min();
    for row in rows {
        let commitment = row.content(tenant).commitment(&row.salt_bytes());
        head.tree.push(&commitment);
        head.link = link(&head.link, head.tree.size(), &commitment);
        places.push(store::NewPlace {
            tenant_id: tenant,
            position: store::position(head.tree.size())?,
            entry_id: row.id,
            commitment: hex(&commitment),
            link: hex(&head.link),
            sealed_at,
        });
    }
    if !places.is_empty() {
        store::seal(tx, &places)?;
        store::save_head(tx, &head)?;
    }
    Ok((places.len(), oldest))
}

/// Signs the chain as it is, if it has grown since it was signed last.
///
/// # Errors
/// When the database fails.
pub fn sign(tx: &mut Tx<'_, Background>, signer: &Signer) -> Result<()> {
    tx.nothing_changed();
    // Where nothing was ever written there is no chain, nor need there be a tenant.
    if sealed_up_to(tx)?.position == 0 {
        return Ok(());
    }
    let mut head = store::hold_head(tx)?;
    let size = store::position(head.tree.size())?;
    if size <= head.signed {
        return Ok(());
    }
    let checkpoint = Checkpoint {
        origin: origin(tx.tenant()),
        size: head.tree.size(),
        root: head.tree.root(),
        link: head.link,
        at: tx.now().to_string(),
        holds: None,
    };
    // Whether anything is held back or not: nobody can tell by it.
    let checkpoint = signer.committed(checkpoint, &head.held);
    store::keep_checkpoint(tx, size, &checkpoint.root, &signer.sign(&checkpoint))?;
    head.signed = size;
    store::save_head(tx, &head)
}

/// A place in the chain, and what tells it from the same place in another course of things: after a copy was put back
/// positions are given anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spot {
    /// The position; 0 before the first.
    pub position: i64,
    /// The first eight digits of the link there.
    pub mark: u32,
}

impl Spot {
    fn of(position: i64, link: &str) -> Self {
        let mark = link.get(..8).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        Self { position, mark: mark.unwrap_or_default() }
    }
}

/// The place of the last row that was sealed.
///
/// # Errors
/// When the database fails.
pub fn sealed_up_to<A: Action>(tx: &mut Tx<'_, A>) -> Result<Spot> {
    let (size, link) = store::end(tx)?;
    Ok(Spot::of(size, &link))
}

/// Whether this place is one of the chain as it is.
///
/// # Errors
/// When the database fails.
pub fn is_ours<A: Action>(tx: &mut Tx<'_, A>, spot: Spot) -> Result<bool> {
    let there = match spot.position {
        0 => Some(Spot { position: 0, mark: 0 }),
        at => store::walk(tx, at - 1, 1)?.pop().map(|(place, _)| Spot::of(place.position, &place.link)),
    };
    Ok(there == Some(spot))
}

/// The last place at which the count of rows that have been sealed was a multiple of `step`, or the beginning.
///
/// # Errors
/// When the database fails.
pub fn milestone<A: Action>(tx: &mut Tx<'_, A>, step: i64) -> Result<Spot> {
    let (size, _) = store::end(tx)?;
    let behind = size - size % step.max(1);
    let row = if behind == 0 { None } else { store::walk(tx, behind - 1, 1)?.pop() };
    Ok(row.map_or(Spot { position: 0, mark: 0 }, |(place, _)| Spot::of(place.position, &place.link)))
}

/// The rows behind a position, each with its place, so many at most: for those who tell what happened. One that somebody
/// has taken away leaves its position.
///
/// # Errors
/// When the database fails.
pub fn sealed_behind<A: Action>(
    tx: &mut Tx<'_, A>,
    behind: i64,
    most: i64,
) -> Result<Vec<(Spot, Option<Logged>)>> {
    let walked = store::walk(tx, behind, most)?;
    Ok(walked.into_iter().map(|(place, row)| (Spot::of(place.position, &place.link), row)).collect())
}

/// The checkpoints of more rows than so many, each with its note, the smallest first.
///
/// # Errors
/// When the database fails.
pub fn notes_above(tx: &mut Tx<'_, Background>, size: i64) -> Result<Vec<(i64, String)>> {
    tx.nothing_changed();
    let kept = store::checkpoints_above(tx, size, AT_ONCE)?;
    Ok(kept.into_iter().map(|one| (one.size, one.note)).collect())
}

/// A page of the log, and where its rows stand in the chain.
///
/// # Errors
/// `invalid_cursor`.
pub fn list(
    tx: &mut Tx<'_, AuditRead>,
    filter: &AuditFilter,
    sort: AuditSort,
    paging: &Paging,
) -> Result<(Page<Logged>, HashMap<EntryId, Place>)> {
    let page = store::list(tx, filter, sort, paging)?;
    let ids: Vec<EntryId> = page.items.iter().map(|row| row.id).collect();
    let places = store::places(tx, &ids)?;
    Ok((page, places))
}

/// One row, and where it stands.
///
/// # Errors
/// `not_found`.
pub fn find(tx: &mut Tx<'_, AuditRead>, id: EntryId) -> Result<(Logged, Option<Place>)> {
    let found = store::find(tx, id)?.ok_or_else(|| AppError::new(Code::NotFound))?;
    let place = store::places(tx, &[id])?.remove(&id);
    Ok((found, place))
}

/// A page of checkpoints, the newest first.
///
/// # Errors
/// `invalid_cursor`.
pub fn checkpoints(tx: &mut Tx<'_, AuditRead>, paging: &Paging) -> Result<Page<Kept>> {
    store::checkpoints(tx, paging)
}

/// One checkpoint.
///
/// # Errors
/// `not_found`.
pub fn checkpoint(tx: &mut Tx<'_, AuditRead>, id: CheckpointId) -> Result<Kept> {
    store::checkpoint(tx, id)?.ok_or_else(|| AppError::new(Code::NotFound))
}

/// Says in the log that its chain is given away with all rows, before the first line is.
///
/// # Errors
/// When the database fails: then nothing is given away.
pub fn account_for_export(tx: &mut Tx<'_, CommandLine>) -> Result<()> {
    let size = sealed_up_to(tx)?.position;
    if size == 0 {
        return Err(AppError::because(
            Code::NotFound,
            text!("审计日志中没有记录", "There is no row in this log"),
        ));
    }
    tx.record(&Change {
        entity: "export",
        entity_id: "/audit-log",
        before: None,
        after: Some(&json!({ "size": size })),
        reason: None,
    })
}

/// The lines of an export, in the order of the chain, and the last position among them.
#[must_use]
pub fn lines(tenant: TenantId, found: Vec<(Place, Option<Logged>)>) -> Vec<Line> {
    let line = |(place, row): (Place, Option<Logged>)| Line {
        gone: row.is_none(),
        position: u64::try_from(place.position).unwrap_or_default(),
        entry_id: place.entry_id.to_string(),
        commitment: place.commitment,
        link: place.link,
        salt: row.as_ref().map(|row| row.salt.clone().unwrap_or_default()),
        row: row.map(|row| row.content(tenant)),
    };
    found.into_iter().map(line).collect()
}
