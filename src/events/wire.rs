//! Events as they go over the wire: what the document shows is what is sent.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::kinds::EventKind;
use crate::db::Instant;
use crate::errors::{AppError, Result};
use crate::jobs::rules::{Job, JobState};
use crate::web::Example;

/// 一个事件的 data。
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct EventView {
    /// 关于什么; 与 `event` 相同。
    pub kind: EventKind,
    /// 对象的标识; 关于全省的为 null。
    pub id: Option<Uuid>,
    /// 对象归属何处: 分工与逐日填报为任务, 授权为账号, 民警与账号为单位, 问题线索为检查; 其余为 null。
    pub of: Option<Uuid>,
    /// 操作, 见 `GET /policy`; 或其后果, 或 `background` (服务自行所为), `job.progress` (进度)。
    #[schema(max_length = 60)]
    pub action: String,
    /// 时刻。
    pub at: Instant,
    /// 后台任务做到哪里, 只在操作为 `job.progress` 时有; 这样的事件没有 `id`, 错过不补。
    pub progress: Option<JobProgress>,
}

/// 后台任务做到哪里。
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct JobProgress {
    /// 状态。
    pub state: JobState,
    /// 百分比, 0 至 100。
    #[schema(minimum = 0, maximum = 100)]
    pub percent: i64,
    /// 已读的数据行数。
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub rows_read: i64,
    /// 接受的行数。
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub rows_accepted: i64,
    /// 有误的行数。
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub rows_refused: i64,
    /// 预计结束时刻; 尚不能推算为 null。
    pub expected_end_at: Option<Instant>,
}

/// What the progress of a job is told as.
const PROGRESS: &str = "job.progress";

impl EventView {
    /// How far a job is.
    pub(super) fn progress(job: &Job) -> Self {
        Self {
            kind: EventKind::Job,
            id: Some(job.id.uuid()),
            of: None,
            action: PROGRESS.to_owned(),
            at: job.updated_at,
            progress: Some(JobProgress {
                state: job.state,
                percent: job.percent(),
                rows_read: job.tally.read,
                rows_accepted: job.tally.accepted(),
                rows_refused: job.tally.refused,
                expected_end_at: job.expected_end_at(),
            }),
        }
    }
}

impl Example for EventView {
    fn example() -> Value {
        json!({
            "kind": "plan", "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d80", "of": null,
            "action": "plan.approve", "at": "2026-03-20T02:11:09.000000Z", "progress": null,
        })
    }
}

/// An event under its id.
///
/// # Errors
/// Never for plain data.
pub(super) fn event(id: &str, event: &EventView) -> Result<String> {
    Ok(format!("id: {id}\n{}", in_passing(event)?))
}

/// Something that is told in passing: it has no id, and whoever misses it is not told again.
///
/// # Errors
/// Never for plain data.
pub(super) fn in_passing(event: &EventView) -> Result<String> {
    let (kind, data) = (event.kind, serde_json::to_string(event).map_err(AppError::internal)?);
    Ok(format!("event: {kind}\ndata: {data}\n\n"))
}

/// A word when nothing has happened: so that a line that is cut is noticed, and a long silence need not be gone through
/// again.
pub(super) fn beat(id: &str) -> String {
    format!(":\nid: {id}\n\n")
}

/// The first words: how long to wait before coming again, where to go on, and whether to load anew.
pub(super) fn welcome(id: &str, lost: bool) -> String {
    let reset = if lost { "event: reset\ndata: {}\n" } else { ":\n" };
    format!("retry: 2000\nid: {id}\n{reset}\n")
}
