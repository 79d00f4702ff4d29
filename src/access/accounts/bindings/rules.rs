//! When a binding counts, and who may grant it to whom.

use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::access::policy::{Action, RoleBindingGrant};
use crate::access::{Held, Reach, Role, UserId, grantable_by};
use crate::db::{Id, Instant, text_enum};
use crate::org::rules::UnitId;

/// Marks the identifier of a role binding.
#[derive(Debug)]
pub struct BindingEntity;
/// The identifier of a role binding.
pub type BindingId = Id<BindingEntity>;

text_enum! {
    /// Whether a binding counts today (Asia/Shanghai).
    BindingStatus as "binding_status" {
        Pending = "pending", "未到期限", "Pending", blue;
        Active = "active", "有效", "Active", green;
        Expired = "expired", "已过期限", "Expired", grey;
        Revoked = "revoked", "已撤销", "Revoked", grey;
    }
}

text_enum! {
    /// What somebody may do with a binding.
    BindingAction as "binding_action" {
        Revoke = "revoke", "撤销", "Revoke", red;
    }
}

/// What is granted: the role, where, from when to when; both days are inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// The role.
    pub role: Role,
    /// The unit whose subtree it reaches; none in the platform's tenant.
    pub unit_id: Option<UnitId>,
    /// The first day; none: from the grant on.
    pub valid_from_on: Option<NaiveDate>,
    /// The last day; none: until it is revoked.
    pub valid_until_on: Option<NaiveDate>,
}

impl Terms {
    /// Whether a day belongs to both.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        let before = |one: &Self, two: &Self| match (one.valid_until_on, two.valid_from_on) {
            (Some(until), Some(from)) => until < from,
            _ => false,
        };
        !before(self, other) && !before(other, self)
    }
}

/// A role binding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    /// Its identifier.
    pub id: BindingId,
    /// Who holds it.
    pub user_id: UserId,
    /// What was granted.
    pub terms: Terms,
    /// The path of the unit; empty in the platform's tenant.
    pub unit_path: String,
    /// When it was granted.
    pub created_at: Instant,
    /// When it was revoked.
    pub revoked_at: Option<Instant>,
}

impl Binding {
    /// Whether it counts on that day.
    #[must_use]
    pub fn status_on(&self, day: NaiveDate) -> BindingStatus {
        if self.revoked_at.is_some() {
            BindingStatus::Revoked
        } else if self.terms.valid_from_on.is_some_and(|from| day < from) {
            BindingStatus::Pending
        } else if self.terms.valid_until_on.is_some_and(|until| until < day) {
            BindingStatus::Expired
        } else {
            BindingStatus::Active
        }
    }

    /// 1, and 2 once it is revoked: nothing else of it ever changes.
    #[must_use]
    pub fn version(&self) -> i64 {
        1 + i64::from(self.revoked_at.is_some())
    }

    /// The facts whose digests the audit log keeps.
    #[must_use]
    pub fn facts(&self) -> Value {
        json!({
            "user_id": self.user_id,
            "role": self.terms.role,
            "unit_id": self.terms.unit_id,
            "valid_from_on": self.terms.valid_from_on,
            "valid_until_on": self.terms.valid_until_on,
            "revoked": self.revoked_at.is_some(),
            "version": self.version(),
        })
    }
}

/// Whether somebody who holds `held` may grant `role` at `unit_path`, and so take it away again: one
/// of the roles must list it in the grant table and reach that far.
#[must_use]
pub fn may_grant(held: &[Held], role: Role, unit_path: &str) -> bool {
    held.iter().any(|held| {
        grantable_by(held.role).contains(&role)
            && Reach::of(RoleBindingGrant::ROW, std::slice::from_ref(held))
                .is_some_and(|reach| reach.contains(unit_path))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn binding(from: Option<&str>, until: Option<&str>) -> Binding {
        Binding {
            id: Id::generate(),
            user_id: Id::generate(),
            terms: Terms {
                role: Role::SpecialSupervisor,
                unit_id: None,
                valid_from_on: from.map(day),
                valid_until_on: until.map(day),
            },
            unit_path: "53/".into(),
            created_at: Instant::from_micros(0),
            revoked_at: None,
        }
    }

    #[test]
    fn both_days_are_inside() {
        use BindingStatus::{Active, Expired, Pending, Revoked};
        let term = binding(Some("2026-03-02"), Some("2026-03-04"));
        let statuses = ["2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05"];
        let statuses = statuses.map(|on| term.status_on(day(on)));
        assert_eq!(statuses, [Pending, Active, Active, Active, Expired]);
        assert_eq!(binding(None, None).status_on(day("2026-03-01")), Active);
        assert_eq!(binding(None, Some("2026-03-01")).status_on(day("2026-03-02")), Expired);
        let revoked = Binding { revoked_at: Some(Instant::from_micros(1)), ..term };
        assert_eq!(revoked.status_on(day("2026-03-03")), Revoked);
        assert_eq!((binding(None, None).version(), revoked.version()), (1, 2));
    }

    #[test]
    fn a_role_is_granted_by_the_table_and_no_further_than_the_granter_reaches() {
        let security = |path: &str| Held { role: Role::SecurityAdmin, unit_path: path.into() };
        let kunming = [security("53/5301/")];
        for good in ["53/5301/", "53/5301/530102/"] {
            assert!(may_grant(&kunming, Role::Liaison, good), "{good}");
        }
        for bad in ["53/", "53/5302/", "53/53010/", ""] {
            assert!(!may_grant(&kunming, Role::Liaison, bad), "{bad}");
        }
        for &role in Role::ALL {
            let business = !role.is_separated() && !role.is_of_platform();
            assert_eq!(may_grant(&kunming, role, "53/5301/"), business, "{role}");
        }
    }

    #[test]
    fn nobody_else_grants_anything() {
        for &holder in Role::ALL {
            let held = [Held { role: holder, unit_path: String::new() }];
            for &role in Role::ALL {
                let may = may_grant(&held, role, "");
                let wanted = match holder {
                    Role::PlatformOperator => role.is_of_platform(),
                    Role::SecurityAdmin => !role.is_separated() && !role.is_of_platform(),
                    _ => false,
                };
                assert_eq!(may, wanted, "{holder} grants {role}");
            }
        }
    }
}
