//! `/checklists`.

use serde::Deserialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

use super::items::{self, Item};
use super::rules::{ChecklistContent, ChecklistId, ChecklistState};
use super::service::{self, ChecklistFilter};
use super::templates::ChecklistTemplate;
use super::views::{self, ChecklistSummaryView, ChecklistTemplatesView, ChecklistView, example_content};
use crate::access::policy::{
    ChecklistCreate, ChecklistPublish, ChecklistRead, ChecklistRetire, ChecklistUpdate, DictionaryRead,
};
use crate::errors::{Code, FieldError, into_validation, refuse_repeated};
use crate::org::http::{Depth, narrowed};
use crate::org::rules::{UnitId, UnitKind};
use crate::web::{
    Count, Created, Empty, Example, Json, MadeSort, Merge, NoBody, NoQuery, Page, Patch, Plain, Resource,
    endpoint,
};

/// 清单列表的条件。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChecklistQuery {
    /// 状态; 可重复, 任一即可。
    #[serde(default)]
    #[schema(max_items = 3)]
    state: Vec<ChecklistState>,
    /// 属于此单位及其下级。
    unit_id: Option<UnitId>,
    /// `unit_id` 的范围, 缺省含下级。
    depth: Option<Depth>,
    /// 名称中含有的文字, 不分大小写与全角半角。
    #[schema(min_length = 1, max_length = 50)]
    q: Option<String>,
    /// 排序; 缺省为 `-created_at` (新建在前)。
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
    /// 检查清单列表
    ///
    /// 本人辖区内的清单, 以及上级已发布的清单。
    ListChecklists: ChecklistRead, Get "/checklists", tag "checklists", codes []
    async fn list_checklists(gate, _path: (), query: ChecklistQuery, _body: NoBody) -> Page<ChecklistSummaryView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        gate.run(move |tx| {
            let below = narrowed(tx, query.unit_id, query.depth)?;
            let filter = ChecklistFilter { states: query.state, below, search: query.q };
            let page = service::list(tx, &filter, query.sort.unwrap_or(MadeSort::Newest), &paging)?;
            let Page { items, next_cursor, total } = page;
            Ok(Page { items: views::summaries(tx, items)?, next_cursor, total })
        })
        .await
    }
}

/// 新建清单: 自己写, 或取用一份模板; 取用时写出的各项代替模板的。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewChecklist {
    /// 由客户端选定的标识; 不写则由服务器生成。
    #[serde(default)]
    id: Option<ChecklistId>,
    /// 所属单位: 公安厅、局或分局, 须在本人辖区之内。
    unit_id: UnitId,
    /// 主管警种或部门, 须直属该单位。
    #[serde(default)]
    department_id: Option<UnitId>,
    /// 取用的模板, 见 `GET /checklist-templates`。
    #[serde(default)]
    template: Option<ChecklistTemplate>,
    /// 名称; 不取用模板时必填。
    #[serde(default)]
    #[schema(min_length = 1, max_length = 60, pattern = r"^\S(?:[^\r\n]*\S)?$")]
    title: Option<String>,
    /// 用于哪几种单位; 空则不限。
    #[serde(default)]
    #[schema(max_items = 7)]
    kinds: Option<Vec<UnitKind>>,
    /// 检查项, 按次序; 不取用模板时必填。
    #[serde(default)]
    #[schema(min_items = 1, max_items = 200)]
    items: Option<Vec<Item>>,
}

impl NewChecklist {
    /// What it comes to: what is written out in place of what the template says.
    fn content(&self) -> crate::errors::Result<ChecklistContent> {
        let base = self.template.map(ChecklistTemplate::content).transpose()?;
        let base =
            base.unwrap_or(ChecklistContent { title: String::new(), kinds: Vec::new(), items: Vec::new() });
        Ok(ChecklistContent {
            title: self.title.clone().unwrap_or(base.title),
            kinds: self.kinds.clone().unwrap_or(base.kinds),
            items: self.items.clone().unwrap_or(base.items),
        })
    }
}

impl Validate for NewChecklist {
    fn validate(&self) -> Result<(), ValidationErrors> {
        let mut errors = Vec::new();
        if self.template.is_none() {
            let given = [("/title", self.title.is_some()), ("/items", self.items.is_some())];
            let missing = given.iter().filter(|(_, is_given)| !is_given);
            errors
                .extend(missing.map(|(at, _)| FieldError::body(*at, Code::Required, Code::Required.title())));
        }
        refuse_repeated(self.kinds.as_deref().unwrap_or_default(), "/kinds", &mut errors);
        items::judge(self.items.as_deref().unwrap_or_default(), &mut errors);
        into_validation(errors)
    }
}

impl Example for NewChecklist {
    fn example() -> Value {
        json!({
            "unit_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77", "template": "incident_handling",
            "title": "警情处理检查清单 (城区)",
        })
    }
}

impl Example for ChecklistContent {
    fn example() -> Value {
        example_content()
    }
}

impl Patch for ChecklistContent {
    fn patch_example() -> Value {
        json!({ "title": "警情处理检查清单 (城区)" })
    }
}

endpoint! {
    /// 新建检查清单
    ///
    /// 建成为草稿, 发布后方可用于检查。清单属于一个公安厅、局或分局, 用于该单位及其下级; 由某一警种主管的另写 `department_id`。
    ///
    /// 每一项写明标准 (应当做到什么、做到什么程度)、答案类型、扣分、是否必答、何时须附证据、关注权重。
    CreateChecklist: ChecklistCreate, Post "/checklists", tag "checklists", codes [IdTaken]
    async fn create_checklist(gate, _path: (), _query: NoQuery, body: Json<NewChecklist>) -> Created<ChecklistView> {
        gate.run(move |tx| {
            let content = body.0.content()?;
            let NewChecklist { id, unit_id, department_id, .. } = body.0;
            let new = service::NewChecklist { id, unit_id, department_id, content };
            let (made, existed) = service::create(tx, &new)?;
            let location = format!("/checklists/{}", made.id);
            Ok(Created { view: views::whole(tx, made)?, location, existed })
        })
        .await
    }
}

endpoint! {
    /// 查看检查清单
    GetChecklist: ChecklistRead, Get "/checklists/{checklist_id}", tag "checklists", codes []
    async fn get_checklist(gate, id: ChecklistId, _query: NoQuery, _body: NoBody) -> Resource<ChecklistView> {
        gate.run(move |tx| {
            let found = service::find(tx, id)?;
            views::whole(tx, found).map(Resource)
        })
        .await
    }
}

endpoint! {
    /// 修改检查清单
    ///
    /// 未发布过的直接改; 发布过的改在 `draft` 里, 原版照用, 直到发布下一版。`items` 整个替换。改回与已发布的一样, `draft` 即为 null。
    UpdateChecklist: ChecklistUpdate, Patch "/checklists/{checklist_id}", tag "checklists", codes [ChecklistRetired]
    async fn update_checklist(gate, id: ChecklistId, _query: NoQuery, body: Merge<ChecklistContent>) -> Resource<ChecklistView> {
        gate.run(move |tx| {
            let changed = service::update(tx, id, |current| body.apply(current))?;
            views::whole(tx, changed).map(Resource)
        })
        .await
    }
}

endpoint! {
    /// 发布检查清单
    ///
    /// 所写的成为下一版, 从此对下级可见; 已发布的版本永不更改, 检查记录注明所用的版本。
    PublishChecklist: ChecklistPublish, Post "/checklists/{checklist_id}/publish", tag "checklists",
        codes [ChecklistRetired, ChecklistUnchanged]
    async fn publish_checklist(gate, id: ChecklistId, _query: NoQuery, _body: Json<Empty>) -> Resource<ChecklistView> {
        gate.run(move |tx| {
            let published = service::publish(tx, id)?;
            views::whole(tx, published).map(Resource)
        })
        .await
    }
}

endpoint! {
    /// 停用检查清单
    ///
    /// 从此不再用于新的检查; 已发布的版本仍可查看。未发布过的即作废。
    RetireChecklist: ChecklistRetire, Post "/checklists/{checklist_id}/retire", tag "checklists", codes [ChecklistRetired]
    async fn retire_checklist(gate, id: ChecklistId, _query: NoQuery, _body: Json<Empty>) -> Resource<ChecklistView> {
        gate.run(move |tx| {
            let retired = service::retire(tx, id)?;
            views::whole(tx, retired).map(Resource)
        })
        .await
    }
}

endpoint! {
    /// 现成的检查清单
    ///
    /// 各省通用的四份: 警情处理、服务窗口、着装与纪律、受立案。新建时以 `template` 取用, 再按本地实际增删。
    ListChecklistTemplates: DictionaryRead, Get "/checklist-templates", tag "checklists", codes []
    async fn list_checklist_templates(gate, _path: (), _query: NoQuery, _body: NoBody) -> Plain<ChecklistTemplatesView> {
        gate.run(move |_| views::templates().map(Plain)).await
    }
}
