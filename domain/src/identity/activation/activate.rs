//! Activation: the link of an invitation sets the first password.

use portico_entity::{
    InvitationId, PortalUserId, SessionId, TenantId, client,
    email::Kind,
    invitation::{self, Status},
    link_token::Purpose,
    portal_user,
    session::Method,
};
use sea_orm::{ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter};

use crate::{
    identity::{
        link_tokens::{self, InvitationContext},
        passwords::{self, Expected, Hasher},
        sessions::{self, IssuedSession},
        sign_in::{PortalEntry, SignInOutcome, enter_portal},
    },
    platform::{
        actor::{Actor, Anonymous},
        app::App,
        audit,
        email_address::EmailAddress,
        error::{Error, Result},
        mail::{self, NewEmail},
        name::Name,
        secret::{Password, PlainToken},
        sign_in_policy::SignInPolicy,
        tx::Tx,
    },
    tenancy::{invitations, memberships},
};

/// The input of [`activate`].
pub struct ActivateInput {
    /// The secret of the mailed activation link.
    pub token: PlainToken,
    /// The first password.
    pub password: Password,
    /// The portal user's name, if it should differ from that of the invitation.
    pub name: Option<Name>,
    /// The session that the browser already has. The new session replaces it.
    pub replaces: Option<SessionId>,
}

/// Sets the first password through the link of an invitation, makes the membership active, and opens a session at that
/// client or issues a challenge.
///
/// The portal user's other pending invitations of the same tenant are accepted too, if staff users or programs have
/// created them. For each other pending invitation, a mail with an accept link is enqueued. Expired invitations stay
/// unchanged.
///
/// # Errors
/// The checks run in this order:
/// - `token_unknown`: no link has this secret, or the link has another purpose.
/// - `token_used`, `token_revoked` or `token_expired`: the link is no longer valid. A link counts as revoked also
///   when the account already has a password.
/// - `invalid_credentials`: the tenant does not allow passwords. The link stays unused.
/// - `validation_failed`: the password breaks the policy. The link stays unused.
/// - `overloaded`: no hashing slot was free within 3 seconds, or the client disconnected. The link stays unused.
/// - `token_used`, `token_revoked` or `token_expired`: the link became invalid while the password was hashed.
/// - `client_suspended`: the client was archived, or its tenant suspended, while the password was hashed.
/// - `unavailable` or `internal`: a database query failed.
pub async fn activate(app: &App, caller: &Anonymous, input: ActivateInput) -> Result<SignInOutcome<IssuedSession>> {
    let link = link_tokens::find(app, &input.token).await?;
    link.check_for(Purpose::Activation, app.now())?;
    let InvitationContext { invitation, client, tenant, .. } = link.invitation.ok_or(Error::TOKEN_REVOKED)?;
    if !SignInPolicy::of(&tenant)?.methods.allows(Method::Password) {
        return Err(Error::INVALID_CREDENTIALS);
    }
    let known = [input.name.as_ref().map_or("", Name::as_str), &invitation.name, input.token.reveal()];
    passwords::check_policy(app, "/password", &input.password, &link.user, &known).await?;
    let phc = app.get::<Hasher>().hash(&caller.context, &input.password).await?;
    let signer = sessions::signer(app).await?;

    let actor = Actor::portal_user(&link.user, &caller.context).known_to(tenant.id, &invitation.name);
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    link_tokens::consume(&mut tx, &link.token).await?;
    let expected = Expected::NoPasswordAt(link.token.credential_version);
    if !passwords::set_password(&mut tx, &link.user, phc, expected).await? {
        return Err(Error::TOKEN_REVOKED);
    }
    let user = store_profile(&mut tx, link.user.id, input.name.as_ref(), &invitation).await?;
    let joined = invitations::join(&mut tx, &actor, &invitation, &client, link.token.issued_at).await?;
    let membership = joined.ok_or(Error::TOKEN_REVOKED)?;
    handle_other_invitations(&mut tx, &actor, &user, tenant.id, invitation.id).await?;
    memberships::require_open(&tx, &membership).await?;
    let event =
        audit::Event::new("portal_user.activated").target("portal_user", user.id.0).tenant(tenant.id).client(client.id);
    audit::record(&mut tx, actor, event).await?;
    let entry = PortalEntry {
        context: &caller.context,
        user: user.id,
        versions: None,
        method: Method::Password,
        client: Some(client.id),
        invitation: None,
        replaces: input.replaces,
        is_activation: true,
    };
    let outcome = enter_portal(&mut tx, &entry).await?;
    passwords::reset_failures(&mut tx, &user.email).await?;
    tx.commit().await?;
    outcome.issue(|opened| signer.issue_portal(app, opened.session, opened.user, opened.active))
}

/// Stores the chosen name, or else that of the invitation, and the language of the invitation. Returns the
/// `portal_users` row as it is after the password was set.
///
/// Before that, the row has the name and the language of the first invitation, which may be that of another tenant.
async fn store_profile(
    tx: &mut Tx,
    id: PortalUserId,
    name: Option<&Name>,
    invitation: &invitation::Model,
) -> Result<portal_user::Model> {
    let missing = || Error::Internal(format!("the portal_users row of the activated portal user {id} is missing"));
    let user = portal_user::Entity::find_by_id(id).one(tx.db()).await?.ok_or_else(missing)?;
    let mut row = user.into_active_model();
    row.name = Set(name.map_or(invitation.name.as_str(), Name::as_str).into());
    row.locale = Set(invitation.locale.clone());
    row.activated_at = Set(Some(tx.app().now()));
    Ok(row.update(tx.db()).await?)
}

/// Handles the portal user's other pending invitations that have not expired: accepts those that staff users or
/// programs of `tenant` have created, and mails an accept link for each of the others. `accepted` is the invitation
/// that was just accepted.
///
/// An invitation that an administrator of a client has created is only accepted by its own link. Otherwise the
/// administrator would learn from its status that the person belongs to another client.
async fn handle_other_invitations(
    tx: &mut Tx,
    actor: &Actor,
    user: &portal_user::Model,
    tenant: TenantId,
    accepted: InvitationId,
) -> Result<()> {
    let others = invitation::Entity::find()
        .find_also_related(client::Entity)
        .filter(invitation::Column::PortalUserId.eq(user.id))
        .filter(invitation::Column::Status.eq(Status::Pending))
        .filter(invitation::Column::ExpiresAt.gt(tx.app().now()))
        .filter(invitation::Column::Id.ne(accepted))
        .all(tx.db())
        .await?;
    for (invitation, client) in others {
        let Some(client) = client.filter(|client| client.status != client::Status::Archived) else { continue };
        if client.tenant_id == tenant && invitation.created_by_portal_user.is_none() {
            // `None` means that another request accepted, cancelled or resent this invitation. Then nothing is left
            // to do.
            let _ = invitations::join(tx, actor, &invitation, &client, invitation.links_valid_from).await?;
        } else {
            send_accept_link(tx, user, &invitation, &client).await?;
        }
    }
    Ok(())
}

/// Mails a link to accept the invitation of another tenant or of a colleague. The activation link of that invitation is
/// no longer valid, because the portal user has a password now.
///
/// The mail belongs to no tenant: its mail log would tell that tenant that the person has activated the account
/// elsewhere.
async fn send_accept_link(
    tx: &mut Tx,
    user: &portal_user::Model,
    invitation: &invitation::Model,
    client: &client::Model,
) -> Result<()> {
    let to = EmailAddress::stored(&user.email)?;
    let mail = NewEmail {
        client: Some(client.id),
        portal_user: Some(user.id),
        invitation: Some(invitation.id),
        expires_at: Some(invitation.expires_at),
        ..NewEmail::new(Kind::Invitation, &to)
    };
    mail::enqueue(tx, mail).await?;
    Ok(())
}
