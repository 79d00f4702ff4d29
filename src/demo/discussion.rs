//! What the demo's people have said of plans and changed in them since: comments, votes, amendments.

use chrono::{Duration, NaiveDate};

use super::story::Desk;
use crate::access::policy::{
    PlanAmend, PlanApprove, PlanComment, PlanPublish, PlanResolve, PlanSubmit, PlanUpdate, PlanVote,
};
use crate::campaigns::plan::ballots::rules::VoteChoice;
use crate::campaigns::plan::ballots::service as ballots;
use crate::campaigns::plan::comments::service as comments;
use crate::campaigns::plan::rules::PlanContent;
use crate::campaigns::plan::service as plans;
use crate::campaigns::plan::versions::service as versions;
use crate::campaigns::rules::PlanId;
use crate::db::start::Result;

/// A member of the leading group votes for what is submitted.
pub(super) async fn vote_for(member: &Desk, plan: PlanId) -> Result<()> {
    let said = Some("任务明确、责任到人, 同意。");
    member.act::<PlanVote, _>(move |tx| ballots::cast(tx, plan, VoteChoice::For, said).map(|_| ())).await
}

/// Begins an amendment that says one task more exactly.
pub(super) async fn amend(desk: &Desk, plan: PlanId) -> Result<()> {
    begin(desk, plan, "明确一项任务的通报频次。", |_| {}).await
}

/// Begins one that postpones the next deadline by a week too: only a plan that stands under none may do so.
pub(super) async fn postpone(desk: &Desk, plan: PlanId, today: NaiveDate) -> Result<()> {
    let change = move |content: &mut PlanContent| {
        let open = content.tasks.iter_mut().filter(|task| task.due_on > today);
        if let Some(next) = open.min_by_key(|task| task.due_on) {
            next.due_on += Duration::days(7);
        }
    };
    begin(desk, plan, "汛期警力紧张, 顺延一项任务的时限; 明确通报的频次。", change).await
}

async fn begin(
    desk: &Desk,
    plan: PlanId,
    reason: &'static str,
    change: impl FnOnce(&mut PlanContent) + Send + 'static,
) -> Result<()> {
    desk.act::<PlanAmend, _>(move |tx| versions::amend(tx, plan, reason).map(|_| ())).await?;
    let change = move |content: &PlanContent| {
        let mut changed = content.clone();
        change(&mut changed);
        if let Some(last) = changed.tasks.last_mut() {
            last.content.push_str("每月末通报一次进展。");
        }
        Ok(changed)
    };
    desk.act::<PlanUpdate, _>(move |tx| plans::update(tx, plan, change).map(|_| ())).await
}

/// Files what is in hand of a plan; what it says.
pub(super) async fn submit(desk: &Desk, plan: PlanId) -> Result<PlanContent> {
    Ok(desk.act::<PlanSubmit, _>(move |tx| plans::submit(tx, plan)).await?.1)
}

/// A plan is amended, and the new version is in force.
pub(super) async fn amended(desk: &Desk, head: &Desk, plan: PlanId) -> Result<()> {
    amend(desk, plan).await?;
    submit(desk, plan).await?;
    let comment = Some("同意修订, 其余任务不变。");
    head.act::<PlanApprove, _>(move |tx| plans::approve(tx, plan, comment).map(|_| ())).await?;
    desk.act::<PlanPublish, _>(move |tx| plans::publish(tx, plan).map(|_| ())).await
}

/// A member asks about one item and the office about the whole; the unit has dealt with the latter.
pub(super) async fn commented(
    member: &Desk,
    office: &Desk,
    unit: &Desk,
    (plan, filed): (PlanId, &PlanContent),
) -> Result<()> {
    let task = filed.tasks.get(2).and_then(|task| task.id);
    let asked = "完成时限与上级一致, 但未写明由哪个部门汇总, 请补充。";
    member.act::<PlanComment, _>(move |tx| comments::add(tx, plan, None, task, asked).map(|_| ())).await?;
    let noted = "会议名称请写全称。";
    let (_, comment, _) =
        office.act::<PlanComment, _>(move |tx| comments::add(tx, plan, None, None, noted)).await?;
    unit.act::<PlanResolve, _>(move |tx| comments::resolve(tx, plan, comment.id).map(|_| ())).await
}
