//! The notice that another portal user has become an administrator of the recipient's client.

use portico_entity::{ClientId, PortalUserId, client, email, membership, portal_user, tenant};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

use crate::{
    platform::{
        app::App,
        language::Language,
        mail::{self, ComposeError, Composed},
    },
    tenancy::{client_admins, tenants::Brand},
};

/// The values of the templates of the notice.
pub(crate) struct NewAdminEmail {
    brand: Brand,
    /// The recipient's name as the tenant typed it.
    name: String,
    client_name: String,
    /// The new administrator; `None` if there are several.
    new_admin: Option<NewAdmin>,
    portal_url: String,
}

/// The new administrator that the mail names.
struct NewAdmin {
    /// The name as the tenant or a colleague typed it, or the address if the person was removed again.
    name: String,
    email: String,
}

mail::templates!(
    NewAdminEmail,
    English: "tenancy/client_admins/new_admin_email/en.txt",
    German: "tenancy/client_admins/new_admin_email/de.txt",
    French: "tenancy/client_admins/new_admin_email/fr.txt",
    Spanish: "tenancy/client_admins/new_admin_email/es.txt",
);

#[cfg(test)]
impl mail::checks::Example for NewAdminEmail {
    fn example(language: crate::platform::language::Language, is_complete: bool) -> Self {
        let new_admin = NewAdmin { name: "Alex".into(), email: "alex@x.test".into() };
        Self {
            brand: Brand::example(language),
            name: mail::checks::NAME.into(),
            client_name: "Acme Ltd".into(),
            new_admin: is_complete.then_some(new_admin),
            portal_url: mail::checks::URL.into(),
        }
    }
}

/// Composes the notice of the `emails` row `row`.
///
/// It is sent also if the new administrator has lost the role since, because the other administrators should know that
/// the person had it. Returns [`Composed::Suppressed`] if the recipient is no longer an administrator of the client, if
/// the client is archived, or if its tenant is suspended.
///
/// # Errors
/// A failed database query, template or message.
pub(crate) async fn compose(app: &App, row: &email::Model) -> Result<Composed, ComposeError> {
    let (Some(client), Some(recipient)) = (row.client_id, row.portal_user_id) else {
        return Ok(Composed::Suppressed("the client or the recipient no longer exists"));
    };
    let found = client::Entity::find_by_id(client).find_also_related(tenant::Entity).one(app.db()).await?;
    let Some((client, Some(tenant))) = found else {
        return Ok(Composed::Suppressed("the client no longer exists"));
    };
    if client.status == client::Status::Archived || tenant.status == tenant::Status::Suspended {
        return Ok(Composed::Suppressed("the client is archived or its tenant is suspended"));
    }
    let recipient = member(app.db(), client.id, recipient).await?;
    let Some((user, Some(membership))) =
        recipient.filter(|(_, membership)| membership.as_ref().is_some_and(client_admins::is_admin))
    else {
        return Ok(Composed::Suppressed("the recipient is no longer an administrator"));
    };
    let new_admin = match row.about_portal_user_id {
        Some(about) => member(app.db(), client.id, about).await?.map(NewAdmin::from),
        None => None,
    };
    let context = NewAdminEmail {
        brand: Brand::of_tenant(app, client.tenant_id, Language::first_of([user.locale.as_deref()])).await?,
        name: mail::defuse_links(&membership.display_name),
        client_name: mail::defuse_links(&client.name),
        new_admin,
        portal_url: app.public_url("/portal"),
    };
    Ok(mail::message(row, render(&context)?)?)
}

/// A portal user and the user's membership of a client.
type FoundMember = (portal_user::Model, Option<membership::Model>);

/// Returns the portal user and the user's membership of `client`. `None` if the account no longer exists.
async fn member(db: &impl ConnectionTrait, client: ClientId, user: PortalUserId) -> Result<Option<FoundMember>, DbErr> {
    let Some(found) = portal_user::Entity::find_by_id(user).one(db).await? else { return Ok(None) };
    let membership = membership::Entity::find()
        .filter(membership::Column::PortalUserId.eq(user))
        .filter(membership::Column::ClientId.eq(client))
        .one(db)
        .await?;
    Ok(Some((found, membership)))
}

impl From<FoundMember> for NewAdmin {
    fn from((user, membership): FoundMember) -> Self {
        // The account's own name may come from another tenant.
        let name = membership.map_or_else(|| user.email.clone(), |membership| membership.display_name);
        Self { name: mail::defuse_links(&name), email: mail::defuse_links(&user.email) }
    }
}
