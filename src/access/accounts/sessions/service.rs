//! Use cases on the sessions of others.

use crate::access::accounts::service as accounts;
use crate::access::accounts::session_store::{self, Session};
use crate::access::policy::{UserSessionEnd, UserSessionRead};
use crate::access::{Tx, UserId};
use crate::errors::Result;
use crate::web::{Page, Paging};

/// The sessions of an account within reach, live and ended, the newest first.
///
/// # Errors
/// `not_found`, `invalid_cursor`.
pub fn sessions(tx: &mut Tx<'_, UserSessionRead>, user: UserId, paging: &Paging) -> Result<Page<Session>> {
    accounts::within(tx, user)?;
    session_store::list(tx, user, paging)
}

/// Ends every live session of an account within reach. `If-Match` speaks of the account.
///
/// # Errors
/// `not_found`, `precondition_failed`.
pub fn end_all(tx: &mut Tx<'_, UserSessionEnd>, user: UserId) -> Result<()> {
    let owner = accounts::locked(tx, user)?;
    tx.check_version(owner.version)?;
    if session_store::end_by_administrator(tx, user)? == 0 {
        tx.nothing_changed();
    }
    Ok(())
}
