//! What an official document says where the interface has words, ids and numbers.

use crate::campaigns::plan::rules::{PlanState, Responsible, Target};
use crate::campaigns::rules::ResponsibleExtent;
use crate::org::rules::{Unit, UnitId, UnitKind};

/// What is stamped on a plan that is not in force.
pub(super) const fn mark(state: PlanState) -> Option<&'static str> {
    match state {
        PlanState::Published | PlanState::Running | PlanState::Concluding => None,
        PlanState::Approved => Some("已批准 未发布"),
        state => Some(state.zh()),
    }
}

/// Whether the head's decision on the plan was that it is good.
pub(super) const fn is_approved(state: PlanState) -> bool {
    !matches!(state, PlanState::Draft | PlanState::Submitted | PlanState::Returned | PlanState::Withdrawn)
}

const fn kind(kind: UnitKind) -> &'static str {
    match kind {
        UnitKind::Province => "省级公安厅",
        UnitKind::City => "地市公安局",
        UnitKind::County => "区县公安局（分局）",
        UnitKind::Station => "派出所",
        UnitKind::Department => "警种部门",
        UnitKind::ServiceWindow => "服务窗口",
        UnitKind::DetentionHouse => "看守所",
    }
}

/// 各区县公安局（分局）, 昆明市公安局及所属各单位: a responsible unit, in a plan of the unit `of`.
pub(super) fn responsible(one: &Responsible, unit: &Unit, of: UnitId) -> String {
    let name = &unit.name;
    match (one.extent, one.kind) {
        (ResponsibleExtent::OnlySelf, _) => name.clone(),
        (ResponsibleExtent::Subtree, None) => format!("{name}及所属各单位"),
        // Of the kind that the unit itself is, it is one.
        (ResponsibleExtent::Subtree, Some(of_kind)) if of_kind == unit.kind => name.clone(),
        (ResponsibleExtent::Subtree, Some(of_kind)) if unit.id == of => format!("各{}", kind(of_kind)),
        (ResponsibleExtent::Subtree, Some(of_kind)) => format!("{name}所属各{}", kind(of_kind)),
    }
}

/// 一次性告知率不低于98.00%.
pub(super) fn target(target: &Target) -> String {
    let Target { name, direction, value, unit } = target;
    format!("{name}{}{value}{unit}", direction.zh())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaigns::rules::TargetDirection;
    use crate::db::{Id, Instant};
    use crate::org::rules::UnitStatus;

    fn unit(name: &str, kind: UnitKind) -> Unit {
        let at = Instant::from_micros(0);
        Unit {
            id: Id::generate(),
            parent_id: None,
            code: "53".into(),
            name: name.into(),
            kind,
            status: UnitStatus::Active,
            path: "53/".into(),
            version: 1,
            created_at: at,
            updated_at: at,
        }
    }

    #[test]
    fn responsible_units_are_told_in_words() {
        let (root, city) = (unit("云南省公安厅", UnitKind::Province), unit("昆明市公安局", UnitKind::City));
        let told = |unit: &Unit, extent, kind| {
            responsible(&Responsible { unit_id: unit.id, extent, kind }, unit, root.id)
        };
        assert_eq!(told(&root, ResponsibleExtent::OnlySelf, None), "云南省公安厅");
        assert_eq!(told(&root, ResponsibleExtent::Subtree, Some(UnitKind::County)), "各区县公安局（分局）");
        assert_eq!(
            told(&city, ResponsibleExtent::Subtree, Some(UnitKind::Station)),
            "昆明市公安局所属各派出所"
        );
        assert_eq!(told(&city, ResponsibleExtent::Subtree, Some(UnitKind::City)), "昆明市公安局");
        assert_eq!(told(&city, ResponsibleExtent::Subtree, None), "昆明市公安局及所属各单位");
    }

    #[test]
    fn what_is_not_in_force_says_so() {
        for state in PlanState::ALL {
            assert_eq!(mark(*state).is_none(), state.is_in_force(), "{state}");
            assert!(!state.is_in_force() || is_approved(*state), "{state}");
        }
    }

    #[test]
    fn a_target_is_a_sentence() {
        let rate = Target {
            name: "一次性告知率".into(),
            direction: TargetDirection::AtLeast,
            value: "98.00".into(),
            unit: "%".into(),
        };
        assert_eq!(target(&rate), "一次性告知率不低于98.00%");
    }
}
