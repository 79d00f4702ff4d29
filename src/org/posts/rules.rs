//! What a post is, and which can stand beside which.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

use crate::access::UserId;
use crate::db::{Id, Instant, text_enum};
use crate::errors::{Code, FieldError, into_validation, text};
use crate::org::officers::rules::{OfficerId, OfficerKind};
use crate::org::rules::UnitId;

/// Marks the identifier of a post.
#[derive(Debug)]
pub struct PostEntity;
/// The identifier of a post: that somebody held it. Its revisions say what was known of that when.
pub type PostId = Id<PostEntity>;

text_enum! {
    /// What a post is. The head of a unit is its first responsible person; a deputy cannot be.
    PostKind as "post_kind" {
        Head = "head", "主要负责人 (一把手)", "Head", red;
        DeputyHead = "deputy_head", "副职领导", "Deputy head", orange;
        DivisionHead = "division_head", "中层负责人", "Head of a division", orange;
        CommunityPolice = "community_police", "社区民警", "Community police", blue;
        CaseOfficer = "case_officer", "办案民警", "Case officer", blue;
        WindowStaff = "window_staff", "窗口人员", "Window staff", green;
        DutyOfficer = "duty_officer", "值班接处警人员", "Duty officer", green;
        Support = "support", "综合保障", "Support", grey;
        Other = "other", "其他", "Other", grey;
    }
}

impl PostKind {
    /// Whether it leads: not for auxiliaries (关于规范公安机关警务辅助人员管理工作的意见: 辅警不具有执法主体资格).
    #[must_use]
    pub const fn leads(self) -> bool {
        matches!(self, Self::Head | Self::DeputyHead | Self::DivisionHead)
    }
}

text_enum! {
    /// What can be done with a post.
    PostAction as "post_action" {
        Correct = "correct", "更正", "Correct", blue;
    }
}

/// A revision of a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// Its identifier.
    pub id: PostId,
    /// Counts up with each correction, from 1.
    pub revision: i64,
    /// Who held it.
    pub officer_id: OfficerId,
    /// What it was.
    pub draft: PostDraft,
    /// When this revision was entered.
    pub recorded_at: Instant,
    /// By whom; none: by the command line, or carried over by the change of a unit.
    pub recorded_by: Option<UserId>,
    /// Since when something else is believed.
    pub superseded_at: Option<Instant>,
}

impl Post {
    /// The first revision of a post.
    #[must_use]
    pub const fn begun(
        id: PostId,
        officer_id: OfficerId,
        draft: PostDraft,
        recorded_at: Instant,
        recorded_by: Option<UserId>,
    ) -> Self {
        Self { id, revision: 1, officer_id, draft, recorded_at, recorded_by, superseded_at: None }
    }

    /// Whether it was held on that day.
    #[must_use]
    pub fn is_held_on(&self, day: NaiveDate) -> bool {
        let PostDraft { valid_from_on, valid_until_on, voided, .. } = &self.draft;
        !voided && *valid_from_on <= day && valid_until_on.is_none_or(|until| day <= until)
    }
}

/// 任职。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostDraft {
    /// 任职单位。
    pub unit_id: UnitId,
    /// 职位种类。
    pub kind: PostKind,
    /// 职务名称, 如 党委书记、局长。
    #[schema(min_length = 1, max_length = 60, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    pub title: String,
    /// 首日。
    pub valid_from_on: NaiveDate,
    /// 末日, 含当日; 不写则至另有通知。
    #[serde(default)]
    pub valid_until_on: Option<NaiveDate>,
    /// 是否误录作废。
    #[serde(default)]
    pub voided: bool,
    /// 依据, 如任免文号; 更正时写更正的理由。
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}

impl PostDraft {
    /// Whether the days of two posts share one.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let before =
            |one: &Self, two: &Self| one.valid_until_on.is_some_and(|until| until < two.valid_from_on);
        !self.voided && !other.voided && !before(self, other) && !before(other, self)
    }
}

impl Validate for PostDraft {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut errors = Vec::new();
        if self.valid_until_on.is_some_and(|until| until < self.valid_from_on) {
            let detail = text!("末日早于首日", "The last day is before the first");
            errors.push(FieldError::body("/valid_until_on", Code::OutOfOrder, detail));
        }
        into_validation(errors)
    }
}

/// Whether an officer of this kind may hold a post of that.
#[must_use]
pub fn may_hold_post(officer: OfficerKind, post: PostKind) -> bool {
    officer == OfficerKind::Police || !post.leads()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn draft(from: i32, until: Option<i32>) -> PostDraft {
        let day = |number: i32| NaiveDate::from_num_days_from_ce_opt(739_000 + number).unwrap();
        PostDraft {
            unit_id: Id::from_uuid(uuid::Uuid::nil()),
            kind: PostKind::Head,
            title: "局长".into(),
            valid_from_on: day(from),
            valid_until_on: until.map(day),
            voided: false,
            reason: None,
        }
    }

    #[test]
    fn auxiliaries_lead_nobody() {
        for &kind in PostKind::ALL {
            assert!(may_hold_post(OfficerKind::Police, kind));
            assert_eq!(may_hold_post(OfficerKind::Auxiliary, kind), !kind.leads(), "{kind}");
        }
    }

    proptest! {
        #[test]
        fn two_posts_overlap_when_a_day_belongs_to_both(
            a in 0_i32..40, a_days in proptest::option::of(0_i32..20), b in 0_i32..40, b_days in proptest::option::of(0_i32..20),
        ) {
            let (one, two) = (draft(a, a_days.map(|days| a + days)), draft(b, b_days.map(|days| b + days)));
            let post = |draft: &PostDraft| Post {
                id: Id::generate(), revision: 1, officer_id: Id::generate(), draft: draft.clone(),
                recorded_at: Instant::from_micros(0), recorded_by: None, superseded_at: None,
            };
            let shared = (0..100).any(|day| {
                let day = NaiveDate::from_num_days_from_ce_opt(739_000 + day).unwrap();
                post(&one).is_held_on(day) && post(&two).is_held_on(day)
            });
            prop_assert_eq!(one.overlaps(&two), shared);
            prop_assert_eq!(two.overlaps(&one), shared);
            let void = PostDraft { voided: true, ..two };
            prop_assert!(!one.overlaps(&void));
        }
    }
}
