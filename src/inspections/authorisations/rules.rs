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
        ReplaceCommander = "replace_commander", "更换指挥员", "Replace the commander", orange;
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

/// Who asks whether something may be done with an authorisation, and what else there is to know for that.
#[derive(Debug, Clone, Copy)]
pub struct Asking {
    /// Who.
    pub by: UserId,
    /// On which day.
    pub today: NaiveDate,
    /// Whether its commander can act no more: the account is not active, or holds none of the roles that command.
    pub commander_is_gone: bool,
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

    /// Whether it has ever been approved, though it may have been revoked since: there may be checks under it.
    #[must_use]
    pub fn was_approved(&self) -> bool {
        match self.state {
            AuthorisationState::Approved => true,
            AuthorisationState::Revoked => self.approved_at.is_some(),
            AuthorisationState::Proposed | AuthorisationState::Rejected => false,
        }
    }

    /// Whether the unit at this path lies in its area.
    #[must_use]
    pub fn covers(&self, path: &str) -> bool {
        self.area_paths.iter().any(|area| path.starts_with(area))
    }

    /// What its state, the day and who asks allow.
    #[must_use]
    pub fn allows(&self, action: AuthorisationAction, asking: Asking) -> bool {
        self.judge(action, asking).is_ok()
    }

    /// Whether somebody checks or commands under it.
    #[must_use]
    pub fn names(&self, user: UserId) -> bool {
        self.content.commander_user_id == user || self.content.team_user_ids.contains(&user)
    }

    /// Whether somebody may do it now.
    ///
    /// # Errors
    /// `authorisation_decided`, `authorisation_ended`, `authorisation_not_approved`, `commander_present`; `approver_is_author` for
    /// approving and rejecting what one has written oneself, and for saying alone who commands there in another's stead;
    /// `replacer_is_concerned` for that by one of the team.
    pub fn judge(&self, action: AuthorisationAction, asking: Asking) -> Result<()> {
        use AuthorisationAction::{Approve, Reject, ReplaceCommander, Revoke, Update};
        use AuthorisationState::{Approved, Proposed};
        let Asking { by, today, commander_is_gone } = asking;
        let code = match (action, self.state) {
            // What is approved or withdrawn after its time would say nothing any more.
            (Approve, Proposed) | (Revoke, Approved) if today > self.content.valid_until_on => {
                Code::AuthorisationEnded
            }
            // What was begun under it is to be confirmed when its time has passed as well, or it was revoked.
            (ReplaceCommander, _) if !self.was_approved() => Code::AuthorisationNotApproved,
            (ReplaceCommander, _) if !commander_is_gone => Code::CommanderPresent,
            (Approve | Reject, Proposed) | (ReplaceCommander, _) if self.authors.contains(&by) => {
                Code::ApproverIsAuthor
            }
            (ReplaceCommander, _) if self.names(by) => Code::ReplacerIsConcerned,
            (Update | Approve | Reject | Revoke, Proposed) | (Revoke, Approved) | (ReplaceCommander, _) => {
                return Ok(());
            }
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
        use Code::{
            ApproverIsAuthor, AuthorisationDecided as Decided, AuthorisationEnded as Ended,
            AuthorisationNotApproved as NotApproved, CommanderPresent, ReplacerIsConcerned,
        };
        let (author, other) = (UserId::generate(), UserId::generate());
        let (within, after) = ("2026-03-31".parse().unwrap(), "2026-04-01".parse().unwrap());
        // Update, approve, reject, revoke: allowed, or why not. Then to replace a commander who is there, and one who is gone.
        let decided = |revoke, present, gone| {
            [Some(Decided), Some(Decided), Some(Decided), revoke, Some(present), gone]
        };
        let never =
            |update, approve, reject| [update, approve, reject, None, Some(NotApproved), Some(NotApproved)];
        let table = [
            (Proposed, other, within, never(None, None, None)),
            (Proposed, author, within, never(None, Some(ApproverIsAuthor), Some(ApproverIsAuthor))),
            (Proposed, other, after, never(None, Some(Ended), None)),
            (Approved, other, within, decided(None, CommanderPresent, None)),
            (Approved, author, within, decided(None, CommanderPresent, Some(ApproverIsAuthor))),
            (Approved, other, after, decided(Some(Ended), CommanderPresent, None)),
            (Rejected, other, within, decided(Some(Ended), NotApproved, Some(NotApproved))),
            (Revoked, other, within, decided(Some(Ended), NotApproved, Some(NotApproved))),
        ];
        let mut actions: Vec<_> = AuthorisationAction::ALL.iter().map(|action| (*action, false)).collect();
        actions.push((AuthorisationAction::ReplaceCommander, true));
        for (state, by, today, wanted) in table {
            let one = authorisation(state, vec![author]);
            assert_eq!(actions.len(), wanted.len());
            for ((action, commander_is_gone), wanted) in actions.iter().zip(wanted) {
                let asking = Asking { by, today, commander_is_gone: *commander_is_gone };
                let found = one.judge(*action, asking).err().map(|error| error.code());
                assert_eq!(found, wanted, "{state} {action} {commander_is_gone}");
            }
        }
        // Revoked after it was approved, there may be something under it to confirm.
        let revoked = Authorisation {
            approved_at: Some(Instant::from_micros(0)),
            ..authorisation(Revoked, vec![author])
        };
        for (by, commander_is_gone, wanted) in [
            (other, true, None),
            (other, false, Some(CommanderPresent)),
            (author, true, Some(ApproverIsAuthor)),
        ] {
            for today in [within, after] {
                let asking = Asking { by, today, commander_is_gone };
                let found = revoked.judge(AuthorisationAction::ReplaceCommander, asking).err();
                assert_eq!(found.map(|error| error.code()), wanted, "{commander_is_gone} {today}");
            }
        }
        // Neither the team nor the commander says who commands.
        let approved = authorisation(Approved, vec![author]);
        for one in [approved, revoked] {
            for by in [one.content.team_user_ids[0], one.content.commander_user_id] {
                let asking = Asking { by, today: within, commander_is_gone: true };
                let found = one.judge(AuthorisationAction::ReplaceCommander, asking).err();
                assert_eq!(found.map(|error| error.code()), Some(ReplacerIsConcerned));
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
