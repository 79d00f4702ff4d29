//! A row of a table of officers, and what is wrong with it by itself.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

use crate::errors::{Code, Place, text};
use crate::imports::{Line, Refusals};
use crate::org::officers::rules::{OfficerDraft, OfficerKind, PoliceRank};
use crate::org::posts::rules::{PostDraft, PostKind, may_hold_post};
use crate::org::rules::UnitId;

/// 民警辅警导入的一行。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfficerRow {
    /// 警号。警号或辅警编号, 省内唯一, 各行以此为准。
    #[schema(min_length = 4, max_length = 20, pattern = "^[0-9A-Z]{4,20}$")]
    pub number: String,
    /// 姓名。
    #[schema(min_length = 1, max_length = 50, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    pub name: String,
    /// 身份。民警或辅警。
    pub kind: OfficerKind,
    /// 警衔。仅民警。
    #[serde(default)]
    pub rank: Option<PoliceRank>,
    /// 单位代码。编制所在单位的官方代码。
    #[schema(min_length = 1, max_length = 32, pattern = "^[0-9A-Z]+(-[0-9A-Z]+)*$")]
    pub unit_code: String,
    /// 身份证号。居民身份证号码。
    #[serde(default)]
    #[schema(min_length = 18, max_length = 18, pattern = "^[0-9]{17}[0-9X]$")]
    pub id_card: Option<String>,
    /// 电话。电话号码。
    #[serde(default)]
    #[schema(min_length = 7, max_length = 20, pattern = r"^\+?[0-9][0-9-]{5,18}[0-9]$")]
    pub phone: Option<String>,
    /// 职位。职位种类, 只在新增时录入, 与职务、任职日期同写同不写。
    #[serde(default)]
    pub post_kind: Option<PostKind>,
    /// 职务。职务名称, 如 党委书记、局长。
    #[serde(default)]
    #[schema(min_length = 1, max_length = 60, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    pub post_title: Option<String>,
    /// 任职日期。任该职的首日。
    #[serde(default)]
    pub post_from_on: Option<NaiveDate>,
}

impl Validate for OfficerRow {
    fn validate(&self) -> Result<(), ValidationErrors> {
        Ok(())
    }
}

impl OfficerRow {
    /// The officer, at this unit.
    #[must_use]
    pub fn draft(&self, unit_id: UnitId) -> OfficerDraft {
        OfficerDraft {
            number: self.number.clone(),
            name: self.name.clone(),
            kind: self.kind,
            rank: self.rank,
            unit_id,
            id_card: self.id_card.clone(),
            phone: self.phone.clone(),
        }
    }

    /// What the row makes of an officer who is there: of what its file has no column for, nothing.
    #[must_use]
    pub fn draft_over(line: &Line<Self>, before: OfficerDraft, unit_id: UnitId) -> OfficerDraft {
        let row = line.row.draft(unit_id);
        let given = |column| line.gives(column);
        OfficerDraft {
            rank: if given("rank") { row.rank } else { before.rank },
            id_card: if given("id_card") { row.id_card } else { before.id_card },
            phone: if given("phone") { row.phone } else { before.phone },
            ..row
        }
    }

    /// The post, at this unit; none when the row names none.
    #[must_use]
    pub fn post(&self, unit_id: UnitId) -> Option<PostDraft> {
        Some(PostDraft {
            unit_id,
            kind: self.post_kind?,
            title: self.post_title.clone()?,
            valid_from_on: self.post_from_on?,
            valid_until_on: None,
            voided: false,
            reason: None,
        })
    }
}

/// Tells what is wrong with a draft by itself; whether anything was.
pub fn refuse_draft(number: u32, draft: &OfficerDraft, refusals: &mut Refusals) -> bool {
    let errors = draft.errors();
    for error in &errors {
        if let Place::Body(pointer) = &error.place {
            refusals.tell(number, pointer.trim_start_matches('/'), error.code, error.detail.clone());
        }
    }
    !errors.is_empty()
}

/// What is wrong with a row by itself.
pub fn check(line: &Line<OfficerRow>, refusals: &mut Refusals) {
    let row = &line.row;
    // Which unit it is does not matter here.
    refuse_draft(line.number, &row.draft(UnitId::from_uuid(uuid::Uuid::nil())), refusals);
    let given = [row.post_kind.is_some(), row.post_title.is_some(), row.post_from_on.is_some()];
    for (column, there) in ["post_kind", "post_title", "post_from_on"].iter().zip(given) {
        if !there && given.contains(&true) {
            let detail =
                text!("职位、职务、任职日期须同写同不写", "Kind, title and first day of a post go together");
            refusals.tell(line.number, column, Code::Required, detail);
        }
    }
    if row.post_kind.is_some_and(|post| !may_hold_post(row.kind, post)) {
        let detail = text!("辅警不能任领导职务", "Auxiliaries hold no post that leads");
        refusals.tell(line.number, "post_kind", Code::AuxiliaryCannotLead, detail);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imports::Given;

    #[test]
    fn a_row_is_wrong_by_itself_in_each_of_these_ways() {
        let row = OfficerRow {
            number: "F000001".into(),
            name: "和志远".into(),
            kind: OfficerKind::Auxiliary,
            rank: Some(PoliceRank::ConstableFirst),
            unit_code: "530102".into(),
            id_card: Some("110105194912310021".into()),
            phone: None,
            post_kind: Some(PostKind::Head),
            post_title: None,
            post_from_on: None,
        };
        let told = |row: OfficerRow| {
            let mut refusals = Refusals::default();
            check(&Line { number: 2, row, given: Given::ALL }, &mut refusals);
            let mut told: Vec<String> = refusals
                .listed()
                .iter()
                .map(|error| match &error.place {
                    Place::Row(_, column) => format!("{column} {}", error.code.name()),
                    other => panic!("{other:?}"),
                })
                .collect();
            told.sort_unstable();
            told
        };
        let wanted = [
            "id_card wrong_format",
            "post_from_on required",
            "post_kind auxiliary_cannot_lead",
            "post_title required",
            "rank not_allowed_value",
        ];
        assert_eq!(told(row.clone()), wanted);
        let good = OfficerRow { rank: None, id_card: None, post_kind: None, ..row };
        assert!(told(good).is_empty());
    }
}
