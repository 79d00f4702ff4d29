//! What campaigns and plans have in common: the words, the phases.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::{Id, text_enum};
use crate::errors::{Code, FieldError, text};

/// Marks the identifier of a campaign.
#[derive(Debug)]
pub struct CampaignEntity;
/// The identifier of a campaign.
pub type CampaignId = Id<CampaignEntity>;
/// Marks the identifier of a plan.
#[derive(Debug)]
pub struct PlanEntity;
/// The identifier of a plan.
pub type PlanId = Id<PlanEntity>;
/// Marks the identifier of a task.
#[derive(Debug)]
pub struct TaskEntity;
/// The identifier of a task.
pub type TaskId = Id<TaskEntity>;

text_enum! {
    /// The state of a campaign.
    CampaignState as "campaign_state" {
        Preparing = "preparing", "筹备", "Preparing", grey;
        Launched = "launched", "已启动", "Launched", green;
    }
}

text_enum! {
    /// What can be done with a campaign.
    CampaignAction as "campaign_action" {
        Update = "update", "修改", "Update", blue;
        SetLeadingGroup = "set_leading_group", "设定领导小组", "Set the leading group", blue;
    }
}

text_enum! {
    /// How often a task is done.
    Frequency as "frequency" {
        Once = "once", "一次", "Once", grey;
        Daily = "daily", "每日", "Daily", red;
        Weekly = "weekly", "每周", "Weekly", orange;
        HalfMonthly = "half_monthly", "每半月", "Half-monthly", orange;
        Monthly = "monthly", "每月", "Monthly", blue;
        Quarterly = "quarterly", "每季度", "Quarterly", blue;
    }
}

text_enum! {
    /// Which side of a target's value is good.
    TargetDirection as "target_direction" {
        AtLeast = "at_least", "不低于", "At least", green;
        AtMost = "at_most", "不高于", "At most", orange;
    }
}

text_enum! {
    /// How far below the named unit a task's responsibility goes.
    ResponsibleExtent as "responsible_extent" {
        OnlySelf = "self", "仅本单位", "The unit alone", grey;
        Subtree = "subtree", "含下级", "The units below it", blue;
    }
}

/// 一个阶段。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Phase {
    /// 名称, 如 动员部署。
    #[schema(min_length = 1, max_length = 30, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    pub name: String,
    /// 首日。
    pub starts_on: NaiveDate,
    /// 末日, 含当日。
    pub ends_on: NaiveDate,
}

/// Phases follow each other: none ends before it starts, none starts before the one before has
/// ended.
#[must_use]
pub fn phase_errors(phases: &[Phase]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    let mut last_end: Option<NaiveDate> = None;
    for (at, phase) in phases.iter().enumerate() {
        if phase.ends_on < phase.starts_on {
            let detail = text!("阶段的末日早于首日", "The phase ends before it starts");
            errors.push(FieldError::body(format!("/phases/{at}/ends_on"), Code::OutOfOrder, detail));
        }
        if last_end.is_some_and(|end| phase.starts_on <= end) {
            let detail = text!("阶段与前一阶段重叠", "The phase overlaps the one before");
            errors.push(FieldError::body(format!("/phases/{at}/starts_on"), Code::OutOfOrder, detail));
        }
        last_end = Some(last_end.map_or(phase.ends_on, |end| end.max(phase.ends_on)));
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(from: &str, to: &str) -> Phase {
        Phase { name: "自查自纠".into(), starts_on: from.parse().unwrap(), ends_on: to.parse().unwrap() }
    }

    #[test]
    fn phases_in_order_pass_and_every_break_of_order_is_named() {
        assert!(
            phase_errors(&[phase("2026-03-01", "2026-03-31"), phase("2026-04-01", "2026-04-01")]).is_empty()
        );
        let errors = phase_errors(&[
            phase("2026-03-01", "2026-02-01"),
            phase("2026-03-31", "2026-04-30"),
            phase("2026-04-30", "2026-04-29"),
        ]);
        let places: Vec<_> = errors.iter().map(|error| format!("{:?}", error.place)).collect();
        assert_eq!(
            places,
            [
                r#"Body("/phases/0/ends_on")"#,
                r#"Body("/phases/2/ends_on")"#,
                r#"Body("/phases/2/starts_on")"#
            ]
        );
    }
}
