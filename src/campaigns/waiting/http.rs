//! `/auth/me/waiting`.

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::service::{self, Waiting, WaitingKind};
use crate::access::Tx;
use crate::access::policy::AccountRead;
use crate::campaigns::rules::{CampaignId, PlanId};
use crate::db::Instant;
use crate::errors::Result;
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
    /// 方案。
    plan_id: PlanId,
    /// 所属活动。
    campaign_id: CampaignId,
    /// 方案所属单位。
    unit: UnitRef,
    /// 标题。
    #[schema(max_length = 100)]
    title: String,
    /// 自何时起等待。
    since_at: Instant,
    /// 时限, 含当日: 活动第一阶段的末日。
    due_on: Option<NaiveDate>,
    /// 是否逾期。
    overdue: bool,
}

/// 等待本人办理的事项。
#[derive(Debug, Serialize, ToSchema)]
pub struct WaitingView {
    /// 按种类的件数; 没有的不列。
    #[schema(max_items = 20)]
    counts: Vec<WaitingCount>,
    /// 逐件, 逾期在前, 再按时限与等待的先后; 至多 200 件。
    #[schema(max_items = 200)]
    items: Vec<WaitingItem>,
}

impl Example for WaitingView {
    fn example() -> Value {
        json!({
            "counts": [{ "kind": "plan_to_approve", "count": 1, "overdue": 0 }],
            "items": [{
                "kind": "plan_to_approve", "plan_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d80",
                "campaign_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d78",
                "unit": {
                    "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77", "code": "5301", "name": "昆明市公安局", "kind": "city",
                },
                "title": "昆明市公安局“治庸懒、强担当、树新风”主题活动实施方案", "since_at": "2026-03-03T02:00:00.000000Z",
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
    let names = UnitNames::load(tx, found.iter().map(|one| one.plan.unit_id))?;
    let item = |Waiting { kind, plan, since, due_on, is_overdue }: Waiting| {
        Ok(WaitingItem {
            kind,
            plan_id: plan.id,
            campaign_id: plan.campaign_id,
            unit: names.get(plan.unit_id)?,
            title: plan.title,
            since_at: since,
            due_on,
            overdue: is_overdue,
        })
    };
    Ok(WaitingView { counts, items: found.into_iter().map(item).collect::<Result<_>>()? })
}

endpoint! {
    /// 等我办理的
    ///
    /// 本人此刻可以办理的事项, 按种类与时限: 待批的方案, 被退回待改的方案, 待写完提交的草稿, 待发布的方案。
    GetWaiting: AccountRead, Get "/auth/me/waiting", tag "auth", codes []
    async fn get_waiting(gate, _path: (), _query: NoQuery, _body: NoBody) -> Plain<WaitingView> {
        gate.run(move |tx| {
            let found = service::waiting(tx)?;
            Ok(Plain(view(tx, found)?))
        })
        .await
    }
}
