//! What the wire shows of what is taken along.

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::bundle::{OfflineKind, Told};
use crate::access::Tx;
use crate::access::names::{UserNames, UserRef};
use crate::access::policy::Action;
use crate::errors::Result;
use crate::inspections::authorisations::rules::{Authorisation, AuthorisationId, CheckKind};
use crate::inspections::checklists::views::ChecklistVersionView;
use crate::org::rules::{Unit, UnitId, UnitKind};
use crate::reference::http::DictionaryView;
use crate::web::Example;

/// 一项本人可据以检查的授权。
#[derive(Debug, Serialize, ToSchema)]
pub struct OfflineAuthorisation {
    /// 标识。
    id: AuthorisationId,
    /// 名称。
    #[schema(max_length = 60)]
    title: String,
    /// 可用的方式。
    #[schema(max_items = 2)]
    kinds: Vec<CheckKind>,
    /// 可检查的单位, 含其下级。
    #[schema(max_items = 50)]
    area_unit_ids: Vec<UnitId>,
    /// 检查人员。
    #[schema(max_items = 50)]
    team: Vec<UserRef>,
    /// 指挥员。
    commander: UserRef,
    /// 首日。
    valid_from_on: NaiveDate,
    /// 末日, 含当日。
    valid_until_on: NaiveDate,
}

/// 一个可检查的单位。
#[derive(Debug, Serialize, ToSchema)]
pub struct OfflineUnit {
    /// 标识。
    id: UnitId,
    /// 上级单位。
    parent_id: Option<UnitId>,
    /// 代码。
    #[schema(max_length = 12)]
    code: String,
    /// 名称。
    #[schema(max_length = 100)]
    name: String,
    /// 种类。
    kind: UnitKind,
}

impl OfflineUnit {
    pub(super) fn of(unit: Unit) -> Self {
        let Unit { id, parent_id, code, name, kind, .. } = unit;
        Self { id, parent_id, code, name, kind }
    }
}

/// 已不再有的一项。
#[derive(Debug, Serialize, ToSchema)]
pub struct OfflineGone {
    /// 种类。
    kind: OfflineKind,
    /// 标识。
    id: Uuid,
}

/// 供离线使用的数据。
#[derive(Debug, Serialize, ToSchema)]
pub struct OfflineBundleView {
    /// 下次以此为 `since`。内容相同则相同。
    #[schema(max_length = 32, pattern = "^[0-9a-f]{32}$")]
    since: String,
    /// 是否为全部: 是的, 请丢弃原有的; 否则只有新增与改变的, 以及 `gone`。
    complete: bool,
    /// 本人可据以检查的授权: 已批准, 今日或以后生效。
    #[schema(max_items = 1000)]
    authorisations: Vec<OfflineAuthorisation>,
    /// 可用的清单, 各为其当前的一版; 以及本人正在进行的检查所用的版本。
    #[schema(max_items = 1000)]
    checklists: Vec<ChecklistVersionView>,
    /// 授权范围内正常的单位。
    #[schema(max_items = 20_000)]
    units: Vec<OfflineUnit>,
    /// 全部字典; 没有改变为 null。
    #[schema(max_items = 200)]
    dictionaries: Option<Vec<DictionaryView>>,
    /// 已不再有的: 授权终止、清单停用或已有新版、单位停用或划出。
    #[schema(max_items = 30_000)]
    gone: Vec<OfflineGone>,
}

impl OfflineBundleView {
    pub(super) fn of(since: String, complete: bool, told: Told) -> Self {
        let Told { authorisations, checklists, units, dictionaries, gone } = told;
        let gone = gone.into_iter().map(|(kind, id)| OfflineGone { kind, id }).collect();
        Self { since, complete, authorisations, checklists, units, dictionaries, gone }
    }
}

impl Example for OfflineBundleView {
    fn example() -> Value {
        json!({
            "since": "8d969eef6ecad3c29a3a629280e686cf", "complete": false,
            "authorisations": [{
                "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b7b01", "title": "第一季度城区窗口暗访", "kinds": ["covert"],
                "area_unit_ids": ["01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d01"],
                "team": [{ "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d12", "display_name": "赵敏" }],
                "commander": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d11", "display_name": "王建国" },
                "valid_from_on": "2026-03-01", "valid_until_on": "2026-03-31",
            }],
            "checklists": [ChecklistVersionView::example()],
            "units": [{
                "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d02", "parent_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d01",
                "code": "530102", "name": "昆明市公安局五华分局", "kind": "county",
            }],
            "dictionaries": null,
            "gone": [{ "kind": "unit", "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d09" }],
        })
    }
}

/// What is shown of authorisations, in their order.
pub(super) fn authorisations_shown<A: Action>(
    tx: &mut Tx<'_, A>,
    found: Vec<Authorisation>,
) -> Result<Vec<OfflineAuthorisation>> {
    let people = found
        .iter()
        .flat_map(|one| one.content.team_user_ids.iter().copied().chain([one.content.commander_user_id]));
    let people = UserNames::load(tx, people)?;
    let view = |one: Authorisation| {
        let content = one.content;
        Ok(OfflineAuthorisation {
            id: one.id,
            title: content.title,
            kinds: content.kinds,
            area_unit_ids: content.area_unit_ids,
            team: content.team_user_ids.into_iter().map(|id| people.get(id)).collect::<Result<_>>()?,
            commander: people.get(content.commander_user_id)?,
            valid_from_on: content.valid_from_on,
            valid_until_on: content.valid_until_on,
        })
    };
    found.into_iter().map(view).collect()
}
