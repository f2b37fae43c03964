//! Responses that no browser sends. The name of a test starts with the case of an attacker that it shows.

use std::time::{Duration, Instant};

use super::*;

/// How long the refusal of a hostile response may take.
const MAX_REFUSAL_TIME: Duration = Duration::from_millis(50);

type Edit = Box<dyn Fn(&mut Fields)>;

fn edit(edit: impl Fn(&mut Fields) + 'static) -> Edit {
    Box::new(edit)
}

/// Returns what both kinds of response may have wrong, and the reason of the refusal.
fn wrong_fields() -> Vec<(&'static str, &'static str, Edit)> {
    let mut cases = vec![
        ("UV is 0", "the user was not verified", edit(|fields| fields.flags &= !UV)),
        ("UP is 0", "the user was not present", edit(|fields| fields.flags &= !UP)),
        ("other rpIdHash", "the RP ID is another one", edit(|fields| fields.rp_id = "example.com".into())),
        ("rpIdHash of the origin", "the RP ID is another one", edit(|fields| fields.rp_id = ORIGIN.into())),
        (
            "crossOrigin",
            "the page is embedded in one of another origin",
            edit(|fields| fields.set("crossOrigin", true)),
        ),
        (
            "topOrigin",
            "the page is embedded in one of another origin",
            edit(|fields| fields.set("topOrigin", "https://evil.test")),
        ),
        ("crossOrigin is a text", "clientDataJSON has a wrong form", edit(|fields| fields.set("crossOrigin", "false"))),
        ("unknown type", "the type of the client data is wrong", edit(|fields| fields.set("type", "payment.get"))),
        ("other challenge", "the challenge is another one", edit(|fields| fields.set("challenge", encode([7; 32])))),
        ("empty challenge", "the challenge is another one", edit(|fields| fields.set("challenge", ""))),
        (
            "no challenge",
            "the library refuses the response",
            edit(|fields| drop(fields.client_data.remove("challenge"))),
        ),
        ("no origin", "clientDataJSON has a wrong form", edit(|fields| drop(fields.client_data.remove("origin")))),
        ("other id", "rawId is not", edit(|fields| fields.raw_id = Some(random(32)))),
        ("short rawId", "rawId is not", edit(|fields| fields.raw_id = Some(vec![]))),
    ];
    for origin in [
        "https://evil.test",
        "http://portal.example.com",
        "https://portal.example.com.evil.test",
        "https://evilportal.example.com",
        "https://a.portal.example.com",
        "https://example.com",
        "https://portal.example.com:8443",
        "https://portal.example.com/",
        "https://portal.example.com/evil",
        "https://PORTAL.example.com",
        "https://portal.example.com@evil.test",
        "https://user@portal.example.com",
        "android:apk-key-hash:portal.example.com",
        "null",
        "",
    ] {
        cases.push((origin, "the origin is another one", edit(move |fields| fields.set("origin", origin))));
    }
    cases
}

#[test]
fn pky_02_wrong_flags_origins_and_owners_are_refused() {
    for (name, reason, edit) in wrong_fields() {
        let error = register(&edit).unwrap_err();
        let is_reason = |error| matches!(error, CeremonyError::Refused(why) if why.starts_with(reason));
        assert!(is_reason(error), "registration, {name}: {error:?}");
        // The stored credential is looked up by the id of the response, so another id has another reason there.
        let is_expected =
            |error| is_reason(error) || (name == "other id" && matches!(error, CeremonyError::Refused(_)));
        let error = person().sign_in(&edit).unwrap_err();
        assert!(is_expected(error), "sign-in, {name}: {error:?}");
        let error = person().step_up(&edit).unwrap_err();
        assert!(is_expected(error), "step-up, {name}: {error:?}");
    }
    for (name, result) in [
        ("type of an authentication", register(|fields| fields.set("type", "webauthn.get")).map(drop)),
        ("type of a registration", person().sign_in(|fields| fields.set("type", "webauthn.create")).map(drop)),
        ("wrong signature", person().sign_in(|fields| fields.has_wrong_signature = true).map(drop)),
        ("no user handle", person().sign_in(|fields| fields.user_handle = None).map(drop)),
        ("empty user handle", person().sign_in(|fields| fields.user_handle = Some(vec![])).map(drop)),
        (
            "part of the user handle",
            person().sign_in(|fields| fields.user_handle.as_mut().unwrap().truncate(63)).map(drop),
        ),
        ("other user handle at a step-up", person().step_up(|fields| fields.user_handle = Some(random(64))).map(drop)),
    ] {
        assert_refused(name, result);
    }
}

#[test]
fn pky_02_key_and_owner_of_different_persons_are_refused() {
    let (mut ada, mut ben) = (person(), person());
    let (ada_id, ada_handle) = (ada.authenticator.credential_id.clone(), ada.handle.as_bytes().to_vec());
    let (ben_id, ben_handle) = (ben.authenticator.credential_id.clone(), ben.handle.as_bytes().to_vec());
    assert_refused("Ada's key, Ben's handle", ada.sign_in(|fields| fields.user_handle = Some(ben_handle.clone())));
    // The caller finds the credential of Ben, because the response has its id.
    let ceremony = party().start_discoverable_authentication().unwrap();
    let response = ada.authenticator.get_with(&ceremony.public_key, ORIGIN, |fields| {
        (fields.credential_id, fields.user_handle) = (ben_id.clone(), Some(ben_handle));
    });
    assert_eq!(credential_id(&response), Some(ben_id));
    let result = party().finish_authentication(&response, &ceremony.state, &ben.credential, &ben.handle);
    assert_eq!(result.unwrap_err(), CeremonyError::Refused("the signature is wrong"));
    // A caller that finds another credential than the one of the response.
    let result = party().finish_authentication(&response, &ceremony.state, &ada.credential, &ada.handle);
    assert_refused("Ben's id, Ada's credential", result);
    assert_refused(
        "Ben's key, Ada's id and handle",
        ben.sign_in(|fields| {
            (fields.credential_id, fields.user_handle) = (ada_id, Some(ada_handle));
        }),
    );
}

#[test]
fn pky_03_credential_ids_keys_and_attestations_that_are_not_allowed_are_refused() {
    let point = [vec![4], vec![7; 64]].concat();
    let odd = [vec![0xff; 255], vec![1]].concat();
    for (length, is_allowed) in [(15, false), (16, true), (1_023, true), (1_024, false), (4_096, false)] {
        let result = register(|fields| fields.credential_id = random(length));
        assert_eq!(result.is_ok(), is_allowed, "credential id of {length} bytes: {result:?}");
    }
    let p384 = ec_key(-7, 2, &P384_POINT);
    for (name, key) in [
        ("Ed25519", ed25519_key(&[7; 32])),
        ("ES512", ec_key(-36, 3, &[vec![4], vec![0; 132]].concat())),
        ("ES256 with P-384", p384),
        ("ES384 with P-256", ec_key(-35, 1, SoftAuthenticator::new().public_point())),
        ("ES256K", ec_key(-47, 8, &point)),
        ("point that is not on the curve", ec_key(-7, 1, &point)),
        ("point at zero", ec_key(-7, 1, &[vec![4], vec![0; 64]].concat())),
        ("short point", ec_key(-7, 1, &[4, 1, 2])),
        ("RSA of 512 bits", rsa_key(-257, &[0xff; 64], &[1, 0, 1])),
        ("RSA of 8,192 bits", rsa_key(-257, &[0xff; 1_024], &[1, 0, 1])),
        ("RSA, even modulus", rsa_key(-257, &[0xfe; 256], &[1, 0, 1])),
        ("RSA, modulus 0", rsa_key(-257, &[0; 256], &[1, 0, 1])),
        ("RSA, exponent 0", rsa_key(-257, &odd, &[0, 0, 0])),
        ("RSA, exponent 1", rsa_key(-257, &odd, &[0, 0, 1])),
        ("RSA, exponent 2", rsa_key(-257, &odd, &[0, 0, 2])),
        ("RSA, exponent of four bytes", rsa_key(-257, &odd, &[1, 0, 0, 1])),
        ("RS1", rsa_key(-65_535, &odd, &[1, 0, 1])),
        ("RS512", rsa_key(-259, &odd, &[1, 0, 1])),
        ("PS256", rsa_key(-37, &odd, &[1, 0, 1])),
        ("no key", vec![]),
        ("number", integer(7)),
        ("empty map", map(&[])),
        ("algorithm of 64 bits", rsa_key(i64::MIN, &odd, &[1, 0, 1])),
        ("key twice", [b"\xa2\x01\x02".to_vec(), b"\x01\x02".to_vec()].concat()),
    ] {
        assert_refused(name, register(|fields| fields.public_key = key));
    }
    let statement = |alg: i64, sig: &[u8]| map(&[(text("alg"), integer(alg)), (text("sig"), bytes(sig))]);
    let certificate = map(&[
        (text("alg"), integer(-7)),
        (text("sig"), bytes(&[0; 70])),
        (text("x5c"), array(&[bytes(&[0x30; 500])])),
    ]);
    for (name, format, statement) in [
        ("none with a statement", "none", statement(-7, &[0; 70])),
        ("packed, empty", "packed", map(&[])),
        ("packed, garbage", "packed", statement(-7, &[7; 70])),
        ("packed, other algorithm", "packed", statement(-257, &[7; 256])),
        ("packed, with a certificate", "packed", certificate.clone()),
        ("fido-u2f", "fido-u2f", certificate.clone()),
        ("tpm", "tpm", certificate.clone()),
        ("android-key", "android-key", certificate.clone()),
        ("android-safetynet", "android-safetynet", map(&[])),
        ("apple", "apple", certificate),
        ("unknown", "x", map(&[])),
        ("statement that is no map", "none", integer(0)),
    ] {
        assert_refused(
            name,
            register(|fields| {
                (fields.attestation_format, fields.attestation_statement) = (format.into(), statement);
            }),
        );
    }
    let person = person();
    let ceremony = start_registration(&person.handle, std::slice::from_ref(&person.credential));
    let mut again = person.authenticator;
    let response = again.create(&ceremony.public_key, ORIGIN);
    assert_refused("the same passkey again", party().finish_registration(&response, &ceremony.state));
}

/// The library registers keys that are no product of two primes. Only their owner has them, so they do no harm.
#[test]
fn pky_03_rsa_key_that_is_no_key_verifies_nothing() {
    let modulus = [vec![0xff; 255], vec![1]].concat();
    for exponent in [[1, 0, 1], [0, 0, 3], [0xff; 3]] {
        let (mut authenticator, handle) = (SoftAuthenticator::new(), UserHandle::new(Random));
        let ceremony = start_registration(&handle, &[]);
        let key = rsa_key(-257, &modulus, &exponent);
        let response = authenticator.create_with(&ceremony.public_key, ORIGIN, |fields| fields.public_key = key);
        let credential = party().finish_registration(&response, &ceremony.state).unwrap().credential;
        let mut person = Person { handle, authenticator, credential };
        for signature in [vec![], vec![0; 256], vec![0xff; 256], modulus.clone(), random(256), random(257)] {
            let members = Map::from_iter([("signature".to_owned(), Value::from(encode(signature)))]);
            assert_refused("signature", person.sign_in(|fields| fields.inner_members = members));
        }
    }
}

#[test]
fn pky_04_hostile_cbor_and_json_is_refused_quickly() {
    let mut cases: Vec<(String, Edit)> = Vec::new();
    for (name, cbor) in hostile_cbor() {
        let whole = cbor.clone();
        cases
            .push((format!("attestation object: {name}"), edit(move |it| it.attestation_object = Some(whole.clone()))));
        let key = cbor.clone();
        cases.push((format!("public key: {name}"), edit(move |it| it.public_key = key.clone())));
        let inner = cbor.clone();
        cases.push((format!("attestation: {name}"), edit(move |it| it.attestation_statement = inner.clone())));
        cases.push((
            format!("extensions: {name}"),
            edit(move |it| {
                (it.flags, it.extensions) = (it.flags | ED, cbor.clone());
            }),
        ));
    }
    for (name, json) in hostile_json() {
        cases.push((format!("client data: {name}"), edit(move |it| it.client_data_bytes = Some(json.clone()))));
    }
    for length in [0, 1, 36, 37, 38, 54, 55, 80] {
        let data = vec![0xff; length];
        let edit = edit(move |it| it.authenticator_data = Some(data.clone()));
        cases.push((format!("authenticator data of {length} bytes"), edit));
    }
    cases.push(("bytes after the authenticator data".into(), edit(|it| it.extensions = vec![0])));
    cases.push(("flag of extensions without them".into(), edit(|it| it.flags |= ED)));
    let big = Map::from_iter([("extra".to_owned(), Value::from("x".repeat(17_000)))]);
    cases.push(("17 kB of unknown members".into(), edit(move |it| it.members = big.clone())));
    let deep = Map::from_iter([("extra".to_owned(), (0..100).fold(Value::Null, |inner, _| json!([inner])))]);
    cases.push(("unknown member nested 100 deep".into(), edit(move |it| it.members = deep.clone())));
    for member in ["clientDataJSON", "attestationObject", "authenticatorData", "signature"] {
        for value in [json!("%"), json!("YQ=="), json!(7), json!(null), json!({}), json!(["YQ"])] {
            let members = Map::from_iter([(member.to_owned(), value.clone())]);
            cases.push((format!("{member} is {value}"), edit(move |it| it.inner_members = members.clone())));
        }
    }
    for value in [json!(null), json!(7), json!([]), json!({}), json!("x")] {
        for member in ["id", "rawId", "type", "response"] {
            let members = Map::from_iter([(member.to_owned(), value.clone())]);
            cases.push((format!("{member} is {value}"), edit(move |it| it.members = members.clone())));
        }
    }
    let (mut person, handle) = (person(), UserHandle::new(Random));
    for (name, edit) in cases {
        let ceremony = start_registration(&handle, &[]);
        let response = SoftAuthenticator::new().create_with(&ceremony.public_key, ORIGIN, &edit);
        let start = Instant::now();
        let result = party().finish_registration(&response, &ceremony.state);
        let took = start.elapsed();
        // Only a registration has these parts, and only an authentication has a signature.
        if !["signature is", "authenticatorData is"].iter().any(|start| name.starts_with(start)) {
            assert_refused(&name, result);
        }
        assert!(took < MAX_REFUSAL_TIME, "{name}: {took:?}");

        let ceremony = party().start_discoverable_authentication().unwrap();
        let response = person.authenticator.get_with(&ceremony.public_key, ORIGIN, &edit);
        let start = Instant::now();
        let result = party().finish_authentication(&response, &ceremony.state, &person.credential, &person.handle);
        let took = start.elapsed();
        if !["attestation", "public key"].iter().any(|start| name.starts_with(start)) {
            assert_refused(&name, result);
            assert!(took < MAX_REFUSAL_TIME, "{name}: {took:?}");
        }
    }
}

#[test]
fn pky_04_values_that_are_no_responses_are_refused() {
    let ceremony = start_registration(&UserHandle::new(Random), &[]);
    for value in [json!(null), json!("x"), json!(1), json!([]), json!({}), json!([[[[]]]]), json!({ "rawId": "YQ" })] {
        assert_refused("registration", party().finish_registration(&value, &ceremony.state));
    }
    assert_eq!(credential_id(&json!({ "rawId": "YWJj" })), Some(b"abc".to_vec()));
    for value in [json!(null), json!({}), json!({ "rawId": 7 }), json!({ "rawId": "" }), json!({ "rawId": "a b" })] {
        assert_eq!(credential_id(&value), None, "{value}");
    }
    assert_eq!(credential_id(&json!({ "rawId": encode(random(1_024)) })), None);
}

fn hostile_cbor() -> Vec<(&'static str, Vec<u8>)> {
    let nested = |first: &[u8]| [first.repeat(10_000), vec![0]].concat();
    vec![
        ("arrays nested 10,000 deep", nested(b"\x81")),
        ("maps nested 10,000 deep", nested(b"\xa1\x00")),
        ("tags nested 10,000 deep", nested(b"\xc1")),
        ("arrays nested 5 deep", b"\xa1\x00\x81\x81\x81\x81\x00".to_vec()),
        ("bytes of 4 GiB", b"\x5b\x00\x00\x00\x01\x00\x00\x00\x00a".to_vec()),
        ("array of 16 EiB", b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff\x00".to_vec()),
        ("map of 4 GiB", b"\xba\xff\xff\xff\xff\x00\x00".to_vec()),
        ("text of 4 GiB", b"\x7a\xff\xff\xff\xffa".to_vec()),
        ("truncated", b"\xa3\x63fmt\x64none".to_vec()),
        ("indefinite map", b"\xbf\x63fmt\x64none\xff".to_vec()),
        ("indefinite bytes", b"\x5f\x41a\x41b\xff".to_vec()),
        ("keys twice", b"\xa2\x63fmt\x64none\x63fmt\x64none".to_vec()),
        ("not a number", b"\xa1\x63fmt\xfb\x7f\xf8\x00\x00\x00\x00\x00\x00".to_vec()),
        ("nothing", vec![]),
        ("15 kB of zeros", vec![0; 11_000]),
    ]
}

fn hostile_json() -> Vec<(&'static str, Vec<u8>)> {
    let good = br#"{"type":"webauthn.get","challenge":"AAAA","origin":"https://portal.example.com"}"#;
    let twice = br#"{"type":"webauthn.get","challenge":"AAAA","origin":"https://portal.example.com","origin":"https://portal.example.com"}"#;
    vec![
        ("byte order mark", [b"\xef\xbb\xbf", good.as_slice()].concat()),
        ("200 kB with a byte order mark", [b"\xef\xbb\xbf".to_vec(), good.to_vec(), vec![b' '; 200_000]].concat()),
        ("200 kB", [good.to_vec(), vec![b' '; 200_000]].concat()),
        ("nested 10,000 deep", [vec![b'['; 10_000], vec![b']'; 10_000]].concat()),
        ("member nested 5,000 deep", [b"{\"a\":".to_vec(), vec![b'['; 5_000]].concat()),
        ("member twice", twice.to_vec()),
        ("NaN", br#"{"type":NaN}"#.to_vec()),
        ("truncated", good[..40].to_vec()),
        ("two values", [good.as_slice(), good].concat()),
        ("UTF-16", good.iter().flat_map(|byte| [*byte, 0]).collect()),
        ("invalid UTF-8", b"{\"type\":\"\xff\"}".to_vec()),
        ("nothing", vec![]),
        ("null", b"null".to_vec()),
    ]
}

/// The generator of the curve P-384, uncompressed.
const P384_POINT: [u8; 97] = *b"\x04\
    \xaa\x87\xca\x22\xbe\x8b\x05\x37\x8e\xb1\xc7\x1e\xf3\x20\xad\x74\x6e\x1d\x3b\x62\x8b\xa7\x9b\x98\
    \x59\xf7\x41\xe0\x82\x54\x2a\x38\x55\x02\xf2\x5d\xbf\x55\x29\x6c\x3a\x54\x5e\x38\x72\x76\x0a\xb7\
    \x36\x17\xde\x4a\x96\x26\x2c\x6f\x5d\x9e\x98\xbf\x92\x92\xdc\x29\xf8\xf4\x1d\xbd\x28\x9a\x14\x7c\
    \xe9\xda\x31\x13\xb5\xf0\xb8\xc0\x0a\x60\xb1\xce\x1d\x7e\x81\x9d\x7a\x43\x1d\x7c\x90\xea\x0e\x5f";
