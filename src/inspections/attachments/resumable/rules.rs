//! What an upload in parts is, and how much of such may lie about.

use super::super::rules::AttachmentId;
use crate::access::UserId;
use crate::db::{Id, Instant};
use crate::errors::{AppError, Code, Result, text};

/// Marks the identifier of an upload in parts.
#[derive(Debug)]
pub struct ResumableEntity;
/// The identifier of an upload in parts.
pub type ResumableId = Id<ResumableEntity>;

/// How long an upload can be gone on with, seconds: phones are without a network for days.
pub const LIFETIME: i64 = 7 * 86_400;
/// Bytes that the unfinished uploads of an account may come to.
pub const MOST_UNFINISHED: i64 = 200 * 1024 * 1024;

/// What a device says of a file that it is about to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// What it becomes; the device's choice, else ours.
    pub attachment_id: Option<AttachmentId>,
    /// What it was called where it comes from, as it is kept.
    pub file_name: String,
    /// Its SHA-256, hexadecimal, if the device said.
    pub sha256: Option<String>,
    /// Bytes.
    pub bytes: i64,
}

/// An upload in parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resumable {
    /// Its identifier.
    pub id: ResumableId,
    /// Who began it.
    pub user_id: UserId,
    /// What it becomes.
    pub attachment_id: AttachmentId,
    /// What the file was called where it comes from.
    pub file_name: String,
    /// Its SHA-256, hexadecimal, if the device said.
    pub sha256: Option<String>,
    /// Bytes of the whole.
    pub bytes: i64,
    /// Bytes that are kept.
    pub arrived: i64,
    /// Whether it has become the attachment.
    pub finished: bool,
    /// Why it never will.
    pub refusal: Option<String>,
    /// When it was begun.
    pub created_at: Instant,
    /// Until when it can be gone on with.
    pub expires_at: Instant,
}

impl Resumable {
    /// Whether it was begun with this announcement, of which it bears the id.
    #[must_use]
    pub fn is_of(&self, said: &Announcement) -> bool {
        self.bytes == said.bytes && self.sha256 == said.sha256 && self.file_name == said.file_name
    }

    /// Whether all of it is kept, and it has not become the attachment yet.
    #[must_use]
    pub const fn is_due(&self) -> bool {
        self.arrived == self.bytes && !self.finished
    }

    /// Whether a part may begin at this byte.
    ///
    /// # Errors
    /// `upload_offset_mismatch`, with where it may.
    pub fn goes_on_at(&self, offset: i64) -> Result<()> {
        if self.arrived == offset {
            return Ok(());
        }
        let arrived = self.arrived;
        let detail =
            text!("已收 {arrived} 字节, 请从该处续传", "{arrived} bytes have come; go on from there");
        let facts = serde_json::json!({ "upload_offset": arrived });
        Err(AppError::because(Code::UploadOffsetMismatch, detail).with_facts(facts))
    }

    /// Whether a part that begins at this byte may have so many.
    ///
    /// # Errors
    /// `body_too_large`.
    pub fn holds(&self, offset: i64, bytes: usize) -> Result<()> {
        let end = i64::try_from(bytes).ok().and_then(|bytes| offset.checked_add(bytes));
        if end.is_some_and(|end| end <= self.bytes) {
            return Ok(());
        }
        let (bytes, left) = (self.bytes, self.bytes - offset);
        let detail = text!(
            "文件共 {bytes} 字节, 只差 {left} 字节, 这一段过长",
            "The file has {bytes} bytes, of which {left} are missing: the part is too long"
        );
        Err(AppError::because(Code::BodyTooLarge, detail))
    }
}

/// Whether one more file of so many bytes may be begun beside the unfinished ones, which have so many.
///
/// # Errors
/// `too_many_unfinished`.
pub fn has_room(unfinished: i64, bytes: i64) -> Result<()> {
    if unfinished.saturating_add(bytes) > MOST_UNFINISHED {
        return Err(AppError::new(Code::TooManyUnfinished));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload(arrived: i64) -> Resumable {
        Resumable {
            id: ResumableId::generate(),
            user_id: UserId::generate(),
            attachment_id: AttachmentId::generate(),
            file_name: "a.jpg".to_owned(),
            sha256: None,
            bytes: 10,
            arrived,
            finished: false,
            refusal: None,
            created_at: Instant::from_micros(0),
            expires_at: Instant::from_micros(0),
        }
    }

    #[test]
    fn a_part_begins_where_the_last_one_ended_and_ends_with_the_file() {
        let code = |outcome: Result<()>| outcome.err().map(|error| error.code());
        assert_eq!(code(upload(4).goes_on_at(4)), None);
        for offset in [0, 3, 5, 10] {
            assert_eq!(code(upload(4).goes_on_at(offset)), Some(Code::UploadOffsetMismatch), "{offset}");
        }
        assert_eq!(code(upload(4).holds(4, 6)), None);
        assert_eq!(code(upload(10).holds(10, 0)), None);
        for bytes in [7, usize::MAX] {
            assert_eq!(code(upload(4).holds(4, bytes)), Some(Code::BodyTooLarge), "{bytes}");
        }
    }

    #[test]
    fn what_lies_about_is_bounded() {
        assert!(has_room(MOST_UNFINISHED - 1, 1).is_ok());
        assert!(has_room(MOST_UNFINISHED, 1).is_err());
        assert!(has_room(i64::MAX, i64::MAX).is_err());
    }
}
