//! Answers that are remembered while nothing of what they are made of has changed.
//!
//! A matrix or the progress of a province is read far more often than it changes, and is many rows. Triggers of both
//! databases count the changes of its tables ([`Source`]); the count is read in the snapshot of the request, so that an
//! answer made at the same count is the answer, on every instance and without anybody having to tell. What the caller
//! may see is part of the key.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use diesel::prelude::*;
use moka::sync::Cache;
use serde::Serialize;
use uuid::Uuid;

use super::policy::Action;
use super::reach::PathRange;
use super::tx::Tx;
use crate::db::schema::revisions;
use crate::db::{Id, TenantId, with_conn};
use crate::errors::{AppError, Result};

/// What remembered answers take at most, in bytes.
const ROOM: u64 = 32 << 20;
/// For how long an answer that nobody asks for is remembered.
const IDLE: Duration = Duration::from_mins(10);

/// A table that an answer is made of, or of a table what belongs to one campaign.
#[derive(Debug, Clone, Copy)]
pub struct Source {
    table: &'static str,
    subject: Id<()>,
}

impl Source {
    /// The units of the tenant.
    pub const UNITS: Self = Self { table: "units", subject: Id::from_uuid(Uuid::nil()) };

    /// The plans of a campaign.
    #[must_use]
    pub const fn plans<E>(campaign: Id<E>) -> Self {
        Self { table: "plans", subject: Id::from_uuid(campaign.uuid()) }
    }

    /// The counters of progress of a campaign.
    #[must_use]
    pub const fn progress<E>(campaign: Id<E>) -> Self {
        Self { table: "progress_counters", subject: Id::from_uuid(campaign.uuid()) }
    }
}

/// What an answer tells of.
#[derive(Debug)]
pub struct About<'a, S> {
    /// The path whose subtree it tells of: of the caller's reach only this counts.
    pub below: &'a str,
    /// What is asked, as far as it is not in the reach: the ids, the day, the versions of what has one.
    pub asked: S,
    /// What it is made of besides.
    pub of: [Source; 2],
}

#[derive(Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    tenant: TenantId,
    action: &'static str,
    reach: Vec<PathRange>,
    asked: String,
    /// Which parts of the count there are, and what each has come to.
    changes: Vec<(i64, i64)>,
}

/// The answers remembered in this process; cheap to clone.
#[derive(Clone)]
pub(super) struct Answers(Cache<Key, Arc<str>>);

impl Default for Answers {
    fn default() -> Self {
        let weigh = |key: &Key, answer: &Arc<str>| {
            u32::try_from(answer.len() + key.asked.len() + size_of::<Key>()).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().max_capacity(ROOM).weigher(weigh).time_to_idle(IDLE).build())
    }
}

impl<A: Action> Tx<'_, A> {
    /// The answer that `make` makes, as JSON: the remembered one when nothing has changed since. Only for actions that
    /// look. In a build for development what was remembered is made again and compared, so that every test tells a
    /// source that was forgotten.
    ///
    /// # Errors
    /// What `make` answers.
    pub fn remembered<V: Serialize, S: Debug>(
        &mut self,
        about: &About<'_, S>,
        mut make: impl FnMut(&mut Self) -> Result<V>,
    ) -> Result<Arc<str>> {
        let mut made = |tx: &mut Self| -> Result<Arc<str>> {
            Ok(serde_json::to_string(&make(tx)?).map_err(AppError::internal)?.into())
        };
        let Some(answers) = self.answers().cloned() else { return made(self) };
        let key = Key {
            tenant: self.tenant(),
            action: A::ROW.name,
            reach: self.reach().narrowed(&PathRange::subtree(about.below)),
            asked: format!("{:?}", about.asked),
            changes: self.changes(about.of)?,
        };
        if let Some(there) = answers.0.get(&key) {
            if cfg!(debug_assertions) && made(self)? != there {
                return Err(AppError::internal(format!("{key:?} was remembered and has changed")));
            }
            return Ok(there);
        }
        let answer = made(self)?;
        answers.0.insert(key, answer.clone());
        Ok(answer)
    }

    /// How often the sources were changed, in which parts: each commit that changes them adds to one or makes a new
    /// one, so that no two states of them have the same.
    fn changes(&mut self, [one, other]: [Source; 2]) -> Result<Vec<(i64, i64)>> {
        let tenant = self.tenant();
        let these = |of: Source| revisions::source.eq(of.table).and(revisions::subject_id.eq(of.subject));
        let mut parts: Vec<(i64, i64)> = with_conn!(self.conn(), c => revisions::table
            .filter(revisions::tenant_id.eq(tenant))
            .filter(these(one).or(these(other)))
            .select((revisions::part, revisions::changes))
            .load(c))?;
        parts.sort_unstable();
        Ok(parts)
    }
}
