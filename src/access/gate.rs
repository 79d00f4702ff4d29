//! The gate: from a request to a [`Tx`], and no other way.
//!
//! In one transaction it checks that the session still stands, loads the roles (remembered by the
//! account's authorization version, so that a change counts from the next request on every
//! instance), finds how far the action reaches, and lets the service work. It commits a write only
//! when its audit row is there and a demanded `If-Match` was compared.

use std::marker::PhantomData;

use std::sync::Arc;

use serde_json::Value;

use super::doors::Doors;
use super::policy::{Action, Audience, PublicAction, Row};
use super::reach::{Held, Reach};
use super::spool::{self, JobId};
use super::token::Claims;
use super::tx::{Precondition, State, Tx, Who};
use super::{UserId, idempotency, identity};
use crate::audit::Change;
use crate::db::{Conn, Instant, TenantId, again};
use crate::errors::{AppError, Code, Result};
use crate::web::{Answer, IntoAnswer, Paging};

/// What the request said besides its input.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Told in `X-Request-Id`.
    pub request_id: String,
    /// When it happens.
    pub now: Instant,
    /// From `If-Match`.
    pub precondition: Precondition,
    /// From `Idempotency-Key`.
    pub idempotency: Option<idempotency::Claim>,
    /// The caller's address, for throttling failed logins only.
    pub address: String,
    /// The caller's program, shown in its own list of sessions.
    pub user_agent: String,
    /// The operation and its filters: what a cursor is bound to besides the caller.
    pub list_scope: String,
    /// From `Last-Event-ID`: where somebody who listens goes on.
    pub last_event_id: Option<String>,
}

impl Facts {
    /// Of a request that is not one: the demo's people.
    #[must_use]
    pub fn plain(now: Instant) -> Self {
        Self {
            request_id: "demo".to_owned(),
            now,
            precondition: Precondition::None,
            idempotency: None,
            address: String::new(),
            user_agent: "pingyi demo".to_owned(),
            list_scope: String::new(),
            last_event_id: None,
        }
    }
}

/// What an action answered with, of the type its endpoint promises.
#[derive(Debug)]
pub struct Done<R>(Answer, PhantomData<fn() -> R>);

impl<R: IntoAnswer> Done<R> {
    /// An answer made outside a transaction.
    ///
    /// # Errors
    /// Never for plain data.
    pub fn with(reply: R) -> Result<Self> {
        Ok(Self(reply.into_answer()?, PhantomData))
    }

    /// Where the resource it tells of is, below the server's base path.
    #[must_use]
    pub fn location(&self) -> Option<&str> {
        self.0.location.as_deref()
    }

    /// The answer for the wire.
    #[must_use]
    pub fn into_answer(self) -> Answer {
        self.0
    }
}

/// All that an action does in its transaction.
type Transaction = Box<dyn for<'c> FnOnce(Conn<'c>) -> Result<Answer> + Send>;

/// A caller at the door of the action `A`.
pub struct Gate<A: Action> {
    doors: Arc<Doors>,
    claims: Option<Claims>,
    facts: Facts,
    action: PhantomData<A>,
}

impl<A: Action> Clone for Gate<A> {
    fn clone(&self) -> Self {
        Self {
            doors: self.doors.clone(),
            claims: self.claims,
            facts: self.facts.clone(),
            action: PhantomData,
        }
    }
}

impl<A: Action> Gate<A> {
    /// Checks the token; public actions need none.
    ///
    /// # Errors
    /// `unauthenticated` without a token, `token_invalid` with a bad one.
    pub fn open(doors: &Arc<Doors>, token: Option<&str>, facts: Facts) -> Result<Self> {
        let claims = match (A::ROW.audience, token) {
            (Audience::Public, _) => None,
            (_, None) => return Err(AppError::new(Code::Unauthenticated)),
            (_, Some(token)) => Some(doors.tokens.verify(&doors.keys, facts.now, token)?),
        };
        Ok(Self { doors: doors.clone(), claims, facts, action: PhantomData })
    }

    /// The same gate, with what has been read of the request meanwhile.
    #[must_use]
    pub fn with_facts(mut self, facts: Facts) -> Self {
        self.facts = facts;
        self
    }

    /// Which page of a list is asked for; the cursor is good for this caller and this query only.
    #[must_use]
    pub fn paging(
        &self,
        limit: Option<i64>,
        cursor: Option<String>,
        count: Option<crate::web::Count>,
    ) -> Paging {
        let scope = format!("{}/{}", self.audience(), self.facts.list_scope);
        Paging::new(self.doors.clone(), scope, limit, cursor, count)
    }

    /// Whether a cursor is one of ours for this caller and this query: part of reading the query, so
    /// that it is told before anything is looked for.
    ///
    /// # Errors
    /// `invalid_cursor`.
    pub fn check_cursor(&self, cursor: String) -> Result<()> {
        self.paging(None, Some(cursor), None).check()
    }

    /// What the request said.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The caller's tenant.
    ///
    /// # Errors
    /// `unauthenticated` for a public action.
    pub fn tenant(&self) -> Result<TenantId> {
        self.claims.map(|claims| claims.tenant).ok_or_else(|| AppError::new(Code::Unauthenticated))
    }

    /// Whose token it is; nobody's at a public action.
    #[must_use]
    pub fn account(&self) -> Option<(TenantId, UserId)> {
        self.claims.map(|claims| (claims.tenant, claims.user))
    }

    /// What every request needs.
    #[must_use]
    pub fn doors(&self) -> &Arc<Doors> {
        &self.doors
    }

    /// Who the token says is here; nobody at a public action.
    pub(super) fn claims(&self) -> Option<Claims> {
        self.claims
    }

    fn audience(&self) -> String {
        self.claims.map_or_else(String::new, |claims| format!("{}:{}", claims.tenant, claims.user))
    }

    /// Only asks whether the caller may, so that this is told before what is wrong with the input.
    ///
    /// # Errors
    /// `token_invalid`, `forbidden`, `password_change_required`.
    pub async fn authorize(&self) -> Result<()> {
        let Some(claims) = self.claims else { return Ok(()) };
        let doors = self.doors.clone();
        let now = self.facts.now;
        self.doors
            .db
            .read(Some(claims.tenant), move |conn| {
                admit(&doors, conn, claims, now, A::ROW, !A::ROW.writes).map(|_| ())
            })
            .await
    }

    /// Looks at the database under the action's right, without changing it: for what must be
    /// known before slow work that has no place in a transaction.
    ///
    /// # Errors
    /// As [`Gate::run`].
    pub async fn look<R, F>(&self, work: F) -> Result<R>
    where
        R: Send + 'static,
        F: FnOnce(&mut Tx<'_, A>) -> Result<R> + Send + 'static,
    {
        let claims = self.claims.ok_or_else(|| AppError::new(Code::Unauthenticated))?;
        let (doors, facts) = (self.doors.clone(), self.facts.clone());
        self.doors
            .db
            .read(Some(claims.tenant), move |mut conn| {
                let (who, reach, _) =
                    admit(&doors, again(&mut conn), claims, facts.now, A::ROW, !A::ROW.writes)?;
                let mut state = state_of(claims.tenant, who, &facts);
                work(&mut Tx::new(conn, &mut state, reach))
            })
            .await
    }

    /// The first answer to a request that was done before under the same `Idempotency-Key`, for
    /// actions that look at something before [`Gate::run`] which doing them has changed.
    ///
    /// # Errors
    /// As [`Gate::run`].
    pub async fn replayed<R: IntoAnswer + 'static>(&self) -> Result<Option<Done<R>>> {
        let claims = self.claims.ok_or_else(|| AppError::new(Code::Unauthenticated))?;
        let Some(claim) = self.facts.idempotency.clone() else { return Ok(None) };
        let (doors, now) = (self.doors.clone(), self.facts.now);
        self.doors
            .db
            .read(Some(claims.tenant), move |mut conn| {
                let (_, _, authz_version) =
                    admit(&doors, again(&mut conn), claims, now, A::ROW, !A::ROW.writes)?;
                let owner =
                    idempotency::Owner { tenant: claims.tenant, user: claims.user, now, authz_version };
                Ok(idempotency::kept(&mut conn, owner, &claim)?.map(|answer| Done(answer, PhantomData)))
            })
            .await
    }

    /// Keeps a piece of a large body for the job that will read it.
    ///
    /// # Errors
    /// `token_invalid`, `forbidden`, `password_change_required`; when it cannot be written.
    pub async fn spool(&self, job: JobId, place: i64, bytes: Vec<u8>) -> Result<()> {
        let claims = self.claims.ok_or_else(|| AppError::new(Code::Unauthenticated))?;
        let (doors, now) = (self.doors.clone(), self.doors.now());
        self.doors
            .db
            .write(Some(claims.tenant), move |mut conn| {
                // A right that ends while the body arrives ends what it may leave here.
                admit(&doors, again(&mut conn), claims, now, A::ROW, false)?;
                spool::keep(conn, claims.tenant, job, place, &bytes, now)
            })
            .await
    }

    /// Leaves the audit row of something that was only looked at (an export of a list, the trial of an
    /// import), with the digest of its facts, in a writing transaction of its own: the reading ones can
    /// keep none. It comes before the first byte, so that what cannot be accounted for does not leave
    /// the house. What needs no account to be read belongs to nobody's log.
    ///
    /// # Errors
    /// `token_invalid`, `forbidden`, `password_change_required`; when the row cannot be written.
    pub async fn record_look(&self, entity: &'static str, id: String, facts: Value) -> Result<()> {
        self.note(move |tx| {
            tx.record(&Change { entity, entity_id: &id, before: None, after: Some(&facts), reason: None })
        })
        .await
    }

    /// Notes what was looked at, with its audit row, in a writing transaction of its own.
    ///
    /// # Errors
    /// As [`Gate::record_look`].
    pub async fn note<F>(&self, work: F) -> Result<()>
    where
        F: FnOnce(&mut Tx<'_, A>) -> Result<()> + Send + 'static,
    {
        if self.claims.is_none() {
            return Ok(());
        }
        self.step(move |tx| {
            // A version that is asked for is the thing's, not the note's.
            tx.check_any_version();
            work(tx)
        })
        .await
    }

    /// The same caller at the door of another action, whose own right is asked there: for a request that asks for several things,
    /// each done by itself.
    #[must_use]
    pub fn at<B: Action>(&self) -> Gate<B> {
        let facts = Facts { idempotency: None, precondition: Precondition::None, ..self.facts.clone() };
        Gate { doors: self.doors.clone(), claims: self.claims, facts, action: PhantomData }
    }

    /// Does one of the things that a request asks for, in a transaction of its own, whose right is asked in it.
    ///
    /// # Errors
    /// As [`Gate::run`].
    pub async fn step<R, F>(&self, work: F) -> Result<R>
    where
        R: Send + 'static,
        F: FnOnce(&mut Tx<'_, A>) -> Result<R> + Send + 'static,
    {
        let claims = self.claims.ok_or_else(|| AppError::new(Code::Unauthenticated))?;
        // It may come long after the request did.
        let facts = Facts { now: self.doors.now(), ..self.facts.clone() };
        let doors = self.doors.clone();
        let result = self.doors.db.write(Some(claims.tenant), move |mut conn| {
            let (who, reach, _) = admit(&doors, again(&mut conn), claims, facts.now, A::ROW, false)?;
            let mut state = state_of(claims.tenant, who, &facts);
            let result = work(&mut Tx::<A>::new(conn, &mut state, reach))?;
            settle(&state, A::ROW)?;
            Ok(result)
        });
        let result = result.await?;
        self.doors.wrote(claims.tenant);
        Ok(result)
    }

    /// Does the action: one transaction, the answer made inside it.
    ///
    /// # Errors
    /// `token_invalid`, `forbidden`, `password_change_required`; those of idempotency; what `work`
    /// answers.
    pub async fn run<R, F>(&self, work: F) -> Result<Done<R>>
    where
        R: IntoAnswer,
        F: FnOnce(&mut Tx<'_, A>) -> Result<R> + Send + 'static,
    {
        let claims = self.claims.ok_or_else(|| AppError::new(Code::Unauthenticated))?;
        let (doors, facts) = (self.doors.clone(), self.facts.clone());
        // One type for all actions: the ways to the database are then compiled once, not once an endpoint.
        let whole: Transaction = Box::new(move |mut conn: Conn<'_>| {
            let (who, reach, authz_version) =
                admit(&doors, again(&mut conn), claims, facts.now, A::ROW, !A::ROW.writes)?;
            let owner = idempotency::Owner {
                tenant: claims.tenant,
                user: claims.user,
                now: facts.now,
                authz_version,
            };
            let claim = facts.idempotency.as_ref().filter(|_| R::KEPT);
            if let Some(claim) = claim
                && let Some(answer) = idempotency::replay(again(&mut conn), owner, claim)?
            {
                return Ok(answer);
            }
            let mut state = state_of(claims.tenant, who, &facts);
            state.answers = (!A::ROW.writes).then(|| doors.answers.clone());
            let reply = work(&mut Tx::new(again(&mut conn), &mut state, reach))?;
            let answer = reply.into_answer()?;
            if A::ROW.writes {
                settle(&state, A::ROW)?;
            }
            if let Some(claim) = claim {
                idempotency::remember(conn, owner, claim, &answer)?;
            }
            Ok(answer)
        });
        let answer = if A::ROW.alone {
            self.doors.db.write_alone(claims.tenant, whole).await?
        } else if A::ROW.writes {
            self.doors.db.write(Some(claims.tenant), whole).await?
        } else {
            self.doors.db.read(Some(claims.tenant), whole).await?
        };
        if A::ROW.writes {
            self.doors.wrote(claims.tenant);
        }
        Ok(Done(answer, PhantomData))
    }
}

impl<A: PublicAction> Gate<A> {
    /// Does a public action in a tenant that the service has found out.
    ///
    /// # Errors
    /// What `work` answers.
    pub async fn enter<R, F>(&self, tenant: TenantId, work: F) -> Result<R>
    where
        R: Send + 'static,
        F: FnOnce(&mut Tx<'_, A>) -> Result<R> + Send + 'static,
    {
        let facts = self.facts.clone();
        self.doors
            .db
            .write(Some(tenant), move |conn| {
                let mut state = state_of(tenant, Who::Public, &facts);
                let result = work(&mut Tx::new(conn, &mut state, Reach::default()))?;
                settle(&state, A::ROW)?;
                Ok(result)
            })
            .await
            .inspect(|_| self.doors.wrote(tenant))
    }
}

pub(super) fn state_of(tenant: TenantId, who: Who, facts: &Facts) -> State {
    State {
        tenant,
        who,
        now: facts.now,
        request_id: facts.request_id.clone(),
        precondition: facts.precondition.clone(),
        precondition_checked: false,
        accounted: false,
        answers: None,
        holds: None,
    }
}

/// A write that left no audit row, or a PATCH that compared no version, is a mistake of ours: it is
/// not committed, and the first test that calls it tells.
pub(super) fn settle(state: &State, row: &Row) -> Result<()> {
    if !state.accounted {
        return Err(AppError::internal(format!("{} left no audit row: call tx.record", row.name)));
    }
    let compared = state.precondition_checked || state.precondition == Precondition::None;
    if !compared {
        return Err(AppError::internal(format!(
            "{} did not compare If-Match: call tx.check_version",
            row.name
        )));
    }
    Ok(())
}

/// Who the bearer is, how far the action reaches for them, and the version of their rights. What is
/// seen in a writing transaction may be lost with it, and is not to be remembered.
pub(super) fn admit(
    doors: &Doors,
    conn: Conn<'_>,
    claims: Claims,
    now: Instant,
    row: &Row,
    may_remember: bool,
) -> Result<(Who, Reach, i64)> {
    let (account, bindings) = identity::load(conn, &doors.bindings, claims, now, may_remember)?;
    if account.must_change_password && !may_with_first_password(row) {
        return Err(AppError::new(Code::PasswordChangeRequired));
    }
    let today = now.shanghai_day();
    let held: Arc<[Held]> =
        bindings.iter().filter(|binding| binding.is_valid_on(today)).map(identity::Binding::held).collect();
    let reach = match row.audience {
        Audience::Account => Reach { assigned: true, ..Reach::default() },
        Audience::Roles | Audience::Public => {
            Reach::of(row, &held).ok_or_else(|| AppError::new(Code::Forbidden))?
        }
    };
    Ok((Who::User { id: claims.user, session: claims.session, held }, reach, account.authz_version))
}

/// With a first password one may look at the own account, change the password and leave.
fn may_with_first_password(row: &Row) -> bool {
    matches!(row.name, "account.read" | "account.password" | "account.logout")
}
