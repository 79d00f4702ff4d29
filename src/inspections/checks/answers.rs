//! What the answers to a checklist come to.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::errors::{Code, FieldError, Text, text};
use crate::inspections::attachments::rules::AttachmentId;
use crate::inspections::checklists::items::{AnswerType, EvidenceRule, Item, hundredths, thousandths};

/// 一项答案: 按该项的答案类型, 四者填一; 不适用的写明理由。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// 项号。
    #[schema(min_length = 1, max_length = 16, pattern = "^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$")]
    pub item: String,
    /// 是否; 用于 `yes_no`。
    #[serde(default)]
    pub yes: Option<bool>,
    /// 数值; 用于 `number`, 至多三位小数。
    #[serde(default)]
    #[schema(max_length = 14, pattern = r"^-?(0|[1-9][0-9]{0,8})(\.[0-9]{1,3})?$")]
    pub number: Option<String>,
    /// 所选的值; 用于 `choice`。
    #[serde(default)]
    #[schema(min_length = 1, max_length = 20, pattern = "^[a-z][a-z0-9_]*$")]
    pub choice: Option<String>,
    /// 文字; 用于 `text`。
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000)]
    pub text: Option<String>,
    /// 不适用; 须在 `note` 写明理由, 不扣分。
    #[serde(default)]
    pub not_applicable: bool,
    /// 说明: 看到了什么。
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    pub note: Option<String>,
    /// 此项的证据: 已上传、尚未使用的附件。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 20)]
    pub attachment_ids: Vec<AttachmentId>,
}

/// What an answer deducts, in hundredths of a point.
fn deducted(item: &Item, answer: &Answer) -> i64 {
    let points = || hundredths(&item.deduction).unwrap_or_default();
    match item.answer_type {
        AnswerType::YesNo if answer.yes == Some(!item.expected.unwrap_or(true)) => points(),
        AnswerType::Number => {
            let number = answer.number.as_deref().and_then(thousandths);
            let against = |bound: &Option<String>| {
                number.zip(bound.as_deref().and_then(thousandths)).map(|(number, bound)| number.cmp(&bound))
            };
            let low = against(&item.at_least) == Some(Ordering::Less);
            let high = against(&item.at_most) == Some(Ordering::Greater);
            if low || high { points() } else { 0 }
        }
        AnswerType::Choice => {
            let chosen = item.choices.iter().find(|choice| answer.choice.as_ref() == Some(&choice.value));
            chosen.and_then(|choice| hundredths(&choice.deduction)).unwrap_or_default()
        }
        AnswerType::YesNo | AnswerType::Text => 0,
    }
}

/// What each answer deducts, in hundredths of a point: nothing where it does not apply, or is an answer to no item.
#[must_use]
pub fn deductions(items: &[Item], answers: &[Answer]) -> Vec<i64> {
    let of = |answer: &Answer| {
        let item = items.iter().find(|item| item.code == answer.item && !answer.not_applicable);
        item.map_or(0, |item| deducted(item, answer))
    };
    answers.iter().map(of).collect()
}

/// Tells everything that is wrong with answers, below `pointer`.
pub fn judge(items: &[Item], answers: &[Answer], pointer: &str, errors: &mut Vec<FieldError>) {
    let mut tell = |place: String, code: Code, detail: Text| {
        errors.push(FieldError::body(format!("{pointer}{place}"), code, detail));
    };
    for (at, answer) in answers.iter().enumerate() {
        if answers.iter().take(at).any(|other| other.item == answer.item) {
            tell(format!("/{at}/item"), Code::NotUnique, text!("此项已有答案", "The item is answered above"));
        }
        let Some(item) = items.iter().find(|item| item.code == answer.item) else {
            let detail = text!("清单的这一版没有此项", "This version of the checklist has no such item");
            tell(format!("/{at}/item"), Code::UnknownReference, detail);
            continue;
        };
        if let Some((field, code, detail)) = mismatch(item, answer) {
            tell(format!("/{at}{field}"), code, detail);
        }
    }
    let missing: Vec<&str> = items
        .iter()
        .filter(|item| item.mandatory && !answers.iter().any(|answer| answer.item == item.code))
        .map(|item| item.code.as_str())
        .collect();
    if !missing.is_empty() {
        let missing = missing.join(", ");
        tell(
            String::new(),
            Code::Required,
            text!("必答项没有答案: {missing}", "Mandatory items without an answer: {missing}"),
        );
    }
}

/// Tells each answer without the evidence that its item asks for, below `pointer`.
pub fn judge_evidence(items: &[Item], answers: &[Answer], pointer: &str, errors: &mut Vec<FieldError>) {
    for ((at, answer), points) in answers.iter().enumerate().zip(deductions(items, answers)) {
        let item = items.iter().find(|item| item.code == answer.item && !answer.not_applicable);
        let is_due = item.is_some_and(|item| match item.evidence {
            EvidenceRule::Never => false,
            EvidenceRule::IfDeducted => points > 0,
            EvidenceRule::Always => true,
        });
        if is_due && answer.attachment_ids.is_empty() {
            let place = format!("{pointer}/{at}/attachment_ids");
            errors.push(FieldError::body(place, Code::EvidenceRequired, Code::EvidenceRequired.title()));
        }
    }
}

/// Whether an answer is one to this item: else the field, and why not.
fn mismatch(item: &Item, answer: &Answer) -> Option<(&'static str, Code, Text)> {
    let given = [
        (AnswerType::YesNo, "/yes", answer.yes.is_some()),
        (AnswerType::Number, "/number", answer.number.is_some()),
        (AnswerType::Choice, "/choice", answer.choice.is_some()),
        (AnswerType::Text, "/text", answer.text.is_some()),
    ];
    for (kind, field, is_given) in given {
        if is_given && (kind != item.answer_type || answer.not_applicable) {
            let detail = text!("此项不用这个字段作答", "The item is not answered by this field");
            return Some((field, Code::NotAllowedValue, detail));
        }
        if !is_given && kind == item.answer_type && !answer.not_applicable {
            return Some((
                field,
                Code::Required,
                text!("此项须用这个字段作答", "The item is answered by this field"),
            ));
        }
    }
    if answer.not_applicable && answer.note.is_none() {
        return Some((
            "/note",
            Code::Required,
            text!("不适用须写明理由", "Why it does not apply must be said"),
        ));
    }
    if let Some(choice) = &answer.choice
        && !item.choices.iter().any(|one| one.value == *choice)
    {
        return Some((
            "/choice",
            Code::NotAllowedValue,
            text!("此项没有这个选项", "The item has no such choice"),
        ));
    }
    None
}

/// Points of so many hundredths, as they travel: `2.50`.
#[must_use]
pub fn points(hundredths: i64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspections::checklists::templates::ChecklistTemplate;

    fn answer(item: &str) -> Answer {
        Answer {
            item: item.into(),
            yes: None,
            number: None,
            choice: None,
            text: None,
            not_applicable: false,
            note: None,
            attachment_ids: Vec::new(),
        }
    }

    fn judged(answers: &[Answer]) -> (Vec<i64>, Vec<String>) {
        let items = ChecklistTemplate::IncidentHandling.content().unwrap().items;
        let mut errors = Vec::new();
        judge(&items, answers, "/answers", &mut errors);
        let points = deductions(&items, answers);
        let told = errors.iter().map(|error| match &error.place {
            crate::errors::Place::Body(pointer) => format!("{pointer} {}", error.code.name()),
            other => panic!("{other:?}"),
        });
        (points, told.collect())
    }

    fn all() -> Vec<Answer> {
        let yes = |item: &str, yes| Answer { yes: Some(yes), ..answer(item) };
        vec![
            yes("JL-1", true),
            Answer { choice: Some("minor".into()), ..answer("JL-2") },
            Answer { number: Some("10.001".into()), ..answer("JJ-1") },
            yes("JJ-2", false),
            Answer { not_applicable: true, note: Some("未出警".into()), ..answer("JJ-3") },
            yes("HF-1", true),
            Answer { number: Some("98".into()), ..answer("HF-2") },
            yes("TW-1", true),
        ]
    }

    #[test]
    fn points_follow_from_the_standard() {
        let (points, told) = judged(&all());
        assert_eq!(told, Vec::<String>::new());
        // JL-1 as it should be, one of the milder choices, just above the bound, not as it should be, does not apply,
        // as it should be, at the bound, and one where no is what should be.
        assert_eq!(points, [0, 100, 200, 300, 0, 0, 0, 500]);
        assert_eq!([super::points(1100), super::points(5), super::points(0)], ["11.00", "0.05", "0.00"]);
    }

    #[test]
    fn evidence_is_asked_for_as_the_item_says() {
        let items = ChecklistTemplate::IncidentHandling.content().unwrap().items;
        let mut errors = Vec::new();
        let mut given = all();
        judge_evidence(&items, &given, "/answers", &mut errors);
        let due = |given: &[Answer]| -> Vec<usize> {
            let points = deductions(&items, given);
            let asks = |at: &usize| match items[*at].evidence {
                EvidenceRule::Never => false,
                EvidenceRule::IfDeducted => points[*at] > 0,
                EvidenceRule::Always => !given[*at].not_applicable,
            };
            (0..given.len()).filter(asks).collect()
        };
        let places = |errors: &[FieldError]| -> Vec<String> {
            let place = |error: &FieldError| match &error.place {
                crate::errors::Place::Body(pointer) => pointer.clone(),
                other => panic!("{other:?}"),
            };
            errors.iter().map(place).collect()
        };
        let wanted: Vec<String> =
            due(&given).iter().map(|at| format!("/answers/{at}/attachment_ids")).collect();
        assert!(wanted.len() > 2, "{wanted:?}");
        assert_eq!(places(&errors), wanted);
        for answer in &mut given {
            answer.attachment_ids = vec![AttachmentId::generate()];
        }
        errors.clear();
        judge_evidence(&items, &given, "/answers", &mut errors);
        assert_eq!(places(&errors), Vec::<String>::new());
    }

    #[test]
    fn everything_that_is_wrong_is_told() {
        let mut wrong = all();
        wrong[0] = Answer { text: Some("有".into()), ..answer("JL-1") };
        wrong[1] = Answer { choice: Some("other".into()), ..answer("JL-2") };
        wrong[3] = Answer { yes: Some(true), number: Some("1".into()), ..answer("JJ-2") };
        wrong[4] = Answer { not_applicable: true, ..answer("JJ-3") };
        wrong[5] = answer("JL-1");
        wrong[6] = answer("XX-9");
        wrong.pop();
        let (_, told) = judged(&wrong);
        assert_eq!(
            told,
            [
                "/answers/0/yes required",
                "/answers/1/choice not_allowed_value",
                "/answers/3/number not_allowed_value",
                "/answers/4/note required",
                "/answers/5/item not_unique",
                "/answers/5/yes required",
                "/answers/6/item unknown_reference",
                "/answers required",
            ]
        );
    }
}
