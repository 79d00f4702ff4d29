//! Settings: flags before environment before file before defaults; printed redacted at start.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Deserialize;

use crate::db::start::{Result, StartError};
use crate::db::{Limits, Location};
use crate::files::{Bucket, Files};

/// How log lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// A line of text.
    #[default]
    Text,
    /// A line that is one JSON object.
    Json,
}

/// What every command may be told. Each flag has an environment variable and a key of the same name
/// in the file of `--config` (TOML, `snake_case`).
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, global = true, env = "PINGYI_LISTEN", value_name = "ADDRESS:PORT")]
    pub listen: Option<String>,
    /// Directory of the embedded database and the keys [default: pingyi-data]
    #[arg(long, global = true, env = "PINGYI_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// PostgreSQL instead of the embedded database: `postgres://…` of the plain application role
    #[arg(long, global = true, env = "PINGYI_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// PostgreSQL as the owner of the tables: for migrations only
    #[arg(
        long,
        global = true,
        env = "PINGYI_ADMIN_DATABASE_URL",
        hide_env_values = true,
        value_name = "URL"
    )]
    pub admin_database_url: Option<String>,
    /// The key file [default: keys.json in the data directory]
    #[arg(long, global = true, env = "PINGYI_KEY_FILE", value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// File to which the checkpoints of the audit log are added [default: audit-checkpoints.txt in the data directory]
    #[arg(long, global = true, env = "PINGYI_CHECKPOINT_FILE", value_name = "FILE")]
    pub checkpoint_file: Option<PathBuf>,
    /// Where attachments are kept: a folder, or `s3://BUCKET/PREFIX` of an S3-compatible store, which several instances
    /// share [default: files in the data directory]
    #[arg(long, global = true, env = "PINGYI_FILES", value_name = "DIR|s3://BUCKET/PREFIX")]
    pub files: Option<String>,
    /// Address of the S3-compatible store [default: Amazon's, of the region]
    #[arg(long, global = true, env = "PINGYI_S3_ENDPOINT", value_name = "URL")]
    pub s3_endpoint: Option<String>,
    /// Region of the S3-compatible store [default: us-east-1]
    #[arg(long, global = true, env = "PINGYI_S3_REGION", value_name = "REGION")]
    pub s3_region: Option<String>,
    /// The id of the key to the S3-compatible store
    #[arg(long, global = true, env = "PINGYI_S3_ACCESS_KEY_ID", value_name = "ID")]
    pub s3_access_key_id: Option<String>,
    /// The key to the S3-compatible store
    #[arg(
        long,
        global = true,
        env = "PINGYI_S3_SECRET_ACCESS_KEY",
        hide_env_values = true,
        value_name = "KEY"
    )]
    pub s3_secret_access_key: Option<String>,
    /// Address and port where /metrics is told to whoever watches the server; it asks for no account [default: nowhere]
    #[arg(long, global = true, env = "PINGYI_METRICS_LISTEN", value_name = "ADDRESS:PORT")]
    pub metrics_listen: Option<String>,
    /// How log lines are written: text for people, json for a collector [default: text]
    #[arg(long, global = true, env = "PINGYI_LOG_FORMAT", value_name = "FORMAT")]
    pub log_format: Option<LogFormat>,
    /// Web origin whose pages may call; repeat for several, `*` for any [default: none]
    #[arg(
        long = "cors-origin",
        global = true,
        env = "PINGYI_CORS_ORIGINS",
        value_delimiter = ',',
        value_name = "ORIGIN"
    )]
    #[serde(default)]
    pub cors_origins: Vec<String>,
    /// Address of a reverse proxy whose X-Forwarded-For is believed; repeat for several. Failed logins
    /// are counted per address, so behind a proxy this is needed [default: none]
    #[arg(
        long = "trusted-proxy",
        global = true,
        env = "PINGYI_TRUSTED_PROXIES",
        value_delimiter = ',',
        value_name = "ADDRESS"
    )]
    #[serde(default)]
    pub trusted_proxies: Vec<IpAddr>,
    /// Requests that an account (signed out: an address) may make in a minute at this instance, 0 for as many as it
    /// likes [default: 60000]
    #[arg(long, global = true, env = "PINGYI_RATE_LIMIT", value_name = "N")]
    pub rate_limit: Option<u32>,
    /// Milliseconds for which readiness fails before the listener closes once the server is told to end, so that a
    /// balancer looks away first [default: 500]
    #[arg(long, global = true, env = "PINGYI_LOOK_AWAY_MS", value_name = "N")]
    pub look_away_ms: Option<u32>,
    /// Database connections [default: 8]
    #[arg(long, global = true, env = "PINGYI_CONNECTIONS", value_name = "N")]
    pub connections: Option<u32>,
    /// Worker threads [default: one a core]
    #[arg(long, global = true, env = "PINGYI_WORKERS", value_name = "N")]
    pub workers: Option<usize>,
    /// What to log, as `tracing` filters read it [default: info]
    #[arg(long, global = true, env = "PINGYI_LOG", value_name = "FILTER")]
    pub log: Option<String>,
}

impl Settings {
    /// Fills what neither flag nor environment gave from the file.
    ///
    /// # Errors
    /// A sentence when the file cannot be read or has a key we do not know.
    pub fn complete(self, file: Option<&Path>) -> Result<Self> {
        let Some(path) = file else { return Ok(self) };
        let name = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|error| StartError::new(format!("cannot read {name}: {error}")))?;
        let file: Self = toml::from_str(&text)
            .map_err(|error| StartError::new(format!("{name} is not understood: {error}")))?;
        Ok(Self {
            listen: self.listen.or(file.listen),
            data_dir: self.data_dir.or(file.data_dir),
            database_url: self.database_url.or(file.database_url),
            admin_database_url: self.admin_database_url.or(file.admin_database_url),
            key_file: self.key_file.or(file.key_file),
            checkpoint_file: self.checkpoint_file.or(file.checkpoint_file),
            files: self.files.or(file.files),
            s3_endpoint: self.s3_endpoint.or(file.s3_endpoint),
            s3_region: self.s3_region.or(file.s3_region),
            s3_access_key_id: self.s3_access_key_id.or(file.s3_access_key_id),
            s3_secret_access_key: self.s3_secret_access_key.or(file.s3_secret_access_key),
            metrics_listen: self.metrics_listen.or(file.metrics_listen),
            log_format: self.log_format.or(file.log_format),
            cors_origins: if self.cors_origins.is_empty() { file.cors_origins } else { self.cors_origins },
            trusted_proxies: if self.trusted_proxies.is_empty() {
                file.trusted_proxies
            } else {
                self.trusted_proxies
            },
            rate_limit: self.rate_limit.or(file.rate_limit),
            look_away_ms: self.look_away_ms.or(file.look_away_ms),
            connections: self.connections.or(file.connections),
            workers: self.workers.or(file.workers),
            log: self.log.or(file.log),
        })
    }

    /// Where to listen.
    #[must_use]
    pub fn listen(&self) -> &str {
        self.listen.as_deref().unwrap_or("127.0.0.1:8080")
    }

    /// The data directory.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        self.data_dir.as_deref().unwrap_or_else(|| Path::new("pingyi-data"))
    }

    /// The key file.
    #[must_use]
    pub fn key_file(&self) -> PathBuf {
        self.key_file.clone().unwrap_or_else(|| self.data_dir().join("keys.json"))
    }

    /// The file of checkpoints.
    #[must_use]
    pub fn checkpoint_file(&self) -> PathBuf {
        self.checkpoint_file.clone().unwrap_or_else(|| self.data_dir().join("audit-checkpoints.txt"))
    }

    /// Where attachments are kept.
    ///
    /// # Errors
    /// A sentence when the folder cannot be made, or the bucket's settings are not whole.
    pub fn files(&self) -> Result<Files> {
        let Some(place) = self.files.as_deref() else { return Files::folder(&self.data_dir().join("files")) };
        let Some(rest) = place.strip_prefix("s3://") else { return Files::folder(Path::new(place)) };
        let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let needed = |value: &Option<String>, flag: &str| {
            value.clone().ok_or_else(|| StartError::new(format!("--files {place} needs {flag}")))
        };
        Files::bucket(Bucket {
            name: name.to_owned(),
            prefix: prefix.to_owned(),
            endpoint: self.s3_endpoint.clone(),
            region: self.s3_region.clone().unwrap_or_else(|| "us-east-1".to_owned()),
            access_key_id: needed(&self.s3_access_key_id, "--s3-access-key-id")?,
            secret_access_key: needed(&self.s3_secret_access_key, "PINGYI_S3_SECRET_ACCESS_KEY")?,
        })
    }

    /// Where the data is.
    ///
    /// # Errors
    /// A sentence for an address that is not PostgreSQL's.
    pub fn location(&self) -> Result<Location> {
        match &self.database_url {
            None => Ok(Location::embedded(self.data_dir())),
            Some(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
                Ok(Location::Postgres(url.clone()))
            }
            Some(_) => Err(StartError::new(
                "--database-url must begin with postgres://; without it the data is embedded",
            )),
        }
    }

    /// Requests that a caller may make in a minute; 0 for as many as it likes.
    #[must_use]
    pub fn rate_limit(&self) -> u32 {
        self.rate_limit.unwrap_or(60_000)
    }

    /// How long readiness fails before the listener closes.
    #[must_use]
    pub fn look_away(&self) -> Duration {
        Duration::from_millis(self.look_away_ms.unwrap_or(500).into())
    }

    /// How much at once.
    #[must_use]
    pub fn limits(&self) -> Limits {
        let limits = Limits::default();
        Limits { connections: self.connections.unwrap_or(limits.connections).max(1), ..limits }
    }

    /// Worker threads.
    #[must_use]
    pub fn workers(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        self.workers.unwrap_or_else(cores).max(1)
    }

    /// The settings in one line, without passwords.
    #[must_use]
    pub fn redacted(&self) -> String {
        let database = self.database_url.as_deref().map_or_else(|| "embedded".to_owned(), redact);
        format!(
            "listen={} data_dir={} database={database} files={} key_file={} cors_origins={:?} trusted_proxies={:?} \
             connections={} workers={}",
            self.listen(),
            self.data_dir().display(),
            self.files.as_deref().unwrap_or("in the data directory"),
            self.key_file().display(),
            self.cors_origins,
            self.trusted_proxies,
            self.limits().connections,
            self.workers(),
        )
    }
}

/// Takes the password out of a database's address.
fn redact(url: &str) -> String {
    match url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.rsplit_once('@')?))) {
        Some((scheme, (user, host))) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}:***@{}", host.split('?').next().unwrap_or_default())
        }
        None => url.split('?').next().unwrap_or_default().to_owned(),
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_printed() {
        assert_eq!(
            redact("postgres://app:s3cr@t@db.gov.cn:5432/pingyi?x=1"),
            "postgres://app:***@db.gov.cn:5432/pingyi"
        );
        let settings =
            Settings { database_url: Some("postgres://app:geheim@h/d".into()), ..Settings::default() };
        assert!(!settings.redacted().contains("geheim"));
        let settings = Settings {
            files: Some("s3://photos/pingyi".into()),
            s3_secret_access_key: Some("geheim".into()),
            ..Settings::default()
        };
        assert!(!settings.redacted().contains("geheim"));
        let told = settings.files().err().map(|error| error.to_string()).unwrap_or_default();
        assert!(told.contains("--s3-access-key-id") && !told.contains("geheim"), "{told}");
    }

    #[test]
    fn flags_and_environment_come_before_the_file_and_unknown_keys_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("pingyi.toml");
        std::fs::write(&file, "listen = \"127.0.0.1:1\"\nconnections = 3\nlook_away_ms = 9000\n").unwrap();
        let given = Settings { listen: Some("127.0.0.1:2".into()), ..Settings::default() };
        let whole = given.clone().complete(Some(&file)).unwrap();
        assert_eq!((whole.listen(), whole.limits().connections), ("127.0.0.1:2", 3));
        let waits = [whole.look_away(), given.look_away()];
        assert_eq!(waits, [Duration::from_secs(9), Duration::from_millis(500)]);
        std::fs::write(&file, "lissen = 1").unwrap();
        assert!(given.complete(Some(&file)).is_err());
    }
}
