//! What waits for an officer to enter, and for a unit to see closed.

use std::collections::HashSet;

use chrono::NaiveDate;

use super::awaited_store::{self as store, Owed};
use super::day_store as days;
use crate::access::Tx;
use crate::access::policy::{Action, EntryCreate};
use crate::campaigns::rules::{CampaignId, PlanId, TaskId};
use crate::errors::Result;
use crate::org::calendar::service as calendar;
use crate::org::officers::rules::OfficerId;
use crate::org::officers::service as officers;
use crate::org::rules::UnitId;

/// A day that somebody still has to enter for a task.
#[derive(Debug, Clone)]
pub struct AwaitedDay {
    /// The day.
    pub day: NaiveDate,
    /// The task.
    pub task_id: TaskId,
    /// What it is called.
    pub title: String,
    /// Its plan.
    pub plan_id: PlanId,
    /// The campaign.
    pub campaign_id: CampaignId,
    /// The unit it is owed for.
    pub unit_id: UnitId,
}

impl AwaitedDay {
    fn of(day: NaiveDate, (task_id, title, plan_id, campaign_id, unit_id): Owed) -> Self {
        Self { day, task_id, title, plan_id, campaign_id, unit_id }
    }
}

/// The days that the caller owes and has not entered, the oldest first: frozen ones as they were frozen,
/// the others as the duties and the calendar say.
///
/// # Errors
/// When the database fails.
pub fn days_of_caller<A: Action>(tx: &mut Tx<'_, A>, most: usize) -> Result<Vec<AwaitedDay>> {
    if tx.reach_of::<EntryCreate>().is_none() {
        return Ok(Vec::new());
    }
    let Some(officer) = officers::of_caller(tx)? else { return Ok(Vec::new()) };
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let frozen = store::frozen(tx, officer, limit)?;
    let mut found: Vec<AwaitedDay> =
        frozen.into_iter().map(|(day, owed)| AwaitedDay::of(day, owed)).collect();
    if found.len() < most {
        found.extend(not_frozen(tx, officer, most)?);
        found.truncate(most);
    }
    Ok(found)
}

fn not_frozen<A: Action>(tx: &mut Tx<'_, A>, officer: OfficerId, most: usize) -> Result<Vec<AwaitedDay>> {
    let today = tx.now().shanghai_day();
    let (last, _) = days::bounds(tx)?;
    let duties = store::duties(tx, officer, last, i64::try_from(most).unwrap_or(i64::MAX))?;
    let after_last = last.and_then(|last| last.succ_opt());
    let begins = |from: NaiveDate| after_last.map_or(from, |first| first.max(from));
    let Some(first) = duties.iter().map(|(from, _, _)| begins(*from)).min() else { return Ok(Vec::new()) };
    let calendar = calendar::calendar(tx, first)?;
    let tasks: HashSet<TaskId> = duties.iter().map(|(_, _, owed)| owed.0).collect();
    let mut told: HashSet<(TaskId, NaiveDate)> =
        store::entered(tx, officer, tasks.into_iter().collect(), first)?.into_iter().collect();
    let mut found = Vec::new();
    for (from, until, owed) in duties {
        let days = begins(from).iter_days().take_while(|day| *day <= until.min(today));
        for day in days.filter(|day| calendar.is_working_day(*day).value) {
            if found.len() < most && told.insert((owed.0, day)) {
                found.push(AwaitedDay::of(day, owed.clone()));
            }
        }
    }
    found.sort_by_key(|one| (one.day, one.task_id));
    Ok(found)
}

/// How many people of each of the caller's own units have not closed today; units whose people all have
/// are left out, and on a rest day nobody owes anything.
///
/// # Errors
/// When the database fails.
pub fn people_of_units<A: Action>(tx: &mut Tx<'_, A>, most: usize) -> Result<Vec<(UnitId, i64)>> {
    let today = tx.now().shanghai_day();
    let Some(reach) = tx.reach_of::<EntryCreate>().filter(|reach| !reach.ranges.is_empty()) else {
        return Ok(Vec::new());
    };
    if !calendar::calendar(tx, today)?.is_working_day(today).value {
        return Ok(Vec::new());
    }
    store::open_people(tx, &reach, today, i64::try_from(most).unwrap_or(i64::MAX))
}
