//! `/campaigns` and their leading groups.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

use super::rules::{Campaign, CampaignDraft, LeadingGroup, LeadingGroupDraft, Scope};
use super::service::{self, CampaignFilter, CampaignSort};
use crate::access::Tx;
use crate::access::names::{UserNames, UserRef};
use crate::access::policy::{Action, CampaignCreate, CampaignRead, CampaignUpdate, LeadingGroupSet};
use crate::campaigns::rules::{CampaignAction, CampaignId, CampaignState, Phase};
use crate::db::Instant;
use crate::errors::{AppError, Result};
use crate::org::http::{Depth, narrowed};
use crate::org::rules::{UnitId, UnitKind};
use crate::org::views::{UnitNames, UnitRef};
use crate::web::{
    Count, Created, Example, Json, Merge, NoBody, NoQuery, Page, Patch, Resource, Versioned, endpoint, with,
};

/// 活动范围。
#[derive(Debug, Serialize, ToSchema)]
pub struct ScopeView {
    /// 单位种类。
    #[schema(max_items = 7)]
    kinds: Vec<UnitKind>,
    /// 单位: 只限这些单位及其下级; 空则为主办单位的全部下级。
    #[schema(max_items = 50)]
    units: Vec<UnitRef>,
}

/// 一次主题活动。
#[derive(Debug, Serialize, ToSchema)]
pub struct CampaignView {
    /// 标识。
    id: CampaignId,
    /// 主办单位。
    unit: UnitRef,
    /// 名称。
    #[schema(max_length = 60)]
    name: String,
    /// 主题。
    #[schema(max_length = 1000)]
    theme: String,
    /// 年度。
    #[schema(minimum = 2000, maximum = 2100)]
    year: i32,
    /// 状态; 主办单位的方案发布后即启动, 此后对范围内单位可见。
    state: CampaignState,
    /// 阶段, 按先后。
    #[schema(max_items = 20)]
    phases: Vec<Phase>,
    /// 范围。
    scope: ScopeView,
    /// 本人此刻可做的操作。
    #[schema(max_items = 10)]
    allowed_actions: Vec<CampaignAction>,
    /// 版本。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    /// 新建时刻。
    created_at: Instant,
    /// 最近修改时刻。
    updated_at: Instant,
}

impl Versioned for CampaignView {
    fn version(&self) -> i64 {
        self.version
    }
}

fn example_content() -> Value {
    json!({
        "name": "治庸懒、强担当、树新风",
        "theme": "整治冷硬横推、慵懒散拖, 让群众办事少跑路、有回音。",
        "year": 2026,
        "phases": [
            { "name": "动员部署", "starts_on": "2026-03-02", "ends_on": "2026-03-29" },
            { "name": "自查自纠", "starts_on": "2026-03-30", "ends_on": "2026-06-14" },
        ],
    })
}

const UNIT: &str = "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77";

impl Example for CampaignView {
    fn example() -> Value {
        with(
            json!({
                "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d78",
                "unit": { "id": UNIT, "code": "53", "name": "云南省公安厅", "kind": "province" },
            }),
            with(
                example_content(),
                json!({
                    "state": "launched", "scope": { "kinds": ["city", "county"], "units": [] },
                    "allowed_actions": ["set_leading_group"], "version": 3,
                    "created_at": "2026-03-02T01:00:00.000000Z", "updated_at": "2026-03-05T02:30:00.000000Z",
                }),
            ),
        )
    }
}

impl Example for CampaignDraft {
    fn example() -> Value {
        with(example_content(), json!({ "scope": { "kinds": ["city", "county"], "unit_ids": [] } }))
    }
}

impl Patch for CampaignDraft {
    fn patch_example() -> Value {
        json!({ "theme": "整治冷硬横推、慵懒散拖, 让群众办事有回音。" })
    }
}

fn views<A: Action>(tx: &mut Tx<'_, A>, campaigns: Vec<Campaign>) -> Result<Vec<CampaignView>> {
    let named =
        campaigns.iter().flat_map(|one| one.content.scope.unit_ids.iter().copied().chain([one.unit_id]));
    let names = UnitNames::load(tx, named)?;
    campaigns
        .into_iter()
        .map(|campaign| {
            let allowed_actions = service::allowed(tx, &campaign);
            let Campaign { id, unit_id, content, state, version, created_at, updated_at, .. } = campaign;
            let CampaignDraft { name, theme, year, phases, scope: Scope { kinds, unit_ids } } = content;
            let units = unit_ids.into_iter().map(|id| names.get(id)).collect::<Result<_>>()?;
            let (unit, scope) = (names.get(unit_id)?, ScopeView { kinds, units });
            Ok(CampaignView {
                id,
                unit,
                name,
                theme,
                year,
                state,
                phases,
                scope,
                allowed_actions,
                version,
                created_at,
                updated_at,
            })
        })
        .collect()
}

fn view<A: Action>(tx: &mut Tx<'_, A>, campaign: Campaign) -> Result<CampaignView> {
    let mut made = views(tx, vec![campaign])?;
    made.pop().ok_or_else(|| AppError::internal("a campaign without a view"))
}

/// 活动列表的条件。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CampaignQuery {
    /// 状态; 可重复, 任一即可。
    #[serde(default)]
    #[schema(max_items = 2)]
    state: Vec<CampaignState>,
    /// 年度。
    #[schema(minimum = 2000, maximum = 2100)]
    year: Option<i32>,
    /// 由此单位及其下级主办。
    unit_id: Option<UnitId>,
    /// `unit_id` 的范围, 缺省含下级。
    depth: Option<Depth>,
    /// 名称中含有的文字, 不分大小写与全角半角。
    #[schema(min_length = 1, max_length = 50)]
    q: Option<String>,
    /// 排序; 缺省为 `-created_at` (新建在前)。
    sort: Option<CampaignSort>,
    /// 每页行数, 缺省 50。
    #[schema(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// 上一页给出的游标。
    #[schema(min_length = 1, max_length = 2048, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
    /// 为 exact 时给出总行数。
    count: Option<Count>,
}

endpoint! {
    /// 活动列表
    ///
    /// 本人辖区内主办的活动, 以及上级已启动的活动。
    ListCampaigns: CampaignRead, Get "/campaigns", tag "campaigns", codes []
    async fn list_campaigns(gate, _path: (), query: CampaignQuery, _body: NoBody) -> Page<CampaignView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        gate.run(move |tx| {
            let below = narrowed(tx, query.unit_id, query.depth)?;
            let filter = CampaignFilter { states: query.state, year: query.year, below, search: query.q };
            let page = service::list(tx, &filter, query.sort.unwrap_or(CampaignSort::Newest), &paging)?;
            let Page { items, next_cursor, total } = page;
            Ok(Page { items: views(tx, items)?, next_cursor, total })
        })
        .await
    }
}

/// 新建活动。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewCampaign {
    /// 由客户端选定的标识; 不写则由服务器生成。
    #[serde(default)]
    id: Option<CampaignId>,
    /// 主办单位, 须为本人任职办公室的单位。
    unit_id: UnitId,
    /// 名称。
    #[schema(min_length = 1, max_length = 60, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    name: String,
    /// 主题: 为什么办, 要解决什么。
    #[schema(min_length = 1, max_length = 1000)]
    theme: String,
    /// 年度。
    #[schema(minimum = 2000, maximum = 2100)]
    year: i32,
    /// 阶段, 按先后, 互不重叠。
    #[schema(min_items = 1, max_items = 20)]
    phases: Vec<Phase>,
    /// 范围: 哪些单位须制定方案。
    scope: Scope,
}

impl NewCampaign {
    fn content(&self) -> CampaignDraft {
        let Self { name, theme, year, phases, scope, .. } = self.clone();
        CampaignDraft { name, theme, year, phases, scope }
    }
}

impl Validate for NewCampaign {
    fn validate(&self) -> Result<(), ValidationErrors> {
        self.content().validate()
    }
}

impl Example for NewCampaign {
    fn example() -> Value {
        with(json!({ "unit_id": UNIT }), CampaignDraft::example())
    }
}

endpoint! {
    /// 新建活动
    ///
    /// 同时建立一个空的领导小组。活动在主办单位的方案发布时启动。
    CreateCampaign: CampaignCreate, Post "/campaigns", tag "campaigns", codes [IdTaken]
    async fn create_campaign(gate, _path: (), _query: NoQuery, body: Json<NewCampaign>) -> Created<CampaignView> {
        gate.run(move |tx| {
            let (campaign, existed) = service::create(tx, body.0.id, body.0.unit_id, &body.0.content())?;
            let location = format!("/campaigns/{}", campaign.id);
            Ok(Created { view: view(tx, campaign)?, location, existed })
        })
        .await
    }
}

endpoint! {
    /// 查看活动
    GetCampaign: CampaignRead, Get "/campaigns/{campaign_id}", tag "campaigns", codes []
    async fn get_campaign(gate, id: CampaignId, _query: NoQuery, _body: NoBody) -> Resource<CampaignView> {
        gate.run(move |tx| {
            let campaign = service::find(tx, id)?;
            view(tx, campaign).map(Resource)
        })
        .await
    }
}

endpoint! {
    /// 修改活动
    ///
    /// 启动之前可改; 启动之后 409。
    UpdateCampaign: CampaignUpdate, Patch "/campaigns/{campaign_id}", tag "campaigns", codes [CampaignLaunched]
    async fn update_campaign(gate, id: CampaignId, _query: NoQuery, body: Merge<CampaignDraft>) -> Resource<CampaignView> {
        gate.run(move |tx| {
            let campaign = service::update(tx, id, |current| body.apply(current))?;
            view(tx, campaign).map(Resource)
        })
        .await
    }
}

/// 领导小组的一名成员。
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberView {
    /// 账号。
    user: UserRef,
    /// 职务或分工。
    #[schema(max_length = 60)]
    duty: String,
}

/// 领导小组。
#[derive(Debug, Serialize, ToSchema)]
pub struct LeadingGroupView {
    /// 所属活动。
    campaign_id: CampaignId,
    /// 组长; 未定为 null。
    head: Option<UserRef>,
    /// 办公室所在部门; 未定为 null。
    office: Option<UnitRef>,
    /// 成员。
    #[schema(max_items = 100)]
    members: Vec<MemberView>,
    /// 方案是否须经成员表决, 组长方可批准。
    votes_on_plans: bool,
    /// 组长、办公室、成员是否齐备; 齐备方可提交方案。
    complete: bool,
    /// 版本。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    /// 最近修改时刻。
    updated_at: Instant,
}

impl Versioned for LeadingGroupView {
    fn version(&self) -> i64 {
        self.version
    }
}

impl Example for LeadingGroupView {
    fn example() -> Value {
        json!({
            "campaign_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d78",
            "head": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d10", "display_name": "李春阳" },
            "office": { "id": UNIT, "code": "53-D01", "name": "办公室", "kind": "department" },
            "members": [{ "user": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d11", "display_name": "王建国" }, "duty": "副组长" }],
            "votes_on_plans": false, "complete": true, "version": 2, "updated_at": "2026-03-02T01:20:00.000000Z",
        })
    }
}

impl Example for LeadingGroupDraft {
    fn example() -> Value {
        json!({
            "head_user_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d10", "office_unit_id": UNIT,
            "members": [{ "user_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d11", "duty": "副组长" }],
            "votes_on_plans": false,
        })
    }
}

fn group_view<A: Action>(
    tx: &mut Tx<'_, A>,
    campaign_id: CampaignId,
    group: LeadingGroup,
) -> Result<LeadingGroupView> {
    let LeadingGroup { content, version, updated_at } = group;
    let users =
        UserNames::load(tx, content.members.iter().map(|member| member.user_id).chain(content.head_user_id))?;
    let units = UnitNames::load(tx, content.office_unit_id)?;
    let complete =
        content.head_user_id.is_some() && content.office_unit_id.is_some() && !content.members.is_empty();
    Ok(LeadingGroupView {
        campaign_id,
        head: content.head_user_id.map(|id| users.get(id)).transpose()?,
        office: content.office_unit_id.map(|id| units.get(id)).transpose()?,
        members: content
            .members
            .into_iter()
            .map(|one| Ok(MemberView { user: users.get(one.user_id)?, duty: one.duty }))
            .collect::<Result<_>>()?,
        votes_on_plans: content.votes_on_plans,
        complete,
        version,
        updated_at,
    })
}

endpoint! {
    /// 查看领导小组
    GetLeadingGroup: CampaignRead, Get "/campaigns/{campaign_id}/leading-group", tag "campaigns", codes []
    async fn get_leading_group(gate, id: CampaignId, _query: NoQuery, _body: NoBody) -> Resource<LeadingGroupView> {
        gate.run(move |tx| {
            let group = service::leading_group(tx, id)?;
            group_view(tx, id, group).map(Resource)
        })
        .await
    }
}

endpoint! {
    /// 设定领导小组
    ///
    /// 整体替换组长、办公室与成员。
    SetLeadingGroup: LeadingGroupSet, Put "/campaigns/{campaign_id}/leading-group", tag "campaigns", codes []
    async fn set_leading_group(gate, id: CampaignId, _query: NoQuery, body: Json<LeadingGroupDraft>) -> Resource<LeadingGroupView> {
        gate.run(move |tx| {
            let group = service::set_leading_group(tx, id, &body.0)?;
            group_view(tx, id, group).map(Resource)
        })
        .await
    }
}
