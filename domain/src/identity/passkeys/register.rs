//! Registering a passkey: the two halves of the ceremony that all registrations have in common.

use super::{
    CeremonyError, NewCredential, Occasion, PasskeyUser, PresentedCeremony, StartedCeremony,
    ceremonies::{self, failure, relying_party, spend},
    store::{check_count, credentials, make_handle, usable},
};
use crate::platform::{
    actor::User,
    app::App,
    error::{Error, Result},
    tx::Tx,
};

/// Starts the registration of a passkey for `user`, whose row the caller has locked.
///
/// # Errors
/// - `conflict` if the user has ten passkeys, or if the public URL allows none.
/// - `unavailable` or `internal` if the database fails.
pub(crate) async fn start_registration(tx: &Tx, user: &User, occasion: Occasion) -> Result<StartedCeremony> {
    let app = tx.app();
    let party = relying_party(app)?;
    check_count(tx.db(), user.id()).await?;
    let handle = make_handle(tx, user).await?;
    let existing = credentials(&usable(app, tx.db(), user.id()).await?);
    let email = user.email()?;
    let person = PasskeyUser { handle: &handle, name: email.as_str(), display_name: user.name() };
    let ceremony = party.start_registration(&person, &existing).map_err(failure)?;
    ceremonies::start(app, tx.db(), occasion, ceremony).await
}

/// Uses the ceremony up and verifies the response. Returns the new credential, which is not stored yet; `None` if
/// the ceremony is unknown, used, expired or of another occasion, or if the response is refused.
///
/// The caller must not let the request run again after this, because the ceremony stays used.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn finish_registration(
    app: &App,
    occasion: Occasion,
    presented: &PresentedCeremony,
) -> Result<Option<NewCredential>> {
    let Some(state) = spend(app, occasion, &presented.secret).await? else { return Ok(None) };
    let Ok(party) = relying_party(app) else { return Ok(None) };
    match party.finish_registration(&presented.response, &state) {
        Ok(new) => Ok(Some(new)),
        Err(CeremonyError::Internal(reason)) => Err(Error::Internal(reason.into())),
        Err(refused) => {
            tracing::debug!(?refused, "refused the registration of a passkey");
            Ok(None)
        }
    }
}
