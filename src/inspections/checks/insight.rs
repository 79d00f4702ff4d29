//! Who knows of a covert check that was not released in time, or was voided, once it is disclosed: office and discipline above the
//! inspected unit, who may ask why; never anybody of that unit itself.

use crate::access::policy::{Action, CheckDecide};
use crate::access::{Held, PathRange, Reach, Tx, UserId, ancestors, holders};
use crate::errors::Result;

/// How far somebody knows of what was disclosed and not released.
#[derive(Debug, Clone, Default)]
pub struct Insight {
    /// Below the units at which they are of the office or of discipline; not those units themselves.
    pub(in crate::inspections) below: Vec<PathRange>,
    /// The units of whose people they are, by their account or by any role: each with those above it.
    pub(in crate::inspections) own: Vec<String>,
}

impl Insight {
    /// That of whoever asks.
    ///
    /// # Errors
    /// When the database fails.
    pub(in crate::inspections) fn of<A: Action>(tx: &mut Tx<'_, A>) -> Result<Self> {
        let (user, held) = (tx.user()?, tx.held().to_vec());
        Self::of_holder(tx, user, &held)
    }

    /// That of an account that holds these roles.
    ///
    /// # Errors
    /// When the database fails.
    pub fn of_holder<A: Action>(tx: &mut Tx<'_, A>, user: UserId, held: &[Held]) -> Result<Self> {
        // Who answers objections is who asks for what was never put to them.
        let Some(reach) = Reach::of(CheckDecide::ROW, held) else { return Ok(Self::default()) };
        let account = holders::paths_of(tx, &[user])?.into_iter().map(|(_, path)| path);
        Ok(Self::new(&reach, held.iter().map(|one| one.unit_path.clone()).chain(account)))
    }

    fn new(reach: &Reach, stands: impl Iterator<Item = String>) -> Self {
        let mut own: Vec<String> = stands
            .flat_map(|path| {
                let mut paths = ancestors(&path);
                paths.push(path);
                paths
            })
            .collect();
        own.sort_unstable();
        own.dedup();
        Self { below: reach.ranges.clone(), own }
    }

    /// Whether they know of what was disclosed of the unit at this path: what the store's `visible!` asks the database.
    #[must_use]
    pub fn reaches(&self, path: &str) -> bool {
        let is_below = |range: &PathRange| range.contains(path) && range.low != path;
        self.below.iter().any(is_below) && !self.own.iter().any(|own| own == path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Role;

    fn insight(held: &[(Role, &str)], account: &str) -> Insight {
        let held: Vec<Held> =
            held.iter().map(|(role, path)| Held { role: *role, unit_path: (*path).into() }).collect();
        let stands = held.iter().map(|one| one.unit_path.clone()).chain([account.to_owned()]);
        Reach::of(CheckDecide::ROW, &held).map_or_else(Insight::default, |reach| Insight::new(&reach, stands))
    }

    #[test]
    fn it_is_known_above_the_unit_and_not_within() {
        let (city, county, other) = ("53/5301/", "53/5301/530102/", "53/5303/");
        let known = |insight: &Insight| [city, county, other].map(|path| insight.reaches(path));
        assert_eq!(known(&insight(&[(Role::Discipline, "53/")], "53/")), [true, true, true]);
        assert_eq!(known(&insight(&[(Role::GroupOffice, city)], city)), [false, true, false]);
        // Somebody of the unit, or of one below it, who holds the role above; or the other way round.
        assert_eq!(known(&insight(&[(Role::Discipline, "53/")], city)), [false, true, true]);
        assert_eq!(known(&insight(&[(Role::Discipline, "53/")], county)), [false, false, true]);
        assert_eq!(known(&insight(&[(Role::GroupOffice, city)], "53/")), [false, true, false]);
        assert_eq!(
            known(&insight(&[(Role::GroupOffice, "53/"), (Role::Liaison, county)], "53/")),
            [false, false, true]
        );
        // Whoever reads checks otherwise does not read these.
        for role in [
            Role::GroupHead,
            Role::GroupMember,
            Role::UnitHead,
            Role::Liaison,
            Role::Inspector,
            Role::Auditor,
        ] {
            assert_eq!(known(&insight(&[(role, "53/")], "53/")), [false, false, false], "{role}");
        }
    }
}
