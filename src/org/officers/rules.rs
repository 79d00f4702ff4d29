//! What an officer is.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

use super::person::{Person, is_id_card};
use crate::audit::Told;
use crate::db::{Id, Instant, text_enum};
use crate::errors::{Code, FieldError, Result, into_validation, text};
use crate::org::rules::{Unit, UnitId};

/// Marks the identifier of an officer.
#[derive(Debug)]
pub struct OfficerEntity;
/// The identifier of an officer.
pub type OfficerId = Id<OfficerEntity>;

text_enum! {
    /// What an officer is by law.
    OfficerKind as "officer_kind" {
        Police = "police", "民警", "Police", blue;
        Auxiliary = "auxiliary", "辅警", "Auxiliary", grey;
    }
}

text_enum! {
    /// Police ranks (人民警察警衔条例, art. 7), the highest first.
    PoliceRank as "police_rank" {
        CommissionerGeneral = "commissioner_general", "总警监", "Commissioner general", red;
        DeputyCommissionerGeneral = "deputy_commissioner_general", "副总警监", "Deputy commissioner general", red;
        CommissionerFirst = "commissioner_1", "一级警监", "Commissioner, first class", orange;
        CommissionerSecond = "commissioner_2", "二级警监", "Commissioner, second class", orange;
        CommissionerThird = "commissioner_3", "三级警监", "Commissioner, third class", orange;
        SupervisorFirst = "supervisor_1", "一级警督", "Supervisor, first class", blue;
        SupervisorSecond = "supervisor_2", "二级警督", "Supervisor, second class", blue;
        SupervisorThird = "supervisor_3", "三级警督", "Supervisor, third class", blue;
        SuperintendentFirst = "superintendent_1", "一级警司", "Superintendent, first class", green;
        SuperintendentSecond = "superintendent_2", "二级警司", "Superintendent, second class", green;
        SuperintendentThird = "superintendent_3", "三级警司", "Superintendent, third class", green;
        ConstableFirst = "constable_1", "一级警员", "Constable, first class", grey;
        ConstableSecond = "constable_2", "二级警员", "Constable, second class", grey;
    }
}

text_enum! {
    /// Whether an officer serves.
    OfficerStatus as "officer_status" {
        Serving = "serving", "在职", "Serving", green;
        Left = "left", "已离队", "Left", grey;
    }
}

text_enum! {
    /// What can be done with an officer.
    OfficerAction as "officer_action" {
        Update = "update", "修改", "Update", blue;
        Appoint = "appoint", "任职", "Appoint", blue;
        Leave = "leave", "离队", "Leave", orange;
        Reveal = "reveal", "查看完整号码", "Reveal", orange;
        Erase = "erase", "清除个人信息", "Erase", red;
    }
}

/// An officer.
#[derive(Debug, Clone)]
pub struct Officer {
    /// Its identifier.
    pub id: OfficerId,
    /// The police number, or the auxiliary's; unique in the province.
    pub number: String,
    /// What the officer is by law.
    pub kind: OfficerKind,
    /// The police rank.
    pub rank: Option<PoliceRank>,
    /// The unit whose strength the officer counts to.
    pub unit_id: UnitId,
    /// That unit's path today.
    pub unit_path: String,
    /// Whether the officer serves.
    pub status: OfficerStatus,
    /// The last day of service.
    pub left_on: Option<NaiveDate>,
    /// What is personal.
    pub person: Person,
    /// Counts up with each change.
    pub version: i64,
    /// When it was entered.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

impl Officer {
    /// Somebody who begins to serve, as a draft says, at a unit.
    ///
    /// # Errors
    /// When the machine has no randomness for the salt of what is personal.
    pub fn new(id: OfficerId, draft: &OfficerDraft, unit: &Unit, at: Instant) -> Result<Self> {
        Ok(Self {
            id,
            number: draft.number.clone(),
            kind: draft.kind,
            rank: draft.rank,
            unit_id: unit.id,
            unit_path: unit.path.clone(),
            status: OfficerStatus::Serving,
            left_on: None,
            person: Person::new(&draft.name, draft.id_card.as_deref(), draft.phone.as_deref())?,
            version: 1,
            created_at: at,
            updated_at: at,
        })
    }

    /// The same officer as a draft would have it, at a unit.
    #[must_use]
    pub fn with(&self, draft: OfficerDraft, unit: &Unit) -> Self {
        let salt = self.person.salt.clone();
        let OfficerDraft { number, name, kind, rank, id_card, phone, .. } = draft;
        Self {
            number,
            kind,
            rank,
            unit_id: unit.id,
            unit_path: unit.path.clone(),
            person: Person { name: Some(name), id_card, phone, salt },
            ..self.clone()
        }
    }

    /// What the audit log is told of a change.
    #[must_use]
    pub fn told<'a>(before: Option<&Self>, after: &Self, reason: Option<&'a str>) -> Told<'a> {
        Told { id: after.id.to_string(), before: before.map(Self::facts), after: Some(after.facts()), reason }
    }

    /// What of it can be edited.
    #[must_use]
    pub fn draft(&self) -> OfficerDraft {
        OfficerDraft {
            number: self.number.clone(),
            name: self.person.name.clone().unwrap_or_default(),
            kind: self.kind,
            rank: self.rank,
            unit_id: self.unit_id,
            id_card: self.person.id_card.clone(),
            phone: self.person.phone.clone(),
        }
    }

    /// The facts whose digests the audit log keeps: commitments in place of what is personal.
    #[must_use]
    pub fn facts(&self) -> serde_json::Value {
        serde_json::json!({
            "number": self.number, "kind": self.kind, "rank": self.rank, "unit_id": self.unit_id, "status": self.status,
            "left_on": self.left_on, "person": self.person.commitments(), "version": self.version,
        })
    }

    /// What may be done in this state.
    #[must_use]
    pub fn allows(&self, action: OfficerAction) -> bool {
        let erased = self.person.name.is_none();
        match (action, self.status) {
            (OfficerAction::Update | OfficerAction::Appoint | OfficerAction::Leave, status) => {
                status == OfficerStatus::Serving
            }
            (OfficerAction::Reveal, _) => !erased,
            (OfficerAction::Erase, status) => status == OfficerStatus::Left && !erased,
        }
    }
}

/// 民警或辅警的登记内容。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfficerDraft {
    /// 警号或辅警编号, 省内唯一。
    #[schema(min_length = 4, max_length = 20, pattern = "^[0-9A-Z]{4,20}$")]
    pub number: String,
    /// 姓名。
    #[schema(min_length = 1, max_length = 50, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    pub name: String,
    /// 身份: 民警或辅警。
    pub kind: OfficerKind,
    /// 警衔, 仅民警。
    #[serde(default)]
    pub rank: Option<PoliceRank>,
    /// 编制所在单位。
    pub unit_id: UnitId,
    /// 居民身份证号码; 显示时遮盖。
    #[serde(default)]
    #[schema(min_length = 18, max_length = 18, pattern = "^[0-9]{17}[0-9X]$")]
    pub id_card: Option<String>,
    /// 电话号码; 显示时遮盖。
    #[serde(default)]
    #[schema(min_length = 7, max_length = 20, pattern = r"^\+?[0-9][0-9-]{5,18}[0-9]$")]
    pub phone: Option<String>,
}

impl OfficerDraft {
    /// What its fields say against each other, and what a pattern cannot say.
    #[must_use]
    pub fn errors(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        if self.rank.is_some() && self.kind == OfficerKind::Auxiliary {
            let detail = text!("辅警没有警衔", "Auxiliaries have no police rank");
            errors.push(FieldError::body("/rank", Code::NotAllowedValue, detail));
        }
        if self.id_card.as_ref().is_some_and(|number| !is_id_card(number)) {
            let detail = text!("身份证号码的日期或校验码不对", "The date or the check character is wrong");
            errors.push(FieldError::body("/id_card", Code::WrongFormat, detail));
        }
        errors
    }
}

impl Validate for OfficerDraft {
    fn validate(&self) -> std::result::Result<(), ValidationErrors> {
        into_validation(self.errors())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn auxiliaries_have_no_rank_and_numbers_must_be_true() {
        let draft = OfficerDraft {
            number: "053001".into(),
            name: "王建国".into(),
            kind: OfficerKind::Auxiliary,
            rank: Some(PoliceRank::ConstableFirst),
            unit_id: Id::generate(),
            id_card: Some("110105194912310021".into()),
            phone: None,
        };
        assert_eq!(draft.errors().len(), 2);
        let police =
            OfficerDraft { kind: OfficerKind::Police, id_card: Some("11010519491231002X".into()), ..draft };
        assert!(police.errors().is_empty());
    }

    #[test]
    fn every_action_in_every_state() {
        use OfficerAction::{Appoint, Erase, Leave, Reveal, Update};
        let officer = |status, person| Officer {
            id: Id::generate(),
            number: "053001".into(),
            kind: OfficerKind::Police,
            rank: None,
            unit_id: Id::generate(),
            unit_path: "53/".into(),
            status,
            left_on: None,
            person,
            version: 1,
            created_at: Instant::from_micros(0),
            updated_at: Instant::from_micros(0),
        };
        let allowed = |officer: &Officer| -> Vec<OfficerAction> {
            OfficerAction::ALL.iter().copied().filter(|&action| officer.allows(action)).collect()
        };
        let person = Person::new("王建国", None, None).unwrap();
        assert_eq!(
            allowed(&officer(OfficerStatus::Serving, person.clone())),
            [Update, Appoint, Leave, Reveal]
        );
        assert_eq!(allowed(&officer(OfficerStatus::Left, person)), [Reveal, Erase]);
        assert!(allowed(&officer(OfficerStatus::Left, Person::erased())).is_empty());
    }
}
