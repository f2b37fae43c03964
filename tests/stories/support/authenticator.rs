//! An authenticator in software, with the browser around it: it answers the options of passkeys as a browser would.
//!
//! A test changes any field of a response before it is signed. So it can send what no browser sends, such as the origin
//! of another site with a right signature. The unit tests of `domain/src/identity/passkeys` include this file too
//! (`#[path]`), because the stories import no crate of Portico. Each of the two uses some of it.
#![allow(dead_code, reason = "the stories and the unit tests each use some of it")]

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::{
    digest::{SHA256, digest},
    rand::{SecureRandom, SystemRandom},
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair},
};
use serde_json::{Map, Value, json};

/// The flag of a user who is present.
pub(crate) const UP: u8 = 0x01;
/// The flag of a user who was verified.
pub(crate) const UV: u8 = 0x04;
/// The flag of a passkey that may be backed up.
pub(crate) const BE: u8 = 0x08;
/// The flag of a passkey that is backed up.
pub(crate) const BS: u8 = 0x10;
/// The flag of attested credential data, which a registration has.
pub(crate) const AT: u8 = 0x40;
/// The flag of extension data.
pub(crate) const ED: u8 = 0x80;

/// An authenticator with one passkey, which signs with ES256.
pub(crate) struct SoftAuthenticator {
    key: EcdsaKeyPair,
    /// The id of the passkey.
    pub(crate) credential_id: Vec<u8>,
    /// The user handle of the person.
    pub(crate) user_handle: Vec<u8>,
    /// The signature counter of the last response. It stays 0 if `counts` is false.
    pub(crate) counter: u32,
    /// Whether each response raises the counter, as security keys do. Synchronized passkeys do not.
    pub(crate) counts: bool,
    /// The flags of each response.
    pub(crate) flags: u8,
}

/// The fields of a response, before it is signed and encoded.
pub(crate) struct Fields {
    /// The members of `clientDataJSON`: `type`, `challenge`, `origin` and `crossOrigin`.
    pub(crate) client_data: Map<String, Value>,
    /// The bytes of `clientDataJSON`; by default those of `client_data`.
    pub(crate) client_data_bytes: Option<Vec<u8>>,
    /// The RP ID whose hash is signed.
    pub(crate) rp_id: String,
    /// The flags: [`UP`], [`UV`], [`BE`], [`BS`], [`AT`] and [`ED`].
    pub(crate) flags: u8,
    /// The signature counter.
    pub(crate) counter: u32,
    /// The credential id of the authenticator data.
    pub(crate) credential_id: Vec<u8>,
    /// `id` and `rawId`; by default those of `credential_id`.
    pub(crate) raw_id: Option<Vec<u8>>,
    /// The public key in COSE.
    pub(crate) public_key: Vec<u8>,
    /// What follows the public key: extension data, if the flag [`ED`] is set.
    pub(crate) extensions: Vec<u8>,
    /// The bytes of the authenticator data; by default they are made from the fields above.
    pub(crate) authenticator_data: Option<Vec<u8>>,
    /// `fmt`: the format of the attestation.
    pub(crate) attestation_format: String,
    /// `attStmt`: the attestation statement in CBOR.
    pub(crate) attestation_statement: Vec<u8>,
    /// Whether the statement is a self attestation with the format `packed`.
    pub(crate) has_self_attestation: bool,
    /// The bytes of the attestation object; by default they are made from the fields above.
    pub(crate) attestation_object: Option<Vec<u8>>,
    /// The user handle of an assertion.
    pub(crate) user_handle: Option<Vec<u8>>,
    /// Whether a bit of the signature is wrong.
    pub(crate) has_wrong_signature: bool,
    /// Members that the response has in addition, or in place of its own.
    pub(crate) members: Map<String, Value>,
    /// Members that the inner `response` has in addition, or in place of its own.
    pub(crate) inner_members: Map<String, Value>,
}

impl SoftAuthenticator {
    /// Creates an authenticator with a new key.
    pub(crate) fn new() -> Self {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &SystemRandom::new()).unwrap();
        Self::with_key(pkcs8.as_ref(), random(32))
    }

    /// Creates an authenticator with the key in `pkcs8` and this credential id.
    pub(crate) fn with_key(pkcs8: &[u8], credential_id: Vec<u8>) -> Self {
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, pkcs8, &SystemRandom::new()).unwrap();
        Self { key, credential_id, user_handle: Vec::new(), counter: 0, counts: false, flags: UP | UV | BE | BS }
    }

    /// Makes this authenticator one that cannot be backed up and counts its responses, as a security key does.
    pub(crate) fn into_security_key(mut self) -> Self {
        (self.flags, self.counts) = (UP | UV, true);
        self
    }

    /// Returns the public key as an uncompressed point.
    pub(crate) fn public_point(&self) -> &[u8] {
        self.key.public_key().as_ref()
    }

    /// Answers the creation options of the server on a page of `origin`: the response to the registration.
    pub(crate) fn create(&mut self, options: &Value, origin: &str) -> Value {
        self.create_with(options, origin, |_| {})
    }

    /// Answers the creation options of the server, with fields that `edit` changes.
    pub(crate) fn create_with(&mut self, options: &Value, origin: &str, edit: impl FnOnce(&mut Fields)) -> Value {
        self.user_handle = decode(&options["user"]["id"]);
        let rp_id = options["rp"]["id"].as_str().unwrap();
        let mut fields = self.fields("webauthn.create", options, origin, rp_id);
        fields.flags |= AT;
        edit(&mut fields);
        let (client_data, data) = (fields.client_data_bytes(), fields.authenticator_data());
        if fields.has_self_attestation {
            let signature = self.sign(&fields, &data, &client_data);
            fields.attestation_format = "packed".into();
            fields.attestation_statement = map(&[(text("alg"), integer(-7)), (text("sig"), bytes(&signature))]);
        }
        let object = map(&[
            (text("fmt"), text(&fields.attestation_format)),
            (text("attStmt"), fields.attestation_statement.clone()),
            (text("authData"), bytes(&data)),
        ]);
        let object = fields.attestation_object.take().unwrap_or(object);
        fields.response(json!({
            "clientDataJSON": encode(&client_data),
            "attestationObject": encode(&object),
            "authenticatorData": encode(&data),
            "transports": ["hybrid", "internal"],
            "publicKeyAlgorithm": -7,
        }))
    }

    /// Answers the request options of the server on a page of `origin`: the response to the authentication.
    pub(crate) fn get(&mut self, options: &Value, origin: &str) -> Value {
        self.get_with(options, origin, |_| {})
    }

    /// Answers the request options of the server, with fields that `edit` changes.
    pub(crate) fn get_with(&mut self, options: &Value, origin: &str, edit: impl FnOnce(&mut Fields)) -> Value {
        let rp_id = options["rpId"].as_str().unwrap();
        let mut fields = self.fields("webauthn.get", options, origin, rp_id);
        edit(&mut fields);
        let (client_data, data) = (fields.client_data_bytes(), fields.authenticator_data());
        let signature = self.sign(&fields, &data, &client_data);
        let user_handle = fields.user_handle.as_deref().map(encode);
        fields.response(json!({
            "clientDataJSON": encode(&client_data),
            "authenticatorData": encode(&data),
            "signature": encode(&signature),
            "userHandle": user_handle,
        }))
    }

    /// Returns the fields that a browser and this authenticator give.
    fn fields(&mut self, kind: &str, options: &Value, origin: &str, rp_id: &str) -> Fields {
        self.counter += u32::from(self.counts);
        let client_data =
            json!({ "type": kind, "challenge": options["challenge"], "origin": origin, "crossOrigin": false });
        let Value::Object(client_data) = client_data else { unreachable!() };
        Fields {
            client_data,
            client_data_bytes: None,
            rp_id: rp_id.to_owned(),
            flags: self.flags,
            counter: self.counter,
            credential_id: self.credential_id.clone(),
            raw_id: None,
            public_key: ec_key(-7, 1, self.public_point()),
            extensions: Vec::new(),
            authenticator_data: None,
            attestation_format: "none".into(),
            attestation_statement: map(&[]),
            has_self_attestation: false,
            attestation_object: None,
            user_handle: Some(self.user_handle.clone()),
            has_wrong_signature: false,
            members: Map::new(),
            inner_members: Map::new(),
        }
    }

    fn sign(&self, fields: &Fields, authenticator_data: &[u8], client_data: &[u8]) -> Vec<u8> {
        let mut signed = authenticator_data.to_vec();
        signed.extend(digest(&SHA256, client_data).as_ref());
        // A change of the signed bytes leaves the signature in its form.
        signed[0] ^= u8::from(fields.has_wrong_signature);
        self.key.sign(&SystemRandom::new(), &signed).unwrap().as_ref().to_vec()
    }
}

impl Fields {
    /// Sets a member of `clientDataJSON`.
    pub(crate) fn set(&mut self, member: &str, value: impl Into<Value>) {
        self.client_data.insert(member.into(), value.into());
    }

    fn client_data_bytes(&self) -> Vec<u8> {
        self.client_data_bytes.clone().unwrap_or_else(|| serde_json::to_vec(&self.client_data).unwrap())
    }

    /// Returns the authenticator data, as section 6.1 of Web Authentication defines it.
    fn authenticator_data(&self) -> Vec<u8> {
        if let Some(data) = &self.authenticator_data {
            return data.clone();
        }
        let mut data = digest(&SHA256, self.rp_id.as_bytes()).as_ref().to_vec();
        data.push(self.flags);
        data.extend(self.counter.to_be_bytes());
        if self.flags & AT != 0 {
            data.extend([0; 16]);
            data.extend(u16::try_from(self.credential_id.len()).unwrap().to_be_bytes());
            data.extend(&self.credential_id);
            data.extend(&self.public_key);
        }
        data.extend(&self.extensions);
        data
    }

    /// Returns what `toJSON()` of the browser gives.
    fn response(self, mut inner: Value) -> Value {
        let id = encode(self.raw_id.as_ref().unwrap_or(&self.credential_id));
        inner.as_object_mut().unwrap().extend(self.inner_members);
        let mut response = json!({
            "id": id, "rawId": id, "type": "public-key", "authenticatorAttachment": "platform",
            "clientExtensionResults": {}, "response": inner,
        });
        response.as_object_mut().unwrap().extend(self.members);
        response
    }
}

/// Returns an elliptic curve key in COSE, with this algorithm and curve, from an uncompressed point.
pub(crate) fn ec_key(algorithm: i64, curve: i64, point: &[u8]) -> Vec<u8> {
    let (x, y) = point[1..].split_at((point.len() - 1) / 2);
    map(&[
        (integer(1), integer(2)),
        (integer(3), integer(algorithm)),
        (integer(-1), integer(curve)),
        (integer(-2), bytes(x)),
        (integer(-3), bytes(y)),
    ])
}

/// Returns an RSA key in COSE.
pub(crate) fn rsa_key(algorithm: i64, modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    map(&[
        (integer(1), integer(3)),
        (integer(3), integer(algorithm)),
        (integer(-1), bytes(modulus)),
        (integer(-2), bytes(exponent)),
    ])
}

/// Returns an Ed25519 key in COSE.
pub(crate) fn ed25519_key(x: &[u8]) -> Vec<u8> {
    map(&[(integer(1), integer(1)), (integer(3), integer(-8)), (integer(-1), integer(6)), (integer(-2), bytes(x))])
}

/// Returns a number in CBOR.
pub(crate) fn integer(number: i64) -> Vec<u8> {
    if number < 0 { head(1, (-1 - number).unsigned_abs()) } else { head(0, number.unsigned_abs()) }
}

/// Returns bytes in CBOR.
pub(crate) fn bytes(value: &[u8]) -> Vec<u8> {
    [head(2, value.len() as u64), value.to_vec()].concat()
}

/// Returns a text in CBOR.
pub(crate) fn text(value: &str) -> Vec<u8> {
    [head(3, value.len() as u64), value.as_bytes().to_vec()].concat()
}

/// Returns an array of encoded items in CBOR.
pub(crate) fn array(items: &[Vec<u8>]) -> Vec<u8> {
    [head(4, items.len() as u64), items.concat()].concat()
}

/// Returns a map of encoded keys and values in CBOR, in the given order.
pub(crate) fn map(entries: &[(Vec<u8>, Vec<u8>)]) -> Vec<u8> {
    let entries_bytes = entries.iter().flat_map(|(key, value)| [key.as_slice(), value].concat());
    head(5, entries.len() as u64).into_iter().chain(entries_bytes).collect()
}

/// Returns the first bytes of an item in CBOR: its major type and its number or length.
fn head(major: u8, number: u64) -> Vec<u8> {
    let long = |info: u8, bytes: &[u8]| [&[major << 5 | info], bytes].concat();
    match number {
        0..24 => long(number as u8, &[]),
        24..0x100 => long(24, &[number as u8]),
        0x100..0x1_0000 => long(25, &(number as u16).to_be_bytes()),
        0x1_0000..0x1_0000_0000 => long(26, &(number as u32).to_be_bytes()),
        _ => long(27, &number.to_be_bytes()),
    }
}

/// Encodes bytes as base64url without padding.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// Decodes a text of base64url without padding.
pub(crate) fn decode(text: &Value) -> Vec<u8> {
    BASE64_URL_SAFE_NO_PAD.decode(text.as_str().unwrap()).unwrap()
}

/// Returns random bytes.
pub(crate) fn random(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    SystemRandom::new().fill(&mut bytes).unwrap();
    bytes
}
