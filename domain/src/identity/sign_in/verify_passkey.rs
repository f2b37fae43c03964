//! Completes the challenge of a sign-in with a passkey as the second factor.

use portico_entity::{Realm, ceremony::CeremonyKind, sign_in_challenge::Purpose};

use super::{
    Completed,
    verify_factor::{Proof, complete, record_failure},
};
use crate::{
    identity::{
        mfa::{self, LiveChallenge},
        passkeys::{self, Bound, Occasion, PresentedCeremony, StartedCeremony},
    },
    platform::{
        actor::Anonymous,
        app::App,
        error::{Error, Result, ResultExt},
        secret::PlainToken,
    },
};

/// The input of [`verify_passkey`].
pub struct PasskeyFactorInput {
    /// The secret of the challenge.
    pub challenge: PlainToken,
    /// The response of the browser.
    pub presented: PresentedCeremony,
    /// Whether the browser becomes a trusted device, if the tenant allows it.
    pub trust_device: bool,
}

/// Starts the proof of a passkey of the user of a challenge.
///
/// # Errors
/// - `invalid_code` when the challenge is not live, or is one to set up a factor.
/// - `conflict` when the user has no usable passkey.
/// - `unavailable` or `internal` when the database fails.
pub async fn start_verification(app: &App, realm: Realm, challenge: &PlainToken) -> Result<StartedCeremony> {
    let challenge = find(app, realm, challenge).await?;
    passkeys::start_proof(app, challenge.user.id(), occasion(&challenge)).await
}

/// Verifies a passkey of the user of a challenge, and opens the session that the sign-in asked for, as
/// [`verify_factor`](super::verify_factor) does.
///
/// The ceremony is used up before the response is verified. The attempt counts at no limit, because a passkey
/// cannot be guessed.
///
/// # Errors
/// - `invalid_code` when the ceremony is unknown, used, expired or of another challenge, when the response is
///   refused, when the challenge is not live, or when the user can no longer sign in there. The error is the same
///   for all of them.
/// - The other errors of [`verify_factor`](super::verify_factor), except `too_many_requests`.
pub async fn verify_passkey(
    app: &App,
    caller: &Anonymous,
    realm: Realm,
    input: PasskeyFactorInput,
) -> Result<Completed> {
    let challenge = find(app, realm, &input.challenge).await?;
    let proved = passkeys::prove(app, &caller.context, occasion(&challenge), &input.presented).await?;
    let completed = match &proved {
        Some(proved) => complete(app, caller, &challenge, &Proof::Passkey(proved), input.trust_device).await,
        None => Err(Error::INVALID_CODE),
    };
    match completed.not_retryable() {
        Err(Error::Unauthenticated(_)) => {
            record_failure(app, caller, &challenge, None).await.not_retryable()?;
            Err(Error::INVALID_CODE)
        }
        completed => completed,
    }
}

/// Returns the live challenge to prove a factor.
async fn find(app: &App, realm: Realm, challenge: &PlainToken) -> Result<LiveChallenge> {
    mfa::find_live(app, realm, Some(Purpose::Verify), challenge).await?.ok_or(Error::INVALID_CODE)
}

fn occasion(challenge: &LiveChallenge) -> Occasion {
    let user = challenge.user.id();
    let bound_to = Bound::Challenge(challenge.row.id);
    Occasion { kind: CeremonyKind::SecondFactor, realm: user.realm(), user: Some(user), bound_to }
}
