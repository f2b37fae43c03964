//! Resending an invitation.

use portico_entity::{
    ClientId, client,
    email::Kind,
    invitation::{self, Column, Status},
    membership, portal_user,
};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, sea_query::Expr};

use super::{
    SentInvitation,
    invite::{limit_invitations, open_client},
};
use crate::{
    platform::{
        actor::{Authorized, access::ClientsEdit},
        app::App,
        audit,
        email_address::EmailAddress,
        error::{Error, Result},
        mail::{self, NewEmail},
    },
    tenancy::invitations::InvitationSettings,
};

/// Resends the invitation of `email` to a client of the caller's tenant, with a new link and a new expiry time.
///
/// Every older link of the invitation becomes invalid, including the link of a mail that is still queued.
///
/// # Errors
/// - `not_found`: the caller's tenant has no client with this id, the address was not invited to it, or the
///   invitation was cancelled.
/// - `client_suspended`: the client is archived.
/// - `already_activated`: the person is no longer invited, because the invitation was accepted or the membership was
///   disabled.
/// - `too_many_requests`: a rate limit of the recipient or of the caller is used up.
/// - `unavailable` or `internal`: a database query failed. For `unavailable`, the rate limits are refunded.
pub async fn resend(
    app: &App,
    caller: &Authorized<ClientsEdit>,
    client: ClientId,
    email: &EmailAddress,
) -> Result<SentInvitation> {
    let client = open_client(app, caller, client).await?;
    let (membership, user) = membership::Entity::find()
        .find_also_related(portal_user::Entity)
        .filter(membership::Column::ClientId.eq(client.id))
        .filter(portal_user::Column::Email.eq(email.as_str()))
        .one(app.db())
        .await?
        .ok_or(Error::NOT_FOUND)?;
    let user = user.ok_or(Error::NOT_FOUND)?;
    if membership.status != membership::Status::Invited {
        return Err(Error::Conflict("already_activated"));
    }
    let reservation = limit_invitations(app, caller, email).await?;
    let resent = renew(app, caller, &client, membership, user).await;
    reservation.refund_if_transient(app, resent).await
}

/// Renews the person's latest invitation to the client and enqueues its mail, in one transaction.
async fn renew(
    app: &App,
    caller: &Authorized<ClientsEdit>,
    client: &client::Model,
    membership: membership::Model,
    user: portal_user::Model,
) -> Result<SentInvitation> {
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let now = app.now();
    let latest = invitation::Entity::find()
        .filter(Column::ClientId.eq(client.id))
        .filter(Column::PortalUserId.eq(user.id))
        .order_by_desc(Column::Id)
        .one(tx.db())
        .await?
        .ok_or(Error::NOT_FOUND)?;
    match latest.status {
        Status::Pending | Status::Expired => {}
        Status::Accepted => return Err(Error::Conflict("already_activated")),
        Status::Cancelled => return Err(Error::NOT_FOUND),
    }
    let renewed = invitation::Entity::update_many()
        .col_expr(Column::Status, Expr::value(Status::Pending))
        .col_expr(Column::LinksValidFrom, Expr::value(now))
        .col_expr(Column::LastSentAt, Expr::value(now))
        .col_expr(Column::SentCount, Expr::col(Column::SentCount).add(1))
        .col_expr(Column::ExpiresAt, Expr::value(now + app.section::<InvitationSettings>().activation_ttl))
        .filter(Column::Id.eq(latest.id))
        // Another request may have accepted the invitation after it was read.
        .filter(Column::Status.is_in([Status::Pending, Status::Expired]))
        .exec_with_returning(tx.db())
        .await?;
    let invitation = renewed.into_iter().next().ok_or(Error::Conflict("already_activated"))?;
    let email = EmailAddress::stored(&user.email)?;
    let mail = NewEmail {
        tenant: Some(caller.tenant.id),
        client: Some(client.id),
        invitation: Some(invitation.id),
        expires_at: Some(invitation.expires_at),
        ..NewEmail::new(Kind::Invitation, &email)
    };
    mail::enqueue(&mut tx, mail).await?;
    let event = audit::Event::new("invitation.resent")
        .target("invitation", invitation.id.0)
        .tenant(caller.tenant.id)
        .client(client.id);
    audit::record(&mut tx, caller, event).await?;
    tx.commit().await?;
    Ok(SentInvitation { membership, email: user.email, invitation })
}
