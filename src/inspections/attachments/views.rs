//! What the wire shows of attachments.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::rules::{Attachment, AttachmentId, AttachmentPlace, Capture, MediaType, ParentKind, ShownIn};
use crate::access::Tx;
use crate::access::names::{UserNames, UserRef};
use crate::access::policy::Action;
use crate::db::Instant;
use crate::errors::Result;
use crate::inspections::checks::rules::CheckId;
use crate::web::{Example, Versioned};

/// 附件所属的对象。
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AttachmentParent {
    /// 种类。
    kind: ParentKind,
    /// 标识。
    id: CheckId,
    /// 其中何处。
    shown_in: AttachmentPlace,
}

/// 一个附件。其内容见 `GET /attachments/{attachment_id}/content`。
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AttachmentView {
    /// 标识。
    id: AttachmentId,
    /// 文件名。
    #[schema(max_length = 120)]
    file_name: String,
    /// 类型, 由内容本身判定。
    media_type: MediaType,
    /// 字节数。
    #[schema(minimum = 1, maximum = 20_971_520)]
    bytes: i64,
    /// 摘要, SHA-256, 十六进制。
    #[schema(max_length = 64, pattern = "^[0-9a-f]{64}$")]
    sha256: String,
    /// 宽, 像素, 转正之后。
    #[schema(minimum = 1, maximum = 20_000)]
    width: i32,
    /// 高, 像素。
    #[schema(minimum = 1, maximum = 20_000)]
    height: i32,
    /// 拍摄, 照片中所记的情况; 没有则为 null。
    capture: Option<Capture>,
    /// 上传者。
    uploaded_by: UserRef,
    /// 上传时刻, 与拍摄的时刻是两回事。
    created_at: Instant,
    /// 所属的对象; 尚未使用为 null, 只有上传者可见。
    bound_to: Option<AttachmentParent>,
    /// 版本。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
}

impl Versioned for AttachmentView {
    fn version(&self) -> i64 {
        self.version
    }
}

impl Example for AttachmentView {
    fn example() -> Value {
        json!({
            "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b7d01", "file_name": "大厅 3 号窗口.jpg", "media_type": "image/jpeg",
            "bytes": 2_418_304, "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "width": 4000, "height": 3000,
            "capture": {
                "at": "2026-03-10T02:12:31.000000Z", "zone_assumed": false, "latitude": "25.0405000",
                "longitude": "102.7097000", "datum": "wgs84", "device": "HUAWEI ALN-AL00",
            },
            "uploaded_by": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d12", "display_name": "赵敏" },
            "created_at": "2026-03-10T02:38:00.000000Z",
            "bound_to": { "kind": "unannounced_check", "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b7c01", "shown_in": "record" }, "version": 2,
        })
    }
}

/// What is shown of attachments.
///
/// # Errors
/// When the database fails.
pub fn all<A: Action>(tx: &mut Tx<'_, A>, found: Vec<Attachment>) -> Result<Vec<AttachmentView>> {
    let people = UserNames::load(tx, found.iter().map(|one| one.uploaded_by))?;
    let view = |one: Attachment| {
        let parent = |(id, shown_in): (CheckId, ShownIn)| AttachmentParent {
            kind: ParentKind::UnannouncedCheck,
            id,
            shown_in: shown_in.kept().0,
        };
        Ok(AttachmentView {
            id: one.id,
            file_name: one.file_name,
            media_type: one.media_type,
            bytes: one.bytes,
            sha256: one.sha256,
            width: one.width,
            height: one.height,
            capture: one.capture,
            uploaded_by: people.get(one.uploaded_by)?,
            created_at: one.created_at,
            bound_to: one.check_id.zip(one.shown_in).map(parent),
            version: one.version,
        })
    };
    found.into_iter().map(view).collect()
}

/// What is shown of an attachment.
///
/// # Errors
/// When the database fails.
pub(super) fn one<A: Action>(tx: &mut Tx<'_, A>, found: Attachment) -> Result<AttachmentView> {
    let mut shown = all(tx, vec![found])?;
    shown.pop().ok_or_else(|| crate::errors::AppError::internal("one attachment is shown as one"))
}
