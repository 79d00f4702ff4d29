//! The checkpoints of a chain, the smallest first: those of the database, a page at a time, and among them those that somebody
//! has kept elsewhere.

use std::collections::VecDeque;

use super::checkpoint::{Checkpoint, Verifier};
use super::verification::{Found, Step, unexpected};
use super::{hex, store};
use crate::errors::Result;

/// Asks for them as it comes to them.
pub(super) struct Notes<'v> {
    verifier: &'v Verifier,
    /// Those of the database that were asked for, and not for nothing.
    page: VecDeque<Checkpoint>,
    /// How many pages there were.
    pages: u64,
    /// Rows under the last of them.
    last: i64,
    /// There were no more when that was last asked.
    is_dry: bool,
    /// Those kept elsewhere.
    kept: VecDeque<Checkpoint>,
    forged: Vec<u64>,
    signed: Option<u64>,
}

impl<'v> Notes<'v> {
    /// Those of this key; `kept` are the notes that somebody has kept elsewhere.
    pub(super) fn new(verifier: &'v Verifier, kept: &[String]) -> Self {
        let opened: Vec<_> = kept.iter().map(|note| verifier.open(note)).collect();
        // Of how many rows it would be is not known.
        let forged = opened.iter().filter(|one| one.is_none()).map(|_| 0).collect();
        let mut kept: Vec<Checkpoint> = opened.into_iter().flatten().collect();
        kept.sort_by_key(|one| one.size);
        Self {
            verifier,
            page: VecDeque::new(),
            pages: 0,
            last: 0,
            is_dry: false,
            kept: kept.into(),
            forged,
            signed: None,
        }
    }

    /// Asks whether there are more by now, if none is left.
    pub(super) async fn fill(&mut self, look: &impl AsyncFn(Step) -> Result<Found>) -> Result<()> {
        self.is_dry = false;
        while self.page.is_empty() && !self.is_dry {
            let Found::Checkpoints(some) = look(Step::Checkpoints(self.last)).await? else {
                return Err(unexpected());
            };
            let Some(newest) = some.last() else {
                self.is_dry = true;
                break;
            };
            self.last = newest.size;
            self.pages += 1;
            for (at, one) in some.into_iter().enumerate() {
                match self.verifier.open(&one.note) {
                    Some(opened)
                        if store::position(opened.size)? == one.size && hex(&opened.root) == one.root =>
                    {
                        self.page.push_back(opened);
                    }
                    _ => self.forged.push(u64::try_from(one.size).unwrap_or_default()),
                }
                // Whoever else has this thread goes on in between.
                if at % 200 == 0 {
                    tokio::task::yield_now().await;
                }
            }
        }
        Ok(())
    }

    /// The next, if it is of so many rows at most.
    pub(super) async fn next(
        &mut self,
        most: u64,
        look: &impl AsyncFn(Step) -> Result<Found>,
    ) -> Result<Option<Checkpoint>> {
        if self.page.is_empty() && !self.is_dry {
            self.fill(look).await?;
        }
        Ok(self.next_here(most))
    }

    /// The next of those that were asked for, if it is of so many rows at most.
    pub(super) fn next_here(&mut self, most: u64) -> Option<Checkpoint> {
        let first =
            |queue: &VecDeque<Checkpoint>| queue.front().map(|one| one.size).filter(|size| *size <= most);
        match (first(&self.kept), first(&self.page)) {
            (Some(kept), Some(ours)) if kept <= ours => self.kept.pop_front(),
            (Some(_), None) => self.kept.pop_front(),
            (_, Some(_)) => self.page.pop_front(),
            (None, None) => None,
        }
    }

    /// Whether there were no more when that was last asked.
    pub(super) const fn is_dry(&self) -> bool {
        self.is_dry
    }

    /// The number of the page that the last came from.
    pub(super) const fn page(&self) -> u64 {
        self.pages
    }

    /// Those that bear no signature of this key, as far as none was told of them yet: of how many rows they say that they are.
    pub(super) fn forged(&mut self) -> Vec<u64> {
        std::mem::take(&mut self.forged)
    }

    /// One of so many rows was compared, or would be if the chain were as long.
    pub(super) fn counts(&mut self, size: u64) {
        self.signed = self.signed.max(Some(size));
    }

    /// Rows under the largest of those.
    pub(super) const fn signed(&self) -> Option<u64> {
        self.signed
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::super::checkpoint::Signer;
    use super::super::service::{CheckpointId, Kept};
    use super::*;
    use crate::db::Clock;

    fn signer() -> Signer {
        Signer::of_seed(&[7; 32]).unwrap()
    }

    fn note(signer: &Signer, size: u64, at: &str) -> String {
        let (origin, at) = ("pingyi/53".to_owned(), at.to_owned());
        signer.sign(&Checkpoint { origin, size, root: [1; 32], link: [2; 32], at, holds: None })
    }

    /// A checkpoint as the database has it.
    fn row(signer: &Signer, size: i64) -> Kept {
        Kept {
            id: CheckpointId::generate(),
            size,
            root: hex(&[1; 32]),
            note: note(signer, size.unsigned_abs(), "database"),
            created_at: Clock::system().now(),
        }
    }

    /// Those of a database that answers two at a time; how often it was asked.
    fn two_of(rows: &[Kept], asked: &Cell<u32>, step: Step) -> Result<Found> {
        let Step::Checkpoints(above) = step else { return Err(unexpected()) };
        asked.set(asked.get() + 1);
        Ok(Found::Checkpoints(rows.iter().filter(|one| one.size > above).take(2).cloned().collect()))
    }

    fn run<R>(work: impl Future<Output = R>) -> R {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(work)
    }

    #[test]
    fn they_come_in_their_order_wherever_they_were_kept() {
        let (signer, asked) = (signer(), Cell::new(0));
        let rows: Vec<Kept> = [3, 5, 8, 9, 20].map(|size| row(&signer, size)).into();
        let kept = [30, 5, 1, 7].map(|size| note(&signer, size, "elsewhere"));
        let look = async |step: Step| two_of(&rows, &asked, step);
        let verifier = signer.verifier("pingyi/53");
        let mut notes = Notes::new(&verifier, &kept);
        let (mut sizes, mut most) = (Vec::new(), 8);
        run(async {
            for next in [9, 10, u64::MAX, 0] {
                notes.fill(&look).await.unwrap();
                while let Some(one) = notes.next(most, &look).await.unwrap() {
                    notes.counts(one.size);
                    sizes.push((one.size, one.at == "database", notes.page()));
                }
                most = next;
            }
        });
        let (ours, theirs) = (true, false);
        let wanted = [
            (1, theirs, 1),
            (3, ours, 1),
            (5, theirs, 1),
            (5, ours, 1),
            (7, theirs, 2),
            (8, ours, 2),
            (9, ours, 2),
            (20, ours, 3),
            (30, theirs, 3),
        ];
        assert_eq!(sizes, wanted);
        assert_eq!((notes.signed(), notes.forged()), (Some(30), vec![]));
        assert!(asked.get() < 8, "nobody asks for each: {}", asked.get());
    }

    #[test]
    fn one_that_has_come_meanwhile_is_there_when_it_is_asked_for_again() {
        let (signer, asked, rows) = (signer(), Cell::new(0), RefCell::new(Vec::new()));
        let look = async |step: Step| two_of(&rows.borrow(), &asked, step);
        let verifier = signer.verifier("pingyi/53");
        let mut notes = Notes::new(&verifier, &[]);
        run(async {
            notes.fill(&look).await.unwrap();
            rows.borrow_mut().push(row(&signer, 4));
            // Places were looked at before it came: what it is of may not be among them.
            assert_eq!(notes.next(u64::MAX, &look).await.unwrap(), None);
            notes.fill(&look).await.unwrap();
            assert_eq!(notes.next(3, &look).await.unwrap(), None);
            assert_eq!(notes.next(4, &look).await.unwrap().map(|one| one.size), Some(4));
            assert_eq!(notes.signed(), None, "nobody has compared it");
        });
    }

    #[test]
    fn what_bears_no_signature_of_the_key_is_told_and_passed_over() {
        let (signer, other, asked) = (signer(), Signer::of_seed(&[8; 32]).unwrap(), Cell::new(0));
        let moved = Kept { size: 6, ..row(&signer, 5) };
        let rows = [row(&other, 1), row(&other, 2), row(&other, 3), row(&signer, 4), moved];
        let look = async |step: Step| two_of(&rows, &asked, step);
        let verifier = signer.verifier("pingyi/53");
        let mut notes = Notes::new(&verifier, &[note(&other, 9, "elsewhere")]);
        run(async {
            let first = notes.next(u64::MAX, &look).await.unwrap();
            assert_eq!(first.map(|one| notes.counts(one.size)), Some(()));
            assert_eq!(notes.next(u64::MAX, &look).await.unwrap(), None);
        });
        assert_eq!((notes.forged(), notes.forged(), notes.signed()), (vec![0, 1, 2, 3, 6], vec![], Some(4)));
    }
}
