//! `/settings`.

use std::collections::HashMap;

use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::rules::{Difference, Setting, Settings, SettingsDraft};
use super::service::{self, Revision, RevisionId};
use crate::access::policy::{Action, SettingsHistoryRead, SettingsRead, SettingsUpdate};
use crate::access::{Tx, UserId, holders};
use crate::db::Instant;
use crate::errors::{AppError, Result};
use crate::org::http::PageQuery;
use crate::web::{Example, Merge, NoBody, NoQuery, Page, Patch, Resource, Versioned, endpoint};

/// 修改参数的人。
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SettingsEditor {
    /// 账号的标识。
    id: UserId,
    /// 姓名。
    #[schema(max_length = 50)]
    display_name: String,
}

/// Names of those who changed settings, fetched together.
struct Editors(HashMap<UserId, String>);

impl Editors {
    fn load<'r, A: Action>(
        tx: &mut Tx<'_, A>,
        revisions: impl IntoIterator<Item = &'r Revision>,
    ) -> Result<Self> {
        let mut ids: Vec<UserId> = revisions.into_iter().map(|revision| revision.changed_by).collect();
        ids.sort_unstable();
        ids.dedup();
        let named = holders::named(tx, &ids)?;
        Ok(Self(named.into_iter().map(|one| (one.id, one.display_name)).collect()))
    }

    fn get(&self, id: UserId) -> Result<SettingsEditor> {
        let name = self.0.get(&id).cloned();
        let display_name = name.ok_or_else(|| AppError::internal("an account that was not loaded"))?;
        Ok(SettingsEditor { id, display_name })
    }
}

/// 一省的参数及其来历。
#[derive(Debug, Serialize, ToSchema)]
pub struct SettingsView {
    /// 参数。
    values: Settings,
    /// 最近一次修改的理由; 从未修改、全为缺省值的为 null。
    #[schema(max_length = 500)]
    reason: Option<String>,
    /// 最近一次由谁修改; 从未修改的为 null。
    updated_by: Option<SettingsEditor>,
    /// 最近修改时刻; 从未修改的为 null。
    updated_at: Option<Instant>,
    /// 版本; 从未修改的为 1。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
}

impl Versioned for SettingsView {
    fn version(&self) -> i64 {
        self.version
    }
}

fn example_values() -> Value {
    json!({
        "suppression_k": 10, "recheck_percent": 10, "cooling_off_months": 36, "extensions_max": 2,
        "objection_working_days": 3, "transfers_max": 1, "trimmed_mean": false, "quorum_above_percent": 50,
        "station_budget_minutes": 12000, "receipt_bits": 80,
    })
}

const REASON: &str = "厅领导小组第三次会议决定加大回头看力度。";

fn example_editor() -> Value {
    json!({ "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d12", "display_name": "杨丽华" })
}

impl Example for SettingsView {
    fn example() -> Value {
        json!({
            "values": example_values(), "reason": REASON, "updated_by": example_editor(),
            "updated_at": "2026-03-02T01:00:00.000000Z", "version": 2,
        })
    }
}

impl Example for SettingsDraft {
    fn example() -> Value {
        json!({ "reason": REASON, "values": example_values() })
    }
}

impl Patch for SettingsDraft {
    const NAMED: &'static [&'static str] = &["reason"];

    fn patch_example() -> Value {
        json!({ "reason": REASON, "values": { "recheck_percent": 10 } })
    }
}

fn view<A: Action>(tx: &mut Tx<'_, A>, newest: Option<Revision>) -> Result<SettingsView> {
    let Some(revision) = newest else {
        let values = Settings::default();
        return Ok(SettingsView { values, reason: None, updated_by: None, updated_at: None, version: 1 });
    };
    let editor = Editors::load(tx, [&revision])?.get(revision.changed_by)?;
    let Revision { values, reason, changed_at, version, .. } = revision;
    Ok(SettingsView {
        values,
        reason: Some(reason),
        updated_by: Some(editor),
        updated_at: Some(changed_at),
        version,
    })
}

endpoint! {
    /// 查看参数
    ///
    /// 本省的阈值与时限; 从未修改的为缺省值。
    GetSettings: SettingsRead, Get "/settings", tag "settings", codes []
    async fn get_settings(gate, _path: (), _query: NoQuery, _body: NoBody) -> Resource<SettingsView> {
        gate.run(move |tx| {
            let newest = service::newest(tx)?;
            view(tx, newest).map(Resource)
        })
        .await
    }
}

endpoint! {
    /// 修改参数
    ///
    /// 只写要改的, 并说明理由; 各参数有上下限, 不得越过。此后的计算即按新值, 已算出的不变。
    UpdateSettings: SettingsUpdate, Patch "/settings", tag "settings", codes []
    async fn update_settings(gate, _path: (), _query: NoQuery, body: Merge<SettingsDraft>) -> Resource<SettingsView> {
        gate.run(move |tx| {
            let made = service::update(tx, |current| body.apply(current))?;
            view(tx, made).map(Resource)
        })
        .await
    }
}

/// 一个参数的前后值。
#[derive(Debug, Serialize, ToSchema)]
pub struct SettingChangeView {
    /// 哪个参数。
    setting: Setting,
    /// 修改前的值, 以文字写出。
    #[schema(max_length = 20)]
    before: String,
    /// 修改后的值, 以文字写出。
    #[schema(max_length = 20)]
    after: String,
}

impl From<Difference> for SettingChangeView {
    fn from(difference: Difference) -> Self {
        let Difference { setting, before, after } = difference;
        Self { setting, before, after }
    }
}

/// 参数的一次修改。
#[derive(Debug, Serialize, ToSchema)]
pub struct SettingsRevisionView {
    /// 标识。
    id: RevisionId,
    /// 修改后的版本。
    #[schema(minimum = 2, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
    /// 由谁修改。
    changed_by: SettingsEditor,
    /// 何时。
    changed_at: Instant,
    /// 理由。
    #[schema(max_length = 500)]
    reason: String,
    /// 改了哪些参数。
    #[schema(max_items = 10)]
    changes: Vec<SettingChangeView>,
}

impl Example for SettingsRevisionView {
    fn example() -> Value {
        json!({
            "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d90", "version": 2, "changed_by": example_editor(),
            "changed_at": "2026-03-02T01:00:00.000000Z", "reason": REASON,
            "changes": [{ "setting": "recheck_percent", "before": "5", "after": "10" }],
        })
    }
}

endpoint! {
    /// 参数的历次修改
    ///
    /// 谁在何时因何改了什么, 新的在前; 永久保存。
    ListSettingsHistory: SettingsHistoryRead, Get "/settings/history", tag "settings", codes []
    async fn list_settings_history(gate, _path: (), query: PageQuery, _body: NoBody) -> Page<SettingsRevisionView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        gate.run(move |tx| {
            let Page { items, next_cursor, total } = service::history(tx, &paging)?;
            let editors = Editors::load(tx, items.iter().map(|(revision, _)| revision))?;
            let shown = |(revision, changes): (Revision, Vec<Difference>)| {
                let Revision { id, version, reason, changed_by, changed_at, .. } = revision;
                Ok(SettingsRevisionView {
                    id,
                    version,
                    changed_by: editors.get(changed_by)?,
                    changed_at,
                    reason,
                    changes: changes.into_iter().map(SettingChangeView::from).collect(),
                })
            };
            Ok(Page { items: items.into_iter().map(shown).collect::<Result<_>>()?, next_cursor, total })
        })
        .await
    }
}
