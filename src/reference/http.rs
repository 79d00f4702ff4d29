//! `/dictionaries`, `/policy`, `/health/…`, `/.well-known/jwks.json`.

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::dictionaries;
use crate::access::policy::{self, Audience, DictionaryRead, HealthRead, KeysRead, PolicyRead};
use crate::access::{Done, Role};
use crate::db::Entry;
use crate::errors::{AppError, Code, Kind};
use crate::web::{Example, NoBody, NoQuery, Plain, Resource, Versioned, endpoint};

/// 字典中的一项。
#[derive(Debug, Serialize, ToSchema)]
pub struct EntryView {
    /// 接口与数据库中的取值。
    #[schema(max_length = 60)]
    value: &'static str,
    /// 中文名称。
    #[schema(max_length = 60)]
    zh: &'static str,
    /// 英文名称。
    #[schema(max_length = 80)]
    en: &'static str,
    /// 颜色提示: grey, blue, green, orange, red。
    #[schema(max_length = 10)]
    color: &'static str,
    /// 次序, 从 0 起。
    #[schema(minimum = 0, maximum = 1000)]
    order: i32,
}

/// 一部字典: 一个枚举的全部取值。
#[derive(Debug, Serialize, ToSchema)]
pub struct DictionaryView {
    /// 字典名。
    #[schema(max_length = 60)]
    name: &'static str,
    /// 各项, 按自然次序。
    #[schema(max_items = 200)]
    entries: Vec<EntryView>,
}

/// 一个错误代码。
#[derive(Debug, Serialize, ToSchema)]
pub struct CodeView {
    /// 代码, 稳定不变。
    #[schema(max_length = 60)]
    code: &'static str,
    /// HTTP 状态; 只出现在 errors 中的为 null。
    #[schema(minimum = 400, maximum = 599)]
    status: Option<i32>,
    /// 中文标题。
    #[schema(max_length = 100)]
    zh: &'static str,
    /// 英文标题。
    #[schema(max_length = 160)]
    en: &'static str,
}

/// 全部字典与错误代码。
#[derive(Debug, Serialize, ToSchema)]
pub struct DictionariesView {
    /// 各字典。
    #[schema(max_items = 200)]
    dictionaries: Vec<DictionaryView>,
    /// 各错误代码。
    #[schema(max_items = 1000)]
    codes: Vec<CodeView>,
}

/// Fixed with the release: what tells one from the next is the hash.
impl Versioned for DictionariesView {
    fn version(&self) -> i64 {
        1
    }
}

impl Example for DictionariesView {
    fn example() -> Value {
        json!({
            "dictionaries": [{
                "name": "unit_status",
                "entries": [
                    { "value": "active", "zh": "正常", "en": "Active", "color": "green", "order": 0 },
                    { "value": "deactivated", "zh": "已停用", "en": "Deactivated", "color": "grey", "order": 1 },
                ],
            }],
            "codes": [{ "code": "plan_not_submitted", "status": 409, "zh": "方案不在待批状态", "en": "The plan is not waiting for approval" }],
        })
    }
}

/// Every dictionary.
#[must_use]
pub fn all_dictionaries() -> Vec<DictionaryView> {
    let entry = |(order, entry): (i32, &Entry)| EntryView {
        value: entry.value,
        zh: entry.zh,
        en: entry.en,
        color: entry.color,
        order,
    };
    let view = |listed: &dictionaries::Listed| DictionaryView {
        name: listed.name,
        entries: (0_i32..).zip(listed.entries).map(entry).collect(),
    };
    dictionaries::ALL.iter().map(view).collect()
}

endpoint! {
    /// 全部字典
    ///
    /// 每个枚举的取值、中英文名称、颜色提示与次序; 以及全部错误代码。
    GetDictionaries: DictionaryRead, Get "/dictionaries", tag "reference", codes []
    async fn get_dictionaries(gate, _path: (), _query: NoQuery, _body: NoBody) -> Resource<DictionariesView> {
        gate.run(move |_| {
            let dictionaries = all_dictionaries();
            let codes = Code::ALL
                .iter()
                .map(|code| CodeView {
                    code: code.name(),
                    status: (code.kind() != Kind::Field).then(|| i32::from(crate::web::status_of(code.kind()))),
                    zh: code.title_zh(),
                    en: code.title_en(),
                })
                .collect();
            Ok(Resource(DictionariesView { dictionaries, codes }))
        })
        .await
    }
}

/// 一个角色在一项操作上的范围。
#[derive(Debug, Serialize, ToSchema)]
pub struct CellView {
    /// 角色。
    role: Role,
    /// 范围: T 全省, S 本单位及下级, U 本单位, A 本人, - 无权。
    #[schema(max_length = 1, pattern = "^[TSUA-]$")]
    reach: &'static str,
}

/// 权限表的一行。
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyRowView {
    /// 操作, 同文档中的 x-action。
    #[schema(max_length = 60)]
    action: &'static str,
    /// 中文名称。
    #[schema(max_length = 60)]
    zh: &'static str,
    /// 是否改变数据。
    writes: bool,
    /// 谁可以: roles 按角色, account 任何已登录账号 (限本人), public 无须登录。
    #[schema(max_length = 10, pattern = "^(roles|account|public)$")]
    audience: &'static str,
    /// 各角色的范围。
    #[schema(max_items = 50)]
    cells: Vec<CellView>,
}

/// 整张权限表。
#[derive(Debug, Serialize, ToSchema)]
pub struct PolicyView {
    /// 各行。
    #[schema(max_items = 1000)]
    rows: Vec<PolicyRowView>,
}

/// Fixed with the release, as the dictionaries are.
impl Versioned for PolicyView {
    fn version(&self) -> i64 {
        1
    }
}

impl Example for PolicyView {
    fn example() -> Value {
        json!({ "rows": [{
            "action": "plan.approve", "zh": "批准方案", "writes": true, "audience": "roles",
            "cells": [{ "role": "group_head", "reach": "S" }, { "role": "group_office", "reach": "-" }],
        }] })
    }
}

endpoint! {
    /// 权限表
    ///
    /// 操作 × 角色 → 范围, 全表。
    GetPolicy: PolicyRead, Get "/policy", tag "reference", codes []
    async fn get_policy(gate, _path: (), _query: NoQuery, _body: NoBody) -> Resource<PolicyView> {
        gate.run(move |_| {
            let rows = policy::ROWS
                .iter()
                .map(|row| PolicyRowView {
                    action: row.name,
                    zh: row.zh,
                    writes: row.writes,
                    audience: match row.audience {
                        Audience::Roles => "roles",
                        Audience::Account => "account",
                        Audience::Public => "public",
                    },
                    cells: Role::ALL.iter().map(|&role| CellView { role, reach: row.cell(role).letter() }).collect(),
                })
                .collect();
            Ok(Resource(PolicyView { rows }))
        })
        .await
    }
}

/// 存活与就绪。
#[derive(Debug, Serialize, ToSchema)]
pub struct HealthView {
    /// 固定为 ok。
    #[schema(max_length = 2, pattern = "^ok$")]
    status: &'static str,
}

impl Example for HealthView {
    fn example() -> Value {
        json!({ "status": "ok" })
    }
}

endpoint! {
    /// 是否存活
    GetLive: HealthRead, Get "/health/live", tag "operations", codes []
    async fn get_live(_gate, _path: (), _query: NoQuery, _body: NoBody) -> Plain<HealthView> {
        Done::with(Plain(HealthView { status: "ok" }))
    }
}

endpoint! {
    /// 是否就绪
    ///
    /// 数据库可用且未在退出; 否则 503。
    GetReady: HealthRead, Get "/health/ready", tag "operations", codes []
    async fn get_ready(gate, _path: (), _query: NoQuery, _body: NoBody) -> Plain<HealthView> {
        if gate.doors().is_draining() {
            return Err(AppError::new(Code::Unavailable).retry_after(5));
        }
        gate.doors().ping().await?;
        Done::with(Plain(HealthView { status: "ok" }))
    }
}

/// 一把公钥 (RFC 8037)。
#[derive(Debug, Serialize, ToSchema)]
pub struct KeyView {
    /// 固定为 OKP。
    #[schema(max_length = 3)]
    kty: &'static str,
    /// 固定为 Ed25519。
    #[schema(max_length = 10)]
    crv: &'static str,
    /// 固定为 EdDSA。
    #[schema(max_length = 10)]
    alg: &'static str,
    /// 固定为 sig。
    #[schema(max_length = 3)]
    r#use: &'static str,
    /// 密钥编号, 同令牌头中的 kid。
    #[schema(max_length = 64)]
    kid: String,
    /// 公钥。
    #[schema(max_length = 64)]
    x: String,
}

/// 公钥集 (RFC 7517)。
#[derive(Debug, Serialize, ToSchema)]
pub struct KeySetView {
    /// 各公钥; 首个用于签发。
    #[schema(max_items = 20)]
    keys: Vec<KeyView>,
}

impl Example for KeySetView {
    fn example() -> Value {
        json!({ "keys": [{
            "kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "5f1c2a9be07d4c11",
            "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        }] })
    }
}

endpoint! {
    /// 验证访问令牌的公钥
    GetKeys: KeysRead, Get "/.well-known/jwks.json", tag "operations", codes []
    async fn get_keys(gate, _path: (), _query: NoQuery, _body: NoBody) -> Plain<KeySetView> {
        let keys = gate
            .doors()
            .keys()
            .public()
            .map(|(kid, x)| KeyView { kty: "OKP", crv: "Ed25519", alg: "EdDSA", r#use: "sig", kid, x })
            .collect();
        Done::with(Plain(KeySetView { keys }))
    }
}
