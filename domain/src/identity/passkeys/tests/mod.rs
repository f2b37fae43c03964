//! Tests of the ceremonies, with an authenticator in software.

#[path = "../../../../../tests/stories/support/authenticator.rs"]
mod authenticator;
mod hostile;

use serde_json::{Map, Value, json};
use url::Url;

use super::*;
use crate::platform::random::Random;
use authenticator::*;

const ORIGIN: &str = "https://portal.example.com";

/// A person with the authenticator that has their passkey.
struct Person {
    handle: UserHandle,
    authenticator: SoftAuthenticator,
    credential: StoredCredential,
}

fn party() -> RelyingParty {
    RelyingParty::new("portal.example.com", &Url::parse(ORIGIN).unwrap(), "Portal").unwrap()
}

fn start_registration(handle: &UserHandle, existing: &[StoredCredential]) -> Ceremony {
    let user = PasskeyUser { handle, name: "ada@example.com", display_name: "Ada" };
    party().start_registration(&user, existing).unwrap()
}

/// Registers a passkey of a new authenticator, with fields that `edit` changes.
fn register(edit: impl FnOnce(&mut Fields)) -> Result<NewCredential, CeremonyError> {
    let ceremony = start_registration(&UserHandle::new(Random), &[]);
    let response = SoftAuthenticator::new().create_with(&ceremony.public_key, ORIGIN, edit);
    party().finish_registration(&response, &ceremony.state)
}

fn person_with(mut authenticator: SoftAuthenticator) -> Person {
    let handle = UserHandle::new(Random);
    let ceremony = start_registration(&handle, &[]);
    let response = authenticator.create(&ceremony.public_key, ORIGIN);
    let credential = party().finish_registration(&response, &ceremony.state).unwrap().credential;
    Person { handle, authenticator, credential }
}

fn person() -> Person {
    person_with(SoftAuthenticator::new())
}

impl Person {
    /// Verifies a response to `ceremony`, with fields that `edit` changes, as one of this person.
    fn finish(&mut self, ceremony: &Ceremony, edit: impl FnOnce(&mut Fields)) -> Result<Assertion, CeremonyError> {
        let response = self.authenticator.get_with(&ceremony.public_key, ORIGIN, edit);
        party().finish_authentication(&response, &ceremony.state, &self.credential, &self.handle)
    }

    /// Signs in, with fields that `edit` changes.
    fn sign_in(&mut self, edit: impl FnOnce(&mut Fields)) -> Result<Assertion, CeremonyError> {
        self.finish(&party().start_discoverable_authentication().unwrap(), edit)
    }

    /// Confirms a step-up, with fields that `edit` changes.
    fn step_up(&mut self, edit: impl FnOnce(&mut Fields)) -> Result<Assertion, CeremonyError> {
        let ceremony = party().start_bound_authentication(std::slice::from_ref(&self.credential)).unwrap();
        self.finish(&ceremony, edit)
    }
}

fn assert_refused<T: std::fmt::Debug>(name: &str, result: Result<T, CeremonyError>) {
    assert!(matches!(result, Err(CeremonyError::Refused(_))), "{name}: {result:?}");
}

#[test]
fn registration_asks_for_a_discoverable_passkey_with_user_verification() {
    let person = person();
    let options = start_registration(&person.handle, std::slice::from_ref(&person.credential)).public_key;
    assert_eq!(decode(&options["challenge"]).len(), 32);
    let expected = json!({
        "rp": { "id": "portal.example.com", "name": "Portal" },
        "user": { "id": encode(person.handle.as_bytes()), "name": "ada@example.com", "displayName": "Ada" },
        "challenge": options["challenge"],
        "pubKeyCredParams": [
            { "type": "public-key", "alg": -7 },
            { "type": "public-key", "alg": -35 },
            { "type": "public-key", "alg": -257 },
        ],
        "timeout": 300_000,
        "excludeCredentials": [{
            "type": "public-key", "id": encode(&person.authenticator.credential_id),
            "transports": ["hybrid", "internal"],
        }],
        "authenticatorSelection": {
            "residentKey": "required", "requireResidentKey": true, "userVerification": "required",
        },
        "attestation": "none",
    });
    assert_eq!(options, expected);
}

#[test]
fn authentication_asks_for_user_verification_and_names_passkeys_only_if_bound() {
    let options = party().start_discoverable_authentication().unwrap().public_key;
    let mut expected = json!({
        "challenge": options["challenge"], "timeout": 300_000, "rpId": "portal.example.com",
        "userVerification": "required",
    });
    assert_eq!(options, expected);
    assert_ne!(options, party().start_discoverable_authentication().unwrap().public_key, "a new challenge");
    let person = person();
    let options = party().start_bound_authentication(&[person.credential]).unwrap().public_key;
    expected["challenge"] = options["challenge"].clone();
    expected["allowCredentials"] = json!([{
        "type": "public-key", "id": encode(person.authenticator.credential_id), "transports": ["hybrid", "internal"],
    }]);
    assert_eq!(options, expected);
    assert!(matches!(party().start_bound_authentication(&[]), Err(CeremonyError::Internal(_))));
}

#[test]
fn passkey_is_registered_and_signs_in() {
    let ceremony = start_registration(&UserHandle::new(Random), &[]);
    let mut authenticator = SoftAuthenticator::new();
    let response = authenticator.create(&ceremony.public_key, ORIGIN);
    let state: CeremonyState = serde_json::from_str(&serde_json::to_string(&ceremony.state).unwrap()).unwrap();
    let new = party().finish_registration(&response, &state).unwrap();
    assert_eq!((new.id, new.counter), (authenticator.credential_id, 0));
    assert!(new.is_backup_eligible && new.is_backed_up);

    let mut person = person();
    let id = person.authenticator.credential_id.clone();
    for _ in 0..2 {
        let assertion = person.sign_in(|_| {}).unwrap();
        assert_eq!((&assertion.id, assertion.counter, assertion.is_backed_up), (&id, 0, true));
        person.credential = StoredCredential::from_text(assertion.credential.as_str());
    }
    person.step_up(|fields| fields.user_handle = None).unwrap();
    person.step_up(|fields| fields.user_handle = Some(vec![])).unwrap();
    let moved = person.step_up(|fields| fields.flags &= !BS).unwrap();
    assert!(!moved.is_backed_up && moved.credential != person.credential);
}

#[test]
fn user_handle_of_16_to_64_bytes_is_sent_as_it_is() {
    for length in [16, 40, 64] {
        let handle = UserHandle::from_bytes(random(length)).unwrap();
        let options = start_registration(&handle, &[]).public_key;
        assert_eq!(decode(&options["user"]["id"]), handle.as_bytes());
    }
    for length in [0, 15, 65] {
        assert_eq!(UserHandle::from_bytes(random(length)), None);
    }
}

#[test]
fn self_attestation_and_unknown_members_are_accepted() {
    register(|fields| fields.has_self_attestation = true).unwrap();
    let unknown = json!({ "extra": { "a": [1, { "b": null }] }, "clientExtensionResults": { "credProps": 7 } });
    let Value::Object(unknown) = unknown else { unreachable!() };
    let edit = |fields: &mut Fields| {
        fields.set("other_keys_can_be_added_here", "do not compare clientDataJSON against a template");
        fields.members = unknown.clone();
        fields.inner_members = unknown.clone();
    };
    register(edit).unwrap();
    person().sign_in(edit).unwrap();
    // The extension credProtect with the level 3, and one that the library does not know.
    let extensions = map(&[(text("credProtect"), integer(3)), (text("thirdPartyPayment"), vec![0xf5])]);
    register(|fields| (fields.flags, fields.extensions) = (fields.flags | ED, extensions)).unwrap();
}

#[test]
fn unknown_transports_are_not_stored() {
    let transports = json!(["internal", "usb", "internal", "cable", "<b>", 7, null]);
    let inner = Map::from_iter([("transports".to_owned(), transports)]);
    let credential = register(|fields| fields.inner_members = inner).unwrap().credential;
    let options = party().start_bound_authentication(&[credential]).unwrap().public_key;
    assert_eq!(options["allowCredentials"][0]["transports"], json!(["usb", "internal"]));
}

#[test]
fn state_of_another_kind_or_another_ceremony_is_refused() {
    let mut person = person();
    let registration = start_registration(&person.handle, &[]);
    let authentication = party().start_discoverable_authentication().unwrap();

    let response = person.authenticator.get(&authentication.public_key, ORIGIN);
    let finish = |state: &CeremonyState| {
        party().finish_authentication(&response, state, &person.credential, &person.handle).map(drop)
    };
    assert_eq!(finish(&authentication.state), Ok(()));
    assert_refused("state of a registration", finish(&registration.state));
    assert_refused("unreadable state", finish(&CeremonyState::from_text("{}")));
    let other = party().start_discoverable_authentication().unwrap();
    assert_eq!(finish(&other.state), Err(CeremonyError::Refused("the challenge is another one")));

    let response = SoftAuthenticator::new().create(&registration.public_key, ORIGIN);
    let finish = |state: &CeremonyState| party().finish_registration(&response, state).map(drop);
    assert_eq!(finish(&registration.state), Ok(()));
    assert_refused("state of an authentication", finish(&authentication.state));
    let other = start_registration(&person.handle, &[]);
    assert_eq!(finish(&other.state), Err(CeremonyError::Refused("the challenge is another one")));
}

#[test]
fn step_up_accepts_only_the_passkeys_that_it_named() {
    let (mut ada, ben) = (person(), person());
    let for_ben = party().start_bound_authentication(std::slice::from_ref(&ben.credential)).unwrap();
    assert_refused("passkey of another person", ada.finish(&for_ben, |_| {}));
    let handle = ben.handle.as_bytes().to_vec();
    assert_refused("with the user handle of Ben", ada.finish(&for_ben, |fields| fields.user_handle = Some(handle)));
    let for_both = party().start_bound_authentication(&[ben.credential, ada.credential.clone()]).unwrap();
    ada.finish(&for_both, |_| {}).unwrap();
}

#[test]
fn counter_that_goes_back_is_a_distinct_error() {
    let mut person = person_with(SoftAuthenticator::new().into_security_key());
    for counter in [2, 900] {
        let assertion = person.sign_in(|fields| fields.counter = counter).unwrap();
        assert_eq!(assertion.counter, counter);
        person.credential = assertion.credential;
    }
    for counter in [900, 899, 1, 0] {
        let result = person.sign_in(|fields| fields.counter = counter);
        assert_eq!(result.unwrap_err(), CeremonyError::CounterWentBack, "{counter}");
        // Without the key, no other person can cause the error that is audited.
        assert_refused(
            "wrong signature",
            person.sign_in(|fields| {
                (fields.counter, fields.has_wrong_signature) = (counter, true);
            }),
        );
    }
    person.sign_in(|fields| fields.counter = u32::MAX).unwrap();
    let mut synchronized = self::person();
    synchronized.credential = synchronized.sign_in(|fields| fields.counter = 1).unwrap().credential;
    assert_eq!(synchronized.sign_in(|_| {}).unwrap_err(), CeremonyError::CounterWentBack);
}

#[test]
fn change_of_the_backup_eligibility_is_a_distinct_error() {
    let change = |fields: &mut Fields| fields.flags ^= BE | (fields.flags & BS);
    let to_eligible = person_with(SoftAuthenticator::new().into_security_key());
    for mut person in [to_eligible, person()] {
        assert_eq!(person.sign_in(change).unwrap_err(), CeremonyError::BackupEligibilityChanged);
        assert_eq!(person.step_up(change).unwrap_err(), CeremonyError::BackupEligibilityChanged);
        assert_refused(
            "wrong signature",
            person.sign_in(|fields| {
                change(fields);
                fields.has_wrong_signature = true;
            }),
        );
        let other = UserHandle::new(Random).as_bytes().to_vec();
        assert_refused(
            "other person",
            person.sign_in(|fields| {
                change(fields);
                fields.user_handle = Some(other);
            }),
        );
    }
    assert_refused("backed up, not eligible", register(|fields| fields.flags = UP | UV | AT | BS));
}

#[test]
fn stored_credential_that_cannot_be_read_is_an_internal_error() {
    let mut person = person();
    person.credential = StoredCredential::from_text("{}");
    assert!(matches!(person.sign_in(|_| {}), Err(CeremonyError::Internal(_))));
    assert!(!format!("{:?} {:?}", person.credential, person.handle).contains('{'), "no part is logged");
}
