//! Proving an identity with a passkey: the two halves of the ceremony that all uses have in common.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use portico_entity::{PasskeyId, Realm, UserId, ceremony::CeremonyKind, passkey, staff_user};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, sea_query::Expr};

use super::{
    Assertion, Bound, CeremonyError, Occasion, PresentedCeremony, StartedCeremony, StoredCredential,
    ceremonies::{self, failure, relying_party, spend},
    credential_id,
    store::{credentials, handle_of, is_usable, usable},
};
use crate::{
    identity::users,
    platform::{
        actor::{RequestContext, User},
        app::App,
        audit,
        error::{Error, Result, ResultExt},
        tx::Tx,
    },
};

/// A passkey that was proved. Its use must still be [recorded](ProvedPasskey::record_use).
#[derive(Clone, Debug)]
pub(crate) struct ProvedPasskey {
    /// The user who owns the passkey, as the row was when the passkey was verified.
    pub(crate) user: User,
    passkey: passkey::Model,
    assertion: Assertion,
}

impl ProvedPasskey {
    /// Returns the id of the passkey.
    pub(crate) const fn id(&self) -> PasskeyId {
        self.passkey.id
    }

    /// Stores the new counter and the time of use. Returns whether the passkey still exists with the counter that
    /// the response was compared with: of concurrent uses of one counter, one succeeds.
    ///
    /// # Errors
    /// `unavailable` or `internal` if the database fails.
    pub(crate) async fn record_use(&self, tx: &Tx) -> Result<bool> {
        use passkey::Column;
        let used = passkey::Entity::update_many()
            .col_expr(Column::Counter, Expr::value(i64::from(self.assertion.counter)))
            .col_expr(Column::Credential, Expr::value(self.assertion.credential.as_str()))
            .col_expr(Column::IsBackedUp, Expr::value(self.assertion.is_backed_up))
            .col_expr(Column::LastUsedAt, Expr::value(tx.app().now()))
            .filter(Column::Id.eq(self.passkey.id))
            .filter(Column::Counter.eq(self.passkey.counter))
            .exec(tx.db())
            .await?;
        Ok(used.rows_affected == 1)
    }
}

/// Starts a sign-in with a passkey of any user.
///
/// # Errors
/// - `conflict` if the public URL allows no passkeys.
/// - `unavailable` or `internal` if the database fails.
pub(crate) async fn start_sign_in(app: &App, realm: Realm) -> Result<StartedCeremony> {
    let ceremony = relying_party(app)?.start_discoverable_authentication().map_err(failure)?;
    let occasion = Occasion { kind: CeremonyKind::SignIn, realm, user: None, bound_to: Bound::Nothing };
    ceremonies::start(app, app.db(), occasion, ceremony).await
}

/// Starts a proof with one of the usable passkeys of the user of `occasion`.
///
/// # Errors
/// - `conflict` if the user has no usable passkey, or if the public URL allows none.
/// - `unavailable` or `internal` if the database fails.
pub(crate) async fn start_proof(app: &App, user: UserId, occasion: Occasion) -> Result<StartedCeremony> {
    let party = relying_party(app)?;
    let passkeys = usable(app, app.db(), user).await?;
    if passkeys.is_empty() {
        return Err(Error::ConflictBecause("The user has no passkey that can be used here."));
    }
    let ceremony = party.start_bound_authentication(&credentials(&passkeys)).map_err(failure)?;
    ceremonies::start(app, app.db(), occasion, ceremony).await
}

/// Uses the ceremony up and verifies the response. Returns the proved passkey; `None` if the ceremony is unknown,
/// used, expired or of another occasion, if the passkey is unknown, of another realm or of another user than that of
/// `occasion`, or if the response is refused.
///
/// Records an audit event if the signature is right but the counter went back, or the backup eligibility has
/// changed: a copy of the passkey may exist. The caller must not let the request run again after this, because the
/// ceremony stays used.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn prove(
    app: &App,
    context: &RequestContext,
    occasion: Occasion,
    presented: &PresentedCeremony,
) -> Result<Option<ProvedPasskey>> {
    let Some(state) = spend(app, occasion, &presented.secret).await? else { return Ok(None) };
    let Ok(party) = relying_party(app) else { return Ok(None) };
    let Some((passkey, user)) = find(app, occasion, presented).await.not_retryable()? else { return Ok(None) };
    let Some(handle) = handle_of(&user) else { return Ok(None) };
    let credential = StoredCredential::from_text(&passkey.credential);
    let refusal = match party.finish_authentication(&presented.response, &state, &credential, &handle) {
        Ok(assertion) => return Ok(Some(ProvedPasskey { user, passkey, assertion })),
        Err(refusal) => refusal,
    };
    match refusal {
        CeremonyError::Internal(reason) => return Err(Error::Internal(reason.into())),
        CeremonyError::Refused(reason) => tracing::debug!(reason, "refused the response of a passkey"),
        CeremonyError::CounterWentBack => {
            record_anomaly(app, context, &passkey, &user, "passkey.counter_decreased").await.not_retryable()?;
        }
        CeremonyError::BackupEligibilityChanged => {
            record_anomaly(app, context, &passkey, &user, "passkey.backup_changed").await.not_retryable()?;
        }
    }
    Ok(None)
}

/// Returns the usable passkey that the response names, with its owner.
async fn find(app: &App, occasion: Occasion, presented: &PresentedCeremony) -> Result<Option<(passkey::Model, User)>> {
    let Some(id) = credential_id(&presented.response) else { return Ok(None) };
    let of_id = passkey::Column::CredentialId.eq(BASE64_URL_SAFE_NO_PAD.encode(id));
    let found = passkey::Entity::find().filter(of_id).one(app.db()).await?;
    let Some(passkey) = found.filter(|passkey| is_usable(app, passkey)) else { return Ok(None) };
    let owner = passkey
        .owner()
        .filter(|owner| owner.realm() == occasion.realm && occasion.user.is_none_or(|user| user == *owner));
    let Some(owner) = owner else { return Ok(None) };
    Ok(users::find(app.db(), owner).await?.map(|user| (passkey, user)))
}

/// Records that a right response of `passkey` was refused.
async fn record_anomaly(
    app: &App,
    context: &RequestContext,
    passkey: &passkey::Model,
    user: &User,
    action: &'static str,
) -> Result<()> {
    tracing::warn!(passkey = %passkey.id, action, "refused a passkey of which a copy may exist");
    let mut tx = app.begin().await?;
    let event = audit::Event::failed(action).target("passkey", passkey.id.0);
    let event = match user {
        User::Staff(staff_user::Model { tenant_id, .. }) => event.tenant(*tenant_id),
        User::Portal(_) => event,
    };
    audit::record(&mut tx, user.actor(context), event).await?;
    tx.commit().await
}
