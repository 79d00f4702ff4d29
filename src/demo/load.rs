//! Loads the demo: the tenants, their trees and people, then the story.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::NaiveDate;

use super::checks;
use super::divisions::{self, ProvinceTree};
use super::roster::{self, Account};
use super::story::{self, Person};
use super::strength;
use crate::access::accounts::service::{self as accounts, NewAccount};
use crate::access::{Doors, Role, command_line, password};
use crate::db::TenantId;
use crate::db::start::{Result, StartError};
use crate::org::officers::rules::OfficerId;
use crate::org::officers::service as officers;
use crate::org::posts::rules::PostKind;
use crate::org::rules::{Unit, UnitKind};
use crate::org::service::{self as org, Entered};

/// Told of progress: what is being done, how many steps of how many are done.
pub type Progress<'a> = &'a mut dyn FnMut(&str, usize, usize);

/// What was loaded.
#[derive(Debug)]
pub struct Loaded {
    /// The accounts, for the file.
    pub accounts: Vec<Account>,
}

/// In Yunnan there were 1,653 stations; the list of townships gives 1,461.
const YUNNAN_STATIONS: usize = 1653;

/// Loads the platform, the province asked for and a second one.
///
/// `keep` is called with the accounts before anything is written, so that no password is lost when
/// the load is interrupted.
///
/// # Errors
/// A sentence for a province that does not exist, or when the demo was half loaded before.
pub async fn load(
    doors: &Arc<Doors>,
    province: &str,
    os_user: &str,
    today: NaiveDate,
    keep: impl FnOnce(&[Account]) -> Result<()>,
    progress: Progress<'_>,
) -> Result<Loaded> {
    let second = if province == "50" { "53" } else { "50" };
    let tree = tree_of(province)?;
    let other = tree_of(second)?;
    let places = roster::places_below(&tree);
    let mut listed = vec![(String::from("00"), roster::platform()?)];
    let mut people = roster::province(province)?;
    for place in &places {
        people.extend(roster::below(place)?);
    }
    listed.push((province.to_owned(), people));
    listed.push((second.to_owned(), roster::province(second)?));
    let all: Vec<Account> = listed.iter().flat_map(|(_, accounts)| accounts.clone()).collect();
    keep(&all)?;

    let cities: Vec<String> = story::writing_units(&tree, &places);
    let writers: Vec<Account> =
        cities.iter().map(|code| roster::writer(code)).collect::<crate::errors::Result<_>>()?;
    let steps = all.len() + writers.len() + 13;
    let mut step = 0;
    let mut tick = |what: &str, by: usize| {
        step += by;
        progress(what, step, steps);
    };
    let mut everybody = Vec::new();
    for (code, accounts) in &listed {
        let tenant =
            TenantId::parse(code).ok_or_else(|| StartError::new(format!("{code} is no province")))?;
        let (name, tree) = match code.as_str() {
            "00" => ("平台与部级".to_owned(), None),
            code if code == province => (root_name(&tree), Some(&tree)),
            _ => (root_name(&other), Some(&other)),
        };
        tick(&format!("{name}: 组织单位"), 1);
        let units = found(doors, tenant, os_user, &name, tree).await?;
        let mut here = accounts.clone();
        if code == province {
            here.extend(writers.clone());
        }
        tick("民警辅警", 1);
        let heads = enlist(doors, tenant, os_user, &units, &here, (today, code == province)).await?;
        let place = Place { units: &units, heads: &heads };
        let entered = enter(doors, tenant, os_user, place, here, &mut |by| tick("账号", by)).await?;
        everybody.push((tenant, units, entered));
    }
    for (tenant, units, people) in &everybody {
        if *tenant == TenantId::PLATFORM {
            continue;
        }
        tick("活动与方案", 1);
        let writes: &[String] = if tenant.as_str() == province { &cities } else { &[] };
        let first = if tenant.as_str() == province { places.as_slice() } else { &[] };
        let votes = tenant.as_str() != province;
        story::tell(doors, units, people, story::Cast { writers: writes, first, votes }, today).await?;
        tick("检查清单", 1);
        checks::tell(doors, units, people, first).await?;
    }
    tick("完成", 2);
    Ok(Loaded { accounts: all })
}

fn tree_of(code: &str) -> Result<ProvinceTree> {
    let trouble = |error: divisions::DivisionError| StartError::new(error.to_string());
    let mut tree = divisions::province_tree(code).map_err(trouble)?;
    if code == "53" {
        divisions::add_second_stations(&mut tree, YUNNAN_STATIONS).map_err(trouble)?;
    }
    divisions::add_departments_and_windows(&mut tree).map_err(trouble)?;
    Ok(tree)
}

fn root_name(tree: &ProvinceTree) -> String {
    tree.units.first().map(|unit| unit.name.clone()).unwrap_or_default()
}

async fn found(
    doors: &Doors,
    tenant: TenantId,
    os_user: &str,
    name: &str,
    tree: Option<&ProvinceTree>,
) -> Result<Vec<Unit>> {
    let name = name.to_owned();
    let entered: Vec<Entered> = tree
        .into_iter()
        .flat_map(|tree| &tree.units)
        .map(|unit| {
            let kind = UnitKind::parse(unit.kind)
                .ok_or_else(|| StartError::new(format!("{} is no kind of unit", unit.kind)))?;
            Ok(Entered { code: unit.code.clone(), name: unit.name.clone(), kind, parent: unit.parent })
        })
        .collect::<Result<_>>()?;
    let units = command_line(doors, tenant, os_user, move |tx| {
        if org::exists(tx)? {
            tx.nothing_changed();
            return Ok(None);
        }
        org::found_province(tx, &name, &entered).map(Some)
    })
    .await?;
    units.ok_or_else(|| {
        StartError::new(format!(
            "tenant {tenant} is there already, but the demo is not whole: begin with an empty database"
        ))
    })
}

/// Posts began so many days before the demo was loaded.
const IN_POST_DAYS: i64 = 400;

/// Enters the officers; who heads each unit.
async fn enlist(
    doors: &Doors,
    tenant: TenantId,
    os_user: &str,
    units: &[Unit],
    accounts: &[Account],
    (today, everybody): (NaiveDate, bool),
) -> Result<HashMap<String, OfficerId>> {
    let heads: HashMap<String, String> = accounts
        .iter()
        .filter(|account| account.kind == Role::UnitHead)
        .map(|account| (account.unit_code.clone(), account.name.clone()))
        .collect();
    let since = today - chrono::Duration::days(IN_POST_DAYS);
    let all = strength::officers(units, &heads, since, everybody);
    let mut found = HashMap::new();
    // In pieces, so that nobody waits long for the one writer.
    for some in all.chunks(500) {
        let some = some.to_vec();
        let entered = command_line(doors, tenant, os_user, move |tx| {
            let ids = officers::enlist(tx, &some)?;
            Ok(some.into_iter().map(|one| (one.unit.code, one.post.0)).zip(ids).collect::<Vec<_>>())
        });
        let heads = entered.await?.into_iter().filter(|((_, post), _)| *post == PostKind::Head);
        found.extend(heads.map(|((code, _), id)| (code, id)));
    }
    Ok(found)
}

/// Where the accounts of a tenant are put.
#[derive(Clone, Copy)]
struct Place<'a> {
    units: &'a [Unit],
    heads: &'a HashMap<String, OfficerId>,
}

async fn enter(
    doors: &Doors,
    tenant: TenantId,
    os_user: &str,
    at: Place<'_>,
    accounts: Vec<Account>,
    tick: &mut dyn FnMut(usize),
) -> Result<Vec<Person>> {
    let mut people = Vec::with_capacity(accounts.len());
    // Hashing is slow by design: two at a time, as there are cores.
    for pair in accounts.chunks(2) {
        let hashes = pair.iter().map(|account| {
            let password = account.password.clone();
            tokio::task::spawn_blocking(move || password::hash_now(&password))
        });
        let mut made = Vec::new();
        for hash in hashes.collect::<Vec<_>>() {
            made.push(hash.await.map_err(|error| StartError::new(error.to_string()))??);
        }
        for (account, hash) in pair.iter().zip(made) {
            let unit = at.units.iter().find(|unit| unit.code == account.unit_code).cloned();
            let heads = account.kind == Role::UnitHead;
            let officer = at.heads.get(&account.unit_code).copied().filter(|_| heads);
            let entered = account.clone();
            let place = unit.clone();
            command_line(doors, tenant, os_user, move |tx| {
                let user = accounts::enter_user(
                    tx,
                    NewAccount {
                        login: &entered.login,
                        display_name: &entered.name,
                        unit: place.as_ref(),
                        officer,
                        password_hash: &hash,
                        must_change_password: false,
                    },
                )?;
                crate::access::accounts::bindings::service::bind(tx, user, entered.kind, place.as_ref())
            })
            .await?;
            people.push(Person { account: account.clone() });
        }
        tick(pair.len());
    }
    Ok(people)
}
