//! The keys of an installation: Ed25519 for access tokens (the first signs, all verify, so that
//! keys rotate with overlap), and one secret for refresh tokens and cursors.

use std::path::Path;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use aws_lc_rs::{digest, hmac};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::audit::hex;
use crate::db::start::{Result, StartError};

/// The keys as the file keeps them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// PKCS#8 of Ed25519 key pairs, base64; the first signs.
    signing_keys: Vec<String>,
    /// 32 random bytes, base64.
    secret: String,
}

struct SigningKey {
    kid: String,
    public: Vec<u8>,
    encoding: EncodingKey,
    decoding: DecodingKey,
}

/// The keys, ready for use.
pub struct KeyRing {
    keys: Vec<SigningKey>,
    secret: hmac::Key,
}

impl std::fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyRing")
            .field("kids", &self.keys.iter().map(|key| &key.kid).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

impl KeyRing {
    /// Reads the key file.
    ///
    /// # Errors
    /// A sentence when it is missing, readable by others, or its keys are no good.
    pub fn load(path: &Path) -> Result<Self> {
        let name = path.display();
        let text = std::fs::read_to_string(path)
            .map(Zeroizing::new)
            .map_err(|error| StartError::new(format!("cannot read the key file {name}: {error}")))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(path).map_or(0, |meta| meta.permissions().mode());
            if mode & 0o077 != 0 {
                return Err(StartError::new(format!("others can read the key file {name}: chmod 600 it")));
            }
        }
        let file: File = serde_json::from_str(&text)
            .map_err(|error| StartError::new(format!("the key file {name} is damaged: {error}")))?;
        Self::from_file(&file)
            .map_err(|why| StartError::new(format!("the key file {name} is no good: {why}")))
    }

    /// Makes a key file, mode 600, if there is none, and reads it.
    ///
    /// # Errors
    /// A sentence when it cannot be made or read.
    pub fn load_or_create(path: &Path) -> Result<Self> {
        if !path.exists() {
            Self::create(path)?;
        }
        Self::load(path)
    }

    /// Makes a new key file, mode 600; an existing one is never overwritten.
    ///
    /// # Errors
    /// A sentence when it exists or cannot be written.
    pub fn create(path: &Path) -> Result<()> {
        let trouble = |error: &dyn std::fmt::Display| {
            StartError::new(format!("cannot make the key file {}: {error}", path.display()))
        };
        if let Some(dir) = path.parent() {
            crate::db::migrate::create_private_dir(dir)?;
        }
        let random = SystemRandom::new();
        let pair = Ed25519KeyPair::generate_pkcs8(&random).map_err(|error| trouble(&error))?;
        let mut secret = Zeroizing::new([0_u8; 32]);
        aws_lc_rs::rand::fill(&mut *secret).map_err(|error| trouble(&error))?;
        let file =
            File { signing_keys: vec![STANDARD.encode(pair.as_ref())], secret: STANDARD.encode(*secret) };
        let text = Zeroizing::new(serde_json::to_string_pretty(&file).map_err(|error| trouble(&error))?);
        crate::config::write_private_file(path, text.as_bytes())
    }

    fn from_file(file: &File) -> std::result::Result<Self, String> {
        let secret = Zeroizing::new(STANDARD.decode(&file.secret).map_err(|error| error.to_string())?);
        if secret.len() < 32 || secret.iter().all(|byte| Some(byte) == secret.first()) {
            return Err("the secret must be 32 random bytes".into());
        }
        let keys = file
            .signing_keys
            .iter()
            .map(|text| SigningKey::parse(text))
            .collect::<std::result::Result<Vec<_>, _>>()?;
        if keys.is_empty() {
            return Err("there is no signing key".into());
        }
        Ok(Self { keys, secret: hmac::Key::new(hmac::HMAC_SHA256, &secret) })
    }

    /// The key that signs, and its id.
    #[must_use]
    pub(super) fn signing(&self) -> Option<(&str, &EncodingKey)> {
        self.keys.first().map(|key| (key.kid.as_str(), &key.encoding))
    }

    /// The key with this id.
    #[must_use]
    pub(super) fn verifying(&self, kid: &str) -> Option<&DecodingKey> {
        self.keys.iter().find(|key| key.kid == kid).map(|key| &key.decoding)
    }

    /// The public keys: id, and the key as a JSON Web Key spells it (RFC 8037).
    pub fn public(&self) -> impl Iterator<Item = (String, String)> {
        self.keys.iter().map(|key| (key.kid.clone(), URL_SAFE_NO_PAD.encode(&key.public)))
    }

    /// A keyed digest for `purpose` over `parts`, each framed by its length.
    #[must_use]
    pub fn seal(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.secret);
        for part in [purpose.as_bytes()].into_iter().chain(parts.iter().copied()) {
            context.update(&(part.len() as u64).to_be_bytes());
            context.update(part);
        }
        let mut sealed = [0; 32];
        for (to, from) in sealed.iter_mut().zip(context.sign().as_ref()) {
            *to = *from;
        }
        sealed
    }
}

impl SigningKey {
    fn parse(text: &str) -> std::result::Result<Self, String> {
        let der = Zeroizing::new(STANDARD.decode(text).map_err(|error| error.to_string())?);
        let pair = Ed25519KeyPair::from_pkcs8(&der).map_err(|error| error.to_string())?;
        let public = pair.public_key().as_ref().to_vec();
        let decoding = DecodingKey::from_ed_components(&URL_SAFE_NO_PAD.encode(&public))
            .map_err(|error| error.to_string())?;
        // The id follows from the key, so that two instances that share a file agree on it.
        let kid = hex(digest::digest(&digest::SHA256, &public).as_ref().get(..8).unwrap_or_default());
        Ok(Self { kid, public, encoding: EncodingKey::from_ed_der(&der), decoding })
    }
}
