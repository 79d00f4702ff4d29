//! Use cases on accounts.

pub use super::bindings::service::bind;
pub use super::picture::Shown;
use super::picture::{show, show_all};
use super::rules::{SessionEndReason, User, UserDraft, UserStatus, check_names};
use super::session_store;
use super::store::{self, Entry, Rights};
pub use super::store::{UserFilter, UserSort};
use crate::access::policy::{
    Action, CommandLine, UserCreate, UserDisable, UserEnable, UserRead, UserResetPassword, UserUpdate,
};
use crate::access::{Reach, Tx, UserId};
use crate::db::{Id, TenantId};
use crate::errors::{AppError, Code, FieldError, Result, text, unknown};
use crate::org::officers::rules::{OfficerId, OfficerStatus};
use crate::org::officers::service as officers;
use crate::org::rules::{Unit, UnitId};
use crate::org::service as units;
use crate::web::{Page, Paging};

/// An account to enter, as a request describes it.
#[derive(Debug)]
pub struct Registration {
    /// The id the client chose.
    pub id: Option<UserId>,
    /// What is typed to sign in.
    pub login: String,
    /// What can be edited later.
    pub draft: UserDraft,
}

/// Accounts within reach.
///
/// # Errors
/// `invalid_cursor`.
pub fn users(
    tx: &mut Tx<'_, UserRead>,
    filter: &UserFilter,
    sort: UserSort,
    paging: &Paging,
) -> Result<Page<Shown>> {
    let Page { items, next_cursor, total } = store::list(tx, filter, sort, paging)?;
    Ok(Page { items: show_all(tx, items)?, next_cursor, total })
}

/// One account within reach.
///
/// # Errors
/// `not_found`.
pub fn user(tx: &mut Tx<'_, UserRead>, id: UserId) -> Result<Shown> {
    let user = within(tx, id)?;
    show(tx, user)
}

/// An account within the reach of this action.
///
/// # Errors
/// `not_found`.
pub(in crate::access) fn within<A: Action>(tx: &mut Tx<'_, A>, id: UserId) -> Result<User> {
    let reach = tx.reach().clone();
    store::find(tx, &reach, id)?.ok_or_else(|| AppError::new(Code::NotFound))
}

/// An account within the reach of this action, which nobody else changes until the end.
///
/// # Errors
/// `not_found`.
pub(in crate::access) fn locked<A: Action>(tx: &mut Tx<'_, A>, id: UserId) -> Result<User> {
    store::lock(tx, id)?;
    within(tx, id)
}

/// The unit that an account or a binding is put at: one that this action reaches; none in the
/// platform's tenant, which has no tree.
///
/// # Errors
/// `invalid_body` at `/unit_id`.
pub(in crate::access) fn placed<A: Action>(tx: &mut Tx<'_, A>, id: Option<UnitId>) -> Result<Option<Unit>> {
    let unit = id.map(|id| units::placed(tx, id)).transpose()?;
    check_place(tx.tenant(), unit.as_ref())?;
    Ok(unit)
}

/// Everything has a unit except in the platform's tenant, which has none.
pub(super) fn check_place(tenant: TenantId, unit: Option<&Unit>) -> Result<()> {
    match (tenant == TenantId::PLATFORM, unit) {
        (true, Some(_)) => Err(unknown_unit()),
        (false, None) => {
            let error =
                FieldError::body("/unit_id", Code::Required, text!("必须填写单位", "A unit is required"));
            Err(AppError::fields(Code::InvalidBody, vec![error]))
        }
        _ => Ok(()),
    }
}

fn unknown_unit() -> AppError {
    AppError::fields(Code::InvalidBody, vec![unknown("/unit_id")])
}

/// An account may be made that of an officer whom the caller can read, who serves, and who has none.
fn check_officer<A: Action>(tx: &mut Tx<'_, A>, user: Option<UserId>, id: Option<OfficerId>) -> Result<()> {
    let Some(id) = id else { return Ok(()) };
    // Two accounts for one officer at once, or one beside the officer's leaving: the second waits.
    officers::lock(tx, id)?;
    let Some(officer) = officers::readable(tx, id)? else {
        return Err(AppError::fields(Code::InvalidBody, vec![unknown("/officer_id")]));
    };
    if officer.status == OfficerStatus::Left {
        return Err(AppError::new(Code::OfficerLeft));
    }
    match store::of_officer(tx, id)? {
        Some(other) if user != Some(other) => Err(AppError::new(Code::OfficerHasAccount)),
        _ => Ok(()),
    }
}

/// Enters an account whose first password must be changed; whether it was here already.
///
/// # Errors
/// `id_taken`, `login_taken`, `invalid_body` at `/unit_id`.
pub fn create(tx: &mut Tx<'_, UserCreate>, new: &Registration, password_hash: &str) -> Result<(Shown, bool)> {
    if let Some(there) = repeated(tx, new)? {
        return Ok((there, true));
    }
    // Nothing is here yet: an If-Match that names a version of it is stale.
    tx.check_version(0)?;
    let unit = placed(tx, new.draft.unit_id)?;
    check_officer(tx, None, new.draft.officer_id)?;
    let id = new.id.unwrap_or_else(Id::generate);
    let user = User::new(id, new.login.clone(), new.draft.clone(), unit.as_ref(), tx.now());
    match store::insert(tx, &user, password_hash, None)? {
        Entry::Done => {}
        Entry::IdTaken => return Err(AppError::new(Code::IdTaken)),
        // Either somebody else has it, or the same request has just overtaken this one.
        Entry::LoginTaken => match repeated(tx, new)? {
            Some(there) => return Ok((there, true)),
            None => return Err(AppError::new(Code::LoginTaken)),
        },
    }
    record(tx, None, &user)?;
    Ok((show(tx, user)?, false))
}

/// The account this request has made before.
fn repeated(tx: &mut Tx<'_, UserCreate>, new: &Registration) -> Result<Option<Shown>> {
    let Some(id) = new.id else { return Ok(None) };
    let Some(there) = store::find(tx, &Reach::whole_tenant(), id)? else { return Ok(None) };
    let same = there.login == new.login && there.draft() == new.draft;
    if !same || !tx.reach().contains(&there.unit_path) {
        return Err(AppError::new(Code::IdTaken));
    }
    tx.check_version(there.version)?;
    tx.nothing_changed();
    show(tx, there).map(Some)
}

/// Changes name and unit as `merge` says.
///
/// # Errors
/// `not_found`, `precondition_failed`, `invalid_body`; where the officer changes: `change_own_account`,
/// `account_out_of_hands`, `officer_left`, `officer_has_account`.
pub fn update(
    tx: &mut Tx<'_, UserUpdate>,
    id: UserId,
    merge: impl FnOnce(&UserDraft) -> Result<UserDraft>,
) -> Result<Shown> {
    let before = locked(tx, id)?;
    tx.check_version(before.version)?;
    let draft = merge(&before.draft())?;
    if draft == before.draft() {
        tx.nothing_changed();
        return show(tx, before);
    }
    let unit = placed(tx, draft.unit_id)?;
    let mut user = before.clone();
    user.display_name = draft.display_name;
    user.unit_id = unit.as_ref().map(|unit| unit.id);
    user.unit_path = unit.map(|unit| unit.path).unwrap_or_default();
    if draft.officer_id != before.officer_id {
        // Whose account it is decides whom an officer's leaving shuts out.
        refuse_own(tx, id)?;
        refuse_stronger(tx, &[id])?;
        check_officer(tx, Some(id), draft.officer_id)?;
        user.officer_id = draft.officer_id;
        store::relink(tx, id, draft.officer_id)?;
    }
    store::save(tx, &mut user, Rights::Kept, None)?;
    record(tx, Some(&before), &user)?;
    show(tx, user)
}

/// Keeps an account from signing in, and ends its sessions.
///
/// # Errors
/// `not_found`, `precondition_failed`, `user_disabled`, `change_own_account`, `account_out_of_hands`.
pub fn disable(tx: &mut Tx<'_, UserDisable>, id: UserId) -> Result<Shown> {
    let before = locked(tx, id)?;
    tx.check_version(before.version)?;
    if before.status == UserStatus::Disabled {
        return Err(AppError::new(Code::UserDisabled));
    }
    refuse_own(tx, id)?;
    refuse_stronger(tx, &[id])?;
    let mut user = before.clone();
    user.status = UserStatus::Disabled;
    store::save(tx, &mut user, Rights::Changed, None)?;
    tx.effect(|tx| session_store::end_all(tx, id, SessionEndReason::AccountDisabled, None))?;
    record(tx, Some(&before), &user)?;
    show(tx, user)
}

/// Lets a disabled account sign in again.
///
/// # Errors
/// `not_found`, `precondition_failed`, `user_active`, `officer_left`.
pub fn enable(tx: &mut Tx<'_, UserEnable>, id: UserId) -> Result<Shown> {
    let before = locked(tx, id)?;
    tx.check_version(before.version)?;
    if before.status == UserStatus::Active {
        return Err(AppError::new(Code::UserActive));
    }
    let officer: Vec<OfficerId> = before.officer_id.into_iter().collect();
    if officers::referred(tx, &officer)?.iter().any(|officer| officer.status == OfficerStatus::Left) {
        return Err(AppError::new(Code::OfficerLeft));
    }
    let mut user = before.clone();
    user.status = UserStatus::Active;
    store::save(tx, &mut user, Rights::Changed, None)?;
    record(tx, Some(&before), &user)?;
    show(tx, user)
}

/// The login of an account whose password the caller may reset: asked before the slow work.
///
/// # Errors
/// `not_found`, `change_own_account`, `account_out_of_hands`.
pub fn resettable(tx: &mut Tx<'_, UserResetPassword>, id: UserId) -> Result<String> {
    let user = within(tx, id)?;
    tx.check_version(user.version)?;
    refuse_own(tx, id)?;
    refuse_stronger(tx, &[id])?;
    Ok(user.login)
}

/// Gives an account a password that must be changed, and ends its sessions.
///
/// # Errors
/// `not_found`, `precondition_failed`, `change_own_account`, `account_out_of_hands`.
pub fn reset_password(tx: &mut Tx<'_, UserResetPassword>, id: UserId, password_hash: &str) -> Result<Shown> {
    let before = locked(tx, id)?;
    tx.check_version(before.version)?;
    refuse_own(tx, id)?;
    refuse_stronger(tx, &[id])?;
    let mut user = before.clone();
    user.must_change_password = true;
    store::save(tx, &mut user, Rights::Changed, Some(password_hash))?;
    tx.effect(|tx| session_store::end_all(tx, id, SessionEndReason::PasswordChanged, None))?;
    record(tx, Some(&before), &user)?;
    show(tx, user)
}

/// Nobody shuts the own account out, or changes whose it is.
///
/// # Errors
/// `change_own_account`.
pub fn refuse_own<A: Action>(tx: &Tx<'_, A>, id: UserId) -> Result<()> {
    if tx.user()? == id { Err(AppError::new(Code::ChangeOwnAccount)) } else { Ok(()) }
}

/// Who holds a separated role, or one beyond the reach, is not to be shut out or taken over from here.
///
/// # Errors
/// `account_out_of_hands` when one of them does.
pub fn refuse_stronger<A: Action>(tx: &mut Tx<'_, A>, ids: &[UserId]) -> Result<()> {
    if stronger(tx, ids)?.is_empty() { Ok(()) } else { Err(AppError::new(Code::AccountOutOfHands)) }
}

/// Those of the accounts that are not to be shut out or taken over within the reach of this action.
pub(super) fn stronger<A: Action>(tx: &mut Tx<'_, A>, ids: &[UserId]) -> Result<Vec<UserId>> {
    let reach = tx.reach().clone();
    super::bindings::service::out_of_hands(tx, ids, &reach)
}

pub(super) fn record<A: Action>(tx: &mut Tx<'_, A>, before: Option<&User>, after: &User) -> Result<()> {
    tx.record(&User::told(before, after).change("user"))
}

/// Makes the account's rights be read anew with its next request.
///
/// # Errors
/// When the database fails.
pub(in crate::access) fn forget_rights<A: Action>(tx: &mut Tx<'_, A>, id: UserId) -> Result<()> {
    store::forget_rights(tx, id)
}

/// An account that the command line or the demo enters.
#[derive(Debug, Clone, Copy)]
pub struct NewAccount<'a> {
    /// What is typed to sign in.
    pub login: &'a str,
    /// The name shown.
    pub display_name: &'a str,
    /// Its unit; none in the platform's tenant.
    pub unit: Option<&'a Unit>,
    /// The officer it belongs to, if it is one's.
    pub officer: Option<OfficerId>,
    /// The PHC string of its password.
    pub password_hash: &'a str,
    /// Whether that is a first password.
    pub must_change_password: bool,
}

/// Enters an account.
///
/// # Errors
/// `invalid_body` for a malformed login or name or a wrong place, `login_taken`.
pub fn enter_user(tx: &mut Tx<'_, CommandLine>, new: NewAccount<'_>) -> Result<UserId> {
    check_names(new.login, new.display_name)?;
    check_place(tx.tenant(), new.unit)?;
    let draft = UserDraft {
        display_name: new.display_name.to_owned(),
        unit_id: new.unit.map(|unit| unit.id),
        officer_id: new.officer,
    };
    let user = User {
        must_change_password: new.must_change_password,
        ..User::new(Id::generate(), new.login.to_owned(), draft, new.unit, tx.now())
    };
    match store::insert(tx, &user, new.password_hash, None)? {
        Entry::Done => {}
        Entry::LoginTaken | Entry::IdTaken => return Err(AppError::new(Code::LoginTaken)),
    }
    record(tx, None, &user)?;
    Ok(user.id)
}

/// The account of an officer, if there is one.
///
/// # Errors
/// When the database fails.
pub fn of_officer<A: Action>(tx: &mut Tx<'_, A>, officer: OfficerId) -> Result<Option<UserId>> {
    store::of_officer(tx, officer)
}
