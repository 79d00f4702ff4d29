//! The police organization of any of the 31 provinces, derived from the administrative divisions.
//!
//! The tree has variable depth: what the data calls a city is not always a bureau, and some cities have no counties.

mod establishment;
mod names;

use std::{collections::BTreeMap, fmt};

pub use establishment::{add_departments_and_windows, add_second_stations};
use names::{branch_stem, is_pseudo_city, station_stems};

const PROVINCES: &str = include_str!("data/provinces.csv");
const CITIES: &str = include_str!("data/cities.csv");
const COUNTIES: &str = include_str!("data/counties.csv");
const TOWNSHIPS: &str = include_str!("data/townships.csv");

/// One of `province`, `city`, `county`, `station`, `department`, `service_window`, `detention_house`.
pub type UnitKindName = &'static str;

const PROVINCE: UnitKindName = "province";
const CITY: UnitKindName = "city";
const COUNTY: UnitKindName = "county";
const STATION: UnitKindName = "station";
const DEPARTMENT: UnitKindName = "department";
const SERVICE_WINDOW: UnitKindName = "service_window";
const DETENTION_HOUSE: UnitKindName = "detention_house";

/// A unit of the police organization of one province.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DivisionUnit {
    /// The division's code (2, 4, 6 or 9 digits), or the bureau's with a suffix: `-2` of a second station, `-D01` of a
    /// department, `-W01` of a service window, `-K01` of a detention house. Only `0-9A-Z-`; unique in the province.
    pub code: String,
    /// The organ's name; unique among the stations of one parent, not in the province.
    pub name: String,
    /// The kind.
    pub kind: UnitKindName,
    /// The index of the parent in [`ProvinceTree::units`], always smaller than the unit's own; `None` of the root only.
    pub parent: Option<usize>,
}

/// The units of one province, parents before children; the first is the provincial department.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvinceTree {
    /// The province's code, two digits.
    pub code: String,
    /// The units.
    pub units: Vec<DivisionUnit>,
}

impl ProvinceTree {
    /// How many units are of this kind.
    #[must_use]
    pub fn count(&self, kind: &str) -> usize {
        self.units.iter().filter(|unit| unit.kind == kind).count()
    }

    fn push(&mut self, code: &str, name: String, kind: UnitKindName, parent: Option<usize>) -> usize {
        self.units.push(DivisionUnit { code: code.to_owned(), name, kind, parent });
        self.units.len() - 1
    }
}

/// Why no tree could be built.
#[derive(Debug)]
pub enum DivisionError {
    /// None of the 31 provinces has this code.
    UnknownProvince(String),
    /// The embedded data could not be read.
    Csv(csv::Error),
    /// A row whose parent, or whose kind of organ, the data does not have.
    Orphan(String),
    /// More stations were asked for than one second station per township gives.
    StationTotalOutOfReach {
        /// The total asked for.
        wanted: usize,
        /// The largest total there can be.
        largest: usize,
    },
}

impl fmt::Display for DivisionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownProvince(code) => write!(f, "no province has the code {code:?}"),
            Self::Csv(error) => write!(f, "the embedded divisions cannot be read: {error}"),
            Self::Orphan(row) => write!(f, "the row {row:?} belongs nowhere"),
            Self::StationTotalOutOfReach { wanted, largest } => {
                write!(f, "{wanted} stations asked for, {largest} is the most")
            }
        }
    }
}

impl std::error::Error for DivisionError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Csv(error) => Some(error),
            _ => None,
        }
    }
}

impl From<csv::Error> for DivisionError {
    fn from(error: csv::Error) -> Self {
        Self::Csv(error)
    }
}

/// The bureaus and stations of the province with this two-digit code.
pub fn province_tree(code: &str) -> Result<ProvinceTree, DivisionError> {
    let province = divisions(PROVINCES, code)?
        .into_iter()
        .find_map(|(found, name)| (found == code).then_some(name))
        .ok_or_else(|| DivisionError::UnknownProvince(code.to_owned()))?;
    let municipality = province.ends_with('市');
    let mut tree = ProvinceTree { code: code.to_owned(), units: Vec::new() };
    let organ = if municipality { "公安局" } else { "公安厅" };
    let root = tree.push(code, format!("{province}{organ}"), PROVINCE, None);

    // The unit that stands for a division: its own, or the nearest above when the division is no unit.
    let mut seats = BTreeMap::new();
    let mut city_names = BTreeMap::new();
    for (code, name) in divisions(CITIES, code)? {
        let seat = if is_pseudo_city(&name) {
            root
        } else {
            let unit = tree.push(&code, format!("{name}公安局"), CITY, Some(root));
            city_names.insert(unit, name);
            unit
        };
        seats.insert(code, seat);
    }
    if municipality {
        city_names.insert(root, province.clone());
    }
    for (code, name) in divisions(COUNTIES, code)? {
        let host = seat_of(&seats, &code, 4)?;
        let city = city_names.get(&host);
        let seat = if city == Some(&name) {
            host
        } else {
            let organ = match city.and_then(|city| branch_stem(&code, &name, &province, city)) {
                Some(stem) => format!("{}公安局{stem}分局", city.map_or("", String::as_str)),
                None => format!("{name}公安局"),
            };
            tree.push(&code, organ, COUNTY, Some(host))
        };
        seats.insert(code, seat);
    }

    let mut townships: BTreeMap<usize, Vec<(String, String)>> = BTreeMap::new();
    for (code, name) in divisions(TOWNSHIPS, code)? {
        let host = seat_of(&seats, &code, 6)?;
        townships.entry(host).or_default().push((code, name));
    }
    for (host, places) in townships {
        for ((code, _), stem) in places.iter().zip(station_stems(&places)) {
            tree.push(code, format!("{stem}派出所"), STATION, Some(host));
        }
    }
    Ok(tree)
}

/// The rows of a file whose code begins with the prefix, in the order of their codes.
fn divisions(text: &str, prefix: &str) -> Result<Vec<(String, String)>, DivisionError> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let mut record = csv::StringRecord::new();
    let mut rows = Vec::new();
    while reader.read_record(&mut record)? {
        if let (Some(code), Some(name)) = (record.get(0), record.get(1))
            && code.starts_with(prefix)
        {
            rows.push((code.to_owned(), name.to_owned()));
        }
    }
    Ok(rows)
}

fn seat_of(seats: &BTreeMap<String, usize>, code: &str, digits: usize) -> Result<usize, DivisionError> {
    code.get(..digits)
        .and_then(|parent| seats.get(parent))
        .copied()
        .ok_or_else(|| DivisionError::Orphan(code.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn full_tree(code: &str) -> ProvinceTree {
        let mut tree = province_tree(code).unwrap();
        if code == "53" {
            add_second_stations(&mut tree, 1_653).unwrap();
        }
        add_departments_and_windows(&mut tree).unwrap();
        tree
    }

    fn unit<'a>(tree: &'a ProvinceTree, code: &str) -> &'a DivisionUnit {
        tree.units.iter().find(|unit| unit.code == code).unwrap()
    }

    /// Name, kind and the parent's name.
    fn place<'a>(tree: &'a ProvinceTree, code: &str) -> (&'a str, UnitKindName, &'a str) {
        let unit = unit(tree, code);
        let parent = unit.parent.map_or("", |parent| &tree.units[parent].name);
        (&unit.name, unit.kind, parent)
    }

    #[test]
    fn yunnan_has_the_numbers_of_the_report() {
        let mut tree = province_tree("53").unwrap();
        let bureaus = (tree.count(CITY), tree.count(COUNTY), tree.count(STATION));
        assert_eq!(bureaus, (16, 129, 1_461));
        add_second_stations(&mut tree, 1_653).unwrap();
        assert_eq!(tree.count(STATION), 1_653);
        add_departments_and_windows(&mut tree).unwrap();
        let (departments, windows) = (tree.count(DEPARTMENT), tree.count(SERVICE_WINDOW));
        assert_eq!((departments, windows, tree.count(DETENTION_HOUSE)), (669, 437, 145));
        assert_eq!(tree.units.len(), 3_050);
    }

    #[test]
    fn yunnan_names() {
        let tree = full_tree("53");
        let kunming = "昆明市公安局";
        for (code, expected) in [
            ("53", ("云南省公安厅", PROVINCE, "")),
            ("5301", (kunming, CITY, "云南省公安厅")),
            ("5323", ("楚雄彝族自治州公安局", CITY, "云南省公安厅")),
            ("530102", ("昆明市公安局五华分局", COUNTY, kunming)),
            ("530124", ("富民县公安局", COUNTY, kunming)),
            ("530181", ("安宁市公安局", COUNTY, kunming)),
            ("530112005", ("前卫派出所", STATION, "昆明市公安局西山分局")),
            ("53-D01", ("办公室", DEPARTMENT, "云南省公安厅")),
            ("5301-K01", ("昆明市看守所", DETENTION_HOUSE, kunming)),
            ("530102-K01", ("昆明市公安局五华分局看守所", DETENTION_HOUSE, "昆明市公安局五华分局")),
            ("530102001-2", ("华山第二派出所", STATION, "昆明市公安局五华分局")),
        ] {
            assert_eq!(place(&tree, code), expected);
        }
    }

    #[test]
    fn all_provinces_are_trees_of_unique_codes_and_of_station_names_unique_in_their_parent() {
        let codes = divisions(PROVINCES, "").unwrap();
        assert_eq!(codes.len(), 31);
        for (code, _) in codes {
            let tree = full_tree(&code);
            let mut seen = BTreeSet::new();
            let mut names = BTreeSet::new();
            for (index, unit) in tree.units.iter().enumerate() {
                assert!(seen.insert(&unit.code), "{}", unit.code);
                assert!(unit.code.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'A'..=b'Z' | b'-')));
                assert_eq!(unit.parent.is_none(), index == 0);
                assert!(unit.parent.is_none_or(|parent| parent < index));
                assert!(names.insert((unit.parent, &unit.name)), "{} twice", unit.name);
                if let Some(parent) = unit.parent
                    && unit.kind == STATION
                {
                    let parent = &tree.units[parent];
                    // Never the root: its station would be one of a county that was lost.
                    assert!(matches!(parent.kind, CITY | COUNTY), "{}", unit.name);
                    assert!(unit.code.starts_with(&parent.code));
                }
            }
            assert_eq!(tree, full_tree(&code));
        }
    }

    #[test]
    fn depth_varies() {
        let tree = province_tree("50").unwrap();
        assert_eq!((tree.count(CITY), tree.count(COUNTY)), (0, 38));
        let root = "重庆市公安局";
        let yuzhong = "重庆市公安局渝中区分局";
        assert_eq!(place(&tree, "500103"), (yuzhong, COUNTY, root));
        // Their pseudo-cities are 5001 and 5002.
        assert_eq!(place(&tree, "500103001").2, yuzhong);
        assert_eq!(place(&tree, "500229"), ("城口县公安局", COUNTY, root));
        assert_eq!(place(&tree, "500229001").2, "城口县公安局");

        for (province, city, station, name) in [
            ("44", "4419", "441900003", "东莞市公安局"),
            ("44", "4420", "442000001", "中山市公安局"),
            ("46", "4604", "460400100", "儋州市公安局"),
            ("62", "6202", "620201001", "嘉峪关市公安局"),
        ] {
            let tree = province_tree(province).unwrap();
            assert_eq!(place(&tree, city).1, CITY);
            assert_eq!(place(&tree, station).2, name);
            assert!(!tree.units.iter().any(|unit| unit.kind == COUNTY && unit.code.starts_with(city)));
        }

        for (province, county, station, name) in [
            ("41", "419001", "419001001", "济源市公安局"),
            ("42", "429021", "429021100", "神农架林区公安局"),
            ("46", "469001", "469001100", "五指山市公安局"),
            ("65", "659001", "659001001", "石河子市公安局"),
        ] {
            let tree = province_tree(province).unwrap();
            let root = tree.units[0].name.as_str();
            assert_eq!(place(&tree, county), (name, COUNTY, root));
            assert_eq!(place(&tree, station).2, name);
        }
    }

    #[test]
    fn roots_are_departments_or_bureaus() {
        for (code, name) in
            [("11", "北京市公安局"), ("45", "广西壮族自治区公安厅"), ("65", "新疆维吾尔自治区公安厅")]
        {
            assert_eq!(province_tree(code).unwrap().units[0].name, name);
        }
    }

    #[test]
    fn unknown_codes_are_refused() {
        for code in ["", "5", "00", "71", "5301", "云南"] {
            let error = province_tree(code).unwrap_err();
            assert!(matches!(error, DivisionError::UnknownProvince(_)), "{code}");
        }
    }
}
