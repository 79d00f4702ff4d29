//! Rows of settings: one a version, kept for ever; the newest counts.

use diesel::prelude::*;

use super::rules::Settings;
use crate::access::policy::Action;
use crate::access::{Tx, UserId};
use crate::db::schema::settings_versions;
use crate::db::{Id, Instant, with_conn};
use crate::errors::{AppError, Code, Result};
use crate::web::Paging;

/// Marks the identifier of a version of the settings.
#[derive(Debug)]
pub struct RevisionEntity;
/// The identifier of a version of the settings.
pub type RevisionId = Id<RevisionEntity>;

/// A version of the settings that somebody has made: from 2 on, for 1 are the defaults.
#[derive(Debug, Clone)]
pub struct Revision {
    /// Its identifier.
    pub id: RevisionId,
    /// Counts up with each change.
    pub version: i64,
    /// The settings from then on.
    pub values: Settings,
    /// Why they were changed.
    pub reason: String,
    /// Who changed them.
    pub changed_by: UserId,
    /// When.
    pub changed_at: Instant,
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = settings_versions)]
struct RevisionRow {
    version: i64,
    id: RevisionId,
    suppression_k: i32,
    recheck_percent: i32,
    cooling_off_months: i32,
    extensions_max: i32,
    objection_working_days: i32,
    transfers_max: i32,
    trimmed_mean: bool,
    quorum_above_percent: i32,
    station_budget_minutes: i32,
    receipt_bits: i32,
    reason: String,
    changed_by: UserId,
    changed_at: Instant,
}

impl From<RevisionRow> for Revision {
    fn from(row: RevisionRow) -> Self {
        Self {
            id: row.id,
            version: row.version,
            values: Settings {
                suppression_k: row.suppression_k,
                recheck_percent: row.recheck_percent,
                cooling_off_months: row.cooling_off_months,
                extensions_max: row.extensions_max,
                objection_working_days: row.objection_working_days,
                transfers_max: row.transfers_max,
                trimmed_mean: row.trimmed_mean,
                quorum_above_percent: row.quorum_above_percent,
                station_budget_minutes: row.station_budget_minutes,
                receipt_bits: row.receipt_bits,
            },
            reason: row.reason,
            changed_by: row.changed_by,
            changed_at: row.changed_at,
        }
    }
}

/// The one place where the table is named for reading: tenant. The settings are the whole province's.
macro_rules! visible {
    ($tenant:expr) => {
        settings_versions::table.filter(settings_versions::tenant_id.eq($tenant))
    };
}

/// The newest version; none where nobody has changed anything.
pub(super) fn newest<A: Action>(tx: &mut Tx<'_, A>) -> Result<Option<Revision>> {
    let tenant = tx.tenant();
    let row: Option<RevisionRow> = with_conn!(tx.conn(), c => visible!(tenant)
        .order(settings_versions::version.desc())
        .select(RevisionRow::as_select())
        .first(c)
        .optional())?;
    Ok(row.map(Revision::from))
}

/// The versions of a page, the newest first, and the one that tells whether there are more; with how
/// many there are in all, where that is asked.
pub(super) fn list<A: Action>(tx: &mut Tx<'_, A>, paging: &Paging) -> Result<(Vec<Revision>, Option<i64>)> {
    let tenant = tx.tenant();
    let after: i64 = match paging.after(1)?.as_deref().and_then(<[String]>::first) {
        Some(version) => version.parse().map_err(|_| AppError::new(Code::InvalidCursor))?,
        None => i64::MAX,
    };
    let total: Option<i64> = if paging.counts() {
        Some(with_conn!(tx.conn(), c => visible!(tenant).count().get_result(c))?)
    } else {
        None
    };
    let rows: Vec<RevisionRow> = with_conn!(tx.conn(), c => visible!(tenant)
        .filter(settings_versions::version.lt(after))
        .order(settings_versions::version.desc())
        .limit(paging.fetch())
        .select(RevisionRow::as_select())
        .load(c))?;
    Ok((rows.into_iter().map(Revision::from).collect(), total))
}

/// Enters a version.
pub(super) fn insert<A: Action>(tx: &mut Tx<'_, A>, revision: &Revision) -> Result<()> {
    let tenant = tx.tenant();
    let Revision { id, version, values, reason, changed_by, changed_at } = revision;
    with_conn!(tx.conn(), c => diesel::insert_into(settings_versions::table)
        .values((
            settings_versions::tenant_id.eq(tenant),
            settings_versions::version.eq(version),
            settings_versions::id.eq(id),
            settings_versions::suppression_k.eq(values.suppression_k),
            settings_versions::recheck_percent.eq(values.recheck_percent),
            settings_versions::cooling_off_months.eq(values.cooling_off_months),
            settings_versions::extensions_max.eq(values.extensions_max),
            settings_versions::objection_working_days.eq(values.objection_working_days),
            settings_versions::transfers_max.eq(values.transfers_max),
            settings_versions::trimmed_mean.eq(values.trimmed_mean),
            settings_versions::quorum_above_percent.eq(values.quorum_above_percent),
            settings_versions::station_budget_minutes.eq(values.station_budget_minutes),
            settings_versions::receipt_bits.eq(values.receipt_bits),
            settings_versions::reason.eq(reason),
            settings_versions::changed_by.eq(changed_by),
            settings_versions::changed_at.eq(changed_at),
        ))
        .execute(c))?;
    Ok(())
}
