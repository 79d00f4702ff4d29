//! `/officers`.

use std::collections::HashMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

use super::person::masked;
use super::rules::{Officer, OfficerAction, OfficerDraft, OfficerId, OfficerKind, OfficerStatus, PoliceRank};
use super::service::{self, OfficerFilter, OfficerSort};
use crate::access::Tx;
use crate::access::policy::{
    Action, OfficerCreate, OfficerErase, OfficerLeave, OfficerRead, OfficerReveal, OfficerUpdate,
};
use crate::db::Instant;
use crate::errors::{AppError, Result};
use crate::org::http::{Depth, narrowed};
use crate::org::posts::rules::PostKind;
use crate::org::rules::UnitId;
use crate::org::views::{UnitNames, UnitRef};
use crate::web::{
    Count, Created, Example, Json, Merge, NoBody, NoQuery, Page, Patch, Resource, Unkept, Versioned, endpoint,
};

const OFFICER: &str = "01936f2a-7c1e-7b6d-9a54-2f0e8c3b4a01";
const UNIT: &str = "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77";

/// 一名民警或辅警; 身份证号码与电话号码已遮盖。
#[derive(Debug, Serialize, ToSchema)]
pub struct OfficerView {
    /// 标识。
    id: OfficerId,
    /// 警号或辅警编号, 省内唯一。
    #[schema(max_length = 20)]
    number: String,
    /// 姓名; 个人信息已清除的为 null。
    #[schema(max_length = 50)]
    name: Option<String>,
    /// 身份: 民警或辅警。
    kind: OfficerKind,
    /// 警衔。
    rank: Option<PoliceRank>,
    /// 编制所在单位。
    unit: UnitRef,
    /// 状态。
    status: OfficerStatus,
    /// 离队日期: 在职的末日。
    left_on: Option<NaiveDate>,
    /// 身份证号码, 只显示前三后四位。
    #[schema(max_length = 18)]
    id_card_masked: Option<String>,
    /// 电话号码, 只显示前三后四位。
    #[schema(max_length = 20)]
    phone_masked: Option<String>,
    /// 版本。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    /// 录入时刻。
    created_at: Instant,
    /// 最近修改时刻。
    updated_at: Instant,
    /// 本人此刻可做的操作。
    #[schema(max_items = 5)]
    allowed_actions: Vec<OfficerAction>,
}

impl Versioned for OfficerView {
    fn version(&self) -> i64 {
        self.version
    }
}

impl Example for OfficerView {
    fn example() -> Value {
        json!({
            "id": OFFICER, "number": "053017", "name": "王建国", "kind": "police", "rank": "supervisor_2",
            "unit": { "id": UNIT, "code": "530102", "name": "昆明市公安局五华分局", "kind": "county" },
            "status": "serving", "left_on": null, "id_card_masked": "530***********002X",
            "phone_masked": "138****5678", "version": 1, "created_at": "2026-03-02T01:00:00.000000Z",
            "updated_at": "2026-03-02T01:00:00.000000Z", "allowed_actions": ["update", "appoint", "leave", "reveal"],
        })
    }
}

/// 所引用的民警或辅警。
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OfficerRef {
    /// 标识。
    id: OfficerId,
    /// 警号或辅警编号。
    #[schema(max_length = 20)]
    number: String,
    /// 姓名; 个人信息已清除的为 null。
    #[schema(max_length = 50)]
    name: Option<String>,
}

impl From<&Officer> for OfficerRef {
    fn from(officer: &Officer) -> Self {
        Self { id: officer.id, number: officer.number.clone(), name: officer.person.name.clone() }
    }
}

/// Names of officers that views refer to, fetched together.
pub struct OfficerNames(HashMap<OfficerId, OfficerRef>);

impl OfficerNames {
    /// Fetches them.
    ///
    /// # Errors
    /// When the database fails.
    pub fn load<A: Action>(tx: &mut Tx<'_, A>, ids: impl IntoIterator<Item = OfficerId>) -> Result<Self> {
        let mut ids: Vec<OfficerId> = ids.into_iter().collect();
        ids.sort_unstable();
        ids.dedup();
        let found = service::referred(tx, &ids)?;
        Ok(Self(found.iter().map(|officer| (officer.id, OfficerRef::from(officer))).collect()))
    }

    /// The officer.
    ///
    /// # Errors
    /// For an id that was not loaded, a mistake of ours: foreign keys see to the rest.
    pub fn get(&self, id: OfficerId) -> Result<OfficerRef> {
        self.0.get(&id).cloned().ok_or_else(|| AppError::internal("an officer who was not loaded"))
    }
}

fn views<A: Action>(tx: &mut Tx<'_, A>, officers: Vec<Officer>) -> Result<Vec<OfficerView>> {
    let names = UnitNames::load(tx, officers.iter().map(|officer| officer.unit_id))?;
    let rights = service::rights(tx);
    officers
        .into_iter()
        .map(|officer| {
            let allowed_actions = service::allowed(&rights, &officer);
            Ok(OfficerView {
                id: officer.id,
                unit: names.get(officer.unit_id)?,
                id_card_masked: officer.person.id_card.as_deref().map(masked),
                phone_masked: officer.person.phone.as_deref().map(masked),
                name: officer.person.name,
                number: officer.number,
                kind: officer.kind,
                rank: officer.rank,
                status: officer.status,
                left_on: officer.left_on,
                version: officer.version,
                created_at: officer.created_at,
                updated_at: officer.updated_at,
                allowed_actions,
            })
        })
        .collect()
}

fn view<A: Action>(tx: &mut Tx<'_, A>, officer: Officer) -> Result<Resource<OfficerView>> {
    let made = views(tx, vec![officer])?.pop();
    made.map(Resource).ok_or_else(|| AppError::internal("an officer without a view"))
}

/// 民警辅警列表的条件。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfficerQuery {
    /// 身份; 可重复, 任一即可。
    #[serde(default)]
    #[schema(max_items = 2)]
    kind: Vec<OfficerKind>,
    /// 状态; 可重复, 任一即可。
    #[serde(default)]
    #[schema(max_items = 2)]
    status: Vec<OfficerStatus>,
    /// 今日在任的职位种类; 可重复, 任一即可。
    #[serde(default)]
    #[schema(max_items = 9)]
    post_kind: Vec<PostKind>,
    /// 属于此单位及其下级的; 配合 depth=self 则仅本单位。
    unit_id: Option<UnitId>,
    /// `unit_id` 的范围, 缺省含下级。
    depth: Option<Depth>,
    /// 警号或辅警编号。
    #[schema(max_length = 20)]
    number: Option<String>,
    /// 姓名或警号中含有的文字, 不分大小写与全角半角。
    #[schema(min_length = 1, max_length = 50)]
    q: Option<String>,
    /// 排序; 缺省为 number。
    sort: Option<OfficerSort>,
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
    /// 民警辅警列表
    ///
    /// 本人辖区内的民警与辅警, 可按身份、状态、职位、单位、文字筛选; `unit_id` 含其全部下级。
    ListOfficers: OfficerRead, Get "/officers", tag "officers", codes []
    async fn list_officers(gate, _path: (), query: OfficerQuery, _body: NoBody) -> Page<OfficerView> {
        let paging = gate.paging(query.limit, query.cursor.clone(), query.count);
        gate.run(move |tx| {
            let below = narrowed(tx, query.unit_id, query.depth)?;
            let filter = OfficerFilter {
                kinds: query.kind,
                statuses: query.status,
                posts: query.post_kind,
                below,
                number: query.number,
                search: query.q,
            };
            let page = service::officers(tx, &filter, query.sort.unwrap_or(OfficerSort::Number), &paging)?;
            let Page { items, next_cursor, total } = page;
            Ok(Page { items: views(tx, items)?, next_cursor, total })
        })
        .await
    }
}

endpoint! {
    /// 查看民警或辅警
    GetOfficer: OfficerRead, Get "/officers/{officer_id}", tag "officers", codes []
    async fn get_officer(gate, id: OfficerId, _query: NoQuery, _body: NoBody) -> Resource<OfficerView> {
        gate.run(move |tx| {
            let officer = service::within(tx, id)?;
            view(tx, officer)
        })
        .await
    }
}

/// 登记民警或辅警。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewOfficer {
    /// 由客户端选定的标识; 不写则由服务器生成。
    #[serde(default)]
    id: Option<OfficerId>,
    /// 警号或辅警编号, 省内唯一。
    #[schema(min_length = 4, max_length = 20, pattern = "^[0-9A-Z]{4,20}$")]
    number: String,
    /// 姓名。
    #[schema(min_length = 1, max_length = 50, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    name: String,
    /// 身份: 民警或辅警。
    kind: OfficerKind,
    /// 警衔, 仅民警。
    #[serde(default)]
    rank: Option<PoliceRank>,
    /// 编制所在单位。
    unit_id: UnitId,
    /// 居民身份证号码; 显示时遮盖。
    #[serde(default)]
    #[schema(min_length = 18, max_length = 18, pattern = "^[0-9]{17}[0-9X]$")]
    id_card: Option<String>,
    /// 电话号码; 显示时遮盖。
    #[serde(default)]
    #[schema(min_length = 7, max_length = 20, pattern = r"^\+?[0-9][0-9-]{5,18}[0-9]$")]
    phone: Option<String>,
}

impl NewOfficer {
    fn draft(&self) -> OfficerDraft {
        let Self { number, name, kind, rank, unit_id, id_card, phone, .. } = self.clone();
        OfficerDraft { number, name, kind, rank, unit_id, id_card, phone }
    }
}

impl Validate for NewOfficer {
    fn validate(&self) -> Result<(), ValidationErrors> {
        self.draft().validate()
    }
}

impl Example for NewOfficer {
    fn example() -> Value {
        json!({
            "id": OFFICER, "number": "053017", "name": "王建国", "kind": "police", "rank": "supervisor_2", "unit_id": UNIT,
            "id_card": "11010519491231002X", "phone": "13812345678",
        })
    }
}

impl Example for OfficerDraft {
    fn example() -> Value {
        json!({
            "number": "053017", "name": "王建国", "kind": "police", "rank": "supervisor_2", "unit_id": UNIT,
            "id_card": "11010519491231002X", "phone": "13812345678",
        })
    }
}

impl Patch for OfficerDraft {
    fn patch_example() -> Value {
        json!({ "rank": "supervisor_1", "phone": "0871-63051234" })
    }
}

endpoint! {
    /// 登记民警或辅警
    CreateOfficer: OfficerCreate, Post "/officers", tag "officers", codes [IdTaken, OfficerNumberTaken, IdCardTaken]
    async fn create_officer(gate, _path: (), _query: NoQuery, body: Json<NewOfficer>) -> Created<OfficerView> {
        gate.run(move |tx| {
            let (officer, existed) = service::create(tx, body.0.id, &body.0.draft())?;
            let location = format!("/officers/{}", officer.id);
            Ok(Created { view: view(tx, officer)?.0, location, existed })
        })
        .await
    }
}

endpoint! {
    /// 修改民警或辅警
    ///
    /// 调动编制即修改 `unit_id`; 职务另见任职。
    UpdateOfficer: OfficerUpdate, Patch "/officers/{officer_id}", tag "officers",
        codes [OfficerLeft, OfficerNumberTaken, IdCardTaken, AuxiliaryCannotLead]
    async fn update_officer(gate, id: OfficerId, _query: NoQuery, body: Merge<OfficerDraft>) -> Resource<OfficerView> {
        gate.run(move |tx| {
            let officer = service::update(tx, id, |draft| body.apply(draft))?;
            view(tx, officer)
        })
        .await
    }
}

/// 离队。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct LeaveOfficer {
    /// 在职的末日, 不晚于今日; 不写则为今日。
    #[serde(default)]
    left_on: Option<NaiveDate>,
    /// 理由, 如 退休、调离、辞职、开除。
    #[schema(min_length = 1, max_length = 500)]
    reason: String,
}

impl Example for LeaveOfficer {
    fn example() -> Value {
        json!({ "left_on": "2026-03-31", "reason": "退休。" })
    }
}

endpoint! {
    /// 民警或辅警离队
    ///
    /// 其任职至该日为止, 账号立即停用并结束会话。
    LeaveOfficerEndpoint: OfficerLeave, Post "/officers/{officer_id}/leave", tag "officers", codes [OfficerLeft, ChangeOwnAccount, AccountOutOfHands]
    async fn leave_officer(gate, id: OfficerId, _query: NoQuery, body: Json<LeaveOfficer>) -> Resource<OfficerView> {
        let LeaveOfficer { left_on, reason } = body.0;
        gate.run(move |tx| {
            let officer = service::leave(tx, id, left_on, &reason)?;
            view(tx, officer)
        })
        .await
    }
}

/// 为何须看完整号码, 或为何清除。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct PersonalReason {
    /// 理由, 记入审计。
    #[schema(min_length = 2, max_length = 500)]
    reason: String,
}

impl Example for PersonalReason {
    fn example() -> Value {
        json!({ "reason": "核对任职公示材料。" })
    }
}

/// 完整的个人号码。
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonView {
    /// 标识。
    id: OfficerId,
    /// 姓名。
    #[schema(max_length = 50)]
    name: Option<String>,
    /// 居民身份证号码。
    #[schema(max_length = 18)]
    id_card: Option<String>,
    /// 电话号码。
    #[schema(max_length = 20)]
    phone: Option<String>,
}

impl Example for PersonView {
    fn example() -> Value {
        json!({ "id": OFFICER, "name": "王建国", "id_card": "11010519491231002X", "phone": "13812345678" })
    }
}

endpoint! {
    /// 查看完整号码
    ///
    /// 每次查看都写明理由并记入审计; 答复不为重试保留。
    RevealOfficer: OfficerReveal, Post "/officers/{officer_id}/reveal", tag "officers", codes [PersonErased]
    async fn reveal_officer(gate, id: OfficerId, _query: NoQuery, body: Json<PersonalReason>) -> Unkept<PersonView> {
        gate.run(move |tx| {
            let officer = service::reveal(tx, id, &body.0.reason)?;
            let person = officer.person;
            Ok(Unkept(PersonView { id, name: person.name, id_card: person.id_card, phone: person.phone }))
        })
        .await
    }
}

endpoint! {
    /// 清除个人信息
    ///
    /// 仅限已离队者; 姓名、身份证号码、电话号码不可恢复, 警号与履历保留。
    EraseOfficer: OfficerErase, Post "/officers/{officer_id}/erase", tag "officers", codes [OfficerServing, PersonErased]
    async fn erase_officer(gate, id: OfficerId, _query: NoQuery, body: Json<PersonalReason>) -> Resource<OfficerView> {
        gate.run(move |tx| {
            let officer = service::erase(tx, id, &body.0.reason)?;
            view(tx, officer)
        })
        .await
    }
}
