//! `POST /users/imports`.

use serde_json::{Value, json};

use super::rules::UserRow;
use crate::access::policy::UserImport;
use crate::imports::{BatchQuery, Upload};
use crate::jobs::http::JobView;
use crate::web::{Accepted, Example, endpoint};

impl Example for UserRow {
    fn example() -> Value {
        json!({
            "login": "wangjianguo", "display_name": "王建国", "unit_code": "530102", "officer_number": "053017",
        })
    }
}

endpoint! {
    /// 导入账号
    ///
    /// 一个文件, 缺省要么全部导入, 要么一行也不导入; `skip_refused=true` 则略去有误的行。新账号到任务结束时一并生效, 此前谁也看不到。行以 `login` 为准: 没有的新增, 已有的按姓名、单位、警号比较, 不同的修改, 相同的不动。
    /// 新账号没有任何角色, 也没有可用的密码: 文件不载密码, 逐个以重置密码给出首次密码后方可登录。已停用的拒绝。
    /// 回答 202 与任务, 进度与结果见 `GET /jobs/{job_id}` 及 `GET /events`; 所有行的全部错误见 `GET /jobs/{job_id}/refusals`。至多一百万行。
    ImportUsers: UserImport, Post "/users/imports", tag "users", codes [MalformedFile, TooManyJobs]
    async fn import_users(gate, _path: (), query: BatchQuery, body: Upload<UserRow>) -> Accepted<JobView> {
        body.take_on(gate, query).await
    }
}
