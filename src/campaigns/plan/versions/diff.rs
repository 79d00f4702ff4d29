//! What differs between two versions of a plan.

use super::rules::Version;
use crate::campaigns::plan::rules::{PlanContent, TaskDraft};
use crate::db::text_enum;

text_enum! {
    /// What of a plan itself differs.
    PlanField as "plan_field" {
        Title = "title", "标题", "Title", grey;
        Meeting = "meeting", "会议", "Meeting", grey;
        Phases = "phases", "阶段", "Phases", blue;
    }
}

text_enum! {
    /// What of a task differs.
    TaskField as "task_field" {
        Position = "position", "次序", "Position", grey;
        Category = "category", "类别", "Category", grey;
        Title = "title", "事项名称", "Title", grey;
        Content = "content", "要求", "Content", blue;
        LeadLeader = "lead_leader", "牵头领导", "Lead leader", blue;
        Responsible = "responsible", "责任单位", "Responsible units", orange;
        DueOn = "due_on", "完成时限", "Deadline", red;
        Frequency = "frequency", "频次", "Frequency", orange;
        DailyEntries = "daily_entries", "逐日填报", "Daily entries", orange;
        Target = "target", "目标值", "Target", red;
        ParentTask = "parent_task_id", "上级任务", "Task of the plan above", grey;
    }
}

text_enum! {
    /// What has become of a task.
    TaskChange as "task_change" {
        Added = "added", "新增", "Added", green;
        Dropped = "dropped", "删去", "Dropped", red;
        Changed = "changed", "修改", "Changed", orange;
    }
}

/// A task that differs: as it was, as it is, and in what.
#[derive(Debug, Clone)]
pub struct TaskDifference {
    /// What has become of it.
    pub change: TaskChange,
    /// Its place in the earlier list and as it was; none when it is new.
    pub before: Option<(i32, TaskDraft)>,
    /// Its place in the later list and as it is; none when it was dropped.
    pub after: Option<(i32, TaskDraft)>,
    /// In what it differs; empty when it is new or dropped.
    pub fields: Vec<TaskField>,
}

/// Two versions, and what differs.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The earlier, or the one compared with.
    pub from: i32,
    /// The later, or the one that is compared.
    pub to: i32,
    /// What of the plan itself differs.
    pub fields: Vec<PlanField>,
    /// The plan itself as it was, its task list apart.
    pub before: PlanContent,
    /// The plan itself as it is, its task list apart.
    pub after: PlanContent,
    /// The tasks that differ, in the order of the later list; what was dropped comes last.
    pub tasks: Vec<TaskDifference>,
}

/// Compares two versions.
#[must_use]
pub fn compare(from: &Version, to: &Version) -> Comparison {
    let (before, after) = (&from.content, &to.content);
    let fields = [
        (PlanField::Title, before.title != after.title),
        (PlanField::Meeting, before.meeting != after.meeting),
        (PlanField::Phases, before.phases != after.phases),
    ];
    let bare = |content: &PlanContent| PlanContent { tasks: Vec::new(), ..content.clone() };
    Comparison {
        from: from.hand.number,
        to: to.hand.number,
        fields: fields.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field).collect(),
        before: bare(before),
        after: bare(after),
        tasks: task_differences(&before.tasks, &after.tasks),
    }
}

fn task_differences(before: &[TaskDraft], after: &[TaskDraft]) -> Vec<TaskDifference> {
    let place = |list: &[TaskDraft], task: &TaskDraft| list.iter().position(|other| other.id == task.id);
    // A task has moved when those that stay stand in another order, not when one before it has gone or come.
    let stay = |list: &[TaskDraft], other: &[TaskDraft]| -> Vec<_> {
        list.iter().filter(|task| place(other, task).is_some()).map(|task| task.id).collect()
    };
    let (old_order, new_order) = (stay(before, after), stay(after, before));
    let moved = |task: &TaskDraft| {
        let at = |order: &[_]| order.iter().position(|id| *id == task.id);
        at(&old_order) != at(&new_order)
    };
    let mut found = Vec::new();
    for (at, task) in after.iter().enumerate() {
        match before.iter().enumerate().find(|(_, other)| other.id == task.id) {
            None => found.push(TaskDifference {
                change: TaskChange::Added,
                before: None,
                after: Some(listed(at, task)),
                fields: Vec::new(),
            }),
            Some((was_at, old)) => {
                let mut fields = differing(old, task);
                if moved(task) {
                    fields.insert(0, TaskField::Position);
                }
                if !fields.is_empty() {
                    found.push(TaskDifference {
                        change: TaskChange::Changed,
                        before: Some(listed(was_at, old)),
                        after: Some(listed(at, task)),
                        fields,
                    });
                }
            }
        }
    }
    let gone = before.iter().enumerate().filter(|(_, task)| place(after, task).is_none());
    found.extend(gone.map(|(at, task)| TaskDifference {
        change: TaskChange::Dropped,
        before: Some(listed(at, task)),
        after: None,
        fields: Vec::new(),
    }));
    found
}

/// A task with its place in the list.
fn listed(at: usize, task: &TaskDraft) -> (i32, TaskDraft) {
    (i32::try_from(at).unwrap_or(i32::MAX), task.clone())
}

fn differing(before: &TaskDraft, after: &TaskDraft) -> Vec<TaskField> {
    // Whoever adds a field to a task is told here to compare it.
    let TaskDraft {
        id: _,
        category,
        title,
        content,
        lead_leader,
        responsible,
        due_on,
        frequency,
        daily_entries,
        target,
        parent_task_id,
    } = before;
    let fields = [
        (TaskField::Category, *category != after.category),
        (TaskField::Title, *title != after.title),
        (TaskField::Content, *content != after.content),
        (TaskField::LeadLeader, *lead_leader != after.lead_leader),
        (TaskField::Responsible, *responsible != after.responsible),
        (TaskField::DueOn, *due_on != after.due_on),
        (TaskField::Frequency, *frequency != after.frequency),
        (TaskField::DailyEntries, *daily_entries != after.daily_entries),
        (TaskField::Target, *target != after.target),
        (TaskField::ParentTask, *parent_task_id != after.parent_task_id),
    ];
    fields.into_iter().filter(|(_, differs)| *differs).map(|(field, _)| field).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaigns::rules::{Frequency, TaskId};

    fn task(title: &str) -> TaskDraft {
        TaskDraft {
            id: Some(TaskId::generate()),
            category: "服务窗口".into(),
            title: title.into(),
            content: "一次告知全部材料。".into(),
            lead_leader: None,
            responsible: Vec::new(),
            due_on: "2026-06-12".parse().unwrap(),
            frequency: Frequency::Weekly,
            daily_entries: false,
            target: None,
            parent_task_id: None,
        }
    }

    #[test]
    fn what_was_added_dropped_changed_and_moved_is_told_and_nothing_else() {
        let (first, second, third) = (task("甲"), task("乙"), task("丙"));
        let same = [first.clone(), second.clone(), third.clone()];
        assert!(task_differences(&same, &same).is_empty());
        // Without the first, the others have not moved.
        let dropped = task_differences(&same, &same[1..]);
        assert_eq!(dropped.len(), 1);
        assert_eq!(dropped[0].change, TaskChange::Dropped);
        assert_eq!(dropped[0].before.as_ref().map(|task| task.1.title.as_str()), Some("甲"));
        let late = TaskDraft { due_on: "2026-07-01".parse().unwrap(), daily_entries: true, ..second.clone() };
        let told = task_differences(&same, &[first.clone(), late, task("丁"), third.clone()]);
        let kinds: Vec<_> = told.iter().map(|one| (one.change, one.fields.clone())).collect();
        let fields = vec![TaskField::DueOn, TaskField::DailyEntries];
        assert_eq!(kinds, [(TaskChange::Changed, fields), (TaskChange::Added, Vec::new())]);
        let turned = task_differences(&same, &[second, first, third]);
        assert!(turned.iter().all(|one| one.fields == [TaskField::Position]) && turned.len() == 2);
    }
}
