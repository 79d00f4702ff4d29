//! What checkpoints say of the rows that are held back. Pure, as the chain is.
//!
//! A row about what nobody may know of yet stands in no chain until it may be known. So that whoever has the database cannot take
//! it away or write it anew meanwhile, it is entered in a list that is only added to, and every checkpoint commits to that list
//! as it is, be it empty: its size and its text are the same whether anything is held back or not.
//!
//! # What is computed
//!
//! * **Leaf** of a row: its commitment, as the chain takes it when the row is told. By whom the row is held back is no part of it.
//! * **Root** over the list: the Merkle tree hash of RFC 9162, as over the chain.
//! * **`holds`** of a checkpoint: SHA-256(`pingyi audit holds v1` ‖ 0x00 ‖ salt ‖ rows of the list as 8 bytes, big-endian ‖
//!   root). The salt is 32 random bytes, fresh for each checkpoint and kept beside it, so that the line tells nothing.
//!
//! A row leaves the list never: once it is told, the chain has to have it with the same commitment. What opens the line is given to
//! nobody, for it tells how many rows were ever held back, those of checks that nobody may know of yet among them: whoever keeps a
//! checkpoint has us bound, and the verifier where the database is opens it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::chain::{Digest, Tree, sha256};
use super::verify::{Fault, FaultKind, MOST};
use crate::errors::{AppError, Result};

const HOLDS: &[u8] = b"pingyi audit holds v1\0";

/// What opens that which a checkpoint says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// What keeps it from being guessed.
    pub salt: Digest,
    /// Rows in the list.
    pub held: u64,
}

impl Opening {
    /// One with a salt that nobody knows.
    ///
    /// # Errors
    /// When there is no randomness.
    pub fn fresh(held: u64) -> Result<Self> {
        let mut salt = Digest::default();
        aws_lc_rs::rand::fill(&mut salt).map_err(AppError::internal)?;
        Ok(Self { salt, held })
    }

    /// What a checkpoint says of a list with this root.
    #[must_use]
    pub fn commitment(&self, root: &Digest) -> Digest {
        sha256(&[HOLDS, &self.salt, &self.held.to_be_bytes(), root])
    }
}

/// Where a row of the list is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stand {
    /// In the chain, which has this commitment to it.
    Told(Digest),
    /// In the log, where it waits; this is the commitment to what it says.
    Waits(Digest),
    /// In the log, where it waits for nothing.
    Adrift,
    /// Nowhere.
    Gone,
}

/// A row of the list.
#[derive(Debug, Clone)]
pub struct Leaf {
    /// The row's identifier.
    pub entry_id: String,
    /// Its commitment, as the list has it.
    pub commitment: Digest,
    /// Where it is.
    pub stand: Stand,
}

/// Goes through the list beside what checkpoints say of it.
#[derive(Debug)]
pub struct Review {
    tree: Tree,
    /// By rows of the list: the rows of the chain under the checkpoint, what it says, and what opens that.
    awaited: BTreeMap<u64, Vec<(u64, Digest, Opening)>>,
    misfits: BTreeSet<u64>,
    unopened: BTreeSet<u64>,
    faults: Vec<Fault>,
}

impl Review {
    /// Begins before the first row. What checkpoints say, each with the rows of the chain under it, and what there is to open it.
    #[must_use]
    pub fn new(said: impl IntoIterator<Item = (u64, Digest)>, openings: &HashMap<Digest, Opening>) -> Self {
        let mut review = Self {
            tree: Tree::default(),
            awaited: BTreeMap::new(),
            misfits: BTreeSet::new(),
            unopened: BTreeSet::new(),
            faults: Vec::new(),
        };
        for (size, commitment) in said {
            match openings.get(&commitment) {
                Some(opening) => {
                    let one = (size, commitment, *opening);
                    review.awaited.entry(opening.held).or_default().push(one);
                }
                None => drop(review.unopened.insert(size)),
            }
        }
        review.compare();
        review
    }

    /// Compares what was said of the list when it was as long as this.
    fn compare(&mut self) {
        let root = self.tree.root();
        for (size, commitment, opening) in self.awaited.remove(&self.tree.size()).unwrap_or_default() {
            if opening.commitment(&root) != commitment {
                self.misfits.insert(size);
            }
        }
    }

    /// The next row of the list.
    pub fn step(&mut self, leaf: Leaf) {
        let wrong = match leaf.stand {
            Stand::Told(found) | Stand::Waits(found) if found == leaf.commitment => None,
            Stand::Told(_) => Some((FaultKind::HeldEdited, "入链之前 / before it was sealed")),
            Stand::Waits(_) => Some((FaultKind::HeldEdited, "")),
            Stand::Adrift => Some((FaultKind::HeldDeleted, "不再等待公开 / it does not wait any more")),
            Stand::Gone => Some((FaultKind::HeldDeleted, "")),
        };
        if let Some((kind, detail)) = wrong
            && self.faults.len() < MOST
        {
            let detail = detail.to_owned();
            self.faults.push(Fault { kind, position: None, entry_id: Some(leaf.entry_id), detail });
        }
        self.tree.push(&leaf.commitment);
        self.compare();
    }

    /// What is wrong. A list that was touched fits none of the checkpoints from there on: they are told of once.
    #[must_use]
    pub fn end(mut self) -> Vec<Fault> {
        // The list was longer.
        let longer = self.awaited.values().flatten().map(|(size, ..)| *size);
        self.misfits.extend(longer);
        for (sizes, zh, en) in [
            (&self.misfits, "待公开记录的清单与之不符", "the list of rows held back does not fit"),
            (&self.unopened, "没有可打开其承诺的盐", "there is nothing that opens what it commits to"),
        ] {
            let Some(first) = sizes.first() else { continue };
            let detail = match sizes.len() {
                1 => format!("{zh} / {en}"),
                more => format!("{zh}, 自此起共 {more} 个检查点 / {en}, {more} checkpoints from here on"),
            };
            let (kind, position) = (FaultKind::HoldsRewritten, Some(*first));
            self.faults.push(Fault { kind, position, entry_id: None, detail });
        }
        self.faults
    }
}

#[cfg(test)]
mod tests;
