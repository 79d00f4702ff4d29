//! The plan's state machine (domain rules, 6).

use chrono::NaiveDate;

use crate::db::text_enum;
use crate::errors::{Code, FieldError, text};

text_enum! {
    /// The state of a plan.
    PlanState as "plan_state" {
        Draft = "draft", "草稿", "Draft", grey;
        Submitted = "submitted", "待批", "Submitted", orange;
        Returned = "returned", "已退回", "Returned", red;
        Approved = "approved", "已批准", "Approved", blue;
        Published = "published", "已发布", "Published", green;
        Running = "running", "实施中", "Running", green;
        Concluding = "concluding", "总结评议", "Concluding", blue;
        Closed = "closed", "已结束", "Closed", grey;
        Withdrawn = "withdrawn", "已撤回", "Withdrawn", grey;
    }
}

impl PlanState {
    /// Whether its tasks bind now, and children stand under it.
    #[must_use]
    pub const fn is_in_force(self) -> bool {
        matches!(self, Self::Published | Self::Running | Self::Concluding)
    }

    /// Whether plans may be begun under it.
    #[must_use]
    pub const fn takes_children(self) -> bool {
        matches!(self, Self::Published | Self::Running)
    }

    /// Whether anything is still to be done with it: it goes along when its unit is merged.
    #[must_use]
    pub const fn is_open(self) -> bool {
        !matches!(self, Self::Closed | Self::Withdrawn)
    }

    /// Whether it is a stage beside the approval, kept in a column of its own.
    #[must_use]
    pub const fn is_stage(self) -> bool {
        matches!(self, Self::Concluding | Self::Closed | Self::Withdrawn)
    }

    /// The state of a plan by what is kept of it: what is published runs from the day it starts.
    #[must_use]
    pub fn of(kept: Self, stage: Option<Self>, starts_on: Option<NaiveDate>, today: NaiveDate) -> Self {
        let runs = kept == Self::Published && starts_on.is_some_and(|day| day <= today);
        stage.unwrap_or(if runs { Self::Running } else { kept })
    }
}

text_enum! {
    /// What can be done with a plan.
    PlanAction as "plan_action" {
        Update = "update", "修改", "Update", blue;
        Submit = "submit", "提交", "Submit", blue;
        Approve = "approve", "批准", "Approve", green;
        Return = "return", "退回", "Return", orange;
        Publish = "publish", "发布", "Publish", green;
        Vote = "vote", "表决", "Vote", blue;
        Amend = "amend", "修订", "Amend", blue;
        Comment = "comment", "批注", "Comment", grey;
        Withdraw = "withdraw", "撤回", "Withdraw", orange;
        Conclude = "conclude", "转入总结", "Conclude", blue;
        Close = "close", "结束", "Close", grey;
    }
}

/// How a plan stands: where it is in its life, and how far its amendment is, if one is in hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The plan's state.
    pub state: PlanState,
    /// The state of the version in hand: `draft`, `submitted`, `returned` or `approved`.
    pub amendment: Option<PlanState>,
}

impl Standing {
    /// The state of what is being written or decided on.
    #[must_use]
    pub fn in_hand(self) -> PlanState {
        self.amendment.unwrap_or(self.state)
    }
}

/// Where an action leads: what is in hand, that is the amendment if there is one, else the plan.
///
/// # Errors
/// The code of the refusal when the state does not allow it (409).
pub fn next(at: Standing, action: PlanAction) -> Result<PlanState, Code> {
    use PlanState::{
        Approved, Closed, Concluding, Draft, Published, Returned, Running, Submitted, Withdrawn,
    };
    let hand = at.in_hand();
    match (action, hand) {
        (PlanAction::Update, Draft | Returned) | (PlanAction::Vote, Submitted) => Ok(hand),
        (PlanAction::Update, _) => Err(Code::PlanNotEditable),
        (PlanAction::Submit, Draft | Returned) => Ok(Submitted),
        (PlanAction::Submit, _) => Err(Code::PlanNotSubmittable),
        (PlanAction::Approve, Submitted) => Ok(Approved),
        (PlanAction::Return, Submitted) => Ok(Returned),
        (PlanAction::Approve | PlanAction::Return | PlanAction::Vote, _) => Err(Code::PlanNotSubmitted),
        (PlanAction::Publish, Approved) => Ok(Published),
        (PlanAction::Publish, _) => Err(Code::PlanNotApproved),
        (PlanAction::Withdraw, Draft | Submitted) => Ok(Withdrawn),
        // What is in force goes on without its amendment: that is never stuck.
        (PlanAction::Withdraw, Returned | Approved) if at.amendment.is_some() => Ok(Withdrawn),
        (PlanAction::Withdraw, _) => Err(Code::PlanNotWithdrawable),
        // One amendment at a time, and no summing up while one is in hand.
        (PlanAction::Amend | PlanAction::Conclude, _) if at.amendment.is_some() => Err(Code::AmendmentInHand),
        (PlanAction::Amend, Published | Running) => Ok(Draft),
        (PlanAction::Amend, _) => Err(Code::PlanNotInForce),
        (PlanAction::Conclude, Running) => Ok(Concluding),
        (PlanAction::Conclude, _) => Err(Code::PlanNotRunning),
        (PlanAction::Close, Concluding) => Ok(Closed),
        (PlanAction::Close, _) => Err(Code::PlanNotConcluding),
        (PlanAction::Comment, Closed | Withdrawn) => Err(Code::PlanEnded),
        (PlanAction::Comment, _) => Ok(hand),
    }
}

/// What keeps a plan from being closed.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unfinished {
    /// Grave findings of its unit and below that are open.
    pub grave_findings: u64,
    /// What the plan above, itself in force, has asked for and nobody has done yet: assignments. Whoever
    /// ends the plan would end them with it.
    pub asked_from_above: u64,
}

/// Why a plan cannot be closed yet; empty when it can.
#[must_use]
pub fn keeps_open(unfinished: Unfinished) -> Vec<FieldError> {
    let Unfinished { grave_findings: grave, asked_from_above: asked } = unfinished;
    let mut errors = Vec::new();
    if grave > 0 {
        let detail = text!("尚有 {grave} 个严重问题未销号", "{grave} grave findings are still open");
        let facts = serde_json::json!({ "grave_findings": grave });
        let error = FieldError::body("", Code::GraveFindingsOpen, detail);
        errors.push(FieldError { facts: Some(facts), ..error });
    }
    if asked > 0 {
        let detail = text!(
            "上级方案仍在实施, 其任务尚有 {asked} 项未完成",
            "The plan above is in force, and {asked} assignments of what it asks for are not done"
        );
        let facts = serde_json::json!({ "assignments": asked });
        let error = FieldError::body("", Code::TasksFromAboveOpen, detail);
        errors.push(FieldError { facts: Some(facts), ..error });
    }
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every place a plan can stand at: nine states, and two of them with an amendment in four.
    fn standings() -> Vec<Standing> {
        use PlanState::{Approved, Draft, Published, Returned, Running, Submitted};
        let alone = PlanState::ALL.iter().map(|state| Standing { state: *state, amendment: None });
        let amended = [Published, Running].into_iter().flat_map(|state| {
            [Draft, Submitted, Returned, Approved].map(|hand| Standing { state, amendment: Some(hand) })
        });
        alone.chain(amended).collect()
    }

    #[test]
    fn every_state_and_every_action() {
        use PlanState::{Approved, Closed, Concluding, Draft, Published, Returned, Submitted, Withdrawn};
        // in the order draft, submitted, returned, approved, published, running, concluding, closed,
        // withdrawn; then published and running, each with an amendment draft, submitted, returned, approved
        let only = |code: Code, good: &[(&[usize], PlanState)]| -> Vec<Result<PlanState, Code>> {
            let of = |at: usize| good.iter().find(|(places, _)| places.contains(&at)).map(|(_, next)| *next);
            (0..17).map(|at| of(at).ok_or(code)).collect()
        };
        let mut amend = only(Code::PlanNotInForce, &[(&[4, 5], Draft)]);
        let mut conclude = only(Code::PlanNotRunning, &[(&[5], Concluding)]);
        for place in 9..17 {
            amend[place] = Err(Code::AmendmentInHand);
            conclude[place] = Err(Code::AmendmentInHand);
        }
        let mut comment: Vec<_> = standings().iter().map(|at| Ok(at.in_hand())).collect();
        comment[7] = Err(Code::PlanEnded);
        comment[8] = Err(Code::PlanEnded);
        let table = [
            (
                PlanAction::Update,
                only(Code::PlanNotEditable, &[(&[0, 9, 13], Draft), (&[2, 11, 15], Returned)]),
            ),
            (PlanAction::Submit, only(Code::PlanNotSubmittable, &[(&[0, 2, 9, 11, 13, 15], Submitted)])),
            (PlanAction::Approve, only(Code::PlanNotSubmitted, &[(&[1, 10, 14], Approved)])),
            (PlanAction::Return, only(Code::PlanNotSubmitted, &[(&[1, 10, 14], Returned)])),
            (PlanAction::Vote, only(Code::PlanNotSubmitted, &[(&[1, 10, 14], Submitted)])),
            (PlanAction::Publish, only(Code::PlanNotApproved, &[(&[3, 12, 16], Published)])),
            (
                PlanAction::Withdraw,
                only(Code::PlanNotWithdrawable, &[(&[0, 1, 9, 10, 11, 12, 13, 14, 15, 16], Withdrawn)]),
            ),
            (PlanAction::Amend, amend),
            (PlanAction::Conclude, conclude),
            (PlanAction::Close, only(Code::PlanNotConcluding, &[(&[6], Closed)])),
            (PlanAction::Comment, comment),
        ];
        assert_eq!(table.len(), PlanAction::ALL.len());
        assert_eq!(standings().len(), 17);
        for (action, outcomes) in table {
            for (at, outcome) in standings().into_iter().zip(outcomes) {
                assert_eq!(next(at, action), outcome, "{action} in {at:?}");
            }
        }
    }

    #[test]
    fn what_is_published_runs_from_its_first_day_on() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let of = |kept, stage, today: &str| PlanState::of(kept, stage, Some(day("2026-03-02")), day(today));
        assert_eq!(of(PlanState::Published, None, "2026-03-01"), PlanState::Published);
        assert_eq!(of(PlanState::Published, None, "2026-03-02"), PlanState::Running);
        assert_eq!(of(PlanState::Approved, None, "2026-03-02"), PlanState::Approved);
        assert_eq!(of(PlanState::Published, Some(PlanState::Closed), "2026-03-01"), PlanState::Closed);
        assert_eq!(of(PlanState::Draft, Some(PlanState::Withdrawn), "2026-03-02"), PlanState::Withdrawn);
    }

    #[test]
    fn what_is_unfinished_keeps_a_plan_open() {
        assert!(keeps_open(Unfinished::default()).is_empty());
        let told = |unfinished| keeps_open(unfinished).iter().map(|error| error.code).collect::<Vec<_>>();
        assert_eq!(
            told(Unfinished { grave_findings: 3, ..Unfinished::default() }),
            [Code::GraveFindingsOpen]
        );
        assert_eq!(
            told(Unfinished { grave_findings: 1, asked_from_above: 2 }),
            [Code::GraveFindingsOpen, Code::TasksFromAboveOpen]
        );
    }
}
