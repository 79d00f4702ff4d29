//! Rows of finding candidates, read through the checks that they come from.

use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::rules::{Candidate, CandidateId, CandidateState, Found, Source};
use crate::access::policy::{Action, Background};
use crate::access::{PathRange, Tx};
use crate::db::schema::inspections::{finding_candidates, unannounced_checks};
use crate::db::{Instant, insert_rows, with_conn};
use crate::errors::Result;
use crate::inspections::authorisations::rules::CheckKind;
use crate::inspections::checks::insight::Insight;
use crate::inspections::checks::rules::{CheckId, CheckState};
use crate::inspections::checks::visible_checks;
use crate::org::rules::UnitId;
use crate::web::{MadeSort, Page, Paging, load_as_made, made_place};

use finding_candidates as t;
use unannounced_checks as checks;

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = finding_candidates)]
struct Row {
    id: CandidateId,
    check_id: CheckId,
    item: String,
    category: String,
    question: String,
    standard: String,
    recorded: i64,
    amended: Option<i64>,
    version: i64,
    created_at: Instant,
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = unannounced_checks)]
struct SourceRow {
    kind: CheckKind,
    number: Option<i64>,
    unit_id: UnitId,
    state: CheckState,
    objection_until_on: Option<chrono::NaiveDate>,
    decided_at: Option<Instant>,
}

impl From<Row> for Candidate {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            check_id: row.check_id,
            item: row.item,
            category: row.category,
            question: row.question,
            standard: row.standard,
            recorded: row.recorded,
            amended: row.amended,
            version: row.version,
            created_at: row.created_at,
        }
    }
}

impl From<SourceRow> for Source {
    fn from(row: SourceRow) -> Self {
        Self {
            kind: row.kind,
            number: row.number,
            unit_id: row.unit_id,
            kept: row.state,
            objection_until_on: row.objection_until_on,
            decided_at: row.decided_at,
        }
    }
}

/// What a list of candidates is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct CandidateFilter {
    /// In these states, as of today; empty for all.
    pub states: Vec<CandidateState>,
    /// Found by checks of these kinds; empty for all.
    pub kinds: Vec<CheckKind>,
    /// Found at these units, or what has taken over from them.
    pub below: Option<PathRange>,
    /// Found by this check.
    pub check: Option<CheckId>,
    /// Found at this item.
    pub item: Option<String>,
}

/// The one place where the table is named for reading by somebody: whoever may know of the check may know of what it found.
macro_rules! visible {
    ($tenant:expr, $reach:expr, $user:expr) => {
        visible_checks!(
            t::table.inner_join(
                checks::table.on(t::tenant_id.eq(checks::tenant_id).and(t::check_id.eq(checks::id)))
            ),
            $tenant,
            $reach,
            $user,
            // What is not released has found nothing yet.
            Insight::default()
        )
    };
}

macro_rules! filtered {
    ($tenant:expr, $reach:expr, $user:expr, $filter:expr, $today:expr) => {{
        let mut query = visible!($tenant, $reach, $user);
        if !$filter.states.is_empty() {
            let wants = |state: CandidateState| $filter.states.contains(&state).into_sql::<Bool>();
            // As Candidate::standing has it.
            let is_over = || checks::objection_until_on.assume_not_null().lt($today);
            let amended = || t::amended.assume_not_null();
            let is = |state: CheckState| checks::state.eq(state);
            let pending = is(CheckState::Contested)
                .or(is(CheckState::Released).and(diesel::dsl::not(is_over())))
                .or(is(CheckState::Amended).and(t::amended.is_null()));
            let counted = is(CheckState::Upheld)
                .or(is(CheckState::Released).and(is_over()))
                .or(is(CheckState::Amended).and(amended().gt(0_i64)));
            let dropped = is(CheckState::Amended).and(amended().eq(0_i64));
            query = query.filter(
                pending
                    .and(wants(CandidateState::Pending))
                    .or(counted.and(wants(CandidateState::Counted)))
                    .or(dropped.and(wants(CandidateState::Dropped))),
            );
        }
        if !$filter.kinds.is_empty() {
            query = query.filter(checks::kind.eq_any($filter.kinds.clone()));
        }
        if let Some(range) = $filter.below.clone() {
            query = query.filter(checks::unit_path.ge(range.low)).filter(checks::unit_path.lt(range.high));
        }
        if let Some(check) = $filter.check {
            query = query.filter(t::check_id.eq(check));
        }
        if let Some(item) = $filter.item.clone() {
            query = query.filter(t::item.eq(item));
        }
        query
    }};
}

pub(super) fn list<A: Action>(
    tx: &mut Tx<'_, A>,
    filter: &CandidateFilter,
    sort: MadeSort,
    paging: &Paging,
) -> Result<Page<(Candidate, Source)>> {
    let (tenant, reach, user) = (tx.tenant(), tx.reach().clone(), tx.user()?);
    let today = tx.now().shanghai_day();
    let after: Option<(Instant, CandidateId)> = paging.after_made()?;
    let total: Option<i64> = if paging.counts() {
        Some(with_conn!(tx.conn(), c => filtered!(tenant, reach, user, filter, today).count().get_result(c))?)
    } else {
        None
    };
    let rows: Vec<(Row, SourceRow)> = with_conn!(tx.conn(), c => {
        let query = filtered!(tenant, reach, user, filter, today)
            .select((Row::as_select(), SourceRow::as_select()))
            .limit(paging.fetch());
        load_as_made!(query, c, sort == MadeSort::Newest, after, t::created_at, t::id)
    })?;
    let Page { items, next_cursor, total } =
        paging.page(rows, total, |(row, _)| made_place(row.created_at, row.id));
    let items = items.into_iter().map(|(row, source)| (row.into(), source.into())).collect();
    Ok(Page { items, next_cursor, total })
}

/// The candidate, if the caller may know of it.
pub(super) fn find<A: Action>(tx: &mut Tx<'_, A>, id: CandidateId) -> Result<Option<(Candidate, Source)>> {
    let (tenant, reach, user) = (tx.tenant(), tx.reach().clone(), tx.user()?);
    let row: Option<(Row, SourceRow)> = with_conn!(tx.conn(), c => visible!(tenant, reach, user)
        .filter(t::id.eq(id))
        .select((Row::as_select(), SourceRow::as_select()))
        .first(c)
        .optional())?;
    Ok(row.map(|(row, source)| (row.into(), source.into())))
}

/// What was drawn from a check that the caller knows of, in the order it was.
pub(super) fn of_check<A: Action>(tx: &mut Tx<'_, A>, check: CheckId) -> Result<Vec<Candidate>> {
    let tenant = tx.tenant();
    let rows: Vec<Row> = with_conn!(tx.conn(), c => t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::check_id.eq(check))
        .order((t::created_at, t::id))
        .select(Row::as_select())
        .load(c))?;
    Ok(rows.into_iter().map(Candidate::from).collect())
}

/// How many were drawn from a check that the caller knows of.
pub(super) fn count<A: Action>(tx: &mut Tx<'_, A>, check: CheckId) -> Result<i64> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::check_id.eq(check))
        .count()
        .get_result(c))?)
}

/// Enters what was found, each under its new id.
pub(super) fn insert<A: Action>(
    tx: &mut Tx<'_, A>,
    check: CheckId,
    new: &[(CandidateId, Found<'_>)],
) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    let rows: Vec<_> = new
        .iter()
        .map(|(id, found)| {
            (
                t::tenant_id.eq(tenant),
                t::id.eq(*id),
                t::check_id.eq(check),
                t::item.eq(&found.item.code),
                t::category.eq(&found.item.category),
                t::question.eq(&found.item.question),
                t::standard.eq(&found.item.standard),
                t::recorded.eq(found.recorded),
                t::amended.eq(found.amended),
                t::version.eq(1_i64),
                t::created_at.eq(now),
            )
        })
        .collect();
    insert_rows!(tx.conn(), t::table, &rows);
    Ok(())
}

/// Keeps what a candidate was amended to, version one up.
pub(super) fn amend<A: Action>(tx: &mut Tx<'_, A>, id: CandidateId, points: Option<i64>) -> Result<()> {
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::update(t::table.find((tenant, id)))
        .set((t::amended.eq(points), t::version.eq(t::version + 1)))
        .execute(c))?;
    Ok(())
}

/// Released checks behind an id, so many at most, of which something seems not to have been drawn: they deduct points and have
/// no candidate, or were amended and have none that says so.
pub(super) fn wanting(
    tx: &mut Tx<'_, Background>,
    after: Option<CheckId>,
    most: i64,
) -> Result<Vec<CheckId>> {
    let tenant = tx.tenant();
    let is_amended = || checks::state.eq(CheckState::Amended);
    let drawn = t::table
        .filter(t::tenant_id.eq(checks::tenant_id))
        .filter(t::check_id.eq(checks::id))
        .filter(diesel::dsl::not(is_amended()).or(t::amended.is_not_null()));
    let query = checks::table
        .filter(checks::tenant_id.eq(tenant))
        .filter(checks::released_at.is_not_null())
        .filter(checks::deducted.assume_not_null().gt(0_i64).or(is_amended()))
        .filter(diesel::dsl::not(diesel::dsl::exists(drawn)))
        .order(checks::id)
        .select(checks::id)
        .limit(most);
    Ok(match after {
        None => with_conn!(tx.conn(), c => query.load(c))?,
        Some(after) => with_conn!(tx.conn(), c => query.filter(checks::id.gt(after)).load(c))?,
    })
}
