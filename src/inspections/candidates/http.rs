//! `/finding-candidates`.

use serde::Deserialize;
use utoipa::ToSchema;

use super::rules::{CandidateId, CandidateState};
use super::service::{self, CandidateFilter};
use super::views::{self, CandidateSummaryView, CandidateView};
use crate::access::policy::CandidateRead;
use crate::inspections::authorisations::rules::CheckKind;
use crate::inspections::checks::rules::CheckId;
use crate::org::http::{Depth, narrowed};
use crate::org::rules::UnitId;
use crate::web::{Count, MadeSort, NoBody, NoQuery, Page, Resource, endpoint};

/// 问题线索列表的条件。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CandidateQuery {
    /// 状态; 可重复, 任一即可。
    #[serde(default)]
    #[schema(max_items = 3)]
    state: Vec<CandidateState>,
    /// 检查的方式; 可重复, 任一即可。
    #[serde(default)]
    #[schema(max_items = 2)]
    kind: Vec<CheckKind>,
    /// 受检的为此单位及其下级; 受检单位已合并的, 随接续的单位。
    unit_id: Option<UnitId>,
    /// `unit_id` 的范围, 缺省含下级。
    depth: Option<Depth>,
    /// 出自此检查的。
    check_id: Option<CheckId>,
    /// 项号。
    #[schema(min_length = 1, max_length = 16, pattern = "^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$")]
    item: Option<String>,
    /// 排序; 缺省为 `-created_at` (新产生的在前)。
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
    /// 问题线索列表
    ///
    /// 检查公布时, 扣分的每一项各成一条线索; 能看到检查的即能看到其线索, 公布之前没有。异议期满未提异议的, 自次日起计入; 提出异议的,
    /// 自答复之日起按答复计入: 更正后不再扣分的不计, 更正后才扣分的另成一条。
    ListCandidates: CandidateRead, Get "/finding-candidates", tag "finding-candidates", codes []
    async fn list_finding_candidates(gate, _path: (), query: CandidateQuery, _body: NoBody) -> Page<CandidateSummaryView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        gate.run(move |tx| {
            let below = narrowed(tx, query.unit_id, query.depth)?;
            let (states, kinds) = (query.state, query.kind);
            let filter = CandidateFilter { states, kinds, below, check: query.check_id, item: query.item };
            let page = service::list(tx, &filter, query.sort.unwrap_or(MadeSort::Newest), &paging)?;
            let Page { items, next_cursor, total } = page;
            Ok(Page { items: views::summaries(tx, items)?, next_cursor, total })
        })
        .await
    }
}

endpoint! {
    /// 查看问题线索
    GetCandidate: CandidateRead, Get "/finding-candidates/{candidate_id}", tag "finding-candidates", codes []
    async fn get_finding_candidate(gate, id: CandidateId, _query: NoQuery, _body: NoBody) -> Resource<CandidateView> {
        gate.run(move |tx| {
            let found = service::find(tx, id)?;
            views::whole(tx, found).map(Resource)
        })
        .await
    }
}
