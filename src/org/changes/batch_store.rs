//! Rows of units that a table brings: entered in steps, unseen until the batch is closed.

use std::collections::HashMap;

use diesel::prelude::*;

use crate::access::policy::{Action, Background};
use crate::access::{JobId, PathRange, Tx};
use crate::db::schema::{open_batches, unit_periods, units};
use crate::db::with_conn;
use crate::errors::Result;
use crate::jobs::unseen;
use crate::org::rules::{Unit, UnitId};
use crate::org::store::UnitRow;

/// Those of these codes that belong to units which nobody sees yet, each with the job that has entered it.
pub(in crate::org) fn unseen_codes<A: Action>(
    tx: &mut Tx<'_, A>,
    codes: &[&str],
) -> Result<HashMap<String, JobId>> {
    let tenant = tx.tenant();
    let mut found = HashMap::new();
    for some in codes.chunks(500) {
        let some: Vec<String> = some.iter().map(ToString::to_string).collect();
        let rows: Vec<(String, JobId)> = with_conn!(tx.conn(), c => unseen!(units, tenant)
            .filter(units::code.eq_any(some))
            .select((units::code, open_batches::job_id))
            .load(c))?;
        found.extend(rows);
    }
    Ok(found)
}

/// Whether an import is entering units below a path, which nobody sees yet.
pub(super) fn any_unseen_below<A: Action>(tx: &mut Tx<'_, A>, path: &str) -> Result<bool> {
    let (tenant, range) = (tx.tenant(), PathRange::subtree(path));
    let found: Option<UnitId> = with_conn!(tx.conn(), c => unseen!(units, tenant)
        .filter(units::path.ge(range.low))
        .filter(units::path.lt(range.high))
        .select(units::id)
        .first(c)
        .optional())?;
    Ok(found.is_some())
}

/// Those that a batch has entered under these codes.
pub(in crate::org) fn of_batch<A: Action>(
    tx: &mut Tx<'_, A>,
    batch: JobId,
    codes: &[&str],
) -> Result<Vec<Unit>> {
    let tenant = tx.tenant();
    let mut found = Vec::with_capacity(codes.len());
    for some in codes.chunks(500) {
        let some: Vec<String> = some.iter().map(ToString::to_string).collect();
        // By the codes alone: asked by the batch as well, SQLite goes through all of that each time.
        let rows: Vec<(UnitRow, Option<JobId>)> = with_conn!(tx.conn(), c => units::table
            .filter(units::tenant_id.eq(tenant))
            .filter(units::code.eq_any(some))
            .select((UnitRow::as_select(), units::batch_id))
            .load(c))?;
        found.extend(rows.into_iter().filter(|(_, of)| *of == Some(batch)).map(|(row, _)| Unit::from(row)));
    }
    Ok(found)
}

/// Takes back the last of the units that a batch has entered and nobody has seen, in the order of the tree, so that
/// none goes before those below it; how many, so many at most.
pub(in crate::org) fn withdraw(tx: &mut Tx<'_, Background>, batch: JobId, most: i64) -> Result<usize> {
    let tenant = tx.tenant();
    let last: Vec<UnitId> = with_conn!(tx.conn(), c => units::table
        .filter(units::tenant_id.eq(tenant))
        .filter(units::batch_id.eq(batch))
        .order(units::path.desc())
        .limit(most)
        .select(units::id)
        .load(c))?;
    for some in last.chunks(500) {
        with_conn!(tx.conn(), c => diesel::delete(unit_periods::table
            .filter(unit_periods::tenant_id.eq(tenant))
            .filter(unit_periods::unit_id.eq_any(some.to_vec())))
            .execute(c))?;
        with_conn!(tx.conn(), c => diesel::delete(units::table
            .filter(units::tenant_id.eq(tenant))
            .filter(units::id.eq_any(some.to_vec())))
            .execute(c))?;
    }
    Ok(last.len())
}
