//! What the wire shows of uploads in parts.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::super::rules::AttachmentId;
use super::rules::{Resumable, ResumableId};
use crate::db::Instant;
use crate::web::Example;
use crate::web::tus::{Standing, Stands};

/// 一个可续传的上传。
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct UploadView {
    /// 标识。
    id: ResumableId,
    /// 文件名。
    #[schema(max_length = 120)]
    file_name: String,
    /// 整个文件的字节数。
    #[schema(minimum = 1, maximum = 20_971_520)]
    length: i64,
    /// 已收的字节数。
    #[schema(minimum = 0, maximum = 20_971_520)]
    offset: i64,
    /// 何时不能再续传。
    expires_at: Instant,
    /// 是否已收全、查验并成为附件。
    finished: bool,
    /// 将成或已成的附件的标识。
    attachment_id: AttachmentId,
}

impl From<Resumable> for UploadView {
    fn from(upload: Resumable) -> Self {
        Self {
            id: upload.id,
            file_name: upload.file_name,
            length: upload.bytes,
            offset: upload.arrived,
            expires_at: upload.expires_at,
            finished: upload.finished,
            attachment_id: upload.attachment_id,
        }
    }
}

impl Stands for UploadView {
    fn standing(&self) -> Standing {
        Standing {
            offset: self.offset,
            length: self.length,
            expires_at: self.expires_at,
            became: self.finished.then(|| self.attachment_id.to_string()),
        }
    }
}

impl Example for UploadView {
    fn example() -> Value {
        json!({
            "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b7e01", "file_name": "大厅 3 号窗口.jpg", "length": 2_418_304, "offset": 0,
            "expires_at": "2026-03-17T02:38:00.000000Z", "finished": false,
            "attachment_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b7d01",
        })
    }
}
