//! What operations of the document share: the shape of a problem, the refusals, parameters, headers.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::openapi::reference;
use super::problem::status_of;
use crate::errors::{Code, Kind};

const STATUS_TEXTS: &[(u16, &str)] = &[
    (400, "请求无法读取: JSON、查询参数或请求头有误。"),
    (401, "未登录, 或令牌无效、已过期。"),
    (403, "所有角色均无此权限, 或须先修改首次密码。"),
    (404, "不存在, 属于他省, 或不在辖区内: 三者回答相同。"),
    (406, "没有符合 Accept 的表示。"),
    (409, "当前状态不允许。"),
    (410, "曾经有, 已不再有; 说明其结局。"),
    (412, "If-Match 已过期, ETag 头给出当前版本; 或 tus 协议的版本不符, Tus-Version 头给出可用的版本。"),
    (413, "请求体过大。"),
    (414, "地址过长。"),
    (415, "不支持的内容类型。"),
    (416, "所要的一段不在文件之内; Content-Range 给出长度。"),
    (422, "内容不符合要求或违反规则; errors 一次列出全部。"),
    (428, "缺少 If-Match。"),
    (429, "请求或失败次数过多; 见 Retry-After。"),
    (500, "服务内部错误。"),
    (503, "暂不可用或超时; 见 Retry-After。"),
];

pub(super) fn id_schema() -> Value {
    json!({
        "type": "string", "format": "uuid", "minLength": 36, "maxLength": 36, "pattern": crate::db::ID_PATTERN,
        "description": "UUID (一般为 v7), 带连字符的小写形式。",
        "example": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77",
    })
}

pub(super) fn problem_schema() -> Value {
    let codes: Vec<&str> =
        Code::ALL.iter().filter(|code| code.kind() != Kind::Field).map(|code| code.name()).collect();
    let mut places: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    places.dedup();
    let text = |description: &str| json!({ "type": "string", "maxLength": 2000, "pattern": "^[^\\u0000]*$", "description": description });
    json!({
        "type": "object",
        "description": "错误 (RFC 9457)。",
        "required": ["type", "title", "status", "detail", "instance", "code", "request_id"],
        "additionalProperties": false,
        "properties": {
            "type": { "type": "string", "format": "uri-reference", "maxLength": 200, "description": "解释此错误的页面。" },
            "title": text("标题, 随语言。"),
            "status": { "type": "integer", "format": "int32", "minimum": 400, "maximum": 599, "description": "HTTP 状态。" },
            "detail": text("说明, 随语言。"),
            "instance": { "type": "string", "maxLength": 8192, "pattern": "^[^\\u0000]*$", "description": "请求的路径。" },
            "code": { "type": "string", "enum": codes, "description": "稳定的错误代码。" },
            "request_id": { "type": "string", "maxLength": 64, "pattern": "^[^\\u0000]*$", "description": "请求编号, 同 X-Request-Id。" },
            "facts": { "type": "object", "additionalProperties": true, "description": "与整个错误有关的数值。" },
            "errors": {
                "type": "array", "maxItems": 1000, "description": "逐处说明, 一次列全; 导入的文件至多列 1000 处, 总数见 facts。",
                "items": {
                    "type": "object", "required": ["code", "detail"], "additionalProperties": false,
                    "properties": {
                        "pointer": { "type": "string", "maxLength": 1000, "pattern": "^[^\\u0000]*$", "description": "请求体中的位置 (JSON Pointer)。" },
                        "parameter": { "type": "string", "maxLength": 1000, "pattern": "^[^\\u0000]*$", "description": "查询参数名。" },
                        "header": { "type": "string", "maxLength": 100, "pattern": "^[^\\u0000]*$", "description": "请求头名。" },
                        "line": { "type": "integer", "format": "int64", "minimum": 1, "maximum": 4_294_967_295_i64, "description": "导入的文件中的行号。" },
                        "field": { "type": "string", "maxLength": 1000, "pattern": "^[^\\u0000]*$", "description": "导入的文件中的列。" },
                        "code": { "type": "string", "enum": places, "description": "稳定的错误代码。" },
                        "detail": text("说明, 随语言。"),
                        "facts": { "type": "object", "additionalProperties": true, "description": "与规则有关的数值。" },
                    },
                },
            },
        },
        "example": {
            "type": "/problems/plan-not-submitted", "title": "方案不在待批状态", "status": 409,
            "detail": "方案不在待批状态", "instance": "/api/v1/plans/01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d77/approve",
            "code": "plan_not_submitted", "request_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d99",
        },
    })
}

pub(super) fn shared_responses(used: &BTreeSet<String>) -> Map<String, Value> {
    let mut responses = Map::new();
    for (status, description) in STATUS_TEXTS.iter().filter(|(status, _)| used.contains(&status.to_string()))
    {
        let mut headers = json!({
            "X-Request-Id": { "$ref": "#/components/headers/RequestId" },
            "RateLimit": { "$ref": "#/components/headers/RateLimit" },
            "RateLimit-Policy": { "$ref": "#/components/headers/RateLimitPolicy" },
            "Access-Control-Allow-Origin": { "$ref": "#/components/headers/Access-Control-Allow-Origin" },
        });
        if let Some(map) = headers.as_object_mut() {
            let extra: &[(&str, &str)] = match status {
                429 | 503 => &[("Retry-After", "RetryAfter")],
                412 => &[("ETag", "ETag"), ("Tus-Version", "TusVersion")],
                416 => &[("Content-Range", "ContentRange")],
                _ => &[],
            };
            for (name, component) in extra {
                map.insert((*name).into(), json!({ "$ref": format!("#/components/headers/{component}") }));
            }
        }
        let code =
            Code::ALL.iter().find(|code| code.kind() != Kind::Field && status_of(code.kind()) == *status);
        let example = code.map(|code| {
            json!({
                "type": super::problem::type_of(*code), "title": code.title_zh(), "status": status,
                "detail": code.title_zh(), "instance": "/api/v1/plans", "code": code.name(),
                "request_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d99",
            })
        });
        responses.insert(
            format!("Problem{status}"),
            json!({
                "description": description, "headers": headers,
                "content": { "application/problem+json": { "schema": reference("Problem"), "example": example } },
            }),
        );
    }
    if used.contains("304") {
        responses.insert(
            "NotModified".into(),
            json!({
                "description": "未变: 与 If-None-Match 所给相同。",
                "headers": {
                    "X-Request-Id": { "$ref": "#/components/headers/RequestId" },
                    "Access-Control-Allow-Origin": { "$ref": "#/components/headers/Access-Control-Allow-Origin" },
                    "ETag": { "$ref": "#/components/headers/ETag" },
                },
            }),
        );
    }
    responses
}

pub(super) fn shared_parameters() -> Value {
    // No pattern: test tools that make values from one would leave the quotes out.
    let tag = json!({ "type": "string", "format": "etag", "maxLength": 400 });
    json!({
        "IfMatch": {
            "name": "If-Match", "in": "header", "required": false, "schema": tag, "example": "\"v3.5f1c2a9be07d4c11\"",
            "description": "所知版本的 ETag; 已被他人修改则 412。",
        },
        "IfMatchRequired": {
            "name": "If-Match", "in": "header", "required": true, "schema": tag, "example": "\"v3.5f1c2a9be07d4c11\"",
            "description": "所知版本的 ETag; 缺少则 428, 已被他人修改则 412。",
        },
        "IfNoneMatch": {
            "name": "If-None-Match", "in": "header", "required": false, "schema": tag, "example": "\"v3.5f1c2a9be07d4c11\"",
            "description": "已有副本的 ETag; 未变则 304。",
        },
        "Range": {
            "name": "Range", "in": "header", "required": false, "example": "bytes=0-65535",
            "schema": { "type": "string", "format": "byte-range", "maxLength": 200 },
            "description": "只要其中一段 (RFC 9110); 一次一段, 不能识别的从略。",
        },
        "IfRange": {
            "name": "If-Range", "in": "header", "required": false, "schema": tag, "example": "\"v1.5f1c2a9be07d4c11\"",
            "description": "已有部分的 ETag; 不同则给整个文件。",
        },
        "LastEventId": {
            "name": "Last-Event-ID", "in": "header", "required": false, "example": "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJCrze8S",
            "schema": { "type": "string", "format": "event-id", "minLength": 1, "maxLength": 100 },
            "description": "最后收到的事件的 id: 从其后继续。",
        },
        "IdempotencyKey": {
            "name": "Idempotency-Key", "in": "header", "required": false, "example": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d55",
            "schema": { "type": "string", "format": "idempotency-key", "minLength": 1, "maxLength": 128 },
            "description": "重试同一请求时用同一值: 24 小时内只生效一次, 返回首次的回答。",
        },
    })
}

pub(super) fn shared_headers() -> Value {
    let text = |description: &str, longest: u32| json!({ "description": description, "schema": { "type": "string", "maxLength": longest, "pattern": "^[ -~]*$" } });
    let count = |description: &str, least: u32| json!({ "description": description, "schema": { "type": "integer", "format": "int64", "minimum": least, "maximum": 20_971_520 } });
    json!({
        "RequestId": text("请求编号, 与日志、审计一致。", 64),
        "RateLimit": text("剩余请求数 r, 与 t 秒后全部恢复; 按账号计, 未登录按地址计; 不限时没有此头。", 100),
        "RateLimitPolicy": text("请求数上限 q 与时长 w 秒; 不限时没有此头。", 100),
        "ETag": text("版本: \"v<版本>.<内容摘要>\"; 以 gzip 给出时为 \"v<版本>.<内容摘要>.gzip\", 作为条件二者相同。", 80),
        "Location": text("新对象的地址。", 400),
        "Access-Control-Allow-Origin": text("允许的网页来源 (请求带 Origin 且在许可之列时)。", 400),
        "AcceptRanges": text("可以分段取得: bytes。", 20),
        "ContentRange": text("所给的一段与全长: bytes 起-止/全长。", 100),
        "ContentDisposition": text("文件名: 中文名在 filename* (RFC 8187) 中。", 1000),
        "Link": text("下一页: rel=\"next\"。", 4096),
        "UploadOffset": count("已收的字节数: 从这里续传。", 0),
        "UploadLength": count("整个文件的字节数。", 1),
        "UploadExpires": text("何时不能再续传 (RFC 9110 的日期)。", 40),
        "AttachmentId": text("所成附件的标识; 收全并查验之后才有。", 36),
        "TusResumable": text("所用 tus 协议的版本。", 20),
        "TusVersion": text("可用的 tus 协议版本。", 40),
        "TusExtension": text("可用的 tus 扩展。", 200),
        "TusMaxSize": count("一个文件至多多少字节。", 1),
        "CacheControl": text("不得留存: no-store。", 40),
        "RetryAfter": {
            "description": "多少秒后再试。",
            "schema": { "type": "integer", "format": "int32", "minimum": 0, "maximum": 86400 },
        },
    })
}
