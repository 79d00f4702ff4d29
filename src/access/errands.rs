//! What is done without a request: by the command line, by the server itself, by jobs for whoever has begun them. Each
//! of these is a door past the gate, and counted (tests/architecture.rs).

use std::sync::Arc;

use super::doors::Doors;
use super::gate::{Facts, settle, state_of};
use super::identity;
use super::policy::{Action, Background, CommandLine};
use super::reach::{Held, Reach};
use super::spool::JobId;
use super::tx::{State, Tx, UserId, Who};
use crate::audit::Hold;
use crate::db::{Conn, TenantId, again};
use crate::errors::{AppError, Code, Result};

/// Runs `work` for the command line, which answers to the operating system.
///
/// # Errors
/// What `work` answers.
pub async fn command_line<R, F>(doors: &Doors, tenant: TenantId, os_user: &str, work: F) -> Result<R>
where
    R: Send + 'static,
    F: FnOnce(&mut Tx<'_, CommandLine>) -> Result<R> + Send + 'static,
{
    let facts = Facts { request_id: "cli".to_owned(), ..Facts::plain(doors.now()) };
    let mut state = state_of(tenant, Who::CommandLine(os_user.to_owned()), &facts);
    doors
        .db
        .write(Some(tenant), move |conn| {
            let result = work(&mut Tx::new(conn, &mut state, Reach::whole_tenant()))?;
            settle(&state, CommandLine::ROW)?;
            Ok(result)
        })
        .await
        .inspect(|_| doors.wrote(tenant))
}

/// Lets the command line look at a tenant without changing anything.
///
/// # Errors
/// What `work` answers.
pub async fn command_line_looks<R, F>(doors: &Doors, tenant: TenantId, work: F) -> Result<R>
where
    R: Send + 'static,
    F: FnOnce(&mut Tx<'_, CommandLine>) -> Result<R> + Send + 'static,
{
    looks(doors, tenant, "cli", work).await
}

/// Runs `work` for the server itself, whose job has this name, with no other write of the tenant beside it:
/// what is settled for a day then stands on all that was written before.
///
/// # Errors
/// What `work` answers.
pub async fn background<R, F>(doors: &Doors, tenant: TenantId, job: &'static str, work: F) -> Result<R>
where
    R: Send + 'static,
    F: FnOnce(&mut Tx<'_, Background>) -> Result<R> + Send + 'static,
{
    let mut state =
        state_of(tenant, Who::Job(job), &Facts { request_id: job.to_owned(), ..Facts::plain(doors.now()) });
    doors
        .db
        .write_alone(tenant, move |conn| {
            let result = work(&mut Tx::new(conn, &mut state, Reach::whole_tenant()))?;
            settle(&state, Background::ROW)?;
            Ok(result)
        })
        .await
        .inspect(|_| doors.wrote(tenant))
}

/// The same beside other writers of the tenant: for what follows what they write and keeps nobody waiting. What it
/// writes is followed by nobody.
///
/// # Errors
/// What `work` answers.
pub async fn beside<R, F>(doors: &Doors, tenant: TenantId, job: &'static str, work: F) -> Result<R>
where
    R: Send + 'static,
    F: FnOnce(&mut Tx<'_, Background>) -> Result<R> + Send + 'static,
{
    let facts = Facts { request_id: job.to_owned(), ..Facts::plain(doors.now()) };
    let mut state = state_of(tenant, Who::Job(job), &facts);
    doors
        .db
        .write(Some(tenant), move |conn| {
            let result = work(&mut Tx::new(conn, &mut state, Reach::whole_tenant()))?;
            settle(&state, Background::ROW)?;
            Ok(result)
        })
        .await
}

/// Whose work is gone on with after their request has been answered, for which job.
#[derive(Debug, Clone)]
pub struct Behalf {
    /// Whose tenant.
    pub tenant: TenantId,
    /// Whose account.
    pub user: UserId,
    /// The request that began it, as the log has it.
    pub request_id: String,
    /// Whether what is done was decided on while the account had the right: then it is done though the right has ended.
    pub decided: bool,
    /// The job that holds back the rows of the log about what nobody sees yet.
    pub holds: Option<JobId>,
}

impl Behalf {
    fn state(&self, doors: &Doors, held: Arc<[Held]>) -> State {
        let facts = Facts { request_id: self.request_id.clone(), ..Facts::plain(doors.now()) };
        let mut state = state_of(self.tenant, Who::Behalf { id: self.user, held }, &facts);
        state.holds = self.holds.map(Hold::by_job);
        state
    }

    /// What the account may do now: a right that has ended ends the work, a session that has does not.
    fn admit<A: Action>(&self, doors: &Doors, conn: Conn<'_>) -> Result<(Arc<[Held]>, Reach)> {
        let held = identity::held_by(conn, self.tenant, self.user, doors.now().shanghai_day())?;
        // What was decided on is done as far as it was decided, however far the right reaches by now.
        let reach = if self.decided { Some(Reach::whole_tenant()) } else { Reach::of(A::ROW, &held) };
        Ok((held, reach.ok_or_else(|| AppError::new(Code::Forbidden))?))
    }
}

/// Runs `work` of a job under the rights that whoever began it has now.
///
/// # Errors
/// `forbidden` when the account may no longer; what `work` answers.
pub async fn on_behalf<A, R, F>(doors: &Arc<Doors>, behalf: Behalf, work: F) -> Result<R>
where
    A: Action,
    R: Send + 'static,
    F: FnOnce(&mut Tx<'_, A>) -> Result<R> + Send + 'static,
{
    let (inner, tenant) = (Arc::clone(doors), behalf.tenant);
    let whole = move |mut conn: Conn<'_>| {
        let (held, reach) = behalf.admit::<A>(&inner, again(&mut conn))?;
        let mut state = behalf.state(&inner, held);
        let result = work(&mut Tx::new(conn, &mut state, reach))?;
        settle(&state, A::ROW)?;
        Ok(result)
    };
    doors.db.write(Some(tenant), whole).await.inspect(|_| doors.wrote(tenant))
}

/// Lets a job look under the rights that whoever began it has now.
///
/// # Errors
/// As [`on_behalf`].
pub async fn look_on_behalf<A, R, F>(doors: &Arc<Doors>, behalf: Behalf, work: F) -> Result<R>
where
    A: Action,
    R: Send + 'static,
    F: FnOnce(&mut Tx<'_, A>) -> Result<R> + Send + 'static,
{
    let inner = Arc::clone(doors);
    doors
        .db
        .read(Some(behalf.tenant), move |mut conn| {
            let (held, reach) = behalf.admit::<A>(&inner, again(&mut conn))?;
            let mut state = behalf.state(&inner, held);
            work(&mut Tx::new(conn, &mut state, reach))
        })
        .await
}

/// Lets a job of the server look at a tenant without changing anything.
///
/// # Errors
/// What `work` answers.
pub async fn look_beside<R, F>(doors: &Doors, tenant: TenantId, job: &'static str, work: F) -> Result<R>
where
    R: Send + 'static,
    F: FnOnce(&mut Tx<'_, Background>) -> Result<R> + Send + 'static,
{
    looks(doors, tenant, job, work).await
}

async fn looks<A, R, F>(doors: &Doors, tenant: TenantId, job: &'static str, work: F) -> Result<R>
where
    A: Action,
    R: Send + 'static,
    F: FnOnce(&mut Tx<'_, A>) -> Result<R> + Send + 'static,
{
    let facts = Facts { request_id: job.to_owned(), ..Facts::plain(doors.now()) };
    let mut state = state_of(tenant, Who::Job(job), &facts);
    doors.db.read(Some(tenant), move |conn| work(&mut Tx::new(conn, &mut state, Reach::whole_tenant()))).await
}
