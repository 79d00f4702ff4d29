//! Downstream inflation (层层加码): what a child plan asks otherwise than the plan it was made under.
//!
//! Domain rules, 5.1: deadline, target and frequency of a parent's task stand in the child plan as the
//! parent set them; every parent task that names the unit or its subtree is there; own tasks bind the own
//! bureau alone; indicators are the province's to set. The own bureau is the unit itself and the
//! departments, service windows and detention houses directly under it: a station is a level of its own.
//! A parent's task may be handed on within the own subtree: that is what a child plan is for.

use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};

use serde_json::json;

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
    /// What the parent says; none where it says nothing.
    pub parent: Option<String>,
    /// What the child says; none where it says nothing.
    pub child: Option<String>,
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
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "—".to_owned());
        let (parent, child) = (shown(&self.parent), shown(&self.child));
        text!(
            "{zh}: 任务“{title}”, 上级为 {parent}, 本方案为 {child}",
            "{en}: task “{title}”, above {parent}, here {child}"
        )
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
                named.is_some_and(|named| place.path.starts_with(&named.path))
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
        let answers = task.parent_task_id.and_then(|id| Some((id, *above.get(&id)?)));
        if let Some((id, parent)) = answers {
            answered.insert(id);
            compare(at, id, parent, task, &mut found);
        }
        bind_further(at, answers, task, ground, &mut found);
        if let (None, Some(target)) = (answers, &task.target) {
            found.push(Offence {
                kind: InflationKind::IndicatorAdded,
                pointer: format!("/tasks/{at}/target"),
                parent_task_id: None,
                title: task.title.clone(),
                parent: None,
                child: Some(target.name.clone()),
            });
        }
    }
    for (id, parent) in ground.above.iter().filter_map(|task| Some((task.id?, task))) {
        if !answered.contains(&id) && ground.bound(&parent.responsible).next().is_some() {
            found.push(Offence {
                kind: InflationKind::TaskDropped,
                pointer: "/tasks".to_owned(),
                parent_task_id: Some(id),
                title: parent.title.clone(),
                parent: Some(parent.title.clone()),
                child: None,
            });
        }
    }
    found
}

/// Deadline, frequency and target of a task against those of the one it answers.
fn compare(at: usize, id: TaskId, parent: &TaskDraft, task: &TaskDraft, found: &mut Vec<Offence>) {
    let mut tell = |field: &str, kind: InflationKind, above: Option<String>, here: Option<String>| {
        found.push(Offence {
            kind,
            pointer: format!("/tasks/{at}/{field}"),
            parent_task_id: Some(id),
            title: parent.title.clone(),
            parent: above,
            child: here,
        });
    };
    let (above, here) = (parent.due_on, task.due_on);
    let turn = |order: Ordering, less: InflationKind, more: InflationKind| match order {
        Ordering::Less => Some(less),
        Ordering::Equal => None,
        Ordering::Greater => Some(more),
    };
    let days = turn(here.cmp(&above), InflationKind::DeadlineShortened, InflationKind::DeadlineExtended);
    if let Some(kind) = days {
        tell("due_on", kind, Some(above.to_string()), Some(here.to_string()));
    }
    let (fewer, more) = (InflationKind::FrequencyLowered, InflationKind::FrequencyRaised);
    if let Some(kind) = turn(often(task.frequency).cmp(&often(parent.frequency)), fewer, more) {
        tell("frequency", kind, Some(parent.frequency.to_string()), Some(task.frequency.to_string()));
    }
    // To write down each day what was asked for otherwise is a frequency too.
    if let Some(kind) = turn(task.daily_entries.cmp(&parent.daily_entries), fewer, more) {
        tell(
            "daily_entries",
            kind,
            Some(parent.daily_entries.to_string()),
            Some(task.daily_entries.to_string()),
        );
    }
    if let Some(Turned { field, kind, says }) = turned(parent.target.as_ref(), task.target.as_ref()) {
        let of = |target: &Option<Target>| target.as_ref().map(says);
        tell(field, kind, of(&parent.target), of(&task.target));
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

/// What has become of a target: where, how, and what of it is to be shown.
struct Turned {
    field: &'static str,
    kind: InflationKind,
    says: fn(&Target) -> String,
}

/// None when the target is the same, however its number is written.
fn turned(parent: Option<&Target>, child: Option<&Target>) -> Option<Turned> {
    let whole = |kind| Some(Turned { field: "target", kind, says: |target| target.name.clone() });
    match (parent, child) {
        (None, None) => None,
        (None, Some(_)) => whole(InflationKind::IndicatorAdded),
        // What the level above asks is not asked any more, whatever is asked instead.
        (Some(_), None) => whole(InflationKind::TargetLowered),
        (Some(parent), Some(child)) if (&parent.name, &parent.unit) != (&child.name, &child.unit) => {
            Some(Turned {
                field: "target",
                kind: InflationKind::IndicatorAdded,
                says: |target| format!("{} ({})", target.name, target.unit),
            })
        }
        (Some(parent), Some(child)) if parent.direction != child.direction => Some(Turned {
            field: "target/direction",
            kind: InflationKind::TargetLowered,
            says: |target| target.direction.to_string(),
        }),
        (Some(parent), Some(child)) => {
            let harder = match parent.direction {
                TargetDirection::AtLeast => Ordering::Greater,
                TargetDirection::AtMost => Ordering::Less,
            };
            let order = millionths(&child.value).cmp(&millionths(&parent.value));
            let kind =
                if order == harder { InflationKind::TargetRaised } else { InflationKind::TargetLowered };
            let says = |target: &Target| target.value.clone();
            (order != Ordering::Equal).then_some(Turned { field: "target/value", kind, says })
        }
    }
}

/// A decimal of at most twelve digits before the point and six after it, exactly.
fn millionths(value: &str) -> i64 {
    let (whole, part) = value.split_once('.').unwrap_or((value, ""));
    let digits = format!("{whole}{part:0<6}");
    digits.parse().unwrap_or_default()
}

/// Tells each word of responsibility that binds whom it may not: an own task binds the own bureau alone; a
/// task of the level above is handed on within the own subtree, on its terms, and to nobody beside it whom
/// the level above has not bound itself.
fn bind_further(
    at: usize,
    answers: Option<(TaskId, &TaskDraft)>,
    task: &TaskDraft,
    ground: &Ground<'_>,
    found: &mut Vec<Offence>,
) {
    let named: &[Responsible] = answers.map_or(&[], |(_, parent)| parent.responsible.as_slice());
    for (place, one) in task.responsible.iter().enumerate() {
        let may = |unit: &Place| match answers {
            Some(_) => ground.is_below(unit) || named.iter().any(|above| ground.binds(above, unit)),
            None => ground.is_own(unit),
        };
        let mut bound: Vec<&Place> =
            ground.places.values().filter(|unit| ground.binds(one, unit) && !may(unit)).collect();
        bound.sort_unstable_by(|one, other| one.path.cmp(&other.path));
        if let Some(first) = bound.first() {
            found.push(Offence {
                kind: InflationKind::TaskAddedDownstream,
                pointer: format!("/tasks/{at}/responsible/{place}"),
                parent_task_id: answers.map(|(id, _)| id),
                title: task.title.clone(),
                parent: None,
                child: Some(first.name.clone()),
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
        // What binds from above binds the unit alone, or what is below it too.
        if bound.iter().any(|place| place.id != ground.unit) {
            keep(Responsible { unit_id: ground.unit, ..one.clone() });
        } else if !bound.is_empty() {
            keep(Responsible { unit_id: ground.unit, extent: ResponsibleExtent::OnlySelf, kind: None });
        }
    }
    kept
}

#[cfg(test)]
mod tests;
