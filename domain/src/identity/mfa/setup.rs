//! Beginning the setup of an authenticator app in a session.

use crate::{
    identity::{
        totp::{self, Setup},
        users,
    },
    platform::{
        actor::{FreshSessionUser, User},
        app::App,
        audit,
        error::{Error, Result},
        tx::Tx,
    },
    tenancy::tenants::Brand,
};

/// Stores a new secret for the authenticator app of the caller, and returns it. The secret does nothing until
/// [`enable`](super::enable) confirms it within ten minutes. A former authenticator app works until then.
///
/// # Errors
/// - `session_revoked` if the second factors or the password of the caller were changed at the same time.
/// - `unavailable` or `internal` if the database fails.
pub async fn setup(app: &App, caller: &FreshSessionUser) -> Result<Setup> {
    let mut tx = app.begin().await?;
    let user = users::lock_unchanged(&tx, caller.id(), caller.user.versions()).await?.ok_or(Error::SESSION_REVOKED)?;
    let setup = begin_setup(&tx, &user).await?;
    let event = audit::Event::new("totp.setup_started").target(target(&user), user.id().uuid());
    audit::record(&mut tx, caller, event).await?;
    tx.commit().await?;
    Ok(setup)
}

/// Stores a new secret for `user`, whose row the caller has locked. The authenticator app shows the name of the tenant,
/// or a neutral name to a person of several tenants.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn begin_setup(tx: &Tx, user: &User) -> Result<Setup> {
    let brand = match user {
        User::Portal(user) => Brand::of_person(tx.app(), user).await?,
        User::Staff(user) => Brand::of_staff_user(tx.app(), user).await?,
    };
    totp::begin(tx, user, &brand.name).await
}

/// The kind of the user as the target of an audit event.
pub(super) const fn target(user: &User) -> &'static str {
    match user {
        User::Portal(_) => "portal_user",
        User::Staff(_) => "staff_user",
    }
}
