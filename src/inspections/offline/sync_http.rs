//! `POST /sync`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

use super::sync::{self, Item, Outcome};
use crate::access::policy::CheckSync;
use crate::db::Instant;
use crate::errors::{AppError, Code, FieldError, Result, into_validation, text};
use crate::inspections::attachments::rules::AttachmentId;
use crate::inspections::checks::http::NewUnannouncedCheck;
use crate::inspections::checks::rules::{AddendumId, CheckId, CheckRecord, CheckState};
use crate::web::{Batch, Example, NoQuery, Plain, endpoint, status_of};

/// 一次检查的记录。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SyncRecord {
    /// 哪一次检查; 可以是同一批中报来的。
    check_id: CheckId,
    /// 记录。
    record: CheckRecord,
}

/// 一条补记。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SyncAddendum {
    /// 哪一次检查; 可以是同一批中报来的。
    check_id: CheckId,
    /// 由设备选定的标识。
    id: AddendumId,
    /// 内容。
    #[schema(min_length = 1, max_length = 2000)]
    content: String,
    /// 所附的照片; 可以尚未上传。
    #[serde(default)]
    #[schema(max_items = 20)]
    attachment_ids: Vec<AttachmentId>,
}

/// 离线时所做的一件事: `check`、`record`、`addendum` 三者填一。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SyncItem {
    /// 一次检查, 须有由设备选定的 `id`; 内容同 `POST /unannounced-checks`, 所列照片可以尚未上传。
    #[serde(default)]
    check: Option<NewUnannouncedCheck>,
    /// 一次检查的记录, 所列照片可以尚未上传。
    #[serde(default)]
    record: Option<SyncRecord>,
    /// 一条补记。
    #[serde(default)]
    addendum: Option<SyncAddendum>,
}

impl SyncItem {
    fn wrong(&self, at: usize) -> Vec<FieldError> {
        let there = [self.check.is_some(), self.record.is_some(), self.addendum.is_some()];
        let mut errors = Vec::new();
        if there.iter().filter(|one| **one).count() != 1 {
            let detail = text!("check、record、addendum 三者须填一", "It is one of check, record, addendum");
            errors.push(FieldError::body(format!("/items/{at}"), Code::Required, detail));
        }
        if let Some(check) = &self.check {
            let pointer = format!("/items/{at}/check");
            errors.extend(check.wrong(&pointer));
            if check.id().is_none() {
                let detail = text!("须由设备选定", "It is the device's to choose");
                errors.push(FieldError::body(format!("{pointer}/id"), Code::Required, detail));
            }
        }
        errors
    }

    fn into_item(self, sent_at: Instant) -> Result<Item> {
        match self {
            Self { check: Some(check), .. } => Ok(Item::Check(Box::new(check.into_new(Some(sent_at))))),
            Self { record: Some(SyncRecord { check_id, record }), .. } => {
                Ok(Item::Record(check_id, Box::new(record)))
            }
            Self { addendum: Some(SyncAddendum { check_id, id, content, attachment_ids }), .. } => {
                Ok(Item::Addendum(check_id, id, content, attachment_ids))
            }
            Self { check: None, record: None, addendum: None } => {
                Err(AppError::internal("an item that is none has been let in"))
            }
        }
    }
}

/// 离线时所做的事。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SyncBatch {
    /// 发送此刻设备的钟, 据以记下快慢、推定各件事的时刻: 每次发送都须更新, 重发也不例外。各件检查自带的 `sent_at` 不用。
    sent_at: Instant,
    /// 各件事, 次序不拘。
    #[schema(min_items = 1, max_items = 50)]
    items: Vec<SyncItem>,
}

impl Validate for SyncBatch {
    fn validate(&self) -> std::result::Result<(), ValidationErrors> {
        let wrong = self.items.iter().enumerate().flat_map(|(at, item)| item.wrong(at));
        into_validation(wrong.collect())
    }
}

const CHECK: &str = "01936f2a-7c1e-7b6d-9a54-2f0e8c3b7c01";

impl Example for SyncBatch {
    fn example() -> Value {
        let addendum = json!({
            "check_id": CHECK, "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b7e01", "content": "补拍一次性告知单存根。",
            "attachment_ids": ["01936f2a-7c1e-7b6d-9a54-2f0e8c3b7d02"],
        });
        json!({
            "sent_at": "2026-03-10T02:39:58Z",
            "items": [
                { "check": NewUnannouncedCheck::example() },
                { "record": { "check_id": CHECK, "record": CheckRecord::example() } },
                { "addendum": addendum },
            ],
        })
    }
}

/// 一处错误。
#[derive(Debug, Serialize, ToSchema)]
pub struct SyncFieldError {
    /// 在请求体中的位置 (JSON Pointer)。
    #[schema(max_length = 300)]
    pointer: String,
    /// 错误代码。
    #[schema(max_length = 60, pattern = "^[a-z0-9_]+$")]
    code: &'static str,
}

/// 一件事的结果。
#[derive(Debug, Serialize, ToSchema)]
pub struct SyncOutcome {
    /// 与单独办理时相同的状态码: 201 新建, 200 已办或早已办过, 403、404、409、422 未办。
    #[schema(minimum = 200, maximum = 599)]
    status: u16,
    /// 未办的原因, 错误代码; 已办的为 null。
    #[schema(max_length = 60, pattern = "^[a-z0-9_]+$")]
    code: Option<&'static str>,
    /// 未办的, 哪里不对。
    #[schema(max_items = 1000)]
    errors: Vec<SyncFieldError>,
    /// 哪一次检查。
    check_id: Option<CheckId>,
    /// 整批办完之后检查的状态; 未办的为 null。
    state: Option<CheckState>,
    /// 整批办完之后检查的版本; 未办的为 null。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: Option<i64>,
    /// 检查尚缺的照片, 请接着上传; 上传时写明同一标识, 到达即归入该检查。
    #[schema(max_items = 5000)]
    awaited_attachment_ids: Vec<AttachmentId>,
}

impl SyncOutcome {
    fn of(Outcome { check: check_id, result }: Outcome) -> Self {
        match result {
            Ok(became) => Self {
                status: if became.made { 201 } else { 200 },
                code: None,
                errors: Vec::new(),
                check_id,
                state: Some(became.state),
                version: Some(became.version),
                awaited_attachment_ids: became.awaited,
            },
            Err(refused) => {
                let field = |(pointer, code): (String, Code)| SyncFieldError { pointer, code: code.name() };
                Self {
                    status: status_of(refused.code.kind()),
                    code: Some(refused.code.name()),
                    errors: refused.fields.into_iter().map(field).collect(),
                    check_id,
                    state: None,
                    version: None,
                    awaited_attachment_ids: Vec::new(),
                }
            }
        }
    }
}

/// 各件事的结果。
#[derive(Debug, Serialize, ToSchema)]
pub struct SyncOutcomes {
    /// 办了几件, 含早已办过的。
    #[schema(minimum = 0, maximum = 50)]
    done: usize,
    /// 几件未办。
    #[schema(minimum = 0, maximum = 50)]
    refused: usize,
    /// 各件的结果, 次序与请求相同。
    #[schema(max_items = 50)]
    items: Vec<SyncOutcome>,
}

impl Example for SyncOutcomes {
    fn example() -> Value {
        let done = |status: u16, version: i64, awaited: Value| {
            json!({
                "status": status, "code": null, "errors": [], "check_id": CHECK, "state": "recorded", "version": version,
                "awaited_attachment_ids": awaited,
            })
        };
        let error = json!({ "pointer": "/items/2/check/unit_id", "code": "not_allowed_value" });
        json!({
            "done": 2, "refused": 1,
            "items": [
                done(200, 2, json!([])), done(201, 3, json!(["01936f2a-7c1e-7b6d-9a54-2f0e8c3b7d02"])),
                {
                    "status": 422, "code": "invalid_body", "errors": [error],
                    "check_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b7c02", "state": null, "version": null, "awaited_attachment_ids": [],
                },
            ],
        })
    }
}

endpoint! {
    /// 报来离线时所做的事
    ///
    /// 供手机恢复联网后使用: 检查、记录、补记, 至多 50 件、共 1 MiB, 次序不拘, 逐件按单独办理的规则与权限办理, 各有结果, 不能办的不影响其他。
    /// 每一件都有设备选定的标识, 办过的再报得同一结果: 没有收到回答的更新 `sent_at` 整批重发即可, 不会遗漏, 也不会重复;
    /// `Idempotency-Key` 不计 `sent_at`。
    /// 照片可以在此之前或之后上传 (`POST /attachments`, 写明同一 `id`); 所列照片全部到达之前, 检查不能确认。
    /// 不能到达的照片, 由检查人员或指挥员放弃 (`give-up-attachments`)。请求体的结构有误的, 整批不办 (422, 指针指明是哪一件): 去掉那一件再发。
    SyncOffline: CheckSync, Post "/sync", tag "unannounced-checks", codes []
    async fn sync_offline(gate, _path: (), _query: NoQuery, body: Batch<SyncBatch>) -> Plain<SyncOutcomes> {
        if let Some(done) = gate.replayed().await? {
            return Ok(done);
        }
        let SyncBatch { sent_at, items } = body.0;
        let items = items.into_iter().map(|item| item.into_item(sent_at)).collect::<Result<Vec<_>>>()?;
        let outcomes = sync::all(&gate, items).await?;
        gate.run(move |tx| {
            // Each item has left its own row of the log.
            tx.nothing_changed();
            let done = outcomes.iter().filter(|one| one.result.is_ok()).count();
            let items: Vec<SyncOutcome> = outcomes.into_iter().map(SyncOutcome::of).collect();
            Ok(Plain(SyncOutcomes { done, refused: items.len() - done, items }))
        })
        .await
    }
}
