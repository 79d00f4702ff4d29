//! What the wire shows of checklists.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::items::Item;
use super::rules::{
    Checklist, ChecklistAction, ChecklistContent, ChecklistId, ChecklistState, ChecklistVersion,
    ChecklistVersionId,
};
use super::service;
use super::templates::ChecklistTemplate;
use crate::access::Tx;
use crate::access::names::{UserNames, UserRef};
use crate::access::policy::Action;
use crate::db::Instant;
use crate::errors::{AppError, Result};
use crate::org::rules::UnitKind;
use crate::org::views::{UnitNames, UnitRef};
use crate::web::{Example, Versioned, with};

/// 列表中的一份检查清单。
#[derive(Debug, Serialize, ToSchema)]
pub struct ChecklistSummaryView {
    /// 标识。
    id: ChecklistId,
    /// 名称。
    #[schema(max_length = 60)]
    title: String,
    /// 所属单位。
    unit: UnitRef,
    /// 主管警种或部门; 无则为 null。
    department: Option<UnitRef>,
    /// 用于哪几种单位; 空则不限。
    #[schema(max_items = 7)]
    kinds: Vec<UnitKind>,
    /// 状态。
    state: ChecklistState,
    /// 已发布到第几版; 未发布过为 0。
    #[schema(minimum = 0, maximum = 100_000)]
    number: i32,
    /// 检查项数。
    #[schema(minimum = 1, maximum = 200)]
    items_count: usize,
    /// 是否有尚未发布的修改。
    has_draft: bool,
    /// 本人此刻可做的操作。
    #[schema(max_items = 3)]
    allowed_actions: Vec<ChecklistAction>,
    /// 版本。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    /// 新建时刻。
    created_at: Instant,
    /// 最近修改时刻。
    updated_at: Instant,
}

/// 一份检查清单。
#[derive(Debug, Serialize, ToSchema)]
pub struct ChecklistView {
    /// 标识。
    id: ChecklistId,
    /// 名称。
    #[schema(max_length = 60)]
    title: String,
    /// 所属单位: 该单位及其下级用此清单检查。
    unit: UnitRef,
    /// 主管警种或部门; 无则为 null。
    department: Option<UnitRef>,
    /// 用于哪几种单位; 空则不限。
    #[schema(max_items = 7)]
    kinds: Vec<UnitKind>,
    /// 状态。
    state: ChecklistState,
    /// 已发布到第几版; 未发布过为 0。
    #[schema(minimum = 0, maximum = 100_000)]
    number: i32,
    /// 检查项, 按次序: 已发布的为最新一版, 未发布过的为草稿。
    #[schema(max_items = 200)]
    items: Vec<Item>,
    /// 拟制中的下一版; 没有未发布的修改为 null, 下级看不到。
    draft: Option<ChecklistContent>,
    /// 本人此刻可做的操作。
    #[schema(max_items = 3)]
    allowed_actions: Vec<ChecklistAction>,
    /// 版本。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    /// 新建时刻。
    created_at: Instant,
    /// 最近修改时刻。
    updated_at: Instant,
}

impl Versioned for ChecklistView {
    fn version(&self) -> i64 {
        self.version
    }
}

/// 已发布的一版, 不再更改。
#[derive(Debug, Serialize, ToSchema)]
pub struct ChecklistVersionView {
    /// 标识: 检查记录以此注明所用的版本。
    id: ChecklistVersionId,
    /// 清单。
    checklist_id: ChecklistId,
    /// 第几版。
    #[schema(minimum = 1, maximum = 100_000)]
    number: i32,
    /// 名称。
    #[schema(max_length = 60)]
    title: String,
    /// 用于哪几种单位; 空则不限。
    #[schema(max_items = 7)]
    kinds: Vec<UnitKind>,
    /// 检查项, 按次序。
    #[schema(max_items = 200)]
    items: Vec<Item>,
    /// 由谁发布。
    published_by: UserRef,
    /// 发布时刻。
    published_at: Instant,
}

impl ChecklistVersionView {
    /// Its identifier.
    #[must_use]
    pub const fn id(&self) -> ChecklistVersionId {
        self.id
    }
}

impl Versioned for ChecklistVersionView {
    fn version(&self) -> i64 {
        1
    }
}

/// 列表中的一版。
#[derive(Debug, Serialize, ToSchema)]
pub struct ChecklistVersionSummaryView {
    /// 标识: 检查记录以此注明所用的版本。
    id: ChecklistVersionId,
    /// 第几版。
    #[schema(minimum = 1, maximum = 100_000)]
    number: i32,
    /// 名称。
    #[schema(max_length = 60)]
    title: String,
    /// 检查项数。
    #[schema(minimum = 1, maximum = 200)]
    items_count: usize,
    /// 由谁发布。
    published_by: UserRef,
    /// 发布时刻。
    published_at: Instant,
}

/// 一份现成的清单, 供新建时取用。
#[derive(Debug, Serialize, ToSchema)]
pub struct ChecklistTemplateView {
    /// 模板。
    template: ChecklistTemplate,
    /// 名称。
    #[schema(max_length = 60)]
    title: String,
    /// 用于哪几种单位; 空则不限。
    #[schema(max_items = 7)]
    kinds: Vec<UnitKind>,
    /// 检查项, 按次序。
    #[schema(max_items = 200)]
    items: Vec<Item>,
}

/// 现成的清单。
#[derive(Debug, Serialize, ToSchema)]
pub struct ChecklistTemplatesView {
    /// 各份模板。
    #[schema(max_items = 10)]
    templates: Vec<ChecklistTemplateView>,
}

const ID: &str = "01936f2a-7c1e-7b6d-9a54-2f0e8c3b7a01";

/// The content of a checklist in examples: two items of a real one.
pub(super) fn example_content() -> Value {
    let whole = ChecklistTemplate::IncidentHandling.content();
    whole.map(|content| json!({ "title": content.title, "kinds": content.kinds, "items": content.items.get(..2) })).unwrap_or_default()
}

fn example_head() -> Value {
    json!({
        "id": ID, "title": "警情处理检查清单", "department": null, "kinds": ["county", "station"],
        "unit": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77", "code": "53", "name": "云南省公安厅", "kind": "province" },
        "state": "published", "number": 1, "allowed_actions": ["update", "retire"], "version": 2,
        "created_at": "2026-03-02T01:00:00.000000Z", "updated_at": "2026-03-03T01:00:00.000000Z",
    })
}

impl Example for ChecklistSummaryView {
    fn example() -> Value {
        with(example_head(), json!({ "items_count": 9, "has_draft": false }))
    }
}

impl Example for ChecklistView {
    fn example() -> Value {
        with(example_content(), with(example_head(), json!({ "draft": null })))
    }
}

impl Example for ChecklistVersionView {
    fn example() -> Value {
        with(
            example_content(),
            json!({
                "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b7a02", "checklist_id": ID, "number": 1,
                "published_by": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d11", "display_name": "王建国" },
                "published_at": "2026-03-03T01:00:00.000000Z",
            }),
        )
    }
}

impl Example for ChecklistVersionSummaryView {
    fn example() -> Value {
        json!({
            "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b7a02", "number": 1, "title": "警情处理检查清单", "items_count": 9,
            "published_by": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d11", "display_name": "王建国" },
            "published_at": "2026-03-03T01:00:00.000000Z",
        })
    }
}

impl Example for ChecklistTemplatesView {
    fn example() -> Value {
        json!({ "templates": [with(example_content(), json!({ "template": "incident_handling" }))] })
    }
}

fn names<A: Action>(tx: &mut Tx<'_, A>, found: &[Checklist]) -> Result<UnitNames> {
    UnitNames::load(tx, found.iter().flat_map(|one| [Some(one.unit_id), one.department_id]).flatten())
}

pub(super) fn summaries<A: Action>(
    tx: &mut Tx<'_, A>,
    found: Vec<Checklist>,
) -> Result<Vec<ChecklistSummaryView>> {
    let (names, rights) = (names(tx, &found)?, service::rights(tx));
    found
        .into_iter()
        .map(|one| {
            Ok(ChecklistSummaryView {
                allowed_actions: service::allowed(&rights, &one),
                has_draft: one.has_draft() && service::shows_draft(tx, &one),
                unit: names.get(one.unit_id)?,
                department: one.department_id.map(|id| names.get(id)).transpose()?,
                id: one.id,
                title: one.content.title,
                kinds: one.content.kinds,
                state: one.state,
                number: one.number,
                items_count: one.content.items.len(),
                version: one.version,
                created_at: one.created_at,
                updated_at: one.updated_at,
            })
        })
        .collect()
}

pub(super) fn whole<A: Action>(tx: &mut Tx<'_, A>, one: Checklist) -> Result<ChecklistView> {
    let (names, rights) = (names(tx, std::slice::from_ref(&one))?, service::rights(tx));
    let shows_draft = service::shows_draft(tx, &one);
    Ok(ChecklistView {
        allowed_actions: service::allowed(&rights, &one),
        unit: names.get(one.unit_id)?,
        department: one.department_id.map(|id| names.get(id)).transpose()?,
        id: one.id,
        title: one.content.title,
        kinds: one.content.kinds,
        state: one.state,
        number: one.number,
        items: one.content.items,
        draft: one.draft.filter(|_| shows_draft),
        version: one.version,
        created_at: one.created_at,
        updated_at: one.updated_at,
    })
}

pub(super) fn versions<A: Action>(
    tx: &mut Tx<'_, A>,
    found: Vec<ChecklistVersion>,
) -> Result<Vec<ChecklistVersionSummaryView>> {
    let names = UserNames::load(tx, found.iter().map(|one| one.published_by))?;
    let view = |one: ChecklistVersion| {
        Ok(ChecklistVersionSummaryView {
            id: one.id,
            number: one.number,
            title: one.content.title,
            items_count: one.content.items.len(),
            published_by: names.get(one.published_by)?,
            published_at: one.published_at,
        })
    };
    found.into_iter().map(view).collect()
}

/// What is shown of versions.
///
/// # Errors
/// When the database fails.
pub fn whole_versions<A: Action>(
    tx: &mut Tx<'_, A>,
    found: Vec<ChecklistVersion>,
) -> Result<Vec<ChecklistVersionView>> {
    let names = UserNames::load(tx, found.iter().map(|one| one.published_by))?;
    let view = |one: ChecklistVersion| {
        Ok(ChecklistVersionView {
            id: one.id,
            checklist_id: one.checklist_id,
            number: one.number,
            title: one.content.title,
            kinds: one.content.kinds,
            items: one.content.items,
            published_by: names.get(one.published_by)?,
            published_at: one.published_at,
        })
    };
    found.into_iter().map(view).collect()
}

pub(super) fn version<A: Action>(tx: &mut Tx<'_, A>, one: ChecklistVersion) -> Result<ChecklistVersionView> {
    let found = whole_versions(tx, vec![one])?.pop();
    found.ok_or_else(|| AppError::internal("one version is shown as one"))
}

pub(super) fn templates() -> Result<ChecklistTemplatesView> {
    let view = |template: &ChecklistTemplate| {
        let ChecklistContent { title, kinds, items } = template.content()?;
        Ok(ChecklistTemplateView { template: *template, title, kinds, items })
    };
    Ok(ChecklistTemplatesView { templates: ChecklistTemplate::ALL.iter().map(view).collect::<Result<_>>()? })
}
