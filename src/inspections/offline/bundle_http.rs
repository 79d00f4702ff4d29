//! `GET /offline-bundle`.

use std::sync::{Arc, OnceLock};

use serde::Deserialize;
use utoipa::ToSchema;

use super::bundle::{self, Manifest};
use super::bundle_views::OfflineBundleView;
use crate::access::policy::OfflineRead;
use crate::org::rules::UnitId;
use crate::web::{NoBody, Plain, endpoint};

/// 取哪些离线数据。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OfflineBundleQuery {
    /// 上次以同一 `unit_id` 所得的 `since`; 不写, 或服务器已不记得, 则给全部。
    #[schema(max_length = 32, pattern = "^[0-9a-f]{32}$")]
    since: Option<String>,
    /// 只要此单位及其下级; 缺省为授权的全部范围。
    unit_id: Option<UnitId>,
}

endpoint! {
    /// 取得离线数据
    ///
    /// 供督察、特邀监督员出发之前取到手机: 本人可据以检查的授权、授权范围内的单位、可用的清单、全部字典。带上次的 `since`, 则只给其后新增与改变的,
    /// 并在 `gone` 列出已不再有的。服务器记得每个账号、每个 `unit_id` 最近八种内容 (合计二百种); 取得与上次不同的
    /// 内容记入审计日志。正在进行的检查所用的清单版本, 有了新版也在其中。单位超过两万个的, 请以 `unit_id` 分别取。
    GetOfflineBundle: OfflineRead, Get "/offline-bundle", tag "unannounced-checks", codes [BundleTooLarge]
    async fn get_offline_bundle(gate, _path: (), query: OfflineBundleQuery, _body: NoBody) -> Plain<OfflineBundleView> {
        let new = Arc::new(OnceLock::new());
        let told = Arc::clone(&new);
        let done = gate
            .run(move |tx| {
                let found = bundle::gather(tx, query.unit_id)?;
                let name = found.manifest().name(query.unit_id);
                if !bundle::is_last(tx, query.unit_id, &name)? {
                    told.get_or_init(|| (name.clone(), found.manifest().to_bytes()));
                }
                let had = match &query.since {
                    Some(since) => bundle::given(tx, query.unit_id, since)?,
                    None => None,
                };
                let complete = had.is_none();
                let had: Manifest = had.unwrap_or_default();
                Ok(Plain(OfflineBundleView::of(name, complete, found.told(&had))))
            })
            .await?;
        if let Some((name, manifest)) = new.get().cloned() {
            // Before it is given: what nobody remembers could not be compared with the next time.
            gate.note(move |tx| bundle::keep(tx, &name, &manifest)).await?;
        }
        Ok(done)
    }
}
