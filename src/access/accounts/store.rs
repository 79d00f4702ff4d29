//! Rows of accounts and of the directory of logins.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;

use super::rules::{User, UserStatus};
use crate::access::policy::Action;
use crate::access::{JobId, PathRange, Reach, Tx, UserId, within_reach};
use crate::db::schema::{login_directory, user_officers, users};
use crate::db::{Instant, TenantId, contains_pattern, fold, lock_row, text_enum, with_conn};
use crate::errors::Result;
use crate::jobs::in_force;
use crate::org::officers::rules::OfficerId;
use crate::org::rules::UnitId;
use crate::web::{Cursor, Page, Paging};

#[derive(Debug, Queryable, Selectable)]
#[diesel(table_name = users)]
struct UserRow {
    id: UserId,
    login: String,
    display_name: String,
    unit_id: Option<UnitId>,
    unit_path: String,
    status: UserStatus,
    must_change_password: bool,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
}

impl From<(UserRow, Option<OfficerId>)> for User {
    fn from((row, officer_id): (UserRow, Option<OfficerId>)) -> Self {
        let UserRow {
            id,
            login,
            display_name,
            unit_id,
            unit_path,
            status,
            must_change_password,
            version,
            created_at,
            updated_at,
        } = row;
        Self {
            id,
            login,
            display_name,
            unit_id,
            unit_path,
            officer_id,
            status,
            must_change_password,
            version,
            created_at,
            updated_at,
        }
    }
}

#[derive(Insertable)]
#[diesel(table_name = users)]
struct NewUser<'a> {
    tenant_id: TenantId,
    id: UserId,
    login: &'a str,
    display_name: &'a str,
    search_text: String,
    unit_id: Option<UnitId>,
    unit_path: &'a str,
    status: UserStatus,
    password_hash: &'a str,
    must_change_password: bool,
    authz_version: i64,
    version: i64,
    created_at: Instant,
    updated_at: Instant,
    batch_id: Option<JobId>,
}

fn search_text(user: &User) -> String {
    fold(&format!("{} {}", user.login, user.display_name))
}

text_enum! {
    /// By what accounts are sorted; ties by login.
    UserSort as "user_sort" {
        Login = "login", "登录名", "Login", grey;
        LoginDown = "-login", "登录名逆序", "Login, descending", grey;
        DisplayName = "display_name", "姓名", "Display name", grey;
        DisplayNameDown = "-display_name", "姓名逆序", "Display name, descending", grey;
    }
}

/// What a list of accounts is narrowed to.
#[derive(Debug, Clone, Default)]
pub struct UserFilter {
    /// With these statuses; empty for all.
    pub statuses: Vec<UserStatus>,
    /// Only those of these units.
    pub below: Option<PathRange>,
    /// Whose login or name holds this, case folded.
    pub search: Option<String>,
}

/// The one place where the table is named for reading: tenant and reach, and in force.
macro_rules! visible {
    ($tenant:expr, $reach:expr) => {
        in_force!(
            within_reach!(
                users::table.left_join(user_officers::table.on(
                    user_officers::tenant_id.eq(users::tenant_id).and(user_officers::user_id.eq(users::id))
                ),),
                $reach,
                users::unit_path
            )
            .filter(users::tenant_id.eq($tenant)),
            $tenant,
            users::batch_id
        )
    };
}

macro_rules! filtered {
    ($tenant:expr, $reach:expr, $filter:expr) => {{
        let mut query = visible!($tenant, $reach);
        if !$filter.statuses.is_empty() {
            query = query.filter(users::status.eq_any($filter.statuses.clone()));
        }
        if let Some(range) = $filter.below.clone() {
            query = query.filter(users::unit_path.ge(range.low)).filter(users::unit_path.lt(range.high));
        }
        if let Some(search) = &$filter.search {
            query = query.filter(users::search_text.like(contains_pattern(search)).escape('\\'));
        }
        query
    }};
}

pub(super) fn list<A: Action>(
    tx: &mut Tx<'_, A>,
    filter: &UserFilter,
    sort: UserSort,
    paging: &Paging,
) -> Result<Page<User>> {
    let (tenant, reach) = (tx.tenant(), tx.reach().clone());
    let by_login = matches!(sort, UserSort::Login | UserSort::LoginDown);
    let place: fn(&User) -> Cursor = if by_login {
        |user| vec![user.login.clone()]
    } else {
        // Names need not be unique: the login decides between equals.
        |user| vec![user.display_name.clone(), user.login.clone()]
    };
    let after = paging.after(if by_login { 1 } else { 2 })?.unwrap_or_default();
    let first = after.first().cloned();
    let second = after.get(1).cloned().unwrap_or_default();
    let total: Option<i64> = if paging.counts() {
        Some(with_conn!(tx.conn(), c => filtered!(tenant, reach, filter).count().get_result(c))?)
    } else {
        None
    };
    let rows: Vec<(UserRow, Option<OfficerId>)> = with_conn!(tx.conn(), c => {
        let query = filtered!(tenant, reach, filter).select((UserRow::as_select(), user_officers::officer_id.nullable())).limit(paging.fetch());
        match (sort, first) {
            (UserSort::Login, None) => query.order(users::login.asc()).load(c),
            (UserSort::Login, Some(at)) => query.filter(users::login.gt(at)).order(users::login.asc()).load(c),
            (UserSort::LoginDown, None) => query.order(users::login.desc()).load(c),
            (UserSort::LoginDown, Some(at)) => query.filter(users::login.lt(at)).order(users::login.desc()).load(c),
            (UserSort::DisplayName, None) => query.order((users::display_name.asc(), users::login.asc())).load(c),
            (UserSort::DisplayName, Some(at)) => query
                .filter(users::display_name.gt(at.clone()).or(users::display_name.eq(at).and(users::login.gt(second))))
                .order((users::display_name.asc(), users::login.asc()))
                .load(c),
            (UserSort::DisplayNameDown, None) => query.order((users::display_name.desc(), users::login.desc())).load(c),
            (UserSort::DisplayNameDown, Some(at)) => query
                .filter(users::display_name.lt(at.clone()).or(users::display_name.eq(at).and(users::login.lt(second))))
                .order((users::display_name.desc(), users::login.desc()))
                .load(c),
        }
    })?;
    Ok(paging.page(rows.into_iter().map(User::from).collect(), total, place))
}

/// The account, if it lies within `reach`.
pub(super) fn find<A: Action>(tx: &mut Tx<'_, A>, reach: &Reach, id: UserId) -> Result<Option<User>> {
    let tenant = tx.tenant();
    let row: Option<(UserRow, Option<OfficerId>)> = with_conn!(tx.conn(), c => visible!(tenant, reach)
        .filter(users::id.eq(id))
        .select((UserRow::as_select(), user_officers::officer_id.nullable()))
        .first(c)
        .optional())?;
    Ok(row.map(User::from))
}

/// Holds the row until the transaction ends, so that what is read of it next stays true. SQLite has
/// one writer and needs nothing.
pub(super) fn lock<A: Action>(tx: &mut Tx<'_, A>, id: UserId) -> Result<()> {
    let tenant = tx.tenant();
    lock_row!(tx.conn(), users::table.find((tenant, id)).select(users::id));
    Ok(())
}

/// How an account was entered, or why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    /// It is there.
    Done,
    /// Somebody has the login, in this tenant or another.
    LoginTaken,
    /// An account of this tenant has the id.
    IdTaken,
}

/// Enters an account. Of two at the same time with one login or one id, the first has it.
/// One with a batch is seen by nobody while that is open.
pub(super) fn insert<A: Action>(
    tx: &mut Tx<'_, A>,
    user: &User,
    password_hash: &str,
    batch: Option<JobId>,
) -> Result<Entry> {
    let tenant_id = tx.tenant();
    let row = NewUser {
        tenant_id,
        id: user.id,
        login: &user.login,
        display_name: &user.display_name,
        search_text: search_text(user),
        unit_id: user.unit_id,
        unit_path: &user.unit_path,
        status: user.status,
        password_hash,
        must_change_password: user.must_change_password,
        authz_version: 1,
        version: user.version,
        created_at: user.created_at,
        updated_at: user.updated_at,
        batch_id: batch,
    };
    let place = (
        login_directory::login.eq(&user.login),
        login_directory::tenant_id.eq(tenant_id),
        login_directory::user_id.eq(user.id),
    );
    // A conflict that raised an error would leave PostgreSQL's transaction unusable.
    let entered = with_conn!(tx.conn(), c => diesel::insert_into(login_directory::table)
        .values(place)
        .on_conflict_do_nothing()
        .execute(c))?;
    if entered == 0 {
        return Ok(Entry::LoginTaken);
    }
    let entered = with_conn!(tx.conn(), c => diesel::insert_into(users::table)
        .values(&row)
        .on_conflict_do_nothing()
        .execute(c))?;
    if entered == 0 {
        return Ok(Entry::IdTaken);
    }
    if let Some(officer) = user.officer_id {
        link(tx, user.id, officer)?;
    }
    Ok(Entry::Done)
}

fn link<A: Action>(tx: &mut Tx<'_, A>, user: UserId, officer: OfficerId) -> Result<()> {
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::insert_into(user_officers::table)
        .values((
            user_officers::tenant_id.eq(tenant),
            user_officers::user_id.eq(user),
            user_officers::officer_id.eq(officer),
        ))
        .execute(c))?;
    Ok(())
}

/// Makes an account another officer's, or nobody's.
pub(super) fn relink<A: Action>(tx: &mut Tx<'_, A>, user: UserId, officer: Option<OfficerId>) -> Result<()> {
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::delete(user_officers::table.find((tenant, user))).execute(c))?;
    officer.map_or(Ok(()), |officer| link(tx, user, officer))
}

/// The account of an officer, if there is one.
pub(super) fn of_officer<A: Action>(tx: &mut Tx<'_, A>, officer: OfficerId) -> Result<Option<UserId>> {
    let tenant = tx.tenant();
    Ok(with_conn!(tx.conn(), c => user_officers::table
        .filter(user_officers::tenant_id.eq(tenant))
        .filter(user_officers::officer_id.eq(officer))
        .select(user_officers::user_id)
        .first(c)
        .optional())?)
}

/// Whether a change ends what is remembered of the account's rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rights {
    /// They stay.
    Kept,
    /// They, or whether it may sign in at all, are others now.
    Changed,
}

/// Saves a locked account as it is now, its version one up, with a new password if there is one.
pub(super) fn save<A: Action>(
    tx: &mut Tx<'_, A>,
    user: &mut User,
    rights: Rights,
    password_hash: Option<&str>,
) -> Result<()> {
    let tenant = tx.tenant();
    user.version += 1;
    user.updated_at = tx.now();
    let more = i64::from(rights == Rights::Changed);
    with_conn!(tx.conn(), c => diesel::update(users::table.find((tenant, user.id)))
        .set((
            users::display_name.eq(&user.display_name),
            users::search_text.eq(search_text(user)),
            users::unit_id.eq(user.unit_id),
            users::unit_path.eq(&user.unit_path),
            users::status.eq(user.status),
            // Without a new password the column stays as it is.
            password_hash.map(|hash| users::password_hash.eq(hash)),
            users::must_change_password.eq(user.must_change_password),
            users::updated_at.eq(user.updated_at),
            users::version.eq(users::version + 1),
            users::authz_version.eq(users::authz_version + more),
        ))
        .execute(c))?;
    Ok(())
}

/// Makes every instance load the account's role bindings anew with its next request.
pub(super) fn forget_rights<A: Action>(tx: &mut Tx<'_, A>, id: UserId) -> Result<()> {
    let tenant = tx.tenant();
    with_conn!(tx.conn(), c => diesel::update(users::table.find((tenant, id)))
        .set(users::authz_version.eq(users::authz_version + 1))
        .execute(c))?;
    Ok(())
}

/// Those of the tenant's accounts that have these logins, whatever the reach.
pub(super) fn by_logins<A: Action>(tx: &mut Tx<'_, A>, logins: &[&str]) -> Result<HashMap<String, User>> {
    let (tenant, reach) = (tx.tenant(), Reach::whole_tenant());
    let mut found = HashMap::with_capacity(logins.len());
    for some in logins.chunks(500) {
        let some: Vec<String> = some.iter().map(ToString::to_string).collect();
        let rows: Vec<(UserRow, Option<OfficerId>)> = with_conn!(tx.conn(), c => visible!(tenant, reach)
            .filter(users::login.eq_any(some))
            .select((UserRow::as_select(), user_officers::officer_id.nullable()))
            .load(c))?;
        found.extend(rows.into_iter().map(User::from).map(|user| (user.login.clone(), user)));
    }
    Ok(found)
}

/// Which of these logins are taken, in this tenant or another.
pub(super) fn taken_logins<A: Action>(tx: &mut Tx<'_, A>, logins: &[&str]) -> Result<HashSet<String>> {
    let mut found = HashSet::new();
    for some in logins.chunks(500) {
        let some: Vec<String> = some.iter().map(ToString::to_string).collect();
        let taken: Vec<String> = with_conn!(tx.conn(), c => login_directory::table
            .filter(login_directory::login.eq_any(some))
            .select(login_directory::login)
            .load(c))?;
        found.extend(taken);
    }
    Ok(found)
}

/// Whose accounts these officers have.
pub(super) fn owners<A: Action>(
    tx: &mut Tx<'_, A>,
    officers: &[OfficerId],
) -> Result<HashMap<OfficerId, UserId>> {
    let tenant = tx.tenant();
    let mut found = HashMap::new();
    for some in officers.chunks(500) {
        let rows: Vec<(OfficerId, UserId)> = with_conn!(tx.conn(), c => user_officers::table
            .filter(user_officers::tenant_id.eq(tenant))
            .filter(user_officers::officer_id.eq_any(some.to_vec()))
            .select((user_officers::officer_id, user_officers::user_id))
            .load(c))?;
        found.extend(rows);
    }
    Ok(found)
}
