//! `/plans/{plan_id}/print`, `/plans/{plan_id}/task-list/print`.

use super::service;
use crate::access::policy::PlanRead;
use crate::campaigns::rules::PlanId;
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
