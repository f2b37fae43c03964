//! Fuzzing target: properties of the verification of passkey responses that must hold for every input.

use std::{collections::BTreeMap, sync::OnceLock};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;
use url::Url;

use super::{CeremonyState, PasskeyUser, RelyingParty, StoredCredential, UserHandle, credential_id};

/// Genuine responses to the ceremonies of [`Fixed`]: each registration, and an authentication with its passkey.
///
/// An authenticator in software with new keys made them (`tests/stories/support/authenticator.rs`).
const GENUINE: [(&str, &str); 3] = [
    (
        include_str!("../../../../fuzz/corpus/passkey_response/es256_registration"),
        include_str!("../../../../fuzz/corpus/passkey_response/es256_authentication"),
    ),
    (
        include_str!("../../../../fuzz/corpus/passkey_response/es384_registration"),
        include_str!("../../../../fuzz/corpus/passkey_response/es384_authentication"),
    ),
    (
        include_str!("../../../../fuzz/corpus/passkey_response/rs256_registration"),
        include_str!("../../../../fuzz/corpus/passkey_response/rs256_authentication"),
    ),
];

/// The origin of the ceremonies.
const ORIGIN: &str = "http://localhost:8080";

/// The challenge of the ceremonies, in base64url.
const CHALLENGE: &str = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";

/// Ceremonies that are the same in every run, so responses to them can be seeds of the corpus.
struct Fixed {
    party: RelyingParty,
    registration: CeremonyState,
    authentication: CeremonyState,
    owner: UserHandle,
    /// The passkeys of [`GENUINE`] by their ids, with the genuine response.
    passkeys: BTreeMap<Vec<u8>, (StoredCredential, Value)>,
    /// A genuine response to the registration, and one to the authentication.
    created: Value,
    used: Value,
}

/// Checks that of all responses, only those that a passkey signed are accepted.
///
/// The input is a response. It is also used as each binary part of a genuine response.
pub fn passkey_response(data: &[u8]) {
    let fixed = fixed();
    if let Ok(response) = serde_json::from_slice(data) {
        fixed.check_registration(&response);
        fixed.check_authentication(&response);
    }
    let part = Value::from(BASE64_URL_SAFE_NO_PAD.encode(data));
    for name in ["clientDataJSON", "attestationObject"] {
        let mut response = fixed.created.clone();
        response["response"][name] = part.clone();
        fixed.check_registration(&response);
    }
    for name in ["clientDataJSON", "authenticatorData", "signature", "userHandle"] {
        let mut response = fixed.used.clone();
        response["response"][name] = part.clone();
        fixed.check_authentication(&response);
    }
}

impl Fixed {
    /// The accepted credential has the id of the response.
    fn check_registration(&self, response: &Value) {
        let Ok(new) = self.party.finish_registration(response, &self.registration) else { return };
        assert_eq!(Some(&new.id), credential_id(response).as_ref());
        assert!((16..=1_023).contains(&new.id.len()));
        let bound = self.party.start_bound_authentication(&[new.credential]);
        assert!(bound.is_ok(), "the stored credential must be readable");
    }

    /// An accepted response has the bytes that the passkey signed.
    fn check_authentication(&self, response: &Value) {
        let Some((credential, genuine)) = credential_id(response).and_then(|id| self.passkeys.get(&id)) else { return };
        let result = self.party.finish_authentication(response, &self.authentication, credential, &self.owner);
        if result.is_ok() {
            for signed in ["clientDataJSON", "authenticatorData", "userHandle"] {
                assert_eq!(response["response"][signed], genuine["response"][signed]);
            }
        }
    }
}

#[expect(clippy::expect_used, reason = "the inputs are constant, so this fails in every run or in none")]
fn fixed() -> &'static Fixed {
    static FIXED: OnceLock<Fixed> = OnceLock::new();
    FIXED.get_or_init(|| {
        let origin = Url::parse(ORIGIN).expect("URL");
        let party = RelyingParty::new("localhost", &origin, "Portico").expect("relying party");
        let owner = UserHandle::from_bytes([7; 64]).expect("user handle");
        let user = PasskeyUser { handle: &owner, name: "ada", display_name: "Ada" };
        let fix = |ceremony: super::Ceremony| {
            let challenge = ceremony.public_key["challenge"].as_str().expect("challenge");
            CeremonyState::from_text(ceremony.state.as_str().replace(challenge, CHALLENGE))
        };
        let registration = fix(party.start_registration(&user, &[]).expect("registration"));
        let authentication = fix(party.start_discoverable_authentication().expect("authentication"));
        let json = |text| serde_json::from_str::<Value>(text).expect("JSON");
        let passkey = |(created, used)| {
            let new = party.finish_registration(&json(created), &registration).expect("genuine registration");
            (new.id, (new.credential, json(used)))
        };
        let passkeys = GENUINE.into_iter().map(passkey).collect();
        Fixed {
            registration,
            authentication,
            owner,
            passkeys,
            created: json(GENUINE[0].0),
            used: json(GENUINE[0].1),
            party,
        }
    })
}

#[test]
fn genuine_responses_of_each_algorithm_are_accepted() {
    let fixed = fixed();
    assert_eq!(fixed.passkeys.len(), GENUINE.len());
    for (credential, response) in fixed.passkeys.values() {
        fixed.party.finish_authentication(response, &fixed.authentication, credential, &fixed.owner).unwrap();
    }
}
