//! Settings: flags before environment before file before defaults.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use crate::db::start::{Result, StartError};

/// Writes a file that only its owner can read; an existing one is never overwritten.
///
/// # Errors
/// A sentence when it exists or cannot be written.
pub fn write_private_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
        .open(path)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .map_err(|error| StartError::new(format!("cannot write {}: {error}", path.display())))
}
