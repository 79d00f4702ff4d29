//! Rows of what provinces have changed in their calendars.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::rules::{CalendarChangeKind, DayMark};
use crate::access::Tx;
use crate::access::policy::Action;
use crate::db::schema::calendar_changes;
use crate::db::{Instant, with_conn};
use crate::errors::Result;

/// What has been said of a day, and how often.
#[derive(Debug, Clone)]
pub struct DayChange {
    /// The day.
    pub day: NaiveDate,
    /// What it is now; none when it has been put back to the base.
    pub mark: Option<DayMark>,
    /// Counts up with each change; a day nobody has changed is at 1 and has no row.
    pub version: i64,
    /// When it was last changed.
    pub updated_at: Instant,
}

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = calendar_changes)]
struct ChangeRow {
    day: NaiveDate,
    kind: Option<CalendarChangeKind>,
    name: Option<String>,
    version: i64,
    updated_at: Instant,
}

impl From<ChangeRow> for DayChange {
    fn from(row: ChangeRow) -> Self {
        let ChangeRow { day, kind, name, version, updated_at } = row;
        let mark = kind.zip(name).map(|(kind, name)| DayMark { kind, name });
        Self { day, mark, version, updated_at }
    }
}

/// The one place where the table is named for reading: tenant. The calendar is the whole province's.
macro_rules! visible {
    ($tenant:expr) => {
        calendar_changes::table.filter(calendar_changes::tenant_id.eq($tenant))
    };
}

/// The changes from a day on.
pub(super) fn since<A: Action>(tx: &mut Tx<'_, A>, day: NaiveDate) -> Result<Vec<DayChange>> {
    let tenant = tx.tenant();
    let rows: Vec<ChangeRow> = with_conn!(tx.conn(), c => visible!(tenant)
        .filter(calendar_changes::day.ge(day))
        .select(ChangeRow::as_select())
        .load(c))?;
    Ok(rows.into_iter().map(DayChange::from).collect())
}

/// The changes between two days, both inside.
pub(super) fn between<A: Action>(
    tx: &mut Tx<'_, A>,
    from: NaiveDate,
    to: NaiveDate,
) -> Result<Vec<DayChange>> {
    let tenant = tx.tenant();
    let rows: Vec<ChangeRow> = with_conn!(tx.conn(), c => visible!(tenant)
        .filter(calendar_changes::day.ge(from))
        .filter(calendar_changes::day.le(to))
        .select(ChangeRow::as_select())
        .load(c))?;
    Ok(rows.into_iter().map(DayChange::from).collect())
}

/// Sets what a day is, or with no mark puts it back to the base. `version` is the new one, from 2
/// on; with 2 comes the row.
pub(super) fn save<A: Action>(
    tx: &mut Tx<'_, A>,
    day: NaiveDate,
    mark: Option<&DayMark>,
    version: i64,
) -> Result<()> {
    let (tenant, now, user) = (tx.tenant(), tx.now(), tx.user()?);
    let kind = mark.map(|mark| mark.kind);
    let name = mark.map(|mark| mark.name.as_str());
    if version == 2 {
        with_conn!(tx.conn(), c => diesel::insert_into(calendar_changes::table)
            .values((
                calendar_changes::tenant_id.eq(tenant),
                calendar_changes::day.eq(day),
                calendar_changes::kind.eq(kind),
                calendar_changes::name.eq(name),
                calendar_changes::version.eq(version),
                calendar_changes::created_by.eq(user),
                calendar_changes::created_at.eq(now),
                calendar_changes::updated_by.eq(user),
                calendar_changes::updated_at.eq(now),
            ))
            .execute(c))?;
    } else {
        with_conn!(tx.conn(), c => diesel::update(calendar_changes::table.find((tenant, day)))
            .set((
                calendar_changes::kind.eq(kind),
                calendar_changes::name.eq(name),
                calendar_changes::version.eq(version),
                calendar_changes::updated_by.eq(user),
                calendar_changes::updated_at.eq(now),
            ))
            .execute(c))?;
    }
    Ok(())
}
