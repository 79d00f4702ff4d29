//! `pingyi backup`: a copy taken while the server writes, looked at, and put back.

use std::path::PathBuf;

use clap::Subcommand;
use pingyi::config::Settings;
use pingyi::db::start::{Result, StartError};
use pingyi::db::{Location, backup, migrate};

/// What `backup` can do.
#[derive(Subcommand)]
pub(crate) enum BackupCommand {
    /// Write a copy of the database, while it is written to; the keys are in no copy and must be kept elsewhere
    Create {
        /// The file to write; it must not be there yet
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
        /// PostgreSQL as the backup role, which sees every tenant and changes nothing
        #[arg(long, env = "PINGYI_BACKUP_DATABASE_URL", hide_env_values = true, value_name = "URL")]
        backup_database_url: Option<String>,
    },
    /// Tell whether a copy of the embedded database is whole
    Check {
        /// The copy
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
    },
    /// Put a copy where no data is yet, and bring it to this program's version; then compare it with a checkpoint
    /// kept elsewhere: `pingyi audit verify --checkpoint`
    Restore {
        /// The copy
        #[arg(long, value_name = "FILE")]
        from: PathBuf,
    },
}

/// Does it.
pub(crate) fn run(settings: &Settings, command: &BackupCommand) -> Result<()> {
    let location = settings.location()?;
    match (command, &location) {
        (BackupCommand::Create { to, .. }, Location::Sqlite(file)) => {
            written(to, backup::copy_sqlite(file, to)?, settings);
        }
        (BackupCommand::Create { to, backup_database_url }, Location::Postgres(_)) => {
            let url = backup_database_url.as_deref().ok_or_else(|| {
                StartError::new(
                    "a copy of PostgreSQL needs the backup role's address in --backup-database-url",
                )
            })?;
            written(to, backup::copy_postgres(url, to)?, settings);
        }
        (BackupCommand::Check { from }, _) => {
            backup::check_sqlite(from)?;
            super::say(&format!("{} is whole", from.display()));
        }
        (BackupCommand::Restore { from }, Location::Sqlite(file)) => {
            backup::restore_sqlite(from, file)?;
            restored(settings, &location)?;
        }
        (BackupCommand::Restore { from }, Location::Postgres(_)) => {
            let admin = settings.admin_database_url.as_deref().ok_or_else(|| {
                StartError::new(
                    "putting a copy into PostgreSQL needs the owner's address in --admin-database-url",
                )
            })?;
            backup::restore_postgres(from, admin)?;
            restored(settings, &location)?;
        }
    }
    Ok(())
}

fn written(to: &std::path::Path, bytes: u64, settings: &Settings) {
    super::say(&format!(
        "{} written, {bytes} bytes; the files of attachments are not in it: copy their folder now, after the database; the keys \
         ({}) are not in it either: without them nobody stays signed in and no checkpoint is believed",
        to.display(),
        settings.key_file().display()
    ));
}

fn restored(settings: &Settings, location: &Location) -> Result<()> {
    migrate::up(location, settings.admin_database_url.as_deref())?;
    super::say(
        "restored; go through the audit log with `pingyi audit verify --province CODE --checkpoint FILE`; put the files of \
         attachments back beside it and go through them with `pingyi attachments verify`",
    );
    Ok(())
}
