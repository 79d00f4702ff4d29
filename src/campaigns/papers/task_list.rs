//! The task list of a plan, category by category.

use std::collections::HashMap;

use chrono::NaiveDate;

use super::service::Printable;
use super::wording::{mark, responsible, target};
use crate::campaigns::plan::rules::{PlanState, TaskDraft};
use crate::campaigns::rules::TaskId;
use crate::campaigns::tasks::rules::Done;
use crate::errors::Result;
use crate::papers::words::day;
use crate::papers::{Block, Cell, Column, Layout, Paper, Part, Row, Sheet, Table};

/// How far tasks are, by their ids.
pub(super) type Progress = HashMap<TaskId, Done>;

/// Whether a plan in this state has anything to show of its progress: it is, or was, in force.
pub(super) fn has_progress(state: PlanState) -> bool {
    state.is_in_force() || state == PlanState::Closed
}

/// The task list's paper; with its progress as of a day, if there is any.
pub(super) fn paper(shown: &Printable, progress: Option<&(Progress, NaiveDate)>) -> Result<Paper> {
    let title = format!("{}任务清单", shown.content.title);
    let table = table(shown, progress.map(|(progress, _)| progress))?;
    let byline = format!("{}　共{}项", shown.unit.name, shown.content.tasks.len());
    // Whoever reads a superior's plan sees how far their own units are with it.
    let byline = match progress {
        Some((_, today)) => format!("{byline}　进度截至{}，限本人辖区", day(*today)),
        None => byline,
    };
    let blocks =
        vec![Block::Title(title.clone()), Block::Byline(byline.clone()), Block::Table(table.clone())];
    let sheet = Sheet {
        name: "任务清单",
        layout: Layout::Wide,
        title: title.clone(),
        byline: Some(byline),
        facts: Vec::new(),
        table: Some(table),
    };
    Ok(Paper {
        title,
        stem: "task-list",
        mark: mark(shown.plan.state),
        parts: vec![Part { layout: Layout::Wide, blocks }],
        sheets: vec![sheet],
    })
}

/// The tasks by category, both in the order of the plan.
pub(super) fn by_category(tasks: &[TaskDraft]) -> Vec<(&str, Vec<&TaskDraft>)> {
    let mut groups: Vec<(&str, Vec<&TaskDraft>)> = Vec::new();
    for task in tasks {
        match groups.iter_mut().find(|(category, _)| *category == task.category) {
            Some((_, group)) => group.push(task),
            None => groups.push((&task.category, vec![task])),
        }
    }
    groups
}

/// The tasks as a table.
pub(super) fn table(shown: &Printable, progress: Option<&Progress>) -> Result<Table> {
    let mut columns = vec![
        Column::short("序号", 7),
        Column::text("类别", 12),
        Column::text("事项", 19),
        Column::text("要求", 46),
        Column::text("牵头领导", 15),
        Column::text("责任单位", 25),
        Column::short("完成时限", 22),
        Column::short("频次", 10),
        Column::text("目标", 17),
    ];
    if progress.is_some() {
        columns.push(Column::short("完成/应完成", 13));
    }
    let groups = by_category(&shown.content.tasks);
    let tasks = groups.iter().flat_map(|(_, tasks)| tasks.iter());
    let rows = (1..).zip(tasks).map(|(number, task)| {
        let mut cells = cells(shown, number, task)?;
        if let Some(progress) = progress {
            let done = task.id.and_then(|id| progress.get(&id)).copied().unwrap_or_default();
            cells.push(Cell::Text(format!("{}/{}", done.done, done.total)));
        }
        Ok(Row::plain(cells))
    });
    Ok(Table { columns, rows: rows.collect::<Result<_>>()? })
}

fn cells(shown: &Printable, number: i64, task: &TaskDraft) -> Result<Vec<Cell>> {
    let units = task.responsible.iter();
    let units = units.map(|one| Ok(responsible(one, shown.unit(one.unit_id)?, shown.plan.unit_id)));
    let units: Vec<String> = units.collect::<Result<_>>()?;
    Ok(vec![
        Cell::Number(number),
        Cell::Text(task.category.clone()),
        Cell::Text(task.title.clone()),
        Cell::Text(task.content.clone()),
        Cell::maybe(task.lead_leader.clone()),
        Cell::Text(units.join("、")),
        Cell::Day(task.due_on),
        Cell::Text(frequency(task)),
        Cell::maybe(task.target.as_ref().map(target)),
    ])
}

fn frequency(task: &TaskDraft) -> String {
    let often = task.frequency.zh();
    if task.daily_entries { format!("{often}，逐日填报") } else { often.to_owned() }
}
