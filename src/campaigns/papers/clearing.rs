//! The clearing sheet of a day (逐日清账表): what each person owes, unit by unit, and what has become of it.

use std::collections::HashMap;

use chrono::Datelike;

use crate::campaigns::clearing::rules::{Asked, Tally};
use crate::campaigns::clearing::service::{OwedByPerson, Summary};
use crate::org::officers::rules::OfficerId;
use crate::org::rules::{Unit, UnitId};
use crate::papers::words::{day, weekday};
use crate::papers::{Block, Cell, Column, Layout, Paper, Part, Row, Sheet, Table, Weight};

/// Persons on a sheet at most; where there are more it is told by the units below.
pub(super) const MOST_PERSONS: usize = 2000;

/// What is known of an officer on paper.
#[derive(Debug, Clone)]
pub(super) struct Person {
    /// The number.
    pub number: String,
    /// The name, unless it was erased.
    pub name: Option<String>,
}

/// Whom and what the rows name.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// Units.
    pub units: HashMap<UnitId, String>,
    /// Officers.
    pub officers: HashMap<OfficerId, Person>,
}

/// A sheet with a row a person, in the order of the tree.
pub(super) fn by_person(asked: &Asked, unit: &Unit, mut rows: Vec<OwedByPerson>, names: &Names) -> Paper {
    let number = |one: &OwedByPerson| names.officers.get(&one.officer_id).map(|person| person.number.clone());
    rows.sort_by_cached_key(|one| (one.unit_path.clone(), one.unit_id, number(one)));
    let mut told = Vec::new();
    for (at, group) in (1..).zip(rows.chunk_by(|one, other| one.unit_id == other.unit_id)) {
        let name = group.first().and_then(|one| names.units.get(&one.unit_id)).cloned().unwrap_or_default();
        let sum = sum(group.iter().map(|one| one.tally));
        let heading =
            vec![Cell::Number(at), Cell::Text(name.clone()), Cell::Empty, Cell::Text("小计".into())];
        told.push(row(Weight::Subtotal, heading, sum));
        for one in group {
            let person = names.officers.get(&one.officer_id);
            let called = person.and_then(|person| person.name.clone()).unwrap_or_else(|| "（已清除）".into());
            let cells = vec![
                Cell::Empty,
                Cell::Text(name.clone()),
                Cell::maybe(person.map(|person| person.number.clone())),
                Cell::Text(called),
            ];
            told.push(row(Weight::Plain, cells, one.tally));
        }
    }
    let columns = vec![
        Column::short("序号", 7),
        Column::text("单位", 38),
        Column::short("警号", 14),
        Column::short("姓名", 14),
    ];
    let total = vec![Cell::Empty, Cell::Text("合计".into()), Cell::Empty, Cell::Empty];
    let whole = sum(rows.iter().map(|one| one.tally));
    paper(asked, unit, "", columns, (told, total, whole))
}

/// A sheet with a row for each unit directly below, with all that is below it: where persons are too many.
pub(super) fn by_unit(summary: &Summary) -> Paper {
    let (unit, whole) = &summary.unit;
    let below = sum(summary.below.iter().map(|(_, tally)| *tally));
    let own = Tally {
        owed: whole.owed - below.owed,
        closed: whole.closed - below.closed,
        late: whole.late - below.late,
    };
    let own = (own.owed > 0).then(|| (format!("{}（本级）", unit.name), own));
    let rows = own.into_iter().chain(summary.below.iter().map(|(unit, tally)| (unit.name.clone(), *tally)));
    let told = (1..).zip(rows).map(|(number, (name, tally))| {
        row(Weight::Plain, vec![Cell::Number(number), Cell::Text(name)], tally)
    });
    let columns = vec![Column::short("序号", 7), Column::text("单位（含下级）", 66)];
    let total = vec![Cell::Empty, Cell::Text("合计".into())];
    let note = format!("　应填超过{MOST_PERSONS}人，按下级单位汇总");
    paper(&summary.asked, unit, &note, columns, (told.collect(), total, *whole))
}

fn sum(tallies: impl Iterator<Item = Tally>) -> Tally {
    tallies.fold(Tally::default(), |sum, one| Tally {
        owed: sum.owed + one.owed,
        closed: sum.closed + one.closed,
        late: sum.late + one.late,
    })
}

fn row(weight: Weight, mut cells: Vec<Cell>, tally: Tally) -> Row {
    cells.extend([tally.owed, tally.closed, tally.late, tally.open()].map(Cell::Number));
    Row { weight, cells }
}

fn paper(
    asked: &Asked,
    unit: &Unit,
    note: &str,
    mut columns: Vec<Column>,
    (mut rows, total, whole): (Vec<Row>, Vec<Cell>, Tally),
) -> Paper {
    let title = format!("{}逐日清账表", unit.name);
    let byline = format!("{}{note}", of_day(asked));
    columns.extend(["应填", "已清", "补填", "未清"].map(|heading| Column::text(heading, 9)));
    rows.push(row(Weight::Total, total, whole));
    let table = Table { columns, rows };
    let blocks =
        vec![Block::Title(title.clone()), Block::Byline(byline.clone()), Block::Table(table.clone())];
    let sheet = Sheet {
        name: "逐日清账表",
        layout: Layout::Upright,
        title: title.clone(),
        byline: Some(byline),
        facts: Vec::new(),
        table: Some(table),
    };
    Paper {
        title,
        stem: "daily-clearing",
        mark: None,
        parts: vec![Part { layout: Layout::Upright, blocks }],
        sheets: vec![sheet],
    }
}

/// 2026年4月7日（星期二）　已定格.
fn of_day(asked: &Asked) -> String {
    let on = asked.day.on;
    let called = asked.day.name.as_ref().map(|name| format!("（{name}）")).unwrap_or_default();
    let stand = if !asked.works() {
        format!("休息日{called}，无人应填")
    } else if asked.frozen {
        "已定格".to_owned()
    } else {
        "未定格".to_owned()
    };
    let provisional = if asked.day.provisional { "　日历暂定" } else { "" };
    format!("{}（{}）　{stand}{provisional}", day(on), weekday(on.weekday()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Id, Instant};
    use crate::org::calendar::rules::{Day, DayKind};
    use crate::org::rules::{UnitKind, UnitStatus};

    fn unit(name: &str, path: &str) -> Unit {
        let at = Instant::from_micros(0);
        Unit {
            id: Id::generate(),
            parent_id: None,
            code: "53".into(),
            name: name.into(),
            kind: UnitKind::City,
            status: UnitStatus::Active,
            path: path.into(),
            version: 1,
            created_at: at,
            updated_at: at,
        }
    }

    fn asked() -> Asked {
        let on = "2026-04-07".parse().unwrap();
        let day = Day { on, kind: DayKind::WeekdayWork, name: None, changed: false, provisional: false };
        Asked { day, frozen: true }
    }

    fn tally(owed: i64, closed: i64, late: i64) -> Tally {
        Tally { owed, closed, late }
    }

    fn shown(paper: &Paper) -> Vec<String> {
        let table = paper.sheets[0].table.as_ref().unwrap();
        table.rows.iter().map(|row| row.cells.iter().map(Cell::shown).collect::<Vec<_>>().join("|")).collect()
    }

    #[test]
    fn units_and_the_whole_are_summed_up() {
        let (city, county) = (unit("昆明市公安局", "53/5301/"), unit("五华分局", "53/5301/530102/"));
        let (first, second, third) = (Id::generate(), Id::generate(), Id::generate());
        let mut names = Names::default();
        names.units.extend([&city, &county].map(|unit| (unit.id, unit.name.clone())));
        let people = [(first, "T2", Some("王")), (second, "T1", None), (third, "T3", Some("李"))];
        names.officers.extend(people.map(|(id, number, name): (OfficerId, &str, Option<&str>)| {
            (id, Person { number: number.into(), name: name.map(Into::into) })
        }));
        let one = |unit: &Unit, officer_id, tally| OwedByPerson {
            unit_id: unit.id,
            unit_path: unit.path.clone(),
            officer_id,
            tally,
        };
        let rows = vec![
            one(&county, third, tally(1, 0, 0)),
            one(&city, first, tally(2, 1, 1)),
            one(&city, second, tally(3, 1, 0)),
        ];
        let paper = by_person(&asked(), &city, rows, &names);
        let wanted = [
            "1|昆明市公安局||小计|5|2|1|2",
            "|昆明市公安局|T1|（已清除）|3|1|0|2",
            "|昆明市公安局|T2|王|2|1|1|0",
            "2|五华分局||小计|1|0|0|1",
            "|五华分局|T3|李|1|0|0|1",
            "|合计|||6|2|1|3",
        ];
        assert_eq!(shown(&paper), wanted);
        assert_eq!(paper.sheets[0].byline.as_deref(), Some("2026年4月7日（星期二）　已定格"));
    }

    #[test]
    fn what_the_unit_owes_itself_stands_beside_those_below() {
        let below = vec![(unit("五华分局", "53/5301/530102/"), tally(4, 2, 1))];
        let summary =
            Summary { asked: asked(), unit: (unit("昆明市公安局", "53/5301/"), tally(6, 3, 1)), below };
        let wanted = ["1|昆明市公安局（本级）|2|1|0|1", "2|五华分局|4|2|1|1", "|合计|6|3|1|2"];
        assert_eq!(shown(&by_unit(&summary)), wanted);
    }
}
