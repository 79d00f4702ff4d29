//! What leaves the house: the file of checkpoints, and a chain as lines of JSON that can be checked elsewhere.
//!
//! What checkpoints commit to of rows that are held back goes with them and is opened by nothing here: what opens it would tell
//! how many such rows there ever were ([`super::holds`]). Elsewhere it is told by the signature that the line was not written
//! anew; whoever brings a checkpoint that was kept elsewhere to the database has it opened there.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::chain::{Content, digest_from, unhex};
use super::checkpoint::{Verifier, notes};
use super::verify::{Row, Sealed};
use crate::errors::{AppError, Result};

/// The file to which checkpoints are added, one after another, for somebody else to keep.
#[derive(Debug)]
pub struct File {
    path: PathBuf,
    /// Rows under the last checkpoint of each key, as far as it was asked: the file is read once, for it grows.
    last: Mutex<BTreeMap<String, i64>>,
}

impl File {
    /// The file at a path; it is made when the first checkpoint comes.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self { path, last: Mutex::new(BTreeMap::new()) }
    }

    /// How many rows the last checkpoint in it has that this key signed; 0 when there is none.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn last_size(&self, verifier: &Verifier) -> Result<i64> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(size) = last.get(&verifier.to_string()) {
            return Ok(*size);
        }
        let size = self.read_size(verifier)?;
        last.insert(verifier.to_string(), size);
        Ok(size)
    }

    fn read_size(&self, verifier: &Verifier) -> Result<i64> {
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(AppError::internal(error)),
        };
        let sizes = notes(&text).into_iter().filter_map(|note| verifier.open(&note)).map(|one| one.size);
        i64::try_from(sizes.max().unwrap_or_default()).map_err(AppError::internal)
    }

    /// Adds checkpoints that this key has signed, with the rows under each, at its end; they are on disk when this
    /// returns.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn add(&self, verifier: &Verifier, checkpoints: &[(i64, String)]) -> Result<()> {
        let Some((size, _)) = checkpoints.last() else { return Ok(()) };
        let notes: Vec<&str> = checkpoints.iter().map(|(_, note)| note.as_str()).collect();
        let text = notes.join("\n") + "\n";
        let written = || {
            let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        written().map_err(AppError::internal)?;
        self.last.lock().unwrap_or_else(PoisonError::into_inner).insert(verifier.to_string(), *size);
        Ok(())
    }
}

/// A line of an export: a place in the chain with its row. What is withheld has neither row nor salt; what is not in the log
/// any more says so.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// The position in the chain, from 1 on.
    pub position: u64,
    /// The row's identifier.
    pub entry_id: String,
    /// Its commitment, hexadecimal.
    pub commitment: String,
    /// The link, hexadecimal.
    pub link: String,
    /// The salt of the commitment, hexadecimal; empty of rows from before the chain.
    pub salt: Option<String>,
    /// The row.
    pub row: Option<Content>,
    /// Whether the log lacks the row.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gone: bool,
}

impl Line {
    /// What the walk goes through.
    ///
    /// # Errors
    /// A sentence when a digest is none.
    pub fn sealed(self) -> std::result::Result<Sealed, String> {
        let position = self.position;
        let digest =
            |text: &str| digest_from(text).ok_or_else(|| format!("no digest at position {position}"));
        let row = match (self.row, self.salt) {
            (Some(content), salt) => {
                let salt = unhex(salt.as_deref().unwrap_or_default());
                Row::Open(Box::new(content), salt.ok_or_else(|| format!("no salt at position {position}"))?)
            }
            (None, _) if self.gone => Row::Gone,
            (None, _) => Row::Withheld,
        };
        Ok(Sealed {
            position,
            commitment: digest(&self.commitment)?,
            link: digest(&self.link)?,
            entry_id: self.entry_id,
            row,
        })
    }
}
