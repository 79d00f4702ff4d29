//! What a checklist is, and what can be done with one.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

use super::items::{self, Item};
use crate::access::UserId;
use crate::db::{Id, Instant, text_enum};
use crate::errors::{AppError, Code, FieldError, Result, into_validation, refuse_repeated};
use crate::org::rules::{UnitId, UnitKind};

/// Marks the identifier of a checklist.
#[derive(Debug)]
pub struct ChecklistEntity;
/// The identifier of a checklist.
pub type ChecklistId = Id<ChecklistEntity>;
/// Marks the identifier of a published version of a checklist.
#[derive(Debug)]
pub struct ChecklistVersionEntity;
/// The identifier of a published version of a checklist.
pub type ChecklistVersionId = Id<ChecklistVersionEntity>;

text_enum! {
    /// The state of a checklist.
    ChecklistState as "checklist_state" {
        Draft = "draft", "草稿", "Draft", grey;
        Published = "published", "已发布", "Published", green;
        Retired = "retired", "已停用", "Retired", grey;
    }
}

text_enum! {
    /// What can be done with a checklist.
    ChecklistAction as "checklist_action" {
        Update = "update", "修改", "Update", blue;
        Publish = "publish", "发布", "Publish", green;
        Retire = "retire", "停用", "Retire", orange;
    }
}

/// 清单的内容。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChecklistContent {
    /// 名称。
    #[schema(min_length = 1, max_length = 60, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    pub title: String,
    /// 用于哪几种单位; 空则不限。
    #[serde(default)]
    #[schema(max_items = 7)]
    pub kinds: Vec<UnitKind>,
    /// 检查项, 按次序。
    #[schema(min_items = 1, max_items = 200)]
    pub items: Vec<Item>,
}

impl ChecklistContent {
    /// What is wrong with it beyond its schema.
    #[must_use]
    pub fn errors(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        refuse_repeated(&self.kinds, "/kinds", &mut errors);
        items::judge(&self.items, &mut errors);
        errors
    }
}

impl Validate for ChecklistContent {
    fn validate(&self) -> std::result::Result<(), ValidationErrors> {
        into_validation(self.errors())
    }
}

/// A checklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checklist {
    /// Its identifier.
    pub id: ChecklistId,
    /// The bureau whose it is.
    pub unit_id: UnitId,
    /// That bureau's path today.
    pub unit_path: String,
    /// The branch of the bureau that keeps it.
    pub department_id: Option<UnitId>,
    /// Its state.
    pub state: ChecklistState,
    /// How many versions have been published.
    pub number: i32,
    /// As last published; before that as it is being written.
    pub content: ChecklistContent,
    /// The next version while it is being written; none when nothing differs from what is published.
    pub draft: Option<ChecklistContent>,
    /// Counts up with each change.
    pub version: i64,
    /// When it was begun.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

impl Checklist {
    /// What is being written, or would be changed by whoever writes.
    #[must_use]
    pub fn in_hand(&self) -> &ChecklistContent {
        self.draft.as_ref().unwrap_or(&self.content)
    }

    /// Whether an inspection begun at this moment may be made with it: what is told late is judged by when it was. Nothing changes
    /// in a checklist after it is retired.
    #[must_use]
    pub fn was_in_use(&self, at: Instant) -> bool {
        match self.state {
            ChecklistState::Draft => false,
            ChecklistState::Published => true,
            // One retired before it was published has no version to inspect by.
            ChecklistState::Retired => at < self.updated_at,
        }
    }

    /// Whether something is there that has not been published.
    #[must_use]
    pub fn has_draft(&self) -> bool {
        self.number == 0 || self.draft.is_some()
    }

    /// What its state allows.
    #[must_use]
    pub fn allows(&self, action: ChecklistAction) -> bool {
        self.judge(action).is_ok()
    }

    fn judge(&self, action: ChecklistAction) -> Result<()> {
        if self.state == ChecklistState::Retired {
            return Err(AppError::new(Code::ChecklistRetired));
        }
        if action == ChecklistAction::Publish && !self.has_draft() {
            return Err(AppError::new(Code::ChecklistUnchanged));
        }
        Ok(())
    }

    /// With other content: before the first publication in place of it, after that beside what is published.
    ///
    /// # Errors
    /// `checklist_retired`.
    pub fn with(&self, content: ChecklistContent) -> Result<Self> {
        self.judge(ChecklistAction::Update)?;
        let mut after = self.clone();
        if self.number == 0 {
            after.content = content;
        } else {
            after.draft = (content != self.content).then_some(content);
        }
        Ok(after)
    }

    /// Published: what was being written is the next version.
    ///
    /// # Errors
    /// `checklist_retired`, `checklist_unchanged`.
    pub fn publish(&self) -> Result<Self> {
        self.judge(ChecklistAction::Publish)?;
        let content = self.in_hand().clone();
        let number = self.number + 1;
        Ok(Self { state: ChecklistState::Published, number, content, draft: None, ..self.clone() })
    }

    /// Retired: no inspection is made with it any more. What was being written goes.
    ///
    /// # Errors
    /// `checklist_retired`.
    pub fn retire(&self) -> Result<Self> {
        self.judge(ChecklistAction::Retire)?;
        Ok(Self { state: ChecklistState::Retired, draft: None, ..self.clone() })
    }
}

/// A published version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChecklistVersion {
    /// Its identifier.
    pub id: ChecklistVersionId,
    /// Of which checklist.
    pub checklist_id: ChecklistId,
    /// The how manieth, from 1.
    pub number: i32,
    /// What it says.
    pub content: ChecklistContent,
    /// Who published it.
    pub published_by: UserId,
    /// When.
    pub published_at: Instant,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspections::checklists::templates::ChecklistTemplate;

    fn checklist(state: ChecklistState, number: i32, draft: bool) -> Checklist {
        let content = ChecklistTemplate::IncidentHandling.content().unwrap();
        let other = ChecklistContent { title: "另一版".into(), ..content.clone() };
        Checklist {
            id: ChecklistId::generate(),
            unit_id: UnitId::generate(),
            unit_path: "53/".into(),
            department_id: None,
            state,
            number,
            content,
            draft: draft.then_some(other),
            version: 1,
            created_at: Instant::from_micros(0),
            updated_at: Instant::from_micros(0),
        }
    }

    /// Where an event leads: state, versions, whether a next one is being written; or why nowhere.
    type Outcome = std::result::Result<(ChecklistState, i32, bool), Code>;

    #[test]
    fn every_state_and_event_leads_where_the_table_says() {
        use ChecklistState::{Draft, Published, Retired};
        // State, versions, whether a next one is written; update, publish, retire: where to, or why not.
        let table: [(ChecklistState, i32, bool, [Outcome; 3]); 5] = [
            (Draft, 0, false, [Ok((Draft, 0, false)), Ok((Published, 1, false)), Ok((Retired, 0, false))]),
            (
                Published,
                1,
                false,
                [Ok((Published, 1, true)), Err(Code::ChecklistUnchanged), Ok((Retired, 1, false))],
            ),
            (
                Published,
                1,
                true,
                [Ok((Published, 1, true)), Ok((Published, 2, false)), Ok((Retired, 1, false))],
            ),
            (Retired, 0, false, [Err(Code::ChecklistRetired); 3]),
            (Retired, 3, false, [Err(Code::ChecklistRetired); 3]),
        ];
        for (state, number, draft, wanted) in table {
            let before = checklist(state, number, draft);
            let changed = ChecklistContent { title: "新版".into(), ..before.content.clone() };
            let results = [before.with(changed), before.publish(), before.retire()];
            for ((result, wanted), action) in results.into_iter().zip(wanted).zip(ChecklistAction::ALL) {
                let found = result.map(|after| (after.state, after.number, after.draft.is_some()));
                assert_eq!(
                    found.as_ref().map_err(AppError::code),
                    wanted.as_ref().map_err(|code| *code),
                    "{state} {action}"
                );
                assert_eq!(before.allows(*action), wanted.is_ok());
            }
        }
    }

    #[test]
    fn what_is_published_stays_until_the_next_is() {
        let before = checklist(ChecklistState::Published, 1, false);
        let next = ChecklistContent { title: "新版".into(), ..before.content.clone() };
        let written = before.with(next.clone()).unwrap();
        assert_eq!((&written.content, written.in_hand()), (&before.content, &next));
        // Written back to what is published: nothing is left to publish.
        assert!(!written.with(before.content.clone()).unwrap().has_draft());
        assert_eq!(written.publish().unwrap().content, next);
    }
}
