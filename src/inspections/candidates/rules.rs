//! What becomes a finding candidate, and whether it counts.

use std::collections::HashMap;

use chrono::NaiveDate;

use crate::db::{Id, Instant, text_enum};
use crate::inspections::authorisations::rules::CheckKind;
use crate::inspections::checklists::items::Item;
use crate::inspections::checks::answers::{Answer, deductions};
use crate::inspections::checks::rules::{CheckId, CheckState, state_on};
use crate::org::rules::UnitId;

/// Marks the identifier of a finding candidate.
#[derive(Debug)]
pub struct CandidateEntity;
/// The identifier of a finding candidate.
pub type CandidateId = Id<CandidateEntity>;

text_enum! {
    /// Whether a finding candidate counts.
    CandidateState as "candidate_state" {
        Pending = "pending", "待定", "Pending", orange;
        Counted = "counted", "计入", "Counted", red;
        Dropped = "dropped", "不计", "Dropped", grey;
    }
}

/// A finding candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its identifier.
    pub id: CandidateId,
    /// The check that found it.
    pub check_id: CheckId,
    /// The code of the item of its checklist.
    pub item: String,
    /// The item's category.
    pub category: String,
    /// What the item asks.
    pub question: String,
    /// What should have been.
    pub standard: String,
    /// What the answer deducts as it was recorded, hundredths of a point; 0 where it is the decision that deducts first.
    pub recorded: i64,
    /// What it deducts as the decision on the objection has amended it; none where that has not, or is not drawn yet.
    pub amended: Option<i64>,
    /// Counts up with each change.
    pub version: i64,
    /// When it was drawn.
    pub created_at: Instant,
}

/// What of its check a candidate's standing follows from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// How the check was made.
    pub kind: CheckKind,
    /// Its number.
    pub number: Option<i64>,
    /// Whom it inspected.
    pub unit_id: UnitId,
    /// Its state as it is kept.
    pub kept: CheckState,
    /// The last day of the inspected unit's objection.
    pub objection_until_on: Option<NaiveDate>,
    /// When the objection was decided on.
    pub decided_at: Option<Instant>,
}

/// How a candidate stands on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Whether it counts.
    pub state: CandidateState,
    /// With how many hundredths of a point; none while that is open.
    pub points: Option<i64>,
    /// From which day on it counts, or will if nobody objects; none while an objection is undecided or what the decision makes of it
    /// is not drawn, and where it never will.
    pub from_on: Option<NaiveDate>,
}

impl Candidate {
    /// How it stands on a day.
    #[must_use]
    pub fn standing(&self, source: &Source, today: NaiveDate) -> Standing {
        let closed_on = source.objection_until_on.and_then(|last| last.succ_opt());
        let decided_on = source.decided_at.map(Instant::shanghai_day);
        let counted =
            |points: i64, from_on| Standing { state: CandidateState::Counted, points: Some(points), from_on };
        let pending = |from_on| Standing { state: CandidateState::Pending, points: None, from_on };
        match state_on(source.kept, source.objection_until_on, today) {
            CheckState::Final => counted(self.recorded, closed_on),
            CheckState::Upheld => counted(self.recorded, decided_on),
            CheckState::Amended => match self.amended {
                Some(points) if points > 0 => counted(points, decided_on),
                Some(_) => Standing { state: CandidateState::Dropped, points: Some(0), from_on: None },
                // Decided on by an instance that knew of no candidates: what that makes of it is not drawn yet.
                None => pending(None),
            },
            CheckState::Released => pending(closed_on),
            CheckState::Contested
            | CheckState::InProgress
            | CheckState::Recorded
            | CheckState::Confirmed
            | CheckState::Voided => pending(None),
        }
    }
}

/// An item that deducts points: as recorded, or as amended, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found<'i> {
    /// The item.
    pub item: &'i Item,
    /// What was recorded deducts.
    pub recorded: i64,
    /// What it was amended to deducts; none where nothing was amended.
    pub amended: Option<i64>,
}

/// The items that deduct points, in the checklist's order.
#[must_use]
pub fn found<'i>(items: &'i [Item], recorded: &[Answer], amended: Option<&[Answer]>) -> Vec<Found<'i>> {
    let recorded = points(items, recorded);
    let amended = amended.map(|given| points(items, given));
    let of = |points: &HashMap<&str, i64>, item: &Item| {
        points.get(item.code.as_str()).copied().unwrap_or_default()
    };
    let found = |item: &'i Item| {
        let one = Found {
            item,
            recorded: of(&recorded, item),
            amended: amended.as_ref().map(|points| of(points, item)),
        };
        (one.recorded > 0 || one.amended.is_some_and(|points| points > 0)).then_some(one)
    };
    items.iter().filter_map(found).collect()
}

/// What each item's answer deducts.
fn points<'a>(items: &[Item], answers: &'a [Answer]) -> HashMap<&'a str, i64> {
    answers.iter().map(|answer| answer.item.as_str()).zip(deductions(items, answers)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspections::checklists::templates::ChecklistTemplate;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    /// The objection window closes with 5 March; the decision fell on the 9th, late at night in Shanghai.
    fn source(kept: CheckState) -> Source {
        Source {
            kind: CheckKind::Covert,
            number: Some(2_026_000_001),
            unit_id: UnitId::generate(),
            kept,
            objection_until_on: Some(day("2026-03-05")),
            // 2026-03-09T15:59:59Z, a second before midnight.
            decided_at: Some(Instant::from_micros(1_773_071_999_000_000)),
        }
    }

    fn candidate(recorded: i64, amended: Option<i64>) -> Candidate {
        Candidate {
            id: CandidateId::generate(),
            check_id: CheckId::generate(),
            item: "GZ-1".into(),
            category: "一次性告知".into(),
            question: "是否一次说清?".into(),
            standard: "口头说清并给书面清单。".into(),
            recorded,
            amended,
            version: 1,
            created_at: Instant::from_micros(0),
        }
    }

    #[test]
    fn it_stands_as_its_check_does() {
        use CandidateState::{Counted, Dropped, Pending};
        let (within, after) = (day("2026-03-05"), day("2026-03-06"));
        let (closed, decided) = (Some(day("2026-03-06")), Some(day("2026-03-09")));
        for (kept, today, amended, wanted) in [
            (CheckState::Released, within, None, (Pending, None, closed)),
            (CheckState::Released, after, None, (Counted, Some(300), closed)),
            // Whoever objected in time is answered, however long that takes.
            (CheckState::Contested, within, None, (Pending, None, None)),
            (CheckState::Contested, after, None, (Pending, None, None)),
            (CheckState::Upheld, after, None, (Counted, Some(300), decided)),
            (CheckState::Amended, after, Some(0), (Dropped, Some(0), None)),
            (CheckState::Amended, after, Some(100), (Counted, Some(100), decided)),
            // What the decision makes of it is not known yet: neither nothing nor all of it.
            (CheckState::Amended, after, None, (Pending, None, None)),
        ] {
            let found = candidate(300, amended).standing(&source(kept), today);
            assert_eq!((found.state, found.points, found.from_on), wanted, "{kept} {today} {amended:?}");
        }
    }

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

    #[test]
    fn what_deducts_before_or_after_becomes_one() {
        let items = ChecklistTemplate::ServiceWindow.content().unwrap().items;
        let yes = |item: &str, yes| Answer { yes: Some(yes), ..answer(item) };
        // In another order than the checklist's. Three points, one, nothing, nothing.
        let recorded = [
            yes("BM-1", false),
            yes("GZ-1", false),
            yes("GZ-2", true),
            Answer { not_applicable: true, note: Some("未开通".into()), ..answer("BM-2") },
        ];
        let told = |amended: Option<&[Answer]>| -> Vec<(String, i64, Option<i64>)> {
            let found = found(&items, &recorded, amended);
            found.iter().map(|one| (one.item.code.clone(), one.recorded, one.amended)).collect()
        };
        let row = |item: &str, recorded, amended| (item.to_owned(), recorded, amended);
        assert_eq!(told(None), [row("GZ-1", 300, None), row("BM-1", 100, None)]);
        // One is as it should be after all, one was left out, one was answered otherwise.
        let amended = [yes("GZ-1", true), yes("BM-1", false), yes("BM-2", false)];
        assert_eq!(
            told(Some(&amended)),
            [row("GZ-1", 300, Some(0)), row("BM-1", 100, Some(100)), row("BM-2", 0, Some(200))]
        );
        assert_eq!(told(Some(&[])), [row("GZ-1", 300, Some(0)), row("BM-1", 100, Some(0))]);
    }
}
