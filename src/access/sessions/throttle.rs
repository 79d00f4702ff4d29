//! Failed logins, counted per account and per address, in the database so that all instances count
//! together. Never a lock for good: a window ends after 15 minutes, and success clears the account.

use aws_lc_rs::digest::{SHA256, digest};
use diesel::prelude::*;

use crate::access::UserId;
use crate::audit::hex;
use crate::db::schema::login_throttles;
use crate::db::{Conn, Instant, with_conn};
use crate::errors::{AppError, Code, Result};

const WINDOW_SECONDS: i64 = 15 * 60;
/// Failures of one account in a window.
const PER_ACCOUNT: i64 = 10;
/// Failures from one address in a window: a bureau may share one.
const PER_ADDRESS: i64 = 100;

/// What failures are counted against; kept as a digest.
#[derive(Debug, Clone)]
pub(super) struct Counter {
    digest: String,
    most: i64,
}

impl Counter {
    pub(super) fn account(login: &str) -> Self {
        Self { digest: sealed("account", login), most: PER_ACCOUNT }
    }

    pub(super) fn own_password(user: UserId) -> Self {
        Self { digest: sealed("own_password", &user.to_string()), most: PER_ACCOUNT }
    }

    pub(super) fn address(address: &str) -> Self {
        Self { digest: sealed("address", address), most: PER_ADDRESS }
    }
}

fn sealed(what: &str, value: &str) -> String {
    hex(digest(&SHA256, format!("{what}:{value}").as_bytes()).as_ref())
}

/// Refuses when one of the counters is full.
///
/// # Errors
/// `too_many_attempts` with the seconds until its window ends.
pub(super) fn check(mut conn: Conn<'_>, counters: &[Counter], now: Instant) -> Result<()> {
    for counter in counters {
        let row: Option<(i64, Instant)> = with_conn!(&mut conn, c => login_throttles::table
            .find(&counter.digest)
            .select((login_throttles::failures, login_throttles::window_end_at))
            .first(*c)
            .optional())?;
        if let Some((failures, end)) = row
            && end > now
            && failures >= counter.most
        {
            let wait = u32::try_from(end.seconds() - now.seconds() + 1).unwrap_or(1);
            return Err(AppError::new(Code::TooManyAttempts).retry_after(wait));
        }
    }
    Ok(())
}

/// Counts a failure.
pub(super) fn fail(mut conn: Conn<'_>, counters: &[Counter], now: Instant) -> Result<()> {
    let end = now.plus_seconds(WINDOW_SECONDS);
    with_conn!(&mut conn, c => diesel::delete(login_throttles::table.filter(login_throttles::window_end_at.le(now)))
        .execute(*c))?;
    for counter in counters {
        let row = (
            login_throttles::key_digest.eq(&counter.digest),
            login_throttles::failures.eq(1_i64),
            login_throttles::window_end_at.eq(end),
        );
        with_conn!(&mut conn, c => diesel::insert_into(login_throttles::table)
            .values(row)
            .on_conflict(login_throttles::key_digest)
            .do_update()
            .set(login_throttles::failures.eq(login_throttles::failures + 1_i64))
            .execute(*c))?;
    }
    Ok(())
}

/// Forgets an account's failures after it has signed in.
pub(super) fn clear(conn: Conn<'_>, counter: &Counter) -> Result<()> {
    with_conn!(conn, c => diesel::delete(login_throttles::table.find(&counter.digest)).execute(c))?;
    Ok(())
}
