//! Rows of officers that a table brings: entered in batches, unseen until the batch is closed.

use std::collections::HashSet;

use diesel::prelude::*;

use super::rules::{Officer, OfficerId};
use super::store::{OfficerRow, PersonRow, officer, whole};
use crate::access::policy::{Action, Background};
use crate::access::{JobId, Tx};
use crate::db::schema::{officer_persons, officers};
use crate::db::{lock_row, with_conn};
use crate::errors::Result;
use crate::jobs::unseen;
use crate::org::rules::UnitId;

/// Holds the officers that have these numbers until the transaction ends, in the order in which everybody does.
pub(super) fn lock_numbered<A: Action>(tx: &mut Tx<'_, A>, numbers: &[&str]) -> Result<()> {
    let tenant = tx.tenant();
    for some in numbers.chunks(500) {
        let some: Vec<String> = some.iter().map(ToString::to_string).collect();
        lock_row!(
            tx.conn(),
            officers::table
                .filter(officers::tenant_id.eq(tenant))
                .filter(officers::number.eq_any(some))
                .order(officers::id)
                .select(officers::id)
        );
    }
    Ok(())
}

/// Those of these numbers that belong to officers whom nobody sees yet.
pub(super) fn unseen_numbers<A: Action>(tx: &mut Tx<'_, A>, numbers: &[&str]) -> Result<HashSet<String>> {
    let tenant = tx.tenant();
    let mut found = HashSet::new();
    for some in numbers.chunks(500) {
        let some: Vec<String> = some.iter().map(ToString::to_string).collect();
        let numbers: Vec<String> = with_conn!(tx.conn(), c => unseen!(officers, tenant)
            .filter(officers::number.eq_any(some))
            .select(officers::number)
            .load(c))?;
        found.extend(numbers);
    }
    Ok(found)
}

/// Whether an import is entering officers at a unit whom nobody sees yet.
pub(super) fn any_unseen_at<A: Action>(tx: &mut Tx<'_, A>, unit: UnitId) -> Result<bool> {
    let tenant = tx.tenant();
    let found: Option<OfficerId> = with_conn!(tx.conn(), c => unseen!(officers, tenant)
        .filter(officers::unit_id.eq(unit))
        .select(officers::id)
        .first(c)
        .optional())?;
    Ok(found.is_some())
}

/// Those whom a batch has entered under these numbers.
pub(super) fn of_batch<A: Action>(
    tx: &mut Tx<'_, A>,
    batch: JobId,
    numbers: &[&str],
) -> Result<Vec<Officer>> {
    let tenant = tx.tenant();
    let mut found = Vec::with_capacity(numbers.len());
    for some in numbers.chunks(500) {
        let some: Vec<String> = some.iter().map(ToString::to_string).collect();
        let rows: Vec<(OfficerRow, PersonRow)> = with_conn!(tx.conn(), c => whole!()
            .filter(officers::tenant_id.eq(tenant))
            .filter(officers::number.eq_any(some))
            .filter(officers::batch_id.eq(batch))
            .select((OfficerRow::as_select(), PersonRow::as_select()))
            .load(c))?;
        found.extend(rows.into_iter().map(officer));
    }
    Ok(found)
}

/// Takes back officers whom nobody has seen.
pub(super) fn withdraw(tx: &mut Tx<'_, Background>, ids: &[OfficerId]) -> Result<()> {
    let tenant = tx.tenant();
    for some in ids.chunks(500) {
        with_conn!(tx.conn(), c => diesel::delete(officer_persons::table
            .filter(officer_persons::tenant_id.eq(tenant))
            .filter(officer_persons::officer_id.eq_any(some.to_vec())))
            .execute(c))?;
        with_conn!(tx.conn(), c => diesel::delete(officers::table
            .filter(officers::tenant_id.eq(tenant))
            .filter(officers::id.eq_any(some.to_vec())))
            .execute(c))?;
    }
    Ok(())
}
