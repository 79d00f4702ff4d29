//! Moves the demo's dates so that a visitor of any day finds the campaign in full swing.
//!
//! Whole weeks keep every weekday, so that a deadline written for a Friday stays a Friday.

use chrono::{Days, NaiveDate};

/// The shortest phase 2, in days, for which a shift is sure to put today inside it with room on both sides.
pub const MIN_PHASE2_DAYS: i64 = 28;

/// The number of whole weeks (negative: into the past) by which all dates of the demo move, so that `today` lies in
/// phase 2 and at most three days from its middle. Both ends of the phase are included in it.
///
/// The phase must span at least [`MIN_PHASE2_DAYS`]; of a shorter one the answer is still the nearest fit.
#[must_use]
pub fn week_shift(today: NaiveDate, phase2_start: NaiveDate, phase2_end: NaiveDate) -> i64 {
    let last_offset = (phase2_end - phase2_start).num_days();
    debug_assert!(last_offset + 1 >= MIN_PHASE2_DAYS, "phase 2 spans fewer than four weeks");
    let from_middle = (today - phase2_start).num_days() - last_offset.div_euclid(2);
    // Rounds to the nearest week. Seven is odd, so there is never a tie.
    (from_middle + 3).div_euclid(7)
}

/// `date` moved by `weeks` whole weeks; `None` outside of the calendar chrono knows.
#[must_use]
pub fn shift_date(date: NaiveDate, weeks: i64) -> Option<NaiveDate> {
    let days = Days::new(weeks.unsigned_abs().checked_mul(7)?);
    if weeks < 0 { date.checked_sub_days(days) } else { date.checked_add_days(days) }
}

#[cfg(test)]
mod tests {
    use chrono::Datelike;

    use super::*;

    fn day(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    fn phase2() -> (NaiveDate, NaiveDate) {
        (day(2024, 4, 1), day(2024, 6, 16))
    }

    #[test]
    fn the_middle_needs_no_shift_and_neither_do_three_days_around_it() {
        let (start, end) = phase2();
        let middle = day(2024, 5, 9);
        for offset in -3..=3_i64 {
            let today = middle + chrono::TimeDelta::days(offset);
            assert_eq!(week_shift(today, start, end), 0, "{today}");
        }
        assert_eq!(week_shift(day(2024, 5, 5), start, end), -1);
        assert_eq!(week_shift(day(2024, 5, 13), start, end), 1);
    }

    #[test]
    fn both_ends_of_the_phase_shift_by_half_of_it() {
        let (start, end) = phase2();
        assert_eq!(week_shift(start, start, end), -5);
        assert_eq!(week_shift(end, start, end), 5);
    }

    #[test]
    fn every_day_of_many_years_lands_within_three_days_of_the_middle() {
        let (start, end) = phase2();
        for today in day(2015, 1, 1).iter_days().take(365 * 40) {
            let weeks = week_shift(today, start, end);
            let from = shift_date(start, weeks).unwrap();
            let until = shift_date(end, weeks).unwrap();
            assert!(from <= today && today <= until, "{today}");
            assert_eq!(from.weekday(), start.weekday());
            let middle = from + (until - from) / 2;
            assert!((today - middle).num_days().abs() <= 3, "{today}");
        }
    }

    #[test]
    fn far_past_and_far_future_work() {
        let (start, end) = phase2();
        for today in [day(1999, 12, 31), day(2100, 2, 28), day(1, 1, 1)] {
            let weeks = week_shift(today, start, end);
            assert!(shift_date(start, weeks).unwrap() <= today);
            assert!(today <= shift_date(end, weeks).unwrap());
        }
    }

    #[test]
    fn the_shortest_phase_of_any_length_still_holds_today() {
        let start = day(2024, 4, 1);
        for length in MIN_PHASE2_DAYS..120 {
            let end = start + chrono::TimeDelta::days(length - 1);
            for today in day(2026, 1, 1).iter_days().take(14) {
                let weeks = week_shift(today, start, end);
                assert!(shift_date(start, weeks).unwrap() <= today);
                assert!(today <= shift_date(end, weeks).unwrap());
            }
        }
    }

    #[test]
    fn a_date_beyond_the_calendar_is_none() {
        assert_eq!(shift_date(day(2024, 1, 1), i64::MAX), None);
        assert_eq!(shift_date(day(2024, 1, 1), i64::MIN), None);
    }

    #[test]
    #[should_panic(expected = "fewer than four weeks")]
    fn a_phase_under_four_weeks_is_a_mistake() {
        let _ = week_shift(day(2024, 5, 1), day(2024, 4, 1), day(2024, 4, 27));
    }
}
