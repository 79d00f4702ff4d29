//! Refresh tokens: opaque to clients, one good at a time.
//!
//! A token names its session and generation and proves both by a keyed digest over the session's
//! nonce. Only a hash of the current one is kept. So the successor handed out a moment ago can be
//! made again for a client that lost the answer, and a thief with the database has nothing.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::access::{KeyRing, SessionId};
use crate::audit::hex;
use crate::db::{Instant, TenantId};

/// How long a session lives without use, seconds: inspectors are offline for days.
pub(super) const IDLE_SECONDS: i64 = 14 * 24 * 3600;
/// How long a session lives at most, seconds.
pub(super) const ABSOLUTE_SECONDS: i64 = 90 * 24 * 3600;
/// Within so many seconds a second refresh with the same token is a race, later it is theft.
pub(super) const RACE_SECONDS: i64 = 10;

/// A refresh token as presented.
#[derive(Debug, Clone, Copy)]
pub(super) struct Presented {
    pub tenant: TenantId,
    pub session: SessionId,
    pub generation: i64,
    proof: [u8; 32],
}

/// What a session's row says that decides about a refresh.
#[derive(Debug, Clone)]
pub(super) struct Family {
    pub generation: i64,
    pub rotated_at: Instant,
    pub rotation_key_hash: Option<String>,
    pub idle_until: Instant,
    pub expires_at: Instant,
    pub ended: bool,
}

/// What becomes of a refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is the current one: hand out the next generation.
    Rotate,
    /// The answer to the same request was lost: hand out the current generation again.
    Repeat,
    /// Another request has just rotated it.
    Superseded,
    /// An old token turns up again: somebody else has it.
    Reused,
    /// Ended or expired.
    Invalid,
}

/// Decides (security.md item 10). `key_hash` is the hash of the request's `Idempotency-Key`.
pub(super) fn judge(family: &Family, generation: i64, key_hash: Option<&str>, now: Instant) -> Verdict {
    if family.ended || family.idle_until <= now || family.expires_at <= now || generation > family.generation
    {
        return Verdict::Invalid;
    }
    if generation == family.generation {
        return Verdict::Rotate;
    }
    let recent = now < family.rotated_at.plus_seconds(RACE_SECONDS);
    match (generation + 1 == family.generation && recent, key_hash) {
        (true, Some(key)) if family.rotation_key_hash.as_deref() == Some(key) => Verdict::Repeat,
        (true, _) => Verdict::Superseded,
        (false, _) => Verdict::Reused,
    }
}

fn proof(keys: &KeyRing, tenant: TenantId, session: SessionId, generation: i64, nonce: &str) -> [u8; 32] {
    let (session, generation) = (session.uuid(), generation.to_be_bytes());
    keys.seal("refresh", &[tenant.as_str().as_bytes(), session.as_bytes(), &generation, nonce.as_bytes()])
}

/// The token of a generation.
pub(super) fn token(
    keys: &KeyRing,
    tenant: TenantId,
    session: SessionId,
    generation: i64,
    nonce: &str,
) -> String {
    let mut bytes = tenant.as_str().as_bytes().to_vec();
    bytes.extend_from_slice(session.uuid().as_bytes());
    bytes.extend_from_slice(&generation.to_be_bytes());
    bytes.extend_from_slice(&proof(keys, tenant, session, generation, nonce));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads a token; `None` for what is none of ours.
pub(super) fn parse(token: &str) -> Option<Presented> {
    let bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
    let (tenant, rest) = bytes.split_at_checked(2)?;
    let (session, rest) = rest.split_at_checked(16)?;
    let (generation, proof) = rest.split_at_checked(8)?;
    Some(Presented {
        tenant: TenantId::parse(std::str::from_utf8(tenant).ok()?)?,
        session: SessionId::from_uuid(uuid::Uuid::from_slice(session).ok()?),
        generation: i64::from_be_bytes(generation.try_into().ok()?),
        proof: proof.try_into().ok()?,
    })
}

/// Whether we made it.
pub(super) fn is_ours(keys: &KeyRing, presented: &Presented, nonce: &str) -> bool {
    let made = proof(keys, presented.tenant, presented.session, presented.generation, nonce);
    aws_lc_rs::constant_time::verify_slices_are_equal(&made, &presented.proof).is_ok()
}

/// The hash that is kept.
pub(super) fn hash(text: &str) -> String {
    hex(digest(&SHA256, text.as_bytes()).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_micros(1_800_000_000_000_000);

    fn family(rotated_seconds_ago: i64) -> Family {
        Family {
            generation: 7,
            rotated_at: NOW.plus_seconds(-rotated_seconds_ago),
            rotation_key_hash: Some("key".into()),
            idle_until: NOW.plus_seconds(60),
            expires_at: NOW.plus_seconds(60),
            ended: false,
        }
    }

    #[test]
    fn only_the_current_generation_rotates() {
        assert_eq!(judge(&family(100), 7, None, NOW), Verdict::Rotate);
        assert_eq!(judge(&family(100), 8, None, NOW), Verdict::Invalid);
    }

    #[test]
    fn the_one_before_is_a_race_for_ten_seconds_and_theft_afterwards() {
        assert_eq!(judge(&family(9), 6, None, NOW), Verdict::Superseded);
        assert_eq!(judge(&family(9), 6, Some("other"), NOW), Verdict::Superseded);
        assert_eq!(judge(&family(9), 6, Some("key"), NOW), Verdict::Repeat);
        assert_eq!(judge(&family(10), 6, Some("key"), NOW), Verdict::Reused);
        assert_eq!(judge(&family(0), 5, Some("key"), NOW), Verdict::Reused);
    }

    #[test]
    fn an_ended_or_expired_family_gives_nothing() {
        for spoil in [
            |family: &mut Family| family.ended = true,
            |family: &mut Family| family.idle_until = NOW,
            |family: &mut Family| family.expires_at = NOW,
        ] {
            let mut family = family(1);
            spoil(&mut family);
            for generation in 5..9 {
                assert_eq!(judge(&family, generation, Some("key"), NOW), Verdict::Invalid);
            }
        }
    }
}
