//! Turns: what several transactions do to one thing is done one after the other, even where there is no row of it yet to hold.

use aws_lc_rs::digest::{SHA256, digest};

use super::Conn;
use crate::errors::Result;

diesel::define_sql_function! {
    /// Takes a lock that ends with the transaction, when nobody else holds it any more.
    fn pg_advisory_xact_lock(key: diesel::sql_types::BigInt) -> diesel::sql_types::Nullable<diesel::sql_types::Text>;
}

/// The number by which PostgreSQL knows a name.
#[must_use]
pub fn turn_key(name: &str) -> i64 {
    let hash = digest(&SHA256, name.as_bytes());
    hash.as_ref().iter().take(8).fold(0_i64, |sum, byte| (sum << 8) | i64::from(*byte))
}

/// Waits for one's turn at what has this name, which ends with the transaction. Whoever takes several takes them in the order
/// of their names. SQLite has one writer, whose turn it always is.
///
/// # Errors
/// When the database fails.
pub fn wait_for_turn(conn: Conn<'_>, name: &str) -> Result<()> {
    if let Conn::Postgres(conn) = conn {
        use diesel::RunQueryDsl;
        diesel::select(pg_advisory_xact_lock(turn_key(name))).execute(conn)?;
    }
    Ok(())
}
