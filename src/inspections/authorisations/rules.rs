//! What a standing authorisation is, and what can be done with one.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

use crate::access::UserId;
use crate::db::{Id, Instant, text_enum};
use crate::errors::{AppError, Code, FieldError, Result, into_validation, refuse_repeated, text};
use crate::org::rules::UnitId;

/// Marks the identifier of an authorisation.
#[derive(Debug)]
pub struct AuthorisationEntity;
/// The identifier of an authorisation.
pub type AuthorisationId = Id<AuthorisationEntity>;

/// Days an authorisation may last at most: a supervisor's term of a year, and a leap day.
pub const LONGEST_DAYS: i64 = 366;

text_enum! {
    /// How a check is made.
    CheckKind as "check_kind" {
        Open = "open", "明察", "Open", blue;
        Covert = "covert", "暗访", "Covert", orange;
    }
}

text_enum! {
    /// The state of an authorisation.
    AuthorisationState as "authorisation_state" {
        Proposed = "proposed", "待批", "Proposed", orange;
        Approved = "approved", "已批准", "Approved", green;
        Rejected = "rejected", "未批准", "Rejected", red;
        Revoked = "revoked", "已撤销", "Revoked", grey;
    }
}

text_enum! {
    /// What can be done with an authorisation.
    AuthorisationAction as "authorisation_action" {
        Update = "update", "修改", "Update", blue;
        Approve = "approve", "批准", "Approve", green;
        Reject = "reject", "不予批准", "Reject", red;
        Revoke = "revoke", "撤销", "Revoke", orange;
    }
}

/// 授权的内容。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorisationContent {
    /// 名称, 如 第一季度城区窗口暗访。
    #[schema(min_length = 1, max_length = 60, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    pub title: String,
    /// 依据: 会议、文件或工作安排。
    #[schema(min_length = 1, max_length = 500)]
    pub basis: String,
    /// 可用的方式: 明察、暗访。
    #[schema(min_items = 1, max_items = 2)]
    pub kinds: Vec<CheckKind>,
    /// 可检查的单位, 含其下级; 须在所属单位之内。
    #[schema(min_items = 1, max_items = 50)]
    pub area_unit_ids: Vec<UnitId>,
    /// 检查人员的账号: 督察或特邀监督员。
    #[schema(min_items = 1, max_items = 50)]
    pub team_user_ids: Vec<UserId>,
    /// 指挥员的账号: 确认所记录的检查。
    pub commander_user_id: UserId,
    /// 首日。
    pub valid_from_on: NaiveDate,
    /// 末日, 含当日; 连同首日不超过 366 天。
    pub valid_until_on: NaiveDate,
}

impl Validate for AuthorisationContent {
    fn validate(&self) -> std::result::Result<(), ValidationErrors> {
        let mut errors = Vec::new();
        refuse_repeated(&self.kinds, "/kinds", &mut errors);
        refuse_repeated(&self.area_unit_ids, "/area_unit_ids", &mut errors);
        refuse_repeated(&self.team_user_ids, "/team_user_ids", &mut errors);
        let days = (self.valid_until_on - self.valid_from_on).num_days();
        if !(0..LONGEST_DAYS).contains(&days) {
            let detail = text!(
                "末日不早于首日, 连同首日不超过 {LONGEST_DAYS} 天",
                "The last day is not before the first, and at most {LONGEST_DAYS} days count with both"
            );
            errors.push(FieldError::body("/valid_until_on", Code::OutOfOrder, detail));
        }
        into_validation(errors)
    }
}

/// A standing authorisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorisation {
    /// Its identifier.
    pub id: AuthorisationId,
    /// The bureau under whose name it is.
    pub unit_id: UnitId,
    /// That bureau's path today.
    pub unit_path: String,
    /// What it says.
    pub content: AuthorisationContent,
    /// The paths of the area's units today.
    pub area_paths: Vec<String>,
    /// Its state.
    pub state: AuthorisationState,
    /// Who has proposed it and written at it: none of them approves it.
    pub authors: Vec<UserId>,
    /// When it was approved.
    pub approved_at: Option<Instant>,
    /// Who decided on it last.
    pub decided_by: Option<UserId>,
    /// When.
    pub decided_at: Option<Instant>,
    /// What was said to that.
    pub comment: Option<String>,
    /// Counts up with each change.
    pub version: i64,
    /// When it was proposed.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

impl Authorisation {
    /// Whether checks might be begun under it at a moment, though we hear of them later: approved by then, not yet revoked, on
    /// one of its days.
    #[must_use]
    pub fn is_in_force_at(&self, at: Instant) -> bool {
        let stood = match self.state {
            AuthorisationState::Approved => true,
            AuthorisationState::Revoked => self.decided_at.is_some_and(|end| at < end),
            AuthorisationState::Proposed | AuthorisationState::Rejected => false,
        };
        let day = at.shanghai_day();
        stood
            && self.approved_at.is_some_and(|from| from <= at)
            && self.content.valid_from_on <= day
            && day <= self.content.valid_until_on
    }

    /// Whether the unit at this path lies in its area.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        self.area_paths.iter().any(|area| path.starts_with(area))
    }

    /// What its state, the day and who asks allow.
    #[must_use]
    pub fn allows(&self, action: AuthorisationAction, by: UserId, today: NaiveDate) -> bool {
        self.judge(action, by, today).is_ok()
    }

    /// Whether somebody may do it now.
    ///
    /// # Errors
    /// `authorisation_decided`, `authorisation_ended`; `approver_is_author` for approving and rejecting what one has
    /// written oneself.
    pub fn judge(&self, action: AuthorisationAction, by: UserId, today: NaiveDate) -> Result<()> {
        use AuthorisationAction::{Approve, Reject, Revoke, Update};
        use AuthorisationState::{Approved, Proposed};
        let code = match (action, self.state) {
            // What is approved or withdrawn after its time would say nothing any more.
            (Approve, Proposed) | (Revoke, Approved) if today > self.content.valid_until_on => {
                Code::AuthorisationEnded
            }
            (Approve | Reject, Proposed) if self.authors.contains(&by) => Code::ApproverIsAuthor,
            (Update | Approve | Reject | Revoke, Proposed) | (Revoke, Approved) => return Ok(()),
            (Update | Approve | Reject, _) => Code::AuthorisationDecided,
            (Revoke, _) => Code::AuthorisationEnded,
        };
        Err(AppError::new(code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authorisation(state: AuthorisationState, authors: Vec<UserId>) -> Authorisation {
        let at = Instant::from_micros(0);
        Authorisation {
            id: AuthorisationId::generate(),
            unit_id: UnitId::generate(),
            unit_path: "53/".into(),
            content: AuthorisationContent {
                title: "窗口暗访".into(),
                basis: "领导小组会议".into(),
                kinds: vec![CheckKind::Covert],
                area_unit_ids: vec![UnitId::generate()],
                team_user_ids: vec![UserId::generate()],
                commander_user_id: UserId::generate(),
                valid_from_on: "2026-03-01".parse().unwrap(),
                valid_until_on: "2026-03-31".parse().unwrap(),
            },
            area_paths: vec!["53/5301/".into()],
            state,
            authors,
            approved_at: None,
            decided_by: None,
            decided_at: None,
            comment: None,
            version: 1,
            created_at: at,
            updated_at: at,
        }
    }

    #[test]
    fn every_state_and_event_is_decided() {
        use AuthorisationState::{Approved, Proposed, Rejected, Revoked};
        use Code::{ApproverIsAuthor, AuthorisationDecided as Decided, AuthorisationEnded as Ended};
        let (author, other) = (UserId::generate(), UserId::generate());
        let (within, after) = ("2026-03-31".parse().unwrap(), "2026-04-01".parse().unwrap());
        // Update, approve, reject, revoke: allowed, or why not.
        let table = [
            (Proposed, other, within, [None, None, None, None]),
            (Proposed, author, within, [None, Some(ApproverIsAuthor), Some(ApproverIsAuthor), None]),
            (Proposed, other, after, [None, Some(Ended), None, None]),
            (Approved, other, within, [Some(Decided), Some(Decided), Some(Decided), None]),
            (Approved, author, within, [Some(Decided), Some(Decided), Some(Decided), None]),
            (Approved, other, after, [Some(Decided), Some(Decided), Some(Decided), Some(Ended)]),
            (Rejected, other, within, [Some(Decided), Some(Decided), Some(Decided), Some(Ended)]),
            (Revoked, other, within, [Some(Decided), Some(Decided), Some(Decided), Some(Ended)]),
        ];
        for (state, by, today, wanted) in table {
            let one = authorisation(state, vec![author]);
            for (action, wanted) in AuthorisationAction::ALL.iter().zip(wanted) {
                let found = one.judge(*action, by, today).err().map(|error| error.code());
                assert_eq!(found, wanted, "{state} {action}");
            }
        }
    }

    #[test]
    fn it_is_in_force_from_its_approval_to_its_last_day_or_its_end() {
        let at = |text: &str, hour: i64| {
            Instant::start_of_shanghai_day(text.parse().unwrap()).plus_seconds(hour * 3600)
        };
        let of = |state, approved: Option<Instant>, decided: Option<Instant>| Authorisation {
            approved_at: approved,
            decided_at: decided,
            ..authorisation(state, Vec::new())
        };
        let early = at("2026-02-20", 0);
        let approved = of(AuthorisationState::Approved, Some(early), Some(early));
        for (day, hour, wanted) in [
            ("2026-02-28", 23, false),
            ("2026-03-01", 0, true),
            ("2026-03-31", 23, true),
            ("2026-04-01", 0, false),
        ] {
            assert_eq!(approved.is_in_force_at(at(day, hour)), wanted, "{day} {hour}");
        }
        // Approved in the middle of its time, and revoked later: between the two.
        let (begin, end) = (at("2026-03-05", 9), at("2026-03-09", 9));
        let revoked = of(AuthorisationState::Revoked, Some(begin), Some(end));
        let asked = [begin.plus_seconds(-1), begin, end.plus_seconds(-1), end];
        assert_eq!(asked.map(|at| revoked.is_in_force_at(at)), [false, true, true, false]);
        assert!(
            !of(AuthorisationState::Revoked, None, Some(end)).is_in_force_at(begin),
            "it was never approved"
        );
        for state in [AuthorisationState::Proposed, AuthorisationState::Rejected] {
            assert!(!of(state, None, Some(early)).is_in_force_at(begin), "{state}");
        }
    }

    #[test]
    fn a_period_is_in_order_and_not_too_long() {
        let of = |until: &str| {
            let mut content = authorisation(AuthorisationState::Proposed, Vec::new()).content;
            content.valid_until_on = until.parse().unwrap();
            content.validate().is_ok()
        };
        assert_eq!(
            [of("2026-02-28"), of("2026-03-01"), of("2027-03-01"), of("2027-03-02")],
            [false, true, true, false]
        );
    }
}
