//! What the headers of a request say.

use std::net::IpAddr;

use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap};

use super::endpoint::Endpoint;
use super::input::Body;
use super::serve::{Context, request_id};
use crate::access::{Claim, Facts, KeyRing, Precondition};
use crate::errors::{AppError, Code, FieldError, Place, Result, Text, text};

/// Characters of `If-Match` and `If-None-Match` at most.
const LONGEST_TAGS: usize = 400;
/// Characters of a `Last-Event-ID` at most; ours are shorter, and what is longer is none of ours.
const LONGEST_EVENT_ID: usize = 100;
/// Characters of an `Idempotency-Key` at most.
const LONGEST_KEY: usize = 128;

pub(super) fn text_header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = text_header(headers, header::AUTHORIZATION.as_str())?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

pub(super) fn facts_of<E: Endpoint>(request: &HttpRequest, context: &Context) -> Facts {
    // `If-Match` speaks of the object in the path, or of the one the path is the address of; where
    // there is none it has nothing to say.
    let has_object = E::Body::VERSIONED && (E::PATH.contains('{') || E::DEMANDS_VERSION);
    let if_match = text_header(request.headers(), header::IF_MATCH.as_str()).filter(|_| has_object);
    Facts {
        request_id: request_id(request),
        now: context.doors.now(),
        precondition: precondition(if_match, E::DEMANDS_VERSION),
        idempotency: None,
        address: address(request, &context.proxies),
        user_agent: text_header(request.headers(), header::USER_AGENT.as_str())
            .unwrap_or_default()
            .chars()
            .filter(|c| !c.is_control())
            .take(200)
            .collect(),
        // One that cannot be ours is an id that is not known, which is not the same as none.
        last_event_id: request.headers().get("Last-Event-ID").map(|id| {
            id.to_str().ok().filter(|id| id.len() <= LONGEST_EVENT_ID).unwrap_or_default().to_owned()
        }),
        list_scope: list_scope(request.path(), request.query_string()),
    }
}

/// The caller's address: the peer's, or what a trusted proxy says it is. Each proxy appends whom it
/// heard from, so the last address that is no proxy of ours is the one somebody of ours has seen.
fn address(request: &HttpRequest, proxies: &[IpAddr]) -> String {
    let Some(peer) = request.peer_addr().map(|peer| peer.ip()) else { return String::new() };
    if !proxies.contains(&peer) {
        return peer.to_string();
    }
    let said = request.headers().get_all(header::X_FORWARDED_FOR).filter_map(|value| value.to_str().ok());
    let hops: Vec<&str> = said.flat_map(|value| value.split(',')).map(str::trim).collect();
    let mut known = hops.iter().rev().map_while(|hop| hop.parse::<IpAddr>().ok());
    known.find(|hop| !proxies.contains(hop)).unwrap_or(peer).to_string()
}

/// What a cursor is bound to besides the caller: the path and every parameter but those that
/// only say which page.
fn list_scope(path: &str, query: &str) -> String {
    let mut pairs: Vec<_> = form_urlencoded::parse(query.as_bytes())
        .filter(|(name, _)| !matches!(name.as_ref(), "cursor" | "limit" | "count"))
        .collect();
    pairs.sort();
    pairs.iter().fold(path.to_owned(), |scope, (name, value)| format!("{scope}&{name}={value}"))
}

/// The version in an entity tag of ours: `"v12.9f…"` is version 12, and so is `"v12.9f….gzip"`.
fn precondition(header: Option<&str>, demanded: bool) -> Precondition {
    let Some(header) = header else {
        return if demanded { Precondition::Missing } else { Precondition::None };
    };
    if header.trim() == "*" {
        return Precondition::Any;
    }
    let version = |tag: &str| {
        let inner = tag.trim().strip_prefix("\"v")?.strip_suffix('"')?;
        inner.split('.').next()?.parse().ok()
    };
    // A tag that is none of ours (or a weak one) matches nothing.
    Precondition::Versions(header.split(',').filter_map(version).collect())
}

fn bad_header(name: &'static str, detail: Text) -> AppError {
    let error = FieldError { place: Place::Header(name), code: Code::WrongFormat, detail, facts: None };
    AppError::fields(Code::InvalidHeader, vec![error])
}

/// Entity tags of ours are short; a longer list of them is no caller's need.
pub(super) fn check_tags(headers: &HeaderMap) -> Result<()> {
    for (name, header) in [("If-Match", header::IF_MATCH), ("If-None-Match", header::IF_NONE_MATCH)] {
        if headers.get(header).is_some_and(|value| value.len() > LONGEST_TAGS) {
            let detail = text!(
                "{name} 至多 {LONGEST_TAGS} 个字符",
                "{name} may have at most {LONGEST_TAGS} characters"
            );
            return Err(bad_header(name, detail));
        }
    }
    Ok(())
}

pub(super) fn idempotency_claim<E: Endpoint>(
    request: &HttpRequest,
    keys: &KeyRing,
    body: &[u8],
) -> Result<Option<Claim>> {
    let Some(key) = request.headers().get("Idempotency-Key") else { return Ok(None) };
    let key = key.as_bytes();
    if !(1..=LONGEST_KEY).contains(&key.len()) {
        let detail = text!(
            "Idempotency-Key 须为 1 到 {LONGEST_KEY} 个字符",
            "Idempotency-Key must have 1 to {LONGEST_KEY} characters"
        );
        return Err(bad_header("Idempotency-Key", detail));
    }
    // Whatever bytes HTTP lets through are a key; as characters they fit any column of text.
    let key = key.iter().map(|byte| char::from(*byte)).collect();
    // A trial and the real thing are two requests.
    let target = request.uri().path_and_query().map_or_else(|| request.path(), |target| target.as_str());
    Ok(Some(Claim::new(keys, key, E::ID, target, body)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn only_a_trusted_proxy_says_where_a_request_comes_from() {
        let proxies: Vec<IpAddr> = vec!["10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()];
        let told = |peer: &str, said: &str| {
            let request = TestRequest::default()
                .peer_addr(format!("{peer}:40000").parse().unwrap())
                .insert_header((header::X_FORWARDED_FOR, said))
                .to_http_request();
            address(&request, &proxies)
        };
        assert_eq!(told("203.0.113.9", "198.51.100.7"), "203.0.113.9", "a stranger says what it likes");
        assert_eq!(told("10.0.0.1", "198.51.100.7"), "198.51.100.7");
        assert_eq!(told("10.0.0.1", "1.2.3.4, 198.51.100.7, 10.0.0.2"), "198.51.100.7", "the last we saw");
        assert_eq!(told("10.0.0.1", "198.51.100.7, unknown"), "10.0.0.1", "what cannot be read says nothing");
        assert_eq!(told("10.0.0.1", "10.0.0.2"), "10.0.0.1");
    }
}
