//! The arithmetic of progress.

use chrono::NaiveDate;

/// How many assignments there are of one deadline, and how many of them are done.
#[derive(Debug, Clone, Copy)]
pub struct Counted {
    /// The last day.
    pub due_on: NaiveDate,
    /// All of them.
    pub total: i64,
    /// Those done.
    pub done: i64,
}

/// What a unit and those below it have come to on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Figures {
    /// All assignments.
    pub total: i64,
    /// Those done.
    pub done: i64,
    /// Those due by the day or done before they are due.
    pub due_or_done: i64,
    /// Those whose last day is over and that are not done.
    pub overdue: i64,
}

impl Figures {
    /// Of counters, on a day.
    #[must_use]
    pub fn of(counted: impl IntoIterator<Item = Counted>, on: NaiveDate) -> Self {
        counted.into_iter().fold(Self::default(), |sum, one| Self {
            total: sum.total + one.total,
            done: sum.done + one.done,
            due_or_done: sum.due_or_done + if one.due_on <= on { one.total } else { one.done },
            overdue: sum.overdue + if one.due_on < on { one.total - one.done } else { 0 },
        })
    }
}

/// A share in per cent with two decimals, half up; none of nothing.
#[must_use]
pub fn percent(numerator: i64, denominator: i64) -> Option<String> {
    if denominator <= 0 {
        return None;
    }
    let (numerator, denominator) = (i128::from(numerator), i128::from(denominator));
    let hundredths = (numerator * 20_000 + denominator) / (denominator * 2);
    Some(format!("{}.{:02}", hundredths / 100, hundredths % 100))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn progress_is_done_by_due_or_done() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let counted = [
            Counted { due_on: day("2026-06-01"), total: 10, done: 7 },
            Counted { due_on: day("2026-06-02"), total: 5, done: 1 },
            Counted { due_on: day("2026-06-03"), total: 20, done: 2 },
        ];
        let figures = Figures::of(counted, day("2026-06-02"));
        // The last day itself is due and not yet overdue.
        assert_eq!(figures, Figures { total: 35, done: 10, due_or_done: 17, overdue: 3 });
        assert_eq!(percent(figures.done, figures.due_or_done).as_deref(), Some("58.82"));
        assert_eq!(percent(0, 0), None);
        assert_eq!(percent(1, 8).as_deref(), Some("12.50"));
        assert_eq!(percent(2, 3).as_deref(), Some("66.67"));
        assert_eq!(percent(1, 1).as_deref(), Some("100.00"));
    }

    proptest! {
        #[test]
        fn done_is_never_more_than_due_or_done_nor_that_more_than_all(
            rows in proptest::collection::vec((0_i64..400, 0_i64..50, 0_i64..50), 0..20), on in 0_i64..400,
        ) {
            let first = NaiveDate::default();
            let counted = rows.iter().map(|(day, one, other)| Counted {
                due_on: first + chrono::Duration::days(*day), total: *one.max(other), done: *one.min(other),
            });
            let figures = Figures::of(counted, first + chrono::Duration::days(on));
            prop_assert!(figures.done <= figures.due_or_done && figures.due_or_done <= figures.total);
            prop_assert!(figures.overdue <= figures.due_or_done - figures.done);
        }
    }
}
