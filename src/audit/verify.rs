//! What an outsider does with a chain: goes through it once, row by row, and tells by name what was touched.

use std::collections::BTreeMap;

use super::chain::{Content, Digest, Tree, link};
use super::checkpoint::Checkpoint;
use crate::db::text_enum;

text_enum! {
    /// What is wrong with a chain.
    FaultKind as "audit_fault" {
        EntryEdited = "entry_edited", "记录被改动", "A row was changed", red;
        EntryDeleted = "entry_deleted", "记录被删除", "A row was deleted", red;
        EntryInserted = "entry_inserted", "记录被插入", "A row was inserted", red;
        EntriesReordered = "entries_reordered", "记录次序被调换", "Rows were put in another order", red;
        LinkBroken = "link_broken", "链条断裂", "A link of the chain does not fit", red;
        Truncated = "truncated", "链条被截短", "The chain was cut off", red;
        Rewritten = "rewritten", "链条被改写", "The chain was written anew", red;
        CheckpointForged = "checkpoint_forged", "检查点签名无效", "The signature of a checkpoint is not ours", red;
        HeldEdited = "held_edited", "待公开的记录被改动", "A row that was held back was changed", red;
        HeldDeleted = "held_deleted", "待公开的记录被删除", "A row that was held back was deleted", red;
        HeldUnlisted = "held_unlisted", "待公开的记录不在清单中", "A row is held back that no checkpoint can commit to", red;
        HoldsRewritten = "holds_rewritten", "待公开记录的承诺不符", "What a checkpoint commits to of rows held back does not fit", red;
        HoldsUnopened = "holds_unopened", "待公开记录的承诺无法打开", "What a checkpoint commits to of rows held back cannot be opened here", red;
    }
}

/// Something wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// What.
    pub kind: FaultKind,
    /// At which position of the chain; none for a row outside of it.
    pub position: Option<u64>,
    /// The row's identifier, where it is known.
    pub entry_id: Option<String>,
    /// More of it: the other position, the size of the checkpoint.
    pub detail: String,
}

/// A place in the chain, with the row that stands there.
#[derive(Debug, Clone)]
pub struct Sealed {
    /// The position, from 1 on.
    pub position: u64,
    /// The row's identifier.
    pub entry_id: String,
    /// Its commitment, as the chain has it.
    pub commitment: Digest,
    /// The link, as the chain has it.
    pub link: Digest,
    /// The row.
    pub row: Row,
}

/// A row as it is found beside its place in the chain.
#[derive(Debug, Clone)]
pub enum Row {
    /// There, with its salt.
    Open(Box<Content>, Vec<u8>),
    /// Its content is withheld: the commitment stands for it.
    Withheld,
    /// Not there.
    Gone,
}

/// Faults told of one chain at most: whoever has written it all anew is not told of each row.
pub(super) const MOST: usize = 200;
/// Faults kept until the end at most, where those that say more than that a link is broken come first.
const KEPT: usize = 2000;
/// Places that do not fit are compared with each other for having changed places, as far as this.
const COMPARED: usize = 64;

/// A place whose link does not fit.
#[derive(Debug)]
struct Misfit {
    before: Digest,
    sealed: Sealed,
}

/// Goes through a chain.
#[derive(Debug)]
pub struct Walk {
    expected: u64,
    before: Digest,
    /// The link before that, and the row between the two.
    before_that: Digest,
    between: Option<String>,
    /// Places that were put in so far: what stands behind them stood so much farther on.
    put_in: u64,
    /// The place before the last, where the last fits where that one stands: the next tells whether it was put in.
    suspect: Option<(u64, String)>,
    /// Whether the link before is known to be whole: after a gap the next cannot be judged.
    is_judged: bool,
    tree: Tree,
    checkpoints: BTreeMap<u64, Checkpoint>,
    checked: u64,
    /// What was told already explains that a later root differs.
    is_explained: bool,
    misfits: Vec<Misfit>,
    faults: Vec<Fault>,
    /// Checkpoints that the chain departs from, by their size.
    departures: Vec<(u64, Fault)>,
    withheld: u64,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Places in the chain.
    pub size: u64,
    /// Checkpoints that agree with it.
    pub checkpoints: u64,
    /// Rows whose content is not there to be looked at: only that it was committed to is known.
    pub withheld: u64,
    /// What is wrong, in the order of the chain; at most 200.
    pub faults: Vec<Fault>,
}

impl Walk {
    /// Begins at the first place. The checkpoints are those whose signatures hold.
    #[must_use]
    pub fn new(checkpoints: impl IntoIterator<Item = Checkpoint>) -> Self {
        let mut walk = Self {
            expected: 1,
            before: [0; 32],
            before_that: [0; 32],
            between: None,
            put_in: 0,
            suspect: None,
            is_judged: true,
            tree: Tree::default(),
            checkpoints: BTreeMap::new(),
            checked: 0,
            is_explained: false,
            misfits: Vec::new(),
            faults: Vec::new(),
            departures: Vec::new(),
            withheld: 0,
        };
        for checkpoint in checkpoints {
            walk.awaits(checkpoint);
        }
        walk
    }

    /// One more checkpoint whose signature holds, told before the walk has come to the last place that it is of.
    pub fn awaits(&mut self, checkpoint: Checkpoint) {
        let size = checkpoint.size;
        if let Some(other) = self.checkpoints.get(&size)
            && other.root != checkpoint.root
        {
            // Both bear our signature: somebody has the key, or was shown another chain.
            self.tell(
                FaultKind::Rewritten,
                Some(size),
                None,
                "两个检查点互相矛盾 / two checkpoints contradict",
            );
        }
        self.checkpoints.insert(size, checkpoint);
    }

    fn tell(&mut self, kind: FaultKind, position: Option<u64>, entry_id: Option<String>, detail: &str) {
        self.found(Fault { kind, position, entry_id, detail: detail.to_owned() });
    }

    /// Tells of something that was found outside of the walk.
    pub fn found(&mut self, fault: Fault) {
        if self.faults.len() < if fault.kind == FaultKind::LinkBroken { MOST } else { KEPT } {
            self.faults.push(fault);
        }
    }

    /// The next place, in the order of positions.
    pub fn step(&mut self, sealed: Sealed) {
        let position = sealed.position;
        if position < self.expected {
            self.tell(
                FaultKind::EntryInserted,
                Some(position),
                Some(sealed.entry_id),
                "位置重复 / the position is there twice",
            );
            self.is_explained = true;
            return;
        }
        if position > self.expected {
            let gone = position - self.expected;
            self.tell(
                FaultKind::EntryDeleted,
                Some(self.expected),
                None,
                &format!("缺 {gone} 条 / {gone} missing up to {}", position - 1),
            );
            self.is_judged = false;
            self.is_explained = true;
        }
        match &sealed.row {
            Row::Open(content, salt) => {
                if content.commitment(salt) != sealed.commitment || content.id != sealed.entry_id {
                    self.tell(FaultKind::EntryEdited, Some(position), Some(sealed.entry_id.clone()), "");
                }
            }
            Row::Withheld => self.withheld += 1,
            Row::Gone => {
                self.tell(FaultKind::EntryDeleted, Some(position), Some(sealed.entry_id.clone()), "");
            }
        }
        self.judge(&sealed);
        self.is_judged = true;
        self.before_that = self.before;
        self.before = sealed.link;
        self.between = Some(sealed.entry_id.clone());
        self.expected = position + 1;
        self.tree.push(&sealed.commitment);
        // What was put in before it is not counted by a checkpoint.
        if let Some(checkpoint) = self.checkpoints.remove(&position.saturating_sub(self.put_in)) {
            let agrees = checkpoint.root == self.tree.root() && checkpoint.link == sealed.link;
            if agrees {
                self.checked += 1;
            } else if !self.is_explained {
                let size = checkpoint.size;
                let detail =
                    format!("与第 {size} 条处的检查点不符 / it departs from the checkpoint at {size}");
                let fault =
                    Fault { kind: FaultKind::Rewritten, position: Some(size), entry_id: None, detail };
                self.departures.push((size, fault));
                self.is_explained = true;
            }
        }
    }

    /// Whether the link of a place follows from the one before it. Where a row was put in, what stands behind it follows
    /// from what stands before it, and all the rest stands one place too far on.
    fn judge(&mut self, sealed: &Sealed) {
        let (position, commitment) = (sealed.position, &sealed.commitment);
        let follows = |before: &Digest, put_in: u64| {
            link(before, position.saturating_sub(put_in), commitment) == sealed.link
        };
        let suspect = self.suspect.take();
        if !self.is_judged || follows(&self.before, self.put_in) {
            return;
        }
        self.is_explained = true;
        if let Some((at, id)) = suspect
            && follows(&self.before, self.put_in + 1)
        {
            self.was_put_in(at, id);
            return;
        }
        if follows(&self.before_that, self.put_in + 1) {
            self.suspect = self.between.clone().map(|id| (position - 1, id));
        }
        if self.misfits.len() < COMPARED {
            self.misfits.push(Misfit { before: self.before, sealed: sealed.clone() });
        } else {
            self.tell(FaultKind::LinkBroken, Some(position), Some(sealed.entry_id.clone()), "");
        }
    }

    /// Tells of a place that was put in, which explains what was found wrong there and behind it.
    fn was_put_in(&mut self, at: u64, id: String) {
        self.misfits.retain(|one| one.sealed.position < at);
        self.departures.retain(|(size, _)| *size < at);
        self.tell(FaultKind::EntryInserted, Some(at), Some(id), "");
        self.put_in += 1;
    }

    /// The end of the chain.
    #[must_use]
    pub fn end(mut self) -> Verdict {
        let mut faults = judged(&self.misfits);
        let is_swapped = faults.iter().any(|fault| fault.kind == FaultKind::EntriesReordered);
        if let Some((at, id)) = self.suspect.take().filter(|_| !is_swapped) {
            // There is no next place that could tell.
            self.was_put_in(at, id);
            faults = judged(&self.misfits);
        }
        let size = self.expected - 1;
        // What was put in does not make up for what was taken away.
        let own = size - self.put_in;
        if let Some((&last, _)) = self.checkpoints.iter().next_back().filter(|(last, _)| **last > own) {
            let missing = last - own;
            self.tell(
                FaultKind::Truncated,
                Some(size),
                None,
                &format!(
                    "检查点有 {last} 条, 缺 {missing} 条 / the checkpoint has {last}, {missing} are missing"
                ),
            );
        }
        self.faults.extend(faults);
        self.faults.extend(self.departures.into_iter().map(|(_, fault)| fault));
        let place = |fault: &Fault| (fault.position.unwrap_or(u64::MAX), fault.kind);
        self.faults.sort_by_key(|fault| (fault.kind == FaultKind::LinkBroken, place(fault)));
        self.faults.truncate(MOST);
        self.faults.sort_by_key(place);
        Verdict { size, checkpoints: self.checked, withheld: self.withheld, faults: self.faults }
    }
}

/// What the places that do not fit come to: two whose rows have changed places would fit with each other's.
fn judged(misfits: &[Misfit]) -> Vec<Fault> {
    let mut faults: Vec<Fault> = Vec::new();
    let mut explained: Vec<u64> = Vec::new();
    for one in misfits {
        let position = one.sealed.position;
        if explained.contains(&position) {
            continue;
        }
        let other = misfits.iter().find(|other| {
            let links = [one.sealed.link, other.sealed.link];
            let fits = |before: &Digest, place: u64, commitment: &Digest| {
                links.contains(&link(before, place, commitment))
            };
            let place = other.sealed.position;
            // Each where the other stands: one alone may stand there for another reason.
            let back = [other.before, other.sealed.link];
            place != position
                && fits(&one.before, position, &other.sealed.commitment)
                && back.iter().any(|before| fits(before, place, &one.sealed.commitment))
        });
        let Some(other) = other else { continue };
        let place = other.sealed.position;
        // Where the links went along, the places behind them do not fit either.
        explained.extend([position, place, position + 1, place + 1]);
        faults.push(Fault {
            kind: FaultKind::EntriesReordered,
            position: Some(position),
            entry_id: Some(one.sealed.entry_id.clone()),
            detail: format!("与第 {place} 条互换 / changed places with {place}"),
        });
    }
    let rest = misfits.iter().filter(|one| !explained.contains(&one.sealed.position));
    faults.extend(rest.map(|one| Fault {
        kind: FaultKind::LinkBroken,
        position: Some(one.sealed.position),
        entry_id: Some(one.sealed.entry_id.clone()),
        detail: String::new(),
    }));
    faults
}

#[cfg(test)]
mod tests;
