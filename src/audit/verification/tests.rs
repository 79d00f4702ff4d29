//! A chain that somebody goes through while it grows, a little at a time.

use std::cell::RefCell;

use super::super::chain::{Digest, Tree, link};
use super::super::checkpoint::Checkpoint;
use super::super::hex;
use super::super::service::CheckpointId;
use super::*;
use crate::db::Clock;

fn tenant() -> TenantId {
    TenantId::parse("53").unwrap()
}

fn signer() -> Signer {
    Signer::of_seed(&[7; 32]).unwrap()
}

fn logged() -> Logged {
    let id = EntryId::generate();
    Logged {
        id,
        at: Clock::system().now(),
        actor: "public".into(),
        user_id: None,
        roles: String::new(),
        action: "plan.submit".into(),
        entity: "plan".into(),
        entity_id: id.to_string(),
        before_digest: None,
        after_digest: None,
        reason: None,
        request_id: "r".into(),
        salt: Some("00112233445566778899aabbccddeeff".into()),
    }
}

fn commitment(row: &Logged) -> Digest {
    row.content(tenant()).commitment(&row.salt_bytes())
}

/// What a database has of a chain; it tells two rows at a time.
#[derive(Default, Clone)]
struct Log {
    tree: Tree,
    link: Digest,
    places: Vec<(Place, Logged)>,
    list: Tree,
    held: Vec<HeldRow>,
    checkpoints: Vec<Kept>,
}

impl Log {
    /// A row is sealed, another is held back, and a checkpoint is made of both.
    fn grow(&mut self) {
        let (row, waiting, now) = (logged(), logged(), Clock::system().now());
        self.tree.push(&commitment(&row));
        let size = self.tree.size();
        self.link = link(&self.link, size, &commitment(&row));
        let position = store::position(size).unwrap();
        let place = Place {
            position,
            entry_id: row.id,
            commitment: hex(&commitment(&row)),
            link: hex(&self.link),
            sealed_at: now,
        };
        self.places.push((place, row));
        self.list.push(&commitment(&waiting));
        self.held.push(HeldRow {
            position,
            entry_id: waiting.id,
            commitment: hex(&commitment(&waiting)),
            waits: Some(waiting.id),
            row: Some(waiting),
            sealed: None,
        });
        let (root, link, at) = (self.tree.root(), self.link, now.to_string());
        let checkpoint = Checkpoint { origin: "pingyi/53".into(), size, root, link, at, holds: None };
        let note = signer().sign(&signer().committed(checkpoint, &self.list));
        let id = CheckpointId::generate();
        self.checkpoints.push(Kept { id, size: position, root: hex(&root), note, created_at: now });
    }

    fn grown(size: usize) -> Self {
        let mut log = Self::default();
        (0..size).for_each(|_| log.grow());
        log
    }

    fn tell(&self, step: Step) -> Found {
        match step {
            Step::Checkpoints(above) => {
                let some = self.checkpoints.iter().filter(|one| one.size > above).take(2);
                Found::Checkpoints(some.cloned().collect())
            }
            Step::Places(behind) => {
                let some = self.places.iter().filter(|one| one.0.position > behind).take(2);
                Found::Places(some.cloned().map(|(place, row)| (place, Some(row))).collect())
            }
            Step::HeldHead => Found::HeldHead(Some(self.list.clone())),
            Step::Held(behind) => {
                Found::Held(self.held.iter().filter(|one| one.position > behind).take(2).cloned().collect())
            }
            Step::Unlisted(_) => Found::Unlisted(Vec::new(), None),
            Step::Strays(_) => Found::Strays(Vec::new(), None),
            Step::Waiting => Found::Waiting(0, Vec::new()),
        }
    }
}

/// Goes through a log that grows with every look until it has so many rows, beside checkpoints kept elsewhere.
fn verified(log: &Log, until: usize, kept: &[String]) -> Verification {
    let log = RefCell::new(log.clone());
    let look = async |step: Step| {
        let mut log = log.borrow_mut();
        let found = log.tell(step);
        if log.places.len() < until {
            log.grow();
        }
        Ok(found)
    };
    let (signer, verifier) = (signer(), signer().verifier("pingyi/53"));
    let work = verify((tenant(), &verifier, &signer, kept.to_vec()), look);
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work).unwrap()
}

fn faults(done: &Verification) -> Vec<String> {
    let name = |fault: &Fault| format!("{} {}", fault.kind, fault.position.unwrap_or_default());
    done.verdict.faults.iter().map(name).collect()
}

#[test]
fn what_comes_meanwhile_is_no_fault_and_gone_through_too() {
    for begun_with in [0, 1, 2, 5, 12] {
        let done = verified(&Log::grown(begun_with), 12, &[]);
        assert_eq!(faults(&done), [""; 0], "{begun_with}");
        // Where nothing is at first nothing is waited for.
        if begun_with > 0 {
            let Verdict { size, checkpoints, .. } = done.verdict;
            assert_eq!((size, checkpoints, done.signed), (12, 12, Some(12)), "{begun_with}");
        }
    }
}

#[test]
fn a_chain_that_was_cut_off_is_told_as_that_alone() {
    let mut log = Log::grown(9);
    let kept: Vec<String> = log.checkpoints.iter().map(|one| one.note.clone()).collect();
    log.places.truncate(5);
    // What went with it of the list, its head too, is not told of by checkpoints of a longer chain.
    log.held.truncate(5);
    log.list = Tree::default();
    for row in &log.held {
        log.list.push(&digest_from(&row.commitment).unwrap());
    }
    let done = verified(&log, 0, &[]);
    assert_eq!((faults(&done), done.signed), (vec!["truncated 5".to_owned()], Some(9)));
    // The checkpoints went too: whoever has kept them is told the same.
    log.checkpoints.clear();
    assert_eq!(faults(&verified(&log, 0, &[])), [""; 0]);
    let done = verified(&log, 0, &kept);
    assert_eq!((faults(&done), done.signed), (vec!["truncated 5".to_owned()], Some(9)));
    assert_eq!(done.verdict.checkpoints, 5);
}

#[test]
fn a_list_that_was_cut_off_is_told_once_and_by_the_first_that_is_of_more() {
    let mut log = Log::grown(9);
    log.held.truncate(5);
    let done = verified(&log, 0, &[]);
    assert_eq!(faults(&done), ["holds_rewritten 6"]);
    assert!(done.verdict.faults[0].detail.contains("4 checkpoints"), "{:?}", done.verdict.faults);
}
