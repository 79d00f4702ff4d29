//! Rows of counters.

use std::collections::HashMap;

use chrono::NaiveDate;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Date};
use diesel::upsert::excluded;

use super::rules::{Counted, Sums};
use crate::access::policy::{Action, Effect};
use crate::access::{EffectTx, Tx, follow_path};
use crate::campaigns::rules::CampaignId;
use crate::db::schema::progress_counters;
use crate::db::{BATCH, Conn, TenantId, with_conn};
use crate::errors::Result;

#[derive(Insertable)]
#[diesel(table_name = progress_counters)]
struct Row {
    tenant_id: TenantId,
    campaign_id: CampaignId,
    unit_path: String,
    due_on: NaiveDate,
    total: i64,
    done: i64,
}

/// Of which campaign, at which unit, due when: how many more, and how many more done.
pub type Added = (CampaignId, String, NaiveDate, i64, i64);

/// Adds to counters; each of them is named once.
pub(super) fn add<E: Effect>(tx: &mut EffectTx<'_, E>, added: Vec<Added>) -> Result<()> {
    let tenant_id = tx.tenant();
    let rows: Vec<Row> = added
        .into_iter()
        .map(|(campaign_id, unit_path, due_on, total, done)| Row {
            tenant_id,
            campaign_id,
            unit_path,
            due_on,
            total,
            done,
        })
        .collect();
    macro_rules! upsert {
        ($values:expr) => {
            diesel::insert_into(progress_counters::table)
                .values($values)
                .on_conflict((
                    progress_counters::tenant_id,
                    progress_counters::campaign_id,
                    progress_counters::unit_path,
                    progress_counters::due_on,
                ))
                .do_update()
                .set((
                    progress_counters::total
                        .eq(progress_counters::total + excluded(progress_counters::total)),
                    progress_counters::done.eq(progress_counters::done + excluded(progress_counters::done)),
                ))
        };
    }
    match tx.conn() {
        Conn::Sqlite(c) => {
            for row in &rows {
                upsert!(row).execute(c)?;
            }
        }
        Conn::Postgres(c) => {
            for some in rows.chunks(BATCH) {
                upsert!(some).execute(c)?;
            }
        }
    }
    Ok(())
}

/// The counters of one unit, in every campaign.
pub(super) fn at<E: Effect>(tx: &mut EffectTx<'_, E>, path: &str) -> Result<Vec<(CampaignId, Counted)>> {
    let tenant = tx.tenant();
    let rows: Vec<(CampaignId, NaiveDate, i64, i64)> = with_conn!(tx.conn(), c => progress_counters::table
        .filter(progress_counters::tenant_id.eq(tenant))
        .filter(progress_counters::unit_path.eq(path))
        .select((
            progress_counters::campaign_id,
            progress_counters::due_on,
            progress_counters::total,
            progress_counters::done,
        ))
        .load(c))?;
    let counted = |(campaign, due_on, total, done)| (campaign, Counted { due_on, total, done });
    Ok(rows.into_iter().map(counted).collect())
}

/// Moves every path below `from`.
pub(super) fn follow<E: Effect>(tx: &mut EffectTx<'_, E>, from: &str, to: &str) -> Result<()> {
    let tenant = tx.tenant();
    follow_path!(tx.conn(), progress_counters, unit_path, tenant, from, to);
    Ok(())
}

type SumColumns = (String, i64, i64, i64, i64);

/// What the counters of a campaign come to at these units on a day. The database sums: there is a counter a
/// unit and deadline, and one row a unit is all that is wanted.
pub(super) fn sums<A: Action>(
    tx: &mut Tx<'_, A>,
    campaign: CampaignId,
    paths: &[String],
    on: NaiveDate,
) -> Result<HashMap<String, Sums>> {
    let tenant = tx.tenant();
    let mut found: HashMap<String, Sums> = HashMap::new();
    for some in paths.chunks(500) {
        let rows: Vec<SumColumns> = with_conn!(tx.conn(), c => progress_counters::table
            .filter(progress_counters::tenant_id.eq(tenant))
            .filter(progress_counters::campaign_id.eq(campaign))
            .filter(progress_counters::unit_path.eq_any(some.to_vec()))
            .group_by(progress_counters::unit_path)
            .select((
                progress_counters::unit_path,
                sql::<BigInt>("CAST(sum(total) AS BIGINT)"),
                sql::<BigInt>("CAST(sum(done) AS BIGINT)"),
                sql::<BigInt>("CAST(sum(CASE WHEN due_on <= ").bind::<Date, _>(on)
                    .sql(" THEN total - done ELSE 0 END) AS BIGINT)"),
                sql::<BigInt>("CAST(sum(CASE WHEN due_on < ").bind::<Date, _>(on)
                    .sql(" THEN total - done ELSE 0 END) AS BIGINT)"),
            ))
            .load(c))?;
        found.extend(
            rows.into_iter().map(|(path, total, done, due_open, overdue)| {
                (path, Sums { total, done, due_open, overdue })
            }),
        );
    }
    Ok(found)
}
