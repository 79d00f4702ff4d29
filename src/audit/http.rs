//! `/audit-log`.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use utoipa::ToSchema;

use super::service::{
    self, AuditFilter, AuditSort, CheckpointId, EntryId, Kept, Logged, Place, Verification,
};
use super::verify::{Fault, FaultKind};
use crate::access::UserId;
use crate::access::policy::{AuditRead, AuditVerify};
use crate::db::Instant;
use crate::errors::AppError;
use crate::org::http::PageQuery;
use crate::web::{Count, Example, NoBody, NoQuery, Page, Resource, Thorough, Versioned, endpoint};

const ENTRY: &str = "01936f2a-7c1e-7b6d-9a54-2f0e8c3b9a01";
const DIGEST: &str = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";

/// 审计记录及其在链中的位置。
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditEntryView {
    /// 标识。
    id: EntryId,
    /// 链中的位置, 从 1 起; 尚未入链为 null (一秒之内)。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    position: Option<i64>,
    /// 时刻。
    at: Instant,
    /// 何人: `user:<账号标识>`, `cli:<系统用户>`, `job:<作业>` 或 `public`。
    #[schema(max_length = 200)]
    actor: String,
    /// 账号的标识; 非账号所为为 null。
    user_id: Option<UserId>,
    /// 当时持有的角色, 空格分隔。
    #[schema(max_length = 1000)]
    roles: String,
    /// 操作, 见 `GET /policy`; 或其后果。
    #[schema(max_length = 60)]
    action: String,
    /// 对象的种类。
    #[schema(max_length = 60)]
    entity: String,
    /// 对象的标识。
    #[schema(max_length = 200)]
    entity_id: String,
    /// 操作前内容的 SHA-256 (十六进制); 新建为 null。
    #[schema(max_length = 64)]
    before_digest: Option<String>,
    /// 操作后内容的 SHA-256 (十六进制); 终止为 null。
    #[schema(max_length = 64)]
    after_digest: Option<String>,
    /// 理由。
    #[schema(max_length = 2000)]
    reason: Option<String>,
    /// 请求的标识, 即应答的 `X-Request-Id`。
    #[schema(max_length = 64)]
    request_id: String,
    /// 承诺的盐 (十六进制); 建链以前的记录为空。
    #[schema(max_length = 64)]
    salt: String,
    /// 承诺: 对盐与记录的 SHA-256 (十六进制); 尚未入链为 null。
    #[schema(max_length = 64)]
    commitment: Option<String>,
    /// 链环: 对上一链环、位置与承诺的 SHA-256 (十六进制); 尚未入链为 null。
    #[schema(max_length = 64)]
    link: Option<String>,
    /// 入链时刻; 尚未入链为 null。
    sealed_at: Option<Instant>,
}

impl AuditEntryView {
    fn of(row: Logged, place: Option<Place>) -> Self {
        let (position, sealed_at) =
            (place.as_ref().map(|one| one.position), place.as_ref().map(|one| one.sealed_at));
        let (commitment, link) = place.map(|one| (one.commitment, one.link)).unzip();
        Self {
            id: row.id,
            position,
            at: row.at,
            actor: row.actor,
            user_id: row.user_id,
            roles: row.roles,
            action: row.action,
            entity: row.entity,
            entity_id: row.entity_id,
            before_digest: row.before_digest,
            after_digest: row.after_digest,
            reason: row.reason,
            request_id: row.request_id,
            salt: row.salt.unwrap_or_default(),
            commitment,
            link,
            sealed_at,
        }
    }
}

impl Versioned for AuditEntryView {
    fn version(&self) -> i64 {
        1
    }
}

impl Example for AuditEntryView {
    fn example() -> Value {
        json!({
            "id": ENTRY, "position": 1024, "at": "2026-03-03T03:00:00.000000Z",
            "actor": "user:01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d11", "user_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d11",
            "roles": "group_head", "action": "plan.return", "entity": "plan",
            "entity_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d80", "before_digest": DIGEST, "after_digest": DIGEST,
            "reason": "第三项任务没有量化目标, 请补充后再报。", "request_id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b9a02",
            "salt": "00112233445566778899aabbccddeeff", "commitment": DIGEST, "link": DIGEST,
            "sealed_at": "2026-03-03T03:00:00.400000Z",
        })
    }
}

/// 审计记录列表的条件。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// 只列此账号所为。
    user_id: Option<UserId>,
    /// 只列此操作。
    #[schema(min_length = 1, max_length = 60, pattern = "^[a-z_.]+$")]
    action: Option<String>,
    /// 只列此种对象。
    #[schema(min_length = 1, max_length = 60, pattern = "^[a-z_]+$")]
    entity: Option<String>,
    /// 只列此对象。
    #[schema(min_length = 1, max_length = 200)]
    entity_id: Option<String>,
    /// 只列此请求。
    #[schema(min_length = 1, max_length = 64)]
    request_id: Option<String>,
    /// 自此日起。
    from_on: Option<NaiveDate>,
    /// 至此日止, 含当日。
    until_on: Option<NaiveDate>,
    /// 次序, 缺省新的在前。
    sort: Option<AuditSort>,
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
    /// 审计记录列表
    ///
    /// 本省每一次写入, 以及导出、核验、查看密封内容的记录; 只增不改。按链中次序逐页取全, 即可离线核验, 算法见 `GET /audit-log/verify`。
    ListAuditLog: AuditRead, Get "/audit-log", tag "audit", codes []
    async fn list_audit_log(gate, _path: (), query: AuditQuery, _body: NoBody) -> Page<AuditEntryView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        gate.run(move |tx| {
            let filter = AuditFilter {
                user: query.user_id,
                action: query.action,
                entity: query.entity,
                entity_id: query.entity_id,
                request_id: query.request_id,
                from: query.from_on.map(Instant::start_of_shanghai_day),
                until: query.until_on.and_then(|day| day.succ_opt()).map(Instant::start_of_shanghai_day),
            };
            let (page, mut places) = service::list(tx, &filter, query.sort.unwrap_or(AuditSort::Newest), &paging)?;
            Ok(page.map(|row| {
                let place = places.remove(&row.id);
                AuditEntryView::of(row, place)
            }))
        })
        .await
    }
}

endpoint! {
    /// 查看审计记录
    GetAuditEntry: AuditRead, Get "/audit-log/{audit_entry_id}", tag "audit", codes []
    async fn get_audit_entry(gate, id: EntryId, _query: NoQuery, _body: NoBody) -> Resource<AuditEntryView> {
        gate.run(move |tx| {
            let (row, place) = service::find(tx, id)?;
            Ok(Resource(AuditEntryView::of(row, place)))
        })
        .await
    }
}

/// 检查点: 对链的签名。
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditCheckpointView {
    /// 标识。
    id: CheckpointId,
    /// 链中的记录数。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    size: i64,
    /// 这些记录承诺的 Merkle 树根 (RFC 9162, 十六进制)。
    #[schema(min_length = 64, max_length = 64)]
    root: String,
    /// 签名的全文 (signed note), 自行留存, 日后可据以核验此前的记录有无改写或截短。
    #[schema(max_length = 1000)]
    note: String,
    /// 核验签名的公钥: 名称+散列+公钥。
    #[schema(max_length = 200)]
    verifier: String,
    /// 签名时刻。
    created_at: Instant,
}

impl AuditCheckpointView {
    fn of(kept: Kept, verifier: String) -> Self {
        let Kept { id, size, root, note, created_at } = kept;
        Self { id, size, root, note, verifier, created_at }
    }
}

impl Versioned for AuditCheckpointView {
    fn version(&self) -> i64 {
        1
    }
}

impl Example for AuditCheckpointView {
    fn example() -> Value {
        json!({
            "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b9b01", "size": 4096, "root": DIGEST,
            "note": format!(
                "pingyi/53\n4096\nbjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=\nlink {DIGEST}\nat 2026-03-03T03:01:00.000000Z\nholds {DIGEST} 1f2e3d4c5b6a7988\n\n\u{2014} pingyi/53 …\n"
            ),
            "verifier": "pingyi/53+1f2e3d4c+AQ…", "created_at": "2026-03-03T03:01:00.000000Z",
        })
    }
}

endpoint! {
    /// 检查点列表
    ///
    /// 链有增长时每分钟签名一次, 新的在前。检查点同时追加到服务器上的文件, 应由外部留存。
    /// 末行 `holds` 是对此刻尚未公开的记录的承诺, 及以密钥遮蔽的条数: 有无此类记录都有此行, 长度不变, 从中看不出有无; 更早的检查点没有此行, 仍然有效。
    ListCheckpoints: AuditRead, Get "/audit-log/checkpoints", tag "audit", codes []
    async fn list_audit_checkpoints(gate, _path: (), query: PageQuery, _body: NoBody) -> Page<AuditCheckpointView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        let doors = gate.doors().clone();
        gate.run(move |tx| {
            let verifier = service::verifier(doors.keys(), tx.tenant())?.to_string();
            let page = service::checkpoints(tx, &paging)?;
            Ok(page.map(|kept| AuditCheckpointView::of(kept, verifier.clone())))
        })
        .await
    }
}

endpoint! {
    /// 查看检查点
    GetCheckpoint: AuditRead, Get "/audit-log/checkpoints/{checkpoint_id}", tag "audit", codes []
    async fn get_audit_checkpoint(gate, id: CheckpointId, _query: NoQuery, _body: NoBody) -> Resource<AuditCheckpointView> {
        let doors = gate.doors().clone();
        gate.run(move |tx| {
            let verifier = service::verifier(doors.keys(), tx.tenant())?.to_string();
            Ok(Resource(AuditCheckpointView::of(service::checkpoint(tx, id)?, verifier)))
        })
        .await
    }
}

/// 链的一处问题。
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditFaultView {
    /// 何种问题。
    kind: FaultKind,
    /// 链中的位置; 不在链中的为 null。
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    position: Option<u64>,
    /// 记录的标识; 不知则为 null。
    #[schema(max_length = 36)]
    entry_id: Option<String>,
    /// 说明。
    #[schema(max_length = 200)]
    detail: String,
}

impl From<Fault> for AuditFaultView {
    fn from(fault: Fault) -> Self {
        let Fault { kind, position, entry_id, detail } = fault;
        Self { kind, position, entry_id, detail }
    }
}

/// 核验的结果。
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditVerificationView {
    /// 链是否完好: 没有发现问题。
    whole: bool,
    /// 链中的记录数。
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    size: u64,
    /// 最近一个检查点之内的记录数; 从未签名为 null。此后的记录有链, 尚无签名。
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    signed: Option<u64>,
    /// 与链相符的检查点数。
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    checkpoints: u64,
    /// 尚未入链的记录数。
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    unsealed: u64,
    /// 问题, 按链中次序, 至多 200 处。
    #[schema(max_items = 200)]
    faults: Vec<AuditFaultView>,
}

impl From<Verification> for AuditVerificationView {
    fn from(done: Verification) -> Self {
        let Verification { verdict, signed, unsealed } = done;
        Self {
            whole: verdict.faults.is_empty(),
            size: verdict.size,
            signed,
            checkpoints: verdict.checkpoints,
            unsealed,
            faults: verdict.faults.into_iter().map(AuditFaultView::from).collect(),
        }
    }
}

impl Example for AuditVerificationView {
    fn example() -> Value {
        json!({
            "whole": false, "size": 4100, "signed": 4096, "checkpoints": 3, "unsealed": 0,
            "faults": [{
                "kind": "truncated", "position": 4100, "entry_id": null,
                "detail": "检查点有 4200 条, 缺 100 条 / the checkpoint has 4200, 100 are missing",
            }],
        })
    }
}

/// Whose turn it is to have a chain verified at this instance.
static TURN: Semaphore = Semaphore::const_new(1);

endpoint! {
    /// 核验审计链
    ///
    /// 从第一条起逐条核对: 记录与承诺、承诺与链环、链与每个已签名的检查点, 以及有无链外的记录; 改动、删除、插入、调换、截短、改写各有其名。
    /// 尚未公开的记录在公开之前不入链, 由每个检查点的 `holds` 行承诺: 被删除、被改动的, 以及不在所承诺清单中的, 按记录标识列出。
    /// 打开该行只需签名密钥, 别处不存 (盐与遮蔽均由密钥推得): 只有服务器能打开, 离线核验只核其签名。
    /// 承诺 = SHA-256("pingyi audit entry v1" ‖ 0x00 ‖ 盐 ‖ 记录的规范 JSON); 链环 = SHA-256(0x02 ‖ 上一链环 ‖ 位置的 8 字节大端 ‖ 承诺), 首环之前为 32 个零字节;
    /// 一百万条约需半分钟, 其间连接上没有字节; 每个实例同时只核验一处, 其余依次等候。
    /// 树根按 RFC 9162 2.1, 叶为承诺。不信服务器的, 用留存的检查点离线核验: `pingyi audit verify --export FILE --checkpoint FILE --key KEY`。
    VerifyAuditLog: AuditVerify, Get "/audit-log/verify", tag "audit", codes []
    async fn verify_audit_log(gate, _path: (), _query: NoQuery, _body: NoBody) -> Thorough<AuditVerificationView> {
        let doors = gate.doors().clone();
        let tenant = gate.tenant()?;
        // Nobody verifies for whom it is not permitted, and one at a time does: it keeps a core busy.
        gate.authorize().await?;
        let _turn = TURN.acquire().await.map_err(AppError::internal)?;
        let (signer, verifier) = (service::signer(doors.keys())?, service::verifier(doors.keys(), tenant)?);
        let look = async |step| gate.look(move |tx| service::take(tx, step)).await;
        let done = service::verify((tenant, &verifier, &signer, Vec::new()), look).await?;
        gate.record_look("audit_chain", tenant.to_string(), json!({ "size": done.verdict.size, "faults": done.verdict.faults.len() })).await?;
        crate::access::Done::with(Thorough(done.into()))
    }
}
