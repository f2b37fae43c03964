//! Setting a new password through a reset link.

use portico_entity::{UserId, email::Kind, link_token::Purpose};

use super::{Expected, check_policy, set_password};
use crate::{
    identity::{
        devices, link_tokens, notices,
        passwords::{self, Hasher},
        sessions,
    },
    platform::{
        actor::{Actor, Anonymous},
        app::App,
        error::{Error, Result},
        secret::{Password, PlainToken},
        session_revocation::RevocationReason,
    },
    tenancy::memberships,
};

/// Sets a new password through the link with the secret `token`.
///
/// Ends all sessions of the portal user, invalidates the other links of the portal user except accept links, unlocks
/// a locked password, forgets the known devices and enqueues a notice. Does not open a session.
///
/// # Errors
/// The checks run in this order:
/// - `token_unknown`: no link has this secret, or the link has another purpose.
/// - `token_used`, `token_revoked` or `token_expired`: the link is no longer valid.
/// - `validation_failed`: the password breaks the policy. The link stays unused.
/// - `overloaded`: no hashing slot was free within 3 seconds, or the client disconnected. The link stays unused.
/// - `token_used`, `token_revoked` or `token_expired`: the link became invalid while the password was hashed.
/// - `unavailable` or `internal`: a database query failed.
pub async fn reset(app: &App, caller: &Anonymous, token: &PlainToken, password: &Password) -> Result<()> {
    let link = link_tokens::find(app, token).await?;
    link.check_for(Purpose::Reset, app.now())?;
    let user = &link.user;
    check_policy(app, "/password", password, user, &[token.reveal()]).await?;
    let phc = app.get::<Hasher>().hash(&caller.context, password).await?;

    let actor = Actor::portal_user(user, &caller.context);
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    link_tokens::consume(&mut tx, &link.token).await?;
    if !set_password(&mut tx, user, phc, Expected::Version(link.token.credential_version)).await? {
        return Err(Error::TOKEN_REVOKED);
    }
    sessions::end_all(&mut tx, UserId::Portal(user.id), None, RevocationReason::PasswordReset).await?;
    devices::forget_devices(&mut tx, user).await?;
    notices::enqueue_for_portal_user(&mut tx, Kind::PasswordChanged, user).await?;
    memberships::record_for_each_tenant(&mut tx, actor, user.id, "password.reset").await?;
    passwords::reset_failures(&mut tx, &user.email).await?;
    tx.commit().await
}
