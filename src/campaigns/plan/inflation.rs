//! Downstream inflation (层层加码): what a child plan asks otherwise than the plan it was made under.
//!
//! Domain rules, 5.1: deadline, target and frequency of a parent's task stand in the child plan as the
//! parent set them; every parent task that names the unit or its subtree is there; own tasks bind the own
//! bureau alone; indicators are the province's to set. The own bureau is the unit itself and the
//! departments, service windows and detention houses directly under it: a station is a level of its own.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::rules::{Responsible, Target, TaskDraft};
use crate::campaigns::rules::{Frequency, ResponsibleExtent, TargetDirection, TaskId};
use crate::db::text_enum;
use crate::errors::{Code, FieldError, Text, text};
use crate::org::rules::{Unit, UnitId, UnitKind};

text_enum! {
    /// How a child plan departs from the plan above it.
    InflationKind as "inflation_kind" {
        DeadlineShortened = "deadline_shortened", "时限提前", "Deadline shortened", red;
        DeadlineExtended = "deadline_extended", "时限推后", "Deadline extended", orange;
        TargetRaised = "target_raised", "目标加码", "Target raised", red;
        TargetLowered = "target_lowered", "目标降低", "Target lowered", orange;
        FrequencyRaised = "frequency_raised", "频次加密", "Frequency raised", red;
        FrequencyLowered = "frequency_lowered", "频次降低", "Frequency lowered", orange;
        IndicatorAdded = "indicator_added", "增设指标", "Indicator added", red;
        TaskDropped = "task_dropped", "漏列任务", "Task dropped", orange;
        TaskAddedDownstream = "task_added_downstream", "向下加派任务", "Task added downstream", red;
    }
}

impl InflationKind {
    /// The code under which it is refused.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::DeadlineShortened => Code::DeadlineShortened,
            Self::DeadlineExtended => Code::DeadlineExtended,
            Self::TargetRaised => Code::TargetRaised,
            Self::TargetLowered => Code::TargetLowered,
            Self::FrequencyRaised => Code::FrequencyRaised,
            Self::FrequencyLowered => Code::FrequencyLowered,
            Self::IndicatorAdded => Code::IndicatorAdded,
            Self::TaskDropped => Code::TaskDropped,
            Self::TaskAddedDownstream => Code::TaskAddedDownstream,
        }
    }
}

/// One departure, with its place in the child plan and what stands in both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offence {
    /// How it departs.
    pub kind: InflationKind,
    /// Where in the child plan, as a JSON pointer.
    pub pointer: String,
    /// The parent's task, if it is about one.
    pub parent_task_id: Option<TaskId>,
    /// What the parent's task is called, or the child's own.
    pub title: String,
    /// What the parent says.
    pub parent: Value,
    /// What the child says.
    pub child: Value,
}

impl Offence {
    /// The same as an error of a request.
    #[must_use]
    pub fn error(&self) -> FieldError {
        let facts =
            json!({ "parent_task_id": self.parent_task_id, "parent": self.parent, "child": self.child });
        let error = FieldError::body(self.pointer.clone(), self.kind.code(), self.detail());
        FieldError { facts: Some(facts), ..error }
    }

    /// A sentence that names the task and both values.
    #[must_use]
    pub fn detail(&self) -> Text {
        let (Text { zh, en }, title) = (self.kind.code().title(), &self.title);
        let (parent, child) = (shown(&self.parent), shown(&self.child));
        text!(
            "{zh}: 任务“{title}”, 上级为 {parent}, 本方案为 {child}",
            "{en}: task “{title}”, above {parent}, here {child}"
        )
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Null => "—".to_owned(),
        Value::String(text) => text.clone(),
        Value::Object(map) => {
            map.get("name").and_then(Value::as_str).map_or_else(|| value.to_string(), ToOwned::to_owned)
        }
        other => other.to_string(),
    }
}

/// A working unit of the child's subtree, itself among them, or one that a task names.
#[derive(Debug, Clone)]
pub struct Place {
    /// Which.
    pub id: UnitId,
    /// The unit above.
    pub parent_id: Option<UnitId>,
    /// Its path.
    pub path: String,
    /// What it is.
    pub kind: UnitKind,
    /// What it is called.
    pub name: String,
}

impl From<Unit> for Place {
    fn from(unit: Unit) -> Self {
        let Unit { id, parent_id, path, kind, name, .. } = unit;
        Self { id, parent_id, path, kind, name }
    }
}

/// What a child plan is held against.
#[derive(Debug)]
pub struct Ground<'g> {
    /// The unit whose plan the child is.
    pub unit: UnitId,
    /// The tasks of the plan above, as they are in force.
    pub above: &'g [TaskDraft],
    /// The working units of the unit's subtree, and every unit that any of the tasks names.
    pub places: &'g HashMap<UnitId, Place>,
}

impl Ground<'_> {
    fn path(&self) -> &str {
        self.places.get(&self.unit).map_or("", |unit| unit.path.as_str())
    }

    fn is_below(&self, place: &Place) -> bool {
        place.path.starts_with(self.path())
    }

    /// Whether it is the unit itself or what belongs to its own bureau.
    fn is_own(&self, place: &Place) -> bool {
        use UnitKind::{Department, DetentionHouse, ServiceWindow};
        let part = matches!(place.kind, Department | ServiceWindow | DetentionHouse);
        place.id == self.unit || (part && place.parent_id == Some(self.unit))
    }

    /// The units of the child's subtree that a task binds by these words.
    fn bound<'s>(&'s self, responsible: &'s [Responsible]) -> impl Iterator<Item = &'s Place> {
        self.places
            .values()
            .filter(|place| self.is_below(place))
            .filter(|place| responsible.iter().any(|one| self.binds(one, place)))
    }

    fn binds(&self, one: &Responsible, place: &Place) -> bool {
        match one.extent {
            ResponsibleExtent::OnlySelf => one.unit_id == place.id,
            ResponsibleExtent::Subtree => {
                let named = self.places.get(&one.unit_id);
                named.is_some_and(|named| place.id != named.id && place.path.starts_with(&named.path))
                    && one.kind.is_none_or(|kind| kind == place.kind)
            }
        }
    }
}

/// Everything in which the child plan departs from the plan above, in the order of its tasks; what is
/// missing comes last.
#[must_use]
pub fn offences(tasks: &[TaskDraft], ground: &Ground<'_>) -> Vec<Offence> {
    let above: HashMap<TaskId, &TaskDraft> =
        ground.above.iter().filter_map(|task| Some((task.id?, task))).collect();
    let mut found = Vec::new();
    let mut answered = HashSet::new();
    for (at, task) in tasks.iter().enumerate() {
        match task.parent_task_id.and_then(|id| Some((id, *above.get(&id)?))) {
            Some((id, parent)) => {
                answered.insert(id);
                compare(at, id, parent, task, &mut found);
                bind_further(at, Some((id, parent)), task, ground, &mut found);
            }
            None => {
                bind_further(at, None, task, ground, &mut found);
                if let Some(target) = &task.target {
                    found.push(Offence {
                        kind: InflationKind::IndicatorAdded,
                        pointer: format!("/tasks/{at}/target"),
                        parent_task_id: None,
                        title: task.title.clone(),
                        parent: Value::Null,
                        child: json!(target),
                    });
                }
            }
        }
    }
    for (id, parent) in ground.above.iter().filter_map(|task| Some((task.id?, task))) {
        if !answered.contains(&id) && ground.bound(&parent.responsible).next().is_some() {
            found.push(Offence {
                kind: InflationKind::TaskDropped,
                pointer: "/tasks".to_owned(),
                parent_task_id: Some(id),
                title: parent.title.clone(),
                parent: json!(parent.title),
                child: Value::Null,
            });
        }
    }
    found
}

/// Deadline, frequency and target of a task against those of the one it answers.
fn compare(at: usize, id: TaskId, parent: &TaskDraft, task: &TaskDraft, found: &mut Vec<Offence>) {
    let mut tell = |field: &str, kind: InflationKind, above: Value, here: Value| {
        found.push(Offence {
            kind,
            pointer: format!("/tasks/{at}/{field}"),
            parent_task_id: Some(id),
            title: parent.title.clone(),
            parent: above,
            child: here,
        });
    };
    match task.due_on.cmp(&parent.due_on) {
        Ordering::Less => {
            tell("due_on", InflationKind::DeadlineShortened, json!(parent.due_on), json!(task.due_on));
        }
        Ordering::Greater => {
            tell("due_on", InflationKind::DeadlineExtended, json!(parent.due_on), json!(task.due_on));
        }
        Ordering::Equal => {}
    }
    match often(task.frequency).cmp(&often(parent.frequency)) {
        Ordering::Greater => {
            tell("frequency", InflationKind::FrequencyRaised, json!(parent.frequency), json!(task.frequency));
        }
        Ordering::Less => {
            tell(
                "frequency",
                InflationKind::FrequencyLowered,
                json!(parent.frequency),
                json!(task.frequency),
            );
        }
        Ordering::Equal => {}
    }
    // To write down each day what was asked for otherwise is a frequency too.
    if task.daily_entries != parent.daily_entries {
        let kind =
            if task.daily_entries { InflationKind::FrequencyRaised } else { InflationKind::FrequencyLowered };
        tell("daily_entries", kind, json!(parent.daily_entries), json!(task.daily_entries));
    }
    if let Some((field, kind)) = turned(parent.target.as_ref(), task.target.as_ref()) {
        tell(field, kind, json!(parent.target), json!(task.target));
    }
}

/// How often a year, roughly: only the order counts.
const fn often(frequency: Frequency) -> u16 {
    match frequency {
        Frequency::Once => 1,
        Frequency::Quarterly => 4,
        Frequency::Monthly => 12,
        Frequency::HalfMonthly => 24,
        Frequency::Weekly => 52,
        Frequency::Daily => 365,
    }
}

/// What has become of a target; none when it is the same, however its number is written.
fn turned(parent: Option<&Target>, child: Option<&Target>) -> Option<(&'static str, InflationKind)> {
    match (parent, child) {
        (None, None) => None,
        (None, Some(_)) => Some(("target", InflationKind::IndicatorAdded)),
        // What the level above asks is not asked any more, whatever is asked instead.
        (Some(_), None) => Some(("target", InflationKind::TargetLowered)),
        (Some(parent), Some(child)) if (&parent.name, &parent.unit) != (&child.name, &child.unit) => {
            Some(("target", InflationKind::IndicatorAdded))
        }
        (Some(parent), Some(child)) if parent.direction != child.direction => {
            Some(("target/direction", InflationKind::TargetLowered))
        }
        (Some(parent), Some(child)) => {
            let harder = match parent.direction {
                TargetDirection::AtLeast => Ordering::Greater,
                TargetDirection::AtMost => Ordering::Less,
            };
            match millionths(&child.value).cmp(&millionths(&parent.value)) {
                Ordering::Equal => None,
                order if order == harder => Some(("target/value", InflationKind::TargetRaised)),
                _ => Some(("target/value", InflationKind::TargetLowered)),
            }
        }
    }
}

/// A decimal of at most twelve digits before the point and six after it, exactly.
fn millionths(value: &str) -> i64 {
    let (whole, part) = value.split_once('.').unwrap_or((value, ""));
    let digits = format!("{whole}{part:0<6}");
    digits.parse().unwrap_or_default()
}

/// Tells each word of responsibility that binds a unit below which neither the level above has bound nor
/// the own bureau holds.
fn bind_further(
    at: usize,
    answers: Option<(TaskId, &TaskDraft)>,
    task: &TaskDraft,
    ground: &Ground<'_>,
    found: &mut Vec<Offence>,
) {
    let named: &[Responsible] = answers.map_or(&[], |(_, parent)| parent.responsible.as_slice());
    for (place, one) in task.responsible.iter().enumerate() {
        let mut bound = ground
            .places
            .values()
            .filter(|unit| ground.binds(one, unit))
            .filter(|unit| !ground.is_own(unit) && !named.iter().any(|above| ground.binds(above, unit)))
            .collect::<Vec<_>>();
        bound.sort_unstable_by(|one, other| one.path.cmp(&other.path));
        if let Some(first) = bound.first() {
            found.push(Offence {
                kind: InflationKind::TaskAddedDownstream,
                pointer: format!("/tasks/{at}/responsible/{place}"),
                parent_task_id: answers.map(|(id, _)| id),
                title: task.title.clone(),
                parent: Value::Null,
                child: json!({ "unit_id": first.id, "name": first.name, "units": bound.len() }),
            });
        }
    }
}

/// The task list that a unit's plan begins with: every task of the plan above that binds the unit or what
/// lies below it, on the same terms, bound no further than the level above has bound it. Who leads is for
/// the unit to say.
#[must_use]
pub fn drawn_down(ground: &Ground<'_>) -> Vec<TaskDraft> {
    ground
        .above
        .iter()
        .filter(|task| ground.bound(&task.responsible).next().is_some())
        .map(|task| TaskDraft {
            id: None,
            lead_leader: None,
            responsible: narrowed(&task.responsible, ground),
            parent_task_id: task.id,
            ..task.clone()
        })
        .collect()
}

/// The title that a unit's plan begins with: what stands in quotation marks above is the campaign's.
#[must_use]
pub fn drawn_title(unit: &str, above: &str) -> String {
    let theme = above.find('“').and_then(|at| above.get(at..)).unwrap_or("实施方案");
    format!("{unit}{theme}").chars().take(100).collect()
}

/// The same responsibility within the unit's subtree.
fn narrowed(responsible: &[Responsible], ground: &Ground<'_>) -> Vec<Responsible> {
    let mut kept: Vec<Responsible> = Vec::new();
    let mut keep = |one: Responsible| {
        if !kept.contains(&one) {
            kept.push(one);
        }
    };
    for one in responsible {
        let bound: Vec<&Place> = ground.bound(std::slice::from_ref(one)).collect();
        if ground.places.get(&one.unit_id).is_some_and(|place| ground.is_below(place)) {
            if !bound.is_empty() {
                keep(one.clone());
            }
            continue;
        }
        // What binds from above binds the unit itself, what is below it, or both.
        let (own, below): (Vec<&Place>, Vec<&Place>) =
            bound.iter().partition(|place| place.id == ground.unit);
        if !own.is_empty() {
            keep(Responsible { unit_id: ground.unit, extent: ResponsibleExtent::OnlySelf, kind: None });
        }
        if !below.is_empty() {
            keep(Responsible { unit_id: ground.unit, ..one.clone() });
        }
    }
    kept
}

#[cfg(test)]
mod tests;
