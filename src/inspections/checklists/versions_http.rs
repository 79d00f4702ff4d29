//! `/checklists/{checklist_id}/versions`.

use super::rules::{ChecklistId, ChecklistVersionId};
use super::service;
use super::views::{self, ChecklistVersionSummaryView, ChecklistVersionView};
use crate::access::policy::ChecklistRead;
use crate::org::http::PageQuery;
use crate::web::{NoBody, NoQuery, Page, Resource, endpoint};

endpoint! {
    /// 清单的版本
    ///
    /// 已发布的各版, 新的在前。
    ListChecklistVersions: ChecklistRead, Get "/checklists/{checklist_id}/versions", tag "checklists", codes []
    async fn list_checklist_versions(gate, id: ChecklistId, query: PageQuery, _body: NoBody) -> Page<ChecklistVersionSummaryView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        gate.run(move |tx| {
            let page = service::versions(tx, id, &paging)?;
            let Page { items, next_cursor, total } = page;
            Ok(Page { items: views::versions(tx, items)?, next_cursor, total })
        })
        .await
    }
}

endpoint! {
    /// 查看清单的一版
    GetChecklistVersion: ChecklistRead, Get "/checklists/{checklist_id}/versions/{version_id}", tag "checklists", codes []
    async fn get_checklist_version(gate, ids: (ChecklistId, ChecklistVersionId), _query: NoQuery, _body: NoBody) -> Resource<ChecklistVersionView> {
        gate.run(move |tx| {
            let found = service::version(tx, ids.0, ids.1)?;
            views::version(tx, found).map(Resource)
        })
        .await
    }
}
