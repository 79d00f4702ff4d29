//! The text of the demo campaign (`data/campaign_53.json`): what a provincial department would adopt.
//!
//! All dates are those of the base year; whoever loads the demo moves them by whole weeks (see `calendar_shift`).

use chrono::NaiveDate;
use serde::Deserialize;

const CAMPAIGN_53: &str = include_str!("data/campaign_53.json");

/// A campaign as the leading group adopted it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CampaignText {
    /// The province's division code, two digits.
    pub province: String,
    /// The campaign's name.
    pub name: String,
    /// What it is for, one paragraph.
    pub theme: String,
    /// The base year all dates are of.
    pub year: i32,
    /// Who leads it, and the meeting that decided it.
    pub leading_group: LeadingGroupText,
    /// The five phases, in order, without gap or overlap.
    pub phases: Vec<PhaseText>,
    /// The categories of the task list, in the order they are read out.
    pub categories: Vec<CategoryText>,
    /// The task list.
    pub tasks: Vec<TaskText>,
}

/// The leading group of the province, by duties (职务): the demo has no real persons.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeadingGroupText {
    /// The duty of its head (组长).
    pub head: String,
    /// The duties of the deputy heads.
    pub deputy_heads: Vec<String>,
    /// The duties of the other members.
    pub members: Vec<String>,
    /// The provincial department in which the office (领导小组办公室) sits.
    pub office_host: String,
    /// The duty of the office's head.
    pub office_head: String,
    /// The meeting that adopted the plan.
    pub meeting: MeetingText,
}

impl LeadingGroupText {
    /// The duties of all who sit in the group, the head first; each of them may lead a task.
    #[cfg(test)]
    pub fn duties(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&self.head).chain(&self.deputy_heads).chain(&self.members).map(String::as_str)
    }
}

/// The citation of a meeting, as a plan needs it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeetingText {
    /// The meeting's name.
    pub name: String,
    /// The document number (文号) with `{year}` for the year; see [`MeetingText::document_number_in`].
    pub document_number: String,
    /// The day of the meeting, before the first phase.
    pub held_on: NaiveDate,
    /// What was resolved.
    pub resolution: String,
}

impl MeetingText {
    /// The document number as it reads in a year: moved by weeks, the meeting may fall in another year.
    #[must_use]
    pub fn document_number_in(&self, year: i32) -> String {
        self.document_number.replace("{year}", &year.to_string())
    }
}

/// A phase of the campaign.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhaseText {
    /// A stable key.
    pub key: String,
    /// The phase's name.
    pub name: String,
    /// The first day.
    pub starts_on: NaiveDate,
    /// The last day, still part of the phase.
    pub ends_on: NaiveDate,
    /// What is done in it.
    pub summary: String,
}

/// A category of the task list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryText {
    /// A stable key, which the tasks name.
    pub key: String,
    /// The category's name.
    pub name: String,
}

/// An item of the task list.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskText {
    /// The key of its category.
    pub category: String,
    /// The title, at most 60 characters, unique in the list.
    pub title: String,
    /// What must be done, and to what degree.
    pub content: String,
    /// The duty of the one lead leader, a member of the leading group.
    pub lead_leader: String,
    /// The responsible units, at least one.
    pub responsible: Vec<ResponsibleHint>,
    /// The last day, in one of the phases; a Monday to Friday.
    pub deadline: NaiveDate,
    /// How often it is due until the deadline.
    pub frequency: TaskFrequency,
    /// Whether each person enters it every working day (逐日清账).
    pub daily_entries: bool,
    /// The measurable target, where one makes sense.
    #[serde(default)]
    pub target: Option<TargetText>,
}

/// Which units answer for a task.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum ResponsibleHint {
    /// All units of a kind.
    Scope(ResponsibleScope),
    /// The department of the province with this name.
    Department(String),
}

/// All units of a kind in the province.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::enum_variant_names, reason = "each says that it means all of a kind")]
pub enum ResponsibleScope {
    /// Every city bureau.
    AllCities,
    /// Every county bureau and district branch.
    AllCounties,
    /// Every station.
    AllStations,
    /// Every service window, at whatever level.
    AllWindows,
    /// Every detention house.
    AllDetentionHouses,
    /// Every department of the province; not those of cities and counties.
    AllDepartments,
}

/// How often a task is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskFrequency {
    /// Once, by the deadline.
    Once,
    /// Every working day.
    Daily,
    /// Every week.
    Weekly,
    /// On days 1–15 and 16–end of each month.
    HalfMonthly,
    /// Every month.
    Monthly,
    /// Every quarter.
    Quarterly,
}

/// What a task must reach.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetText {
    /// What is measured.
    pub name: String,
    /// Whether the value is a floor or a ceiling.
    pub direction: TargetDirection,
    /// The value, a plain decimal such as `98.00`, in [`TargetText::unit`].
    pub value: String,
    /// The unit: `%`, `件`, `日`, `次` …
    pub unit: String,
}

/// Whether a target is a floor or a ceiling.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetDirection {
    /// The measured value must not be below the target.
    AtLeast,
    /// The measured value must not be above the target.
    AtMost,
}

/// The campaign of the demo.
pub fn campaign() -> Result<CampaignText, serde_json::Error> {
    serde_json::from_str(CAMPAIGN_53)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use chrono::{Datelike, Weekday};

    use super::*;

    fn is_plain_decimal(text: &str) -> bool {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        digits(whole) && digits(fraction) && (whole == "0" || !whole.starts_with('0'))
    }

    #[test]
    fn nine_categories_each_used_and_59_tasks() {
        let text = campaign().unwrap();
        let keys: BTreeSet<_> = text.categories.iter().map(|entry| &entry.key).collect();
        let names: BTreeSet<_> = text.categories.iter().map(|entry| &entry.name).collect();
        let used: BTreeSet<_> = text.tasks.iter().map(|task| &task.category).collect();
        assert_eq!((keys.len(), names.len(), text.categories.len()), (9, 9, 9));
        assert_eq!(used, keys);
        assert_eq!(text.tasks.len(), 59);
    }

    #[test]
    fn phases_follow_each_other_and_the_second_is_long_enough_to_shift() {
        let text = campaign().unwrap();
        let names: Vec<_> = text.phases.iter().map(|phase| &phase.name).collect();
        assert_eq!(names, ["动员部署", "自查自纠", "督导检查", "整改提高", "总结评议"]);
        for phase in &text.phases {
            assert!(phase.starts_on < phase.ends_on);
            assert_eq!((phase.starts_on.year(), phase.ends_on.year()), (text.year, text.year));
            assert_eq!(phase.starts_on.weekday(), Weekday::Mon);
        }
        for pair in text.phases.windows(2) {
            assert_eq!(pair[0].ends_on.succ_opt().unwrap(), pair[1].starts_on);
        }
        let second = (text.phases[1].ends_on - text.phases[1].starts_on).num_days() + 1;
        assert!((70..=84).contains(&second));
        assert!(text.leading_group.meeting.held_on < text.phases[0].starts_on);
    }

    #[test]
    fn each_task_is_complete() {
        let text = campaign().unwrap();
        let duties: BTreeSet<_> = text.leading_group.duties().collect();
        let mut titles = BTreeSet::new();
        for task in &text.tasks {
            let title = &task.title;
            assert!(titles.insert(title), "{title} twice");
            assert!((4..=60).contains(&title.chars().count()), "{title}");
            assert!((1..=2).contains(&task.content.matches('。').count()), "{title}");
            assert!(duties.contains(task.lead_leader.as_str()), "{title}");
            assert!(
                text.phases
                    .iter()
                    .any(|phase| phase.starts_on <= task.deadline && task.deadline <= phase.ends_on),
                "{title}"
            );
            assert!(!matches!(task.deadline.weekday(), Weekday::Sat | Weekday::Sun), "{title}");
            assert_eq!(task.daily_entries, task.frequency == TaskFrequency::Daily, "{title}");
            if let Some(target) = &task.target {
                assert!(is_plain_decimal(&target.value) && !target.unit.is_empty(), "{title}");
                let value: f64 = target.value.parse().unwrap();
                assert!(target.unit != "%" || value <= 100.0, "{title}");
            }
        }
        let daily = text.tasks.iter().filter(|task| task.daily_entries).count();
        assert_eq!(daily, 5);
    }

    #[test]
    fn every_phase_has_deadlines() {
        let text = campaign().unwrap();
        for phase in &text.phases {
            let due = text.tasks.iter().filter(|task| {
                (phase.starts_on..=phase.ends_on).contains(&task.deadline) && !task.daily_entries
            });
            assert!(due.count() >= 3, "{}", phase.name);
        }
    }

    #[test]
    fn responsible_units_exist() {
        let text = campaign().unwrap();
        let departments: BTreeSet<_> = include_str!("data/organs.csv")
            .lines()
            .filter_map(|line| line.strip_prefix("province,department,"))
            .collect();
        assert!(departments.contains(text.leading_group.office_host.as_str()));
        for task in &text.tasks {
            assert!(!task.responsible.is_empty(), "{}", task.title);
            for (index, hint) in task.responsible.iter().enumerate() {
                if let ResponsibleHint::Department(name) = hint {
                    assert!(departments.contains(name.as_str()), "{name}");
                }
                assert!(!task.responsible[..index].contains(hint), "{}", task.title);
            }
        }
    }

    #[test]
    fn no_target_measures_what_may_not_be_an_indicator() {
        for task in campaign().unwrap().tasks {
            let name = task.target.map(|target| target.name).unwrap_or_default();
            for word in ["罚款", "罚没", "拘留", "破案", "立案数", "打击"] {
                assert!(!name.contains(word), "{name}");
            }
        }
    }

    #[test]
    fn the_document_number_names_the_year_of_the_shifted_meeting() {
        let meeting = campaign().unwrap().leading_group.meeting;
        assert_eq!(meeting.document_number_in(2026), "云公评〔2026〕1号");
    }

    #[test]
    fn no_text_names_a_year() {
        let text = campaign().unwrap();
        assert!(text.tasks.iter().all(|task| !task.content.contains("202") && !task.title.contains("202")));
        assert!(!text.theme.contains("202"));
    }

    #[test]
    fn unknown_fields_are_refused() {
        let misspelt = CAMPAIGN_53.replace("\"lead_leader\"", "\"leader\"");
        assert!(serde_json::from_str::<CampaignText>(&misspelt).is_err());
    }
}
