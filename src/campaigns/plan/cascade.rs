//! Use cases on how a plan goes down the tree: what a child departs in from the plan above, and drafts
//! for all units below at once.

use std::collections::{HashMap, HashSet};

use super::content_store as contents;
use super::inflation::{Ground, Offence, Place, drawn_down, drawn_title, offences};
use super::rules::{Plan, PlanContent, PlanState, TaskDraft};
use super::service::{for_change, record};
use super::versions::rules::Hand;
use super::{author_store, facts, store, versions};
use crate::access::policy::{Action, PlanRead, PlanSpread};
use crate::access::{PathRange, Reach, Tx};
use crate::campaigns::campaign::rules::Campaign;
use crate::campaigns::campaign::service as campaign_service;
use crate::campaigns::rules::{PlanId, TaskId};
use crate::errors::{AppError, Code, FieldError, Result, unknown};
use crate::org::rules::{Unit, UnitId, UnitKind};
use crate::org::service as org;

/// A plan with what it departs in from the plan above it; nothing for a plan that has none above.
///
/// # Errors
/// `not_found`.
pub fn inflation(tx: &mut Tx<'_, PlanRead>, id: PlanId) -> Result<(Plan, Vec<Offence>)> {
    let (plan, content) = super::service::find(tx, id)?;
    // Who reads the plan from below alone sees the version in force and nothing of what is in hand.
    let content = if tx.may::<PlanRead>(&plan.unit_path) { versions::in_hand(tx, &plan)?.1 } else { content };
    let found = departures(tx, &plan, &content.tasks)?;
    Ok((plan, found))
}

/// What these tasks would depart in, were they the plan's.
///
/// # Errors
/// When the database fails.
pub(super) fn departures<A: Action>(
    tx: &mut Tx<'_, A>,
    plan: &Plan,
    tasks: &[TaskDraft],
) -> Result<Vec<Offence>> {
    let Some(parent) = plan.parent_plan_id else { return Ok(Vec::new()) };
    let above = content_of(tx, parent)?;
    let places = places(tx, &plan.unit_path, above.tasks.iter().chain(tasks))?;
    Ok(offences(tasks, &Ground { unit: plan.unit_id, above: &above.tasks, places: &places }))
}

fn content_of<A: Action>(tx: &mut Tx<'_, A>, id: PlanId) -> Result<PlanContent> {
    let plan = store::find(tx, &Reach::whole_tenant(), id)?;
    let plan = plan.ok_or_else(|| AppError::internal("a parent plan that is not there"))?;
    contents::content(tx, &plan)
}

/// The working units below a path, and whatever units the tasks name.
fn places<'t, A: Action>(
    tx: &mut Tx<'_, A>,
    path: &str,
    tasks: impl Iterator<Item = &'t TaskDraft>,
) -> Result<HashMap<UnitId, Place>> {
    let mut found: HashMap<UnitId, Place> =
        org::working_below(tx, PathRange::subtree(path), None)?.into_iter().map(place).collect();
    let named: HashSet<UnitId> = tasks
        .flat_map(|task| task.responsible.iter().map(|one| one.unit_id))
        .filter(|id| !found.contains_key(id))
        .collect();
    let named: Vec<UnitId> = named.into_iter().collect();
    found.extend(org::referred(tx, &named)?.into_iter().map(place));
    Ok(found)
}

fn place(unit: Unit) -> (UnitId, Place) {
    (unit.id, Place::from(unit))
}

/// Which units below are to get a draft.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Of these kinds; empty for all that the campaign concerns.
    pub kinds: Vec<UnitKind>,
    /// These alone; empty for all.
    pub units: Vec<UnitId>,
}

/// What became of a unit.
#[derive(Debug, Clone)]
pub struct Spread {
    /// The unit.
    pub unit: Unit,
    /// Its plan.
    pub plan: PlanId,
    /// Whether it was begun just now.
    pub created: bool,
}

/// Begins a draft for every unit that the campaign concerns and whose nearest published plan is this one,
/// each with the tasks that bind it, on the terms set here; units that have a plan keep it.
///
/// # Errors
/// `not_found`, `precondition_failed`, `parent_plan_not_published`; `invalid_body` at `/unit_ids` for a
/// unit that gets none from this plan.
pub fn spread(tx: &mut Tx<'_, PlanSpread>, id: PlanId, wanted: &Wanted) -> Result<Vec<Spread>> {
    let plan = for_change(tx, id)?;
    if !plan.state.takes_children() {
        return Err(AppError::new(Code::ParentPlanNotPublished));
    }
    let campaign = campaign_service::of(tx, plan.campaign_id)?;
    let there = store::below(tx, plan.campaign_id, &PathRange::subtree(&plan.unit_path))?;
    let units = concerned(tx, &plan, &campaign, &there, wanted)?;
    let content = contents::content(tx, &plan)?;
    let places = places(tx, &plan.unit_path, content.tasks.iter())?;
    let held: HashMap<UnitId, PlanId> = there
        .iter()
        .filter(|plan| plan.state != PlanState::Withdrawn)
        .map(|plan| (plan.unit_id, plan.id))
        .collect();
    let mut done = Vec::with_capacity(units.len());
    for unit in units {
        let created = !held.contains_key(&unit.id);
        let child = match held.get(&unit.id) {
            Some(there) => *there,
            None => begin(tx, &plan, &content, &places, &unit)?,
        };
        done.push(Spread { unit, plan: child, created });
    }
    if done.iter().all(|one| !one.created) {
        tx.nothing_changed();
    }
    Ok(done)
}

/// The units below whose plans stand under this one, in the order of the tree.
fn concerned<A: Action>(
    tx: &mut Tx<'_, A>,
    plan: &Plan,
    campaign: &Campaign,
    there: &[Plan],
    wanted: &Wanted,
) -> Result<Vec<Unit>> {
    let nearer: Vec<&str> = there
        .iter()
        .filter(|other| other.id != plan.id && other.state.takes_children())
        .map(|other| other.unit_path.as_str())
        .collect();
    let mut units = org::working_below(tx, PathRange::subtree(&plan.unit_path), None)?;
    units.retain(|unit| {
        let under_nearer = nearer.iter().any(|path| unit.path.starts_with(path) && unit.path != **path);
        unit.id != plan.unit_id && campaign.concerns(unit.id, unit.kind, &unit.path) && !under_nearer
    });
    let missing: Vec<FieldError> = wanted
        .units
        .iter()
        .enumerate()
        .filter(|(_, id)| !units.iter().any(|unit| unit.id == **id))
        .map(|(at, _)| unknown(format!("/unit_ids/{at}")))
        .collect();
    if !missing.is_empty() {
        return Err(AppError::fields(Code::InvalidBody, missing));
    }
    units.retain(|unit| {
        (wanted.kinds.is_empty() || wanted.kinds.contains(&unit.kind))
            && (wanted.units.is_empty() || wanted.units.contains(&unit.id))
    });
    Ok(units)
}

fn begin(
    tx: &mut Tx<'_, PlanSpread>,
    parent: &Plan,
    above: &PlanContent,
    places: &HashMap<UnitId, Place>,
    unit: &Unit,
) -> Result<PlanId> {
    // Of two thousand places a unit is concerned by its own and by those that tasks name.
    let named: HashSet<UnitId> =
        above.tasks.iter().flat_map(|task| task.responsible.iter().map(|one| one.unit_id)).collect();
    let near: HashMap<UnitId, Place> = places
        .iter()
        .filter(|(id, place)| place.path.starts_with(&unit.path) || named.contains(id))
        .map(|(id, place)| (*id, place.clone()))
        .collect();
    let ground = Ground { unit: unit.id, above: &above.tasks, places: &near };
    let content = PlanContent {
        title: drawn_title(&unit.name, &above.title),
        meeting: None,
        phases: above.phases.clone(),
        tasks: drawn_down(&ground)
            .into_iter()
            .map(|task| TaskDraft { id: Some(TaskId::generate()), ..task })
            .collect(),
    };
    let id = PlanId::generate();
    store::insert(tx, id, parent.campaign_id, unit, Some(parent.id), &content)?;
    contents::replace(tx, id, &unit.path, &content)?;
    let author = tx.user()?;
    let plan = store::find(tx, &Reach::whole_tenant(), id)?;
    let plan = plan.ok_or_else(|| AppError::internal("the plan just written is not there"))?;
    author_store::add_author(tx, id, plan.number, author)?;
    record(tx, id, None, &facts::of(&plan, &Hand::of(&plan), Some(&content)), None)?;
    Ok(id)
}
