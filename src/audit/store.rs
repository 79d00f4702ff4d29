//! Rows of the log and of its chain.

use std::collections::HashMap;

use diesel::prelude::*;

use super::AuditEntity;
use super::chain::{Content, Digest, Tree, digest_from, unhex};
use crate::access::policy::Action;
use crate::access::{Tx, UserId};
use crate::db::schema::audit::{audit_chain, audit_checkpoints, audit_heads, audit_log, audit_unsealed};
use crate::db::{Conn, Id, Instant, TenantId, insert_rows, lock_row, text_enum, with_conn};
use crate::errors::{AppError, Result};
use crate::web::{Page, Paging};

/// The identifier of a row of the log.
pub type EntryId = Id<AuditEntity>;
/// Marks the identifier of a checkpoint.
#[derive(Debug)]
pub struct CheckpointEntity;
/// The identifier of a checkpoint.
pub type CheckpointId = Id<CheckpointEntity>;

/// A row of the log.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = audit_log)]
pub struct Logged {
    /// Its identifier.
    pub id: EntryId,
    /// When.
    pub at: Instant,
    /// Who.
    pub actor: String,
    /// The account, if one acted.
    pub user_id: Option<UserId>,
    /// Its roles.
    pub roles: String,
    /// The action.
    pub action: String,
    /// The kind of thing.
    pub entity: String,
    /// Its identifier.
    pub entity_id: String,
    /// Digest of its facts before.
    pub before_digest: Option<String>,
    /// Digest of its facts after.
    pub after_digest: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// The request.
    pub request_id: String,
    /// The salt of its commitment, hexadecimal; none of rows from before the chain.
    pub salt: Option<String>,
}

impl Logged {
    /// What the commitment is to.
    #[must_use]
    pub fn content(&self, tenant: TenantId) -> Content {
        Content {
            tenant: tenant.to_string(),
            id: self.id.to_string(),
            at: self.at.to_string(),
            actor: self.actor.clone(),
            user_id: self.user_id.map(|id| id.to_string()),
            roles: self.roles.clone(),
            action: self.action.clone(),
            entity: self.entity.clone(),
            entity_id: self.entity_id.clone(),
            before_digest: self.before_digest.clone(),
            after_digest: self.after_digest.clone(),
            reason: self.reason.clone(),
            request_id: self.request_id.clone(),
        }
    }

    /// The salt as bytes; of what is no salt, the text itself, so that it fits no commitment.
    #[must_use]
    pub fn salt_bytes(&self) -> Vec<u8> {
        let text = self.salt.as_deref().unwrap_or_default();
        unhex(text).unwrap_or_else(|| text.as_bytes().to_vec())
    }
}

/// A place in the chain.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = audit_chain)]
pub struct Place {
    /// The position, from 1 on.
    pub position: i64,
    /// The row that stands there.
    pub entry_id: EntryId,
    /// Its commitment.
    pub commitment: String,
    /// The link.
    pub link: String,
    /// When it was sealed.
    pub sealed_at: Instant,
}

#[derive(Insertable)]
#[diesel(table_name = audit_chain)]
pub(super) struct NewPlace {
    pub tenant_id: TenantId,
    pub position: i64,
    pub entry_id: EntryId,
    pub commitment: String,
    pub link: String,
    pub sealed_at: Instant,
}

/// The one place where the log is named for reading: tenant. The log is the whole province's.
macro_rules! visible {
    ($tenant:expr) => {
        audit_log::table.filter(audit_log::tenant_id.eq($tenant))
    };
}

/// Where the relay goes on.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub link: Digest,
    pub tree: Tree,
    /// Rows under the last checkpoint.
    pub signed: i64,
    /// The rows that were held back, as far as they are entered in their list.
    pub held: Tree,
}

/// The head as the database has it.
type HeadRow = (i64, String, String, i64, i64, String);

/// The rows that were held back, as far as the head says that they are in their list; nothing when what it says is damaged.
pub(super) fn held_head<A: Action>(tx: &mut Tx<'_, A>) -> Result<Option<Tree>> {
    let tenant = tx.tenant();
    let row: Option<(i64, String)> = with_conn!(tx.conn(), c => audit_heads::table
        .find(tenant)
        .select((audit_heads::held, audit_heads::held_roots))
        .first(c)
        .optional())?;
    let Some((held, roots)) = row else { return Ok(Some(Tree::default())) };
    Ok(u64::try_from(held).ok().and_then(|held| Tree::kept(held, &roots)))
}

/// The head of the tenant's chain, held until the transaction ends.
pub(super) fn hold_head<A: Action>(tx: &mut Tx<'_, A>) -> Result<Head> {
    let (tenant, now) = (tx.tenant(), tx.now());
    with_conn!(tx.conn(), c => diesel::insert_into(audit_heads::table)
        .values((
            audit_heads::tenant_id.eq(tenant),
            audit_heads::size.eq(0_i64),
            audit_heads::link.eq("0".repeat(64)),
            audit_heads::roots.eq(""),
            audit_heads::signed.eq(0_i64),
            audit_heads::updated_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(c))?;
    lock_row!(tx.conn(), audit_heads::table.find(tenant).select(audit_heads::tenant_id));
    let (size, link, roots, signed, held, held_roots): HeadRow = with_conn!(tx.conn(), c => audit_heads::table.find(tenant)
        .select((
            audit_heads::size,
            audit_heads::link,
            audit_heads::roots,
            audit_heads::signed,
            audit_heads::held,
            audit_heads::held_roots,
        ))
        .first(c))?;
    let tree = |size: i64, roots: &str| Tree::kept(u64::try_from(size).ok()?, roots);
    match (digest_from(&link), tree(size, &roots), tree(held, &held_roots)) {
        (Some(link), Some(tree), Some(held)) => Ok(Head { link, tree, signed, held }),
        _ => Err(AppError::internal("the head of the audit chain is damaged")),
    }
}

/// How many rows the chain has, and its last link.
pub(super) fn end<A: Action>(tx: &mut Tx<'_, A>) -> Result<(i64, String)> {
    let tenant = tx.tenant();
    let end: Option<(i64, String)> = with_conn!(tx.conn(), c => audit_heads::table.find(tenant)
        .select((audit_heads::size, audit_heads::link))
        .first(c)
        .optional())?;
    Ok(end.unwrap_or_default())
}

/// Keeps the head.
pub(super) fn save_head<A: Action>(tx: &mut Tx<'_, A>, head: &Head) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    with_conn!(tx.conn(), c => diesel::update(audit_heads::table.find(tenant))
        .set((
            audit_heads::size.eq(position(head.tree.size())?),
            audit_heads::link.eq(super::hex(&head.link)),
            audit_heads::roots.eq(head.tree.roots()),
            audit_heads::signed.eq(head.signed),
            audit_heads::held.eq(position(head.held.size())?),
            audit_heads::held_roots.eq(head.held.roots()),
            audit_heads::updated_at.eq(now),
        ))
        .execute(c))?;
    Ok(())
}

/// A position as the database has it.
pub(super) fn position(position: u64) -> Result<i64> {
    i64::try_from(position).map_err(AppError::internal)
}

/// Enters places, and takes their rows from those that wait.
pub(super) fn seal<A: Action>(tx: &mut Tx<'_, A>, places: &[NewPlace]) -> Result<()> {
    insert_rows!(tx.conn(), audit_chain::table, places);
    let tenant = tx.tenant();
    match tx.conn() {
        Conn::Sqlite(c) => {
            for place in places {
                diesel::delete(audit_unsealed::table.find((tenant, place.entry_id))).execute(c)?;
            }
        }
        Conn::Postgres(c) => {
            let ids: Vec<EntryId> = places.iter().map(|place| place.entry_id).collect();
            diesel::delete(
                audit_unsealed::table
                    .filter(audit_unsealed::tenant_id.eq(tenant))
                    .filter(audit_unsealed::entry_id.eq_any(ids)),
            )
            .execute(c)?;
        }
    }
    Ok(())
}

/// A checkpoint as it is kept.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = audit_checkpoints)]
pub struct Kept {
    /// Its identifier.
    pub id: CheckpointId,
    /// Rows in the chain.
    pub size: i64,
    /// The root over them, hexadecimal.
    pub root: String,
    /// The signed text.
    pub note: String,
    /// When it was made.
    pub created_at: Instant,
}

/// Keeps a checkpoint.
pub(super) fn keep_checkpoint<A: Action>(
    tx: &mut Tx<'_, A>,
    size: i64,
    root: &Digest,
    note: &str,
) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    with_conn!(tx.conn(), c => diesel::insert_into(audit_checkpoints::table)
        .values((
            audit_checkpoints::tenant_id.eq(tenant),
            audit_checkpoints::id.eq(CheckpointId::generate()),
            audit_checkpoints::size.eq(size),
            audit_checkpoints::root.eq(super::hex(root)),
            audit_checkpoints::note.eq(note),
            audit_checkpoints::created_at.eq(now),
        ))
        .execute(c))?;
    Ok(())
}

/// The checkpoints of more rows than so many, the smallest first.
pub(super) fn checkpoints_above<A: Action>(tx: &mut Tx<'_, A>, size: i64, most: i64) -> Result<Vec<Kept>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => audit_checkpoints::table
        .filter(audit_checkpoints::tenant_id.eq(tenant))
        .filter(audit_checkpoints::size.gt(size))
        .order(audit_checkpoints::size)
        .limit(most)
        .select(Kept::as_select())
        .load(c))?)
}

/// A page of checkpoints, the newest first.
pub(super) fn checkpoints<A: Action>(tx: &mut Tx<'_, A>, paging: &Paging) -> Result<Page<Kept>> {
    let tenant = tx.tenant();
    let before = paging.after(1)?.and_then(|place| place.first()?.parse::<i64>().ok()).unwrap_or(i64::MAX);
    let total: Option<i64> = if paging.counts() {
        Some(with_conn!(tx.conn(), c => audit_checkpoints::table
            .filter(audit_checkpoints::tenant_id.eq(tenant))
            .count()
            .get_result(c))?)
    } else {
        None
    };
    let rows: Vec<Kept> = with_conn!(tx.conn(), c => audit_checkpoints::table
        .filter(audit_checkpoints::tenant_id.eq(tenant))
        .filter(audit_checkpoints::size.lt(before))
        .order(audit_checkpoints::size.desc())
        .limit(paging.fetch())
        .select(Kept::as_select())
        .load(c))?;
    Ok(paging.page(rows, total, |one| vec![one.size.to_string()]))
}

/// One checkpoint.
pub(super) fn checkpoint<A: Action>(tx: &mut Tx<'_, A>, id: CheckpointId) -> Result<Option<Kept>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => audit_checkpoints::table
        .find((tenant, id))
        .select(Kept::as_select())
        .first(c)
        .optional())?)
}

text_enum! {
    /// By what the log is sorted.
    AuditSort as "audit_sort" {
        Newest = "-at", "新的在前", "Newest first", grey;
        Oldest = "at", "旧的在前", "Oldest first", grey;
    }
}

/// What the log is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct AuditFilter {
    /// By this account.
    pub user: Option<UserId>,
    /// By this action.
    pub action: Option<String>,
    /// Of this kind of thing.
    pub entity: Option<String>,
    /// Of the thing with this identifier.
    pub entity_id: Option<String>,
    /// Of this request.
    pub request_id: Option<String>,
    /// Not before this moment.
    pub from: Option<Instant>,
    /// Before this moment.
    pub until: Option<Instant>,
}

/// Rows of the log about what nobody sees yet are nobody's to read either.
macro_rules! free {
    ($tenant:expr) => {
        visible!($tenant).filter(diesel::dsl::not(diesel::dsl::exists(
            audit_unsealed::table
                .filter(audit_unsealed::tenant_id.eq($tenant))
                .filter(audit_unsealed::entry_id.eq(audit_log::id))
                .filter(audit_unsealed::held_by.is_not_null()),
        )))
    };
}

/// A page of the log.
pub(super) fn list<A: Action>(
    tx: &mut Tx<'_, A>,
    filter: &AuditFilter,
    sort: AuditSort,
    paging: &Paging,
) -> Result<Page<Logged>> {
    let tenant = tx.tenant();
    macro_rules! these {
        () => {{
            let mut query = free!(tenant).into_boxed();
            if let Some(user) = filter.user {
                query = query.filter(audit_log::user_id.eq(user));
            }
            if let Some(action) = filter.action.clone() {
                query = query.filter(audit_log::action.eq(action));
            }
            if let Some(entity) = filter.entity.clone() {
                query = query.filter(audit_log::entity.eq(entity));
            }
            if let Some(id) = filter.entity_id.clone() {
                query = query.filter(audit_log::entity_id.eq(id));
            }
            if let Some(id) = filter.request_id.clone() {
                query = query.filter(audit_log::request_id.eq(id));
            }
            if let Some(from) = filter.from {
                query = query.filter(audit_log::at.ge(from));
            }
            if let Some(until) = filter.until {
                query = query.filter(audit_log::at.lt(until));
            }
            query
        }};
    }
    let after = paging.after(1)?.and_then(|place| EntryId::parse(place.first()?));
    let total: Option<i64> = if paging.counts() {
        Some(with_conn!(tx.conn(), c => these!().count().get_result(c))?)
    } else {
        None
    };
    let rows: Vec<Logged> = with_conn!(tx.conn(), c => {
        let query = these!().select(Logged::as_select()).limit(paging.fetch());
        match (sort, after) {
            (AuditSort::Newest, None) => query.order(audit_log::id.desc()).load(c),
            (AuditSort::Newest, Some(id)) => query.filter(audit_log::id.lt(id)).order(audit_log::id.desc()).load(c),
            (AuditSort::Oldest, None) => query.order(audit_log::id.asc()).load(c),
            (AuditSort::Oldest, Some(id)) => query.filter(audit_log::id.gt(id)).order(audit_log::id.asc()).load(c),
        }
    })?;
    Ok(paging.page(rows, total, |one| vec![one.id.to_string()]))
}

/// One row; none that is held back, whoever knows its id: the verifier tells that of one that was touched.
pub(super) fn find<A: Action>(tx: &mut Tx<'_, A>, id: EntryId) -> Result<Option<Logged>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => free!(tenant)
        .filter(audit_log::id.eq(id))
        .select(Logged::as_select())
        .first(c)
        .optional())?)
}

/// Those of these rows that are in the log, in the order of their identifiers.
pub(super) fn of_ids<A: Action>(tx: &mut Tx<'_, A>, ids: &[EntryId]) -> Result<Vec<Logged>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => visible!(tenant)
        .filter(audit_log::id.eq_any(ids.to_vec()))
        .order(audit_log::id)
        .select(Logged::as_select())
        .load(c))?)
}

/// The places of these rows, as far as they are sealed.
pub(super) fn places<A: Action>(tx: &mut Tx<'_, A>, ids: &[EntryId]) -> Result<HashMap<EntryId, Place>> {
    let tenant = tx.tenant();
    let rows: Vec<Place> = with_conn!(tx.conn(), c => audit_chain::table
        .filter(audit_chain::tenant_id.eq(tenant))
        .filter(audit_chain::entry_id.eq_any(ids.to_vec()))
        .select(Place::as_select())
        .load(c))?;
    Ok(rows.into_iter().map(|place| (place.entry_id, place)).collect())
}

/// Places behind a position, each with the row that is there, in their order.
pub(super) fn walk<A: Action>(
    tx: &mut Tx<'_, A>,
    behind: i64,
    most: i64,
) -> Result<Vec<(Place, Option<Logged>)>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => audit_chain::table
        .left_join(audit_log::table.on(
            audit_log::tenant_id.eq(audit_chain::tenant_id).and(audit_log::id.eq(audit_chain::entry_id))))
        .filter(audit_chain::tenant_id.eq(tenant))
        .filter(audit_chain::position.gt(behind))
        .order(audit_chain::position)
        .limit(most)
        .select((Place::as_select(), Option::<Logged>::as_select()))
        .load(c))?)
}

/// A row of the log, and where it is found besides.
type Seen = (EntryId, Option<EntryId>, Option<EntryId>);

/// Rows of the log behind one of them that stand neither in the chain nor among those that wait, in the order of
/// their identifiers, among the next so many; and the last that was looked at.
pub(super) fn strays<A: Action>(
    tx: &mut Tx<'_, A>,
    behind: Option<EntryId>,
    most: i64,
) -> Result<(Vec<EntryId>, Option<EntryId>)> {
    let tenant = tx.tenant();
    let behind = behind.unwrap_or_else(|| EntryId::from_uuid(uuid::Uuid::nil()));
    let rows: Vec<Seen> = with_conn!(tx.conn(), c => audit_log::table
        .left_join(audit_chain::table.on(
            audit_chain::tenant_id.eq(audit_log::tenant_id).and(audit_chain::entry_id.eq(audit_log::id))))
        .left_join(audit_unsealed::table.on(
            audit_unsealed::tenant_id.eq(audit_log::tenant_id).and(audit_unsealed::entry_id.eq(audit_log::id))))
        .filter(audit_log::tenant_id.eq(tenant))
        .filter(audit_log::id.gt(behind))
        .order(audit_log::id)
        .limit(most)
        .select((audit_log::id, audit_chain::entry_id.nullable(), audit_unsealed::entry_id.nullable()))
        .load(c))?;
    let last = rows.last().map(|row| row.0);
    let stray = rows.into_iter().filter(|(_, sealed, waits)| sealed.is_none() && waits.is_none());
    Ok((stray.map(|(id, ..)| id).collect(), last))
}
