//! `/campaigns/{campaign_id}/progress`.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::rules::Figures;
use super::service::{self, Progress};
use crate::access::policy::ProgressRead;
use crate::campaigns::rules::CampaignId;
use crate::org::rules::{Unit, UnitId};
use crate::org::views::UnitRef;
use crate::rates::{Rate, RateExclusion};
use crate::web::{Example, NoBody, Remembered, endpoint};

/// 一个单位 (含下级) 的进度。
#[derive(Debug, Serialize, ToSchema)]
pub struct UnitProgressView {
    /// 单位。
    unit: UnitRef,
    /// 任务总数: 任务与承担单位逐一计。
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    total: i64,
    /// 已完成数。
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    done: i64,
    /// 逾期未完成数: 时限已过而未完成。
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    overdue: i64,
    /// 进度: 已完成 ÷ (已到期或已完成); 未到期也未完成的不计。
    rate: Rate,
}

impl From<(Unit, Figures)> for UnitProgressView {
    fn from((unit, figures): (Unit, Figures)) -> Self {
        let Figures { total, done, due_or_done, overdue } = figures;
        let rate = Rate::of(done, due_or_done).without(RateExclusion::NotDue, total - due_or_done);
        Self { unit: UnitRef::from(&unit), total, done, overdue, rate }
    }
}

/// 活动在一个单位及其直接下级的进度。
#[derive(Debug, Serialize, ToSchema)]
pub struct ProgressView {
    /// 所属活动。
    campaign_id: CampaignId,
    /// 按此日是否到期计算。
    on: NaiveDate,
    /// 所问单位, 含其全部下级。
    unit: UnitProgressView,
    /// 直接下级, 各含其全部下级。
    #[schema(max_items = 5000)]
    below: Vec<UnitProgressView>,
}

fn example(code: &str, name: &str, kind: &str, (total, done, overdue, due): (i64, i64, i64, i64)) -> Value {
    json!({
        "unit": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77", "code": code, "name": name, "kind": kind },
        "total": total, "done": done, "overdue": overdue,
        "rate": Rate::of(done, due).without(RateExclusion::NotDue, total - due),
    })
}

impl Example for ProgressView {
    fn example() -> Value {
        json!({
            "campaign_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d78", "on": "2026-05-20",
            "unit": example("53", "云南省公安厅", "province", (9120, 4015, 36, 4051)),
            "below": [example("5301", "昆明市公安局", "city", (840, 402, 3, 405))],
        })
    }
}

/// 问哪个单位、哪一天。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ProgressQuery {
    /// 单位; 缺省为本人辖区的最上级单位。
    unit_id: Option<UnitId>,
    /// 按此日是否到期计算, 缺省为今日; 完成与否以此刻为准。
    on: Option<NaiveDate>,
}

endpoint! {
    /// 查看活动进度
    ///
    /// 一个单位及其直接下级的任务总数、已完成、逾期与进度, 各含其全部下级。下级方案中的任务承接上级任务的, 只计下级的一次。
    GetProgress: ProgressRead, Get "/campaigns/{campaign_id}/progress", tag "campaigns", codes []
    async fn get_progress(gate, id: CampaignId, query: ProgressQuery, _body: NoBody) -> Remembered<ProgressView> {
        gate.run(move |tx| {
            let asked = service::asked(tx, id, query.unit_id, query.on)?;
            let view = |tx: &mut _| {
                let Progress { on, unit, below } = service::progress(tx, &asked)?;
                let below = below.into_iter().map(UnitProgressView::from).collect();
                Ok(ProgressView { campaign_id: id, on, unit: unit.into(), below })
            };
            Ok(Remembered::of(tx.remembered(&asked.about(), view)?))
        })
        .await
    }
}
