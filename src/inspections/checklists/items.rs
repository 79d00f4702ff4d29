//! What an item of a checklist asks, and what is wrong with one.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::text_enum;
use crate::errors::{Code, FieldError, Text, text};

text_enum! {
    /// How an item is answered.
    AnswerType as "answer_type" {
        YesNo = "yes_no", "是否", "Yes or no", blue;
        Number = "number", "数值", "A number", blue;
        Choice = "choice", "选项", "One of several", blue;
        Text = "text", "文字", "Text", grey;
    }
}

text_enum! {
    /// When an answer needs evidence.
    EvidenceRule as "evidence_rule" {
        Never = "never", "不需", "Never", grey;
        IfDeducted = "if_deducted", "扣分时须附", "When points are deducted", orange;
        Always = "always", "一律须附", "Always", red;
    }
}

/// 一个选项。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Choice {
    /// 值, 在本项内唯一。
    #[schema(min_length = 1, max_length = 20, pattern = "^[a-z][a-z0-9_]*$")]
    pub value: String,
    /// 文字。
    #[schema(min_length = 1, max_length = 60, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    pub label: String,
    /// 选此项扣的分, 0 至 100, 至多两位小数。
    #[schema(max_length = 6, pattern = r"^(100(\.0{1,2})?|(0|[1-9][0-9]?)(\.[0-9]{1,2})?)$")]
    pub deduction: String,
}

/// 一个检查项。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// 项号, 在清单内唯一, 各版沿用: 同一项在各版之间以此相认。
    #[schema(min_length = 1, max_length = 16, pattern = "^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$")]
    pub code: String,
    /// 类别, 如 接处警。
    #[schema(min_length = 1, max_length = 30, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    pub category: String,
    /// 检查内容: 看什么、问什么。
    #[schema(min_length = 1, max_length = 200)]
    pub question: String,
    /// 标准: 应当做到什么、做到什么程度。
    #[schema(min_length = 1, max_length = 1000)]
    pub standard: String,
    /// 答案类型。
    pub answer_type: AnswerType,
    /// 是否题的应答; 与此相反即扣分。只用于 `yes_no`, 不写为 true。
    #[serde(default)]
    pub expected: Option<bool>,
    /// 数值的计量单位, 如 分钟。只用于 `number`。
    #[serde(default)]
    #[schema(min_length = 1, max_length = 10)]
    pub measure: Option<String>,
    /// 不低于; 低于即扣分。只用于 `number`, 至多三位小数。
    #[serde(default)]
    #[schema(max_length = 14, pattern = r"^-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,3})?$")]
    pub at_least: Option<String>,
    /// 不高于; 高于即扣分。只用于 `number`, 至多三位小数。
    #[serde(default)]
    #[schema(max_length = 14, pattern = r"^-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,3})?$")]
    pub at_most: Option<String>,
    /// 选项, 二至十个, 各有各的扣分。只用于 `choice`。
    #[serde(default)]
    #[schema(max_items = 10)]
    pub choices: Vec<Choice>,
    /// 不合标准时扣的分, 0 至 100, 至多两位小数。`choice` 由选项定, `text` 不扣, 两者写 0。
    #[schema(max_length = 6, pattern = r"^(100(\.0{1,2})?|(0|[1-9][0-9]?)(\.[0-9]{1,2})?)$")]
    pub deduction: String,
    /// 是否必答。
    pub mandatory: bool,
    /// 何时须附证据。
    pub evidence: EvidenceRule,
    /// 关注权重, 1 至 10: 数越大越是当前整治的重点。
    #[schema(minimum = 1, maximum = 10)]
    pub focus_weight: i32,
}

/// A decimal with so many places at most, as a whole number of its smallest unit.
fn scaled(text: &str, places: u32) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() {
        return None;
    }
    let missing = usize::try_from(places).ok()?.checked_sub(fraction.len())?;
    let number: i64 = format!("{whole}{fraction}{}", "0".repeat(missing)).parse().ok()?;
    Some(sign * number)
}

/// Points, in hundredths; none when the text is no number of points.
#[must_use]
pub fn hundredths(points: &str) -> Option<i64> {
    scaled(points, 2).filter(|points| (0..=10_000).contains(points))
}

/// A number that is measured, in thousandths; none when the text is no such number.
#[must_use]
pub fn thousandths(number: &str) -> Option<i64> {
    scaled(number, 3)
}

/// Collects what is wrong with the item at a place.
struct Judge<'e> {
    at: usize,
    errors: &'e mut Vec<FieldError>,
}

impl Judge<'_> {
    fn tell(&mut self, field: &str, code: Code, detail: Text) {
        self.errors.push(FieldError::body(format!("/items/{}/{field}", self.at), code, detail));
    }

    /// Tells of what is written though it has no meaning for the type.
    fn refuse_unless(&mut self, fits: bool, field: &str, written: bool, kind: AnswerType) {
        if written && !fits {
            let (zh, en) = (kind.zh(), kind.as_str());
            let detail = text!("{zh}题没有这一项", "It has no meaning for the answer type {en}");
            self.tell(field, Code::NotAllowedValue, detail);
        }
    }
}

/// What is wrong with the items of a checklist, each with the place of the field.
pub fn judge(items: &[Item], errors: &mut Vec<FieldError>) {
    for (at, item) in items.iter().enumerate() {
        let mut judge = Judge { at, errors };
        if items.iter().take(at).any(|other| other.code == item.code) {
            judge.tell("code", Code::NotUnique, text!("项号重复", "An item above has this code"));
        }
        judge_item(item, &mut judge);
    }
}

fn judge_item(item: &Item, judge: &mut Judge<'_>) {
    let kind = item.answer_type;
    judge.refuse_unless(kind == AnswerType::YesNo, "expected", item.expected.is_some(), kind);
    let is_number = kind == AnswerType::Number;
    judge.refuse_unless(is_number, "measure", item.measure.is_some(), kind);
    judge.refuse_unless(is_number, "at_least", item.at_least.is_some(), kind);
    judge.refuse_unless(is_number, "at_most", item.at_most.is_some(), kind);
    judge.refuse_unless(kind == AnswerType::Choice, "choices", !item.choices.is_empty(), kind);
    let deduction = hundredths(&item.deduction).unwrap_or_default();
    if deduction > 0 && matches!(kind, AnswerType::Choice | AnswerType::Text) {
        let detail = text!(
            "选项题的扣分写在选项里, 文字题不扣分: 此处须为 0",
            "The choices say it, and text deducts nothing: it must be 0"
        );
        judge.tell("deduction", Code::NotAllowedValue, detail);
    }
    if kind == AnswerType::Text && item.evidence == EvidenceRule::IfDeducted {
        let detail =
            text!("文字题不扣分, 不会须附证据", "Text deducts nothing: evidence would never be asked for");
        judge.tell("evidence", Code::NotAllowedValue, detail);
    }
    match kind {
        AnswerType::Number => judge_number(item, deduction, judge),
        AnswerType::Choice => judge_choices(&item.choices, judge),
        AnswerType::YesNo | AnswerType::Text => {}
    }
}

fn judge_number(item: &Item, deduction: i64, judge: &mut Judge<'_>) {
    let low = item.at_least.as_deref().and_then(thousandths);
    let high = item.at_most.as_deref().and_then(thousandths);
    if let (Some(low), Some(high)) = (low, high)
        && high < low
    {
        judge.tell("at_most", Code::OutOfOrder, text!("上限低于下限", "The upper bound is below the lower"));
    }
    if deduction > 0 && low.is_none() && high.is_none() {
        let detail = text!("有扣分须有下限或上限", "What deducts points needs a bound");
        judge.tell("deduction", Code::NotAllowedValue, detail);
    }
}

fn judge_choices(choices: &[Choice], judge: &mut Judge<'_>) {
    if choices.len() < 2 {
        judge.tell("choices", Code::TooFew, text!("至少两个选项", "At least two choices"));
    }
    for (at, choice) in choices.iter().enumerate() {
        if choices.iter().take(at).any(|other| other.value == choice.value) {
            let detail = text!("选项的值重复", "A choice above has this value");
            judge.tell(&format!("choices/{at}/value"), Code::NotUnique, detail);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(kind: AnswerType) -> Item {
        Item {
            code: "A1".into(),
            category: "接处警".into(),
            question: "是否携带执法记录仪?".into(),
            standard: "出警全程携带并开启。".into(),
            answer_type: kind,
            expected: None,
            measure: None,
            at_least: None,
            at_most: None,
            choices: Vec::new(),
            deduction: "0".into(),
            mandatory: true,
            evidence: EvidenceRule::Never,
            focus_weight: 1,
        }
    }

    fn choice(value: &str, deduction: &str) -> Choice {
        Choice { value: value.into(), label: "好".into(), deduction: deduction.into() }
    }

    fn told(items: &[Item]) -> Vec<String> {
        let mut errors = Vec::new();
        judge(items, &mut errors);
        let told = errors.iter().map(|error| match &error.place {
            crate::errors::Place::Body(pointer) => format!("{pointer} {}", error.code.name()),
            other => panic!("{other:?}"),
        });
        told.collect()
    }

    #[test]
    fn each_type_has_its_own_fields_and_no_others() {
        use AnswerType::{Choice as OfMany, Number, Text, YesNo};
        let choices = vec![choice("good", "0"), choice("bad", "2.5")];
        let good = [
            Item { expected: Some(false), deduction: "2".into(), ..item(YesNo) },
            Item {
                code: "A2".into(),
                at_most: Some("5".into()),
                measure: Some("分钟".into()),
                deduction: "0.5".into(),
                ..item(Number)
            },
            Item { code: "A3".into(), choices: choices.clone(), ..item(OfMany) },
            Item { code: "A4".into(), evidence: EvidenceRule::Always, ..item(Text) },
        ];
        assert_eq!(told(&good), Vec::<String>::new());
        let everything = |kind| Item {
            expected: Some(true),
            measure: Some("分钟".into()),
            at_least: Some("1".into()),
            at_most: Some("2".into()),
            choices: choices.clone(),
            ..item(kind)
        };
        for (kind, fields) in [
            (YesNo, vec!["measure", "at_least", "at_most", "choices"]),
            (Number, vec!["expected", "choices"]),
            (OfMany, vec!["expected", "measure", "at_least", "at_most"]),
            (Text, vec!["expected", "measure", "at_least", "at_most", "choices"]),
        ] {
            let wanted: Vec<String> =
                fields.iter().map(|field| format!("/items/0/{field} not_allowed_value")).collect();
            assert_eq!(told(&[everything(kind)]), wanted, "{kind}");
        }
    }

    #[test]
    fn points_that_could_never_be_deducted_are_told() {
        let of = |kind, change: fn(&mut Item)| {
            let mut one = item(kind);
            change(&mut one);
            told(&[one])
        };
        assert_eq!(
            of(AnswerType::Text, |one| one.deduction = "1".into()),
            ["/items/0/deduction not_allowed_value"]
        );
        assert_eq!(
            of(AnswerType::Text, |one| one.evidence = EvidenceRule::IfDeducted),
            ["/items/0/evidence not_allowed_value"]
        );
        assert_eq!(
            of(AnswerType::Number, |one| one.deduction = "1".into()),
            ["/items/0/deduction not_allowed_value"]
        );
        let bounds = |one: &mut Item| {
            one.at_least = Some("-1.5".into());
            one.at_most = Some("-1.501".into());
        };
        assert_eq!(of(AnswerType::Number, bounds), ["/items/0/at_most out_of_order"]);
        assert_eq!(
            of(AnswerType::Choice, |one| one.choices = vec![choice("a", "1")]),
            ["/items/0/choices too_few"]
        );
        let twice = |one: &mut Item| one.choices = vec![choice("a", "1"), choice("a", "100")];
        assert_eq!(of(AnswerType::Choice, twice), ["/items/0/choices/1/value not_unique"]);
        assert_eq!(told(&[item(AnswerType::Text), item(AnswerType::YesNo)]), ["/items/1/code not_unique"]);
    }

    #[test]
    fn decimals_are_exact() {
        for (text, wanted) in [
            ("0", Some(0)),
            ("2.5", Some(250)),
            ("0.01", Some(1)),
            ("100", Some(10_000)),
            ("100.00", Some(10_000)),
            ("100.01", None),
            ("-1", None),
            ("1.234", None),
            ("", None),
        ] {
            assert_eq!(hundredths(text), wanted, "{text}");
        }
        assert_eq!((thousandths("-0.5"), thousandths("999999999.999")), (Some(-500), Some(999_999_999_999)));
    }
}
