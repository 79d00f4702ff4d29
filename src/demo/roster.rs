//! Who is in the demo: each role once per tenant at its root, and a few people further down.

use aws_lc_rs::rand;
use serde::Serialize;

use super::divisions::ProvinceTree;
use crate::access::Role;
use crate::errors::{AppError, Result};

/// An account of the demo, as the accounts file names it.
#[derive(Debug, Clone, Serialize)]
pub struct Account {
    /// What is typed to sign in.
    pub login: String,
    /// Its random password.
    pub password: String,
    /// Its one role.
    pub role: &'static str,
    /// The code of the unit where it is held; empty for the platform.
    pub unit_code: String,
    #[serde(skip)]
    pub(super) kind: Role,
    #[serde(skip)]
    pub(super) name: String,
}

const SURNAMES: &[&str] = &[
    "李", "王", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "马", "朱", "胡", "郭", "何",
    "高", "林", "罗",
];
const GIVEN: &[&str] = &[
    "春阳", "建国", "志强", "秀英", "海燕", "文斌", "晓东", "丽华", "国栋", "云峰", "雪梅", "永刚", "思源",
    "玉兰", "振华", "慧敏", "立军", "红霞", "明辉",
];

/// Letters and digits that nobody mistakes for one another.
const ALPHABET: &[u8] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// A random password of 20 characters, above 115 bits.
///
/// # Errors
/// When the random source fails.
pub(super) fn password() -> Result<String> {
    let mut text = String::with_capacity(20);
    while text.len() < 20 {
        let mut bytes = [0_u8; 32];
        rand::fill(&mut bytes).map_err(AppError::internal)?;
        // Bytes beyond the last whole multiple would favour some letters.
        let whole = 256 - 256 % ALPHABET.len();
        let letters = bytes.iter().filter(|byte| usize::from(**byte) < whole);
        let letters = letters.filter_map(|byte| ALPHABET.get(usize::from(*byte) % ALPHABET.len()));
        text.extend(letters.take(20 - text.len()).map(|letter| char::from(*letter)));
    }
    Ok(text)
}

/// A name for whoever stands at this place of a list.
pub(super) fn person_name(place: usize) -> String {
    let surname = SURNAMES.get(place % SURNAMES.len()).copied().unwrap_or("李");
    let given = GIVEN.get((place * 7 + place / SURNAMES.len()) % GIVEN.len()).copied().unwrap_or("春阳");
    format!("{surname}{given}")
}

fn account(kind: Role, code: &str, place: usize) -> Result<Account> {
    let prefix = if code.is_empty() { "platform".to_owned() } else { code.to_lowercase() };
    Ok(Account {
        login: format!("{prefix}-{}", kind.as_str().replace('_', "-")),
        password: password()?,
        role: kind.as_str(),
        unit_code: code.to_owned(),
        kind,
        name: person_name(place),
    })
}

/// The platform's people: each of its roles once.
pub(super) fn platform() -> Result<Vec<Account>> {
    let roles = Role::ALL.iter().filter(|role| role.is_of_platform());
    roles.enumerate().map(|(place, role)| account(*role, "", place)).collect()
}

/// A province's people: each role once at its root.
pub(super) fn province(code: &str) -> Result<Vec<Account>> {
    let roles = Role::ALL.iter().filter(|role| !role.is_of_platform());
    let offset = code.bytes().map(usize::from).sum::<usize>();
    roles.enumerate().map(|(place, role)| account(*role, code, offset + place)).collect()
}

/// The units further down that have people of their own: the first city with its first county and
/// that county's first station, or as much of that as the province has.
pub(super) fn places_below(tree: &ProvinceTree) -> Vec<String> {
    let mut places = Vec::new();
    let mut parent = 0;
    for kind in ["city", "county", "station"] {
        let below =
            tree.units.iter().enumerate().find(|(_, unit)| unit.kind == kind && unit.parent == Some(parent));
        if let Some((at, unit)) = below {
            places.push(unit.code.clone());
            parent = at;
        }
    }
    places
}

/// The people of a unit further down.
pub(super) fn below(code: &str) -> Result<Vec<Account>> {
    let offset = code.bytes().map(usize::from).sum::<usize>();
    let roles = [Role::UnitHead, Role::GroupHead, Role::GroupOffice, Role::Liaison];
    roles.iter().enumerate().map(|(place, role)| account(*role, code, offset + place)).collect()
}

/// Somebody who writes plans at a city, in no accounts file.
pub(super) fn writer(code: &str) -> Result<Account> {
    let offset = code.bytes().map(usize::from).sum::<usize>();
    account(Role::UnitHead, code, offset)
}
