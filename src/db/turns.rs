//! Turns: what several transactions do to one thing is done one after the other, even where there is no row of it yet to hold.

use aws_lc_rs::digest::{SHA256, digest};
use diesel::RunQueryDsl;
use diesel::sql_types::{Array, BigInt};

use super::Conn;
use crate::errors::Result;

/// The number by which PostgreSQL knows a name.
#[must_use]
pub fn turn_key(name: &str) -> i64 {
    let hash = digest(&SHA256, name.as_bytes());
    hash.as_ref().iter().take(8).fold(0_i64, |sum, byte| (sum << 8) | i64::from(*byte))
}

/// Waits for one's turn at all that have these names, which ends with the transaction: in one order, whoever asks. SQLite has one
/// writer, whose turn it always is.
///
/// # Errors
/// When the database fails.
pub fn wait_for_turns(conn: Conn<'_>, names: impl Iterator<Item = String>) -> Result<()> {
    let Conn::Postgres(conn) = conn else { return Ok(()) };
    let mut keys: Vec<i64> = names.map(|name| turn_key(&name)).collect();
    keys.sort_unstable();
    keys.dedup();
    diesel::sql_query("SELECT pg_advisory_xact_lock(key) FROM unnest($1) AS key")
        .bind::<Array<BigInt>, _>(keys)
        .execute(conn)?;
    Ok(())
}
