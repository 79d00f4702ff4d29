//! The use case: a table of units, compared with the tree and written.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;

use super::rules::{self, Ground, UnitRow};
use crate::access::policy::{Background, UnitImport};
use crate::access::{JobId, Tx};
use crate::db::{Dictionary, Entry};
use crate::errors::{Code, Result, text};
use crate::imports::{Counts, ImportRow, Line, Lines, Refusals, Way};
use crate::jobs::rules::JobKind;
use crate::org::changes::batch_store;
use crate::org::changes::many::{self as changes, Dated};
use crate::org::rules::{Unit, UnitId, UnitKind};
use crate::org::store;

/// What an import of units does.
#[derive(Debug)]
pub struct UnitChanges {
    new: Vec<Dated>,
    renamed: Vec<(Unit, Dated)>,
    lines: Lines,
}

impl ImportRow for UnitRow {
    type Action = UnitImport;
    type Changes = UnitChanges;
    const KIND: JobKind = JobKind::UnitImport;
    const WAY: Way = Way::Altogether;
    const MOST: i64 = 50_000;
    const SHEET: [&'static str; 2] = ["units", "单位"];
    const KEY: &'static str = "code";

    fn labels(column: &str) -> &'static [Entry] {
        if column == "kind" { UnitKind::ENTRIES } else { &[] }
    }

    fn check(line: &Line<Self>, today: NaiveDate, refusals: &mut Refusals) {
        rules::check(line, today, refusals);
    }

    fn plan(
        tx: &mut Tx<'_, UnitImport>,
        rows: &[Line<Self>],
        batch: JobId,
        refusals: &mut Refusals,
    ) -> Result<(Counts, UnitChanges)> {
        let codes: HashSet<&str> = rows
            .iter()
            .flat_map(|line| [Some(line.row.code.as_str()), line.row.parent_code.as_deref()])
            .flatten()
            .collect();
        let codes: Vec<&str> = codes.into_iter().collect();
        let (own, taken): (HashMap<_, _>, HashMap<_, _>) =
            batch_store::unseen_codes(tx, &codes)?.into_iter().partition(|(_, job)| *job == batch);
        let own: Vec<&str> = own.keys().map(String::as_str).collect();
        let mut there = store::by_codes(tx, &codes)?;
        there.extend(batch_store::of_batch(tx, batch, &own)?);
        let there: HashMap<String, Unit> = there.into_iter().map(|unit| (unit.code.clone(), unit)).collect();
        for line in rows.iter().filter(|line| taken.contains_key(&line.row.code)) {
            let detail =
                text!("另一导入正在录入该代码的单位", "Another import is entering a unit with this code");
            refusals.tell(line.number, "code", Code::UnitCodeTaken, detail);
        }
        let renamed: Vec<UnitId> = rows
            .iter()
            .filter_map(|line| there.get(&line.row.code).filter(|unit| unit.name != line.row.name))
            .map(|unit| unit.id)
            .collect();
        let since = changes::standing_since(tx, &renamed)?;
        let above: HashSet<UnitId> = rows
            .iter()
            .filter(|line| !there.contains_key(&line.row.code))
            .filter_map(|line| there.get(line.row.parent_code.as_deref()?).map(|unit| unit.id))
            .collect();
        let placed = changes::placed_since(tx, &above.into_iter().collect::<Vec<_>>())?;
        let (reach, at) = (tx.reach().clone(), tx.now());
        let ground = Ground { there: &there, since: &since, placed: &placed, reach: &reach, at };
        let plan = rules::plan(rows, &ground, refusals);
        let counts = Counts { new: plan.new.len(), changed: plan.renamed.len(), unchanged: plan.unchanged };
        let today = tx.now().shanghai_day();
        let dated = |unit: Unit, at: usize| {
            let row = rows.get(at).map(|line| &line.row);
            let day = row.and_then(|row| row.effective_on).unwrap_or(today);
            Dated { unit, day, reason: row.and_then(|row| row.reason.clone()) }
        };
        let lines = |places: &mut dyn Iterator<Item = usize>| -> Vec<u32> {
            places.filter_map(|at| rows.get(at)).map(|line| line.number).collect()
        };
        let lines = Lines {
            new: lines(&mut plan.new.iter().map(|(_, at)| *at)),
            changed: lines(&mut plan.renamed.iter().map(|(.., at)| *at)),
        };
        let new = plan.new.into_iter().map(|(unit, at)| dated(unit, at)).collect();
        let renamed =
            plan.renamed.into_iter().map(|(before, after, at)| (before, dated(after, at))).collect();
        Ok((counts, UnitChanges { new, renamed, lines }))
    }

    fn write(tx: &mut Tx<'_, UnitImport>, changes: UnitChanges) -> Result<()> {
        changes::rename_all(tx, changes.renamed)
    }

    fn lines(changes: &UnitChanges) -> Lines {
        changes.lines.clone()
    }

    fn enter(tx: &mut Tx<'_, UnitImport>, changes: UnitChanges, batch: JobId) -> Result<()> {
        changes::enter_unseen(tx, &changes.new, batch)
    }

    fn account(tx: &mut Tx<'_, UnitImport>, batch: JobId, keys: &[&str]) -> Result<()> {
        changes::account(tx, batch, keys)
    }

    fn withdraw_last(tx: &mut Tx<'_, Background>, batch: JobId, most: i64) -> Result<usize> {
        batch_store::withdraw(tx, batch, most)
    }
}
