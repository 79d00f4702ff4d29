//! `/tasks/{task_id}/entries`.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

use crate::access::Tx;
use crate::access::names::{UserNames, UserRef};
use crate::access::policy::{Action, EntryCreate, EntryRead, EntryUpdate};
use crate::campaigns::clearing::rules::{DayEntry, EntryAction, EntryDraft, EntryId};
use crate::campaigns::clearing::service::{self, EntryFilter, EntrySort, NewEntry};
use crate::campaigns::rules::TaskId;
use crate::db::Instant;
use crate::errors::{AppError, Result};
use crate::org::http::{Depth, narrowed};
use crate::org::officers::http::{OfficerNames, OfficerRef};
use crate::org::officers::rules::OfficerId;
use crate::org::rules::UnitId;
use crate::org::views::{UnitNames, UnitRef};
use crate::web::{
    Count, Created, Example, Json, Merge, NoBody, NoQuery, Page, Patch, Resource, Versioned, endpoint,
};

/// 一人一日的填报。
#[derive(Debug, Serialize, ToSchema)]
pub struct DayEntryView {
    /// 标识。
    id: EntryId,
    /// 所属任务。
    task_id: TaskId,
    /// 单位。
    unit: UnitRef,
    /// 责任人。
    officer: OfficerRef,
    /// 日期。
    day: NaiveDate,
    /// 当日做了什么。
    #[schema(max_length = 1000)]
    done: String,
    /// 当日办理数量。
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    amount: Option<i64>,
    /// 是否补填: 次日零时起即为补填, 不因更正而变。
    late: bool,
    /// 由谁填报, 更正过的为更正的人。
    entered_by: UserRef,
    /// 是否代填: 由单位代责任人填报或更正。
    for_other: bool,
    /// 本人此刻可做的操作。
    #[schema(max_items = 1)]
    allowed_actions: Vec<EntryAction>,
    /// 版本。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    /// 填报时刻。
    created_at: Instant,
    /// 最近修改时刻。
    updated_at: Instant,
}

impl Versioned for DayEntryView {
    fn version(&self) -> i64 {
        self.version
    }
}

const OFFICER: &str = "01936f2a-7c1e-7b6d-9a54-2f0e8c3b4a01";

impl Example for DayEntryView {
    fn example() -> Value {
        json!({
            "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b7a01", "task_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d90",
            "unit": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77", "code": "530102", "name": "昆明市公安局五华分局", "kind": "county" },
            "officer": { "id": OFFICER, "number": "053017", "name": "王建国" },
            "day": "2026-04-07", "done": "窗口受理 34 件, 均出具一次性告知单。", "amount": 34, "late": false,
            "entered_by": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d10", "display_name": "王建国" }, "for_other": false,
            "allowed_actions": ["update"], "version": 1,
            "created_at": "2026-04-07T09:30:00.000000Z", "updated_at": "2026-04-07T09:30:00.000000Z",
        })
    }
}

impl Example for EntryDraft {
    fn example() -> Value {
        json!({ "done": "窗口受理 34 件, 均出具一次性告知单。", "amount": 34 })
    }
}

impl Patch for EntryDraft {
    fn patch_example() -> Value {
        json!({ "amount": 35 })
    }
}

fn views<A: Action>(tx: &mut Tx<'_, A>, rows: Vec<DayEntry>) -> Result<Vec<DayEntryView>> {
    let names = UnitNames::load(tx, rows.iter().map(|one| one.unit_id))?;
    let officers = OfficerNames::load(tx, rows.iter().map(|one| one.officer_id))?;
    let users = UserNames::load(tx, rows.iter().map(|one| one.entered_by))?;
    let allowed = service::allowed(tx)?;
    rows.into_iter()
        .map(|one| {
            Ok(DayEntryView {
                allowed_actions: allowed(&one),
                unit: names.get(one.unit_id)?,
                officer: officers.get(one.officer_id)?,
                entered_by: users.get(one.entered_by)?,
                id: one.id,
                task_id: one.task_id,
                day: one.day,
                done: one.content.done,
                amount: one.content.amount,
                late: one.late,
                for_other: one.for_other,
                version: one.version,
                created_at: one.created_at,
                updated_at: one.updated_at,
            })
        })
        .collect()
}

fn view<A: Action>(tx: &mut Tx<'_, A>, one: DayEntry) -> Result<DayEntryView> {
    views(tx, vec![one])?.pop().ok_or_else(|| AppError::internal("an entry without a view"))
}

/// 填报列表的条件。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EntryQuery {
    /// 此单位及其下级的。
    unit_id: Option<UnitId>,
    /// `unit_id` 的范围, 缺省含下级。
    depth: Option<Depth>,
    /// 此人的。
    officer_id: Option<OfficerId>,
    /// 不早于此日。
    day_from: Option<NaiveDate>,
    /// 不晚于此日。
    day_to: Option<NaiveDate>,
    /// 是否补填。
    late: Option<bool>,
    /// 排序; 缺省为 `-day` (近日在前)。
    sort: Option<EntrySort>,
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
    /// 逐日填报列表
    ///
    /// 一项任务的逐日填报: 本人辖区内的, 以及本人的。
    ListEntries: EntryRead, Get "/tasks/{task_id}/entries", tag "tasks", codes []
    async fn list_entries(gate, id: TaskId, query: EntryQuery, _body: NoBody) -> Page<DayEntryView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        gate.run(move |tx| {
            let below = narrowed(tx, query.unit_id, query.depth)?;
            let (officer, from, to, late) = (query.officer_id, query.day_from, query.day_to, query.late);
            let filter = EntryFilter { below, officer, from, to, late };
            let page = service::entries(tx, id, &filter, query.sort.unwrap_or(EntrySort::DayDown), &paging)?;
            let Page { items, next_cursor, total } = page;
            Ok(Page { items: views(tx, items)?, next_cursor, total })
        })
        .await
    }
}

endpoint! {
    /// 查看填报
    GetEntry: EntryRead, Get "/tasks/{task_id}/entries/{entry_id}", tag "tasks", codes []
    async fn get_entry(gate, ids: (TaskId, EntryId), _query: NoQuery, _body: NoBody) -> Resource<DayEntryView> {
        gate.run(move |tx| {
            let found = service::entry(tx, ids.0, ids.1)?;
            view(tx, found).map(Resource)
        })
        .await
    }
}

/// 逐日填报。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewDayEntry {
    /// 由客户端选定的标识; 不写则由服务器生成。
    #[serde(default)]
    id: Option<EntryId>,
    /// 责任人; 不写则为本人。单位的主要负责人与联络员可代填。
    #[serde(default)]
    officer_id: Option<OfficerId>,
    /// 日期, 不晚于今日; 早于今日的为补填。
    day: NaiveDate,
    /// 当日做了什么。
    #[schema(min_length = 1, max_length = 1000)]
    done: String,
    /// 当日办理数量。
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    amount: Option<i64>,
}

impl Example for NewDayEntry {
    fn example() -> Value {
        json!({ "officer_id": OFFICER, "day": "2026-04-07", "done": "窗口受理 34 件, 均出具一次性告知单。", "amount": 34 })
    }
}

endpoint! {
    /// 逐日填报
    ///
    /// 责任人每个工作日一条, 当日 24 时前填报; 过时仍可补填, 永久标明补填。由单位代填的一并标明。
    CreateEntry: EntryCreate, Post "/tasks/{task_id}/entries", tag "tasks",
        codes [PlanNotInForce, TaskWithoutEntries, EntryExists, IdTaken, NotAPerson]
    async fn create_entry(gate, id: TaskId, _query: NoQuery, body: Json<NewDayEntry>) -> Created<DayEntryView> {
        let NewDayEntry { id: own, officer_id: officer, day, done, amount } = body.0;
        gate.run(move |tx| {
            let new = NewEntry { id: own, officer, day, content: EntryDraft { done, amount } };
            let (entry, existed) = service::create(tx, id, &new)?;
            let location = format!("/tasks/{id}/entries/{}", entry.id);
            Ok(Created { view: view(tx, entry)?, location, existed })
        })
        .await
    }
}

endpoint! {
    /// 更正填报
    ///
    /// 只能在填报当日更正。
    UpdateEntry: EntryUpdate, Patch "/tasks/{task_id}/entries/{entry_id}", tag "tasks", codes [EntryClosed]
    async fn update_entry(gate, ids: (TaskId, EntryId), _query: NoQuery, body: Merge<EntryDraft>) -> Resource<DayEntryView> {
        gate.run(move |tx| {
            let entry = service::correct(tx, ids.0, ids.1, |current| body.apply(current))?;
            view(tx, entry).map(Resource)
        })
        .await
    }
}
