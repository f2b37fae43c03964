//! Staff invite somebody to a client.

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
    actor::{Permission, StaffUser},
    app::App,
    audit, clients,
    email_address::EmailAddress,
    error::{Error, Result},
    mail::{self, NewEmail},
    name::Name,
    rate_limit::{self, Limit, Reservation},
    tx::Tx,
};

/// Who is invited, and as what.
pub struct InviteInput {
    /// Their address.
    pub email: EmailAddress,
    /// What this tenant calls them; else the address's local part.
    pub name: Option<Name>,
    /// What they may do at the client.
    pub role: Role,
    /// A BCP 47 language tag for a person who is new here.
    pub locale: Option<String>,
}

/// An invitation and whom it is for.
#[derive(Clone, Debug)]
pub struct SentInvitation {
    /// The person, as this client knows them.
    pub membership: membership::Model,
    /// Their address.
    pub email: String,
    /// The invitation.
    pub invitation: invitation::Model,
}

/// Invites a person to a client of the caller's tenant.
///
/// Somebody of this tenant with a password joins at once and is told so. Everybody else gets a link, alike whether the
/// address is new or known to another tenant: no tenant learns of the others.
///
/// # Errors
/// `forbidden`; `not_found`; `client_suspended` for an archived client; `too_many_requests`; `portal_user_exists` when
/// the person is at this client already.
pub async fn invite(app: &App, caller: &StaffUser, client: ClientId, input: InviteInput) -> Result<SentInvitation> {
    caller.may(Permission::ClientsEdit)?;
    let client = open_client(app, caller, client).await?;
    let reservation = limit_invitations(app, caller, &input.email).await?;
    let invited = write(app, caller, client, input).await;
    reservation.refund_if_transient(app, invited).await
}

async fn write(app: &App, caller: &StaffUser, client: client::Model, input: InviteInput) -> Result<SentInvitation> {
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    let name = input.name.as_ref().map_or(input.email.local_part(), Name::as_str).to_owned();
    let user = find_or_create(&mut tx, &input, &name).await?;
    let joins_at_once = user.password_phc.is_some() && is_active_in_tenant(&tx, caller, user.id).await?;
    let (mode, kind) =
        if joins_at_once { (Mode::Notification, Kind::AccessNotice) } else { (Mode::Setup, Kind::Invitation) };

    let membership = insert_membership(&mut tx, &client, &user, &name, &input, mode).await?;
    let invitation = insert_invitation(&mut tx, caller, &client, &user, &name, &input, mode).await?;
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

/// The client, if people may be invited to it.
pub(super) async fn open_client(app: &App, caller: &StaffUser, id: ClientId) -> Result<client::Model> {
    let client = clients::of(caller.tenant.id).find(app.db(), id).await?;
    if client.status == client::Status::Archived { Err(Error::Forbidden("client_suspended")) } else { Ok(client) }
}

/// Counts one invitation or resend.
pub(super) async fn limit_invitations(app: &App, caller: &StaffUser, email: &EmailAddress) -> Result<Reservation> {
    let (tenant, mailbox, actor) = (caller.tenant.id.to_string(), email.mailbox(), caller.user.id.to_string());
    let limits: [(Limit, &[&str]); 2] =
        [(Limit::InviteRecipient, &[&tenant, &mailbox]), (Limit::InviteActor, &[&actor])];
    rate_limit::reserve_all(app, &limits).await
}

/// One row a person, however many invite them at once.
async fn find_or_create(tx: &mut Tx, input: &InviteInput, name: &str) -> Result<portal_user::Model> {
    let app = tx.app().clone();
    let row = portal_user::ActiveModel {
        id: Set(PortalUserId(app.new_id())),
        email: Set(input.email.to_string()),
        name: Set(name.into()),
        password_phc: Set(None),
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
        .ok_or_else(|| Error::Internal("the invited person's row has vanished".into()))
}

async fn is_active_in_tenant(tx: &Tx, caller: &StaffUser, user: PortalUserId) -> Result<bool> {
    let count = membership::Entity::find()
        .inner_join(client::Entity)
        .filter(membership::Column::PortalUserId.eq(user))
        .filter(membership::Column::Status.eq(membership::Status::Active))
        .filter(client::Column::TenantId.eq(caller.tenant.id))
        .count(tx.db())
        .await?;
    Ok(count > 0)
}

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
    };
    match row.insert(tx.db()).await {
        Err(error) if Error::is_unique_violation(&error) => Err(Error::Conflict("portal_user_exists")),
        inserted => Ok(inserted?),
    }
}

async fn insert_invitation(
    tx: &mut Tx,
    caller: &StaffUser,
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
        expires_at: Set(now + app.settings().link_tokens.activation_ttl),
        created_by: Set(Some(caller.user.id)),
        created_at: Set(now),
    };
    Ok(row.insert(tx.db()).await?)
}
