//! `/plans/{plan_id}/print`, `/plans/{plan_id}/task-list/print`, `/daily-clearing/print`.

use chrono::NaiveDate;
use serde::Deserialize;
use utoipa::ToSchema;

use super::service;
use crate::access::policy::{ClearingRead, PlanRead};
use crate::campaigns::rules::PlanId;
use crate::org::http::Depth;
use crate::org::rules::UnitId;
use crate::papers::Paper;
use crate::web::{NoBody, NoQuery, endpoint};

endpoint! {
    /// 打印方案
    ///
    /// 公文版式的网页 (缺省), 或分封面与阶段、任务清单两张表的工作簿。能查看方案者即能打印; 未生效的方案印有其状态 (草稿、待批等)。
    PrintPlan: PlanRead, Get "/plans/{plan_id}/print", tag "plans", codes []
    async fn print_plan(gate, id: PlanId, _query: NoQuery, _body: NoBody) -> Paper {
        gate.run(move |tx| service::plan(tx, id)).await
    }
}

endpoint! {
    /// 打印任务清单
    ///
    /// 方案的任务清单, 按类别排列; 已生效的方案并列出各项任务在本人辖区内的完成数与应完成数。
    PrintTaskList: PlanRead, Get "/plans/{plan_id}/task-list/print", tag "plans", codes []
    async fn print_task_list(gate, id: PlanId, _query: NoQuery, _body: NoBody) -> Paper {
        gate.run(move |tx| service::task_list(tx, id)).await
    }
}

/// 打印哪个单位、哪一天的清账表。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClearingSheetQuery {
    /// 哪一天, 缺省为今日。
    on: Option<NaiveDate>,
    /// 此单位及其下级; 缺省为本人辖区的最上级单位。
    unit_id: Option<UnitId>,
    /// 单位的范围, 缺省含下级。
    depth: Option<Depth>,
}

endpoint! {
    /// 打印逐日清账表
    ///
    /// 某日各单位、各人的应填、已清、补填、未清数, 有小计与合计。应填超过 2000 人时, 按直接下级单位汇总; 只打印本单位而超过的 422。
    PrintClearing: ClearingRead, Get "/daily-clearing/print", tag "tasks", codes [NotFound, ExportTooLarge]
    async fn print_daily_clearing(gate, _path: (), query: ClearingSheetQuery, _body: NoBody) -> Paper {
        gate.run(move |tx| {
            let alone = query.depth == Some(Depth::OnlySelf);
            service::clearing(tx, query.on, query.unit_id, alone)
        })
        .await
    }
}
