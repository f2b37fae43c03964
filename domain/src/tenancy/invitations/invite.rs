//! Inviting a person to a client.

use portico_entity::{ClientId, client, invitation, membership, membership::Role};

use super::{inviter::Inviter, write::write};
use crate::{
    limits,
    platform::{
        actor::{Authorized, access::ClientsEdit},
        app::App,
        email_address::EmailAddress,
        error::{Error, Result},
        name::Name,
        rate_limit::{self, Limit, Reservation},
    },
    tenancy::clients,
};

/// The input of [`invite`].
pub struct InviteInput {
    /// The invited person's address.
    pub email: EmailAddress,
    /// The person's name as this tenant types it. Without it, the name is the local part of the address.
    pub name: Option<Name>,
    /// The role that the person gets at the client.
    pub role: Role,
    /// A BCP 47 language tag. It is stored only if the person has no account yet.
    pub locale: Option<String>,
}

impl InviteInput {
    /// Returns the name, or without one the local part of the address.
    pub(super) fn name_or_default(&self) -> &str {
        self.name.as_ref().map_or(self.email.local_part(), Name::as_str)
    }
}

/// An invitation that was sent or resent, with the invited person.
#[derive(Clone, Debug)]
pub struct SentInvitation {
    /// The person's membership of the client.
    pub membership: membership::Model,
    /// The person's address.
    pub email: String,
    /// The `invitations` row.
    pub invitation: invitation::Model,
}

/// Invites a person to a client of the caller's tenant.
///
/// A portal user with a password and an active membership in this tenant becomes a member immediately and gets an
/// access notice. Any other person gets a link. The response, the mail kind and the mail log are the same whether the
/// address is new or known to another tenant, so no tenant learns about the portal users of another tenant.
///
/// # Errors
/// The checks run in this order:
/// - `not_found`: the inviter's tenant has no client with this id.
/// - `client_suspended`: the client is archived.
/// - `too_many_requests`: a rate limit of the recipient or of the inviter is used up.
/// - `forbidden`: a colleague is no longer an administrator of the client.
/// - `portal_user_exists`: the person already has a membership of this client.
/// - `unavailable` or `internal`: a database query failed. For `unavailable`, the rate limits are refunded.
pub async fn invite(
    app: &App,
    caller: &Authorized<ClientsEdit>,
    client: ClientId,
    input: InviteInput,
) -> Result<SentInvitation> {
    invite_as(app, &caller.into(), client, input).await
}

/// Invites a person to a client of the inviter's tenant, as [`invite`] does. The function checks no permission.
///
/// # Errors
/// The errors of [`invite`].
pub(crate) async fn invite_as(
    app: &App,
    inviter: &Inviter,
    client: ClientId,
    input: InviteInput,
) -> Result<SentInvitation> {
    let client = open_client(app, inviter, client).await?;
    let reservation = limit_invitations(app, inviter, &input.email).await?;
    let invited = write_one(app, inviter, &client, &input).await;
    reservation.refund_if_transient(app, invited).await
}

/// Writes one invitation in a transaction of its own.
async fn write_one(
    app: &App,
    inviter: &Inviter,
    client: &client::Model,
    input: &InviteInput,
) -> Result<SentInvitation> {
    let mut tx = app.begin().await?.caused_by(inviter.request_id);
    inviter.require_rights(&mut tx, client.id).await?;
    let sent = write(&mut tx, inviter, client, &[input]).await?.pop().flatten();
    let sent = sent.ok_or(Error::Conflict("portal_user_exists"))?;
    tx.commit().await?;
    Ok(sent)
}

/// Loads the client `id` of the inviter's tenant and checks that people may be invited to it.
///
/// # Errors
/// - `not_found`: the inviter's tenant has no client with this id.
/// - `client_suspended`: the client is archived.
/// - `unavailable` or `internal`: the database query failed.
pub(super) async fn open_client(app: &App, inviter: &Inviter, id: ClientId) -> Result<client::Model> {
    let client = clients::of(inviter.tenant).find(app.db(), id).await?;
    if client.status == client::Status::Archived { Err(Error::Forbidden("client_suspended")) } else { Ok(client) }
}

/// Charges one mail that the inviter causes, such as an invitation or a resend, to two rate limits: of this tenant, or
/// for a colleague of this client, for the recipient's mailbox, and of the inviter.
///
/// # Errors
/// - `too_many_requests`: one of the two rate limits is used up.
/// - `unavailable` or `internal`: a database query failed.
pub(crate) async fn limit_invitations(app: &App, inviter: &Inviter, email: &EmailAddress) -> Result<Reservation> {
    let mailbox = email.mailbox();
    let limits: [(&Limit, &[&str]); 2] = [
        (&limits::INVITE_RECIPIENT, &[&inviter.recipient_scope, &mailbox]),
        (inviter.limit, &[&inviter.limit_subject]),
    ];
    rate_limit::reserve_all(app, &limits).await
}
