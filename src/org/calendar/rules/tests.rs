//! Real cases of the State Council's notices, and what holds for every calendar.

use chrono::TimeDelta;
use proptest::prelude::*;

use super::*;

fn on(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn mark(kind: CalendarChangeKind) -> DayMark {
    DayMark { kind, name: "泼水节".into() }
}

fn plain() -> Calendar<'static> {
    Calendar::new(Base::state_council(), BTreeMap::new())
}

fn changed(changes: &[(&str, CalendarChangeKind)]) -> Calendar<'static> {
    let changes = changes.iter().map(|(day, kind)| (on(day), mark(*kind))).collect();
    Calendar::new(Base::state_council(), changes)
}

fn due(calendar: &Calendar<'_>, from: &str, n: u32) -> String {
    calendar.add_working_days(on(from), n).value.to_string()
}

#[test]
fn days_are_what_the_notices_say() {
    let calendar = plain();
    let cases = [
        ("2026-02-13", DayKind::WeekdayWork, None),
        ("2026-02-14", DayKind::MakeUpWorkday, Some("春节")),
        ("2026-02-15", DayKind::Holiday, Some("春节")),
        ("2026-02-17", DayKind::Holiday, Some("春节")),
        ("2026-02-28", DayKind::MakeUpWorkday, Some("春节")),
        ("2026-03-01", DayKind::Weekend, None),
        ("2026-09-20", DayKind::MakeUpWorkday, Some("国庆节")),
        ("2026-10-01", DayKind::Holiday, Some("国庆节")),
        ("2026-10-10", DayKind::MakeUpWorkday, Some("国庆节")),
    ];
    for (day, kind, name) in cases {
        let found = calendar.day(on(day));
        assert_eq!((found.kind, found.name.as_deref()), (kind, name), "{day}");
        assert!(!found.changed && !found.provisional, "{day}");
    }
}

#[test]
fn limits_over_spring_festival_and_national_day() {
    let calendar = plain();
    // A fact on the Friday before Spring Festival 2026: the Saturday makes up for it, nine days rest.
    assert_eq!(due(&calendar, "2026-02-13", 1), "2026-02-14");
    assert_eq!(due(&calendar, "2026-02-13", 3), "2026-02-25");
    // The Saturday after it works again.
    assert_eq!(due(&calendar, "2026-02-27", 1), "2026-02-28");
    assert_eq!(due(&calendar, "2026-02-27", 2), "2026-03-02");
    // A fact on a rest day counts from the next working day as any other.
    assert_eq!(due(&calendar, "2026-10-03", 3), "2026-10-10");
    assert_eq!(due(&calendar, "2026-04-30", 3), "2026-05-08");
    // An ordinary week.
    assert_eq!(due(&calendar, "2026-03-06", 3), "2026-03-11");
    let skipped: Vec<_> = calendar.skipped(on("2026-02-13"), 3).iter().map(|day| day.on).collect();
    assert_eq!(skipped, on("2026-02-15").iter_days().take(9).collect::<Vec<_>>());
}

#[test]
fn zero_working_days_are_the_day_itself_or_the_next_that_works() {
    let calendar = plain();
    assert_eq!(due(&calendar, "2026-02-13", 0), "2026-02-13");
    assert_eq!(due(&calendar, "2026-02-14", 0), "2026-02-14", "a make-up workday works");
    assert_eq!(due(&calendar, "2026-02-15", 0), "2026-02-24");
    assert_eq!(due(&calendar, "2026-02-15", 1), "2026-02-24", "both end there");
    assert_eq!(calendar.skipped(on("2026-02-15"), 0).len(), 9);
    assert!(calendar.skipped(on("2026-02-13"), 0).is_empty());
}

#[test]
fn a_province_may_say_otherwise() {
    let holiday = changed(&[("2026-04-14", CalendarChangeKind::Holiday)]);
    assert_eq!(due(&plain(), "2026-04-13", 1), "2026-04-14");
    assert_eq!(due(&holiday, "2026-04-13", 1), "2026-04-15");
    assert!(holiday.day(on("2026-04-14")).changed);
    // A holiday of the notice that works in this province is an ordinary working weekday.
    let duty = changed(&[("2026-10-05", CalendarChangeKind::Workday)]);
    assert_eq!(duty.day(on("2026-10-05")).kind, DayKind::WeekdayWork);
    assert_eq!(due(&duty, "2026-09-30", 1), "2026-10-05");
    let weekend = changed(&[("2026-10-04", CalendarChangeKind::Workday)]);
    assert_eq!(weekend.day(on("2026-10-04")).kind, DayKind::MakeUpWorkday);
}

#[test]
fn what_rests_on_a_year_without_a_notice_is_provisional() {
    let calendar = plain();
    let told = |from: &str, n| calendar.add_working_days(on(from), n).provisional;
    assert!(!told("2026-12-30", 1));
    assert!(told("2026-12-31", 1), "it ends in 2027");
    assert!(told("2014-12-31", 0));
    assert!(!told("2014-12-31", 1), "the day of the fact is not looked at");
    assert!(calendar.working_days_between(on("2026-12-31"), on("2027-01-01")).provisional);
    assert!(!calendar.working_days_between(on("2026-12-31"), on("2026-12-31")).provisional);
    // What the province itself has said of a day is certain.
    let known = changed(&[("2027-01-01", CalendarChangeKind::Holiday)]);
    assert!(!known.is_working_day(on("2027-01-01")).provisional);
    assert!(known.is_working_day(on("2027-01-04")).provisional);
}

#[test]
fn counting_ends_where_days_end() {
    let last = plain().add_working_days(NaiveDate::MAX, 3);
    assert_eq!(last.value, NaiveDate::MAX);
    assert_eq!(plain().working_days_between(on("2026-03-06"), on("2026-03-01")).value, 0);
}

#[test]
fn a_range_has_an_order_and_an_end() {
    let wrong = |from: &str, to: Option<&str>| {
        let error = range(on(from), to.map(on)).unwrap_err();
        (format!("{:?}", error.errors()[0].place), error.errors()[0].code)
    };
    assert_eq!(range(on("2026-02-01"), None).unwrap().1, on("2026-03-03"));
    assert_eq!(range(LAST_DAY, None).unwrap(), (LAST_DAY, LAST_DAY));
    assert_eq!(range(on("2026-01-01"), Some(on("2027-02-04"))).unwrap().1, on("2027-02-04"));
    assert_eq!(wrong("2026-01-01", Some("2027-02-05")), (r#"Query("to_on")"#.into(), Code::TooBig));
    assert_eq!(wrong("2026-01-02", Some("2026-01-01")), (r#"Query("to_on")"#.into(), Code::OutOfOrder));
    assert_eq!(wrong("2100-12-31", Some("2101-01-01")), (r#"Query("to_on")"#.into(), Code::TooBig));
    assert_eq!(wrong("1999-12-31", None), (r#"Query("from_on")"#.into(), Code::TooSmall));
    assert_eq!(wrong("2101-01-01", None), (r#"Query("from_on")"#.into(), Code::TooBig));
}

#[test]
fn only_today_and_later_may_be_changed() {
    let today = on("2026-03-06");
    assert!(may_change(today, today).is_ok());
    assert!(may_change(on("2026-03-07"), today).is_ok());
    assert_eq!(may_change(on("2026-03-05"), today).unwrap_err().code(), Code::CalendarDayPast);
}

/// The days about which properties are asked: a year with a notice and the provisional ones round it.
fn some_day() -> impl Strategy<Value = NaiveDate> {
    (0_i64..1200).prop_map(|days| on("2025-06-01") + TimeDelta::days(days))
}

fn some_kind() -> impl Strategy<Value = CalendarChangeKind> {
    prop_oneof![Just(CalendarChangeKind::Holiday), Just(CalendarChangeKind::Workday)]
}

fn some_calendar() -> impl Strategy<Value = Calendar<'static>> {
    let changes = proptest::collection::btree_map(some_day(), some_kind().prop_map(mark), 0..60);
    changes.prop_map(|changes| Calendar::new(Base::state_council(), changes))
}

proptest! {
    #[test]
    fn a_limit_ends_on_a_working_day_and_never_before_the_fact(
        calendar in some_calendar(), from in some_day(), n in 0_u32..120,
    ) {
        let due = calendar.add_working_days(from, n).value;
        prop_assert!(calendar.is_working_day(due).value);
        prop_assert!(due > from || (n == 0 && due == from));
    }

    #[test]
    fn more_days_and_later_facts_end_later(
        calendar in some_calendar(), from in some_day(), n in 0_u32..120,
    ) {
        let due = |from, n| calendar.add_working_days(from, n).value;
        prop_assert!(due(from, n) <= due(from, n + 1));
        prop_assert!(n == 0 || due(from, n) < due(from, n + 1));
        prop_assert!(due(from, n) <= due(from.succ_opt().unwrap(), n));
    }

    #[test]
    fn adding_and_counting_undo_each_other(
        calendar in some_calendar(), from in some_day(), n in 1_u32..120, later in 1_i64..300,
    ) {
        let due = calendar.add_working_days(from, n);
        let counted = calendar.working_days_between(from, due.value);
        prop_assert_eq!(counted, Told { value: n, provisional: due.provisional });
        let to = from + TimeDelta::days(later);
        if calendar.is_working_day(to).value {
            let count = calendar.working_days_between(from, to).value;
            prop_assert_eq!(calendar.add_working_days(from, count).value, to);
        }
    }

    #[test]
    fn counts_add_up(calendar in some_calendar(), from in some_day(), one in 0_i64..200, two in 0_i64..200) {
        let middle = from + TimeDelta::days(one);
        let to = middle + TimeDelta::days(two);
        let count = |from, to| calendar.working_days_between(from, to).value;
        prop_assert_eq!(count(from, middle) + count(middle, to), count(from, to));
    }

    #[test]
    fn what_is_skipped_rests_and_what_is_left_works(
        calendar in some_calendar(), from in some_day(), n in 1_u32..120,
    ) {
        let due = calendar.add_working_days(from, n).value;
        let skipped = calendar.skipped(from, n);
        prop_assert!(skipped.iter().all(|day| !day.kind.works() && from < day.on && day.on < due));
        prop_assert_eq!(i64::try_from(skipped.len()).unwrap() + i64::from(n), (due - from).num_days());
    }

    #[test]
    fn one_changed_day_moves_a_limit_by_one_working_day_at_most(
        calendar in some_calendar(), from in some_day(), n in 1_u32..120, day in some_day(), kind in some_kind(),
    ) {
        let mut other = calendar.clone();
        other.changes.insert(day, mark(kind));
        let (before, after) = (calendar.add_working_days(from, n).value, other.add_working_days(from, n).value);
        // Counted by the calendar that has more working days, they are one apart at most.
        let (fuller, first, last) = match kind {
            CalendarChangeKind::Holiday => (&calendar, before, after),
            CalendarChangeKind::Workday => (&other, after, before),
        };
        prop_assert!(first <= last);
        prop_assert!(fuller.working_days_between(first, last).value <= 1);
        prop_assert!(before == after || (from < day && day <= last));
    }

    #[test]
    fn a_day_is_provisional_unless_notice_or_province_tells(calendar in some_calendar(), day in some_day()) {
        let told = calendar.day(day);
        let known = day.year() <= 2026 || told.changed;
        prop_assert_eq!(told.provisional, !known);
        prop_assert_eq!(told.kind.works(), calendar.is_working_day(day).value);
    }
}
