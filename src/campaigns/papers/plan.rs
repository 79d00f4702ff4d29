//! A plan as a document: what the meeting decided, the phases, who leads what; the task list as its annex.

use super::service::Printable;
use super::task_list::{by_category, table};
use super::wording::{is_approved, mark};
use crate::campaigns::plan::rules::{Meeting, PlanState, TaskDraft};
use crate::errors::Result;
use crate::papers::words::{day, numeral, span};
use crate::papers::{Block, Cell, Column, Layout, Paper, Part, Row, Sheet, Table};

/// The plan's paper.
pub(super) fn paper(shown: &Printable) -> Result<Paper> {
    let (title, tasks) = (shown.content.title.clone(), table(shown, None)?);
    let mut parts = vec![Part { layout: Layout::Upright, blocks: body(shown) }];
    if !shown.content.tasks.is_empty() {
        let blocks =
            vec![Block::Label("附件".into()), Block::Title("任务清单".into()), Block::Table(tasks.clone())];
        parts.push(Part { layout: Layout::Wide, blocks });
    }
    let list = Sheet {
        name: "任务清单",
        layout: Layout::Wide,
        title: "任务清单".into(),
        byline: Some(title.clone()),
        facts: Vec::new(),
        table: Some(tasks),
    };
    let mark = mark(shown.plan.state);
    Ok(Paper { title, stem: "plan", mark, parts, sheets: vec![cover(shown), list] })
}

fn body(shown: &Printable) -> Vec<Block> {
    let mut blocks = vec![Block::Title(shown.content.title.clone()), Block::Text(origin(shown))];
    let mut heading = {
        let mut number = 0;
        move |text: &str| {
            number += 1;
            Block::Heading(format!("{}、{text}", numeral(number)))
        }
    };
    if !shown.content.phases.is_empty() {
        blocks.push(heading("阶段安排"));
    }
    for (number, phase) in (1..).zip(&shown.content.phases) {
        let when = span(phase.starts_on, phase.ends_on);
        blocks.push(Block::Subheading(format!("（{}）{}（{when}）", numeral(number), phase.name)));
    }
    let groups = by_category(&shown.content.tasks);
    if !groups.is_empty() {
        blocks.push(heading("任务分工"));
        let (kinds, items) = (groups.len(), shown.content.tasks.len());
        let told = format!("共{kinds}类{items}项，各项的要求、责任单位、频次和目标见附件。");
        blocks.push(Block::Text(told));
    }
    for (number, (category, tasks)) in (1..).zip(&groups) {
        blocks.push(Block::Subheading(format!("（{}）{category}（{}项）", numeral(number), tasks.len())));
        blocks.push(Block::Numbered(tasks.iter().map(|task| item(task)).collect()));
    }
    if !groups.is_empty() {
        blocks.push(Block::Text("附件：任务清单".into()));
    }
    let mut signature = vec![shown.unit.name.clone()];
    signature.extend(dated(shown));
    blocks.push(Block::Signature(signature));
    blocks.extend(verdict(shown).map(|told| Block::Remark(format!("（{told}）"))));
    blocks
}

fn origin(shown: &Printable) -> String {
    match &shown.content.meeting {
        Some(meeting) => {
            let number = meeting.number.as_ref().map(|number| format!("（{number}）")).unwrap_or_default();
            format!("根据{}{}{number}的决定，制定本方案。", day(meeting.held_on), meeting.title)
        }
        None => "（尚未引用决定本方案的会议。）".to_owned(),
    }
}

fn item(task: &TaskDraft) -> String {
    let due = day(task.due_on);
    match &task.lead_leader {
        Some(leader) => format!("{}（{leader}牵头，{due}前完成）。", task.title),
        None => format!("{}（牵头领导待定，{due}前完成）。", task.title),
    }
}

/// The day under the unit's name: of the publication, else of the approval.
fn dated(shown: &Printable) -> Option<String> {
    let plan = &shown.plan;
    let at = plan.published_at.or(plan.decided_at.filter(|_| is_approved(plan.state)));
    at.map(|at| day(at.shanghai_day()))
}

/// What the head has said of it.
fn verdict(shown: &Printable) -> Option<String> {
    let plan = &shown.plan;
    let approved = is_approved(plan.state);
    if !approved && plan.state != PlanState::Returned {
        return None;
    }
    let (what, comment) =
        if approved { ("批准", &plan.approval_comment) } else { ("退回", &plan.return_comment) };
    let mut told = vec![format!("{what}人：{}", shown.decided_by.as_deref().unwrap_or("（不详）"))];
    told.extend(plan.decided_at.map(|at| format!("{what}日期：{}", day(at.shanghai_day()))));
    told.extend(comment.as_ref().map(|comment| format!("{what}意见：{comment}")));
    Some(told.join("；"))
}

fn cover(shown: &Printable) -> Sheet {
    let plan = &shown.plan;
    let mut facts = vec![("编制单位", shown.unit.name.clone()), ("状态", plan.state.zh().to_owned())];
    if let Some(Meeting { title, number, held_on }) = &shown.content.meeting {
        facts.push(("决定会议", title.clone()));
        facts.extend(number.as_ref().map(|number| ("会议文号", number.clone())));
        facts.push(("召开日期", day(*held_on)));
    }
    facts.push(("任务项数", shown.content.tasks.len().to_string()));
    facts.extend(verdict(shown).map(|told| ("审批情况", told)));
    facts.extend(plan.published_at.map(|at| ("发布日期", day(at.shanghai_day()))));
    let rows = (1..).zip(&shown.content.phases).map(|(number, phase)| {
        Row::plain(vec![
            Cell::Number(number),
            Cell::Text(phase.name.clone()),
            Cell::Day(phase.starts_on),
            Cell::Day(phase.ends_on),
        ])
    });
    let columns = vec![
        Column::short("阶段序号", 14),
        Column::text("阶段名称", 50),
        Column::short("首日", 24),
        Column::short("末日（含）", 24),
    ];
    let table = Some(Table { columns, rows: rows.collect() });
    Sheet {
        name: "封面与阶段",
        layout: Layout::Wide,
        title: shown.content.title.clone(),
        byline: None,
        facts,
        table,
    }
}
