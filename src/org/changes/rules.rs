//! Which changes of the tree are possible.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

use crate::db::{Instant, text_enum};
use crate::errors::{AppError, Code, FieldError, Result, Text, deactivated, text};
use crate::org::rules::{Unit, UnitId, UnitKind, UnitStatus};

/// The day from which a unit stood as it does when nobody knows since when.
pub const BEFORE_RECORDS: NaiveDate = match NaiveDate::from_ymd_opt(1949, 10, 1) {
    Some(day) => day,
    None => NaiveDate::MIN,
};

text_enum! {
    /// What began a period of a unit.
    UnitChange as "unit_change" {
        Created = "created", "设立", "Created", green;
        Renamed = "renamed", "更名", "Renamed", blue;
        Moved = "moved", "划转", "Moved", blue;
        Merged = "merged", "并入其他单位", "Merged into another unit", orange;
        Deactivated = "deactivated", "停用", "Deactivated", grey;
    }
}

text_enum! {
    /// What can be done with a unit.
    UnitAction as "unit_action" {
        Update = "update", "更名", "Rename", blue;
        Move = "move", "划转", "Move", blue;
        Merge = "merge", "合并", "Merge", orange;
        Deactivate = "deactivate", "停用", "Deactivate", grey;
    }
}

/// What a unit was from one day to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    /// The unit.
    pub unit_id: UnitId,
    /// The first day.
    pub valid_from_on: NaiveDate,
    /// The last day; none until further notice.
    pub valid_until_on: Option<NaiveDate>,
    /// Its name then.
    pub name: String,
    /// The unit above it then.
    pub parent_id: Option<UnitId>,
    /// Its path then.
    pub path: String,
    /// Whether it worked then.
    pub status: UnitStatus,
    /// What began the period.
    pub change: UnitChange,
    /// Who took over from it.
    pub successor_id: Option<UnitId>,
    /// Why, in the words of whoever entered it.
    pub reason: Option<String>,
    /// When it was entered.
    pub recorded_at: Instant,
}

impl Period {
    /// The period that a change begins: the unit as it is from then on.
    #[must_use]
    pub fn of(
        unit: &Unit,
        change: UnitChange,
        from_on: NaiveDate,
        reason: Option<&str>,
        at: Instant,
    ) -> Self {
        Self {
            unit_id: unit.id,
            valid_from_on: from_on,
            valid_until_on: None,
            name: unit.name.clone(),
            parent_id: unit.parent_id,
            path: unit.path.clone(),
            status: unit.status,
            change,
            successor_id: None,
            reason: reason.map(ToOwned::to_owned),
            recorded_at: at,
        }
    }
}

/// 单位的名称。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitDraft {
    /// 名称。
    #[schema(min_length = 1, max_length = 100, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    pub name: String,
    /// 自何日起, 不晚于今日; 不写则为今日。
    #[serde(default)]
    pub effective_on: Option<NaiveDate>,
    /// 依据, 如批文。
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}

impl Validate for UnitDraft {
    fn validate(&self) -> Result<(), ValidationErrors> {
        Ok(())
    }
}

/// Which kinds a unit of a kind may stand under (domain.md §3): bureaus under bureaus, what is no
/// bureau under any of them; a station may have windows. Depth is nobody's business.
#[must_use]
pub fn may_hold(parent: UnitKind, child: UnitKind) -> bool {
    use UnitKind::{City, County, Department, DetentionHouse, Province, ServiceWindow, Station};
    match child {
        Province => false,
        City => parent == Province,
        County => matches!(parent, Province | City),
        Station | Department | DetentionHouse => matches!(parent, Province | City | County),
        ServiceWindow => matches!(parent, Province | City | County | Station),
    }
}

/// The day a change counts from: today unless said otherwise, never in the future.
///
/// # Errors
/// `invalid_body` at `/effective_on`.
pub fn effective(given: Option<NaiveDate>, today: NaiveDate) -> Result<NaiveDate> {
    let day = given.unwrap_or(today);
    if day > today {
        let detail =
            text!("生效日期不得晚于今日 ({today})", "The change may not count from after today ({today})");
        return Err(at_effective(Code::InTheFuture, detail));
    }
    Ok(day)
}

/// From which moment on a change counts: from the first of its day, but entered on that very day from when it was entered.
#[must_use]
pub fn takes_effect(day: NaiveDate, entered_at: Instant) -> Instant {
    if entered_at.shanghai_day() == day { entered_at } else { Instant::start_of_shanghai_day(day) }
}

/// A change may not count from before the last one of the same unit: history is added to, not
/// rewritten.
///
/// # Errors
/// `invalid_body` at `/effective_on`, naming the unit.
pub fn follows(unit: &Unit, since: NaiveDate, day: NaiveDate) -> Result<()> {
    if since <= day {
        return Ok(());
    }
    let name = &unit.name;
    let detail = text!(
        "{name} 自 {since} 起为现状, 生效日期不得早于该日",
        "{name} has stood as it does since {since}; the change may not count from before"
    );
    Err(at_effective(Code::OutOfOrder, detail))
}

/// Nothing is put under a unit, or handed to it, from a day before it stood where it stands.
///
/// # Errors
/// `invalid_body` at `/effective_on`, naming the unit.
pub fn stands_there(name: &str, since: NaiveDate, day: NaiveDate) -> Result<()> {
    if since <= day {
        return Ok(());
    }
    let detail = text!(
        "{name} 自 {since} 起才在现处, 生效日期不得早于该日",
        "{name} has stood where it does since {since}; the change may not count from before"
    );
    Err(at_effective(Code::OutOfOrder, detail))
}

fn at_effective(code: Code, detail: Text) -> AppError {
    AppError::fields(Code::InvalidBody, vec![FieldError::body("/effective_on", code, detail)])
}

/// Whether `unit` may stand under `parent` from now on.
///
/// # Errors
/// `unit_deactivated` (409), `unit_is_root`, `move_into_itself`, or `invalid_body` at `pointer` when
/// the parent does not work or is of a kind that holds none such.
pub fn may_stand_under(unit: &Unit, parent: &Unit, pointer: &'static str) -> Result<()> {
    may_go_to(unit, parent)?;
    holds(parent, unit.kind, pointer)
}

/// What works and is not the root may go to another, which is not below it.
fn may_go_to(unit: &Unit, other: &Unit) -> Result<()> {
    still_works(unit)?;
    if unit.parent_id.is_none() {
        return Err(AppError::new(Code::UnitIsRoot));
    }
    if other.path.starts_with(&unit.path) {
        return Err(AppError::new(Code::MoveIntoItself));
    }
    Ok(())
}

/// Whether a unit of this kind may be put under `parent`.
///
/// # Errors
/// `invalid_body` at `pointer`.
pub fn holds(parent: &Unit, kind: UnitKind, pointer: &'static str) -> Result<()> {
    match why_not_under(parent.kind, parent.status, kind) {
        None => Ok(()),
        Some((code, detail)) => {
            Err(AppError::fields(Code::InvalidBody, vec![FieldError::body(pointer, code, detail)]))
        }
    }
}

/// Why a unit of this kind may not be put under a parent of that kind and status; none when it may.
#[must_use]
pub fn why_not_under(parent: UnitKind, status: UnitStatus, kind: UnitKind) -> Option<(Code, Text)> {
    if status == UnitStatus::Deactivated {
        let FieldError { code, detail, .. } = deactivated("");
        return Some((code, detail));
    }
    let detail =
        || Text::new(format!("{}之下不设{}", parent.zh(), kind.zh()), format!("A {parent} holds no {kind}"));
    (!may_hold(parent, kind)).then(|| (Code::WrongKind, detail()))
}

/// # Errors
/// `unit_deactivated` (409).
pub fn still_works(unit: &Unit) -> Result<()> {
    match unit.status {
        UnitStatus::Active => Ok(()),
        UnitStatus::Deactivated => Err(AppError::new(Code::UnitDeactivated)),
    }
}

/// Whether `successor` may take over from `unit`.
///
/// # Errors
/// `unit_deactivated` (409), `unit_is_root`, `move_into_itself`, or `invalid_body` at `pointer`.
pub fn may_take_over(unit: &Unit, successor: &Unit, pointer: &'static str) -> Result<()> {
    may_go_to(unit, successor)?;
    if successor.status == UnitStatus::Deactivated {
        return Err(AppError::fields(Code::InvalidBody, vec![deactivated(pointer)]));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Id;

    fn unit(path: &str, kind: UnitKind) -> Unit {
        let codes: Vec<&str> = path.split_terminator('/').collect();
        Unit {
            id: Id::generate(),
            parent_id: (codes.len() > 1).then(Id::generate),
            code: codes.last().unwrap().to_string(),
            name: path.into(),
            kind,
            status: UnitStatus::Active,
            path: path.into(),
            version: 1,
            created_at: Instant::from_micros(0),
            updated_at: Instant::from_micros(0),
        }
    }

    fn refused(result: Result<()>) -> &'static str {
        result.unwrap_err().code().name()
    }

    #[test]
    fn the_tree_of_every_province_fits_what_may_hold_what() {
        use UnitKind::{City, County, Province, ServiceWindow, Station};
        // Yunnan, Chongqing, Dongguan, Hubei.
        for (parent, child) in [
            (Province, City),
            (City, County),
            (County, Station),
            (Province, County),
            (City, Station),
            (Station, ServiceWindow),
        ] {
            assert!(may_hold(parent, child), "{child} under {parent}");
        }
        for (parent, child) in [(County, City), (Station, County), (City, City), (ServiceWindow, Station)] {
            assert!(!may_hold(parent, child), "{child} under {parent}");
        }
        assert!(UnitKind::ALL.iter().all(|&any| !may_hold(any, Province)), "a province stands under nothing");
    }

    #[test]
    fn nothing_moves_under_itself_and_the_root_moves_nowhere() {
        let (root, city) = (unit("53/", UnitKind::Province), unit("53/5301/", UnitKind::City));
        let (county, other) = (unit("53/5301/530102/", UnitKind::County), unit("53/5303/", UnitKind::City));
        assert!(may_stand_under(&county, &other, "/parent_id").is_ok());
        assert_eq!(refused(may_stand_under(&city, &county, "/parent_id")), "move_into_itself");
        assert_eq!(refused(may_stand_under(&city, &city, "/parent_id")), "move_into_itself");
        assert_eq!(refused(may_stand_under(&root, &other, "/parent_id")), "unit_is_root");
        assert_eq!(refused(may_stand_under(&city, &other, "/parent_id")), "invalid_body");
        let gone = Unit { status: UnitStatus::Deactivated, ..other.clone() };
        assert_eq!(refused(may_stand_under(&county, &gone, "/parent_id")), "invalid_body");
        assert_eq!(refused(may_stand_under(&gone, &root, "/parent_id")), "unit_deactivated");
        assert_eq!(refused(may_take_over(&city, &county, "/into_id")), "move_into_itself");
        assert!(may_take_over(&county, &city, "/into_id").is_ok());
    }

    #[test]
    fn a_change_counts_from_today_at_the_latest_and_from_the_last_change_at_the_earliest() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let today = day("2026-07-01");
        assert_eq!(effective(None, today).unwrap(), today);
        assert_eq!(effective(Some(day("2026-06-01")), today).unwrap(), day("2026-06-01"));
        assert!(effective(Some(day("2026-07-02")), today).is_err());
        let city = unit("53/5301/", UnitKind::City);
        assert!(follows(&city, day("2026-06-01"), day("2026-06-01")).is_ok());
        assert!(follows(&city, day("2026-06-02"), day("2026-06-01")).is_err());
        assert!(follows(&city, BEFORE_RECORDS, day("2000-01-01")).is_ok());
    }

    #[test]
    fn a_change_counts_from_when_it_was_entered_or_from_the_first_moment_of_a_day_before() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let first = Instant::start_of_shanghai_day(day("2026-07-02"));
        for seconds in [0, 1, 86_399] {
            let entered = first.plus_seconds(seconds);
            assert_eq!(takes_effect(day("2026-07-02"), entered), entered);
            assert_eq!(takes_effect(day("2026-07-01"), entered), first.plus_seconds(-86_400));
        }
    }
}
