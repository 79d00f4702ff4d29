//! `/daily-clearing`.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::rules::{ClearingState, EntryId, Tally};
use super::service::{self, ClearingSort, Owed, Summary};
use crate::access::Tx;
use crate::access::policy::{Action, ClearingRead};
use crate::campaigns::rules::TaskId;
use crate::campaigns::tasks::service as tasks;
use crate::db::Instant;
use crate::errors::{AppError, Result};
use crate::org::calendar::rules::DayKind;
use crate::org::http::Depth;
use crate::org::officers::http::{OfficerNames, OfficerRef};
use crate::org::rules::{Unit, UnitId};
use crate::org::views::{UnitNames, UnitRef};
use crate::web::{Count, Example, NoBody, Page, Plain, endpoint};

/// 一人一日对一项任务的清账情况。
#[derive(Debug, Serialize, ToSchema)]
pub struct ClearingView {
    /// 日期。
    on: NaiveDate,
    /// 单位。
    unit: UnitRef,
    /// 责任人。
    officer: OfficerRef,
    /// 任务名称。
    #[schema(max_length = 60)]
    task: String,
    /// 清账情况。
    state: ClearingState,
    /// 填报时刻; 未填为 null。
    entered_at: Option<Instant>,
    /// 任务。
    task_id: TaskId,
    /// 填报。
    entry_id: Option<EntryId>,
}

const UNIT: &str = "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77";

impl Example for ClearingView {
    fn example() -> Value {
        json!({
            "on": "2026-04-07",
            "unit": { "id": UNIT, "code": "530102001", "name": "华山派出所", "kind": "station" },
            "officer": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b4a01", "number": "053017", "name": "王建国" },
            "task": "接处警当日回访", "state": "open", "entered_at": null,
            "task_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d90", "entry_id": null,
        })
    }
}

fn views<A: Action>(tx: &mut Tx<'_, A>, on: NaiveDate, rows: Vec<Owed>) -> Result<Vec<ClearingView>> {
    let names = UnitNames::load(tx, rows.iter().map(|one| one.unit_id))?;
    let officers = OfficerNames::load(tx, rows.iter().map(|one| one.officer_id))?;
    let ids: Vec<TaskId> = rows.iter().map(|one| one.task_id).collect();
    let titles = tasks::titles(tx, &ids)?;
    rows.into_iter()
        .map(|one| {
            let title = titles.get(&one.task_id).cloned();
            Ok(ClearingView {
                on,
                unit: names.get(one.unit_id)?,
                officer: officers.get(one.officer_id)?,
                task: title.ok_or_else(|| AppError::internal("a task without a title"))?,
                state: ClearingState::of(one.late),
                entered_at: one.entered_at,
                task_id: one.task_id,
                entry_id: one.entry_id,
            })
        })
        .collect()
}

/// 清账列表的条件。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClearingQuery {
    /// 哪一天, 缺省为今日。
    on: Option<NaiveDate>,
    /// 此单位及其下级; 缺省为本人辖区的最上级单位。
    unit_id: Option<UnitId>,
    /// `unit_id` 的范围, 缺省含下级。
    depth: Option<Depth>,
    /// 清账情况; 可重复, 任一即可。
    #[serde(default)]
    #[schema(max_items = 3)]
    state: Vec<ClearingState>,
    /// 排序; 缺省为 unit (按单位, 上级在前)。
    sort: Option<ClearingSort>,
    /// 每页行数, 缺省 50。
    #[schema(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// 上一页给出的游标。
    #[schema(min_length = 1, max_length = 2048, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
    /// 为 exact 时给出总行数。
    count: Option<Count>,
}

endpoint! {
    /// 逐日清账列表
    ///
    /// 某日谁该填报、谁已填报: 逐人逐任务一行, `state=open` 为未清的。休息日无人应填。当日 24 时后定格, 此后的填报为补填。
    ListDailyClearing: ClearingRead, Get "/daily-clearing", tag "tasks", codes []
    async fn list_daily_clearing(gate, _path: (), query: ClearingQuery, _body: NoBody) -> Page<ClearingView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        gate.run(move |tx| {
            let unit = (query.unit_id, query.depth == Some(Depth::OnlySelf));
            let sort = query.sort.unwrap_or(ClearingSort::Unit);
            let (asked, page) = service::clearing(tx, query.on, unit, query.state, (sort, &paging))?;
            let Page { items, next_cursor, total } = page;
            Ok(Page { items: views(tx, asked.day.on, items)?, next_cursor, total })
        })
        .await
    }
}

/// 一个单位 (含下级) 某日的清账数。
#[derive(Debug, Serialize, ToSchema)]
pub struct UnitClearingView {
    /// 单位。
    unit: UnitRef,
    /// 应填数: 逐人逐任务计。
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    owed: i64,
    /// 已清数: 当日填报的。
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    closed: i64,
    /// 补填数。
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    late: i64,
    /// 未清数。
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    open: i64,
}

impl From<(Unit, Tally)> for UnitClearingView {
    fn from((unit, tally): (Unit, Tally)) -> Self {
        let Tally { owed, closed, late } = tally;
        Self { unit: UnitRef::from(&unit), owed, closed, late, open: tally.open() }
    }
}

/// 某日的清账汇总。
#[derive(Debug, Serialize, ToSchema)]
pub struct ClearingSummaryView {
    /// 哪一天。
    on: NaiveDate,
    /// 是否工作日; 休息日无人应填。
    working: bool,
    /// 这一天是什么。
    kind: DayKind,
    /// 节日名称; 普通的一天为 null。
    #[schema(max_length = 30)]
    name: Option<String>,
    /// 是否暂定: 当年的放假安排尚未录入。
    calendar_provisional: bool,
    /// 是否已定格: 当日已过, 应填者不再变。
    frozen: bool,
    /// 所问单位, 含其全部下级。
    unit: UnitClearingView,
    /// 直接下级, 各含其全部下级。
    #[schema(max_items = 5000)]
    below: Vec<UnitClearingView>,
}

impl Example for ClearingSummaryView {
    fn example() -> Value {
        let row = |code: &str, name: &str, kind: &str, (owed, closed, late, open): (i64, i64, i64, i64)| {
            json!({
                "unit": { "id": UNIT, "code": code, "name": name, "kind": kind },
                "owed": owed, "closed": closed, "late": late, "open": open,
            })
        };
        json!({
            "on": "2026-04-07", "working": true, "kind": "weekday_work", "name": null, "calendar_provisional": false,
            "frozen": true, "unit": row("5301", "昆明市公安局", "city", (120, 112, 5, 3)),
            "below": [row("530102", "昆明市公安局五华分局", "county", (40, 38, 1, 1))],
        })
    }
}

/// 问哪个单位、哪一天。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClearingSummaryQuery {
    /// 哪一天, 缺省为今日。
    on: Option<NaiveDate>,
    /// 单位; 缺省为本人辖区的最上级单位。
    unit_id: Option<UnitId>,
}

endpoint! {
    /// 查看逐日清账汇总
    ///
    /// 某日一个单位及其直接下级的应填、已清、补填、未清数, 各含其全部下级; 休息日如实说明。
    GetClearingSummary: ClearingRead, Get "/daily-clearing/summary", tag "tasks", codes [NotFound]
    async fn get_clearing_summary(gate, _path: (), query: ClearingSummaryQuery, _body: NoBody) -> Plain<ClearingSummaryView> {
        gate.run(move |tx| {
            let Summary { asked, unit, below } = service::summary(tx, query.on, query.unit_id)?;
            Ok(Plain(ClearingSummaryView {
                on: asked.day.on,
                working: asked.works(),
                kind: asked.day.kind,
                calendar_provisional: asked.day.provisional,
                frozen: asked.frozen,
                unit: unit.into(),
                below: below.into_iter().map(UnitClearingView::from).collect(),
                name: asked.day.name,
            }))
        })
        .await
    }
}
