//! `/auth/me/waiting`.

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::service::{self, Waiting, WaitingKind};
use crate::access::Tx;
use crate::access::policy::AccountRead;
use crate::campaigns::rules::{CampaignId, PlanId, TaskId};
use crate::db::Instant;
use crate::errors::Result;
use crate::inspections::authorisations::rules::AuthorisationId;
use crate::inspections::checks::rules::CheckId;
use crate::org::views::{UnitNames, UnitRef};
use crate::web::{Example, NoBody, NoQuery, Plain, endpoint};

/// Items listed; the counts tell how many there are.
const MOST_LISTED: usize = 200;

/// 一类待办的件数。
#[derive(Debug, Serialize, ToSchema)]
pub struct WaitingCount {
    /// 种类。
    kind: WaitingKind,
    /// 件数。
    #[schema(minimum = 1, maximum = 100_000)]
    count: usize,
    /// 其中逾期的。
    #[schema(minimum = 0, maximum = 100_000)]
    overdue: usize,
}

/// 一件待办。
#[derive(Debug, Serialize, ToSchema)]
pub struct WaitingItem {
    /// 种类。
    kind: WaitingKind,
    /// 方案; 当日未清的人员、检查授权与检查不属任一方案, 为 null。
    plan_id: Option<PlanId>,
    /// 所属活动; 同上。
    campaign_id: Option<CampaignId>,
    /// 任务; 待完成、待填报的有。
    task_id: Option<TaskId>,
    /// 检查授权; 待批的授权有。
    authorisation_id: Option<AuthorisationId>,
    /// 明察或暗访; 待记录、确认、公布, 可提出异议, 待答复的有。
    check_id: Option<CheckId>,
    /// 检查的编号; 未公布的为 null。
    #[schema(max_length = 16)]
    check_number: Option<String>,
    /// 方案或授权所属、承担任务、当日应填或受检的单位。
    unit: UnitRef,
    /// 方案、任务或授权的标题; 其他为 null。
    #[schema(max_length = 200)]
    title: Option<String>,
    /// 该单位当日未清的人数; 其他种类为 null。
    #[schema(minimum = 1, maximum = 100_000)]
    people: Option<i64>,
    /// 自何时起等待。
    since_at: Instant,
    /// 时限, 含当日: 方案为活动第一阶段的末日, 任务为其时限, 填报为当日, 待批的授权为其首日, 异议为异议末日; 其他为 null。
    due_on: Option<NaiveDate>,
    /// 是否逾期。
    overdue: bool,
}

/// 等待本人办理的事项。
#[derive(Debug, Serialize, ToSchema)]
pub struct WaitingView {
    /// 按种类的件数; 没有的不列, 一个种类至多计 500 件。
    #[schema(max_items = 20)]
    counts: Vec<WaitingCount>,
    /// 逐件, 逾期在前, 再按时限, 无时限的在后, 再按等待的先后; 至多 200 件。
    #[schema(max_items = 200)]
    items: Vec<WaitingItem>,
}

impl Example for WaitingView {
    fn example() -> Value {
        json!({
            "counts": [{ "kind": "plan_to_approve", "count": 1, "overdue": 0 }],
            "items": [{
                "kind": "plan_to_approve", "plan_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d80",
                "campaign_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d78", "task_id": null,
                "authorisation_id": null, "check_id": null, "check_number": null,
                "unit": {
                    "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77", "code": "5301", "name": "昆明市公安局", "kind": "city",
                },
                "title": "昆明市公安局“治庸懒、强担当、树新风”主题活动实施方案", "people": null, "since_at": "2026-03-03T02:00:00.000000Z",
                "due_on": "2026-03-29", "overdue": false,
            }],
        })
    }
}

fn counted(found: &[Waiting]) -> Vec<WaitingCount> {
    let of = |kind: WaitingKind| {
        let these = || found.iter().filter(move |one| one.kind == kind);
        let overdue = these().filter(|one| one.is_overdue).count();
        WaitingCount { kind, count: these().count(), overdue }
    };
    WaitingKind::ALL.iter().map(|kind| of(*kind)).filter(|one| one.count > 0).collect()
}

fn view(tx: &mut Tx<'_, AccountRead>, mut found: Vec<Waiting>) -> Result<WaitingView> {
    let counts = counted(&found);
    found.truncate(MOST_LISTED);
    let names = UnitNames::load(tx, found.iter().map(|one| one.unit_id))?;
    let item = |one: Waiting| {
        let (campaign_id, plan_id) = one.plan.unzip();
        Ok(WaitingItem {
            kind: one.kind,
            plan_id,
            campaign_id,
            task_id: one.task,
            authorisation_id: one.authorisation,
            check_id: one.check,
            check_number: one.number,
            unit: names.get(one.unit_id)?,
            title: one.title,
            people: one.people,
            since_at: one.since,
            due_on: one.due_on,
            overdue: one.is_overdue,
        })
    };
    Ok(WaitingView { counts, items: found.into_iter().map(item).collect::<Result<_>>()? })
}

endpoint! {
    /// 等我办理的
    ///
    /// 本人此刻可以办理的事项, 按种类与时限。方案 (含修订): 待批的, 不能批准而待退回的, 待表决的, 被退回待改的, 待写完提交的草稿,
    /// 待发布的, 上级已修订而待修订的。任务: 本人为主要负责人或联络员的
    /// 单位尚未完成、也无下级承接的。填报: 本人今日及以往工作日应填未填的; 本人为主要负责人或联络员的单位今日未清的人数。检查:
    /// 待批的检查授权; 本人参加而未记录的, 待本人以指挥员确认的, 待本人公布而未定自动公布的, 本人为受检单位主要负责人或其代理而异议期
    /// 未满的, 异议待答复的。
    GetWaiting: AccountRead, Get "/auth/me/waiting", tag "auth", codes []
    async fn get_waiting(gate, _path: (), _query: NoQuery, _body: NoBody) -> Plain<WaitingView> {
        gate.run(move |tx| {
            let found = service::waiting(tx)?;
            Ok(Plain(view(tx, found)?))
        })
        .await
    }
}
