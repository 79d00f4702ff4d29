//! `/units`, `/cities` … `/service-windows`, `/provinces`.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::changes::http::CreateUnitOfKind;
use super::changes::rules::UnitDraft;
use super::changes::service as changes;
use super::rules::{Province, ProvinceStatus, Unit, UnitId, UnitKind, UnitStatus};
use super::service::{self, UnitFilter, UnitSort};
use super::views::{UnitView, When, view, views};
use crate::access::policy::{Action, ProvinceRead, UnitCreate, UnitRead, UnitUpdate};
use crate::access::{Gate, PathRange, Tx};
use crate::db::{Instant, TenantId, text_enum};
use crate::errors::{AppError, Result};
use crate::web::{
    Count, Created, Example, Json, Merge, NoBody, NoQuery, Page, Paging, PathIds, Resource, Versioned,
    endpoint,
};

text_enum! {
    /// How far `unit_id` reaches.
    Depth as "depth" {
        OnlySelf = "self", "仅本单位", "The unit alone", grey;
        Subtree = "subtree", "含下级", "The whole subtree", grey;
    }
}

/// What `unit_id` and `depth` narrow a list to.
///
/// # Errors
/// When the database fails.
pub fn narrowed<A: Action>(
    tx: &mut Tx<'_, A>,
    unit: Option<UnitId>,
    depth: Option<Depth>,
) -> Result<Option<PathRange>> {
    unit.map(|id| service::range_of(tx, id, depth == Some(Depth::OnlySelf))).transpose()
}

/// 单位列表的条件。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UnitQuery {
    /// 种类; 可重复, 任一即可。
    #[serde(default)]
    #[schema(max_items = 7)]
    kind: Vec<UnitKind>,
    /// 状态; 可重复, 任一即可。
    #[serde(default)]
    #[schema(max_items = 2)]
    status: Vec<UnitStatus>,
    /// 此单位及其下级; 配合 depth=self 则仅本单位。
    unit_id: Option<UnitId>,
    /// `unit_id` 的范围, 缺省含下级。
    depth: Option<Depth>,
    /// 直属于此单位的。
    parent_id: Option<UnitId>,
    /// 官方代码。
    #[schema(max_length = 32)]
    code: Option<String>,
    /// 某日的名称、隶属与状态; 缺省为现状, 今日以后各日也按现状。
    as_of: Option<NaiveDate>,
    /// 名称或代码中含有的文字, 不分大小写与全角半角。
    #[schema(min_length = 1, max_length = 50)]
    q: Option<String>,
    /// 排序; 缺省为 path (树的次序)。
    sort: Option<UnitSort>,
    /// 每页行数, 缺省 50。
    #[schema(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// 上一页给出的游标。
    #[schema(min_length = 1, max_length = 2048, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
    /// 为 exact 时给出总行数。
    count: Option<Count>,
}

/// 固定种类的单位列表的条件。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KindQuery {
    /// 状态; 可重复, 任一即可。
    #[serde(default)]
    #[schema(max_items = 2)]
    status: Vec<UnitStatus>,
    /// 此单位及其下级; 配合 depth=self 则仅本单位。
    unit_id: Option<UnitId>,
    /// `unit_id` 的范围, 缺省含下级。
    depth: Option<Depth>,
    /// 直属于此单位的。
    parent_id: Option<UnitId>,
    /// 官方代码。
    #[schema(max_length = 32)]
    code: Option<String>,
    /// 某日的名称、隶属与状态; 缺省为现状, 今日以后各日也按现状。
    as_of: Option<NaiveDate>,
    /// 名称或代码中含有的文字, 不分大小写与全角半角。
    #[schema(min_length = 1, max_length = 50)]
    q: Option<String>,
    /// 排序; 缺省为 path (树的次序)。
    sort: Option<UnitSort>,
    /// 每页行数, 缺省 50。
    #[schema(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// 上一页给出的游标。
    #[schema(min_length = 1, max_length = 2048, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
    /// 为 exact 时给出总行数。
    count: Option<Count>,
}

impl KindQuery {
    fn of_kind(self, kind: UnitKind) -> UnitQuery {
        let Self { status, unit_id, depth, parent_id, code, as_of, q, sort, limit, cursor, count } = self;
        UnitQuery {
            kind: vec![kind],
            status,
            unit_id,
            depth,
            parent_id,
            code,
            as_of,
            q,
            sort,
            limit,
            cursor,
            count,
        }
    }
}

impl UnitQuery {
    fn paging(&self, gate: &Gate<UnitRead>) -> Paging {
        gate.paging(self.limit, self.cursor.clone(), self.count)
    }

    fn filter(&self, tx: &mut Tx<'_, UnitRead>) -> Result<UnitFilter> {
        let alone = self.depth == Some(Depth::OnlySelf);
        let below = self.unit_id.map(|id| service::range_on(tx, id, alone, self.as_of)).transpose()?;
        Ok(UnitFilter {
            kinds: self.kind.clone(),
            statuses: self.status.clone(),
            below,
            parent: self.parent_id,
            code: self.code.clone(),
            as_of: self.as_of,
            search: self.q.clone(),
        })
    }

    async fn list(self, gate: Gate<UnitRead>) -> Result<crate::access::Done<Page<UnitView>>> {
        let paging = self.paging(&gate);
        gate.run(move |tx| {
            let sort = self.sort.unwrap_or(UnitSort::Path);
            let when = if self.as_of.is_some() { When::Then } else { When::Now };
            let filter = self.filter(tx)?;
            let page = service::units(tx, &filter, sort, &paging)?;
            shown(tx, page, when)
        })
        .await
    }
}

fn shown(tx: &mut Tx<'_, UnitRead>, page: Page<Unit>, when: When) -> Result<Page<UnitView>> {
    let Page { items, next_cursor, total } = page;
    Ok(Page { items: views(tx, items, when)?, next_cursor, total })
}

/// 查看单位的条件。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AsOfQuery {
    /// 某日的名称、隶属与状态; 缺省为现状, 今日以后各日也按现状。
    as_of: Option<NaiveDate>,
}

endpoint! {
    /// 单位列表
    ///
    /// 本人辖区内的单位, 可按种类、状态、上级、文字筛选; `unit_id` 含其全部下级。
    ListUnits: UnitRead, Get "/units", tag "units", codes []
    async fn list_units(gate, _path: (), query: UnitQuery, _body: NoBody) -> Page<UnitView> {
        query.list(gate).await
    }
}

endpoint! {
    /// 查看单位
    ///
    /// 现状, 或某日的样子; 该日尚未设立的为 404。
    GetUnit: UnitRead, Get "/units/{unit_id}", tag "units", codes []
    async fn get_unit(gate, id: UnitId, query: AsOfQuery, _body: NoBody) -> Resource<UnitView> {
        gate.run(move |tx| {
            let (unit, when) = match query.as_of {
                Some(day) => (changes::on_day(tx, id, day)?, When::Then),
                None => (service::unit(tx, id, None)?, When::Now),
            };
            let shown = views(tx, vec![unit], when)?.pop();
            shown.map(Resource).ok_or_else(|| AppError::internal("a unit without a view"))
        })
        .await
    }
}

endpoint! {
    /// 单位的全部下级
    ///
    /// 按树的次序 (上级在前), 首行为该单位自身。
    ListSubtree: UnitRead, Get "/units/{unit_id}/subtree", tag "units", codes []
    async fn list_subtree(gate, id: UnitId, query: KindsQuery, _body: NoBody) -> Page<UnitView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        gate.run(move |tx| {
            let filter = UnitFilter { kinds: query.kind, search: query.q, ..UnitFilter::default() };
            let page = service::subtree(tx, id, filter, UnitSort::Path, &paging)?;
            shown(tx, page, When::Now)
        })
        .await
    }
}

/// 下级单位的条件。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct KindsQuery {
    /// 种类; 可重复, 任一即可。
    #[serde(default)]
    #[schema(max_items = 7)]
    kind: Vec<UnitKind>,
    /// 名称或代码中含有的文字, 不分大小写与全角半角。
    #[schema(min_length = 1, max_length = 50)]
    q: Option<String>,
    /// 每页行数, 缺省 50。
    #[schema(minimum = 1, maximum = 200)]
    limit: Option<i64>,
    /// 上一页给出的游标。
    #[schema(min_length = 1, max_length = 2048, pattern = "^[A-Za-z0-9_-]+$")]
    cursor: Option<String>,
    /// 为 exact 时给出总行数。
    count: Option<Count>,
}

/// The same list and the same resource with the kind fixed by the address.
macro_rules! kind_endpoints {
    ($($kind:ident: $list:ident $list_id:ident $path:literal $list_doc:literal, $get:ident $get_id:ident $one:literal $get_doc:literal,
        $create:ident $create_id:ident $create_doc:literal, $update:ident $update_id:ident $update_doc:literal;)+) => {
        $(
            endpoint! {
                #[doc = $list_doc]
                $list: UnitRead, Get $path, tag "units", codes []
                async fn $list_id(gate, _path: (), query: KindQuery, _body: NoBody) -> Page<UnitView> {
                    query.of_kind(UnitKind::$kind).list(gate).await
                }
            }
            endpoint! {
                #[doc = $get_doc]
                $get: UnitRead, Get $one, tag "units", codes []
                async fn $get_id(gate, id: UnitId, _query: NoQuery, _body: NoBody) -> Resource<UnitView> {
                    gate.run(move |tx| {
                        let unit = service::unit(tx, id, Some(UnitKind::$kind))?;
                        Ok(Resource(view(tx, unit)?))
                    })
                    .await
                }
            }
            endpoint! {
                #[doc = $create_doc]
                $create: UnitCreate, Post $path, tag "units", codes [IdTaken, UnitCodeTaken]
                async fn $create_id(gate, _path: (), _query: NoQuery, body: Json<CreateUnitOfKind>) -> Created<UnitView> {
                    gate.run(move |tx| {
                        let (unit, existed) = changes::create(tx, &body.0.of_kind(UnitKind::$kind))?;
                        let location = format!(concat!($path, "/{}"), unit.id);
                        Ok(Created { view: view(tx, unit)?, location, existed })
                    })
                    .await
                }
            }
            endpoint! {
                #[doc = $update_doc]
                $update: UnitUpdate, Patch $one, tag "units", codes [UnitDeactivated]
                async fn $update_id(gate, id: UnitId, _query: NoQuery, body: Merge<UnitDraft>) -> Resource<UnitView> {
                    gate.run(move |tx| {
                        let unit = changes::rename(tx, id, Some(UnitKind::$kind), |draft| body.apply(draft))?;
                        Ok(Resource(view(tx, unit)?))
                    })
                    .await
                }
            }
        )+
    };
}

kind_endpoints! {
    City: ListCities list_cities "/cities" "地市公安局列表", GetCity get_city "/cities/{unit_id}" "查看地市公安局",
        CreateCity create_city "新建地市公安局", UpdateCity update_city "地市公安局更名";
    County: ListCounties list_counties "/counties" "区县公安局列表", GetCounty get_county "/counties/{unit_id}" "查看区县公安局",
        CreateCounty create_county "新建区县公安局", UpdateCounty update_county "区县公安局更名";
    Station: ListStations list_stations "/stations" "派出所列表", GetStation get_station "/stations/{unit_id}" "查看派出所",
        CreateStation create_station "新建派出所", UpdateStation update_station "派出所更名";
    Department: ListDepartments list_departments "/departments" "警种与部门列表", GetDepartment get_department "/departments/{unit_id}" "查看警种或部门",
        CreateDepartment create_department "新建警种或部门", UpdateDepartment update_department "警种或部门更名";
    ServiceWindow: ListServiceWindows list_service_windows "/service-windows" "服务窗口列表", GetServiceWindow get_service_window "/service-windows/{unit_id}" "查看服务窗口",
        CreateServiceWindow create_service_window "新建服务窗口", UpdateServiceWindow update_service_window "服务窗口更名";
}

/// 一个省份 (租户)。
#[derive(Debug, Serialize, ToSchema)]
pub struct ProvinceView {
    /// 行政区划代码, 两位数字。
    #[schema(value_type = String, min_length = 2, max_length = 2, pattern = "^[0-9]{2}$")]
    code: TenantId,
    /// 名称。
    #[schema(max_length = 100)]
    name: String,
    /// 状态。
    status: ProvinceStatus,
    /// 版本。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    /// 录入时刻。
    created_at: Instant,
    /// 最近修改时刻。
    updated_at: Instant,
}

impl From<Province> for ProvinceView {
    fn from(province: Province) -> Self {
        let Province { code, name, status, version, created_at, updated_at } = province;
        Self { code, name, status, version, created_at, updated_at }
    }
}

impl Versioned for ProvinceView {
    fn version(&self) -> i64 {
        self.version
    }
}

impl Example for ProvinceView {
    fn example() -> Value {
        json!({
            "code": "53", "name": "云南省公安厅", "status": "active", "version": 1,
            "created_at": "2026-03-02T01:00:00.000000Z", "updated_at": "2026-03-02T01:00:00.000000Z",
        })
    }
}

/// 只分页, 无筛选。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PageQuery {
    /// 每页行数, 缺省 50。
    #[schema(minimum = 1, maximum = 200)]
    pub limit: Option<i64>,
    /// 上一页给出的游标。
    #[schema(min_length = 1, max_length = 2048, pattern = "^[A-Za-z0-9_-]+$")]
    pub cursor: Option<String>,
    /// 为 exact 时给出总行数。
    pub count: Option<Count>,
}

/// The code of a province in a path.
#[derive(Debug, Clone, Copy)]
pub struct ProvinceCode(TenantId);

impl PathIds for ProvinceCode {
    const COUNT: usize = 1;
    fn parse(values: &[&str]) -> Option<Self> {
        TenantId::parse(values.first()?).map(Self)
    }
    fn schema() -> Value {
        json!({ "type": "string", "minLength": 2, "maxLength": 2, "pattern": "^[0-9]{2}$" })
    }
    fn example() -> Value {
        json!("53")
    }
}

endpoint! {
    /// 省份列表
    ///
    /// 供平台运维与部级查看; 不含任何省内数据。
    ListProvinces: ProvinceRead, Get "/provinces", tag "provinces", codes []
    async fn list_provinces(gate, _path: (), query: PageQuery, _body: NoBody) -> Page<ProvinceView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        gate.run(move |tx| Ok(service::provinces(tx, &paging)?.map(ProvinceView::from))).await
    }
}

endpoint! {
    /// 查看省份
    GetProvince: ProvinceRead, Get "/provinces/{province_code}", tag "provinces", codes []
    async fn get_province(gate, code: ProvinceCode, _query: NoQuery, _body: NoBody) -> Resource<ProvinceView> {
        gate.run(move |tx| Ok(Resource(service::province(tx, code.0)?.into()))).await
    }
}
