//! Rows of plans and their authors.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::rules::{Meeting, Plan, PlanContent, PlanState, SubmittedAs};
use crate::access::policy::Action;
use crate::access::{PathRange, Reach, Tx, UserId, within_reach};
use crate::campaigns::rules::{CampaignId, PlanId};
use crate::db::schema::plans;
use crate::db::{Instant, contains_pattern, fold, lock_row, text_enum, with_conn};
use crate::errors::Result;
use crate::org::rules::{Unit, UnitId};
use crate::web::{Cursor, Page, Paging};

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = plans)]
struct PlanRow {
    id: PlanId,
    campaign_id: CampaignId,
    unit_id: UnitId,
    unit_path: String,
    parent_plan_id: Option<PlanId>,
    title: String,
    state: PlanState,
    meeting_title: Option<String>,
    meeting_number: Option<String>,
    meeting_held_on: Option<NaiveDate>,
    return_comment: Option<String>,
    approval_comment: Option<String>,
    submitted_at: Option<Instant>,
    submitted_as: Option<SubmittedAs>,
    decided_at: Option<Instant>,
    decided_by: Option<UserId>,
    published_at: Option<Instant>,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
    stage: Option<PlanState>,
    stage_at: Option<Instant>,
    starts_on: Option<NaiveDate>,
    number: i32,
    parent_amended: bool,
    amendment: Option<PlanState>,
    amendment_number: Option<i32>,
}

impl PlanRow {
    /// The plan as it stands on a day.
    fn on(self, today: NaiveDate) -> Plan {
        let row = self;
        let meeting = match (row.meeting_title, row.meeting_held_on) {
            (Some(title), Some(held_on)) => Some(Meeting { title, number: row.meeting_number, held_on }),
            _ => None,
        };
        Plan {
            id: row.id,
            campaign_id: row.campaign_id,
            unit_id: row.unit_id,
            unit_path: row.unit_path,
            parent_plan_id: row.parent_plan_id,
            title: row.title,
            state: PlanState::of(row.state, row.stage, row.starts_on, today),
            meeting,
            return_comment: row.return_comment,
            approval_comment: row.approval_comment,
            submitted_at: row.submitted_at,
            submitted_as: row.submitted_as,
            decided_at: row.decided_at,
            decided_by: row.decided_by,
            published_at: row.published_at,
            starts_on: row.starts_on,
            stage_at: row.stage_at,
            number: row.number,
            parent_amended: row.parent_amended,
            amendment: row.amendment,
            amendment_number: row.amendment_number,
            version: row.version,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

text_enum! {
    /// By what plans are sorted; ties by id.
    PlanSort as "plan_sort" {
        Path = "path", "按单位, 上级在前", "By unit, superiors first", grey;
        Newest = "-created_at", "新建在前", "Newest first", grey;
        Oldest = "created_at", "先建在前", "Oldest first", grey;
    }
}

/// A cursor's moment; the seal vouches for its form.
fn moment(micros: &str) -> Instant {
    Instant::from_micros(micros.parse().unwrap_or_default())
}

/// What a list of plans is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct PlanFilter {
    /// Of this campaign.
    pub campaign: Option<CampaignId>,
    /// In these states; empty for all.
    pub states: Vec<PlanState>,
    /// Of these units.
    pub below: Option<PathRange>,
    /// Under this plan.
    pub parent: Option<PlanId>,
    /// Whose title holds this, case folded.
    pub search: Option<String>,
    /// Whether the plan above was amended since they were compared with it.
    pub parent_amended: Option<bool>,
    /// Whether an amendment is in hand.
    pub amending: Option<bool>,
}

/// The one place where the table is named for reading: tenant, reach, and what superiors published.
macro_rules! visible {
    ($tenant:expr, $reach:expr) => {{
        let mut query = within_reach!(plans::table, $reach, plans::unit_path);
        if !$reach.tenant && !$reach.ancestors.is_empty() {
            query = query.or_filter(
                plans::state.eq(PlanState::Published).and(plans::unit_path.eq_any($reach.ancestors.clone())),
            );
        }
        query.filter(plans::tenant_id.eq($tenant))
    }};
}

/// States asked for, as they are kept: `running` is published and begun.
struct Kept {
    states: Vec<PlanState>,
    stages: Vec<PlanState>,
    /// Of those published, only the ones that have begun, or have not; none for both.
    runs: Option<bool>,
}

impl Kept {
    fn of(asked: &[PlanState]) -> Self {
        let (stages, mut states): (Vec<PlanState>, Vec<PlanState>) =
            asked.iter().partition(|state| state.is_stage());
        let (published, running) =
            (asked.contains(&PlanState::Published), asked.contains(&PlanState::Running));
        states.retain(|state| *state != PlanState::Running);
        if running && !published {
            states.push(PlanState::Published);
        }
        Self { states, stages, runs: (published != running).then_some(running) }
    }
}

macro_rules! filtered {
    ($tenant:expr, $reach:expr, $filter:expr, $today:expr) => {{
        let mut query = visible!($tenant, $reach);
        if let Some(campaign) = $filter.campaign {
            query = query.filter(plans::campaign_id.eq(campaign));
        }
        if !$filter.states.is_empty() {
            let Kept { states, stages, runs } = Kept::of(&$filter.states);
            let by_state = plans::stage.is_null().and(plans::state.eq_any(states));
            let by_stage = plans::stage.eq_any(stages);
            let begun = plans::starts_on.le($today);
            query = match runs {
                None => query.filter(by_state.or(by_stage)),
                Some(true) => {
                    query.filter(by_state.and(plans::state.ne(PlanState::Published).or(begun)).or(by_stage))
                }
                Some(false) => {
                    let not_begun = plans::starts_on.gt($today).or(plans::starts_on.is_null());
                    query.filter(
                        by_state.and(plans::state.ne(PlanState::Published).or(not_begun)).or(by_stage),
                    )
                }
            };
        }
        if let Some(range) = $filter.below.clone() {
            query = query.filter(plans::unit_path.ge(range.low)).filter(plans::unit_path.lt(range.high));
        }
        if let Some(parent) = $filter.parent {
            query = query.filter(plans::parent_plan_id.eq(parent));
        }
        if let Some(told) = $filter.parent_amended {
            query = query.filter(plans::parent_amended.eq(told));
        }
        match $filter.amending {
            Some(true) => query = query.filter(plans::amendment.is_not_null()),
            Some(false) => query = query.filter(plans::amendment.is_null()),
            None => {}
        }
        if let Some(search) = &$filter.search {
            query = query.filter(plans::search_text.like(contains_pattern(search)).escape('\\'));
        }
        query
    }};
}

pub(super) fn list<A: Action>(
    tx: &mut Tx<'_, A>,
    filter: &PlanFilter,
    sort: PlanSort,
    paging: &Paging,
) -> Result<Page<Plan>> {
    let (tenant, mut reach, today) = (tx.tenant(), tx.reach().clone(), tx.now().shanghai_day());
    if filter.amending.is_some() {
        // Whoever reads a superior's plan is not to tell by this what is in hand of it.
        reach.ancestors = Vec::new();
    }
    let place: fn(&Plan) -> Cursor = match sort {
        PlanSort::Path => |plan| vec![plan.unit_path.clone(), plan.id.to_string()],
        PlanSort::Newest | PlanSort::Oldest => {
            |plan| vec![plan.created_at.micros().to_string(), plan.id.to_string()]
        }
    };
    let after =
        paging.after(2)?.and_then(|place| Some((place.first()?.clone(), PlanId::parse(place.get(1)?)?)));
    let total: Option<i64> = if paging.counts() {
        Some(with_conn!(tx.conn(), c => filtered!(tenant, reach, filter, today).count().get_result(c))?)
    } else {
        None
    };
    let rows: Vec<PlanRow> = with_conn!(tx.conn(), c => {
        let query = filtered!(tenant, reach, filter, today).select(PlanRow::as_select()).limit(paging.fetch());
        match (sort, after) {
            (PlanSort::Path, None) => query.order((plans::unit_path.asc(), plans::id.asc())).load(c),
            (PlanSort::Path, Some((path, id))) => query
                .filter(plans::unit_path.gt(path.clone()).or(plans::unit_path.eq(path).and(plans::id.gt(id))))
                .order((plans::unit_path.asc(), plans::id.asc()))
                .load(c),
            (PlanSort::Newest, None) => query.order((plans::created_at.desc(), plans::id.desc())).load(c),
            (PlanSort::Newest, Some((at, id))) => {
                let at = moment(&at);
                query
                    .filter(plans::created_at.lt(at).or(plans::created_at.eq(at).and(plans::id.lt(id))))
                    .order((plans::created_at.desc(), plans::id.desc()))
                    .load(c)
            }
            (PlanSort::Oldest, None) => query.order((plans::created_at.asc(), plans::id.asc())).load(c),
            (PlanSort::Oldest, Some((at, id))) => {
                let at = moment(&at);
                query
                    .filter(plans::created_at.gt(at).or(plans::created_at.eq(at).and(plans::id.gt(id))))
                    .order((plans::created_at.asc(), plans::id.asc()))
                    .load(c)
            }
        }
    })?;
    Ok(paging.page(rows.into_iter().map(|row| row.on(today)).collect(), total, place))
}

/// The plan, if `reach` holds it or a superior published it.
pub(super) fn find<A: Action>(tx: &mut Tx<'_, A>, reach: &Reach, id: PlanId) -> Result<Option<Plan>> {
    let (tenant, today) = (tx.tenant(), tx.now().shanghai_day());
    let row: Option<PlanRow> = with_conn!(tx.conn(), c => visible!(tenant, reach)
        .filter(plans::id.eq(id))
        .select(PlanRow::as_select())
        .first(c)
        .optional())?;
    Ok(row.map(|row| row.on(today)))
}

/// Those of the plans that `reach` holds, or a superior published.
pub(super) fn find_many<A: Action>(tx: &mut Tx<'_, A>, reach: &Reach, ids: &[PlanId]) -> Result<Vec<Plan>> {
    let (tenant, today) = (tx.tenant(), tx.now().shanghai_day());
    let rows: Vec<PlanRow> = with_conn!(tx.conn(), c => visible!(tenant, reach)
        .filter(plans::id.eq_any(ids.to_vec()))
        .select(PlanRow::as_select())
        .load(c))?;
    Ok(rows.into_iter().map(|row| row.on(today)).collect())
}

/// Plans within `reach` of which what is in hand is in one of these states, the longest waiting first, from
/// behind one of them on.
pub(super) fn in_states<A: Action>(
    tx: &mut Tx<'_, A>,
    reach: &Reach,
    states: &[PlanState],
    (after, most): (Option<(Instant, PlanId)>, i64),
) -> Result<Vec<Plan>> {
    let (at, id) = after.unwrap_or((Instant::from_micros(0), PlanId::from_uuid(uuid::Uuid::nil())));
    let (tenant, reach, today) =
        (tx.tenant(), Reach { ancestors: Vec::new(), ..reach.clone() }, tx.now().shanghai_day());
    let rows: Vec<PlanRow> = with_conn!(tx.conn(), c => visible!(tenant, reach)
        .filter(plans::state.eq_any(states.to_vec()).or(plans::amendment.eq_any(states.to_vec())))
        .filter(plans::stage.is_null())
        .filter(plans::updated_at.gt(at).or(plans::updated_at.eq(at).and(plans::id.gt(id))))
        .order((plans::updated_at.asc(), plans::id.asc()))
        .limit(most)
        .select(PlanRow::as_select())
        .load(c))?;
    Ok(rows.into_iter().map(|row| row.on(today)).collect())
}

/// Plans within `reach` in force whose parent was amended since, the longest waiting first.
pub(super) fn told_of_parents<A: Action>(tx: &mut Tx<'_, A>, reach: &Reach, most: i64) -> Result<Vec<Plan>> {
    let (tenant, reach, today) =
        (tx.tenant(), Reach { ancestors: Vec::new(), ..reach.clone() }, tx.now().shanghai_day());
    let rows: Vec<PlanRow> = with_conn!(tx.conn(), c => visible!(tenant, reach)
        .filter(plans::parent_amended.eq(true))
        .filter(plans::stage.is_null())
        .filter(plans::state.eq(PlanState::Published))
        .order((plans::updated_at.asc(), plans::id.asc()))
        .limit(most)
        .select(PlanRow::as_select())
        .load(c))?;
    Ok(rows.into_iter().map(|row| row.on(today)).collect())
}

/// Locks the plans' rows until the transaction ends, in the order of their ids.
pub(super) fn lock_many<A: Action>(tx: &mut Tx<'_, A>, ids: &[PlanId]) -> Result<()> {
    let tenant = tx.tenant();
    let rows = plans::table
        .filter(plans::tenant_id.eq(tenant))
        .filter(plans::id.eq_any(ids.to_vec()))
        .order(plans::id)
        .select(plans::id);
    lock_row!(tx.conn(), rows);
    Ok(())
}

/// Locks the plan's row until the transaction ends; SQLite has one writer anyway.
pub(super) fn lock<A: Action>(tx: &mut Tx<'_, A>, id: PlanId) -> Result<()> {
    let tenant = tx.tenant();
    lock_row!(tx.conn(), plans::table.find((tenant, id)).select(plans::id));
    Ok(())
}

/// Whether the id is in use, wherever.
pub(super) fn is_taken<A: Action>(tx: &mut Tx<'_, A>, id: PlanId) -> Result<bool> {
    let tenant = tx.tenant();
    let found: i64 = with_conn!(tx.conn(), c => plans::table.find((tenant, id)).count().get_result(c))?;
    Ok(found > 0)
}

/// The plans of a campaign at these units, whatever the reach.
pub(super) fn at_paths<A: Action>(
    tx: &mut Tx<'_, A>,
    campaign: CampaignId,
    paths: &[String],
) -> Result<Vec<Plan>> {
    let (tenant, reach, today) = (tx.tenant(), Reach::whole_tenant(), tx.now().shanghai_day());
    let rows: Vec<PlanRow> = with_conn!(tx.conn(), c => visible!(tenant, reach)
        .filter(plans::campaign_id.eq(campaign))
        .filter(plans::unit_path.eq_any(paths.to_vec()))
        .select(PlanRow::as_select())
        .load(c))?;
    Ok(rows.into_iter().map(|row| row.on(today)).collect())
}

/// The plans of a campaign at the units of a subtree, whatever the reach.
pub(super) fn below<A: Action>(
    tx: &mut Tx<'_, A>,
    campaign: CampaignId,
    range: &PathRange,
) -> Result<Vec<Plan>> {
    let (tenant, reach, today) = (tx.tenant(), Reach::whole_tenant(), tx.now().shanghai_day());
    let rows: Vec<PlanRow> = with_conn!(tx.conn(), c => visible!(tenant, reach)
        .filter(plans::campaign_id.eq(campaign))
        .filter(plans::unit_path.ge(range.low.clone()))
        .filter(plans::unit_path.lt(range.high.clone()))
        .select(PlanRow::as_select())
        .load(c))?;
    Ok(rows.into_iter().map(|row| row.on(today)).collect())
}

pub(super) fn insert<A: Action>(
    tx: &mut Tx<'_, A>,
    id: PlanId,
    campaign: CampaignId,
    unit: &Unit,
    parent: Option<PlanId>,
    content: &PlanContent,
) -> Result<()> {
    let (tenant, now, user) = (tx.tenant(), tx.now(), tx.user()?);
    let meeting = content.meeting.as_ref();
    with_conn!(tx.conn(), c => diesel::insert_into(plans::table)
        .values((
            plans::tenant_id.eq(tenant),
            plans::id.eq(id),
            plans::campaign_id.eq(campaign),
            plans::unit_id.eq(unit.id),
            plans::unit_path.eq(&unit.path),
            plans::parent_plan_id.eq(parent),
            plans::title.eq(&content.title),
            plans::search_text.eq(fold(&content.title)),
            plans::state.eq(PlanState::Draft),
            plans::meeting_title.eq(meeting.map(|one| &one.title)),
            plans::meeting_number.eq(meeting.and_then(|one| one.number.as_ref())),
            plans::meeting_held_on.eq(meeting.map(|one| one.held_on)),
            plans::starts_on.eq(first_day(content)),
            plans::version.eq(1_i64),
            plans::created_by.eq(user),
            plans::created_at.eq(now),
            plans::updated_at.eq(now),
        ))
        .execute(c))?;
    Ok(())
}

pub(super) fn update_content<A: Action>(tx: &mut Tx<'_, A>, id: PlanId, content: &PlanContent) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    let meeting = content.meeting.as_ref();
    with_conn!(tx.conn(), c => diesel::update(plans::table.find((tenant, id)))
        .set((
            plans::title.eq(&content.title),
            plans::search_text.eq(fold(&content.title)),
            plans::meeting_title.eq(meeting.map(|one| &one.title)),
            plans::meeting_number.eq(meeting.and_then(|one| one.number.as_ref())),
            plans::meeting_held_on.eq(meeting.map(|one| one.held_on)),
            plans::starts_on.eq(first_day(content)),
            plans::version.eq(plans::version + 1_i64),
            plans::updated_at.eq(now),
        ))
        .execute(c))?;
    Ok(())
}

fn first_day(content: &PlanContent) -> Option<NaiveDate> {
    content.phases.iter().map(|phase| phase.starts_on).min()
}

/// Puts a plan into a stage.
pub(super) fn save_stage<A: Action>(tx: &mut Tx<'_, A>, plan: &Plan) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    with_conn!(tx.conn(), c => diesel::update(plans::table.find((tenant, plan.id)))
        .set((
            plans::stage.eq(plan.state),
            plans::stage_at.eq(plan.stage_at),
            plans::version.eq(plans::version + 1_i64),
            plans::updated_at.eq(now),
        ))
        .execute(c))?;
    Ok(())
}

/// Writes what a transition changed of the plan itself.
pub(super) fn save_state<A: Action>(
    tx: &mut Tx<'_, A>,
    plan: &Plan,
    submitted_by: Option<UserId>,
) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    with_conn!(tx.conn(), c => diesel::update(plans::table.find((tenant, plan.id)))
        .set((
            plans::state.eq(plan.state),
            plans::return_comment.eq(&plan.return_comment),
            plans::approval_comment.eq(&plan.approval_comment),
            plans::submitted_at.eq(plan.submitted_at),
            plans::submitted_as.eq(plan.submitted_as),
            submitted_by.map(|user| plans::submitted_by.eq(user)),
            plans::decided_at.eq(plan.decided_at),
            plans::decided_by.eq(plan.decided_by),
            plans::published_at.eq(plan.published_at),
            plans::starts_on.eq(plan.starts_on),
            plans::parent_amended.eq(plan.parent_amended),
            plans::version.eq(plans::version + 1_i64),
            plans::updated_at.eq(now),
        ))
        .execute(c))?;
    Ok(())
}

/// Writes what a later version that comes into force changes of the plan itself, but for what it says.
pub(super) fn save_in_force<A: Action>(tx: &mut Tx<'_, A>, plan: &Plan) -> Result<()> {
    // Its state is kept as it is: what runs goes on running.
    save_state(tx, &Plan { state: PlanState::Published, ..plan.clone() }, None)
}

/// Counts the plan's version up: what is shown of it beside its own row has changed.
pub(super) fn touch<A: Action>(tx: &mut Tx<'_, A>, id: PlanId) -> Result<()> {
    let (tenant, now) = (tx.tenant(), tx.now());
    with_conn!(tx.conn(), c => diesel::update(plans::table.find((tenant, id)))
        .set((plans::version.eq(plans::version + 1_i64), plans::updated_at.eq(now)))
        .execute(c))?;
    Ok(())
}
