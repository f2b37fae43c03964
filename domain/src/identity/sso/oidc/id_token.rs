//! ID tokens (OpenID Connect Core 1.0 §2 and §3.1.3.7).

use chrono::TimeDelta;
use serde_json::Value;
use subtle::ConstantTimeEq;

use super::{
    claims::{CLOCK_LEEWAY, Claims},
    failure::OidcError,
    jwks::Key,
    jwt::Unverified,
};
use crate::{
    identity::sso::provider::Provider,
    platform::{clock::Time, email_address::EmailAddress, secret::PlainToken},
};

/// The longest ID token, in bytes: a person in 5,000 groups has one of 260 kB. It comes from the token endpoint, so
/// only the provider can send one.
const MAX_BYTES: usize = 384 * 1024;
/// The longest name, in characters. A longer one is not used.
const MAX_NAME_CHARS: usize = 200;
/// How many methods of authentication are kept, and how long each may be, in bytes.
const MAX_METHODS: usize = 20;
const MAX_METHOD_BYTES: usize = 64;

/// A person whose identity a provider has confirmed. The identity is `issuer` and `subject`; all else may change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedIdentity {
    /// The issuer, as it is stored.
    pub issuer: String,
    /// The identifier of the person at the issuer (`sub`), 1 to 255 bytes.
    pub subject: String,
    /// The email address, if the provider names one that is valid. It finds an account and proves nothing by itself.
    pub email: Option<EmailAddress>,
    /// Whether the provider says that it has verified the address. Only the JSON value `true` counts.
    pub email_verified: bool,
    /// The domain of the organization that manages the account (`hd`, only Google).
    pub hosted_domain: Option<String>,
    /// The name of the person, at most 200 characters without control characters.
    pub name: Option<String>,
    /// How the person signed in at the provider (`amr`, RFC 8176). Empty if the provider does not say.
    pub amr: Vec<String>,
    /// The class of the sign-in at the provider (`acr`).
    pub acr: Option<String>,
    /// When the person last signed in at the provider (`auth_time`).
    pub auth_time: Option<Time>,
    /// The session at the provider (`sid`), which a logout token names.
    pub sid: Option<String>,
    /// The Microsoft tenant of the account (`tid`).
    pub tid: Option<String>,
}

/// What an ID token must answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Expected<'a> {
    /// The nonce of the authorization request.
    pub(super) nonce: &'a PlainToken,
    /// How long ago the person may have signed in at the provider, if the request said it.
    pub(super) max_age: Option<TimeDelta>,
}

/// Parses an ID token without checking its signature.
///
/// # Errors
/// [`OidcError::Refused`] if it does not have the form of an ID token.
pub(super) fn read(token: &str) -> Result<Unverified<'_>, OidcError> {
    Unverified::read(token, MAX_BYTES, &["jwt"])
}

/// Verifies an ID token with `key` and returns the person that it identifies.
///
/// # Errors
/// [`OidcError::Refused`] if the signature or a claim is wrong.
pub(super) fn verify(
    token: &Unverified<'_>,
    key: &Key,
    provider: &Provider,
    expected: Expected<'_>,
    now: Time,
) -> Result<VerifiedIdentity, OidcError> {
    key.verify(token)?;
    identify(&Claims(token.claims()?), key, provider, expected, now)
}

/// Checks the claims of an ID token whose signature was verified with `key`.
///
/// # Errors
/// [`OidcError::Refused`] if a claim is wrong.
pub(super) fn identify(
    claims: &Claims,
    key: &Key,
    provider: &Provider,
    expected: Expected<'_>,
    now: Time,
) -> Result<VerifiedIdentity, OidcError> {
    let checked = claims.check(provider, key, now)?;
    check_party(claims, provider)?;
    let nonce = claims.text("nonce").unwrap_or_default();
    if !bool::from(nonce.as_bytes().ct_eq(expected.nonce.reveal().as_bytes())) {
        return Err(OidcError::Refused("the token answers another request"));
    }
    let auth_time = claims.time("auth_time")?;
    if let Some(max_age) = expected.max_age {
        let signed_in_at = auth_time.ok_or(OidcError::Refused("the token does not say when the person signed in"))?;
        if signed_in_at < now - max_age - CLOCK_LEEWAY {
            return Err(OidcError::Refused("the person signed in at the provider too long ago"));
        }
    }
    let no_subject = "the token has no valid subject";
    let subject = claims.id("sub", no_subject)?.ok_or(OidcError::Refused(no_subject))?;
    Ok(VerifiedIdentity {
        issuer: checked.issuer,
        subject,
        email: claims.text("email").and_then(|email| email.parse().ok()),
        email_verified: claims.0.get("email_verified") == Some(&Value::Bool(true)),
        hosted_domain: short(claims, "hd"),
        name: name(claims),
        amr: methods(claims),
        acr: short(claims, "acr"),
        auth_time,
        sid: claims.id("sid", "the session in the token is malformed")?,
        tid: short(claims, "tid"),
    })
}

/// Checks the authorized party: it must be us if it is given, and it must be given if there are several audiences.
fn check_party(claims: &Claims, provider: &Provider) -> Result<(), OidcError> {
    let is_valid = match claims.0.get("azp") {
        None => claims.audiences().len() == 1,
        Some(party) => party.as_str() == Some(&provider.client_id),
    };
    if is_valid { Ok(()) } else { Err(OidcError::Refused("the token is for another party")) }
}

/// Returns a text of at most 255 bytes.
fn short(claims: &Claims, name: &str) -> Option<String> {
    claims.text(name).filter(|text| (1..=255).contains(&text.len())).map(str::to_owned)
}

fn name(claims: &Claims) -> Option<String> {
    let name = claims.text("name")?.trim();
    let is_usable = !name.is_empty() && name.chars().count() <= MAX_NAME_CHARS && !name.contains(char::is_control);
    is_usable.then(|| name.to_owned())
}

fn methods(claims: &Claims) -> Vec<String> {
    let Some(Value::Array(methods)) = claims.0.get("amr") else { return Vec::new() };
    let methods = methods.iter().filter_map(Value::as_str).filter(|method| method.len() <= MAX_METHOD_BYTES);
    methods.take(MAX_METHODS).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
    use hmac::{Hmac, KeyInit, Mac};
    use serde_json::json;
    use sha2::Sha256;

    use super::{
        super::{
            jwks::KeySet,
            test_tokens::{TestKey, claims, expected, key_set, nonce, now, provider},
        },
        *,
    };
    use crate::identity::sso::provider::{IssuerRule, MicrosoftTenants};

    const SIGNER: TestKey = TestKey::Rs256(0);

    /// Verifies a token with the keys of the provider, which are `SIGNER` and a key of P-256.
    fn check(token: &str) -> Result<VerifiedIdentity, OidcError> {
        let keys = key_set(&[SIGNER, TestKey::Es256]);
        let unverified = read(token)?;
        let key = keys.find(unverified.algorithm, unverified.kid.as_deref());
        let key = key.ok_or(OidcError::Refused("the provider has no such key"))?;
        verify(&unverified, key, &provider(), expected(&nonce()), now())
    }

    /// Verifies a token in which the claim `name` is `value`. `null` removes the claim.
    fn check_claim(name: &str, value: Value) -> Result<VerifiedIdentity, OidcError> {
        let mut claims = claims();
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value,
        }
        check(&SIGNER.token(&claims))
    }

    #[test]
    fn each_algorithm_is_accepted() {
        for key in [SIGNER, TestKey::Ps256(0), TestKey::Es256] {
            let identity = check(&key.token(&claims())).unwrap();
            assert_eq!((&*identity.issuer, &*identity.subject), ("https://idp.test", "1"));
        }
        for header in [
            json!({"alg": "RS256", "kid": "rsa-0"}),
            json!({"alg": "RS256", "kid": "rsa-0", "typ": "jwt", "x5t": "a", "x5t#S256": "b", "other": {}}),
        ] {
            assert!(check(&SIGNER.token_of(&header.to_string(), &claims().to_string())).is_ok(), "{header}");
        }
    }

    #[test]
    fn sso_02_other_algorithms_and_keys_are_refused() {
        let text = claims().to_string();
        let refused = |token: &str, what: &str| assert!(check(token).is_err(), "{what}: {token}");
        for alg in ["none", "None", "nOnE", "NONE", "", "rs256", "RS512", "RS1", "HS256", "ES384", "EdDSA", "RSA-OAEP"]
        {
            let header = json!({"alg": alg, "kid": "rsa-0"}).to_string();
            let token = SIGNER.token_of(&header, &text);
            refused(&token, alg);
            let (signed, _) = token.rsplit_once('.').unwrap();
            refused(&format!("{signed}."), alg);
        }
        let public = SIGNER.jwk();
        let n = BASE64_URL_SAFE_NO_PAD.decode(public["n"].as_str().unwrap()).unwrap();
        for secret in [public.to_string().into_bytes(), n, Vec::new(), b"secret".to_vec()] {
            let header = r#"{"alg":"HS256","kid":"rsa-0"}"#;
            let encode = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
            let signed = format!("{}.{}", encode(header), encode(&text));
            let mac = Hmac::<Sha256>::new_from_slice(&secret).unwrap().chain_update(&signed).finalize().into_bytes();
            refused(&format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac)), "a shared key");
        }
        refused(&TestKey::Rs256(1).token(&claims()), "a key that the provider does not have");
        refused(&TestKey::Rs256(1).token_of(&SIGNER.header().to_string(), &text), "the key of another provider");
        for kid in ["p256", "../../dev/null", "' OR 1=1 --", "https://evil.test/jwks", "\0", &"a".repeat(10_000), ""] {
            refused(&SIGNER.token_of(&json!({"alg": "RS256", "kid": kid}).to_string(), &text), kid);
        }
        for (member, value) in [
            ("jwk", TestKey::Rs256(1).jwk()),
            ("jku", json!("https://evil.test/jwks")),
            ("x5u", json!("https://evil.test/chain")),
            ("x5c", json!(["AAAA"])),
            ("crit", json!(["exp"])),
            ("crit", json!([])),
            ("b64", json!(false)),
            ("zip", json!("DEF")),
            ("enc", json!("A256GCM")),
            ("cty", json!("JWT")),
            ("typ", json!("at+jwt")),
            ("typ", json!("logout+jwt")),
            ("typ", json!(1)),
            ("kid", json!(1)),
            ("kid", Value::Null),
            ("alg", json!(["RS256"])),
        ] {
            let mut header = SIGNER.header();
            header[member] = value;
            refused(&SIGNER.token_of(&header.to_string(), &text), &header.to_string());
        }
    }

    #[test]
    fn sso_02_a_token_has_one_encoding() {
        let token = SIGNER.token(&claims());
        assert!(check(&token).is_ok());
        let parts: Vec<_> = token.split('.').collect();
        let [head, payload, signature] = parts[..] else { panic!("{token}") };
        let text = claims().to_string();
        // The last character of the signature has four unused bits.
        let last = if signature.ends_with('A') { 'B' } else { 'A' };
        let trailing_bits = format!("{head}.{payload}.{}{last}", &signature[..signature.len() - 1]);
        for wrong in [
            String::new(),
            ".".into(),
            "..".into(),
            head.into(),
            format!("{head}.{payload}"),
            format!("{head}.{payload}."),
            format!("{token}."),
            format!("{token}.{signature}"),
            format!("{head}.a.b.c.{signature}"),
            format!("{token}="),
            format!("{token}=="),
            format!("{token} "),
            format!("{token}\n"),
            format!(" {token}"),
            token.replacen('.', ".\n", 1),
            format!("{head}=.{payload}.{signature}"),
            token.replace('_', "/").replace('-', "+"),
            trailing_bits,
            format!("{head}.{payload}.{}", &signature[..signature.len() - 4]),
            format!("{head}.{payload}.{signature}AAAA"),
            format!("{payload}.{head}.{signature}"),
            format!("Bearer {token}"),
            SIGNER.token_of(&SIGNER.header().to_string(), &format!("{text}x")),
            SIGNER.token_of(&SIGNER.header().to_string(), &format!("{text}{text}")),
            SIGNER.token_of(&SIGNER.header().to_string(), &text.replacen('{', r#"{"sub":"1","#, 1)),
            SIGNER.token_of(&SIGNER.header().to_string(), &text.replacen('{', r#"{"s\u0075b":"2","#, 1)),
            SIGNER.token_of(&SIGNER.header().to_string(), &text.replacen('{', r#"{"x":{"y":1,"y":2},"#, 1)),
            SIGNER.token_of(&SIGNER.header().to_string(), &format!("[{text}]")),
            SIGNER.token_of(r#"{"alg":"RS256","alg":"RS256","kid":"rsa-0"}"#, &text),
            SIGNER.token_of(r#"{"alg":"RS256","kid":"rsa-0"}{}"#, &text),
            SIGNER.token_of(&format!("{}{}", SIGNER.header(), " ".repeat(4_096)), &text),
            SIGNER.token_of(&SIGNER.header().to_string(), &format!("{text}{}", " ".repeat(300_000))),
        ] {
            assert!(check(&wrong).is_err(), "{}", wrong.get(..200).unwrap_or(&wrong));
        }
    }

    #[test]
    fn sso_02_issuer_audience_party_nonce_and_subject_must_be_ours() {
        for (name, value, is_accepted) in [
            ("iss", json!("https://idp.test/"), false),
            ("iss", json!("https://evil.test"), false),
            ("iss", json!(["https://idp.test"]), false),
            ("iss", Value::Null, false),
            ("aud", json!(["portico"]), true),
            ("aud", json!(["other"]), false),
            ("aud", json!("portico "), false),
            ("aud", json!("Portico"), false),
            ("aud", json!([]), false),
            ("aud", json!(["portico", 1]), false),
            ("aud", json!({"portico": 1}), false),
            ("aud", json!(["portico", "other"]), false),
            ("aud", Value::Null, false),
            ("azp", json!("portico"), true),
            ("azp", json!("other"), false),
            ("azp", json!(["portico"]), false),
            ("azp", json!(""), false),
            ("nonce", json!("other"), false),
            ("nonce", json!("the-nonce "), false),
            ("nonce", json!(""), false),
            ("nonce", json!(["the-nonce"]), false),
            ("nonce", Value::Null, false),
            ("sub", json!("a".repeat(255)), true),
            ("sub", json!("a".repeat(256)), false),
            ("sub", json!(""), false),
            ("sub", json!(1), false),
            ("sub", json!("a\0"), false),
            ("sub", Value::Null, false),
            ("sid", json!("a"), true),
            ("sid", json!(""), false),
            ("sid", json!(1), false),
        ] {
            assert_eq!(check_claim(name, value.clone()).is_ok(), is_accepted, "{name} {value}");
        }
        let mut several = claims();
        several["aud"] = json!(["other", "portico"]);
        several["azp"] = json!("portico");
        assert!(check(&SIGNER.token(&several)).is_ok());
        several["azp"] = json!("other");
        assert!(check(&SIGNER.token(&several)).is_err());
    }

    #[test]
    fn sso_02_a_microsoft_token_names_an_allowed_tenant_and_a_key_of_its_issuer() {
        const TENANT: &str = "3fa85f64-5717-4562-b3fc-2c963f66afa6";
        const PERSONAL: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";
        let issuer = |tenant: &str| format!("https://login.microsoftonline.com/{tenant}/v2.0");
        let check = |tenants: &str, iss: &str, tid: Value, key_issuer: Value| {
            let rule = IssuerRule::Microsoft(MicrosoftTenants::parse(tenants).unwrap());
            let provider = Provider { issuer: rule, ..provider() };
            let mut jwk = SIGNER.jwk();
            jwk["issuer"] = key_issuer;
            let keys = KeySet::of(serde_json::from_value(json!({"keys": [jwk]})).unwrap()).unwrap();
            let mut claims = claims();
            (claims["iss"], claims["tid"]) = (json!(issuer(iss)), tid);
            let token = SIGNER.token(&claims);
            let unverified = read(&token).unwrap();
            let key = keys.find(unverified.algorithm, Some("rsa-0")).unwrap();
            verify(&unverified, key, &provider, expected(&nonce()), now())
        };
        let any = || json!(issuer("{tenantid}"));
        let identity = check("organizations", TENANT, json!(TENANT), any()).unwrap();
        assert_eq!((identity.issuer, identity.tid.as_deref()), (issuer(TENANT), Some(TENANT)));
        assert!(check("common", PERSONAL, json!(PERSONAL), json!(issuer(PERSONAL))).is_ok());
        assert!(check(TENANT, TENANT, json!(TENANT), Value::Null).is_ok());
        for (tenants, iss, tid, key_issuer) in [
            ("organizations", PERSONAL, json!(PERSONAL), any()),
            ("organizations", TENANT, Value::Null, any()),
            ("organizations", "{tenantid}", json!("{tenantid}"), any()),
            ("organizations", TENANT, json!([TENANT]), any()),
            ("common", TENANT, json!(PERSONAL), any()),
            ("common", TENANT, json!(TENANT), json!(issuer(PERSONAL))),
            (PERSONAL, TENANT, json!(TENANT), any()),
        ] {
            assert!(check(tenants, iss, tid.clone(), key_issuer).is_err(), "{tenants} {iss} {tid}");
        }
    }

    #[test]
    fn sso_02_times_are_whole_seconds_within_a_minute() {
        let now = now().timestamp();
        for (name, value, is_accepted) in [
            ("exp", now - 59, true),
            ("exp", now - 60, false),
            ("exp", now - 3_600, false),
            ("exp", -1, false),
            ("exp", 0, false),
            ("exp", now + 86_400, true),
            ("exp", i64::MAX, false),
            ("iat", now + 60, true),
            ("iat", now + 61, false),
            ("iat", now + 600, false),
            ("iat", now - 660, true),
            ("iat", now - 661, false),
            ("nbf", now + 60, true),
            ("nbf", now + 61, false),
            ("nbf", now - 86_400, true),
        ] {
            assert_eq!(check_claim(name, json!(value)).is_ok(), is_accepted, "{name} {}", value - now);
        }
        for name in ["exp", "iat", "nbf", "auth_time"] {
            for wrong in [json!(now.to_string()), json!(now as f64 + 0.5), json!(1e308), json!([now]), json!(true)] {
                assert!(check_claim(name, wrong.clone()).is_err(), "{name} {wrong}");
            }
        }
        assert!(check_claim("exp", Value::Null).is_err() && check_claim("iat", Value::Null).is_err());
    }

    #[test]
    fn sso_11_an_old_sign_in_at_the_provider_is_refused_if_its_age_matters() {
        let accepted = |auth_time: Value| {
            let mut claims = claims();
            claims["auth_time"] = auth_time;
            let token = SIGNER.token(&claims);
            let (keys, nonce) = (key_set(&[SIGNER]), nonce());
            let unverified = read(&token).unwrap();
            let key = keys.find(unverified.algorithm, Some("rsa-0")).unwrap();
            let expected = Expected { max_age: Some(TimeDelta::minutes(5)), ..expected(&nonce) };
            verify(&unverified, key, &provider(), expected, now()).is_ok()
        };
        let now = now().timestamp();
        assert!(accepted(json!(now)) && accepted(json!(now - 360)));
        assert!(!accepted(json!(now - 361)) && !accepted(json!(now.to_string())));
        assert!(check_claim("auth_time", json!(0)).is_ok(), "the age does not matter here");
        let old = check_claim("auth_time", json!(now - 5)).unwrap();
        assert_eq!(old.auth_time.map(|time| time.timestamp()), Some(now - 5));
    }

    #[test]
    fn sso_10_other_claims_are_taken_if_they_have_their_form() {
        let mut many = claims();
        let others = json!({
            "email": "Ann@Corp.test", "email_verified": true, "hd": "corp.test", "name": " Ann Lee ", "tid": "t",
            "amr": ["pwd", "mfa", 1], "acr": "2", "sid": "s", "text": "x".repeat(20_000),
            "groups": (0..5_000).map(|n| format!("6f3b1c52-0d0e-4d53-9c9a-{n:012}")).collect::<Vec<_>>(),
        });
        many.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
        let identity = check(&SIGNER.token(&many)).unwrap();
        assert_eq!(identity.email.as_ref().map(EmailAddress::as_str), Some("ann@corp.test"));
        assert_eq!((identity.name.as_deref(), identity.hosted_domain.as_deref()), (Some("Ann Lee"), Some("corp.test")));
        assert_eq!((identity.acr.as_deref(), identity.sid.as_deref()), (Some("2"), Some("s")));
        assert_eq!((identity.tid.as_deref(), identity.amr), (Some("t"), vec!["pwd".into(), "mfa".into()]));
        assert!(identity.email_verified);
        for unverified in [json!("true"), json!(1), json!("1"), json!([true]), Value::Null] {
            assert!(!check_claim("email_verified", unverified).unwrap().email_verified);
        }
        for no_email in [json!("not an address"), json!(["a@b.test"]), json!("a@b.test\r\nx"), json!("")] {
            assert_eq!(check_claim("email", no_email).unwrap().email, None);
        }
        for no_name in [json!("a\u{0}b"), json!(" "), json!("a".repeat(201)), json!({})] {
            assert_eq!(check_claim("name", no_name).unwrap().name, None);
        }
        assert!(check_claim("amr", json!("pwd")).unwrap().amr.is_empty());
        assert_eq!(check_claim("amr", json!(vec!["pwd"; 1_000])).unwrap().amr.len(), MAX_METHODS);
    }
}
