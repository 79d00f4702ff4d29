//! `/plans/{plan_id}/votes`.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use validator::Validate;

use super::rules::{Ballot, Vote, VoteChoice, VoteId};
use super::service;
use crate::access::Tx;
use crate::access::names::{UserNames, UserRef};
use crate::access::policy::{Action, PlanRead, PlanVote};
use crate::campaigns::rules::PlanId;
use crate::db::Instant;
use crate::errors::{AppError, Result};
use crate::web::{Count, Created, Example, Json, NoBody, NoQuery, Page, Resource, Versioned, endpoint};

const PLAN: &str = "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d80";

/// 一轮表决的计票。
#[derive(Debug, Serialize, ToSchema)]
pub struct BallotView {
    /// 轮次: 每提交一次为一轮, 从 1 起。
    #[schema(minimum = 1, maximum = 10_000)]
    round: i32,
    /// 应表决的成员数, 以提交当日为准。
    #[schema(minimum = 1, maximum = 10_000)]
    members: i64,
    /// 已参加表决的, 含弃权。
    #[schema(minimum = 0, maximum = 10_000)]
    cast: i64,
    /// 赞成。
    #[schema(minimum = 0, maximum = 10_000)]
    #[serde(rename = "for")]
    approving: i64,
    /// 反对。
    #[schema(minimum = 0, maximum = 10_000)]
    against: i64,
    /// 弃权。
    #[schema(minimum = 0, maximum = 10_000)]
    abstain: i64,
    /// 参加表决的须多于成员的此比例 (%)。
    #[schema(minimum = 50, maximum = 99)]
    above_percent: i32,
    /// 是否达到法定人数。
    quorate: bool,
    /// 是否通过: 达到法定人数, 且赞成多于反对。
    carried: bool,
}

impl From<Ballot> for BallotView {
    fn from(ballot: Ballot) -> Self {
        Self {
            round: ballot.round,
            members: ballot.members,
            cast: ballot.cast(),
            approving: ballot.approving,
            against: ballot.against,
            abstain: ballot.abstained,
            above_percent: ballot.above_percent,
            quorate: ballot.is_quorate(),
            carried: ballot.carried().is_ok(),
        }
    }
}

/// 一名成员的表决; 尚未表决的 `choice` 为 null。
#[derive(Debug, Serialize, ToSchema)]
pub struct VoteView {
    /// 标识。
    id: VoteId,
    /// 方案。
    plan_id: PlanId,
    /// 表决的是第几版。
    #[schema(minimum = 1, maximum = 100_000)]
    number: i32,
    /// 轮次: 每提交一次为一轮, 从 1 起。
    #[schema(minimum = 1, maximum = 10_000)]
    round: i32,
    /// 成员。
    member: UserRef,
    /// 赞成、反对或弃权。
    choice: Option<VoteChoice>,
    /// 意见。
    #[schema(max_length = 1000)]
    comment: Option<String>,
    /// 表决时刻。
    cast_at: Option<Instant>,
    /// 此轮结束的时刻: 已批准、退回或撤回; 进行中为 null。
    ended_at: Option<Instant>,
    /// 版本。
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: i64,
}

impl Versioned for VoteView {
    fn version(&self) -> i64 {
        self.version
    }
}

impl Example for VoteView {
    fn example() -> Value {
        json!({
            "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b6a01", "plan_id": PLAN, "number": 1, "round": 1,
            "member": { "id": "01936f2a-7c1e-7b6d-9a54-2f0e8c3b1d11", "display_name": "王建国" },
            "choice": "for", "comment": "同意。第三项的时限抓得准。", "cast_at": "2026-03-03T03:00:00.000000Z", "ended_at": null,
            "version": 2,
        })
    }
}

fn views<A: Action>(tx: &mut Tx<'_, A>, votes: Vec<Vote>) -> Result<Vec<VoteView>> {
    let names = UserNames::load(tx, votes.iter().map(|vote| vote.user_id))?;
    let view = |vote: Vote| {
        Ok(VoteView {
            id: vote.id,
            plan_id: vote.plan_id,
            number: vote.number,
            round: vote.round,
            member: names.get(vote.user_id)?,
            choice: vote.choice,
            comment: vote.comment,
            cast_at: vote.cast_at,
            ended_at: vote.ended_at,
            version: vote.version,
        })
    };
    votes.into_iter().map(view).collect()
}

fn view<A: Action>(tx: &mut Tx<'_, A>, vote: Vote) -> Result<VoteView> {
    views(tx, vec![vote])?.pop().ok_or_else(|| AppError::internal("a vote without a view"))
}

/// 表决列表的条件。
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct VoteQuery {
    /// 只列此轮。
    #[schema(minimum = 1, maximum = 10_000)]
    round: Option<i32>,
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
    /// 表决列表
    ///
    /// 应表决的每名成员一行, 新的轮次在前; 方案的计票见方案的 `ballot`。
    ListVotes: PlanRead, Get "/plans/{plan_id}/votes", tag "plans", codes []
    async fn list_votes(gate, id: PlanId, query: VoteQuery, _body: NoBody) -> Page<VoteView> {
        let paging = gate.paging(query.limit, query.cursor, query.count);
        gate.run(move |tx| {
            let Page { items, next_cursor, total } = service::list(tx, id, query.round, &paging)?;
            Ok(Page { items: views(tx, items)?, next_cursor, total })
        })
        .await
    }
}

endpoint! {
    /// 查看表决
    GetVote: PlanRead, Get "/plans/{plan_id}/votes/{vote_id}", tag "plans", codes []
    async fn get_vote(gate, ids: (PlanId, VoteId), _query: NoQuery, _body: NoBody) -> Resource<VoteView> {
        gate.run(move |tx| {
            let vote = service::find(tx, ids.0, ids.1)?;
            view(tx, vote).map(Resource)
        })
        .await
    }
}

/// 表决。
#[derive(Debug, Clone, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct CastVote {
    /// 赞成、反对或弃权。
    choice: VoteChoice,
    /// 意见。
    #[serde(default)]
    #[schema(min_length = 1, max_length = 1000)]
    comment: Option<String>,
}

impl Example for CastVote {
    fn example() -> Value {
        json!({ "choice": "for", "comment": "同意。第三项的时限抓得准。" })
    }
}

endpoint! {
    /// 表决方案
    ///
    /// 提交当日的领导小组成员各一票, 编制或提交的人不得表决; 一经表决不得更改, 以同样内容重发视为同一票 (200)。
    CastVoteEndpoint: PlanVote, Post "/plans/{plan_id}/votes", tag "plans",
        codes [PlanNotSubmitted, NotAVoter, ApproverIsAuthor, VoteCast]
    async fn cast_vote(gate, id: PlanId, _query: NoQuery, body: Json<CastVote>) -> Created<VoteView> {
        gate.run(move |tx| {
            let CastVote { choice, comment } = body.0;
            let (vote, existed) = service::cast(tx, id, choice, comment.as_deref())?;
            let location = format!("/plans/{id}/votes/{}", vote.id);
            Ok(Created { view: view(tx, vote)?, location, existed })
        })
        .await
    }
}
