//! `pingyi demo`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use pingyi::access::Doors;
use pingyi::config::{Settings, write_private_file};
use pingyi::db::start::{Result, StartError};
use pingyi::demo::{self, Account};
use serde::{Deserialize, Serialize};

/// What the demo may be told.
#[derive(Args)]
pub(crate) struct DemoArgs {
    /// Two-digit code of the province (GB/T 2260); the second tenant is 50, or 53 when 50 is asked
    #[arg(long, default_value = "53", value_name = "CODE")]
    province: String,
    /// Where to write the accounts and their passwords, mode 600 [default: accounts.json in the data directory]
    #[arg(long, value_name = "FILE")]
    accounts_file: Option<PathBuf>,
}

/// What a whole demo leaves in the data directory.
#[derive(Serialize, Deserialize)]
struct Marker {
    province: String,
    accounts_file: PathBuf,
}

/// Loads the demo if it is not there, and serves it.
pub(crate) fn run(settings: &Settings, args: &DemoArgs) -> Result<()> {
    let marker = settings.data_dir().join("demo.json");
    let doors = Arc::new(super::serve::open(settings, true)?);
    if let Ok(text) = std::fs::read_to_string(&marker) {
        let known: Marker = serde_json::from_str(&text)
            .map_err(|error| StartError::new(format!("{} is damaged: {error}", marker.display())))?;
        super::say(&format!(
            "the demo of {} keeps its data; accounts and passwords were written to {}",
            known.province,
            known.accounts_file.display()
        ));
    } else {
        // With PostgreSQL nothing has made it yet.
        pingyi::db::migrate::create_private_dir(settings.data_dir())?;
        let file = args.accounts_file.clone().unwrap_or_else(|| settings.data_dir().join("accounts.json"));
        load(&doors, &args.province, &file)?;
        let file = std::path::absolute(&file).unwrap_or(file);
        let known = Marker { province: args.province.clone(), accounts_file: file };
        let text = serde_json::to_string(&known).map_err(|error| StartError::new(error.to_string()))?;
        write_private_file(&marker, text.as_bytes())?;
    }
    super::serve::serve(settings, doors)
}

fn load(doors: &Arc<Doors>, province: &str, file: &Path) -> Result<()> {
    let bar = ProgressBar::new(1);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}") {
        bar.set_style(style);
    }
    let os_user = super::os_user();
    let today = doors.now().shanghai_day();
    let mut progress = |what: &str, done: usize, of: usize| {
        bar.set_length(of as u64);
        bar.set_position(done as u64);
        bar.set_message(what.to_owned());
    };
    let keep = |accounts: &[Account]| write_accounts(file, accounts);
    let loaded = super::block_on(demo::load(doors, province, &os_user, today, keep, &mut progress))?;
    bar.finish_and_clear();
    table(&loaded.accounts, file);
    Ok(())
}

/// Passwords of an older demo at the same place are of no use to anybody.
fn write_accounts(file: &Path, accounts: &[Account]) -> Result<()> {
    let text = serde_json::to_string_pretty(accounts).map_err(|error| StartError::new(error.to_string()))?;
    match std::fs::remove_file(file) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(StartError::new(format!("cannot replace {}: {error}", file.display())));
        }
        _ => {}
    }
    write_private_file(file, text.as_bytes())
}

/// Printed once: the leading group and one of each other level; the file has all.
fn table(accounts: &[Account], file: &Path) {
    super::say(&format!("{:<28} {:<22} {}", "login", "password", "role"));
    for account in accounts {
        super::say(&format!("{:<28} {:<22} {}", account.login, account.password, account.role));
    }
    super::say(&format!("all {} accounts, with their units: {}", accounts.len(), file.display()));
}
