//! The mail that tells somebody who has a password that they have access to one more client.

use portico_entity::{client, email, invitation, portal_user, tenant};
use sea_orm::EntityTrait;

use crate::{
    app::App,
    mail::{self, Brand, ComposeError, Composed},
};

pub(crate) struct AccessNoticeEmail {
    brand: Brand,
    name: String,
    client_name: String,
    portal_url: String,
}

mail::templates!(
    AccessNoticeEmail,
    "invitations/access_notice_email/subject.txt",
    "invitations/access_notice_email/body.txt",
    "invitations/access_notice_email/body.html"
);

pub(crate) async fn compose(app: &App, row: &email::Model) -> Result<Composed, ComposeError> {
    let (Some(invitation), Some(client)) = (row.invitation_id, row.client_id) else {
        return Ok(Composed::Suppressed("the invitation is gone"));
    };
    let invitation =
        invitation::Entity::find_by_id(invitation).find_also_related(portal_user::Entity).one(app.db()).await?;
    let client = client::Entity::find_by_id(client).find_also_related(tenant::Entity).one(app.db()).await?;
    let (Some((invitation, Some(user))), Some((client, Some(tenant)))) = (invitation, client) else {
        return Ok(Composed::Suppressed("the invitation is gone"));
    };
    if client.status == client::Status::Archived || tenant.status == tenant::Status::Suspended {
        return Ok(Composed::Suppressed("the client was archived"));
    }
    let context = AccessNoticeEmail {
        brand: Brand::of_tenant(app, client.tenant_id, user.locale.as_deref()).await?,
        name: mail::defuse_links(&invitation.name),
        client_name: mail::defuse_links(&client.name),
        portal_url: app.public_url("/portal"),
    };
    Ok(mail::message(row, render(&context)?)?)
}
