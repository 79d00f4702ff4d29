//! What the demo's inspections look at.

use std::sync::Arc;

use chrono::Duration;

use super::conflicts;
use super::story::{Desk, Person, holder};
use super::visits;
use crate::access::holders::by_login;
use crate::access::policy::{
    AuthorisationApprove, AuthorisationPropose, ChecklistCreate, ChecklistPublish, ChecklistUpdate, UserRead,
};
use crate::access::{Doors, Role, UserId};
use crate::db::start::{Result, StartError};
use crate::inspections::authorisations::rules::{AuthorisationContent, AuthorisationId, CheckKind};
use crate::inspections::authorisations::service::{self as authorisations, NewAuthorisation};
use crate::inspections::checklists::rules::{ChecklistContent, ChecklistId};
use crate::inspections::checklists::service::{self as checklists, NewChecklist};
use crate::inspections::checklists::templates::ChecklistTemplate;
use crate::org::rules::{Unit, UnitId};

/// The province has published the four checklists that every province has at hand, and is writing at the next version of
/// one of them; the first city is drafting one of its own.
pub(super) async fn tell(
    doors: &Arc<Doors>,
    units: &[Unit],
    people: &[Person],
    first: &[String],
) -> Result<()> {
    let root = units.first().ok_or_else(|| StartError::new("a province without a root"))?;
    let office = Desk::of(doors, holder(people, Role::GroupOffice, &root.code)?).await?;
    let mut made = Vec::new();
    for template in ChecklistTemplate::ALL {
        let id = begin(&office, root.id, template.content()?).await?;
        office.act::<ChecklistPublish, _>(move |tx| checklists::publish(tx, id).map(|_| ())).await?;
        made.push((*template, id));
    }
    if let Some(&(_, id)) = made.last() {
        let change = |content: &ChecklistContent| {
            let mut next = content.clone();
            for item in next.items.iter_mut().take(1) {
                item.focus_weight = 9;
            }
            Ok(next)
        };
        office.act::<ChecklistUpdate, _>(move |tx| checklists::update(tx, id, change).map(|_| ())).await?;
    }
    let standing = authorise(doors, &office, root, people).await?;
    let dress = made.iter().find(|(template, _)| *template == ChecklistTemplate::DressDiscipline);
    if let Some(&(_, checklist)) = dress {
        visits::tell(doors, units, people, first, (standing, checklist)).await?;
    }
    conflicts::tell(doors, units, people).await?;
    if let Some(city) = first.first().and_then(|code| units.iter().find(|unit| unit.code == *code)) {
        let desk = Desk::of(doors, holder(people, Role::GroupOffice, &city.code)?).await?;
        let base = ChecklistTemplate::ServiceWindow.content()?;
        let content =
            ChecklistContent { title: format!("{}服务窗口补充检查清单", city.name), ..base };
        begin(&desk, city.id, content).await?;
    }
    Ok(())
}

/// The authorisation that is in force, and who checks under it.
pub(super) struct Standing {
    pub authorisation: AuthorisationId,
    pub team: Vec<UserId>,
}

/// What the demo's authorisations last, days: from the day before to the end of a quarter.
const DAYS: i64 = 90;

/// One authorisation is in force, under discipline's command; one waits to be approved.
async fn authorise(doors: &Arc<Doors>, office: &Desk, root: &Unit, people: &[Person]) -> Result<Standing> {
    let discipline = Desk::of(doors, holder(people, Role::Discipline, &root.code)?).await?;
    let mut named = Vec::new();
    for role in [Role::Inspector, Role::SpecialSupervisor, Role::Discipline] {
        let login = holder(people, role, &root.code)?.account.login.clone();
        let found = office.act::<UserRead, _>(move |tx| by_login(tx, &login)).await?;
        named.push(found.ok_or_else(|| StartError::new("an account of the demo is not there"))?);
    }
    let commander = named.pop().ok_or_else(|| StartError::new("nobody commands in the demo"))?;
    let team = named;
    let from = doors.now().shanghai_day() - Duration::days(1);
    let propose = |title: &str, kinds: Vec<CheckKind>, team: Vec<UserId>| {
        let content = AuthorisationContent {
            title: title.to_owned(),
            basis: "领导小组会议: 对基层所队和服务窗口常态开展明察暗访。".to_owned(),
            kinds,
            area_unit_ids: vec![root.id],
            team_user_ids: team,
            commander_user_id: commander,
            valid_from_on: from,
            valid_until_on: from + Duration::days(DAYS),
        };
        let new = NewAuthorisation { id: None, unit_id: root.id, content };
        discipline.act::<AuthorisationPropose, _>(move |tx| Ok(authorisations::propose(tx, &new)?.0.id))
    };
    let standing = propose("全省所队窗口明察暗访", CheckKind::ALL.to_vec(), team.clone()).await?;
    office
        .act::<AuthorisationApprove, _>(move |tx| {
            authorisations::approve(tx, standing, Some("同意, 注意保密。")).map(|_| ())
        })
        .await?;
    propose("夜间值班专项暗访", vec![CheckKind::Covert], team.clone()).await?;
    Ok(Standing { authorisation: standing, team })
}

async fn begin(desk: &Desk, unit_id: UnitId, content: ChecklistContent) -> Result<ChecklistId> {
    let new = NewChecklist { id: None, unit_id, department_id: None, content };
    desk.act::<ChecklistCreate, _>(move |tx| Ok(checklists::create(tx, &new)?.0.id)).await
}
