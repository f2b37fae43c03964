//! JWT cases: access tokens, which are JSON Web Tokens (RFC 7519, RFC 9068), and the published keys that verify them.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{
    Invitation, World, cookies,
    paths::{CLIENTS, JWKS, REFRESH, SESSION, STAFF_REFRESH, STAFF_SESSION},
    stories,
};

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Algorithms that the header of a forged token names.
const FOREIGN_ALGORITHMS: [&str; 15] = [
    "none", "None", "nOnE", "", "HS256", "HS384", "HS512", "RS256", "PS256", "ES256", "ES512", "Ed448", "eddsa", "dir",
    "A256GCM",
];

const PORTAL_CLAIMS: [&str; 10] = ["aud", "auth_time", "client_id", "exp", "gen", "iat", "iss", "jti", "sid", "sub"];
const STAFF_CLAIMS: [&str; 9] = ["aud", "auth_time", "exp", "gen", "iat", "iss", "jti", "sid", "sub"];

fn base64url(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

fn encode(value: &Value) -> String {
    base64url(value.to_string())
}

fn decode(part: &str) -> Value {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// A valid access token and its three parts, still encoded.
struct Token {
    text: String,
    header: String,
    claims: String,
    signature: String,
}

impl Token {
    fn parse(text: String) -> Self {
        let parts: Vec<_> = text.split('.').map(str::to_owned).collect();
        let [header, claims, signature] = parts.try_into().unwrap();
        Self { text, header, claims, signature }
    }

    /// The access token of a new person who is signed in.
    async fn issue(world: &World) -> Self {
        let person = world.tenant().await.person(world).await;
        Self::parse(person.browser.cookie(cookies::PORTAL_ACCESS).unwrap())
    }

    fn kid(&self) -> Value {
        decode(&self.header)["kid"].clone()
    }

    /// The token with another header and the old signature.
    fn with_header(&self, header: &Value) -> String {
        format!("{}.{}.{}", encode(header), self.claims, self.signature)
    }

    /// The token with another header, signed by the attacker's own key.
    fn signed_by(&self, key: &SigningKey, header: &Value) -> String {
        let signed = format!("{}.{}", encode(header), self.claims);
        format!("{signed}.{}", base64url(key.sign(signed.as_bytes()).to_bytes()))
    }

    /// The token with these encoded claims and the old signature.
    fn with_claims(&self, claims: &str) -> String {
        format!("{}.{claims}.{}", self.header, self.signature)
    }

    /// Tokens whose parts are missing, doubled, padded, exchanged or not the signature.
    fn with_wrong_parts(&self) -> Vec<String> {
        let Self { header, claims, signature, .. } = self;
        vec![
            format!("{header}.{claims}."),
            format!("{header}.{claims}"),
            format!("{header}..{signature}"),
            format!(".{claims}.{signature}"),
            format!("{header}.{claims}.{}", "A".repeat(86)),
            format!("{header}.{claims}.{signature}="),
            format!("{header}.{claims}.{signature}A"),
            format!("{header}=.{claims}.{signature}"),
            format!("{header}.{claims}=.{signature}"),
            format!("{claims}.{header}.{signature}"),
            format!("{header}.{claims}.{signature}.{signature}"),
            format!("{header}.{claims}.{signature}.x.y"),
            format!("{header}.{}.{signature}", "A".repeat(3_000)),
            // r = s = 0, and values beyond the order of the group.
            format!("{header}.{claims}.{}", base64url([0; 64])),
            format!("{header}.{claims}.{}", base64url([255; 64])),
        ]
    }

    /// Headers that bring a key, change what is signed, or name another key or type. Keys are to be fetched from `url`.
    fn forged_headers(&self, own_key: &SigningKey, url: &str) -> Vec<Value> {
        let (header, kid) = (decode(&self.header), self.kid());
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(own_key.verifying_key().as_bytes()) });
        let extra_members = [
            ("jwk", jwk),
            ("jku", json!(url)),
            ("x5u", json!(url)),
            ("x5c", json!(["MIIB"])),
            ("crit", json!(["exp"])),
            ("b64", json!(false)),
            ("zip", json!("DEF")),
            ("cty", json!("JWT")),
            ("enc", json!("A256GCM")),
        ];
        let with_member = |(name, value): (&str, Value)| {
            let mut header = header.clone();
            header[name] = value;
            header
        };
        let mut headers: Vec<Value> = extra_members.into_iter().map(with_member).collect();
        headers.extend(
            forged_kids(url, kid.as_str().unwrap()).map(|kid| json!({ "alg": "EdDSA", "kid": kid, "typ": "at+jwt" })),
        );
        headers.extend([
            json!({ "alg": "EdDSA", "typ": "at+jwt" }),
            json!({ "alg": "EdDSA", "kid": kid, "typ": "JWT" }),
            json!({ "alg": "EdDSA", "kid": kid }),
        ]);
        // An id without letters is the same in upper case.
        headers.retain(|forged| *forged != header);
        headers
    }
}

fn forged_kids(url: &str, kid: &str) -> [Value; 9] {
    [
        json!("../../dev/null"),
        json!(null),
        json!("' OR 1=1"),
        json!(["a"]),
        json!(url),
        json!("a\u{0}b"),
        json!("k".repeat(1_200)),
        json!("00000000-0000-0000-0000-000000000000"),
        json!(kid.to_uppercase()),
    ]
}

/// Asserts that the session operation refuses each token as a bearer token.
async fn assert_refused(world: &World, tokens: &[String]) {
    for token in tokens {
        let response = world.browser().get_with_bearer(SESSION, token).await;
        assert_eq!(response.status, 401, "{token}");
        response.assert_problem("401 unauthenticated");
    }
}

/// Returns the published keys.
async fn published_keys(world: &World) -> Vec<Value> {
    world.browser().get(JWKS).await.expect(200)["keys"].as_array().unwrap().clone()
}

/// Asserts that a published key verifies the token.
fn assert_verifies(token: &Token, keys: &[Value]) {
    let key = keys.iter().find(|key| key["kid"] == token.kid()).expect("the key of the token is published");
    let public = BASE64_URL_SAFE_NO_PAD.decode(key["x"].as_str().unwrap()).unwrap();
    let public = VerifyingKey::from_bytes(&public.try_into().unwrap()).unwrap();
    let signature = Signature::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(&token.signature).unwrap()).unwrap();
    public.verify_strict(format!("{}.{}", token.header, token.claims).as_bytes(), &signature).unwrap();
}

/// One secret of each kind.
struct Secrets {
    portal_access: String,
    portal_refresh: String,
    staff_access: String,
    staff_refresh: String,
    device: String,
    reset: String,
    activation: String,
}

impl Secrets {
    async fn issue(world: &World) -> Self {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let Invitation { token: activation, .. } = tenant.create_invitation(world).await;
        Self {
            portal_access: person.browser.cookie(cookies::PORTAL_ACCESS).unwrap(),
            portal_refresh: person.browser.cookie(cookies::PORTAL_REFRESH).unwrap(),
            staff_access: tenant.owner.cookie(cookies::STAFF_ACCESS).unwrap(),
            staff_refresh: tenant.owner.cookie(cookies::STAFF_REFRESH).unwrap(),
            device: person.browser.cookie(cookies::DEVICE).unwrap(),
            reset: person.request_reset(world, 2).await,
            activation,
        }
    }

    /// All secrets with their names. The first five are cookies.
    fn all(&self) -> [(&str, &str); 7] {
        [
            ("portal access token", &self.portal_access),
            ("portal refresh token", &self.portal_refresh),
            ("staff access token", &self.staff_access),
            ("staff refresh token", &self.staff_refresh),
            ("device cookie", &self.device),
            ("reset token", &self.reset),
            ("activation token", &self.activation),
        ]
    }
}

stories! {
    async fn jwt_01_tokens_with_wrong_parts_are_refused(world) {
        let token = Token::issue(world).await;
        assert_refused(world, &token.with_wrong_parts()).await;
        world.browser().get_with_bearer(SESSION, &token.text).await.expect(200);
    }

    async fn jwt_01_other_algorithms_are_refused(world) {
        let token = Token::issue(world).await;
        assert_eq!(decode(&token.header)["alg"], "EdDSA");
        for algorithm in FOREIGN_ALGORITHMS {
            let header = json!({ "alg": algorithm, "kid": token.kid(), "typ": "at+jwt" });
            let unsigned = format!("{}.{}.", encode(&header), token.claims);
            assert_refused(world, &[unsigned, token.with_header(&header)]).await;
        }
    }

    async fn jwt_01_the_attackers_key_is_refused_and_no_key_is_fetched(world) {
        let token = Token::issue(world).await;
        let key_server = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys.json", key_server.local_addr().unwrap());
        let own_key = SigningKey::from_bytes(&[7; 32]);
        assert_refused(world, &[token.signed_by(&own_key, &decode(&token.header))]).await;
        for header in token.forged_headers(&own_key, &url) {
            assert_refused(world, &[token.signed_by(&own_key, &header), token.with_header(&header)]).await;
        }
        // A request for a key would have come before the response.
        let connection = tokio::time::timeout(Duration::ZERO, key_server.accept()).await;
        assert!(connection.is_err(), "{connection:?}");
    }

    async fn jwt_01_changed_claims_are_refused(world) {
        let token = Token::issue(world).await;
        let claims = decode(&token.claims);
        for (name, value) in [
            ("exp", json!(9_999_999_999u64)),
            ("sid", json!("01a1fdba-f86f-76f5-b296-4e548b3691ab")),
            ("aud", json!("portico:staff")),
        ] {
            let mut changed = claims.clone();
            changed[name] = value;
            assert_refused(world, &[token.with_claims(&encode(&changed))]).await;
        }
        let doubled = base64url(claims.to_string().replacen('{', "{\"sub\":\"x\",", 1));
        assert_refused(world, &[token.with_claims(&doubled)]).await;
    }

    async fn jwt_02_only_an_access_token_of_the_realm_authenticates(world) {
        let secrets = Secrets::issue(world).await;
        for (path, cookie, accepted) in [
            (SESSION, cookies::PORTAL_ACCESS, &secrets.portal_access),
            (STAFF_SESSION, cookies::STAFF_ACCESS, &secrets.staff_access),
            (CLIENTS, cookies::STAFF_ACCESS, &secrets.staff_access),
        ] {
            for (name, secret) in secrets.all() {
                let expected = if secret == accepted { 200 } else { 401 };
                let as_cookie = world.browser().with_cookie(cookie, secret).get(path).await;
                let as_bearer = world.browser().get_with_bearer(path, secret).await;
                for response in [as_cookie, as_bearer] {
                    assert_eq!(response.status, expected, "{name} at {path}");
                    if expected == 401 {
                        response.assert_problem("401 unauthenticated");
                    }
                }
            }
        }
    }

    async fn jwt_02_only_a_refresh_token_of_the_realm_refreshes(world) {
        let secrets = Secrets::issue(world).await;
        for (path, cookie, accepted) in [
            (REFRESH, cookies::PORTAL_REFRESH, &secrets.portal_refresh),
            (STAFF_REFRESH, cookies::STAFF_REFRESH, &secrets.staff_refresh),
        ] {
            for (name, secret) in secrets.all().into_iter().filter(|(_, secret)| secret != accepted) {
                let response = world.browser().with_cookie(cookie, secret).post_empty(path).await;
                assert_eq!(response.status, 401, "{name} at {path}");
                response.assert_problem("401 unauthenticated");
            }
        }
        // The refused tokens have not ended the session.
        world.browser().get_with_bearer(SESSION, &secrets.portal_access).await.expect(200);
    }

    async fn jwt_02_cookies_are_not_link_tokens(world) {
        let secrets = Secrets::issue(world).await;
        for (_, cookie) in &secrets.all()[..5] {
            world.browser().check_token(cookie).await.assert_problem("404 token_unknown");
        }
    }

    async fn jwt_04_published_keys_are_public_parts_with_unique_ids(world) {
        let response = world.browser().get(JWKS).await;
        assert_eq!(response.headers["cache-control"], "public, max-age=3600");
        let keys = response.expect(200)["keys"].as_array().unwrap().clone();
        let mut kids: Vec<_> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
        kids.sort_unstable();
        kids.dedup();
        assert!(kids.len() == keys.len() && keys.len() >= 2, "{keys:?}");
        for key in &keys {
            let members: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x"]);
        }
    }

    async fn jwt_04_every_replica_publishes_the_keys_that_verify_all_tokens(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let keys = published_keys(world).await;
        for api in &world.apis {
            let browser = world.browser().at(std::slice::from_ref(api));
            assert_eq!(browser.get(JWKS).await.expect(200)["keys"], json!(keys));
            person.sign_in(&browser).await;
            assert_verifies(&Token::parse(browser.cookie(cookies::PORTAL_ACCESS).unwrap()), &keys);
            assert_verifies(&Token::parse(tenant.owner.cookie(cookies::STAFF_ACCESS).unwrap()), &keys);
        }
    }

    async fn jwt_04_the_database_does_not_store_keys(world) {
        let stored = world.sql("SELECT * FROM signing_keys");
        assert!(!stored.is_empty());
        for key in published_keys(world).await {
            assert!(!stored.contains(key["x"].as_str().unwrap()));
        }
    }

    // The last base64 character of a signature has four unused bits, so 15 others decode to the same bytes.
    async fn jwt_05_other_encodings_of_a_token_are_refused_before_and_after_revocation(world) {
        let person = world.tenant().await.person(world).await;
        let token = Token::parse(person.browser.cookie(cookies::PORTAL_ACCESS).unwrap());
        let (start, last) = token.text.split_at(token.text.len() - 1);
        let mut spellings: Vec<_> =
            ALPHABET.chars().map(|c| c.to_string()).filter(|c| c != last).map(|c| format!("{start}{c}")).collect();
        let header = decode(&token.header);
        let reordered = format!("{{\"typ\":{},\"kid\":{},\"alg\":{}}}", header["typ"], header["kid"], header["alg"]);
        spellings.push(format!("{}.{}.{}", base64url(reordered), token.claims, token.signature));
        assert_refused(world, &spellings).await;
        person.browser.sign_out().await.expect(204);
        world.browser().get_with_bearer(SESSION, &token.text).await.assert_problem("401 session_revoked");
        assert_refused(world, &spellings).await;
    }

    async fn jwt_06_claims_are_ids_and_times_without_personal_data(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        for (token, audience, names) in [
            (person.browser.cookie(cookies::PORTAL_ACCESS), "portico:portal", &PORTAL_CLAIMS[..]),
            (tenant.owner.cookie(cookies::STAFF_ACCESS), "portico:staff", &STAFF_CLAIMS[..]),
        ] {
            let token = Token::parse(token.unwrap());
            let claims = decode(&token.claims);
            assert_eq!(claims.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>(), names);
            assert_eq!(claims["aud"], audience);
            let text = claims.to_string();
            assert!(token.text.len() < 1_024 && !text.contains('@') && !text.contains("Robin"), "{claims}");
            assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 15 * 60);
        }
    }
}
