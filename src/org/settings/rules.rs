//! What a province may set, with units, bounds and defaults (domain.md §7).
//!
//! The bounds stand in the schema. What protects people who speak up can only be made stricter:
//! cells of published statistics not smaller, receipts not shorter, rechecks not fewer, and a quorum
//! is always more than half.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::db::text_enum;

/// 一省的参数。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// 公布统计的最小单元格 k: 不足 k 件的不公布, 相关单元格一并隐去 (件)。缺省 10, 只可调高。
    // domain.md §5.6: published only in cells of at least 10, with complementary suppression.
    #[schema(minimum = 10, maximum = 1000)]
    pub suppression_k: i32,
    /// 已销号问题的回头看抽查比例, 至少 (%)。缺省 5, 不得更低。
    // domain.md §5.3: at least 5 % of closed findings are drawn for recheck.
    #[schema(minimum = 5, maximum = 100)]
    pub recheck_percent: i32,
    /// 督察回避期: 在被查单位任职未满此期的不得参加互查 (月)。缺省 36。
    // domain.md §5.2: no inspector who served there in the last 36 months.
    #[schema(minimum = 12, maximum = 120)]
    pub cooling_off_months: i32,
    /// 整改时限至多延期的次数 (次)。缺省 2; 0 为不得延期。
    // domain.md §5.3: extended at most twice, before they pass.
    #[schema(minimum = 0, maximum = 5)]
    pub extensions_max: i32,
    /// 对检查结果与评分提出异议的时限 (工作日)。缺省 3。
    // domain.md §5.2 and §5.5: objection within 3 working days.
    #[schema(minimum = 1, maximum = 30)]
    pub objection_working_days: i32,
    /// 群众来件至多转办的次数, 之后由领导小组办公室指定承办 (次)。缺省 1。
    // domain.md §5.6: transferred at most once, then the office decides.
    #[schema(minimum = 0, maximum = 3)]
    pub transfers_max: i32,
    /// 评议平均分是否去掉最高分与最低分。缺省否。
    // domain.md §5.5: appraisal average, optionally trimmed.
    pub trimmed_mean: bool,
    /// 会议表决的法定人数: 参加表决的须多于成员的此比例, 恰等于此比例的不算 (%)。缺省 50, 即过半数。
    // domain.md §5.1: cast > half of the members.
    #[schema(minimum = 50, maximum = 99)]
    pub quorum_above_percent: i32,
    /// 每个派出所每年用于报表、检查、会议、抽调的时间上限 (分钟)。缺省 12000。
    // domain.md §5.8: a new form is refused if the station budget is exceeded.
    #[schema(minimum = 0, maximum = 120_000)]
    pub station_budget_minutes: i32,
    /// 群众查询码的随机位数 (位)。缺省 80, 不得更短; 只影响此后发出的。
    // domain.md §5.6: a receipt code of at least 80 bits, stored only as a hash.
    #[schema(minimum = 80, maximum = 256)]
    pub receipt_bits: i32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            suppression_k: 10,
            recheck_percent: 5,
            cooling_off_months: 36,
            extensions_max: 2,
            objection_working_days: 3,
            transfers_max: 1,
            trimmed_mean: false,
            quorum_above_percent: 50,
            station_budget_minutes: 12_000,
            receipt_bits: 80,
        }
    }
}

/// 修改参数。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct SettingsDraft {
    /// 修改的理由, 必填, 记入历史与审计。
    #[schema(min_length = 1, max_length = 500, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    pub reason: String,
    /// 参数。
    pub values: Settings,
}

text_enum! {
    /// One of the settings, by name.
    Setting as "setting" {
        SuppressionK = "suppression_k", "统计最小单元格", "Smallest published cell", blue;
        RecheckPercent = "recheck_percent", "回头看抽查比例", "Share of closed findings rechecked", orange;
        CoolingOffMonths = "cooling_off_months", "督察回避期", "Cooling-off of inspectors", orange;
        ExtensionsMax = "extensions_max", "整改延期次数", "Extensions of a deadline", orange;
        ObjectionWorkingDays = "objection_working_days", "异议时限", "Time to object", orange;
        TransfersMax = "transfers_max", "来件转办次数", "Transfers of a case", orange;
        TrimmedMean = "trimmed_mean", "去掉最高最低分", "Trimmed mean", grey;
        QuorumAbovePercent = "quorum_above_percent", "法定人数比例", "Quorum", red;
        StationBudgetMinutes = "station_budget_minutes", "派出所负担上限", "Station's budget of minutes", green;
        ReceiptBits = "receipt_bits", "查询码位数", "Bits of a receipt", blue;
    }
}

impl Settings {
    /// The value of one of them, in words.
    #[must_use]
    pub fn value(&self, setting: Setting) -> String {
        match setting {
            Setting::SuppressionK => self.suppression_k.to_string(),
            Setting::RecheckPercent => self.recheck_percent.to_string(),
            Setting::CoolingOffMonths => self.cooling_off_months.to_string(),
            Setting::ExtensionsMax => self.extensions_max.to_string(),
            Setting::ObjectionWorkingDays => self.objection_working_days.to_string(),
            Setting::TransfersMax => self.transfers_max.to_string(),
            Setting::TrimmedMean => self.trimmed_mean.to_string(),
            Setting::QuorumAbovePercent => self.quorum_above_percent.to_string(),
            Setting::StationBudgetMinutes => self.station_budget_minutes.to_string(),
            Setting::ReceiptBits => self.receipt_bits.to_string(),
        }
    }
}

/// One setting that has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which.
    pub setting: Setting,
    /// Its value before, in words.
    pub before: String,
    /// Its value after.
    pub after: String,
}

/// What has changed from one to the other, in the order of the settings.
#[must_use]
pub fn differences(before: &Settings, after: &Settings) -> Vec<Difference> {
    let both = Setting::ALL.iter().map(|&setting| Difference {
        setting,
        before: before.value(setting),
        after: after.value(setting),
    });
    both.filter(|one| one.before != one.after).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_a_name_and_the_name_is_the_field() {
        let fields = serde_json::to_value(Settings::default()).unwrap();
        let fields: Vec<&str> = fields.as_object().unwrap().keys().map(String::as_str).collect();
        let names: Vec<&str> = Setting::ALL.iter().map(|setting| setting.as_str()).collect();
        assert_eq!(fields, names);
        for &setting in Setting::ALL {
            let told = serde_json::to_value(Settings::default()).unwrap()[setting.as_str()].to_string();
            assert_eq!(told, Settings::default().value(setting));
        }
    }

    #[test]
    fn the_defaults_are_those_on_record() {
        let told: Vec<String> =
            Setting::ALL.iter().map(|&setting| Settings::default().value(setting)).collect();
        assert_eq!(told, ["10", "5", "36", "2", "3", "1", "false", "50", "12000", "80"]);
    }

    #[test]
    fn differences_name_what_changed_and_nothing_else() {
        let before = Settings::default();
        assert!(differences(&before, &before).is_empty());
        let after = Settings { recheck_percent: 10, trimmed_mean: true, ..before.clone() };
        let told: Vec<_> = differences(&before, &after)
            .into_iter()
            .map(|one| (one.setting.as_str(), one.before, one.after))
            .collect();
        assert_eq!(
            told,
            [
                ("recheck_percent", "5".into(), "10".into()),
                ("trimmed_mean", "false".into(), "true".to_owned())
            ]
        );
    }
}
