//! Rows of authors: whoever created, edited or submitted a version does not decide on it.

use diesel::prelude::*;

use crate::access::policy::Action;
use crate::access::{Tx, UserId};
use crate::campaigns::rules::PlanId;
use crate::db::schema::plan_authors;
use crate::db::with_conn;
use crate::errors::Result;

/// Makes the account an author of a version of the plan.
pub(super) fn add_author<A: Action>(tx: &mut Tx<'_, A>, id: PlanId, number: i32, user: UserId) -> Result<()> {
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::insert_into(plan_authors::table)
        .values((
            plan_authors::tenant_id.eq(tenant),
            plan_authors::plan_id.eq(id),
            plan_authors::number.eq(number),
            plan_authors::user_id.eq(user),
        ))
        .on_conflict_do_nothing()
        .execute(c))?;
    Ok(())
}

/// Which versions of the plans the account is an author of.
pub(super) fn authored<A: Action>(
    tx: &mut Tx<'_, A>,
    ids: &[PlanId],
    user: UserId,
) -> Result<Vec<(PlanId, i32)>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => plan_authors::table
        .filter(plan_authors::tenant_id.eq(tenant))
        .filter(plan_authors::user_id.eq(user))
        .filter(plan_authors::plan_id.eq_any(ids.to_vec()))
        .select((plan_authors::plan_id, plan_authors::number))
        .load(c))?)
}

/// The authors of a version of a plan.
pub(super) fn authors<A: Action>(tx: &mut Tx<'_, A>, id: PlanId, number: i32) -> Result<Vec<UserId>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => plan_authors::table
        .filter(plan_authors::tenant_id.eq(tenant))
        .filter(plan_authors::plan_id.eq(id))
        .filter(plan_authors::number.eq(number))
        .select(plan_authors::user_id)
        .load(c))?)
}
