//! Rows of posts.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::rules::{Post, PostDraft, PostEntity, PostId, PostKind};
use crate::access::policy::{Action, Background};
use crate::access::{JobId, Tx, UserId};
use crate::db::schema::posts;
use crate::db::{Instant, TenantId, insert_rows, with_conn};
use crate::errors::Result;
use crate::jobs::in_force;
use crate::org::officers::rules::OfficerId;
use crate::org::rules::UnitId;
use crate::web::{Page, Paging};

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = posts)]
struct PostRow {
    id: PostId,
    revision: i64,
    officer_id: OfficerId,
    unit_id: UnitId,
    kind: PostKind,
    title: String,
    valid_from_on: NaiveDate,
    valid_until_on: Option<NaiveDate>,
    voided: bool,
    reason: Option<String>,
    recorded_at: Instant,
    recorded_by: Option<UserId>,
    superseded_at: Option<Instant>,
}

impl From<PostRow> for Post {
    fn from(row: PostRow) -> Self {
        let PostRow { unit_id, kind, title, valid_from_on, valid_until_on, voided, reason, .. } = row;
        Self {
            id: row.id,
            revision: row.revision,
            officer_id: row.officer_id,
            draft: PostDraft { unit_id, kind, title, valid_from_on, valid_until_on, voided, reason },
            recorded_at: row.recorded_at,
            recorded_by: row.recorded_by,
            superseded_at: row.superseded_at,
        }
    }
}

#[derive(Insertable)]
#[diesel(table_name = posts)]
struct NewPost<'a> {
    tenant_id: TenantId,
    id: PostId,
    revision: i64,
    officer_id: OfficerId,
    unit_id: UnitId,
    kind: PostKind,
    title: &'a str,
    valid_from_on: NaiveDate,
    valid_until_on: Option<NaiveDate>,
    voided: bool,
    reason: Option<&'a str>,
    recorded_at: Instant,
    recorded_by: Option<UserId>,
    batch_id: Option<JobId>,
}

/// The revisions believed now, those that imports under way have entered among them: for what there may be one of.
macro_rules! believed {
    ($tenant:expr) => {
        posts::table.filter(posts::tenant_id.eq($tenant)).filter(posts::superseded_at.is_null()).into_boxed()
    };
}

/// The revisions in force believed just before a moment; none: those believed now.
macro_rules! known {
    ($tenant:expr, $before:expr) => {{
        let query = in_force!(
            posts::table.filter(posts::tenant_id.eq($tenant)).into_boxed(),
            $tenant,
            posts::batch_id
        );
        match $before {
            None => query.filter(posts::superseded_at.is_null()),
            Some(moment) => query
                .filter(posts::recorded_at.lt(moment))
                .filter(posts::superseded_at.is_null().or(posts::superseded_at.ge(moment))),
        }
    }};
}

/// Enters revisions.
pub(super) fn insert<A: Action>(tx: &mut Tx<'_, A>, new: &[Post], batch: Option<JobId>) -> Result<()> {
    let tenant_id = tx.tenant();
    let rows: Vec<NewPost<'_>> = new
        .iter()
        .map(|post| NewPost {
            tenant_id,
            id: post.id,
            revision: post.revision,
            officer_id: post.officer_id,
            unit_id: post.draft.unit_id,
            kind: post.draft.kind,
            title: &post.draft.title,
            valid_from_on: post.draft.valid_from_on,
            valid_until_on: post.draft.valid_until_on,
            voided: post.draft.voided,
            reason: post.draft.reason.as_deref(),
            recorded_at: post.recorded_at,
            recorded_by: post.recorded_by,
            batch_id: batch,
        })
        .collect();
    insert_rows!(tx.conn(), posts::table, &rows);
    Ok(())
}

/// Says that a revision is believed no longer.
pub(super) fn supersede<A: Action>(tx: &mut Tx<'_, A>, id: PostId, revision: i64) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    with_conn!(tx.conn(), c => diesel::update(posts::table.find((tenant, id, revision)))
        .set(posts::superseded_at.eq(now))
        .execute(c))?;
    Ok(())
}

/// The post as it is believed now, whoever's it is.
pub(super) fn current<A: Action>(tx: &mut Tx<'_, A>, id: PostId) -> Result<Option<Post>> {
    let tenant = tx.tenant();
    let row: Option<PostRow> = with_conn!(tx.conn(), c => known!(tenant, None::<Instant>)
        .filter(posts::id.eq(id))
        .select(PostRow::as_select())
        .first(c)
        .optional())?;
    Ok(row.map(Post::from))
}

/// The posts of an officer as they were known, the latest first day first.
pub(super) fn of_officer<A: Action>(
    tx: &mut Tx<'_, A>,
    officer: OfficerId,
    known_before: Option<Instant>,
    paging: &Paging,
) -> Result<Page<Post>> {
    let tenant = tx.tenant();
    let after = paging.after_day::<PostEntity>()?;
    let total: Option<i64> = if paging.counts() {
        Some(with_conn!(tx.conn(), c => known!(tenant, known_before)
            .filter(posts::officer_id.eq(officer))
            .count()
            .get_result(c))?)
    } else {
        None
    };
    let rows: Vec<PostRow> = with_conn!(tx.conn(), c => {
        let mut query = known!(tenant, known_before).filter(posts::officer_id.eq(officer));
        if let Some((day, id)) = after {
            query = query.filter(posts::valid_from_on.lt(day).or(posts::valid_from_on.eq(day).and(posts::id.lt(id))));
        }
        query
            .order((posts::valid_from_on.desc(), posts::id.desc()))
            .limit(paging.fetch())
            .select(PostRow::as_select())
            .load(c)
    })?;
    Ok(paging.page(rows.into_iter().map(Post::from).collect(), total, |post| {
        vec![post.draft.valid_from_on.to_string(), post.id.to_string()]
    }))
}

/// Who was head of a unit on a day, as it was known.
pub(super) fn head_on<A: Action>(
    tx: &mut Tx<'_, A>,
    unit: UnitId,
    day: NaiveDate,
    known_before: Option<Instant>,
) -> Result<Option<Post>> {
    let tenant = tx.tenant();
    let row: Option<PostRow> = with_conn!(tx.conn(), c => known!(tenant, known_before)
        .filter(posts::unit_id.eq(unit))
        .filter(posts::kind.eq(PostKind::Head))
        .filter(posts::voided.eq(false))
        .filter(posts::valid_from_on.le(day))
        .filter(posts::valid_until_on.is_null().or(posts::valid_until_on.ge(day)))
        .order((posts::valid_from_on.desc(), posts::id.desc()))
        .select(PostRow::as_select())
        .first(c)
        .optional())?;
    Ok(row.map(Post::from))
}

/// The units that an officer heads on a day.
pub(super) fn headed_by<A: Action>(
    tx: &mut Tx<'_, A>,
    officer: OfficerId,
    day: NaiveDate,
) -> Result<Vec<UnitId>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => known!(tenant, None::<Instant>)
        .filter(posts::officer_id.eq(officer))
        .filter(posts::kind.eq(PostKind::Head))
        .filter(posts::voided.eq(false))
        .filter(posts::valid_from_on.le(day))
        .filter(posts::valid_until_on.is_null().or(posts::valid_until_on.ge(day)))
        .select(posts::unit_id)
        .load(c))?)
}

/// The posts of head at a unit that last until `from` or longer, without `except`.
pub(super) fn heads_from<A: Action>(
    tx: &mut Tx<'_, A>,
    unit: UnitId,
    from: NaiveDate,
    except: Option<PostId>,
) -> Result<Vec<Post>> {
    let tenant = tx.tenant();
    let rows: Vec<PostRow> = with_conn!(tx.conn(), c => {
        let mut query = believed!(tenant)
            .filter(posts::unit_id.eq(unit))
            .filter(posts::kind.eq(PostKind::Head))
            .filter(posts::voided.eq(false))
            .filter(posts::valid_until_on.is_null().or(posts::valid_until_on.ge(from)));
        if let Some(id) = except {
            query = query.filter(posts::id.ne(id));
        }
        query.order((posts::valid_from_on, posts::id)).select(PostRow::as_select()).load(c)
    })?;
    Ok(rows.into_iter().map(Post::from).collect())
}

/// Whose posts are asked for.
#[derive(Debug, Clone, Copy)]
pub(super) enum Of {
    Unit(UnitId),
    Officer(OfficerId),
}

/// The posts of a unit or an officer that last until `day` or longer.
pub(super) fn lasting<A: Action>(tx: &mut Tx<'_, A>, of: Of, day: NaiveDate) -> Result<Vec<Post>> {
    let tenant = tx.tenant();
    let rows: Vec<PostRow> = with_conn!(tx.conn(), c => {
        let query = known!(tenant, None::<Instant>)
            .filter(posts::voided.eq(false))
            .filter(posts::valid_until_on.is_null().or(posts::valid_until_on.ge(day)));
        let query = match of {
            Of::Unit(unit) => query.filter(posts::unit_id.eq(unit)),
            Of::Officer(officer) => query.filter(posts::officer_id.eq(officer)),
        };
        query.order((posts::valid_from_on, posts::id)).select(PostRow::as_select()).load(c)
    })?;
    Ok(rows.into_iter().map(Post::from).collect())
}

/// Every post of head at these units, past ones and those of imports under way too: a new one may begin in the past.
pub(super) fn heads_of<A: Action>(tx: &mut Tx<'_, A>, units: &[UnitId]) -> Result<Vec<Post>> {
    let tenant = tx.tenant();
    let mut found = Vec::new();
    for some in units.chunks(500) {
        let rows: Vec<PostRow> = with_conn!(tx.conn(), c => believed!(tenant)
            .filter(posts::unit_id.eq_any(some.to_vec()))
            .filter(posts::kind.eq(PostKind::Head))
            .filter(posts::voided.eq(false))
            .select(PostRow::as_select())
            .load(c))?;
        found.extend(rows.into_iter().map(Post::from));
    }
    Ok(found)
}

/// The posts that a batch has entered for these officers.
pub(super) fn of_batch<A: Action>(
    tx: &mut Tx<'_, A>,
    batch: JobId,
    officers: &[OfficerId],
) -> Result<Vec<Post>> {
    let tenant = tx.tenant();
    let mut found = Vec::new();
    for some in officers.chunks(500) {
        let rows: Vec<PostRow> = with_conn!(tx.conn(), c => posts::table
            .filter(posts::tenant_id.eq(tenant))
            .filter(posts::officer_id.eq_any(some.to_vec()))
            .filter(posts::batch_id.eq(batch))
            .select(PostRow::as_select())
            .load(c))?;
        found.extend(rows.into_iter().map(Post::from));
    }
    Ok(found)
}

/// Takes back posts that nobody has seen.
pub(super) fn withdraw(tx: &mut Tx<'_, Background>, batch: JobId, officers: &[OfficerId]) -> Result<()> {
    let tenant = tx.tenant();
    for some in officers.chunks(500) {
        with_conn!(tx.conn(), c => diesel::delete(posts::table
            .filter(posts::tenant_id.eq(tenant))
            .filter(posts::officer_id.eq_any(some.to_vec()))
            .filter(posts::batch_id.eq(batch)))
            .execute(c))?;
    }
    Ok(())
}
