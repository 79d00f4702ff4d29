//! Rows of what units were, one period after the other.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::prelude::*;

use super::moments::Stretch;
use crate::access::Tx;
use crate::access::policy::Action;
use crate::db::schema::unit_periods;
use crate::db::{Instant, with_conn};
use crate::errors::Result;
use crate::org::rules::UnitId;

type Row = (UnitId, NaiveDate, (Instant, Option<Instant>), Option<UnitId>, Option<UnitId>);

/// The periods of each of the units, the oldest first.
pub(super) fn stretches<A: Action>(
    tx: &mut Tx<'_, A>,
    ids: &[UnitId],
) -> Result<HashMap<UnitId, Vec<Stretch>>> {
    let tenant = tx.tenant();
    let mut found: HashMap<UnitId, Vec<Stretch>> = HashMap::with_capacity(ids.len());
    for some in ids.chunks(500) {
        let rows: Vec<Row> = with_conn!(tx.conn(), c => unit_periods::table
            .filter(unit_periods::tenant_id.eq(tenant))
            .filter(unit_periods::unit_id.eq_any(some.to_vec()))
            .order((unit_periods::unit_id, unit_periods::valid_from_on))
            .select((
                unit_periods::unit_id,
                unit_periods::valid_from_on,
                (unit_periods::recorded_at, unit_periods::placed_at),
                unit_periods::parent_id,
                unit_periods::successor_id,
            ))
            .load(c))?;
        for (id, from_on, (recorded_at, placed_at), parent_id, successor_id) in rows {
            let entered_at = placed_at.unwrap_or(recorded_at);
            found.entry(id).or_default().push(Stretch { from_on, entered_at, parent_id, successor_id });
        }
    }
    Ok(found)
}
