//! `POST /units/imports`.

use serde_json::{Value, json};

use super::rules::UnitRow;
use crate::access::policy::UnitImport;
use crate::imports::{ImportQuery, Upload};
use crate::jobs::http::JobView;
use crate::web::{Accepted, Example, endpoint};

impl Example for UnitRow {
    fn example() -> Value {
        json!({
            "code": "530102099", "name": "翠湖派出所", "kind": "station", "parent_code": "530102",
            "effective_on": "2026-03-01", "reason": "省厅批复: 增设翠湖派出所。",
        })
    }
}

endpoint! {
    /// 导入单位
    ///
    /// 格式由 `Content-Type` 定: CSV, Excel 工作簿 (.xlsx), 或 NDJSON (UTF-8, 每行一个 `UnitRow`)。
    ///
    /// 一个文件, 要么全部导入, 要么一行也不导入。各行次序不限: 上级可以在下级之后。行以 `code` 为准: 没有的新增; 已有且名称、种类、
    /// 上级都相同的不动, 故同一文件再导一次不增不改; 名称不同的更名, 自 `effective_on` (不写则今日) 起; 种类或上级不同的拒绝,
    /// 改隶请用 `POST /units/{unit_id}/move`。已停用的单位拒绝。文件中没有的单位不受影响。
    ///
    /// `kind` 可写代码 (`station`) 或中文名 (派出所; 区县公安局/分局 可写其一)。省厅本身可以列出, 其 `parent_code` 留空。
    ///
    /// 回答 202 与任务, 进度与结果见 `GET /jobs/{job_id}` 及 `GET /events`: `done` 为已全部生效, 此前谁也看不到; 有一行有误为 `refused`,
    /// 所有行的全部错误见 `GET /jobs/{job_id}/refusals`, 每处有行号、列、代码; 读不出来的文件为 `failed`, 原因 `malformed_file`。只有标题的文件为
    /// 0 行, 成功。至多五万行。每个新增或更名的单位记一条审计, 任务开始、结束各记一条, 附文件的 SHA-256 与行数。
    ImportUnits: UnitImport, Post "/units/imports", tag "units", codes [MalformedFile, TooManyJobs]
    async fn import_units(gate, _path: (), query: ImportQuery, body: Upload<UnitRow>) -> Accepted<JobView> {
        body.take_on(gate, query).await
    }
}
