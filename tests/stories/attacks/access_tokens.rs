//! Access tokens: JSON Web Tokens, and the keys that verify them.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Browser, World, stories, unique};

const SESSION: &str = "/api/portal/auth/session";
const JWKS: &str = "/.well-known/jwks.json";

async fn with_bearer(browser: &Browser, path: &str, token: &str) -> Answer {
    browser.send(Method::GET, path, None, &[("authorization", &format!("Bearer {token}"))]).await
}

fn encode(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

fn decode(part: &str) -> Value {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

/// The three parts of a token.
fn parts(token: &str) -> [&str; 3] {
    token.split('.').collect::<Vec<_>>().try_into().unwrap()
}

/// The published keys.
async fn keys(world: &World) -> Vec<Value> {
    world.browser().get(JWKS).await.expect(200)["keys"].as_array().unwrap().clone()
}

stories! {
    async fn jwt_01_no_forged_token_passes_and_none_makes_us_call_anywhere(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let token = person.browser.cookie("portico_portal").unwrap();
        let [head, body, signature] = parts(&token);
        let header = decode(head);
        assert_eq!(header["alg"], "EdDSA");
        let claims = decode(body);
        let kid = &header["kid"];
        // A place that a key could be fetched from.
        let egress = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys.json", egress.local_addr().unwrap());

        let mut forged = vec![
            format!("{head}.{body}."), format!("{head}.{body}"), format!("{head}..{signature}"), format!(".{body}.{signature}"),
            format!("{head}.{body}.{}", "A".repeat(86)), format!("{head}.{body}.{signature}="), format!("{head}.{body}.{signature}A"),
            format!("{head}=.{body}.{signature}"), format!("{head}.{body}=.{signature}"), format!("{body}.{head}.{signature}"),
            format!("{head}.{body}.{signature}.{signature}"), format!("{head}.{body}.{signature}.x.y"), format!("{head}.{}.{signature}", "A".repeat(3_000)),
            // All zeros, and all ones: r = s = 0 and beyond the group's order.
            format!("{head}.{body}.{}", BASE64_URL_SAFE_NO_PAD.encode([0; 64])), format!("{head}.{body}.{}", BASE64_URL_SAFE_NO_PAD.encode([255; 64])),
        ];
        for alg in ["none", "None", "nOnE", "", "HS256", "HS384", "HS512", "RS256", "PS256", "ES256", "ES512", "Ed448", "eddsa", "dir", "A256GCM"] {
            let head = encode(&json!({ "alg": alg, "kid": kid, "typ": "at+jwt" }));
            forged.extend([format!("{head}.{body}."), format!("{head}.{body}.{signature}")]);
        }
        // Headers that would bring a key along, change what is signed, or name another.
        let own = SigningKey::from_bytes(&[7; 32]);
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": BASE64_URL_SAFE_NO_PAD.encode(own.verifying_key().as_bytes()) });
        let extras = [
            ("jwk", jwk), ("jku", json!(url)), ("x5u", json!(url)), ("x5c", json!(["MIIB"])), ("crit", json!(["exp"])), ("b64", json!(false)),
            ("zip", json!("DEF")), ("cty", json!("JWT")), ("enc", json!("A256GCM")),
        ];
        let mut heads: Vec<Value> = extras.iter().map(|(name, value)| { let mut head = header.clone(); head[*name] = value.clone(); head }).collect();
        let kids = [json!("../../dev/null"), json!(null), json!("' OR 1=1"), json!(["a"]), json!(url), json!("a\u{0}b"), json!("k".repeat(1_200)), json!("00000000-0000-0000-0000-000000000000"), json!(kid.as_str().unwrap().to_uppercase())];
        heads.extend(kids.map(|kid| json!({ "alg": "EdDSA", "kid": kid, "typ": "at+jwt" })));
        heads.extend([json!({ "alg": "EdDSA", "typ": "at+jwt" }), json!({ "alg": "EdDSA", "kid": kid, "typ": "JWT" }), json!({ "alg": "EdDSA", "kid": kid }), header.clone()]);
        for head in heads {
            // Signed by a key of the attacker's; and with the signature that was there, where the header is another.
            let signed = format!("{}.{body}", encode(&head));
            forged.push(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(own.sign(signed.as_bytes()).to_bytes())));
            if encode(&head) != parts(&token)[0] && head != header {
                forged.push(format!("{signed}.{signature}"));
            }
        }
        let mut changed = vec![];
        for (name, value) in [("exp", json!(9_999_999_999u64)), ("sid", json!("01a1fdba-f86f-76f5-b296-4e548b3691ab")), ("aud", json!("portico:staff"))] {
            let mut claims = claims.clone();
            claims[name] = value;
            changed.push(encode(&claims));
        }
        changed.push(BASE64_URL_SAFE_NO_PAD.encode(claims.to_string().replacen('{', "{\"sub\":\"x\",", 1)));
        forged.extend(changed.into_iter().map(|body| format!("{head}.{body}.{signature}")));
        assert!(forged.len() >= 80, "{}", forged.len());
        for token in &forged {
            let answer = with_bearer(&world.browser(), SESSION, token).await;
            assert_eq!(answer.status, 401, "{token}");
            answer.problem(401, "unauthenticated");
        }
        with_bearer(&world.browser(), SESSION, &token).await.expect(200);
        // Whoever calls has called by now: the answers came after it.
        let called = tokio::time::timeout(std::time::Duration::ZERO, egress.accept()).await;
        assert!(called.is_err(), "{called:?}");
    }

    async fn jwt_02_each_kind_of_token_is_good_for_one_thing(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let reset = person.request_reset(world, 2).await;
        let invited = tenant.invited(world, &person.client, &format!("{}@x.test", unique("invited"))).await;
        let of = |browser: &Browser, name: &str| browser.cookie(name).unwrap();
        let portal = (of(&person.browser, "portico_portal"), of(&person.browser, "portico_portal_refresh"));
        let staff = (of(&tenant.owner, "portico_staff"), of(&tenant.owner, "portico_staff_refresh"));
        let device = of(&person.browser, "portico_device");
        let all = [&portal.0, &portal.1, &staff.0, &staff.1, &device, &reset, &invited];
        let refused = |answer: Answer, what: &str| {
            assert_eq!(answer.status, 401, "{what}");
            answer.problem(401, "unauthenticated");
        };
        for (n, token) in all.into_iter().enumerate() {
            for (path, cookie, own) in [(SESSION, "portico_portal", &portal.0), ("/api/staff/auth/session", "portico_staff", &staff.0), ("/api/v1/clients", "portico_staff", &staff.0)] {
                let browser = world.browser();
                browser.set_cookie(cookie, token);
                if token == own {
                    browser.get(path).await.expect(200);
                    with_bearer(&world.browser(), path, token).await.expect(200);
                } else {
                    refused(browser.get(path).await, &format!("{n} as a cookie at {path}"));
                    refused(with_bearer(&world.browser(), path, token).await, &format!("{n} as a bearer at {path}"));
                }
            }
            for (path, cookie, own) in [("/api/portal/auth/refresh", "portico_portal_refresh", &portal.1), ("/api/staff/auth/refresh", "portico_staff_refresh", &staff.1)] {
                let browser = world.browser();
                browser.set_cookie(cookie, token);
                if token != own {
                    refused(browser.call(path).await, &format!("{n} at {path}"));
                }
            }
            if n < 5 {
                world.browser().post("/api/portal/auth/check-token", json!({ "token": token })).await.problem(404, "token_unknown");
            }
        }
        // A token of another installation, which says that it is of ours.
        person.browser.get(SESSION).await.expect(200);
    }

    async fn jwt_04_every_token_verifies_with_the_published_keys(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let answer = world.browser().get(JWKS).await;
        assert_eq!(answer.headers["cache-control"], "public, max-age=3600");
        answer.expect(200);
        let keys = keys(world).await;
        let mut kids: Vec<_> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
        let all = kids.len();
        kids.sort_unstable();
        kids.dedup();
        assert!(kids.len() == all && all >= 2, "{keys:?}");
        for key in &keys {
            // Public parts only.
            let names: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x"]);
        }
        for api in &world.apis {
            let browser = world.browser().at(std::slice::from_ref(api));
            assert_eq!(browser.get(JWKS).await.expect(200)["keys"], json!(keys), "every replica publishes the same");
            person.sign_in(&browser).await;
            for token in [browser.cookie("portico_portal").unwrap(), tenant.owner.cookie("portico_staff").unwrap()] {
                let [head, body, signature] = parts(&token);
                let key = keys.iter().find(|key| key["kid"] == decode(head)["kid"]).expect("its key is published");
                let public = BASE64_URL_SAFE_NO_PAD.decode(key["x"].as_str().unwrap()).unwrap();
                let public = VerifyingKey::from_bytes(&public.try_into().unwrap()).unwrap();
                let signature = Signature::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
                public.verify_strict(format!("{head}.{body}").as_bytes(), &signature).unwrap();
            }
        }
        // What the database holds of a key is its name.
        assert!(!world.sql("SELECT * FROM signing_keys").is_empty());
        for key in &keys {
            assert!(!world.sql("SELECT * FROM signing_keys").contains(key["x"].as_str().unwrap()));
        }
    }

    async fn jwt_05_a_revoked_session_stays_revoked_in_every_spelling_of_its_token(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        let token = person.browser.cookie("portico_portal").unwrap();
        let [head, body, signature] = parts(&token);
        // The last base64 character of a signature has four bits to spare: none of their other values is the token.
        let last = signature.chars().last().unwrap();
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let spellings = alphabet.chars().filter(|c| *c != last).map(|c| format!("{head}.{body}.{}{c}", &signature[..signature.len() - 1]));
        let header = decode(head);
        let reordered = format!("{{\"typ\":{},\"kid\":{},\"alg\":{}}}", header["typ"], header["kid"], header["alg"]);
        let reordered = format!("{}.{body}.{signature}", BASE64_URL_SAFE_NO_PAD.encode(reordered));
        let spellings: Vec<_> = spellings.chain([reordered]).collect();
        for spelling in &spellings {
            with_bearer(&world.browser(), SESSION, spelling).await.problem(401, "unauthenticated");
        }
        person.browser.call("/api/portal/auth/sign-out").await.expect(204);
        with_bearer(&world.browser(), SESSION, &token).await.problem(401, "session_revoked");
        for spelling in &spellings {
            with_bearer(&world.browser(), SESSION, spelling).await.problem(401, "unauthenticated");
        }
    }

    async fn jwt_06_a_token_says_ids_and_times_and_nothing_about_a_person(world) {
        let tenant = world.tenant().await;
        let person = tenant.person(world).await;
        for (token, audience, names) in [
            (person.browser.cookie("portico_portal").unwrap(), "portico:portal", vec!["aud", "auth_time", "client_id", "exp", "iat", "iss", "jti", "sid", "sub"]),
            (tenant.owner.cookie("portico_staff").unwrap(), "portico:staff", vec!["aud", "auth_time", "exp", "iat", "iss", "jti", "sid", "sub"]),
        ] {
            let claims = decode(parts(&token)[1]);
            assert_eq!(claims.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>(), names);
            assert_eq!(claims["aud"], audience);
            assert!(token.len() < 1_024 && !claims.to_string().contains('@') && !claims.to_string().contains("Robin"), "{claims}");
            assert_eq!(claims["exp"].as_u64().unwrap() - claims["iat"].as_u64().unwrap(), 15 * 60);
        }
    }
}
