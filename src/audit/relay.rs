//! The relay: puts what was written into the chain, a tenant at a time, and signs the chain from time to time.
//!
//! Nobody who writes waits for it. It looks several times a second at the tenants that were written for in this process, and every
//! few seconds at all tenants, for what others have written: the command line, an instance that has died. Two that
//! run at once wait for each other at the head of the chain, and the second goes on where the first has stopped.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::MissedTickBehavior;

use super::checkpoint::{Signer, origin};
use super::export::File;
use super::{holding, service};
use crate::access::{Doors, beside, look_beside};
use crate::db::TenantId;
use crate::errors::Result;
use crate::org::service as org;

/// The name of the job, as refusals have it.
const JOB: &str = "audit_chain";
/// Rows sealed in one transaction: a few milliseconds of SQLite's writer.
const AT_ONCE: i64 = 200;
/// How often it looks whether anything was written in this process.
const PAUSE: Duration = Duration::from_millis(200);
/// How often it looks at every tenant.
const EVERY: Duration = Duration::from_secs(5);
/// How often a chain that grows is signed.
const SIGNED_EVERY: Duration = Duration::from_mins(1);

/// Where the relay works.
pub struct Relay {
    doors: Arc<Doors>,
    signer: Arc<Signer>,
    file: Option<File>,
}

impl Relay {
    /// One with the keys of the installation; with a file, checkpoints are added to it as well.
    ///
    /// # Errors
    /// Never for good keys.
    pub fn new(doors: Arc<Doors>, file: Option<PathBuf>) -> Result<Self> {
        let signer = Arc::new(service::signer(doors.keys())?);
        Ok(Self { doors, signer, file: file.map(File::new) })
    }

    /// Seals what waits in one tenant's log; how many rows.
    ///
    /// # Errors
    /// When the database fails; what was sealed before stays.
    pub async fn seal(&self, tenant: TenantId) -> Result<usize> {
        let mut sealed = 0;
        loop {
            // Most looks find nothing: they write nothing either.
            let (some, oldest) =
                beside(&self.doors, tenant, JOB, |tx| service::seal_some(tx, AT_ONCE)).await?;
            if let Some(oldest) = oldest {
                self.doors.metrics().sealed(tenant, some, self.doors.now().since(oldest));
            }
            sealed += some;
            if i64::try_from(some).unwrap_or(i64::MAX) < AT_ONCE {
                return Ok(sealed);
            }
        }
    }

    /// Signs the chain of a tenant as it is, if it has grown since it was signed last, and adds to the file what
    /// is not in it yet. What is held back is entered in its list before, and is no reason to sign.
    ///
    /// # Errors
    /// When the database or the file fails: it is made good the next time.
    pub async fn sign(&self, tenant: TenantId) -> Result<()> {
        loop {
            match beside(&self.doors, tenant, JOB, |tx| holding::take_up(tx, AT_ONCE)).await {
                Ok(0) => break,
                Ok(_) => {}
                // That nothing is signed any more would tell that something is held back; the verifier tells what is wrong.
                Err(error) => {
                    tracing::error!(%tenant, %error, "rows that are held back could not be entered in their list");
                    break;
                }
            }
        }
        let signer = Arc::clone(&self.signer);
        beside(&self.doors, tenant, JOB, move |tx| service::sign(tx, &signer)).await?;
        let Some(file) = &self.file else { return Ok(()) };
        let verifier = self.signer.verifier(&origin(tenant));
        let last = file.last_size(&verifier)?;
        let missing = beside(&self.doors, tenant, JOB, move |tx| service::notes_above(tx, last)).await?;
        file.add(&verifier, &missing)
    }

    async fn tenants(&self) -> Result<Vec<TenantId>> {
        let mut all = look_beside(&self.doors, TenantId::PLATFORM, JOB, org::working_tenants).await?;
        all.push(TenantId::PLATFORM);
        Ok(all)
    }

    /// Seals and signs everything there is.
    ///
    /// # Errors
    /// The last failure; every tenant is tried.
    pub async fn catch_up(&self) -> Result<()> {
        let mut outcome = Ok(());
        for tenant in self.tenants().await? {
            let done = async {
                self.seal(tenant).await?;
                self.sign(tenant).await
            };
            if let Err(error) = done.await {
                tracing::warn!(%tenant, %error, "the audit chain of a tenant could not be brought up to date");
                outcome = Err(error);
            }
        }
        outcome
    }

    /// Runs beside the server for as long as that does.
    pub async fn run(self) {
        // What was left when the program ended last.
        drop(self.catch_up().await);
        let (mut looked_at, mut signed_at) = (Instant::now(), Instant::now());
        let mut clock = tokio::time::interval(PAUSE);
        clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            clock.tick().await;
            let mut wanted = self.doors.take_written();
            if looked_at.elapsed() >= EVERY {
                looked_at = Instant::now();
                wanted.extend(self.tenants().await.unwrap_or_default());
            }
            for tenant in wanted {
                if let Err(error) = self.seal(tenant).await {
                    tracing::warn!(%tenant, %error, "audit rows wait to be sealed; trying again");
                }
            }
            if signed_at.elapsed() >= SIGNED_EVERY {
                signed_at = Instant::now();
                // All of them: what an instance has sealed that died before it signed is signed by another.
                drop(self.catch_up().await);
            }
        }
    }
}
