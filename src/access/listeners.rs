//! Who listens for what happens: admitted once like any request, and asked again before each thing they are told.

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::mpsc::Sender;

use super::doors::Doors;
use super::gate::{Facts, Gate, admit, state_of};
use super::policy::{Action, EventRead};
use super::reach::{Held, Reach};
use super::token::Claims;
use super::tx::{Tx, Who};
use crate::db::TenantId;
use crate::errors::{AppError, Code, Result};

/// An account that listens, in one session.
#[derive(Debug, Clone, Copy)]
pub struct Listener(Claims);

/// Somebody who has just come to listen.
pub struct Newcomer {
    /// Who.
    pub listener: Listener,
    /// The last position that they know.
    pub after: i64,
    /// Whether what they knew last is too long ago, or unknown here, so that they have to load anew.
    pub lost: bool,
    /// Where they are told.
    pub out: Sender<actix_web::web::Bytes>,
    /// Their place among those who may listen at once.
    pub place: OwnedSemaphorePermit,
}

impl Listener {
    /// Whoever is at this gate.
    ///
    /// # Errors
    /// `unauthenticated`.
    pub fn at(gate: &Gate<EventRead>) -> Result<Self> {
        gate.claims().map(Self).ok_or_else(|| AppError::new(Code::Unauthenticated))
    }

    /// The tenant.
    #[must_use]
    pub fn tenant(self) -> TenantId {
        self.0.tenant
    }

    /// The roles held now; none when the session, the account or the time of the token has ended.
    ///
    /// # Errors
    /// When the database fails.
    pub fn held(self, doors: &Doors, tx: &mut Tx<'_, EventRead>) -> Result<Option<Arc<[Held]>>> {
        let now = tx.now();
        if self.0.has_expired(now) {
            return Ok(None);
        }
        match admit(doors, tx.conn(), self.0, now, EventRead::ROW, true) {
            Ok((Who::User { held, .. }, ..)) => Ok(Some(held)),
            Ok(_) => Ok(None),
            Err(error) => match error.code() {
                Code::TokenInvalid | Code::Forbidden | Code::PasswordChangeRequired => Ok(None),
                _ => Err(error),
            },
        }
    }
}

/// Looks at a tenant for those who listen there: at all of it, since what each of them may know is asked of them.
///
/// # Errors
/// What `work` answers.
pub async fn listening<R, F>(doors: &Arc<Doors>, tenant: TenantId, work: F) -> Result<R>
where
    R: Send + 'static,
    F: FnOnce(&mut Tx<'_, EventRead>) -> Result<R> + Send + 'static,
{
    let facts = Facts { request_id: "events".to_owned(), ..Facts::plain(doors.now()) };
    let mut state = state_of(tenant, Who::Job("events"), &facts);
    doors.db.read(Some(tenant), move |conn| work(&mut Tx::new(conn, &mut state, Reach::whole_tenant()))).await
}
