//! Rows that are held back for what nobody may know of: entered in the list that checkpoints commit to, and looked at again.

use std::collections::VecDeque;

use super::chain::{Tree, digest_from};
use super::checkpoint::Checkpoint;
use super::hold_store::{self, HeldRow, NewHeld};
use super::holds::{Leaf, Opener, Review, Stand};
use super::verification::{Found, Step, unexpected};
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
    // Somebody may have marked a row anew that is entered: nothing would be entered any more, were it refused for that.
    let entered = hold_store::entered(tx, &ids)?;
    let mut rows = Vec::with_capacity(ids.len());
    // What is in the log no more is told of as lost.
    for row in store::of_ids(tx, &ids)?.into_iter().filter(|row| !entered.contains(&row.id)) {
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

/// The list, gone through beside the checkpoints.
pub(super) struct List<'o> {
    tenant: TenantId,
    /// None where the key that signed is not here.
    opener: Option<&'o Opener>,
    review: Review,
    /// Rows behind those gone through, as far as they were asked for.
    rows: VecDeque<HeldRow>,
    behind: i64,
    /// The page of checkpoints during which the list came to its end: what is of a page before is of no longer list.
    ended_in: Option<u64>,
}

impl<'o> List<'o> {
    /// The list of a tenant, beside what its head says of it now: it grows while somebody goes through it.
    pub(super) async fn beside(
        tenant: TenantId,
        opener: Option<&'o Opener>,
        look: &impl AsyncFn(Step) -> Result<Found>,
    ) -> Result<Self> {
        let mut review = Review::default();
        review.begins_beside(head(look).await?.as_ref());
        Ok(Self { tenant, opener, review, rows: VecDeque::new(), behind: 0, ended_in: None })
    }

    /// Compares what a checkpoint says, of a page with this number.
    pub(super) async fn compare(
        &mut self,
        one: &Checkpoint,
        page: u64,
        look: &impl AsyncFn(Step) -> Result<Found>,
    ) -> Result<()> {
        let Some(said) = one.holds else { return Ok(()) };
        let Some(opener) = self.opener else {
            self.review.cannot_open(one.size);
            return Ok(());
        };
        let opening = opener.open(&one.text_in_front(), &said);
        while self.review.size() < opening.held && self.ended_in != Some(page) {
            if !self.step(look).await? {
                self.ended_in = Some(page);
            }
        }
        self.review.compare(one.size, said.commitment, opening);
        Ok(())
    }

    /// Goes on by a row, if there is one.
    async fn step(&mut self, look: &impl AsyncFn(Step) -> Result<Found>) -> Result<bool> {
        if self.rows.is_empty() {
            let Found::Held(some) = look(Step::Held(self.behind)).await? else { return Err(unexpected()) };
            self.behind = some.last().map_or(self.behind, |last| last.position);
            self.rows = some.into();
        }
        let Some(row) = self.rows.pop_front() else { return Ok(false) };
        self.review.step(leaf(self.tenant, row));
        // Whoever else has this thread goes on in between.
        if self.review.size().is_multiple_of(200) {
            tokio::task::yield_now().await;
        }
        Ok(true)
    }

    /// Goes through the rest; what is wrong.
    pub(super) async fn end(mut self, look: &impl AsyncFn(Step) -> Result<Found>) -> Result<Vec<Fault>> {
        while self.step(look).await? {}
        self.review.ends_beside(head(look).await?.as_ref());
        if self.review.begin_again() {
            self.behind = 0;
            while self.step(look).await? {}
        }
        Ok(self.review.end())
    }
}

async fn head(look: &impl AsyncFn(Step) -> Result<Found>) -> Result<Option<Tree>> {
    let Found::HeldHead(head) = look(Step::HeldHead).await? else { return Err(unexpected()) };
    Ok(head)
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
