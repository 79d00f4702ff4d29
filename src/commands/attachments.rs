//! `pingyi attachments`: the files beside the database.

use std::io::Write;

use clap::Subcommand;
use pingyi::config::Settings;
use pingyi::db::TenantId;
use pingyi::db::start::{Result, StartError};
use pingyi::errors::AppError;
use pingyi::inspections::attachments::verify::{Fault, Tally, verify};

/// What `attachments` can do.
#[derive(Subcommand)]
pub(crate) enum AttachmentsCommand {
    /// Go through the attachments that the database knows of and tell of which bytes are missing or are not those that were
    /// uploaded, a line each; fails when there are any. What to do after a copy was put back
    Verify {
        /// Two-digit code of the province [default: all]
        #[arg(long, value_name = "CODE")]
        province: Option<String>,
    },
}

/// Does it.
pub(crate) fn run(settings: &Settings, command: &AttachmentsCommand) -> Result<()> {
    let AttachmentsCommand::Verify { province } = command;
    let province = match province {
        Some(code) => {
            Some(TenantId::parse(code).ok_or_else(|| StartError::new("--province is a two-digit code"))?)
        }
        None => None,
    };
    let doors = super::serve::open(settings, false)?;
    let mut out = std::io::stdout().lock();
    let tell = |fault: &Fault| writeln!(out, "{fault}").map_err(AppError::internal);
    let tally = super::block_on(async { verify(&doors, province, tell).await.map_err(StartError::from) })?;
    let Tally { attachments, missing, differing } = tally;
    writeln!(
        out,
        "{attachments} attachments: {missing} with bytes missing, {differing} with bytes that differ"
    )
    .map_err(|error| StartError::new(error.to_string()))?;
    if missing + differing == 0 {
        Ok(())
    } else {
        Err(StartError::new(
            "the files are not whole: put their folder back as it was after the database's copy",
        ))
    }
}
