//! What the program does when it is called: one file a command.

pub(crate) mod admin;
pub(crate) mod attachments;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod demo;
pub(crate) mod migrate;
pub(crate) mod serve;

use std::io::Write;

use pingyi::config::{LogFormat, Settings};
use pingyi::db::start::{Result, StartError};
use tracing_subscriber::EnvFilter;

/// Tells whoever typed the command; standard output is for what was asked for.
pub(crate) fn say(line: &str) {
    // Nobody to tell is no reason to fail.
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// Starts logging to standard error.
pub(crate) fn log(settings: &Settings) -> Result<()> {
    let filter = EnvFilter::try_new(
        settings.log.as_deref().unwrap_or("info,actix_server=warn,actix_http::h1::dispatcher=off"),
    )
    .map_err(|error| StartError::new(format!("--log is not understood: {error}")))?;
    let ansi = std::io::IsTerminal::is_terminal(&std::io::stderr());
    // Whoever reads the log may have gone: to complain of that on the same closed pipe would panic,
    // in a handler as well as in the task that ends the program.
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(ansi)
        .with_writer(std::io::stderr)
        .log_internal_errors(false);
    match settings.log_format.unwrap_or_default() {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().flatten_event(true).init(),
    }
    Ok(())
}

/// Prints the document as it is checked in.
pub(crate) fn openapi() -> Result<()> {
    let (document, _) = pingyi::web::document(&pingyi::app::api());
    let text = serde_json::to_string_pretty(&document).map_err(|error| StartError::new(error.to_string()))?;
    writeln!(std::io::stdout(), "{text}").map_err(|error| StartError::new(error.to_string()))
}

/// Who typed the command, for the audit log.
pub(crate) fn os_user() -> String {
    ["SUDO_USER", "USER", "LOGNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "unknown".to_owned())
}

/// A runtime of one thread, for commands that do one thing after another.
pub(crate) fn block_on<R>(work: impl Future<Output = Result<R>>) -> Result<R> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| StartError::new(format!("cannot start: {error}")))?
        .block_on(work)
}
