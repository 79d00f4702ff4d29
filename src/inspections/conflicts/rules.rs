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

/// From when until when something counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// When it began.
    pub since_at: Instant,
    /// When it was ended.
    pub ended_at: Option<Instant>,
}

impl Term {
    /// Whether it counted at a moment, though we may ask later.
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
    /// The unit of which it was declared.
    pub declared_unit_id: UnitId,
    /// The unit they keep away from now, with all below it: that one, or who took over from it.
    pub unit_id: UnitId,
    /// What the interest rests on.
    pub kind: ConflictKind,
    /// What they say of it: personal; none once erased.
    pub statement: Option<String>,
    /// Under which the log has committed to what was declared: 128 random bits, hexadecimal; empty once erased.
    pub salt: String,
    /// Its state.
    pub state: ConflictState,
    /// From when until when they keep away from the unit of now.
    pub term: Term,
    /// Who has entered it.
    pub declared_by: UserId,
    /// Who has ended it.
    pub ended_by: Option<UserId>,
    /// Why: personal too; none once erased.
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
    /// `conflict_ended`; `own_conflict` for one's own; `person_erased` when no reason for it could be kept any more.
    pub fn judge(&self, action: ConflictAction, by: UserId) -> Result<()> {
        match (action, self.state) {
            (ConflictAction::End, ConflictState::Ended) => Err(AppError::new(Code::ConflictEnded)),
            (ConflictAction::End, ConflictState::Standing) if self.user_id == by => {
                Err(AppError::new(Code::OwnConflict))
            }
            (ConflictAction::End, ConflictState::Standing) if self.statement.is_none() => {
                Err(AppError::new(Code::PersonErased))
            }
            (ConflictAction::End, ConflictState::Standing) => Ok(()),
        }
    }

    /// The same without what is personal.
    #[must_use]
    pub fn erased(&self) -> Self {
        Self { statement: None, salt: String::new(), end_reason: None, ..self.clone() }
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
        use Code::{ConflictEnded, OwnConflict, PersonErased};
        let (own, other, unit) = (UserId::generate(), UserId::generate(), UnitId::generate());
        let of = |state| Conflict {
            id: ConflictId::generate(),
            user_id: own,
            user_path: "53/".into(),
            declared_unit_id: unit,
            unit_id: unit,
            kind: ConflictKind::Kinship,
            statement: Some("配偶在该单位任职。".into()),
            salt: "5a17".into(),
            state,
            term: Term { since_at: at(0), ended_at: None },
            declared_by: own,
            ended_by: None,
            end_reason: Some("已经调离。".into()),
            version: 1,
            created_at: at(0),
            updated_at: at(0),
        };
        let table = [
            (ConflictState::Standing, other, None, Some(PersonErased)),
            (ConflictState::Standing, own, Some(OwnConflict), Some(OwnConflict)),
            (ConflictState::Ended, other, Some(ConflictEnded), Some(ConflictEnded)),
            (ConflictState::Ended, own, Some(ConflictEnded), Some(ConflictEnded)),
        ];
        for (state, by, whole, erased) in table {
            for (one, wanted) in [(of(state), whole), (of(state).erased(), erased)] {
                let found = one.judge(ConflictAction::End, by).err().map(|error| error.code());
                assert_eq!(found, wanted, "{one:?}");
                assert_eq!(one.allows(ConflictAction::End, by), wanted.is_none(), "{one:?}");
            }
        }
    }

    #[test]
    fn what_is_personal_goes_and_the_rest_stays() {
        let whole = Conflict {
            id: ConflictId::generate(),
            user_id: UserId::generate(),
            user_path: "53/".into(),
            declared_unit_id: UnitId::generate(),
            unit_id: UnitId::generate(),
            kind: ConflictKind::Dispute,
            statement: Some("与该单位有诉讼。".into()),
            salt: "5a17".into(),
            state: ConflictState::Ended,
            term: Term { since_at: at(0), ended_at: Some(at(5)) },
            declared_by: UserId::generate(),
            ended_by: None,
            end_reason: Some("已经撤诉。".into()),
            version: 2,
            created_at: at(0),
            updated_at: at(5),
        };
        let erased = whole.erased();
        assert_eq!((&erased.statement, erased.salt.as_str(), &erased.end_reason), (&None, "", &None));
        let Conflict { statement, salt, end_reason, .. } = whole.clone();
        assert_eq!(Conflict { statement, salt, end_reason, ..erased }, whole);
    }
}
