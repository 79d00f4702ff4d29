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

/// What the counters of a unit come to on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// All assignments.
    pub total: i64,
    /// Those done.
    pub done: i64,
    /// Those due by the day, the day included, and not done.
    pub due_open: i64,
    /// Those whose last day is over and that are not done.
    pub overdue: i64,
}

impl From<Sums> for Figures {
    fn from(Sums { total, done, due_open, overdue }: Sums) -> Self {
        Self { total, done, due_or_done: done + due_open, overdue }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the store has the database sum.
    fn sums(counted: &[Counted], on: NaiveDate) -> Sums {
        counted.iter().fold(Sums::default(), |sum, one| Sums {
            total: sum.total + one.total,
            done: sum.done + one.done,
            due_open: sum.due_open + if one.due_on <= on { one.total - one.done } else { 0 },
            overdue: sum.overdue + if one.due_on < on { one.total - one.done } else { 0 },
        })
    }

    #[test]
    fn progress_is_done_by_due_or_done() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let counted = [
            Counted { due_on: day("2026-06-01"), total: 10, done: 7 },
            Counted { due_on: day("2026-06-02"), total: 5, done: 1 },
            Counted { due_on: day("2026-06-03"), total: 20, done: 2 },
        ];
        let figures = Figures::from(sums(&counted, day("2026-06-02")));
        // The last day itself is due and not yet overdue.
        assert_eq!(figures, Figures { total: 35, done: 10, due_or_done: 17, overdue: 3 });
    }

    proptest! {
        #[test]
        fn done_is_never_more_than_due_or_done_nor_that_more_than_all(
            rows in proptest::collection::vec((0_i64..400, 0_i64..50, 0_i64..50), 0..20), on in 0_i64..400,
        ) {
            let first = NaiveDate::default();
            let on = first + chrono::Duration::days(on);
            let counted: Vec<Counted> = rows.iter().map(|(day, one, other)| Counted {
                due_on: first + chrono::Duration::days(*day), total: *one.max(other), done: *one.min(other),
            }).collect();
            let figures = Figures::from(sums(&counted, on));
            prop_assert!(figures.done <= figures.due_or_done && figures.due_or_done <= figures.total);
            prop_assert!(figures.overdue <= figures.due_or_done - figures.done);
            let one_by_one: i64 = counted.iter().map(|one| if one.due_on <= on { one.total } else { one.done }).sum();
            prop_assert_eq!(figures.due_or_done, one_by_one);
        }
    }
}
