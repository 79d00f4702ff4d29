//! Rows of votes.

use std::collections::HashMap;

use diesel::prelude::*;

use super::rules::{Ballot, Vote, VoteChoice, VoteId};
use crate::access::policy::Action;
use crate::access::{Tx, UserId};
use crate::campaigns::rules::PlanId;
use crate::db::schema::plan_votes;
use crate::db::{Instant, insert_rows, lock_row, with_conn};
use crate::errors::Result;
use crate::web::{Page, Paging};

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = plan_votes)]
struct Row {
    id: VoteId,
    plan_id: PlanId,
    number: i32,
    round: i32,
    user_id: UserId,
    choice: Option<VoteChoice>,
    comment: Option<String>,
    cast_at: Option<Instant>,
    ended_at: Option<Instant>,
    version: i64,
}

impl From<Row> for Vote {
    fn from(row: Row) -> Self {
        let Row { id, plan_id, number, round, user_id, choice, comment, cast_at, ended_at, version } = row;
        Self { id, plan_id, number, round, user_id, choice, comment, cast_at, ended_at, version }
    }
}

/// Asks these members in a round of its own.
pub(super) fn ask<A: Action>(
    tx: &mut Tx<'_, A>,
    plan: PlanId,
    number: i32,
    above_percent: i32,
    members: &[UserId],
) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    let last: Option<i32> = with_conn!(tx.conn(), c => plan_votes::table
        .filter(plan_votes::tenant_id.eq(tenant))
        .filter(plan_votes::plan_id.eq(plan))
        .select(diesel::dsl::max(plan_votes::round))
        .first(c))?;
    let round = last.unwrap_or(0) + 1;
    let rows: Vec<_> = members
        .iter()
        .map(|member| {
            (
                plan_votes::tenant_id.eq(tenant),
                plan_votes::id.eq(VoteId::generate()),
                plan_votes::plan_id.eq(plan),
                plan_votes::number.eq(number),
                plan_votes::round.eq(round),
                plan_votes::user_id.eq(*member),
                plan_votes::above_percent.eq(above_percent),
                plan_votes::version.eq(1_i64),
                plan_votes::created_at.eq(now),
            )
        })
        .collect();
    insert_rows!(tx.conn(), plan_votes::table, &rows);
    Ok(())
}

type Counted = (PlanId, i32, i32, Option<VoteChoice>, i64);

/// The rounds under way of these plans, counted.
pub(super) fn under_way<A: Action>(tx: &mut Tx<'_, A>, ids: &[PlanId]) -> Result<HashMap<PlanId, Ballot>> {
    let tenant = tx.tenant();
    let mut found: HashMap<PlanId, Ballot> = HashMap::new();
    for some in ids.chunks(500) {
        let rows: Vec<Counted> = with_conn!(tx.conn(), c => plan_votes::table
            .filter(plan_votes::tenant_id.eq(tenant))
            .filter(plan_votes::plan_id.eq_any(some.to_vec()))
            .filter(plan_votes::ended_at.is_null())
            .group_by((plan_votes::plan_id, plan_votes::round, plan_votes::above_percent, plan_votes::choice))
            .select((
                plan_votes::plan_id,
                plan_votes::round,
                plan_votes::above_percent,
                plan_votes::choice,
                diesel::dsl::count_star(),
            ))
            .load(c))?;
        for (plan, round, above_percent, choice, count) in rows {
            let ballot = found.entry(plan).or_insert(Ballot { round, above_percent, ..Ballot::default() });
            ballot.members += count;
            match choice {
                Some(VoteChoice::For) => ballot.approving += count,
                Some(VoteChoice::Against) => ballot.against += count,
                Some(VoteChoice::Abstain) => ballot.abstained += count,
                None => {}
            }
        }
    }
    Ok(found)
}

/// On which of these plans an account is asked to vote and has not.
pub(super) fn asked<A: Action>(tx: &mut Tx<'_, A>, ids: &[PlanId], user: UserId) -> Result<Vec<PlanId>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => plan_votes::table
        .filter(plan_votes::tenant_id.eq(tenant))
        .filter(plan_votes::user_id.eq(user))
        .filter(plan_votes::plan_id.eq_any(ids.to_vec()))
        .filter(plan_votes::ended_at.is_null())
        .filter(plan_votes::choice.is_null())
        .select(plan_votes::plan_id)
        .load(c))?)
}

/// The member's vote in the round under way, held until the transaction ends.
pub(super) fn hold<A: Action>(tx: &mut Tx<'_, A>, plan: PlanId, user: UserId) -> Result<Option<Vote>> {
    let tenant = tx.tenant();
    macro_rules! mine {
        () => {
            plan_votes::table
                .filter(plan_votes::tenant_id.eq(tenant))
                .filter(plan_votes::plan_id.eq(plan))
                .filter(plan_votes::user_id.eq(user))
                .filter(plan_votes::ended_at.is_null())
        };
    }
    lock_row!(tx.conn(), mine!().select(plan_votes::id));
    let row: Option<Row> = with_conn!(tx.conn(), c => mine!().select(Row::as_select()).first(c).optional())?;
    Ok(row.map(Vote::from))
}

/// Writes how a member has voted.
pub(super) fn cast<A: Action>(tx: &mut Tx<'_, A>, vote: &Vote) -> Result<()> {
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::update(plan_votes::table.find((tenant, vote.id)))
        .set((
            plan_votes::choice.eq(vote.choice),
            plan_votes::comment.eq(&vote.comment),
            plan_votes::cast_at.eq(vote.cast_at),
            plan_votes::version.eq(vote.version),
        ))
        .execute(c))?;
    Ok(())
}

/// Ends the rounds under way of these plans: what was cast stays to be read.
pub(super) fn end<A: Action>(tx: &mut Tx<'_, A>, ids: &[PlanId]) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    for some in ids.chunks(500) {
        with_conn!(tx.conn(), c => diesel::update(plan_votes::table
            .filter(plan_votes::tenant_id.eq(tenant))
            .filter(plan_votes::plan_id.eq_any(some.to_vec()))
            .filter(plan_votes::ended_at.is_null()))
            .set((plan_votes::ended_at.eq(now), plan_votes::version.eq(plan_votes::version + 1_i64)))
            .execute(c))?;
    }
    Ok(())
}

/// One vote on a plan.
pub(super) fn find<A: Action>(tx: &mut Tx<'_, A>, plan: PlanId, id: VoteId) -> Result<Option<Vote>> {
    let tenant = tx.tenant();
    let row: Option<Row> = with_conn!(tx.conn(), c => plan_votes::table
        .find((tenant, id))
        .filter(plan_votes::plan_id.eq(plan))
        .select(Row::as_select())
        .first(c)
        .optional())?;
    Ok(row.map(Vote::from))
}

/// The votes on a plan: the newest round first.
pub(super) fn list<A: Action>(
    tx: &mut Tx<'_, A>,
    plan: PlanId,
    round: Option<i32>,
    paging: &Paging,
) -> Result<Page<Vote>> {
    let tenant = tx.tenant();
    macro_rules! these {
        () => {{
            let mut query = plan_votes::table.into_boxed();
            if let Some(round) = round {
                query = query.filter(plan_votes::round.eq(round));
            }
            query.filter(plan_votes::tenant_id.eq(tenant)).filter(plan_votes::plan_id.eq(plan))
        }};
    }
    let after = paging
        .after(2)?
        .and_then(|place| Some((place.first()?.parse::<i32>().ok()?, VoteId::parse(place.get(1)?)?)));
    let total: Option<i64> = if paging.counts() {
        Some(with_conn!(tx.conn(), c => these!().count().get_result(c))?)
    } else {
        None
    };
    let rows: Vec<Row> = with_conn!(tx.conn(), c => {
        let query = these!()
            .order((plan_votes::round.desc(), plan_votes::id.asc()))
            .select(Row::as_select())
            .limit(paging.fetch());
        match after {
            None => query.load(c),
            Some((round, id)) => query
                .filter(plan_votes::round.lt(round).or(plan_votes::round.eq(round).and(plan_votes::id.gt(id))))
                .load(c),
        }
    })?;
    let place = |vote: &Vote| vec![vote.round.to_string(), vote.id.to_string()];
    Ok(paging.page(rows.into_iter().map(Vote::from).collect(), total, place))
}
