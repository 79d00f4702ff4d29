//! `/campaigns/{campaign_id}/plans`.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::matrix::{self, Branch, Matrix, Tally};
use super::rules::PlanState;
use crate::access::policy::PlanRead;
use crate::campaigns::rules::{CampaignId, PlanId};
use crate::org::rules::{UnitId, UnitKind};
use crate::org::views::UnitRef;
use crate::web::{Example, NoBody, Remembered, endpoint};

const UNIT: &str = "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77";

/// 方案处于某一状态的单位数。
#[derive(Debug, Serialize, ToSchema)]
pub struct StateCount {
    /// 方案的状态; null 为尚无方案。
    state: Option<PlanState>,
    /// 单位数。
    #[schema(minimum = 0, maximum = 100_000)]
    units: usize,
}

/// 一组单位的进度。
#[derive(Debug, Serialize, ToSchema)]
pub struct TallyView {
    /// 单位数。
    #[schema(minimum = 0, maximum = 100_000)]
    units: usize,
    /// 逾期的单位数: 已过时限而方案尚未发布。
    #[schema(minimum = 0, maximum = 100_000)]
    overdue: usize,
    /// 按方案的状态; 没有单位的状态不列。
    #[schema(max_items = 20)]
    states: Vec<StateCount>,
}

impl From<Tally> for TallyView {
    fn from(tally: Tally) -> Self {
        let states = tally.states.into_iter().map(|(state, units)| StateCount { state, units }).collect();
        Self { units: tally.units, overdue: tally.overdue, states }
    }
}

/// 一级单位的进度。
#[derive(Debug, Serialize, ToSchema)]
pub struct LevelView {
    /// 单位种类。
    kind: UnitKind,
    /// 进度。
    tally: TallyView,
}

/// 矩阵中的一份方案。
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanCell {
    /// 标识。
    id: PlanId,
    /// 状态。
    state: PlanState,
    /// 版本, 批量批准时写上。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
}

/// 一个直接下级单位。
#[derive(Debug, Serialize, ToSchema)]
pub struct BranchView {
    /// 单位。
    unit: UnitRef,
    /// 其方案; 尚无为 null。
    plan: Option<PlanCell>,
    /// 是否逾期。
    overdue: bool,
    /// 其下级单位的进度。
    below: TallyView,
}

impl From<Branch> for BranchView {
    fn from(branch: Branch) -> Self {
        let Branch { unit_id: id, code, name, kind, plan, is_overdue, below, .. } = branch;
        Self {
            unit: UnitRef::new(id, code, name, kind),
            plan: plan.map(|plan| PlanCell { id: plan.id, state: plan.state, version: plan.version }),
            overdue: is_overdue,
            below: below.into(),
        }
    }
}

/// 下级方案矩阵。
#[derive(Debug, Serialize, ToSchema)]
pub struct MatrixView {
    /// 活动。
    campaign_id: CampaignId,
    /// 所看的单位, 其下级在此列出。
    unit: UnitRef,
    /// 方案的时限: 活动第一阶段的末日, 次日起未发布的为逾期。
    due_on: Option<NaiveDate>,
    /// 各级单位的进度, 上级在前; 不含所看的单位本身。
    #[schema(max_items = 7)]
    levels: Vec<LevelView>,
    /// 直接下级单位, 按组织树次序。
    #[schema(max_items = 100_000)]
    branches: Vec<BranchView>,
}

impl Example for MatrixView {
    fn example() -> Value {
        let counts = json!([{ "state": null, "units": 3 }, { "state": "submitted", "units": 12 }, { "state": "published", "units": 1 }]);
        json!({
            "campaign_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d78",
            "unit": { "id": UNIT, "code": "53", "name": "云南省公安厅", "kind": "province" }, "due_on": "2026-03-29",
            "levels": [{ "kind": "city", "tally": { "units": 16, "overdue": 15, "states": counts } }],
            "branches": [{
                "unit": { "id": UNIT, "code": "5301", "name": "昆明市公安局", "kind": "city" },
                "plan": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d80", "state": "submitted", "version": 4 }, "overdue": true,
                "below": { "units": 14, "overdue": 14, "states": [{ "state": null, "units": 14 }] },
            }],
        })
    }
}

impl MatrixView {
    fn of(campaign_id: CampaignId, matrix: Matrix) -> Self {
        let Matrix { unit, due_on, levels, branches } = matrix;
        let levels =
            levels.into_iter().map(|(kind, tally)| LevelView { kind, tally: tally.into() }).collect();
        let branches = branches.into_iter().map(BranchView::from).collect();
        Self { campaign_id, unit: UnitRef::from(&unit), due_on, levels, branches }
    }
}

/// 查看矩阵的条件。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MatrixQuery {
    /// 看哪个单位的下级; 缺省为主办单位。
    unit_id: Option<UnitId>,
}

endpoint! {
    /// 下级方案矩阵
    ///
    /// 活动范围内各级单位的方案进度: 每级按状态计数, 每个直接下级单位一行, 含其下级的计数。只计本人辖区之内。
    GetMatrix: PlanRead, Get "/campaigns/{campaign_id}/plans", tag "campaigns", codes []
    async fn get_matrix(gate, id: CampaignId, query: MatrixQuery, _body: NoBody) -> Remembered<MatrixView> {
        gate.run(move |tx| {
            let asked = matrix::asked(tx, id, query.unit_id)?;
            let view = |tx: &mut _| Ok(MatrixView::of(id, matrix::matrix(tx, &asked)?));
            Ok(Remembered::of(tx.remembered(&asked.about(), view)?))
        })
        .await
    }
}
