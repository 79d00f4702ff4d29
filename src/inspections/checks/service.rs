//! Use cases on unannounced checks: looking at them, beginning them.

use serde_json::{Value, json};

use super::awaited::{self, Photos, Sorted};
use super::rules::{
    Addendum, Check, CheckAction, CheckId, CheckRecord, CheckState, Place, Relation, Stand, least_team,
};
use super::store;
pub use super::store::CheckFilter;
use super::{addendum_store, answers, command, embargo};
use crate::access::policy::{
    Action, Background, CheckAddendum, CheckConfirm, CheckContest, CheckCreate, CheckDecide, CheckGiveUp,
    CheckRead, CheckRecordSet, CheckRelease, CheckVoid, WorkFollow,
};
use crate::access::{EffectTx, Reach, Tx, UserId, holders};
use crate::audit::Change;
use crate::db::Instant;
use crate::errors::{AppError, Code, FieldError, Result, deactivated, text, unknown};
use crate::inspections::attachments::rules::{MOST_ATTACHED, ShownIn};
use crate::inspections::attachments::service as attachments;
use crate::inspections::authorisations::command as commands;
use crate::inspections::authorisations::rules::{Authorisation, AuthorisationId, CheckKind};
use crate::inspections::authorisations::service as authorisations;
use crate::inspections::checklists::items::Item;
use crate::inspections::checklists::rules::{ChecklistVersion, ChecklistVersionId};
use crate::inspections::checklists::service as checklists;
use crate::inspections::conflicts::service as conflicts;
use crate::org::rules::{Unit, UnitId, UnitStatus};
use crate::org::service as units;
use crate::org::stand_ins::service as stand_ins;
use crate::web::{MadeSort, Page, Paging};

/// How far a device's clock, once set right by what it says of itself, may be ahead of ours, seconds.
const AHEAD: i64 = 300;

/// The caller's own checks, and those within reach that may be known of.
///
/// # Errors
/// `invalid_cursor`.
pub fn list(
    tx: &mut Tx<'_, CheckRead>,
    filter: &CheckFilter,
    sort: MadeSort,
    paging: &Paging,
) -> Result<Page<Check>> {
    store::list(tx, filter, sort, paging)
}

/// One check.
///
/// # Errors
/// `not_found`.
pub fn find(tx: &mut Tx<'_, CheckRead>, id: CheckId) -> Result<Check> {
    visible(tx, id)
}

/// Whether the caller may know of a check.
///
/// # Errors
/// When the database fails.
pub fn may_be_known<A: Action>(tx: &mut Tx<'_, A>, id: CheckId) -> Result<bool> {
    let reach = tx.reach_of::<CheckRead>().unwrap_or_default();
    store::knows(tx, &reach, id)
}

/// The versions of checklists by which the caller's checks in progress are made, some of them.
///
/// # Errors
/// When the database fails.
pub fn versions_in_hand<A: Action>(tx: &mut Tx<'_, A>) -> Result<Vec<ChecklistVersionId>> {
    store::versions_in_hand(tx)
}

/// The check, whoever may know of it: for what the server does by itself.
///
/// # Errors
/// When the database fails.
pub(in crate::inspections) fn unseen(tx: &mut Tx<'_, Background>, id: CheckId) -> Result<Option<Check>> {
    store::unseen(tx, id)
}

/// Those of these checks that have been voided, whoever may know of them.
///
/// # Errors
/// When the database fails.
pub fn voided<A: Action>(tx: &mut Tx<'_, A>, ids: &[CheckId]) -> Result<Vec<CheckId>> {
    store::voided(tx, ids)
}

/// The check of this id, when it is to be noted that the caller looks at what is bound to it.
///
/// # Errors
/// `not_found`.
pub fn noted<A: Action>(tx: &mut Tx<'_, A>, id: CheckId) -> Result<Option<CheckId>> {
    let check = visible(tx, id)?;
    embargo::noted(tx, &check)
}

/// One check, for what it has led to.
///
/// # Errors
/// `not_found`.
pub(in crate::inspections) fn visible<A: Action>(tx: &mut Tx<'_, A>, id: CheckId) -> Result<Check> {
    let reach = tx.reach_of::<CheckRead>().unwrap_or_default();
    store::find(tx, &reach, id)?.ok_or_else(|| AppError::new(Code::NotFound))
}

/// What was added to the record of a check that the caller sees.
///
/// # Errors
/// When the database fails.
pub fn addenda<A: Action>(tx: &mut Tx<'_, A>, check: &Check) -> Result<Vec<Addendum>> {
    addendum_store::addenda(tx, check.id)
}

/// The version of its checklist that a check is made with.
///
/// # Errors
/// When the database fails.
pub fn checklist_of<A: Action>(tx: &mut Tx<'_, A>, check: &Check) -> Result<ChecklistVersion> {
    checklists::made_with(tx, check.checklist_version_id)
}

/// How the caller stands to checks: asked once a request, not once a row.
pub struct Caller {
    user: UserId,
    headed: Vec<String>,
    own_path: Option<String>,
    may: Vec<(CheckAction, Reach)>,
}

/// How far each action on checks reaches for the caller; what is not theirs is left out.
pub(super) fn reaches<A: Action>(tx: &Tx<'_, A>) -> Vec<(CheckAction, Reach)> {
    let may = [
        (CheckAction::Record, tx.reach_of::<CheckRecordSet>()),
        (CheckAction::Confirm, tx.reach_of::<CheckConfirm>()),
        (CheckAction::Release, tx.reach_of::<CheckRelease>()),
        (CheckAction::Contest, tx.reach_of::<CheckContest>()),
        (CheckAction::Decide, tx.reach_of::<CheckDecide>()),
        (CheckAction::Void, tx.reach_of::<CheckVoid>()),
        (CheckAction::AddAddendum, tx.reach_of::<CheckAddendum>()),
        (CheckAction::GiveUpAttachments, tx.reach_of::<CheckGiveUp>()),
    ];
    may.into_iter().filter_map(|(action, reach)| Some((action, reach?))).collect()
}

impl Caller {
    /// Asks.
    ///
    /// # Errors
    /// When the database fails.
    pub fn of<A: Action>(tx: &mut Tx<'_, A>) -> Result<Self> {
        let (user, may) = (tx.user()?, reaches(tx));
        let signs_for: Vec<UnitId> = stand_ins::signs_for(tx)?.into_iter().map(|(unit, _)| unit).collect();
        let headed = units::referred(tx, &signs_for)?.into_iter().map(|unit| unit.path).collect();
        let own_path = holders::paths_of(tx, &[user])?.pop().map(|(_, path)| path);
        Ok(Self { user, headed, own_path, may })
    }

    /// How they stand to one.
    #[must_use]
    pub fn stand(&self, check: &Check) -> Stand {
        let own = self.own_path.as_ref();
        let relations = [
            (Relation::Team, check.team.contains(&self.user)),
            (Relation::Commander, check.commander_id == self.user),
            (Relation::Recorder, check.recorded_by == Some(self.user)),
            (Relation::Head, self.headed.contains(&check.unit_path)),
            (Relation::OfUnit, own.is_some_and(|path| path.starts_with(&check.unit_path))),
        ];
        Stand(relations.into_iter().filter(|(_, holds)| *holds).map(|(relation, _)| relation).collect())
    }

    /// What they may do with it now.
    #[must_use]
    pub fn allowed(&self, check: &Check, today: chrono::NaiveDate) -> Vec<CheckAction> {
        let stand = self.stand(check);
        let reaches = |(action, reach): &(CheckAction, Reach)| {
            // Whose check it is follows from the check; the unit's side of it from the reach.
            let reached = reach.assigned || reach.contains(&check.unit_path);
            (reached && check.judge(*action, &stand, today).is_ok()).then_some(*action)
        };
        self.may.iter().filter_map(reaches).collect()
    }
}

/// A check to be entered, as a device tells of it.
#[derive(Debug, Clone)]
pub struct NewCheck {
    /// The id the device chose.
    pub id: Option<CheckId>,
    /// Under which authorisation.
    pub authorisation_id: AuthorisationId,
    /// How.
    pub kind: CheckKind,
    /// Whom it inspects.
    pub unit_id: UnitId,
    /// With which version of a checklist.
    pub checklist_version_id: ChecklistVersionId,
    /// By whom.
    pub team: Vec<UserId>,
    /// When it was begun, by the device's clock.
    pub begun_at: Instant,
    /// What the device's clock says now.
    pub sent_at: Option<Instant>,
    /// Where.
    pub place: Place,
    /// What was seen, when it is over already.
    pub record: Option<CheckRecord>,
}

impl NewCheck {
    /// How far the device's clock is ahead of ours, milliseconds.
    fn skew_ms(&self, now: Instant) -> Option<i64> {
        self.sent_at.map(|sent| (sent.micros() - now.micros()) / 1000)
    }

    /// When it was begun, by our clock.
    fn begun(&self, now: Instant) -> Instant {
        Instant::from_micros(self.begun_at.micros() - self.skew_ms(now).unwrap_or_default() * 1000)
    }

    fn is(&self, there: &Check) -> bool {
        there.authorisation_id == self.authorisation_id
            && there.kind == self.kind
            && there.unit_id == self.unit_id
            && there.checklist_version_id == self.checklist_version_id
            && there.team == self.team
            && there.begun_at == self.begun_at
            && there.place == self.place
            && (self.record.is_none() || there.record == self.record)
    }
}

/// Enters a check that is going on, or is over and recorded already; whether it was here before.
///
/// # Errors
/// `id_taken`; `invalid_body` with everything that is wrong; `authorisation_not_in_force`, `inspects_own_unit`,
/// `commander_has_conflict`.
pub fn create(tx: &mut Tx<'_, CheckCreate>, new: &NewCheck, photos: Photos) -> Result<(Check, bool)> {
    if let Some(id) = new.id
        && store::is_taken(tx, id)?
    {
        let reach = tx.reach().clone();
        let there = store::find(tx, &reach, id)?;
        tx.nothing_changed();
        return match there {
            Some(there) if new.is(&there) => Ok((there, true)),
            _ => Err(AppError::new(Code::IdTaken)),
        };
    }
    // Nothing is here yet: an If-Match that names a version of it is stale.
    tx.check_version(0)?;
    let Ground { authorisation, commander_id, unit, version, shown } = judge(tx, new, photos)?;
    let (now, user) = (tx.now(), tx.user()?);
    let deducted = new.record.as_ref().map(|record| total(&version.content.items, &record.answers));
    let is_recorded = new.record.is_some();
    let mut made = Check {
        id: new.id.unwrap_or_else(CheckId::generate),
        authorisation_id: authorisation.id,
        kind: new.kind,
        unit_id: unit.id,
        unit_path: unit.path,
        team: new.team.clone(),
        commander_id,
        checklist_version_id: version.id,
        kept: if is_recorded { CheckState::Recorded } else { CheckState::InProgress },
        begun_at: new.begun_at,
        received_at: now,
        skew_ms: new.skew_ms(now),
        place: new.place.clone(),
        record: new.record.clone(),
        deducted,
        recorded_by: is_recorded.then_some(user),
        recorded_at: is_recorded.then_some(now),
        confirmed_at: None,
        released_at: None,
        disclosed_at: None,
        number: None,
        objection_until_on: None,
        objection: None,
        decision: None,
        void_reason: None,
        awaited: Vec::new(),
        version: 1,
        created_at: now,
        updated_at: now,
    };
    store::insert(tx, &made)?;
    record(tx, None, &made, None)?;
    awaited::settle(tx, &shown, &mut made, ShownIn::Record)?;
    Ok((made, false))
}

/// What a check stands on.
struct Ground {
    authorisation: Authorisation,
    commander_id: UserId,
    unit: Unit,
    version: ChecklistVersion,
    shown: Sorted,
}

fn judge(tx: &mut Tx<'_, CheckCreate>, new: &NewCheck, photos: Photos) -> Result<Ground> {
    let (now, user) = (tx.now(), tx.user()?);
    let (mut errors, mut shown) = (Vec::new(), Sorted::default());
    let authorisation = authorisations::of_team(tx, new.authorisation_id)?;
    if authorisation.is_none() {
        errors.push(unknown("/authorisation_id"));
    }
    let unit = units::referred(tx, &[new.unit_id])?.pop();
    match &unit {
        None => errors.push(unknown("/unit_id")),
        Some(unit) if unit.status == UnitStatus::Deactivated => errors.push(deactivated("/unit_id")),
        Some(_) => {}
    }
    let (mut parted, mut stand_at, mut commanders) = (Vec::new(), Vec::new(), None);
    if let Some(authorisation) = &authorisation {
        let line = commands::commanders(tx, authorisation, new.begun(now))?;
        let people: Vec<UserId> = new.team.iter().copied().chain([line.0]).collect();
        commanders = Some(line);
        let able = authorisations::able(tx, &new.team)?;
        // Of a unit that it does not cover nobody is to learn here who has declared an interest in it; of their own neither.
        let asked: Vec<UserId> = people.iter().copied().chain([user]).collect();
        stand_at = holders::paths_of(tx, &asked)?;
        let is_own =
            |unit: &Unit| stand_at.iter().any(|(who, path)| *who == user && path.starts_with(&unit.path));
        if let Some(unit) = unit.as_ref().filter(|unit| authorisation.covers(&unit.path) && !is_own(unit)) {
            parted = conflicts::parted(tx, &people, unit.id, new.begun(now))?;
        }
        judge_by(authorisation, (&able, &parted), unit.as_ref(), (user, new), &mut errors);
    }
    let version = match &unit {
        Some(unit) => checklists::usable(tx, new.checklist_version_id, unit, new.begun(now))?,
        None => None,
    };
    if unit.is_some() && version.is_none() {
        errors.push(unknown("/checklist_version_id"));
    }
    if new.begun(now) > now.plus_seconds(AHEAD) {
        let detail = text!("开始的时刻尚未到来", "It lies ahead of the server's clock");
        errors.push(FieldError::body("/begun_at", Code::InTheFuture, detail));
    }
    if let (Some(version), Some(record)) = (&version, &new.record) {
        let named = record.named("/record");
        attachments::refuse_too_many(&named, MOST_ATTACHED, "/record/attachment_ids", &mut errors);
        shown = awaited::sort(tx, named, &new.team, photos, &mut errors)?;
        let times = (new.begun_at, new.skew_ms(now), now);
        judge_record(&version.content.items, record, times, "/record", &mut errors);
    }
    let (Some(authorisation), Some((commander, since)), Some(unit), Some(version)) =
        (authorisation, commanders, unit, version)
    else {
        return Err(AppError::fields(Code::InvalidBody, errors));
    };
    if !errors.is_empty() {
        return Err(AppError::fields(Code::InvalidBody, errors));
    }
    if !authorisation.is_in_force_at(new.begun(now)) {
        return Err(AppError::new(Code::AuthorisationNotInForce));
    }
    // Nobody inspects their own unit, nor one above it, nor commands that: whoever did when it was begun.
    if stand_at.iter().any(|(_, path)| path.starts_with(&unit.path)) {
        return Err(AppError::new(Code::InspectsOwnUnit));
    }
    if parted.contains(&commander) {
        return Err(AppError::new(Code::CommanderHasConflict));
    }
    let commander_id = command::given(tx, (commander, &since), (unit.id, &unit.path))?;
    Ok(Ground { authorisation, commander_id, unit, version, shown })
}

/// What the authorisation does not allow, nor what those of its team have declared.
fn judge_by(
    authorisation: &Authorisation,
    (able, parted): (&[UserId], &[UserId]),
    unit: Option<&Unit>,
    (user, new): (UserId, &NewCheck),
    errors: &mut Vec<FieldError>,
) {
    let content = &authorisation.content;
    if unit.is_some_and(|unit| !authorisation.covers(&unit.path)) {
        let detail = text!("不在授权的范围之内", "It lies outside the authorisation's area");
        errors.push(FieldError::body("/unit_id", Code::NotAllowedValue, detail));
    }
    if !content.kinds.contains(&new.kind) {
        let detail = text!("授权不含这种方式", "The authorisation does not allow this kind");
        errors.push(FieldError::body("/kind", Code::NotAllowedValue, detail));
    }
    for (at, member) in new.team.iter().enumerate() {
        let pointer = format!("/team_user_ids/{at}");
        if !content.team_user_ids.contains(member) || !able.contains(member) {
            let detail = text!(
                "不在授权的检查人员之内, 或已不任督察、特邀监督员",
                "The authorisation does not name them, or they inspect no more"
            );
            errors.push(FieldError::body(pointer, Code::NotAllowedValue, detail));
        } else if new.team.iter().take(at).any(|other| other == member) {
            errors.push(FieldError::body(pointer, Code::NotUnique, text!("有重复", "It is there twice")));
        } else if parted.contains(member) {
            let code = Code::ConflictDeclared;
            errors.push(FieldError::body(pointer, code, code.title()));
        }
    }
    let least = least_team(new.kind);
    if new.team.len() < least {
        let detail = text!("明察须至少 {least} 人", "It takes at least {least} inspectors");
        errors.push(FieldError::body("/team_user_ids", Code::TooFew, detail));
    }
    if !new.team.contains(&user) {
        let detail = text!("检查人员须含本人", "Whoever enters it is one of them");
        errors.push(FieldError::body("/team_user_ids", Code::Required, detail));
    }
}

/// What is wrong with a record beyond its schema.
pub(super) fn judge_record(
    items: &[Item],
    record: &CheckRecord,
    (begun_at, skew_ms, now): (Instant, Option<i64>, Instant),
    pointer: &str,
    errors: &mut Vec<FieldError>,
) {
    answers::judge(items, &record.answers, &format!("{pointer}/answers"), errors);
    answers::judge_evidence(items, &record.answers, &format!("{pointer}/answers"), errors);
    let ended = Instant::from_micros(record.ended_at.micros() - skew_ms.unwrap_or_default() * 1000);
    if ended > now.plus_seconds(AHEAD) {
        let detail = text!("结束的时刻尚未到来", "It lies ahead of the server's clock");
        errors.push(FieldError::body(format!("{pointer}/ended_at"), Code::InTheFuture, detail));
    }
    if record.ended_at < begun_at {
        let detail = text!("结束早于开始", "It ended before it began");
        errors.push(FieldError::body(format!("{pointer}/ended_at"), Code::OutOfOrder, detail));
    }
}

/// What good answers deduct altogether, hundredths of a point.
pub(super) fn total(items: &[Item], given: &[super::rules::Answer]) -> i64 {
    answers::deductions(items, given).iter().sum()
}

fn facts(check: &Check) -> Value {
    let said = |told: &Option<(String, UserId, Instant)>| told.as_ref().map(|(text, ..)| text.clone());
    json!({
        "authorisation_id": check.authorisation_id, "kind": check.kind, "unit_id": check.unit_id, "team": check.team,
        "commander_id": check.commander_id, "checklist_version_id": check.checklist_version_id, "state": check.kept,
        "begun_at": check.begun_at, "received_at": check.received_at, "skew_ms": check.skew_ms, "place": check.place,
        "record": check.record, "deducted": check.deducted, "number": check.number,
        "objection_until_on": check.objection_until_on, "objection": said(&check.objection),
        "decision": check.decision.as_ref().map(|(decision, ..)| decision), "void_reason": check.void_reason,
        "disclosed_at": check.disclosed_at,
    })
}

/// Leaves the row of the log: held back while nobody but the team and its commander may know of the check.
pub(super) fn record<A: Action>(
    tx: &mut Tx<'_, A>,
    before: Option<&Check>,
    after: &Check,
    reason: Option<&str>,
) -> Result<()> {
    if !after.is_told() {
        tx.hold_back(after.id);
    }
    let (before, facts) = (before.map(facts), facts(after));
    tx.record(&Change {
        entity: "unannounced_check",
        entity_id: &after.id.to_string(),
        before: before.as_ref(),
        after: Some(&facts),
        reason,
    })
}

/// Has the successor of a unit that ends answer for the checks of that unit: object to them, and be kept from deciding on
/// them. Whom they inspected they go on to say. No row of the log tells of it: some of them are nobody's to know of.
///
/// # Errors
/// When the database fails.
pub fn hand_over(tx: &mut EffectTx<'_, WorkFollow>, from: &Unit, to: &Unit) -> Result<()> {
    store::give(tx, &from.path, &to.path)
}

/// Rewrites the paths of the checks of a moved subtree.
///
/// # Errors
/// When the database fails.
pub fn follow(tx: &mut EffectTx<'_, WorkFollow>, from: &str, to: &str) -> Result<()> {
    store::follow(tx, from, to)
}
