//! What the divisions alone do not give: second stations, departments, service windows and detention houses.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, VecDeque},
};

use super::{
    DEPARTMENT, DETENTION_HOUSE, DivisionError, ProvinceTree, SERVICE_WINDOW, STATION, UnitKindName,
};

const ORGANS: &str = include_str!("../data/organs.csv");

/// A bureau with stations of its own.
#[derive(Default)]
struct Host {
    townships: usize,
    /// Codes and names of the second stations it could still get.
    candidates: VecDeque<(String, String)>,
}

/// Raises the number of stations to `total` by second stations (name 某某第二派出所, code `…-2`), since in truth large
/// counties have more stations than townships. The counties, largest by townships first and ties by code, get one after
/// the other a second station in their next township by code (streets and towns come first), and so round after round;
/// the smaller half of the counties takes part only when the larger half is used up.
///
/// A total not above the present number changes nothing; on an error the tree is as before.
pub fn add_second_stations(tree: &mut ProvinceTree, total: usize) -> Result<(), DivisionError> {
    let present = tree.count(STATION);
    let hosts = hosts(tree);
    let largest = present + hosts.values().map(|host| host.candidates.len()).sum::<usize>();
    if total > largest.max(present) {
        return Err(DivisionError::StationTotalOutOfReach { wanted: total, largest });
    }
    let mut counties: Vec<_> = hosts.into_iter().collect();
    // The sort is stable and the map in the order of the codes: ties stay so.
    counties.sort_by_key(|(_, host)| Reverse(host.townships));
    let mut missing = total.saturating_sub(present);
    let half = counties.len().div_ceil(2).max(1);
    for group in counties.chunks_mut(half) {
        while missing > 0 && group.iter().any(|(_, host)| !host.candidates.is_empty()) {
            for ((_, parent), host) in group.iter_mut() {
                if missing > 0
                    && let Some((code, name)) = host.candidates.pop_front()
                {
                    tree.push(&code, name, STATION, Some(*parent));
                    missing -= 1;
                }
            }
        }
    }
    Ok(())
}

/// The bureaus with stations, by code and index.
fn hosts(tree: &ProvinceTree) -> BTreeMap<(String, usize), Host> {
    let names: BTreeSet<(Option<usize>, &str)> =
        tree.units.iter().map(|unit| (unit.parent, unit.name.as_str())).collect();
    let mut hosts: BTreeMap<(String, usize), Host> = BTreeMap::new();
    for unit in &tree.units {
        let Some((parent, bureau)) = unit.parent.and_then(|parent| Some((parent, tree.units.get(parent)?)))
        else {
            continue;
        };
        if unit.kind != STATION || unit.code.contains('-') {
            continue;
        }
        let host = hosts.entry((bureau.code.clone(), parent)).or_default();
        host.townships += 1;
        let stem = unit.name.strip_suffix("派出所").unwrap_or(&unit.name);
        let second = format!("{stem}第二派出所");
        if !names.contains(&(unit.parent, second.as_str())) {
            host.candidates.push_back((format!("{}-2", unit.code), second));
        }
    }
    hosts
}

/// Gives every bureau the departments, service windows and detention house of its level (`data/organs.csv`).
/// A tree that has departments already stays as it is.
pub fn add_departments_and_windows(tree: &mut ProvinceTree) -> Result<(), DivisionError> {
    if tree.count(DEPARTMENT) > 0 {
        return Ok(());
    }
    let mut organs: Vec<(String, UnitKindName, char, String)> = Vec::new();
    for record in csv::Reader::from_reader(ORGANS.as_bytes()).into_deserialize() {
        let (level, kind, name): (String, String, String) = record?;
        let (kind, letter) = match kind.as_str() {
            DEPARTMENT => (DEPARTMENT, 'D'),
            SERVICE_WINDOW => (SERVICE_WINDOW, 'W'),
            DETENTION_HOUSE => (DETENTION_HOUSE, 'K'),
            _ => return Err(DivisionError::Orphan(name)),
        };
        organs.push((level, kind, letter, name));
    }
    for (host, bureau) in tree.units.clone().into_iter().enumerate() {
        let mut numbers: BTreeMap<char, usize> = BTreeMap::new();
        for (_, kind, letter, name) in organs.iter().filter(|organ| organ.0 == bureau.kind) {
            let number = numbers.entry(*letter).or_default();
            *number += 1;
            let code = format!("{}-{letter}{number:02}", bureau.code);
            let name = if *kind == DETENTION_HOUSE {
                // 富民县看守所, but 昆明市公安局五华分局看守所.
                let place = bureau.name.strip_suffix("公安局").unwrap_or(&bureau.name);
                format!("{place}{name}")
            } else {
                name.clone()
            };
            tree.push(&code, name, kind, Some(host));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{super::province_tree, *};

    fn seconds(tree: &ProvinceTree) -> BTreeMap<usize, usize> {
        let mut seconds = BTreeMap::new();
        for unit in tree.units.iter().filter(|unit| unit.code.ends_with("-2")) {
            *seconds.entry(unit.parent.unwrap()).or_default() += 1;
        }
        seconds
    }

    #[test]
    fn second_stations_go_to_the_larger_half_of_the_counties_evenly() {
        let mut tree = province_tree("53").unwrap();
        let townships = hosts(&tree);
        add_second_stations(&mut tree, 1_653).unwrap();
        let seconds = seconds(&tree);
        assert_eq!(seconds.values().sum::<usize>(), 192);
        assert_eq!(seconds.len(), 65);
        assert!(seconds.values().all(|count| (2..=3).contains(count)));
        let smallest = townships
            .iter()
            .filter(|((_, index), _)| seconds.contains_key(index))
            .map(|(_, host)| host.townships)
            .min()
            .unwrap();
        let largest_without = townships
            .iter()
            .filter(|((_, index), _)| !seconds.contains_key(index))
            .map(|(_, host)| host.townships)
            .max()
            .unwrap();
        assert!(smallest >= largest_without);
    }

    #[test]
    fn a_total_already_reached_changes_nothing() {
        let mut tree = province_tree("53").unwrap();
        let before = tree.clone();
        add_second_stations(&mut tree, 0).unwrap();
        add_second_stations(&mut tree, 1_461).unwrap();
        assert_eq!(tree, before);
    }

    #[test]
    fn every_township_can_have_a_second_station_but_no_third() {
        let mut tree = province_tree("46").unwrap();
        let before = tree.clone();
        let error = add_second_stations(&mut tree, 487).unwrap_err();
        assert!(matches!(error, DivisionError::StationTotalOutOfReach { wanted: 487, largest: 486 }));
        assert_eq!(tree, before);
        // In two steps, too.
        add_second_stations(&mut tree, 300).unwrap();
        add_second_stations(&mut tree, 486).unwrap();
        assert_eq!(tree.count(STATION), 486);
    }

    #[test]
    fn departments_are_added_once() {
        let mut tree = province_tree("50").unwrap();
        add_departments_and_windows(&mut tree).unwrap();
        let before = tree.clone();
        add_departments_and_windows(&mut tree).unwrap();
        assert_eq!(tree, before);
        assert!(
            tree.units
                .iter()
                .filter(|unit| unit.kind == DEPARTMENT && unit.parent == Some(0))
                .any(|unit| unit.name == "督察总队" && unit.code == "50-D05")
        );
    }
}
