//! Rows that are held back for what nobody may know of: entered in the list that checkpoints commit to, and looked at again.

use std::collections::HashMap;

use super::chain::{Digest, digest_from};
use super::hold_store::{self, HeldRow, KeptOpening, NewHeld};
use super::holds::{Leaf, Opening, Review, Stand};
use super::service::{Found, Step, unexpected};
use super::verify::Fault;
use super::{hex, store};
use crate::access::Tx;
use crate::access::policy::Background;
use crate::db::TenantId;
use crate::errors::Result;

/// Enters rows that are held back in their list, so many at most; how many were seen to. Nothing is signed for that.
pub(super) fn take_up(tx: &mut Tx<'_, Background>, most: i64) -> Result<usize> {
    tx.nothing_changed();
    if !hold_store::any_uncommitted(tx)? {
        return Ok(0);
    }
    // Whoever enters rows beside this one waits here, before any row is held.
    let mut head = store::hold_head(tx)?;
    let tenant = tx.tenant();
    let ids = hold_store::uncommitted(tx, most)?;
    let mut rows = Vec::with_capacity(ids.len());
    // What is in the log no more is told of as lost.
    for row in store::of_ids(tx, &ids)? {
        let commitment = row.content(tenant).commitment(&row.salt_bytes());
        head.held.push(&commitment);
        rows.push(NewHeld {
            tenant_id: tenant,
            position: store::position(head.held.size())?,
            entry_id: row.id,
            commitment: hex(&commitment),
        });
    }
    let seen = ids.len();
    hold_store::enter(tx, &rows, ids)?;
    store::save_head(tx, &head)?;
    Ok(seen)
}

/// What a checkpoint made now says of the list; what opens it is kept.
pub(super) fn commit(tx: &mut Tx<'_, Background>, head: &store::Head) -> Result<Digest> {
    let opening = Opening::fresh(head.held.size())?;
    let commitment = opening.commitment(&head.held.root());
    hold_store::keep(tx, &commitment, &opening)?;
    Ok(commitment)
}

/// Goes through the list beside what checkpoints say of it, each with the rows of the chain under it; what is wrong.
pub(super) async fn reviewed(
    tenant: TenantId,
    said: Vec<(u64, Digest)>,
    look: &impl AsyncFn(Step) -> Result<Found>,
) -> Result<Vec<Fault>> {
    let (mut openings, mut behind) = (HashMap::new(), String::new());
    loop {
        let Found::Openings(mut some) = look(Step::Openings(behind)).await? else { return Err(unexpected()) };
        openings.extend(some.iter().filter_map(opening));
        let Some(last) = some.pop() else { break };
        behind = last.commitment;
    }
    let mut review = Review::new(said, &openings);
    let mut behind = 0;
    loop {
        let Found::Held(some) = look(Step::Held(behind)).await? else { return Err(unexpected()) };
        let Some(last) = some.last() else { break };
        behind = last.position;
        for (at, row) in some.into_iter().enumerate() {
            review.step(leaf(tenant, row));
            // Whoever else has this thread goes on in between.
            if at % 200 == 0 {
                tokio::task::yield_now().await;
            }
        }
    }
    Ok(review.end())
}

/// What is kept, by what it opens; nothing when it is not what we write.
fn opening(kept: &KeptOpening) -> Option<(Digest, Opening)> {
    let (commitment, salt) = (digest_from(&kept.commitment)?, digest_from(&kept.salt)?);
    Some((commitment, Opening { salt, held: u64::try_from(kept.held).ok()? }))
}

/// A row of the database as the review goes through it. What is no digest there fits nothing.
fn leaf(tenant: TenantId, held: HeldRow) -> Leaf {
    let stand = match (held.sealed, held.row, held.waits) {
        // What is wrong with it from there on, the chain tells.
        (Some(sealed), ..) => Stand::Told(digest_from(&sealed).unwrap_or_default()),
        (None, Some(row), Some(_)) => Stand::Waits(row.content(tenant).commitment(&row.salt_bytes())),
        (None, Some(_), None) => Stand::Adrift,
        (None, None, _) => Stand::Gone,
    };
    let commitment = digest_from(&held.commitment).unwrap_or_default();
    Leaf { entry_id: held.entry_id.to_string(), commitment, stand }
}
