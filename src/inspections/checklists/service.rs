//! Use cases on checklists.

use serde_json::{Value, json};

use super::rules::{
    Checklist, ChecklistAction, ChecklistContent, ChecklistId, ChecklistState, ChecklistVersion,
    ChecklistVersionId,
};
use super::store;
pub use super::store::ChecklistFilter;
use crate::access::policy::{
    Action, ChecklistCreate, ChecklistPublish, ChecklistRead, ChecklistRetire, ChecklistUpdate, WorkFollow,
};
use crate::access::{EffectTx, Reach, Rights, Tx};
use crate::audit::Change;
use crate::campaigns::handover::service::moved;
use crate::db::Instant;
use crate::errors::{AppError, Code, FieldError, Result, deactivated, text, unknown};
use crate::org::rules::{Unit, UnitId, UnitKind, UnitStatus};
use crate::org::service as units;
use crate::web::{MadeSort, Page, Paging};

/// Checklists within reach, and those that a superior has published.
///
/// # Errors
/// `invalid_cursor`.
pub fn list(
    tx: &mut Tx<'_, ChecklistRead>,
    filter: &ChecklistFilter,
    sort: MadeSort,
    paging: &Paging,
) -> Result<Page<Checklist>> {
    store::list(tx, filter, sort, paging)
}

/// One checklist.
///
/// # Errors
/// `not_found`.
pub fn find(tx: &mut Tx<'_, ChecklistRead>, id: ChecklistId) -> Result<Checklist> {
    let reach = tx.reach().clone();
    store::find(tx, &reach, id)?.ok_or_else(|| AppError::new(Code::NotFound))
}

/// The published versions of a checklist, the newest first.
///
/// # Errors
/// `not_found`, `invalid_cursor`.
pub fn versions(
    tx: &mut Tx<'_, ChecklistRead>,
    id: ChecklistId,
    paging: &Paging,
) -> Result<Page<ChecklistVersion>> {
    find(tx, id)?;
    store::versions(tx, id, paging)
}

/// A published version of a checklist.
///
/// # Errors
/// `not_found`.
pub fn version(
    tx: &mut Tx<'_, ChecklistRead>,
    id: ChecklistId,
    version: ChecklistVersionId,
) -> Result<ChecklistVersion> {
    find(tx, id)?;
    store::find_version(tx, id, version)?.ok_or_else(|| AppError::new(Code::NotFound))
}

/// The version that a checklist stands at.
///
/// # Errors
/// `not_found`, also before the first is published.
pub fn current_version(tx: &mut Tx<'_, ChecklistRead>, id: ChecklistId) -> Result<ChecklistVersion> {
    let checklist = find(tx, id)?;
    store::current_version(tx, &checklist)?.ok_or_else(|| AppError::new(Code::NotFound))
}

/// A published version by which a unit might be inspected at a moment: of a checklist that was not retired by then, of a bureau the
/// unit is or stands below, for units of its kind.
///
/// # Errors
/// When the database fails.
pub fn usable<A: Action>(
    tx: &mut Tx<'_, A>,
    id: ChecklistVersionId,
    unit: &Unit,
    at: Instant,
) -> Result<Option<ChecklistVersion>> {
    let Some(version) = store::version_by_id(tx, id)? else { return Ok(None) };
    let checklist = store::find(tx, &Reach::whole_tenant(), version.checklist_id)?;
    let fits = checklist.is_some_and(|one| one.was_in_use(at) && unit.path.starts_with(&one.unit_path));
    let kinds = &version.content.kinds;
    let is_of_kind = kinds.is_empty() || kinds.contains(&unit.kind);
    Ok(Some(version).filter(|_| fits && is_of_kind))
}

/// The version that each published checklist stands at by which some unit at or below these paths might be inspected.
///
/// # Errors
/// When the database fails.
pub fn current_for<A: Action>(tx: &mut Tx<'_, A>, paths: &[String]) -> Result<Vec<ChecklistVersion>> {
    let mut above: Vec<String> = paths
        .iter()
        .flat_map(|path| path.match_indices('/').filter_map(|(at, _)| path.get(..=at)))
        .map(ToOwned::to_owned)
        .collect();
    above.sort_unstable();
    above.dedup();
    store::current_for(tx, paths, &above)
}

/// The version that something was made with, whatever has become of its checklist.
///
/// # Errors
/// When the database fails.
pub fn made_with<A: Action>(tx: &mut Tx<'_, A>, id: ChecklistVersionId) -> Result<ChecklistVersion> {
    store::version_by_id(tx, id)?.ok_or_else(|| AppError::internal("an inspection without its checklist"))
}

/// What the caller may do with checklists: asked once a request, not once a row.
#[must_use]
pub fn rights<A: Action>(tx: &Tx<'_, A>) -> Rights<ChecklistAction> {
    Rights::new([
        (ChecklistAction::Update, tx.reach_of::<ChecklistUpdate>()),
        (ChecklistAction::Publish, tx.reach_of::<ChecklistPublish>()),
        (ChecklistAction::Retire, tx.reach_of::<ChecklistRetire>()),
    ])
}

/// What they allow with this one now.
#[must_use]
pub fn allowed(rights: &Rights<ChecklistAction>, checklist: &Checklist) -> Vec<ChecklistAction> {
    rights.at(&checklist.unit_path).filter(|action| checklist.allows(*action)).collect()
}

/// Whether what is being written is shown to the caller: to those who may write it, and look over its shoulder.
#[must_use]
pub fn shows_draft<A: Action>(tx: &Tx<'_, A>, checklist: &Checklist) -> bool {
    tx.may::<ChecklistRead>(&checklist.unit_path)
}

/// A checklist to begin.
#[derive(Debug, Clone)]
pub struct NewChecklist {
    /// The id the client chose.
    pub id: Option<ChecklistId>,
    /// The bureau whose it is.
    pub unit_id: UnitId,
    /// The branch of the bureau that keeps it.
    pub department_id: Option<UnitId>,
    /// What it says.
    pub content: ChecklistContent,
}

/// Begins a checklist; whether it was here already.
///
/// # Errors
/// `id_taken`; `invalid_body` at `/unit_id`, `/department_id`.
pub fn create(tx: &mut Tx<'_, ChecklistCreate>, new: &NewChecklist) -> Result<(Checklist, bool)> {
    if let Some(id) = new.id
        && store::is_taken(tx, id)?
    {
        let mine = within(tx);
        let there = store::find(tx, &mine, id)?;
        tx.nothing_changed();
        let same = |one: &Checklist| {
            one.unit_id == new.unit_id
                && one.department_id == new.department_id
                && *one.in_hand() == new.content
        };
        return match there {
            Some(there) if same(&there) => Ok((there, true)),
            _ => Err(AppError::new(Code::IdTaken)),
        };
    }
    // Nothing is here yet: an If-Match that names a version of it is stale.
    tx.check_version(0)?;
    let unit = bureau(tx, new.unit_id)?;
    if let Some(department) = new.department_id {
        branch(tx, &unit, department)?;
    }
    let made = Checklist {
        id: new.id.unwrap_or_else(ChecklistId::generate),
        unit_id: unit.id,
        unit_path: unit.path,
        department_id: new.department_id,
        state: ChecklistState::Draft,
        number: 0,
        content: new.content.clone(),
        draft: None,
        version: 1,
        created_at: tx.now(),
        updated_at: tx.now(),
    };
    store::insert(tx, &made)?;
    record(tx, None, &made)?;
    Ok((made, false))
}

/// The bureau whose the checklist is to be: what is asked of a window or a branch, its bureau asks.
fn bureau<A: Action>(tx: &mut Tx<'_, A>, id: UnitId) -> Result<Unit> {
    let unit = units::placed(tx, id)?;
    if matches!(unit.kind, UnitKind::Province | UnitKind::City | UnitKind::County) {
        return Ok(unit);
    }
    let detail = text!(
        "清单属于公安厅、局或分局; 部门另填 department_id",
        "It belongs to a bureau; its branch goes into department_id"
    );
    Err(AppError::fields(Code::InvalidBody, vec![FieldError::body("/unit_id", Code::WrongKind, detail)]))
}

fn branch<A: Action>(tx: &mut Tx<'_, A>, bureau: &Unit, id: UnitId) -> Result<()> {
    const POINTER: &str = "/department_id";
    let error = match units::reached(tx, id)? {
        None => unknown(POINTER),
        Some(unit) if unit.status == UnitStatus::Deactivated => deactivated(POINTER),
        Some(unit) if unit.kind != UnitKind::Department || unit.parent_id != Some(bureau.id) => {
            let detail = text!("须为该单位直属的警种或部门", "It must be a branch directly under the bureau");
            FieldError::body(POINTER, Code::WrongKind, detail)
        }
        Some(_) => return Ok(()),
    };
    Err(AppError::fields(Code::InvalidBody, vec![error]))
}

/// What superiors have published can be read, not changed: only the reach itself counts.
fn within<A: Action>(tx: &Tx<'_, A>) -> Reach {
    Reach { ancestors: Vec::new(), ..tx.reach().clone() }
}

fn for_change<A: Action>(tx: &mut Tx<'_, A>, id: ChecklistId) -> Result<Checklist> {
    store::lock(tx, id)?;
    let reach = within(tx);
    let found = store::find(tx, &reach, id)?.ok_or_else(|| AppError::new(Code::NotFound))?;
    tx.check_version(found.version)?;
    Ok(found)
}

/// Writes at a checklist; what is published stays as it is until the next version is published.
///
/// # Errors
/// `not_found`, `precondition_failed`, `checklist_retired`, `invalid_body`.
pub fn update(
    tx: &mut Tx<'_, ChecklistUpdate>,
    id: ChecklistId,
    change: impl FnOnce(&ChecklistContent) -> Result<ChecklistContent>,
) -> Result<Checklist> {
    let before = for_change(tx, id)?;
    // Told before what is wrong with the change.
    let content = if before.state == ChecklistState::Retired {
        before.in_hand().clone()
    } else {
        change(before.in_hand())?
    };
    settle(tx, &before, before.with(content)?)
}

/// Publishes what has been written as the next version.
///
/// # Errors
/// `not_found`, `precondition_failed`, `checklist_retired`, `checklist_unchanged`.
pub fn publish(tx: &mut Tx<'_, ChecklistPublish>, id: ChecklistId) -> Result<Checklist> {
    let before = for_change(tx, id)?;
    let after = before.publish()?;
    let version = ChecklistVersion {
        id: ChecklistVersionId::generate(),
        checklist_id: id,
        number: after.number,
        content: after.content.clone(),
        published_by: tx.user()?,
        published_at: tx.now(),
    };
    store::insert_version(tx, &version)?;
    settle(tx, &before, after)
}

/// Retires a checklist: no inspection is made with it any more.
///
/// # Errors
/// `not_found`, `precondition_failed`, `checklist_retired`.
pub fn retire(tx: &mut Tx<'_, ChecklistRetire>, id: ChecklistId) -> Result<Checklist> {
    let before = for_change(tx, id)?;
    let after = before.retire()?;
    settle(tx, &before, after)
}

fn settle<A: Action>(tx: &mut Tx<'_, A>, before: &Checklist, mut after: Checklist) -> Result<Checklist> {
    if *before == after {
        tx.nothing_changed();
        return Ok(after);
    }
    store::save(tx, &mut after)?;
    record(tx, Some(before), &after)?;
    Ok(after)
}

fn facts(one: &Checklist) -> Value {
    json!({
        "unit_id": one.unit_id, "department_id": one.department_id, "state": one.state, "number": one.number,
        "content": one.content, "draft": one.draft,
    })
}

fn record<A: Action>(tx: &mut Tx<'_, A>, before: Option<&Checklist>, after: &Checklist) -> Result<()> {
    let (before, facts) = (before.map(facts), facts(after));
    tx.record(&Change {
        entity: "checklist",
        entity_id: &after.id.to_string(),
        before: before.as_ref(),
        after: Some(&facts),
        reason: None,
    })
}

/// Rewrites the paths of the checklists of a moved subtree.
///
/// # Errors
/// When the database fails.
pub fn follow(tx: &mut EffectTx<'_, WorkFollow>, from: &str, to: &str) -> Result<()> {
    store::follow(tx, from, to)
}

/// What keeps a unit from ending without a successor: its checklists.
///
/// # Errors
/// When the database fails.
pub fn standing_at(tx: &mut EffectTx<'_, WorkFollow>, unit: UnitId) -> Result<Vec<FieldError>> {
    let told = |(id, title): (ChecklistId, String)| {
        let detail = text!("检查清单“{title}”尚未停用", "Its checklist “{title}” is not retired");
        let facts = json!({ "checklist_id": id, "title": title });
        FieldError { facts: Some(facts), ..FieldError::body("", Code::ChecklistAtUnit, detail) }
    };
    Ok(store::in_use_at(tx, unit)?.into_iter().map(told).collect())
}

/// Gives the checklists of a unit that ends to its successor.
///
/// # Errors
/// When the database fails.
pub fn hand_over(tx: &mut EffectTx<'_, WorkFollow>, from: &Unit, to: &Unit) -> Result<()> {
    for (id, _) in store::in_use_at(tx, from.id)? {
        store::give(tx, id, from.id, to)?;
        moved(tx, "checklist", &id.to_string(), from, to)?;
    }
    Ok(())
}
