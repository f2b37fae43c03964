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
    let issuer = issuer(app, &caller.user).await?;
    let mut tx = app.begin().await?;
    let user = users::lock_unchanged(&tx, caller.id(), caller.user.versions()).await?.ok_or(Error::SESSION_REVOKED)?;
    let setup = totp::begin(&tx, &user, &issuer).await?;
    let event = audit::Event::new("totp.setup_started").target(target(&user), user.id().uuid());
    audit::record(&mut tx, caller, event).await?;
    tx.commit().await?;
    Ok(setup)
}

/// Returns the name that the authenticator app shows: that of the tenant, or a neutral one to a person of several
/// tenants. Call it before the transaction begins.
///
/// # Errors
/// `unavailable` or `internal` if the database fails.
pub(crate) async fn issuer(app: &App, user: &User) -> Result<String> {
    let brand = match user {
        User::Portal(user) => Brand::of_person(app, user).await?,
        User::Staff(user) => Brand::of_staff_user(app, user).await?,
    };
    Ok(brand.name)
}

/// The kind of the user as the target of an audit event.
pub(super) const fn target(user: &User) -> &'static str {
    match user {
        User::Portal(_) => "portal_user",
        User::Staff(_) => "staff_user",
    }
}
