//! What a unit is, and where it stands in the tree.

use crate::db::{Id, Instant, TenantId, text_enum};

/// Marks the identifier of a unit.
#[derive(Debug)]
pub struct UnitEntity;
/// The identifier of a unit.
pub type UnitId = Id<UnitEntity>;

text_enum! {
    /// What a unit is. The tree has variable depth: nothing follows from a kind about its parent's.
    UnitKind as "unit_kind" {
        Province = "province", "省级公安厅", "Province", red;
        City = "city", "地市公安局", "City", orange;
        County = "county", "区县公安局/分局", "County", blue;
        Station = "station", "派出所", "Station", green;
        Department = "department", "警种/部门", "Department", grey;
        ServiceWindow = "service_window", "服务窗口", "Service window", grey;
        DetentionHouse = "detention_house", "看守所", "Detention house", grey;
    }
}

text_enum! {
    /// Whether a unit works. One with history is deactivated, never deleted.
    UnitStatus as "unit_status" {
        Active = "active", "正常", "Active", green;
        Deactivated = "deactivated", "已停用", "Deactivated", grey;
    }
}

text_enum! {
    /// Whether a province (a tenant) works.
    ProvinceStatus as "province_status" {
        Active = "active", "正常", "Active", green;
        Suspended = "suspended", "已暂停", "Suspended", orange;
    }
}

/// A unit.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Its identifier.
    pub id: UnitId,
    /// The unit above; none for the root.
    pub parent_id: Option<UnitId>,
    /// The official code, unique in the province.
    pub code: String,
    /// Its name today.
    pub name: String,
    /// What it is.
    pub kind: UnitKind,
    /// Whether it works.
    pub status: UnitStatus,
    /// The codes from the root down, each followed by `/`.
    pub path: String,
    /// Counts up with each change.
    pub version: i64,
    /// When it was entered.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}

impl Unit {
    /// Levels below the root, which is 0.
    #[must_use]
    pub fn depth(&self) -> i32 {
        let levels = self.path.matches('/').count();
        i32::try_from(levels.saturating_sub(1)).unwrap_or(i32::MAX)
    }
}

/// The path of a unit under `parent` (none for a root).
#[must_use]
pub fn path_under(parent: Option<&str>, code: &str) -> String {
    format!("{}{code}/", parent.unwrap_or_default())
}

/// A province: a tenant.
#[derive(Debug, Clone)]
pub struct Province {
    /// The two-digit code.
    pub code: TenantId,
    /// Its name.
    pub name: String,
    /// Whether it works.
    pub status: ProvinceStatus,
    /// Counts up with each change.
    pub version: i64,
    /// When it was entered.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}
