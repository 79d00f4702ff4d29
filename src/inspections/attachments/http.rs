//! `/attachments`.

use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

use super::rules::{Attachment, AttachmentId, MOST_BYTES, MediaType, Variant};
use super::upload::{Said, take};
use super::views::{self, AttachmentView, one};
use super::{removal, service};
use crate::access::policy::{AttachmentRead, AttachmentUpload, AttachmentWithdraw};
use crate::db::TenantId;
use crate::inspections::checks::embargo;
use crate::web::{
    Content, Count, Created, Example, FileContent, FileForm, Kinds, MadeSort, NoBody, NoContent, NoQuery,
    Page, Resource, endpoint,
};

/// 上传的附件。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewAttachment {
    /// 文件: JPEG、PNG 或 WebP 图片, 由内容本身判定; 至多 20 MiB, 5200 万像素, 每边 20000 像素。
    #[schema(format = Binary, max_length = 20_971_520)]
    #[serde(rename = "file")]
    _file: String,
    /// 由设备选定的标识; 不写则由服务器生成。同一标识、同一文件重发, 得同一结果。
    #[serde(default)]
    id: Option<AttachmentId>,
    /// 文件的 SHA-256, 十六进制; 写了的据以核对。
    #[serde(default)]
    #[schema(max_length = 64, pattern = "^[0-9a-f]{64}$")]
    sha256: Option<String>,
}

impl Example for NewAttachment {
    fn example() -> Value {
        json!({
            "file": "(照片)", "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b7d01",
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        })
    }
}

endpoint! {
    /// 上传附件
    ///
    /// 现场照片等。绑定 (写入检查的记录、补记、异议) 之前只有上传者可见, 之后凡能看到所属对象的都能看到。照片中所记的拍摄时间、地点读出另存,
    /// 副本与缩略图之中都不再含有。SVG、PDF 等其他文件, 残缺的、藏有其他内容的图片, 一律拒绝并说明理由。
    UploadAttachment: AttachmentUpload, Post "/attachments", tag "attachments", codes [IdTaken, TooManyUnbound]
    async fn upload_attachment(gate, _path: (), _query: NoQuery, body: FileForm<NewAttachment>) -> Created<AttachmentView> {
        let said = Said { id: body.fields.id, sha256: body.fields.sha256 };
        take(gate, said, body.file).await
    }
}

/// 附件列表的条件。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AttachmentQuery {
    /// 是否已用于检查的记录、补记、异议。
    bound: Option<bool>,
    /// 排序; 缺省为 `-created_at` (新上传的在前)。
    sort: Option<MadeSort>,
    /// 每页行数, 缺省 50。
    #[schema(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// 上一页给出的游标。
    #[schema(min_length = 1, max_length = 2048, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
    /// 为 exact 时给出总行数。
    count: Option<Count>,
}

endpoint! {
    /// 附件列表
    ///
    /// 本人上传的; 已用于检查的, 限于此刻仍能看到的检查。`bound=false` 即已上传而尚未使用的: 设备上的记录遗失之后, 由此找回, 或者收回。
    ListAttachments: AttachmentRead, Get "/attachments", tag "attachments", codes []
    async fn list_attachments(gate, _path: (), query: AttachmentQuery, _body: NoBody) -> Page<AttachmentView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        gate.run(move |tx| {
            let sort = query.sort.unwrap_or(MadeSort::Newest);
            let Page { items, next_cursor, total } = service::list(tx, query.bound, sort, &paging)?;
            Ok(Page { items: views::all(tx, items)?, next_cursor, total })
        })
        .await
    }
}

endpoint! {
    /// 查看附件
    GetAttachment: AttachmentRead, Get "/attachments/{attachment_id}", tag "attachments", codes []
    async fn get_attachment(gate, id: AttachmentId, _query: NoQuery, _body: NoBody) -> Resource<AttachmentView> {
        embargo::shown(&gate, move |tx| {
            let found = service::find(tx, id)?;
            let noted = service::noted(tx, &found)?;
            Ok((Resource(one(tx, found)?), noted))
        })
        .await
    }
}

endpoint! {
    /// 收回附件
    ///
    /// 拍错的、拍到无关之人的: 上传者可以收回尚未使用的附件, 原件、副本、缩略图随即删除, 不能恢复; 其标识可以再用。已用于检查的记录、补记、异议的,
    /// 不能收回 (`attachment_bound`), 检查作废之后也不能。带 `If-Match` 则核对附件的版本。
    WithdrawAttachment: AttachmentWithdraw, Delete "/attachments/{attachment_id}", tag "attachments",
        codes [AttachmentBound, PreconditionFailed]
    async fn withdraw_attachment(gate, id: AttachmentId, _query: NoQuery, _body: NoBody) -> NoContent {
        removal::take_back(gate, id).await
    }
}

/// 附件内容的参数。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContentQuery {
    /// 哪一种, 缺省为原件; 副本与缩略图一律为 JPEG。
    variant: Option<Variant>,
}

/// Pictures.
#[derive(Debug)]
pub struct Pictures;

impl Kinds for Pictures {
    const MEDIA: &'static [&'static str] =
        &[MediaType::Jpeg.as_str(), MediaType::Png.as_str(), MediaType::Webp.as_str()];
    const MOST: usize = MOST_BYTES;
}

fn content(found: &Attachment, tenant: TenantId, variant: Variant) -> Content {
    let stem = found.file_name.rsplit_once('.').map_or(found.file_name.as_str(), |(stem, _)| stem);
    let (media_type, length, file_name) = match variant {
        // By what it is, whatever it was called.
        Variant::Original => (found.media_type, found.bytes, format!("{stem}.{}", found.media_type.ending())),
        Variant::Copy => (MediaType::Jpeg, found.copy_bytes, format!("{stem} (副本).jpg")),
        Variant::Thumbnail => (MediaType::Jpeg, found.thumbnail_bytes, format!("{stem} (缩略图).jpg")),
    };
    // What is told of an original's hash is the hash itself; the others follow from it.
    let mut hash: String = found.sha256.chars().take(15).collect();
    hash.push(match variant {
        Variant::Original => '0',
        Variant::Copy => '1',
        Variant::Thumbnail => '2',
    });
    Content {
        kept_as: found.name_of(tenant, variant),
        media_type: media_type.as_str(),
        file_name,
        length: u64::try_from(length).unwrap_or_default(),
        hash,
    }
}

endpoint! {
    /// 取得附件的内容
    ///
    /// 可以分段 (`Range`)。`original` 为原件, 一字节不差; `copy` 为转正、不超过 2048 像素、不含拍摄时间地点等信息的副本; `thumbnail` 为
    /// 不超过 320 像素的缩略图。
    GetAttachmentContent: AttachmentRead, Get "/attachments/{attachment_id}/content", tag "attachments", codes []
    async fn get_attachment_content(gate, id: AttachmentId, query: ContentQuery, _body: NoBody) -> FileContent<Pictures> {
        embargo::shown(&gate, move |tx| {
            let found = service::find(tx, id)?;
            let variant = query.variant.unwrap_or(Variant::Original);
            let given = FileContent::of(content(&found, tx.tenant(), variant));
            Ok((given, service::noted(tx, &found)?))
        })
        .await
    }
}
