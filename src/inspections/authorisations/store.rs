//! Rows of authorisations, of their areas and teams.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::rules::{Authorisation, AuthorisationContent, AuthorisationId, AuthorisationState, CheckKind};
use crate::access::policy::{Action, WorkFollow};
use crate::access::{EffectTx, PathRange, Reach, Tx, UserId, follow_path, within_reach};
use crate::db::schema::inspections::{authorisation_areas, authorisation_members, authorisations};
use crate::db::{Instant, contains_pattern, fold, insert_rows, lock_row, share_row, with_conn};
use crate::errors::{AppError, Result};
use crate::org::rules::{Unit, UnitId};
use crate::web::{MadeSort, Page, Paging, load_as_made, made_place};

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = authorisations)]
struct Row {
    id: AuthorisationId,
    unit_id: UnitId,
    unit_path: String,
    title: String,
    basis: String,
    kinds: String,
    commander_id: UserId,
    valid_from_on: NaiveDate,
    valid_until_on: NaiveDate,
    state: AuthorisationState,
    authors: String,
    approved_at: Option<Instant>,
    decided_by: Option<UserId>,
    decided_at: Option<Instant>,
    comment: Option<String>,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

/// What a list of authorisations is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct AuthorisationFilter {
    /// In these states; empty for all.
    pub states: Vec<AuthorisationState>,
    /// Of these units.
    pub below: Option<PathRange>,
    /// Whose title holds this, case folded.
    pub search: Option<String>,
}

/// The one place where the table is named for reading: tenant, reach, and for whoever reads what is assigned to them: those
/// they are in the team of, or command.
macro_rules! visible {
    ($tenant:expr, $reach:expr, $user:expr) => {{
        let mut query = within_reach!(authorisations::table, $reach, authorisations::unit_path);
        if $reach.assigned {
            query = query.or_filter(authorisations::commander_id.eq($user)).or_filter(
                authorisations::id.eq_any(
                    authorisation_members::table
                        .filter(authorisation_members::tenant_id.eq($tenant))
                        .filter(authorisation_members::user_id.eq($user))
                        .select(authorisation_members::authorisation_id),
                ),
            );
        }
        query.filter(authorisations::tenant_id.eq($tenant))
    }};
}

macro_rules! filtered {
    ($tenant:expr, $reach:expr, $user:expr, $filter:expr) => {{
        let mut query = visible!($tenant, $reach, $user);
        if !$filter.states.is_empty() {
            query = query.filter(authorisations::state.eq_any($filter.states.clone()));
        }
        if let Some(range) = $filter.below.clone() {
            query = query
                .filter(authorisations::unit_path.ge(range.low))
                .filter(authorisations::unit_path.lt(range.high));
        }
        if let Some(search) = &$filter.search {
            query = query.filter(authorisations::search_text.like(contains_pattern(search)).escape('\\'));
        }
        query
    }};
}

pub(super) fn list<A: Action>(
    tx: &mut Tx<'_, A>,
    filter: &AuthorisationFilter,
    sort: MadeSort,
    paging: &Paging,
) -> Result<Page<Authorisation>> {
    let (tenant, reach, user) = (tx.tenant(), tx.reach().clone(), tx.user()?);
    let after: Option<(Instant, AuthorisationId)> = paging.after_made()?;
    let total: Option<i64> = if paging.counts() {
        Some(with_conn!(tx.conn(), c => filtered!(tenant, reach, user, filter).count().get_result(c))?)
    } else {
        None
    };
    let rows: Vec<Row> = with_conn!(tx.conn(), c => {
        let query = filtered!(tenant, reach, user, filter).select(Row::as_select()).limit(paging.fetch());
        load_as_made!(query, c, sort == MadeSort::Newest, after, authorisations::created_at, authorisations::id)
    })?;
    let Page { items, next_cursor, total } =
        paging.page(rows, total, |row| made_place(row.created_at, row.id));
    Ok(Page { items: complete(tx, items)?, next_cursor, total })
}

/// Authorisations within `reach` that nobody has decided on, the first proposed first, from behind one of them on.
pub(super) fn proposed<A: Action>(
    tx: &mut Tx<'_, A>,
    reach: &Reach,
    (after, most): (Option<(Instant, AuthorisationId)>, i64),
) -> Result<Vec<Authorisation>> {
    let (tenant, user) = (tx.tenant(), tx.user()?);
    // Whoever is only in the team decides nothing.
    let reach = Reach { assigned: false, ..reach.clone() };
    let filter =
        AuthorisationFilter { states: vec![AuthorisationState::Proposed], ..AuthorisationFilter::default() };
    let rows: Vec<Row> = with_conn!(tx.conn(), c => {
        let query = filtered!(tenant, reach, user, filter).select(Row::as_select()).limit(most);
        load_as_made!(query, c, false, after, authorisations::created_at, authorisations::id)
    })?;
    complete(tx, rows)
}

/// The rows with their areas and teams, fetched together.
fn complete<A: Action>(tx: &mut Tx<'_, A>, rows: Vec<Row>) -> Result<Vec<Authorisation>> {
    let tenant = tx.tenant();
    let ids: Vec<AuthorisationId> = rows.iter().map(|row| row.id).collect();
    let areas: Vec<(AuthorisationId, UnitId, String)> = with_conn!(tx.conn(), c => authorisation_areas::table
        .filter(authorisation_areas::tenant_id.eq(tenant))
        .filter(authorisation_areas::authorisation_id.eq_any(ids.clone()))
        .order((authorisation_areas::authorisation_id, authorisation_areas::position))
        .select((
            authorisation_areas::authorisation_id,
            authorisation_areas::unit_id,
            authorisation_areas::unit_path,
        ))
        .load(c))?;
    let members: Vec<(AuthorisationId, UserId)> = with_conn!(tx.conn(), c => authorisation_members::table
        .filter(authorisation_members::tenant_id.eq(tenant))
        .filter(authorisation_members::authorisation_id.eq_any(ids))
        .order((authorisation_members::authorisation_id, authorisation_members::position))
        .select((authorisation_members::authorisation_id, authorisation_members::user_id))
        .load(c))?;
    let mut area: HashMap<AuthorisationId, (Vec<UnitId>, Vec<String>)> = HashMap::new();
    for (id, unit, path) in areas {
        let (units, paths) = area.entry(id).or_default();
        units.push(unit);
        paths.push(path);
    }
    let mut team: HashMap<AuthorisationId, Vec<UserId>> = HashMap::new();
    for (id, user) in members {
        team.entry(id).or_default().push(user);
    }
    rows.into_iter()
        .map(|row| {
            let (area_unit_ids, area_paths) = area.remove(&row.id).unwrap_or_default();
            let team_user_ids = team.remove(&row.id).unwrap_or_default();
            authorisation(row, area_unit_ids, area_paths, team_user_ids)
        })
        .collect()
}

fn authorisation(
    row: Row,
    area_unit_ids: Vec<UnitId>,
    area_paths: Vec<String>,
    team_user_ids: Vec<UserId>,
) -> Result<Authorisation> {
    Ok(Authorisation {
        id: row.id,
        unit_id: row.unit_id,
        unit_path: row.unit_path,
        content: AuthorisationContent {
            title: row.title,
            basis: row.basis,
            kinds: row.kinds.split(' ').filter_map(CheckKind::parse).collect(),
            area_unit_ids,
            team_user_ids,
            commander_user_id: row.commander_id,
            valid_from_on: row.valid_from_on,
            valid_until_on: row.valid_until_on,
        },
        area_paths,
        state: row.state,
        authors: serde_json::from_str(&row.authors).map_err(AppError::internal)?,
        approved_at: row.approved_at,
        decided_by: row.decided_by,
        decided_at: row.decided_at,
        comment: row.comment,
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

/// The authorisation, if `reach` holds it.
pub(super) fn find<A: Action>(
    tx: &mut Tx<'_, A>,
    reach: &Reach,
    id: AuthorisationId,
) -> Result<Option<Authorisation>> {
    let (tenant, user) = (tx.tenant(), tx.user()?);
    let row: Option<Row> = with_conn!(tx.conn(), c => visible!(tenant, reach, user)
        .filter(authorisations::id.eq(id))
        .select(Row::as_select())
        .first(c)
        .optional())?;
    Ok(complete(tx, row.into_iter().collect())?.pop())
}

/// Those approved that somebody is in the team of and that last on a day or longer, the earliest made first.
pub(super) fn of_inspector<A: Action>(
    tx: &mut Tx<'_, A>,
    user: UserId,
    day: NaiveDate,
) -> Result<Vec<Authorisation>> {
    let (tenant, reach) = (tx.tenant(), Reach::whole_tenant());
    let rows: Vec<Row> = with_conn!(tx.conn(), c => visible!(tenant, reach, user)
        .filter(authorisations::id.eq_any(
            authorisation_members::table
                .filter(authorisation_members::tenant_id.eq(tenant))
                .filter(authorisation_members::user_id.eq(user))
                .select(authorisation_members::authorisation_id),
        ))
        .filter(authorisations::state.eq(AuthorisationState::Approved))
        .filter(authorisations::valid_until_on.ge(day))
        .order((authorisations::created_at, authorisations::id))
        .select(Row::as_select())
        .load(c))?;
    complete(tx, rows)
}

/// Locks the authorisation's row until the transaction ends; SQLite has one writer anyway.
pub(super) fn lock<A: Action>(tx: &mut Tx<'_, A>, id: AuthorisationId) -> Result<()> {
    let tenant = tx.tenant();
    lock_row!(tx.conn(), authorisations::table.find((tenant, id)).select(authorisations::id));
    Ok(())
}

/// Keeps the authorisation as it is until the transaction ends; others may keep it too.
pub(super) fn share<A: Action>(tx: &mut Tx<'_, A>, id: AuthorisationId) -> Result<()> {
    let tenant = tx.tenant();
    share_row!(tx.conn(), authorisations::table.find((tenant, id)).select(authorisations::id));
    Ok(())
}

/// Whether the id is in use, wherever.
pub(super) fn is_taken<A: Action>(tx: &mut Tx<'_, A>, id: AuthorisationId) -> Result<bool> {
    let tenant = tx.tenant();
    let found: i64 =
        with_conn!(tx.conn(), c => authorisations::table.find((tenant, id)).count().get_result(c))?;
    Ok(found > 0)
}

fn kinds_text(kinds: &[CheckKind]) -> String {
    kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(" ")
}

fn authors_text(authors: &[UserId]) -> Result<String> {
    serde_json::to_string(authors).map_err(AppError::internal)
}

pub(super) fn insert<A: Action>(tx: &mut Tx<'_, A>, new: &Authorisation) -> Result<()> {
    let (tenant, user, authors) = (tx.tenant(), tx.user()?, authors_text(&new.authors)?);
    let content = &new.content;
    with_conn!(tx.conn(), c => diesel::insert_into(authorisations::table)
        .values((
            authorisations::tenant_id.eq(tenant),
            authorisations::id.eq(new.id),
            authorisations::unit_id.eq(new.unit_id),
            authorisations::unit_path.eq(&new.unit_path),
            authorisations::title.eq(&content.title),
            authorisations::search_text.eq(fold(&content.title)),
            authorisations::basis.eq(&content.basis),
            authorisations::kinds.eq(kinds_text(&content.kinds)),
            authorisations::commander_id.eq(content.commander_user_id),
            authorisations::valid_from_on.eq(content.valid_from_on),
            authorisations::valid_until_on.eq(content.valid_until_on),
            authorisations::state.eq(new.state),
            authorisations::authors.eq(authors),
            authorisations::version.eq(new.version),
            authorisations::created_by.eq(user),
            authorisations::created_at.eq(new.created_at),
            authorisations::updated_at.eq(new.updated_at),
        ))
        .execute(c))?;
    insert_parts(tx, new)
}

fn insert_parts<A: Action>(tx: &mut Tx<'_, A>, of: &Authorisation) -> Result<()> {
    let tenant = tx.tenant();
    let areas: Vec<_> = (0_i32..)
        .zip(of.content.area_unit_ids.iter().zip(&of.area_paths))
        .map(|(position, (unit, path))| {
            (
                authorisation_areas::tenant_id.eq(tenant),
                authorisation_areas::authorisation_id.eq(of.id),
                authorisation_areas::position.eq(position),
                authorisation_areas::unit_id.eq(*unit),
                authorisation_areas::unit_path.eq(path),
            )
        })
        .collect();
    insert_rows!(tx.conn(), authorisation_areas::table, &areas);
    let members: Vec<_> = (0_i32..)
        .zip(&of.content.team_user_ids)
        .map(|(position, user)| {
            (
                authorisation_members::tenant_id.eq(tenant),
                authorisation_members::authorisation_id.eq(of.id),
                authorisation_members::position.eq(position),
                authorisation_members::user_id.eq(*user),
            )
        })
        .collect();
    insert_rows!(tx.conn(), authorisation_members::table, &members);
    Ok(())
}

/// Saves what an authorisation is now, version one up; area and team only where they are others.
pub(super) fn save<A: Action>(
    tx: &mut Tx<'_, A>,
    before: &Authorisation,
    after: &mut Authorisation,
) -> Result<()> {
    let (tenant, authors) = (tx.tenant(), authors_text(&after.authors)?);
    after.version += 1;
    after.updated_at = tx.now();
    let content = &after.content;
    with_conn!(tx.conn(), c => diesel::update(authorisations::table.find((tenant, after.id)))
        .set((
            (
                authorisations::title.eq(&content.title),
                authorisations::search_text.eq(fold(&content.title)),
                authorisations::basis.eq(&content.basis),
                authorisations::kinds.eq(kinds_text(&content.kinds)),
                authorisations::commander_id.eq(content.commander_user_id),
                authorisations::valid_from_on.eq(content.valid_from_on),
                authorisations::valid_until_on.eq(content.valid_until_on),
            ),
            authorisations::state.eq(after.state),
            authorisations::authors.eq(authors),
            authorisations::approved_at.eq(after.approved_at),
            authorisations::decided_by.eq(after.decided_by),
            authorisations::decided_at.eq(after.decided_at),
            authorisations::comment.eq(&after.comment),
            authorisations::version.eq(after.version),
            authorisations::updated_at.eq(after.updated_at),
        ))
        .execute(c))?;
    if before.content == after.content {
        return Ok(());
    }
    with_conn!(tx.conn(), c => diesel::delete(authorisation_areas::table
        .filter(authorisation_areas::tenant_id.eq(tenant))
        .filter(authorisation_areas::authorisation_id.eq(after.id)))
        .execute(c))?;
    with_conn!(tx.conn(), c => diesel::delete(authorisation_members::table
        .filter(authorisation_members::tenant_id.eq(tenant))
        .filter(authorisation_members::authorisation_id.eq(after.id)))
        .execute(c))?;
    insert_parts(tx, after)
}

/// Moves every path below `from`.
pub(super) fn follow(tx: &mut EffectTx<'_, WorkFollow>, from: &str, to: &str) -> Result<()> {
    let tenant = tx.tenant();
    follow_path!(tx.conn(), authorisations, unit_path, tenant, from, to);
    follow_path!(tx.conn(), authorisation_areas, unit_path, tenant, from, to);
    Ok(())
}

/// The authorisations of a unit that are proposed or in force today or later: id and title.
pub(super) fn lasting_at(
    tx: &mut EffectTx<'_, WorkFollow>,
    unit: UnitId,
) -> Result<Vec<(AuthorisationId, String)>> {
    let (tenant, today) = (tx.tenant(), tx.now().shanghai_day());
    Ok(with_conn!(tx.conn(), c => authorisations::table
        .filter(authorisations::tenant_id.eq(tenant))
        .filter(authorisations::unit_id.eq(unit))
        .filter(authorisations::state.eq_any([AuthorisationState::Proposed, AuthorisationState::Approved]))
        .filter(authorisations::valid_until_on.ge(today))
        .order(authorisations::id)
        .select((authorisations::id, authorisations::title))
        .load(c))?)
}

/// Gives an authorisation to another unit.
pub(super) fn give(tx: &mut EffectTx<'_, WorkFollow>, id: AuthorisationId, to: &Unit) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    with_conn!(tx.conn(), c => diesel::update(authorisations::table.find((tenant, id)))
        .set((
            authorisations::unit_id.eq(to.id),
            authorisations::unit_path.eq(&to.path),
            authorisations::version.eq(authorisations::version + 1_i64),
            authorisations::updated_at.eq(now),
        ))
        .execute(c))?;
    Ok(())
}

/// Puts one unit in the place of another in areas, or nothing where the other lies outside of what the authorisation's own
/// unit may have checked; the authorisations in which it stood, and whether the other does now.
pub(super) fn replace_in_areas(
    tx: &mut EffectTx<'_, WorkFollow>,
    from: UnitId,
    to: &Unit,
) -> Result<Vec<(AuthorisationId, bool)>> {
    let (tenant, now) = (tx.tenant(), tx.now());
    let found: Vec<(AuthorisationId, i32, String)> = with_conn!(tx.conn(), c => authorisation_areas::table
        .inner_join(authorisations::table.on(authorisations::tenant_id
            .eq(authorisation_areas::tenant_id)
            .and(authorisations::id.eq(authorisation_areas::authorisation_id))))
        .filter(authorisation_areas::tenant_id.eq(tenant))
        .filter(authorisation_areas::unit_id.eq(from))
        .order(authorisations::id)
        .select((authorisations::id, authorisation_areas::position, authorisations::unit_path))
        .load(c))?;
    let mut replaced = Vec::with_capacity(found.len());
    for (id, position, unit_path) in found {
        let named: i64 = with_conn!(tx.conn(), c => authorisation_areas::table
            .filter(authorisation_areas::tenant_id.eq(tenant))
            .filter(authorisation_areas::authorisation_id.eq(id))
            .filter(authorisation_areas::unit_id.eq(to.id))
            .count()
            .get_result(c))?;
        let row = authorisation_areas::table.find((tenant, id, position));
        let stands = named > 0 || to.path.starts_with(&unit_path);
        if named == 0 && stands {
            with_conn!(tx.conn(), c => diesel::update(row)
                .set((authorisation_areas::unit_id.eq(to.id), authorisation_areas::unit_path.eq(&to.path)))
                .execute(c))?;
        } else {
            with_conn!(tx.conn(), c => diesel::delete(row).execute(c))?;
        }
        with_conn!(tx.conn(), c => diesel::update(authorisations::table.find((tenant, id)))
            .set((authorisations::version.eq(authorisations::version + 1_i64), authorisations::updated_at.eq(now)))
            .execute(c))?;
        replaced.push((id, stands));
    }
    Ok(replaced)
}
