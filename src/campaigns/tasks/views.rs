//! What the wire shows of assignments.

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::rules::{Assignment, AssignmentAction, AssignmentId, AssignmentState, TaskFacts};
use super::service;
use crate::access::Tx;
use crate::access::names::{UserNames, UserRef};
use crate::access::policy::Action;
use crate::campaigns::rules::TaskId;
use crate::db::Instant;
use crate::errors::{AppError, Result};
use crate::org::officers::http::{OfficerNames, OfficerRef};
use crate::org::views::{UnitNames, UnitRef};
use crate::web::{Example, Versioned};

/// 一项任务在一个单位的落实。
#[derive(Debug, Serialize, ToSchema)]
pub struct AssignmentView {
    /// 标识。
    id: AssignmentId,
    /// 所属任务。
    task_id: TaskId,
    /// 承担单位。
    unit: UnitRef,
    /// 状态。
    state: AssignmentState,
    /// 完成时限, 含当日。
    due_on: NaiveDate,
    /// 是否逾期: 时限已过而未完成。
    overdue: bool,
    /// 是否由下级承接: 下级方案中的任务代行, 全部完成即为完成, 不另计数。
    carried: bool,
    /// 责任人。
    #[schema(max_items = 5000)]
    persons: Vec<OfficerRef>,
    /// 完成的凭据; 退回重做后仍可查看。
    #[schema(max_length = 2000)]
    evidence: Option<String>,
    /// 本单位直接完成的时刻; 由下级承接完成的为 null。
    completed_at: Option<Instant>,
    /// 由谁填报完成。
    completed_by: Option<UserRef>,
    /// 退回理由, 最近一次; 重新完成后清空。
    #[schema(max_length = 2000)]
    reopen_reason: Option<String>,
    /// 本人此刻可做的操作。
    #[schema(max_items = 3)]
    allowed_actions: Vec<AssignmentAction>,
    /// 版本。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    /// 落实时刻。
    created_at: Instant,
    /// 最近修改时刻。
    updated_at: Instant,
}

impl Versioned for AssignmentView {
    fn version(&self) -> i64 {
        self.version
    }
}

impl Example for AssignmentView {
    fn example() -> Value {
        json!({
            "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b6a01", "task_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d90",
            "unit": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77", "code": "530102", "name": "昆明市公安局五华分局", "kind": "county" },
            "state": "open", "due_on": "2026-06-12", "overdue": false, "carried": false,
            "persons": [{ "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b4a01", "number": "053017", "name": "王建国" }],
            "evidence": null, "completed_at": null, "completed_by": null, "reopen_reason": null,
            "allowed_actions": ["complete", "name_persons"], "version": 2,
            "created_at": "2026-03-05T02:30:00.000000Z", "updated_at": "2026-03-06T01:00:00.000000Z",
        })
    }
}

/// Shows assignments of one task.
///
/// # Errors
/// When the database fails.
pub(super) fn views<A: Action>(
    tx: &mut Tx<'_, A>,
    task: &TaskFacts,
    rows: Vec<Assignment>,
) -> Result<Vec<AssignmentView>> {
    let today = tx.now().shanghai_day();
    let names = UnitNames::load(tx, rows.iter().map(|one| one.unit_id))?;
    let users = UserNames::load(tx, rows.iter().filter_map(|one| one.completed_by))?;
    let ids: Vec<AssignmentId> = rows.iter().map(|one| one.id).collect();
    let persons = service::persons(tx, &ids)?;
    let officers = OfficerNames::load(tx, persons.values().flatten().copied())?;
    let rights = service::rights(tx);
    rows.into_iter()
        .map(|one| {
            let carriers = persons.get(&one.id).into_iter().flatten();
            Ok(AssignmentView {
                allowed_actions: service::allowed(tx, &rights, task, &one),
                overdue: one.is_overdue(today),
                unit: names.get(one.unit_id)?,
                persons: carriers.map(|id| officers.get(*id)).collect::<Result<_>>()?,
                completed_by: one.completed_by.map(|id| users.get(id)).transpose()?,
                id: one.id,
                task_id: one.task_id,
                state: one.state,
                due_on: one.due_on,
                carried: one.carried,
                evidence: one.evidence,
                completed_at: one.completed_at,
                reopen_reason: one.reopen_reason,
                version: one.version,
                created_at: one.created_at,
                updated_at: one.updated_at,
            })
        })
        .collect()
}

/// Shows one.
///
/// # Errors
/// When the database fails.
pub(super) fn view<A: Action>(
    tx: &mut Tx<'_, A>,
    (task, one): (TaskFacts, Assignment),
) -> Result<AssignmentView> {
    let made = views(tx, &task, vec![one])?.pop();
    made.ok_or_else(|| AppError::internal("an assignment without a view"))
}
