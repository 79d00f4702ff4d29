//! `/users`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

use super::NewPassword;
use super::rules::{UserAction, UserDraft, UserStatus};
use super::service::{self, Registration, Shown, UserFilter, UserSort};
use crate::access::UserId;
use crate::access::policy::{UserCreate, UserDisable, UserEnable, UserRead, UserResetPassword, UserUpdate};
use crate::db::Instant;
use crate::org::http::{Depth, narrowed};
use crate::org::officers::http::OfficerRef;
use crate::org::officers::rules::OfficerId;
use crate::org::rules::UnitId;
use crate::org::views::UnitRef;
use crate::web::{
    Count, Created, Empty, Example, Json, Merge, NoBody, NoQuery, Page, Patch, Resource, Versioned, endpoint,
};

/// 一个账号。
#[derive(Debug, Serialize, ToSchema)]
pub struct UserView {
    /// 标识。
    id: UserId,
    /// 登录名, 全平台唯一。
    #[schema(min_length = 3, max_length = 40, pattern = "^[a-z0-9][a-z0-9._-]{2,39}$")]
    login: String,
    /// 姓名, 用于显示。
    #[schema(max_length = 50)]
    display_name: String,
    /// 所属单位; 平台账号为 null。
    unit: Option<UnitRef>,
    /// 本人是哪名民警或辅警; 不是的为 null。
    officer: Option<OfficerRef>,
    /// 状态。
    status: UserStatus,
    /// 须改密码: 是否须先修改密码才能使用。
    must_change_password: bool,
    /// 版本。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    /// 录入时刻。
    created_at: Instant,
    /// 最近修改时刻。
    updated_at: Instant,
    /// 本人此刻可做的操作。
    #[schema(max_items = 6)]
    allowed_actions: Vec<UserAction>,
}

impl From<Shown> for UserView {
    fn from(shown: Shown) -> Self {
        let Shown { user, unit, officer, allowed } = shown;
        Self {
            id: user.id,
            login: user.login,
            display_name: user.display_name,
            unit: unit.as_ref().map(UnitRef::from),
            officer: officer.as_ref().map(OfficerRef::from),
            status: user.status,
            must_change_password: user.must_change_password,
            version: user.version,
            created_at: user.created_at,
            updated_at: user.updated_at,
            allowed_actions: allowed,
        }
    }
}

impl Versioned for UserView {
    fn version(&self) -> i64 {
        self.version
    }
}

impl Example for UserView {
    fn example() -> Value {
        json!({
            "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b2a10", "login": "wangjianguo", "display_name": "王建国",
            "unit": {
                "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77", "code": "530102",
                "name": "昆明市公安局五华分局", "kind": "county",
            },
            "officer": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b4a01", "number": "053017", "name": "王建国" },
            "status": "active", "must_change_password": true, "version": 1,
            "created_at": "2026-03-02T01:00:00.000000Z", "updated_at": "2026-03-02T01:00:00.000000Z",
            "allowed_actions": ["update", "disable", "reset_password"],
        })
    }
}

/// 账号列表的条件。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserQuery {
    /// 状态; 可重复, 任一即可。
    #[serde(default)]
    #[schema(max_items = 2)]
    status: Vec<UserStatus>,
    /// 属于此单位及其下级的; 配合 depth=self 则仅本单位。
    unit_id: Option<UnitId>,
    /// `unit_id` 的范围, 缺省含下级。
    depth: Option<Depth>,
    /// 登录名或姓名中含有的文字, 不分大小写与全角半角。
    #[schema(min_length = 1, max_length = 50)]
    q: Option<String>,
    /// 排序; 缺省为 login。
    sort: Option<UserSort>,
    /// 每页行数, 缺省 50。
    #[schema(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// 上一页给出的游标。
    #[schema(min_length = 1, max_length = 2048, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
    /// 为 exact 时给出总行数。
    count: Option<Count>,
}

/// 新账号。
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// 客户端自选的标识 (UUID v7); 同一标识、同一内容再次提交, 返回已有账号。
    #[serde(default)]
    id: Option<UserId>,
    /// 登录名, 全平台唯一; 3 至 40 个小写字母、数字或 `.` `_` `-`, 以字母或数字开头。
    #[schema(min_length = 3, max_length = 40, pattern = "^[a-z0-9][a-z0-9._-]{2,39}$")]
    login: String,
    /// 显示的姓名, 首尾不能是空白。
    #[schema(min_length = 1, max_length = 50, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    display_name: String,
    /// 所属单位, 须在本人可新建账号的范围内; 平台账号为 null, 其余必填。
    #[serde(default)]
    unit_id: Option<UnitId>,
    /// 本人是哪名民警或辅警; 特邀监督员、评委等不是的不写。
    #[serde(default)]
    officer_id: Option<OfficerId>,
    /// 首次密码, 首次登录后须修改。
    password: NewPassword,
}

impl Example for NewUser {
    fn example() -> Value {
        json!({
            "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b2a10", "login": "wangjianguo", "display_name": "王建国",
            "unit_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77", "password": "翠湖边第三棵柳树下面见面",
        })
    }
}

impl Example for UserDraft {
    fn example() -> Value {
        json!({
            "display_name": "王建国", "unit_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77",
            "officer_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b4a01",
        })
    }
}

impl Patch for UserDraft {
    fn patch_example() -> Value {
        json!({ "display_name": "王建国 (五华)" })
    }
}

/// 重置密码。
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct ResetPassword {
    /// 新的首次密码, 登录后须修改。
    password: NewPassword,
}

impl Example for ResetPassword {
    fn example() -> Value {
        json!({ "password": "翠湖边第三棵柳树下面见面" })
    }
}

endpoint! {
    /// 账号列表
    ///
    /// 本人辖区内的账号, 可按状态、单位、文字筛选; `unit_id` 含其全部下级。
    ListUsers: UserRead, Get "/users", tag "users", codes []
    async fn list_users(gate, _path: (), query: UserQuery, _body: NoBody) -> Page<UserView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        gate.run(move |tx| {
            let sort = query.sort.unwrap_or(UserSort::Login);
            let below = narrowed(tx, query.unit_id, query.depth)?;
            let filter = UserFilter { statuses: query.status, below, search: query.q };
            Ok(service::users(tx, &filter, sort, &paging)?.map(UserView::from))
        })
        .await
    }
}

endpoint! {
    /// 查看账号
    GetUser: UserRead, Get "/users/{user_id}", tag "users", codes []
    async fn get_user(gate, id: UserId, _query: NoQuery, _body: NoBody) -> Resource<UserView> {
        gate.run(move |tx| Ok(Resource(service::user(tx, id)?.into()))).await
    }
}

endpoint! {
    /// 新建账号
    ///
    /// 新账号没有任何角色, 首次登录须修改密码。登录名全平台唯一。
    CreateUser: UserCreate, Post "/users", tag "users",
        codes [IdTaken, LoginTaken, PasswordWeak, OfficerLeft, OfficerHasAccount]
    async fn create_user(gate, _path: (), _query: NoQuery, body: Json<NewUser>) -> Created<UserView> {
        gate.authorize().await?;
        let NewUser { id, login, display_name, unit_id, officer_id, password } = body.0;
        password.check(&login, "/password")?;
        let hash = gate.doors().passwords().hash(password.into_secret()).await?;
        let new = Registration { id, login, draft: UserDraft { display_name, unit_id, officer_id } };
        gate.run(move |tx| {
            let (shown, existed) = service::create(tx, &new, &hash)?;
            let location = format!("/users/{}", shown.user.id);
            Ok(Created { view: shown.into(), location, existed })
        })
        .await
    }
}

endpoint! {
    /// 修改账号
    ///
    /// 可修改姓名、所属单位、所属民警; 登录名不可修改。
    UpdateUser: UserUpdate, Patch "/users/{user_id}", tag "users", codes [OfficerLeft, OfficerHasAccount, ChangeOwnAccount, AccountOutOfHands]
    async fn update_user(gate, id: UserId, _query: NoQuery, body: Merge<UserDraft>) -> Resource<UserView> {
        gate.run(move |tx| Ok(Resource(service::update(tx, id, |draft| body.apply(draft))?.into()))).await
    }
}

endpoint! {
    /// 停用账号
    ///
    /// 立即结束其全部会话; 授权保留。不得停用本人的账号。
    DisableUser: UserDisable, Post "/users/{user_id}/disable", tag "users",
        codes [UserDisabled, ChangeOwnAccount, AccountOutOfHands]
    async fn disable_user(gate, id: UserId, _query: NoQuery, _body: Json<Empty>) -> Resource<UserView> {
        gate.run(move |tx| Ok(Resource(service::disable(tx, id)?.into()))).await
    }
}

endpoint! {
    /// 启用账号
    EnableUser: UserEnable, Post "/users/{user_id}/enable", tag "users", codes [UserActive, OfficerLeft]
    async fn enable_user(gate, id: UserId, _query: NoQuery, _body: Json<Empty>) -> Resource<UserView> {
        gate.run(move |tx| Ok(Resource(service::enable(tx, id)?.into()))).await
    }
}

endpoint! {
    /// 重置密码
    ///
    /// 设新的首次密码, 立即结束其全部会话; 下次登录须修改密码。不得重置本人的密码。
    ResetUserPassword: UserResetPassword, Post "/users/{user_id}/reset-password", tag "users",
        codes [ChangeOwnAccount, AccountOutOfHands, PasswordWeak]
    async fn reset_user_password(gate, id: UserId, _query: NoQuery, body: Json<ResetPassword>)
        -> Resource<UserView>
    {
        let login = gate.look(move |tx| service::resettable(tx, id)).await?;
        let password = body.0.password;
        password.check(&login, "/password")?;
        let hash = gate.doors().passwords().hash(password.into_secret()).await?;
        gate.run(move |tx| Ok(Resource(service::reset_password(tx, id, &hash)?.into()))).await
    }
}
