//! The responses of browsers: their form and the parts that the library does not check.
//!
//! A response is what `PublicKeyCredential.toJSON()` gives. The functions here check its size, its depth, its origin
//! and its CBOR, and make a copy that has only the members that the library needs.

use std::io::{self, Write};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Value, json};

use super::cbor::{AuthenticatorData, Item};

/// The largest response, in bytes of JSON. The largest that occur have about 4 KiB.
const MAX_RESPONSE_BYTES: usize = 16 * 1_024;

/// How deep arrays and objects of a response may be nested.
const MAX_DEPTH: usize = 16;

/// The longest text of a credential id: 1,023 bytes in base64url.
const MAX_CREDENTIAL_ID_CHARS: usize = 1_364;

/// The ways to reach an authenticator that browsers know (`AuthenticatorTransport`).
const TRANSPORTS: [&str; 6] = ["usb", "nfc", "ble", "smart-card", "hybrid", "internal"];

/// Why a ceremony did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CeremonyError {
    /// The response is refused. The text is a reason for the log. A client must not see it: every refusal looks the
    /// same.
    Refused(&'static str),
    /// The response is right, but its signature counter is not higher than the stored one: a copy of the passkey may
    /// exist. To be refused like any other, and to be audited.
    CounterWentBack,
    /// The response is right, but whether the passkey may be backed up has changed since its registration. To be
    /// refused like any other, and to be audited.
    BackupEligibilityChanged,
    /// The stored credential cannot be read, or the library created no options.
    Internal(&'static str),
}

/// Returns the id of the credential that `response` comes from, before anything is verified, or `None` if the response
/// has no valid id. With it, the caller finds the stored credential.
pub fn credential_id(response: &Value) -> Option<Vec<u8>> {
    let text = response.get("rawId")?.as_str()?;
    let id = (text.len() <= MAX_CREDENTIAL_ID_CHARS).then(|| BASE64_URL_SAFE_NO_PAD.decode(text).ok())??;
    (!id.is_empty()).then_some(id)
}

/// A response to a registration whose form is right.
pub(super) struct Registration {
    /// The members that the library reads.
    pub(super) copy: Value,
    /// How the browser reached the authenticator.
    pub(super) transports: Vec<String>,
}

/// A response to an authentication whose form is right.
pub(super) struct Authentication {
    /// The members that the library reads.
    pub(super) copy: Value,
    /// The id of the credential.
    pub(super) credential_id: Vec<u8>,
    /// The user handle; `None` if the response has none or an empty one.
    pub(super) user_handle: Option<Vec<u8>>,
    /// Whether the passkey may be backed up.
    pub(super) is_backup_eligible: bool,
}

/// Checks the form of a response to a registration, and that it comes from `origin`.
///
/// # Errors
/// [`CeremonyError::Refused`].
pub(super) fn read_registration(response: &Value, origin: &str) -> Result<Registration, CeremonyError> {
    let (mut copy, id) = read_common(response, origin)?;
    let inner = &response["response"];
    let object =
        decode(&inner["attestationObject"]).ok_or(CeremonyError::Refused("attestationObject is not base64"))?;
    let created = read_attestation(&object).ok_or(CeremonyError::Refused("attestationObject has a wrong form"))?;
    if created != id {
        return Err(CeremonyError::Refused("rawId is not the id of the new credential"));
    }
    copy["response"]["attestationObject"] = inner["attestationObject"].clone();
    let transports = inner["transports"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let known = |name: &&str| transports.clone().any(|transport| transport == *name);
    let transports = TRANSPORTS.iter().filter(|name| known(name)).map(ToString::to_string).collect();
    Ok(Registration { copy, transports })
}

/// Checks the form of a response to an authentication, and that it comes from `origin`.
///
/// # Errors
/// [`CeremonyError::Refused`].
pub(super) fn read_authentication(response: &Value, origin: &str) -> Result<Authentication, CeremonyError> {
    let (mut copy, credential_id) = read_common(response, origin)?;
    let inner = &response["response"];
    let data = decode(&inner["authenticatorData"]).ok_or(CeremonyError::Refused("authenticatorData is not base64"))?;
    let data = AuthenticatorData::read(&data).ok_or(CeremonyError::Refused("authenticatorData has a wrong form"))?;
    let user_handle = match &inner["userHandle"] {
        Value::Null => None,
        text => Some(decode(text).ok_or(CeremonyError::Refused("userHandle is not base64"))?),
    };
    copy["response"]["authenticatorData"] = inner["authenticatorData"].clone();
    copy["response"]["signature"] = inner["signature"].clone();
    Ok(Authentication {
        copy,
        credential_id,
        user_handle: user_handle.filter(|handle| !handle.is_empty()),
        is_backup_eligible: data.is_backup_eligible,
    })
}

/// Checks what both kinds of response have. Returns the copy, without the members of one kind, and the credential id.
fn read_common(response: &Value, origin: &str) -> Result<(Value, Vec<u8>), CeremonyError> {
    if !is_shallow(response, MAX_DEPTH) {
        return Err(CeremonyError::Refused("the response is nested too deep"));
    }
    if serde_json::to_writer(Limit(MAX_RESPONSE_BYTES), response).is_err() {
        return Err(CeremonyError::Refused("the response is too large"));
    }
    let id = credential_id(response).ok_or(CeremonyError::Refused("rawId is not a credential id"))?;
    if response["id"] != response["rawId"] || response["type"] != "public-key" {
        return Err(CeremonyError::Refused("id or type is wrong"));
    }
    let client_data = &response["response"]["clientDataJSON"];
    check_client_data(client_data, origin)?;
    let copy = json!({
        "id": response["rawId"], "rawId": response["rawId"], "type": "public-key",
        "response": { "clientDataJSON": client_data },
    });
    Ok((copy, id))
}

/// The members of `clientDataJSON` that Portico checks itself. The library checks the type and the challenge.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ClientData {
    origin: String,
    #[serde(default)]
    cross_origin: Option<bool>,
    #[serde(default)]
    top_origin: Option<IgnoredAny>,
}

/// Checks that the ceremony took place on a page of `origin` that no other origin embeds.
///
/// The library compares parsed URLs, so it accepts an origin with a path. It checks `crossOrigin` in registrations
/// only.
fn check_client_data(client_data: &Value, origin: &str) -> Result<(), CeremonyError> {
    let bytes = decode(client_data).ok_or(CeremonyError::Refused("clientDataJSON is not base64"))?;
    let data: ClientData =
        serde_json::from_slice(&bytes).map_err(|_| CeremonyError::Refused("clientDataJSON has a wrong form"))?;
    if data.origin != origin {
        return Err(CeremonyError::Refused("the origin is another one"));
    }
    if data.cross_origin == Some(true) || data.top_origin.is_some() {
        return Err(CeremonyError::Refused("the page is embedded in one of another origin"));
    }
    Ok(())
}

/// Checks an attestation object. Returns the id of the new credential, or `None` if the object is refused.
///
/// Portico asks for no attestation, so browsers send the format `none`, or a self attestation as `packed` (Web
/// Authentication, section 5.1.3). Formats with certificates are refused before certificates are parsed.
fn read_attestation(object: &[u8]) -> Option<Vec<u8>> {
    let object = Item::read_all(object)?;
    let statement = object.get("attStmt")?.names()?;
    let is_allowed = match object.get("fmt")? {
        Item::Text("none") => statement.is_empty(),
        Item::Text("packed") => statement.iter().all(|name| ["alg", "sig"].contains(name)),
        _ => false,
    };
    let Item::Bytes(data) = object.get("authData")? else { return None };
    let id = AuthenticatorData::read(data)?.credential_id?;
    is_allowed.then(|| id.to_vec())
}

/// Decodes a text of base64url without padding.
fn decode(text: &Value) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(text.as_str()?).ok()
}

/// Returns whether arrays and objects of `value` are nested at most `depth` deep.
fn is_shallow(value: &Value, depth: usize) -> bool {
    match (value, depth.checked_sub(1)) {
        (Value::Array(_) | Value::Object(_), None) => false,
        (Value::Array(items), Some(depth)) => items.iter().all(|item| is_shallow(item, depth)),
        (Value::Object(members), Some(depth)) => members.values().all(|member| is_shallow(member, depth)),
        _ => true,
    }
}

/// A writer that keeps nothing, and fails when more than this many bytes are written.
struct Limit(usize);

impl Write for Limit {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
