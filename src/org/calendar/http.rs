//! `/calendar`.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::rules::{Day, DayKind, DayMark, FIRST_DAY, LAST_DAY};
use super::service::{self, DayRecord, Deadline};
use crate::access::policy::{CalendarRead, CalendarReset, CalendarSet};
use crate::db::Instant;
use crate::web::{Example, Json, NoBody, NoContent, NoQuery, PathIds, Plain, Resource, Versioned, endpoint};

/// 日历中的一天 (北京时间)。
#[derive(Debug, Serialize, ToSchema)]
pub struct CalendarDayView {
    /// 哪一天。
    day: NaiveDate,
    /// 是否工作日。
    working: bool,
    /// 这一天是什么。
    kind: DayKind,
    /// 节日或省内设定的名称; 普通的一天为 null。
    #[schema(max_length = 30)]
    name: Option<String>,
    /// 是否由本省设定, 而非依国务院办公厅的安排。
    changed: bool,
    /// 是否暂定: 当年的放假安排尚未录入, 本省也未设定此日, 按周一至周五上班计。
    provisional: bool,
    /// 版本; 从未设定过的为 1。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    /// 最近设定或恢复的时刻; 从未设定过的为 null。
    updated_at: Option<Instant>,
}

impl From<DayRecord> for CalendarDayView {
    fn from(record: DayRecord) -> Self {
        let DayRecord { day: Day { on, kind, name, changed, provisional }, version, updated_at } = record;
        Self { day: on, working: kind.works(), kind, name, changed, provisional, version, updated_at }
    }
}

impl Versioned for CalendarDayView {
    fn version(&self) -> i64 {
        self.version
    }
}

impl Example for CalendarDayView {
    fn example() -> Value {
        json!({
            "day": "2026-04-14", "working": false, "kind": "holiday", "name": "泼水节", "changed": true,
            "provisional": false, "version": 2, "updated_at": "2026-03-02T01:00:00.000000Z",
        })
    }
}

impl Example for DayMark {
    fn example() -> Value {
        json!({ "kind": "holiday", "name": "泼水节" })
    }
}

/// 一段日历。
#[derive(Debug, Serialize, ToSchema)]
pub struct CalendarView {
    /// 首日。
    from_on: NaiveDate,
    /// 末日, 含当日。
    to_on: NaiveDate,
    /// 其中的工作日数。
    #[schema(minimum = 0, maximum = 400)]
    working_days: i64,
    /// 其中是否有暂定的日子。
    calendar_provisional: bool,
    /// 逐日, 按先后。
    #[schema(max_items = 400)]
    days: Vec<CalendarDayView>,
}

impl From<Vec<DayRecord>> for CalendarView {
    fn from(records: Vec<DayRecord>) -> Self {
        let ends = |record: Option<&DayRecord>| record.map_or(FIRST_DAY, |record| record.day.on);
        let working = records.iter().filter(|record| record.day.kind.works()).count();
        Self {
            from_on: ends(records.first()),
            to_on: ends(records.last()),
            working_days: i64::try_from(working).unwrap_or(i64::MAX),
            calendar_provisional: records.iter().any(|record| record.day.provisional),
            days: records.into_iter().map(CalendarDayView::from).collect(),
        }
    }
}

impl Example for CalendarView {
    fn example() -> Value {
        let day = |day: &str, kind: &str, name: Option<&str>| {
            json!({
                "day": day, "working": kind != "holiday", "kind": kind, "name": name, "changed": false,
                "provisional": false, "version": 1, "updated_at": null,
            })
        };
        json!({
            "from_on": "2026-02-13", "to_on": "2026-02-15", "working_days": 2, "calendar_provisional": false,
            "days": [
                day("2026-02-13", "weekday_work", None),
                day("2026-02-14", "make_up_workday", Some("春节")),
                day("2026-02-15", "holiday", Some("春节")),
            ],
        })
    }
}

/// 查看哪些日子。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CalendarQuery {
    /// 首日, 2000 至 2100 年; 缺省为今天。
    from_on: Option<NaiveDate>,
    /// 末日, 含当日; 缺省为首日之后 30 天, 连首日至多 400 天。
    to_on: Option<NaiveDate>,
}

endpoint! {
    /// 查看工作日历
    ///
    /// 国务院办公厅的放假安排, 加上本省的设定; 逐日列出, 至多 400 天。
    GetCalendar: CalendarRead, Get "/calendar", tag "calendar", codes [CalendarRange]
    async fn get_calendar(gate, _path: (), query: CalendarQuery, _body: NoBody) -> Plain<CalendarView> {
        gate.run(move |tx| Ok(Plain(service::days(tx, query.from_on, query.to_on)?.into()))).await
    }
}

/// A day in a path: one spelling, within the calendar.
#[derive(Debug, Clone, Copy)]
pub struct DayInPath(NaiveDate);

impl PathIds for DayInPath {
    const COUNT: usize = 1;
    fn parse(values: &[&str]) -> Option<Self> {
        let text = values.first()?;
        let day: NaiveDate = text.parse().ok()?;
        let inside = (FIRST_DAY..=LAST_DAY).contains(&day);
        (inside && day.to_string() == *text).then_some(Self(day))
    }
    fn schema() -> Value {
        json!({
            "type": "string", "format": "date", "minLength": 10, "maxLength": 10,
            "pattern": "^(20[0-9]{2}|2100)-[0-9]{2}-[0-9]{2}$",
        })
    }
    fn example() -> Value {
        json!("2026-04-14")
    }
}

endpoint! {
    /// 查看某日
    GetCalendarDay: CalendarRead, Get "/calendar/{day}", tag "calendar", codes []
    async fn get_calendar_day(gate, day: DayInPath, _query: NoQuery, _body: NoBody) -> Resource<CalendarDayView> {
        gate.run(move |tx| Ok(Resource(service::day(tx, day.0)?.into()))).await
    }
}

endpoint! {
    /// 设定某日
    ///
    /// 在本省把这一天定为放假或上班, 今后计算的时限即按此计; 已算出的时限不变。已过的日子不能再改: 422。
    SetCalendarDay: CalendarSet, Put "/calendar/{day}", tag "calendar", codes [CalendarDayPast]
    async fn set_calendar_day(gate, day: DayInPath, _query: NoQuery, body: Json<DayMark>) -> Resource<CalendarDayView> {
        gate.run(move |tx| Ok(Resource(service::set(tx, day.0, &body.0)?.into()))).await
    }
}

endpoint! {
    /// 恢复某日
    ///
    /// 撤去本省的设定, 回到国务院办公厅的安排; 没有设定的不变。带 `If-Match` 则核对版本。已过的日子不能再改: 422。
    ResetCalendarDay: CalendarReset, Delete "/calendar/{day}", tag "calendar", codes [CalendarDayPast, PreconditionFailed]
    async fn reset_calendar_day(gate, day: DayInPath, _query: NoQuery, _body: NoBody) -> NoContent {
        gate.run(move |tx| service::reset(tx, day.0).map(|()| NoContent)).await
    }
}

/// 从哪一天起, 几个工作日。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DeadlineQuery {
    /// 事发之日, 当日不计, 2000 至 2100 年; 缺省为今天。
    from_on: Option<NaiveDate>,
    /// 几个工作日; 0 为当日, 当日休息则顺延至下一工作日。
    #[schema(minimum = 0, maximum = 400)]
    working_days: u32,
}

/// 一个休息日。
#[derive(Debug, Serialize, ToSchema)]
pub struct RestDayView {
    /// 哪一天。
    day: NaiveDate,
    /// 这一天是什么。
    kind: DayKind,
    /// 节日或省内设定的名称; 普通周末为 null。
    #[schema(max_length = 30)]
    name: Option<String>,
}

impl From<Day> for RestDayView {
    fn from(day: Day) -> Self {
        Self { day: day.on, kind: day.kind, name: day.name }
    }
}

/// 时限的计算。
#[derive(Debug, Serialize, ToSchema)]
pub struct DeadlineView {
    /// 事发之日, 当日不计。
    from_on: NaiveDate,
    /// 几个工作日。
    #[schema(minimum = 0, maximum = 400)]
    working_days: u32,
    /// 到期之日, 至当日 24:00 止 (北京时间); 次日 00:00 即为逾期。
    due_on: NaiveDate,
    /// 是否暂定: 其间有当年安排尚未录入的日子, 录入后或有变动。
    calendar_provisional: bool,
    /// 其间跳过的休息日, 按先后。
    #[schema(max_items = 40000)]
    skipped: Vec<RestDayView>,
}

impl Example for DeadlineView {
    fn example() -> Value {
        json!({
            "from_on": "2026-04-30", "working_days": 1, "due_on": "2026-05-06", "calendar_provisional": false,
            "skipped": [
                { "day": "2026-05-01", "kind": "holiday", "name": "劳动节" },
                { "day": "2026-05-02", "kind": "holiday", "name": "劳动节" },
                { "day": "2026-05-03", "kind": "holiday", "name": "劳动节" },
                { "day": "2026-05-04", "kind": "holiday", "name": "劳动节" },
                { "day": "2026-05-05", "kind": "holiday", "name": "劳动节" },
            ],
        })
    }
}

endpoint! {
    /// 计算时限
    ///
    /// 事发之日不计, 第 n 个工作日的 24:00 到期; 跳过的休息日一并列出。
    GetDeadline: CalendarRead, Get "/calendar/deadline", tag "calendar", codes [CalendarRange]
    async fn get_deadline(gate, _path: (), query: DeadlineQuery, _body: NoBody) -> Plain<DeadlineView> {
        let working_days = query.working_days;
        gate.run(move |tx| {
            let Deadline { from_on, due, skipped } = service::deadline(tx, query.from_on, working_days)?;
            Ok(Plain(DeadlineView {
                from_on,
                working_days,
                due_on: due.value,
                calendar_provisional: due.provisional,
                skipped: skipped.into_iter().map(RestDayView::from).collect(),
            }))
        })
        .await
    }
}
