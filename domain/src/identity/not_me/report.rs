//! Reporting a sign-in through the link in the notice about an unknown device.

use portico_entity::{
    UserId,
    email::Kind,
    link_token::Purpose,
    portal_user::{self, Column},
};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, sea_query::Expr};

use crate::{
    identity::{
        devices,
        link_tokens::{self, LinkTokenSettings},
        sessions,
    },
    platform::{
        actor::{Actor, Anonymous},
        app::App,
        audit,
        email_address::EmailAddress,
        error::Result,
        mail::{self, NewEmail},
        secret::PlainToken,
        session_revocation::RevocationReason,
        tx::Tx,
    },
    tenancy::memberships,
};

/// Reports that the owner of the account did not sign in from the device of a notice. `token` is the secret of the link
/// in that notice.
///
/// Ends all sessions of the portal user, locks the password until a reset, forgets the known devices, and mails a reset
/// link. Does all of this also if the session of the notice has already ended.
///
/// # Errors
/// - `token_unknown`: no link has this secret, or the link has another purpose.
/// - `token_used`, `token_revoked` or `token_expired`: the link is no longer valid.
/// - `unavailable` or `internal`: a database query failed.
pub async fn report(app: &App, caller: &Anonymous, token: &PlainToken) -> Result<()> {
    let link = link_tokens::find(app, token).await?;
    link.check_for(Purpose::NotMe, app.now())?;
    let user = &link.user;
    let actor = Actor::portal_user(user, &caller.context);
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    link_tokens::consume(&mut tx, &link.token).await?;
    lock_password(&mut tx, user).await?;
    sessions::end_all(&mut tx, UserId::Portal(user.id), None, RevocationReason::ReportedByOwner).await?;
    devices::forget_devices(&mut tx, user).await?;
    let reset = NewEmail {
        portal_user: Some(user.id),
        expires_at: Some(app.now() + app.section::<LinkTokenSettings>().reset_ttl),
        ..NewEmail::new(Kind::Reset, &EmailAddress::stored(&user.email)?)
    };
    mail::enqueue(&mut tx, reset).await?;
    let event = audit::Event::new("session.reported").target("portal_user", user.id.0);
    audit::record(&mut tx, actor.clone(), event).await?;
    memberships::record_for_each_tenant(&mut tx, actor, user.id, "password.locked").await?;
    tx.commit().await
}

/// Locks the password until a reset.
///
/// Raises the credential version too: a sign-in or a password change that has verified the password before this
/// transaction, and commits after it, then has no effect.
async fn lock_password(tx: &mut Tx, user: &portal_user::Model) -> Result<()> {
    portal_user::Entity::update_many()
        .col_expr(Column::PasswordLockedAt, Expr::value(tx.app().now()))
        .col_expr(Column::CredentialVersion, Expr::col(Column::CredentialVersion).add(1))
        .filter(Column::Id.eq(user.id))
        .exec(tx.db())
        .await?;
    Ok(())
}
