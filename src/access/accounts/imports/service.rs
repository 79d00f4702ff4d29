//! The use case: a table of accounts, compared with those that are there and written.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use chrono::NaiveDate;

use super::rules::UserRow;
use crate::access::accounts::rules::{User, UserDraft, UserStatus};
use crate::access::accounts::service::{refuse_own, stronger};
use crate::access::accounts::store::{self, Entry, Rights};
use crate::access::policy::{OfficerRead, UserImport};
use crate::access::{JobId, Tx, UserId, password};
use crate::audit::hex;
use crate::errors::{AppError, Code, Result, text};
use crate::imports::{Counts, ImportRow, Line, Lines, Refusals, Way};
use crate::jobs::rules::JobKind;
use crate::org::imports::rules::unit_of_row;
use crate::org::officers::rules::{Officer, OfficerId, OfficerStatus};
use crate::org::officers::service as officers;
use crate::org::rules::Unit;
use crate::org::service as units;

/// What an import of accounts does.
#[derive(Debug, Default)]
pub struct UserChanges {
    new: Vec<User>,
    changed: Vec<(User, User)>,
    lines: Lines,
}

/// What is there already.
struct Ground {
    units: HashMap<String, Unit>,
    users: HashMap<String, User>,
    elsewhere: HashSet<String>,
    officers: HashMap<String, Officer>,
    owners: HashMap<OfficerId, UserId>,
}

impl Ground {
    fn of(tx: &mut Tx<'_, UserImport>, rows: &[Line<UserRow>]) -> Result<Self> {
        let codes: HashSet<&str> = rows.iter().map(|line| line.row.unit_code.as_str()).collect();
        let units = units::coded(tx, &codes.into_iter().collect::<Vec<_>>())?;
        let logins: Vec<&str> = rows.iter().map(|line| line.row.login.as_str()).collect();
        let users = store::by_logins(tx, &logins)?;
        let elsewhere = store::taken_logins(tx, &logins)?;
        let numbers: Vec<&str> = rows.iter().filter_map(|line| line.row.officer_number.as_deref()).collect();
        let officers = officers::numbered(tx, &numbers)?;
        let ids: Vec<OfficerId> = officers.values().map(|officer| officer.id).collect();
        let owners = store::owners(tx, &ids)?;
        Ok(Self { units, users, elsewhere, officers, owners })
    }

    /// The officer a row names, if the caller may name it and it can have this account.
    fn officer(
        &self,
        tx: &Tx<'_, UserImport>,
        line: &Line<UserRow>,
        user: Option<UserId>,
        refusals: &mut Refusals,
    ) -> Option<OfficerId> {
        let number = line.row.officer_number.as_ref()?;
        let readable = |officer: &&Officer| {
            tx.reach_of::<OfficerRead>().is_some_and(|reach| reach.contains(&officer.unit_path))
        };
        let Some(officer) = self.officers.get(number).filter(readable) else {
            let detail = text!(
                "没有这个警号, 或不在您的范围内",
                "There is no such number, or it is out of your reach"
            );
            refusals.tell(line.number, "officer_number", Code::UnknownReference, detail);
            return None;
        };
        if officer.status == OfficerStatus::Left {
            refusals.tell(line.number, "officer_number", Code::OfficerLeft, Code::OfficerLeft.title());
        }
        if self.owners.get(&officer.id).is_some_and(|owner| Some(*owner) != user) {
            let code = Code::OfficerHasAccount;
            refusals.tell(line.number, "officer_number", code, code.title());
        }
        Some(officer.id)
    }
}

impl ImportRow for UserRow {
    type Action = UserImport;
    type Changes = UserChanges;
    const KIND: JobKind = JobKind::UserImport;
    // Whatever anybody does refers to an account: one that was entered is not easily taken back.
    const WAY: Way = Way::AtTheEnd;
    const MOST: i64 = 1_000_000;
    const UNIQUE: &'static [&'static str] = &["officer_number"];
    const SHEET: [&'static str; 2] = ["users", "账号"];
    const KEY: &'static str = "login";
    const OPTIONAL: &'static [&'static str] = &["officer_number"];

    fn check(_line: &Line<Self>, _today: NaiveDate, _refusals: &mut Refusals) {}

    fn plan(
        tx: &mut Tx<'_, UserImport>,
        rows: &[Line<Self>],
        _batch: JobId,
        refusals: &mut Refusals,
    ) -> Result<(Counts, UserChanges)> {
        let mut ground = Ground::of(tx, rows)?;
        let (mut changes, mut unchanged) = (UserChanges::default(), 0);
        let mut relinked = Vec::new();
        for line in rows {
            let (row, number) = (&line.row, line.number);
            let unit = ground.units.get(&row.unit_code);
            let Some(unit) = unit_of_row(unit, tx.reach(), number, refusals).cloned() else { continue };
            let there = ground.users.remove(&row.login);
            let officer_id = match &there {
                Some(user) if !line.gives("officer_number") => user.officer_id,
                _ => ground.officer(tx, line, there.as_ref().map(|user| user.id), refusals),
            };
            let Some(before) = there else {
                if ground.elsewhere.contains(&row.login) {
                    refusals.tell(number, "login", Code::LoginTaken, Code::LoginTaken.title());
                }
                let draft =
                    UserDraft { display_name: row.display_name.clone(), unit_id: Some(unit.id), officer_id };
                let user = User::new(UserId::generate(), row.login.clone(), draft, Some(&unit), tx.now());
                changes.new.push(user);
                changes.lines.new.push(number);
                continue;
            };
            if !tx.reach().contains(&before.unit_path) {
                refusals.tell(number, "login", Code::LoginTaken, Code::LoginTaken.title());
                continue;
            }
            if before.status == UserStatus::Disabled {
                refusals.tell(number, "login", Code::UserDisabled, Code::UserDisabled.title());
            }
            let after = User {
                display_name: row.display_name.clone(),
                unit_id: Some(unit.id),
                unit_path: unit.path,
                officer_id,
                ..before.clone()
            };
            if after.officer_id != before.officer_id {
                relinked.push((number, before.id));
            }
            if after == before {
                unchanged += 1;
            } else {
                changes.changed.push((before, after));
                changes.lines.changed.push(number);
            }
        }
        refuse_relinked(tx, &relinked, refusals)?;
        let counts = Counts { new: changes.new.len(), changed: changes.changed.len(), unchanged };
        Ok((counts, changes))
    }

    fn lines(changes: &UserChanges) -> Lines {
        changes.lines.clone()
    }

    fn write(tx: &mut Tx<'_, UserImport>, changes: UserChanges) -> Result<()> {
        put(tx, changes, None)
    }

    fn enter(tx: &mut Tx<'_, UserImport>, changes: UserChanges, batch: JobId) -> Result<()> {
        put(tx, changes, Some(batch))
    }
}

/// Writes what is new, seen by nobody while its batch is open, and what is changed.
fn put(tx: &mut Tx<'_, UserImport>, mut changes: UserChanges, batch: Option<JobId>) -> Result<()> {
    let hash = unknown_password()?;
    for user in &changes.new {
        match store::insert(tx, user, &hash, batch)? {
            Entry::Done => {}
            // Somebody has taken the login since the rows were compared.
            Entry::LoginTaken | Entry::IdTaken => return Err(AppError::new(Code::ConcurrentChange)),
        }
    }
    tx.record_many("user", changes.new.iter().map(|user| User::told(None, user)))?;
    for (before, after) in &mut changes.changed {
        if before.officer_id != after.officer_id {
            store::relink(tx, after.id, after.officer_id)?;
        }
        store::save(tx, after, Rights::Kept, None)?;
    }
    tx.record_many("user", changes.changed.iter().map(|(before, after)| User::told(Some(before), after)))
}

/// Whose account it is decides whom an officer's leaving shuts out: not for one's own, nor for those that
/// are not to be shut out from here.
fn refuse_relinked(
    tx: &mut Tx<'_, UserImport>,
    relinked: &[(u32, UserId)],
    refusals: &mut Refusals,
) -> Result<()> {
    let ids: Vec<UserId> = relinked.iter().map(|(_, id)| *id).collect();
    let strong = stronger(tx, &ids)?;
    for (number, id) in relinked {
        let code = match refuse_own(tx, *id) {
            Err(error) => error.code(),
            Ok(()) if strong.contains(id) => Code::AccountOutOfHands,
            Ok(()) => continue,
        };
        refusals.tell(*number, "officer_number", code, code.title());
    }
    Ok(())
}

/// The hash of a password that nobody knows, made once: an account without a password yet.
fn unknown_password() -> Result<String> {
    static HASH: OnceLock<String> = OnceLock::new();
    if let Some(hash) = HASH.get() {
        return Ok(hash.clone());
    }
    let mut secret = [0_u8; 32];
    aws_lc_rs::rand::fill(&mut secret).map_err(AppError::internal)?;
    let hash = password::hash_now(&hex(&secret))?;
    Ok(HASH.get_or_init(|| hash).clone())
}
