//! `/officers/{officer_id}/posts` and `/units/{unit_id}/head`.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

use super::rules::{Post, PostAction, PostDraft, PostId, PostKind};
use super::service;
use crate::access::Tx;
use crate::access::policy::{Action, OfficerRead, PostAppoint, PostCorrect, UnitRead};
use crate::db::Instant;
use crate::errors::{AppError, Result};
use crate::org::officers::http::{OfficerNames, OfficerRef};
use crate::org::officers::rules::OfficerId;
use crate::org::rules::UnitId;
use crate::org::stand_ins::service as stand_ins;
use crate::org::views::{UnitNames, UnitRef};
use crate::web::{
    Count, Created, Example, Json, Merge, NoBody, NoQuery, Page, Patch, Plain, Resource, Versioned, endpoint,
};

const UNIT: &str = "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77";

/// 一项任职。
#[derive(Debug, Serialize, ToSchema)]
pub struct PostView {
    /// 标识。
    id: PostId,
    /// 任职单位。
    unit: UnitRef,
    /// 职位种类。
    kind: PostKind,
    /// 职务名称。
    #[schema(max_length = 60)]
    title: String,
    /// 首日。
    valid_from_on: NaiveDate,
    /// 末日, 含当日; 至另有通知为 null。
    valid_until_on: Option<NaiveDate>,
    /// 是否误录作废。
    voided: bool,
    /// 依据; 更正的为更正的理由。
    #[schema(max_length = 500)]
    reason: Option<String>,
    /// 录入时刻: 自此如此认为。
    recorded_at: Instant,
    /// 版本: 第几次录入, 每更正一次加一。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    /// 本人此刻可做的操作。
    #[schema(max_items = 1)]
    allowed_actions: Vec<PostAction>,
}

impl Versioned for PostView {
    fn version(&self) -> i64 {
        self.version
    }
}

impl Example for PostView {
    fn example() -> Value {
        json!({
            "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b5b01",
            "unit": { "id": UNIT, "code": "530102", "name": "昆明市公安局五华分局", "kind": "county" },
            "kind": "head", "title": "党委书记、局长", "valid_from_on": "2025-06-01", "valid_until_on": null, "voided": false,
            "reason": "昆公任〔2025〕17号", "recorded_at": "2025-06-02T01:00:00.000000Z", "version": 1,
            "allowed_actions": ["correct"],
        })
    }
}

fn views<A: Action>(tx: &mut Tx<'_, A>, posts: Vec<Post>, allowed: &[PostAction]) -> Result<Vec<PostView>> {
    let names = UnitNames::load(tx, posts.iter().map(|post| post.draft.unit_id))?;
    posts
        .into_iter()
        .map(|post| {
            let PostDraft { unit_id, kind, title, valid_from_on, valid_until_on, voided, reason } =
                post.draft;
            Ok(PostView {
                id: post.id,
                unit: names.get(unit_id)?,
                kind,
                title,
                valid_from_on,
                valid_until_on,
                voided,
                reason,
                recorded_at: post.recorded_at,
                version: post.revision,
                // What was believed once is not corrected any more: what is believed now is.
                allowed_actions: if post.superseded_at.is_none() { allowed.to_vec() } else { Vec::new() },
            })
        })
        .collect()
}

fn view<A: Action>(tx: &mut Tx<'_, A>, post: Post, allowed: &[PostAction]) -> Result<PostView> {
    views(tx, vec![post], allowed)?.pop().ok_or_else(|| AppError::internal("a post without a view"))
}

/// 任职列表的条件。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PostQuery {
    /// 截至此日所知的; 缺省为现在所知的。
    known_on: Option<NaiveDate>,
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
    /// 任职列表
    ///
    /// 一名民警或辅警的任职, 新的在前; `known_on` 给出截至该日所知的, 其后的更正不计。
    ListPosts: OfficerRead, Get "/officers/{officer_id}/posts", tag "officers", codes []
    async fn list_posts(gate, id: OfficerId, query: PostQuery, _body: NoBody) -> Page<PostView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        gate.run(move |tx| {
            let (officer, page) = service::posts(tx, id, query.known_on, &paging)?;
            let allowed = service::allowed(tx, &officer);
            let Page { items, next_cursor, total } = page;
            Ok(Page { items: views(tx, items, &allowed)?, next_cursor, total })
        })
        .await
    }
}

endpoint! {
    /// 查看任职
    GetPost: OfficerRead, Get "/officers/{officer_id}/posts/{post_id}", tag "officers", codes []
    async fn get_post(gate, ids: (OfficerId, PostId), _query: NoQuery, _body: NoBody) -> Resource<PostView> {
        gate.run(move |tx| {
            let (officer, post) = service::post(tx, ids.0, ids.1)?;
            let allowed = service::allowed(tx, &officer);
            Ok(Resource(view(tx, post, &allowed)?))
        })
        .await
    }
}

/// 任职。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPost {
    /// 由客户端选定的标识; 不写则由服务器生成。
    #[serde(default)]
    id: Option<PostId>,
    /// 任职单位。
    unit_id: UnitId,
    /// 职位种类。
    kind: PostKind,
    /// 职务名称, 如 党委书记、局长。
    #[schema(min_length = 1, max_length = 60, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    title: String,
    /// 首日。
    valid_from_on: NaiveDate,
    /// 末日, 含当日; 不写则至另有通知。
    #[serde(default)]
    valid_until_on: Option<NaiveDate>,
    /// 依据, 如任免文号。
    #[serde(default)]
    #[schema(min_length = 1, max_length = 500)]
    reason: Option<String>,
}

impl NewPost {
    fn draft(&self) -> PostDraft {
        let Self { unit_id, kind, title, valid_from_on, valid_until_on, reason, .. } = self.clone();
        PostDraft { unit_id, kind, title, valid_from_on, valid_until_on, voided: false, reason }
    }
}

impl Validate for NewPost {
    fn validate(&self) -> Result<(), ValidationErrors> {
        self.draft().validate()
    }
}

impl Example for NewPost {
    fn example() -> Value {
        json!({
            "unit_id": UNIT, "kind": "head", "title": "党委书记、局长", "valid_from_on": "2025-06-01",
            "reason": "昆公任〔2025〕17号",
        })
    }
}

impl Example for PostDraft {
    fn example() -> Value {
        json!({
            "unit_id": UNIT, "kind": "head", "title": "党委书记、局长", "valid_from_on": "2025-06-01",
            "valid_until_on": null, "voided": false, "reason": "昆公任〔2025〕17号",
        })
    }
}

impl Patch for PostDraft {
    fn patch_example() -> Value {
        json!({ "valid_until_on": "2026-02-28", "reason": "昆公任〔2026〕3号免职" })
    }
}

endpoint! {
    /// 任职
    ///
    /// 一个单位同一时间只有一名主要负责人, 副职不能是第一责任人; 辅警不任领导职务。
    AppointOfficer: PostAppoint, Post "/officers/{officer_id}/posts", tag "officers",
        codes [IdTaken, OfficerLeft, AuxiliaryCannotLead, HeadOverlaps]
    async fn appoint_officer(gate, id: OfficerId, _query: NoQuery, body: Json<NewPost>) -> Created<PostView> {
        gate.run(move |tx| {
            let (officer, post, existed) = service::appoint(tx, id, body.0.id, &body.0.draft())?;
            let allowed = service::allowed(tx, &officer);
            let location = format!("/officers/{id}/posts/{}", post.id);
            Ok(Created { view: view(tx, post, &allowed)?, location, existed })
        })
        .await
    }
}

endpoint! {
    /// 更正任职
    ///
    /// 免职即写末日, 误录即作废。以前所知的照旧可查: 更正只增不改。
    CorrectPost: PostCorrect, Patch "/officers/{officer_id}/posts/{post_id}", tag "officers",
        codes [AuxiliaryCannotLead, HeadOverlaps]
    async fn correct_post(gate, ids: (OfficerId, PostId), _query: NoQuery, body: Merge<PostDraft>) -> Resource<PostView> {
        gate.run(move |tx| {
            let (officer, post) = service::correct(tx, ids.0, ids.1, |draft| body.apply(draft))?;
            let allowed = service::allowed(tx, &officer);
            Ok(Resource(view(tx, post, &allowed)?))
        })
        .await
    }
}

/// 查询主要负责人的条件。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HeadQuery {
    /// 何日在任; 缺省为今日。
    on: Option<NaiveDate>,
    /// 截至何日所知; 缺省为现在所知。
    known_on: Option<NaiveDate>,
}

/// 主要负责人的任职; 依据与更正的理由见该民警的任职。
#[derive(Debug, Serialize, ToSchema)]
pub struct HeadPost {
    /// 标识。
    id: PostId,
    /// 职务名称。
    #[schema(max_length = 60)]
    title: String,
    /// 首日。
    valid_from_on: NaiveDate,
    /// 末日, 含当日; 至另有通知为 null。
    valid_until_on: Option<NaiveDate>,
    /// 录入时刻: 自此如此认为。
    recorded_at: Instant,
    /// 版本: 第几次录入, 每更正一次加一。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
}

impl Example for HeadPost {
    fn example() -> Value {
        json!({
            "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b5b01", "title": "党委书记、局长", "valid_from_on": "2025-06-01",
            "valid_until_on": null, "recorded_at": "2025-06-02T01:00:00.000000Z", "version": 1,
        })
    }
}

impl From<Post> for HeadPost {
    fn from(post: Post) -> Self {
        let PostDraft { title, valid_from_on, valid_until_on, .. } = post.draft;
        let (recorded_at, version) = (post.recorded_at, post.revision);
        Self { id: post.id, title, valid_from_on, valid_until_on, recorded_at, version }
    }
}

/// 某日的主要负责人 (第一责任人) 与代理。
#[derive(Debug, Serialize, ToSchema)]
pub struct UnitHeadView {
    /// 单位, 以其现用名称列出。
    unit: UnitRef,
    /// 何日在任。
    on: NaiveDate,
    /// 主要负责人; 空缺为 null。
    officer: Option<OfficerRef>,
    /// 其任职。
    post: Option<HeadPost>,
    /// 该日的代理; 第一责任仍在主要负责人。
    stand_in: Option<OfficerRef>,
}

impl Example for UnitHeadView {
    fn example() -> Value {
        json!({
            "unit": { "id": UNIT, "code": "530102", "name": "昆明市公安局五华分局", "kind": "county" }, "on": "2026-03-02",
            "officer": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b4a01", "number": "053017", "name": "王建国" },
            "post": HeadPost::example(), "stand_in": null,
        })
    }
}

endpoint! {
    /// 某日的主要负责人
    ///
    /// 某单位在某日 (`on`) 的主要负责人, 按截至另一日 (`known_on`) 所知。
    GetUnitHead: UnitRead, Get "/units/{unit_id}/head", tag "officers", codes []
    async fn get_unit_head(gate, id: UnitId, query: HeadQuery, _body: NoBody) -> Plain<UnitHeadView> {
        gate.run(move |tx| {
            let (unit, on, post) = service::head(tx, id, query.on, query.known_on)?;
            let deputy = stand_ins::on_day(tx, id, on)?;
            let head = post.as_ref().map(|post| post.officer_id);
            let names = OfficerNames::load(tx, head.into_iter().chain(deputy))?;
            let officer = head.map(|id| names.get(id)).transpose()?;
            let stand_in = deputy.map(|id| names.get(id)).transpose()?;
            let post = post.map(HeadPost::from);
            Ok(Plain(UnitHeadView { unit: UnitRef::from(&unit), on, officer, post, stand_in }))
        })
        .await
    }
}
