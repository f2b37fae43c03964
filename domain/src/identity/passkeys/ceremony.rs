//! Registrations and authentications with passkeys. The only file that knows the library `webauthn-rs`.
//!
//! `docs/decisions/0021-passkeys.md` lists what the library does not check or does otherwise than Portico needs.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;
use webauthn_rs::prelude::{
    COSEAlgorithm, COSEKeyType, DiscoverableAuthentication, DiscoverableKey, ECDSACurve, Passkey, PasskeyRegistration,
    Webauthn, WebauthnBuilder, WebauthnError,
};

use super::{
    CEREMONY_TTL, CeremonyError, UserHandle, response,
    stored_text::{CeremonyState, StoredCredential},
};

/// What the library needs a value for, and Portico sets otherwise.
const UNUSED_NAME: &str = "unused";

/// The party that passkeys belong to: Portico under its public URL.
#[derive(Clone, Debug)]
pub struct RelyingParty {
    library: Webauthn,
    id: String,
    origin: String,
}

/// The person that a passkey is registered for, as an authenticator shows them.
#[derive(Clone, Copy, Debug)]
pub struct PasskeyUser<'a> {
    /// The user handle. An authenticator keeps at most one passkey for each handle.
    pub handle: &'a UserHandle,
    /// The name that tells the accounts of a person apart, such as the email address.
    pub name: &'a str,
    /// The name of the person.
    pub display_name: &'a str,
}

/// A ceremony that has started.
#[derive(Clone, Debug)]
pub struct Ceremony {
    /// The options for `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON`.
    pub public_key: Value,
    /// What the server needs to verify the response.
    pub state: CeremonyState,
}

/// A passkey that has been registered.
#[derive(Clone, Debug)]
pub struct NewCredential {
    /// The id of the credential, 16 to 1,023 bytes. The caller must refuse an id that is stored already.
    pub id: Vec<u8>,
    /// What is stored.
    pub credential: StoredCredential,
    /// The signature counter. It is 0 for passkeys that are synchronized between devices.
    pub counter: u32,
    /// Whether the passkey may be backed up, that is, is synchronized between devices.
    pub is_backup_eligible: bool,
    /// Whether the passkey is backed up.
    pub is_backed_up: bool,
}

/// A proof that a person has used their passkey, with user verification.
#[derive(Clone, Debug)]
pub struct Assertion {
    /// The id of the credential.
    pub id: Vec<u8>,
    /// What must be stored in place of the former credential, if its counter is still the former one.
    pub credential: StoredCredential,
    /// The signature counter. It is 0 for passkeys that are synchronized between devices.
    pub counter: u32,
    /// Whether the passkey is backed up.
    pub is_backed_up: bool,
}

/// What [`CeremonyState`] contains.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Registration(PasskeyRegistration),
    /// With the ids of the credentials that may be used, in base64url; `None` if every one may be.
    Authentication(DiscoverableAuthentication, Option<Vec<String>>),
}

/// What [`StoredCredential`] contains.
#[derive(Serialize, Deserialize)]
struct Stored {
    passkey: Passkey,
    #[serde(default)]
    transports: Vec<String>,
}

impl RelyingParty {
    /// Creates the relying party `rp_id` at `origin`, which `name` names to persons. Returns `None` if `rp_id` is
    /// neither the host of `origin` nor a domain above it with at least two labels, or if the host is an IP address.
    ///
    /// Browsers also refuse a domain under which everyone can register, such as `co.uk`.
    pub fn new(rp_id: &str, origin: &Url, name: &str) -> Option<Self> {
        if rp_id != origin.domain()? && !rp_id.contains('.') {
            return None;
        }
        let builder = WebauthnBuilder::new(rp_id, origin).ok()?;
        let library = builder.rp_name(name).timeout(CEREMONY_TTL).build().ok()?;
        Some(Self { library, id: rp_id.to_owned(), origin: origin.origin().ascii_serialization() })
    }

    /// Returns the RP ID: the domain that passkeys belong to.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Starts the registration of a passkey for `user`, who already has the passkeys `existing`. An authenticator with
    /// one of those refuses the registration.
    ///
    /// # Errors
    /// [`CeremonyError::Internal`].
    pub fn start_registration(
        &self,
        user: &PasskeyUser<'_>,
        existing: &[StoredCredential],
    ) -> Result<Ceremony, CeremonyError> {
        let existing = existing.iter().map(StoredCredential::read).collect::<Result<Vec<_>, _>>()?;
        let ids = existing.iter().map(|stored| stored.passkey.cred_id().clone()).collect();
        // The library limits user handles to 16 bytes, and does not keep them in the state.
        let (options, state) = self
            .library
            .start_passkey_registration(Uuid::nil(), UNUSED_NAME, UNUSED_NAME, Some(ids))
            .map_err(|_| CeremonyError::Internal("the library created no options of a registration"))?;
        let options = to_json(&options)?;
        let public_key = json!({
            "rp": options["publicKey"]["rp"],
            "user": {
                "id": BASE64_URL_SAFE_NO_PAD.encode(user.handle.as_bytes()),
                "name": user.name,
                "displayName": user.display_name,
            },
            "challenge": options["publicKey"]["challenge"],
            "pubKeyCredParams": options["publicKey"]["pubKeyCredParams"],
            "timeout": options["publicKey"]["timeout"],
            "excludeCredentials": existing.iter().map(Stored::descriptor).collect::<Vec<_>>(),
            "authenticatorSelection": {
                "residentKey": "required", "requireResidentKey": true, "userVerification": "required",
            },
            "attestation": "none",
        });
        Ok(Ceremony { public_key, state: CeremonyState::write(&State::Registration(state))? })
    }

    /// Verifies the response to a registration, which is what `toJSON()` of the browser gives.
    ///
    /// # Errors
    /// [`CeremonyError::Refused`] if a part of `response` is wrong, or `state` is of an authentication.
    pub fn finish_registration(&self, response: &Value, state: &CeremonyState) -> Result<NewCredential, CeremonyError> {
        let Some(State::Registration(state)) = state.read() else { return Err(WRONG_STATE) };
        let response = response::read_registration(response, &self.origin)?;
        let typed = serde_json::from_value(response.copy).map_err(|_| WRONG_FORM)?;
        let passkey = self.library.finish_passkey_registration(&typed, &state).map_err(|error| refusal(&error))?;
        // The library accepts ES256 with every curve. Web Authentication (section 5.8.5) ties each to its own.
        let is_allowed = match (passkey.cred_algorithm(), &passkey.get_public_key().key) {
            (COSEAlgorithm::ES256, COSEKeyType::EC_EC2(key)) => key.curve == ECDSACurve::SECP256R1,
            (COSEAlgorithm::ES384, COSEKeyType::EC_EC2(key)) => key.curve == ECDSACurve::SECP384R1,
            (COSEAlgorithm::RS256, COSEKeyType::RSA(_)) => true,
            _ => false,
        };
        if !is_allowed {
            return Err(CeremonyError::Refused("the algorithm was not offered"));
        }
        let json = to_json(&passkey)?;
        Ok(NewCredential {
            id: passkey.cred_id().clone(),
            counter: json["cred"]["counter"].as_u64().and_then(|counter| u32::try_from(counter).ok()).unwrap_or(0),
            is_backup_eligible: json["cred"]["backup_eligible"] == true,
            is_backed_up: json["cred"]["backup_state"] == true,
            credential: StoredCredential::write(&Stored { passkey, transports: response.transports })?,
        })
    }

    /// Starts a sign-in with a passkey of any person: the browser offers the passkeys that it knows.
    ///
    /// # Errors
    /// [`CeremonyError::Internal`].
    pub fn start_discoverable_authentication(&self) -> Result<Ceremony, CeremonyError> {
        self.start_authentication(None)
    }

    /// Starts an authentication with one of `credentials`, the passkeys of a person who is known already: as a second
    /// factor, or for a step-up.
    ///
    /// # Errors
    /// [`CeremonyError::Internal`], also if there are no credentials.
    pub fn start_bound_authentication(&self, credentials: &[StoredCredential]) -> Result<Ceremony, CeremonyError> {
        // Browsers take an empty list for none, and then offer every passkey.
        if credentials.is_empty() {
            return Err(CeremonyError::Internal("an authentication needs at least one passkey"));
        }
        let allowed = credentials.iter().map(StoredCredential::read).collect::<Result<Vec<_>, _>>()?;
        self.start_authentication(Some(&allowed))
    }

    fn start_authentication(&self, allowed: Option<&[Stored]>) -> Result<Ceremony, CeremonyError> {
        // The other kind of authentication of the library keeps the credentials in its state, with the counters at the
        // start, and accepts a change of the backup eligibility.
        let (options, state) = self
            .library
            .start_discoverable_authentication()
            .map_err(|_| CeremonyError::Internal("the library created no options of an authentication"))?;
        let options = to_json(&options)?;
        let mut public_key = json!({
            "challenge": options["publicKey"]["challenge"],
            "timeout": options["publicKey"]["timeout"],
            "rpId": self.id,
            "userVerification": "required",
        });
        if let Some(allowed) = allowed {
            public_key["allowCredentials"] = allowed.iter().map(Stored::descriptor).collect();
        }
        let ids = allowed.map(|allowed| allowed.iter().map(Stored::id).collect());
        Ok(Ceremony { public_key, state: CeremonyState::write(&State::Authentication(state, ids))? })
    }

    /// Verifies the response to an authentication, which is what `toJSON()` of the browser gives.
    ///
    /// `credential` is the stored credential that [`credential_id`](super::credential_id) of the response names, and
    /// `owner` is the user handle of the person that it belongs to.
    ///
    /// # Errors
    /// [`CeremonyError::Refused`] if a part of `response` is wrong, `credential` may not be used in this ceremony, or
    /// `state` is of a registration. [`CeremonyError::CounterWentBack`] and
    /// [`CeremonyError::BackupEligibilityChanged`] only if all the rest, and so the signature, is right.
    pub fn finish_authentication(
        &self,
        response: &Value,
        state: &CeremonyState,
        credential: &StoredCredential,
        owner: &UserHandle,
    ) -> Result<Assertion, CeremonyError> {
        let Some(State::Authentication(state, allowed)) = state.read() else { return Err(WRONG_STATE) };
        let response = response::read_authentication(response, &self.origin)?;
        let mut stored = credential.read()?;
        if *stored.passkey.cred_id() != response.credential_id
            || allowed.as_ref().is_some_and(|allowed| !allowed.contains(&stored.id()))
        {
            return Err(CeremonyError::Refused("the credential is another one"));
        }
        // The library compares no user handle.
        match &response.user_handle {
            Some(handle) if *handle != owner.as_bytes() => {
                return Err(CeremonyError::Refused("the user handle is of another person"));
            }
            None if allowed.is_none() => return Err(CeremonyError::Refused("there is no user handle")),
            _ => {}
        }
        let typed = serde_json::from_value(response.copy).map_err(|_| WRONG_FORM)?;
        // The library compares the backup eligibility before it verifies the signature. So it gets the one of the
        // response, and a change is reported after the signature has been verified.
        let (passkey, has_changed) = with_backup_eligibility(&stored.passkey, response.is_backup_eligible)?;
        let result = self
            .library
            .finish_discoverable_authentication_v2(&typed, state, DiscoverableKey::from(passkey))
            .map_err(|error| refusal(&error))?;
        if has_changed {
            return Err(CeremonyError::BackupEligibilityChanged);
        }
        if !result.user_verified() {
            return Err(CeremonyError::Refused("the user was not verified"));
        }
        stored.passkey.update_credential(&result);
        Ok(Assertion {
            id: response.credential_id,
            counter: result.counter(),
            is_backed_up: result.backup_state(),
            credential: StoredCredential::write(&stored)?,
        })
    }
}

const WRONG_STATE: CeremonyError = CeremonyError::Refused("the state is of another kind of ceremony or unreadable");
const WRONG_FORM: CeremonyError = CeremonyError::Refused("the response has a wrong form");

/// Returns `passkey` with this backup eligibility, and whether it had another one.
fn with_backup_eligibility(passkey: &Passkey, is_eligible: bool) -> Result<(Passkey, bool), CeremonyError> {
    let mut json = to_json(passkey)?;
    let had_another = json["cred"]["backup_eligible"] != is_eligible;
    json["cred"]["backup_eligible"] = is_eligible.into();
    let passkey = serde_json::from_value(json).map_err(|_| UNREADABLE)?;
    Ok((passkey, had_another))
}

/// Returns the error for an error of the library. Its own texts may show parts of the response.
fn refusal(error: &WebauthnError) -> CeremonyError {
    CeremonyError::Refused(match error {
        WebauthnError::CredentialPossibleCompromise => return CeremonyError::CounterWentBack,
        WebauthnError::InvalidClientDataType => "the type of the client data is wrong",
        WebauthnError::MismatchedChallenge => "the challenge is another one",
        WebauthnError::InvalidRPIDHash => "the RP ID is another one",
        WebauthnError::UserNotPresent => "the user was not present",
        WebauthnError::UserNotVerified => "the user was not verified",
        WebauthnError::AuthenticationFailure | WebauthnError::SignatureInvalid => "the signature is wrong",
        WebauthnError::CredentialAlteredAlgFromRequest
        | WebauthnError::COSEKeyInvalidAlgorithm
        | WebauthnError::SshPublicKeyEDUnsupported => "the algorithm was not offered, or the passkey exists",
        _ => "the library refuses the response",
    })
}

const UNREADABLE: CeremonyError = CeremonyError::Internal("a stored passkey cannot be read");

/// Returns `value` as JSON.
fn to_json(value: &impl Serialize) -> Result<Value, CeremonyError> {
    serde_json::to_value(value).map_err(|_| CeremonyError::Internal("a value of the library is not JSON"))
}

impl Stored {
    /// Returns the id of the credential in base64url.
    fn id(&self) -> String {
        BASE64_URL_SAFE_NO_PAD.encode(self.passkey.cred_id())
    }

    /// Returns the `PublicKeyCredentialDescriptorJSON` of the credential.
    fn descriptor(&self) -> Value {
        let mut descriptor = json!({ "type": "public-key", "id": self.id() });
        if !self.transports.is_empty() {
            descriptor["transports"] = json!(self.transports);
        }
        descriptor
    }
}

impl CeremonyState {
    fn write(state: &State) -> Result<Self, CeremonyError> {
        to_json(state).map(|json| Self::from_text(json.to_string()))
    }

    fn read(&self) -> Option<State> {
        serde_json::from_str(self.as_str()).ok()
    }
}

impl StoredCredential {
    fn write(stored: &Stored) -> Result<Self, CeremonyError> {
        to_json(stored).map(|json| Self::from_text(json.to_string()))
    }

    fn read(&self) -> Result<Stored, CeremonyError> {
        serde_json::from_str(self.as_str()).map_err(|_| UNREADABLE)
    }
}
