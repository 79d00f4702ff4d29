//! The runner: does the jobs there are, a few at a time, beside the server.

use std::collections::BTreeSet;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::rules::{Job, JobKind};
use super::service::{self, Held};
use crate::access::{Doors, beside, look_beside};
use crate::db::TenantId;
use crate::errors::Result;
use crate::org::service as org;

/// The name under which jobs are looked for and cleared away.
pub const JOB: &str = "jobs";
/// How often it looks at every tenant, for what another instance has taken on and does not do.
const EVERY: Duration = Duration::from_secs(3);
/// How often it clears away what is left over.
const SWEPT_EVERY: Duration = Duration::from_mins(5);
/// How often it looks whether the server is on its way out.
const PAUSE: Duration = Duration::from_millis(300);
/// Jobs that are done at once: the others wait, and everybody's requests go on.
const AT_ONCE: usize = 2;

/// What a kind of job does.
pub trait Work {
    /// Which kind.
    fn kind(&self) -> JobKind;

    /// Goes on with a job from wherever it is until it has ended and nothing of it is left over, or until another
    /// process holds it.
    fn work<'w>(
        &'w self,
        doors: &'w Arc<Doors>,
        held: Held,
    ) -> Pin<Box<dyn Future<Output = Result<()>> + 'w>>;
}

/// Does jobs.
#[derive(Clone)]
pub struct Runner {
    doors: Arc<Doors>,
    works: Rc<Vec<Box<dyn Work>>>,
    holder: Arc<str>,
    turns: Arc<Semaphore>,
}

impl Runner {
    /// One that knows how these are done.
    #[must_use]
    pub fn new(doors: Arc<Doors>, works: Vec<Box<dyn Work>>) -> Self {
        let holder = uuid::Uuid::new_v4().to_string().into();
        Self { doors, works: Rc::new(works), holder, turns: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Does every job that nobody works on, one after the other; how many those were.
    ///
    /// # Errors
    /// When the database fails; the jobs are gone on with later.
    pub async fn work_off(&self) -> Result<usize> {
        let mut done = 0;
        for tenant in self.tenants().await? {
            while let Some((job, holder)) = self.claim(tenant).await? {
                self.work(tenant, &job, holder).await?;
                done += 1;
            }
        }
        Ok(done)
    }

    async fn tenants(&self) -> Result<Vec<TenantId>> {
        look_beside(&self.doors, TenantId::PLATFORM, JOB, org::working_tenants).await
    }

    /// A job, and the name under which it is held: another each time, so that whoever has lost a job has lost it to
    /// this process, too.
    async fn claim(&self, tenant: TenantId) -> Result<Option<(Job, Arc<str>)>> {
        let holder: Arc<str> = format!("{}/{}", self.holder, uuid::Uuid::new_v4()).into();
        let name = Arc::clone(&holder);
        let job = beside(&self.doors, tenant, JOB, move |tx| service::claim(tx, &name)).await?;
        Ok(job.map(|job| (job, holder)))
    }

    async fn work(&self, tenant: TenantId, job: &Job, holder: Arc<str>) -> Result<()> {
        let held = Held { tenant, id: job.id, holder };
        match self.works.iter().find(|work| work.kind() == job.kind) {
            Some(work) => work.work(&self.doors, held).await,
            // A newer version has taken it on: it does it.
            None => Ok(()),
        }
    }

    /// Lets go of what this process holds (`all`: of what anybody does), so that nobody has to wait for it.
    async fn let_go(&self, all: bool) {
        let Ok(tenants) = self.tenants().await else { return };
        for tenant in tenants {
            let holder = (!all).then(|| Arc::clone(&self.holder));
            let freed =
                beside(&self.doors, tenant, JOB, move |tx| service::let_go(tx, holder.as_deref())).await;
            if let Err(error) = freed {
                tracing::warn!(%tenant, %error, "jobs could not be let go of; they are free in half a minute");
            }
        }
    }

    /// Runs beside the server for as long as that does. On the embedded database no other process does: what is held there
    /// was held by one that has ended.
    pub async fn run(self) {
        if self.doors.has_one_writer() {
            self.let_go(true).await;
        }
        let (mut looked_at, mut swept_at): (Option<Instant>, _) = (None, Instant::now());
        let mut line = Line::default();
        loop {
            line.waiting.extend(self.doors.jobs().take());
            if looked_at.is_none_or(|at| at.elapsed() >= EVERY) {
                looked_at = Some(Instant::now());
                line.waiting.extend(self.tenants().await.unwrap_or_default());
            }
            self.begin(&mut line).await;
            if swept_at.elapsed() >= SWEPT_EVERY {
                swept_at = Instant::now();
                for tenant in self.tenants().await.unwrap_or_default() {
                    // A little at a time, as everything here.
                    while !self.doors.is_draining()
                        && matches!(beside(&self.doors, tenant, JOB, service::sweep).await, Ok(true))
                    {
                    }
                }
            }
            drop(tokio::time::timeout(PAUSE, self.doors.jobs().wait()).await);
            if self.doors.is_draining() {
                self.let_go(false).await;
                return;
            }
        }
    }

    /// Begins what is to be done, as far as there are turns: a job of one tenant, then one of the next.
    async fn begin(&self, line: &mut Line) {
        while let Some(tenant) = line.next() {
            let Ok(turn) = Arc::clone(&self.turns).try_acquire_owned() else { return };
            let (job, holder) = match self.claim(tenant).await {
                Ok(Some(claimed)) => claimed,
                Ok(None) => {
                    line.waiting.remove(&tenant);
                    continue;
                }
                Err(error) => {
                    tracing::warn!(%tenant, %error, "jobs could not be looked for; trying again");
                    line.waiting.remove(&tenant);
                    continue;
                }
            };
            line.last = Some(tenant);
            let this = self.clone();
            actix_web::rt::spawn(async move {
                let _turn = turn;
                if let Err(error) = this.work(tenant, &job, holder).await {
                    tracing::warn!(%tenant, job = %job.id, %error, "a job could not go on; it will be taken up again");
                }
                // Whoever had no turn may have one now.
                this.doors.jobs().add(tenant);
            });
        }
    }
}

/// The tenants that may have something to be done, and whose turn was the last: however many jobs one of them has, the others
/// have theirs in between.
#[derive(Debug, Default)]
struct Line {
    waiting: BTreeSet<TenantId>,
    last: Option<TenantId>,
}

impl Line {
    fn next(&self) -> Option<TenantId> {
        let behind = self.waiting.iter().find(|tenant| self.last.is_none_or(|last| **tenant > last));
        behind.or_else(|| self.waiting.first()).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tenant_has_its_turn_however_much_another_has_to_be_done() {
        let tenant = |code: &str| TenantId::parse(code).unwrap();
        let mut line = Line { waiting: ["11", "44", "53"].map(tenant).into(), last: None };
        let mut turns = Vec::new();
        for _ in 0..5 {
            let next = line.next().unwrap();
            turns.push(next.to_string());
            line.last = Some(next);
        }
        assert_eq!(turns, ["11", "44", "53", "11", "44"]);
        line.waiting.clear();
        assert_eq!(line.next(), None);
    }
}
