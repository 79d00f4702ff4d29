//! Rows of checklists and of their published versions.

use diesel::prelude::*;

use super::rules::{
    Checklist, ChecklistContent, ChecklistId, ChecklistState, ChecklistVersion, ChecklistVersionId,
};
use crate::access::policy::{Action, WorkFollow};
use crate::access::{EffectTx, PathRange, Reach, Tx, UserId, follow_path, within_reach};
use crate::db::schema::inspections::{checklist_versions, checklists};
use crate::db::{Instant, contains_pattern, fold, lock_row, with_conn};
use crate::errors::{AppError, Result};
use crate::org::rules::{Unit, UnitId};
use crate::web::{MadeSort, Page, Paging, load_as_made, made_place};

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = checklists)]
struct Row {
    id: ChecklistId,
    unit_id: UnitId,
    unit_path: String,
    department_id: Option<UnitId>,
    state: ChecklistState,
    number: i32,
    content: String,
    draft: Option<String>,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

fn content(text: &str) -> Result<ChecklistContent> {
    serde_json::from_str(text).map_err(AppError::internal)
}

fn text(content: &ChecklistContent) -> Result<String> {
    serde_json::to_string(content).map_err(AppError::internal)
}

fn checklist(row: Row) -> Result<Checklist> {
    Ok(Checklist {
        id: row.id,
        unit_id: row.unit_id,
        unit_path: row.unit_path,
        department_id: row.department_id,
        state: row.state,
        number: row.number,
        content: content(&row.content)?,
        draft: row.draft.as_deref().map(content).transpose()?,
        version: row.version,
        created_at: row.created_at,
        updated_at: row.updated_at,
    })
}

/// What a list of checklists is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct ChecklistFilter {
    /// In these states; empty for all.
    pub states: Vec<ChecklistState>,
    /// Of these units.
    pub below: Option<PathRange>,
    /// Whose title holds this, case folded.
    pub search: Option<String>,
}

/// The one place where the table is named for reading: tenant, reach, and what superiors have published.
macro_rules! visible {
    ($tenant:expr, $reach:expr) => {{
        let mut query = within_reach!(checklists::table, $reach, checklists::unit_path);
        if !$reach.tenant && !$reach.ancestors.is_empty() {
            query = query.or_filter(
                checklists::number.gt(0).and(checklists::unit_path.eq_any($reach.ancestors.clone())),
            );
        }
        query.filter(checklists::tenant_id.eq($tenant))
    }};
}

macro_rules! filtered {
    ($tenant:expr, $reach:expr, $filter:expr) => {{
        let mut query = visible!($tenant, $reach);
        if !$filter.states.is_empty() {
            query = query.filter(checklists::state.eq_any($filter.states.clone()));
        }
        if let Some(range) = $filter.below.clone() {
            query = query
                .filter(checklists::unit_path.ge(range.low))
                .filter(checklists::unit_path.lt(range.high));
        }
        if let Some(search) = &$filter.search {
            query = query.filter(checklists::search_text.like(contains_pattern(search)).escape('\\'));
        }
        query
    }};
}

pub(super) fn list<A: Action>(
    tx: &mut Tx<'_, A>,
    filter: &ChecklistFilter,
    sort: MadeSort,
    paging: &Paging,
) -> Result<Page<Checklist>> {
    let (tenant, reach) = (tx.tenant(), tx.reach().clone());
    let after: Option<(Instant, ChecklistId)> = paging.after_made()?;
    let total: Option<i64> = if paging.counts() {
        Some(with_conn!(tx.conn(), c => filtered!(tenant, reach, filter).count().get_result(c))?)
    } else {
        None
    };
    let rows: Vec<Row> = with_conn!(tx.conn(), c => {
        let query = filtered!(tenant, reach, filter).select(Row::as_select()).limit(paging.fetch());
        load_as_made!(query, c, sort == MadeSort::Newest, after, checklists::created_at, checklists::id)
    })?;
    let Page { items, next_cursor, total } =
        paging.page(rows, total, |row| made_place(row.created_at, row.id));
    Ok(Page { items: items.into_iter().map(checklist).collect::<Result<_>>()?, next_cursor, total })
}

/// The checklist, if `reach` holds it or a superior has published it.
pub(super) fn find<A: Action>(
    tx: &mut Tx<'_, A>,
    reach: &Reach,
    id: ChecklistId,
) -> Result<Option<Checklist>> {
    let tenant = tx.tenant();
    let row: Option<Row> = with_conn!(tx.conn(), c => visible!(tenant, reach)
        .filter(checklists::id.eq(id))
        .select(Row::as_select())
        .first(c)
        .optional())?;
    row.map(checklist).transpose()
}

/// Locks the checklist's row until the transaction ends; SQLite has one writer anyway.
pub(super) fn lock<A: Action>(tx: &mut Tx<'_, A>, id: ChecklistId) -> Result<()> {
    let tenant = tx.tenant();
    lock_row!(tx.conn(), checklists::table.find((tenant, id)).select(checklists::id));
    Ok(())
}

/// Whether the id is in use, wherever.
pub(super) fn is_taken<A: Action>(tx: &mut Tx<'_, A>, id: ChecklistId) -> Result<bool> {
    let tenant = tx.tenant();
    let found: i64 = with_conn!(tx.conn(), c => checklists::table.find((tenant, id)).count().get_result(c))?;
    Ok(found > 0)
}

pub(super) fn insert<A: Action>(tx: &mut Tx<'_, A>, new: &Checklist) -> Result<()> {
    let (tenant, user, content) = (tx.tenant(), tx.user()?, text(&new.content)?);
    with_conn!(tx.conn(), c => diesel::insert_into(checklists::table)
        .values((
            checklists::tenant_id.eq(tenant),
            checklists::id.eq(new.id),
            checklists::unit_id.eq(new.unit_id),
            checklists::unit_path.eq(&new.unit_path),
            checklists::department_id.eq(new.department_id),
            checklists::title.eq(&new.content.title),
            checklists::search_text.eq(fold(&new.content.title)),
            checklists::state.eq(new.state),
            checklists::number.eq(new.number),
            checklists::content.eq(content),
            checklists::version.eq(new.version),
            checklists::created_by.eq(user),
            checklists::created_at.eq(new.created_at),
            checklists::updated_at.eq(new.updated_at),
        ))
        .execute(c))?;
    Ok(())
}

/// Saves what a checklist is now, version one up.
pub(super) fn save<A: Action>(tx: &mut Tx<'_, A>, after: &mut Checklist) -> Result<()> {
    let tenant = tx.tenant();
    after.version += 1;
    after.updated_at = tx.now();
    let (content, draft) = (text(&after.content)?, after.draft.as_ref().map(text).transpose()?);
    with_conn!(tx.conn(), c => diesel::update(checklists::table.find((tenant, after.id)))
        .set((
            checklists::title.eq(&after.content.title),
            checklists::search_text.eq(fold(&after.content.title)),
            checklists::state.eq(after.state),
            checklists::number.eq(after.number),
            checklists::content.eq(content),
            checklists::draft.eq(draft),
            checklists::version.eq(after.version),
            checklists::updated_at.eq(after.updated_at),
        ))
        .execute(c))?;
    Ok(())
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = checklist_versions)]
struct VersionRow {
    id: ChecklistVersionId,
    checklist_id: ChecklistId,
    number: i32,
    content: String,
    published_by: UserId,
    published_at: Instant,
}

fn version(row: &VersionRow) -> Result<ChecklistVersion> {
    Ok(ChecklistVersion {
        id: row.id,
        checklist_id: row.checklist_id,
        number: row.number,
        content: content(&row.content)?,
        published_by: row.published_by,
        published_at: row.published_at,
    })
}

pub(super) fn insert_version<A: Action>(tx: &mut Tx<'_, A>, new: &ChecklistVersion) -> Result<()> {
    let (tenant, content) = (tx.tenant(), text(&new.content)?);
    with_conn!(tx.conn(), c => diesel::insert_into(checklist_versions::table)
        .values((
            checklist_versions::tenant_id.eq(tenant),
            checklist_versions::id.eq(new.id),
            checklist_versions::checklist_id.eq(new.checklist_id),
            checklist_versions::number.eq(new.number),
            checklist_versions::content.eq(content),
            checklist_versions::published_by.eq(new.published_by),
            checklist_versions::published_at.eq(new.published_at),
        ))
        .execute(c))?;
    Ok(())
}

/// The published versions of a checklist, the newest first.
pub(super) fn versions<A: Action>(
    tx: &mut Tx<'_, A>,
    id: ChecklistId,
    paging: &Paging,
) -> Result<Page<ChecklistVersion>> {
    let tenant = tx.tenant();
    macro_rules! all {
        () => {
            checklist_versions::table
                .filter(checklist_versions::tenant_id.eq(tenant))
                .filter(checklist_versions::checklist_id.eq(id))
        };
    }
    let before = paging.after(1)?.and_then(|place| place.first()?.parse().ok()).unwrap_or(i32::MAX);
    let total: Option<i64> =
        if paging.counts() { Some(with_conn!(tx.conn(), c => all!().count().get_result(c))?) } else { None };
    let rows: Vec<VersionRow> = with_conn!(tx.conn(), c => all!()
        .filter(checklist_versions::number.lt(before))
        .order(checklist_versions::number.desc())
        .limit(paging.fetch())
        .select(VersionRow::as_select())
        .load(c))?;
    let Page { items, next_cursor, total } = paging.page(rows, total, |row| vec![row.number.to_string()]);
    Ok(Page { items: items.iter().map(version).collect::<Result<_>>()?, next_cursor, total })
}

/// A published version of a checklist.
pub(super) fn find_version<A: Action>(
    tx: &mut Tx<'_, A>,
    checklist: ChecklistId,
    id: ChecklistVersionId,
) -> Result<Option<ChecklistVersion>> {
    let tenant = tx.tenant();
    let row: Option<VersionRow> = with_conn!(tx.conn(), c => checklist_versions::table
        .find((tenant, id))
        .filter(checklist_versions::checklist_id.eq(checklist))
        .select(VersionRow::as_select())
        .first(c)
        .optional())?;
    row.as_ref().map(version).transpose()
}

/// A published version, of whichever checklist.
pub(super) fn version_by_id<A: Action>(
    tx: &mut Tx<'_, A>,
    id: ChecklistVersionId,
) -> Result<Option<ChecklistVersion>> {
    let tenant = tx.tenant();
    let row: Option<VersionRow> = with_conn!(tx.conn(), c => checklist_versions::table
        .find((tenant, id))
        .select(VersionRow::as_select())
        .first(c)
        .optional())?;
    row.as_ref().map(version).transpose()
}

/// The version that a checklist stands at; none before the first is published.
pub(super) fn current_version<A: Action>(
    tx: &mut Tx<'_, A>,
    of: &Checklist,
) -> Result<Option<ChecklistVersion>> {
    let tenant = tx.tenant();
    let row: Option<VersionRow> = with_conn!(tx.conn(), c => checklist_versions::table
        .filter(checklist_versions::tenant_id.eq(tenant))
        .filter(checklist_versions::checklist_id.eq(of.id))
        .filter(checklist_versions::number.eq(of.number))
        .select(VersionRow::as_select())
        .first(c)
        .optional())?;
    row.as_ref().map(version).transpose()
}

/// The version that each published checklist stands at which some unit at or below these paths might be inspected by.
pub(super) fn current_for<A: Action>(
    tx: &mut Tx<'_, A>,
    paths: &[String],
    above: &[String],
) -> Result<Vec<ChecklistVersion>> {
    let (tenant, mut found) = (tx.tenant(), Vec::new());
    let ranges: Vec<PathRange> = paths.iter().map(|path| PathRange::subtree(path)).collect();
    // One after the other: SQLite takes a bounded depth of conditions in one statement.
    let mut taken = |rows: Vec<VersionRow>| -> Result<()> {
        for row in &rows {
            found.push(version(row)?);
        }
        Ok(())
    };
    macro_rules! current {
        ($c:expr, $of:expr) => {
            checklists::table
                .inner_join(
                    checklist_versions::table.on(checklist_versions::tenant_id
                        .eq(checklists::tenant_id)
                        .and(checklist_versions::checklist_id.eq(checklists::id))
                        .and(checklist_versions::number.eq(checklists::number))),
                )
                .filter(checklists::tenant_id.eq(tenant))
                .filter(checklists::state.eq(ChecklistState::Published))
                .filter($of)
                .order((checklists::unit_path, checklists::id))
                .select(VersionRow::as_select())
                .load($c)
        };
    }
    taken(with_conn!(tx.conn(), c => current!(c, checklists::unit_path.eq_any(above.to_vec())))?)?;
    for PathRange { low, high } in ranges {
        taken(
            with_conn!(tx.conn(), c => current!(c, checklists::unit_path.ge(low).and(checklists::unit_path.lt(high))))?,
        )?;
    }
    found.sort_by_key(|one: &ChecklistVersion| one.id);
    found.dedup_by_key(|one| one.id);
    Ok(found)
}

/// Moves every path below `from`.
pub(super) fn follow(tx: &mut EffectTx<'_, WorkFollow>, from: &str, to: &str) -> Result<()> {
    let tenant = tx.tenant();
    follow_path!(tx.conn(), checklists, unit_path, tenant, from, to);
    Ok(())
}

/// The checklists of a unit, and those it keeps as a branch, that are not retired: id and title.
pub(super) fn in_use_at(
    tx: &mut EffectTx<'_, WorkFollow>,
    unit: UnitId,
) -> Result<Vec<(ChecklistId, String)>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => checklists::table
        .filter(checklists::tenant_id.eq(tenant))
        .filter(checklists::unit_id.eq(unit).or(checklists::department_id.eq(unit)))
        .filter(checklists::state.ne(ChecklistState::Retired))
        .order(checklists::id)
        .select((checklists::id, checklists::title))
        .load(c))?)
}

/// Gives a checklist of one unit to another: as its own, or to keep as a branch.
pub(super) fn give(
    tx: &mut EffectTx<'_, WorkFollow>,
    id: ChecklistId,
    from: UnitId,
    to: &Unit,
) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    let this = || checklists::table.find((tenant, id));
    with_conn!(tx.conn(), c => diesel::update(this().filter(checklists::unit_id.eq(from)))
        .set((checklists::unit_id.eq(to.id), checklists::unit_path.eq(&to.path)))
        .execute(c))?;
    with_conn!(tx.conn(), c => diesel::update(this().filter(checklists::department_id.eq(from)))
        .set(checklists::department_id.eq(to.id))
        .execute(c))?;
    with_conn!(tx.conn(), c => diesel::update(this())
        .set((checklists::version.eq(checklists::version + 1_i64), checklists::updated_at.eq(now)))
        .execute(c))?;
    Ok(())
}
