//! `GET /changes`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::changes::{self, Changes};
use super::kinds::EventKind;
use super::wire::EventView;
use crate::access::policy::EventRead;
use crate::web::{Example, NoBody, Plain, endpoint};

/// Changes in an answer unless it is said how many.
const USUAL: usize = 200;

/// 从何处起的变化。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangesQuery {
    /// 上次回答的 `next_since`, 或最后收到的事件的 `id`; 首次不写。
    #[schema(min_length = 1, max_length = 100, pattern = "^[A-Za-z0-9_-]+$")]
    since: Option<String>,
    /// 只要这些种类; 可重复。`since` 须为同样的种类所得, 否则 `reset`。
    #[serde(default)]
    #[schema(max_items = 40)]
    kind: Vec<EventKind>,
    /// 至多几条, 缺省 200。
    #[schema(minimum = 1, maximum = 500)]
    most: Option<usize>,
}

/// 其后的变化。
#[derive(Debug, Serialize, ToSchema)]
pub struct ChangesView {
    /// 各项变化, 按先后。
    #[schema(max_items = 500)]
    items: Vec<EventView>,
    /// 下次从何处起。
    #[schema(max_length = 100)]
    next_since: String,
    /// 是否已有更多, 可即刻再取。
    has_more: bool,
    /// 是否须重新加载: 首次、离开太久或 `since` 不可用。
    reset: bool,
}

impl Example for ChangesView {
    fn example() -> Value {
        json!({
            "items": [EventView::example()], "next_since": "Zm9yIGV4YW1wbGUsIGEgcGxhY2UgaW4gdGhlIGxvZw", "has_more": false,
            "reset": false,
        })
    }
}

endpoint! {
    /// 取得其后的变化
    ///
    /// 与 `GET /events` 所告知的相同, 供不常在线的手机分次取得: 首次不带 `since`, 先记下 `next_since` 再加载数据; 以后带上它, 其后的变化不漏,
    /// 直到 `has_more` 为 false。只说是哪个对象、什么操作, 对象现状请再取该对象; 移出视野的、因授予角色而新进入视野的不另告知。未公布的暗访对任何人
    /// 都没有变化可取, 其检查人员与指挥员请看 `GET /auth/me/waiting`。`reset` 为 true 的, 请重新加载。
    ListChanges: EventRead, Get "/changes", tag "events", codes []
    async fn list_changes(gate, _id: (), query: ChangesQuery, _body: NoBody) -> Plain<ChangesView> {
        let doors = gate.doors().clone();
        gate.run(move |tx| {
            let (since, most) = (query.since.as_deref(), query.most.unwrap_or(USUAL));
            let Changes { items, next_since, has_more, reset } = changes::changes(tx, &doors, since, &query.kind, most)?;
            Ok(Plain(ChangesView { items, next_since, has_more, reset }))
        })
        .await
    }
}
