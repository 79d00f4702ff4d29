//! What the wire shows of unannounced checks.

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::answers::{self, Answer};
use super::rules::{
    AddendumId, Check, CheckAction, CheckId, CheckRecord, CheckState, Lost, ObjectionOutcome, PersonMet,
    Place, number_text,
};
use super::service::{self, Caller};
use super::{awaited, embargo};
use crate::access::names::{UserNames, UserRef};
use crate::access::policy::Action;
use crate::access::{Tx, UserId};
use crate::db::Instant;
use crate::errors::{AppError, Result};
use crate::inspections::attachments;
use crate::inspections::attachments::rules::{AttachmentId, ShownIn};
use crate::inspections::attachments::views::AttachmentView;
use crate::inspections::authorisations::rules::{AuthorisationId, CheckKind};
use crate::inspections::candidates;
use crate::inspections::checklists::items::Item;
use crate::inspections::checklists::rules::{ChecklistId, ChecklistVersionId};
use crate::org::views::{UnitNames, UnitRef};
use crate::web::{Example, Versioned, with};

/// 列表中的一次检查。
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckSummaryView {
    /// 标识。
    id: CheckId,
    /// 编号, 公布时给定。
    #[schema(max_length = 16)]
    number: Option<String>,
    /// 方式。
    kind: CheckKind,
    /// 受检单位。
    unit: UnitRef,
    /// 状态。
    state: CheckState,
    /// 开始时刻, 以设备的钟为准。
    begun_at: Instant,
    /// 共扣的分; 未记录为 null。
    #[schema(max_length = 10)]
    deducted: Option<String>,
    /// 异议末日; 未公布为 null。
    objection_until_on: Option<NaiveDate>,
    /// 本人此刻可做的操作。
    #[schema(max_items = 8)]
    allowed_actions: Vec<CheckAction>,
    /// 版本。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    /// 录入时刻。
    created_at: Instant,
    /// 最近修改时刻。
    updated_at: Instant,
}

/// 一项答案及其扣分。
#[derive(Debug, Serialize, ToSchema)]
pub struct AnswerView {
    /// 项号。
    #[schema(max_length = 16)]
    item: String,
    /// 是否; 用于 `yes_no`。
    yes: Option<bool>,
    /// 数值; 用于 `number`。
    #[schema(max_length = 14)]
    number: Option<String>,
    /// 所选的值; 用于 `choice`。
    #[schema(max_length = 20)]
    choice: Option<String>,
    /// 文字; 用于 `text`。
    #[schema(max_length = 2000)]
    text: Option<String>,
    /// 不适用。
    not_applicable: bool,
    /// 说明。
    #[schema(max_length = 500)]
    note: Option<String>,
    /// 此项的证据。
    #[schema(max_items = 20)]
    attachment_ids: Vec<AttachmentId>,
    /// 扣的分。
    #[schema(max_length = 10)]
    deducted: String,
}

/// 一次检查的记录。
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckRecordView {
    /// 各项答案。
    #[schema(max_items = 200)]
    answers: Vec<AnswerView>,
    /// 遇到的人。
    #[schema(max_items = 50)]
    people_met: Vec<PersonMet>,
    /// 总的情况。
    #[schema(max_length = 2000)]
    summary: Option<String>,
    /// 结束时刻, 以设备的钟为准。
    ended_at: Instant,
    /// 不属于某一项的照片。
    #[schema(max_items = 100)]
    attachment_ids: Vec<AttachmentId>,
    /// 由谁记录。
    recorded_by: UserRef,
    /// 服务器收到的时刻。
    recorded_at: Instant,
}

/// 所用的检查清单。
#[derive(Debug, Serialize, ToSchema)]
pub struct ChecklistUsed {
    /// 清单。
    id: ChecklistId,
    /// 版本的标识。
    version_id: ChecklistVersionId,
    /// 第几版。
    #[schema(minimum = 1, maximum = 100_000)]
    number: i32,
    /// 名称。
    #[schema(max_length = 60)]
    title: String,
}

/// 异议。
#[derive(Debug, Serialize, ToSchema)]
pub struct ObjectionView {
    /// 内容。
    #[schema(max_length = 2000)]
    content: String,
    /// 所附的照片。
    #[schema(max_items = 20)]
    attachment_ids: Vec<AttachmentId>,
    /// 由谁提出。
    by: UserRef,
    /// 何时。
    at: Instant,
}

/// 对异议的答复。
#[derive(Debug, Serialize, ToSchema)]
pub struct DecisionView {
    /// 结果。
    outcome: ObjectionOutcome,
    /// 理由。
    #[schema(max_length = 2000)]
    reasons: String,
    /// 更正后的答案; 维持的为 null。原记录不变。
    #[schema(max_items = 200)]
    answers: Option<Vec<AnswerView>>,
    /// 由谁答复。
    by: UserRef,
    /// 何时。
    at: Instant,
}

/// 一条补记。
#[derive(Debug, Serialize, ToSchema)]
pub struct AddendumView {
    /// 标识。
    id: AddendumId,
    /// 内容。
    #[schema(max_length = 2000)]
    content: String,
    /// 所附的照片。
    #[schema(max_items = 20)]
    attachment_ids: Vec<AttachmentId>,
    /// 由谁补记。
    author: UserRef,
    /// 何时。
    created_at: Instant,
}

/// 一张放弃的照片。
#[derive(Debug, Serialize, ToSchema)]
pub struct LostAttachmentView {
    /// 标识。
    id: AttachmentId,
    /// 理由。
    #[schema(max_length = 500)]
    reason: String,
    /// 由谁放弃。
    given_up_by: UserRef,
    /// 何时。
    given_up_at: Instant,
}

/// 一次明察或暗访。
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckView {
    /// 标识。
    id: CheckId,
    /// 编号, 公布时给定: 年度与序号。
    #[schema(max_length = 16)]
    number: Option<String>,
    /// 所依据的授权。
    authorisation_id: AuthorisationId,
    /// 方式。
    kind: CheckKind,
    /// 受检单位。
    unit: UnitRef,
    /// 检查人员。
    #[schema(max_items = 50)]
    team: Vec<UserRef>,
    /// 指挥员。
    commander: UserRef,
    /// 所用的检查清单。
    checklist: ChecklistUsed,
    /// 状态。异议期满未提异议的为 `final`。
    state: CheckState,
    /// 开始时刻, 以设备的钟为准。
    begun_at: Instant,
    /// 服务器最初收到的时刻。
    received_at: Instant,
    /// 设备的钟快多少毫秒; 设备没有报时为 null。
    #[schema(minimum = -9_007_199_254_740_991_i64, maximum = 9_007_199_254_740_991_i64)]
    skew_ms: Option<i64>,
    /// 地点。
    place: Place,
    /// 记录; 检查中为 null。
    record: Option<CheckRecordView>,
    /// 共扣的分; 更正过的为更正后的。
    #[schema(max_length = 10)]
    deducted: Option<String>,
    /// 问题线索的条数, 见 `/finding-candidates?check_id=`; 未公布为 null。
    #[schema(minimum = 0, maximum = 200)]
    candidates: Option<i64>,
    /// 指挥员确认的时刻。
    confirmed_at: Option<Instant>,
    /// 到何时自动公布; 未定、已公布为 null。
    release_at: Option<Instant>,
    /// 公布的时刻。
    released_at: Option<Instant>,
    /// 到期未公布 (作废的也是) 而向上级办公室、督察纪检部门公开的时刻; 没有的为 null。
    disclosed_at: Option<Instant>,
    /// 异议末日, 含当日。
    objection_until_on: Option<NaiveDate>,
    /// 异议。
    objection: Option<ObjectionView>,
    /// 答复。
    decision: Option<DecisionView>,
    /// 作废的理由。
    #[schema(max_length = 500)]
    void_reason: Option<String>,
    /// 补记, 按先后。
    #[schema(max_items = 200)]
    addenda: Vec<AddendumView>,
    /// 全部附件, 按上传的先后。
    #[schema(max_items = 5000)]
    attachments: Vec<AttachmentView>,
    /// 记录与补记所列、尚未到达的照片 (离线报来的); 到达之前不能确认。
    #[schema(max_items = 5000)]
    awaited_attachment_ids: Vec<AttachmentId>,
    /// 所列而已放弃的照片。
    #[schema(max_items = 5000)]
    lost_attachments: Vec<LostAttachmentView>,
    /// 本人此刻可做的操作。
    #[schema(max_items = 8)]
    allowed_actions: Vec<CheckAction>,
    /// 版本。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    /// 录入时刻。
    created_at: Instant,
    /// 最近修改时刻。
    updated_at: Instant,
}

impl Versioned for CheckView {
    fn version(&self) -> i64 {
        self.version
    }
}

const ID: &str = "01936f2a-7c1e-7b6d-9a54-2f0e8c3b7c01";

fn example_head() -> Value {
    json!({
        "id": ID, "number": "2026-0007", "kind": "covert",
        "unit": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d02", "code": "530102", "name": "昆明市公安局五华分局", "kind": "county" },
        "state": "released", "begun_at": "2026-03-10T02:10:00.000000Z", "deducted": "3.00",
        "objection_until_on": "2026-03-16", "allowed_actions": [], "version": 4,
        "created_at": "2026-03-10T02:40:00.000000Z", "updated_at": "2026-03-11T01:00:00.000000Z",
    })
}

impl Example for CheckSummaryView {
    fn example() -> Value {
        example_head()
    }
}

impl Example for CheckView {
    fn example() -> Value {
        let inspector = json!({ "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d12", "display_name": "赵敏" });
        let answer = json!({
            "item": "GZ-1", "yes": false, "number": null, "choice": null, "text": null, "not_applicable": false,
            "note": "窗口让群众回去再拿户口本, 没有给清单。", "deducted": "3.00",
            "attachment_ids": ["01936f2a-7c1e-7b6d-9a54-2f0e8c3b7d01"],
        });
        let more = json!({
            "authorisation_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b7b01", "team": [inspector],
            "commander": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d11", "display_name": "王建国" },
            "checklist": {
                "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b7a01", "version_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b7a02",
                "number": 1, "title": "服务窗口检查清单",
            },
            "received_at": "2026-03-10T02:40:00.000000Z", "skew_ms": -1200,
            "place": {
                "text": "一楼办证大厅 3 号窗口", "latitude": "25.0405", "longitude": "102.7097", "datum": "gcj02",
                "accuracy_m": 15,
            },
            "record": {
                "answers": [answer], "summary": "窗口态度尚可, 未做到一次性告知。",
                "people_met": [{ "who": "警号 053018", "post": "窗口民警", "conduct": "口头告知, 未给清单。" }],
                "ended_at": "2026-03-10T02:35:00.000000Z", "attachment_ids": [], "recorded_by": inspector,
                "recorded_at": "2026-03-10T02:40:00.000000Z",
            },
            "candidates": 1, "confirmed_at": "2026-03-10T09:00:00.000000Z", "release_at": null, "released_at": "2026-03-11T01:00:00.000000Z", "disclosed_at": null,
            "objection": null, "decision": null, "void_reason": null, "addenda": [],
            "attachments": [AttachmentView::example()], "awaited_attachment_ids": [], "lost_attachments": [],
        });
        with(example_head(), more)
    }
}

fn number(check: &Check) -> Option<String> {
    check.number.map(number_text)
}

pub(super) fn summaries<A: Action>(tx: &mut Tx<'_, A>, found: Vec<Check>) -> Result<Vec<CheckSummaryView>> {
    let units = UnitNames::load(tx, found.iter().map(|one| one.unit_id))?;
    let (caller, today) = (Caller::of(tx)?, tx.now().shanghai_day());
    let view = |one: Check| {
        Ok(CheckSummaryView {
            allowed_actions: caller.allowed(&one, today),
            number: number(&one),
            state: one.state_on(today),
            unit: units.get(one.unit_id)?,
            id: one.id,
            kind: one.kind,
            begun_at: one.begun_at,
            deducted: one.deducted.map(answers::points),
            objection_until_on: one.objection_until_on,
            version: one.version,
            created_at: one.created_at,
            updated_at: one.updated_at,
        })
    };
    found.into_iter().map(view).collect()
}

/// Answers with what each deducts.
pub(in crate::inspections) fn answered(items: &[Item], given: Vec<Answer>) -> Vec<AnswerView> {
    let points = answers::deductions(items, &given);
    let view = |(answer, points): (Answer, i64)| {
        let Answer { item, yes, number, choice, text, not_applicable, note, attachment_ids } = answer;
        AnswerView {
            item,
            yes,
            number,
            choice,
            text,
            not_applicable,
            note,
            attachment_ids,
            deducted: answers::points(points),
        }
    };
    given.into_iter().zip(points).map(view).collect()
}

fn lost_shown(people: &UserNames, lost: Vec<Lost>) -> Result<Vec<LostAttachmentView>> {
    let view = |Lost { id, reason, given_up_by, given_up_at }: Lost| {
        Ok(LostAttachmentView { id, reason, given_up_by: people.get(given_up_by)?, given_up_at })
    };
    lost.into_iter().map(view).collect()
}

/// A record, by whom and when.
type Kept = (Option<CheckRecord>, Option<UserId>, Option<Instant>);

fn recorded(items: &[Item], people: &UserNames, kept: Kept) -> Result<Option<CheckRecordView>> {
    match kept {
        (Some(record), Some(by), Some(at)) => Ok(Some(CheckRecordView {
            answers: answered(items, record.answers),
            people_met: record.people_met,
            summary: record.summary,
            ended_at: record.ended_at,
            attachment_ids: record.attachment_ids,
            recorded_by: people.get(by)?,
            recorded_at: at,
        })),
        (None, ..) => Ok(None),
        _ => Err(AppError::internal("a record without a recorder")),
    }
}

pub(super) fn whole<A: Action>(tx: &mut Tx<'_, A>, one: Check) -> Result<CheckView> {
    let (caller, today) = (Caller::of(tx)?, tx.now().shanghai_day());
    let addenda = service::addenda(tx, &one)?;
    let bound = attachments::service::of_check(tx, one.id)?;
    let shown = |shown_in: ShownIn| attachments::service::shown(&bound, shown_in);
    let version = service::checklist_of(tx, &one)?;
    let (release_at, lost) = (embargo::release_at(tx, &one)?, awaited::lost(tx, &one)?);
    let candidates =
        if one.released_at.is_some() { Some(candidates::service::count(tx, one.id)?) } else { None };
    let units = UnitNames::load(tx, [one.unit_id])?;
    let people = one.team.iter().copied().chain([one.commander_id]).chain(one.recorded_by);
    let people = people
        .chain(one.objection.as_ref().map(|(_, by, _)| *by))
        .chain(one.decision.as_ref().map(|(_, by, _)| *by))
        .chain(addenda.iter().map(|one| one.author_id))
        .chain(lost.iter().map(|one| one.given_up_by));
    let people = UserNames::load(tx, people)?;
    let items = &version.content.items;
    let (allowed_actions, state, number) = (caller.allowed(&one, today), one.state_on(today), number(&one));
    let outcome =
        if one.kept == CheckState::Amended { ObjectionOutcome::Amended } else { ObjectionOutcome::Upheld };
    let record = recorded(items, &people, (one.record, one.recorded_by, one.recorded_at))?;
    let objection = one
        .objection
        .map(|(content, by, at)| {
            Ok::<_, AppError>(ObjectionView {
                content,
                attachment_ids: shown(ShownIn::Objection),
                by: people.get(by)?,
                at,
            })
        })
        .transpose()?;
    let decision = one.decision.map(|(decision, by, at)| {
        let answers = decision.answers.map(|given| answered(items, given));
        Ok::<_, AppError>(DecisionView {
            outcome,
            reasons: decision.reasons,
            answers,
            by: people.get(by)?,
            at,
        })
    });
    let addendum = |one: super::rules::Addendum| {
        let author = people.get(one.author_id)?;
        Ok(AddendumView {
            id: one.id,
            content: one.content,
            attachment_ids: shown(ShownIn::Addendum(one.id)),
            author,
            created_at: one.created_at,
        })
    };
    let addenda = addenda.into_iter().map(addendum).collect::<Result<_>>()?;
    let lost_attachments = lost_shown(&people, lost)?;
    Ok(CheckView {
        id: one.id,
        number,
        authorisation_id: one.authorisation_id,
        kind: one.kind,
        unit: units.get(one.unit_id)?,
        team: one.team.iter().map(|id| people.get(*id)).collect::<Result<_>>()?,
        commander: people.get(one.commander_id)?,
        checklist: ChecklistUsed {
            id: version.checklist_id,
            version_id: version.id,
            number: version.number,
            title: version.content.title.clone(),
        },
        state,
        begun_at: one.begun_at,
        received_at: one.received_at,
        skew_ms: one.skew_ms,
        place: one.place,
        record,
        deducted: one.deducted.map(answers::points),
        candidates,
        confirmed_at: one.confirmed_at,
        release_at,
        released_at: one.released_at,
        disclosed_at: one.disclosed_at,
        objection_until_on: one.objection_until_on,
        objection,
        decision: decision.transpose()?,
        void_reason: one.void_reason,
        addenda,
        attachments: attachments::views::all(tx, bound)?,
        awaited_attachment_ids: one.awaited,
        lost_attachments,
        allowed_actions,
        version: one.version,
        created_at: one.created_at,
        updated_at: one.updated_at,
    })
}
