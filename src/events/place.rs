//! Where somebody is in what happens, as the `id` of an event: encrypted, since a bare position would tell how much
//! happens that the reader may not know of.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::access::KeyRing;
use crate::audit::service::Spot;
use crate::db::TenantId;
use crate::errors::{AppError, Result};

/// What writes and reads the ids of a tenant's events; the same on every instance, which share their keys.
pub(super) struct Places {
    key: RandomizedNonceKey,
    tenant: String,
}

impl Places {
    /// Those of a tenant.
    ///
    /// # Errors
    /// Never.
    pub(super) fn of(keys: &KeyRing, tenant: TenantId) -> Result<Self> {
        let tenant = tenant.to_string();
        let secret = keys.seal("event id", &[tenant.as_bytes()]);
        let key = RandomizedNonceKey::new(&AES_256_GCM, &secret).map_err(AppError::internal)?;
        Ok(Self { key, tenant })
    }

    /// The id behind which somebody goes on who knows everything up to a place.
    ///
    /// # Errors
    /// When the random source fails.
    pub(super) fn id(&self, spot: Spot) -> Result<String> {
        let mut sealed = spot.position.to_be_bytes().to_vec();
        sealed.extend_from_slice(&spot.mark.to_be_bytes());
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(self.tenant.as_bytes()), &mut sealed)
            .map_err(AppError::internal)?;
        let mut bytes = nonce.as_ref().to_vec();
        bytes.extend_from_slice(&sealed);
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The place that an id tells; none of one that is not ours.
    pub(super) fn spot(&self, id: &str) -> Option<Spot> {
        let mut bytes = URL_SAFE_NO_PAD.decode(id).ok()?;
        let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let plain = self.key.open_in_place(nonce, Aad::from(self.tenant.as_bytes()), sealed).ok()?;
        let (position, mark) = plain.split_at_checked(8)?;
        let position = i64::from_be_bytes(position.try_into().ok()?);
        let mark = u32::from_be_bytes(mark.try_into().ok()?);
        (position >= 0).then_some(Spot { position, mark })
    }
}
