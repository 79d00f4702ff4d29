//! What an inspector takes along: under which authorisations, whom, by what; and, to whoever has taken along before, what has
//! changed since and what is gone.
//!
//! What somebody has is remembered by kind, identifier and digest ([`Manifest`]), under a name that follows from the part of the tree
//! it is of and from the content: the same content has the same name, and what is told as gone is what this account had of that part,
//! whatever it is gone for.

use std::collections::{BTreeMap, BTreeSet};

use aws_lc_rs::digest::{SHA256, digest};
use serde::Serialize;
use serde_json::json;
use uuid::Uuid;

use super::bundle_store as store;
use super::bundle_views::{OfflineAuthorisation, OfflineUnit, authorisations_shown};
use crate::access::policy::{Action, OfflineRead};
use crate::access::{PathRange, Tx};
use crate::audit::{Change, hex};
use crate::db::text_enum;
use crate::errors::{AppError, Code, Result};
use crate::inspections::authorisations::service as authorisations;
use crate::inspections::checklists::service as checklists;
use crate::inspections::checklists::views::{ChecklistVersionView, whole_versions};
use crate::inspections::checks::service as checks;
use crate::org::rules::{Unit, UnitId};
use crate::org::service as units;
use crate::reference::http::{DictionaryView, all_dictionaries};

/// Units that are taken along at most: some megabytes.
const MOST_UNITS: usize = 20_000;
/// Bytes of a thing in a manifest: its kind, its identifier, the beginning of its digest.
const ENTRY: usize = 1 + 16 + 8;

text_enum! {
    /// What is taken along.
    OfflineKind as "offline_kind" {
        Authorisation = "authorisation", "检查授权", "Authorisation", orange;
        Checklist = "checklist", "检查清单的一版", "Version of a checklist", green;
        Unit = "unit", "单位", "Unit", grey;
        Dictionaries = "dictionaries", "字典", "Dictionaries", grey;
    }
}

/// A thing that is taken along: what it is known by.
type Known = (OfflineKind, Uuid);

/// What somebody has: each thing, and the beginning of the digest of what it says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest(BTreeMap<Known, u64>);

impl Manifest {
    /// As it is kept.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.0.len() * ENTRY);
        for ((kind, id), hash) in &self.0 {
            bytes.push(*kind as u8);
            bytes.extend_from_slice(id.as_bytes());
            bytes.extend_from_slice(&hash.to_be_bytes());
        }
        bytes
    }

    /// From how it is kept; what cannot be read is not there, and is told anew.
    #[must_use]
    pub fn read(bytes: &[u8]) -> Self {
        let entry = |entry: &[u8]| {
            let (kind, rest) = entry.split_first()?;
            let (id, hash) = rest.split_at_checked(16)?;
            let kind = *OfflineKind::ALL.get(usize::from(*kind))?;
            Some(((kind, Uuid::from_slice(id).ok()?), u64::from_be_bytes(hash.try_into().ok()?)))
        };
        Self(bytes.chunks(ENTRY).filter_map(entry).collect())
    }

    /// The name that follows from the part of the tree it is of, whose 8 characters come first, and from its content.
    #[must_use]
    pub fn name(&self, part: Option<UnitId>) -> String {
        let content = hex(digest(&SHA256, &self.to_bytes()).as_ref());
        format!("{}{}", part_name(part), content.get(..24).unwrap_or_default())
    }

    fn has(&self, known: Known, hash: u64) -> bool {
        self.0.get(&known) == Some(&hash)
    }

    /// What is in this one and not in the other.
    fn beyond(&self, other: &Self) -> Vec<Known> {
        self.0.keys().filter(|known| !other.0.contains_key(known)).copied().collect()
    }
}

/// What the names of all manifests of a part of the tree begin with.
fn part_name(part: Option<UnitId>) -> String {
    let part = part.map_or_else(String::new, |unit| unit.to_string());
    hex(digest(&SHA256, part.as_bytes()).as_ref()).chars().take(8).collect()
}

/// A thing and the beginning of its digest.
struct Part<T> {
    known: Known,
    hash: u64,
    view: T,
}

impl<T: Serialize> Part<T> {
    fn of(kind: OfflineKind, id: Uuid, view: T) -> Result<Self> {
        let bytes = serde_json::to_vec(&view).map_err(AppError::internal)?;
        let whole = digest(&SHA256, &bytes);
        let hash = whole.as_ref().iter().take(8).fold(0_u64, |sum, byte| (sum << 8) | u64::from(*byte));
        Ok(Self { known: (kind, id), hash, view })
    }
}

/// All that is to be taken along.
pub struct Bundle {
    authorisations: Vec<Part<OfflineAuthorisation>>,
    checklists: Vec<Part<ChecklistVersionView>>,
    units: Vec<Part<OfflineUnit>>,
    dictionaries: Part<Vec<DictionaryView>>,
    manifest: Manifest,
}

/// What of a bundle is to be told to somebody who has something already.
pub struct Told {
    /// Authorisations that are new or changed.
    pub authorisations: Vec<OfflineAuthorisation>,
    /// Versions of checklists that are new or changed.
    pub checklists: Vec<ChecklistVersionView>,
    /// Units that are new or changed.
    pub units: Vec<OfflineUnit>,
    /// The dictionaries, when they are new or changed.
    pub dictionaries: Option<Vec<DictionaryView>>,
    /// What is there no more.
    pub gone: Vec<Known>,
}

impl Bundle {
    /// What the caller has once they have been told.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// What is to be told to whoever has this; everything to whoever has nothing.
    #[must_use]
    pub fn told(self, had: &Manifest) -> Told {
        fn new<T>(parts: Vec<Part<T>>, had: &Manifest) -> Vec<T> {
            parts.into_iter().filter(|one| !had.has(one.known, one.hash)).map(|one| one.view).collect()
        }
        let gone = had.beyond(&self.manifest);
        let dictionaries = new(vec![self.dictionaries], had).pop();
        Told {
            authorisations: new(self.authorisations, had),
            checklists: new(self.checklists, had),
            units: new(self.units, had),
            dictionaries,
            gone,
        }
    }
}

/// The paths among these that lie below none of the others.
fn outermost(mut paths: Vec<String>) -> Vec<String> {
    paths.sort_unstable();
    paths.dedup();
    let mut kept: Vec<String> = Vec::new();
    for path in paths {
        // What a path begins with sorts before it.
        if !kept.iter().any(|above| path.starts_with(above)) {
            kept.push(path);
        }
    }
    kept
}

/// The part of these subtrees that lies in another.
fn within(paths: Vec<String>, only: &str) -> Vec<String> {
    let part = |path: String| match path {
        path if path.starts_with(only) => Some(path),
        path if only.starts_with(&path) => Some(only.to_owned()),
        _ => None,
    };
    outermost(paths.into_iter().filter_map(part).collect())
}

/// What the caller takes along today, of a subtree if one is said.
///
/// # Errors
/// `bundle_too_large`.
pub fn gather(tx: &mut Tx<'_, OfflineRead>, only: Option<UnitId>) -> Result<Bundle> {
    let own = authorisations::of_inspector(tx)?;
    let mut areas = outermost(own.iter().flat_map(|one| one.area_paths.clone()).collect());
    if let Some(only) = only {
        areas = match units::referred(tx, &[only])?.pop() {
            Some(unit) => within(areas, &unit.path),
            None => Vec::new(),
        };
    }
    let found = units_of(tx, &areas)?;
    let versions = checklists::current_for(tx, &areas)?;
    // Those for kinds of units that none of these is are of no use.
    let kinds: BTreeSet<&str> = found.iter().map(|unit| unit.kind.as_str()).collect();
    let is_of_use = |one: &crate::inspections::checklists::rules::ChecklistVersion| {
        one.content.kinds.is_empty() || one.content.kinds.iter().any(|kind| kinds.contains(kind.as_str()))
    };
    let mut versions: Vec<_> = versions.into_iter().filter(is_of_use).collect();
    // What has been begun goes on by the version it was begun with.
    for id in checks::versions_in_hand(tx)? {
        if !versions.iter().any(|one| one.id == id) {
            versions.push(checklists::made_with(tx, id)?);
        }
    }
    let ids: Vec<_> = own.iter().map(|one| one.id.uuid()).collect();
    let shown = authorisations_shown(tx, own)?;
    let authorisations = ids
        .into_iter()
        .zip(shown)
        .map(|(id, view)| Part::of(OfflineKind::Authorisation, id, view))
        .collect::<Result<Vec<_>>>()?;
    let checklists = whole_versions(tx, versions)?
        .into_iter()
        .map(|view| Part::of(OfflineKind::Checklist, view.id().uuid(), view))
        .collect::<Result<Vec<_>>>()?;
    let units = found
        .into_iter()
        .map(|unit| Part::of(OfflineKind::Unit, unit.id.uuid(), OfflineUnit::of(unit)))
        .collect::<Result<Vec<_>>>()?;
    let dictionaries = Part::of(OfflineKind::Dictionaries, Uuid::nil(), all_dictionaries())?;
    let entries = authorisations.iter().map(|one| (one.known, one.hash));
    let entries = entries.chain(checklists.iter().map(|one| (one.known, one.hash)));
    let entries = entries.chain(units.iter().map(|one| (one.known, one.hash)));
    let manifest = Manifest(entries.chain([(dictionaries.known, dictionaries.hash)]).collect());
    Ok(Bundle { authorisations, checklists, units, dictionaries, manifest })
}

fn units_of(tx: &mut Tx<'_, OfflineRead>, areas: &[String]) -> Result<Vec<Unit>> {
    let mut found = Vec::new();
    for area in areas {
        // One more than there may be tells that there are too many.
        let room = i64::try_from(MOST_UNITS - found.len() + 1).unwrap_or(i64::MAX);
        found.extend(units::some_working_below(tx, PathRange::subtree(area), room)?);
        if found.len() > MOST_UNITS {
            return Err(AppError::new(Code::BundleTooLarge));
        }
    }
    Ok(found)
}

/// What the caller was given of a part of the tree under a name, as far as it is remembered.
///
/// # Errors
/// When the database fails.
pub fn given<A: Action>(tx: &mut Tx<'_, A>, part: Option<UnitId>, name: &str) -> Result<Option<Manifest>> {
    if !name.starts_with(&part_name(part)) {
        return Ok(None);
    }
    Ok(store::find(tx, name)?.map(|bytes| Manifest::read(&bytes)))
}

/// Whether this is what the caller was given last of a part of the tree.
///
/// # Errors
/// When the database fails.
pub fn is_last<A: Action>(tx: &mut Tx<'_, A>, part: Option<UnitId>, name: &str) -> Result<bool> {
    Ok(store::last(tx, &part_name(part))?.is_some_and(|last| last == name))
}

/// Remembers what the caller is about to be given, and that they are.
///
/// # Errors
/// When it cannot be kept: then nothing is given.
pub fn keep(tx: &mut Tx<'_, OfflineRead>, name: &str, manifest: &[u8]) -> Result<()> {
    let part: String = name.chars().take(8).collect();
    store::keep(tx, (&part, name), manifest)?;
    let (id, facts) = (tx.user()?.to_string(), json!({ "since": name, "things": manifest.len() / ENTRY }));
    let (entity, reason) = ("offline_bundle", None);
    tx.record(&Change { entity, entity_id: &id, before: None, after: Some(&facts), reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(entries: &[(OfflineKind, u128, u64)]) -> Manifest {
        Manifest(entries.iter().map(|(kind, id, hash)| ((*kind, Uuid::from_u128(*id)), *hash)).collect())
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let kinds = OfflineKind::ALL.iter().enumerate();
        let entries: Vec<_> = kinds.map(|(at, kind)| (*kind, at as u128 + 7, u64::MAX - at as u64)).collect();
        let whole = manifest(&entries);
        assert_eq!(Manifest::read(&whole.to_bytes()), whole);
        assert_eq!(whole.to_bytes().len(), entries.len() * ENTRY);
        assert_eq!(Manifest::read(b"\xff and something odd"), Manifest::default());
        assert_ne!(whole.name(None), manifest(&entries[1..]).name(None));
        assert_ne!(whole.name(None), whole.name(Some(UnitId::generate())));
        assert_eq!(whole.name(None).len(), 32);
    }

    #[test]
    fn what_is_gone_is_what_was_there() {
        use OfflineKind::{Authorisation, Unit};
        let (had, has) =
            (manifest(&[(Unit, 1, 1), (Unit, 2, 1)]), manifest(&[(Unit, 2, 9), (Authorisation, 1, 1)]));
        assert_eq!(had.beyond(&has), [(Unit, Uuid::from_u128(1))]);
        assert!(had.has((Unit, Uuid::from_u128(2)), 1) && !had.has((Unit, Uuid::from_u128(2)), 9));
    }

    #[test]
    fn areas_hold_each_unit_once() {
        let of = |paths: &[&str]| paths.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            outermost(of(&["53/5301/", "53/5303/", "53/5301/530102/", "53/5301/"])),
            ["53/5301/", "53/5303/"]
        );
        let areas = || of(&["53/5301/", "53/5303/530302/"]);
        assert_eq!(within(areas(), "53/"), ["53/5301/", "53/5303/530302/"]);
        assert_eq!(within(areas(), "53/5303/"), ["53/5303/530302/"]);
        assert_eq!(within(areas(), "53/5301/530102/"), ["53/5301/530102/"]);
        assert_eq!(within(areas(), "53/5304/"), Vec::<String>::new());
    }
}
