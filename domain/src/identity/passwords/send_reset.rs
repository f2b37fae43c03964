//! Sending a reset link to a portal user, at the request of a staff user.

use portico_entity::{ClientId, MembershipId, client, email::Kind, membership::Status, portal_user};

use crate::{
    identity::link_tokens::LinkTokenSettings,
    platform::{
        actor::{Authorized, access::ClientsEdit},
        app::App,
        audit,
        email_address::EmailAddress,
        error::{Error, Result},
        mail::{self, NewEmail},
    },
    tenancy::{
        clients, invitations,
        memberships::{self, Member},
    },
};

/// Mails a reset link to the stored address of a portal user who is active at a client of the caller's tenant.
///
/// It is the link that the person can request too: only the mail carries it, it appears in no tenant's mail log, and
/// nothing changes until the person uses it.
///
/// # Errors
/// The checks run in this order:
/// - `not_found`: the caller's tenant has no client with this id, or the client no membership with this id.
/// - `client_suspended`: the client is archived.
/// - `conflict`: the membership is not active, or the person has not activated the account.
/// - `too_many_requests`: a rate limit of the recipient or of the caller is used up.
/// - `unavailable` or `internal`: a database query failed. For `unavailable`, the rate limits are refunded.
pub async fn send_reset(app: &App, caller: &Authorized<ClientsEdit>, client: ClientId, id: MembershipId) -> Result<()> {
    let client = clients::of(caller.tenant.id).find(app.db(), client).await?;
    let (member, user) = memberships::find_with_user(app.db(), &client, id).await?;
    if client.status == client::Status::Archived {
        return Err(Error::Forbidden("client_suspended"));
    }
    if member.membership.status != Status::Active || !user.is_activated() || user.disabled_at.is_some() {
        return Err(Error::ConflictBecause("The portal user is not active at the client."));
    }
    let email = EmailAddress::stored(&user.email)?;
    let reservation = invitations::limit_invitations(app, &caller.into(), &email).await?;
    let sent = enqueue(app, caller, &client, (&member, &user), &email).await;
    reservation.refund_if_transient(app, sent).await
}

/// Enqueues the mail and records the audit event, in one transaction.
async fn enqueue(
    app: &App,
    caller: &Authorized<ClientsEdit>,
    client: &client::Model,
    (member, user): (&Member, &portal_user::Model),
    email: &EmailAddress,
) -> Result<()> {
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let mail = NewEmail {
        portal_user: Some(user.id),
        expires_at: Some(app.now() + app.section::<LinkTokenSettings>().reset_ttl),
        ..NewEmail::new(Kind::Reset, email)
    };
    mail::enqueue(&mut tx, mail).await?;
    let event = audit::Event::new("password.reset_sent")
        .target("membership", member.membership.id.0)
        .tenant(client.tenant_id)
        .client(client.id);
    audit::record(&mut tx, caller, event).await?;
    tx.commit().await
}
