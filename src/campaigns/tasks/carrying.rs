//! What follows when assignments change: the counters of every unit above, and the assignments of
//! parents' tasks that the changed ones carry.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::count_store as counted;
use super::rules::{Assignment, AssignmentState, chain};
use crate::access::EffectTx;
use crate::access::policy::Effect;
use crate::audit::Told;
use crate::campaigns::clearing::duties;
use crate::campaigns::progress::service as counters;
use crate::campaigns::rules::{CampaignId, TaskId};
use crate::errors::Result;

/// What is to be added to the counters.
#[derive(Debug, Default)]
pub(super) struct Delta(BTreeMap<(CampaignId, String, NaiveDate), (i64, i64)>);

impl Delta {
    fn add(&mut self, one: &Assignment, sign: i64) {
        if !one.counts() {
            return;
        }
        let done = i64::from(one.state == AssignmentState::Done) * sign;
        for path in one.chain() {
            let sum = self.0.entry((one.campaign_id, path, one.due_on)).or_default();
            *sum = (sum.0 + sign, sum.1 + done);
        }
    }

    /// It counts no more as it was.
    pub(super) fn leave(&mut self, before: &Assignment) {
        self.add(before, -1);
    }

    /// It counts as it is.
    pub(super) fn enter(&mut self, after: &Assignment) {
        self.add(after, 1);
    }

    /// Adds it to the counters.
    pub(super) fn apply<E: Effect>(self, tx: &mut EffectTx<'_, E>) -> Result<()> {
        let moved = self.0.into_iter().filter(|(_, sum)| *sum != (0, 0));
        let rows =
            moved.map(|((campaign, path, due_on), (total, done))| (campaign, path, due_on, total, done));
        counters::add(tx, rows.collect())
    }
}

/// What follows from one assignment that has been completed or taken back.
pub(super) fn follow<E: Effect>(
    tx: &mut EffectTx<'_, E>,
    before: &Assignment,
    after: &Assignment,
) -> Result<()> {
    let mut delta = Delta::default();
    delta.leave(before);
    delta.enter(after);
    let parent = after.parent_task_id.into_iter().collect();
    settle(tx, &mut delta, parent, after.chain().into_iter().collect())?;
    delta.apply(tx)?;
    duties::changed(tx, &[(before.clone(), after.clone())])
}

/// Finds out anew, for the assignments of these tasks at these units, whether they are carried and
/// whether what carries them is done; and so on upwards. The counters come last, by `delta`: everybody
/// holds assignments before counters.
pub(super) fn settle<E: Effect>(
    tx: &mut EffectTx<'_, E>,
    delta: &mut Delta,
    mut tasks: BTreeSet<TaskId>,
    mut at: BTreeSet<String>,
) -> Result<()> {
    while !tasks.is_empty() && !at.is_empty() {
        let mut changed = Vec::new();
        let (mut above, mut places) = (BTreeSet::new(), BTreeSet::new());
        let there = counted::hold(tx, &tasks, &at)?;
        for alike in there.chunk_by(|one, other| one.unit_path == other.unit_path) {
            let Some(first) = alike.first() else { continue };
            let known = counted::carriers(tx, &tasks, &first.unit_path)?;
            for before in alike {
                let (carriers, done) = known.get(&before.task_id).copied().unwrap_or_default();
                let after = before.carried_by(carriers, done);
                if after == *before {
                    continue;
                }
                counted::save(tx, &after)?;
                delta.leave(before);
                delta.enter(&after);
                if after.state != before.state {
                    above.extend(after.parent_task_id);
                    places.extend(chain(&after.unit_path));
                }
                changed.push((before.clone(), after));
            }
        }
        duties::changed(tx, &changed)?;
        let told = changed.iter().map(|(before, after): &(Assignment, Assignment)| Told {
            id: after.id.to_string(),
            before: Some(before.facts()),
            after: Some(after.facts()),
            reason: None,
        });
        tx.record_many("task_assignment", told.collect::<Vec<_>>())?;
        (tasks, at) = (above, places);
    }
    Ok(())
}
