//! What an unannounced check is, who may do what with it, and when.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use super::answers::Answer;
pub use super::place::{Datum, Place};
use crate::access::UserId;
use crate::db::{Id, Instant, text_enum};
use crate::errors::{AppError, Code, Result};
use crate::inspections::attachments::rules::AttachmentId;
use crate::inspections::authorisations::rules::{AuthorisationId, CheckKind};
use crate::inspections::checklists::rules::ChecklistVersionId;
use crate::org::rules::UnitId;

/// Marks the identifier of an unannounced check.
#[derive(Debug)]
pub struct CheckEntity;
/// The identifier of an unannounced check.
pub type CheckId = Id<CheckEntity>;
/// Marks the identifier of an addendum.
#[derive(Debug)]
pub struct AddendumEntity;
/// The identifier of an addendum.
pub type AddendumId = Id<AddendumEntity>;

text_enum! {
    /// The state of an unannounced check.
    CheckState as "check_state" {
        InProgress = "in_progress", "检查中", "In progress", blue;
        Recorded = "recorded", "已记录", "Recorded", orange;
        Confirmed = "confirmed", "已确认", "Confirmed", orange;
        Released = "released", "已公布", "Released", green;
        Contested = "contested", "有异议", "Contested", red;
        Upheld = "upheld", "维持", "Upheld", grey;
        Amended = "amended", "更正", "Amended", grey;
        Final = "final", "定案", "Final", grey;
        Voided = "voided", "作废", "Voided", grey;
    }
}

text_enum! {
    /// What can be done with an unannounced check.
    CheckAction as "check_action" {
        Record = "record", "记录", "Record", blue;
        Confirm = "confirm", "确认", "Confirm", green;
        Release = "release", "公布", "Release", green;
        Contest = "contest", "提出异议", "Contest", red;
        Decide = "decide", "答复异议", "Decide", blue;
        Void = "void", "作废", "Void", orange;
        AddAddendum = "add_addendum", "补记", "Add an addendum", grey;
        GiveUpAttachments = "give_up_attachments", "放弃未到的照片", "Give up photos that do not come", orange;
    }
}

text_enum! {
    /// What comes of an objection.
    ObjectionOutcome as "objection_outcome" {
        Upheld = "upheld", "维持", "Upheld", grey;
        Amended = "amended", "更正", "Amended", orange;
    }
}

/// 检查中遇到的人, 不论职级。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonMet {
    /// 姓名或警号, 不知道的写特征。
    #[schema(min_length = 1, max_length = 60)]
    pub who: String,
    /// 职务或岗位。
    #[serde(default)]
    #[schema(min_length = 1, max_length = 60)]
    pub post: Option<String>,
    /// 做了什么、说了什么。
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    pub conduct: Option<String>,
}

/// 一次检查的记录: 记录之后不再更改, 更正另行补记。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckRecord {
    /// 各项答案。
    #[schema(max_items = 200)]
    pub answers: Vec<Answer>,
    /// 遇到的人。
    #[serde(default)]
    #[schema(max_items = 50)]
    pub people_met: Vec<PersonMet>,
    /// 总的情况。
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000)]
    pub summary: Option<String>,
    /// 检查结束的时刻, 以设备的钟为准。
    pub ended_at: Instant,
    /// 不属于某一项的照片: 已上传、尚未使用的附件。连同各项的证据至多 100 个。
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 100)]
    pub attachment_ids: Vec<AttachmentId>,
}

impl CheckRecord {
    /// The attachments it names, each with where it does below `pointer`.
    #[must_use]
    pub fn named(&self, pointer: &str) -> Vec<(String, AttachmentId)> {
        let list = |ids: &[AttachmentId], place: String| {
            let one = |(at, id): (usize, &AttachmentId)| (format!("{place}/{at}"), *id);
            ids.iter().enumerate().map(one).collect::<Vec<_>>()
        };
        let of_answers = self.answers.iter().enumerate().flat_map(|(at, answer)| {
            list(&answer.attachment_ids, format!("{pointer}/answers/{at}/attachment_ids"))
        });
        of_answers.chain(list(&self.attachment_ids, format!("{pointer}/attachment_ids"))).collect()
    }
}

/// What an objection was answered with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// The reasons.
    pub reasons: String,
    /// What the answers are in place of those recorded, which stay as they are; none when these are upheld.
    pub answers: Option<Vec<Answer>>,
}

/// An unannounced check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its identifier.
    pub id: CheckId,
    /// Under which authorisation it is made.
    pub authorisation_id: AuthorisationId,
    /// How.
    pub kind: CheckKind,
    /// Whom it inspects.
    pub unit_id: UnitId,
    /// The path today of whoever answers for it: that unit, or the one that has taken over from it.
    pub unit_path: String,
    /// Who makes it.
    pub team: Vec<UserId>,
    /// Who confirms and releases it.
    pub commander_id: UserId,
    /// The version of the checklist.
    pub checklist_version_id: ChecklistVersionId,
    /// Its state as it is kept: what follows from the day is in [`Check::state_on`].
    pub kept: CheckState,
    /// When it was begun, by the device's clock.
    pub begun_at: Instant,
    /// When we heard of it first.
    pub received_at: Instant,
    /// How far the device's clock was ahead of ours then, milliseconds; none when the device did not say its time.
    pub skew_ms: Option<i64>,
    /// Where.
    pub place: Place,
    /// What was seen.
    pub record: Option<CheckRecord>,
    /// What that deducts, hundredths of a point.
    pub deducted: Option<i64>,
    /// Who recorded it.
    pub recorded_by: Option<UserId>,
    /// When we had the record.
    pub recorded_at: Option<Instant>,
    /// When the commander confirmed it.
    pub confirmed_at: Option<Instant>,
    /// When it was released.
    pub released_at: Option<Instant>,
    /// When it became known to office and discipline without having been released.
    pub disclosed_at: Option<Instant>,
    /// Its number, given at release: the year, and six digits that run on within it.
    pub number: Option<i64>,
    /// The last day of the inspected unit's objection.
    pub objection_until_on: Option<NaiveDate>,
    /// The objection, who raised it, when.
    pub objection: Option<(String, UserId, Instant)>,
    /// What came of it, by whom, when.
    pub decision: Option<(Decision, UserId, Instant)>,
    /// Why it was voided.
    pub void_reason: Option<String>,
    /// Photos that its record or an addendum names, that have not come yet and have not been given up.
    pub awaited: Vec<AttachmentId>,
    /// Counts up with each change.
    pub version: i64,
    /// When it was entered.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

/// Numbers of a year: more checks than a province will ever make in one.
const OF_A_YEAR: i64 = 1_000_000;

/// The numbers of a year: the first that may be given, and the first of the next year.
#[must_use]
pub fn numbers_of(year: i32) -> (i64, i64) {
    let zero = i64::from(year) * OF_A_YEAR;
    (zero + 1, zero + OF_A_YEAR)
}

/// A number as it is told: `2026-0007`.
#[must_use]
pub fn number_text(number: i64) -> String {
    format!("{}-{:04}", number / OF_A_YEAR, number % OF_A_YEAR)
}

/// The state on a day of a check of which this is kept: what was released and not objected to in time is final.
#[must_use]
pub fn state_on(kept: CheckState, objection_until_on: Option<NaiveDate>, today: NaiveDate) -> CheckState {
    match kept {
        CheckState::Released if objection_until_on.is_some_and(|last| last < today) => CheckState::Final,
        kept => kept,
    }
}

/// What somebody may be to a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relation {
    /// One of the team.
    Team,
    /// Its commander.
    Commander,
    /// Who recorded it.
    Recorder,
    /// Head of whoever answers for it, the inspected unit or its successor, or in the head's stead.
    Head,
    /// Of that unit or below it.
    OfUnit,
}

/// How somebody stands to a check: all that they are to it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stand(pub Vec<Relation>);

impl Stand {
    fn is(&self, relation: Relation) -> bool {
        self.0.contains(&relation)
    }
}

/// How far ahead the clock may be told to release a check, seconds; and how long after we heard of it one is kept that nobody
/// releases: as long as the longest that could have been asked for at once.
pub const LATEST_RELEASE: i64 = 366 * 86_400;

/// Inspectors a check takes at least: in the open they show their papers, two of them.
#[must_use]
pub const fn least_team(kind: CheckKind) -> usize {
    match kind {
        CheckKind::Open => 2,
        CheckKind::Covert => 1,
    }
}

impl Check {
    /// Whether everybody within reach may know of it, the inspected unit's people among them.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.kind == CheckKind::Open || self.released_at.is_some()
    }

    /// Whether others than its team and commander know of it, and the log tells of it: everybody within reach, or those alone to
    /// whom it was disclosed.
    #[must_use]
    pub fn is_told(&self) -> bool {
        self.is_public() || self.disclosed_at.is_some()
    }

    /// Its state on a day: what was released and not objected to in time is final.
    #[must_use]
    pub fn state_on(&self, today: NaiveDate) -> CheckState {
        state_on(self.kept, self.objection_until_on, today)
    }

    /// Whether somebody who stands to it like this may do it now.
    ///
    /// # Errors
    /// First of its state, 409: `check_recorded`, `check_not_recorded`, `attachments_awaited`, `check_not_confirmed`, `check_not_released`,
    /// `nothing_awaited`, `objection_closed`, `check_not_contested`, `check_not_voidable`, `check_ended`; then of who it is, 422: `not_in_team`,
    /// `not_the_commander`, `confirmer_is_recorder`, `not_the_head`, `decider_is_checker`, `decider_of_the_unit`.
    pub fn judge(&self, action: CheckAction, stand: &Stand, today: NaiveDate) -> Result<()> {
        use CheckAction::{AddAddendum, Confirm, Contest, Decide, GiveUpAttachments, Record, Release, Void};
        use CheckState::{
            Amended, Confirmed, Contested, Final, InProgress, Recorded, Released, Upheld, Voided,
        };
        let is_checker = stand.is(Relation::Team) || stand.is(Relation::Commander);
        let code = match (action, self.state_on(today)) {
            (Record, InProgress) if !stand.is(Relation::Team) => Code::NotInTeam,
            (Confirm, Recorded) if !self.awaited.is_empty() => Code::AttachmentsAwaited,
            (GiveUpAttachments, Recorded | Confirmed | Released | Contested) if self.awaited.is_empty() => {
                Code::NothingAwaited
            }
            (Confirm, Recorded) | (Release, Confirmed) if !stand.is(Relation::Commander) => {
                Code::NotTheCommander
            }
            (Confirm, Recorded) if stand.is(Relation::Recorder) => Code::ConfirmerIsRecorder,
            (Contest, Released) if !stand.is(Relation::Head) => Code::NotTheHead,
            (Decide, Contested) if is_checker => Code::DeciderIsChecker,
            (Decide, Contested) if stand.is(Relation::OfUnit) => Code::DeciderOfTheUnit,
            (Void, InProgress | Recorded)
            | (AddAddendum | GiveUpAttachments, Recorded | Confirmed | Released | Contested)
                if !is_checker =>
            {
                Code::NotInTeam
            }
            (Record, InProgress)
            | (Confirm, Recorded)
            | (Release, Confirmed)
            | (Contest, Released)
            | (Decide, Contested)
            | (Void, InProgress | Recorded)
            | (AddAddendum | GiveUpAttachments, Recorded | Confirmed | Released | Contested) => return Ok(()),
            (Record, _) => Code::CheckRecorded,
            (Confirm, _) | (AddAddendum | GiveUpAttachments, InProgress) => Code::CheckNotRecorded,
            (Release, _) => Code::CheckNotConfirmed,
            (Contest, Final | Contested | Upheld | Amended) => Code::ObjectionClosed,
            (Contest, _) => Code::CheckNotReleased,
            (Decide, _) => Code::CheckNotContested,
            (Void, _) => Code::CheckNotVoidable,
            (AddAddendum | GiveUpAttachments, Upheld | Amended | Final | Voided) => Code::CheckEnded,
        };
        Err(AppError::new(code))
    }
}

/// Somebody who has read a check that nobody else might know of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// Who.
    pub user_id: UserId,
    /// When first.
    pub first_at: Instant,
    /// When last, as far as it was noted.
    pub last_at: Instant,
    /// How often; looks within an hour are one.
    pub looks: i32,
}

/// A photo that was named and given up, since it does not come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    /// The photo.
    pub id: AttachmentId,
    /// Why.
    pub reason: String,
    /// Who gave it up.
    pub given_up_by: UserId,
    /// When.
    pub given_up_at: Instant,
}

/// Something added to the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addendum {
    /// Its identifier.
    pub id: AddendumId,
    /// What it says.
    pub content: String,
    /// Who wrote it.
    pub author_id: UserId,
    /// When.
    pub created_at: Instant,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kept: CheckState) -> Check {
        let at = Instant::from_micros(0);
        Check {
            id: CheckId::generate(),
            authorisation_id: AuthorisationId::generate(),
            kind: CheckKind::Covert,
            unit_id: UnitId::generate(),
            unit_path: "53/5301/".into(),
            team: Vec::new(),
            commander_id: UserId::generate(),
            checklist_version_id: ChecklistVersionId::generate(),
            kept,
            begun_at: at,
            received_at: at,
            skew_ms: None,
            place: Place {
                text: "大厅".into(),
                latitude: None,
                longitude: None,
                datum: None,
                accuracy_m: None,
            },
            record: None,
            deducted: None,
            recorded_by: None,
            recorded_at: None,
            confirmed_at: None,
            released_at: None,
            disclosed_at: None,
            number: None,
            objection_until_on: Some("2026-03-05".parse().unwrap()),
            objection: None,
            decision: None,
            void_reason: None,
            awaited: Vec::new(),
            version: 1,
            created_at: at,
            updated_at: at,
        }
    }

    #[test]
    fn every_state_and_event_is_decided_by_state_and_then_by_who_it_is() {
        use CheckState::{
            Amended, Confirmed, Contested, Final, InProgress, Recorded, Released, Upheld, Voided,
        };
        let within: NaiveDate = "2026-03-05".parse().unwrap();
        let stand = |relations: &[Relation]| Stand(relations.to_vec());
        let team = stand(&[Relation::Team]);
        let recorder = stand(&[Relation::Team, Relation::Recorder]);
        let commander = stand(&[Relation::Commander]);
        let both = stand(&[Relation::Commander, Relation::Team, Relation::Recorder]);
        let head = stand(&[Relation::Head, Relation::OfUnit]);
        let other = stand(&[]);
        // Where each may be done by whom; of the others who they are is told where its state allows it.
        let is_checker = |stand: &Stand| stand.is(Relation::Team) || stand.is(Relation::Commander);
        let allowed = |action: CheckAction, state: CheckState, stand: &Stand| match action {
            CheckAction::Record => state == InProgress && stand.is(Relation::Team),
            CheckAction::Confirm => state == Recorded && *stand == commander,
            CheckAction::Release => state == Confirmed && stand.is(Relation::Commander),
            CheckAction::Contest => state == Released && *stand == head,
            CheckAction::Decide => state == Contested && *stand == other,
            CheckAction::Void => [InProgress, Recorded].contains(&state) && is_checker(stand),
            CheckAction::AddAddendum => {
                [Recorded, Confirmed, Released, Contested].contains(&state) && is_checker(stand)
            }
            // Of these checks nothing is awaited.
            CheckAction::GiveUpAttachments => false,
        };
        let codes = |action: CheckAction, state: CheckState, stand: &Stand| match (action, state) {
            (CheckAction::Record, InProgress) | (CheckAction::Void, InProgress | Recorded) => Code::NotInTeam,
            (CheckAction::Record, _) => Code::CheckRecorded,
            (CheckAction::Confirm, Recorded) if stand.is(Relation::Commander) => Code::ConfirmerIsRecorder,
            (CheckAction::Confirm, Recorded) | (CheckAction::Release, Confirmed) => Code::NotTheCommander,
            (CheckAction::Confirm, _)
            | (CheckAction::AddAddendum | CheckAction::GiveUpAttachments, InProgress) => {
                Code::CheckNotRecorded
            }
            (CheckAction::Release, _) => Code::CheckNotConfirmed,
            (CheckAction::Contest, Released) => Code::NotTheHead,
            (CheckAction::Contest, Final | Contested | Upheld | Amended) => Code::ObjectionClosed,
            (CheckAction::Contest, _) => Code::CheckNotReleased,
            (CheckAction::Decide, Contested) if stand.is(Relation::OfUnit) => Code::DeciderOfTheUnit,
            (CheckAction::Decide, Contested) => Code::DeciderIsChecker,
            (CheckAction::Decide, _) => Code::CheckNotContested,
            (CheckAction::Void, _) => Code::CheckNotVoidable,
            (
                CheckAction::AddAddendum | CheckAction::GiveUpAttachments,
                Upheld | Amended | Final | Voided,
            ) => Code::CheckEnded,
            (CheckAction::AddAddendum, _) => Code::NotInTeam,
            (CheckAction::GiveUpAttachments, _) => Code::NothingAwaited,
        };
        for state in CheckState::ALL {
            // Final is never kept: it follows from the day.
            let (kept, today) =
                if *state == Final { (Released, within.succ_opt().unwrap()) } else { (*state, within) };
            for action in CheckAction::ALL {
                for stand in [&team, &recorder, &commander, &both, &head, &other] {
                    let found = check(kept).judge(*action, stand, today).err().map(|error| error.code());
                    let wanted = (!allowed(*action, *state, stand)).then(|| codes(*action, *state, stand));
                    assert_eq!(found, wanted, "{state} {action} {stand:?}");
                }
            }
        }
    }

    #[test]
    fn nobody_confirms_what_has_not_all_come() {
        let today: NaiveDate = "2026-03-05".parse().unwrap();
        let mut recorded = check(CheckState::Recorded);
        recorded.awaited.push(AttachmentId::generate());
        let judged = |check: &Check, relation, action| {
            check.judge(action, &Stand(vec![relation]), today).err().map(|error| error.code())
        };
        // Whoever asks: it is the check that is not ready.
        for relation in [Relation::Commander, Relation::Team] {
            assert_eq!(judged(&recorded, relation, CheckAction::Confirm), Some(Code::AttachmentsAwaited));
        }
        assert_eq!(judged(&recorded, Relation::Team, CheckAction::AddAddendum), None);
        assert_eq!(judged(&recorded, Relation::Team, CheckAction::Void), None);
        assert_eq!(judged(&recorded, Relation::Team, CheckAction::GiveUpAttachments), None);
        assert_eq!(judged(&recorded, Relation::Commander, CheckAction::GiveUpAttachments), None);
        assert_eq!(judged(&recorded, Relation::Head, CheckAction::GiveUpAttachments), Some(Code::NotInTeam));
        recorded.awaited.clear();
        assert_eq!(judged(&recorded, Relation::Commander, CheckAction::Confirm), None);
    }
}
