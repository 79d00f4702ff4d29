//! What an attachment is: a picture taken on the spot, and what is known of when and where.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::access::UserId;
use crate::db::{Id, Instant, text_enum};
use crate::inspections::checks::rules::{AddendumId, CheckId, Datum};

/// Marks the identifier of an attachment.
#[derive(Debug)]
pub struct AttachmentEntity;
/// The identifier of an attachment.
pub type AttachmentId = Id<AttachmentEntity>;

/// Marks the identifier of an upload.
#[derive(Debug)]
pub struct UploadEntity;
/// The identifier of an upload, and the name under which its bytes are kept.
pub type UploadId = Id<UploadEntity>;

/// Bytes of a file at most.
pub const MOST_BYTES: usize = 20 * 1024 * 1024;
/// Pixels of a picture at most: what the cameras of phones take, and what can be held in memory.
pub const MOST_PIXELS: u64 = 52_000_000;
/// Pixels along a side at most.
pub const LONGEST_SIDE: u32 = 20_000;
/// Attachments that one thing may have at most.
pub const MOST_ATTACHED: usize = 100;

text_enum! {
    /// What a file is, by its bytes.
    MediaType as "attachment_type" {
        Jpeg = "image/jpeg", "JPEG 图片", "JPEG picture", blue;
        Png = "image/png", "PNG 图片", "PNG picture", blue;
        Webp = "image/webp", "WebP 图片", "WebP picture", blue;
    }
}

impl MediaType {
    /// What the name of such a file ends with.
    #[must_use]
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Webp => "webp",
        }
    }
}

text_enum! {
    /// In which form an attachment is given.
    Variant as "attachment_variant" {
        Original = "original", "原件", "The file as it was uploaded", grey;
        Copy = "copy", "副本 (不含拍摄时间、地点等信息)", "A copy without time, place and the like", blue;
        Thumbnail = "thumbnail", "缩略图", "A small copy", blue;
    }
}

text_enum! {
    /// Where in what it is bound to an attachment is shown.
    AttachmentPlace as "attachment_place" {
        Record = "record", "记录", "Record", blue;
        Addendum = "addendum", "补记", "Addendum", grey;
        Objection = "objection", "异议", "Objection", red;
    }
}

text_enum! {
    /// What an attachment is bound to.
    ParentKind as "attachment_parent" {
        UnannouncedCheck = "unannounced_check", "明察暗访", "Unannounced check", red;
    }
}

/// 照片中所记的拍摄情况。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Capture {
    /// 时刻; 照片中没有则为 null。
    pub at: Option<Instant>,
    /// 照片未记时区, 按北京时间。
    pub zone_assumed: bool,
    /// 纬度, 十进制度。
    #[schema(max_length = 11)]
    pub latitude: Option<String>,
    /// 经度, 十进制度。
    #[schema(max_length = 12)]
    pub longitude: Option<String>,
    /// 坐标系。
    pub datum: Option<Datum>,
    /// 设备。
    #[schema(max_length = 100)]
    pub device: Option<String>,
}

/// An attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its identifier.
    pub id: AttachmentId,
    /// What it was called where it came from.
    pub file_name: String,
    /// What it is.
    pub media_type: MediaType,
    /// How many bytes it has.
    pub bytes: i64,
    /// How many its copy has.
    pub copy_bytes: i64,
    /// How many its thumbnail has.
    pub thumbnail_bytes: i64,
    /// The SHA-256 of all of them, hexadecimal.
    pub sha256: String,
    /// Pixels from side to side, as it is to be seen.
    pub width: i32,
    /// Pixels from top to bottom.
    pub height: i32,
    /// What the picture itself says of when and where it was taken.
    pub capture: Option<Capture>,
    /// Under which name its bytes are kept.
    pub kept_as: UploadId,
    /// Who uploaded it.
    pub uploaded_by: UserId,
    /// What it is bound to.
    pub check_id: Option<CheckId>,
    /// What of that shows it.
    pub shown_in: Option<ShownIn>,
    /// Counts up with each change.
    pub version: i64,
    /// When we had it.
    pub created_at: Instant,
}

impl Attachment {
    /// The name under which the bytes of one of its forms are kept.
    #[must_use]
    pub fn name_of(&self, tenant: impl std::fmt::Display, variant: Variant) -> String {
        name_of(tenant, self.kept_as, variant)
    }
}

/// What of a check shows an attachment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShownIn {
    /// Its record.
    Record,
    /// An addendum to it.
    Addendum(AddendumId),
    /// The objection to it.
    Objection,
}

impl ShownIn {
    /// How it is kept: the word, and the addendum.
    #[must_use]
    pub const fn kept(self) -> (AttachmentPlace, Option<AddendumId>) {
        match self {
            Self::Record => (AttachmentPlace::Record, None),
            Self::Addendum(id) => (AttachmentPlace::Addendum, Some(id)),
            Self::Objection => (AttachmentPlace::Objection, None),
        }
    }

    /// From how it is kept.
    #[must_use]
    pub const fn read(place: AttachmentPlace, addendum: Option<AddendumId>) -> Option<Self> {
        match (place, addendum) {
            (AttachmentPlace::Record, None) => Some(Self::Record),
            (AttachmentPlace::Addendum, Some(id)) => Some(Self::Addendum(id)),
            (AttachmentPlace::Objection, None) => Some(Self::Objection),
            _ => None,
        }
    }
}

/// Where an attachment is, below the server's base path.
#[must_use]
pub fn path_of(id: AttachmentId) -> String {
    format!("/attachments/{id}")
}

/// The name under which the bytes of a form of what this upload brought are kept.
#[must_use]
pub fn name_of(tenant: impl std::fmt::Display, upload: UploadId, variant: Variant) -> String {
    format!("{tenant}/{upload}/{variant}")
}

/// A name as it came, without folders, without what no name holds, and not at any length.
#[must_use]
pub fn file_name(told: &str) -> String {
    let last = told.rsplit(['/', '\\']).next().unwrap_or_default();
    // Neither what turns the direction of writing nor what is not seen.
    let is_odd = |c: char| {
        let unseen = matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}');
        unseen || c.is_control() || "\"<>|:*?".contains(c)
    };
    let clean: String = last.chars().filter(|c| !is_odd(*c)).take(120).collect();
    let clean = clean.trim().trim_start_matches('.').to_owned();
    if clean.is_empty() { "未命名".to_owned() } else { clean }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_only_a_name() {
        assert_eq!(file_name("DCIM/IMG_0007.jpg"), "IMG_0007.jpg");
        assert_eq!(file_name(r"C:\照片\大厅 3 号窗口.jpg"), "大厅 3 号窗口.jpg");
        assert_eq!(file_name("..\u{0}\r\n"), "未命名");
        assert_eq!(file_name("大厅\u{202e}gpj.exe"), "大厅gpj.exe");
        assert_eq!(file_name(""), "未命名");
        assert_eq!(file_name(&"长".repeat(500)).chars().count(), 120);
    }
}
