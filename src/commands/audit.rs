//! `pingyi audit`: the chain of the audit log, looked at by somebody who trusts nobody.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::Subcommand;
use pingyi::access::{Doors, command_line, command_line_looks};
use pingyi::audit::checkpoint::{Verifier, notes};
use pingyi::audit::export::Line;
use pingyi::audit::service::{self, Found, Step, Verification};
use pingyi::audit::verify::{Fault, FaultKind, Verdict, Walk};
use pingyi::config::Settings;
use pingyi::db::TenantId;
use pingyi::db::start::{Result, StartError};

/// What `audit` can do.
#[derive(Subcommand)]
pub(crate) enum AuditCommand {
    /// Go through a chain and tell what was touched; fails when anything was. With --export it needs no database and
    /// no key file, only the lines that `audit export` wrote. What checkpoints commit to of rows that are held back is
    /// opened where the database and the key file are, and passed over elsewhere
    Verify {
        /// Two-digit code of the province; 00 is the platform
        #[arg(long, value_name = "CODE", required_unless_present = "export")]
        province: Option<String>,
        /// Lines that `audit export` wrote, instead of the database
        #[arg(long, value_name = "FILE", requires = "key")]
        export: Option<PathBuf>,
        /// Checkpoints kept elsewhere: what was cut off or written anew before them is told
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
        /// The key of the checkpoints, as `audit key` told it once
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
    },
    /// Write a chain with its rows as lines of JSON to standard output; that this was done is in the log
    Export {
        /// Two-digit code of the province; 00 is the platform
        #[arg(long, value_name = "CODE")]
        province: String,
    },
    /// Tell the key that checks the checkpoints of a province: to be kept by whoever will check
    Key {
        /// Two-digit code of the province; 00 is the platform
        #[arg(long, value_name = "CODE")]
        province: String,
    },
}

/// Does it.
pub(crate) fn run(settings: &Settings, command: &AuditCommand) -> Result<()> {
    match command {
        AuditCommand::Key { province } => {
            let doors = super::serve::open(settings, false)?;
            let verifier = service::verifier(doors.keys(), tenant(province)?)?;
            print(&format!("{verifier}\n"))
        }
        AuditCommand::Export { province } => {
            let doors = super::serve::open(settings, false)?;
            super::block_on(export(&doors, tenant(province)?))
        }
        AuditCommand::Verify { export: Some(file), checkpoint, key, .. } => {
            let key =
                key.as_deref().ok_or_else(|| StartError::new("--key names the key of the checkpoints"))?;
            let verifier = Verifier::parse(key).map_err(StartError::new)?;
            told(&offline(file, &verifier, &kept(checkpoint.as_deref(), &verifier)?)?, None)
        }
        AuditCommand::Verify { province, checkpoint, key, .. } => {
            let doors = super::serve::open(settings, false)?;
            let tenant = tenant(province.as_deref().unwrap_or_default())?;
            let signer = service::signer(doors.keys())?;
            let verifier = match key {
                Some(key) => Verifier::parse(key).map_err(StartError::new)?,
                None => service::verifier(doors.keys(), tenant)?,
            };
            let kept = kept(checkpoint.as_deref(), &verifier)?;
            let done = super::block_on(async {
                let look = async |step| looked(&doors, tenant, step).await;
                service::verify((tenant, &verifier, &signer, kept), look).await.map_err(StartError::from)
            })?;
            told(&done.verdict, Some(&done))
        }
    }
}

fn tenant(code: &str) -> Result<TenantId> {
    TenantId::parse(code).ok_or_else(|| StartError::new("--province is a two-digit code"))
}

async fn looked(doors: &Doors, tenant: TenantId, step: Step) -> pingyi::errors::Result<Found> {
    command_line_looks(doors, tenant, move |tx| service::take(tx, step)).await
}

fn reading(path: &Path, error: &dyn std::fmt::Display) -> StartError {
    StartError::new(format!("cannot read {}: {error}", path.display()))
}

/// The notes of a file of checkpoints that are of this key's chain.
fn kept(path: Option<&Path>, verifier: &Verifier) -> Result<Vec<String>> {
    let Some(path) = path else { return Ok(Vec::new()) };
    let text = std::fs::read_to_string(path).map_err(|error| reading(path, &error))?;
    let mut notes = notes(&text);
    notes.retain(|note| verifier.is_named_by(note));
    if notes.is_empty() {
        return Err(StartError::new(format!("there is no checkpoint of this chain in {}", path.display())));
    }
    Ok(notes)
}

fn print(text: &str) -> Result<()> {
    std::io::stdout().write_all(text.as_bytes()).map_err(|error| StartError::new(error.to_string()))
}

async fn export(doors: &Doors, tenant: TenantId) -> Result<()> {
    let trouble =
        |error: &dyn std::fmt::Display| StartError::new(format!("cannot write the export: {error}"));
    command_line(doors, tenant, &super::os_user(), service::account_for_export).await?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut behind = 0;
    loop {
        let Found::Places(some) = looked(doors, tenant, Step::Places(behind)).await? else { break };
        let Some((newest, _)) = some.last() else { break };
        behind = newest.position;
        for line in service::lines(tenant, some) {
            serde_json::to_writer(&mut out, &line).map_err(|error| trouble(&error))?;
            out.write_all(b"\n").map_err(|error| trouble(&error))?;
        }
    }
    out.flush().map_err(|error| trouble(&error))
}

/// Goes through an export with nothing of the installation but a key and checkpoints.
fn offline(path: &Path, verifier: &Verifier, kept: &[String]) -> Result<Verdict> {
    let file = File::open(path).map_err(|error| reading(path, &error))?;
    let opened: Vec<_> = kept.iter().map(|note| verifier.open(note)).collect();
    let forged = opened.iter().filter(|one| one.is_none()).count();
    let mut walk = Walk::new(opened.into_iter().flatten());
    for _ in 0..forged {
        let detail = "不是此密钥所签 / not signed by this key".to_owned();
        walk.found(Fault { kind: FaultKind::CheckpointForged, position: None, entry_id: None, detail });
    }
    for (number, line) in (1..).zip(BufReader::new(file).lines()) {
        let line = line.map_err(|error| reading(path, &error))?;
        let wrong = |error: &dyn std::fmt::Display| {
            StartError::new(format!("line {number} of {}: {error}", path.display()))
        };
        let line: Line = serde_json::from_str(&line).map_err(|error| wrong(&error))?;
        walk.step(line.sealed().map_err(|error| wrong(&error))?);
    }
    Ok(walk.end())
}

/// Tells what came of it; fails when the chain is not whole.
fn told(verdict: &Verdict, online: Option<&Verification>) -> Result<()> {
    let Verdict { size, checkpoints, withheld, faults } = verdict;
    if online.is_some_and(|done| *size == 0 && done.unsealed == 0 && faults.is_empty()) {
        return Err(StartError::new(
            "there is no row in this log: is it the right database, the right province?",
        ));
    }
    let mut lines = vec![format!("{size} rows, {checkpoints} checkpoints agree")];
    if *withheld > 0 {
        lines.push(format!("{withheld} rows are withheld: what they say was not looked at"));
    }
    if let Some(Verification { signed, unsealed, .. }) = online {
        let signed =
            signed.map_or_else(|| "no checkpoint yet".to_owned(), |size| format!("signed up to {size}"));
        lines.push(format!("{signed}, {unsealed} rows wait to be sealed"));
    }
    lines.extend(faults.iter().map(|fault| {
        let position = fault.position.map(|position| format!(" at {position}")).unwrap_or_default();
        let entry = fault.entry_id.as_deref().map(|id| format!(" ({id})")).unwrap_or_default();
        format!("{}{position}{entry} {}", fault.kind, fault.detail)
    }));
    print(&(lines.join("\n") + "\n"))?;
    if faults.is_empty() {
        Ok(())
    } else {
        Err(StartError::new(format!("the chain is not whole: {} faults", faults.len())))
    }
}
