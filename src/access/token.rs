//! Access tokens: JWTs signed with Ed25519, good for 15 minutes, verified once and then remembered
//! until they expire.

use jsonwebtoken::{Algorithm, Header, Validation, decode, decode_header, encode};
use moka::sync::Cache;
use serde::{Deserialize, Serialize};

use super::keys::KeyRing;
use super::tx::{SessionId, UserId};
use crate::db::{Instant, TenantId};
use crate::errors::{AppError, Code, Result};

/// How long an access token is good, seconds (ASVS V9; security.md item 10: at most 15 minutes).
pub const ACCESS_SECONDS: i64 = 15 * 60;
const ISSUER: &str = "pingyi";
const AUDIENCE: &str = "pingyi-api";
const TYPE: &str = "at+jwt";
/// Verified tokens remembered at most; each is under a kilobyte.
const REMEMBERED: u64 = 20_000;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    iss: String,
    aud: String,
    sub: UserId,
    tid: String,
    sid: SessionId,
    iat: i64,
    nbf: i64,
    exp: i64,
}

/// What a good token says.
#[derive(Debug, Clone, Copy)]
pub struct Claims {
    /// The account.
    pub user: UserId,
    /// Its tenant.
    pub tenant: TenantId,
    /// The session it was issued in.
    pub session: SessionId,
    not_before: i64,
    expires: i64,
}

impl Claims {
    /// Whether the time of the token is over.
    #[must_use]
    pub fn has_expired(&self, now: Instant) -> bool {
        self.expires <= now.seconds()
    }
}

/// Issues and verifies access tokens.
pub struct Tokens {
    verified: Cache<String, Claims>,
    validation: Validation,
}

impl Default for Tokens {
    fn default() -> Self {
        let mut validation = Validation::new(Algorithm::EdDSA);
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[AUDIENCE]);
        validation.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
        // Times are compared with the program's clock below, on every use, not only the first.
        validation.validate_exp = false;
        validation.validate_nbf = false;
        Self { verified: Cache::new(REMEMBERED), validation }
    }
}

impl Tokens {
    /// Signs a token for the session.
    ///
    /// # Errors
    /// When there is no signing key, which the start has ruled out.
    pub fn issue(
        keys: &KeyRing,
        now: Instant,
        tenant: TenantId,
        user: UserId,
        session: SessionId,
    ) -> Result<String> {
        let (kid, key) = keys.signing().ok_or_else(|| AppError::internal("no signing key"))?;
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = Some(TYPE.into());
        header.kid = Some(kid.into());
        let iat = now.seconds();
        let wire = Wire {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: user,
            tid: tenant.to_string(),
            sid: session,
            iat,
            nbf: iat,
            exp: iat + ACCESS_SECONDS,
        };
        encode(&header, &wire, key).map_err(AppError::internal)
    }

    /// Verifies a token: signature, algorithm, key, type, issuer, audience, times.
    ///
    /// # Errors
    /// `token_invalid`, whatever is wrong: the caller learns no more.
    pub fn verify(&self, keys: &KeyRing, now: Instant, token: &str) -> Result<Claims> {
        let invalid = || AppError::new(Code::TokenInvalid);
        let claims = if let Some(claims) = self.verified.get(token) {
            claims
        } else {
            let claims = self.decode(keys, token).ok_or_else(invalid)?;
            self.verified.insert(token.to_owned(), claims);
            claims
        };
        if claims.not_before > now.seconds() || claims.has_expired(now) {
            return Err(invalid());
        }
        Ok(claims)
    }

    fn decode(&self, keys: &KeyRing, token: &str) -> Option<Claims> {
        let header = decode_header(token).ok()?;
        // What we have not written into it is not ours: a key of its own, where to find one, what must be understood.
        let mut ours = Header::new(Algorithm::EdDSA);
        ours.typ = Some(TYPE.into());
        ours.kid.clone_from(&header.kid);
        if header != ours {
            return None;
        }
        let key = keys.verifying(header.kid.as_deref()?)?;
        let wire = decode::<Wire>(token, key, &self.validation).ok()?.claims;
        Some(Claims {
            user: wire.sub,
            tenant: TenantId::parse(&wire.tid)?,
            session: wire.sid,
            not_before: wire.nbf,
            expires: wire.exp,
        })
    }
}
