//! What the wire shows of finding candidates.

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::rules::{Candidate, CandidateId, CandidateState, Source, Standing};
use crate::access::Tx;
use crate::access::policy::Action;
use crate::db::Instant;
use crate::errors::Result;
use crate::inspections::authorisations::rules::CheckKind;
use crate::inspections::checks::answers::{Answer, points};
use crate::inspections::checks::rules::{CheckId, number_text};
use crate::inspections::checks::service as checks;
use crate::inspections::checks::views::{AnswerView, answered};
use crate::org::views::{UnitNames, UnitRef};
use crate::web::{Example, Versioned, with};

/// 线索出自的检查。
#[derive(Debug, Serialize, ToSchema)]
pub struct CandidateCheckRef {
    /// 标识。
    id: CheckId,
    /// 编号。
    #[schema(max_length = 16)]
    number: Option<String>,
    /// 方式。
    kind: CheckKind,
}

/// 列表中的一条问题线索。
#[derive(Debug, Serialize, ToSchema)]
pub struct CandidateSummaryView {
    /// 标识。
    id: CandidateId,
    /// 检查: 线索出自哪一次。
    check: CandidateCheckRef,
    /// 受检单位。
    unit: UnitRef,
    /// 项号。
    #[schema(max_length = 16)]
    item: String,
    /// 类别。
    #[schema(max_length = 30)]
    category: String,
    /// 检查内容, 依检查所用清单的那一版。
    #[schema(max_length = 200)]
    question: String,
    /// 状态: 异议期内、异议未答复、更正结果待算的为 `pending`; 异议期满、维持、更正后仍扣分的为 `counted`; 更正后不再扣分的为 `dropped`。
    state: CandidateState,
    /// 记录的扣分; 因更正才扣分的为 `0.00`。
    #[schema(max_length = 10)]
    points_recorded: String,
    /// 计入的扣分, 更正过的为更正后的; 待定为 null。
    #[schema(max_length = 10)]
    points_counted: Option<String>,
    /// 自何日起计入: 异议末日的次日, 或答复之日; 异议未答复、更正结果待算、不计的为 null。
    counts_from_on: Option<NaiveDate>,
    /// 版本。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    /// 产生时刻。
    created_at: Instant,
}

/// 一条问题线索: 检查公布时, 扣分的每一项各成一条。
#[derive(Debug, Serialize, ToSchema)]
pub struct CandidateView {
    /// 标识。
    id: CandidateId,
    /// 检查: 线索出自哪一次。
    check: CandidateCheckRef,
    /// 受检单位。
    unit: UnitRef,
    /// 项号。
    #[schema(max_length = 16)]
    item: String,
    /// 类别。
    #[schema(max_length = 30)]
    category: String,
    /// 检查内容, 依检查所用清单的那一版。
    #[schema(max_length = 200)]
    question: String,
    /// 标准, 依检查所用清单的那一版。
    #[schema(max_length = 1000)]
    standard: String,
    /// 记录的答案, 连同说明与证据; 记录时未答此项的为 null。
    answer: Option<AnswerView>,
    /// 更正后的答案; 未更正、更正时未答此项的为 null。
    amended_answer: Option<AnswerView>,
    /// 状态: 异议期内、异议未答复、更正结果待算的为 `pending`; 异议期满、维持、更正后仍扣分的为 `counted`; 更正后不再扣分的为 `dropped`。
    state: CandidateState,
    /// 记录的扣分; 因更正才扣分的为 `0.00`。
    #[schema(max_length = 10)]
    points_recorded: String,
    /// 计入的扣分, 更正过的为更正后的; 待定为 null。
    #[schema(max_length = 10)]
    points_counted: Option<String>,
    /// 自何日起计入: 异议末日的次日, 或答复之日; 异议未答复、更正结果待算、不计的为 null。
    counts_from_on: Option<NaiveDate>,
    /// 版本。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    /// 产生时刻。
    created_at: Instant,
}

impl Versioned for CandidateView {
    fn version(&self) -> i64 {
        self.version
    }
}

fn example_head() -> Value {
    json!({
        "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b7e01",
        "check": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b7c01", "number": "2026-0007", "kind": "covert" },
        "unit": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d02", "code": "530102", "name": "昆明市公安局五华分局", "kind": "county" },
        "item": "GZ-1", "category": "一次性告知", "question": "来人询问时, 是否一次说清所需的全部材料?", "state": "pending",
        "points_recorded": "3.00", "points_counted": null, "counts_from_on": "2026-03-17", "version": 1,
        "created_at": "2026-03-11T01:00:00.000000Z",
    })
}

impl Example for CandidateSummaryView {
    fn example() -> Value {
        example_head()
    }
}

impl Example for CandidateView {
    fn example() -> Value {
        let answer = json!({
            "item": "GZ-1", "yes": false, "number": null, "choice": null, "text": null, "not_applicable": false,
            "note": "窗口让群众回去再拿户口本, 没有给清单。", "deducted": "3.00",
            "attachment_ids": ["01936f2a-7c1e-7b6d-9a54-2f0e8c3b7d01"],
        });
        let more = json!({
            "standard": "口头说清并给书面清单; 不得让群众因同一事项补材料而来第二次。", "answer": answer, "amended_answer": null,
        });
        with(example_head(), more)
    }
}

fn source_ref(one: &Candidate, source: &Source) -> CandidateCheckRef {
    CandidateCheckRef { id: one.check_id, number: source.number.map(number_text), kind: source.kind }
}

pub(super) fn summaries<A: Action>(
    tx: &mut Tx<'_, A>,
    found: Vec<(Candidate, Source)>,
) -> Result<Vec<CandidateSummaryView>> {
    let units = UnitNames::load(tx, found.iter().map(|(_, source)| source.unit_id))?;
    let today = tx.now().shanghai_day();
    let view = |(one, source): (Candidate, Source)| {
        let Standing { state, points: counted, from_on } = one.standing(&source, today);
        Ok(CandidateSummaryView {
            check: source_ref(&one, &source),
            unit: units.get(source.unit_id)?,
            id: one.id,
            item: one.item,
            category: one.category,
            question: one.question,
            state,
            points_recorded: points(one.recorded),
            points_counted: counted.map(points),
            counts_from_on: from_on,
            version: one.version,
            created_at: one.created_at,
        })
    };
    found.into_iter().map(view).collect()
}

pub(super) fn whole<A: Action>(
    tx: &mut Tx<'_, A>,
    (one, source): (Candidate, Source),
) -> Result<CandidateView> {
    let unit = UnitNames::load(tx, [source.unit_id])?.get(source.unit_id)?;
    // Whoever may know of what a check found may know of the check.
    let check = checks::visible(tx, one.check_id)?;
    let items = checks::checklist_of(tx, &check)?.content.items;
    let of = |answers: Vec<Answer>| {
        let given = answers.into_iter().filter(|answer| answer.item == one.item).collect();
        answered(&items, given).pop()
    };
    let answer = check.record.and_then(|record| of(record.answers));
    let amended_answer = check.decision.and_then(|(decision, ..)| decision.answers).and_then(of);
    let Standing { state, points: counted, from_on } = one.standing(&source, tx.now().shanghai_day());
    Ok(CandidateView {
        check: source_ref(&one, &source),
        unit,
        id: one.id,
        item: one.item,
        category: one.category,
        question: one.question,
        standard: one.standard,
        answer,
        amended_answer,
        state,
        points_recorded: points(one.recorded),
        points_counted: counted.map(points),
        counts_from_on: from_on,
        version: one.version,
        created_at: one.created_at,
    })
}
