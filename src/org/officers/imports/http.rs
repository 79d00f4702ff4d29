//! `POST /officers/imports`.

use serde_json::{Value, json};

use super::rules::OfficerRow;
use crate::access::policy::OfficerImport;
use crate::imports::{BatchQuery, Upload};
use crate::jobs::http::JobView;
use crate::web::{Accepted, Example, endpoint};

impl Example for OfficerRow {
    fn example() -> Value {
        json!({
            "number": "053017", "name": "王建国", "kind": "police", "rank": "supervisor_2", "unit_code": "530102",
            "id_card": "11010519491231002X", "phone": "13812345678", "post_kind": "case_officer", "post_title": "办案民警",
            "post_from_on": "2025-06-01",
        })
    }
}

endpoint! {
    /// 导入民警辅警
    ///
    /// 回答 202 与任务, 进度与结果见 `GET /jobs/{job_id}` 及 `GET /events`。文件边读边校验, 一次可达二百万行; 新增的到任务结束时一并生效,
    /// 此前谁也看不到, 取消则什么也不留下; 改动的在其时生效。一个文件, 缺省要么全部导入, 要么一行也不导入; `skip_refused=true` 则略去有误的行。
    ///
    /// 行以 `number` 为准: 没有的新增, 连同所写的职位; 已有的按姓名、身份、警衔、单位、号码
    /// 比较, 不同的修改, 相同的不动, 故同一文件再导一次不增不改。已有者的任职变动请用任职与更正。已离队的拒绝。文件中没有的不受影响。
    ///
    /// `kind`、`rank`、`post_kind` 可写代码或中文名 (民警, 二级警督, 办案民警)。所有行的全部错误见 `GET /jobs/{job_id}/refusals`, 可下载为 CSV 或
    /// Excel。每名新增或修改的民警辅警记一条审计, 任务开始、结束各记一条。
    ImportOfficers: OfficerImport, Post "/officers/imports", tag "officers", codes [MalformedFile, TooManyJobs]
    async fn import_officers(gate, _path: (), query: BatchQuery, body: Upload<OfficerRow>) -> Accepted<JobView> {
        body.take_on(gate, query).await
    }
}
