//! Which units stood above one at a moment, and who had taken over by then from those that ended: for what is told of late.
//!
//! The tree is kept by days. Within the day of a change, what was before it is told from what came after by when it was
//! entered; of several places of one unit on one day the last alone is known, and what was before the first.

use std::collections::HashMap;

use chrono::NaiveDate;

use super::moment_store as store;
use super::rules::takes_effect;
use crate::access::Tx;
use crate::access::policy::Action;
use crate::db::Instant;
use crate::errors::Result;
use crate::org::rules::UnitId;

/// What a period says of a unit's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Its first day.
    pub from_on: NaiveDate,
    /// When that place was entered.
    pub entered_at: Instant,
    /// The unit above.
    pub parent_id: Option<UnitId>,
    /// Who took over from the unit.
    pub successor_id: Option<UnitId>,
}

/// How a unit stood at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stood {
    under: Option<UnitId>,
    ended_in: Option<UnitId>,
}

/// How it stood at a moment whose periods are these, the oldest first. Before it was there it stood as it did at first.
fn stood(stretches: &[Stretch], at: Instant) -> Option<Stood> {
    let begun = stretches.partition_point(|one| takes_effect(one.from_on, one.entered_at) <= at);
    let so_far = stretches.get(..begun.max(1))?;
    // Whoever took over has done so for good, though a later period may not say it again.
    let ended_in = so_far.iter().take(begun).rev().find_map(|one| one.successor_id);
    so_far.last().map(|one| Stood { under: one.parent_id, ended_in })
}

fn all_stood<A: Action>(tx: &mut Tx<'_, A>, ids: &[UnitId], at: Instant) -> Result<HashMap<UnitId, Stood>> {
    let found = store::stretches(tx, ids)?;
    Ok(found.into_iter().filter_map(|(id, stretches)| Some((id, stood(&stretches, at)?))).collect())
}

/// Who each of the units was at a moment: itself, or who had taken over from it by then, and from that one in turn.
///
/// # Errors
/// When the database fails.
pub fn carried_on<A: Action>(
    tx: &mut Tx<'_, A>,
    ids: &[UnitId],
    at: Instant,
) -> Result<HashMap<UnitId, UnitId>> {
    let mut by: HashMap<UnitId, UnitId> = ids.iter().map(|id| (*id, *id)).collect();
    // This comes to an end: what has ended takes over from nobody.
    loop {
        let mut asked: Vec<UnitId> = by.values().copied().collect();
        asked.sort_unstable();
        asked.dedup();
        let stood = all_stood(tx, &asked, at)?;
        let mut is_settled = true;
        for one in by.values_mut() {
            if let Some(next) = stood.get(one).and_then(|stood| stood.ended_in) {
                (*one, is_settled) = (next, false);
            }
        }
        if is_settled {
            return Ok(by);
        }
    }
}

/// The unit and those above it at a moment, from below; of each that had ended by then, who had taken over from it.
///
/// # Errors
/// When the database fails.
pub fn upwards<A: Action>(tx: &mut Tx<'_, A>, id: UnitId, at: Instant) -> Result<Vec<UnitId>> {
    let mut line: Vec<UnitId> = Vec::new();
    let mut next = Some(id);
    while let Some(id) = next {
        let id = carried_on(tx, &[id], at)?.get(&id).copied().unwrap_or(id);
        // Of a day with several changes the line may be told wrongly; it still has an end.
        if line.contains(&id) {
            break;
        }
        line.push(id);
        next = all_stood(tx, &[id], at)?.get(&id).and_then(|stood| stood.under);
    }
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(day: &str, entered_at: Instant, under: UnitId, ended_in: Option<UnitId>) -> Stretch {
        Stretch { from_on: day.parse().unwrap(), entered_at, parent_id: Some(under), successor_id: ended_in }
    }

    #[test]
    fn a_unit_stood_where_its_last_change_by_then_had_put_it() {
        let noon = |day: &str| Instant::start_of_shanghai_day(day.parse().unwrap()).plus_seconds(43_200);
        let [first, then, last, other] = [(); 4].map(|()| UnitId::generate());
        let stretches = [
            stretch("2026-03-01", noon("2026-03-01"), first, None),
            // Entered on its day, and five days later.
            stretch("2026-03-05", noon("2026-03-05"), then, Some(other)),
            stretch("2026-03-10", noon("2026-03-15"), last, None),
        ];
        let found = |at: Instant| stood(&stretches, at).map(|stood| (stood.under.unwrap(), stood.ended_in));
        let midnight = noon("2026-03-10").plus_seconds(-43_200);
        for (at, wanted) in [
            (noon("2026-02-01"), (first, None)),
            (noon("2026-03-05").plus_seconds(-1), (first, None)),
            (noon("2026-03-05"), (then, Some(other))),
            (midnight.plus_seconds(-1), (then, Some(other))),
            // What a later period forgot is known still.
            (midnight, (last, Some(other))),
        ] {
            assert_eq!(found(at), Some(wanted), "{at}");
        }
        assert_eq!(stood(&[], midnight), None);
    }
}
