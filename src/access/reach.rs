//! How far an action reaches for this caller: ranges over the unit path.
//!
//! A path is the codes from the root down, each followed by `/`; compared bytewise, a subtree is one
//! range, since `0` is the byte after `/`.

use super::policy::{Cell, Row};
use super::roles::Role;

/// A role held at a unit, as read for one caller at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The role.
    pub role: Role,
    /// The path of the binding's unit; empty in the platform's tenant, which has no tree.
    pub unit_path: String,
}

/// A half-open range of paths: `low <= path < high`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PathRange {
    /// The first path inside.
    pub low: String,
    /// The first path outside.
    pub high: String,
}

impl PathRange {
    /// The unit and everything below it.
    #[must_use]
    pub fn subtree(path: &str) -> Self {
        let mut high = path.trim_end_matches('/').to_owned();
        high.push('0');
        Self { low: path.to_owned(), high }
    }

    /// The unit alone: nothing that extends the path lies below `path` followed by byte 1.
    #[must_use]
    pub fn alone(path: &str) -> Self {
        Self { low: path.to_owned(), high: format!("{path}\u{1}") }
    }

    /// No path at all.
    #[must_use]
    pub const fn nothing() -> Self {
        Self { low: String::new(), high: String::new() }
    }

    fn holds(&self, other: &Self) -> bool {
        self.low <= other.low && other.high <= self.high
    }

    /// Whether the path lies inside.
    #[must_use]
    pub fn contains(&self, path: &str) -> bool {
        self.low.as_str() <= path && path < self.high.as_str()
    }
}

/// How far an action reaches.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach {
    /// The whole tenant.
    pub tenant: bool,
    /// These ranges; none lies inside another.
    pub ranges: Vec<PathRange>,
    /// What is assigned to the account itself.
    pub assigned: bool,
    /// The units above the caller's own, nearest last: what they publish can be read from below.
    pub ancestors: Vec<String>,
}

impl Reach {
    /// The whole tenant: for effects and the command line.
    #[must_use]
    pub fn whole_tenant() -> Self {
        Self { tenant: true, ..Self::default() }
    }

    /// The reach that `row` gives to somebody who holds `held`; `None` when none of the roles has it.
    #[must_use]
    pub fn of(row: &Row, held: &[Held]) -> Option<Self> {
        let mut reach = Self::default();
        let mut any = false;
        for binding in held {
            match row.cell(binding.role) {
                Cell::Never => continue,
                Cell::Assigned => reach.assigned = true,
                Cell::Unit => reach.add(PathRange::alone(&binding.unit_path)),
                Cell::Subtree => reach.add(PathRange::subtree(&binding.unit_path)),
                Cell::Tenant => reach.tenant = true,
            }
            any = true;
            for ancestor in ancestors(&binding.unit_path) {
                if !reach.ancestors.contains(&ancestor) {
                    reach.ancestors.push(ancestor);
                }
            }
        }
        any.then_some(reach)
    }

    fn add(&mut self, range: PathRange) {
        if self.ranges.iter().any(|have| have.holds(&range)) {
            return;
        }
        self.ranges.retain(|have| !range.holds(have));
        self.ranges.push(range);
    }

    /// What of a range lies within, as ranges that do not overlap. A query that bounds its paths by one of
    /// them bounds them once; bounded twice, SQLite takes them for few and passes over better indices.
    #[must_use]
    pub fn narrowed(&self, range: &PathRange) -> Vec<PathRange> {
        if self.tenant {
            return vec![range.clone()];
        }
        let both = self.ranges.iter().map(|one| PathRange {
            low: one.low.clone().max(range.low.clone()),
            high: one.high.clone().min(range.high.clone()),
        });
        both.filter(|one| one.low < one.high).collect()
    }

    /// Whether a row at `path` lies within.
    #[must_use]
    pub fn contains(&self, path: &str) -> bool {
        self.tenant || self.ranges.iter().any(|range| range.contains(path))
    }
}

/// What a caller may do with things of one sort: how far each action reaches, found once a request.
#[derive(Debug)]
pub struct Rights<T>(Vec<(T, Reach)>);

impl<T: Copy> Rights<T> {
    /// Of the actions and their reach; those the caller has not are left out.
    pub fn new(actions: impl IntoIterator<Item = (T, Option<Reach>)>) -> Self {
        Self(actions.into_iter().filter_map(|(action, reach)| Some((action, reach?))).collect())
    }

    /// The actions that reach a row at `path`.
    pub fn at<'r>(&'r self, path: &'r str) -> impl Iterator<Item = T> + 'r {
        self.0.iter().filter(move |(_, reach)| reach.contains(path)).map(|(action, _)| *action)
    }
}

/// The paths above `path`, the root first, without `path` itself.
#[must_use]
pub fn ancestors(path: &str) -> Vec<String> {
    let ends: Vec<usize> = path.match_indices('/').map(|(at, _)| at + 1).collect();
    let above = ends.split_last().map_or(&[][..], |(_, above)| above);
    above.iter().filter_map(|&end| path.get(..end)).map(ToOwned::to_owned).collect()
}

/// The rows of a table within a reach, by its column of paths: the first thing every store does.
macro_rules! within_reach {
    ($table:expr, $reach:expr, $path:expr) => {{
        let mut query = $table.into_boxed();
        if !$reach.tenant {
            let mut ranges = $reach.ranges.iter();
            query = match ranges.next() {
                Some(range) => query.filter($path.ge(range.low.clone()).and($path.lt(range.high.clone()))),
                None => query.filter(diesel::dsl::sql::<diesel::sql_types::Bool>("1 = 0")),
            };
            for range in ranges {
                query = query.or_filter($path.ge(range.low.clone()).and($path.lt(range.high.clone())));
            }
        }
        query
    }};
}
pub(crate) use within_reach;

diesel::define_sql_function! {
    /// The text from a character on, the first being 1.
    fn substr(text: diesel::sql_types::Text, from: diesel::sql_types::Integer) -> diesel::sql_types::Text;
}

/// Rewrites a table's column of paths for the subtree that has moved from one path to another.
macro_rules! follow_path {
    ($conn:expr, $table:ident, $path:ident, $tenant:expr, $from:expr, $to:expr) => {{
        use diesel::IntoSql;
        let range = $crate::access::PathRange::subtree($from);
        // Codes are ASCII: bytes are characters.
        let rest = i32::try_from($from.len() + 1).unwrap_or(i32::MAX);
        with_conn!($conn, c => diesel::update($table::table
            .filter($table::tenant_id.eq($tenant))
            .filter($table::$path.ge(range.low))
            .filter($table::$path.lt(range.high)))
            .set($table::$path.eq($to
                .to_owned()
                .into_sql::<diesel::sql_types::Text>()
                .concat($crate::access::substr($table::$path, rest))))
            .execute(c))?;
    }};
}
pub(crate) use follow_path;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::access::policy::{Action, PlanRead, PlanSubmit, UnitRead};

    fn held(role: Role, unit_path: &str) -> Held {
        Held { role, unit_path: unit_path.into() }
    }

    #[test]
    fn a_subtree_holds_itself_and_its_descendants_only() {
        let range = PathRange::subtree("53/5301/");
        for inside in ["53/5301/", "53/5301/530102/", "53/5301/530102/530102001/"] {
            assert!(range.contains(inside), "{inside}");
        }
        for outside in ["53/", "53/5302/", "53/53010/", "53/5301-D01/", "53/5300/"] {
            assert!(!range.contains(outside), "{outside}");
        }
    }

    #[test]
    fn a_reach_is_narrowed_to_what_both_hold() {
        let reach =
            Reach::of(PlanRead::ROW, &[held(Role::Liaison, "53/5301/"), held(Role::UnitHead, "53/5303/")]);
        let narrowed = |path: &str| reach.as_ref().unwrap().narrowed(&PathRange::subtree(path));
        assert_eq!(narrowed("53/"), [PathRange::subtree("53/5301/"), PathRange::subtree("53/5303/")]);
        assert_eq!(narrowed("53/5301/530102/"), [PathRange::subtree("53/5301/530102/")]);
        assert!(narrowed("53/5304/").is_empty());
        let all = PathRange::subtree("53/");
        assert_eq!(Reach::whole_tenant().narrowed(&all), [all]);
    }

    #[test]
    fn alone_holds_no_descendant() {
        let range = PathRange::alone("53/5301/");
        assert!(range.contains("53/5301/"));
        assert!(!range.contains("53/5301/530102/"));
        assert!(!range.contains("53/5301/5301-D01/"));
    }

    #[test]
    fn the_reach_is_the_union_of_the_roles_that_have_the_action() {
        let both = [held(Role::Liaison, "53/5301/"), held(Role::GroupOffice, "53/")];
        let reach = Reach::of(PlanSubmit::ROW, &both).unwrap();
        assert_eq!(reach.ranges, vec![PathRange::alone("53/")]);
        let reach = Reach::of(PlanRead::ROW, &both).unwrap();
        assert_eq!(reach.ranges, vec![PathRange::subtree("53/")]);
        assert!(Reach::of(UnitRead::ROW, &[held(Role::MinistryViewer, "")]).is_none());
    }

    proptest! {
        #[test]
        fn a_range_holds_exactly_what_begins_with_the_path(
            above in proptest::collection::vec("[0-9A-Z-]{1,6}", 1..4),
            other in proptest::collection::vec("[0-9A-Z-]{1,6}", 1..5),
            below in proptest::collection::vec("[0-9A-Z-]{1,6}", 0..3),
        ) {
            let path = |codes: &[String]| codes.iter().flat_map(|code| [code.as_str(), "/"]).collect::<String>();
            let (root, other) = (path(&above), path(&other));
            let child = format!("{root}{}", path(&below));
            let (subtree, alone) = (PathRange::subtree(&root), PathRange::alone(&root));
            prop_assert!(subtree.contains(&child));
            prop_assert_eq!(subtree.contains(&other), other.starts_with(&root));
            prop_assert_eq!(alone.contains(&other), other == root);
            prop_assert_eq!(alone.contains(&child), below.is_empty());
            let above_child = ancestors(&child);
            prop_assert!(above_child.iter().all(|one| child.starts_with(one.as_str()) && *one != child));
            prop_assert_eq!(above_child.contains(&root), !below.is_empty());
        }
    }

    #[test]
    fn ancestors_come_from_the_root_down_without_the_unit_itself() {
        assert_eq!(ancestors("53/5301/530102/"), ["53/", "53/5301/"]);
        assert!(ancestors("53/").is_empty());
        assert!(ancestors("").is_empty());
    }
}
