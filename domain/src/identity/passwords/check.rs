//! Judging a password before it is set, for the meter of a form. Nothing is stored, logged or used up.

use portico_entity::link_token::Purpose;

use super::{Judgement, policy::judge};
use crate::{
    identity::link_tokens,
    platform::{
        actor::{Anonymous, PortalUser},
        app::App,
        error::{Error, Result},
        secret::{Password, PlainToken},
    },
};

/// Returns what the policy would say if `password` were set through the link with the secret `token`. The link stays
/// unused.
///
/// # Errors
/// - `token_unknown`: no link has this secret, or the link sets no password.
/// - `token_used`, `token_revoked` or `token_expired`: the link is no longer valid.
/// - `overloaded`: too many passwords are being judged.
/// - `unavailable` or `internal`: a database query failed.
pub async fn check_for_link(
    app: &App,
    _caller: &Anonymous,
    token: &PlainToken,
    password: &Password,
) -> Result<Judgement> {
    let link = link_tokens::find(app, token).await?;
    match link.token.purpose {
        Purpose::Activation | Purpose::Reset => link.check_live(app.now())?,
        Purpose::Accept | Purpose::NotMe => return Err(Error::TOKEN_UNKNOWN),
    }
    let invited_name = link.invitation.as_ref().map(|invited| invited.invitation.name.as_str());
    let known: Vec<_> = invited_name.into_iter().chain([token.reveal()]).collect();
    judge(app, password, &link.user, &known).await
}

/// Returns what the policy would say if the caller changed the password to `password`.
///
/// # Errors
/// - `overloaded`: too many passwords are being judged.
/// - `unavailable` or `internal`: a database query failed.
pub async fn check_for_user(app: &App, caller: &PortalUser, password: &Password) -> Result<Judgement> {
    judge(app, password, &caller.user, &[]).await
}
