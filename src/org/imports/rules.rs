//! What a table of units means for the tree that is there.

use std::collections::{HashMap, VecDeque};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

use crate::access::Reach;
use crate::db::Instant;
use crate::errors::{Code, Text, deactivated, text, unknown};
use crate::imports::{Line, Refusals};
use crate::org::changes::rules::{follows, stands_there, why_not_under};
use crate::org::rules::{Unit, UnitId, UnitKind, UnitStatus, path_under};

/// 单位导入的一行。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitRow {
    /// 代码。官方代码, 省内唯一, 各行以此为准。
    #[schema(min_length = 1, max_length = 32, pattern = "^[0-9A-Z]+(-[0-9A-Z]+)*$")]
    pub code: String,
    /// 名称。
    #[schema(min_length = 1, max_length = 100, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    pub name: String,
    /// 种类。
    pub kind: UnitKind,
    /// 上级代码。上级单位的官方代码, 可在同一文件中; 省厅留空。
    #[serde(default)]
    #[schema(min_length = 1, max_length = 32, pattern = "^[0-9A-Z]+(-[0-9A-Z]+)*$")]
    pub parent_code: Option<String>,
    /// 生效日期。自何日起, 不晚于今日; 不写则为今日。
    #[serde(default)]
    pub effective_on: Option<NaiveDate>,
    /// 依据。如批文。
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    pub reason: Option<String>,
}

impl Validate for UnitRow {
    fn validate(&self) -> Result<(), ValidationErrors> {
        Ok(())
    }
}

/// What is there already.
#[derive(Debug)]
pub struct Ground<'g> {
    /// The units that the rows name, as themselves or as parents, by code, whatever the reach.
    pub there: &'g HashMap<String, Unit>,
    /// Since when those to be renamed have stood as they do.
    pub since: &'g HashMap<UnitId, NaiveDate>,
    /// Since when those that new units are put under have stood where they do.
    pub placed: &'g HashMap<UnitId, NaiveDate>,
    /// How far whoever imports may reach.
    pub reach: &'g Reach,
    /// When it happens.
    pub at: Instant,
}

/// What is to be done.
#[derive(Debug, Default)]
pub struct Plan {
    /// Units to enter, parents before children, each with the place of its row.
    pub new: Vec<(Unit, usize)>,
    /// Units to rename: as they are, as they will be, and the place of the row.
    pub renamed: Vec<(Unit, Unit, usize)>,
    /// Rows that say what is there.
    pub unchanged: usize,
}

/// The unit that a row of another table names in its column `unit_code`: within reach and working, else
/// it is told.
pub fn unit_of_row<'g>(
    there: Option<&'g Unit>,
    reach: &Reach,
    line: u32,
    refusals: &mut Refusals,
) -> Option<&'g Unit> {
    const COLUMN: &str = "unit_code";
    let error = match there.filter(|unit| reach.contains(&unit.path)) {
        None => unknown(COLUMN),
        Some(unit) if unit.status == UnitStatus::Deactivated => deactivated(COLUMN),
        Some(unit) => return Some(unit),
    };
    refusals.tell(line, COLUMN, error.code, error.detail);
    None
}

/// What is wrong with a row by itself.
pub fn check(line: &Line<UnitRow>, today: NaiveDate, refusals: &mut Refusals) {
    if line.row.effective_on.is_some_and(|day| day > today) {
        let detail =
            text!("生效日期不得晚于今日 ({today})", "The change may not count from after today ({today})");
        refusals.tell(line.number, "effective_on", Code::InTheFuture, detail);
    }
}

/// Compares the rows, whose codes differ, with each other and with what is there; what is wrong is told.
/// What comes back is only good when nothing was.
pub fn plan(rows: &[Line<UnitRow>], ground: &Ground<'_>, refusals: &mut Refusals) -> Plan {
    let mut plan = Plan::default();
    let mut tree = Tree::default();
    let places: HashMap<&str, usize> =
        rows.iter().enumerate().map(|(at, line)| (line.row.code.as_str(), at)).collect();
    for (at, line) in rows.iter().enumerate() {
        if let Some(unit) = ground.there.get(&line.row.code) {
            compare(line, at, unit, ground, refusals, &mut plan);
            continue;
        }
        let above = place_above(line, rows, &places, ground);
        follows_parent(line, &above, rows, ground, refusals);
        tree.place(line, at, &above, refusals);
    }
    tree.grow(rows, ground, &mut plan);
    for circle in tree.circles(rows.len()) {
        let codes: Vec<&str> =
            circle.iter().filter_map(|at| rows.get(*at)).map(|line| line.row.code.as_str()).collect();
        let shown = codes.iter().take(6).copied().collect::<Vec<_>>().join(" → ");
        for line in circle.iter().filter_map(|at| rows.get(*at)) {
            let detail = text!("上级循环: {shown} → …", "Its parents form a circle: {shown} → …");
            refusals.tell(line.number, "parent_code", Code::CircularReference, detail);
        }
    }
    plan
}

/// A row whose unit is there already.
fn compare(
    line: &Line<UnitRow>,
    at: usize,
    unit: &Unit,
    ground: &Ground<'_>,
    refusals: &mut Refusals,
    plan: &mut Plan,
) {
    let (row, number) = (&line.row, line.number);
    if !ground.reach.contains(&unit.path) {
        let detail = text!("该代码已有单位使用", "A unit has this code already");
        return refusals.tell(number, "code", Code::UnitCodeTaken, detail);
    }
    if unit.status == UnitStatus::Deactivated {
        let told = deactivated("");
        return refusals.tell(number, "code", told.code, told.detail);
    }
    if row.kind != unit.kind {
        let (zh, en) = (unit.kind.zh(), unit.kind);
        let detail = text!("已录为{zh}, 种类不能更改", "It is a {en}; the kind of a unit does not change");
        refusals.tell(number, "kind", Code::NotByImport, detail);
    }
    let parent = unit.path.split_terminator('/').rev().nth(1);
    if row.parent_code.as_deref() != parent {
        let parent = parent.unwrap_or("-");
        let detail = text!(
            "现属 {parent}; 改隶请用划转 (POST /units/{{unit_id}}/move)",
            "It stands under {parent}; to put it elsewhere, move it (POST /units/{{unit_id}}/move)"
        );
        refusals.tell(number, "parent_code", Code::NotByImport, detail);
    }
    if row.name == unit.name {
        plan.unchanged += 1;
        return;
    }
    let day = row.effective_on.unwrap_or_else(|| ground.at.shanghai_day());
    if let Some(since) = ground.since.get(&unit.id)
        && let Err(error) = follows(unit, *since, day)
    {
        for error in error.errors() {
            refusals.tell(number, "effective_on", error.code, error.detail.clone());
        }
    }
    plan.renamed.push((unit.clone(), Unit { name: row.name.clone(), ..unit.clone() }, at));
}

/// What a new unit's parent is.
enum Above<'a> {
    /// A unit that is there.
    There(&'a Unit),
    /// Another row, and the kind it says.
    Row(usize, UnitKind),
    /// A row that has errors of its own, or nothing that is known.
    Nothing(Option<(Code, Text)>),
}

fn place_above<'a>(
    line: &Line<UnitRow>,
    rows: &[Line<UnitRow>],
    places: &HashMap<&str, usize>,
    ground: &Ground<'a>,
) -> Above<'a> {
    let Some(code) = line.row.parent_code.as_deref() else {
        let detail = text!(
            "缺少上级代码: 省内只有省厅没有上级",
            "The parent's code is missing: the province alone has no parent"
        );
        return Above::Nothing(Some((Code::Required, detail)));
    };
    if let Some(unit) = ground.there.get(code).filter(|unit| ground.reach.contains(&unit.path)) {
        return Above::There(unit);
    }
    if let Some((at, row)) = places.get(code).and_then(|at| Some((*at, &rows.get(*at)?.row)))
        && !ground.there.contains_key(code)
    {
        return Above::Row(at, row.kind);
    }
    let detail = text!(
        "文件中和您的范围内都没有代码为 {code} 的单位",
        "Neither the file nor your reach has a unit with the code {code}"
    );
    Above::Nothing(Some((Code::UnknownReference, detail)))
}

/// Tells a row whose unit would stand before what it stands under does.
fn follows_parent(
    line: &Line<UnitRow>,
    above: &Above<'_>,
    rows: &[Line<UnitRow>],
    ground: &Ground<'_>,
    refusals: &mut Refusals,
) {
    let today = ground.at.shanghai_day();
    let parent = match above {
        Above::There(unit) => ground.placed.get(&unit.id).map(|since| (unit.name.as_str(), *since)),
        Above::Row(at, _) => {
            rows.get(*at).map(|line| (line.row.name.as_str(), line.row.effective_on.unwrap_or(today)))
        }
        Above::Nothing(_) => None,
    };
    let Some((name, since)) = parent else { return };
    if let Err(error) = stands_there(name, since, line.row.effective_on.unwrap_or(today)) {
        for error in error.errors() {
            refusals.tell(line.number, "effective_on", error.code, error.detail.clone());
        }
    }
}

/// The new units by what they stand under.
#[derive(Default)]
struct Tree {
    /// Rows whose parent is there, and where; an empty path where it is unknown.
    roots: Vec<(usize, Option<UnitId>, String)>,
    /// Rows under other rows.
    below: HashMap<usize, Vec<usize>>,
    /// The row each of them stands under.
    above: HashMap<usize, usize>,
}

impl Tree {
    fn place(&mut self, line: &Line<UnitRow>, at: usize, above: &Above<'_>, refusals: &mut Refusals) {
        let wrong = match above {
            Above::There(unit) => {
                self.roots.push((at, Some(unit.id), unit.path.clone()));
                why_not_under(unit.kind, unit.status, line.row.kind)
            }
            Above::Row(parent, kind) => {
                self.below.entry(*parent).or_default().push(at);
                self.above.insert(at, *parent);
                why_not_under(*kind, UnitStatus::Active, line.row.kind)
            }
            Above::Nothing(why) => {
                self.roots.push((at, None, String::new()));
                let told = line.row.parent_code.as_deref().is_some_and(|code| refusals.has_key(code));
                why.clone().filter(|_| !told)
            }
        };
        if let Some((code, detail)) = wrong {
            let column = if code == Code::WrongKind { "kind" } else { "parent_code" };
            refusals.tell(line.number, column, code, detail);
        }
    }

    /// Makes the units, level by level.
    fn grow(&mut self, rows: &[Line<UnitRow>], ground: &Ground<'_>, plan: &mut Plan) {
        let mut next: VecDeque<(usize, Option<UnitId>, String)> = std::mem::take(&mut self.roots).into();
        while let Some((at, parent_id, path)) = next.pop_front() {
            self.above.remove(&at);
            let Some(line) = rows.get(at) else { continue };
            let unit = Unit {
                id: UnitId::generate(),
                parent_id,
                path: path_under(Some(&path), &line.row.code),
                code: line.row.code.clone(),
                name: line.row.name.clone(),
                kind: line.row.kind,
                status: UnitStatus::Active,
                version: 1,
                created_at: ground.at,
                updated_at: ground.at,
            };
            for child in self.below.remove(&at).unwrap_or_default() {
                next.push_back((child, Some(unit.id), unit.path.clone()));
            }
            plan.new.push((unit, at));
        }
    }

    /// The circles among the rows that no unit was made of: what hangs on one is none itself.
    fn circles(&self, rows: usize) -> Vec<Vec<usize>> {
        let mut walk = vec![0_usize; rows];
        let mut circles = Vec::new();
        let mut starts: Vec<usize> = self.above.keys().copied().collect();
        starts.sort_unstable();
        for (number, start) in (1_usize..).zip(starts) {
            let (mut way, mut here) = (Vec::new(), Some(start));
            while let Some(at) = here {
                match walk.get_mut(at) {
                    Some(seen) if *seen == 0 => *seen = number,
                    Some(seen) if *seen == number => {
                        let from = way.iter().position(|one| *one == at).unwrap_or_default();
                        circles.push(way.split_off(from));
                        break;
                    }
                    _ => break,
                }
                way.push(at);
                here = self.above.get(&at).copied();
            }
        }
        circles
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imports::Given;
    use UnitKind::{City, County, Department, Province, ServiceWindow, Station};

    fn unit(path: &str, kind: UnitKind) -> Unit {
        let at = Instant::from_micros(0);
        Unit {
            id: UnitId::generate(),
            parent_id: None,
            code: path.split_terminator('/').next_back().unwrap().to_owned(),
            name: "某局".to_owned(),
            kind,
            status: UnitStatus::Active,
            path: path.to_owned(),
            version: 1,
            created_at: at,
            updated_at: at,
        }
    }

    fn row(code: &str, kind: UnitKind, parent: &str) -> UnitRow {
        UnitRow {
            code: code.to_owned(),
            name: "某局".to_owned(),
            kind,
            parent_code: (!parent.is_empty()).then(|| parent.to_owned()),
            effective_on: None,
            reason: None,
        }
    }

    /// What is told of the rows, as `line field code`, and the codes of new units in their order.
    fn judged(rows: Vec<UnitRow>, there: &[Unit], reach: &Reach) -> (Vec<String>, Vec<String>) {
        let lines: Vec<Line<UnitRow>> =
            (2_u32..).zip(rows).map(|(number, row)| Line { number, row, given: Given::ALL }).collect();
        let there: HashMap<String, Unit> =
            there.iter().map(|unit| (unit.code.clone(), unit.clone())).collect();
        let placed = there.values().map(|unit| (unit.id, "2020-01-01".parse().unwrap())).collect();
        let ground = Ground {
            there: &there,
            since: &HashMap::new(),
            placed: &placed,
            reach,
            at: Instant::from_micros(1_772_000_000_000_000),
        };
        let mut refusals = Refusals::default();
        let plan = plan(&lines, &ground, &mut refusals);
        let mut told: Vec<String> = refusals
            .listed()
            .iter()
            .map(|error| match &error.place {
                crate::errors::Place::Row(line, field) => format!("{line} {field} {}", error.code.name()),
                other => panic!("{other:?}"),
            })
            .collect();
        told.sort_unstable();
        (told, plan.new.iter().map(|(unit, _)| unit.path.clone()).collect())
    }

    #[test]
    fn parents_may_stand_after_their_children() {
        let rows = vec![
            row("530102001", Station, "530102"),
            row("530102", County, "5301"),
            row("5301-D01", Department, "5301"),
            row("5301", City, "53"),
            row("53", Province, ""),
            row("530102001-W01", ServiceWindow, "530102001"),
        ];
        let (told, new) = judged(rows, &[unit("53/", Province)], &Reach::whole_tenant());
        assert_eq!(told, Vec::<String>::new());
        let wanted = [
            "53/5301/",
            "53/5301/530102/",
            "53/5301/5301-D01/",
            "53/5301/530102/530102001/",
            "53/5301/530102/530102001/530102001-W01/",
        ];
        assert_eq!(new, wanted);
    }

    #[test]
    fn nothing_stands_before_what_it_stands_under() {
        let on = |row: UnitRow, day: &str| UnitRow { effective_on: Some(day.parse().unwrap()), ..row };
        let rows = vec![
            on(row("5301", City, "53"), "2019-12-31"),
            on(row("5303", City, "53"), "2020-01-01"),
            on(row("530302", County, "5303"), "2020-01-01"),
            on(row("530303", County, "5303"), "2019-12-31"),
            row("5304", City, "53"),
            on(row("530402", County, "5304"), "2020-01-02"),
        ];
        let (told, _) = judged(rows, &[unit("53/", Province)], &Reach::whole_tenant());
        let wanted =
            ["2 effective_on out_of_order", "5 effective_on out_of_order", "7 effective_on out_of_order"];
        assert_eq!(told, wanted);
    }

    #[test]
    fn circles_are_told_and_what_hangs_on_them_is_not() {
        let rows = vec![
            row("A", County, "B"),
            row("B", County, "A"),
            row("C", County, "C"),
            row("D", Station, "A"),
            row("E", Station, "D"),
        ];
        let (told, new) = judged(rows, &[unit("53/", Province)], &Reach::whole_tenant());
        let circles: Vec<&String> = told.iter().filter(|one| one.ends_with("circular_reference")).collect();
        assert_eq!(
            circles,
            [
                "2 parent_code circular_reference",
                "3 parent_code circular_reference",
                "4 parent_code circular_reference"
            ]
        );
        assert!(new.is_empty());
    }

    #[test]
    fn what_is_there_is_compared_and_what_is_not_must_fit() {
        let mut gone = unit("53/5305/", City);
        gone.status = UnitStatus::Deactivated;
        let there = [unit("53/", Province), unit("53/5301/", City), unit("53/5303/", City), gone];
        let rows = vec![
            row("5301", County, "53"),
            row("5303", City, "5301"),
            row("5305", City, "53"),
            row("530501", County, "5305"),
            row("530199", Station, "5399"),
            row("530198", City, "5301"),
            row("54", Province, "53"),
            row("55", City, ""),
        ];
        let (told, _) = judged(rows, &there, &Reach::whole_tenant());
        let wanted = [
            "2 kind not_by_import",
            "3 parent_code not_by_import",
            "4 code unit_deactivated",
            "5 parent_code unit_deactivated",
            "6 parent_code unknown_reference",
            "7 kind wrong_kind",
            "8 kind wrong_kind",
            "9 parent_code required",
        ];
        assert_eq!(told, wanted);
    }

    #[test]
    fn what_is_out_of_reach_is_as_unknown_as_what_is_not_there() {
        let there = [unit("53/", Province), unit("53/5301/", City), unit("53/5303/", City)];
        let reach = Reach { ranges: vec![crate::access::PathRange::subtree("53/5301/")], ..Reach::default() };
        let rows = vec![
            row("5301", City, "53"),
            row("5303", City, "53"),
            row("530301", County, "5303"),
            row("530101", County, "5301"),
        ];
        let (told, new) = judged(rows, &there, &reach);
        assert_eq!(told, ["3 code unit_code_taken", "4 parent_code unknown_reference"]);
        assert!(new.contains(&"53/5301/530101/".to_owned()));
    }
}
