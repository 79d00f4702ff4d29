//! What the demo's units have done of their tasks so far: the first are done, and the heads carry those
//! that are entered day by day.

use std::sync::Arc;

use super::story::{Desk, Person, holder};
use crate::access::policy::{EntryCreate, TaskComplete, TaskNamePersons};
use crate::access::{Doors, Role};
use crate::campaigns::clearing::rules::EntryDraft;
use crate::campaigns::clearing::service::{self as clearing, NewEntry};
use crate::campaigns::plan::rules::{PlanContent, Responsible, TaskDraft};
use crate::campaigns::rules::{ResponsibleExtent, TaskId};
use crate::campaigns::tasks::rules::AssignmentDraft;
use crate::campaigns::tasks::service as tasks;
use crate::db::start::Result;
use crate::org::officers::service as officers;
use crate::org::rules::Unit;

/// Tasks a unit has done by the day the demo is loaded.
const DONE: usize = 3;

/// The tasks of a plan that this unit has, the first due first.
fn tasks_of(plan: &PlanContent, unit: &Unit) -> Vec<(TaskId, bool)> {
    let has = |one: &Responsible| match one.extent {
        ResponsibleExtent::OnlySelf => one.unit_id == unit.id,
        ResponsibleExtent::Subtree => one.kind == Some(unit.kind),
    };
    let mut mine: Vec<&TaskDraft> =
        plan.tasks.iter().filter(|task| task.responsible.iter().any(has)).collect();
    mine.sort_by_key(|task| task.due_on);
    mine.into_iter().filter_map(|task| Some((task.id?, task.daily_entries))).collect()
}

/// Lets a unit's liaison and head act on the tasks of a plan in force.
pub(super) async fn tell(
    doors: &Arc<Doors>,
    people: &[Person],
    unit: &Unit,
    plan: &PlanContent,
) -> Result<()> {
    // Entries are made on the day it is, whatever day the campaign's dates are moved to.
    let today = doors.now().shanghai_day();
    let mine = tasks_of(plan, unit);
    let liaison = Desk::of(doors, holder(people, Role::Liaison, &unit.code)?).await?;
    let id = unit.id;
    for (task, _) in mine.iter().copied().filter(|(_, daily)| !daily).take(DONE) {
        let evidence = "已部署到人, 抽查 20 件均符合要求, 台账存办公室。";
        liaison.act::<TaskComplete, _>(move |tx| tasks::complete(tx, task, id, evidence).map(|_| ())).await?;
    }
    let head = Desk::of(doors, holder(people, Role::UnitHead, &unit.code)?).await?;
    for (task, _) in mine.into_iter().filter(|(_, daily)| *daily).take(1) {
        head.act::<TaskNamePersons, _>(move |tx| {
            let own = officers::of_caller(tx)?;
            let assignment = tasks::of_unit(tx, task, id)?;
            let draft = AssignmentDraft { officer_ids: own.into_iter().collect() };
            tasks::name_persons(tx, task, assignment.id, |_| Ok(draft.clone())).map(|_| ())
        })
        .await?;
        let content = EntryDraft {
            done: "当日接处警逐件回访, 群众均无异议。".to_owned(), amount: Some(34)
        };
        let new = NewEntry { id: None, officer: None, day: today, content };
        head.act::<EntryCreate, _>(move |tx| clearing::create(tx, task, &new).map(|_| ())).await?;
    }
    Ok(())
}
