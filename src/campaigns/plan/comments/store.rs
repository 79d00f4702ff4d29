//! Rows of comments.

use diesel::prelude::*;

use super::rules::{Comment, CommentId};
use crate::access::policy::Action;
use crate::access::{Tx, UserId};
use crate::campaigns::rules::{PlanId, TaskId};
use crate::db::schema::plan_comments;
use crate::db::{Instant, lock_row, with_conn};
use crate::errors::Result;
use crate::web::{Page, Paging};

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = plan_comments)]
struct Row {
    id: CommentId,
    plan_id: PlanId,
    number: i32,
    task_id: Option<TaskId>,
    task_title: Option<String>,
    content: String,
    author_id: UserId,
    resolved_at: Option<Instant>,
    resolved_by: Option<UserId>,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

impl From<Row> for Comment {
    fn from(row: Row) -> Self {
        let Row { id, plan_id, number, task_id, task_title, content, author_id, .. } = row;
        let Row { resolved_at, resolved_by, version, created_at, updated_at, .. } = row;
        Self {
            id,
            plan_id,
            number,
            task_id,
            task_title,
            content,
            author_id,
            resolved_at,
            resolved_by,
            version,
            created_at,
            updated_at,
        }
    }
}

/// What a list of comments is narrowed to.
#[derive(Debug, Clone, Copy, Default)]
pub struct CommentFilter {
    /// Of this task.
    pub task: Option<TaskId>,
    /// Whether they are dealt with.
    pub resolved: Option<bool>,
}

/// Comments are seen by who reads the plan itself.
macro_rules! of_plan {
    ($tenant:expr, $plan:expr) => {
        plan_comments::table
            .into_boxed()
            .filter(plan_comments::tenant_id.eq($tenant))
            .filter(plan_comments::plan_id.eq($plan))
    };
}

/// The comments on a plan, in the order in which they were made.
pub(super) fn list<A: Action>(
    tx: &mut Tx<'_, A>,
    plan: PlanId,
    filter: CommentFilter,
    paging: &Paging,
) -> Result<Page<Comment>> {
    let tenant = tx.tenant();
    macro_rules! these {
        () => {{
            let mut query = of_plan!(tenant, plan);
            if let Some(task) = filter.task {
                query = query.filter(plan_comments::task_id.eq(task));
            }
            match filter.resolved {
                Some(true) => query = query.filter(plan_comments::resolved_at.is_not_null()),
                Some(false) => query = query.filter(plan_comments::resolved_at.is_null()),
                None => {}
            }
            query
        }};
    }
    // The client may choose the id: the moment comes first.
    let after = paging.after(2)?.and_then(|place| {
        let micros = place.first()?.parse().ok()?;
        Some((Instant::from_micros(micros), CommentId::parse(place.get(1)?)?))
    });
    let total: Option<i64> = if paging.counts() {
        Some(with_conn!(tx.conn(), c => these!().count().get_result(c))?)
    } else {
        None
    };
    let rows: Vec<Row> = with_conn!(tx.conn(), c => {
        let query =
            these!()
                .order((plan_comments::created_at.asc(), plan_comments::id.asc()))
                .select(Row::as_select())
                .limit(paging.fetch());
        match after {
            None => query.load(c),
            Some((at, id)) => query
                .filter(plan_comments::created_at.gt(at).or(plan_comments::created_at.eq(at).and(plan_comments::id.gt(id))))
                .load(c),
        }
    })?;
    let place = |comment: &Comment| vec![comment.created_at.micros().to_string(), comment.id.to_string()];
    Ok(paging.page(rows.into_iter().map(Comment::from).collect(), total, place))
}

/// One comment on a plan.
pub(super) fn find<A: Action>(tx: &mut Tx<'_, A>, plan: PlanId, id: CommentId) -> Result<Option<Comment>> {
    let tenant = tx.tenant();
    let row: Option<Row> = with_conn!(tx.conn(), c => of_plan!(tenant, plan)
        .filter(plan_comments::id.eq(id))
        .select(Row::as_select())
        .first(c)
        .optional())?;
    Ok(row.map(Comment::from))
}

/// The comment with this identifier, of whichever plan.
pub(super) fn anywhere<A: Action>(tx: &mut Tx<'_, A>, id: CommentId) -> Result<Option<Comment>> {
    let tenant = tx.tenant();
    let row: Option<Row> = with_conn!(tx.conn(), c => plan_comments::table
        .find((tenant, id))
        .select(Row::as_select())
        .first(c)
        .optional())?;
    Ok(row.map(Comment::from))
}

/// Holds a comment until the transaction ends.
pub(super) fn lock<A: Action>(tx: &mut Tx<'_, A>, id: CommentId) -> Result<()> {
    let tenant = tx.tenant();
    lock_row!(tx.conn(), plan_comments::table.find((tenant, id)).select(plan_comments::id));
    Ok(())
}

/// Enters a comment.
pub(super) fn insert<A: Action>(tx: &mut Tx<'_, A>, one: &Comment) -> Result<()> {
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::insert_into(plan_comments::table)
        .values((
            plan_comments::tenant_id.eq(tenant),
            plan_comments::id.eq(one.id),
            plan_comments::plan_id.eq(one.plan_id),
            plan_comments::number.eq(one.number),
            plan_comments::task_id.eq(one.task_id),
            plan_comments::task_title.eq(&one.task_title),
            plan_comments::content.eq(&one.content),
            plan_comments::author_id.eq(one.author_id),
            plan_comments::version.eq(one.version),
            plan_comments::created_at.eq(one.created_at),
            plan_comments::updated_at.eq(one.updated_at),
        ))
        .execute(c))?;
    Ok(())
}

/// Saves that a comment is dealt with.
pub(super) fn save<A: Action>(tx: &mut Tx<'_, A>, one: &Comment) -> Result<()> {
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::update(plan_comments::table.find((tenant, one.id)))
        .set((
            plan_comments::resolved_at.eq(one.resolved_at),
            plan_comments::resolved_by.eq(one.resolved_by),
            plan_comments::version.eq(one.version),
            plan_comments::updated_at.eq(one.updated_at),
        ))
        .execute(c))?;
    Ok(())
}
