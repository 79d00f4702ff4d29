//! What a campaign is, whom it concerns, and who leads it.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

use crate::access::UserId;
use crate::campaigns::rules::{CampaignId, CampaignState, Phase, phase_errors};
use crate::db::Instant;
use crate::errors::{Code, FieldError, into_validation, refuse_repeated, text};
use crate::org::rules::{UnitId, UnitKind};

/// 活动范围: 哪些单位须制定方案。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// 单位种类。
    #[schema(min_items = 1, max_items = 7)]
    pub kinds: Vec<UnitKind>,
    /// 只限这些单位及其下级; 空则为主办单位的全部下级。
    #[serde(default)]
    #[schema(max_items = 50)]
    pub unit_ids: Vec<UnitId>,
}

/// 活动的内容。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CampaignDraft {
    /// 名称。
    #[schema(min_length = 1, max_length = 60, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    pub name: String,
    /// 主题: 为什么办, 要解决什么。
    #[schema(min_length = 1, max_length = 1000)]
    pub theme: String,
    /// 年度。
    #[schema(minimum = 2000, maximum = 2100)]
    pub year: i32,
    /// 阶段, 按先后。
    #[schema(min_items = 1, max_items = 20)]
    pub phases: Vec<Phase>,
    /// 范围。
    pub scope: Scope,
}

impl Validate for CampaignDraft {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut errors = phase_errors(&self.phases);
        refuse_repeated(&self.scope.kinds, "/scope/kinds", &mut errors);
        refuse_repeated(&self.scope.unit_ids, "/scope/unit_ids", &mut errors);
        into_validation(errors)
    }
}

/// A campaign.
#[derive(Debug, Clone)]
pub struct Campaign {
    /// Its identifier.
    pub id: CampaignId,
    /// The unit that runs it.
    pub unit_id: UnitId,
    /// That unit's path today.
    pub unit_path: String,
    /// Its content.
    pub content: CampaignDraft,
    /// The paths of the scope's units.
    pub scope_paths: Vec<String>,
    /// Its state.
    pub state: CampaignState,
    /// Counts up with each change.
    pub version: i64,
    /// When it was begun.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

impl Campaign {
    /// Whether a unit makes a plan: the one that runs the campaign, and those in its scope.
    #[must_use]
    pub fn concerns(&self, unit: UnitId, kind: UnitKind, path: &str) -> bool {
        if unit == self.unit_id {
            return true;
        }
        let below = path.starts_with(&self.unit_path);
        let named = self.scope_paths.is_empty()
            || self.scope_paths.iter().any(|scope| path.starts_with(scope.as_str()));
        below && named && self.content.scope.kinds.contains(&kind)
    }

    /// The day by which units are to have published their plans: the last of the first phase.
    #[must_use]
    pub fn plans_due_on(&self) -> Option<NaiveDate> {
        self.content.phases.first().map(|phase| phase.ends_on)
    }

    /// First and last day of all phases.
    #[must_use]
    pub fn span(&self) -> Option<(NaiveDate, NaiveDate)> {
        let first = self.content.phases.iter().map(|phase| phase.starts_on).min();
        let last = self.content.phases.iter().map(|phase| phase.ends_on).max();
        first.zip(last)
    }
}

/// 领导小组成员。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MemberDraft {
    /// 账号。
    pub user_id: UserId,
    /// 职务或分工, 如 副组长。
    #[schema(min_length = 1, max_length = 60, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    pub duty: String,
}

/// 领导小组。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LeadingGroupDraft {
    /// 组长。
    #[serde(default)]
    pub head_user_id: Option<UserId>,
    /// 办公室所在部门。
    #[serde(default)]
    pub office_unit_id: Option<UnitId>,
    /// 成员。
    #[serde(default)]
    #[schema(max_items = 100)]
    pub members: Vec<MemberDraft>,
    /// 方案是否须经表决: 由主办单位持有 `group_member` 角色的成员 (编制人除外) 对本领导小组组长批准的方案表决, 达到法定人数且赞成多于反对, 组长方可批准; 由下级组长自行批准的方案不表决。缺省否。
    #[serde(default)]
    pub votes_on_plans: bool,
}

impl Validate for LeadingGroupDraft {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let repeats = self.members.iter().enumerate().filter(|(at, member)| {
            self.members.iter().take(*at).any(|other| other.user_id == member.user_id)
        });
        let errors = repeats
            .map(|(at, _)| {
                let detail = text!("成员重复", "The member is there twice");
                FieldError::body(format!("/members/{at}/user_id"), Code::NotUnique, detail)
            })
            .collect();
        into_validation(errors)
    }
}

/// A leading group as it stands.
#[derive(Debug, Clone)]
pub struct LeadingGroup {
    /// Who leads, the office, the members.
    pub content: LeadingGroupDraft,
    /// Counts up with each change.
    pub version: i64,
    /// When it was last changed.
    pub updated_at: Instant,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::Id;

    fn campaign(scope_paths: &[&str], kinds: &[UnitKind]) -> Campaign {
        Campaign {
            id: Id::generate(),
            unit_id: Id::generate(),
            unit_path: "53/".into(),
            content: CampaignDraft {
                name: "治庸懒、强担当、树新风".into(),
                theme: "改进作风".into(),
                year: 2026,
                phases: Vec::new(),
                scope: Scope { kinds: kinds.to_vec(), unit_ids: Vec::new() },
            },
            scope_paths: scope_paths.iter().map(ToString::to_string).collect(),
            state: CampaignState::Launched,
            version: 1,
            created_at: Instant::from_micros(0),
            updated_at: Instant::from_micros(0),
        }
    }

    #[test]
    fn a_campaign_concerns_its_own_unit_and_the_kinds_and_units_of_its_scope() {
        let all = campaign(&[], &[UnitKind::City]);
        assert!(all.concerns(all.unit_id, UnitKind::Province, "53/"));
        assert!(all.concerns(Id::generate(), UnitKind::City, "53/5301/"));
        assert!(!all.concerns(Id::generate(), UnitKind::County, "53/5301/530102/"));
        let one = campaign(&["53/5301/"], &[UnitKind::City, UnitKind::County]);
        assert!(one.concerns(Id::generate(), UnitKind::County, "53/5301/530102/"));
        assert!(!one.concerns(Id::generate(), UnitKind::City, "53/5303/"));
    }
}
