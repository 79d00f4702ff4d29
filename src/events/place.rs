//! Where somebody is in what happens, as the `id` of an event: encrypted, since a bare position would tell how much
//! happens that the reader may not know of.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, RandomizedNonceKey, UnboundKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::kinds::EventKind;
use crate::access::{KeyRing, UserId};
use crate::audit::service::Spot;
use crate::db::TenantId;
use crate::errors::{AppError, Result};

/// What writes and reads the ids of a tenant's events; the same on every instance, which share their keys.
pub(super) struct Places<'k> {
    keys: &'k KeyRing,
    secret: [u8; 32],
    key: RandomizedNonceKey,
    tenant: String,
    /// Which kinds of events alone are told of from there on; empty for all.
    of: String,
}

impl<'k> Places<'k> {
    /// Those of a tenant.
    ///
    /// # Errors
    /// Never.
    pub(super) fn of(keys: &'k KeyRing, tenant: TenantId) -> Result<Self> {
        let tenant = tenant.to_string();
        let secret = keys.seal("event id", &[tenant.as_bytes()]);
        let key = RandomizedNonceKey::new(&AES_256_GCM, &secret).map_err(AppError::internal)?;
        Ok(Self { keys, secret, key, tenant, of: String::new() })
    }

    /// The same for somebody who is told of these kinds alone: their ids say nothing to whoever is told of others.
    pub(super) fn of_kinds(self, kinds: &[EventKind]) -> Self {
        let mut named: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
        named.sort_unstable();
        named.dedup();
        Self { of: named.join(" "), ..self }
    }

    fn bound(&self) -> Vec<u8> {
        format!("{}{}", self.tenant, self.of).into_bytes()
    }

    /// The id behind which somebody goes on who knows everything up to a place.
    ///
    /// # Errors
    /// When the random source fails.
    pub(super) fn id(&self, spot: Spot) -> Result<String> {
        let mut sealed = plain(spot);
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(self.bound()), &mut sealed)
            .map_err(AppError::internal)?;
        let mut bytes = nonce.as_ref().to_vec();
        bytes.extend_from_slice(&sealed);
        Ok(URL_SAFE_NO_PAD.encode(bytes))
    }

    /// The same place told to an account by the same id each time, where an answer is not to differ by what its reader may not
    /// know of: the nonce follows from what is sealed. It shows that two places are one, and nothing else.
    ///
    /// # Errors
    /// Never.
    pub(super) fn steady_id(&self, user: UserId, spot: Spot) -> Result<String> {
        let mut sealed = plain(spot);
        let drawn = self.keys.seal("place of a reader", &[&self.bound(), user.uuid().as_bytes(), &sealed]);
        let (nonce, _) =
            drawn.split_at_checked(NONCE_LEN).ok_or_else(|| AppError::internal("a digest is longer"))?;
        let key = UnboundKey::new(&AES_256_GCM, &self.secret).map_err(AppError::internal)?;
        let once = Nonce::try_assume_unique_for_key(nonce).map_err(AppError::internal)?;
        LessSafeKey::new(key)
            .seal_in_place_append_tag(once, Aad::from(self.bound()), &mut sealed)
            .map_err(AppError::internal)?;
        Ok(URL_SAFE_NO_PAD.encode([nonce, &sealed].concat()))
    }

    /// The place that an id tells, one of everything or of what is told here; none of one that is not ours.
    pub(super) fn spot(&self, id: &str) -> Option<Spot> {
        self.opened(id, self.tenant.clone().into_bytes()).or_else(|| self.opened(id, self.bound()))
    }

    fn opened(&self, id: &str, bound: Vec<u8>) -> Option<Spot> {
        let mut bytes = URL_SAFE_NO_PAD.decode(id).ok()?;
        let (nonce, sealed) = bytes.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let plain = self.key.open_in_place(nonce, Aad::from(bound), sealed).ok()?;
        let (position, mark) = plain.split_at_checked(8)?;
        let position = i64::from_be_bytes(position.try_into().ok()?);
        let mark = u32::from_be_bytes(mark.try_into().ok()?);
        (position >= 0).then_some(Spot { position, mark })
    }
}

fn plain(spot: Spot) -> Vec<u8> {
    let mut bytes = spot.position.to_be_bytes().to_vec();
    bytes.extend_from_slice(&spot.mark.to_be_bytes());
    bytes
}
