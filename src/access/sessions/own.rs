//! The own account: who am I, what may I, where am I signed in.

use serde_json::json;

use super::store;
use crate::access::accounts::session_store::{self, Session};
use crate::access::policy::{self, AccountRead, Audience, SessionEnd, SessionRead};
use crate::access::{Held, Reach, SessionId, Tx, UserId};
use crate::audit::Change;
use crate::errors::{AppError, Code, Result};
use crate::org::rules::Unit;
use crate::org::service as org;
use crate::web::{Page, Paging};

/// The own account.
#[derive(Debug)]
pub(super) struct Me {
    pub id: UserId,
    pub login: String,
    pub display_name: String,
    pub must_change_password: bool,
    pub version: i64,
    /// The roles held now, each with its unit (none in the platform's tenant).
    pub bindings: Vec<(Held, Option<Unit>)>,
    /// The names of the actions that the roles give.
    pub actions: Vec<&'static str>,
}

/// Who the caller is, and what it may.
///
/// # Errors
/// When the database fails.
pub(super) fn me(tx: &mut Tx<'_, AccountRead>) -> Result<Me> {
    let (tenant, id) = (tx.tenant(), tx.user()?);
    let row = store::own_account(tx.conn(), tenant, id)?;
    let held = tx.held().to_vec();
    let paths: Vec<String> = held.iter().map(|held| held.unit_path.clone()).collect();
    let units = org::at_paths(tx, &paths)?;
    let actions = policy::ROWS
        .iter()
        .filter(|row| {
            row.audience == Audience::Account
                || (row.audience == Audience::Roles && Reach::of(row, &held).is_some())
        })
        .map(|row| row.name)
        .collect();
    let bindings = held
        .into_iter()
        .map(|held| {
            let unit = units.iter().find(|unit| unit.path == held.unit_path).cloned();
            (held, unit)
        })
        .collect();
    let store::OwnAccount { login, display_name, must_change_password, version } = row;
    Ok(Me { id, login, display_name, must_change_password, version, bindings, actions })
}

/// The own sessions, ended ones too, newest first.
///
/// # Errors
/// `invalid_cursor`.
pub(super) fn sessions(tx: &mut Tx<'_, SessionRead>, paging: &Paging) -> Result<Page<Session>> {
    let user = tx.user()?;
    session_store::list(tx, user, paging)
}

/// Ends one of the own sessions.
///
/// # Errors
/// `not_found` for another's, `session_ended` for one that has ended.
pub(super) fn end(tx: &mut Tx<'_, SessionEnd>, id: SessionId) -> Result<()> {
    let user = tx.user()?;
    let found = store::lock(tx, id)?.filter(|found| found.user == user);
    found.ok_or_else(|| AppError::new(Code::NotFound))?;
    // A session has no version that a caller could know.
    tx.check_any_version();
    if !store::end(tx, id, "ended_by_owner")? {
        return Err(AppError::new(Code::SessionEnded));
    }
    let facts = json!({ "ended": "ended_by_owner" });
    tx.record(&Change {
        entity: "session",
        entity_id: &id.to_string(),
        before: None,
        after: Some(&facts),
        reason: None,
    })
}
