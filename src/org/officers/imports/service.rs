//! The use case: a table of officers, compared with who is there and written.

use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;

use super::rules::{self, OfficerRow};
use crate::access::policy::{Background, OfficerImport, PersonsFollow};
use crate::access::{JobId, Tx};
use crate::campaigns::handover::service as work;
use crate::db::{Dictionary, Entry};
use crate::errors::{Code, Result, text};
use crate::imports::{Counts, ImportRow, Line, Lines, Refusals, Way};
use crate::jobs::rules::JobKind;
use crate::org::imports::rules::unit_of_row;
use crate::org::officers::rules::{Officer, OfficerId, OfficerKind, OfficerStatus, PoliceRank};
use crate::org::officers::{batch_store, store};
use crate::org::posts::rules::{PostDraft, PostKind};
use crate::org::posts::service as posts;
use crate::org::rules::{Unit, UnitId};
use crate::org::service as units;

/// What an import of officers does.
#[derive(Debug, Default)]
pub struct OfficerChanges {
    new: Vec<Officer>,
    posts: Vec<(OfficerId, PostDraft)>,
    changed: Vec<(Officer, Officer)>,
    lines: Lines,
}

/// What is there already.
struct Ground {
    units: HashMap<String, Unit>,
    officers: HashMap<String, Officer>,
    /// Numbers that another import is about to enter.
    unseen: HashSet<String>,
    cards: HashMap<String, OfficerId>,
    heads: HashMap<UnitId, Vec<PostDraft>>,
}

impl Ground {
    fn of(tx: &mut Tx<'_, OfficerImport>, rows: &[Line<OfficerRow>]) -> Result<Self> {
        let codes: HashSet<&str> = rows.iter().map(|line| line.row.unit_code.as_str()).collect();
        let units = units::coded(tx, &codes.into_iter().collect::<Vec<_>>())?;
        let numbers: Vec<&str> = rows.iter().map(|line| line.row.number.as_str()).collect();
        // Whom the file changes nobody else changes until this step is over.
        batch_store::lock_numbered(tx, &numbers)?;
        let officers = store::by_numbers(tx, &numbers)?;
        let unseen = batch_store::unseen_numbers(tx, &numbers)?;
        let cards: Vec<&str> = rows.iter().filter_map(|line| line.row.id_card.as_deref()).collect();
        let cards = store::by_id_cards(tx, &cards)?;
        let led: HashSet<UnitId> = rows
            .iter()
            .filter(|line| line.row.post_kind == Some(PostKind::Head))
            .filter_map(|line| units.get(&line.row.unit_code).map(|unit| unit.id))
            .collect();
        let mut led: Vec<UnitId> = led.into_iter().collect();
        led.sort_unstable();
        // Two heads entered at once: the second waits here for the first.
        for unit in &led {
            units::lock(tx, *unit)?;
        }
        let heads = posts::heads_of(tx, &led)?;
        Ok(Self { units, officers, unseen, cards, heads })
    }
}

impl ImportRow for OfficerRow {
    type Action = OfficerImport;
    type Changes = OfficerChanges;
    const KIND: JobKind = JobKind::OfficerImport;
    const WAY: Way = Way::InBatches;
    const MOST: i64 = 2_000_000;
    const UNIQUE: &'static [&'static str] = &["id_card"];
    const SHEET: [&'static str; 2] = ["officers", "民警辅警"];
    const KEY: &'static str = "number";
    const OPTIONAL: &'static [&'static str] = &["rank", "id_card", "phone"];

    fn labels(column: &str) -> &'static [Entry] {
        match column {
            "kind" => OfficerKind::ENTRIES,
            "rank" => PoliceRank::ENTRIES,
            "post_kind" => PostKind::ENTRIES,
            _ => &[],
        }
    }

    fn check(line: &Line<Self>, _today: NaiveDate, refusals: &mut Refusals) {
        rules::check(line, refusals);
    }

    fn plan(
        tx: &mut Tx<'_, OfficerImport>,
        rows: &[Line<Self>],
        _batch: JobId,
        refusals: &mut Refusals,
    ) -> Result<(Counts, OfficerChanges)> {
        let mut ground = Ground::of(tx, rows)?;
        let (mut changes, mut unchanged) = (OfficerChanges::default(), 0);
        for line in rows {
            let (row, number) = (&line.row, line.number);
            let unit = ground.units.get(&row.unit_code);
            let Some(unit) = unit_of_row(unit, tx.reach(), number, refusals).cloned() else { continue };
            let there = ground.officers.remove(&row.number);
            if ground.unseen.contains(&row.number) {
                let detail = text!("另一导入正在录入该警号或编号", "Another import is entering this number");
                refusals.tell(number, "number", Code::OfficerNumberTaken, detail);
                continue;
            }
            let card_of = row.id_card.as_ref().and_then(|card| ground.cards.get(card));
            if card_of.is_some_and(|holder| there.as_ref().is_none_or(|officer| officer.id != *holder)) {
                let detail = text!("该身份证号码已有人使用", "An officer has this identity card already");
                refusals.tell(number, "id_card", Code::IdCardTaken, detail);
            }
            match there {
                None => {
                    let officer = Officer::new(OfficerId::generate(), &row.draft(unit.id), &unit, tx.now())?;
                    if let Some(post) = row.post(unit.id) {
                        refuse_second_head(&mut ground, number, &post, refusals);
                        changes.posts.push((officer.id, post));
                    }
                    changes.new.push(officer);
                    changes.lines.new.push(number);
                }
                Some(before) => match change(tx, line, &unit, &before, refusals)? {
                    Some(after) => {
                        changes.changed.push((before, after));
                        changes.lines.changed.push(number);
                    }
                    None => unchanged += 1,
                },
            }
        }
        let counts = Counts { new: changes.new.len(), changed: changes.changed.len(), unchanged };
        Ok((counts, changes))
    }

    fn write(tx: &mut Tx<'_, OfficerImport>, mut changes: OfficerChanges) -> Result<()> {
        store::insert(tx, &changes.new, None)?;
        posts::enter_new(tx, std::mem::take(&mut changes.posts))?;
        tx.record_many("officer", changes.new.iter().map(|officer| Officer::told(None, officer, None)))?;
        for (_, after) in &mut changes.changed {
            store::save(tx, after)?;
        }
        let moved = changes.changed.iter().filter(|(before, after)| before.unit_id != after.unit_id);
        let moved: Vec<OfficerId> = moved.map(|(_, after)| after.id).collect();
        tx.effect::<PersonsFollow, _>(|tx| work::officers_gone(tx, &moved))?;
        let told = changes.changed.iter().map(|(before, after)| Officer::told(Some(before), after, None));
        tx.record_many("officer", told)
    }

    fn lines(changes: &OfficerChanges) -> Lines {
        changes.lines.clone()
    }

    fn enter(tx: &mut Tx<'_, OfficerImport>, changes: OfficerChanges, batch: JobId) -> Result<()> {
        store::insert(tx, &changes.new, Some(batch))?;
        posts::enter_unseen(tx, changes.posts, batch)
    }

    fn account(tx: &mut Tx<'_, OfficerImport>, batch: JobId, keys: &[&str]) -> Result<()> {
        let new = batch_store::of_batch(tx, batch, keys)?;
        posts::account(tx, batch, &new.iter().map(|officer| officer.id).collect::<Vec<_>>())?;
        tx.record_many("officer", new.iter().map(|officer| Officer::told(None, officer, None)))
    }

    fn withdraw(tx: &mut Tx<'_, Background>, batch: JobId, keys: &[&str]) -> Result<()> {
        let ids: Vec<OfficerId> =
            batch_store::of_batch(tx, batch, keys)?.iter().map(|officer| officer.id).collect();
        posts::withdraw(tx, batch, &ids)?;
        batch_store::withdraw(tx, &ids)
    }
}

/// What the row makes of an officer who is there; none when nothing is different, or refused.
fn change(
    tx: &mut Tx<'_, OfficerImport>,
    line: &Line<OfficerRow>,
    unit: &Unit,
    before: &Officer,
    refusals: &mut Refusals,
) -> Result<Option<Officer>> {
    let number = line.number;
    if !tx.reach().contains(&before.unit_path) {
        let detail = text!("该警号或编号已有人使用", "An officer has this number already");
        refusals.tell(number, "number", Code::OfficerNumberTaken, detail);
        return Ok(None);
    }
    if before.status == OfficerStatus::Left {
        refusals.tell(number, "number", Code::OfficerLeft, text!("已离队", "The officer has left"));
        return Ok(None);
    }
    let draft = OfficerRow::draft_over(line, before.draft(), unit.id);
    if draft == before.draft() {
        return Ok(None);
    }
    // The row by itself was good; with what stays of the officer it may not be.
    if rules::refuse_draft(number, &draft, refusals) {
        return Ok(None);
    }
    if draft.kind != before.kind && draft.kind == OfficerKind::Auxiliary && posts::leads(tx, before.id)? {
        let detail = text!("辅警不能任领导职务", "Auxiliaries hold no post that leads");
        refusals.tell(number, "kind", Code::AuxiliaryCannotLead, detail);
        return Ok(None);
    }
    Ok(Some(before.with(draft, unit)))
}

fn refuse_second_head(ground: &mut Ground, number: u32, post: &PostDraft, refusals: &mut Refusals) {
    if post.kind != PostKind::Head {
        return;
    }
    let heads = ground.heads.entry(post.unit_id).or_default();
    if heads.iter().any(|other| other.overlaps(post)) {
        let detail = text!("同一时间一个单位只有一名主要负责人", "A unit has one head at a time");
        refusals.tell(number, "post_kind", Code::HeadOverlaps, detail);
    }
    heads.push(post.clone());
}
