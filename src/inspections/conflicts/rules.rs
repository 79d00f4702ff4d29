//! What a declared conflict of interest is, and what can be done with one.

use crate::access::UserId;
use crate::db::{Id, Instant, text_enum};
use crate::errors::{AppError, Code, Result};
use crate::org::rules::UnitId;

/// Marks the identifier of a declared conflict.
#[derive(Debug)]
pub struct ConflictEntity;
/// The identifier of a declared conflict.
pub type ConflictId = Id<ConflictEntity>;

text_enum! {
    /// What an interest in a unit rests on. Kin (《公务员回避规定》): spouses, direct blood relatives, collateral ones within three
    /// generations, near relatives by marriage.
    ConflictKind as "conflict_kind" {
        Kinship = "kinship", "亲属关系", "Kinship", orange;
        ServedThere = "served_there", "曾在该单位任职", "Served there", blue;
        Dispute = "dispute", "纠纷", "Dispute", red;
        Business = "business", "经济往来", "Business", orange;
        Other = "other", "其他", "Other", grey;
    }
}

text_enum! {
    /// Whether a declaration keeps its person away.
    ConflictState as "conflict_state" {
        Standing = "standing", "须回避", "Standing", orange;
        Ended = "ended", "已终止", "Ended", grey;
    }
}

text_enum! {
    /// What can be done with a declaration.
    ConflictAction as "conflict_action" {
        End = "end", "终止", "End", blue;
    }
}

/// From when until when a declaration keeps its person away from the unit that it names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// When it was declared, or when the unit took over from the one it was declared for.
    pub since_at: Instant,
    /// When it was ended.
    pub ended_at: Option<Instant>,
}

impl Term {
    /// Whether it stood at a moment, though we may ask later.
    #[must_use]
    pub fn covers(&self, at: Instant) -> bool {
        self.since_at <= at && self.ended_at.is_none_or(|end| at < end)
    }
}

/// A declared conflict of interest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Its identifier.
    pub id: ConflictId,
    /// Who has the interest.
    pub user_id: UserId,
    /// The path of the unit that their account belongs to today: from there it is seen.
    pub user_path: String,
    /// The unit they keep away from, with all below it.
    pub unit_id: UnitId,
    /// What the interest rests on.
    pub kind: ConflictKind,
    /// What they say of it: personal.
    pub statement: String,
    /// Under which the log has committed to what was declared: 128 random bits, hexadecimal.
    pub salt: String,
    /// Its state.
    pub state: ConflictState,
    /// From when until when it counts.
    pub term: Term,
    /// Who has entered it.
    pub declared_by: UserId,
    /// Who has ended it.
    pub ended_by: Option<UserId>,
    /// Why: personal too.
    pub end_reason: Option<String>,
    /// Counts up with each change.
    pub version: i64,
    /// When it was declared.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

impl Conflict {
    /// What its state and who asks allow.
    #[must_use]
    pub fn allows(&self, action: ConflictAction, by: UserId) -> bool {
        self.judge(action, by).is_ok()
    }

    /// Whether somebody may do it now.
    ///
    /// # Errors
    /// `conflict_ended`; `own_conflict` for one's own.
    pub fn judge(&self, action: ConflictAction, by: UserId) -> Result<()> {
        match (action, self.state) {
            (ConflictAction::End, ConflictState::Ended) => Err(AppError::new(Code::ConflictEnded)),
            (ConflictAction::End, ConflictState::Standing) if self.user_id == by => {
                Err(AppError::new(Code::OwnConflict))
            }
            (ConflictAction::End, ConflictState::Standing) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Instant {
        Instant::from_micros(0).plus_seconds(seconds)
    }

    #[test]
    fn it_counts_from_when_it_was_declared_until_it_was_ended() {
        let standing = Term { since_at: at(10), ended_at: None };
        assert_eq!([9, 10, 99].map(|when| standing.covers(at(when))), [false, true, true]);
        let ended = Term { since_at: at(10), ended_at: Some(at(20)) };
        assert_eq!([9, 10, 19, 20].map(|when| ended.covers(at(when))), [false, true, true, false]);
    }

    #[test]
    fn every_state_and_event_is_decided() {
        use Code::{ConflictEnded, OwnConflict};
        let (own, other) = (UserId::generate(), UserId::generate());
        let of = |state| Conflict {
            id: ConflictId::generate(),
            user_id: own,
            user_path: "53/".into(),
            unit_id: UnitId::generate(),
            kind: ConflictKind::Kinship,
            statement: "配偶在该单位任职。".into(),
            salt: String::new(),
            state,
            term: Term { since_at: at(0), ended_at: None },
            declared_by: own,
            ended_by: None,
            end_reason: None,
            version: 1,
            created_at: at(0),
            updated_at: at(0),
        };
        let table = [
            (ConflictState::Standing, other, None),
            (ConflictState::Standing, own, Some(OwnConflict)),
            (ConflictState::Ended, other, Some(ConflictEnded)),
            (ConflictState::Ended, own, Some(ConflictEnded)),
        ];
        for (state, by, wanted) in table {
            let found = of(state).judge(ConflictAction::End, by).err().map(|error| error.code());
            assert_eq!(found, wanted, "{state}");
            assert_eq!(of(state).allows(ConflictAction::End, by), wanted.is_none(), "{state}");
        }
    }
}
