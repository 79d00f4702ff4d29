//! The demo's unannounced checks: one released, one contested, one that nobody but its team and commander knows of.

use std::sync::Arc;

use super::checks::Standing;
use super::photos::{Taken, photo};
use super::story::{Desk, Person, holder, trouble};
use crate::access::policy::{CheckConfirm, CheckContest, CheckCreate, CheckRelease, ChecklistRead};
use crate::access::{Doors, Role};
use crate::db::Instant;
use crate::db::start::Result;
use crate::inspections::attachments::rules::AttachmentId;
use crate::inspections::authorisations::rules::CheckKind;
use crate::inspections::checklists::rules::{ChecklistId, ChecklistVersionId};
use crate::inspections::checklists::service as checklists;
use crate::inspections::checks::awaited::Photos;
use crate::inspections::checks::rules::{Answer, CheckId, CheckRecord, Datum, PersonMet, Place, least_team};
use crate::inspections::checks::service::{self as checks, NewCheck};
use crate::inspections::checks::transitions;
use crate::org::rules::{Unit, UnitId, UnitKind};

/// Checks that were made since the authorisation was approved.
pub(super) async fn tell(
    doors: &Arc<Doors>,
    units: &[Unit],
    people: &[Person],
    first: &[String],
    (standing, checklist): (Standing, ChecklistId),
) -> Result<()> {
    let Some(root) = units.first() else { return Ok(()) };
    let inspector = Desk::of(doors, holder(people, Role::Inspector, &root.code)?).await?;
    let commander = Desk::of(doors, holder(people, Role::Discipline, &root.code)?).await?;
    let version = inspector
        .act::<ChecklistRead, _>(move |tx| Ok(checklists::current_version(tx, checklist)?.id))
        .await?;
    let counties: Vec<UnitId> =
        units.iter().filter(|unit| unit.kind == UnitKind::County).map(|unit| unit.id).take(2).collect();
    let now = doors.now();
    let visit = Visit { standing: &standing, version, now };

    if let Some(county) = counties.first() {
        let id = visit.made(&inspector, CheckKind::Open, *county).await?;
        released(&commander, id).await?;
    }
    if let Some(city) = first.first().and_then(|code| units.iter().find(|unit| unit.code == *code)) {
        let id = visit.made(&inspector, CheckKind::Covert, city.id).await?;
        released(&commander, id).await?;
        let head = Desk::of(doors, holder(people, Role::UnitHead, &city.code)?).await?;
        let why = "GL-1: 带班领导当时在楼下接待来访群众, 有登记为证, 请予复核。";
        head.act::<CheckContest, _>(move |tx| transitions::contest(tx, id, why, &[]).map(|_| ())).await?;
    }
    if let Some(county) = counties.last() {
        let id = visit.made(&inspector, CheckKind::Covert, *county).await?;
        commander.act::<CheckConfirm, _>(move |tx| transitions::confirm(tx, id, None).map(|_| ())).await?;
    }
    Ok(())
}

async fn released(commander: &Desk, id: CheckId) -> Result<()> {
    commander.act::<CheckConfirm, _>(move |tx| transitions::confirm(tx, id, None).map(|_| ())).await?;
    commander.act::<CheckRelease, _>(move |tx| transitions::release(tx, id).map(|_| ())).await
}

/// What the demo's checks have in common.
struct Visit<'s> {
    standing: &'s Standing,
    version: ChecklistVersionId,
    now: Instant,
}

impl Visit<'_> {
    /// A check that arrives when it is over.
    async fn made(&self, inspector: &Desk, kind: CheckKind, unit_id: UnitId) -> Result<CheckId> {
        let least = least_team(kind);
        let taken = Taken { at: self.now, latitude: 25_040_500, longitude: 102_709_700 };
        let mut shown = Vec::new();
        for (name, seed) in [("值班室.jpg", 3), ("枪弹柜.jpg", 40)] {
            let bytes = photo((1200, 900), seed, Some(taken)).map_err(|error| trouble(&error))?;
            shown.push(inspector.upload(name, bytes).await?);
        }
        let new = NewCheck {
            id: None,
            authorisation_id: self.standing.authorisation,
            kind,
            unit_id,
            checklist_version_id: self.version,
            team: self.standing.team.iter().copied().take(least).collect(),
            begun_at: self.now,
            sent_at: Some(self.now),
            place: Place {
                text: "值班室及一楼大厅".to_owned(),
                latitude: Some("25.0405".to_owned()),
                longitude: Some("102.7097".to_owned()),
                datum: Some(Datum::Gcj02),
                accuracy_m: Some(15),
            },
            record: Some(record(self.now, &shown)),
        };
        inspector.act::<CheckCreate, _>(move |tx| Ok(checks::create(tx, &new, Photos::AreHere)?.0.id)).await
    }
}

/// Of the checklist of dress and discipline: the leader on duty was not there, and somebody played cards.
fn record(ended_at: Instant, shown: &[AttachmentId]) -> CheckRecord {
    let answer = |item: &str| Answer {
        item: item.to_owned(),
        yes: None,
        number: None,
        choice: None,
        text: None,
        not_applicable: false,
        note: None,
        attachment_ids: Vec::new(),
    };
    let yes = |item: &str, yes: bool| Answer { yes: Some(yes), ..answer(item) };
    let (first, rest) = shown.split_at(shown.len().min(1));
    let (first, rest) = (first.to_vec(), rest.to_vec());
    let absent = "带班领导电话无人接听, 十二分钟后到岗。".to_owned();
    CheckRecord {
        answers: vec![
            yes("ZZ-1", true),
            Answer { note: Some(absent), attachment_ids: first, ..yes("GL-1", false) },
            Answer { number: Some("3".to_owned()), ..answer("GL-2") },
            Answer { attachment_ids: rest, ..yes("JJ-1", false) },
            yes("JJ-2", true),
            yes("JJ-3", false),
        ],
        people_met: vec![PersonMet {
            who: "值班民警".to_owned(),
            post: Some("值班室".to_owned()),
            conduct: Some("接待规范, 报告及时。".to_owned()),
        }],
        summary: Some("值班备勤总体到位, 带班领导脱岗。".to_owned()),
        ended_at,
        attachment_ids: Vec::new(),
    }
}
