//! Rows of declared conflicts, read beside where their people and units stand today.

use diesel::prelude::*;

use super::rules::{Conflict, ConflictId, ConflictKind, ConflictState, Term};
use crate::access::policy::{Action, ConflictsOfOfficer, WorkFollow};
use crate::access::{EffectTx, PathRange, Reach, Tx, UserId, ancestors};
use crate::db::schema::inspections::conflicts;
use crate::db::schema::{units, users};
use crate::db::{Instant, lock_row, with_conn};
use crate::errors::Result;
use crate::org::rules::UnitId;
use crate::web::{MadeSort, Page, Paging, load_as_made, made_place};

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = conflicts)]
struct Row {
    id: ConflictId,
    user_id: UserId,
    unit_id: UnitId,
    declared_unit_id: UnitId,
    kind: ConflictKind,
    statement: Option<String>,
    salt: String,
    state: ConflictState,
    since_at: Instant,
    declared_by: UserId,
    ended_by: Option<UserId>,
    ended_at: Option<Instant>,
    end_reason: Option<String>,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

/// A row, and the path at which its person's account stands.
type Placed = (Row, String);

fn conflict((row, user_path): Placed) -> Conflict {
    Conflict {
        id: row.id,
        user_id: row.user_id,
        user_path,
        declared_unit_id: row.declared_unit_id,
        unit_id: row.unit_id,
        kind: row.kind,
        statement: row.statement,
        salt: row.salt,
        state: row.state,
        term: Term { since_at: row.since_at, ended_at: row.ended_at },
        declared_by: row.declared_by,
        ended_by: row.ended_by,
        end_reason: row.end_reason,
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}

/// What a list of declared conflicts is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct ConflictFilter {
    /// In these states; empty for all.
    pub states: Vec<ConflictState>,
    /// Of these kinds; empty for all.
    pub kinds: Vec<ConflictKind>,
    /// Of this person.
    pub user_id: Option<UserId>,
    /// Concerning these units.
    pub below: Option<PathRange>,
}

/// The one place where the table is named for reading: tenant; where the person's account stands, within reach; and always one's
/// own. Whoever reaches from the unit that it concerns, or from below that, is not to know: they are who is inspected.
macro_rules! visible {
    ($tenant:expr, $reach:expr, $user:expr) => {{
        let join = conflicts::table
            .inner_join(
                users::table
                    .on(users::tenant_id.eq(conflicts::tenant_id).and(users::id.eq(conflicts::user_id))),
            )
            .inner_join(
                units::table
                    .on(units::tenant_id.eq(conflicts::tenant_id).and(units::id.eq(conflicts::unit_id))),
            );
        let mut query = join.into_boxed().filter(conflicts::user_id.eq($user));
        if $reach.tenant {
            query = query.or_filter(conflicts::user_id.ne($user));
        }
        for range in &$reach.ranges {
            query = query.or_filter(
                users::unit_path
                    .ge(range.low.clone())
                    .and(users::unit_path.lt(range.high.clone()))
                    .and(units::path.ne_all(concerned(&range.low))),
            );
        }
        query.filter(conflicts::tenant_id.eq($tenant))
    }};
}

/// The paths of the unit at this path and of those above it, but for the root, beside which there is nobody.
fn concerned(path: &str) -> Vec<String> {
    let mut paths = ancestors(path);
    paths.push(path.to_owned());
    paths.retain(|path| path.matches('/').count() > 1);
    paths
}

macro_rules! filtered {
    ($tenant:expr, $reach:expr, $user:expr, $filter:expr) => {{
        let mut query = visible!($tenant, $reach, $user);
        if !$filter.states.is_empty() {
            query = query.filter(conflicts::state.eq_any($filter.states.clone()));
        }
        if !$filter.kinds.is_empty() {
            query = query.filter(conflicts::kind.eq_any($filter.kinds.clone()));
        }
        if let Some(person) = $filter.user_id {
            query = query.filter(conflicts::user_id.eq(person));
        }
        if let Some(range) = $filter.below.clone() {
            query = query.filter(units::path.ge(range.low)).filter(units::path.lt(range.high));
        }
        query
    }};
}

pub(super) fn list<A: Action>(
    tx: &mut Tx<'_, A>,
    filter: &ConflictFilter,
    sort: MadeSort,
    paging: &Paging,
) -> Result<Page<Conflict>> {
    let (tenant, reach, user) = (tx.tenant(), tx.reach().clone(), tx.user()?);
    let after: Option<(Instant, ConflictId)> = paging.after_made()?;
    let total: Option<i64> = if paging.counts() {
        Some(with_conn!(tx.conn(), c => filtered!(tenant, reach, user, filter).count().get_result(c))?)
    } else {
        None
    };
    let rows: Vec<Placed> = with_conn!(tx.conn(), c => {
        let query = filtered!(tenant, reach, user, filter)
            .select((Row::as_select(), users::unit_path))
            .limit(paging.fetch());
        load_as_made!(query, c, sort == MadeSort::Newest, after, conflicts::created_at, conflicts::id)
    })?;
    let Page { items, next_cursor, total } =
        paging.page(rows, total, |(row, _)| made_place(row.created_at, row.id));
    Ok(Page { items: items.into_iter().map(conflict).collect(), next_cursor, total })
}

/// The declared conflict, if `reach` holds its person or it is the caller's own.
pub(super) fn find<A: Action>(tx: &mut Tx<'_, A>, reach: &Reach, id: ConflictId) -> Result<Option<Conflict>> {
    let (tenant, user) = (tx.tenant(), tx.user()?);
    let row: Option<Placed> = with_conn!(tx.conn(), c => visible!(tenant, reach, user)
        .filter(conflicts::id.eq(id))
        .select((Row::as_select(), users::unit_path))
        .first(c)
        .optional())?;
    Ok(row.map(conflict))
}

/// Locks the row until the transaction ends; SQLite has one writer anyway.
pub(super) fn lock<A: Action>(tx: &mut Tx<'_, A>, id: ConflictId) -> Result<()> {
    let tenant = tx.tenant();
    lock_row!(tx.conn(), conflicts::table.find((tenant, id)).select(conflicts::id));
    Ok(())
}

/// Whether the id is in use, wherever.
pub(super) fn is_taken<A: Action>(tx: &mut Tx<'_, A>, id: ConflictId) -> Result<bool> {
    let tenant = tx.tenant();
    let found: i64 = with_conn!(tx.conn(), c => conflicts::table.find((tenant, id)).count().get_result(c))?;
    Ok(found > 0)
}

/// Whether a person's interest of this kind in this very unit is declared and stands.
pub(super) fn stands<A: Action>(
    tx: &mut Tx<'_, A>,
    (user, unit): (UserId, UnitId),
    kind: ConflictKind,
) -> Result<bool> {
    let tenant = tx.tenant();
    let found: i64 = with_conn!(tx.conn(), c => conflicts::table
        .filter(conflicts::tenant_id.eq(tenant))
        .filter(conflicts::user_id.eq(user))
        .filter(conflicts::unit_id.eq(unit))
        .filter(conflicts::kind.eq(kind))
        .filter(conflicts::state.eq(ConflictState::Standing))
        .count()
        .get_result(c))?;
    Ok(found > 0)
}

/// What these people have ever declared: who, of which unit, and from when until when that stood.
pub(super) fn terms<A: Action>(tx: &mut Tx<'_, A>, people: &[UserId]) -> Result<Vec<(UserId, UnitId, Term)>> {
    let tenant = tx.tenant();
    let rows: Vec<(UserId, UnitId, Instant, Option<Instant>)> = with_conn!(tx.conn(), c => conflicts::table
        .filter(conflicts::tenant_id.eq(tenant))
        .filter(conflicts::user_id.eq_any(people.to_vec()))
        .select((
            conflicts::user_id,
            conflicts::declared_unit_id,
            conflicts::created_at,
            conflicts::ended_at,
        ))
        .load(c))?;
    Ok(rows
        .into_iter()
        .map(|(user, unit, since_at, ended_at)| (user, unit, Term { since_at, ended_at }))
        .collect())
}

pub(super) fn insert<A: Action>(tx: &mut Tx<'_, A>, new: &Conflict) -> Result<()> {
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::insert_into(conflicts::table)
        .values((
            conflicts::tenant_id.eq(tenant),
            conflicts::id.eq(new.id),
            conflicts::user_id.eq(new.user_id),
            conflicts::unit_id.eq(new.unit_id),
            conflicts::declared_unit_id.eq(new.declared_unit_id),
            conflicts::kind.eq(new.kind),
            conflicts::statement.eq(&new.statement),
            conflicts::salt.eq(&new.salt),
            conflicts::state.eq(new.state),
            conflicts::since_at.eq(new.term.since_at),
            conflicts::declared_by.eq(new.declared_by),
            conflicts::version.eq(new.version),
            conflicts::created_at.eq(new.created_at),
            conflicts::updated_at.eq(new.updated_at),
        ))
        .execute(c))?;
    Ok(())
}

/// Saves how a declaration ended, version one up.
pub(super) fn save_end<A: Action>(tx: &mut Tx<'_, A>, after: &mut Conflict) -> Result<()> {
    let tenant = tx.tenant();
    after.version += 1;
    after.updated_at = tx.now();
    with_conn!(tx.conn(), c => diesel::update(conflicts::table.find((tenant, after.id)))
        .set((
            conflicts::state.eq(after.state),
            conflicts::ended_by.eq(after.ended_by),
            conflicts::ended_at.eq(after.term.ended_at),
            conflicts::end_reason.eq(&after.end_reason),
            conflicts::version.eq(after.version),
            conflicts::updated_at.eq(after.updated_at),
        ))
        .execute(c))?;
    Ok(())
}

/// Has the declarations that stand and concern a unit concern another since a moment, or since they were declared when that was
/// later. Of which unit they were declared stays.
pub(super) fn give(
    tx: &mut EffectTx<'_, WorkFollow>,
    from: UnitId,
    to: UnitId,
    since_at: Instant,
) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    with_conn!(tx.conn(), c => diesel::update(conflicts::table
        .filter(conflicts::tenant_id.eq(tenant))
        .filter(conflicts::unit_id.eq(from))
        .filter(conflicts::state.eq(ConflictState::Standing))
        .filter(conflicts::since_at.lt(since_at)))
        .set(conflicts::since_at.eq(since_at))
        .execute(c))?;
    with_conn!(tx.conn(), c => diesel::update(conflicts::table
        .filter(conflicts::tenant_id.eq(tenant))
        .filter(conflicts::unit_id.eq(from))
        .filter(conflicts::state.eq(ConflictState::Standing)))
        .set((
            conflicts::unit_id.eq(to),
            conflicts::version.eq(conflicts::version + 1_i64),
            conflicts::updated_at.eq(now),
        ))
        .execute(c))?;
    Ok(())
}

/// All that is declared of a person's interests, held until the transaction ends.
pub(super) fn all_of(tx: &mut EffectTx<'_, ConflictsOfOfficer>, person: UserId) -> Result<Vec<Conflict>> {
    let tenant = tx.tenant();
    lock_row!(
        tx.conn(),
        conflicts::table
            .filter(conflicts::tenant_id.eq(tenant))
            .filter(conflicts::user_id.eq(person))
            .order(conflicts::id)
            .select(conflicts::id)
    );
    let rows: Vec<Placed> = with_conn!(tx.conn(), c => conflicts::table
        .inner_join(
            users::table.on(users::tenant_id.eq(conflicts::tenant_id).and(users::id.eq(conflicts::user_id))),
        )
        .filter(conflicts::tenant_id.eq(tenant))
        .filter(conflicts::user_id.eq(person))
        .order(conflicts::id)
        .select((Row::as_select(), users::unit_path))
        .load(c))?;
    Ok(rows.into_iter().map(conflict).collect())
}

/// Takes what is personal from all that is declared of a person's interests, versions one up.
pub(super) fn erase(tx: &mut EffectTx<'_, ConflictsOfOfficer>, person: UserId) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    with_conn!(tx.conn(), c => diesel::update(conflicts::table
        .filter(conflicts::tenant_id.eq(tenant))
        .filter(conflicts::user_id.eq(person)))
        .set((
            conflicts::statement.eq(None::<String>),
            conflicts::salt.eq(""),
            conflicts::end_reason.eq(None::<String>),
            conflicts::version.eq(conflicts::version + 1_i64),
            conflicts::updated_at.eq(now),
        ))
        .execute(c))?;
    Ok(())
}
