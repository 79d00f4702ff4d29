//! How much is done in one step.

use std::time::Duration;

/// How long a step may take where one writer serves everybody.
const OF_ONE_WRITER: Duration = Duration::from_millis(8);
/// How long where writers work beside each other, and each step has a dozen round trips to make.
const OF_MANY: Duration = Duration::from_millis(150);
/// Rows in one step at most.
const MOST_IN_A_STEP: usize = 1000;

/// How many rows a step takes, so that it does not take longer than it may.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    pub(super) rows: usize,
    step: Duration,
}

impl Pace {
    /// The first step takes so many.
    pub(super) fn beginning(rows: usize, one_writer: bool) -> Self {
        Self { rows, step: if one_writer { OF_ONE_WRITER } else { OF_MANY } }
    }

    pub(super) fn adapt(&mut self, rows: usize, took: Duration) {
        if rows < self.rows && took < self.step {
            return;
        }
        let fits = rows.max(1) as u128 * self.step.as_micros() / took.as_micros().max(1);
        let fits = usize::try_from(fits).unwrap_or(MOST_IN_A_STEP);
        self.rows = fits.clamp(1, self.rows.saturating_mul(2)).min(MOST_IN_A_STEP);
    }

    pub(super) fn most(self) -> i64 {
        i64::try_from(self.rows).unwrap_or(i64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_takes_as_many_rows_as_there_is_time_for() {
        let mut pace = Pace::beginning(50, true);
        let step = pace.step;
        pace.adapt(50, step * 4);
        assert_eq!(pace.rows, 12, "too slow: fewer");
        pace.adapt(12, step / 100);
        assert_eq!(pace.rows, 24, "fast: twice as many, not more at once");
        pace.adapt(3, step / 2);
        assert_eq!(pace.rows, 24, "a few rows at the end say nothing");
        for _ in 0..20 {
            pace.adapt(pace.rows, Duration::ZERO);
        }
        assert_eq!(pace.rows, MOST_IN_A_STEP);
        pace.adapt(1, step * 1000);
        assert_eq!(pace.rows, 1);
    }
}
