//! The base of every province's calendar: the State Council's yearly notices, embedded.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use chrono::{Datelike, NaiveDate};

use super::rules::{CalendarChangeKind, DayMark};

/// Days that are not what their weekday says, and the years in which every such day is known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Base {
    marks: BTreeMap<NaiveDate, DayMark>,
    years: BTreeSet<i32>,
}

static STATE_COUNCIL: LazyLock<Base> = LazyLock::new(|| Base::parse(include_str!("data/calendar.csv")));

impl Base {
    /// What the State Council has announced so far.
    #[must_use]
    pub fn state_council() -> &'static Self {
        &STATE_COUNCIL
    }

    /// Reads rows of `day,kind,name`. A row that cannot be read is a mistake in our own file, which
    /// the test below finds; it is left out.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let read = |record: csv::StringRecord| {
            let day: NaiveDate = record.get(0)?.parse().ok()?;
            let mark =
                DayMark { kind: CalendarChangeKind::parse(record.get(1)?)?, name: record.get(2)?.to_owned() };
            Some((day, mark))
        };
        let marks: BTreeMap<NaiveDate, DayMark> =
            reader.records().filter_map(Result::ok).filter_map(read).collect();
        let years = marks.keys().map(Datelike::year).collect();
        Self { marks, years }
    }

    /// What the day is marked as, if its weekday does not say it.
    #[must_use]
    pub fn mark(&self, day: NaiveDate) -> Option<&DayMark> {
        self.marks.get(&day)
    }

    /// Whether the notice of the day's year is here.
    #[must_use]
    pub fn covers(&self, day: NaiveDate) -> bool {
        self.years.contains(&day.year())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read_and_twelve_years_are_known() {
        let base = Base::state_council();
        assert_eq!(base.marks.len(), include_str!("data/calendar.csv").lines().count() - 1);
        assert_eq!(base.years, (2015..=2026).collect());
    }

    #[test]
    fn a_make_up_workday_lies_on_a_weekend() {
        for (day, mark) in &Base::state_council().marks {
            let weekend = day.weekday().num_days_from_monday() >= 5;
            assert!(mark.kind == CalendarChangeKind::Holiday || weekend, "{day} works anyway");
        }
    }
}
