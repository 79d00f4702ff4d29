//! Access tokens: whatever is wrong with one, the answer is 401 `token_invalid` and says no more.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::support::{World, both};

/// A good token, and what it takes to make another.
struct Forge {
    good: String,
    header: Value,
    claims: Value,
    key: EncodingKey,
    pair: Ed25519KeyPair,
    public: Vec<u8>,
}

fn decoded(part: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

impl Forge {
    fn of(world: &World) -> Self {
        let good = world.as_("53-liaison").token().to_owned();
        let parts: Vec<&str> = good.split('.').collect();
        let file = world.key_file();
        let der = STANDARD.decode(file["signing_keys"][0].as_str().unwrap()).unwrap();
        let keys = world.anonymous().get("/.well-known/jwks.json").expect(200, "").json();
        let public = URL_SAFE_NO_PAD.decode(keys["keys"][0]["x"].as_str().unwrap()).unwrap();
        let (header, claims) = (decoded(parts[0]), decoded(parts[1]));
        let pair = Ed25519KeyPair::from_pkcs8(&der).unwrap();
        Self { good, header, claims, key: EncodingKey::from_ed_der(&der), pair, public }
    }

    /// Signed with the server's own key.
    fn signed(&self, header: &Header, claims: &Value) -> String {
        encode(header, claims, &self.key).unwrap()
    }

    fn plain_header(&self) -> Header {
        let mut header = Header::new(Algorithm::EdDSA);
        header.typ = self.header["typ"].as_str().map(ToOwned::to_owned);
        header.kid = self.header["kid"].as_str().map(ToOwned::to_owned);
        header
    }

    /// The good claims with one changed; null takes it out.
    fn with(&self, name: &str, value: Value) -> Value {
        let mut claims = self.claims.clone();
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value;
        }
        claims
    }
}

/// Each is refused as all others are; the good one goes on being good.
fn all_refused(world: &World, forge: &Forge, tokens: Vec<(&str, String)>) {
    let who = world.bearing(&forge.good);
    who.get("/plans").expect(200, "");
    let model = world.bearing("x.y.z").get("/plans").expect(401, "token_invalid");
    let without_id = |reply: &crate::support::client::Reply| {
        reply.text().replace(reply.header("x-request-id").unwrap_or_default(), "ID")
    };
    for (what, token) in tokens {
        let reply = world.bearing(&token).get("/plans");
        assert!(reply.status == 401 && reply.code() == "token_invalid", "{what}: {}", reply.story());
        assert_eq!(without_id(&reply), without_id(&model), "{what} says more than that it is invalid");
    }
    who.get("/plans").expect(200, "");
    world.bearing("").get("/plans").expect(401, "unauthenticated");
}

both! {
    fn nothing_but_our_own_good_token_opens(world) {
        let forge = Forge::of(world);
        let now = world.clock.now().seconds();
        let head = |change: &dyn Fn(&mut Header)| {
            let mut header = forge.plain_header();
            change(&mut header);
            forge.signed(&header, &forge.claims)
        };
        let claim = |name: &str, value: Value| forge.signed(&forge.plain_header(), &forge.with(name, value));
        let parts: Vec<&str> = forge.good.split('.').collect();
        let hs = |secret: &[u8]| {
            let mut header = Header::new(Algorithm::HS256);
            header.typ.clone_from(&forge.plain_header().typ);
            header.kid.clone_from(&forge.plain_header().kid);
            encode(&header, &forge.claims, &EncodingKey::from_secret(secret)).unwrap()
        };
        let none = |name: &str| {
            let mut header = forge.header.clone();
            header["alg"] = json!(name);
            format!("{}.{}.", encoded(&header), parts[1])
        };
        let bent = |at: usize, index: usize| {
            let mut pieces: Vec<String> = parts.iter().map(ToString::to_string).collect();
            let byte = pieces[at].as_bytes()[index];
            let other = if byte == b'A' { "B" } else { "A" };
            pieces[at].replace_range(index..=index, other);
            pieces.join(".")
        };
        let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        let foreign = EncodingKey::from_ed_der(pair.as_ref());
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(&forge.public) });
        let own_key = {
            let mut header = forge.header.clone();
            header["jwk"] = key.clone();
            let signed = encode(&forge.plain_header(), &forge.claims, &forge.key).unwrap();
            format!("{}.{}", encoded(&header), signed.split_once('.').unwrap().1)
        };
        let other_user = world.user("53-group-head").to_owned();
        let tokens: Vec<(&str, String)> = vec![
            ("alg none", none("none")),
            ("alg None", none("None")),
            ("alg NONE with the signature", format!("{}.{}.{}", none("NONE").split('.').next().unwrap(), parts[1], parts[2])),
            ("HS256 with the public key", hs(&forge.public)),
            ("HS256 with the public key as text", hs(URL_SAFE_NO_PAD.encode(&forge.public).as_bytes())),
            ("HS256 with an empty secret", hs(b"")),
            ("another Ed25519 key under our kid", encode(&forge.plain_header(), &forge.claims, &foreign).unwrap()),
            ("a kid we do not have", head(&|header| header.kid = Some("0000000000000000".into()))),
            ("a kid that climbs", head(&|header| header.kid = Some("../../../../dev/null".into()))),
            ("a kid that asks", head(&|header| header.kid = Some("' OR 1=1 --".into()))),
            ("no kid", head(&|header| header.kid = None)),
            ("typ JWT", head(&|header| header.typ = Some("JWT".into()))),
            ("no typ", head(&|header| header.typ = None)),
            ("jku", head(&|header| header.jku = Some("https://evil.invalid/jwks.json".into()))),
            ("x5u", head(&|header| header.x5u = Some("https://evil.invalid/x5u".into()))),
            ("our own jwk", own_key),
            ("iss", claim("iss", json!("evil"))),
            ("no iss", claim("iss", Value::Null)),
            ("aud", claim("aud", json!("another-api"))),
            ("no aud", claim("aud", Value::Null)),
            ("aud in a list", claim("aud", json!(["another-api", "x"]))),
            ("expired now", claim("exp", json!(now))),
            ("expired long ago", claim("exp", json!(now - 86_400))),
            ("no exp", claim("exp", Value::Null)),
            ("exp as text", claim("exp", json!("99999999999"))),
            ("not before in a minute", claim("nbf", json!(now + 60))),
            ("no nbf", claim("nbf", Value::Null)),
            ("another province", claim("tid", json!("50"))),
            ("the platform", claim("tid", json!("00"))),
            ("a malformed province", claim("tid", json!("53'; --"))),
            ("another person in this session", claim("sub", json!(other_user))),
            ("a session that is not there", claim("sid", json!(crate::operations::fresh_id()))),
            ("a claim too many", claim("role", json!("system_admin"))),
            ("a bent signature", bent(2, 10)),
            ("bent claims", bent(1, 20)),
            ("cut short", forge.good[..forge.good.len() - 5].to_owned()),
            ("without a signature", format!("{}.{}.", parts[0], parts[1])),
            ("two parts", format!("{}.{}", parts[0], parts[1])),
            ("four parts", format!("{}.x", forge.good)),
            ("words", "bearer bearer bearer".into()),
            ("very long", "a".repeat(7000)),
        ];
        all_refused(world, &forge, tokens);
    }

    fn nothing_with_a_header_of_somebody_elses_opens(world) {
        let forge = Forge::of(world);
        let parts: Vec<&str> = forge.good.split('.').collect();
        let pair = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        // Signed by hand: with a header that no library would write.
        let raw = |pair: &Ed25519KeyPair, header: &Value| {
            let said = format!("{}.{}", encoded(header), parts[1]);
            format!("{said}.{}", URL_SAFE_NO_PAD.encode(pair.sign(said.as_bytes())))
        };
        let headed = |name: &str, value: Value| {
            let mut header = forge.header.clone();
            header[name] = value;
            header
        };
        let thief = Ed25519KeyPair::from_pkcs8(pair.as_ref()).unwrap();
        let thiefs = json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(thief.public_key()) });
        let curve = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let es256 = {
            let mut header = Header::new(Algorithm::ES256);
            header.typ.clone_from(&forge.plain_header().typ);
            header.kid.clone_from(&forge.plain_header().kid);
            encode(&header, &forge.claims, &EncodingKey::from_ec_der(curve.as_ref())).unwrap()
        };
        assert_eq!(raw(&forge.pair, &forge.header), forge.good, "by hand as the server does it");
        let tokens = vec![
            ("its own jwk, and signed with it", raw(&thief, &headed("jwk", thiefs))),
            ("ES256 under our kid", es256),
            ("RS256 over our signature", raw(&forge.pair, &headed("alg", json!("RS256")))),
            ("EdDSA in other letters", raw(&forge.pair, &headed("alg", json!("eddsa")))),
            ("something that must be understood", raw(&forge.pair, &{ let mut header = headed("crit", json!(["b64"])); header["b64"] = json!(false); header })),
            ("compressed", raw(&forge.pair, &headed("zip", json!("DEF")))),
            ("a header too many", raw(&forge.pair, &headed("role", json!("auditor")))),
        ];
        all_refused(world, &forge, tokens);
    }

    fn only_the_bearer_scheme_carries_a_token(world) {
        let token = world.as_("53-liaison").token().to_owned();
        for header in [format!("Basic {token}"), token.clone(), "Bearer".into(), format!("Token {token}"), String::new()] {
            let reply = world.anonymous().call("GET", "/plans").header("Authorization", &header).send();
            assert_eq!(reply.status, 401, "{header}: {}", reply.story());
        }
        world.anonymous().get(&format!("/plans?access_token={token}")).expect(401, "unauthenticated");
        world.anonymous().call("GET", "/plans").header("Cookie", &format!("access_token={token}")).send().expect(401, "unauthenticated");
        world.anonymous().call("GET", "/plans").header("Authorization", &format!("bearer {token}")).send().expect(200, "");
    }

    fn a_token_lives_fifteen_minutes_at_most_even_when_it_was_seen_before(world) {
        let forge = Forge::of(world);
        let (issued, ends) = (forge.claims["iat"].as_i64().unwrap(), forge.claims["exp"].as_i64().unwrap());
        assert!(ends - issued <= 15 * 60);
        let who = world.bearing(&forge.good);
        who.get("/plans").expect(200, "");
        world.clock.advance(ends - issued - 1);
        who.get("/plans").expect(200, "");
        world.clock.advance(1);
        who.get("/plans").expect(401, "token_invalid");
    }
}
