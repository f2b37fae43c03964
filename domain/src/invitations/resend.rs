//! Staff send an invitation again.

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
    actor::{Permission, StaffUser},
    app::App,
    audit,
    email_address::EmailAddress,
    error::{Error, Result},
    mail::{self, NewEmail},
};

/// Sends the invitation of `email` to a client of the caller's tenant again: a new link, and a new time to use it.
/// Every older link is dead, also one whose mail has not gone out yet.
///
/// # Errors
/// `forbidden`; `not_found` when the address was not invited to this client; `client_suspended`; `already_activated`;
/// `too_many_requests`.
pub async fn resend(app: &App, caller: &StaffUser, client: ClientId, email: &EmailAddress) -> Result<SentInvitation> {
    caller.may(Permission::ClientsEdit)?;
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

async fn renew(
    app: &App,
    caller: &StaffUser,
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
        .col_expr(Column::ExpiresAt, Expr::value(now + app.settings().link_tokens.activation_ttl))
        .filter(Column::Id.eq(latest.id))
        // Somebody may have joined since it was read.
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
