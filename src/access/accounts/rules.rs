//! What an account is, and what may be done with it.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

use crate::access::UserId;
use crate::audit::Told;
use crate::db::{Instant, text_enum};
use crate::errors::{AppError, Code, FieldError, Result, text};
use crate::org::officers::rules::OfficerId;
use crate::org::rules::{Unit, UnitId};

text_enum! {
    /// Whether an account can sign in.
    UserStatus as "user_status" {
        Active = "active", "正常", "Active", green;
        Disabled = "disabled", "已停用", "Disabled", grey;
    }
}

text_enum! {
    /// What somebody may do with an account.
    UserAction as "user_action" {
        Update = "update", "修改", "Update", blue;
        Disable = "disable", "停用", "Disable", red;
        Enable = "enable", "启用", "Enable", green;
        ResetPassword = "reset_password", "重置密码", "Reset password", orange;
        GrantRole = "grant_role", "授予角色", "Grant role", blue;
        EndSessions = "end_sessions", "结束会话", "End sessions", orange;
    }
}

text_enum! {
    /// Why a session ended.
    SessionEndReason as "session_end_reason" {
        Logout = "logout", "退出登录", "Signed out", grey;
        EndedByOwner = "ended_by_owner", "本人结束", "Ended by its owner", grey;
        EndedByAdministrator = "ended_by_administrator", "管理员结束", "Ended by an administrator", orange;
        PasswordChanged = "password_changed", "密码已更改", "The password was changed", orange;
        AccountDisabled = "account_disabled", "账号已停用", "The account was disabled", red;
        RefreshReused = "refresh_reused", "刷新令牌被重复使用", "A refresh token was used again", red;
    }
}

/// An account, without its password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Its identifier.
    pub id: UserId,
    /// What is typed to sign in; unique across all tenants.
    pub login: String,
    /// The name shown.
    pub display_name: String,
    /// The unit it belongs to; none in the platform's tenant.
    pub unit_id: Option<UnitId>,
    /// The path of that unit; empty in the platform's tenant.
    pub unit_path: String,
    /// The officer it belongs to, if it is one's.
    pub officer_id: Option<OfficerId>,
    /// Whether it can sign in.
    pub status: UserStatus,
    /// Whether the password must be changed before anything else.
    pub must_change_password: bool,
    /// Counts up with each change.
    pub version: i64,
    /// When it was entered.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

impl User {
    /// A new account, as a draft says, at a unit.
    #[must_use]
    pub fn new(id: UserId, login: String, draft: UserDraft, unit: Option<&Unit>, at: Instant) -> Self {
        Self {
            id,
            login,
            display_name: draft.display_name,
            unit_id: unit.map(|unit| unit.id),
            unit_path: unit.map(|unit| unit.path.clone()).unwrap_or_default(),
            officer_id: draft.officer_id,
            status: UserStatus::Active,
            must_change_password: true,
            version: 1,
            created_at: at,
            updated_at: at,
        }
    }

    /// What the audit log is told of a change.
    #[must_use]
    pub fn told(before: Option<&Self>, after: &Self) -> Told<'static> {
        let facts = (before.map(Self::facts), Some(after.facts()));
        Told { id: after.id.to_string(), before: facts.0, after: facts.1, reason: None }
    }

    /// The facts whose digests the audit log keeps: nothing personal, no secret.
    #[must_use]
    pub fn facts(&self) -> Value {
        json!({
            "status": self.status,
            "unit_id": self.unit_id,
            "officer_id": self.officer_id,
            "must_change_password": self.must_change_password,
            "version": self.version,
        })
    }

    /// What of it can be edited.
    #[must_use]
    pub fn draft(&self) -> UserDraft {
        UserDraft {
            display_name: self.display_name.clone(),
            unit_id: self.unit_id,
            officer_id: self.officer_id,
        }
    }
}

/// 账号可修改的内容。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct UserDraft {
    /// 显示的姓名, 首尾不能是空白。
    #[schema(min_length = 1, max_length = 50, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    pub display_name: String,
    /// 所属单位; 平台账号为 null, 其余必填。
    #[serde(default)]
    pub unit_id: Option<UnitId>,
    /// 本人是哪名民警或辅警; 特邀监督员、评委等不是的为 null。
    #[serde(default)]
    pub officer_id: Option<OfficerId>,
}

/// What may be done with an account in this state: `own` when it is the caller's, `fixed` when it
/// holds a role beside which no other can be held.
pub fn allowed_actions(
    status: UserStatus,
    own: bool,
    fixed: bool,
    out_of_hands: bool,
    may: impl Fn(UserAction) -> bool,
) -> Vec<UserAction> {
    let fits = |action: UserAction| match action {
        UserAction::Update | UserAction::EndSessions => true,
        UserAction::Disable => status == UserStatus::Active && !own && !out_of_hands,
        UserAction::Enable => status == UserStatus::Disabled,
        UserAction::ResetPassword => !own && !out_of_hands,
        UserAction::GrantRole => status == UserStatus::Active && !own && !fixed,
    };
    UserAction::ALL.iter().copied().filter(|&action| fits(action) && may(action)).collect()
}

/// Whether a text can be a login: 3 to 40 of `a-z 0-9 . _ -`, the first a letter or a digit.
#[must_use]
pub fn is_login(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (3..=40).contains(&text.len())
        && text.starts_with(plain)
        && text.chars().all(|c| plain(c) || matches!(c, '.' | '_' | '-'))
}

/// Whether a text can be a name to show: 1 to 50 characters on one line, no blank at either end.
#[must_use]
pub fn is_display_name(text: &str) -> bool {
    (1..=50).contains(&text.chars().count())
        && text.trim() == text
        && !text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'))
}

/// Checks what the command line was given, for it passes no schema.
///
/// # Errors
/// `invalid_body` with every error.
pub fn check_names(login: &str, display_name: &str) -> Result<()> {
    let mut errors = Vec::new();
    if !is_login(login) {
        let detail = text!(
            "登录名须为 3 至 40 个小写字母、数字或 . _ -, 以字母或数字开头",
            "A login is 3 to 40 lower-case letters, digits or . _ -, the first a letter or a digit"
        );
        errors.push(FieldError::body("/login", Code::WrongFormat, detail));
    }
    if !is_display_name(display_name) {
        let detail = text!(
            "姓名须为 1 至 50 个字符, 首尾不能是空白",
            "A display name has 1 to 50 characters and no blank at either end"
        );
        errors.push(FieldError::body("/display_name", Code::WrongFormat, detail));
    }
    if errors.is_empty() { Ok(()) } else { Err(AppError::fields(Code::InvalidBody, errors)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_short_plain_and_lower_case() {
        for good in ["abc", "wangjianguo", "wang.jianguo", "530102-liaison_1", "0ab", &"a".repeat(40)] {
            assert!(is_login(good), "{good}");
        }
        for bad in
            ["", "ab", "Wang", ".abc", "-abc", "_abc", "王建国", "a b c", "abc\n", "ábc", &"a".repeat(41)]
        {
            assert!(!is_login(bad), "{bad}");
        }
    }

    #[test]
    fn display_names_have_no_blank_at_either_end() {
        for good in ["王", "王建国", "John Smith", &"国".repeat(50)] {
            assert!(is_display_name(good), "{good}");
        }
        for bad in ["", " ", " 王", "王 ", "王\u{3000}", "王\n建国", &"国".repeat(51)] {
            assert!(!is_display_name(bad), "{bad:?}");
        }
    }

    #[test]
    fn what_is_wrong_with_names_is_told_at_once() {
        assert!(check_names("wangjianguo", "王建国").is_ok());
        let error = check_names("W", " ").unwrap_err();
        assert_eq!(error.errors().len(), 2);
    }

    #[test]
    fn every_action_in_every_state() {
        use UserAction::{Disable, Enable, EndSessions, GrantRole, ResetPassword, Update};
        let all = |status, own, fixed| allowed_actions(status, own, fixed, false, |_| true);
        let (active, disabled) = (UserStatus::Active, UserStatus::Disabled);
        assert_eq!(all(active, false, false), [Update, Disable, ResetPassword, GrantRole, EndSessions]);
        assert_eq!(all(active, false, true), [Update, Disable, ResetPassword, EndSessions]);
        assert_eq!(all(disabled, false, false), [Update, Enable, ResetPassword, EndSessions]);
        assert_eq!(all(active, true, false), [Update, EndSessions]);
        let strong = allowed_actions(active, false, false, true, |_| true);
        assert_eq!(strong, [Update, GrantRole, EndSessions]);
        assert!(allowed_actions(active, false, false, false, |_| false).is_empty());
        assert_eq!(allowed_actions(active, false, false, false, |action| action == Disable), [Disable]);
    }

    #[test]
    fn the_facts_hold_nothing_personal() {
        let user = User {
            id: crate::db::Id::generate(),
            login: "wangjianguo".into(),
            display_name: "王建国".into(),
            unit_id: None,
            unit_path: String::new(),
            officer_id: None,
            status: UserStatus::Active,
            must_change_password: true,
            version: 3,
            created_at: Instant::from_micros(0),
            updated_at: Instant::from_micros(0),
        };
        let facts = user.facts().to_string();
        assert!(!facts.contains("wangjianguo") && !facts.contains("王建国"), "{facts}");
    }
}
