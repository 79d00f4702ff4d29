//! Rows of unannounced checks, and of their teams.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::insight::Insight;
use super::rules::{Check, CheckId, CheckState};
use super::{awaited_store, embargo_store};
use crate::access::policy::{Action, WorkFollow};
use crate::access::{EffectTx, PathRange, Reach, Tx, UserId, follow_path};
use crate::db::schema::inspections::{check_members, unannounced_checks};
use crate::db::{Instant, insert_rows, lock_row, share_row, with_conn};
use crate::errors::{AppError, Result};
use crate::inspections::attachments::rules::AttachmentId;
use crate::inspections::authorisations::rules::{AuthorisationId, CheckKind};
use crate::inspections::checklists::rules::ChecklistVersionId;
use crate::org::rules::UnitId;
use crate::web::{MadeSort, Page, Paging, load_as_made, made_place};

use unannounced_checks as t;

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = unannounced_checks)]
struct Row {
    id: CheckId,
    authorisation_id: AuthorisationId,
    kind: CheckKind,
    unit_id: UnitId,
    unit_path: String,
    commander_id: UserId,
    checklist_version_id: ChecklistVersionId,
    state: CheckState,
    begun_at: Instant,
    received_at: Instant,
    skew_ms: Option<i64>,
    place: String,
    record: Option<String>,
    deducted: Option<i64>,
    recorded_by: Option<UserId>,
    recorded_at: Option<Instant>,
    confirmed_at: Option<Instant>,
    released_at: Option<Instant>,
    number: Option<i64>,
    objection_until_on: Option<NaiveDate>,
    objection: Option<String>,
    contested_by: Option<UserId>,
    contested_at: Option<Instant>,
    decision: Option<String>,
    decided_by: Option<UserId>,
    decided_at: Option<Instant>,
    void_reason: Option<String>,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

fn check(
    row: Row,
    (team, awaited): (Vec<UserId>, Vec<AttachmentId>),
    disclosed_at: Option<Instant>,
) -> Result<Check> {
    let said = |text: Option<String>, by: Option<UserId>, at: Option<Instant>| text.zip(by).zip(at);
    Ok(Check {
        id: row.id,
        authorisation_id: row.authorisation_id,
        kind: row.kind,
        unit_id: row.unit_id,
        unit_path: row.unit_path,
        team,
        commander_id: row.commander_id,
        checklist_version_id: row.checklist_version_id,
        kept: row.state,
        begun_at: row.begun_at,
        received_at: row.received_at,
        skew_ms: row.skew_ms,
        place: serde_json::from_str(&row.place).map_err(AppError::internal)?,
        record: row.record.map(|text| serde_json::from_str(&text).map_err(AppError::internal)).transpose()?,
        deducted: row.deducted,
        recorded_by: row.recorded_by,
        recorded_at: row.recorded_at,
        confirmed_at: row.confirmed_at,
        released_at: row.released_at,
        disclosed_at,
        number: row.number,
        objection_until_on: row.objection_until_on,
        objection: said(row.objection, row.contested_by, row.contested_at)
            .map(|((text, by), at)| (text, by, at)),
        decision: match said(row.decision, row.decided_by, row.decided_at) {
            Some(((text, by), at)) => {
                Some((serde_json::from_str(&text).map_err(AppError::internal)?, by, at))
            }
            None => None,
        },
        void_reason: row.void_reason,
        awaited,
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

/// What a list of checks is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct CheckFilter {
    /// In these states, as of today; empty for all.
    pub states: Vec<CheckState>,
    /// Made in these ways; empty for all.
    pub kinds: Vec<CheckKind>,
    /// Of these units.
    pub below: Option<PathRange>,
    /// Made under this authorisation.
    pub authorisation: Option<AuthorisationId>,
}

/// The one place where the table is named for reading, and where the embargo stands: the team's and the commander's own;
/// of others within reach what is open or has been released; and what was disclosed without that, as far as the insight goes
/// ([`Insight::reaches`]). What follows from checks is read through it too, joined with them.
macro_rules! visible {
    ($from:expr, $tenant:expr, $reach:expr, $user:expr, $insight:expr) => {{
        use $crate::db::schema::inspections::{
            check_disclosures as disclosures, check_members as members, unannounced_checks as checks,
        };
        use $crate::inspections::authorisations::rules::CheckKind as Kind;
        let public = || checks::kind.eq(Kind::Open).or(checks::released_at.is_not_null());
        let mut query = $from.into_boxed().filter(
            checks::commander_id.eq($user).or(checks::id.eq_any(
                members::table
                    .filter(members::tenant_id.eq($tenant))
                    .filter(members::user_id.eq($user))
                    .select(members::check_id),
            )),
        );
        if $reach.tenant {
            query = query.or_filter(public());
        }
        for range in &$reach.ranges {
            query = query.or_filter(
                public()
                    .and(checks::unit_path.ge(range.low.clone()))
                    .and(checks::unit_path.lt(range.high.clone())),
            );
        }
        for range in &$insight.below {
            query = query.or_filter(
                checks::id
                    .eq_any(
                        disclosures::table
                            .filter(disclosures::tenant_id.eq($tenant))
                            .select(disclosures::check_id),
                    )
                    .and(checks::unit_path.gt(range.low.clone()))
                    .and(checks::unit_path.lt(range.high.clone()))
                    .and(checks::unit_path.ne_all($insight.own.clone())),
            );
        }
        query.filter(checks::tenant_id.eq($tenant))
    }};
}
pub(in crate::inspections) use visible;

macro_rules! filtered {
    ($tenant:expr, ($reach:expr, $insight:expr), $user:expr, $filter:expr, $today:expr) => {{
        let mut query = visible!(t::table, $tenant, $reach, $user, $insight);
        if !$filter.states.is_empty() {
            let kept: Vec<CheckState> = $filter
                .states
                .iter()
                .copied()
                .filter(|state| ![CheckState::Released, CheckState::Final].contains(state))
                .collect();
            // What is final follows from the day.
            let has = |state: CheckState| $filter.states.contains(&state);
            let is_over = || t::objection_until_on.assume_not_null().lt($today);
            query = query.filter(
                t::state
                    .eq_any(kept)
                    .or(t::state
                        .eq(CheckState::Released)
                        .and(has(CheckState::Released).into_sql::<diesel::sql_types::Bool>())
                        .and(diesel::dsl::not(is_over())))
                    .or(t::state
                        .eq(CheckState::Released)
                        .and(has(CheckState::Final).into_sql::<diesel::sql_types::Bool>())
                        .and(is_over())),
            );
        }
        if !$filter.kinds.is_empty() {
            query = query.filter(t::kind.eq_any($filter.kinds.clone()));
        }
        if let Some(range) = $filter.below.clone() {
            query = query.filter(t::unit_path.ge(range.low)).filter(t::unit_path.lt(range.high));
        }
        if let Some(authorisation) = $filter.authorisation {
            query = query.filter(t::authorisation_id.eq(authorisation));
        }
        query
    }};
}

pub(super) fn list<A: Action>(
    tx: &mut Tx<'_, A>,
    filter: &CheckFilter,
    sort: MadeSort,
    paging: &Paging,
) -> Result<Page<Check>> {
    use diesel::IntoSql;
    let (tenant, reach, user) = (tx.tenant(), tx.reach().clone(), tx.user()?);
    let (today, insight) = (tx.now().shanghai_day(), Insight::of(tx)?);
    let after: Option<(Instant, CheckId)> = paging.after_made()?;
    let total: Option<i64> = if paging.counts() {
        Some(
            with_conn!(tx.conn(), c => filtered!(tenant, (reach, insight), user, filter, today).count().get_result(c))?,
        )
    } else {
        None
    };
    let rows: Vec<Row> = with_conn!(tx.conn(), c => {
        let query = filtered!(tenant, (reach, insight), user, filter, today).select(Row::as_select()).limit(paging.fetch());
        load_as_made!(query, c, sort == MadeSort::Newest, after, t::created_at, t::id)
    })?;
    let Page { items, next_cursor, total } =
        paging.page(rows, total, |row| made_place(row.created_at, row.id));
    Ok(Page { items: complete(tx, items)?, next_cursor, total })
}

/// Checks in this state today that the caller may know of, their own and those within `reach`: the first entered first, from
/// behind one of them on.
pub(super) fn in_state<A: Action>(
    tx: &mut Tx<'_, A>,
    reach: &Reach,
    state: CheckState,
    (after, most): (Option<(Instant, CheckId)>, i64),
) -> Result<Vec<Check>> {
    use diesel::IntoSql;
    let (tenant, user, today) = (tx.tenant(), tx.user()?, tx.now().shanghai_day());
    let insight = Insight::of(tx)?;
    let filter = CheckFilter { states: vec![state], ..CheckFilter::default() };
    let rows: Vec<Row> = with_conn!(tx.conn(), c => {
        let query = filtered!(tenant, (reach, insight), user, filter, today).select(Row::as_select()).limit(most);
        load_as_made!(query, c, false, after, t::created_at, t::id)
    })?;
    complete(tx, rows)
}

/// The rows with their teams, what they await, and since when they are disclosed, fetched together.
fn complete<A: Action>(tx: &mut Tx<'_, A>, rows: Vec<Row>) -> Result<Vec<Check>> {
    let tenant = tx.tenant();
    let ids: Vec<CheckId> = rows.iter().map(|row| row.id).collect();
    let mut awaited = awaited_store::of_checks(tx, &ids)?;
    let covert = rows.iter().filter(|row| row.kind == CheckKind::Covert).map(|row| row.id).collect();
    let disclosed = embargo_store::disclosed(tx, covert)?;
    let members: Vec<(CheckId, UserId)> = with_conn!(tx.conn(), c => check_members::table
        .filter(check_members::tenant_id.eq(tenant))
        .filter(check_members::check_id.eq_any(ids))
        .order((check_members::check_id, check_members::position))
        .select((check_members::check_id, check_members::user_id))
        .load(c))?;
    let mut teams: HashMap<CheckId, Vec<UserId>> = HashMap::new();
    for (id, user) in members {
        teams.entry(id).or_default().push(user);
    }
    rows.into_iter()
        .map(|row| {
            let team = teams.remove(&row.id).unwrap_or_default();
            let awaited = awaited.remove(&row.id).unwrap_or_default();
            let disclosed_at = disclosed.get(&row.id).copied();
            check(row, (team, awaited), disclosed_at)
        })
        .collect()
}

/// The check, if the caller may know of it and `reach` holds it, or it is the caller's own.
pub(super) fn find<A: Action>(tx: &mut Tx<'_, A>, reach: &Reach, id: CheckId) -> Result<Option<Check>> {
    let (tenant, user, insight) = (tx.tenant(), tx.user()?, Insight::of(tx)?);
    let row: Option<Row> = with_conn!(tx.conn(), c => visible!(t::table, tenant, reach, user, insight)
        .filter(t::id.eq(id))
        .select(Row::as_select())
        .first(c)
        .optional())?;
    Ok(complete(tx, row.into_iter().collect())?.pop())
}

/// The check, whoever may know of it: for what is done by the clock, and for what only notes.
pub(super) fn unseen<A: Action>(tx: &mut Tx<'_, A>, id: CheckId) -> Result<Option<Check>> {
    let tenant = tx.tenant();
    let row: Option<Row> = with_conn!(tx.conn(), c => t::table
        .find((tenant, id))
        .select(Row::as_select())
        .first(c)
        .optional())?;
    Ok(complete(tx, row.into_iter().collect())?.pop())
}

/// The versions by which the caller's own checks in progress are made, each once.
pub(super) fn versions_in_hand<A: Action>(tx: &mut Tx<'_, A>) -> Result<Vec<ChecklistVersionId>> {
    let (tenant, user) = (tx.tenant(), tx.user()?);
    Ok(with_conn!(tx.conn(), c => t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::state.eq(CheckState::InProgress))
        .filter(t::id.eq_any(
            check_members::table
                .filter(check_members::tenant_id.eq(tenant))
                .filter(check_members::user_id.eq(user))
                .select(check_members::check_id),
        ))
        .order(t::checklist_version_id)
        .select(t::checklist_version_id)
        .distinct()
        .limit(100)
        .load(c))?)
}

/// Those of these checks that have been voided.
pub(super) fn voided<A: Action>(tx: &mut Tx<'_, A>, ids: &[CheckId]) -> Result<Vec<CheckId>> {
    let (tenant, ids) = (tx.tenant(), ids.to_vec());
    Ok(with_conn!(tx.conn(), c => t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::id.eq_any(ids))
        .filter(t::state.eq(CheckState::Voided))
        .select(t::id)
        .load(c))?)
}

/// Keeps the check as it is until the transaction ends.
pub(super) fn share<A: Action>(tx: &mut Tx<'_, A>, id: CheckId) -> Result<()> {
    let tenant = tx.tenant();
    share_row!(tx.conn(), t::table.find((tenant, id)).select(t::id));
    Ok(())
}

/// Whether the caller may know of the check.
pub(super) fn knows<A: Action>(tx: &mut Tx<'_, A>, reach: &Reach, id: CheckId) -> Result<bool> {
    let (tenant, user, insight) = (tx.tenant(), tx.user()?, Insight::of(tx)?);
    let found: i64 = with_conn!(tx.conn(), c => visible!(t::table, tenant, reach, user, insight)
        .filter(t::id.eq(id))
        .count()
        .get_result(c))?;
    Ok(found > 0)
}

/// Locks the check's row until the transaction ends; SQLite has one writer anyway.
pub(super) fn lock<A: Action>(tx: &mut Tx<'_, A>, id: CheckId) -> Result<()> {
    let tenant = tx.tenant();
    lock_row!(tx.conn(), t::table.find((tenant, id)).select(t::id));
    Ok(())
}

/// Whether the id is in use, wherever.
pub(super) fn is_taken<A: Action>(tx: &mut Tx<'_, A>, id: CheckId) -> Result<bool> {
    let tenant = tx.tenant();
    let found: i64 = with_conn!(tx.conn(), c => t::table.find((tenant, id)).count().get_result(c))?;
    Ok(found > 0)
}

fn json<T: serde::Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(AppError::internal)
}

pub(super) fn insert<A: Action>(tx: &mut Tx<'_, A>, new: &Check) -> Result<()> {
    let (tenant, user) = (tx.tenant(), tx.user()?);
    let (place, record) = (json(&new.place)?, new.record.as_ref().map(json).transpose()?);
    with_conn!(tx.conn(), c => diesel::insert_into(t::table)
        .values((
            (
                t::tenant_id.eq(tenant),
                t::id.eq(new.id),
                t::authorisation_id.eq(new.authorisation_id),
                t::kind.eq(new.kind),
                t::unit_id.eq(new.unit_id),
                t::unit_path.eq(&new.unit_path),
                t::commander_id.eq(new.commander_id),
                t::checklist_version_id.eq(new.checklist_version_id),
                t::state.eq(new.kept),
            ),
            t::begun_at.eq(new.begun_at),
            t::received_at.eq(new.received_at),
            t::skew_ms.eq(new.skew_ms),
            t::place.eq(place),
            t::record.eq(record),
            t::deducted.eq(new.deducted),
            t::recorded_by.eq(new.recorded_by),
            t::recorded_at.eq(new.recorded_at),
            t::version.eq(new.version),
            t::created_by.eq(user),
            t::created_at.eq(new.created_at),
            t::updated_at.eq(new.updated_at),
        ))
        .execute(c))?;
    let members: Vec<_> = (0_i32..)
        .zip(&new.team)
        .map(|(position, user)| {
            (
                check_members::tenant_id.eq(tenant),
                check_members::check_id.eq(new.id),
                check_members::position.eq(position),
                check_members::user_id.eq(*user),
            )
        })
        .collect();
    insert_rows!(tx.conn(), check_members::table, &members);
    Ok(())
}

/// Saves what a check is now, version one up; what it is about and who makes it never changes.
pub(super) fn save<A: Action>(tx: &mut Tx<'_, A>, after: &mut Check) -> Result<()> {
    let tenant = tx.tenant();
    after.version += 1;
    after.updated_at = tx.now();
    let record = after.record.as_ref().map(json).transpose()?;
    let (objection, decision) = (after.objection.clone(), after.decision.clone());
    let reasons = decision.as_ref().map(|(decision, ..)| json(decision)).transpose()?;
    with_conn!(tx.conn(), c => diesel::update(t::table.find((tenant, after.id)))
        .set((
            (
                t::state.eq(after.kept),
                t::record.eq(record),
                t::deducted.eq(after.deducted),
                t::recorded_by.eq(after.recorded_by),
                t::recorded_at.eq(after.recorded_at),
                t::confirmed_at.eq(after.confirmed_at),
                t::released_at.eq(after.released_at),
                t::number.eq(after.number),
            ),
            t::objection_until_on.eq(after.objection_until_on),
            t::objection.eq(objection.as_ref().map(|(text, ..)| text)),
            t::contested_by.eq(objection.as_ref().map(|(_, by, _)| *by)),
            t::contested_at.eq(objection.as_ref().map(|(_, _, at)| *at)),
            t::decision.eq(reasons),
            t::decided_by.eq(decision.as_ref().map(|(_, by, _)| *by)),
            t::decided_at.eq(decision.as_ref().map(|(_, _, at)| *at)),
            t::void_reason.eq(&after.void_reason),
            t::version.eq(after.version),
            t::updated_at.eq(after.updated_at),
        ))
        .execute(c))?;
    Ok(())
}

/// The highest number given between two, the second left out. Whoever asks holds the province's row.
pub(super) fn last_number<A: Action>(tx: &mut Tx<'_, A>, from: i64, to: i64) -> Result<Option<i64>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::number.ge(from))
        .filter(t::number.lt(to))
        .select(diesel::dsl::max(t::number))
        .get_result(c))?)
}

/// Has the unit at one path answer for the checks that the unit at another answered for.
pub(super) fn give(tx: &mut EffectTx<'_, WorkFollow>, from: &str, to: &str) -> Result<()> {
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::update(t::table
        .filter(t::tenant_id.eq(tenant))
        .filter(t::unit_path.eq(from)))
        .set(t::unit_path.eq(to))
        .execute(c))?;
    Ok(())
}

/// Moves every path below `from`.
pub(super) fn follow(tx: &mut EffectTx<'_, WorkFollow>, from: &str, to: &str) -> Result<()> {
    let tenant = tx.tenant();
    follow_path!(tx.conn(), unannounced_checks, unit_path, tenant, from, to);
    Ok(())
}
