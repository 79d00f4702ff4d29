//! The tree of every province as a table, from the divisions that the demo holds, and what is to come
//! of it, counted another way.

use std::collections::{BTreeMap, HashMap};

const PROVINCES: &str = include_str!("../../src/demo/data/provinces.csv");
const CITIES: &str = include_str!("../../src/demo/data/cities.csv");
const COUNTIES: &str = include_str!("../../src/demo/data/counties.csv");
const TOWNSHIPS: &str = include_str!("../../src/demo/data/townships.csv");

/// Counties that repeat their city: the city has no counties, its stations hang under it.
const WITHOUT_COUNTIES: &[&str] = &["441900", "442000", "460400", "620201"];

fn rows(text: &'static str, province: &str) -> Vec<(&'static str, &'static str)> {
    let rows = text.lines().skip(1).filter_map(|line| line.split_once(','));
    rows.filter(|(code, _)| code.starts_with(province)).collect()
}

fn is_pseudo_city(name: &str) -> bool {
    ["市辖区", "县", "省直辖县级行政区划", "自治区直辖县级行政区划"].contains(&name)
}

/// The two-digit codes of the 31 provinces.
pub fn provinces() -> Vec<&'static str> {
    rows(PROVINCES, "").into_iter().map(|(code, _)| code).collect()
}

/// The name of a province's department.
pub fn root_name(province: &str) -> String {
    format!("{}公安厅", rows(PROVINCES, province)[0].1)
}

/// A row: code, name, kind, the parent's code.
pub type Row = [String; 4];

/// Every unit of a province but its departments and windows: parents first, the root among them.
pub fn tree(province: &str, root: &str) -> Vec<Row> {
    let row =
        |code: &str, name: String, kind: &str, parent: &str| [code.into(), name, kind.into(), parent.into()];
    let mut made = vec![row(province, root.to_owned(), "province", "")];
    let mut seats: HashMap<String, String> = HashMap::new();
    for (code, name) in rows(CITIES, province) {
        if is_pseudo_city(name) {
            seats.insert(code.into(), province.into());
        } else {
            seats.insert(code.into(), code.into());
            made.push(row(code, format!("{name}公安局"), "city", province));
        }
    }
    for (code, name) in rows(COUNTIES, province) {
        let above = seats[&code[..4]].clone();
        if WITHOUT_COUNTIES.contains(&code) {
            seats.insert(code.into(), above);
        } else {
            made.push(row(code, format!("{name}公安局"), "county", &above));
            seats.insert(code.into(), code.into());
        }
    }
    for (code, name) in rows(TOWNSHIPS, province) {
        made.push(row(code, format!("{name}派出所"), "station", &seats[&code[..6]]));
    }
    made
}

/// How many units of each kind there are at each depth, by the codes alone.
pub fn expected(province: &str) -> BTreeMap<(String, usize), usize> {
    let mut counts = BTreeMap::new();
    let mut count = |kind: &str, depth: usize| *counts.entry((kind.to_owned(), depth)).or_default() += 1;
    let pseudo = |code: &str| {
        // Municipalities have no cities; the others keep what stands directly under the province in 90.
        ["11", "12", "31", "50"].contains(&&code[..2])
            || (&code[2..4] == "90" && ["41", "42", "46", "65"].contains(&&code[..2]))
    };
    count("province", 0);
    for (code, _) in rows(CITIES, province) {
        if !pseudo(code) {
            count("city", 1);
        }
    }
    let depth = |code: &str| if pseudo(code) { 1 } else { 2 };
    for (code, _) in rows(COUNTIES, province) {
        if !WITHOUT_COUNTIES.contains(&code) {
            count("county", depth(code));
        }
    }
    for (code, _) in rows(TOWNSHIPS, province) {
        count("station", if WITHOUT_COUNTIES.contains(&&code[..6]) { 2 } else { depth(code) + 1 });
    }
    counts
}

/// The rows in an order that is none: parents far behind their children.
pub fn shuffled(mut rows: Vec<Row>) -> Vec<Row> {
    let mut seed = 53_u64;
    for at in (1..rows.len()).rev() {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        rows.swap(at, usize::try_from(seed >> 33).unwrap() % (at + 1));
    }
    rows
}

/// The rows as CSV under these headings.
pub fn csv(headings: [&str; 4], separator: &str, rows: &[Row]) -> String {
    let mut text = headings.join(separator) + "\r\n";
    for row in rows {
        text.push_str(&row.join(separator));
        text.push_str("\r\n");
    }
    text
}

/// The rows as lines of JSON.
pub fn ndjson(rows: &[Row]) -> String {
    let line = |[code, name, kind, parent]: &Row| {
        let parent = if parent.is_empty() { serde_json::Value::Null } else { parent.as_str().into() };
        serde_json::json!({ "code": code, "name": name, "kind": kind, "parent_code": parent }).to_string()
            + "\n"
    };
    rows.iter().map(line).collect()
}
