//! The access notice. It informs a portal user who already has a password about access to another client.

use portico_entity::{client, email, invitation, portal_user, tenant};
use sea_orm::EntityTrait;

use crate::{
    platform::{
        app::App,
        language::Language,
        mail::{self, ComposeError, Composed},
    },
    tenancy::tenants::Brand,
};

/// The values of the templates of the access notice.
pub(crate) struct AccessNoticeEmail {
    brand: Brand,
    /// The portal user's name as the tenant typed it.
    name: String,
    client_name: String,
    portal_url: String,
}

mail::templates!(
    AccessNoticeEmail,
    English: "tenancy/invitations/access_notice_email/en.txt",
    German: "tenancy/invitations/access_notice_email/de.txt",
    French: "tenancy/invitations/access_notice_email/fr.txt",
    Spanish: "tenancy/invitations/access_notice_email/es.txt",
);

#[cfg(test)]
impl mail::checks::Example for AccessNoticeEmail {
    fn example(language: crate::platform::language::Language, _: bool) -> Self {
        Self {
            brand: Brand::example(language),
            name: mail::checks::NAME.into(),
            client_name: "Acme Ltd".into(),
            portal_url: mail::checks::URL.into(),
        }
    }
}

/// Composes the access notice of the `emails` row `row`.
///
/// Returns [`Composed::Suppressed`] if the invitation or the client no longer exists, if the client is archived, or
/// if its tenant is suspended.
///
/// # Errors
/// A failed database query, template or message.
pub(crate) async fn compose(app: &App, row: &email::Model) -> Result<Composed, ComposeError> {
    let (Some(invitation), Some(client)) = (row.invitation_id, row.client_id) else {
        return Ok(Composed::Suppressed("the invitation no longer exists"));
    };
    let invitation =
        invitation::Entity::find_by_id(invitation).find_also_related(portal_user::Entity).one(app.db()).await?;
    let client = client::Entity::find_by_id(client).find_also_related(tenant::Entity).one(app.db()).await?;
    let (Some((invitation, Some(user))), Some((client, Some(tenant)))) = (invitation, client) else {
        return Ok(Composed::Suppressed("the invitation no longer exists"));
    };
    if client.status == client::Status::Archived || tenant.status == tenant::Status::Suspended {
        return Ok(Composed::Suppressed("the client is archived or its tenant is suspended"));
    }
    let preferred = Language::first_of([user.locale.as_deref(), invitation.locale.as_deref()]);
    let context = AccessNoticeEmail {
        brand: Brand::of_tenant(app, client.tenant_id, preferred).await?,
        name: mail::defuse_links(&invitation.name),
        client_name: mail::defuse_links(&client.name),
        portal_url: app.public_url("/portal"),
    };
    Ok(mail::message(row, render(&context)?)?)
}
