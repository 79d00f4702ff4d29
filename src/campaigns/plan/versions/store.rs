//! Rows of versions.

use diesel::prelude::*;

use super::hand_store::OPEN;
use super::rules::{Hand, Version, VersionId, VersionState};
use crate::access::policy::{Action, Effect};
use crate::access::{EffectTx, Tx, UserId};
use crate::campaigns::plan::rules::{Plan, PlanContent, SubmittedAs};
use crate::campaigns::rules::{PlanId, TaskId};
use crate::db::schema::{plan_versions, plans};
use crate::db::{Instant, fold, lock_row, with_conn};
use crate::errors::{AppError, Result};
use crate::org::rules::UnitId;

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = plan_versions)]
struct Row {
    id: VersionId,
    plan_id: PlanId,
    number: i32,
    state: VersionState,
    reason: Option<String>,
    content: String,
    return_comment: Option<String>,
    approval_comment: Option<String>,
    submitted_at: Option<Instant>,
    submitted_as: Option<SubmittedAs>,
    decided_at: Option<Instant>,
    decided_by: Option<UserId>,
    published_at: Option<Instant>,
    parent_amended: bool,
    created_by: UserId,
    created_at: Instant,
}

fn version(plan: &Plan, row: Row) -> Result<Version> {
    Ok(Version {
        id: row.id,
        plan_id: row.plan_id,
        state: row.state,
        reason: row.reason,
        content: serde_json::from_str(&row.content).map_err(AppError::internal)?,
        hand: Hand {
            number: row.number,
            // Of a version that is in hand no more nothing asks for it.
            state: row.state.in_hand().unwrap_or(plan.state),
            return_comment: row.return_comment,
            approval_comment: row.approval_comment,
            submitted_at: row.submitted_at,
            submitted_as: row.submitted_as,
            decided_at: row.decided_at,
            decided_by: row.decided_by,
            parent_amended: row.parent_amended,
        },
        published_at: row.published_at,
        created_by: Some(row.created_by),
        created_at: row.created_at,
    })
}

/// The versions kept of a plan, the newest first; none as long as it was never amended.
pub(super) fn of_plan<A: Action>(tx: &mut Tx<'_, A>, plan: &Plan) -> Result<Vec<Version>> {
    let tenant = tx.tenant();
    let rows: Vec<Row> = with_conn!(tx.conn(), c => plan_versions::table
        .filter(plan_versions::tenant_id.eq(tenant))
        .filter(plan_versions::plan_id.eq(plan.id))
        .order(plan_versions::number.desc())
        .select(Row::as_select())
        .load(c))?;
    rows.into_iter().map(|row| version(plan, row)).collect()
}

/// The version in hand of a plan.
pub(super) fn in_hand<A: Action>(tx: &mut Tx<'_, A>, plan: &Plan, number: i32) -> Result<Option<Version>> {
    let tenant = tx.tenant();
    let row: Option<Row> = with_conn!(tx.conn(), c => plan_versions::table
        .filter(plan_versions::tenant_id.eq(tenant))
        .filter(plan_versions::plan_id.eq(plan.id))
        .filter(plan_versions::number.eq(number))
        .select(Row::as_select())
        .first(c)
        .optional())?;
    row.map(|row| version(plan, row)).transpose()
}

/// Keeps the version in force as it is, and begins the next one with the same content: its number.
pub(super) fn begin<A: Action>(
    tx: &mut Tx<'_, A>,
    plan: &Plan,
    content: &PlanContent,
    reason: &str,
) -> Result<i32> {
    let (tenant, now, user) = (tx.tenant(), tx.now(), tx.user()?);
    let text = serde_json::to_string(content).map_err(AppError::internal)?;
    let first_author: UserId = with_conn!(tx.conn(), c => plans::table
        .find((tenant, plan.id))
        .select(plans::created_by)
        .first(c))?;
    with_conn!(tx.conn(), c => diesel::insert_into(plan_versions::table)
        .values((
            plan_versions::tenant_id.eq(tenant),
            plan_versions::id.eq(first_id(plan.id)),
            plan_versions::plan_id.eq(plan.id),
            plan_versions::number.eq(plan.number),
            plan_versions::state.eq(VersionState::InForce),
            plan_versions::content.eq(&text),
            plan_versions::approval_comment.eq(&plan.approval_comment),
            plan_versions::submitted_at.eq(plan.submitted_at),
            plan_versions::submitted_as.eq(plan.submitted_as),
            plan_versions::decided_at.eq(plan.decided_at),
            plan_versions::decided_by.eq(plan.decided_by),
            plan_versions::published_at.eq(plan.published_at),
            plan_versions::parent_amended.eq(plan.parent_amended),
            plan_versions::created_by.eq(first_author),
            plan_versions::created_at.eq(plan.created_at),
            plan_versions::updated_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(c))?;
    let last: Option<i32> = with_conn!(tx.conn(), c => plan_versions::table
        .filter(plan_versions::tenant_id.eq(tenant))
        .filter(plan_versions::plan_id.eq(plan.id))
        .select(diesel::dsl::max(plan_versions::number))
        .first(c))?;
    let number = last.unwrap_or(plan.number) + 1;
    with_conn!(tx.conn(), c => diesel::insert_into(plan_versions::table)
        .values((
            plan_versions::tenant_id.eq(tenant),
            plan_versions::id.eq(VersionId::generate()),
            plan_versions::plan_id.eq(plan.id),
            plan_versions::number.eq(number),
            plan_versions::state.eq(VersionState::Draft),
            plan_versions::reason.eq(reason),
            plan_versions::content.eq(&text),
            plan_versions::parent_amended.eq(plan.parent_amended),
            plan_versions::created_by.eq(user),
            plan_versions::created_at.eq(now),
            plan_versions::updated_at.eq(now),
        ))
        .execute(c))?;
    with_conn!(tx.conn(), c => diesel::update(plans::table.find((tenant, plan.id)))
        .set((
            plans::amendment.eq(VersionState::Draft),
            plans::amendment_number.eq(number),
            plans::version.eq(plans::version + 1_i64),
            plans::updated_at.eq(now),
        ))
        .execute(c))?;
    Ok(number)
}

/// The identifier of a plan's first version: the plan's own.
pub(super) fn first_id(plan: PlanId) -> VersionId {
    VersionId::from_uuid(plan.uuid())
}

/// Writes what the version in hand says, the plan's version one up.
pub(super) fn save_content<A: Action>(
    tx: &mut Tx<'_, A>,
    plan: PlanId,
    number: i32,
    content: &PlanContent,
) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    write(tx, plan, number, content)?;
    with_conn!(tx.conn(), c => diesel::update(plans::table.find((tenant, plan)))
        .set((plans::version.eq(plans::version + 1_i64), plans::updated_at.eq(now)))
        .execute(c))?;
    Ok(())
}

fn write<A: Action>(tx: &mut Tx<'_, A>, plan: PlanId, number: i32, content: &PlanContent) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    let text = serde_json::to_string(content).map_err(AppError::internal)?;
    with_conn!(tx.conn(), c => diesel::update(plan_versions::table
        .filter(plan_versions::tenant_id.eq(tenant))
        .filter(plan_versions::plan_id.eq(plan))
        .filter(plan_versions::number.eq(number)))
        .set((plan_versions::content.eq(&text), plan_versions::updated_at.eq(now)))
        .execute(c))?;
    Ok(())
}

/// Puts the version in hand in force: the plan says from now on what it says, and the one before is kept as
/// it was at last. The rows of phases and tasks are another's to write.
pub(super) fn supersede<A: Action>(
    tx: &mut Tx<'_, A>,
    after: &Plan,
    before: (&Plan, &PlanContent),
    content: &PlanContent,
) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    let (old, said) = before;
    write(tx, old.id, old.number, said)?;
    for (number, state) in [(old.number, VersionState::Superseded), (after.number, VersionState::InForce)] {
        let published_at = if number == after.number { after.published_at } else { old.published_at };
        with_conn!(tx.conn(), c => diesel::update(plan_versions::table
            .filter(plan_versions::tenant_id.eq(tenant))
            .filter(plan_versions::plan_id.eq(old.id))
            .filter(plan_versions::number.eq(number)))
            .set((
                plan_versions::state.eq(state),
                plan_versions::published_at.eq(published_at),
                plan_versions::updated_at.eq(now),
            ))
            .execute(c))?;
    }
    let meeting = content.meeting.as_ref();
    with_conn!(tx.conn(), c => diesel::update(plans::table.find((tenant, old.id)))
        .set((
            plans::title.eq(&content.title),
            plans::search_text.eq(fold(&content.title)),
            plans::meeting_title.eq(meeting.map(|one| &one.title)),
            plans::meeting_number.eq(meeting.and_then(|one| one.number.as_ref())),
            plans::meeting_held_on.eq(meeting.map(|one| one.held_on)),
            plans::number.eq(after.number),
            plans::amendment.eq(None::<VersionState>),
            plans::amendment_number.eq(None::<i32>),
        ))
        .execute(c))?;
    Ok(())
}

/// Holds the plans under a plan until the transaction ends, in the order of their ids.
pub(super) fn lock_children<A: Action>(tx: &mut Tx<'_, A>, parent: PlanId) -> Result<()> {
    let tenant = tx.tenant();
    let rows = plans::table
        .filter(plans::tenant_id.eq(tenant))
        .filter(plans::parent_plan_id.eq(parent))
        .order(plans::id)
        .select(plans::id);
    lock_row!(tx.conn(), rows);
    Ok(())
}

/// Says of a plan's children, and of the amendments in hand of them, that the plan above them has changed;
/// those that had not been told yet, or whose amendment had not.
pub(super) fn tell_children<E: Effect>(tx: &mut EffectTx<'_, E>, parent: PlanId) -> Result<Vec<PlanId>> {
    use crate::campaigns::plan::rules::PlanState::{Closed, Withdrawn};
    let tenant = tx.tenant();
    let children: Vec<(PlanId, bool)> = with_conn!(tx.conn(), c => plans::table
        .filter(plans::tenant_id.eq(tenant))
        .filter(plans::parent_plan_id.eq(parent))
        .filter(plans::stage.is_null().or(plans::stage.ne_all([Closed, Withdrawn])))
        .order(plans::id)
        .select((plans::id, plans::parent_amended))
        .load(c))?;
    let ids: Vec<PlanId> = children.iter().map(|(id, _)| *id).collect();
    let mut told: Vec<PlanId> = children.into_iter().filter(|(_, told)| !told).map(|(id, _)| id).collect();
    told.extend(amendments_not_told(tx, &ids)?);
    told.sort_unstable();
    told.dedup();
    compare_anew(tx, &told)?;
    Ok(told)
}

/// Those of the plans whose amendment in hand has not been told that the plan above has changed.
fn amendments_not_told<E: Effect>(tx: &mut EffectTx<'_, E>, ids: &[PlanId]) -> Result<Vec<PlanId>> {
    let tenant = tx.tenant();
    let mut found = Vec::new();
    for some in ids.chunks(500) {
        let rows: Vec<PlanId> = with_conn!(tx.conn(), c => plan_versions::table
            .filter(plan_versions::tenant_id.eq(tenant))
            .filter(plan_versions::plan_id.eq_any(some.to_vec()))
            .filter(plan_versions::state.eq_any(OPEN))
            .filter(plan_versions::parent_amended.eq(false))
            .select(plan_versions::plan_id)
            .load(c))?;
        found.extend(rows);
    }
    Ok(found)
}

/// Marks plans, and what is in hand of them, as to be compared with the plan above anew; their versions one up.
///
/// # Errors
/// When the database fails.
pub fn compare_anew<E: Effect>(tx: &mut EffectTx<'_, E>, ids: &[PlanId]) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    for some in ids.chunks(500) {
        with_conn!(tx.conn(), c => diesel::update(plans::table
            .filter(plans::tenant_id.eq(tenant))
            .filter(plans::id.eq_any(some.to_vec())))
            .set((
                plans::parent_amended.eq(true),
                plans::version.eq(plans::version + 1_i64),
                plans::updated_at.eq(now),
            ))
            .execute(c))?;
        with_conn!(tx.conn(), c => diesel::update(plan_versions::table
            .filter(plan_versions::tenant_id.eq(tenant))
            .filter(plan_versions::plan_id.eq_any(some.to_vec()))
            .filter(plan_versions::state.eq_any(OPEN)))
            .set(plan_versions::parent_amended.eq(true))
            .execute(c))?;
    }
    Ok(())
}

/// The amendments in hand whose text holds a unit's id.
fn mentioning<E: Effect>(
    tx: &mut EffectTx<'_, E>,
    unit: UnitId,
) -> Result<Vec<(VersionId, PlanId, PlanContent)>> {
    let tenant = tx.tenant();
    let rows: Vec<(VersionId, PlanId, String)> = with_conn!(tx.conn(), c => plan_versions::table
        .inner_join(plans::table.on(
            plans::tenant_id.eq(plan_versions::tenant_id).and(plans::id.eq(plan_versions::plan_id))))
        .filter(plan_versions::tenant_id.eq(tenant))
        .filter(plans::amendment.is_not_null())
        .filter(plans::amendment_number.eq(plan_versions::number.nullable()))
        .filter(plan_versions::content.like(format!("%{unit}%")))
        .order(plan_versions::id)
        .select((plan_versions::id, plan_versions::plan_id, plan_versions::content))
        .load(c))?;
    let read = |(id, plan, text): (VersionId, PlanId, String)| {
        Ok((id, plan, serde_json::from_str(&text).map_err(AppError::internal)?))
    };
    rows.into_iter().map(read).collect()
}

/// The tasks of amendments in hand that name a unit as responsible, with their plans and titles.
///
/// # Errors
/// When the database fails.
pub fn tasks_naming<E: Effect>(
    tx: &mut EffectTx<'_, E>,
    unit: UnitId,
) -> Result<Vec<(TaskId, PlanId, String)>> {
    let mut found = Vec::new();
    for (_, plan, content) in mentioning(tx, unit)? {
        let naming =
            content.tasks.into_iter().filter(|task| task.responsible.iter().any(|one| one.unit_id == unit));
        found.extend(naming.filter_map(|task| Some((task.id?, plan, task.title))));
    }
    Ok(found)
}

/// Names the successor where an amendment in hand names a unit; the plans concerned.
///
/// # Errors
/// When the database fails.
pub fn naming_unit<E: Effect>(tx: &mut EffectTx<'_, E>, from: UnitId, to: UnitId) -> Result<Vec<PlanId>> {
    let tenant = tx.tenant();
    let mut concerned = Vec::new();
    for (id, plan, mut content) in mentioning(tx, from)? {
        for task in &mut content.tasks {
            let mut kept = Vec::with_capacity(task.responsible.len());
            for mut one in std::mem::take(&mut task.responsible) {
                if one.unit_id == from {
                    one.unit_id = to;
                }
                if !kept.contains(&one) {
                    kept.push(one);
                }
            }
            task.responsible = kept;
        }
        let text = serde_json::to_string(&content).map_err(AppError::internal)?;
        with_conn!(tx.conn(), c => diesel::update(plan_versions::table.find((tenant, id)))
            .set(plan_versions::content.eq(&text))
            .execute(c))?;
        concerned.push(plan);
    }
    Ok(concerned)
}
