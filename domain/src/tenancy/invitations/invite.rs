//! Inviting a person to a client.

use portico_entity::{
    ClientId, InvitationId, MembershipId, PortalUserId, client,
    email::Kind,
    invitation::{self, Mode},
    membership::{self, Role},
    portal_user,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, sea_query::OnConflict,
};
use serde_json::json;

use crate::{
    limits,
    platform::{
        actor::{Authorized, access::ClientsEdit},
        app::App,
        audit,
        email_address::EmailAddress,
        error::{Error, Result},
        mail::{self, NewEmail},
        name::Name,
        rate_limit::{self, Limit, Reservation},
        search,
        tx::Tx,
    },
    tenancy::{clients, invitations::InvitationSettings, search as entries},
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
/// - `not_found`: the caller's tenant has no client with this id.
/// - `client_suspended`: the client is archived.
/// - `too_many_requests`: a rate limit of the recipient or of the caller is used up.
/// - `portal_user_exists`: the person already has a membership of this client.
/// - `unavailable` or `internal`: a database query failed. For `unavailable`, the rate limits are refunded.
pub async fn invite(
    app: &App,
    caller: &Authorized<ClientsEdit>,
    client: ClientId,
    input: InviteInput,
) -> Result<SentInvitation> {
    let client = open_client(app, caller, client).await?;
    let reservation = limit_invitations(app, caller, &input.email).await?;
    let invited = write(app, caller, client, input).await;
    reservation.refund_if_transient(app, invited).await
}

/// Writes the rows of an invitation, its mail and its audit event in one transaction.
async fn write(
    app: &App,
    caller: &Authorized<ClientsEdit>,
    client: client::Model,
    input: InviteInput,
) -> Result<SentInvitation> {
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let name = input.name.as_ref().map_or(input.email.local_part(), Name::as_str).to_owned();
    let user = find_or_create(&mut tx, &input, &name).await?;
    let joins_immediately = user.password_phc.is_some() && is_active_in_tenant(&tx, caller, user.id).await?;
    let (mode, kind) =
        if joins_immediately { (Mode::Notification, Kind::AccessNotice) } else { (Mode::Setup, Kind::Invitation) };

    let membership = insert_membership(&mut tx, &client, &user, &name, &input, mode).await?;
    let invitation = insert_invitation(&mut tx, caller, &client, &user, &name, &input, mode).await?;
    let tenant = caller.tenant.id;
    let found_by = [entries::membership(tenant, &membership, &user.email), entries::invitation(tenant, &invitation)];
    search::index(&mut tx, found_by).await?;
    let email = NewEmail {
        tenant: Some(caller.tenant.id),
        client: Some(client.id),
        invitation: Some(invitation.id),
        expires_at: Some(invitation.expires_at),
        ..NewEmail::new(kind, &input.email)
    };
    mail::enqueue(&mut tx, email).await?;
    let event = audit::Event::new("invitation.created")
        .target("invitation", invitation.id.0)
        .tenant(caller.tenant.id)
        .client(client.id)
        .details(json!({ "mode": mode, "role": input.role }));
    audit::record(&mut tx, caller, event).await?;
    tx.commit().await?;
    Ok(SentInvitation { membership, email: user.email, invitation })
}

/// Loads the client `id` of the caller's tenant and checks that people may be invited to it.
///
/// # Errors
/// - `not_found`: the caller's tenant has no client with this id.
/// - `client_suspended`: the client is archived.
/// - `unavailable` or `internal`: the database query failed.
pub(super) async fn open_client(app: &App, caller: &Authorized<ClientsEdit>, id: ClientId) -> Result<client::Model> {
    let client = clients::of(caller.tenant.id).find(app.db(), id).await?;
    if client.status == client::Status::Archived { Err(Error::Forbidden("client_suspended")) } else { Ok(client) }
}

/// Charges one invitation or resend to two rate limits: of this tenant for the recipient's mailbox, and of the staff
/// user.
///
/// # Errors
/// - `too_many_requests`: one of the two rate limits is used up.
/// - `unavailable` or `internal`: a database query failed.
pub(super) async fn limit_invitations(
    app: &App,
    caller: &Authorized<ClientsEdit>,
    email: &EmailAddress,
) -> Result<Reservation> {
    let (tenant, mailbox, actor) = (caller.tenant.id.to_string(), email.mailbox(), caller.rate_limit_subject());
    let limits: [(&Limit, &[&str]); 2] =
        [(&limits::INVITE_RECIPIENT, &[&tenant, &mailbox]), (&limits::INVITE_ACTOR, &[&actor])];
    rate_limit::reserve_all(app, &limits).await
}

/// Returns the `portal_users` row of the invited address, and inserts it without a password if there is none.
///
/// The `INSERT` ignores an existing row, so concurrent invitations of one address share one row.
async fn find_or_create(tx: &mut Tx, input: &InviteInput, name: &str) -> Result<portal_user::Model> {
    let app = tx.app().clone();
    let row = portal_user::ActiveModel {
        id: Set(PortalUserId(app.new_id())),
        email: Set(input.email.to_string()),
        name: Set(name.into()),
        password_phc: Set(None),
        password_cost: Set(None),
        password_locked_at: Set(None),
        credential_version: Set(0),
        locale: Set(input.locale.clone()),
        disabled_at: Set(None),
        created_at: Set(app.now()),
    };
    portal_user::Entity::insert(row)
        .on_conflict(OnConflict::column(portal_user::Column::Email).do_nothing().to_owned())
        .exec_without_returning(tx.db())
        .await?;
    portal_user::Entity::find()
        .filter(portal_user::Column::Email.eq(input.email.as_str()))
        .one(tx.db())
        .await?
        .ok_or_else(|| Error::Internal("the portal_users row of the invited person is missing".into()))
}

/// Returns whether the portal user has an active membership of a client of the caller's tenant.
async fn is_active_in_tenant(tx: &Tx, caller: &Authorized<ClientsEdit>, user: PortalUserId) -> Result<bool> {
    let count = membership::Entity::find()
        .inner_join(client::Entity)
        .filter(membership::Column::PortalUserId.eq(user))
        .filter(membership::Column::Status.eq(membership::Status::Active))
        .filter(client::Column::TenantId.eq(caller.tenant.id))
        .count(tx.db())
        .await?;
    Ok(count > 0)
}

/// Inserts the membership: `Invited` for a setup, `Active` for a notification. Fails with `portal_user_exists` if
/// there is one.
async fn insert_membership(
    tx: &mut Tx,
    client: &client::Model,
    user: &portal_user::Model,
    name: &str,
    input: &InviteInput,
    mode: Mode,
) -> Result<membership::Model> {
    let app = tx.app().clone();
    let row = membership::ActiveModel {
        id: Set(MembershipId(app.new_id())),
        portal_user_id: Set(user.id),
        client_id: Set(client.id),
        display_name: Set(name.into()),
        role: Set(input.role),
        status: Set(match mode {
            Mode::Setup => membership::Status::Invited,
            Mode::Notification => membership::Status::Active,
        }),
        invited_at: Set(app.now()),
        last_used_at: Set(None),
        is_search_indexed: Set(true),
    };
    match row.insert(tx.db()).await {
        Err(error) if Error::is_unique_violation(&error) => Err(Error::Conflict("portal_user_exists")),
        inserted => Ok(inserted?),
    }
}

/// Inserts the invitation: `Pending` for a setup, `Accepted` for a notification.
async fn insert_invitation(
    tx: &mut Tx,
    caller: &Authorized<ClientsEdit>,
    client: &client::Model,
    user: &portal_user::Model,
    name: &str,
    input: &InviteInput,
    mode: Mode,
) -> Result<invitation::Model> {
    let app = tx.app().clone();
    let now = app.now();
    let row = invitation::ActiveModel {
        id: Set(InvitationId(app.new_id())),
        client_id: Set(client.id),
        portal_user_id: Set(user.id),
        email: Set(input.email.to_string()),
        name: Set(name.into()),
        role: Set(input.role),
        mode: Set(mode),
        status: Set(match mode {
            Mode::Setup => invitation::Status::Pending,
            Mode::Notification => invitation::Status::Accepted,
        }),
        sent_count: Set(1),
        last_sent_at: Set(now),
        links_valid_from: Set(now),
        renewals: Set(0),
        expires_at: Set(now + app.section::<InvitationSettings>().activation_ttl),
        created_by: Set(caller.staff_user_id()),
        created_at: Set(now),
        is_search_indexed: Set(true),
    };
    Ok(row.insert(tx.db()).await?)
}
