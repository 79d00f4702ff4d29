//! The OpenAPI document, made from the list of endpoints and the types they name.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value, json};

use super::answer::{Given, IntoAnswer};
use super::components::{id_schema, problem_schema, shared_headers, shared_parameters, shared_responses};
use super::endpoint::{Endpoint, Verb};
use super::input::{Body, PathIds};
use super::problem::status_of;
use super::routes::{Api, BASE, stands_at_root};
use super::schemas::Collector;
use super::sent_headers::SentHeader;
use super::shape::Shapes;
use crate::access::policy::{Action, Audience};
use crate::errors::Code;

/// An example of a type, in real Chinese data: shown in the document, checked against the schema.
pub trait Example {
    /// The example.
    fn example() -> Value;
}

/// An example with more properties.
#[must_use]
pub fn with(mut base: Value, more: Value) -> Value {
    if let (Some(base), Value::Object(more)) = (base.as_object_mut(), more) {
        base.extend(more);
    }
    base
}

/// What one operation says of itself.
pub struct Description {
    operation: Map<String, Value>,
    query: (Map<String, Value>, Vec<String>),
}

/// The tags, in the order the documentation shows them.
const TAGS: &[(&str, &str)] = &[
    ("auth", "登录, 令牌, 本人账号与会话。"),
    ("campaigns", "主题活动及其领导小组。"),
    ("plans", "实施方案: 起草, 提交, 批准或退回, 发布, 逐级制定下级方案。"),
    ("tasks", "任务清单中的事项。"),
    ("units", "组织单位: 省厅, 地市局, 区县局, 派出所, 警种部门, 服务窗口, 看守所。"),
    ("officers", "民警与辅警, 任职与代理。"),
    ("checklists", "检查清单及其版本。"),
    ("authorisations", "常态授权: 谁可以检查谁。"),
    ("conflicts", "利害关系申报: 谁须回避哪个单位。"),
    ("attachments", "附件: 现场照片的上传与查看。"),
    ("unannounced-checks", "明察暗访: 记录、确认、公布、异议。"),
    ("finding-candidates", "问题线索: 检查公布之后扣分的各项, 异议期满或答复之后计入。"),
    ("calendar", "工作日历: 放假安排, 本省的设定, 工作日时限的计算。"),
    ("settings", "本省的参数: 阈值、时限、次数, 及其历次修改。"),
    ("provinces", "省份 (租户), 供平台与部级查看。"),
    ("users", "账号与角色授权。"),
    ("events", "实时事件。"),
    ("jobs", "后台任务: 导入等费时的工作, 其进度、结果与被拒绝的行。"),
    ("audit", "审计记录, 其链与检查点, 核验。"),
    ("reference", "字典与权限表。"),
    ("operations", "存活, 就绪与公钥。"),
];

const ABOUT: &str = "评议 (pingyi) 的接口。\n\n\
路径以 `/api/v1` 为前缀; JSON, UTF-8, snake_case; 未知字段一律拒绝。时间为 UTC (`Z` 结尾), 日期按北京时间。\
租户只取自令牌, 不出现在路径、参数或请求体中。\n\n\
**错误**一律为 `application/problem+json` (RFC 9457), `code` 稳定可判断, `title`、`detail` 随 `Accept-Language` (zh-CN 或 en)。\
检查次序: 404 未知路径, 405, 401, 403, 413/415/406, 400, 422 形状, 404 对象, 428, 412, 409 状态, 422 规则。\
他省的、辖区外的与不存在的对象, 回答完全相同 (404)。\n\n\
**修改** (PATCH, PUT) 须带 `If-Match`; 状态转换用 POST, 带 `If-Match` 则核对。**POST** 可带 `Idempotency-Key`, 24 小时内重试只生效一次。\
**列表**用 `limit` 与 `cursor` 翻页, `Link: rel=\"next\"` 指向下一页。`allowed_actions` 给出本人此刻可做的操作。\n\n\
**导出**: 任一列表以 `Accept: text/csv` 或 `application/vnd.openxmlformats-officedocument.spreadsheetml.sheet` 取得符合条件的全部行, \
权限、范围、筛选、次序与列表相同; 不得带 `limit`、`cursor`、`count` (400), 至多 1048575 行 (422)。表头取自行模式各属性的 `x-title`, \
枚举取 `x-labels`, 对象的标识列在最后。每次导出都记入审计; 正在导出的过多时 503, 见 Retry-After。连接中断的文件不完整, 应丢弃重取。\n\n\
**打印**: 路径以 `/print` 结尾的, 缺省 (`text/html`) 为可直接打印的网页, 公文版式; 以 \
`Accept: application/vnd.openxmlformats-officedocument.spreadsheetml.sheet` 取得可打印的工作簿; 没有 JSON。能查看者即能打印, 每次都记入审计, 不作缓存。\n\n\
**压缩**: 以 `Accept-Encoding: gzip` 请求的, 1 KiB 以上的 JSON、网页、CSV 以 gzip 给出 (`Content-Encoding`), 常为原长的几分之一; \
图片、工作簿、事件、令牌照原样给出。压缩的回答 `ETag` 以 `.gzip` 结尾, 用于 `If-Match`、`If-None-Match` 与未压缩的等效。\
请求体不得压缩 (415)。";

/// Describes one endpoint.
pub(super) fn describe<E: Endpoint>(schemas: &mut Collector) -> Description {
    let row = <E::Action as Action>::ROW;
    let lines: Vec<&str> = E::DOC.lines().map(str::trim).collect();
    let (summary, description) = lines.split_first().map_or(("", String::new()), |(first, rest)| {
        (first.trim_end_matches('。'), rest.join("\n").trim().to_owned())
    });
    let query = schemas.query::<E::Query>();
    let mut operation = Map::new();
    operation.insert("operationId".into(), json!(E::ID));
    operation.insert("tags".into(), json!([E::TAG]));
    operation.insert("summary".into(), json!(summary));
    operation.insert(
        "description".into(),
        json!(if description.is_empty() { format!("{summary}。") } else { description }),
    );
    operation.insert("x-action".into(), json!(row.name));
    let codes: Vec<&str> = codes::<E>().map(Code::name).collect();
    if !codes.is_empty() {
        operation.insert("x-codes".into(), json!(codes));
    }
    if row.audience == Audience::Public {
        operation.insert("security".into(), json!([{}]));
    }
    let parameters = parameters::<E>(&query);
    if !parameters.is_empty() {
        operation.insert("parameters".into(), Value::Array(parameters));
    }
    if let Some(content) = E::Body::content(schemas) {
        operation.insert("requestBody".into(), json!({ "required": true, "content": content }));
    }
    operation.insert("responses".into(), Value::Object(responses::<E>(schemas)));
    Description { operation, query }
}

/// The codes of states and rules: the endpoint's own, and those of what it is.
fn codes<E: Endpoint>() -> impl Iterator<Item = Code> {
    let of_files: &[Code] = match E::Reply::GIVEN {
        Given::Json | Given::Events | Given::Content => &[],
        Given::Pages => &[Code::ExportTooLarge, Code::ExportsBusy],
        Given::Paper => &[Code::ExportsBusy],
    };
    E::CODES.iter().chain(E::Body::CODES).chain(of_files).copied()
}

/// A reference to a schema of the document.
#[must_use]
pub fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

fn parameters<E: Endpoint>(query: &(Map<String, Value>, Vec<String>)) -> Vec<Value> {
    let mut parameters: Vec<Value> = path_names(E::PATH)
        .map(|name| {
            json!({
                "name": name, "in": "path", "required": true, "description": what_is(name),
                "schema": E::Path::schema(), "example": E::Path::example(),
            })
        })
        .collect();
    for (name, schema) in &query.0 {
        let mut schema = schema.clone();
        let description = schema.as_object_mut().and_then(|map| map.remove("description"));
        let mut parameter = json!({
            "name": name, "in": "query", "required": query.1.contains(name),
            "description": description.unwrap_or_else(|| json!("")), "schema": schema,
        });
        let repeats = schema.get("items").is_some();
        if let (true, Some(map)) = (repeats, parameter.as_object_mut()) {
            map.insert("style".into(), json!("form"));
            map.insert("explode".into(), json!(true));
        }
        parameters.push(parameter);
    }
    let shared: &[&str] = match E::VERB {
        Verb::Get if E::Reply::ETAG => &["IfNoneMatch"],
        Verb::Get if E::Reply::GIVEN == Given::Events => &["LastEventId"],
        Verb::Patch | Verb::Put if E::DEMANDS_VERSION => &["IfMatchRequired"],
        Verb::Post if path_names(E::PATH).next().is_some() => &["IdempotencyKey", "IfMatch"],
        Verb::Post => &["IdempotencyKey"],
        Verb::Delete if E::CODES.contains(&Code::PreconditionFailed) => &["IfMatch"],
        _ => &[],
    };
    parameters.extend(E::Body::HEADERS.iter().filter_map(SentHeader::parameter));
    parameters.extend(shared.iter().map(|name| json!({ "$ref": format!("#/components/parameters/{name}") })));
    parameters
}

/// What the id in a path names.
fn what_is(name: &str) -> &'static str {
    match name {
        "unit_id" => "单位的标识。",
        "user_id" => "账号的标识。",
        "binding_id" => "授权的标识。",
        "session_id" => "会话的标识。",
        "campaign_id" => "活动的标识。",
        "plan_id" => "方案的标识。",
        "task_id" => "任务的标识。",
        "job_id" => "后台任务的标识。",
        "upload_id" => "上传的标识。",
        "province_code" => "行政区划代码, 两位数字。",
        "day" => "日期 (北京时间), 2000 至 2100 年。",
        _ => "对象的标识。",
    }
}

fn path_names(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter_map(|piece| piece.strip_prefix('{')?.strip_suffix('}'))
}

fn responses<E: Endpoint>(schemas: &mut Collector) -> Map<String, Value> {
    let mut responses = Map::new();
    let mut headers = Map::new();
    let mut header = |name: &str, component: &str| {
        headers.insert(name.to_owned(), json!({ "$ref": format!("#/components/headers/{component}") }));
    };
    header("X-Request-Id", "RequestId");
    header("RateLimit", "RateLimit");
    header("RateLimit-Policy", "RateLimitPolicy");
    header("Access-Control-Allow-Origin", "Access-Control-Allow-Origin");
    if E::Reply::ETAG {
        header("ETag", "ETag");
    }
    if E::Reply::LOCATION {
        header("Location", "Location");
    }
    if E::Reply::GIVEN == Given::Pages {
        header("Link", "Link");
    }
    for name in E::Reply::HEADERS.iter().chain(E::Body::TELLS.iter().map(|(name, _)| name)) {
        header(name, &name.replace('-', ""));
    }
    let mut success = json!({ "description": "成功。", "headers": headers });
    let media = if E::Reply::GIVEN == Given::Events { super::live::MEDIA } else { "application/json" };
    if let (Some(name), Some(map)) = (E::Reply::schema(schemas), success.as_object_mut()) {
        let content = json!({ media: { "schema": reference(&name), "example": E::Reply::example() } });
        map.insert("content".into(), content);
    }
    if E::Reply::LOCATION {
        let mut same = success.clone();
        if let Some(map) = same.as_object_mut() {
            map.insert("description".into(), json!("同一标识、同一内容的对象已在: 返回现有对象。"));
        }
        responses.insert("200".into(), same);
    }
    responses.insert(E::Reply::STATUS.to_string(), success);
    if E::VERB == Verb::Get && E::Reply::ETAG {
        responses.insert("304".into(), json!({ "$ref": "#/components/responses/NotModified" }));
    }
    let mut statuses: BTreeSet<u16> = [400, 401, 406, 414, 429, 500, 503].into();
    let row = <E::Action as Action>::ROW;
    if row.audience != Audience::Public {
        statuses.insert(403);
    }
    if E::PATH.contains('{') {
        statuses.insert(404);
    }
    if E::Body::PRESENT {
        statuses.extend([413, 415, 422]);
    }
    match E::VERB {
        Verb::Post if row.audience != Audience::Public => statuses.extend([409, 422]),
        Verb::Patch | Verb::Put if E::DEMANDS_VERSION => statuses.extend([409, 412, 428]),
        _ => {}
    }
    if E::VERB == Verb::Post && E::PATH.contains('{') {
        statuses.insert(412);
    }
    if E::Reply::GIVEN == Given::Content {
        statuses.insert(416);
    }
    statuses.extend(codes::<E>().map(|code| status_of(code.kind())));
    for status in statuses {
        responses
            .insert(status.to_string(), json!({ "$ref": format!("#/components/responses/Problem{status}") }));
    }
    responses
}

/// Makes the document of `api`, and the compiled shapes that requests are checked against.
#[must_use]
pub fn document(api: &Api) -> (Value, Shapes) {
    let mut schemas = Collector::default();
    let mut paths: Map<String, Value> = Map::new();
    let mut queries = HashMap::new();
    let mut statuses: BTreeSet<String> = BTreeSet::new();
    let mut used_tags: BTreeSet<String> = BTreeSet::new();
    for route in api.routes() {
        let description = (route.describe)(&mut schemas);
        queries.insert(route.id.to_owned(), description.query);
        let responses = description.operation.get("responses").and_then(Value::as_object);
        statuses.extend(responses.into_iter().flat_map(|map| map.keys().cloned()));
        let tags = description.operation.get("tags").and_then(Value::as_array).into_iter().flatten();
        used_tags.extend(tags.filter_map(Value::as_str).map(ToOwned::to_owned));
        let item = paths.entry(route.path.to_owned()).or_insert_with(|| {
            if stands_at_root(route.path) {
                json!({ "servers": [{ "url": "/", "description": "根路径 (production)", "x-internal": false }] })
            } else {
                json!({})
            }
        });
        if let Some(item) = item.as_object_mut() {
            item.insert(route.verb.name().to_lowercase(), Value::Object(description.operation));
        }
    }
    let mut schemas = schemas.finish();
    for route in api.routes() {
        let operation = paths.get_mut(route.path).and_then(|item| item.get_mut("get"));
        match (route.given, operation) {
            (Given::Pages, Some(operation)) => super::export::describe(operation, &mut schemas),
            (Given::Paper, Some(operation)) => super::printed::describe(operation, &mut schemas),
            (Given::Content, Some(Value::Object(operation))) => {
                super::content::describe(operation, route.media);
            }
            _ => {}
        }
    }
    schemas.insert("Problem".into(), problem_schema());
    schemas.entry("Id").or_insert_with(id_schema);
    let shapes = Shapes::new(&schemas, queries);
    // What a merge patch is checked against once it is merged is ours to know, not the reader's.
    super::schemas::keep_referenced(&mut schemas, &[&Value::Object(paths.clone()), &reference("Problem")]);
    let tags: Vec<Value> = TAGS
        .iter()
        .filter(|(name, _)| used_tags.contains(*name))
        .map(|(name, description)| json!({ "name": name, "description": description }))
        .collect();
    let responses = shared_responses(&statuses);
    let document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "评议 pingyi",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "省级公安机关主题评议活动",
            "description": ABOUT,
            "license": { "name": "MIT", "url": "https://spdx.org/licenses/MIT.html" },
            "contact": { "name": "pingyi", "url": "https://pingyi.invalid/", "email": "pingyi@pingyi.invalid" },
        },
        "servers": [{ "url": BASE, "description": "本服务器 (production)", "x-internal": false }],
        "security": [{ "bearer": [] }],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": responses,
            "parameters": shared_parameters(),
            "headers": shared_headers(),
            "securitySchemes": {
                "bearer": {
                    "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "访问令牌 (JWT, EdDSA, 15 分钟), 依 RFC8725 校验; 由 `POST /auth/login` 取得。",
                },
            },
        },
    });
    (document, shapes)
}
