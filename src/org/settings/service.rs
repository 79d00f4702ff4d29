//! Use cases on a province's settings.

use serde_json::json;

use super::rules::{Difference, Settings, SettingsDraft, differences};
use super::store;
pub use super::store::{Revision, RevisionEntity, RevisionId};
use crate::access::Tx;
use crate::access::policy::{Action, SettingsHistoryRead, SettingsRead, SettingsUpdate};
use crate::audit::Change;
use crate::errors::Result;
use crate::org::store as provinces;
use crate::web::{Page, Paging};

/// The settings that count in the province now: for every capability that has a threshold.
///
/// # Errors
/// When the database fails.
pub fn current<A: Action>(tx: &mut Tx<'_, A>) -> Result<Settings> {
    Ok(store::newest(tx)?.map_or_else(Settings::default, |revision| revision.values))
}

/// The settings with who made them so; none where they are the defaults, at version 1.
///
/// # Errors
/// When the database fails.
pub fn newest(tx: &mut Tx<'_, SettingsRead>) -> Result<Option<Revision>> {
    store::newest(tx)
}

/// Changes some of the settings, for a reason.
///
/// # Errors
/// `precondition_failed`, `invalid_body`.
pub fn update(
    tx: &mut Tx<'_, SettingsUpdate>,
    change: impl FnOnce(&SettingsDraft) -> Result<SettingsDraft>,
) -> Result<Option<Revision>> {
    provinces::lock_province(tx)?;
    let known = store::newest(tx)?;
    let version = known.as_ref().map_or(1, |revision| revision.version);
    tx.check_version(version)?;
    let before = known.as_ref().map_or_else(Settings::default, |revision| revision.values.clone());
    // The reason is that of this very change: what is there has none to give.
    let draft = change(&SettingsDraft { reason: String::new(), values: before.clone() })?;
    if draft.values == before {
        tx.nothing_changed();
        return Ok(known);
    }
    let made = Revision {
        id: RevisionId::generate(),
        version: version + 1,
        values: draft.values,
        reason: draft.reason,
        changed_by: tx.user()?,
        changed_at: tx.now(),
    };
    store::insert(tx, &made)?;
    let (before, after) = (json!(before), json!(made.values));
    let entity_id = tx.tenant().to_string();
    tx.record(&Change {
        entity: "settings",
        entity_id: &entity_id,
        before: Some(&before),
        after: Some(&after),
        reason: Some(&made.reason),
    })?;
    Ok(Some(made))
}

/// Every change there has been, the newest first, each with what it changed.
///
/// # Errors
/// `invalid_cursor`.
pub fn history(
    tx: &mut Tx<'_, SettingsHistoryRead>,
    paging: &Paging,
) -> Result<Page<(Revision, Vec<Difference>)>> {
    let (revisions, total) = store::list(tx, paging)?;
    // Each changed the one after it in this list, and the first of all the defaults. The row beyond
    // the page is there for the last one on it.
    let defaults = Settings::default();
    let before = revisions.iter().skip(1).map(|older| &older.values).chain([&defaults]);
    let changes: Vec<Vec<Difference>> =
        revisions.iter().zip(before).map(|(made, before)| differences(before, &made.values)).collect();
    let rows = revisions.into_iter().zip(changes).collect();
    Ok(paging.page(rows, total, |(revision, _)| vec![revision.version.to_string()]))
}
