//! `/plans/approve` and `/plans/return`: a result per item.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

use super::many::{self, Item, Outcome};
use super::rules::PlanState;
use crate::access::policy::{PlanApprove, PlanReturn};
use crate::campaigns::rules::PlanId;
use crate::errors::{Code, FieldError, into_validation, text};
use crate::web::{Example, Json, NoQuery, Plain, endpoint, status_of};

const PLAN: &str = "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d80";

/// 批量办理中的一份方案。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanItem {
    /// 方案。
    plan_id: PlanId,
    /// 所阅的版本; 写上则版本不符的不办 (412)。
    #[serde(default)]
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: Option<i64>,
}

fn items(plans: &[PlanItem]) -> Vec<Item> {
    plans.iter().map(|one| Item { plan: one.plan_id, version: one.version }).collect()
}

fn repeated(plans: &[PlanItem]) -> Result<(), ValidationErrors> {
    let twice = plans
        .iter()
        .enumerate()
        .filter(|(at, one)| plans.iter().take(*at).any(|other| other.plan_id == one.plan_id));
    let error = |at: usize| {
        let detail = text!("方案重复", "The plan is there twice");
        FieldError::body(format!("/plans/{at}/plan_id"), Code::NotUnique, detail)
    };
    into_validation(twice.map(|(at, _)| error(at)).collect())
}

/// 批准多份方案。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApproveMany {
    /// 方案。
    #[schema(min_items = 1, max_items = 500)]
    plans: Vec<PlanItem>,
    /// 批准意见, 各份相同。
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000)]
    comment: Option<String>,
}

impl Validate for ApproveMany {
    fn validate(&self) -> Result<(), ValidationErrors> {
        repeated(&self.plans)
    }
}

impl Example for ApproveMany {
    fn example() -> Value {
        json!({ "plans": [{ "plan_id": PLAN, "version": 4 }], "comment": "同意。" })
    }
}

/// 退回多份方案。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReturnMany {
    /// 方案。
    #[schema(min_items = 1, max_items = 500)]
    plans: Vec<PlanItem>,
    /// 退回的理由, 各份相同。
    #[schema(min_length = 1, max_length = 2000)]
    comment: String,
}

impl Validate for ReturnMany {
    fn validate(&self) -> Result<(), ValidationErrors> {
        repeated(&self.plans)
    }
}

impl Example for ReturnMany {
    fn example() -> Value {
        json!({ "plans": [{ "plan_id": PLAN }], "comment": "请写明本级牵头领导后再报。" })
    }
}

/// 一份方案的结果。
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanOutcome {
    /// 方案。
    plan_id: PlanId,
    /// 与单独办理时相同的状态码: 200 已办, 404、409、412、422 未办。
    #[schema(minimum = 200, maximum = 599)]
    status: u16,
    /// 未办的原因, 错误代码; 已办的为 null。
    #[schema(max_length = 60, pattern = "^[a-z0-9_]+$")]
    code: Option<&'static str>,
    /// 办后的状态; 未办的为 null。
    state: Option<PlanState>,
    /// 办后的版本; 未办的为 null。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: Option<i64>,
}

/// 批量办理的结果。
#[derive(Debug, Serialize, ToSchema)]
pub struct PlanOutcomes {
    /// 已办几份。
    #[schema(minimum = 0, maximum = 500)]
    done: usize,
    /// 未办几份。
    #[schema(minimum = 0, maximum = 500)]
    refused: usize,
    /// 各份的结果, 次序与请求相同。
    #[schema(max_items = 500)]
    items: Vec<PlanOutcome>,
}

impl Example for PlanOutcomes {
    fn example() -> Value {
        json!({
            "done": 1, "refused": 1,
            "items": [
                { "plan_id": PLAN, "status": 200, "code": null, "state": "approved", "version": 5 },
                {
                    "plan_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d81", "status": 422, "code": "approver_is_author",
                    "state": null, "version": null,
                },
            ],
        })
    }
}

fn shown(outcomes: Vec<Outcome>) -> PlanOutcomes {
    let done = outcomes.iter().filter(|one| one.result.is_ok()).count();
    let items: Vec<PlanOutcome> = outcomes
        .into_iter()
        .map(|Outcome { plan: plan_id, result }| match result {
            Ok((state, version)) => {
                PlanOutcome { plan_id, status: 200, code: None, state: Some(state), version: Some(version) }
            }
            Err(code) => PlanOutcome {
                plan_id,
                status: status_of(code.kind()),
                code: Some(code.name()),
                state: None,
                version: None,
            },
        })
        .collect();
    PlanOutcomes { done, refused: items.len() - done, items }
}

endpoint! {
    /// 批准多份方案
    ///
    /// 逐份按单独批准的规则办理, 各有结果; 不能批准的不影响其他。至多 500 份。
    ApprovePlans: PlanApprove, Post "/plans/approve", tag "plans", codes []
    async fn approve_plans(gate, _path: (), _query: NoQuery, body: Json<ApproveMany>) -> Plain<PlanOutcomes> {
        gate.run(move |tx| {
            let outcomes = many::approve(tx, &items(&body.0.plans), body.0.comment.as_deref())?;
            Ok(Plain(shown(outcomes)))
        })
        .await
    }
}

endpoint! {
    /// 退回多份方案
    ///
    /// 逐份按单独退回的规则办理, 各有结果; 不能退回的不影响其他。至多 500 份。
    ReturnPlans: PlanReturn, Post "/plans/return", tag "plans", codes []
    async fn return_plans(gate, _path: (), _query: NoQuery, body: Json<ReturnMany>) -> Plain<PlanOutcomes> {
        gate.run(move |tx| {
            let outcomes = many::send_back(tx, &items(&body.0.plans), &body.0.comment)?;
            Ok(Plain(shown(outcomes)))
        })
        .await
    }
}
