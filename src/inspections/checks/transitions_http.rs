//! What happens to an unannounced check: `/unannounced-checks/{check_id}/…`.

use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

use super::awaited::{self, Photos};
use super::rules::{AddendumId, Answer, CheckId, CheckRecord, ObjectionOutcome};
use super::transitions;
use super::views::{self, CheckView};
use crate::access::policy::{
    CheckAddendum, CheckConfirm, CheckContest, CheckDecide, CheckGiveUp, CheckRecordSet, CheckRelease,
    CheckVoid,
};
use crate::db::Instant;
use crate::inspections::attachments::rules::AttachmentId;
use crate::web::{Created, Empty, Example, Json, NoQuery, Resource, endpoint};

impl Validate for CheckRecord {
    fn validate(&self) -> Result<(), validator::ValidationErrors> {
        Ok(())
    }
}

fn example_answers() -> Value {
    json!([{ "item": "GZ-1", "yes": false, "note": "窗口让群众回去再拿户口本, 没有给清单。" }])
}

impl Example for CheckRecord {
    fn example() -> Value {
        json!({
            "answers": example_answers(), "summary": "窗口态度尚可, 未做到一次性告知。",
            "people_met": [{ "who": "警号 053018", "post": "窗口民警", "conduct": "口头告知, 未给清单。" }],
            "ended_at": "2026-03-10T02:35:00Z",
        })
    }
}

endpoint! {
    /// 记录检查
    ///
    /// 由检查人员之一记录。必答项都须有答案, 扣分由清单的标准算出。记录之后不再更改, 更正另行补记。同一记录重发, 得同一结果。
    RecordCheck: CheckRecordSet, Post "/unannounced-checks/{check_id}/record", tag "unannounced-checks",
        codes [CheckRecorded, NotInTeam]
    async fn record_unannounced_check(gate, id: CheckId, _query: NoQuery, body: Json<CheckRecord>) -> Resource<CheckView> {
        gate.run(move |tx| {
            let recorded = transitions::set_record(tx, id, &body.0, Photos::AreHere)?;
            views::whole(tx, recorded).map(Resource)
        })
        .await
    }
}

/// 确认。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ConfirmCheckBody {
    /// 到此刻自动公布, 至多在 366 日之后; 不写则由指挥员公布。
    #[serde(default)]
    release_at: Option<Instant>,
}

impl Example for ConfirmCheckBody {
    fn example() -> Value {
        json!({ "release_at": "2026-03-16T01:00:00Z" })
    }
}

endpoint! {
    /// 确认检查
    ///
    /// 由指挥员确认, 不得为记录的人。所列照片 (`awaited_attachment_ids`) 尚未全部到达的不能确认。可以写明到何时自动公布, 在此之前指挥员仍可公布。
    ConfirmCheck: CheckConfirm, Post "/unannounced-checks/{check_id}/confirm", tag "unannounced-checks",
        codes [CheckNotRecorded, AttachmentsAwaited, NotTheCommander, ConfirmerIsRecorder]
    async fn confirm_unannounced_check(gate, id: CheckId, _query: NoQuery, body: Json<ConfirmCheckBody>) -> Resource<CheckView> {
        gate.run(move |tx| {
            let confirmed = transitions::confirm(tx, id, body.0.release_at)?;
            views::whole(tx, confirmed).map(Resource)
        })
        .await
    }
}

endpoint! {
    /// 公布检查
    ///
    /// 由指挥员公布: 给定编号, 暗访自此可见, 受检单位自此可在异议期内提出异议 (工作日数见参数)。
    ReleaseCheck: CheckRelease, Post "/unannounced-checks/{check_id}/release", tag "unannounced-checks",
        codes [CheckNotConfirmed, NotTheCommander]
    async fn release_unannounced_check(gate, id: CheckId, _query: NoQuery, _body: Json<Empty>) -> Resource<CheckView> {
        gate.run(move |tx| {
            let released = transitions::release(tx, id)?;
            views::whole(tx, released).map(Resource)
        })
        .await
    }
}

/// 异议。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ContestCheck {
    /// 内容: 对哪几项、为什么。
    #[schema(min_length = 1, max_length = 2000)]
    content: String,
    /// 所附的照片: 本人上传、尚未使用的附件。
    #[serde(default)]
    #[schema(max_items = 20)]
    attachment_ids: Vec<AttachmentId>,
}

impl Example for ContestCheck {
    fn example() -> Value {
        json!({ "content": "GZ-1: 当时已出具书面清单, 附存根编号 0312。" })
    }
}

endpoint! {
    /// 提出异议
    ///
    /// 由受检单位现任主要负责人或其代理本人提出, 一次, 在异议末日之前 (含当日)。
    ContestCheckEndpoint: CheckContest, Post "/unannounced-checks/{check_id}/contest", tag "unannounced-checks",
        codes [CheckNotReleased, ObjectionClosed, NotTheHead]
    async fn contest_unannounced_check(gate, id: CheckId, _query: NoQuery, body: Json<ContestCheck>) -> Resource<CheckView> {
        gate.run(move |tx| {
            let contested = transitions::contest(tx, id, &body.0.content, &body.0.attachment_ids)?;
            views::whole(tx, contested).map(Resource)
        })
        .await
    }
}

/// 答复异议。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct DecideCheck {
    /// 结果。
    outcome: ObjectionOutcome,
    /// 理由。
    #[schema(min_length = 1, max_length = 2000)]
    reasons: String,
    /// 更正后的全部答案; 更正的必填, 维持的不写。
    #[serde(default)]
    #[schema(max_items = 200)]
    answers: Option<Vec<Answer>>,
}

impl Example for DecideCheck {
    fn example() -> Value {
        json!({ "outcome": "upheld", "reasons": "存根日期为检查次日, 不能证明当时已告知。" })
    }
}

endpoint! {
    /// 答复异议
    ///
    /// 由办公室或督察纪检部门的人答复, 不得为检查人员、指挥员或受检单位的人。更正的给出全部答案, 扣分重算, 原记录照存。答复之后不再更改。
    DecideCheckEndpoint: CheckDecide, Post "/unannounced-checks/{check_id}/decide", tag "unannounced-checks",
        codes [CheckNotContested, DeciderIsChecker, DeciderOfTheUnit]
    async fn decide_unannounced_check(gate, id: CheckId, _query: NoQuery, body: Json<DecideCheck>) -> Resource<CheckView> {
        gate.run(move |tx| {
            let DecideCheck { outcome, reasons, answers } = body.0;
            let decided = transitions::decide(tx, id, (outcome, &reasons), answers)?;
            views::whole(tx, decided).map(Resource)
        })
        .await
    }
}

/// 作废。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct VoidCheck {
    /// 理由。
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

impl Example for VoidCheck {
    fn example() -> Value {
        json!({ "reason": "选错受检单位, 重新录入。" })
    }
}

endpoint! {
    /// 作废检查
    ///
    /// 确认之前由检查人员或指挥员作废。作废的暗访不公布, 但收到之后 366 日起, 受检单位以上的办公室、督察纪检部门可见, 审计记录可查。
    VoidCheckEndpoint: CheckVoid, Post "/unannounced-checks/{check_id}/void", tag "unannounced-checks",
        codes [CheckNotVoidable, NotInTeam]
    async fn void_unannounced_check(gate, id: CheckId, _query: NoQuery, body: Json<VoidCheck>) -> Resource<CheckView> {
        gate.run(move |tx| {
            let voided = transitions::void(tx, id, &body.0.reason)?;
            views::whole(tx, voided).map(Resource)
        })
        .await
    }
}

/// 放弃未到的照片。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct GiveUpAttachmentsBody {
    /// 哪几张, 须在 `awaited_attachment_ids` 之中。
    #[schema(min_items = 1, max_items = 100)]
    attachment_ids: Vec<AttachmentId>,
    /// 理由, 如 手机遗失。
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

impl Example for GiveUpAttachmentsBody {
    fn example() -> Value {
        json!({ "attachment_ids": ["01936f2a-7c1e-7b6d-9a54-2f0e8c3b7d02"], "reason": "手机遗失, 照片不能补传。" })
    }
}

endpoint! {
    /// 放弃未到的照片
    ///
    /// 记录或补记所列而不能到达的照片 (手机遗失、文件被拒绝等), 由检查人员或指挥员放弃, 检查便可继续办理。记录不变; 谁放弃、为什么, 见
    /// `lost_attachments`。此后到达的不再归入。
    GiveUpAttachments: CheckGiveUp, Post "/unannounced-checks/{check_id}/give-up-attachments", tag "unannounced-checks",
        codes [NothingAwaited, CheckNotRecorded, CheckEnded, NotInTeam]
    async fn give_up_check_attachments(gate, id: CheckId, _query: NoQuery, body: Json<GiveUpAttachmentsBody>) -> Resource<CheckView> {
        gate.run(move |tx| {
            let GiveUpAttachmentsBody { attachment_ids, reason } = body.0;
            let left = awaited::give_up(tx, id, &attachment_ids, &reason)?;
            views::whole(tx, left).map(Resource)
        })
        .await
    }
}

/// 补记。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewAddendum {
    /// 由设备选定的标识; 不写则由服务器生成。
    #[serde(default)]
    id: Option<AddendumId>,
    /// 内容。
    #[schema(min_length = 1, max_length = 2000)]
    content: String,
    /// 所附的照片: 检查人员上传、尚未使用的附件。
    #[serde(default)]
    #[schema(max_items = 20)]
    attachment_ids: Vec<AttachmentId>,
}

impl Example for NewAddendum {
    fn example() -> Value {
        json!({ "content": "第三项的等候时间应为 42 分钟, 记录时少看了一位。" })
    }
}

endpoint! {
    /// 补记
    ///
    /// 记录之后、定案之前, 由检查人员或指挥员补记; 记录本身不变。回答检查, 补记在 `addenda` 之末。
    AddAddendumEndpoint: CheckAddendum, Post "/unannounced-checks/{check_id}/addenda", tag "unannounced-checks",
        codes [CheckNotRecorded, CheckEnded, NotInTeam, IdTaken, TooManyAddenda]
    async fn add_check_addendum(gate, id: CheckId, _query: NoQuery, body: Json<NewAddendum>) -> Created<CheckView> {
        gate.run(move |tx| {
            let (check, existed) = transitions::add_addendum(tx, id, body.0.id, (&body.0.content, &body.0.attachment_ids), Photos::AreHere)?;
            let location = format!("/unannounced-checks/{}", check.id);
            Ok(Created { view: views::whole(tx, check)?, location, existed })
        })
        .await
    }
}
