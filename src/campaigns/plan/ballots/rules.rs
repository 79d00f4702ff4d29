//! What a vote is, and what carries.

use serde_json::json;

use crate::access::UserId;
use crate::campaigns::rules::PlanId;
use crate::db::{Id, Instant, text_enum};
use crate::errors::{AppError, Code, FieldError, Result, text};

/// Marks the identifier of a vote.
#[derive(Debug)]
pub struct VoteEntity;
/// The identifier of a vote.
pub type VoteId = Id<VoteEntity>;

text_enum! {
    /// How a member votes.
    VoteChoice as "vote_choice" {
        For = "for", "赞成", "For", green;
        Against = "against", "反对", "Against", red;
        Abstain = "abstain", "弃权", "Abstain", grey;
    }
}

/// A member's vote, cast or still to be cast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vote {
    /// Its identifier.
    pub id: VoteId,
    /// The plan.
    pub plan_id: PlanId,
    /// The version that is voted on.
    pub number: i32,
    /// Which submission it is about, from 1.
    pub round: i32,
    /// The member.
    pub user_id: UserId,
    /// How the member has voted; none before.
    pub choice: Option<VoteChoice>,
    /// What the member said.
    pub comment: Option<String>,
    /// When it was cast.
    pub cast_at: Option<Instant>,
    /// When the round ended: decided, or withdrawn.
    pub ended_at: Option<Instant>,
    /// Counts up with each change.
    pub version: i64,
}

/// A round under way, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ballot {
    /// Which submission it is about.
    pub round: i32,
    /// Members on the day of submission.
    pub members: i64,
    /// Votes for.
    pub approving: i64,
    /// Votes against.
    pub against: i64,
    /// Abstentions: cast, and neither.
    pub abstained: i64,
    /// More than this share of the members must have cast (%).
    pub above_percent: i32,
}

impl Ballot {
    /// Votes cast, abstentions among them.
    #[must_use]
    pub const fn cast(&self) -> i64 {
        self.approving + self.against + self.abstained
    }

    /// Whether enough members have cast theirs: more than the share, exactly the share is not enough.
    #[must_use]
    pub fn is_quorate(&self) -> bool {
        self.cast() * 100 > self.members * i64::from(self.above_percent)
    }

    /// Whether the head may approve.
    ///
    /// # Errors
    /// `quorum_not_reached`, `vote_not_carried`, with the figures.
    pub fn carried(&self) -> Result<()> {
        let Self { members, approving, against, abstained, above_percent, .. } = *self;
        let facts = json!({
            "members": members, "for": approving, "against": against, "abstain": abstained,
            "above_percent": above_percent,
        });
        let refuse = |code: Code, detail| {
            let error = FieldError { facts: Some(facts), ..FieldError::body("", code, detail) };
            Err(AppError::fields(code, vec![error]))
        };
        if !self.is_quorate() {
            let cast = self.cast();
            let detail = text!(
                "{members} 名成员中 {cast} 名参加表决, 须多于 {above_percent}%",
                "{cast} of {members} members have cast a vote; it takes more than {above_percent} %"
            );
            return refuse(Code::QuorumNotReached, detail);
        }
        if approving <= against {
            let detail =
                text!("赞成 {approving}, 反对 {against}", "{approving} for it, {against} against it");
            return refuse(Code::VoteNotCarried, detail);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(members: i64, approving: i64, against: i64, abstained: i64) -> Option<Code> {
        let ballot = Ballot { round: 1, members, approving, against, abstained, above_percent: 50 };
        ballot.carried().err().map(|error| error.code())
    }

    #[test]
    fn more_than_half_cast_and_more_for_than_against() {
        assert_eq!(of(6, 3, 0, 0), Some(Code::QuorumNotReached));
        assert_eq!(of(6, 4, 0, 0), None);
        assert_eq!(of(7, 4, 0, 0), None);
        // Who abstains has cast a vote.
        assert_eq!(of(6, 1, 0, 3), None);
        assert_eq!(of(6, 2, 2, 0), Some(Code::VoteNotCarried));
        assert_eq!(of(6, 0, 0, 6), Some(Code::VoteNotCarried));
        assert_eq!(of(1, 0, 0, 0), Some(Code::QuorumNotReached));
        assert_eq!(of(1, 1, 0, 0), None);
    }

    proptest! {
        #[test]
        fn nothing_carries_against_the_rule(a in 0_i64..80, b in 0_i64..80, c in 0_i64..80, silent in 0_i64..200) {
            let members = a + b + c + silent;
            prop_assume!(members > 0);
            let carries = 2 * (a + b + c) > members && a > b;
            prop_assert_eq!(of(members, a, b, c).is_none(), carries);
        }
    }
}
