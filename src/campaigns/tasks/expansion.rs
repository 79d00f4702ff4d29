//! From the task list of a plan in force to assignments.

use std::collections::hash_map::Entry;
use std::collections::{BTreeSet, HashMap};

use serde_json::json;

use super::carrying::{Delta, settle};
use super::count_store as counted;
use super::rules::{Assignment, AssignmentId, AssignmentState, chain};
use super::store::{self, ListedTask};
use crate::access::policy::{Action, MayCause, TasksAssign};
use crate::access::{EffectTx, PathRange, Tx};
use crate::audit::Change;
use crate::campaigns::clearing::duties;
use crate::campaigns::plan::rules::Responsible;
use crate::campaigns::rules::{PlanId, ResponsibleExtent, TaskId};
use crate::errors::Result;
use crate::org::rules::{UnitId, UnitKind, UnitStatus};
use crate::org::service as org;

/// A unit and its path.
type Place = (UnitId, String);
/// A task that a unit is to have.
type Wanted = HashMap<(TaskId, UnitId), String>;

/// Makes the assignments of a plan what its task list says now: adds what is missing, retires what is
/// no longer assigned and not done, keeps what is done, follows changed deadlines. Done again, it
/// changes nothing.
///
/// # Errors
/// When the database fails.
pub fn expand<A: MayCause<TasksAssign>>(tx: &mut Tx<'_, A>, plan: PlanId) -> Result<()> {
    let tasks = store::task_list(tx, plan)?;
    let wanted = wanted(tx, &tasks)?;
    tx.effect::<TasksAssign, _>(|tx| adjust(tx, plan, &tasks, wanted))
}

/// Ends what is under way of a plan that is closed: nobody owes entries for it any more. Its assignments stay in
/// the figures as they are: what was not done was not done.
///
/// # Errors
/// When the database fails.
pub fn close<A: MayCause<TasksAssign>>(tx: &mut Tx<'_, A>, plan: PlanId) -> Result<()> {
    tx.effect::<TasksAssign, _>(|tx| {
        let assignments = counted::of_plan(tx, plan)?;
        duties::closed(tx, &assignments)
    })
}

/// Begins or ends, with tomorrow, what the persons of tasks owe by the day: those that ask for daily entries
/// from now on (`true`), and those that do no more.
///
/// # Errors
/// When the database fails.
pub fn entries_switched<A: MayCause<TasksAssign>>(
    tx: &mut Tx<'_, A>,
    plan: PlanId,
    switched: &[(TaskId, bool)],
) -> Result<()> {
    if switched.is_empty() {
        return Ok(());
    }
    let daily: HashMap<TaskId, bool> = switched.iter().copied().collect();
    tx.effect::<TasksAssign, _>(|tx| {
        let assignments = counted::of_plan(tx, plan)?;
        let of = |wanted: bool| -> Vec<Assignment> {
            let these = assignments.iter().filter(|one| daily.get(&one.task_id) == Some(&wanted));
            these.cloned().collect()
        };
        duties::asked_no_more(tx, &of(false))?;
        duties::asked(tx, &of(true))
    })
}

fn wanted<A: Action>(tx: &mut Tx<'_, A>, tasks: &[ListedTask]) -> Result<Wanted> {
    // Many tasks name the same units: each expression is looked up once.
    let mut known: HashMap<(UnitId, ResponsibleExtent, Option<UnitKind>), Vec<Place>> = HashMap::new();
    let mut wanted = Wanted::new();
    for task in tasks {
        for &Responsible { unit_id, extent, kind } in &task.responsible {
            let key = (unit_id, extent, kind);
            if let Entry::Vacant(place) = known.entry(key) {
                let named = org::referred(tx, &[unit_id])?.pop();
                let units = match (named, extent) {
                    (Some(unit), ResponsibleExtent::OnlySelf) if unit.status == UnitStatus::Active => {
                        vec![(unit.id, unit.path)]
                    }
                    (Some(unit), ResponsibleExtent::Subtree) => {
                        let below = org::working_below(tx, PathRange::subtree(&unit.path), kind)?;
                        below.into_iter().map(|unit| (unit.id, unit.path)).collect()
                    }
                    // Nobody can do it at a unit that has ended.
                    (Some(_), ResponsibleExtent::OnlySelf) | (None, _) => Vec::new(),
                };
                place.insert(units);
            }
            let units = known.get(&key).into_iter().flatten();
            wanted.extend(units.map(|(unit, path)| ((task.id, *unit), path.clone())));
        }
    }
    Ok(wanted)
}

fn adjust(
    tx: &mut EffectTx<'_, TasksAssign>,
    plan: PlanId,
    tasks: &[ListedTask],
    mut wanted: Wanted,
) -> Result<()> {
    let now = tx.now();
    let of: HashMap<TaskId, &ListedTask> = tasks.iter().map(|task| (task.id, task)).collect();
    let mut changed: Vec<(Assignment, Assignment)> = Vec::new();
    for before in counted::of_plan(tx, plan)? {
        let assigned = wanted.remove(&(before.task_id, before.unit_id)).is_some();
        let task = of.get(&before.task_id);
        let state = match (before.state, assigned) {
            (AssignmentState::Open, false) => AssignmentState::Retired,
            // What others have done for it is theirs.
            (AssignmentState::Done, false) if before.carried => AssignmentState::Retired,
            (AssignmentState::Retired, true) => before.carried_by(0, 0).state,
            (state, _) => state,
        };
        let after = Assignment {
            state,
            carried: before.carried && state != AssignmentState::Retired,
            // What is retired stays as it was last asked for.
            due_on: task.filter(|_| assigned).map_or(before.due_on, |task| task.due_on),
            parent_task_id: task.map_or(before.parent_task_id, |task| task.parent_task_id),
            ..before.clone()
        };
        if after != before {
            changed.push((before, after));
        }
    }
    let above: BTreeSet<TaskId> = tasks.iter().filter_map(|task| task.parent_task_id).collect();
    let done_above = counted::completed_directly(tx, &above, &wanted.values().cloned().collect())?;
    let mut new = Vec::with_capacity(wanted.len());
    let mut missing: Vec<_> = wanted.into_iter().collect();
    missing.sort_unstable_by(|((one, _), at), ((other, _), place)| (one, at).cmp(&(other, place)));
    for ((task, unit_id), unit_path) in missing {
        let Some(task) = of.get(&task) else { continue };
        let inherited = task.parent_task_id.and_then(|parent| done_above.get(&(parent, unit_id)));
        new.push(Assignment {
            id: AssignmentId::generate(),
            task_id: task.id,
            parent_task_id: task.parent_task_id,
            campaign_id: task.campaign_id,
            unit_id,
            unit_path,
            due_on: task.due_on,
            state: if inherited.is_some() { AssignmentState::Done } else { AssignmentState::Open },
            carried: false,
            evidence: inherited.and_then(|one| one.evidence.clone()),
            completed_at: inherited.and_then(|one| one.completed_at),
            completed_by: inherited.and_then(|one| one.completed_by),
            reopen_reason: None,
            version: 1,
            created_at: now,
            updated_at: now,
        });
    }
    if new.is_empty() && changed.is_empty() {
        return Ok(());
    }
    let mut delta = Delta::default();
    for one in &new {
        delta.enter(one);
    }
    for (before, after) in &changed {
        delta.leave(before);
        delta.enter(after);
        counted::save(tx, after)?;
    }
    counted::insert(tx, &new)?;
    duties::changed(tx, &changed)?;
    told(tx, plan, &new, &changed)?;
    let touched = || new.iter().chain(changed.iter().flat_map(|(before, after)| [before, after]));
    let parents: BTreeSet<TaskId> = touched().filter_map(|one| one.parent_task_id).collect();
    let paths: BTreeSet<&str> = touched().map(|one| one.unit_path.as_str()).collect();
    settle(tx, &mut delta, parents, paths.iter().flat_map(|path| chain(path)).collect())?;
    // Child plans may answer tasks that this one has had before.
    let answered = counted::answered(tx, &tasks.iter().map(|task| task.id).collect::<Vec<_>>())?;
    settle(tx, &mut delta, answered, paths.into_iter().map(ToOwned::to_owned).collect())?;
    delta.apply(tx)
}

fn told(
    tx: &mut EffectTx<'_, TasksAssign>,
    plan: PlanId,
    new: &[Assignment],
    changed: &[(Assignment, Assignment)],
) -> Result<()> {
    let name = |one: &Assignment| json!([one.task_id, one.unit_id, one.state, one.due_on]);
    let before: Vec<_> = changed.iter().map(|(before, _)| name(before)).collect();
    let after: Vec<_> = changed.iter().map(|(_, after)| after).chain(new).map(name).collect();
    let (before, after, entity_id) = (json!(before), json!(after), plan.to_string());
    tx.record(&Change {
        entity: "task_assignments",
        entity_id: &entity_id,
        before: (!changed.is_empty()).then_some(&before),
        after: Some(&after),
        reason: None,
    })
}
