//! Where the bytes of files are kept: in a folder of this machine, or in a bucket of an S3-compatible store, which several
//! instances share. What is once there never changes; what is known of it stands in the database.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Bytes;
use futures_util::stream::{BoxStream, StreamExt};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path as Key;
use object_store::{ClientOptions, GetOptions, ObjectStore, ObjectStoreExt, RetryConfig};

use crate::db::migrate;
use crate::db::start::{self, StartError};
use crate::errors::{AppError, Result};

/// How long a store elsewhere may take for one answer.
const ANSWER: Duration = Duration::from_secs(20);
/// How long what fails there is tried again.
const PATIENCE: Duration = Duration::from_secs(10);

/// A bucket of an S3-compatible store.
#[derive(Clone)]
pub struct Bucket {
    /// Its name.
    pub name: String,
    /// What the names of all files in it begin with; may be empty.
    pub prefix: String,
    /// The store's address; none for the one of its region at Amazon's.
    pub endpoint: Option<String>,
    /// The region, `us-east-1` where the store knows none.
    pub region: String,
    /// The key's id.
    pub access_key_id: String,
    /// The key.
    pub secret_access_key: String,
}

/// Where the bytes of files are kept.
#[derive(Clone)]
pub struct Files {
    store: Arc<dyn ObjectStore>,
    prefix: Key,
}

fn trouble(error: object_store::Error) -> AppError {
    AppError::unavailable(5, error)
}

impl Files {
    /// In a folder, which is made when it is not there. What is said to be kept has been written to the disk.
    ///
    /// # Errors
    /// A sentence when the folder cannot be made or used.
    pub fn folder(dir: &Path) -> start::Result<Self> {
        let name = dir.display();
        migrate::create_private_dir(dir)?;
        let store = LocalFileSystem::new_with_prefix(dir)
            .map_err(|error| StartError::new(format!("cannot use the folder {name}: {error}")))?
            .with_fsync(true);
        Ok(Self { store: Arc::new(store), prefix: Key::default() })
    }

    /// In a bucket. Nothing is asked of it yet.
    ///
    /// # Errors
    /// A sentence when the settings are no bucket's.
    pub fn bucket(bucket: Bucket) -> start::Result<Self> {
        let Bucket { name, prefix, endpoint, region, access_key_id, secret_access_key } = bucket;
        let options = ClientOptions::new().with_timeout(ANSWER).with_connect_timeout(Duration::from_secs(5));
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(&name)
            .with_region(region)
            .with_access_key_id(access_key_id)
            .with_secret_access_key(secret_access_key)
            // Not every store that speaks S3 deletes many at once.
            .with_disable_bulk_delete(true)
            .with_client_options(options)
            .with_retry(RetryConfig { max_retries: 2, retry_timeout: PATIENCE, ..RetryConfig::default() });
        if let Some(endpoint) = endpoint {
            builder = builder.with_allow_http(endpoint.starts_with("http://")).with_endpoint(endpoint);
        }
        let store = builder
            .build()
            .map_err(|error| StartError::new(format!("cannot use the bucket {name}: {error}")))?;
        let prefix = Key::parse(&prefix)
            .map_err(|error| StartError::new(format!("{prefix} is no name in a bucket: {error}")))?;
        Ok(Self { store: Arc::new(store), prefix })
    }

    fn key(&self, name: &str) -> Key {
        name.split('/').fold(self.prefix.clone(), Key::join)
    }

    /// Keeps bytes under a name that nothing has been kept under before.
    ///
    /// # Errors
    /// `unavailable` when they cannot be kept.
    pub async fn keep(&self, name: &str, bytes: Bytes) -> Result<()> {
        self.store.put(&self.key(name), bytes.into()).await.map(|_| ()).map_err(trouble)
    }

    /// Some of the bytes under a name, piece by piece.
    ///
    /// # Errors
    /// `unavailable` when they cannot be had.
    pub async fn read(&self, name: &str, range: Range<u64>) -> Result<BoxStream<'static, Result<Bytes>>> {
        let options = GetOptions { range: Some(range.into()), ..GetOptions::default() };
        let found = self.store.get_opts(&self.key(name), options).await.map_err(trouble)?;
        Ok(found.into_stream().map(|piece| piece.map_err(trouble)).boxed())
    }

    /// How many bytes are kept under a name; none where nothing is.
    ///
    /// # Errors
    /// `unavailable` when that cannot be told.
    pub async fn length(&self, name: &str) -> Result<Option<u64>> {
        match self.store.head(&self.key(name)).await {
            Ok(found) => Ok(Some(found.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(trouble(error)),
        }
    }

    /// Takes away what is kept under a name, if anything is.
    ///
    /// # Errors
    /// `unavailable` when it cannot be taken away.
    pub async fn remove(&self, name: &str) -> Result<()> {
        match self.store.delete(&self.key(name)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(trouble(error)),
        }
    }
}
