//! Activation: the link of an invitation sets the first password, or registers the first passkey.

use portico_entity::{
    InvitationId, PasskeyId, PortalUserId, Realm, SessionId, TenantId, UserId,
    ceremony::CeremonyKind,
    client,
    email::Kind,
    invitation::{self, Status},
    link_token::Purpose,
    portal_user,
    session::Method,
    tenant,
};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter,
    sea_query::Expr,
};

use crate::{
    identity::{
        link_tokens::{self, InvitationContext, LinkDetails},
        passkeys::{self, Bound, NewCredential, Occasion, PresentedCeremony, StartedCeremony},
        passwords::{self, Expected, Hasher},
        sessions::{self, IssuedSession},
        sign_in::{PortalEntry, SignInOutcome, enter_portal},
        users,
    },
    platform::{
        actor::{Actor, Anonymous, User},
        app::App,
        audit,
        email_address::EmailAddress,
        error::{Error, Result, ResultExt},
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
    /// By what the portal user will sign in.
    pub credential: FirstCredential,
    /// The portal user's name, if it should differ from that of the invitation.
    pub name: Option<Name>,
    /// The session that the browser already has. The new session replaces it.
    pub replaces: Option<SessionId>,
}

/// By what a portal user signs in after the activation.
pub enum FirstCredential {
    /// A password.
    Password(Password),
    /// A passkey, with the name that the user gives it.
    Passkey(PresentedCeremony, Option<Name>),
}

/// A credential that was checked, and is not stored yet.
enum Checked {
    /// The hash of a password.
    Password(String),
    /// A passkey.
    Passkey(NewCredential, Option<Name>),
}

/// Starts the registration of a passkey by which the invited person activates the account. [`activate`] completes it
/// with the same link, which stays unused until then.
///
/// # Errors
/// - `token_unknown`, `token_used`, `token_revoked` or `token_expired`: as for [`activate`].
/// - `invalid_credentials`: the tenant does not allow passkeys.
/// - `conflict`: the public URL allows no passkeys.
/// - `unavailable` or `internal`: a database query failed.
pub async fn start_passkey(app: &App, token: &PlainToken) -> Result<StartedCeremony> {
    let link = link_tokens::find(app, token).await?;
    link.check_for(Purpose::Activation, app.now())?;
    let invited = link.invitation.as_ref().ok_or(Error::TOKEN_REVOKED)?;
    require_method(&invited.tenant, Method::Passkey)?;
    let tx = app.begin().await?;
    let locked = users::lock(&tx, UserId::Portal(link.user.id)).await?.ok_or(Error::TOKEN_REVOKED)?;
    let started = passkeys::start_registration(&tx, &locked, occasion(&link)).await?;
    tx.commit().await?;
    Ok(started)
}

/// Sets the first password or stores the first passkey through the link of an invitation, makes the membership
/// active, and opens a session at that client or issues a challenge.
///
/// The portal user's other pending invitations of the same tenant are accepted too, if staff users or programs have
/// created them. For each other pending invitation, a mail with an accept link is enqueued. Expired invitations stay
/// unchanged.
///
/// # Errors
/// The checks run in this order:
/// - `token_unknown`: no link has this secret, or the link has another purpose.
/// - `token_used`, `token_revoked` or `token_expired`: the link is no longer valid. A link counts as revoked also
///   when the account is already activated.
/// - `invalid_credentials`: the tenant does not allow passwords, or passkeys. The link stays unused.
/// - `invalid_code`: the ceremony is unknown, used, expired or of another link, or the response of the passkey is
///   refused. The link stays unused.
/// - `conflict`: the passkey is registered already. The link stays unused.
/// - `validation_failed`: the password breaks the policy. The link stays unused.
/// - `overloaded`: no hashing slot was free within 3 seconds, or the client disconnected. The link stays unused.
/// - `token_used`, `token_revoked` or `token_expired`: the link became invalid while the password was hashed.
/// - `client_suspended`: the client was archived, or its tenant suspended, while the password was hashed.
/// - `unavailable` or `internal`: a database query failed.
pub async fn activate(app: &App, caller: &Anonymous, input: ActivateInput) -> Result<SignInOutcome<IssuedSession>> {
    let mut link = link_tokens::find(app, &input.token).await?;
    link.check_for(Purpose::Activation, app.now())?;
    let invited = link.invitation.take().ok_or(Error::TOKEN_REVOKED)?;
    let checked = match input.credential {
        FirstCredential::Password(password) => {
            require_method(&invited.tenant, Method::Password)?;
            let known = [input.name.as_ref().map_or("", Name::as_str), &invited.invitation.name, input.token.reveal()];
            passwords::check_policy(app, "/password", &password, &link.user, &known).await?;
            Checked::Password(app.get::<Hasher>().hash(&caller.context, &password).await?)
        }
        FirstCredential::Passkey(presented, name) => {
            require_method(&invited.tenant, Method::Passkey)?;
            let new = passkeys::finish_registration(app, occasion(&link), &presented).await?;
            Checked::Passkey(new.ok_or(Error::INVALID_CODE)?, name)
        }
    };
    let is_ceremony_used = matches!(checked, Checked::Passkey(..));
    let place = Activation { link, invited, name: input.name, replaces: input.replaces };
    let activated = open(app, caller, place, checked).await;
    if is_ceremony_used { activated.not_retryable() } else { activated }
}

/// What an activation needs after the credential was checked.
struct Activation {
    link: LinkDetails,
    invited: InvitationContext,
    name: Option<Name>,
    replaces: Option<SessionId>,
}

/// Uses the link, stores the credential, accepts the invitations, and opens the session, in one transaction.
async fn open(
    app: &App,
    caller: &Anonymous,
    activation: Activation,
    checked: Checked,
) -> Result<SignInOutcome<IssuedSession>> {
    let Activation { link, invited: InvitationContext { invitation, client, tenant, .. }, name, replaces } = activation;
    let signer = sessions::signer(app).await?;
    let actor = Actor::portal_user(&link.user, &caller.context).known_to(tenant.id, &invitation.name);
    let mut tx = app.begin().await?.caused_by(caller.context.request_id);
    link_tokens::consume(&mut tx, &link.token).await?;
    let (method, passkey) = store_credential(&mut tx, caller, &link, checked).await?;
    let user = store_profile(&mut tx, link.user.id, name.as_ref(), &invitation).await?;
    let joined = invitations::join(&mut tx, &actor, &invitation, &client, link.token.issued_at).await?;
    let membership = joined.ok_or(Error::TOKEN_REVOKED)?;
    handle_other_invitations(&mut tx, &actor, &user, tenant.id, invitation.id).await?;
    memberships::require_open(&tx, &membership).await?;
    let event =
        audit::Event::new("portal_user.activated").target("portal_user", user.id.0).tenant(tenant.id).client(client.id);
    audit::record(&mut tx, actor.clone(), event).await?;
    if passkey.is_some() {
        memberships::record_for_each_tenant(&mut tx, actor, user.id, "passkey.added").await?;
    }
    let entry = PortalEntry {
        context: &caller.context,
        user: user.id,
        versions: None,
        method,
        passkey,
        client: Some(client.id),
        invitation: None,
        replaces,
        is_activation: true,
    };
    let outcome = enter_portal(&mut tx, &entry).await?;
    passwords::reset_failures(&mut tx, &user.email).await?;
    tx.commit().await?;
    outcome.issue(|opened| signer.issue_portal(app, opened.session, opened.user, opened.active))
}

/// Checks that the tenant lets its portal users sign in by `method`.
fn require_method(tenant: &tenant::Model, method: Method) -> Result<()> {
    if SignInPolicy::of(tenant)?.methods.allows(method) { Ok(()) } else { Err(Error::INVALID_CREDENTIALS) }
}

/// Returns what a ceremony is for that activates an account through `link`.
fn occasion(link: &LinkDetails) -> Occasion {
    Occasion {
        kind: CeremonyKind::Activation,
        realm: Realm::Portal,
        user: Some(UserId::Portal(link.user.id)),
        bound_to: Bound::Link(link.token.id),
    }
}

/// Stores the credential of an account that is not activated. Returns the method of the session, and the passkey.
///
/// The row of the user is changed only if the account has neither a password nor been activated since the link was
/// issued, so that of concurrent activations one succeeds.
async fn store_credential(
    tx: &mut Tx,
    caller: &Anonymous,
    link: &LinkDetails,
    checked: Checked,
) -> Result<(Method, Option<PasskeyId>)> {
    let version = link.token.credential_version;
    match checked {
        Checked::Password(phc) => {
            let expected = Expected::NoPasswordAt(version);
            if !passwords::set_password(tx, &link.user, phc, expected).await? {
                return Err(Error::TOKEN_REVOKED);
            }
            Ok((Method::Password, None))
        }
        Checked::Passkey(new, name) => {
            use portal_user::{Column, Entity};
            // The new version revokes the other activation links, as a password does.
            let activated = Entity::update_many()
                .col_expr(Column::ActivatedAt, Expr::value(tx.app().now()))
                .col_expr(Column::CredentialVersion, Expr::col(Column::CredentialVersion).add(1))
                .filter(Column::Id.eq(link.user.id))
                .filter(Column::CredentialVersion.eq(version))
                .filter(Column::PasswordPhc.is_null())
                .filter(Column::ActivatedAt.is_null())
                .exec_with_returning(tx.db())
                .await?;
            let user = activated.into_iter().next().ok_or(Error::TOKEN_REVOKED)?;
            let passkey = passkeys::insert(tx, &User::Portal(user), &caller.context, new, name.as_ref()).await?;
            Ok((Method::Passkey, Some(passkey.id)))
        }
    }
}

/// Stores the chosen name, or else that of the invitation, and the language of the invitation. Returns the
/// `portal_users` row as it is after the credential was stored.
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
/// no longer valid, because the portal user has activated the account now.
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
