//! The command line: `serve`, `demo`, `migrate`, `admin`, `attachments`, `audit`, `backup`, `openapi`.

mod commands;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use pingyi::config::Settings;

/// 评议: 省级公安机关主题评议活动。
#[derive(Parser)]
#[command(version, about, long_about = None)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Settings file (TOML); flags and environment come first
    #[arg(long, global = true, env = "PINGYI_CONFIG", value_name = "FILE")]
    config: Option<std::path::PathBuf>,
    #[command(flatten)]
    settings: Settings,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API
    Serve,
    /// Load the demo provinces, if they are not there yet, and serve them
    Demo(commands::demo::DemoArgs),
    /// Bring the database to this program's version
    Migrate,
    /// Accounts and keys that must be there before anybody can sign in
    Admin {
        #[command(subcommand)]
        command: commands::admin::AdminCommand,
    },
    /// The files of attachments, which stand beside the database: check that they are there
    Attachments {
        #[command(subcommand)]
        command: commands::attachments::AttachmentsCommand,
    },
    /// The audit log: check its chain, write it out, tell the key of its checkpoints
    Audit {
        #[command(subcommand)]
        command: commands::audit::AuditCommand,
    },
    /// Copies of the database, without the files of attachments: write one, check one, put one back
    Backup {
        #[command(subcommand)]
        command: commands::backup::BackupCommand,
    },
    /// Print the OpenAPI document
    Openapi,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = cli.settings.complete(cli.config.as_deref()).and_then(|settings| {
        commands::log(&settings)?;
        match cli.command {
            Command::Serve => commands::serve::run(&settings),
            Command::Demo(args) => commands::demo::run(&settings, &args),
            Command::Migrate => commands::migrate::run(&settings),
            Command::Admin { command } => commands::admin::run(&settings, &command),
            Command::Attachments { command } => commands::attachments::run(&settings, &command),
            Command::Audit { command } => commands::audit::run(&settings, &command),
            Command::Backup { command } => commands::backup::run(&settings, &command),
            Command::Openapi => commands::openapi(),
        }
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            commands::say(&format!("pingyi: {error}"));
            ExitCode::FAILURE
        }
    }
}
