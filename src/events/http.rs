//! `GET /events`.

use super::service;
use super::wire::EventView;
use crate::access::policy::EventRead;
use crate::access::{Done, Listener};
use crate::web::{Listening, NoBody, NoQuery, endpoint};

endpoint! {
    /// 接收实时事件
    ///
    /// 以 Server-Sent Events 不断告知所能查看的对象有何变化, 一般在提交后一秒之内 (大批导入时稍迟)。事件只说是哪个对象、什么操作;
    /// 对象现状请再取该对象。对象移出视野 (如单位划走) 不另告知。请先连接, 再加载页面的数据, 其间的变化便不会遗漏。
    /// 除下述进度外, 每个事件有 `id`, `event` (种类) 与 `data` (见 `EventView`)。断线后以 `Last-Event-ID` 重连, 其后的事件不漏不重, 连到哪个实例都一样;
    /// `event: reset` (data 为 `{}`) 表示已离线太久或标识不可用, 请重新加载。每 15 秒至少有一行; 令牌到期、会话结束或服务停止后连接结束, 换新令牌重连即可。
    /// 自己发起的后台任务在读取、生效、撤销中做到哪里, 有变化时另告知, 至多每秒一次 (`event: job`, 操作 `job.progress`, 无 `id`, 不补发);
    /// 任务的开始与结束是普通事件, 结果请取该任务。
    /// 每个账号至多 128 个连接。浏览器的 `EventSource` 不能带 `Authorization`, 请用 `fetch` 读取。
    ListenToEvents: EventRead, Get "/events", tag "events", codes [TooManyListeners]
    async fn listen_to_events(gate, _id: (), _query: NoQuery, _body: NoBody) -> Listening<EventView> {
        let listener = Listener::at(&gate)?;
        let (doors, last) = (gate.doors().clone(), gate.facts().last_event_id.clone());
        let start = gate.look(move |tx| service::start(tx, &doors, last.as_deref())).await?;
        let (receiver, line) = gate.doors().listeners().arrive(listener, start.after, start.lost)?;
        Done::with(Listening::begin(receiver, line))
    }
}
