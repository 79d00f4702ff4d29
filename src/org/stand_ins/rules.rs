//! What a stand-in is.

use chrono::NaiveDate;

use crate::access::UserId;
use crate::db::{Id, Instant, text_enum};
use crate::org::officers::rules::OfficerId;
use crate::org::rules::UnitId;

/// Marks the identifier of a stand-in.
#[derive(Debug)]
pub struct StandInEntity;
/// The identifier of a stand-in.
pub type StandInId = Id<StandInEntity>;

/// Days a stand-in may last at most: a longer absence wants a new head.
pub const LONGEST_DAYS: i64 = 183;

text_enum! {
    /// What can be done with a stand-in.
    StandInAction as "stand_in_action" {
        End = "end", "终止", "End", orange;
    }
}

/// Somebody who stands in for the head of a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandIn {
    /// Its identifier.
    pub id: StandInId,
    /// The unit.
    pub unit_id: UnitId,
    /// Who stands in.
    pub officer_id: OfficerId,
    /// The first day.
    pub valid_from_on: NaiveDate,
    /// The last day.
    pub valid_until_on: NaiveDate,
    /// Why.
    pub reason: String,
    /// Who named them.
    pub named_by: UserId,
    /// When.
    pub created_at: Instant,
    /// When it was ended before its time.
    pub ended_at: Option<Instant>,
}

impl StandIn {
    /// 1, and 2 once it was ended before its time: nothing else of it ever changes.
    #[must_use]
    pub fn version(&self) -> i64 {
        1 + i64::from(self.ended_at.is_some())
    }

    /// Whether it counts on a day or will count later.
    #[must_use]
    pub fn lasts_on(&self, day: NaiveDate) -> bool {
        self.ended_at.is_none() && day <= self.valid_until_on
    }
}

/// Whether a period is one: in order, not over, not too long.
#[must_use]
pub fn is_period(from: NaiveDate, until: NaiveDate, today: NaiveDate) -> bool {
    from <= until && today <= until && (until - from).num_days() < LONGEST_DAYS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_in_order_not_over_and_at_most_half_a_year() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let today = day("2026-03-02");
        for (from, until, good) in [
            ("2026-03-01", "2026-03-31", true),
            ("2026-03-02", "2026-03-02", true),
            ("2026-03-03", "2026-03-02", false),
            ("2026-02-01", "2026-03-01", false),
            ("2026-03-01", "2026-08-30", true),
            ("2026-03-01", "2026-08-31", false),
        ] {
            assert_eq!(is_period(day(from), day(until), today), good, "{from} to {until}");
        }
    }
}
