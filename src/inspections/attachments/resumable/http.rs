//! `/uploads`: the protocol tus 1.0.0.

use super::super::rules::{AttachmentId, file_name};
use super::arrival::receive;
use super::finish::finished;
use super::rules::{Announcement, ResumableId};
use super::service;
use super::views::UploadView;
use crate::access::Done;
use crate::access::policy::AttachmentUpload;
use crate::errors::{Code, FieldError};
use crate::web::tus::{Announced, Asked, Begun, Metadata, Moved, Part, Told, wrong_metadata};
use crate::web::{NoContent, NoQuery, endpoint};

/// What is said of a picture that is about to come.
#[derive(Debug)]
pub struct Picture {
    id: Option<AttachmentId>,
    sha256: Option<String>,
    file_name: String,
}

impl Metadata for Picture {
    const KEYS: &'static [&'static str] =
        &["filename", "id", "sha256", "filetype", "name", "type", "relativePath"];
    const PATTERN: &'static str = "^((filename|id|sha256|filetype|name|type|relativePath)( [A-Za-z0-9+/]*={0,2})?(, ?(filename|id|sha256|filetype|name|type|relativePath)( [A-Za-z0-9+/]*={0,2})?){0,6})?$";
    const DOC: &'static str = "各为键、空格、值 (base64), 以逗号分隔。`filename`: 文件名; `id`: 由设备选定的附件标识; \
        `sha256`: 文件的 SHA-256, 十六进制小写, 收全后据以核对。\
        常见客户端所写的 `filetype`、`name`、`type`、`relativePath` 亦可有, 类型以内容为准。";
    const EXAMPLE: &'static str = "filename 5aSn5Y6FIDMg5Y+356qX5Y+jLmpwZw==,id MDE5MzZmMmEtN2MxZS03YjZkLTlhNTQtMmYwZThjM2I3ZDAx,\
        sha256 OWY4NmQwODE4ODRjN2Q2NTlhMmZlYWEwYzU1YWQwMTVhM2JmNGYxYjJiMGI4MjJjZDE1ZDZjMTViMGYwMGEwOA==";

    fn read(value: &dyn Fn(&str) -> Option<String>, errors: &mut Vec<FieldError>) -> Self {
        let id = value("id").and_then(|text| {
            let id = AttachmentId::parse(&text);
            if id.is_none() {
                errors.push(wrong_metadata("id", Code::WrongFormat));
            }
            id
        });
        let is_hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let sha256 = value("sha256").filter(|text| {
            let is_one = text.len() == 64 && text.bytes().all(is_hex);
            if !is_one {
                errors.push(wrong_metadata("sha256", Code::WrongFormat));
            }
            is_one
        });
        Self {
            id,
            sha256,
            file_name: file_name(&value("filename").or_else(|| value("name")).unwrap_or_default()),
        }
    }
}

endpoint! {
    /// 开始可续传的上传
    ///
    /// tus 1.0.0 协议 (creation; 不支持 creation-with-upload: 随 POST 发来的内容不读; 不支持 Upload-Defer-Length)。网络不稳时用它代替
    /// `POST /attachments`: 收到的随到随存, 断后从已收处续传, 7 天之内有效。收全之后与 `POST /attachments` 同样查验, 成为附件, 此前只有本人
    /// 知道。未听到回答而重发的: 同一 `Idempotency-Key`, 或同一 `id` 且长度、文件名、SHA-256 相同, 得到同一个上传。每个账号未传完的合计至多
    /// 200 MiB。
    BeginUpload: AttachmentUpload, Post "/uploads", tag "attachments", codes [IdTaken, TooManyUnbound, TooManyUnfinished]
    async fn begin_upload(gate, _path: (), _query: NoQuery, body: Announced<Picture>) -> Begun<UploadView> {
        let Announced { length, said: Picture { id, sha256, file_name } } = body;
        let said = Announcement { attachment_id: id, file_name, sha256, bytes: length };
        gate.run(move |tx| {
            let (upload, existed) = service::begin(tx, said)?;
            Ok(Begun { location: service::address(upload.id), view: UploadView::from(upload), existed })
        })
        .await
    }
}

endpoint! {
    /// 查询已收的字节数
    ///
    /// 续传之前先问: `Upload-Offset` 为已收的字节数; 成为附件之后有 `Attachment-Id`。收全而未及查验的 (例如服务器中途重启), 此时查验。
    /// 查验未通过的先答 422, 此后答 410 (`upload_refused`); 过期的、终止的、他人的答 404。HEAD 的回答没有正文, 错误只见于状态码。
    GetUploadOffset: AttachmentUpload, Head "/uploads/{upload_id}", tag "attachments",
        codes [InvalidBody, UploadRefused, IdTaken, TooManyUnbound]
    async fn get_upload_offset(gate, id: ResumableId, _query: NoQuery, _body: Asked) -> Told<UploadView> {
        let found = gate.look(move |tx| service::find(tx, id)).await?;
        Done::with(Told(UploadView::from(finished(&gate, found).await?)))
    }
}

endpoint! {
    /// 续传一段
    ///
    /// 从 `Upload-Offset` 开始的一段, 长短随意; 须与已收的字节数相同, 否则 409 (`upload_offset_mismatch`), 超出文件长度的 413。断开之前到达的
    /// 都会保存, 静止 30 秒的视为断开。代理不许 PATCH 的, 可用 POST 并带 `X-HTTP-Method-Override: PATCH`。最后一段收到后查验文件: 通过即成为附件 (`Attachment-Id`), 未通过则 422, 与 `POST /attachments` 相同,
    /// 上传就此结束, 此后答 410 (`upload_refused`)。已收全的可发空的一段以完成查验。
    SendUploadPart: AttachmentUpload, Patch "/uploads/{upload_id}", tag "attachments",
        codes [UploadOffsetMismatch, TooManyUnfinished, ConcurrentChange, UploadRefused, IdTaken, TooManyUnbound]
    async fn send_upload_part(gate, id: ResumableId, _query: NoQuery, part: Part) -> Moved<UploadView> {
        receive(gate, id, part).await
    }
}

endpoint! {
    /// 终止上传
    ///
    /// 已收的内容随即删除; 已成为附件的, 附件仍在。
    EndUpload: AttachmentUpload, Delete "/uploads/{upload_id}", tag "attachments", codes []
    async fn end_upload(gate, id: ResumableId, _query: NoQuery, _body: Asked) -> NoContent {
        gate.run(move |tx| {
            service::end(tx, id)?;
            Ok(NoContent)
        })
        .await
    }
}
