//! A transaction that knows what it may do: the only way to the database for a service.

use std::marker::PhantomData;

use serde_json::Value;

use super::idempotency;
use super::policy::{Action, Effect, MayCause};
use super::reach::{Held, Reach};
use super::remembered::Answers;
use crate::audit;
use crate::db::{Conn, Id, Instant, TenantId, again};
use crate::errors::{AppError, Code, Result};

/// Marks the identifier of a user account.
#[derive(Debug)]
pub struct UserEntity;
/// The identifier of a user account.
pub type UserId = Id<UserEntity>;
/// Marks the identifier of a session.
#[derive(Debug)]
pub struct SessionEntity;
/// The identifier of a session.
pub type SessionId = Id<SessionEntity>;

/// Who acts.
#[derive(Debug, Clone)]
pub enum Who {
    /// A signed-in account.
    User {
        /// The account.
        id: UserId,
        /// The session it acts in.
        session: SessionId,
        /// The roles it holds now.
        held: std::sync::Arc<[Held]>,
    },
    /// An account whose request has been answered, and whose job goes on.
    Behalf {
        /// The account.
        id: UserId,
        /// The roles it holds now.
        held: std::sync::Arc<[Held]>,
    },
    /// Nobody yet: signing in.
    Public,
    /// The command line, as this user of the operating system.
    CommandLine(String),
    /// The server itself, doing this job.
    Job(&'static str),
}

/// What the caller said about the version it knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// `If-Match` is honoured when sent, and was not.
    None,
    /// `If-Match` is demanded (PATCH), and was not sent.
    Missing,
    /// `If-Match: *`: any version that exists.
    Any,
    /// `If-Match` with these versions (what follows the version in an `ETag`, digest and coding, does not count).
    Versions(Vec<i64>),
}

/// What stays the same while the transaction changes its action for an effect.
pub(super) struct State {
    pub tenant: TenantId,
    pub who: Who,
    pub now: Instant,
    pub request_id: String,
    pub precondition: Precondition,
    pub precondition_checked: bool,
    pub accounted: bool,
    /// What is remembered of answers; only in a transaction that writes nothing.
    pub answers: Option<Answers>,
    /// What holds back the rows of the log.
    pub holds: Option<audit::Hold>,
}

/// An open transaction in which the action `A` is allowed, within its reach.
pub struct Tx<'t, A: Action> {
    conn: Conn<'t>,
    state: &'t mut State,
    reach: Reach,
    action: PhantomData<A>,
}

impl<'t, A: Action> Tx<'t, A> {
    pub(super) fn new(conn: Conn<'t>, state: &'t mut State, reach: Reach) -> Self {
        Self { conn, state, reach, action: PhantomData }
    }

    /// The connection, for the stores.
    pub fn conn(&mut self) -> Conn<'_> {
        again(&mut self.conn)
    }

    /// The tenant: from the token, never from input.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.state.tenant
    }

    /// The request, as its answer's `X-Request-Id` tells.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.state.request_id
    }

    /// When this request happens; the same throughout.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.state.now
    }

    /// How far this action reaches for this caller.
    #[must_use]
    pub fn reach(&self) -> &Reach {
        &self.reach
    }

    /// How far the action `B` reaches for this caller; `None` when it is not theirs. For references
    /// in a body, which must be readable, and for `allowed_actions`.
    #[must_use]
    pub fn reach_of<B: Action>(&self) -> Option<Reach> {
        match &self.state.who {
            Who::User { held, .. } | Who::Behalf { held, .. } => Reach::of(B::ROW, held),
            Who::Public => None,
            Who::CommandLine(_) | Who::Job(_) => Some(Reach::whole_tenant()),
        }
    }

    /// Whether the caller may do `B` to a row at `unit_path`.
    #[must_use]
    pub fn may<B: Action>(&self, unit_path: &str) -> bool {
        self.reach_of::<B>().is_some_and(|reach| reach.contains(unit_path))
    }

    pub(super) fn answers(&self) -> Option<&Answers> {
        self.state.answers.as_ref()
    }

    /// Who acts.
    #[must_use]
    pub fn who(&self) -> &Who {
        &self.state.who
    }

    /// The roles the caller holds now.
    #[must_use]
    pub fn held(&self) -> &[Held] {
        match &self.state.who {
            Who::User { held, .. } | Who::Behalf { held, .. } => held,
            Who::Public | Who::CommandLine(_) | Who::Job(_) => &[],
        }
    }

    /// The account that acts.
    ///
    /// # Errors
    /// `unauthenticated` when no account does.
    pub fn user(&self) -> Result<UserId> {
        match &self.state.who {
            Who::User { id, .. } | Who::Behalf { id, .. } => Ok(*id),
            Who::Public | Who::CommandLine(_) | Who::Job(_) => Err(AppError::new(Code::Unauthenticated)),
        }
    }

    /// The session the account acts in.
    ///
    /// # Errors
    /// `unauthenticated` when no account does.
    pub fn session(&self) -> Result<SessionId> {
        match &self.state.who {
            Who::User { session, .. } => Ok(*session),
            Who::Behalf { .. } | Who::Public | Who::CommandLine(_) | Who::Job(_) => {
                Err(AppError::new(Code::Unauthenticated))
            }
        }
    }

    /// Compares the caller's `If-Match` with the version found. Every change of an existing row
    /// passes here; the gate refuses to commit a PATCH that did not.
    ///
    /// # Errors
    /// `precondition_required` or `precondition_failed`.
    pub fn check_version(&mut self, found: i64) -> Result<()> {
        self.state.precondition_checked = true;
        match &self.state.precondition {
            Precondition::None | Precondition::Any => Ok(()),
            Precondition::Missing => Err(AppError::new(Code::PreconditionRequired)),
            Precondition::Versions(versions) if versions.contains(&found) => Ok(()),
            Precondition::Versions(_) => Err(AppError::new(Code::PreconditionFailed)),
        }
    }

    /// Says that what is changed has no version to compare.
    pub fn check_any_version(&mut self) {
        self.state.precondition_checked = true;
    }

    /// Leaves the audit row of a change: `before` and `after` are the entity's facts, without
    /// secrets and personal values, of which digests are kept.
    ///
    /// # Errors
    /// When the row cannot be written; the change is then not made either.
    pub fn record(&mut self, change: &audit::Change<'_>) -> Result<()> {
        self.record_as(A::ROW.name, std::slice::from_ref(change))
    }

    /// Leaves the audit rows of many changes of things of one kind.
    ///
    /// # Errors
    /// As [`Tx::record`].
    pub fn record_many<'c>(
        &mut self,
        entity: &'static str,
        changes: impl IntoIterator<Item = audit::Told<'c>>,
    ) -> Result<()> {
        in_pieces(entity, changes, |rows| self.record_as(A::ROW.name, rows))
    }

    fn record_as(&mut self, action: &'static str, changes: &[audit::Change<'_>]) -> Result<()> {
        let (actor, user_id, roles) = match &self.state.who {
            Who::User { id, held, .. } | Who::Behalf { id, held } => {
                let mut roles: Vec<&str> = held.iter().map(|held| held.role.as_str()).collect();
                roles.sort_unstable();
                roles.dedup();
                (format!("user:{id}"), Some(*id), roles.join(" "))
            }
            Who::Public => ("public".to_owned(), None, String::new()),
            Who::CommandLine(name) => (format!("cli:{name}"), None, String::new()),
            Who::Job(name) => (format!("job:{name}"), None, String::new()),
        };
        audit::append(
            again(&mut self.conn),
            &audit::Entry {
                tenant: self.state.tenant,
                at: self.state.now,
                actor,
                user_id,
                roles,
                action,
                request_id: self.state.request_id.clone(),
                hold: self.state.holds,
            },
            changes,
        )?;
        self.state.accounted = true;
        Ok(())
    }

    /// Says that what is recorded from here on is not everybody's to know yet: its rows of the log wait until somebody tells
    /// those of this thing.
    pub fn hold_back<T>(&mut self, thing: Id<T>) {
        self.state.holds = Some(audit::Hold::by_thing(thing));
    }

    /// Says that this write turned out to change nothing, so that no audit row is due.
    pub fn nothing_changed(&mut self) {
        self.state.accounted = true;
        self.state.precondition_checked = true;
    }

    /// Says that what this writes is seen by nobody yet, and accounted for by its job before it is.
    pub fn accounted_by_the_job(&mut self) {
        self.state.accounted = true;
    }

    /// Forgets the answers kept for retries that name this thing: they show what is to be known no more.
    ///
    /// # Errors
    /// When the database fails.
    pub fn forget_answers<T>(&mut self, naming: Id<T>) -> Result<()> {
        let tenant = self.tenant();
        idempotency::forget(self.conn(), tenant, &naming.to_string())
    }

    /// Forgets the answers kept for the caller's retries that told of making what is at this place: it is there no more, and
    /// whoever sends it once again is to make it anew.
    ///
    /// # Errors
    /// When the database fails.
    pub fn forget_made(&mut self, location: &str) -> Result<()> {
        let (tenant, user) = (self.tenant(), self.user()?);
        idempotency::forget_made(self.conn(), (tenant, user), location)
    }

    /// Has the effect `E`, which the table of effects allows this action: its work runs with the
    /// whole tenant in reach, and its audit rows bear the effect's name.
    ///
    /// # Errors
    /// What `work` answers.
    pub fn effect<E, R>(&mut self, work: impl FnOnce(&mut EffectTx<'_, E>) -> Result<R>) -> Result<R>
    where
        E: Effect,
        A: MayCause<E>,
    {
        let tx = Tx::<A> {
            conn: again(&mut self.conn),
            state: &mut *self.state,
            reach: Reach::whole_tenant(),
            action: PhantomData,
        };
        work(&mut EffectTx { tx: Box::new(tx), effect: PhantomData })
    }
}

/// Audit rows made at once: their facts are held in memory meanwhile.
const AT_ONCE: usize = 1000;

fn in_pieces<'c>(
    entity: &'static str,
    changes: impl IntoIterator<Item = audit::Told<'c>>,
    mut record: impl FnMut(&[audit::Change<'_>]) -> Result<()>,
) -> Result<()> {
    let mut changes = changes.into_iter();
    loop {
        let told: Vec<audit::Told<'_>> = changes.by_ref().take(AT_ONCE).collect();
        if told.is_empty() {
            return Ok(());
        }
        record(&told.iter().map(|one| one.change(entity)).collect::<Vec<_>>())?;
    }
}

/// What an effect's work needs of its transaction, whichever action caused it.
trait EffectAccess {
    fn conn(&mut self) -> Conn<'_>;
    fn tenant(&self) -> TenantId;
    fn now(&self) -> Instant;
    fn record_as(&mut self, action: &'static str, changes: &[audit::Change<'_>]) -> Result<()>;
}

impl<A: Action> EffectAccess for Tx<'_, A> {
    fn conn(&mut self) -> Conn<'_> {
        Tx::conn(self)
    }
    fn tenant(&self) -> TenantId {
        Tx::tenant(self)
    }
    fn now(&self) -> Instant {
        Tx::now(self)
    }
    fn record_as(&mut self, action: &'static str, changes: &[audit::Change<'_>]) -> Result<()> {
        Tx::record_as(self, action, changes)
    }
}

/// A transaction in which the effect `E` may be had.
pub struct EffectTx<'t, E: Effect> {
    tx: Box<dyn EffectAccess + 't>,
    effect: PhantomData<E>,
}

impl<E: Effect> EffectTx<'_, E> {
    /// The connection, for the stores.
    pub fn conn(&mut self) -> Conn<'_> {
        self.tx.conn()
    }

    /// The tenant.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.tx.tenant()
    }

    /// When it happens.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.tx.now()
    }

    /// Leaves the effect's audit row.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn record(&mut self, change: &audit::Change<'_>) -> Result<()> {
        self.tx.record_as(E::NAME, std::slice::from_ref(change))
    }

    /// Leaves the effect's audit rows of many changes of things of one kind.
    ///
    /// # Errors
    /// As [`EffectTx::record`].
    pub fn record_many<'c>(
        &mut self,
        entity: &'static str,
        changes: impl IntoIterator<Item = audit::Told<'c>>,
    ) -> Result<()> {
        in_pieces(entity, changes, |rows| self.tx.record_as(E::NAME, rows))
    }
}

/// The facts of an entity as JSON, for its audit digests.
///
/// # Errors
/// Never for plain data.
pub fn facts(value: &impl serde::Serialize) -> Result<Value> {
    serde_json::to_value(value).map_err(AppError::internal)
}
