//! `/plans/{plan_id}/inflation` and `/plans/{plan_id}/children`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

use super::cascade::{self, Spread, Wanted};
use super::inflation::{InflationKind, Offence};
use crate::access::policy::{PlanRead, PlanSpread};
use crate::campaigns::rules::{PlanId, TaskId};
use crate::errors::Result;
use crate::org::rules::{UnitId, UnitKind};
use crate::org::views::UnitRef;
use crate::web::{Example, Json, NoBody, NoQuery, Plain, endpoint};

const PLAN: &str = "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d80";
const UNIT: &str = "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77";

/// 与上级方案不一致的一处。
#[derive(Debug, Serialize, ToSchema)]
pub struct OffenceView {
    /// 种类。
    kind: InflationKind,
    /// 本方案中的位置 (JSON Pointer)。
    #[schema(max_length = 200)]
    pointer: String,
    /// 上级方案中的任务; 自设的任务为 null。
    parent_task_id: Option<TaskId>,
    /// 任务名称。
    #[schema(max_length = 60)]
    title: String,
    /// 上级方案的值; 上级没有的为 null。
    #[schema(max_length = 200)]
    parent: Option<String>,
    /// 本方案的值, 或加派到的单位; 本方案没有的为 null。
    #[schema(max_length = 200)]
    child: Option<String>,
}

impl From<Offence> for OffenceView {
    fn from(offence: Offence) -> Self {
        let Offence { kind, pointer, parent_task_id, title, parent, child } = offence;
        Self { kind, pointer, parent_task_id, title, parent, child }
    }
}

/// 方案与上级方案的比较 (层层加码)。
#[derive(Debug, Serialize, ToSchema)]
pub struct InflationView {
    /// 方案。
    plan_id: PlanId,
    /// 上级方案; 没有上级方案的为 null。
    parent_plan_id: Option<PlanId>,
    /// 全部不一致之处, 按任务次序, 漏列的在最后; 空则可以提交。
    #[schema(max_items = 20000)]
    offences: Vec<OffenceView>,
}

impl Example for InflationView {
    fn example() -> Value {
        json!({
            "plan_id": PLAN, "parent_plan_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d70",
            "offences": [{
                "kind": "deadline_shortened", "pointer": "/tasks/3/due_on",
                "parent_task_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d90", "title": "落实一次性告知",
                "parent": "2026-06-12", "child": "2026-05-31",
            }],
        })
    }
}

endpoint! {
    /// 查看层层加码
    ///
    /// 此方案与上级方案现行内容不一致之处: 时限、目标、频次与上级不同, 自设指标, 漏列任务, 向下加派任务。提交时有一处即拒绝
    /// (422 `downstream_inflation`)。
    GetInflation: PlanRead, Get "/plans/{plan_id}/inflation", tag "plans", codes []
    async fn get_inflation(gate, id: PlanId, _query: NoQuery, _body: NoBody) -> Plain<InflationView> {
        gate.run(move |tx| {
            let (plan, found) = cascade::inflation(tx, id)?;
            let offences = found.into_iter().map(OffenceView::from).collect();
            Ok(Plain(InflationView { plan_id: plan.id, parent_plan_id: plan.parent_plan_id, offences }))
        })
        .await
    }
}

/// 为下级单位建立方案草稿。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SpreadBody {
    /// 只为这些种类的单位; 不写则为活动范围内的全部。
    #[serde(default)]
    #[schema(max_items = 7)]
    kinds: Vec<UnitKind>,
    /// 只为这些单位; 不写则为全部。
    #[serde(default)]
    #[schema(max_items = 2000)]
    unit_ids: Vec<UnitId>,
}

impl Validate for SpreadBody {
    fn validate(&self) -> std::result::Result<(), ValidationErrors> {
        Ok(())
    }
}

impl Example for SpreadBody {
    fn example() -> Value {
        json!({ "kinds": ["city", "county"] })
    }
}

/// 一个下级单位的方案。
#[derive(Debug, Serialize, ToSchema)]
pub struct ChildView {
    /// 单位。
    unit: UnitRef,
    /// 其方案。
    plan_id: PlanId,
    /// 是否刚刚建立; 否则原已有方案, 未作改动。
    created: bool,
}

/// 建立下级方案的结果。
#[derive(Debug, Serialize, ToSchema)]
pub struct SpreadView {
    /// 新建了几份。
    #[schema(minimum = 0, maximum = 100_000)]
    created: usize,
    /// 原已有几份。
    #[schema(minimum = 0, maximum = 100_000)]
    existing: usize,
    /// 各单位, 上级在前。
    #[schema(max_items = 100_000)]
    items: Vec<ChildView>,
}

impl Example for SpreadView {
    fn example() -> Value {
        json!({
            "created": 1, "existing": 0,
            "items": [{
                "unit": { "id": UNIT, "code": "5301", "name": "昆明市公安局", "kind": "city" }, "plan_id": PLAN, "created": true,
            }],
        })
    }
}

fn shown(done: Vec<Spread>) -> SpreadView {
    let created = done.iter().filter(|one| one.created).count();
    let items: Vec<ChildView> = done
        .into_iter()
        .map(|one| ChildView { unit: UnitRef::from(&one.unit), plan_id: one.plan, created: one.created })
        .collect();
    SpreadView { created, existing: items.len() - created, items }
}

endpoint! {
    /// 为下级建立方案草稿
    ///
    /// 为活动范围内、以此方案为最近上级方案的每个单位建立一份草稿, 列出与其有关的任务, 时限、频次、目标照上级; 牵头领导与会议由各单位填写。
    /// 已有方案的单位不动, 再做一次不会重复。
    SpreadPlan: PlanSpread, Post "/plans/{plan_id}/children", tag "plans", codes [ParentPlanNotPublished]
    async fn spread_plan(gate, id: PlanId, _query: NoQuery, body: Json<SpreadBody>) -> Plain<SpreadView> {
        let SpreadBody { kinds, unit_ids } = body.0;
        let wanted = Wanted { kinds, units: unit_ids };
        gate.run(move |tx| -> Result<_> { Ok(Plain(shown(cascade::spread(tx, id, &wanted)?))) }).await
    }
}
