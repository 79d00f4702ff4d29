//! Where assignments go when their unit moves, or when another takes over from it.

use std::collections::BTreeSet;

use serde_json::json;

use super::carrying::{Delta, settle};
use super::count_store as counted;
use super::rules::{Assignment, AssignmentState, chain};
use crate::access::policy::Effect;
use crate::access::{EffectTx, ancestors};
use crate::audit::Told;
use crate::campaigns::clearing::duties;
use crate::campaigns::progress::service as counters;
use crate::errors::{Code, FieldError, Result, text};
use crate::org::rules::{Unit, UnitId};

/// Rewrites the paths of a moved subtree, and counts what is in it where it stands now.
///
/// # Errors
/// When the database fails.
pub fn moved<E: Effect>(tx: &mut EffectTx<'_, E>, from: &str, to: &str) -> Result<()> {
    counters::moved(tx, from, to)?;
    counted::follow(tx, from, to)?;
    duties::moved(tx, from, to)?;
    // Another unit's plan is above it now, and the one that was is not: both may answer for what stands here.
    let parents = counted::answered_within(tx, to)?;
    let mut places = counted::places_within(tx, to)?;
    places.extend(ancestors(from));
    places.extend(ancestors(to));
    let mut delta = Delta::default();
    settle(tx, &mut delta, parents, places)?;
    delta.apply(tx)
}

/// What keeps a unit from ending without a successor: its open assignments.
///
/// # Errors
/// When the database fails.
pub fn standing_at<E: Effect>(tx: &mut EffectTx<'_, E>, unit: UnitId) -> Result<Vec<FieldError>> {
    let open = counted::at_unit(tx, unit)?.into_iter().filter(|one| one.state == AssignmentState::Open);
    Ok(open
        .map(|one| {
            let due_on = one.due_on;
            let detail = text!("有任务未完成, 时限 {due_on}", "A task due on {due_on} is not done");
            let facts = json!({ "task_id": one.task_id, "assignment_id": one.id, "due_on": due_on });
            FieldError { facts: Some(facts), ..FieldError::body("", Code::OpenAssignment, detail) }
        })
        .collect())
}

/// Gives a unit's assignments to its successor. Where both have the same task, they have it once from
/// now on, and it is done when both had done it.
///
/// # Errors
/// When the database fails.
pub fn hand_over<E: Effect>(tx: &mut EffectTx<'_, E>, from: &Unit, to: &Unit) -> Result<()> {
    let theirs = counted::at_unit(tx, to.id)?;
    let retired = counted::retired_at(tx, to.id)?;
    let mut delta = Delta::default();
    let mut changed: Vec<(Assignment, Assignment)> = Vec::new();
    for before in counted::at_unit(tx, from.id)? {
        let joined = theirs.iter().find(|other| other.task_id == before.task_id);
        let gone = Assignment { state: AssignmentState::Retired, carried: false, ..before.clone() };
        match joined {
            None if retired.contains(&before.task_id) => {
                // The successor had the task once: it has it again, as far as it has come here.
                let Some(old) = counted::retired(tx, to.id, before.task_id)? else { continue };
                let again = Assignment {
                    id: old.id,
                    unit_id: to.id,
                    unit_path: to.path.clone(),
                    version: old.version,
                    ..before.clone()
                };
                counted::move_persons(tx, before.id, again.id)?;
                changed.push((before, gone));
                changed.push((old, again));
            }
            None => {
                let after = Assignment { unit_id: to.id, unit_path: to.path.clone(), ..before.clone() };
                changed.push((before, after));
            }
            Some(other) => {
                counted::move_persons(tx, before.id, other.id)?;
                let mut whole = other.clone();
                if before.state == AssignmentState::Open {
                    whole.state = AssignmentState::Open;
                    whole.completed_at = None;
                    whole.completed_by = None;
                }
                changed.push((other.clone(), whole));
                changed.push((before, gone));
            }
        }
    }
    for (before, after) in &changed {
        delta.leave(before);
        delta.enter(after);
        counted::save(tx, after)?;
    }
    duties::handed_over(tx, &changed)?;
    let told = changed.iter().map(|(before, after)| Told {
        id: after.id.to_string(),
        before: Some(before.facts()),
        after: Some(after.facts()),
        reason: None,
    });
    tx.record_many("task_assignment", told.collect::<Vec<_>>())?;
    let tasks: BTreeSet<_> =
        changed.iter().flat_map(|(_, after)| [Some(after.task_id), after.parent_task_id]).flatten().collect();
    // What is below stands under the successor's plans now.
    let mut places = counted::places_within(tx, &to.path)?;
    places.extend(chain(&from.path));
    places.extend(chain(&to.path));
    settle(tx, &mut delta, tasks, places)?;
    delta.apply(tx)
}
