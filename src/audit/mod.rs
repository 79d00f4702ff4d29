//! The audit log: one row a change, written in the transaction of the change. Rows are only ever
//! added; triggers in both databases refuse anything else.
//!
//! A [`relay`] beside the server puts the rows into a [`chain`], a tenant at a time and in an order of its own, so that
//! nobody who writes waits for another; a row waits in `audit_unsealed` until then, a second at most. From time to
//! time the chain is signed ([`checkpoint`]), in the database and in a file that is only added to. What an auditor
//! holds of it, page by page or as an export, can be gone through without us ([`verify`]).
//!
//! Rows about what nobody may know of yet wait outside of the chain until it may be known ([`Hold`]). Each checkpoint commits
//! to them without telling whether there are any ([`holds`]).

pub mod chain;
pub mod checkpoint;
pub mod export;
mod hold_store;
mod holding;
pub mod holds;
pub mod http;
mod notes;
mod queue_store;
pub mod relay;
pub mod service;
mod store;
mod verification;
pub mod verify;

use aws_lc_rs::digest::{SHA256, digest};
use diesel::{Insertable, RunQueryDsl};
use serde_json::Value;

use crate::access::{JobId, UserId};
use crate::db::schema::audit::{audit_log, audit_unsealed};
use crate::db::{Conn, Id, Instant, TenantId, again, insert_rows};
use crate::errors::{AppError, Result};
use crate::events::kinds;

/// Bytes of salt a row.
const SALT: usize = 16;

/// Marks the identifier of an audit row.
#[derive(Debug)]
pub struct AuditEntity;

/// What was changed.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// The kind of thing, `snake_case` (`plan`, `user`).
    pub entity: &'static str,
    /// Its identifier.
    pub entity_id: &'a str,
    /// Its facts before; `None` when it is new.
    pub before: Option<&'a Value>,
    /// Its facts after; `None` when it has ended.
    pub after: Option<&'a Value>,
    /// Why, in the actor's words, where the action asks for a reason.
    pub reason: Option<&'a str>,
}

/// One of many changes of things of one kind, with facts of its own.
#[derive(Debug, Clone)]
pub struct Told<'a> {
    /// The thing's identifier.
    pub id: String,
    /// Its facts before; `None` when it is new.
    pub before: Option<Value>,
    /// Its facts after; `None` when it has ended.
    pub after: Option<Value>,
    /// Why.
    pub reason: Option<&'a str>,
}

impl Told<'_> {
    /// The change it tells, of a thing of this kind.
    #[must_use]
    pub fn change(&self, entity: &'static str) -> Change<'_> {
        Change {
            entity,
            entity_id: &self.id,
            before: self.before.as_ref(),
            after: self.after.as_ref(),
            reason: self.reason,
        }
    }
}

/// What holds rows of the log back from the chain.
#[derive(Debug, Clone, Copy)]
pub struct Hold {
    by: JobId,
    /// Checkpoints commit to the rows: they may wait for ever. Those of a job, a million maybe, wait for minutes.
    lasts: bool,
}

impl Hold {
    /// Until a job has ended: put in force or taken back, its rows are told.
    #[must_use]
    pub const fn by_job(job: JobId) -> Self {
        Self { by: job, lasts: false }
    }

    /// Until everybody may know of a thing, which may be never.
    #[must_use]
    pub const fn by_thing<T>(thing: Id<T>) -> Self {
        Self { by: JobId::from_uuid(thing.uuid()), lasts: true }
    }
}

/// Who changed it, when, by which action.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The tenant whose log it is.
    pub tenant: TenantId,
    /// When.
    pub at: Instant,
    /// `user:<id>`, `cli:<os user>`, `job:<name>` or `public`.
    pub actor: String,
    /// The account, if one acted.
    pub user_id: Option<UserId>,
    /// The roles it held, sorted, separated by spaces.
    pub roles: String,
    /// The action's or effect's name.
    pub action: &'static str,
    /// The request, as its answer's `X-Request-Id` told.
    pub request_id: String,
    /// What holds the rows back.
    pub hold: Option<Hold>,
}

#[derive(Insertable)]
#[diesel(table_name = audit_log)]
struct Row<'a> {
    tenant_id: TenantId,
    id: Id<AuditEntity>,
    at: Instant,
    actor: &'a str,
    user_id: Option<UserId>,
    roles: &'a str,
    action: &'a str,
    entity: &'a str,
    entity_id: &'a str,
    before_digest: Option<String>,
    after_digest: Option<String>,
    reason: Option<&'a str>,
    request_id: &'a str,
    salt: Option<String>,
}

/// A row that waits to be put in the chain.
#[derive(Insertable)]
#[diesel(table_name = audit_unsealed)]
struct Waiting {
    tenant_id: TenantId,
    entry_id: Id<AuditEntity>,
    held_by: Option<JobId>,
    uncommitted: bool,
}

/// Adds a row for each of the changes.
///
/// # Errors
/// When the database refuses one.
pub fn append(mut conn: Conn<'_>, entry: &Entry, changes: &[Change<'_>]) -> Result<()> {
    if cfg!(debug_assertions)
        && let Some(change) = changes.iter().find(|change| !kinds::is_settled(change.entity))
    {
        return Err(AppError::internal(format!("who is told of a {}? See events::kinds", change.entity)));
    }
    let mut salts = vec![0_u8; changes.len() * SALT];
    aws_lc_rs::rand::fill(&mut salts).map_err(AppError::internal)?;
    let rows: Vec<Row<'_>> = changes
        .iter()
        .zip(salts.chunks(SALT))
        .map(|(change, salt)| Row {
            tenant_id: entry.tenant,
            id: Id::generate(),
            at: entry.at,
            actor: &entry.actor,
            user_id: entry.user_id,
            roles: &entry.roles,
            action: entry.action,
            entity: change.entity,
            entity_id: change.entity_id,
            before_digest: change.before.map(digest_of),
            after_digest: change.after.map(digest_of),
            reason: change.reason,
            request_id: &entry.request_id,
            salt: Some(hex(salt)),
        })
        .collect();
    insert_rows!(again(&mut conn), audit_log::table, &rows);
    let (held_by, uncommitted) = (entry.hold.map(|hold| hold.by), entry.hold.is_some_and(|hold| hold.lasts));
    let waiting: Vec<Waiting> = rows
        .iter()
        .map(|row| Waiting { tenant_id: row.tenant_id, entry_id: row.id, held_by, uncommitted })
        .collect();
    insert_rows!(conn, audit_unsealed::table, &waiting);
    Ok(())
}

/// SHA-256, as hex, over the canonical form of the facts: object keys sorted, no white space.
#[must_use]
pub fn digest_of(facts: &Value) -> String {
    let mut text = String::new();
    canonical(facts, &mut text);
    hex(digest(&SHA256, text.as_bytes()).as_ref())
}

fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<_> = map.iter().collect();
            keys.sort_unstable_by_key(|(key, _)| *key);
            out.push('{');
            for (at, (key, value)) in keys.into_iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                canonical(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(',');
                }
                canonical(item, out);
            }
            out.push(']');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

/// Lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A salt under which the log commits to what is personal: 128 random bits, hexadecimal.
///
/// # Errors
/// When the random source fails.
pub fn fresh_salt() -> Result<String> {
    let mut bytes = [0_u8; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(AppError::internal)?;
    Ok(hex(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_digest_does_not_depend_on_the_order_of_keys() {
        assert_eq!(
            digest_of(&json!({"a": 1, "b": {"c": [1, null], "d": "省"}})),
            digest_of(&json!({"b": {"d": "省", "c": [1, null]}, "a": 1}))
        );
        assert_ne!(digest_of(&json!({"a": [1, 2]})), digest_of(&json!({"a": [2, 1]})));
    }
}
