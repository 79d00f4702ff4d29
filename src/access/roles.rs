//! The roles, and who may grant which.

use crate::db::text_enum;

text_enum! {
    /// A role; it is held through a role binding, which gives it a unit and its subtree.
    Role as "role" {
        PlatformOperator = "platform_operator", "平台运维", "Platform operator", grey;
        MinistryViewer = "ministry_viewer", "部级查看", "Ministry viewer", grey;
        SystemAdmin = "system_admin", "系统管理员", "System administrator", grey;
        SecurityAdmin = "security_admin", "安全管理员", "Security administrator", grey;
        Auditor = "auditor", "审计员", "Auditor", grey;
        GroupHead = "group_head", "领导小组组长", "Head of the leading group", red;
        GroupMember = "group_member", "领导小组成员", "Member of the leading group", orange;
        GroupOffice = "group_office", "领导小组办公室", "Office of the leading group", orange;
        UnitHead = "unit_head", "单位一把手", "Head of the unit", blue;
        Liaison = "liaison", "联络员", "Liaison", blue;
        Officer = "officer", "民警", "Officer", blue;
        Inspector = "inspector", "督察", "Inspector", green;
        Discipline = "discipline", "督察/纪检部门", "Discipline department", green;
        SpecialSupervisor = "special_supervisor", "特邀监督员", "Special supervisor", green;
        Rater = "rater", "评委/群众代表", "Rater", green;
        IntakeClerk = "intake_clerk", "受理员", "Intake clerk", blue;
        IdentityCustodian = "identity_custodian", "身份保管员", "Identity custodian", grey;
    }
}

impl Role {
    /// Whether the role lives in the reserved tenant of the platform and the ministry.
    #[must_use]
    pub const fn is_of_platform(self) -> bool {
        matches!(self, Self::PlatformOperator | Self::MinistryViewer)
    }

    /// The three separated roles (三员分立): they exclude each other and every business role.
    #[must_use]
    pub const fn is_separated(self) -> bool {
        matches!(self, Self::SystemAdmin | Self::SecurityAdmin | Self::Auditor)
    }

    /// Whether one person may hold both.
    #[must_use]
    pub fn goes_with(self, other: Self) -> bool {
        self == other || !(self.is_separated() || other.is_separated())
    }
}

/// The grant table: which roles a role may grant, inside its reach and never to itself. The three
/// separated roles are granted by the platform when it sets a province up (`pingyi admin create`).
#[must_use]
pub fn grantable_by(role: Role) -> &'static [Role] {
    match role {
        Role::PlatformOperator => &[Role::PlatformOperator, Role::MinistryViewer],
        Role::SecurityAdmin => &[
            Role::GroupHead,
            Role::GroupMember,
            Role::GroupOffice,
            Role::UnitHead,
            Role::Liaison,
            Role::Officer,
            Role::Inspector,
            Role::Discipline,
            Role::SpecialSupervisor,
            Role::Rater,
            Role::IntakeClerk,
            Role::IdentityCustodian,
        ],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_exclude_each_other_and_every_business_role() {
        for &one in Role::ALL {
            for &other in Role::ALL {
                let separated = one.is_separated() || other.is_separated();
                assert_eq!(one.goes_with(other), one == other || !separated, "{one} with {other}");
            }
        }
    }

    #[test]
    fn nobody_but_the_platform_grants_the_platforms_roles_and_nobody_the_three() {
        for &granter in Role::ALL {
            for granted in grantable_by(granter) {
                assert!(!granted.is_separated(), "{granter} grants {granted}");
                assert_eq!(granted.is_of_platform(), granter == Role::PlatformOperator);
            }
        }
    }
}
