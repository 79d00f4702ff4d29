//! What the demo's inspections look at.

use std::sync::Arc;

use super::story::{Desk, Person, holder};
use crate::access::policy::{ChecklistCreate, ChecklistPublish, ChecklistUpdate};
use crate::access::{Doors, Role};
use crate::db::start::{Result, StartError};
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
    let mut last = None;
    for template in ChecklistTemplate::ALL {
        let id = begin(&office, root.id, template.content()).await?;
        office.act::<ChecklistPublish, _>(move |tx| checklists::publish(tx, id).map(|_| ())).await?;
        last = Some(id);
    }
    if let Some(id) = last {
        let change = |content: &ChecklistContent| {
            let mut next = content.clone();
            for item in next.items.iter_mut().take(1) {
                item.focus_weight = 9;
            }
            Ok(next)
        };
        office.act::<ChecklistUpdate, _>(move |tx| checklists::update(tx, id, change).map(|_| ())).await?;
    }
    if let Some(city) = first.first().and_then(|code| units.iter().find(|unit| unit.code == *code)) {
        let desk = Desk::of(doors, holder(people, Role::GroupOffice, &city.code)?).await?;
        let base = ChecklistTemplate::ServiceWindow.content();
        let content =
            ChecklistContent { title: format!("{}服务窗口补充检查清单", city.name), ..base };
        begin(&desk, city.id, content).await?;
    }
    Ok(())
}

async fn begin(desk: &Desk, unit_id: UnitId, content: ChecklistContent) -> Result<ChecklistId> {
    let new = NewChecklist { id: None, unit_id, department_id: None, content };
    desk.act::<ChecklistCreate, _>(move |tx| Ok(checklists::create(tx, &new)?.0.id)).await
}
