//! Resending an invitation.

use portico_entity::{
    ClientId, InvitationId, client,
    email::{self, Kind},
    invitation::{self, Column, Status},
    membership, portal_user,
};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, sea_query::Expr};

use super::{
    SentInvitation,
    invite::{limit_invitations, open_client},
    inviter::Inviter,
};
use crate::{
    platform::{
        actor::{Authorized, access::ClientsEdit},
        app::App,
        audit,
        clock::Time,
        email_address::EmailAddress,
        error::{Error, Result},
        mail::{self, NewEmail},
        tx::Tx,
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
pub async fn resend_to(
    app: &App,
    caller: &Authorized<ClientsEdit>,
    client: ClientId,
    email: &EmailAddress,
) -> Result<SentInvitation> {
    let inviter = Inviter::from(caller);
    let client = open_client(app, &inviter, client).await?;
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
    let latest = invitation::Entity::find()
        .filter(Column::ClientId.eq(client.id))
        .filter(Column::PortalUserId.eq(user.id))
        .order_by_desc(Column::Id)
        .one(app.db())
        .await?
        .ok_or(Error::NOT_FOUND)?;
    if latest.status == Status::Cancelled {
        return Err(Error::NOT_FOUND);
    }
    send_again(app, &inviter, &client, latest).await
}

/// Resends the invitation `id` to a client of the caller's tenant, with a new link and a new expiry time.
///
/// # Errors
/// - `not_found`: the inviter's tenant has no client with this id, or the client has no invitation with this id.
/// - `client_suspended`: the client is archived.
/// - `already_activated`: the invitation was accepted.
/// - `conflict`: the invitation was cancelled.
/// - `too_many_requests`: a rate limit of the recipient or of the inviter is used up.
/// - `forbidden`: a colleague is no longer an administrator of the client.
/// - `unavailable` or `internal`: a database query failed. For `unavailable`, the rate limits are refunded.
pub async fn resend(
    app: &App,
    caller: &Authorized<ClientsEdit>,
    client: ClientId,
    id: InvitationId,
) -> Result<SentInvitation> {
    resend_as(app, &caller.into(), client, id).await
}

/// Resends an invitation as [`resend`] does. The function checks no permission.
///
/// Every older link of the invitation becomes invalid, including the link of a mail that is still queued.
///
/// # Errors
/// The errors of [`resend`].
pub(crate) async fn resend_as(
    app: &App,
    inviter: &Inviter,
    client: ClientId,
    id: InvitationId,
) -> Result<SentInvitation> {
    let client = open_client(app, inviter, client).await?;
    let invitation = super::find(app.db(), client.id, id).await?;
    send_again(app, inviter, &client, invitation).await
}

/// Charges the rate limits and renews `invitation`.
async fn send_again(
    app: &App,
    inviter: &Inviter,
    client: &client::Model,
    invitation: invitation::Model,
) -> Result<SentInvitation> {
    check_open(invitation.status)?;
    let email = EmailAddress::stored(&invitation.email)?;
    let reservation = limit_invitations(app, inviter, &email).await?;
    let resent = renew(app, inviter, client, invitation.id).await;
    reservation.refund_if_transient(app, resent).await
}

/// Checks that an invitation with this status can be sent again.
///
/// # Errors
/// - `already_activated`: it was accepted.
/// - `conflict`: it was cancelled.
pub(super) fn check_open(status: Status) -> Result<()> {
    match status {
        Status::Pending | Status::Expired => Ok(()),
        Status::Accepted => Err(Error::Conflict("already_activated")),
        Status::Cancelled => Err(Error::ConflictBecause("The invitation was cancelled.")),
    }
}

/// Renews the invitation and enqueues its mail, in one transaction.
async fn renew(app: &App, inviter: &Inviter, client: &client::Model, id: InvitationId) -> Result<SentInvitation> {
    let mut tx = app.begin().await?.caused_by(inviter.request_id);
    inviter.require_rights(&mut tx, client.id).await?;
    let now = app.now();
    let renewed = invitation::Entity::update_many()
        .col_expr(Column::Status, Expr::value(Status::Pending))
        .col_expr(Column::LinksValidFrom, later_of(Column::LinksValidFrom, now))
        .col_expr(Column::LastSentAt, Expr::value(now))
        .col_expr(Column::SentCount, Expr::col(Column::SentCount).add(1))
        .col_expr(Column::RemindersSent, Expr::value(0))
        .col_expr(Column::ShownExpiresAt, Expr::value(None::<Time>))
        .col_expr(Column::ExpiresAt, Expr::value(now + app.section::<InvitationSettings>().activation_ttl))
        .filter(Column::Id.eq(id))
        // Another request may have accepted or cancelled the invitation after it was read.
        .filter(Column::Status.is_in([Status::Pending, Status::Expired]))
        .exec_with_returning(tx.db())
        .await?;
    let Some(invitation) = renewed.into_iter().next() else {
        check_open(super::find(tx.db(), client.id, id).await?.status)?;
        return Err(Error::ConflictBecause("Another request has changed the invitation."));
    };
    let membership = membership::Entity::find()
        .filter(membership::Column::PortalUserId.eq(invitation.portal_user_id))
        .filter(membership::Column::ClientId.eq(client.id))
        .one(tx.db())
        .await?
        .ok_or(Error::ConflictBecause("Another request has changed the invitation."))?;
    suppress_older_mail(&mut tx, invitation.id).await?;
    let mail = NewEmail {
        tenant: Some(inviter.tenant),
        client: Some(client.id),
        invitation: Some(invitation.id),
        expires_at: Some(invitation.expires_at),
        ..NewEmail::new(Kind::Invitation, &EmailAddress::stored(&invitation.email)?)
    };
    mail::enqueue(&mut tx, mail).await?;
    let event = audit::Event::new("invitation.resent")
        .target("invitation", invitation.id.0)
        .tenant(inviter.tenant)
        .client(client.id);
    audit::record(&mut tx, inviter.actor.clone(), event).await?;
    tx.commit().await?;
    Ok(SentInvitation { membership, email: invitation.email.clone(), invitation })
}

/// Returns the later one of the time in `column` and `now`: a concurrent resend may have committed a later one, after
/// which this one's links are the older ones.
fn later_of(column: Column, now: Time) -> Expr {
    Expr::case(Expr::col(column).gt(now), Expr::col(column)).finally(now).into()
}

/// Suppresses the queued mails of the invitation: their links are no longer valid. A mail that a worker is just sending
/// is not handed over any more, unless the mail server has its final dot already.
async fn suppress_older_mail(tx: &mut Tx, id: InvitationId) -> Result<()> {
    email::Entity::update_many()
        .col_expr(email::Column::Status, Expr::value(email::Status::Suppressed))
        .col_expr(email::Column::Detail, Expr::value("replaced by a newer mail"))
        .filter(email::Column::InvitationId.eq(id))
        .filter(email::Column::Status.eq(email::Status::Queued))
        .exec(tx.db())
        .await?;
    Ok(())
}
