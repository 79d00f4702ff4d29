//! `pingyi migrate`.

use pingyi::config::Settings;
use pingyi::db::migrate;
use pingyi::db::start::Result;

/// Brings the database to this program's version.
pub(crate) fn run(settings: &Settings) -> Result<()> {
    migrate::up(&settings.location()?, settings.admin_database_url.as_deref())?;
    super::say("the database is at this program's version");
    Ok(())
}
