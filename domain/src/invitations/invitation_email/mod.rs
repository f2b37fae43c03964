//! The mail that carries the link of an invitation: to set up an account, or, for people who have one, to accept.
//!
//! Which of the two turns out here and not at the invitation, and neither the mail's kind nor its log says which: a
//! tenant must not learn that an address is known to another.

use chrono::TimeDelta;
use portico_entity::{
    client, email,
    invitation::{self, Column, Status},
    link_token::Purpose,
    portal_user, tenant,
};
use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, QueryFilter, sea_query::Expr};

use crate::{
    activation::activation_email,
    app::App,
    error::Result,
    link_tokens,
    mail::{self, Brand, ComposeError, Composed},
};

/// How often a person may renew an expired invitation by themselves.
const MAX_RENEWALS: i32 = 2;
/// What is left of a link's life must be worth opening the mail.
const WORTH_SENDING: TimeDelta = TimeDelta::seconds(1);

pub(crate) struct InvitationEmail {
    pub(crate) brand: Brand,
    pub(crate) name: String,
    pub(crate) client_name: String,
    pub(crate) link: String,
    pub(crate) expires: String,
}

mail::templates!(
    InvitationEmail,
    "invitations/invitation_email/subject.txt",
    "invitations/invitation_email/body.txt",
    "invitations/invitation_email/body.html"
);

pub(crate) async fn compose(app: &App, row: &email::Model) -> std::result::Result<Composed, ComposeError> {
    let Some(id) = row.invitation_id else { return Ok(Composed::Suppressed("the invitation is gone")) };
    let found = invitation::Entity::find_by_id(id).find_also_related(portal_user::Entity).one(app.db()).await?;
    match found {
        Some((invitation, Some(user))) => compose_link(app, row, invitation, user).await,
        _ => Ok(Composed::Suppressed("the invitation is gone")),
    }
}

/// Composes the link of `invitation` for `user`, if it would still open something.
pub(crate) async fn compose_link(
    app: &App,
    row: &email::Model,
    invitation: invitation::Model,
    user: portal_user::Model,
) -> std::result::Result<Composed, ComposeError> {
    let place =
        client::Entity::find_by_id(invitation.client_id).find_also_related(tenant::Entity).one(app.db()).await?;
    let Some((client, Some(tenant))) = place else { return Ok(Composed::Suppressed("the client is gone")) };
    if client.status == client::Status::Archived || tenant.status == tenant::Status::Suspended {
        return Ok(Composed::Suppressed("the client was archived"));
    }
    if row.created_at < invitation.links_valid_from {
        return Ok(Composed::Suppressed("replaced by a newer mail"));
    }
    let Some(invitation) = pending(app, row, invitation).await? else {
        return Ok(Composed::Suppressed("the invitation is over"));
    };
    let (purpose, path) = match user.password_phc {
        None => (Purpose::Activation, "/portal/activate"),
        Some(_) => (Purpose::Accept, "/portal/accept-invitation"),
    };
    let Some(secret) = link_tokens::issue(app, row, purpose, &user, Some(&invitation)).await? else {
        return Ok(Composed::Suppressed("its link has died"));
    };
    let context = InvitationEmail {
        brand: Brand::of_tenant(app, tenant.id, user.locale.as_deref()).await?,
        name: mail::defuse_links(&invitation.name),
        client_name: mail::defuse_links(&client.name),
        link: app.public_url(&format!("{path}#token={}", secret.reveal())),
        expires: mail::format_time(invitation.expires_at),
    };
    let rendered = match purpose {
        Purpose::Activation => activation_email::render(&context)?,
        Purpose::Accept | Purpose::Reset => render(&context)?,
    };
    Ok(mail::message(row, rendered)?)
}

/// The invitation if it is pending, or could be renewed because the person asked for this mail themselves.
async fn pending(app: &App, row: &email::Model, invitation: invitation::Model) -> Result<Option<invitation::Model>> {
    let is_over = invitation.expires_at <= app.now() + WORTH_SENDING;
    match invitation.status {
        Status::Pending if !is_over => Ok(Some(invitation)),
        Status::Pending | Status::Expired if row.tenant_id.is_none() => renew(app, row, invitation).await,
        _ => Ok(None),
    }
}

/// One conditional UPDATE, so that asking often does not renew more often.
async fn renew(app: &App, row: &email::Model, invitation: invitation::Model) -> Result<Option<invitation::Model>> {
    let renewed = invitation::Entity::update_many()
        .col_expr(Column::Status, Expr::value(Status::Pending))
        .col_expr(Column::Renewals, Expr::col(Column::Renewals).add(1))
        .col_expr(Column::ExpiresAt, Expr::value(row.created_at + app.settings().link_tokens.activation_ttl))
        .filter(Column::Id.eq(invitation.id))
        .filter(Column::Status.is_in([Status::Pending, Status::Expired]))
        .filter(Column::ExpiresAt.eq(invitation.expires_at))
        .filter(Column::Renewals.lt(MAX_RENEWALS))
        .exec_with_returning(app.db())
        .await?;
    Ok(renewed.into_iter().next())
}
