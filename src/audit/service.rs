//! Use cases on the log: seal, sign, read, verify.

use std::collections::{HashMap, HashSet};

use serde_json::json;

use super::chain::{Digest, digest_from, link};
use super::checkpoint::{Checkpoint, Signer, Verifier, origin};
use super::export::Line;
pub use super::hold_store::{HeldRow, KeptOpening};
pub use super::store::{AuditFilter, AuditSort, CheckpointId, EntryId, Kept, Logged, Place};
use super::verify::{Fault, FaultKind, Row, Sealed, Verdict, Walk};
use super::{Change, hex, hold_store, holding, queue_store, store};
use crate::access::policy::{Action, AuditRead, Background, CommandLine};
use crate::access::{JobId, KeyRing, Tx};
use crate::db::{Id, Instant, TenantId};
use crate::errors::{AppError, Code, Result, text};
use crate::web::{Page, Paging};

/// Rows looked at in one transaction.
const AT_ONCE: i64 = 5000;

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
        // Whether anything is held back or not: nobody can tell by it.
        holds: Some(holding::commit(tx, &head)?),
    };
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

/// What is asked of the database next: a piece each, in a transaction of its own, so that a chain of any length is
/// gone through in little memory and nobody waits.
#[derive(Debug, Clone)]
pub enum Step {
    /// Checkpoints of more rows than so many.
    Checkpoints(i64),
    /// Places behind a position.
    Places(i64),
    /// What opens that which checkpoints say of rows held back, behind one of them.
    Openings(String),
    /// Rows of the list of those behind a position.
    Held(i64),
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
    /// What opens that which checkpoints say of rows held back.
    Openings(Vec<KeptOpening>),
    /// Rows of the list of those, and where they are.
    Held(Vec<HeldRow>),
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
        Step::Openings(behind) => Found::Openings(hold_store::openings(tx, &behind, AT_ONCE)?),
        Step::Held(behind) => Found::Held(hold_store::walk(tx, behind, AT_ONCE)?),
        Step::Strays(behind) => {
            let (strays, last) = store::strays(tx, behind, AT_ONCE)?;
            Found::Strays(strays, last)
        }
        Step::Waiting => Found::Waiting(queue_store::waiting(tx)?, queue_store::lost(tx)?),
    })
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

/// Goes through the chain of a tenant from its first place to its last. `kept` are checkpoints that somebody has
/// kept elsewhere, as notes: those in the database may have been cut off with the chain.
///
/// # Errors
/// When the database fails: what is wrong with the chain is the answer.
pub async fn verify(
    (tenant, verifier, kept): (TenantId, &Verifier, Vec<String>),
    look: impl AsyncFn(Step) -> Result<Found>,
) -> Result<Verification> {
    let (mut forged, mut checkpoints, mut last) = (Vec::new(), Vec::new(), 0);
    loop {
        let Found::Checkpoints(some) = look(Step::Checkpoints(last)).await? else { return Err(unexpected()) };
        let Some(newest) = some.last() else { break };
        last = newest.size;
        for one in some {
            match verifier.open(&one.note) {
                Some(opened)
                    if store::position(opened.size)? == one.size && hex(&opened.root) == one.root =>
                {
                    checkpoints.push(opened);
                }
                _ => forged.push(u64::try_from(one.size).unwrap_or_default()),
            }
        }
    }
    for note in kept {
        match verifier.open(&note) {
            Some(opened) => checkpoints.push(opened),
            None => forged.push(0),
        }
    }
    let signed = checkpoints.iter().map(|one| one.size).max();
    let mut said: Vec<(u64, Digest)> =
        checkpoints.iter().filter_map(|one| one.holds.map(|holds| (one.size, holds))).collect();
    let mut walk = Walk::new(checkpoints);
    for size in forged {
        walk.found(Fault {
            kind: FaultKind::CheckpointForged,
            position: (size > 0).then_some(size),
            entry_id: None,
            detail: String::new(),
        });
    }
    let mut behind = 0;
    loop {
        let Found::Places(some) = look(Step::Places(behind)).await? else { return Err(unexpected()) };
        let Some((newest, _)) = some.last() else { break };
        behind = newest.position;
        for (at, (place, row)) in some.into_iter().enumerate() {
            walk.step(sealed(tenant, &place, row));
            // Whoever else has this thread goes on in between.
            if at % 200 == 0 {
                tokio::task::yield_now().await;
            }
        }
    }
    // What a checkpoint says of a chain that was cut off before it is told as that.
    said.retain(|(size, _)| store::position(*size).is_ok_and(|size| size <= behind));
    let mut told = HashSet::new();
    for fault in holding::reviewed(tenant, said, &look).await? {
        told.extend(fault.entry_id.clone());
        walk.found(fault);
    }
    let mut behind = None;
    loop {
        let Found::Strays(strays, last) = look(Step::Strays(behind)).await? else { return Err(unexpected()) };
        for id in strays.into_iter().filter(|id| !told.contains(&id.to_string())) {
            walk.found(Fault {
                kind: FaultKind::EntryInserted,
                position: None,
                entry_id: Some(id.to_string()),
                detail: "不在链中 / it stands nowhere in the chain".to_owned(),
            });
        }
        if last.is_none() {
            break;
        }
        behind = last;
    }
    let Found::Waiting(unsealed, lost) = look(Step::Waiting).await? else { return Err(unexpected()) };
    for id in lost.into_iter().filter(|id| !told.contains(&id.to_string())) {
        walk.found(Fault {
            kind: FaultKind::EntryDeleted,
            position: None,
            entry_id: Some(id.to_string()),
            detail: "入链之前 / before it was sealed".to_owned(),
        });
    }
    let unsealed = u64::try_from(unsealed).unwrap_or_default();
    Ok(Verification { verdict: walk.end(), signed, unsealed })
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
