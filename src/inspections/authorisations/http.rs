//! `/authorisations`.

use chrono::NaiveDate;
use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

use super::command;
use super::rules::{AuthorisationContent, AuthorisationId, AuthorisationState, CheckKind};
use super::service::{self, AuthorisationFilter};
use super::views::{self, AuthorisationView};
use crate::access::UserId;
use crate::access::policy::{
    AuthorisationApprove, AuthorisationPropose, AuthorisationRead, AuthorisationReject,
    AuthorisationReplaceCommander, AuthorisationRevoke, AuthorisationUpdate,
};
use crate::org::http::{Depth, narrowed};
use crate::org::rules::UnitId;
use crate::web::{
    Count, Created, Example, Json, MadeSort, Merge, NoBody, NoQuery, Page, Patch, Resource, endpoint, with,
};

/// 授权列表的条件。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthorisationQuery {
    /// 状态; 可重复, 任一即可。
    #[serde(default)]
    #[schema(max_items = 4)]
    state: Vec<AuthorisationState>,
    /// 属于此单位及其下级。
    unit_id: Option<UnitId>,
    /// `unit_id` 的范围, 缺省含下级。
    depth: Option<Depth>,
    /// 名称中含有的文字, 不分大小写与全角半角。
    #[schema(min_length = 1, max_length = 50)]
    q: Option<String>,
    /// 排序; 缺省为 `-created_at` (新建在前)。
    sort: Option<MadeSort>,
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
    /// 授权列表
    ///
    /// 本人辖区内的; 督察与特邀监督员见自己在其中的。
    ListAuthorisations: AuthorisationRead, Get "/authorisations", tag "authorisations", codes []
    async fn list_authorisations(gate, _path: (), query: AuthorisationQuery, _body: NoBody) -> Page<AuthorisationView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        gate.run(move |tx| {
            let below = narrowed(tx, query.unit_id, query.depth)?;
            let filter = AuthorisationFilter { states: query.state, below, search: query.q };
            let page = service::list(tx, &filter, query.sort.unwrap_or(MadeSort::Newest), &paging)?;
            let Page { items, next_cursor, total } = page;
            Ok(Page { items: views::views(tx, items)?, next_cursor, total })
        })
        .await
    }
}

/// 提出一项授权。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewAuthorisation {
    /// 由客户端选定的标识; 不写则由服务器生成。
    #[serde(default)]
    id: Option<AuthorisationId>,
    /// 所属单位, 须在本人辖区之内。
    unit_id: UnitId,
    /// 名称, 如 第一季度城区窗口暗访。
    #[schema(min_length = 1, max_length = 60, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    title: String,
    /// 依据: 会议、文件或工作安排。
    #[schema(min_length = 1, max_length = 500)]
    basis: String,
    /// 可用的方式: 明察、暗访。
    #[schema(min_items = 1, max_items = 2)]
    kinds: Vec<CheckKind>,
    /// 可检查的单位, 含其下级; 须在所属单位之内。
    #[schema(min_items = 1, max_items = 50)]
    area_unit_ids: Vec<UnitId>,
    /// 检查人员的账号: 督察或特邀监督员。
    #[schema(min_items = 1, max_items = 50)]
    team_user_ids: Vec<UserId>,
    /// 指挥员的账号: 确认所记录的检查。
    commander_user_id: UserId,
    /// 首日。
    valid_from_on: NaiveDate,
    /// 末日, 含当日; 连同首日不超过 366 天。
    valid_until_on: NaiveDate,
}

impl NewAuthorisation {
    fn content(&self) -> AuthorisationContent {
        let one = self.clone();
        AuthorisationContent {
            title: one.title,
            basis: one.basis,
            kinds: one.kinds,
            area_unit_ids: one.area_unit_ids,
            team_user_ids: one.team_user_ids,
            commander_user_id: one.commander_user_id,
            valid_from_on: one.valid_from_on,
            valid_until_on: one.valid_until_on,
        }
    }
}

impl Validate for NewAuthorisation {
    fn validate(&self) -> Result<(), ValidationErrors> {
        self.content().validate()
    }
}

fn example_content() -> Value {
    json!({
        "title": "第一季度城区窗口暗访", "basis": "领导小组第二次会议: 对城区服务窗口常态暗访。", "kinds": ["covert"],
        "area_unit_ids": ["01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d01"],
        "team_user_ids": ["01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d12"],
        "commander_user_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d11",
        "valid_from_on": "2026-03-01", "valid_until_on": "2026-03-31",
    })
}

impl Example for NewAuthorisation {
    fn example() -> Value {
        with(json!({ "unit_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77" }), example_content())
    }
}

impl Example for AuthorisationContent {
    fn example() -> Value {
        example_content()
    }
}

impl Patch for AuthorisationContent {
    fn patch_example() -> Value {
        json!({ "valid_until_on": "2026-06-30" })
    }
}

endpoint! {
    /// 提出授权
    ///
    /// 由领导小组办公室或督察纪检部门提出, 由另一人批准后方可据此检查。特邀监督员的授权以其聘期为限。
    ProposeAuthorisation: AuthorisationPropose, Post "/authorisations", tag "authorisations", codes [IdTaken]
    async fn propose_authorisation(gate, _path: (), _query: NoQuery, body: Json<NewAuthorisation>) -> Created<AuthorisationView> {
        gate.run(move |tx| {
            let new = service::NewAuthorisation { id: body.0.id, unit_id: body.0.unit_id, content: body.0.content() };
            let (made, existed) = service::propose(tx, &new)?;
            let location = format!("/authorisations/{}", made.id);
            Ok(Created { view: views::view(tx, made)?, location, existed })
        })
        .await
    }
}

endpoint! {
    /// 查看授权
    GetAuthorisation: AuthorisationRead, Get "/authorisations/{authorisation_id}", tag "authorisations", codes []
    async fn get_authorisation(gate, id: AuthorisationId, _query: NoQuery, _body: NoBody) -> Resource<AuthorisationView> {
        gate.run(move |tx| {
            let found = service::find(tx, id)?;
            views::view(tx, found).map(Resource)
        })
        .await
    }
}

endpoint! {
    /// 修改授权
    ///
    /// 批准之前可改; 改过的人即为拟制人, 不得批准。批准之后不再修改, 另行提出。
    UpdateAuthorisation: AuthorisationUpdate, Patch "/authorisations/{authorisation_id}", tag "authorisations",
        codes [AuthorisationDecided]
    async fn update_authorisation(gate, id: AuthorisationId, _query: NoQuery, body: Merge<AuthorisationContent>) -> Resource<AuthorisationView> {
        gate.run(move |tx| {
            let changed = service::update(tx, id, |current| body.apply(current))?;
            views::view(tx, changed).map(Resource)
        })
        .await
    }
}

/// 批准授权。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ApproveAuthorisation {
    /// 批语。
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    comment: Option<String>,
}

impl Example for ApproveAuthorisation {
    fn example() -> Value {
        json!({ "comment": "同意。" })
    }
}

/// 不予批准或撤销的理由。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct AuthorisationReason {
    /// 理由。
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

impl Example for AuthorisationReason {
    fn example() -> Value {
        json!({ "reason": "与省厅督察的检查安排重复。" })
    }
}

endpoint! {
    /// 批准授权
    ///
    /// 提出或改过的人不得批准。自首日起至末日止, 检查人员可据此检查。
    ApproveAuthorisationEndpoint: AuthorisationApprove, Post "/authorisations/{authorisation_id}/approve", tag "authorisations",
        codes [AuthorisationDecided, AuthorisationEnded, ApproverIsAuthor]
    async fn approve_authorisation(gate, id: AuthorisationId, _query: NoQuery, body: Json<ApproveAuthorisation>) -> Resource<AuthorisationView> {
        gate.run(move |tx| {
            let approved = service::approve(tx, id, body.0.comment.as_deref())?;
            views::view(tx, approved).map(Resource)
        })
        .await
    }
}

endpoint! {
    /// 不予批准
    ///
    /// 提出或改过的人不得否决, 自己要收回的撤销即可。
    RejectAuthorisation: AuthorisationReject, Post "/authorisations/{authorisation_id}/reject", tag "authorisations",
        codes [AuthorisationDecided, ApproverIsAuthor]
    async fn reject_authorisation(gate, id: AuthorisationId, _query: NoQuery, body: Json<AuthorisationReason>) -> Resource<AuthorisationView> {
        gate.run(move |tx| {
            let rejected = service::reject(tx, id, &body.0.reason)?;
            views::view(tx, rejected).map(Resource)
        })
        .await
    }
}

endpoint! {
    /// 撤销授权
    ///
    /// 待批的收回, 已批准的立即终止: 从此不得据此开始检查, 已开始的检查继续办完。
    RevokeAuthorisation: AuthorisationRevoke, Post "/authorisations/{authorisation_id}/revoke", tag "authorisations",
        codes [AuthorisationEnded]
    async fn revoke_authorisation(gate, id: AuthorisationId, _query: NoQuery, body: Json<AuthorisationReason>) -> Resource<AuthorisationView> {
        gate.run(move |tx| {
            let revoked = service::revoke(tx, id, &body.0.reason)?;
            views::view(tx, revoked).map(Resource)
        })
        .await
    }
}

/// 更换指挥员。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ReplaceCommanderBody {
    /// 新任指挥员的账号, 条件同提出授权时, 且不得为检查人员。
    commander_id: UserId,
    /// 理由。
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

impl Example for ReplaceCommanderBody {
    fn example() -> Value {
        json!({ "commander_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d13", "reason": "王建国已调离, 账号停用。" })
    }
}

endpoint! {
    /// 更换指挥员
    ///
    /// 指挥员已不能办理 (账号停用, 或不再任组长、办公室、督察、纪检部门的任何一职) 的, 由可批准授权的人另定一人; 提出或改过授权的人、
    /// 检查人员、新任本人不得为之。授权须曾获批准, 期满或已撤销的也可。据此所做、尚未公布也未作废的检查, 凡指挥员已不能办理的, 一并移交:
    /// 新任自此可见, 原任自此不可见; 受检单位为新任所在单位或其上级、或新任已申报利害关系的, 不移交, 留待下次更换。更换之前开始、
    /// 之后才到的检查, 以开始时的指挥员论回避, 归新任; 新任须回避的, 归其前任。办理的人不因此得知任何检查。
    ReplaceCommander: AuthorisationReplaceCommander, Post "/authorisations/{authorisation_id}/replace-commander", tag "authorisations",
        codes [AuthorisationNotApproved, CommanderPresent, ApproverIsAuthor, ReplacerIsConcerned]
    async fn replace_authorisation_commander(gate, id: AuthorisationId, _query: NoQuery, body: Json<ReplaceCommanderBody>) -> Resource<AuthorisationView> {
        gate.run(move |tx| {
            let replaced = command::replace(tx, id, body.0.commander_id, &body.0.reason)?;
            views::view(tx, replaced).map(Resource)
        })
        .await
    }
}
