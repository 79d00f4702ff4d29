//! `/unannounced-checks`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

use super::awaited::Photos;
use super::embargo;
use super::rules::{CheckId, CheckRecord, CheckState, Place, Reader};
use super::service::{self, CheckFilter};
use super::views::{self, CheckSummaryView, CheckView};
use crate::access::UserId;
use crate::access::names::{UserNames, UserRef};
use crate::access::policy::{CheckCreate, CheckRead, CheckReadersRead};
use crate::db::Instant;
use crate::errors::{Code, FieldError, Result, into_validation, text};
use crate::inspections::authorisations::rules::{AuthorisationId, CheckKind};
use crate::inspections::checklists::rules::ChecklistVersionId;
use crate::org::http::{Depth, narrowed};
use crate::org::rules::UnitId;
use crate::web::{Count, Created, Example, Json, MadeSort, NoBody, NoQuery, Page, Plain, Resource, endpoint};

/// 检查列表的条件。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckQuery {
    /// 状态; 可重复, 任一即可。
    #[serde(default)]
    #[schema(max_items = 9)]
    state: Vec<CheckState>,
    /// 方式; 可重复, 任一即可。
    #[serde(default)]
    #[schema(max_items = 2)]
    kind: Vec<CheckKind>,
    /// 受检的为此单位及其下级。
    unit_id: Option<UnitId>,
    /// `unit_id` 的范围, 缺省含下级。
    depth: Option<Depth>,
    /// 依据此授权的。
    authorisation_id: Option<AuthorisationId>,
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
    /// 检查列表
    ///
    /// 本人参加或指挥的, 以及辖区内可以知道的: 明察自开始起, 暗访自公布起。未公布的暗访, 检查人员与指挥员之外任何人看不到,
    /// 也无从得知其存在; 收到之后 366 日仍未公布的 (作废的也是), 自此受检单位以上的办公室、督察纪检部门可见, 审计记录亦可查, 受检单位的人
    /// 仍不可见。已定自动公布时刻的, 到时公布。
    ListChecks: CheckRead, Get "/unannounced-checks", tag "unannounced-checks", codes []
    async fn list_unannounced_checks(gate, _path: (), query: CheckQuery, _body: NoBody) -> Page<CheckSummaryView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        gate.run(move |tx| {
            let below = narrowed(tx, query.unit_id, query.depth)?;
            let authorisation = query.authorisation_id;
            let filter = CheckFilter { states: query.state, kinds: query.kind, below, authorisation };
            let page = service::list(tx, &filter, query.sort.unwrap_or(MadeSort::Newest), &paging)?;
            let Page { items, next_cursor, total } = page;
            Ok(Page { items: views::summaries(tx, items)?, next_cursor, total })
        })
        .await
    }
}

/// 录入一次检查。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUnannouncedCheck {
    /// 由设备选定的标识; 不写则由服务器生成。同一标识、同一内容重发, 得同一结果。
    #[serde(default)]
    id: Option<CheckId>,
    /// 所依据的授权, 本人须在其中。
    authorisation_id: AuthorisationId,
    /// 方式, 须为授权所含。
    kind: CheckKind,
    /// 受检单位, 须在授权的范围之内。
    unit_id: UnitId,
    /// 所用清单的版本, 须为受检单位或其上级的清单所发布, 开始时清单未停用。
    checklist_version_id: ChecklistVersionId,
    /// 检查人员的账号, 含本人; 明察至少二人。
    #[schema(min_items = 1, max_items = 50)]
    team_user_ids: Vec<UserId>,
    /// 开始时刻, 以设备的钟为准。
    begun_at: Instant,
    /// 发送此刻设备的钟; 写了的据以记下快慢。
    #[serde(default)]
    sent_at: Option<Instant>,
    /// 地点。
    place: Place,
    /// 记录; 已检查完毕的可一并报来。
    #[serde(default)]
    record: Option<CheckRecord>,
}

impl NewUnannouncedCheck {
    /// What is wrong with it beyond its schema, below `pointer`.
    #[must_use]
    pub fn wrong(&self, pointer: &str) -> Vec<FieldError> {
        let missing = |field: &str| {
            FieldError::body(format!("{pointer}/place/{field}"), Code::Required, Code::Required.title())
        };
        let mut errors: Vec<FieldError> = self.place.missing().into_iter().map(missing).collect();
        if self.sent_at.is_some_and(|sent| sent < self.begun_at) {
            let detail = text!("发送早于开始", "It was sent before it began");
            errors.push(FieldError::body(format!("{pointer}/sent_at"), Code::OutOfOrder, detail));
        }
        errors
    }

    /// The id the device chose.
    #[must_use]
    pub const fn id(&self) -> Option<CheckId> {
        self.id
    }

    /// As it is to be entered; sent at `sent_at` where that is known, else when it says itself.
    #[must_use]
    pub fn into_new(self, sent_at: Option<Instant>) -> service::NewCheck {
        service::NewCheck {
            id: self.id,
            authorisation_id: self.authorisation_id,
            kind: self.kind,
            unit_id: self.unit_id,
            checklist_version_id: self.checklist_version_id,
            team: self.team_user_ids,
            begun_at: self.begun_at,
            sent_at: sent_at.or(self.sent_at),
            place: self.place,
            record: self.record,
        }
    }
}

impl Validate for NewUnannouncedCheck {
    fn validate(&self) -> std::result::Result<(), ValidationErrors> {
        into_validation(self.wrong(""))
    }
}

impl Example for NewUnannouncedCheck {
    fn example() -> Value {
        json!({
            "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b7c01", "authorisation_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b7b01",
            "kind": "covert", "unit_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d02",
            "checklist_version_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b7a02",
            "team_user_ids": ["01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d12"], "begun_at": "2026-03-10T02:10:00Z",
            "sent_at": "2026-03-10T02:39:58Z",
            "place": {
                "text": "一楼办证大厅 3 号窗口", "latitude": "25.0405", "longitude": "102.7097", "datum": "gcj02",
                "accuracy_m": 15,
            },
        })
    }
}

endpoint! {
    /// 录入检查
    ///
    /// 依据一项生效的授权, 由其中的督察或特邀监督员录入: 正在检查的, 或连同 `record` 一并报来已检查完毕的。离线录入的, 标识由设备
    /// 选定, 时刻以设备的钟为准, 另记服务器收到的时刻。不得检查本人所在的单位及其上级。
    /// 检查人员或指挥员在检查开始时已申报与受检单位或其上级 (依当时的隶属关系) 的利害关系、尚未终止的, 须回避; 开始之后才申报的, 检查有效。
    CreateCheck: CheckCreate, Post "/unannounced-checks", tag "unannounced-checks",
        codes [IdTaken, AuthorisationNotInForce, InspectsOwnUnit, CommanderHasConflict]
    async fn create_unannounced_check(gate, _path: (), _query: NoQuery, body: Json<NewUnannouncedCheck>) -> Created<CheckView> {
        gate.run(move |tx| {
            let (made, existed) = service::create(tx, &body.0.into_new(None), Photos::AreHere)?;
            let location = format!("/unannounced-checks/{}", made.id);
            Ok(Created { view: views::whole(tx, made)?, location, existed })
        })
        .await
    }
}

endpoint! {
    /// 查看检查
    GetCheck: CheckRead, Get "/unannounced-checks/{check_id}", tag "unannounced-checks", codes []
    async fn get_unannounced_check(gate, id: CheckId, _query: NoQuery, _body: NoBody) -> Resource<CheckView> {
        embargo::shown(&gate, move |tx| {
            let found = service::find(tx, id)?;
            let noted = embargo::noted(tx, &found)?;
            Ok((Resource(views::whole(tx, found)?), noted))
        })
        .await
    }
}

/// 公布之前看过检查的人。
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckReaderView {
    /// 谁。
    user: UserRef,
    /// 最初何时。
    first_at: Instant,
    /// 最近何时。
    last_at: Instant,
    /// 几次; 一小时之内算一次。
    #[schema(minimum = 1, maximum = 2_147_483_647)]
    looks: i32,
}

/// 公布之前看过检查的人。
#[derive(Debug, Serialize, ToSchema)]
pub struct CheckReadersView {
    /// 按最初看的先后。
    #[schema(max_items = 1000)]
    items: Vec<CheckReaderView>,
}

impl Example for CheckReadersView {
    fn example() -> Value {
        json!({ "items": [{
            "user": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d12", "display_name": "赵敏" },
            "first_at": "2026-03-10T02:40:00.000000Z", "last_at": "2026-03-10T09:00:00.000000Z", "looks": 2,
        }] })
    }
}

endpoint! {
    /// 公布之前看过检查的人
    ///
    /// 供督察纪检部门: 一次暗访公布 (或到期未公布而可见) 之后, 可知公布之前谁看过它、何时。在此之前没有。
    ListCheckReaders: CheckReadersRead, Get "/unannounced-checks/{check_id}/readers", tag "unannounced-checks", codes []
    async fn list_check_readers(gate, id: CheckId, _query: NoQuery, _body: NoBody) -> Plain<CheckReadersView> {
        gate.run(move |tx| {
            let found = embargo::readers(tx, id)?;
            let people = UserNames::load(tx, found.iter().map(|one| one.user_id))?;
            let view = |one: Reader| {
                let Reader { user_id, first_at, last_at, looks } = one;
                Ok(CheckReaderView { user: people.get(user_id)?, first_at, last_at, looks })
            };
            Ok(Plain(CheckReadersView { items: found.into_iter().map(view).collect::<Result<_>>()? }))
        })
        .await
    }
}
