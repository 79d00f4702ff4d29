//! Which days work, and how working days are counted.
//!
//! All days are Asia/Shanghai days. A limit of n working days from a fact does not count the day of
//! the fact, and ends at the end of the n-th working day after it: 00:00 of the next day is late.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::base::Base;
use crate::db::text_enum;
use crate::errors::{AppError, Code, FieldError, Result, text};

/// The first day the interface speaks of.
pub const FIRST_DAY: NaiveDate = or(NaiveDate::from_ymd_opt(2000, 1, 1), NaiveDate::MIN);
/// The last day the interface speaks of.
pub const LAST_DAY: NaiveDate = or(NaiveDate::from_ymd_opt(2100, 12, 31), NaiveDate::MAX);
/// Days in one answer at most.
pub const MOST_DAYS: i64 = 400;

const fn or(day: Option<NaiveDate>, otherwise: NaiveDate) -> NaiveDate {
    match day {
        Some(day) => day,
        None => otherwise,
    }
}

text_enum! {
    /// What a notice or a province makes of a day.
    CalendarChangeKind as "calendar_change_kind" {
        Holiday = "holiday", "放假", "Day off", green;
        Workday = "workday", "上班", "Working day", orange;
    }
}

text_enum! {
    /// What a day is.
    DayKind as "day_kind" {
        WeekdayWork = "weekday_work", "工作日", "Working weekday", grey;
        Weekend = "weekend", "周末", "Weekend", blue;
        Holiday = "holiday", "节假日", "Holiday", green;
        MakeUpWorkday = "make_up_workday", "调休上班", "Make-up workday", orange;
    }
}

impl DayKind {
    /// Whether it counts as a working day.
    #[must_use]
    pub const fn works(self) -> bool {
        matches!(self, Self::WeekdayWork | Self::MakeUpWorkday)
    }
}

/// 对一天的设定。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct DayMark {
    /// 放假还是上班。
    pub kind: CalendarChangeKind,
    /// 名称或缘由, 如 泼水节。
    #[schema(min_length = 1, max_length = 30, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    pub name: String,
}

/// A day as the calendar tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Day {
    /// Which day.
    pub on: NaiveDate,
    /// What it is.
    pub kind: DayKind,
    /// The name of the holiday or of the change, if it has one.
    pub name: Option<String>,
    /// Whether the province itself has said so.
    pub changed: bool,
    /// Whether a notice still to come may say otherwise.
    pub provisional: bool,
}

/// An answer, and whether any day it rests on is provisional (`calendar_provisional`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Told<T> {
    /// The answer.
    pub value: T,
    /// Whether a notice still to come may change it.
    pub provisional: bool,
}

/// The calendar of one province: the base, and its own changes on top.
#[derive(Debug, Clone)]
pub struct Calendar<'b> {
    base: &'b Base,
    changes: BTreeMap<NaiveDate, DayMark>,
}

impl<'b> Calendar<'b> {
    /// Lays the changes of a province over the base.
    #[must_use]
    pub fn new(base: &'b Base, changes: BTreeMap<NaiveDate, DayMark>) -> Self {
        Self { base, changes }
    }

    /// All there is to tell of a day.
    #[must_use]
    pub fn day(&self, on: NaiveDate) -> Day {
        let name = self.mark(on).map(|mark| mark.name.clone());
        let changed = self.changes.contains_key(&on);
        Day { on, kind: self.kind(on), name, changed, provisional: self.is_provisional(on) }
    }

    /// Whether a day works: as the province has said, else as the base says, else Monday to Friday.
    #[must_use]
    pub fn is_working_day(&self, day: NaiveDate) -> Told<bool> {
        Told { value: self.kind(day).works(), provisional: self.is_provisional(day) }
    }

    /// The day at whose end a limit of `n` working days from `from` is over. `from` itself, the day
    /// of the fact, is not counted, whether it works or not.
    ///
    /// Zero working days means the day of the fact, or the next working day where that is a rest
    /// day: no limit ends on a rest day. (At the end of the days chrono knows it is held there.)
    #[must_use]
    pub fn add_working_days(&self, from: NaiveDate, n: u32) -> Told<NaiveDate> {
        self.walk(from, n, |_| ())
    }

    /// How many working days lie after `from` up to and including `to`; none when `to` is not after
    /// `from`. The inverse of [`Calendar::add_working_days`] from one working day on.
    #[must_use]
    pub fn working_days_between(&self, from: NaiveDate, to: NaiveDate) -> Told<u32> {
        let counted = from.iter_days().skip(1).take_while(|day| *day <= to);
        counted.fold(Told { value: 0, provisional: false }, |sum, day| {
            let told = self.is_working_day(day);
            Told {
                value: sum.value + u32::from(told.value),
                provisional: sum.provisional || told.provisional,
            }
        })
    }

    /// The rest days that [`Calendar::add_working_days`] steps over, in order.
    #[must_use]
    pub fn skipped(&self, from: NaiveDate, n: u32) -> Vec<Day> {
        let mut skipped = Vec::new();
        self.walk(from, n, |day| skipped.push(self.day(day)));
        skipped
    }

    fn walk(&self, from: NaiveDate, n: u32, mut rest: impl FnMut(NaiveDate)) -> Told<NaiveDate> {
        // Zero days: the first working day from the fact's own day on, as if it had been the day before.
        let (mut due, mut left) = if n == 0 { (from.pred_opt().unwrap_or(from), 1) } else { (from, n) };
        let mut provisional = false;
        while left > 0
            && let Some(day) = due.succ_opt()
        {
            let told = self.is_working_day(day);
            provisional |= told.provisional;
            if told.value {
                left -= 1;
            } else {
                rest(day);
            }
            due = day;
        }
        Told { value: due, provisional }
    }

    fn mark(&self, day: NaiveDate) -> Option<&DayMark> {
        self.changes.get(&day).or_else(|| self.base.mark(day))
    }

    fn kind(&self, day: NaiveDate) -> DayKind {
        let weekend = matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
        match self.mark(day).map(|mark| mark.kind) {
            Some(CalendarChangeKind::Holiday) => DayKind::Holiday,
            Some(CalendarChangeKind::Workday) if weekend => DayKind::MakeUpWorkday,
            None if weekend => DayKind::Weekend,
            Some(CalendarChangeKind::Workday) | None => DayKind::WeekdayWork,
        }
    }

    /// What a province has said of a day is certain, whether the year's notice is here or not.
    fn is_provisional(&self, day: NaiveDate) -> bool {
        !self.changes.contains_key(&day) && !self.base.covers(day)
    }
}

/// The days asked for, both inside; `to_on` is a month after `from_on` when it is not said.
///
/// # Errors
/// `calendar_range` with each parameter that is wrong.
pub fn range(from_on: NaiveDate, to_on: Option<NaiveDate>) -> Result<(NaiveDate, NaiveDate)> {
    check_day(from_on)?;
    let a_month_later = from_on.checked_add_days(Days::new(30)).unwrap_or(from_on).min(LAST_DAY);
    let to_on = to_on.unwrap_or(a_month_later);
    let refuse = |code, detail| {
        Err(AppError::fields(Code::CalendarRange, vec![FieldError::query("to_on", code, detail)]))
    };
    if to_on < from_on {
        return refuse(Code::OutOfOrder, text!("早于 from_on", "It lies before from_on"));
    }
    if to_on > LAST_DAY {
        return refuse(
            Code::TooBig,
            text!("日历只到 {LAST_DAY}", "The calendar goes no further than {LAST_DAY}"),
        );
    }
    if (to_on - from_on).num_days() >= MOST_DAYS {
        return refuse(
            Code::TooBig,
            text!("一次至多 {MOST_DAYS} 天", "At most {MOST_DAYS} days may be asked for at once"),
        );
    }
    Ok((from_on, to_on))
}

/// Whether the calendar speaks of the day that is counted from.
///
/// # Errors
/// `calendar_range`.
pub fn check_day(from_on: NaiveDate) -> Result<()> {
    let detail = match from_on {
        early if early < FIRST_DAY => (
            Code::TooSmall,
            text!("日历始于 {FIRST_DAY}", "The calendar does not go further back than {FIRST_DAY}"),
        ),
        late if late > LAST_DAY => {
            (Code::TooBig, text!("日历只到 {LAST_DAY}", "The calendar goes no further than {LAST_DAY}"))
        }
        _ => return Ok(()),
    };
    let error = FieldError::query("from_on", detail.0, detail.1);
    Err(AppError::fields(Code::CalendarRange, vec![error]))
}

/// Whether what a day is may still be said: today and later. A change of a day gone by would move
/// limits that have been counted over it already, without anybody seeing it.
///
/// # Errors
/// `calendar_day_past`.
pub fn may_change(day: NaiveDate, today: NaiveDate) -> Result<()> {
    if day < today { Err(AppError::new(Code::CalendarDayPast)) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
