//! `/jobs`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::rules::{Job, JobAction, JobKind, JobState, Tally};
use super::service::{self, JobFilter, Refusal};
use crate::access::policy::{JobCancel, JobRead};
use crate::access::{JobId, UserId};
use crate::db::Instant;
use crate::imports::{TableFormat, TextEncoding};
use crate::org::http::PageQuery;
use crate::web::{Count, Empty, Example, Json, NoBody, NoQuery, Page, Resource, Versioned, endpoint};

/// 任务为何没有结果。
#[derive(Debug, Serialize, ToSchema)]
pub struct JobProblem {
    /// 代码, 说明见 `/problems/{code}` (下划线写作连字符)。
    #[schema(max_length = 60)]
    code: &'static str,
    /// 中文说明。
    #[schema(max_length = 2000)]
    detail_zh: String,
    /// 英文说明。
    #[schema(max_length = 2000)]
    detail_en: String,
}

/// 后台任务: 接受请求之后才做完的工作, 如导入。
#[derive(Debug, Serialize, ToSchema)]
pub struct JobView {
    /// 标识。
    id: JobId,
    /// 种类。
    kind: JobKind,
    /// 状态。
    state: JobState,
    /// 百分比, 0 至 100; 读取至 70, 生效至 100。
    #[schema(minimum = 0, maximum = 100)]
    percent: i64,
    /// 预计结束时刻, 按已用时间推算; 尚不能推算或已结束为 null。
    expected_end_at: Option<Instant>,
    /// 是否只检查不写入。
    dry_run: bool,
    /// 是否略去有误的行。
    skip_refused: bool,
    /// 文件的格式。
    format: TableFormat,
    /// 文本的编码; Excel 工作簿或尚未判定为 null。
    encoding: Option<TextEncoding>,
    /// 文件的 SHA-256, 十六进制。
    #[schema(min_length = 64, max_length = 64, pattern = "^[0-9a-f]{64}$")]
    sha256: String,
    /// 文件的字节数。
    #[schema(minimum = 0, maximum = 536_870_912)]
    bytes: i64,
    /// 已读的字节数。
    #[schema(minimum = 0, maximum = 536_870_912)]
    bytes_read: i64,
    /// 已读的数据行数, 空行不计。
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    rows_read: i64,
    /// 接受的行数: 新增、改动与相同的行。
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    rows_accepted: i64,
    /// 新增的行数。
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    rows_new: i64,
    /// 改动的行数。
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    rows_changed: i64,
    /// 已有且相同的行数。
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    rows_unchanged: i64,
    /// 拒绝的行数, 各行的错误见 `GET /jobs/{job_id}/refusals`。
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    rows_refused: i64,
    /// 错误的总数; 列出的至多十万处。
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    errors_found: i64,
    /// 没有结果的原因: 状态为 refused、failed 时有。
    problem: Option<JobProblem>,
    /// 发起人的账号。
    user_id: UserId,
    /// 版本。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    /// 接受的时刻。
    created_at: Instant,
    /// 开始的时刻。
    started_at: Option<Instant>,
    /// 结束的时刻。
    ended_at: Option<Instant>,
    /// 现在可做的操作。
    #[schema(max_items = 10)]
    allowed_actions: Vec<JobAction>,
}

impl From<Job> for JobView {
    fn from(job: Job) -> Self {
        let Tally { read, new, changed, unchanged, refused, errors } = job.tally;
        Self {
            percent: job.percent(),
            expected_end_at: job.expected_end_at(),
            allowed_actions: job.allowed(),
            id: job.id,
            kind: job.kind,
            state: job.state,
            dry_run: job.dry_run,
            skip_refused: job.skip_refused,
            format: job.format,
            encoding: job.encoding,
            sha256: job.sha256,
            bytes: job.bytes,
            bytes_read: job.bytes_read,
            rows_read: read,
            rows_accepted: job.tally.accepted(),
            rows_new: new,
            rows_changed: changed,
            rows_unchanged: unchanged,
            rows_refused: refused,
            errors_found: errors,
            problem: job.problem.map(|problem| JobProblem {
                code: problem.code.name(),
                detail_zh: problem.detail.zh.into_owned(),
                detail_en: problem.detail.en.into_owned(),
            }),
            user_id: job.user_id,
            version: job.version,
            created_at: job.created_at,
            started_at: job.started_at,
            ended_at: job.ended_at,
        }
    }
}

impl Versioned for JobView {
    fn version(&self) -> i64 {
        self.version
    }
}

impl Example for JobView {
    fn example() -> Value {
        json!({
            "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b5a10", "kind": "officer_import", "state": "refused", "percent": 100,
            "expected_end_at": null, "dry_run": false, "skip_refused": false, "format": "csv", "encoding": "gb18030",
            "sha256": "9f2c6a1d0b7e4f583c6d9e8a7b5c4d3e2f1a0b9c8d7e6f5a4b3c2d1e0f9a8b7c", "bytes": 7_340_032,
            "bytes_read": 7_340_032, "rows_read": 60_120, "rows_accepted": 0, "rows_new": 0, "rows_changed": 0,
            "rows_unchanged": 0, "rows_refused": 2, "errors_found": 3,
            "problem": {
                "code": "import_refused", "detail_zh": "2 行共 3 处有误, 一行也未导入",
                "detail_en": "Rows with errors: 2, errors: 3; nothing was imported",
            },
            "user_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77", "version": 4, "created_at": "2026-03-02T02:00:30Z",
            "started_at": "2026-03-02T02:00:31Z", "ended_at": "2026-03-02T02:00:58Z", "allowed_actions": [],
        })
    }
}

/// 一处错误: 某行某列错在何处。
#[derive(Debug, Serialize, ToSchema)]
pub struct RefusalView {
    /// 行号: 文本为行的序号, 工作簿为工作表的行号。
    #[schema(minimum = 0, maximum = 4_294_967_295_i64)]
    line: i64,
    /// 列; 整行有误为空。
    #[schema(max_length = 100)]
    field: String,
    /// 代码。
    #[schema(max_length = 60)]
    code: String,
    /// 中文说明。
    #[schema(max_length = 2000)]
    detail_zh: String,
    /// 英文说明。
    #[schema(max_length = 2000)]
    detail_en: String,
}

impl From<Refusal> for RefusalView {
    fn from(row: Refusal) -> Self {
        let Refusal { line, field, code, detail_zh, detail_en, .. } = row;
        Self { line, field, code, detail_zh, detail_en }
    }
}

impl Example for RefusalView {
    fn example() -> Value {
        json!({
            "line": 128, "field": "unit_code", "code": "unknown_reference",
            "detail_zh": "没有这个单位, 或不在您的范围内", "detail_en": "There is no such unit, or it is out of your reach",
        })
    }
}

/// 任务列表的条件。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct JobQuery {
    /// 状态, 可重复。
    #[serde(default)]
    #[schema(max_items = 10)]
    state: Vec<JobState>,
    /// 种类, 可重复。
    #[serde(default)]
    #[schema(max_items = 10)]
    kind: Vec<JobKind>,
    /// 每页行数。
    #[schema(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// 上一页给出的游标。
    #[schema(max_length = 600)]
    cursor: Option<String>,
    /// 为 `exact` 时另给总数。
    count: Option<Count>,
}

endpoint! {
    /// 本人的后台任务
    ///
    /// 本人发起的任务, 新的在前。任务的状态变化也由 `GET /events` 告知 (kind 为 job)。
    ListJobs: JobRead, Get "/jobs", tag "jobs", codes []
    async fn list_jobs(gate, _path: (), query: JobQuery, _body: NoBody) -> Page<JobView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        let filter = JobFilter { states: query.state, kinds: query.kind };
        gate.run(move |tx| Ok(service::list(tx, &filter, &paging)?.map(JobView::from))).await
    }
}

endpoint! {
    /// 查看后台任务
    ///
    /// 只有发起人看得到。`queued` 等待, `reading` 读取校验, `finishing` 生效中, 最后为 `done`; 有误的为 `refused` (略去有误的行时仍为 `done`),
    /// 读不出来、行数过多或权限已失的为 `failed`, 取消的为 `cancelled`, 三者之前先 `dropping`: 已录入而未生效的撤销干净, 百分比从头算起。试导入从
    /// `reading` 经 `dropping` 到 `done`。校验之后、生效之前被他人的改动抢先的行略去, 列入 `refusals`, `done` 而 `problem` 不为 null。Excel 工作簿读完之前百分比为 0。
    /// 服务重启或换了实例, 任务从断处接着做。
    GetJob: JobRead, Get "/jobs/{job_id}", tag "jobs", codes []
    async fn get_job(gate, path: JobId, _query: NoQuery, _body: NoBody) -> Resource<JobView> {
        gate.run(move |tx| Ok(Resource(service::get(tx, path)?.into()))).await
    }
}

endpoint! {
    /// 被拒绝的行
    ///
    /// 每处错误一行, 按行号排列, 至多十万处; 以 `Accept: text/csv` 或 Excel 工作簿下载。任务结束三十天后清除。
    ListJobRefusals: JobRead, Get "/jobs/{job_id}/refusals", tag "jobs", codes []
    async fn list_job_refusals(gate, path: JobId, query: PageQuery, _body: NoBody) -> Page<RefusalView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        gate.run(move |tx| Ok(service::refusals(tx, path, &paging)?.map(RefusalView::from))).await
    }
}

endpoint! {
    /// 取消后台任务
    ///
    /// 等待或读取中的任务可以取消: 已录入而未生效的全部撤销, 什么也不留下; 回答时为 `dropping`, 撤销完毕为 `cancelled`。正在生效、正在撤销或已结束的为 409。
    CancelJob: JobCancel, Post "/jobs/{job_id}/cancel", tag "jobs", codes [JobNotCancellable, PreconditionFailed]
    async fn cancel_job(gate, path: JobId, _query: NoQuery, _body: Json<Empty>) -> Resource<JobView> {
        gate.run(move |tx| Ok(Resource(service::cancel(tx, path)?.into()))).await
    }
}
