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
//! * **Key** that opens: HMAC-SHA256(seed of the key that signs, `pingyi audit holds key v1` ‖ 0x00).
//! * **Salt** of a checkpoint: HMAC-SHA256(key, `salt` ‖ 0x00 ‖ the text of the checkpoint in front of its `holds` line). The text
//!   has the rows of the chain, its root, its last link and the moment: no two checkpoints have the same.
//! * **Commitment**: SHA-256(`pingyi audit holds v1` ‖ 0x00 ‖ salt ‖ rows of the list as 8 bytes, big-endian ‖ root).
//! * **Veil**: the first 8 bytes of HMAC-SHA256(key, `held` ‖ 0x00 ‖ commitment ‖ the same text). The line holds the commitment and,
//!   under the veil, how many rows the list had.
//!
//! To whoever has no key the line is 40 random bytes. Whoever has it, who is the verifier where the database is, needs nothing else:
//! what opens a checkpoint is kept nowhere, so it is not lost with a copy that is put back, nor can anybody alter it, and a
//! checkpoint that was kept elsewhere says by itself which piece of the list it is about.
//!
//! A row leaves the list never: once it is told, the chain has to have it with the same commitment. What opens the line is given to
//! nobody, for it tells how many rows were ever held back, those of checks that nobody may know of yet among them: whoever keeps a
//! checkpoint has us bound.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::hmac;

use super::chain::{Digest, Tree, digest_from, sha256};
use super::hex;
use super::verify::{Fault, FaultKind, MOST};

const KEY: &[u8] = b"pingyi audit holds key v1\0";
const SALT: &[u8] = b"salt\0";
const VEIL: &[u8] = b"held\0";
const HOLDS: &[u8] = b"pingyi audit holds v1\0";

/// What a checkpoint says of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// The commitment.
    pub commitment: Digest,
    /// How many rows the list had, under the veil.
    pub veiled: u64,
}

impl Said {
    /// Reads what stands behind `holds`; nothing when it is no such thing. What could be written otherwise is the caller's to refuse.
    #[must_use]
    pub fn of_text(text: &str) -> Option<Self> {
        let (commitment, veiled) = text.split_once(' ')?;
        Some(Self { commitment: digest_from(commitment)?, veiled: u64::from_str_radix(veiled, 16).ok()? })
    }
}

impl std::fmt::Display for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:016x}", hex(&self.commitment), self.veiled)
    }
}

/// What opens that which a checkpoint says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// What keeps it from being guessed.
    pub salt: Digest,
    /// Rows in the list.
    pub held: u64,
}

impl Opening {
    /// What a checkpoint says of a list with this root.
    #[must_use]
    pub fn commitment(&self, root: &Digest) -> Digest {
        sha256(&[HOLDS, &self.salt, &self.held.to_be_bytes(), root])
    }
}

/// The key from which what opens checkpoints follows. It follows from the one that signs them, and neither tells the other.
#[derive(Debug)]
pub struct Opener(hmac::Key);

impl Opener {
    /// That of the key with this seed.
    #[must_use]
    pub fn of_seed(seed: &[u8; 32]) -> Self {
        let key = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, seed), KEY);
        Self(hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()))
    }

    /// The first bytes of the digest of these parts, as many as are asked for.
    fn bytes<const N: usize>(&self, parts: &[&[u8]]) -> [u8; N] {
        let mut context = hmac::Context::with_key(&self.0);
        for part in parts {
            context.update(part);
        }
        let mut bytes = [0; N];
        for (to, from) in bytes.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        bytes
    }

    fn veil(&self, text: &str, commitment: &Digest) -> u64 {
        u64::from_be_bytes(self.bytes(&[VEIL, commitment, text.as_bytes()]))
    }

    fn salt(&self, text: &str) -> Digest {
        self.bytes(&[SALT, text.as_bytes()])
    }

    /// What a checkpoint with this text, its `holds` line apart, says of a list.
    #[must_use]
    pub fn say(&self, text: &str, list: &Tree) -> Said {
        let opening = Opening { salt: self.salt(text), held: list.size() };
        let commitment = opening.commitment(&list.root());
        Said { commitment, veiled: opening.held ^ self.veil(text, &commitment) }
    }

    /// What opens that which a checkpoint with this text says.
    #[must_use]
    pub fn open(&self, text: &str, said: &Said) -> Opening {
        Opening { salt: self.salt(text), held: said.veiled ^ self.veil(text, &said.commitment) }
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

/// What a checkpoint of so many rows of the chain says, and what opens that.
type Opened = (u64, Digest, Opening);

/// Goes through the list beside what checkpoints say of it, which come in the order of the chain. The list never got shorter
/// meanwhile, so once is enough. Where a copy was put back, or the list begun anew, some are of a shorter list than one before
/// them: those wait for a second time through.
#[derive(Debug, Default)]
pub struct Review {
    tree: Tree,
    /// What the head said of the list before, until the review has come to that.
    expected: Option<(u64, Digest)>,
    /// The list is not what its head says.
    is_off: bool,
    /// By rows of the list.
    late: BTreeMap<u64, Vec<Opened>>,
    is_second: bool,
    misfits: BTreeSet<u64>,
    unopened: BTreeSet<u64>,
    faults: Vec<Fault>,
}

impl Review {
    /// Rows of the list up to here.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Begins with what the head says of the list, where it goes on: nothing when that is damaged. Whoever sets the head back has
    /// no row entered any more, and checkpoints commit to too little from then on.
    pub fn begins_beside(&mut self, head: Option<&Tree>) {
        self.is_off |= head.is_none();
        self.expected = head.map(|head| (head.size(), head.root()));
        self.meet_head();
    }

    fn meet_head(&mut self) {
        if let Some((_, root)) = self.expected.take_if(|(size, _)| *size == self.tree.size()) {
            self.is_off |= root != self.tree.root();
        }
    }

    /// Ends the first time through with what the head says by now: all that is in the list was entered with it.
    pub fn ends_beside(&mut self, head: Option<&Tree>) {
        self.is_off |= self.expected.is_some() || head.is_none_or(|head| head.size() < self.tree.size());
    }

    /// Compares what a checkpoint of so many rows of the chain says. Whoever asks has gone on to the row of the list that it is
    /// about, or to the last.
    pub fn compare(&mut self, size: u64, commitment: Digest, opening: Opening) {
        match opening.held.cmp(&self.tree.size()) {
            Ordering::Less => {
                self.late.entry(opening.held).or_default().push((size, commitment, opening));
            }
            Ordering::Equal => self.judge((size, commitment, opening)),
            // The list was longer.
            Ordering::Greater => drop(self.misfits.insert(size)),
        }
    }

    /// Says of a checkpoint of so many rows of the chain that the key which signed it is not here.
    pub fn cannot_open(&mut self, size: u64) {
        self.unopened.insert(size);
    }

    fn judge(&mut self, (size, commitment, opening): Opened) {
        if opening.commitment(&self.tree.root()) != commitment {
            self.misfits.insert(size);
        }
    }

    /// Judges those that wait for a list as long as it is here.
    fn judge_late(&mut self) {
        for one in self.late.remove(&self.tree.size()).unwrap_or_default() {
            self.judge(one);
        }
    }

    /// The next row of the list.
    pub fn step(&mut self, leaf: Leaf) {
        self.tree.push(&leaf.commitment);
        if self.is_second {
            self.judge_late();
            return;
        }
        self.meet_head();
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
    }

    /// Begins before the first row again, if any checkpoint waits for that.
    pub fn begin_again(&mut self) -> bool {
        if self.late.is_empty() {
            return false;
        }
        (self.tree, self.is_second) = (Tree::default(), true);
        self.judge_late();
        true
    }

    /// What is wrong. A list that was touched fits none of the checkpoints from there on: they are told of once.
    #[must_use]
    pub fn end(mut self) -> Vec<Fault> {
        // The list got shorter while somebody went through it.
        let waiting = self.late.values().flatten().map(|(size, ..)| *size);
        self.misfits.extend(waiting);
        // Where a checkpoint tells of it as well, it is told with its place.
        if self.is_off && self.misfits.is_empty() {
            let detail = "清单与其末端的记载不符 / the list is not what its head says".to_owned();
            self.faults.push(Fault {
                kind: FaultKind::HoldsRewritten,
                position: None,
                entry_id: None,
                detail,
            });
        }
        for (kind, sizes, zh, en) in [
            (
                FaultKind::HoldsRewritten,
                &self.misfits,
                "待公开记录的清单与之不符",
                "the list of rows held back does not fit",
            ),
            (
                FaultKind::HoldsUnopened,
                &self.unopened,
                "签名的密钥不在此处",
                "the key that signed it is not here",
            ),
        ] {
            let Some(first) = sizes.first() else { continue };
            let detail = match sizes.len() {
                1 => format!("{zh} / {en}"),
                more => format!("{zh}, 自此起共 {more} 个检查点 / {en}, {more} checkpoints from here on"),
            };
            self.faults.push(Fault { kind, position: Some(*first), entry_id: None, detail });
        }
        self.faults
    }
}

#[cfg(test)]
mod tests;
