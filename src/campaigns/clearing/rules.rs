//! What a day's entry is, and how a day is closed.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::access::UserId;
use crate::campaigns::rules::TaskId;
use crate::db::{Id, Instant, text_enum};
use crate::errors::{AppError, Code, FieldError, Result, text};
use crate::org::calendar::rules::{Day, DayKind};
use crate::org::officers::rules::OfficerId;
use crate::org::rules::UnitId;

/// Marks the identifier of an entry.
#[derive(Debug)]
pub struct EntryEntity;
/// The identifier of an entry.
pub type EntryId = Id<EntryEntity>;

text_enum! {
    /// What can be done with a day's entry.
    EntryAction as "entry_action" {
        Update = "update", "更正", "Correct", blue;
    }
}

text_enum! {
    /// How somebody stands to what is owed for a day.
    ClearingState as "clearing_state" {
        Open = "open", "未清", "Open", red;
        Closed = "closed", "已清", "Closed in time", green;
        Late = "late", "补填", "Entered late", orange;
    }
}

impl ClearingState {
    /// By whether there is an entry, and whether that was late.
    #[must_use]
    pub const fn of(late: Option<bool>) -> Self {
        match late {
            None => Self::Open,
            Some(false) => Self::Closed,
            Some(true) => Self::Late,
        }
    }
}

/// 一日的填报内容。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct EntryDraft {
    /// 当日做了什么。
    #[schema(min_length = 1, max_length = 1000)]
    pub done: String,
    /// 当日办理数量。
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    pub amount: Option<i64>,
}

/// What somebody did for a task on a day.
#[derive(Debug, Clone)]
pub struct DayEntry {
    /// Its identifier.
    pub id: EntryId,
    /// The task.
    pub task_id: TaskId,
    /// Whose day it is.
    pub officer_id: OfficerId,
    /// For which unit.
    pub unit_id: UnitId,
    /// The unit's path today.
    pub unit_path: String,
    /// The day.
    pub day: NaiveDate,
    /// What was done.
    pub content: EntryDraft,
    /// Whether it came after the day: 00:00 of the next day is late.
    pub late: bool,
    /// Who entered it.
    pub entered_by: UserId,
    /// Whether somebody else did.
    pub for_other: bool,
    /// Counts up with each change.
    pub version: i64,
    /// When it was entered.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

impl DayEntry {
    /// Whether it may still be corrected: on the day it was made.
    #[must_use]
    pub fn is_correctable(&self, today: NaiveDate) -> bool {
        self.created_at.shanghai_day() == today
    }

    /// What the audit log keeps a digest of.
    #[must_use]
    pub fn facts(&self) -> serde_json::Value {
        serde_json::json!({
            "task_id": self.task_id, "officer_id": self.officer_id, "day": self.day, "content": self.content,
            "late": self.late, "for_other": self.for_other,
        })
    }
}

/// Whether an entry for a day may be made today by somebody named on another; whether it is late.
///
/// # Errors
/// `invalid_body` at `/day`.
pub fn closes(day: NaiveDate, today: NaiveDate, named_on: NaiveDate) -> Result<bool> {
    let refused =
        |code, detail| Err(AppError::fields(Code::InvalidBody, vec![FieldError::body("/day", code, detail)]));
    if day > today {
        return refused(
            Code::InTheFuture,
            text!("不得晚于今日 ({today})", "It may not be after today ({today})"),
        );
    }
    if day < named_on {
        return refused(
            Code::OutOfOrder,
            text!("{named_on} 起才是责任人", "The officer is a person of the task since {named_on}"),
        );
    }
    Ok(day < today)
}

/// How many entries are owed for a day, and what has become of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// All that are owed.
    pub owed: i64,
    /// Those entered in time.
    pub closed: i64,
    /// Those entered late.
    pub late: i64,
}

impl Tally {
    /// Those not entered.
    #[must_use]
    pub const fn open(self) -> i64 {
        self.owed - self.closed - self.late
    }

    /// Of the units at a path and below it.
    #[must_use]
    pub fn below(path: &str, all: &[(String, Self)]) -> Self {
        let mine = all.iter().filter(|(at, _)| at.starts_with(path));
        mine.fold(Self::default(), |sum, (_, one)| Self {
            owed: sum.owed + one.owed,
            closed: sum.closed + one.closed,
            late: sum.late + one.late,
        })
    }
}

/// Which day it is about, and whether what is owed for it is settled.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The day as the calendar tells it.
    pub day: Day,
    /// Whether it is over and frozen.
    pub frozen: bool,
}

impl Asked {
    /// Whether anything is owed for such a day.
    #[must_use]
    pub const fn works(&self) -> bool {
        let kind: DayKind = self.day.kind;
        kind.works()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_closed_by_its_own_end_and_never_before_it_comes() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let (monday, tuesday) = (day("2026-06-01"), day("2026-06-02"));
        assert!(!closes(monday, monday, monday).unwrap());
        assert!(closes(monday, tuesday, monday).unwrap());
        assert!(closes(tuesday, monday, monday).is_err() && closes(monday, tuesday, tuesday).is_err());
    }

    #[test]
    fn a_tally_is_that_of_a_subtree() {
        let one = |owed, closed, late| Tally { owed, closed, late };
        let all = [
            ("53/5301/".to_owned(), one(3, 1, 1)),
            ("53/5301/530102/".to_owned(), one(2, 2, 0)),
            ("53/5303/".to_owned(), one(1, 0, 0)),
        ];
        assert_eq!(Tally::below("53/", &all), one(6, 3, 1));
        assert_eq!(Tally::below("53/5301/", &all).open(), 1);
        assert_eq!(Tally::below("53/5304/", &all), Tally::default());
    }
}
