//! Composes the invitation mail, its reminders and the activation mail. All carry a link with which a person joins a
//! client.
//!
//! The link activates the account or, for a portal user who already has a password, accepts the invitation. The worker
//! decides between the two when it composes the mail, not the request that invites. Neither the mail kind nor the mail
//! log shows the decision, because a tenant must not learn that an address is known to another tenant.

use chrono::TimeDelta;
use portico_entity::{
    client,
    email::{self, Kind},
    invitation::{self, Column, Status},
    link_token::Purpose,
    portal_user, tenant,
};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, JoinType, QueryFilter, QueryOrder, QuerySelect, RelationTrait,
    sea_query::Expr,
};

use super::{activation_email, invitation_email, reminder_email, template_values::LinkEmailValues};

use crate::{
    identity::link_tokens,
    platform::{
        app::App,
        error::Result,
        language::Language,
        mail::{self, ComposeError, Composed},
    },
    tenancy::{invitations::InvitationSettings, tenants::Brand},
};

/// How many times the invited person can renew an expired invitation. Renewals by staff users do not count.
const MAX_RENEWALS: i32 = 2;
/// The minimum remaining lifetime of an invitation. A mail whose link would expire sooner is not sent.
const MIN_REMAINING_LIFETIME: TimeDelta = TimeDelta::seconds(1);

/// The result of composing a mail.
type ComposeResult = std::result::Result<Composed, ComposeError>;

/// Composes the mail of kind `invitation` or `invitation_reminder` for the invitation that `row` names.
///
/// Returns [`Composed::Suppressed`] if the invitation no longer exists, and otherwise the result of [`compose`].
///
/// # Errors
/// A failed database query, template or message.
pub(crate) async fn compose_invitation(app: &App, row: &email::Model) -> ComposeResult {
    let Some(id) = row.invitation_id else { return Ok(Composed::Suppressed("the invitation no longer exists")) };
    let found = invitation::Entity::find_by_id(id).find_also_related(portal_user::Entity).one(app.db()).await?;
    match found {
        Some((invitation, Some(user))) => compose(app, row, invitation, user).await,
        _ => Ok(Composed::Suppressed("the invitation no longer exists")),
    }
}

/// Composes the mail of kind `activation`: the link of the portal user's most recently sent invitation that is pending
/// or can be renewed, at a client that is open.
///
/// The request does not look the address up. This function, which the worker runs, does. Returns
/// [`Composed::Suppressed`] if no enabled portal user has the address, if there is no such invitation, or if its link
/// would not be valid on arrival.
///
/// # Errors
/// A failed database query, template or message.
pub(crate) async fn compose_activation(app: &App, row: &email::Model) -> ComposeResult {
    let user = portal_user::Entity::find()
        .filter(portal_user::Column::Email.eq(&row.recipient))
        .filter(portal_user::Column::DisabledAt.is_null())
        .one(app.db())
        .await?;
    let Some(user) = user else { return Ok(Composed::Suppressed("no enabled portal user has this address")) };
    mail::set_recipient_user(app, row, user.id).await?;
    let is_usable = Condition::any().add(Column::ExpiresAt.gt(app.now())).add(Column::Renewals.lt(MAX_RENEWALS));
    let invitation = invitation::Entity::find()
        .inner_join(client::Entity)
        .join(JoinType::InnerJoin, client::Relation::Tenant.def())
        .filter(Column::PortalUserId.eq(user.id))
        .filter(Column::Status.is_in([Status::Pending, Status::Expired]))
        .filter(is_usable)
        .filter(client::Column::Status.ne(client::Status::Archived))
        .filter(tenant::Column::Status.eq(tenant::Status::Active))
        .order_by_desc(Column::LastSentAt)
        .order_by_desc(Column::Id)
        .one(app.db())
        .await?;
    match invitation {
        Some(invitation) => compose(app, row, invitation, user).await,
        None => Ok(Composed::Suppressed("the portal user has no pending or expired invitation")),
    }
}

/// Composes the mail `row` with a link for `invitation`.
///
/// The link is an activation link if `user` has no password, and an accept link otherwise. An expired invitation is
/// renewed if the invited person asked for this mail. Returns [`Composed::Suppressed`] if the client no longer exists
/// or is archived, if its tenant is suspended, if a newer mail replaces this one, if the invitation is neither
/// pending nor renewable, or if the link is no longer valid.
///
/// # Errors
/// A failed database query, template or message.
async fn compose(
    app: &App,
    row: &email::Model,
    invitation: invitation::Model,
    user: portal_user::Model,
) -> ComposeResult {
    let client_and_tenant =
        client::Entity::find_by_id(invitation.client_id).find_also_related(tenant::Entity).one(app.db()).await?;
    let Some((client, Some(tenant))) = client_and_tenant else {
        return Ok(Composed::Suppressed("the client no longer exists"));
    };
    if client.status == client::Status::Archived || tenant.status == tenant::Status::Suspended {
        return Ok(Composed::Suppressed("the client is archived or its tenant is suspended"));
    }
    if row.created_at < invitation.links_valid_from {
        return Ok(Composed::Suppressed("replaced by a newer mail"));
    }
    let Some(invitation) = pending_or_renewed(app, row, invitation).await? else {
        return Ok(Composed::Suppressed("the invitation is accepted, cancelled or expired"));
    };
    let (purpose, path) = if user.is_activated() {
        (Purpose::Accept, "/portal/accept-invitation")
    } else {
        (Purpose::Activation, "/portal/activate")
    };
    let secret = match link_tokens::issue(app, row, purpose, &user, Some(&invitation)).await? {
        Ok(secret) => secret,
        Err(composed) => return Ok(composed),
    };
    let values = LinkEmailValues {
        brand: Brand::of_tenant(app, tenant.id, preferred_language(&user, &invitation)).await?,
        name: mail::defuse_links(&invitation.name),
        client_name: mail::defuse_links(&client.name),
        link: app.public_url(&format!("{path}#token={}", secret.reveal())),
        expires: invitation.expires_at,
    };
    let rendered = match (row.kind, purpose) {
        (Kind::InvitationReminder, _) => reminder_email::render(&values)?,
        (_, Purpose::Activation) => activation_email::render(&values)?,
        (_, Purpose::Accept | Purpose::Reset | Purpose::NotMe) => invitation_email::render(&values)?,
    };
    Ok(mail::message(row, rendered)?)
}

/// Returns the language that the invited person prefers. Until the account is activated, its row has the language of
/// the first invitation, which may be that of another tenant.
fn preferred_language(user: &portal_user::Model, invitation: &invitation::Model) -> Option<Language> {
    let own = user.locale.as_deref().filter(|_| user.is_activated());
    Language::first_of([own, invitation.locale.as_deref()])
}

/// Returns the invitation if it is pending and has not expired. Renews an expired one if the invited person asked for
/// this mail, which then belongs to no tenant. Returns `None` otherwise.
async fn pending_or_renewed(
    app: &App,
    row: &email::Model,
    invitation: invitation::Model,
) -> Result<Option<invitation::Model>> {
    let is_expired = invitation.expires_at <= app.now() + MIN_REMAINING_LIFETIME;
    match invitation.status {
        Status::Pending if !is_expired => Ok(Some(invitation)),
        Status::Pending | Status::Expired if row.tenant_id.is_none() => renew(app, row, invitation).await,
        _ => Ok(None),
    }
}

/// Makes an expired invitation pending again and extends it, counted from the request for this mail. Its inviter still
/// sees it as expired. Returns `None` if the maximum number of renewals is reached or another request has already
/// renewed it.
///
/// One conditional `UPDATE` on the expiry time that was read, so concurrent requests renew the invitation once.
async fn renew(app: &App, row: &email::Model, invitation: invitation::Model) -> Result<Option<invitation::Model>> {
    let renewed = invitation::Entity::update_many()
        .col_expr(Column::Status, Expr::value(Status::Pending))
        .col_expr(Column::Renewals, Expr::col(Column::Renewals).add(1))
        .col_expr(Column::ShownExpiresAt, Expr::value(invitation.shown_expires_at.unwrap_or(invitation.expires_at)))
        .col_expr(Column::ExpiresAt, Expr::value(row.created_at + app.section::<InvitationSettings>().activation_ttl))
        .filter(Column::Id.eq(invitation.id))
        .filter(Column::Status.is_in([Status::Pending, Status::Expired]))
        .filter(Column::ExpiresAt.eq(invitation.expires_at))
        .filter(Column::Renewals.lt(MAX_RENEWALS))
        .exec_with_returning(app.db())
        .await?;
    Ok(renewed.into_iter().next())
}
